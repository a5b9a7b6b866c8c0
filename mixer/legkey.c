/**
 * @file legkey.c  A leg's keys: receive generations, own stream, group stream
 *
 * Receiving: a new key is tried first; the old one stays until the first
 * packet authenticates under the new one, and a short grace for what is still
 * in flight.  Sending: a new key is used at once, with a new SSRC and SEQ.
 *
 * A stream that has wrapped may be read in two ways under a new key.  RFC 3711
 * has its rollover counter go on; many phones begin a context of their own at 0.
 * No packet says which, so both are open until one has authenticated.
 *
 * Refs: RFC 4568 sections 6.4 and 7.1.4, RFC 3711 sections 3.3.1 and 8.1
 */
#include <errno.h>
#include <string.h>
#include "mixer.h"

void rxset_close(struct rxset *rs)
{
	unsigned i;

	for (i = 0; i < rs->c; i++) {
		msrtp_free(&rs->v[i].srtp);
		msrtp_free(&rs->v[i].kept);
		skey_clear(&rs->v[i].key);
	}
	memset(rs, 0, sizeof(*rs));
}

bool rxset_ssrc_add(struct rxset *rs, uint32_t ssrc)
{
	unsigned i;

	for (i = 0; i < rs->ssrcc; i++)
		if (rs->ssrcv[i] == ssrc)
			return false;
	if (rs->ssrcc == LEG_SSRCS_MAX)
		return false;

	rs->ssrcv[rs->ssrcc++] = ssrc;

	return true;
}

static bool rx_same(const struct rxset *a, const struct rxset *b)
{
	unsigned i;

	for (i = 0; i < a->c && a->c == b->c; i++)
		if (!skey_equal(&a->v[i].key, &b->v[i].key))
			return false;

	return a->c == b->c;
}

static int rx_parse(struct rxset *rs, const Mp__LegSet *msg)
{
	int err = 0;
	size_t i;

	if (msg->n_rx > LEG_RXKEYS)
		return EINVAL;

	for (i = 0; i < msg->n_rx && !err; i++) {
		err = skey_set(&rs->v[i].key, msg->rx[i]);
		rs->c = (unsigned)i + 1;
		/* RFC 4568 section 6.1: several keys need an MKI each */
		if (!err && msg->n_rx > 1 && !rs->v[i].key.mki_len)
			err = EINVAL;
	}

	return err;
}

/* Our two directions never share a key: a peer that sends our own key back
   would have us decrypt our own stream (RFC 3711 section 9.1) */
static bool reflected(const struct leg_want *w)
{
	unsigned i;

	for (i = 0; i < w->rx.c; i++) {
		const struct secret *s = w->rx.v[i].key.secret;

		if (secret_equal(s, w->tx.secret) ||
		    (w->cfg.group && secret_equal(s, w->cfg.group->key.secret)))
			return true;
	}

	return false;
}

/* The key of before that is this one, whatever else is said about it */
static struct rxkey *rx_find(struct rxset *rs, const struct skey *key)
{
	unsigned i;

	for (i = 0; i < rs->c; i++) {
		struct rxkey *k = &rs->v[i];

		if (k->srtp && k->key.suite == key->suite && k->key.mki_len == key->mki_len &&
		    !memcmp(k->key.mki, key->mki, key->mki_len) &&
		    secret_equal(k->key.secret, key->secret))
			return k;
	}

	return NULL;
}

/* A fresh context, also for a peer whose key another mixer had */
static int rx_open(struct rxkey *k, const Mp__LegSet *msg)
{
	int err = skey_msrtp(&k->key, MSRTP_RX, &k->srtp);

	if (!err && msg->rx_roc)
		err = msrtp_resume(k->srtp, k->key.secret, msg->rx_ssrc, msg->rx_roc);

	return err;
}

