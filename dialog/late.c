/**
 * @file dialog/late.c  Timers that run for minutes, and of which there are many
 */
#include "late.h"


static void run_handler(void *arg);


/** libre's timer for the first one; one that is early does no harm */
static void arm(struct lates *ls)
{
	const struct late *first = list_ledata(list_head(&ls->l));
	const uint64_t now = tmr_jiffies();

	if (first)
		tmr_start(&ls->tmr, first->at > now ? first->at - now : 0,
			  run_handler, ls);
}


/** One at a time: a handler may do anything, also away with all of this */
static void run_handler(void *arg)
{
	struct lates *ls = arg;
	struct late *lt = list_ledata(list_head(&ls->l));

	if (lt && lt->at <= tmr_jiffies()) {
		list_unlink(&lt->le);
		arm(ls);
		lt->h(lt->arg);
	}
	else {
		arm(ls);
	}
}


void late_start(struct lates *ls, struct late *lt, uint64_t delay_ms,
		late_h *h, void *arg)
{
	struct le *le;

	list_unlink(&lt->le);
	lt->at = tmr_jiffies() + delay_ms;
	lt->h = h;
	lt->arg = arg;

	for (le = list_tail(&ls->l); le; le = le->prev) {
		const struct late *other = le->data;

		if (other->at <= lt->at)
			break;
	}
	if (le)
		list_insert_after(&ls->l, le, &lt->le, lt);
	else
		list_prepend(&ls->l, &lt->le, lt);

	if (list_head(&ls->l) == &lt->le)
		arm(ls);
}


/** The last one takes libre's timer along; else that may be early once */
void late_cancel(struct late *lt)
{
	struct list *l = lt->le.list;
	struct lates *ls;

	list_unlink(&lt->le);
	if (!l || !list_isempty(l))
		return;

	/* a list is the first of its lates; none waits any more */
	ls = (struct lates *)(void *)l;
	tmr_cancel(&ls->tmr);
}


uint64_t late_left(const struct late *lt)
{
	const uint64_t now = tmr_jiffies();

	return lt->le.list && lt->at > now ? lt->at - now : 0;
}


void lates_close(struct lates *ls)
{
	tmr_cancel(&ls->tmr);
	list_clear(&ls->l);
}
