/**
 * @file test_dlg.c  Two ends of a call, both ours, over TCP on loopback
 *
 * Every Contact names a dead port: a request that does not go on the
 * connection of the call is lost and its test waits in vain.
 */
#include <stdlib.h>
#include <string.h>
#include "check_run.h"
#include "dlg_help.h"


/* ---- set up, hang up ------------------------------------------------------ */

START_TEST(caller_hangs_up)
{
	call_up();
	ck_assert_uint_eq(a.progrc, 0);
	ck_assert_uint_eq(a.answerc, 1);
	ck_assert_uint_eq(b.answerc, 0);
	ck_assert(!strcmp(dlg_callid(a.dlg), dlg_callid(b.dlg)));
	ck_assert(!strcmp(dlg_local_tag(a.dlg), dlg_remote_tag(b.dlg)));
	ck_assert(!strcmp(dlg_remote_tag(a.dlg), dlg_local_tag(b.dlg)));
	ck_assert_ptr_eq(dlg_arg(a.dlg), &a);

	end_drop(&a);
	WAIT(b.closec && !dlgs_count(a.ds) && !dlgs_count(b.ds));
	ck_assert_int_eq(b.err, 0);
	ck_assert_uint_eq(a.closec, 0);
}
END_TEST


START_TEST(callee_hangs_up)
{
	call_up();
	end_drop(&b);
	WAIT(a.closec && !dlgs_count(a.ds) && !dlgs_count(b.ds));
	ck_assert_int_eq(a.err, 0);
	ck_assert_uint_eq(b.closec, 0);
}
END_TEST


START_TEST(bye_of_both_sides_crosses)
{
	call_up();
	end_drop(&a);
	end_drop(&b);
	WAIT(!dlgs_count(a.ds) && !dlgs_count(b.ds));
	ck_assert_uint_eq(seen_count(&a, true, "BYE "), 1);
	ck_assert_uint_eq(seen_count(&b, true, "BYE "), 1);
	ck_assert_uint_eq(seen_count(&a, true, "SIP/2.0 200"), 1);
	ck_assert_uint_eq(a.closec + b.closec, 0);
}
END_TEST


START_TEST(reason_is_told_and_closeh_is_not_called)
{
	call_up();
	dlg_bye(b.dlg, "SIP;cause=503;text=\"busy\"");
	WAIT(a.closec);
	ck_assert_ptr_nonnull(strstr(seen_text(&a, false, "BYE ", 0),
		"\r\nReason: SIP;cause=503;text=\"busy\"\r\n"));
	ck_assert_uint_eq(b.closec, 0);
	ck_assert(!dlg_established(b.dlg));
	ck_assert_int_eq(dlg_offer(b.dlg, DLG_AUTO, end_make_offer), EINVAL);
}
END_TEST


START_TEST(everything_goes_on_the_callers_connection)
{
	unsigned others = 0, requests = 0;

	call_up();
	(void)end_offer(&b, DLG_REINVITE);
	WAIT(b.answerc);
	(void)end_offer(&b, DLG_UPDATE);
	WAIT(b.answerc == 2);
	end_drop(&b);
	WAIT(a.closec);

	/* responses go back on the socket, whatever the address says */
	for (unsigned i = 0; i < b.seenc; i++) {
		if (!b.seenv[i].tx || !strncmp(b.seenv[i].text, "SIP/", 4))
			continue;
		++requests;
		others += !sa_cmp(&b.seenv[i].peer, &b.seenv[0].peer, SA_ALL);
	}
	ck_assert_uint_eq(requests, 4);
	ck_assert_uint_eq(others, 0);
}
END_TEST


START_TEST(refusal_ends_the_call_for_both)
{
	end_connect(&a, &b.laddr, body("hello"));
	WAIT(b.dlg);
	ck_assert_int_eq(dlg_reject(b.dlg, 486, "Busy Here",
				    "X-Why: %s\r\n", "lunch"), 0);
	end_drop(&b);
	WAIT(a.closec);
	ck_assert_uint_eq(a.scode, 486);
	ck_assert_int_eq(a.err, 0);
	ck_assert_uint_eq(b.closec, 0);
	ck_assert_ptr_nonnull(strstr(seen_text(&a, false, "SIP/2.0 486", 0),
				     "\r\nX-Why: lunch\r\n"));
}
END_TEST


