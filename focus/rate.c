/**
 * @file focus/rate.c  How often one identity may make us work
 *
 * By calls to others, and by whole rosters.  A burst at once, then one more each
 * INTERVAL_MS.  A list of people to call may overdraw that, once, so that it can
 * be as long as a list may be.  A full bucket says nothing and is forgotten.
 */
#include "bucket.h"
#include "focus/rate.h"
#include "focus/tree.h"

enum { INTERVAL_MS = 1000, CALLERS_MAX = 1000 };

struct caller {
	struct le le;
	char *identity;
	struct bucket bucket;
};


static void destructor(void *arg)
{
	struct caller *cr = arg;

	list_unlink(&cr->le);
	mem_deref(cr->identity);
}


static struct caller *find(struct list *l, const char *identity, uint64_t now)
{
	struct caller *found = NULL;
	struct le *le = list_head(l);

	while (le) {
		struct caller *cr = le->data;

		le = le->next;
		if (!str_cmp(cr->identity, identity))
			found = cr;
		else if (bucket_is_full(&cr->bucket, now))
			mem_deref(cr);
	}

	return found;
}


bool rate_ok(struct list *ratel, const char *identity, unsigned burst,
	     unsigned cost)
{
	uint64_t now = tmr_jiffies();
	struct caller *cr = find(ratel, identity, now);

	if (!cr) {
		if (list_count(ratel) >= CALLERS_MAX)
			return false;
		cr = mem_zalloc(sizeof(*cr), destructor);
		if (!cr)
			return false;
		if (str_dup(&cr->identity, identity)) {
			mem_deref(cr);
			return false;
		}
		list_append(ratel, &cr->le, cr);
	}

	return bucket_take(&cr->bucket, burst, INTERVAL_MS, cost, now);
}
