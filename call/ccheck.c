/**
 * @file ccheck.c  Did a call go as the options demand?
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ccheck.h"

enum {
	SKIP_MS = 500,            /* speaker selection and latching at the start */
	WIN_MS  = 200,
	WIN_MAX = 1024,
};

static const double absent_dbfs = -50;

__attribute__((format(printf, 2, 3)))
static void fail(struct ccheck *k, const char *fmt, ...)
{
	va_list ap;

	if (k->failc >= CCHECK_FAIL_MAX)
		return;

	va_start(ap, fmt);
	(void)vsnprintf(k->failv[k->failc++], CCHECK_TEXT, fmt, ap);
	va_end(ap);
}

static struct ccheck_tone *tone_add(struct ccheck *k, double freq)
{
	for (unsigned i = 0; i < k->tonec; i++) {
		if (fabs(k->tonev[i].found.freq - freq) < 0.5)
			return &k->tonev[i];
	}
	if (k->tonec == CCHECK_TONE_MAX)
		return NULL;

	memset(&k->tonev[k->tonec], 0, sizeof(k->tonev[0]));
	k->tonev[k->tonec].found.freq = freq;

	return &k->tonev[k->tonec++];
}

static void expect(struct ccheck *k, double freq)
{
	struct ccheck_tone *t = tone_add(k, freq);

	if (t)
		t->expected = true;
}

static void unwanted(struct ccheck *k, double freq)
{
	struct ccheck_tone *t = tone_add(k, freq);

	if (t)
		t->unwanted = true;
}

/** Tones to look for: those asked for, our own, and those of the other calls */
static void collect(struct ccheck *k, const struct opts *o, unsigned idx)
{
	for (unsigned i = 0; i < o->expect.c; i++)
		expect(k, o->expect.v[i]);
	for (unsigned i = 0; i < o->absent.c; i++)
		unwanted(k, o->absent.v[i]);

	if (o->silent || o->wav)
		return;
	for (unsigned i = 0; i < o->calls && i < OPTS_TONES; i++) {
		(void)tone_add(k, opts_freq(o, i));
		if (i != idx && o->expect.word)
			expect(k, opts_freq(o, i));
	}
	(void)tone_add(k, opts_freq(o, idx));
	if (o->absent.word)
		unwanted(k, opts_freq(o, idx));
}

/** Level of a sine in one Hann window [dBFS] */
static double window_level(const int16_t *x, size_t n, uint32_t rate, double freq)
{
	const double w = 2 * M_PI * freq / rate, h = 2 * M_PI / (double)n;
	double re = 0, im = 0;

	for (size_t i = 0; i < n; i++) {
		const double v = x[i] * (0.5 - 0.5 * cos(h * (double)i));

		re += v * cos(w * (double)i);
		im += v * sin(w * (double)i);
	}

	return 20 * log10(4 * hypot(re, im) / (double)n / M_SQRT2 / 32768 + 1e-6);
}

