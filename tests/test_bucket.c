/**
 * @file test_bucket.c  How often something may be done
 */
#include <check.h>
#include <stdlib.h>
#include "bucket.h"
#include "check_run.h"

enum { BURST = 10, INTERVAL = 100, NOW = 1000000 };

static unsigned take_all(struct bucket *b, uint64_t now)
{
	unsigned n = 0;

	while (n < 1000 && bucket_take(b, BURST, INTERVAL, 1, now))
		++n;

	return n;
}

START_TEST(a_new_bucket_is_full_at_any_time)
{
	static const uint64_t nowv[] = { 0, 1, NOW, UINT64_MAX / 2 };
	struct bucket b = { 0 };

	ck_assert(bucket_is_full(&b, nowv[_i]));
	ck_assert_uint_eq(BURST, take_all(&b, nowv[_i]));
	ck_assert(!bucket_is_full(&b, nowv[_i]));
}
END_TEST

START_TEST(after_a_burst_there_is_one_each_interval)
{
	struct bucket b = { 0 };

	(void)take_all(&b, NOW);
	ck_assert_uint_eq(0, take_all(&b, NOW + INTERVAL - 1));
	for (unsigned i = 1; i <= 20; i++)
		ck_assert_uint_eq(1, take_all(&b, NOW + i * INTERVAL));
	ck_assert_uint_eq(3, take_all(&b, NOW + 23 * INTERVAL + 50));
}
END_TEST

START_TEST(it_holds_no_more_than_a_burst_however_long_nobody_takes)
{
	struct bucket b = { 0 };

	(void)take_all(&b, NOW);
	ck_assert(!bucket_is_full(&b, NOW + BURST * INTERVAL - 1));
	ck_assert(bucket_is_full(&b, NOW + BURST * INTERVAL));
	ck_assert_uint_eq(BURST, take_all(&b, NOW + 1000 * INTERVAL));
}
END_TEST

START_TEST(one_that_costs_more_than_there_is_delays_the_next)
{
	struct bucket b = { 0 };

	ck_assert(bucket_take(&b, BURST, INTERVAL, BURST - 1, NOW));
	ck_assert(bucket_take(&b, BURST, INTERVAL, 5, NOW));
	ck_assert_uint_eq(0, take_all(&b, NOW + 5 * INTERVAL - 1));
	ck_assert_uint_eq(1, take_all(&b, NOW + 5 * INTERVAL));
}
END_TEST

START_TEST(what_is_refused_costs_nothing)
{
	struct bucket b = { 0 };

	(void)take_all(&b, NOW);
	for (unsigned i = 0; i < 100; i++)
		ck_assert(!bucket_take(&b, BURST, INTERVAL, 3, NOW));
	ck_assert_uint_eq(1, take_all(&b, NOW + INTERVAL));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("bucket");
	TCase *tc = tcase_create("bucket");

	tcase_add_loop_test(tc, a_new_bucket_is_full_at_any_time, 0, 4);
	tcase_add_test(tc, after_a_burst_there_is_one_each_interval);
	tcase_add_test(tc, it_holds_no_more_than_a_burst_however_long_nobody_takes);
	tcase_add_test(tc, one_that_costs_more_than_there_is_delays_the_next);
	tcase_add_test(tc, what_is_refused_costs_nothing);
	suite_add_tcase(s, tc);

	return check_run(s);
}
