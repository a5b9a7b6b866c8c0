"""Who has several phones hears them all, and has one call; phones behind a proxy"""
import lib
from confedit import edited_server
from lib import check, note, wait_until
from rawsip import focus_uri, keys_of
from referee import Notifies, Refer, join
from regphone import RegPhone, raw

ALICE, BOB = 'sip:alice@127.0.0.1', 'sip:bob@127.0.0.1'


class Scene:
    def __init__(self, env):
        demo = env.server()
        self.env = env
        self.server = edited_server(env, demo, 'hunt',
                                    lambda t: 'dial_timeout = 5\n' + t)
        self.alice = raw(env, self.server, 'alice')
        self.call, r = join(self.alice, self.alice.uri('factory'))
        self.uri = focus_uri(r)
        self.conf = self.server.ctl('list')['conferences'][0]['conf']

    def phone(self, name, params=''):
        return RegPhone(self.env, self.server, 'bob', name, params)

    def refer(self, params=''):
        refer = Refer(self.alice, self.uri)
        r = refer.send('<%s%s>' % (BOB, params))
        check(r.status == 200, 'REFER: %s' % r)
        return Notifies(refer)

    def legs(self):
        """States of bob's calls"""
        return sorted(leg['state'] for p in self.server.ctl('show', self.conf)
                      ['participants'] if p['identity'] == BOB for leg in p['legs'])

    def wait_legs(self, *want):
        wait_until('calls of bob: %r, not %r' % (want, self.legs()),
                   lambda: self.legs() == sorted(want), 5)


def cancelled(call, what, timeout=3):
    """By default sooner than dial_timeout would do it"""
    m = call.next(timeout)
    check(m.method == 'CANCEL', '%s: no CANCEL but %s' % (what, m))
    call.respond(200, 'OK', req=m)
    call.refuse(487, 'Request Terminated')


def first_wins(sc, desk, soft):
    news = sc.refer()
    one, two = desk.incoming(), soft.incoming()
    keys = [{k for _, _, k in keys_of(c.sdp())} for c in (one, two)]
    check(not keys[0] & keys[1], 'two phones were offered the same key')
    sc.wait_legs('dialing', 'dialing')
    for c in (one, two):
        c.respond(180, 'Ringing')
    sc.wait_legs('ringing', 'ringing')
    check([news.step(), news.step()] == [100, 180], 'sipfrags %r' % news.frags)
    two.accept()
    cancelled(one, 'the other phone')
    check(news.until_last() == 200, 'sipfrags %r' % news.frags)
    check(news.frags == [100, 180, 200], 'sipfrags %r' % news.frags)
    sc.wait_legs('connected')
    two.bye()
    sc.wait_legs()
    note('both ring, one answers, the other stops: %r' % news.frags)


def both_answer(sc, desk, soft):
    news = sc.refer()
    calls = [desk.incoming(), soft.incoming()]
    for c in calls:
        c.respond(200, 'OK', c.good_answer())
    check(news.until_last() == 200, 'sipfrags %r' % news.frags)
    for c in calls:
        c.wait_ack()
    sc.wait_legs('connected')
    wait_until('one is hung up', lambda: any(not c.box.empty() for c in calls), 5)
    calls.sort(key=lambda c: c.box.empty())
    check(calls[0].wait_request(5).method == 'BYE', 'no BYE')
    winner = calls[1]
    check(winner.box.empty(), 'both are hung up')
    winner.bye()
    sc.wait_legs()
    note('both answer: one call')


def failures(sc, desk, soft):
    """A phone that is busy is not the person; one that declines is"""
    news = sc.refer()
    one, two = desk.incoming(), soft.incoming()
    one.refuse(480, 'Temporarily Unavailable')
    sc.wait_legs('dialing')
    two.refuse(500, 'Server Internal Error')
    check(news.until_last() == 480, 'best of 480 and 500: %r' % news.frags)
    news = sc.refer()
    one, two = desk.incoming(), soft.incoming()
    two.respond(180, 'Ringing')
    sc.wait_legs('dialing', 'ringing')
    one.refuse(603, 'Decline')
    cancelled(two, 'after a 603')
    check(news.until_last() == 603, '603: %r' % news.frags)
    sc.wait_legs()
    note('480 of 480 and 500; 603 ends it for all')


def redirected(sc, desk, soft):
    """One phone names somebody else, who rings beside the other phone"""
    carol = RegPhone(sc.env, sc.server, 'carol', 'carol')
    to_carol = ['Contact: <sip:carol@127.0.0.1>']
    news = sc.refer()
    one, two = desk.incoming(), soft.incoming()
    two.respond(180, 'Ringing')
    one.refuse(302, 'Moved Temporarily', to_carol)
    call = carol.incoming()
    sc.wait_legs('ringing')
    call.accept()
    cancelled(two, 'she took it')
    check(news.until_last() == 200, 'sipfrags %r' % news.frags)
    call.bye()
    sc.wait_legs()
    # somebody who may not be called: the other phone is what is left
    news = sc.refer()
    one, two = desk.incoming(), soft.incoming()
    one.refuse(302, 'Moved Temporarily', ['Contact: <sip:eve@192.0.2.1>'])
    two.refuse(302, 'Moved Temporarily', to_carol)
    carol.incoming().refuse(486, 'Busy Here')
    check(news.until_last() in (302, 486), 'sipfrags %r' % news.frags)
    sc.wait_legs()
    carol.cli.close()
    note('redirected from one phone: both ring')


