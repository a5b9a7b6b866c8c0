"""A mixer dies in mid-conference: the calls go on at a new one, with new keys,
and those that cannot end with a reason; one that dies again and again is started
less and less often"""
import os
import re
import signal
import time

import lib
import srtp
from caller import Caller, talk
from confedit import edited_server
from lib import check, note, wait_until
from rawsip import Call, Client, crypto, focus_uri, keys_of, offer
from secrecy import Taps, row, seconds, tone

LIMIT_S = 2
FREQ = 600
QUICK = ('--rtcp-interval', 500)
REASON = 'Media server restarted'


def kill(server):
    """All mixers; when it was"""
    old = server.mixers()
    check(old, 'no mixer process found')
    t0 = time.monotonic()
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    return t0, old


def legs(server):
    return sum(m.get('legs', 0) for m in server.ctl('stats')['mixers'])


def renewed(server, old, timeout):
    wait_until('new mixers', lambda: len(server.mixers()) == len(old) and
               not set(server.mixers()) & set(old), timeout)


# ---- raw calls --------------------------------------------------------------

def enter(env, server, users):
    calls, uri = [], server.factory
    for user in users:
        cli = env.add(Client(server.host, server.port, ca=server.ca, user=user,
                             password=server.password(user)))
        call = Call(cli, uri)
        r = call.invite(offer(crypto=[crypto()]))
        check(r.status == 200, '%s: %s' % (user, r))
        call.ours = keys_of(r.body)[0][2]
        uri = focus_uri(r)
        calls.append(call)
    return calls


def request_of(call, t0):
    req = call.wait_request(max(0.01, t0 + LIMIT_S - time.monotonic()))
    note('%s: %s after %.2f s' % (call.user, req.method, time.monotonic() - t0))
    return req


def take(call, t0):
    """Its new offer has a new key"""
    req = request_of(call, t0)
    check(req.method == 'INVITE', 'no offer: %s' % req)
    tag, suite, key = keys_of(req.body)[0]
    check(key != call.ours, 'the key of the dead mixer')
    call.ours = key
    call.reply(req, 200, 'OK', offer(crypto=[crypto(int(tag), suite)], version=2))


def refuse(call, t0):
    """Asked twice, then it is over"""
    for _ in range(2):
        req = request_of(call, t0)
        check(req.method == 'INVITE', 'no offer: %s' % req)
        call.reply(req, 488, 'Not Acceptable Here')
    ended(call, t0, 'Rekey refused')


def ended(call, t0, why=REASON):
    req = request_of(call, t0)
    check(req.method == 'BYE' and why in (req.get('Reason') or ''),
          'no BYE with a reason: %s' % req)


def deaths(env):
    """By hand: one that refuses, and death after death"""
    demo = env.server()
    server = edited_server(env, demo, 'deaths', lambda t: 'user_agent '
                           '"keeper*" { follows_rekey = "no" }\n' + t)
    server.dir = demo.dir               # users, CA
    a, b, c = enter(env, server, ('alice', 'bob', 'carol'))
    keeper = env.add(Caller(server, '--no-rekey', '--user-agent', 'keeper',
                            '--seconds', 60, '--expect-end', users=('dave',),
                            uri=server.first_conference()))
    wait_until('four legs', lambda: legs(server) == 4, 5)
    t0, old = kill(server)
    keeper.result(LIMIT_S)
    note('known to keep its key: ended after %.2f s' % (time.monotonic() - t0))
    take(a, t0)
    take(b, t0)
    refuse(c, t0)
    check(server.proc.poll() is None, 'the focus died')
    renewed(server, old, LIMIT_S)
    wait_until('two legs', lambda: legs(server) == 2, LIMIT_S)
    check(not a.ended and not b.ended, 'a call that took the offer was ended')

    # whatever kills it may be one of the calls
    t0, old = kill(server)
    for call in (a, b):
        ended(call, t0)
    renewed(server, old, LIMIT_S)
    waits = []
    for _ in range(2):
        t0, old = kill(server)
        renewed(server, old, 2 * LIMIT_S)
        waits.append(time.monotonic() - t0)
    note('new mixers after %s s' % ', '.join('%.1f' % w for w in waits))
    check(waits[0] >= 1 and waits[1] >= 2, 'not backed off: %r' % waits)
    talk(env, server, seconds=3)
    server.stop()


# ---- what is heard ----------------------------------------------------------

def dead_mixer(taps, died_us):
    """It knew all keys of then: as a leaver"""
    path = os.path.join(taps.folder, 'mixer.tap')
    known = [li.split() for f in taps.files for li in lib.read_text(f).split('\n')
             if li.startswith('key ') and int(li.split()[1]) <= died_us]
    with open(path, 'w') as f:
        os.fchmod(f.fileno(), 0o600)
        f.write('call 0 0\n')
        for k in known:
            f.write('key %s 0 %s\n' % (k[1], ' '.join(k[3:])))
    taps.files.append(path)
    taps.names.append('dead mixer')
    taps.left[len(taps.files) - 1] = died_us


