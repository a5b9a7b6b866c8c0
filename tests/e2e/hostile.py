"""Ground of 60_hostile: a server, a decent call in it, and bytes by hand"""
import queue
import re
import socket
import ssl
import time

import lib
from lib import Failure, check
from rawsip import Call, Client, crypto, offer, token

BASE = ('conferences', 'calls', 'secrets', 'seen_keys')
FDS_SLACK = 8


class HostileCall(Call):
    def response_to(self, method, timeout=5):
        """Final response to the newest request of this method"""
        end = time.monotonic() + timeout
        while True:
            m = self.next(max(0.01, end - time.monotonic()))
            if m.status is None:
                self.serve(m)
            elif m.cseq == (self.cseq, method) and m.status >= 200:
                return m

    def everything(self, quiet):
        """All that comes until nothing has come for a while [s]"""
        got = []
        while True:
            try:
                m = self.box.get(timeout=quiet)
            except queue.Empty:
                return got
            if m.status is None:
                self.serve(m)
            got.append(m)


class PortClient(Client):
    """One that says which port it comes from, and goes without a goodbye"""

    def __init__(self, port_from=0, **kw):
        self.port_from = port_from
        super().__init__(**kw)

    def _open(self, ca, cert=None):
        k = socket.socket()
        k.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        k.bind(('127.0.0.1', self.port_from))
        k.settimeout(self.timeout)
        k.connect((self.host, self.port))
        k.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        return ssl.create_default_context(cafile=ca).wrap_socket(
            k, server_hostname=self.host)

    def cut(self):
        with self.io:
            self.sock.close()


class Scene:
    """bob is decent and in a call all the time; alice is not"""

    def __init__(self, env, keying='endpoint', **kw):
        self.env = env
        self.keying = keying
        self.server = env.server('demo-' + keying, keying=keying, **kw)
        self.cli = self.client('alice')
        self.restart()

    def restart(self):
        """Another decent call, and what is to be as it is with it"""
        self.bob = HostileCall(self.client('bob'), self.server.factory)
        lib.wait_until('a decent call', lambda: self.bob.invite(offer(
            crypto=[crypto()])).status == 200, 5)
        self.base = self.state()

    def client(self, user, make=Client, **kw):
        s = self.server
        return self.env.add(make(host=s.host, port=s.port, ca=s.ca, user=user,
                                 password=s.password(user), timeout=5, **kw))

    def call(self, uri=None, sdp=None, status=200, cli=None, **kw):
        cli = cli or self.cli
        c = HostileCall(cli, uri or cli.uri('factory'))
        r = c.invite(sdp or offer(crypto=[crypto()]), **kw)
        check(r.status == status, '%s, not %d' % (r, status))
        c.answer = r
        return c

    def state(self):
        st = self.server.ctl('stats')
        now = {k: st[k] for k in BASE}
        now['legs'] = sum(m['legs'] for m in st['mixers'])
        now['mixer secrets'] = sum(m['secrets'] for m in st['mixers'])
        return now

    def back_at_base(self, what, timeout=5):
        """Nothing of an attack stays, and bob is still there"""
        check(self.server.proc.poll() is None, '%s: the server died' % what)
        try:
            lib.wait_until('state as before', lambda: self.state() == self.base,
                           timeout)
        except Failure:
            raise Failure('%s left something: %r, not %r' % (
                what, self.state(), self.base))
        check(not self.bob.ended, '%s ended the call of another' % what)

    def finish(self):
        check(self.bob.bye().status == 200, 'the decent call suffered')
        self.server.stop()


def raw_connect(sc, timeout=5):
    s = sc.server
    k = socket.create_connection((s.host, s.port), timeout)
    k.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    ctx = ssl.create_default_context(cafile=s.ca)
    return ctx.wrap_socket(k, server_hostname=s.host)


def raw_send(sc, data, timeout=5):
    """The first message that comes back on a fresh connection; b'' if it is
    closed without one"""
    with raw_connect(sc, timeout) as k:
        try:
            k.sendall(data.encode('latin1'))
            got = b''
            while b'\r\n\r\n' not in got:
                more = k.recv(65536)
                if not more:
                    break
                got += more
            return got
        except socket.timeout:
            raise Failure('no answer to %r' % data[:60])
        except OSError:
            return b''


def ask(k, text, count):
    """The same request again and again, each a new one; wait for all answers"""
    parts = re.split('z9hG4bK[0-9a-f]+', text)
    got = 0
    for _ in range(count):
        k.sendall(('z9hG4bK' + token()).join(parts).encode('latin1'))
        answer = b''
        while b'\r\n\r\n' not in answer:
            more = k.recv(65536)
            check(more, 'closed after %d answers' % got)
            answer += more
        got += 1


def is_closed(sock):
    """By the other side; what it has sent is thrown away"""
    try:
        while True:
            sock.setblocking(False)
            if not sock.recv(65536):
                return True
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True


def first_line(got):
    """Status code of a response"""
    m = re.match(rb'SIP/2\.0 (\d{3}) ', got)
    return int(m[1]) if m else None


def option_request(method='OPTIONS', uri='sip:factory@127.0.0.1', to=None,
                   extra=(), body='', cseq=None, length=None):
    """A request outside of dialogs; length: text of Content-Length, or ''"""
    h = ['%s %s SIP/2.0' % (method, uri),
         'Via: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK%s;rport' % token(),
         'Max-Forwards: 70', 'From: <sip:alice@127.0.0.1>;tag=' + token(4),
         'To: ' + (to or '<sip:factory@127.0.0.1>'), 'Call-ID: ' + token(),
         'CSeq: ' + (cseq or '1 ' + method), *extra]
    if length != '':
        h.append('Content-Length: %s' % (len(body) if length is None else length))
    return '\r\n'.join(h) + '\r\n\r\n' + body


def in_dialog(call, method, branch=None, body=None, headers=(), cseq=None):
    """Text of a request in the dialog of a call, to be sent with others"""
    h = ['%s %s SIP/2.0' % (method, call.target),
         'Via: SIP/2.0/TLS %s;branch=%s;rport' % (
             call.cli.local_hostport(), branch or 'z9hG4bK' + token()),
         'Max-Forwards: 70',
         'From: <%s>;tag=%s' % (call.from_uri(), call.from_tag),
         'To: ' + call.to, 'Call-ID: ' + call.call_id,
         'CSeq: %d %s' % (cseq or call.cseq, method),
         'Contact: <sip:%s@%s;transport=tls>' % (
             call.user, call.cli.local_hostport()), *headers]
    if body:
        h.append('Content-Type: application/sdp')
    h.append('Content-Length: %d' % len(body or ''))
    return '\r\n'.join(h) + '\r\n\r\n' + (body or '')
