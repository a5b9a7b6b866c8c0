"""Floor control over TLS: requests, queue, chair, and who may do what"""
import os
import random
import re
import socket
import time

import bfcp
import lib
import rawsip
import srtp
from bfcp import (ACCEPTED, CANCELLED, DENIED, ERROR, FLOOR_ID, FLOOR_QUERY,
                  FLOOR_REQUEST, FLOOR_REQUEST_ID, FLOOR_REQUEST_QUERY,
                  FLOOR_STATUS, GRANTED, HELLO, HELLO_ACK, PENDING, RELEASED,
                  REVOKED, USER_QUERY, USER_STATUS, Answer, Cert, Floor,
                  attr, message, u16)
from confedit import edited_server
from lib import check, note, wait_until
from pki import certificate

MUTATIONS = 10000
CROWD = 40
SECONDS = 2


class Shown:
    """A certificate that is no line of SDP: the SIP connection showed it"""
    fingerprint = None

    def __init__(self, pem):
        self.pem = pem


class Phone:
    """A participant with a raw dialog and a certificate for BFCP"""

    def __init__(self, env, server, user, uri=None, cert=None, shown=None,
                 headers=(), users=None, **line):
        users = users or server
        self.cli = env.add(rawsip.Client(server.host, server.port, users.ca,
                                         user=user, cert=shown,
                                         password=users.password(user)))
        self.env = env
        self.cert = cert or (Shown(shown) if shown else Cert(env, user))
        self.key = rawsip.crypto()
        self.call = rawsip.Call(self.cli, uri or server.factory)
        self.sdp = rawsip.offer(crypto=[self.key]) + bfcp.line(self.cert, **line)
        r = self.call.invite(self.sdp, headers=headers)
        check(r.status == 200, '%s: %s' % (user, r))
        self.answer = Answer(r.body)
        self.uri = rawsip.focus_uri(r)
        self.version = 1

    def connect(self, **kw):
        self.floor = self.env.add(Floor(self.answer, self.cert, **kw))
        return self.floor

    def reinvite(self, **line):
        self.version += 1
        r = self.call.reinvite(
            rawsip.offer(crypto=[self.key], version=self.version) +
            bfcp.line(self.cert, **line))
        check(r.status == 200, 're-INVITE: %s' % r)
        return Answer(r.body)


def open_conference(env, server):
    """First come, first served; queue with positions and priorities"""
    alice = Phone(env, server, 'alice')
    a = alice.connect()
    b = Phone(env, server, 'bob', uri=alice.uri).connect()
    c = Phone(env, server, 'carol', uri=alice.uri).connect(tls12=True)

    m = a.ask(HELLO)
    check(m.prim == HELLO_ACK and
          m.get(bfcp.SUPPORTED_PRIMS) == bytes(range(1, 14)) and
          m.get(bfcp.SUPPORTED_ATTRS) == bytes(2 * i for i in range(1, 19)),
          'HelloAck: %s' % m.raw.hex())

    m = c.ask(FLOOR_QUERY, u16(FLOOR_ID, 1))
    check(m.prim == FLOOR_STATUS and m.requests() == [], 'FloorStatus: %r' % m)

    ra = a.want(info='to open')
    check(ra[1] == GRANTED, 'a free floor: %s' % (ra,))
    rb = b.want()
    check(rb[1:] == (ACCEPTED, 1), 'a busy floor: %s' % (rb,))
    rc = c.want(prio=4)
    check(rc[1:] == (ACCEPTED, 1), 'a higher priority: %s' % (rc,))
    b.told(rb[0], ACCEPTED, 2)
    c.wait('FloorStatus with all three', lambda m: m.prim == FLOOR_STATUS and
           m.tid == 0 and [r[:2] for r in m.requests()] ==
           [(ra[0], GRANTED), (rc[0], ACCEPTED), (rb[0], ACCEPTED)])

    check(b.ask(FLOOR_REQUEST, u16(FLOOR_ID, 1)).error == 8, 'limit')
    check(b.ask(FLOOR_REQUEST_QUERY, u16(FLOOR_REQUEST_ID, ra[0])).error == 5,
          'the request of another')
    m = b.ask(USER_QUERY)
    check(m.prim == USER_STATUS and m.requests() == [(rb[0], ACCEPTED, 2)],
          'UserStatus: %r' % m)

    check(a.release(ra[0])[1] == RELEASED, 'release')
    c.told(rc[0], GRANTED)
    b.told(rb[0], ACCEPTED, 1)
    check(b.release(rb[0])[1] == CANCELLED, 'cancel')
    shown = server.ctl('floor', server.ctl('list')['conferences'][0]['conf'])
    check([u['identity'] for u in shown['users'] if u['holds']] ==
          ['sip:carol@127.0.0.1'], 'conclavectl floor: %s' % shown)
    check(c.release(rc[0])[1] == RELEASED, 'release')
    m = c.ask(FLOOR_QUERY)
    check(m.prim == FLOOR_STATUS and not m.attrs, 'unsubscribed: %r' % m)
    return alice


