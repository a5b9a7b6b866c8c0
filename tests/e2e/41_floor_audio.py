"""Who holds the floor is who is heard: recordings of a third participant"""
import concurrent.futures

import bfcp
import capture
import lib
import rawsip
from bfcp import ACCEPTED, GRANTED, PENDING, REVOKED
from caller import USERS, Caller
from heard import WINDOW_MS, logged, rtp_packets, spans
from lib import check, note, wait_until

PTIME_MS = 20
EDGE_MS = 100           # granted to audible, revoked to silent
FASTER = 8              # the clock of a server that refreshes
SE_S = 90
REFRESHES = 5
FREQ = {'alice': 440, 'bob': 610, 'carol': 780, 'dave': 950}


def edges(server, label, packets, name, user, ssrc):
    """From Granted and Revoked of a user to the packets that show it [ms].

    When nobody talks there are no packets, so the silence begins at the end of
    the last one with the talker; the first one without may come any time.
    """
    def when(status):
        return logged(server, r'ev=floor conf=%s .* beneficiary=%d status=%s' % (
            label, user, status))[0]
    t = when('Granted')
    ms = 1000 * (next(at for at, csrcs in packets if at > t and ssrc in csrcs) - t)
    note('%s: Granted to audible %.1f ms' % (name, ms))
    check(ms <= EDGE_MS, 'Granted to audible of ' + name)

    t = when('Revoked')
    last = max(at for at, csrcs in packets if ssrc in csrcs)
    ms = max(0, 1000 * (last - t)) + PTIME_MS
    first = next(at for at, csrcs in packets if at > max(t, last))
    note('%s: Revoked to silent %.1f ms; the first packet without after %.1f ms' %
         (name, ms, 1000 * (first - t)))
    check(ms <= EDGE_MS, 'Revoked to silent of ' + name)


def told(call, status):
    return [e['ms'] for e in call['floor']['told'] if e['status'] == status]


def run(env, server, name, *args, seconds):
    """Four calls in one conference; JSON of the calls by user, recordings"""
    rec = env.path(name + '.wav')
    c = env.add(Caller(server, '-n', 4, '--same-conf', '--seconds', seconds,
                       '--dump-rx', env.path(name + '.pcap'),
                       '-o', rec, *args, users=USERS))
    calls = {u['user']: u for u in c.result(60)['calls']}
    for u in calls.values():
        check(u['floor']['connections'] == 1, '%s: %s' % (u['user'], u['floor']))
    return calls, env.path(name + '-3.wav')


def chaired(env, server):
    """Nobody is heard but those to whom the chair gave the word, in turn"""
    calls, rec = run(env, server, 'chaired', '--floor',
                     'chair,request,request,listen', '--floor-at', 1000,
                     '--floor-step', 300, '--floor-hold', 1500, seconds=6)
    b, c = calls['bob'], calls['carol']
    check([e['status'] for e in b['floor']['told']] ==
          ['Pending', 'Granted', 'Released'], 'bob: %s' % b['floor'])
    check([(e['status'], e['position']) for e in c['floor']['told']] ==
          [('Pending', 0), ('Accepted', 1), ('Granted', 0), ('Released', 0)],
          'carol: %s' % c['floor'])
    heard = {u: spans(rec, f) for u, f in FREQ.items()}
    note('a listener hears %s' % heard)
    check(not heard['alice'] and not heard['dave'], 'heard without the floor')
    check(len(heard['bob']) == len(heard['carol']) == 1, 'not in one piece')
    (b0, b1), (c0, c1) = heard['bob'][0], heard['carol'][0]
    for who, t0, t1 in (('bob', b0, b1), ('carol', c0, c1)):
        held = told(calls[who], 'Released')[0] - told(calls[who], 'Granted')[0]
        check(abs(t1 - t0 - held) <= EDGE_MS, '%s held it %d ms and was heard '
              '%d ms' % (who, held, t1 - t0))
    for t in logged(server, 'status=Granted')[:1]:
        first = min(x[0] for x in rtp_packets(env.path('chaired.pcap'))
                    if x[0] > t)
        note('first packet %.0f ms after Granted' % (1000 * (first - t)))
        check(first - t <= EDGE_MS / 1000, 'Granted to audible')
    check(-WINDOW_MS <= c0 - b1 <= EDGE_MS, 'from one to the next: %d ms' %
          (c0 - b1))


