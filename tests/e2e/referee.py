"""REFER by hand, in and out of a dialog, and the NOTIFYs that come of it"""
import re
import time

from lib import Failure, check
from rawsip import Call, crypto, digest, offer


class Refer(Call):
    """A REFER outside of dialogs, and its subscription"""

    def send(self, refer_to, headers=(), auth=True):
        h = ['Refer-To: ' + refer_to] if refer_to else []
        h += list(headers)
        cseq, _ = self.request('REFER', headers=h)
        r = self.response(cseq)
        if r.status == 401 and auth:
            value = digest(r.get('WWW-Authenticate'), 'REFER', self.target,
                           self.user, self.cli.password)
            cseq, _ = self.request('REFER', headers=h + ['Authorization: ' + value])
            r = self.response(cseq)
        if r.status < 300:
            self.to = r.get('To')
        self.refer_cseq = cseq
        return r


class Notifies:
    """The NOTIFYs of one REFER: their sipfrags until the last one"""

    def __init__(self, call, event='refer'):
        self.call = call
        self.event = event
        self.frags = []
        self.last = None

    def step(self, timeout=10):
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            check(left > 0, 'no NOTIFY within %g s' % timeout)
            m = self.call.next(left)
            if m.status is not None:
                continue
            if m.method != 'NOTIFY':
                self.call.serve(m)
                continue
            self.call.reply(m, 200, 'OK')
            if m.get('Event') != self.event:
                continue
            ct = m.get('Content-Type') or ''
            check(ct.lower().startswith('message/sipfrag'), 'type %r' % ct)
            check(';isfocus' in m.get('Contact'), 'NOTIFY without isfocus')
            frag = re.match(r'SIP/2\.0 (\d{3}) ', m.body)
            check(frag, 'sipfrag %r' % m.body)
            self.frags.append(int(frag[1]))
            state = m.get('Subscription-State')
            if state.startswith('terminated'):
                check(state == 'terminated;reason=noresource', state)
                self.last = int(frag[1])
            else:
                check(re.match(r'active;expires=\d+$', state), state)
            return self.frags[-1]

    def until_last(self, timeout=15):
        while self.last is None:
            self.step(timeout)
        check(self.frags[0] == 100, 'the first NOTIFY says %r' % self.frags)
        return self.last


def in_dialog(call, refer_to, headers=()):
    """REFER in the dialog of a call"""
    cseq, _ = call.request('REFER', headers=['Refer-To: ' + refer_to] + list(headers))
    call.refer_cseq = cseq
    return call.response(cseq)


def join(cli, uri, user=None):
    """A raw call into a conference; its 200"""
    call = Call(cli, uri, user=user)
    r = call.invite(offer(crypto=[crypto()]))
    if r.status != 200:
        raise Failure('%s cannot join %s: %s' % (call.user, uri, r))
    return call, r
