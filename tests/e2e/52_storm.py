"""200 people join and 200 leave within 10 s: epochs stay few, no leave waits
longer than the window, and afterwards everybody who stayed has the live epoch
and has heard all the time"""
import datetime
import re
import time

import capture
import lib
from caller import Caller
from lib import check, note, wait_until
from secrecy import Taps, seconds

WAVES, EACH = 10, 20
# a wave every so often; its calls start one after the other and end together
SPACE_S, RAMP_MS = 0.8, 25
STORM_S = 10
# a slow machine makes a breeze of it: then it shows nothing
STORM_MAX_S = 20
STAYING = 4
WINDOW_MS = 200
SLACK_MS = 30           # a log line, and the loop's other work
FREQ = 600
GAP_MS = 60


class Log:
    """What the server's log says of one class of legs"""

    def __init__(self, log, since):
        self.drawn = {}             # {epoch: ms}
        self.left, self.joined, self.known = {}, {}, {}
        for line in lib.read_text(log)[since:].split('\n'):
            m = re.match(r'(\S+)Z conclaved \w+ '
                         r'ev=(key_drawn|leave|join|rekey_offer) .*?'
                         r'(?:leg=(\d+) .*)?epoch=(\d+)', line)
            if m:
                at = datetime.datetime.fromisoformat(m[1]).timestamp() * 1000
                self.take(at, m[2], m[3], int(m[4]))

    def take(self, at, what, leg, epoch):
        if what == 'key_drawn':
            self.drawn[epoch] = at
            return
        # the newest key that it was ever told
        self.known[leg] = max(epoch, self.known.get(leg, 0))
        if what != 'rekey_offer':
            (self.left if what == 'leave' else self.joined)[leg] = at

    def waits(self):
        """[ms] from each leave to the first key that the leaver never had;
        it may have been there before he went"""
        for leg, at in self.left.items():
            yield max(0, min(t for no, t in self.drawn.items()
                             if no > self.known[leg]) - at)

    def window(self):
        """First and last coming or going [ms]"""
        both = [*self.left.values(), *self.joined.values()]
        return min(both), max(both)


def judge(log):
    """Number of the live epoch"""
    first, last = log.window()
    took = (last - first) / 1000
    drawn = log.drawn.values()
    bound = (max(drawn) - min(drawn)) / WINDOW_MS + 2
    wait = max(log.waits())
    note('   %d joins and %d leaves took %.1f s%s: %d epochs (at most %d), '
         'longest wait of a leave %.0f ms' %
         (len(log.joined), len(log.left), took,
          '' if took <= STORM_S else ', slower than the %d s wanted' % STORM_S,
          len(drawn), bound, wait))
    check(len(log.joined) == len(log.left) == WAVES * EACH,
          'not all came and went')
    check(took <= STORM_MAX_S, 'no storm: %.0f s' % took)
    check(len(drawn) <= bound, '%d epochs' % len(drawn))
    check(wait <= WINDOW_MS + SLACK_MS, 'a leave waited %.0f ms' % wait)
    return max(log.drawn)


def storm(env, t):
    waves = []
    for _ in range(WAVES):
        at = time.monotonic() + SPACE_S
        # who only authenticates what it hears costs little
        waves.append(env.add(Caller(t.server, '-n', EACH, '--ramp', RAMP_MS,
                                    '--seconds', 1, '--silent',
                                    '--decode-first', 0, uri=t.uri,
                                    users=('carol', 'dave'))))
        wait_until('next wave', lambda: time.monotonic() > at, 3)
    for w in waves:
        w.result(40)


def judge_listeners(c):
    c.proc.terminate()
    for call in c.result(20)['calls']:
        heard = [x for x in call['audio']['tones'] if x['freq'] == FREQ][0]
        note('   one who stayed: %d new keys, longest gap %d ms' %
             (call['signalling']['rekeys'], heard['longest_gap_ms']))
        check(heard['level_dbfs'] > lib.HEARD_DBFS, 'it hears nothing')
        check(heard['longest_gap_ms'] <= GAP_MS, 'gap of %d ms' %
              heard['longest_gap_ms'])


def main(env):
    server = env.server('group', keying='group')
    t = Taps(env, server)
    stay = seconds(120)
    t.call('tone', 'alice', *stay, '--freq', FREQ)
    c = t.call('listeners', 'bob', *stay, '-n', STAYING, '--silent',
               '--expect', FREQ)
    wait_until('those who stay', lambda: len(t.legs()) == 1 + STAYING, 10)
    t.settled('group')
    since = len(lib.read_text(server.log))
    storm(env, t)
    wait_until('all others have left',
               lambda: len(t.legs()) == 1 + STAYING, 10)
    t.settled('group')
    t.listen(100)
    live = judge(Log(server.log, since))
    have = {leg['epoch'] for leg in t.legs().values()}
    note('   afterwards %d legs, all on epoch %d, the live one' %
         (len(t.legs()), live))
    check(have == {live}, 'epochs %r, live is %d' % (have, live))
    judge_listeners(c)


if __name__ == '__main__':
    capture.run(main)
