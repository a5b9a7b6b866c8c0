"""Hold and resume, delayed offer, IPv6"""
import os
import re
import socket

import capture
import lib
from caller import Caller, GOOD, USERS, talk
from capture import is_rtp
from lib import check, note, wait_until
from rawphone import Incoming
from rawsip import Call, Client, crypto, focus_uri, keys_of, offer
from regphone import register

# offer of ours -> what the answer must say (RFC 3264 section 6.1)
HOLDS = [
    ('sendonly', '127.0.0.1', 'recvonly'),
    ('sendrecv', '127.0.0.1', 'sendrecv'),
    ('inactive', '127.0.0.1', 'inactive'),
    ('sendrecv', '127.0.0.1', 'sendrecv'),
    ('sendrecv', '0.0.0.0', 'recvonly'),
    ('recvonly', '127.0.0.1', 'sendonly'),
    ('sendrecv', '127.0.0.1', 'sendrecv'),
]


def direction(sdp):
    m = re.search(r'^a=(sendrecv|sendonly|recvonly|inactive)\r?$', sdp, re.M)
    return m[1] if m else 'sendrecv'


def client(env, server, user):
    return env.add(Client(server.host, server.port, ca=server.ca, user=user,
                          password=server.password(user)))


def holds(env, server):
    call = Call(client(env, server, 'alice'), server.factory)
    mine = crypto()
    r = call.invite(offer(crypto=[mine]))
    check(r.status == 200, str(r))
    (_, _, theirs), = keys_of(r.body)
    for i, (want, addr, answer) in enumerate(HOLDS):
        r = call.reinvite(offer(crypto=[mine], direction=want, addr=addr,
                                version=i + 2))
        check(r.status == 200, 'hold %s: %s' % (want, r))
        got = direction(r.body)
        note('offer %s %s: answer %s' % (want, addr, got))
        check(got == answer, 'answer to %s %s is %s' % (want, addr, got))
        (_, _, key), = keys_of(r.body)
        check(key == theirs, 'our key changed, but nothing of the media did')
    check(call.bye().status == 200, 'BYE')


def hold_with_sound(env, server):
    """One of three holds in mid-call; before and after, all is heard"""
    a = env.add(Caller(server, '-n', 3, '--same-conf', '--seconds', 8,
                       '--hold', '2:2', '--max-auth-failures', 0,
                       '--expect', 'others', '--not', 'own', users=USERS[:3]))
    a.result(40)


def held_through_a_rekey(env):
    """Who comes back from hold has the key that was drawn meanwhile"""
    server = env.server('group', keying='group')
    a = env.add(Caller(server, '-n', 3, '--same-conf', '--seconds', 6,
                       '--hold', '1:3', '--hold-call', 2, '--max-auth-failures', 0,
                       '--expect', 'others', '--not', 'own', users=USERS[:3]))

    def legs(state):
        return [leg for c in server.ctl('list')['conferences'] for p in
                server.ctl('show', c['conf'])['participants']
                for leg in p['legs'] if leg['state'] == state]
    held = wait_until('one holds', lambda: legs('on-hold'), 10)
    env.add(Caller(server, '--seconds', 1, '--silent', uri=server.first_conference(),
                   users=('dave',))).result(10)
    newer = wait_until('a newer key while it holds', lambda: [
        leg for leg in legs('on-hold') if leg['epoch'] > held[0]['epoch'] + 1], 3)
    note('   held from epoch %d to %d' % (held[0]['epoch'], newer[0]['epoch']))
    a.result(40)
    server.stop()


def delayed(env, server):
    """INVITE without SDP; the server offers, and sends what bob says to the
    port in our ACK"""
    talker = env.add(Caller(server, '--seconds', 4, users=('bob',)))
    uri = wait_until('the conference', server.first_conference, 10)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as media:
        media.bind(('127.0.0.1', 0))
        port = media.getsockname()[1]
        call = Call(client(env, server, 'carol'), uri)

        def answer(r):
            offered = keys_of(r.body)
            check(re.search(r'^m=audio \d+ RTP/SAVP ', r.body, re.M), r.body)
            check(len(offered) == 4, 'suites offered: %r' % [k[1] for k in offered])
            check(len({k[2] for k in offered}) == 4, 'a key was offered twice')
            pt = re.search(r'^a=rtpmap:(\d+) opus/48000/2', r.body, re.M)[1]
            tag, suite, _ = offered[-1]
            return offer(port, crypto=[crypto(int(tag), suite)],
                         fmts=pt).replace('rtpmap:96 ', 'rtpmap:%s ' % pt)
        r = call.invite(None, ack_body=answer)
        check(r.status == 200 and focus_uri(r), str(r))
        media.settimeout(5)
        got = [media.recv(2048) for _ in range(50)]
        check(sum(map(is_rtp, got)) > 40, 'no media after the ACK')
        check(call.bye().status == 200, 'BYE')
    talker.result(30)
    a = env.add(Caller(server, '-n', 3, '--same-conf', '--seconds', 4,
                       '--delayed-offer', *GOOD, users=USERS[:3]))
    a.result(40)


def ipv6(env, demo):
    if not lib.have_ipv6():
        note('no IPv6 on this machine: left out')
        return
    text = lib.read_text(os.path.join(demo.dir, 'conclave.conf'))
    text = re.sub(r'listen = .*', 'listen = {"tls:[::1]:0"}', text)
    text = re.sub(r'media_address = .*', 'media_address = {"127.0.0.1", "::1"}', text)
    text = text.replace('domains = {', 'domains = {"::1", ')
    text = text.replace('@127.0.0.1', '@[::1]')
    text = text.replace('realm = "127.0.0.1"', 'realm = "::1"')
    text = text.replace('/ctl"', '/six.ctl"')
    conf = env.path('six.conf')
    with open(conf, 'w') as f:
        f.write(text)
    server = env.server('six', conf=conf)
    for name in ('ca.pem', 'users'):
        os.makedirs(server.dir, exist_ok=True)
        os.symlink(os.path.join(demo.dir, name), os.path.join(server.dir, name))
    talk(env, server)
    calls_by_its_name(env, server)
    server.stop()


def calls_by_its_name(env, server):
    """A conference whose host is an IPv6 address says so as RFC 3261 section 25.1
    wants it, in brackets: nobody could answer a From without"""
    alice, bob = (client(env, server, u) for u in ('alice', 'bob'))
    call = Call(alice, server.factory)
    r = call.invite(offer(crypto=[crypto()], addr='::1'))
    check(r.status == 200, str(r))
    r = register(bob, ['Contact: <sip:bob@[::1];transport=tls>'],
                 aor='sip:bob@[::1]', domain='[::1]')
    check(r.status == 200, 'REGISTER: %s' % r)
    conf = wait_until('the conference', lambda: [c for c in server.ctl('list')[
        'conferences'] if '@[::1]' in c['uri']], 5)[0]
    check(conf['owner'] == 'sip:alice@[::1]', 'the owner is ' + conf['owner'])
    server.ctl('invite', conf['conf'], 'sip:bob@[::1]')
    m = bob.stray.get(timeout=10)
    check(m.get('From').startswith('<%s>;tag=' % conf['uri']), m.get('From'))
    phone = Incoming(bob, m)
    phone.refuse(486, 'Busy Here')
    check(call.bye().status == 200, 'BYE')
    note('its name: %s' % conf['uri'])


def main(env):
    server = env.server()
    holds(env, server)
    hold_with_sound(env, server)
    held_through_a_rekey(env)
    delayed(env, server)
    ipv6(env, server)


if __name__ == '__main__':
    capture.run(main)
