/**
 * @file focus/reach.c  The way to somebody who is to be called
 */
#include <string.h>
#include "focus/tree.h"
#include "focus/reach.h"
#include "focus/registrar.h"
#include "focus/tlsid.h"

enum { PORT_TLS = 5061 };

struct reach {
	struct focus *focus;
	struct cfg *cfg;                /* keeps route alive                  */
	const struct cfg_route *route;  /* or NULL                            */
	struct reg_target *reg;         /* registered here, or NULL           */
	char *uri;
	char *hop;
	char *host;                     /* of the hop: whose certificate;
	                                   NULL: no new connection            */
	int af;
};


static void destructor(void *arg)
{
	struct reach *r = arg;

	mem_deref(r->uri);
	mem_deref(r->hop);
	mem_deref(r->host);
	mem_deref(r->reg);
	mem_deref(r->cfg);
}


struct local {
	const struct sa *sa;
	bool found;
};


static bool if_handler(const char *ifname, const struct sa *sa, void *arg)
{
	struct local *l = arg;
	(void)ifname;

	l->found = sa_cmp(sa, l->sa, SA_ADDR);

	return l->found;
}


/** Does one of our own sockets listen there? */
static bool is_ourselves(const struct focus *f, const struct sa *dst)
{
	struct local l = { dst, false };
	struct sa actual;

	if (!focus_listen_addr(f, &actual) &&
	    sa_port(&actual) == sa_port(dst)) {
		(void)net_if_apply(if_handler, &l);
		return l.found || sa_cmp(&actual, dst, SA_ADDR);
	}

	for (unsigned i = 0; i < f->cfg->listenc; i++) {
		const struct sa *sa = &f->cfg->listenv[i].addr;

		if (sa_port(sa) != sa_port(dst))
			continue;
		if (sa_cmp(sa, dst, SA_ADDR))
			return true;
		if (sa_is_any(sa))
			(void)net_if_apply(if_handler, &l);
	}

	return l.found;
}


static int set_hop(struct reach *r, const struct pl *host, uint16_t port)
{
	const struct focus *f = r->focus;
	struct sa sa;
	int err;

	/* without a port it is SRV's to say for a name: RFC 3263 section 4.2 */
	if (!sa_set(&sa, host, port ? port : PORT_TLS)) {
		if (is_ourselves(f, &sa))
			return ELOOP;
		r->af = sa_af(&sa);
		err = re_sdprintf(&r->hop, "sip:%J;transport=tls", &sa);
	}
	else if (port) {
		err = re_sdprintf(&r->hop, "sip:%r:%u;transport=tls", host,
				  port);
	}
	else {
		err = re_sdprintf(&r->hop, "sip:%r;transport=tls", host);
	}
	if (!err)
		err = pl_strdup(&r->host, host);

	return err;
}


static int by_route(struct reach *r)
{
	struct pl pl;
	struct uri uri;
	char *text;
	int err;

	/* "host[:port]" as the configuration has checked it */
	err = re_sdprintf(&text, "sip:%s", r->route->hop);
	if (err)
		return err;

	pl_set_str(&pl, text);
	err = uri_decode(&uri, &pl);
	if (!err)
		err = set_hop(r, &uri.host, uri.port);
	mem_deref(text);

	return err;
}


/** RFC 3261 section 19.1.1: these say where to send it; we decide that */
static int by_uri(struct reach *r, const struct uri *uri)
{
	struct pl val;

	if (!msg_param_decode(&uri->params, "transport", &val) &&
	    pl_strcasecmp(&val, "tls"))
		return EPROTONOSUPPORT;
	if (!msg_param_decode(&uri->params, "maddr", &val))
		return EPROTONOSUPPORT;

	return set_hop(r, &uri->host, uri->port);
}


/** Request-URI: what was named, without method and headers */
static int set_uri(struct reach *r, const struct uri *u)
{
	const char *fmt = pl_strchr(&u->host, ':') ? "sip:%r@[%r]" : "sip:%r@%r";
	char *base, port[8] = "";
	int err;

	err = re_sdprintf(&base, fmt, &u->user, &u->host);
	if (err)
		return err;

	if (u->port)
		(void)re_snprintf(port, sizeof(port), ":%u", u->port);
	err = re_sdprintf(&r->uri, "%s%s;transport=tls", base, port);
	mem_deref(base);

	return err;
}


