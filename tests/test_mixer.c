/**
 * @file test_mixer.c  The real mixer process: who hears whom, who is believed
 *
 * Its keys are in test_mixkeys.c, RTCP and key presses in test_mixrtcp.c, who gets
 * a place among the speakers in test_mixtalk.c.
 */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "check_run.h"
#include "mixcase.h"

/* ---- endpoint keying ---- */

START_TEST(three_legs_hear_each_other_and_not_themselves)
{
	unsigned i;

	for (i = 0; i < 3; i++)
		(void)phone_add(&rig, &(struct phone_opt){.freq = freqv[i]});
	(void)rig_run(&rig, 3000, NULL, NULL);
	check_mix(3);
	ck_assert_uint_eq(check_unique(), 0);
	for (i = 0; i < 3; i++) {
		ck_assert_uint_eq(count_ssrcs(&rig.phonev[i]), 1);
		ck_assert_uint_eq(rig.phonev[i].csrcc, 2);
	}
	ck_assert_uint_eq(rig.talkerc, 3);
}
END_TEST

START_TEST(four_codecs_are_mixed_in_one_conference)
{
	static const enum codec_id codecv[4] = {CODEC_OPUS, CODEC_G722, CODEC_PCMA, CODEC_PCMU};
	unsigned i;

	for (i = 0; i < 4; i++)
		(void)phone_add(&rig, &(struct phone_opt){.freq = freqv[i], .codec = codecv[i]});
	(void)rig_run(&rig, 3000, NULL, NULL);
	check_mix(4);
}
END_TEST

START_TEST(every_suite_protects_both_directions)
{
	unsigned i;

	for (i = 0; i < SUITE_MAX - 1; i++)
		(void)phone_add(&rig, &(struct phone_opt){.freq = i < 3 ? freqv[i] : 0,
							  .suite = (enum suite_id)(i + 1 + (i > 0))});
	(void)rig_run(&rig, 1500, NULL, NULL);
	check_mix(3);
	ck_assert_double_gt(phone_hears(&rig.phonev[3], freqv[1]), -30);
}
END_TEST

START_TEST(any_ptime_goes_in_and_out)
{
	static const unsigned ptimev[5] = {10, 20, 30, 40, 60};
	unsigned i;

	for (i = 0; i < 4; i++)
		(void)phone_add(&rig, &(struct phone_opt){.freq = freqv[i], .ptime = ptimev[i + (i > 1)]});
	(void)rig_run(&rig, 3000, NULL, NULL);
	check_mix(4);
	ck_assert_uint_gt(rig.phonev[0].rtpc, 270);
	ck_assert_uint_lt(rig.phonev[3].rtpc, 60);
}
END_TEST

START_TEST(ipv6_and_separate_rtcp_ports_work)
{
	unsigned i;

	for (i = 0; i < 3; i++)
		(void)phone_add(&rig, &(struct phone_opt){.freq = freqv[i], .no_mux = true});
	ck_assert_uint_eq(rig.rtcp_port, rig.port + 1);
	ck_assert_uint_eq(rig.port & 1, 0);
	(void)rig_run(&rig, 2000, NULL, NULL);
	check_mix(3);
	ck_assert_uint_gt(rig.phonev[0].rtcpc, 0);
}
END_TEST

static bool is_loud(struct rig *r, void *arg)
{
	(void)r;

	return ((struct phone *)arg)->loud_us > 0;
}

/* From the first sample of the first word, into the phone, to the arrival of
   the packet that holds it */
static int bound(uint32_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)bind(fd, (struct sockaddr *)&in, sizeof(in));

	return fd;
}

