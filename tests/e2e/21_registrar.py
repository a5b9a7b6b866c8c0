"""Phones register, and a conference calls them on the connection they made"""
import os
import re
import subprocess
from types import SimpleNamespace

import lib
from baresip import Baresip
from hostile import raw_connect
from lib import check, judge, note, tones, wait_until
from phones import SETTLE_S, listen
from rawsip import Call, Client, crypto, offer
from regphone import raw, register

SECONDS = 5


def registered(server):
    return {r['user'] for r in server.ctl('registrations')['registrations']}


def called_and_heard(env, server):
    """Both register; one makes a conference, which calls the other"""
    domain = '127.0.0.1:%d' % server.port
    alice = Baresip(env, server, 'alice', 440, domain=domain, regint=60)
    bob = Baresip(env, server, 'bob', 660, domain=domain, regint=60, answer='auto')
    want = {'sip:alice@127.0.0.1', 'sip:bob@127.0.0.1'}
    wait_until('both are registered', lambda: registered(server) == want, 10)
    before = server.ctl('stats')['connections']
    alice.dial(server.factory)
    alice.wait_established()
    conf = server.ctl('list')['conferences'][0]['conf']
    server.ctl('invite', conf, 'sip:bob@127.0.0.1')
    bob.wait_established()
    listen([alice, bob], SECONDS + SETTLE_S)
    check(server.ctl('stats')['connections'] == before,
          'a connection more than the phones had made')
    server.ctl('end', conf)
    for p in (alice, bob):
        p.wait_closed()
        p.finish()
    for p, other in ((alice, 660), (bob, 440)):
        found, _ = tones(p.recording()[0], 440, 660)
        judge(p.user, found, p.freq, [other])
    wait_until('nobody is registered any more', lambda: not registered(server), 10)


def refusals(env, server):
    alice = raw(env, server, 'alice')
    mine = 'Contact: <sip:alice@%s;transport=tls>' % alice.local_hostport()
    for what, status, kw in (
            ('no credentials', 401, dict(headers=[mine], auth=False)),
            ("bob's address", 403, dict(headers=[mine], aor='sip:bob@127.0.0.1')),
            ('another domain', 404, dict(headers=[mine], domain='example.org')),
            ('too brief', 423, dict(headers=[mine + ';expires=5'])),
            ('contact with a header', 400, dict(
                headers=['Contact: <sip:alice@h?Replaces=x>'])),
            ('star with another contact', 400, dict(
                headers=['Contact: *', mine, 'Expires: 0'])),
            ('too many contacts', 403, dict(
                headers=['Contact: <sip:a%d@h>' % i for i in range(9)])),
            ('unknown extension', 420, dict(headers=[mine, 'Require: gruu']))):
        r = register(alice, **kw)
        check(r.status == status, '%s: %s, not %d' % (what, r, status))
        note('%s: %s %s' % (what, r.status, r.get('Warning') or ''))
        check(not registered(server), '%s: it is registered' % what)
    r = register(alice, [mine + ';expires=5'])
    check(r.get('Min-Expires') == '60', 'no Min-Expires')


def outbound(env, server):
    """RFC 5626: granted, with keep-alive, replaced by a new connection"""
    hdr = ['Supported: outbound', 'Contact: <sip:alice@h;transport=tls>;reg-id=1;'
           '+sip.instance="<urn:uuid:00000000-0000-1000-8000-000000000001>"']
    old = raw(env, server, 'alice')
    r = register(old, hdr)
    check(r.status == 200 and r.get('Require') == 'outbound' and
          r.get('Flow-Timer'), 'outbound: %s' % r)
    new = raw(env, server, 'alice')
    check(register(new, hdr).status == 200, 'on a second connection')
    regs = server.ctl('registrations')['registrations']
    check(len(regs) == 1 and regs[0]['outbound'] and
          regs[0]['connection'] == new.local_hostport(), 'flow: %r' % regs)
    note('outbound: one flow, on the newer connection')
    return old, new


