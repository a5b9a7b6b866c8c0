/**
 * @file test_mixrtcp.c  The real mixer process: RTCP, goodbyes, key presses
 */
#include <check.h>
#include <stdlib.h>
#include "check_run.h"
#include "mixcase.h"

/* ---- RTCP, DTMF ---- */

static bool got_rtcp(struct rig *r, void *arg)
{
	(void)r;

	return ((struct phone *)arg)->rtcpc > 0;
}

START_TEST(sender_report_describes_our_stream_and_the_peers)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	struct phone *b = phone_add(&rig, &(struct phone_opt){.freq = freqv[1]});
	struct rtcpx sr;

	/* the first one is due within 1.5 s */
	ck_assert(rig_run(&rig, 2500, got_rtcp, a));
	ck_assert(rig_run(&rig, 2500, got_rtcp, b));
	sr = a->last_rtcp;
	ck_assert(sr.has_sr);
	ck_assert_uint_eq(sr.sender_ssrc, a->heard_ssrc);
	ck_assert_uint_eq(sr.rbc, 1);
	ck_assert_uint_eq(sr.rbv[0].ssrc, a->ssrc);
	ck_assert_int_eq(sr.rbv[0].lost, 0);
	ck_assert_uint_gt(sr.packets, 10);
	ck_assert_uint_gt(strlen(sr.cname), 10);
	/* one source, one name */
	ck_assert_str_eq(sr.cname, b->last_rtcp.cname);
}
END_TEST

/* RFC 6716 section 3.1: configurations 16 and up are CELT, which knows no FEC */
static bool may_have_fec(struct rig *r, void *arg)
{
	const struct phone *p = arg;

	(void)r;

	return p->rtpc && p->toc >> 3 < 16;
}

static void send_loss(struct phone *p, uint8_t fraction)
{
	struct rtcpx rr;

	memset(&rr, 0, sizeof(rr));
	rr.sender_ssrc = p->ssrc;
	rr.rbv[0].ssrc = p->heard_ssrc;
	rr.rbv[0].fraction = fraction;
	rr.rbc = 1;
	phone_send_rtcp(p, &rr);
}

START_TEST(fec_goes_to_those_who_report_losses)
{
	const struct phone_opt o = {.codec = CODEC_OPUS, .fec = true, .freq = freqv[0]};
	struct phone *a = phone_add(&rig, &o), *b = phone_add(&rig, &o), *c;

	c = phone_add(&rig, &(struct phone_opt){.codec = CODEC_OPUS, .fec = true});
	(void)rig_run(&rig, 800, NULL, NULL);
	ck_assert(a->rtpc && b->rtpc && c->rtpc);
	ck_assert(!may_have_fec(&rig, a) && !may_have_fec(&rig, b) && !may_have_fec(&rig, c));

	/* a talker's losses are its own business */
	send_loss(a, 64);
	ck_assert(rig_run(&rig, 2000, may_have_fec, a));
	(void)rig_run(&rig, 700, NULL, NULL);
	ck_assert(!may_have_fec(&rig, b) && !may_have_fec(&rig, c));

	/* a listener's are all listeners' */
	send_loss(c, 64);
	ck_assert(rig_run(&rig, 2000, may_have_fec, c));
	(void)rig_run(&rig, 700, NULL, NULL);
	ck_assert(may_have_fec(&rig, a) && !may_have_fec(&rig, b));
}
END_TEST

static bool byes(struct rig *r, void *arg)
{
	(void)arg;

	return r->byes > 0;
}

START_TEST(only_the_legs_own_authenticated_bye_counts)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	struct phone *b = phone_add(&rig, &(struct phone_opt){.freq = freqv[1]});
	struct rtcpx x;

	(void)rig_run(&rig, 300, NULL, NULL);
	memset(&x, 0, sizeof(x));
	x.sender_ssrc = b->ssrc;
	x.byev[0] = a->ssrc;
	x.byec = 1;
	phone_send_rtcp(b, &x);
	(void)rig_run(&rig, 300, NULL, NULL);
	ck_assert_uint_eq(rig.byes, 0);
	x.sender_ssrc = x.byev[0] = b->ssrc;
	phone_send_rtcp(b, &x);
	ck_assert(rig_run(&rig, 1000, byes, NULL));
}
END_TEST

