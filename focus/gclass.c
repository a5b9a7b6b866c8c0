/**
 * @file focus/gclass.c  Delivery classes: who shares a group key
 *
 * A class is made by its first endpoint and dissolved by its last.  Nobody is
 * admitted to an epoch that was in use before, so that a joiner can open
 * nothing that was sent before it came.
 *
 * Refs: RFC 3711 section 9.1; TR 33.829 clauses 5.1.2 and 5.3.1
 */
#include "focus/tree.h"
#include "log.h"


static void destructor(void *arg)
{
	struct gclass *gc = arg;

	list_unlink(&gc->le);
	tmr_cancel(&gc->tmr_draw);
	tmr_cancel(&gc->tmr_admit);
	tmr_cancel(&gc->tmr_age);
}


bool gclass_same(const struct gclass *gc, const struct neg *n)
{
	return gc->codec == n->codec && gc->pt == n->pt &&
		gc->ptime == n->ptime && gc->suite == n->sdes.suite->id &&
		gc->opus_max_rate == n->opus_max_rate &&
		gc->opus_fec == n->opus_fec && gc->opus_dtx == n->opus_dtx &&
		gc->opus_cbr == n->opus_cbr && gc->mki_len == n->mki_len;
}


int gclass_get(struct gclass **gcp, struct conference *c, const struct neg *n)
{
	struct gclass *gc;
	struct le *le;

	for (le = list_head(&c->classl); le; le = le->next) {
		gc = le->data;
		if (gclass_same(gc, n)) {
			*gcp = gc;
			return 0;
		}
	}

	gc = mem_zalloc(sizeof(*gc), destructor);
	if (!gc)
		return ENOMEM;

	gc->conf = c;
	gc->id = ++c->class_id;
	gc->codec = n->codec;
	gc->pt = n->pt;
	gc->ptime = n->ptime;
	gc->opus_max_rate = n->opus_max_rate;
	gc->opus_fec = n->opus_fec;
	gc->opus_dtx = n->opus_dtx;
	gc->opus_cbr = n->opus_cbr;
	gc->suite = n->sdes.suite->id;
	gc->mki_len = n->mki_len;
	tmr_init(&gc->tmr_draw);
	tmr_init(&gc->tmr_admit);
	tmr_init(&gc->tmr_age);
	list_append(&c->classl, &gc->le, gc);
	*gcp = gc;

	return 0;
}


bool gclass_pin(const struct gclass *gc, struct neg *n)
{
	if (gc->codec != n->codec || gc->pt != n->pt ||
	    gc->suite != n->sdes.suite->id)
		return false;

	/* preferences for how to encode (RFC 7587 section 7.1): those of the
	 * offer that brought it here hold, or every answer could move it to
	 * another class and so cost everybody an epoch */
	n->ptime = gc->ptime;
	n->opus_max_rate = gc->opus_max_rate;
	n->opus_fec = gc->opus_fec;
	n->opus_dtx = gc->opus_dtx;
	n->opus_cbr = gc->opus_cbr;
	n->mki_len = gc->mki_len;

	return true;
}


uint32_t gclass_join_delay(const struct gclass *gc)
{
	const struct cfg_conf *cc = gc->conf->cc;
	uint64_t now = tmr_jiffies();
	uint64_t next = gc->live ? gc->live->drawn +
		MAX(cc->rekey_window_ms, cc->join_rekey_interval_ms) : now;

	return next > now ? (uint32_t)(next - now) : 0;
}


/** Dissolve if nobody is left */
static void check(struct gclass *gc)
{
	if (!gc->memberl.head && !gc->waitl.head)
		gclass_close(gc);
}


int gclass_admit(struct gclass *gc, struct endpoint *ep)
{
	uint32_t delay = gclass_join_delay(gc);
	bool others = gc->waitl.head != NULL;

	list_append(&gc->waitl, &ep->le_wait, ep);
	ep->next_gc = gc;
	ep->waiting = delay || others;
	if (ep->waiting) {
		gepoch_want(gc, delay);
		return EAGAIN;
	}

	if (gepoch_draw(gc)) {
		gclass_unwait(ep);
		return ENOMEM;
	}
	ep->next_ge = mem_ref(gc->live);

	return 0;
}


