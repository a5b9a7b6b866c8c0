"""Ground of the end-to-end scenarios: server, time limits, recordings.

A scenario is a script that calls run(main).  It fails by raising Failure (or
any other exception), and it never sleeps: it waits for something, with a
limit (wait_until).  Whatever it starts belongs to `env` and is ended there.
"""
import contextlib
import ctypes
import fcntl
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

import leftover

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get('CONCLAVE_BUILDDIR') or os.path.join(TOP, 'build')

READY_S = 20        # a server that is not ready by then never will be
STOP_S = 15
SCENARIO_S = 400    # whatever happens, it ends
POLL_S = 0.02


class Failure(Exception):
    """What had to hold does not"""


class Skip(Exception):
    """The machine lacks what the scenario needs"""


def check(cond, text):
    if not cond:
        raise Failure(text)


def wait_until(what, cond, timeout):
    """Poll cond() until it is true, and return it; Failure after timeout [s]"""
    end = time.monotonic() + timeout
    while True:
        got = cond()
        if got:
            return got
        if time.monotonic() > end:
            raise Failure('not within %g s: %s' % (timeout, what))
        time.sleep(POLL_S)


def note(text):
    print(text, flush=True)


def program(name):
    path = os.path.join(BUILD, name)
    if not os.access(path, os.X_OK):
        raise Failure('not built: %s' % path)
    return path


def sanitized():
    """Is this a build with AddressSanitizer?  Its memory figures mean nothing."""
    with open(os.path.join(BUILD, 'config.h')) as f:
        return bool(re.search(r'^#define HAVE_SANITIZER 1', f.read(), re.M))


def fast_clock(factor):
    """Environment of a program whose time runs faster"""
    so = os.path.join(BUILD, 'tests', 'fastclock.so')
    if not os.path.exists(so):
        r = subprocess.run(['make', '-C', BUILD, 'tests/fastclock.so'],
                           stdout=subprocess.DEVNULL)
        check(r.returncode == 0, 'cannot build %s' % so)
    return {'LD_PRELOAD': so, 'FASTCLOCK': str(factor)}


def have_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
            s.bind(('::1', 0))
        return True
    except OSError:
        return False


def user_of(uri):
    """alice of sip:alice@example.org"""
    return re.match(r'sips?:([^@]+)@', uri)[1]


def read_text(path):
    with open(path, errors='replace') as f:
        return f.read()


class Env:
    """A folder for one scenario; ends what was started in it, newest first"""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix='conclave-e2e.')
        self.things = []
        self.servers = []
        self.taps = []          # files with the keys of callers

    def path(self, name):
        return os.path.join(self.dir, name)

    def server(self, name='demo', **kw):
        s = Server(self.path(name), env=self, **kw)
        self.servers.append(s)
        self.things.append(s)
        return s

    def add(self, obj):
        """obj.close() is called at the end, or before a server ends that was
        there before"""
        self.things.append(obj)
        return obj

    def close_but_servers(self, since=None):
        """End what was started, or since this server was"""
        at = self.things.index(since) + 1 if since else 0
        newer = self.things[at:]
        self.things[at:] = [t for t in newer if t in self.servers]
        close_all(t for t in newer if t not in self.servers)

    def show_logs(self):
        for s in self.servers:
            if os.path.exists(s.log):
                text = read_text(s.log)
                note('--- end of %s' % s.log)
                note(text[-6000:])

    def close(self):
        things, self.things = self.things, []
        close_all(things)


def close_all(things):
    """Newest first, and all of them whatever happens to one"""
    with contextlib.ExitStack() as stack:
        for t in things:
            stack.callback(t.close)


def too_long(*_):
    raise Failure('the scenario takes more than %d s' % SCENARIO_S)


def one_at_a_time():
    """They measure time and sound: hold a lock until the process ends"""
    fd = os.open(os.path.join(BUILD, 'e2e.lock'), os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX)


CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP_RUNNING = 0x41


