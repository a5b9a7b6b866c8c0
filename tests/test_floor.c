/**
 * @file test_floor.c  Floor control: who gets the floor, when, and who hears
 *
 * Everything that goes out is written into one line of text, in its order:
 *   +7 -8     user 7 is heard, user 8 is not
 *   +7?       the same, and the answer of the mixer is waited for
 *   7:Granted/257    user 7 is told, with transaction 257
 *   7:Accepted@2     queue position 2
 *   F1        subscribers of floor 1 hear of a change
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "check_run.h"
#include "floor.h"

enum { ANN = 1, BOB = 7, CAT = 8, DAN = 9, NOBODY = 99 };

static struct floors *fs;
static char out[4096];
static bool async;              /* the mixer answers later                    */
static uint64_t token;          /* last question to it                        */
static int gate_err;
static uint64_t now;


static void put(const char *fmt, ...)
{
	const size_t n = strlen(out);
	va_list ap;

	va_start(ap, fmt);
	(void)re_vsnprintf(out + n, sizeof(out) - n, fmt, ap);
	va_end(ap);
}


static int gate(uint16_t floor, uint16_t user, bool open, uint64_t tok,
		void *arg)
{
	(void)arg;
	put(floor == 1 ? "%c%u%s " : "%c%u%s.2 ", open ? '+' : '-', user,
	    tok && async ? "?" : "");
	if (tok && gate_err)
		return gate_err;
	if (tok && async) {
		token = tok;
		return EINPROGRESS;
	}

	return 0;
}


static void status(const struct floor_req *r, uint16_t to, uint16_t tid,
		   void *arg)
{
	(void)arg;
	put("%u:%s", to, bfcpm_status_name(r->status));
	if (r->qpos)
		put("@%u", r->qpos);
	if (tid)
		put("/%u", tid);
	if (r->reason)
		put("(%s)", r->reason);
	put(" ");
}


static void change(uint16_t floor, void *arg)
{
	(void)arg;
	put("F%u ", floor);
}


static const struct floor_handlers handlers = { gate, status, change };


static const char *took(void)
{
	static char copy[sizeof(out)];
	size_t n = strlen(out);

	if (n && out[n - 1] == ' ')
		out[n - 1] = '\0';
	memcpy(copy, out, sizeof(out));
	out[0] = '\0';

	return copy;
}


static void start(const struct floor_policy *p)
{
	mem_deref(fs);
	ck_assert_int_eq(floors_alloc(&fs, p, &handlers, NULL), 0);
	ck_assert_int_eq(floor_add(fs, 1), 0);
	ck_assert_int_eq(floor_user_add(fs, ANN, p->chaired, "Ann", NULL), 0);
	ck_assert_int_eq(floor_user_add(fs, BOB, false, "Bob", NULL), 0);
	ck_assert_int_eq(floor_user_add(fs, CAT, false, "Cat", NULL), 0);
	ck_assert_int_eq(floor_user_add(fs, DAN, false, "Dan", NULL), 0);
	async = false;
	gate_err = 0;
	now = 1000;
	(void)took();
}


static const struct floor_policy open_policy = {
	.gating = FLOOR_GATES_HELD, .holders = 1, .per_user = 1,
	.requests = 100, .prio_max = 4,
};

static const struct floor_policy chaired_policy = {
	.chaired = true, .gating = FLOOR_GATES_ALWAYS, .holders = 1,
	.per_user = 1, .requests = 100, .prio_max = 4,
};


static int ask_prio(uint16_t user, uint16_t tid, int prio)
{
	struct floor_ask a = { .user = user, .tid = tid, .floorc = 1 };

	a.floorv[0] = 1;
	a.prio.set = prio >= 0;
	a.prio.v = (uint8_t)prio;

	return floor_request(fs, &a, now);
}


static int ask(uint16_t user, uint16_t tid)
{
	return ask_prio(user, tid, -1);
}


static int ask_for(uint16_t user, uint16_t beneficiary, uint16_t tid)
{
	struct floor_ask a = { .user = user, .beneficiary = beneficiary,
			       .tid = tid, .floorc = 1 };

	a.floorv[0] = 1;

	return floor_request(fs, &a, now);
}


struct of_user { uint16_t user; uint16_t id; };

