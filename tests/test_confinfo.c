/**
 * @file test_confinfo.c  Conference documents
 *
 * Every document that is printed is validated against the schema of RFC 4575
 * and merged into a copy, which must then equal a full document.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <check.h>
#include <libxml/parser.h>
#include "check_run.h"
#include "focus/confinfo.h"
#include "roster_help.h"
#include "xsd_help.h"

enum { LINGER_MS = 2000, VIEWS = 4, STEPS = 3000, PEOPLE = 12 };

/** One who watches */
struct watcher {
	struct ci_view view;
	struct replica replica;
	unsigned docs;
};

static xmlSchemaPtr schema;
static struct confinfo *ci;
static uint64_t now_ms;
static char last[1 << 20];       /* the last document                         */


static void setup(void)
{
	static const struct ci_about about = {
		"sip:7q2m0x@conf.example.test", "Monday & <others>",
		"conf.example.test", 100
	};

	schema = xsd_load(XSD);
	ck_assert_ptr_nonnull(schema);
	ck_assert_int_eq(confinfo_alloc(&ci, &about), 0);
	now_ms = 1000;
}


static void teardown(void)
{
	ci = mem_deref(ci);
	xmlSchemaFree(schema);
	xmlCleanupParser();
}


static struct ci_endpoint phone(enum ci_status st, uint32_t src)
{
	const struct ci_endpoint e = {
		.status = st, .joining = CI_DIALED_IN, .joined = 1700000000,
		.sends = st == CI_CONNECTED, .receives = st == CI_CONNECTED,
		.has_src = src != 0, .src = src, .suite = "AEAD_AES_256_GCM",
		.keying = "group", .epoch = 1, .key_since = 1700000100, .proof = "digest",
	};

	return e;
}


static enum ci_change set(const char *who, uint64_t id,
			  const struct ci_endpoint *e)
{
	const struct ci_user u = { .uri = who, .role = "member" };
	enum ci_change ch;

	ck_assert_int_eq(confinfo_set(ci, &u, id, e, &ch), 0);

	return ch;
}


static void join(const char *who, uint64_t id)
{
	const struct ci_endpoint e = phone(CI_CONNECTED, (uint32_t)id + 100);

	ck_assert_int_eq(set(who, id, &e), CI_CHANGED);
}


static void leave(uint64_t id, enum ci_gone how)
{
	const struct ci_end end = {
		how, 1700000100, "Reason: SIP;cause=200;text=\"x\""
	};

	confinfo_leave(ci, id, &end, now_ms);
}


static void forget(void)
{
	now_ms += LINGER_MS;
	ck_assert_uint_eq(confinfo_forget(ci, now_ms, LINGER_MS), 0);
}


/** Take what was printed: valid, mergeable; text stays in last */
static void take(struct watcher *w, struct mbuf *mb)
{
	xmlDocPtr doc;
	const char *why;

	ck_assert_uint_lt(mb->end, sizeof(last));
	memcpy(last, mb->buf, mb->end);
	last[mb->end] = '\0';
	doc = xsd_parse(last, mb->end);
	ck_assert_ptr_nonnull(doc);
	ck_assert(xsd_valid(schema, doc));
	why = replica_merge(&w->replica, doc);
	if (why)
		fprintf(stderr, "%s\n", last);
	ck_assert_msg(!why, "%s", why);
	ck_assert_uint_eq(w->replica.version, w->view.version);
	++w->docs;
	xmlFreeDoc(doc);
	mem_deref(mb);
}


/** 0, or ENOENT for "nothing to tell" */
static int tell_how(struct watcher *w, bool full, bool keys)
{
	struct mbuf *mb;
	int err = confinfo_print(ci, &w->view, full, keys, &mb);

	last[0] = '\0';
	if (!err)
		take(w, mb);

	return err;
}


static int tell(struct watcher *w)
{
	return tell_how(w, false, true);
}