int legkey_want(struct leg_want *w, struct leg *leg, const Mp__LegSet *msg)
{
	unsigned i;
	int err;

	err = rx_parse(&w->rx, msg);
	if (!err)
		err = skey_set(&w->tx, msg->tx);
	if (!err && reflected(w))
		err = EINVAL;
	if (err)
		return err;

	w->rx_same = leg && rx_same(&leg->rx, &w->rx);
	for (i = 0; i < w->rx.c && !w->rx_same && !err; i++) {
		const struct skey *key = &w->rx.v[i].key;

		if (!leg || (!rx_find(&leg->rx, key) && !rx_find(&leg->rx_old, key)))
			err = rx_open(&w->rx.v[i], msg);
	}

	return err;
}

void legkey_want_close(struct leg_want *w)
{
	rxset_close(&w->rx);
	skey_clear(&w->tx);
}

static void rx_old_h(void *arg)
{
	rxset_close(&((struct leg *)arg)->rx_old);
}

/* A peer that stays with a key goes on in its context: a fresh one would not know
   its ROC, what is a replay, and how much of its lifetime is over */
static void rx_keep(struct rxset *next, struct rxset *before)
{
	bool kept = false;
	unsigned i;

	for (i = 0; i < next->c; i++) {
		struct rxkey *k = &next->v[i];
		struct rxkey *old = k->srtp ? NULL : rx_find(before, &k->key);

		if (!old)
			continue;
		k->srtp = old->srtp;
		k->kept = old->kept;
		k->used = old->used;
		old->srtp = old->kept = NULL;
		if (k->kept) {
			next->kept_ssrc = before->kept_ssrc;
			next->kept_roc = before->kept_roc;
		}
		kept = true;
	}
	for (i = 0; kept && i < before->ssrcc; i++)
		(void)rxset_ssrc_add(next, before->ssrcv[i]);
	if (kept && next->ssrc_us < before->ssrc_us)
		next->ssrc_us = before->ssrc_us;
}

static uint32_t roc_of(const struct rxset *rs, uint32_t ssrc)
{
	uint32_t roc = 0;
	unsigned i;

	for (i = 0; i < rs->c && !roc; i++)
		roc = msrtp_roc(rs->v[i].srtp, ssrc);

	return roc;
}

/* Without it a peer that counts on is not heard: so one that fails for want of
   memory is no error */
static void keep_counting(const struct leg *leg, struct rxset *rs)
{
	const uint32_t roc = leg->has_src ? roc_of(&leg->rx, leg->src_ssrc) : 0;
	unsigned i;

	for (i = 0; roc && i < rs->c; i++) {
		struct rxkey *k = &rs->v[i];

		/* a context of before knows by itself */
		if (!k->srtp)
			continue;
		rs->kept_ssrc = leg->src_ssrc;
		rs->kept_roc = roc;
		if (skey_msrtp(&k->key, MSRTP_RX, &k->kept) ||
		    msrtp_resume(k->kept, k->key.secret, rs->kept_ssrc, roc))
			msrtp_free(&k->kept);
	}
}

void legkey_rx_counts(struct leg *leg, struct rxset *rs, struct rxkey *k, bool kept)
{
	unsigned i;

	if (kept) {
		msrtp_free(&k->srtp);
		k->srtp = k->kept;
		k->kept = NULL;
		mpev_roc(leg, rs->kept_roc);
	}
	rs->kept_roc = 0;
	for (i = 0; i < rs->c; i++)
		msrtp_free(&rs->v[i].kept);
}

void legkey_rx_apply(struct leg *leg, struct leg_want *w)
{
	struct rxset next = w->rx;

	memset(&w->rx, 0, sizeof(w->rx));
	keep_counting(leg, &next);
	rx_keep(&next, &leg->rx_old);
	rx_keep(&next, &leg->rx);
	rxset_close(&leg->rx_old);
	leg->rx_old = leg->rx;
	leg->rx = next;
	if (leg->rx_old.c)
		(void)timeq_set(loop_timeq(leg->conf->mx->loop), &leg->rx_grace,
				now_usec() + REKEY_WAIT_MS * 1000ULL, rx_old_h, leg);
}

