/**
 * @file test_negfloor.c  The BFCP line of a session description
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "check_run.h"
#include "focus/negotiate.h"

#define FP32 "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:" \
	"00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff"
#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\n" \
	"c=IN IP4 192.0.2.7\r\nt=0 0\r\n"
#define AUDIO "m=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 " \
	"inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd\r\n"
#define BFCP "m=application 9 TCP/TLS/BFCP *\r\n"
#define FINGER "a=fingerprint:SHA-256 " FP32 "\r\n"

static struct descr d;
static struct neg_floor f;


static void pick(const char *text)
{
	const char *reason = NULL;
	struct pl pl;

	pl_set_str(&pl, text);
	ck_assert_msg(!descr_decode(&d, &pl, &reason), "%s", reason);
	memset(&f, 0xff, sizeof(f));
	neg_floor_pick(&f, &d);
}


START_TEST(usual_line_is_taken)
{
	pick(HEAD AUDIO BFCP "a=setup:actpass\r\na=connection:new\r\n"
	     "a=floorctrl:c-only\r\na=bfcpver:1\r\n" FINGER);
	ck_assert(f.on);
	ck_assert_uint_eq(f.index, 1);
	ck_assert(!f.we_connect);
	ck_assert(!f.existing);
	ck_assert_uint_eq(f.fps.c, 1);
	ck_assert_uint_eq(f.fps.v[0].len, 32);
	ck_assert_uint_eq(f.fps.v[0].v[1], 0x11);
	ck_assert_uint_eq(f.fps.v[0].v[31], 0xff);
}
END_TEST


static const char *const takenv[] = {
	/* defaults: active, client, version by transport */
	HEAD AUDIO BFCP FINGER,
	HEAD BFCP FINGER AUDIO,
	/* old peers: RFC 8856 section 5.1 */
	HEAD AUDIO BFCP FINGER "a=floorctrl:c-s\r\n",
	HEAD AUDIO BFCP FINGER "a=floorctrl:c-only s-only\r\n",
	HEAD AUDIO BFCP FINGER "a=bfcpver:2 1\r\n",
	/* of the session, for its streams */
	"v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\n"
	"t=0 0\r\n" FINGER "a=setup:active\r\n" AUDIO BFCP,
	/* one good hash is enough */
	HEAD AUDIO BFCP "a=fingerprint:sha-1 00:11\r\n"
	"a=fingerprint:sha-256 00:11\r\n" FINGER,
	/* a refused one before it */
	HEAD AUDIO "m=application 9 TCP/BFCP *\r\n" BFCP FINGER,
};

START_TEST(good_lines_are_taken)
{
	pick(takenv[_i]);
	ck_assert(f.on);
	ck_assert_uint_eq(f.fps.c, 1);
}
END_TEST


static const char *const refusedv[] = {
	HEAD AUDIO,
	HEAD AUDIO "m=application 0 TCP/TLS/BFCP *\r\n" FINGER,
	HEAD AUDIO "m=application 9 TCP/BFCP *\r\n" FINGER,
	HEAD AUDIO "m=application 9 UDP/BFCP *\r\n" FINGER,
	HEAD AUDIO "m=application 9 UDP/TLS/BFCP *\r\n" FINGER,
	HEAD AUDIO "m=application 9 TCP/DTLS/BFCP *\r\n" FINGER,
	HEAD AUDIO "m=video 9 TCP/TLS/BFCP *\r\n" FINGER,
	HEAD AUDIO BFCP FINGER "a=floorctrl:s-only\r\n",
	HEAD AUDIO BFCP FINGER "a=bfcpver:2\r\n",
	HEAD AUDIO BFCP FINGER "a=setup:holdconn\r\n",
	HEAD AUDIO BFCP FINGER "a=setup:whatever\r\n",
	HEAD AUDIO BFCP "a=fingerprint:sha-1 00:11:22:33:44:55:66:77:88:99:"
	"AA:BB:CC:DD:EE:FF:00:11:22:33\r\n",
	HEAD AUDIO BFCP "a=fingerprint:sha-256\r\n",
	HEAD AUDIO BFCP "a=fingerprint:sha-256 " FP32 ":00\r\n",
	HEAD AUDIO BFCP "a=fingerprint:sha-256 " FP32 "0\r\n",
	HEAD AUDIO BFCP "a=fingerprint:sha-256 00-11" FP32 "\r\n",
	/* passive, but nowhere */
	HEAD AUDIO "m=application 5000 TCP/TLS/BFCP *\r\nc=IN IP4 0.0.0.0\r\n"
	"a=setup:passive\r\n" FINGER,
};

START_TEST(everything_else_is_refused)
{
	static const struct neg_floor none;

	pick(refusedv[_i]);
	ck_assert(!f.on);
	ck_assert_mem_eq(&f, &none, sizeof(f));
}
END_TEST


/* that of another stream says nothing */
static const char *const unnamedv[] = { HEAD AUDIO BFCP, HEAD AUDIO FINGER BFCP };

START_TEST(without_fingerprint_it_is_left_to_the_certificate_shown)
{
	pick(unnamedv[_i]);
	ck_assert(f.on);
	ck_assert_uint_eq(f.index, 1);
	ck_assert_uint_eq(f.fps.c, 0);
}
END_TEST


START_TEST(line_with_fingerprint_goes_before_one_without)
{
	pick(HEAD AUDIO BFCP BFCP FINGER);
	ck_assert(f.on);
	ck_assert_uint_eq(f.index, 2);
	ck_assert_uint_eq(f.fps.c, 1);
}
END_TEST


