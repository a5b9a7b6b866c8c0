/**
 * @file focus/rate.c  How often one identity may have us call others
 *
 * A bucket per identity: BURST at once, then one more each INTERVAL_MS.  A list
 * may overdraw it, once, so that it can be as long as a list may be.  A full
 * bucket says nothing and is forgotten.
 */
#include "focus/tree.h"

enum { BURST = 64, INTERVAL_MS = 1000, BUCKETS_MAX = 1000 };

struct bucket {
	struct le le;
	char *identity;
	uint64_t empty_until;   /* the later, the emptier [ms]                */
};


static void destructor(void *arg)
{
	struct bucket *b = arg;

	list_unlink(&b->le);
	mem_deref(b->identity);
}


static struct bucket *find(struct list *l, const char *identity, uint64_t now)
{
	struct bucket *found = NULL;
	struct le *le = list_head(l);

	while (le) {
		struct bucket *b = le->data;

		le = le->next;
		if (!str_cmp(b->identity, identity))
			found = b;
		else if (b->empty_until <= now)
			mem_deref(b);
	}

	return found;
}


bool rate_ok(struct list *ratel, const char *identity, unsigned cost)
{
	uint64_t now = tmr_jiffies();
	struct bucket *b = find(ratel, identity, now);

	if (!b) {
		if (list_count(ratel) >= BUCKETS_MAX)
			return false;
		b = mem_zalloc(sizeof(*b), destructor);
		if (!b)
			return false;
		if (str_dup(&b->identity, identity)) {
			mem_deref(b);
			return false;
		}
		list_append(ratel, &b->le, b);
	}

	if (b->empty_until < now)
		b->empty_until = now;
	if (b->empty_until - now >= (uint64_t)BURST * INTERVAL_MS)
		return false;

	b->empty_until += (uint64_t)cost * INTERVAL_MS;

	return true;
}
