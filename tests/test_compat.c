/**
 * @file test_compat.c  The shim over libre
 */
#include <check.h>
#include <stdlib.h>
#include "check_run.h"
#include "clock.h"
#include "re_compat.h"

enum { TIMERS = 150 };


static void nothing(void *arg)
{
	(void)arg;
}


static void answer(int err, const struct sip_msg *msg, void *arg)
{
	(void)err;
	(void)msg;
	(void)arg;
}


static void setup(void)
{
	ck_assert_int_eq(libre_init(), 0);
}


static void teardown(void)
{
	libre_close();
}


START_TEST(timers_that_run_are_counted)
{
	static struct tmr tmrv[TIMERS];
	struct rc_counts c;

	rc_count(&c, NULL);
	ck_assert_uint_eq(c.timers, 0);

	for (unsigned i = 0; i < TIMERS; i++) {
		tmr_init(&tmrv[i]);
		tmr_start(&tmrv[i], 1000 + i, nothing, NULL);
		rc_count(&c, NULL);
		ck_assert_uint_eq(c.timers, i + 1);
	}
	ck_assert_uint_eq(c.connections + c.clients + c.servers, 0);
	for (unsigned i = 0; i < TIMERS; i++)
		tmr_cancel(&tmrv[i]);

	rc_count(&c, NULL);
	ck_assert_uint_eq(c.timers, 0);
}
END_TEST


/** A request to a port that is open, but says nothing */
static int ask(struct sip *sip, struct sip_request **reqp)
{
	struct uri route;
	struct pl pl;
	struct sa sa;
	char buf[64];
	int err;

	ck_assert_int_eq(sip_transp_laddr(sip, &sa, SIP_TRANSP_UDP, NULL), 0);
	(void)re_snprintf(buf, sizeof(buf), "sip:%J", &sa);
	pl_set_str(&pl, buf);
	ck_assert_int_eq(uri_decode(&route, &pl), 0);
	err = sip_requestf(reqp, sip, true, "OPTIONS", buf, &route, NULL, NULL,
			   answer, NULL,
			   "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n"
			   "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
			   "Content-Length: 0\r\n\r\n");

	return err;
}


START_TEST(transactions_are_counted)
{
	struct sip_request *req = NULL;
	struct rc_counts c;
	struct sip *sip;
	struct sa sa;

	ck_assert_int_eq(sip_alloc(&sip, NULL, 8, 8, 8, "test", NULL, NULL), 0);
	ck_assert_int_eq(sa_set_str(&sa, "127.0.0.1", 0), 0);
	ck_assert_int_eq(sip_transp_add(sip, SIP_TRANSP_UDP, &sa), 0);
	rc_count(&c, sip);
	ck_assert_uint_eq(c.timers + c.connections + c.clients + c.servers, 0);

	ck_assert_int_eq(ask(sip, &req), 0);
	rc_count(&c, sip);
	ck_assert_uint_eq(c.clients, 1);
	ck_assert_uint_ge(c.timers, 1);
	ck_assert_uint_eq(c.connections + c.servers, 0);

	sip_close(sip, true);
	mem_deref(sip);
}
END_TEST


/** "jfs" is what the library, not this program, has set */
START_TEST(timers_do_not_go_by_the_time_of_day)
{
	const uint64_t t0 = clock_mono_ms();
	struct tmr tmr;

	tmr_init(&tmr);
	tmr_start(&tmr, 1000, nothing, NULL);
	ck_assert_uint_ge(tmr.jfs, t0 + 1000);
	ck_assert_uint_le(tmr.jfs, clock_mono_ms() + 1000);
	ck_assert_uint_ge(tmr_jiffies(), t0);
	tmr_cancel(&tmr);
}
END_TEST


int main(void)
{
	Suite *s = suite_create("compat");
	TCase *tc = tcase_create("counts");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, timers_that_run_are_counted);
	tcase_add_test(tc, transactions_are_counted);
	tcase_add_test(tc, timers_do_not_go_by_the_time_of_day);
	suite_add_tcase(s, tc);

	return check_run(s);
}