START_TEST(move_to_another_address_family_that_fails_costs_nothing)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	const uint32_t port = rig.port;
	struct phone *b = phone_add(&rig, &(struct phone_opt){0});
	int fdv[100], own = a->fd;
	unsigned i;

	(void)rig_run(&rig, 300, NULL, NULL);
	/* all of IPv4 is taken by some other program */
	for (i = 0; i < 100; i++)
		fdv[i] = bound(port + 2 * i);
	rig.family = AF_INET;
	a->fd = fdv[0];
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__ERR_NO_PORT);
	a->fd = own;
	rig.family = AF_INET6;
	for (i = 0; i < 100; i++)
		(void)close(fdv[i]);

	(void)rig_run(&rig, 600, NULL, NULL);
	ck_assert_uint_le(phone_gap_ms(b, freqv[0]), 40);
	i = a->rtpc;
	b->talking = true;
	b->next_us = rig_now_us();
	tone_gen_init(&b->tone, freqv[1], 8000, -20);
	(void)rig_run(&rig, 600, NULL, NULL);
	ck_assert_uint_gt(a->rtpc, i + 20);

	/* and now there is room */
	rig.family = AF_INET;
	a->fd = bound(0);
	(void)close(own);
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
	ck_assert_uint_ne(rig.port, port);
	(void)rig_run(&rig, 600, NULL, NULL);
	ck_assert_uint_le(phone_gap_ms(b, freqv[0]), 60);
	ck_assert_uint_gt(a->rtpc, i + 40);
	ck_assert_int_eq(rig_stats(&rig, 0), MP__STATUS__OK);
	ck_assert_uint_eq(rig.st.ports, 2);
}
END_TEST

START_TEST(first_word_is_heard_within_80_ms)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	struct phone *b = phone_add(&rig, &(struct phone_opt){0});
	uint64_t began;
	unsigned i;

	for (i = 0; i < 5; i++) {
		a->talking = false;
		(void)rig_run(&rig, 1700 + 7 * i, NULL, NULL);
		b->loud_us = 0;
		a->talking = true;
		a->next_us = 0;
		began = rig_now_us() - 20000;
		ck_assert(rig_run(&rig, 500, is_loud, b));
		ck_assert_msg(b->loud_us - began <= 80000, "%u ms", (unsigned)(b->loud_us - began) / 1000);
	}
}
END_TEST

static bool all_quiet(struct rig *r, void *arg)
{
	(void)arg;

	return r->talkerc == 0 && r->talkers > 1;
}

START_TEST(leg_keeps_its_ssrc_when_it_stops_and_starts_talking)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	struct phone *b = phone_add(&rig, &(struct phone_opt){.freq = freqv[1]});

	(void)rig_run(&rig, 1000, NULL, NULL);
	a->talking = false;
	(void)rig_run(&rig, 2500, NULL, NULL);
	a->talking = true;
	a->next_us = 0;
	(void)rig_run(&rig, 800, NULL, NULL);
	ck_assert_uint_eq(count_ssrcs(a), 1);
	ck_assert_uint_eq(count_ssrcs(b), 1);
	ck_assert_uint_eq(check_unique(), 0);
	/* one per pause, none where mix and mix-minus take turns */
	ck_assert_uint_le(b->markers, 4);
	/* while a was silent it was a listener, and heard the same tone */
	ck_assert_uint_le(phone_gap_ms(a, freqv[1]), 60);
	a->talking = b->talking = false;
	ck_assert(rig_run(&rig, 5000, all_quiet, NULL));
}
END_TEST

START_TEST(silent_conference_sends_next_to_nothing)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){0});
	struct phone *b = phone_add(&rig, &(struct phone_opt){.codec = CODEC_OPUS});
	uint64_t cpu;

	(void)rig_run(&rig, 500, NULL, NULL);
	/* one short piece of silence opens the path */
	ck_assert_uint_ge(a->rtpc, 3);
	ck_assert_uint_le(a->rtpc, 12);
	ck_assert_uint_ge(b->rtpc, 3);
	ck_assert_int_eq(rig_stats(&rig, 0), MP__STATUS__OK);
	cpu = rig.st.cpu_us;
	a->rtpc = b->rtpc = 0;
	(void)rig_run(&rig, 2000, NULL, NULL);
	ck_assert_uint_eq(a->rtpc + b->rtpc, 0);
	ck_assert_int_eq(rig_stats(&rig, 0), MP__STATUS__OK);
	ck_assert_uint_lt(rig.st.cpu_us - cpu, 20000);
}
END_TEST

/* ---- who is believed ---- */

static int stranger(void)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in in = {.sin_family = AF_INET};

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);

	return fd;
}

