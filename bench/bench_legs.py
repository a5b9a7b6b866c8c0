#!/usr/bin/env python3
"""CPU of the mixer per leg with 3, 30 and 300 legs in one conference, beside
the primitives (receive, SRTP by hand, send, Opus) measured around each run, and
beside a bare relay with as many legs and the same Opus work (bench_relay.c).

  bench_legs.py [--json] [--legs 3,30,300] [--seconds 10] [--talkers 3]
"""
import json
import signal
import time

from measure import figures, mean, options
import lib
from caller import Caller


def primitives(legs):
    return {**figures('bench_prim'), **figures('bench_relay', legs)}


def phones(server, env, n, uri, seconds, *args):
    return env.add(Caller(server, '-n', n, '--seconds', seconds, '--codec',
                          'opus', '--suite', 'AEAD_AES_128_GCM',
                          '--decode-first', 1, *args, uri=uri))


def snapshot(server, conf):
    stats = server.ctl('stats')
    legs = [leg for p in server.ctl('show', conf)['participants']
            for leg in p['legs']]
    return (time.monotonic(), sum(m['cpu_us'] for m in stats['mixers']),
            sum(l.get('rx_packets', 0) for l in legs),
            sum(l.get('tx_packets', 0) for l in legs))


def legs_up(server):
    confs = server.ctl('list')['conferences']
    if not confs:
        return None, 0
    show = server.ctl('show', confs[0]['conf'])
    return confs[0], sum(len(p['legs']) for p in show['participants'])


def one(env, name, n, talkers, seconds):
    server = env.server(name, log_level='warn')
    talk = min(n, talkers)
    before = primitives(n)
    up = int(seconds + 8 + n * 0.03)
    callers = [phones(server, env, talk, server.factory, up, '--same-conf')]
    lib.wait_until('%d talkers' % talk,
                   lambda: legs_up(server)[1] == talk, 20)
    conf = legs_up(server)[0]
    if n > talk:
        callers.append(phones(server, env, n - talk,
                              server.first_conference(), up, '--silent'))
    lib.wait_until('%d legs' % n, lambda: legs_up(server)[1] == n, 60)

    settle = time.monotonic() + 2
    lib.wait_until('steady state', lambda: time.monotonic() >= settle, 5)
    t0, cpu0, rx0, tx0 = snapshot(server, conf['conf'])
    lib.wait_until('the measurement',
                   lambda: time.monotonic() >= t0 + seconds, seconds + 5)
    t1, cpu1, rx1, tx1 = snapshot(server, conf['conf'])
    p = mean(before, primitives(n))
    server.ctl('end', conf['conf'])
    for c in callers:       # they end when they have answered their BYEs
        c.proc.communicate(timeout=30)
    server.stop()

    ticks = (t1 - t0) * 50
    cpu = (cpu1 - cpu0) / ticks                       # us per 20 ms
    rx, tx = (rx1 - rx0) / ticks, (tx1 - tx0) / ticks  # packets per 20 ms
    wire = rx * (p['receive_us'] + p['unprotect_us']) + \
        tx * (p['protect_us'] + p['send_us'])
    opus = talk * (p['opus_decode_us'] + p['opus_encode_us']) + \
        (p['opus_encode_us'] if n > talk else 0)
    return {'legs': n, 'talkers': talk, 'rx_per_tick': rx, 'tx_per_tick': tx,
            'cpu_us_per_tick': cpu, 'cpu_us_per_leg': cpu / n,
            'core_percent': cpu / 200, 'wire_us': wire, 'opus_us': opus,
            'ratio': cpu / (wire + opus),
            'relay_ratio': cpu / (n * p['relay_us'] + opus), 'primitives': p}


def table(rows):
    print('legs talkers  packets in/out   mixer CPU [us per 20 ms]  per leg'
          '   wire + Opus primitives [us]  ratio  to a relay  of a core')
    for r in rows:
        print('%4d %7d  %6.1f / %6.1f  %24.0f  %7.1f  %14.0f + %-10.0f  %5.2f'
              '  %10.2f  %7.1f %%' % (r['legs'], r['talkers'], r['rx_per_tick'],
                              r['tx_per_tick'], r['cpu_us_per_tick'],
                              r['cpu_us_per_leg'], r['wire_us'], r['opus_us'],
                              r['ratio'], r['relay_ratio'], r['core_percent']))
    print('primitives [us]: ' + ', '.join(
        '%s %.2f' % (k[:-3], v) for k, v in rows[-1]['primitives'].items()))


def main(env):
    a = options(__doc__, legs='3,30,300', seconds=10.0, talkers=3)
    signal.alarm(0)         # it takes as long as asked for
    rows = [one(env, 'legs%s' % n, int(n), a.talkers, a.seconds)
            for n in a.legs.split(',')]
    if a.json:
        print(json.dumps(rows))
    else:
        table(rows)


if __name__ == '__main__':
    lib.run(main)
