/**
 * @file test_procstat.c  What the kernel says of this process
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "check_run.h"
#include "procstat.h"

static struct procstat ps;

static void setup(void)
{
	procstat_open(&ps);
}

static void teardown(void)
{
	procstat_close(&ps);
}

START_TEST(resident_size_grows_with_what_is_touched)
{
	const size_t size = 64 << 20;
	const uint64_t before = procstat_rss_kib(&ps);
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	ck_assert_uint_gt(before, 0);
	memset(p, 1, size);
	ck_assert_uint_ge(procstat_rss_kib(&ps), before + (size >> 10) - 1024);
	(void)munmap(p, size);
}
END_TEST

START_TEST(descriptors_are_counted_again_each_time)
{
	const unsigned before = procstat_fds(&ps);
	int fd[2];

	ck_assert_int_eq(0, pipe(fd));
	ck_assert_uint_eq(before + 2, procstat_fds(&ps));
	(void)close(fd[0]);
	(void)close(fd[1]);
	ck_assert_uint_eq(before, procstat_fds(&ps));
}
END_TEST

START_TEST(its_own_descriptors_do_not_count)
{
	struct procstat other;

	procstat_open(&other);
	ck_assert_uint_eq(procstat_fds(&ps), procstat_fds(&other));
	procstat_close(&other);
	ck_assert_uint_eq(0, procstat_rss_kib(&other));
	ck_assert_uint_eq(0, procstat_fds(&other));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("procstat");
	TCase *tc = tcase_create("procstat");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, resident_size_grows_with_what_is_touched);
	tcase_add_test(tc, descriptors_are_counted_again_each_time);
	tcase_add_test(tc, its_own_descriptors_do_not_count);
	suite_add_tcase(s, tc);

	return check_run(s);
}
