/**
 * @file legrtcp.c  RTCP: what we tell a leg, what it tells us
 *
 * A mixer forwards no reports (RFC 3550 section 7.3).  Each leg gets reports
 * of its own: under its own stream, or, in group keying, under its own SSRC
 * of the group key.  The class stream's sender report goes to all listeners,
 * protected once.
 *
 * Refs: RFC 3550 sections 6.2 to 6.4, RFC 3711 section 3.4
 */
#include <string.h>
#include "mixer.h"

enum {
	INTERVAL_MS = 5000,
	FIRST_MS = 1000,
	SOON_MS = 300,
	GRID_US = 100000,
	TALKED_MS = 10000,          /* the longest interval of a report, and more */
};

/* xorshift64: spreads the reports of many legs, protects nothing */
static uint64_t rnd(struct mixer *mx)
{
	mx->rnd ^= mx->rnd << 13;
	mx->rnd ^= mx->rnd >> 7;
	mx->rnd ^= mx->rnd << 17;

	return mx->rnd;
}

/* RFC 3550 section 6.3.1: 0.5 to 1.5 times the interval.  On a grid, so that
   the reports of many legs share a wake-up. */
static uint64_t due_us(struct mixer *mx, unsigned interval_ms)
{
	const uint64_t at = now_usec() + (interval_ms / 2 + rnd(mx) % interval_ms) * 1000ULL;

	return at - at % GRID_US + GRID_US;
}

static void fill_sender(struct rtcpx *r, struct conf *c, struct stream *s)
{
	r->sender_ssrc = s->ssrc;
	/* RFC 3550 section 6.4: SR if it sent since the last report but one */
	r->has_sr = s->packets && s->packets != s->sr_packets;
	if (r->has_sr) {
		r->ntp = rtcpx_ntp_now();
		r->rtp_ts = stream_ts(s, loop_media_pos(c->mx->loop));
		r->packets = (uint32_t)s->packets;
		r->octets = (uint32_t)s->octets;
	}
	s->sr_packets = s->packets;
	memcpy(r->cname, c->cname, sizeof(c->cname));
}

static void fill_report(struct rtcpx *r, struct leg *leg)
{
	if (!leg->has_src || !leg->rxstat.started)
		return;
	rtcpx_rx_report(&leg->rxstat, &r->rbv[r->rbc++], leg->src_ssrc, now_usec());
}

static void fill_bye(struct rtcpx *r, struct leg *leg)
{
	memcpy(r->byev, leg->byev, leg->byec * sizeof(*leg->byev));
	r->byec = leg->byec;
}

static void send_stream(struct leg *leg, struct stream *s, const struct rtcpx *r)
{
	uint8_t *buf = leg->conf->mx->txbuf;
	size_t len = rtcpx_encode(buf, RTPH_MTU, r);

	if (len && !stream_rtcp(s, buf, &len))
		legnet_send_rtcp(leg, buf, len);
}

static void report(struct leg *leg)
{
	struct conf *c = leg->conf;
	const bool own = leg->own.srtp && !leg->mute_tx && (!leg->cfg.group || leg->cfg.both);
	struct stream *g = NULL;
	struct rtcpx r;

	if (own) {
		memset(&r, 0, sizeof(r));
		fill_sender(&r, c, &leg->own);
		fill_report(&r, leg);
		fill_bye(&r, leg);
		send_stream(leg, &leg->own, &r);
	}

	/* A listener that never sends needs no stream of its own here: the
	   class stream's report comes separately */
	if (leg->cfg.group && (leg->gown.srtp || leg->byec || leg->has_src))
		g = legkey_gown(leg);
	if (g) {
		memset(&r, 0, sizeof(r));
		fill_sender(&r, c, g);
		if (!own)
			fill_report(&r, leg);
		fill_bye(&r, leg);
		send_stream(leg, g, &r);
	}
	if (own || g)
		leg->byec = 0;
}

static void leg_rtcp_h(void *arg)
{
	struct leg *leg = arg;
	struct mixer *mx = leg->conf->mx;

	report(leg);
	(void)timeq_set(loop_timeq(mx->loop), &leg->rtcp, due_us(mx, INTERVAL_MS),
			leg_rtcp_h, leg);
}

void legrtcp_start(struct leg *leg)
{
	struct mixer *mx = leg->conf->mx;

	(void)timeq_set(loop_timeq(mx->loop), &leg->rtcp, due_us(mx, FIRST_MS),
			leg_rtcp_h, leg);
}

void legrtcp_soon(struct leg *leg)
{
	struct mixer *mx = leg->conf->mx;
	const uint64_t at = due_us(mx, SOON_MS);

	if (!leg->rtcp.pos || at < leg->rtcp.at_us)
		(void)timeq_set(loop_timeq(mx->loop), &leg->rtcp, at, leg_rtcp_h, leg);
}

