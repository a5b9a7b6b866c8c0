/**
 * @file legtx.c  Packets to the legs: header, protection, fan-out
 *
 * The common mix goes to every listener of its class: in a leg's own stream
 * (protected per leg, one SSRC and one continuous SEQ per leg) or in the
 * class stream of a group epoch (protected once, the same bytes to all).  A
 * talker's mix-minus goes to that leg alone, never on the class's SSRC.
 *
 * Refs: RFC 3550 section 7.1, RFC 7714 section 8.4
 */
#include "mixer.h"

/* CSRCs of a packet: everyone heard in it, less the one who gets it */
static void set_csrcs(struct frame *f, const struct conf *c, uint32_t heard, int self)
{
	unsigned i;

	f->csrcc = 0;
	for (i = 0; i < SPK_SLOTS_MAX && f->csrcc < RTPH_CSRC_MAX; i++) {
		const struct leg *leg = c->slotv[i].leg;

		if (leg && leg->has_src && (int)i != self && heard & 1u << i)
			f->csrcv[f->csrcc++] = leg->src_ssrc;
	}
}

/* Is it a talker of this tick, who gets its mix-minus instead? */
static bool talks(const struct leg *leg)
{
	return leg->spk.slot >= 0 && leg->conf->heard & 1u << leg->spk.slot;
}

static void own_limit(struct leg *leg)
{
	const enum stream_limit lim = stream_limit(&leg->own);
	struct keyuse *ku = &leg->tx_use;

	if (lim == STREAM_FAR || (lim == STREAM_SOFT && ku->soft_told) || ku->hard_told)
		return;
	ku->soft_told = true;
	ku->hard_told = lim == STREAM_HARD;
	mpev_key_limit(leg->conf, leg, NULL, false, lim == STREAM_HARD);
}

/* The kernel's way out is long: first protect many, then send them, so that
   neither drives the other out of the processor's caches */
static void outbox_flush(struct outbox *ob)
{
	unsigned i;

	for (i = 0; i < ob->c; i++)
		legnet_send(ob->v[i].leg, ob->buf + ob->v[i].pos, ob->v[i].len);
	ob->c = 0;
	ob->used = 0;
}

static void send_own(struct leg *leg, struct frame *f, uint64_t now_us)
{
	struct outbox *ob = &leg->conf->mx->outbox;
	size_t len;

	if (!sa_usable(&leg->rtp_to))
		return;

	f->pt = leg->cfg.pt;
	if (!stream_packet(&leg->own, f, ob->buf + ob->used, &len)) {
		ob->v[ob->c].leg = leg;
		ob->v[ob->c].pos = ob->used;
		ob->v[ob->c].len = len;
		ob->used += (len + 15) & ~(size_t)15;
		leg->sent_us = now_us;
		if (++ob->c == OUTBOX_MAX || ob->used >= OUTBOX_SIZE)
			outbox_flush(ob);
	}
	own_limit(leg);
}

static void send_minus(struct leg *leg, struct frame *f, uint64_t now_us)
{
	uint8_t *buf = leg->conf->mx->txbuf;
	struct stream *s;
	size_t len;

	if (leg->own_linked)
		send_own(leg, f, now_us);
	outbox_flush(&leg->conf->mx->outbox);
	if (!leg->group_linked || !sa_usable(&leg->rtp_to))
		return;

	s = legkey_gown(leg);
	if (!s)
		return;
	f->pt = leg->cfg.group->pt;
	if (!stream_packet(s, f, buf, &len)) {
		legnet_send(leg, buf, len);
		leg->sent_us = now_us;
	}
	gkey_limit(leg->cfg.group, stream_limit(s));
}

static void send_group(struct gkey *gk, struct frame *f, uint64_t now_us)
{
	uint8_t *buf = gk->conf->mx->txbuf;
	bool ready = false;
	struct leg *leg;
	size_t len = 0;

	TAILQ_FOREACH(leg, &gk->legs, group_le) {
		if (talks(leg) || !sa_usable(&leg->rtp_to))
			continue;
		if (!ready) {
			f->pt = gk->pt;
			if (stream_packet(&gk->stream, f, buf, &len))
				break;
			ready = true;
		}
		legnet_send(leg, buf, len);
		leg->sent_us = now_us;
	}
	gkey_limit(gk, stream_limit(&gk->stream));
}

void legtx_frame(const uint8_t *buf, size_t len, uint64_t pos, uint32_t dur, void *arg)
{
	struct outlet *ol = arg;
	struct conf *c = ol->conf;
	struct frame f = {.payload = buf, .len = len, .pos = pos, .dur = dur};
	const uint64_t now_us = loop_now(c->mx->loop);
	struct gkey *gk;
	struct leg *leg;

	if (ol->ec) {
		set_csrcs(&f, c, ol->heard, -1);
		TAILQ_FOREACH(leg, &ol->ec->legs, own_le)
			if (!talks(leg))
				send_own(leg, &f, now_us);
		outbox_flush(&c->mx->outbox);
		TAILQ_FOREACH(gk, &c->gkeys, le)
			if (gk->ec == ol->ec)
				send_group(gk, &f, now_us);
	}
	else if (c->slotv[ol->slot].leg) {
		set_csrcs(&f, c, ol->heard, (int)ol->slot);
		send_minus(c->slotv[ol->slot].leg, &f, now_us);
	}
	ol->heard = 0;
}
