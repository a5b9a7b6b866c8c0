"""Every suite, keying and codec: all is heard, nothing fails to authenticate,
and the way from mouth to ear is short"""
import lib
from caller import talk

SUITES = ('AEAD_AES_256_GCM', 'AEAD_AES_128_GCM', 'AES_256_CM_HMAC_SHA1_80',
          'AES_CM_128_HMAC_SHA1_80')
DELAY_MS = 80


def main(env):
    for keying in ('endpoint', 'group'):
        server = env.server(keying, keying=keying)
        for suite in SUITES:
            for codec in ('opus', 'pcma'):
                j = talk(env, server, '--suite', suite, '--codec', codec,
                         '--measure-delay', '--max-delay', DELAY_MS)
                lib.note('%s %s %s: delay %s ms' %
                         (keying, suite, codec, j.get('delay_ms')))
        server.stop()


if __name__ == '__main__':
    lib.run(main)
