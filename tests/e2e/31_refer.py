"""REFER to a conference: invite, remove, refer on; who may not"""
import re

import lib
from lib import check, note, wait_until
from pki import certificate
from rawphone import Phone
from rawsip import Client, focus_uri
from referee import Notifies, Refer, in_dialog, join
from roster import Watcher


class Scene:
    def __init__(self, env):
        self.env = env
        self.server = env.server()
        self.pem = certificate(env, self.server, 'phone')
        self.alice = self.client('alice')
        self.call, r = join(self.alice, self.alice.uri('factory'))
        self.uri = focus_uri(r)
        self.conf = self.server.ctl('list')['conferences'][0]['conf']

    def client(self, user):
        s = self.server
        return self.env.add(Client(s.host, s.port, ca=s.ca, user=user,
                                   password=s.password(user)))

    def phone(self, user):
        return Phone(self.env, user, self.pem)

    def states(self):
        """{identity: [state of each leg]}"""
        return {p['identity']: [leg['state'] for leg in p['legs']] for p in
                self.server.ctl('show', self.conf)['participants']}

    def wait_states(self, want):
        wait_until('states %r, not %r' % (want, self.states()),
                   lambda: self.states() == want, 5)


ALICE, BOB, CAROL = ('sip:%s@127.0.0.1' % u for u in ('alice', 'bob', 'carol'))


def invite(sc):
    """Out of dialog, with 180 and 200; Referred-By is passed on"""
    bob = sc.phone('bob')
    refer = Refer(sc.alice, sc.uri)
    r = refer.send('<%s>' % bob.uri(), ['Referred-By: "A" <%s>;x=1' % ALICE])
    check(r.status == 200, 'REFER: %s' % r)
    check(re.search(r';conf-id=\w+>;isfocus$', r.get('Contact')), r.get('Contact'))
    news = Notifies(refer)
    check(news.step() == 100, 'first NOTIFY')
    call = bob.incoming()
    inv = call.invite_msg
    check(inv.get('Referred-By') == '"A" <%s>;x=1' % ALICE, 'Referred-By')
    check(';isfocus' in inv.get('Contact'), 'no isfocus in the INVITE')
    check(inv.get('From').startswith('<sip:'), inv.get('From'))
    check('RTP/SAVP ' in inv.body and 'RTP/AVP' not in inv.body, inv.body)
    sc.wait_states({ALICE: ['connected'], BOB: ['dialing']})
    call.respond(180, 'Ringing')
    check(news.step() == 180, 'no 180 in a NOTIFY')
    sc.wait_states({ALICE: ['connected'], BOB: ['ringing']})
    call.accept()
    check(news.until_last() == 200, 'last NOTIFY %r' % news.frags)
    sc.wait_states({ALICE: ['connected'], BOB: ['connected']})
    note('invite: sipfrags %r' % news.frags)
    return bob, call


def failures(sc):
    """What the called one says comes back; a bad answer is hung up"""
    carol = sc.phone('carol')
    for status, reason in ((486, 'Busy Here'), (404, 'Not Found'), (603, 'Decline')):
        refer = Refer(sc.alice, sc.uri)
        check(refer.send('<%s>' % carol.uri()).status == 200, 'REFER')
        carol.incoming().refuse(status, reason)
        check(Notifies(refer).until_last() == status, 'not %d' % status)
    for what, spoil in (('key', lambda t: t.replace('a=crypto:1 ', 'a=crypto:77 ')),
                        ('protection', lambda t: re.sub(
                            r'a=crypto.*\r\n', '', t).replace('SAVP', 'AVP'))):
        refer = Refer(sc.alice, sc.uri)
        check(refer.send('<%s>' % carol.uri()).status == 200, 'REFER')
        call = carol.incoming()
        call.accept(spoil(call.good_answer()))
        bye = call.wait_request(5)
        check(bye.method == 'BYE', 'answer without its %s: %s' % (what, bye))
        check(Notifies(refer).until_last() == 488, 'without its %s' % what)
    note('486, 404, 603 and bad answers come back as such')


