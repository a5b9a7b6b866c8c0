/**
 * @file test_secret.c  Secrets, their names and the set of seen ones; suites
 */
#include "config.h"
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check_run.h"
#include "log.h"
#include "secret.h"
#include "suite.h"


/* AddressSanitizer makes mlock() do nothing */
#if HAVE_SANITIZER
enum { REAL_MLOCK = 0 };
#else
enum { REAL_MLOCK = 1 };
#endif


static struct secret *numbered(unsigned n)
{
	uint8_t bytes[30] = {0};
	struct secret *s = NULL;

	memcpy(bytes, &n, sizeof(n));
	ck_assert_int_eq(0, secret_copy(&s, bytes, sizeof(bytes)));

	return s;
}


START_TEST(drawn_secrets_differ_and_have_their_length)
{
	struct secret *a = NULL, *b = NULL;

	for (size_t len = 16; len <= SECRET_MAX; len++) {
		ck_assert_int_eq(0, secret_draw(&a, len));
		ck_assert_int_eq(0, secret_draw(&b, len));
		ck_assert_uint_eq(len, secret_len(a));
		ck_assert(!secret_equal(a, b));
		secret_free(&a);
		secret_free(&b);
	}
	ck_assert_uint_eq(0, secret_count());
}
END_TEST


START_TEST(bad_lengths_are_refused_and_leave_the_output_alone)
{
	const uint8_t bytes[SECRET_MAX + 1] = {0};
	struct secret *const mark = numbered(1);
	struct secret *s = mark;

	ck_assert_int_eq(EINVAL, secret_draw(&s, 0));
	ck_assert_int_eq(EINVAL, secret_draw(&s, SECRET_MAX + 1));
	ck_assert_int_eq(EINVAL, secret_draw(NULL, 16));
	ck_assert_int_eq(EINVAL, secret_copy(&s, bytes, 0));
	ck_assert_int_eq(EINVAL, secret_copy(&s, bytes, SECRET_MAX + 1));
	ck_assert_int_eq(EINVAL, secret_copy(&s, NULL, 16));
	ck_assert_ptr_eq(mark, s);
	ck_assert_uint_eq(1, secret_count());
	secret_free(&s);
}
END_TEST


START_TEST(equal_means_same_bytes_and_length_and_null_equals_nothing)
{
	const uint8_t bytes[20] = "0123456789abcdefghi";
	struct secret *a = NULL, *b = NULL, *c = NULL;

	ck_assert_int_eq(0, secret_copy(&a, bytes, 20));
	ck_assert_int_eq(0, secret_copy(&b, bytes, 20));
	ck_assert_int_eq(0, secret_copy(&c, bytes, 19));
	ck_assert_mem_eq(bytes, secret_bytes(a), 20);
	ck_assert(secret_equal(a, b));
	ck_assert(!secret_equal(a, c));
	ck_assert(!secret_equal(a, NULL));
	ck_assert(!secret_equal(NULL, NULL));
	ck_assert_ptr_null(secret_bytes(NULL));
	ck_assert_uint_eq(0, secret_len(NULL));
	secret_free(&a);
	secret_free(&b);
	secret_free(&c);
}
END_TEST


START_TEST(free_takes_null_and_clears_the_pointer)
{
	struct secret *s = numbered(1);

	secret_free(&s);
	ck_assert_ptr_null(s);
	secret_free(&s);
	secret_free(NULL);
	ck_assert_uint_eq(0, secret_count());
}
END_TEST


START_TEST(freed_bytes_are_wiped_before_the_slot_is_used_again)
{
	uint8_t bytes[SECRET_MAX];
	struct secret *s = NULL;
	const uint8_t *where;

	memset(bytes, 0xa5, sizeof(bytes));
	ck_assert_int_eq(0, secret_copy(&s, bytes, sizeof(bytes)));
	where = secret_bytes(s);
	secret_free(&s);

	/* the last slot freed is the first one taken */
	ck_assert_int_eq(0, secret_copy(&s, bytes, 1));
	ck_assert_ptr_eq(where, secret_bytes(s));
	for (size_t i = 1; i < SECRET_MAX; i++)
		ck_assert_uint_eq(0, secret_bytes(s)[i]);
	secret_free(&s);
}
END_TEST


