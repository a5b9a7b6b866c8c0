/**
 * @file test_rtp.c  RTP headers
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "check_run.h"
#include "rtp.h"

/* Two CSRCs, one-byte extension, four bytes of padding */
static const uint8_t full[] = {
	0xb2,                   /* V=2 P=1 X=1 CC=2                          */
	0xef,                   /* M=1 PT=111                                */
	0x7f, 0xfe,             /* SEQ                                       */
	0x00, 0x01, 0x02, 0x03, /* timestamp                                 */
	0xca, 0xfe, 0xba, 0xbe, /* SSRC                                      */
	0x11, 0x11, 0x11, 0x11, /* CSRC                                      */
	0x22, 0x22, 0x22, 0x22, /* CSRC                                      */
	0xbe, 0xde, 0x00, 0x02, /* one-byte headers, two words               */
	0x10, 0x85,             /* ID 1, one byte: level                     */
	0x00,                   /* padding                                   */
	0x32, 0xaa, 0xbb, 0xcc, /* ID 3, three bytes                         */
	0x00,                   /* padding                                   */
	'd', 'a', 't', 'a',     /* payload                                   */
	0x00, 0x00, 0x00, 0x04, /* padding                                   */
};

START_TEST(header_with_everything_is_read)
{
	struct rtph h;

	ck_assert_int_eq(rtph_decode(&h, full, sizeof(full)), 0);
	ck_assert(h.marker);
	ck_assert_uint_eq(h.pt, 111);
	ck_assert_uint_eq(h.seq, 0x7ffe);
	ck_assert_uint_eq(h.ts, 0x00010203);
	ck_assert_uint_eq(h.ssrc, 0xcafebabe);
	ck_assert_uint_eq(h.csrcc, 2);
	ck_assert_uint_eq(h.csrcv[0], 0x11111111);
	ck_assert_uint_eq(h.csrcv[1], 0x22222222);
	ck_assert(h.has_ext);
	ck_assert_uint_eq(h.ext_profile, 0xbede);
	ck_assert_uint_eq(h.ext_len, 8);
	ck_assert_ptr_eq(h.ext, full + 24);
	ck_assert_uint_eq(h.payload_len, 4);
	ck_assert_mem_eq(h.payload, "data", 4);
}
END_TEST

START_TEST(every_truncation_is_refused_or_stays_inside)
{
	struct rtph h;

	for (size_t len = 0; len < sizeof(full); len++) {
		/* A copy of just that size, so that a sanitizer sees it */
		uint8_t *p = malloc(len + !len);

		ck_assert_ptr_nonnull(p);
		memcpy(p, full, len);
		if (!rtph_decode(&h, p, len))
			ck_assert_uint_le((size_t)(h.payload - p) +
					  h.payload_len, len);
		else
			ck_assert_uint_lt(len, sizeof(full));
		free(p);
	}
	for (size_t len = 0; len < 32; len++)
		ck_assert_int_eq(rtph_decode(&h, full, len), EBADMSG);
}
END_TEST

START_TEST(wrong_version_is_refused)
{
	uint8_t p[sizeof(full)];
	struct rtph h;

	memcpy(p, full, sizeof(p));
	for (unsigned v = 0; v < 4; v++) {
		p[0] = (uint8_t)((full[0] & 0x3f) | v << 6);
		ck_assert_int_eq(rtph_decode(&h, p, sizeof(p)),
				 v == 2 ? 0 : EBADMSG);
	}
}
END_TEST

START_TEST(padding_that_lies_is_refused)
{
	uint8_t p[sizeof(full)];
	struct rtph h;

	memcpy(p, full, sizeof(p));
	p[sizeof(p) - 1] = 0;
	ck_assert_int_eq(rtph_decode(&h, p, sizeof(p)), EBADMSG);
	p[sizeof(p) - 1] = 9;
	ck_assert_int_eq(rtph_decode(&h, p, sizeof(p)), EBADMSG);
	p[sizeof(p) - 1] = 8;
	ck_assert_int_eq(rtph_decode(&h, p, sizeof(p)), 0);
	ck_assert_uint_eq(h.payload_len, 0);
	/* no payload at all to hold the count */
	ck_assert_int_eq(rtph_decode(&h, p, sizeof(p) - 8), EBADMSG);
}
END_TEST

START_TEST(failed_decode_leaves_the_output_alone)
{
	struct rtph h, before;

	memset(&h, 0x5a, sizeof(h));
	before = h;
	ck_assert_int_eq(rtph_decode(&h, full, 20), EBADMSG);
	ck_assert_mem_eq(&h, &before, sizeof(h));
}
END_TEST

START_TEST(extension_elements_are_found)
{
	struct rtph h;
	size_t len = 0;
	const uint8_t *p;

	ck_assert_int_eq(rtph_decode(&h, full, sizeof(full)), 0);

	p = rtph_ext_find(&h, 1, &len);
	ck_assert_ptr_eq(p, full + 25);
	ck_assert_uint_eq(len, 1);
	ck_assert_uint_eq(*p, 0x85);

	p = rtph_ext_find(&h, 3, &len);
	ck_assert_ptr_eq(p, full + 28);
	ck_assert_uint_eq(len, 3);

	ck_assert_ptr_null(rtph_ext_find(&h, 2, &len));
	ck_assert_ptr_null(rtph_ext_find(&h, 0, &len));
}
END_TEST

