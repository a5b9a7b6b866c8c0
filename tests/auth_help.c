/**
 * @file auth_help.c  What the tests of the gate share
 */
#include <stdio.h>
#include <string.h>
#include <openssl/evp.h>
#include "auth_help.h"

static void cfg_destructor(void *arg)
{
	struct cfg *cfg = arg;

	list_flush(&cfg->userl);
}

struct cfg *auth_cfg(void)
{
	struct cfg *cfg = mem_zalloc(sizeof(*cfg), cfg_destructor);
	struct cfg_user *u = mem_zalloc(sizeof(*u), NULL);
	static char realm[] = "example.org", user[] = "alice", pass[] = "wonderland";

	cfg->realm = realm;
	u->user = user;
	u->password = pass;
	list_append(&cfg->userl, &u->le, u);

	cfg->digestv[0].algv[0] = DIGEST_SHA256;
	cfg->digestv[0].algv[1] = DIGEST_MD5;
	cfg->digestv[0].algc = 2;
	cfg->digestc = 1;

	return cfg;
}

struct sip_msg *auth_msg_mem(const char *txt, size_t len, enum sip_transp tp, const char *src)
{
	struct mbuf *mb = mbuf_alloc(len + 1);
	struct sip_msg *msg = NULL;
	struct sa sa;

	(void)mbuf_write_mem(mb, (const uint8_t *)txt, len);
	mb->pos = 0;

	if (!sip_msg_decode(&msg, mb)) {
		(void)sa_decode(&sa, src, strlen(src));
		msg->src = sa;
		msg->tp = tp;
	}
	mem_deref(mb);

	return msg;
}

struct sip_msg *auth_msg(const char *txt, enum sip_transp tp, const char *src)
{
	return auth_msg_mem(txt, strlen(txt), tp, src);
}

static void hash_str(char *hex, const char *alg, const char *s)
{
	const EVP_MD *md = strcmp(alg, "MD5") ? EVP_sha256() : EVP_md5();
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	EVP_Digest(s, strlen(s), raw, &len, md, NULL);
	for (unsigned i = 0; i < len; i++)
		sprintf(hex + 2 * i, "%02x", raw[i]);
}

void auth_request(char *buf, size_t size, const struct auth_client *c)
{
	char s[2048], ha1[80], ha2[80], resp[80], alg[40] = "", ua[120] = "";

	snprintf(s, sizeof(s), "%s:%s:%s", c->user, c->realm, c->pass);
	hash_str(ha1, c->alg, s);
	snprintf(s, sizeof(s), "%s:%s", c->method, c->uri);
	hash_str(ha2, c->alg, s);
	snprintf(s, sizeof(s), "%s:%s:%08x:c0ffee:auth:%s", ha1, c->nonce, c->nc, ha2);
	hash_str(resp, c->alg, s);

	if (!c->no_alg)
		snprintf(alg, sizeof(alg), ", algorithm=%s", c->alg);
	if (c->ua)
		snprintf(ua, sizeof(ua), "User-Agent: %s\r\n", c->ua);

	snprintf(buf, size,
		 "%s %s SIP/2.0\r\n"
		 "Via: SIP/2.0/TLS 10.0.0.1:5071;branch=z9hG4bK1;rport\r\n"
		 "From: <sip:alice@example.org>;tag=1\r\n"
		 "To: <sip:factory@example.org>\r\n"
		 "Call-ID: a\r\n"
		 "CSeq: 1 %s\r\n"
		 "%s"
		 "Authorization: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\","
		 " uri=\"%s\", response=\"%s\", cnonce=\"c0ffee\", qop=auth, nc=%08x%s%s\r\n"
		 "Content-Length: 0\r\n\r\n",
		 c->method, c->ruri ? c->ruri : c->uri, c->method, ua, c->user, c->realm,
		 c->nonce, c->uri, resp, c->nc, alg, c->extra ? c->extra : "");
}

void auth_nonce(char *buf, size_t size, struct mbuf *mb, unsigned n)
{
	struct pl pl = { (const char *)mb->buf, mb->end }, val;

	buf[0] = '\0';
	for (unsigned i = 0; i <= n; i++) {
		if (re_regex(pl.p, pl.l, "nonce=\"[^\"]+\"", &val))
			return;
		pl_advance(&pl, val.p + val.l - pl.p);
	}
	(void)pl_strcpy(&val, buf, size);
}
