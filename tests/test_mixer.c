/**
 * @file test_mixer.c  The real mixer process, from both of its borders
 */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "mixrig.h"

enum { CLASS = 3, PT_PCMA = 8 };

static struct rig rig;
static struct secret *epochv[4];
static uint32_t keynov[4];

static void setup(int family)
{
	memset(epochv, 0, sizeof(epochv));
	rig_start(&rig, family);
	ck_assert_int_eq(rig_conf(&rig, CONF, 6), MP__STATUS__OK);
}

static void setup4(void)
{
	setup(AF_INET);
}

static void setup6(void)
{
	setup(AF_INET6);
}

static void teardown(void)
{
	unsigned i;

	rig_stop(&rig);
	for (i = 0; i < 4; i++)
		secret_free(&epochv[i]);
	ck_assert_uint_eq(secret_count(), 0);
}

static const double freqv[4] = {440, 660, 990, 1485};

/* ---- what a phone heard ---- */

/* Each of n phones hears every other one and not itself */
static void check_mix(unsigned n)
{
	unsigned i, k;

	for (i = 0; i < n; i++) {
		double lo = 0, hi = -200;

		for (k = 0; k < n; k++) {
			const double db = phone_hears(&rig.phonev[i], freqv[k]);

			if (k == i) {
				ck_assert_msg(db < -50, "phone %u hears itself at %.1f", i, db);
				continue;
			}
			ck_assert_msg(db > -30, "phone %u hears %u at %.1f", i, k, db);
			ck_assert_msg(phone_gap_ms(&rig.phonev[i], freqv[k]) <= 60, "phone %u, tone %u: gap %u ms",
				      i, k, phone_gap_ms(&rig.phonev[i], freqv[k]));
			lo = db < lo ? db : lo;
			hi = db > hi ? db : hi;
		}
		ck_assert_msg(hi - lo <= 3, "phone %u: levels differ by %.1f dB", i, hi - lo);
		ck_assert_uint_eq(rig.phonev[i].auth_failed, 0);
	}
}

static int by_index(const void *a, const void *b)
{
	const struct wire *w = *(const struct wire *const *)a, *v = *(const struct wire *const *)b;

	if (w->keyno != v->keyno)
		return w->keyno < v->keyno ? -1 : 1;
	if (w->ssrc != v->ssrc)
		return w->ssrc < v->ssrc ? -1 : 1;

	return (int)w->seq - (int)v->seq;
}

/* No (key, SSRC, SEQ) covers two different packets; streams here are too
   short for a second ROC.  @return packets seen by more than one phone */
static unsigned check_unique(void)
{
	struct wire **v = calloc(RIG_PHONES * RIG_WIRE, sizeof(*v));
	unsigned i, k, n = 0, shared = 0;

	ck_assert_ptr_nonnull(v);
	for (i = 0; i < rig.phonec; i++)
		for (k = 0; k < rig.phonev[i].wirec; k++)
			if (!rig.phonev[i].wirev[k].rtcp)
				v[n++] = &rig.phonev[i].wirev[k];
	ck_assert_uint_gt(n, 0);
	qsort(v, n, sizeof(*v), by_index);

	for (i = 1; i < n; i++) {
		if (by_index(&v[i - 1], &v[i]))
			continue;
		++shared;
		ck_assert_uint_eq(v[i]->len, v[i - 1]->len);
		ck_assert_mem_eq(v[i]->v, v[i - 1]->v, v[i]->len);
	}
	free(v);

	return shared;
}

static unsigned count_ssrcs(const struct phone *p)
{
	uint32_t seen[32];
	unsigned i, k, n = 0;

	for (i = 0; i < p->wirec; i++) {
		for (k = 0; k < n && seen[k] != p->wirev[i].ssrc; k++)
			;
		if (k == n && !p->wirev[i].rtcp && n < 32)
			seen[n++] = p->wirev[i].ssrc;
	}

	return n;
}

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

/* ---- keys ---- */

START_TEST(new_uplink_key_takes_over_without_a_gap)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	struct phone *b = phone_add(&rig, &(struct phone_opt){0});
	struct secret *old = NULL;
	struct msrtp *tx = a->tx;

	(void)rig_run(&rig, 600, NULL, NULL);
	/* the mixer knows the new key before the phone uses it */
	old = a->tx_secret;
	a->tx = NULL;
	a->tx_secret = NULL;
	phone_fresh_tx(&rig, a);
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
	msrtp_free(&a->tx);
	a->tx = tx;
	(void)rig_run(&rig, 600, NULL, NULL);
	ck_assert_uint_eq(rig_legstats(&rig, a)->auth_failed, 0);

	msrtp_free(&a->tx);
	ck_assert_int_eq(msrtp_new(&a->tx, MSRTP_TX, a->suite, a->tx_secret, NULL, 0), 0);
	(void)rig_run(&rig, 600, NULL, NULL);
	ck_assert_uint_eq(rig_legstats(&rig, a)->auth_failed, 0);
	ck_assert_uint_le(phone_gap_ms(b, freqv[0]), 40);

	/* the old key is gone some time later */
	(void)rig_run(&rig, 2000, NULL, NULL);
	msrtp_free(&a->tx);
	ck_assert_int_eq(msrtp_new(&a->tx, MSRTP_TX, a->suite, old, NULL, 0), 0);
	(void)rig_run(&rig, 200, NULL, NULL);
	ck_assert_uint_gt(rig_legstats(&rig, a)->auth_failed, 5);
	secret_free(&old);
}
END_TEST

