/**
 * @file bucket.h  How often something may be done: a token bucket
 *
 * Holds `burst` tokens at most, and gets one each `interval`.  Time is passed
 * in, by any clock and in any unit, the same as that of the interval.
 *
 * Ownership:  the caller's struct; there is nothing to free
 */
#ifndef CONCLAVE_BUCKET_H
#define CONCLAVE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/** All zero: full */
struct bucket {
	uint64_t full;          /* when it is, if nothing more is taken       */
};

/**
 * Take tokens
 *
 * @param cost  How many; more than are there empty it beyond the bottom, if
 *              there is at least one
 *
 * @return false if there is none, and nothing was taken
 */
bool bucket_take(struct bucket *b, unsigned burst, uint64_t interval,
		 unsigned cost, uint64_t now);

/** It is as one that was never used */
bool bucket_is_full(const struct bucket *b, uint64_t now);

#endif