START_TEST(passive_peer_is_connected_to)
{
	char addr[64];

	pick(HEAD AUDIO "m=application 5000 TCP/TLS/BFCP *\r\n"
	     "c=IN IP4 192.0.2.9\r\na=setup:passive\r\na=connection:existing\r\n"
	     FINGER);
	ck_assert(f.on && f.we_connect && f.existing);
	(void)re_snprintf(addr, sizeof(addr), "%J", &f.peer);
	ck_assert_str_eq(addr, "192.0.2.9:5000");
}
END_TEST


static void print(char *buf, size_t size, const struct neg_floor *nf,
		  bool existing)
{
	struct floortls_fp fp = { .len = 32, .v = { 0xab, 1 } };
	struct neg_floor_local l = { .confid = 4294967295u, .userid = 65535,
				     .existing = existing, .fp = &fp };
	struct mbuf *mb = mbuf_alloc(64);

	sa_set_str(&l.addr, "198.51.100.1", 5070);
	ck_assert_int_eq(neg_floor_print(mb, nf, &l), 0);
	ck_assert_uint_lt(mb->end, size);
	memcpy(buf, mb->buf, mb->end);
	buf[mb->end] = '\0';
	mem_deref(mb);
}


START_TEST(answer_says_all_that_a_client_needs)
{
	struct neg_floor nf = { .on = true, .index = 1 };
	char buf[1024];

	print(buf, sizeof(buf), &nf, false);
	ck_assert_ptr_nonnull(strstr(buf,
		"m=application 5070 TCP/TLS/BFCP *\r\n"
		"c=IN IP4 198.51.100.1\r\n"
		"a=setup:passive\r\na=connection:new\r\n"
		"a=fingerprint:sha-256 AB:01:00:"));
	ck_assert_ptr_nonnull(strstr(buf, "a=floorctrl:s-only\r\n"
		"a=confid:4294967295\r\na=userid:65535\r\n"
		"a=floorid:1 mstrm:10\r\na=bfcpver:1\r\n"));
	print(buf, sizeof(buf), &nf, true);
	ck_assert_ptr_nonnull(strstr(buf, "a=connection:existing\r\n"));
	nf.we_connect = true;
	print(buf, sizeof(buf), &nf, false);
	ck_assert_ptr_nonnull(strstr(buf, "m=application 9 TCP/TLS/BFCP *"));
	ck_assert_ptr_nonnull(strstr(buf, "a=setup:active\r\n"));
}
END_TEST


START_TEST(session_without_floor_answers_port_0)
{
	static const char offer[] = HEAD AUDIO BFCP FINGER;
	static struct cfg_conf cc;
	struct neg_local l;
	struct neg_mlines ml;
	struct neg_err e;
	struct secret *key;
	struct mbuf *mb;
	uint32_t ver = 0;
	uint8_t hash[32] = { 0 };
	struct neg_keys keys;
	struct neg n;
	struct pl pl;

	memset(&n, 0, sizeof(n));
	memset(&ml, 0, sizeof(ml));
	memset(&l, 0, sizeof(l));
	cc.suitev[0] = SUITE_AES_CM_128_HMAC_SHA1_80;
	cc.suitec = 1;
	cc.codecv[0] = CODEC_PCMU;
	cc.codecc = 1;
	cc.floor = CFG_FLOOR_NONE;
	sa_set_str(&l.rtp, "198.51.100.1", 30000);
	l.sess_ver = &ver;
	l.body_hash = hash;
	ck_assert_int_eq(secret_draw(&key, 30), 0);
	pl_set_str(&pl, offer);
	ck_assert_int_eq(neg_offer(&n, &pl, &d, &cc, true, &e), 0);
	ck_assert(!n.floor.on);
	ck_assert_int_eq(neg_mlines_set(&ml, &d, n.index), 0);
	keys = (struct neg_keys){ .v = { { key, 0 } }, .c = 1 };
	ck_assert_int_eq(neg_print_answer(&mb, &n, &ml, &l, &keys), 0);
	ck_assert_ptr_nonnull(memmem(mb->buf, mb->end,
		"m=application 0 TCP/TLS/BFCP *\r\n", 32));
	ck_assert_ptr_null(memmem(mb->buf, mb->end, "a=label", 7));
	mem_deref(mb);
	neg_reset(&n);
	neg_mlines_reset(&ml);
	secret_free(&key);
}
END_TEST


int main(void)
{
	Suite *s = suite_create("negfloor");
	TCase *tc = tcase_create("negfloor");

	tcase_add_test(tc, usual_line_is_taken);
	tcase_add_loop_test(tc, good_lines_are_taken, 0, (int)ARRAY_SIZE(takenv));
	tcase_add_loop_test(tc, everything_else_is_refused, 0, (int)ARRAY_SIZE(refusedv));
	tcase_add_loop_test(tc, without_fingerprint_it_is_left_to_the_certificate_shown, 0,
			    (int)ARRAY_SIZE(unnamedv));
	tcase_add_test(tc, line_with_fingerprint_goes_before_one_without);
	tcase_add_test(tc, passive_peer_is_connected_to);
	tcase_add_test(tc, answer_says_all_that_a_client_needs);
	tcase_add_test(tc, session_without_floor_answers_port_0);
	suite_add_tcase(s, tc);

	return check_run(s);
}
