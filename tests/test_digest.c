/**
 * @file test_digest.c  Digest authentication, its nonces and its back-off
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "auth_help.h"
#include "check_run.h"
#include "focus/authz.h"
#include "focus/backoff.h"
#include "focus/digest.h"
#include "focus/nonce.h"

#define SRC   "10.0.0.1:5071"
#define OTHER "10.0.0.2:5071"
#define NOW   1000000

static struct cfg *cfg;
static struct digest *dig;
static char who[DIGEST_IDENTITY_MAX];

static void setup(void)
{
	libre_init();
	cfg = auth_cfg();
	ck_assert_int_eq(digest_alloc(&dig), 0);
}

static void teardown(void)
{
	dig = mem_deref(dig);
	cfg = mem_deref(cfg);
	libre_close();
}

/** Challenge a request without credentials; the n-th nonce offered */
static unsigned challenged(char nonce[80], unsigned n, enum sip_transp tp, const char *src,
			   const char *ua, uint64_t now)
{
	struct mbuf *mb = mbuf_alloc(512);
	struct sip_msg *msg;
	char txt[1024];
	unsigned count = 0;
	struct pl pl;
	int err;

	re_snprintf(txt, sizeof(txt), "INVITE sip:factory@example.org SIP/2.0\r\n"
		    "Via: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\r\n"
		    "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\n"
		    "User-Agent: %s\r\n\r\n", ua);
	msg = auth_msg(txt, tp, src);
	ck_assert_ptr_nonnull(msg);

	err = digest_challenge(dig, cfg, msg, false, now, mb);
	ck_assert(err == 0 || err == ENOENT);
	if (!err)
		auth_nonce(nonce, 80, mb, n);

	pl.p = (char *)mb->buf;
	pl.l = mb->end;
	while (!re_regex(pl.p, pl.l, "WWW-Authenticate")) {
		const char *p = pl_strchr(&pl, '\n');

		++count;
		pl_advance(&pl, p + 1 - pl.p);
	}

	mem_deref(msg);
	mem_deref(mb);

	return count;
}

static struct auth_client client(const char *alg, const char *nonce)
{
	const struct auth_client c = {
		.alg = alg, .user = "alice", .pass = "wonderland", .realm = "example.org",
		.nonce = nonce, .method = "INVITE", .uri = "sip:factory@example.org", .nc = 1,
	};

	return c;
}

static enum digest_verdict check(const struct auth_client *c, enum sip_transp tp,
				 const char *src, uint64_t now)
{
	enum digest_verdict v;
	struct sip_msg *msg;
	char txt[4096];

	auth_request(txt, sizeof(txt), c);
	msg = auth_msg(txt, tp, src);
	ck_assert_ptr_nonnull(msg);

	who[0] = '\0';
	v = digest_check(dig, cfg, msg, now, who, sizeof(who));
	mem_deref(msg);

	return v;
}

START_TEST(right_password_gives_the_identity_with_both_algorithms)
{
	struct auth_client c;
	char nonce[80];

	ck_assert_uint_eq(challenged(nonce, 0, SIP_TRANSP_TLS, SRC, "x", NOW), 2);
	c = client("SHA-256", nonce);
	ck_assert_int_eq(check(&c, SIP_TRANSP_TLS, SRC, NOW + 20), DIGEST_V_OK);
	ck_assert_str_eq(who, "sip:alice@example.org");

	challenged(nonce, 1, SIP_TRANSP_TLS, SRC, "x", NOW);
	c = client("MD5", nonce);
	ck_assert_int_eq(check(&c, SIP_TRANSP_TLS, SRC, NOW + 20), DIGEST_V_OK);

	/* libre 1.1 sends no algorithm parameter */
	challenged(nonce, 1, SIP_TRANSP_TLS, SRC, "x", NOW);
	c = client("MD5", nonce);
	c.no_alg = true;
	ck_assert_int_eq(check(&c, SIP_TRANSP_TLS, SRC, NOW + 20), DIGEST_V_OK);
}
END_TEST

START_TEST(rfc_8760_order_follows_the_configuration_and_user_agent)
{
	static char pat[] = "baresip*";
	char nonce[80];

	cfg->digestv[1] = cfg->digestv[0];
	cfg->digestv[0].user_agent = pat;
	cfg->digestv[0].algv[0] = DIGEST_MD5;
	cfg->digestv[0].algc = 1;
	cfg->digestc = 2;

	ck_assert_uint_eq(challenged(nonce, 0, SIP_TRANSP_TLS, SRC, "baresip v1.0.0", NOW), 1);
	ck_assert_uint_eq(challenged(nonce, 0, SIP_TRANSP_TLS, SRC, "Linphone/5", NOW), 2);
}
END_TEST

