/**
 * @file focus/promote.c  From an endpoint's own key to the group key
 *
 * In keying "auto" every leg starts on a key of its own, because some clients
 * answer a re-INVITE with a new key 200 and go on with the old one.  A leg that
 * has joined is offered the group key; until its RTCP reports name the group
 * stream, which only the new key opens, it gets both streams, so that neither
 * kind of client has a gap.  One that proves nothing in time keeps its own key
 * for good.  What clients proved is remembered by their User-Agent (uamem.h), so
 * that the next of their kind needs no trial.
 *
 * In keying "group" a leg that took a delayed offer comes here too: its first
 * keys were drawn before its class was known.
 */
#include "focus/epmedia.h"
#include "focus/promote.h"
#include "focus/rekey.h"
#include "focus/tree.h"
#include "focus/uamem.h"
#include "log.h"

/** The admin's word; FOLLOWS_ASK: none */
static enum follows configured(const struct endpoint *ep)
{
	const struct cfg_digest *cd;
	struct pl ua;

	pl_set_str(&ua, ep->user_agent);
	cd = cfg_digest_find(ep->part->conf->cfg, &ua);

	return cd ? cd->follows : FOLLOWS_ASK;
}


/** The admin's word, what it showed itself, then experience with others */
static enum follows expect(const struct endpoint *ep)
{
	const enum follows word = configured(ep);

	if (word != FOLLOWS_ASK)
		return word;
	if (ep->follows != FOLLOWS_ASK)
		return ep->follows;

	return uamem_expect(ep->part->conf->focus->uamem, ep->user_agent,
			    ep->part->identity, tmr_jiffies());
}


/** Others' experience ends no call: whoever lies would end theirs */
bool promote_never(const struct endpoint *ep)
{
	return ep->follows == FOLLOWS_NO || configured(ep) == FOLLOWS_NO;
}


/** Those whom we called name no User-Agent, and nobody has asked who they are */
void promote_remember(const struct endpoint *ep, enum follows follows)
{
	if (ep->proof == PROOF_NONE || ep->proof == PROOF_CALLED)
		return;

	uamem_show(ep->part->conf->focus->uamem, ep->user_agent,
		   ep->part->identity, follows, tmr_jiffies());
}


/* ---- promotion ----------------------------------------------------------- */

void promote_start(struct endpoint *ep)
{
	const struct conference *c = ep->part->conf;
	enum follows follows;
	struct gclass *gc;

	/* a key that it has not been told yet comes first, or it would be deaf
	 * until there is an epoch */
	if (c->cc->keying == KEYING_ENDPOINT || ep->gc || !ep->tx ||
	    ep->own_due || ep->forked)
		return;

	/* in a group conference nobody is asked; who cannot is ended */
	follows = c->cc->keying == KEYING_GROUP ? FOLLOWS_YES : expect(ep);
	if (follows == FOLLOWS_NO || gclass_get(&gc, ep->part->conf, &ep->neg))
		return;
	ep->follows = follows;

	/* it hears all the while, so the next epoch can wait for others who
	 * come; one that exists already was not made for it */
	gclass_member(gc, ep, gc->epoch_no + 1);
	ep->trial = ep->follows == FOLLOWS_ASK;

	/* alone it would share its stream with nobody: the second one asks for
	 * both */
	if (c->cc->keying == KEYING_AUTO && !gc->live &&
	    list_count(&gc->memberl) < 2)
		return;

	gepoch_want(gc, MAX(gclass_join_delay(gc), c->cc->rekey_window_ms));
}


static void trial_handler(void *arg)
{
	struct endpoint *ep = arg;

	/* on hold there is nothing that it could report about */
	if (ep->neg.peer_receives)
		(void)promote_give_up(ep, "does_not_follow");
	else
		promote_switched(ep);
}


/** With MKI the leg has both keys, for as long as it is in a group */
static void own_done(struct endpoint *ep)
{
	if (!ep->neg.mki_len)
		epmedia_drop_own(ep);
}


void promote_switched(struct endpoint *ep)
{
	if (!ep->trial)
		own_done(ep);
	else if (!tmr_isrunning(&ep->tmr_trial))
		tmr_start(&ep->tmr_trial,
			  ep->part->conf->cc->trial_overlap_ms,
			  trial_handler, ep);
}


void promote_proof(struct endpoint *ep, uint32_t epoch)
{
	/* an older epoch belongs to a trial that was broken off */
	if (!ep->trial || !ep->ge || epoch < ep->first)
		return;

	promote_stop(ep);
	ep->follows = FOLLOWS_YES;
	promote_remember(ep, FOLLOWS_YES);
	log_info("ev=promoted conf=%s part=%u leg=%llu epoch=%u",
		 ep->part->conf->label, ep->part->id,
		 (unsigned long long)ep->leg, epoch);
	(void)epmedia_resend(ep);
	if (!ep->next_own)
		own_done(ep);
}


/**
 * Its own stream never stopped, so a client that kept its old key has heard
 * all the time.  One that did take the group key, but never reports, gets its
 * own key back by an offer.
 */
bool promote_give_up(struct endpoint *ep, const char *reason)
{
	const struct conference *c = ep->part->conf;

	if (!ep->trial || c->cc->keying != KEYING_AUTO)
		return false;

	promote_stop(ep);
	ep->follows = FOLLOWS_NO;
	promote_remember(ep, FOLLOWS_NO);
	log_info("ev=stays_endpoint conf=%s part=%u leg=%llu reason=%s",
		 c->label, ep->part->id, (unsigned long long)ep->leg, reason);

	/* it is in the conference, but out of the group: the others are moved to
	 * a key that it never had, without haste while it is here */
	ep->own_due = !ep->neg.mki_len &&
		(ep->ge || ep->next_ge || ep->offer_ge);
	gclass_leave(ep, MAX(c->cc->leave_grace_ms, (uint32_t)STAY_GRACE_MS));
	(void)epmedia_resend(ep);
	rekey_start(ep);

	return true;
}


void promote_stop(struct endpoint *ep)
{
	tmr_cancel(&ep->tmr_trial);
	ep->trial = false;
}
