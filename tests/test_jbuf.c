/**
 * @file test_jbuf.c  Jitter buffer: order, loss, delay, clocks
 *
 * Time is cranked: packets are put in and ticks taken out in the order of
 * their times.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "check_run.h"
#include "mixer/jbuf.h"

enum { CLOCK = 8000, MS = 1000 };

static struct pktpool pool;
static struct jbuf jb;
static uint64_t now_us;

/* What came out */
static unsigned playedc, concealed_ms, ticks_silent, fecc;
static uint16_t seqv[8000];
static uint32_t last_ts;
static int64_t media_ms;      /* packets and concealment */

static void setup(void)
{
	memset(&pool, 0, sizeof(pool));
	jbuf_init(&jb, CLOCK);
	now_us = 10 * 1000 * MS;
	playedc = concealed_ms = ticks_silent = fecc = 0;
	media_ms = 0;
}

static void teardown(void)
{
	jbuf_flush(&jb);
	ck_assert_uint_eq(pool.out, 0);
	pktpool_close(&pool);
}

static void put_len(uint16_t seq, uint32_t ts, unsigned ms)
{
	struct pkt *p = pkt_get(&pool);

	p->seq = seq;
	p->ts = ts;
	p->dur = ms * CLOCK / 1000;
	p->len = 1;
	p->payload[0] = (uint8_t)seq;
	jbuf_put(&jb, p, now_us);
}

/* The nth packet of 20 ms */
static void put(unsigned n)
{
	put_len((uint16_t)(65500 + n), 0xffffff00u + n * 160, 20);
}

static void get(bool quiet)
{
	struct jbuf_tick t;
	unsigned i;

	jbuf_get(&jb, &t, quiet, now_us);
	ticks_silent += !t.playing;
	for (i = 0; i < t.c; i++) {
		if (!t.v[i].pkt) {
			concealed_ms += t.v[i].conceal * 1000 / CLOCK;
			media_ms += t.v[i].conceal * 1000 / CLOCK;
			fecc += t.v[i].next != NULL;
			continue;
		}
		seqv[playedc++] = t.v[i].pkt->seq;
		last_ts = t.v[i].pkt->ts;
		media_ms += t.v[i].pkt->dur * 1000 / CLOCK;
		pkt_put(t.v[i].pkt);
	}
	media_ms -= t.playing ? (t.shrink ? 40 : 20) : 0;
}

/* Packets from..to-1 come every 20 ms, a tick 7 ms after each */
static void stream(unsigned from, unsigned to, bool quiet)
{
	unsigned n;

	for (n = from; n < to; n++) {
		put(n);
		now_us += 7 * MS;
		get(quiet);
		now_us += 13 * MS;
	}
}

static void check_order(unsigned first)
{
	unsigned i;

	for (i = 0; i < playedc; i++)
		ck_assert_uint_eq(seqv[i], (uint16_t)(65500 + first + i));
}

START_TEST(calm_stream_comes_out_whole_and_in_order)
{
	stream(0, 500, false);
	check_order(0);
	ck_assert_uint_eq(concealed_ms, 0);
	/* three ticks to fill at most, then one packet per tick */
	ck_assert_uint_le(ticks_silent, 2);
	ck_assert_uint_ge(playedc, 498);
	ck_assert_int_eq(media_ms, 0);
	ck_assert_uint_le(jbuf_level_ms(&jb), 60);
}
END_TEST

START_TEST(reordered_and_doubled_packets_are_put_right)
{
	unsigned n;

	for (n = 0; n < 200; n += 2) {
		put(n + 1);
		now_us += 15 * MS;
		get(false);
		now_us += 5 * MS;
		put(n);
		put(n);
		now_us += 15 * MS;
		get(false);
		now_us += 5 * MS;
	}
	check_order(0);
	ck_assert_uint_eq(jb.stats.lost, 0);
	ck_assert_uint_gt(playedc, 190);
}
END_TEST

