/**
 * @file test_rekey.c  Orders of events that a random walk seldom finds
 *
 * The focus's real code for keys in a made-up world (epworld.h), one story a
 * test.
 */
#include <check.h>
#include <stdlib.h>
#include "check_run.h"
#include "epworld.h"
#include "log.h"
#include "secret.h"

static size_t secrets, seen;

static void setup(void)
{
	(void)libre_init();
	log_init("test", false, getenv("EPMODEL_LOG") ? LOG_LV_DEBUG
						      : LOG_LV_ERROR);
	secrets = secret_count();
	seen = secret_seen_count();
}

static void teardown(void)
{
	libre_close();
}

static void open_world(enum keying keying)
{
	world_open(keying, 1);
	world_conference();
}

/** And nothing is left of it */
static void close_world(void)
{
	world_close();
	ck_assert_uint_eq(secrets, secret_count());
	ck_assert_uint_eq(seen, secret_seen_count());
	ck_assert_uint_eq(0, world_timers());
}

static void pass(uint64_t ms)
{
	for (uint64_t t = 0; t < ms; t += 20) {
		world_pass(MIN(ms - t, 20u));
		world_mixer_drain();
	}
}

static struct client *joined(unsigned i, enum manner manner, unsigned variant,
			     uint8_t mki_len)
{
	client_join(&clientv[i], manner, false, variant, mki_len, 0);
	pass(1000);
	ck_assert(clientv[i].dlg && clientv[i].dlg->confirmed);

	return &clientv[i];
}

/** Is anything sent that this one can open? */
static bool overhears(const struct client *cl)
{
	for (size_t i = 0; i < wlegc; i++) {
		const struct wleg *l = &wlegv[i];
		const struct wepoch *e = l->used && l->grouped
			? wepoch_find(l->class_id, l->epoch) : NULL;

		if (l->used && ((l->own.len && client_knows(cl, &l->own)) ||
				(e && client_knows(cl, &e->key))))
			return true;
	}

	return false;
}

static bool hears(const struct client *cl)
{
	const struct wleg *l = wleg_find(cl->leg);
	const struct wepoch *e = l && l->grouped
		? wepoch_find(l->class_id, l->epoch) : NULL;

	return l && (((!e || l->both) && client_opens(cl, &l->own)) ||
		     (e && client_opens(cl, &e->key)));
}

/* ---- a call of ours that was forked --------------------------------------------- */

/** When the second 2xx comes */
enum fork_at {
	FORK_RINGING,           /* a second phone rings, and ours answers     */
	FORK_AT_THE_MIXER,      /* the first 2xx is being dealt with          */
	FORK_UP,                /* nothing else goes on                       */
	FORK_OFFERED,           /* an offer with a group key is out           */
	FORK_TRIAL,             /* it hears both streams                      */
	FORK_PROVEN,
	FORK_HELD,
	FORK_MIXER_DIES,        /* before the fresh key is agreed             */
	FORK_PEER_OFFERS,       /* the winner's re-INVITE is at the mixer     */
	FORK_ASKED,             /* the winner asks for an offer               */
	FORK_MAX
};

static const enum keying keyingv[] = {
	KEYING_ENDPOINT, KEYING_AUTO, KEYING_GROUP
};

/** Alone, or with one who is there already and with whom it shares a class */
static void call_up_to(struct client *cl, enum fork_at at, enum manner manner)
{
	client_called(cl, manner, 0);
	if (at == FORK_RINGING) {
		ck_assert(client_fork(cl));
		pass(1000);
		return;
	}

	while (!cl->dlg->confirmed)
		world_pass(1);
	if (at == FORK_AT_THE_MIXER) {
		ck_assert(cl->ep->media_pending || !world_mixer_queue());
		return;
	}

	world_mixer_drain();
	/* alone in its class it is offered none */
	for (unsigned i = 0; at == FORK_OFFERED && i < 1000 &&
	     !cl->ep->offer_ge; i++) {
		world_pass(1);
		world_mixer_drain();
	}
	if (at == FORK_TRIAL || at == FORK_PROVEN)
		pass(2000);
	if (at == FORK_PROVEN)
		client_report(cl);
	if (at == FORK_HELD) {
		pass(2000);
		cl->hold = true;
		client_reinvite(cl, true);
		pass(200);
	}
	world_mixer_drain();
}

