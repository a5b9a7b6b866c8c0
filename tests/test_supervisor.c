/**
 * @file test_supervisor.c  What the service manager is told
 */
#define _GNU_SOURCE 1
#include <check.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "check_run.h"
#include "supervisor.h"

static char name[80];
static int fd;


/** A manager that listens at a path, or at a name in the abstract namespace */
static void manager(char first)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t len;

	(void)snprintf(name, sizeof(name), "%c%sconclave-test.%ld", first,
		       first == '/' ? "tmp/" : "", (long)getpid());
	len = strlen(name);
	memcpy(un.sun_path, name, len);
	if (first == '@')
		un.sun_path[0] = '\0';

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(0, bind(fd, (const struct sockaddr *)&un,
				 (socklen_t)(offsetof(struct sockaddr_un,
						      sun_path) + len)));
	ck_assert_int_eq(0, setenv("NOTIFY_SOCKET", name, 1));
}


static void told(const char *state)
{
	char buf[64];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, 0);

	ck_assert_int_gt(n, 0);
	buf[n] = '\0';
	ck_assert_str_eq(buf, state);
}


START_TEST(manager_at_a_path_is_told)
{
	manager('/');
	ck_assert_int_eq(0, supervisor_tell("READY=1"));
	told("READY=1");
	ck_assert_int_eq(0, supervisor_tell("STOPPING=1"));
	told("STOPPING=1");
	(void)close(fd);
	(void)unlink(name);
}
END_TEST


START_TEST(manager_at_an_abstract_name_is_told)
{
	manager('@');
	ck_assert_int_eq(0, supervisor_tell("READY=1"));
	told("READY=1");
	(void)close(fd);
}
END_TEST


START_TEST(nobody_asked_nothing_is_sent)
{
	ck_assert_int_eq(0, unsetenv("NOTIFY_SOCKET"));
	ck_assert_int_eq(0, supervisor_tell("READY=1"));
}
END_TEST


START_TEST(address_that_is_none_is_an_error)
{
	static const char *const badv[] = { "", "/", "@", "relative", NULL };
	char deep[200];

	for (size_t i = 0; badv[i]; i++) {
		(void)setenv("NOTIFY_SOCKET", badv[i], 1);
		ck_assert_int_eq(EINVAL, supervisor_tell("READY=1"));
	}

	memset(deep, 'a', sizeof(deep) - 1);
	deep[0] = '/';
	deep[sizeof(deep) - 1] = '\0';
	(void)setenv("NOTIFY_SOCKET", deep, 1);
	ck_assert_int_eq(EINVAL, supervisor_tell("READY=1"));

	(void)setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
	ck_assert_int_eq(ENOENT, supervisor_tell("READY=1"));
}
END_TEST


int main(void)
{
	Suite *s = suite_create("supervisor");
	TCase *tc = tcase_create("supervisor");

	tcase_add_test(tc, manager_at_a_path_is_told);
	tcase_add_test(tc, manager_at_an_abstract_name_is_told);
	tcase_add_test(tc, nobody_asked_nothing_is_sent);
	tcase_add_test(tc, address_that_is_none_is_an_error);
	suite_add_tcase(s, tc);

	return check_run(s);
}