static bool hard_limit(struct rig *r, void *arg)
{
	return r->hard_limits >= *(unsigned *)arg;
}

static bool has_wrapped(struct rig *r, void *arg)
{
	(void)arg;

	return r->roc == 1;
}

/* As after the death of a mixer: the leg is new, the peer's stream is not */
START_TEST(peer_whose_sequence_has_wrapped_is_heard_by_a_mixer_that_is_told)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	unsigned failed;

	a->seq = 65500;
	ck_assert(rig_run(&rig, 3000, has_wrapped, NULL));
	ck_assert_uint_eq(rig.roc_ssrc, a->ssrc);
	ck_assert_int_eq(phone_remove(&rig, a), MP__STATUS__OK);
	a->talking = true;
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
	(void)rig_run(&rig, 400, NULL, NULL);
	ck_assert_uint_eq(rig_legstats(&rig, a)->auth_failed, 0);
	ck_assert_uint_gt(rig_legstats(&rig, a)->rx_packets, 5);

	rig.roc = 0;
	ck_assert_int_eq(phone_remove(&rig, a), MP__STATUS__OK);
	a->talking = true;
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
	(void)rig_run(&rig, 400, NULL, NULL);
	failed = (unsigned)rig_legstats(&rig, a)->auth_failed;
	ck_assert_uint_gt(failed, 5);
}
END_TEST

/* Other words about a key, or another key beside it, do not make it a new one */
START_TEST(peer_that_goes_on_under_its_key_goes_on_in_its_context)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0], .lifetime = 300});
	uint8_t buf[20][RTPH_MTU + RTPH_TRAILER_MAX];
	struct secret *first;
	struct msrtp *tx;
	unsigned i, one = 1;
	size_t len[20];

	a->talking = false;
	for (i = 0; i < 20; i++) {
		len[i] = phone_build(a, buf[i]);
		phone_raw(a, -1, buf[i], len[i]);
	}
	(void)rig_run(&rig, 200, NULL, NULL);
	ck_assert_uint_eq(rig_legstats(&rig, a)->rx_packets, 20);
	a->lifetime = 60;
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
	for (i = 0; i < 20; i++)
		phone_raw(a, -1, buf[i], len[i]);
	(void)rig_run(&rig, 200, NULL, NULL);
	ck_assert_uint_eq(rig_legstats(&rig, a)->replayed, 20);
	ck_assert_uint_eq(rig_legstats(&rig, a)->rx_packets, 20);

	/* to another one and back: what it has used is used */
	first = a->tx_secret;
	tx = a->tx;
	a->tx_secret = NULL;
	a->tx = NULL;
	phone_fresh_tx(&rig, a);
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
	secret_free(&a->tx_secret);
	msrtp_free(&a->tx);
	a->tx_secret = first;
	a->tx = tx;
	a->lifetime = 61;
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
	for (i = 0; i < 20; i++)
		phone_raw(a, -1, buf[i], len[i]);
	(void)rig_run(&rig, 200, NULL, NULL);
	ck_assert_uint_eq(rig_legstats(&rig, a)->replayed, 40);
	a->talking = true;
	ck_assert(rig_run(&rig, 3000, hard_limit, &one));
	ck_assert_uint_eq(rig_legstats(&rig, a)->rx_packets, 61);
}
END_TEST

/* Its sender wrapped before this packet */
static void count_on(struct phone *p)
{
	const struct rtph h = {.ssrc = p->ssrc};
	uint8_t pkt[64 + RTPH_TRAILER_MAX];

	for (unsigned i = 0; i < 2; i++) {
		struct rtph next = h;
		size_t len;

		next.seq = (uint16_t)(i - 1);
		len = rtph_encode(pkt, sizeof(pkt), &next);
		ck_assert_int_eq(msrtp_protect(p->tx, pkt, &len), MSRTP_OK);
	}
}

