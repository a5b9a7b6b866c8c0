/**
 * @file test_epochmodel.c  A random walk over joins, leaves and rekeys
 *
 * The focus's real code for classes, epochs, promotion and re-offers, in a
 * made-up world (epworld.h), against a small model: who may know which key.
 * The seed is fixed; a failure says the step.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check_run.h"
#include "epworld.h"
#include "focus/mixevent.h"
#include "log.h"
#include "secret.h"

enum { STEPS = 10000, WALKERS = 48, SLOT_REST_MS = 10000, QUIET_MS = 200000, MEMBER_MAX = 14,
       OWN_AGE_S = 40 };

static unsigned step, recovered, forks, cancels, updates;

static void setup(void)
{
	(void)libre_init();
	/* refusals and failures are what it makes happen */
	log_init("test", false, getenv("EPMODEL_LOG") ? LOG_LV_DEBUG
						      : LOG_LV_ERROR);
}

static void teardown(void)
{
	libre_close();
}

/* ---- the model ----------------------------------------------------------------- */

/** Does anything that the mixer sends travel under this epoch? */
static bool on_air(const struct wepoch *e)
{
	for (size_t i = 0; e->used && i < wlegc; i++) {
		const struct wleg *l = &wlegv[i];

		if (l->used && l->grouped && l->class_id == e->class_id &&
		    l->epoch == e->no)
			return true;
	}

	return false;
}

/** An assertion of Check's costs a system call, and these are many */
#define MUST(cond, ...) do { if (!(cond)) ck_abort_msg(__VA_ARGS__); } while (0)

static int client_no(const struct client *cl)
{
	return cl == &ghost ? -1 : cl == &loser ? -2 : (int)(cl - clientv);
}

/** @param grace  It left a moment ago: with MKI even that opens nothing */
static void check_outsider(const struct client *cl, bool grace)
{
	for (size_t i = 0; i < EPOCH_MAX; i++) {
		const struct wepoch *e = &wepochv[i];

		MUST((grace && !e->key.mki_len) || !on_air(e) ||
		     !client_knows(cl, &e->key),
		     "step %u: client %d opens class %u epoch %u, %d ms after it"
		     " left", step, client_no(cl), e->class_id, e->no,
		     (int)(world_now() - cl->left_ms));
	}
	for (size_t i = 0; i < wlegc; i++)
		MUST(!wlegv[i].used || !wlegv[i].own.len ||
		     !client_knows(cl, &wlegv[i].own),
		     "step %u: client %d knows the own key of leg %d", step,
		     client_no(cl), (int)wlegv[i].id);
}

/** Forward secrecy: who has left opens nothing, once the grace is over */
static void check_outsiders(void)
{
	for (size_t c = 0; c < WALKERS; c++) {
		const struct client *cl = &clientv[c];

		if (cl->gone)
			check_outsider(cl, cl->left_ms + cl->grace_ms >
				       world_now());
	}
	check_outsider(&ghost, false);
	check_outsider(&loser, false);
}

static bool hears(const struct client *cl, const struct wleg *l)
{
	const struct wepoch *e = l->grouped
		? wepoch_find(l->class_id, l->epoch) : NULL;

	return ((!e || l->both) && client_opens(cl, &l->own)) ||
		(e && client_opens(cl, &e->key));
}

/** Is something under way that will give it a key it can open? */
static bool in_window(const struct client *cl)
{
	const struct dlg *dlg = cl->dlg;
	const struct endpoint *ep = cl->ep;

	/* a phone that is deaf and was never heard of cannot be told from one
	 * that hears */
	if (cl->manner == M_KEEPS && !cl->reported)
		return true;

	return tmr_isrunning(&ep->tmr_deaf) || ep->forked || dlg->sent || dlg->offerh || dlg->wants_ack ||
		!dlg->confirmed || ep->media_pending || ep->le_rekey.list ||
		tmr_isrunning(&dlg->tmr_resp) || ep->trial ||
		(ep->gc && tmr_isrunning(&ep->gc->tmr_draw));
}

