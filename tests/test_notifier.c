/**
 * @file test_notifier.c  One subscription, against a peer that says anything
 *
 * The peer is a TCP connection whose Contact names a dead port: a NOTIFY that
 * does not go on the connection is lost.  Time is turned forward.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "check_run.h"
#include "dlg_help.h"
#include "focus/notifier.h"

enum { INTERVAL_MS = 5000, TIMER_F = 32000 };

#define CONTACT "Contact: <sip:peer@127.0.0.1:9;transport=tcp>\r\n"

static struct notifiers *ns;
static struct sip_lsnr *lsnr;
static struct notifier *nf;     /* NULL: over */
static unsigned bodyc, fullc, state;
static unsigned told;           /* what the last body said */
static bool allowed;
static char why[64];
static uint32_t subscribe_s;    /* what the application grants */


static struct mbuf *body_handler(struct notifier *n, bool full, void *arg)
{
	(void)arg;
	ck_assert_ptr_eq(n, nf);
	if (!full && told == state)
		return NULL;

	++bodyc;
	fullc += full;
	told = state;

	return body("%s %u", full ? "full" : "news", state);
}


static bool refresh_handler(struct notifier *n, void *arg)
{
	(void)arg;
	ck_assert_str_eq(notifier_identity(n), "sip:peer@example.org");

	return allowed;
}


static void close_handler(struct notifier *n, const char *reason, void *arg)
{
	(void)arg;
	ck_assert_ptr_eq(n, nf);
	(void)re_snprintf(why, sizeof(why), "%s", reason);
	nf = NULL;
	loop_poke();
}


static const struct notifier_handlers handlers = {
	body_handler, refresh_handler, close_handler
};


static int make(const struct sip_msg *msg, struct dlg *dlg)
{
	struct notifier_opt opt;

	memset(&opt, 0, sizeof(opt));
	opt.event = "test";
	opt.ctype = "text/plain";
	opt.contact = "<sip:conf@127.0.0.1:9>;isfocus";
	opt.identity = "sip:peer@example.org";
	opt.expires_s = subscribe_s;
	opt.expires_min_s = 60;
	opt.expires_max_s = 3600;
	opt.interval_ms = INTERVAL_MS;

	return notifier_alloc(&nf, ns, msg, dlg, &opt, &handlers, NULL);
}


static bool request_handler(const struct sip_msg *msg, void *arg)
{
	struct notifier *n = notifiers_find(ns, msg);
	(void)arg;

	if (pl_strcmp(&msg->met, "SUBSCRIBE"))
		return false;

	if (n) {
		notifier_subscribe(n, msg);
	}
	else if (pl_isset(&msg->to.tag)) {
		(void)sip_treply(NULL, a.sip, msg, 481, "None");
	}
	else if (!notifier_expires(&subscribe_s, a.sip, msg, 60, 3600)) {
		if (make(msg, NULL)) {
			(void)sip_treply(NULL, a.sip, msg, 400, "Bad");
			return true;
		}
		notifier_reply(nf, msg);
		notifier_start(nf);
	}

	return true;
}


static void setup(void)
{
	peer_setup();
	ck_assert_int_eq(notifiers_alloc(&ns, a.sip, a.ds), 0);
	ck_assert_int_eq(sip_listen(&lsnr, a.sip, true, request_handler,
				    NULL), 0);
	bodyc = fullc = told = 0;
	state = 1;
	allowed = true;
	why[0] = '\0';
	subscribe_s = 3600;
}


static void teardown(void)
{
	notifier_drop(nf);
	nf = NULL;
	while (notifiers_count(ns)) {
		clock_turn(TIMER_F + 1);
		loop_step(__FILE__, __LINE__, "timeouts");
	}
	lsnr = mem_deref(lsnr);
	ns = mem_deref(ns);
	peer_teardown();
}


static void names(void)
{
	peer_connect(&a.laddr);
	peer.cseq = 1;
	(void)re_snprintf(peer.callid, sizeof(peer.callid), "sub-%u",
			  sa_port(&peer.laddr));
	(void)re_snprintf(peer.ruri, sizeof(peer.ruri), "sip:a@%J", &a.laddr);
	strcpy(peer.local, "<sip:peer@example.org>;tag=peer");
	(void)re_snprintf(peer.remote, sizeof(peer.remote), "<%s>", peer.ruri);
}


