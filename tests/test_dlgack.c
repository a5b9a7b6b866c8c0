/**
 * @file test_dlgack.c  2xx and ACK, lost and repeated: RFC 3261 sections 13.2.2.4
 *                     and 13.3.1.4
 *
 * Time is turned forward, not waited for.
 */
#include "dlg_help.h"


START_TEST(unacked_2xx_is_repeated_then_the_call_ends)
{
	struct sip_msg *first = peer_calls_unacked(), *msg;
	unsigned again = 0;
	uint64_t t = 0, step = T1;

	/* RFC 3261 section 13.3.1.4: T1, doubled up to T2 */
	while (t + step < TIMER_H) {
		ck_assert(peer_quiet());
		clock_turn(step);
		t += step;
		step = MIN(2 * step, (uint64_t)T2);
		msg = peer_expect("200 INVITE");
		ck_assert_uint_eq(mbuf_get_left(msg->mb),
				  mbuf_get_left(first->mb));
		ck_assert(!pl_cmp(&msg->to.tag, &first->to.tag));
		++again;
	}
	ck_assert_uint_eq(again, 10);

	clock_turn(TIMER_H - t);
	msg = peer_expect("BYE");
	ck_assert(hdr_is(msg, SIP_HDR_REASON,
			  "SIP;cause=408;text=\"No ACK\""));
	ck_assert_uint_eq(a.closec, 1);
	ck_assert_int_eq(a.err, ETIMEDOUT);
	ck_assert_uint_eq(a.estabc, 0);
	peer_reply(msg, 200, "OK", NULL, NULL);
	WAIT(!dlgs_count(a.ds));
}
END_TEST


START_TEST(late_ack_stops_the_repetition)
{
	peer_calls_unacked();
	clock_turn(T1);
	peer_expect("200 INVITE");
	/* one for another request is none */
	peer_request_at("ACK", 77, NULL, NULL);
	clock_turn(2 * T1);
	peer_expect("200 INVITE");
	peer_request("ACK", NULL, NULL);
	WAIT(a.estabc);
	clock_turn(TIMER_H);
	peer_request("ACK", NULL, NULL);
	peer_request("OPTIONS", NULL, NULL);
	peer_expect("501 OPTIONS");
	ck_assert_uint_eq(a.estabc, 1);
	ck_assert(dlg_established(a.dlg));
}
END_TEST


/** It hears and speaks all the while: nothing that it asks for buys time */
static void asks_until_the_end(const char *offer)
{
	uint64_t t = 0;

	for (; t + 5000 < TIMER_H; t += 5000) {
		peer_request("INVITE", PEER_CONTACT, offer);
		peer_expect("491 INVITE");
		peer_request("ACK", NULL, NULL);
		peer_request("UPDATE", PEER_CONTACT, "more");
		peer_expect("200 UPDATE");
		clock_turn(5000);
		peer_expect("200 INVITE");
	}
	ck_assert_uint_eq(a.closec, 0);
	clock_turn(TIMER_H - t);
	WAIT(a.closec);
	ck_assert_int_eq(a.err, ETIMEDOUT);
	peer_reply(peer_expect("BYE"), 200, "OK", NULL, NULL);
	WAIT(!dlgs_count(a.ds));
}


START_TEST(who_never_acks_gets_no_more_time_by_asking_again)
{
	peer_calls_unacked();
	asks_until_the_end(_i ? NULL : "again");
	ck_assert_uint_eq(a.estabc, 0);
}
END_TEST


START_TEST(who_does_not_ack_a_re_invite_gets_no_more_time_either)
{
	peer_calls(NULL);
	peer_request("INVITE", PEER_CONTACT, "once");
	peer_expect("200 INVITE");
	asks_until_the_end(_i ? NULL : "again");
	ck_assert_uint_eq(a.estabc, 1);
}
END_TEST


/** RFC 5407 section 3.1.4: over UDP that happens to decent phones */
START_TEST(re_invite_after_a_lost_ack_is_put_off)
{
	uint32_t cseq;

	peer_calls_unacked();
	cseq = peer.cseq;
	peer_request("INVITE", PEER_CONTACT, "hold");
	peer_expect("491 INVITE");
	peer_request("ACK", NULL, NULL);
	ck_assert_uint_eq(a.estabc, 0);
	clock_turn(T1);
	peer_expect("200 INVITE");
	peer_request_at("ACK", cseq, NULL, NULL);
	WAIT(a.estabc);
	peer_request("INVITE", PEER_CONTACT, "hold");
	peer_expect("200 INVITE");
	peer_request("ACK", NULL, NULL);
	ck_assert_str_eq(a.theirs, "hold");
	clock_turn(TIMER_H);
	peer_request("INFO", NULL, NULL);
	peer_expect("405 INFO");
	ck_assert(dlg_established(a.dlg));
}
END_TEST


