"""A hostile user of a running server: what he does wrong gets its answer, he
takes nothing along, and the call of somebody else goes on"""
import lib
from hostile import (Scene, first_line, in_dialog, option_request, raw_send)
from lib import check, note
from rawsip import crypto, offer


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
    r = call.reinvite(offer(crypto=[crypto()], version=3))
    check(r.status == 200, 're-INVITE after a cancelled one: %s' % r)
    check(not call.ended and call.bye().status == 200,
          'a cancelled re-INVITE ended the call')
    note('CANCEL of a re-INVITE: the call goes on')


STEPS = [claimed_dialogs, options_in_a_dialog, cancelled_reinvite]


def main(env):
    for keying in ('endpoint', 'group'):
        sc = Scene(env, keying)
        for step in STEPS:
            step(sc)
            sc.back_at_base(step.__name__)
        sc.finish()


if __name__ == '__main__':
    lib.run(main)
