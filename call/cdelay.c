/**
 * @file cdelay.c  Mouth-to-ear delay between calls of one process
 *
 * The marker is found with a Hann window of 5 ms, moved by half of it: short
 * enough to say when it begins, long enough to be deaf for the other tones,
 * which are far below its frequency.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "cdelay.h"
#include "clive.h"

enum {
	SAMPLE_MAX = 128,         /* per pair                                */
	HOP_MAX    = 120,         /* 2.5 ms at 48 kHz                        */
	QUIET_HOPS = 40,          /* 100 ms without it before it can begin   */
	STEADY_HOPS = 4,          /* as long as this it is no click          */
};

static const double threshold_dbfs = -44;

struct ear {
	int16_t  win[2 * HOP_MAX];
	unsigned fill;            /* samples of the second half              */
	unsigned hop;
	unsigned quiet;           /* hops without the marker                 */
	unsigned steady;          /* hops with it since then                 */
	uint64_t first_us;        /* arrival of the first of them            */
	bool     armed;           /* it was quiet for long enough before     */
	uint32_t heard_no;        /* last marker attributed                  */
};

struct pair {
	uint32_t usv[SAMPLE_MAX];
	unsigned c;
};

struct cdelay {
	struct ear earv[CDELAY_CALL_MAX];
	struct pair pairv[CDELAY_CALL_MAX][CDELAY_CALL_MAX];
	unsigned sentv[CDELAY_CALL_MAX];
	uint32_t no;              /* of the marker under way, 0: none yet    */
	unsigned from;
	uint64_t capture_us;
};

int cdelay_alloc(struct cdelay **dp)
{
	struct cdelay *d = mem_zalloc(sizeof(*d), NULL);

	if (!d)
		return ENOMEM;

	*dp = d;
	return 0;
}

void cdelay_marked(struct cdelay *d, unsigned from, uint64_t capture_us)
{
	if (from >= CDELAY_CALL_MAX)
		return;

	++d->no;
	++d->sentv[from];
	d->from = from;
	d->capture_us = capture_us;
}

/** RMS level of the marker's frequency in a window [dBFS] */
static double level(const int16_t *x, unsigned n, uint32_t rate)
{
	const double w = 2 * M_PI * (double)CLIVE_MARK_HZ / rate;
	double re = 0, im = 0;

	for (unsigned i = 0; i < n; i++) {
		const double h = 0.5 - 0.5 * cos(2 * M_PI * (i + 0.5) / n);

		re += h * x[i] * cos(w * i);
		im += h * x[i] * sin(w * i);
	}

	/* the mean of a Hann window is 1/2, a sine's correlation amp/2 */
	return 20 * log10(4 * sqrt(re * re + im * im) / n / M_SQRT2 / 32768 + 1e-9);
}

static void onset(struct cdelay *d, struct ear *e, unsigned to, uint64_t arrival_us)
{
	struct pair *p = &d->pairv[d->from][to];

	if (!d->no || e->heard_no == d->no || to == d->from || arrival_us < d->capture_us ||
	    arrival_us - d->capture_us > CDELAY_EVERY_MS * 1000u)
		return;

	e->heard_no = d->no;
	if (p->c < SAMPLE_MAX)
		p->usv[p->c++] = (uint32_t)(arrival_us - d->capture_us);
}

static void window(struct cdelay *d, struct ear *e, unsigned to, uint64_t arrival_us,
		   uint32_t rate)
{
	if (level(e->win, 2 * e->hop, rate) < threshold_dbfs) {
		++e->quiet;
		e->steady = 0;
		return;
	}

	if (!e->steady++) {
		e->first_us = arrival_us;
		e->armed = e->quiet >= QUIET_HOPS;
	}
	if (e->steady == STEADY_HOPS && e->armed)
		onset(d, e, to, e->first_us);
	if (e->steady >= STEADY_HOPS)
		e->quiet = 0;
}

void cdelay_heard(struct cdelay *d, unsigned to, uint64_t arrival_us,
		  const int16_t *pcm, size_t sampc, uint32_t rate)
{
	const unsigned hop = rate / 400;
	struct ear *e;

	if (to >= CDELAY_CALL_MAX || !hop || hop > HOP_MAX)
		return;

	e = &d->earv[to];
	if (e->hop != hop) {
		memset(e, 0, sizeof(*e));
		e->hop = hop;
	}

	for (size_t i = 0; i < sampc; i++) {
		e->win[hop + e->fill++] = pcm[i];
		if (e->fill < hop)
			continue;
		window(d, e, to, arrival_us, rate);
		memmove(e->win, e->win + hop, hop * sizeof(e->win[0]));
		e->fill = 0;
	}
}

static int cmp(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void cdelay_result(const struct cdelay *d, unsigned from, unsigned to,
		   struct cdelay_result *r)
{
	uint32_t usv[SAMPLE_MAX];

	memset(r, 0, sizeof(*r));
	if (from >= CDELAY_CALL_MAX || to >= CDELAY_CALL_MAX)
		return;

	r->sent  = d->sentv[from];
	r->count = d->pairv[from][to].c;
	if (!r->count)
		return;

	memcpy(usv, d->pairv[from][to].usv, r->count * sizeof(usv[0]));
	qsort(usv, r->count, sizeof(usv[0]), cmp);
	r->min_ms    = usv[0] / 1000.0;
	r->median_ms = usv[r->count / 2] / 1000.0;
	r->max_ms    = usv[r->count - 1] / 1000.0;
}
