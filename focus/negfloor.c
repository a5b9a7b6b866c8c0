/**
 * @file focus/negfloor.c  The BFCP line of a session description
 */
#include <string.h>
#include "focus/negfloor.h"

enum { PORT_ACTIVE = 9 };        /* discard: RFC 4145 section 4.1             */


/** Is a word in a list with spaces between? */
static bool has_word(const struct pl *list, const char *word)
{
	const size_t n = strlen(word);
	const char *p = list->p, *end = list->p + list->l;

	while (p < end) {
		const char *sp = memchr(p, ' ', (size_t)(end - p));
		const size_t len = (size_t)((sp ? sp : end) - p);

		if (len == n && !memcmp(p, word, n))
			return true;
		p += len + 1;
	}

	return false;
}


/**
 * RFC 8856 section 5.1: without the attribute the offerer is client.  "c-s",
 * which must be taken from old peers, means both.
 */
static bool peer_is_client(const struct descr_media *m)
{
	return !pl_isset(&m->floorctrl) || has_word(&m->floorctrl, "c-only") ||
		has_word(&m->floorctrl, "c-s");
}


/** Section 5.5: without the attribute TCP means version 1 */
static bool version_fits(const struct descr_media *m)
{
	return !pl_isset(&m->bfcpver) || has_word(&m->bfcpver, "1");
}


/** RFC 4145 section 4: the default is active */
static bool setup_fits(struct neg_floor *f, const struct descr_media *m)
{
	if (!pl_isset(&m->setup) || !pl_strcmp(&m->setup, "active") ||
	    !pl_strcmp(&m->setup, "actpass"))
		return true;

	f->we_connect = true;
	f->peer = m->addr;

	return !pl_strcmp(&m->setup, "passive") && !m->hold_addr;
}


/**
 * At least one with a hash that proves something; malformed ones are none.  No
 * attribute at all leaves it to the certificate of the caller.
 */
static bool fingerprints_fit(struct neg_floor *f, const struct descr_media *m)
{
	for (unsigned i = 0; i < m->fpc && f->fps.c < FLOORTLS_FP_MAX; i++) {
		if (!floortls_fp_decode(&f->fps.v[f->fps.c], &m->fpv[i]))
			++f->fps.c;
	}

	return f->fps.c || !m->fpc;
}


static bool line_fits(struct neg_floor *f, const struct descr_media *m)
{
	memset(f, 0, sizeof(*f));

	return m->port && !pl_strcmp(&m->type, "application") &&
		!pl_strcmp(&m->proto, "TCP/TLS/BFCP") && peer_is_client(m) &&
		version_fits(m) && setup_fits(f, m) && fingerprints_fit(f, m);
}


static bool pick(struct neg_floor *f, const struct descr *d, bool named)
{
	for (unsigned i = 0; i < d->mediac; i++) {
		const struct descr_media *m = &d->mediav[i];

		if ((m->fpc != 0) != named || !line_fits(f, m))
			continue;
		f->on = true;
		f->index = i;
		f->existing = !pl_strcmp(&m->connection, "existing");
		f->floorctrl = pl_isset(&m->floorctrl);
		return true;
	}

	return false;
}


void neg_floor_pick(struct neg_floor *f, const struct descr *d)
{
	if (!pick(f, d, true) && !pick(f, d, false))
		memset(f, 0, sizeof(*f));
}


int neg_floor_label(struct mbuf *mb)
{
	return mbuf_printf(mb, "a=label:%u\r\n", NEG_FLOOR_LABEL);
}


/**
 * A first offer leaves the direction to the peer.  bfcpver and floorctrl are
 * in every answer: RFC 8856 section 10.2.
 */
int neg_floor_print(struct mbuf *mb, const struct neg_floor *f,
		    const struct neg_floor_local *l)
{
	const bool connect = f && f->we_connect;
	int err;

	err  = mbuf_printf(mb, "m=application %u TCP/TLS/BFCP *\r\n",
			   connect ? PORT_ACTIVE : sa_port(&l->addr));
	err |= mbuf_printf(mb, "c=IN IP%d %j\r\n",
			   sa_af(&l->addr) == AF_INET6 ? 6 : 4, &l->addr);
	err |= mbuf_printf(mb, "a=setup:%s\r\na=connection:%s\r\n",
			   connect ? "active" : "passive",
			   l->existing ? "existing" : "new");
	err |= mbuf_printf(mb, "a=fingerprint:%H\r\n", floortls_fp_print,
			   l->fp);
	err |= mbuf_printf(mb, "a=floorctrl:s-only\r\na=confid:%u\r\n"
			   "a=userid:%u\r\na=floorid:%u mstrm:%u\r\n"
			   "a=bfcpver:1\r\n", l->confid, l->userid,
			   NEG_FLOOR_ID, NEG_FLOOR_LABEL);

	return err;
}