START_TEST(without_an_invite_handler_calls_are_forbidden)
{
	struct dlgs *ds = b.ds;

	ck_assert_int_eq(dlgs_alloc(&b.ds, b.sip, NULL, NULL), 0);
	mem_deref(ds);
	end_connect(&a, &b.laddr, body("hello"));
	WAIT(a.closec);
	ck_assert_uint_eq(a.scode, 403);
}
END_TEST


START_TEST(an_invite_has_one_final_answer)
{
	end_connect(&a, &b.laddr, body("hello"));
	WAIT(b.dlg);
	ck_assert_int_eq(dlg_answer(b.dlg, 200, "OK", body("x")), 0);
	ck_assert_int_eq(dlg_answer(b.dlg, 200, "OK", body("x")), EINVAL);
	ck_assert_int_eq(dlg_reject(b.dlg, 500, "No", NULL), EINVAL);
	WAIT(b.estabc);
}
END_TEST


START_TEST(caller_cancels)
{
	end_connect(&a, &b.laddr, body("hello"));
	WAIT(b.dlg);
	clock_turn(150);
	WAIT(seen_count(&a, false, "SIP/2.0 100"));
	end_drop(&a);
	WAIT(b.closec && !dlgs_count(a.ds) && !dlgs_count(b.ds));
	ck_assert_int_eq(b.err, ECONNABORTED);
	ck_assert_uint_eq(seen_count(&a, false, "SIP/2.0 487"), 1);
	ck_assert_uint_eq(seen_count(&a, true, "BYE "), 0);
}
END_TEST


START_TEST(early_callee_drops)
{
	end_connect(&a, &b.laddr, body("hello"));
	WAIT(b.dlg);
	end_drop(&b);
	ck_assert_uint_eq(dlgs_count(b.ds), 0);
	WAIT(a.closec);
	ck_assert_uint_eq(a.scode, 480);
}
END_TEST


START_TEST(early_callee_hangs_up_and_keeps_its_reference)
{
	end_connect(&a, &b.laddr, body("hello"));
	WAIT(b.dlg);
	dlg_bye(b.dlg, NULL);
	ck_assert_ptr_null(dlg_arg(b.dlg));
	WAIT(a.closec);
	ck_assert_uint_eq(a.scode, 480);
	ck_assert_int_eq(dlg_answer(b.dlg, 200, "OK", body("x")), EINVAL);
	ck_assert_uint_eq(dlgs_count(b.ds), 1);
}
END_TEST


START_TEST(early_caller_drops_before_any_response)
{
	end_connect(&a, &b.laddr, body("hello"));
	end_drop(&a);
	ck_assert_uint_eq(dlgs_count(a.ds), 1);
	WAIT(b.closec && !dlgs_count(a.ds));
	ck_assert_int_eq(b.err, ECONNABORTED);
}
END_TEST


START_TEST(callee_drops_before_the_ack)
{
	end_connect(&a, &b.laddr, body("hello"));
	WAIT(b.dlg);
	ck_assert_int_eq(dlg_answer(b.dlg, 200, "OK", body("x")), 0);
	end_drop(&b);
	/* RFC 3261 section 15: no BYE before the ACK */
	ck_assert_uint_eq(seen_count(&b, true, "BYE "), 0);
	WAIT(a.closec && !dlgs_count(b.ds));
	ck_assert_uint_eq(a.estabc, 1);
	ck_assert_uint_eq(b.estabc, 0);
}
END_TEST


