"""A phone behind Kamailio registers, is called, and calls; left out where there
is no kamailio (it is a daemon: nobody gets one installed for a test)"""
import glob
import os
import re
import shutil
import subprocess

import lib
from lib import Skip, check, note, wait_until
from pki import certificate
from rawphone import Incoming
from rawsip import Call, Client, crypto, focus_uri, offer
from referee import Notifies, Refer, join
from regphone import raw, register

CONFIG = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..',
                      'conf', 'kamailio-edge.cfg')


def installed():
    """The program and the folder of its modules"""
    path = shutil.which('kamailio', path=os.environ['PATH'] + ':/usr/sbin')
    tls = path and glob.glob(os.path.join(os.path.dirname(os.path.dirname(path)), 'lib',
                                          '*', 'kamailio', 'modules', 'tls.so'))
    if not tls:
        raise Skip('no kamailio (Debian: kamailio, kamailio-tls-modules)')
    return path, os.path.dirname(tls[0])


class Kamailio:
    """The sample configuration, with addresses of this machine"""

    def __init__(self, env, server, path, modules):
        self.port = lib.free_port()
        pem = certificate(env, server, 'edge')
        text = lib.read_text(CONFIG)
        for was, now in ((r'tls:192\.0\.2\.10:5061', 'tls:127.0.0.1:%d' % self.port),
                         (r'sip:192\.0\.2\.20:5061', 'sip:127.0.0.1:%d' % server.port),
                         ('/etc/kamailio/edge.pem', pem),
                         ('/etc/kamailio/conclave-ca.pem', server.ca)):
            check(re.search(was, text), 'the sample has no %s' % was)
            text = re.sub(was, now, text)
        conf = env.path('kamailio.cfg')
        with open(conf, 'w') as f:
            f.write(text)
        self.log = open(env.path('kamailio.log'), 'w')
        self.proc = subprocess.Popen(
            [path, '-f', conf, '-L', modules, '-DD', '-E', '-m', '64', '-M', '8',
             '-Y', env.path('.'), '-P', env.path('kamailio.pid')],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        env.add(self)

    def close(self):
        self.proc.terminate()
        self.proc.wait(10)
        self.log.close()


def connect(env, server, edge, user):
    """A phone's connection to the proxy, once it is up"""
    def up():
        check(edge.proc.poll() is None, 'kamailio ended:\n' + lib.read_text(
            env.path('kamailio.log'))[-1500:])
        try:
            return Client('127.0.0.1', edge.port, ca=server.ca, user=user,
                          password=server.password(user))
        except OSError:
            return None
    return env.add(wait_until('kamailio', up, 10))


def called(sc, bob):
    """INVITE by the Path, PRACK and BYE by the Record-Route"""
    refer = Refer(sc.alice, sc.uri)
    check(refer.send('<sip:bob@127.0.0.1>').status == 200, 'REFER')
    m = bob.stray.get(timeout=10)
    check(m.start.startswith('INVITE sip:bob@h;') and not m.all('Route') and
          len(m.all('Via')) == 2 and m.all('Record-Route'), 'INVITE: %r' % m.headers)
    call = Incoming(bob, m)
    rr = ['Record-Route: ' + v for v in m.all('Record-Route')]
    call.respond(180, 'Ringing', headers=rr + ['Require: 100rel', 'RSeq: 5'])
    m = call.next(5)
    check(m.method == 'PRACK', 'no PRACK but %s' % m)
    call.respond(200, 'OK', req=m)
    call.respond(200, 'OK', call.good_answer(), headers=rr)
    call.wait_ack()
    check(Notifies(refer).until_last() == 200, 'the call')
    bye = Refer(sc.alice, sc.uri)
    check(bye.send('<sip:bob@127.0.0.1;method=BYE>').status == 200, 'REFER BYE')
    m = call.next(5)
    check(m.method == 'BYE', 'no BYE but %s' % m)
    call.respond(200, 'OK', req=m)
    note('called by the proxy: INVITE, PRACK, ACK, BYE')


def cancelled(sc, bob):
    refer = Refer(sc.alice, sc.uri)
    check(refer.send('<sip:bob@127.0.0.1>').status == 200, 'REFER')
    call = Incoming(bob, bob.stray.get(timeout=10))
    call.respond(180, 'Ringing')
    bye = Refer(sc.alice, sc.uri)
    check(bye.send('<sip:bob@127.0.0.1;method=BYE>').status == 200, 'REFER BYE')
    m = call.next(5)
    check(m.method == 'CANCEL', 'no CANCEL but %s' % m)
    call.respond(200, 'OK', req=m)
    call.refuse(487, 'Request Terminated')
    check(Notifies(refer).until_last() == 487, 'cancelled')
    note('CANCEL finds its way, too')


class Routed(Call):
    """With a route set: RFC 3261 section 12.1.2"""
    routes = ()

    def request(self, method, body=None, headers=(), **kw):
        return super().request(method, body, list(headers) + [
            'Route: ' + v for v in self.routes], **kw)

    def response(self, cseq, timeout=None):
        r = super().response(cseq, timeout)
        if r.status < 300 and not self.routes:
            self.routes = r.all('Record-Route')[::-1]
        return r


def calls(sc, carol):
    """A phone behind the proxy dials in, and proves who it is"""
    call = Routed(carol, 'sip:%s@127.0.0.1' % re.search('sip:([^@]+)@', sc.uri)[1])
    r = call.invite(offer(crypto=[crypto()]))
    check(r.status == 200 and focus_uri(r) == sc.uri, 'dial-in: %s' % r)
    check([p['identity'] for p in sc.server.ctl('show', sc.conf)['participants']][1:] ==
          ['sip:carol@127.0.0.1'], 'who is in')
    check(call.reinvite(offer(crypto=[crypto()], version=2)).status == 200, 're-INVITE')
    sc.server.ctl('kick', sc.conf, 'sip:carol@127.0.0.1')
    check(call.wait_request(5).method == 'BYE', 'no BYE')
    note('dials in by the proxy, with digest')


class Scene:
    def __init__(self, env):
        self.server = env.server()
        self.alice = raw(env, self.server, 'alice')
        self.call, r = join(self.alice, self.alice.uri('factory'))
        self.uri = focus_uri(r)
        self.conf = self.server.ctl('list')['conferences'][0]['conf']


def main(env):
    program = installed()
    sc = Scene(env)
    edge = Kamailio(env, sc.server, *program)
    bob, carol = (connect(env, sc.server, edge, u) for u in ('bob', 'carol'))
    contact = 'Contact: <sip:bob@h;transport=tls>'
    r = register(bob, ['Supported: path', contact])
    check(r.status == 200 and ';received=sip:%s%%3Btransport%%3Dtls' %
          bob.local_hostport() in (r.get('Path') or ''), 'REGISTER: %s' % r)
    note('registered by ' + r.get('Path'))
    called(sc, bob)
    cancelled(sc, bob)
    calls(sc, carol)
    r = register(bob, ['Supported: path', contact + ';expires=0'])
    check(r.status == 200 and not r.get('Contact'), 'no more: %s' % r)
    r = register(carol, ['Contact: <sip:carol@h>'])
    check(r.status == 420 and r.get('Unsupported') == 'path', 'without path: %s' % r)
    sc.call.bye()


if __name__ == '__main__':
    lib.run(main)
