/**
 * @file focus/descr.c  Session descriptions: what a peer's SDP says
 */
#include <ctype.h>
#include <string.h>
#include "focus/descr.h"

/** State that outlives one line */
struct reader {
	struct descr *d;
	struct descr_media *m;      /* NULL: session section */
	struct sa addr;             /* session c=            */
	bool addr_set;
	bool hold_addr;
	enum sdp_dir dir;
	unsigned attrc;
	const char *reason;
};


/** Cut the next space-separated word off; empty at the end */
static struct pl word(struct pl *pl)
{
	struct pl w = { pl->p, 0 };

	while (w.l < pl->l && pl->p[w.l] != ' ')
		++w.l;

	pl->p += w.l;
	pl->l -= w.l;
	while (pl->l && *pl->p == ' ') {
		++pl->p;
		--pl->l;
	}

	return w;
}


/** Decimal number, digits only; pl_u32() takes anything */
static int number(const struct pl *pl, uint32_t max, uint32_t *valp)
{
	uint64_t v = 0;

	if (!pl->l || pl->l > 10)
		return EBADMSG;

	for (size_t i = 0; i < pl->l; i++) {
		if (!isdigit((unsigned char)pl->p[i]))
			return EBADMSG;
		v = v * 10 + (uint64_t)(pl->p[i] - '0');
	}

	if (v > max)
		return EBADMSG;

	*valp = (uint32_t)v;

	return 0;
}


/** "IN IP4 192.0.2.1[/ttl]": addresses only, names are never looked up */
static int dec_addr(struct pl val, struct sa *sa)
{
	struct pl net, type, addr, slash;

	net  = word(&val);
	type = word(&val);
	addr = word(&val);

	if (pl_strcmp(&net, "IN") ||
	    (pl_strcmp(&type, "IP4") && pl_strcmp(&type, "IP6")))
		return EBADMSG;

	slash.p = pl_strchr(&addr, '/');
	if (slash.p)
		addr.l = (size_t)(slash.p - addr.p);

	return sa_set(sa, &addr, 0);
}


static int line_c(struct reader *r, const struct pl *val)
{
	struct sa sa;

	if (dec_addr(*val, &sa)) {
		r->reason = "Connection address is not an IP address";
		return EBADMSG;
	}

	if (r->m) {
		r->m->addr = sa;
		sa_set_port(&r->m->addr, r->m->port);
		r->m->hold_addr = sa_is_any(&sa);
	}
	else {
		r->addr = sa;
		r->addr_set = true;
		r->hold_addr = sa_is_any(&sa);
	}

	return 0;
}


static void dec_fmts(struct descr_media *m, struct pl list)
{
	while (list.l && m->fmtc < DESCR_FMT_MAX) {
		struct descr_fmt *f = &m->fmtv[m->fmtc++];
		uint32_t pt;

		memset(f, 0, sizeof(*f));
		f->id = word(&list);
		f->pt = number(&f->id, 127, &pt) ? -1 : (int)pt;
	}
}


static int line_m(struct reader *r, const struct pl *val)
{
	struct descr_media *m;
	struct pl rest = *val, port, slash;
	uint32_t n;

	if (r->d->mediac >= DESCR_MEDIA_MAX) {
		r->reason = "Too many m= lines";
		return EOVERFLOW;
	}

	m = &r->d->mediav[r->d->mediac++];
	memset(m, 0, sizeof(*m));
	m->type  = word(&rest);
	port     = word(&rest);
	m->proto = word(&rest);

	slash.p = pl_strchr(&port, '/');
	if (slash.p)
		port.l = (size_t)(slash.p - port.p);
	if (!m->type.l || !m->proto.l || number(&port, 65535, &n)) {
		r->reason = "Malformed m= line";
		return EBADMSG;
	}

	m->port = (uint16_t)n;
	m->dir  = r->dir;
	if (r->addr_set) {
		m->addr = r->addr;
		sa_set_port(&m->addr, m->port);
		m->hold_addr = r->hold_addr;
	}
	dec_fmts(m, rest);
	r->m = m;
	r->attrc = 0;

	return 0;
}


/* ---- attributes ---------------------------------------------------------- */

static struct descr_fmt *fmt_find(struct descr_media *m, const struct pl *id)
{
	for (unsigned i = 0; i < m->fmtc; i++) {
		if (!pl_cmp(&m->fmtv[i].id, id))
			return &m->fmtv[i];
	}