START_TEST(reason_survives_the_wait_for_the_ack)
{
	end_connect(&a, &b.laddr, body("hello"));
	WAIT(b.dlg);
	ck_assert_int_eq(dlg_answer(b.dlg, 200, "OK", body("x")), 0);
	dlg_bye(b.dlg, "SIP;cause=600");
	WAIT(a.closec);
	ck_assert_ptr_nonnull(strstr(seen_text(&a, false, "BYE ", 0),
				     "\r\nReason: SIP;cause=600\r\n"));
}
END_TEST


START_TEST(nobody_listens)
{
	struct sa dead;

	sa_set_str(&dead, "127.0.0.1", 9);
	end_connect(&a, &dead, body("hello"));
	WAIT(a.closec);
	ck_assert_int_ne(a.err, 0);
	ck_assert_uint_eq(dlgs_count(a.ds), 0);
}
END_TEST


/* ---- delayed offer -------------------------------------------------------- */

static void answer_in_ack(struct dlg *dlg, const struct sip_msg *msg,
			  void *arg)
{
	struct end *e = arg;

	++e->answerc;
	body_get(e->theirs, sizeof(e->theirs), msg);
	ck_assert_int_eq(dlg_answer_ack(dlg, body("answer")), 0);
	/* may not overtake the ACK */
	ck_assert_int_eq(dlg_answer_ack(dlg, body("twice")), EINVAL);
	loop_poke();
}


START_TEST(delayed_offer_is_answered_in_the_ack)
{
	a.h.answerh = answer_in_ack;
	end_connect(&a, &b.laddr, NULL);
	WAIT(b.dlg);
	ck_assert_str_eq(b.theirs, "");
	ck_assert_int_eq(dlg_answer(b.dlg, 200, "OK", body("offer")), 0);
	WAIT(a.estabc && b.estabc);
	ck_assert_str_eq(a.theirs, "offer");
	ck_assert_str_eq(b.theirs, "answer");
	ck_assert_uint_eq(b.answerc, 1);
	ck_assert_uint_eq(seen_count(&a, true, "ACK "), 1);
}
END_TEST


static void offer_before_answer(struct dlg *dlg, const struct sip_msg *msg,
				void *arg)
{
	ck_assert_int_eq(dlg_offer(dlg, DLG_REINVITE, end_make_offer), 0);
	answer_in_ack(dlg, msg, arg);
	a.h.answerh = NULL;
}


START_TEST(re_offer_does_not_overtake_the_ack)
{
	a.h.answerh = offer_before_answer;
	end_connect(&a, &b.laddr, NULL);
	WAIT(b.dlg);
	ck_assert_int_eq(dlg_answer(b.dlg, 200, "OK", body("offer")), 0);
	WAIT(b.offerc);
	ck_assert_uint_eq(b.answerc, 1);
	ck_assert_uint_eq(b.estabc, 1);
	ck_assert_str_eq(b.theirs, "a1");
	ck_assert_uint_eq(seen_count(&b, false, "INVITE "), 2);
}
END_TEST


static void drop_at_answer(struct dlg *dlg, const struct sip_msg *msg,
			   void *arg)
{
	struct end *e = arg;
	(void)dlg;
	(void)msg;

	++e->answerc;
	end_drop(e);
	loop_poke();
}


START_TEST(unwanted_delayed_offer_is_acked_before_the_bye)
{
	a.h.answerh = drop_at_answer;
	end_connect(&a, &b.laddr, NULL);
	WAIT(b.dlg);
	ck_assert_int_eq(dlg_answer(b.dlg, 200, "OK", body("offer")), 0);
	WAIT(b.closec && !dlgs_count(a.ds));
	ck_assert_uint_eq(b.estabc, 1);
	ck_assert_uint_eq(a.estabc, 0);
}
END_TEST


/* ---- re-offers ------------------------------------------------------------ */

static struct end *const endv[] = { &a, &b };
static const enum dlg_via viav[] = { DLG_AUTO, DLG_REINVITE, DLG_UPDATE };

