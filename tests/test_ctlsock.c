/**
 * @file test_ctlsock.c  Control socket: requests, replies, bounds, strangers
 *
 * Server and clients share one libre loop; a test runs it until the lines it
 * waits for have come or a watchdog ends it.
 */
#include "re_compat.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <check.h>
#include "check_run.h"
#include "ctlpath.h"
#include "focus/ctlsock.h"

enum { WATCHDOG_MS = 10000, REPLY_MAX = 1 << 20 };

struct client {
	int fd;
	char *buf;              /* what has come, zero-terminated             */
	size_t len;
	unsigned lines;
	unsigned want;          /* stop the loop at so many lines             */
	bool closed;
	bool want_close;        /* stop the loop when the server closes       */
	const char *out;        /* still to send                              */
	size_t out_len;
};

static char dir[64], path[108];
static struct ctlsock *cs;
static struct ctl_req *pending;
static unsigned calls;

static int cmd_echo(json_t *args, json_t **resp, void *arg)
{
	(void)arg;
	calls++;
	*resp = json_pack("{s:O}", "you", json_object_get(args, "text"));
	return 0;
}

static int cmd_empty(json_t *args, json_t **resp, void *arg)
{
	(void)args;
	(void)resp;
	ck_assert_str_eq(arg, "the argument");
	return 0;
}

static int cmd_fail(json_t *args, json_t **resp, void *arg)
{
	(void)args;
	(void)arg;
	*resp = json_string("no such conference");
	return ENOENT;
}

static int cmd_plainfail(json_t *args, json_t **resp, void *arg)
{
	(void)args;
	(void)resp;
	(void)arg;
	return ENOENT;
}

static int cmd_later(json_t *args, json_t **resp, void *arg)
{
	(void)args;
	(void)resp;
	(void)arg;
	pending = ctlsock_defer(cs);
	ck_assert_ptr_nonnull(pending);
	ck_assert_ptr_null(ctlsock_defer(cs));
	re_cancel();
	return EINPROGRESS;
}

static int cmd_atonce(json_t *args, json_t **resp, void *arg)
{
	(void)args;
	(void)resp;
	(void)arg;
	ctlsock_reply(ctlsock_defer(cs), 0, json_pack("{s:i}", "n", 7));
	return EINPROGRESS;
}

static int cmd_undecided(json_t *args, json_t **resp, void *arg)
{
	(void)args;
	(void)arg;
	pending = ctlsock_defer(cs);
	*resp = json_pack("{s:s}", "was", "quick");
	return 0;
}

static int cmd_droperr(json_t *args, json_t **resp, void *arg)
{
	(void)args;
	(void)resp;
	(void)arg;
	mem_deref(ctlsock_defer(cs));
	return ENOENT;
}

static int cmd_forgetful(json_t *args, json_t **resp, void *arg)
{
	(void)args;
	(void)resp;
	(void)arg;
	return EINPROGRESS;
}

static int cmd_watch(json_t *args, json_t **resp, void *arg)
{
	(void)resp;
	(void)arg;
	return ctlsock_stream(cs, json_string_value(json_object_get(args, "topic")));
}

static int cmd_say(json_t *args, json_t **resp, void *arg)
{
	(void)resp;
	(void)arg;
	ctlsock_publish(cs, json_string_value(json_object_get(args, "topic")), json_pack("{s:s}", "ev", "said"));
	return 0;
}

static int cmd_quit(json_t *args, json_t **resp, void *arg)
{
	(void)args;
	(void)resp;
	(void)arg;
	cs = mem_deref(cs);
	return 0;
}

static int cmd_big(json_t *args, json_t **resp, void *arg)
{
	const size_t len = (size_t)json_integer_value(json_object_get(args, "len"));
	char *s = malloc(len + 1);

	(void)arg;
	memset(s, 'x', len);
	s[len] = '\0';
	*resp = json_pack("{s:s}", "x", s);
	free(s);
	return 0;
}