static bool says(const char *text)
{
	return strstr(last, text) != NULL;
}


/** The copy equals what a newcomer is told */
static void agree(struct watcher *w)
{
	struct watcher fresh;
	char *a, *b;

	memset(&fresh, 0, sizeof(fresh));
	ck_assert_int_eq(tell(&fresh), 0);
	a = roster_dump(w->replica.doc);
	b = roster_dump(fresh.replica.doc);
	if (strcmp(a, b))
		fprintf(stderr, "the copy: %s\nthe roster: %s\n", a, b);
	ck_assert(!strcmp(a, b));
	free(a);
	free(b);
	replica_clear(&fresh.replica);
}


static void done(struct watcher *w)
{
	agree(w);
	replica_clear(&w->replica);
}


/* ---- documents ----------------------------------------------------------- */

START_TEST(first_document_is_full_and_in_order)
{
	struct watcher w = { .docs = 0 };

	join("sip:ana@example.test", 1);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(says("state=\"full\" version=\"1\""));
	ck_assert(says("<subject>Monday &amp; &lt;others&gt;</subject>"));
	ck_assert(says("<user-count>1</user-count>"));
	ck_assert(says("<src-id>101</src-id><status>sendrecv</status>"));
	ck_assert(says("suite=\"AEAD_AES_256_GCM\" keying=\"group\""
		       " epoch=\"1\" key-since=\"2023-11-14T22:15:00Z\""
		       " proof=\"digest\""));
	ck_assert(says("<joining-info><when>2023-11-14T22:13:20Z</when>"));
	done(&w);
}
END_TEST


START_TEST(partial_document_tells_only_what_changed)
{
	struct watcher w = { .docs = 0 };

	join("sip:ana@example.test", 1);
	ck_assert_int_eq(tell(&w), 0);
	join("sip:ben@example.test", 2);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(says("state=\"partial\" version=\"2\""));
	ck_assert(says("<users state=\"partial\"><user"
		       " entity=\"sip:ben@example.test\" state=\"full\">"));
	ck_assert(!says("sip:ana@"));
	ck_assert(!says("conference-description"));
	done(&w);
}
END_TEST


START_TEST(nothing_new_is_no_document)
{
	const struct ci_endpoint e = phone(CI_CONNECTED, 101);
	struct watcher w = { .docs = 0 };

	join("sip:ana@example.test", 1);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert_int_eq(tell(&w), ENOENT);
	ck_assert_int_eq(set("sip:ana@example.test", 1, &e), CI_SAME);
	ck_assert_int_eq(tell(&w), ENOENT);
	ck_assert_uint_eq(w.view.version, 1);
	done(&w);
}
END_TEST


START_TEST(refresh_is_full_with_the_next_version)
{
	struct watcher w = { .docs = 0 };

	join("sip:ana@example.test", 1);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert_int_eq(tell_how(&w, true, false), 0);
	ck_assert(says("state=\"full\" version=\"2\""));
	done(&w);
}
END_TEST


START_TEST(hold_is_a_status_and_a_direction)
{
	const struct ci_endpoint held = phone(CI_ON_HOLD, 101);
	struct watcher w = { .docs = 0 };

	join("sip:ana@example.test", 1);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert_int_eq(set("sip:ana@example.test", 1, &held), CI_CHANGED);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(says("<user entity=\"sip:ana@example.test\""
		       " state=\"partial\"><endpoint"));
	ck_assert(says("<status>on-hold</status>"));
	ck_assert(says("<status>inactive</status>"));
	ck_assert(!says("user-count"));
	done(&w);
}
END_TEST


