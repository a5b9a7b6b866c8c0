"""SRTP by hand, for a packet or two: AES_CM_128_HMAC_SHA1_80 (RFC 3711)"""
import base64
import hashlib
import hmac
import os
import socket
import struct
import subprocess

from lib import check


def ctr(key, iv, n):
    """n octets of AES-128 counter mode keystream"""
    r = subprocess.run(['openssl', 'enc', '-aes-128-ctr', '-K', key.hex(),
                        '-iv', iv.to_bytes(16, 'big').hex()],
                       input=bytes(n), capture_output=True)
    check(r.returncode == 0, 'openssl: %s' % r.stderr)
    return r.stdout


class Sender:
    """One stream to host:port under the key of an a=crypto line"""

    def __init__(self, crypto_line, host, port):
        raw = base64.b64decode(crypto_line.split('inline:')[1].split('|')[0])
        master, salt = raw[:16], int.from_bytes(raw[16:30], 'big')

        def derive(label, n):       # section 4.3.1, no rate
            return ctr(master, (salt ^ label << 48) << 16, n)
        self.key, self.auth = derive(0, 16), derive(1, 20)
        self.salt = int.from_bytes(derive(2, 14), 'big')
        self.ssrc = int.from_bytes(os.urandom(4), 'big')
        self.seq, self.roc = 1000, 0
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.to = (host, port)

    def send(self, pt, ts, payload, marker=False):
        self.seq += 1
        if self.seq > 0xffff:
            self.seq, self.roc = 0, self.roc + 1
        hdr = struct.pack('>BBHII', 0x80, marker << 7 | pt, self.seq, ts,
                          self.ssrc)
        iv = self.salt << 16 ^ self.ssrc << 64 ^ self.roc << 32 ^ self.seq << 16
        body = bytes(a ^ b for a, b in
                     zip(payload, ctr(self.key, iv, len(payload))))
        tag = hmac.new(self.auth, hdr + body + struct.pack('>I', self.roc),
                       hashlib.sha1).digest()
        self.sock.sendto(hdr + body + tag[:10], self.to)

    def key_press(self, event, pt, ts):
        """RFC 4733: begin, and the end three times"""
        self.send(pt, ts, bytes([event, 10]) + struct.pack('>H', 960), True)
        for _ in range(3):
            self.send(pt, ts, bytes([event, 0x8a]) + struct.pack('>H', 1920))

    def close(self):
        self.sock.close()