def redirects(sc):
    """A 3xx is a new target, and policy decides anew"""
    bob, dave = sc.phone('bob2'), sc.phone('dave')
    for contact, want in ((dave.uri(), 200), ('sip:eve@192.0.2.1', 302),
                          (sc.uri, 302)):
        refer = Refer(sc.alice, sc.uri)
        check(refer.send('<%s>' % bob.uri()).status == 200, 'REFER')
        bob.incoming().refuse(302, 'Moved Temporarily',
                              headers=['Contact: <%s>' % contact])
        if want == 200:
            call = dave.incoming()
            call.accept()
        check(Notifies(refer).until_last() == want, '302 to %s' % contact)
    call.bye()
    note('302 to somebody allowed is followed, to others not')


def remove(sc, bob_call):
    """In the dialog of the owner; the second one has an id"""
    r = in_dialog(sc.call, '<sip:nobody@127.0.0.1;method=BYE>')
    check(r.status == 200, 'REFER BYE: %s' % r)
    check(Notifies(sc.call).until_last() == 404, 'unknown participant')
    r = in_dialog(sc.call, '<%s;method=BYE>' % BOB)
    check(r.status == 200, 'REFER BYE: %s' % r)
    bye = bob_call.wait_request(5)
    check(bye.method == 'BYE' and 'Removed' in (bye.get('Reason') or ''), str(bye))
    news = Notifies(sc.call, 'refer;id=%d' % sc.call.refer_cseq)
    check(news.until_last() == 200, 'removed')
    sc.wait_states({ALICE: ['connected']})
    r = join_status(sc, 'bob')
    check(r == 403, 'the removed one is back: %s' % r)
    note('removed, and cannot come back')


def join_status(sc, user):
    from rawsip import Call, crypto, offer
    return Call(sc.client(user), sc.uri).invite(offer(crypto=[crypto()])).status


def cancel(sc):
    """REFER BYE of somebody who rings is a CANCEL"""
    carol = sc.phone('carol')
    refer = Refer(sc.alice, sc.uri)
    check(refer.send('<%s>' % carol.uri()).status == 200, 'REFER')
    call = carol.incoming()
    call.respond(180, 'Ringing')
    sc.wait_states({ALICE: ['connected'], CAROL: ['ringing']})
    bye = Refer(sc.alice, sc.uri)
    check(bye.send('<%s;method=BYE>' % CAROL).status == 200, 'REFER BYE')
    m = call.next(5)
    check(m.method == 'CANCEL', 'no CANCEL but %s' % m)
    call.respond(200, 'OK', req=m)
    call.refuse(487, 'Request Terminated')
    check(Notifies(refer).until_last() == 487, 'the cancelled one')
    check(Notifies(bye).until_last() == 200, 'the one who cancelled')
    note('a ringing one is cancelled')


def refer_on(sc):
    """method=REFER: the focus asks somebody to call in"""
    carol = sc.phone('carol')
    refer = Refer(sc.alice, sc.uri)
    to = '%3C' + sc.uri.replace(';', '%3B').replace('=', '%3D') + '%3E'
    r = refer.send('<%s;method=REFER?Refer-To=%s>' % (carol.uri(), to))
    check(r.status == 200, 'REFER REFER: %s' % r)
    conn, m = carol.next()
    check(m.method == 'REFER', str(m))
    check(m.get('Refer-To') == '<%s>' % sc.uri, m.get('Refer-To'))
    check(m.get('Refer-Sub') == 'false', 'Refer-Sub')
    conn.send('\r\n'.join(
        ['SIP/2.0 202 Accepted'] + ['Via: ' + v for v in m.all('Via')] +
        ['To: %s;tag=x' % m.get('To')] + ['%s: %s' % (n, m.get(n)) for n in
                                          ('From', 'Call-ID', 'CSeq')] +
        ['Content-Length: 0', '', '']))
    check(Notifies(refer).until_last() == 200, 'REFER on')
    note('REFER on: 202 counts as 200')