static void fork_now(struct client *cl, enum fork_at at)
{
	if (at == FORK_PEER_OFFERS || at == FORK_ASKED) {
		while (cl->dlg->sent)
			pass(20);
		client_reinvite(cl, at == FORK_PEER_OFFERS);
	}
	if (at != FORK_RINGING)
		ck_assert(client_fork(cl));
	world_mixer_drain();
	ck_assert_msg(!overhears(&loser), "at once");
	if (at == FORK_MIXER_DIES) {
		world_mixer_dies(true);
		world_mixer_drain();
	}
}

static void one_fork(enum keying keying, enum fork_at at, enum manner manner,
		       bool alone)
{
	struct client *cl = &clientv[1];

	open_world(keying);
	if (!alone)
		(void)joined(0, M_PROMPT, 0, 0);
	call_up_to(cl, at, manner);
	fork_now(cl, at);
	for (unsigned i = 0; i < 500; i++) {
		pass(20);
		ck_assert_msg(!overhears(&loser), "%u ms later", 20 * i);
		if (i % 50 == 0)
			client_report(cl);
	}
	ck_assert_ptr_nonnull(cl->ep);
	ck_assert_msg(hears(cl), "the winner is deaf: %s, %d, %d",
		      cfg_keying_name(keying), manner, alone);
	if (keying == KEYING_GROUP)
		ck_assert_ptr_nonnull(cl->ep->ge);
	close_world();
}

START_TEST(the_loser_of_a_fork_reads_nothing_that_the_winner_is_sent)
{
	static const enum manner mannerv[] = { M_PROMPT, M_SLOW, M_GLARE };

	for (unsigned m = 0; m < ARRAY_SIZE(mannerv); m++)
		for (unsigned k = 0; k < ARRAY_SIZE(keyingv); k++)
			for (unsigned alone = 0; alone < 2; alone++)
				one_fork(keyingv[k], (enum fork_at)_i,
					   mannerv[m], alone);
}
END_TEST

/** What was in the INVITE is not in use any more: there is nothing to do */
START_TEST(a_fork_that_shows_late_changes_no_key_that_only_the_winner_has)
{
	struct client *cl = &clientv[1];
	struct wleg before;

	open_world(KEYING_AUTO);
	(void)joined(0, M_PROMPT, 0, 4);
	client_called(cl, M_PROMPT, 0);
	pass(1000);
	/* with an MKI it has both keys */
	cl->mki_len = 4;
	client_reinvite(cl, true);
	pass(2000);
	client_report(cl);
	pass(2000);
	before = *wleg_find(cl->leg);
	ck_assert(before.grouped && before.own.len);
	ck_assert(client_fork(cl));
	ck_assert(!cl->dlg->sent && !cl->dlg->offerh);
	pass(2000);
	ck_assert(wkey_equal(&before.own, &wleg_find(cl->leg)->own));
	ck_assert_uint_eq(before.epoch, wleg_find(cl->leg)->epoch);
	ck_assert(!overhears(&loser));
	close_world();
}
END_TEST

/** It is sent nothing that it can open, and nobody knows but by its reports */
START_TEST(who_keeps_the_key_of_a_forked_invite_is_hung_up)
{
	const enum keying keying = _i ? KEYING_AUTO : KEYING_ENDPOINT;
	struct client *a, *cl = &clientv[1];

	open_world(keying);
	a = joined(0, M_PROMPT, 0, 0);
	client_called(cl, M_KEEPS, 0);
	pass(150);
	ck_assert(hears(cl));
	client_report(cl);
	ck_assert(client_fork(cl));
	pass(25000);
	ck_assert(cl->ep && !hears(cl) && !overhears(&loser));
	pass(10000);
	ck_assert(cl->gone && !cl->ep);
	ck_assert(hears(a));
	close_world();
}
END_TEST

/* ---- CANCEL ---------------------------------------------------------------------- */

