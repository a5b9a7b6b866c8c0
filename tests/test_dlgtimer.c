/**
 * @file test_dlgtimer.c  Session timers, RFC 4028
 *
 * libre closes a connection on which nothing came for 900 s, so that the
 * intervals here are shorter than what is usual.
 */
#include <stdlib.h>
#include <string.h>
#include "check_run.h"
#include "dlg_help.h"

enum { S = 1000 };

#define TIMER "Supported: timer\r\n"
#define UPDATE "Allow: INVITE, ACK, BYE, UPDATE\r\n"


static struct mbuf *make_refresh(struct dlg *dlg, void *arg)
{
	(void)dlg;
	(void)arg;

	return body("as agreed");
}


/** Is there such a header with such a value (NULL: is there none)? */
static void check_hdr(const struct sip_msg *msg, enum sip_hdrid id,
		      const char *want)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, id);
	char val[64];

	ck_assert(!hdr == !want);
	if (!hdr)
		return;
	(void)re_snprintf(val, sizeof(val), "%r", &hdr->val);
	ck_assert_str_eq(val, want);
}


/** The 2xx to the peer's INVITE */
static const struct sip_msg *first_2xx(void)
{
	for (unsigned i = 0; i < peer.msgc; i++) {
		if (peer.msgv[i]->scode == 200)
			return peer.msgv[i];
	}

	ck_abort_msg("no 2xx");
}


/** Something that shows that nothing else was sent before */
static void nothing_until_now(void)
{
	peer_request("INFO", NULL, NULL);
	peer_expect("405 INFO");
}


static const struct {
	const char *hdrs;
	const char *se;           /* in our 2xx */
	bool require;
	bool ours;
} rolev[] = {
	/* unasked: the stream must not fall idle */
	{ UPDATE, "1200;refresher=uas", false, true },
	{ UPDATE TIMER, "1200;refresher=uas", false, true },
	{ UPDATE TIMER "Session-Expires: 600\r\n", "600;refresher=uac", true,
	  false },
	{ UPDATE TIMER "Session-Expires: 600;refresher=uac\r\n",
	  "600;refresher=uac", true, false },
	{ UPDATE TIMER "x: 600 ; refresher=UAS\r\n", "600;refresher=uas",
	  false, true },
	/* the peer does not know of it: whatever it says, we refresh */
	{ UPDATE "Session-Expires: 600\r\n", "600;refresher=uas", false,
	  true },
	{ UPDATE "Session-Expires: 600;refresher=uac\r\n",
	  "600;refresher=uas", false, true },
	{ UPDATE TIMER "Session-Expires: 99999999999;refresher=uas\r\n",
	  "1200;refresher=uas", false, true },
	/* less than its Min-SE it does not take */
	{ UPDATE TIMER "Session-Expires: 1800\r\nMin-SE: 1800\r\n",
	  "1800;refresher=uac", true, false },
	{ UPDATE TIMER "Session-Expires: 7200\r\nMin-SE: 1800\r\n",
	  "1800;refresher=uac", true, false },
	{ UPDATE TIMER "Session-Expires: 600\r\nMin-SE: 1800\r\n",
	  "600;refresher=uac", true, false },
	{ UPDATE TIMER "Min-SE: 1800\r\n", "1800;refresher=uas", false, true },
	{ UPDATE TIMER "Min-SE: 99999999999\r\n", "86400;refresher=uas", false,
	  true },
	{ UPDATE TIMER "Session-Expires: soon\r\n", "1200;refresher=uas", false,
	  true },
};


START_TEST(who_refreshes)
{
	peer_calls(rolev[_i].hdrs);
	check_hdr(first_2xx(), SIP_HDR_SESSION_EXPIRES, rolev[_i].se);
	check_hdr(first_2xx(), SIP_HDR_REQUIRE,
		  rolev[_i].require ? "timer" : NULL);
	check_hdr(first_2xx(), SIP_HDR_SUPPORTED, "timer");

	clock_turn(299 * S);
	nothing_until_now();
	if (!rolev[_i].ours || strncmp(rolev[_i].se, "600", 3))
		return;
	clock_turn(2 * S);
	peer_expect("UPDATE");
}
END_TEST


