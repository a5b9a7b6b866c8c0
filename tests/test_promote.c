/**
 * @file test_promote.c  What one phone did decides nothing for others
 *
 * In the made-up world of epworld.h: a member that claims a common User-Agent
 * and keeps its first key, and others who say that they are of that kind.
 */
#include <check.h>
#include <stdlib.h>
#include "check_run.h"
#include "epworld.h"
#include "log.h"

/* longer than a trial; longer than deafness is borne */
enum { TRIAL_MS = 12000, DEAF_MS = 40000 };

static const char phone[] = "Common Phone/1";
static struct client *const liar = &clientv[0], *const ann = &clientv[1],
	*const ben = &clientv[2], *const cat = &clientv[3];

static void setup(void)
{
	(void)libre_init();
	log_init("test", false, LOG_LV_ERROR);
}

static void teardown(void)
{
	libre_close();
}

static void open_conference(enum keying keying)
{
	world_open(keying, 1);
	world_conference();
}

/** Time passes, in which everybody reports about what it hears */
static void pass(unsigned ms)
{
	for (; ms >= 100; ms -= 100) {
		world_pass(100);
		world_mixer_drain();
		for (unsigned i = 0; ms % 1000 == 0 && i < CLIENT_MAX; i++)
			if (clientv[i].ep)
				client_report(&clientv[i]);
	}
}

static void mixer_dies(void)
{
	world_mixer_dies(true);
	pass(1000);
}

/** Three who have shown it, one after the other */
static void shown_thrice(enum manner m)
{
	static const char *const identityv[] = {
		"sip:x@test", "sip:y@test", "sip:z@test"
	};

	for (size_t i = 0; i < ARRAY_SIZE(identityv); i++) {
		client_join_as(liar, m, identityv[i], phone);
		client_join_as(cat, M_PROMPT, "sip:cat@test", "other");
		pass(TRIAL_MS);
		ck_assert_int_eq(m == M_KEEPS ? FOLLOWS_NO : FOLLOWS_YES,
				 liar->ep->follows);
		client_bye(liar, 0);
		client_bye(cat, 0);
		pass(1000);
		if (!world_conf())
			ck_abort_msg("it ended");
	}
}

START_TEST(one_that_keeps_its_key_keeps_nobody_else_out_of_the_group)
{
	open_conference(KEYING_AUTO);
	client_join_as(ben, M_PROMPT, "sip:ben@test", "other");
	client_join_as(liar, M_KEEPS, "sip:liar@test", phone);
	pass(TRIAL_MS);
	ck_assert_int_eq(FOLLOWS_NO, liar->ep->follows);
	client_bye(liar, 0);

	/* nor with a call after the other */
	for (unsigned i = 0; i < 3; i++) {
		client_join_as(liar, M_KEEPS, "sip:liar@test", phone);
		pass(TRIAL_MS);
		ck_assert_ptr_null(liar->ep->gc);
		client_bye(liar, 0);
	}
	client_join_as(ann, M_PROMPT, "sip:ann@test", phone);
	pass(TRIAL_MS);
	ck_assert_int_eq(FOLLOWS_YES, ann->ep->follows);
	ck_assert_ptr_nonnull(ann->ep->ge);
	world_close();
}
END_TEST

START_TEST(one_that_keeps_its_key_ends_no_call_of_its_kind_when_a_mixer_dies)
{
	static const enum keying keyingv[] = { KEYING_ENDPOINT, KEYING_AUTO };

	open_conference(keyingv[_i]);
	client_join_as(liar, M_KEEPS, "sip:liar@test", phone);
	client_join_as(ann, M_PROMPT, "sip:ann@test", phone);
	client_join_as(ben, M_PROMPT, "sip:ben@test", "other");
	pass(TRIAL_MS);
	mixer_dies();
	ck_assert_ptr_nonnull(ann->ep);
	ck_assert_ptr_nonnull(ben->ep);

	/* and once more, when it was found out by its silence */
	pass(DEAF_MS);
	ck_assert_ptr_null(liar->ep);
	mixer_dies();
	pass(DEAF_MS);
	ck_assert_ptr_nonnull(ann->ep);
	ck_assert_ptr_nonnull(ben->ep);
	world_close();
}
END_TEST