def crowded(env, server):
    """A long queue, told to all who are in it: one who asks and releases all the
    time makes nobody write without end"""
    alice = Phone(env, server, 'alice')
    cert = Cert(env, 'bob')
    rest = [Phone(env, server, 'bob', uri=alice.uri, cert=cert)
            for _ in range(CROWD)]
    floors = [p.connect() for p in [alice] + rest]
    for f in floors:
        check(f.ask(FLOOR_QUERY, u16(FLOOR_ID, 1)).prim == FLOOR_STATUS, 'query')
        f.want(info='x' * 200)
    carol = Phone(env, server, 'carol', uri=alice.uri).connect()
    watch = floors[-1]
    end = time.monotonic() + SECONDS
    sizes = []
    while time.monotonic() < end:
        carol.release(carol.want()[0])
        # the pause of one who presses a key as fast as he can
        m = watch.next(0.05)
        if m and m.prim == FLOOR_STATUS:
            sizes.append(len(m.raw))
    rate = sum(sizes) * len(floors) / SECONDS / 1e6
    note('%d watchers, FloorStatus of %d bytes: %d in %d s, %.1f MB/s in all' %
         (len(floors), max(sizes), len(sizes), SECONDS, rate))
    check(len(sizes) >= 3 and rate < 2.5, 'not bounded')
    alice.call.bye()
    wait_until('nothing is left', lambda: not
               server.ctl('list')['conferences'], 5)


def pseudonym(env, server):
    """Who is anonymous is so among those who ask for the floor, too"""
    alice = Phone(env, server, 'alice')
    a = alice.connect()
    b = Phone(env, server, 'bob', uri=alice.uri, headers=['Privacy: id']).connect()
    check(a.ask(FLOOR_QUERY, u16(FLOOR_ID, 1)).prim == FLOOR_STATUS, 'FloorStatus')
    check(b.want()[1] == GRANTED, 'bob has not got the floor')
    m = a.wait('FloorStatus with the request', lambda m: m.prim == FLOOR_STATUS and
               m.requests())
    check(b'sip:anonymous1@anonymous.invalid' in m.raw and b'Anonymous 1' in m.raw and
          b'bob' not in m.raw, 'FloorStatus: %r' % m.raw)
    alice.call.bye()
    lib.wait_until('nothing is left', lambda: not
                   server.ctl('list')['conferences'], 5)
    note('an anonymous holder of the floor has a pseudonym')


