#!/usr/bin/env python3
"""Conferences of three set up and torn down over a few lasting TLS connections:
calls per second and CPU of the focus per call, beside what TLS alone costs

Every INVITE is challenged.  All conferences are up before the first one ends.

  bench_setup.py [--json] [--conferences 1000] [--at-once 16]
"""
import re
import selectors
import socket
import ssl
import time

from measure import cpu_us, drop, mean, options, show, tls
import lib
from rawsip import crypto, digest, offer, token

MEMBERS = ('alice', 'bob', 'carol')
LINES = 8               # connections of each user
LIMIT_S = 120

HEADER = re.compile(rb'^([\w-]+): *(.*?)\r?$', re.M)


class Line:
    """One connection of a user; whoever has calls on it is told what comes"""

    def __init__(self, server, sel, user):
        self.user, self.password = user, server.password(user)
        self.calls = {}
        self.buf = b''
        ctx = ssl.create_default_context(cafile=server.ca)
        s = socket.create_connection((server.host, server.port), 10)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = ctx.wrap_socket(s, server_hostname=server.host)
        self.hostport = '%s:%d' % self.sock.getsockname()[:2]
        self.sock.setblocking(False)
        sel.register(self.sock, selectors.EVENT_READ, self)

    def close(self):
        self.sock.close()

    def send(self, text):
        data = text.encode()
        n = self.sock.send(data)
        lib.check(n == len(data), 'the server does not read')

    def readable(self):
        while True:
            try:
                data = self.sock.recv(65536)
            except ssl.SSLWantReadError:
                return
            lib.check(data, 'the server closed a connection')
            self.buf += data
            self.split()

    def split(self):
        while True:
            head, sep, rest = self.buf.partition(b'\r\n\r\n')
            if not sep:
                return
            h = {k.lower(): v.decode() for k, v in HEADER.findall(head)}
            n = int(h[b'content-length'])
            if len(rest) < n:
                return
            self.buf = rest[n:]
            self.calls[h[b'call-id']].receive(head.split(b'\r\n')[0], h)


class Call:
    """INVITE, 401, INVITE with credentials, 200; BYE, 200"""

    def __init__(self, line, uri, doneh):
        self.line, self.target, self.doneh = line, uri, doneh
        self.call_id, self.tag = token(), token(4)
        self.to, self.cseq = '<%s>' % uri, 0
        self.sdp = offer(crypto=[crypto()]) + 'a=rtcp-mux\r\n'
        line.calls[self.call_id] = self

    def send(self, method, headers='', body='', cseq=None):
        self.branch = self.branch if method == 'ACK' else 'z9hG4bK' + token()
        u = self.line
        u.send('%s %s SIP/2.0\r\nVia: SIP/2.0/TLS %s;branch=%s\r\n'
               'Max-Forwards: 70\r\nFrom: <sip:%s@127.0.0.1>;tag=%s\r\nTo: %s\r\n'
               'Call-ID: %s\r\nCSeq: %d %s\r\n%sContent-Length: %d\r\n\r\n%s' % (
                   method, self.target, u.hostport, self.branch, u.user, self.tag,
                   self.to, self.call_id, cseq or self.cseq, method, headers,
                   len(body), body))

    def invite(self, auth=''):
        self.cseq += 1
        self.send('INVITE', 'Contact: <sip:%s@%s;transport=tls>\r\n%s'
                  'Content-Type: application/sdp\r\n' %
                  (self.line.user, self.line.hostport, auth), self.sdp)

    def bye(self, doneh):
        self.doneh = doneh
        self.cseq += 1
        self.send('BYE')

    def receive(self, start, h):
        status = int(start.split()[1])
        method = h[b'cseq'].split()[1]
        if status < 200:
            return
        if status == 401 and self.cseq == 1:
            self.send('ACK')
            self.invite('Authorization: %s\r\n' % digest(
                h[b'www-authenticate'], 'INVITE', self.target, self.line.user,
                self.line.password))
            return
        lib.check(status == 200, '%s: %s' % (method, start))
        if method == 'INVITE':
            self.to = h[b'to']
            self.target = re.search('<([^>]+)>', h[b'contact'])[1]
            self.branch = 'z9hG4bK' + token()
            self.send('ACK')
        else:
            del self.line.calls[self.call_id]
        self.doneh(self)


