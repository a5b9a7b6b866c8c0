"""Replaces and Join: one's own devices, and nobody else's"""
import re

import lib
from confedit import edited_server
from lib import check, note, wait_until
from phones import FREQ, SETTLE_S, hang_up, judge_all, listen, three
from rawphone import Incoming
from rawsip import Call, Client, crypto, digest, focus_uri, offer
from referee import Refer, join
from regphone import register

SECONDS = 4


def ids(call):
    """Call-ID, our server's tag, the client's tag"""
    return call.call_id, re.search(r';tag=([^;]+)', call.to)[1], call.from_tag


def header(name, i, tail=''):
    return '%s: %s;to-tag=%s;from-tag=%s%s' % (name, i[0], i[1], i[2], tail)


class Unacked(Call):
    """A call whose 200 has no ACK until really_ack()"""

    def ack(self, cseq, branch=None, body=None, to=None):
        if branch:
            super().ack(cseq, branch, body, to)
        else:
            self.waits = cseq

    def really_ack(self):
        super().ack(self.waits)


class Scene:
    def __init__(self, env, server):
        self.env, self.server = env, server

    def client(self, user):
        s = self.server
        return self.env.add(Client(s.host, s.port, ca=s.ca, user=user,
                                   password=s.password(user)))

    def dial(self, user, uri, *headers, kind=Call):
        call = kind(self.client(user), uri)
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


def one_for_one(sc, conf, uri, bob):
    """Many devices that are to replace one are many: for the second there must
    be room, and nothing against it"""
    sc.server.ctl('lock', conf)
    first, r = sc.dial('bob', uri, header('Replaces', ids(bob)), kind=Unacked)
    check(r.status == 200, 'the first device: %s' % r)
    _, r = sc.dial('bob', uri, header('Replaces', ids(bob)))
    check(r.status == 403, 'a second device for one, into a locked one: %s' % r)
    first.really_ack()
    check(bob.wait_request(5).method == 'BYE', 'the old device')
    check(sc.legs(conf, 'bob') == [1], 'legs of bob: %r' % sc.legs(conf, 'bob'))
    sc.server.ctl('unlock', conf)
    note('two devices at once for one: the second is one more')
    return first


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


def other_states(sc, conf, uri):
    """A dialog that rings, and one whose BYE is on its way"""
    carol = sc.client('carol')
    check(register(carol, ['Contact: <sip:carol@h;transport=tls>']).status == 200,
          'REGISTER')
    sc.server.ctl('invite', conf, 'sip:carol@127.0.0.1')
    call = Incoming(carol, carol.stray.get(timeout=10))
    call.respond(180, 'Ringing')
    wait_until('it rings', lambda: 'ringing' in str(sc.server.ctl('show', conf)), 5)
    tag = re.search(r';tag=(\S+)', call.invite_msg.get('From'))[1]
    _, r = sc.dial('carol', uri, header('Replaces', (call.call_id, tag, call.from_tag)))
    check(r.status == 481, 'of a dialog that rings: %s' % r)
    call.accept()
    wait_until('carol is in', lambda: sc.legs(conf, 'carol') == [1] and
               'ringing' not in str(sc.server.ctl('show', conf)), 5)
    sc.server.ctl('kick', conf, 'sip:carol@127.0.0.1')
    bye = call.next(5)
    check(bye.method == 'BYE', str(bye))
    _, r = sc.dial('carol', uri, header('Replaces', (call.call_id, tag, call.from_tag)))
    check(r.status == 603, 'of a dialog that ends: %s' % r)
    call.reply(bye, 200, 'OK')
    note('Replaces of a dialog that rings: 481, that ends: 603')


def sniffed(phone):
    """Dialog ids from a phone's own trace, as a wiretap would have them"""
    t = phone.trace()
    callid = re.findall(r'^Call-ID:\s*(\S+)', t, re.M)[-1]
    tags = re.findall(r'^From:.*;tag=(\S+)', t, re.M)
    to = re.findall(r'^To:.*;tag=(\S+)', t, re.M)
    return callid, to[-1], tags[-1]


