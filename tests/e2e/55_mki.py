"""Clients that offer an MKI hold the group key and one of their own: when
somebody leaves, they are on their own in the same moment, and nobody hears a
gap.  Clients that offer none never see one"""
import os
import re

import capture
import lib
from caller import Caller, GOOD
from lib import check, note, wait_until
from secrecy import Taps, row, seconds, tone

FREQ = 600
STAY = seconds(120)
QUICK = ('--rtcp-interval', 500)
EAR = ('--silent', '--expect', FREQ, *QUICK)
KINDS = ('bye', 'lost', 'kick')
# who was kicked may not come back
USERS = {'bye': 'bob', 'lost': 'bob', 'kick': 'dave'}
REKEYS = 5
PACKETS = 80
GAP_MS = 40
# from our deadline to the arrival of the last packet that was sent before it
SLACK_MS = 60
OWN = 1                 # the MKI of every leg's own key


def impatient(env, name):
    """A server that soon misses a silent caller"""
    s = env.server(name, keying='group')
    s.stop()
    conf = s.dir + '.conf'
    with open(os.path.join(s.dir, 'conclave.conf')) as f:
        text = re.sub(r'(?m)^media_timeout.*\n', '', f.read())
    with open(conf, 'w') as f:
        f.write('media_timeout = 3\n' + text)
    return env.server(name, conf=conf)


def settled(t):
    """Everybody in the group, each class on one epoch"""
    def ok():
        legs = t.legs().values()
        return all(x['keying'] == 'group' for x in legs) and \
            all(len({x['epoch'] for x in legs if x['mki'] == mki}) <= 1
                for mki in (True, False))
    wait_until('everybody in the group', ok, 15)


def leave(t, kind, c, slow):
    if kind == 'bye':
        c.proc.terminate()
    elif kind == 'lost':
        c.proc.kill()
    else:
        conf = t.conf()
        part = [p['part'] for p in conf['participants']
                if c.leg in [x['leg'] for x in p['legs']]]
        t.server.ctl('kick', conf['conf'], str(part[0]))
    wait_until('%s has left' % kind, lambda: c.leg not in t.legs(), 10)
    if kind == 'lost':
        t.gone(kind)
    # who is slow to answer is on its own key meanwhile, and the roster says so
    x = t.legs()[slow.leg]
    check(x['mki'] and x['keying'] == 'endpoint' and not x['epoch'],
          'after the %s the slow one is on %s, epoch %s' % (
              kind, x['keying'], x['epoch']))
    c.proc.communicate(timeout=10)
    settled(t)
    t.listen(PACKETS)


def by_mki(j):
    """[(MKI, packets)] of the keys that a call was given"""
    return [(k['mki'], k['packets']) for k in j['keys']]


def check_keys(name, j, mki):
    used = by_mki(j)
    note('   %-6s MKI: packets %s' % (name, '  '.join(
        '%s: %d' % x for x in used)))
    if not mki:
        check(all(m is None for m, _ in used), '%s is shown an MKI' % name)
        return
    check([m for m, _ in used].count(OWN) == 1, '%s: %r' % (name, used))
    # a prompt one may have answered before the next packet was due
    check(dict(used)[OWN] > 0 or name != 'slow', '%s never falls back' % name)
    check(sum(n > 0 for m, n in used if m != OWN) > 1,
          '%s is not in the group: %r' % (name, used))


def ears(calls):
    heardv = [(c.name, *tone(c, FREQ)) for c in calls]
    for name, heard, j in heardv:
        note('   %-6s %4d packets, longest gap %d ms' % (
            name, j['rx']['packets'], heard['longest_gap_ms']))
    for name, heard, j in heardv:
        check_keys(name, j, name != 'plain')
        check(heard['longest_gap_ms'] <= GAP_MS, '%s has a gap of %d ms' % (
            name, heard['longest_gap_ms']))
        check(heard['level_dbfs'] > -30, '%s hears nothing' % name)
        check(j['rx']['auth_failures'] + j['rtcp']['auth_failures'] == 0,
              '%s: packets that nobody can open' % name)


