/**
 * @file test_strangers.c  One source has so many unknown connections, no more
 */
#define _GNU_SOURCE 1
#include "config.h"
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "check_run.h"
#include "strangers.h"

enum { MAX = 4 };

static struct sockaddr_in addr;
static int ls;
static uint64_t now_ms = 1000;

#define ADMIT(fd) strangers_admit_at((fd), now_ms)


static void setup(void)
{
	socklen_t len = sizeof(addr);

	ls = socket(AF_INET, SOCK_STREAM, 0);
	addr.sin_family = AF_INET;
	addr.sin_addr.s_addr = htonl(INADDR_ANY);
	ck_assert_int_eq(bind(ls, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(ls, 64), 0);
	ck_assert_int_eq(getsockname(ls, (struct sockaddr *)&addr, &len), 0);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	strangers_limit(MAX);
}


/** A connection from an address; our end of it, and theirs */
static int connected(const char *from, int *theirs)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd;

	*theirs = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(inet_pton(AF_INET, from, &sin.sin_addr), 1);
	ck_assert_int_eq(bind(*theirs, (struct sockaddr *)&sin, sizeof(sin)), 0);
	ck_assert_int_eq(connect(*theirs, (struct sockaddr *)&addr, sizeof(addr)), 0);
	fd = accept(ls, NULL, NULL);
	ck_assert_int_ge(fd, 0);

	return fd;
}


static void fill(int *fdv, int *theirv)
{
	for (int i = 0; i < MAX; i++) {
		fdv[i] = connected("127.0.0.1", &theirv[i]);
		ck_assert(ADMIT(fdv[i]));
	}
	ck_assert_uint_eq(strangers_count(), MAX);
}


static bool is_shut(int theirs)
{
	char ch;

	return recv(theirs, &ch, 1, MSG_DONTWAIT) == 0;
}


START_TEST(one_too_many_of_a_source_is_refused_and_another_source_is_not)
{
	int fdv[MAX], theirv[MAX], theirs, fd;

	fill(fdv, theirv);
	fd = connected("127.0.0.1", &theirs);
	ck_assert(!ADMIT(fd));
	(void)close(fd);
	ck_assert(ADMIT(connected("127.0.0.2", &theirs)));
	for (int i = 0; i < MAX; i++)
		ck_assert(!is_shut(theirv[i]));
}
END_TEST


START_TEST(who_is_known_does_not_count)
{
	int fdv[MAX], theirv[MAX], theirs;

	fill(fdv, theirv);
	strangers_known(fdv[1]);
	ck_assert(ADMIT(connected("127.0.0.1", &theirs)));
	ck_assert(!ADMIT(connected("127.0.0.1", &theirs)));

	/* and is never shut, however long it is there */
	now_ms += 3600000;
	ck_assert(ADMIT(connected("127.0.0.1", &theirs)));
	ck_assert(!is_shut(theirv[1]));
	ck_assert(is_shut(theirv[0]));
}
END_TEST


START_TEST(one_that_had_time_enough_makes_room)
{
	int fdv[MAX], theirv[MAX], theirs;

	fill(fdv, theirv);
	now_ms += STRANGERS_PATIENCE_MS - 1;
	ck_assert(!ADMIT(connected("127.0.0.1", &theirs)));
	ck_assert(!strangers_evict_at(now_ms));
	++now_ms;
	ck_assert(ADMIT(connected("127.0.0.1", &theirs)));
	ck_assert(strangers_evict_at(now_ms));
	ck_assert_uint_eq(strangers_count(), MAX - 1);
	ck_assert(!is_shut(theirs));
}
END_TEST


START_TEST(what_was_closed_is_not_counted_whatever_its_descriptor_is_now)
{
	int fdv[MAX], theirv[MAX], theirs, fd;

	fill(fdv, theirv);
	fd = connected("127.0.0.2", &theirs);
	ck_assert_int_eq(dup2(fd, fdv[0]), fdv[0]);
	(void)close(fdv[2]);
	ck_assert_uint_eq(strangers_count(), MAX - 2);
	ck_assert(ADMIT(connected("127.0.0.1", &theirs)));
	ck_assert(ADMIT(connected("127.0.0.1", &theirs)));
	ck_assert(!ADMIT(connected("127.0.0.1", &theirs)));
}
END_TEST


START_TEST(without_a_limit_there_is_none_and_local_sockets_are_no_strangers)
{
	int theirs, sv[2];

	strangers_limit(0);
	for (int i = 0; i < 3 * MAX; i++)
		ck_assert(ADMIT(connected("127.0.0.1", &theirs)));

	strangers_limit(1);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	ck_assert(ADMIT(sv[0]));
	ck_assert(ADMIT(sv[1]));
	ck_assert(!ADMIT(-1));
	strangers_known(-1);
	strangers_known(100000);
}
END_TEST


int main(void)
{
	Suite *s = suite_create("strangers");
	TCase *tc = tcase_create("strangers");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, one_too_many_of_a_source_is_refused_and_another_source_is_not);
	tcase_add_test(tc, who_is_known_does_not_count);
	tcase_add_test(tc, one_that_had_time_enough_makes_room);
	tcase_add_test(tc, what_was_closed_is_not_counted_whatever_its_descriptor_is_now);
	tcase_add_test(tc, without_a_limit_there_is_none_and_local_sockets_are_no_strangers);
	suite_add_tcase(s, tc);

	return check_run(s);
}
