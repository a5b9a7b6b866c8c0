/**
 * @file clock.h  Time that nobody sets, and time of day
 *
 * For intervals the first; tmr_jiffies() is the same where libre is:
 * compat/re_clock.c.
 */
#ifndef CONCLAVE_CLOCK_H
#define CONCLAVE_CLOCK_H

#include <stdint.h>
#include <time.h>

/** Since the machine's start [ms] */
static inline uint64_t clock_mono_ms(void)
{
	struct timespec ts = {0};

	/* Cannot fail for this clock */
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);

	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/** Since 1970 [ms], for those who read it */
static inline uint64_t clock_wall_ms(void)
{
	struct timespec ts = {0};

	(void)clock_gettime(CLOCK_REALTIME, &ts);

	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

#endif
