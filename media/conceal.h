/**
 * @file conceal.h  Loss concealment for codecs that have none (private to media/)
 *
 * Repeats the last pitch period, fades it out, and fades the sound that comes
 * next in.  No delay.  Why not spandsp's: it copies overlapping memory with
 * memcpy(), and knows 8 kHz only.
 *
 * Refs: ITU-T G.711 appendix I, for the idea
 */
#ifndef CONCLAVE_CONCEAL_H
#define CONCLAVE_CONCEAL_H

#include <stddef.h>
#include <stdint.h>

enum {
	CONCEAL_RATE_MAX = 16000,
	CONCEAL_LAG_MAX  = CONCEAL_RATE_MAX / 1000 * 15,  /* 66 Hz           */
	CONCEAL_MATCH    = CONCEAL_RATE_MAX / 1000 * 20,
	CONCEAL_HIST     = CONCEAL_LAG_MAX + CONCEAL_MATCH,
};

struct conceal {
	size_t  per_ms;           /* samples                                 */
	size_t  lost;             /* samples made up since the last good one */
	size_t  pitch;            /* length of cycle                         */
	int16_t step;             /* from the end of the good to the cycle   */
	int16_t cycle[CONCEAL_LAG_MAX];
	int16_t hist[CONCEAL_HIST];   /* what was played, newest last        */
};

/** @param rate  8000 or 16000 [Hz] */
void conceal_init(struct conceal *c, unsigned rate);

/** Sample v at pos samples into a loss: full for hold, silent from hold + fade on */
static inline int conceal_fade(int v, size_t pos, size_t hold, size_t fade)
{
	if (pos >= hold + fade)
		return 0;

	return pos > hold ? v * (int)(hold + fade - pos) / (int)fade : v;
}

/** A frame came: remember it; behind a loss its beginning is changed */
void conceal_good(struct conceal *c, int16_t *pcm, size_t sampc);

/** A frame is lost: make one up */
void conceal_lost(struct conceal *c, int16_t *pcm, size_t sampc);

#endif
