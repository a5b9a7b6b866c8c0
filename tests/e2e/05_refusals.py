"""What a secure conference refuses, from outside, with its status code"""
import os
import re
import subprocess

import lib
from lib import check, note
from rawsip import (Call, Client, crypto, focus_uri, keys_of, new_key,
                    offer, parse_auth)


class Scene:
    def __init__(self, env):
        self.env = env
        self.server = env.server()
        self.pw = self.server.password('alice')
        self.cli = self.client()
        self.idle = self.state()

    def client(self, user='alice', **kw):
        s = self.server
        return self.env.add(Client(s.host, s.port, ca=s.ca, user=user,
                                   password=s.password(user), **kw))

    def call(self, user='factory'):
        return Call(self.cli, self.cli.uri(user))

    def state(self):
        """What must be as before after a refusal"""
        st = self.server.ctl('stats')
        return {k: st.get(k) for k in ('conferences', 'calls')}

    def refused(self, what, sdp, status=488, warning=True, **kw):
        r = self.call().invite(sdp, **kw)
        check(r.status == status, '%s: %s, not %d' % (what, r, status))
        if warning:
            check(r.get('Warning'), '%s: no Warning header' % what)
        note('%s: %s %s' % (what, r.status, r.get('Warning') or ''))
        check(self.state() == self.idle, '%s: something was allocated: %r' %
              (what, self.state()))
        return r

    def taken(self, what, sdp, **kw):
        call = self.call()
        r = call.invite(sdp, **kw)
        check(r.status == 200, '%s: %s' % (what, r))
        note('%s: %s' % (what, r.status))
        return call, r


def bad_lines():
    """(what, value of the a=crypto line)"""
    ok = new_key()
    gcm = new_key('AEAD_AES_256_GCM')
    return [
        ('UNENCRYPTED_SRTP', crypto(tail=' UNENCRYPTED_SRTP')),
        ('UNENCRYPTED_SRTCP', crypto(tail=' UNENCRYPTED_SRTCP')),
        ('UNAUTHENTICATED_SRTP', crypto(tail=' UNAUTHENTICATED_SRTP')),
        ('unencrypted_srtp in small letters', crypto(tail=' unencrypted_srtp')),
        ('key too short', crypto(key=ok[:-4])),
        ('key too long', crypto(key=ok + 'AAAA')),
        ('key of another suite', crypto(key=gcm)),
        ('empty key', '1 AES_CM_128_HMAC_SHA1_80 inline:'),
        ('bad base64', crypto(key='!' + ok[1:])),
        ('no inline', '1 AES_CM_128_HMAC_SHA1_80 ' + ok),
        ('suite F8', crypto().replace('AES_CM_128', 'F8_128')),
        ('NULL cipher', crypto().replace('AES_CM_128', 'NULL')),
        ('weak tag', crypto().replace('SHA1_80', 'SHA1_32')),
        ('unknown session parameter', crypto(tail=' FROBNICATE')),
        ('lifetime 0', crypto(tail='|0')),
        ('MKI of length 0', crypto(tail='|1:0')),
        ('MKI of length 129', crypto(tail='|1:129')),
    ]


def sdp_refusals(sc):
    sc.refused('plain RTP/AVP', offer(proto='RTP/AVP'))
    sc.refused('RTP/AVP with a=crypto', offer(proto='RTP/AVP', crypto=[crypto()]))
    sc.refused('RTP/SAVP without a=crypto', offer())
    for what, line in bad_lines():
        sc.refused(what, offer(crypto=[line]))
    sc.refused('two lines with one tag', offer(
        crypto=[crypto(1), crypto(1)]))
    key = new_key()
    for what, line in bad_lines()[:9]:
        call, r = sc.taken(what + ', then a good line', offer(
            crypto=[line, crypto(2, key=key)]))
        got = keys_of(r.body)
        check(len(got) == 1 and got[0][0] == '2', 'answer: %r' % got)
        check(got[0][2] != key, 'our key came back')
        call.bye()


