/**
 * @file test_crec.c  The recording shows gaps as an ear would hear them
 *
 * Packets of 20 ms PCMU with a tone, handed over with made-up arrival times;
 * the gaps are then measured in the recording.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "call/cdelay.h"
#include "call/clive.h"
#include "call/crec.h"
#include "check_run.h"
#include "tone.h"

enum { MS = 1000, FRAME_MS = 20, SAMPC = 160, FREQ = 500, BUFFER_MS = 60 };

static struct crec *rec;
static struct codec_enc *enc;
static struct tone_gen gen;
static uint64_t now_us;
static uint16_t seq;
static uint32_t ts, ssrc;

static void setup(void)
{
	ck_assert_int_eq(crec_alloc(&rec, BUFFER_MS, NULL, NULL), 0);
	ck_assert_int_eq(codec_enc_new(&enc, CODEC_PCMU, NULL), 0);
	tone_gen_init(&gen, FREQ, 8000, -15);
	now_us = 5000000;
	seq  = 65530;           /* wraps in every test */
	ts   = 0xffffff00u;
	ssrc = 0x1111;
}

static void teardown(void)
{
	rec = mem_deref(rec);
	codec_enc_free(&enc);
}

struct frame {
	struct crec_pkt pkt;
	uint8_t buf[SAMPC];
};

/** The next frame of the stream, to arrive delay_ms late */
static void make(struct frame *f, int delay_ms)
{
	int16_t pcm[SAMPC];

	tone_gen_fill(&gen, pcm, SAMPC);
	ck_assert_int_eq(codec_encode(enc, pcm, SAMPC, f->buf, sizeof(f->buf)), SAMPC);
	f->pkt.arrival_us = now_us + (uint64_t)(delay_ms * MS);
	f->pkt.ssrc = ssrc;
	f->pkt.ts   = ts;
	f->pkt.seq  = seq++;
	f->pkt.id   = CODEC_PCMU;
	f->pkt.payload = f->buf;
	f->pkt.len = SAMPC;
	ts += SAMPC;
	now_us += FRAME_MS * MS;
}

static void play(unsigned n)
{
	struct frame f;

	while (n--) {
		make(&f, 0);
		crec_packet(rec, &f.pkt);
	}
}

static unsigned gap_ms(void)
{
	struct tone_found tf;
	const int16_t *pcm;
	uint32_t rate;
	size_t n;

	crec_close(rec, now_us);
	pcm = crec_pcm(rec, &n, &rate);
	ck_assert_ptr_nonnull(pcm);
	ck_assert_uint_eq(rate, 8000);
	tone_find(&tf, pcm, n, rate, FREQ);
	ck_assert_double_gt(tf.level_dbfs, -16);

	return tf.longest_gap_ms;
}

/** Length of the recording [ms] */
static unsigned length_ms(void)
{
	uint32_t rate;
	size_t n = 0;

	ck_assert_ptr_nonnull(crec_pcm(rec, &n, &rate));

	return (unsigned)(n * 1000 / rate);
}

static void about(unsigned got, unsigned want)
{
	ck_assert_msg(got + 10 >= want && got <= want + 10, "%u ms instead of %u", got, want);
}

START_TEST(an_even_stream_has_no_gap_and_its_length)
{
	play(100);
	ck_assert_uint_eq(gap_ms(), 0);
	about(length_ms(), 2000);
	ck_assert_uint_eq(crec_stats(rec)->placed, 100);
	ck_assert_uint_eq(crec_stats(rec)->reanchored, 0);
}
END_TEST

START_TEST(lost_packets_are_silence)
{
	struct frame f;

	play(50);
	for (int i = 0; i < 5; i++)
		make(&f, 0);
	play(50);
	about(gap_ms(), 100);
	about(length_ms(), 2100);
}
END_TEST

START_TEST(a_pause_with_running_timestamps_is_a_gap)
{
	play(50);
	now_us += 100 * MS;
	ts += 5 * SAMPC;
	play(50);
	about(gap_ms(), 100);
}
END_TEST

