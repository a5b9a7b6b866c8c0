/**
 * @file bfcp/floorfp.c  a=fingerprint
 *
 * Refs: RFC 8122 section 5
 */
#include <ctype.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include "floortls.h"

/* SHA-1, MD5 and MD2 are in the RFC, but prove nothing any more */
static const struct {
	const char *name;
	uint8_t len;
	const EVP_MD *(*md)(void);
} hashv[] = {
	{ "sha-256", 32, EVP_sha256 },
	{ "sha-384", 48, EVP_sha384 },
	{ "sha-512", 64, EVP_sha512 },
};


static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);

	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}


/** Two digits each, colons between */
static int dec_octets(struct floortls_fp *fp, const char *p, size_t n)
{
	if (n != 3 * (size_t)fp->len - 1)
		return EBADMSG;

	for (unsigned i = 0; i < fp->len; i++, p += 3) {
		const int hi = hex(p[0]), lo = hex(p[1]);

		if (hi < 0 || lo < 0 || (i + 1 < fp->len && p[2] != ':'))
			return EBADMSG;
		fp->v[i] = (uint8_t)(hi << 4 | lo);
	}

	return 0;
}


int floortls_fp_decode(struct floortls_fp *fp, const struct pl *val)
{
	struct pl name = *val;
	const char *sp = pl_strchr(val, ' ');
	int err;

	if (!sp)
		return EBADMSG;

	name.l = (size_t)(sp - val->p);
	for (size_t i = 0; i < ARRAY_SIZE(hashv); i++) {
		if (pl_strcasecmp(&name, hashv[i].name))
			continue;
		memset(fp, 0, sizeof(*fp));
		fp->len = hashv[i].len;
		err = dec_octets(fp, sp + 1, val->l - name.l - 1);
		if (err)
			fp->len = 0;
		return err;
	}

	return ENOTSUP;
}


int floortls_fp_print(struct re_printf *pf, const struct floortls_fp *fp)
{
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(hashv); i++) {
		if (hashv[i].len == fp->len)
			err |= re_hprintf(pf, "%s", hashv[i].name);
	}
	for (unsigned i = 0; i < fp->len; i++)
		err |= re_hprintf(pf, "%c%02X", i ? ':' : ' ', fp->v[i]);

	return err;
}


bool floortls_fps_match(const struct floortls_fps *a,
			const struct floortls_fps *b)
{
	for (unsigned i = 0; i < a->c; i++) {
		for (unsigned k = 0; k < b->c; k++) {
			if (a->v[i].len == b->v[k].len && a->v[i].len &&
			    !CRYPTO_memcmp(a->v[i].v, b->v[k].v,
					   a->v[i].len))
				return true;
		}
	}

	return false;
}


void floortls_fps_of(struct floortls_fps *fps, const X509 *cert)
{
	memset(fps, 0, sizeof(*fps));
	for (size_t i = 0; i < ARRAY_SIZE(hashv); i++) {
		struct floortls_fp *fp = &fps->v[fps->c];

		if (X509_digest(cert, hashv[i].md(), fp->v, NULL)) {
			fp->len = hashv[i].len;
			++fps->c;
		}
	}
}