def identity(env, server, alice):
    """Nobody is believed: only the certificate that was signalled counts"""
    a = alice.floor
    dave = Phone(env, server, 'dave', uri=alice.uri)
    other = Phone(env, server, 'bob')           # in a conference of his own
    o = other.connect()

    bfcp.no_way_in(alice.answer, Cert(env, 'stranger'))
    bfcp.no_way_in(alice.answer, None)
    d = dave.connect()

    check(d.ask(HELLO, user=alice.answer.user).error == 5, "another's user id")
    check(d.ask(HELLO, user=4711).error == 2, 'no such user')
    check(d.ask(HELLO, conf=other.answer.conf).error == 1, 'another conference')
    check(d.ask(HELLO, conf=4711).error == 1, 'no such conference')
    check(o.ask(HELLO, conf=alice.answer.conf,
                user=alice.answer.user).error == 1, 'a stranger')
    check(d.ask(FLOOR_REQUEST, u16(FLOOR_ID, 2)).error == 6, 'no such floor')
    check(d.ask(bfcp.FLOOR_RELEASE, u16(FLOOR_REQUEST_ID, 999)).error == 7,
          'no such request')
    check(d.ask(FLOOR_REQUEST, u16(FLOOR_ID, 1) +
                u16(bfcp.BENEFICIARY_ID, alice.answer.user)).error == 5,
          'for somebody else')
    r = a.want()
    check(d.decide(r[0], REVOKED).error == 5, 'a member is no chair')
    check(d.ask(bfcp.FLOOR_RELEASE, u16(FLOOR_REQUEST_ID, r[0])).error == 5,
          "another's request")
    check(a.release(r[0])[1] == RELEASED, 'release')

    # plain TCP: nothing is said before a handshake
    with socket.create_connection((alice.answer.addr, alice.answer.port), 5) as s:
        s.sendall(message(HELLO, alice.answer.conf, 1, alice.answer.user))
        got = s.recv(100)
        check(not got or got[0] in (0x15, 0x16), 'plain TCP: %s' % got.hex())

    # a new connection of the same participant replaces the old one
    r = d.want()
    check(r[1] == GRANTED, 'floor')
    old = d
    d = dave.connect()
    check(d.ask(USER_QUERY).requests()[0][:2] == (r[0], GRANTED),
          'the floor was lost with the connection')
    check(old.closed(), 'two connections of one client')
    check(a.alive(), 'others were affected')
    dave.call.bye()
    check(d.closed(), 'BFCP goes on after BYE')
    bfcp.no_way_in(dave.answer, dave.cert)
    check(a.want()[1] == GRANTED, 'the floor of a leaver')
    other.call.bye()


def refused_lines(env, server, alice):
    """Every other form of BFCP gets port 0, and the call goes on without"""
    cert = Cert(env, 'erin')
    for what, kw in (
            ('TCP/BFCP', dict(proto='TCP/BFCP')),
            ('UDP/TLS/BFCP', dict(proto='UDP/TLS/BFCP')),
            ('UDP/BFCP', dict(proto='UDP/BFCP')),
            ('no certificate', dict(cert=None)),
            ('version 2', dict(extra=['a=bfcpver:2'], cert=cert)),
            ('passive elsewhere', dict(setup='passive', port=5555,
                                       extra=['c=IN IP4 192.0.2.1']))):
        cli = env.add(rawsip.Client(server.host, server.port, server.ca,
                                    user='bob',
                                    password=server.password('bob')))
        call = rawsip.Call(cli, alice.uri)
        text = bfcp.line(**{'cert': cert, **kw})
        if what == 'version 2':
            text = text.replace('a=bfcpver:1\r\n', '')
        if what == 'passive elsewhere':     # c= belongs before a=
            text = text.replace('c=IN IP4 192.0.2.1\r\n', '').replace(
                '*\r\n', '*\r\nc=IN IP4 192.0.2.1\r\n', 1)
        r = call.invite(rawsip.offer(crypto=[rawsip.crypto()]) + text)
        check(r.status == 200, '%s: %s' % (what, r))
        check(Answer(r.body).port == 0, '%s was accepted' % what)
        call.bye()


def shown_certificates(env, demo):
    """Without a fingerprint, the certificate of the SIP connection counts"""
    server = edited_server(env, demo, 'shown', lambda t: 'tls_ca = "%s"\n%s' % (
        os.path.join(demo.dir, 'ca.pem'), t))

    def phone(user, pem, **kw):
        return Phone(env, server, user, shown=pem, users=demo, **kw)
    pem = {u: certificate(env, demo, 'sip-' + u, 'URI:sip:%s@127.0.0.1' % u)
           for u in ('alice', 'bob')}
    alice = phone('alice', pem['alice'])
    bob = phone('bob', pem['bob'], uri=alice.uri)
    for cert in (Cert(env, 'no-one'), None, Shown(certificate(
            env, demo, 'alice-again', 'URI:sip:alice@127.0.0.1'))):
        bfcp.no_way_in(alice.answer, cert)
    a, b = alice.connect(), bob.connect()
    check(b.ask(HELLO, user=alice.answer.user).error == 5, "another's user id")
    r = a.want()
    check(r[1] == GRANTED, 'floor: %s' % (r,))
    again = alice.reinvite(conn='existing')
    check((again.port, again.attrs['connection'], again.user) ==
          (alice.answer.port, 'existing', alice.answer.user), 'refresh')
    check(a.ask(USER_QUERY).requests() == [(r[0], GRANTED, 0)], 'the floor')

    # a device's certificate names nobody: digest does, and it counts as well
    carol = phone('carol', certificate(env, demo, 'device', 'DNS:phone7.test'),
                  uri=alice.uri)
    check(carol.connect().alive(), "a device's certificate")

    # one that is named must be it; that of a hop is not the caller's
    named = Cert(env, 'named')
    dave = phone('dave', pem['bob'], uri=alice.uri, cert=named)
    bfcp.no_way_in(dave.answer, Cert(env, 'unnamed'))
    check(dave.connect().alive(), 'the fingerprint goes first')
    for what, kw in (
            ('none shown', dict(pem=None, cert=Shown(None))),
            ('a weak hash', dict(pem=pem['alice'], extra=[
                'a=fingerprint:sha-1 ' + ':'.join(['00'] * 20)])),
            ('behind a hop', dict(pem=pem['alice'], headers=[
                'Via: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bKhop']))):
        p = phone('alice', uri=alice.uri, **kw)
        check(p.answer.port == 0, '%s: accepted' % what)
        p.call.bye()
    bob.call.bye()
    check(b.closed(), 'BFCP goes on after BYE')
    for p in (carol, dave, alice):
        p.call.bye()
    bfcp.no_way_in(alice.answer, alice.cert)