/** RFC 3261 section 16.5: what was registered takes the address's place */
static int by_registration(struct reach *r)
{
	const struct sa *peer = reg_target_peer(r->reg);
	int err;

	r->af = sa_af(peer);
	err = re_sdprintf(&r->hop, "sip:%J;transport=tls", peer);
	if (!err)
		err = str_dup(&r->uri, reg_target_uri(r->reg));

	return err;
}


/** Is it an address-of-record, or does another port make it some device's? */
static bool is_aor(const struct focus *f, const struct uri *uri)
{
	struct sa sa;

	if (!uri->port ||
	    (!focus_listen_addr(f, &sa) && sa_port(&sa) == uri->port))
		return true;

	for (unsigned i = 0; i < f->cfg->listenc; i++) {
		if (sa_port(&f->cfg->listenv[i].addr) == uri->port)
			return true;
	}

	return false;
}


/** Without a route there is nobody else who could know where they are */
static bool is_ours_alone(const struct focus *f, const char *host)
{
	for (unsigned i = 0; i < f->cfg->domainc; i++) {
		if (!str_cmp(f->cfg->domainv[i], host))
			return true;
	}

	return false;
}


static int find_way(struct reach *r, const char *identity,
		    const struct uri *uri, unsigned n)
{
	const struct focus *f = r->focus;
	const char *host = strchr(identity, '@') + 1;
	const bool local = f->cfg->registrar && is_aor(f, uri);
	int err = ENOENT;

	if (local)
		err = registrar_find(&r->reg, f->reg, identity, n);
	if (!err)
		return by_registration(r);
	if (err != ENOENT || n)
		return err;

	r->route = cfg_route_find(f->cfg, host);
	if (r->route)
		err = by_route(r);
	else if (local && is_ours_alone(f, host))
		return ENOENT;
	else
		err = by_uri(r, uri);

	return err ? err : set_uri(r, uri);
}


int reach_route(struct reach **rp, struct focus *f, const struct pl *target,
		unsigned n)
{
	char identity[512];
	struct reach *r;
	struct uri uri;
	int err;

	if (!rp || !f || uri_decode(&uri, target) || pl_isset(&uri.password) ||
	    cfg_identity(identity, sizeof(identity), target))
		return EINVAL;

	r = mem_zalloc(sizeof(*r), destructor);
	if (!r)
		return ENOMEM;

	r->focus = f;
	r->cfg = mem_ref(f->cfg);
	r->af = AF_INET;
	err = find_way(r, identity, &uri, n);
	if (err)
		mem_deref(r);
	else
		*rp = r;

	return err;
}


const char *reach_hop(const struct reach *r)
{
	return r->hop;
}


const char *reach_uri(const struct reach *r)
{
	return r->uri;
}


const char *reach_path(const struct reach *r)
{
	return r->reg ? reg_target_path(r->reg) : NULL;
}


unsigned reach_q(const struct reach *r)
{
	return r->reg ? reg_target_q(r->reg) : 0;
}


int reach_af(const struct reach *r)
{
	return r->af;
}


int reach_auth(char **user, char **pass, const char *realm, void *arg)
{
	const struct reach *r = arg;
	int err;

	if (!r->route || !r->route->password ||
	    str_casecmp(realm, r->route->auth_realm))
		return ENOENT;

	err = str_dup(user, r->route->auth_user);
	if (!err)
		err = str_dup(pass, r->route->password);

	return err;
}


/**
 * A phone answers for itself, so a new connection would prove nothing: none is
 * made.  In a dialog it may have moved to another one of its own.
 */
static int send_registered(const struct reach *r, const struct sa *dst,
			   bool fresh)
{
	const bool same = sa_cmp(dst, reg_target_peer(r->reg), SA_ALL);

	if (same ? !reg_target_open(r->reg) : fresh)
		return ENOTCONN;

	tlsid_expect(NULL);

	return 0;
}


void reach_failed(const struct reach *r)
{
	registrar_failed(r->focus->reg, r->reg);
}


int reach_send(const struct sa *dst, bool fresh, void *arg)
{
	const struct reach *r = arg;

	if (r->reg)
		return send_registered(r, dst, fresh);
	if (fresh && is_ourselves(r->focus, dst))
		return ELOOP;
	if (fresh && tlsid_accepted_from(dst))
		return EPERM;

	tlsid_expect(r->host);

	return 0;
}
