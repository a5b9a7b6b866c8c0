/**
 * @file test_codec.c  Codecs: levels, delay, concealment, hostile payloads
 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <opus.h>
#include "check_run.h"
#include "codec.h"
#include "tone.h"

enum {
	SEC = 3,
	RATE_MAX = 48000,
	PTIME_MS = 20,
	FRAME_MAX = RATE_MAX / 1000 * 120,
};

static int16_t in[RATE_MAX * SEC], out[RATE_MAX * SEC];
static unsigned loss_percent;      /* what run() tells the encoder        */

static const struct codec *codec_at(int i)
{
	const struct codec *c = codec_by_id((enum codec_id)i);

	ck_assert_ptr_nonnull(c);
	return c;
}

static uint32_t rnd(void)
{
	static uint32_t x = 88172645;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;

	return x;
}

static void make(const struct codec *c, double freq, double level)
{
	struct tone_gen g;

	tone_gen_init(&g, freq, c->rate, level);
	tone_gen_fill(&g, in, c->rate * SEC);
}

static double level_of(const struct codec *c, double freq,
		       struct tone_found *tf)
{
	/* the first half second is for the codec to settle */
	const size_t skip = c->rate / 2;

	tone_find(tf, out + skip, c->rate * SEC - skip, c->rate, freq);

	return tf->level_dbfs;
}

/* Whether a frame is lost, and whether its successor is there already */
typedef bool (lost_h)(size_t frame);

static bool none_lost(size_t frame)
{
	(void)frame;
	return false;
}

static bool each_tenth_lost(size_t frame)
{
	return frame % 10 == 9;
}

static void run(const struct codec *c, const struct codec_cfg *cfg,
		lost_h *lost)
{
	const size_t n = c->rate / 1000 * PTIME_MS;
	const size_t frames = c->rate * SEC / n;
	static uint8_t pay[SEC * 1000 / PTIME_MS][1500];
	static int lenv[SEC * 1000 / PTIME_MS];
	struct codec_enc *e = NULL;
	struct codec_dec *d = NULL;

	ck_assert_int_eq(codec_enc_new(&e, c->id, cfg), 0);
	ck_assert_int_eq(codec_dec_new(&d, c->id), 0);
	if (loss_percent)
		codec_enc_set_loss(e, loss_percent);

	for (size_t i = 0; i < frames; i++) {
		lenv[i] = codec_encode(e, in + i * n, n, pay[i],
				       sizeof(pay[i]));
		ck_assert_int_gt(lenv[i], 0);
		ck_assert_int_eq(codec_duration(c->id, pay[i],
						(size_t)lenv[i]), (int)n);
	}
	for (size_t i = 0; i < frames; i++) {
		const bool last = i + 1 == frames;
		int got = lost(i) ?
			codec_conceal(d, last ? NULL : pay[i + 1],
				      last ? 0 : (size_t)lenv[i + 1],
				      out + i * n, n) :
			codec_decode(d, pay[i], (size_t)lenv[i],
				     out + i * n, n);

		ck_assert_int_eq(got, (int)n);
	}
	codec_enc_free(&e);
	codec_dec_free(&d);
	ck_assert_ptr_null(e);
	ck_assert_ptr_null(d);
}

START_TEST(table_is_what_sdp_says)
{
	ck_assert_str_eq(codec_by_id(CODEC_OPUS)->name, "opus");
	ck_assert_uint_eq(codec_by_id(CODEC_OPUS)->rtpmap_ch, 2);
	ck_assert_uint_eq(codec_by_id(CODEC_G722)->clock, 8000);
	ck_assert_uint_eq(codec_by_id(CODEC_G722)->rate, 16000);
	ck_assert_int_eq(codec_by_pt(0)->id, CODEC_PCMU);
	ck_assert_int_eq(codec_by_pt(8)->id, CODEC_PCMA);
	ck_assert_int_eq(codec_by_pt(9)->id, CODEC_G722);
	ck_assert_ptr_null(codec_by_pt(-1));
	ck_assert_ptr_null(codec_by_pt(111));
	ck_assert_ptr_null(codec_by_id(CODEC_NONE));
	ck_assert_int_eq(codec_by_name("OPUS/", 4, 48000)->id, CODEC_OPUS);
	ck_assert_int_eq(codec_by_name("pcma", 4, 8000)->id, CODEC_PCMA);
	ck_assert_ptr_null(codec_by_name("pcma", 4, 16000));
	ck_assert_ptr_null(codec_by_name("pcm", 3, 8000));
	ck_assert_ptr_null(codec_by_name("pcmau", 5, 8000));
	ck_assert_ptr_null(codec_by_name(NULL, 0, 8000));
}
END_TEST

