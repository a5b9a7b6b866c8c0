/**
 * @file conceal.c  Loss concealment for codecs that have none
 */
#include <math.h>
#include <string.h>
#include "conceal.h"

enum {
	LAG_MIN_US = 2500,        /* 400 Hz                                  */
	LAG_MAX_MS = 15,
	MATCH_MS   = 20,
	HOLD_MS    = 10,          /* full level, then                        */
	FADE_MS    = 50,          /* down to silence                         */
	JOIN_MS    = 4,           /* cross-fades                             */
};

void conceal_init(struct conceal *c, unsigned rate)
{
	memset(c, 0, sizeof(*c));
	c->per_ms = rate / 1000;
}

static void remember(struct conceal *c, const int16_t *pcm, size_t sampc)
{
	if (sampc >= CONCEAL_HIST) {
		memcpy(c->hist, pcm + sampc - CONCEAL_HIST, sizeof(c->hist));
		return;
	}

	memmove(c->hist, c->hist + sampc,
		(CONCEAL_HIST - sampc) * sizeof(c->hist[0]));
	memcpy(c->hist + CONCEAL_HIST - sampc, pcm, sampc * sizeof(*pcm));
}

/* How well the last 20 ms repeat what was lag samples before */
static float likeness(const struct conceal *c, size_t lag)
{
	const size_t step = c->per_ms / 8;    /* 8 kHz is enough to compare  */
	const size_t len  = c->per_ms * MATCH_MS;
	const int16_t *x = c->hist + CONCEAL_HIST - len;
	const int16_t *y = x - lag;
	float xy = 0.0f, yy = 1.0f;

	for (size_t i = 0; i < len; i += step) {
		const float v = (float)y[i];

		xy += (float)x[i] * v;
		yy += v * v;
	}

	return xy / sqrtf(yy);
}

static size_t pitch_find(const struct conceal *c)
{
	const size_t step = c->per_ms / 8;
	const size_t min  = c->per_ms * LAG_MIN_US / 1000;
	const size_t max  = c->per_ms * LAG_MAX_MS;
	float best = likeness(c, max);
	size_t pitch = max;

	/* Noise has no pitch: the longest lag then repeats least often */
	for (size_t lag = min; lag < max; lag += step) {
		const float l = likeness(c, lag);

		if (l > best) {
			best  = l;
			pitch = lag;
		}
	}

	/* at 16 kHz the odd lags were left out */
	if (step > 1 && likeness(c, pitch - 1) > best)
		--pitch;
	else if (step > 1 && pitch < max && likeness(c, pitch + 1) > best)
		++pitch;

	return pitch;
}

/* The last period; its end is bent so that it leads to its own beginning */
static void cycle_make(struct conceal *c)
{
	const int16_t *end = c->hist + CONCEAL_HIST;
	size_t bend;

	c->pitch = pitch_find(c);
	bend = c->pitch / 4;
	memcpy(c->cycle, end - c->pitch, c->pitch * sizeof(c->cycle[0]));

	for (size_t i = 0; i < bend; i++) {
		const int w = (int)(i + 1), n = (int)bend;
		int16_t *p = &c->cycle[c->pitch - bend + i];
		const int16_t before = *(end - c->pitch - bend + i);

		*p = (int16_t)((*p * (n - w) + before * w) / n);
	}

	/* Halved: the difference of two samples may have 17 bits */
	c->step = (int16_t)((end[-1] - *(end - c->pitch - 1)) / 2);
}

/* Sample number pos of the loss */
static int16_t synth(const struct conceal *c, size_t pos)
{
	const size_t hold = c->per_ms * HOLD_MS, fade = c->per_ms * FADE_MS;
	const size_t join = c->per_ms * JOIN_MS;
	int v = c->cycle[pos % c->pitch];

	/* begin where the good sound ended */
	if (pos < join)
		v += 2 * c->step * (int)(join - pos) / (int)join;
	v = conceal_fade(v, pos, hold, fade);

	return (int16_t)(v > INT16_MAX ? INT16_MAX :
			 v < INT16_MIN ? INT16_MIN : v);
}

void conceal_lost(struct conceal *c, int16_t *pcm, size_t sampc)
{
	if (!c->lost)
		cycle_make(c);

	for (size_t i = 0; i < sampc; i++)
		pcm[i] = synth(c, c->lost + i);

	c->lost += sampc;
	remember(c, pcm, sampc);
}

void conceal_good(struct conceal *c, int16_t *pcm, size_t sampc)
{
	if (c->lost) {
		const size_t join = c->per_ms * JOIN_MS;

		for (size_t i = 0; i < join && i < sampc; i++) {
			const int w = (int)(i + 1), n = (int)join;

			pcm[i] = (int16_t)((pcm[i] * w +
				synth(c, c->lost + i) * (n - w)) / n);
		}
		c->lost = 0;
	}
	remember(c, pcm, sampc);
}
