/**
 * @file test_confmix.c  Limiter, mix and mix-minus, encoder grid
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "check_run.h"
#include "mixer/gstconf.h"
#include "mixer/limiter.h"
#include "mixer/resamp.h"
#include "tone.h"

/* ---- limiter ---- */

static struct limiter lim;
static int32_t in[MIX_FRAME];
static int16_t out[MIX_FRAME];

static void setup(void)
{
	limiter_init(&lim);
	(void)gst_init_check(NULL, NULL, NULL);
}

START_TEST(quiet_audio_passes_unchanged)
{
	unsigned i;

	for (i = 0; i < MIX_FRAME; i++)
		in[i] = (int32_t)(i % 50) * 1000 - 25000;
	limiter_run(&lim, in, out, MIX_FRAME);
	for (i = 0; i < MIX_FRAME; i++)
		ck_assert_int_eq(out[i], in[i]);
}
END_TEST

START_TEST(fifteen_full_scale_talkers_do_not_wrap)
{
	unsigned pass, i;

	for (pass = 0; pass < 100; pass++) {
		for (i = 0; i < MIX_FRAME; i++)
			in[i] = ((i + pass * MIX_FRAME) / 100 & 1 ? 15 : -15) * 32767;
		limiter_run(&lim, in, out, MIX_FRAME);
		for (i = 0; i < MIX_FRAME; i++) {
			ck_assert((out[i] > 0) == (in[i] > 0));
			ck_assert_int_gt(abs(out[i]), 20000);
		}
	}
}
END_TEST

START_TEST(limiter_keeps_the_order_of_samples)
{
	int i;

	for (i = 0; i < MIX_FRAME; i++)
		in[i] = i * 60;
	limiter_run(&lim, in, out, MIX_FRAME);
	/* once the gain stands still: monotone */
	for (i = 70; i < MIX_FRAME; i++)
		ck_assert_int_ge(out[i], out[i - 1]);
}
END_TEST

START_TEST(gain_comes_back)
{
	unsigned i, pass;

	for (i = 0; i < MIX_FRAME; i++)
		in[i] = 100000;
	limiter_run(&lim, in, out, MIX_FRAME);
	ck_assert_int_lt(lim.gain, LIMITER_UNITY / 3);
	for (i = 0; i < MIX_FRAME; i++)
		in[i] = 1000;
	for (pass = 0; pass < 150; pass++)
		limiter_run(&lim, in, out, MIX_FRAME);
	ck_assert_int_eq(lim.gain, LIMITER_UNITY);
	ck_assert_int_eq(out[5], 1000);
}
END_TEST

/* ---- resampling ---- */

START_TEST(resampling_gives_whole_frames_from_the_first)
{
	static const uint32_t ratev[3] = {8000, 16000, 48000};
	static int16_t a[48000], b[48000];
	unsigned i, k;

	for (i = 0; i < 3; i++) {
		const size_t n = ratev[i] / 50;
		struct tone_found tf;
		struct resamp up, down;
		struct tone_gen g;

		ck_assert_int_eq(resamp_init(&up, ratev[i], 48000), 0);
		ck_assert_int_eq(resamp_init(&down, 48000, ratev[i]), 0);
		tone_gen_init(&g, 1000, ratev[i], -20);
		for (k = 0; k < 50; k++) {
			int16_t x[960], y[960];

			tone_gen_fill(&g, x, n);
			ck_assert_uint_eq(resamp_run(&up, x, n, y), 960);
			memcpy(a + 960 * k, y, sizeof(y));
			ck_assert_uint_eq(resamp_run(&down, y, 960, x), n);
			memcpy(b + n * k, x, n * sizeof(*x));
		}
		tone_find(&tf, a + 9600, 38400, 48000, 1000);
		ck_assert_double_eq_tol(tf.level_dbfs, -20, 0.5);
		ck_assert_uint_eq(tf.longest_gap_ms, 0);
		tone_find(&tf, b + n * 10, n * 40, ratev[i], 1000);
		ck_assert_double_eq_tol(tf.level_dbfs, -20, 0.5);
		resamp_close(&up);
		resamp_close(&down);
	}
}
END_TEST

/* ---- the elements, in a pipeline ---- */

struct got {
	unsigned packets;
	uint64_t pos;
	uint32_t dur;
	int16_t pcm[48000];
	size_t pcmc;
	struct codec_dec *dec;
};

static struct got common, minusv[3];