def heard(env, keying, *more):
    """The tone of one reaches the others again, under keys of now"""
    server = env.server(keying + ''.join(more), keying=keying)
    t = Taps(env, server)
    t.call('tone', 'alice', *seconds(120), '--freq', FREQ, *QUICK, *more)
    calls = [t.call(name, user, *seconds(120), '--silent', *QUICK, '--expect',
                    FREQ, *more, *args)
             for name, user, args in (('update', 'bob', ()),
                                      ('reinvite', 'carol', ('--no-update',)))]
    t.settled(keying)
    t.listen(100)
    t0, old = kill(server)
    died_us = int(t0 * 1e6)
    renewed(server, old, LIMIT_S)
    # until its first answer there are no packets at all
    t.listen(200)
    t.settled(keying)
    check(len(t.legs()) == 3, 'legs: %d' % len(t.legs()))
    for c in calls:
        h, j = tone(c, FREQ)
        note('   %-8s %-10s longest gap %3d ms, %d new keys' % (
            keying, c.name, h['longest_gap_ms'], j['signalling']['rekeys']))
        check(h['longest_gap_ms'] <= 1000 * LIMIT_S, 'a gap of %d ms' %
              h['longest_gap_ms'])
        check(h['level_dbfs'] > -30, '%s hears nothing' % c.name)
    dead_mixer(t, died_us)
    j = t.judge()
    x = [x for x in j['leavers'] if x['name'] == 'dead mixer'][0]
    row(keying, 'keys of the dead mixer', x['tried'], x['opened'],
        '%.0f ms' % x['last_ms'])
    check(x['tried'] > 100 and x['last_ms'] <= 20,
          '%d packets of later open, the last after %.0f ms' % (
              x['opened'], x['last_ms']))
    check(j['pads']['violations'] == 0, 'two-time pad')
    server.stop()


def muted(env):
    """Who may not speak may not speak at the new mixer either"""
    server = env.server('chaired', floor='chaired')
    t = Taps(env, server)
    chair = t.call('chair', 'alice', *seconds(120), '--silent', '--expect', FREQ)
    t.call('mute', 'bob', *seconds(120), '--freq', FREQ)
    _, old = kill(server)
    renewed(server, old, LIMIT_S)

    def spoken():
        return [x.get('rx_packets', 0) for x in t.legs().values()]
    wait_until('a second of each', lambda: min(spoken()) > 50, 5)
    check(len(t.legs()) == 2, 'legs: %d' % len(t.legs()))
    chair.proc.terminate()
    # the tone that it expects is not there
    h = chair.result(20, rc=1)['calls'][0]['audio']['tones']
    level = [x for x in h if x['freq'] == FREQ][0]['level_dbfs']
    note('   chaired  muted before and after: %.0f dBFS' % level)
    check(level < lib.SILENT_DBFS, 'without the floor it is heard')
    server.stop()


def wrapped(env):
    """A phone that keeps its own key, and whose sequence has wrapped under it"""
    server = env.server('wrapped')
    cli = env.add(Client(server.host, server.port, ca=server.ca, user='alice',
                         password=server.password('alice')))
    line, call = crypto(), Call(cli, server.factory)
    r = call.invite(offer(crypto=[line], fmts='8'))
    check(r.status == 200, str(r))

    def port(sdp):
        return int(re.search(r'^m=audio (\d+)', sdp, re.M)[1])

    def heard():
        conf = server.ctl('list')['conferences'][0]['conf']
        leg, = server.ctl('show', conf)['participants'][0]['legs']
        check(leg.get('auth_failed', 0) == 0, '%r' % leg)
        return leg.get('rx_packets')
    phone = env.add(srtp.Sender(line, server.host, port(r.body)))
    phone.seq = 0xfff8
    for i in range(16):
        phone.send(8, 160 * i, bytes([0xd5]) * 160)
    wait_until('16 packets', lambda: heard() == 16, 5)
    t0, _ = kill(server)
    req = request_of(call, t0)
    tag, suite, _ = keys_of(req.body)[0]
    call.reply(req, 200, 'OK', offer(crypto=[tag + line[1:]], fmts='8', version=2))
    phone.to = (server.host, port(req.body))
    for i in range(16):
        phone.send(8, 160 * (16 + i), bytes([0xd5]) * 160)
    wait_until('16 packets more', lambda: heard() == 16, 5)
    note('   heard on under the key whose sequence has wrapped')
    check(call.bye().status == 200, 'BYE')
    server.stop()


def main(env):
    wrapped(env)
    muted(env)
    for keying in ('endpoint', 'group', 'auto'):
        heard(env, keying)
    heard(env, 'group', '--mki')
    deaths(env)


if __name__ == '__main__':
    lib.run(main)
