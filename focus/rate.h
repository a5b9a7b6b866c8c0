/**
 * @file focus/rate.h  How often one identity may have others bothered
 *
 * Ownership:  the caller's list; rate_ok() fills it, list_flush() empties it
 * Threads:    libre loop
 */
#ifndef CONCLAVE_FOCUS_RATE_H
#define CONCLAVE_FOCUS_RATE_H

#include "re_compat.h"

/** May this identity have so many others bothered? */
bool rate_ok(struct list *ratel, const char *identity, unsigned cost);

#endif
