/**
 * @file focus/descr.c  Session descriptions: what a peer's SDP says
 */
#include <arpa/inet.h>
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
	struct pl setup, connection;
	struct pl fpv[DESCR_FP_MAX];
	unsigned fpc;
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


/** What stands before a separator, or everything */
static struct pl before(const struct pl *pl, char sep)
{
	const char *p = pl_strchr(pl, sep);
	struct pl head = { pl->p, p ? (size_t)(p - pl->p) : pl->l };

	return head;
}


/**
 * "IN IP4 192.0.2.1[/ttl]": addresses only, names are never looked up.  Not
 * by sa_set(): that cuts long ones off and takes "127.1" for an address.
 */
static int dec_addr(struct pl val, struct sa *sa)
{
	struct pl net  = word(&val);
	struct pl type = word(&val);
	struct pl addr = word(&val);
	char buf[INET6_ADDRSTRLEN];
	uint8_t ip[16];
	uint32_t ip4;

	addr = before(&addr, '/');
	if (pl_strcmp(&net, "IN") || addr.l >= sizeof(buf))
		return EBADMSG;

	(void)pl_strcpy(&addr, buf, sizeof(buf));
	if (!pl_strcmp(&type, "IP4") && 1 == inet_pton(AF_INET, buf, ip)) {
		memcpy(&ip4, ip, sizeof(ip4));
		sa_set_in(sa, ntohl(ip4), 0);
		return 0;
	}
	if (!pl_strcmp(&type, "IP6") && 1 == inet_pton(AF_INET6, buf, ip)) {
		sa_set_in6(sa, ip, 0);
		return 0;
	}

	return EBADMSG;
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


/** Words of an m= line come back in our answers: visible characters only */
static bool is_visible(const struct pl *pl)
{
	for (size_t i = 0; i < pl->l; i++) {
		if (pl->p[i] <= ' ' || pl->p[i] > '~')
			return false;
	}

	return pl->l > 0;
}


static int dec_fmts(struct descr_media *m, struct pl list)
{
	while (list.l && m->fmtc < DESCR_FMT_MAX) {
		struct descr_fmt *f = &m->fmtv[m->fmtc++];
		uint32_t pt;

		memset(f, 0, sizeof(*f));
		f->id = word(&list);
		f->pt = number(&f->id, 127, &pt) ? -1 : (int)pt;
		if (!is_visible(&f->id))
			return EBADMSG;
	}

	return m->fmtc ? 0 : EBADMSG;
}


static int line_m(struct reader *r, const struct pl *val)
{
	struct descr_media *m;
	struct pl rest = *val, port;
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

	port     = before(&port, '/');
	if (!is_visible(&m->type) || !is_visible(&m->proto) ||
	    number(&port, 65535, &n) || dec_fmts(m, rest)) {
		r->reason = "Malformed m= line";
		return EBADMSG;
	}

	m->port = (uint16_t)n;
	m->dir  = r->dir;
	m->setup = r->setup;
	m->connection = r->connection;
	memcpy(m->fpv, r->fpv, sizeof(m->fpv));
	m->fpc = r->fpc;
	if (r->addr_set) {
		m->addr = r->addr;
		sa_set_port(&m->addr, m->port);
		m->hold_addr = r->hold_addr;
	}
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
	struct pl name = before(&val, '/'), clock, ch;
	uint32_t n = 0;

	/* a map for a format that is not in the m= line is ignored */
	if (!f)
		return 0;

	pl_advance(&val, (ssize_t)MIN(name.l + 1, val.l));
	clock = before(&val, '/');
	pl_advance(&val, (ssize_t)MIN(clock.l + 1, val.l));
	ch = word(&val);
	if (!name.l || number(&clock, UINT32_MAX, &f->clock) ||
	    (ch.l && number(&ch, 255, &n))) {
		/* then nobody knows what it is, whatever its number */
		f->pt = -1;
		return 0;
	}

	f->name = name;
	f->channels = n;

	return 0;
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
	if (sa_af(&r->m->rtcp) != AF_UNSPEC)
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
	struct pl first = word(&val);
	struct pl uri   = word(&val);
	struct pl idpl  = before(&first, '/');
	struct pl dir   = first;
	uint32_t id;

	pl_advance(&dir, (ssize_t)MIN(idpl.l + 1, dir.l));

	/* one-byte elements have the ids 1 to 14 */
	if (pl_strcmp(&uri, level_uri) || number(&idpl, 14, &id) || !id)
		return 0;

	/* what the peer would not send is of no use */
	if (!pl_strcmp(&dir, "recvonly") || !pl_strcmp(&dir, "inactive"))
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


/* RFC 4145: for the session, a default for its streams */
static int attr_setup(struct reader *r, struct pl val)
{
	*(r->m ? &r->m->setup : &r->setup) = val;

	return 0;
}


static int attr_connection(struct reader *r, struct pl val)
{
	*(r->m ? &r->m->connection : &r->connection) = val;

	return 0;
}


/** RFC 8122 section 5: those of a section replace those of the session */
static int attr_fingerprint(struct reader *r, struct pl val)
{
	struct pl *v = r->m ? r->m->fpv : r->fpv;
	unsigned *c = r->m ? &r->m->fpc : &r->fpc;

	if (r->m && !r->m->fp_own) {
		r->m->fp_own = true;
		r->m->fpc = 0;
	}
	if (*c < DESCR_FP_MAX)
		v[(*c)++] = val;

	return 0;
}


static int attr_floorctrl(struct reader *r, struct pl val)
{
	r->m->floorctrl = val;

	return 0;
}


static int attr_bfcpver(struct reader *r, struct pl val)
{
	r->m->bfcpver = val;

	return 0;
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
	{ "setup",       true,  attr_setup       },
	{ "connection",  true,  attr_connection  },
	{ "fingerprint", true,  attr_fingerprint },
	{ "floorctrl",   false, attr_floorctrl   },
	{ "bfcpver",     false, attr_bfcpver     },
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

	/* RFC 8866 section 9, byte-string */
	if (memchr(pl->p, '\0', pl->l) || memchr(pl->p, '\r', pl->l)) {
		r->reason = "NUL or CR inside an SDP line";
		return EBADMSG;
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


/** Cut the next line off, without its end; empty lines are skipped */
static bool next_line(struct pl *l, struct pl *body)
{
	while (body->l) {
		*l = before(body, '\n');
		pl_advance(body, (ssize_t)MIN(l->l + 1, body->l));
		if (l->l && l->p[l->l - 1] == '\r')
			--l->l;
		if (l->l)
			return true;
	}

	return false;
}


int descr_decode(struct descr *d, const struct pl *body, const char **reasonp)
{
	struct pl rest = *body, l;
	struct reader r;
	bool first = true;
	int err = 0;

	memset(&r, 0, sizeof(r));
	/* 42 KB: what no m= line fills is not touched */
	d->origin = pl_null;
	d->mediac = 0;
	r.d = d;
	r.dir = SDP_SENDRECV;

	if (body->l > DESCR_BODY_MAX) {
		*reasonp = "SDP too large";
		return EOVERFLOW;
	}

	while (!err && next_line(&l, &rest)) {
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


static void trim(struct pl *pl)
{
	while (pl->l && *pl->p == ' ')
		pl_advance(pl, 1);
	while (pl->l && pl->p[pl->l - 1] == ' ')
		--pl->l;
}


int descr_fmtp_u32(const struct pl *fmtp, const char *name, uint32_t *valp)
{
	struct pl rest = *fmtp;

	while (rest.l) {
		struct pl v = before(&rest, ';');
		struct pl n = before(&v, '=');

		pl_advance(&rest, (ssize_t)MIN(v.l + 1, rest.l));
		pl_advance(&v, (ssize_t)MIN(n.l + 1, v.l));
		trim(&n);
		trim(&v);
		if (!pl_strcasecmp(&n, name))
			return number(&v, UINT32_MAX, valp) ? ENOENT : 0;
	}

	return ENOENT;
}
