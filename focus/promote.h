/**
 * @file focus/promote.h  From an endpoint's own key to the group key, if it can
 *
 * Threads:    libre loop
 */
#ifndef CONCLAVE_FOCUS_PROMOTE_H
#define CONCLAVE_FOCUS_PROMOTE_H

#include "cfg.h"

struct endpoint;

/** Joined: ask it, or believe the configuration or earlier calls */
void promote_start(struct endpoint *ep);
/** It hears an epoch now: a trial gets its time limit */
void promote_switched(struct endpoint *ep);
/** Its RTCP names a stream that only the group key of this epoch opens */
void promote_proof(struct endpoint *ep, uint32_t epoch);
/** It has shown whether it goes on with the keys that it is offered: see uamem.h */
void promote_remember(const struct endpoint *ep, enum follows follows);
/** It keeps the key that it began with: this one did, or the admin says so */
bool promote_never(const struct endpoint *ep);
/** It keeps its own key for good; true if that was possible */
bool promote_give_up(struct endpoint *ep, const char *reason);
void promote_stop(struct endpoint *ep);

#endif
