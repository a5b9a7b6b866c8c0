/**
 * @file test_dlgpeer.c  A dialog of ours against a peer that says anything
 *
 * Wrong order, refusals, offers that cross, dead connections.  Time is turned
 * forward, not waited for.  ACKs are in test_dlgack.c, calls of ours in
 * test_dlguac.c, what goes on which connection in test_dlgflow.c.
 */
#include <string.h>
#include "dlg_help.h"


/* ---- order ------------------------------------------------------------------ */

START_TEST(out_of_order_request_is_a_500)
{
	struct sip_msg *msg;

	peer_calls(NULL);
	peer_request_at("UPDATE", peer.cseq - 1, NULL, "old");
	peer_expect("500 UPDATE");
	peer_request_at("BYE", peer.cseq, NULL, NULL);
	peer_expect("500 BYE");
	ck_assert_uint_eq(a.offerc, 0);
	ck_assert(dlg_established(a.dlg));
	/* gaps are fine */
	peer_request_at("UPDATE", peer.cseq + 100, NULL, "new");
	msg = peer_expect("200 UPDATE");
	ck_assert(msg_ctype_cmp(&msg->ctyp, "application", "sdp"));
	ck_assert_uint_eq(a.offerc, 1);
	peer_request_at("BYE", peer.cseq + 99, NULL, NULL);
	peer_expect("500 BYE");
	peer_request_at("BYE", peer.cseq + 101, NULL, NULL);
	peer_expect("200 BYE");
	WAIT(a.closec);
}
END_TEST


START_TEST(unknown_dialog_is_a_481)
{
	static const char *const metv[] = {
		"BYE", "UPDATE", "INVITE", "INFO", "PRACK"
	};
	char remote[128];

	peer_calls(NULL);
	strcpy(remote, peer.remote);
	for (unsigned i = 0; i < ARRAY_SIZE(metv); i++) {
		char want[32];

		(void)re_snprintf(want, sizeof(want), "481 %s", metv[i]);
		strcpy(peer.remote, "<sip:a@example.org>;tag=other");
		peer_request(metv[i], PEER_CONTACT, NULL);
		peer_expect(want);

		/* our tag alone is not enough: the peer's must fit, too */
		strcpy(peer.remote, remote);
		strcpy(peer.local, "<sip:peer@example.org>;tag=thief");
		peer_request(metv[i], PEER_CONTACT, NULL);
		peer_expect(want);
		strcpy(peer.local, "<sip:peer@example.org>;tag=peer");
	}
	peer_request("ACK", NULL, NULL);
	ck_assert(dlg_established(a.dlg));
	ck_assert_uint_eq(a.invitec, 1);
}
END_TEST


START_TEST(invite_without_a_tag_or_contact_is_refused)
{
	struct dlg *dlg = NULL;
	static const char *const badv[] = {
		"",
		"Contact: <>\r\n",
		"Contact: *\r\n",
		/* a folded header must not get into a request line */
		"Contact: <sip:x@127.0.0.1\r\n Evil: 1>\r\n",
		"Contact: <sip:x y@127.0.0.1>\r\n",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(badv); i++) {
		struct mbuf *mb = mbuf_alloc(512);
		struct sip_msg *msg;

		(void)mbuf_printf(mb, "INVITE sip:a@127.0.0.1 SIP/2.0\r\n"
				  "Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\n"
				  "From: <sip:x@y>;tag=t\r\n"
				  "To: <sip:a@y>\r\n"
				  "Call-ID: c\r\nCSeq: 1 INVITE\r\n%s"
				  "Content-Length: 0\r\n\r\n", badv[i]);
		mb->pos = 0;
		ck_assert_int_eq(sip_msg_decode(&msg, mb), 0);
		ck_assert_int_eq(dlg_accept(&dlg, a.ds, msg, "<sip:a>", NULL,
					    &a.h, &a), EBADMSG);
		mem_deref(msg);
		mem_deref(mb);
	}
	ck_assert_ptr_null(dlg);
	ck_assert_uint_eq(dlgs_count(a.ds), 0);
}
END_TEST


