/**
 * @file focus/rekey.c  One endpoint's way to the key it should have
 *
 * A client has one receive key, or with MKI one and its own, changed only by an
 * offer: re-INVITE, or UPDATE if it allows that.  The dialog layer sends one
 * offer at a time and asks for its text when it can go out, so an endpoint
 * that is slow skips the epochs it missed.  The mixer switches the leg when
 * its 200 is there, and no earlier: until then the leg hears the old epoch.
 *
 * An epoch concerns everybody at once, so a conference has PACE_MAX offers
 * without an answer at most; one that is slow to answer holds its place for
 * PACE_MS only, or it would delay the others.
 *
 * Refs: RFC 4568 section 7.1.4, RFC 3311, RFC 3261 section 14
 */
#include "focus/epmedia.h"
#include "focus/keyage.h"
#include "focus/promote.h"
#include "focus/rekey.h"
#include "focus/tree.h"
#include "log.h"

enum { REKEY_TRIES = 2, PACE_MAX = 100, PACE_MS = 200 };


/** Does the live epoch of its class wait for it? */
static bool is_behind(const struct endpoint *ep)
{
	const struct gepoch *live = ep->gc ? ep->gc->live : NULL;

	/* one from before it came would open what it must not hear */
	return live && ep->ge != live && !live->retired &&
		live->no >= ep->first;
}


/** Is a key of its own in the next offer?  In a group only with MKI. */
static bool has_own(const struct endpoint *ep, const struct gepoch *ge)
{
	return !ge || ep->neg.mki_len;
}


static bool is_due(const struct endpoint *ep)
{
	return ep->state != EP_LEFT && ep->neg.sdes.suite &&
		(is_behind(ep) || ep->forked ||
		 (!ep->gc && ep->own_due && ep->tx) ||
		 (has_own(ep, ep->ge) && keyage_over(ep)));
}


/* ---- the offer ----------------------------------------------------------- */

/** Epoch and key of its own, as our offer shows them */
static int offer_keys(struct neg_keys *keys, struct endpoint *ep,
		      const struct gepoch *ge)
{
	const struct suite *s = ep->neg.sdes.suite;
	struct neg_offered *off = &ep->offered;
	const struct secret *own = ep->tx;
	int err = 0;

	neg_offered_reset(off);
	off->linec = 1;
	off->linev[0].tag = ep->neg.sdes.tag;
	off->linev[0].suite = s->id;
	if ((ep->forked || keyage_over(ep)) && has_own(ep, ge)) {
		err = secret_seen_draw(&off->linev[0].key,
				       suite_keysalt_len(s));
		own = off->linev[0].key;
	}
	epmedia_show(keys, ge, own, ep->neg.mki_len);

	return keys->c ? err : ENOKEY;
}


struct mbuf *rekey_offer(struct endpoint *ep, enum sdp_dir dir, bool asked)
{
	struct gepoch *ge = is_behind(ep) ? ep->gc->live : ep->ge;
	struct neg_keys keys;
	struct neg_local l;
	struct mbuf *sdp;

	/* what it does with a key that it asked for proves nothing about one
	 * that it did not: its trial starts anew afterwards */
	if (asked && ep->trial)
		ge = NULL;
	if (asked || !tmr_isrunning(&ep->tmr_deaf))
		ep->asked = asked;
	if (offer_keys(&keys, ep, ge))
		return NULL;

	epmedia_local(ep, &l);
	if (neg_print_reoffer(&sdp, &ep->neg, &ep->mlines, &l, &keys, dir))
		return NULL;

	mem_deref(ep->offer_ge);
	ep->offer_ge = mem_ref(ge);
	ep->offer_own = !ge;
	if (ge)
		epmedia_told(ep, ge);

	return sdp;
}


static struct mbuf *make_offer(struct dlg *dlg, void *arg)
{
	struct endpoint *ep = arg;
	struct conference *c = ep->part->conf;
	struct mbuf *sdp;
	(void)dlg;

	/* epmedia_commit() asks again when the leg is where the last exchange
	 * put it */
	if (!is_due(ep) || ep->media_pending)
		return NULL;

	sdp = rekey_offer(ep, ep->neg.dir, false);
	if (!sdp)
		return NULL;

