/**
 * @file test_conclavectl.c  The operator's tool against a control socket
 *
 * The real program is run; this process answers with replies that were
 * written down.  The loop ends when the program has closed its output.
 */
#include "re_compat.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <check.h>
#include "check_run.h"
#include "focus/ctlsock.h"

enum { WATCHDOG_MS = 20000, EXEC_FAILED = 99 };

static char dir[64], path[108], bin[512];
static struct ctlsock *cs;
static char *request;           /* the last one, as JSON                      */
static const char *reply;       /* fields of the next reply; NULL: an error   */

static char out[65536], errout[65536];
static int status;

static struct tmr tmr_gone;

static void gone_h(void *arg)
{
	(void)arg;
	cs = mem_deref(cs);
}

/* Two changes; one turn of the loop sends them before the server goes */
static void changes_h(void *arg)
{
	(void)arg;
	ctlsock_publish(cs, "x", json_pack("{s:s, s:s}", "ev", "join", "who", "\xc3\xa4\x1b"));
	ctlsock_publish(cs, "x", json_pack("{s:s}", "ev", "leave"));
	tmr_start(&tmr_gone, 1, gone_h, NULL);
}

static int answer(json_t *args, json_t **resp, void *arg)
{
	json_error_t jerr;

	(void)arg;
	free(request);
	request = json_dumps(args, JSON_COMPACT);
	if (!reply) {
		*resp = json_string("no such conference");
		return ENOENT;
	}
	*resp = json_loads(reply, 0, &jerr);
	ck_assert_msg(*resp != NULL, "%s", jerr.text);

	return 0;
}

static int watch(json_t *args, json_t **resp, void *arg)
{
	const int err = answer(args, resp, arg);

	if (err)
		return err;
	ck_assert_int_eq(ctlsock_stream(cs, NULL), 0);
	tmr_start(&tmr_gone, 0, changes_h, NULL);

	return 0;
}

static const struct ctl_cmd cmdv[] = {
	{ "watch", watch,  "" },
	{ "list",  answer, "" },
	{ "show",  answer, "" },
	{ "floor", answer, "" },
	{ "kick",  answer, "" },
	{ "mute",  answer, "" },
	{ "unmute", answer, "" },
	{ "role",  answer, "" },
	{ "end",   answer, "" },
	{ "registrations", answer, "" },
	{ "stats", answer, "" },
	{ "log",   answer, "" },
};

static void setup(void)
{
	const char *builddir = getenv("CONCLAVE_BUILDDIR");

	ck_assert_int_eq(libre_init(), 0);
	(void)snprintf(bin, sizeof(bin), "%s/conclavectl", builddir ? builddir : ".");
	(void)snprintf(dir, sizeof(dir), "/tmp/test_conclavectl.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/ctl", dir);
	ck_assert_int_eq(ctlsock_alloc(&cs, path, cmdv, ARRAY_SIZE(cmdv), NULL), 0);
	ck_assert_int_eq(setenv("CONCLAVE_SOCKET", path, 1), 0);
	reply = "{}";
}

static void teardown(void)
{
	cs = mem_deref(cs);
	free(request);
	request = NULL;
	(void)rmdir(dir);
	libre_close();
}

static void closed_h(int flags, void *arg)
{
	char c;

	(void)flags;
	if (read(*(int *)arg, &c, 1) == 0)
		re_cancel();
}

static void watchdog_h(void *arg)
{
	*(bool *)arg = true;
	re_cancel();
}

static void slurp(int fd, char *buf, size_t size)
{
	const ssize_t n = pread(fd, buf, size - 1, 0);

	ck_assert_int_ge(n, 0);
	buf[n] = '\0';
	(void)close(fd);
}

