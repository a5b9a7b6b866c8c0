/**
 * @file test_stream.c  SEQ, SSRC and key budget of outgoing streams
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "check_run.h"
#include "mixer/stream.h"
#include "rtcp.h"

enum { SSRC = 0xc0ffee };

static struct skey key;
static struct keyuse use;
static struct stream s;
static uint8_t buf[STREAM_BUF];
static uint64_t pos;

static void setup(void)
{
	ck_assert_int_eq(msrtp_init(MSRTP_OPENSSL), 0);
	memset(&key, 0, sizeof(key));
	key.suite = suite_by_id(SUITE_AEAD_AES_128_GCM);
	key.lifetime = 1ULL << 48;
	ck_assert_int_eq(secret_draw(&key.secret, suite_keysalt_len(key.suite)), 0);
	keyuse_init(&use, key.lifetime);
	pos = 48000;
}

static void teardown(void)
{
	stream_close(&s);
	keyuse_close(&use);
	skey_clear(&key);
	msrtp_close();
	ck_assert_uint_eq(secret_count(), 0);
}

static int send_one(size_t *lenp)
{
	static const uint8_t payload[40] = "forty octets of audio";
	const struct frame f = {.payload = payload, .len = sizeof(payload), .pos = pos, .dur = 960,
		.pt = 96, .csrcc = 2, .csrcv = {1, 2}};

	pos += 960;

	return stream_packet(&s, &f, buf, lenp);
}

static uint16_t seq_of(void)
{
	return (uint16_t)(buf[2] << 8 | buf[3]);
}

START_TEST(first_seq_is_random_and_below_two_to_the_fifteen)
{
	uint16_t seq[50];
	unsigned i, k, same = 0;
	size_t len;

	for (i = 0; i < 50; i++) {
		ck_assert_int_eq(stream_open(&s, &key, &use, SSRC + i, 48000, i & 1), 0);
		ck_assert_int_eq(send_one(&len), 0);
		seq[i] = seq_of();
		ck_assert_uint_lt(seq[i], 1 << 15);
		stream_close(&s);
	}
	for (i = 0; i < 50; i++)
		for (k = 0; k < i; k++)
			same += seq[i] == seq[k];
	ck_assert_uint_lt(same, 10);
}
END_TEST

START_TEST(seq_and_time_go_on_marker_only_after_a_pause)
{
	struct rtph h, last = {0};
	size_t len;
	unsigned i;

	ck_assert_int_eq(stream_open(&s, &key, &use, SSRC, 8000, false), 0);
	for (i = 0; i < 100; i++) {
		if (i == 50)
			pos += 48000;
		ck_assert_int_eq(send_one(&len), 0);
		/* the header is in clear; the payload is not looked at */
		ck_assert_int_eq(rtph_decode(&h, buf, len), 0);
		ck_assert_uint_eq(h.ssrc, SSRC);
		ck_assert_uint_eq(h.csrcc, 2);
		ck_assert_int_eq(h.marker, i == 0 || i == 50);
		if (i) {
			ck_assert_uint_eq(h.seq, (uint16_t)(last.seq + 1));
			ck_assert_uint_eq(h.ts - last.ts, i == 50 ? 8160 : 160);
		}
		last = h;
	}
}
END_TEST

/* 70000 packets: a receiver with nothing but the key follows the wrap */
START_TEST(own_stream_wraps_and_stays_readable)
{
	struct msrtp *rx = NULL;
	unsigned i;
	size_t len;

	ck_assert_int_eq(stream_open(&s, &key, &use, SSRC, 48000, false), 0);
	ck_assert_int_eq(skey_msrtp(&key, MSRTP_RX, &rx), 0);
	for (i = 0; i < 70000; i++) {
		ck_assert_int_eq(send_one(&len), 0);
		ck_assert_int_eq(msrtp_unprotect(rx, buf, &len), MSRTP_OK);
	}
	ck_assert_int_eq(stream_limit(&s), STREAM_FAR);
	msrtp_free(&rx);
}
END_TEST

