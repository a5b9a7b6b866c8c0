/**
 * @file bucket.c  How often something may be done: a token bucket
 *
 * The one number kept is the time at which it is full again: the later that is,
 * the emptier it is now, and it fills by the passing of time alone.
 */
#include "bucket.h"


bool bucket_take(struct bucket *b, unsigned burst, uint64_t interval,
		 unsigned cost, uint64_t now)
{
	const uint64_t missing = bucket_is_full(b, now) ? 0 : b->full - now;

	if (missing + interval > burst * interval)
		return false;

	b->full = now + missing + cost * interval;

	return true;
}


bool bucket_is_full(const struct bucket *b, uint64_t now)
{
	return b->full <= now;
}
