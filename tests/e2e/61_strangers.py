"""Connections on which nobody has proven who he is: one source has so many,
and who means well is served all the same"""
import socket
import time

import lib
from confedit import edited_server
from hostile import HostileCall, is_closed
from lib import check, note
from rawsip import Client, crypto, offer

MAX = 16
PATIENCE_S = 5


clients = []


def client(env, s, demo, user):
    clients.append(env.add(Client(s.host, s.port, ca=demo.ca, user=user,
                                  password=demo.password(user), timeout=5)))
    return clients[-1]


def may_come_in(env, s, demo):
    try:
        return client(env, s, demo, 'alice')
    except OSError:
        return None


def call(cli):
    c = HostileCall(cli, cli.uri('factory'))
    r = c.invite(offer(crypto=[crypto()]))
    check(r.status == 200, 'a decent call: %s' % r)
    return c


def sit(s, n):
    return [socket.create_connection((s.host, s.port), 5) for _ in range(n)]


def count_open(socks):
    return sum(not is_closed(k) for k in socks)


def main(env):
    demo = env.server('demo')
    s = edited_server(env, demo, 'door', lambda t: t.replace(
        'max_strangers = 0', 'max_strangers = %d' % MAX))
    demo.stop()
    bob = call(client(env, s, demo, 'bob'))

    t0 = time.monotonic()
    socks = sit(s, 3 * MAX)
    lib.wait_until('what is too much is closed',
                   lambda: count_open(socks) == MAX, 3)
    n = s.ctl('stats')['strangers']
    check(n == MAX, 'stats count %d strangers' % n)
    note('%d of %d strangers stay' % (MAX, 3 * MAX))

    # a new one finds no room until the others have had their time, ...
    early = sit(s, 1)
    lib.wait_until('one more is closed', lambda: is_closed(early[0]), 3)

    # ... and then takes the place of one that only sits there
    alice = call(lib.wait_until('room for alice', lambda: may_come_in(
        env, s, demo), PATIENCE_S + 5))
    check(time.monotonic() - t0 > PATIENCE_S - 1, 'nobody had his time')
    lib.wait_until('one has made room', lambda: count_open(socks) < MAX, 3)
    for c in [call(client(env, s, demo, 'carol')) for _ in range(2 * MAX)]:
        check(c.bye().status == 200, 'a call in the crowd')
    note('%d decent calls between them' % (2 * MAX))

    check(bob.bye().status == 200 and alice.bye().status == 200,
          'who has proven who he is lost his connection')
    for k in socks:
        k.close()
    for c in clients:
        c.close()
    s.stop()


if __name__ == '__main__':
    lib.run(main)