START_TEST(refresh_goes_on_and_on)
{
	peer_calls(UPDATE TIMER "Session-Expires: 600;refresher=uas\r\n");
	for (int i = 0; i < 4; i++) {
		struct sip_msg *msg;

		clock_turn(301 * S);
		msg = peer_expect("UPDATE");
		ck_assert_uint_eq(mbuf_get_left(msg->mb), 0);
		check_hdr(msg, SIP_HDR_SESSION_EXPIRES, "600;refresher=uac");
		check_hdr(msg, SIP_HDR_MIN_SE, "90");
		ck_assert(pl_isset(&msg->to.tag));
		ck_assert_ptr_nonnull(sip_msg_hdr(msg, SIP_HDR_CONTACT));
		peer_reply(msg, 200, "OK",
			   "Session-Expires: 600;refresher=uac\r\n", NULL);
		nothing_until_now();
	}
	ck_assert(dlg_established(a.dlg));
	ck_assert_uint_eq(a.offerc + a.answerc + a.failc, 0);
}
END_TEST


START_TEST(peer_that_does_not_refresh_is_hung_up)
{
	struct sip_msg *msg;

	peer_calls(UPDATE TIMER "Session-Expires: 600;refresher=uac\r\n");
	clock_turn(300 * S);
	peer_request("UPDATE", TIMER "Session-Expires: 600;refresher=uac\r\n",
		     NULL);
	msg = peer_expect("200 UPDATE");
	check_hdr(msg, SIP_HDR_SESSION_EXPIRES, "600;refresher=uac");
	clock_turn(500 * S);
	nothing_until_now();
	clock_turn(69 * S);
	msg = peer_expect("BYE");
	check_hdr(msg, SIP_HDR_REASON, "SIP;cause=408;text=\"Session expired\"");
	ck_assert_uint_eq(a.closec, 1);
	ck_assert_int_eq(a.err, ETIMEDOUT);
}
END_TEST


/** The stream would be idle for too long if the peer alone did it */
START_TEST(long_interval_is_refreshed_by_us_as_well)
{
	struct sip_msg *msg;

	peer_calls(UPDATE TIMER "Session-Expires: 3600;refresher=uac\r\n"
		   "Min-SE: 3600\r\n");
	for (int i = 0; i < 4; i++) {
		clock_turn(599 * S);
		nothing_until_now();
		clock_turn(2 * S);
		msg = peer_expect("UPDATE");
		check_hdr(msg, SIP_HDR_SESSION_EXPIRES, "3600;refresher=uas");
		check_hdr(msg, SIP_HDR_MIN_SE, "3600");
		peer_reply(msg, 200, "OK",
			   "Session-Expires: 3600;refresher=uas\r\n", NULL);
		nothing_until_now();
	}
	ck_assert(dlg_established(a.dlg));
}
END_TEST


START_TEST(refused_request_does_not_touch_the_timer)
{
	struct sip_msg *msg;

	a.h.offerh = NULL;        /* everything is a 488 */
	peer_calls(UPDATE TIMER "Session-Expires: 600;refresher=uas\r\n");
	peer_request("UPDATE", NULL, "offer");
	peer_expect("488 UPDATE");
	peer_request("UPDATE", TIMER "Session-Expires: 800;refresher=uac\r\n",
		     "offer");
	peer_expect("488 UPDATE");
	clock_turn(301 * S);
	msg = peer_expect("UPDATE");
	check_hdr(msg, SIP_HDR_SESSION_EXPIRES, "600;refresher=uac");
}
END_TEST


START_TEST(refresh_without_update_is_the_session_again)
{
	struct sip_msg *msg;
	char buf[32];

	a.h.refreshh = make_refresh;
	peer_calls(TIMER "Session-Expires: 600;refresher=uas\r\n");
	clock_turn(301 * S);
	msg = peer_expect("INVITE");
	check_hdr(msg, SIP_HDR_SESSION_EXPIRES, "600;refresher=uac");
	body_get(buf, sizeof(buf), msg);
	ck_assert_str_eq(buf, "as agreed");
	peer_reply(msg, 200, "OK", "Session-Expires: 600;refresher=uac\r\n",
		   "x");
	peer_expect("ACK");
	clock_turn(299 * S);
	nothing_until_now();
	clock_turn(2 * S);
	peer_expect("INVITE");
}
END_TEST