START_TEST(holder_of_the_floor_and_who_is_silent_for_it_are_told)
{
	struct ci_endpoint e = phone(CI_CONNECTED, 101);
	struct watcher w = { .docs = 0 };

	join("sip:ana@example.test", 1);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(!says("floor="));
	e.floor = "holder";
	ck_assert_int_eq(set("sip:ana@example.test", 1, &e), CI_CHANGED);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(says("proof=\"digest\" floor=\"holder\""));
	e.floor = NULL;
	e.status = CI_MUTED_VIA_FOCUS;
	ck_assert_int_eq(set("sip:ana@example.test", 1, &e), CI_CHANGED);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(says("<status>muted-via-focus</status>"));
	ck_assert(!says("floor="));
	done(&w);
}
END_TEST


START_TEST(leaver_is_disconnected_and_then_deleted)
{
	struct watcher w = { .docs = 0 };

	join("sip:ana@example.test", 1);
	join("sip:ben@example.test", 2);
	ck_assert_int_eq(tell(&w), 0);
	leave(2, CI_BOOTED);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(says("<user-count>1</user-count>"));
	ck_assert(says("<status>disconnected</status>"));
	ck_assert(says("<disconnection-method>booted</disconnection-method>"
		       "<disconnection-info><when>2023-11-14T22:15:00Z</when>"
		       "<reason>Reason: SIP;cause=200"));
	ck_assert_int_eq(tell(&w), ENOENT);
	forget();
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(says("<users state=\"partial\"><user"
		       " entity=\"sip:ben@example.test\" state=\"deleted\"/>"));
	done(&w);
}
END_TEST


START_TEST(who_may_add_and_remove_others_is_admin_beside_its_role)
{
	const struct ci_endpoint e = phone(CI_CONNECTED, 101);
	struct ci_user u = { .uri = "sip:ana@example.test", .role = "owner",
			     .admin = true };
	struct watcher w = { .docs = 0 };
	enum ci_change ch;

	ck_assert_int_eq(confinfo_set(ci, &u, 1, &e, &ch), 0);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(says("<roles><entry>owner</entry><entry>admin</entry></roles>"));

	u.admin = false;
	ck_assert_int_eq(confinfo_set(ci, &u, 1, &e, &ch), 0);
	ck_assert_int_eq(ch, CI_CHANGED);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(says("<roles><entry>owner</entry></roles>"));
	done(&w);
}
END_TEST


START_TEST(documents_call_the_conference_what_the_watcher_calls_it)
{
	struct watcher w = { .docs = 0 };

	w.view.entity = "sip:room@192.0.2.1:5061";
	join("sip:ana@example.test", 1);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(says("<conference-info entity=\"sip:room@192.0.2.1:5061\""));
	join("sip:ben@example.test", 2);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(says("<conference-info entity=\"sip:room@192.0.2.1:5061\""));
	replica_clear(&w.replica);
}
END_TEST


START_TEST(one_of_two_endpoints_leaves)
{
	struct watcher w = { .docs = 0 };

	join("sip:ana@example.test", 1);
	join("sip:ana@example.test", 2);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(says("<user-count>1</user-count>"));
	leave(1, CI_DEPARTED);
	forget();
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(says("<user entity=\"sip:ana@example.test\""
		       " state=\"partial\"><endpoint"
		       " entity=\"sip:ana@example.test;gr=0000000000000001\""
		       " state=\"deleted\"/></user>"));
	ck_assert(!says("user-count"));
	done(&w);
}
END_TEST


START_TEST(who_came_and_went_between_two_documents_is_not_told)
{
	struct watcher w = { .docs = 0 };

	join("sip:ana@example.test", 1);
	ck_assert_int_eq(tell(&w), 0);
	join("sip:ben@example.test", 2);
	leave(2, CI_DEPARTED);
	forget();
	ck_assert_int_eq(tell(&w), 0);       /* the number went up and down */
	ck_assert(!says("sip:ben@"));
	done(&w);
}
END_TEST


