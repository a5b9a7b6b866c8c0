/**
 * @file test_dlgpeer.c  A dialog of ours against a peer that says anything
 *
 * Lost ACKs, retransmissions, wrong order, refusals, dead connections.  Time
 * is turned forward, not waited for.
 */
#include <stdlib.h>
#include <string.h>
#include "dlg_help.h"

enum { T1 = 500, T2 = 4000, TIMER_H = 64 * T1 };

static bool has_hdr(const struct sip_msg *msg, enum sip_hdrid id,
		    const char *val)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, id);

	return hdr && !pl_strcmp(&hdr->val, val);
}


/* ---- ACK ------------------------------------------------------------------- */

/** Up to the 2xx, which is not acknowledged */
static struct sip_msg *unacked_call(void)
{
	struct sip_msg *msg;

	peer_connect(&a.laddr);
	peer.cseq = 1;
	strcpy(peer.callid, "unacked");
	(void)re_snprintf(peer.ruri, sizeof(peer.ruri), "sip:a@%J", &a.laddr);
	strcpy(peer.local, "<sip:peer@example.org>;tag=peer");
	strcpy(peer.remote, "<sip:a@example.org>");
	peer_request("INVITE", PEER_CONTACT, "hello");
	WAIT(dlg_pending(a.dlg));
	ck_assert_int_eq(dlg_answer(a.dlg, 200, "OK", body("welcome")), 0);
	msg = peer_expect("200 INVITE");
	(void)re_snprintf(peer.remote, sizeof(peer.remote), "%r",
			  &msg->to.val);

	return msg;
}


