"""Certificates for phones that are called, from the demo's own authority"""
import os
import subprocess


def certificate(env, server, name, san='IP:127.0.0.1', ca_dir=None):
    """PEM file with key and certificate for a server at 127.0.0.1"""
    pem, csr = env.path(name + '.pem'), env.path(name + '.csr')
    crt, ext = env.path(name + '.crt'), env.path(name + '.ext')
    ca_dir = ca_dir or server.dir

    def openssl(*args):
        subprocess.run(['openssl', *args], stdin=subprocess.DEVNULL,
                       check=True, capture_output=True)
    openssl('req', '-new', '-newkey', 'ec', '-pkeyopt',
            'ec_paramgen_curve:P-256', '-nodes', '-keyout', pem, '-subj',
            '/CN=' + name, '-out', csr)
    with open(ext, 'w') as f:
        f.write('basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n'
                'subjectAltName=%s\n' % san)
    openssl('x509', '-req', '-in', csr, '-CA', os.path.join(ca_dir, 'ca.pem'),
            '-CAkey', os.path.join(ca_dir, 'ca.key'), '-CAcreateserial',
            '-CAserial', env.path(name + '.srl'), '-days', '30', '-sha256',
            '-extfile', ext, '-out', crt)
    with open(crt) as f, open(pem, 'a') as out:
        out.write(f.read())
    os.chmod(pem, 0o600)
    return pem


def stranger_ca(env):
    """A folder with another authority's ca.pem and ca.key"""
    d = env.path('stranger')
    os.mkdir(d, 0o700)
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                    'ec_paramgen_curve:P-256', '-nodes', '-keyout',
                    os.path.join(d, 'ca.key'), '-subj', '/CN=stranger',
                    '-days', '30', '-out', os.path.join(d, 'ca.pem')],
                   stdin=subprocess.DEVNULL, check=True, capture_output=True)
    return d
