/**
 * @file focus/ban.c  Who was removed does not come back at once
 *
 * By identity, for the conference's rejoin_ban seconds; an invitation lifts
 * it.
 */
#include "focus/ban.h"
#include "focus/tree.h"

enum { BAN_MAX = 256 };       /* the oldest is forgotten first              */

struct ban {
	struct le le;
	char *identity;
	uint64_t until;       /* [ms, libre's clock]                        */
};


static void destructor(void *arg)
{
	struct ban *b = arg;

	list_unlink(&b->le);
	mem_deref(b->identity);
}


static struct ban *find(const struct conference *c, const char *identity)
{
	struct le *le;

	for (le = list_head(&c->banl); le; le = le->next) {
		struct ban *b = le->data;

		if (!str_cmp(b->identity, identity))
			return b;
	}

	return NULL;
}


void ban_add(struct conference *c, const char *identity)
{
	struct ban *b;

	ban_lift(c, identity);
	if (!c->cc->rejoin_ban_s || !str_cmp(identity, c->owner))
		return;

	b = mem_zalloc(sizeof(*b), destructor);
	if (!b)
		return;

	b->until = tmr_jiffies() + 1000ULL * c->cc->rejoin_ban_s;
	if (str_dup(&b->identity, identity)) {
		mem_deref(b);
		return;
	}

	list_append(&c->banl, &b->le, b);
	if (list_count(&c->banl) > BAN_MAX)
		mem_deref(list_ledata(list_head(&c->banl)));
}


void ban_lift(struct conference *c, const char *identity)
{
	mem_deref(find(c, identity));
}


bool ban_active(struct conference *c, const char *identity)
{
	struct ban *b = find(c, identity);

	if (b && b->until <= tmr_jiffies())
		b = mem_deref(b);

	return b != NULL;
}