static void frame_h(const uint8_t *buf, size_t len, uint64_t pos, uint32_t dur, void *arg)
{
	struct got *g = arg;
	int n;

	if (g->packets)
		ck_assert_uint_eq(pos, g->pos + g->dur);
	++g->packets;
	g->pos = pos;
	g->dur = dur;
	n = codec_decode(g->dec, buf, len, g->pcm + g->pcmc, 48000 - g->pcmc);
	ck_assert_int_gt(n, 0);
	g->pcmc += (size_t)n;
}

struct bench {
	GstElement *pipe, *mix, *sink, *encv[4];
	GstPad *feedv[3];
	struct mixout *outv[4];
};

static void add_out(struct bench *b, unsigned i, int slot, struct got *g, unsigned ptime)
{
	const struct codec_cfg cfg = {.complexity = -1};

	memset(g, 0, sizeof(*g));
	ck_assert_int_eq(codec_dec_new(&g->dec, CODEC_PCMU), 0);
	b->encv[i] = conf_enc_new();
	(void)gst_bin_add(GST_BIN(b->pipe), b->encv[i]);
	(void)gst_element_sync_state_with_parent(b->encv[i]);
	ck_assert_int_eq(conf_enc_open(CONF_ENC(b->encv[i]), CODEC_PCMU, ptime, &cfg), 0);
	ck_assert_int_eq(conf_mix_out_new(&b->outv[i], CONF_MIX(b->mix), slot, 8000), 0);
	ck_assert(conf_pad_link(conf_mix_out_pad(b->outv[i]), conf_enc_pad(CONF_ENC(b->encv[i]), GST_PAD_SINK)));
	ck_assert(conf_pad_link(conf_enc_pad(CONF_ENC(b->encv[i]), GST_PAD_SRC),
				conf_sink_pad_new(CONF_SINK(b->sink), g)));
	conf_mix_out_need(b->outv[i], true);
}

static void bench_open(struct bench *b, unsigned ptime)
{
	unsigned i;

	b->pipe = gst_object_ref_sink(gst_pipeline_new(NULL));
	gst_element_set_bus(b->pipe, NULL);
	gst_pipeline_use_clock(GST_PIPELINE(b->pipe), NULL);
	b->mix = conf_mix_new();
	b->sink = conf_sink_new(frame_h);
	gst_bin_add_many(GST_BIN(b->pipe), b->mix, b->sink, NULL);
	(void)gst_element_set_state(b->pipe, GST_STATE_PLAYING);
	for (i = 0; i < 3; i++) {
		b->feedv[i] = gst_pad_new(NULL, GST_PAD_SRC);
		(void)gst_pad_set_active(b->feedv[i], TRUE);
		ck_assert(conf_pad_link(b->feedv[i], conf_mix_slot_pad(CONF_MIX(b->mix), i)));
		add_out(b, i, (int)i, &minusv[i], 20);
	}
	add_out(b, 3, -1, &common, ptime);
}

static void bench_close(struct bench *b)
{
	unsigned i;

	for (i = 0; i < 4; i++)
		conf_mix_out_free(&b->outv[i]);
	for (i = 0; i < 3; i++) {
		gst_object_unref(b->feedv[i]);
		codec_dec_free(&minusv[i].dec);
	}
	codec_dec_free(&common.dec);
	(void)gst_element_set_state(b->pipe, GST_STATE_NULL);
	gst_object_unref(b->pipe);
}

static double level(const struct got *g, double freq)
{
	struct tone_found tf;

	tone_find(&tf, g->pcm + 800, g->pcmc - 800, 8000, freq);

	return tf.level_dbfs;
}

static void run(struct bench *b, unsigned ticks, uint64_t pos, uint32_t mask)
{
	static const double freqv[3] = {400, 700, 1100};
	struct tone_gen gv[3];
	unsigned i, k;

	for (i = 0; i < 3; i++)
		tone_gen_init(&gv[i], freqv[i], MIX_RATE, -20);
	for (k = 0; k < ticks; k++) {
		for (i = 0; i < 3; i++) {
			int16_t pcm[MIX_FRAME];

			tone_gen_fill(&gv[i], pcm, MIX_FRAME);
			(void)gst_pad_push(b->feedv[i], gst_buffer_new_memdup(pcm, sizeof(pcm)));
		}
		ck_assert_uint_eq(conf_mix_have(CONF_MIX(b->mix)), 7);
		conf_mix_run(CONF_MIX(b->mix), pos + k * MIX_FRAME, mask);
	}
}