def downgrade(sc):
    """Nobody gets out of SRTP in mid-call, and the call goes on"""
    call, _ = sc.taken('an offer', offer(crypto=[crypto()]))
    for n, (what, sdp) in enumerate((
            ('RTP/AVP', dict(proto='RTP/AVP')), ('no key', {}),
            ('UNENCRYPTED_SRTP', dict(crypto=[crypto(tail=' UNENCRYPTED_SRTP')])))):
        r = call.reinvite(offer(version=2 + n, **sdp))
        check(r.status == 488, 're-INVITE, %s: %s' % (what, r))
        note('re-INVITE, %s: %s' % (what, r.status))
    r = call.reinvite(offer(crypto=[crypto()], version=9))
    check(r.status == 200, 'the call suffered: %s' % r)
    call.bye()


def own_key_back(sc):
    """A key of the server's is never accepted as a client's"""
    call, r = sc.taken('an offer', offer(crypto=[crypto()]))
    (_, _, theirs), = keys_of(r.body)
    r = call.reinvite(offer(crypto=[crypto(key=theirs)], version=2))
    check(r.status == 488, 'own key back in a re-INVITE: %s' % r)
    note('own key back in a re-INVITE: %s' % r.status)
    check(call.bye().status == 200, 'the call did not live on')


def delayed_answer(sc, what, make):
    """Our answer, in the ACK, is bad: the server ends the call and says why"""
    call = sc.call()
    r = call.invite(None, ack_body=lambda r: make(keys_of(r.body)))
    check(r.status == 200, '%s: %s' % (what, r))
    req = call.wait_request(5)
    check(req.method == 'BYE', '%s: %s' % (what, req))
    check(req.get('Reason'), '%s: BYE without Reason' % what)
    note('%s: BYE, %s' % (what, req.get('Reason')))


def bad_answers(sc):
    def other_suite(keys):
        have = [k[1] for k in keys]
        check('AES_CM_128_HMAC_SHA1_32' not in have, 'weak suite offered')
        return offer(crypto=[crypto(1, 'AES_CM_128_HMAC_SHA1_32')])

    def other_tag(keys):
        return offer(crypto=[crypto(77, keys[0][1])])

    delayed_answer(sc, 'answer with a suite nobody offered', other_suite)
    delayed_answer(sc, 'answer with a tag nobody offered', other_tag)
    delayed_answer(sc, "answer with the server's key", lambda keys: offer(
        crypto=[crypto(int(keys[0][0]), keys[0][1], keys[0][2])]))
    delayed_answer(sc, 'answer without a key', lambda keys: offer())
    delayed_answer(sc, 'answer with two lines', lambda keys: offer(
        crypto=[crypto(int(k[0]), k[1]) for k in keys[:2]]))
    delayed_answer(sc, 'answer in RTP/AVP', lambda keys: offer(proto='RTP/AVP'))


def credentials(sc):
    sdp = offer(crypto=[crypto()])
    r = sc.refused('no credentials', sdp, 401, warning=False, auth=False)
    algs = [parse_auth(v).get('algorithm', 'MD5') for v in r.all('WWW-Authenticate')]
    check(algs == ['MD5'], 'the demo challenges with %r' % algs)
    shape = []
    for what, user in (('wrong password', 'alice'), ('unknown user', 'nobody')):
        call = Call(sc.cli, sc.cli.uri('factory'), user=user)
        r = call.invite(sdp, password='not-it')
        check(r.status in (401, 403), '%s: %s' % (what, r))
        names = [n for n, _ in r.headers]
        keys = [sorted(parse_auth(v)) for v in r.all('WWW-Authenticate')]
        shape.append((r.start, names, keys))
        note('%s: %s' % (what, r.status))
        check(sc.state() == sc.idle, '%s: something was allocated' % what)
    check(shape[0] == shape[1], 'wrong password and unknown user differ: %r' % shape)


def unknown_conference(sc):
    r = sc.call('conf-that-was-never-made').invite(offer(crypto=[crypto()]))
    check(r.status == 404, 'unknown conference: %s' % r)
    note('unknown conference: %s' % r.status)


def others_unaffected(sc):
    """A good call made before all that is still there and can hang up"""
    call, r = sc.taken('a good call', offer(crypto=[crypto()]))
    uri = focus_uri(r)
    user = re.match(r'sip:([^@]+)@', uri)[1]
    check(len(user) >= 20, 'guessable conference URI %s' % uri)
    return call