START_TEST(level_of_a_tone_is_kept)
{
	static const double freqv[] = { 300, 440, 660, 990, 2000 };
	const struct codec *c = codec_at(_i);
	struct tone_found tf;

	for (size_t i = 0; i < 5; i++) {
		make(c, freqv[i], -9);
		run(c, NULL, none_lost);
		ck_assert_double_eq_tol(level_of(c, freqv[i], &tf), -9, 0.3);
		ck_assert_uint_eq(tf.on_pct, 100);
	}
}
END_TEST

START_TEST(loud_and_soft_tones_keep_their_level)
{
	static const double levelv[] = { -3.1, -20, -40 };
	const struct codec *c = codec_at(_i);
	struct tone_found tf;

	for (size_t i = 0; i < 3; i++) {
		make(c, 997, levelv[i]);
		run(c, NULL, none_lost);
		ck_assert_double_eq_tol(level_of(c, 997, &tf), levelv[i], 0.5);
	}
}
END_TEST

START_TEST(lost_frames_are_filled_with_the_sound_before_them)
{
	const struct codec_cfg cfg = { .complexity = -1, .fec = true };
	const struct codec *c = codec_at(_i);
	const size_t n = c->rate / 1000 * PTIME_MS;
	struct tone_found tf;

	/* in the range of the pitch that the concealers look for */
	make(c, 200, -9);
	run(c, &cfg, each_tenth_lost);
	ck_assert_double_eq_tol(level_of(c, 200, &tf), -9, 0.5);
	ck_assert_uint_le(tf.longest_gap_ms,
			  c->id == CODEC_OPUS ? PTIME_MS : 0);

	for (size_t i = 29; i < SEC * 1000 / PTIME_MS; i += 10) {
		double sum = 0;

		ck_assert(each_tenth_lost(i));
		for (size_t k = i * n; k < (i + 1) * n; k++)
			sum += (double)out[k] * out[k];
		ck_assert_double_gt(10 * log10(sum / (double)n) -
				    20 * log10(32767), -9 - 12);
	}
}
END_TEST

START_TEST(concealment_joins_without_clicks)
{
	/* 37 Hz is below any pitch: nothing fits by itself */
	static const double freqv[] = { 37, 100, 200, 440, 730 };
	const struct codec *c = codec_at(_i);

	if (c->id == CODEC_OPUS)        /* libopus does its own              */
		return;

	for (size_t i = 0; i < 5; i++) {
		int step = 0, most = 0;

		make(c, freqv[i], -9);
		for (size_t k = 1; k < c->rate * SEC; k++)
			step = abs(in[k] - in[k - 1]) > step ?
				abs(in[k] - in[k - 1]) : step;

		run(c, NULL, each_tenth_lost);
		for (size_t k = c->rate / 10; k < c->rate * SEC; k++)
			most = abs(out[k] - out[k - 1]) > most ?
				abs(out[k] - out[k - 1]) : most;

		/* no step much steeper than the sine itself; the codec's own
		   noise is in it too */
		ck_assert_int_lt(most, step + step / 2 + 1500);
	}
}
END_TEST

START_TEST(long_loss_fades_to_silence)
{
	const struct codec *c = codec_at(_i);
	const size_t n = c->rate / 1000 * PTIME_MS;
	struct codec_enc *e = NULL;
	struct codec_dec *d = NULL;
	uint8_t pay[1500];
	int len;

	make(c, 200, -9);
	ck_assert_int_eq(codec_enc_new(&e, c->id, NULL), 0);
	ck_assert_int_eq(codec_dec_new(&d, c->id), 0);
	for (size_t i = 0; i < 20; i++) {
		len = codec_encode(e, in + i * n, n, pay, sizeof(pay));
		ck_assert_int_gt(len, 0);
		ck_assert_int_gt(codec_decode(d, pay, (size_t)len, out, n), 0);
	}
	/* it lasts for a frame, 100 ms is the end, and it stays so */
	for (size_t i = 0; i < 100; i++) {
		int most = 0;

		ck_assert_int_eq(codec_conceal(d, NULL, 0, out, n), (int)n);
		for (size_t k = 0; k < n; k++)
			most = abs(out[k]) > most ? abs(out[k]) : most;
		if (!i)
			ck_assert_int_gt(most, 5000);
		else if (i >= 100 / PTIME_MS)
			ck_assert_int_eq(most, 0);
	}
	codec_enc_free(&e);
	codec_dec_free(&d);
}
END_TEST