START_TEST(bad_contact_in_a_re_invite_keeps_the_old_target)
{
	struct sip_msg *msg;

	peer_calls(NULL);
	peer_request("UPDATE", "Contact: <sip:x@127.0.0.1\r\n Evil: 1>\r\n",
		     "x");
	peer_expect("200 UPDATE");
	end_drop(&a);
	msg = peer_expect("BYE");
	ck_assert(!pl_strcmp(&msg->ruri,
			     "sip:peer@127.0.0.1:9;transport=tcp"));
	peer_reply(msg, 200, "OK", NULL, NULL);
}
END_TEST


START_TEST(contact_of_a_re_offer_is_the_new_target)
{
	struct sip_msg *msg;

	peer_calls(NULL);
	peer_request("UPDATE", "Contact: <sip:new@127.0.0.1:9>\r\n", "x");
	peer_expect("200 UPDATE");
	(void)end_offer(&a, DLG_REINVITE);
	msg = peer_expect("INVITE");
	ck_assert(!pl_strcmp(&msg->ruri, "sip:new@127.0.0.1:9"));
	peer_reply(msg, 200, "OK", "Contact: <sip:newer@127.0.0.1:9>\r\n",
		   "x");
	msg = peer_expect("ACK");
	ck_assert(!pl_strcmp(&msg->ruri, "sip:newer@127.0.0.1:9"));
}
END_TEST


START_TEST(contact_that_begins_like_the_target_is_a_new_one)
{
	static const char *const v[] = {
		"sip:peer@127.0.0.1:9;transport=tcp;x", "sip:peer@127.0.0.1:9",
	};
	struct sip_msg *msg;
	char contact[128];

	(void)re_snprintf(contact, sizeof(contact), "Contact: <%s>\r\n", v[_i]);
	peer_calls(NULL);
	peer_request("UPDATE", contact, "x");
	peer_expect("200 UPDATE");
	end_drop(&a);
	msg = peer_expect("BYE");
	ck_assert(!pl_strcmp(&msg->ruri, v[_i]));
	peer_reply(msg, 200, "OK", NULL, NULL);
}
END_TEST


START_TEST(requests_go_to_the_address_that_the_peer_moved_to)
{
	static const char *const v[] = { "127.0.0.1", "127.0.0.2" };

	peer_calls(NULL);
	peer_close();
	peer_connect_from(v[_i], &a.laddr);
	peer_request("UPDATE", "", "x");
	peer_expect("200 UPDATE");
	end_drop(&a);
	peer_reply(peer_expect("BYE"), 200, "OK", NULL, NULL);
}
END_TEST


START_TEST(route_set_is_followed)
{
	struct sip_msg *msg;
	const struct sip_hdr *hdr;

	if (_i)
		peer_called("Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n");
	else
		peer_calls("Record-Route: <sip:p2;lr>, <sip:p1;lr>\r\n");
	end_drop(&a);
	msg = peer_expect("BYE");
	hdr = sip_msg_hdr(msg, SIP_HDR_ROUTE);
	ck_assert_ptr_nonnull(hdr);
	ck_assert(!pl_strcmp(&hdr->val, "<sip:p2;lr>"));
	ck_assert_uint_eq(sip_msg_hdr_count(msg, SIP_HDR_ROUTE), 2);
	ck_assert(!pl_strcmp(&msg->ruri,
			     "sip:peer@127.0.0.1:9;transport=tcp"));
	peer_reply(msg, 200, "OK", NULL, NULL);
}
END_TEST


START_TEST(requests_follow_the_peer_to_a_new_connection)
{
	struct sip_msg *msg;
	struct sa first;

	peer_calls("Allow: UPDATE\r\n");
	first = *dlg_peer_addr(a.dlg);
	peer_close();
	peer_connect(&a.laddr);
	peer_request("INFO", NULL, NULL);
	peer_expect("405 INFO");
	ck_assert(!sa_cmp(dlg_peer_addr(a.dlg), &first, SA_ALL));
	(void)end_offer(&a, DLG_AUTO);
	msg = peer_expect("UPDATE");
	peer_reply(msg, 200, "OK", NULL, "x");
	WAIT(a.answerc);
}
END_TEST