static bool of_user_handler(const struct floor_req *r, void *arg)
{
	struct of_user *o = arg;

	if (r->beneficiary == o->user)
		o->id = r->id;

	return o->id != 0;
}


/* Id of a user's (first) request */
static uint16_t req(uint16_t user)
{
	struct of_user o = { user, 0 };

	floor_reqs(fs, of_user_handler, &o);

	return o.id;
}


struct of_status { uint8_t status; unsigned n; };

static bool of_status_handler(const struct floor_req *r, void *arg)
{
	struct of_status *o = arg;

	o->n += r->status == o->status;

	return false;
}


/* Requests that are in this state */
static unsigned count(uint8_t status)
{
	struct of_status o = { status, 0 };

	floor_reqs(fs, of_status_handler, &o);

	return o.n;
}


static int chair_floor(uint16_t chair, uint16_t id, uint16_t floor,
		       uint8_t st, uint8_t pos)
{
	struct bfcpm_req a;
	int err;

	memset(&a, 0, sizeof(a));
	a.id = id;
	a.floors.c = 1;
	a.floors.v[0].id = floor;
	a.floors.v[0].st.status = st;
	a.floors.v[0].st.qpos = pos;
	err = floor_chair_check(fs, chair, &a);
	if (!err)
		floor_chair_action(fs, chair, &a, now);

	return err;
}


static int chair(uint16_t who, uint16_t id, uint8_t st)
{
	return chair_floor(who, id, 1, st, 0);
}


/* ---- automatic ------------------------------------------------------------ */

START_TEST(free_floor_silences_the_others_and_is_granted)
{
	start(&open_policy);
	ck_assert_int_eq(ask(BOB, 257), 0);
	ck_assert_str_eq(took(), "-1 -8 -9 +7 7:Granted/257 F1");
	ck_assert(floor_holds(fs, BOB));
}
END_TEST


START_TEST(busy_floor_has_a_queue_with_positions)
{
	start(&open_policy);
	(void)ask(BOB, 1);
	(void)took();
	ck_assert_int_eq(ask(CAT, 2), 0);
	ck_assert_str_eq(took(), "8:Accepted@1/2 F1");
	ck_assert_int_eq(ask(DAN, 3), 0);
	ck_assert_str_eq(took(), "9:Accepted@2/3 F1");
	ck_assert_int_eq(floor_release(fs, BOB, req(BOB), 4, now), 0);
	ck_assert_str_eq(took(),
		"7:Released/4 -7 +8 +8 8:Granted 9:Accepted@1 F1");
	ck_assert_int_eq(floor_release(fs, DAN, req(DAN), 5, now), 0);
	ck_assert_str_eq(took(), "9:Cancelled/5 F1");
	ck_assert_int_eq(floor_release(fs, CAT, req(CAT), 6, now), 0);
	ck_assert_str_eq(took(), "8:Released/6 +1 +7 +9 F1");
}
END_TEST


START_TEST(higher_priority_goes_first_and_is_clipped_by_policy)
{
	struct floor_policy p = open_policy;

	start(&p);
	(void)ask(ANN, 1);
	(void)ask(BOB, 2);
	(void)took();
	(void)ask_prio(CAT, 3, 4);
	ck_assert_str_eq(took(), "8:Accepted@1/3 7:Accepted@2 F1");
	(void)ask_prio(DAN, 4, 0);
	ck_assert_str_eq(took(), "9:Accepted@3/4 F1");

	p.prio_max = 2;
	start(&p);
	(void)ask(ANN, 1);
	(void)ask(BOB, 2);
	(void)took();
	(void)ask_prio(CAT, 3, 4);
	ck_assert_str_eq(took(), "8:Accepted@2/3 F1");
}
END_TEST


START_TEST(several_holders_if_policy_says_so)
{
	struct floor_policy p = open_policy;

	p.holders = 2;
	start(&p);
	(void)ask(BOB, 1);
	(void)took();
	(void)ask(CAT, 2);
	ck_assert_str_eq(took(), "+8 +8 8:Granted/2 F1");
	(void)ask(DAN, 3);
	ck_assert_str_eq(took(), "9:Accepted@1/3 F1");
	ck_assert_uint_eq(count(BFCPM_GRANTED), 2);
}
END_TEST


