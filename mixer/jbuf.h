/**
 * @file jbuf.h  Adaptive jitter buffer of one speaker slot
 *
 * Packets go in as they come, media comes out in ticks of 20 ms: packets to
 * decode, and stretches to conceal.  The target delay follows the measured
 * jitter.  A buffer that is too long or too short (jitter changed, sender's
 * clock runs differently) is corrected by one tick at a time, in a quiet
 * moment if there is one.
 *
 * Ownership:  packets belong to the buffer from jbuf_put() until they come
 *             out of jbuf_get(); then to the caller
 * Refs:       RFC 3550 section 6.4.1 (jitter), RFC 4733 section 2.5.2
 */
#ifndef MIXER_JBUF_H
#define MIXER_JBUF_H

#include <stdbool.h>
#include <stdint.h>
#include "pktpool.h"

enum {
	JBUF_SLOTS = 128,           /* packets; 200 ms of 2.5 ms frames and more */
	JBUF_TARGET_MIN_MS = 20,
	JBUF_TARGET_MAX_MS = 200,
	JBUF_TARGET_START_MS = 30,
	JBUF_BINS = 20,             /* of 10 ms, of lateness                     */
	JBUF_ITEMS = 24,            /* most items that one tick can need         */
};

/** What the decoder has to do next */
struct jbuf_item {
	struct pkt *pkt;            /* decode this; or NULL:                     */
	uint32_t conceal;           /* conceal so much [RTP clock units]         */
	const struct pkt *next;     /* may hold FEC for it; stays in the buffer  */
};

/** One tick's worth */
struct jbuf_tick {
	struct jbuf_item v[JBUF_ITEMS];
	unsigned c;                 /* may be 0 behind a packet longer than this */
	bool playing;               /* false: starting, or empty                 */
	bool shrink;                /* there is a tick too much: merge two       */
};

struct jbuf_stats {
	uint64_t put, late, dup, lost, resets;
	uint32_t shrunk, stretched;
};

struct jbuf {
	uint32_t clock;             /* RTP clock [Hz]                            */
	uint32_t tick;              /* 20 ms in RTP clock units                  */
	struct pkt *slotv[JBUF_SLOTS];
	unsigned c;                 /* packets waiting                           */
	struct pkt *late;           /* came after its time while nothing waited  */
	enum { JBUF_EMPTY, JBUF_FILLING, JBUF_PLAYING } state;
	uint16_t next_seq;          /* expected next                             */
	uint16_t max_seq;
	uint32_t out_ts;            /* handed out so far                         */
	uint32_t play_ts;           /* played so far                             */
	uint32_t end_ts;            /* end of the newest packet                  */
	uint64_t first_us;          /* when filling began                        */
	uint32_t dry;               /* concealed since the last packet [units]   */
	unsigned refill;            /* ticks to conceal while filling again      */

	uint32_t target_ms;
	uint32_t last_ts;           /* these two: time stamps without wrapping   */
	int64_t  ext_ts;
	int64_t  base_v[2];         /* smallest transit time, two windows [us]   */
	uint64_t base_until_us;     /* 0: nothing measured yet                   */
	uint64_t learnt_us;         /* when histv last learnt                    */
	uint32_t histv[JBUF_BINS];  /* how late packets were, Q15, forgetting    */
	uint32_t usual_ms;          /* fill level on average                     */
	uint32_t low_ms;            /* smallest fill level in this window        */
	unsigned low_ticks;
	struct jbuf_stats stats;
};

void jbuf_init(struct jbuf *jb, uint32_t clock);

/** Give all packets back and start anew (new source, new slot holder) */
void jbuf_flush(struct jbuf *jb);

/**
 * A packet came
 *
 * @param p       Packet with seq, ts, dur and payload set; taken over
 * @param now_us  Monotonic arrival time
 */
void jbuf_put(struct jbuf *jb, struct pkt *p, uint64_t now_us);

/**
 * The next 20 ms
 *
 * @param quiet   The last frame was quiet: a good moment for a correction
 */
void jbuf_get(struct jbuf *jb, struct jbuf_tick *t, bool quiet, uint64_t now_us);

/** Media that waits now [ms] */
uint32_t jbuf_level_ms(const struct jbuf *jb);

#endif