	return NULL;
}


static int attr_rtpmap(struct reader *r, struct pl val)
{
	struct pl id = word(&val);
	struct descr_fmt *f = fmt_find(r->m, &id);
	struct pl name, clock, ch;

	/* a map for a format that is not in the m= line is ignored */
	if (!f || re_regex(val.p, val.l, "[^/]+/[0-9]+[^]*", &name, &clock,
			   &ch))
		return 0;

	f->name = name;

	return number(&clock, UINT32_MAX, &f->clock) ? EBADMSG : 0;
}


static int attr_fmtp(struct reader *r, struct pl val)
{
	struct pl id = word(&val);
	struct descr_fmt *f = fmt_find(r->m, &id);

	if (f)
		f->fmtp = val;

	return 0;
}


static int attr_crypto(struct reader *r, struct pl val)
{
	/* more lines than anybody needs: the rest is not even read */
	if (r->m->cryptoc < DESCR_CRYPTO_MAX)
		r->m->cryptov[r->m->cryptoc++] = val;

	return 0;
}


static int attr_ptime(struct reader *r, struct pl val)
{
	uint32_t n;

	if (!number(&val, 1000, &n))
		r->m->ptime = n;

	return 0;
}


static int attr_maxptime(struct reader *r, struct pl val)
{
	uint32_t n;

	if (!number(&val, 1000, &n))
		r->m->maxptime = n;

	return 0;
}


/** "PORT [IN IP4 ADDR]", RFC 3605 */
static int attr_rtcp(struct reader *r, struct pl val)
{
	struct pl port = word(&val);
	uint32_t n;

	if (number(&port, 65535, &n))
		return EBADMSG;

	if (!val.l || dec_addr(val, &r->m->rtcp))
		r->m->rtcp = r->m->addr;
	sa_set_port(&r->m->rtcp, (uint16_t)n);

	return 0;
}


static int attr_rtcp_mux(struct reader *r, struct pl val)
{
	(void)val;
	r->m->rtcp_mux = true;

	return 0;
}


static const char level_uri[] = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

/** "ID[/direction] URI [vad=on|off]", RFC 8285 and RFC 6464 */
static int attr_extmap(struct reader *r, struct pl val)
{
	struct pl idpl = word(&val);
	struct pl uri  = word(&val);
	struct pl slash;
	uint32_t id;

	slash.p = pl_strchr(&idpl, '/');
	if (slash.p)
		idpl.l = (size_t)(slash.p - idpl.p);

	/* one-byte elements have the ids 1 to 14 */
	if (pl_strcmp(&uri, level_uri) || number(&idpl, 14, &id) || !id)
		return 0;

	r->m->level_ext = (uint8_t)id;
	r->m->level_vad = pl_strcmp(&val, "vad=off") != 0;

	return 0;
}


static int attr_dir(struct reader *r, enum sdp_dir dir)
{
	if (r->m)
		r->m->dir = dir;
	else
		r->dir = dir;

	return 0;
}


static int attr_sendrecv(struct reader *r, struct pl val)
{
	(void)val;
	return attr_dir(r, SDP_SENDRECV);
}


static int attr_sendonly(struct reader *r, struct pl val)
{
	(void)val;
	return attr_dir(r, SDP_SENDONLY);
}


static int attr_recvonly(struct reader *r, struct pl val)
{
	(void)val;
	return attr_dir(r, SDP_RECVONLY);
}


static int attr_inactive(struct reader *r, struct pl val)
{
	(void)val;
	return attr_dir(r, SDP_INACTIVE);
}


/* The attributes we understand; names are case-sensitive (RFC 8866 sec. 5.13) */
static const struct {
	const char *name;
	bool session;              /* also allowed before the first m=   */
	int (*decode)(struct reader *r, struct pl val);
} attrv[] = {
	{ "rtpmap",   false, attr_rtpmap   },
	{ "fmtp",     false, attr_fmtp     },
	{ "crypto",   false, attr_crypto   },
	{ "ptime",    false, attr_ptime    },
	{ "maxptime", false, attr_maxptime },
	{ "rtcp",     false, attr_rtcp     },
	{ "rtcp-mux", false, attr_rtcp_mux },
	{ "extmap",   false, attr_extmap   },
	{ "sendrecv", true,  attr_sendrecv },
	{ "sendonly", true,  attr_sendonly },
	{ "recvonly", true,  attr_recvonly },
	{ "inactive", true,  attr_inactive },
};


