/**
 * @file cmedia.h  Media of one call: sockets, SRTP, RTCP, figures
 *
 * Sends one frame per packet time from a source and receives, authenticates
 * and (if the call records) decodes.  Nothing is ever sent without a key.
 *
 * Ownership:  libre object
 * Time:       driven by cmedia_tick(); arrival times are the kernel's
 */
#ifndef CALL_CMEDIA_H
#define CALL_CMEDIA_H

#include "re_compat.h"
#include "cdump.h"
#include "ckeys.h"
#include "codec.h"
#include "crec.h"
#include "csdp.h"
#include "ctap.h"
#include "rtcp.h"

struct cmedia;

/** The next frame to send; called right before it is sent */
typedef const uint8_t *(cmedia_frame_h)(uint32_t i, size_t *lenp, void *arg);

struct cmedia_cfg {
	const struct sa *laddr;         /* address to bind; port ignored     */
	unsigned ptime;
	uint32_t rtcp_interval_ms;
	struct cdump *dump;             /* may be NULL                       */
	struct ctap *tap;               /* may be NULL                       */
	unsigned call;                  /* its number in the tap             */
	struct crec *rec;               /* may be NULL                       */
};

int cmedia_alloc(struct cmedia **mp, const struct cmedia_cfg *cfg);

const struct sa *cmedia_laddr(const struct cmedia *m);
uint16_t cmedia_rtcp_port(const struct cmedia *m);
struct ckeys *cmedia_keys(struct cmedia *m);

/** Where the peer wants RTP and RTCP */
void cmedia_set_remote(struct cmedia *m, const struct sa *rtp, const struct sa *rtcp, bool mux);

/**
 * @param tx    What we send
 * @param rxv   Payload types as we declared them
 */
void cmedia_set_codec(struct cmedia *m, const struct csdp_fmt *tx,
		      const struct csdp_fmt *rxv, unsigned rxc);
void cmedia_set_source(struct cmedia *m, cmedia_frame_h *frameh, void *arg);
void cmedia_set_dir(struct cmedia *m, bool send, bool recv, uint64_t now_us);

/** A new key means a new stream: own SSRC, low SEQ, as the server does it */
void cmedia_new_ssrc(struct cmedia *m);

void cmedia_start(struct cmedia *m, uint64_t now_us);
void cmedia_tick(struct cmedia *m, uint64_t now_us);

/** RTCP BYE, and no packet any more in either direction */
void cmedia_stop(struct cmedia *m, uint64_t now_us);

struct cmedia_stats {
	uint64_t rx_packets;            /* authenticated RTP                 */
	uint64_t rx_bytes;              /* of their payload                  */
	int64_t  rx_lost;
	uint64_t rx_late;               /* after a later one                 */
	uint64_t auth_fail;
	uint64_t replays;
	uint64_t malformed;
	uint64_t early;                 /* came before we had any key        */
	uint64_t unknown_pt;
	uint64_t old_key;               /* under a key that was replaced     */
	uint32_t ssrcs;
	uint64_t first_us, last_us;     /* arrival of authenticated RTP      */
	uint64_t longest_gap_us;
	uint64_t tx_packets;
	uint64_t tx_skipped;            /* frames we were too late for       */
	uint64_t tx_errors;
	uint64_t rtcp_tx;
	uint64_t rtcp_sr, rtcp_rr, rtcp_bye;
	uint64_t rtcp_auth_fail;
	uint64_t rtcp_own;              /* report blocks about our SSRC      */
	struct rtcpx_rb own_rb;         /* the last of them                  */
};

void cmedia_stats(const struct cmedia *m, struct cmedia_stats *st);

/** Monotonic clock [us] */
uint64_t cmedia_now_us(void);

#endif