START_TEST(md5_is_neither_offered_nor_taken_outside_tls)
{
	struct auth_client c;
	char nonce[80];

	ck_assert_uint_eq(challenged(nonce, 0, SIP_TRANSP_UDP, SRC, "x", NOW), 1);
	c = client("SHA-256", nonce);
	ck_assert_int_eq(check(&c, SIP_TRANSP_UDP, SRC, NOW), DIGEST_V_OK);
	c = client("MD5", nonce);
	ck_assert_int_eq(check(&c, SIP_TRANSP_UDP, SRC, NOW), DIGEST_V_ABSENT);

	cfg->digestv[0].algv[0] = DIGEST_MD5;
	cfg->digestv[0].algc = 1;
	ck_assert_uint_eq(challenged(nonce, 0, SIP_TRANSP_UDP, SRC, "x", NOW), 0);
}
END_TEST

START_TEST(an_algorithm_that_was_not_offered_is_no_credential)
{
	struct auth_client c;
	char nonce[80];

	cfg->digestv[0].algc = 1;
	challenged(nonce, 0, SIP_TRANSP_TLS, SRC, "x", NOW);
	c = client("MD5", nonce);
	ck_assert_int_eq(check(&c, SIP_TRANSP_TLS, SRC, NOW), DIGEST_V_ABSENT);
}
END_TEST

START_TEST(a_nonce_made_for_one_algorithm_is_stale_for_the_other)
{
	struct auth_client c;
	char nonce[80];

	challenged(nonce, 0, SIP_TRANSP_TLS, SRC, "x", NOW);
	c = client("MD5", nonce);
	ck_assert_int_eq(check(&c, SIP_TRANSP_TLS, SRC, NOW), DIGEST_V_STALE);
}
END_TEST

START_TEST(wrong_password_and_unknown_user_look_alike)
{
	struct auth_client c;
	char nonce[80];

	challenged(nonce, 0, SIP_TRANSP_TLS, SRC, "x", NOW);
	c = client("SHA-256", nonce);
	c.pass = "Wonderland";
	ck_assert_int_eq(check(&c, SIP_TRANSP_TLS, SRC, NOW), DIGEST_V_WRONG);
	ck_assert_str_eq(who, "");
	c.user = "mallory";
	ck_assert_int_eq(check(&c, SIP_TRANSP_TLS, SRC, NOW), DIGEST_V_WRONG);
	c.user = "";
	ck_assert_int_eq(check(&c, SIP_TRANSP_TLS, SRC, NOW), DIGEST_V_WRONG);
}
END_TEST

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}


/** ns for a few checks of one request */
static uint64_t cost(const struct sip_msg *msg, uint64_t *nowp)
{
	uint64_t start = cpu_ns();

	for (unsigned i = 0; i < 20; i++) {
		/* far apart, so that no back-off sets in */
		*nowp += 2 * BACKOFF_WINDOW_MS;
		ck_assert_int_eq(digest_check(dig, cfg, msg, *nowp, who, sizeof(who)),
				 DIGEST_V_WRONG);
	}

	return cpu_ns() - start;
}


/* Turn by turn, so that a machine that changes its speed changes it for both,
   and the fastest of many turns: 10 % of the answer's latency is the promise,
   here is the bare computation */
START_TEST(unknown_user_costs_the_time_of_a_wrong_password)
{
	uint64_t wrong = UINT64_MAX, unknown = UINT64_MAX, now = NOW;
	struct sip_msg *wrong_msg, *unknown_msg;
	struct auth_client c;
	char nonce[80], txt[4096];

	challenged(nonce, 0, SIP_TRANSP_TLS, SRC, "x", NOW);
	c = client("SHA-256", nonce);
	c.pass = "wrong";
	auth_request(txt, sizeof(txt), &c);
	wrong_msg = auth_msg(txt, SIP_TRANSP_TLS, SRC);
	c.user = "alicf";
	auth_request(txt, sizeof(txt), &c);
	unknown_msg = auth_msg(txt, SIP_TRANSP_TLS, SRC);

	for (unsigned round = 0; round < 200; round++) {
		uint64_t w = cost(wrong_msg, &now), u = cost(unknown_msg, &now);

		wrong = MIN(wrong, w);
		unknown = MIN(unknown, u);
	}
	mem_deref(wrong_msg);
	mem_deref(unknown_msg);

	ck_assert_msg(unknown * 100 > wrong * 85 && wrong * 100 > unknown * 85,
		      "wrong %llu ns, unknown %llu ns", (unsigned long long)wrong,
		      (unsigned long long)unknown);
}
END_TEST

