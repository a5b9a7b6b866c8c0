/**
 * @file tests/keyrel.h  Does one key follow from another?
 *
 * A fresh key is random: it has nothing to do with any other.  That cannot be
 * proven by looking, but the ways in which somebody would derive one by
 * mistake can be tried: a counter, a constant, a hash, parts kept.
 */
#ifndef TESTS_KEYREL_H
#define TESTS_KEYREL_H

#include <stddef.h>
#include "secret.h"

struct keyrel {
	size_t pairs;            /* looked at, in both directions             */
	size_t found;            /* related ones                              */
	const char *first;       /* the first relation found; NULL: none      */
	double min_pct, max_pct; /* bits in which two keys differ             */
};

/** How b follows from a, or NULL */
const char *keyrel_pair(const struct secret *a, const struct secret *b);

/** All pairs, and what is the same from one step to the next */
void keyrel_sequence(struct keyrel *r, const struct secret *const *v, size_t n);

#endif