/* RFC 3711 has the counter go on, many phones begin anew: both are heard */
START_TEST(peers_whose_sequences_have_wrapped_are_heard_under_a_new_key)
{
	struct phone *anew = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	struct phone *on = phone_add(&rig, &(struct phone_opt){.freq = freqv[1]});
	struct phone *b = phone_add(&rig, &(struct phone_opt){0});

	anew->seq = on->seq = 65500;
	ck_assert(rig_run(&rig, 3000, has_wrapped, NULL));
	(void)rig_run(&rig, 200, NULL, NULL);
	rig.roc = rig.roc_ssrc = 0;
	phone_fresh_tx(&rig, anew);
	phone_fresh_tx(&rig, on);
	count_on(on);
	ck_assert_int_eq(phone_set(&rig, anew, 0, 0, false, true), MP__STATUS__OK);
	ck_assert_int_eq(phone_set(&rig, on, 0, 0, false, true), MP__STATUS__OK);
	(void)rig_run(&rig, 600, NULL, NULL);
	ck_assert_uint_eq(rig_legstats(&rig, anew)->auth_failed, 0);
	ck_assert_uint_eq(rig_legstats(&rig, on)->auth_failed, 0);
	ck_assert_uint_le(phone_gap_ms(b, freqv[0]), 40);
	ck_assert_uint_le(phone_gap_ms(b, freqv[1]), 40);

	/* a mixer that comes after this one has to be told */
	ck_assert_uint_eq(rig.roc_ssrc, on->ssrc);
	ck_assert_uint_eq(rig.roc, 1);
}
END_TEST

START_TEST(new_downlink_key_brings_a_new_ssrc_at_once)
{
	struct phone *b = phone_add(&rig, &(struct phone_opt){0});
	uint32_t ssrc = rig.tx_ssrc;

	(void)phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	(void)rig_run(&rig, 600, NULL, NULL);
	secret_free(&b->rx_secret);
	ck_assert_int_eq(secret_draw(&b->rx_secret, suite_keysalt_len(b->suite)), 0);
	phone_add_rx(b, b->suite, b->rx_secret, ++rig.keyc);
	ck_assert_int_eq(phone_set(&rig, b, 0, 0, false, true), MP__STATUS__OK);
	ck_assert_uint_ne(rig.tx_ssrc, ssrc);
	(void)rig_run(&rig, 800, NULL, NULL);
	ck_assert_uint_eq(count_ssrcs(b), 2);
	ck_assert_uint_eq(b->auth_failed, 0);
	ck_assert_uint_le(phone_gap_ms(b, freqv[0]), 60);
	/* the old one is named in a BYE, under the new key */
	ck_assert_uint_eq(b->bye_ssrc, ssrc);
}
END_TEST

START_TEST(declared_lifetime_of_a_key_is_kept_in_both_directions)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0], .lifetime = 60});
	struct phone *b;
	unsigned one = 1, two = 2;

	/* the uplink: warned, then refused */
	ck_assert(rig_run(&rig, 3000, hard_limit, &one));
	ck_assert_uint_eq(rig.limits, 1);
	ck_assert_uint_eq(rig_legstats(&rig, a)->rx_packets, 60);

	/* the downlink: warned, then silent */
	(void)phone_add(&rig, &(struct phone_opt){.freq = freqv[1]});
	b = phone_add(&rig, &(struct phone_opt){.lifetime = 60});
	rig.limits = 0;
	ck_assert(rig_run(&rig, 3000, hard_limit, &two));
	ck_assert_uint_ge(rig.limits, 1);
	(void)rig_run(&rig, 300, NULL, NULL);
	ck_assert_uint_eq(b->rtpc, 60);
}
END_TEST

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

START_TEST(our_own_key_sent_back_is_refused)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){0});

	secret_free(&a->tx_secret);
	ck_assert_int_eq(secret_copy(&a->tx_secret, secret_bytes(a->rx_secret), secret_len(a->rx_secret)), 0);
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__ERR_INVALID);
}
END_TEST

START_TEST(without_a_key_nothing_is_sent)
{
	struct phone *b = phone_add(&rig, &(struct phone_opt){.no_own_key = true});

	(void)phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	(void)rig_run(&rig, 1800, NULL, NULL);
	ck_assert_uint_eq(b->wirec, 0);
}
END_TEST

/* ---- group keying ---- */

static struct phone *group_phone(double freq, unsigned epoch)
{
	return phone_add(&rig, &(struct phone_opt){.freq = freq, .class_id = CLASS, .epoch = epoch,
			.no_own_key = true, .group = epochv[epoch], .keyno = keynov[epoch]});
}

static void install(unsigned epoch)
{
	ck_assert_int_eq(rig_key(&rig, CLASS, epoch, SUITE_AES_CM_128_HMAC_SHA1_80, CODEC_PCMA, PT_PCMA,
				 &epochv[epoch], &keynov[epoch]), MP__STATUS__OK);
}