static bool half_a_second_lost(size_t frame)
{
	return frame >= 40 && frame < 65;
}

START_TEST(sound_comes_back_smoothly_after_a_long_loss)
{
	static const double freqv[] = { 37, 200, 440 };
	const struct codec *c = codec_at(_i);
	const size_t n = c->rate / 1000 * PTIME_MS;
	struct tone_found tf;

	for (size_t i = 0; i < 3; i++) {
		const double peak = 32767 * M_SQRT2 * pow(10, -9 / 20.0);
		const int step = (int)(2 * M_PI * freqv[i] / c->rate * peak);

		make(c, freqv[i], -9);
		run(c, NULL, half_a_second_lost);
		ck_assert_int_eq(out[65 * n - 1], 0);

		/* from silence, no steeper than the sine and the way back to
		   it; the codec's own noise is in it too, with libopus 1.5
		   more (1200) than with 1.3; a click would be 10000 */
		ck_assert_int_lt(abs(out[65 * n]), 400);
		for (size_t k = 65 * n; k < 67 * n; k++)
			ck_assert_int_lt(abs(out[k] - out[k - 1]),
					 step + step / 2 + 2000);
		/* the frame after the next is as loud as ever */
		tone_find(&tf, out + 67 * n, 10 * n, c->rate, freqv[i]);
		if (freqv[i] > 100)
			ck_assert_double_eq_tol(tf.level_dbfs, -9, 1);
	}
}
END_TEST

START_TEST(encoder_goes_on_where_another_one_is)
{
	const struct codec *c = codec_at(_i);
	const size_t n = c->rate / 1000 * PTIME_MS;
	struct codec_enc *e = NULL, *other = NULL;
	uint8_t a[1500], b[1500];

	make(c, 500, -12);
	ck_assert_int_eq(codec_enc_new(&e, c->id, NULL), 0);
	ck_assert_int_eq(codec_enc_new(&other, c->id, NULL), 0);
	for (size_t i = 0; i < 20; i++) {
		const int len = codec_encode(e, in + i * n, n, a, sizeof(a));

		ck_assert_int_gt(len, 0);
		if (i == 10)
			codec_enc_copy(other, e);
		if (i <= 10)
			continue;
		ck_assert_int_eq(codec_encode(other, in + i * n, n, b, sizeof(b)), len);
		ck_assert_mem_eq(a, b, (size_t)len);
	}

	/* two codecs have nothing in common */
	codec_enc_free(&other);
	ck_assert_int_eq(codec_enc_new(&other, c->id == CODEC_OPUS ? CODEC_G722 : CODEC_OPUS, NULL), 0);
	codec_enc_copy(other, e);
	codec_enc_free(&e);
	codec_enc_free(&other);
}
END_TEST

/* After a reset the same input gives the same output as from a new one */
START_TEST(reset_forgets_all_that_was_heard)
{
	const struct codec *c = codec_at(_i);
	const size_t n = c->rate / 1000 * PTIME_MS;
	static uint8_t a[20][1500], b[20][1500];
	struct codec_enc *e = NULL;
	struct codec_dec *d = NULL;
	int la[20];

	make(c, 500, -12);
	ck_assert_int_eq(codec_dec_new(&d, c->id), 0);

	for (unsigned round = 0; round < 2; round++) {
		uint8_t (*pay)[1500] = round ? b : a;

		ck_assert_int_eq(codec_enc_new(&e, c->id, NULL), 0);
		for (size_t i = 0; i < 20; i++) {
			const int len = codec_encode(e, in + i * n, n, pay[i],
						     sizeof(pay[i]));

			ck_assert_int_gt(len, 0);
			if (round) {
				ck_assert_int_eq(len, la[i]);
				ck_assert_mem_eq(a[i], b[i], (size_t)len);
			}
			la[i] = len;
			ck_assert_int_eq(codec_decode(d, pay[i], (size_t)len,
						      out + i * n, n), (int)n);
		}
		if (round)
			ck_assert_mem_eq(out, out + 20 * n,
					 20 * n * sizeof(out[0]));
		else
			memcpy(out + 20 * n, out, 20 * n * sizeof(out[0]));

		codec_enc_free(&e);
		codec_dec_reset(d);
		/* of a loss nothing is left either */
		for (size_t i = 0; i < 5; i++)
			ck_assert_int_eq(codec_conceal(d, NULL, 0, in + 40 * n,
						       n), (int)n);
		codec_dec_reset(d);
	}
	codec_dec_free(&d);
}
END_TEST

