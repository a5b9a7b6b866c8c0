/**
 * @file test_ident.c  Challenge and identity, as a client sees them
 *
 * A SIP stack with a UDP listener, and a client on a UDP socket in the same
 * loop.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "auth_help.h"
#include "check_run.h"
#include "focus/backoff.h"
#include "focus/ident.h"

static struct cfg *cfg;
static struct sip *sip;
static struct sip_lsnr *lsnr;
static struct ident *ident;
static char who[IDENT_MAX];
static int fd;
static char rx[4096];
static bool late;

static bool request_handler(const struct sip_msg *msg, void *arg)
{
	(void)arg;

	if (!ident_request(ident, cfg, sip, msg, who, sizeof(who)))
		(void)sip_reply(sip, msg, 200, "OK");

	return true;
}

static void client_handler(int flags, void *arg)
{
	const ssize_t n = recv(fd, rx, sizeof(rx) - 1, 0);

	(void)flags;
	(void)arg;
	ck_assert_int_gt(n, 0);
	rx[n] = '\0';
	re_cancel();
}

static void watchdog(void *arg)
{
	(void)arg;
	late = true;
	re_cancel();
}

static void setup(void)
{
	struct sa laddr;

	libre_init();
	log_init("test", false, LOG_LV_ERROR);
	cfg = auth_cfg();
	ck_assert_int_eq(ident_alloc(&ident), 0);
	ck_assert_int_eq(sip_alloc(&sip, NULL, 16, 16, 16, NULL, NULL, NULL), 0);
	sa_set_str(&laddr, "127.0.0.1", 0);
	ck_assert_int_eq(sip_transp_add(sip, SIP_TRANSP_UDP, &laddr), 0);
	ck_assert_int_eq(sip_transp_laddr(sip, &laddr, SIP_TRANSP_UDP, NULL), 0);
	ck_assert_int_eq(sip_listen(&lsnr, sip, true, request_handler, NULL), 0);

	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_eq(connect(fd, &laddr.u.sa, laddr.len), 0);
	ck_assert_int_eq(fd_listen(fd, FD_READ, client_handler, NULL), 0);
}

static void teardown(void)
{
	fd_close(fd);
	close(fd);
	mem_deref(lsnr);
	sip_close(sip, true);
	mem_deref(sip);
	mem_deref(ident);
	mem_deref(cfg);
	libre_close();
}

/** Status of the answer to a request */
static int send_txt(const char *txt)
{
	struct tmr tmr;

	who[0] = rx[0] = '\0';
	ck_assert_int_eq(send(fd, txt, strlen(txt), 0), (ssize_t)strlen(txt));
	tmr_init(&tmr);
	tmr_start(&tmr, 10000, watchdog, NULL);
	(void)re_main(NULL);
	tmr_cancel(&tmr);
	ck_assert(!late);

	return atoi(rx + strlen("SIP/2.0 "));
}

static void bare(char *txt, size_t size, const char *method)
{
	snprintf(txt, size, "%s sip:x@example.org SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK%s;rport\r\nFrom: <sip:a@b>;tag=1\r\n"
		 "To: <sip:x@example.org>\r\nCall-ID: a\r\nCSeq: 1 %s\r\n\r\n",
		 method, method, method);
}

/** Ask for a challenge; its (only) nonce */
static void challenged(char *nonce, size_t size)
{
	struct mbuf mb;
	char txt[1024];

	bare(txt, sizeof(txt), "INVITE");
	ck_assert_int_eq(send_txt(txt), 401);
	mb.buf = (uint8_t *)rx;
	mb.end = strlen(rx);
	auth_nonce(nonce, size, &mb, 0);
	ck_assert_str_ne(nonce, "");
}

static int with_password(const char *nonce, const char *pass, unsigned nc)
{
	const struct auth_client c = {
		.alg = "SHA-256", .user = "alice", .pass = pass, .realm = "example.org",
		.nonce = nonce, .method = "INVITE", .uri = "sip:x@example.org", .nc = nc,
	};
	char txt[4096];

	auth_request(txt, sizeof(txt), &c);

	return send_txt(txt);
}