def own_network():
    """A network namespace with nothing but a loopback interface: ports and
    packets of others on this machine are out of sight.  Needs root; without
    it the scenario shares the loopback interface with everybody else."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET):
        note('no network of our own: %s' % os.strerror(ctypes.get_errno()))
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack('16sH22x', b'lo', IFF_UP_RUNNING))
    return True


def run(main):
    """Run a scenario: exit code 0, 1 or 77 (skipped), files kept on failure"""
    one_at_a_time()
    leftover.alone = own_network()
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(SCENARIO_S)
    env = Env()
    rc, why = 1, ''
    try:
        main(env)
        env.close_but_servers()
        for s in reversed(env.servers):
            s.stop()
        rc = 0
    except Skip as e:
        note('skipped: %s' % e)
        rc = 77
    except Failure as e:
        why = str(e)
        traceback.print_exc()
    except Exception as e:
        why = repr(e)
        traceback.print_exc()
    finally:
        env.close()
        if rc == 1:
            env.show_logs()
            note('files: %s' % env.dir)
            note('FAILED: %s' % why)
        else:
            shutil.rmtree(env.dir, ignore_errors=True)
    sys.exit(rc)


class Server:
    """conclaved, as demo or with a configuration of the scenario's own"""

    def __init__(self, d, keying='endpoint', conf=None, port=0, wait=True,
                 floor='open', log_level='debug', env=None, more_env=None):
        self.dir = d
        self.env = env
        self.base = None
        self.log = d + '.log'
        self.socket = os.path.join(d, 'ctl')
        if conf:
            argv = ['-f', conf]
            m = re.search(r'^control_socket = "(.*)"', read_text(conf), re.M)
            self.socket = m[1] if m else self.socket
        else:
            argv = ['--demo', d, '--port', str(port), '--keying', keying,
                    '--floor', floor]
        self.out = b''
        self.ready = None
        self.stopped = None
        self.termed = False
        with open(self.log, 'wb') as log:
            self.proc = subprocess.Popen(
                [program('conclaved'), '--log-level', log_level] + argv,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                start_new_session=True,     # Ctrl-C is for us alone
                env={**os.environ, **(more_env or {})})
        os.set_blocking(self.proc.stdout.fileno(), False)
        if wait:
            self.wait_ready()

    def wait_ready(self):
        self.ready = wait_until('ready line of the server', self._ready_line,
                                READY_S)
        m = re.search(r'\bsips=(\S+):(\d+)', self.ready)
        check(m, 'ready line without sips=: %r' % self.ready)
        self.host, self.port = m[1].strip('[]'), int(m[2])
        self.base = leftover.Base(self)

    def _ready_line(self):
        select.select([self.proc.stdout], [], [], POLL_S)
        self.out += self.proc.stdout.read() or b''
        m = re.search(rb'^(ready .*)\n', self.out, re.M)
        if m:
            return m[1].decode()
        check(self.proc.poll() is None, 'server ended with %s before it was '
              'ready: %s' % (self.proc.poll(), self.tail()))
        return None

    def tail(self):
        return read_text(self.log)[-1500:]

    @property
    def ca(self):
        return os.path.join(self.dir, 'ca.pem')

    def password(self, user):
        with open(os.path.join(self.dir, 'users')) as f:
            for line in f:
                u, _, pw = line.rstrip('\n').partition(':')
                if u == user:
                    return pw
        raise Failure('no user %s' % user)

    def password_file(self, user):
        path = os.path.join(self.dir, user + '.password')
        if not os.path.exists(path):
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(fd, 'w') as f:
                f.write(self.password(user) + '\n')
        return path

    def uri(self, user):
        host = '[%s]' % self.host if ':' in self.host else self.host
        return 'sip:%s@%s:%d' % (user, host, self.port)

    @property
    def factory(self):
        return self.uri('factory')

    def mixers(self):
        """Process ids of the mixers"""
        return [m['pid'] for m in self.ctl('stats')['mixers'] if m['pid'] > 0]

    def media_ports(self):
        """UDP ports that its mixers have open"""
        inodes = set()
        for pid in self.mixers():
            for fd in os.scandir('/proc/%d/fd' % pid):
                m = re.match(r'socket:\[(\d+)\]', os.readlink(fd.path))
                if m:
                    inodes.add(m[1])
        ports = set()
        for name in ('udp', 'udp6'):
            for line in read_text('/proc/net/' + name).split('\n')[1:]:
                f = line.split()
                if len(f) > 9 and f[9] in inodes:
                    ports.add(int(f[1].rsplit(':', 1)[1], 16))
        return ports

    def pids(self):
        return [self.proc.pid] + self.mixers()

    def ctl(self, *args):
        """conclavectl ... --json"""
        r = subprocess.run([program('conclavectl'), '-s', self.socket,
                            '--json', *args],
                           stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, timeout=10)
        check(r.returncode == 0, 'conclavectl %s: %s' % (args, r.stderr))
        return json.loads(r.stdout)

    def first_conference(self):
        """URI to dial of the first conference that exists, or None"""
        confs = self.ctl('list')['conferences']
        # as listed it has no port; ours is any free one
        return confs and self.uri(user_of(confs[0]['uri']))

    def term(self):
        self.termed = True
        self.proc.send_signal(signal.SIGTERM)

    def wait_end(self, timeout=STOP_S):
        try:
            return self.proc.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failure('server still runs %g s after SIGTERM' % timeout)

    def stop(self):
        """SIGTERM, exit 0, nothing reported by a sanitizer"""
        if self.stopped is None:
            if not self.termed and self.proc.poll() is None:
                self.back_at_base()
                self.term()
            self.stopped = self.wait_end()
            check(self.stopped == 0, 'server ended with %s: %s' %
                  (self.stopped, self.tail()))
            self.check_sanitizer()

    def back_at_base(self):
        """When all who used it are gone, nothing of them is left"""
        if self.env:
            self.env.close_but_servers(self)
            for c in self.ctl('list')['conferences']:
                try:
                    self.ctl('end', c['conf'])
                except Failure:     # its last one has left meanwhile
                    check(c not in self.ctl('list')['conferences'],
                          '%s does not end' % c['conf'])
            self.base.compare()

    def check_sanitizer(self):
        text = read_text(self.log)
        m = re.search(r'^.*(AddressSanitizer|LeakSanitizer|runtime error:).*$',
                      text, re.M)
        check(not m, 'sanitizer: %s' % (m and m[0]))

    def kill(self):
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait()
        self.proc.stdout.close()

    close = kill


