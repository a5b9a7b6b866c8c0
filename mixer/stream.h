/**
 * @file stream.h  One outgoing RTP stream: SSRC, SEQ, time stamps, key
 *
 * The one place where packets get their sequence number and are protected.
 * It keeps the promise on which everything rests: under one key no (SSRC,
 * ROC, SEQ) covers two different packets.  SEQ only ever goes up by one per
 * packet; an SSRC that was once used under a key never starts again under it.
 *
 * Ownership:  member of its owner; stream_close() wipes the session keys
 * Refs:       RFC 3711 sections 3.3.1 and 9.1, RFC 4568 section 6.4,
 *             RFC 7714 section 8.4
 */
#ifndef MIXER_STREAM_H
#define MIXER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "rtp.h"
#include "skey.h"

enum {
	STREAM_GROUP_PACKETS = 1 << 15,   /* of one SSRC of a group epoch: SEQ
					     starts below 2^15, so it cannot wrap */
	STREAM_GROUP_SOFT = STREAM_GROUP_PACKETS * 3 / 4,
	STREAM_BUF = RTPH_MTU + RTPH_TRAILER_MAX,
};

/** How much of one key is used up, over all its SSRCs (RFC 4568 section 6.4.2) */
struct keyuse {
	uint64_t used, limit;             /* packets                        */
	bool soft_told, hard_told;        /* events went out                */
	uint32_t *ssrcv;                  /* every SSRC ever used under it  */
	size_t ssrcc;
};

void keyuse_init(struct keyuse *ku, uint64_t limit);
void keyuse_close(struct keyuse *ku);
bool keyuse_has(const struct keyuse *ku, uint32_t ssrc);

/** One packet's contents */
struct frame {
	const uint8_t *payload;
	size_t   len;
	uint64_t pos;                     /* media position                 */
	uint32_t dur;                     /* [48 kHz samples]               */
	uint8_t  pt;
	uint8_t  csrcc;
	uint32_t csrcv[RTPH_CSRC_MAX];
};

struct stream {
	struct msrtp *srtp;               /* NULL: closed                   */
	struct keyuse *use;
	uint32_t ssrc;
	uint32_t clock;                   /* [Hz]                           */
	uint32_t ts_base;
	uint16_t seq;                     /* next                           */
	bool     group;
	bool     started;
	uint64_t next_pos;
	uint64_t packets, octets;         /* of this SSRC                   */
	uint64_t sr_packets;              /* at the last sender report      */
};

/**
 * @param use    Of this key, outlives the stream
 * @param ssrc   Fresh: not in keyuse_has()
 * @param group  Bound the number of packets so that SEQ cannot wrap
 *
 * @return 0, EIO, ENOMEM, EINVAL
 */
int  stream_open(struct stream *s, const struct skey *key, struct keyuse *use,
		 uint32_t ssrc, uint32_t clock, bool group);
/** Another SSRC under the same key (collision, other clock) */
int  stream_renew(struct stream *s, uint32_t ssrc, uint32_t clock);
void stream_close(struct stream *s);

enum stream_limit { STREAM_FAR, STREAM_SOFT, STREAM_HARD };
enum stream_limit stream_limit(const struct stream *s);

/**
 * Build and protect one packet
 *
 * @param buf   STREAM_BUF bytes
 * @param lenp  Out
 *
 * @return 0, ENOSPC (key or SSRC is spent), EMSGSIZE, EIO
 */
int stream_packet(struct stream *s, const struct frame *f, uint8_t *buf, size_t *lenp);

/** Protect an RTCP packet in place; its first sender SSRC must be the stream's */
int stream_rtcp(struct stream *s, uint8_t *buf, size_t *lenp);

/** RTP time stamp of a media position */
uint32_t stream_ts(const struct stream *s, uint64_t pos);

#endif
