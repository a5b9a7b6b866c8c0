/**
 * @file focus/mixevent.h  What mixers tell, and what follows when one dies
 *
 * Ownership:  nothing is kept of a message
 * Threads:    libre loop
 */
#ifndef CONCLAVE_FOCUS_MIXEVENT_H
#define CONCLAVE_FOCUS_MIXEVENT_H

#include "focus/mixproc.h"

/** A mixproc_event_h; arg of both is the focus */
void mixevent_handler(struct mixproc *mp, const Mp__Message *msg, void *arg);
/** A mixproc_down_h */
void mixevent_down(struct mixproc *mp, bool renewed, void *arg);

#endif