START_TEST(silent_legs_of_a_class_get_the_same_bytes)
{
	struct phone *a, *b, *c, *d;
	unsigned i, k, same = 0;

	install(1);
	a = group_phone(freqv[0], 1);
	b = group_phone(freqv[1], 1);
	c = group_phone(0, 1);
	d = group_phone(0, 1);
	(void)rig_run(&rig, 2500, NULL, NULL);

	/* talkers: mix-minus; listeners: both tones */
	ck_assert_double_gt(phone_hears(a, freqv[1]), -30);
	ck_assert_double_lt(phone_hears(a, freqv[0]), -50);
	ck_assert_double_gt(phone_hears(c, freqv[0]), -30);
	ck_assert_double_gt(phone_hears(d, freqv[1]), -30);
	for (i = 0; i < 4; i++)
		ck_assert_uint_eq(rig.phonev[i].auth_failed, 0);

	for (i = 0; i < c->wirec; i++)
		for (k = 0; k < d->wirec; k++)
			same += !c->wirev[i].rtcp && c->wirev[i].len == d->wirev[k].len &&
				!memcmp(c->wirev[i].v, d->wirev[k].v, c->wirev[i].len);
	ck_assert_uint_ge(same, d->rtpc - 2);
	ck_assert_uint_ge(check_unique(), 80);
	/* the class's SSRC is one, a talker's mix-minus has another */
	ck_assert_uint_eq(count_ssrcs(c), 1);
	ck_assert_uint_ne(c->heard_ssrc, a->heard_ssrc);
	ck_assert_uint_ne(a->heard_ssrc, b->heard_ssrc);
}
END_TEST

START_TEST(legs_change_epoch_one_by_one)
{
	struct phone *b, *c;

	install(1);
	(void)group_phone(freqv[0], 1);
	b = group_phone(0, 1);
	c = group_phone(0, 1);
	(void)rig_run(&rig, 600, NULL, NULL);
	install(2);
	phone_add_rx(b, b->suite, epochv[2], keynov[2]);
	phone_add_rx(c, c->suite, epochv[2], keynov[2]);
	ck_assert_int_eq(phone_set(&rig, b, CLASS, 2, false, false), MP__STATUS__OK);
	(void)rig_run(&rig, 400, NULL, NULL);
	/* both epochs are live: each leg hears under its own */
	ck_assert_uint_ne(b->heard_ssrc, c->heard_ssrc);
	ck_assert_uint_eq(b->wirev[b->wirec - 1].keyno, keynov[2]);
	ck_assert_uint_eq(c->wirev[c->wirec - 1].keyno, keynov[1]);
	/* the laggard falls silent with its epoch */
	ck_assert_int_eq(rig_retire(&rig, CLASS, 1), MP__STATUS__OK);
	(void)rig_run(&rig, 100, NULL, NULL);
	c->wirec = b->wirec = 0;
	(void)rig_run(&rig, 400, NULL, NULL);
	ck_assert_uint_eq(c->wirec, 0);
	ck_assert_uint_gt(b->wirec, 15);
	ck_assert_int_eq(phone_set(&rig, c, CLASS, 1, false, false), MP__STATUS__ERR_NO_KEY);
	ck_assert_int_eq(phone_set(&rig, c, CLASS, 2, false, false), MP__STATUS__OK);
	(void)rig_run(&rig, 400, NULL, NULL);
	ck_assert_uint_eq(c->heard_ssrc, b->heard_ssrc);
	(void)check_unique();
	ck_assert_uint_le(phone_gap_ms(b, freqv[0]), 60);
}
END_TEST

static bool has_report(struct rig *r, void *arg)
{
	return r->reports && r->report_ssrc == *(uint32_t *)arg;
}

START_TEST(trial_leg_gets_both_streams_and_its_report_is_the_proof)
{
	struct phone *b;
	uint32_t group_ssrc = 0;
	struct rtcpx rr;
	unsigned i;

	install(1);
	(void)phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	b = phone_add(&rig, &(struct phone_opt){.class_id = CLASS, .epoch = 1, .both = true,
			.group = epochv[1], .keyno = keynov[1]});
	(void)rig_run(&rig, 600, NULL, NULL);
	ck_assert_uint_eq(count_ssrcs(b), 2);
	for (i = 0; i < b->wirec; i++)
		if (b->wirev[i].keyno == keynov[1] && !b->wirev[i].rtcp)
			memcpy(&group_ssrc, b->wirev[i].v + 8, 4);
	group_ssrc = ntohl(group_ssrc);

	memset(&rr, 0, sizeof(rr));
	rr.sender_ssrc = b->ssrc;
	rr.rbc = 2;
	rr.rbv[0].ssrc = 0x12345;
	rr.rbv[1].ssrc = group_ssrc;
	phone_send_rtcp(b, &rr);
	phone_send_rtcp(b, &rr);
	ck_assert(rig_run(&rig, 1000, has_report, &group_ssrc));
	(void)rig_run(&rig, 100, NULL, NULL);
	ck_assert_uint_eq(rig.reports, 1);
	ck_assert_uint_eq(rig.report_leg, b->leg);
}
END_TEST

