/**
 * @file conf.c  Conferences: life, pipeline, SSRCs
 */
#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mixer.h"

enum { COLLIDE_US = 10000000, COLLIDE_BURST = 10 };

static void forget_leg(gpointer p)
{
	leg_free(p);
}

/* No bus (nobody would read it, and it costs descriptors), no clock: the loop
   is the clock */
static int pipeline_new(struct conf *c)
{
	c->pipeline = gst_object_ref_sink(gst_pipeline_new(NULL));
	gst_element_set_bus(c->pipeline, NULL);
	gst_pipeline_use_clock(GST_PIPELINE(c->pipeline), NULL);

	c->src = conf_src_new();
	c->mix = conf_mix_new();
	c->sink = conf_sink_new(legtx_frame);
	gst_bin_add_many(GST_BIN(c->pipeline), c->src, c->mix, c->sink, NULL);

	return gst_element_set_state(c->pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE
		? EIO : 0;
}

/* RFC 7022: a random CNAME, so that nothing links two conferences */
static int draw_cname(struct conf *c)
{
	uint8_t b[10];
	size_t i;

	if (1 != RAND_bytes(b, sizeof(b)))
		return EIO;
	for (i = 0; i < sizeof(b); i++)
		(void)snprintf(c->cname + 2 * i, 3, "%02x", b[i]);

	return 0;
}

static int conf_new(struct mixer *mx, const Mp__ConfSet *msg)
{
	struct conf *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return ENOMEM;

	c->mx = mx;
	c->id = msg->conf;
	c->phase = mx->next_phase++ % PHASES;
	TAILQ_INIT(&c->eclasses);
	TAILQ_INIT(&c->gkeys);
	spkset_init(&c->speakers, msg->max_speakers);
	c->legs = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, forget_leg);

	err = draw_cname(c);
	if (!err)
		err = pipeline_new(c);
	if (err) {
		conf_free(c);
		return err;
	}
	g_hash_table_insert(mx->confs, &c->id, c);

	return 0;
}

int conf_set(struct mixer *mx, const Mp__ConfSet *msg)
{
	struct conf *c;
	int err;

	if (!msg->conf || msg->max_speakers > SPK_SLOTS_MAX)
		return EINVAL;

	if (!conf_find(mx, msg->conf)) {
		err = conf_new(mx, msg);
		if (err)
			return err;
	}
	c = conf_find(mx, msg->conf);
	/* holders above a smaller K lose their slot at the next tick */
	c->speakers.k = msg->max_speakers ? msg->max_speakers : SPK_SLOTS_DEFAULT;
	(void)snprintf(c->name, sizeof(c->name), "%s", msg->name);

	return 0;
}

struct conf *conf_find(struct mixer *mx, uint64_t id)
{
	return g_hash_table_lookup(mx->confs, &id);
}

static void deactivate(struct conf *c)
{
	if (!c->active)
		return;
	TAILQ_REMOVE(&c->mx->tickv[c->phase], c, tick_le);
	--c->mx->active;
	c->active = false;
}

/* Called by the table of conferences when it drops this one */
void conf_free(struct conf *c)
{
	unsigned i;

	deactivate(c);
	timeq_del(loop_timeq(c->mx->loop), &c->keepalive);
	while (!TAILQ_EMPTY(&c->gkeys))
		gkey_free(TAILQ_FIRST(&c->gkeys));
	g_hash_table_destroy(c->legs);
	for (i = 0; i < SPK_SLOTS_MAX; i++)
		conf_mix_out_free(&c->slotv[i].out);

	if (c->pipeline)
		(void)gst_element_set_state(c->pipeline, GST_STATE_NULL);
	gst_clear_object(&c->pipeline);
	free(c);
}

void conf_activate(struct conf *c)
{
	if (c->active)
		return;
	c->active = true;
	++c->mx->active;
	TAILQ_INSERT_TAIL(&c->mx->tickv[c->phase], c, tick_le);
	loop_wake(c->mx->loop);
}

void conf_owe_silence(struct conf *c, unsigned ticks)
{
	if (c->tail < ticks)
		c->tail = ticks;
	conf_activate(c);
}

