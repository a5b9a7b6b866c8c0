"""After a call with group keys nothing of any key is left in the memory of
focus and mixer: raw, in hex, or in base64"""
import base64
import re

import capture
import lib
from lib import Skip, check, note, wait_until
from secrecy import Taps, seconds

PART = 16       # of a key, enough to call it a find


def keys_in(path, kinds=('key', 'own')):
    """[(kind, call, bytes)] in the order in which the call got them"""
    lines = [line.split() for line in lib.read_text(path).split('\n')]
    return [(f[0], f[2], bytes.fromhex(f[4].split(':')[0]))
            for f in lines if f and f[0] in kinds]


def patterns(keys):
    """{bytes: what it is}"""
    found = {}
    for kind, call, raw in keys:
        for what, b in (('raw', raw), ('base64', base64.b64encode(raw))):
            found[b[:PART]] = found[b[-PART - 2:-2]] = \
                '%s key of call %s, %s' % (kind, call, what)
    return found


def needles(files):
    """Of all keys that were in the taps"""
    return patterns([k for path in files for k in keys_in(path)])


def regions(pid):
    try:
        mem = open('/proc/%d/mem' % pid, 'rb', 0)
    except PermissionError:
        raise Skip('memory of others cannot be read here')
    with mem:
        for line in lib.read_text('/proc/%d/maps' % pid).split('\n'):
            m = re.match(r'([0-9a-f]+)-([0-9a-f]+) rw', line)
            if not m:
                continue
            a, b = int(m[1], 16), int(m[2], 16)
            try:
                mem.seek(a)
                yield line, mem.read(b - a)
            except (OSError, ValueError):
                pass        # a guard page, or one that is gone


def scan(pid, keys):
    pat = re.compile(b'|'.join(re.escape(k) for k in keys))
    size, hits = 0, []
    for line, data in regions(pid):
        size += len(data)
        for m in pat.finditer(data):
            hits.append('%s in %s at %d' % (keys[m[0]], line, m.start()))
    return size, hits


def retired(env):
    """With MKI an epoch dies at once: its key goes with it, the call goes on"""
    server = env.server('with-mki', keying='group')
    t = Taps(env, server)
    alice = t.call('alice', 'alice', *seconds(60), '--mki')
    slow = t.call('slow', 'bob', *seconds(60), '--mki', '--answer-delay', 4000)
    carol = t.call('carol', 'carol', *seconds(60), '--mki')
    t.settled('group')
    carol.proc.terminate()
    carol.proc.communicate(timeout=10)
    wait_until('alice has the next one', lambda: t.legs()[alice.leg]['epoch'] >
               t.legs()[slow.leg]['epoch'], 3)
    # each was told two at a time, the group key and its own; the slow one is on
    # its own now
    told = [[k for _, _, k in keys_in(path, ('key',))] for path in t.files]
    live = {*told[0][-2:], told[1][-1]}
    old = patterns([('key', 'old', k) for v in told for k in v if k not in live])
    live = patterns([('key', 'live', k) for k in live])
    check(len(old) >= 4 * 3, 'only %d patterns of old keys' % len(old))
    check(any(scan(pid, live)[1] for pid in server.pids()),
          'the scan does not even find the live ones')
    wait_until('the old keys are gone', lambda: not any(
        scan(pid, old)[1] for pid in server.pids()), 2)
    check(t.legs()[slow.leg]['keying'] == 'endpoint', 'too late to tell')
    note('   with MKI %d retired keys: none is left during the call' %
         (len(old) // 4))
    for c in (slow, alice):
        c.proc.terminate()
        c.proc.communicate(timeout=10)
    server.stop()


def play(env, keying):
    server = env.server(keying, keying=keying)
    t = Taps(env, server)
    quick = ('--rtcp-interval', 500)
    calls = [t.call(u, u, *seconds(60), *quick)
             for u in ('alice', 'bob', 'carol')]
    t.settled(keying)
    keys = needles(t.files)
    check(any(scan(pid, keys)[1] for pid in server.pids()),
          'the scan finds no key even during the call')

    for c in reversed(calls):
        c.proc.terminate()
        c.proc.communicate(timeout=10)
    wait_until('end of the conference', lambda: not t.legs(), 10)
    wait_until('mixers have no key', lambda: not any(
        m['secrets'] for m in server.ctl('stats')['mixers']), 10)
    keys = needles(t.files)
    for pid in server.pids():
        size, hits = scan(pid, keys)
        note('   %-8s process %d: %d keys, %.1f MB read, %d finds' %
             (keying, pid, len(keys) // 4, size / 1e6, len(hits)))
        check(not hits, '\n'.join(hits[:20]))
    server.stop()


def main(env):
    if lib.sanitized():
        raise Skip('a sanitizer keeps freed memory')
    for keying in ('group', 'auto', 'endpoint'):
        play(env, keying)
    retired(env)


if __name__ == '__main__':
    capture.run(main)