START_TEST(round_robin_prefers_who_spoke_longest_ago)
{
	struct floor_policy p = open_policy;

	p.round_robin = true;
	start(&p);
	(void)ask(BOB, 1);
	now += 10;
	(void)floor_release(fs, BOB, req(BOB), 2, now);
	(void)ask(ANN, 3);
	(void)took();
	(void)ask(BOB, 4);
	(void)ask(CAT, 5);
	ck_assert_str_eq(took(), "7:Accepted@1/4 F1 8:Accepted@1/5"
			 " 7:Accepted@2 F1");
}
END_TEST


START_TEST(who_is_barred_loses_the_floor_and_cannot_ask)
{
	start(&open_policy);
	(void)ask(BOB, 1);
	(void)ask(CAT, 2);
	(void)ask(DAN, 3);
	(void)took();
	floor_user_set(fs, CAT, false, "Muted", now);
	ck_assert_str_eq(took(), "8:Denied(Muted) 9:Accepted@1 F1");
	floor_user_set(fs, BOB, false, "Muted", now);
	ck_assert_str_eq(took(), "7:Revoked(Muted) -7 +9 +9 9:Granted F1");
	ck_assert_int_eq(ask(BOB, 4), BFCPM_ERR_UNAUTHORIZED);
	floor_user_set(fs, BOB, false, NULL, now);
	ck_assert_int_eq(ask(BOB, 5), 0);
	ck_assert_str_eq(took(), "7:Accepted@1/5 F1");
}
END_TEST


START_TEST(who_is_barred_while_the_media_is_switched_is_denied)
{
	start(&open_policy);
	async = true;
	(void)ask(BOB, 1);
	(void)took();
	floor_user_set(fs, BOB, false, "Muted", now);
	ck_assert_str_eq(took(), "7:Denied/1(Muted) +1 +8 +9 F1");
	floor_gated(fs, token, 0, now);
	ck_assert_str_eq(took(), "");
}
END_TEST


START_TEST(chairs_are_made_and_unmade)
{
	start(&chaired_policy);
	(void)ask(BOB, 1);
	(void)took();
	ck_assert_int_eq(chair(CAT, req(BOB), BFCPM_GRANTED), BFCPM_ERR_UNAUTHORIZED);
	floor_user_set(fs, CAT, true, NULL, now);
	floor_user_set(fs, ANN, false, NULL, now);
	ck_assert_str_eq(took(), "");
	ck_assert_int_eq(chair(ANN, req(BOB), BFCPM_GRANTED), BFCPM_ERR_UNAUTHORIZED);
	/* the last one: what waits for a word would wait for ever */
	floor_user_set(fs, CAT, false, NULL, now);
	ck_assert_str_eq(took(), "7:Denied(No chair) F1");
}
END_TEST


START_TEST(granted_is_told_when_the_media_is_switched_and_not_before)
{
	start(&open_policy);
	async = true;
	(void)ask(BOB, 1);
	ck_assert_str_eq(took(), "-1 -8 -9 +7? F1");
	ck_assert(!floor_holds(fs, BOB));
	floor_gated(fs, token, 0, now);
	ck_assert_str_eq(took(), "7:Granted/1 F1");
	floor_gated(fs, token, 0, now);         /* again: nothing             */
	ck_assert_str_eq(took(), "");
}
END_TEST


START_TEST(release_that_crosses_the_grant_cancels)
{
	uint64_t first;

	start(&open_policy);
	async = true;
	(void)ask(BOB, 1);
	first = token;
	(void)took();
	ck_assert_int_eq(floor_release(fs, BOB, req(BOB), 2, now), 0);
	ck_assert_str_eq(took(), "7:Cancelled/2 7:Cancelled/1 +1 +8 +9 F1");

	/* the late answer must not grant the next request */
	(void)ask(BOB, 3);
	(void)took();
	floor_gated(fs, first, 0, now);
	ck_assert_str_eq(took(), "");
	floor_gated(fs, token, 0, now);
	ck_assert_str_eq(took(), "7:Granted/3 F1");
}
END_TEST