static void check_member(const struct client *cl)
{
	const struct endpoint *ep = cl->ep;
	const struct wleg *l = wleg_find(cl->leg);

	MUST(!ep->ge || ep->ge->gc == ep->gc, "step %u", step);
	MUST(!ep->ge || ep->known >= ep->ge->no, "step %u", step);
	MUST(!ep->ge || ep->ge->no >= ep->first, "step %u", step);
	MUST(!ep->trial || ep->tx, "step %u", step);
	if (!l || !cl->dlg->confirmed || !ep->neg.sdes.suite)
		return;

	/* one stream, but for the trial */
	if (!ep->media_pending)
		MUST(!(l->grouped && l->both) || ep->trial,
			      "step %u: two streams to leg %llu", step,
			      (unsigned long long)cl->leg);
	/* and one key, but with MKI: then its own is always there */
	MUST(!ep->neg.mki_len || ep->tx, "step %u", step);
	if (!ep->media_pending && l->grouped)
		MUST(!l->own.len == !(!ep->forked &&
				      (ep->trial || ep->neg.mki_len)),
		     "step %u: leg %llu grouped, own %zu", step,
		     (unsigned long long)cl->leg, l->own.len);
	MUST(hears(cl, l) || in_window(cl),
		      "step %u: leg %llu is deaf: manner %d grouped %d own %zu"
		      " gc %d ge %d tx %d due %d mki %d", step,
		      (unsigned long long)cl->leg, cl->manner, l->grouped,
		      l->own.len, ep->gc != NULL, ep->ge ? (int)ep->ge->no : 0,
		      ep->tx != NULL, ep->own_due, ep->neg.mki_len);

	/* its microphone is never lost */
	if (!ep->media_pending)
		MUST(wkey_equal(&l->rx, cl->dlg->peer_pending ? &cl->tx_was
							      : &cl->tx) ||
		     cl->renew_tx || cl->dlg->sent,
		     "step %u: leg %llu is not heard: manner %d", step,
		     (unsigned long long)cl->leg, cl->manner);
}

static void check_classes(void)
{
	const struct conference *c = world_conf();

	for (struct le *le = c ? list_head(&c->classl) : NULL; le;
	     le = le->next) {
		const struct gclass *gc = le->data;

		MUST(gc->memberl.head || gc->waitl.head, "step %u", step);
		MUST(list_count(&gc->epochl) <= 3 * list_count(&gc->memberl) +
		     list_count(&gc->waitl) + 1, "step %u", step);
	}
}

static void check_all(void)
{
	check_classes();
	/* what the focus said has to arrive first */
	if (world_mixer_queue())
		return;

	check_outsiders();
	for (size_t i = 0; i < WALKERS; i++)
		if (clientv[i].ep && !clientv[i].gone)
			check_member(&clientv[i]);
}

/* ---- the walk ------------------------------------------------------------------ */

static struct client *pick_member(void)
{
	size_t at = world_rand(WALKERS);

	for (size_t i = 0; i < WALKERS; i++) {
		struct client *cl = &clientv[(at + i) % WALKERS];

		if (cl->ep && cl->dlg && cl->dlg->confirmed)
			return cl;
	}

	return NULL;
}

static struct client *pick_slot(void)
{
	for (size_t i = 0; i < WALKERS; i++) {
		struct client *cl = &clientv[i];

		if (!cl->dlg && (!cl->came ||
				 (cl->gone && cl->left_ms + SLOT_REST_MS <
				  world_now())))
			return cl;
	}

	return NULL;
}

/** Every third has one */
static uint8_t random_mki(void)
{
	static const uint8_t lenv[] = { 0, 0, 0, 0, 4, 1 };

	return lenv[world_rand(ARRAY_SIZE(lenv))];
}

/** One that keeps its key has no place in a group conference, and none where
 *  keys of its own get old, either */
static bool may_keep(void)
{
	return world_cc()->keying != KEYING_GROUP &&
		world_cc()->own_key_max_age_s != OWN_AGE_S;
}

static void do_join(void)
{
	/* one that follows is four times as likely as each of the others */
	static const enum manner mv[] = {
		M_PROMPT, M_PROMPT, M_PROMPT, M_PROMPT, M_SLOW, M_NEVER,
		M_REFUSES, M_GLARE, M_KEEPS,
	};
	enum manner m = mv[world_rand(ARRAY_SIZE(mv))];
	struct client *cl = pick_slot();
	const struct client *old;

	if (m == M_KEEPS && !may_keep())
		m = M_PROMPT;
	world_conference();
	old = pick_member();
	if (cl && world_conf() && world_conf()->endpointc < MEMBER_MAX)
		client_join(cl, m, !world_rand(6), world_rand(5) ? 0 : 1,
			    random_mki(),
			    old && !world_rand(6) ? old->leg : 0);
}

static void do_call(void)
{
	static const enum manner mv[] = {
		M_PROMPT, M_PROMPT, M_SLOW, M_NEVER, M_REFUSES, M_GLARE,
		M_KEEPS,
	};
	const unsigned n = ARRAY_SIZE(mv) - !may_keep();
	struct client *cl = pick_slot();

	world_conference();
	if (cl && world_conf() && world_conf()->endpointc < MEMBER_MAX)
		client_called(cl, mv[world_rand(n)],
			      world_rand(5) ? 0 : 1);
}

