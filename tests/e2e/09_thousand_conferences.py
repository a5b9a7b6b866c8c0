"""A thousand conferences made and ended, twice: nothing is left over"""
import re

import leftover
import lib
from lib import check, note
from rawsip import Call, Client, crypto, focus_uri, offer

CONFERENCES = 1000
CONNECTIONS = 4
GROWTH_KIB = 1024


def rss_kib(pid):
    return int(re.search(r'^VmRSS:\s*(\d+)', lib.read_text('/proc/%d/status' % pid),
                         re.M)[1])


def descriptors(server):
    return [sum(leftover.fds(p).values()) for p in server.pids()]


def memory(server):
    return [rss_kib(p) for p in server.pids()]


def idle(server):
    """Nothing is alive, in the focus and in the mixers"""
    st = server.ctl('stats')
    check('conferences' in st and 'calls' in st, 'stats: %r' % st)
    mixers = st.get('mixers') or []
    check(mixers, 'no mixers in stats: %r' % st)
    return (st['conferences'] == 0 and st['calls'] == 0 and
            st['secrets'] == 0 and st['seen_keys'] == 0 and
            all(m.get(k) == 0 for m in mixers
                for k in ('confs', 'legs', 'ports', 'secrets')))


def thousand(server, clients):
    uris = set()
    for i in range(CONFERENCES):
        cli = clients[i % len(clients)]
        call = Call(cli, cli.uri('factory'))
        r = call.invite(offer(crypto=[crypto()]))
        check(r.status == 200, 'conference %d: %s' % (i, r))
        uris.add(focus_uri(r))
        check(call.bye().status == 200, 'BYE of conference %d' % i)
    check(len(uris) == CONFERENCES, 'a conference URI came twice')
    lib.wait_until('idle mixers', lambda: idle(server), 5)


def main(env):
    server = env.server(log_level='warn')
    clients = [env.add(Client(server.host, server.port, ca=server.ca,
                              user='alice', password=server.password('alice')))
               for _ in range(CONNECTIONS)]
    warm = Call(clients[0], clients[0].uri('factory'))
    check(warm.invite(offer(crypto=[crypto()])).status == 200, 'first call')
    warm.bye()
    lib.wait_until('idle mixers', lambda: idle(server), 5)
    fd0, rss = descriptors(server), [memory(server)]
    for _ in range(2):
        thousand(server, clients)
        lib.wait_until('descriptors back at %r' % fd0,
                       lambda: descriptors(server) == fd0, 5)
        rss.append(memory(server))
    note('descriptors %r, RSS of focus and mixers [KiB]: %s' %
         (fd0, ' -> '.join(map(str, rss))))
    if lib.sanitized():
        note('memory is not judged: AddressSanitizer keeps what was freed')
        return
    grown = sum(rss[2]) - sum(rss[1])
    check(grown <= GROWTH_KIB, 'the second thousand added %d KiB' % grown)


if __name__ == '__main__':
    lib.run(main)
