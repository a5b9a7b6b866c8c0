"""Watchers see whom the conference calls, how far that is, and why it failed"""
import lib
from lib import check, note
from pki import certificate
from rawphone import Phone
from rawsip import Call, Client, crypto, focus_uri, offer
from referee import Notifies, Refer, join
from roster import NS, Watcher, validate


def field(watcher, user, name):
    """Of the user's endpoint, or None"""
    for u in watcher.replica.root.find(NS + 'users'):
        if u.get('entity') == 'sip:%s@127.0.0.1' % user:
            for e in u.findall(NS + 'endpoint'):
                return e.findtext(NS + name)
    return None


def late_ack(env, server, uri, wait):
    """Who has our answer can hear, and is shown before its ACK, also if that
    never comes"""
    dave = env.add(Client(server.host, server.port, ca=server.ca, user='dave',
                          password=server.password('dave')))

    def enter():
        call, held = Call(dave, uri), []
        ack = call.ack

        def hold(cseq, branch=None, **kw):
            if branch:
                ack(cseq, branch, **kw)
            else:
                held.append(cseq)
        call.ack = hold
        check(call.invite(offer(crypto=[crypto()])).status == 200, 'INVITE')
        wait('dave', 'status', 'dialing-in')
        return call, lambda: ack(held[0])
    call, ack = enter()
    ack()
    wait('dave', 'status', 'connected')
    check(call.bye().status == 200, 'BYE')
    wait('dave', 'status', 'disconnected')
    wait('dave', 'status', None)
    call, _ = enter()
    check(call.bye().status == 200, 'BYE')
    wait('dave', 'disconnection-method', 'departed')


def main(env):
    server = env.server()
    pem = certificate(env, server, 'phone')
    alice = env.add(Client(server.host, server.port, ca=server.ca, user='alice',
                           password=server.password('alice')))
    call, r = join(alice, server.factory)
    uri = focus_uri(r)
    w = Watcher(alice, uri).start()
    bob, carol = Phone(env, 'bob', pem), Phone(env, 'carol', pem)

    def wait(user, name, want):
        w.until('%s of %s is %s' % (name, user, want),
                lambda: field(w, user, name) == want)
        note('%s: %s' % (user, want))

    refer = Refer(alice, uri)
    check(refer.send('<%s>' % bob.uri()).status == 200, 'REFER')
    c = bob.incoming()
    wait('bob', 'status', 'dialing-out')
    c.respond(180, 'Ringing')
    wait('bob', 'status', 'alerting')
    c.accept()
    wait('bob', 'status', 'connected')
    check(field(w, 'bob', 'joining-method') == 'dialed-out', 'joining-method')
    check(Notifies(refer).until_last() == 200, 'REFER')

    refer = Refer(alice, uri)
    check(refer.send('<%s>' % carol.uri()).status == 200, 'REFER')
    c = carol.incoming()
    wait('carol', 'status', 'dialing-out')
    c.refuse(486, 'Busy Here')
    wait('carol', 'disconnection-method', 'busy')
    check(field(w, 'carol', 'status') == 'disconnected', 'status')
    w.until('carol is gone', lambda: field(w, 'carol', 'status') is None)
    late_ack(env, server, uri, wait)
    conf = server.ctl('list')['conferences'][0]['conf']
    w.wait_agree(server, conf)
    validate(w.docs)
    call.bye()


if __name__ == '__main__':
    lib.run(main)
