/**
 * @file intake_rules.c  Is this a request at all?  The rules, one function each
 *
 * A rule returns true if the request keeps it; else it has filled the verdict.
 * They run in the order of the table at the end: framing first, then what a
 * reply needs, then the rest.
 *
 * Refs:  RFC 3261 sections 8.1.1, 8.2, 18.3, 20, 25.1; RFC 4475 section 3
 */
#include <string.h>
#include "intake.h"

enum {
	WITH_CONTACT  = 1 << 0,     /* exactly one Contact, and a From tag   */
	IN_DIALOG     = 1 << 1,     /* only inside a dialog                  */
	NEVER_REFUSED = 1 << 2,     /* RFC 3261 sections 9.2, 17.1.1.3       */
};

/* Methods that exist; those we do not support are 405, all others 501 */
static const struct method {
	const char *name;
	unsigned flags;
} methodv[] = {
	{ "INVITE",    WITH_CONTACT              },
	{ "ACK",       NEVER_REFUSED             },
	{ "BYE",       IN_DIALOG                 },
	{ "CANCEL",    NEVER_REFUSED             },
	{ "OPTIONS",   0                         },
	{ "REGISTER",  0                         },
	{ "PRACK",     IN_DIALOG                 },
	{ "SUBSCRIBE", WITH_CONTACT              },
	{ "NOTIFY",    IN_DIALOG                 },
	{ "PUBLISH",   0                         },
	{ "INFO",      IN_DIALOG                 },
	{ "REFER",     WITH_CONTACT              },
	{ "MESSAGE",   0                         },
	{ "UPDATE",    IN_DIALOG                 },
};

/* Headers whose meaning others rely on, with their compact form */
static const struct known {
	enum sip_hdrid id;
	const char *name;
	const char *compact;
	bool once;
} knownv[] = {
	{ SIP_HDR_VIA,              "Via",              "v", false },
	{ SIP_HDR_FROM,             "From",             "f", true  },
	{ SIP_HDR_TO,               "To",               "t", true  },
	{ SIP_HDR_CALL_ID,          "Call-ID",          "i", true  },
	{ SIP_HDR_CSEQ,             "CSeq",             "",  true  },
	{ SIP_HDR_MAX_FORWARDS,     "Max-Forwards",     "",  true  },
	{ SIP_HDR_CONTENT_TYPE,     "Content-Type",     "c", true  },
	{ SIP_HDR_CONTENT_ENCODING, "Content-Encoding", "e", false },
	{ SIP_HDR_CONTACT,          "Contact",          "m", false },
	{ SIP_HDR_ROUTE,            "Route",            "",  false },
	{ SIP_HDR_RECORD_ROUTE,     "Record-Route",     "",  false },
	{ SIP_HDR_PATH,             "Path",             "",  false },
	{ SIP_HDR_REQUIRE,          "Require",          "",  false },
	{ SIP_HDR_PROXY_REQUIRE,    "Proxy-Require",    "",  false },
	{ SIP_HDR_AUTHORIZATION,    "Authorization",    "",  false },
	{ SIP_HDR_P_ASSERTED_IDENTITY, "P-Asserted-Identity", "", false },
	{ SIP_HDR_PRIVACY,          "Privacy",          "",  false },
	{ SIP_HDR_REFERRED_BY,      "Referred-By",      "b", false },
	{ SIP_HDR_EXPIRES,          "Expires",          "",  true  },
	{ SIP_HDR_EVENT,            "Event",            "o", true  },
	{ SIP_HDR_REFER_TO,         "Refer-To",         "r", true  },
	{ SIP_HDR_REPLACES,         "Replaces",         "",  true  },
	{ SIP_HDR_JOIN,             "Join",             "",  false },
	{ SIP_HDR_SESSION_EXPIRES,  "Session-Expires",  "x", true  },
};

static bool refuse(struct intake_verdict *v, uint16_t scode, const char *reason, const char *why)
{
	v->scode = scode;
	v->reason = reason;
	v->why = why;

	return false;
}

static bool bad_request(struct intake_verdict *v, const char *why)
{
	return refuse(v, 400, "Bad Request", why);
}

static bool bad_framing(struct intake_verdict *v, const char *why)
{
	v->poison = true;

	return bad_request(v, why);
}

static const struct method *method_of(const struct sip_msg *msg)
{
	for (size_t i = 0; i < ARRAY_SIZE(methodv); i++) {
		if (!pl_strcmp(&msg->met, methodv[i].name))
			return &methodv[i];
	}

	return NULL;
}

