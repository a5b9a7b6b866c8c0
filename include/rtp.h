/**
 * @file rtp.h  RTP packets: header on the wire and in memory
 *
 * Refs: RFC 3550 section 5.1, RFC 8285 (one-byte header extensions)
 */
#ifndef CONCLAVE_RTP_H
#define CONCLAVE_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RTPH_SIZE = 12,        /* fixed header [bytes]                       */
	RTPH_CSRC_MAX = 15,
	RTPH_MTU = 1500,       /* receive and send buffers are this big      */
	RTPH_TRAILER_MAX = 16 + 128 + 16, /* room libsrtp may write behind   */
};

struct rtph {
	bool     marker;
	bool     has_ext;
	uint8_t  pt;
	uint8_t  csrcc;
	uint16_t seq;
	uint32_t ts;
	uint32_t ssrc;
	uint32_t csrcv[RTPH_CSRC_MAX];
	uint16_t ext_profile;
	const uint8_t *ext;    /* into the packet                            */
	size_t   ext_len;      /* [bytes]                                    */
	const uint8_t *payload;
	size_t   payload_len;  /* without padding [bytes]                    */
};

/** Parse a plain packet; 0 or EBADMSG.  Pointers point into pkt. */
int rtph_decode(struct rtph *h, const uint8_t *pkt, size_t len);

/** Write header (V=2, no padding, no extension); @return bytes written, 0 if size is too small */
size_t rtph_encode(uint8_t *buf, size_t size, const struct rtph *h);

/** Is this RTCP?  Packet types 192..223, RFC 5761 section 4 */
bool rtph_is_rtcp(const uint8_t *pkt, size_t len);

/**
 * Value of a one-byte header extension element (RFC 8285 section 4.2)
 * @return pointer into the packet and its length, or NULL
 */
const uint8_t *rtph_ext_find(const struct rtph *h, uint8_t id, size_t *lenp);

/** (int16_t)(a - b): distance in the circular sequence number space */
static inline int rtph_seq_diff(uint16_t a, uint16_t b)
{
	return (int16_t)(uint16_t)(a - b);
}

#endif
