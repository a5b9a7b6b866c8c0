/**
 * @file focus/uamem.c  What phones of a kind did with new keys
 */
#include "re_compat.h"
#include "focus/uamem.h"

struct uamem {
	struct list kindl;      /* the one that was of use last at the tail   */
};

/** Phones with one User-Agent */
struct kind {
	struct le le;
	char *ua;
	enum follows follows;
	uint64_t shown;         /* [ms]                                       */
	char *witnessv[UAMEM_WITNESSES]; /* who showed it, all different      */
	unsigned witnessc;
};


static void destructor(void *arg)
{
	struct uamem *um = arg;

	list_flush(&um->kindl);
}


int uamem_alloc(struct uamem **ump)
{
	struct uamem *um = mem_zalloc(sizeof(*um), destructor);

	if (!um)
		return ENOMEM;

	*ump = um;

	return 0;
}


static void forget_witnesses(struct kind *k)
{
	for (unsigned i = 0; i < k->witnessc; i++)
		k->witnessv[i] = mem_deref(k->witnessv[i]);
	k->witnessc = 0;
}


static void kind_destructor(void *arg)
{
	struct kind *k = arg;

	list_unlink(&k->le);
	forget_witnesses(k);
	mem_deref(k->ua);
}


static struct kind *kind_find(const struct uamem *um, const char *ua)
{
	for (struct le *le = list_head(&um->kindl); le; le = le->next) {
		struct kind *k = le->data;

		if (!str_cmp(k->ua, ua))
			return k;
	}

	return NULL;
}


static struct kind *kind_new(struct uamem *um, const char *ua)
{
	struct kind *k = mem_zalloc(sizeof(*k), kind_destructor);

	if (!k)
		return NULL;
	if (str_dup(&k->ua, ua)) {
		mem_deref(k);
		return NULL;
	}

	if (list_count(&um->kindl) >= UAMEM_MAX)
		mem_deref(list_ledata(list_head(&um->kindl)));
	list_append(&um->kindl, &k->le, k);

	return k;
}


static void used(struct uamem *um, struct kind *k)
{
	list_unlink(&k->le);
	list_append(&um->kindl, &k->le, k);
}


static bool is_witness(const struct kind *k, const char *identity)
{
	for (unsigned i = 0; i < k->witnessc; i++)
		if (!str_cmp(k->witnessv[i], identity))
			return true;

	return false;
}


void uamem_show(struct uamem *um, const char *ua, const char *identity,
		enum follows follows, uint64_t now)
{
	struct kind *k = kind_find(um, ua);

	if (!str_isset(ua) || !str_isset(identity))
		return;
	if (!k)
		k = kind_new(um, ua);
	if (!k)
		return;

	/* one that shows the contrary is enough to find out anew */
	if (k->follows != follows)
		forget_witnesses(k);
	k->follows = follows;
	k->shown = now;
	if (k->witnessc < UAMEM_WITNESSES && !is_witness(k, identity) &&
	    !str_dup(&k->witnessv[k->witnessc], identity))
		++k->witnessc;
	used(um, k);
}


enum follows uamem_expect(struct uamem *um, const char *ua,
			  const char *identity, uint64_t now)
{
	struct kind *k = kind_find(um, ua);

	if (!k)
		return FOLLOWS_ASK;
	if (now > k->shown && now - k->shown >= UAMEM_AGE_MS) {
		mem_deref(k);
		return FOLLOWS_ASK;
	}
	used(um, k);

	return k->witnessc == UAMEM_WITNESSES || is_witness(k, identity)
		? k->follows : FOLLOWS_ASK;
}
