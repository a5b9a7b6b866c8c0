/**
 * @file test_urilist.c  URI lists, and what is told of them
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "check_run.h"
#include "focus/urilist.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n" \
	"<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\"" \
	" xmlns:cp=\"urn:ietf:params:xml:ns:copycontrol\"" \
	" xmlns:old=\"urn:ietf:params:xml:ns:copyControl\">"
#define TAIL "</resource-lists>"

static struct urilist *l;
static const char *why;


static int decode(const char *text, size_t len)
{
	struct pl pl = { text, len };

	why = NULL;
	l = mem_deref(l);

	return urilist_decode(&l, &pl, &why);
}


static int decode_str(const char *text)
{
	return decode(text, strlen(text));
}


static void teardown(void)
{
	l = mem_deref(l);
}


static const struct urientry *entry(unsigned i)
{
	struct le *le = list_head(&l->entryl);

	while (le && i--)
		le = le->next;
	ck_assert_ptr_nonnull(le);

	return le->data;
}


START_TEST(entries_of_nested_lists_are_read_in_order)
{
	ck_assert_int_eq(decode_str(HEAD "<list><entry uri=\"sip:a@x.org\"/>"
		"<list><entry uri=\"sip:b@x.org;method=BYE?Route=evil\""
		" cp:copyControl=\"to\"><display-name>B</display-name></entry>"
		"</list></list><list>"
		"<entry uri=\"sip:c@X.ORG\" old:copyControl=\"cc\"/></list>"
		TAIL), 0);
	ck_assert_uint_eq(list_count(&l->entryl), 3);
	ck_assert_str_eq(entry(0)->identity, "sip:a@x.org");
	ck_assert_int_eq(entry(0)->copy, COPY_BCC);
	ck_assert_str_eq(entry(1)->identity, "sip:b@x.org");
	ck_assert_int_eq(entry(1)->copy, COPY_TO);
	ck_assert_str_eq(entry(2)->identity, "sip:c@x.org");
	ck_assert_int_eq(entry(2)->copy, COPY_CC);
}
END_TEST

START_TEST(the_same_one_twice_is_called_once_with_the_highest_copy)
{
	ck_assert_int_eq(decode_str(HEAD "<list>"
		"<entry uri=\"sip:a@x.org\" cp:copyControl=\"cc\"/>"
		"<entry uri=\"SIP:a@X.org:5061\" cp:copyControl=\"to\""
		" cp:anonymize=\"true\"/>"
		"<entry uri=\"sip:%61@x.org\" cp:copyControl=\"bcc\"/>"
		"</list>" TAIL), 0);
	ck_assert_uint_eq(list_count(&l->entryl), 1);
	ck_assert_int_eq(entry(0)->copy, COPY_TO);
	ck_assert(entry(0)->anonymize);
}
END_TEST

START_TEST(references_are_not_followed_and_others_not_called)
{
	ck_assert_int_eq(decode_str(HEAD "<list>"
		"<entry-ref ref=\"x/y\"/><external anchor=\"http://x.org/l\"/>"
		"<entry uri=\"tel:+123\"/><entry uri=\"sip:x.org\"/>"
		"<entry uri=\"sip:a@x.org\"/></list>" TAIL), 0);
	ck_assert_uint_eq(list_count(&l->entryl), 1);
	ck_assert_uint_eq(l->skipped, 2);
}
END_TEST

START_TEST(an_entry_of_another_namespace_is_none)
{
	ck_assert_int_eq(decode_str("<list><entry uri=\"sip:a@x.org\"/></list>"),
			 0);
	ck_assert_uint_eq(list_count(&l->entryl), 0);
}
END_TEST

static const char *const badv[] = {
	"", "x", "<", "<a", HEAD, HEAD "<list>" TAIL, HEAD TAIL TAIL,
	"<!DOCTYPE a><a/>",
	"<?xml version=\"1.0\"?><!DOCTYPE r [<!ENTITY a \"b\">]><r>&a;</r>",
	"<!DOCTYPE r SYSTEM \"file:///etc/passwd\"><r/>",
	"<!ENTITY a \"b\"><r/>",
	HEAD "<list>&undefined;</list>" TAIL,
	HEAD "<list><entry uri=\"&undefined;\"/></list>" TAIL,
	HEAD "<list><entry/></list>" TAIL,
	HEAD "<?target data?>" TAIL,
	"<a b=\"1\" b=\"2\"/>",
	"<a>\xff\xfe</a>",
};

START_TEST(what_is_no_list_is_refused_with_a_reason)
{
	ck_assert_int_eq(decode_str(badv[_i]), EBADMSG);
	ck_assert_ptr_nonnull(why);
	ck_assert_ptr_null(l);
}
END_TEST

START_TEST(utf_16_and_zero_bytes_are_refused)
{
	static const char utf16[] = "\xff\xfe<\0a\0/\0>\0";
	static const char utf32[] = "\0\0\0<\0\0\0a";

	ck_assert_int_eq(decode(utf16, sizeof(utf16) - 1), EBADMSG);
	ck_assert_int_eq(decode(utf32, sizeof(utf32) - 1), EBADMSG);
}
END_TEST

/** A declared encoding must not change what the first look saw */
START_TEST(a_declared_encoding_does_not_count)
{
	/* "<!DOCTYPE" in UTF-7 */
	ck_assert_int_eq(decode_str("<?xml version=\"1.0\" encoding=\"UTF-7\"?>"
				    "+ADw-+ACE-DOCTYPE r+AD4-<r/>"), EBADMSG);
}
END_TEST

