"""Every key is drawn afresh: those of 50 epochs have nothing to do with each
other, and no two lines of a session description share one; and a key of a
client is good for as many packets as it says"""
import re

import capture
import lib
import srtp
from confedit import edited_server
from lib import check, note, wait_until
from rawsip import Call, Client, crypto, keys_of, offer
from secrecy import Taps, seconds, tone

EPOCHS = 50
FREQ = 600
LIFETIME = 100          # packets, in the a=crypto line
QUICK = ('--rtcp-interval', 500)
VIDEO = ('m=video 40002 RTP/SAVP 97\r\na=rtpmap:97 H264/90000\r\na=crypto:%s\r\n'
         'm=audio 40004 RTP/SAVP 8\r\na=crypto:%s\r\n')


def epochs(env):
    server = env.server('group', keying='group')
    t = Taps(env, server)
    calls = [t.call(u, u, *seconds(60), *QUICK) for u in ('alice', 'bob')]
    t.settled('group')
    conf = t.conf()['conf']
    for _ in range(EPOCHS):
        before = max(leg['epoch'] for leg in t.legs().values())
        server.ctl('rekey', conf)
        wait_until('next epoch', lambda: min(
            leg['epoch'] for leg in t.legs().values()) > before, 5)
    for c in calls:
        c.proc.terminate()
        c.proc.communicate(timeout=10)
    server.stop()
    j = t.judge()
    r = j['relations']
    note('   %d keys of one conference: of %d pairs %d are related%s; they '
         'differ in %.0f to %.0f %% of their bits' %
         (r['keys'], r['pairs'], r['found'], r['first'] and ' (%s)' % r['first'],
          r['least_pct'], r['most_pct']))
    check(r['keys'] > EPOCHS, 'only %d keys' % r['keys'])
    check(r['found'] == 0, 'keys are related: %s' % r['first'])
    check(j['shared'] == 0, 'a key is used in both directions')


def lines(sdp):
    """[(media line, its keys)]"""
    return [(part.split('\r\n')[0],
             re.findall(r'(?m)^a=crypto:.*? inline:([^|\s]+)', part))
            for part in re.split(r'(?m)^m=', sdp)[1:]]


def answer_to(r):
    """The first key of an offer is taken"""
    tag, suite, _ = keys_of(r.body)[0]
    return offer(crypto=[crypto(int(tag), suite)])


def descriptions(env, keying):
    """Of ours: answers to an offer with more lines than one, and an offer"""
    server = env.server('sdp-' + keying, keying=keying)
    ours, theirs = [], []
    for user in ('alice', 'bob', 'carol'):
        cli = env.add(Client(server.host, server.port, ca=server.ca, user=user,
                             password=server.password(user)))
        sdp = offer(crypto=[crypto()]) + VIDEO % (crypto(), crypto())
        theirs += [k for _, keys in lines(sdp) for k in keys]
        r = Call(cli, server.factory).invite(sdp)
        check(r.status == 200, str(r))
        answer = lines(r.body)
        check([len(keys) for _, keys in answer] == [1, 0, 0],
              'keys per line: %r' % [len(keys) for _, keys in answer])
        check(all(m.split()[1] == '0' for m, _ in answer[1:]), r.body)
        ours.append(answer[0][1])
    late = Call(cli, server.factory)
    r = late.invite(None, ack_body=answer_to)
    check(r.status == 200, str(r))
    late.bye()
    ours += [keys for m, keys in lines(r.body) if m.startswith('audio')]
    flat = [k for keys in ours for k in keys]
    note('   %s: %d audio lines of ours with %d keys, all different; rejected '
         'lines have none' % (keying, len(ours), len(flat)))
    check(len(set(flat + theirs)) == len(flat + theirs), 'lines share a key')
    server.stop()


class Talker:
    """A call by hand, with a key of so many packets; sends under it"""

    def __init__(self, env, server, user):
        self.server = server
        self.cli = env.add(Client(server.host, server.port, ca=server.ca,
                                  user=user, password=server.password(user)))
        self.call = Call(self.cli, server.factory)
        self.line = crypto(tail='|%d' % LIFETIME)
        self.env = env
        self.out, self.ts = None, 0
        self.offer(self.call.invite)

    def offer(self, invite):
        r = invite(offer(crypto=[self.line], fmts='8'))
        check(r.status == 200, str(r))
        port = int(re.search(r'(?m)^m=audio (\d+)', r.body)[1])
        if self.out:
            self.out.close()
        self.out = self.env.add(srtp.Sender(self.line, self.server.host, port))

    def fresh(self):
        self.line = crypto(tail='|%d' % LIFETIME)
        self.offer(self.call.reinvite)

    def leg(self):
        for c in self.server.ctl('list')['conferences']:
            for p in self.server.ctl('show', c['conf'])['participants']:
                if self.cli.user in p['identity']:
                    return p['legs'][0]
        return None

    def send(self, packets):
        for _ in range(packets):
            self.ts += 160
            self.out.send(8, self.ts, b'\xd5' * 160)

    def counted(self, packets):
        wait_until('%d packets' % packets, lambda: (self.leg() or {}).get(
            'rx_packets') == packets, 5)


def lifetime(env):
    server = env.server('lifetime')
    a = Talker(env, server, 'alice')
    a.send(LIFETIME)
    a.counted(LIFETIME)
    check(a.call.box.empty(), 'hung up while the key is good')
    # a new key has a life of its own
    a.fresh()
    a.send(LIFETIME)
    a.counted(2 * LIFETIME)
    a.send(1)
    bye = a.call.wait_request(5)
    check(bye.method == 'BYE', str(bye))
    note('   a key for %d packets: %d taken, the next one ends the call: %s' %
         (LIFETIME, LIFETIME, bye.get('Reason')))
    check('Key lifetime is over' in bye.get('Reason'), str(bye))
    server.stop()


def aged(env):
    """A key that a call has to itself is renewed, too, and nobody hears when"""
    demo = env.server()
    server = edited_server(env, demo, 'aged', lambda t: t.replace(
        'keying = endpoint', 'keying = endpoint\nown_key_max_age = 1'))
    server.dir = demo.dir               # users, CA
    t = Taps(env, server)
    t.call('tone', 'alice', *seconds(60), '--freq', FREQ)
    calls = [t.call(name, user, *seconds(60), '--silent', '--expect', FREQ, *more)
             for name, user, more in (('update', 'bob', ()),
                                      ('reinvite', 'carol', ('--no-update',)))]
    t.listen(250)
    for c in calls:
        h, j = tone(c, FREQ)
        n = j['signalling']['rekeys']
        note('   endpoint %-8s %d keys of its own, longest gap %d ms' % (
            c.name, n + 1, h['longest_gap_ms']))
        check(n >= 2, 'only %d new keys' % n)
        check(h['longest_gap_ms'] <= lib.GAP_MS, 'a gap')
    check(t.judge()['pads']['violations'] == 0, 'two-time pad')
    server.stop()


def main(env):
    aged(env)
    epochs(env)
    descriptions(env, 'group')
    descriptions(env, 'endpoint')
    lifetime(env)


if __name__ == '__main__':
    capture.run(main)
