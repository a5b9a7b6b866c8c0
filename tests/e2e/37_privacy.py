"""Who asks not to be known is not known to the others; and who may say so"""
import json
import re
import subprocess

import lib
from lib import check, note, wait_until
from rawsip import Call, Client, crypto, digest, focus_uri, offer, token
from referee import Notifies, in_dialog, join

ANON = 'sip:anonymous1@anonymous.invalid'
HIDDEN = ['Privacy: id']


def raw(env, server, user, ca=None, passwords=None, **kw):
    return env.add(Client(server.host, server.port, ca=ca or server.ca, user=user,
                          password=(passwords or server).password(user), **kw))


def invite(cli, uri, headers=(), **kw):
    call = Call(cli, uri)
    return call, call.invite(offer(crypto=[crypto()]), headers=list(headers), **kw)


def expect(what, r, status):
    check(r.status == status, '%s: %s, not %d' % (what, r, status))
    note('%s: %s %s' % (what, r.status, r.get('Warning') or ''))


def parts(server):
    conf = server.ctl('list')['conferences'][0]['conf']
    return server.ctl('show', conf)['participants']


def roster(cli, uri):
    """Body of the first NOTIFY of a subscription to the conference"""
    call_id = token() + '@test'
    box = cli.box(call_id)
    more = []
    for n in (1, 2):
        h = ['SUBSCRIBE %s SIP/2.0' % uri,
             'Via: SIP/2.0/TLS %s;branch=z9hG4bK%s;rport' % (
                 cli.local_hostport(), token()),
             'Max-Forwards: 70', 'From: <sip:%s@%s>;tag=%s' % (
                 cli.user, cli.host, token(4)),
             'To: <%s>' % uri, 'Call-ID: %s' % call_id, 'CSeq: %d SUBSCRIBE' % n,
             'Contact: <sip:%s@%s;transport=tls>' % (cli.user, cli.local_hostport()),
             'Event: conference', 'Expires: 0',
             'Accept: application/conference-info+xml', *more, 'Content-Length: 0']
        cli.send('\r\n'.join(h) + '\r\n\r\n')
        m = box.get(timeout=cli.timeout)
        if m.status != 401:
            break
        more = ['Authorization: ' + digest(m.get('WWW-Authenticate'), 'SUBSCRIBE',
                                           uri, cli.user, cli.password)]
    check(m.status == 200, 'SUBSCRIBE: %s' % m)
    m = box.get(timeout=cli.timeout)
    check(m.method == 'NOTIFY', 'no NOTIFY: %s' % m)
    cli.drop(call_id)
    return m.body


def named_by_others(alice, owner, bob, uri):
    """Removing by a guessed identity finds nobody; by the pseudonym it works"""
    call, r = invite(bob, uri, HIDDEN)
    expect('bob, hidden', r, 200)
    for target, want in (('sip:bob@127.0.0.1', 404), (ANON, 200)):
        r = in_dialog(owner, '<%s;method=BYE>' % target)
        check(r.status == 200, 'REFER: %s' % r)
        event = 'refer' if want == 404 else 'refer;id=%d' % owner.refer_cseq
        got = Notifies(owner, event).until_last()
        check(got == want, 'removing %s: %d, not %d' % (target, got, want))
        note('removing %s: %d' % (target, got))
    check(call.wait_request(5).method == 'BYE', 'bob is still in')
    _, r = invite(bob, uri)
    expect('bob, removed under his pseudonym, in the open', r, 403)


def pseudonym(env, server):
    """The others see Anonymous 1, again and again; the operator sees bob"""
    alice, bob = (raw(env, server, u) for u in ('alice', 'bob'))
    owner, r = join(alice, alice.uri('factory'))
    expect('alice', r, 200)
    uri = focus_uri(r)
    for headers in (HIDDEN, ['Privacy: user;critical'],
                    HIDDEN + ['Proxy-Require: privacy']):
        call, r = invite(bob, uri, headers)
        expect('bob, %s' % headers[0], r, 200)
        wait_until('bob is in', lambda: len(parts(server)) == 2, 5)
        p = parts(server)[1]
        check(p['identity'] == 'sip:bob@127.0.0.1' and p['shown_as'] == ANON, p)
        body = roster(alice, uri)
        check('bob' not in body, 'the roster names bob:\n%s' % body)
        check(ANON in body and 'Anonymous 1<' in body, 'no pseudonym:\n%s' % body)
        check(call.bye().status == 200, 'bye')
        wait_until('bob is out', lambda: len(parts(server)) == 1, 5)

    named_by_others(alice, owner, bob, uri)

    # open and hidden at once: two participants, one of them carol
    carol = raw(env, server, 'carol')
    hidden, _ = invite(carol, uri, HIDDEN)
    seen, _ = invite(carol, uri)
    wait_until('carol is in twice', lambda: len(parts(server)) == 3, 5)
    body = roster(alice, uri)
    check('sip:carol@127.0.0.1' in body, body)
    check('sip:anonymous2@anonymous.invalid' in body, body)
    for c in (hidden, seen, owner):
        check(c.bye().status == 200, 'bye')


