/**
 * @file clive.h  A source that is encoded while it is sent, and can be marked
 *
 * Sends a tone; when marked, a second one on top of it for some frames.  Somebody who hears
 * the marker begin knows how long it took (cdelay.h).
 *
 * Ownership:  libre object
 */
#ifndef CALL_CLIVE_H
#define CALL_CLIVE_H

#include "re_compat.h"
#include "codec.h"

enum { CLIVE_MARK_HZ = 3200 };

/** The first frame with the marker is about to be sent */
typedef void (clive_mark_h)(uint64_t now_us, void *arg);

struct clive;

int  clive_alloc(struct clive **lp, double freq, double level_dbfs);
int  clive_set_codec(struct clive *l, enum codec_id id, unsigned ptime);
void clive_mark(struct clive *l, unsigned ms, clive_mark_h *markh, void *arg);
/** A cmedia_frame_h; arg is the struct clive */
const uint8_t *clive_frame(uint32_t i, size_t *lenp, void *arg);

#endif