def open_floor(env, server):
    """All are heard, then the one that takes the floor, then all again"""
    calls, rec = run(env, server, 'open', '--floor',
                     'listen,request,listen,listen', '--floor-at', 1500,
                     '--floor-hold', 1500, seconds=6)
    heard = {u: spans(rec, f) for u, f in FREQ.items()}
    note('a listener hears %s' % heard)
    check(len(heard['bob']) == 1 and heard['bob'][0][1] - heard['bob'][0][0] >
          4000, 'bob has the floor, and was interrupted')
    for who in ('alice', 'carol'):
        check(len(heard[who]) == 2, '%s: %s' % (who, heard[who]))
        quiet = heard[who][1][0] - heard[who][0][1]
        check(abs(quiet - 1500) <= EDGE_MS, '%s was silent %d ms' % (who, quiet))


class RawChair:
    """The owner by hand: dialog and BFCP, no media"""

    def __init__(self, env, server):
        self.cert = bfcp.Cert(env, 'chair')
        self.key = rawsip.crypto()
        cli = env.add(rawsip.Client(server.host, server.port, server.ca,
                                    user='alice',
                                    password=server.password('alice')))
        self.call = rawsip.Call(cli, server.factory)
        r = self.call.invite(rawsip.offer(crypto=[self.key]) +
                             bfcp.line(self.cert))
        check(r.status == 200, 'INVITE: %s' % r)
        self.uri = rawsip.focus_uri(r)
        self.answer = bfcp.Answer(r.body)
        self.floor = env.add(bfcp.Floor(self.answer, self.cert))
        m = self.floor.ask(bfcp.FLOOR_QUERY, bfcp.u16(bfcp.FLOOR_ID, 1))
        check(m.prim == bfcp.FLOOR_STATUS, 'FloorQuery: %r' % m)

    def wait_status(self, status, count=1):
        m = self.floor.wait('%d requests with status %d' % (count, status),
                            lambda m: m.prim == bfcp.FLOOR_STATUS and
                            len([r for r in m.requests() if r[1] == status])
                            >= count, 10)
        return [r for r in m.requests() if r[1] == status]


def in_the_mix(server, label, shown, users, rtp):
    """Who is, is in the header of each packet that others get"""
    who = {lib.user_of(p['identity']): p
           for p in shown['participants']}
    for name, listener in (('bob', 'dave'), ('carol', 'bob')):
        port = int(who[listener]['legs'][0]['remote'].rsplit(':', 1)[1])
        packets = [(at, csrcs) for at, to, csrcs in rtp if to == port]
        edges(server, label, packets, name, users[who[name]['part']],
              who[name]['legs'][0]['ssrc'])


