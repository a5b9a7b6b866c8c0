/**
 * @file loss.c  How much a listener loses, smoothed
 */
#include "loss.h"

enum {
	DECAY_US = 10000000,      /* from any peak to nothing                */
	/* Reports come every 2.5 to 7.5 s (RFC 3550 section 6.3.1); one may
	   be lost, later the last one says nothing about now */
	FRESH_US = 15000000,
};

static unsigned current(const struct loss *l, uint64_t now_us)
{
	const uint64_t age = now_us - l->peak_us;
	const unsigned last = now_us - l->last_us < FRESH_US ? l->last : 0;
	const unsigned v = age < DECAY_US ? (unsigned)(l->peak * (DECAY_US - age) / DECAY_US) : 0;

	return v > last ? v : last;
}

void loss_report(struct loss *l, uint8_t fraction, uint64_t now_us)
{
	/* a lower one does not stop the way down from the peak */
	if (fraction >= current(l, now_us)) {
		l->peak = fraction;
		l->peak_us = now_us;
	}
	l->last = fraction;
	l->last_us = now_us;
}

unsigned loss_percent(const struct loss *l, uint64_t now_us)
{
	return (current(l, now_us) * 100 + 128) / 256;
}