START_TEST(group_stream_warns_and_stops_before_seq_wraps)
{
	unsigned i;
	uint16_t seq = 0;
	size_t len;

	ck_assert_int_eq(stream_open(&s, &key, &use, SSRC, 48000, true), 0);
	for (i = 0; i < STREAM_GROUP_PACKETS; i++) {
		ck_assert_int_eq(stream_limit(&s), i < STREAM_GROUP_SOFT ? STREAM_FAR : STREAM_SOFT);
		ck_assert_int_eq(send_one(&len), 0);
		ck_assert(!i || seq_of() > seq);
		seq = seq_of();
	}
	ck_assert_int_eq(stream_limit(&s), STREAM_HARD);
	ck_assert_int_eq(send_one(&len), ENOSPC);
	ck_assert_int_eq(send_one(&len), ENOSPC);
}
END_TEST

START_TEST(lifetime_counts_all_streams_of_a_key)
{
	struct stream other;
	size_t len;
	unsigned i;

	keyuse_close(&use);
	keyuse_init(&use, 100);
	ck_assert_int_eq(stream_open(&s, &key, &use, SSRC, 48000, false), 0);
	for (i = 0; i < 60; i++)
		ck_assert_int_eq(send_one(&len), 0);
	other = s;
	ck_assert_int_eq(stream_open(&s, &key, &use, SSRC + 1, 48000, false), 0);
	for (i = 0; i < 40; i++)
		ck_assert_int_eq(send_one(&len), 0);
	ck_assert_int_eq(stream_limit(&other), STREAM_HARD);
	ck_assert_int_eq(send_one(&len), ENOSPC);
	stream_close(&other);
}
END_TEST

START_TEST(ssrc_never_starts_twice_under_one_key)
{
	struct stream again;

	ck_assert_int_eq(stream_open(&s, &key, &use, SSRC, 48000, false), 0);
	ck_assert_int_eq(stream_renew(&s, SSRC + 1, 8000), 0);
	ck_assert_int_eq(stream_renew(&s, SSRC, 8000), EINVAL);
	ck_assert_uint_eq(s.ssrc, SSRC + 1);
	ck_assert_int_eq(stream_open(&again, &key, &use, SSRC, 48000, false), EINVAL);
	ck_assert(keyuse_has(&use, SSRC));
	ck_assert(!keyuse_has(&use, SSRC + 2));
}
END_TEST

START_TEST(time_stamp_of_a_report_lies_on_the_streams_line)
{
	struct rtph h;
	size_t len;

	ck_assert_int_eq(stream_open(&s, &key, &use, SSRC, 8000, false), 0);
	ck_assert_int_eq(send_one(&len), 0);
	ck_assert_int_eq(rtph_decode(&h, buf, len), 0);
	ck_assert_uint_eq(stream_ts(&s, pos) - h.ts, 160);
	/* a week later the 64 bit position still gives the right 32 bits */
	ck_assert_uint_eq(stream_ts(&s, pos + 48000ULL * 604800) - stream_ts(&s, pos),
			  (uint32_t)(8000ULL * 604800));
}
END_TEST

int main(void)
{
	Suite *su = suite_create("stream");
	TCase *t = tcase_create("stream");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, first_seq_is_random_and_below_two_to_the_fifteen);
	tcase_add_test(t, seq_and_time_go_on_marker_only_after_a_pause);
	tcase_add_test(t, own_stream_wraps_and_stays_readable);
	tcase_add_test(t, group_stream_warns_and_stops_before_seq_wraps);
	tcase_add_test(t, lifetime_counts_all_streams_of_a_key);
	tcase_add_test(t, ssrc_never_starts_twice_under_one_key);
	tcase_add_test(t, time_stamp_of_a_report_lies_on_the_streams_line);
	suite_add_tcase(su, t);

	return check_run(su);
}