START_TEST(update_that_is_not_known_after_all)
{
	a.h.refreshh = make_refresh;
	peer_calls(UPDATE TIMER "Session-Expires: 600;refresher=uas\r\n");
	clock_turn(301 * S);
	peer_reply(peer_expect("UPDATE"), 405, "No", NULL, NULL);
	nothing_until_now();
	clock_turn(5 * S);
	peer_expect("INVITE");
}
END_TEST


START_TEST(refresh_that_never_succeeds_ends_the_session)
{
	unsigned n = 0;
	struct sip_msg *msg;

	peer_calls(UPDATE TIMER "Session-Expires: 600;refresher=uas\r\n");
	clock_turn(301 * S);
	for (;;) {
		WAIT(!peer_quiet());
		msg = peer.msgv[peer.readc++];
		if (!pl_strcmp(&msg->met, "BYE"))
			break;
		ck_assert(!pl_strcmp(&msg->met, "UPDATE"));
		peer_reply(msg, 500, "Broken", NULL, NULL);
		++n;
		WAIT(seen_count(&a, false, "SIP/2.0 500") == n);
		clock_turn(n < 20 ? 5 * S : 300 * S);
	}
	ck_assert_uint_eq(a.closec, 1);
	ck_assert_int_eq(a.err, ETIMEDOUT);
	ck_assert_uint_ge(n, 20);
}
END_TEST


START_TEST(peer_that_is_gone_is_noticed_by_the_refresh)
{
	peer_calls(UPDATE TIMER "Session-Expires: 600;refresher=uas\r\n");
	clock_turn(301 * S);
	peer_expect("UPDATE");
	clock_turn(33 * S);
	WAIT(a.closec);
	ck_assert_int_eq(a.err, ETIMEDOUT);
}
END_TEST


START_TEST(refresh_waits_for_a_pending_offer)
{
	struct sip_msg *inv;

	peer_calls(UPDATE TIMER "Session-Expires: 90;refresher=uas\r\n");
	clock_turn(30 * S);
	(void)end_offer(&a, DLG_REINVITE);
	inv = peer_expect("INVITE");
	peer_reply(inv, 100, "Trying", NULL, NULL);
	nothing_until_now();
	clock_turn(16 * S);
	nothing_until_now();
	/* its 2xx is the refresh */
	peer_reply(inv, 200, "OK", "Session-Expires: 90;refresher=uac\r\n",
		   "x");
	peer_expect("ACK");
	clock_turn(44 * S);
	nothing_until_now();
	clock_turn(2 * S);
	peer_expect("UPDATE");
}
END_TEST


START_TEST(short_interval_is_a_422)
{
	struct sip_msg *msg;

	peer_calls(UPDATE TIMER);
	peer_request("UPDATE", TIMER "Session-Expires: 89\r\n", NULL);
	msg = peer_expect("422 UPDATE");
	check_hdr(msg, SIP_HDR_MIN_SE, "90");
	/* who does not know timers cannot be told: section 9 */
	peer_request("UPDATE", "Session-Expires: 10\r\n", NULL);
	msg = peer_expect("200 UPDATE");
	check_hdr(msg, SIP_HDR_SESSION_EXPIRES, "90;refresher=uas");
}
END_TEST


START_TEST(longer_interval_of_the_peer_is_obeyed)
{
	struct sip_msg *msg;

	end_connect(&a, &peer.laddr, body("hello"));
	msg = peer_expect("INVITE");
	check_hdr(msg, SIP_HDR_SESSION_EXPIRES, "1200");
	peer_reply(msg, 422, "Too Small", "Min-SE: 3600\r\n", NULL);
	peer_expect("ACK");
	msg = peer_expect("INVITE");
	check_hdr(msg, SIP_HDR_SESSION_EXPIRES, "3600");
	check_hdr(msg, SIP_HDR_MIN_SE, "3600");
	/* a little more, and a little more: not with us */
	peer_reply(msg, 422, "Too Small", "Min-SE: 3601\r\n", NULL);
	peer_expect("ACK");
	WAIT(a.closec);
	ck_assert_uint_eq(a.scode, 422);
}
END_TEST


