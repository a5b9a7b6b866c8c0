/**
 * @file focus/keyage.c  A key of an endpoint's own is not used for ever
 *
 * Group keys are renewed every few minutes (gepoch.c); this is for calls that
 * have a key to themselves, for days.  The old one is sent under until the fresh
 * one is agreed.  A phone that is known to keep the key that it began with would
 * be deaf: it goes on as it is.
 */
#include "focus/epmedia.h"
#include "focus/keyage.h"
#include "focus/promote.h"
#include "focus/rekey.h"
#include "focus/tree.h"
#include "log.h"


static void age_handler(void *arg)
{
	struct endpoint *ep = arg;

	ep->tx_over = true;
	if (keyage_over(ep))
		rekey_start(ep);
	else
		log_warn("ev=old_key conf=%s part=%u leg=%llu",
			 ep->part->conf->label, ep->part->id,
			 (unsigned long long)ep->leg);
}


void keyage_start(struct endpoint *ep)
{
	const struct conference *c = ep->part->conf;

	keyage_stop(ep);
	if (c->cc->own_key_max_age_s)
		late_start(&c->focus->ages, &ep->late_age,
			   1000ULL * c->cc->own_key_max_age_s, age_handler,
			   ep);
}


void keyage_stop(struct endpoint *ep)
{
	late_cancel(&ep->late_age);
	ep->tx_over = false;
}


bool keyage_over(const struct endpoint *ep)
{
	return ep->tx_over && !promote_never(ep);
}