void legkey_rx_confirmed(struct leg *leg)
{
	const uint64_t at = now_usec() + REKEY_GRACE_MS * 1000ULL;

	if (leg->rx_old.c && at < leg->rx_grace.at_us)
		(void)timeq_set(loop_timeq(leg->conf->mx->loop), &leg->rx_grace, at, rx_old_h, leg);
}

void legkey_bye(struct leg *leg, uint32_t ssrc)
{
	if (leg->byec == LEG_REPORTED) {
		memmove(leg->byev, leg->byev + 1, sizeof(leg->byev) - sizeof(leg->byev[0]));
		--leg->byec;
	}
	leg->byev[leg->byec++] = ssrc;
	legrtcp_soon(leg);
}

int legkey_tx_apply(struct leg *leg, struct leg_want *w, bool new_clock)
{
	struct conf *c = leg->conf;
	const uint32_t clock = leg->cfg.codec->clock;
	const bool same = skey_equal(&leg->tx_key, &w->tx);
	uint32_t ssrc, old = leg->own.srtp ? leg->own.ssrc : 0;
	int err;

	if (same && (!new_clock || !leg->own.srtp))
		return 0;

	if (same) {
		/* RFC 7160: another clock rate deserves another SSRC */
		err = conf_ssrc_draw(c, &leg->tx_use, &ssrc);
		if (!err)
			err = stream_renew(&leg->own, ssrc, clock);
		if (!err)
			legkey_bye(leg, old);
		return err;
	}

	stream_close(&leg->own);
	keyuse_close(&leg->tx_use);
	skey_move(&leg->tx_key, &w->tx);
	if (!leg->tx_key.suite)
		return 0;

	keyuse_init(&leg->tx_use, leg->tx_key.lifetime);
	err = conf_ssrc_draw(c, &leg->tx_use, &ssrc);
	if (!err)
		err = stream_open(&leg->own, &leg->tx_key, &leg->tx_use, ssrc, clock, false);
	if (err) {
		stream_close(&leg->own);
		return err;
	}
	if (old)
		legkey_bye(leg, old);

	return 0;
}

struct stream *legkey_gown(struct leg *leg)
{
	struct gkey *gk = leg->cfg.group;
	uint32_t ssrc;

	if (!gk)
		return NULL;
	if (leg->gown.srtp)
		return &leg->gown;

	if (conf_ssrc_draw(leg->conf, &gk->use, &ssrc) ||
	    stream_open(&leg->gown, &gk->key, &gk->use, ssrc, leg->cfg.codec->clock, true)) {
		stream_close(&leg->gown);
		return NULL;
	}

	return &leg->gown;
}

void legkey_link(struct leg *leg)
{
	struct gkey *gk = leg->cfg.group;

	if (!leg->cfg.send || leg->mute_tx)
		return;

	if (leg->own.srtp && leg->ec && (!gk || leg->cfg.both)) {
		TAILQ_INSERT_TAIL(&leg->ec->legs, leg, own_le);
		leg->own_linked = true;
		++leg->ec->listenc;
	}
	if (gk) {
		TAILQ_INSERT_TAIL(&gk->legs, leg, group_le);
		leg->group_linked = true;
		++gk->ec->listenc;
	}
}

void legkey_unlink(struct leg *leg)
{
	if (leg->own_linked) {
		TAILQ_REMOVE(&leg->ec->legs, leg, own_le);
		--leg->ec->listenc;
	}
	if (leg->group_linked) {
		TAILQ_REMOVE(&leg->cfg.group->legs, leg, group_le);
		--leg->cfg.group->ec->listenc;
	}
	leg->own_linked = leg->group_linked = false;
}