START_TEST(any_bytes_are_safe_to_decode)
{
	const struct codec *c = codec_at(_i);
	struct codec_dec *d = NULL;

	ck_assert_int_eq(codec_dec_new(&d, c->id), 0);
	for (unsigned i = 0; i < 3000; i++) {
		const size_t len = 1 + rnd() % (i % 8 ? 200 : 1480);
		const size_t room = i % 4 ? FRAME_MAX : 1 + rnd() % FRAME_MAX;
		uint8_t *p = malloc(len);
		int16_t *pcm = malloc(room * sizeof(*pcm));
		int n, dur;

		ck_assert(p && pcm);
		for (size_t k = 0; k < len; k++)
			p[k] = (uint8_t)rnd();

		dur = codec_duration(c->id, p, len);
		n   = codec_decode(d, p, len, pcm, room);
		ck_assert_int_ge(n, -1);
		ck_assert_int_ne(n, 0);
		ck_assert_int_le(n, (int)room);
		if (n > 0)
			ck_assert_int_eq(n, dur);

		n = (int)(c->rate / 1000 * PTIME_MS);
		if (room >= (size_t)n)
			ck_assert_int_eq(codec_conceal(d, p, len, pcm,
						       (size_t)n), n);
		free(p);
		free(pcm);
	}
	codec_dec_free(&d);
}
END_TEST

START_TEST(empty_and_oversized_payloads_are_refused)
{
	const struct codec *c = codec_at(_i);
	const size_t n = c->rate / 1000 * PTIME_MS;
	static uint8_t big[70000];
	struct codec_dec *d = NULL;
	struct codec_enc *e = NULL;

	ck_assert_int_eq(codec_dec_new(&d, c->id), 0);
	ck_assert_int_eq(codec_enc_new(&e, c->id, NULL), 0);
	ck_assert_int_eq(codec_decode(d, big, 0, out, FRAME_MAX), -1);
	ck_assert_int_eq(codec_decode(d, NULL, 0, out, FRAME_MAX), -1);
	ck_assert_int_eq(codec_decode(d, big, sizeof(big), out, FRAME_MAX), -1);
	ck_assert_int_eq(codec_duration(c->id, big, 0), -1);
	ck_assert_int_eq(codec_duration(c->id, big, sizeof(big)), -1);
	ck_assert_int_eq(codec_conceal(d, NULL, 0, out, RATE_MAX), -1);
	ck_assert_int_eq(codec_encode(e, in, n, big, 0), -1);
	ck_assert_int_eq(codec_encode(e, in, 0, big, sizeof(big)), -1);
	ck_assert_int_eq(codec_encode(e, in, RATE_MAX, big, 1500), -1);
	codec_enc_free(&e);
	codec_enc_free(&e);
	codec_dec_free(&d);
}
END_TEST

/* At 56 and 48 kbit/s the upper bits of each byte stay empty, and our own
   decoder would not mind */
START_TEST(g722_uses_all_64_kbit)
{
	struct codec_enc *e = NULL;
	uint8_t pay[160], seen = 0;

	make(codec_at(CODEC_G722), 440, -9);
	ck_assert_int_eq(codec_enc_new(&e, CODEC_G722, NULL), 0);
	ck_assert_int_eq(codec_encode(e, in, 320, pay, sizeof(pay)), 160);
	for (size_t i = 0; i < sizeof(pay); i++)
		seen |= pay[i];
	ck_assert_uint_eq(seen, 0xff);
	codec_enc_free(&e);
}
END_TEST

START_TEST(unknown_codecs_are_refused)
{
	struct codec_enc *e = NULL;
	struct codec_dec *d = NULL;
	const uint8_t b = 0;

	ck_assert_int_eq(codec_enc_new(&e, CODEC_NONE, NULL), EINVAL);
	ck_assert_int_eq(codec_dec_new(&d, CODEC_NONE), EINVAL);
	ck_assert_int_eq(codec_duration(CODEC_NONE, &b, 1), -1);
	codec_enc_free(&e);
	codec_dec_free(&d);
}
END_TEST

