"""SIGTERM: every call gets its BYE on the connection it came on, then exit 0"""
import lib
from baresip import Baresip
from lib import check
from rawsip import Call, Client, crypto, focus_uri, offer


def main(env):
    server = env.server()
    phone = Baresip(env, server, 'bob', 660)
    phone.dial(server.factory)
    phone.wait_established()
    calls = []
    uri = server.factory
    for user in ('alice', 'carol', 'dave'):
        cli = env.add(Client(server.host, server.port, ca=server.ca, user=user,
                             password=server.password(user)))
        call = Call(cli, uri)
        r = call.invite(offer(crypto=[crypto()]))
        check(r.status == 200, '%s: %s' % (user, r))
        uri = focus_uri(r)
        calls.append(call)
    server.term()
    for call in calls:
        req = call.wait_request(5)
        check(req.method == 'BYE', '%s got %s' % (call.user, req))
    phone.wait_closed(5)
    server.stop()


if __name__ == '__main__':
    lib.run(main)