/* Run conclavectl with these words */
static void run(const char *const wordv[])
{
	const int ofd = open(dir, O_TMPFILE | O_RDWR, 0600), efd = open(dir, O_TMPFILE | O_RDWR, 0600);
	const char *argv[8] = { bin };
	bool late = false;
	struct tmr tmr;
	int alive[2];
	pid_t pid;

	for (size_t i = 0; wordv[i]; i++)
		argv[i + 1] = wordv[i];
	ck_assert_int_eq(pipe(alive), 0);

	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		/* The pipe's end stays open as long as the program runs */
		(void)close(alive[0]);
		(void)dup2(ofd, STDOUT_FILENO);
		(void)dup2(efd, STDERR_FILENO);
		(void)execv(bin, (char *const *)(uintptr_t)argv);
		_exit(EXEC_FAILED);
	}
	(void)close(alive[1]);

	tmr_init(&tmr);
	tmr_start(&tmr, WATCHDOG_MS, watchdog_h, &late);
	ck_assert_int_eq(fd_listen(alive[0], FD_READ, closed_h, &alive[0]), 0);
	ck_assert_int_eq(re_main(NULL), 0);
	fd_close(alive[0]);
	(void)close(alive[0]);
	tmr_cancel(&tmr);
	ck_assert_msg(!late, "conclavectl did not end");

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	status = WEXITSTATUS(status);
	ck_assert_msg(status != EXEC_FAILED, "cannot run %s", bin);
	slurp(ofd, out, sizeof(out));
	slurp(efd, errout, sizeof(errout));
}

#define RUN(...) run((const char *const[]){ __VA_ARGS__, NULL })

START_TEST(list_is_a_table_with_aligned_columns)
{
	reply = "{\"conferences\":["
		"{\"conf\":\"ad-1\",\"uri\":\"sip:a@h\",\"title\":\"adhoc\",\"owner\":\"sip:alice@h\","
		"\"participants\":3,\"keying\":\"endpoint\",\"age_s\":12},"
		"{\"conf\":\"room-lobby\",\"uri\":\"sip:b@h\",\"title\":\"rooms\",\"owner\":\"\","
		"\"participants\":12,\"keying\":\"group\",\"age_s\":3723}]}";
	RUN("list");
	ck_assert_int_eq(status, 0);
	ck_assert_str_eq(out,
		"CONF        TITLE  OWNER        PARTICIPANTS  KEYING        AGE  URI\n"
		"ad-1        adhoc  sip:alice@h             3  endpoint  0:00:12  sip:a@h\n"
		"room-lobby  rooms  -                      12  group     1:02:03  sip:b@h\n");
	ck_assert_str_eq(request, "{\"cmd\":\"list\"}");

	reply = "{\"conferences\":[]}";
	RUN("list");
	ck_assert_str_eq(out, "no conferences\n");
}
END_TEST

START_TEST(show_has_a_line_for_each_leg)
{
	reply = "{\"conf\":\"ad-1\",\"uri\":\"sip:a@h\",\"owner\":\"sip:alice@h\",\"keying\":\"group\",\"mixer\":0,"
		"\"participants\":[{\"part\":1,\"identity\":\"sip:alice@h\",\"role\":\"owner\",\"legs\":["
		"{\"leg\":5,\"state\":\"connected\",\"codec\":\"opus\",\"suite\":\"AEAD_AES_256_GCM\","
		"\"keying\":\"group\",\"epoch\":2,\"key_age_s\":7,\"mki\":true,\"remote\":\"127.0.0.1:4000\",\"rx_packets\":100,\"rx_lost\":1,"
		"\"auth_failed\":0,\"tx_packets\":99,\"jitter_ms\":2,\"level_dbov\":-20,\"speaking\":true,\"muted\":true,"
		"\"age_s\":61,\"user_agent\":\"phone\"}]},"
		"{\"part\":2,\"identity\":\"sip:bob@h\",\"shown_as\":\"sip:anon@x\",\"role\":\"member\",\"legs\":[]}]}";
	RUN("show", "ad-1");
	ck_assert_int_eq(status, 0);
	ck_assert_str_eq(request, "{\"cmd\":\"show\",\"conf\":\"ad-1\"}");
	ck_assert_ptr_nonnull(strstr(out, "keying      group\n"));
	ck_assert_ptr_nonnull(strstr(out,
		"   1  sip:alice@h  owner     5  connected  group       2  0:00:07  yes  AEAD_AES_256_GCM  opus   0:01:01  -           phone\n"));
	ck_assert_ptr_nonnull(strstr(out,
		"   2  sip:bob@h    member    -  -          -           -        -  -    -                 -            -  sip:anon@x  -\n"));
	ck_assert_ptr_nonnull(strstr(out,
		"  5  127.0.0.1:4000       100     1         0    99          2         -20  yes     -      yes\n"));
}
END_TEST