static const struct ctl_cmd cmdv[] = {
	{ "echo",      cmd_echo,      "say it again" },
	{ "empty",     cmd_empty,     "nothing" },
	{ "fail",      cmd_fail,      "" },
	{ "plainfail", cmd_plainfail, "" },
	{ "later",     cmd_later,     "" },
	{ "atonce",    cmd_atonce,    "" },
	{ "undecided", cmd_undecided, "" },
	{ "droperr",   cmd_droperr,   "" },
	{ "forgetful", cmd_forgetful, "" },
	{ "watch",     cmd_watch,     "" },
	{ "say",       cmd_say,       "" },
	{ "quit",      cmd_quit,      "" },
	{ "big",       cmd_big,       "" },
};

static char argument[] = "the argument";

static void setup(void)
{
	ck_assert_int_eq(libre_init(), 0);
	(void)snprintf(dir, sizeof(dir), "/tmp/test_ctlsock.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/ctl", dir);
	ck_assert_int_eq(ctlsock_alloc(&cs, path, cmdv, ARRAY_SIZE(cmdv), argument), 0);
	calls = 0;
}

static void teardown(void)
{
	cs = mem_deref(cs);
	pending = mem_deref(pending);
	(void)unlink(path);
	(void)rmdir(dir);
	libre_close();
}

static int dial(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(sun.sun_path, path, sizeof(path));
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);

	return fd;
}

static void client_write(struct client *c)
{
	const ssize_t n = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL);

	if (n > 0) {
		c->out += n;
		c->out_len -= (size_t)n;
	}
	else if (n < 0 && errno != EAGAIN) {
		c->out_len = 0;
	}
}

static void client_h(int flags, void *arg)
{
	struct client *c = arg;
	ssize_t n;

	if (flags & FD_WRITE) {
		client_write(c);
		ck_assert_int_eq(fd_listen(c->fd, FD_READ | (c->out_len ? FD_WRITE : 0), client_h, c), 0);
	}
	if (!(flags & (FD_READ | FD_EXCEPT)))
		return;

	n = recv(c->fd, c->buf + c->len, REPLY_MAX - c->len - 1, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		c->closed = true;
		fd_close(c->fd);
		if (c->want_close)
			re_cancel();
		return;
	}
	for (ssize_t i = 0; i < n; i++)
		c->lines += c->buf[c->len + (size_t)i] == '\n';
	c->len += (size_t)n;
	c->buf[c->len] = '\0';
	if (c->want && c->lines >= c->want)
		re_cancel();
}

static void client_open(struct client *c)
{
	memset(c, 0, sizeof(*c));
	c->fd = dial();
	c->buf = calloc(1, REPLY_MAX);
	ck_assert_int_eq(fd_listen(c->fd, FD_READ, client_h, c), 0);
}

static void client_send(struct client *c, const char *text, size_t len)
{
	c->out = text;
	c->out_len = len;
	ck_assert_int_eq(fd_listen(c->fd, FD_READ | FD_WRITE, client_h, c), 0);
}

static void client_close(struct client *c)
{
	fd_close(c->fd);
	(void)close(c->fd);
	free(c->buf);
}

static void watchdog_h(void *arg)
{
	*(bool *)arg = true;
	re_cancel();
}

static void run_loop(void)
{
	bool late = false;
	struct tmr tmr;

	tmr_init(&tmr);
	tmr_start(&tmr, WATCHDOG_MS, watchdog_h, &late);
	ck_assert_int_eq(re_main(NULL), 0);
	tmr_cancel(&tmr);
	ck_assert_msg(!late, "nothing happened for %d ms", WATCHDOG_MS);
}

/* Send text, wait for that many lines more */
static const char *ask(struct client *c, const char *text, unsigned lines)
{
	c->len = 0;
	c->lines = 0;
	c->want = lines;
	client_send(c, text, strlen(text));
	run_loop();

	return c->buf;
}

