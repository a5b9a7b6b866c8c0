/**
 * @file test_rtcp.c  RTCP compound packets and receiver statistics
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "check_run.h"
#include "rtcp.h"

/* SR with one report block, SDES with two chunks, APP, BYE with a reason */
static const uint8_t full[] = {
	0x81, 0xc8, 0x00, 0x0c,         /* V=2 RC=1 SR, 13 words             */
	0x0a, 0x0b, 0x0c, 0x0d,         /* sender SSRC                       */
	0xe9, 0x01, 0x02, 0x03,         /* NTP seconds                       */
	0x80, 0x00, 0x00, 0x00,         /* NTP fraction                      */
	0x00, 0x00, 0x10, 0x00,         /* RTP timestamp                     */
	0x00, 0x00, 0x00, 0x32,         /* packets                           */
	0x00, 0x00, 0x1f, 0x40,         /* octets                            */
	0x01, 0x02, 0x03, 0x04,         /* block: SSRC                       */
	0x40, 0xff, 0xff, 0xfe,         /* fraction 64/256, lost -2          */
	0x00, 0x01, 0x00, 0x05,         /* extended highest SEQ              */
	0x00, 0x00, 0x00, 0x2a,         /* jitter                            */
	0xaa, 0xbb, 0xcc, 0xdd,         /* LSR                               */
	0x00, 0x00, 0x80, 0x00,         /* DLSR: half a second               */
	0x82, 0xca, 0x00, 0x08,         /* SDES, two chunks                  */
	0x00, 0x00, 0x00, 0x01,         /* somebody else                     */
	0x01, 0x02, 'n', 'o', 0x00, 0x00, 0x00, 0x00,
	0x0a, 0x0b, 0x0c, 0x0d,         /* the sender                        */
	0x02, 0x01, 'N',                /* NAME                              */
	0x01, 0x05, 'a', '@', 'b', '.', 'c',
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x80, 0xcc, 0x00, 0x02,         /* APP                               */
	0x0a, 0x0b, 0x0c, 0x0d, 't', 'e', 's', 't',
	0x82, 0xcb, 0x00, 0x04,         /* BYE of two                        */
	0x0a, 0x0b, 0x0c, 0x0d,
	0x11, 0x22, 0x33, 0x44,
	0x06, 'c', 'l', 'o', 's', 'e', 'd', 0x00,
};

START_TEST(compound_packet_is_read)
{
	struct rtcpx r;

	ck_assert_int_eq(rtcpx_decode(&r, full, sizeof(full)), 0);
	ck_assert(r.has_sr);
	ck_assert_uint_eq(r.sender_ssrc, 0x0a0b0c0d);
	ck_assert_uint_eq(r.ntp, 0xe901020380000000);
	ck_assert_uint_eq(r.rtp_ts, 0x1000);
	ck_assert_uint_eq(r.packets, 50);
	ck_assert_uint_eq(r.octets, 8000);
	ck_assert_uint_eq(r.rbc, 1);
	ck_assert_uint_eq(r.rbv[0].ssrc, 0x01020304);
	ck_assert_uint_eq(r.rbv[0].fraction, 64);
	ck_assert_int_eq(r.rbv[0].lost, -2);
	ck_assert_uint_eq(r.rbv[0].ext_seq, 0x10005);
	ck_assert_uint_eq(r.rbv[0].jitter, 42);
	ck_assert_uint_eq(r.rbv[0].lsr, 0xaabbccdd);
	ck_assert_uint_eq(r.rbv[0].dlsr, 0x8000);
	ck_assert_str_eq(r.cname, "a@b.c");
	ck_assert_uint_eq(r.byec, 2);
	ck_assert_uint_eq(r.byev[0], 0x0a0b0c0d);
	ck_assert_uint_eq(r.byev[1], 0x11223344);
}
END_TEST

