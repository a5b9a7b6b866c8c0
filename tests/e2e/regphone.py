"""Registered phones by hand: REGISTER, and the calls that come for it"""
from rawphone import Incoming
from rawsip import Client, digest, token


def raw(env, server, user, **kw):
    return env.add(Client(server.host, server.port, ca=server.ca, user=user,
                          password=server.password(user), **kw))


def register(cli, headers, auth=True, user=None, aor=None, cseq=1, call_id=None,
             domain=None):
    """REGISTER, with credentials if asked for; the final response"""
    user = user or cli.user
    aor = aor or 'sip:%s@%s' % (user, cli.host)
    uri = 'sip:%s' % (domain or cli.host)
    call_id = call_id or token() + '@test'
    box = cli.box(call_id)
    more = []
    for n in (cseq, cseq + 1):
        h = ['REGISTER %s SIP/2.0' % uri,
             'Via: SIP/2.0/%s %s;branch=z9hG4bK%s;rport' % (
                 cli.transport.upper(), cli.local_hostport(), token()),
             'Max-Forwards: 70', 'From: <%s>;tag=%s' % (aor, token(4)),
             'To: <%s>' % aor, 'Call-ID: %s' % call_id,
             'CSeq: %d REGISTER' % n, *headers, *more, 'Content-Length: 0']
        cli.send('\r\n'.join(h) + '\r\n\r\n')
        r = box.get(timeout=cli.timeout)
        if r.status != 401 or not auth:
            break
        more = ['Authorization: ' + digest(r.get('WWW-Authenticate'), 'REGISTER',
                                           uri, user, cli.password)]
    cli.drop(call_id)
    return r


class RegPhone:
    """One registered phone of a user, on a connection of its own"""

    def __init__(self, env, server, user, name, params='', headers=()):
        self.cli = raw(env, server, user)
        self.name = name
        self.contact = 'sip:%s@h;transport=tls' % name
        r = register(self.cli, ['Contact: <%s>%s' % (self.contact, params), *headers])
        assert r.status == 200, str(r)

    def incoming(self, timeout=10):
        m = self.cli.stray.get(timeout=timeout)
        assert m.start.startswith('INVITE %s ' % self.contact), m.start
        return Incoming(self.cli, m)

    def quiet(self):
        return self.cli.stray.empty()
