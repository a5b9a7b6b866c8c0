"""Replaces and Join: one's own devices, and nobody else's"""
import re

import lib
from lib import check, note, wait_until
from phones import FREQ, SETTLE_S, hang_up, judge_all, listen, three
from rawsip import Call, Client, crypto, focus_uri, offer
from referee import Refer, join

SECONDS = 4


def ids(call):
    """Call-ID, our server's tag, the client's tag"""
    return call.call_id, re.search(r';tag=([^;]+)', call.to)[1], call.from_tag


def header(name, i, tail=''):
    return '%s: %s;to-tag=%s;from-tag=%s%s' % (name, i[0], i[1], i[2], tail)


class Scene:
    def __init__(self, env, server):
        self.env, self.server = env, server

    def client(self, user):
        s = self.server
        return self.env.add(Client(s.host, s.port, ca=s.ca, user=user,
                                   password=s.password(user)))

    def dial(self, user, uri, *headers):
        call = Call(self.client(user), uri)
        return call, call.invite(offer(crypto=[crypto()]), headers)

    def legs(self, conf, user):
        return [len(p['legs']) for p in self.server.ctl('show', conf)['participants']
                if p['identity'].startswith('sip:%s@' % user)]


def own_devices(sc):
    alice, r = join(sc.client('alice'), sc.server.factory)
    uri = focus_uri(r)
    conf = sc.server.ctl('list')['conferences'][0]['conf']
    bob, _ = join(sc.client('bob'), uri)
    other, r = sc.dial('bob', uri, header('Replaces', ids(bob)), 'Require: replaces')
    check(r.status == 200, 'Replaces: %s' % r)
    bye = bob.wait_request(5)
    check(bye.method == 'BYE' and 'Replaced' in bye.get('Reason'), str(bye))
    check(sc.legs(conf, 'bob') == [1], 'legs of bob: %r' % sc.legs(conf, 'bob'))
    sc.server.ctl('lock', conf)
    alice2, r = sc.dial('alice', uri, header('Replaces', ids(alice)))
    check(r.status == 200, 'Replaces of the owner: %s' % r)
    check(alice.wait_request(5).method == 'BYE', 'the old device of the owner')
    check(sc.legs(conf, 'alice') == [1], 'the conference ended with the old device')
    note('a device for a device, the owner too; the conference goes on')
    carol, r = sc.dial('carol', uri)
    check(r.status == 403, 'into a locked one: %s' % r)
    sc.server.ctl('unlock', conf)
    return conf, uri, alice2, other


def refused(sc, conf, uri, bob):
    i = ids(bob)
    unknown = ('x@y', 'a', 'b')
    for what, status, user, headers in (
            ("somebody else's", 403, 'carol', [header('Replaces', i)]),
            ('unknown', 481, 'bob', [header('Replaces', unknown)]),
            ('wrong tag', 481, 'bob', [header('Replaces', (i[0], i[1], 'b'))]),
            ('early-only', 486, 'bob', [header('Replaces', i, ';early-only')]),
            ('malformed', 400, 'bob', ['Replaces: abc']),
            ('twice', 400, 'bob', [header('Replaces', i)] * 2),
            ('with Join', 400, 'bob', [header('Replaces', i), header('Join', i)])):
        call, r = sc.dial(user, uri, *headers)
        check(r.status == status, '%s: %s, not %d' % (what, r, status))
        check(sc.legs(conf, 'bob') == [1], '%s: bob suffered' % what)
        note('Replaces, %s: %d' % (what, status))
    _, r = sc.dial('bob', sc.server.factory, header('Replaces', i))
    check(r.status == 481, 'Replaces at the factory: %s' % r)
    check(not bob.ended and bob.box.empty(), 'bob was hung up')


def join_header(sc, conf, uri, bob):
    for what, i in (('known', ids(bob)), ('unknown', ('x@y', 'a', 'b'))):
        call, r = sc.dial('carol', uri, header('Join', i), 'Require: join')
        check(r.status == 200, 'Join, %s: %s' % (what, r))
        check(sc.legs(conf, 'bob') == [1] and sc.legs(conf, 'carol') == [1], 'legs')
        call.bye()
    _, r = sc.dial('carol', sc.server.factory, header('Join', ('x@y', 'a', 'b')))
    check(r.status == 481, 'Join at the factory: %s' % r)
    note('Join is a plain dial-in to the conference URI')


def sniffed(phone):
    """Dialog ids from a phone's own trace, as a wiretap would have them"""
    t = phone.trace()
    callid = re.findall(r'^Call-ID:\s*(\S+)', t, re.M)[-1]
    tags = re.findall(r'^From:.*;tag=(\S+)', t, re.M)
    to = re.findall(r'^To:.*;tag=(\S+)', t, re.M)
    return callid, to[-1], tags[-1]


def attack(sc, phone, uri):
    """All that can be done with sniffed ids, from another identity"""
    i = sniffed(phone)
    _, r = sc.dial('dave', uri, header('Replaces', i))
    check(r.status in (403, 481), 'Replaces: %s' % r)
    got = [r.status]
    for method in ('REFER', 'BYE', 'INVITE', 'SUBSCRIBE'):
        spy = Refer(sc.client('dave'), uri)
        spy.call_id, spy.from_tag = i[0], i[2]
        spy.box = spy.cli.box(i[0])
        spy.to, spy.cseq = '<%s>;tag=%s' % (uri, i[1]), 1000
        if method == 'REFER':
            r = spy.send('<sip:%s@127.0.0.1;method=BYE>' % phone.user)
        elif method == 'BYE':
            r = spy.bye()
        elif method == 'INVITE':
            r = spy.invite(offer(crypto=[crypto()]))
        else:
            cseq, _ = spy.request('SUBSCRIBE', headers=['Event: conference'])
            r = spy.response(cseq)
        check(r.status in (401, 403, 481), '%s: %s' % (method, r))
        got.append(r.status)
    note('sniffed ids of %s: %r' % (phone.user, got))


def victims_talk_on(sc):
    phones = three(sc.env, sc.server)
    uri = phones[0].focus_uri()
    listen(phones, SETTLE_S)
    for p in phones:
        attack(sc, p, uri)
    listen(phones, SECONDS)
    hang_up(phones)
    judge_all(phones, SECONDS)


def main(env):
    server = env.server()
    sc = Scene(env, server)
    conf, uri, alice, bob = own_devices(sc)
    refused(sc, conf, uri, bob)
    join_header(sc, conf, uri, bob)
    alice.bye()
    wait_until('no conference', lambda: not server.ctl('list')['conferences'], 5)
    victims_talk_on(sc)


if __name__ == '__main__':
    lib.run(main)