START_TEST(what_three_showed_saves_a_trial_but_ends_no_call)
{
	open_conference(KEYING_AUTO);
	client_join_as(ben, M_PROMPT, "sip:ben@test", "other");
	pass(TRIAL_MS);
	shown_thrice(M_KEEPS);
	client_join_as(ann, M_PROMPT, "sip:ann@test", phone);
	pass(TRIAL_MS);
	ck_assert_ptr_null(ann->ep->gc);

	mixer_dies();
	pass(DEAF_MS);
	ck_assert_ptr_nonnull(ann->ep);

	/* it has taken a new key there: its kind is asked again */
	client_join_as(cat, M_PROMPT, "sip:cat@test", phone);
	pass(TRIAL_MS);
	ck_assert_int_eq(FOLLOWS_YES, cat->ep->follows);
	ck_assert_ptr_nonnull(cat->ep->ge);
	world_close();
}
END_TEST

START_TEST(what_one_showed_takes_nobody_off_its_own_key_without_a_trial)
{
	open_conference(KEYING_AUTO);
	client_join_as(ben, M_PROMPT, "sip:ben@test", "other");
	client_join_as(liar, M_PROMPT, "sip:liar@test", phone);
	pass(TRIAL_MS);
	ck_assert_int_eq(FOLLOWS_YES, liar->ep->follows);

	/* it would be deaf with the group key alone */
	client_join_as(ann, M_KEEPS, "sip:ann@test", phone);
	pass(TRIAL_MS);
	ck_assert_int_eq(FOLLOWS_NO, ann->ep->follows);
	ck_assert_ptr_nonnull(ann->ep->tx);
	world_close();
}
END_TEST

START_TEST(three_that_follow_save_the_next_its_trial)
{
	open_conference(KEYING_AUTO);
	client_join_as(ben, M_PROMPT, "sip:ben@test", "other");
	pass(TRIAL_MS);
	shown_thrice(M_PROMPT);
	client_join_as(ann, M_PROMPT, "sip:ann@test", phone);
	world_mixer_drain();
	world_pass(100);
	ck_assert(!ann->ep->trial);
	ck_assert_int_eq(FOLLOWS_YES, ann->ep->follows);
	world_close();
}
END_TEST

START_TEST(a_phone_that_was_seen_to_keep_its_key_ends_with_the_mixer)
{
	open_conference(KEYING_AUTO);
	client_join_as(ben, M_PROMPT, "sip:ben@test", "other");
	client_join_as(liar, M_KEEPS, "sip:liar@test", phone);
	pass(TRIAL_MS);
	ck_assert_int_eq(FOLLOWS_NO, liar->ep->follows);
	mixer_dies();
	ck_assert_ptr_null(liar->ep);
	ck_assert_ptr_nonnull(ben->ep);
	world_close();
}
END_TEST

START_TEST(whoever_has_proven_no_identity_is_no_witness)
{
	open_conference(KEYING_AUTO);
	client_join_as(ben, M_PROMPT, "sip:ben@test", "other");
	client_join_as(liar, M_KEEPS, "sip:guest@test", phone);
	liar->ep->proof = PROOF_NONE;
	pass(TRIAL_MS);
	ck_assert_int_eq(FOLLOWS_NO, liar->ep->follows);
	client_bye(liar, 0);

	/* else it would be expected of this identity itself */
	client_join_as(ann, M_PROMPT, "sip:guest@test", phone);
	pass(TRIAL_MS);
	ck_assert_int_eq(FOLLOWS_YES, ann->ep->follows);
	world_close();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("promote");
	TCase *tc = tcase_create("others");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, one_that_keeps_its_key_keeps_nobody_else_out_of_the_group);
	tcase_add_loop_test(tc, one_that_keeps_its_key_ends_no_call_of_its_kind_when_a_mixer_dies,
			    0, 2);
	tcase_add_test(tc, what_three_showed_saves_a_trial_but_ends_no_call);
	tcase_add_test(tc, what_one_showed_takes_nobody_off_its_own_key_without_a_trial);
	tcase_add_test(tc, three_that_follow_save_the_next_its_trial);
	tcase_add_test(tc, a_phone_that_was_seen_to_keep_its_key_ends_with_the_mixer);
	tcase_add_test(tc, whoever_has_proven_no_identity_is_no_witness);
	suite_add_tcase(s, tc);

	return check_run(s);
}
