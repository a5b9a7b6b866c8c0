"""When was somebody heard: by sound, and by the headers of mixed packets"""
import array
import datetime
import math
import re
import struct
import wave

import lib

WINDOW_MS = 40          # Hann: tones 170 Hz apart do not leak
STEP_MS = 10
AUDIBLE_DB = -40        # tones are sent with -20


def spans(path, freq):
    """[(from, to)] in ms where a tone is audible, short gaps closed"""
    with wave.open(path) as w:
        rate, n = w.getframerate(), w.getnframes()
        pcm = array.array('h', w.readframes(n))[::w.getnchannels()]
    size, step = rate * WINDOW_MS // 1000, rate * STEP_MS // 1000
    hann = [0.5 - 0.5 * math.cos(2 * math.pi * i / size) for i in range(size)]
    k = 2 * math.cos(2 * math.pi * freq / rate)
    out = []
    for start in range(0, len(pcm) - size, step):
        s1 = s2 = 0.0
        if max(pcm[start:start + size:7]) > 100:
            for x, h in zip(pcm[start:start + size], hann):
                s1, s2 = x * h + k * s1 - s2, s1
        # amplitude; half of the window's sum is its gain
        a = math.sqrt(max(s1 * s1 + s2 * s2 - k * s1 * s2, 1)) * 4 / size
        if 20 * math.log10(a / 32768) < AUDIBLE_DB:
            continue
        t = start * 1000 // rate + WINDOW_MS // 2
        if out and t - out[-1][1] <= 60:
            out[-1][1] = t
        else:
            out.append([t, t])
    return [tuple(s) for s in out if s[1] - s[0] > 40]


def rtp_packets(pcap):
    """RTP that calls received: [(s since the epoch, port, talkers' SSRCs)]"""
    with open(pcap, 'rb') as f:
        data = f.read()
    nano = data[:4] in (b'\x4d\x3c\xb2\xa1', b'\xa1\xb2\x3c\x4d')
    end = '<' if data[:1] in (b'\xd4', b'\x4d') else '>'
    out, at = [], 24
    while at + 16 <= len(data):
        s, frac, n, _ = struct.unpack(end + 'IIII', data[at:at + 16])
        pkt = data[at + 16:at + 16 + n]
        at += 16 + n
        rtp = pkt[-(struct.unpack('>H', pkt[24:26])[0] - 8):]
        if rtp[0] >> 6 == 2 and not 64 <= rtp[1] & 0x7f < 96:
            csrcs = struct.unpack('>%dI' % (rtp[0] & 15),
                                  rtp[12:12 + 4 * (rtp[0] & 15)])
            out.append((s + frac / (1e9 if nano else 1e6),
                        struct.unpack('>H', pkt[22:24])[0], csrcs))
    return out


def logged(server, what):
    """Times of log lines [s since the epoch]"""
    return [datetime.datetime.fromisoformat(
        li[:23] + '+00:00').timestamp()
        for li in lib.read_text(server.log).splitlines() if re.search(what, li)]
