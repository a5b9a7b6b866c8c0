"""What a listener on the wire sees: never clear media, and never two
different packets under the same key, SSRC and index

The second is looked for by the capture itself, here and wherever else there is
one (capture.py).
"""
import collections

import lib
import phones
from caller import Caller, USERS
from capture import Capture, is_clear_rtcp, is_rtcp, is_rtp, rtp_header
from lib import check, note

SECONDS = 6


def split(packets, ports):
    """Datagrams of the server by kind; anything else is a failure"""
    rtp, rtcp = [], []
    for d in packets:
        if d.sport not in ports:
            continue
        check(is_rtp(d.data) or is_rtcp(d.data), 'neither RTP nor RTCP from %d'
              % d.sport)
        (rtcp if is_rtcp(d.data) else rtp).append(d)
    return rtp, rtcp


def check_cipher(rtp):
    """Payloads look random.  A clear Opus packet begins with one of very few
    TOC bytes, and G.711 of a steady tone uses few of the 256 values.  What goes
    to two legs alike is one packet."""
    first = collections.defaultdict(list)
    for d in {d.data: d for d in rtp}.values():
        ssrc, _, _, n = rtp_header(d.data)
        check(len(d.data) > n + 10, 'packet without room for a tag')
        first[ssrc].append(d.data[n])
    for ssrc, v in first.items():
        if len(v) < 100:
            continue
        want = 256 * (1 - (255 / 256) ** len(v))   # of that many random bytes
        check(len(set(v)) > 0.7 * want, 'payload of SSRC %08x is not random: %d '
              'values in %d packets' % (ssrc, len(set(v)), len(v)))
        top = max(collections.Counter(v).values())
        check(top < len(v) / 256 * 8 + 12, 'SSRC %08x: one first byte %d times '
              'of %d' % (ssrc, top, len(v)))


def check_rtcp(rtcp, tag_len):
    """E bit set, not clear, index used once (SRTCP index: RFC 3711 3.4)"""
    seen = {}
    for d in rtcp:
        check(not is_clear_rtcp(d.data), 'clear RTCP from port %d' % d.sport)
        gcm = tag_len == 16
        word = d.data[-4:] if gcm else d.data[-4 - tag_len:-tag_len]
        check(word[0] & 0x80, 'SRTCP without encryption')
        ssrc = d.data[4:8]
        old = seen.setdefault((ssrc, word), d.data)
        check(old == d.data, 'two different SRTCP packets with one index')


def fan_out(rtp):
    """{SSRC: {client port: {SEQ: bytes}}}"""
    out = collections.defaultdict(lambda: collections.defaultdict(dict))
    for d in rtp:
        ssrc, seq, _, _ = rtp_header(d.data)
        out[ssrc][d.dport][seq] = d.data
    return out


def check_group(rtp):
    """Two silent legs of one class get the same bytes"""
    best = 0
    for ports in fan_out(rtp).values():
        v = list(ports.values())
        for i, a in enumerate(v):
            for b in v[i + 1:]:
                common = set(a) & set(b)
                best = max(best, len(common))
                check(all(a[s] == b[s] for s in common), 'same SSRC, other bytes')
    note('group keying: %d packets in common between two silent legs' % best)
    check(best > (SECONDS - 2) * 50, 'silent legs do not share packets')


def check_endpoint(rtp):
    """Every leg has an SSRC, and so a key, of its own"""
    for ssrc, ports in fan_out(rtp).items():
        check(len(ports) == 1, 'SSRC %08x goes to %d legs' % (ssrc, len(ports)))


def four_legs(server):
    legs = sum(m['legs'] for m in server.ctl('stats')['mixers'])
    return legs == 4 and server.media_ports()


def scene(env, keying, suite, codec, tag_len):
    server = env.server('%s-%s' % (keying, suite), keying=keying)
    cap = env.add(Capture(env))
    opts = ('--suite', suite, '--codec', codec, '--rtcp-interval', 1000)
    # the conference ends with its owner, so that one stays longest
    talkers = env.add(Caller(server, '-n', 2, '--same-conf', *opts,
                             '--seconds', SECONDS + 3,
                             '--max-auth-failures', 0, users=USERS[:2]))
    uri = lib.wait_until('the conference', server.first_conference, 10)
    silent = env.add(Caller(server, '-n', 2, '--silent', *opts,
                            '--seconds', SECONDS,
                            '--max-auth-failures', 0, uri=uri, users=USERS[2:]))
    # other servers may be on this machine: look at our own ports only
    ports = lib.wait_until('four legs', lambda: four_legs(server), 10)
    silent.result(40)
    talkers.result(40)
    rtp, rtcp = split(cap.stop(), ports)
    note('%s %s %s: %d RTP and %d RTCP packets of the server' %
         (keying, suite, codec, len(rtp), len(rtcp)))
    check(len(rtp) > SECONDS * 50 * 2, 'too few packets captured')
    check(len(rtcp) > 4, 'no RTCP captured')
    check_cipher(rtp)
    check_rtcp(rtcp, tag_len)
    (check_group if keying == 'group' else check_endpoint)(rtp)
    server.stop()


def foreign(env):
    """The same look at three foreign phones, at the codecs of scenario 02"""
    server = env.server('foreign')
    cap = env.add(Capture(env))
    three = phones.three(env, server, ('pcma', 'g722', 'opus'))
    phones.listen(three, SECONDS)
    ports = server.media_ports()
    phones.hang_up(three)
    rtp, rtcp = split(cap.stop(), ports)
    note('three baresips: %d RTP and %d RTCP packets of the server' %
         (len(rtp), len(rtcp)))
    check(len(rtp) > SECONDS * 50 * 2, 'too few packets captured')
    check_cipher(rtp)
    check_rtcp(rtcp, 10)
    check_endpoint(rtp)
    server.stop()


def main(env):
    foreign(env)
    scene(env, 'group', 'AES_CM_128_HMAC_SHA1_80', 'opus', 10)
    scene(env, 'group', 'AEAD_AES_256_GCM', 'pcma', 16)
    scene(env, 'endpoint', 'AEAD_AES_128_GCM', 'opus', 16)
    scene(env, 'endpoint', 'AES_256_CM_HMAC_SHA1_80', 'pcma', 10)


if __name__ == '__main__':
    lib.run(main)
