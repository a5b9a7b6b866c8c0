/**
 * @file focus/hunt.c  One person is called, on all phones
 */
#include <string.h>
#include "focus/hunt.h"
#include "focus/tree.h"

enum { WAY_MAX = 16 };          /* bound of max_contacts, and redirections    */

struct hunt {
	struct reach *wayv[WAY_MAX];
	unsigned wayc;
	unsigned next;          /* of wayv, to be called                      */
	unsigned end;           /* up to here now                             */
	unsigned rounds;
	unsigned live;          /* calls under way                            */
	bool stopped;
	bool over;              /* the result was told                        */
	char *identity;
	uint16_t scode;         /* of the failures so far; 0: none            */
	char reason[64];
	dialout_h *h;
	void *arg;
};


static void destructor(void *arg)
{
	struct hunt *h = arg;

	/* those before it belong to whoever took them */
	for (unsigned i = h->next; i < h->wayc; i++)
		mem_deref(h->wayv[i]);
	mem_deref(h->identity);
	mem_deref(h->arg);
}


int hunt_add(struct hunt *h, struct focus *f, const struct pl *target)
{
	const unsigned room = WAY_MAX - h->wayc, rest = h->wayc - h->next;
	struct reach *v[WAY_MAX];
	unsigned n = 0;
	int err = room ? 0 : ENOSPC;

	/* the first reason why there is no way is the reason */
	while (n < room && !err) {
		err = reach_route(&v[n], f, target, n);
		n += !err;
	}
	if (!n)
		return err;

	/* before those that wait for their round */
	memmove(&h->wayv[h->next + n], &h->wayv[h->next],
		rest * sizeof(h->wayv[0]));
	memcpy(&h->wayv[h->next], v, n * sizeof(v[0]));
	h->wayc += n;
	h->end = h->next + n;

	return 0;
}


/** Those that are as much preferred as the next one */
static void take_round(struct hunt *h)
{
	for (h->end = h->next; h->end < h->wayc; h->end++) {
		if (reach_q(h->wayv[h->end]) != reach_q(h->wayv[h->next]))
			return;
	}
}


int hunt_alloc(struct hunt **hp, struct focus *f, const struct pl *target,
	       const char *identity, dialout_h *dh, void *arg)
{
	struct hunt *h;
	int err;

	h = mem_zalloc(sizeof(*h), destructor);
	if (!h)
		return ENOMEM;

	h->h = dh;
	h->arg = mem_ref(arg);
	err = str_dup(&h->identity, identity);
	if (!err)
		err = hunt_add(h, f, target);
	if (err) {
		mem_deref(h);
		return err;
	}

	h->rounds = 1;
	for (unsigned i = 1; i < h->wayc; i++)
		h->rounds += reach_q(h->wayv[i]) != reach_q(h->wayv[i - 1]);
	take_round(h);
	*hp = h;

	return 0;
}


const char *hunt_identity(const struct hunt *h)
{
	return h->identity;
}


struct reach *hunt_next(struct hunt *h)
{
	return h->next < h->end ? h->wayv[h->next++] : NULL;
}


bool hunt_go_on(struct hunt *h)
{
	if (h->stopped || h->over || h->next >= h->wayc)
		return false;

	take_round(h);

	return true;
}


unsigned hunt_rounds(const struct hunt *h)
{
	return h->rounds;
}


void hunt_begun(struct hunt *h)
{
	++h->live;
}


void hunt_ended(struct hunt *h)
{
	--h->live;
}


bool hunt_is_quiet(const struct hunt *h)
{
	return !h->live;
}


void hunt_stop(struct hunt *h)
{
	h->stopped = true;
}


void hunt_progress(const struct hunt *h, uint16_t scode, const char *reason)
{
	if (!h->over && h->h)
		h->h(scode, reason, h->arg);
}


/** RFC 3261 section 16.7 step 6: who declines everywhere counts most, then what
 *  a phone said, then that nobody answered */
static unsigned rank(uint16_t scode)
{
	if (scode >= 600)
		return 0;
	if (scode >= 500)
		return 2;

	return scode == 408 || scode == 487 || !scode ? 3 : 1;
}


void hunt_failed(struct hunt *h, uint16_t scode, const char *reason)
{
	if (h->scode && rank(scode) >= rank(h->scode))
		return;

	h->scode = scode;
	str_ncpy(h->reason, reason, sizeof(h->reason));
}


void hunt_report(struct hunt *h, uint16_t scode, const char *reason)
{
	if (h->over)
		return;

	h->over = true;
	if (!h->h)
		return;
	if (scode)
		h->h(scode, reason, h->arg);
	else
		h->h(h->scode, h->reason, h->arg);
}