START_TEST(senseless_422_ends_the_call)
{
	static const char *const v[] = { "", "Min-SE: 90\r\n",
		"Min-SE: 1200\r\n", "Min-SE: 86401\r\n", "Min-SE: x\r\n" };

	end_connect(&a, &peer.laddr, body("hello"));
	peer_reply(peer_expect("INVITE"), 422, "Too Small", v[_i], NULL);
	peer_expect("ACK");
	WAIT(a.closec);
	ck_assert_uint_eq(a.scode, 422);
}
END_TEST


START_TEST(refresh_and_re_offer_obey_a_422_too)
{
	struct sip_msg *msg;

	peer_calls(UPDATE TIMER "Session-Expires: 600;refresher=uas\r\n");
	(void)end_offer(&a, DLG_REINVITE);
	msg = peer_expect("INVITE");
	peer_reply(msg, 422, "Too Small", "Min-SE: 700\r\n", NULL);
	peer_expect("ACK");
	msg = peer_expect("INVITE");
	check_hdr(msg, SIP_HDR_SESSION_EXPIRES, "700;refresher=uac");
	check_hdr(msg, SIP_HDR_MIN_SE, "700");
	peer_reply(msg, 200, "OK", "Session-Expires: 700;refresher=uac\r\n",
		   "x");
	peer_expect("ACK");
	clock_turn(351 * S);
	peer_reply(peer_expect("UPDATE"), 422, "Too Small",
		   "Min-SE: 800\r\n", NULL);
	nothing_until_now();
	clock_turn(5 * S);
	msg = peer_expect("UPDATE");
	check_hdr(msg, SIP_HDR_SESSION_EXPIRES, "800;refresher=uac");
	ck_assert_uint_eq(a.failc, 0);
}
END_TEST


static const struct {
	const char *hdrs;
	const char *next;         /* after 301 s, or NULL */
} calledv[] = {
	{ UPDATE, NULL },
	{ UPDATE "Session-Expires: 600;refresher=uac\r\n", "UPDATE" },
	{ UPDATE "Session-Expires: 600\r\n", "UPDATE" },
	{ UPDATE "Session-Expires: 600;refresher=uas\r\n", NULL },
};


START_TEST(roles_in_our_own_call)
{
	peer_called(calledv[_i].hdrs);
	clock_turn(301 * S);
	if (calledv[_i].next)
		peer_expect(calledv[_i].next);
	else
		nothing_until_now();
	if (_i != 3)
		return;
	clock_turn(268 * S);
	peer_expect("BYE");
}
END_TEST


int main(void)
{
	Suite *s = suite_create("dialog: session timers");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, peer_setup, peer_teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, who_refreshes, 0, (int)ARRAY_SIZE(rolev));
	tcase_add_test(tc, refresh_goes_on_and_on);
	tcase_add_test(tc, peer_that_does_not_refresh_is_hung_up);
	tcase_add_test(tc, long_interval_is_refreshed_by_us_as_well);
	tcase_add_test(tc, refused_request_does_not_touch_the_timer);
	tcase_add_test(tc, refresh_without_update_is_the_session_again);
	tcase_add_test(tc, update_that_is_not_known_after_all);
	tcase_add_test(tc, refresh_that_never_succeeds_ends_the_session);
	tcase_add_test(tc, peer_that_is_gone_is_noticed_by_the_refresh);
	tcase_add_test(tc, refresh_waits_for_a_pending_offer);
	tcase_add_test(tc, short_interval_is_a_422);
	tcase_add_test(tc, longer_interval_of_the_peer_is_obeyed);
	tcase_add_loop_test(tc, senseless_422_ends_the_call, 0, 5);
	tcase_add_test(tc, refresh_and_re_offer_obey_a_422_too);
	tcase_add_loop_test(tc, roles_in_our_own_call, 0,
			    (int)ARRAY_SIZE(calledv));
	suite_add_tcase(s, tc);

	return check_run(s);
}