static int cmp(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/**
 * Level of what should not be there.  A codec's noise between loud tones
 * reaches -50 dBFS in the short windows that gaps are found with; a tone that
 * leaks does so in long ones, too, where noise does not add up.
 */
static double steady_level(const int16_t *pcm, size_t n, uint32_t rate, double freq)
{
	const size_t win = (size_t)rate * WIN_MS / 1000;
	double levelv[WIN_MAX];
	size_t c = 0;

	for (size_t at = 0; at + win <= n && c < WIN_MAX; at += win)
		levelv[c++] = window_level(pcm + at, win, rate, freq);
	if (!c)
		return -120;

	qsort(levelv, c, sizeof(levelv[0]), cmp);

	return levelv[(c - 1) * 9 / 10];
}

static void measure(struct ccheck *k, const struct crec *rec)
{
	const int16_t *pcm;
	uint32_t rate = 0;
	size_t n = 0, skip;

	pcm = rec ? crec_pcm(rec, &n, &rate) : NULL;
	if (!pcm) {
		for (unsigned i = 0; i < k->tonec; i++)
			k->tonev[i].steady_dbfs = k->tonev[i].found.level_dbfs = -120;
		return;
	}

	k->audio_ms = (unsigned)(n * 1000 / rate);
	skip = (size_t)rate * SKIP_MS / 1000;
	if (skip > n)
		skip = n;
	for (unsigned i = 0; i < k->tonec; i++) {
		struct ccheck_tone *t = &k->tonev[i];
		const double freq = t->found.freq;

		tone_find(&t->found, pcm + skip, n - skip, rate, freq);
		t->steady_dbfs = steady_level(pcm + skip, n - skip, rate, freq);
	}
}

static void judge_tones(struct ccheck *k, const struct opts *o)
{
	double lo = 0, hi = -200;
	bool any = false;

	for (unsigned i = 0; i < k->tonec; i++) {
		const struct ccheck_tone *t = &k->tonev[i];
		const struct tone_found *f = &t->found;

		if (t->unwanted && t->steady_dbfs > absent_dbfs)
			fail(k, "tone %.0f Hz is heard at %.1f dBFS", f->freq, t->steady_dbfs);
		if (!t->expected)
			continue;

		if (f->level_dbfs < o->min_level) {
			fail(k, "tone %.0f Hz is not heard (%.1f dBFS)", f->freq, f->level_dbfs);
			continue;
		}
		if (o->max_gap_ms >= 0 && f->longest_gap_ms > (unsigned)o->max_gap_ms)
			fail(k, "tone %.0f Hz has a gap of %u ms", f->freq, f->longest_gap_ms);
		lo = any ? fmin(lo, f->level_dbfs) : f->level_dbfs;
		hi = fmax(hi, f->level_dbfs);
		any = true;
	}

	if (any && o->max_spread >= 0 && hi - lo > o->max_spread)
		fail(k, "levels of the tones differ by %.1f dB", hi - lo);
}

static void judge_media(struct ccheck *k, const struct opts *o, const struct call *c)
{
	struct cmedia_stats st;

	call_media_stats(c, &st);
	if (o->max_auth_failures >= 0 &&
	    st.auth_fail + st.rtcp_auth_fail > (uint64_t)o->max_auth_failures)
		fail(k, "%llu packets did not authenticate",
		     (unsigned long long)(st.auth_fail + st.rtcp_auth_fail));
}

static void judge_delay(struct ccheck *k, const struct opts *o, const struct cdelay *d,
			unsigned to)
{
	for (unsigned from = 0; o->max_delay_ms >= 0 && from < o->calls; from++) {
		struct cdelay_result r;

		cdelay_result(d, from, to, &r);
		if (from == to)
			continue;
		if (!r.count)
			fail(k, "no marker of call %u was heard", from);
		else if (r.median_ms > o->max_delay_ms)
			fail(k, "call %u is heard after %.1f ms", from, r.median_ms);
	}
}

/** A call that is to be refused */
static void judge_refusal(struct ccheck *k, const struct opts *o, const struct call_result *r)
{
	if (r->established)
		fail(k, "established, but status %u was expected", o->expect_status);
	else if (r->scode != o->expect_status)
		fail(k, "status %u instead of %u", r->scode, o->expect_status);
}

void ccheck_call(struct ccheck *k, const struct opts *o, const struct call *c,
		 const struct cdelay *delay)
{
	const struct call_result *r = call_result(c);
	bool by_us;

	memset(k, 0, sizeof(*k));
	if (o->expect_status) {
		judge_refusal(k, o, r);
		return;
	}
	if (!r->established) {
		k->not_established = true;
		fail(k, "not established: %u %s", r->scode, r->error[0] ? r->error : r->reason);
		return;
	}

	by_us = r->end_by && !strcmp(r->end_by, "us") && !r->error[0];
	if (o->expect_end && by_us)
		fail(k, "the server did not end the call");
	if (!o->expect_end && !by_us)
		fail(k, "ended by %s: %s", r->end_by ? r->end_by : "nobody",
		     r->error[0] ? r->error : r->end_reason);
	if (r->reflected_accepted)
		fail(k, "the server accepted its own key");

	if (call_floor(c) && cfloor_failure(call_floor(c)))
		fail(k, "%s", cfloor_failure(call_floor(c)));
	if (call_rec(c)) {
		collect(k, o, call_index(c));
		measure(k, call_rec(c));
		judge_tones(k, o);
	}
	judge_media(k, o, c);
	if (delay && call_rec(c))
		judge_delay(k, o, delay, call_index(c));
}
