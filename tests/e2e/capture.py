"""What is really on the wire: UDP datagrams on the loopback interface, and
that no two different packets are there under one key, SSRC and index.

Every capture is checked for that when it ends (Capture.stop()).  Keys come
from the callers that have a tap; where nobody knows the key, one SSRC has one.
A packet socket needs CAP_NET_RAW; without it a scenario that is about the wire
is skipped, and others go without (run()).
"""
import collections
import json
import os
import socket
import struct
import subprocess
import threading
import time

import lib
from lib import Failure, Skip, check, note, program

ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_OUTGOING = 4     # on lo each packet comes twice: out, then in
PACKET_IGNORE_OUTGOING = 23
PACKET_STATISTICS = 6
RCVBUF = 64 * 1024 * 1024
SO_RCVBUFFORCE = 33

Datagram = collections.namedtuple('Datagram', 'time src sport dst dport data')


def parse(frame, t):
    """Datagram of an Ethernet frame, or None"""
    kind = struct.unpack_from('!H', frame, 12)[0] if len(frame) >= 14 else 0
    if kind == 0x0800 and len(frame) >= 42:
        ihl = (frame[14] & 15) * 4
        proto, src, dst, off = frame[23], frame[26:30], frame[30:34], 14 + ihl
    elif kind == 0x86dd and len(frame) >= 62:
        proto, src, dst, off = frame[20], frame[22:38], frame[38:54], 54
    else:
        return None
    if proto != socket.IPPROTO_UDP or len(frame) < off + 8:
        return None
    sport, dport, length = struct.unpack_from('!HHH', frame, off)
    fam = socket.AF_INET if len(src) == 4 else socket.AF_INET6
    return Datagram(t, socket.inet_ntop(fam, src), sport,
                    socket.inet_ntop(fam, dst), dport,
                    bytes(frame[off + 8:off + length]))


# of the mixers; what they send and what they get is all the media there is
MEDIA_PORTS = (16384, 32767)


class Capture:
    """All UDP from or to ports lo..hi, from the start until stop()"""

    def __init__(self, env, lo=MEDIA_PORTS[0], hi=MEDIA_PORTS[1]):
        self.env = env
        self.lo, self.hi = lo, hi
        self.packets = []
        try:
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                              socket.htons(ETH_P_ALL))
        except PermissionError:
            raise Skip('a packet capture needs CAP_NET_RAW')
        try:
            s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RCVBUF)
        except PermissionError:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RCVBUF)
        try:
            s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        except OSError:
            pass
        s.bind(('lo', 0))
        s.settimeout(0.1)
        self.sock = s
        self.stopping = False
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while not self.stopping:
            try:
                frame, addr = self.sock.recvfrom(65536)
            except TimeoutError:
                continue
            except OSError:
                return
            if addr[2] == PACKET_OUTGOING:
                continue
            d = parse(frame, time.monotonic())
            if d and (self.lo <= d.sport <= self.hi or
                      self.lo <= d.dport <= self.hi):
                self.packets.append(d)

    def stop(self):
        """End; returns the packets.  A capture with losses proves nothing."""
        self.stopping = True
        self.thread.join(2)
        # struct tpacket_stats: packets, drops
        stats = self.sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        self.sock.close()
        drops = struct.unpack('II', stats)[1]
        if drops:
            raise Failure('capture lost %d packets' % drops)
        judge_pads(self.env, self.packets)
        return self.packets

    def close(self):
        self.stopping = True
        self.sock.close()


def is_rtcp(data):
    """RFC 5761 section 4"""
    return len(data) >= 8 and data[0] >> 6 == 2 and 192 <= data[1] <= 223


def is_rtp(data):
    return len(data) >= 12 and data[0] >> 6 == 2 and not is_rtcp(data)


def rtp_header(data):
    """(SSRC, SEQ, payload type, length of the header)"""
    seq, _, ssrc = struct.unpack_from('!HII', data, 2)
    n = 12 + 4 * (data[0] & 15)
    if data[0] & 0x10 and len(data) >= n + 4:
        n += 4 + 4 * struct.unpack_from('!H', data, n + 2)[0]
    return ssrc, seq, data[1] & 0x7f, n


def is_clear_rtcp(data):
    """Does it parse to its very end as a compound packet in clear?  SRTCP
    has E, index and tag behind it, and ciphertext after the first 8 bytes."""
    off = 0
    while off + 4 <= len(data):
        if data[off] >> 6 != 2 or not 192 <= data[off + 1] <= 223:
            return False
        off += 4 + 4 * struct.unpack_from('!H', data, off + 2)[0]
    return off == len(data)


def judge_pads(env, packets):
    """No two different packets under one key, SSRC, ROC and SEQ (RFC 3711
    section 9.1)"""
    path = env.path('wire.%d' % id(packets))
    with open(path, 'w') as f:
        for d in packets:
            if is_rtp(d.data):
                f.write('wire %d 0 %s\n' % (d.time * 1e6, d.data.hex()))
    taps = [t for t in env.taps if os.path.exists(t)]
    r = subprocess.run([program('tests/secrecy'), '--pads', *taps, path],
                       stdin=subprocess.DEVNULL, capture_output=True,
                       text=True, timeout=300)
    os.unlink(path)
    check(r.returncode == 0, r.stderr)
    p = json.loads(r.stdout)['pads']
    note('   two-time pads: %d packets of %d streams, keys known for %d, '
         '%d violations' % (p['packets'], p['streams'], p['known'],
                            p['violations']))
    check(p['violations'] == 0, 'two different packets under one key, SSRC '
          'and index')


def run(main):
    """lib.run() of a scenario that is not about the wire, but has one"""
    def watched(env):
        try:
            cap = env.add(Capture(env))
        except Skip as e:
            note('   two-time pads: %s' % e)
            cap = None
        main(env)
        if cap:
            cap.stop()
    lib.run(watched)
