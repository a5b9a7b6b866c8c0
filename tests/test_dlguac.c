/**
 * @file test_dlguac.c  A call of ours: CANCEL, useless 2xx, branches of a fork
 *
 * Refs: RFC 3261 sections 9.1, 13.2.2.4 and 13.3.1.1
 */
#include "dlg_help.h"


START_TEST(cancel_waits_for_a_provisional_response)
{
	struct sip_msg *inv, *can;

	end_connect(&a, &peer.laddr, body("hello"));
	inv = peer_expect("INVITE");
	end_drop(&a);
	ck_assert(peer_quiet());
	peer_reply(inv, 180, "Ringing", NULL, NULL);
	can = peer_expect("CANCEL");
	ck_assert(!pl_cmp(&can->via.branch, &inv->via.branch));
	peer_reply(can, 200, "OK", NULL, NULL);
	peer_reply(inv, 487, "Terminated", NULL, NULL);
	peer_expect("ACK");
	WAIT(!dlgs_count(a.ds));
	ck_assert_uint_eq(a.closec + a.progrc, 0);
}
END_TEST


START_TEST(cancel_that_comes_too_late)
{
	struct sip_msg *inv, *msg;

	end_connect(&a, &peer.laddr, _i ? NULL : body("hello"));
	inv = peer_expect("INVITE");
	dlg_bye(a.dlg, "SIP;cause=487");
	end_drop(&a);
	peer_reply(inv, 200, "OK", PEER_CONTACT, "x");
	msg = peer_expect("ACK");
	ck_assert_uint_eq(msg->cseq.num, inv->cseq.num);
	msg = peer_expect("BYE");
	ck_assert(hdr_is(msg, SIP_HDR_REASON, "SIP;cause=487"));
	peer_reply(msg, 200, "OK", NULL, NULL);
	WAIT(!dlgs_count(a.ds));
	ck_assert_uint_eq(a.answerc + a.estabc + a.closec, 0);
}
END_TEST


START_TEST(dropped_call_that_is_never_answered)
{
	end_connect(&a, &peer.laddr, body("hello"));
	peer_expect("INVITE");
	end_drop(&a);
	ck_assert_uint_eq(dlgs_count(a.ds), 1);
	clock_turn(TIMER_H + 1);
	WAIT(!dlgs_count(a.ds));
}
END_TEST


START_TEST(useless_2xx_is_acked_and_hung_up)
{
	struct sip_msg *inv, *msg;

	end_connect(&a, &peer.laddr, body("hello"));
	inv = peer_expect("INVITE");
	peer_reply(inv, 200, "OK", NULL, "no contact");
	peer_expect("ACK");
	msg = peer_expect("BYE");
	peer_reply(msg, 200, "OK", NULL, NULL);
	WAIT(a.closec && !dlgs_count(a.ds));
	ck_assert_int_eq(a.err, EBADMSG);
	ck_assert_uint_eq(a.estabc, 0);
}
END_TEST


static unsigned forkc;

static void fork_handler(struct dlg *dlg, void *arg)
{
	(void)arg;
	ck_assert(dlg_forked(dlg));
	++forkc;
	if (a.keep)
		end_drop(&a);
	loop_poke();
}


/** A proxy sent our INVITE to several phones, and two were picked up */
START_TEST(other_branch_is_acked_and_hung_up)
{
	struct sip_msg *inv, *msg;

	forkc = 0;
	a.h.forkh = fork_handler;
	a.keep = _i;             /* then forkh drops our dialog */
	end_connect(&a, &peer.laddr, body("hello"));
	inv = peer_expect("INVITE");
	peer_reply(inv, 200, "OK", PEER_CONTACT, "x");
	peer_expect("ACK");
	WAIT(a.estabc);
	ck_assert(!dlg_forked(a.dlg));

	peer.tag = "other";
	peer_reply(inv, 200, "OK", PEER_CONTACT, "x");
	msg = peer_expect("ACK");
	ck_assert(!pl_strcmp(&msg->to.tag, "other"));
	ck_assert_uint_eq(msg->cseq.num, inv->cseq.num);
	msg = peer_expect("BYE");
	ck_assert(!pl_strcmp(&msg->to.tag, "other"));
	ck_assert_uint_eq(msg->cseq.num, inv->cseq.num + 1);
	ck_assert_uint_eq(forkc, 1);
	if (_i) {
		msg = peer_expect("BYE");
		ck_assert(!pl_strcmp(&msg->to.tag, "peer"));
		return;
	}

	peer_reply(inv, 200, "OK", PEER_CONTACT, "x");
	peer_expect("ACK");
	peer_reply(msg, 200, "OK", NULL, NULL);
	WAIT(dlgs_count(a.ds) == 1);
	ck_assert_uint_eq(forkc, 1);
	ck_assert(dlg_established(a.dlg));
	ck_assert_str_eq(dlg_remote_tag(a.dlg), "peer");
	ck_assert_uint_eq(a.estabc, 1);
}
END_TEST