def both_directions(env, server, alice):
    """The answerer is TLS server, also when it opens the connection"""
    with socket.create_server(('127.0.0.1', 0)) as lsnr:
        lsnr.settimeout(5)
        p = Phone(env, server, 'bob', uri=alice.uri, setup='passive',
                  port=lsnr.getsockname()[1])
        check(p.answer.attrs['setup'] == 'active', 'setup: %s' % p.answer.attrs)
        sock, _ = lsnr.accept()
        f = p.connect(sock=sock)
        check(f.alive(), 'no answer')
        p.call.bye()
        check(f.closed(), 'BFCP goes on after BYE')


def keys(env, server, alice):
    """A phone without BFCP asks with a key, and gives back with the same"""
    cli = env.add(rawsip.Client(server.host, server.port, server.ca,
                                user='bob', password=server.password('bob')))
    key = rawsip.crypto()
    call = rawsip.Call(cli, alice.uri)
    r = call.invite(rawsip.offer(crypto=[key], fmts='96 8 101') +
                    'a=rtpmap:101 telephone-event/8000\r\n')
    check(r.status == 200, 'INVITE: %s' % r)
    port = int(re.search(r'^m=audio (\d+)', r.body, re.M)[1])
    out = env.add(srtp.Sender(key, server.host, port))
    label = next(c['conf'] for c in server.ctl('list')['conferences']
                 if c['uri'] == alice.uri.rsplit(':', 1)[0]
                 or alice.uri.startswith(c['uri']))

    def holds():
        return any(u['holds'] for u in server.ctl('floor', label)['users']
                   if u['identity'].startswith('sip:bob@'))
    for r in server.ctl('floor', label)['requests']:
        alice.floor.release(r['request'])       # alice chairs nothing, but asked
    out.key_press(4, 101, 48000)
    out.key_press(5, 101, 96000)
    wait_until('the floor by a key', holds, 5)
    out.key_press(5, 101, 144000)
    wait_until('the floor given back', lambda: not holds(), 5)
    call.bye()


