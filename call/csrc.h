/**
 * @file csrc.h  What a call sends: encoded frames, made once
 *
 * A tone, a WAV file or silence is encoded into a loop of frames that all
 * calls with the same codec and content share, so that hundreds of calls cost
 * nothing to feed.
 *
 * Ownership:  libre object; every user holds a reference
 */
#ifndef CALL_CSRC_H
#define CALL_CSRC_H

#include "re_compat.h"
#include "codec.h"

enum csrc_kind { CSRC_TONE, CSRC_WAV, CSRC_SILENCE };

struct csrc_spec {
	enum csrc_kind kind;
	double freq;            /* whole hertz                               */
	double level_dbfs;
	const char *wav;
	int    complexity;      /* of Opus                                   */
};

struct csrc;

/**
 * @param cachel  List of those made so far; NULL: do not share
 */
int csrc_get(struct csrc **sp, struct list *cachel, enum codec_id id, unsigned ptime,
	     const struct csrc_spec *spec);

/** Frame number i, endlessly repeated */
const uint8_t *csrc_frame(const struct csrc *s, uint32_t i, size_t *lenp);

#endif