static bool says(const struct sip_msg *msg, const char *text)
{
	char buf[64];

	body_get(buf, sizeof(buf), msg);

	return !strcmp(buf, text);
}


static bool is_state(const struct sip_msg *msg, const char *val)
{
	const struct sip_hdr *hdr;

	hdr = sip_msg_hdr(msg, SIP_HDR_SUBSCRIPTION_STATE);

	return hdr && !pl_strcmp(&hdr->val, val);
}


static void ok(const struct sip_msg *msg)
{
	peer_reply(msg, 200, "OK", NULL, NULL);
}


/** SUBSCRIBE, 200; the first NOTIFY is not answered */
static struct sip_msg *subscribe(const char *hdrs)
{
	struct sip_msg *msg;
	char extra[256];

	names();
	(void)re_snprintf(extra, sizeof(extra), CONTACT "Event: test\r\n%s",
			  hdrs ? hdrs : "");
	peer_request("SUBSCRIBE", extra, NULL);
	msg = peer_expect("200 SUBSCRIBE");
	(void)re_snprintf(peer.remote, sizeof(peer.remote), "%r",
			  &msg->to.val);

	return peer_expect("NOTIFY");
}


static void again(const char *hdrs)
{
	char extra[256];

	(void)re_snprintf(extra, sizeof(extra), CONTACT "Event: test\r\n%s",
			  hdrs);
	peer_request("SUBSCRIBE", extra, NULL);
}


static void change(void)
{
	++state;
	notifier_notify(nf);
}


/** The peer is heard: whatever would have come before has come */
static void quiet(void)
{
	peer_request("BYE", NULL, NULL);     /* of no call */
	(void)peer_expect("481 BYE");
	ck_assert(peer_quiet());
}


/* ---- start ---------------------------------------------------------------- */

START_TEST(first_notify_is_full_and_on_the_connection)
{
	struct sip_msg *msg = subscribe(NULL);

	ck_assert(says(msg, "full 1"));
	ck_assert(is_state(msg, "active;expires=3600"));
	ck_assert(!pl_strcmp(&sip_msg_hdr(msg, SIP_HDR_EVENT)->val, "test"));
	ck_assert_uint_eq(peer.connc, 0);
	ck_assert_uint_eq(notifiers_sent(ns), 1);
	ok(msg);
}
END_TEST


START_TEST(fetch_is_one_notify)
{
	struct sip_msg *msg = subscribe("Expires: 0\r\n");

	ck_assert(says(msg, "full 1"));
	ck_assert(is_state(msg, "terminated;reason=timeout"));
	ck_assert_str_eq(why, "timeout");
	ok(msg);
	WAIT(!notifiers_count(ns));
}
END_TEST


static const struct {
	const char *hdr;
	const char *reply;
} expiresv[] = {
	{ "Expires: 59\r\n", "423 SUBSCRIBE" },
	{ "Expires: 1\r\n", "423 SUBSCRIBE" },
	{ "Expires: -1\r\n", "400 SUBSCRIBE" },
	{ "Expires: x\r\n", "400 SUBSCRIBE" },
	{ "Expires: 60x\r\n", "400 SUBSCRIBE" },
	{ "Expires: 99999999999\r\n", "400 SUBSCRIBE" },
	{ "Expires: 60\r\n", "200 SUBSCRIBE" },
	{ "Expires: 4294967295\r\n", "200 SUBSCRIBE" },
	{ "", "200 SUBSCRIBE" },
};

START_TEST(expires_is_checked)
{
	char extra[256];

	names();
	(void)re_snprintf(extra, sizeof(extra), CONTACT "Event: test\r\n%s",
			  expiresv[_i].hdr);
	peer_request("SUBSCRIBE", extra, NULL);
	(void)peer_expect(expiresv[_i].reply);
	if (nf)
		ok(peer_expect("NOTIFY"));
}
END_TEST


START_TEST(without_a_contact_there_is_no_dialog)
{
	names();
	peer_request("SUBSCRIBE", "Event: test\r\n", NULL);
	(void)peer_expect("400 SUBSCRIBE");
	ck_assert_uint_eq(notifiers_count(ns), 0);
	peer_request("SUBSCRIBE", "Contact: <<>\r\nEvent: test\r\n", NULL);
	(void)peer_expect("400 SUBSCRIBE");
	ck_assert_uint_eq(notifiers_count(ns), 0);
}
END_TEST