static bool has_flag(const struct sip_msg *msg, unsigned flag)
{
	const struct method *m = method_of(msg);

	return m && (m->flags & flag);
}

static bool is_listed(const char *const *v, const struct pl *pl, bool nocase)
{
	for (; *v; v++) {
		if (nocase ? !pl_strcasecmp(pl, *v) : !pl_strcmp(pl, *v))
			return true;
	}

	return false;
}

static bool is_lws(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_token_char(char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;

	return c && strchr("-.!%*_+`'~", c);
}

static bool is_token(const struct pl *pl)
{
	for (size_t i = 0; i < pl->l; i++) {
		if (!is_token_char(pl->p[i]))
			return false;
	}

	return pl->l > 0;
}

/** 1*DIGIT, leading zeros allowed, at most max */
static bool number(const struct pl *pl, uint64_t max)
{
	uint64_t n = 0;

	for (size_t i = 0; i < pl->l; i++) {
		if (pl->p[i] < '0' || pl->p[i] > '9')
			return false;
		n = 10 * n + (uint64_t)(pl->p[i] - '0');
		if (n > max)
			return false;
	}

	return pl->l > 0;
}

static const struct known *known_of(const struct sip_hdr *hdr)
{
	for (size_t i = 0; i < ARRAY_SIZE(knownv); i++) {
		if (hdr->id == knownv[i].id)
			return &knownv[i];
	}

	return NULL;
}

/* ---- framing ---- */

/**
 * libre takes the last Content-Length and counts modulo 2^32.  Whoever stands
 * before us may have counted otherwise: then the rest of the stream is what a
 * stranger wants it to be.
 */
static bool rule_content_length(struct intake_verdict *v, const struct intake_caps *caps,
				const struct sip_msg *msg)
{
	struct pl first = PL_INIT;

	(void)caps;

	for (struct le *le = msg->hdrl.head; le; le = le->next) {
		const struct sip_hdr *hdr = le->data;

		if (hdr->id != SIP_HDR_CONTENT_LENGTH)
			continue;
		if (pl_strcasecmp(&hdr->name, "Content-Length") && pl_strcasecmp(&hdr->name, "l"))
			return bad_framing(v, "Header name is not Content-Length");
		if (!number(&hdr->val, UINT32_MAX))
			return bad_framing(v, "Content-Length is not a number");
		if (first.p && pl_cmp(&first, &hdr->val))
			return bad_framing(v, "Content-Length values differ");
		first = hdr->val;
	}

	if (first.p && pl_u32(&first) > mbuf_get_left(msg->mb))
		return bad_framing(v, "Content-Length exceeds the message");

	return true;
}

static bool rule_body_size(struct intake_verdict *v, const struct intake_caps *caps,
			   const struct sip_msg *msg)
{
	(void)caps;

	if (mbuf_get_left(msg->mb) > INTAKE_BODY_MAX)
		return refuse(v, 413, "Request Entity Too Large", "Body exceeds 65536 bytes");

	return true;
}

/* ---- what a reply is made from ---- */

/**
 * Without a Via there is nowhere to send a reply to; with a maddr of their
 * choice strangers would have us send it to a third party.
 */
static bool rule_via(struct intake_verdict *v, const struct intake_caps *caps,
		     const struct sip_msg *msg)
{
	struct pl maddr;

	(void)caps;

	if (!msg->via.sentby.p) {
		v->silent = true;
		return bad_framing(v, "No Via");
	}
	if (msg->tp == SIP_TRANSP_UDP && !msg_param_decode(&msg->via.params, "maddr", &maddr)) {
		v->silent = true;
		return bad_request(v, "maddr in Via");
	}

	return true;
}

/**
 * RFC 3261 section 25.1 allows a NUL only as a quoted-pair; elsewhere a C
 * string would end where the SIP message does not.
 */
static bool rule_nul(struct intake_verdict *v, const struct intake_caps *caps,
		     const struct sip_msg *msg)
{
	const char *start = msg->met.p, *end = (const char *)mbuf_buf(msg->mb);

	(void)caps;

	for (const char *p = start; p < end; p++) {
		if (!*p && (p == start || p[-1] != '\\'))
			return bad_request(v, "NUL in a header");
	}

	return true;
}

static bool rule_header_size(struct intake_verdict *v, const struct intake_caps *caps,
			     const struct sip_msg *msg)
{
	static const char reason[] = "Message Too Large";
	uint32_t n = 0;

	(void)caps;

	if (msg->ruri.l > INTAKE_LINE_MAX)
		return refuse(v, 414, "Request-URI Too Long", "Request-URI exceeds 8192 bytes");

	for (struct le *le = msg->hdrl.head; le; le = le->next) {
		const struct sip_hdr *hdr = le->data;

		if (++n > INTAKE_HDR_MAX)
			return refuse(v, 513, reason, "More than 128 headers");
		if (hdr->name.l + hdr->val.l > INTAKE_LINE_MAX)
			return refuse(v, 513, reason, "Header exceeds 8192 bytes");
	}

	return true;
}

/**
 * libre knows a header by a 12-bit hash of its name, so other names pass for
 * From or Via there, and for nobody else.
 */
static bool rule_header_names(struct intake_verdict *v, const struct intake_caps *caps,
			      const struct sip_msg *msg)
{
	(void)caps;

	for (struct le *le = msg->hdrl.head; le; le = le->next) {
		const struct sip_hdr *hdr = le->data;
		const struct known *k = known_of(hdr);

		if (!is_token(&hdr->name))
			return bad_request(v, "Header name is not a token");
		if (k && pl_strcasecmp(&hdr->name, k->name) &&
		    pl_strcasecmp(&hdr->name, k->compact))
			return bad_request(v, "Header name is taken for another");
	}

	return true;
}

/** RFC 3261 section 8.1.1; Max-Forwards is left out, older clients lack it */
static bool rule_mandatory(struct intake_verdict *v, const struct intake_caps *caps,
			   const struct sip_msg *msg)
{
	(void)caps;

	if (!pl_isset(&msg->to.auri))
		return bad_request(v, "No To");
	if (!pl_isset(&msg->from.auri))
		return bad_request(v, "No From");
	if (!pl_isset(&msg->callid))
		return bad_request(v, "No Call-ID");
	if (!pl_isset(&msg->cseq.met))
		return bad_request(v, "No CSeq");

	return true;
}

/** RFC 3261 section 7.3.1: only lists may come more than once */
static bool rule_once(struct intake_verdict *v, const struct intake_caps *caps,
		      const struct sip_msg *msg)
{
	bool seen[ARRAY_SIZE(knownv)] = { false };

	(void)caps;

	for (struct le *le = msg->hdrl.head; le; le = le->next) {
		const struct known *k = known_of(le->data);

		if (!k || !k->once)
			continue;
		if (seen[k - knownv])
			return bad_request(v, "Header that must be single came twice");
		seen[k - knownv] = true;
	}

	return true;
}

/* ---- the request line and CSeq ---- */

static void print_allow(struct intake_verdict *v, const struct intake_caps *caps)
{
	size_t n = (size_t)snprintf(v->hdrs, sizeof(v->hdrs), "Allow: ");

	for (const char *const *m = caps->methodv; *m && n < sizeof(v->hdrs); m++)
		n += (size_t)snprintf(v->hdrs + n, sizeof(v->hdrs) - n, "%s%s", *m,
				      m[1] ? ", " : "\r\n");

	if (n >= sizeof(v->hdrs))
		v->hdrs[0] = '\0';
}

/** RFC 3261 section 8.2.1; names are case-sensitive */
static bool rule_method(struct intake_verdict *v, const struct intake_caps *caps,
			const struct sip_msg *msg)
{
	if (is_listed(caps->methodv, &msg->met, false))
		return true;

	print_allow(v, caps);
	if (method_of(msg))
		return refuse(v, 405, "Method Not Allowed", "Method not supported here");

	return refuse(v, 501, "Not Implemented", "Unknown method");
}

/**
 * RFC 3261 section 8.1.1.5: same method, number below 2^31.  libre finds its
 * number anywhere in the value.
 */
static bool rule_cseq(struct intake_verdict *v, const struct intake_caps *caps,
		      const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_CSEQ);
	struct pl num = hdr->val, met = hdr->val;
	size_t i = 0;

	(void)caps;

	while (i < num.l && !is_lws(num.p[i]))
		++i;
	num.l = i;
	while (i < met.l && is_lws(met.p[i]))
		++i;
	pl_advance(&met, (ssize_t)i);

	if (!number(&num, INT32_MAX))
		return bad_request(v, "CSeq number is not below 2^31");
	if (pl_cmp(&met, &msg->met))
		return bad_request(v, "CSeq method is not the request's");

	return true;
}

