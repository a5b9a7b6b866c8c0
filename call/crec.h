/**
 * @file crec.h  What an ear hears: received packets placed on a time line
 *
 * A model of a phone with a fixed jitter buffer.  A packet is placed by its
 * RTP timestamp, as long as it comes before it would have to be played.  One
 * that comes too late, one whose timestamp makes no sense, and the first of
 * another SSRC start a new anchor: they are placed by the time they arrived.
 * What never came is silence; nothing is concealed, because gaps are what
 * the recording is for.
 *
 * Of several SSRCs one is heard at a time: a new one takes over, an old one
 * only when it was away or the other has fallen silent (during a change of
 * keys a server may send both for a while).
 *
 * Ownership:  libre object
 * Time:       passed in, monotonic [us]; nothing here reads a clock
 */
#ifndef CALL_CREC_H
#define CALL_CREC_H

#include "re_compat.h"
#include "codec.h"

struct crec;

/** Decoded audio of one packet, in order; for measuring delays */
typedef void (crec_pcm_h)(uint64_t arrival_us, const int16_t *pcm, size_t sampc,
			  uint32_t rate, void *arg);

/**
 * @param buffer_ms  Jitter buffer of the ear [ms]
 * @param pcmh       Optional
 */
int crec_alloc(struct crec **rp, uint32_t buffer_ms, crec_pcm_h *pcmh, void *arg);

/** One authenticated packet */
struct crec_pkt {
	uint64_t arrival_us;
	uint32_t ssrc;
	uint32_t ts;
	uint16_t seq;
	enum codec_id id;
	const uint8_t *payload;
	size_t len;
};

void crec_packet(struct crec *r, const struct crec_pkt *pkt);

/** The call ended (or was put on hold) at that time: decode what waits */
void crec_close(struct crec *r, uint64_t now_us);

/** Recording so far, starting with the first packet; NULL if there is none */
const int16_t *crec_pcm(const struct crec *r, size_t *sampcp, uint32_t *ratep);

struct crec_stats {
	uint32_t placed;        /* packets decoded and placed                */
	uint32_t late;          /* came after they should have been played   */
	uint32_t reanchored;    /* times the stream had to be placed anew    */
	uint32_t other;         /* packets of an SSRC that was not heard     */
	uint32_t undecodable;
};

const struct crec_stats *crec_stats(const struct crec *r);

#endif
