"""Calls of the server: whom it trusts, forks, challenges, time, group keys"""
import hashlib
import os
import re

import lib
from confedit import edited_server
from lib import check, note, wait_until
from hostile import PortClient
from pki import certificate, stranger_ca
from rawphone import Phone
from rawsip import Call, Client, crypto, focus_uri, keys_of, offer, parse_auth
from referee import Notifies, Refer, join


class Scene:
    def __init__(self, env, server, demo):
        self.env, self.server, self.demo = env, server, demo
        self.alice = env.add(Client(server.host, server.port, ca=demo.ca, user='alice',
                                    password=demo.password('alice')))
        self.call, r = join(self.alice, self.alice.uri('factory'))
        self.uri = focus_uri(r)

    def refer(self, uri):
        refer = Refer(self.alice, self.uri)
        r = refer.send('<%s>' % uri)
        check(r.status == 200, 'REFER: %s' % r)
        return Notifies(refer)


def untrusted(sc):
    """SDES keys go to nobody who does not prove who it is"""
    env, demo = sc.env, sc.demo
    cases = (('another authority', certificate(env, demo, 'other', ca_dir=stranger_ca(env))),
             ('another address', certificate(env, demo, 'addr', 'IP:127.0.0.2')),
             ('a name, no address', certificate(env, demo, 'name', 'DNS:phone.test')))
    for what, pem in cases:
        phone = Phone(env, 'bob', pem)
        last = sc.refer(phone.uri()).until_last()
        check(last in (408, 503), '%s: %d' % (what, last))
        check(phone.quiet(), '%s: it got the INVITE' % what)
        note('%s: no INVITE, %d' % (what, last))


def inbound_connection(sc):
    """A client's own connection is not the way to whoever has its address"""
    mallory = sc.env.add(Client(sc.server.host, sc.server.port, ca=sc.demo.ca,
                                user='dave', password=sc.demo.password('dave')))
    last = sc.refer('sip:bob@127.0.0.1:%d' % mallory.local[1]).until_last()
    check(last >= 400 and mallory.stray.empty(), 'the INVITE came to a client')
    note("a client's address is called: %d, nothing came to it" % last)


def challenge(call, realm):
    call.refuse(401, 'Unauthorized', ['WWW-Authenticate: Digest realm="%s", '
                                      'nonce="n1", qop="auth", algorithm=SHA-256' % realm])


def credentials(sc, pbx):
    """Only for the configured realm, and once"""
    news = sc.refer('sip:frank@pbx.test')
    call = pbx.incoming()
    check(call.invite_msg.start.startswith('INVITE sip:frank@pbx.test'), call.invite_msg.start)
    check(not call.invite_msg.get('Authorization'), 'credentials unasked')
    challenge(call, 'pbx')
    inv = call.next(5)
    auth = parse_auth(inv.get('Authorization'))
    check(auth['username'] == 'conf' and auth['realm'] == 'pbx', auth)

    def hx(*parts):
        return hashlib.sha256(':'.join(parts).encode()).hexdigest()
    want = hx(hx('conf', 'pbx', 'route-secret'), 'n1', auth['nc'], auth['cnonce'],
              'auth', hx('INVITE', auth['uri']))
    check(auth['response'] == want, 'wrong digest response')
    call.invite_msg = inv
    call.accept()
    check(news.until_last() == 200, 'with credentials')
    call.bye()

    news = sc.refer('sip:grace@pbx.test')
    call = pbx.incoming()
    challenge(call, 'pbx')
    call.invite_msg = call.next(5)
    challenge(call, 'pbx')
    check(news.until_last() == 401, 'a second challenge')
    for realm in ('other', '127.0.0.1'):
        news = sc.refer('sip:grace@pbx.test')
        challenge(pbx.incoming(), realm)
        check(news.until_last() == 401, 'realm ' + realm)
    check(pbx.quiet(), 'it was called again')
    note('credentials for the configured realm alone, once')


def fork(sc, phone, late):
    """Two 2xx: one is kept, with a key that the other has not read, even if that
    shows when the call is up"""
    news = sc.refer(phone.uri('heidi'))
    call = phone.incoming()
    call.respond(180, 'Ringing', tag='one')
    if not late:
        call.respond(180, 'Ringing', tag='two')
    check([news.step(), news.step()] == [100, 180], 'progress')
    call.from_tag = 'one'
    offered = keys_of(call.sdp())
    call.respond(200, 'OK', call.good_answer(), tag='one')
    seen, end = [], False
    if late:
        check(news.until_last() == 200, 'the call')
        m = call.next(5)
        seen.append((m.method, re.search(r';tag=(\w+)', m.get('To'))[1]))
    call.respond(200, 'OK', call.good_answer(40200), tag='two')
    while not end or len(seen) < 4:
        m = call.next(5)
        tag = re.search(r';tag=(\w+)', m.get('To'))
        seen.append((m.method, tag[1]))
        if m.method == 'BYE':
            call.respond(200, 'OK', req=m)
        if m.method in ('INVITE', 'UPDATE'):
            end = True
            check(tag[1] == 'one', 'the loser is offered a key')
            (t, suite, key), = keys_of(m.body)
            check(key not in [k for _, _, k in offered], 'the key of the INVITE again')
            call.respond(200, 'OK', offer(port=40100, crypto=[crypto(int(t), suite)]),
                         req=m)
    check(sorted(seen)[:3] == [('ACK', 'one'), ('ACK', 'two'), ('BYE', 'two')], seen)
    check(late or news.until_last() == 200, 'the call')
    m = call.next(5)
    check(m.method == 'ACK', str(m))
    call.bye()
    note('forked%s: %s' % (', late' if late else '', ' '.join('%s(%s)' % x for x in seen)))


