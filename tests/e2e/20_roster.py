"""Watching a conference: a copy merged from 200 changes is the roster itself"""
import collections
import datetime
import json
import os
import random
import re
import socket
import subprocess
import threading
import time

import lib
from caller import Caller
from lib import check, note
from pki import certificate
from rawphone import Phone
from rawsip import Call, Client, SUITE, crypto, focus_uri, new_key, offer
from roster import Watcher, config, paced, validate

PEOPLE = 8
CHANGES = 200
SUBSCRIBERS = 100
RATE = 10               # joins per second
LOAD_S = 8


class Person:
    """A call that can be held"""

    def __init__(self, cli, uri, user):
        self.user = user
        self.call = Call(cli, uri, user=user)
        self.key = new_key()
        self.version = 1
        self.held = False

    def sdp(self, direction=None):
        return offer(crypto=[crypto(1, SUITE, self.key)], direction=direction,
                     version=self.version)

    def join(self):
        r = self.call.invite(self.sdp())
        check(r.status == 200, '%s: %s' % (self.user, r))
        return r

    def turn(self, direction):
        self.version += 1
        r = self.call.reinvite(self.sdp(direction))
        check(r.status == 200, '%s %s: %s' % (self.user, direction, r))

    def gone(self):
        """Has the server hung up?"""
        while not self.call.box.empty():
            m = self.call.next(0.1)
            if m.status is None:
                self.call.serve(m)
        return self.call.ended


class Stage:
    """A server, one connection for everybody, a conference of alice's"""

    def __init__(self, env, demo, name, **kw):
        self.env = env
        self.users = ['p%d' % i for i in range(PEOPLE)]
        self.server = env.server(name, conf=config(
            env, demo, name, users=[(u, 'secret-' + u) for u in self.users], **kw))
        self.ctl = self.server.ctl
        self.cli = self.client('alice')
        self.conf = None

    def client(self, user, **kw):
        s = self.server
        return self.env.add(Client(s.host, s.port, ca=s.ca, user=user,
                                   password=s.password(user), **kw))

    def begin(self):
        self.alice = Person(self.cli, self.cli.uri('factory'), 'alice')
        self.uri = focus_uri(self.alice.join())
        self.conf = self.ctl('list')['conferences'][0]['conf']

    def watch(self, user='alice', uri=None, cli=None, **kw):
        return Watcher(cli or self.cli, uri or self.uri, user=user, **kw)

    def idle(self):
        st = self.ctl('stats')
        return not st['subscriptions'] and not st['calls']


class Feed:
    """conclavectl watch, from now on"""

    def __init__(self, st):
        self.st = st
        self.path = st.env.path('feed')
        with open(self.path, 'w') as f:
            self.proc = subprocess.Popen(
                [lib.program('conclavectl'), '-s', os.path.join(st.server.dir, 'ctl'),
                 'watch'], stdin=subprocess.DEVNULL, stdout=f)
        lib.wait_until('the feed', lambda: st.ctl('stats')['watching'] == 1, 5)
        self.before = self.counters()

    def counters(self):
        return collections.Counter(self.st.ctl('stats')['changes_total'])

    def lines(self):
        return collections.Counter(json.loads(li)['ev'] for li in
                                   lib.read_text(self.path).split('\n')[:-1])

    def agrees(self):
        """Each change was counted once, and told once"""
        return self.lines() == self.counters() - self.before

    def close(self):
        self.proc.kill()
        self.proc.wait()


# ---- what a copy looks like after many changes -------------------------------

def one_change(st, rnd, clients, calls):
    """Join, leave, kick, hold, resume, go listening, be muted, get another role;
    returns what it was"""
    calls[:] = [p for p in calls if not p.gone()]
    what = rnd.choice(('join', 'join', 'leave', 'kick', 'turn', 'turn', 'mute', 'role'))
    if what == 'join' and len(calls) < 3 * PEOPLE:
        cli = rnd.choice(clients)
        p = Person(cli, st.uri, cli.user)
        p.join()
        calls.append(p)
    elif what == 'leave' and calls:
        p = calls.pop(rnd.randrange(len(calls)))
        check(p.call.bye().status == 200, 'BYE')
    elif what == 'kick' and calls:
        user = rnd.choice(calls).user
        st.ctl('kick', st.conf, 'sip:%s@127.0.0.1' % user)
        for p in calls:
            if p.user == user:
                lib.wait_until('BYE', p.gone, 5)
    elif what == 'turn' and calls:
        rnd.choice(calls).turn(rnd.choice(
            ('sendonly', 'inactive', 'recvonly', 'sendrecv')))
    elif what in ('mute', 'role') and calls:
        user = 'sip:%s@127.0.0.1' % rnd.choice(calls).user
        if what == 'mute':
            st.ctl(rnd.choice(('mute', 'mute', 'unmute')), st.conf, user)
        else:
            st.ctl('role', st.conf, user, rnd.choice(('chair', 'member', 'listener')))
    else:
        return None
    return what


