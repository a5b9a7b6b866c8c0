/**
 * @file confloss.c  Encoders learn what their listeners lose
 *
 * The common mix is coded for the listener that loses most, a mix-minus for
 * the one who hears it.  Twice a second is soon enough: reports come every
 * few seconds.
 *
 * Refs: RFC 7587 section 3.3
 */
#include "mixer.h"

enum { PERIOD_US = 500000 };

/* A holder of a slot hears its mix-minus */
static unsigned worse(unsigned percent, const struct leg *leg, uint64_t now_us)
{
	const unsigned p = leg->spk.slot < 0 ? loss_percent(&leg->loss, now_us) : 0;

	return p > percent ? p : percent;
}

static unsigned worst(const struct eclass *ec, uint64_t now_us)
{
	const struct conf *c = ec->ol.conf;
	const struct gkey *gk;
	const struct leg *leg;
	unsigned percent = 0;

	TAILQ_FOREACH(leg, &ec->legs, own_le)
		percent = worse(percent, leg, now_us);
	TAILQ_FOREACH(gk, &c->gkeys, le) {
		if (gk->ec != ec)
			continue;
		TAILQ_FOREACH(leg, &gk->legs, group_le)
			percent = worse(percent, leg, now_us);
	}

	return percent;
}

void conf_loss_feed(struct conf *c, uint64_t now_us)
{
	struct eclass *ec;
	unsigned i;

	if (now_us < c->loss_due_us)
		return;
	c->loss_due_us = now_us + PERIOD_US;

	TAILQ_FOREACH(ec, &c->eclasses, le)
		if (ec->codec == CODEC_OPUS)
			conf_enc_set_loss(CONF_ENC(ec->enc), worst(ec, now_us));
	for (i = 0; i < SPK_SLOTS_MAX; i++) {
		const struct cslot *cs = &c->slotv[i];

		if (cs->leg)
			conf_enc_set_loss(CONF_ENC(cs->enc), loss_percent(&cs->leg->loss, now_us));
	}
}