/* So many ticks make at least one packet for everyone */
static unsigned packet_ticks(const struct conf *c)
{
	const struct eclass *ec;
	unsigned ticks = 1;

	TAILQ_FOREACH(ec, &c->eclasses, le)
		if (ec->ptime > ticks * TICK_MS)
			ticks = (ec->ptime + TICK_MS - 1) / TICK_MS;

	return ticks;
}

/*
 * Many phones and firewalls take a stream that stands still for a broken one
 * (RFC 6263): in a silent conference everyone gets a little silence now and
 * then.
 */
static void keepalive_h(void *arg)
{
	struct conf *c = arg;

	if (!c->active)
		conf_owe_silence(c, packet_ticks(c));
	c->timers = false;
	conf_keepalive_set(c);
}

void conf_keepalive_set(struct conf *c)
{
	struct timeq *tq = loop_timeq(c->mx->loop);
	const uint64_t at = now_usec() +
		(c->trialc ? KEEPALIVE_TRIAL_S : KEEPALIVE_S) * 1000000ULL;
	struct eclass *ec;
	bool anyone = false;

	TAILQ_FOREACH(ec, &c->eclasses, le)
		anyone = anyone || ec->listenc;
	if (!anyone) {
		timeq_del(tq, &c->keepalive);
		c->timers = false;
	}
	else if (!c->timers || at < c->keepalive.at_us) {
		c->timers = !timeq_set(tq, &c->keepalive, at, keepalive_h, c);
	}
}

/* ---- SSRCs ---- */

static bool leg_has_ssrc(const struct leg *leg, uint32_t ssrc, bool ours_only)
{
	unsigned i;

	if ((leg->own.srtp && leg->own.ssrc == ssrc) || (leg->gown.srtp && leg->gown.ssrc == ssrc))
		return true;
	for (i = 0; i < leg->rx.ssrcc && !ours_only; i++)
		if (leg->rx.ssrcv[i] == ssrc)
			return true;

	return false;
}

static bool ssrc_taken(struct conf *c, uint32_t ssrc, bool ours_only)
{
	GHashTableIter it;
	gpointer leg;
	struct gkey *gk;

	TAILQ_FOREACH(gk, &c->gkeys, le)
		if (gk->stream.ssrc == ssrc)
			return true;

	g_hash_table_iter_init(&it, c->legs);
	while (g_hash_table_iter_next(&it, NULL, &leg))
		if (leg_has_ssrc(leg, ssrc, ours_only))
			return true;

	return false;
}

int conf_ssrc_draw(struct conf *c, const struct keyuse *ku, uint32_t *ssrcp)
{
	uint32_t ssrc;
	unsigned i;

	for (i = 0; i < 32; i++) {
		if (1 != RAND_bytes((uint8_t *)&ssrc, sizeof(ssrc)))
			return EIO;
		if (!ssrc || ssrc_taken(c, ssrc, false) || keyuse_has(ku, ssrc))
			continue;
		*ssrcp = ssrc;
		return 0;
	}

	return EIO;
}

static bool renew(struct conf *c, struct stream *s)
{
	uint32_t ssrc;

	return !conf_ssrc_draw(c, s->use, &ssrc) && !stream_renew(s, ssrc, s->clock);
}

void conf_ssrc_collide(struct leg *by, uint32_t ssrc)
{
	struct conf *c = by->conf;
	GHashTableIter it;
	gpointer p;
	struct gkey *gk;

	/* Chance does that once.  Each move is a gap for those who hear the
	   stream, and no key is at stake: ours and theirs are different ones. */
	if (!ssrc_taken(c, ssrc, true) ||
	    !bucket_take(&by->collides, COLLIDE_BURST, COLLIDE_US, 1, now_usec()))
		return;

	TAILQ_FOREACH(gk, &c->gkeys, le)
		if (gk->stream.ssrc == ssrc && renew(c, &gk->stream))
			gkey_rtcp_bye(gk, ssrc);

	g_hash_table_iter_init(&it, c->legs);
	while (g_hash_table_iter_next(&it, NULL, &p)) {
		struct leg *leg = p;

		if (!leg_has_ssrc(leg, ssrc, true))
			continue;
		if (leg->own.srtp && leg->own.ssrc == ssrc && renew(c, &leg->own))
			legkey_bye(leg, ssrc);
		if (leg->gown.srtp && leg->gown.ssrc == ssrc && renew(c, &leg->gown))
			legkey_bye(leg, ssrc);
	}
}
