/**
 * @file test_multipart.c  MIME bodies with several parts
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "check_run.h"
#include "focus/multipart.h"

#define SDP  "Content-Type: application/sdp\r\n\r\nv=0\r\n"
#define LIST "Content-Type: application/resource-lists+xml\r\n" \
	"Content-Disposition: recipient-list\r\n\r\n<x/>"

static struct multipart m;
static const char *why;


static int decode(const char *ctype, const char *text, size_t len)
{
	struct pl ct, body = { text, len };

	why = NULL;
	pl_set_str(&ct, ctype);

	return multipart_decode(&m, &ct, NULL, &body, &why);
}


static int decode_str(const char *ctype, const char *text)
{
	return decode(ctype, text, strlen(text));
}


static void assert_body(unsigned i, const char *subtype, const char *body)
{
	ck_assert_uint_lt(i, m.partc);
	ck_assert_int_eq(pl_strcmp(&m.partv[i].subtype, subtype), 0);
	ck_assert_int_eq(pl_strcmp(&m.partv[i].body, body), 0);
}


START_TEST(a_single_body_is_one_part)
{
	ck_assert_int_eq(decode_str("application/sdp", "v=0\r\n"), 0);
	ck_assert_uint_eq(m.partc, 1);
	assert_body(0, "sdp", "v=0\r\n");
}
END_TEST

START_TEST(parts_come_in_any_order_with_their_disposition)
{
	ck_assert_int_eq(decode_str("multipart/mixed;boundary=\"b 1\"",
		"preamble\r\n--b 1\r\n" LIST "\r\n--b 1 \t\r\n" SDP
		"\r\n--b 1--\r\nepilogue --b 1\r\n"), 0);
	ck_assert_uint_eq(m.partc, 2);
	assert_body(0, "resource-lists+xml", "<x/>");
	assert_body(1, "sdp", "v=0\r\n");
	ck_assert_int_eq(pl_strcmp(&m.partv[0].disposition,
				   "recipient-list"), 0);
	ck_assert(!m.partv[0].optional);
	ck_assert(!pl_isset(&m.partv[1].disposition));
}
END_TEST

START_TEST(nested_multiparts_are_flattened)
{
	ck_assert_int_eq(decode_str("multipart/mixed; boundary=a",
		"--a\r\nContent-Type: multipart/alternative;\r\n boundary=aa\r\n"
		"\r\n--aa\r\n" SDP "\r\n--aa--\r\n--a\r\n" LIST
		"\r\n--a--"), 0);
	ck_assert_uint_eq(m.partc, 2);
	assert_body(0, "sdp", "v=0\r\n");
	assert_body(1, "resource-lists+xml", "<x/>");
}
END_TEST

START_TEST(handling_and_encoding_are_told)
{
	ck_assert_int_eq(decode_str("Multipart/Mixed;x=\";boundary=no\";BOUNDARY=a",
		"--a\r\ncontent-type: image/png\r\n"
		"Content-Disposition: icon; handling=Optional\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nxx\r\n--a--"), 0);
	ck_assert(m.partv[0].optional);
	ck_assert(m.partv[0].encoded);
}
END_TEST

START_TEST(a_part_without_headers_is_plain_text)
{
	ck_assert_int_eq(decode_str("multipart/mixed;boundary=a",
		"--a\r\n\r\nhello\r\n--a--"), 0);
	assert_body(0, "plain", "hello");
}
END_TEST

static const struct {
	const char *ctype, *text;
} badv[] = {
	{ "multipart/mixed", "--a\r\n" SDP "\r\n--a--" },
	{ "multipart/mixed;boundary=", "--\r\n" SDP "\r\n----" },
	{ "multipart/mixed;boundary=a;boundary=b", "--a\r\n\r\nx\r\n--a--" },
	{ "multipart/mixed;boundary=\"a \"", "--a \r\n\r\nx\r\n--a --" },
	{ "multipart/mixed;boundary=<>", "--<>\r\n\r\nx\r\n--<>--" },
	{ "multipart/mixed;boundary=a", "" },
	{ "multipart/mixed;boundary=a", "no delimiter" },
	{ "multipart/mixed;boundary=a", "--a--" },
	{ "multipart/mixed;boundary=a", "--a\r\n" SDP },
	{ "multipart/mixed;boundary=a", "--a\r\nno colon\r\n\r\nx\r\n--a--" },
	{ "multipart/mixed;boundary=a",
	  "--a\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n\r\nx\r\n--a--" },
	{ "multipart/mixed;boundary=a",
	  "--a\r\nContent-Type: nothing\r\n\r\nx\r\n--a--" },
	{ "multipart/mixed;boundary=a", "--a\r\nContent-Type: "
	  "multipart/mixed;boundary=b\r\nContent-Transfer-Encoding: base64"
	  "\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n--a--" },
	{ "application", "x" },
	{ "app lication/sdp", "x" },
};

START_TEST(malformed_bodies_are_refused_with_a_reason)
{
	ck_assert_int_eq(decode_str(badv[_i].ctype, badv[_i].text), EBADMSG);
	ck_assert_ptr_nonnull(why);
}
END_TEST

static char *repeated(const char *head, const char *part, unsigned n,
		      const char *tail)
{
	char *text = calloc(1, strlen(head) + n * strlen(part) +
			    strlen(tail) + 1);

	strcpy(text, head);
	for (unsigned i = 0; i < n; i++)
		strcat(text, part);
	strcat(text, tail);

	return text;
}

START_TEST(too_many_parts_headers_or_levels_are_refused)
{
	char boundary[160] = "multipart/mixed;boundary=";
	char *text;

	text = repeated("--a\r\n", "\r\nx\r\n--a\r\n", 15, "\r\nx\r\n--a--");
	ck_assert_int_eq(decode_str("multipart/mixed;boundary=a", text), 0);
	free(text);
	text = repeated("--a\r\n", "\r\nx\r\n--a\r\n", 16, "\r\nx\r\n--a--");
	ck_assert_int_eq(decode_str("multipart/mixed;boundary=a", text),
			 EOVERFLOW);
	free(text);
	text = repeated("--a\r\n", "X: y\r\n", 17, "\r\nx\r\n--a--");
	ck_assert_int_eq(decode_str("multipart/mixed;boundary=a", text),
			 EOVERFLOW);
	free(text);
	text = repeated("", "--a\r\nContent-Type: multipart/mixed;boundary=a"
			"\r\n\r\n", 200, "--a\r\n\r\nx\r\n--a--");
	ck_assert_int_ne(decode_str("multipart/mixed;boundary=a", text), 0);
	free(text);
	memset(boundary + strlen(boundary), 'b', 71);
	ck_assert_int_eq(decode_str(boundary, "x"), EBADMSG);
}
END_TEST

START_TEST(four_levels_are_read_and_five_are_not)
{
	static const char four[] =
		"--a\r\nContent-Type: multipart/x;boundary=b\r\n\r\n"
		"--b\r\nContent-Type: multipart/x;boundary=c\r\n\r\n"
		"--c\r\nContent-Type: multipart/x;boundary=d\r\n\r\n"
		"--d\r\n\r\nx\r\n--d--\r\n--c--\r\n--b--\r\n--a--";
	static const char five[] =
		"--a\r\nContent-Type: multipart/x;boundary=b\r\n\r\n"
		"--b\r\nContent-Type: multipart/x;boundary=c\r\n\r\n"
		"--c\r\nContent-Type: multipart/x;boundary=d\r\n\r\n"
		"--d\r\nContent-Type: multipart/x;boundary=e\r\n\r\n"
		"--e\r\n\r\nx\r\n--e--\r\n--d--\r\n--c--\r\n--b--\r\n--a--";

	ck_assert_int_eq(decode_str("multipart/mixed;boundary=a", four), 0);
	assert_body(0, "plain", "x");
	ck_assert_int_eq(decode_str("multipart/mixed;boundary=a", five),
			 EOVERFLOW);
}
END_TEST

START_TEST(truncated_and_flipped_bodies_do_no_harm)
{
	static const char text[] = "--a\r\n" LIST "\r\n--a\r\n" SDP "\r\n--a--";
	const size_t len = sizeof(text) - 1;

	for (size_t n = 0; n < len; n++) {
		char *cut = malloc(n + 1);

		memcpy(cut, text, n);
		ck_assert_int_ne(decode("multipart/mixed;boundary=a", cut, n),
				 0);
		free(cut);
	}
	for (size_t i = 0; i < 8 * len; i++) {
		char *flip = malloc(len);

		memcpy(flip, text, len);
		flip[i / 8] = (char)(flip[i / 8] ^ 1 << i % 8);
		(void)decode("multipart/mixed;boundary=a", flip, len);
		free(flip);
	}
}
END_TEST


int main(void)
{
	Suite *s = suite_create("multipart");
	TCase *tc = tcase_create("multipart");

	tcase_add_test(tc, a_single_body_is_one_part);
	tcase_add_test(tc, parts_come_in_any_order_with_their_disposition);
	tcase_add_test(tc, nested_multiparts_are_flattened);
	tcase_add_test(tc, handling_and_encoding_are_told);
	tcase_add_test(tc, a_part_without_headers_is_plain_text);
	tcase_add_loop_test(tc, malformed_bodies_are_refused_with_a_reason, 0,
			    (int)(sizeof(badv) / sizeof(badv[0])));
	tcase_add_test(tc, too_many_parts_headers_or_levels_are_refused);
	tcase_add_test(tc, four_levels_are_read_and_five_are_not);
	tcase_add_test(tc, truncated_and_flipped_bodies_do_no_harm);
	suite_add_tcase(s, tc);

	return check_run(s);
}
