"""Linphone without a screen: its console client, driven through its stdin.

Debian 12 has linphone-cli 5.1, Debian 13 has 5.3.  It registers with the
server, knows the server's factory as the place where its conferences are made,
plays a tone from a file, and records what it hears into another.

What it wants, and what the configuration below does about it:

* A request to the domain of its registrar goes to the registrar, so a phone
  that has the same host as the server could never be called.  Its registrar is
  therefore "localhost", and everything else 127.0.0.1.
* It drops the port of a conference URI when it subscribes, so the server has
  to listen on the well-known one.
* It plays tones of its own at the end of calls.
* It speaks TLS as a client only and is called on the connection it made.
"""
import math
import os
import re
import shutil
import socket
import struct
import subprocess
import wave

from baresip import CODECS
from lib import Failure, Skip, check, read_text, wait_until

SIPS_PORT = 5061
RATE = 16000
TONE_S = 60             # longer than any scenario
AMPLITUDE = 0.5 * 32767

CONFIG = '''
[sip]
sip_port=-2
sip_tcp_port=-2
sip_tls_port=-1
default_proxy=0
register_only_when_network_is_up=0
auto_net_state_mon=0
guess_hostname=0
use_ipv6=0
root_ca={ca}
media_encryption=srtp
media_encryption_mandatory=1
srtp_crypto_suites=AES_CM_128_HMAC_SHA1_80

[auth_info_0]
username={user}
passwd={password}
realm=127.0.0.1

[proxy_0]
reg_proxy=<sip:localhost:{port};transport=tls>
reg_identity=<sip:{user}@127.0.0.1>
reg_expires=600
reg_sendregister=1
publish=0
conference_factory_uri=sip:factory@localhost

[misc]
conference_type=remote
add_missing_audio_codecs=0

[audio_codec_0]
mime={codec[0]}
rate={codec[1]}
channels={codec[2]}
enabled=1

[rtp]
audio_rtp_port=-1

[sound]
tone_indications=0
echocancellation=0
remote_ring=
local_ring=
'''


def version():
    """(5, 1) or (5, 3)"""
    r = subprocess.run(['linphonec', '-v'], capture_output=True, text=True, timeout=10)
    return tuple(int(n) for n in re.search(r'(\d+)\.(\d+)', r.stdout).groups())


def port_is_free():
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(('127.0.0.1', SIPS_PORT))
        except OSError:
            return False
    return True


def server_for_linphone(env):
    """The demo, on the port that Linphone takes for granted"""
    if not shutil.which('linphonec'):
        raise Skip('no linphonec (Debian: linphone-cli)')
    if not port_is_free():
        raise Skip('port %d is in use, and no network of our own' % SIPS_PORT)
    return env.server(port=SIPS_PORT)


def write_tone(path, freq):
    with wave.open(path, 'wb') as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(RATE)
        w.writeframes(b''.join(
            struct.pack('<h', int(AMPLITUDE * math.sin(2 * math.pi * freq * i / RATE)))
            for i in range(RATE)) * TONE_S)         # whole periods in a second


class Linphone:
    """One phone.  command() is what its user would type"""

    def __init__(self, env, server, user, freq, codec='opus', answer=False):
        self.user, self.freq = user, freq
        self.dir = env.path('linphone-' + user)
        # where it keeps its database
        os.makedirs(os.path.join(self.dir, '.local/share/linphone'), 0o700)
        self.log = os.path.join(self.dir, 'log')
        self.out = os.path.join(self.dir, 'out')
        rc, tone = (os.path.join(self.dir, n) for n in ('rc', 'tone.wav'))
        fd = os.open(rc, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, 'w') as f:
            f.write(CONFIG.format(ca=server.ca, port=server.port, user=user,
                                  codec=CODECS[codec].split('/'),
                                  password=server.password(user)))
        write_tone(tone, freq)
        with open(self.out, 'wb') as out:
            self.proc = subprocess.Popen(
                ['linphonec', '-c', rc, '-d', '6', '-l', self.log] +
                (['-a'] if answer else []), stdin=subprocess.PIPE, stdout=out,
                stderr=subprocess.STDOUT,
                env=dict(os.environ, HOME=self.dir, TERM='dumb'))
        env.add(self)
        wait_until('prompt of linphonec', self._prompts, 10)
        self.command('soundcard use files')
        self.command('play ' + tone)

    def _type(self, text):
        try:
            self.proc.stdin.write(text.encode() + b'\n')
            self.proc.stdin.flush()
        except OSError:
            raise Failure('%s: linphonec ended: %s' %
                          (self.user, self.output()[-1500:])) from None

    def _prompts(self):
        return self.output().count('linphonec> ')

    def command(self, text):
        """What comes before it has asked for more is lost"""
        before = self._prompts()
        self._type(text)
        wait_until('%s has taken: %s' % (self.user, text),
                   lambda: self._prompts() > before, 10)

    def record(self, name):
        """Streams that start from now on are recorded here; the file's name"""
        wav = os.path.join(self.dir, name + '.wav')
        self.command('record ' + wav)
        return wav

    def trace(self):
        """Log with the whole SIP trace in clear"""
        return read_text(self.log)

    def output(self):
        return read_text(self.out)

    def wait_output(self, pattern, count=1, timeout=10):
        wait_until('%s says %r (%d)' % (self.user, pattern, count), lambda:
                   len(re.findall(pattern, self.output())) >= count, timeout)

    def wait_trace(self, pattern, timeout=10):
        return wait_until('%r in the log of %s' % (pattern, self.user), lambda:
                          re.search(pattern, self.trace()), timeout)

    def requests(self, method):
        """Its own requests of a method, in order, with their headers"""
        return re.findall(r'message sent to .*\n(%s (?:.+\n)+)' % method, self.trace())

    def finish(self):
        """Leave everything in order, so that recordings are complete"""
        self.command('terminate all')
        self._type('quit')
        self.proc.stdin.close()
        try:
            rc = self.proc.wait(10)
        except subprocess.TimeoutExpired:
            raise Failure('%s: linphonec did not quit' % self.user) from None
        check(rc == 0, '%s: linphonec ended with %d' % (self.user, rc))

    def close(self):
        if self.proc.poll() is None:
            self.proc.kill()
        try:
            self.proc.stdin.close()
        except OSError:
            pass
        self.proc.wait()
