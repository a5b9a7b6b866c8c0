/**
 * @file focus/confprint.c  Conference documents, made from the roster
 *
 * The order of elements is that of the schema, RFC 4575 section 6.  A child
 * may say "partial" or "deleted" only below a parent that says "partial"
 * (section 4.4), and the default is "full": so in a partial document every
 * level down to the change carries its state.
 *
 * All text passes text() or uri(): libxml2 escapes what is markup, but would
 * write bytes that no XML document may hold.
 */
#include <errno.h>
#include <string.h>
#include <libxml/xmlwriter.h>
#include "focus/confinfo_priv.h"

enum { URI_SIZE = 1600, TEXT_SIZE = 512 };

static const char *const statusv[] = {
	[CI_PENDING]         = "pending",
	[CI_DIALING_OUT]     = "dialing-out",
	[CI_DIALING_IN]      = "dialing-in",
	[CI_ALERTING]        = "alerting",
	[CI_ON_HOLD]         = "on-hold",
	[CI_CONNECTED]       = "connected",
	[CI_MUTED_VIA_FOCUS] = "muted-via-focus",
	[CI_DISCONNECTING]   = "disconnecting",
	[CI_DISCONNECTED]    = "disconnected",
};
static const char *const joiningv[] = {
	[CI_DIALED_IN]   = "dialed-in",
	[CI_DIALED_OUT]  = "dialed-out",
};
static const char *const gonev[] = {
	[CI_DEPARTED] = "departed",
	[CI_BOOTED]   = "booted",
	[CI_FAILED]   = "failed",
	[CI_BUSY]     = "busy",
};

/** One document on its way out; err is set once and stays */
struct doc {
	xmlTextWriterPtr w;
	const struct confinfo *ci;
	const char *entity;
	uint64_t seen;           /* 0: everything                             */
	uint64_t seen_keys;
	enum detail detail;
	bool full;
	bool err;
};


/* ---- text ---------------------------------------------------------------- */

/** UTF-8, RFC 3629 section 4: which second byte may follow the first one */
static const struct {
	uint8_t first, last;
	uint8_t from, to;
	size_t len;
} utf8v[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 },
	{ 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
};


/** Bytes of a character that XML 1.0 may hold; 0: none, or no UTF-8 */
static size_t char_len(const uint8_t *p)
{
	if (p[0] < 0x80)
		return p[0] == '\t' || p[0] == '\n' ||
			(p[0] >= ' ' && p[0] != 0x7f);

	for (size_t i = 0; i < ARRAY_SIZE(utf8v); i++) {
		if (p[0] < utf8v[i].first || p[0] > utf8v[i].last)
			continue;
		if (p[1] < utf8v[i].from || p[1] > utf8v[i].to)
			return 0;
		for (size_t k = 2; k < utf8v[i].len; k++) {
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		}
		/* U+FFFE, U+FFFF */
		if (p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe)
			return 0;
		return utf8v[i].len;
	}

	return 0;
}


/** Bytes that no document may hold become '?'; cut at a character */
static void clean_text(char *out, size_t size, const char *s)
{
	const uint8_t *p = (const uint8_t *)s;
	size_t n = 0;

	while (*p) {
		size_t len = char_len(p);

		if (n + MAX(len, (size_t)1) >= size)
			break;
		if (len)
			memcpy(out + n, p, len);
		else
			out[n] = '?';
		len = MAX(len, (size_t)1);
		n += len;
		p += len;
	}
	out[n] = '\0';
}


/** A key: what no URI may hold is escaped, so that different ones stay so */
static void clean_uri(char *out, size_t size, const char *s)
{
	size_t n = 0;

	for (; *s && n + 4 <= size; s++) {
		const unsigned char c = (unsigned char)*s;

		if (c > ' ' && c < 0x7f && !strchr("<>\"{}|\\^`", c))
			out[n++] = *s;
		else
			n += (size_t)re_snprintf(out + n, size - n, "%%%02X",
						 c);
	}
	out[MIN(n, size - 1)] = '\0';
}


static void open_el(struct doc *d, const char *name)
{
	d->err |= xmlTextWriterStartElement(d->w, BAD_CAST name) < 0;
}


static void close_el(struct doc *d)
{
	d->err |= xmlTextWriterEndElement(d->w) < 0;
}