/* --- Opus -------------------------------------------------------------- */

static int opus_bytes(const struct codec_cfg *cfg)
{
	const size_t n = RATE_MAX / 1000 * PTIME_MS;
	struct codec_enc *e = NULL;
	uint8_t pay[1500];
	int sum = 0;

	ck_assert_int_eq(codec_enc_new(&e, CODEC_OPUS, cfg), 0);
	for (size_t i = 0; i < 100; i++) {
		const int len = codec_encode(e, in + i * n, n, pay,
					     sizeof(pay));

		ck_assert_int_gt(len, 0);
		sum += len;
	}
	codec_enc_free(&e);

	return sum;
}

START_TEST(opus_settings_are_followed)
{
	struct codec_cfg cfg = { .complexity = -1 };
	int dflt, low;

	/* noise: something that wants all the bits it can get */
	for (size_t i = 0; i < RATE_MAX * SEC; i++)
		in[i] = (int16_t)(rnd() % 8000) - 4000;

	dflt = opus_bytes(NULL);
	ck_assert_int_gt(dflt, 32000 / 8 * 2 * 7 / 10);
	ck_assert_int_lt(dflt, 32000 / 8 * 2 * 13 / 10);
	ck_assert_int_eq(opus_bytes(&cfg), dflt);

	cfg.bitrate = 12000;
	low = opus_bytes(&cfg);
	ck_assert_int_lt(low, dflt * 6 / 10);

	cfg.cbr = true;
	ck_assert_int_eq(opus_bytes(&cfg), 12000 / 8 * 2);

	/* silence with DTX: next to nothing */
	memset(in, 0, sizeof(in));
	cfg.cbr = false;
	cfg.dtx = true;
	ck_assert_int_lt(opus_bytes(&cfg), 600);

	cfg.complexity = 11;
	ck_assert_int_eq(codec_enc_new(&(struct codec_enc *){ NULL },
				       CODEC_OPUS, &cfg), EINVAL);
}
END_TEST

START_TEST(opus_maxplaybackrate_limits_the_bandwidth)
{
	const struct codec *c = codec_at(CODEC_OPUS);
	struct codec_cfg cfg = { .complexity = -1, .max_rate = 8000,
				 .bitrate = 64000 };
	struct tone_found tf;

	make(c, 6000, -9);
	run(c, &cfg, none_lost);
	ck_assert_double_lt(level_of(c, 6000, &tf), -40);
	cfg.max_rate = 0;
	run(c, &cfg, none_lost);
	ck_assert_double_gt(level_of(c, 6000, &tf), -10);
}
END_TEST

/* A voice of 40 to 200 Hz that starts anew every 400 ms */
static void make_voice(void)
{
	double phase = 0;

	for (size_t i = 0; i < RATE_MAX * SEC; i++) {
		const double t = (double)i / (double)RATE_MAX;
		const double amp = i / 9600 % 2 ? 10000 : 200;

		phase += (120 + 80 * sin(2 * M_PI * 2.5 * t)) / (double)RATE_MAX;
		phase -= floor(phase);
		in[i] = (int16_t)(amp * (phase < 0.1 ? 1 : -0.11));
	}
}

/* Energy of the error in each second frame of a burst, which is lost; what
   it sounds like cannot be guessed from the frame before */
static double conceal_error(const int16_t *clean, bool fec,
			    uint8_t (*pay)[1500], const int *lenv)
{
	const size_t n = RATE_MAX / 1000 * PTIME_MS;
	struct codec_dec *d = NULL;
	double sum = 0;

	ck_assert_int_eq(codec_dec_new(&d, CODEC_OPUS), 0);
	for (size_t i = 0; i + 1 < SEC * 1000 / PTIME_MS; i++) {
		if (i < 20 || i % 10 != 1) {
			ck_assert_int_eq(codec_decode(d, pay[i],
				(size_t)lenv[i], out, n), (int)n);
			continue;
		}
		ck_assert_int_eq(codec_conceal(d, fec ? pay[i + 1] : NULL,
					       fec ? (size_t)lenv[i + 1] : 0,
					       out, n), (int)n);
		for (size_t k = 0; k < n; k++)
			sum += pow(out[k] - clean[i * n + k], 2);
	}
	codec_dec_free(&d);

	return sum;
}

