"""A server with the demo's configuration, changed"""
import os
import re

from lib import read_text


def edited_server(env, demo, name, edit):
    """edit(text) makes the new text; users, certificate and CA are the demo's"""
    text = read_text(os.path.join(demo.dir, 'conclave.conf'))
    text = re.sub(r'tls:127\.0\.0\.1:\d+', 'tls:127.0.0.1:0', text)
    text = re.sub(r'control_socket = "[^"]*"',
                  'control_socket = "%s/ctl"' % env.path(name), text)
    os.mkdir(env.path(name), 0o700)
    for part in ('ca.pem', 'users'):
        os.link(os.path.join(demo.dir, part), os.path.join(env.path(name), part))
    path = env.path(name + '.conf')
    with open(path, 'w') as f:
        f.write(edit(text))
    return env.server(name, conf=path)