def replay(env, demo):
    """Some watch from the start, some later, one answers late"""
    st = Stage(env, demo, 'replay', top='event_interval = 40\nmax_subscriptions = 50\n',
               conf='rejoin_ban = 0\nsubscribe = {"sip:dave@127.0.0.1"}\n')
    st.begin()
    rnd = random.Random(4575)
    clients = [st.client(u) for u in st.users]
    dave = st.client('dave')
    watchers = [st.watch().start(), st.watch('dave', cli=dave).start()]
    lazy = st.watch().start()
    feed = env.add(Feed(st))
    calls, done = [], {}
    n = 0
    while n < CHANGES:
        what = one_change(st, rnd, clients, calls)
        if not what:
            continue
        n += 1
        done[what] = done.get(what, 0) + 1
        for w in watchers:
            w.pump()
        if n % 4 == 0:
            watchers[0].wait_agree(st.server, st.conf)
        if n % 20 == 0:
            lazy.pump()
        if n % 50 == 0:
            watchers.append(st.watch().start())
        if n == CHANGES // 2:
            r = watchers[0].subscribe(expires=600)
            check(r.status == 200 and r.get('Expires') == '600', 'refresh: %s' % r)
    watchers.append(lazy)
    for w in watchers:
        w.wait_agree(st.server, st.conf)
    lib.wait_until('the feed to agree with the counters', feed.agrees, 5)
    note('feed: %r' % dict(feed.lines()))
    note('%r, in the end %d users; versions of the watchers: %s' % (
        done, watchers[0].replica.count(),
        ' '.join(str(w.replica.version) for w in watchers)))
    check(watchers[0].replica.version > 50, 'all was merged into few documents')
    st.ctl('end', st.conf)
    for w in watchers:
        w.until('the end', lambda: w.replica.ended)
        check(w.state == 'terminated;reason=noresource', w.state)
    validate([d for w in watchers for d in w.docs])
    lib.wait_until('nothing left', st.idle, 10)
    st.server.stop()


def key_ages(st, w, conf):
    """How old the keys are, for the operator and for a watcher"""
    def ages():
        return [leg['key_age_s'] for p in st.ctl('show', conf)['participants']
                for leg in p['legs']]

    def told():
        since = re.findall(r' key-since="([^"]+)"', w.docs[-1])
        return [time.time() - datetime.datetime.fromisoformat(t).timestamp()
                for t in since]
    w.until('keys of some age', lambda: min(ages()) >= 1, 10)
    before, docs = ages(), len(w.docs)
    st.ctl('rekey', conf)
    w.until('new keys', lambda: max(ages()) == 0, 2)
    w.until('the watcher hears of them', lambda: len(w.docs) > docs and
            len(told()) == 3, 5)
    now = ages()
    note('age of the keys: %r s, after a rekey %r s; a watcher was told %s' %
         (before, now, ' '.join('%.1f' % t for t in told())))
    check(all(abs(a - max(now)) < 2 for a in told()), 'ages %r' % told())


def epochs(env, demo):
    """Group keys: the copy follows SSRC and epoch of each leg"""
    st = Stage(env, demo, 'epochs', keying='group', top='event_interval = 40\n',
               conf='subscribe = {"sip:dave@127.0.0.1"}\n')
    talk = env.add(Caller(st.server, '-n', 3, '--same-conf', '--seconds', 4,
                          users=('alice', 'bob', 'carol')))
    confs = lib.wait_until('a conference', lambda: st.ctl('list')['conferences'], 10)
    conf = confs[0]['conf']
    cli = st.client('dave')
    uri = cli.uri(confs[0]['uri'].split(':')[1].split('@')[0])
    w = st.watch('dave', uri=uri, cli=cli).start()

    def all_there():
        got = w.agrees(st.server, conf) and w.replica.roster()
        legs = [e for _, eps in (got or {}).values() for e in eps.values()]
        return len(legs) == 3 and legs if all(
            e['ssrc'] and e['epoch'] and e['keying'] == 'group' for e in legs) else None
    legs = w.until('three legs with SSRC and epoch', all_there, 10)
    note('epochs %r' % sorted(e['epoch'] for e in legs))
    key_ages(st, w, conf)
    talk.result(30)
    w.until('the end', lambda: w.replica.ended)
    validate(w.docs)
    st.server.stop()


