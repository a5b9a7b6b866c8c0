/**
 * @file test_privacy.c  What callers ask for, and what others see of them
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "auth_help.h"
#include "check_run.h"
#include "focus/privacy.h"

static struct privacy pr;

static void setup(void)
{
	libre_init();
	log_init("test", false, LOG_LV_ERROR);
}

static int decode_from(const char *from, const char *lines)
{
	struct sip_msg *msg;
	char txt[2048];
	int err;

	snprintf(txt, sizeof(txt),
		 "INVITE sip:x@example.org SIP/2.0\r\n"
		 "Via: SIP/2.0/TLS 10.0.0.1:5071;branch=z9hG4bK1;rport\r\n"
		 "From: %s;tag=1\r\nTo: <sip:x@example.org>\r\nCall-ID: a\r\n"
		 "CSeq: 1 INVITE\r\n%s\r\n", from, lines);
	msg = auth_msg(txt, SIP_TRANSP_TLS, "10.0.0.1:5071");
	ck_assert_ptr_nonnull(msg);
	memset(&pr, 0xff, sizeof(pr));
	err = privacy_decode(&pr, msg);
	mem_deref(msg);

	return err;
}

static int decode(const char *lines)
{
	return decode_from("<sip:alice@example.org>", lines);
}

START_TEST(id_and_user_ask_for_a_pseudonym_the_rest_is_granted_as_it_is)
{
	static const struct {
		const char *lines;
		unsigned values;
		bool anonymous;
	} v[] = {
		{ "", 0, false },
		{ "Privacy: none\r\n", PRIVACY_NONE, false },
		{ "Privacy: id\r\n", PRIVACY_ID, true },
		{ "Privacy: ID\r\n", PRIVACY_ID, true },
		{ "Privacy: user\r\n", PRIVACY_USER, true },
		{ "Privacy: header; session\r\n", PRIVACY_HEADER | PRIVACY_SESSION, false },
		{ "Privacy: history\r\n", PRIVACY_HISTORY, false },
		{ "Privacy: header;user ;critical\r\n", PRIVACY_HEADER | PRIVACY_USER | PRIVACY_CRITICAL, true },
		{ "Privacy: header, id\r\n", PRIVACY_HEADER | PRIVACY_ID, true },
		{ "Privacy: header\r\nPrivacy: id\r\n", PRIVACY_HEADER | PRIVACY_ID, true },
		{ "Privacy: none;id\r\n", PRIVACY_NONE | PRIVACY_ID, true },
		{ "Privacy: frobnicate\r\n", 0, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		ck_assert_msg(decode(v[i].lines) == 0, "%s", v[i].lines);
		ck_assert_msg(pr.values == v[i].values, "%s", v[i].lines);
		ck_assert_msg(pr.anonymous == v[i].anonymous, "%s", v[i].lines);
	}
}
END_TEST

START_TEST(critical_privacy_that_is_unknown_cannot_be_granted)
{
	ck_assert_int_eq(decode("Privacy: frobnicate;critical\r\n"), ENOTSUP);
	ck_assert_int_eq(decode("Privacy: critical\r\nPrivacy: frobnicate\r\n"), ENOTSUP);
	ck_assert_int_eq(decode("Privacy: id;critical\r\n"), 0);
}
END_TEST

START_TEST(malformed_privacy_is_an_error)
{
	static const char *const v[] = {
		"Privacy: \r\n", "Privacy: id;\r\n", "Privacy: ;id\r\n", "Privacy: id id\r\n",
		"Privacy: \"id\"\r\n", "Privacy: i\001d\r\n", "Privacy: id=1\r\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		ck_assert_msg(decode(v[i]) == EBADMSG, "%s", v[i]);
}
END_TEST

START_TEST(a_from_of_nobody_is_anonymous)
{
	static const struct {
		const char *from;
		bool anonymous;
	} v[] = {
		{ "<sip:anonymous@anonymous.invalid>", true },
		{ "<sip:x@Anonymous.Invalid>", true },
		{ "<sip:x@a.anonymous.invalid>", true },
		{ "<sip:anonymous@example.org>", true },
		{ "Anonymous <sip:alice@example.org>", true },
		{ "\"Anonymous\" <sip:alice@example.org>", true },
		{ "\"anonymous \" <sip:alice@example.org>", true },
		{ "\"Anonymous Coward\" <sip:alice@example.org>", false },
		{ "<sip:alice@notanonymous.invalid>", false },
		{ "<sip:alice@anonymous.invalid.example.org>", false },
		{ "<sip:anonymouse@example.org>", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		ck_assert_int_eq(decode_from(v[i].from, ""), 0);
		ck_assert_msg(pr.anonymous == v[i].anonymous, "%s", v[i].from);
	}
}
END_TEST

START_TEST(flipped_headers_do_no_harm)
{
	static const char good[] = "header;id;critical";
	char line[64];

	for (size_t i = 0; i < strlen(good); i++) {
		for (unsigned k = 0; k < 8; k++) {
			char c = (char)(good[i] ^ (1 << k));

			if (!c || c == '\r' || c == '\n')
				continue;
			snprintf(line, sizeof(line), "Privacy: %.*s%c%s\r\n", (int)i, good, c, good + i + 1);
			(void)decode(line);
		}
	}
}
END_TEST

START_TEST(a_pseudonym_is_stable_and_nobody_elses)
{
	struct pseudonyms *ps;
	uint32_t alice, bob, guest, n;

	ck_assert_int_eq(pseudonyms_alloc(&ps), 0);
	ck_assert_int_eq(pseudonym_get(ps, "sip:alice@h", &alice), 0);
	ck_assert_int_eq(pseudonym_get(ps, "sip:bob@h", &bob), 0);
	ck_assert_int_eq(pseudonym_get(ps, NULL, &guest), 0);
	ck_assert_uint_ne(alice, bob);
	ck_assert_uint_ne(guest, bob);
	ck_assert_int_eq(pseudonym_get(ps, "sip:alice@h", &n), 0);
	ck_assert_uint_eq(n, alice);
	ck_assert_int_eq(pseudonym_get(ps, NULL, &n), 0);
	ck_assert_uint_ne(n, guest);
	mem_deref(ps);
}
END_TEST

START_TEST(the_memory_for_pseudonyms_is_bounded_and_numbers_never_return)
{
	struct pseudonyms *ps;
	char id[32];
	uint32_t n, last = 0;

	ck_assert_int_eq(pseudonyms_alloc(&ps), 0);
	for (unsigned i = 0; i < PSEUDONYM_MAX + 10; i++) {
		snprintf(id, sizeof(id), "sip:u%u@h", i);
		ck_assert_int_eq(pseudonym_get(ps, id, &n), 0);
		ck_assert_uint_eq(n, last + 1);
		last = n;
	}
	ck_assert_int_eq(pseudonym_get(ps, "sip:u10@h", &n), 0);
	ck_assert_uint_eq(n, 11);
	ck_assert_int_eq(pseudonym_get(ps, "sip:u9@h", &n), 0);
	ck_assert_uint_eq(n, last + 1);
	mem_deref(ps);
}
END_TEST

START_TEST(a_pseudonym_reads_as_in_rfc_4575)
{
	char *uri, *name;

	ck_assert_int_eq(pseudonym_print(&uri, &name, 7), 0);
	ck_assert_str_eq(uri, "sip:anonymous7@anonymous.invalid");
	ck_assert_str_eq(name, "Anonymous 7");
	mem_deref(uri);
	mem_deref(name);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("privacy");
	TCase *tc = tcase_create("privacy");

	tcase_add_checked_fixture(tc, setup, libre_close);
	tcase_add_test(tc, id_and_user_ask_for_a_pseudonym_the_rest_is_granted_as_it_is);
	tcase_add_test(tc, critical_privacy_that_is_unknown_cannot_be_granted);
	tcase_add_test(tc, malformed_privacy_is_an_error);
	tcase_add_test(tc, a_from_of_nobody_is_anonymous);
	tcase_add_test(tc, flipped_headers_do_no_harm);
	tcase_add_test(tc, a_pseudonym_is_stable_and_nobody_elses);
	tcase_add_test(tc, the_memory_for_pseudonyms_is_bounded_and_numbers_never_return);
	tcase_add_test(tc, a_pseudonym_reads_as_in_rfc_4575);
	suite_add_tcase(s, tc);

	return check_run(s);
}
