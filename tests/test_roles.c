/**
 * @file test_roles.c  Roles: who is what, who may do what, who inherits
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "check_run.h"
#include "focus/ban.h"
#include "focus/epfloor.h"
#include "focus/epmedia.h"
#include "focus/rights.h"
#include "focus/role.h"

#define ID(user) "sip:" user "@example.org"
#define ANN ID("ann")
#define BOB ID("bob")
#define CAT ID("cat")
#define DAN ID("dan")
#define EVE ID("eve")

static struct cfg_conf cc;
static struct conference conf;
static char told[1024];         /* what change_feed() was given               */


static const char *role_shown(const struct part *p)
{
	return role_name(p->role);
}


/* ---- in place of the rest of the focus ------------------------------------- */

void change_feed(enum change ch, const struct conference *c,
		 const struct endpoint *ep, const char *reason)
{
	const size_t n = strlen(told);
	(void)c;

	ck_assert_ptr_nonnull(ep);
	(void)re_snprintf(told + n, sizeof(told) - n, "%s=%s/%s by %s, ",
			  ep->part->identity + 4,
			  ch == CHANGE_ROLE ? role_name(ep->part->role) :
			  ch == CHANGE_MUTED ? "muted" : "unmuted",
			  part_heard(ep->part) ? "heard" : "silent", reason);
}


int epmedia_resend(struct endpoint *ep)
{
	(void)ep;

	return 0;
}


void epfloor_standing(struct endpoint *ep)
{
	(void)ep;
}


/* ---- a conference ------------------------------------------------------------ */

static void ep_destructor(void *arg)
{
	struct endpoint *ep = arg;

	list_unlink(&ep->le);
}


static struct part *come(const char *identity, enum endpoint_state st)
{
	struct endpoint *ep = mem_zalloc(sizeof(*ep), ep_destructor);
	struct part *p;

	ck_assert_ptr_nonnull(ep);
	ck_assert_int_eq(part_new(&p, &conf, identity), 0);
	ep->part = p;
	ep->state = st;
	list_append(&p->endpointl, &ep->le, ep);

	return p;
}


static void go(struct part *p)
{
	list_flush(&p->endpointl);
	mem_deref(p);
}


/** Ann owns it, Bob chairs, Dan listens */
static void open_conf(void)
{
	memset(&cc, 0, sizeof(cc));
	memset(&conf, 0, sizeof(conf));
	conf.cc = &cc;
	cc.chairv[cc.chairc++] = (char *)(uintptr_t)BOB;
	cc.listenerv[cc.listenerc++] = (char *)(uintptr_t)DAN;
	cc.joinv[cc.joinc++] = (char *)(uintptr_t)"*@example.org";
	cc.rejoin_ban_s = 300;
	ck_assert_int_eq(str_dup(&conf.owner, ANN), 0);
	told[0] = '\0';
}


static void close_conf(void)
{
	while (list_head(&conf.partl))
		go(list_ledata(list_head(&conf.partl)));
	list_flush(&conf.standl);
	list_flush(&conf.banl);
	conf.owner = mem_deref(conf.owner);
}


static void refer(const char *word)
{
	cc.referv[0] = (char *)(uintptr_t)word;
	cc.referc = 1;
}


static bool may(const char *who, enum right right, const struct part *target)
{
	return !rights_refuse(&conf, who, right, target);
}


/* ---- who is what --------------------------------------------------------------- */

START_TEST(the_configuration_says_what_somebody_is)
{
	cc.chairv[cc.chairc++] = (char *)(uintptr_t)ANN;
	cc.listenerv[cc.listenerc++] = (char *)(uintptr_t)BOB;
	ck_assert_str_eq(role_shown(come(ANN, EP_CONNECTED)), "owner");
	ck_assert_str_eq(role_shown(come(BOB, EP_CONNECTED)), "chair");
	ck_assert_str_eq(role_shown(come(CAT, EP_CONNECTED)), "member");
	ck_assert_str_eq(role_shown(come(DAN, EP_CONNECTED)), "listener");
}
END_TEST


