"""Clients that offer an MKI: it is in all their packets and is required, ours
carry none, and new keys come as to anybody"""
import capture
from caller import Caller, GOOD
from lib import check, note, wait_until

REKEYS = 5


def play(env, keying):
    server = env.server(keying, keying=keying)
    c = env.add(Caller(server, '-n', 3, '--same-conf', '--mki', '--rtcp-interval', 500,
                       '--seconds', 6, *GOOD, users=('alice', 'bob', 'carol')))

    def legs():
        confs = server.ctl('list')['conferences']
        return [leg for conf in confs
                for p in server.ctl('show', conf['conf'])['participants']
                for leg in p['legs'] if leg['keying'] == keying]
    wait_until('all are in', lambda: len(legs()) == 3, 10)
    conf = server.ctl('list')['conferences'][0]['conf']
    for _ in range(REKEYS):
        before = min(leg['epoch'] for leg in legs())
        server.ctl('rekey', conf)
        if keying == 'group':
            wait_until('next epoch', lambda: min(
                leg['epoch'] for leg in legs()) > before, 5)
    bad = sum(leg.get('auth_failed', 0) for leg in legs())
    j = c.result(30)
    note('   %s: %s new keys, %d packets of theirs refused' % (
        keying, [x['signalling']['rekeys'] for x in j['calls']], bad))
    check(bad == 0, 'their packets are refused')
    server.stop()


def main(env):
    play(env, 'group')
    play(env, 'endpoint')


if __name__ == '__main__':
    capture.run(main)
