/**
 * @file test_uamem.c  What phones of a kind did with new keys
 */
#include <check.h>
#include <stdlib.h>
#include "check_run.h"
#include "re_compat.h"
#include "focus/uamem.h"

#define ANN "sip:ann@test"
#define BEN "sip:ben@test"
#define CAT "sip:cat@test"
#define DAN "sip:dan@test"

static struct uamem *um;

static void setup(void)
{
	(void)libre_init();
	ck_assert_int_eq(0, uamem_alloc(&um));
}

static void teardown(void)
{
	um = mem_deref(um);
	libre_close();
}

static void show(const char *ua, const char *identity, enum follows f)
{
	uamem_show(um, ua, identity, f, 1000);
}

static enum follows expect(const char *ua, const char *identity)
{
	return uamem_expect(um, ua, identity, 2000);
}

static const enum follows bothv[] = { FOLLOWS_YES, FOLLOWS_NO };

START_TEST(nobody_is_expected_to_do_what_one_or_two_others_did)
{
	const enum follows f = bothv[_i];

	ck_assert_int_eq(FOLLOWS_ASK, expect("phone/1", DAN));
	show("phone/1", ANN, f);
	ck_assert_int_eq(FOLLOWS_ASK, expect("phone/1", DAN));
	show("phone/1", BEN, f);
	ck_assert_int_eq(FOLLOWS_ASK, expect("phone/1", DAN));
	show("phone/1", CAT, f);
	ck_assert_int_eq(f, expect("phone/1", DAN));
	ck_assert_int_eq(FOLLOWS_ASK, expect("phone/2", DAN));
}
END_TEST

START_TEST(one_identity_speaks_for_itself_and_counts_once)
{
	const enum follows f = bothv[_i];

	for (unsigned i = 0; i < 10; i++)
		show("phone/1", ANN, f);
	show("phone/1", BEN, f);
	ck_assert_int_eq(f, expect("phone/1", ANN));
	ck_assert_int_eq(f, expect("phone/1", BEN));
	ck_assert_int_eq(FOLLOWS_ASK, expect("phone/1", DAN));
}
END_TEST

START_TEST(one_that_does_the_contrary_makes_all_find_out_anew)
{
	const enum follows f = bothv[_i], other = bothv[!_i];

	show("phone/1", ANN, f);
	show("phone/1", BEN, f);
	show("phone/1", CAT, f);
	show("phone/1", DAN, other);
	ck_assert_int_eq(FOLLOWS_ASK, expect("phone/1", ANN));
	ck_assert_int_eq(other, expect("phone/1", DAN));

	/* and nothing of before counts */
	show("phone/1", ANN, f);
	show("phone/1", BEN, f);
	ck_assert_int_eq(FOLLOWS_ASK, expect("phone/1", DAN));
	show("phone/1", CAT, f);
	ck_assert_int_eq(f, expect("phone/1", DAN));
}
END_TEST

START_TEST(who_says_nothing_of_itself_is_not_remembered)
{
	show("", ANN, FOLLOWS_NO);
	show("", BEN, FOLLOWS_NO);
	show("", CAT, FOLLOWS_NO);
	show("phone/1", "", FOLLOWS_NO);
	ck_assert_int_eq(FOLLOWS_ASK, expect("", ANN));
	ck_assert_int_eq(FOLLOWS_ASK, expect("phone/1", ""));
}
END_TEST

START_TEST(after_a_day_it_is_found_out_anew)
{
	show("phone/1", ANN, FOLLOWS_NO);
	show("phone/1", BEN, FOLLOWS_NO);
	show("phone/1", CAT, FOLLOWS_NO);
	ck_assert_int_eq(FOLLOWS_NO, uamem_expect(um, "phone/1", ANN,
						  1000 + UAMEM_AGE_MS - 1));
	ck_assert_int_eq(FOLLOWS_ASK, uamem_expect(um, "phone/1", ANN,
						   1000 + UAMEM_AGE_MS));
}
END_TEST

START_TEST(when_full_the_kind_that_was_of_use_the_longest_ago_goes)
{
	char ua[32];

	for (unsigned i = 0; i < UAMEM_MAX; i++) {
		(void)re_snprintf(ua, sizeof(ua), "phone/%u", i);
		show(ua, ANN, FOLLOWS_YES);
	}
	ck_assert_int_eq(FOLLOWS_YES, expect("phone/0", ANN));

	/* all the rest can be driven out, by one that makes up names */
	for (unsigned i = 1; i < UAMEM_MAX; i++) {
		(void)re_snprintf(ua, sizeof(ua), "made up/%u", i);
		show(ua, BEN, FOLLOWS_NO);
	}
	ck_assert_int_eq(FOLLOWS_YES, expect("phone/0", ANN));
	for (unsigned i = 1; i < UAMEM_MAX; i++) {
		(void)re_snprintf(ua, sizeof(ua), "phone/%u", i);
		ck_assert_int_eq(FOLLOWS_ASK, expect(ua, ANN));
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("uamem");
	TCase *tc = tcase_create("memory");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, nobody_is_expected_to_do_what_one_or_two_others_did, 0, 2);
	tcase_add_loop_test(tc, one_identity_speaks_for_itself_and_counts_once, 0, 2);
	tcase_add_loop_test(tc, one_that_does_the_contrary_makes_all_find_out_anew, 0, 2);
	tcase_add_test(tc, who_says_nothing_of_itself_is_not_remembered);
	tcase_add_test(tc, after_a_day_it_is_found_out_anew);
	tcase_add_test(tc, when_full_the_kind_that_was_of_use_the_longest_ago_goes);
	suite_add_tcase(s, tc);

	return check_run(s);
}
