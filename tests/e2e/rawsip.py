"""SIP by hand over TLS, TCP or UDP: requests as a scenario wants them.

What a real phone would never send can be sent with this, and every byte of
the answer can be looked at.  No media; SDP is made from text.
"""
import base64
import hashlib
import os
import queue
import re
import select
import socket
import ssl
import threading
import time

from lib import Failure, check

SUITE_KEY_LEN = {'AES_CM_128_HMAC_SHA1_80': 30, 'AES_CM_128_HMAC_SHA1_32': 30,
                 'AES_256_CM_HMAC_SHA1_80': 46, 'AEAD_AES_128_GCM': 28,
                 'AEAD_AES_256_GCM': 44}
SUITE = 'AES_CM_128_HMAC_SHA1_80'


def token(n=8):
    return os.urandom(n).hex()


class Message:
    """One SIP message: start line, headers (in order, as written), body"""

    def __init__(self, head, body):
        lines = re.sub(r'\r\n[ \t]+', ' ', head).split('\r\n')
        self.start = lines[0]
        self.headers = [tuple(x.strip() for x in li.split(':', 1))
                        for li in lines[1:] if ':' in li]
        self.body = body
        m = re.match(r'SIP/2\.0 (\d{3}) (.*)', self.start)
        self.status = int(m[1]) if m else None
        self.method = None if m else self.start.split(' ')[0]

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def get(self, name):
        v = self.all(name)
        return v[0] if v else None

    @property
    def cseq(self):
        n, method = self.get('CSeq').split()
        return int(n), method

    def __str__(self):
        return self.start


def offer(port=40000, crypto=None, proto='RTP/SAVP', addr='127.0.0.1',
          fmts='96 8', direction=None, version=1):
    """SDP with one audio line; crypto: list of values of a=crypto"""
    fam = 'IP6' if ':' in addr else 'IP4'
    text = ['v=0', 'o=- 1 %d IN %s %s' % (version, fam, addr), 's=-',
            'c=IN %s %s' % (fam, addr), 't=0 0',
            'm=audio %d %s %s' % (port, proto, fmts),
            'a=rtpmap:96 opus/48000/2', 'a=rtpmap:8 PCMA/8000']
    text += ['a=crypto:' + c for c in crypto or []]
    if direction:
        text.append('a=' + direction)
    return '\r\n'.join(text) + '\r\n'


def new_key(suite=SUITE):
    return base64.b64encode(os.urandom(SUITE_KEY_LEN[suite])).decode()


def crypto(tag=1, suite=SUITE, key=None, tail=''):
    return '%d %s inline:%s%s' % (tag, suite, key or new_key(suite), tail)


def parse_auth(value):
    return {k.lower(): v.strip('"') for k, v in
            re.findall(r'(\w+)=("[^"]*"|[^\s,]+)', value)}


def digest(challenge, method, uri, user, password, nc=1):
    """Value of Authorization (RFC 7616, RFC 8760)"""
    c = parse_auth(challenge)
    algs = {'md5': hashlib.md5, 'sha-256': hashlib.sha256}
    alg = c.get('algorithm', 'MD5')
    h = algs[alg.lower()]

    def hx(*parts):
        return h(':'.join(parts).encode()).hexdigest()
    ha1 = hx(user, c['realm'], password)
    ha2 = hx(method, uri)
    out = ['username="%s"' % user, 'realm="%s"' % c['realm'],
           'nonce="%s"' % c['nonce'], 'uri="%s"' % uri,
           'algorithm=%s' % alg]
    if 'qop' in c:
        cnonce, ncs = token(), '%08x' % nc
        out += ['qop=auth', 'cnonce="%s"' % cnonce, 'nc=' + ncs,
                'response="%s"' % hx(ha1, c['nonce'], ncs, cnonce, 'auth', ha2)]
    else:
        out.append('response="%s"' % hx(ha1, c['nonce'], ha2))
    if 'opaque' in c:
        out.append('opaque="%s"' % c['opaque'])
    return 'Digest ' + ', '.join(out)