START_TEST(re_offer_in_every_way)
{
	struct end *e = endv[_i % 2], *other = endv[!(_i % 2)];
	enum dlg_via via = viav[_i / 2];
	char want[64];

	call_up();
	e->answerc = 0;
	ck_assert_int_eq(end_offer(e, via), 0);
	WAIT(e->answerc);
	ck_assert_uint_eq(other->offerc, 1);
	(void)re_snprintf(want, sizeof(want), "%s1", e->name);
	ck_assert_str_eq(other->theirs, want);
	(void)re_snprintf(want, sizeof(want), "%s to %s1", other->name,
			  e->name);
	ck_assert_str_eq(e->theirs, want);
	ck_assert_uint_eq(seen_count(e, true, "UPDATE "),
			  via != DLG_REINVITE);

	/* and once more, to see that nothing is left pending */
	ck_assert_int_eq(end_offer(e, via), 0);
	WAIT(e->answerc == 2);
	ck_assert_int_eq(end_offer(other, via), 0);
	WAIT(e->offerc == 1);
}
END_TEST


START_TEST(auto_is_an_invite_if_the_peer_does_not_allow_update)
{
	b.hdrs = "Allow: INVITE, ACK, BYE\r\n";
	call_up();
	(void)end_offer(&a, DLG_AUTO);
	WAIT(a.answerc == 2);
	ck_assert_uint_eq(seen_count(&a, true, "UPDATE "), 0);
}
END_TEST


START_TEST(wishes_while_one_is_pending_become_one_offer)
{
	call_up();
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(end_offer(&a, DLG_REINVITE), 0);
	ck_assert_uint_eq(a.madec, 1);
	WAIT(a.answerc == 3);
	ck_assert_uint_eq(a.madec, 2);
	ck_assert_uint_eq(b.offerc, 2);
	ck_assert_str_eq(b.theirs, "a2");
}
END_TEST


START_TEST(wish_before_the_call_is_up_waits)
{
	end_connect(&a, &b.laddr, body("hello"));
	ck_assert_int_eq(end_offer(&a, DLG_UPDATE), 0);
	WAIT(b.dlg);
	ck_assert_int_eq(end_offer(&b, DLG_REINVITE), 0);
	ck_assert_uint_eq(a.madec + b.madec, 0);
	ck_assert_int_eq(dlg_answer(b.dlg, 200, "OK", body("x")), 0);
	ck_assert_uint_eq(b.madec, 0);
	WAIT(a.estabc && b.estabc);
	/* they cross: the callee tries again first, then the caller */
	WAIT(a.madec && b.madec);
	clock_turn(2090);
	WAIT(b.answerc);
	clock_turn(2500);
	WAIT(a.answerc == 2);
	ck_assert_uint_eq(a.failc + b.failc, 0);
}
END_TEST


static struct mbuf *make_nothing(struct dlg *dlg, void *arg)
{
	struct end *e = arg;
	(void)dlg;

	++e->madec;
	loop_poke();

	return NULL;
}


START_TEST(nothing_to_offer_any_more)
{
	call_up();
	ck_assert_int_eq(dlg_offer(a.dlg, DLG_AUTO, make_nothing), 0);
	ck_assert_uint_eq(a.madec, 1);
	(void)end_offer(&a, DLG_AUTO);
	WAIT(a.answerc == 2);
	ck_assert_uint_eq(b.offerc, 1);
}
END_TEST


static void refuse_offer(struct dlg *dlg, const struct sip_msg *msg,
			 void *arg)
{
	struct end *e = arg;
	(void)msg;

	++e->offerc;
	ck_assert_int_eq(dlg_reject(dlg, 488, "Not Acceptable Here",
				    "Warning: 304 x \"y\"\r\n"), 0);
	loop_poke();
}


START_TEST(refused_re_offer_leaves_the_session_as_it_was)
{
	b.h.offerh = refuse_offer;
	call_up();
	(void)end_offer(&a, viav[_i]);
	WAIT(a.failc);
	ck_assert_uint_eq(a.scode, 488);
	ck_assert_int_eq(a.err, 0);
	ck_assert(dlg_established(a.dlg) && dlg_established(b.dlg));
	(void)end_offer(&b, viav[_i]);
	WAIT(b.answerc);
}
END_TEST