START_TEST(rejoin_replaces_what_was_known)
{
	struct watcher w = { .docs = 0 };

	join("sip:ana@example.test", 1);
	join("sip:ben@example.test", 2);
	ck_assert_int_eq(tell(&w), 0);
	leave(2, CI_DEPARTED);
	forget();
	join("sip:ben@example.test", 3);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(says("entity=\"sip:ben@example.test\" state=\"full\""));
	ck_assert(!says("deleted"));
	leave(3, CI_DEPARTED);
	forget();
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(says("state=\"deleted\""));
	done(&w);
}
END_TEST


START_TEST(each_watcher_has_its_own_versions)
{
	struct watcher a = { .docs = 0 }, b = { .docs = 0 };

	join("sip:ana@example.test", 1);
	ck_assert_int_eq(tell(&a), 0);
	join("sip:ben@example.test", 2);
	ck_assert_int_eq(tell(&a), 0);
	ck_assert_int_eq(tell(&b), 0);
	join("sip:cyd@example.test", 3);
	ck_assert_int_eq(tell(&b), 0);
	ck_assert(says("version=\"2\""));
	ck_assert_int_eq(tell(&a), 0);
	ck_assert(says("version=\"3\""));
	done(&a);
	done(&b);
}
END_TEST


START_TEST(keying_and_epoch_alone_wait_and_are_small)
{
	struct ci_endpoint e = phone(CI_CONNECTED, 101);
	struct watcher w = { .docs = 0 };

	join("sip:ana@example.test", 1);
	ck_assert_int_eq(tell(&w), 0);
	e.epoch = 2;
	ck_assert_int_eq(set("sip:ana@example.test", 1, &e), CI_KEYS_ONLY);
	ck_assert_int_eq(tell_how(&w, false, false), ENOENT);
	join("sip:ben@example.test", 2);
	ck_assert_int_eq(tell_how(&w, false, false), 0);
	ck_assert(!says("sip:ana@"));
	ck_assert_int_eq(tell_how(&w, false, true), 0);
	ck_assert(says("state=\"partial\"><c:protection"));
	ck_assert(says("epoch=\"2\""));
	ck_assert(!says("<status>"));
	ck_assert_int_eq(tell_how(&w, false, true), ENOENT);

	/* another key without an epoch */
	e.key_since += 60;
	ck_assert_int_eq(set("sip:ana@example.test", 1, &e), CI_KEYS_ONLY);
	ck_assert_int_eq(tell_how(&w, false, true), 0);
	ck_assert(says("key-since=\"2023-11-14T22:16:00Z\""));

	/* it fell back to its own key */
	e.keying = "endpoint";
	e.epoch = 0;
	ck_assert_int_eq(set("sip:ana@example.test", 1, &e), CI_KEYS_ONLY);
	ck_assert_int_eq(tell_how(&w, false, false), ENOENT);
	ck_assert_int_eq(tell_how(&w, false, true), 0);
	ck_assert(says("keying=\"endpoint\" key-since="));
	done(&w);
}
END_TEST


START_TEST(lock_is_told_with_the_whole_state)
{
	struct watcher w = { .docs = 0 };

	join("sip:ana@example.test", 1);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(says("<locked>false</locked>"));
	ck_assert(confinfo_lock(ci, true));
	ck_assert(!confinfo_lock(ci, true));
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(says("<conference-state><user-count>1</user-count>"
		       "<active>true</active><locked>true</locked>"));
	ck_assert(!says("<users"));
	done(&w);
}
END_TEST


START_TEST(end_of_the_conference_says_nothing_else)
{
	struct watcher w = { .docs = 0 };
	struct mbuf *mb;

	join("sip:ana@example.test", 1);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert_int_eq(confinfo_print_deleted(ci, &w.view, &mb), 0);
	take(&w, mb);
	ck_assert(says("state=\"deleted\" version=\"2\""));
	ck_assert(!says("ana"));
	replica_clear(&w.replica);
}
END_TEST


/* ---- what others write --------------------------------------------------- */