START_TEST(guest_whom_nobody_knows_is_never_a_chair)
{
	struct part *p;

	cc.chairv[0] = (char *)(uintptr_t)"*";
	ck_assert_str_eq(role_shown(come(CAT, EP_CONNECTED)), "chair");
	p = come("sip:anonymous@anonymous.invalid", EP_CONNECTED);
	ck_assert_str_eq(role_shown(p), "member");

	/* not by its pseudonym either, when roles are looked at again */
	ck_assert_int_eq(part_hide(p), 0);
	ck_assert_int_eq(role_mute(p, true, "sip:cat@x"), 0);
	ck_assert_str_eq(role_shown(p), "member");
	conf.ps = mem_deref(conf.ps);
}
END_TEST


START_TEST(guest_has_nobody_called_and_nobody_removed)
{
	struct part *p = come("sip:anonymous@anonymous.invalid", EP_CONNECTED);

	ck_assert_int_eq(part_hide(p), 0);
	cc.referv[cc.referc++] = (char *)(uintptr_t)"members";
	cc.referv[cc.referc++] = (char *)(uintptr_t)"*";
	(void)come(CAT, EP_CONNECTED);
	ck_assert(may(CAT, RIGHT_INVITE, NULL));
	ck_assert(!may(p->identity, RIGHT_INVITE, NULL));
	ck_assert(!may(p->identity, RIGHT_REMOVE, NULL));

	/* unless somebody has made it more than a member */
	ck_assert_int_eq(role_set(p, ROLE_CHAIR, "sip:ann@x"), 0);
	ck_assert(may(p->identity, RIGHT_INVITE, NULL));
	conf.ps = mem_deref(conf.ps);
}
END_TEST


START_TEST(guest_who_makes_it_is_its_only_owner)
{
	struct part *p, *q;

	mem_deref(conf.owner);
	ck_assert_int_eq(str_dup(&conf.owner, "sip:anonymous@anonymous.invalid"), 0);
	p = come("sip:anonymous@anonymous.invalid", EP_CONNECTED);
	ck_assert_int_eq(part_hide(p), 0);
	q = come("sip:anonymous@anonymous.invalid", EP_CONNECTED);
	ck_assert_int_eq(part_hide(q), 0);
	ck_assert_str_eq(role_shown(p), "owner");
	ck_assert_str_eq(role_shown(q), "member");
	ck_assert(may(p->identity, RIGHT_END, NULL));
	ck_assert(!may("sip:anonymous@anonymous.invalid", RIGHT_END, NULL));
	conf.ps = mem_deref(conf.ps);
}
END_TEST


START_TEST(every_role_has_a_name_that_is_read_back)
{
	enum role r;

	for (unsigned i = ROLE_LISTENER; i <= ROLE_OWNER; i++) {
		ck_assert_int_eq(role_parse(role_name((enum role)i), &r), 0);
		ck_assert_uint_eq(r, i);
	}
	ck_assert_int_eq(role_parse("king", &r), EINVAL);
	ck_assert_int_eq(role_parse(NULL, &r), EINVAL);
}
END_TEST


START_TEST(role_that_was_given_outlasts_the_call)
{
	struct part *p = come(DAN, EP_CONNECTED);

	ck_assert(!part_heard(p));
	ck_assert_int_eq(role_set(p, ROLE_MEMBER, "x"), 0);
	ck_assert_str_eq(told, "dan@example.org=member/heard by x, ");
	go(p);
	p = come(DAN, EP_CONNECTED);
	ck_assert_str_eq(role_shown(p), "member");
}
END_TEST


START_TEST(who_is_muted_stays_muted_when_calling_again)
{
	struct part *p = come(CAT, EP_CONNECTED);

	ck_assert_int_eq(role_mute(p, true, "x"), 0);
	ck_assert_int_eq(role_mute(p, true, "x"), 0);
	ck_assert_str_eq(told, "cat@example.org=muted/silent by x, ");
	go(p);
	p = come(CAT, EP_CONNECTED);
	ck_assert(p->muted && !part_heard(p));
	ck_assert_int_eq(role_mute(p, false, "y"), 0);
	ck_assert(part_heard(p));
}
END_TEST