START_TEST(a_pause_with_stopped_timestamps_is_the_same_gap)
{
	play(50);
	now_us += 100 * MS;
	play(50);
	about(gap_ms(), 100);
	about(length_ms(), 2100);
	ck_assert_uint_eq(crec_stats(rec)->late, 1);
}
END_TEST

START_TEST(a_short_stall_stays_in_the_jitter_buffer)
{
	struct frame f;

	play(50);
	for (int i = 0; i < 3; i++) {
		make(&f, (2 - i) * FRAME_MS);
		crec_packet(rec, &f.pkt);
	}
	play(50);
	ck_assert_uint_eq(gap_ms(), 0);
}
END_TEST

START_TEST(jitter_below_the_buffer_is_not_heard)
{
	static const int jitterv[] = { 0, 35, 5, 50, 12, 0, 44, 3 };
	struct frame f;

	for (unsigned i = 0; i < 200; i++) {
		make(&f, jitterv[i % 8]);
		crec_packet(rec, &f.pkt);
	}
	ck_assert_uint_eq(gap_ms(), 0);
	ck_assert_uint_eq(crec_stats(rec)->placed, 200);
}
END_TEST

START_TEST(reordered_packets_are_put_in_order)
{
	struct frame a, b;

	for (unsigned i = 0; i < 50; i++) {
		make(&a, FRAME_MS);
		make(&b, 0);
		crec_packet(rec, &b.pkt);
		crec_packet(rec, &a.pkt);
	}
	ck_assert_uint_eq(gap_ms(), 0);
	/* the very first packet cannot know that it was overtaken */
	ck_assert_uint_ge(crec_stats(rec)->placed, 99);
}
END_TEST

START_TEST(another_ssrc_continues_by_arrival)
{
	play(50);
	ssrc = 0x2222;
	seq  = 77;
	ts   = 123456;
	play(50);
	ck_assert_uint_eq(gap_ms(), 0);
	about(length_ms(), 2000);
}
END_TEST

START_TEST(another_ssrc_after_a_pause_shows_the_pause)
{
	play(50);
	now_us += 100 * MS;
	ssrc = 0x2222;
	ts   = 99;
	play(50);
	about(gap_ms(), 100);
}
END_TEST

START_TEST(of_two_streams_at_once_the_new_one_is_heard)
{
	struct frame f, g;
	uint16_t oseq = 9;

	play(50);
	for (unsigned i = 0; i < 50; i++) {
		make(&f, 0);
		g = f;
		g.pkt.payload = g.buf;
		g.pkt.ssrc = 0x3333;
		g.pkt.seq  = oseq++;
		g.pkt.ts  += 777777;
		crec_packet(rec, &f.pkt);
		crec_packet(rec, &g.pkt);
	}
	ck_assert_uint_eq(gap_ms(), 0);
	ck_assert_uint_eq(crec_stats(rec)->other, 49);
	ck_assert_uint_eq(crec_stats(rec)->placed, 101);
}
END_TEST

START_TEST(an_old_stream_comes_back_when_the_other_stops)
{
	play(50);
	ssrc = 0x2222;
	play(50);
	ssrc = 0x1111;
	play(50);
	ck_assert_uint_eq(gap_ms(), 0);
	ck_assert_uint_eq(crec_stats(rec)->other, 0);
}
END_TEST

START_TEST(a_timestamp_from_nowhere_is_placed_by_arrival)
{
	play(50);
	ts += 0x40000000;
	play(50);
	ck_assert_uint_eq(gap_ms(), 0);
	about(length_ms(), 2000);
}
END_TEST

START_TEST(what_is_no_packet_is_counted_and_silent)
{
	static const uint8_t junk[1600];
	struct frame f;

	make(&f, 0);
	f.pkt.len = sizeof(junk);
	f.pkt.payload = junk;
	crec_packet(rec, &f.pkt);
	f.pkt.len = 10;
	f.pkt.id = (enum codec_id)99;
	crec_packet(rec, &f.pkt);
	f.pkt.id = CODEC_OPUS;
	f.pkt.len = 0;
	crec_packet(rec, &f.pkt);
	crec_close(rec, now_us);
	ck_assert_uint_eq(crec_stats(rec)->placed, 0);
	ck_assert_uint_eq(crec_stats(rec)->undecodable, 1);
}
END_TEST