START_TEST(extension_elements_end_where_rfc_8285_says)
{
	static const struct {
		uint8_t ext[8];
		bool found;             /* ID 2                              */
	} v[] = {
		{ { 0x20, 1, 0, 0, 0, 0, 0, 0 }, true  },
		{ { 0, 0, 0, 0, 0, 0, 0x20, 1 }, true  },
		{ { 0xf0, 1, 0x20, 1, 0, 0, 0, 0 }, false }, /* ID 15 stops  */
		{ { 0x01, 1, 1, 0x20, 1, 0, 0, 0 }, false }, /* ID 0, length */
		{ { 0x01, 0, 0x20, 1, 0, 0, 0, 0 }, false }, /* the same     */
		{ { 0, 0, 0, 0, 0, 0, 0, 0x20 }, false },    /* value beyond */
		{ { 0x27, 1, 1, 1, 1, 1, 1, 1 }, false },    /* too long     */
	};
	struct rtph h = { .has_ext = true, .ext_profile = 0xbede,
			  .ext_len = 8 };
	size_t len;

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		h.ext = v[i].ext;
		ck_assert_msg(!rtph_ext_find(&h, 2, &len) == !v[i].found,
			      "row %zu", i);
	}

	h.ext = v[0].ext;
	h.ext_profile = 0x1000;         /* two-byte form                     */
	ck_assert_ptr_null(rtph_ext_find(&h, 2, &len));
}
END_TEST

START_TEST(header_is_written_as_it_is_read)
{
	struct rtph h = { .marker = true, .pt = 127, .seq = 65535,
			  .ts = 0xfffffffe, .ssrc = 0x80000001,
			  .csrcc = RTPH_CSRC_MAX };
	uint8_t buf[RTPH_SIZE + 4 * RTPH_CSRC_MAX];
	struct rtph back;

	for (unsigned i = 0; i < RTPH_CSRC_MAX; i++)
		h.csrcv[i] = 0x01000000u * (i + 1);

	ck_assert_uint_eq(rtph_encode(buf, sizeof(buf), &h), sizeof(buf));
	ck_assert_uint_eq(rtph_encode(buf, sizeof(buf) - 1, &h), 0);
	ck_assert_int_eq(rtph_decode(&back, buf, sizeof(buf)), 0);
	ck_assert(back.marker);
	ck_assert_uint_eq(back.pt, h.pt);
	ck_assert_uint_eq(back.seq, h.seq);
	ck_assert_uint_eq(back.ts, h.ts);
	ck_assert_uint_eq(back.ssrc, h.ssrc);
	ck_assert_uint_eq(back.payload_len, 0);
	ck_assert_mem_eq(back.csrcv, h.csrcv, sizeof(h.csrcv));

	h.csrcc = RTPH_CSRC_MAX + 1;
	ck_assert_uint_eq(rtph_encode(buf, sizeof(buf), &h), 0);
}
END_TEST

START_TEST(rtcp_is_told_from_rtp_by_its_type)
{
	uint8_t p[2] = { 0x80, 0 };

	for (unsigned t = 0; t < 256; t++) {
		p[1] = (uint8_t)t;
		ck_assert_int_eq(rtph_is_rtcp(p, 2), t >= 192 && t <= 223);
	}
	p[1] = 200;
	ck_assert(!rtph_is_rtcp(p, 1));
	p[0] = 0x40;
	ck_assert(!rtph_is_rtcp(p, 2));
}
END_TEST

START_TEST(sequence_distance_wraps)
{
	ck_assert_int_eq(rtph_seq_diff(1, 65535), 2);
	ck_assert_int_eq(rtph_seq_diff(65535, 1), -2);
	ck_assert_int_eq(rtph_seq_diff(7, 7), 0);
}
END_TEST

START_TEST(flipped_bits_never_lead_outside)
{
	uint8_t *p = malloc(sizeof(full));
	struct rtph h;
	size_t len;

	ck_assert_ptr_nonnull(p);
	for (size_t bit = 0; bit < 8 * sizeof(full); bit++) {
		memcpy(p, full, sizeof(full));
		p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (rtph_decode(&h, p, sizeof(full)))
			continue;

		ck_assert_uint_le((size_t)(h.payload - p) + h.payload_len,
				  sizeof(full));
		for (unsigned id = 0; id < 16; id++) {
			const uint8_t *e = rtph_ext_find(&h, (uint8_t)id,
							 &len);

			ck_assert(!e || e + len <= h.ext + h.ext_len);
		}
	}
	free(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rtp");
	TCase *tc = tcase_create("header");

	tcase_add_test(tc, header_with_everything_is_read);
	tcase_add_test(tc, every_truncation_is_refused_or_stays_inside);
	tcase_add_test(tc, wrong_version_is_refused);
	tcase_add_test(tc, padding_that_lies_is_refused);
	tcase_add_test(tc, failed_decode_leaves_the_output_alone);
	tcase_add_test(tc, extension_elements_are_found);
	tcase_add_test(tc, extension_elements_end_where_rfc_8285_says);
	tcase_add_test(tc, header_is_written_as_it_is_read);
	tcase_add_test(tc, rtcp_is_told_from_rtp_by_its_type);
	tcase_add_test(tc, sequence_distance_wraps);
	tcase_add_test(tc, flipped_bits_never_lead_outside);
	suite_add_tcase(s, tc);

	return check_run(s);
}
