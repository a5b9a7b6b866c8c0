"""Coming in: limits, reserved URIs, twice the same one, sips, an owner who vanishes"""
import re

import lib
from confedit import edited_server
from lib import check, note, wait_until
from rawsip import Call, crypto, focus_uri, offer
from referee import Notifies, Refer, in_dialog, join
from regphone import RegPhone, raw

DIAL_S = 500        # dial_timeout

ROOM = '''
conference room {
	uri = "sip:room@127.0.0.1"
	create = {"sip:carol@127.0.0.1"}
	join = {"*@127.0.0.1"}
	owner_leaves = "stay"
}
conference vault {
	uri = "sip:vault@127.0.0.1"
	create = {"*@127.0.0.1"}
	join = {"*@127.0.0.1"}
	keying = "group"
}
'''


def edit(text):
    for name, n in (('max_conferences', 2), ('max_calls', 4), ('max_participants', 3)):
        text = re.sub(name + r' = \d+', '%s = %d' % (name, n), text)
    text = 'dial_timeout = %d\n' % DIAL_S + text
    return text.replace('refer = {"members"}', 'refer = {"owner"}') + ROOM


class Scene:
    def __init__(self, env):
        self.env, demo = env, env.server()
        self.server = edited_server(env, demo, 'entry', edit)

    def client(self, user):
        return raw(self.env, self.server, user)

    def dial(self, user, uri, status=200, headers=()):
        """Final response to an INVITE of this user"""
        call = Call(self.client(user), uri)
        r = call.invite(offer(crypto=[crypto()]), headers)
        check(r.status == status, '%s calls %s: %s, not %d' % (user, uri, r, status))
        return call, r

    def legs(self, user):
        """Of all participants with this identity"""
        return [len(p['legs']) for c in self.server.ctl('list')['conferences']
                for p in self.server.ctl('show', c['conf'])['participants']
                if p['identity'].startswith('sip:%s@' % user)]

    def idle(self):
        wait_until('nothing is left', lambda: not
                   self.server.ctl('list')['conferences'], 5)


def limits(sc):
    """503 with Retry-After where the server is full, 486 where a conference is"""
    factory, room = sc.server.factory, sc.server.uri('room')
    alice, r = sc.dial('alice', factory)
    uri = focus_uri(r)
    calls = [alice, sc.dial('bob', uri)[0], sc.dial('carol', uri)[0]]
    sc.dial('dave', uri, 486)
    note('max_participants: 486')
    carol, _ = sc.dial('carol', room)
    for what, target in (('max_conferences', factory), ('max_calls', room)):
        _, r = sc.dial('dave', target, 503)
        check(r.get('Retry-After'), '%s: no Retry-After' % what)
        note('%s: 503, Retry-After: %s' % (what, r.get('Retry-After')))
    carol.bye()
    wait_until('the room is closed', lambda: len(sc.server.ctl('list')
                                                 ['conferences']) == 1, 5)
    sc.dial('dave', room, 403)
    for c in reversed(calls):
        check(c.bye().status == 200, 'a refusal hurt somebody else')
    sc.idle()


def reserved(sc):
    """The first caller opens it, if he may; the next one too; no other URI"""
    room = sc.server.uri('room')
    for _ in range(2):
        sc.dial('dave', room, 403)
        carol, r = sc.dial('carol', room)
        check('sip:room@' in focus_uri(r), focus_uri(r))
        dave, _ = sc.dial('dave', room)
        carol.bye()
        check(sc.legs('dave') == [1], 'it ended with its opener')
        dave.bye()
        sc.idle()
    sc.dial('carol', sc.server.uri('room2'), 404)
    note('a reserved URI is opened by its first caller, again and again')


