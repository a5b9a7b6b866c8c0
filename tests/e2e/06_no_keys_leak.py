"""No key of a call stands in any log, environment, command line or status"""
import base64
import os
import time

import lib
from baresip import Baresip
from lib import check, note
from rawsip import Call, Client, SUITE_KEY_LEN, crypto, keys_of, new_key, offer


def spellings(b64):
    """All ways in which a key could have been written"""
    raw = base64.b64decode(b64 + '=' * (-len(b64) % 4))
    out = set()
    # the whole of it, and the master key without the salt
    for part in (raw, raw[:16], raw[:32]):
        h = part.hex()
        out |= {part, h.encode(), h.upper().encode(),
                ' '.join(h[i:i + 2] for i in range(0, len(h), 2)).encode(),
                ':'.join(h[i:i + 2] for i in range(0, len(h), 2)).encode(),
                base64.b64encode(part).rstrip(b'=')[:-1]}
    return out


def search(what, data, keys):
    for b64 in keys:
        for s in spellings(b64):
            check(s not in data, '%s holds a key' % what)


def proc_files(pid):
    for name in ('environ', 'cmdline', 'comm', 'status', 'maps'):
        path = '/proc/%d/%s' % (pid, name)
        try:
            with open(path, 'rb') as f:
                yield path, f.read()
        except PermissionError:
            note('%s is closed to us' % path)


def call_in_all_suites(env, server):
    """Keys of both directions in the SDP of one call per suite"""
    cli = env.add(Client(server.host, server.port, ca=server.ca, user='alice',
                         password=server.password('alice')))
    keys, calls = [], []
    for suite in SUITE_KEY_LEN:
        if suite.endswith('_32'):
            continue
        mine = new_key(suite)
        call = Call(cli, cli.uri('factory'))
        r = call.invite(offer(crypto=[crypto(1, suite, mine)]))
        check(r.status == 200, '%s: %s' % (suite, r))
        keys += [mine, keys_of(r.body)[0][2]]
        calls.append(call)
    # refused lines are read, too
    mine = new_key()
    r = Call(cli, cli.uri('factory')).invite(
        offer(crypto=[crypto(key=mine, tail=' UNENCRYPTED_SRTP')]))
    check(r.status == 488, str(r))
    return keys + [mine], calls


def status_outputs(server):
    for args in (['list'], ['stats']):
        yield 'conclavectl ' + args[0], str(server.ctl(*args)).encode()
    for c in server.ctl('list')['conferences']:
        yield 'conclavectl show', str(server.ctl('show', c['conf'])).encode()


def main(env):
    os.environ['GST_DEBUG'] = '*:6'         # must be of no effect
    os.environ['GST_DEBUG_NO_COLOR'] = '1'
    server = env.server(keying='group', log_level='debug')
    del os.environ['GST_DEBUG']
    keys, calls = call_in_all_suites(env, server)
    phone = Baresip(env, server, 'bob', 660)
    phone.dial(server.factory)
    phone.wait_established()
    end = time.monotonic() + 2
    lib.wait_until('some media', lambda: time.monotonic() > end, 4)
    keys += phone.crypto_keys()
    check(len(keys) >= 11, 'too few keys seen: %d' % len(keys))
    for pid in server.pids():
        for path, data in proc_files(pid):
            search(path, data, keys)
    for what, data in status_outputs(server):
        search(what, data, keys)
    phone.hangup()
    phone.wait_closed()
    for c in calls:
        c.bye()
    server.stop()
    with open(server.log, 'rb') as f:
        log = f.read()
    check(len(log) > 2000, 'the log is too short to prove anything')
    search('the log', log, keys)
    passwords = [server.password(u).encode() for u in ('alice', 'bob', 'carol')]
    check(not any(p in log for p in passwords), 'the log holds a password')
    note('%d keys, %d bytes of log: none found' % (len(keys), len(log)))


if __name__ == '__main__':
    lib.run(main)
