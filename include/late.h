/**
 * @file late.h  Timers that run for minutes, and of which there are many
 *
 * libre keeps all timers in one list and looks for the place of a new one from
 * the end.  A thousand session timers there are a thousand steps for every
 * transaction that is begun.  Those timers are kept here, in a list of their own
 * with one timer of libre's for the first of them; and as the intervals of a kind
 * are mostly the same, a new one mostly is the last.
 *
 * Ownership:  both are members of the caller's structures.  A late must be
 *             cancelled, and its list closed, before they go.
 * Threads:    libre loop
 */
#ifndef CONCLAVE_LATE_H
#define CONCLAVE_LATE_H

#include "re_compat.h"

/** Timers of one kind; all zero: none */
struct lates {
	struct list l;          /* stays the first: late_cancel()            */
	struct tmr tmr;
};

typedef void (late_h)(void *arg);

/** One timer; all zero: not running */
struct late {
	struct le le;
	uint64_t at;            /* [ms, libre's clock]                        */
	late_h *h;
	void *arg;
};

/** Call h(arg) after delay_ms, not before the next turn of the loop */
void late_start(struct lates *ls, struct late *lt, uint64_t delay_ms,
		late_h *h, void *arg);
void late_cancel(struct late *lt);
/** Until it is due [ms]; 0: it is, or it does not run */
uint64_t late_left(const struct late *lt);
/** Nothing runs any more */
void lates_close(struct lates *ls);

#endif