/** RFC 3261 sections 8.2.2.1, 19.1.1: no scheme but ours, no headers in it */
static bool rule_request_uri(struct intake_verdict *v, const struct intake_caps *caps,
			     const struct sip_msg *msg)
{
	static const char *const schemev[] = { "sip", "sips", NULL };

	(void)caps;

	for (size_t i = 0; i < msg->ruri.l; i++) {
		if (strchr("<>\"\\", msg->ruri.p[i]))
			return bad_request(v, "Request-URI is malformed");
	}
	if (!is_listed(schemev, &msg->uri.scheme, true))
		return refuse(v, 416, "Unsupported URI Scheme", "Only sip and sips");
	if (pl_isset(&msg->uri.headers))
		return bad_request(v, "Headers in the Request-URI");

	return true;
}

/** Zero is fine: we are the end of the way (RFC 4475 section 3.3.11) */
static bool rule_max_forwards(struct intake_verdict *v, const struct intake_caps *caps,
			      const struct sip_msg *msg)
{
	(void)caps;

	if (msg->maxfwd.p && !number(&msg->maxfwd, INTAKE_MAXFWD_MAX))
		return bad_request(v, "Max-Forwards is not 0 to 255");

	return true;
}

/* ---- addresses ---- */

/** Skip a quoted-string; false if it does not end */
static bool skip_quoted(struct pl *pl)
{
	pl_advance(pl, 1);
	while (pl->l && *pl->p != '"')
		pl_advance(pl, *pl->p == '\\' && pl->l > 1 ? 2 : 1);
	if (!pl->l)
		return false;
	pl_advance(pl, 1);

	return true;
}

