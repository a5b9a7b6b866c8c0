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
	tmr_cancel(&gc->tmr_age);
}


bool gclass_same(const struct gclass *gc, const struct neg *n)
{
	return gc->codec == n->codec && gc->pt == n->pt &&
		gc->ptime == n->ptime && gc->suite == n->sdes.suite->id &&
		gc->opus_max_rate == n->opus_max_rate &&
		gc->opus_fec == n->opus_fec && gc->opus_dtx == n->opus_dtx &&
		gc->opus_cbr == n->opus_cbr;
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
	tmr_init(&gc->tmr_draw);
	tmr_init(&gc->tmr_age);
	list_append(&c->classl, &gc->le, gc);
	*gcp = gc;

	return 0;
}


int gclass_admit(struct gclass *gc, struct endpoint *ep)
{
	const struct cfg_conf *cc = gc->conf->cc;
	uint64_t now = tmr_jiffies(), next;
	uint32_t space = MAX(cc->rekey_window_ms, cc->join_rekey_interval_ms);

	list_append(&gc->waitl, &ep->le_class, ep);
	ep->next_gc = gc;

	next = gc->live ? gc->live->drawn + space : now;
	if (next > now) {
		gepoch_want(gc, (uint32_t)(next - now));
		return EAGAIN;
	}

	/* takes everybody who waits, this one too, and calls nobody back */
	list_unlink(&ep->le_class);
	if (gepoch_draw(gc)) {
		ep->next_gc = NULL;
		gclass_check(gc);
		return ENOMEM;
	}
	ep->next_ge = mem_ref(gc->live);
	ep->known = gc->live->no;

	return 0;
}


void gclass_member(struct gclass *gc, struct endpoint *ep)
{
	ep->gc = gc;
	list_unlink(&ep->le_class);
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


void gclass_leave(struct endpoint *ep, uint32_t grace_ms)
{
	struct gclass *gc = ep->gc ? ep->gc : ep->next_gc;
	struct le *le;
	uint32_t known = ep->known;

	list_unlink(&ep->le_class);
	ep->ge = mem_deref(ep->ge);
	ep->next_ge = mem_deref(ep->next_ge);
	ep->offer_ge = mem_deref(ep->offer_ge);
	ep->gc = ep->next_gc = NULL;
	ep->known = 0;
	if (!gc)
		return;

	mem_ref(gc);
	for (le = list_head(&gc->epochl); le; ) {
		struct gepoch *ge = le->data;

		le = le->next;
		if (ge->no <= known)
			gepoch_expose(ge, grace_ms);
	}

	if (gc->live && gc->live->no <= known && gc->memberl.head &&
	    !gc->conf->ending)
		renew(gc, grace_ms);
	gclass_check(gc);
	mem_deref(gc);
}


void gclass_check(struct gclass *gc)
{
	if (!gc->memberl.head && !gc->waitl.head)
		gclass_close(gc);
}


void gclass_close(struct gclass *gc)
{
	if (gc->closing)
		return;

	gc->closing = true;
	tmr_cancel(&gc->tmr_draw);
	tmr_cancel(&gc->tmr_age);
	list_unlink(&gc->le);
	gc->live = mem_deref(gc->live);
	mem_deref(gc);
}