/** Of a call that we made, soon or late */
static void do_fork(void)
{
	const size_t at = world_rand(WALKERS);

	for (size_t i = 0; i < WALKERS; i++) {
		struct client *cl = &clientv[(at + i) % WALKERS];

		if (cl->ep && cl->dlg && client_fork(cl)) {
			++forks;
			return;
		}
	}
}

static void do_cancel(void)
{
	for (size_t i = 0; i < WALKERS; i++)
		if (clientv[i].ep && clientv[i].dlg)
			cancels += client_cancel(&clientv[i]);
}

static void do_kick(struct client *cl)
{
	struct part *p = cl->ep->part;

	for (size_t i = 0; i < WALKERS; i++)
		if (clientv[i].ep && clientv[i].ep->part == p)
			clientv[i].grace_ms = 0;
	part_kick(p, 200, "kicked");
}

static void do_mixer_restart(void)
{
	const bool renewed = world_rand(4);

	/* nothing of before is sent again, not even for the grace */
	for (size_t i = 0; i < WALKERS; i++)
		if (clientv[i].ep && !renewed)
			clientv[i].grace_ms = 0;
	world_mixer_dies(renewed);
	if (!renewed)
		ck_assert_ptr_null(world_conf());
	else if (world_conf())
		recovered += world_conf()->endpointc;
}

static void do_limit(void)
{
	const struct conference *c = world_conf();
	const struct gclass *gc = c ? list_ledata(list_head(&c->classl)) : NULL;
	Mp__Message msg = MP__MESSAGE__INIT;
	Mp__KeyLimit kl = MP__KEY_LIMIT__INIT;

	if (!gc || !gc->live)
		return;

	kl.conf = c->id;
	kl.class_id = gc->id;
	kl.epoch = gc->live->no;
	msg.body_case = MP__MESSAGE__BODY_KEY_LIMIT;
	msg.key_limit = &kl;
	mixevent_handler(world_focus()->mixv[0], &msg, world_focus());
}

/** Something about its session is another now */
static void change(struct client *cl)
{
	switch (world_rand(8)) {

	case 0:
		cl->variant = (cl->variant + 1) % 3;
		break;
	case 1:
		cl->hold = !cl->hold;
		break;
	case 2:
		mixer_refuses = !world_rand(4);
		break;
	case 3:
		cl->mki_len = random_mki();
		break;
	case 4:
		cl->renew_tx = true;
		break;
	default:
		break;
	}
}

/** The first ACK is on its way, or was long ago */
static void do_update(void)
{
	const size_t at = world_rand(WALKERS);

	for (size_t i = 0; i < WALKERS; i++) {
		struct client *cl = &clientv[(at + i) % WALKERS];

		if (!cl->ep || !cl->dlg || !cl->dlg->answered)
			continue;
		change(cl);
		client_update(cl);
		++updates;
		if (world_rand(2))
			mixer_refuses = 0;
		return;
	}
}

static void do_reinvite(struct client *cl)
{
	change(cl);
	client_reinvite(cl, world_rand(5));
	if (world_rand(2))
		mixer_refuses = 0;
	if (!world_rand(4))
		do_cancel();
}

static void do_member(struct client *cl, uint32_t what)
{
	if (what < 30)
		client_report(cl);
	else if (what < 45)
		client_bye(cl, world_rand(4) ? 0 : ETIMEDOUT);
	else if (what < 50)
		do_kick(cl);
	else if (what < 54)
		endpoint_end(cl->ep, 408, "No media");
	else if (what < 72)
		do_reinvite(cl);
	else if (what < 75)
		client_refresh(cl);
}

static void walk_step(void)
{
	uint32_t what = world_rand(220);
	struct client *cl = what < 75 ? pick_member() : NULL;

	if (cl)
		do_member(cl, what);
	else if (what < 110)
		do_join();
	else if (what == 110 && world_rand(2))
		do_mixer_restart();
	else if (what == 111)
		do_limit();
	else if (what < 150)
		(void)world_mixer_step();
	else if (what < 200)
		world_pass(world_rand(what < 160 ? 3000 : 150));
	else if (what < 206)
		do_cancel();
	else if (what < 209)
		do_fork();
	else if (what < 212)
		do_update();
	else
		do_call();

	if (world_rand(2))
		world_mixer_drain();
}