START_TEST(role_and_mute_may_be_asked_as_a_participant)
{
	reply = "{}";
	RUN("mute", "ad-1", "sip:bob@h");
	ck_assert_str_eq(request, "{\"cmd\":\"mute\",\"conf\":\"ad-1\",\"part\":\"sip:bob@h\"}");
	RUN("--as", "sip:alice@h", "unmute", "ad-1", "2");
	ck_assert_str_eq(request, "{\"cmd\":\"unmute\",\"conf\":\"ad-1\",\"part\":2,\"as\":\"sip:alice@h\"}");
	RUN("role", "ad-1", "2", "chair");
	ck_assert_str_eq(request, "{\"cmd\":\"role\",\"conf\":\"ad-1\",\"part\":2,\"role\":\"chair\"}");

	/* without it the operator would have asked */
	free(request);
	request = NULL;
	RUN("--as", "\xff", "end", "ad-1");
	ck_assert_int_eq(status, 2);
	ck_assert_ptr_null(request);
	RUN("role", "ad-1", "2");
	ck_assert_int_eq(status, 2);
}
END_TEST

START_TEST(floor_shows_requests_and_users)
{
	reply = "{\"floor\":1,\"policy\":\"chaired\",\"confid\":7,\"requests\":["
		"{\"request\":3,\"user\":2,\"status\":\"Accepted\",\"position\":1,\"priority\":2,\"info\":null}],"
		"\"users\":[{\"user\":2,\"part\":1,\"identity\":\"sip:bob@h\",\"chair\":false,"
		"\"holds\":false,\"muted\":true,\"bfcp\":true}]}";
	RUN("floor", "ad-1");
	ck_assert_int_eq(status, 0);
	ck_assert_str_eq(request, "{\"cmd\":\"floor\",\"conf\":\"ad-1\"}");
	ck_assert_ptr_nonnull(strstr(out,
		"      3  Accepted         1         2     2  sip:bob@h  -\n"));
	ck_assert_ptr_nonnull(strstr(out,
		"   2     1  sip:bob@h  -      yes   -      yes\n"));

	reply = "{}";
	RUN("floor", "ad-1", "grant", "1");
	ck_assert_int_eq(status, 0);
	ck_assert_str_eq(request,
		"{\"cmd\":\"floor\",\"conf\":\"ad-1\",\"action\":\"grant\",\"part\":1}");
	ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(registrations_name_user_and_connection)
{
	reply = "{\"registrar\":true,\"contacts\":1,\"registrations\":["
		"{\"user\":\"sip:alice@h\",\"contact\":\"sip:alice-0x1@10.0.0.1;transport=tls\","
		"\"connection\":\"10.0.0.1:4242\",\"expires_s\":61,\"outbound\":true,\"user_agent\":\"phone\"}]}";
	RUN("registrations");
	ck_assert_int_eq(status, 0);
	ck_assert_str_eq(request, "{\"cmd\":\"registrations\"}");
	ck_assert_str_eq(out,
		"USER         EXPIRES  CONNECTION     OUTBOUND  CONTACT                               USER-AGENT\n"
		"sip:alice@h  0:01:01  10.0.0.1:4242  yes       sip:alice-0x1@10.0.0.1;transport=tls  phone\n");

	reply = "{\"registrar\":true,\"registrations\":[]}";
	RUN("registrations");
	ck_assert_str_eq(out, "no registrations\n");
	reply = "{\"registrar\":false,\"registrations\":[]}";
	RUN("registrations");
	ck_assert_str_eq(out, "the registrar is off\n");
}
END_TEST

START_TEST(stats_show_server_refusals_and_mixers)
{
	reply = "{\"uptime_s\":7,\"conferences\":1,\"calls\":2,\"calls_total\":3,\"refused_total\":{\"401\":4,\"403\":5},"
		"\"connections\":6,\"strangers\":5,\"no_descriptor_total\":11,\"rss_kib\":7000,\"fds\":20,\"secrets\":8,"
		"\"mixers\":[{\"index\":0,\"pid\":77,\"confs\":1,\"legs\":2,\"ports\":4,\"classes\":3,\"group_keys\":2,\"timers\":9,\"heap\":12345,\"rss_kib\":900,\"cpu_us\":5,"
		"\"fds\":9,\"restarts\":0}]}";
	RUN("stats");
	ck_assert_int_eq(status, 0);
	ck_assert_ptr_nonnull(strstr(out, "calls total    3\n"));
	ck_assert_ptr_nonnull(strstr(out, "strangers      5\nno descriptor  11\n"));
	ck_assert_ptr_nonnull(strstr(out, "    401      4\n    403      5\n"));
	ck_assert_ptr_nonnull(strstr(out, "    0   77            1     2      4        3           2       9         900  12345       5            9        -         0\n"));
}
END_TEST

START_TEST(what_a_terminal_could_obey_is_not_printed)
{
	reply = "{\"conferences\":[{\"conf\":\"a\\u001b[2J\\u009b\\nb\"}]}";
	RUN("list");
	ck_assert_ptr_null(strchr(out, '\x1b'));
	ck_assert_ptr_null(strchr(out, '\xc2'));
	ck_assert_ptr_nonnull(strstr(out, "a\\x1b[2J\\xc2\\x9b\\x0ab"));

	RUN("--json", "list");
	ck_assert_ptr_null(strchr(out, '\x1b'));
	ck_assert_ptr_null(strchr(out, '\xc2'));
}
END_TEST

START_TEST(json_is_the_whole_reply_on_one_line)
{
	reply = "{\"conferences\":[],\"new\":1}";
	RUN("--json", "list");
	ck_assert_int_eq(status, 0);
	ck_assert_str_eq(out, "{\"ok\":true,\"conferences\":[],\"new\":1}\n");

	reply = NULL;
	RUN("show", "x", "-j");
	ck_assert_int_eq(status, 1);
	ck_assert_str_eq(out, "{\"ok\":false,\"error\":\"no such conference\"}\n");
}
END_TEST

START_TEST(orders_carry_their_arguments)
{
	RUN("kick", "ad-1", "2");
	ck_assert_int_eq(status, 0);
	ck_assert_str_eq(out, "");
	ck_assert_str_eq(request, "{\"cmd\":\"kick\",\"conf\":\"ad-1\",\"part\":2}");
	RUN("kick", "ad-1", "sip:bob@h");
	ck_assert_str_eq(request, "{\"cmd\":\"kick\",\"conf\":\"ad-1\",\"part\":\"sip:bob@h\"}");
	RUN("end", "17");
	ck_assert_str_eq(request, "{\"cmd\":\"end\",\"conf\":\"17\"}");
	RUN("log", "debug");
	ck_assert_str_eq(request, "{\"cmd\":\"log\",\"level\":\"debug\"}");
}
END_TEST

START_TEST(a_refusal_is_exit_status_1_with_its_reason)
{
	reply = NULL;
	RUN("end", "nothing");
	ck_assert_int_eq(status, 1);
	ck_assert_str_eq(out, "");
	ck_assert_str_eq(errout, "conclavectl: end: no such conference\n");
}
END_TEST

START_TEST(wrong_words_are_exit_status_2_and_ask_nobody)
{
	RUN("shove", "ad-1");
	ck_assert_int_eq(status, 2);
	RUN("show");
	ck_assert_int_eq(status, 2);
	RUN("show", "a", "b");
	ck_assert_int_eq(status, 2);
	RUN("kick", "a");
	ck_assert_int_eq(status, 2);
	RUN("show", "\xff");
	ck_assert_int_eq(status, 2);
	RUN("--nonsense", "list");
	ck_assert_int_eq(status, 2);
	RUN("--json");
	ck_assert_int_eq(status, 2);
	ck_assert_ptr_null(request);
}
END_TEST

START_TEST(watch_prints_changes_until_the_server_goes)
{
	RUN("watch", "ad-1");
	ck_assert_str_eq(request, "{\"cmd\":\"watch\",\"conf\":\"ad-1\"}");
	ck_assert_str_eq(out, "{\"ev\":\"join\",\"who\":\"\\u00E4\\u001B\"}\n{\"ev\":\"leave\"}\n");
	ck_assert_int_eq(status, 3);
}
END_TEST

START_TEST(watch_may_be_refused)
{
	reply = NULL;
	RUN("watch");
	ck_assert_str_eq(request, "{\"cmd\":\"watch\"}");
	ck_assert_str_eq(out, "");
	ck_assert_str_eq(errout, "conclavectl: watch: no such conference\n");
	ck_assert_int_eq(status, 1);
}
END_TEST

START_TEST(help_needs_no_server)
{
	cs = mem_deref(cs);
	RUN("help");
	ck_assert_int_eq(status, 0);
	for (size_t i = 0; i < ARRAY_SIZE(cmdv); i++)
		ck_assert_ptr_nonnull(strstr(out, cmdv[i].name));
}
END_TEST

START_TEST(no_server_is_exit_status_3)
{
	RUN("-s", "/nonexistent/ctl", "list");
	ck_assert_int_eq(status, 3);
	ck_assert_ptr_nonnull(strstr(errout, "/nonexistent/ctl: No such file or directory"));
	cs = mem_deref(cs);
	RUN("list");
	ck_assert_int_eq(status, 3);
}
END_TEST

START_TEST(the_socket_option_wins_over_the_environment)
{
	ck_assert_int_eq(setenv("CONCLAVE_SOCKET", "/nonexistent/ctl", 1), 0);
	RUN("list");
	ck_assert_int_eq(status, 3);
	RUN("-s", path, "list");
	ck_assert_int_eq(status, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("conclavectl");
	TCase *tc = tcase_create("conclavectl");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, list_is_a_table_with_aligned_columns);
	tcase_add_test(tc, show_has_a_line_for_each_leg);
	tcase_add_test(tc, role_and_mute_may_be_asked_as_a_participant);
	tcase_add_test(tc, floor_shows_requests_and_users);
	tcase_add_test(tc, registrations_name_user_and_connection);
	tcase_add_test(tc, stats_show_server_refusals_and_mixers);
	tcase_add_test(tc, what_a_terminal_could_obey_is_not_printed);
	tcase_add_test(tc, json_is_the_whole_reply_on_one_line);
	tcase_add_test(tc, orders_carry_their_arguments);
	tcase_add_test(tc, a_refusal_is_exit_status_1_with_its_reason);
	tcase_add_test(tc, wrong_words_are_exit_status_2_and_ask_nobody);
	tcase_add_test(tc, watch_prints_changes_until_the_server_goes);
	tcase_add_test(tc, watch_may_be_refused);
	tcase_add_test(tc, help_needs_no_server);
	tcase_add_test(tc, no_server_is_exit_status_3);
	tcase_add_test(tc, the_socket_option_wins_over_the_environment);
	suite_add_tcase(s, tc);

	return check_run(s);
}
