/**
 * @file test_tone.c  Tones made and found, WAV files
 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "check_run.h"
#include "tone.h"
#include "wav.h"

enum { RATE = 48000, SEC = 4 };

static int16_t pcm[RATE * SEC];

static void make(double freq, double level)
{
	struct tone_gen g;

	tone_gen_init(&g, freq, RATE, level);
	for (size_t i = 0; i < RATE * SEC; i += 960)
		tone_gen_fill(&g, pcm + i, 960);
}

static void mix(double freq, double level)
{
	struct tone_gen g;
	int16_t t[960];

	tone_gen_init(&g, freq, RATE, level);
	for (size_t i = 0; i < RATE * SEC; i += 960) {
		tone_gen_fill(&g, t, 960);
		for (size_t k = 0; k < 960; k++)
			pcm[i + k] = (int16_t)(pcm[i + k] + t[k]);
	}
}

static void silence(unsigned from_ms, unsigned ms)
{
	memset(pcm + from_ms * (RATE / 1000), 0,
	       ms * (RATE / 1000) * sizeof(pcm[0]));
}

START_TEST(level_is_rms_against_a_full_scale_square_wave)
{
	static const double levelv[] = { -3.01, -9.03, -20.0, -45.0 };
	static const double freqv[] = { 300, 440, 997, 3400 };

	for (size_t i = 0; i < 16; i++) {
		const double level = levelv[i / 4];
		struct tone_found tf;
		double sum = 0.0;

		make(freqv[i % 4], level);
		for (size_t k = 0; k < RATE * SEC; k++)
			sum += (double)pcm[k] * pcm[k];

		ck_assert_double_eq_tol(10 * log10(sum / (RATE * SEC)) -
					20 * log10(32767), level, 0.05);
		tone_find(&tf, pcm, RATE * SEC, RATE, freqv[i % 4]);
		ck_assert_double_eq_tol(tf.level_dbfs, level, 0.05);
		ck_assert_uint_eq(tf.on_pct, 100);
		ck_assert_uint_eq(tf.gaps, 0);
		ck_assert_uint_eq(tf.first_ms, 0);
	}
}
END_TEST

START_TEST(half_amplitude_is_minus_nine)
{
	int peak = 0;

	make(1000, -9.03);
	for (size_t i = 0; i < RATE * SEC; i++)
		peak = pcm[i] > peak ? pcm[i] : peak;
	ck_assert_int_ge(peak, 16384 - 60);
	ck_assert_int_le(peak, 16384 + 60);
}
END_TEST

START_TEST(too_loud_is_clipped_and_does_not_wrap)
{
	make(100, 6.0);
	for (size_t i = 1; i < RATE * SEC; i++)
		ck_assert_int_lt(abs(pcm[i] - pcm[i - 1]), 2000);
}
END_TEST

START_TEST(phase_goes_on_over_calls)
{
	struct tone_gen a, b;
	int16_t x[1000], y[1000];

	tone_gen_init(&a, 440, 8000, -9);
	tone_gen_init(&b, 440, 8000, -9);
	tone_gen_fill(&a, x, 1000);
	for (size_t i = 0; i < 1000; i += 8)
		tone_gen_fill(&b, y + i, 8);
	for (size_t i = 0; i < 1000; i++)
		ck_assert_int_le(abs(x[i] - y[i]), 1);
}
END_TEST

START_TEST(tones_are_told_apart)
{
	struct tone_found tf;

	make(440, -12);
	mix(660, -15);
	mix(990, -30);

	tone_find(&tf, pcm, RATE * SEC, RATE, 440);
	ck_assert_double_eq_tol(tf.level_dbfs, -12, 0.1);
	tone_find(&tf, pcm, RATE * SEC, RATE, 660);
	ck_assert_double_eq_tol(tf.level_dbfs, -15, 0.1);
	tone_find(&tf, pcm, RATE * SEC, RATE, 990);
	ck_assert_double_eq_tol(tf.level_dbfs, -30, 0.2);
	tone_find(&tf, pcm, RATE * SEC, RATE, 550);
	ck_assert_double_lt(tf.level_dbfs, -50);
	ck_assert_uint_eq(tf.on_pct, 0);
}
END_TEST

START_TEST(gaps_are_measured_to_ten_ms)
{
	struct tone_found tf;

	for (unsigned ms = 20; ms <= 500; ms += 40) {
		make(440, -9);
		silence(1000, ms);
		silence(2500, 20);
		tone_find(&tf, pcm, RATE * SEC, RATE, 440);
		ck_assert_uint_eq(tf.gaps, 2);
		ck_assert_int_le(abs((int)tf.longest_gap_ms - (int)ms), 10);
		ck_assert_double_eq_tol(tf.level_dbfs, -9, 0.1);
	}
}
END_TEST

START_TEST(silence_around_a_tone_is_no_gap)
{
	struct tone_found tf;

	make(440, -9);
	silence(0, 500);
	silence(3000, 1000);
	tone_find(&tf, pcm, RATE * SEC, RATE, 440);
	ck_assert_uint_eq(tf.gaps, 0);
	ck_assert_uint_eq(tf.longest_gap_ms, 0);
	ck_assert_uint_ge(tf.first_ms, 470);
	ck_assert_uint_le(tf.first_ms, 500);
	ck_assert_uint_ge(tf.on_pct, 61);
	ck_assert_uint_le(tf.on_pct, 65);
}
END_TEST

START_TEST(nothing_is_found_in_silence_or_in_too_little)
{
	struct tone_found tf;

	memset(pcm, 0, sizeof(pcm));
	tone_find(&tf, pcm, RATE * SEC, RATE, 440);
	ck_assert_double_lt(tf.level_dbfs, -100);
	ck_assert_uint_eq(tf.on_pct, 0);

	make(440, -9);
	tone_find(&tf, pcm, RATE / 25 - 1, RATE, 440);
	ck_assert_uint_eq(tf.on_pct, 0);
	tone_find(&tf, pcm, 0, RATE, 440);
	tone_find(&tf, NULL, 0, RATE, 440);
	tone_find(&tf, pcm, RATE, 0, 440);
	tone_find(&tf, pcm, RATE, 50, 440);
	ck_assert_uint_eq(tf.on_pct, 0);
}
END_TEST

START_TEST(a_minute_with_five_tones_takes_less_than_a_second)
{
	const size_t n = 60 * RATE;
	int16_t *p = calloc(n, sizeof(*p));
	struct timespec a, b;
	struct tone_found tf;
	struct tone_gen g;
	double s;

	ck_assert_ptr_nonnull(p);
	tone_gen_init(&g, 440, RATE, -9);
	tone_gen_fill(&g, p, n);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	for (int i = 0; i < 5; i++)
		tone_find(&tf, p, n, RATE, 440 + 110 * i);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	free(p);

	s = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	printf("60 s, 5 tones: %.3f s of CPU\n", s);
#ifndef __SANITIZE_ADDRESS__
	ck_assert_double_lt(s, 1.0);
#endif
}
END_TEST

/* --- WAV --------------------------------------------------------------- */