def twice(sc):
    """One participant with two calls; removed with both; and by himself"""
    alice, r = join(sc.client('alice'), sc.server.factory)
    uri = focus_uri(r)
    bobs = [sc.dial('bob', uri)[0] for _ in range(2)]
    check(sc.legs('bob') == [2], 'bob is there %r times' % sc.legs('bob'))
    bobs[0].bye()
    wait_until('one is left', lambda: sc.legs('bob') == [1], 5)
    bobs[0] = sc.dial('bob', uri)[0]
    r = Refer(sc.client('bob'), uri).send('<sip:alice@127.0.0.1;method=BYE>')
    check(r.status == 403, 'no owner removes another: %s' % r)
    r = in_dialog(alice, '<sip:bob@127.0.0.1;method=BYE>')
    check(r.status == 200 and Notifies(alice).until_last() == 200, 'REFER: %s' % r)
    for c in bobs:
        check(c.wait_request(5).method == 'BYE', 'a call of bob stays')
    check(sc.legs('bob') == [], 'bob is still there')
    dave, _ = sc.dial('dave', uri)
    refer = Refer(dave.cli, uri)
    check(refer.send('<sip:dave@127.0.0.1;method=BYE>').status == 200, 'himself')
    check(dave.wait_request(5).method == 'BYE' and
          Notifies(refer).until_last() == 200, 'dave is still there')
    sc.dial('dave', uri)[0].bye()
    alice.bye()
    sc.idle()
    note('two calls of one user are one participant, removed with both')


def patient(sc):
    """Whoever refers hears the result, however long it may ring"""
    alice, r = join(sc.client('alice'), sc.server.factory)
    bob = RegPhone(sc.env, sc.server, 'bob', 'bob')
    r = in_dialog(alice, '<sip:bob@127.0.0.1>')
    check(r.status == 200, 'REFER: %s' % r)
    m = alice.next(5)
    alice.reply(m, 200, 'OK')
    left = re.match(r'active;expires=(\d+)$', m.get('Subscription-State') or '')
    check(left and int(left[1]) > DIAL_S, '%s %s' % (m, m.get('Subscription-State')))
    bob.incoming().refuse(486, 'Busy Here')
    alice.bye()
    bob.cli.close()
    sc.idle()
    note('a REFER is told of for %s s, as a call may ring for %d' % (left[1], DIAL_S))


def referred(sc):
    """Who was told the URI by somebody says so, and has no right by it"""
    alice, r = join(sc.client('alice'), sc.server.factory)
    says = ['Referred-By: <sip:alice@127.0.0.1>']
    bob, _ = sc.dial('bob', focus_uri(r), headers=says)
    sc.dial('bob', sc.server.uri('room'), 403, headers=['Referred-By: <sip:carol@127.0.0.1>'])
    bob.bye()
    alice.bye()
    sc.idle()
    note('Referred-By of a caller: taken, and it gives no right')


def sips(sc):
    """RFC 3261 section 12.1.1: a sips Contact for whoever asked for sips"""
    factory = sc.server.factory
    for what, uri, headers, want in (
            ('sip', factory, [], 'sip'),
            ('sips', factory.replace('sip:', 'sips:'), [], 'sips'),
            ('Record-Route', factory,
             ['Record-Route: <sips:127.0.0.1;lr>'], 'sips')):
        call, r = sc.dial('alice', uri, headers=headers)
        check(focus_uri(r).split(':')[0] == want, '%s: %s' % (what, r.get('Contact')))
        if what == 'sips':
            guest, r = sc.dial('bob', focus_uri(r))
            check(focus_uri(r).startswith('sips:'), r.get('Contact'))
            r = call.reinvite(offer(crypto=[crypto()], version=2))
            check(r.status == 200 and focus_uri(r).startswith('sips:'), str(r))
            guest.bye()
        call.bye()
        sc.idle()
    note('sips: the Contact is sips, and leads there')


def vanished(sc):
    """An owner whose phone is dead has left, too: the offer of the new group key
    finds nobody"""
    vault = sc.server.uri('vault')
    alice, _ = sc.dial('alice', vault)
    alice.cli.close()
    bob = Call(sc.client('bob'), vault)
    r = bob.invite(offer(crypto=[crypto()]))
    # too late, or just in time to be hung up
    check(r.status == 480 or r.status == 200 and
          bob.wait_request(10).method == 'BYE', 'bob: %s' % r)
    sc.idle()
    ended = re.findall('ev=conf_ended conf=vault.*', lib.read_text(sc.server.log))
    check(len(ended) == 1, 'ended %d times' % len(ended))
    note('an owner who vanishes ends it: %s' % ended[0])


def main(env):
    sc = Scene(env)
    for part in (limits, reserved, twice, patient, referred, sips, vanished):
        part(sc)


if __name__ == '__main__':
    lib.run(main)
