/**
 * @file conftick.c  One tick of one conference
 *
 * jitter buffers -> decoders -> levels -> who is heard -> mix -> encoders ->
 * packets: all of it happens inside this call.
 */
#include <string.h>
#include "mixer.h"

/* Below this a moment counts as quiet: good for a correction in a jitter buffer */
enum { QUIET_DBOV = -50 };

static void decode(struct conf *c, uint64_t now_us)
{
	unsigned i;

	for (i = 0; i < SPK_SLOTS_MAX; i++) {
		struct cslot *cs = &c->slotv[i];

		if (cs->leg)
			conf_src_push(CONF_SRC(c->src), i,
				      conf_dec_level(CONF_DEC(cs->dec)) < QUIET_DBOV, now_us);
	}
}

/* Whose frame goes into this tick's mix? */
static uint32_t choose(struct conf *c, uint64_t now_ms)
{
	const uint32_t have = conf_mix_have(CONF_MIX(c->mix));
	struct spk *s;
	uint32_t mask = 0;
	unsigned i;

	for (i = 0; i < SPK_SLOTS_MAX; i++) {
		struct cslot *cs = &c->slotv[i];

		if (!cs->leg || !(have & 1u << i))
			continue;
		spk_level(&cs->leg->spk, conf_dec_level(CONF_DEC(cs->dec)), now_ms);
		if (cs->leg->spk.confirmed)
			mask |= 1u << i;
	}

	while ((s = spk_expire(&c->speakers, now_ms))) {
		for (i = 0; i < SPK_SLOTS_MAX; i++) {
			if (!c->slotv[i].leg || &c->slotv[i].leg->spk != s)
				continue;
			mask &= ~(1u << i);
			conf_slot_close(c, i);
		}
	}

	return mask;
}

/* A sole talker hears nothing: a little silence after the others' last word,
   and so often that its phone does not give up */
static bool minus_needed(struct cslot *cs, uint32_t others, uint64_t now_us)
{
	/* in its trial it has to hear of the group stream to report it */
	const uint64_t wait_s = cs->leg->cfg.both ? KEEPALIVE_TRIAL_S : KEEPALIVE_S;

	if (!cs->leg->ec)
		return false;
	if (others)
		cs->tail = TAIL_TICKS;
	else if (!cs->tail && now_us > cs->leg->sent_us + wait_s * 1000000ULL)
		cs->tail = PTIME_TICKS;
	if (!cs->tail)
		return false;
	if (!others)
		--cs->tail;

	return true;
}

static void set_needs(struct conf *c, uint32_t mask, uint64_t now_us)
{
	struct eclass *ec;
	unsigned i;

	TAILQ_FOREACH(ec, &c->eclasses, le) {
		unsigned talkc = 0;

		for (i = 0; i < SPK_SLOTS_MAX; i++) {
			const struct leg *leg = c->slotv[i].leg;

			if (leg && mask & 1u << i && leg->ec == ec)
				talkc += (unsigned)leg->own_linked + (unsigned)leg->group_linked;
		}
		conf_mix_out_need(ec->out, (mask || c->tail) && ec->listenc > talkc);
	}

	for (i = 0; i < SPK_SLOTS_MAX; i++) {
		struct cslot *cs = &c->slotv[i];

		if (cs->leg && cs->out)
			conf_mix_out_need(cs->out, mask & 1u << i &&
					  minus_needed(cs, mask & ~(1u << i), now_us));
	}
}

/* Who begins to talk goes over from the common mix to its own, and back */
static void hand_over(struct conf *c, uint32_t mask)
{
	unsigned i;

	for (i = 0; i < SPK_SLOTS_MAX; i++)
		if ((c->heard ^ mask) & 1u << i)
			conf_slot_over(c, i, mask & 1u << i);
}

/* CSRCs of a packet that spans several ticks: all who were heard in it */
static void note_heard(struct conf *c, uint32_t mask)
{
	struct eclass *ec;
	unsigned i;

	TAILQ_FOREACH(ec, &c->eclasses, le)
		ec->ol.heard |= mask;
	for (i = 0; i < SPK_SLOTS_MAX; i++)
		c->slotv[i].ol.heard |= mask;
}

void conf_talkers_check(struct conf *c, uint64_t now_ms)
{
	uint64_t idv[SPK_SLOTS_MAX];
	unsigned i, n = 0;

	for (i = 0; i < SPK_SLOTS_MAX; i++) {
		const struct leg *leg = c->slotv[i].leg;

		if (leg && spk_talking(&leg->spk, now_ms))
			idv[n++] = leg->id;
	}
	if (n == c->talkerc && !memcmp(idv, c->talker_legv, n * sizeof(*idv)))
		return;

	c->talkerc = n;
	memcpy(c->talker_legv, idv, n * sizeof(*idv));
	mpev_talkers(c);
}

bool conf_tick(struct conf *c, uint64_t pos)
{
	const uint64_t now_us = now_usec(), now_ms = now_us / 1000;
	uint32_t mask;

	decode(c, now_us);
	mask = choose(c, now_ms);
	conf_talkers_check(c, now_ms);

	if (!mask && c->heard)
		c->tail = TAIL_TICKS;
	hand_over(c, mask);
	c->heard = mask;

	if (mask || c->tail) {
		conf_loss_feed(c, now_us);
		note_heard(c, mask);
		set_needs(c, mask, now_us);
		conf_mix_run(CONF_MIX(c->mix), pos, mask);
	}
	else {
		conf_mix_drop(CONF_MIX(c->mix));
	}
	if (!mask && c->tail)
		--c->tail;

	return c->speakers.held || c->tail;
}
