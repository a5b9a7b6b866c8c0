"""BFCP by hand over TLS: a floor participant or chair that can also misbehave

The bytes are made and taken apart here, not by the code under test (RFC 8855
section 5).
"""
import hashlib
import os
import re
import select
import socket
import ssl
import struct
import subprocess
import time

from lib import Failure, check

(FLOOR_REQUEST, FLOOR_RELEASE, FLOOR_REQUEST_QUERY, FLOOR_REQUEST_STATUS,
 USER_QUERY, USER_STATUS, FLOOR_QUERY, FLOOR_STATUS, CHAIR_ACTION,
 CHAIR_ACTION_ACK, HELLO, HELLO_ACK, ERROR) = range(1, 14)
(BENEFICIARY_ID, FLOOR_ID, FLOOR_REQUEST_ID, PRIORITY, REQUEST_STATUS,
 ERROR_CODE, ERROR_INFO, PARTICIPANT_INFO, STATUS_INFO, SUPPORTED_ATTRS,
 SUPPORTED_PRIMS, DISPLAY_NAME, USER_URI, BENEFICIARY, REQUEST_INFO,
 REQUESTED_BY, FLOOR_REQ_STATUS, OVERALL) = range(1, 19)
GROUPS = (BENEFICIARY, REQUEST_INFO, REQUESTED_BY, FLOOR_REQ_STATUS, OVERALL)
(PENDING, ACCEPTED, GRANTED, DENIED, CANCELLED, RELEASED, REVOKED) = range(1, 8)
WAIT_S = 5


def attr(kind, contents, mandatory=False):
    n = 2 + len(contents)
    return (bytes([kind << 1 | mandatory, n]) + contents + bytes(-n % 4))


def u16(kind, value):
    return attr(kind, struct.pack('>H', value))


def group(kind, number, *children):
    return attr(kind, struct.pack('>H', number) + b''.join(children))


def message(prim, conf, tid, user, payload=b'', version=1, words=None):
    return struct.pack('>BBHIHH', version << 5, prim,
                       len(payload) // 4 if words is None else words,
                       conf, tid, user) + payload


def attributes(data):
    """[(type, contents or [children])]"""
    out = []
    while data:
        kind, n = data[0] >> 1, data[1]
        check(2 <= n <= len(data), 'bad attribute %s' % data[:8].hex())
        body = data[2:n]
        out.append((kind, (struct.unpack('>H', body[:2])[0],
                           attributes(body[2:])) if kind in GROUPS else body))
        data = data[n + -n % 4:]
    return out


class Msg:
    def __init__(self, data):
        (self.first, self.prim, _, self.conf, self.tid,
         self.user) = struct.unpack('>BBHIHH', data[:12])
        self.raw = data
        self.attrs = attributes(data[12:])

    def get(self, kind):
        return next((v for k, v in self.attrs if k == kind), None)

    @property
    def error(self):
        v = self.get(ERROR_CODE)
        return v[0] if self.prim == ERROR and v else None

    def requests(self):
        """[(id, status, position)]"""
        out = []
        for k, v in self.attrs:
            if k == REQUEST_INFO:
                overall = dict(v[1]).get(OVERALL)
                st = dict(overall[1])[REQUEST_STATUS] if overall else b'\0\0'
                out.append((v[0], st[0], st[1]))
        return out

    def __repr__(self):
        return 'prim=%d tid=%d user=%d error=%s %s' % (
            self.prim, self.tid, self.user, self.error, self.requests())


class Cert:
    """A self-signed certificate, as phones have"""

    def __init__(self, env, name):
        self.pem = env.path(name + '-bfcp.pem')
        key = env.path(name + '-bfcp.key')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                        'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
                        '-subj', '/CN=anonymous', '-keyout', key,
                        '-out', self.pem], check=True, capture_output=True)
        with open(self.pem, 'a') as out, open(key) as f:
            out.write(f.read())
        with open(self.pem) as f:
            der = ssl.PEM_cert_to_DER_cert(
                f.read().split('-----END CERTIFICATE-----')[0] +
                '-----END CERTIFICATE-----\n')
        self.fingerprint = 'sha-256 ' + ':'.join(
            '%02X' % b for b in hashlib.sha256(der).digest())


def line(cert, setup='active', port=9, conn='new', proto='TCP/TLS/BFCP',
         extra=()):
    """The m= section of an offer"""
    out = ['m=application %d %s *' % (port, proto), 'a=setup:' + setup,
           'a=connection:' + conn, 'a=floorctrl:c-only', 'a=bfcpver:1']
    if cert and cert.fingerprint:
        out.append('a=fingerprint:' + cert.fingerprint)
    return '\r\n'.join(out + list(extra)) + '\r\n'


class Answer:
    """What the server's SDP says of BFCP"""

    def __init__(self, sdp):
        m = re.search(r'^m=application (\d+) (\S+) \*\r\n((?:(?!m=).*\r\n)*)',
                      sdp, re.M)
        check(m, 'no m=application: %s' % sdp)
        self.port = int(m[1])
        self.attrs = dict((a.split(':', 1) + [''])[:2]
                          for a in re.findall(r'^a=(.*)\r$', m[3], re.M))
        addr = re.search(r'^c=IN IP[46] (\S+)', m[3], re.M)
        self.addr = addr and addr[1]
        if self.port:
            self.conf = int(self.attrs['confid'])
            self.user = int(self.attrs['userid'])
            check(self.attrs['floorctrl'] == 's-only', 'floorctrl')
            check(self.attrs['bfcpver'] == '1', 'bfcpver')
            label = re.search(r'^a=label:(\d+)', sdp, re.M)
            check(label and self.attrs['floorid'] == '1 mstrm:' + label[1],
                  'floorid names no label: %s' % sdp)


