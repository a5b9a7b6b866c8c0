/**
 * @file backoff.c  Sources that guess passwords
 */
#include <string.h>
#include "backoff.h"

enum { HASH_SIZE = 512 };

struct backoff {
	struct hash *h;         /* struct source by address             */
	struct list l;          /* the same, last failure at the tail   */
	uint32_t c;
};

struct source {
	struct le he;
	struct le le;
	struct sa addr;         /* port 0; IPv6: the /64                */
	uint64_t since_ms;      /* start of the window                  */
	uint64_t until_ms;      /* refused until then                   */
	uint32_t fails;
};

static void destructor(void *arg)
{
	struct backoff *b = arg;

	list_flush(&b->l);
	mem_deref(b->h);
}

static void entry_destructor(void *arg)
{
	struct source *s = arg;

	hash_unlink(&s->he);
	list_unlink(&s->le);
}

int backoff_alloc(struct backoff **bp)
{
	struct backoff *b;
	int err;

	if (!bp)
		return EINVAL;

	b = mem_zalloc(sizeof(*b), destructor);
	if (!b)
		return ENOMEM;

	err = hash_alloc(&b->h, HASH_SIZE);
	if (err)
		mem_deref(b);
	else
		*bp = b;

	return err;
}

static void network_of(struct sa *net, const struct sa *src)
{
	uint8_t in6[16];

	*net = *src;
	sa_set_port(net, 0);

	if (sa_af(src) == AF_INET6) {
		sa_in6(src, in6);
		memset(in6 + 8, 0, 8);
		sa_set_in6(net, in6, 0);
	}
}

static bool cmp_handler(struct le *le, void *arg)
{
	const struct source *s = le->data;

	return sa_cmp(&s->addr, arg, SA_ADDR);
}

static struct source *lookup(const struct backoff *b, const struct sa *net)
{
	return list_ledata(hash_lookup(b->h, sa_hash(net, SA_ADDR), cmp_handler,
				       (void *)net));
}

static struct source *add(struct backoff *b, const struct sa *net)
{
	struct source *s;

	if (b->c >= BACKOFF_SOURCES)
		mem_deref(list_ledata(b->l.head));
	else
		++b->c;

	s = mem_zalloc(sizeof(*s), entry_destructor);
	if (!s) {
		--b->c;
		return NULL;
	}

	s->addr = *net;
	hash_append(b->h, sa_hash(net, SA_ADDR), &s->he, s);
	list_append(&b->l, &s->le, s);

	return s;
}

void backoff_fail(struct backoff *b, const struct sa *src, uint64_t now_ms)
{
	struct source *s;
	struct sa net;

	if (!b || !src)
		return;

	network_of(&net, src);
	s = lookup(b, &net);
	if (s) {
		list_unlink(&s->le);
		list_append(&b->l, &s->le, s);
	}
	else {
		s = add(b, &net);
	}
	if (!s)
		return;

	if (!s->fails || now_ms - s->since_ms > BACKOFF_WINDOW_MS) {
		s->since_ms = now_ms;
		s->fails = 0;
	}

	if (++s->fails > BACKOFF_FAILS)
		s->until_ms = now_ms + BACKOFF_BLOCK_MS;
}

uint32_t backoff_wait(const struct backoff *b, const struct sa *src, uint64_t now_ms)
{
	const struct source *s;
	struct sa net;

	if (!b || !src)
		return 0;

	network_of(&net, src);
	s = lookup(b, &net);
	if (!s || now_ms >= s->until_ms)
		return 0;

	return (uint32_t)(s->until_ms - now_ms);
}