START_TEST(nobody_who_takes_offers)
{
	b.h.offerh = NULL;
	call_up();
	(void)end_offer(&a, DLG_AUTO);
	WAIT(a.failc);
	ck_assert_uint_eq(a.scode, 488);
}
END_TEST


/** The answer comes later, from the test */
static void offer_later(struct dlg *dlg, const struct sip_msg *msg, void *arg)
{
	struct end *e = arg;
	(void)dlg;

	++e->offerc;
	body_get(e->theirs, sizeof(e->theirs), msg);
	loop_poke();
}


START_TEST(wish_of_the_answerer_comes_after_its_answer)
{
	b.h.offerh = offer_later;
	call_up();
	(void)end_offer(&a, viav[_i]);
	WAIT(b.offerc);
	(void)end_offer(&b, viav[_i]);
	ck_assert_uint_eq(b.madec, 0);
	ck_assert_int_eq(dlg_answer(b.dlg, 200, "OK", body("late")), 0);
	/* not from within dlg_answer(): its caller has not committed yet */
	ck_assert_uint_eq(b.madec, 0);
	WAIT(b.answerc);
	ck_assert_uint_eq(a.answerc, 2);
	ck_assert_uint_eq(a.failc + b.failc, 0);
	ck_assert_uint_eq(seen_count(&a, true, "SIP/2.0 491"), 0);
}
END_TEST


START_TEST(glare_ends_agreed)
{
	enum dlg_via via = viav[_i];

	call_up();
	(void)end_offer(&a, via);
	(void)end_offer(&b, via);
	WAIT(seen_count(&a, false, "SIP/2.0 491") &&
	     seen_count(&b, false, "SIP/2.0 491"));
	ck_assert_uint_eq(a.offerc + b.offerc, 0);

	/* RFC 3261 section 14.1: the callee within 2 s, the caller later */
	clock_turn(2001);
	WAIT(b.answerc == 1);
	ck_assert_uint_eq(a.madec, 1);
	ck_assert_str_eq(a.theirs, "b2");
	clock_turn(2001);
	WAIT(a.answerc == 2);
	ck_assert_str_eq(b.theirs, "a2");
	ck_assert_str_eq(a.theirs, "b to a2");
	ck_assert_uint_eq(a.failc + b.failc, 0);
}
END_TEST


/* ---- dropped in every state and every handler ------------------------------ */

START_TEST(caller_drops_with_a_re_offer_pending)
{
	b.h.offerh = offer_later;
	call_up();
	(void)end_offer(&a, viav[_i]);
	WAIT(b.offerc);
	end_drop(&a);
	WAIT(b.closec && !dlgs_count(a.ds) && !dlgs_count(b.ds));
}
END_TEST


START_TEST(callee_drops_with_the_peers_re_offer_pending)
{
	b.h.offerh = offer_later;
	call_up();
	(void)end_offer(&a, viav[_i]);
	WAIT(b.offerc);
	end_drop(&b);
	WAIT(a.closec && !dlgs_count(a.ds) && !dlgs_count(b.ds));
	ck_assert_uint_eq(seen_count(&b, true, "SIP/2.0 487"), 1);
	ck_assert_uint_eq(a.answerc, 1);
}
END_TEST


START_TEST(drop_before_the_ack_of_a_re_invite)
{
	b.h.offerh = offer_later;
	call_up();
	(void)end_offer(&a, DLG_REINVITE);
	WAIT(b.offerc);
	ck_assert_int_eq(dlg_answer(b.dlg, 200, "OK", body("x")), 0);
	end_drop(&b);
	WAIT(a.closec && !dlgs_count(b.ds));
	ck_assert_uint_eq(seen_count(&b, false, "ACK "), 2);
}
END_TEST


