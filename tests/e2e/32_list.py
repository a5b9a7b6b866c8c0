"""INVITE to a factory with a list of people: who is called, who sees whom"""
import re

import lib
from lib import check, note, wait_until
from pki import certificate
from rawphone import Phone
from rawsip import Call, Client, crypto, focus_uri, offer
from roster import Watcher

NS = ('xmlns="urn:ietf:params:xml:ns:resource-lists" '
      'xmlns:cp="urn:ietf:params:xml:ns:copycontrol"')
REQUIRE = ['Require: recipient-list-invite']


def entry(uri, copy=None, anonymize=False):
    return '<entry uri="%s"%s%s/>' % (
        uri, ' cp:copyControl="%s"' % copy if copy else '',
        ' cp:anonymize="true"' if anonymize else '')


def resource_list(*entries):
    return ('<?xml version="1.0" encoding="UTF-8"?>\r\n<resource-lists %s>'
            '<list>%s</list></resource-lists>\r\n' % (NS, ''.join(entries)))


def part(ctype, body, *headers):
    return '\r\n'.join(['Content-Type: ' + ctype, *headers, '', body])


def sdp_part():
    return part('application/sdp', offer(crypto=[crypto()]))


def list_part(xml, handling=''):
    return part('application/resource-lists+xml', xml,
                'Content-Disposition: recipient-list' + handling)


def multipart(boundary, *parts):
    return ''.join('--%s\r\n%s\r\n' % (boundary, p) for p in parts) + \
        '--%s--\r\n' % boundary


# RFC 3261 has 415 for it; baresip says 500
NO_MULTIPART = {'dave': (415, 'Unsupported Media Type'), 'carol': (500, 'Call Error')}


class Scene:
    def __init__(self, env):
        self.env = env
        self.server = env.server()
        self.pem = certificate(env, self.server, 'phone')
        s = self.server
        self.cli = env.add(Client(s.host, s.port, ca=s.ca, user='alice',
                                  password=s.password('alice')))

    def invite(self, body, ctype='multipart/mixed;boundary=x', headers=REQUIRE,
               uri=None):
        call = Call(self.cli, uri or self.cli.uri('factory'))
        call.ctype = ctype
        return call, call.invite(body, headers)

    def idle(self):
        wait_until('no conference', lambda: not
                   self.server.ctl('list')['conferences'], 5)


def called(phone):
    """The INVITE a phone got, and the history list in it"""
    call = phone.incoming()
    ct = call.invite_msg.get('Content-Type')
    if ct == 'application/sdp':
        return call, None
    m = re.match(r'multipart/mixed;boundary="(\w+)"$', ct)
    check(m, ct)
    parts = call.invite_msg.body.split('--' + m[1])
    check('RTP/SAVP' in parts[1], 'no offer first')
    check('Content-Disposition: recipient-list-history; handling=optional'
          in parts[2], parts[2])
    return call, parts[2]


def everybody(sc):
    """to, cc, bcc, anonymous, twice, the creator, one outside policy"""
    phones = {u: Phone(sc.env, u, sc.pem) for u in ('bob', 'carol', 'dave', 'erin')}
    xml = resource_list(
        entry(phones['bob'].uri(), 'to'), entry(phones['carol'].uri(), 'cc'),
        entry(phones['dave'].uri()),
        entry(phones['erin'].uri(params=';method=BYE?Route=sip:x'), 'cc', True),
        entry(phones['bob'].uri(), 'bcc'), entry('sip:alice@127.0.0.1'),
        entry('sip:eve@192.0.2.1', 'to'))
    inner = multipart('y', list_part(xml))
    call, r = sc.invite(multipart('x', part('multipart/mixed;boundary="y"', inner),
                                  sdp_part()))
    check(r.status == 200, 'list INVITE: %s' % r)
    for user, phone in phones.items():
        c, history = called(phone)
        check(c.invite_msg.get('Referred-By') == '<sip:alice@127.0.0.1>', 'Referred-By')
        check('sip:bob@127.0.0.1' in history, 'bob is not listed')
        check('sip:carol@127.0.0.1' in history, 'carol is not listed')
        check('dave' not in history and 'bcc' not in history, 'bcc is shown')
        check('erin' not in history, 'anonymous is shown')
        check('sip:anonymous@anonymous.invalid' in history and
              'cp:count="1"' in history, history)
        # those whose SDP reader knows no multipart are called again without
        if user in NO_MULTIPART:
            c.refuse(*NO_MULTIPART[user])
            c, history = called(phone)
            check(history is None, 'the list again')
        c.accept()
    conf = sc.server.ctl('list')['conferences'][0]['conf']
    want = {'sip:%s@127.0.0.1' % u for u in ('alice', 'bob', 'carol', 'dave', 'erin')}

    def there():
        parts = sc.server.ctl('show', conf)['participants']
        return {p['identity'] for p in parts
                if p['legs'][0]['state'] == 'connected'} == want
    wait_until('five participants', there, 5)
    check(all(p.quiet() for p in phones.values()), 'somebody was called twice')
    shown = {p['identity']: p.get('shown_as') for p in
             sc.server.ctl('show', conf)['participants'] if p.get('shown_as')}
    check(shown == {'sip:erin@127.0.0.1': 'sip:anonymous1@anonymous.invalid'}, shown)
    roster = Watcher(sc.cli, focus_uri(r)).start().docs[-1]
    check('erin' not in roster and 'sip:anonymous1@' in roster and
          'sip:dave@' in roster, 'roster:\n' + roster)
    note('five in one conference, each called once, one under a pseudonym')
    again = Call(sc.cli, focus_uri(r))
    again.ctype = 'multipart/mixed;boundary=x'
    r = again.invite(multipart('x', sdp_part(), list_part(resource_list())), REQUIRE)
    check(r.status == 420 and 'recipient-list-invite' in r.get('Unsupported'),
          'list to a conference: %s' % r)
    call.ctype = 'multipart/mixed;boundary=x'
    r = call.invite(multipart('x', sdp_part(), list_part(resource_list())), REQUIRE)
    check(r.status == 420, 'list in a re-INVITE: %s' % r)
    # RFC 3261 section 8.2.3
    call.ctype = 'text/plain'
    r = call.invite('hello')
    check(r.status == 415 and 'application/sdp' in (r.get('Accept') or ''),
          'text in a re-INVITE: %s, Accept: %s' % (r, r.get('Accept')))
    call.ctype = 'application/sdp'
    check(call.bye().status == 200, 'BYE')
    sc.idle()
    note('420 in a conference and in a re-INVITE')