START_TEST(grant_that_the_mixer_refuses_is_denied_and_the_next_one_tried)
{
	start(&open_policy);
	gate_err = ENOTCONN;
	ck_assert_int_eq(ask(BOB, 1), 0);
	ck_assert_str_eq(took(), "-1 -8 -9 +7 7:Denied/1(No media)"
			 " +1 +8 +9 F1");
	async = true;
	gate_err = 0;
	(void)ask(BOB, 2);
	(void)ask(CAT, 3);
	(void)took();
	floor_gated(fs, token, EPIPE, now);
	ck_assert_str_eq(took(), "7:Denied/2(No media) -7 +8 +8? F1");
}
END_TEST


START_TEST(limits_are_kept)
{
	struct floor_policy p = open_policy;

	p.per_user = 2;
	p.requests = 3;
	start(&p);
	ck_assert_int_eq(ask(BOB, 1), 0);
	ck_assert_int_eq(ask(BOB, 2), 0);
	ck_assert_int_eq(ask(BOB, 3), BFCPM_ERR_LIMIT);
	ck_assert_int_eq(ask(CAT, 4), 0);
	ck_assert_int_eq(ask(DAN, 5), BFCPM_ERR_LIMIT);
}
END_TEST


START_TEST(holder_beyond_the_limit_is_revoked_and_the_next_one_granted)
{
	struct floor_policy p = open_policy;

	p.hold_limit_ms = 5000;
	start(&p);
	ck_assert(floor_next(fs) == UINT64_MAX);
	(void)ask(BOB, 1);
	(void)ask(CAT, 2);
	(void)took();
	ck_assert_uint_eq(floor_next(fs), now + 5000);
	floor_tick(fs, now + 4999);
	ck_assert_str_eq(took(), "");
	floor_tick(fs, now + 5000);
	ck_assert_str_eq(took(), "7:Revoked(Time is over) -7 +8 +8"
			 " 8:Granted F1");
	ck_assert_uint_eq(floor_next(fs), now + 10000);
}
END_TEST


START_TEST(leaver_loses_the_floor_and_its_place)
{
	start(&open_policy);
	(void)ask(BOB, 1);
	(void)ask(CAT, 2);
	(void)ask(DAN, 3);
	(void)took();
	floor_user_del(fs, CAT, now);
	ck_assert_str_eq(took(), "8:Cancelled 9:Accepted@1 F1");
	floor_user_del(fs, BOB, now);
	ck_assert_str_eq(took(), "7:Revoked +9 +9 9:Granted F1");
	ck_assert_int_eq(ask(BOB, 4), BFCPM_ERR_USER);
}
END_TEST


START_TEST(errors_are_those_of_the_rfc)
{
	struct floor_ask a = { .user = BOB, .floorc = 2 };

	start(&open_policy);
	a.floorv[0] = 1;
	a.floorv[1] = 2;
	ck_assert_int_eq(floor_request(fs, &a, now), BFCPM_ERR_FLOOR);
	ck_assert_int_eq(ask(NOBODY, 1), BFCPM_ERR_USER);
	ck_assert_int_eq(ask_for(BOB, NOBODY, 1), BFCPM_ERR_USER);
	ck_assert_int_eq(ask_for(BOB, CAT, 1), BFCPM_ERR_UNAUTHORIZED);
	ck_assert_int_eq(floor_release(fs, BOB, 5, 1, now), BFCPM_ERR_REQUEST);
	(void)ask(BOB, 1);
	ck_assert_int_eq(floor_release(fs, CAT, req(BOB), 1, now),
			 BFCPM_ERR_UNAUTHORIZED);
	ck_assert_int_eq(chair(CAT, req(BOB), BFCPM_REVOKED),
			 BFCPM_ERR_UNAUTHORIZED);
	ck_assert(floor_holds(fs, BOB));
}
END_TEST


/* ---- chaired -------------------------------------------------------------- */

START_TEST(chaired_conference_is_silent_until_the_chair_grants)
{
	start(&chaired_policy);
	ck_assert_int_eq(ask(BOB, 1), 0);
	ck_assert_str_eq(took(), "7:Pending/1 F1");
	ck_assert_int_eq(ask(CAT, 2), 0);
	ck_assert_str_eq(took(), "8:Pending/2 F1");
	ck_assert_int_eq(chair(ANN, req(BOB), BFCPM_GRANTED), 0);
	ck_assert_str_eq(took(), "+7 +7 7:Granted F1");
	ck_assert_int_eq(chair(ANN, req(CAT), BFCPM_ACCEPTED), 0);
	ck_assert_str_eq(took(), "8:Accepted@1 F1");
	ck_assert_int_eq(chair(ANN, req(BOB), BFCPM_REVOKED), 0);
	ck_assert_str_eq(took(), "7:Revoked -7 +8 +8 8:Granted F1");
	ck_assert_int_eq(floor_release(fs, CAT, req(CAT), 3, now), 0);
	ck_assert_str_eq(took(), "8:Released/3 -8 F1");
}
END_TEST