/* ----- delay ------------------------------------------------------------- */

START_TEST(delay_is_from_capture_to_the_packet_with_the_marker)
{
	struct cdelay_result r;
	struct tone_gen mark;
	struct cdelay *d = NULL;
	uint64_t t = 1000000;

	ck_assert_int_eq(cdelay_alloc(&d), 0);
	tone_gen_init(&mark, CLIVE_MARK_HZ, 8000, -20);

	for (unsigned i = 0; i < 100; i++, t += FRAME_MS * MS) {
		int16_t pcm[SAMPC], m[SAMPC];

		tone_gen_fill(&gen, pcm, SAMPC);
		if (i % 20 == 10)
			cdelay_marked(d, 1, t - 43 * MS);
		if (i % 20 >= 10 && i % 20 < 15) {
			tone_gen_fill(&mark, m, SAMPC);
			for (unsigned k = 0; k < SAMPC; k++)
				pcm[k] = (int16_t)(pcm[k] + m[k]);
		}
		cdelay_heard(d, 0, t, pcm, SAMPC, 8000);
		cdelay_heard(d, 1, t, pcm, SAMPC, 8000);   /* its own: not counted */
	}

	cdelay_result(d, 1, 0, &r);
	ck_assert_uint_eq(r.sent, 5);
	ck_assert_uint_eq(r.count, 5);
	ck_assert_double_eq_tol(r.median_ms, 43, 0.01);
	ck_assert_double_eq_tol(r.max_ms, 43, 0.01);
	cdelay_result(d, 1, 1, &r);
	ck_assert_uint_eq(r.count, 0);
	mem_deref(d);
}
END_TEST

START_TEST(other_tones_are_no_marker)
{
	struct cdelay_result r;
	struct cdelay *d = NULL;
	struct tone_gen g[3];

	ck_assert_int_eq(cdelay_alloc(&d), 0);
	for (unsigned i = 0; i < 3; i++)
		tone_gen_init(&g[i], 440 + 330 * i, 8000, -15);
	cdelay_marked(d, 1, 1000000);

	for (unsigned i = 0; i < 50; i++) {
		int16_t pcm[SAMPC] = { 0 }, m[SAMPC];

		for (unsigned k = 0; k < 3 && i >= 10; k++) {
			tone_gen_fill(&g[k], m, SAMPC);
			for (unsigned s = 0; s < SAMPC; s++)
				pcm[s] = (int16_t)(pcm[s] + m[s]);
		}
		cdelay_heard(d, 0, 1000000 + i * FRAME_MS * MS, pcm, SAMPC, 8000);
	}
	cdelay_result(d, 1, 0, &r);
	ck_assert_uint_eq(r.count, 0);
	mem_deref(d);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("crec");
	TCase *tc = tcase_create("placing");
	TCase *td = tcase_create("delay");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_even_stream_has_no_gap_and_its_length);
	tcase_add_test(tc, lost_packets_are_silence);
	tcase_add_test(tc, a_pause_with_running_timestamps_is_a_gap);
	tcase_add_test(tc, a_pause_with_stopped_timestamps_is_the_same_gap);
	tcase_add_test(tc, a_short_stall_stays_in_the_jitter_buffer);
	tcase_add_test(tc, jitter_below_the_buffer_is_not_heard);
	tcase_add_test(tc, reordered_packets_are_put_in_order);
	tcase_add_test(tc, another_ssrc_continues_by_arrival);
	tcase_add_test(tc, another_ssrc_after_a_pause_shows_the_pause);
	tcase_add_test(tc, of_two_streams_at_once_the_new_one_is_heard);
	tcase_add_test(tc, an_old_stream_comes_back_when_the_other_stops);
	tcase_add_test(tc, a_timestamp_from_nowhere_is_placed_by_arrival);
	tcase_add_test(tc, what_is_no_packet_is_counted_and_silent);
	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(td, setup, teardown);
	tcase_add_test(td, delay_is_from_capture_to_the_packet_with_the_marker);
	tcase_add_test(td, other_tones_are_no_marker);
	suite_add_tcase(s, td);

	return check_run(s);
}
