"""./bootstrap run: a demo server, three callers who talk, who heard whom, and
what one who comes and goes can open

    scene.py [DIR] [--port N] [--keying endpoint|group|auto] [--once]

The server stays up until Ctrl-C or SIGTERM; with --once it is ended after the
callers.  Exit code 0 if all heard each other and the server ended well.
"""
import argparse
import json
import os
import shlex
import signal
import sys

import lib
import scene_keys
from caller import Caller, GOOD, USERS
from lib import Failure, Server, check

TALKERS = USERS[:3]
SECONDS = 5
SIPS_PORT = 5061

DIAL = '''
== How to dial in with a softphone that has TLS and SRTP by SDES
   account     {uri}, transport TLS
   user        alice, bob, carol or dave; the password is behind the colon in
               {dir}/users
   trusted CA  {dir}/ca.pem
   media       SRTP with SDES, mandatory (baresip: see README.md)
   call        {factory}
               makes a conference; its own URI, for the others, is shown by
                 {ctl} -s {q}/ctl list{port}
   our phone   {call} --uri {factory} \\
                 --ca {q}/ca.pem --user alice --password-file {q}/users

== The log is {log}. The server stays up: Ctrl-C ends it.'''


def parse():
    ap = argparse.ArgumentParser(
        prog='bootstrap run', description='Start a demo conference server and '
        'let three callers talk.')
    ap.add_argument('dir', nargs='?', default='demo', metavar='DIR',
                    help='folder of the demo (default ./demo)')
    ap.add_argument('--port', type=int, default=SIPS_PORT, metavar='N',
                    help='SIP over TLS on this port, 0: any (default 5061)')
    ap.add_argument('--keying', default='auto',
                    choices=('endpoint', 'group', 'auto'))
    ap.add_argument('--once', action='store_true',
                    help='end the server after the callers')
    return ap.parse_args()


def say(text):
    print(text, flush=True)


def talk(server):
    """Three calls in one process; the first makes the conference.  Its JSON."""
    say('== %s call %s and talk for %d seconds' %
        (', '.join(TALKERS), server.factory, SECONDS))
    c = Caller(server, '-n', len(TALKERS), '--same-conf', '--seconds', SECONDS,
               *GOOD, users=TALKERS)
    try:
        out, err = c.proc.communicate(timeout=60)
    finally:
        c.close()
    check(out, 'the callers did not come back: %s' % err.strip())
    return json.loads(out)


def cell(tones, freq):
    t = [t for t in tones if t['freq'] == freq]
    if not t:
        return 'not measured'
    if t[0]['level_dbfs'] < lib.SILENT_DBFS:
        return 'silence'
    return '%.1f dBFS, gap %d ms' % (t[0]['level_dbfs'], t[0]['longest_gap_ms'])


def table(calls):
    """One row per listener, one column per speaker"""
    head = ['%s (%d Hz)' % (c['user'], c['freq']) for c in calls]
    say('\n   who heard whom, measured on the decoded audio')
    say('   %-8s' % '' + ''.join('%-24s' % h for h in head))
    for c in calls:
        tones = c.get('audio', {}).get('tones', [])
        say('   %-8s' % c['user'] + ''.join(
            '%-24s' % cell(tones, other['freq']) for other in calls))
    for c in calls:
        say('   %s: %s, %s, call set up in %s ms, %d packets heard, %d lost, '
            '%d failed to authenticate' %
            (c['user'], c['codec'], c['suite'], c['setup_ms'],
             c['rx']['packets'], c['rx']['lost'], c['rx']['auth_failures'])
            if c['established'] else '   %s: no call: %s %s' %
            (c['user'], c['status'], c.get('error') or c['reason']))


def scene(server):
    j = talk(server)
    table(j['calls'])
    say('')
    for c in j['calls']:
        for f in c['failures']:
            say('   FAILED: %s: %s' % (c['user'], f))
    say('== PASS: everybody heard the others, and nobody heard itself'
        if j['ok'] else '== FAIL')
    return j['ok']


def stay(server):
    """Until the server ends, by a signal to us or by itself"""
    port = '' if server.port == SIPS_PORT else \
        '\n               (add :%d to it: phones take 5061 for granted)' % server.port
    say(DIAL.format(uri=server.uri('USER'), dir=server.dir, log=server.log,
                    factory=server.factory, port=port,
                    q=shlex.quote(server.dir),
                    ctl=shlex.quote(lib.program('conclavectl')),
                    call=shlex.quote(lib.program('conclave-call'))))
    for s in (signal.SIGINT, signal.SIGTERM):
        signal.signal(s, lambda *_: server.term())
    server.proc.wait()


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    a = parse()
    signal.signal(signal.SIGTERM, interrupted)
    server = Server(os.path.abspath(a.dir), keying=a.keying, port=a.port,
                    log_level='info', wait=False)
    ok = False
    try:
        server.wait_ready()
        say('== server is up: %s' % server.ready)
        ok = scene(server) and scene_keys.play(server, a.keying, say)
        if not a.once:
            stay(server)
        server.stop()
        say('== server has ended')
    except Failure as e:
        if 'Address already in use' in str(e):
            e = 'port %d is in use here: take another with --port N' % a.port
        say('== FAIL: %s' % e)
        ok = False
    except KeyboardInterrupt:
        ok = False
        server.stop()
        say('== interrupted')
    finally:
        server.kill()
    sys.exit(0 if ok else 1)


if __name__ == '__main__':
    main()