static void wait_closed(struct client *c)
{
	c->want = 0;
	c->want_close = true;
	if (!c->closed)
		run_loop();
}

static const struct {
	const char *request;
	const char *reply;
} linev[] = {
	{ "{\"cmd\":\"echo\",\"text\":\"hi\"}\n", "{\"ok\":true,\"you\":\"hi\"}\n" },
	{ "\n\n{\"cmd\":\"empty\"}\n", "{\"ok\":true}\n" },
	{ "{\"cmd\":\"fail\"}\n", "{\"ok\":false,\"error\":\"no such conference\"}\n" },
	{ "{\"cmd\":\"plainfail\"}\n", "{\"ok\":false,\"error\":\"No such file or directory\"}\n" },
	{ "{\"cmd\":\"atonce\"}\n", "{\"ok\":true,\"n\":7}\n" },
	{ "{\"cmd\":\"undecided\"}\n", "{\"ok\":true,\"was\":\"quick\"}\n" },
	{ "{\"cmd\":\"forgetful\"}\n", "{\"ok\":false,\"error\":\"Operation canceled\"}\n" },
	{ "{\"cmd\":\"droperr\"}\n", "{\"ok\":false,\"error\":\"No such file or directory\"}\n" },
	{ "{\"cmd\":\"nonsense\"}\n", "{\"ok\":false,\"error\":\"unknown command\"}\n" },
	{ "{\"cmd\":5}\n", "{\"ok\":false,\"error\":\"no \\\"cmd\\\" in the request\"}\n" },
	{ "{}\n", "{\"ok\":false,\"error\":\"no \\\"cmd\\\" in the request\"}\n" },
	{ "[]\n", "{\"ok\":false,\"error\":\"not a JSON object\"}\n" },
	{ "{\"cmd\":\"echo\",\n", "{\"ok\":false,\"error\":\"not a JSON object\"}\n" },
	{ "{\"cmd\":\"echo\"} x\n", "{\"ok\":false,\"error\":\"not a JSON object\"}\n" },
	{ "{\"cmd\":\"echo\",\"cmd\":\"echo\"}\n", "{\"ok\":false,\"error\":\"not a JSON object\"}\n" },
	{ "\x01\xff\n", "{\"ok\":false,\"error\":\"not a JSON object\"}\n" },
};

START_TEST(each_request_gets_its_reply_on_one_line)
{
	struct client c;

	client_open(&c);
	ck_assert_str_eq(ask(&c, linev[_i].request, 1), linev[_i].reply);
	/* and the connection goes on */
	ck_assert_str_eq(ask(&c, linev[0].request, 1), linev[0].reply);
	client_close(&c);
}
END_TEST

START_TEST(help_lists_the_table)
{
	struct client c;

	client_open(&c);
	ck_assert_ptr_nonnull(strstr(ask(&c, "{\"cmd\":\"help\"}\n", 1),
				     "{\"name\":\"echo\",\"help\":\"say it again\"}"));
	client_close(&c);
}
END_TEST

START_TEST(requests_in_one_packet_are_answered_in_order)
{
	struct client c;

	client_open(&c);
	ck_assert_str_eq(ask(&c, "{\"cmd\":\"echo\",\"text\":1}\n{\"cmd\":\"nope\"}\n{\"cmd\":\"echo\",\"text\":2}\n", 3),
			 "{\"ok\":true,\"you\":1}\n{\"ok\":false,\"error\":\"unknown command\"}\n"
			 "{\"ok\":true,\"you\":2}\n");
	client_close(&c);
}
END_TEST

START_TEST(a_request_in_two_packets_is_one_request)
{
	struct client c, d;

	client_open(&c);
	client_open(&d);
	c.want = 1;
	client_send(&c, "{\"cmd\":\"echo\",", 14);
	/* The other client's reply proves that the loop has seen the first half */
	(void)ask(&d, linev[0].request, 1);
	ck_assert_uint_eq(calls, 1);
	ck_assert_str_eq(ask(&c, "\"text\":\"hi\"}\n", 1), linev[0].reply);
	client_close(&c);
	client_close(&d);
}
END_TEST

