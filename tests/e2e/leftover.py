"""What a server holds when all who used it are gone: no more than at the start

The counters are its own (conclavectl stats), the descriptors are those that
/proc shows.  Something may stay for a while: what waits for the answer of a peer
that vanished, 32 s (RFC 3261 section 17).
"""
import os
import re
import time

import lib

WAIT_S = 40
SAMPLES = 3
SOON_S = 2          # what takes longer is said
NONCE_BYTES = 128   # struct used in focus/nonce.c
HEAP_KIB = 512      # tables that grow, and what libraries keep once used

FOCUS = ('conferences', 'calls', 'dialogs', 'client_transactions',
         'server_transactions', 'watching', 'subscriptions', 'registrations',
         'referring', 'connections', 'sip_connections', 'strangers', 'timers',
         'secrets', 'seen_keys')
TRANSACTIONS = ('client_transactions', 'server_transactions')
FLOOR = ('conferences', 'users', 'connections')
STRANGER = ('sip_connections', 'strangers', 'connections', 'fd socket', 'timers')
MIXER = ('confs', 'legs', 'ports', 'classes', 'group_keys', 'timers', 'secrets')


alone = True        # nobody else can connect to our servers


def fds(pid):
    """{what a descriptor is: how many}, sockets by kind only; nothing unless we
    are root, to whom alone the kernel shows those of a process without dumps"""
    found = {}
    try:
        names = os.listdir('/proc/%d/fd' % pid)
    except PermissionError:
        lib.check(os.geteuid() != 0, 'root may not read /proc/%d/fd' % pid)
        return found
    for fd in names:
        try:
            what = os.readlink('/proc/%d/fd/%s' % (pid, fd)).split(':[')[0]
            what = re.sub(r'^/proc/\d+/|( \(deleted\))$', '', what)
        except OSError:     # closed meanwhile
            continue
        found[what] = found.get(what, 0) + 1
    return found


def counters(stats, pid):
    """{name: number} of all that must come back"""
    now = {k: stats[k] for k in FOCUS}
    now.update(('floor ' + k, stats['floor'][k]) for k in FLOOR)
    for i, m in enumerate(stats['mixers']):
        now.update(('mixer %d %s' % (i, k), m.get(k, 0)) for k in MIXER)
    for name, p in [('', pid)] + [('mixer %d ' % i, m['pid']) for i, m in
                                  enumerate(stats['mixers'])]:
        for what, n in fds(p).items() if p else ():
            now['%sfd %s' % (name, what)] = n
    return now


def heaps(stats):
    """{process id or 0 for the focus: bytes in use}, without the nonces of past
    logins, which have to be remembered for some minutes"""
    heap = {m['pid']: m.get('heap', 0) for m in stats['mixers']}
    heap[0] = stats['heap'] - NONCE_BYTES * stats['used_nonces']
    return heap


def least(samples):
    """A descriptor of a question that was just answered may still be open"""
    return {k: min(s.get(k, 0) for s in samples)
            for k in set().union(*samples)}


def left_behind(was, now):
    return {k: '%s, not %s' % (now[k], was.get(k, 0))
            for k in sorted(now) if now[k] > was.get(k, 0)}


class Base:
    """Taken when the server is ready"""

    def __init__(self, server):
        self.server = server
        samples = [self.now() for _ in range(SAMPLES)]
        self.was, self.heap = least([s[0] for s in samples]), samples[0][1]

    def now(self):
        """As the server counts, and as /proc shows when it has closed the
        connection of this very question, which its own count still has.  On a
        busy machine that may come after its answer was read here: counted in,
        it would be part of the base, and no later count were the same."""
        stats = self.server.ctl('stats')

        def closed():
            own = fds(self.server.proc.pid)
            return not own or sum(own.values()) < stats['fds']
        try:
            lib.wait_until('it closes the connection', closed, SOON_S)
        except lib.Failure:
            pass        # more were opened meanwhile: the next count will tell
        return counters(stats, self.server.proc.pid), heaps(stats)

    def without_strangers(self, left, now):
        """Where anybody on this machine may look who is listening, one who does
        is a connection that nobody of ours has made"""
        here = now['sip_connections'] - self.was['sip_connections']
        return {k: v for k, v in left.items() if alone or k not in STRANGER or
                now[k] - self.was.get(k, 0) > here}

    def only_transactions(self, left, now):
        """Each has a timer running that ends it, and no more than the dialog or
        subscription whose last request it is: nobody need wait for that"""
        more = {k: max(0, now[k] - self.was[k])
                for k in TRANSACTIONS + ('dialogs', 'subscriptions', 'timers')}
        return set(left) <= set(more) and \
            more['timers'] == sum(more[k] for k in TRANSACTIONS) and \
            more['client_transactions'] >= max(more['dialogs'],
                                               more['subscriptions'])

    def compare(self):
        t0 = time.monotonic()
        left, wait = {}, {}

        def same():
            now, self.heap_now = self.now()
            left.clear()
            left.update(self.without_strangers(left_behind(self.was, now), now))
            if not wait and time.monotonic() - t0 > SOON_S:
                wait.update(left)
            return not left or self.only_transactions(left, now)
        try:
            lib.wait_until('all is as at the start', same, WAIT_S)
        except lib.Failure:
            raise lib.Failure('%s: left behind: %s' % (
                os.path.basename(self.server.dir), left))
        took = time.monotonic() - t0
        more = {pid: (n - self.heap[pid]) / 1024 for pid, n in
                self.heap_now.items() if pid in self.heap}
        lib.note('%s: as at the start after %.1f s; heap %s KiB%s' % (
            os.path.basename(self.server.dir), took,
            ' '.join('%+.0f' % n for n in more.values()),
            '; waited for %r' % wait if wait else ''))
        lib.check(max(more.values()) <= HEAP_KIB, 'heap in use grew: %r' % more)
