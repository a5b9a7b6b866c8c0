"""Every suite, keying and codec: all is heard, nothing fails to authenticate,
and the way from mouth to ear is short"""
import re

import capture
import lib
from caller import Caller, GOOD, USERS

SUITES = ('AEAD_AES_256_GCM', 'AEAD_AES_128_GCM', 'AES_256_CM_HMAC_SHA1_80',
          'AES_CM_128_HMAC_SHA1_80')
SECONDS = 4
DELAY_MS = 80
LATE = re.compile(r'has a gap of \d+ ms$|is heard after [\d.]+ ms$')
REPEATS = 2     # a machine that stalls makes jitter buffers grow for a while


def combination(env, server, suite, codec):
    """Two conferences at a time: the tones of the first must have no gap, in
    the second each caller marks its tone now and then to measure the delay"""
    common = ('-n', 3, '--same-conf', '--seconds', SECONDS, '--suite', suite,
              '--codec', codec, '--max-auth-failures', 0)
    sound = env.add(Caller(server, *common, *GOOD, users=USERS[:3]))
    delay = env.add(Caller(server, *common, '--measure-delay', '--max-delay',
                           DELAY_MS, users=USERS[:3]))
    for c in sound.result(30)['calls']:
        lib.check((c['suite'], c['codec'].lower()) == (suite, codec),
                  'negotiated %s %s' % (c['suite'], c['codec']))
    return [d['delay_ms'] for c in delay.result(30)['calls'] for d in c['delays']]


def patiently(env, left, *args):
    """One more try, but only a few in all, and only where nothing but time fell
    short: what fails to authenticate or is not heard fails at once"""
    try:
        return combination(env, *args)
    except lib.Failure as e:
        calls = [t for t in str(e).split('\n') if t.startswith('call ')]
        if not left or not calls or not all(LATE.search(t) for t in calls):
            raise
        lib.note('once more: %s' % e)
        left.pop()
        return combination(env, *args)


def codecs(n):
    """Both; with a sanitizer, which is not there to measure, by turns"""
    both = ('opus', 'pcma')
    return both[n % 2:n % 2 + 1] if lib.sanitized() else both


def main(env):
    left = [None] * REPEATS
    for keying in ('endpoint', 'group'):
        server = env.server(keying, keying=keying)
        for n, suite in enumerate(SUITES):
            for codec in codecs(n):
                delays = patiently(env, left, server, suite, codec)
                lib.note('%-8s %-23s %s: delay %.0f to %.0f ms' %
                         (keying, suite, codec, min(delays), max(delays)))
        server.stop()


if __name__ == '__main__':
    capture.run(main)
