/**
 * @file leg.c  Legs: what the focus wants becomes what is
 *
 * LegSet carries the whole wanted state.  It is checked and everything that
 * can fail is made first; only then is the leg changed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "mixer.h"

/* Enough for several voices at once: with two loud tones, 32000 leaves noise at
   -45 dBFS between them, 48000 at -59 (measured). */
enum { OPUS_BITRATE = 48000 };

/* Opus has no 30 ms frame; other lengths are the codec's business */
static unsigned fit_ptime(enum codec_id codec, uint32_t ptime)
{
	switch (ptime) {

	case 10:
	case 40:
	case 60:
		return ptime;

	case 30:
		return codec == CODEC_OPUS ? 20 : 30;

	default:
		return 20;
	}
}

static int parse_codec(struct leg_cfg *cfg, const Mp__LegSet *msg)
{
	const struct codec *codec = codec_by_id((enum codec_id)msg->codec);

	/* payload types 64..95 would look like RTCP (RFC 5761 section 4) */
	if (!codec || msg->pt > 127 || (msg->pt >= 64 && msg->pt < 96) ||
	    msg->dtmf_pt > 127 || msg->level_ext > 14)
		return EINVAL;

	cfg->codec = codec;
	cfg->pt = (uint8_t)msg->pt;
	cfg->dtmf_pt = (uint8_t)msg->dtmf_pt;
	cfg->level_ext = (uint8_t)msg->level_ext;
	cfg->ptime = fit_ptime(codec->id, msg->ptime);
	cfg->enc.complexity = -1;
	if (codec->id == CODEC_OPUS) {
		cfg->enc.bitrate = OPUS_BITRATE;
		cfg->enc.max_rate = msg->opus_max_rate;
		cfg->enc.fec = msg->opus_fec;
		cfg->enc.dtx = msg->opus_dtx;
		cfg->enc.cbr = msg->opus_cbr;
	}

	return 0;
}

static int parse_address(union sa *sa, const Mp__Address *a, int family)
{
	memset(sa, 0, sizeof(*sa));
	if (!a)
		return 0;
	if (a->port > 65535 || !sa_from_bytes(sa, a->ip.data, a->ip.len, (uint16_t)a->port) ||
	    sa->sa.sa_family != family)
		return EINVAL;

	return 0;
}

int leg_cfg_parse(struct leg_cfg *cfg, struct conf *c, const Mp__LegSet *msg)
{
	int err;

	memset(cfg, 0, sizeof(*cfg));
	if (msg->family != 4 && msg->family != 6)
		return EINVAL;
	cfg->family = msg->family == 6 ? AF_INET6 : AF_INET;
	cfg->rtcp_mux = msg->rtcp_mux;
	cfg->send = msg->send;
	cfg->recv = msg->recv;
	cfg->idle_ms = msg->idle_ms && msg->idle_ms < IDLE_MIN_MS ? IDLE_MIN_MS : msg->idle_ms;
	cfg->both = msg->tx_both && msg->group && msg->tx;

	err = parse_codec(cfg, msg);
	if (!err)
		err = parse_address(&cfg->remote, msg->remote, cfg->family);
	if (!err)
		err = parse_address(&cfg->remote_rtcp, msg->remote_rtcp, cfg->family);
	if (err || !msg->group)
		return err;

	cfg->group = c ? gkey_find(c, msg->group->class_id, msg->group->epoch) : NULL;
	if (!cfg->group)
		return ENOKEY;
	/* the class's packets must be ones this leg can read */
	if (cfg->group->pt != cfg->pt || cfg->group->ec->codec != cfg->codec->id)
		return EINVAL;

	return 0;
}

struct leg *leg_find(struct conf *c, uint64_t id)
{
	return g_hash_table_lookup(c->legs, &id);
}

static struct leg *leg_new(struct conf *c, uint64_t id)
{
	struct leg *leg = calloc(1, sizeof(*leg));

	if (!leg)
		return NULL;

	leg->conf = c;
	leg->id = id;
	leg->rtp_io.fd = leg->rtcp_io.fd = -1;
	leg->heard_us = leg->sent_us = now_usec();
	spk_init(&leg->spk);
	g_hash_table_insert(c->legs, &leg->id, leg);
	++c->mx->legc;

	return leg;
}

/* Called by the conference's table when it drops the leg */
void leg_free(struct leg *leg)
{
	struct timeq *tq = loop_timeq(leg->conf->mx->loop);

	legrtcp_bye(leg);
	leg_unslot(leg);
	timeq_del(tq, &leg->rtcp);
	timeq_del(tq, &leg->idle);
	timeq_del(tq, &leg->rx_grace);
	activity_forget(leg);

	if (leg->cfg.both)
		--leg->conf->trialc;
	legkey_unlink(leg);
	eclass_put(&leg->ec);
	stream_close(&leg->own);
	stream_close(&leg->gown);
	keyuse_close(&leg->tx_use);
	skey_clear(&leg->tx_key);
	rxset_close(&leg->rx);
	rxset_close(&leg->rx_old);
	legnet_close(leg);

	--leg->conf->mx->legc;
	free(leg);
}

void leg_unslot(struct leg *leg)
{
	const int slot = spk_leave(&leg->conf->speakers, &leg->spk);

	if (slot >= 0) {
		conf_slot_close(leg->conf, (unsigned)slot);
		conf_talkers_check(leg->conf, now_usec() / 1000);
	}
}

