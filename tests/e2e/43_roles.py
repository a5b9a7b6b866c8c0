"""Owner, chair, member, listener: who is heard, and who may do what"""
import json
import os
import re
import socket
import subprocess
import time

import bfcp
import lib
import rawsip
from bfcp import CHAIR_ACTION_ACK, GRANTED, REVOKED
from caller import USERS, Caller
from heard import logged, rtp_packets, spans
from lib import check, note, wait_until
from referee import Notifies, Refer
from roster import Watcher, config, validate

FREQ = {'alice': 440, 'bob': 610, 'carol': 780, 'dave': 950}
WHO = {u: 'sip:%s@127.0.0.1' % u for u in FREQ}
EDGE_MS = 100           # muted to silent, unmuted to audible
LEAST_PACKETS = 50      # of 20 ms, for a part that is looked at
UNAUTHORIZED = 5        # RFC 8855 section 5.2.6


def roles_server(env):
    """bob chairs, dave listens; a chair inherits"""
    demo = env.server()
    demo.stop()
    path = config(env, demo, 'roles', conf='\tchairs = {"%s"}\n\tlisteners = {"%s"}\n'
                  '\towner_leaves = hand_over\n' % (WHO['bob'], WHO['dave']))
    text = lib.read_text(path).replace('refer = {"members"}', 'refer = {"owner", "chairs"}')
    with open(path, 'w') as f:
        f.write(text)
    return env.server('roles', conf=path)


class Watch:
    """conclavectl watch"""

    def __init__(self, env, server):
        self.path = env.path('watch')
        with open(self.path, 'w') as f:
            self.proc = subprocess.Popen(
                [lib.program('conclavectl'), '-s', os.path.join(server.dir, 'ctl'),
                 'watch'], stdin=subprocess.DEVNULL, stdout=f)
        wait_until('the feed', lambda: server.ctl('stats')['watching'] == 1, 5)

    def told(self, ev):
        """[(user, role, muted, by)]"""
        lines = [json.loads(li) for li in lib.read_text(self.path).split('\n')[:-1]]
        check(all(0 <= time.time() - li['time_ms'] / 1000 < 60 for li in lines),
              'time_ms is no time of day')
        return [(lib.user_of(li['identity']), li['role'],
                 li['muted'], li.get('reason')) for li in lines if li['ev'] == ev]

    def close(self):
        self.proc.kill()
        self.proc.wait()


class Show:
    """What conclavectl says of the one conference"""

    def __init__(self, server):
        self.server = server
        self.label = wait_until('conference', lambda: server.ctl('list')[
            'conferences'], 5)[0]['conf']

    def parts(self):
        return {lib.user_of(p['identity']): p for p in
                self.server.ctl('show', self.label)['participants']}

    def leg(self, user):
        return self.parts()[user]['legs'][0]

    def wait_speaking(self, *users):
        wait_until('%s speak' % (users,), lambda: {
            u for u, p in self.parts().items() if p['legs'][0]['speaking']} ==
            set(users), 5)

    def ctl(self, verb, *args):
        return self.server.ctl(verb, self.label, *args)

    def dwell(self):
        """Until enough was sent to measure"""
        n = self.leg('alice')['tx_packets'] + LEAST_PACKETS
        wait_until('packets', lambda: self.leg('alice')['tx_packets'] >= n, 10)


def edge(server, rtp, ev, ssrc, port):
    """From a line of the log to the packets that show it [ms]"""
    t = logged(server, 'ev=%s .*identity=%s ' % (ev, WHO['carol']))[0]
    first = next((at for at, to, csrcs in rtp if at > t and to == port and
                  (ssrc in csrcs) == (ev == 'unmute')), None)
    check(first, 'no packet after ' + ev)
    ms = 1000 * (first - t)
    note('%s: %.1f ms to the first packet' % (ev, ms))
    check(ms <= EDGE_MS, '%s takes %.0f ms' % (ev, ms))
    return t


def number(show):
    """A participant's number is all of it, not its low half"""
    request = {'cmd': 'mute', 'conf': show.label,
               'part': show.parts()['carol']['part'] + (1 << 32)}
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(show.server.socket)
        s.sendall(json.dumps(request).encode() + b'\n')
        answer = s.makefile().readline()
    check('no such participant' in answer, answer)