START_TEST(somebody_who_is_in_twice_is_muted_twice)
{
	struct part *p = come(CAT, EP_CONNECTED), *q = come(CAT, EP_CONNECTED);

	ck_assert_int_eq(role_mute(p, true, "x"), 0);
	ck_assert(q->muted);
}
END_TEST


START_TEST(who_is_not_in_yet_is_changed_in_silence)
{
	ck_assert_int_eq(role_mute(come(CAT, EP_ALERTING), true, "x"), 0);
	ck_assert_str_eq(told, "");
}
END_TEST


START_TEST(number_of_changes_is_bounded)
{
	char id[64];
	int err = 0;
	unsigned n = 0;

	for (; n < 2000 && !err; n++) {
		struct part *p;

		(void)re_snprintf(id, sizeof(id), "sip:u%u@example.org", n);
		p = come(id, EP_CONNECTED);
		err = role_mute(p, true, "x");
		go(p);
		told[0] = '\0';
	}
	ck_assert_int_eq(err, ENOSPC);
	ck_assert_uint_eq(n, 1001);
}
END_TEST


/* ---- rights --------------------------------------------------------------------- */

enum { O = 1 << ROLE_OWNER, C = 1 << ROLE_CHAIR, M = 1 << ROLE_MEMBER, L = 1 << ROLE_LISTENER };

static const struct {
	enum right right;
	const char *refer;
	unsigned roles;
} verbv[] = {
	{ RIGHT_INVITE, "owner", O }, { RIGHT_INVITE, "chairs", O | C },
	{ RIGHT_INVITE, "members", O | C | M }, { RIGHT_INVITE, EVE, 0 },
	{ RIGHT_REMOVE, "owner", O }, { RIGHT_REMOVE, "chairs", O | C },
	{ RIGHT_REMOVE, "members", O | C | M }, { RIGHT_REMOVE, EVE, 0 },
	{ RIGHT_INVITE, DAN, L }, { RIGHT_REMOVE, CAT, M },
	{ RIGHT_MUTE, "members", O | C }, { RIGHT_LOCK, "members", O | C },
	{ RIGHT_FLOOR, "members", O | C }, { RIGHT_ROLE, "members", O | C },
	{ RIGHT_END, "members", O },
};

START_TEST(each_verb_is_for_the_roles_that_the_table_says)
{
	static const char *const whov[] = { DAN, CAT, BOB, ANN };

	refer(verbv[_i].refer);
	for (unsigned i = 0; i < ARRAY_SIZE(whov); i++)
		(void)come(whov[i], EP_CONNECTED);
	for (unsigned i = 0; i < ARRAY_SIZE(whov); i++)
		ck_assert_msg(may(whov[i], verbv[_i].right, NULL) ==
			      !!(verbv[_i].roles & 1u << i), "%s", whov[i]);
	/* in no role at all */
	ck_assert(may(EVE, verbv[_i].right, NULL) ==
		  !str_cmp(verbv[_i].refer, EVE));
}
END_TEST


START_TEST(nothing_is_done_to_somebody_who_ranks_higher)
{
	struct part *ann = come(ANN, EP_CONNECTED), *bob = come(BOB, EP_CONNECTED);
	struct part *cat = come(CAT, EP_CONNECTED), *dan = come(DAN, EP_CONNECTED);

	refer("members");
	ck_assert(!may(BOB, RIGHT_MUTE, ann) && may(BOB, RIGHT_MUTE, bob) &&
		  may(BOB, RIGHT_MUTE, cat) && may(ANN, RIGHT_MUTE, bob));
	ck_assert(!may(CAT, RIGHT_REMOVE, ann) && !may(CAT, RIGHT_REMOVE, bob) &&
		  may(CAT, RIGHT_REMOVE, dan));
	/* whom the administrator names ranks with the chairs */
	refer(EVE);
	ck_assert(!may(EVE, RIGHT_REMOVE, ann) && may(EVE, RIGHT_REMOVE, bob));
}
END_TEST