static unsigned under_key(const struct phone *p, uint32_t keyno)
{
	unsigned i, n = 0;

	for (i = 0; i < p->wirec; i++)
		n += !p->wirev[i].rtcp && p->wirev[i].keyno == keyno;

	return n;
}

static struct phone *mki_phone(double freq, unsigned epoch)
{
	return phone_add(&rig, &(struct phone_opt){.freq = freq, .class_id = CLASS, .epoch = epoch,
			.mki = true, .group = epochv[epoch], .keyno = keynov[epoch]});
}

START_TEST(leg_with_two_keys_falls_back_and_returns_without_a_gap)
{
	struct phone *talker, *plain, *b, *c, *pv[3];
	unsigned before[3], i;

	rig.mki = true;
	install(1);
	talker = mki_phone(freqv[0], 1);
	b = mki_phone(0, 1);
	c = mki_phone(freqv[1], 1);
	plain = phone_add(&rig, &(struct phone_opt){0});
	(void)talker;
	pv[0] = plain;
	pv[1] = b;
	pv[2] = c;
	(void)rig_run(&rig, 800, NULL, NULL);
	/* the group stream, and nothing under their own keys */
	ck_assert_uint_gt(under_key(b, keynov[1]), 20);
	ck_assert_uint_eq(under_key(b, keynov[1]), b->rtpc);
	ck_assert_uint_eq(under_key(c, keynov[1]), c->rtpc);

	for (i = 0; i < 3; i++)
		before[i] = pv[i]->rtpc;
	ck_assert_int_eq(rig_retire(&rig, CLASS, 1), MP__STATUS__OK);
	(void)rig_run(&rig, 60, NULL, NULL);
	b->wirec = c->wirec = 0;
	(void)rig_run(&rig, 400, NULL, NULL);
	ck_assert_uint_gt(under_key(b, b->rxv[0].keyno), 15);
	ck_assert_uint_eq(under_key(b, keynov[1]), 0);
	ck_assert_uint_gt(under_key(c, c->rxv[0].keyno), 15);

	install(2);
	phone_add_rx(b, b->suite, epochv[2], keynov[2]);
	phone_add_rx(c, c->suite, epochv[2], keynov[2]);
	ck_assert_int_eq(phone_set(&rig, b, CLASS, 2, false, true), MP__STATUS__OK);
	ck_assert_int_eq(phone_set(&rig, c, CLASS, 2, false, true), MP__STATUS__OK);
	(void)rig_run(&rig, 60, NULL, NULL);
	b->wirec = c->wirec = 0;
	(void)rig_run(&rig, 400, NULL, NULL);
	ck_assert_uint_gt(under_key(b, keynov[2]), 15);
	ck_assert_uint_eq(under_key(b, b->rxv[0].keyno), 0);
	ck_assert_uint_gt(under_key(c, keynov[2]), 15);

	/* not one packet less than who never changed its key */
	for (i = 1; i < 3; i++) {
		ck_assert_int_le(abs((int)(pv[i]->rtpc - before[i]) -
				     (int)(plain->rtpc - before[0])), 1);
		ck_assert_uint_eq(pv[i]->auth_failed, 0);
	}
	(void)check_unique();
}
END_TEST

/** The stream that was left is named in a BYE, and its own is there at once,
 *  even if nobody talks */
START_TEST(fall_back_in_silence_is_heard_of_at_once)
{
	struct phone *b;

	rig.mki = true;
	install(1);
	b = mki_phone(0, 1);
	(void)rig_run(&rig, 600, NULL, NULL);
	b->wirec = b->rtpc = 0;
	ck_assert_int_eq(rig_retire(&rig, CLASS, 1), MP__STATUS__OK);
	(void)rig_run(&rig, 1000, NULL, NULL);
	ck_assert_uint_ge(b->rtpc, 1);
	ck_assert_uint_eq(under_key(b, b->rxv[0].keyno), b->rtpc);
	ck_assert_uint_eq(b->byes, 1);
}
END_TEST

START_TEST(silent_trial_leg_hears_from_both_streams_every_second)
{
	struct phone *b;

	install(1);
	b = phone_add(&rig, &(struct phone_opt){.class_id = CLASS, .epoch = 1, .both = true,
			.group = epochv[1], .keyno = keynov[1]});
	(void)rig_run(&rig, 500, NULL, NULL);
	b->wirec = b->rtpc = 0;
	(void)rig_run(&rig, 2500, NULL, NULL);
	ck_assert_uint_ge(b->rtpc, 4);
	ck_assert_uint_le(b->rtpc, 8);
	ck_assert_uint_eq(count_ssrcs(b), 2);
}
END_TEST