START_TEST(everyone_is_in_the_common_mix_and_missing_from_their_own)
{
	static const double freqv[3] = {400, 700, 1100};
	struct bench b;
	unsigned i, k;

	bench_open(&b, 20);
	run(&b, 50, 960 * 1000, 7);
	for (i = 0; i < 3; i++) {
		ck_assert_double_eq_tol(level(&common, freqv[i]), -20, 1);
		for (k = 0; k < 3; k++) {
			if (k == i)
				ck_assert_double_lt(level(&minusv[i], freqv[k]), -60);
			else
				ck_assert_double_eq_tol(level(&minusv[i], freqv[k]), -20, 1);
		}
	}
	ck_assert_uint_eq(common.packets, 50);
	bench_close(&b);
}
END_TEST

START_TEST(a_slot_that_is_masked_out_is_not_heard)
{
	struct bench b;

	bench_open(&b, 20);
	run(&b, 50, 0, 5);
	ck_assert_double_lt(level(&common, 700), -60);
	ck_assert_double_gt(level(&common, 1100), -22);
	bench_close(&b);
}
END_TEST

static void run_level(struct bench *b, unsigned ticks, uint64_t *pos, int16_t v, uint32_t mask)
{
	int16_t pcm[MIX_FRAME];
	unsigned i;

	for (i = 0; i < MIX_FRAME; i++)
		pcm[i] = v;
	for (i = 0; i < ticks; i++, *pos += MIX_FRAME) {
		if (v)
			(void)gst_pad_push(b->feedv[0], gst_buffer_new_memdup(pcm, sizeof(pcm)));
		conf_mix_run(CONF_MIX(b->mix), *pos, mask);
	}
}

START_TEST(who_goes_makes_no_click)
{
	uint64_t pos = 0;
	struct bench b;
	int step = 0;
	size_t i;

	bench_open(&b, 20);
	run_level(&b, 3, &pos, 0, 0);
	run_level(&b, 5, &pos, 8000, 1);
	run_level(&b, 3, &pos, 8000, 0);        /* muted */
	run_level(&b, 5, &pos, 8000, 1);
	run_level(&b, 3, &pos, 0, 0);           /* left */
	run_level(&b, 5, &pos, 8000, 1);
	conf_mix_cut(CONF_MIX(b.mix), 0);       /* another one has the slot */
	run_level(&b, 5, &pos, 1, 1);
	for (i = 1; i < common.pcmc; i++)
		step = MAX(step, common.pcm[i - 1] - common.pcm[i]);
	ck_assert_int_lt(step, 2500);
	ck_assert_int_lt(common.pcm[common.pcmc - 1], 50);
	bench_close(&b);
}
END_TEST

START_TEST(outputs_that_nobody_needs_are_not_made)
{
	struct bench b;

	bench_open(&b, 20);
	conf_mix_out_need(b.outv[1], false);
	run(&b, 10, 0, 7);
	ck_assert_uint_eq(minusv[1].packets, 0);
	ck_assert_uint_eq(minusv[0].packets, 10);
	bench_close(&b);
}
END_TEST

START_TEST(packets_of_any_ptime_lie_on_one_grid)
{
	static const unsigned ptimev[] = {10, 20, 30, 40, 60};
	unsigned i;

	for (i = 0; i < 5; i++) {
		struct bench b;

		bench_open(&b, ptimev[i]);
		/* begins between two packets of the grid */
		run(&b, 30, 960 * 1001, 7);
		ck_assert_uint_eq(common.dur, ptimev[i] * 48);
		ck_assert_uint_eq(common.pos % common.dur, 0);
		ck_assert_uint_ge(common.packets, 600 / ptimev[i] - 1);
		bench_close(&b);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("confmix");
	TCase *t = tcase_create("confmix");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, quiet_audio_passes_unchanged);
	tcase_add_test(t, fifteen_full_scale_talkers_do_not_wrap);
	tcase_add_test(t, limiter_keeps_the_order_of_samples);
	tcase_add_test(t, gain_comes_back);
	tcase_add_test(t, resampling_gives_whole_frames_from_the_first);
	tcase_add_test(t, everyone_is_in_the_common_mix_and_missing_from_their_own);
	tcase_add_test(t, a_slot_that_is_masked_out_is_not_heard);
	tcase_add_test(t, who_goes_makes_no_click);
	tcase_add_test(t, outputs_that_nobody_needs_are_not_made);
	tcase_add_test(t, packets_of_any_ptime_lie_on_one_grid);
	suite_add_tcase(s, t);

	return check_run(s);
}