START_TEST(a_deferred_reply_comes_later_and_holds_back_the_next_request)
{
	struct client c, d;

	client_open(&c);
	client_open(&d);
	(void)ask(&c, "{\"cmd\":\"later\"}\n{\"cmd\":\"echo\",\"text\":\"hi\"}\n", 2);
	ck_assert_ptr_nonnull(pending);
	ck_assert_str_eq(ask(&d, linev[0].request, 1), linev[0].reply);
	ck_assert_uint_eq(calls, 1);
	ck_assert_uint_eq(c.lines, 0);

	ctlsock_reply(pending, 0, json_pack("{s:s}", "at", "last"));
	pending = NULL;
	run_loop();
	ck_assert_str_eq(c.buf, "{\"ok\":true,\"at\":\"last\"}\n{\"ok\":true,\"you\":\"hi\"}\n");
	client_close(&c);
	client_close(&d);
}
END_TEST

START_TEST(a_deferred_request_may_fail_or_be_dropped)
{
	struct client c;

	client_open(&c);
	(void)ask(&c, "{\"cmd\":\"later\"}\n", 1);
	ctlsock_reply(pending, ENOENT, json_string("mixer has gone"));
	pending = NULL;
	run_loop();
	ck_assert_str_eq(c.buf, "{\"ok\":false,\"error\":\"mixer has gone\"}\n");

	(void)ask(&c, "{\"cmd\":\"later\"}\n", 1);
	pending = mem_deref(pending);
	run_loop();
	ck_assert_str_eq(c.buf, "{\"ok\":false,\"error\":\"Operation canceled\"}\n");
	client_close(&c);
}
END_TEST

START_TEST(a_deferred_reply_survives_that_client_and_server_have_gone)
{
	struct client c;

	client_open(&c);
	(void)ask(&c, "{\"cmd\":\"later\"}\n", 1);
	client_close(&c);
	cs = mem_deref(cs);
	ctlsock_reply(pending, 0, json_pack("{s:i}", "n", 1));
	pending = NULL;
	ctlsock_reply(NULL, 0, json_object());
}
END_TEST

START_TEST(a_deferred_reply_that_never_comes_is_a_timeout_not_a_hang)
{
	struct client c;

	ctlsock_set_idle(cs, 20);
	client_open(&c);
	(void)ask(&c, "{\"cmd\":\"later\"}\n", 1);
	run_loop();
	ck_assert_str_eq(c.buf, "{\"ok\":false,\"error\":\"Connection timed out\"}\n");
	ctlsock_reply(pending, 0, NULL);
	pending = NULL;
	client_close(&c);
}
END_TEST

START_TEST(a_silent_connection_is_closed)
{
	struct client c;

	ctlsock_set_idle(cs, 20);
	client_open(&c);
	wait_closed(&c);
	ck_assert_uint_eq(ctlsock_conn_count(cs), 0);
	client_close(&c);
}
END_TEST

START_TEST(a_client_that_has_said_all_still_gets_its_replies)
{
	struct client c;

	client_open(&c);
	client_write(&(struct client){ .fd = c.fd, .out = "{\"cmd\":\"empty\"}\n", .out_len = 16 });
	ck_assert_int_eq(shutdown(c.fd, SHUT_WR), 0);
	wait_closed(&c);
	ck_assert_str_eq(c.buf, "{\"ok\":true}\n");
	client_close(&c);
}
END_TEST

/* {"cmd":"echo","text":"xxx...", so that the whole line has len bytes and \n */
static char *long_request(size_t len)
{
	static const char head[] = "{\"cmd\":\"echo\",\"text\":\"";
	char *s = malloc(len + 2);

	memset(s, 'x', len);
	memcpy(s, head, sizeof(head) - 1);
	memcpy(s + len - 2, "\"}\n", 4);

	return s;
}