def silence(sc):
    """Nobody wants NOTIFYs: none come"""
    carol = sc.phone('carol')
    for headers in (['Refer-Sub: false', 'Supported: norefersub'],
                    ['Require: nosub']):
        refer = Refer(sc.alice, sc.uri)
        r = refer.send('<%s>' % carol.uri(), headers)
        check(r.status == 200 and r.get('Refer-Sub') == 'false', '%s' % r)
        carol.incoming().refuse(486, 'Busy Here')
        sc.wait_states({ALICE: ['connected']})
        check(refer.box.empty(), 'a NOTIFY nobody wanted')
    r = Refer(sc.alice, sc.uri).send('<%s>' % carol.uri(), ['Require: explicitsub'])
    check(r.status == 420, 'explicitsub: %s' % r)
    note('norefersub and nosub: no NOTIFY; explicitsub: 420')


def outlives(sc):
    """The BYE of a call does not end the subscription of a REFER in it"""
    dave, _ = join(sc.client('dave'), sc.uri)
    carol = sc.phone('carol')
    check(in_dialog(dave, '<%s>' % carol.uri()).status == 200, 'REFER')
    call = carol.incoming()
    news = Notifies(dave)
    check(news.step() == 100, 'first NOTIFY')
    cseq, _ = dave.request('BYE')
    check(dave.response(cseq).status == 200, 'BYE')
    call.accept()
    check(news.until_last() == 200, 'NOTIFY after the BYE: %r' % news.frags)
    call.bye()
    note('NOTIFYs outlive the call')


def hangs_up_on_success(sc):
    """refer_results = false: told of a 2xx, such a client would end its call"""
    carol = sc.phone('carol')
    sc.call.agent = 'Linphone/1.0'
    for what, refuse, want in (('486', True, 486), ('200', False, 100)):
        r = in_dialog(sc.call, '<%s>' % carol.uri())
        check(r.status == 200, 'REFER: %s' % r)
        news = Notifies(sc.call, 'refer;id=%d' % sc.call.refer_cseq)
        call = carol.incoming()
        if refuse:
            call.refuse(486, 'Busy Here')
        else:
            call.accept()
        check(news.until_last() == want, '%s was told as %r' % (what, news.frags))
    sc.call.agent = 'raw'
    call.bye()
    sc.wait_states({ALICE: ['connected']})
    note('a client that hangs up on success is told of failure alone')


def no_dialog(sc):
    """REFER in no dialog; SUBSCRIBE to a REFER that was not"""
    refer = Refer(sc.alice, sc.uri)
    refer.to += ';tag=nothing'
    r = refer.send('<%s;method=BYE>' % ALICE)
    check(r.status == 481, 'REFER in no dialog: %s' % r)
    sub = Watcher(sc.alice, sc.uri)
    r = sub.subscribe(event='refer', headers=())
    check(r.status == 403, 'SUBSCRIBE to refer: %s' % r)
    note('REFER in no dialog: 481; SUBSCRIBE to refer: 403')


def locked(sc):
    """Members cannot open what is locked, and nobody by a redirection"""
    dave, _ = join(sc.client('dave'), sc.uri)
    carol = sc.phone('carol')
    sc.server.ctl('lock', sc.conf)
    r = Refer(dave.cli, sc.uri).send('<%s>' % carol.uri())
    check(r.status == 403 and carol.quiet(), 'a member opens a locked one: %s' % r)
    r = Refer(dave.cli, sc.uri).send('<%s;method=BYE>' % ALICE)
    check(r.status == 403, 'a member removes the owner: %s' % r)
    refer = Refer(sc.alice, sc.uri)
    check(refer.send('<%s>' % carol.uri()).status == 200, 'the owner opens it')
    carol.incoming().refuse(302, 'Moved', headers=['Contact: <%s>' % carol.uri('erin')])
    check(Notifies(refer).until_last() == 302, 'redirected into a locked one')
    sc.server.ctl('unlock', sc.conf)
    dave.bye()
    note('locked: for its owner to open')