class Client:
    """One connection; a thread reads it and sorts what comes by Call-ID"""

    def __init__(self, host, port, ca=None, transport='tls', user='alice',
                 password=None, timeout=10, cert=None):
        self.host, self.port, self.transport = host, port, transport
        self.user, self.password, self.timeout = user, password, timeout
        self.cert = cert        # PEM file, if it is to show one
        self.boxes = {}
        self.stray = queue.Queue()
        self.lock = threading.Lock()
        self.io = threading.Lock()
        self.sock = self._open(ca)
        self.sock.setblocking(False)
        self.local = self.sock.getsockname()[:2]
        self.dead = threading.Event()
        self.why = 'the connection is up'
        self.heard = time.monotonic()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _open(self, ca):
        if self.transport == 'udp':
            fam = socket.AF_INET6 if ':' in self.host else socket.AF_INET
            s = socket.socket(fam, socket.SOCK_DGRAM)
            s.connect((self.host, self.port))
            return s
        s = socket.create_connection((self.host, self.port), self.timeout)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.transport == 'tls':
            ctx = ssl.create_default_context(cafile=ca)
            ctx.check_hostname = True
            if self.cert:
                ctx.load_cert_chain(self.cert)
            s = ctx.wrap_socket(s, server_hostname=self.host)
        return s

    def _recv(self):
        """Bytes; b'' at the end; None: nothing now.  One SSL object must not be
        read and written at the same time."""
        with self.io:
            try:
                data = self.sock.recv(65536)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return None
            except OSError as e:
                self.why = 'the connection broke: %s' % e
                return b''
        if not data:
            self.why = 'the server closed the connection'
        self.heard = time.monotonic()
        return data

    def _read(self):
        buf = b''
        while True:
            data = self._recv()
            if data is None:
                try:
                    select.select([self.sock], [], [], 0.2)
                except (OSError, ValueError):   # closed by us
                    return
            elif data:
                buf = self._split(buf + data)
                self.why = 'the connection is up' + (
                    '; half a message: %r' % buf[:80] if buf else '')
            else:
                self.dead.set()
                return

    def _split(self, buf):
        while True:
            buf = buf.lstrip(b'\r\n')
            head, sep, rest = buf.partition(b'\r\n\r\n')
            if not sep:
                return buf
            head = head.decode('utf-8', 'replace')
            m = re.search(r'^(?:Content-Length|l)\s*:\s*(\d+)', head, re.M | re.I)
            n = int(m[1]) if m else len(rest) if self.transport == 'udp' else 0
            if len(rest) < n:
                return buf
            self._sort(Message(head, rest[:n].decode('utf-8', 'replace')))
            buf = rest[n:]

    def _sort(self, msg):
        with self.lock:
            box = self.boxes.get(msg.get('Call-ID'), self.stray)
        box.put(msg)

    def box(self, call_id):
        with self.lock:
            return self.boxes.setdefault(call_id, queue.Queue())

    def drop(self, call_id):
        with self.lock:
            self.boxes.pop(call_id, None)

    def send(self, text):
        data = text.encode()
        while data:
            try:
                with self.io:
                    data = data[self.sock.send(data):]
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                select.select([], [self.sock], [], 0.2)

    def hostport(self):
        host = '[%s]' % self.host if ':' in self.host else self.host
        return '%s:%d' % (host, self.port)

    def local_hostport(self):
        host = '[%s]' % self.local[0] if ':' in self.local[0] else self.local[0]
        return '%s:%d' % (host, self.local[1])

    def uri(self, user):
        return 'sip:%s@%s' % (user, self.hostport())

    def close(self):
        with self.io:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.thread.join(2)
        self.sock.close()


