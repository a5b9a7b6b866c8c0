"""./bootstrap run: a demo server, three callers who talk, who heard whom

    scene.py [DIR] [--port N] [--keying endpoint|group|auto] [--once]

The server stays up until Ctrl-C or SIGTERM; with --once it is ended after the
callers.  Exit code 0 if all heard each other and the server ended well.
"""
import argparse
import os
import signal
import sys

import lib
from caller import Caller, GOOD, USERS
from lib import Failure, Server, check

TALKERS = USERS[:3]
SECONDS = 5


def parse():
    ap = argparse.ArgumentParser(
        prog='bootstrap run', description='Start a demo conference server and '
        'let three callers talk.')
    ap.add_argument('dir', nargs='?', default='demo', metavar='DIR',
                    help='folder of the demo (default ./demo)')
    ap.add_argument('--port', type=int, default=5061, metavar='N',
                    help='SIP over TLS on this port, 0: any (default 5061)')
    ap.add_argument('--keying', default='endpoint',
                    choices=('endpoint', 'group', 'auto'))
    ap.add_argument('--once', action='store_true',
                    help='end the server after the callers')
    return ap.parse_args()


def start(a):
    os.makedirs(os.path.dirname(os.path.abspath(a.dir)), exist_ok=True)
    server = Server(os.path.abspath(a.dir), keying=a.keying, port=a.port,
                    log_level='info')
    print('== server is up: %s' % server.ready, flush=True)
    return server


def callers(server):
    """Three calls in one process; the first makes the conference"""
    print('== %s call sip:factory@%s:%d and talk for %d seconds' %
          (', '.join(TALKERS), server.host, server.port, SECONDS), flush=True)
    c = Caller(server, '-n', len(TALKERS), '--same-conf', '--seconds', SECONDS,
               *GOOD, users=TALKERS)
    try:
        out, err = c.proc.communicate(timeout=60)
    finally:
        c.close()
    return c.proc.returncode, out, err
