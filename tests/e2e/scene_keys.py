"""The part of the scene about keys: one joins, one leaves, and what they could
open is tried with the keys that they had"""
import contextlib
import os
import re
import subprocess
import tempfile

import lib
from lib import check, read_text, wait_until
from secrecy import Taps, seconds, tone

TONE = 600
REPORTS = ('--rtcp-interval', 500)


class Stage:
    """Folder and end of what the scene starts"""

    def __init__(self, stack):
        self.dir = stack.enter_context(tempfile.TemporaryDirectory())
        self.stack = stack
        self.taps = []

    def path(self, name):
        return os.path.join(self.dir, name)

    def add(self, obj):
        self.stack.callback(obj.close)
        return obj


def checker():
    """tests/secrecy is not part of "make all\""""
    r = subprocess.run(['make', '-C', lib.BUILD, 'tests/secrecy'],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    check(r.returncode == 0, 'cannot build tests/secrecy')


class Epochs:
    """Says what the server's log says about keys"""

    def __init__(self, server, say):
        self.log, self.say = server.log, say
        self.at = len(read_text(self.log))

    def tell(self, why):
        text = read_text(self.log)
        found = re.findall(r'ev=(key_drawn|promoted|stays_endpoint) .*', text[self.at:])
        nos = re.findall(r'ev=key_drawn .*epoch=(\d+)', text[self.at:])
        self.at = len(text)
        if nos:
            self.say('   %-32s new group key: epoch %s' % (why, ', '.join(nos)))
        elif found or why:
            self.say('   %-32s no group key was needed' % why)


def row(say, text, tried, opened, more=''):
    say('   %-58s %d of %d%s' % (text, opened, tried, more))


def judge(t, say):
    j = t.judge()
    ok = j['pads']['violations'] == 0 and j['shared'] == 0
    for x in j['leavers']:
        if x['name'] == 'carol':
            row(say, 'packets sent after carol left that she can open', x['tried'],
                x['opened'], ', the last after %.0f ms' % x['last_ms']
                if x['opened'] else '')
            ok = ok and x['last_ms'] < 2100
    for x in j['joiners']:
        if x['name'] == 'carol':
            row(say, 'packets from before she joined that she can open', x['tried'],
                x['opened'])
            ok = ok and not x['opened']
    row(say, 'pairs of packets under one key and counter', j['pads']['packets'],
        j['pads']['violations'])

    return ok


def play(server, keying, say):
    """True if the figures are good"""
    checker()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        t = Taps(Stage(stack), server, folder)
        log = Epochs(server, say)
        say('\n== keying %s: alice talks to bob, carol comes and goes' % keying)
        alice = t.call('alice', 'alice', *seconds(60), '--freq', TONE, *REPORTS)
        bob = t.call('bob', 'bob', *seconds(60), '--silent', '--expect', TONE, *REPORTS)
        t.settled(keying)
        log.tell('alice and bob are in:')
        carol = t.call('carol', 'carol', *seconds(60), '--silent', *REPORTS)
        t.settled(keying)
        log.tell('carol has joined:')
        t.listen(100)
        carol.proc.terminate()
        wait_until('carol has left', lambda: len(t.legs()) == 2, 5)
        carol.proc.communicate(timeout=10)
        t.settled(keying)
        log.tell('carol has left:')
        t.listen(100)
        heard, _ = tone(bob, TONE)
        alice.proc.terminate()
        alice.proc.communicate(timeout=10)
        say('')
        ok = judge(t, say)
        say('   %-58s %d ms' % ('longest gap that bob heard meanwhile',
                                heard['longest_gap_ms']))
        say('== PASS: keys followed the membership' if ok else '== FAIL')

    return ok and heard['longest_gap_ms'] <= 60
