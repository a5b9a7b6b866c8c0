/**
 * @file tone.h  Make a sine, and find sines: level, gaps
 */
#ifndef CONCLAVE_TONE_H
#define CONCLAVE_TONE_H

#include <stddef.h>
#include <stdint.h>

struct tone_gen { double phase; double step; double amp; };

/** @param level_dbfs  RMS in dB relative to a full-scale square wave (-9 is half amplitude sine) */
void tone_gen_init(struct tone_gen *g, double freq, uint32_t rate, double level_dbfs);
void tone_gen_fill(struct tone_gen *g, int16_t *pcm, size_t sampc);

struct tone_found {
	double   freq;
	double   level_dbfs;      /* RMS of the sine, 90th percentile of 40 ms windows */
	unsigned longest_gap_ms;  /* between first and last presence, 10 ms steps      */
	unsigned gaps;
	unsigned on_pct;          /* share of windows in which it is there             */
	unsigned first_ms;
};

/** Look for one frequency in a recording (Hann windows of 40 ms, 10 ms apart) */
void tone_find(struct tone_found *tf, const int16_t *pcm, size_t sampc, uint32_t rate, double freq);

#endif
