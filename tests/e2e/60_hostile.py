"""A hostile user of a running server: what he does wrong gets its answer, he
takes nothing along, and the call of somebody else goes on"""
import os
import queue
import re
import resource
import select
import signal
import socket
import time

import leftover
import lib
from confedit import edited_server
from hostile import (HostileCall, PortClient, Scene, ask, first_line, in_dialog,
                     is_closed, option_request, raw_connect, raw_send)
from lib import Failure, check, note
from rawsip import Client, crypto, digest, focus_uri, keys_of, new_key, offer

STORM = 20
STRAY = 300
FLOOD = 2000
FLOOD_KIB = 4096    # with transactions they would be 15 MiB
CROWD = 200
REPEATED = 2.5      # a 200 is, after 0.5, 1.5 and 3.5 s
SYN_S = 0.9         # the first SYN that is lost is sent again after 1 s


def claimed_dialogs(sc):
    """RFC 3261 section 12.2.2: a To tag that is nobody's is a 481"""
    for method in ('OPTIONS', 'REFER', 'BYE', 'UPDATE', 'INVITE', 'SUBSCRIBE'):
        got = raw_send(sc, option_request(
            method, to='<sip:factory@127.0.0.1>;tag=nobody', extra=(
                'Contact: <sip:alice@127.0.0.1>', 'Event: conference',
                'Refer-To: <sip:bob@127.0.0.1>')))
        check(first_line(got) == 481, '%s with a stranger\'s tag: %r' % (
            method, got[:60]))
    note('requests that claim a dialog: 481')


def options_in_a_dialog(sc):
    call = sc.call()
    cseq, _ = call.request('OPTIONS')
    r = call.response(cseq)
    check(r.status == 200 and 'INVITE' in (r.get('Allow') or ''),
          'OPTIONS in a call: %s' % r)
    call.bye()
    note('OPTIONS in a call: 200')


def is_final(r):
    return r.status != 491 and r


def cancelled_reinvite(sc):
    """RFC 3261 section 14.2: the session stays as if nothing had been said"""
    call = sc.call()
    call.cseq += 1
    call.cli.send(in_dialog(call, 'INVITE', 'z9hG4bKc1',
                            offer(crypto=[crypto()], version=2)) +
                  in_dialog(call, 'CANCEL', 'z9hG4bKc1'))
    r = call.response_to('INVITE')
    check(r.status in (200, 487), 'cancelled re-INVITE: %s' % r)
    call.ack(call.cseq, 'z9hG4bKc1' if r.status == 487 else None)
    # 491 as long as the mixer is not back at the old session
    r = lib.wait_until('an answer but 491', lambda: is_final(call.reinvite(
        offer(crypto=[crypto()], version=3))), 3)
    check(r.status == 200, 're-INVITE after a cancelled one: %s' % r)
    check(not call.ended and call.bye().status == 200,
          'a cancelled re-INVITE ended the call')
    note('CANCEL of a re-INVITE: the call goes on')


def trickled(sc):
    """A message that comes byte by byte is read over with each of them"""
    def busy():
        with open('/proc/%d/stat' % sc.server.proc.pid) as f:
            v = f.read().rpartition(')')[2].split()
        return (int(v[11]) + int(v[12])) / os.sysconf('SC_CLK_TCK')

    text = option_request(extra=['x:'] * 14000, length='9')
    before, sent = busy(), 0
    with raw_connect(sc) as k:
        k.sendall(text[:-2].encode())
        while not is_closed(k) and sent < 500:
            sent += k.send(b'x')
            cseq, _ = sc.bob.request('OPTIONS')     # so it was read alone
            sc.bob.response(cseq)
    check(sent < 100, '%d bytes, each of which costs %.1f ms' % (
        sent, 1000 * (busy() - before) / max(1, sent)))
    # what is long, and comes in pieces, is no attack
    text = option_request(extra=['y: ' + 'z' * 300] * 20)
    with raw_connect(sc) as k:
        for i in range(0, len(text), 100):
            k.sendall(text[i:i + 100].encode())
        check(first_line(k.recv(65536)) == 200, 'a long OPTIONS in pieces')
    note('closed after %d bytes, one at a time' % sent)