def watched(feed):
    """What an operator who watches saw of muted()"""
    check(feed.told('mute') == [('carol', 'member', True, 'operator')] and
          feed.told('unmute') == [('carol', 'member', False, 'operator')],
          'watch: %s' % (feed.told('mute') + feed.told('unmute')))
    check(feed.told('role') == [('dave', 'member', False, 'operator'),
                                ('dave', 'listener', True, 'operator')],
          'watch: %s' % feed.told('role'))


def in_the_mix(env, server, rtp, ssrc, port):
    """The others heard it, and to the packet: rtp has those to this port, and in
    them carol's SSRC"""
    silent = 1000 * (-edge(server, rtp, 'mute', ssrc, port) +
                     edge(server, rtp, 'unmute', ssrc, port))
    heard = spans(env.path('roles-3.wav'), FREQ['carol'])
    note('dave hears carol %s' % heard)
    check(len(heard) == 2 and
          abs(heard[1][0] - heard[0][1] - silent) <= EDGE_MS,
          'carol was muted for %.0f ms' % silent)
    t0, t1 = logged(server, 'ev=role .*identity=%s ' % WHO['dave'])
    heard = spans(env.path('roles-0.wav'), FREQ['dave'])
    note('alice hears dave %s' % heard)
    check(len(heard) == 1 and
          abs(heard[0][1] - heard[0][0] - 1000 * (t1 - t0)) <= EDGE_MS,
          'dave was a member for %.0f ms' % (1000 * (t1 - t0)))


def muted(env, server):
    """Who is muted, or only listens, is in nobody's mix; and everybody sees it"""
    rec, pcap = env.path('roles.wav'), env.path('roles.pcap')
    feed = env.add(Watch(env, server))
    c = env.add(Caller(server, '-n', 4, '--same-conf', '--seconds', 10, '-o', rec,
                       '--dump-rx', pcap, users=USERS))
    show = Show(server)
    show.wait_speaking('alice', 'bob', 'carol')
    cli = env.add(rawsip.Client(server.host, server.port, server.ca, user='alice',
                                password=server.password('alice')))
    w = Watcher(cli, server.first_conference()).start()

    def seen():
        """{user: (role, status, media)}"""
        w.pump()
        return {lib.user_of(u): (
            role, *[(e['state'], e['media']) for e in eps.values()][0])
            for u, (role, eps) in w.replica.roster().items()}
    want = {'alice': ('owner', 'connected', 'sendrecv'),
            'bob': ('chair', 'connected', 'sendrecv'),
            'carol': ('member', 'connected', 'sendrecv'),
            'dave': ('listener', 'muted-via-focus', 'recvonly')}
    wait_until('the roster', lambda: seen() == want, 10)

    number(show)
    show.dwell()
    show.ctl('mute', WHO['carol'])
    show.wait_speaking('alice', 'bob')
    want['carol'] = ('member', 'muted-via-focus', 'recvonly')
    wait_until('carol muted in the roster', lambda: seen() == want, 10)
    check(show.parts()['carol']['muted'] and show.leg('carol')['muted'], 'show')
    ssrc, port = show.leg('carol')['ssrc'], int(show.leg('bob')['remote'].rsplit(':', 1)[1])
    show.dwell()
    show.ctl('unmute', WHO['carol'])
    show.wait_speaking('alice', 'bob', 'carol')

    show.ctl('role', WHO['dave'], 'member')
    show.wait_speaking(*USERS)
    show.dwell()
    show.ctl('role', WHO['dave'], 'listener')
    show.wait_speaking('alice', 'bob', 'carol')
    want['carol'] = ('member', 'connected', 'sendrecv')
    wait_until('all as before', lambda: seen() == want, 10)
    validate(w.docs)
    c.result(60)
    w.until('the last NOTIFY', lambda: w.state.startswith('terminated'))

    watched(feed)
    in_the_mix(env, server, rtp_packets(pcap), ssrc, port)