def anonymous(sc):
    """Whoever hides stays hidden from those who are called"""
    bob = Phone(sc.env, 'bob', sc.pem)
    call, r = sc.invite(multipart('x', sdp_part(), list_part(resource_list(
        entry(bob.uri(), 'to')))), headers=REQUIRE + ['Privacy: id'])
    check(r.status == 200, 'anonymous creator: %s' % r)
    c, _ = called(bob)
    check('anonymous' in c.invite_msg.get('Referred-By'), c.invite_msg.get('Referred-By'))
    check('alice' not in str(c.invite_msg.headers) + c.invite_msg.body, 'alice is named')
    c.accept()
    call.bye()
    sc.idle()
    note('anonymous creator: Referred-By %s' % c.invite_msg.get('Referred-By'))


def list_alone(sc):
    """No SDP: the answer has our offer"""
    bob = Phone(sc.env, 'bob', sc.pem)
    call = Call(sc.cli, sc.cli.uri('factory'))
    call.ctype = 'application/resource-lists+xml'
    headers = REQUIRE + ['Content-Disposition: recipient-list']

    def answer(r):
        call.ctype = 'application/sdp'
        tag, suite, _ = re.search(r'a=crypto:(\d+) (\S+) inline:(\S+)', r.body).groups()
        return offer(crypto=[crypto(int(tag), suite)])
    r = call._invite_once(resource_list(entry(bob.uri())), headers, lambda r: None)
    if r.status == 401:
        from rawsip import digest
        value = digest(r.get('WWW-Authenticate'), 'INVITE', call.target,
                       call.user, sc.cli.password)
        call.ctype = 'application/resource-lists+xml'
        r = call._invite_once(resource_list(entry(bob.uri())), headers +
                              ['Authorization: ' + value], answer)
    check(r.status == 200 and 'a=crypto' in r.body, 'list alone: %s' % r)
    c, history = called(bob)
    check(history is None, 'a list of bcc alone is told')
    c.accept()
    call.bye()
    sc.idle()
    note('a list without SDP')


def refused(sc):
    ok = resource_list(entry('sip:bob@127.0.0.1:5'))
    many = resource_list(*[entry('sip:u%d@127.0.0.1' % i) for i in range(65)])
    deep = list_part(ok)
    for i in range(5):
        deep = part('multipart/mixed;boundary=b%d' % i, multipart('b%d' % i, deep))
    laugh = ('<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
             '<resource-lists %s><list>&b;</list></resource-lists>' % NS)
    cases = [
        ('65 people', multipart('x', sdp_part(), list_part(many)), 413),
        ('DOCTYPE', multipart('x', sdp_part(), list_part(laugh)), 400),
        ('no XML', multipart('x', sdp_part(), list_part('nothing')), 400),
        ('17 parts', multipart('x', sdp_part(), *[part(
            'text/plain', 'x', 'Content-Disposition: icon;handling=optional')] * 17), 413),
        ('deep', multipart('x', sdp_part(), deep), 413),
        ('not closed', '--x\r\n' + sdp_part(), 400),
        ('two SDP', multipart('x', sdp_part(), sdp_part()), 400),
        ('unknown required part', multipart('x', sdp_part(), part('image/png', 'x')), 415),
    ]
    for what, body, status in cases:
        _, r = sc.invite(body)
        check(r.status == status, '%s: %s, not %d' % (what, r, status))
        check(r.get('Warning'), '%s: no Warning' % what)
        note('%s: %d' % (what, status))
    _, r = sc.invite('x', ctype='multipart/mixed')
    check(r.status == 400, 'no boundary: %s' % r)
    body = multipart('x', sdp_part(), part('image/png', 'x', 'Content-Disposition: '
                                           'icon;handling=optional'))
    call, r = sc.invite(body, headers=())
    check(r.status == 200, 'unknown optional part: %s' % r)
    call.bye()
    sc.idle()


def rate(sc):
    """One long list, then the user has to wait"""
    xml = resource_list(*[entry('sip:u%d@192.0.2.1' % i) for i in range(64)])
    got = []
    while 503 not in got and len(got) < 4:
        call, r = sc.invite(multipart('x', sdp_part(), list_part(xml)))
        got.append(r.status)
        if r.status == 200:
            call.bye()
    check(got[0] == 200 and got[-1] == 503 and r.get('Retry-After'), got)
    note('lists of 64: %r' % got)
    sc.idle()


def main(env):
    sc = Scene(env)
    everybody(sc)
    anonymous(sc)
    list_alone(sc)
    refused(sc)
    rate(sc)


if __name__ == '__main__':
    lib.run(main)
