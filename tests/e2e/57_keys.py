"""Every key is drawn afresh: those of 50 epochs have nothing to do with each
other, and no two lines of a session description share one"""
import re

import capture
from lib import check, note, wait_until
from rawsip import Call, Client, crypto, offer
from secrecy import Taps, seconds

EPOCHS = 50
QUICK = ('--rtcp-interval', 500)
VIDEO = ('m=video 40002 RTP/SAVP 97\r\na=rtpmap:97 H264/90000\r\na=crypto:%s\r\n'
         'm=audio 40004 RTP/SAVP 8\r\na=crypto:%s\r\n')


def epochs(env):
    server = env.server('group', keying='group')
    t = Taps(env, server)
    calls = [t.call(u, u, *seconds(60), *QUICK) for u in ('alice', 'bob')]
    t.settled('group')
    conf = t.conf()['conf']
    for _ in range(EPOCHS):
        before = max(leg['epoch'] for leg in t.legs().values())
        server.ctl('rekey', conf)
        wait_until('next epoch', lambda: min(
            leg['epoch'] for leg in t.legs().values()) > before, 5)
    for c in calls:
        c.proc.terminate()
        c.proc.communicate(timeout=10)
    server.stop()
    j = t.judge()
    r = j['relations']
    note('   %d keys of one conference: of %d pairs %d are related%s; they '
         'differ in %.0f to %.0f %% of their bits' %
         (r['keys'], r['pairs'], r['found'], r['first'] and ' (%s)' % r['first'],
          r['least_pct'], r['most_pct']))
    check(r['keys'] > EPOCHS, 'only %d keys' % r['keys'])
    check(r['found'] == 0, 'keys are related: %s' % r['first'])
    check(j['shared'] == 0, 'a key is used in both directions')


def lines(sdp):
    """[(media line, its keys)]"""
    return [(part.split('\r\n')[0],
             re.findall(r'(?m)^a=crypto:.*? inline:([^|\s]+)', part))
            for part in re.split(r'(?m)^m=', sdp)[1:]]


def descriptions(env, keying):
    """Of ours: answers to an offer with more lines than one, and an offer"""
    server = env.server('sdp-' + keying, keying=keying)
    ours, theirs = [], []
    for user in ('alice', 'bob', 'carol'):
        cli = env.add(Client(server.host, server.port, ca=server.ca, user=user,
                             password=server.password(user)))
        sdp = offer(crypto=[crypto()]) + VIDEO % (crypto(), crypto())
        theirs += [k for _, keys in lines(sdp) for k in keys]
        r = Call(cli, server.factory).invite(sdp)
        check(r.status == 200, str(r))
        answer = lines(r.body)
        check([len(keys) for _, keys in answer] == [1, 0, 0],
              'keys per line: %r' % [len(keys) for _, keys in answer])
        check(all(m.split()[1] == '0' for m, _ in answer[1:]), r.body)
        ours.append(answer[0][1])
    r = Call(cli, server.factory).invite(None)
    check(r.status == 200, str(r))
    ours += [keys for m, keys in lines(r.body) if m.startswith('audio')]
    flat = [k for keys in ours for k in keys]
    note('   %s: %d audio lines of ours with %d keys, all different; rejected '
         'lines have none' % (keying, len(ours), len(flat)))
    check(len(set(flat + theirs)) == len(flat + theirs), 'lines share a key')
    server.stop()


def main(env):
    epochs(env)
    descriptions(env, 'group')
    descriptions(env, 'endpoint')


if __name__ == '__main__':
    capture.run(main)