static void skip_lws(struct pl *pl)
{
	while (pl->l && is_lws(*pl->p))
		pl_advance(pl, 1);
}

/** Skip a display name: a quoted-string, or words; pl is then at '<' */
static bool skip_display(struct pl *pl)
{
	if (pl->l && *pl->p == '"') {
		if (!skip_quoted(pl))
			return false;
		skip_lws(pl);
		return pl->l && *pl->p == '<';
	}

	/* More than tokens: many phones forget the quotes.  But nothing that
	 * another reader might take for a delimiter. */
	while (pl->l && *pl->p != '<') {
		if (strchr(",;:\"@>[]\\", *pl->p))
			return false;
		pl_advance(pl, 1);
	}

	return pl->l > 0;
}

/** name-addr or addr-spec of RFC 3261 section 25.1, so that it reads one way only */
static bool address_ok(const struct pl *val)
{
	const bool bracket = pl_strchr(val, '<') != NULL;
	struct pl pl = *val;
	size_t n = 0;

	skip_lws(&pl);
	if (bracket) {
		if (!skip_display(&pl))
			return false;
		pl_advance(&pl, 1);
	}

	/* RFC 3261 section 20: with a comma, semicolon or question mark the URI
	 * must be in brackets; without, a semicolon ends it. */
	while (pl.l && *pl.p != (bracket ? '>' : ';') && !is_lws(*pl.p)) {
		if (strchr(bracket ? "<\"" : "<>\"?,", *pl.p))
			return false;
		pl_advance(&pl, 1);
		++n;
	}
	if (bracket) {
		if (!pl.l || *pl.p != '>')
			return false;
		pl_advance(&pl, 1);
	}
	skip_lws(&pl);

	return n && (!pl.l || *pl.p == ';');
}

static bool rule_from_to(struct intake_verdict *v, const struct intake_caps *caps,
			 const struct sip_msg *msg)
{
	(void)caps;

	if (!address_ok(&msg->from.val))
		return bad_request(v, "From is malformed");
	if (!address_ok(&msg->to.val))
		return bad_request(v, "To is malformed");

	return true;
}

/** RFC 3261 section 8.1.1.8; without a From tag no dialog has two ends */
static bool rule_contact(struct intake_verdict *v, const struct intake_caps *caps,
			 const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_CONTACT);
	struct sip_addr addr;

	(void)caps;

	if (!has_flag(msg, WITH_CONTACT))
		return true;
	if (!pl_isset(&msg->from.tag))
		return bad_request(v, "No From tag");
	if (!hdr || sip_msg_hdr_count(msg, SIP_HDR_CONTACT) != 1)
		return bad_request(v, "Not exactly one Contact");
	if (!address_ok(&hdr->val) || sip_addr_decode(&addr, &hdr->val))
		return bad_request(v, "Contact is malformed");
	if (pl_strcasecmp(&addr.uri.scheme, "sip") && pl_strcasecmp(&addr.uri.scheme, "sips"))
		return bad_request(v, "Contact is no SIP URI");

	return true;
}

