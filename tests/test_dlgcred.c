/**
 * @file test_dlgcred.c  Challenges to our INVITE, and what we answer
 *
 * The digests are computed again here, by way of another API.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>
#include "check_run.h"
#include "dlg_help.h"


static int password(char **user, char **pass, const char *realm, void *arg)
{
	(void)arg;

	++a.reqc;
	ck_assert_str_eq(realm, "our realm");
	if (str_dup(user, "alice") || str_dup(pass, "wonderland"))
		return ENOMEM;

	return 0;
}


static int no_password(char **user, char **pass, const char *realm, void *arg)
{
	(void)user;
	(void)pass;
	(void)realm;
	(void)arg;

	return ENOENT;
}


/** Hex of a text's digest, by way of another API than dialog/cred.c takes */
static void hex_of(char hex[65], const char *alg, const char *text)
{
	EVP_MD *md = EVP_MD_fetch(NULL, alg, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char bin[32];
	unsigned n = 0;

	ck_assert(EVP_DigestInit_ex2(ctx, md, NULL));
	ck_assert(EVP_DigestUpdate(ctx, text, strlen(text)));
	ck_assert(EVP_DigestFinal_ex(ctx, bin, &n));
	for (unsigned i = 0; i < n; i++)
		sprintf(hex + 2 * i, "%02x", bin[i]);
	EVP_MD_CTX_free(ctx);
	EVP_MD_free(md);
}


/** The value of one parameter, without quotes */
static void param(char *buf, size_t size, const char *hdr, const char *name)
{
	char key[32];
	const char *p;
	size_t n;

	(void)re_snprintf(key, sizeof(key), " %s=", name);
	p = strstr(hdr, key);
	ck_assert_msg(p != NULL, "no %s in %s", name, hdr);
	p += strlen(key);
	if (*p == '"')
		n = strcspn(++p, "\"");
	else
		n = strcspn(p, ",");
	ck_assert_uint_lt(n, size);
	memcpy(buf, p, n);
	buf[n] = '\0';
}


static void check_response(const struct sip_msg *msg, enum sip_hdrid id,
			   const char *alg, bool qop, const char *nc)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, id);
	char text[512], val[512], buf[128], cnonce[128] = "";
	char ha1[65], ha2[65], want[65];

	ck_assert_ptr_nonnull(hdr);
	(void)re_snprintf(val, sizeof(val), "%r", &hdr->val);
	param(buf, sizeof(buf), val, "username");
	ck_assert_str_eq(buf, "alice");
	param(buf, sizeof(buf), val, "realm");
	ck_assert_str_eq(buf, "our realm");
	param(buf, sizeof(buf), val, "nonce");
	ck_assert_str_eq(buf, "n0nce==");
	param(buf, sizeof(buf), val, "opaque");
	ck_assert_str_eq(buf, "0paque");
	param(buf, sizeof(buf), val, "uri");
	ck_assert(!pl_strcmp(&msg->ruri, buf));

	hex_of(ha1, alg, "alice:our realm:wonderland");
	(void)re_snprintf(text, sizeof(text), "%r:%r", &msg->met, &msg->ruri);
	hex_of(ha2, alg, text);
	if (qop) {
		param(buf, sizeof(buf), val, "nc");
		ck_assert_str_eq(buf, nc);
		param(buf, sizeof(buf), val, "qop");
		ck_assert_str_eq(buf, "auth");
		param(cnonce, sizeof(cnonce), val, "cnonce");
		ck_assert_uint_ge(strlen(cnonce), 16);
		(void)re_snprintf(text, sizeof(text),
				  "%s:n0nce==:%s:%s:auth:%s", ha1, nc, cnonce,
				  ha2);
	}
	else {
		ck_assert_ptr_null(strstr(val, "qop="));
		ck_assert_ptr_null(strstr(val, "nc="));
		(void)re_snprintf(text, sizeof(text), "%s:n0nce==:%s", ha1,
				  ha2);
	}
	hex_of(want, alg, text);
	param(buf, sizeof(buf), val, "response");
	ck_assert_str_eq(buf, want);
}


#define CHALL "Digest realm=\"our realm\", nonce=\"n0nce==\", opaque=\"0paque\""

static const struct {
	uint16_t scode;
	const char *hdrs;
	const char *alg;
	bool qop;
} challv[] = {
	{ 401, "WWW-Authenticate: " CHALL ", algorithm=SHA-256, "
	  "qop=\"auth\"\r\n", "SHA256", true },
	{ 401, "WWW-Authenticate: " CHALL ", algorithm=MD5, "
	  "qop=\"auth-int,auth\"\r\n", "MD5", true },
	{ 401, "WWW-Authenticate: " CHALL "\r\n", "MD5", false },
	{ 401, "WWW-Authenticate: " CHALL ", algorithm=sha-256\r\n", "SHA256",
	  false },
	{ 407, "Proxy-Authenticate: " CHALL ", algorithm=SHA-256, "
	  "qop=auth\r\n", "SHA256", true },
	/* the first that we know: RFC 8760 section 2.4 */
	{ 401, "WWW-Authenticate: " CHALL ", algorithm=SHA-512-256, "
	  "qop=\"auth\"\r\n"
	  "WWW-Authenticate: " CHALL ", algorithm=SHA-256, qop=\"auth\"\r\n"
	  "WWW-Authenticate: " CHALL ", algorithm=MD5, qop=\"auth\"\r\n",
	  "SHA256", true },
	{ 401, "WWW-Authenticate: Basic realm=\"our realm\"\r\n"
	  "WWW-Authenticate: " CHALL ", qop=\"auth-int\"\r\n"
	  "WWW-Authenticate: " CHALL ", algorithm=MD5, qop=\" auth \"\r\n",
	  "MD5", true },
};