START_TEST(challenge_then_identity_then_stale_for_a_replay)
{
	char nonce[80];

	challenged(nonce, sizeof(nonce));
	ck_assert_ptr_nonnull(strstr(rx, "algorithm=SHA-256"));
	ck_assert_ptr_null(strstr(rx, "algorithm=MD5"));
	ck_assert_ptr_null(strstr(rx, "stale"));
	ck_assert_str_eq(who, "");

	ck_assert_int_eq(with_password(nonce, "wonderland", 1), 200);
	ck_assert_str_eq(who, "sip:alice@example.org");
	ck_assert_int_eq(with_password(nonce, "wonderland", 1), 401);
	ck_assert_ptr_nonnull(strstr(rx, "stale=true"));
	ck_assert_str_eq(who, "");
	ck_assert_int_eq(with_password(nonce, "wrong", 2), 401);
	ck_assert_ptr_null(strstr(rx, "stale"));
}
END_TEST

START_TEST(guessing_ends_in_403_with_retry_after)
{
	char nonce[80];

	challenged(nonce, sizeof(nonce));
	for (unsigned i = 0; i <= BACKOFF_FAILS; i++)
		ck_assert_int_eq(with_password(nonce, "guess", 1), 401);
	ck_assert_int_eq(with_password(nonce, "wonderland", 1), 403);
	ck_assert_ptr_nonnull(strstr(rx, "Retry-After: "));
}
END_TEST

START_TEST(md5_only_is_403_outside_tls)
{
	char txt[1024];

	cfg->digestv[0].algv[0] = DIGEST_MD5;
	cfg->digestv[0].algc = 1;
	bare(txt, sizeof(txt), "INVITE");
	ck_assert_int_eq(send_txt(txt), 403);
}
END_TEST

START_TEST(malformed_credentials_are_400)
{
	char txt[1024];
	char *end;

	bare(txt, sizeof(txt), "INVITE");
	end = strstr(txt, "\r\n\r\n");
	strcpy(end, "\r\nAuthorization: Digest username=\"alice\r\n\r\n");
	ck_assert_int_eq(send_txt(txt), 400);
}
END_TEST

START_TEST(ack_is_never_answered)
{
	char txt[1024];

	/* what comes back belongs to the OPTIONS behind it */
	bare(txt, sizeof(txt), "ACK");
	ck_assert_int_eq(send(fd, txt, strlen(txt), 0), (ssize_t)strlen(txt));
	bare(txt, sizeof(txt), "OPTIONS");
	ck_assert_int_eq(send_txt(txt), 401);
	ck_assert_ptr_nonnull(strstr(rx, "CSeq: 1 OPTIONS"));
}
END_TEST

/* ---- trusted peers ---- */

static struct cfg_peer peer;
static char star[] = "*", ours[] = "*@example.org", cert[] = "proxy.example.org";

/** The one peer at 10.0.0.7 may speak for whom the rule says */
static void trust(char *rule)
{
	memset(&peer, 0, sizeof(peer));
	sa_set_str(&peer.addrv[0], "10.0.0.7", 0);
	peer.addrc = 1;
	peer.assertv[0] = rule;
	peer.assertc = 1;
	list_append(&cfg->peerl, &peer.le, &peer);
}

static int asserted(const char *lines, enum sip_transp tp, const char *src)
{
	struct sip_msg *msg;
	char txt[2048];
	int err;

	who[0] = '\0';
	snprintf(txt, sizeof(txt), "INVITE sip:x@example.org SIP/2.0\r\n"
		 "Via: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:eve@b>;tag=1\r\n"
		 "To: <sip:x@example.org>\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\n%s\r\n", lines);
	msg = auth_msg(txt, tp, src);
	ck_assert_ptr_nonnull(msg);
	err = ident_asserted(cfg, msg, who, sizeof(who));
	mem_deref(msg);

	return err;
}

static int from_peer(const char *lines)
{
	return asserted(lines, SIP_TRANSP_TLS, "10.0.0.7:4711");
}

#define PAI "P-Asserted-Identity: "

START_TEST(a_trusted_peer_says_who_it_is_and_nobody_else)
{
	ck_assert_int_eq(asserted(PAI "<sip:alice@example.org>\r\n", SIP_TRANSP_TLS, "10.0.0.7:1"), ENOENT);
	trust(star);
	ck_assert_int_eq(from_peer(PAI "\"A\" <sip:alice@Example.org;user=phone>\r\n"), 0);
	ck_assert_str_eq(who, "sip:alice@example.org");
	ck_assert_int_eq(from_peer(PAI "sip:alice@example.org\r\n"), 0);
	ck_assert_int_eq(asserted(PAI "<sip:alice@example.org>\r\n", SIP_TRANSP_TLS, "10.0.0.8:4711"), ENOENT);
	ck_assert_int_eq(asserted(PAI "<sip:alice@example.org>\r\n", SIP_TRANSP_TCP, "10.0.0.7:4711"), ENOENT);
	ck_assert_int_eq(asserted(PAI "<sip:alice@example.org>\r\n", SIP_TRANSP_UDP, "10.0.0.7:4711"), ENOENT);
	ck_assert_int_eq(from_peer(""), ENOENT);
	ck_assert_int_eq(from_peer("P-Preferred-Identity: <sip:alice@example.org>\r\n"), ENOENT);

	/* all that is set must hold: there is no TLS connection here at all */
	peer.certv[0] = cert;
	peer.certc = 1;
	ck_assert_int_eq(from_peer(PAI "<sip:alice@example.org>\r\n"), ENOENT);
}
END_TEST