START_TEST(markup_and_bad_bytes_are_escaped)
{
	const struct ci_endpoint e = phone(CI_CONNECTED, 1);
	const struct ci_user u = {
		.uri = "sip:\"><user entity='x'\x01\xff@e.test",
		.display = "</display-text>&\x02\xc3\xa4\xff\xef\xbf\xbf]]>",
		.role = "member"
	};
	struct watcher w = { .docs = 0 };
	enum ci_change ch;

	ck_assert_int_eq(confinfo_set(ci, &u, 1, &e, &ch), 0);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(says("entity=\"sip:%22%3E%3Cuser%20entity='x'%01%FF@e.test\""));
	ck_assert(says("<display-text>&lt;/display-text&gt;&amp;?\xc3\xa4????"
		       "]]&gt;</display-text>"));
	done(&w);
}
END_TEST


START_TEST(overlong_text_is_cut_and_overlong_keys_are_refused)
{
	const struct ci_endpoint e = phone(CI_CONNECTED, 1);
	static char uri[5000], name[5000];
	const struct ci_user u = { .uri = uri, .display = name, .role = "member" };
	struct watcher w = { .docs = 0 };
	enum ci_change ch;

	memset(uri, '<', sizeof(uri) - 1);
	memset(name, '\xc3', sizeof(name) - 1);
	for (size_t i = 1; i < sizeof(name) - 1; i += 2)
		name[i] = '\xa4';
	ck_assert_int_eq(confinfo_set(ci, &u, 1, &e, &ch), EOVERFLOW);
	uri[CI_URI_MAX] = '\0';
	ck_assert_int_eq(confinfo_set(ci, &u, 1, &e, &ch), 0);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert_uint_lt(strlen(last), 6000);
	done(&w);
}
END_TEST


/* ---- bounds -------------------------------------------------------------- */

static void crowd(uint64_t from, uint64_t to)
{
	char who[64];

	for (uint64_t i = from; i < to; i++) {
		(void)re_snprintf(who, sizeof(who), "sip:u%llu@example.test", i);
		join(who, i);
	}
}


START_TEST(of_a_large_conference_less_is_told)
{
	struct watcher w = { .docs = 0 };

	crowd(1, CI_ENDPOINTS_MAX + 1);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(says("<endpoint"));
	agree(&w);
	crowd(CI_ENDPOINTS_MAX + 1, CI_ENDPOINTS_MAX + 2);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(says("state=\"full\""));
	ck_assert(says("<user entity=\"sip:u1@"));
	ck_assert(!says("<endpoint"));
	crowd(CI_ENDPOINTS_MAX + 2, CI_USERS_MAX + 2);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(!says("<user entity"));
	ck_assert(says("<user-count>2001</user-count>"));
	leave(1, CI_DEPARTED);
	ck_assert_int_eq(tell(&w), 0);
	ck_assert_uint_lt(strlen(last), 500);
	replica_clear(&w.replica);
}
END_TEST


START_TEST(many_markers_make_an_old_view_start_anew)
{
	struct watcher w = { .docs = 0 };

	join("sip:ana@example.test", 1);
	ck_assert_int_eq(tell(&w), 0);
	for (uint64_t i = 2; i < CI_MARKERS_MAX + 10; i++) {
		join("sip:ana@example.test", i);
		leave(i, CI_DEPARTED);
		forget();
		confinfo_trim(ci, w.view.seen);
	}
	ck_assert_int_eq(tell(&w), 0);
	ck_assert(says("state=\"full\""));
	ck_assert_uint_lt(strlen(last), 3000);
	done(&w);
}
END_TEST


/* ---- anything in any order ----------------------------------------------- */

static uint64_t livev[PEOPLE * 4];
static unsigned livec;
static uint64_t next_id;

static const char *person(unsigned i)
{
	static char who[64];

	(void)re_snprintf(who, sizeof(who), "sip:u%u@example.test", i);

	return who;
}