static unsigned received(int fd)
{
	uint8_t buf[2000];
	unsigned n = 0;

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		++n;

	return n;
}

START_TEST(stranger_changes_nothing_and_gets_nothing)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	struct phone *b = phone_add(&rig, &(struct phone_opt){.freq = freqv[1]});
	const int fd = stranger();
	uint8_t buf[300];
	unsigned i;

	(void)rig_run(&rig, 500, NULL, NULL);
	memset(buf, 0x55, sizeof(buf));
	for (i = 0; i < 500; i++) {
		/* RTP and RTCP of all lengths, of a's SSRC, with a's payload type */
		buf[0] = 0x80;
		buf[1] = i & 1 ? PT_PCMA : 200;
		memcpy(buf + 8, &a->ssrc, 4);
		phone_raw(a, fd, buf, i % 300);
		if (!(i % 50))
			(void)rig_run(&rig, 20, NULL, NULL);
	}
	(void)rig_run(&rig, 500, NULL, NULL);
	ck_assert_uint_eq(received(fd), 0);
	ck_assert_uint_eq(rig.latched, 2);
	/* too short to be a packet, or not authentic */
	ck_assert_uint_eq(rig_legstats(&rig, a)->auth_failed + rig_legstats(&rig, a)->dropped, 500);
	ck_assert_uint_gt(rig_legstats(&rig, a)->auth_failed, 200);
	ck_assert_uint_eq(rig_legstats(&rig, a)->replayed, 0);
	check_mix(2);
	ck_assert_uint_le(phone_gap_ms(b, freqv[0]), 40);
	(void)close(fd);
}
END_TEST

START_TEST(replayed_packets_are_counted_and_move_nothing)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	uint8_t buf[20][RTPH_MTU + RTPH_TRAILER_MAX];
	const int fd = stranger();
	size_t len[20];
	unsigned i;

	(void)phone_add(&rig, &(struct phone_opt){0});
	a->talking = false;
	for (i = 0; i < 20; i++) {
		len[i] = phone_build(a, buf[i]);
		phone_raw(a, -1, buf[i], len[i]);
	}
	(void)rig_run(&rig, 300, NULL, NULL);
	for (i = 0; i < 20; i++)
		phone_raw(a, fd, buf[i], len[i]);
	(void)rig_run(&rig, 300, NULL, NULL);
	ck_assert_uint_eq(rig_legstats(&rig, a)->replayed, 20);
	ck_assert_uint_eq(rig_legstats(&rig, a)->rx_packets, 20);
	ck_assert_uint_eq(received(fd), 0);
	ck_assert_uint_eq(rig.latched, 1);
	(void)close(fd);
}
END_TEST

START_TEST(authenticated_sender_that_moves_is_followed)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	const int fd = stranger();
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	unsigned i;

	(void)phone_add(&rig, &(struct phone_opt){.freq = freqv[1]});
	(void)rig_run(&rig, 500, NULL, NULL);
	ck_assert_uint_eq(rig.latched, 2);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	a->talking = false;
	for (i = 0; i < 25; i++) {
		phone_send_frame(a, fd);
		(void)rig_run(&rig, 20, NULL, NULL);
	}
	ck_assert_uint_eq(rig.latched, 3);
	ck_assert_uint_eq(rig.last_latched, a->leg);
	ck_assert_uint_eq(rig.latch_port, ntohs(in.sin_port));
	ck_assert_uint_gt(received(fd), 15);
	(void)close(fd);
}
END_TEST

START_TEST(ssrc_of_a_leg_is_told_and_its_changes_are_told_seldom)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	const uint32_t first = a->ssrc;
	unsigned i;

	a->talking = false;
	phone_send_frame(a, -1);
	(void)rig_run(&rig, 20, NULL, NULL);
	ck_assert_uint_eq(rig.latched, 1);
	ck_assert_uint_eq(rig.latch_ssrc, first);

	/* back and forth with each packet, for more than one second */
	for (i = 0; i < 60; i++) {
		a->ssrc = i & 1 ? first : first + 1;
		phone_send_frame(a, -1);
		(void)rig_run(&rig, 20, NULL, NULL);
	}
	ck_assert_uint_le(rig.latched, 3);

	a->ssrc = first + 2;
	for (i = 0; i < 60; i++) {
		phone_send_frame(a, -1);
		(void)rig_run(&rig, 20, NULL, NULL);
	}
	ck_assert_uint_eq(rig.latch_ssrc, first + 2);
	ck_assert_uint_le(rig.latched, 4);
}
END_TEST