START_TEST(ten_thousand_secrets_live_at_once)
{
	enum { N = 10000 };
	static struct secret *v[N];

	for (unsigned i = 0; i < N; i++)
		v[i] = numbered(i);
	ck_assert_uint_eq(N, secret_count());

	for (unsigned i = 0; i < N; i++) {
		unsigned n;

		memcpy(&n, secret_bytes(v[i]), sizeof(n));
		ck_assert_uint_eq(i, n);
		secret_free(&v[i]);
	}
	ck_assert_uint_eq(0, secret_count());
}
END_TEST


/* Lines of /proc/self/smaps about the mapping that holds p */
static bool vmflag_set(const void *p, const char *flag)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	bool here = false, found = false;
	char line[512];

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned long from, to;

		if (2 == sscanf(line, "%lx-%lx ", &from, &to))
			here = (unsigned long)p >= from &&
			       (unsigned long)p < to;
		else if (here && !strncmp(line, "VmFlags:", 8))
			found |= strstr(line, flag) != NULL;
	}
	fclose(f);

	return found;
}


START_TEST(arena_is_locked_not_dumped_and_wiped_on_fork)
{
	struct secret *s = numbered(1);
	struct rlimit rl;

	ck_assert_int_eq(0, getrlimit(RLIMIT_MEMLOCK, &rl));
	if (REAL_MLOCK && rl.rlim_cur >= 128 * 1024)
		ck_assert(vmflag_set(secret_bytes(s), " lo"));
	ck_assert(vmflag_set(secret_bytes(s), " dd"));
	ck_assert(vmflag_set(secret_bytes(s), " wf"));
	secret_free(&s);
}
END_TEST


START_TEST(forked_child_sees_no_secret_but_can_have_its_own)
{
	struct secret *s = numbered(0xffffffff), *t = NULL;
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (!pid) {
		int bad = secret_len(s) != 0;

		for (size_t i = 0; i < 30; i++)
			bad |= secret_bytes(s)[i];
		bad |= secret_draw(&t, 30) || secret_len(t) != 30;
		_exit(bad);
	}

	ck_assert_int_eq(pid, waitpid(pid, &status, 0));
	ck_assert(WIFEXITED(status) && !WEXITSTATUS(status));
	ck_assert_uint_eq(30, secret_len(s));
	secret_free(&s);
}
END_TEST


START_TEST(refused_mlock_is_one_warning_and_no_failure)
{
	const struct rlimit none = { 0, 0 };
	static struct secret *v[5000];
	unsigned lines = 0;
	char c;
	int fd[2];

	/* mlock() asks CAP_IPC_LOCK and the limit: give up both */
	ck_assert_int_eq(0, setrlimit(RLIMIT_MEMLOCK, &none));
	if (!geteuid() && setuid(65534))
		return;         /* a jail that does not let us: no test */
	ck_assert_int_eq(0, pipe(fd));
	ck_assert_int_eq(STDERR_FILENO, dup2(fd[1], STDERR_FILENO));

	for (unsigned i = 0; i < 5000; i++)
		v[i] = numbered(i);
	for (unsigned i = 0; i < 5000; i++)
		secret_free(&v[i]);

	close(STDERR_FILENO);
	close(fd[1]);
	while (read(fd[0], &c, 1) == 1)
		lines += c == '\n';
	ck_assert_uint_eq(1, lines);
}
END_TEST


START_TEST(kid_names_equal_keys_equally_and_is_no_plain_hash)
{
	/* SHA-256 of "abc" begins ba7816bf */
	struct secret *a = NULL, *b = NULL, *c = numbered(3);
	char ka[KID_STRLEN], kb[KID_STRLEN];

	ck_assert_int_eq(0, secret_copy(&a, (const uint8_t *)"abc", 3));
	ck_assert_int_eq(0, secret_copy(&b, (const uint8_t *)"abc", 3));
	ck_assert_str_eq(secret_kid(a, ka), secret_kid(b, kb));
	ck_assert_uint_eq(KID_LEN, strlen(ka));
	ck_assert_uint_eq(KID_LEN, strspn(ka, "0123456789abcdef"));
	ck_assert_str_ne(ka, secret_kid(c, kb));
	ck_assert_str_ne(ka, "ba7816bf");
	ck_assert_str_eq("-", secret_kid(NULL, ka));
	secret_free(&a);
	secret_free(&b);
	secret_free(&c);
}
END_TEST