/* ---- changes --------------------------------------------------------------- */

START_TEST(one_is_out_at_a_time_and_changes_are_merged)
{
	struct sip_msg *msg = subscribe(NULL);

	clock_turn(INTERVAL_MS + 1);
	change();
	change();
	clock_turn(INTERVAL_MS + 1);
	change();
	quiet();
	ok(msg);
	msg = peer_expect("NOTIFY");
	ck_assert(says(msg, "news 4"));
	ok(msg);
}
END_TEST


START_TEST(changes_wait_for_the_interval)
{
	ok(subscribe(NULL));
	change();
	quiet();
	clock_turn(INTERVAL_MS + 1);
	ok(peer_expect("NOTIFY"));
	change();
	change();
	quiet();
	ck_assert_uint_eq(bodyc, 2);
	clock_turn(INTERVAL_MS + 1);
	ok(peer_expect("NOTIFY"));
	ck_assert_uint_eq(bodyc, 3);
}
END_TEST


START_TEST(nothing_to_tell_sends_nothing)
{
	ok(subscribe(NULL));
	clock_turn(INTERVAL_MS + 1);
	notifier_notify(nf);
	clock_turn(INTERVAL_MS + 1);
	quiet();
	change();
	clock_turn(INTERVAL_MS + 1);
	ok(peer_expect("NOTIFY"));
}
END_TEST


/* ---- SUBSCRIBE again -------------------------------------------------------- */

START_TEST(refresh_is_answered_with_everything_at_once)
{
	struct sip_msg *msg;

	ok(subscribe(NULL));
	change();
	again("Expires: 600\r\n");
	msg = peer_expect("200 SUBSCRIBE");
	ck_assert(!pl_strcmp(&sip_msg_hdr(msg, SIP_HDR_EXPIRES)->val, "600"));
	msg = peer_expect("NOTIFY");
	ck_assert(says(msg, "full 2"));
	ck_assert(is_state(msg, "active;expires=600"));
	ok(msg);
	ck_assert_uint_eq(fullc, 2);
}
END_TEST


START_TEST(refreshes_while_one_is_out_are_one_notify)
{
	struct sip_msg *msg = subscribe(NULL);

	for (unsigned i = 0; i < 5; i++) {
		again("");
		(void)peer_expect("200 SUBSCRIBE");
	}
	ok(msg);
	ok(peer_expect("NOTIFY"));
	quiet();
	ck_assert_uint_eq(fullc, 2);
}
END_TEST


START_TEST(refreshes_one_after_another_wait_for_the_interval)
{
	ok(subscribe(NULL));
	again("");
	(void)peer_expect("200 SUBSCRIBE");
	ok(peer_expect("NOTIFY"));
	for (unsigned i = 0; i < 5; i++) {
		again("");
		(void)peer_expect("200 SUBSCRIBE");
	}
	quiet();
	ck_assert_uint_eq(fullc, 2);
	clock_turn(INTERVAL_MS + 1);
	ok(peer_expect("NOTIFY"));
	ck_assert_uint_eq(fullc, 3);

	/* and the next one is at once again */
	again("");
	(void)peer_expect("200 SUBSCRIBE");
	ok(peer_expect("NOTIFY"));
	ck_assert_uint_eq(fullc, 4);
}
END_TEST


START_TEST(unsubscribe_gets_the_last_notify)
{
	struct sip_msg *msg;

	ok(subscribe(NULL));
	again("Expires: 0\r\n");
	(void)peer_expect("200 SUBSCRIBE");
	msg = peer_expect("NOTIFY");
	ck_assert(is_state(msg, "terminated;reason=timeout"));
	ck_assert_str_eq(why, "timeout");
	ok(msg);
	WAIT(!notifiers_count(ns));
	again("Expires: 600\r\n");
	(void)peer_expect("481 SUBSCRIBE");
}
END_TEST