START_TEST(lost_packet_is_concealed_with_fec_of_the_next)
{
	stream(0, 50, false);
	now_us += 7 * MS;
	get(false);
	now_us += 13 * MS;             /* 50 is lost */
	stream(51, 100, false);
	ck_assert_uint_eq(concealed_ms, 20);
	ck_assert_uint_eq(fecc, 1);
	ck_assert_uint_eq(jb.stats.lost, 1);
	ck_assert_int_eq(media_ms, 0);
}
END_TEST

START_TEST(burst_of_losses_keeps_the_time_line)
{
	unsigned n;

	stream(0, 50, false);
	for (n = 0; n < 3; n++) {
		now_us += 7 * MS;
		get(false);
		now_us += 13 * MS;
	}
	stream(53, 120, false);
	ck_assert_uint_eq(concealed_ms, 60);
	ck_assert_uint_eq(playedc + 3 + ticks_silent, 120);
}
END_TEST

START_TEST(stream_that_stops_is_concealed_for_a_while_then_silent)
{
	unsigned n;

	stream(0, 50, false);
	for (n = 0; n < 50; n++) {
		now_us += 20 * MS;
		get(false);
	}
	ck_assert_uint_eq(concealed_ms, 100);
	ck_assert_uint_ge(ticks_silent, 40);
	/* and starts again as if new, even with far other numbers */
	now_us += 5000 * MS;
	playedc = ticks_silent = 0;
	for (n = 0; n < 20; n++) {
		put_len((uint16_t)(100 + n), 77777 + n * 160, 20);
		now_us += 20 * MS;
		get(false);
	}
	ck_assert_uint_ge(playedc, 17);
}
END_TEST

START_TEST(jitter_raises_the_target_and_calm_lowers_it)
{
	unsigned n;

	srand(1);
	stream(0, 500, false);
	ck_assert_uint_eq(jb.target_ms, JBUF_TARGET_MIN_MS);
	playedc = 0;
	/* every tenth packet is 90 ms late, with those behind it */
	for (n = 500; n < 1000; n++) {
		put(n);
		if (n % 10 == 3) {
			unsigned k;

			for (k = 0; k < 4; k++) {
				now_us += 20 * MS;
				get(false);
			}
			for (k = 0; k < 4; k++)
				put(++n);
		}
		now_us += 20 * MS;
		get(false);
	}
	ck_assert_uint_ge(jb.target_ms, 60);
	ck_assert_uint_le(jb.target_ms, JBUF_TARGET_MAX_MS);
	concealed_ms = 0;
	/* having learnt, it conceals nothing more */
	for (n = 1000; n < 1300; n++) {
		put(n);
		if (n % 10 == 3) {
			unsigned k;

			for (k = 0; k < 4; k++) {
				now_us += 20 * MS;
				get(false);
			}
			for (k = 0; k < 4; k++)
				put(++n);
		}
		now_us += 20 * MS;
		get(false);
	}
	ck_assert_uint_eq(concealed_ms, 0);
	playedc = 0;
	stream(n, n + 3000, true);
	ck_assert_uint_eq(jb.target_ms, JBUF_TARGET_MIN_MS);
	ck_assert_uint_le(jbuf_level_ms(&jb), 80);
	ck_assert_uint_gt(jb.stats.shrunk, 0);
}
END_TEST

START_TEST(one_stall_does_not_make_it_slow)
{
	unsigned n, k;

	stream(0, 100, false);
	/* the sender's machine stands still for 80 ms, later for 300 */
	for (k = 0; k < 4; k++) {
		now_us += 20 * MS;
		get(false);
	}
	for (n = 100; n < 104; n++)
		put(n);
	stream(104, 200, false);
	ck_assert_uint_le(jbuf_level_ms(&jb), 60);
	ck_assert_uint_le(jb.target_ms, 40);
	for (k = 0; k < 15; k++) {
		now_us += 20 * MS;
		get(false);
	}
	for (n = 200; n < 215; n++)
		put(n);
	stream(215, 600, false);
	ck_assert_uint_le(jbuf_level_ms(&jb), 100);
}
END_TEST