START_TEST(only_the_owner_makes_and_unmakes_chairs)
{
	struct part *bob, *cat;

	(void)come(ANN, EP_CONNECTED);
	bob = come(BOB, EP_CONNECTED);
	cat = come(CAT, EP_CONNECTED);
	ck_assert_ptr_null(rights_refuse_role(&conf, BOB, cat, ROLE_LISTENER));
	ck_assert_ptr_nonnull(rights_refuse_role(&conf, BOB, cat, ROLE_CHAIR));
	ck_assert_ptr_nonnull(rights_refuse_role(&conf, BOB, cat, ROLE_OWNER));
	ck_assert_ptr_nonnull(rights_refuse_role(&conf, BOB, bob, ROLE_MEMBER));
	ck_assert_ptr_nonnull(rights_refuse_role(&conf, CAT, cat, ROLE_CHAIR));
	ck_assert_ptr_null(rights_refuse_role(&conf, ANN, cat, ROLE_CHAIR));
	ck_assert_ptr_null(rights_refuse_role(&conf, ANN, bob, ROLE_OWNER));
}
END_TEST


START_TEST(role_counts_only_while_its_bearer_is_in)
{
	struct part *bob = come(BOB, EP_ALERTING);

	ck_assert(!may(BOB, RIGHT_LOCK, NULL));
	((struct endpoint *)list_ledata(list_head(&bob->endpointl)))->state =
		EP_CONNECTED;
	ck_assert(may(BOB, RIGHT_LOCK, NULL));
	/* but the owner's */
	ck_assert(may(ANN, RIGHT_LOCK, NULL));
}
END_TEST


START_TEST(others_see_who_may_have_people_called_but_not_who_hides)
{
	refer("members");
	ck_assert(rights_shown(&conf, CAT, ROLE_MEMBER));
	ck_assert(!rights_shown(&conf, CAT, ROLE_LISTENER));
	refer(CAT);
	ck_assert(rights_shown(&conf, CAT, ROLE_LISTENER));
	ck_assert(!rights_shown(&conf, "sip:anonymous1@anonymous.invalid",
				ROLE_MEMBER));
}
END_TEST


START_TEST(who_was_removed_has_no_say_any_more)
{
	refer(EVE);
	ck_assert(may(EVE, RIGHT_INVITE, NULL));
	ban_add(&conf, EVE);
	ck_assert(!may(EVE, RIGHT_INVITE, NULL));
}
END_TEST


/* ---- succession ------------------------------------------------------------------- */

START_TEST(handing_over_leaves_one_owner)
{
	struct part *ann = come(ANN, EP_CONNECTED), *cat = come(CAT, EP_CONNECTED);

	ck_assert_int_eq(role_mute(cat, true, "x"), 0);
	told[0] = '\0';
	ck_assert_int_eq(role_set(ann, ROLE_MEMBER, ANN), EINVAL);
	ck_assert_int_eq(role_set(cat, ROLE_OWNER, ANN), 0);
	ck_assert_str_eq(conf.owner, CAT);
	ck_assert(cat->role == ROLE_OWNER && part_heard(cat));
	ck_assert_str_eq(role_shown(ann), "member");
	ck_assert(!may(ANN, RIGHT_END, NULL) && may(CAT, RIGHT_END, NULL));
	ck_assert_str_eq(told, "cat@example.org=owner/heard by " ANN ", "
			 "cat@example.org=unmuted/heard by " ANN ", "
			 "ann@example.org=member/heard by " ANN ", ");
}
END_TEST


START_TEST(owners_may_what_chairs_may)
{
	ck_assert(role_chairs(ROLE_OWNER) && role_chairs(ROLE_CHAIR));
	ck_assert(!role_chairs(ROLE_MEMBER) && !role_chairs(ROLE_LISTENER));
}
END_TEST

