/**
 * @file test_speaker.c  Speaker slots, and what packets tell undecoded
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "check_run.h"
#include "codec.h"
#include "mixer/activity.h"
#include "mixer/speaker.h"
#include "tone.h"

enum { N = 8 };

static struct spkset ss;
static struct spk v[N];
static uint64_t now;
static unsigned changes;

static void setup(void)
{
	unsigned i;

	spkset_init(&ss, 3);
	for (i = 0; i < N; i++)
		spk_init(&v[i]);
	now = 1000;
	changes = 0;
}

/* One frame of everybody: levelv[i] 1 means nothing is sent */
static void frame(const int levelv[N])
{
	struct spk *out;
	unsigned i;

	now += 20;
	for (i = 0; i < N; i++) {
		if (levelv[i] > 0)
			continue;
		if (v[i].slot >= 0) {
			spk_level(&v[i], levelv[i], now);
		}
		else if (spk_hint(&ss, &v[i], SPK_MEASURED, levelv[i], now, &out)) {
			++changes;
			spk_level(&v[i], levelv[i], now);
		}
	}
	while (spk_expire(&ss, now))
		++changes;
}

static void frames(unsigned n, const int levelv[N])
{
	while (n--)
		frame(levelv);
}

START_TEST(free_slot_is_given_with_the_first_frame)
{
	frame((int[N]){-20, 1, 1, 1, 1, 1, 1, 1});
	ck_assert_int_ge(v[0].slot, 0);
	ck_assert(v[0].confirmed);
	ck_assert(spk_talking(&v[0], now));
}
END_TEST

START_TEST(silence_and_noise_get_no_slot)
{
	frames(500, (int[N]){-127, -70, -60, 1, 1, 1, 1, 1});
	ck_assert_uint_eq(ss.held, 0);
}
END_TEST

START_TEST(pauses_between_words_keep_the_slot)
{
	unsigned i;

	for (i = 0; i < 20; i++) {
		frames(25, (int[N]){-25, 1, 1, 1, 1, 1, 1, 1});
		frames(40, (int[N]){-70, 1, 1, 1, 1, 1, 1, 1});
	}
	ck_assert_uint_eq(changes, 1);
}
END_TEST

START_TEST(silent_holder_gives_the_slot_back)
{
	frames(50, (int[N]){-25, 1, 1, 1, 1, 1, 1, 1});
	frames(74, (int[N]){-70, 1, 1, 1, 1, 1, 1, 1});
	ck_assert_int_ge(v[0].slot, 0);
	frames(3, (int[N]){-70, 1, 1, 1, 1, 1, 1, 1});
	ck_assert_int_lt(v[0].slot, 0);
	/* one that vanishes, too */
	frames(50, (int[N]){1, -25, 1, 1, 1, 1, 1, 1});
	frames(80, (int[N]){1, 1, 1, 1, 1, 1, 1, 1});
	ck_assert_uint_eq(ss.held, 0);
}
END_TEST

START_TEST(challenger_takes_the_slot_of_a_silent_holder_after_the_attack)
{
	frames(50, (int[N]){-25, -25, -25, 1, 1, 1, 1, 1});
	frames(20, (int[N]){-25, -70, -25, -70, 1, 1, 1, 1});
	frames(2, (int[N]){-25, -70, -25, -30, 1, 1, 1, 1});
	ck_assert_int_lt(v[3].slot, 0);
	frames(4, (int[N]){-25, -70, -25, -30, 1, 1, 1, 1});
	ck_assert_int_ge(v[3].slot, 0);
	ck_assert_int_lt(v[1].slot, 0);
}
END_TEST

START_TEST(equals_do_not_take_slots_from_each_other)
{
	frames(1000, (int[N]){-25, -26, -24, -25, -22, -25, -27, -25});
	ck_assert_uint_eq(changes, 3);
}
END_TEST

START_TEST(clearly_louder_challenger_wins_after_a_while)
{
	frames(100, (int[N]){-25, -30, -25, 1, 1, 1, 1, 1});
	frames(20, (int[N]){-25, -30, -25, -15, 1, 1, 1, 1});
	ck_assert_int_lt(v[3].slot, 0);
	frames(10, (int[N]){-25, -30, -25, -15, 1, 1, 1, 1});
	ck_assert_int_ge(v[3].slot, 0);
	ck_assert_int_lt(v[1].slot, 0);
	ck_assert_uint_eq(changes, 4);
}
END_TEST

START_TEST(closed_gate_is_never_chosen)
{
	v[0].open = false;
	frames(100, (int[N]){-10, 1, 1, 1, 1, 1, 1, 1});
	ck_assert_uint_eq(ss.held, 0);
}
END_TEST

START_TEST(hints_that_prove_wrong_are_believed_less_and_less)
{
	struct spk *out;
	unsigned held = 0, i;

	for (i = 0; i < 1500; i++) {
		now += 20;
		if (v[0].slot < 0)
			(void)spk_hint(&ss, &v[0], i & 1 ? SPK_MAYBE : SPK_CLAIM, -10, now, &out);
		else
			spk_level(&v[0], -90, now);
		while (spk_expire(&ss, now))
			;
		held += ss.held;
		ck_assert(!spk_talking(&v[0], now));
	}
	ck_assert_uint_lt(held, 300);
	/* but a measured level is believed at once */
	while (ss.held) {
		now += 20;
		(void)spk_expire(&ss, now);
	}
	ck_assert(spk_hint(&ss, &v[0], SPK_MEASURED, -20, now, &out));
}
END_TEST