START_TEST(network_that_gets_slower_for_good_is_followed)
{
	unsigned n;

	stream(0, 100, false);
	for (n = 0; n < 3; n++) {
		now_us += 20 * MS;
		get(false);
	}
	playedc = 0;
	stream(100, 200, false);
	ck_assert_uint_ge(playedc, 95);
}
END_TEST

/* The sender's clock runs off by 200 ppm: 20 ms in 100 s */
static void skew(int ppm)
{
	uint64_t put_at = now_us, get_at = now_us + 7 * MS;
	unsigned n = 0;

	while (n < 30000) {
		if (put_at <= get_at) {
			now_us = put_at;
			put(n++);
			put_at += (uint64_t)(20 * MS * (1.0 + ppm / 1e6) + 0.5);
		}
		else {
			now_us = get_at;
			playedc = 0;
			get(n % 100 < 20);
			get_at += 20 * MS;
		}
		if (n > 100)
			ck_assert_uint_le(jbuf_level_ms(&jb), 120);
	}
}

START_TEST(fast_sender_is_shortened_in_quiet_moments)
{
	skew(-200);
	ck_assert_uint_ge(jb.stats.shrunk, 3);
	ck_assert_uint_le(jb.stats.late, 2);
	ck_assert_uint_eq(jb.stats.lost, 0);
}
END_TEST

START_TEST(slow_sender_is_stretched_and_loses_nothing)
{
	skew(200);
	ck_assert_uint_le(jb.stats.late, 10);
	ck_assert_uint_eq(jb.stats.lost, 0);
	ck_assert_uint_le(concealed_ms, 600);
}
END_TEST

START_TEST(long_and_short_packets_fill_ticks_evenly)
{
	unsigned n;

	for (n = 0; n < 100; n++) {
		unsigned k;

		put_len((uint16_t)n, n * 480, 60);
		for (k = 0; k < 3; k++) {
			now_us += 20 * MS;
			get(false);
		}
	}
	ck_assert_uint_eq(concealed_ms, 0);
	ck_assert_uint_ge(playedc, 98);

	jbuf_flush(&jb);
	playedc = concealed_ms = 0;
	for (n = 0; n < 400; n++) {
		put_len((uint16_t)n, n * 40, 5);
		now_us += 5 * MS;
		if (n % 4 == 3)
			get(false);
	}
	ck_assert_uint_eq(concealed_ms, 0);
	ck_assert_uint_ge(playedc, 380);
}
END_TEST

START_TEST(hostile_numbers_are_survived)
{
	unsigned n, pass;

	srand(7);
	for (pass = 0; pass < 200000; pass++) {
		const unsigned kind = (unsigned)rand() % 4;

		n = (unsigned)rand();
		put_len((uint16_t)(kind == 0 ? n : n % 64), kind == 1 ? n << 8 : n % 5000,
			kind == 2 ? 0 : 1 + n % 120);
		now_us += n % (40 * MS);
		if (n & 16) {
			playedc = 0;
			get(n & 32);
		}
		ck_assert_uint_le(pool.out, JBUF_SLOTS);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("jbuf");
	TCase *t = tcase_create("jbuf");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, calm_stream_comes_out_whole_and_in_order);
	tcase_add_test(t, reordered_and_doubled_packets_are_put_right);
	tcase_add_test(t, lost_packet_is_concealed_with_fec_of_the_next);
	tcase_add_test(t, burst_of_losses_keeps_the_time_line);
	tcase_add_test(t, stream_that_stops_is_concealed_for_a_while_then_silent);
	tcase_add_test(t, jitter_raises_the_target_and_calm_lowers_it);
	tcase_add_test(t, one_stall_does_not_make_it_slow);
	tcase_add_test(t, network_that_gets_slower_for_good_is_followed);
	tcase_add_test(t, fast_sender_is_shortened_in_quiet_moments);
	tcase_add_test(t, slow_sender_is_stretched_and_loses_nothing);
	tcase_add_test(t, long_and_short_packets_fill_ticks_evenly);
	tcase_add_test(t, hostile_numbers_are_survived);
	suite_add_tcase(s, t);

	return check_run(s);
}
