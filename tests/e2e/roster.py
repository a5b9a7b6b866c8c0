"""A watcher of a conference: subscription by hand, and RFC 4575 by the book.

The copy of the roster is merged from the documents alone, as section 4.6 says;
whatever a document does wrong is a Failure.
"""
import os
import queue
import re
import subprocess
import time
import xml.etree.ElementTree as ET

import lib
from lib import Failure, check
from rawsip import Call, digest

NS = '{urn:ietf:params:xml:ns:conference-info}'
OURS = '{urn:uuid:2f6f2b6c-5c0e-4f0a-9b63-5b4c8d3c7a11}'
XSD = os.path.join(lib.TOP, 'tests', 'data', 'conference-info.xsd')

# RFC 4575 section 4.5
KEYS = {NS + 'user': 'entity', NS + 'endpoint': 'entity', NS + 'media': 'id'}


def validate(docs):
    """All of them against the schema"""
    r = subprocess.run([lib.program('tests/xsdcheck'), XSD],
                       input=''.join(d + '\0' for d in docs), text=True,
                       capture_output=True, timeout=120)
    check(r.returncode == 0, r.stderr[-3000:])
    lib.note('schema: ' + r.stdout.strip())


def check_states(el):
    """Section 4.4: below full everything is full, below deleted is nothing"""
    state = el.get('state', 'full')
    check(state != 'deleted' or len(el) == 0, 'a deleted element has children')
    for c in el:
        check(state != 'full' or c.get('state', 'full') == 'full',
              'a child of a full element is not full')
        check_states(c)


class Replica:
    """The local copy of section 4.6"""

    def __init__(self):
        self.root = None
        self.version = 0
        self.ended = False

    def merge(self, text):
        root = ET.fromstring(text)
        check(root.tag == NS + 'conference-info', 'root is ' + root.tag)
        check_states(root)
        state, version = root.get('state', 'full'), int(root.get('version'))
        check(version > self.version, 'version %d after %d' %
              (version, self.version))
        if state == 'partial':
            check(version == self.version + 1, 'gap: version %d after %d' %
                  (version, self.version))
            self._merge(self.root, root)
        else:
            self.root = root
            self.ended = state == 'deleted'
        self.version = version

    def _merge(self, local, news):
        for c in news:
            key = KEYS.get(c.tag)
            old = next((o for o in local if o.tag == c.tag and
                        (not key or o.get(key) == c.get(key))), None)
            state = c.get('state', 'full')
            if state == 'full':
                if old is not None:
                    local.remove(old)
                local.append(c)
                continue
            check(old is not None, '%s of what is not there: %s' %
                  (state, c.attrib))
            if state == 'deleted':
                local.remove(old)
            else:
                self._merge(old, c)

    def count(self):
        return int(self.root.find('%sconference-state/%suser-count' % (NS, NS)).text)

    def roster(self):
        """{identity: (role, {endpoint: what is known})}"""
        out = {}
        for u in self.root.find(NS + 'users'):
            eps = {}
            for e in u.findall(NS + 'endpoint'):
                m, p = e.find(NS + 'media'), e.find(OURS + 'protection')
                eps[e.get('entity')] = dict(
                    state=e.findtext(NS + 'status'),
                    media=m is not None and m.findtext(NS + 'status'),
                    ssrc=int(m is not None and m.findtext(NS + 'src-id') or 0),
                    suite=p is not None and p.get('suite'),
                    keying=p is not None and p.get('keying'),
                    epoch=int(p is not None and p.get('epoch') or 0),
                    has_key=p is not None and p.get('key-since') is not None,
                    proof=p is not None and p.get('proof'))
            out[u.get('entity')] = (u.findtext('%sroles/%sentry' % (NS, NS)), eps)
        return out


FIELDS = ('state', 'media', 'ssrc', 'suite', 'keying', 'epoch', 'proof')


def leg_known(leg):
    """The same of one leg"""
    return dict({k: leg[k] for k in FIELDS}, state=status(leg),
                has_key='key_age_s' in leg)


def server_roster(server, conf):
    """The same, as the server knows it"""
    out = {}
    for p in server.ctl('show', conf)['participants']:
        out[p['identity']] = (p['role'], {
            '%s;gr=%s' % (p['identity'], leg['endpoint']):
            leg_known(leg) for leg in p['legs']})
    return out


def status(leg):
    """RFC 4575 section 5.7.3: connected, but its media is not distributed"""
    return 'muted-via-focus' if leg['muted'] and leg['state'] == 'connected' \
        else leg['state']


