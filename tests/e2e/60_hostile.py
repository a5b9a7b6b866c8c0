"""A hostile user of a running server: what he does wrong gets its answer, he
takes nothing along, and the call of somebody else goes on"""
import os
import resource
import select
import socket
import time

import lib
from hostile import (Scene, ask, first_line, in_dialog, is_closed,
                     option_request, raw_connect, raw_send)
from lib import check, note
from rawsip import crypto, offer

FLOOD = 2000
FLOOD_KIB = 4096    # with transactions they would be 15 MiB
CROWD = 200
SYN_S = 0.9         # the first SYN that is lost is sent again after 1 s


def claimed_dialogs(sc):
    """RFC 3261 section 12.2.2: a To tag that is nobody's is a 481"""
    for method in ('OPTIONS', 'REFER', 'BYE', 'UPDATE', 'INVITE', 'SUBSCRIBE'):
        got = raw_send(sc, option_request(
            method, to='<sip:factory@127.0.0.1>;tag=nobody', extra=(
                'Contact: <sip:alice@127.0.0.1>', 'Event: conference',
                'Refer-To: <sip:bob@127.0.0.1>')))
        check(first_line(got) == 481, '%s with a stranger\'s tag: %r' % (
            method, got[:60]))
    note('requests that claim a dialog: 481')


def options_in_a_dialog(sc):
    call = sc.call()
    cseq, _ = call.request('OPTIONS')
    r = call.response(cseq)
    check(r.status == 200 and 'INVITE' in (r.get('Allow') or ''),
          'OPTIONS in a call: %s' % r)
    call.bye()
    note('OPTIONS in a call: 200')


def is_final(r):
    return r.status != 491 and r


def cancelled_reinvite(sc):
    """RFC 3261 section 14.2: the session stays as if nothing had been said"""
    call = sc.call()
    call.cseq += 1
    call.cli.send(in_dialog(call, 'INVITE', 'z9hG4bKc1',
                            offer(crypto=[crypto()], version=2)) +
                  in_dialog(call, 'CANCEL', 'z9hG4bKc1'))
    r = call.response_to('INVITE')
    check(r.status in (200, 487), 'cancelled re-INVITE: %s' % r)
    call.ack(call.cseq, 'z9hG4bKc1' if r.status == 487 else None)
    # 491 as long as the mixer is not back at the old session
    r = lib.wait_until('an answer but 491', lambda: is_final(call.reinvite(
        offer(crypto=[crypto()], version=3))), 3)
    check(r.status == 200, 're-INVITE after a cancelled one: %s' % r)
    check(not call.ended and call.bye().status == 200,
          'a cancelled re-INVITE ended the call')
    note('CANCEL of a re-INVITE: the call goes on')


def no_descriptors(sc):
    """Connections that nobody has room for are closed: they must not wait in
    the queue, where the server would be told of them for ever"""
    pid, s = sc.server.proc.pid, sc.server
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    room = 20
    resource.prlimit(pid, resource.RLIMIT_NOFILE,
                     (len(os.listdir('/proc/%d/fd' % pid)) + room, limits[1]))
    socks = [socket.create_connection((s.host, s.port), 5)
             for _ in range(2 * room)]
    closed = lambda: sum(is_closed(k) for k in socks) >= room
    lib.wait_until('what is too much is closed', closed, 3)
    cseq, _ = sc.bob.request('OPTIONS')
    check(sc.bob.response(cseq).status == 200, 'bob has no answer')
    for k in socks:
        k.close()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    sc.call(cli=sc.client('carol')).bye()
    note('no descriptors left: connections are closed, calls live')


def crowd(sc):
    """All at once, and nobody's SYN is lost: that would cost him a second"""
    t0 = time.monotonic()
    left = select.poll()
    socks = {}
    for _ in range(CROWD):
        k = socket.socket()
        k.setblocking(False)
        k.connect_ex((sc.server.host, sc.server.port))
        socks[k.fileno()] = k
        left.register(k, select.POLLOUT)
    waiting = set(socks)
    while waiting and time.monotonic() - t0 < SYN_S:
        for fd, _ in left.poll(50):
            waiting.discard(fd)
            left.unregister(fd)
    check(not waiting, '%d of %d are not connected after %g s' % (
        len(waiting), CROWD, SYN_S))
    got = first_line(raw_send(sc, option_request()))
    check(got == 200, 'OPTIONS in the crowd: %s' % got)
    for k in socks.values():
        k.close()
    note('%d connections at once' % CROWD)


def refused_invites(sc):
    """A refusal costs no memory: its ACK need never come"""
    def rss():
        return sc.server.ctl('stats')['rss_kib']

    text = option_request('INVITE', to='<sip:factory@127.0.0.1>;tag=nobody',
                          extra=('Contact: <sip:alice@127.0.0.1>',
                                 'Content-Type: application/sdp'),
                          body='v=0\r\n' * 400)
    with raw_connect(sc) as k:
        ask(k, text, 100)
        before = rss()
        ask(k, text, FLOOD)
        more = rss() - before
    check(lib.sanitized() or more <= FLOOD_KIB,
          '%d refused INVITEs hold %d KiB' % (FLOOD, more))
    note('%d refused INVITEs: %d KiB' % (FLOOD, more))


STEPS = [claimed_dialogs, options_in_a_dialog, cancelled_reinvite,
         no_descriptors, crowd, refused_invites]


def main(env):
    for keying in ('endpoint', 'group'):
        sc = Scene(env, keying)
        for step in STEPS:
            step(sc)
            sc.back_at_base(step.__name__)
        sc.finish()


if __name__ == '__main__':
    lib.run(main)
