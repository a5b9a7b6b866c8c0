"""sipp does what conferences are asked for, one scenario file each

REFER to invite and to remove, SUBSCRIBE to the roster, an INVITE with a list,
Replaces, and two clients with a session timer that vanish: their connections
stay open, but nothing comes any more.  Its exit code and the server's roster
must both be right.  Those who are called are baresips.
"""
import datetime
import re

import lib
from lib import check, note, wait_until
from phones import FREQ, register, wait_in
from rawsip import new_key
from sipp import Sipp

FACTOR = 10             # 90 seconds of a session timer are 9


class Scene:
    def __init__(self, env, **kw):
        self.env = env
        self.server = env.server(**kw)
        self.phones = {}

    def register(self, *users):
        self.phones = register(self.env, self.server, {u: FREQ[u] for u in users})

    def sipp(self, name, user, dial=None, **keys):
        if name != 'subscribe':
            keys['key'] = new_key()
        return Sipp(self.env, self.server, name, user, dial or self.server.factory, **keys)

    def wait_in(self, *users):
        wait_in(self.server, *users)

    def end(self):
        self.server.ctl('end', self.server.ctl('list')['conferences'][0]['conf'])
        self.wait_in()


def aor(user):
    return 'sip:%s@127.0.0.1' % user


def refer(sc):
    s = sc.sipp('refer', 'alice', target=aor('carol'))
    gate = s.relay.gate(';method=BYE')
    gate.wait()
    sc.wait_in('alice', 'carol')
    gate.open()
    s.done()
    check('Removed' in sc.phones['carol'].trace(), 'carol was not removed')
    sc.wait_in()


def invite_list(sc):
    s = sc.sipp('list', 'alice', target=aor('bob'), target2=aor('carol'))
    sc.wait_in('alice', 'bob', 'carol')
    sc.end()
    s.done()


def subscribe(sc):
    s = sc.sipp('call', 'alice')
    sc.wait_in('alice')
    conf = sc.server.ctl('list')['conferences'][0]['conf']
    sc.server.ctl('invite', conf, aor('bob'))
    sc.wait_in('alice', 'bob')
    watcher = sc.sipp('subscribe', 'bob', sc.server.first_conference())
    wait_until('the first document', lambda: watcher.relay.message('NOTIFY sip:bob@'), 10)
    sc.server.ctl('invite', conf, aor('carol'))
    watcher.done()
    sc.wait_in('alice', 'bob', 'carol')
    check(sc.server.ctl('stats')['subscriptions'] == 0, 'a subscription is left')
    sc.end()
    s.done()


def replaces(sc):
    owner = sc.sipp('call', 'alice')
    sc.wait_in('alice')
    uri = sc.server.first_conference()
    old = sc.sipp('call', 'dave', uri)
    sc.wait_in('alice', 'dave')
    ok = old.relay.message(r'SIP/2\.0 200 OK')
    tags = [re.search(r'^%s:.*;tag=([^;\r]+)' % h, ok, re.M)[1] for h in ('To', 'From')]
    new = sc.sipp('replaces', 'dave', uri, replaces='%s;to-tag=%s;from-tag=%s' % (
        re.search(r'^Call-ID: (\S+)', ok, re.M)[1], *tags))
    gate = new.relay.gate('BYE ')
    gate.wait()
    old.done()
    check('Replaced' in old.relay.message('BYE sip:dave@'), 'not because of Replaces')
    sc.wait_in('alice', 'dave')
    gate.open()
    new.done()
    sc.wait_in('alice')
    sc.end()
    owner.done()


def vanish(sc):
    """Refresher uac: it does not refresh.  uas: it does not answer ours."""
    clients = {u: sc.sipp('timer', u, refresher=who) for u, who in
               (('alice', 'uac'), ('bob', 'uas'))}
    for (user, c), who in zip(clients.items(), ('uac', 'uas')):
        wait_until('%s is in' % user, lambda: re.search(
            ' ev=join .*identity=%s ' % aor(user), lib.read_text(sc.server.log)), 10)
        c.relay.vanish()
        check('90;refresher=' + who in c.relay.message(r'SIP/2\.0 200 OK'), who)
    wait_until('they have expired', lambda: not sc.server.ctl('list')['conferences'], 25)
    for user in clients:
        s = stayed(sc.server, user)
        note('%s: gone after %.1f s of the server\'s clock' % (user, s))
        # RFC 4028 section 10: 30 s before the end; ours: half of it and a timeout
        check(44 < s < 91, 'not because of its session timer')
    check(sc.server.ctl('stats')['calls'] == 0, 'a call is left')


def stayed(server, user):
    """Seconds from join to leave, by the time in its log"""
    text = lib.read_text(server.log)
    join, leave = (datetime.datetime.fromisoformat(re.search(
        r'^(\S+)Z .* ev=%s .*identity=%s ' % (ev, aor(user)), text, re.M)[1])
        for ev in ('join', 'leave'))
    check(re.search(r'ev=leave .*identity=%s .* reason=timeout$' % aor(user), text,
                    re.M), 'another reason')
    return (leave - join).total_seconds()


def main(env):
    sc = Scene(env)
    sc.register('bob', 'carol')
    for part in (refer, invite_list, subscribe, replaces):
        part(sc)
    sc.server.stop()
    if lib.sanitized():
        note('no vanished client: a sanitizer does not like its clock replaced')
    else:
        vanish(Scene(env, name='fast', more_env=lib.fast_clock(FACTOR)))


if __name__ == '__main__':
    lib.run(main)