START_TEST(unacked_2xx_is_repeated_then_the_call_ends)
{
	struct sip_msg *first = unacked_call(), *msg;
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
	ck_assert(has_hdr(msg, SIP_HDR_REASON,
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
	unacked_call();
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
	unacked_call();
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

	unacked_call();
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

	unacked_call();
	dlg_bye(a.dlg, "SIP;cause=480");
	end_drop(&a);
	clock_turn(T1);
	peer_expect("200 INVITE");
	clock_turn(TIMER_H);
	msg = peer_expect("200 INVITE");
	msg = peer_expect("BYE");
	ck_assert(has_hdr(msg, SIP_HDR_REASON, "SIP;cause=480"));
	ck_assert_uint_eq(dlgs_count(a.ds), 1);
	peer_reply(msg, 481, "Gone", NULL, NULL);
	WAIT(!dlgs_count(a.ds));
	ck_assert_uint_eq(a.closec, 0);
}
END_TEST


START_TEST(bye_instead_of_the_ack)
{
	unacked_call();
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

static void offer_later(struct dlg *dlg, const struct sip_msg *msg, void *arg)
{
	struct end *e = arg;
	(void)dlg;

	++e->offerc;
	body_get(e->theirs, sizeof(e->theirs), msg);
	loop_poke();
}


START_TEST(only_a_slow_answer_is_preceded_by_a_100)
{
	a.h.offerh = offer_later;
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


START_TEST(delayed_offer_of_a_re_invite)
{
	a.h.offerh = offer_later;
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

	a.h.offerh = offer_later;
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
	a.h.offerh = offer_later;
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


/* ---- our call ------------------------------------------------------------------- */

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
	ck_assert(has_hdr(msg, SIP_HDR_REASON, "SIP;cause=487"));
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


/** A 2xx to the INVITE of peer_called(), from a branch of this name */
static void other_2xx(const char *tag)
{
	peer.tag = tag;
	peer_reply(peer.msgv[0], 200, "OK", PEER_CONTACT, "x");
}


/** All that was sent before has been read */
static void settle(void)
{
	peer_request("INFO", NULL, NULL);
	peer_expect("405 INFO");
}


START_TEST(a_flood_of_2xx_is_bounded)
{
	char tag[16];

	forkc = 0;
	a.h.forkh = fork_handler;
	peer_called(NULL);
	for (unsigned i = 0; i < 20; i++) {
		(void)re_snprintf(tag, sizeof(tag), "t%u", i);
		other_2xx(tag);
		if (i < 8) {
			peer_expect("ACK");
			peer_expect("BYE");
		}
	}
	settle();
	ck_assert_uint_eq(dlgs_count(a.ds), 1 + 8);
	ck_assert_uint_eq(forkc, 1);
	ck_assert(dlg_established(a.dlg));
}
END_TEST


/** The dialog of a loser is no INVITE that could have branches */
START_TEST(a_loser_has_no_losers)
{
	peer_called(NULL);
	other_2xx("one");
	peer_expect("ACK");
	peer_expect("BYE");
	peer.msgv[0]->cseq.num = 0;
	other_2xx("two");
	settle();
	ck_assert_uint_eq(dlgs_count(a.ds), 2);
}
END_TEST


START_TEST(a_2xx_from_elsewhere_is_no_branch)
{
	peer_called(NULL);
	peer_close();
	peer_connect(&a.laddr);
	other_2xx("stranger");
	settle();
	/* not even when the dialog has moved to there */
	other_2xx("stranger");
	settle();
	ck_assert(!dlg_forked(a.dlg));
	ck_assert_uint_eq(dlgs_count(a.ds), 1);
}
END_TEST


static struct mbuf *flow;       /* stands for the connection there is now */

static void *flow_get(const struct sip_msg *msg)
{
	(void)msg;
	return mem_ref(flow);
}


static void flow_new(void)
{
	flow = mbuf_alloc(1);
	ck_assert_ptr_nonnull(flow);
}


static const struct mbuf *shut; /* and that is closed                 */

static bool flow_open(const void *f)
{
	return f != shut;
}


/** From now on a connection is what flow is, whatever TCP says */
static void call_flows(void)
{
	static const struct dlg_flow_handlers fh = {
		.geth = flow_get, .openh = flow_open
	};

	shut = NULL;
	flow_new();
	dlgs_set_flow(a.ds, &fh);
}


/** The port, and so the address, is somebody else's now */
START_TEST(a_2xx_of_the_next_connection_from_there_is_no_branch)
{
	struct mbuf *first;

	call_flows();
	first = flow;
	peer_called(NULL);
	flow_new();
	other_2xx("stranger");
	settle();
	ck_assert(!dlg_forked(a.dlg));
	mem_deref(flow);
	flow = first;
	other_2xx("branch");
	peer_expect("ACK");
	peer_expect("BYE");
	flow = mem_deref(flow);
}
END_TEST


START_TEST(a_2xx_is_repeated_on_its_connection_or_not_at_all)
{
	struct mbuf *first;
	uint32_t cseq;

	call_flows();
	first = flow;
	unacked_call();
	cseq = peer.cseq;
	clock_turn(T1);
	peer_expect("200 INVITE");
	flow_new();
	settle();
	clock_turn(2 * T1);
	peer_expect("200 INVITE");
	shut = first;
	clock_turn(T2);
	settle();
	peer_request_at("ACK", cseq, NULL, NULL);
	WAIT(a.estabc);
	mem_deref(first);
	flow = mem_deref(flow);
}
END_TEST


START_TEST(an_answer_goes_on_the_connection_of_its_offer_or_nowhere)
{
	const char *met = _i ? "UPDATE" : "INVITE";
	struct mbuf *first;

	call_flows();
	first = flow;
	a.h.offerh = offer_later;
	peer_calls(NULL);
	peer_request(met, PEER_CONTACT, "offer");
	WAIT(dlg_pending(a.dlg));
	flow_new();
	settle();
	shut = first;
	ck_assert_int_eq(dlg_answer(a.dlg, 200, "OK", body("x")), ENOTCONN);
	ck_assert(!dlg_pending(a.dlg));
	settle();

	/* that one is open */
	peer_request(met, PEER_CONTACT, "offer");
	WAIT(dlg_pending(a.dlg));
	ck_assert_int_eq(dlg_answer(a.dlg, 200, "OK", body("x")), 0);
	peer_expect(_i ? "200 UPDATE" : "200 INVITE");
	mem_deref(first);
	flow = mem_deref(flow);
}
END_TEST


/** Nobody says whose certificate a new one would have to show */
START_TEST(nothing_is_offered_to_the_address_of_a_closed_connection)
{
	call_flows();
	peer_calls(NULL);
	shut = flow;
	ck_assert_int_eq(end_offer(&a, DLG_REINVITE), 0);
	WAIT(a.failc);
	ck_assert_int_eq(a.err, ENOTCONN);
	settle();
	flow = mem_deref(flow);
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


static void add_peer_tests(TCase *tc)
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
	tcase_add_test(tc, delayed_offer_of_a_re_invite);
	tcase_add_test(tc, second_offer_before_our_answer_is_a_500);
	tcase_add_test(tc, offer_in_an_early_dialog_is_a_500);
	tcase_add_test(tc, update_without_a_body_only_refreshes);
	tcase_add_test(tc, cancelled_re_invite_leaves_the_session_as_it_was);
}


static void add_our_tests(TCase *tc)
{
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
	tcase_add_test(tc, cancel_waits_for_a_provisional_response);
	tcase_add_loop_test(tc, cancel_that_comes_too_late, 0, 2);
	tcase_add_test(tc, dropped_call_that_is_never_answered);
	tcase_add_test(tc, useless_2xx_is_acked_and_hung_up);
	tcase_add_loop_test(tc, other_branch_is_acked_and_hung_up, 0, 2);
	tcase_add_test(tc, other_branch_that_cannot_be_hung_up_is_noticed);
	tcase_add_test(tc, a_flood_of_2xx_is_bounded);
	tcase_add_test(tc, a_loser_has_no_losers);
	tcase_add_test(tc, a_2xx_from_elsewhere_is_no_branch);
	tcase_add_test(tc,
		       a_2xx_of_the_next_connection_from_there_is_no_branch);
	tcase_add_test(tc, a_2xx_is_repeated_on_its_connection_or_not_at_all);
	tcase_add_loop_test(tc,
			    an_answer_goes_on_the_connection_of_its_offer_or_nowhere,
			    0, 2);
	tcase_add_test(tc,
		       nothing_is_offered_to_the_address_of_a_closed_connection);
	tcase_add_test(tc, branch_that_rang_first_and_lost_is_noticed);
	tcase_add_test(tc, unanswered_call_times_out);
	tcase_add_test(tc, one_connection_is_enough);
}


int main(void)
{
	Suite *s = suite_create("dialog: one end and a peer");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, peer_setup, peer_teardown);
	tcase_set_timeout(tc, 30);
	add_peer_tests(tc);
	add_our_tests(tc);
	suite_add_tcase(s, tc);

	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);

	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