class Floor:
    """One BFCP connection"""

    def __init__(self, answer, cert, sock=None, tls_server=False, tls12=False):
        self.conf, self.user = answer.conf, answer.user
        self.tid = 0
        self.buf = b''
        self.old = []
        if sock is None:
            sock = socket.create_connection((answer.addr, answer.port), WAIT_S)
        sock.settimeout(WAIT_S)
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if tls_server
                             else ssl.PROTOCOL_TLS_CLIENT)
        if not tls_server:
            ctx.check_hostname = False
        ctx.verify_mode = ssl.CERT_NONE     # by fingerprint, below
        if tls12:
            ctx.maximum_version = ssl.TLSVersion.TLSv1_2
        if cert:
            ctx.load_cert_chain(cert.pem)
        self.sock = ctx.wrap_socket(sock, server_side=tls_server)
        if not tls_server:
            der = self.sock.getpeercert(True)
            mine = ':'.join('%02X' % b for b in hashlib.sha256(der).digest())
            check(answer.attrs['fingerprint'] == 'sha-256 ' + mine,
                  'another fingerprint than in SDP')

    def send(self, data):
        self.sock.sendall(data)

    def request(self, prim, payload=b'', conf=None, user=None):
        """Send; returns the transaction id"""
        self.tid = self.tid % 65535 + 1
        self.send(message(prim, self.conf if conf is None else conf, self.tid,
                          self.user if user is None else user, payload))
        return self.tid

    def _read(self, end):
        while len(self.buf) < 12 or len(self.buf) < 12 + 4 * struct.unpack(
                '>H', self.buf[2:4])[0]:
            left = end - time.monotonic()
            if left <= 0:
                return None
            self.sock.settimeout(left)
            try:
                data = self.sock.recv(65536)
            except socket.timeout:
                return None
            if not data:
                raise EOFError
            self.buf += data
        n = 12 + 4 * struct.unpack('>H', self.buf[2:4])[0]
        msg, self.buf = Msg(self.buf[:n]), self.buf[n:]
        check(msg.first == 0x20, 'version or flags: %02x' % msg.first)
        check(msg.conf == self.conf or msg.error, 'another conference')
        return msg

    def wait(self, what, cond, timeout=WAIT_S):
        """First message, of those not yet taken, with cond(message)"""
        end = time.monotonic() + timeout
        for m in self.old:
            if cond(m):
                self.old.remove(m)
                return m
        while True:
            m = self._read(end)
            if m is None:
                raise Failure('no %s; there was %s' % (what, self.old))
            if cond(m):
                return m
            self.old.append(m)

    def next(self, timeout):
        """The next message, of those not yet taken; None if there is none"""
        return self.old.pop(0) if self.old else self._read(
            time.monotonic() + timeout)

    def ask(self, prim, payload=b'', timeout=WAIT_S, **kw):
        """Request and its response"""
        tid = self.request(prim, payload, **kw)
        m = self.wait('response to %d' % prim, lambda r: r.tid == tid, timeout)
        check(m.prim != ERROR or m.error, 'Error without code')
        return m

    def want(self, floor=1, prio=None, beneficiary=None, info=None):
        """FloorRequest; (id, status, position) of the response"""
        p = u16(FLOOR_ID, floor)
        if beneficiary is not None:
            p += u16(BENEFICIARY_ID, beneficiary)
        if info:
            p += attr(PARTICIPANT_INFO, info.encode())
        if prio is not None:
            p += u16(PRIORITY, prio << 13)
        m = self.ask(FLOOR_REQUEST, p)
        check(m.prim == FLOOR_REQUEST_STATUS, 'FloorRequest: %r' % m)
        return m.requests()[0]

    def release(self, req):
        m = self.ask(FLOOR_RELEASE, u16(FLOOR_REQUEST_ID, req))
        check(m.prim == FLOOR_REQUEST_STATUS, 'FloorRelease: %r' % m)
        return m.requests()[0]

    def decide(self, req, status, position=0, reason=None, floor=1):
        """ChairAction; the response"""
        children = [attr(REQUEST_STATUS, bytes([status, position]))]
        if reason:
            children.append(attr(STATUS_INFO, reason.encode()))
        return self.ask(CHAIR_ACTION, group(
            REQUEST_INFO, req, group(FLOOR_REQ_STATUS, floor, *children)))

    def told(self, req, status, position=None, timeout=WAIT_S):
        """Wait for a FloorRequestStatus of ours"""
        return self.wait(
            'status %d of request %d' % (status, req),
            lambda m: m.prim == FLOOR_REQUEST_STATUS and m.tid == 0 and
            any(r[0] == req and r[1] == status and position in (None, r[2])
                for r in m.requests()), timeout)

    def closed(self, timeout=WAIT_S):
        """Does the server end the connection?"""
        end = time.monotonic() + timeout
        try:
            while True:
                if self._read(end) is None:
                    return False
        except (EOFError, OSError):
            return True

    def alive(self):
        return self.ask(HELLO).prim == HELLO_ACK

    def close(self):
        self.sock.close()


def no_way_in(answer, cert, timeout=WAIT_S):
    """A connection that the server must refuse, without a byte of BFCP"""
    f = None
    try:
        f = Floor(answer, cert)
        f.request(HELLO)
        f.sock.settimeout(timeout)
        got = f.sock.recv(100)
        check(not got, 'a stranger was told %s' % got.hex())
    except (OSError, EOFError):
        pass
    finally:
        if f:
            f.close()