# ---- who may, and for how long -----------------------------------------------

def refusals(st):
    bob = st.client('bob')

    def refused(what, status, user='alice', cli=None, uri=None, header=None, **kw):
        r = st.watch(user, uri=uri, cli=cli).subscribe(**kw)
        check(r.status == status, '%s: %s, not %d' % (what, r, status))
        check(not header or r.get(header) is not None, '%s without %s' % (what, header))
        note('%s: %s %s' % (what, r, r.get(header) if header else ''))
        return r

    refused('a stranger', 403, 'bob', cli=bob)
    refused('nobody', 401, auth=False)
    refused('no such conference', 404, uri=st.cli.uri('x' * 26))
    refused('the factory', 404, uri=st.cli.uri('factory'))
    refused('another package', 489, event='presence', header='Allow-Events')
    refused('no package', 489, event=None, header='Allow-Events')
    refused('another format', 406, headers=('Accept: application/pidf+xml',),
            header='Accept')
    refused('too short', 423, expires=5, header='Min-Expires')
    refused('no number', 400, expires='soon')
    refused('negative', 400, expires='-1')
    refused('a filter', 415, body='x', header='Accept')
    for event in (';', ';id=1', 'conference.winfo', 'Conference', '"conference"',
                  'conferenc', 'x' * 7000, '\x80\xff'):
        refused('Event %.20r' % event, 489, event=event)
    check(st.ctl('stats')['subscriptions'] == 0, 'a refused one is there')
    for accept in ((), ('Accept: */*',),
                   ('Accept: text/plain, application/conference-info+xml;q=0.5',)):
        w = st.watch().start(headers=accept)
        check(w.subscribe(expires=0).status == 200, 'unsubscribe')
        w.until('the last', lambda: w.state == 'terminated;reason=timeout')


def stranger_in_dialog(st):
    """Whoever knows the ids of a subscription has nothing of it"""
    w = st.watch().start()
    bob = st.client('bob')
    thief = st.watch('bob', cli=bob)
    thief.call_id, thief.from_tag, thief.to = w.call_id, w.from_tag, w.to
    thief.cseq = w.cseq + 10
    thief.box = bob.box(w.call_id)
    for auth, status in ((False, 401), (True, 403)):
        r = thief.subscribe(expires=0, auth=auth)
        check(r.status == status, 'sniffed ids: %s' % r)
    before = w.notifies
    r = w.subscribe(expires=120)
    check(r.status == 200, 'the subscription suffered: %s' % r)
    w.until('NOTIFY after the refresh', lambda: w.notifies > before)
    check(thief.notifies == 0, 'the thief was told')
    other = st.watch('bob', cli=bob)
    other.to = w.to
    r = other.subscribe(expires=0)
    check(r.status == 481, 'unknown subscription: %s' % r)
    w.subscribe(expires=0)
    w.until('the last', lambda: w.state == 'terminated;reason=timeout')
    note('sniffed ids: 401, 403')


