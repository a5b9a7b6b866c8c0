"""A headless baresip: a foreign phone, driven from the outside.

Debian 12 has baresip 1.0.0, Debian 13 has 1.1.0; both are driven through
their ctrl_tcp module (JSON in netstrings).  The tone comes from the ausine
module, what was received and decoded is recorded by sndfile.
"""
import glob
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
import wave

from lib import Failure, Skip, check, free_port, read_text, wait_until

CODECS = {'opus': 'opus/48000/2', 'g722': 'G722/16000/1',
          'pcma': 'PCMA/8000/1', 'pcmu': 'PCMU/8000/1'}

# Its own ports are far from those of the server under test.
RTP_PORTS = '40000-59999'

CONFIG = '''
poll_method             epoll
sip_listen              127.0.0.1:{sip}
net_interface           127.0.0.1
call_local_timeout      30
call_max_calls          4
audio_source            ausine,{freq}
audio_player            aubridge,sink
audio_alert             aubridge,alert
ausrc_srate             48000
ausrc_channels          2
ausrc_format            s16
auplay_format           s16
auenc_format            s16
audec_format            s16
audio_buffer            20-160
rtp_ports               {rtp}
rtcp_mux                no
jitter_buffer_delay     5-10
module_path             {modules}
module                  opus.so
module                  g722.so
module                  g711.so
module                  ausine.so
module                  aubridge.so
module                  sndfile.so
module                  srtp.so
module_tmp              uuid.so
module_tmp              account.so
module_app              menu.so
module_app              ctrl_tcp.so
ctrl_tcp_listen         127.0.0.1:{ctrl}
snd_path                {dir}/rec
sip_cafile              {ca}
sip_verify_server       yes
{more}ringback_disabled       yes
menu_bell               no
'''


def find_modules():
    for d in ['/usr/lib/baresip/modules'] + glob.glob('/usr/lib/*/baresip/modules'):
        if os.path.exists(os.path.join(d, 'ctrl_tcp.so')):
            return d
    raise Skip('baresip modules not found (Debian: baresip-core)')


class Ctrl:
    """One ctrl_tcp connection: commands out, events in (own thread)"""

    def __init__(self, port):
        self.sock = wait_until('control port of baresip',
                               lambda: self._connect(port), 10)
        self.events = []
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    @staticmethod
    def _connect(port):
        try:
            return socket.create_connection(('127.0.0.1', port), 1)
        except OSError:
            return None

    def _read(self):
        self.sock.settimeout(None)
        buf = b''
        while True:
            try:
                data = self.sock.recv(65536)
            except OSError:
                return
            if not data:
                return
            buf = self._frames(buf + data)

    def _frames(self, buf):
        while True:
            m = re.match(rb'(\d+):', buf)
            if not m or len(buf) < m.end() + int(m[1]) + 1:
                return buf
            end = m.end() + int(m[1])
            body, buf = buf[m.end():end], buf[end + 1:]
            try:
                j = json.loads(body.decode('utf-8', 'replace'), strict=False)
            except ValueError:
                continue
            with self.lock:
                self.events.append((time.monotonic(), j))

    def send(self, command, params=None):
        m = {'command': command}
        if params:
            m['params'] = params
        d = json.dumps(m).encode()
        self.sock.sendall(b'%d:%s,' % (len(d), d))

    def seen(self, kind):
        """[(time, event)] of one type so far"""
        with self.lock:
            return [(t, j) for t, j in self.events
                    if j.get('event') and j.get('type') == kind]

    def close(self):
        self.sock.close()