def no_descriptors(sc):
    """Connections that nobody has room for are closed: they must not wait in
    the queue, where the server would be told of them for ever"""
    pid, s = sc.server.proc.pid, sc.server
    before = s.ctl('stats')['no_descriptor_total']
    s.base.now()        # when that is back, conclavectl is gone
    own = sum(leftover.fds(pid).values()) or s.ctl('stats')['fds'] - 1
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    room = 20
    resource.prlimit(pid, resource.RLIMIT_NOFILE,
                     (own + room, limits[1]))
    socks = [socket.create_connection((s.host, s.port), 5)
             for _ in range(2 * room)]
    closed = lambda: sum(is_closed(k) for k in socks) >= room
    lib.wait_until('what is too much is closed', closed, 3)
    cseq, _ = sc.bob.request('OPTIONS')
    check(sc.bob.response(cseq).status == 200, 'bob has no answer')
    for k in socks:
        k.close()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    sc.call(cli=sc.client('carol')).bye()
    n = s.ctl('stats')['no_descriptor_total'] - before
    check(n >= room, '%d of %d counted' % (n, room))
    note('no descriptors left: %d connections are closed, calls live' % n)


def crowd(sc):
    """All at once, and nobody's SYN is lost: that would cost him a second"""
    t0 = time.monotonic()
    left = select.poll()
    socks = {}
    for _ in range(CROWD):
        k = socket.socket()
        k.setblocking(False)
        k.connect_ex((sc.server.host, sc.server.port))
        socks[k.fileno()] = k
        left.register(k, select.POLLOUT)
    waiting = set(socks)
    while waiting and time.monotonic() - t0 < SYN_S:
        for fd, _ in left.poll(50):
            waiting.discard(fd)
            left.unregister(fd)
    check(not waiting, '%d of %d are not connected after %g s' % (
        len(waiting), CROWD, SYN_S))
    got = first_line(raw_send(sc, option_request()))
    check(got == 200, 'OPTIONS in the crowd: %s' % got)
    for k in socks.values():
        k.close()
    note('%d connections at once' % CROWD)


def refused_invites(sc):
    """A refusal costs no memory: its ACK need never come"""
    def rss():
        return sc.server.ctl('stats')['rss_kib']

    text = option_request('INVITE', to='<sip:factory@127.0.0.1>;tag=nobody',
                          extra=('Contact: <sip:alice@127.0.0.1>',
                                 'Content-Type: application/sdp'),
                          body='v=0\r\n' * 400)
    with raw_connect(sc) as k:
        ask(k, text, 100)
        before = rss()
        ask(k, text, FLOOD)
        more = rss() - before
    check(lib.sanitized() or more <= FLOOD_KIB,
          '%d refused INVITEs hold %d KiB' % (FLOOD, more))
    note('%d refused INVITEs: %d KiB' % (FLOOD, more))


def sniffed_dialog(sc):
    """Dialog ids are no proof: on another connection the sender must be the
    one whose dialog it is"""
    victim = sc.call(cli=sc.client('carol'))
    eve = HostileCall(sc.cli, victim.uri)
    for name in ('call_id', 'from_tag', 'to', 'target'):
        setattr(eve, name, getattr(victim, name))
    eve.box = sc.cli.box(eve.call_id)
    eve.cseq = 1000
    for method in ('BYE', 'UPDATE', 'INVITE', 'REFER', 'OPTIONS'):
        body = offer(crypto=[crypto()]) if method in ('UPDATE', 'INVITE') else None
        more = ['Refer-To: <sip:carol@127.0.0.1>'] if method == 'REFER' else []
        cseq, _ = eve.request(method, body, more)
        r = eve.response(cseq)
        check(r.status == 401, '%s without a proof: %s' % (method, r))
        more.append('Authorization: ' + digest(
            r.get('WWW-Authenticate'), method, eve.target, 'alice',
            sc.cli.password))
        cseq, _ = eve.request(method, body, more)
        r = eve.response(cseq)
        check(r.status == 403, "%s in another's dialog: %s" % (method, r))
    r = victim.reinvite(offer(crypto=[crypto()], version=2))
    check(r.status == 200, 're-INVITE of the owner: %s' % r)
    victim.bye()
    sc.cli.drop(eve.call_id)
    note('sniffed dialog ids: 401, 403')


