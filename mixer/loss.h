/**
 * @file loss.h  How much a listener loses, smoothed
 *
 * What its receiver reports say: up at once, down slowly, so that an encoder
 * does not change its mind with every report.
 *
 * Refs: RFC 3550 section 6.4.1 (fraction lost)
 */
#ifndef MIXER_LOSS_H
#define MIXER_LOSS_H

#include <stdint.h>

/** All zero: none reported */
struct loss {
	uint8_t  peak;            /* it goes down from here [1/256]          */
	uint8_t  last;            /* newest report: not below it             */
	uint64_t peak_us, last_us;
};

/** A report came; fraction as in RTCP [1/256] */
void loss_report(struct loss *l, uint8_t fraction, uint64_t now_us);
/** @return percent, 0..100 */
unsigned loss_percent(const struct loss *l, uint64_t now_us);

#endif