	if (ep->offer_round != c->rekey_round + 1) {
		ep->offer_round = c->rekey_round + 1;
		++c->rekey_outc;
	}
	log_debug("ev=rekey_offer conf=%s part=%u leg=%llu epoch=%u", c->label,
		  ep->part->id, (unsigned long long)ep->leg,
		  ep->offer_ge ? ep->offer_ge->no : 0);

	return sdp;
}


/* ---- pacing -------------------------------------------------------------- */

static void round_handler(void *arg);


static void pump_handler(void *arg)
{
	struct conference *c = arg;
	struct le *le;

	mem_ref(c);
	while (c->rekey_outc < PACE_MAX && (le = list_head(&c->rekeyl))) {
		struct endpoint *ep = le->data;

		list_unlink(&ep->le_rekey);
		if (is_due(ep))
			(void)dlg_offer(ep->dlg, DLG_AUTO, make_offer);
	}
	if (c->rekeyl.head && !tmr_isrunning(&c->tmr_round))
		tmr_start(&c->tmr_round, PACE_MS, round_handler, c);
	mem_deref(c);
}


/** Those who are still to answer do not count any more */
static void round_handler(void *arg)
{
	struct conference *c = arg;

	c->rekey_outc = 0;
	++c->rekey_round;
	pump_handler(c);
}


/** Always from the loop: an offer that cannot be sent ends its endpoint, and
 *  those who ask are in the middle of something */
void rekey_start(struct endpoint *ep)
{
	struct conference *c = ep->part->conf;

	if (!is_due(ep) || ep->le_rekey.list)
		return;

	/* who hears nothing at all goes first */
	if (ep->forked)
		list_prepend(&c->rekeyl, &ep->le_rekey, ep);
	else
		list_append(&c->rekeyl, &ep->le_rekey, ep);
	if (c->rekey_outc < PACE_MAX && !tmr_isrunning(&c->tmr_rekey))
		tmr_start(&c->tmr_rekey, 0, pump_handler, c);
}


void rekey_settled(struct endpoint *ep)
{
	struct conference *c = ep->part->conf;

	if (!ep->offer_round)
		return;

	if (ep->offer_round == c->rekey_round + 1) {
		--c->rekey_outc;
		if (c->rekeyl.head)
			tmr_start(&c->tmr_rekey, 0, pump_handler, c);
	}
	ep->offer_round = 0;
}


void rekey_stop(struct endpoint *ep)
{
	list_unlink(&ep->le_rekey);
	rekey_settled(ep);
}


/* ---- a key that nobody else has read -------------------------------------- */

void rekey_forked(struct endpoint *ep)
{
	/* it has another key by now, or none of its own any more */
	if (!endpoint_is_new(ep) && !ep->tx_forkable)
		return;

	log_info("ev=forked conf=%s part=%u leg=%llu", ep->part->conf->label,
		 ep->part->id, (unsigned long long)ep->leg);
	ep->forked = true;
	/* a trial goes on under its own key; an epoch that it takes for good is
	 * one that nobody else has read */
	if (ep->gc && (ep->trial ||
		       !(ep->ge || ep->next_ge || ep->offer_ge))) {
		promote_stop(ep);
		gclass_leave(ep, STAY_GRACE_MS);
	}
	(void)epmedia_resend(ep);
	rekey_start(ep);
}


/* ---- refused ------------------------------------------------------------- */

/**
 * The offer was refused for good.  The leg hears nothing of the live epoch (or
 * of its own stream, after an epoch that it took), so it gets one more chance
 * and is then ended: a member who is deaf for ever serves nobody.
 */
void rekey_failed(struct endpoint *ep, uint16_t scode)
{
	rekey_settled(ep);
	ep->offer_ge = mem_deref(ep->offer_ge);
	ep->offer_own = false;
	log_warn("ev=rekey_failed conf=%s part=%u leg=%llu status=%u",
		 ep->part->conf->label, ep->part->id,
		 (unsigned long long)ep->leg, scode);

	if (promote_give_up(ep, "refused"))
		return;

	if (++ep->rekey_fails < REKEY_TRIES)
		rekey_start(ep);
	else
		endpoint_end(ep, 488, "Rekey refused");
}