/* The leg ends: its streams say BYE for themselves */
void legrtcp_bye(struct leg *leg)
{
	struct stream *sv[2] = {&leg->own, &leg->gown};
	unsigned i;

	for (i = 0; i < 2; i++) {
		struct rtcpx r;

		if (!sv[i]->srtp || leg->mute_tx || (i == 0 && leg->cfg.group && !leg->cfg.both))
			continue;
		memset(&r, 0, sizeof(r));
		fill_sender(&r, leg->conf, sv[i]);
		fill_report(&r, leg);
		fill_bye(&r, leg);
		r.byev[r.byec++] = sv[i]->ssrc;
		send_stream(leg, sv[i], &r);
	}
}

/* ---- class streams ---- */

static void send_all(struct gkey *gk, const struct rtcpx *r)
{
	uint8_t *buf = gk->conf->mx->txbuf;
	size_t len = rtcpx_encode(buf, RTPH_MTU, r);
	struct leg *leg;

	if (!len || TAILQ_EMPTY(&gk->legs) || stream_rtcp(&gk->stream, buf, &len))
		return;
	TAILQ_FOREACH(leg, &gk->legs, group_le)
		legnet_send_rtcp(leg, buf, len);
}

static void gkey_rtcp_h(void *arg)
{
	struct gkey *gk = arg;
	struct mixer *mx = gk->conf->mx;
	struct rtcpx r;

	memset(&r, 0, sizeof(r));
	fill_sender(&r, gk->conf, &gk->stream);
	send_all(gk, &r);
	(void)timeq_set(loop_timeq(mx->loop), &gk->rtcp, due_us(mx, INTERVAL_MS),
			gkey_rtcp_h, gk);
}

void gkey_rtcp_start(struct gkey *gk)
{
	struct mixer *mx = gk->conf->mx;

	(void)timeq_set(loop_timeq(mx->loop), &gk->rtcp, due_us(mx, FIRST_MS),
			gkey_rtcp_h, gk);
}

void gkey_rtcp_bye(struct gkey *gk, uint32_t old_ssrc)
{
	struct rtcpx r;

	memset(&r, 0, sizeof(r));
	fill_sender(&r, gk->conf, &gk->stream);
	r.byev[r.byec++] = old_ssrc;
	send_all(gk, &r);
}

/* ---- what a leg tells ---- */

/* Is this SSRC one that we send to this leg? */
static bool ours(const struct leg *leg, uint32_t ssrc)
{
	const struct gkey *gk = leg->cfg.group;

	return (leg->own.srtp && leg->own.ssrc == ssrc) ||
		(leg->gown.srtp && leg->gown.ssrc == ssrc) ||
		(gk && gk->stream.ssrc == ssrc);
}

static void reported(struct leg *leg, const struct rtcpx_rb *rb)
{
	unsigned i;

	if (!ours(leg, rb->ssrc))
		return;
	for (i = 0; i < leg->reportedc; i++)
		if (leg->reportedv[i] == rb->ssrc)
			return;

	/* the oldest is forgotten: it was retired long ago */
	if (leg->reportedc == LEG_REPORTED)
		memmove(leg->reportedv, leg->reportedv + 1,
			--leg->reportedc * sizeof(*leg->reportedv));
	leg->reportedv[leg->reportedc++] = rb->ssrc;
	mpev_report(leg, rb->ssrc, rb->fraction);
}

/* A leg that talks gets its mix-minus, while the class stream's SEQ goes on
   without it: its next reports count as lost what was never meant for it */
static bool talked_lately(const struct leg *leg, uint64_t now_us)
{
	return leg->spk.heard_ms && now_us / 1000 < leg->spk.heard_ms + TALKED_MS;
}

/* One report may have blocks about several streams of ours, of which all but
   one may rest: the worst counts */
static void note_loss(struct leg *leg, const struct rtcpx *r)
{
	uint8_t fraction = 0;
	bool any = false;
	unsigned i;

	for (i = 0; i < r->rbc; i++) {
		if (!ours(leg, r->rbv[i].ssrc))
			continue;
		any = true;
		if (r->rbv[i].fraction > fraction)
			fraction = r->rbv[i].fraction;
	}
	if (any && !(leg->group_linked && talked_lately(leg, now_usec())))
		loss_report(&leg->loss, fraction, now_usec());
}

void legrtcp_input(struct leg *leg, const uint8_t *pkt, size_t len)
{
	struct rtcpx r;
	unsigned i;

	if (rtcpx_decode(&r, pkt, len)) {
		++leg->stats.dropped;
		return;
	}

	if (r.has_sr && leg->has_src && r.sender_ssrc == leg->src_ssrc) {
		leg->rxstat.lsr = (uint32_t)(r.ntp >> 16);
		leg->rxstat.lsr_at_us = now_usec();
	}
	for (i = 0; i < r.rbc; i++)
		reported(leg, &r.rbv[i]);
	note_loss(leg, &r);
	for (i = 0; i < r.byec; i++)
		if (leg->has_src && r.byev[i] == leg->src_ssrc)
			mpev_bye(leg);
}
