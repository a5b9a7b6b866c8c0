"""sipp with the scenario files in sipp/, through a relay for TLS.

Debian's sipp 3.6 (12) and 3.7 (13) know no TLS.  Its exit code says whether a
scenario went as its file says; user and password come from a file, so that no
command line shows them.
"""
import os
import shutil
import subprocess

import lib
from lib import Skip, check
from tlsrelay import Relay

FILES = os.path.join(lib.HERE, 'sipp')
LIMIT_S = 60


class Sipp:
    """One sipp, one call.  done() waits for its end and checks the exit code"""
    count = 0

    def __init__(self, env, server, name, user, dial, **keys):
        if not shutil.which('sipp'):
            raise Skip('no sipp (Debian: sip-tester)')
        Sipp.count += 1
        self.name = '%s as %s' % (name, user)
        self.dir = env.path('sipp-%d-%s' % (Sipp.count, name))
        os.mkdir(self.dir, 0o700)
        self.relay = Relay(env, server)
        who = os.path.join(self.dir, 'who.csv')
        with open(os.open(who, os.O_WRONLY | os.O_CREAT, 0o600), 'w') as f:
            f.write('SEQUENTIAL\n%s;[authentication username=%s password=%s]\n' %
                    (user, user, server.password(user)))
        argv = ['sipp', '-sf', os.path.join(FILES, name + '.xml'), '-inf', who,
                '-m', '1', '-t', 't1', '-i', '127.0.0.1',
                '-p', str(lib.free_port()), '-nostdin', '-trace_err',
                '-error_file', os.path.join(self.dir, 'errors'),
                '-timeout', '%ds' % LIMIT_S, '-timeout_error',
                '-auth_uri', dial.split(':', 1)[1],
                '-key', 'host', '127.0.0.1', '-key', 'dial', dial]
        for k, v in keys.items():
            argv += ['-key', k, v]
        self.log = open(os.path.join(self.dir, 'out'), 'wb')
        self.proc = subprocess.Popen(
            argv + ['127.0.0.1:%d' % self.relay.port], cwd=self.dir,
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        env.add(self)

    def done(self, timeout=30):
        try:
            rc = self.proc.wait(timeout)
        except subprocess.TimeoutExpired:
            rc = 'still running'
        check(rc == 0, 'sipp %s: %s\n%s\n%s' % (
            self.name, rc, self._errors(), self.relay.text[-3000:]))
        lib.note('sipp %s: exit code 0' % self.name)

    def _errors(self):
        path = os.path.join(self.dir, 'errors')
        return lib.read_text(path)[-2000:] if os.path.exists(path) else ''

    def close(self):
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait()
        self.log.close()