def edited(sc, name, edit):
    """The demo's configuration, changed"""
    text = lib.read_text(os.path.join(sc.server.dir, 'conclave.conf'))
    text = re.sub(r'tls:127\.0\.0\.1:\d+', 'tls:127.0.0.1:0', text)
    text = text.replace('/ctl"', '/%s.ctl"' % name)
    text = edit(text)
    path = sc.env.path(name + '.conf')
    with open(path, 'w') as f:
        f.write(text)
    return path


def not_a_member(sc):
    conf = edited(sc, 'members', lambda t: re.sub(
        r'(create|join) = \{[^}]*\}', r'\1 = {"sip:bob@127.0.0.1"}', t))
    server = sc.env.server('members', conf=conf)
    for user, status in (('bob', 200), ('alice', 403)):
        cli = sc.env.add(Client(server.host, server.port, ca=sc.server.ca,
                                user=user, password=sc.server.password(user)))
        r = Call(cli, cli.uri('factory')).invite(offer(crypto=[crypto()]))
        check(r.status == status, '%s: %s, not %d' % (user, r, status))
        note('%s, members are bob alone: %s' % (user, r.status))
    server.stop()


def clear_transports(sc):
    tcp, udp = lib.free_port(), lib.free_port()
    conf = edited(sc, 'clear', lambda t: t.replace(
        'listen = {', 'listen = {"tcp:127.0.0.1:%d", "udp:127.0.0.1:%d", ' % (tcp, udp)))
    server = sc.env.server('clear', conf=conf)
    for transport, port in (('tcp', tcp), ('udp', udp)):
        cli = sc.env.add(Client('127.0.0.1', port, transport=transport,
                                user='alice', password=sc.pw))
        key = new_key()
        r = Call(cli, cli.uri('factory')).invite(offer(crypto=[crypto(key=key)]))
        check(key not in lib.read_text(server.log), 'the log has the key')
        check(r.status in (403, 488), 'a=crypto over %s: %s' % (transport, r))
        check('inline:' not in r.body, 'a key over ' + transport)
        note('a=crypto over %s: %s %s' % (transport, r.status, r.get('Warning') or ''))
    server.stop()


def bad_start(sc, what, conf, want):
    """conclaved ends at once and says file, line and reason"""
    r = subprocess.run([lib.program('conclaved'), '-f', conf],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       timeout=lib.READY_S)
    check(r.returncode not in (0, None), '%s: it started' % what)
    check(r.returncode > 0, '%s: it crashed (%d)' % (what, r.returncode))
    check(re.search(want, r.stderr), '%s: %r' % (what, r.stderr[-400:]))
    note('%s: exit %d, %s' % (what, r.returncode, r.stderr.strip().split('\n')[-1]))


def bad_configs(sc):
    line = re.escape(sc.env.dir) + r'/%s\.conf:%s: \S'
    missing = sc.env.path('nothing-here.pem')

    def cert(to):
        return lambda t: re.sub(r'tls_certificate = .*', 'tls_certificate = "%s"' % to, t)
    bad_start(sc, 'unknown setting',
              edited(sc, 'unknown', lambda t: 'frobnicate = 3\n' + t),
              line % ('unknown', 1))
    bad_start(sc, 'no number',
              edited(sc, 'number', lambda t: 'max_calls = many\n' + t.replace(
                  'max_calls = 100000\n', '')), line % ('number', 1))
    bad_start(sc, 'missing certificate', edited(sc, 'cert', cert(missing)),
              line % ('cert', r'\d+'))
    junk = sc.env.path('junk.pem')
    with open(junk, 'w') as f:
        os.fchmod(f.fileno(), 0o600)
        f.write('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
    bad_start(sc, 'unreadable certificate', edited(sc, 'junk', cert(junk)),
              line % ('junk', r'\d+'))
    bad_start(sc, 'no such file', sc.env.path('absent.conf'), r'absent\.conf\S* \S')


def main(env):
    sc = Scene(env)
    good = others_unaffected(sc)
    sc.idle = sc.state()
    sdp_refusals(sc)
    downgrade(sc)
    own_key_back(sc)
    bad_answers(sc)
    credentials(sc)
    unknown_conference(sc)
    check(sc.state() == sc.idle, 'state after all refusals: %r' % sc.state())
    check(not good.ended and good.bye().status == 200, 'the good call suffered')
    not_a_member(sc)
    clear_transports(sc)
    bad_configs(sc)


if __name__ == '__main__':
    lib.run(main)