START_TEST(unsubscribe_while_one_is_out_waits_for_its_answer)
{
	struct sip_msg *msg = subscribe(NULL);

	again("Expires: 0\r\n");
	(void)peer_expect("200 SUBSCRIBE");
	quiet();
	ck_assert_ptr_null(nf);
	ok(msg);
	msg = peer_expect("NOTIFY");
	ck_assert(is_state(msg, "terminated;reason=timeout"));
	ok(msg);
	WAIT(!notifiers_count(ns));
}
END_TEST


START_TEST(refresh_in_the_wrong_order_is_500)
{
	ok(subscribe(NULL));
	peer_request_at("SUBSCRIBE", peer.cseq - 1,
			CONTACT "Event: test\r\nExpires: 0\r\n", NULL);
	(void)peer_expect("500 SUBSCRIBE");
	ck_assert_ptr_nonnull(nf);
}
END_TEST


START_TEST(refresh_that_is_no_longer_allowed_ends_it)
{
	struct sip_msg *msg;

	ok(subscribe(NULL));
	allowed = false;
	again("");
	(void)peer_expect("403 SUBSCRIBE");
	msg = peer_expect("NOTIFY");
	ck_assert(is_state(msg, "terminated;reason=rejected"));
	ck_assert(says(msg, ""));
	ck_assert_str_eq(why, "no longer allowed");
	ok(msg);
	WAIT(!notifiers_count(ns));
}
END_TEST


START_TEST(another_event_or_id_is_another_subscription)
{
	static const char *const eventv[] = {
		"Event: other\r\n", "Event: test;id=1\r\n", "",
	};
	char extra[256];

	ok(subscribe(NULL));
	for (size_t i = 0; i < ARRAY_SIZE(eventv); i++) {
		(void)re_snprintf(extra, sizeof(extra), CONTACT "%s",
				  eventv[i]);
		peer_request("SUBSCRIBE", extra, NULL);
		(void)peer_expect("481 SUBSCRIBE");
	}
}
END_TEST


/* ---- end ------------------------------------------------------------------- */

START_TEST(it_expires)
{
	struct sip_msg *msg;

	ok(subscribe("Expires: 100\r\n"));
	clock_turn(99000);
	quiet();
	clock_turn(1001);
	msg = peer_expect("NOTIFY");
	ck_assert(is_state(msg, "terminated;reason=timeout"));
	ck_assert_str_eq(why, "timeout");
	ok(msg);
	WAIT(!notifiers_count(ns));
}
END_TEST


static const uint16_t failurev[] = { 400, 404, 481, 489, 500, 503, 603 };

START_TEST(failure_removes_it)
{
	peer_reply(subscribe(NULL), failurev[_i], "No", NULL, NULL);
	WAIT(!nf && !notifiers_count(ns));
	ck_assert_ptr_nonnull(strstr(why, "status"));
	quiet();
}
END_TEST


START_TEST(no_answer_removes_it)
{
	(void)subscribe(NULL);
	clock_turn(TIMER_F + 1);
	WAIT(!nf && !notifiers_count(ns));
	ck_assert_str_eq(why, "timeout");
}
END_TEST


START_TEST(closed_connection_removes_it)
{
	ok(subscribe(NULL));
	peer_close();
	clock_turn(INTERVAL_MS + 1);
	change();
	WAIT(!nf || seen_count(&a, true, "NOTIFY") == 2);
	clock_turn(TIMER_F + 1);
	WAIT(!nf && !notifiers_count(ns));
}
END_TEST


START_TEST(end_tells_reason_and_body)
{
	struct sip_msg *msg;

	ok(subscribe(NULL));
	change();
	notifier_end(nf, "noresource", body("gone"));
	nf = NULL;
	msg = peer_expect("NOTIFY");
	ck_assert(is_state(msg, "terminated;reason=noresource"));
	ck_assert(says(msg, "gone"));
	ok(msg);
	WAIT(!notifiers_count(ns));
	ck_assert_str_eq(why, "");
}
END_TEST


START_TEST(end_while_one_is_out_waits_for_its_answer)
{
	struct sip_msg *msg = subscribe(NULL);

	notifier_end(nf, "rejected", NULL);
	nf = NULL;
	quiet();
	ok(msg);
	msg = peer_expect("NOTIFY");
	ck_assert(is_state(msg, "terminated;reason=rejected"));
	ok(msg);
	WAIT(!notifiers_count(ns));
}
END_TEST