def forged_contact(st):
    """NOTIFYs go on the connection, wherever Contact points"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(('127.0.0.1', 0))
        udp.settimeout(0.5)
        w = st.watch(contact='<sip:victim@127.0.0.1:%d;transport=udp>' %
                     udp.getsockname()[1]).start()
        try:
            udp.recv(100)
            raise lib.Failure('something was sent to the forged Contact')
        except socket.timeout:
            pass
        w.subscribe(expires=0)
        w.until('the last', lambda: w.state == 'terminated;reason=timeout')
    note('forged Contact: NOTIFY came on the connection')


def fetch_and_id(st):
    w = st.watch().start(expires=0)
    check(w.notifies == 1 and w.state == 'terminated;reason=timeout', w.state)
    check(w.replica.count() == 1, 'fetch')
    w = st.watch().start(event='conference;id=a1')
    check(w.event == 'conference;id=a1', w.event)
    check(w.subscribe(event='conference').status == 481, 'id left out')
    check(w.subscribe(event='conference;id=a1', expires=0).status == 200, 'id')
    w.until('the last', lambda: w.state == 'terminated;reason=timeout')


def too_many_in_a_row(st, watcher):
    """Each gets a whole roster, also who wants only that"""
    watcher.subscribe(expires=0)
    watcher.until('room', lambda: watcher.state.startswith('term'))
    for n in range(100):
        w = st.watch()
        r = w.subscribe(expires=0)
        if r.status != 200:
            break
        w.until('it', lambda: w.notifies)
    check(r.status == 503 and n > 20, 'after %d: %s' % (n, r))
    note('fetched %d times in a row, then %s' % (n, r))


def by_another_name(st):
    """The conference is called what the watcher called it (RFC 4575 section 5.1)"""
    w = Watcher(st.client('alice'), re.sub('@[^;]*', '@localhost', st.uri))
    w.start(expires=0)
    note('watched as %s' % w.uri)


def in_the_call(st):
    """RFC 6665 section 4.5.2: dialogs are not shared, and the call is not lost
    over it, as it would be by a 481 (RFC 3261 section 12.2.1.2)"""
    call = st.alice.call
    cseq, _ = call.request('SUBSCRIBE', headers=['Event: conference', 'Expires: 60'])
    r = call.response(cseq)
    check(r.status == 403, 'SUBSCRIBE in the call: %s' % r)
    note('in the dialog of a call: %s' % r)


def failed_notify(st):
    w = st.watch().start()
    w.status = 481
    p = Person(st.client('bob'), st.uri, 'bob')
    p.join()
    w.until('the next NOTIFY', lambda: w.notifies == 2)
    lib.wait_until('the end of the subscription',
                   lambda: st.ctl('stats')['subscriptions'] == 0, 5)
    p.call.bye()
    note('NOTIFY answered 481: removed')


def membership(st):
    """Kicked or gone: it ends.  A second phone keeps it."""
    bob = st.client('bob')
    phones = [Person(bob, st.uri, 'bob') for _ in range(2)]
    for p in phones:
        p.join()
    w = st.watch('bob', cli=bob).start()
    check(w.replica.count() == 2, 'count of %d' % w.replica.count())
    phones[0].call.bye()
    w.until('disconnected', lambda: any(
        e['state'] == 'disconnected'
        for e in w.replica.roster()['sip:bob@127.0.0.1'][1].values()))
    check(w.state.startswith('active'), w.state)
    st.ctl('kick', st.conf, 'sip:bob@127.0.0.1')
    w.until('rejected', lambda: w.state == 'terminated;reason=rejected')
    r = st.watch('bob', cli=bob).subscribe()
    check(r.status == 403, 'kicked, and back: %s' % r)
    carol = st.client('carol')
    p = Person(carol, st.uri, 'carol')
    p.join()
    w = st.watch('carol', cli=carol).start()
    p.call.bye()
    w.until('rejected', lambda: w.state == 'terminated;reason=rejected')
    note('kicked and gone: terminated;reason=rejected')


def cap(st):
    some = [st.watch().start() for _ in range(5)]
    r = st.watch().subscribe()
    check(r.status == 503 and r.get('Retry-After'), 'one too many: %s' % r)
    some[0].subscribe(expires=0)
    some[0].until('the last', lambda: some[0].state.startswith('term'))
    some.append(st.watch().start())
    note('max_subscriptions: %s, Retry-After %s' % (r, r.get('Retry-After')))
    return some[1:]


def connections_lost(st):
    """A phone that loses its connection again and again while nothing changes is
    not full of subscriptions that it cannot hear of"""
    for _ in range(7):
        cli = Client(st.server.host, st.server.port, ca=st.server.ca, user='alice',
                     password=st.server.password('alice'))
        try:
            st.watch(cli=cli).start()
        finally:
            cli.close()
    note('connections lost: their subscriptions make room')


def clear_transports(env, demo):
    tcp, udp = lib.free_port(), lib.free_port()
    conf = config(env, demo, 'clear')
    text = lib.read_text(conf).replace(
        'listen = {', 'listen = {"tcp:127.0.0.1:%d", "udp:127.0.0.1:%d", ' % (tcp, udp))
    with open(conf, 'w') as f:
        f.write(text)
    server = env.server('clear', conf=conf)
    for transport, port in (('tcp', tcp), ('udp', udp)):
        cli = env.add(Client('127.0.0.1', port, transport=transport,
                             user='alice', password=demo.password('alice')))
        r = Watcher(cli, cli.uri('x' * 26)).subscribe()
        check(r.status == 403, 'over %s: %s' % (transport, r))
        note('over %s: %s' % (transport, r))
    server.stop()


def rules(env, demo):
    st = Stage(env, demo, 'rules', top='event_interval = 40\nmax_subscriptions = 5\n')
    st.begin()
    refusals(st)
    stranger_in_dialog(st)
    forged_contact(st)
    fetch_and_id(st)
    by_another_name(st)
    in_the_call(st)
    failed_notify(st)
    membership(st)
    connections_lost(st)
    left = cap(st)
    too_many_in_a_row(st, left.pop())
    check(st.alice.call.bye().status == 200, 'BYE')
    for w in left:
        w.until('the end', lambda: w.replica.ended)
        check(w.state == 'terminated;reason=noresource', w.state)
    lib.wait_until('nothing left', st.idle, 10)
    st.server.stop()


# ---- who is called -----------------------------------------------------------

def called(env, demo):
    """Dialling, ringing, busy; dialling, in, kicked"""
    st = Stage(env, demo, 'called', top='event_interval = 40\n')
    st.begin()
    phone = Phone(env, 'bob', certificate(env, demo, 'bob'))
    w = st.watch().start()

    def is_seen(*texts):
        return lambda: any(all(t in d for t in texts) for d in w.docs)

    def dial():
        t = threading.Thread(target=st.server.ctl, daemon=True,
                             args=('invite', st.conf, phone.uri()))
        t.start()
        call = phone.incoming()
        w.until('dialing-out', is_seen('<status>dialing-out<', 'bob'))
        call.respond(180, 'Ringing')
        w.until('alerting', is_seen('<status>alerting<', 'bob'))
        return call
    dial().refuse(486, 'Busy Here')
    w.until('busy', is_seen('<status>disconnected<', '>busy<'))
    w.docs.clear()
    call = dial()
    check(w.replica.count() == 1, 'who is called is counted')
    call.accept()
    w.until('connected', is_seen('<status>connected<', '>dialed-out<', '"called"'))
    w.wait_agree(st.server, st.conf)
    check(w.replica.count() == 2, 'count of %d' % w.replica.count())
    st.ctl('lock', st.conf)
    w.until('locked', is_seen('<locked>true<'))
    who = [u for u in w.replica.roster() if 'bob' in u]
    st.ctl('kick', st.conf, who[0])
    w.until('booted', is_seen('>booted<', 'cause='))
    validate(w.docs)
    note('called: dialing-out, alerting, busy; dialed-out, booted')
    st.alice.call.bye()
    w.until('the end', lambda: w.replica.ended)
    st.server.stop()


# ---- many watchers -----------------------------------------------------------

def cpu_s(pid):
    """User and system time of a process [s]"""
    f = lib.read_text('/proc/%d/stat' % pid).rsplit(')', 1)[1].split()
    return (int(f[11]) + int(f[12])) / os.sysconf('SC_CLK_TCK')


def load(env, demo):
    """100 watchers, 10 joins a second: what is sent is bounded by time"""
    st = Stage(env, demo, 'load', top='max_subscriptions = 100\n')
    st.begin()
    lines = [st.client('alice') for _ in range(10)]
    watchers = [st.watch(cli=lines[i % 10]).start() for i in range(SUBSCRIBERS)]
    cli = st.client('bob')
    first = sum(w.notifies for w in watchers)
    cpu = cpu_s(st.server.proc.pid)
    joined = []
    for i in paced(RATE, RATE * LOAD_S):
        joined.append(Person(cli, st.uri, 'bob'))
        joined[-1].join()
        for w in watchers:
            w.pump()
    for w in watchers:
        w.wait_agree(st.server, st.conf)
    sent = sum(w.notifies for w in watchers) - first
    size = sum(w.bytes for w in watchers)
    note('%d watchers, %d joins in %d s: %d NOTIFYs, %d KiB of documents, '
         '%.2f s of CPU in the focus' % (SUBSCRIBERS, RATE * LOAD_S, LOAD_S, sent,
                                         size // 1024, cpu_s(st.server.proc.pid) - cpu))
    check(sent <= SUBSCRIBERS * (LOAD_S + 3), '%d NOTIFYs' % sent)
    validate(watchers[0].docs)
    st.ctl('end', st.conf)
    for w in watchers:
        w.until('the end', lambda: w.replica.ended)
    lib.wait_until('all BYEs', lambda: all([p.gone() for p in joined]), 10)
    lib.wait_until('nothing left', st.idle, 10)
    st.server.stop()


def main(env):
    demo = env.server()
    rules(env, demo)
    clear_transports(env, demo)
    replay(env, demo)
    epochs(env, demo)
    called(env, demo)
    load(env, demo)


if __name__ == '__main__':
    lib.run(main)