START_TEST(lost_connection_ends_the_call_at_the_next_request)
{
	peer_calls(NULL);
	peer_close();
	/* by the time that another one is up, the end has seen it */
	peer_connect(&a.laddr);
	(void)end_offer(&a, DLG_REINVITE);
	WAIT(a.closec);
	ck_assert_int_ne(a.err, 0);
	ck_assert_uint_eq(a.failc, 0);
	ck_assert(peer_quiet());
}
END_TEST


/* ---- the peer's offers -------------------------------------------------------- */


START_TEST(only_a_slow_answer_is_preceded_by_a_100)
{
	a.h.offerh = end_offer_later;
	peer_calls(NULL);
	peer_request("INVITE", PEER_CONTACT, "quick");
	WAIT(dlg_pending(a.dlg));
	ck_assert_int_eq(dlg_answer(a.dlg, 200, "OK", body("answer")), 0);
	peer_expect("200 INVITE");
	peer_request("ACK", NULL, NULL);
	clock_turn(150);
	peer_request("INVITE", PEER_CONTACT, "slow");
	WAIT(dlg_pending(a.dlg));
	clock_turn(150);
	peer_expect("100 INVITE");
	ck_assert_int_eq(dlg_answer(a.dlg, 200, "OK", body("answer")), 0);
	peer_expect("200 INVITE");
}
END_TEST


START_TEST(re_invite_without_a_body_is_offered_the_session)
{
	a.h.offerh = end_offer_later;
	peer_calls(NULL);
	peer_request("INVITE", PEER_CONTACT, NULL);
	WAIT(dlg_pending(a.dlg));
	ck_assert_str_eq(a.theirs, "");
	ck_assert_int_eq(dlg_answer(a.dlg, 200, "OK", body("our offer")), 0);
	peer_expect("200 INVITE");

	/* our offer is open until the ACK: RFC 3261 section 14.2 */
	(void)end_offer(&a, DLG_REINVITE);
	ck_assert_uint_eq(a.madec, 0);
	peer_request_at("INVITE", peer.cseq + 1, PEER_CONTACT, "x");
	peer_expect("491 INVITE");

	peer_request("ACK", NULL, "their answer");
	WAIT(a.answerc);
	ck_assert_str_eq(a.theirs, "their answer");
	ck_assert_uint_eq(a.estabc, 1);
	peer_expect("INVITE");
	ck_assert_uint_eq(a.madec, 1);
}
END_TEST


START_TEST(second_offer_before_our_answer_is_a_500)
{
	struct sip_msg *msg;
	const struct sip_hdr *hdr;

	a.h.offerh = end_offer_later;
	peer_calls(NULL);
	peer_request("INVITE", PEER_CONTACT, "one");
	WAIT(dlg_pending(a.dlg));
	peer_request_at("UPDATE", peer.cseq + 1, NULL, "two");
	msg = peer_expect("500 UPDATE");
	hdr = sip_msg_hdr(msg, SIP_HDR_RETRY_AFTER);
	ck_assert_ptr_nonnull(hdr);
	ck_assert_uint_le(pl_u32(&hdr->val), 10);
	/* an empty one, too: RFC 3311 section 5.2 */
	peer_request_at("UPDATE", peer.cseq + 2, NULL, NULL);
	peer_expect("500 UPDATE");
	peer_request_at("INVITE", peer.cseq + 3, PEER_CONTACT, "three");
	peer_expect("500 INVITE");
	ck_assert_uint_eq(a.offerc, 1);
	ck_assert_int_eq(dlg_answer(a.dlg, 200, "OK", body("x")), 0);
	peer_expect("200 INVITE");
	peer_request("ACK", NULL, NULL);
}
END_TEST


