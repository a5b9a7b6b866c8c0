"""A conference of more than 65,536 packets, the mixer's time running 40 times
faster: the epoch changed before its SEQ could wrap, and who joins now hears at
once"""
import os
import re

import capture
import lib
from caller import Caller
from lib import Skip, check, note, wait_until

FACTOR = 40
PACKETS = 65536
HEARS_MS = 200


def fast_server(env, fast):
    """Only its mixers live faster: the focus keeps its ordinary patience"""
    s = env.server('group', keying='group')
    s.stop()
    wrapper = env.path('mixer')
    with open(wrapper, 'w') as f:
        f.write('#!/bin/sh\n%s exec %s "$@"\n' %
                (' '.join('%s=%s' % kv for kv in fast.items()),
                 lib.program('conclave-mixer')))
    os.chmod(wrapper, 0o700)
    conf = s.dir + '.conf'
    with open(conf, 'w') as f:
        f.write('mixer_path = "%s"\n%s' % (wrapper, lib.read_text(
            os.path.join(s.dir, 'conclave.conf'))))
    return env.server('group', conf=conf, log_level='info')


def most(server):
    """Packets that the mixer has sent to one leg"""
    conf = server.ctl('list')['conferences'][0]['conf']
    return max(leg.get('tx_packets', 0) for p in server.ctl('show', conf)['participants']
               for leg in p['legs'])


def main(env):
    if lib.sanitized():
        raise Skip('a sanitizer does not like its clock replaced')
    fast = lib.fast_clock(FACTOR)
    server = fast_server(env, fast)
    os.environ.update(fast)
    two = [env.add(Caller(server, '--seconds', 100000, '--freq', 600, '--no-update',
                          users=('alice',)))]
    uri = wait_until('conference', server.first_conference, 10)
    for k in fast:
        del os.environ[k]
    two.append(env.add(Caller(server, '--seconds', 100000, '--silent', uri=uri,
                              users=('bob',))))
    wait_until('%d packets' % PACKETS, lambda: most(server) > PACKETS, 180)

    # it lives in ordinary time: what comes is what it can open
    c = env.add(Caller(server, '--seconds', 2, '--silent', uri=uri,
                       users=('carol',)))
    j = c.result(20)['calls'][0]
    tx = most(server)
    epochs = [int(e) for e in re.findall(r'ev=key_drawn .* epoch=(\d+)',
                                         lib.read_text(server.log))]
    limits = len(re.findall(r'ev=key_limit', lib.read_text(server.log)))
    note('   %d packets to one leg, %d epochs (%d soft limits); the joiner heard'
         ' after %d ms: %d packets opened, %d not' %
         (tx, max(epochs), limits, j['first_media_ms'],
          j['rx']['packets'], j['rx']['auth_failures']))
    check(limits >= 2, 'no scheduled rekey')
    check(j['first_media_ms'] <= HEARS_MS and j['rx']['packets'] > 50,
          'the joiner hears nothing in time')
    check(j['rx']['auth_failures'] == 0, 'packets that the joiner cannot open')
    for x in two:
        x.proc.kill()


if __name__ == '__main__':
    capture.run(main)