START_TEST(joining_a_chaired_conference_starts_silent)
{
	start(&chaired_policy);
	ck_assert_int_eq(floor_user_add(fs, 20, false, NULL, NULL), 0);
	ck_assert_str_eq(took(), "-20");
	ck_assert_int_eq(floor_user_add(fs, 20, false, NULL, NULL), EALREADY);
}
END_TEST


START_TEST(chair_denies_and_positions_are_the_chairs_to_give)
{
	start(&chaired_policy);
	(void)ask(BOB, 1);
	ck_assert_int_eq(chair(ANN, req(BOB), BFCPM_DENIED), 0);
	ck_assert_str_eq(took(), "7:Pending/1 F1 7:Denied F1");
	ck_assert_uint_eq(req(BOB), 0);

	(void)ask(ANN, 2);      /* the chair's own needs no word              */
	ck_assert_str_eq(took(), "+1 +1 1:Granted/2 F1");
	(void)ask(BOB, 3);
	(void)ask(CAT, 4);
	(void)ask(DAN, 5);
	(void)took();
	ck_assert_int_eq(chair(ANN, req(BOB), BFCPM_ACCEPTED), 0);
	ck_assert_int_eq(chair(ANN, req(CAT), BFCPM_ACCEPTED), 0);
	(void)took();
	ck_assert_int_eq(chair_floor(ANN, req(DAN), 1, BFCPM_ACCEPTED, 2), 0);
	ck_assert_str_eq(took(), "9:Accepted@2 8:Accepted@3 F1");
	/* granted while another one holds it: next in turn, nobody is cut off */
	ck_assert_int_eq(chair(ANN, req(CAT), BFCPM_GRANTED), 0);
	ck_assert_str_eq(took(), "8:Accepted@1 7:Accepted@2 9:Accepted@3 F1");
}
END_TEST


START_TEST(chair_may_speak_again_about_what_is_queued)
{
	start(&chaired_policy);
	(void)ask(ANN, 1);
	(void)ask(BOB, 2);
	(void)ask(CAT, 3);
	ck_assert_int_eq(chair(ANN, req(BOB), BFCPM_ACCEPTED), 0);
	ck_assert_int_eq(chair(ANN, req(CAT), BFCPM_ACCEPTED), 0);
	(void)took();
	/* the first, the only difference being that it is said again */
	ck_assert_int_eq(chair(ANN, req(BOB), BFCPM_GRANTED), 0);
	ck_assert_uint_eq(count(BFCPM_ACCEPTED), 2);
	ck_assert_int_eq(chair_floor(ANN, req(BOB), 1, BFCPM_ACCEPTED, 2), 0);
	ck_assert_str_eq(took(), "F1 8:Accepted@1 7:Accepted@2 F1");
	ck_assert_uint_eq(count(BFCPM_ACCEPTED), 2);
}
END_TEST


START_TEST(chair_action_has_to_fit_the_state)
{
	start(&chaired_policy);
	(void)ask(BOB, 1);
	ck_assert_int_eq(chair(ANN, req(BOB), BFCPM_REVOKED),
			 BFCPM_ERR_GENERIC);
	ck_assert_int_eq(chair(ANN, req(BOB), BFCPM_PENDING),
			 BFCPM_ERR_GENERIC);
	ck_assert_int_eq(chair(ANN, req(BOB), 0), BFCPM_ERR_GENERIC);
	ck_assert_int_eq(chair(ANN, 999, BFCPM_GRANTED), BFCPM_ERR_REQUEST);
	ck_assert_int_eq(chair_floor(ANN, req(BOB), 2, BFCPM_GRANTED, 0),
			 BFCPM_ERR_FLOOR);
	ck_assert_int_eq(chair(BOB, req(BOB), BFCPM_GRANTED),
			 BFCPM_ERR_UNAUTHORIZED);
	ck_assert_int_eq(chair(NOBODY, req(BOB), BFCPM_GRANTED),
			 BFCPM_ERR_USER);
	ck_assert_int_eq(chair(ANN, req(BOB), BFCPM_GRANTED), 0);
	ck_assert_int_eq(chair(ANN, req(BOB), BFCPM_DENIED),
			 BFCPM_ERR_GENERIC);
}
END_TEST


