/**
 * @file focus/rate.h  How often one identity may make us work
 *
 * Ownership:  the caller's list; rate_ok() fills it, list_flush() empties it
 * Threads:    libre loop
 */
#ifndef CONCLAVE_FOCUS_RATE_H
#define CONCLAVE_FOCUS_RATE_H

#include "re_compat.h"

enum { RATE_BURST = 64 };

/**
 * May this identity do it once more?
 *
 * @param ratel     Who did it how often
 * @param identity  Who asks
 * @param burst     So often at once, then once a second
 * @param cost      So often now
 */
bool rate_ok(struct list *ratel, const char *identity, unsigned burst,
	     unsigned cost);

#endif