class Call:
    """One INVITE dialog from our side"""
    ctype = 'application/sdp'       # of bodies in our requests
    agent = 'raw'

    def __init__(self, cli, uri, user=None):
        self.cli = cli
        self.uri = uri
        self.user = user or cli.user
        self.call_id = token() + '@test'
        self.from_tag = token(4)
        self.to = '<%s>' % uri
        self.target = uri
        self.cseq = 0
        self.box = cli.box(self.call_id)
        self.ended = None       # the BYE of the server
        self.offers = []        # re-INVITE and UPDATE of the server

    def from_uri(self):
        host = self.cli.host
        return 'sip:%s@%s' % (self.user, '[%s]' % host if ':' in host else host)

    def request(self, method, body=None, headers=(), cseq=None, uri=None):
        """Send; returns (CSeq number, branch)"""
        if cseq is None:
            self.cseq += 1
            cseq = self.cseq
        branch = 'z9hG4bK' + token()
        uri = uri or self.target
        h = ['%s %s SIP/2.0' % (method, uri),
             'Via: SIP/2.0/%s %s;branch=%s;rport' % (
                 self.cli.transport.upper(), self.cli.local_hostport(), branch),
             'Max-Forwards: 70',
             'From: <%s>;tag=%s' % (self.from_uri(), self.from_tag),
             'To: %s' % self.to,
             'Call-ID: %s' % self.call_id,
             'CSeq: %d %s' % (cseq, method),
             'Contact: <sip:%s@%s;transport=%s>' % (
                 self.user, self.cli.local_hostport(), self.cli.transport),
             'User-Agent: ' + self.agent, *headers]
        if body is not None:
            h.append('Content-Type: ' + self.ctype)
        body = body or ''
        h.append('Content-Length: %d' % len(body.encode()))
        self.cli.send('\r\n'.join(h) + '\r\n\r\n' + body)
        return cseq, branch

    def next(self, timeout=None):
        """Next message of this dialog; Failure when none comes, at once if none
        can come any more"""
        end = time.monotonic() + (timeout or self.cli.timeout)
        while True:
            dead, left = self.cli.dead.is_set(), end - time.monotonic()
            try:
                return self.box.get(timeout=0 if dead else max(0.001, min(
                    left, 0.2)))
            except queue.Empty:
                if dead or left <= 0:
                    raise Failure('no answer from the server (%s): %s, %.1f s '
                                  'after the last byte' % (
                                      self.uri, self.cli.why,
                                      time.monotonic() - self.cli.heard)) from None

    def response(self, cseq, timeout=None):
        """Final response to our request; requests of the server meanwhile are served"""
        end = time.monotonic() + (timeout or self.cli.timeout)
        while True:
            m = self.next(max(0.01, end - time.monotonic()))
            if m.status is None:
                self.serve(m)
            elif m.cseq[0] == cseq and m.status >= 200:
                return m

    def reply(self, req, status, reason, body=None, headers=()):
        h = ['SIP/2.0 %d %s' % (status, reason)]
        h += ['Via: ' + v for v in req.all('Via')]
        h += ['%s: %s' % (n, req.get(n)) for n in ('From', 'To', 'Call-ID', 'CSeq')]
        h += list(headers)
        if body:
            h += ['Contact: <sip:%s@%s;transport=%s>' % (
                self.user, self.cli.local_hostport(), self.cli.transport),
                'Content-Type: application/sdp']
        body = body or ''
        h.append('Content-Length: %d' % len(body))
        self.cli.send('\r\n'.join(h) + '\r\n\r\n' + body)

    def serve(self, req):
        """BYE is answered; offers are kept for the scenario to answer"""
        if req.method == 'BYE':
            self.ended = req
            self.reply(req, 200, 'OK')
        elif req.method in ('INVITE', 'UPDATE'):
            self.offers.append(req)
        elif req.method != 'ACK':
            self.reply(req, 200, 'OK')

    def wait_request(self, timeout):
        """The server's next BYE, re-INVITE or UPDATE"""
        end = time.monotonic() + timeout
        while not self.ended and not self.offers:
            left = end - time.monotonic()
            check(left > 0, 'no request of the server within %g s' % timeout)
            m = self.next(left)
            if m.status is None:
                self.serve(m)
        return self.ended or self.offers.pop(0)

    def ack(self, cseq, branch=None, body=None, to=None):
        """For 2xx; with a branch: of a refused INVITE, hop by hop"""
        old = self.to
        if to:
            self.to = to
        if branch:
            h = ['ACK %s SIP/2.0' % self.target,
                 'Via: SIP/2.0/%s %s;branch=%s;rport' % (
                     self.cli.transport.upper(), self.cli.local_hostport(), branch),
                 'Max-Forwards: 70',
                 'From: <%s>;tag=%s' % (self.from_uri(), self.from_tag),
                 'To: %s' % self.to, 'Call-ID: %s' % self.call_id,
                 'CSeq: %d ACK' % cseq, 'Content-Length: 0']
            self.cli.send('\r\n'.join(h) + '\r\n\r\n')
        else:
            self.request('ACK', body=body, cseq=cseq)
        self.to = old

    def _invite_once(self, sdp, headers, ack_body):
        cseq, branch = self.request('INVITE', sdp, headers)
        r = self.response(cseq)
        if r.status >= 300:
            self.ack(cseq, branch, to=r.get('To'))
            return r
        self.to = r.get('To')
        m = re.search(r'<([^>]+)>', r.get('Contact') or '')
        check(m, '200 without Contact')
        self.target = m[1]
        if sdp is not None or ack_body is not None:
            self.ack(cseq, body=ack_body(r) if ack_body else None)
        else:
            self.pending_ack = cseq
        return r

    def invite(self, sdp, headers=(), auth=True, ack_body=None, password=None):
        """
        INVITE, with credentials if asked for, and ACK.

        sdp None: delayed offer; ack_body(response) makes the answer.
        Returns the final response.
        """
        r = self._invite_once(sdp, headers, ack_body)
        if r.status == 401 and auth:
            pw = self.cli.password if password is None else password
            value = digest(r.get('WWW-Authenticate'), 'INVITE', self.target,
                           self.user, pw)
            r = self._invite_once(sdp, list(headers) + ['Authorization: ' + value],
                                  ack_body)
        return r

    def reinvite(self, sdp):
        """Offer again in the dialog; returns the final response, ACK is sent"""
        return self.invite(sdp)

    def bye(self):
        """Hang up; returns the final response"""
        cseq, _ = self.request('BYE')
        r = self.response(cseq)
        if r.status == 401:
            value = digest(r.get('WWW-Authenticate'), 'BYE', self.target,
                           self.user, self.cli.password)
            cseq, _ = self.request('BYE', headers=['Authorization: ' + value])
            r = self.response(cseq)
        self.cli.drop(self.call_id)
        return r


def focus_uri(response):
    """Conference URI of a 200, RFC 4579 section 5.1"""
    c = response.get('Contact') or ''
    m = re.search(r'<([^>]+)>.*;\s*isfocus', c)
    check(m, 'no isfocus in Contact: %r' % c)
    return m[1]


def keys_of(sdp):
    """[(tag, suite, base64)] of all a=crypto lines"""
    return re.findall(r'^a=crypto:(\d+) (\S+) inline:([A-Za-z0-9+/=]+)', sdp, re.M)