START_TEST(offer_in_an_early_dialog_is_a_500)
{
	peer_connect(&a.laddr);
	peer.cseq = 1;
	strcpy(peer.callid, "early");
	(void)re_snprintf(peer.ruri, sizeof(peer.ruri), "sip:a@%J", &a.laddr);
	strcpy(peer.local, "<sip:peer@example.org>;tag=peer");
	strcpy(peer.remote, "<sip:a@example.org>");
	peer_request("INVITE", PEER_CONTACT, "hello");
	WAIT(dlg_pending(a.dlg));
	/* nothing has told it; it guessed */
	(void)re_snprintf(peer.remote, sizeof(peer.remote),
			  "<sip:a@example.org>;tag=%s", dlg_local_tag(a.dlg));
	peer_request("UPDATE", NULL, "x");
	peer_expect("500 UPDATE");
	peer_request("INVITE", PEER_CONTACT, "x");
	peer_expect("500 INVITE");
	peer_request("BYE", NULL, NULL);
	peer_expect("487 INVITE");
	peer_expect("200 BYE");
	WAIT(a.closec && !dlgs_count(a.ds));
}
END_TEST


START_TEST(update_without_a_body_only_refreshes)
{
	struct sip_msg *inv, *msg;

	peer_calls(NULL);
	peer_request("UPDATE", PEER_CONTACT, NULL);
	msg = peer_expect("200 UPDATE");
	ck_assert_uint_eq(mbuf_get_left(msg->mb), 0);

	/* also while our own offer is open, since it is none itself */
	(void)end_offer(&a, DLG_REINVITE);
	inv = peer_expect("INVITE");
	peer_request("UPDATE", PEER_CONTACT, NULL);
	peer_expect("200 UPDATE");
	peer_request("UPDATE", PEER_CONTACT, "offer");
	peer_expect("491 UPDATE");
	peer_request("INVITE", PEER_CONTACT, "offer");
	peer_expect("491 INVITE");
	peer_reply(inv, 200, "OK", NULL, "x");
	peer_expect("ACK");
	WAIT(a.answerc);
	ck_assert_uint_eq(a.offerc, 0);
}
END_TEST


static unsigned cancelc;

/** Nothing is pending, and no offer of ours has gone out yet */
static void cancel_handler(struct dlg *dlg, void *arg)
{
	(void)arg;
	ck_assert(!dlg_pending(dlg));
	ck_assert_uint_eq(a.madec, 0);
	++cancelc;
}


START_TEST(cancelled_re_invite_leaves_the_session_as_it_was)
{
	struct sip_msg *msg;

	cancelc = 0;
	a.h.offerh = end_offer_later;
	a.h.cancelh = cancel_handler;
	peer_calls("Allow: UPDATE\r\n");
	peer_request("INVITE", PEER_CONTACT, "x");
	WAIT(dlg_pending(a.dlg));
	(void)end_offer(&a, DLG_AUTO);
	peer_request("CANCEL", NULL, NULL);
	peer_expect("200 CANCEL");
	peer_expect("487 INVITE");
	ck_assert_int_eq(dlg_answer(a.dlg, 200, "OK", body("x")), EINVAL);
	ck_assert(dlg_established(a.dlg));
	ck_assert_uint_eq(cancelc, 1);
	ck_assert_uint_eq(a.closec, 0);
	msg = peer_expect("UPDATE");
	peer_reply(msg, 200, "OK", NULL, "x");
	WAIT(a.answerc);
}
END_TEST


/* ---- our offers ---------------------------------------------------------------- */

START_TEST(update_refused_with_405_becomes_a_re_invite)
{
	static const char *const nov[] = { "Method Not Allowed",
					   "Not Implemented" };
	struct sip_msg *msg;

	peer_calls("Allow: INVITE, UPDATE\r\n");
	(void)end_offer(&a, DLG_AUTO);
	msg = peer_expect("UPDATE");
	peer_reply(msg, _i ? 501 : 405, nov[_i], NULL, NULL);
	msg = peer_expect("INVITE");
	ck_assert_uint_eq(a.madec, 2);
	ck_assert_uint_eq(a.failc, 0);
	peer_reply(msg, 200, "OK", NULL, "x");
	peer_expect("ACK");
	WAIT(a.answerc);

	/* asked for UPDATE and nothing else: then it is the user's problem */
	peer_request("UPDATE", "Allow: INVITE, UPDATE\r\n", NULL);
	peer_expect("200 UPDATE");
	(void)end_offer(&a, DLG_UPDATE);
	msg = peer_expect("UPDATE");
	peer_reply(msg, 405, "Method Not Allowed", NULL, NULL);
	WAIT(a.failc);
	ck_assert_uint_eq(a.scode, 405);
}
END_TEST


