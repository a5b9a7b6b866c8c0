"""conclave-call, our own test phone, as a child process"""
import json
import os
import subprocess

from lib import check, program

USERS = ('alice', 'bob', 'carol', 'dave')


def failures(out):
    """What its checks say; all of its output if that is nothing"""
    try:
        calls = json.loads(out)['calls']
    except (ValueError, KeyError):
        return out[-3000:]
    text = ['call %s: %s' % (c.get('user', c['call']), f)
            for c in calls for f in c['failures'] or [c.get('error')] if f]
    return '\n'.join(text) or out[-3000:]


class Caller:
    """One conclave-call, with one or several calls in it"""

    def __init__(self, server, *args, uri=None, users=USERS[:1]):
        self.proc = subprocess.Popen(
            [program('conclave-call'), '--json', '--ca', server.ca,
             '--password-file', os.path.join(server.dir, 'users'),
             '--user', ','.join(users),
             '--uri', uri or server.factory, *[str(a) for a in args]],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)

    def result(self, timeout, rc=0):
        """Wait for its end; the JSON it printed"""
        out, err = self.proc.communicate(timeout=timeout)
        check(self.proc.returncode == rc, 'conclave-call ended with %d: %s\n%s' %
              (self.proc.returncode, err[-1500:], failures(out)))
        check('Sanitizer' not in err and 'runtime error:' not in err, err)
        return json.loads(out)

    def close(self):
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.communicate()


# The criteria of a good conference, as conclave-call checks them itself
GOOD = ('--expect', 'others', '--not', 'own', '--max-spread', 3,
        '--max-gap', 60, '--max-auth-failures', 0)


def talk(env, server, *args, calls=3, seconds=5, timeout=40, users=USERS):
    """Some calls in one new conference; all criteria hold"""
    c = env.add(Caller(server, '-n', calls, '--same-conf', '--seconds', seconds,
                       *GOOD, *args, users=users[:calls]))
    return c.result(timeout)