/** It has read our offer all the same */
START_TEST(other_branch_that_cannot_be_hung_up_is_noticed)
{
	struct sip_msg *inv;

	forkc = 0;
	a.h.forkh = fork_handler;
	end_connect(&a, &peer.laddr, body("hello"));
	inv = peer_expect("INVITE");
	peer_reply(inv, 200, "OK", PEER_CONTACT, "x");
	peer_expect("ACK");
	peer.tag = "other";
	peer_reply(inv, 200, "OK", NULL, "no contact");
	WAIT(forkc);
	/* said once */
	peer.tag = "third";
	peer_reply(inv, 200, "OK", PEER_CONTACT, "x");
	peer_expect("ACK");
	peer_reply(peer_expect("BYE"), 200, "OK", NULL, NULL);
	WAIT(dlgs_count(a.ds) == 1);
	ck_assert_uint_eq(forkc, 1);
	ck_assert(dlg_established(a.dlg));
}
END_TEST


START_TEST(a_flood_of_2xx_is_bounded)
{
	char tag[16];

	forkc = 0;
	a.h.forkh = fork_handler;
	peer_called(NULL);
	for (unsigned i = 0; i < 20; i++) {
		(void)re_snprintf(tag, sizeof(tag), "t%u", i);
		peer_2xx(tag);
		if (i < 8) {
			peer_expect("ACK");
			peer_expect("BYE");
		}
	}
	peer_settle();
	ck_assert_uint_eq(dlgs_count(a.ds), 1 + 8);
	ck_assert_uint_eq(forkc, 1);
	ck_assert(dlg_established(a.dlg));
}
END_TEST


/** The dialog of a loser is no INVITE that could have branches */
START_TEST(a_loser_has_no_losers)
{
	peer_called(NULL);
	peer_2xx("one");
	peer_expect("ACK");
	peer_expect("BYE");
	peer.msgv[0]->cseq.num = 0;
	peer_2xx("two");
	peer_settle();
	ck_assert_uint_eq(dlgs_count(a.ds), 2);
}
END_TEST


START_TEST(a_2xx_from_elsewhere_is_no_branch)
{
	peer_called(NULL);
	peer_close();
	peer_connect(&a.laddr);
	peer_2xx("stranger");
	peer_settle();
	/* not even when the dialog has moved to there */
	peer_2xx("stranger");
	peer_settle();
	ck_assert(!dlg_forked(a.dlg));
	ck_assert_uint_eq(dlgs_count(a.ds), 1);
}
END_TEST


START_TEST(branch_that_rang_first_and_lost_is_noticed)
{
	struct sip_msg *inv;

	end_connect(&a, &peer.laddr, body("hello"));
	inv = peer_expect("INVITE");
	peer.tag = "other";
	peer_reply(inv, 180, "Ringing", NULL, NULL);
	WAIT(a.progrc);
	ck_assert(!dlg_forked(a.dlg));
	peer.tag = "peer";
	peer_reply(inv, 200, "OK", PEER_CONTACT, "x");
	peer_expect("ACK");
	WAIT(a.estabc);
	ck_assert(dlg_forked(a.dlg));
}
END_TEST


START_TEST(unanswered_call_times_out)
{
	end_connect(&a, &peer.laddr, body("hello"));
	peer_expect("INVITE");
	clock_turn(TIMER_H + 1);
	WAIT(a.closec);
	ck_assert_int_eq(a.err, ETIMEDOUT);
	ck_assert_uint_eq(dlgs_count(a.ds), 0);
}
END_TEST


START_TEST(one_connection_is_enough)
{
	struct sip_msg *msg;

	peer_called("Allow: UPDATE\r\n");
	(void)end_offer(&a, DLG_AUTO);
	msg = peer_expect("UPDATE");
	ck_assert(!pl_strcmp(&msg->ruri,
			     "sip:peer@127.0.0.1:9;transport=tcp"));
	peer_reply(msg, 200, "OK", NULL, "x");
	peer_request("BYE", NULL, NULL);
	peer_expect("200 BYE");
	WAIT(a.closec);
	ck_assert_uint_eq(peer.connc, 1);
}
END_TEST


static void tests(TCase *tc)
{
	tcase_add_test(tc, cancel_waits_for_a_provisional_response);
	tcase_add_loop_test(tc, cancel_that_comes_too_late, 0, 2);
	tcase_add_test(tc, dropped_call_that_is_never_answered);
	tcase_add_test(tc, useless_2xx_is_acked_and_hung_up);
	tcase_add_loop_test(tc, other_branch_is_acked_and_hung_up, 0, 2);
	tcase_add_test(tc, other_branch_that_cannot_be_hung_up_is_noticed);
	tcase_add_test(tc, a_flood_of_2xx_is_bounded);
	tcase_add_test(tc, a_loser_has_no_losers);
	tcase_add_test(tc, a_2xx_from_elsewhere_is_no_branch);
	tcase_add_test(tc, branch_that_rang_first_and_lost_is_noticed);
	tcase_add_test(tc, unanswered_call_times_out);
	tcase_add_test(tc, one_connection_is_enough);
}


int main(void)
{
	return peer_run("dialog: calls of ours", tests);
}
