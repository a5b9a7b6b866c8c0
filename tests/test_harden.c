/**
 * @file test_harden.c  Process hardening
 */
#include "config.h"
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check_run.h"
#include "harden.h"


START_TEST(no_core_no_new_privileges_no_sigpipe)
{
	struct rlimit rl;
	struct sigaction sa;

	ck_assert_int_eq(0, harden_process());

	ck_assert_int_eq(0, getrlimit(RLIMIT_CORE, &rl));
	ck_assert_uint_eq(0, rl.rlim_cur);
	ck_assert_uint_eq(0, rl.rlim_max);
	ck_assert_int_eq(1, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	ck_assert_int_eq(077, umask(0));
	ck_assert_int_eq(0, sigaction(SIGPIPE, NULL, &sa));
	ck_assert(sa.sa_handler == SIG_IGN);
}
END_TEST


#if !HAVE_SANITIZER
START_TEST(process_cannot_be_dumped_or_traced)
{
	ck_assert_int_eq(0, harden_process());
	ck_assert_int_eq(0, prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
}
END_TEST
#endif


START_TEST(debug_switches_are_gone_and_others_stay)
{
	static const char *const gonev[] = {
		"GST_DEBUG", "GST_DEBUG_FILE", "GST_DEBUG_DUMP_DOT_DIR",
		"GST_TRACERS", "G_MESSAGES_DEBUG", "SSLKEYLOGFILE",
		"OPENSSL_CONF", "MALLOC_TRACE",
	};
	static const char *const stayv[] = {
		"GST_PLUGIN_PATH", "GST_DEBU", "SSLKEYLOGFILES", "HOME",
		"G_MESSAGES_DEBUG_", "MALLOC_ARENA_MAX",
	};

	for (size_t i = 0; i < sizeof(gonev) / sizeof(gonev[0]); i++)
		ck_assert_int_eq(0, setenv(gonev[i], "x", 1));
	for (size_t i = 0; i < sizeof(stayv) / sizeof(stayv[0]); i++)
		ck_assert_int_eq(0, setenv(stayv[i], "x", 1));

	ck_assert_int_eq(0, harden_process());

	for (size_t i = 0; i < sizeof(gonev) / sizeof(gonev[0]); i++)
		ck_assert_msg(!getenv(gonev[i]), "%s is still there",
			      gonev[i]);
	for (size_t i = 0; i < sizeof(stayv) / sizeof(stayv[0]); i++)
		ck_assert_msg(getenv(stayv[i]) != NULL, "%s is gone",
			      stayv[i]);
}
END_TEST


START_TEST(empty_environment_is_fine)
{
	ck_assert_int_eq(0, clearenv());
	ck_assert_int_eq(0, harden_process());
}
END_TEST


int main(void)
{
	Suite *s = suite_create("harden");
	TCase *tc = tcase_create("harden");

	tcase_add_test(tc, no_core_no_new_privileges_no_sigpipe);
#if !HAVE_SANITIZER
	tcase_add_test(tc, process_cannot_be_dumped_or_traced);
#endif
	tcase_add_test(tc, debug_switches_are_gone_and_others_stay);
	tcase_add_test(tc, empty_environment_is_fine);
	suite_add_tcase(s, tc);

	return check_run(s);
}