START_TEST(every_truncation_is_refused_or_ends_with_a_packet)
{
	static const size_t endv[] = { 52, 88, 100 };
	struct rtcpx r;

	for (size_t len = 0; len < sizeof(full); len++) {
		uint8_t *p = malloc(len + !len);
		bool end = false;

		for (size_t i = 0; i < 3; i++)
			end = end || len == endv[i];

		ck_assert_ptr_nonnull(p);
		memcpy(p, full, len);
		ck_assert_int_eq(rtcpx_decode(&r, p, len), end ? 0 : EBADMSG);
		free(p);
	}
}
END_TEST

START_TEST(flipped_bits_never_lead_outside)
{
	uint8_t *p = malloc(sizeof(full));
	struct rtcpx r;

	ck_assert_ptr_nonnull(p);
	for (size_t bit = 0; bit < 8 * sizeof(full); bit++) {
		memcpy(p, full, sizeof(full));
		p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (!rtcpx_decode(&r, p, sizeof(full))) {
			ck_assert_uint_le(r.rbc, RTCPX_RB_MAX);
			ck_assert_uint_le(r.byec, RTCPX_RB_MAX);
		}
	}
	free(p);
}
END_TEST

START_TEST(lying_counts_and_items_are_refused)
{
	/* Each row: one byte of the packet that lies */
	static const struct {
		size_t pos;
		uint8_t val;
	} v[] = {
		{ 0,  0x82 },   /* one report block too many                 */
		{ 0,  0x41 },   /* version 1                                 */
		{ 1,  0xca },   /* begins with SDES                          */
		{ 3,  0x0b },   /* ends inside the block                     */
		{ 3,  0x05 },   /* ends inside the sender information        */
		{ 52, 0x83 },   /* one chunk too many                        */
		{ 61, 0x80 },   /* item longer than the packet               */
		{ 100, 0x85 },  /* more sources than fit                     */
		{ 103, 0x05 },  /* last packet longer than the datagram      */
		{ 100, 0xa2 },  /* padding of length 0                       */
	};
	uint8_t p[sizeof(full)];
	struct rtcpx r;

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		memcpy(p, full, sizeof(p));
		p[v[i].pos] = v[i].val;
		ck_assert_msg(rtcpx_decode(&r, p, sizeof(p)) == EBADMSG,
			      "row %zu", i);
	}
}
END_TEST

START_TEST(padding_belongs_to_the_last_packet)
{
	/* Two receiver reports of the same SSRC, the word 4 behind each */
	uint8_t p[] = {
		0x80, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4,
		0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4,
	};
	struct rtcpx r;

	ck_assert_int_eq(rtcpx_decode(&r, p, sizeof(p)), 0);
	p[0] = 0xa0;
	ck_assert_int_eq(rtcpx_decode(&r, p, sizeof(p)), EBADMSG);
}
END_TEST

START_TEST(more_blocks_than_fit_are_left_out)
{
	uint8_t p[4 * (8 + 31 * 24)];
	struct rtcpx r;
	size_t n = 0;

	memset(p, 0, sizeof(p));
	for (unsigned i = 0; i < 4; i++) {
		p[n]     = 0x80 | 31;
		p[n + 1] = 201;
		p[n + 3] = 1 + 31 * 6;
		n += 8 + 31 * 24;
	}
	ck_assert_int_eq(rtcpx_decode(&r, p, n), 0);
	ck_assert_uint_eq(r.rbc, RTCPX_RB_MAX);
}
END_TEST

START_TEST(long_cname_is_cut)
{
	uint8_t p[8 + 4 + 4 + 2 + 255 + 3] = {
		0x80, 201, 0, 1, 0, 0, 0, 7,
		0x81, 202, 0, 66, 0, 0, 0, 7, 1, 255,
	};
	struct rtcpx r;

	memset(p + 18, 'x', 255);
	ck_assert_int_eq(rtcpx_decode(&r, p, sizeof(p)), 0);
	ck_assert_uint_eq(strlen(r.cname), RTCPX_CNAME_MAX - 1);
}
END_TEST

