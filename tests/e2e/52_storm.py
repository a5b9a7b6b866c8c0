"""100 people join and leave within 10 s: epochs stay few, no leave waits
longer than the window, and afterwards everybody has the live epoch"""
import datetime
import re
import time

import lib
from caller import Caller
from lib import check, note, wait_until
from secrecy import Taps, seconds, tone

WAVES, EACH = 5, 20
WINDOW_MS = 200
SLACK_MS = 30           # a log line, and the loop's other work
FREQ = 600


def events(log, since):
    """[(ms, event, epoch)] of the server's log"""
    out = []
    for line in lib.read_text(log)[since:].split('\n'):
        m = re.match(r'(\S+)Z conclaved \w+ ev=(key_drawn|leave|join) .*'
                     r'epoch=(\d+)', line)
        if m:
            at = datetime.datetime.fromisoformat(m[1])
            out.append((at.timestamp() * 1000, m[2], int(m[3])))
    return out


def judge(ev):
    drawn = [t for t, what, _ in ev if what == 'key_drawn']
    left = [t for t, what, _ in ev if what == 'leave']
    joined = sum(what == 'join' for _, what, _ in ev)
    took = ev[-1][0] - ev[0][0]
    waits = []
    for t in left:
        later = [d for d in drawn if d >= t - 1]
        waits.append(later[0] - t if later else 0)
    note('   %d joins, %d leaves in %.1f s: %d epochs, longest wait of a leave '
         '%.0f ms' % (joined, len(left), took / 1000, len(drawn), max(waits)))
    check(joined >= WAVES * EACH and len(left) >= WAVES * EACH, 'too few')
    check(len(drawn) <= took / WINDOW_MS + 2, '%d epochs' % len(drawn))
    check(max(waits) <= WINDOW_MS + SLACK_MS, 'a leave waited %.0f ms' % max(waits))


def storm(env, t):
    waves = []
    for _ in range(WAVES):
        waves.append(env.add(Caller(t.server, '-n', EACH, '--ramp', 40,
                                    '--seconds', 1, '--silent', uri=t.uri,
                                    users=('carol', 'dave'))))
        end = time.monotonic() + 1.5
        wait_until('next wave', lambda: time.monotonic() > end, 3)
    for w in waves:
        w.result(40)


def main(env):
    server = env.server('group', keying='group')
    t = Taps(env, server)
    stay = seconds(120)
    t.call('tone', 'alice', *stay, '--freq', FREQ)
    c = t.call('listener', 'bob', *stay, '--silent', '--expect', FREQ)
    t.settled('group')
    since = len(lib.read_text(server.log))
    storm(env, t)
    wait_until('all others have left', lambda: len(t.legs()) == 2, 10)
    t.settled('group')
    t.listen(100)
    judge(events(server.log, since))
    heard, j = tone(c, FREQ)
    note('   one who stayed: %d new keys, longest gap %d ms' %
         (j['signalling']['rekeys'], heard['longest_gap_ms']))
    check(heard['longest_gap_ms'] <= 60, 'gap of %d ms' % heard['longest_gap_ms'])


if __name__ == '__main__':
    lib.run(main)
