/**
 * @file test_log.c  One event, one line
 */
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "check_run.h"
#include "log.h"

static int pipefd[2];


/* Check runs every test in a child: its stderr is ours to take */
static void stderr_to_pipe(void)
{
	ck_assert_int_eq(0, pipe(pipefd));
	ck_assert_int_eq(STDERR_FILENO, dup2(pipefd[1], STDERR_FILENO));
	log_init("prog", false, LOG_LV_DEBUG);
}


/* What one log call wrote, whole */
static const char *written(void)
{
	static char buf[2 * PIPE_BUF];
	ssize_t n = read(pipefd[0], buf, sizeof(buf) - 1);

	ck_assert_int_gt(n, 0);
	buf[n] = '\0';

	return buf;
}


static void check_digits(const char *line, const char *shape)
{
	for (size_t i = 0; shape[i]; i++) {
		if (shape[i] == '9')
			ck_assert_msg(line[i] >= '0' && line[i] <= '9',
				      "no digit at %zu in %s", i, line);
		else
			ck_assert_int_eq(line[i], shape[i]);
	}
}


START_TEST(line_has_time_program_level_and_event)
{
	const char *line;

	log_info("ev=%s conf=%s", "join", "ad-7");
	line = written();
	check_digits(line, "9999-99-99T99:99:99.999Z ");
	ck_assert_str_eq(line + 25, "prog info ev=join conf=ad-7\n");
}
END_TEST


START_TEST(level_names_are_in_the_line)
{
	log_error("ev=a");
	ck_assert_ptr_nonnull(strstr(written(), " prog error ev=a\n"));
	log_warn("ev=b");
	ck_assert_ptr_nonnull(strstr(written(), " prog warn ev=b\n"));
	log_debug("ev=c");
	ck_assert_ptr_nonnull(strstr(written(), " prog debug ev=c\n"));
}
END_TEST


START_TEST(network_text_stays_on_its_line)
{
	log_info("ev=x ua=\"%s\"", "a\r\nev=forged\x1b[2J\x7f\xff\xc3\xa4\t");
	ck_assert_str_eq(written() + 25, "prog info ev=x ua=\"a\\x0d\\x0a"
			 "ev=forged\\x1b[2J\\x7f\\xff\\xc3\\xa4\\x09\"\n");
}
END_TEST


START_TEST(longest_line_is_not_marked)
{
	char text[2048];

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
	const char *line = written();
	ck_assert_uint_eq(strlen(line), 25 + strlen("prog info ") + 2047 + 1);
	ck_assert_ptr_null(strstr(line, "..."));
}
END_TEST


START_TEST(cut_text_is_marked)
{
	char text[2049];

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
	ck_assert_ptr_nonnull(strstr(written(), "aaa...\n"));
}
END_TEST


START_TEST(escaping_cannot_make_a_line_longer_than_one_write)
{
	char text[2000];
	const char *line;

	memset(text, 1, sizeof(text));
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
	line = written();
	ck_assert_uint_le(strlen(line), PIPE_BUF);
	ck_assert_uint_gt(strlen(line), PIPE_BUF - 10);
	ck_assert_str_eq(line + strlen(line) - 8, "\\x01...\n");
}
END_TEST


START_TEST(level_decides_what_is_written)
{
	log_set_level(LOG_LV_WARN);
	ck_assert_int_eq(LOG_LV_WARN, log_get_level());
	log_info("ev=hidden");
	log_debug("ev=hidden");
	log_warn("ev=shown");
	ck_assert_str_eq(written() + 25, "prog warn ev=shown\n");
}
END_TEST


START_TEST(errno_survives_a_log_line)
{
	errno = ETXTBSY;
	log_info("ev=x");
	ck_assert_int_eq(ETXTBSY, errno);
	close(STDERR_FILENO);
	log_info("ev=x");
	ck_assert_int_eq(ETXTBSY, errno);
}
END_TEST


START_TEST(level_names_parse_and_others_do_not)
{
	enum log_level lv;

	for (int i = LOG_LV_ERROR; i <= LOG_LV_DEBUG; i++) {
		const enum log_level want = (enum log_level)i;

		ck_assert_int_eq(0, log_level_parse(log_level_name(want),
						    &lv));
		ck_assert_int_eq(want, lv);
	}

	lv = LOG_LV_WARN;
	ck_assert_int_eq(EINVAL, log_level_parse("loud", &lv));
	ck_assert_int_eq(EINVAL, log_level_parse("", &lv));
	ck_assert_int_eq(EINVAL, log_level_parse(NULL, &lv));
	ck_assert_int_eq(LOG_LV_WARN, lv);
}
END_TEST


START_TEST(budget_is_ten_a_second_and_counts_what_is_left_out)
{
	struct log_limit ll = {0};
	unsigned dropped = 99;

	for (unsigned i = 0; i < 10; i++) {
		ck_assert(log_limit_ok_at(&ll, 5, &dropped));
		ck_assert_uint_eq(0, dropped);
	}
	for (unsigned i = 0; i < 7; i++)
		ck_assert(!log_limit_ok_at(&ll, 5, &dropped));

	ck_assert(log_limit_ok_at(&ll, 6, &dropped));
	ck_assert_uint_eq(7, dropped);
	ck_assert(log_limit_ok_at(&ll, 6, &dropped));
	ck_assert_uint_eq(0, dropped);
}
END_TEST


START_TEST(budget_holds_on_the_real_clock)
{
	struct log_limit ll = {0};
	unsigned dropped, ok = 0;

	/* the second may change while we ask: at most two budgets */
	for (unsigned i = 0; i < 100; i++)
		ok += log_limit_ok(&ll, &dropped);
	ck_assert_uint_ge(ok, 10);
	ck_assert_uint_le(ok, 20);
}
END_TEST


int main(void)
{
	Suite *s = suite_create("log");
	TCase *tc = tcase_create("log");

	tcase_add_checked_fixture(tc, stderr_to_pipe, NULL);
	tcase_add_test(tc, line_has_time_program_level_and_event);
	tcase_add_test(tc, level_names_are_in_the_line);
	tcase_add_test(tc, network_text_stays_on_its_line);
	tcase_add_test(tc, longest_line_is_not_marked);
	tcase_add_test(tc, cut_text_is_marked);
	tcase_add_test(tc, escaping_cannot_make_a_line_longer_than_one_write);
	tcase_add_test(tc, level_decides_what_is_written);
	tcase_add_test(tc, errno_survives_a_log_line);
	tcase_add_test(tc, level_names_parse_and_others_do_not);
	tcase_add_test(tc, budget_is_ten_a_second_and_counts_what_is_left_out);
	tcase_add_test(tc, budget_holds_on_the_real_clock);
	suite_add_tcase(s, tc);

	return check_run(s);
}