class Member:
    """A participant by hand, with BFCP"""

    def __init__(self, env, server, user, uri=None):
        self.env, self.server, self.user = env, server, user
        self.cli = env.add(rawsip.Client(server.host, server.port, server.ca, user=user,
                                         password=server.password(user)))
        self.cert, self.uri = bfcp.Cert(env, user), uri
        self.join()

    def join(self):
        self.call = rawsip.Call(self.cli, self.uri or self.server.factory)
        r = self.call.invite(rawsip.offer(crypto=[rawsip.crypto()]) + bfcp.line(self.cert))
        check(r.status == 200, '%s: %s' % (self.user, r))
        self.uri = rawsip.focus_uri(r)
        self.floor = self.env.add(bfcp.Floor(bfcp.Answer(r.body), self.cert))

    def refer(self, to):
        """Status and text of a REFER to the conference"""
        self.refers = Refer(self.cli, self.uri)
        r = self.refers.send('<%s>' % to)
        return r.status, r.get('Warning') or ''

    def ask_floor(self):
        return self.floor.ask(bfcp.FLOOR_REQUEST, bfcp.u16(bfcp.FLOOR_ID, 1))


def ctl_as(show, user, verb, *args):
    """What a front-end that acts for a user is told: '' or why not"""
    r = subprocess.run([lib.program('conclavectl'), '-s',
                        os.path.join(show.server.dir, 'ctl'), '--json', '--as',
                        WHO.get(user, user), verb, show.label, *args],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       timeout=10)
    check(r.returncode in (0, 1), r.stderr)
    return '' if r.returncode == 0 else json.loads(r.stdout)['error']


def rights(m, show):
    """Each verb, by each role; 403 says why"""
    for who, to, why in (
            ('carol', WHO['dave'] + ';method=BYE', 'may not remove'),
            ('dave', WHO['carol'] + ';method=BYE', 'may not remove'),
            ('carol', 'sip:eve@127.0.0.1', 'may not invite'),
            ('dave', 'sip:eve@127.0.0.1', 'may not invite'),
            ('bob', WHO['alice'] + ';method=BYE', 'ranks higher'),
            ('bob', m['bob'].uri + ';method=BYE', 'may not end'),
            ('carol', m['bob'].uri + ';method=BYE', 'may not end')):
        status, text = m[who].refer(to)
        check(status == 403 and why in text, '%s refers to %s: %d %s' % (
            who, to, status, text))
    for who, why, *args in (
            ('carol', 'may not mute', 'mute', WHO['dave']),
            ('dave', 'may not mute', 'unmute', WHO['dave']),
            ('bob', 'ranks higher', 'mute', WHO['alice']),
            ('eve', 'as: an identity', 'mute', WHO['dave']),
            ('sip:eve@127.0.0.1', 'may not mute', 'mute', WHO['dave']),
            ('carol', 'may not lock', 'lock'), ('carol', 'may not lock', 'unlock'),
            ('dave', 'may not give roles', 'role', WHO['dave'], 'member'),
            ('carol', 'may not give roles', 'role', WHO['carol'], 'owner'),
            ('bob', 'Only the owner', 'role', WHO['carol'], 'chair'),
            ('bob', 'Only the owner', 'role', WHO['bob'], 'owner'),
            ('bob', 'ranks higher', 'role', WHO['alice'], 'member'),
            ('carol', 'may not give the floor', 'floor', 'grant', WHO['carol']),
            ('carol', 'may not remove', 'kick', WHO['dave']),
            ('carol', 'may not invite', 'invite', WHO['dave']),
            ('bob', 'may not end', 'end'), ('alice', 'operator alone', 'rekey')):
        said = ctl_as(show, who, *args)
        check(why in said and (said.startswith('403 ') or why.startswith('as:')),
              '%s: %s: %r' % (who, args, said))
    for who, *args in (('bob', 'lock'), ('bob', 'unlock'), ('alice', 'lock'),
                       ('alice', 'unlock'), ('bob', 'mute', WHO['dave']),
                       ('bob', 'unmute', WHO['dave']),
                       ('alice', 'role', WHO['dave'], 'listener')):
        said = ctl_as(show, who, *args)
        check(not said, '%s: %s: %s' % (who, args, said))
    check(show.server.ctl('list')['conferences'][0]['participants'] == 4, 'all are in')