START_TEST(user_may_be_written_with_or_without_the_domain)
{
	struct cfg_user *u = list_ledata(cfg->userl.head);
	static char full[] = "alice@Example.org";
	struct auth_client c;
	char nonce[80];

	challenged(nonce, 0, SIP_TRANSP_TLS, SRC, "x", NOW);
	c = client("SHA-256", nonce);
	c.user = "alice@example.org";
	ck_assert_int_eq(check(&c, SIP_TRANSP_TLS, SRC, NOW), DIGEST_V_OK);
	ck_assert_str_eq(who, "sip:alice@example.org");

	c.user = "alice@example.com";
	c.nc = 2;
	ck_assert_int_eq(check(&c, SIP_TRANSP_TLS, SRC, NOW), DIGEST_V_WRONG);

	u->user = full;
	c.user = "alice@Example.org";
	ck_assert_int_eq(check(&c, SIP_TRANSP_TLS, SRC, NOW), DIGEST_V_OK);
	ck_assert_str_eq(who, "sip:alice@example.org");
}
END_TEST

START_TEST(nonce_of_another_flow_is_stale)
{
	struct auth_client c;
	char nonce[80];

	challenged(nonce, 0, SIP_TRANSP_TLS, SRC, "x", NOW);
	c = client("SHA-256", nonce);
	ck_assert_int_eq(check(&c, SIP_TRANSP_TLS, OTHER, NOW), DIGEST_V_STALE);
	ck_assert_int_eq(check(&c, SIP_TRANSP_TLS, "10.0.0.1:5072", NOW), DIGEST_V_STALE);
	ck_assert_int_eq(check(&c, SIP_TRANSP_TCP, SRC, NOW), DIGEST_V_STALE);
	ck_assert_int_eq(check(&c, SIP_TRANSP_TLS, SRC, NOW), DIGEST_V_OK);
}
END_TEST

START_TEST(nonce_expires_and_a_forged_one_never_holds)
{
	struct auth_client c;
	char nonce[80];

	challenged(nonce, 0, SIP_TRANSP_TLS, SRC, "x", NOW);
	c = client("SHA-256", nonce);
	ck_assert_int_eq(check(&c, SIP_TRANSP_TLS, SRC, NOW + NONCE_LIFE_MS), DIGEST_V_OK);
	c.nc = 2;
	ck_assert_int_eq(check(&c, SIP_TRANSP_TLS, SRC, NOW + NONCE_LIFE_MS + 1), DIGEST_V_STALE);

	for (size_t i = 0; i < NONCE_LEN; i++) {
		char bad[80];

		memcpy(bad, nonce, sizeof(bad));
		bad[i] = bad[i] == '0' ? '1' : '0';
		c = client("SHA-256", bad);
		ck_assert_int_eq(check(&c, SIP_TRANSP_TLS, SRC, NOW), DIGEST_V_STALE);
	}
}
END_TEST

START_TEST(a_nonce_count_is_taken_once_and_out_of_order_ones_within_the_window)
{
	static const struct {
		unsigned nc;
		enum digest_verdict v;
	} stepv[] = {
		{ 1, DIGEST_V_OK }, { 1, DIGEST_V_STALE }, { 3, DIGEST_V_OK },
		{ 2, DIGEST_V_OK }, { 2, DIGEST_V_STALE }, { 3, DIGEST_V_STALE },
		{ 100, DIGEST_V_OK }, { 36, DIGEST_V_STALE }, { 37, DIGEST_V_OK },
		{ 37, DIGEST_V_STALE }, { 0xffffffff, DIGEST_V_OK },
		{ 100, DIGEST_V_STALE }, { 0, DIGEST_V_MALFORMED },
	};
	struct auth_client c;
	char nonce[80];

	challenged(nonce, 0, SIP_TRANSP_TLS, SRC, "x", NOW);
	c = client("SHA-256", nonce);
	for (size_t i = 0; i < ARRAY_SIZE(stepv); i++) {
		c.nc = stepv[i].nc;
		ck_assert_msg(check(&c, SIP_TRANSP_TLS, SRC, NOW) == stepv[i].v, "step %zu", i);
	}
}
END_TEST

