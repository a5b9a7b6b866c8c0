"""Three foreign phones that keep their old key, in keying auto: each is found
out and stays on its own key, and none hears a gap"""
import capture
import lib
import phones
from lib import check, note


def main(env):
    server = env.server('auto', keying='auto')
    phones.conference(env, server)
    log = lib.read_text(server.log)
    stays, follows = log.count('ev=stays_endpoint'), log.count('ev=promoted')
    note('%d stay on their own key, %d follow' % (stays, follows))
    check(lib.sanitized() or stays + follows >= 1, 'no trial came to its end')


if __name__ == '__main__':
    capture.run(main)