START_TEST(removed_leg_is_told_bye_and_gets_nothing_more)
{
	struct phone *b;

	(void)phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	b = phone_add(&rig, &(struct phone_opt){0});
	(void)rig_run(&rig, 300, NULL, NULL);
	ck_assert_int_eq(phone_remove(&rig, b), MP__STATUS__OK);
	(void)rig_run(&rig, 60, NULL, NULL);
	ck_assert_uint_eq(b->byes, 1);
	ck_assert_uint_eq(b->bye_ssrc, b->heard_ssrc);
	b->wirec = 0;
	(void)rig_run(&rig, 300, NULL, NULL);
	ck_assert_uint_eq(b->wirec, 0);
	ck_assert_int_eq(phone_remove(&rig, b), MP__STATUS__OK);
}
END_TEST

static bool dtmf_came(struct rig *r, void *arg)
{
	(void)arg;

	return r->dtmf > 0;
}

static void send_dtmf(struct phone *p, uint8_t event, bool end, uint32_t ts)
{
	uint8_t buf[RTPH_MTU + RTPH_TRAILER_MAX];
	const struct rtph h = {.pt = 101, .seq = p->seq++, .ts = ts, .ssrc = p->ssrc};
	size_t len = rtph_encode(buf, RTPH_MTU, &h);

	buf[len++] = event;
	buf[len++] = end ? 0x8a : 0x0a;
	buf[len++] = 3;
	buf[len++] = 0x20;
	ck_assert_int_eq(msrtp_protect(p->tx, buf, &len), MSRTP_OK);
	phone_raw(p, -1, buf, len);
}

START_TEST(a_key_press_is_one_event_and_is_not_mixed)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){0});
	struct phone *b = phone_add(&rig, &(struct phone_opt){0});
	unsigned i;

	for (i = 0; i < 5; i++)
		send_dtmf(a, 5, false, 8000);
	(void)rig_run(&rig, 100, NULL, NULL);
	ck_assert_uint_eq(rig.dtmf, 0);
	for (i = 0; i < 3; i++)
		send_dtmf(a, 5, true, 8000);
	ck_assert(rig_run(&rig, 1000, dtmf_came, NULL));
	(void)rig_run(&rig, 200, NULL, NULL);
	ck_assert_uint_eq(rig.dtmf, 1);
	ck_assert_uint_eq(rig.last_dtmf, 5);
	ck_assert_uint_le(b->rtpc, 12);
}
END_TEST

START_TEST(goodbyes_without_end_are_few_events)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	struct rtcpx x;
	unsigned i;

	(void)rig_run(&rig, 100, NULL, NULL);
	memset(&x, 0, sizeof(x));
	x.sender_ssrc = x.byev[0] = a->ssrc;
	x.byec = 1;
	for (i = 0; i < 300; i++) {
		phone_send_rtcp(a, &x);
		if (i % 30 == 29)
			(void)rig_run(&rig, 10, NULL, NULL);
	}
	ck_assert(rig_run(&rig, 1000, byes, NULL));
	ck_assert_uint_le(rig.byes, 15);
}
END_TEST

START_TEST(keys_faster_than_any_finger_are_few_events)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){0});
	unsigned i;

	for (i = 0; i < 300; i++) {
		send_dtmf(a, 5, true, 8000 + 160 * i);
		if (i % 30 == 29)
			(void)rig_run(&rig, 10, NULL, NULL);
	}
	(void)rig_run(&rig, 200, NULL, NULL);
	ck_assert_uint_ge(rig.dtmf, 10);
	ck_assert_uint_le(rig.dtmf, 40);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("mixrtcp");

	mixcase_add(s, "RTCP and DTMF", mixcase_up4, (const TTest *const[]){
			sender_report_describes_our_stream_and_the_peers,
			fec_goes_to_those_who_report_losses,
			only_the_legs_own_authenticated_bye_counts,
			removed_leg_is_told_bye_and_gets_nothing_more,
			a_key_press_is_one_event_and_is_not_mixed,
			keys_faster_than_any_finger_are_few_events,
			goodbyes_without_end_are_few_events,
			NULL });

	return s;
}

int main(void)
{
	return check_run(suite());
}
