"""30 rekeys during a tone: nobody hears a gap, and a slow leg delays nobody"""
import time

import capture
import lib
from lib import check, note, wait_until
from secrecy import Taps, seconds, tone

REKEYS = 30
SPACE_S = 0.35
FREQ = 600
STAY = seconds(120)
QUICK = ('--rtcp-interval', 500)

#       name        arguments                         gap [ms]
GROUP = (('update', (),                                40),
         ('reinvite', ('--no-update',),                40),
         ('slow 1 s', ('--answer-delay', 1000),        40))
AUTO = (('follows', (),                                60),
        ('keeps key', ('--no-rekey', '--user-agent', 'keeper'), 60),
        ('slow 1 s', ('--answer-delay', 1000),         60))


def epoch(taps):
    return max(leg['epoch'] for leg in taps.legs().values())


def play(env, keying, listeners):
    server = env.server(keying, keying=keying)
    t = Taps(env, server)
    # the owner talks; nobody else does
    t.call('tone', 'alice', *STAY, '--freq', FREQ, *QUICK)
    calls = [(name, gap, t.call(name, user, *STAY, '--silent', *QUICK,
                                '--expect', FREQ, *args))
             for (name, args, gap), user in zip(listeners,
                                                ('bob', 'carol', 'dave'))]
    if keying == 'group':
        t.settled(keying)
    else:
        # the trial of the one that keeps its key ends after 8 s
        wait_until('end of the trials', lambda: sum(
            leg['keying'] == 'group' for leg in t.legs().values()) == 3 and
            'ev=stays_endpoint' in lib.read_text(server.log), 20)
    first = epoch(t)
    conf = t.conf()['conf']
    for _ in range(REKEYS):
        at = time.monotonic() + SPACE_S
        server.ctl('rekey', conf)
        wait_until('next rekey', lambda: time.monotonic() > at, 2)
    t.listen(150)
    check(epoch(t) >= first + REKEYS, 'epoch %d after %d' % (epoch(t), first))

    for name, limit, c in calls:
        heard, j = tone(c, FREQ)
        note('   %-8s %-10s %2d new keys, %4d packets, longest gap %3d ms' %
             (keying, name, j['signalling']['rekeys'], j['rx']['packets'],
              heard['longest_gap_ms']))
        check(heard['longest_gap_ms'] <= limit, '%s: %s has a gap of %d ms' %
              (keying, name, heard['longest_gap_ms']))
        check(heard['level_dbfs'] > -30, '%s hears nothing' % name)
    server.stop()


def main(env):
    play(env, 'group', GROUP)
    play(env, 'auto', AUTO)


if __name__ == '__main__':
    capture.run(main)