def floors(m, show):
    """A listener has no floor, who is muted loses it, and chairs come and go"""
    dave, carol, bob = m['dave'].floor, m['carol'].floor, m['bob'].floor
    check(m['dave'].ask_floor().error == UNAUTHORIZED, 'a listener asks')
    check(not ctl_as(show, 'bob', 'role', WHO['dave'], 'member'), 'role')
    r = dave.want()
    check(r[1] == GRANTED, 'a member asks: %s' % (r,))
    check(not ctl_as(show, 'bob', 'role', WHO['dave'], 'listener'), 'role')
    dave.told(r[0], REVOKED)
    check(m['dave'].ask_floor().error == UNAUTHORIZED, 'a listener again')

    r = carol.want()
    check(r[1] == GRANTED, 'floor: %s' % (r,))
    check(not ctl_as(show, 'bob', 'mute', WHO['carol']), 'mute')
    carol.told(r[0], REVOKED)
    check(not show.leg('carol')['floor'], 'muted, and holds the floor')
    check(m['carol'].ask_floor().error == UNAUTHORIZED, 'muted, and asks')
    m['carol'].call.bye()
    wait_until('carol is out', lambda: 'carol' not in show.parts(), 5)
    m['carol'].join()
    carol = m['carol'].floor
    check(show.parts()['carol']['muted'], 'calling again unmutes')
    check(m['carol'].ask_floor().error == UNAUTHORIZED, 'muted, and asks')
    check(not ctl_as(show, 'bob', 'unmute', WHO['carol']), 'unmute')

    r = bob.want()
    check(carol.decide(r[0], REVOKED).error == UNAUTHORIZED, 'a member decides')
    check(not ctl_as(show, 'alice', 'role', WHO['carol'], 'chair'), 'role')
    check(carol.decide(r[0], REVOKED).prim == CHAIR_ACTION_ACK, 'a chair decides')
    bob.told(r[0], REVOKED)
    check(not ctl_as(show, 'alice', 'role', WHO['carol'], 'member'), 'role')
    r = bob.want()
    check(carol.decide(r[0], REVOKED).error == UNAUTHORIZED, 'a chair no more')
    bob.release(r[0])


def succession(env, m, show):
    """Handed over, then inherited by the chair, then ended by REFER"""
    def owner():
        return show.server.ctl('list')['conferences'][0]['owner']
    check(not ctl_as(show, 'alice', 'role', WHO['carol'], 'owner'), 'hand over')
    roles = {u: p['role'] for u, p in show.parts().items()}
    check(owner() == WHO['carol'] and roles == {
        'alice': 'member', 'bob': 'chair', 'carol': 'owner', 'dave': 'listener'},
        'handed over: %s' % roles)
    check('may not end' in ctl_as(show, 'alice', 'end'), 'no owner any more')
    m['alice'].call.bye()
    wait_until('alice is out', lambda: 'alice' not in show.parts(), 5)
    m['carol'].call.bye()
    wait_until('bob inherits', lambda: owner() == WHO['bob'], 5)
    check(show.parts()['bob']['role'] == 'owner', 'role of the heir')

    status, text = m['bob'].refer(m['bob'].uri + ';method=BYE')
    check(status == 200, 'REFER: %d %s' % (status, text))
    for u in ('bob', 'dave'):
        bye = m[u].call.wait_request(5)
        check(bye.method == 'BYE' and 'Ended' in (bye.get('Reason') or ''),
              '%s: %s' % (u, bye))
    check(Notifies(m['bob'].refers).until_last() == 200, 'sipfrag')
    check(not show.server.ctl('list')['conferences'], 'it goes on')

    first = Member(env, show.server, 'carol')
    other = Member(env, show.server, 'alice', first.uri)
    first.call.bye()
    check(other.call.wait_request(5).method == 'BYE', 'nobody inherits')
    note('handed over, inherited, ended')


def main(env):
    server = roles_server(env)
    muted(env, server)
    wait_until('the first conference is over',
               lambda: not server.ctl('list')['conferences'], 5)
    m = {'alice': Member(env, server, 'alice')}
    for u in USERS[1:]:
        m[u] = Member(env, server, u, m['alice'].uri)
    show = Show(server)
    rights(m, show)
    floors(m, show)
    succession(env, m, show)
    text = lib.read_text(server.log)
    check(re.search(r'ev=refuse status=403 .*ranks higher', text), 'log')


if __name__ == '__main__':
    lib.run(main)