START_TEST(fewer_slots_take_effect)
{
	struct spk *s;

	frames(10, (int[N]){-25, -25, -25, 1, 1, 1, 1, 1});
	ss.k = 1;
	while ((s = spk_expire(&ss, now)))
		ck_assert_int_lt(s->slot, 0);
	ck_assert_uint_eq(ss.held, 1);
}
END_TEST

/* ---- activity ---- */

static int g722_of(double dbfs, double freq)
{
	struct codec_enc *e = NULL;
	struct tone_gen g;
	uint16_t nb = 0;
	int16_t pcm[320];
	uint8_t buf[400];
	int level = 0, i, n;

	tone_gen_init(&g, freq, 16000, dbfs);
	ck_assert_int_eq(codec_enc_new(&e, CODEC_G722, &(struct codec_cfg){0}), 0);
	for (i = 0; i < 50; i++) {
		tone_gen_fill(&g, pcm, 320);
		n = codec_encode(e, pcm, 320, buf, sizeof(buf));
		ck_assert_int_gt(n, 0);
		level = activity_g722_level(&nb, buf, (size_t)n);
	}
	codec_enc_free(&e);

	return level;
}

START_TEST(g722_level_follows_from_the_code_words)
{
	const int loud = g722_of(-10, 500), mid = g722_of(-30, 500), none = g722_of(-120, 500);

	ck_assert_int_ge(loud, -20);
	ck_assert_int_le(loud, -6);
	ck_assert_int_ge(mid, -40);
	ck_assert_int_le(mid, -26);
	ck_assert_int_eq(none, SPK_SILENT_DBOV);
	ck_assert_int_eq(g722_of(-75, 500), SPK_SILENT_DBOV);
	ck_assert_int_ge(g722_of(-30, 1500), -40);
	ck_assert_int_le(g722_of(-30, 1500), -20);
}
END_TEST

static void fill_noise(int16_t *pcm, unsigned c, int amp)
{
	while (c--)
		*pcm++ = (int16_t)(amp ? rand() % (2 * amp) - amp : 0);
}

START_TEST(opus_tells_voice_from_silence_in_its_first_bits)
{
	/* SILK wide band, 20 ms, mono: TOC 0x48; VAD is the first bit */
	ck_assert_int_eq(activity_opus_vad((uint8_t[]){0x48, 0x80, 1, 2}, 4), 1);
	ck_assert_int_eq(activity_opus_vad((uint8_t[]){0x48, 0x7f, 1, 2}, 4), 0);
	/* 60 ms: three flags */
	ck_assert_int_eq(activity_opus_vad((uint8_t[]){0x58, 0x20, 1, 2}, 4), 1);
	ck_assert_int_eq(activity_opus_vad((uint8_t[]){0x58, 0x1f, 1, 2}, 4), 0);
	/* hybrid */
	ck_assert_int_eq(activity_opus_vad((uint8_t[]){0x78, 0x80, 1, 2}, 4), 1);
	/* CELT says nothing, DTX is silence */
	ck_assert_int_eq(activity_opus_vad((uint8_t[]){0xf8, 0x80, 1, 2}, 4), -1);
	ck_assert_int_eq(activity_opus_vad((uint8_t[]){0xf8}, 1), 0);
	ck_assert_int_eq(activity_opus_vad((uint8_t[]){0}, 0), 0);
}
END_TEST

START_TEST(real_opus_silence_is_not_voice)
{
	struct codec_enc *e = NULL;
	int16_t pcm[960];
	uint8_t buf[1300];
	unsigned voiced = 0, i;

	srand(3);
	ck_assert_int_eq(codec_enc_new(&e, CODEC_OPUS, &(struct codec_cfg){.bitrate = 12000}), 0);
	for (i = 0; i < 100; i++) {
		int n;

		fill_noise(pcm, 960, 0);
		n = codec_encode(e, pcm, 960, buf, sizeof(buf));
		ck_assert_int_gt(n, 0);
		voiced += activity_opus_vad(buf, (size_t)n) > 0;
	}
	ck_assert_uint_le(voiced, 5);
	codec_enc_free(&e);
}
END_TEST

START_TEST(level_of_pcm_is_dbov)
{
	int16_t pcm[480];
	struct tone_gen g;

	tone_gen_init(&g, 1000, 48000, -30);
	tone_gen_fill(&g, pcm, 480);
	ck_assert_int_eq(spk_pcm_level(pcm, 480), -30);
	memset(pcm, 0, sizeof(pcm));
	ck_assert_int_eq(spk_pcm_level(pcm, 480), SPK_SILENT_DBOV);
	ck_assert_int_eq(spk_pcm_level(pcm, 0), SPK_SILENT_DBOV);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("speaker");
	TCase *t = tcase_create("slots"), *a = tcase_create("activity");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, free_slot_is_given_with_the_first_frame);
	tcase_add_test(t, silence_and_noise_get_no_slot);
	tcase_add_test(t, pauses_between_words_keep_the_slot);
	tcase_add_test(t, silent_holder_gives_the_slot_back);
	tcase_add_test(t, challenger_takes_the_slot_of_a_silent_holder_after_the_attack);
	tcase_add_test(t, equals_do_not_take_slots_from_each_other);
	tcase_add_test(t, clearly_louder_challenger_wins_after_a_while);
	tcase_add_test(t, closed_gate_is_never_chosen);
	tcase_add_test(t, hints_that_prove_wrong_are_believed_less_and_less);
	tcase_add_test(t, fewer_slots_take_effect);
	suite_add_tcase(s, t);
	tcase_add_test(a, g722_level_follows_from_the_code_words);
	tcase_add_test(a, opus_tells_voice_from_silence_in_its_first_bits);
	tcase_add_test(a, real_opus_silence_is_not_voice);
	tcase_add_test(a, level_of_pcm_is_dbov);
	suite_add_tcase(s, a);

	return check_run(s);
}