void gclass_unwait(struct endpoint *ep)
{
	struct gclass *gc = ep->next_gc;

	list_unlink(&ep->le_wait);
	ep->waiting = false;
	ep->next_gc = NULL;
	if (gc)
		check(gc);
}


void gclass_member(struct gclass *gc, struct endpoint *ep, uint32_t first)
{
	ep->gc = gc;
	ep->first = first;
	ep->known = 0;
	list_append(&gc->memberl, &ep->le_class, ep);
}


/** At once, unless the last epoch is younger than the window (kick: even then) */
static void renew(struct gclass *gc, uint32_t grace_ms)
{
	uint64_t now = tmr_jiffies();
	uint64_t next = gc->live->drawn + gc->conf->cc->rekey_window_ms;

	if (next > now && grace_ms)
		gepoch_want(gc, (uint32_t)(next - now));
	else
		(void)gepoch_draw(gc);
}


static void expose(struct gclass *gc, uint32_t known, uint32_t grace_ms)
{
	struct le *le = list_head(&gc->epochl);

	while (le) {
		struct gepoch *ge = le->data;

		le = le->next;
		if (ge->no <= known)
			gepoch_expose(ge, grace_ms);
	}
}


void gclass_leave(struct endpoint *ep, uint32_t grace_ms)
{
	struct gclass *gc = ep->gc;
	uint32_t known = ep->known;

	if (!gc)
		return;

	mem_ref(gc);
	list_unlink(&ep->le_class);
	ep->gc = NULL;
	ep->known = ep->first = 0;
	ep->ge = mem_deref(ep->ge);
	ep->offer_ge = mem_deref(ep->offer_ge);
	if (ep->next_ge && ep->next_ge->gc == gc)
		ep->next_ge = mem_deref(ep->next_ge);

	expose(gc, known, grace_ms);
	if (gc->live && gc->live->no <= known && !gc->conf->ending &&
	    (gc->memberl.head || gc->waitl.head))
		renew(gc, grace_ms);
	check(gc);
	mem_deref(gc);
}


void gclass_cut(struct conference *c, uint32_t grace_ms)
{
	struct le *ce, *le;

	for (ce = list_head(&c->classl); ce; ce = ce->next) {
		const struct gclass *gc = ce->data;

		for (le = list_head(&gc->epochl); le; ) {
			struct gepoch *ge = le->data;

			le = le->next;
			if (tmr_isrunning(&ge->tmr))
				gepoch_expose(ge, grace_ms);
		}
	}
}


void gclass_lost(struct conference *c)
{
	struct le *le;

	for (le = list_head(&c->classl); le; le = le->next) {
		const struct gclass *gc = le->data;
		struct le *ee;

		for (ee = list_head(&gc->epochl); ee; ee = ee->next)
			gepoch_lost(ee->data);
	}
}


void gclass_recover(struct conference *c)
{
	struct le *le;

	/* what cannot be drawn now is tried again soon */
	for (le = list_head(&c->classl); le; le = le->next) {
		struct gclass *gc = le->data;

		if (gc->live && gc->live->retired)
			(void)gepoch_draw(gc);
	}
}


int gclass_rekey(struct conference *c, unsigned *members)
{
	struct le *le;
	int err = 0;

	*members = 0;
	for (le = list_head(&c->classl); le; le = le->next) {
		struct gclass *gc = le->data;

		if (!gc->live)
			continue;
		expose(gc, gc->live->no, c->cc->leave_grace_ms);
		err |= gepoch_draw(gc);
		*members += list_count(&gc->memberl);
	}

	return err;
}


void gclass_close(struct gclass *gc)
{
	if (gc->closing)
		return;

	gc->closing = true;
	tmr_cancel(&gc->tmr_draw);
	tmr_cancel(&gc->tmr_admit);
	tmr_cancel(&gc->tmr_age);
	list_unlink(&gc->le);
	gc->live = mem_deref(gc->live);
	mem_deref(gc);
}