class Load:
    """So many conferences, some of them in the making at any time"""

    def __init__(self, server, count, at_once):
        self.server, self.count, self.at_once = server, count, at_once
        self.sel = selectors.DefaultSelector()
        self.lines = {u: [Line(server, self.sel, u) for _ in range(LINES)]
                      for u in MEMBERS}
        self.confs = []

    def loop(self, done):
        end = time.monotonic() + LIMIT_S
        while not done():
            lib.check(time.monotonic() < end, 'too slow')
            for key, _ in self.sel.select(1):
                key.data.readable()

    def line(self, user):
        return self.lines[user][len(self.confs) % LINES]

    def begin(self):
        """The first member makes a conference, the others join it"""
        conf = []
        missing = list(MEMBERS[1:])

        def joined(call):
            conf.append(call)
            if len(conf) == 1:
                for user in missing:
                    Call(self.line(user), call.target, joined).invite()
            elif len(conf) == len(MEMBERS):
                self.up += 1
                if len(self.confs) < self.count:
                    self.begin()

        self.confs.append(conf)
        Call(self.line(MEMBERS[0]), self.server.factory, joined).invite()

    def setup(self):
        self.up = 0
        for _ in range(self.at_once):
            self.begin()
        self.loop(lambda: self.up == self.count)

    def teardown(self):
        """Who came last leaves first; the owner's leaving ends the conference"""
        left = list(self.confs)
        self.gone = 0

        def next_bye(call):
            self.gone += call is not None
            if call and call.conf:
                c = call.conf.pop()
                c.conf = call.conf
            elif left:
                conf = left.pop()
                c = conf.pop()
                c.conf = conf
            else:
                return
            c.bye(next_bye)

        for _ in range(self.at_once):
            next_bye(None)
        self.loop(lambda: self.gone == self.count * len(MEMBERS))

    def close(self):
        for lines in self.lines.values():
            for line in lines:
                line.close()


def timed(server, what):
    pid = server.proc.pid
    mixers = sum(m['cpu_us'] for m in server.ctl('stats')['mixers'])
    cpu, t = cpu_us(pid), time.monotonic()
    what()
    t, cpu = time.monotonic() - t, cpu_us(pid) - cpu
    return t, cpu, sum(m['cpu_us'] for m in server.ctl('stats')['mixers']) - mixers


def row(step, n, figures, prim):
    t, cpu, mixers = figures
    return {'step': step, 'calls': n, 'calls_per_s': round(n / t),
            'focus_us': round(cpu / n, 1), 'mixer_us': round(mixers / n, 1),
            'tls_us': round(prim, 1), 'ratio': round(cpu / n / prim, 2)}


def measure(env, conferences, at_once):
    server = env.server('setup', log_level='warn')
    warm = env.add(Load(server, 20, at_once))
    warm.setup()
    warm.teardown()
    warm.close()
    load = env.add(Load(server, conferences, at_once))
    before = tls()
    up = timed(server, load.setup)
    st = server.ctl('stats')
    lib.check(st['conferences'] == conferences, 'not all are there')
    down = timed(server, load.teardown)
    load.close()
    drop(env, server)
    prim = mean(before, tls())
    n = conferences * len(MEMBERS)
    return [row('set-up', n, up, prim['setup']),
            row('tear-down', n, down, prim['teardown'])]


def main(env):
    a = options(__doc__, conferences=1000, at_once=16)
    show(measure(env, a.conferences, a.at_once), a.json,
         ('step', '%s'), ('calls', '%d'), ('calls/s', '%d'),
         ('focus us/call', '%.1f'), ('mixer us/call', '%.1f'), ('TLS us', '%.1f'),
         ('ratio', '%.2f'))


if __name__ == '__main__':
    lib.run(main)