START_TEST(a_request_of_64_kib_passes_and_one_byte_more_does_not)
{
	struct client c;
	char *s = long_request(CTL_REQUEST_MAX);

	client_open(&c);
	(void)ask(&c, s, 1);
	ck_assert_uint_eq(calls, 1);
	ck_assert_uint_eq(c.len, CTL_REQUEST_MAX - strlen("\"cmd\":\"echo\",\"text\"") + strlen("\"ok\":true,\"you\"") + 1);
	free(s);

	s = long_request(CTL_REQUEST_MAX + 1);
	ck_assert_str_eq(ask(&c, s, 1), "{\"ok\":false,\"error\":\"request too large\"}\n");
	wait_closed(&c);
	ck_assert_uint_eq(calls, 1);
	free(s);
	client_close(&c);
}
END_TEST

START_TEST(a_large_reply_arrives_whole)
{
	struct client c;

	client_open(&c);
	(void)ask(&c, "{\"cmd\":\"big\",\"len\":900000}\n{\"cmd\":\"empty\"}\n", 2);
	ck_assert_uint_eq(c.len, 900000 + strlen("{\"ok\":true,\"x\":\"\"}\n{\"ok\":true}\n"));
	ck_assert_str_eq(ask(&c, "{\"cmd\":\"big\",\"len\":17000000}\n", 1),
			 "{\"ok\":false,\"error\":\"reply too large\"}\n");
	client_close(&c);
}
END_TEST

