"""Watchers see whom the conference calls, how far that is, and why it failed"""
import lib
from lib import check, note
from pki import certificate
from rawphone import Phone
from rawsip import Client, focus_uri
from referee import Notifies, Refer, join
from roster import NS, Watcher, validate


def field(watcher, user, name):
    """Of the user's endpoint, or None"""
    for u in watcher.replica.root.find(NS + 'users'):
        if u.get('entity') == 'sip:%s@127.0.0.1' % user:
            for e in u.findall(NS + 'endpoint'):
                return e.findtext(NS + name)
    return None


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
    conf = server.ctl('list')['conferences'][0]['conf']
    w.wait_agree(server, conf)
    validate(w.docs)
    call.bye()


if __name__ == '__main__':
    lib.run(main)