START_TEST(second_add_of_a_key_is_refused_and_adds_nothing)
{
	struct secret *a = numbered(1), *same = numbered(1);

	ck_assert(!secret_seen(a));
	ck_assert_int_eq(0, secret_seen_add(a));
	ck_assert_int_eq(EALREADY, secret_seen_add(same));
	ck_assert(secret_seen(same));
	ck_assert_uint_eq(1, secret_seen_count());

	secret_seen_del(a);
	ck_assert(!secret_seen(same));
	ck_assert_uint_eq(0, secret_seen_count());
	secret_free(&a);
	secret_free(&same);
}
END_TEST


START_TEST(a_key_drawn_for_use_is_seen_until_it_is_freed)
{
	struct secret *s = NULL, *back;

	ck_assert_int_eq(0, secret_seen_draw(&s, 30));
	ck_assert_int_eq(0, secret_copy(&back, secret_bytes(s), secret_len(s)));
	ck_assert_int_eq(EALREADY, secret_seen_add(back));

	secret_seen_free(&s);
	ck_assert_ptr_null(s);
	ck_assert(!secret_seen(back));
	secret_seen_free(&s);
	ck_assert_uint_eq(0, secret_seen_count());
	secret_free(&back);
}
END_TEST

START_TEST(seen_set_takes_null_and_strangers)
{
	struct secret *a = numbered(1), *b = numbered(2);

	ck_assert_int_eq(EINVAL, secret_seen_add(NULL));
	ck_assert(!secret_seen(NULL));
	secret_seen_del(NULL);
	secret_seen_del(a);
	ck_assert_int_eq(0, secret_seen_add(a));
	secret_seen_del(b);
	secret_seen_del(NULL);
	ck_assert(!secret_seen(b));
	ck_assert(!secret_seen(NULL));
	ck_assert_uint_eq(1, secret_seen_count());
	secret_seen_del(a);
	secret_free(&a);
	secret_free(&b);
}
END_TEST


/* Against the simplest model there is: an array of flags */
START_TEST(seen_set_grows_and_forgets_like_a_set)
{
	enum { N = 3000, STEPS = 60000 };
	static struct secret *v[N];
	static bool in[N];
	size_t count = 0;
	uint32_t rnd = 1;

	for (unsigned i = 0; i < N; i++)
		v[i] = numbered(i);

	for (unsigned step = 0; step < STEPS; step++) {
		rnd = rnd * 1664525 + 1013904223;
		const unsigned i = (rnd >> 8) % N;

		/* adds prevail in the first half, removals in the second */
		if (((rnd >> 4) % 4 != 0) == (step < STEPS / 2)) {
			ck_assert_int_eq(in[i] ? EALREADY : 0,
					 secret_seen_add(v[i]));
			count += !in[i];
			in[i] = true;
		}
		else {
			secret_seen_del(v[i]);
			count -= in[i];
			in[i] = false;
		}
		ck_assert_uint_eq(count, secret_seen_count());
		if (step % 5000)
			continue;
		for (unsigned j = 0; j < N; j++)
			ck_assert_int_eq(in[j], secret_seen(v[j]));
	}

	for (unsigned i = 0; i < N; i++) {
		secret_seen_del(v[i]);
		secret_free(&v[i]);
	}
	ck_assert_uint_eq(0, secret_seen_count());
}
END_TEST


