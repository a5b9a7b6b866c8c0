"""Linphone makes a conference with its own command, through our factory.

Everything that a conference needs is done by Linphone itself, by what its user
types: calls to Bob and Carol, "conference add", which calls the factory, refers
both to the conference (REFER in its calls with them) and subscribes to its
events; "conference rm", a REFER with method=BYE to the conference.  Two things
its command line cannot do in one step:

* "conference rm" wants the id of a call with whom it is to remove, and Linphone
  has none any more once Bob was referred.  So it holds the conference and calls
  Bob once more, which its user can do, too.
* It has no command to have somebody called by the conference; "transfer" on the
  call with the conference is that REFER.

That is Linphone 5.1 (Debian 12).  Linphone 5.3 (Debian 13) sends every call to a
domain that is its own through its registrar, so on one host it cannot have the
two calls to begin with.  There it calls the factory itself, has all of them
called, and removes them in the same way.
"""
import re
import time
import wave

import lib
from baresip import Baresip
from lib import check, judge, note, sanitized, tones, wait_until
from linphone import Linphone, server_for_linphone, version
from phones import SETTLE_S, registered, states, wait_in
from pki import certificate

SECONDS = 2 if sanitized() else 5
# no sum or difference of some is another one
FREQ = {'alice': 440, 'bob': 660, 'carol': 990, 'dave': 1400}


class Scene:
    def __init__(self, env, server):
        self.server = server
        # Linphone knows no addresses in certificates, only names
        pem = certificate(env, server, 'phones', san='DNS:127.0.0.1')
        self.alice = Linphone(env, server, 'alice', FREQ['alice'])
        # a high tone is speech to newer Opus encoders, and becomes louder
        self.dave = Linphone(env, server, 'dave', FREQ['dave'], codec='pcma',
                             answer=True)
        self.bob, self.carol = (Baresip(
            env, server, u, FREQ[u], cert=pem, answer='auto', regint=60,
            domain='127.0.0.1:%d' % server.port) for u in ('bob', 'carol'))
        self.own_way = version() < (5, 3)
        self.focus = 3 if self.own_way else 1   # number of that call
        self.recording = {}     # of those who do not know it themselves
        self.phones = (self.alice, self.bob, self.carol, self.dave)

    def states(self):
        return states(self.server)

    def wait_in(self, *users, held=()):
        wait_in(self.server, *users, held=held)


def register(sc):
    """Over TLS, with digest"""
    wait_until('all are registered', lambda: len(registered(sc.server)) == 4, 10)
    for p in (sc.alice, sc.dave):
        first, second = p.requests('REGISTER')[:2]
        check('Authorization:' not in first and 'Authorization:  Digest' in second,
              '%s did not use digest' % p.user)
        r = registered(sc.server)[p.user]
        check(r['user_agent'].startswith('Linphone') and 'transport=tls' in r['contact'],
              'registered: %r' % r)
        note('%s is registered: %s' % (p.user, r['user_agent']))


def make(sc):
    if sc.own_way:
        out_of_two_calls(sc)
    else:
        by_its_factory(sc)


def by_its_factory(sc):
    """A call to the factory, which then calls both on their connections"""
    sc.recording[sc.alice] = sc.alice.record('conference')
    sc.alice.command('call sip:factory@127.0.0.1')
    sc.alice.wait_trace('moving to subscription state LinphoneSubscriptionActive')
    for n, user in enumerate(('bob', 'carol')):
        add_one(sc, user)
        referred(sc.alice, n + 1)
    sc.wait_in('alice', 'bob', 'carol')


def out_of_two_calls(sc):
    """Two calls, then the conference of both"""
    alice = sc.alice
    alice.command('call ' + sc.bob.uri())
    alice.wait_output('Media streams established')
    alice.command('pause')
    alice.wait_output('Call 1 .* is now paused')
    alice.command('call ' + sc.carol.uri())
    alice.wait_output('Media streams established', 2)
    sc.recording[alice] = alice.record('conference')
    alice.command('conference add 1')
    sc.wait_in('alice', 'bob')
    alice.wait_trace(r'moving to subscription state LinphoneSubscriptionActive')
    alice.command('conference add 2')
    sc.wait_in('alice', 'bob', 'carol')
    for i in (1, 2):
        alice.wait_output('of call %d has been transfered' % i)
        alice.wait_output('Call %d .* ended' % i)
    refers = alice.requests('REFER')
    check(len(refers) == 2 and all('conf-id=' in r for r in refers),
          'REFERs to the conference: %r' % refers)