START_TEST(chair_gives_the_floor_to_one_who_cannot_ask)
{
	start(&chaired_policy);
	ck_assert_int_eq(ask_for(ANN, BOB, 1), 0);
	ck_assert_str_eq(took(), "+7 +7 1:Granted/1 7:Granted F1");
	/* the beneficiary may give it back; both hear of it, each once */
	ck_assert_int_eq(floor_release(fs, BOB, req(BOB), 2, now), 0);
	ck_assert_str_eq(took(), "7:Released/2 1:Released -7 F1");
}
END_TEST


START_TEST(operator_is_above_all_chairs)
{
	start(&chaired_policy);
	(void)ask(BOB, 1);
	(void)took();
	ck_assert_int_eq(floor_decide(fs, req(BOB), BFCPM_GRANTED, NULL, now),
			 0);
	ck_assert_str_eq(took(), "+7 +7 7:Granted F1");
	ck_assert_int_eq(floor_decide(fs, req(BOB), BFCPM_DENIED, NULL, now),
			 BFCPM_ERR_GENERIC);
	ck_assert_int_eq(floor_decide(fs, req(BOB), BFCPM_REVOKED, "enough",
				      now), 0);
	ck_assert_str_eq(took(), "7:Revoked(enough) -7 F1");
	ck_assert_int_eq(ask_for(0, CAT, 0), 0);
	ck_assert_str_eq(took(), "+8 +8 8:Granted F1");
	ck_assert_int_eq(floor_decide(fs, 999, BFCPM_GRANTED, NULL, now),
			 BFCPM_ERR_REQUEST);
}
END_TEST


START_TEST(without_a_chair_nobody_waits_for_ever)
{
	struct floor_policy p = chaired_policy;

	start(&p);
	(void)ask(BOB, 1);
	(void)took();
	floor_user_del(fs, ANN, now);
	ck_assert_str_eq(took(), "7:Denied(No chair) F1");
	ck_assert_int_eq(ask(CAT, 2), 0);
	ck_assert_str_eq(took(), "8:Denied/2(No chair) F1");

	p.absent_auto = true;
	start(&p);
	(void)ask(BOB, 1);
	(void)took();
	floor_user_del(fs, ANN, now);
	ck_assert_str_eq(took(), "+7 +7 7:Granted F1");
	(void)ask(CAT, 2);
	ck_assert_str_eq(took(), "8:Accepted@1/2 F1");
}
END_TEST


/* ---- several floors -------------------------------------------------------- */

START_TEST(several_floors_are_granted_together_or_not_at_all)
{
	struct floor_ask both = { .user = CAT, .tid = 2, .floorc = 3 };
	struct floor_ask second = { .user = DAN, .tid = 3, .floorc = 1 };

	start(&open_policy);
	ck_assert_int_eq(floor_add(fs, 2), 0);
	ck_assert_int_eq(floor_add(fs, 2), EALREADY);
	both.floorv[0] = 1;
	both.floorv[1] = 2;
	both.floorv[2] = 1;     /* said twice, wanted once                    */
	second.floorv[0] = 2;
	(void)ask(BOB, 1);
	(void)took();
	ck_assert_int_eq(floor_request(fs, &both, now), 0);
	ck_assert_str_eq(took(), "8:Accepted@1/2 F1 F2");
	/* floor 2 is free, but kept for the one before */
	ck_assert_int_eq(floor_request(fs, &second, now), 0);
	ck_assert_str_eq(took(), "9:Accepted@2/3 F2");
	(void)floor_release(fs, BOB, req(BOB), 4, now);
	ck_assert_str_eq(took(), "7:Released/4 -1.2 -7 -7.2 -9.2 +8 +8 +8.2"
			 " 8:Granted 9:Accepted@1 F1 F2");
	ck_assert_uint_eq(floor_req_find(fs, req(CAT))->floorc, 2);
	(void)floor_release(fs, CAT, req(CAT), 5, now);
	ck_assert(floor_holds(fs, DAN));
	ck_assert(!floor_holds(fs, CAT));
}
END_TEST