static bool rule_dialog(struct intake_verdict *v, const struct intake_caps *caps,
			const struct sip_msg *msg)
{
	(void)caps;

	if (has_flag(msg, IN_DIALOG) && !pl_isset(&msg->to.tag))
		return refuse(v, 481, "Call/Transaction Does Not Exist", "No To tag");

	return true;
}

/* ---- extensions and body ---- */

/** Add the option tags of one header kind that we lack; false if one is no token */
static bool add_unsupported(struct pl *out, size_t *np, const struct intake_caps *caps,
			    const struct sip_msg *msg, enum sip_hdrid id)
{
	struct le *le = list_head(hash_list(msg->hdrht, (uint32_t)id));

	for (; le; le = le->next) {
		const struct sip_hdr *hdr = le->data;

		if (hdr->id != id || !hdr->val.l)
			continue;
		if (!is_token(&hdr->val))
			return false;
		if (is_listed(caps->optionv, &hdr->val, true))
			continue;
		if (*np < 16)
			out[(*np)++] = hdr->val;
	}

	return true;
}

/** RFC 3261 section 8.2.2.3; Proxy-Require likewise, since no proxy is behind us */
static bool rule_require(struct intake_verdict *v, const struct intake_caps *caps,
			 const struct sip_msg *msg)
{
	struct pl tagv[16];
	size_t tagc = 0, n;

	if (!add_unsupported(tagv, &tagc, caps, msg, SIP_HDR_REQUIRE) ||
	    !add_unsupported(tagv, &tagc, caps, msg, SIP_HDR_PROXY_REQUIRE))
		return bad_request(v, "Require is malformed");
	if (!tagc)
		return true;

	n = (size_t)snprintf(v->hdrs, sizeof(v->hdrs), "Unsupported: ");
	for (size_t i = 0; i < tagc && n + tagv[i].l + 5 < sizeof(v->hdrs); i++)
		n += (size_t)snprintf(v->hdrs + n, sizeof(v->hdrs) - n, "%s%.*s", i ? ", " : "",
				      (int)tagv[i].l, tagv[i].p);
	snprintf(v->hdrs + n, sizeof(v->hdrs) - n, "\r\n");

	return refuse(v, 420, "Bad Extension", "Required extension not supported");
}

/** RFC 3261 sections 8.2.3, 20.12, 20.15 */
static bool rule_content(struct intake_verdict *v, const struct intake_caps *caps,
			 const struct sip_msg *msg)
{
	struct le *le = list_head(hash_list(msg->hdrht, SIP_HDR_CONTENT_ENCODING));
	const size_t len = msg->clen.p ? pl_u32(&msg->clen) : mbuf_get_left(msg->mb);

	(void)caps;

	for (; le; le = le->next) {
		const struct sip_hdr *hdr = le->data;

		if (hdr->id != SIP_HDR_CONTENT_ENCODING || !pl_strcasecmp(&hdr->val, "identity"))
			continue;
		snprintf(v->hdrs, sizeof(v->hdrs), "Accept-Encoding: identity\r\n");
		return refuse(v, 415, "Unsupported Media Type", "Content-Encoding not supported");
	}

	if (len && !pl_isset(&msg->ctyp.type))
		return bad_request(v, "Body without Content-Type");

	return true;
}

/* RFC 3261 section 8.2: "in the order given" where that order exists */
static const struct {
	const char *name;
	bool (*keeps)(struct intake_verdict *v, const struct intake_caps *caps,
		      const struct sip_msg *msg);
} rulev[] = {
	{ "via",            rule_via            },
	{ "content_length", rule_content_length },
	{ "body_size",      rule_body_size      },
	{ "nul",            rule_nul            },
	{ "header_size",    rule_header_size    },
	{ "header_names",   rule_header_names   },
	{ "mandatory",      rule_mandatory      },
	{ "once",           rule_once           },
	{ "method",         rule_method         },
	{ "cseq",           rule_cseq           },
	{ "request_uri",    rule_request_uri    },
	{ "max_forwards",   rule_max_forwards   },
	{ "from_to",        rule_from_to        },
	{ "dialog",         rule_dialog         },
	{ "contact",        rule_contact        },
	{ "require",        rule_require        },
	{ "content",        rule_content        },
};

void intake_judge(struct intake_verdict *v, const struct intake_caps *caps,
		  const struct sip_msg *msg)
{
	memset(v, 0, sizeof(*v));

	for (size_t i = 0; i < ARRAY_SIZE(rulev); i++) {
		if (rulev[i].keeps(v, caps, msg))
			continue;

		v->rule = rulev[i].name;
		if (has_flag(msg, NEVER_REFUSED))
			v->silent = true;
		return;
	}
}