def reliable(sc, phone):
    """RFC 3262: a phone that wants its 1xx acknowledged, with the answer in it"""
    news = sc.refer(phone.uri('heidi'))
    call = phone.incoming()
    check('100rel' in call.invite_msg.get('Supported'), 'no 100rel')
    for rseq, status, body in ((9, 183, call.good_answer()), (10, 180, None)):
        call.respond(status, 'Wait', body, headers=['Require: 100rel',
                                                    'RSeq: %d' % rseq])
        m = call.next(5)
        check(m.method == 'PRACK' and m.get('RAck') == '%d %d INVITE' % (
            rseq, call.invite_msg.cseq[0]), '%s: %s' % (m, m.get('RAck')))
        call.respond(200, 'OK', req=m)
    call.respond(200, 'OK')
    call.wait_ack()
    check(news.until_last() == 200, 'answer in a reliable 183: %r' % news.frags)
    check(call.bye().status == 200, 'BYE')
    for what in ('Require', 'Supported'):
        caller = Call(sc.alice, sc.uri)
        r = caller.invite(offer(crypto=[crypto()]), ['%s: 100rel' % what])
        check(r.status == 200 and 'PRACK' in r.get('Allow'), '%s: %s' % (what, r))
        caller.bye()
    note('100rel: PRACKs, and the answer of a 183 counts')


def no_answer(sc, phone):
    """Given up after dial_timeout, by CANCEL"""
    news = sc.refer(phone.uri('ivan'))
    call = phone.incoming()
    call.respond(180, 'Ringing')
    m = call.next(10)
    check(m.method == 'CANCEL', str(m))
    call.respond(200, 'OK', req=m)
    # a 2xx that crossed the CANCEL
    call.respond(200, 'OK', call.good_answer())
    check([call.next(5).method, call.next(5).method] == ['ACK', 'BYE'], 'ACK and BYE')
    check(news.until_last() == 408, 'no answer')
    note('no answer: CANCEL, and a late 200 is hung up')


def group_key(env, demo):
    """The INVITE has no group key; the re-offer brings it"""
    server = edited_server(env, demo, 'group', lambda t: t.replace(
        'keying = endpoint', 'keying = group'))
    sc = Scene(env, server, demo)
    phone = Phone(env, 'bob', certificate(env, demo, 'phone3'))
    news = sc.refer(phone.uri())
    call = phone.incoming()
    first = {k for _, _, k in keys_of(call.sdp())}
    call.accept()
    check(news.until_last() == 200, 'the call')
    m = call.wait_request(5)
    (tag, suite, key), = keys_of(m.body)
    check(key not in first, 'no fresh key')
    call.respond(200, 'OK', offer(port=40100, crypto=[crypto(int(tag), suite)]), req=m)
    conf = server.ctl('list')['conferences'][0]['conf']
    wait_until('the group key', lambda: [p['legs'][0]['keying'] for p in server.ctl(
        'show', conf)['participants']] == ['group', 'group'], 5)
    note('group keying: by re-offer')
    inherited_hop(env, sc, phone, suite)
    server.stop()


def inherited_hop(env, sc, phone, suite):
    """The phone is gone, and a client of ours comes from its address: the offer
    of the next key is not for him"""
    s = sc.server
    phone.close()
    eve = env.add(PortClient(port_from=phone.port, host=s.host, port=s.port,
                             ca=s.ca, user='eve', timeout=5))
    dave = env.add(Client(s.host, s.port, ca=s.ca, user='dave',
                          password=s.password('dave')))
    joiner = Call(dave, sc.uri)     # in the class of the phone, so that its key changes
    check(joiner.invite(offer(crypto=[crypto(suite=suite)])).status == 200, 'dave joins')
    wait_until('who cannot be told the new key is out',
               lambda: s.ctl('stats')['calls'] == 2 or not eve.stray.empty(), 10)
    check(eve.stray.empty(), 'told to a stranger')
    note('inherited address of a hop: nothing with it')


def main(env):
    demo = env.server()
    pem = certificate(env, demo, 'phone')
    pbx, phone = Phone(env, 'pbx', pem), Phone(env, 'phone', pem)
    secret = env.path('route.password')
    with open(secret, 'w') as f:
        f.write('route-secret\n')
    os.chmod(secret, 0o600)

    def edit(t):
        t = t.replace('invite = {', 'invite = {"*@pbx.test", ')
        return 'dial_timeout = 5\n' + t + (
            'route "pbx.test" {\n hop = "127.0.0.1:%d"\n auth_realm = "pbx"\n'
            ' auth_user = "conf"\n auth_password_file = "%s"\n}\n' % (pbx.port, secret))
    sc = Scene(env, edited_server(env, demo, 'rules', edit), demo)
    untrusted(sc)
    inbound_connection(sc)
    credentials(sc, pbx)
    fork(sc, phone, False)
    fork(sc, phone, True)
    reliable(sc, phone)
    no_answer(sc, phone)
    group_key(env, demo)


if __name__ == '__main__':
    lib.run(main)
