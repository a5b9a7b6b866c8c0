/**
 * @file focus/referto.c  What a Refer-To header asks of a conference
 */
#include <string.h>
#include "focus/referto.h"
#include "focus/replaces.h"


static int fail(const char **whyp, int err, const char *why)
{
	*whyp = why;

	return err;
}


static bool printable(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] < ' ' || s[i] > '~')
			return false;
	}

	return true;
}


/** What comes behind a display name in quotes, which may hold anything */
static struct pl skip_quoted(const struct pl *val)
{
	struct pl pl = *val;

	if (!pl.l || *pl.p != '"')
		return pl;

	do
		pl_advance(&pl, *pl.p == '\\' && pl.l > 1 ? 2 : 1);
	while (pl.l && *pl.p != '"');

	return pl;
}


/** The URI of a name-addr or addr-spec; one address and no second one */
static int take_uri(struct pl *uri, const struct pl *val)
{
	const struct pl addr = skip_quoted(val);
	const char *lt = pl_strchr(&addr, '<');
	struct pl rest;

	if (!lt) {
		/* RFC 3261 section 20: these would belong to the header */
		for (size_t i = 0; i < val->l; i++) {
			if (strchr(",;?<>\" ", val->p[i]))
				return EBADMSG;
		}
		*uri = *val;
		return uri->l ? 0 : EBADMSG;
	}

	uri->p = lt + 1;
	uri->l = val->l - (size_t)(uri->p - val->p);
	rest.p = pl_strchr(uri, '>');
	if (!rest.p)
		return EBADMSG;

	rest.l = uri->l - (size_t)(rest.p - uri->p) - 1;
	uri->l = (size_t)(rest.p - uri->p);
	++rest.p;

	/* then only parameters: RFC 3515 section 2.4.2 wants one value */
	if ((rest.l && *rest.p != ';') || pl_strchr(&rest, ',') ||
	    pl_strchr(&rest, '<'))
		return EBADMSG;

	return uri->l ? 0 : EBADMSG;
}


static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;

	return -1;
}


