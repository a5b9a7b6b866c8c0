/**
 * @file tests/test_keyrel.c  Relations between keys are found
 */
#include <stdlib.h>
#include <string.h>
#include <check.h>
#include <openssl/evp.h>
#include "check_run.h"
#include "keyrel.h"

enum { LEN = 44, KEYS = 50 };

static void draw(uint8_t v[LEN])
{
	struct secret *s;

	ck_assert_int_eq(secret_draw(&s, LEN), 0);
	memcpy(v, secret_bytes(s), LEN);
	secret_free(&s);
}

/* ---- ways to derive b from a ------------------------------------------------- */

static void same(uint8_t *b, const uint8_t *a)     { memcpy(b, a, LEN); }
static void counted(uint8_t *b, const uint8_t *a)  { memcpy(b, a, LEN); b[LEN - 1]++; }
static void counted_le(uint8_t *b, const uint8_t *a) { memcpy(b, a, LEN); b[0] -= 3; }
static void one_bit(uint8_t *b, const uint8_t *a)  { memcpy(b, a, LEN); b[20] ^= 4; }
static void salt_kept(uint8_t *b, const uint8_t *a) { memcpy(b + 32, a + 32, 12); }

static void inverted(uint8_t *b, const uint8_t *a)
{
	for (size_t i = 0; i < LEN; i++)
		b[i] = (uint8_t)~a[i];
}

static void reversed(uint8_t *b, const uint8_t *a)
{
	for (size_t i = 0; i < LEN; i++)
		b[i] = a[LEN - 1 - i];
}

static void rotated(uint8_t *b, const uint8_t *a)
{
	for (size_t i = 0; i < LEN; i++)
		b[i] = (uint8_t)(a[i] << 3 | a[(i + 1) % LEN] >> 5);
}

static void hashed(uint8_t *b, const uint8_t *a)
{
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned n;

	ck_assert(EVP_Digest(a, LEN, md, &n, EVP_sha256(), NULL));
	memcpy(b, md, n);
}

static void key_hashed(uint8_t *b, const uint8_t *a)
{
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned n;

	ck_assert(EVP_Digest(a, 32, md, &n, EVP_sha512(), NULL));
	memcpy(b, md, LEN);
}

static const struct {
	void (*derive)(uint8_t *b, const uint8_t *a);
	const char *name;
} derivev[] = {
	{ same,       "the same"         }, { counted,    "counted on"     },
	{ counted_le, "counted on"       }, { one_bit,    "a constant XOR" },
	{ inverted,   "a constant XOR"   }, { reversed,   "reversed"       },
	{ rotated,    "rotated"          }, { salt_kept,  "a part in common" },
	{ hashed,     "a hash"           }, { key_hashed, "a hash"         },
};

START_TEST(a_derived_key_is_found)
{
	uint8_t a[LEN], b[LEN];
	struct secret *sa, *sb;
	const char *name;

	draw(a);
	draw(b);
	derivev[_i].derive(b, a);
	ck_assert_int_eq(secret_copy(&sa, a, LEN), 0);
	ck_assert_int_eq(secret_copy(&sb, b, LEN), 0);
	name = keyrel_pair(sa, sb);
	ck_assert_ptr_nonnull(name);
	ck_assert_str_eq(name, derivev[_i].name);
	secret_free(&sa);
	secret_free(&sb);
}
END_TEST

START_TEST(fresh_keys_have_no_relation)
{
	struct secret *v[KEYS];
	struct keyrel r;

	for (size_t i = 0; i < KEYS; i++)
		ck_assert_int_eq(secret_draw(&v[i], i % 2 ? LEN : 30), 0);
	keyrel_sequence(&r, (const struct secret *const *)v, KEYS);
	ck_assert_msg(!r.found, "%s", r.first);
	ck_assert_uint_eq(r.pairs, KEYS * (KEYS - 1));
	ck_assert(r.min_pct > 25 && r.max_pct < 75);
	for (size_t i = 0; i < KEYS; i++)
		secret_free(&v[i]);
}
END_TEST

/** Each alone looks random; only from one to the next it is always the same */
START_TEST(the_same_step_again_is_found)
{
	uint8_t d[LEN], k[3][LEN];
	struct secret *v[3];
	struct keyrel r;

	draw(d);
	draw(k[0]);
	for (size_t n = 1; n < 3; n++) {
		int carry = 0;

		for (size_t i = LEN; i-- > 0; ) {
			const int sum = k[n - 1][i] + d[i] + carry;

			k[n][i] = _i ? (uint8_t)sum : k[n - 1][i] ^ d[i];
			carry = sum >> 8;
		}
	}
	for (size_t n = 0; n < 3; n++)
		ck_assert_int_eq(secret_copy(&v[n], k[n], LEN), 0);
	/* the same XOR twice leads back to the first: that is found, too */
	keyrel_sequence(&r, (const struct secret *const *)v, 3);
	ck_assert_uint_ge(r.found, 1);
	for (size_t n = 0; n < 3; n++)
		secret_free(&v[n]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("keyrel");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, a_derived_key_is_found, 0,
			    (int)(sizeof(derivev) / sizeof(derivev[0])));
	tcase_add_test(tc, fresh_keys_have_no_relation);
	tcase_add_loop_test(tc, the_same_step_again_is_found, 0, 2);
	suite_add_tcase(s, tc);

	return check_run(s);
}