START_TEST(what_is_written_is_read_again)
{
	struct rtcpx r = {
		.has_sr = true, .sender_ssrc = 0xdeadbeef,
		.ntp = 0x0123456789abcdef, .rtp_ts = 1, .packets = 2,
		.octets = 3, .rbc = RTCPX_RB_MAX, .byec = RTCPX_RB_MAX,
	};
	uint8_t buf[1500];
	struct rtcpx back;
	size_t n;

	for (unsigned i = 0; i < RTCPX_RB_MAX; i++) {
		r.rbv[i] = (struct rtcpx_rb){ i, (uint8_t)i, (int32_t)i - 9,
					      i * 3, i * 4, i * 5, i * 6 };
		r.byev[i] = i + 100;
	}

	/* every length of CNAME has another padding */
	for (size_t clen = 0; clen < RTCPX_CNAME_MAX; clen++) {
		memset(r.cname, 0, sizeof(r.cname));
		memset(r.cname, 'c', clen);
		n = rtcpx_encode(buf, sizeof(buf), &r);
		ck_assert_uint_gt(n, 0);
		ck_assert_uint_eq(n % 4, 0);
		ck_assert_int_eq(rtcpx_decode(&back, buf, n), 0);
		ck_assert_mem_eq(&back, &r, sizeof(r));

		for (size_t size = 0; size < n; size += 4)
			ck_assert_uint_eq(rtcpx_encode(buf, size, &r), 0);
	}
}
END_TEST

START_TEST(receiver_report_has_no_sender_information)
{
	struct rtcpx r = { .sender_ssrc = 5, .cname = "c" };
	uint8_t buf[64];
	struct rtcpx back;
	size_t n = rtcpx_encode(buf, sizeof(buf), &r);

	ck_assert_uint_eq(n, 8 + 12);
	ck_assert_uint_eq(buf[1], 201);
	ck_assert_int_eq(rtcpx_decode(&back, buf, n), 0);
	ck_assert(!back.has_sr);
	ck_assert_uint_eq(back.byec, 0);
}
END_TEST

START_TEST(ntp_time_is_the_wall_clock_since_1900)
{
	const uint64_t ntp = rtcpx_ntp_now();
	const time_t now = time(NULL);
	const int64_t d = (int64_t)((ntp >> 32) - 2208988800u) - (int64_t)now;

	ck_assert_int_le(d, 1);
	ck_assert_int_ge(d, -1);
}
END_TEST

static void feed(struct rtcpx_rx *rx, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		rtcpx_rx_packet(rx, (uint16_t)i, i * 160, i * 160 + 7);
}

START_TEST(losses_are_counted_over_the_wrap)
{
	struct rtcpx_rx rx;
	struct rtcpx_rb rb;

	rtcpx_rx_reset(&rx);
	feed(&rx, 65500, 65530);
	feed(&rx, 65540, 65600);        /* ten lost, wrapped                 */
	ck_assert_int_eq(rtcpx_rx_lost(&rx), 10);

	rtcpx_rx_report(&rx, &rb, 77, 0);
	ck_assert_uint_eq(rb.ssrc, 77);
	ck_assert_int_eq(rb.lost, 10);
	ck_assert_uint_eq(rb.fraction, 10 * 256 / 100);
	ck_assert_uint_eq(rb.ext_seq, 65599);
	ck_assert_uint_eq(rb.jitter, 0);

	/* the next interval is clean */
	feed(&rx, 65600, 65700);
	rtcpx_rx_report(&rx, &rb, 77, 0);
	ck_assert_uint_eq(rb.fraction, 0);
	ck_assert_int_eq(rb.lost, 10);
}
END_TEST

START_TEST(reordered_packets_are_not_lost)
{
	struct rtcpx_rx rx;

	rtcpx_rx_reset(&rx);
	feed(&rx, 100, 110);
	feed(&rx, 111, 120);
	ck_assert_int_eq(rtcpx_rx_lost(&rx), 1);
	feed(&rx, 110, 111);
	ck_assert_int_eq(rtcpx_rx_lost(&rx), 0);
	feed(&rx, 110, 111);            /* a duplicate                       */
	ck_assert_int_eq(rtcpx_rx_lost(&rx), -1);
	ck_assert_uint_eq(rx.max_seq, 119);
}
END_TEST

