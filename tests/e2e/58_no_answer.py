"""Who does not answer the offer of a new key: nothing more comes under the old
one after leave-grace, whoever is slow or refuses delays nobody, and who never
answers is hung up with a reason"""
import re
import time

import capture
from lib import check, note, read_text, wait_until
from secrecy import Taps, seconds, tone

GRACE_MS = 2000
# from our deadline to the arrival of the last packet that was sent before it
SLACK_MS = 60
GAP_MS = 60
FREQ = 600
# of a transaction without an answer: RFC 3261 section 17, 64 * T1
TIMEOUT_S = 32
REPORTS = ('--rtcp-interval', 500)
STAY = seconds(120)

NEVER = (('never, UPDATE', 'carol', ('--answer', 'never')),
         ('never, re-INVITE', 'dave', ('--answer', 'never', '--no-update')))


def received(t, name, after_us):
    """Times of packets [ms after]; those of RTCP among them"""
    text = read_text(t.files[t.names.index(name)])
    return [(int(at) - after_us) / 1000 for at in
            re.findall(r'(?m)^rtc?p (\d+) ', text) if int(at) > after_us]


def refuses(t):
    """488 twice, and it has to go; those who joined with it hear no gap"""
    c = t.call('refuses', 'carol', *STAY, '--answer', '488', *REPORTS)
    t.server.ctl('rekey', t.conf()['conf'])
    out, _ = c.proc.communicate(timeout=10)
    reason = re.search(r'SIP;cause=\d+[^}]*?text=\\"([^\\]+)', out)
    check(reason and reason[1] == 'Rekey refused', out[-500:])
    note('   answers 488: hung up, "%s"' % reason[1])


def silence(t, name, left_us):
    """What it gets is what was sent under the old epoch: it knows no other"""
    wait_until('grace', lambda: time.monotonic() * 1e6 >
               left_us + (GRACE_MS + 1000) * 1000, 5)
    got = received(t, name, left_us)
    note('   %-17s %3d packets under the old key, the last %.0f ms after the '
         'leave' % (name, len(got), max(got or [0])))
    check(len(got) > 20, '%s got nothing even during the grace' % name)
    check(max(got) <= GRACE_MS + SLACK_MS, '%s: a packet %.0f ms after' %
          (name, max(got)))


def ended(t, name, c, left_us):
    wait_until('%s is hung up' % name, lambda: c.leg not in t.legs(),
               TIMEOUT_S + 5)
    took = time.monotonic() - left_us / 1e6
    got = received(t, name, left_us)
    check(max(got) <= GRACE_MS + SLACK_MS, '%s: a packet %.0f ms after' %
          (name, max(got)))
    out, _ = c.proc.communicate(timeout=10)
    reason = re.search(r'SIP;cause=[^}]*?text=\\"([^\\]+)', out)
    note('   %-17s hung up after %.0f s, %s' %
         (name, took, reason and '"%s"' % reason[1]))
    check(reason, '%s: no reason in the BYE: %s' % (name, out[-500:]))


def main(env):
    server = env.server('group', keying='group')
    t = Taps(env, server)
    t.call('tone', 'alice', *STAY, '--freq', FREQ, *REPORTS)
    listeners = [t.call(name, 'bob', *STAY, '--silent', '--expect', FREQ,
                        *REPORTS, *args)
                 for name, args in (('prompt', ()),
                                    ('slow 1 s', ('--answer-delay', 1000)))]
    t.settled('group')
    refuses(t)
    t.settled('group')
    # these are to have the live epoch from their own answer
    never = [(name, t.call(name, user, *STAY, '--silent', *REPORTS, *args))
             for name, user, args in NEVER]
    listeners[1].proc.terminate()
    left_us = int(time.monotonic() * 1e6)
    for name, _ in never:
        silence(t, name, left_us)
    for name, c in never:
        ended(t, name, c, left_us)
    heard, j = tone(listeners[0], FREQ)
    note('   prompt leg: %d new keys, longest gap %d ms' %
         (j['signalling']['rekeys'], heard['longest_gap_ms']))
    check(heard['longest_gap_ms'] <= GAP_MS, 'a gap of %d ms' %
          heard['longest_gap_ms'])


if __name__ == '__main__':
    capture.run(main)
