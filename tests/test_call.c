/**
 * @file test_call.c  One call of the test phone against a made-up server
 *
 * Both in one loop, SIP over TCP on 127.0.0.1, media on real sockets.  The
 * server changes its key, answers badly, or waits; the watchdog ends a test
 * in which nothing happens.
 */
#include <check.h>
#include <string.h>
#include <openssl/crypto.h>
#include "call/call.h"
#include "call/csdp.h"
#include "check_run.h"
#include "log.h"

enum { WATCHDOG_MS = 10000, TICK_MS = 5, SERVER_VERSION_MAX = 8 };

static const struct csdp_fmt pcmu = { 0, CODEC_PCMU };

/* ----- the server -------------------------------------------------------- */

static struct {
	struct sip *sip;
	struct sip_lsnr *lsnr;
	struct dlgs *dlgs;
	struct dlg *dlg;
	struct cmedia *media;
	struct secret *keyv[SERVER_VERSION_MAX];  /* one per offer or answer */
	unsigned keyc;
	const struct suite *suite;
	uint32_t tag;
	struct secret *their_key;      /* the caller's first key             */
	bool reflect;                  /* answer with the caller's own key   */
	bool their_key_kept;
	unsigned answers;              /* to our re-offers                   */
	uint16_t fail_status;
	uint64_t offered_us, answered_us;
	bool over;
	char bye_reason[200];
} srv;

/* ----- the caller and the loop ------------------------------------------- */

static struct opts o;
static struct cstack *stack;
static struct cstack_hop hop;
static struct call_env env;
static struct list srcl;
static struct call *call;
static struct tmr tick, watchdog;
static bool (*step)(void);             /* true: the test has come to its end */
static bool timed_out;
static enum dlg_via via;
static uint64_t heard_at_switch;

static const uint8_t *silence(uint32_t i, size_t *lenp, void *arg)
{
	static const uint8_t frame[160] = { 0xff };
	(void)i;
	(void)arg;

	*lenp = sizeof(frame);
	return frame;
}

static struct secret *fresh_key(void)
{
	ck_assert_uint_lt(srv.keyc, SERVER_VERSION_MAX);
	ck_assert_int_eq(secret_draw(&srv.keyv[srv.keyc], suite_keysalt_len(srv.suite)), 0);

	return srv.keyv[srv.keyc++];
}

static struct mbuf *describe(const struct secret *key)
{
	const struct csdp_key line = { .tag = srv.tag, .suite = srv.suite, .key = key };
	const struct csdp_out out = {
		.rtp = cmedia_laddr(srv.media), .rtcp_port = cmedia_rtcp_port(srv.media),
		.proto = "RTP/SAVP", .id = 1, .version = srv.keyc, .dir = CSDP_SENDRECV,
		.ptime = 20, .fmtv = &pcmu, .fmtc = 1, .keyv = &line, .keyc = 1,
	};

	return csdp_encode(&out);
}

static void read_sdp(struct csdp *s, const struct sip_msg *msg)
{
	memset(s, 0, sizeof(*s));
	ck_assert_int_eq(csdp_decode(s, (char *)mbuf_buf(msg->mb), mbuf_get_left(msg->mb)), 0);
	ck_assert_uint_ge(s->cryptoc, 1);
}

static void srv_answer_handler(struct dlg *dlg, const struct sip_msg *msg, void *arg)
{
	struct csdp s;
	(void)dlg;
	(void)arg;

	read_sdp(&s, msg);
	ck_assert_uint_eq(s.cryptov[0].tag, srv.tag);
	srv.their_key_kept = secret_equal(s.cryptov[0].keyv[0].keysalt, srv.their_key);
	srv.answered_us = cmedia_now_us();
	++srv.answers;
	/* the make-before-break rule: switched at its 200 */
	ck_assert_int_eq(ckeys_set_tx(cmedia_keys(srv.media), srv.suite,
				      srv.keyv[srv.keyc - 1], 0, 0), 0);
	cmedia_new_ssrc(srv.media);
	csdp_reset(&s);
}

static void srv_offer_fail_handler(struct dlg *dlg, int err, uint16_t scode, void *arg)
{
	(void)dlg;
	(void)err;
	(void)arg;
	srv.fail_status = scode;
}

static void srv_close_handler(struct dlg *dlg, int err, const struct sip_msg *msg, void *arg)
{
	const struct sip_hdr *hdr = msg ? sip_msg_hdr(msg, SIP_HDR_REASON) : NULL;
	(void)dlg;
	(void)err;
	(void)arg;

	if (hdr)
		(void)pl_strcpy(&hdr->val, srv.bye_reason, sizeof(srv.bye_reason));
	srv.dlg = mem_deref(srv.dlg);
	srv.over = true;
}