START_TEST(forgetting_used_nonces_never_allows_a_replay)
{
	struct nonce_flow flow = { DIGEST_SHA256, SIP_TRANSP_TLS, NULL, "r" };
	char first[NONCE_LEN + 1], nonce[NONCE_LEN + 1];
	struct nonces *n = NULL;
	struct sa src;
	struct pl pl;

	sa_set_str(&src, "10.0.0.1", 5071);
	flow.src = &src;
	ck_assert_int_eq(nonces_alloc(&n), 0);

	ck_assert_int_eq(nonce_make(n, first, &flow, NOW), 0);
	pl_set_str(&pl, first);
	ck_assert(nonce_use(n, &pl, 1, NOW));

	for (unsigned i = 0; i < NONCE_USED_MAX; i++) {
		ck_assert_int_eq(nonce_make(n, nonce, &flow, NOW), 0);
		pl_set_str(&pl, nonce);
		ck_assert(nonce_valid(n, &pl, &flow, NOW));
		ck_assert(nonce_use(n, &pl, 1, NOW));
		ck_assert(!nonce_use(n, &pl, 1, NOW));
	}

	pl_set_str(&pl, first);
	ck_assert(!nonce_valid(n, &pl, &flow, NOW));
	ck_assert(!nonce_use(n, &pl, 1, NOW));
	mem_deref(n);
}
END_TEST

