"""Three baresips in one conference, and what each of them hears; who is in the
only conference of a server"""
import time

import pki
from baresip import Baresip
from lib import check, judge, note, sanitized, tones, user_of, wait_until

FREQ = {'alice': 440, 'bob': 660, 'carol': 990}
SETTLE_S = 1            # until the last one is heard by all


def registered(server):
    """{user: what is known of its phone}"""
    return {user_of(r['user']): r for r in
            server.ctl('registrations')['registrations']}


def register(env, server, freqs):
    """{user: a baresip that is registered, answers, and sends this tone}"""
    found = {u: Baresip(env, server, u, f, answer='auto', regint=60,
                        domain='127.0.0.1:%d' % server.port)
             for u, f in freqs.items()}
    wait_until('all are registered', lambda: set(registered(server)) == set(found), 10)
    return found


def states(server):
    """{user: [state of each leg]}"""
    confs = server.ctl('list')['conferences']
    return {} if not confs else {
        user_of(p['identity']): [leg['state'] for leg in p['legs']]
        for p in server.ctl('show', confs[0]['conf'])['participants']}


def wait_in(server, *users, held=()):
    """These are in the conference, and nobody else"""
    want = {u: ['on-hold' if u in held else 'connected'] for u in users}
    wait_until('roster %r, not %r' % (want, states(server)),
               lambda: states(server) == want, 15)
    note('in the conference: %s' % (', '.join(users) or 'nobody'))


def three(env, server, codecs=('opus', 'opus', 'opus')):
    """The first calls the factory, the others the URI it was given"""
    # many phones show a certificate of their own making to a server that asks
    own = pki.certificate(env, server, 'own', ca_dir=pki.stranger_ca(env))
    phones = [Baresip(env, server, u, f, codec=c, cert=own)
              for (u, f), c in zip(FREQ.items(), codecs)]
    uri = server.factory
    for p in phones:
        p.dial(uri)
        p.wait_established()
        uri = phones[0].focus_uri()
    return phones


def listen(phones, seconds):
    """Let them talk that long; all calls stay up"""
    end = time.monotonic() + seconds

    def over():
        for p in phones:
            check(p.closed() is None, '%s: call ended: %s' % (p.user, p.closed()))
        return time.monotonic() >= end
    wait_until('the end of the talk', over, seconds + 5)


def hang_up(phones):
    """Last in, first out, since the conference ends with its owner"""
    for p in reversed(phones):
        p.hangup()
        p.wait_closed()
    for p in phones:
        p.finish()


def judge_all(phones, seconds):
    for p in phones:
        wav, _ = p.recording()
        found, ms = tones(wav, *FREQ.values())
        others = [f for f in FREQ.values() if f != p.freq]
        judge(p.user, found, p.freq, others)
        # sndfile keeps what was received: lost packets make it shorter
        for f in others:
            there_ms = found[f]['on_pct'] * ms // 100
            check(there_ms >= seconds * 1000 - 500, '%s heard %d Hz only for '
                  '%d ms' % (p.user, f, there_ms))


def conference(env, server, codecs=('opus', 'opus', 'opus')):
    # a sanitizer's run is not there to measure
    seconds = 6 if sanitized() else 20
    phones = three(env, server, codecs)
    listen(phones, seconds + SETTLE_S)
    hang_up(phones)
    judge_all(phones, seconds)
    return phones
