/**
 * @file test_floortls.c  TLS whose certificates are named elsewhere
 *
 * Two ends in one loop, over the loopback interface, in all four combinations
 * of who connects and who is TLS server.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "check_run.h"
#include "floortls.h"

enum { WATCHDOG_MS = 5000, SETTLE_MS = 200 };

struct end {
	struct floortls *c;
	int verdict;                    /* of its verify handler              */
	unsigned asked;
	bool up, closed;
	char got[16];
	size_t gotc;
};

static struct floortls_ctx *ctx_a, *ctx_b;
static struct tcp_sock *ts;
static struct end acceptor, connector;
static bool accept_as_server;
static struct tmr tmr;
static bool timed_out;


static void done(void)
{
	if ((acceptor.up && connector.up && acceptor.gotc && connector.gotc) ||
	    (acceptor.closed && connector.closed))
		re_cancel();
}


static int verify(const struct floortls_fps *cert, void *arg)
{
	struct end *e = arg;

	ck_assert_uint_eq(cert->c, 3);
	++e->asked;

	return e->verdict;
}


static void estab(void *arg)
{
	struct end *e = arg;

	e->up = true;
	ck_assert_int_eq(floortls_send(e->c, (const uint8_t *)"hi", 2), 0);
	done();
}


static void recvd(const uint8_t *p, size_t n, void *arg)
{
	struct end *e = arg;

	ck_assert_uint_le(e->gotc + n, sizeof(e->got));
	memcpy(e->got + e->gotc, p, n);
	e->gotc += n;
	done();
}


static void closed(int err, void *arg)
{
	struct end *e = arg;
	(void)err;

	e->closed = true;
	e->c = mem_deref(e->c);
	done();
}


static const struct floortls_handlers handlers = {
	verify, estab, recvd, closed
};


static void conn_handler(const struct sa *peer, void *arg)
{
	(void)peer;
	(void)arg;
	ck_assert_int_eq(floortls_accept(&acceptor.c, ctx_a, ts,
					 accept_as_server, &handlers,
					 &acceptor), 0);
}


static void timeout(void *arg)
{
	(void)arg;
	timed_out = true;
	re_cancel();
}


static void run(unsigned ms)
{
	timed_out = false;
	tmr_start(&tmr, ms, timeout, NULL);
	(void)re_main(NULL);
	tmr_cancel(&tmr);
}


static void connect_ends(bool as_server, int acceptor_says, int connector_says)
{
	struct sa sa;

	memset(&acceptor, 0, sizeof(acceptor));
	memset(&connector, 0, sizeof(connector));
	acceptor.verdict = acceptor_says;
	connector.verdict = connector_says;
	accept_as_server = as_server;
	ck_assert_int_eq(tcp_sock_local_get(ts, &sa), 0);
	ck_assert_int_eq(floortls_connect(&connector.c, ctx_b, &sa, !as_server,
					  &handlers, &connector), 0);
}


static void setup(void)
{
	struct sa sa;

	ck_assert_int_eq(libre_init(), 0);
	tmr_init(&tmr);
	ck_assert_int_eq(floortls_ctx_alloc(&ctx_a, NULL), 0);
	ck_assert_int_eq(floortls_ctx_alloc(&ctx_b, NULL), 0);
	sa_set_str(&sa, "127.0.0.1", 0);
	ck_assert_int_eq(tcp_listen(&ts, &sa, conn_handler, NULL), 0);
}


static void teardown(void)
{
	acceptor.c = mem_deref(acceptor.c);
	connector.c = mem_deref(connector.c);
	ts = mem_deref(ts);
	ctx_a = mem_deref(ctx_a);
	ctx_b = mem_deref(ctx_b);
	libre_close();
}


START_TEST(both_ends_come_up_whoever_connects)
{
	connect_ends(_i == 0, 1, 1);
	run(WATCHDOG_MS);
	ck_assert(!timed_out);
	ck_assert(acceptor.up && connector.up);
	ck_assert_uint_eq(acceptor.asked, 1);
	ck_assert_uint_eq(connector.asked, 1);
	ck_assert_mem_eq(acceptor.got, "hi", 2);
	ck_assert_mem_eq(connector.got, "hi", 2);
}
END_TEST


