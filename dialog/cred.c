/**
 * @file dialog/cred.c  Digest credentials of a client
 */
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include "dialog/cred.h"

enum { HEX_MAX = 2 * EVP_MAX_MD_SIZE + 1 };

struct cred {
	char *user;
	char *pass;
	char *realm;
	char *nonce;
	char *opaque;           /* or NULL                                    */
	char *algorithm;        /* as the server spelled it, or NULL          */
	const EVP_MD *md;
	uint32_t nc;
	bool qop;
	bool proxy;
};


static void destructor(void *arg)
{
	struct cred *c = arg;

	if (c->pass)
		OPENSSL_cleanse(c->pass, str_len(c->pass));
	mem_deref(c->user);
	mem_deref(c->pass);
	mem_deref(c->realm);
	mem_deref(c->nonce);
	mem_deref(c->opaque);
	mem_deref(c->algorithm);
}


static const EVP_MD *digest_of(const struct pl *alg)
{
	if (!pl_isset(alg) || !pl_strcasecmp(alg, "MD5"))
		return EVP_md5();
	if (!pl_strcasecmp(alg, "SHA-256"))
		return EVP_sha256();

	return NULL;
}


static bool is_separator(char c)
{
	return c == ' ' || c == '\t' || c == ',';
}


/** qop="auth,auth-int": we do auth */
static bool has_qop_auth(const struct pl *qop)
{
	size_t end;

	for (size_t i = 0; i < qop->l; i = end + 1) {
		struct pl w;

		for (end = i; end < qop->l && !is_separator(qop->p[end]);)
			++end;

		w.p = qop->p + i;
		w.l = end - i;
		if (!pl_strcasecmp(&w, "auth"))
			return true;
	}

	return false;
}


struct pick {
	struct httpauth_digest_chall ch;
	const EVP_MD *md;
};


/** The first one that we can answer */
static bool pick_handler(const struct sip_hdr *hdr, const struct sip_msg *msg,
			 void *arg)
{
	struct pick *p = arg;
	(void)msg;

	if (httpauth_digest_challenge_decode(&p->ch, &hdr->val))
		return false;

	/* auth-int only: we do not hash bodies */
	if (pl_isset(&p->ch.qop) && !has_qop_auth(&p->ch.qop))
		return false;

	p->md = digest_of(&p->ch.algorithm);

	return p->md != NULL;
}


static int fill(struct cred *c, const struct pick *p)
{
	int err;

	c->md  = p->md;
	c->qop = pl_isset(&p->ch.qop);
	err  = pl_strdup(&c->realm, &p->ch.realm);
	err |= pl_strdup(&c->nonce, &p->ch.nonce);
	if (pl_isset(&p->ch.opaque))
		err |= pl_strdup(&c->opaque, &p->ch.opaque);
	if (pl_isset(&p->ch.algorithm))
		err |= pl_strdup(&c->algorithm, &p->ch.algorithm);

	return err ? ENOMEM : 0;
}


int cred_challenge(struct cred **cp, const struct sip_msg *msg,
		   dlg_auth_h *authh, void *arg)
{
	bool proxy = msg->scode == 407;
	struct pick p;
	struct cred *c;
	int err;

	memset(&p, 0, sizeof(p));
	if (!sip_msg_hdr_apply(msg, true, proxy ? SIP_HDR_PROXY_AUTHENTICATE
			       : SIP_HDR_WWW_AUTHENTICATE, pick_handler, &p))
		return ENOENT;

	c = mem_zalloc(sizeof(*c), destructor);
	if (!c)
		return ENOMEM;

	c->proxy = proxy;
	err = fill(c, &p);
	if (!err && (authh(&c->user, &c->pass, c->realm, arg) ||
		     !c->user || !c->pass))
		err = EAUTH;

	if (err)
		mem_deref(c);
	else
		*cp = c;

	return err;
}


/** Hex digest of a text; the text is wiped */
static int digest(char hex[HEX_MAX], const EVP_MD *md, char *text)
{
	uint8_t bin[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	int err = 0;

	if (!EVP_Digest(text, str_len(text), bin, &len, md, NULL) ||
	    re_snprintf(hex, HEX_MAX, "%w", bin, (size_t)len) < 0)
		err = EIO;

	OPENSSL_cleanse(text, str_len(text));
	mem_deref(text);

	return err;
}


static int response(char hex[HEX_MAX], const struct cred_use *use,
		    uint64_t cnonce)
{
	const struct cred *c = use->cred;
	char ha1[HEX_MAX], ha2[HEX_MAX];
	char *text = NULL;
	int err;

	err = re_sdprintf(&text, "%s:%s:%s", c->user, c->realm, c->pass);
	if (!err)
		err = digest(ha1, c->md, text);
	if (!err)
		err = re_sdprintf(&text, "%s:%s", use->met, use->uri);
	if (!err)
		err = digest(ha2, c->md, text);
	if (!err && c->qop)
		err = re_sdprintf(&text, "%s:%s:%08x:%016llx:auth:%s", ha1,
				  c->nonce, c->nc, cnonce, ha2);
	else if (!err)
		err = re_sdprintf(&text, "%s:%s:%s", ha1, c->nonce, ha2);
	if (!err)
		err = digest(hex, c->md, text);
	OPENSSL_cleanse(ha1, sizeof(ha1));

	return err;
}


int cred_print(struct re_printf *pf, const struct cred_use *use)
{
	struct cred *c = use->cred;
	uint64_t cnonce = 0;
	char hex[HEX_MAX];
	int err;

	if (!c)
		return 0;

	if (1 != RAND_bytes((uint8_t *)&cnonce, sizeof(cnonce)))
		return EIO;

	++c->nc;
	err = response(hex, use, cnonce);
	if (err)
		return err;

	err = re_hprintf(pf, "%s: Digest username=\"%s\", realm=\"%s\", "
			 "nonce=\"%s\", uri=\"%s\", response=\"%s\"",
			 c->proxy ? "Proxy-Authorization" : "Authorization",
			 c->user, c->realm, c->nonce, use->uri, hex);
	if (c->algorithm)
		err |= re_hprintf(pf, ", algorithm=%s", c->algorithm);
	if (c->opaque)
		err |= re_hprintf(pf, ", opaque=\"%s\"", c->opaque);
	if (c->qop)
		err |= re_hprintf(pf, ", qop=auth, nc=%08x, "
				  "cnonce=\"%016llx\"", c->nc, cnonce);
	err |= re_hprintf(pf, "\r\n");

	return err;
}
