"""A new configuration while calls are up: by SIGHUP and by conclavectl"""
import os
import re
import signal
import subprocess

import lib
from confedit import edited_server
from lib import check, note, wait_until
from rawsip import Call, crypto, focus_uri, offer
from referee import Notifies, Refer, join
from regphone import raw, register
from roster import Watcher


class Scene:
    def __init__(self, env):
        self.demo = env.server()
        self.server = edited_server(env, self.demo, 'new', lambda t: t)
        self.path = env.path('new.conf')
        self.old = lib.read_text(self.path)
        self.alice, self.bob, self.carol = (
            raw(env, self.server, u) for u in ('alice', 'bob', 'carol'))

    def write(self, text):
        with open(self.path + '.new', 'w') as f:
            f.write(text)
        os.rename(self.path + '.new', self.path)

    def ctl(self, *args):
        """Exit status and what conclavectl says on stderr"""
        r = subprocess.run([lib.program('conclavectl'), '-s', self.server.socket, *args],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=10)
        return r.returncode, r.stderr

    def logged(self, ev):
        return len(re.findall(r' %s ' % ev, lib.read_text(self.server.log)))

    def by_signal(self, ev):
        """SIGHUP, and wait for what the log says of it"""
        n = self.logged(ev)
        self.server.proc.send_signal(signal.SIGHUP)
        wait_until(ev, lambda: self.logged(ev) > n, 5)

    def dial(self, cli, uri, status):
        call = Call(cli, uri)
        r = call.invite(offer(crypto=[crypto()]))
        check(r.status == status, '%s calls %s: %s, not %d' % (cli.user, uri, r, status))
        return call


def mistakes(sc):
    """What is wrong is said with file and line, and changes nothing"""
    sc.write(sc.old + 'frobnicate = 1\n')
    line = sc.old.count('\n') + 1
    status, text = sc.ctl('reload')
    check(status == 1 and '%s:%d: ' % (sc.path, line) in text, '%d %s' % (status, text))
    sc.by_signal('ev=reload_failed')
    check('%s:%d: ' % (sc.path, line) in lib.read_text(sc.server.log), 'no file and line')
    status, text = sc.ctl('--as', 'sip:alice@127.0.0.1', 'reload')
    check(status == 1 and sc.logged('ev=reload_failed') == 2, 'a participant reloads: ' + text)
    note('a mistake: %s' % text.strip())


def policy(sc, how):
    """Calls go on under the rules they were made under; what is new obeys the new"""
    sc.write(sc.old)
    how()
    owner, r = join(sc.alice, sc.server.factory)
    uri = focus_uri(r)
    bob = sc.dial(sc.bob, uri, 200)
    watcher = Watcher(sc.bob, uri).start()
    check(register(sc.bob, ['Contact: <sip:bob@h;transport=tls>']).status == 200, 'REGISTER')
    new = re.sub(r'(create|join) = \{[^}]*\}', r'\1 = {"sip:dave@127.0.0.1"}', sc.old)
    check(new != sc.old, 'nothing to change')
    sc.write(re.sub(r'max_user_calls = \d+', 'max_user_calls = 3', new))
    how()
    sc.dial(sc.alice, sc.server.factory, 403)
    carol = sc.dial(sc.carol, uri, 200)
    r = bob.reinvite(offer(crypto=[crypto()], version=2, direction='sendonly'))
    check(r.status == 200, 're-INVITE: %s' % r)
    watcher.until('carol and the hold in the roster', lambda: [
        e['state'] for _, eps in watcher.replica.roster().values()
        for e in eps.values()] == ['connected', 'on-hold', 'connected'])
    check(watcher.subscribe(expires=60).status == 200, 'refresh of a subscription')
    check(register(sc.bob, []).all('Contact'), 'the registration is gone')
    refer = Refer(sc.alice, uri)
    check(refer.send('<sip:carol@127.0.0.1;method=BYE>').status == 200, 'REFER')
    check(Notifies(refer).until_last() == 200, 'carol is removed')
    check(carol.wait_request(5).method == 'BYE', 'BYE')
    for c in (bob, owner):
        check(c.bye().status == 200, 'BYE')
    watcher.until('the end of the subscription',
                  lambda: watcher.state.startswith('terminated'))


def main(env):
    sc = Scene(env)
    mistakes(sc)
    policy(sc, lambda: check(sc.ctl('reload') == (0, ''), 'conclavectl reload'))
    note('conclavectl reload: calls go on, new ones obey the new policy')
    policy(sc, lambda: sc.by_signal('ev=reload'))
    note('SIGHUP: the same')


if __name__ == '__main__':
    lib.run(main)