def inherited_address(sc):
    """Whose connection is gone has left an address, and nothing with it: who
    comes from there next is told nothing, least of all a key"""
    carol = sc.client('carol', PortClient)
    host = sc.call()
    uri = focus_uri(host.answer)
    call = sc.call(uri=uri, cli=carol)
    up = sc.server.ctl('stats')['connections']
    carol.cut()
    lib.wait_until('the connection is gone', lambda: sc.server.ctl(
        'stats')['connections'] < up, 5)
    eve = sc.client('alice', PortClient, port_from=carol.local[1])
    call.cli, call.box = eve, eve.box(call.call_id)
    for method in ('BYE', 'UPDATE', 'REFER', 'OPTIONS'):
        cseq, _ = call.request(method, headers=[
            'Refer-To: <sip:dave@127.0.0.1>'] if method == 'REFER' else ())
        r = call.response(cseq)
        check(r.status == 401, '%s from an inherited address: %s' % (method, r))
    before = sc.server.ctl('stats')['calls']
    sc.call(uri=uri, cli=sc.client('dave')).bye()   # keys change, or nothing does
    if sc.keying == 'group':
        lib.wait_until('who cannot be told the new key is out',
                       lambda: sc.server.ctl('stats')['calls'] < before, 5)
    else:
        call.cli = sc.client('carol')
        call.box = call.cli.box(call.call_id)
        check(call.bye().status == 200, 'the owner of the dialog, back again')
    eve.box('barrier')
    eve.send(option_request().replace('Call-ID: ', 'Call-ID: barrier\r\nX: '))
    eve.box('barrier').get(timeout=5)
    got = [str(m) for m in list(eve.box(call.call_id).queue)]
    check(not got, 'told to a stranger: %r' % got)
    check(host.bye().status == 200, 'the host suffered')
    note('inherited address: nothing with it')


def inherited_answer(sc):
    """A 200 that wants its ACK is repeated on its connection, or not at all:
    also when its caller has another one by now, and somebody else the port"""
    carol = sc.client('carol', PortClient)
    call = sc.call(cli=carol)
    cseq, _ = call.request('INVITE', offer(crypto=[crypto()], version=2))
    r = call.response(cseq)
    check(r.status == 200 and keys_of(r.body), 're-INVITE: %s' % r)
    up = sc.server.ctl('stats')['connections']
    carol.cut()
    lib.wait_until('the connection is gone', lambda: sc.server.ctl(
        'stats')['connections'] < up, 5)
    eve = sc.client('alice', PortClient, port_from=carol.local[1])
    told = eve.box(call.call_id)
    call.cli = sc.client('carol')
    call.box = call.cli.box(call.call_id)
    cseq, _ = call.request('UPDATE')
    proof = digest(call.response(cseq).get('WWW-Authenticate'), 'UPDATE',
                   call.target, call.user, call.cli.password)
    cseq, _ = call.request('UPDATE', headers=['Authorization: ' + proof])
    check(call.response(cseq).status == 200, 'the dialog has moved')
    try:
        m = told.get(timeout=REPEATED)
        raise Failure('told to a stranger: %s' % m)
    except queue.Empty:
        pass
    check(call.bye().status == 200, 'the owner of the dialog, back again')
    note('inherited address: no 200 either')


def keys_of_others(sc):
    """RFC 3711 section 9.1, also by way of offers that are refused for more"""
    key = new_key()
    call = sc.call(sdp=offer(crypto=[crypto(key=key)]))
    (_, _, ours), = keys_of(call.answer.body)
    other = sc.call(sdp=offer(crypto=[crypto()]))
    version = 2
    for k in (key, ours):
        for more in ({}, {'addr': '224.0.0.1'}, {'addr': '::1'}, {}):
            version += 1
            r = other.reinvite(offer(crypto=[crypto(key=k)], version=version,
                                     **more))
            check(r.status == 488, 'a key of another call, %r: %s' % (more, r))
        sc.call(sdp=offer(crypto=[crypto(key=k)]), status=488)
    for c in (call, other):
        check(c.bye().status == 200, 'a refused key ended the call')
    sc.call(sdp=offer(crypto=[crypto(key=key)])).bye()
    note('keys of others: 488')


def who_counts(sc):
    """The identity that was proven, and names after one normalisation"""
    call = HostileCall(sc.cli, sc.cli.uri('factory'))
    call.from_uri = lambda: 'sip:carol@127.0.0.1'
    r = call.invite(offer(crypto=[crypto()]))
    check(r.status == 200, 'alice, who says she is carol: %s' % r)
    owners = [c['owner'] for c in sc.server.ctl('list')['conferences']]
    check(sorted(owners) == ['sip:alice@127.0.0.1', 'sip:bob@127.0.0.1'],
          'a forged From is the owner: %r' % owners)
    call.bye()
    for user in ('%66actory', 'factory'):
        sc.call(uri='sip:%s@127.0.0.1' % user).bye()
    for uri in ('FACTORY@127.0.0.1', 'factory%00@127.0.0.1', '127.0.0.1',
                'factory%20@127.0.0.1', 'factory@example.org'):
        sc.call(uri='sip:' + uri, status=404)
    note('forged From, spelled otherwise: nothing gained')


