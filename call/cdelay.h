/**
 * @file cdelay.h  Mouth-to-ear delay between calls of one process
 *
 * One call after the other adds a marker to its tone for a moment (clive.h).  The
 * delay is from the moment the first sample of the marker was captured (one
 * packet time before its frame was sent) to the arrival of the packet in
 * which the marker begins at the other call.  An ear's own jitter buffer
 * comes on top.
 *
 * Ownership:  libre object
 * Time:       passed in, monotonic [us]
 */
#ifndef CALL_CDELAY_H
#define CALL_CDELAY_H

#include "re_compat.h"

enum {
	CDELAY_CALL_MAX = 16,
	CDELAY_MARK_MS  = 100,
	CDELAY_EVERY_MS = 400,
};

struct cdelay;

int  cdelay_alloc(struct cdelay **dp);

/** Call number from begins its marker; captured at that time */
void cdelay_marked(struct cdelay *d, unsigned from, uint64_t capture_us);

/** Audio that call number to hears, in order */
void cdelay_heard(struct cdelay *d, unsigned to, uint64_t arrival_us,
		  const int16_t *pcm, size_t sampc, uint32_t rate);

struct cdelay_result {
	unsigned count;           /* markers heard; 0: the rest is void      */
	unsigned sent;            /* markers of that call                    */
	double min_ms, median_ms, max_ms;
};

void cdelay_result(const struct cdelay *d, unsigned from, unsigned to,
		   struct cdelay_result *r);

#endif
