/**
 * @file test_trickle.c  Waiting for the end of a message has its bound
 */
#include <check.h>
#include <stdlib.h>
#include "check_run.h"
#include "focus/trickle.h"

/** How many reads of len bytes are taken; at most max */
static unsigned reads(struct trickle *t, size_t len, bool known, unsigned max)
{
	unsigned n = 0;

	while (n < max && trickle_ok(t, len, known, 1000))
		++n;

	return n;
}


START_TEST(the_longest_message_in_small_segments_is_taken)
{
	struct trickle t = { .since_ms = 1000 };

	ck_assert_uint_eq(reads(&t, 1400, false, 47), 47);
	trickle_done(&t);
	ck_assert_uint_eq(reads(&t, 536, true, 123), 123);
}
END_TEST


START_TEST(an_ordinary_message_byte_by_byte_is_taken)
{
	struct trickle t = { .since_ms = 1000 };

	/* a byte in a TLS record of its own */
	ck_assert_uint_eq(reads(&t, 23, false, 400), 400);
}
END_TEST


START_TEST(what_is_long_and_comes_byte_by_byte_is_not)
{
	struct trickle t = { .since_ms = 1000 };

	ck_assert_uint_eq(reads(&t, 16384, false, 4), 4);
	ck_assert_uint_lt(reads(&t, 23, false, 1000), 32);

	t = (struct trickle){ .since_ms = 1000 };
	ck_assert_uint_eq(reads(&t, 16384, true, 4), 4);
	ck_assert_uint_lt(reads(&t, 23, true, 1000), 128);
}
END_TEST


START_TEST(whole_messages_and_rare_bytes_cost_nothing)
{
	struct trickle t = { 0 };

	for (unsigned i = 0; i < 100000; i++) {
		ck_assert(trickle_ok(&t, 16384, false, 1));
		trickle_done(&t);
	}
	/* blank lines that keep a connection open are no messages */
	for (unsigned i = 0; i < 100000; i++)
		ck_assert(trickle_ok(&t, 26, false, 15000 * (uint64_t)i));
}
END_TEST


int main(void)
{
	Suite *s = suite_create("trickle");
	TCase *tc = tcase_create("trickle");

	tcase_add_test(tc, the_longest_message_in_small_segments_is_taken);
	tcase_add_test(tc, an_ordinary_message_byte_by_byte_is_taken);
	tcase_add_test(tc, what_is_long_and_comes_byte_by_byte_is_not);
	tcase_add_test(tc, whole_messages_and_rare_bytes_cost_nothing);
	suite_add_tcase(s, tc);

	return check_run(s);
}
