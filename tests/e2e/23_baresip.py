"""baresip invites and removes by REFER in its call

It takes a REFER in its call for a transfer of its own and hangs up when that
succeeds, like Linphone, so the demo has refer_results = false for it.  It knows neither
SUBSCRIBE to a conference, lists, Replaces nor session timers: those are sipp's
part, in 24_sipp.py, with baresips that are called.  How it follows a REFER to a
conference is in 22_linphone.py.
"""
import lib
from lib import check, judge, tones, wait_until
from phones import FREQ, SETTLE_S, listen, register, states, wait_in

SECONDS = 3


class Scene:
    def __init__(self, env):
        self.server = env.server()
        self.phones = register(env, self.server, FREQ)

    def wait_in(self, *users):
        wait_in(self.server, *users)

    def refer(self, user, to):
        """Its Refer-To is what was typed, so the brackets are ours"""
        self.phones[user].command('transfer', '<%s>' % to)


def invite(sc):
    sc.phones['alice'].dial(sc.server.factory)
    sc.wait_in('alice')
    sc.refer('alice', 'sip:bob@127.0.0.1')
    sc.wait_in('alice', 'bob')
    sc.refer('alice', 'sip:carol@127.0.0.1')
    sc.wait_in('alice', 'bob', 'carol')


def remove(sc):
    for user in ('bob', 'carol'):
        sc.refer('alice', 'sip:%s@127.0.0.1;method=BYE' % user)
        wait_until('%s is removed' % user, lambda: user not in states(sc.server), 10)
        sc.phones[user].wait_closed()
        check('Removed' in sc.phones[user].trace(), '%s does not know why' % user)
    sc.wait_in('alice')
    check(not sc.phones['alice'].closed(), 'the call of alice was ended')


def leave(sc):
    """Who heard whom"""
    sc.phones['alice'].hangup()
    wait_until('no conference', lambda: not sc.server.ctl('list')['conferences'], 10)
    for p in sc.phones.values():
        p.finish()
        found, _ = tones(p.recording()[0], *FREQ.values())
        judge(p.user, found, p.freq, [f for f in FREQ.values() if f != p.freq])


def main(env):
    sc = Scene(env)
    invite(sc)
    listen([sc.phones[u] for u in FREQ], SECONDS + SETTLE_S)
    for part in (remove, leave):
        part(sc)


if __name__ == '__main__':
    lib.run(main)
