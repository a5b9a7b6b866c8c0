/**
 * @file limiter.c  Soft limiter: a 32 bit sum becomes 16 bit without wrapping
 */
#include "limiter.h"

enum {
	CEILING = 32767,
	ATTACK = 64,          /* samples until a lower gain is reached: 1.3 ms   */
	RELEASE = 200,        /* Q15 per frame: 6 dB come back in 1.6 s          */
};

void limiter_init(struct limiter *lim)
{
	lim->gain = LIMITER_UNITY;
}

static int32_t peak_of(const int32_t *in, size_t c)
{
	int32_t peak = 0;
	size_t i;

	for (i = 0; i < c; i++) {
		const int32_t a = in[i] < 0 ? -in[i] : in[i];

		peak = a > peak ? a : peak;
	}

	return peak;
}

/* Above the knee K: K + (x - K) * R / (x - K + R), R = room up to full scale.
   Monotone, slope 1 at the knee, never reaches full scale. */
static int32_t knee(int32_t x)
{
	const int32_t a = x < 0 ? -x : x, room = CEILING - LIMITER_KNEE;
	int32_t y;

	if (a <= LIMITER_KNEE)
		return x;

	y = LIMITER_KNEE + (int32_t)((int64_t)(a - LIMITER_KNEE) * room / (a - LIMITER_KNEE + room));

	return x < 0 ? -y : y;
}

void limiter_run(struct limiter *lim, const int32_t *in, int16_t *out, size_t c)
{
	const int32_t peak = peak_of(in, c), from = lim->gain;
	int32_t to = from + RELEASE;
	size_t i;

	if (to > LIMITER_UNITY)
		to = LIMITER_UNITY;
	if (((int64_t)peak * to) >> 15 > LIMITER_KNEE)
		to = (int32_t)(((int64_t)LIMITER_KNEE << 15) / peak);
	lim->gain = to;

	if (from == LIMITER_UNITY && to == LIMITER_UNITY) {
		for (i = 0; i < c; i++)
			out[i] = (int16_t)in[i];
		return;
	}

	for (i = 0; i < c; i++) {
		const int32_t n = i < ATTACK ? (int32_t)i : ATTACK;
		const int32_t g = from + (to - from) * n / ATTACK;

		out[i] = (int16_t)knee((int32_t)(((int64_t)in[i] * g) >> 15));
	}
}