START_TEST(challenge_is_answered)
{
	enum sip_hdrid id = challv[_i].scode == 407
		? SIP_HDR_PROXY_AUTHORIZATION : SIP_HDR_AUTHORIZATION;
	struct sip_msg *msg, *first;
	char buf[32];

	a.authh = password;
	end_connect(&a, &peer.laddr, body("hello"));
	first = peer_expect("INVITE");
	peer_reply(first, challv[_i].scode, "Who?", challv[_i].hdrs, NULL);
	peer_expect("ACK");
	msg = peer_expect("INVITE");
	ck_assert_uint_eq(a.reqc, 1);
	ck_assert_uint_eq(msg->cseq.num, first->cseq.num + 1);
	ck_assert(!pl_cmp(&msg->callid, &first->callid));
	ck_assert(!pl_isset(&msg->to.tag));
	body_get(buf, sizeof(buf), msg);
	ck_assert_str_eq(buf, "hello");
	check_response(msg, id, challv[_i].alg, challv[_i].qop, "00000001");

	peer_reply(msg, 200, "OK", PEER_CONTACT, "x");
	msg = peer_expect("ACK");
	check_response(msg, id, challv[_i].alg, challv[_i].qop, "00000002");
	end_drop(&a);
	msg = peer_expect("BYE");
	check_response(msg, id, challv[_i].alg, challv[_i].qop, "00000003");
	peer_reply(msg, 200, "OK", NULL, NULL);
	WAIT(!dlgs_count(a.ds));
}
END_TEST


START_TEST(wrong_password_ends_the_call)
{
	a.authh = password;
	end_connect(&a, &peer.laddr, body("hello"));
	for (int i = 0; i < 2; i++) {
		peer_reply(peer_expect("INVITE"), 401, "Who?",
			   challv[0].hdrs, NULL);
		peer_expect("ACK");
	}
	WAIT(a.closec);
	ck_assert_uint_eq(a.scode, 401);
	ck_assert(peer_quiet());
}
END_TEST


START_TEST(challenge_that_cannot_be_answered_ends_the_call)
{
	static const struct {
		dlg_auth_h *authh;
		const char *hdrs;
	} v[] = {
		{ NULL,        "WWW-Authenticate: " CHALL "\r\n" },
		{ no_password, "WWW-Authenticate: " CHALL "\r\n" },
		{ password,    "" },
		{ password,    "Proxy-Authenticate: " CHALL "\r\n" },
		{ password,    "WWW-Authenticate: Basic realm=\"x\"\r\n" },
		{ password,    "WWW-Authenticate: " CHALL
			       ", qop=\"auth-int\"\r\n" },
		{ password,    "WWW-Authenticate: " CHALL
			       ", algorithm=MD5-sess\r\n" },
		{ password,    "WWW-Authenticate: Digest realm=\"x\"\r\n" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(v); i++) {
		a.authh = v[i].authh;
		end_connect(&a, &peer.laddr, body("hello"));
		peer_reply(peer_expect("INVITE"), 401, "Who?", v[i].hdrs,
			   NULL);
		peer_expect("ACK");
		WAIT(a.closec == i + 1);
		ck_assert_uint_eq(a.scode, 401);
		ck_assert_uint_eq(dlgs_count(a.ds), 0);
	}
}
END_TEST


START_TEST(challenge_after_the_caller_has_gone_is_ignored)
{
	struct sip_msg *inv;

	a.authh = password;
	end_connect(&a, &peer.laddr, body("hello"));
	inv = peer_expect("INVITE");
	end_drop(&a);
	peer_reply(inv, 401, "Who?", challv[0].hdrs, NULL);
	peer_expect("ACK");
	WAIT(!dlgs_count(a.ds));
	ck_assert_uint_eq(a.reqc, 0);
}
END_TEST


int main(void)
{
	Suite *s = suite_create("dialog: credentials");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, peer_setup, peer_teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, challenge_is_answered, 0,
			    (int)ARRAY_SIZE(challv));
	tcase_add_test(tc, wrong_password_ends_the_call);
	tcase_add_test(tc, challenge_that_cannot_be_answered_ends_the_call);
	tcase_add_test(tc, challenge_after_the_caller_has_gone_is_ignored);
	suite_add_tcase(s, tc);

	return check_run(s);
}
