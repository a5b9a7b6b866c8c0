/**
 * @file rtcp.h  RTCP compound packets: SR, RR, SDES CNAME, BYE
 *
 * Refs: RFC 3550 section 6
 */
#ifndef CONCLAVE_RTCP_H
#define CONCLAVE_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RTCPX_RB_MAX = 31, RTCPX_CNAME_MAX = 64 };

/** Report block, RFC 3550 section 6.4.1 */
struct rtcpx_rb {
	uint32_t ssrc;
	uint8_t  fraction;    /* lost since last report, 1/256              */
	int32_t  lost;        /* cumulative, 24 bit signed                  */
	uint32_t ext_seq;
	uint32_t jitter;      /* [RTP timestamp units]                      */
	uint32_t lsr;
	uint32_t dlsr;        /* [1/65536 s]                                */
};

/** What one compound packet said, flattened */
struct rtcpx {
	bool     has_sr;
	uint32_t sender_ssrc;  /* of SR or RR                               */
	uint64_t ntp;
	uint32_t rtp_ts;
	uint32_t packets;
	uint32_t octets;
	struct rtcpx_rb rbv[RTCPX_RB_MAX];
	unsigned rbc;
	char     cname[RTCPX_CNAME_MAX];  /* "" if none, zero-terminated    */
	uint32_t byev[RTCPX_RB_MAX];
	unsigned byec;
};

/** Parse a plain (decrypted) compound packet; 0 or EBADMSG.  Never reads beyond len. */
int rtcpx_decode(struct rtcpx *r, const uint8_t *pkt, size_t len);

/**
 * Write SR (has_sr) or RR, then SDES CNAME, then BYE if byec
 * @return bytes written, 0 if size is too small
 */
size_t rtcpx_encode(uint8_t *buf, size_t size, const struct rtcpx *r);

/** Wall clock as 64 bit NTP timestamp */
uint64_t rtcpx_ntp_now(void);

/**
 * Receiver statistics of one source, RFC 3550 appendix A.1, A.3, A.8
 */
struct rtcpx_rx {
	bool     started;
	uint16_t max_seq;
	uint32_t cycles;
	uint32_t base_seq;
	uint32_t received;
	uint32_t expected_prior;
	uint32_t received_prior;
	int32_t  transit;
	uint32_t jitter16;    /* jitter scaled by 16 */
	uint32_t lsr;
	uint64_t lsr_at_us;   /* monotonic time the last SR came             */
};

void rtcpx_rx_reset(struct rtcpx_rx *rx);
/** One authenticated packet came; arrival in RTP clock units */
void rtcpx_rx_packet(struct rtcpx_rx *rx, uint16_t seq, uint32_t ts, uint32_t arrival);
/** Fill a report block and start the next interval; now_us monotonic */
void rtcpx_rx_report(struct rtcpx_rx *rx, struct rtcpx_rb *rb, uint32_t ssrc, uint64_t now_us);
/** Packets lost so far (cumulative, may be negative with duplicates) */
int32_t rtcpx_rx_lost(const struct rtcpx_rx *rx);

#endif