static char *repeated(const char *head, const char *piece, unsigned n,
		      const char *tail)
{
	const size_t len = strlen(piece);
	char *text = calloc(1, strlen(head) + n * len + strlen(tail) + 1);
	char *p;

	strcpy(text, head);
	p = text + strlen(text);
	for (unsigned i = 0; i < n; i++, p += len)
		memcpy(p, piece, len + 1);
	strcpy(p, tail);

	return text;
}

START_TEST(limits_hold_and_cost_little_time)
{
	struct { const char *head, *piece; unsigned n; const char *tail; } v[] = {
		{ "<a", " b=\"\"", 9000, "/>" },
		{ "<a ", "xmlns:n='u' ", 5000, "/>" },
		{ "", "<a>", 20000, "" },
		{ HEAD "<list>", "<list>", 33, "</list>" TAIL },
		{ "<a>", "          ", 7000, "</a>" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		char *text = repeated(v[i].head, v[i].piece, v[i].n, v[i].tail);
		clock_t t = clock();

		ck_assert_int_eq(decode_str(text), EOVERFLOW);
		ck_assert_int_lt((clock() - t) / (CLOCKS_PER_SEC / 1000), 50);
		free(text);
	}
}
END_TEST

START_TEST(sixty_four_people_may_be_called_and_not_one_more)
{
	for (unsigned n = URILIST_MAX; n <= URILIST_MAX + 1; n++) {
		char text[8192] = HEAD "<list>", one[64];

		for (unsigned i = 0; i < n; i++) {
			(void)re_snprintf(one, sizeof(one),
					  "<entry uri=\"sip:u%u@x.org\"/>", i);
			strcat(text, one);
		}
		strcat(text, "</list>" TAIL);
		ck_assert_int_eq(decode_str(text),
				 n > URILIST_MAX ? EOVERFLOW : 0);
	}
}
END_TEST

START_TEST(two_hundred_times_the_same_is_one)
{
	char *text = repeated(HEAD "<list>", "<entry uri=\"sip:a@x.org\"/>",
			      200, "</list>" TAIL);

	ck_assert_int_eq(decode_str(text), 0);
	ck_assert_uint_eq(list_count(&l->entryl), 1);
	free(text);
}
END_TEST

START_TEST(history_hides_bcc_and_counts_the_anonymous)
{
	struct mbuf *mb = NULL;
	struct urilist *again;
	struct pl pl;
	char *text;

	ck_assert_int_eq(decode_str(HEAD "<list>"
		"<entry uri=\"sip:to@x.org\" cp:copyControl=\"to\"/>"
		"<entry uri=\"sip:o'r&amp;2@x.org\" cp:copyControl=\"cc\"/>"
		"<entry uri=\"sip:bcc@x.org\"/>"
		"<entry uri=\"sip:an1@x.org\" cp:copyControl=\"cc\" cp:anonymize=\"true\"/>"
		"<entry uri=\"sip:an2@x.org\" cp:copyControl=\"cc\" cp:anonymize=\"1\"/>"
		"<entry uri=\"sip:an3@x.org\" cp:copyControl=\"bcc\" cp:anonymize=\"true\"/>"
		"</list>" TAIL), 0);
	ck_assert_int_eq(urilist_history(&mb, l), 0);
	ck_assert_ptr_nonnull(mb);
	ck_assert_int_eq(mbuf_strdup(mb, &text, mb->end), 0);
	ck_assert_ptr_nonnull(strstr(text, "sip:to@x.org\" cp:copyControl=\"to\""));
	ck_assert_ptr_nonnull(strstr(text, "sip:o'r&amp;2@x.org\" cp:copyControl=\"cc\""));
	ck_assert_ptr_null(strstr(text, "bcc"));
	ck_assert_ptr_null(strstr(text, "sip:an1"));
	ck_assert_ptr_null(strstr(text, "sip:an3"));
	ck_assert_ptr_nonnull(strstr(text, "sip:anonymous@anonymous.invalid\""
				     " cp:copyControl=\"cc\" cp:count=\"2\""));

	/* and can be read */
	pl_set_str(&pl, text);
	ck_assert_int_eq(urilist_decode(&again, &pl, &why), 0);
	ck_assert_uint_eq(list_count(&again->entryl), 3);
	mem_deref(again);
	mem_deref(text);
	mem_deref(mb);
}
END_TEST

START_TEST(a_list_of_bcc_alone_has_no_history)
{
	struct mbuf *mb = NULL;

	ck_assert_int_eq(decode_str(HEAD "<list><entry uri=\"sip:a@x.org\"/>"
				    "</list>" TAIL), 0);
	ck_assert_int_eq(urilist_history(&mb, l), 0);
	ck_assert_ptr_null(mb);
}
END_TEST

START_TEST(truncated_and_flipped_lists_do_no_harm)
{
	static const char text[] = HEAD "<list><!-- c --><entry"
		" uri=\"sip:a@x.org\" cp:copyControl=\"to\"/></list>" TAIL;
	const size_t len = sizeof(text) - 1;

	for (size_t n = 0; n < len; n++) {
		char *cut = malloc(n + 1);

		memcpy(cut, text, n);
		ck_assert_int_ne(decode(cut, n), 0);
		free(cut);
	}
	for (size_t i = 0; i < 8 * len; i++) {
		char *flip = malloc(len);

		memcpy(flip, text, len);
		flip[i / 8] = (char)(flip[i / 8] ^ 1 << i % 8);
		(void)decode(flip, len);
		free(flip);
	}
}
END_TEST


int main(void)
{
	Suite *s = suite_create("urilist");
	TCase *tc = tcase_create("urilist");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, entries_of_nested_lists_are_read_in_order);
	tcase_add_test(tc, the_same_one_twice_is_called_once_with_the_highest_copy);
	tcase_add_test(tc, references_are_not_followed_and_others_not_called);
	tcase_add_test(tc, an_entry_of_another_namespace_is_none);
	tcase_add_loop_test(tc, what_is_no_list_is_refused_with_a_reason, 0,
			    (int)ARRAY_SIZE(badv));
	tcase_add_test(tc, utf_16_and_zero_bytes_are_refused);
	tcase_add_test(tc, a_declared_encoding_does_not_count);
	tcase_add_test(tc, limits_hold_and_cost_little_time);
	tcase_add_test(tc, sixty_four_people_may_be_called_and_not_one_more);
	tcase_add_test(tc, two_hundred_times_the_same_is_one);
	tcase_add_test(tc, history_hides_bcc_and_counts_the_anonymous);
	tcase_add_test(tc, a_list_of_bcc_alone_has_no_history);
	tcase_add_test(tc, truncated_and_flipped_lists_do_no_harm);
	suite_add_tcase(s, tc);

	return check_run(s);
}