/** Text that is ours */
static void attr(struct doc *d, const char *name, const char *val)
{
	d->err |= xmlTextWriterWriteAttribute(d->w, BAD_CAST name,
					      BAD_CAST val) < 0;
}


static void plain(struct doc *d, const char *name, const char *val)
{
	d->err |= xmlTextWriterWriteElement(d->w, BAD_CAST name,
					    BAD_CAST val) < 0;
}


static void number(struct doc *d, const char *name, uint32_t n)
{
	char buf[16];

	(void)re_snprintf(buf, sizeof(buf), "%u", n);
	plain(d, name, buf);
}


/** Text of others */
static void text(struct doc *d, const char *name, const char *val)
{
	char buf[TEXT_SIZE];

	clean_text(buf, sizeof(buf), val);
	plain(d, name, buf);
}


static void uri(struct doc *d, const char *name, const char *val)
{
	char buf[URI_SIZE];

	clean_uri(buf, sizeof(buf), val);
	plain(d, name, buf);
}


static void entity(struct doc *d, const char *val)
{
	char buf[URI_SIZE];

	clean_uri(buf, sizeof(buf), val);
	attr(d, "entity", buf);
}


/** xs:dateTime, or nothing */
static const char *date_time(char buf[32], time_t t)
{
	struct tm tm;

	if (!t || !gmtime_r(&t, &tm) ||
	    !strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return NULL;

	return buf;
}


static void when(struct doc *d, time_t t)
{
	char buf[32];

	if (date_time(buf, t))
		plain(d, "when", buf);
}


/* ---- endpoint ------------------------------------------------------------ */

static const char *direction(const struct ci_endpoint *v)
{
	if (v->sends)
		return v->receives ? "sendrecv" : "sendonly";

	return v->receives ? "recvonly" : "inactive";
}


static void put_media(struct doc *d, const struct ci_endpoint *v)
{
	open_el(d, "media");
	attr(d, "id", "1");
	plain(d, "type", "audio");
	if (v->has_src)
		number(d, "src-id", v->src);
	plain(d, "status", direction(v));
	close_el(d);
}


static void put_protection(struct doc *d, const struct ci_endpoint *v)
{
	char buf[32];

	d->err |= xmlTextWriterStartElementNS(d->w, BAD_CAST "c",
		BAD_CAST "protection",
		BAD_CAST CONFINFO_NS_PROTECTION) < 0;
	if (v->suite)
		attr(d, "suite", v->suite);
	if (v->keying)
		attr(d, "keying", v->keying);
	if (v->epoch) {
		(void)re_snprintf(buf, sizeof(buf), "%u", v->epoch);
		attr(d, "epoch", buf);
	}
	if (date_time(buf, v->key_since))
		attr(d, "key-since", buf);
	if (v->proof)
		attr(d, "proof", v->proof);
	if (v->floor)
		attr(d, "floor", v->floor);
	close_el(d);
}


static void put_disconnection(struct doc *d, const struct endp *e)
{
	plain(d, "disconnection-method", gonev[e->end.how]);
	open_el(d, "disconnection-info");
	when(d, e->end.when);
	if (e->end.reason[0])
		text(d, "reason", e->end.reason);
	close_el(d);
}


/** Stable as long as the endpoint lives, and says nothing about it */
static void open_endpoint(struct doc *d, const struct endp *e,
			  const char *state)
{
	char buf[URI_SIZE];

	open_el(d, "endpoint");
	if (re_snprintf(buf, sizeof(buf), "%s;gr=%016llx", e->user->uri,
			(unsigned long long)e->id) < 0)
		d->err = true;
	else
		entity(d, buf);
	if (state)
		attr(d, "state", state);
}


static void put_endpoint(struct doc *d, const struct endp *e,
			 const char *state)
{
	open_endpoint(d, e, state);
	plain(d, "status", statusv[e->v.status]);
	plain(d, "joining-method", joiningv[e->v.joining]);
	open_el(d, "joining-info");
	when(d, e->v.joined);
	close_el(d);
	if (e->left) {
		put_disconnection(d, e);
	}
	else {
		put_media(d, &e->v);
		put_protection(d, &e->v);
	}
	close_el(d);
}


static bool has_news(const struct doc *d, const struct endp *e)
{
	if (e->mark.deleted)
		return e->mark.deleted > d->seen && e->mark.born <= d->seen;

	return e->mark.changed > d->seen ||
		(!e->left && e->keyed > d->seen_keys);
}


static void put_endpoint_news(struct doc *d, const struct endp *e)
{
	if (!has_news(d, e))
		return;

	if (e->mark.deleted) {
		open_endpoint(d, e, "deleted");
		close_el(d);
	}
	else if (e->mark.changed > d->seen) {
		put_endpoint(d, e, "full");
	}
	else {
		open_endpoint(d, e, "partial");
		put_protection(d, &e->v);
		close_el(d);
	}
}


/* ---- users --------------------------------------------------------------- */

static void open_user(struct doc *d, const struct user *u, const char *state)
{
	open_el(d, "user");
	entity(d, u->uri);
	if (state)
		attr(d, "state", state);
}


static void put_roles(struct doc *d, const struct user *u)
{
	if (!u->role)
		return;

	open_el(d, "roles");
	plain(d, "entry", u->role);
	/* what Linphone looks for before it lets its user add anybody */
	if (u->admin)
		plain(d, "entry", "admin");
	close_el(d);
}


static void put_user(struct doc *d, const struct user *u, const char *state)
{
	struct le *le;

	open_user(d, u, state);
	if (u->display)
		text(d, "display-text", u->display);
	put_roles(d, u);
	for (le = list_head(&u->endpl); le && d->detail == DETAIL_ALL;
	     le = le->next) {
		const struct endp *e = le->data;

		if (!e->mark.deleted)
			put_endpoint(d, e, NULL);
	}
	close_el(d);
}


static bool user_has_news(const struct doc *d, const struct user *u)
{
	struct le *le;

	/* who is back already is told as a whole, which replaces all */
	if (u->mark.deleted)
		return u->mark.deleted > d->seen && u->mark.born <= d->seen &&
			!confinfo_user(d->ci, u->uri);
	if (u->mark.born > d->seen || u->mark.changed > d->seen)
		return true;

	for (le = list_head(&u->endpl); le && d->detail == DETAIL_ALL;
	     le = le->next) {
		if (has_news(d, le->data))
			return true;
	}

	return false;
}


static void put_user_news(struct doc *d, const struct user *u)
{
	struct le *le;

	if (u->mark.deleted) {
		open_user(d, u, "deleted");
		close_el(d);
		return;
	}
	if (u->mark.born > d->seen) {
		put_user(d, u, "full");
		return;
	}

	open_user(d, u, "partial");
	if (u->mark.changed > d->seen)
		put_roles(d, u);
	for (le = list_head(&u->endpl); le && d->detail == DETAIL_ALL;
	     le = le->next)
		put_endpoint_news(d, le->data);
	close_el(d);
}


static void put_users(struct doc *d)
{
	bool open = d->full;
	struct le *le;

	if (d->full) {
		open_el(d, "users");
		attr(d, "state", "full");
	}

	for (le = list_head(&d->ci->userl); le && d->detail > DETAIL_COUNT;
	     le = le->next) {
		const struct user *u = le->data;

		if (d->full ? u->mark.deleted != 0 : !user_has_news(d, u))
			continue;
		if (!open) {
			open_el(d, "users");
			attr(d, "state", "partial");
			open = true;
		}
		if (d->full)
			put_user(d, u, "full");
		else
			put_user_news(d, u);
	}

	if (open)
		close_el(d);
}


/* ---- conference ---------------------------------------------------------- */

static void put_description(struct doc *d)
{
	const struct confinfo *ci = d->ci;

	open_el(d, "conference-description");
	text(d, "subject", ci->subject);
	open_el(d, "conf-uris");
	open_el(d, "entry");
	uri(d, "uri", ci->entity);
	plain(d, "purpose", "participation");
	close_el(d);
	close_el(d);
	if (ci->max_users)
		number(d, "maximum-user-count", ci->max_users);
	close_el(d);

	open_el(d, "host-info");
	text(d, "display-text", ci->host);
	close_el(d);
}


/** It has no state attribute: always told as a whole (section 4.6, 3.2) */
static void put_state(struct doc *d)
{
	open_el(d, "conference-state");
	number(d, "user-count", d->ci->userc);
	plain(d, "active", "true");
	plain(d, "locked", d->ci->locked ? "true" : "false");
	close_el(d);
}


static void open_root(struct doc *d, const char *state, uint32_t version)
{
	char buf[16];

	d->err |= xmlTextWriterStartDocument(d->w, "1.0", "UTF-8", NULL) < 0;
	d->err |= xmlTextWriterStartElementNS(d->w, NULL,
		BAD_CAST "conference-info", BAD_CAST CONFINFO_NS) < 0;
	entity(d, d->entity);
	attr(d, "state", state);
	(void)re_snprintf(buf, sizeof(buf), "%u", version);
	attr(d, "version", buf);
}


/** Open a document in memory, let bodyh fill it */
static int print(struct doc *d, const char *state, uint32_t version,
		 void (*bodyh)(struct doc *d), struct mbuf **mbp)
{
	xmlBufferPtr xb = xmlBufferCreate();
	struct mbuf *mb = NULL;
	int err = ENOMEM;

	d->w = xb ? xmlNewTextWriterMemory(xb, 0) : NULL;
	if (!d->w)
		goto out;

	open_root(d, state, version);
	if (bodyh)
		bodyh(d);
	close_el(d);
	d->err |= xmlTextWriterEndDocument(d->w) < 0;
	xmlFreeTextWriter(d->w);
	if (d->err)
		goto out;

	mb = mbuf_alloc((size_t)xmlBufferLength(xb));
	if (!mb)
		goto out;

	err = mbuf_write_mem(mb, xmlBufferContent(xb),
			     (size_t)xmlBufferLength(xb));
	mb->pos = 0;

 out:
	if (xb)
		xmlBufferFree(xb);
	if (err)
		mem_deref(mb);
	else
		*mbp = mb;

	return err;
}


static void full_body(struct doc *d)
{
	put_description(d);
	put_state(d);
	put_users(d);
}


static void partial_body(struct doc *d)
{
	if (d->ci->state_changed > d->seen)
		put_state(d);
	put_users(d);
}


/** Each change of it costs a full document: so up again only well below */
static bool fits(uint32_t count, uint32_t max, bool fitted)
{
	return count <= (fitted ? max : max * 3 / 4);
}


static enum detail detail_of(const struct confinfo *ci, int was)
{
	bool fresh = was == DETAIL_NONE;

	if (fits(ci->endpc, CI_ENDPOINTS_MAX, fresh || was == DETAIL_ALL))
		return DETAIL_ALL;
	if (fits(ci->userc, CI_USERS_MAX, fresh || was >= DETAIL_USERS))
		return DETAIL_USERS;

	return DETAIL_COUNT;
}


static bool any_news(const struct doc *d)
{
	struct le *le;

	if (d->ci->state_changed > d->seen)
		return true;

	for (le = list_head(&d->ci->userl); le && d->detail > DETAIL_COUNT;
	     le = le->next) {
		if (user_has_news(d, le->data))
			return true;
	}

	return false;
}


int confinfo_print(struct confinfo *ci, struct ci_view *view, bool full,
		   bool keys, struct mbuf **mbp)
{
	struct doc d;
	int err;

	memset(&d, 0, sizeof(d));
	d.ci = ci;
	d.entity = view->entity ? view->entity : ci->entity;
	d.detail = detail_of(ci, view->detail);
	d.full = full || !view->version || view->seen < ci->horizon ||
		view->detail != (int)d.detail;
	d.seen = d.full ? 0 : view->seen;
	d.seen_keys = d.full ? 0 : keys ? view->seen_keys : UINT64_MAX;
	if (!d.full && !any_news(&d)) {
		/* epochs, if at all, and those are seen by their own number */
		view->seen = ci->no;
		return ENOENT;
	}

	err = print(&d, d.full ? "full" : "partial", view->version + 1,
		    d.full ? full_body : partial_body, mbp);
	if (err)
		return err;

	++view->version;
	view->seen = ci->no;
	view->detail = (int)d.detail;
	if (d.full || keys)
		view->seen_keys = ci->no;

	return 0;
}


int confinfo_print_deleted(const struct confinfo *ci, struct ci_view *view,
			   struct mbuf **mbp)
{
	struct doc d;

	memset(&d, 0, sizeof(d));
	d.ci = ci;
	d.entity = view->entity ? view->entity : ci->entity;
	++view->version;

	return print(&d, "deleted", view->version, NULL, mbp);
}
