"""A phone by hand that is called: it says to an INVITE what a scenario wants"""
import queue
import re
import socket
import ssl
import threading

from lib import check
from rawsip import Call, Client, crypto, keys_of, offer, token


class Accepted(Client):
    """A connection that the server opened to us"""

    def __init__(self, sock, phone):
        self.given = sock
        self.phone = phone
        host, port = sock.getsockname()[:2]
        super().__init__(host, port, user=phone.user)

    def _open(self, ca, cert=None):
        return self.given

    def _sort(self, msg):
        with self.lock:
            box = self.boxes.get(msg.get('Call-ID'))
        if box:
            box.put(msg)
        elif msg.status is None and msg.method == 'ACK':
            self.stray.put(msg)
        else:
            self.phone.news.put((self, msg))


class Incoming(Call):
    """An INVITE that came, and the dialog that may come of it"""

    def __init__(self, conn, invite):
        self.cli = conn
        self.invite_msg = invite
        self.call_id = invite.get('Call-ID')
        self.user = conn.user
        self.from_tag = token(4)
        self.to = invite.get('From')
        self.uri = self.target = re.search(r'<([^>]+)>', invite.get('Contact'))[1]
        self.cseq = 0
        self.box = conn.box(self.call_id)
        self.ended = None
        self.offers = []

    def from_uri(self):
        return re.search(r'<([^>]+)>', self.invite_msg.get('To'))[1]

    def respond(self, status, reason, body=None, tag=None, headers=(), req=None):
        req = req or self.invite_msg
        h = ['SIP/2.0 %d %s' % (status, reason)]
        h += ['Via: ' + v for v in req.all('Via')]
        to = req.get('To')
        if ';tag=' not in to:
            to += ';tag=' + (tag or self.from_tag)
        h += ['To: ' + to]
        h += ['%s: %s' % (n, req.get(n)) for n in ('From', 'Call-ID', 'CSeq')]
        h += list(headers)
        if body or (status < 300 and status > 100):
            h.append('Contact: <sip:%s@%s;transport=tls>' % (
                self.user, self.cli.local_hostport()))
        if body:
            h.append('Content-Type: application/sdp')
        body = body or ''
        h.append('Content-Length: %d' % len(body))
        self.cli.send('\r\n'.join(h) + '\r\n\r\n' + body)

    def sdp(self):
        """The offer, also from inside of a multipart body"""
        return self.invite_msg.body

    def good_answer(self, port=40100):
        tag, suite, _ = keys_of(self.sdp())[0]
        return offer(port=port, crypto=[crypto(int(tag), suite)])

    def wait_ack(self, timeout=5):
        m = self.next(timeout)
        check(m.method == 'ACK', 'no ACK but %s' % m)

    def refuse(self, status, reason, headers=()):
        """A final response, and its ACK"""
        self.respond(status, reason, headers=headers)
        self.wait_ack()

    def accept(self, body=None):
        self.respond(200, 'OK', body or self.good_answer())
        self.wait_ack()


class Phone:
    """Listens with a certificate; each new request comes out of incoming()"""

    def __init__(self, env, user, pem):
        self.user = user
        self.news = queue.Queue()
        self.ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ctx.load_cert_chain(pem)
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.conns = []
        self.refused = []       # handshakes that came to nothing
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        env.add(self)

    def _serve(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            try:
                sock = self.ctx.wrap_socket(sock, server_side=True)
            except (OSError, ssl.SSLError) as e:
                self.refused.append(str(e))
                continue
            self.conns.append(Accepted(sock, self))

    def uri(self, user=None, params=''):
        return 'sip:%s@127.0.0.1:%d%s' % (user or self.user, self.port, params)

    def next(self, timeout=10):
        """(connection, request) that began something new"""
        return self.news.get(timeout=timeout)

    def incoming(self, timeout=10):
        conn, msg = self.next(timeout)
        check(msg.method == 'INVITE', 'no INVITE but %s' % msg)
        return Incoming(conn, msg)

    def quiet(self):
        return self.news.empty()

    def close(self):
        # shutdown() wakes the thread that accepts
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        for c in self.conns:
            c.close()
        self.thread.join(2)