static int line_a(struct reader *r, const struct pl *val)
{
	struct pl name = *val, v = { val->p + val->l, 0 };
	const char *colon = pl_strchr(val, ':');

	if (++r->attrc > DESCR_ATTR_MAX) {
		r->reason = "Too many attributes";
		return EOVERFLOW;
	}

	if (colon) {
		name.l = (size_t)(colon - val->p);
		v.p = colon + 1;
		v.l = val->l - name.l - 1;
	}

	for (size_t i = 0; i < ARRAY_SIZE(attrv); i++) {
		if (pl_strcmp(&name, attrv[i].name))
			continue;
		if (!r->m && !attrv[i].session)
			return 0;
		if (attrv[i].decode(r, v)) {
			r->reason = "Malformed attribute";
			return EBADMSG;
		}
		return 0;
	}

	return 0;
}


/* ---- lines --------------------------------------------------------------- */

/** One line without its end; RFC 8866 section 5 */
static int line(struct reader *r, const struct pl *pl, bool first)
{
	struct pl val;

	for (size_t i = 0; i < pl->l; i++) {
		if (pl->p[i] == '\0') {
			r->reason = "NUL byte in SDP";
			return EBADMSG;
		}
	}

	if (pl->l < 2 || pl->p[1] != '=') {
		r->reason = "Malformed SDP line";
		return EBADMSG;
	}

	val.p = pl->p + 2;
	val.l = pl->l - 2;

	if (first && (pl->p[0] != 'v' || pl_strcmp(&val, "0"))) {
		r->reason = "SDP does not start with v=0";
		return EBADMSG;
	}

	switch (pl->p[0]) {

	case 'o':
		r->d->origin = val;
		return 0;
	case 'c':
		return line_c(r, &val);
	case 'm':
		return line_m(r, &val);
	case 'a':
		return line_a(r, &val);
	default:
		return 0;
	}
}


static int check(struct reader *r)
{
	const struct descr *d = r->d;

	if (!d->mediac) {
		r->reason = "No m= line";
		return EBADMSG;
	}

	for (unsigned i = 0; i < d->mediac; i++) {
		const struct descr_media *m = &d->mediav[i];

		if (m->port && !m->hold_addr &&
		    !sa_isset(&m->addr, SA_ADDR)) {
			r->reason = "No connection address";
			return EBADMSG;
		}
	}

	return 0;
}


int descr_decode(struct descr *d, const struct pl *body, const char **reasonp)
{
	struct reader r;
	const char *p = body->p, *end = body->p + body->l;
	bool first = true;
	int err = 0;

	memset(&r, 0, sizeof(r));
	memset(d, 0, sizeof(*d));
	r.d = d;
	r.dir = SDP_SENDRECV;

	if (body->l > DESCR_BODY_MAX) {
		*reasonp = "SDP too large";
		return EOVERFLOW;
	}

	while (p < end && !err) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		struct pl l = { p, (size_t)((nl ? nl : end) - p) };

		p = nl ? nl + 1 : end;
		if (l.l && l.p[l.l - 1] == '\r')
			--l.l;
		if (!l.l)
			continue;
		if (l.l > DESCR_LINE_MAX) {
			r.reason = "SDP line too long";
			err = EOVERFLOW;
		}
		else {
			err = line(&r, &l, first);
			first = false;
		}
	}

	if (!err)
		err = check(&r);
	if (err)
		*reasonp = r.reason;

	return err;
}


int descr_fmtp_u32(const struct pl *fmtp, const char *name, uint32_t *valp)
{
	struct pl rest = *fmtp;

	while (rest.l) {
		const char *semi = pl_strchr(&rest, ';');
		struct pl param = { rest.p,
			semi ? (size_t)(semi - rest.p) : rest.l };
		const char *eq;

		rest.p += param.l + (semi ? 1 : 0);
		rest.l -= param.l + (semi ? 1 : 0);
		while (param.l && *param.p == ' ') {
			++param.p;
			--param.l;
		}

		eq = pl_strchr(&param, '=');
		if (eq) {
			struct pl n = { param.p, (size_t)(eq - param.p) };
			struct pl v = { eq + 1, param.l - n.l - 1 };

			if (!pl_strcasecmp(&n, name))
				return number(&v, UINT32_MAX, valp) ? ENOENT
								    : 0;
		}
	}

	return ENOENT;
}
