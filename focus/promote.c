/**
 * @file focus/promote.c  From an endpoint's own key to the group key
 *
 * In keying "auto" every leg starts on a key of its own, because some clients
 * answer a re-INVITE with a new key 200 and go on with the old one.  A leg that
 * has joined is offered the group key; until its RTCP reports name the group
 * stream, which only the new key opens, it gets both streams, so that neither
 * kind of client has a gap.  One that proves nothing in time keeps its own key
 * for good.  What a client proved is remembered by its User-Agent, so that the
 * next of its kind needs no trial.
 *
 * In keying "group" a leg that took a delayed offer comes here too: its first
 * keys were drawn before its class was known.
 */
#include <string.h>
#include "focus/tree.h"
#include "log.h"

enum { MEMORY_SIZE = 64, MEMORY_MAX = 256 };

/** A kind of client that has shown what it does */
struct known {
	struct le he;
	enum follows follows;
	char ua[];
};


/* ---- memory -------------------------------------------------------------- */

int promote_memory_alloc(struct hash **htp)
{
	return hash_alloc(htp, MEMORY_SIZE);
}


static void known_destructor(void *arg)
{
	struct known *k = arg;

	hash_unlink(&k->he);
}


static bool known_cmp(struct le *le, void *arg)
{
	const struct known *k = le->data;

	return !strcmp(k->ua, arg);
}


static struct known *known_find(const struct focus *f, const char *ua)
{
	return list_ledata(hash_lookup(f->ht_follows, hash_joaat_str(ua),
				       known_cmp, (void *)(uintptr_t)ua));
}


static bool known_count(struct le *le, void *arg)
{
	unsigned *n = arg;
	(void)le;

	++*n;

	return false;
}


/** User-Agents come from outside: the table is bounded, and full is full */
static void remember(struct focus *f, const char *ua, enum follows follows)
{
	struct known *k = known_find(f, ua);
	unsigned n = 0;

	if (!*ua)
		return;

	(void)hash_apply(f->ht_follows, known_count, &n);
	if (!k && n < MEMORY_MAX) {
		k = mem_zalloc(sizeof(*k) + str_len(ua) + 1,
			       known_destructor);
		if (k) {
			memcpy(k->ua, ua, str_len(ua) + 1);
			hash_append(f->ht_follows, hash_joaat_str(ua), &k->he,
				    k);
		}
	}
	/* a proof says more than one that was missed: packets get lost */
	if (k && k->follows != FOLLOWS_YES)
		k->follows = follows;
}


/** The admin's word, then experience */
static enum follows expect(const struct endpoint *ep)
{
	const struct conference *c = ep->part->conf;
	const struct cfg_digest *cd;
	const struct known *k;
	struct pl ua;

	pl_set_str(&ua, ep->user_agent);
	cd = cfg_digest_find(c->cfg, &ua);
	if (cd && cd->follows != FOLLOWS_ASK)
		return cd->follows;

	k = known_find(c->focus, ep->user_agent);

	return k ? k->follows : FOLLOWS_ASK;
}


bool promote_never(const struct endpoint *ep)
{
	return ep->follows == FOLLOWS_NO || expect(ep) == FOLLOWS_NO;
}


void promote_remember(struct endpoint *ep, enum follows follows)
{
	ep->follows = follows;
	remember(ep->part->conf->focus, ep->user_agent, follows);
}


/* ---- promotion ----------------------------------------------------------- */

void promote_start(struct endpoint *ep)
{
	const struct conference *c = ep->part->conf;
	struct gclass *gc;

	/* a key that it has not been told yet comes first, or it would be deaf
	 * until there is an epoch */
	if (c->cc->keying == KEYING_ENDPOINT || ep->gc || !ep->tx ||
	    ep->own_due || ep->forked)
		return;

	/* in a group conference nobody is asked; who cannot is ended */
	ep->follows = c->cc->keying == KEYING_GROUP ? FOLLOWS_YES : expect(ep);
	if (ep->follows == FOLLOWS_NO ||
	    gclass_get(&gc, ep->part->conf, &ep->neg))
		return;

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