/** Escapes are decoded once; what comes out must be one line of text */
static int unescape(char *out, size_t size, const char *p, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = p[i];

		if (n + 1 >= size)
			return EOVERFLOW;
		if (c == '%') {
			const int hi = i + 1 < len ? hex(p[i + 1]) : -1;
			const int lo = i + 2 < len ? hex(p[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return EBADMSG;
			c = (char)(hi << 4 | lo);
			i += 2;
		}
		out[n++] = c;
	}
	out[n] = '\0';

	return printable(out, n) && strlen(out) == n ? 0 : EBADMSG;
}


static int take_replaces(struct referto *rt, const char *value,
			 const char **whyp)
{
	struct replaces rep;
	struct pl pl;

	pl_set_str(&pl, value);
	if (rt->kind != REFERTO_INVITE)
		return fail(whyp, EPERM, "Replaces with another method");
	if (rt->replaces[0] || replaces_decode(&rep, &pl))
		return fail(whyp, EBADMSG, "Bad Replaces in Refer-To");

	str_ncpy(rt->replaces, value, sizeof(rt->replaces));

	return 0;
}


/** Of the REFER that is to be sent.  With parameters the URI has to be in
 *  brackets (RFC 3261 section 20); that some leave them out does no harm. */
static int take_refer_to(struct referto *rt, const char *value,
			 const char **whyp)
{
	struct pl val, uri;

	if (rt->refer_to[0])
		return fail(whyp, EBADMSG, "Two targets in Refer-To");

	pl_set_str(&val, value);
	uri = val;
	if (strchr(value, '<') && take_uri(&uri, &val))
		return fail(whyp, EBADMSG, "Bad target to refer to");

	(void)pl_strcpy(&uri, rt->refer_to, sizeof(rt->refer_to));

	return 0;
}


static int take_header(struct referto *rt, const char *name, const char *value,
		       const char **whyp)
{
	if (!str_casecmp(name, "Replaces"))
		return take_replaces(rt, value, whyp);

	/* says nothing that the Replaces does not */
	if (!str_casecmp(name, "Require") && !str_casecmp(value, "replaces"))
		return 0;

	if (!str_casecmp(name, "Refer-To") && rt->kind == REFERTO_REFER)
		return take_refer_to(rt, value, whyp);

	return fail(whyp, EPERM, "Header not allowed in Refer-To");
}


static int take_headers(struct referto *rt, const char *p, const char **whyp)
{
	char name[REFERTO_MAX], value[REFERTO_MAX];
	int err = 0;

	while (*p && !err) {
		size_t len = strcspn(p, "&"), eq = strcspn(p, "=&");

		if (!eq || eq >= len)
			return fail(whyp, EBADMSG, "Bad header in Refer-To");

		err = unescape(name, sizeof(name), p, eq);
		if (!err)
			err = unescape(value, sizeof(value), p + eq + 1,
				       len - eq - 1);
		if (err)
			return fail(whyp, err, "Bad escape in Refer-To");

		err = take_header(rt, name, value, whyp);
		p += len;
		if (*p == '&')
			++p;
	}

	return err;
}


static const struct {
	const char *method;
	enum referto_kind kind;
} kindv[] = {
	{ "INVITE", REFERTO_INVITE },
	{ "BYE",    REFERTO_BYE    },
	{ "REFER",  REFERTO_REFER  },
};


/** Cut ";method=X" out of the URI; without one it is INVITE */
static int take_method(struct referto *rt, const char **whyp)
{
	char *p = strchr(rt->uri, ';');
	bool found = false;

	rt->kind = REFERTO_INVITE;
	while (p) {
		char *next = strchr(p + 1, ';');
		size_t len = next ? (size_t)(next - p) : strlen(p);
		struct pl met = { p + 8, len - 8 };
		size_t i;

		if (len < 8 || strncasecmp(p, ";method=", 8)) {
			p = next;
			continue;
		}

		for (i = 0; i < ARRAY_SIZE(kindv); i++) {
			if (!pl_strcmp(&met, kindv[i].method))
				break;
		}
		if (found)
			return fail(whyp, EBADMSG, "Two methods in Refer-To");
		if (i == ARRAY_SIZE(kindv))
			return fail(whyp, ENOTSUP,
				    "Method in Refer-To not supported");
		found = true;
		rt->kind = kindv[i].kind;
		memmove(p, p + len, strlen(p + len) + 1);
		p = *p ? p : NULL;
	}

	return 0;
}


int referto_decode(struct referto *rt, const struct pl *val,
		   const char **whyp)
{
	const char *at, *headers = "";
	struct pl uri;
	char *q;
	int err;

	memset(rt, 0, sizeof(*rt));
	if (val->l >= REFERTO_MAX)
		return fail(whyp, EOVERFLOW, "Refer-To is too long");
	if (!printable(val->p, val->l) || take_uri(&uri, val))
		return fail(whyp, EBADMSG, "Not exactly one URI in Refer-To");

	(void)pl_strcpy(&uri, rt->uri, sizeof(rt->uri));
	if (strncasecmp(rt->uri, "sip:", 4) && strncasecmp(rt->uri, "sips:", 5))
		return fail(whyp, EBADMSG, "Refer-To is no SIP URI");

	/* "?" may be part of the user */
	at = strchr(rt->uri, '@');
	if (!at)
		return fail(whyp, EBADMSG, "No user in Refer-To");
	q = strchr(at, '?');
	if (q) {
		*q = '\0';
		headers = q + 1;
	}

	/* a parameter before the "@" would be the user's */
	if (memchr(rt->uri, ';', (size_t)(at - rt->uri)))
		return fail(whyp, EBADMSG, "Parameters in the user part");

	err = take_method(rt, whyp);
	if (!err)
		err = take_headers(rt, headers, whyp);
	if (!err && rt->kind == REFERTO_REFER && !rt->refer_to[0])
		err = fail(whyp, EBADMSG, "Whom to refer to?");

	return err;
}