START_TEST(uri_must_mean_the_request_uri_but_ports_and_parameters_may_differ)
{
	static const struct {
		const char *uri, *ruri;
		bool ok;
	} v[] = {
		{ "sip:x@127.0.0.1:5061",            "sip:x@127.0.0.1:5061;transport=tls", true },
		{ "sip:x@127.0.0.1;transport=tls",   "sip:x@127.0.0.1:5061",               true },
		{ "SIP:x@EXAMPLE.org",               "sip:x@example.org",                  true },
		{ "sip:[::1]",                       "sip:[::1]:5061;transport=tls",       true },
		{ "sip:y@127.0.0.1",                 "sip:x@127.0.0.1",                    false },
		{ "sip:X@127.0.0.1",                 "sip:x@127.0.0.1",                    false },
		{ "sip:127.0.0.1",                   "sip:x@127.0.0.1",                    false },
		{ "sip:x@127.0.0.2",                 "sip:x@127.0.0.1",                    false },
		{ "sips:x@127.0.0.1",                "sip:x@127.0.0.1",                    false },
		{ "x",                               "sip:x@127.0.0.1",                    false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		struct auth_client c;
		char nonce[80];

		challenged(nonce, 0, SIP_TRANSP_TLS, SRC, "x", NOW);
		c = client("SHA-256", nonce);
		c.uri = v[i].uri;
		c.ruri = v[i].ruri;
		ck_assert_msg(check(&c, SIP_TRANSP_TLS, SRC, NOW) ==
			      (v[i].ok ? DIGEST_V_OK : DIGEST_V_MALFORMED), "%s", v[i].uri);
	}
}
END_TEST

START_TEST(the_method_is_part_of_the_proof)
{
	struct auth_client c;
	struct sip_msg *msg;
	char nonce[80], txt[4096];

	challenged(nonce, 0, SIP_TRANSP_TLS, SRC, "x", NOW);
	c = client("SHA-256", nonce);
	auth_request(txt, sizeof(txt), &c);
	memcpy(txt, "REFERS", 6);
	msg = auth_msg(txt, SIP_TRANSP_TLS, SRC);
	ck_assert_int_eq(digest_check(dig, cfg, msg, NOW, who, sizeof(who)), DIGEST_V_WRONG);
	mem_deref(msg);
}
END_TEST

START_TEST(many_failures_block_the_source_for_a_while_and_no_other)
{
	struct auth_client good, bad;
	char nonce[80], nonce2[80];

	challenged(nonce, 0, SIP_TRANSP_TLS, SRC, "x", NOW);
	challenged(nonce2, 0, SIP_TRANSP_TLS, OTHER, "x", NOW);
	good = client("SHA-256", nonce);
	bad = good;
	bad.pass = "guess";

	for (unsigned i = 0; i <= BACKOFF_FAILS; i++)
		ck_assert_int_eq(check(&bad, SIP_TRANSP_TLS, SRC, NOW), DIGEST_V_WRONG);

	/* another port of the same host is the same source */
	ck_assert_int_eq(check(&bad, SIP_TRANSP_TLS, "10.0.0.1:9", NOW), DIGEST_V_BLOCKED);
	ck_assert_int_eq(check(&good, SIP_TRANSP_TLS, SRC, NOW), DIGEST_V_BLOCKED);

	good.nonce = nonce2;
	ck_assert_int_eq(check(&good, SIP_TRANSP_TLS, OTHER, NOW), DIGEST_V_OK);

	good.nonce = nonce;
	ck_assert_int_eq(check(&good, SIP_TRANSP_TLS, SRC, NOW + BACKOFF_BLOCK_MS), DIGEST_V_OK);
	ck_assert_int_eq(check(&bad, SIP_TRANSP_TLS, SRC, NOW + BACKOFF_BLOCK_MS), DIGEST_V_WRONG);
	ck_assert_int_eq(check(&bad, SIP_TRANSP_TLS, SRC, NOW + BACKOFF_BLOCK_MS + 1),
			 DIGEST_V_BLOCKED);
}
END_TEST

START_TEST(forged_datagrams_get_nobody_blocked_and_guesses_do)
{
	struct auth_client c;
	char nonce[2][80];

	(void)challenged(nonce[0], 0, SIP_TRANSP_UDP, "192.0.2.9:5060", "x", NOW);
	c = client("SHA-256", nonce[0]);
	c.pass = "guess";
	for (uint32_t i = 0; i <= BACKOFF_FAILS; i++)
		ck_assert_int_eq(check(&c, SIP_TRANSP_UDP, SRC, NOW), DIGEST_V_STALE);

	(void)challenged(nonce[1], 0, SIP_TRANSP_UDP, SRC, "x", NOW);
	c = client("SHA-256", nonce[1]);
	ck_assert_int_eq(check(&c, SIP_TRANSP_UDP, SRC, NOW), DIGEST_V_OK);

	c.pass = "guess";
	for (uint32_t i = 0; i <= BACKOFF_FAILS; i++) {
		c.nc = i + 2;
		ck_assert_int_eq(check(&c, SIP_TRANSP_UDP, SRC, NOW), DIGEST_V_WRONG);
	}
	ck_assert_int_eq(check(&c, SIP_TRANSP_UDP, SRC, NOW), DIGEST_V_BLOCKED);
}
END_TEST

START_TEST(backoff_takes_an_ipv6_64_as_one_source_and_is_bounded)
{
	struct backoff *b = NULL;
	struct sa sa;
	char s[64];

	ck_assert_int_eq(backoff_alloc(&b), 0);
	for (unsigned i = 0; i <= BACKOFF_FAILS; i++) {
		re_snprintf(s, sizeof(s), "2001:db8::%x", i + 1);
		sa_set_str(&sa, s, 1);
		backoff_fail(b, &sa, NOW);
	}
	sa_set_str(&sa, "2001:db8::ffff", 1);
	ck_assert_uint_eq(backoff_wait(b, &sa, NOW), BACKOFF_BLOCK_MS);
	sa_set_str(&sa, "2001:db8:0:1::1", 1);
	ck_assert_uint_eq(backoff_wait(b, &sa, NOW), 0);

	for (uint32_t i = 0; i < 3 * BACKOFF_SOURCES; i++) {
		sa_init(&sa, AF_INET);
		sa_set_in(&sa, 0x0b000000 + i, 1);
		backoff_fail(b, &sa, NOW);
	}
	sa_set_str(&sa, "2001:db8::ffff", 1);
	ck_assert_uint_eq(backoff_wait(b, &sa, NOW), 0);
	mem_deref(b);
}
END_TEST

START_TEST(authorization_that_reads_two_ways_is_malformed)
{
#define MUST "username=\"a\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", response=\"0\""
	static const struct {
		const char *val;
		int err;
	} v[] = {
		{ "Digest " MUST, 0 },
		{ "digest\r\n " MUST ", qop=auth , nc = 00000001,cnonce=\"\"", 0 },
		{ "Digest " MUST ", new-param=\"a,b=c\"", 0 },
		{ "Basic YTpi", ENOTSUP },
		{ "", ENOTSUP },
		{ "Digest", EBADMSG },
		{ "Digest ", EBADMSG },
		{ "Digest " MUST ",", EBADMSG },
		{ "Digest " MUST " nc=00000001", EBADMSG },
		{ "Digest " MUST ", username=\"b\"", EBADMSG },
		{ "Digest " MUST ", USERNAME=b", EBADMSG },
		{ "Digest " MUST ", qop=\"auth", EBADMSG },
		{ "Digest " MUST ", qop=\"auth\\", EBADMSG },
		{ "Digest " MUST ", qop=", EBADMSG },
		{ "Digest " MUST ", =auth", EBADMSG },
		{ "Digest " MUST ", nc=000000001", EBADMSG },
		{ "Digest username=\"a\r\nb\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"0\"",
		  EBADMSG },
		{ "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\"", EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		struct authz az;
		struct pl pl;

		pl_set_str(&pl, v[i].val);
		ck_assert_msg(authz_decode(&az, &pl) == v[i].err, "%s", v[i].val);
	}
}
END_TEST

START_TEST(every_truncation_and_bit_flip_of_a_good_header_is_survived)
{
	static const char good[] = "Digest " MUST ", qop=auth, nc=00000001, cnonce=\"c\"";

	for (size_t len = 0; len < sizeof(good) - 1; len++) {
		char *copy = malloc(len ? len : 1);     /* ASan sees one byte too many */
		const struct pl pl = { copy, len };
		struct authz az;

		memcpy(copy, good, len);
		(void)authz_decode(&az, &pl);
		for (size_t i = 0; i < 8 * len; i++) {
			copy[i / 8] = (char)(copy[i / 8] ^ (1 << i % 8));
			(void)authz_decode(&az, &pl);
			copy[i / 8] = (char)(copy[i / 8] ^ (1 << i % 8));
		}
		free(copy);
	}
}
END_TEST

START_TEST(credentials_for_another_realm_or_without_qop_do_not_count)
{
	struct auth_client c;
	struct sip_msg *msg;
	char nonce[80], txt[4096];

	challenged(nonce, 0, SIP_TRANSP_TLS, SRC, "x", NOW);
	c = client("SHA-256", nonce);
	c.realm = "example.com";
	ck_assert_int_eq(check(&c, SIP_TRANSP_TLS, SRC, NOW), DIGEST_V_ABSENT);

	c = client("SHA-256", nonce);
	auth_request(txt, sizeof(txt), &c);
	memcpy(strstr(txt, "qop=auth"), "xop=auth", 8);
	msg = auth_msg(txt, SIP_TRANSP_TLS, SRC);
	ck_assert_int_eq(digest_check(dig, cfg, msg, NOW, who, sizeof(who)), DIGEST_V_MALFORMED);
	mem_deref(msg);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("digest");
	TCase *tc = tcase_create("digest");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, right_password_gives_the_identity_with_both_algorithms);
	tcase_add_test(tc, rfc_8760_order_follows_the_configuration_and_user_agent);
	tcase_add_test(tc, md5_is_neither_offered_nor_taken_outside_tls);
	tcase_add_test(tc, an_algorithm_that_was_not_offered_is_no_credential);
	tcase_add_test(tc, a_nonce_made_for_one_algorithm_is_stale_for_the_other);
	tcase_add_test(tc, wrong_password_and_unknown_user_look_alike);
	tcase_add_test(tc, unknown_user_costs_the_time_of_a_wrong_password);
	tcase_add_test(tc, user_may_be_written_with_or_without_the_domain);
	tcase_add_test(tc, nonce_of_another_flow_is_stale);
	tcase_add_test(tc, nonce_expires_and_a_forged_one_never_holds);
	tcase_add_test(tc, a_nonce_count_is_taken_once_and_out_of_order_ones_within_the_window);
	tcase_add_test(tc, forgetting_used_nonces_never_allows_a_replay);
	tcase_add_test(tc, uri_must_mean_the_request_uri_but_ports_and_parameters_may_differ);
	tcase_add_test(tc, the_method_is_part_of_the_proof);
	tcase_add_test(tc, many_failures_block_the_source_for_a_while_and_no_other);
	tcase_add_test(tc, forged_datagrams_get_nobody_blocked_and_guesses_do);
	tcase_add_test(tc, backoff_takes_an_ipv6_64_as_one_source_and_is_bounded);
	tcase_add_test(tc, authorization_that_reads_two_ways_is_malformed);
	tcase_add_test(tc, every_truncation_and_bit_flip_of_a_good_header_is_survived);
	tcase_add_test(tc, credentials_for_another_realm_or_without_qop_do_not_count);
	suite_add_tcase(s, tc);

	return check_run(s);
}