def ask(call, method, headers=(), body=None):
    """A request with credentials; its final response"""
    cseq, branch = call.request(method, body, list(headers))
    r = call.response(cseq)
    check(r.status == 401, '%s without credentials: %s' % (method, r))
    if method == 'INVITE':
        call.ack(cseq, branch, to=r.get('To'))
    value = digest(r.get('WWW-Authenticate'), method, call.target, call.user,
                   call.cli.password)
    cseq, branch = call.request(method, body, list(headers) + ['Authorization: ' + value])
    r = call.response(cseq)
    if method == 'INVITE':
        check(r.status >= 300, 'INVITE of a stranger: %s' % r)
        call.ack(cseq, branch, to=r.get('To'))
    return r


def steps(victim, uri, i):
    """(what, method, headers, body, whether it claims the victim's dialog)"""
    sdp = offer(crypto=[crypto()])
    kick = 'Refer-To: <sip:%s@127.0.0.1;method=BYE>' % victim
    me = 'Refer-To: <sip:dave@127.0.0.1>'
    watch = ['Event: conference', 'Expires: 60']
    return (
        ('Replaces', 'INVITE', [header('Replaces', i), 'Require: replaces'], sdp, False),
        ('Join', 'INVITE', [header('Join', i), 'Require: join'], sdp, False),
        ('REFER', 'REFER', [me, 'Require: tdialog', 'Target-Dialog: %s;local-tag=%s'
                            ';remote-tag=%s' % i], None, False),
        ('REFER in it', 'REFER', [me], None, True),
        ('SUBSCRIBE', 'SUBSCRIBE', watch, None, False),
        ('SUBSCRIBE in it', 'SUBSCRIBE', watch, None, True),
        ('kick', 'REFER', [kick], None, False),
        ('kick in it', 'REFER', [kick], None, True),
        ('re-INVITE', 'INVITE', [], sdp, True),
        ('UPDATE', 'UPDATE', [], sdp, True),
        ('BYE', 'BYE', [], None, True))


def attack(sc, phone, uri):
    """All that can be done with sniffed ids, by a known user who is no member"""
    i, got = sniffed(phone), []
    cli = sc.client('dave')
    for what, method, headers, body, inside in steps(phone.user, uri, i):
        spy = Refer(cli, uri)
        if inside:
            spy.call_id, spy.from_tag = i[0], i[2]
            spy.box = cli.box(i[0])
            spy.to, spy.cseq = '<%s>;tag=%s' % (uri, i[1]), 1000 + 10 * len(got)
            # nobody's subscription: it is not even asked for credentials
            if method == 'SUBSCRIBE':
                cseq, _ = spy.request(method, headers=headers)
                r = spy.response(cseq)
            else:
                r = ask(spy, method, headers, body)
        else:
            r = ask(spy, method, headers, body)
        check(r.status in (403, 481), '%s: %s' % (what, r))
        cli.drop(spy.call_id)
        got.append('%s %d' % (what, r.status))
        check(cli.stray.empty(), '%s: something came of it' % what)
    note('sniffed ids of %s: %s' % (phone.user, ', '.join(got)))


def victims_talk_on(env, demo):
    """Nobody is cut off, replaced, or even interrupted while they talk"""
    members = ', '.join('"sip:%s@127.0.0.1"' % u for u in FREQ)
    server = edited_server(env, demo, 'members', lambda t: re.sub(
        r'(create|join) = \{[^}]*\}', r'\1 = {%s}' % members, t))
    sc = Scene(env, server)
    phones = three(env, server)
    uri = phones[0].focus_uri()
    listen(phones, SETTLE_S)
    for p in phones:
        attack(sc, p, uri)
    listen(phones, SECONDS)
    conf = server.ctl('list')['conferences'][0]['conf']
    check([sc.legs(conf, u) for u in FREQ] == [[1]] * 3 and not sc.legs(conf, 'dave'),
          'who is there has changed')
    hang_up(phones)
    judge_all(phones, SECONDS)


def main(env):
    server = env.server()
    sc = Scene(env, server)
    conf, uri, alice, bob = own_devices(sc)
    bob = one_for_one(sc, conf, uri, bob)
    refused(sc, conf, uri, bob)
    join_header(sc, conf, uri, bob)
    other_states(sc, conf, uri)
    alice.bye()
    wait_until('no conference', lambda: not server.ctl('list')['conferences'], 5)
    victims_talk_on(env, server)


if __name__ == '__main__':
    lib.run(main)
