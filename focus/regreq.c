/**
 * @file regreq.c  What a REGISTER asks for
 */
#include <string.h>
#include "regreq.h"

enum {
	EXPIRES_MALFORMED = 3600,       /* RFC 3261 section 20.10             */
};

struct reading {
	struct reg_req *r;
	uint32_t default_s;
	const char *why;
	int err;
};


static int wrong(struct reading *rd, int err, const char *why)
{
	rd->err = err;
	rd->why = why;

	return err;
}


/* ---- parameters ---------------------------------------------------------- */

static bool is_lws(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


static void skip_lws(struct pl *pl)
{
	while (pl->l && is_lws(*pl->p))
		pl_advance(pl, 1);
}


static struct pl take_word(struct pl *pl)
{
	struct pl w = { pl->p, 0 };

	while (pl->l && !is_lws(*pl->p) && *pl->p != ';' && *pl->p != '=') {
		pl_advance(pl, 1);
		++w.l;
	}

	return w;
}


/** A quoted-string with its quotes */
static int take_quoted(struct pl *val, struct pl *pl)
{
	val->p = pl->p;
	pl_advance(pl, 1);
	while (pl->l && *pl->p != '"') {
		/* kept as it is and printed again: no escapes, no controls */
		if ((unsigned char)*pl->p < ' ' || *pl->p == '\\')
			return EBADMSG;
		pl_advance(pl, 1);
	}
	if (!pl->l)
		return EBADMSG;

	pl_advance(pl, 1);
	val->l = (size_t)(pl->p - val->p);

	return 0;
}


/** ";" name [ "=" value ]; ENOENT behind the last one */
static int next_param(struct pl *rest, struct pl *name, struct pl *val)
{
	int err = 0;

	skip_lws(rest);
	if (!rest->l)
		return ENOENT;
	if (*rest->p != ';')
		return EBADMSG;

	pl_advance(rest, 1);
	skip_lws(rest);
	*name = take_word(rest);
	*val = pl_null;
	skip_lws(rest);
	if (!name->l)
		return EBADMSG;
	if (!rest->l || *rest->p != '=')
		return 0;

	pl_advance(rest, 1);
	skip_lws(rest);
	if (rest->l && *rest->p == '"')
		err = take_quoted(val, rest);
	else
		*val = take_word(rest);

	return err || val->l ? err : EBADMSG;
}


/** delta-seconds; what does not fit into 32 bits is their largest */
static int decode_seconds(uint32_t *sp, const struct pl *pl)
{
	uint64_t n = 0;

	if (!pl->l || pl->l > 20)
		return EBADMSG;

	for (size_t i = 0; i < pl->l; i++) {
		if (pl->p[i] < '0' || pl->p[i] > '9')
			return EBADMSG;
		n = n * 10 + (uint64_t)(pl->p[i] - '0');
		n = MIN(n, (uint64_t)UINT32_MAX);
	}
	*sp = (uint32_t)n;

	return 0;
}


/** qvalue of RFC 3261 section 25.1: at most three digits after the point */
static int decode_q(unsigned *qp, const struct pl *pl)
{
	unsigned q = 0, unit = 1000;

	if (!pl->l || pl->l > 5 || (pl->l > 1 && pl->p[1] != '.'))
		return EBADMSG;

	for (size_t i = 0; i < pl->l; i++) {
		if (i == 1)
			continue;
		if (pl->p[i] < '0' || pl->p[i] > '9')
			return EBADMSG;
		q += unit * (unsigned)(pl->p[i] - '0');
		unit /= 10;
	}
	if (q > 1000)
		return EBADMSG;
	*qp = q;

	return 0;
}


static int take_param(struct reg_contact *c, const struct pl *name,
		      const struct pl *val)
{
	if (!pl_strcasecmp(name, "expires")) {
		if (decode_seconds(&c->expires_s, val))
			c->expires_s = EXPIRES_MALFORMED;
	}
	else if (!pl_strcasecmp(name, "reg-id")) {
		/* RFC 5626 section 11.1: 1 to 2^31 - 1 */
		if (decode_seconds(&c->reg_id, val) || !c->reg_id ||
		    c->reg_id > INT32_MAX)
			return EBADMSG;
	}
	else if (!pl_strcasecmp(name, "q")) {
		return decode_q(&c->q, val);
	}
	else if (!pl_strcasecmp(name, "+sip.instance")) {
		if (val->l < 2 || val->p[0] != '"' ||
		    val->l > REG_INSTANCE_MAX)
			return EBADMSG;
		c->instance = *val;
	}

	return 0;
}


/* ---- contacts ------------------------------------------------------------ */

/** It becomes a Request-URI: nothing in it may end the line or say more */
static bool uri_ok(const struct reg_contact *c)
{
	struct pl val;

	for (size_t i = 0; i < c->uri.l; i++) {
		const char ch = c->uri.p[i];

		if (ch <= ' ' || ch >= 0x7f || strchr("<>\"", ch))
			return false;
	}

	return c->parsed.host.l &&
		(!pl_strcasecmp(&c->parsed.scheme, "sip") ||
		 !pl_strcasecmp(&c->parsed.scheme, "sips")) &&
		!c->parsed.headers.l &&
		msg_param_decode(&c->parsed.params, "method", &val);
}


static int take_contact(struct reading *rd, const struct pl *hdr)
{
	struct reg_contact *c = &rd->r->contactv[rd->r->contactc];
	struct sip_addr addr;
	struct pl rest, name, val;
	int err;

	if (rd->r->contactc >= REG_CONTACT_MAX)
		return wrong(rd, E2BIG, "Too many contacts");
	if (sip_addr_decode(&addr, hdr))
		return wrong(rd, EBADMSG, "Contact is malformed");
	if (addr.auri.l > REG_URI_MAX)
		return wrong(rd, E2BIG, "Contact is too long");

	memset(c, 0, sizeof(*c));
	c->uri = addr.auri;
	c->parsed = addr.uri;
	c->expires_s = rd->default_s;
	c->q = 1000;
	if (!uri_ok(c))
		return wrong(rd, EBADMSG, "Contact is no plain SIP URI");

	rest = addr.params;
	while (!(err = next_param(&rest, &name, &val))) {
		if (take_param(c, &name, &val))
			return wrong(rd, EBADMSG, "Bad Contact parameter");
	}
	if (err != ENOENT)
		return wrong(rd, EBADMSG, "Contact is malformed");

	++rd->r->contactc;

	return 0;
}


static bool contact_handler(const struct sip_hdr *hdr,
			    const struct sip_msg *msg, void *arg)
{
	struct reading *rd = arg;
	(void)msg;

	if (!pl_strcmp(&hdr->val, "*")) {
		rd->r->all = true;
		return false;
	}

	return 0 != take_contact(rd, &hdr->val);
}


static bool via_handler(const struct sip_hdr *hdr, const struct sip_msg *msg,
			void *arg)
{
	unsigned *n = arg;
	(void)hdr;
	(void)msg;

	++*n;

	return false;
}


/* ---- path ---------------------------------------------------------------- */

/** It is printed again as it came, in a Route header: nothing but a URI of a
 *  loose router in angle brackets, and nothing that could end the line */
static bool path_ok(const struct pl *val, struct sip_addr *addr)
{
	struct pl none;

	for (size_t i = 0; i < val->l; i++) {
		if (val->p[i] <= ' ' || val->p[i] >= 0x7f)
			return false;
	}

	return val->l > 2 && *val->p == '<' && val->p[val->l - 1] == '>' &&
		!sip_addr_decode(addr, val) &&
		(!pl_strcasecmp(&addr->uri.scheme, "sip") ||
		 !pl_strcasecmp(&addr->uri.scheme, "sips")) &&
		!addr->uri.headers.l &&
		!msg_param_exists(&addr->uri.params, "lr", &none);
}


static bool path_handler(const struct sip_hdr *hdr, const struct sip_msg *msg,
			 void *arg)
{
	struct reading *rd = arg;
	struct reg_req *r = rd->r;
	const size_t used = strlen(r->path);
	struct sip_addr addr;
	struct pl none;
	(void)msg;

	if (!path_ok(&hdr->val, &addr))
		return 0 != wrong(rd, EBADMSG, "Path is malformed");

	/* RFC 5626 section 6: the first one says whether flows are kept */
	if (!used)
		r->path_ob = !msg_param_exists(&addr.uri.params, "ob", &none);
	if (re_snprintf(r->path + used, sizeof(r->path) - used, "%s%r",
			used ? ", " : "", &hdr->val) < 0)
		return 0 != wrong(rd, E2BIG, "Path is too long");

	return false;
}


int regreq_decode(struct reg_req *r, const struct sip_msg *msg,
		  uint32_t default_s, const char **whyp)
{
	struct reading rd = { r, default_s, NULL, 0 };
	uint32_t expires = 1;
	unsigned viac = 0;

	memset(r, 0, sizeof(*r));
	if (msg->expires.p) {
		if (decode_seconds(&expires, &msg->expires))
			expires = EXPIRES_MALFORMED;
		rd.default_s = expires;
	}

	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_CONTACT, contact_handler,
				&rd);
	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_VIA, via_handler, &viac);
	if (!rd.err)
		(void)sip_msg_hdr_apply(msg, true, SIP_HDR_PATH, path_handler,
					&rd);
	r->path_known = sip_msg_hdr_has_value(msg, SIP_HDR_SUPPORTED, "path") ||
		sip_msg_hdr_has_value(msg, SIP_HDR_REQUIRE, "path");
	r->outbound = sip_msg_hdr_has_value(msg, SIP_HDR_SUPPORTED,
					    "outbound") ||
		sip_msg_hdr_has_value(msg, SIP_HDR_REQUIRE, "outbound");
	r->behind_proxy = viac > 1;

	/* RFC 3261 section 10.3 step 6 */
	if (!rd.err && r->all && (r->contactc || expires))
		(void)wrong(&rd, EBADMSG,
			    "Contact * stands alone, with Expires: 0");
	if (!rd.err && msg->callid.l > REG_CALLID_MAX)
		(void)wrong(&rd, E2BIG, "Call-ID is too long");
	*whyp = rd.why;

	return rd.err;
}