static char path[] = "/tmp/test_tone.XXXXXX";

static void file_setup(void)
{
	const int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void file_teardown(void)
{
	(void)unlink(path);
}

static void file_write(const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(p, 1, n, f), n);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(what_is_written_is_read_again)
{
	int16_t *back = NULL;
	size_t n = 0;
	uint32_t rate = 0;

	make(440, -9);
	pcm[0] = -32768;
	pcm[1] = 32767;
	ck_assert_int_eq(wav_write(path, pcm, RATE, 16000), 0);
	ck_assert_int_eq(wav_read(path, &back, &n, &rate), 0);
	ck_assert_uint_eq(n, RATE);
	ck_assert_uint_eq(rate, 16000);
	ck_assert_mem_eq(back, pcm, RATE * sizeof(pcm[0]));
	free(back);

	ck_assert_int_eq(wav_write(path, pcm, 0, 8000), 0);
	ck_assert_int_eq(wav_read(path, &back, &n, &rate), 0);
	ck_assert_uint_eq(n, 0);
	free(back);
}
END_TEST

static const uint8_t stereo[] =
	"RIFF\x40\0\0\0WAVE"
	"LIST\x03\0\0\0abc\0"                   /* odd length, padded        */
	"fmt \x12\0\0\0\x01\0\x02\0\x40\x1f\0\0\0\x7d\0\0\x04\0\x10\0\0\0"
	"data\x08\0\0\0\x64\0\xc8\0\0\x80\0\x80";

START_TEST(stereo_is_averaged_and_other_chunks_are_skipped)
{
	static const size_t lenpos = sizeof(stereo) - 1 - 12;
	static const uint32_t saidv[] = { 8, 0, 0xffffffff };
	uint8_t b[sizeof(stereo) - 1];

	for (size_t i = 0; i < 3; i++) {
		int16_t *p = NULL;
		size_t n = 0;
		uint32_t rate = 0;

		memcpy(b, stereo, sizeof(b));
		memcpy(b + lenpos, &saidv[i], 4);
		file_write(b, sizeof(b));
		ck_assert_int_eq(wav_read(path, &p, &n, &rate), 0);
		ck_assert_uint_eq(n, 2);
		ck_assert_uint_eq(rate, 8000);
		ck_assert_int_eq(p[0], 150);
		ck_assert_int_eq(p[1], -32768);
		free(p);
	}
}
END_TEST

START_TEST(broken_files_are_refused)
{
	uint8_t b[sizeof(stereo) - 1];
	int16_t *p = NULL;
	size_t n = 0;
	uint32_t rate = 0;

	/* cut anywhere before the data: no header, no crash */
	for (size_t len = 0; len < sizeof(b) - 8; len++) {
		file_write(stereo, len);
		ck_assert_int_ne(wav_read(path, &p, &n, &rate), 0);
		ck_assert_ptr_null(p);
	}
	for (size_t bit = 0; bit < 8 * sizeof(b); bit++) {
		memcpy(b, stereo, sizeof(b));
		b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		file_write(b, sizeof(b));
		if (!wav_read(path, &p, &n, &rate))
			free(p);
		p = NULL;
	}

	ck_assert_int_eq(wav_read("/nonexistent/x.wav", &p, &n, &rate), ENOENT);
	ck_assert_int_eq(wav_write("/nonexistent/x.wav", pcm, 1, 8000), ENOENT);
	ck_assert_int_eq(wav_write(path, pcm, 1, 0), EINVAL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tone");
	TCase *tc = tcase_create("tone");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, level_is_rms_against_a_full_scale_square_wave);
	tcase_add_test(tc, half_amplitude_is_minus_nine);
	tcase_add_test(tc, too_loud_is_clipped_and_does_not_wrap);
	tcase_add_test(tc, phase_goes_on_over_calls);
	tcase_add_test(tc, tones_are_told_apart);
	tcase_add_test(tc, gaps_are_measured_to_ten_ms);
	tcase_add_test(tc, silence_around_a_tone_is_no_gap);
	tcase_add_test(tc, nothing_is_found_in_silence_or_in_too_little);
	tcase_add_test(tc, a_minute_with_five_tones_takes_less_than_a_second);
	suite_add_tcase(s, tc);

	tc = tcase_create("wav");
	tcase_add_checked_fixture(tc, file_setup, file_teardown);
	tcase_add_test(tc, what_is_written_is_read_again);
	tcase_add_test(tc, stereo_is_averaged_and_other_chunks_are_skipped);
	tcase_add_test(tc, broken_files_are_refused);
	suite_add_tcase(s, tc);

	return check_run(s);
}
