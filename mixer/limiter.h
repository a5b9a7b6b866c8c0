/**
 * @file limiter.h  Soft limiter: a 32 bit sum becomes 16 bit without wrapping
 *
 * A gain that gives way at once and comes back slowly keeps the sum of many
 * loud talkers below full scale; what overshoots while the gain moves bends
 * along a knee instead of being cut off.
 */
#ifndef MIXER_LIMITER_H
#define MIXER_LIMITER_H

#include <stddef.h>
#include <stdint.h>

enum { LIMITER_KNEE = 26000, LIMITER_UNITY = 1 << 15 };

struct limiter {
	int32_t gain;       /* Q15, LIMITER_UNITY is 1.0 */
};

void limiter_init(struct limiter *lim);
void limiter_run(struct limiter *lim, const int32_t *in, int16_t *out, size_t c);

#endif