def judge(t):
    j = t.judge()
    for x in j['leavers']:
        if x['name'] not in KINDS:
            continue
        row('MKI', 'forward: ' + x['name'], x['tried'], x['opened'],
            '%.0f ms' % x['last_ms'])
        check(x['tried'] >= PACKETS, 'only %d packets' % x['tried'])
        check(x['opened'] <= 3 and x['last_ms'] <= SLACK_MS,
              '%s opens %d packets, the last after %.0f ms' % (
                  x['name'], x['opened'], x['last_ms']))
    for x in j['joiners']:
        check(x['opened'] == 0, '%s opens %d packets from before' % (
            x['name'], x['opened']))
    p = j['pads']
    row('MKI', 'two-time pads', p['packets'], p['violations'],
        '%d keys' % j['keys'])
    check(p['known'] > 0.8 * p['packets'], 'keys for %d of %d packets' % (
        p['known'], p['packets']))
    check(p['violations'] == 0 and j['shared'] == 0, 'two-time pad')


def leaves(env):
    """Legs with and without MKI in one conference, and some who leave"""
    server = impatient(env, 'leaves')
    t = Taps(env, server)
    talker = t.call('talker', 'alice', *STAY, '--mki', '--freq', FREQ, *QUICK)
    prompt = t.call('prompt', 'bob', *STAY, '--mki', *EAR)
    # talkers have a stream of their own under the group key
    slow = t.call('slow', 'bob', *STAY, '--mki', '--freq', 900, '--expect', FREQ,
                  *QUICK, '--answer-delay', 1000)
    plain = t.call('plain', 'carol', *STAY, *EAR)
    settled(t)
    for kind in KINDS:
        c = t.call(kind, USERS[kind], *STAY, '--mki', *EAR)
        settled(t)
        t.listen(PACKETS)
        leave(t, kind, c, slow)
    late = t.call('late', 'carol', *STAY, '--mki', *EAR)
    settled(t)
    t.listen(5 * PACKETS)
    heard, _ = tone(late, FREQ)
    check(heard['level_dbfs'] > -30 and heard['longest_gap_ms'] <= GAP_MS,
          'the late joiner hears %r' % heard)
    ears((prompt, slow, plain))
    talker.proc.terminate()
    check_keys('talker', talker.result(20)['calls'][0], True)
    judge(t)
    server.stop()


def rekeys(env, keying, talk_s):
    """New keys for all, as if a leaver knew the present ones"""
    server = env.server(keying, keying=keying)
    tap = os.path.join(server.dir, 'rekeys.tap')
    env.taps.append(tap)
    c = env.add(Caller(server, '-n', 3, '--same-conf', '--mki', *QUICK, '--tap', tap,
                       '--insecure-tap', '--seconds', talk_s, *GOOD,
                       users=('alice', 'bob', 'carol')))
    want = 'endpoint' if keying == 'endpoint' else 'group'

    def legs():
        confs = server.ctl('list')['conferences']
        return [leg for conf in confs
                for p in server.ctl('show', conf['conf'])['participants']
                for leg in p['legs'] if leg['keying'] == want]
    wait_until('all are in', lambda: len(legs()) == 3, 10)
    conf = server.ctl('list')['conferences'][0]['conf']
    for _ in range(REKEYS):
        before = min(leg['epoch'] for leg in legs())
        server.ctl('rekey', conf)
        if want == 'group':
            wait_until('next epoch', lambda: len(legs()) == 3 and min(
                leg['epoch'] for leg in legs()) > before, 5)
    bad = sum(leg.get('auth_failed', 0) for leg in legs())
    calls = c.result(30)['calls']
    note('   %s: %s new keys, %d packets of theirs refused' % (
        keying, [x['signalling']['rekeys'] for x in calls], bad))
    check(bad == 0, 'their packets are refused')
    names = [{(k['mki'], k['kid']) for k in x['keys']} for x in calls]
    own = [k for v in names for k in v if k[0] == OWN]
    if want == 'group':
        check(len(own) == len(set(own)) == 3, 'their own keys: %r' % own)
        check(len(set.intersection(*names)) >= REKEYS,
              'they share %r' % set.intersection(*names))
    else:
        check({m for v in names for m, _ in v} == {None},
              'an MKI where there is one key: %r' % names)
    server.stop()


def main(env):
    leaves(env)
    for keying, talk_s in (('group', 4), ('auto', 5), ('endpoint', 3)):
        rekeys(env, keying, talk_s)


if __name__ == '__main__':
    capture.run(main)
