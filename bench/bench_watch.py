#!/usr/bin/env python3
"""A hundred subscribers of one conference while ten calls a second join it: how
many NOTIFYs of what size, and CPU of the focus per NOTIFY, beside what TLS
alone costs.  In the end every subscriber has the server's roster.

  bench_watch.py [--json] [--subscribers 100] [--rate 10] [--seconds 10]
"""
import json

from measure import cpu_us, mean, options, tls
import lib
from rawsip import Call, Client, crypto, focus_uri, offer
from roster import Watcher, config, paced, server_roster

CONNECTIONS = 10


def join(cli, uri):
    call = Call(cli, uri)
    r = call.invite(offer(crypto=[crypto()]))
    lib.check(r.status == 200, '%s: %s' % (cli.user, r))
    return r


def totals(watchers):
    return sum(w.notifies for w in watchers), sum(w.bytes for w in watchers)


def right(watchers, server, conf):
    """How many have the server's roster now"""
    want = server_roster(server, conf)
    n = 0
    for w in watchers:
        w.pump()
        n += w.replica.roster() == want and w.replica.count() == len(want)
    return n


def measure(env, subscribers, rate, seconds):
    demo = env.server('demo')
    users = [('p%d' % i, 'secret-p%d' % i) for i in range(rate * seconds)]
    server = env.server('watched', log_level='warn', conf=config(
        env, demo, 'watched', top='max_subscriptions = %d\n' % subscribers,
        users=users))

    def client(user):
        return env.add(Client(server.host, server.port, ca=server.ca, user=user,
                              password=server.password(user)))

    lines = [client('alice') for _ in range(CONNECTIONS)]
    uri = focus_uri(join(lines[0], lines[0].uri('factory')))
    conf = server.ctl('list')['conferences'][0]['conf']
    watchers = [Watcher(lines[i % CONNECTIONS], uri).start()
                for i in range(subscribers)]
    line, before = client('bob'), tls()
    notifies, size = totals(watchers)
    cpu = cpu_us(server.proc.pid)
    for i in paced(rate, rate * seconds):
        line.user, line.password = users[i]
        join(line, uri)
        for w in watchers:
            w.pump()
    lib.wait_until('all rosters', lambda: right(watchers, server, conf) ==
                   subscribers, 20)
    cpu = cpu_us(server.proc.pid) - cpu
    n, b = totals(watchers)
    n, b, prim = n - notifies, b - size, mean(before, tls())['notify']
    lib.check(n <= subscribers * (seconds + 3), '%d NOTIFYs' % n)
    return {'subscribers': subscribers, 'joins': rate * seconds, 'seconds': seconds,
            'notifies': n, 'per_subscriber': round(n / subscribers, 1),
            'kib': b // 1024, 'bytes_each': round(b / n),
            'focus_us': round(cpu / n, 1), 'tls_us': round(prim, 1),
            'ratio': round(cpu / n / prim, 2), 'rosters_right': subscribers}


def main(env):
    a = options(__doc__, subscribers=100, rate=10, seconds=10)
    r = measure(env, a.subscribers, a.rate, a.seconds)
    if a.json:
        print(json.dumps(r))
        return
    print('%d subscribers, %d joins in %d s: %d NOTIFYs, %.1f for each, %d bytes in '
          'one; %d of %d rosters right' % (
              r['subscribers'], r['joins'], r['seconds'], r['notifies'],
              r['per_subscriber'], r['bytes_each'], r['rosters_right'],
              r['subscribers']))
    print('focus %.1f us per NOTIFY (joins included), TLS %.1f us, ratio %.2f' % (
        r['focus_us'], r['tls_us'], r['ratio']))


if __name__ == '__main__':
    lib.run(main)