START_TEST(drop_while_a_retry_waits)
{
	unsigned made;

	call_up();
	(void)end_offer(&a, DLG_REINVITE);
	(void)end_offer(&b, DLG_REINVITE);
	WAIT(seen_count(&a, false, "SIP/2.0 491") &&
	     seen_count(&b, false, "SIP/2.0 491"));
	end_drop(&a);
	WAIT(b.closec && !dlgs_count(a.ds) && !dlgs_count(b.ds));
	/* b's may have come at once, from 0 s on; a's could not, from 2.1 s on:
	 * RFC 3261 section 14.1 */
	made = b.madec;
	clock_turn(5000);
	ck_assert_uint_eq(a.madec, 1);
	ck_assert_uint_eq(b.madec, made);
}
END_TEST


static void drop_msg(struct dlg *dlg, const struct sip_msg *msg, void *arg)
{
	struct end *e = arg;
	(void)msg;

	/* a second call would mean that arg is used after it may be freed */
	ck_assert_ptr_eq(dlg, e->dlg);
	end_drop(e);
	loop_poke();
}


static void drop_fail(struct dlg *dlg, int err, uint16_t scode, void *arg)
{
	(void)err;
	(void)scode;
	drop_msg(dlg, NULL, arg);
}


static struct mbuf *drop_make(struct dlg *dlg, void *arg)
{
	drop_msg(dlg, NULL, arg);

	return body("too late");
}


static bool drop_req(struct dlg *dlg, const struct sip_msg *msg, void *arg)
{
	(void)sip_treply(NULL, b.sip, msg, 200, "OK");
	drop_msg(dlg, msg, arg);

	return true;
}


/** Without looking at bodies: some handler is not the usual one */
static void call_up_quietly(void)
{
	end_connect(&a, &b.laddr, body("hello"));
	WAIT(b.dlg);
	ck_assert_int_eq(dlg_answer(b.dlg, 200, "OK", body("welcome")), 0);
	WAIT(a.estabc && b.estabc);
}


static void all_gone(void)
{
	WAIT((a.closec || b.closec) && !dlgs_count(a.ds) &&
	     !dlgs_count(b.ds));
}


START_TEST(drop_in_answerh_calls_no_estabh)
{
	a.h.answerh = drop_msg;
	end_connect(&a, &b.laddr, body("hello"));
	WAIT(b.dlg);
	(void)dlg_answer(b.dlg, 200, "OK", body("x"));
	all_gone();
	ck_assert_uint_eq(a.estabc, 0);
}
END_TEST


START_TEST(drop_in_answerh_of_the_ack_calls_no_estabh)
{
	a.h.answerh = answer_in_ack;
	b.h.answerh = drop_msg;
	end_connect(&a, &b.laddr, NULL);
	WAIT(b.dlg);
	(void)end_offer(&b, DLG_REINVITE);
	(void)dlg_answer(b.dlg, 200, "OK", body("x"));
	all_gone();
	ck_assert_uint_eq(b.estabc, 0);
	ck_assert_uint_eq(b.madec, 0);
}
END_TEST


START_TEST(drop_in_estabh)
{
	struct end *e = endv[_i];

	e->h.estabh = drop_msg;
	end_connect(&a, &b.laddr, body("hello"));
	(void)end_offer(&a, DLG_AUTO);
	WAIT(b.dlg);
	(void)end_offer(&b, DLG_AUTO);
	(void)dlg_answer(b.dlg, 200, "OK", body("x"));
	all_gone();
	ck_assert_uint_eq(e->madec, 0);
}
END_TEST


START_TEST(drop_in_offerh)
{
	b.h.offerh = drop_msg;
	call_up();
	(void)end_offer(&a, viav[_i]);
	all_gone();
}
END_TEST


static void drop_second(struct dlg *dlg, const struct sip_msg *msg, void *arg)
{
	struct end *e = arg;

	if (++e->answerc == 2)
		drop_msg(dlg, msg, arg);
}


START_TEST(drop_in_answerh_of_a_re_offer)
{
	a.h.answerh = drop_second;
	call_up_quietly();
	(void)end_offer(&a, viav[_i]);
	(void)end_offer(&a, viav[_i]);
	all_gone();
	ck_assert_uint_eq(a.madec, 1);
}
END_TEST