/** What waits for an epoch goes, and does not get into what comes meanwhile */
START_TEST(a_reinvite_that_is_cancelled_while_it_waits_leaves_nothing)
{
	const uint8_t mki_len = _i ? 4 : 0;
	struct client *cl, *other = &clientv[2];
	struct endpoint *ep;
	struct wkey own;
	unsigned n;

	open_world(KEYING_GROUP);
	(void)joined(0, M_PROMPT, 0, mki_len);
	cl = joined(1, M_PROMPT, 0, mki_len);
	ep = cl->ep;
	own = wleg_find(cl->leg)->own;

	/* the epoch of that class was drawn a moment ago */
	client_join(other, M_PROMPT, false, 1, 0, 0);
	cl->variant = 1;
	cl->mki_len = 0;
	client_reinvite(cl, true);
	ck_assert(ep->next_gc && ep->waiting && cl->dlg->peer_pending);
	if (_i == 2) {
		/* and other keys than in use */
		world_mixer_drain();
		ck_assert(client_cancel(cl));
		cl->mki_len = 1;
		cl->variant = 0;
		client_join(&clientv[3], M_PROMPT, false, 0, 1, 0);
		client_reinvite(cl, true);
		ck_assert(ep->next_tx && ep->waiting);
	}
	world_mixer_drain();
	ck_assert(client_cancel(cl));
	ck_assert(!ep->next_gc && !ep->next_ge && !ep->next_tx &&
		  !ep->next.sdes.suite);

	ck_assert_int_eq(0, gclass_rekey(world_conf(), &n));
	pass(1000);
	ck_assert(hears(cl) && hears(&clientv[0]) && hears(other));
	ck_assert_ptr_eq(ep->gc, clientv[0].ep->gc);
	ck_assert(!own.len || wkey_equal(&own, &wleg_find(cl->leg)->own));

	/* with MKI it is on its own key at once */
	part_kick(clientv[0].ep->part, 200, "kicked");
	world_mixer_drain();
	ck_assert(!own.len || hears(cl));
	close_world();
}
END_TEST

/** The mixer has said yes to what is not wanted any more */
START_TEST(a_reinvite_that_is_cancelled_at_the_mixer_leaves_nothing)
{
	struct client *cl;

	open_world(keyingv[_i]);
	(void)joined(0, M_PROMPT, 0, 0);
	cl = joined(1, M_PROMPT, 0, 0);
	cl->variant = 1;
	cl->hold = true;
	client_reinvite(cl, true);
	ck_assert(cl->ep->media_pending && client_cancel(cl));
	cl->hold = false;
	pass(1000);
	ck_assert(!cl->ep->next_gc && !cl->ep->next.sdes.suite);
	ck_assert(hears(cl) && hears(&clientv[0]));
	ck_assert_ptr_eq(cl->ep->gc, clientv[0].ep->gc);
	close_world();
}
END_TEST

/* ---- age of a key of its own ------------------------------------------------------ */

static const struct {
	enum keying keying;
	uint8_t mki_len;
} agev[] = {
	{ KEYING_ENDPOINT, 0 }, { KEYING_AUTO, 0 }, { KEYING_GROUP, 4 },
};

static struct client *with_age(unsigned i, enum manner manner)
{
	open_world(agev[i].keying);
	world_cc()->own_key_max_age_s = 60;

	return joined(0, manner, 0, agev[i].mki_len);
}

static struct wkey own_key(const struct client *cl)
{
	return wleg_find(cl->leg)->own;
}

START_TEST(key_of_its_own_that_is_old_is_replaced_and_again)
{
	struct client *cl = with_age((unsigned)_i, M_PROMPT);
	struct wkey was, is = own_key(cl);

	for (unsigned n = 0; n < 3; n++) {
		was = is;
		pass(30000);
		is = own_key(cl);
		ck_assert(wkey_equal(&was, &is));
		pass(32000);
		is = own_key(cl);
		ck_assert(is.len && !wkey_equal(&was, &is));
		ck_assert(hears(cl));
	}
	close_world();
}
END_TEST

/** A slow one is sent the old one meanwhile, one on hold has the fresh one for
 *  when it is back, and a refresh of the peer's own brings it, too */
START_TEST(old_key_is_sent_under_until_the_fresh_one_is_agreed)
{
	struct client *cl = with_age(0, _i ? M_PROMPT : M_SLOW);
	struct wkey was = own_key(cl), is;

	if (_i) {
		cl->hold = true;
		client_reinvite(cl, true);
	}
	for (unsigned s = 0; s < 65000; s += 100) {
		pass(100);
		is = own_key(cl);
		ck_assert(_i || hears(cl));
	}
	cl->hold = false;
	client_reinvite(cl, true);
	pass(5000);
	is = own_key(cl);
	ck_assert(!wkey_equal(&was, &is) && hears(cl));
	close_world();
}
END_TEST

START_TEST(phone_known_to_keep_its_key_goes_on_with_it)
{
	struct client *cl = with_age((unsigned)_i, M_KEEPS);
	const struct wkey was = own_key(cl);
	struct wkey is;

	cl->ep->follows = FOLLOWS_NO;
	pass(200000);
	is = own_key(cl);
	ck_assert(wkey_equal(&was, &is) && hears(cl));
	client_reinvite(cl, true);
	pass(1000);
	is = own_key(cl);
	ck_assert(wkey_equal(&was, &is) && hears(cl));
	close_world();
}
END_TEST