START_TEST(all_endpoints_of_all_participants_are_walked)
{
	struct part *ann, *bob;
	struct endpoint *ep, *second;

	ck_assert_ptr_null(conference_endpoints(&conf, NULL));
	ann = come(ANN, EP_CONNECTED);
	list_flush(&ann->endpointl);
	ck_assert_ptr_null(conference_endpoints(&conf, NULL));

	bob = come(BOB, EP_CONNECTED);
	second = mem_zalloc(sizeof(*second), ep_destructor);
	ck_assert_ptr_nonnull(second);
	second->part = bob;
	list_append(&bob->endpointl, &second->le, second);
	list_flush(&come(CAT, EP_CONNECTED)->endpointl);
	(void)come(DAN, EP_CONNECTED);

	ep = conference_endpoints(&conf, NULL);
	ck_assert_ptr_eq(list_ledata(list_head(&bob->endpointl)), ep);
	ep = conference_endpoints(&conf, ep);
	ck_assert_ptr_eq(second, ep);
	ep = conference_endpoints(&conf, ep);
	ck_assert_ptr_nonnull(ep);
	ck_assert_str_eq(DAN, ep->part->identity);
	ck_assert_ptr_null(conference_endpoints(&conf, ep));
}
END_TEST

START_TEST(chair_who_has_been_in_longest_inherits)
{
	struct part *dan;

	cc.chairv[cc.chairc++] = (char *)(uintptr_t)CAT;
	(void)come(BOB, EP_ALERTING);
	dan = come(DAN, EP_CONNECTED);
	ck_assert(!role_succeed(&conf));
	ck_assert_int_eq(role_set(dan, ROLE_CHAIR, ANN), 0);
	(void)come(CAT, EP_CONNECTED);
	ck_assert(role_succeed(&conf));
	ck_assert_str_eq(conf.owner, DAN);
	ck_assert_str_eq(role_shown(dan), "owner");
	/* back, the old one is what the configuration says */
	ck_assert_str_eq(role_shown(come(ANN, EP_CONNECTED)), "member");
}
END_TEST


static Suite *suite(void)
{
	Suite *s = suite_create("roles");
	TCase *tc = tcase_create("roles");

	tcase_add_checked_fixture(tc, open_conf, close_conf);
	tcase_add_test(tc, the_configuration_says_what_somebody_is);
	tcase_add_test(tc, guest_whom_nobody_knows_is_never_a_chair);
	tcase_add_test(tc, guest_who_makes_it_is_its_only_owner);
	tcase_add_test(tc, guest_has_nobody_called_and_nobody_removed);
	tcase_add_test(tc, every_role_has_a_name_that_is_read_back);
	tcase_add_test(tc, role_that_was_given_outlasts_the_call);
	tcase_add_test(tc, who_is_muted_stays_muted_when_calling_again);
	tcase_add_test(tc, somebody_who_is_in_twice_is_muted_twice);
	tcase_add_test(tc, who_is_not_in_yet_is_changed_in_silence);
	tcase_add_test(tc, number_of_changes_is_bounded);
	tcase_add_loop_test(tc, each_verb_is_for_the_roles_that_the_table_says,
			    0, (int)ARRAY_SIZE(verbv));
	tcase_add_test(tc, nothing_is_done_to_somebody_who_ranks_higher);
	tcase_add_test(tc, only_the_owner_makes_and_unmakes_chairs);
	tcase_add_test(tc, role_counts_only_while_its_bearer_is_in);
	tcase_add_test(tc, others_see_who_may_have_people_called_but_not_who_hides);
	tcase_add_test(tc, who_was_removed_has_no_say_any_more);
	tcase_add_test(tc, handing_over_leaves_one_owner);
	tcase_add_test(tc, chair_who_has_been_in_longest_inherits);
	tcase_add_test(tc, owners_may_what_chairs_may);
	tcase_add_test(tc, all_endpoints_of_all_participants_are_walked);
	suite_add_tcase(s, tc);

	return s;
}


int main(void)
{
	return check_run(suite());
}