START_TEST(retry_after_is_obeyed)
{
	struct sip_msg *msg;

	peer_calls(NULL);
	(void)end_offer(&a, DLG_REINVITE);
	msg = peer_expect("INVITE");
	peer_reply(msg, 500, "Later", "Retry-After: 7 (lunch);duration=9\r\n",
		   NULL);
	peer_expect("ACK");
	clock_turn(6500);
	peer_request("INFO", NULL, NULL);
	peer_expect("405 INFO");
	ck_assert_uint_eq(a.madec, 1);
	ck_assert_uint_eq(a.failc, 0);
	clock_turn(600);
	msg = peer_expect("INVITE");
	ck_assert_uint_eq(a.madec, 2);

	/* without the header a 500 is final */
	peer_reply(msg, 500, "Broken", NULL, NULL);
	peer_expect("ACK");
	WAIT(a.failc);
	ck_assert_uint_eq(a.scode, 500);
	ck_assert(dlg_established(a.dlg));
}
END_TEST


START_TEST(peer_that_always_puts_us_off_is_given_up)
{
	static const uint16_t scodev[] = { 491, 500 };
	unsigned n = 0;

	peer_calls(NULL);
	(void)end_offer(&a, DLG_REINVITE);
	while (!a.failc) {
		struct sip_msg *msg = peer_expect("INVITE");

		ck_assert_uint_lt(++n, 20);
		peer_reply(msg, scodev[_i], "No", "Retry-After: 0\r\n", NULL);
		peer_expect("ACK");
		clock_turn(3000);
		WAIT(a.failc || !peer_quiet());
	}
	ck_assert_uint_eq(a.scode, scodev[_i]);
	ck_assert(dlg_established(a.dlg));

	/* the next wish starts from the beginning */
	(void)end_offer(&a, DLG_REINVITE);
	peer_reply(peer_expect("INVITE"), scodev[_i], "No",
		   "Retry-After: 0\r\n", NULL);
	peer_expect("ACK");
	clock_turn(3000);
	peer_expect("INVITE");
	ck_assert_uint_eq(a.failc, 1);
}
END_TEST


START_TEST(unknown_to_the_peer_ends_the_call)
{
	struct sip_msg *msg;

	peer_calls(NULL);
	(void)end_offer(&a, DLG_REINVITE);
	msg = peer_expect("INVITE");
	peer_reply(msg, _i ? 408 : 481, "Gone", NULL, NULL);
	peer_expect("ACK");
	WAIT(a.closec);
	ck_assert_uint_eq(a.scode, _i ? 408 : 481);
	ck_assert_uint_eq(a.failc, 0);
	if (_i)
		peer_reply(peer_expect("BYE"), 200, "OK", NULL, NULL);
	WAIT(!dlgs_count(a.ds));
	ck_assert(peer_quiet());
}
END_TEST


/** The peer is told why */
static void no_answer_bye(void)
{
	const struct sip_hdr *hdr = sip_msg_hdr(peer_expect("BYE"), SIP_HDR_REASON);

	ck_assert_ptr_nonnull(hdr);
	ck_assert(!pl_strcmp(&hdr->val, "SIP;cause=408;text=\"No answer to our offer\""));
}


START_TEST(unanswered_re_offer_ends_the_call)
{
	peer_calls(NULL);
	(void)end_offer(&a, DLG_REINVITE);
	peer_expect("INVITE");
	clock_turn(TIMER_H + 1);
	WAIT(a.closec);
	ck_assert_int_eq(a.err, ETIMEDOUT);
	no_answer_bye();
	clock_turn(TIMER_H + 1);
	WAIT(!dlgs_count(a.ds));
}
END_TEST


/** 100 and nothing more: RFC 3261 would wait for ever */
START_TEST(re_invite_that_is_only_being_tried_ends_the_call)
{
	peer_calls(NULL);
	(void)end_offer(&a, DLG_REINVITE);
	peer_reply(peer_expect("INVITE"), 100, "Trying", NULL, NULL);
	clock_turn(TIMER_H + 1);
	ck_assert(peer_quiet());
	ck_assert_uint_eq(a.closec, 0);
	clock_turn(T1);
	WAIT(a.closec);
	ck_assert_int_eq(a.err, ETIMEDOUT);
	peer_reply(peer_expect("CANCEL"), 200, "OK", NULL, NULL);
	no_answer_bye();
	clock_turn(TIMER_H + 1);
	WAIT(!dlgs_count(a.ds));
}
END_TEST