/* FEC would make libopus leave CELT for SILK, which puts noise between them */
START_TEST(opus_mix_stays_clean_until_losses_are_reported)
{
	struct codec_cfg cfg = { .complexity = -1, .fec = true };
	const struct codec *c = codec_at(CODEC_OPUS);
	static int16_t one[RATE_MAX * SEC];
	struct tone_found tf;

	make(c, 440, -15);
	memcpy(one, in, sizeof(one));
	make(c, 990, -15);
	for (size_t i = 0; i < RATE_MAX * SEC; i++)
		in[i] = (int16_t)(in[i] + one[i]);

	run(c, &cfg, none_lost);
	ck_assert_double_eq_tol(level_of(c, 440, &tf), -15, 0.5);
	ck_assert_double_eq_tol(level_of(c, 990, &tf), -15, 0.5);
	ck_assert_double_lt(level_of(c, 660, &tf), -50);

	/* nor with losses, if the peer did not ask for FEC */
	loss_percent = 1000;
	cfg.fec = false;
	run(c, &cfg, none_lost);
	loss_percent = 0;
	ck_assert_double_lt(level_of(c, 660, &tf), -50);
}
END_TEST

/* Told of losses an encoder spends bits on FEC, told that they are over it
   stops */
START_TEST(opus_fec_follows_the_reported_losses)
{
	/* from 7 on libopus would take this made-up voice for music */
	const struct codec_cfg cfg = { .complexity = 5, .fec = true };
	static const struct { unsigned percent; bool celt; } v[] = {
		{ 0, true }, { 20, false }, { 0, true }, { 1000, false }, { 0, true },
	};
	const size_t n = RATE_MAX / 1000 * PTIME_MS;
	struct codec_enc *e = NULL;
	uint8_t pay[1500];

	make_voice();
	codec_enc_set_loss(NULL, 10);
	ck_assert_int_eq(codec_enc_new(&e, CODEC_OPUS, &cfg), 0);
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		codec_enc_set_loss(e, v[i].percent);
		for (size_t k = 0; k < 10; k++)
			ck_assert_int_gt(codec_encode(e, in + (10 * i + k) * n,
						      n, pay, sizeof(pay)), 0);
		/* RFC 6716 section 3.1: configurations 16 and up are CELT */
		ck_assert_int_eq(pay[0] >> 3 >= 16, v[i].celt);
	}
	codec_enc_free(&e);
}
END_TEST

START_TEST(opus_fec_brings_back_what_plc_cannot_guess)
{
	/* from 7 on libopus would take this made-up voice for music */
	const struct codec_cfg cfg = { .complexity = 5, .fec = true };
	const size_t n = RATE_MAX / 1000 * PTIME_MS;
	static uint8_t pay[SEC * 1000 / PTIME_MS][1500];
	static int16_t clean[RATE_MAX * SEC];
	int lenv[SEC * 1000 / PTIME_MS];
	struct codec_enc *e = NULL;

	make_voice();
	loss_percent = 10;
	run(codec_at(CODEC_OPUS), &cfg, none_lost);
	memcpy(clean, out, sizeof(clean));

	ck_assert_int_eq(codec_enc_new(&e, CODEC_OPUS, &cfg), 0);
	codec_enc_set_loss(e, loss_percent);
	for (size_t i = 0; i < SEC * 1000 / PTIME_MS; i++)
		lenv[i] = codec_encode(e, in + i * n, n, pay[i], 1500);
	codec_enc_free(&e);
	loss_percent = 0;

	ck_assert_double_lt(conceal_error(clean, true, pay, lenv),
			    conceal_error(clean, false, pay, lenv) / 8);
}
END_TEST