def decisions(env, server):
    """Grant, deny and revoke by a chair; the operator; kick"""
    chair = RawChair(env, server)
    rec, pcap = env.path('decided.wav'), env.path('decided.pcap')
    c = env.add(Caller(server, '-n', 3, '--seconds', 8, '-o', rec, '--floor',
                       'request,request,listen', '--floor-at', 500,
                       '--floor-step', 200, '--floor-hold', 0,
                       '--dump-rx', pcap, '--freq',
                       '%d:-20' % FREQ['bob'], uri=chair.uri, users=USERS[1:]))
    first, second = chair.wait_status(PENDING, 2)[:2]
    check(chair.floor.decide(first[0], GRANTED).prim ==
          bfcp.CHAIR_ACTION_ACK, 'ChairAction')
    chair.wait_status(GRANTED)
    check(chair.floor.decide(second[0], ACCEPTED).prim ==
          bfcp.CHAIR_ACTION_ACK, 'ChairAction')
    chair.wait_status(ACCEPTED)
    label = server.ctl('list')['conferences'][0]['conf']

    def holders():
        users = server.ctl('floor', label)['users']
        return [lib.user_of(u['identity'])
                for u in users if u['holds']]

    def speaking():
        return [lib.user_of(p['identity'])
                for p in server.ctl('show', label)['participants']
                if p['legs'][0]['speaking']]
    wait_until('bob is heard', lambda: speaking() == ['bob'], 5)
    check(holders() == ['bob'], 'holder: %s' % holders())
    check(chair.floor.decide(first[0], bfcp.DENIED).error == 14,
          'a granted floor is revoked, not denied')
    check(chair.floor.decide(first[0], REVOKED, reason='thank you').prim ==
          bfcp.CHAIR_ACTION_ACK, 'ChairAction')
    wait_until('carol holds the floor', lambda: holders() == ['carol'], 5)
    wait_until('carol is heard', lambda: speaking() == ['carol'], 5)
    server.ctl('floor', label, 'revoke', 'sip:carol@127.0.0.1')
    wait_until('nobody holds it', lambda: holders() == [], 5)
    server.ctl('floor', label, 'grant', 'sip:dave@127.0.0.1')
    wait_until('dave holds the floor', lambda: holders() == ['dave'], 5)
    shown = server.ctl('show', label)
    muted = {lib.user_of(p['identity']): p['legs'][0]['muted']
             for p in shown['participants']}
    check(muted == {'alice': True, 'bob': True, 'carol': True, 'dave': False},
          'muted: %s' % muted)
    users = {u['part']: u['user'] for u in server.ctl('floor', label)['users']}
    calls = {u['user']: u for u in c.result(60)['calls']}
    check([e['status'] for e in calls['bob']['floor']['told']][-2:] ==
          ['Granted', 'Revoked'], 'bob: %s' % calls['bob']['floor'])
    check(calls['carol']['floor']['told'][-1]['status'] == 'Revoked',
          'carol: %s' % calls['carol']['floor'])

    in_the_mix(server, label, shown, users, rtp_packets(pcap))
    chair.call.bye()


def rekeys(env):
    """One TCP connection through 20 rekeys and 5 session refreshes"""
    server = env.server('rekey', keying='group')
    stay = env.add(Caller(server, '--seconds', 18, '--floor', 'request',
                          '--floor-hold', 0, users=USERS[:1]))
    conf = wait_until('alice joined', lambda: server.ctl('list')['conferences'],
                      5)[0]
    for i in range(10):         # each joins and leaves: two new keys
        env.add(Caller(server, '--seconds', 1, uri='%s:%d' % (
            conf['uri'], server.port), users=USERS[1:2])).result(20)
    r = stay.result(60)['calls'][0]
    note('%d rekeys, %d BFCP connection' % (r['signalling']['rekeys'],
                                            r['floor']['connections']))
    check(r['signalling']['rekeys'] >= 20, 'rekeys: %s' % r['signalling'])
    check(r['floor']['connections'] == 1, 'floor: %s' % r['floor'])
    check([e['status'] for e in r['floor']['told']] == ['Granted'],
          'the floor was lost: %s' % r['floor'])


def refreshes(env, server):
    """The phone repeats its offer: the same connection, ids and floor"""
    chair = RawChair(env, server)
    first = chair.answer
    req = chair.floor.want()
    for version in range(2, 7):
        r = chair.call.reinvite(rawsip.offer(crypto=[chair.key],
                                             version=version) +
                                bfcp.line(chair.cert, conn='existing'))
        check(r.status == 200, 're-INVITE: %s' % r)
        a = bfcp.Answer(r.body)
        check((a.port, a.conf, a.user, a.attrs['connection']) ==
              (first.port, first.conf, first.user, 'existing'),
              'answer: %s' % a.attrs)
        check(chair.floor.alive(), 'BFCP after a refresh')
    m = chair.floor.ask(bfcp.USER_QUERY)
    check(m.requests() == [(req[0], GRANTED, 0)], 'the floor: %r' % m)

    # another certificate is another client: the old connection ends
    cert = bfcp.Cert(env, 'new-chair')
    r = chair.call.reinvite(rawsip.offer(crypto=[chair.key], version=7) +
                            bfcp.line(cert))
    check(chair.floor.closed(), 'the connection of the old certificate')
    bfcp.no_way_in(first, chair.cert)
    f = env.add(bfcp.Floor(bfcp.Answer(r.body), cert))
    check(f.ask(bfcp.USER_QUERY).requests() == [(req[0], GRANTED, 0)],
          'the floor')
    chair.call.bye()