/* Who was given the floor, or is not muted any more, is about to speak: its next
   packet is worth a look, although codec and size may say nothing */
static void leg_expect(struct leg *leg)
{
	leg->act.mean_len = 0;
	leg->spk.doubt_ms = 0;
}

void leg_gate(struct leg *leg, bool open)
{
	if (open && !leg->spk.open)
		leg_expect(leg);

	leg->spk.open = open;
	if (!open)
		leg_unslot(leg);
}

/* No authenticated packet for idle_ms: say so, and again every idle_ms */
static void idle_h(void *arg)
{
	struct leg *leg = arg;
	const uint64_t now = now_usec(), patience = leg->cfg.idle_ms * 1000ULL;
	uint64_t next = leg->heard_us + patience;

	if (now >= next) {
		mpev_idle(leg, (uint32_t)((now - leg->heard_us) / 1000));
		next = now + patience;
	}
	(void)timeq_set(loop_timeq(leg->conf->mx->loop), &leg->idle, next, idle_h, leg);
}

/* Who was on hold, or whose phone rang, had nothing to send: it is silent from
   now on */
static void idle_watch(struct leg *leg, const struct leg_cfg *old)
{
	const bool news = leg->cfg.idle_ms && (!old->idle_ms || (leg->cfg.recv && !old->recv));

	if (news)
		leg->heard_us = now_usec();
	if (!leg->cfg.idle_ms)
		timeq_del(loop_timeq(leg->conf->mx->loop), &leg->idle);
	else if (news || leg->cfg.idle_ms != old->idle_ms)
		idle_h(leg);
}

static bool same_codec(const struct leg_cfg *a, const struct leg_cfg *b)
{
	return a->codec == b->codec && a->pt == b->pt && a->ptime == b->ptime &&
		!memcmp(&a->enc, &b->enc, sizeof(a->enc)) && a->send == b->send;
}

/* Where to send until it latches: a peer that moved said so in SDP */
static void apply_remote(struct leg *leg, const struct leg_cfg *old)
{
	const struct leg_cfg *cfg = &leg->cfg;

	if (!sa_equal(&old->remote, &cfg->remote)) {
		leg->latched = false;
		leg->rtp_to = cfg->remote;
	}
	if (!sa_equal(&old->remote_rtcp, &cfg->remote_rtcp)) {
		leg->rtcp_latched = false;
		leg->rtcp_to = cfg->remote_rtcp;
	}
}

static int apply(struct leg *leg, struct leg_want *w, struct eclass **ecp)
{
	const struct leg_cfg old = leg->cfg;
	const bool codec_changed = !old.codec || !same_codec(&old, &w->cfg);
	int err;

	if (codec_changed || !w->cfg.recv)
		leg_unslot(leg);
	if (w->cfg.recv && !old.recv)
		leg_expect(leg);
	legkey_unlink(leg);
	leg->conf->trialc += (unsigned)w->cfg.both - (unsigned)old.both;
	leg->cfg = w->cfg;
	leg->mute_tx = false;
	eclass_put(&leg->ec);
	leg->ec = *ecp;
	*ecp = NULL;

	apply_remote(leg, &old);
	idle_watch(leg, &old);
	if (!w->rx_same)
		legkey_rx_apply(leg, w);
	leg->rx.ssrc_us = 0;    /* it was said that there may be another stream */
	if (old.group != leg->cfg.group && leg->gown.srtp) {
		legkey_bye(leg, leg->gown.ssrc);
		stream_close(&leg->gown);
	}
	if (old.group != leg->cfg.group && old.group)
		legkey_bye(leg, old.group->stream.ssrc);
	err = legkey_tx_apply(leg, w, old.codec && old.codec->clock != leg->cfg.codec->clock);
	legkey_link(leg);

	return err;
}

int leg_set(struct conf *c, const Mp__LegSet *msg, Mp__Reply *reply)
{
	struct leg *leg = leg_find(c, msg->leg);
	const bool fresh = !leg;
	struct eclass *ec = NULL;
	struct leg_want w;
	int err;

	memset(&w, 0, sizeof(w));
	if (!msg->leg)
		return EINVAL;
	err = leg_cfg_parse(&w.cfg, c, msg);
	if (!err)
		err = legkey_want(&w, leg, msg);
	if (!err && w.cfg.send)
		err = eclass_get(&ec, c, &w.cfg);
	if (!err && fresh) {
		leg = leg_new(c, msg->leg);
		if (!leg)
			err = ENOMEM;
	}
	if (!err)
		err = legnet_open(leg, &w.cfg);
	if (!err)
		err = apply(leg, &w, &ec);

	if (err && fresh && leg)
		(void)g_hash_table_remove(c->legs, &leg->id);
	eclass_put(&ec);
	legkey_want_close(&w);
	if (err)
		return err;

	if (fresh)
		legrtcp_start(leg);
	conf_keepalive_set(c);
	if (leg->own_linked || leg->group_linked)
		conf_owe_silence(c, TAIL_TICKS);

	reply->port = leg->port;
	reply->rtcp_port = leg->cfg.rtcp_mux ? leg->port : leg->port + 1u;
	reply->ip.data = (uint8_t *)(uintptr_t)sa_bytes(&leg->local, &reply->ip.len);
	reply->tx_ssrc = leg->own.srtp ? leg->own.ssrc : 0;

	return 0;
}
