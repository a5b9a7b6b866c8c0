/**
 * @file ccheck.h  Did a call go as the options demand?
 *
 * Measures the tones in the recording and collects what fell short.
 *
 * Ownership:  struct ccheck is plain
 */
#ifndef CALL_CCHECK_H
#define CALL_CCHECK_H

#include "call.h"
#include "cdelay.h"
#include "tone.h"

enum {
	CCHECK_TONE_MAX = 96,
	CCHECK_FAIL_MAX = 64,
	CCHECK_TEXT = 200,
};

struct ccheck_tone {
	struct tone_found found;
	double steady_dbfs;       /* of windows of 200 ms, 90th percentile   */
	bool expected;
	bool unwanted;
};

struct ccheck {
	struct ccheck_tone tonev[CCHECK_TONE_MAX];
	unsigned tonec;
	unsigned audio_ms;        /* of the recording                        */
	char failv[CCHECK_FAIL_MAX][CCHECK_TEXT];
	unsigned failc;
	bool not_established;     /* and it should have been                 */
};

/** @param delay  NULL: not measured */
void ccheck_call(struct ccheck *k, const struct opts *o, const struct call *c,
		 const struct cdelay *delay);

#endif
