"""A mixer dies in mid-conference: the focus lives, within 2 s each of its
calls has a new offer or has ended with a reason, and new calls work"""
import os
import signal
import time

import lib
from caller import talk
from lib import check, note
from rawsip import Call, Client, crypto, focus_uri, keys_of, offer

LIMIT_S = 2


def settle(call, t0):
    """What the server did about one call"""
    req = call.wait_request(max(0.01, t0 + LIMIT_S - time.monotonic()))
    took = time.monotonic() - t0
    if req.method == 'BYE':
        check(req.get('Reason'), 'BYE without Reason')
        note('%s: BYE after %.2f s, %s' % (call.user, took, req.get('Reason')))
        return False
    tag, suite, _ = keys_of(req.body)[0]
    call.reply(req, 200, 'OK', offer(crypto=[crypto(int(tag), suite)], version=2))
    note('%s: %s after %.2f s' % (call.user, req.method, took))
    return True


def main(env):
    server = env.server()
    calls, uri = [], server.factory
    for user in ('alice', 'bob', 'carol'):
        cli = env.add(Client(server.host, server.port, ca=server.ca, user=user,
                             password=server.password(user)))
        call = Call(cli, uri)
        r = call.invite(offer(crypto=[crypto()]))
        check(r.status == 200, '%s: %s' % (user, r))
        uri = focus_uri(r)
        calls.append(call)
    old = server.mixers()
    check(old, 'no mixer process found')
    t0 = time.monotonic()
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    alive = [c for c in calls if settle(c, t0)]
    check(server.proc.poll() is None, 'the focus died')
    lib.wait_until('new mixers', lambda: len(server.mixers()) == len(old) and
                   not set(server.mixers()) & set(old), LIMIT_S)
    talk(env, server, seconds=3)
    for c in alive:
        check(c.bye().status == 200, 'a call that lived on cannot hang up')


if __name__ == '__main__':
    lib.run(main)
