/**
 * @file test_fdspare.c  Out of descriptors, connections are refused
 */
#define _GNU_SOURCE 1
#include "config.h"
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "check_run.h"
#include "fdspare.h"

static struct sockaddr_in addr;


static int listener(void)
{
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	addr.sin_family = AF_INET;
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);

	return fd;
}


static int client(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);

	return fd;
}


START_TEST(out_of_descriptors_the_queue_empties_and_the_next_is_served)
{
	int ls = listener(), c1 = client(), c2 = client(), c3, used[64], n = 0;
	char ch;

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 64, 64 }), 0);
	ck_assert_int_eq(fdspare_open(1000), 0);
	while (n < 64 && (used[n] = open("/dev/null", O_RDONLY)) >= 0)
		++n;

	ck_assert_int_eq(accept(ls, NULL, NULL), -1);
	ck_assert_int_eq(errno, EMFILE);
	ck_assert_int_eq(accept(ls, NULL, NULL), -1);
	ck_assert_int_eq(errno, EMFILE);
	ck_assert_uint_eq(fdspare_refused(), 2);
	/* nothing waits any more: the loop would not be told again */
	ck_assert_int_eq(accept(ls, NULL, NULL), -1);
	ck_assert_uint_eq(fdspare_refused(), 2);
	ck_assert_int_eq(recv(c1, &ch, 1, 0), 0);
	ck_assert_int_eq(recv(c2, &ch, 1, 0), 0);

	(void)close(used[--n]);
	(void)close(used[--n]);
	c3 = client();
	ck_assert_int_ge(accept(ls, NULL, NULL), 0);
	ck_assert_uint_eq(fdspare_refused(), 2);
	(void)close(c3);
}
END_TEST


START_TEST(soft_limit_rises_to_what_is_allowed)
{
	struct rlimit rl = { 64, 128 };

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &rl), 0);
	ck_assert_int_eq(fdspare_open(100), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &rl), 0);
	ck_assert_uint_eq(rl.rlim_cur, 100);
	ck_assert_int_eq(fdspare_open(65536), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &rl), 0);
	ck_assert_uint_eq(rl.rlim_cur, 128);
	/* one that is higher already stays */
	ck_assert_int_eq(fdspare_open(10), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &rl), 0);
	ck_assert_uint_eq(rl.rlim_cur, 128);
}
END_TEST


int main(void)
{
	Suite *s = suite_create("fdspare");
	TCase *tc = tcase_create("fdspare");

	tcase_add_test(tc, out_of_descriptors_the_queue_empties_and_the_next_is_served);
	tcase_add_test(tc, soft_limit_rises_to_what_is_allowed);
	suite_add_tcase(s, tc);

	return check_run(s);
}