class Refreshed:
    """A phone that has the server refresh its session, answering by hand"""

    def __init__(self, env, server, user, allow, uri=None):
        self.cert, self.key = bfcp.Cert(env, user), rawsip.crypto()
        cli = env.add(rawsip.Client(server.host, server.port, server.ca,
                                    user=user, password=server.password(user)))
        self.call = rawsip.Call(cli, uri or server.factory)
        r = self.call.invite(self.sdp('new', 1), headers=[
            'Supported: timer', 'Session-Expires: %d;refresher=uas' % SE_S,
            'Allow: ' + allow])
        check(r.status == 200 and r.get('Session-Expires') ==
              '%d;refresher=uas' % SE_S, '%s: %s' % (user, r.headers))
        self.uri, self.user, self.method = rawsip.focus_uri(r), user, None
        self.answer = bfcp.Answer(r.body)
        self.floor = env.add(bfcp.Floor(self.answer, self.cert))
        self.request = self.floor.want()

    def sdp(self, conn, version):
        return rawsip.offer(crypto=[self.key], version=version) + bfcp.line(
            self.cert, conn=conn)

    def refresh(self):
        """The next one of the server; the connection and the floor stay"""
        m = self.call.wait_request(SE_S / FASTER)
        check(m.method in ('UPDATE', 'INVITE'), '%s: %s' % (self.user, m))
        self.method = m.method
        if m.body:
            a = bfcp.Answer(m.body)
            check((a.conf, a.user, a.attrs['connection']) == (
                self.answer.conf, self.answer.user, 'existing'),
                'refreshing offer: %s' % m.body)
        self.call.reply(m, 200, 'OK', m.body and self.sdp('existing', 1), headers=[
            'Require: timer', 'Session-Expires: %d;refresher=uac' % SE_S])
        check(self.floor.alive(), 'BFCP after a refresh of the server')

    def serve(self):
        for _ in range(REFRESHES):
            self.refresh()
        m = self.floor.ask(bfcp.USER_QUERY)
        check([r[:2] for r in m.requests()] == [self.request[:2]],
              'the floor of %s: %r' % (self.user, m))


def own_refreshes(env):
    """The server refreshes: by UPDATE, or the session offered once more.

    Its time runs faster, since RFC 4028 allows no less than 90 s.
    """
    server = env.server('refresh', more_env=lib.fast_clock(FASTER))
    alice = Refreshed(env, server, 'alice', 'INVITE, ACK, CANCEL, BYE, UPDATE')
    bob = Refreshed(env, server, 'bob', 'INVITE, ACK, CANCEL, BYE', alice.uri)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for f in [pool.submit(p.serve) for p in (alice, bob)]:
            f.result()
    check((alice.method, bob.method) == ('UPDATE', 'INVITE'), 'methods')
    n = lib.read_text(server.log).count('ev=floor_connected')
    note('%d refreshes of the server each, %d BFCP connections' % (REFRESHES, n))
    check(n == 2, 'a BFCP connection was made anew')
    bob.call.bye()
    alice.call.bye()


def main(env):
    server = env.server('chaired-demo', floor='chaired')
    chaired(env, server)
    decisions(env, server)
    open_floor(env, env.server('open-demo'))
    refreshes(env, server)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        by_us = None if lib.sanitized() else pool.submit(own_refreshes, env)
        rekeys(env)
        if by_us:       # a sanitizer does not like its clock replaced
            by_us.result()


if __name__ == '__main__':
    capture.run(main)
