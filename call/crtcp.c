/**
 * @file crtcp.c  RTCP of one call: sender and receiver reports
 *
 * Refs: RFC 3550 section 6
 */
#include <string.h>
#include "cmedia_priv.h"

enum {
	FIRST_US  = 500000,       /* the first report soon: it opens the path */
	STREAM_REPORT_US = 10000000, /* silent for longer: not reported      */
};

static uint64_t interval_us(const struct cmedia *m)
{
	/* RFC 3550 section 6.3.1: half to one and a half, against synchrony */
	return m->cfg.rtcp_interval_ms * (500ull + rand_u32() % 1001);
}

void crtcp_start(struct cmedia *m, uint64_t now_us)
{
	const uint64_t first = interval_us(m);

	m->rtcp_next_us = now_us + (first < FIRST_US ? first : FIRST_US);
}

void crtcp_report(struct cmedia *m, uint64_t now_us, bool bye)
{
	uint8_t pkt[RTPH_MTU + RTPH_TRAILER_MAX];
	struct rtcpx r;
	size_t n;

	memset(&r, 0, sizeof(r));
	r.sender_ssrc = m->ssrc;
	r.has_sr = m->stats.tx_packets > 0;
	if (r.has_sr) {
		r.ntp     = rtcpx_ntp_now();
		r.rtp_ts  = m->ts;
		r.packets = (uint32_t)m->stats.tx_packets;
		r.octets  = (uint32_t)m->tx_bytes;
	}

	for (unsigned i = 0; i < m->streamc && r.rbc < RTCPX_RB_MAX; i++) {
		struct cstream *s = &m->streamv[i];

		if (s->rx.started && now_us - s->last_us < STREAM_REPORT_US)
			rtcpx_rx_report(&s->rx, &r.rbv[r.rbc++], s->ssrc, now_us);
	}

	(void)re_snprintf(r.cname, sizeof(r.cname), "call-%08x", m->ssrc);
	if (bye)
		r.byev[r.byec++] = m->ssrc;

	n = rtcpx_encode(pkt, RTPH_MTU, &r);
	if (n)
		cmedia_send(m, true, pkt, n);
}

void crtcp_tick(struct cmedia *m, uint64_t now_us)
{
	if (now_us < m->rtcp_next_us)
		return;

	m->rtcp_next_us = now_us + interval_us(m);
	if (ckeys_has_tx(m->keys) && sa_port(&m->remote_rtcp))
		crtcp_report(m, now_us, false);
}

void crtcp_recv(struct cmedia *m, const uint8_t *pkt, size_t len, uint64_t arrival_us)
{
	struct cmedia_stats *st = &m->stats;
	struct rtcpx r;

	if (rtcpx_decode(&r, pkt, len)) {
		++st->malformed;
		return;
	}

	if (r.has_sr)
		++st->rtcp_sr;
	else
		++st->rtcp_rr;
	st->rtcp_bye += r.byec;

	for (unsigned i = 0; i < r.rbc; i++) {
		if (r.rbv[i].ssrc != m->ssrc)
			continue;
		++st->rtcp_own;
		st->own_rb = r.rbv[i];
	}

	for (unsigned i = 0; r.has_sr && i < m->streamc; i++) {
		struct cstream *s = &m->streamv[i];

		if (s->ssrc != r.sender_ssrc)
			continue;
		s->rx.lsr = (uint32_t)(r.ntp >> 16);
		s->rx.lsr_at_us = arrival_us;
	}
}