START_TEST(sender_that_moves_with_every_packet_is_followed_and_told_seldom)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	const int fd = stranger();
	unsigned i;

	a->talking = false;
	for (i = 0; i < 300; i++) {
		phone_send_frame(a, i & 1 ? fd : -1);
		if (i % 30 == 29)
			(void)rig_run(&rig, 10, NULL, NULL);
	}
	(void)rig_run(&rig, 100, NULL, NULL);
	ck_assert_uint_gt(rig_legstats(&rig, a)->rx_packets, 250);
	ck_assert_uint_ge(rig.latched, 2);
	ck_assert_uint_le(rig.latched, 15);
	(void)close(fd);
}
END_TEST

START_TEST(fifth_ssrc_of_a_leg_is_refused)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	unsigned i;

	a->talking = false;
	for (i = 0; i < 8; i++) {
		a->ssrc += 0x01010101;
		phone_send_frame(a, -1);
		(void)rig_run(&rig, 20, NULL, NULL);
	}
	ck_assert_uint_eq(rig_legstats(&rig, a)->rx_packets, 4);
	ck_assert_uint_eq(rig_legstats(&rig, a)->dropped, 4);
}
END_TEST

/* As a phone does that keeps its key and begins a stream anew when it resumes */
START_TEST(each_resume_may_bring_one_more_ssrc)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	unsigned i;

	a->talking = false;
	for (i = 0; i < 12; i++) {
		ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
		a->ssrc += 0x01010101;
		phone_send_frame(a, -1);
		(void)rig_run(&rig, 20, NULL, NULL);
	}
	ck_assert_uint_eq(rig_legstats(&rig, a)->rx_packets, 12);

	/* not more than one, and not without end */
	for (i = 0; i < 80; i++) {
		ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
		for (unsigned k = 0; k < 2; k++) {
			a->ssrc += 0x01010101;
			phone_send_frame(a, -1);
		}
		(void)rig_run(&rig, 10, NULL, NULL);
	}
	ck_assert_uint_eq(rig_legstats(&rig, a)->rx_packets, 64);
}
END_TEST

START_TEST(mixer_moves_away_from_a_participants_ssrc)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	struct phone *b = phone_add(&rig, &(struct phone_opt){.freq = freqv[1]});
	const uint32_t ours = rig.tx_ssrc;      /* toward b */

	(void)rig_run(&rig, 500, NULL, NULL);
	a->ssrc = ours;
	(void)rig_run(&rig, 1500, NULL, NULL);
	ck_assert_uint_ne(rig_legstats(&rig, b)->tx_ssrc, ours);
	ck_assert_uint_eq(count_ssrcs(b), 2);
	ck_assert_uint_eq(b->byes, 1);
	ck_assert_uint_eq(b->bye_ssrc, ours);
	ck_assert_uint_eq(b->auth_failed, 0);
	ck_assert_uint_eq(check_unique(), 0);
}
END_TEST

/* Each move is a gap for everybody who hears that stream */
START_TEST(participant_that_chases_our_ssrc_moves_it_seldom)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	struct phone *b = phone_add(&rig, &(struct phone_opt){.freq = freqv[1]});
	unsigned i;

	(void)rig_run(&rig, 300, NULL, NULL);
	for (i = 0; i < 30; i++) {
		phone_fresh_tx(&rig, a);
		ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
		a->ssrc = rig_legstats(&rig, b)->tx_ssrc;
		(void)rig_run(&rig, 60, NULL, NULL);
	}
	ck_assert_uint_ge(count_ssrcs(b), 2);
	ck_assert_uint_le(count_ssrcs(b), 13);
	ck_assert_uint_eq(check_unique(), 0);
}
END_TEST

