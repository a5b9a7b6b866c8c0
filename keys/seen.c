/**
 * @file seen.c  Keys that this process has seen in use
 *
 * A hash table with open addressing.  An entry is a truncated, salted
 * SHA-256, so it is its own hash value and tells nobody the key; linear
 * probing with backward shift needs no tombstones.
 *
 * Refs:  RFC 3711 section 9.1 (two-time pad)
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include "secret.h"

enum {
	SALT_LEN = 32,
	TABLE_MIN = 64,         /* entries, a power of two like every size */
};

/* All zero: empty.  A real digest is that once in 2^128. */
struct print {
	uint64_t w[2];
};

static struct {
	struct print *v;
	size_t size;
	size_t used;
	bool salted;
	uint8_t salt[SALT_LEN];
} set;


static bool print_is(const struct print *a, const struct print *b)
{
	return a->w[0] == b->w[0] && a->w[1] == b->w[1];
}


static bool print_empty(const struct print *a)
{
	return !a->w[0] && !a->w[1];
}


static int print_make(struct print *pr, const struct secret *s)
{
	uint8_t buf[SALT_LEN + SECRET_MAX];
	uint8_t md[SHA256_DIGEST_LENGTH];
	int err = 0;

	if (!secret_len(s))
		return EINVAL;

	if (!set.salted) {
		if (1 != RAND_priv_bytes(set.salt, sizeof(set.salt)))
			return EIO;
		set.salted = true;
	}

	memcpy(buf, set.salt, SALT_LEN);
	memcpy(buf + SALT_LEN, secret_bytes(s), secret_len(s));
	if (SHA256(buf, SALT_LEN + secret_len(s), md))
		memcpy(pr, md, sizeof(*pr));
	else
		err = ENOMEM;

	OPENSSL_cleanse(buf, sizeof(buf));
	OPENSSL_cleanse(md, sizeof(md));

	return err;
}


static size_t home(const struct print *pr)
{
	return (size_t)pr->w[0] & (set.size - 1);
}


/* Where it is, or the empty place where it would go */
static size_t locate(const struct print *pr)
{
	size_t i = home(pr);

	while (!print_empty(&set.v[i]) && !print_is(&set.v[i], pr))
		i = (i + 1) & (set.size - 1);

	return i;
}


static int grow(void)
{
	struct print *oldv = set.v;
	const size_t oldsize = set.size;
	const size_t size = oldsize ? 2 * oldsize : TABLE_MIN;
	struct print *v = calloc(size, sizeof(*v));

	if (!v)
		return ENOMEM;

	set.v = v;
	set.size = size;
	for (size_t i = 0; i < oldsize; i++) {
		if (!print_empty(&oldv[i]))
			set.v[locate(&oldv[i])] = oldv[i];
	}
	free(oldv);

	return 0;
}


int secret_seen_add(const struct secret *s)
{
	struct print pr;
	size_t i;
	int err;

	err = print_make(&pr, s);
	if (err)
		return err;

	/* Never more than three quarters full: probes stay short */
	if (4 * (set.used + 1) > 3 * set.size) {
		err = grow();
		if (err)
			return err;
	}

	i = locate(&pr);
	if (!print_empty(&set.v[i]))
		return EALREADY;

	set.v[i] = pr;
	++set.used;

	return 0;
}


bool secret_seen(const struct secret *s)
{
	struct print pr;

	if (!set.used || !secret_len(s))
		return false;

	/* What cannot be looked up counts as seen: refused, not let in */
	return print_make(&pr, s) || !print_empty(&set.v[locate(&pr)]);
}


/* Close the hole at i: move back whoever could have stood there */
static void shift_back(size_t i)
{
	const size_t mask = set.size - 1;
	size_t j = i;

	for (;;) {
		j = (j + 1) & mask;
		if (print_empty(&set.v[j]))
			break;

		/* Distance from home to j reaches at least back to i? */
		if (((j - home(&set.v[j])) & mask) >= ((j - i) & mask)) {
			set.v[i] = set.v[j];
			i = j;
		}
	}

	memset(&set.v[i], 0, sizeof(set.v[i]));
}


void secret_seen_del(const struct secret *s)
{
	struct print pr;
	size_t i;

	if (!set.used || print_make(&pr, s))
		return;

	i = locate(&pr);
	if (print_empty(&set.v[i]))
		return;

	shift_back(i);
	--set.used;

	if (!set.used) {        /* nobody is connected: a leak check sees none */
		free(set.v);
		set.v = NULL;
		set.size = 0;
	}
}


int secret_seen_draw(struct secret **sp, size_t len)
{
	struct secret *s;
	int err;

	err = secret_draw(&s, len);
	if (err)
		return err;

	err = secret_seen_add(s);
	if (err)
		secret_free(&s);
	else
		*sp = s;

	return err;
}


void secret_seen_free(struct secret **sp)
{
	if (*sp)
		secret_seen_del(*sp);
	secret_free(sp);
}


size_t secret_seen_count(void)
{
	return set.used;
}