static const struct dlg_handlers srv_handlers = {
	.answerh = srv_answer_handler,
	.offer_failh = srv_offer_fail_handler,
	.closeh = srv_close_handler,
};

static void start_media(const struct csdp *s, const struct secret *key)
{
	bool changed;

	srv.suite = s->cryptov[0].suite;
	cmedia_set_codec(srv.media, &pcmu, &pcmu, 1);
	cmedia_set_source(srv.media, silence, NULL);
	cmedia_set_remote(srv.media, &s->rtp, &s->rtcp, false);
	ck_assert_int_eq(ckeys_set_tx(cmedia_keys(srv.media), srv.suite, key, 0, 0), 0);
	ck_assert_int_eq(ckeys_set_rx(cmedia_keys(srv.media), &s->cryptov[0], 1, &changed), 0);
	cmedia_start(srv.media, cmedia_now_us());
}

static void srv_invite_handler(const struct sip_msg *msg, void *arg)
{
	const struct secret *key;
	struct csdp s;
	(void)arg;

	read_sdp(&s, msg);
	srv.tag = s.cryptov[0].tag;
	srv.suite = s.cryptov[0].suite;
	ck_assert_int_eq(secret_copy(&srv.their_key, secret_bytes(s.cryptov[0].keyv[0].keysalt),
				     secret_len(s.cryptov[0].keyv[0].keysalt)), 0);
	key = srv.reflect ? srv.their_key : fresh_key();
	start_media(&s, key);
	csdp_reset(&s);

	ck_assert_int_eq(dlg_accept(&srv.dlg, srv.dlgs, msg, "<sip:conf@127.0.0.1>;isfocus",
				    NULL, &srv_handlers, NULL), 0);
	ck_assert_int_eq(dlg_answer(srv.dlg, 200, "OK", describe(key)), 0);
}

static struct mbuf *srv_reoffer(struct dlg *dlg, void *arg)
{
	(void)dlg;
	(void)arg;
	srv.offered_us = cmedia_now_us();

	return describe(fresh_key());
}

static bool srv_request_handler(const struct sip_msg *msg, void *arg)
{
	(void)arg;
	return dlgs_request(srv.dlgs, msg);
}

/* ----- fixture ----------------------------------------------------------- */

static void change_handler(struct call *c, void *arg)
{
	(void)c;
	(void)arg;
}

static void tick_handler(void *arg)
{
	const uint64_t now_us = cmedia_now_us();
	(void)arg;

	call_tick(call, now_us);
	cmedia_tick(srv.media, now_us);
	if (step())
		re_cancel();
	else
		tmr_start(&tick, TICK_MS, tick_handler, NULL);
}

static void watchdog_handler(void *arg)
{
	(void)arg;
	timed_out = true;
	re_cancel();
}

