/**
 * @file focus/hunt.h  One person is called, on all phones
 *
 * Who is registered with several phones hears them ring at once, those that are
 * less preferred (q of the Contact) after the others have failed; the first one
 * that answers has the call.  Each phone gets an INVITE of its own, with keys of
 * its own, so none can read what is meant for another, as it could if a proxy
 * had forked one.
 *
 * Here is only what is still to be tried and what came of it; dialout.c makes
 * the calls.
 *
 * Ownership:  libre object, held by each call that belongs to it
 * Threads:    libre loop
 * Refs:       RFC 3261 sections 16.6, 16.7
 */
#ifndef CONCLAVE_FOCUS_HUNT_H
#define CONCLAVE_FOCUS_HUNT_H

#include "focus/dialout.h"
#include "focus/reach.h"

struct hunt;

/**
 * Find all ways to somebody
 *
 * @param identity  As of cfg_identity()
 * @param h, arg    Of struct dialout
 *
 * @return 0, or an errno value as of reach_route()
 */
int hunt_alloc(struct hunt **hp, struct focus *f, const struct pl *target,
	       const char *identity, dialout_h *h, void *arg);

/** Who that is */
const char *hunt_identity(const struct hunt *h);

/** More ways for the same person: it was redirected */
int hunt_add(struct hunt *h, struct focus *f, const struct pl *target);

/** The next of those that are called now, caller owns it; NULL: no more */
struct reach *hunt_next(struct hunt *h);
/** Those less preferred come now; false if there are none, or it is over */
bool hunt_go_on(struct hunt *h);
/** In how many rounds they are called: at least 1 */
unsigned hunt_rounds(const struct hunt *h);

/** A call begins, or ends in whatever way */
void hunt_begun(struct hunt *h);
void hunt_ended(struct hunt *h);
/** No call of it is under way */
bool hunt_is_quiet(const struct hunt *h);

/** Nobody else is tried any more */
void hunt_stop(struct hunt *h);
/** It rings somewhere */
void hunt_progress(const struct hunt *h, uint16_t scode, const char *reason);
/** One failed; the worst of it is what hunt_report(h, 0, NULL) tells */
void hunt_failed(struct hunt *h, uint16_t scode, const char *reason);
/** The end of it, told once; 0: what hunt_failed() has gathered */
void hunt_report(struct hunt *h, uint16_t scode, const char *reason);

#endif