def removed(sc, desk, soft, mobile):
    """REFER BYE ends all of it, also what has not rung yet"""
    news = sc.refer()
    calls = [desk.incoming(), soft.incoming()]
    for c in calls:
        c.respond(180, 'Ringing')
    sc.wait_legs('ringing', 'ringing')
    bye = sc.refer(';method=BYE')
    for c in calls:
        cancelled(c, 'removed')
    check(news.until_last() == 487, 'the cancelled ones: %r' % news.frags)
    check(bye.until_last() == 200, 'the one who cancelled')
    sc.wait_legs()
    check(mobile.quiet(), 'the less preferred phone rang')
    note('a ringing one is cancelled on all phones')


def rounds(sc, desk, soft, mobile):
    """The less preferred one rings when the others have failed"""
    news = sc.refer()
    for p in (desk, soft):
        check(mobile.quiet(), 'it rings before its turn')
        p.incoming().refuse(486, 'Busy Here')
    call = mobile.incoming()
    check(news.last is None, 'told too early')
    call.accept()
    check(news.until_last() == 200, 'second round: %r' % news.frags)
    sc.wait_legs('connected')
    call.bye()
    sc.wait_legs()
    news = sc.refer()
    for p in (desk, soft):
        p.incoming().refuse(486, 'Busy Here')
    mobile.incoming().refuse(404, 'Not Found')
    check(news.until_last() == 486, 'best of two rounds: %r' % news.frags)
    note('by q: the next round after the first')


def nobody_answers(sc, desk, soft, mobile):
    """dial_timeout is for the person, not for each phone"""
    news = sc.refer()
    calls = [desk.incoming(), soft.incoming()]
    for c in calls:
        c.respond(180, 'Ringing')
    for c in calls:
        cancelled(c, 'nobody answers', 10)
    last = mobile.incoming()
    last.respond(180, 'Ringing')
    cancelled(last, 'nobody answers the last one', 10)
    check(news.until_last() == 408, 'nobody: %r' % news.frags)
    sc.wait_legs()
    note('nobody answers: 408 after both rounds')


def by_path(sc):
    """Behind a proxy: the Route of RFC 3327, on the connection of the proxy"""
    path = '<sip:edge.test:5061;lr;ob>'
    phone = RegPhone(sc.env, sc.server, 'dave', 'far', headers=(
        'Supported: path', 'Path: ' + path))
    for cancel in (False, True):
        refer = Refer(sc.alice, sc.uri)
        check(refer.send('<sip:dave@127.0.0.1>').status == 200, 'REFER')
        call = phone.incoming()
        check(call.invite_msg.all('Route') == [path], call.invite_msg.all('Route'))
        if not cancel:
            call.respond(200, 'OK', call.good_answer(),
                         headers=['Record-Route: <sip:other.test;lr>'])
            m = call.next(5)
            check(m.method == 'ACK' and m.all('Route') == ['<sip:other.test;lr>'],
                  'ACK by %r' % m.all('Route'))
            check(Notifies(refer).until_last() == 200, 'REFER')
            call.bye()
            continue
        call.respond(180, 'Ringing')
        bye = Refer(sc.alice, sc.uri)
        check(bye.send('<sip:dave@127.0.0.1;method=BYE>').status == 200, 'REFER BYE')
        m = call.next(5)
        check(m.method == 'CANCEL' and m.all('Route') == [path],
              '%s by %r' % (m, m.all('Route')))
        call.respond(200, 'OK', req=m)
        call.refuse(487, 'Request Terminated')
    phone.cli.close()
    note('Path: calls and their CANCEL go by it, the dialog by its Record-Route')


def main(env):
    sc = Scene(env)
    desk, soft = sc.phone('desk'), sc.phone('soft', ';q=1')
    for part in (first_wins, both_answer, failures, redirected):
        part(sc, desk, soft)
    mobile = sc.phone('mobile', ';q=0.5')
    for part in (removed, rounds, nobody_answers):
        part(sc, desk, soft, mobile)
    by_path(sc)
    for p in (desk, soft, mobile):
        check(p.quiet(), '%s rang once more' % p.name)
        p.cli.close()
    check(sc.call.bye().status == 200, 'BYE')
    wait_until('no conference', lambda: not sc.server.ctl('list')['conferences'], 5)


if __name__ == '__main__':
    lib.run(main)