START_TEST(key_install_is_idempotent_and_never_changes_a_key)
{
	struct secret *other = NULL;
	uint32_t keyno;

	install(1);
	install(1);
	ck_assert_int_eq(rig_key(&rig, CLASS, 1, SUITE_AES_CM_128_HMAC_SHA1_80, CODEC_PCMA, PT_PCMA,
				 &other, &keyno), MP__STATUS__ERR_INVALID);
	secret_free(&other);
	ck_assert_int_eq(rig_retire(&rig, CLASS, 1), MP__STATUS__OK);
	ck_assert_int_eq(rig_retire(&rig, CLASS, 1), MP__STATUS__OK);
}
END_TEST

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

/* ---- speakers ---- */

START_TEST(closed_gate_silences_a_leg)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	struct phone *b = phone_add(&rig, &(struct phone_opt){0});

	(void)rig_run(&rig, 500, NULL, NULL);
	ck_assert_int_eq(phone_gate(&rig, a, false), MP__STATUS__OK);
	(void)rig_run(&rig, 300, NULL, NULL);
	phone_forget_audio(b);
	(void)rig_run(&rig, 600, NULL, NULL);
	ck_assert_double_lt(phone_hears(b, freqv[0]), -60);
	ck_assert_uint_eq(rig.talkerc, 0);
	ck_assert_int_eq(phone_gate(&rig, a, true), MP__STATUS__OK);
	phone_forget_audio(b);
	(void)rig_run(&rig, 700, NULL, NULL);
	ck_assert_double_gt(phone_hears(b, freqv[0]), -30);
}
END_TEST

START_TEST(who_holds_and_sends_its_own_music_is_not_heard)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	struct phone *b = phone_add(&rig, &(struct phone_opt){0});

	(void)rig_run(&rig, 500, NULL, NULL);
	a->no_recv = true;
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
	(void)rig_run(&rig, 300, NULL, NULL);
	phone_forget_audio(b);
	(void)rig_run(&rig, 600, NULL, NULL);
	ck_assert_double_lt(phone_hears(b, freqv[0]), -60);
	a->no_recv = false;
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
	phone_forget_audio(b);
	(void)rig_run(&rig, 700, NULL, NULL);
	ck_assert_double_gt(phone_hears(b, freqv[0]), -30);
}
END_TEST

START_TEST(no_more_than_k_are_mixed)
{
	struct phone *d;
	unsigned i, heard = 0;

	ck_assert_int_eq(rig_conf(&rig, CONF, 2), MP__STATUS__OK);
	for (i = 0; i < 4; i++)
		(void)phone_add(&rig, &(struct phone_opt){.freq = freqv[i]});
	d = phone_add(&rig, &(struct phone_opt){0});
	(void)rig_run(&rig, 2000, NULL, NULL);
	for (i = 0; i < 4; i++)
		heard += phone_hears(d, freqv[i]) > -35;
	ck_assert_uint_eq(heard, 2);
	ck_assert_uint_eq(rig.talkerc, 2);
	ck_assert_uint_eq(d->csrcc, 2);
}
END_TEST

START_TEST(a_level_that_is_a_lie_wins_nothing)
{
	struct phone *d;
	unsigned i;

	ck_assert_int_eq(rig_conf(&rig, CONF, 1), MP__STATUS__OK);
	/* claims to be loud, sends silence */
	struct phone *liar = phone_add(&rig, &(struct phone_opt){.freq = 1, .level_ext = 1, .level = 5});
	tone_gen_init(&liar->tone, 440, 8000, -120);
	(void)rig_run(&rig, 1000, NULL, NULL);
	ck_assert_uint_eq(rig.talkerc, 0);
	(void)phone_add(&rig, &(struct phone_opt){.freq = freqv[1]});
	d = phone_add(&rig, &(struct phone_opt){0});
	(void)rig_run(&rig, 1500, NULL, NULL);
	phone_forget_audio(d);
	for (i = 0; i < 2; i++)
		(void)rig_run(&rig, 500, NULL, NULL);
	ck_assert_double_gt(phone_hears(d, freqv[1]), -30);
	ck_assert_uint_le(phone_gap_ms(d, freqv[1]), 40);
}
END_TEST

static int peak_of(const struct phone *p)
{
	int peak = 0;
	size_t i;

	for (i = 0; i < p->pcmc; i++)
		peak = abs(p->pcm[i]) > peak ? abs(p->pcm[i]) : peak;

	return peak;
}

/* Its mix-minus is made by another encoder than what it heard before, which its
   decoder does not know */
