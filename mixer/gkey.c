/**
 * @file gkey.c  Group keys: one class, one epoch, one stream
 *
 * The class stream has an SSRC of its own per epoch, ROC 0, and ends before
 * its SEQ can wrap, so a late joiner needs nothing but the key.
 *
 * Refs: RFC 4568 section 6.4, RFC 3711 section 3.3.1
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "mixer.h"

struct gkey *gkey_find(struct conf *c, uint32_t class_id, uint32_t epoch)
{
	struct gkey *gk;

	TAILQ_FOREACH(gk, &c->gkeys, le)
		if (gk->class_id == class_id && gk->epoch == epoch)
			return gk;

	return NULL;
}

static int parse_cfg(struct leg_cfg *cfg, const Mp__KeyInstall *msg)
{
	Mp__LegSet as_leg = MP__LEG_SET__INIT;

	as_leg.codec = msg->codec;
	as_leg.pt = msg->pt;
	as_leg.ptime = msg->ptime;
	as_leg.opus_max_rate = msg->opus_max_rate;
	as_leg.opus_fec = msg->opus_fec;
	as_leg.opus_dtx = msg->opus_dtx;
	as_leg.opus_cbr = msg->opus_cbr;
	as_leg.family = 4;

	return leg_cfg_parse(cfg, NULL, &as_leg);
}

static int open_stream(struct gkey *gk, const struct codec *codec)
{
	uint32_t ssrc;
	int err;

	keyuse_init(&gk->use, gk->key.lifetime);
	err = conf_ssrc_draw(gk->conf, &gk->use, &ssrc);
	if (!err)
		err = stream_open(&gk->stream, &gk->key, &gk->use, ssrc, codec->clock, true);

	return err;
}

int gkey_install(struct conf *c, const Mp__KeyInstall *msg)
{
	struct gkey *gk = gkey_find(c, msg->class_id, msg->epoch);
	struct leg_cfg cfg;
	struct skey key;
	char kid[KID_STRLEN];
	int err;

	if (!msg->class_id || !msg->epoch || !msg->key)
		return EINVAL;
	err = parse_cfg(&cfg, msg);
	if (!err)
		err = skey_set(&key, msg->key);
	if (err)
		return err;

	/* said twice: no harm; another key under the same name: refused */
	if (gk) {
		err = skey_equal(&gk->key, &key) ? 0 : EINVAL;
		skey_clear(&key);
		return err;
	}

	gk = calloc(1, sizeof(*gk));
	if (!gk) {
		skey_clear(&key);
		return ENOMEM;
	}
	gk->conf = c;
	gk->class_id = msg->class_id;
	gk->epoch = msg->epoch;
	gk->pt = cfg.pt;
	skey_move(&gk->key, &key);
	TAILQ_INIT(&gk->legs);
	TAILQ_INSERT_TAIL(&c->gkeys, gk, le);
	++c->mx->gkeyc;

	err = eclass_get(&gk->ec, c, &cfg);
	if (!err)
		err = open_stream(gk, cfg.codec);
	if (err) {
		gkey_free(gk);
		return err;
	}
	gkey_rtcp_start(gk);
	log_debug("ev=key-install conf=%s class=%u epoch=%u ssrc=%08x kid=%s", c->name,
		  gk->class_id, gk->epoch, gk->stream.ssrc, secret_kid(gk->key.secret, kid));

	return 0;
}

/* A leg with a key of its own goes on under that, from the next packet on;
   others get silence until the focus says what next.  @return legs that go on */
static unsigned let_go(struct gkey *gk)
{
	GHashTableIter it;
	gpointer p;
	unsigned n = 0;

	g_hash_table_iter_init(&it, gk->conf->legs);
	while (g_hash_table_iter_next(&it, NULL, &p)) {
		struct leg *leg = p;

		if (leg->cfg.group != gk)
			continue;
		if (leg->own.srtp && leg->gown.srtp)
			legkey_bye(leg, leg->gown.ssrc);
		if (leg->own.srtp)
			legkey_bye(leg, gk->stream.ssrc);
		legkey_unlink(leg);
		stream_close(&leg->gown);
		leg->cfg.group = NULL;
		leg->mute_tx = !leg->own.srtp;
		legkey_link(leg);
		n += leg->own_linked;
	}

	return n;
}

void gkey_retire(struct gkey *gk)
{
	struct conf *c = gk->conf;
	const unsigned n = let_go(gk);

	gkey_free(gk);
	conf_keepalive_set(c);
	/* who has heard nothing of its own stream learns of it now */
	if (n)
		conf_owe_silence(c, TAIL_TICKS);
}

void gkey_free(struct gkey *gk)
{
	(void)let_go(gk);
	timeq_del(loop_timeq(gk->conf->mx->loop), &gk->rtcp);
	TAILQ_REMOVE(&gk->conf->gkeys, gk, le);
	--gk->conf->mx->gkeyc;
	stream_close(&gk->stream);
	keyuse_close(&gk->use);
	skey_clear(&gk->key);
	eclass_put(&gk->ec);
	free(gk);
}

void gkey_limit(struct gkey *gk, enum stream_limit lim)
{
	if (lim == STREAM_HARD && !gk->use.hard_told) {
		gk->use.hard_told = gk->use.soft_told = true;
		mpev_key_limit(gk->conf, NULL, gk, false, true);
	}
	else if (lim == STREAM_SOFT && !gk->use.soft_told) {
		gk->use.soft_told = true;
		mpev_key_limit(gk->conf, NULL, gk, false, false);
	}
}