static void options(const char *extra)
{
	char buf[256], *argv[24];
	int argc = 0;

	(void)re_snprintf(buf, sizeof(buf), "call --uri sip:x@127.0.0.1 --transport tcp "
			  "--codec pcmu --suite AES_CM_128_HMAC_SHA1_80 %s", extra);
	for (char *save = NULL, *w = strtok_r(buf, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	argv[argc] = NULL;

	ck_assert_int_eq(opts_parse(&o, argc, argv), OPTS_RUN);
}

static void start_server(struct sa *addr)
{
	const struct cmedia_cfg cfg = { .laddr = addr, .ptime = 20, .rtcp_interval_ms = 200 };

	ck_assert_int_eq(sip_alloc(&srv.sip, NULL, 32, 32, 32, "server", NULL, NULL), 0);
	ck_assert_int_eq(sip_transp_add(srv.sip, SIP_TRANSP_TCP, addr), 0);
	ck_assert_int_eq(sip_transp_laddr(srv.sip, &hop.addr, SIP_TRANSP_TCP, addr), 0);
	ck_assert_int_eq(dlgs_alloc(&srv.dlgs, srv.sip, srv_invite_handler, NULL), 0);
	ck_assert_int_eq(sip_listen(&srv.lsnr, srv.sip, true, srv_request_handler, NULL), 0);
	ck_assert_int_eq(cmedia_alloc(&srv.media, &cfg), 0);
}

static void setup(void)
{
	struct sa addr;

	memset(&srv, 0, sizeof(srv));
	heard_at_switch = 0;
	timed_out = false;
	log_set_level(LOG_LV_ERROR);
	ck_assert_int_eq(libre_init(), 0);
	ck_assert_int_eq(msrtp_init(MSRTP_OPENSSL), 0);
	ck_assert_int_eq(sa_set_str(&addr, "127.0.0.1", 0), 0);
	start_server(&addr);
	hop.laddr = addr;
	str_ncpy(hop.host, "127.0.0.1", sizeof(hop.host));
	(void)re_snprintf(hop.route, sizeof(hop.route), "sip:%J;transport=tcp", &hop.addr);
}

static void teardown(void)
{
	tmr_cancel(&tick);
	tmr_cancel(&watchdog);
	call = mem_deref(call);
	mem_deref(srv.dlg);
	mem_deref(stack);
	mem_deref(srv.media);
	mem_deref(srv.dlgs);
	mem_deref(srv.lsnr);
	sip_close(srv.sip, true);
	mem_deref(srv.sip);
	for (unsigned i = 0; i < srv.keyc; i++)
		secret_free(&srv.keyv[i]);
	secret_free(&srv.their_key);
	opts_reset(&o);
	ck_assert_uint_eq(secret_count(), 0);
	msrtp_close();
	libre_close();
}

/** Call the server and let steph look on until it is content */
static void run(const char *extra, bool (*steph)(void))
{
	options(extra);
	ck_assert_int_eq(cstack_alloc(&stack, &o, &hop), 0);
	env.opts = &o;
	env.stackv = &stack;
	env.stackc = 1;
	env.hop = &hop;
	env.srcl = &srcl;
	env.changeh = change_handler;
	ck_assert_int_eq(call_alloc(&call, 0, &env, true), 0);
	ck_assert_int_eq(call_start(call, "sip:conf@127.0.0.1"), 0);

	step = steph;
	tmr_start(&tick, TICK_MS, tick_handler, NULL);
	tmr_start(&watchdog, WATCHDOG_MS, watchdog_handler, NULL);
	ck_assert_int_eq(re_main(NULL), 0);
	ck_assert_msg(!timed_out, "watchdog: state %d", call_state(call));
}

static uint64_t heard(void)
{
	struct cmedia_stats st;

	call_media_stats(call, &st);
	return st.rx_packets;
}

/** Packets of the caller that the server could open */
static uint64_t arrived(void)
{
	struct cmedia_stats st;

	cmedia_stats(srv.media, &st);
	return st.rx_packets;
}

/* ----- tests ------------------------------------------------------------- */

static bool both_hear(void)
{
	return heard() >= 10 && arrived() >= 10;
}

START_TEST(a_call_comes_up_and_both_hear)
{
	struct cmedia_stats st;

	run("", both_hear);
	ck_assert(call_result(call)->is_focus);
	ck_assert_str_eq(call_result(call)->conf_uri, "sip:conf@127.0.0.1");
	call_media_stats(call, &st);
	ck_assert_uint_eq(st.auth_fail, 0);
	call_hangup(call);
	ck_assert_int_eq(call_state(call), CALL_CLOSED);
}
END_TEST

/** Offer a new key as soon as the old one works; wait until the new one does */
static bool rekeyed(void)
{
	if (!srv.offered_us && both_hear())
		(void)dlg_offer(srv.dlg, via, srv_reoffer);
	if (srv.answers && !heard_at_switch)
		heard_at_switch = heard();

	return heard_at_switch && heard() >= heard_at_switch + 20;
}

static void check_followed(void)
{
	const struct call_result *r = call_result(call);
	struct cmedia_stats st;

	call_media_stats(call, &st);
	ck_assert_uint_eq(st.auth_fail, 0);
	ck_assert_uint_eq(st.ssrcs, 2);
	ck_assert_uint_eq(r->rekeys, 1);
	ck_assert_uint_eq(r->refused, 0);
	ck_assert(srv.their_key_kept);
	ck_assert_uint_lt(st.longest_gap_us, 100000);
}

START_TEST(a_new_key_in_a_reinvite_is_followed)
{
	via = DLG_REINVITE;
	run("", rekeyed);
	check_followed();
	ck_assert_uint_eq(call_result(call)->offers_invite, 1);
}
END_TEST

START_TEST(a_new_key_in_an_update_is_followed)
{
	via = DLG_AUTO;
	run("", rekeyed);
	check_followed();
	/* a UAS knows from the INVITE that UPDATE is allowed */
	ck_assert_uint_eq(call_result(call)->offers_update, 1);
	ck_assert_uint_eq(call_result(call)->offers_invite, 0);
}
END_TEST

START_TEST(without_update_the_server_has_to_reinvite)
{
	via = DLG_AUTO;
	run("--no-update", rekeyed);
	check_followed();
	ck_assert_uint_eq(call_result(call)->offers_invite, 1);
}
END_TEST

START_TEST(a_slow_phone_answers_late_and_follows_then)
{
	via = DLG_REINVITE;
	run("--answer-delay 300", rekeyed);
	check_followed();
	ck_assert_uint_ge(srv.answered_us - srv.offered_us, 299000);
}
END_TEST

static bool deaf(void)
{
	struct cmedia_stats st;

	(void)rekeyed();
	call_media_stats(call, &st);

	return st.auth_fail >= 10;
}

START_TEST(a_phone_that_keeps_its_old_key_says_yes_and_goes_deaf)
{
	via = DLG_REINVITE;
	run("--no-rekey", deaf);
	ck_assert_uint_eq(srv.answers, 1);
	ck_assert_uint_eq(call_result(call)->rekeys, 0);
}
END_TEST

static bool offer_failed(void)
{
	(void)rekeyed();

	return srv.fail_status != 0;
}

START_TEST(a_phone_can_refuse_a_new_key)
{
	via = DLG_REINVITE;
	run("--answer 488", offer_failed);
	ck_assert_uint_eq(srv.fail_status, 488);
	ck_assert_uint_eq(call_result(call)->refused, 1);
	ck_assert_int_eq(call_state(call), CALL_UP);
}
END_TEST

static bool ignored(void)
{
	(void)rekeyed();

	return call_result(call)->offers_invite == 1 && arrived() >= 50;
}

START_TEST(a_phone_can_ignore_a_new_key_and_talk_on)
{
	via = DLG_REINVITE;
	run("--answer never", ignored);
	ck_assert_uint_eq(srv.answers, 0);
	ck_assert_uint_eq(srv.fail_status, 0);
}
END_TEST

static bool hold_done(void)
{
	return call_result(call)->own_offers + call_result(call)->own_offers_failed == 2 ||
		call_state(call) == CALL_CLOSED;
}

START_TEST(hold_and_resume_are_offers_and_rejections_are_counted)
{
	/* this server has no offerh: 488 to both */
	run("--hold 0:1", hold_done);
	ck_assert_uint_eq(call_result(call)->own_offers_failed, 2);
	ck_assert_uint_eq(call_result(call)->own_offer_status, 488);
	ck_assert_int_eq(call_state(call), CALL_UP);
}
END_TEST

static bool server_saw_the_end(void)
{
	return srv.over;
}

START_TEST(an_answer_with_our_own_key_ends_the_call_with_a_reason)
{
	srv.reflect = true;
	run("", server_saw_the_end);
	ck_assert_int_eq(call_state(call), CALL_CLOSED);
	ck_assert(!call_result(call)->established);
	ck_assert_str_eq(call_result(call)->error, "the answer sends our own key back");
	ck_assert_ptr_nonnull(strstr(srv.bye_reason, "own key"));
	ck_assert_uint_eq(arrived(), 0);
}
END_TEST

static bool hang_up_and_wait(void)
{
	if (both_hear())
		call_hangup(call);

	return srv.over;
}

START_TEST(hanging_up_sends_bye)
{
	run("", hang_up_and_wait);
	ck_assert_str_eq(call_result(call)->end_by, "us");
}
END_TEST

static bool server_hangs_up(void)
{
	if (srv.dlg && both_hear()) {
		dlg_bye(srv.dlg, "SIP;cause=410;text=\"over\"");
		srv.dlg = mem_deref(srv.dlg);
	}

	return call_state(call) == CALL_CLOSED;
}

START_TEST(the_servers_bye_ends_the_call_with_its_reason)
{
	run("", server_hangs_up);
	ck_assert_str_eq(call_result(call)->end_by, "remote");
	ck_assert_str_eq(call_result(call)->end_reason, "SIP;cause=410;text=\"over\"");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("call");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 3 * WATCHDOG_MS / 1000);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_call_comes_up_and_both_hear);
	tcase_add_test(tc, a_new_key_in_a_reinvite_is_followed);
	tcase_add_test(tc, a_new_key_in_an_update_is_followed);
	tcase_add_test(tc, without_update_the_server_has_to_reinvite);
	tcase_add_test(tc, a_slow_phone_answers_late_and_follows_then);
	tcase_add_test(tc, a_phone_that_keeps_its_old_key_says_yes_and_goes_deaf);
	tcase_add_test(tc, a_phone_can_refuse_a_new_key);
	tcase_add_test(tc, a_phone_can_ignore_a_new_key_and_talk_on);
	tcase_add_test(tc, hold_and_resume_are_offers_and_rejections_are_counted);
	tcase_add_test(tc, an_answer_with_our_own_key_ends_the_call_with_a_reason);
	tcase_add_test(tc, hanging_up_sends_bye);
	tcase_add_test(tc, the_servers_bye_ends_the_call_with_its_reason);
	suite_add_tcase(s, tc);

	return check_run(s);
}