START_TEST(opus_stereo_is_heard_in_mono)
{
	const size_t n = RATE_MAX / 1000 * PTIME_MS;
	const struct codec *c = codec_at(CODEC_OPUS);
	struct codec_dec *d = NULL;
	struct tone_found tf;
	struct tone_gen l, r;
	OpusEncoder *enc;
	uint8_t pay[1500];
	int err;

	enc = opus_encoder_create(RATE_MAX, 2, OPUS_APPLICATION_AUDIO, &err);
	ck_assert_ptr_nonnull(enc);
	(void)opus_encoder_ctl(enc, OPUS_SET_BITRATE(96000));
	ck_assert_int_eq(codec_dec_new(&d, CODEC_OPUS), 0);
	tone_gen_init(&l, 440, RATE_MAX, -9);
	tone_gen_init(&r, 990, RATE_MAX, -9);

	for (size_t i = 0; i < SEC * 1000 / PTIME_MS; i++) {
		int16_t a[RATE_MAX / 50], b[RATE_MAX / 50], lr[RATE_MAX / 25];
		int len;

		tone_gen_fill(&l, a, n);
		tone_gen_fill(&r, b, n);
		for (size_t k = 0; k < n; k++) {
			lr[2 * k] = a[k];
			lr[2 * k + 1] = b[k];
		}
		len = opus_encode(enc, lr, (int)n, pay, sizeof(pay));
		ck_assert_int_gt(len, 2);
		ck_assert(opus_packet_get_nb_channels(pay) == 2);
		ck_assert_int_eq(codec_decode(d, pay, (size_t)len,
					      out + i * n, n), (int)n);
	}
	opus_encoder_destroy(enc);
	codec_dec_free(&d);

	/* each is in one channel only, so it comes at half the amplitude */
	ck_assert_double_eq_tol(level_of(c, 440, &tf), -15, 1);
	ck_assert_double_eq_tol(level_of(c, 990, &tf), -15, 1);
}
END_TEST

START_TEST(opus_frame_lengths_from_2_5_to_60_ms)
{
	static const size_t nv[] = { 120, 240, 480, 960, 1920, 2880 };
	struct codec_enc *e = NULL;
	struct codec_dec *d = NULL;
	uint8_t pay[1500];

	make(codec_at(CODEC_OPUS), 440, -9);
	ck_assert_int_eq(codec_enc_new(&e, CODEC_OPUS, NULL), 0);
	ck_assert_int_eq(codec_dec_new(&d, CODEC_OPUS), 0);
	for (size_t i = 0; i < 6; i++) {
		const int len = codec_encode(e, in, nv[i], pay, sizeof(pay));

		ck_assert_int_gt(len, 0);
		ck_assert_int_eq(codec_duration(CODEC_OPUS, pay, (size_t)len),
				 (int)nv[i]);
		/* no room: refused, not cut */
		ck_assert_int_eq(codec_decode(d, pay, (size_t)len, out,
					      nv[i] - 1), -1);
		ck_assert_int_eq(codec_decode(d, pay, (size_t)len, out,
					      FRAME_MAX), (int)nv[i]);
	}
	ck_assert_int_eq(codec_encode(e, in, 961, pay, sizeof(pay)), -1);
	codec_enc_free(&e);
	codec_dec_free(&d);
}
END_TEST

static void add_for_all(TCase *tc, const TTest *t)
{
	tcase_add_loop_test(tc, t, CODEC_NONE + 1, CODEC_MAX + 1);
}

int main(void)
{
	Suite *s = suite_create("codec");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, table_is_what_sdp_says);
	tcase_add_test(tc, unknown_codecs_are_refused);
	tcase_add_test(tc, g722_uses_all_64_kbit);
	add_for_all(tc, level_of_a_tone_is_kept);
	add_for_all(tc, loud_and_soft_tones_keep_their_level);
	add_for_all(tc, lost_frames_are_filled_with_the_sound_before_them);
	add_for_all(tc, concealment_joins_without_clicks);
	add_for_all(tc, long_loss_fades_to_silence);
	add_for_all(tc, sound_comes_back_smoothly_after_a_long_loss);
	add_for_all(tc, encoder_goes_on_where_another_one_is);
	add_for_all(tc, reset_forgets_all_that_was_heard);
	add_for_all(tc, any_bytes_are_safe_to_decode);
	add_for_all(tc, empty_and_oversized_payloads_are_refused);
	suite_add_tcase(s, tc);

	tc = tcase_create("opus");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, opus_settings_are_followed);
	tcase_add_test(tc, opus_maxplaybackrate_limits_the_bandwidth);
	tcase_add_test(tc, opus_mix_stays_clean_until_losses_are_reported);
	tcase_add_test(tc, opus_fec_follows_the_reported_losses);
	tcase_add_test(tc, opus_fec_brings_back_what_plc_cannot_guess);
	tcase_add_test(tc, opus_stereo_is_heard_in_mono);
	tcase_add_test(tc, opus_frame_lengths_from_2_5_to_60_ms);
	suite_add_tcase(s, tc);

	return check_run(s);
}