def refused(sc):
    bob = sc.phone('bob3')
    own = '<sip:factory@127.0.0.1:%d>' % sc.server.port
    conf = '<%s>' % sc.uri
    cases = [
        ('no Refer-To', None, 400),
        ('two URIs', '<%s>, <%s>' % (bob.uri(), bob.uri()), 400),
        ('no SIP', '<https://127.0.0.1/>', 400),
        ('bad method', '<%s;method=MESSAGE>' % bob.uri(), 400),
        ('outside policy', '<sip:eve@192.0.2.1>', 403),
        ('the conference', conf, 403),
        ('the factory', own, 403),
        ('Route', '<%s?Route=%%3Csip:127.0.0.1%%3Blr%%3E>' % bob.uri(), 403),
        ('From', '<%s?From=sip:eve@127.0.0.1>' % bob.uri(), 403),
        ('body', '<%s?body=v%%3D0>' % bob.uri(), 403),
        ('CRLF', '<%s?Replaces=a%%0D%%0AX:%%20y>' % bob.uri(), 400),
        ('bad Replaces', '<%s?Replaces=abc>' % bob.uri(), 400),
        ('UDP', '<%s;transport=udp>' % bob.uri(), 488),
        ('REFER elsewhere', '<%s;method=REFER?Refer-To=sip:eve%%40192.0.2.1>' %
         bob.uri(), 403),
    ]
    for what, to, status in cases:
        refer = Refer(sc.alice, sc.uri)
        r = refer.send(to)
        if what == 'UDP':
            check(r.status == 200, 'UDP: %s' % r)
            check(Notifies(refer).until_last() == 488, 'UDP')
        else:
            check(r.status == status, '%s: %s' % (what, r))
        note('%s: %s' % (what, status))
    r = Refer(sc.alice, sc.alice.uri('factory')).send('<%s>' % bob.uri())
    check(r.status == 403, 'REFER to the factory: %s' % r)
    r = Refer(sc.alice, sc.alice.uri('nothing-here')).send('<%s>' % bob.uri())
    check(r.status == 404, 'REFER to nothing: %s' % r)
    check(bob.quiet() and not bob.refused, 'somebody was called')
    sc.wait_states({ALICE: ['connected']})


def strangers(sc):
    """Not a member: 403, in whatever way; with sniffed ids too"""
    bob = sc.client('dave')
    r = Refer(bob, sc.uri).send('<%s;method=BYE>' % ALICE)
    check(r.status == 403, 'a stranger removes: %s' % r)
    r = Refer(bob, sc.uri).send('<sip:dave@127.0.0.1:5>')
    check(r.status == 403, 'a stranger invites itself: %s' % r)
    r = Refer(bob, sc.uri).send('<sip:bob@127.0.0.1:5>', auth=False)
    check(r.status == 401, 'no credentials: %s' % r)
    for method, want in (('REFER', (401, 403)), ('BYE', (401, 403))):
        # alice's dialog as it was seen on the wire, from another connection
        spy = Refer(bob, sc.uri)
        spy.call_id, spy.from_tag = sc.call.call_id, sc.call.from_tag
        spy.box = bob.box(spy.call_id)
        spy.to, spy.target = sc.call.to, sc.call.target
        spy.cseq = 100
        if method == 'REFER':
            r = spy.send('<%s;method=BYE>' % ALICE)
        else:
            r = spy.bye()
        check(r.status in want, 'sniffed dialog, %s: %s' % (method, r))
        note('sniffed dialog, %s: %s' % (method, r.status))
    sc.wait_states({ALICE: ['connected']})
    check(not sc.call.ended, 'the victim was hung up')


def rate(sc):
    """A burst is allowed, then one after the other"""
    got = []
    for _ in range(100):
        r = Refer(sc.alice, sc.uri).send('<sip:eve@192.0.2.1>')
        got.append(r.status)
        if r.status == 503:
            check(r.get('Retry-After'), '503 without Retry-After')
            break
    check(503 in got, 'no limit: %r' % got)
    note('one user: %d REFERs, then 503' % (len(got) - 1))


def main(env):
    sc = Scene(env)
    bob, call = invite(sc)
    remove(sc, call)
    failures(sc)
    for part in (redirects, cancel, refer_on, silence, locked,
                 hangs_up_on_success, outlives, no_dialog):
        sc.wait_states({ALICE: ['connected']})
        part(sc)
    refused(sc)
    strangers(sc)
    rate(sc)


if __name__ == '__main__':
    lib.run(main)
