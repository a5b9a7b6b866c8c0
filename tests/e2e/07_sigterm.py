"""SIGTERM: every call gets its BYE on the connection it came on, then exit 0;
the service manager is told that calls can be placed, and that it ends"""
import os
import socket

import lib
from baresip import Baresip
from lib import check
from rawsip import Call, Client, crypto, focus_uri, offer


def service_manager(env):
    """A socket at which the server tells its state, see sd_notify(3)"""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.settimeout(5)
    sock.bind(os.path.join(env.dir, 'notify'))
    os.environ['NOTIFY_SOCKET'] = sock.getsockname()
    return sock


def main(env):
    manager = service_manager(env)
    server = env.server()
    check(manager.recv(100) == b'READY=1', 'not told that it is ready')
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
    check(manager.recv(100) == b'STOPPING=1', 'not told that it stops')
    for call in calls:
        req = call.wait_request(5)
        check(req.method == 'BYE', '%s got %s' % (call.user, req))
    phone.wait_closed(5)
    server.stop()


if __name__ == '__main__':
    lib.run(main)