class Watcher(Call):
    """One subscription; answers its NOTIFYs when pumped"""

    def __init__(self, cli, uri, user=None, contact=None):
        super().__init__(cli, uri, user)
        self.replica = Replica()
        self.docs = []
        self.notifies = 0
        self.bytes = 0
        self.state = None           # value of Subscription-State
        self.status = 200           # what NOTIFYs are answered
        self.contact = contact      # instead of ours

    def request(self, method, body=None, headers=(), cseq=None, uri=None):
        if not self.contact:
            return super().request(method, body, headers, cseq, uri)
        send, self.cli.send = self.cli.send, lambda text: send(re.sub(
            r'\r\nContact: [^\r]*', '\r\nContact: ' + self.contact, text))
        try:
            return super().request(method, body, headers, cseq, uri)
        finally:
            self.cli.send = send

    def serve(self, req):
        if req.method != 'NOTIFY':
            return super().serve(req)
        check(not (self.state or '').startswith('terminated'),
              'NOTIFY after the last one')
        self.notifies += 1
        self.bytes += len(req.body)
        self.state = req.get('Subscription-State')
        self.event = req.get('Event')
        check('isfocus' in req.get('Contact'), 'NOTIFY without isfocus')
        if req.body:
            check(req.get('Content-Type') == 'application/conference-info+xml',
                  'Content-Type %s' % req.get('Content-Type'))
            self.docs.append(req.body)
            name = re.search('<conference-info entity="([^"]*)"', req.body)[1]
            check(name == self.uri, 'a document of %s, not of %s' %
                  (name, self.uri))
            self.replica.merge(req.body)
        self.reply(req, self.status, 'Answer')

    def pump(self):
        """Serve what has come"""
        while True:
            try:
                m = self.box.get_nowait()
            except queue.Empty:
                return
            if m.status is None:
                self.serve(m)

    def until(self, what, cond, timeout=10):
        def pumped():
            self.pump()
            return cond()
        return lib.wait_until(what, pumped, timeout)

    def subscribe(self, expires=None, event='conference', auth=True,
                  headers=('Accept: application/conference-info+xml',),
                  body=None):
        """Final response"""
        h = list(headers)
        if event:
            h.append('Event: ' + event)
        if expires is not None:
            h.append('Expires: %s' % expires)
        cseq, _ = self.request('SUBSCRIBE', body, h)
        r = self.response(cseq)
        if r.status == 401 and auth:
            h.append('Authorization: ' + digest(
                r.get('WWW-Authenticate'), 'SUBSCRIBE', self.target, self.user,
                self.cli.password))
            cseq, _ = self.request('SUBSCRIBE', body, h)
            r = self.response(cseq)
        if r.status == 200:
            self.to = r.get('To')
        return r

    def start(self, **kw):
        """Subscribe, and have the first document"""
        r = self.subscribe(**kw)
        check(r.status == 200, 'SUBSCRIBE: %s' % r)
        self.until('first NOTIFY', lambda: self.notifies)
        return self

    def agrees(self, server, conf):
        """The copy equals the server's roster; the last difference is kept"""
        want = server_roster(server, conf)
        self.pump()
        got = self.replica.roster()
        self.difference = 'server %r\nwatcher %r' % (want, got)
        return got == want and self.replica.count() == len(want)

    def wait_agree(self, server, conf, timeout=15):
        try:
            lib.wait_until('the roster', lambda: self.agrees(server, conf),
                           timeout)
        except Failure as e:
            raise Failure('%s\n%s' % (e, self.difference)) from None


def config(env, demo, name, top='', conf='', keying='endpoint', users=()):
    """A server's folder: the demo's configuration with more in it, more users"""
    d = env.path(name)
    os.makedirs(d)
    os.symlink(demo.ca, os.path.join(d, 'ca.pem'))
    fd = os.open(os.path.join(d, 'users'), os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(fd, 'w') as f:
        f.write(lib.read_text(os.path.join(demo.dir, 'users')))
        f.writelines('%s:%s\n' % u for u in users)
    text = lib.read_text(os.path.join(demo.dir, 'conclave.conf'))
    for pattern, new in ((r'tls:127\.0\.0\.1:\d+', 'tls:127.0.0.1:0'),
                         (r'\ncontrol_socket = .*', '\ncontrol_socket = "%s/ctl"' % d),
                         (r'\nusers = .*', '\nusers = "%s/users"' % d),
                         (r'keying = \w+', 'keying = ' + keying),
                         (r'factory = true\n', 'factory = true\n' + conf)):
        text = re.sub(pattern, new, text)
    path = os.path.join(d, 'conclave.conf')
    with open(path, 'w') as f:
        f.write(top + text)
    return path


def paced(rate, count):
    """Yield count times, at rate per second"""
    start = time.monotonic()
    for i in range(count):
        lib.wait_until('its time', lambda: time.monotonic() >=
                       start + i / rate, 10)
        yield i