/* Any order of events: nobody is heard who does not hold, ids are unique */
START_TEST(random_events_keep_the_invariants)
{
	struct floor_policy p = chaired_policy;
	uint32_t x = 88172645u;

	p.hold_limit_ms = 300;
	p.per_user = 2;
	start(&p);
	for (unsigned i = 0; i < 20000; i++) {
		static const uint16_t whov[] = { ANN, BOB, CAT, DAN };
		uint16_t who, other;

		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		who = whov[x % 4];
		other = whov[x / 4 % 4];
		async = x & 64;
		now += x % 50;
		switch (x / 128 % 8) {
		case 0: case 1: (void)ask_prio(who, 1, (int)(x / 1024 % 5)); break;
		case 2: (void)floor_release(fs, who, req(other), 1, now); break;
		case 3: (void)chair(who, req(other), (uint8_t)(x / 1024 % 9)); break;
		case 4: floor_gated(fs, token, x & 2048 ? EPIPE : 0, now); break;
		case 5: floor_tick(fs, now); break;
		case 6: floor_user_del(fs, who, now);
			(void)floor_user_add(fs, who, who == ANN, NULL, NULL);
			break;
		default: (void)ask_for(who, other, 1); break;
		}
		out[0] = '\0';
		ck_assert_uint_le(count(BFCPM_GRANTED), 1);
		for (unsigned k = 0; k < 4; k++) {
			const struct floor_user *u = floor_user_find(fs, whov[k]);

			ck_assert(((u->open & 1) != 0) == ((u->held & 1) != 0));
			if (floor_holds(fs, whov[k]))
				ck_assert(u->open & 1);
		}
	}
}
END_TEST


static void stop(void)
{
	fs = mem_deref(fs);
}


int main(void)
{
	Suite *s = suite_create("floor");
	TCase *tc = tcase_create("floor");

	tcase_add_checked_fixture(tc, NULL, stop);
	tcase_add_test(tc, free_floor_silences_the_others_and_is_granted);
	tcase_add_test(tc, busy_floor_has_a_queue_with_positions);
	tcase_add_test(tc, higher_priority_goes_first_and_is_clipped_by_policy);
	tcase_add_test(tc, several_holders_if_policy_says_so);
	tcase_add_test(tc, round_robin_prefers_who_spoke_longest_ago);
	tcase_add_test(tc, who_is_barred_loses_the_floor_and_cannot_ask);
	tcase_add_test(tc, who_is_barred_while_the_media_is_switched_is_denied);
	tcase_add_test(tc, chairs_are_made_and_unmade);
	tcase_add_test(tc, granted_is_told_when_the_media_is_switched_and_not_before);
	tcase_add_test(tc, release_that_crosses_the_grant_cancels);
	tcase_add_test(tc, grant_that_the_mixer_refuses_is_denied_and_the_next_one_tried);
	tcase_add_test(tc, limits_are_kept);
	tcase_add_test(tc, holder_beyond_the_limit_is_revoked_and_the_next_one_granted);
	tcase_add_test(tc, leaver_loses_the_floor_and_its_place);
	tcase_add_test(tc, errors_are_those_of_the_rfc);
	tcase_add_test(tc, chaired_conference_is_silent_until_the_chair_grants);
	tcase_add_test(tc, joining_a_chaired_conference_starts_silent);
	tcase_add_test(tc, chair_denies_and_positions_are_the_chairs_to_give);
	tcase_add_test(tc, chair_may_speak_again_about_what_is_queued);
	tcase_add_test(tc, chair_action_has_to_fit_the_state);
	tcase_add_test(tc, chair_gives_the_floor_to_one_who_cannot_ask);
	tcase_add_test(tc, operator_is_above_all_chairs);
	tcase_add_test(tc, without_a_chair_nobody_waits_for_ever);
	tcase_add_test(tc, several_floors_are_granted_together_or_not_at_all);
	tcase_add_test(tc, random_events_keep_the_invariants);
	suite_add_tcase(s, tc);

	return check_run(s);
}
