/**
 * @file test_referto.c  Refer-To and Replaces, as text
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "check_run.h"
#include "focus/referto.h"
#include "focus/replaces.h"

static struct referto rt;
static const char *why;


static int decode(const char *text)
{
	struct pl pl;

	why = NULL;
	pl_set_str(&pl, text);

	return referto_decode(&rt, &pl, &why);
}


static const struct {
	const char *text;
	enum referto_kind kind;
	const char *uri, *replaces, *refer_to;
} goodv[] = {
	{ "<sip:a@x.org>", REFERTO_INVITE, "sip:a@x.org", "", "" },
	{ "sip:a@x.org", REFERTO_INVITE, "sip:a@x.org", "", "" },
	{ "\"A\" <sips:a@x.org:5061;transport=tls>;isfocus", REFERTO_INVITE,
	  "sips:a@x.org:5061;transport=tls", "", "" },
	{ "<sip:a@x.org;method=INVITE>", REFERTO_INVITE, "sip:a@x.org", "", "" },
	{ "<sip:a@x.org;METHOD=BYE>", REFERTO_BYE, "sip:a@x.org", "", "" },
	{ "<sip:a@x.org;method=BYE;lr>", REFERTO_BYE, "sip:a@x.org;lr", "", "" },
	{ "<sip:a@x.org;method=REFER?Refer-To=sip%3Ac%40y.org%3Btransport=tls>",
	  REFERTO_REFER, "sip:a@x.org", "", "sip:c@y.org;transport=tls" },
	{ "<sip:a@x.org;method=REFER?Refer-To=%22C%22%20%3Csip%3Ac%40y.org%3Btransport=tls%3E>",
	  REFERTO_REFER, "sip:a@x.org", "", "sip:c@y.org;transport=tls" },
	{ "\"A \\\"<sip:b@x.org>\\\"\" <sip:a@x.org>", REFERTO_INVITE, "sip:a@x.org", "", "" },
	{ "<sip:a@x.org?Replaces=1%40h%3Bto-tag%3D2%3Bfrom-tag%3D3&Require=replaces>",
	  REFERTO_INVITE, "sip:a@x.org", "1@h;to-tag=2;from-tag=3", "" },
	/* a "?" in the user begins no headers */
	{ "<sip:a?b@x.org>", REFERTO_INVITE, "sip:a?b@x.org", "", "" },
};

START_TEST(targets_are_read)
{
	ck_assert_int_eq(decode(goodv[_i].text), 0);
	ck_assert_int_eq(rt.kind, goodv[_i].kind);
	ck_assert_str_eq(rt.uri, goodv[_i].uri);
	ck_assert_str_eq(rt.replaces, goodv[_i].replaces);
	ck_assert_str_eq(rt.refer_to, goodv[_i].refer_to);
}
END_TEST

static const struct {
	const char *text;
	int err;
} badv[] = {
	{ "", EBADMSG },
	{ "<>", EBADMSG },
	{ "<sip:a@x.org", EBADMSG },
	{ "\"A <sip:a@x.org>", EBADMSG },
	{ "\"A\\\" <sip:a@x.org>", EBADMSG },
	{ "\"A\" \"<sip:b@x.org>\" <sip:a@x.org>", EBADMSG },
	{ "<sip:a@x.org;method=REFER?Refer-To=%3Csip%3Ac%40y.org>", EBADMSG },
	{ "<sip:a@x.org;method=REFER?Refer-To=%3Csip%3Ac%40y.org%3E%2C%3Csip%3Ad%40y.org%3E>",
	  EBADMSG },
	{ "<sip:a@x.org>, <sip:b@x.org>", EBADMSG },
	{ "<sip:a@x.org>;x=<sip:b@x.org>", EBADMSG },
	{ "sip:a@x.org,sip:b@x.org", EBADMSG },
	{ "sip:a@x.org?Route=x", EBADMSG },
	{ "<tel:+123>", EBADMSG },
	{ "<sip:x.org>", EBADMSG },
	{ "<sip:a;method=BYE@x.org>", EBADMSG },
	{ "<sip:a@x.org;method=BYE;method=INVITE>", EBADMSG },
	{ "<sip:a@x.org;method=MESSAGE>", ENOTSUP },
	{ "<sip:a@x.org;method=bye>", ENOTSUP },
	{ "<sip:a@x.org;method=REFER>", EBADMSG },
	{ "<sip:a@x.org?Route=%3Csip:x%3E>", EPERM },
	{ "<sip:a@x.org?From=sip:b@x.org>", EPERM },
	{ "<sip:a@x.org?body=v%3D0>", EPERM },
	{ "<sip:a@x.org?%52oute=x>", EPERM },
	{ "<sip:a@x.org?Require=100rel>", EPERM },
	{ "<sip:a@x.org?Refer-To=sip:b@x.org>", EPERM },
	{ "<sip:a@x.org;method=BYE?Replaces=1%3Bto-tag%3D2%3Bfrom-tag%3D3>", EPERM },
	{ "<sip:a@x.org?Replaces>", EBADMSG },
	{ "<sip:a@x.org?=x>", EBADMSG },
	{ "<sip:a@x.org?Replaces=abc>", EBADMSG },
	{ "<sip:a@x.org?Replaces=1%3Bto-tag%3D2%3Bfrom-tag%3D3%0D%0AX: y>", EBADMSG },
	{ "<sip:a@x.org?Replaces=1%3Bto-tag%3D2%3Bfrom-tag%3D3%00>", EBADMSG },
	{ "<sip:a@x.org?Replaces=1%3>", EBADMSG },
	/* decoded once, not twice: what is left is no Call-ID with parameters */
	{ "<sip:a@x.org?Replaces=1%253Bto-tag%253D2%253Bfrom-tag%253D3>", EBADMSG },
};

