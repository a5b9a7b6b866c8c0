/**
 * @file test_sandbox.c  A process that is up can do what it must, and no more
 */
#include "config.h"
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "check_run.h"
#include "sandbox.h"


/** Each test is a process of its own; false: not in this build, not here */
static bool entered(bool use_syslog)
{
	const int err = sandbox_enter(use_syslog);

	ck_assert(err == 0 || err == ENOSYS);

	return err == 0;
}


START_TEST(no_program_is_started_and_no_process_looked_into)
{
	char *const argv[] = { NULL };

	if (!entered(false))
		return;
	ck_assert_int_eq(execve("/bin/true", argv, argv), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq((int)ptrace(PTRACE_TRACEME, 0, NULL, NULL), -1);
	ck_assert_int_eq(errno, EPERM);
}
END_TEST


START_TEST(nothing_is_connected_and_nobody_taken)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int udp, tcp = socket(AF_INET, SOCK_STREAM, 0);

	if (!entered(false))
		return;
	ck_assert_int_eq(socket(AF_INET, SOCK_STREAM, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, 0), -1);
	ck_assert_int_eq(socket(AF_UNIX, SOCK_DGRAM, 0), -1);
	ck_assert_int_eq(socket(AF_NETLINK, SOCK_DGRAM, 0), -1);
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_ge(udp, 0);
	ck_assert_int_eq(connect(udp, (struct sockaddr *)&sin, sizeof(sin)), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(listen(tcp, 1), -1);
	ck_assert_int_eq(errno, EPERM);
}
END_TEST


START_TEST(files_are_read_and_never_written)
{
	char buf[8];
	int fd;

	if (!entered(false))
		return;
	ck_assert_int_eq(open("/tmp/sandbox.test", O_WRONLY | O_CREAT, 0600), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(open("/dev/null", O_RDWR), -1);
	ck_assert_int_eq(mkdir("/tmp/sandbox.test", 0700), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(unlink("/tmp/sandbox.test"), -1);
	ck_assert_int_eq(errno, EPERM);
	fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_gt((int)read(fd, buf, sizeof(buf)), 0);
	ck_assert_int_eq(close(fd), 0);
}
END_TEST


static void *thread(void *arg)
{
	*(int *)arg = 1;

	return NULL;
}


static void send_to_itself(int family)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} u = { .sa.sa_family = (sa_family_t)family };
	socklen_t len = sizeof(u);
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	char ch = 'x';

	ck_assert_int_ge(fd, 0);
	if (family == AF_INET)
		u.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		u.in6.sin6_addr = in6addr_loopback;
	if (bind(fd, &u.sa, sizeof(u)))
		return;         /* no IPv6 here */
	ck_assert_int_eq(getsockname(fd, &u.sa, &len), 0);
	ck_assert_int_eq((int)sendto(fd, &ch, 1, 0, &u.sa, len), 1);
	ck_assert_int_eq((int)recv(fd, &ch, 1, 0), 1);
}


START_TEST(packets_memory_and_threads_go_on_as_before)
{
	pthread_t t;
	int ran = 0;
	void *p;

	if (!entered(false))
		return;
	send_to_itself(AF_INET);
	send_to_itself(AF_INET6);
	p = malloc(64 << 20);
	ck_assert_ptr_nonnull(p);
	memset(p, 1, 64 << 20);
	free(p);
	ck_assert_int_eq(pthread_create(&t, NULL, thread, &ran), 0);
	ck_assert_int_eq(pthread_join(t, NULL), 0);
	ck_assert_int_eq(ran, 1);
}
END_TEST


START_TEST(the_way_to_the_logger_stays_open_if_it_is_asked_for)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX, .sun_path = "/nonexistent" };
	int fd;

	if (!entered(true))
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(socket(AF_INET, SOCK_STREAM, 0), -1);
	ck_assert_int_eq(errno, EPERM);
}
END_TEST


int main(void)
{
	Suite *s = suite_create("sandbox");
	TCase *tc = tcase_create("sandbox");

	tcase_add_test(tc, no_program_is_started_and_no_process_looked_into);
	tcase_add_test(tc, nothing_is_connected_and_nobody_taken);
	tcase_add_test(tc, files_are_read_and_never_written);
	tcase_add_test(tc, packets_memory_and_threads_go_on_as_before);
	tcase_add_test(tc, the_way_to_the_logger_stays_open_if_it_is_asked_for);
	suite_add_tcase(s, tc);

	return check_run(s);
}