START_TEST(drop_in_offer_failh)
{
	a.h.offer_failh = drop_fail;
	b.h.offerh = refuse_offer;
	call_up();
	(void)end_offer(&a, viav[_i]);
	/* another wish is waiting, and must not be asked for */
	(void)end_offer(&a, viav[_i]);
	WAIT(b.closec && !dlgs_count(a.ds) && !dlgs_count(b.ds));
	ck_assert_uint_eq(a.madec, 1);
}
END_TEST


START_TEST(drop_while_making_the_offer)
{
	call_up();
	ck_assert_int_eq(dlg_offer(a.dlg, DLG_AUTO, drop_make), 0);
	all_gone();
	ck_assert_uint_eq(b.offerc, 0);
}
END_TEST


START_TEST(drop_while_making_the_offer_again)
{
	call_up();
	ck_assert_int_eq(end_offer(&a, DLG_REINVITE), 0);
	/* in its turn, from a response, not from dlg_offer() */
	ck_assert_int_eq(dlg_offer(a.dlg, DLG_AUTO, drop_make), 0);
	all_gone();
	ck_assert_uint_eq(b.offerc, 1);
}
END_TEST


static unsigned other_resp;

static void other_resp_handler(int err, const struct sip_msg *msg, void *arg)
{
	(void)arg;
	other_resp = err ? 1 : msg->scode;
	loop_poke();
}


START_TEST(drop_in_reqh)
{
	b.h.reqh = drop_req;
	call_up();
	other_resp = 0;
	ck_assert_int_eq(dlg_request(a.dlg, "INFO", other_resp_handler, NULL,
				     "Content-Length: 0\r\n\r\n"), 0);
	all_gone();
	ck_assert_uint_eq(other_resp, 200);
}
END_TEST


/* ---- the rest -------------------------------------------------------------- */

START_TEST(request_that_nobody_wants_is_refused)
{
	call_up();
	other_resp = 0;
	ck_assert_int_eq(dlg_request(b.dlg, "INFO", other_resp_handler, NULL,
				     "Content-Length: 0\r\n\r\n"), 0);
	WAIT(other_resp);
	ck_assert_uint_eq(other_resp, 405);
	other_resp = 0;
	ck_assert_int_eq(dlg_request(b.dlg, "REFER", other_resp_handler, NULL,
				     "Content-Length: 0\r\n\r\n"), 0);
	WAIT(other_resp);
	ck_assert_uint_eq(other_resp, 501);
}
END_TEST


START_TEST(request_to_a_peer_not_known_yet)
{
	end_connect(&a, &b.laddr, body("hello"));
	ck_assert_int_eq(dlg_request(a.dlg, "INFO", other_resp_handler, NULL,
				     "Content-Length: 0\r\n\r\n"), EINVAL);
}
END_TEST


START_TEST(bad_arguments_are_refused_and_bodies_dropped)
{
	struct dlg *dlg = NULL;
	struct dlgs *ds = NULL;
	struct dlg_invite inv = { .from = "sip:x@y", .contact = "<sip:x>" };

	ck_assert_int_eq(dlgs_alloc(&ds, NULL, NULL, NULL), EINVAL);
	inv.body = body("x");
	ck_assert_int_eq(dlg_invite(&dlg, a.ds, &inv, &a.h, &a), EINVAL);
	inv.uri = "no uri";
	inv.body = body("x");
	ck_assert_int_ne(dlg_invite(&dlg, a.ds, &inv, &a.h, &a), 0);
	ck_assert_ptr_null(dlg);
	ck_assert_uint_eq(dlgs_count(a.ds), 0);
	ck_assert_int_eq(dlg_answer(NULL, 200, "OK", body("x")), EINVAL);
	ck_assert_int_eq(dlg_answer_ack(NULL, body("x")), EINVAL);
	ck_assert_int_eq(dlg_offer(NULL, DLG_AUTO, end_make_offer), EINVAL);
	ck_assert_int_eq(dlg_reject(NULL, 400, "x", NULL), EINVAL);
	ck_assert(!dlgs_request(NULL, NULL));
	dlg_bye(NULL, NULL);
}
END_TEST