START_TEST(phone_found_to_keep_an_old_key_is_hung_up)
{
	struct client *cl = with_age(0, M_KEEPS);

	client_report(cl);
	pass(62000);
	ck_assert(cl->ep && !hears(cl));
	pass(32000);
	ck_assert(cl->gone);
	close_world();
}
END_TEST

/* ---- who leaves ------------------------------------------------------------------ */

/** It has left one class for another, and its ACK never comes */
START_TEST(who_leaves_before_its_ack_opens_nothing_of_its_class_before)
{
	struct client *slow, *cl = &clientv[1];
	const bool kicked = _i;

	open_world(KEYING_GROUP);
	slow = joined(0, M_PROMPT, 0, 0);
	client_join(cl, M_PROMPT, false, 0, 0, 0);
	while (!cl->dlg->answered)
		pass(20);
	tmr_cancel(&cl->dlg->tmr_resp);
	pass(1000);
	ck_assert(overhears(cl) && hears(slow) && !cl->dlg->confirmed);

	/* the others are moved to another epoch, without haste */
	slow->manner = M_NEVER;
	cl->variant = 1;
	client_update(cl);
	pass(1000);
	ck_assert(overhears(cl) && hears(slow));
	if (kicked)
		part_kick(cl->ep->part, 200, "kicked");
	else
		client_bye(cl, ETIMEDOUT);
	world_mixer_drain();
	if (!kicked) {
		ck_assert(overhears(cl));
		pass(world_cc()->leave_grace_ms);
	}
	ck_assert(!overhears(cl));
	close_world();
}
END_TEST

/** RFC 3311 section 5.1: the session stays as it was.  If the call ended, at once and
 *  for one who knows the epoch, everybody else would hear a gap. */
START_TEST(an_update_before_the_ack_that_cannot_be_ends_nothing)
{
	struct client *a, *cl = &clientv[1];
	struct gepoch *ge;

	open_world(keyingv[_i]);
	a = joined(0, M_PROMPT, 0, 0);
	client_join(cl, M_PROMPT, false, 0, 0, 0);
	while (!cl->dlg->answered)
		pass(20);
	ck_assert(!cl->dlg->confirmed);
	ge = cl->ep->ge;
	mixer_refuses = 1;
	cl->hold = true;
	client_update(cl);
	world_mixer_drain();
	ck_assert_uint_eq(0, mixer_refuses);
	cl->hold = false;
	ck_assert(cl->ep && cl->ep->ge == ge && hears(a));
	pass(1000);
	ck_assert(cl->dlg && cl->dlg->confirmed && hears(cl) && hears(a));
	close_world();
}
END_TEST

/* ---- the mixer dies -------------------------------------------------------------- */

/** The new mixer has two questions about one leg, and answers one by one */
START_TEST(an_answer_and_a_move_under_way_are_two_things)
{
	const struct wkey *rx;
	struct client *cl;
	tmr_h *th;
	unsigned n;

	open_world(KEYING_GROUP);
	(void)joined(0, M_PROMPT, 0, 0);
	cl = joined(1, M_SLOW, 0, 0);
	ck_assert_int_eq(0, gclass_rekey(world_conf(), &n));
	while (!cl->dlg->sent)
		world_pass(1);
	world_mixer_dies(true);

	/* its 200 to the offer of before */
	th = cl->dlg->tmr_resp.th;
	tmr_cancel(&cl->dlg->tmr_resp);
	th(cl->dlg);
	while (!wleg_find(cl->leg))
		ck_assert(world_mixer_step());
	client_reinvite(cl, true);
	pass(20000);
	ck_assert(cl->dlg && hears(cl) && !overhears(&ghost));
	rx = &wleg_find(cl->leg)->rx;
	ck_assert(wkey_equal(rx, &cl->tx));
	close_world();
}
END_TEST