/* ---- how long silence may last ---- */

static bool idle_told(struct rig *r, void *arg)
{
	return r->idle >= *(unsigned *)arg;
}

/** Time in ms until so many LegIdle in all have come */
static uint64_t until_idle(unsigned n)
{
	const uint64_t t0 = rig_now_us();

	ck_assert(rig_run(&rig, 3000, idle_told, &n));

	return (rig_now_us() - t0) / 1000;
}

START_TEST(silent_leg_is_told_when_its_time_is_over_and_not_before)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	uint64_t ms;

	/* nobody asked for it */
	a->talking = false;
	(void)rig_run(&rig, 600, NULL, NULL);
	ck_assert_uint_eq(rig.idle, 0);

	/* its time begins with the question, and with every packet */
	a->idle_ms = 500;
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
	a->talking = true;
	(void)rig_run(&rig, 1200, NULL, NULL);
	ck_assert_uint_eq(rig.idle, 0);
	a->talking = false;
	ms = until_idle(1);
	ck_assert_msg(ms >= 400 && ms < 800, "told after %llu ms", (unsigned long long)ms);
	ck_assert_uint_ge(rig.idle_told_ms, 500);
	ms = until_idle(2);
	ck_assert_msg(ms >= 400 && ms < 800, "again after %llu ms", (unsigned long long)ms);
	ck_assert_uint_ge(rig.idle_told_ms, 1000);
}
END_TEST

START_TEST(time_of_a_leg_that_was_on_hold_begins_anew)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	uint64_t ms;

	a->talking = false;
	a->idle_ms = 500;
	a->no_recv = true;
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
	(void)until_idle(1);
	(void)rig_run(&rig, 300, NULL, NULL);
	a->no_recv = false;
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
	ms = until_idle(2);
	ck_assert_msg(ms >= 400 && ms < 800, "told after %llu ms", (unsigned long long)ms);

	/* and no more when nobody wants to know */
	a->idle_ms = 0;
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
	(void)rig_run(&rig, 700, NULL, NULL);
	ck_assert_uint_eq(rig.idle, 2);
}
END_TEST

/* ---- Mp ---- */

START_TEST(requests_that_make_no_sense_are_refused)
{
	Mp__Message m = MP__MESSAGE__INIT;
	Mp__LegSet ls = MP__LEG_SET__INIT;

	m.body_case = MP__MESSAGE__BODY_LEG_SET;
	m.leg_set = &ls;
	ls.conf = 99;
	ck_assert_int_eq(rig_request(&rig, &m), MP__STATUS__ERR_NO_CONF);
	ls.conf = CONF;
	ck_assert_int_eq(rig_request(&rig, &m), MP__STATUS__ERR_INVALID);
	ls.leg = 1;
	ls.family = 4;
	ls.codec = 77;
	ck_assert_int_eq(rig_request(&rig, &m), MP__STATUS__ERR_INVALID);
	ls.codec = CODEC_PCMA;
	ls.pt = 72;
	ck_assert_int_eq(rig_request(&rig, &m), MP__STATUS__ERR_INVALID);
	ls.pt = PT_PCMA;
	ls.family = 6;
	ck_assert_int_eq(rig_request(&rig, &m), MP__STATUS__ERR_INVALID);
	m.body_case = MP__MESSAGE__BODY__NOT_SET;
	ck_assert_int_eq(rig_request(&rig, &m), MP__STATUS__ERR_UNKNOWN);
	ck_assert_int_eq(rig_stats(&rig, 0), MP__STATUS__OK);
	ck_assert_uint_eq(rig.st.legs, 0);
	ck_assert_uint_eq(rig.st.ports, 0);
}
END_TEST

START_TEST(the_same_leg_said_twice_is_one_leg)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){0});
	const uint32_t port = rig.port, ssrc = rig.tx_ssrc;

	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
	ck_assert_uint_eq(rig.port, port);
	ck_assert_uint_eq(rig.tx_ssrc, ssrc);
	ck_assert_int_eq(rig_stats(&rig, 0), MP__STATUS__OK);
	ck_assert_uint_eq(rig.st.legs, 1);
	ck_assert_uint_eq(rig.st.secrets, 2);
}
END_TEST