START_TEST(suites_have_the_lengths_of_their_documents)
{
	static const struct {
		const char *name;
		size_t keysalt, tag, rtcp_tag;
		bool aead, weak;
	} wantv[] = {
		{ "AES_CM_128_HMAC_SHA1_80", 30, 10, 10, false, false },
		{ "AES_CM_128_HMAC_SHA1_32", 30,  4, 10, false, true  },
		{ "AES_256_CM_HMAC_SHA1_80", 46, 10, 10, false, false },
		{ "AEAD_AES_128_GCM",        28, 16, 16, true,  false },
		{ "AEAD_AES_256_GCM",        44, 16, 16, true,  false },
	};

	for (size_t i = 0; i < sizeof(wantv) / sizeof(wantv[0]); i++) {
		const char *name = wantv[i].name;
		const struct suite *s = suite_by_name(name, strlen(name));

		ck_assert_ptr_nonnull(s);
		ck_assert_ptr_eq(s, suite_by_id(s->id));
		ck_assert_str_eq(name, s->name);
		ck_assert_uint_eq(wantv[i].keysalt, suite_keysalt_len(s));
		ck_assert_uint_eq(wantv[i].tag, s->tag_len);
		ck_assert_uint_eq(wantv[i].rtcp_tag, s->rtcp_tag_len);
		ck_assert_int_eq(wantv[i].aead, s->aead);
		ck_assert_int_eq(wantv[i].weak, s->weak);
		ck_assert_uint_le(suite_keysalt_len(s), SUITE_KEYSALT_MAX);
	}
	ck_assert_ptr_null(suite_by_id(SUITE_NONE));
	ck_assert_ptr_null(suite_by_id((enum suite_id)(SUITE_MAX + 1)));
	ck_assert_uint_eq(0, suite_keysalt_len(NULL));
}
END_TEST


START_TEST(suite_names_read_in_any_case_and_alias_but_not_in_part)
{
	const struct suite *s = suite_by_id(SUITE_AES_256_CM_HMAC_SHA1_80);

	ck_assert_ptr_eq(s, suite_by_name("aes_256_cm_hmac_sha1_80", 23));
	ck_assert_ptr_eq(s, suite_by_name("AES_CM_256_HMAC_SHA1_80", 23));
	ck_assert_ptr_null(suite_by_name("AES_CM_256_HMAC_SHA1_80", 22));
	ck_assert_ptr_null(suite_by_name("AES_CM_256_HMAC_SHA1_80x", 24));
	ck_assert_ptr_null(suite_by_name("F8_128_HMAC_SHA1_80", 19));
	ck_assert_ptr_null(suite_by_name("NULL_HMAC_SHA1_80", 17));
	ck_assert_ptr_null(suite_by_name("", 0));
	ck_assert_ptr_null(suite_by_name(NULL, 0));
}
END_TEST


int main(void)
{
	Suite *s = suite_create("secret");
	TCase *tc = tcase_create("secret");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, drawn_secrets_differ_and_have_their_length);
	tcase_add_test(tc, bad_lengths_are_refused_and_leave_the_output_alone);
	tcase_add_test(tc, equal_means_same_bytes_and_length_and_null_equals_nothing);
	tcase_add_test(tc, free_takes_null_and_clears_the_pointer);
	tcase_add_test(tc, freed_bytes_are_wiped_before_the_slot_is_used_again);
	tcase_add_test(tc, ten_thousand_secrets_live_at_once);
	tcase_add_test(tc, arena_is_locked_not_dumped_and_wiped_on_fork);
	tcase_add_test(tc, forked_child_sees_no_secret_but_can_have_its_own);
	if (REAL_MLOCK)
		tcase_add_test(tc, refused_mlock_is_one_warning_and_no_failure);
	tcase_add_test(tc, kid_names_equal_keys_equally_and_is_no_plain_hash);
	tcase_add_test(tc, second_add_of_a_key_is_refused_and_adds_nothing);
	tcase_add_test(tc, a_key_drawn_for_use_is_seen_until_it_is_freed);
	tcase_add_test(tc, seen_set_takes_null_and_strangers);
	tcase_add_test(tc, seen_set_grows_and_forgets_like_a_set);
	tcase_add_test(tc, suites_have_the_lengths_of_their_documents);
	tcase_add_test(tc, suite_names_read_in_any_case_and_alias_but_not_in_part);
	suite_add_tcase(s, tc);

	return check_run(s);
}
