/**
 * @file backoff.h  Sources that guess passwords
 *
 * Counts wrong responses per source address (IPv4 address, or IPv6 /64, since
 * one host owns a whole /64).  More than BACKOFF_FAILS within a minute and the
 * source is refused unheard for BACKOFF_BLOCK_MS, again after every further
 * failure in that minute: about 26 guesses a minute are left.  Generous on
 * purpose, because many phones may sit behind one address.
 *
 * The table is bounded: a new source takes the place of the one that failed
 * longest ago.
 *
 * Ownership:  libre object
 * Threads:    libre loop
 */
#ifndef FOCUS_BACKOFF_H
#define FOCUS_BACKOFF_H

#include "re_compat.h"

enum {
	BACKOFF_FAILS     = 20,          /* per source and window           */
	BACKOFF_WINDOW_MS = 60 * 1000,
	BACKOFF_BLOCK_MS  = 10 * 1000,
	BACKOFF_SOURCES   = 4096,        /* remembered, about 0.5 MB        */
};

struct backoff;

int  backoff_alloc(struct backoff **bp);
void backoff_fail(struct backoff *b, const struct sa *src, uint64_t now_ms);

/** @return ms until this source is heard again, 0: now */
uint32_t backoff_wait(const struct backoff *b, const struct sa *src, uint64_t now_ms);

#endif