def bad_bytes(env, server, alice):
    """Framing and form: the right error, or the end of that connection alone"""
    bob = Phone(env, server, 'bob', uri=alice.uri)
    f = bob.connect()
    conf, user = bob.answer.conf, bob.answer.user

    for b in message(HELLO, conf, 501, user):
        f.send(bytes([b]))
    check(f.wait('HelloAck', lambda m: m.tid == 501).prim == HELLO_ACK,
          'one byte at a time')
    f.send(message(HELLO, conf, 502, user) + message(HELLO, conf, 503, user))
    for tid in (502, 503):
        check(f.wait('HelloAck', lambda m: m.tid == tid).prim == HELLO_ACK,
              'two messages in one record')

    def code(data, tid):
        f.send(data)
        return f.wait('Error', lambda m: m.tid == tid).error
    check(code(message(HELLO, conf, 504, user, version=2), 504) == 12, 'version 2')
    check(code(message(99, conf, 505, user), 505) == 3, 'primitive 99')
    check(code(message(FLOOR_STATUS, conf, 506, user), 506) == 3,
          'a message of servers')
    check(code(message(16, conf, 507, user), 507) == 3, 'Goodbye on TCP')
    m = f.ask(HELLO, attr(63, b'xy', mandatory=True))
    check(m.error == 4 and m.get(bfcp.ERROR_CODE)[1:] == bytes([63 << 1]),
          'unknown mandatory attribute: %r' % m)
    check(f.ask(HELLO, attr(63, b'xy')).prim == HELLO_ACK, 'unknown attribute')
    check(code(message(FLOOR_REQUEST, conf, 508, user), 508) == 10,
          'no floor in FloorRequest')
    check(code(message(HELLO, conf, 509, user, bytes(20000)), 509) == 13,
          'a message of 20 KB')
    for prim in (13, 14, 15):                   # never answered
        f.send(message(prim, conf, 510, user,
                       attr(6, b'\x05') if prim == 13 else b''))
    check(f.alive(), 'still in step')

    # after a length that lies nobody knows where the next message begins
    for what, data, error in (
            ('attribute beyond the message',
             message(HELLO, conf, 511, user, b'\x10\x30ab'), 13),
            ('attribute of length 0',
             message(HELLO, conf, 511, user, b'\x10\x00\0\0'), 10),
            ('group beyond its parent', message(
                bfcp.CHAIR_ACTION, conf, 511, user,
                b'\x1e\x08\0\1\x22\x20\0\1'), 10)):
        check(code(data, 511) == error, what)
        check(f.closed(), what + ': the connection stays')
        f = bob.connect()
    flood(bob)
    mutations(bob, bob.connect())


def flood(bob):
    """Who asks faster than any person can is cut off, and nobody else"""
    f = bob.connect()
    try:
        for _ in range(30):
            f.send(message(HELLO, bob.answer.conf, 9, bob.answer.user) * 50)
    except OSError:
        pass
    check(f.closed(), 'a flood of 1500 messages')


def mutations(bob, f):
    """10,000 messages with flipped bits: whatever comes back, nobody dies"""
    rnd = random.Random(8855)
    seed = [message(p, bob.answer.conf, 7, bob.answer.user, body)
            for p, body in ((HELLO, b''), (FLOOR_REQUEST, u16(FLOOR_ID, 1)),
                            (FLOOR_QUERY, u16(FLOOR_ID, 1)), (USER_QUERY, b''),
                            (bfcp.FLOOR_RELEASE, u16(FLOOR_REQUEST_ID, 1)),
                            (bfcp.CHAIR_ACTION, bfcp.group(
                                bfcp.REQUEST_INFO, 1, bfcp.group(
                                    bfcp.FLOOR_REQ_STATUS, 1,
                                    attr(bfcp.REQUEST_STATUS, b'\3\0')))))]
    reconnected = 0
    sent = 0
    while sent < MUTATIONS:
        batch = b''
        for _ in range(10):
            m = bytearray(rnd.choice(seed))
            for _ in range(rnd.randrange(4)):
                # the payload length seldom: it makes the rest unreadable
                at = rnd.randrange(len(m))
                if at not in (2, 3) or not rnd.randrange(8):
                    m[at] ^= 1 << rnd.randrange(8)
            batch += m
        sent += 10
        # a length that lies may have swallowed the rest: each batch anew,
        # and read to the end, so that the server reads all of it
        try:
            f.send(batch)
            f.sock.shutdown(socket.SHUT_WR)
            while f.sock.recv(65536):
                pass
        except OSError:
            pass
        f.close()
        f = bob.connect()
        reconnected += 1
    f.close()
    check(bob.connect().alive(), 'the server after %d mutations' % sent)
    note('%d mutations, %d connections' % (sent, reconnected + 1))


def main(env):
    server = env.server()
    check(' bfcp=127.0.0.1:' in server.ready, 'ready line: ' + server.ready)
    crowded(env, server)
    pseudonym(env, server)
    alice = open_conference(env, server)
    identity(env, server, alice)
    refused_lines(env, server, alice)
    shown_certificates(env, server)
    both_directions(env, server, alice)
    keys(env, server, alice)
    bad_bytes(env, server, alice)
    st = server.ctl('stats')['floor']
    note('stats: %s' % st)
    check(st['messages_total'] > MUTATIONS / 2 and st['errors_total'] > 20 and st['refused_total'] >= 2 and
          st['conferences'] == 1, 'stats: %s' % st)


if __name__ == '__main__':
    lib.run(main)
