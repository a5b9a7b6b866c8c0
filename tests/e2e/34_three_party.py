"""From two calls between phones to a conference (TR 33.829 clause 5.2.1.2)

Alice has a call with Bob and one with Carol, not through the server.  She
makes a conference and has it call both in place of her: INVITE with Replaces.
"""

import capture
from lib import check, note, wait_until
from pki import certificate
from rawphone import Phone
from rawsip import Client, focus_uri
from referee import Notifies, Refer, join


def escaped(value):
    return ''.join(c if c.isalnum() or c in '-._' else '%%%02X' % ord(c)
                   for c in value)


def main(env):
    server = env.server()
    pem = certificate(env, server, 'phone')
    alice = env.add(Client(server.host, server.port, ca=server.ca, user='alice',
                           password=server.password('alice')))
    call, r = join(alice, server.factory)
    uri = focus_uri(r)
    conf = server.ctl('list')['conferences'][0]['conf']
    phones = {u: Phone(env, u, pem) for u in ('bob', 'carol')}
    for user, phone in phones.items():
        old = 'call-%s@alice.example;to-tag=%s-1;from-tag=a+%s' % (user, user, user)
        refer = Refer(alice, uri)
        r = refer.send('<%s?Replaces=%s&Require=replaces>' % (phone.uri(), escaped(old)))
        check(r.status == 200, 'REFER: %s' % r)
        c = phone.incoming()
        check(c.invite_msg.get('Replaces') == old, c.invite_msg.get('Replaces'))
        check(c.invite_msg.get('Require') == 'replaces', 'Require')
        check(';isfocus' in c.invite_msg.get('Contact'), 'isfocus')
        # the phone would now end its call with Alice: RFC 3891 section 3
        c.accept()
        check(Notifies(refer).until_last() == 200, 'REFER of %s' % user)

    def all_in():
        parts = server.ctl('show', conf)['participants']
        return [p['legs'][0]['state'] for p in parts] == ['connected'] * 3
    wait_until('three participants', all_in, 5)
    note('three in the conference, two of them in place of a call')
    check(call.bye().status == 200, 'BYE')
    wait_until('the end', lambda: not server.ctl('list')['conferences'], 5)


if __name__ == '__main__':
    capture.run(main)
