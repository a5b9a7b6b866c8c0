/**
 * @file focus/rekey.c  One endpoint's way to the live epoch
 *
 * A client that did not negotiate MKI has one receive key, changed only by an
 * offer: re-INVITE, or UPDATE if it allows that.  The dialog layer sends one
 * offer at a time and asks for its text when it can go out, so an endpoint
 * that is slow skips the epochs it missed.  The mixer switches the leg when
 * its 200 is there, and no earlier: until then the leg hears the old epoch.
 *
 * Refs: RFC 4568 section 7.1.4, RFC 3311, RFC 3261 section 14
 */
#include "focus/tree.h"
#include "log.h"

enum { REKEY_TRIES = 2 };


static bool is_behind(const struct endpoint *ep)
{
	return ep->gc && ep->gc->live && ep->ge != ep->gc->live &&
		ep->state != EP_LEFT;
}


/**
 * The agreed session in an offer of ours: with the live epoch of its class, or
 * its own key.  For a rekey, a refresh, and a re-INVITE without a body.
 */
struct mbuf *rekey_offer(struct endpoint *ep, enum sdp_dir dir)
{
	const struct secret *key = ep->tx;
	struct neg_local l;
	struct mbuf *sdp;

	neg_offered_reset(&ep->offered);
	ep->offered.linec = 1;
	ep->offered.linev[0].tag = ep->neg.sdes.tag;
	ep->offered.linev[0].suite = ep->neg.sdes.suite->id;

	ep->offer_ge = mem_deref(ep->offer_ge);
	/* never an epoch from before it joined */
	if (ep->gc && ep->gc->live &&
	    (ep->ge || ep->gc->live->drawn >= ep->started)) {
		ep->offer_ge = mem_ref(ep->gc->live);
		ep->known = ep->gc->live->no;
		key = ep->offer_ge->key;
	}

	epmedia_local(ep, &l);
	if (!key || neg_print_reoffer(&sdp, &ep->neg, &ep->mlines, &l, key,
				      dir))
		return NULL;

	return sdp;
}


static struct mbuf *make_offer(struct dlg *dlg, void *arg)
{
	struct endpoint *ep = arg;
	(void)dlg;

	/* settle_reply() asks again when the leg is where the last one put it */
	if (!is_behind(ep) || ep->media_pending)
		return NULL;

	log_debug("ev=rekey_offer conf=%s part=%u leg=%llu epoch=%u",
		  ep->part->conf->label, ep->part->id,
		  (unsigned long long)ep->leg, ep->gc->live->no);

	return rekey_offer(ep, ep->neg.dir);
}


void rekey_start(struct endpoint *ep)
{
	if (is_behind(ep) && ep->dlg)
		(void)dlg_offer(ep->dlg, DLG_AUTO, make_offer);
}


/* ---- a key that nobody else has read -------------------------------------- */

static struct mbuf *fresh_offer(struct dlg *dlg, void *arg)
{
	struct endpoint *ep = arg;
	struct neg_offered *off = &ep->offered;
	struct neg_local l;
	struct mbuf *sdp;
	(void)dlg;

	if (ep->state == EP_LEFT || ep->gc || ep->media_pending)
		return NULL;

	neg_offered_reset(off);
	off->linec = 1;
	off->linev[0].tag = ep->neg.sdes.tag;
	off->linev[0].suite = ep->neg.sdes.suite->id;
	if (secret_draw(&off->linev[0].key,
			suite_keysalt_len(ep->neg.sdes.suite)))
		return NULL;

	epmedia_local(ep, &l);
	if (neg_print_reoffer(&sdp, &ep->neg, &ep->mlines, &l,
			      off->linev[0].key, ep->neg.dir))
		return NULL;

	log_debug("ev=fresh_key_offer conf=%s part=%u leg=%llu",
		  ep->part->conf->label, ep->part->id,
		  (unsigned long long)ep->leg);

	return sdp;
}


void rekey_fresh(struct endpoint *ep)
{
	if (ep->neg.sdes.suite && ep->part->conf->cc->keying != KEYING_GROUP)
		(void)dlg_offer(ep->dlg, DLG_AUTO, fresh_offer);
}


/**
 * The offer was refused for good.  The leg hears nothing of the live epoch, so
 * it gets one more chance and is then ended: a member who is deaf for ever
 * serves nobody.
 */
void rekey_failed(struct endpoint *ep, uint16_t scode)
{
	ep->offer_ge = mem_deref(ep->offer_ge);
	log_warn("ev=rekey_failed conf=%s part=%u leg=%llu status=%u",
		 ep->part->conf->label, ep->part->id,
		 (unsigned long long)ep->leg, scode);

	if (promote_give_up(ep, "refused"))
		return;

	if (++ep->rekey_fails < REKEY_TRIES && ep->forked)
		rekey_fresh(ep);
	else if (ep->rekey_fails < REKEY_TRIES)
		rekey_start(ep);
	else
		endpoint_end(ep, 488, "Rekey refused");
}