START_TEST(end_while_one_is_out_that_nobody_answers)
{
	(void)subscribe(NULL);
	notifier_end(nf, "rejected", body("never seen"));
	nf = NULL;
	clock_turn(TIMER_F + 1);
	WAIT(!notifiers_count(ns));
	ck_assert_uint_eq(notifiers_sent(ns), 1);
}
END_TEST


START_TEST(dropped_while_one_is_out_calls_nobody)
{
	struct sip_msg *msg = subscribe(NULL);

	notifier_drop(nf);
	nf = NULL;
	ok(msg);
	WAIT(!notifiers_count(ns));
	ck_assert_str_eq(why, "");
}
END_TEST


/* ---- in the dialog of a call ----------------------------------------------- */

static bool refer_handler(struct dlg *dlg, const struct sip_msg *msg,
			  void *arg)
{
	(void)arg;
	ck_assert_int_eq(make(msg, dlg), 0);
	(void)sip_treply(NULL, a.sip, msg, 200, "OK");
	notifier_start(nf);

	return true;
}


START_TEST(it_may_live_in_a_call_and_outlives_it)
{
	struct sip_msg *msg;
	uint32_t cseq;

	a.h.reqh = refer_handler;
	peer_calls(NULL);
	peer_request("REFER", CONTACT, NULL);
	(void)peer_expect("200 REFER");
	msg = peer_expect("NOTIFY");
	cseq = msg->cseq.num;
	ck_assert(!pl_strcmp(&msg->callid, peer.callid));
	ok(msg);
	peer_request("BYE", NULL, NULL);
	(void)peer_expect("200 BYE");
	WAIT(a.closec);
	clock_turn(INTERVAL_MS + 1);
	change();
	msg = peer_expect("NOTIFY");
	ck_assert_uint_eq(msg->cseq.num, cseq + 1);
	ok(msg);
	again("Expires: 0\r\n");
	(void)peer_expect("200 SUBSCRIBE");
	ok(peer_expect("NOTIFY"));
	WAIT(!notifiers_count(ns) && !dlgs_count(a.ds));
}
END_TEST


static void add_tests(TCase *tc)
{
	tcase_add_test(tc, first_notify_is_full_and_on_the_connection);
	tcase_add_test(tc, fetch_is_one_notify);
	tcase_add_loop_test(tc, expires_is_checked, 0,
			    (int)ARRAY_SIZE(expiresv));
	tcase_add_test(tc, without_a_contact_there_is_no_dialog);
	tcase_add_test(tc, one_is_out_at_a_time_and_changes_are_merged);
	tcase_add_test(tc, changes_wait_for_the_interval);
	tcase_add_test(tc, nothing_to_tell_sends_nothing);
	tcase_add_test(tc, refresh_is_answered_with_everything_at_once);
	tcase_add_test(tc, refreshes_while_one_is_out_are_one_notify);
	tcase_add_test(tc, refreshes_one_after_another_wait_for_the_interval);
	tcase_add_test(tc, unsubscribe_gets_the_last_notify);
	tcase_add_test(tc, unsubscribe_while_one_is_out_waits_for_its_answer);
	tcase_add_test(tc, refresh_in_the_wrong_order_is_500);
	tcase_add_test(tc, refresh_that_is_no_longer_allowed_ends_it);
	tcase_add_test(tc, another_event_or_id_is_another_subscription);
	tcase_add_test(tc, it_expires);
	tcase_add_loop_test(tc, failure_removes_it, 0,
			    (int)ARRAY_SIZE(failurev));
	tcase_add_test(tc, no_answer_removes_it);
	tcase_add_test(tc, closed_connection_removes_it);
	tcase_add_test(tc, end_tells_reason_and_body);
	tcase_add_test(tc, end_while_one_is_out_waits_for_its_answer);
	tcase_add_test(tc, end_while_one_is_out_that_nobody_answers);
	tcase_add_test(tc, dropped_while_one_is_out_calls_nobody);
	tcase_add_test(tc, it_may_live_in_a_call_and_outlives_it);
}


int main(void)
{
	Suite *s = suite_create("notifier");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	add_tests(tc);
	suite_add_tcase(s, tc);

	return check_run(s);
}