static unsigned threads_of(pid_t pid)
{
	char path[64], line[256];
	unsigned n = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		(void)sscanf(line, "Threads: %u", &n);
	(void)fclose(f);

	return n;
}

static void churn(unsigned n)
{
	unsigned i, k;

	for (i = 0; i < n; i++) {
		static const enum codec_id codecv[3] = {CODEC_OPUS, CODEC_G722, CODEC_PCMU};

		ck_assert_int_eq(rig_conf(&rig, CONF, 0), MP__STATUS__OK);
		for (k = 0; k < 3; k++) {
			struct phone *p = phone_add(&rig, &(struct phone_opt){.codec = codecv[k]});

			phone_send_frame(p, -1);
		}
		install_epoch(1);
		ck_assert_int_eq(rig_release(&rig, CONF), MP__STATUS__OK);
		ck_assert_int_eq(rig_release(&rig, CONF), MP__STATUS__OK);
		secret_free(&epochv[1]);
		rig_phones_gone(&rig);
	}
}

START_TEST(a_thousand_conferences_leave_nothing_behind)
{
	uint64_t rss;
	uint32_t fds;

	ck_assert_int_eq(rig_release(&rig, CONF), MP__STATUS__OK);
	ck_assert_int_eq(rig_stats(&rig, 0), MP__STATUS__OK);
	fds = rig.st.fds;
	ck_assert_uint_gt(fds, 3);
	churn(300);
	ck_assert_int_eq(rig_stats(&rig, 0), MP__STATUS__OK);
	rss = rig.st.rss_kib;
	churn(1000);
	ck_assert_int_eq(rig_stats(&rig, 0), MP__STATUS__OK);
	ck_assert_uint_eq(rig.st.fds, fds);
	ck_assert_uint_eq(rig.st.confs + rig.st.legs + rig.st.ports + rig.st.secrets, 0);
	ck_assert_uint_eq(threads_of(rig.pid), 1);
	if (!SANITIZED)
		ck_assert_msg(rig.st.rss_kib <= rss + 1024, "%lu KiB, then %lu", (unsigned long)rss,
			      (unsigned long)rig.st.rss_kib);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("mixer");

	mixcase_add(s, "endpoint keying", mixcase_up4, (const TTest *const[]){
			three_legs_hear_each_other_and_not_themselves,
			four_codecs_are_mixed_in_one_conference,
			every_suite_protects_both_directions,
			any_ptime_goes_in_and_out,
			leg_keeps_its_ssrc_when_it_stops_and_starts_talking,
			first_word_is_heard_within_80_ms,
			silent_conference_sends_next_to_nothing,
			NULL });
	mixcase_add(s, "IPv6", mixcase_up6, (const TTest *const[]){
			ipv6_and_separate_rtcp_ports_work,
			move_to_another_address_family_that_fails_costs_nothing,
			NULL });
	mixcase_add(s, "who is believed", mixcase_up4, (const TTest *const[]){
			stranger_changes_nothing_and_gets_nothing,
			replayed_packets_are_counted_and_move_nothing,
			authenticated_sender_that_moves_is_followed,
			ssrc_of_a_leg_is_told_and_its_changes_are_told_seldom,
			sender_that_moves_with_every_packet_is_followed_and_told_seldom,
			fifth_ssrc_of_a_leg_is_refused,
			each_resume_may_bring_one_more_ssrc,
			mixer_moves_away_from_a_participants_ssrc,
			participant_that_chases_our_ssrc_moves_it_seldom,
			NULL });
	mixcase_add(s, "silence", mixcase_up4, (const TTest *const[]){
			silent_leg_is_told_when_its_time_is_over_and_not_before,
			time_of_a_leg_that_was_on_hold_begins_anew,
			NULL });
	mixcase_add(s, "Mp", mixcase_up4, (const TTest *const[]){
			requests_that_make_no_sense_are_refused,
			the_same_leg_said_twice_is_one_leg,
			a_thousand_conferences_leave_nothing_behind,
			NULL });

	return s;
}

int main(void)
{
	return check_run(suite());
}