START_TEST(one_sip_and_one_tel_uri_may_be_asserted)
{
	trust(star);
	ck_assert_int_eq(from_peer(PAI "<tel:+4930>\r\n" PAI "<sip:alice@example.org>\r\n"), 0);
	ck_assert_str_eq(who, "sip:alice@example.org");
	ck_assert_int_eq(from_peer(PAI "<sip:alice@example.org>, <tel:+4930>\r\n"), 0);
	ck_assert_int_eq(from_peer(PAI "<tel:+4930>\r\n"), ENOENT);
	ck_assert_int_eq(from_peer(PAI "<sip:alice@example.org>, <sip:bob@example.org>\r\n"), EBADMSG);
	ck_assert_int_eq(from_peer(PAI "<sip:alice@example.org>, <sips:alice@example.org>\r\n"), EBADMSG);
	ck_assert_int_eq(from_peer(PAI "<tel:+1>, <tel:+2>, <sip:alice@example.org>\r\n"), EBADMSG);
	ck_assert_int_eq(from_peer(PAI "<http://h/>\r\n"), EBADMSG);
	ck_assert_int_eq(from_peer(PAI "<sip:example.org>\r\n"), EBADMSG);
	ck_assert_int_eq(from_peer(PAI "garbage\r\n"), EBADMSG);
}
END_TEST

START_TEST(an_anonymous_assertion_is_none)
{
	trust(star);
	ck_assert_int_eq(from_peer(PAI "<sip:anonymous@anonymous.invalid>\r\n"), ENOENT);
}
END_TEST

START_TEST(a_peer_speaks_only_for_those_it_may)
{
	trust(ours);
	ck_assert_int_eq(from_peer(PAI "<sip:alice@example.org>\r\n"), 0);
	ck_assert_int_eq(from_peer(PAI "<sip:alice@example.com>\r\n"), EBADMSG);
}
END_TEST

/* the display name may be the caller's own words */
START_TEST(a_display_name_asserts_nothing)
{
	trust(star);
	ck_assert_int_eq(from_peer(PAI "\"<sip:admin@example.org>\" <sip:eve@example.org>\r\n"), 0);
	ck_assert_str_eq(who, "sip:eve@example.org");
	ck_assert_int_eq(from_peer(PAI "\"\\\"<sip:admin@example.org>\" <sip:eve@example.org>\r\n"), 0);
	ck_assert_str_eq(who, "sip:eve@example.org");
	ck_assert_int_eq(from_peer(PAI "\"a\\\", <sip:admin@example.org>, \\\"b\" <sip:eve@example.org>\r\n"), EBADMSG);
	ck_assert_int_eq(from_peer(PAI "\"<sip:admin@example.org>\r\n"), EBADMSG);
	ck_assert_int_eq(from_peer(PAI "sip:eve@example.org <sip:admin@example.org>\r\n"), EBADMSG);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ident");
	TCase *tc = tcase_create("ident");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, challenge_then_identity_then_stale_for_a_replay);
	tcase_add_test(tc, guessing_ends_in_403_with_retry_after);
	tcase_add_test(tc, md5_only_is_403_outside_tls);
	tcase_add_test(tc, malformed_credentials_are_400);
	tcase_add_test(tc, ack_is_never_answered);
	tcase_add_test(tc, a_trusted_peer_says_who_it_is_and_nobody_else);
	tcase_add_test(tc, one_sip_and_one_tel_uri_may_be_asserted);
	tcase_add_test(tc, an_anonymous_assertion_is_none);
	tcase_add_test(tc, a_peer_speaks_only_for_those_it_may);
	tcase_add_test(tc, a_display_name_asserts_nothing);
	suite_add_tcase(s, tc);

	return check_run(s);
}