def keep_alive(env, server):
    """RFC 5626 section 3.5.1: an empty line for two"""
    with raw_connect(SimpleNamespace(server=server)) as k:
        for _ in range(3):
            k.sendall(b'\r\n\r\n')
            got = b''
            while len(got) < 2:
                more = k.recv(16)
                check(more, 'the connection was closed')
                got += more
            check(got == b'\r\n', 'pong: %r' % got)
    note('keep-alive: CRLF for double CRLF')


def not_called(what, sock, conf, uri, why):
    r = subprocess.run([lib.program('conclavectl'), '-s', sock, 'invite', conf, uri],
                       capture_output=True, text=True, timeout=10)
    check(r.returncode == 1 and why in r.stderr, '%s: %d %s' % (what, r.returncode, r.stderr))
    note('%s: %s' % (what, r.stderr.strip()))


def gone_with_its_connection(env, server, cli):
    """Whom nobody can reach is not called, least of all somewhere else"""
    bob = raw(env, server, 'bob')
    call = Call(bob, bob.uri('factory'))
    r = call.invite(offer(crypto=[crypto()]))
    check(r.status == 200, 'bob: %s' % r)
    conf = server.ctl('list')['conferences'][0]['conf']

    box = cli.stray
    server.ctl('invite', conf, 'sip:alice@127.0.0.1')
    req = box.get(timeout=10)
    check(req.method == 'INVITE' and req.start == 'INVITE sip:alice@h;transport=tls SIP/2.0',
          'on the connection: %s' % req)
    note('called on its connection: %s' % req.start)
    cli.close()
    wait_until('alice is not registered', lambda: not registered(server), 10)
    not_called('not registered', server.dir + '/ctl', conf, 'sip:carol@127.0.0.1',
               'Temporarily Unavailable')
    call.bye()


def clear_and_off(env, server):
    """Over TCP, and with the registrar off"""
    port = lib.free_port()
    text = lib.read_text(os.path.join(server.dir, 'conclave.conf'))
    text = re.sub(r'tls:127\.0\.0\.1:\d+', 'tls:127.0.0.1:0', text)
    text = text.replace('/ctl"', '/off.ctl"')
    for what, edit, kw, status in (
            ('over TCP', lambda t: t.replace(
                'listen = {', 'listen = {"tcp:127.0.0.1:%d", ' % port),
             dict(transport='tcp'), 403),
            ('registrar off', lambda t: t.replace('registrar = true',
                                                  'registrar = false'), {}, 405)):
        path = env.path('edited.conf')
        with open(path, 'w') as f:
            f.write(edit(text))
        other = env.server('edited', conf=path)
        cli = env.add(Client('127.0.0.1', port if kw else other.port, ca=server.ca,
                             user='alice', password=server.password('alice'), **kw))
        r = register(cli, ['Contact: <sip:alice@h>'])
        check(r.status == status, '%s: %s, not %d' % (what, r, status))
        note('%s: %s' % (what, r.status))
        if not kw:
            to_ourselves(env, other, cli)
        other.stop()


def to_ourselves(env, other, cli):
    """Without a registrar, an address of ours leads to ourselves"""
    call = Call(cli, cli.uri('factory'))
    check(call.invite(offer(crypto=[crypto()])).status == 200, 'alice')
    for uri in ('sip:bob@127.0.0.1:%d' % other.port,
                'sip:bob@127.0.0.1:%d;transport=tls' % other.port):
        not_called('ourselves', env.path('demo/off.ctl'), 'factory-1', uri, 'Forbidden')
    call.bye()


def main(env):
    server = env.server()
    called_and_heard(env, server)
    refusals(env, server)
    old, new = outbound(env, server)
    keep_alive(env, server)
    gone_with_its_connection(env, server, new)
    clear_and_off(env, server)


if __name__ == '__main__':
    lib.run(main)