START_TEST(certificate_that_was_not_named_ends_it)
{
	/* either end, in either TLS role */
	connect_ends(_i & 1, _i & 2 ? 1 : 0, _i & 2 ? 0 : 1);
	run(WATCHDOG_MS);
	ck_assert(!timed_out);
	ck_assert(acceptor.closed && connector.closed);
	ck_assert_uint_eq(acceptor.gotc, 0);
	ck_assert(_i & 2 ? !connector.up : !acceptor.up);
}
END_TEST


START_TEST(client_waits_for_the_name_of_the_certificate)
{
	connect_ends(false, -1, 1);
	run(SETTLE_MS);
	ck_assert(timed_out && !acceptor.up && !acceptor.closed);
	ck_assert_uint_ge(acceptor.asked, 1);
	ck_assert_int_eq(floortls_send(acceptor.c, (const uint8_t *)"x", 1),
			 ENOTCONN);
	ck_assert_uint_eq(floortls_peer(acceptor.c)->c, 0);

	/* asked again, and still not known: nothing changes */
	floortls_retry(acceptor.c);
	run(SETTLE_MS);
	ck_assert(timed_out && !acceptor.up && !connector.gotc);

	acceptor.verdict = _i;
	floortls_retry(acceptor.c);
	if (!acceptor.closed)
		run(WATCHDOG_MS);
	ck_assert(_i ? acceptor.up && connector.up : !acceptor.up);
}
END_TEST


/** The socket of the end that connected, which only its peer's address tells */
static int connector_fd(void)
{
	struct sa listening, peer;

	ck_assert_int_eq(tcp_sock_local_get(ts, &listening), 0);
	for (int fd = 3; fd < 256; fd++) {
		sa_init(&peer, AF_INET);
		peer.len = sizeof(peer.u);
		if (!getpeername(fd, &peer.u.sa, &peer.len) &&
		    sa_cmp(&peer, &listening, SA_ALL))
			return fd;
	}

	return -1;
}


START_TEST(who_is_not_known_yet_cannot_fill_our_memory)
{
	static const uint8_t junk[65536];
	ssize_t n, sent = 0;
	int fd;

	connect_ends(false, -1, 1);
	run(SETTLE_MS);
	ck_assert(timed_out && !acceptor.closed);
	fd = connector_fd();
	ck_assert_int_ge(fd, 0);
	for (unsigned i = 0; i < 64 && !acceptor.closed; i++) {
		n = send(fd, junk, sizeof(junk), MSG_DONTWAIT | MSG_NOSIGNAL);
		sent += n > 0 ? n : 0;
		run(10);
	}
	ck_assert(acceptor.closed);
	ck_assert_int_le(sent, 8 * (ssize_t)sizeof(junk));
	/* and it was not asked about with every segment */
	ck_assert_uint_le(acceptor.asked, 2);
}
END_TEST


START_TEST(server_never_waits)
{
	connect_ends(true, -1, 1);
	run(WATCHDOG_MS);
	ck_assert(!timed_out);
	ck_assert(!acceptor.up && acceptor.closed);
}
END_TEST


START_TEST(fingerprints_are_printed_as_they_are_read)
{
	struct floortls_fp fp;
	char buf[FLOORTLS_FP_STRLEN + 1];
	struct pl pl;

	ck_assert_int_ge(re_snprintf(buf, sizeof(buf), "%H", floortls_fp_print,
				     floortls_ctx_fp(ctx_a)), 0);
	pl_set_str(&pl, buf);
	ck_assert_int_eq(floortls_fp_decode(&fp, &pl), 0);
	ck_assert_mem_eq(&fp, floortls_ctx_fp(ctx_a), sizeof(fp));
	pl_set_str(&pl, "sha-1 00:11");
	ck_assert_int_eq(floortls_fp_decode(&fp, &pl), ENOTSUP);
}
END_TEST


int main(void)
{
	Suite *s = suite_create("floortls");
	TCase *tc = tcase_create("floortls");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, both_ends_come_up_whoever_connects, 0, 2);
	tcase_add_loop_test(tc, certificate_that_was_not_named_ends_it, 0, 4);
	tcase_add_loop_test(tc, client_waits_for_the_name_of_the_certificate, 0, 2);
	tcase_add_test(tc, who_is_not_known_yet_cannot_fill_our_memory);
	tcase_add_test(tc, server_never_waits);
	tcase_add_test(tc, fingerprints_are_printed_as_they_are_read);
	suite_add_tcase(s, tc);

	return check_run(s);
}
