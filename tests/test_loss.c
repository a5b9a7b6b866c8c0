/**
 * @file test_loss.c  Reported losses: up at once, down slowly
 */
#include <check.h>
#include <stdlib.h>
#include "check_run.h"
#include "mixer/loss.h"

enum { S = 1000000 };

/* The clock does not begin at zero */
static const uint64_t t0 = 1234567890123;
static struct loss l;

static void setup(void)
{
	l = (struct loss){0};
}

START_TEST(without_reports_there_is_no_loss)
{
	ck_assert_uint_eq(loss_percent(&l, t0), 0);
	ck_assert_uint_eq(loss_percent(&l, 0), 0);
}
END_TEST

START_TEST(a_report_counts_at_once)
{
	loss_report(&l, 0, t0);
	ck_assert_uint_eq(loss_percent(&l, t0), 0);
	loss_report(&l, 26, t0 + 5 * S);
	ck_assert_uint_eq(loss_percent(&l, t0 + 5 * S), 10);
	loss_report(&l, 128, t0 + 6 * S);
	ck_assert_uint_eq(loss_percent(&l, t0 + 6 * S), 50);
	loss_report(&l, 255, t0 + 7 * S);
	ck_assert_uint_eq(loss_percent(&l, t0 + 7 * S), 100);
}
END_TEST

START_TEST(steady_loss_stays_level_between_reports)
{
	unsigned t;

	for (t = 0; t < 70; t++) {
		if (t % 7 == 0)
			loss_report(&l, 51, t0 + t * S);
		ck_assert_uint_eq(loss_percent(&l, t0 + t * S), 20);
	}
}
END_TEST

START_TEST(it_takes_ten_seconds_down_to_nothing)
{
	unsigned t, v, before = 50;

	loss_report(&l, 128, t0);
	for (t = 1; t <= 10; t++) {
		if (t % 3 == 1)
			loss_report(&l, 0, t0 + t * S);
		v = loss_percent(&l, t0 + t * S);
		ck_assert_uint_lt(v, before);
		ck_assert_uint_ge(v, 50 - t * 5);
		ck_assert_uint_le(v, 50 - t * 5 + 1);
		before = v;
	}
	ck_assert_uint_eq(loss_percent(&l, t0 + 10 * S), 0);
}
END_TEST

START_TEST(it_ends_at_the_newest_report)
{
	loss_report(&l, 128, t0);
	loss_report(&l, 26, t0 + 2 * S);
	ck_assert_uint_eq(loss_percent(&l, t0 + 2 * S), 40);
	ck_assert_uint_eq(loss_percent(&l, t0 + 9 * S), 10);
	ck_assert_uint_eq(loss_percent(&l, t0 + 12 * S), 10);

	/* a new peak below the old one, above what is left of that */
	loss_report(&l, 51, t0 + 13 * S);
	loss_report(&l, 0, t0 + 14 * S);
	ck_assert_uint_eq(loss_percent(&l, t0 + 18 * S), 10);
}
END_TEST

START_TEST(a_listener_that_reports_no_more_is_forgotten)
{
	loss_report(&l, 128, t0);
	ck_assert_uint_eq(loss_percent(&l, t0 + 14 * S), 50);
	ck_assert_uint_eq(loss_percent(&l, t0 + 15 * S), 0);
	ck_assert_uint_eq(loss_percent(&l, t0 + 3600ULL * S), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("loss");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, without_reports_there_is_no_loss);
	tcase_add_test(tc, a_report_counts_at_once);
	tcase_add_test(tc, steady_loss_stays_level_between_reports);
	tcase_add_test(tc, it_takes_ten_seconds_down_to_nothing);
	tcase_add_test(tc, it_ends_at_the_newest_report);
	tcase_add_test(tc, a_listener_that_reports_no_more_is_forgotten);
	suite_add_tcase(s, tc);

	return check_run(s);
}