static void begin_to_talk(enum codec_id codec)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	struct phone *b = phone_add(&rig, &(struct phone_opt){.codec = codec, .freq = freqv[3]});
	unsigned i;

	b->talking = false;
	for (i = 0; i < 3; i++) {
		/* louder while it talks, or softer, or louder again */
		tone_gen_init(&a->tone, freqv[0], 8000, i & 1 ? -10 : -30);
		(void)rig_run(&rig, 700, NULL, NULL);
		if (!i)
			phone_forget_audio(b);
		b->talking = true;
		b->next_us = rig_now_us();
		(void)rig_run(&rig, 300, NULL, NULL);
		tone_gen_init(&a->tone, freqv[0], 8000, i & 1 ? -30 : -10);
		(void)rig_run(&rig, 300, NULL, NULL);
		b->talking = false;
		(void)rig_run(&rig, 400, NULL, NULL);
	}
	ck_assert_double_lt(phone_hears(b, freqv[3]), -50);
	ck_assert_double_gt(phone_hears(b, freqv[0]), -20);
	/* -10 dBFS is 14654, and the tone itself jumps */
	ck_assert_int_lt(peak_of(b), 22000);
}

START_TEST(who_begins_to_talk_or_stops_hears_no_burst_with_g722)
{
	begin_to_talk(CODEC_G722);
}
END_TEST

START_TEST(who_begins_to_talk_or_stops_hears_no_burst_with_opus)
{
	begin_to_talk(CODEC_OPUS);
}
END_TEST

static void lie(enum codec_id codec)
{
	struct phone *t, *d, *liar;

	ck_assert_int_eq(rig_conf(&rig, CONF, 1), MP__STATUS__OK);
	t = phone_add(&rig, &(struct phone_opt){.freq = freqv[1]});
	tone_gen_init(&t->tone, freqv[1], 8000, -20);
	d = phone_add(&rig, &(struct phone_opt){0});
	(void)rig_run(&rig, 1500, NULL, NULL);
	phone_forget_audio(d);
	liar = phone_add(&rig, &(struct phone_opt){.codec = codec, .freq = 1, .level_ext = 1, .level = 0});
	tone_gen_init(&liar->tone, 440, liar->codec->rate, -120);
	(void)rig_run(&rig, 4000, NULL, NULL);
	ck_assert_double_gt(phone_hears(d, freqv[1]), -30);
	ck_assert_uint_le(phone_gap_ms(d, freqv[1]), 40);
}

START_TEST(a_level_that_is_a_lie_takes_nobodys_place)
{
	lie(CODEC_PCMA);
}
END_TEST

START_TEST(a_level_that_is_a_lie_takes_nobodys_place_with_opus)
{
	lie(CODEC_OPUS);
}
END_TEST

/* Authenticated, and nothing in it makes sense: jumps of SEQ and time, frames of
   any codec, extensions, CSRCs and padding that lie */
static void nonsense(struct phone *p)
{
	uint8_t buf[RTPH_MTU + RTPH_TRAILER_MAX];
	const uint8_t ptv[] = {13, 101, 0, 9, 72, 127};
	struct rtph h = {.pt = (uint8_t)(rand() % 2 ? p->pt : ptv[rand() % 6]), .marker = rand() & 1, .ts = p->ts};
	size_t len, end;

	p->seq = (uint16_t)(p->seq + (rand() % 8 ? 1 : rand() % 300));
	p->ts += rand() % 6 ? 160u : (uint32_t)rand();
	h.seq = p->seq;
	h.ssrc = p->ssrc + (rand() % 50 ? 0 : 1u);
	h.csrcc = rand() % 4 ? 0 : (uint8_t)((unsigned)rand() % 16);
	len = rtph_encode(buf, RTPH_MTU, &h);
	end = len + (unsigned)rand() % (rand() % 4 ? 80u : RTPH_MTU - (unsigned)len);
	while (len < end)
		buf[len++] = (uint8_t)rand();
	if (!(rand() % 5) && len > 20u + 4u * h.csrcc) {
		uint8_t *ext = buf + RTPH_SIZE + 4u * h.csrcc;

		buf[0] |= 0x10;
		ext[0] = 0xbe;
		ext[1] = 0xde;
		ext[2] = 0;
		ext[3] = (uint8_t)(rand() % 2);
	}
	if (!(rand() % 8))
		buf[0] |= 0x20;
	if (msrtp_protect(p->tx, buf, &len) == MSRTP_OK)
		phone_raw(p, -1, buf, len);
}

