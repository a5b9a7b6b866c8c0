"""Who leaves opens nothing that is sent afterwards, who joins nothing from
before: measured with their keys on what the others received"""
import os
import re
import time

import capture
import lib
from lib import check, note, wait_until
from secrecy import Taps, row, seconds

GRACE_MS = 2000
# from our deadline to the arrival of the last packet that was sent before it
SLACK_MS = 60
# to try the keys on
PACKETS = 80
KINDS = ('bye', 'kick', 'replaced')
MEDIA_TIMEOUT_S = 3
#        name        keying      arguments   how they leave (all ways: make secrecy)
PLAYS = (('group',    'group',    (),         KINDS + ('lost',)),
         ('auto',     'auto',     (),         KINDS),
         ('endpoint', 'endpoint', (),         KINDS),
         # in any case no grace: these two tell
         ('with-mki', 'group',    ('--mki',), ('bye', 'replaced')))
USERS = {'bye': 'carol', 'lost': 'carol', 'kick': 'dave', 'replaced': 'carol'}
# they stay to the end
STAY = ('alice', 'slow', 'device 2')
REPORTS = ('--rtcp-interval', 500)


def part_of(taps, user):
    for p in taps.conf()['participants']:
        if user in p['identity']:
            return str(p['part'])
    raise lib.Failure('no participant %s' % user)


def kick(taps, user):
    name = taps.conf()['conf']
    taps.server.ctl('kick', name, part_of(taps, user))


def impatient(env, name, keying):
    """A server that soon misses a silent caller"""
    s = env.server(name, keying=keying)
    s.stop()
    conf = s.dir + '.conf'
    with open(os.path.join(s.dir, 'conclave.conf')) as f:
        text = re.sub(r'(?m)^media_timeout.*\n', '', f.read())
    with open(conf, 'w') as f:
        f.write('media_timeout = %d\n' % MEDIA_TIMEOUT_S + text)
    return env.server(name, conf=conf)


def leave(taps, kind, c, *args):
    """c goes in one of the ways"""
    if kind == 'bye':
        c.proc.terminate()
    elif kind == 'lost':
        c.proc.kill()
    elif kind == 'kick':
        kick(taps, USERS[kind])
    else:
        # another device of its user takes its place
        taps.call('device 2', USERS[kind], *seconds(120), *REPORTS,
                  *args, '--replaces', taps.dialog(kind))
    t0 = time.monotonic()
    wait_until('%s has left' % kind, lambda: c.leg not in taps.legs(), 10)
    if kind == 'lost':
        taps.gone(kind)
        took = time.monotonic() - t0
        note('   a caller that vanished is missed after %.1f s (media_timeout '
             '%d s)' % (took, MEDIA_TIMEOUT_S))
        check(MEDIA_TIMEOUT_S - 1 < took <= MEDIA_TIMEOUT_S + 1,
              'missed after %.1f s' % took)
    c.proc.communicate(timeout=10)


def play(env, name, keying, kinds, *args):
    server = impatient(env, name, keying) if 'lost' in kinds else \
        env.server(name, keying=keying)
    t = Taps(env, server)
    stay = seconds(120)
    alice = t.call('alice', 'alice', *stay, '--freq', 600, *REPORTS, *args)
    slow = t.call('slow', 'bob', *stay, '--answer-delay', 1000, *REPORTS,
                  *args)
    t.settled(keying)
    for kind in kinds:
        c = t.call(kind, USERS[kind], *stay, *REPORTS, *args)
        t.settled(keying)
        leave(t, kind, c, *args)
        t.settled(keying)
        t.listen(PACKETS)
    for c in (alice, slow):
        c.proc.terminate()
    for c in (alice, slow):
        c.proc.communicate(timeout=10)
    server.stop()
    return t.judge()


def bound(keying, kind):
    """[ms] after the leave"""
    return GRACE_MS if keying in ('group', 'auto') and \
        kind not in ('kick', 'replaced') else 0


def judge(keying, j):
    for x in j['leavers']:
        if x['name'] in STAY:
            continue
        row(keying, 'forward: ' + x['name'], x['tried'], x['opened'],
            '%.0f ms' % x['last_ms'])
        limit = bound(keying, x['name'])
        check(x['last_ms'] <= limit + SLACK_MS and
              (limit or x['opened'] <= 3),
              '%s: a leaver (%s) opens %d packets, the last %.0f ms after' %
              (keying, x['name'], x['opened'], x['last_ms']))
        check(x['tried'] >= PACKETS, 'only %d packets' % x['tried'])
    for x in j['joiners']:
        row(keying, 'backward: ' + x['name'], x['tried'], x['opened'], '')
        check(x['opened'] == 0, '%s: a joiner opens %d packets from before' %
              (keying, x['opened']))
    p = j['pads']
    row(keying, 'two-time pads', p['packets'], p['violations'],
        '%d keys' % j['keys'])
    check(p['known'] > 0.8 * p['packets'], 'keys for %d of %d packets' %
          (p['known'], p['packets']))
    check(p['violations'] == 0, 'two-time pad')
    check(j['shared'] == 0, 'a key is used in both directions')


def main(env):
    note('   %-10s %-24s %9s %9s %12s' % ('keying', 'who', 'packets',
                                           'opened', 'last after'))
    for name, keying, args, kinds in PLAYS:
        if os.environ.get('SECRECY_LONG'):
            kinds = KINDS + ('lost',)
        judge(name, play(env, name, keying, kinds, *args))


if __name__ == '__main__':
    capture.run(main)