/** What it has no room for, nobody can be sent anything under */
START_TEST(an_epoch_that_the_mixer_refuses_is_replaced)
{
	struct client *a, *b, *c = &clientv[2];
	const bool with_mki = _i;
	unsigned n;

	open_world(KEYING_GROUP);
	a = joined(0, M_PROMPT, 0, with_mki ? 4 : 0);
	b = joined(1, M_PROMPT, 0, with_mki ? 4 : 0);
	mixer_refuses = 1;
	ck_assert_int_eq(0, gclass_rekey(world_conf(), &n));
	pass(500);
	ck_assert_uint_eq(0, mixer_refuses);
	/* who comes now is not turned away */
	client_join(c, M_PROMPT, false, 0, with_mki ? 4 : 0, 0);
	pass(5000);
	ck_assert(hears(a) && hears(b) && c->ep && hears(c));
	ck_assert(a->ep->ge == a->ep->gc->live && !a->ep->ge->retired);

	/* and so is the one for somebody who comes */
	client_bye(c, 0);
	pass(5000);
	mixer_refuses = 1;
	client_join(c, M_PROMPT, false, 1, with_mki ? 4 : 0, 0);
	pass(5000);
	ck_assert(hears(a) && hears(b) && c->ep && hears(c));
	close_world();
}
END_TEST

/** What a phone reads because it asked for it says nothing about an offer */
START_TEST(a_key_that_was_asked_for_is_no_proof)
{
	struct client *cl;

	open_world(KEYING_AUTO);
	(void)joined(0, M_PROMPT, 0, 0);
	cl = joined(1, M_KEEPS, 0, 0);
	ck_assert(hears(cl));
	client_report(cl);
	world_mixer_dies(true);
	pass(500);
	ck_assert(!hears(cl) && tmr_isrunning(&cl->ep->tmr_deaf));
	client_reinvite(cl, _i);
	pass(100);
	ck_assert(hears(cl));
	client_report(cl);
	/* and what is thought of it now decides */
	client_reinvite(cl, true);
	for (unsigned i = 0; i < 60; i++) {
		client_report(cl);
		pass(1000);
		ck_assert_msg(cl->ep && hears(cl), "after %u s", i);
	}
	close_world();
}
END_TEST

/* ---- keys that are seen ---------------------------------------------------------- */

/** Else it would end that call, and be out of the set itself */
START_TEST(a_key_that_was_offered_is_nobody_elses_before_it_is_answered)
{
	struct client *cl = &clientv[1], *thief;
	const struct wkey *key;

	open_world(keyingv[_i]);
	thief = joined(0, M_PROMPT, 0, 0);
	client_called(cl, M_PROMPT, 0);
	ck_assert(!cl->dlg->confirmed);
	key = &cl->dlg->invite.v[0];
	thief->tx = *key;
	client_reinvite(thief, true);
	world_mixer_drain();
	ck_assert(!wkey_equal(&wleg_find(thief->leg)->rx, key));
	pass(1000);
	ck_assert(cl->dlg && cl->dlg->confirmed && hears(cl));
	close_world();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rekey");
	TCase *tc = tcase_create("stories");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc,
		the_loser_of_a_fork_reads_nothing_that_the_winner_is_sent, 0,
		FORK_MAX);
	tcase_add_test(tc,
		a_fork_that_shows_late_changes_no_key_that_only_the_winner_has);
	tcase_add_loop_test(tc,
		a_key_that_was_offered_is_nobody_elses_before_it_is_answered,
		0, ARRAY_SIZE(keyingv));
	tcase_add_loop_test(tc,
		who_keeps_the_key_of_a_forked_invite_is_hung_up, 0, 2);
	tcase_add_loop_test(tc,
		a_reinvite_that_is_cancelled_while_it_waits_leaves_nothing,
		0, 3);
	tcase_add_loop_test(tc,
		a_reinvite_that_is_cancelled_at_the_mixer_leaves_nothing,
		0, ARRAY_SIZE(keyingv));
	tcase_add_loop_test(tc,
		key_of_its_own_that_is_old_is_replaced_and_again, 0,
		ARRAY_SIZE(agev));
	tcase_add_loop_test(tc,
		old_key_is_sent_under_until_the_fresh_one_is_agreed, 0, 2);
	tcase_add_loop_test(tc, phone_known_to_keep_its_key_goes_on_with_it,
			    0, 2);
	tcase_add_test(tc, phone_found_to_keep_an_old_key_is_hung_up);
	tcase_add_loop_test(tc,
		who_leaves_before_its_ack_opens_nothing_of_its_class_before,
		0, 2);
	tcase_add_loop_test(tc,
		an_update_before_the_ack_that_cannot_be_ends_nothing, 0,
		ARRAY_SIZE(keyingv));
	tcase_add_test(tc, an_answer_and_a_move_under_way_are_two_things);
	tcase_add_loop_test(tc, an_epoch_that_the_mixer_refuses_is_replaced,
			    0, 2);
	tcase_add_loop_test(tc, a_key_that_was_asked_for_is_no_proof, 0, 2);
	suite_add_tcase(s, tc);
	return check_run(s);
}
