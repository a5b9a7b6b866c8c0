#!/usr/bin/env python3
"""A new group key for 10, 100 and 1000 legs: time until the last of them is
switched, and CPU of the focus per leg, beside what TLS alone costs

  bench_rekey.py [--json] [--legs 10,100,1000] [--via INVITE,UPDATE]

An UPDATE needs no ACK: its exchange is a message shorter, and so is that of TLS.
"""
import datetime
import os
import re

from measure import cpu_us, drop, mean, options, show, tls
import lib
from caller import Caller

ROUNDS = {10: 60, 100: 12, 1000: 4}
# what the phones say, and the exchange of bench_tls
VIA = {'INVITE': (['--no-update'], 'rekey'), 'UPDATE': ([], 'update')}


def server_of(env, n, via):
    """Joins are gathered: their epochs are not what is measured"""
    name = '%s%d' % (via.lower(), n)
    s = env.server(name, keying='group')
    s.stop()
    conf = s.dir + '.conf'
    with open(conf, 'w') as f:
        f.write(re.sub(r'(\n\s*keying = group)', r'\1\n\tjoin_rekey_interval = 2000',
                       lib.read_text(os.path.join(s.dir, 'conclave.conf'))))
    return env.server(name, conf=conf, log_level='info')


def epochs(server):
    """{epoch: (drawn, retired)} [ms]"""
    out = {}
    for at, what, no in re.findall(
            r'(?m)^(\S+)Z conclaved info ev=key_(drawn|retired) .*epoch=(\d+)',
            lib.read_text(server.log)):
        t = datetime.datetime.fromisoformat(at).timestamp() * 1000
        out.setdefault(int(no), {})[what] = t
    return out


def legs(server):
    confs = server.ctl('list')['conferences']
    if not confs:
        return None, []
    show = server.ctl('show', confs[0]['conf'])
    return confs[0]['conf'], [leg for p in show['participants'] for leg in p['legs']]


def settled(server, n):
    def ok():
        _, v = legs(server)
        return len(v) == n and len({leg['epoch'] for leg in v}) == 1
    lib.wait_until('%d legs on one epoch' % n, ok, 120)


def one(env, n, via):
    server = server_of(env, n, via)
    said, exchange = VIA[via]
    before = tls()
    c = env.add(Caller(server, '-n', n, '--same-conf', '--seconds', 600, '--silent',
                       '--codec', 'pcmu', '--ramp', 5, '--decode-first', 1,
                       '--setup-timeout', 60, *said))
    settled(server, n)
    conf, _ = legs(server)
    took = []
    cpu = cpu_us(server.proc.pid)
    for _ in range(ROUNDS.get(n, 4)):
        last = max(epochs(server))
        server.ctl('rekey', conf)
        # the last one that leaves an epoch takes it along
        lib.wait_until('epoch %d retired' % last, lambda: 'retired' in
                       epochs(server).get(last, {}), 60)
        e = epochs(server)
        took.append(e[last]['retired'] - e[last + 1]['drawn'])
    cpu = (cpu_us(server.proc.pid) - cpu) / len(took) / n
    prim = mean(before, tls())[exchange]
    c.proc.kill()
    drop(env, server)
    took.sort()
    return {'legs': n, 'via': via, 'rekeys': len(took), 'median_ms': took[len(took) // 2],
            'worst_ms': took[-1], 'focus_us_per_leg': round(cpu, 1),
            'tls_us': round(prim, 1), 'ratio': round(cpu / prim, 2)}


def main(env):
    a = options(__doc__, legs='10,100,1000', via='INVITE,UPDATE')
    show([one(env, int(n), via) for via in a.via.split(',')
          for n in a.legs.split(',')], a.json,
         ('legs', '%d'), ('via', '%s'), ('rekeys', '%d'), ('median [ms]', '%.0f'),
         ('worst [ms]', '%.0f'), ('focus us/leg', '%.1f'), ('TLS us', '%.1f'),
         ('ratio', '%.2f'))


if __name__ == '__main__':
    lib.run(main)