START_TEST(a_client_that_does_not_read_is_closed)
{
	const char *const text = "{\"cmd\":\"big\",\"len\":2000000}\n";
	const int fd = dial();
	struct client watcher;

	ctlsock_set_idle(cs, 20);
	ck_assert_int_eq(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
	client_open(&watcher);
	/* Opened later and as silent: it goes last */
	wait_closed(&watcher);
	ck_assert_uint_le(ctlsock_conn_count(cs), 1);
	while (ctlsock_conn_count(cs)) {
		client_close(&watcher);
		client_open(&watcher);
		wait_closed(&watcher);
	}
	client_close(&watcher);
	(void)close(fd);
}
END_TEST

START_TEST(the_seventeenth_connection_is_turned_away)
{
	struct client v[CTLSOCK_CONN_MAX + 1];

	for (size_t i = 0; i < CTLSOCK_CONN_MAX; i++) {
		client_open(&v[i]);
		ck_assert_str_eq(ask(&v[i], "{\"cmd\":\"empty\"}\n", 1), "{\"ok\":true}\n");
	}
	client_open(&v[CTLSOCK_CONN_MAX]);
	wait_closed(&v[CTLSOCK_CONN_MAX]);
	ck_assert_str_eq(v[CTLSOCK_CONN_MAX].buf, "{\"ok\":false,\"error\":\"too many connections\"}\n");
	ck_assert_uint_eq(ctlsock_conn_count(cs), CTLSOCK_CONN_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		client_close(&v[i]);
}
END_TEST

START_TEST(a_command_may_close_the_socket_it_came_through)
{
	struct client c;

	client_open(&c);
	client_send(&c, "{\"cmd\":\"quit\"}\n{\"cmd\":\"empty\"}\n", 31);
	wait_closed(&c);
	ck_assert_ptr_null(cs);
	ck_assert_int_ne(access(path, F_OK), 0);
	client_close(&c);
}
END_TEST

START_TEST(the_socket_is_for_its_owner_only)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(another_user_is_turned_away_even_if_the_mode_was_opened)
{
	struct client c;

	/* Only root can become somebody else */
	if (geteuid() != 0)
		return;

	ck_assert_int_eq(chmod(dir, 0755), 0);
	ck_assert_int_eq(chmod(path, 0666), 0);
	/* The kernel notes the effective user of connect() */
	ck_assert_int_eq(seteuid(12345), 0);
	client_open(&c);
	ck_assert_int_eq(seteuid(0), 0);
	wait_closed(&c);
	ck_assert_str_eq(c.buf, "{\"ok\":false,\"error\":\"not your server\"}\n");
	client_close(&c);
}
END_TEST

START_TEST(a_second_server_does_not_take_the_place_of_a_living_one)
{
	struct ctlsock *other = NULL;

	ck_assert_int_eq(ctlsock_alloc(&other, path, cmdv, 1, NULL), EADDRINUSE);
	ck_assert_ptr_null(other);
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(a_stale_socket_is_replaced_and_other_files_are_not)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	FILE *f;

	cs = mem_deref(cs);
	ck_assert_int_ne(access(path, F_OK), 0);

	/* What a crashed server leaves behind */
	memcpy(sun.sun_path, path, sizeof(path));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	(void)close(fd);
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_int_eq(ctlsock_alloc(&cs, path, cmdv, 1, NULL), 0);
	cs = mem_deref(cs);

	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	(void)fclose(f);
	ck_assert_int_eq(ctlsock_alloc(&cs, path, cmdv, 1, NULL), EEXIST);
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(a_path_that_cannot_be_is_refused)
{
	char longer[200];
	struct ctlsock *other = NULL;

	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_int_eq(ctlsock_alloc(&other, longer, cmdv, 1, NULL), ENAMETOOLONG);
	ck_assert_int_eq(ctlsock_alloc(&other, "/nonexistent/dir/ctl", cmdv, 1, NULL), ENOENT);
	ck_assert_ptr_null(other);
}
END_TEST

#define WATCH "{\"cmd\":\"watch\"}\n"

static void publish(const char *topic, unsigned n)
{
	ctlsock_publish(cs, topic, json_pack("{s:i}", "n", (int)n));
}

START_TEST(a_stream_gets_the_lines_of_its_topic)
{
	struct client all, one, other;

	client_open(&all);
	client_open(&one);
	client_open(&other);
	ck_assert_str_eq(ask(&all, WATCH, 1), "{\"ok\":true}\n");
	(void)ask(&one, "{\"cmd\":\"watch\",\"topic\":\"x\"}\n", 1);
	(void)ask(&other, linev[0].request, 1);
	ck_assert_uint_eq(ctlsock_stream_count(cs), 2);
	all.want = 4;
	publish("x", 1);
	publish("y", 2);
	publish("x", 3);
	run_loop();
	ck_assert_str_eq(all.buf, "{\"ok\":true}\n{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
	ck_assert_str_eq(ask(&other, linev[0].request, 1), linev[0].reply);
	ck_assert_str_eq(one.buf, "{\"ok\":true}\n{\"n\":1}\n{\"n\":3}\n");
	client_close(&all);
	client_close(&one);
	client_close(&other);
}
END_TEST

START_TEST(a_stream_may_ask_and_hear_of_it)
{
	struct client c;

	client_open(&c);
	(void)ask(&c, WATCH, 1);
	ck_assert_str_eq(ask(&c, "{\"cmd\":\"say\"}\n", 2), "{\"ev\":\"said\"}\n{\"ok\":true}\n");
	client_close(&c);
}
END_TEST

START_TEST(a_stream_that_leaves_is_counted_out)
{
	struct client c, d;

	client_open(&c);
	client_open(&d);
	(void)ask(&c, WATCH, 1);
	client_close(&c);
	while (ctlsock_stream_count(cs))
		(void)ask(&d, linev[0].request, 1);
	publish("x", 1);
	client_close(&d);
}
END_TEST

START_TEST(streams_leave_room_for_commands)
{
	struct client v[CTLSOCK_STREAM_MAX + 1];

	for (unsigned i = 0; i <= CTLSOCK_STREAM_MAX; i++) {
		client_open(&v[i]);
		ck_assert_str_eq(ask(&v[i], WATCH, 1), i < CTLSOCK_STREAM_MAX ? "{\"ok\":true}\n"
				 : "{\"ok\":false,\"error\":\"Device or resource busy\"}\n");
	}
	ck_assert_str_eq(ask(&v[CTLSOCK_STREAM_MAX], linev[0].request, 1), linev[0].reply);
	for (unsigned i = 0; i <= CTLSOCK_STREAM_MAX; i++)
		client_close(&v[i]);
}
END_TEST

START_TEST(a_stream_that_does_not_read_is_closed)
{
	struct client c, d;
	char big[4096];

	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	client_open(&c);
	client_open(&d);
	(void)ask(&c, WATCH, 1);
	fd_close(c.fd);
	/* one read each time: far more than the socket and the buffer take */
	for (unsigned i = 0; i < 2 * CTLSOCK_STREAM_BUF / sizeof(big) && ctlsock_stream_count(cs); i++) {
		ctlsock_publish(cs, "x", json_pack("{s:s}", "x", big));
		if (i % 16 == 0)
			(void)ask(&d, linev[0].request, 1);
	}
	while (ctlsock_stream_count(cs))
		(void)ask(&d, linev[0].request, 1);
	client_close(&c);
	client_close(&d);
}
END_TEST

START_TEST(a_quiet_stream_is_not_idle)
{
	struct client c, d;

	ctlsock_set_idle(cs, 30);
	client_open(&c);
	(void)ask(&c, WATCH, 1);
	client_open(&d);
	wait_closed(&d);
	c.want = 2;
	publish("x", 1);
	run_loop();
	ck_assert(!c.closed);
	client_close(&c);
	client_close(&d);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ctlsock");
	TCase *tc = tcase_create("ctlsock");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, each_request_gets_its_reply_on_one_line, 0, ARRAY_SIZE(linev));
	tcase_add_test(tc, help_lists_the_table);
	tcase_add_test(tc, requests_in_one_packet_are_answered_in_order);
	tcase_add_test(tc, a_request_in_two_packets_is_one_request);
	tcase_add_test(tc, a_deferred_reply_comes_later_and_holds_back_the_next_request);
	tcase_add_test(tc, a_deferred_request_may_fail_or_be_dropped);
	tcase_add_test(tc, a_deferred_reply_survives_that_client_and_server_have_gone);
	tcase_add_test(tc, a_deferred_reply_that_never_comes_is_a_timeout_not_a_hang);
	tcase_add_test(tc, a_silent_connection_is_closed);
	tcase_add_test(tc, a_client_that_has_said_all_still_gets_its_replies);
	tcase_add_test(tc, a_request_of_64_kib_passes_and_one_byte_more_does_not);
	tcase_add_test(tc, a_large_reply_arrives_whole);
	tcase_add_test(tc, a_client_that_does_not_read_is_closed);
	tcase_add_test(tc, the_seventeenth_connection_is_turned_away);
	tcase_add_test(tc, a_command_may_close_the_socket_it_came_through);
	tcase_add_test(tc, the_socket_is_for_its_owner_only);
	tcase_add_test(tc, another_user_is_turned_away_even_if_the_mode_was_opened);
	tcase_add_test(tc, a_second_server_does_not_take_the_place_of_a_living_one);
	tcase_add_test(tc, a_stale_socket_is_replaced_and_other_files_are_not);
	tcase_add_test(tc, a_path_that_cannot_be_is_refused);
	tcase_add_test(tc, a_stream_gets_the_lines_of_its_topic);
	tcase_add_test(tc, a_stream_may_ask_and_hear_of_it);
	tcase_add_test(tc, a_stream_that_leaves_is_counted_out);
	tcase_add_test(tc, streams_leave_room_for_commands);
	tcase_add_test(tc, a_stream_that_does_not_read_is_closed);
	tcase_add_test(tc, a_quiet_stream_is_not_idle);
	suite_add_tcase(s, tc);

	return check_run(s);
}