START_TEST(bye_with_our_re_offer_open)
{
	struct sip_msg *inv;

	a.keep = true;
	peer_calls(NULL);
	(void)end_offer(&a, DLG_REINVITE);
	inv = peer_expect("INVITE");
	peer_request("BYE", NULL, NULL);
	peer_expect("200 BYE");
	WAIT(a.closec);
	/* its answer crossed the BYE; after closeh no handler is called */
	peer_reply(inv, _i ? 487 : 200, "x", NULL, "x");
	peer_expect("ACK");
	ck_assert_uint_eq(a.answerc + a.failc, 0);
	ck_assert_uint_eq(a.closec, 1);
	end_drop(&a);
	ck_assert_uint_eq(dlgs_count(a.ds), 0);
}
END_TEST


START_TEST(drop_with_our_re_offer_open)
{
	struct sip_msg *inv, *bye;

	peer_calls(NULL);
	(void)end_offer(&a, DLG_REINVITE);
	inv = peer_expect("INVITE");
	if (_i)
		peer_reply(inv, 100, "Trying", NULL, NULL);
	peer_request("INFO", NULL, NULL);
	peer_expect("405 INFO");
	end_drop(&a);
	if (_i)
		peer_expect("CANCEL");
	bye = peer_expect("BYE");
	ck_assert_uint_gt(bye->cseq.num, inv->cseq.num);
	peer_reply(inv, 487, "Terminated", NULL, NULL);
	peer_expect("ACK");
	peer_reply(bye, 200, "OK", NULL, NULL);
	WAIT(!dlgs_count(a.ds));
}
END_TEST


static void tests(TCase *tc)
{
	tcase_add_test(tc, out_of_order_request_is_a_500);
	tcase_add_test(tc, unknown_dialog_is_a_481);
	tcase_add_test(tc, invite_without_a_tag_or_contact_is_refused);
	tcase_add_test(tc, bad_contact_in_a_re_invite_keeps_the_old_target);
	tcase_add_test(tc, contact_of_a_re_offer_is_the_new_target);
	tcase_add_loop_test(tc, requests_go_to_the_address_that_the_peer_moved_to,
			    0, 2);
	tcase_add_loop_test(tc, contact_that_begins_like_the_target_is_a_new_one,
			    0, 2);
	tcase_add_loop_test(tc, route_set_is_followed, 0, 2);
	tcase_add_test(tc, requests_follow_the_peer_to_a_new_connection);
	tcase_add_test(tc, lost_connection_ends_the_call_at_the_next_request);
	tcase_add_test(tc, only_a_slow_answer_is_preceded_by_a_100);
	tcase_add_test(tc, re_invite_without_a_body_is_offered_the_session);
	tcase_add_test(tc, second_offer_before_our_answer_is_a_500);
	tcase_add_test(tc, offer_in_an_early_dialog_is_a_500);
	tcase_add_test(tc, update_without_a_body_only_refreshes);
	tcase_add_test(tc, cancelled_re_invite_leaves_the_session_as_it_was);
	tcase_add_loop_test(tc, update_refused_with_405_becomes_a_re_invite,
			    0, 2);
	tcase_add_test(tc, retry_after_is_obeyed);
	tcase_add_loop_test(tc, peer_that_always_puts_us_off_is_given_up,
			    0, 2);
	tcase_add_loop_test(tc, unknown_to_the_peer_ends_the_call, 0, 2);
	tcase_add_test(tc, unanswered_re_offer_ends_the_call);
	tcase_add_test(tc, re_invite_that_is_only_being_tried_ends_the_call);
	tcase_add_loop_test(tc, bye_with_our_re_offer_open, 0, 2);
	tcase_add_loop_test(tc, drop_with_our_re_offer_open, 0, 2);
}


int main(void)
{
	return peer_run("dialog: one end and a peer", tests);
}