/** Nothing happens for a while: everybody is where it belongs */
static void check_quiet(enum keying keying)
{
	const unsigned age_s = world_cc()->own_key_max_age_s;

	/* keys of now may get old, but not those that come then */
	world_cc()->own_key_max_age_s = 0;
	for (size_t i = 0; i < WALKERS; i++)
		if (clientv[i].manner == M_GLARE)
			clientv[i].manner = M_PROMPT;
	world_mixer_drain();
	for (unsigned i = 0; i < QUIET_MS / 100; i++) {
		world_pass(100);
		world_mixer_drain();
	}
	world_cc()->own_key_max_age_s = age_s;
	check_all();

	for (size_t i = 0; i < WALKERS; i++) {
		struct client *cl = &clientv[i];
		struct endpoint *ep = cl->ep;

		if (!ep)
			continue;
		/* on hold there is nothing by which it could be found out */
		ck_assert_msg(hears(cl, wleg_find(cl->leg)) ||
			      (cl->manner == M_KEEPS && !cl->reported) ||
			      (!ep->neg.peer_receives &&
			       tmr_isrunning(&ep->tmr_deaf)),
			      "step %u: leg %llu hears nothing after all: manner"
			      " %d mki %d", step, (unsigned long long)cl->leg,
			      cl->manner, ep->neg.mki_len);
		/* alone in its class, it waits for a second one */
		if (keying == KEYING_AUTO && ep->gc && !ep->gc->live) {
			ck_assert_uint_eq(1, list_count(&ep->gc->memberl));
			continue;
		}
		ck_assert(!(ep->trial && ep->neg.peer_receives) &&
			  !ep->next_ge && !ep->next_gc && !ep->next_tx &&
			  !ep->next.sdes.suite && !ep->forked &&
			  !ep->offer_ge && !ep->media_pending);
		if (keying == KEYING_GROUP)
			ck_assert_ptr_nonnull(ep->ge);
		if (ep->gc)
			ck_assert_ptr_eq(ep->ge, ep->gc->live);
		if (ep->follows == FOLLOWS_YES && !ep->neg.mki_len)
			ck_assert_ptr_null(ep->tx);
		if (ep->ge && !ep->trial && ep->neg.mki_len)
			ck_assert_uint_eq(2, cl->rx.c);
	}
}

static void walk(enum keying keying, uint64_t seed)
{
	size_t secrets = secret_count(), seen = secret_seen_count();
	unsigned joined = 0;

	world_open(keying, seed);
	/* every second one with other times: joins are spaced, leavers are cut
	 * off at once, trials are short */
	/* and every third one has calls that outlive their own keys */
	if (seed % 3 == 0)
		world_cc()->own_key_max_age_s = OWN_AGE_S;
	if (seed % 2 == 0) {
		world_cc()->join_rekey_interval_ms = 3000;
		world_cc()->leave_grace_ms = 0;
		world_cc()->trial_overlap_ms = 500;
	}
	recovered = forks = cancels = updates = 0;
	for (step = 0; step < STEPS; step++) {
		walk_step();
		check_all();
		if (step % 250 == 249)
			check_quiet(keying);
		joined += world_conf() ? world_conf()->endpointc : 0;
	}
	printf("%s seed %llu: %u steps, %.1f members on average, %u epochs, %u"
	       " replaced, %u fell back to their own keys, %u moved to a new mixer,"
	       " %u forked, %u cancelled, %u updates, at most %u offers out\n",
	       cfg_keying_name(keying), (unsigned long long)seed, STEPS,
	       (double)joined / (double)STEPS, epochs_installed, replaced,
	       fallbacks, recovered, forks, cancels, updates, offers_out_max);
	ck_assert_uint_gt(recovered, 10);
	ck_assert(forks > 10 && cancels > 10 && updates > 10);

	world_close();
	ck_assert_uint_eq(secrets, secret_count());
	ck_assert_uint_eq(seen, secret_seen_count());
	ck_assert_uint_eq(0, world_timers());
}

START_TEST(ten_thousand_steps_in_keying_group)
{
	walk(KEYING_GROUP, (uint64_t)_i + 1);
}
END_TEST

START_TEST(ten_thousand_steps_in_keying_auto)
{
	walk(KEYING_AUTO, (uint64_t)_i + 1);
}
END_TEST

START_TEST(ten_thousand_steps_in_keying_endpoint)
{
	walk(KEYING_ENDPOINT, (uint64_t)_i + 1);
}
END_TEST

/* ---- pacing -------------------------------------------------------------------- */

enum { CROWD = 350, DEAF = 120, OFFERS_MAX = 100 };

