/**
 * @file focus/multipart.c  MIME bodies with several parts
 */
#include <string.h>
#include "focus/multipart.h"

/** Where we are: shared by all levels */
struct reader {
	struct multipart *m;
	const char **whyp;
	unsigned multiparts;
};

static int read_entity(struct reader *r, struct multipart_part *part,
		       unsigned depth);


static int fail(struct reader *r, int err, const char *why)
{
	*r->whyp = why;

	return err;
}


static bool is_lws(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


static void trim(struct pl *pl)
{
	while (pl->l && is_lws(*pl->p))
		pl_advance(pl, 1);
	while (pl->l && is_lws(pl->p[pl->l - 1]))
		--pl->l;
}


static bool is_token(const struct pl *pl)
{
	for (size_t i = 0; i < pl->l; i++) {
		if (pl->p[i] <= ' ' || pl->p[i] > '~' ||
		    strchr("()<>@,;:\\\"/[]?=", pl->p[i]))
			return false;
	}

	return pl->l > 0;
}


/* ---- values with parameters -------------------------------------------------- */

/** Cut the next ";"-separated piece off; quoted-strings may hold ";" */
static struct pl next_piece(struct pl *pl)
{
	struct pl piece = { pl->p, 0 };
	bool quoted = false;

	while (pl->l && (quoted || *pl->p != ';')) {
		if (*pl->p == '"')
			quoted = !quoted;
		else if (quoted && *pl->p == '\\' && pl->l > 1)
			pl_advance(pl, 1);
		pl_advance(pl, 1);
	}
	piece.l = (size_t)(pl->p - piece.p);
	if (pl->l)
		pl_advance(pl, 1);
	trim(&piece);

	return piece;
}


/** 0, ENOENT, or EBADMSG if it is there twice */
static int param_get(const struct pl *params, const char *name, struct pl *val)
{
	struct pl rest = *params;
	int err = ENOENT;

	while (rest.l) {
		struct pl piece = next_piece(&rest), pn = piece, pv;
		const char *eq = pl_strchr(&piece, '=');

		if (!eq)
			continue;
		pn.l = (size_t)(eq - piece.p);
		trim(&pn);
		if (pl_strcasecmp(&pn, name))
			continue;
		if (!err)
			return EBADMSG;

		pv.p = eq + 1;
		pv.l = piece.l - (size_t)(pv.p - piece.p);
		trim(&pv);
		if (pv.l >= 2 && *pv.p == '"' && pv.p[pv.l - 1] == '"') {
			pl_advance(&pv, 1);
			--pv.l;
		}
		*val = pv;
		err = 0;
	}

	return err;
}


static int take_type(struct multipart_part *part, const struct pl *val)
{
	struct pl rest = *val, type;
	const char *slash;

	type = next_piece(&rest);
	slash = pl_strchr(&type, '/');
	if (!slash)
		return EBADMSG;

	part->type.p = type.p;
	part->type.l = (size_t)(slash - type.p);
	part->subtype.p = slash + 1;
	part->subtype.l = type.l - part->type.l - 1;
	trim(&part->type);
	trim(&part->subtype);
	part->params = rest;

	return is_token(&part->type) && is_token(&part->subtype) ? 0 : EBADMSG;
}


static int take_disposition(struct multipart_part *part, const struct pl *val)
{
	struct pl rest = *val, handling;
	int err;

	part->disposition = next_piece(&rest);
	if (!is_token(&part->disposition))
		return EBADMSG;

	err = param_get(&rest, "handling", &handling);
	if (!err)
		part->optional = !pl_strcasecmp(&handling, "optional");

	return err == EBADMSG ? err : 0;
}


/* ---- headers of a part ----------------------------------------------------------- */

/** One header with its continuation lines; false at the empty line */
static bool next_header(struct pl *pl, struct pl *hdr)
{
	hdr->p = pl->p;
	for (;;) {
		const char *nl = pl_strchr(pl, '\n');
		size_t len = nl ? (size_t)(nl - pl->p) + 1 : pl->l;

		if (len <= 2 && pl->p == hdr->p) {
			pl_advance(pl, (ssize_t)len);
			return false;
		}
		pl_advance(pl, (ssize_t)len);
		if (!nl || !pl->l || (*pl->p != ' ' && *pl->p != '\t'))
			break;
	}
	hdr->l = (size_t)(pl->p - hdr->p);

	return true;
}


static int take_header(struct multipart_part *part, const struct pl *hdr,
		       unsigned *seen)
{
	static const char *const namev[] = {
		"Content-Type", "Content-Disposition",
		"Content-Transfer-Encoding",
	};
	const char *colon = pl_strchr(hdr, ':');
	struct pl name = *hdr, val;
	unsigned i;

	if (!colon)
		return EBADMSG;

	name.l = (size_t)(colon - hdr->p);
	trim(&name);
	val.p = colon + 1;
	val.l = hdr->l - (size_t)(val.p - hdr->p);
	trim(&val);
	if (!is_token(&name))
		return EBADMSG;

	for (i = 0; i < ARRAY_SIZE(namev); i++) {
		if (!pl_strcasecmp(&name, namev[i]))
			break;
	}
	if (i == ARRAY_SIZE(namev))
		return 0;
	if (*seen & 1u << i)
		return EBADMSG;
	*seen |= 1u << i;

	if (i == 0)
		return take_type(part, &val);
	if (i == 1)
		return take_disposition(part, &val);

	part->encoded = pl_strcasecmp(&val, "7bit") &&
		pl_strcasecmp(&val, "8bit") && pl_strcasecmp(&val, "binary");

	return 0;
}


/** Headers, an empty line, and the rest */
static int read_part(struct reader *r, const struct pl *text, unsigned depth)
{
	struct multipart_part part;
	struct pl rest = *text, hdr;
	unsigned n = 0, seen = 0;

	memset(&part, 0, sizeof(part));
	pl_set_str(&part.type, "text");
	pl_set_str(&part.subtype, "plain");

	while (rest.l && next_header(&rest, &hdr)) {
		if (++n > MULTIPART_HDRS_MAX)
			return fail(r, EOVERFLOW, "Too many headers in a part");
		if (take_header(&part, &hdr, &seen))
			return fail(r, EBADMSG, "Bad header in a part");
	}
	part.body = rest;

	return read_entity(r, &part, depth);
}


/* ---- boundaries -------------------------------------------------------------------- */

/** RFC 2046 section 5.1.1: bchars, not ending in a space */
static bool boundary_ok(const struct pl *b)
{
	if (!b->l || b->l > MULTIPART_BOUNDARY_MAX || b->p[b->l - 1] == ' ')
		return false;

	for (size_t i = 0; i < b->l; i++) {
		const char c = b->p[i];

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		    (c >= 'a' && c <= 'z'))
			continue;
		if (!c || !strchr("'()+_,-./:=? ", c))
			return false;
	}

	return true;
}