START_TEST(old_packet_of_the_replay_window_resets_nothing)
{
	struct rtcpx_rx rx;

	rtcpx_rx_reset(&rx);
	feed(&rx, 2000, 2010);
	feed(&rx, 1000, 1001);
	ck_assert_uint_eq(rx.max_seq, 2009);
	ck_assert_uint_eq(rx.base_seq, 2000);
}
END_TEST

START_TEST(a_sender_that_jumps_is_counted_anew)
{
	struct rtcpx_rx rx;

	rtcpx_rx_reset(&rx);
	feed(&rx, 10, 20);
	feed(&rx, 30000, 30010);
	ck_assert_int_eq(rtcpx_rx_lost(&rx), 0);
	ck_assert_uint_eq(rx.received, 10);
}
END_TEST

START_TEST(jitter_follows_rfc_3550)
{
	struct rtcpx_rx rx;
	struct rtcpx_rb rb;

	/* transit alternates by 160: J converges to 160 */
	rtcpx_rx_reset(&rx);
	for (unsigned i = 0; i < 400; i++)
		rtcpx_rx_packet(&rx, (uint16_t)i, i * 160,
				i * 160 + (i & 1 ? 160 : 0));
	rtcpx_rx_report(&rx, &rb, 1, 0);
	ck_assert_uint_ge(rb.jitter, 158);
	ck_assert_uint_le(rb.jitter, 160);

	/* a new timestamp base is not jitter */
	rtcpx_rx_packet(&rx, 400, 0x80000000, 400 * 160);
	rtcpx_rx_report(&rx, &rb, 1, 0);
	ck_assert_uint_le(rb.jitter, 160);
}
END_TEST

START_TEST(delay_since_last_sender_report)
{
	struct rtcpx_rx rx;
	struct rtcpx_rb rb;

	rtcpx_rx_reset(&rx);
	feed(&rx, 0, 2);
	rtcpx_rx_report(&rx, &rb, 1, 5000000);
	ck_assert_uint_eq(rb.lsr, 0);
	ck_assert_uint_eq(rb.dlsr, 0);

	rx.lsr = 0x12345678;
	rx.lsr_at_us = 1000000;
	rtcpx_rx_report(&rx, &rb, 1, 2500000);
	ck_assert_uint_eq(rb.lsr, 0x12345678);
	ck_assert_uint_eq(rb.dlsr, 65536 + 32768);
}
END_TEST

START_TEST(silence_is_reported_as_nothing)
{
	struct rtcpx_rx rx;
	struct rtcpx_rb rb;

	rtcpx_rx_reset(&rx);
	rtcpx_rx_report(&rx, &rb, 9, 1);
	ck_assert_int_eq(rb.lost, 0);
	ck_assert_uint_eq(rb.fraction, 0);
	ck_assert_uint_eq(rb.ext_seq, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rtcp");
	TCase *tc = tcase_create("compound");

	tcase_add_test(tc, compound_packet_is_read);
	tcase_add_test(tc, every_truncation_is_refused_or_ends_with_a_packet);
	tcase_add_test(tc, flipped_bits_never_lead_outside);
	tcase_add_test(tc, lying_counts_and_items_are_refused);
	tcase_add_test(tc, padding_belongs_to_the_last_packet);
	tcase_add_test(tc, more_blocks_than_fit_are_left_out);
	tcase_add_test(tc, long_cname_is_cut);
	tcase_add_test(tc, what_is_written_is_read_again);
	tcase_add_test(tc, receiver_report_has_no_sender_information);
	tcase_add_test(tc, ntp_time_is_the_wall_clock_since_1900);
	suite_add_tcase(s, tc);

	tc = tcase_create("receiver");
	tcase_add_test(tc, losses_are_counted_over_the_wrap);
	tcase_add_test(tc, reordered_packets_are_not_lost);
	tcase_add_test(tc, old_packet_of_the_replay_window_resets_nothing);
	tcase_add_test(tc, a_sender_that_jumps_is_counted_anew);
	tcase_add_test(tc, jitter_follows_rfc_3550);
	tcase_add_test(tc, delay_since_last_sender_report);
	tcase_add_test(tc, silence_is_reported_as_nothing);
	suite_add_tcase(s, tc);

	return check_run(s);
}