static void step(void)
{
	unsigned who = (unsigned)rand() % PEOPLE;
	struct ci_endpoint e;
	unsigned at;

	switch (rand() % 6) {

	case 0:
	case 1:
		if (livec == sizeof(livev) / sizeof(livev[0]))
			break;
		livev[livec++] = ++next_id * PEOPLE + who;
		join(person(who), livev[livec - 1]);
		break;
	case 2:
		if (!livec)
			break;
		at = (unsigned)rand() % livec;
		leave(livev[at], (enum ci_gone)(rand() % 4));
		livev[at] = livev[--livec];
		break;
	case 3:
	case 4:
		if (!livec)
			break;
		at = (unsigned)rand() % livec;
		e = phone(rand() % 2 ? CI_CONNECTED : CI_ON_HOLD,
			  (uint32_t)rand() % 3);
		e.epoch = (uint32_t)rand() % 4;
		(void)set(person((unsigned)(livev[at] % PEOPLE)), livev[at], &e);
		break;
	default:
		now_ms += (uint64_t)rand() % LINGER_MS;
		(void)confinfo_forget(ci, now_ms, LINGER_MS);
		break;
	}
}


START_TEST(random_changes_end_in_the_same_roster)
{
	struct watcher wv[VIEWS];
	uint64_t seen;

	srand(4575 + (unsigned)_i);
	memset(wv, 0, sizeof(wv));
	livec = 0;
	for (unsigned n = 0; n < STEPS; n++) {
		step();
		for (unsigned i = 0; i < VIEWS; i++) {
			/* some look often, some seldom */
			if (rand() % (2 + 8 * (int)i) == 0)
				(void)tell_how(&wv[i], rand() % 50 == 0,
					       rand() % 2);
		}
		seen = UINT64_MAX;
		for (unsigned i = 0; i < VIEWS; i++)
			seen = MIN(seen, wv[i].view.seen);
		confinfo_trim(ci, seen);
	}
	for (unsigned i = 0; i < VIEWS; i++) {
		(void)tell(&wv[i]);
		ck_assert_uint_gt(wv[i].docs, STEPS / 40);
		done(&wv[i]);
	}
}
END_TEST


static Suite *suite(void)
{
	Suite *s = suite_create("confinfo");
	TCase *tc = tcase_create("documents");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, first_document_is_full_and_in_order);
	tcase_add_test(tc, partial_document_tells_only_what_changed);
	tcase_add_test(tc, nothing_new_is_no_document);
	tcase_add_test(tc, refresh_is_full_with_the_next_version);
	tcase_add_test(tc, hold_is_a_status_and_a_direction);
	tcase_add_test(tc, holder_of_the_floor_and_who_is_silent_for_it_are_told);
	tcase_add_test(tc, leaver_is_disconnected_and_then_deleted);
	tcase_add_test(tc, who_may_add_and_remove_others_is_admin_beside_its_role);
	tcase_add_test(tc, documents_call_the_conference_what_the_watcher_calls_it);
	tcase_add_test(tc, one_of_two_endpoints_leaves);
	tcase_add_test(tc, who_came_and_went_between_two_documents_is_not_told);
	tcase_add_test(tc, rejoin_replaces_what_was_known);
	tcase_add_test(tc, each_watcher_has_its_own_versions);
	tcase_add_test(tc, keying_and_epoch_alone_wait_and_are_small);
	tcase_add_test(tc, lock_is_told_with_the_whole_state);
	tcase_add_test(tc, end_of_the_conference_says_nothing_else);
	tcase_add_test(tc, markup_and_bad_bytes_are_escaped);
	tcase_add_test(tc, overlong_text_is_cut_and_overlong_keys_are_refused);
	tcase_add_test(tc, of_a_large_conference_less_is_told);
	tcase_add_test(tc, many_markers_make_an_old_view_start_anew);
	tcase_add_loop_test(tc, random_changes_end_in_the_same_roster, 0, 5);
	suite_add_tcase(s, tc);

	return s;
}


int main(void)
{
	return check_run(suite());
}
