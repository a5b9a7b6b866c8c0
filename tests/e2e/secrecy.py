"""What the secrecy scenarios share: callers with a tap, and the checker"""
import json
import os
import re
import subprocess
import time

from caller import Caller
from lib import check, note, program, read_text, wait_until


class Taps:
    """Callers with a tap, each in a process of its own"""

    def __init__(self, env, server, folder=None):
        self.env, self.server = env, server
        self.files, self.names, self.left = [], [], {}
        self.uri = server.factory
        # the files hold keys: they go with the folder
        self.folder = folder or server.dir

    def call(self, name, user, *args):
        """Dial, and wait until the leg is there"""
        tap = os.path.join(self.folder, '%s.%d.tap' % (name, len(self.files)))
        before = set(self.legs())
        c = self.env.add(Caller(self.server, '--tap', tap, '--insecure-tap',
                                *args, uri=self.uri, users=(user,)))
        c.name = name
        self.files.append(tap)
        self.env.taps.append(tap)
        self.names.append(name)
        c.leg = wait_until('%s is in' % name,
                           lambda: set(self.legs()) - before, 10).pop()
        if self.uri == self.server.factory:
            self.uri = wait_until('conference', self.server.first_conference, 5)
        return c

    def dialog(self, name):
        """Its dialog, as a Replaces header names it"""
        tap = self.files[self.names.index(name)]
        # the server has its ACK, but the tap perhaps not yet its line
        return wait_until('dialog of %s' % name, lambda: re.findall(
            r'(?m)^dlg \d+ \d+ (\S+)$', read_text(tap)), 5)[-1]

    def conf(self):
        confs = self.server.ctl('list')['conferences']
        return confs and self.server.ctl('show', confs[0]['conf'])

    def legs(self):
        """{leg id: leg}"""
        conf = self.conf()
        return {leg['leg']: leg for p in (conf or {}).get('participants', [])
                for leg in p['legs']
                if leg['state'] in ('connected', 'on-hold')}

    def settled(self, keying, timeout=15):
        """All legs are on the group key of one epoch (or on their own)"""
        def ok():
            legs = self.legs().values()
            if keying == 'endpoint':
                return all(x['keying'] == 'endpoint' for x in legs)
            return len({x['epoch'] for x in legs}) == 1 and \
                all(x['keying'] == 'group' for x in legs)
        wait_until('legs on one epoch', ok, timeout)

    def packets(self):
        """RTP packets that all have received so far"""
        n = 0
        for f in self.files:
            with open(f) as tap:
                n += sum(line.startswith('rtp ') for line in tap)
        return n

    def listen(self, packets):
        """Until so many more have arrived"""
        want = self.packets() + packets
        wait_until('%d packets' % packets, lambda: self.packets() >= want, 20)

    def gone(self, name):
        """It left now, whether it says so or not"""
        self.left[self.names.index(name)] = int(time.monotonic() * 1e6)

    def judge(self):
        args = []
        for call, at in self.left.items():
            args += ['--left', '%d=%d' % (call, at)]
        r = subprocess.run([program('tests/secrecy'), *args, *self.files],
                           stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, timeout=300)
        check(r.returncode == 0, r.stderr)
        j = json.loads(r.stdout)
        for what in ('leavers', 'joiners'):
            for x in j[what]:
                x['name'] = self.names[x['call']]
        return j


def seconds(t):
    return ('--seconds', t)


def tone(caller, freq):
    """Ends it; what it heard of a tone, and all of its result"""
    caller.proc.terminate()
    j = caller.result(20)['calls'][0]
    return [t for t in j['audio']['tones'] if t['freq'] == freq][0], j


def row(*cells):
    note('   %-10s %-24s %9s %9s %12s' % cells)