START_TEST(other_texts_are_refused_with_a_reason)
{
	ck_assert_int_eq(decode(badv[_i].text), badv[_i].err);
	ck_assert_ptr_nonnull(why);
}
END_TEST

START_TEST(overlong_targets_are_refused)
{
	char text[2 * REFERTO_MAX];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "<sip:", 5);
	ck_assert_int_eq(decode(text), EOVERFLOW);
}
END_TEST

START_TEST(truncated_and_flipped_targets_do_no_harm)
{
	static const char text[] = "\"A\" <sip:a@x.org;method=INVITE?Replaces="
		"1%40h%3Bto-tag%3D2%3Bfrom-tag%3D3&Require=replaces>;x=y";
	const size_t len = sizeof(text) - 1;

	for (size_t i = 0; i < 8 * len; i++) {
		char *flip = malloc(len);
		struct pl pl = { flip, len };

		memcpy(flip, text, len);
		flip[i / 8] = (char)(flip[i / 8] ^ 1 << i % 8);
		(void)referto_decode(&rt, &pl, &why);
		pl.l = i / 8;
		(void)referto_decode(&rt, &pl, &why);
		free(flip);
	}
}
END_TEST

static int replaces(struct replaces *rep, const char *text)
{
	struct pl pl;

	pl_set_str(&pl, text);

	return replaces_decode(rep, &pl);
}

START_TEST(replaces_names_a_dialog)
{
	struct replaces rep;

	ck_assert_int_eq(replaces(&rep, "1@h ;from-tag=3; to-tag=2;x=y"), 0);
	ck_assert_int_eq(pl_strcmp(&rep.callid, "1@h"), 0);
	ck_assert_int_eq(pl_strcmp(&rep.to_tag, "2"), 0);
	ck_assert_int_eq(pl_strcmp(&rep.from_tag, "3"), 0);
	ck_assert(!rep.early_only);
	ck_assert_int_eq(replaces(&rep, "1;to-tag=2;from-tag=3;early-only"), 0);
	ck_assert(rep.early_only);
}
END_TEST

static const char *const bad_repv[] = {
	"", ";", "1", "1;to-tag=2", "1;from-tag=2", "1;to-tag=;from-tag=3",
	"1;to-tag=2;to-tag=2;from-tag=3", "1,2;to-tag=2;from-tag=3",
	"1;to-tag=2;from-tag=\"3\"", "a b;to-tag=2;from-tag=3",
};

START_TEST(what_names_no_dialog_is_refused)
{
	struct replaces rep;

	ck_assert_int_eq(replaces(&rep, bad_repv[_i]), EBADMSG);
}
END_TEST


int main(void)
{
	Suite *s = suite_create("referto");
	TCase *tc = tcase_create("referto");

	tcase_add_loop_test(tc, targets_are_read, 0, (int)ARRAY_SIZE(goodv));
	tcase_add_loop_test(tc, other_texts_are_refused_with_a_reason, 0,
			    (int)ARRAY_SIZE(badv));
	tcase_add_test(tc, overlong_targets_are_refused);
	tcase_add_test(tc, truncated_and_flipped_targets_do_no_harm);
	tcase_add_test(tc, replaces_names_a_dialog);
	tcase_add_loop_test(tc, what_names_no_dialog_is_refused, 0,
			    (int)ARRAY_SIZE(bad_repv));
	suite_add_tcase(s, tc);

	return check_run(s);
}
