/**
 * @file authz.c  The Authorization header of a digest response
 *
 * Refs:  RFC 3261 section 25.1 (dig-resp), RFC 7616 section 3.4
 */
#include <stddef.h>
#include <string.h>
#include "authz.h"

enum { PARAM_MAX = 32 };

/* One row a parameter: RFC 7616 section 3.4.  Unknown ones are skipped. */
static const struct {
	const char *name;
	size_t offs;
	size_t max;             /* value length [bytes] */
	bool mandatory;
} paramv[] = {
	{ "username",  offsetof(struct authz, username),  256,  true  },
	{ "realm",     offsetof(struct authz, realm),     256,  true  },
	{ "nonce",     offsetof(struct authz, nonce),     256,  true  },
	{ "uri",       offsetof(struct authz, uri),       1024, true  },
	{ "response",  offsetof(struct authz, response),  64,   true  },
	{ "algorithm", offsetof(struct authz, algorithm), 32,   false },
	{ "cnonce",    offsetof(struct authz, cnonce),    256,  false },
	{ "qop",       offsetof(struct authz, qop),       16,   false },
	{ "nc",        offsetof(struct authz, nc),        8,    false },
};

static struct pl *field(struct authz *az, size_t i)
{
	return (struct pl *)(void *)((char *)az + paramv[i].offs);
}

static bool is_lws(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_token(char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;

	return c && strchr("-.!%*_+`'~", c);
}

static void skip_lws(struct pl *pl)
{
	while (pl->l && is_lws(*pl->p))
		pl_advance(pl, 1);
}

static struct pl take_token(struct pl *pl)
{
	struct pl tok = { pl->p, 0 };

	while (pl->l && is_token(*pl->p)) {
		pl_advance(pl, 1);
		++tok.l;
	}

	return tok;
}

/**
 * The inside of a quoted-string.  Escapes stay as they are: RFC 7616's unq()
 * takes away the quotes and nothing else.
 */
static int take_quoted(struct pl *val, struct pl *pl)
{
	pl_advance(pl, 1);
	val->p = pl->p;

	while (pl->l) {
		const char c = *pl->p;

		/* A NUL or a line break would let a log line or a C string
		 * end earlier than the digest does. */
		if (c == '\0' || c == '\r' || c == '\n')
			return EBADMSG;

		if (c == '"') {
			val->l = (size_t)(pl->p - val->p);
			pl_advance(pl, 1);
			return 0;
		}

		if (c == '\\') {
			pl_advance(pl, 1);
			if (!pl->l || (unsigned char)*pl->p < 0x20)
				return EBADMSG;
		}

		pl_advance(pl, 1);
	}

	return EBADMSG;
}

/** An unquoted value; wider than a token, since some phones do not quote uri */
static int take_plain(struct pl *val, struct pl *pl)
{
	val->p = pl->p;

	while (pl->l && *pl->p > ' ' && *pl->p < 0x7f && *pl->p != ',' && *pl->p != '"')
		pl_advance(pl, 1);

	val->l = (size_t)(pl->p - val->p);

	return val->l ? 0 : EBADMSG;
}

static int take_param(struct pl *name, struct pl *val, struct pl *pl)
{
	int err;

	*name = take_token(pl);
	if (!name->l)
		return EBADMSG;

	skip_lws(pl);
	if (!pl->l || *pl->p != '=')
		return EBADMSG;
	pl_advance(pl, 1);
	skip_lws(pl);

	if (pl->l && *pl->p == '"')
		err = take_quoted(val, pl);
	else
		err = take_plain(val, pl);

	skip_lws(pl);

	return err;
}

static int store(struct authz *az, const struct pl *name, const struct pl *val)
{
	for (size_t i = 0; i < ARRAY_SIZE(paramv); i++) {
		struct pl *f = field(az, i);

		if (pl_strcasecmp(name, paramv[i].name))
			continue;

		if (f->p || val->l > paramv[i].max)
			return EBADMSG;

		*f = *val;
		return 0;
	}

	return 0;
}

static int check_mandatory(struct authz *az)
{
	for (size_t i = 0; i < ARRAY_SIZE(paramv); i++) {
		if (paramv[i].mandatory && !field(az, i)->p)
			return EBADMSG;
	}

	return 0;
}

int authz_decode(struct authz *az, const struct pl *val)
{
	struct pl r, name, v, scheme;

	if (!az || !val || !val->p)
		return EINVAL;

	memset(az, 0, sizeof(*az));
	r = *val;

	skip_lws(&r);
	scheme = take_token(&r);
	if (pl_strcasecmp(&scheme, "Digest"))
		return ENOTSUP;
	if (!r.l || !is_lws(*r.p))
		return EBADMSG;
	skip_lws(&r);

	for (unsigned n = 0; ; n++) {
		if (n == PARAM_MAX || take_param(&name, &v, &r) || store(az, &name, &v))
			return EBADMSG;
		if (!r.l)
			break;
		if (*r.p != ',')
			return EBADMSG;
		pl_advance(&r, 1);
		skip_lws(&r);
	}

	return check_mandatory(az);
}