enum delimiter { DELIM_NONE, DELIM_PART, DELIM_CLOSE };


/** What is the line at p?  nextp: the line after it */
static enum delimiter delimiter_at(const struct pl *b, const char *p,
				   const char *end, const char **nextp)
{
	enum delimiter d = DELIM_PART;
	size_t left = (size_t)(end - p);

	if (left < b->l + 2 || p[0] != '-' || p[1] != '-' ||
	    memcmp(p + 2, b->p, b->l))
		return DELIM_NONE;

	p += b->l + 2;
	if (end - p >= 2 && p[0] == '-' && p[1] == '-') {
		d = DELIM_CLOSE;
		p += 2;
	}
	while (p < end && (*p == ' ' || *p == '\t'))
		++p;
	if (d == DELIM_CLOSE && p == end) {
		*nextp = end;
		return d;
	}
	if (end - p < 2 || p[0] != '\r' || p[1] != '\n')
		return DELIM_NONE;
	*nextp = p + 2;

	return d;
}


/** Beginning of the line after the one at p; NULL: there is none */
static const char *next_line(const char *p, const char *end)
{
	const char *nl = memchr(p, '\n', (size_t)(end - p));

	return nl && nl + 1 < end ? nl + 1 : NULL;
}


/** The CRLF before a delimiter belongs to the delimiter */
static struct pl between(const char *start, const char *delim)
{
	struct pl pl = { start, (size_t)(delim - start) };

	if (pl.l >= 2 && pl.p[pl.l - 2] == '\r' && pl.p[pl.l - 1] == '\n')
		pl.l -= 2;

	return pl;
}


static int split(struct reader *r, const struct pl *b, const struct pl *body,
		 unsigned depth)
{
	const char *end = body->p + body->l, *start = NULL, *next;
	int err;

	for (const char *p = body->l ? body->p : NULL; p; ) {
		enum delimiter d = delimiter_at(b, p, end, &next);

		if (d == DELIM_NONE) {
			p = next_line(p, end);
			continue;
		}
		if (start) {
			struct pl text = between(start, p);

			err = read_part(r, &text, depth);
			if (err)
				return err;
		}
		else if (d == DELIM_CLOSE) {
			return fail(r, EBADMSG, "Multipart without parts");
		}
		if (d == DELIM_CLOSE)
			return 0;
		start = next;
		p = next < end ? next : NULL;
	}

	return fail(r, EBADMSG, "Multipart is not closed");
}


/** A leaf is kept, a multipart is opened */
static int read_entity(struct reader *r, struct multipart_part *part,
		       unsigned depth)
{
	struct pl boundary;

	if (pl_strcasecmp(&part->type, "multipart")) {
		if (r->m->partc >= MULTIPART_PARTS_MAX)
			return fail(r, EOVERFLOW, "Too many parts");
		r->m->partv[r->m->partc++] = *part;
		return 0;
	}

	if (depth >= MULTIPART_DEPTH_MAX)
		return fail(r, EOVERFLOW, "Multipart is nested too deep");
	if (++r->multiparts > MULTIPART_PARTS_MAX)
		return fail(r, EOVERFLOW, "Too many parts");
	if (part->encoded)
		return fail(r, EBADMSG, "Multipart is encoded");
	if (param_get(&part->params, "boundary", &boundary) ||
	    !boundary_ok(&boundary))
		return fail(r, EBADMSG, "Multipart without a boundary");

	return split(r, &boundary, &part->body, depth + 1);
}


int multipart_decode(struct multipart *m, const struct pl *ctype,
		     const struct pl *disp, const struct pl *body,
		     const char **whyp)
{
	struct reader r = { m, whyp, 0 };
	struct multipart_part part;

	memset(m, 0, sizeof(*m));
	memset(&part, 0, sizeof(part));
	if (take_type(&part, ctype))
		return fail(&r, EBADMSG, "Bad Content-Type");
	if (pl_isset(disp) && take_disposition(&part, disp))
		return fail(&r, EBADMSG, "Bad Content-Disposition");
	part.body = *body;

	return read_entity(&r, &part, 0);
}