def storm(sc):
    """Requests that overlap: one is taken up, each gets its answer"""
    call = sc.call()
    text = ''
    for i in range(STORM):
        call.cseq += 1
        text += in_dialog(call, 'UPDATE' if i % 2 else 'INVITE', body=offer(
            crypto=[crypto()], version=2 + i))
    first = call.cseq - STORM + 1
    call.cli.send(text)
    got = {}
    lib.wait_until('an answer to each', lambda: note_answers(call, got) and
                   len(got) == STORM, 5)
    check(got[first] == 200 and set(got.values()) <= {200, 491, 500},
          'answers to a storm: %r' % got)
    call.ack(first)
    call.cseq += 1
    check(not call.ended and call.bye().status == 200, 'the storm won')
    note('%d overlapping offers: %s' % (STORM, sorted(set(got.values()))))


def note_answers(call, got):
    for m in call.everything(0.05):
        if m.status and m.status >= 200:
            got[m.cseq[0]] = m.status
    return True


def stopped_mixers(sc):
    """All that was begun with mixers that hang gets its answer within 2.5 s;
    what was cancelled or ended meanwhile is over at once, the others are offered
    a place at new ones"""
    up = lib.wait_until('mixers', lambda: sc.server.mixers(), 5)
    calls = [sc.call() for _ in range(3)]
    for pid in up:
        os.kill(pid, signal.SIGSTOP)
    t0 = time.monotonic()
    for c, branch in zip(calls, ('z9hG4bKs1', 'z9hG4bKs2', 'z9hG4bKs3')):
        c.cseq += 1
        c.cli.send(in_dialog(c, 'INVITE', branch, offer(crypto=[crypto()],
                                                        version=2)))
    calls[1].cli.send(in_dialog(calls[1], 'CANCEL', 'z9hG4bKs2'))
    check(calls[1].response_to('INVITE').status == 487, 'CANCEL is not a 487')
    calls[2].cseq += 1
    calls[2].cli.send(in_dialog(calls[2], 'BYE'))
    check(calls[2].response_to('BYE').status == 200, 'BYE is not a 200')
    r = calls[0].response_to('INVITE')
    check(r.status == 503, 're-INVITE while the mixer hangs: %s' % r)
    lib.wait_until('new mixers', lambda: not set(sc.server.mixers()) & set(up)
                   and len(sc.server.mixers()) == len(up), 5)
    for c in calls[:2] + [sc.bob]:
        req = c.wait_request(max(0.01, t0 + 2.5 - time.monotonic()))
        check(req.method == 'INVITE', 'a call without media: %s' % req)
        tag, suite, _ = keys_of(req.body)[0]
        c.reply(req, 200, 'OK', offer(crypto=[crypto(int(tag), suite)], version=3))
    for c in calls[:2] + [sc.bob]:
        check(c.bye().status == 200, 'it cannot hang up')
    lib.wait_until('all is gone', lambda: not any(sc.state().values()), 5)
    sc.restart()
    note('mixers that hang: %.1f s' % (time.monotonic() - t0))


def nobodys_messages(sc):
    """They leave few lines in the log, and none that a stranger has written"""
    text = ('SIP/2.0 299 \x1b[31mev=forged\r\n'
            'Via: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1\r\n'
            'From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: %d\r\n'
            'CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n')
    with raw_connect(sc) as k:
        k.sendall(''.join(text % i for i in range(STRAY)).encode())
        ask(k, option_request(), 1)         # all before that has been read
    check(first_line(raw_send(sc, option_request('CANCEL'))) == 481, 'CANCEL')
    for _ in range(STRAY):
        k = socket.create_connection((sc.server.host, sc.server.port), 5)
        k.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        k.sendall(b'\x16\x03\x01')
        k.close()                           # by a reset
    ask_ok = first_line(raw_send(sc, option_request()))
    check(ask_ok == 200, 'OPTIONS: %s' % ask_ok)
    lines = lib.read_text(sc.server.log).split('\n')[:-1]
    bad = [li for li in lines if not re.match(r'20\d\d-\d\d-\d\dT', li)]
    check(not bad, 'not of our log: %r' % bad[:3])
    for ev in ('stray_response', 'libre'):
        n = sum(' ev=%s ' % ev in li for li in lines)
        check(n <= 40, '%d lines of ev=%s' % (n, ev))
    note('messages of nobody: few lines')


