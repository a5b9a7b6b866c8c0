/**
 * @file tone.c  Make a sine, and find sines: level, gaps
 *
 * The finder correlates each window with a sine and a cosine that are already
 * multiplied with the Hann window, so a window costs two dot products.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "tone.h"

enum {
	WIN_MS = 40,
	HOP_MS = 10,
	LANES  = 8,               /* partial sums, so that they run side by side */
};

static const double full_scale = 32767.0;
static const double floor_db   = -50.0;   /* quieter is not a tone           */
static const double silence_db = -120.0;
static const double half_db    = 6.0205999132796239;

void tone_gen_init(struct tone_gen *g, double freq, uint32_t rate,
		   double level_dbfs)
{
	g->phase = 0.0;
	g->step  = 2.0 * M_PI * freq / rate;
	g->amp   = full_scale * M_SQRT2 * pow(10.0, level_dbfs / 20.0);
}

/* A phasor turned by one step per sample; it starts anew from the phase with
   each call, so rounding errors do not add up */
void tone_gen_fill(struct tone_gen *g, int16_t *pcm, size_t sampc)
{
	const double dc = cos(g->step), ds = sin(g->step);
	double c = cos(g->phase), s = sin(g->phase);

	for (size_t i = 0; i < sampc; i++) {
		const double v = g->amp * s;
		const double t = c * dc - s * ds;

		pcm[i] = (int16_t)lrint(fmax(-full_scale,
					     fmin(full_scale, v)));
		s = s * dc + c * ds;
		c = t;
	}

	g->phase = fmod(g->phase + g->step * (double)sampc, 2.0 * M_PI);
}

struct probe {
	float *sinv;              /* Hann window times sine                  */
	float *cosv;
	size_t winc;              /* window [samples], a multiple of LANES   */
	size_t hopc;
	double scale;             /* correlation to RMS relative to full scale */
};

static int probe_init(struct probe *p, uint32_t rate, double freq)
{
	const double step = 2.0 * M_PI * freq / rate;
	double sum = 0.0;

	p->winc = (size_t)rate * WIN_MS / 1000 / LANES * LANES;
	p->hopc = (size_t)rate * HOP_MS / 1000;
	if (!p->winc || !p->hopc)
		return -1;

	p->sinv = calloc(2 * p->winc, sizeof(float));
	if (!p->sinv)
		return -1;
	p->cosv = p->sinv + p->winc;

	for (size_t i = 0; i < p->winc; i++) {
		const double w = 0.5 - 0.5 * cos(2.0 * M_PI * (double)i /
						 (double)p->winc);

		p->sinv[i] = (float)(w * sin(step * (double)i));
		p->cosv[i] = (float)(w * cos(step * (double)i));
		sum += w;
	}
	p->scale = M_SQRT2 / (sum * full_scale);

	return 0;
}

/** Level of the tone in one window [dB] */
static float probe_level(const struct probe *p, const int16_t *pcm)
{
	float sv[LANES] = { 0 }, cv[LANES] = { 0 };
	double s = 0.0, c = 0.0, rms;

	for (size_t i = 0; i < p->winc; i += LANES) {
		for (size_t k = 0; k < LANES; k++) {
			const float x = (float)pcm[i + k];

			sv[k] += x * p->sinv[i + k];
			cv[k] += x * p->cosv[i + k];
		}
	}
	for (size_t k = 0; k < LANES; k++) {
		s += (double)sv[k];
		c += (double)cv[k];
	}

	rms = hypot(s, c) * p->scale;

	return (float)(rms > 1e-6 ? 20.0 * log10(rms) : silence_db);
}

static int float_cmp(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static int percentile_90(double *levelp, const float *levelv, size_t winc)
{
	float *sorted = calloc(winc, sizeof(*sorted));

	if (!sorted)
		return -1;

	memcpy(sorted, levelv, winc * sizeof(*sorted));
	qsort(sorted, winc, sizeof(*sorted), float_cmp);
	*levelp = (double)sorted[(winc - 1) * 9 / 10];
	free(sorted);

	return 0;
}

static void judge(struct tone_found *tf, const float *levelv, size_t winc)
{
	const double on_db = fmax(tf->level_dbfs - half_db, floor_db);
	size_t onc = 0, last = 0;

	for (size_t i = 0; i < winc; i++) {
		unsigned gap_ms;

		if ((double)levelv[i] < on_db)
			continue;

		gap_ms = (unsigned)(i - last - 1) * HOP_MS;
		if (!onc) {
			tf->first_ms = (unsigned)i * HOP_MS;
		}
		else if (gap_ms) {
			++tf->gaps;
			if (gap_ms > tf->longest_gap_ms)
				tf->longest_gap_ms = gap_ms;
		}
		last = i;
		++onc;
	}

	tf->on_pct = (unsigned)(onc * 100 / winc);
}

void tone_find(struct tone_found *tf, const int16_t *pcm, size_t sampc,
	       uint32_t rate, double freq)
{
	struct probe p;
	float *levelv;
	size_t winc;

	memset(tf, 0, sizeof(*tf));
	tf->freq       = freq;
	tf->level_dbfs = silence_db;

	if (!pcm || probe_init(&p, rate, freq))
		return;

	winc   = sampc < p.winc ? 0 : (sampc - p.winc) / p.hopc + 1;
	levelv = winc ? calloc(winc, sizeof(*levelv)) : NULL;
	if (levelv) {
		for (size_t i = 0; i < winc; i++)
			levelv[i] = probe_level(&p, pcm + i * p.hopc);

		if (!percentile_90(&tf->level_dbfs, levelv, winc))
			judge(tf, levelv, winc);
	}

	free(levelv);
	free(p.sinv);
}
