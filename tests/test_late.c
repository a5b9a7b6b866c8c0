/**
 * @file test_late.c  Timers kept apart from libre's list
 */
#include <stdlib.h>
#include <string.h>
#include "check_run.h"
#include "dlg_help.h"
#include "late.h"

enum { S = 1000 };

static struct lates lates;
static struct late latev[4];
static char ran[16];            /* names, in their order */


static void named(void *arg)
{
	(void)strncat(ran, arg, sizeof(ran) - strlen(ran) - 1);
}


static void again(void *arg)
{
	named(arg);
	late_start(&lates, &latev[0], 10 * S, named, arg);
}


static void closes(void *arg)
{
	named(arg);
	lates_close(&lates);
}


static void start(unsigned i, uint64_t delay_ms, late_h *h, const char *name)
{
	late_start(&lates, &latev[i], delay_ms, h, (void *)(uintptr_t)name);
}


static void setup(void)
{
	loop_setup();
	memset(ran, 0, sizeof(ran));
	memset(latev, 0, sizeof(latev));
}


static void teardown(void)
{
	lates_close(&lates);
	loop_teardown();
}


/** What has run after so long; "" after a turn in which nothing was due */
static void after(uint64_t ms, const char *names)
{
	clock_turn(ms);
	loop_step(__FILE__, __LINE__, names);
	ck_assert_str_eq(ran, names);
}


START_TEST(they_run_in_the_order_of_their_time)
{
	start(0, 300 * S, named, "c");
	start(1, 100 * S, named, "a");
	start(2, 200 * S, named, "b");
	start(3, 300 * S, named, "d");
	after(99 * S, "");
	after(2 * S, "a");
	after(300 * S, "abcd");
}
END_TEST


START_TEST(one_that_is_cancelled_or_moved_does_not_run)
{
	start(0, 100 * S, named, "a");
	start(1, 100 * S, named, "b");
	start(2, 200 * S, named, "c");
	ck_assert_uint_gt(late_left(&latev[2]), 199 * S);
	late_cancel(&latev[0]);
	late_cancel(&latev[3]);
	ck_assert_uint_eq(late_left(&latev[0]), 0);
	start(1, 400 * S, named, "b");
	after(150 * S, "");
	after(100 * S, "c");
	after(200 * S, "cb");
}
END_TEST


START_TEST(timer_of_the_loop_ends_with_the_last_one)
{
	start(0, 10 * S, named, "a");
	start(1, 20 * S, named, "b");
	late_cancel(&latev[0]);
	ck_assert(tmr_isrunning(&lates.tmr));
	late_cancel(&latev[1]);
	ck_assert(!tmr_isrunning(&lates.tmr));
}
END_TEST


START_TEST(handler_may_start_its_own_again)
{
	start(0, 10 * S, again, "a");
	after(11 * S, "a");
	ck_assert_uint_gt(late_left(&latev[0]), 0);
	after(11 * S, "aa");
}
END_TEST


START_TEST(handler_may_close_the_list)
{
	start(0, 10 * S, closes, "a");
	start(1, 10 * S, named, "b");
	after(11 * S, "a");
	after(11 * S, "a");
	start(1, 10 * S, named, "c");
	after(11 * S, "ac");
}
END_TEST


int main(void)
{
	Suite *s = suite_create("dialog: late timers");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, they_run_in_the_order_of_their_time);
	tcase_add_test(tc, one_that_is_cancelled_or_moved_does_not_run);
	tcase_add_test(tc, timer_of_the_loop_ends_with_the_last_one);
	tcase_add_test(tc, handler_may_start_its_own_again);
	tcase_add_test(tc, handler_may_close_the_list);
	suite_add_tcase(s, tc);

	return check_run(s);
}