/** How many of those who answer are on the live epoch? */
static unsigned switched(void)
{
	unsigned n = 0;

	for (unsigned i = DEAF; i < CROWD; i++) {
		const struct endpoint *ep = clientv[i].ep;

		n += ep && ep->ge && ep->ge == ep->gc->live;
	}

	return n;
}

START_TEST(offers_without_an_answer_are_bounded_and_hold_nobody_up)
{
	unsigned ms = 0, n;

	world_open(KEYING_GROUP, 1);
	world_conference();
	for (unsigned i = 0; i < CROWD; i++)
		client_join(&clientv[i], M_PROMPT, false, 0, 0, 0);
	for (unsigned i = 0; i < 100; i++) {
		world_pass(100);
		world_mixer_drain();
	}
	ck_assert_uint_eq(CROWD - DEAF, switched());

	offers_out_max = 0;
	ck_assert_int_eq(0, gclass_rekey(world_conf(), &n));
	world_pass(2000);
	world_mixer_drain();
	ck_assert_uint_eq(CROWD - DEAF, switched());
	ck_assert_uint_eq(OFFERS_MAX, offers_out_max);

	/* those whose turn comes first never answer */
	for (unsigned i = 0; i < DEAF; i++)
		clientv[i].manner = M_NEVER;
	offers_out_max = 0;
	ck_assert_int_eq(0, gclass_rekey(world_conf(), &n));
	ck_assert_uint_eq(CROWD, n);
	while (ms < 2000 && switched() < CROWD - DEAF) {
		world_pass(10);
		world_mixer_drain();
		ms += 10;
	}
	printf("%u legs, %u of them deaf: the others switched after %u ms, at most"
	       " %u offers out\n", CROWD, DEAF, ms, offers_out_max);
	ck_assert_uint_eq(CROWD - DEAF, switched());
	/* a place is held for one round: the deaf, and those who answer */
	ck_assert_uint_le(offers_out_max, DEAF + OFFERS_MAX);

	world_close();
}
END_TEST

/* ---- mixers ---------------------------------------------------------------------- */

static void spent(struct mixproc *from, uint64_t leg, uint32_t class_id, uint32_t epoch)
{
	Mp__Message msg = MP__MESSAGE__INIT;
	Mp__KeyLimit kl = MP__KEY_LIMIT__INIT;

	kl.conf = world_conf()->id;
	kl.leg = leg;
	kl.class_id = class_id;
	kl.epoch = epoch;
	kl.hard = true;
	msg.body_case = MP__MESSAGE__BODY_KEY_LIMIT;
	msg.key_limit = &kl;
	mixevent_handler(from, &msg, world_focus());
	world_mixer_drain();
}

START_TEST(mixer_has_no_say_about_conferences_of_another)
{
	struct mixproc *own, *other = (struct mixproc *)(void *)&step;
	const struct gclass *gc;
	unsigned drawn;

	world_open(KEYING_GROUP, 1);
	own = world_focus()->mixv[0];
	world_conference();
	for (unsigned i = 0; i < 2; i++)
		client_join(&clientv[i], M_PROMPT, false, 0, 0, 0);
	world_pass(2000);
	world_mixer_drain();
	gc = list_ledata(list_head(&world_conf()->classl));
	ck_assert_ptr_nonnull(gc->live);

	drawn = epochs_installed;
	spent(other, 0, gc->id, gc->live->no);
	ck_assert_uint_eq(drawn, epochs_installed);
	spent(own, 0, gc->id, gc->live->no);
	ck_assert_uint_gt(epochs_installed, drawn);

	spent(other, clientv[0].leg, 0, 0);
	ck_assert_uint_eq(2, world_conf()->endpointc);
	spent(own, clientv[0].leg, 0, 0);
	ck_assert_uint_eq(1, world_conf()->endpointc);

	world_close();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("epochmodel");
	TCase *tc = tcase_create("walk");
	const char *env = getenv("EPMODEL_SEEDS");
	int seeds = env ? atoi(env) : 2;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, ten_thousand_steps_in_keying_group, 0, seeds);
	tcase_add_loop_test(tc, ten_thousand_steps_in_keying_auto, 0, seeds);
	tcase_add_loop_test(tc, ten_thousand_steps_in_keying_endpoint, 0, 1);
	tcase_add_test(tc, offers_without_an_answer_are_bounded_and_hold_nobody_up);
	tcase_add_test(tc, mixer_has_no_say_about_conferences_of_another);
	suite_add_tcase(s, tc);
	return check_run(s);
}