def refused(env, server):
    alice = raw(env, server, 'alice')
    _, r = invite(alice, alice.uri('factory'), ['Privacy: frobnicate;critical'])
    expect('critical and unknown', r, 500)
    _, r = invite(alice, alice.uri('factory'), ['Privacy: id id'])
    expect('malformed', r, 400)
    _, r = invite(alice, alice.uri('factory'), [
        'P-Asserted-Identity: <sip:bob@127.0.0.1>'], auth=False)
    expect('asserted by a phone', r, 401)


def edited(env, server, name, edit):
    text = lib.read_text(server.dir + '/conclave.conf')
    text = re.sub(r'tls:127\.0\.0\.1:\d+', 'tls:127.0.0.1:0', text)
    text = edit(text.replace('/ctl"', '/%s.ctl"' % name))
    path = env.path(name + '.conf')
    with open(path, 'w') as f:
        f.write(text)
    return env.server(name, conf=path)


def policy(word):
    return lambda t: t.replace('\tfactory = true', '\tfactory = true\n'
                               '\tanonymous = "%s"' % word)


def forbidden(env, server):
    """RFC 5079: whoever vouches for it; but no identity is no anonymity"""
    other = edited(env, server, 'forbid', policy('forbid'))
    alice = raw(env, other, 'alice', server.ca, server)
    _, r = invite(alice, alice.uri('factory'), HIDDEN, auth=False)
    expect('hidden, not authenticated', r, 401)
    _, r = invite(alice, alice.uri('factory'), HIDDEN)
    expect('hidden', r, 433)
    call, r = invite(alice, alice.uri('factory'))
    expect('open', r, 200)
    call.bye()
    other.stop()


def guests(env, server):
    """Without any identity: only anonymously, only where everybody may"""
    other = edited(env, server, 'allow', lambda t: policy('allow')(t).replace(
        'join = {"*@127.0.0.1"}', 'join = {"*@127.0.0.1", "*@anonymous.invalid"}'))
    alice = raw(env, other, 'alice', server.ca, server)
    nobody = raw(env, other, 'carol', server.ca, server)
    _, r = invite(nobody, nobody.uri('factory'), HIDDEN, auth=False)
    expect('a guest who wants to create', r, 401)
    owner, r = invite(alice, alice.uri('factory'))
    uri = focus_uri(r)
    _, r = invite(nobody, uri, auth=False)
    expect('no identity, but not anonymous', r, 401)
    one, r = invite(nobody, uri, HIDDEN, auth=False)
    expect('a guest', r, 200)
    two, r = invite(nobody, uri, HIDDEN, auth=False)
    expect('another guest', r, 200)
    for target in ('sip:bob@127.0.0.1', 'sip:alice@127.0.0.1;method=BYE',
                   'sip:anonymous1@anonymous.invalid;method=BYE'):
        expect('a guest refers to ' + target, in_dialog(two, '<%s>' % target), 403)
    check(not one.ended and not owner.ended, 'somebody was removed by a guest')
    for c in (one, two, owner):
        check(c.bye().status == 200, 'bye')
    other.stop()


def trusted(env, server):
    """A proxy at this address speaks for people of its own"""
    other = edited(env, server, 'peer', lambda t: t.replace(
        'conference factory {', 'trusted_peer "ims" {\n\taddress = {"127.0.0.1"}\n'
        '\tasserts = {"*@ims.example"}\n}\n\nconference factory {').replace(
        '{"*@127.0.0.1"}', '{"*@127.0.0.1", "*@ims.example"}'))
    proxy = raw(env, other, 'alice', server.ca, server)
    pai = 'P-Asserted-Identity: <sip:%s@%s>'
    _, r = invite(proxy, proxy.uri('factory'), [pai % ('bob', '127.0.0.1')], auth=False)
    expect('somebody it may not speak for', r, 403)
    _, r = invite(proxy, proxy.uri('factory'), [
        pai % ('u1', 'ims.example'), pai % ('u2', 'ims.example')], auth=False)
    expect('two identities', r, 403)
    _, r = invite(proxy, proxy.uri('factory'), auth=False)
    expect('nothing asserted', r, 401)
    # a peer that strips P-Asserted-Identity lets this name pass; to libre it is one
    _, r = invite(proxy, proxy.uri('factory'), [
        'Note-6062: <sip:u1@ims.example>'], auth=False)
    expect('asserted by another name', r, 400)
    call, r = invite(proxy, proxy.uri('factory'), [pai % ('u1', 'ims.example')], auth=False)
    expect('asserted', r, 200)
    conf = other_ctl(env, other, 'list')['conferences'][0]
    check(conf['owner'] == 'sip:u1@ims.example', conf)
    # one connection for all of its users: another's dialog is not theirs
    cseq, _ = call.request('BYE', headers=[pai % ('u2', 'ims.example')])
    expect("another user's BYE", call.response(cseq), 403)
    check(call.bye().status == 200, 'bye')
    other.stop()


def other_ctl(env, other, *args):
    r = subprocess.run([lib.program('conclavectl'), '-s',
                            env.path('demo/peer.ctl'), '--json', *args],
                           capture_output=True, text=True, timeout=10)
    check(r.returncode == 0, r.stderr)
    return json.loads(r.stdout)


def main(env):
    server = env.server()
    pseudonym(env, server)
    refused(env, server)
    forbidden(env, server)
    guests(env, server)
    trusted(env, server)


if __name__ == '__main__':
    lib.run(main)
