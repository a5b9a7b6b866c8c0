/**
 * @file rtcp_rx.c  Receiver statistics of one source
 *
 * Fed with authenticated packets only, so a source needs no probation, and a
 * jump in the sequence numbers is the sender's own doing.
 *
 * Refs: RFC 3550 appendix A.1, A.3, A.8
 */
#include <string.h>
#include "rtcp.h"

enum {
	SEQ_MOD     = 1 << 16,
	MAX_DROPOUT = 3000,
	/* As wide as the SRTP replay window: no authenticated packet can be
	   older, so an attacker who delays packets cannot reset the counters */
	MAX_MISORDER = 1024,
	LOST_MAX    = 0x7fffff,
	LOST_MIN    = -0x800000,
	/* A larger step between two packets is a new timestamp base */
	TRANSIT_MAX = 1 << 24,
};

void rtcpx_rx_reset(struct rtcpx_rx *rx)
{
	memset(rx, 0, sizeof(*rx));
}

static void seq_restart(struct rtcpx_rx *rx, uint16_t seq)
{
	rx->started  = true;
	rx->base_seq = seq;
	rx->max_seq  = seq;
	rx->cycles   = 0;
	rx->received = 0;
	rx->received_prior = 0;
	rx->expected_prior = 0;
}

static void seq_update(struct rtcpx_rx *rx, uint16_t seq)
{
	const unsigned delta = (uint16_t)(seq - rx->max_seq);

	if (delta < MAX_DROPOUT) {
		if (seq < rx->max_seq)
			rx->cycles += SEQ_MOD;
		rx->max_seq = seq;
	}
	else if (delta < SEQ_MOD - MAX_MISORDER) {
		seq_restart(rx, seq);
	}
}

static void jitter_update(struct rtcpx_rx *rx, int32_t transit)
{
	const int64_t diff = (int32_t)((uint32_t)transit -
				       (uint32_t)rx->transit);
	const int64_t d = diff < 0 ? -diff : diff;

	rx->transit = transit;
	if (d < TRANSIT_MAX)
		rx->jitter16 += (uint32_t)d - ((rx->jitter16 + 8) >> 4);
}

void rtcpx_rx_packet(struct rtcpx_rx *rx, uint16_t seq, uint32_t ts,
		     uint32_t arrival)
{
	const int32_t transit = (int32_t)(arrival - ts);

	if (rx->started) {
		seq_update(rx, seq);
		jitter_update(rx, transit);
	}
	else {
		seq_restart(rx, seq);
		rx->transit  = transit;
		rx->jitter16 = 0;
	}

	++rx->received;
}

static uint32_t expected(const struct rtcpx_rx *rx)
{
	return rx->started ? rx->cycles + rx->max_seq - rx->base_seq + 1 : 0;
}

int32_t rtcpx_rx_lost(const struct rtcpx_rx *rx)
{
	return (int32_t)(expected(rx) - rx->received);
}

static uint8_t fraction_lost(struct rtcpx_rx *rx)
{
	const uint32_t exp  = expected(rx);
	const uint32_t want = exp - rx->expected_prior;
	const int64_t  lost = (int64_t)want -
		(rx->received - rx->received_prior);

	rx->expected_prior = exp;
	rx->received_prior = rx->received;

	if (!want || lost <= 0)
		return 0;

	return (uint8_t)(lost >= want ? 255 : (lost << 8) / want);
}

void rtcpx_rx_report(struct rtcpx_rx *rx, struct rtcpx_rb *rb, uint32_t ssrc,
		     uint64_t now_us)
{
	const int32_t lost = rtcpx_rx_lost(rx);

	memset(rb, 0, sizeof(*rb));
	rb->ssrc     = ssrc;
	rb->fraction = fraction_lost(rx);
	rb->lost     = lost > LOST_MAX ? LOST_MAX :
		lost < LOST_MIN ? LOST_MIN : lost;
	rb->ext_seq  = rx->cycles + rx->max_seq;
	rb->jitter   = rx->jitter16 >> 4;

	/* "If no SR packet has been received yet ... set to zero" */
	if (rx->lsr && now_us >= rx->lsr_at_us) {
		const uint64_t age_us = now_us - rx->lsr_at_us;

		rb->lsr  = rx->lsr;
		rb->dlsr = (uint32_t)(age_us / 1000000 * 65536 +
				      age_us % 1000000 * 65536 / 1000000);
	}
}