given_ports = set()


def free_port(host='127.0.0.1'):
    """A port that is free for TCP and UDP, and the next one for TCP as well.

    Not one that the kernel gives to whoever connects, or that media uses: it
    would be taken before the one who asked has opened it."""
    while True:
        port = random.randrange(10000, 16000, 2)
        if port in given_ports:
            continue
        try:
            for kind, n in ((socket.SOCK_STREAM, port), (socket.SOCK_DGRAM, port),
                            (socket.SOCK_STREAM, port + 1)):
                with socket.socket(type=kind) as s:
                    s.bind((host, n))
        except OSError:
            continue
        given_ports.add(port)
        return port


def tones(wav, *freqs):
    """{freq: {level_dbfs, longest_gap_ms, ...}} and the length [ms]"""
    r = subprocess.run([program('tests/tones'), wav] + [str(f) for f in freqs],
                       stdin=subprocess.DEVNULL, capture_output=True,
                       text=True, timeout=60)
    check(r.returncode == 0, r.stderr.strip())
    j = json.loads(r.stdout)
    return {int(t['freq']): t for t in j['tones']}, j['duration_ms']


HEARD_DBFS = -30        # a participant that talks at -9 is far above
SILENT_DBFS = -50       # one's own voice must not come back
BALANCE_DB = 3
GAP_MS = 60


def judge(who, found, own, others):
    """The criteria of every listening test, on one set of found tones"""
    level = {f: found[f]['level_dbfs'] for f in found}
    gap = {f: found[f]['longest_gap_ms'] for f in others}
    note('%s hears %s' % (who, '  '.join(
        '%d Hz %.1f dBFS%s' % (f, level[f], ' gap %d ms' % gap[f]
                               if f in gap else ' (own)')
        for f in sorted(level))))
    for f in others:
        check(level[f] > HEARD_DBFS, '%s does not hear %d Hz' % (who, f))
        check(gap[f] <= GAP_MS, '%s: gap of %d ms in %d Hz' % (who, gap[f], f))
    loud = [level[f] for f in others]
    check(max(loud) - min(loud) <= BALANCE_DB,
          '%s: others differ by %.1f dB' % (who, max(loud) - min(loud)))
    if own:
        check(level[own] < SILENT_DBFS,
              '%s hears itself: %.1f dBFS' % (who, level[own]))
