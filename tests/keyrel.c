/**
 * @file tests/keyrel.c  Does one key follow from another?
 */
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include "keyrel.h"

enum {
	LEN_MAX = 64,
	RUN = 8,                /* bytes in common that are no accident       */
	STEP_BYTES = 4,         /* a counter moves the low bytes only         */
	NEAR_PCT = 20,          /* of 224 bits or more: never by chance       */
};

typedef bool (relation_h)(const uint8_t *a, const uint8_t *b, size_t len);

static unsigned distance(const uint8_t *a, const uint8_t *b, size_t len)
{
	unsigned n = 0;

	for (size_t i = 0; i < len; i++)
		n += (unsigned)__builtin_popcount(a[i] ^ b[i]);

	return n;
}

static double differ_pct(const uint8_t *a, const uint8_t *b, size_t len)
{
	return 100.0 * distance(a, b, len) / (8.0 * (double)len);
}

/** d = b - a, as one big-endian number */
static void minus(uint8_t *d, const uint8_t *b, const uint8_t *a, size_t len)
{
	int borrow = 0;

	for (size_t i = len; i-- > 0; ) {
		const int x = b[i] - a[i] - borrow;

		d[i] = (uint8_t)x;
		borrow = x < 0;
	}
}

static void reverse(uint8_t *r, const uint8_t *a, size_t len)
{
	for (size_t i = 0; i < len; i++)
		r[i] = a[len - 1 - i];
}

static bool is_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	return !memcmp(a, b, len);
}

/** A constant of few bits, or of nearly all, was added bit by bit */
static bool is_near(const uint8_t *a, const uint8_t *b, size_t len)
{
	const double pct = differ_pct(a, b, len);

	return pct < NEAR_PCT || pct > 100 - NEAR_PCT;
}

static bool is_small(const uint8_t *a, const uint8_t *b, size_t len)
{
	uint8_t d[LEN_MAX];
	size_t i = 0;

	minus(d, b, a, len);
	while (i < len - STEP_BYTES && !d[i])
		++i;

	return i == len - STEP_BYTES;
}

/** Counted up or down, whichever end is the low one */
static bool is_counter(const uint8_t *a, const uint8_t *b, size_t len)
{
	uint8_t ra[LEN_MAX], rb[LEN_MAX];

	reverse(ra, a, len);
	reverse(rb, b, len);

	return is_small(a, b, len) || is_small(b, a, len) ||
		is_small(ra, rb, len) || is_small(rb, ra, len);
}

static bool is_reversed(const uint8_t *a, const uint8_t *b, size_t len)
{
	uint8_t r[LEN_MAX];

	reverse(r, a, len);

	return !memcmp(r, b, len);
}

/** Any bytes of a, anywhere in b: a salt or half a key that was kept */
static bool shares(const uint8_t *a, size_t alen, const uint8_t *b, size_t blen)
{
	for (size_t i = 0; i + RUN <= alen; i++)
		for (size_t j = 0; j + RUN <= blen; j++)
			if (!memcmp(a + i, b + j, RUN))
				return true;

	return false;
}

static bool is_part(const uint8_t *a, const uint8_t *b, size_t len)
{
	return shares(a, len, b, len);
}

static bool is_rotated(const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t bit = 1; bit < 8 * len; bit++) {
		size_t i = 0;

		for (; i < len; i++) {
			const uint8_t hi = a[(i + bit / 8) % len];
			const uint8_t lo = a[(i + bit / 8 + 1) % len];

			if (b[i] != (uint8_t)(hi << bit % 8 | lo >> (8 - bit % 8)))
				break;
		}
		if (i == len)
			return true;
	}

	return false;
}

/** A digest of it, or of its key alone, in whole or cut */
static bool is_hash(const uint8_t *a, const uint8_t *b, size_t len)
{
	static const char *const mdv[] = { "MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512",
					   "SHA3-256" };
	const size_t lenv[] = { len, 16, 24, 32 };
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(mdv) / sizeof(mdv[0]); i++)
		for (size_t k = 0; k < sizeof(lenv) / sizeof(lenv[0]); k++)
			if (lenv[k] <= len &&
			    EVP_Digest(a, lenv[k], md, &n, EVP_get_digestbyname(mdv[i]), NULL) &&
			    shares(md, n, b, len))
				return true;

	return false;
}

static const struct {
	relation_h *h;
	const char *name;
} relationv[] = {
	{ is_equal,    "the same"            },
	{ is_counter,  "counted on"          },
	{ is_near,     "a constant XOR"      },
	{ is_reversed, "reversed"            },
	{ is_rotated,  "rotated"             },
	{ is_part,     "a part in common"    },
	{ is_hash,     "a hash"              },
};

const char *keyrel_pair(const struct secret *a, const struct secret *b)
{
	const size_t len = secret_len(a);

	/* another suite: its keys are of another length */
	if (len != secret_len(b) || len > LEN_MAX)
		return shares(secret_bytes(a), len, secret_bytes(b), secret_len(b)) ?
			"a part in common" : NULL;

	for (size_t i = 0; i < sizeof(relationv) / sizeof(relationv[0]); i++)
		if (relationv[i].h(secret_bytes(a), secret_bytes(b), len))
			return relationv[i].name;

	return NULL;
}

/** The same step again, by XOR or by addition? */
static const char *same_step(const struct secret *const v[3])
{
	const size_t len = secret_len(v[0]);
	const uint8_t *a = secret_bytes(v[0]), *b = secret_bytes(v[1]), *c = secret_bytes(v[2]);
	uint8_t d1[LEN_MAX], d2[LEN_MAX], x1[LEN_MAX], x2[LEN_MAX];

	if (len > LEN_MAX || secret_len(v[1]) != len || secret_len(v[2]) != len)
		return NULL;

	minus(d1, b, a, len);
	minus(d2, c, b, len);
	for (size_t i = 0; i < len; i++) {
		x1[i] = a[i] ^ b[i];
		x2[i] = b[i] ^ c[i];
	}

	return shares(x1, len, x2, len) ? "the same XOR again" :
		shares(d1, len, d2, len) ? "the same step again" : NULL;
}

static void count(struct keyrel *r, const char *name)
{
	if (!name)
		return;
	++r->found;
	if (!r->first)
		r->first = name;
}

void keyrel_sequence(struct keyrel *r, const struct secret *const *v, size_t n)
{
	memset(r, 0, sizeof(*r));
	r->min_pct = n > 1 ? 100 : 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n; j++) {
			double pct;

			if (i == j)
				continue;
			++r->pairs;
			count(r, keyrel_pair(v[i], v[j]));
			if (secret_len(v[i]) != secret_len(v[j]))
				continue;
			pct = differ_pct(secret_bytes(v[i]), secret_bytes(v[j]),
					 secret_len(v[i]));
			r->min_pct = pct < r->min_pct ? pct : r->min_pct;
			r->max_pct = pct > r->max_pct ? pct : r->max_pct;
		}
		if (i + 2 < n)
			count(r, same_step(&v[i]));
	}
}