def in_clear(env, demo):
    """What has begun over TLS goes on over TLS, whoever asks with whatever
    password: our next offer, with a key, would go the same way"""
    port = {t: lib.free_port() for t in ('tcp', 'udp')}
    s = edited_server(env, demo, 'clear', lambda t: t.replace(
        'digest = {"MD5"}', 'digest = {"SHA-256"}').replace(
        'listen = {', 'listen = {' + ''.join('"%s:127.0.0.1:%d", ' % p
                                             for p in port.items())))

    def client(user, **kw):
        opt = dict(host=s.host, port=s.port, ca=demo.ca, user=user,
                   password=demo.password(user), timeout=5)
        opt.update(kw)
        return env.add(Client(**opt))

    alice, bob = client('alice'), client('bob')
    call = HostileCall(alice, alice.uri('factory'))
    r = call.invite(offer(crypto=[crypto()]))
    check(r.status == 200, 'a decent call: %s' % r)
    clear = [client('alice', transport=t, port=p) for t, p in port.items()]
    box = call.box
    for cli in clear:
        call.cli, call.box = cli, cli.box(call.call_id)
        for method in ('OPTIONS', 'UPDATE', 'REFER', 'BYE'):
            more = ['Refer-To: <sip:dave@127.0.0.1>'] if method == 'REFER' else []
            body = offer(crypto=[crypto()]) if method == 'UPDATE' else None
            cseq, _ = call.request(method, body, more)
            r = call.response(cseq)
            check(r.status == 403, '%s over %s: %s' % (method, cli.transport, r))
        other = HostileCall(cli, focus_uri_of(call))
        cseq, _ = other.request('REFER', headers=['Refer-To: <sip:bob@127.0.0.1>'])
        check(other.response(cseq).status == 403, 'REFER over ' + cli.transport)
    call.cli, call.box = alice, box
    joiner = HostileCall(bob, focus_uri_of(call))
    check(joiner.invite(offer(crypto=[crypto()])).status == 200, 'bob joins')
    check(joiner.bye().status == 200 and call.bye().status == 200, 'BYE')
    for cli in clear:
        got = [str(m) for m in list(cli.box(call.call_id).queue)]
        check(not got, 'in clear: %r' % got)
    for cli in clear + [alice, bob]:
        cli.close()
    s.stop()
    note('begun over TLS, goes on over TLS')


def focus_uri_of(call):
    return re.sub(';.*', '', call.target)


def one_room(env, demo):
    """However a reserved name is spelled, it is one conference: a twin would
    know nothing of who was removed from the other"""
    s = edited_server(env, demo, 'rooms', lambda t: t.replace(
        'max_user_calls = 0', 'max_user_calls = 4') + """
conference rooms {
	uri = "sip:room-*@127.0.0.1"
	create = {"*@127.0.0.1"}
	join = {"*@127.0.0.1"}
}
""")
    cli = env.add(Client(s.host, s.port, ca=demo.ca, user='alice',
                         password=demo.password('alice'), timeout=5))
    calls = []
    for name in ('room-1', '%72oom-1', 'room%2d1', 'room-%31'):
        call = HostileCall(cli, 'sip:%s@127.0.0.1' % name)
        r = call.invite(offer(crypto=[crypto()]))
        check(r.status == 200 and '<sip:room-1@' in r.get('Contact'),
              '%s: %s, %s' % (name, r, r.get('Contact')))
        calls.append(call)
    rooms = [c['uri'] for c in s.ctl('list')['conferences']]
    check(len(rooms) == 1, 'rooms: %r' % rooms)

    # nobody alone takes what there is for all
    r = HostileCall(cli, cli.uri('factory')).invite(offer(crypto=[crypto()]))
    check(r.status == 503 and 'max_user_calls' in r.get('Warning'),
          'a fifth call: %s' % r)
    bob = env.add(Client(s.host, s.port, ca=demo.ca, user='bob',
                         password=demo.password('bob'), timeout=5))
    call = HostileCall(bob, 'sip:room-1@127.0.0.1')
    check(call.invite(offer(crypto=[crypto()])).status == 200, 'call of bob')
    for call in calls + [call]:
        check(call.bye().status == 200, 'BYE of %s' % call.uri)
    cli.close()
    bob.close()
    s.stop()
    note('one name, one room; one user, so many calls')


STEPS = [claimed_dialogs, options_in_a_dialog, cancelled_reinvite,
         sniffed_dialog, inherited_address, keys_of_others, who_counts, storm, trickled, no_descriptors,
         crowd, refused_invites, nobodys_messages, stopped_mixers]


def main(env):
    for keying in ('endpoint', 'group'):
        sc = Scene(env, keying)
        for step in STEPS:
            step(sc)
            sc.back_at_base(step.__name__)
        if keying == 'endpoint':
            inherited_answer(sc)
            sc.back_at_base('inherited_answer')
            one_room(env, sc.server)
        else:
            in_clear(env, sc.server)
        sc.finish()


if __name__ == '__main__':
    lib.run(main)