START_TEST(dropped_call_without_ack_ends_with_bye_in_the_end)
{
	struct sip_msg *msg;

	peer_calls_unacked();
	dlg_bye(a.dlg, "SIP;cause=480");
	end_drop(&a);
	clock_turn(T1);
	peer_expect("200 INVITE");
	clock_turn(TIMER_H);
	msg = peer_expect("200 INVITE");
	msg = peer_expect("BYE");
	ck_assert(hdr_is(msg, SIP_HDR_REASON, "SIP;cause=480"));
	ck_assert_uint_eq(dlgs_count(a.ds), 1);
	peer_reply(msg, 481, "Gone", NULL, NULL);
	WAIT(!dlgs_count(a.ds));
	ck_assert_uint_eq(a.closec, 0);
}
END_TEST


START_TEST(bye_instead_of_the_ack)
{
	peer_calls_unacked();
	if (_i)
		end_drop(&a);
	peer_request("BYE", NULL, NULL);
	peer_expect("200 BYE");
	WAIT(!dlgs_count(a.ds));
	ck_assert_uint_eq(a.closec, !_i);
	clock_turn(TIMER_H);
}
END_TEST


START_TEST(repeated_2xx_gets_an_ack_each_time)
{
	struct sip_msg *inv, *ack;

	end_connect(&a, &peer.laddr, body("hello"));
	inv = peer_expect("INVITE");
	peer_reply(inv, 200, "OK", PEER_CONTACT, "welcome");
	ack = peer_expect("ACK");
	ck_assert_uint_eq(ack->cseq.num, inv->cseq.num);
	for (int i = 0; i < 3; i++) {
		peer_reply(inv, 200, "OK", PEER_CONTACT, "welcome");
		ack = peer_expect("ACK");
		ck_assert_uint_eq(ack->cseq.num, inv->cseq.num);
	}
	ck_assert_uint_eq(a.estabc, 1);
	ck_assert_uint_eq(a.answerc, 1);
}
END_TEST


static void answer_in_ack(struct dlg *dlg, const struct sip_msg *msg,
			  void *arg)
{
	struct end *e = arg;
	(void)msg;

	if (!e->answerc++)
		ck_assert_int_eq(dlg_answer_ack(dlg, body("my answer")), 0);
	loop_poke();
}


/** The ACK is repeated as it was, also when newer requests went out since */
START_TEST(repeated_ack_carries_the_answer_again)
{
	struct sip_msg *inv, *ack, *upd;
	char buf[32];

	a.h.answerh = answer_in_ack;
	end_connect(&a, &peer.laddr, NULL);
	inv = peer_expect("INVITE");
	ck_assert_uint_eq(mbuf_get_left(inv->mb), 0);
	peer_reply(inv, 200, "OK", "Allow: UPDATE\r\n"
		   "Contact: <sip:peer@127.0.0.1:9;transport=tcp>\r\n",
		   "offer");
	ack = peer_expect("ACK");
	body_get(buf, sizeof(buf), ack);
	ck_assert_str_eq(buf, "my answer");

	(void)end_offer(&a, DLG_UPDATE);
	upd = peer_expect("UPDATE");
	peer_reply(inv, 200, "OK", PEER_CONTACT, "offer");
	ack = peer_expect("ACK");
	body_get(buf, sizeof(buf), ack);
	ck_assert_str_eq(buf, "my answer");
	ck_assert_uint_eq(ack->cseq.num, inv->cseq.num);
	peer_reply(upd, 200, "OK", NULL, "x");
	WAIT(a.answerc == 2);

	/* after a re-INVITE the old one is history */
	(void)end_offer(&a, DLG_REINVITE);
	upd = peer_expect("INVITE");
	peer_reply(upd, 200, "OK", NULL, "x");
	ack = peer_expect("ACK");
	ck_assert_uint_eq(mbuf_get_left(ack->mb), 0);
	ck_assert_uint_eq(ack->cseq.num, upd->cseq.num);
}
END_TEST


static void tests(TCase *tc)
{
	tcase_add_test(tc, unacked_2xx_is_repeated_then_the_call_ends);
	tcase_add_test(tc, late_ack_stops_the_repetition);
	tcase_add_loop_test(tc, who_never_acks_gets_no_more_time_by_asking_again,
			    0, 2);
	tcase_add_loop_test(tc,
			    who_does_not_ack_a_re_invite_gets_no_more_time_either,
			    0, 2);
	tcase_add_test(tc, re_invite_after_a_lost_ack_is_put_off);
	tcase_add_test(tc, dropped_call_without_ack_ends_with_bye_in_the_end);
	tcase_add_loop_test(tc, bye_instead_of_the_ack, 0, 2);
	tcase_add_test(tc, repeated_2xx_gets_an_ack_each_time);
	tcase_add_test(tc, repeated_ack_carries_the_answer_again);
}


int main(void)
{
	return peer_run("dialog: 2xx and ACK", tests);
}
