/**
 * @file timeq.h  Deadlines of one loop: a binary heap
 *
 * RTCP intervals, idle supervision and key grace periods of thousands of
 * legs.  Setting and deleting cost O(log n), waiting costs nothing.
 *
 * Ownership:  the deadline is a member of its owner, who calls timeq_del()
 *             before it goes away
 */
#ifndef MIXER_TIMEQ_H
#define MIXER_TIMEQ_H

#include <stddef.h>
#include <stdint.h>

typedef void (timeq_h)(void *arg);

struct deadline {
	uint64_t at_us;    /* monotonic                              */
	size_t   pos;      /* place in the heap + 1, 0: not waiting  */
	timeq_h *h;
	void    *arg;
};

struct timeq {
	struct deadline **v;
	size_t c, size;
};

void timeq_close(struct timeq *tq);

/** (Re)arm a deadline; 0 or ENOMEM */
int  timeq_set(struct timeq *tq, struct deadline *d, uint64_t at_us, timeq_h *h, void *arg);
void timeq_del(struct timeq *tq, struct deadline *d);

/** When the next one is due [us], UINT64_MAX if there is none */
uint64_t timeq_next(const struct timeq *tq);

/** Call the handlers of all that are due at now_us; a handler may set and delete any */
void timeq_run(struct timeq *tq, uint64_t now_us);

/** Monotonic clock [us] */
uint64_t now_usec(void);

#endif