def roster(phone, what, user):
    """Linphone has understood a document of the conference"""
    phone.wait_trace(r'%s of participant with address \S*sip:%s@127.0.0.1\S* '
                     r'(to|from) conference .* has been successful' % (what, user))
    note("%s's roster: %s of %s" % (phone.user, what.lower(), user))


def referred(phone, count):
    """So many REFERs of it are done with.  Before that, it cannot resume."""
    wait_until('%d REFERs have ended' % count, lambda: len(re.findall(
        r'Event: refer\S*\s+Subscription-State: terminated;reason=noresource',
        phone.trace())) >= count, 10)


def add_one(sc, user):
    sc.alice.command('transfer %d sip:%s@127.0.0.1' % (sc.focus, user))


def remove_one(sc, user):
    sc.alice.command('transfer %d sip:%s@127.0.0.1;method=BYE' % (sc.focus, user))


def add(sc):
    """The conference calls Dave, on the connection of his registration"""
    sc.recording[sc.dave] = sc.dave.record('conference')
    add_one(sc, 'dave')
    sc.wait_in('alice', 'bob', 'carol', 'dave')
    referred(sc.alice, 3)
    roster(sc.alice, 'Addition', 'dave')
    sc.dave.wait_trace('moving to subscription state LinphoneSubscriptionActive')


def talk(sc):
    end = time.monotonic() + SECONDS + SETTLE_S
    wait_until('the end of the talk', lambda: time.monotonic() >= end, SECONDS + 5)
    check(set(sc.states()) == set(FREQ), 'left while talking: %r' % sc.states())
    check('ended' not in sc.dave.output(), "Dave's call ended")

def remove(sc):
    """Dave as he was added, Bob with Linphone's own command"""
    alice = sc.alice
    remove_one(sc, 'dave')
    sc.wait_in('alice', 'bob', 'carol')
    sc.dave.wait_output('Call 1 .* ended')
    roster(alice, 'Removal', 'dave')
    if sc.own_way:
        remove_his_call(sc)
    else:
        referred(alice, 4)
        remove_one(sc, 'bob')
        sc.wait_in('alice', 'carol')
        roster(alice, 'Removal', 'bob')
    check(not re.search('Call %d .* ended' % sc.focus, alice.output()),
          "Alice's call ended")


def remove_his_call(sc):
    """conference rm"""
    alice = sc.alice
    alice.record('after')
    alice.command('pause')
    alice.wait_output('Call 3 .* is now paused')
    sc.wait_in('alice', 'bob', 'carol', held=['alice'])
    alice.command('call ' + sc.bob.uri())
    alice.wait_output('Media streams established with .*bob.* for call 4')
    alice.command('conference rm 4')
    sc.wait_in('alice', 'carol', held=['alice'])
    roster(alice, 'Removal', 'bob')
    referred(alice, 5)
    alice.command('terminate 4')
    alice.wait_output('Call 4 .* ended')
    alice.command('resume 3')
    sc.wait_in('alice', 'carol')


def finish(sc):
    """The conference ends with its owner"""
    sc.alice.finish()
    wait_until('no conference', lambda: not sc.server.ctl('list')['conferences'], 10)
    for p in (sc.bob, sc.carol, sc.dave):
        p.finish()


def middle(wav):
    """Of a recording, the seconds in which everybody was there"""
    out = wav + '.middle.wav'
    with wave.open(wav) as r, wave.open(out, 'wb') as w:
        w.setparams(r.getparams())
        r.setpos(SETTLE_S * r.getframerate())
        w.writeframes(r.readframes(SECONDS * r.getframerate()))
    return out


def heard(sc):
    for p in sc.phones:
        wav = sc.recording[p] if p in sc.recording else p.recording()[0]
        found, ms = tones(middle(wav), *FREQ.values())
        check(ms > SECONDS * 1000 - 100, '%s recorded %d ms' % (p.user, ms))
        judge(p.user, found, p.freq, [f for f in FREQ.values() if f != p.freq])


def main(env):
    sc = Scene(env, server_for_linphone(env))
    for part in (register, make, add, talk, remove, finish, heard):
        part(sc)


if __name__ == '__main__':
    lib.run(main)