START_TEST(authenticated_nonsense_costs_others_nothing)
{
	static const enum codec_id codecv[] = {CODEC_OPUS, CODEC_G722, CODEC_PCMA, CODEC_PCMU};
	struct phone *v[4], *a, *b;
	unsigned i, k;

	ck_assert_int_eq(rig_conf(&rig, CONF, 15), MP__STATUS__OK);
	a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	b = phone_add(&rig, &(struct phone_opt){0});
	for (i = 0; i < 4; i++)
		v[i] = phone_add(&rig, &(struct phone_opt){.codec = codecv[i], .level_ext = 1});
	srand(1);
	for (k = 0; k < 150; k++) {
		for (i = 0; i < 12; i++)
			nonsense(v[i % 4]);
		(void)rig_run(&rig, 10, NULL, NULL);
	}
	for (i = 0; i < 4; i++)
		ck_assert_uint_gt(rig_legstats(&rig, v[i])->rx_packets, 200);
	phone_forget_audio(b);
	(void)rig_run(&rig, 1500, NULL, NULL);
	ck_assert_uint_le(phone_gap_ms(b, freqv[0]), 40);
	ck_assert_uint_eq(rig_legstats(&rig, a)->auth_failed, 0);
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
		install(1);
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

/* Tests up to a NULL */
static void add_case(Suite *s, const char *name, void (*up)(void), const TTest *const testv[])
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, up, teardown);
	tcase_set_timeout(t, 120);
	for (; *testv; testv++)
		tcase_add_test(t, *testv);
	suite_add_tcase(s, t);
}

static Suite *suite(void)
{
	Suite *s = suite_create("mixer");

	add_case(s, "endpoint keying", setup4, (const TTest *const[]){
			three_legs_hear_each_other_and_not_themselves,
			four_codecs_are_mixed_in_one_conference,
			every_suite_protects_both_directions,
			any_ptime_goes_in_and_out,
			leg_keeps_its_ssrc_when_it_stops_and_starts_talking,
			first_word_is_heard_within_80_ms,
			silent_conference_sends_next_to_nothing,
			NULL });
	add_case(s, "IPv6", setup6, (const TTest *const[]){
			ipv6_and_separate_rtcp_ports_work,
			NULL });
	add_case(s, "who is believed", setup4, (const TTest *const[]){
			stranger_changes_nothing_and_gets_nothing,
			replayed_packets_are_counted_and_move_nothing,
			authenticated_sender_that_moves_is_followed,
			ssrc_of_a_leg_is_told_and_its_changes_are_told_seldom,
			sender_that_moves_with_every_packet_is_followed_and_told_seldom,
			fifth_ssrc_of_a_leg_is_refused,
			each_resume_may_bring_one_more_ssrc,
			mixer_moves_away_from_a_participants_ssrc,
			participant_that_chases_our_ssrc_moves_it_seldom,
			silent_leg_is_told_when_its_time_is_over_and_not_before,
			time_of_a_leg_that_was_on_hold_begins_anew,
			NULL });
	add_case(s, "keys", setup4, (const TTest *const[]){
			new_uplink_key_takes_over_without_a_gap,
			peer_whose_sequence_has_wrapped_is_heard_by_a_mixer_that_is_told,
			peer_that_goes_on_under_its_key_goes_on_in_its_context,
			peers_whose_sequences_have_wrapped_are_heard_under_a_new_key,
			new_downlink_key_brings_a_new_ssrc_at_once,
			declared_lifetime_of_a_key_is_kept_in_both_directions,
			our_own_key_sent_back_is_refused,
			without_a_key_nothing_is_sent,
			NULL });
	add_case(s, "group keying", setup4, (const TTest *const[]){
			silent_legs_of_a_class_get_the_same_bytes,
			legs_change_epoch_one_by_one,
			trial_leg_gets_both_streams_and_its_report_is_the_proof,
			silent_trial_leg_hears_from_both_streams_every_second,
			leg_with_two_keys_falls_back_and_returns_without_a_gap,
			fall_back_in_silence_is_heard_of_at_once,
			key_install_is_idempotent_and_never_changes_a_key,
			NULL });
	add_case(s, "RTCP and DTMF", setup4, (const TTest *const[]){
			sender_report_describes_our_stream_and_the_peers,
			fec_goes_to_those_who_report_losses,
			only_the_legs_own_authenticated_bye_counts,
			removed_leg_is_told_bye_and_gets_nothing_more,
			a_key_press_is_one_event_and_is_not_mixed,
			keys_faster_than_any_finger_are_few_events,
			goodbyes_without_end_are_few_events,
			NULL });
	add_case(s, "speakers", setup4, (const TTest *const[]){
			closed_gate_silences_a_leg,
			who_holds_and_sends_its_own_music_is_not_heard,
			no_more_than_k_are_mixed,
			who_begins_to_talk_or_stops_hears_no_burst_with_g722,
			who_begins_to_talk_or_stops_hears_no_burst_with_opus,
			a_level_that_is_a_lie_wins_nothing,
			a_level_that_is_a_lie_takes_nobodys_place,
			authenticated_nonsense_costs_others_nothing,
			a_level_that_is_a_lie_takes_nobodys_place_with_opus,
			NULL });
	add_case(s, "Mp", setup4, (const TTest *const[]){
			requests_that_make_no_sense_are_refused,
			the_same_leg_said_twice_is_one_leg,
			a_thousand_conferences_leave_nothing_behind,
			NULL });

	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);

	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