static void add_calls(TCase *tc)
{
	tcase_add_test(tc, caller_hangs_up);
	tcase_add_test(tc, callee_hangs_up);
	tcase_add_test(tc, bye_of_both_sides_crosses);
	tcase_add_test(tc, reason_is_told_and_closeh_is_not_called);
	tcase_add_test(tc, everything_goes_on_the_callers_connection);
	tcase_add_test(tc, refusal_ends_the_call_for_both);
	tcase_add_test(tc, without_an_invite_handler_calls_are_forbidden);
	tcase_add_test(tc, an_invite_has_one_final_answer);
	tcase_add_test(tc, caller_cancels);
	tcase_add_test(tc, early_callee_drops);
	tcase_add_test(tc, early_callee_hangs_up_and_keeps_its_reference);
	tcase_add_test(tc, early_caller_drops_before_any_response);
	tcase_add_test(tc, callee_drops_before_the_ack);
	tcase_add_test(tc, reason_survives_the_wait_for_the_ack);
	tcase_add_test(tc, nobody_listens);
}


static void add_offers(TCase *tc)
{
	tcase_add_test(tc, delayed_offer_is_answered_in_the_ack);
	tcase_add_test(tc, re_offer_does_not_overtake_the_ack);
	tcase_add_test(tc, unwanted_delayed_offer_is_acked_before_the_bye);
	tcase_add_loop_test(tc, re_offer_in_every_way, 0, 6);
	tcase_add_test(tc, auto_is_an_invite_if_the_peer_does_not_allow_update);
	tcase_add_test(tc, wishes_while_one_is_pending_become_one_offer);
	tcase_add_test(tc, wish_before_the_call_is_up_waits);
	tcase_add_test(tc, nothing_to_offer_any_more);
	tcase_add_loop_test(tc, refused_re_offer_leaves_the_session_as_it_was,
			    0, 3);
	tcase_add_test(tc, nobody_who_takes_offers);
	tcase_add_loop_test(tc, wish_of_the_answerer_comes_after_its_answer,
			    0, 3);
	tcase_add_loop_test(tc, glare_ends_agreed, 0, 3);
}


static void add_drops(TCase *tc)
{
	tcase_add_loop_test(tc, caller_drops_with_a_re_offer_pending, 0, 3);
	tcase_add_loop_test(tc, callee_drops_with_the_peers_re_offer_pending,
			    0, 3);
	tcase_add_test(tc, drop_before_the_ack_of_a_re_invite);
	tcase_add_test(tc, drop_while_a_retry_waits);
	tcase_add_test(tc, drop_in_answerh_calls_no_estabh);
	tcase_add_test(tc, drop_in_answerh_of_the_ack_calls_no_estabh);
	tcase_add_loop_test(tc, drop_in_estabh, 0, 2);
	tcase_add_loop_test(tc, drop_in_offerh, 0, 3);
	tcase_add_loop_test(tc, drop_in_answerh_of_a_re_offer, 0, 3);
	tcase_add_loop_test(tc, drop_in_offer_failh, 0, 3);
	tcase_add_test(tc, drop_while_making_the_offer);
	tcase_add_test(tc, drop_while_making_the_offer_again);
	tcase_add_test(tc, drop_in_reqh);
	tcase_add_test(tc, request_that_nobody_wants_is_refused);
	tcase_add_test(tc, request_to_a_peer_not_known_yet);
	tcase_add_test(tc, bad_arguments_are_refused_and_bodies_dropped);
}


int main(void)
{
	Suite *s = suite_create("dialog: two ends");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, ends_setup, ends_teardown);
	tcase_set_timeout(tc, 30);
	add_calls(tc);
	add_offers(tc);
	add_drops(tc);
	suite_add_tcase(s, tc);

	return check_run(s);
}