class Baresip:
    """One phone.  dial(), wait for it, hangup(), finish(); then look at
    recording(), trace() and the rest."""

    def __init__(self, env, server, user, freq, codec='opus',
                 mediaenc='srtp-mand', domain='127.0.0.1', cert=None,
                 answer='manual', regint=0):
        if not shutil.which('baresip'):
            raise Skip('no baresip (Debian: baresip-core)')
        self.user = user
        self.freq = freq
        self.dir = env.path('baresip-%s-%s' % (user, os.path.basename(server.dir)))
        os.mkdir(self.dir, 0o700)
        self.log = os.path.join(self.dir, 'log')
        self.ctrl = None
        self.done = False
        port = free_port()
        # libre listens for TLS on the port after the one for UDP and TCP
        sip = free_port()
        self.tls_port = sip + 1
        os.mkdir(os.path.join(self.dir, 'rec'))
        self._write('config', CONFIG.format(
            sip=sip, more='sip_certificate %s\n' % cert if cert else '', freq=freq, rtp=RTP_PORTS, ctrl=port, ca=server.ca,
            dir=self.dir, modules=find_modules()))
        self._write('accounts',
                    '<sip:%s@%s;transport=tls>;regint=%d;auth_user=%s;'
                    'auth_pass=%s;mediaenc=%s;audio_codecs=%s;ptime=20;'
                    'answermode=%s\n' % (user, domain, regint, user,
                                         server.password(user),
                                         mediaenc, CODECS[codec], answer))
        with open(self.log, 'wb') as log:
            self.proc = subprocess.Popen(
                ['baresip', '-f', self.dir, '-s'], stdout=log,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            self.ctrl = Ctrl(port)
            wait_until('baresip is ready', lambda: 'baresip is ready'
                       in self.trace(), 10)
            env.add(self)
        except Failure as e:
            text = self.trace()
            self.close()
            raise Failure('%s\n%s' % (e, text[-2000:]))

    def _write(self, name, text):
        fd = os.open(os.path.join(self.dir, name),
                     os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, 'w') as f:
            f.write(text)

    def trace(self):
        """Log with the whole SIP trace in clear"""
        return re.sub(r'\x1b\[[0-9;]*m', '', read_text(self.log))

    def dial(self, uri):
        self.t_dial = time.monotonic()
        self.ctrl.send('dial', uri)

    def uri(self):
        """Where it can be called, if it has a certificate"""
        return 'sip:%s@127.0.0.1:%d;transport=tls' % (self.user, self.tls_port)

    def established(self):
        return bool(self.ctrl.seen('CALL_ESTABLISHED'))

    def closed(self):
        """Reason if the call is over, else None"""
        seen = self.ctrl.seen('CALL_CLOSED')
        return (seen[-1][1].get('param') or 'closed') if seen else None

    def wait_established(self, timeout=15):
        def up():
            check(self.closed() is None, '%s: call ended: %s' %
                  (self.user, self.closed()))
            return self.established()
        wait_until('%s is in the call' % self.user, up, timeout)

    def wait_closed(self, timeout=10):
        wait_until('call of %s is over' % self.user, self.closed, timeout)

    def focus_uri(self):
        """URI of the conference: Contact with isfocus (RFC 4579 section 5.1)"""
        m = re.findall(r'^Contact:\s*<([^>]+)>[^\r\n]*;isfocus', self.trace(),
                       re.M | re.I)
        check(m, '%s: no Contact with isfocus' % self.user)
        return m[-1]

    def command(self, name, params=None):
        self.ctrl.send(name, params)

    def hangup(self):
        self.ctrl.send('hangup')

    def finish(self):
        """Quit in order, so that the recordings are complete"""
        if self.done:
            return
        self.done = True
        if self.proc.poll() is None:
            try:
                self.ctrl.send('quit')
            except OSError:
                pass
        try:
            self.proc.wait(8)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
            raise Failure('%s: baresip did not quit' % self.user)

    def recording(self):
        """The longest WAV of what was heard, and its length [ms]"""
        best = (0, None)
        for name in glob.glob(os.path.join(self.dir, 'rec', '*-dec.wav')):
            try:
                with wave.open(name) as w:
                    ms = w.getnframes() * 1000 // w.getframerate()
            except (wave.Error, EOFError):
                continue
            best = max(best, (ms, name), key=lambda b: b[0])
        check(best[1], '%s has heard nothing' % self.user)
        return best[1], best[0]

    def crypto_keys(self):
        """All base64 keys in its SDP, both directions"""
        return re.findall(r'^a=crypto:\S+ \S+ inline:([A-Za-z0-9+/=]+)',
                          self.trace(), re.M)

    def close(self):
        try:
            self.finish()
        except Failure:
            pass
        if self.ctrl:
            self.ctrl.close()
        if self.proc.poll() is None:
            self.proc.kill()
            self.proc.wait()
