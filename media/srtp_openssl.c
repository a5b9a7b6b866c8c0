/**
 * @file srtp_openssl.c  libsrtp's AES on OpenSSL
 *
 * Debian's libsrtp2 is built on NSS, which costs 8 to 60 times more per
 * packet and 30 KB per session.  libsrtp lets a program replace its cipher
 * types; these here keep one EVP context per key, set up once, so that a
 * packet costs no key schedule, no algorithm look-up and no allocation.
 *
 * libsrtp counts the salt into key_len: 30 and 46 are AES-128 and AES-256 in
 * counter mode with a 14 byte salt, 28 and 44 are GCM with a 12 byte salt.
 * Counter mode gets the salt here and XORs it into each IV; for GCM libsrtp
 * does that itself and the IV comes ready made.
 *
 * Ownership:  libsrtp calls alloc and dealloc; dealloc wipes
 * Refs:       RFC 3711 section 4.1.1, RFC 6188 section 3, RFC 7714 section 8
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include "srtp_openssl.h"

enum {
	IV_SIZE  = 16,
	ICM_SALT = 14,
	GCM_SALT = 12,
	TAG_MAX  = 16,
	/* Largest GCM packet: a full MTU with room for tag and MKI */
	PLAIN_MAX = 2048,
};

struct algo {
	const char *name;         /* OpenSSL's name                          */
	int salt_len;
	int keysalt_len;          /* libsrtp's key_len                       */
	EVP_CIPHER *evp;          /* fetched once: a fetch costs a microsecond */
	srtp_cipher_type_t type;
};

struct cipher {
	srtp_cipher_t pub;        /* what libsrtp sees                       */
	EVP_CIPHER_CTX *ctx;
	const struct algo *algo;
	int tag_len;              /* GCM only                                */
	uint8_t offset[IV_SIZE];  /* ICM only: salt * 2^16                   */
};

static srtp_err_status_t icm_alloc(srtp_cipher_t **cp, int key_len, int tag_len);
static srtp_err_status_t gcm_alloc(srtp_cipher_t **cp, int key_len, int tag_len);
static srtp_err_status_t cipher_dealloc(srtp_cipher_t *pub);
static srtp_err_status_t icm_init(void *state, const uint8_t *key);
static srtp_err_status_t gcm_init(void *state, const uint8_t *key);
static srtp_err_status_t icm_set_iv(void *state, uint8_t *iv,
				    srtp_cipher_direction_t dir);
static srtp_err_status_t gcm_set_iv(void *state, uint8_t *iv,
				    srtp_cipher_direction_t dir);
static srtp_err_status_t gcm_set_aad(void *state, const uint8_t *aad,
				     uint32_t len);
static srtp_err_status_t icm_crypt(void *state, uint8_t *buf, unsigned *lenp);
static srtp_err_status_t gcm_encrypt(void *state, uint8_t *buf, unsigned *lenp);
static srtp_err_status_t gcm_decrypt(void *state, uint8_t *buf, unsigned *lenp);
static srtp_err_status_t gcm_get_tag(void *state, uint8_t *tag, uint32_t *lenp);

#define ICM_TYPE(bits) {						\
	.alloc = icm_alloc, .dealloc = cipher_dealloc, .init = icm_init,\
	.encrypt = icm_crypt, .decrypt = icm_crypt,			\
	.set_iv = icm_set_iv,						\
	.description = "AES-" #bits " counter mode, OpenSSL",		\
	.test_data = &srtpx_vec_icm_##bits, .id = SRTP_AES_ICM_##bits }

#define GCM_TYPE(bits) {						\
	.alloc = gcm_alloc, .dealloc = cipher_dealloc, .init = gcm_init,\
	.encrypt = gcm_encrypt, .decrypt = gcm_decrypt,			\
	.set_iv = gcm_set_iv, .set_aad = gcm_set_aad,			\
	.get_tag = gcm_get_tag,						\
	.description = "AES-" #bits " GCM, OpenSSL",			\
	.test_data = &srtpx_vec_gcm_##bits, .id = SRTP_AES_GCM_##bits }

static struct algo algov[] = {
	{ "AES-128-CTR", ICM_SALT, 30, NULL, ICM_TYPE(128) },
	{ "AES-256-CTR", ICM_SALT, 46, NULL, ICM_TYPE(256) },
	{ "AES-128-GCM", GCM_SALT, 28, NULL, GCM_TYPE(128) },
	{ "AES-256-GCM", GCM_SALT, 44, NULL, GCM_TYPE(256) },
};

enum { ALGOC = sizeof(algov) / sizeof(algov[0]) };

static const struct algo *algo_find(int salt_len, int keysalt_len)
{
	for (size_t i = 0; i < ALGOC; i++) {
		if (algov[i].salt_len == salt_len &&
		    algov[i].keysalt_len == keysalt_len)
			return &algov[i];
	}

	return NULL;
}

static srtp_err_status_t cipher_alloc(srtp_cipher_t **cp, int salt_len,
				      int key_len, int tag_len)
{
	const struct algo *a = algo_find(salt_len, key_len);
	struct cipher *c;

	if (!a)
		return srtp_err_status_bad_param;

	c = OPENSSL_zalloc(sizeof(*c));
	if (!c)
		return srtp_err_status_alloc_fail;

	c->ctx = EVP_CIPHER_CTX_new();
	if (!c->ctx) {
		OPENSSL_free(c);
		return srtp_err_status_alloc_fail;
	}

	c->algo    = a;
	c->tag_len = tag_len;
	c->pub.type      = &a->type;
	c->pub.state     = c;
	c->pub.key_len   = key_len;
	c->pub.algorithm = (int)a->type.id;
	*cp = &c->pub;

	return srtp_err_status_ok;
}

static srtp_err_status_t icm_alloc(srtp_cipher_t **cp, int key_len, int tag_len)
{
	(void)tag_len;

	return cipher_alloc(cp, ICM_SALT, key_len, 0);
}

static srtp_err_status_t gcm_alloc(srtp_cipher_t **cp, int key_len, int tag_len)
{
	/* 8 appears in libsrtp's own vectors only, no suite of ours has it */
	if (tag_len != TAG_MAX && tag_len != 8)
		return srtp_err_status_bad_param;

	return cipher_alloc(cp, GCM_SALT, key_len, tag_len);
}

static srtp_err_status_t cipher_dealloc(srtp_cipher_t *pub)
{
	struct cipher *c;

	if (!pub)
		return srtp_err_status_bad_param;

	c = pub->state;
	EVP_CIPHER_CTX_free(c->ctx);      /* the provider wipes the schedule */
	OPENSSL_clear_free(c, sizeof(*c));

	return srtp_err_status_ok;
}

static srtp_err_status_t icm_init(void *state, const uint8_t *key)
{
	struct cipher *c = state;
	const size_t klen = (size_t)(c->algo->keysalt_len - ICM_SALT);

	memset(c->offset, 0, sizeof(c->offset));
	memcpy(c->offset, key + klen, ICM_SALT);

	if (!EVP_EncryptInit_ex2(c->ctx, c->algo->evp, key, NULL, NULL))
		return srtp_err_status_init_fail;

	return srtp_err_status_ok;
}

/* RFC 3711 section 4.1.1: IV = (k_s * 2^16) XOR (SSRC * 2^64) XOR (i * 2^16) */
static srtp_err_status_t icm_set_iv(void *state, uint8_t *iv,
				    srtp_cipher_direction_t dir)
{
	struct cipher *c = state;
	uint8_t ctr[IV_SIZE];

	(void)dir;

	for (size_t i = 0; i < IV_SIZE; i++)
		ctr[i] = iv[i] ^ c->offset[i];

	if (!EVP_EncryptInit_ex2(c->ctx, NULL, NULL, ctr, NULL))
		return srtp_err_status_cipher_fail;

	return srtp_err_status_ok;
}

static srtp_err_status_t icm_crypt(void *state, uint8_t *buf, unsigned *lenp)
{
	struct cipher *c = state;
	int n = 0;

	if (*lenp > INT_MAX)
		return srtp_err_status_bad_param;
	if (*lenp && !EVP_EncryptUpdate(c->ctx, buf, &n, buf, (int)*lenp))
		return srtp_err_status_cipher_fail;

	return srtp_err_status_ok;
}

static srtp_err_status_t gcm_init(void *state, const uint8_t *key)
{
	struct cipher *c = state;

	/* The schedule is the same for both directions; set_iv says which */
	if (!EVP_EncryptInit_ex2(c->ctx, c->algo->evp, key, NULL, NULL))
		return srtp_err_status_init_fail;

	return srtp_err_status_ok;
}

static srtp_err_status_t gcm_set_iv(void *state, uint8_t *iv,
				    srtp_cipher_direction_t dir)
{
	struct cipher *c = state;

	if (!EVP_CipherInit_ex2(c->ctx, NULL, NULL, iv,
				dir == srtp_direction_encrypt, NULL))
		return srtp_err_status_cipher_fail;

	return srtp_err_status_ok;
}

/* May come in pieces: SRTCP adds the ESRTCP word, RFC 7714 section 9.2 */
static srtp_err_status_t gcm_set_aad(void *state, const uint8_t *aad,
				     uint32_t len)
{
	struct cipher *c = state;
	int n;

	if (len > INT_MAX ||
	    !EVP_CipherUpdate(c->ctx, NULL, &n, aad, (int)len))
		return srtp_err_status_algo_fail;

	return srtp_err_status_ok;
}

static srtp_err_status_t gcm_encrypt(void *state, uint8_t *buf, unsigned *lenp)
{
	struct cipher *c = state;
	uint8_t none[TAG_MAX];
	int n = 0;

	if (*lenp > INT_MAX)
		return srtp_err_status_bad_param;
	if (*lenp && !EVP_EncryptUpdate(c->ctx, buf, &n, buf, (int)*lenp))
		return srtp_err_status_cipher_fail;
	if (!EVP_EncryptFinal_ex(c->ctx, none, &n))
		return srtp_err_status_cipher_fail;

	return srtp_err_status_ok;
}

static srtp_err_status_t gcm_get_tag(void *state, uint8_t *tag, uint32_t *lenp)
{
	struct cipher *c = state;

	if (!EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_GET_TAG, c->tag_len,
				 tag))
		return srtp_err_status_cipher_fail;
	*lenp = (uint32_t)c->tag_len;

	return srtp_err_status_ok;
}

/*
 * OpenSSL gives out plaintext before it has seen the tag.  It goes to a
 * buffer of ours first, so that a packet which does not authenticate stays as
 * it was: the caller may have another key to try, and unauthenticated
 * plaintext is never seen (RFC 5116 section 2.2).
 */
static srtp_err_status_t gcm_decrypt(void *state, uint8_t *buf, unsigned *lenp)
{
	struct cipher *c = state;
	uint8_t plain[PLAIN_MAX];
	int len, n = 0, m = 0;

	if (*lenp < (unsigned)c->tag_len ||
	    *lenp - (unsigned)c->tag_len > sizeof(plain))
		return srtp_err_status_bad_param;
	len = (int)*lenp - c->tag_len;

	if (!EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_SET_TAG, c->tag_len,
				 buf + len))
		return srtp_err_status_cipher_fail;
	if (len && !EVP_DecryptUpdate(c->ctx, plain, &n, buf, len))
		return srtp_err_status_cipher_fail;
	if (EVP_DecryptFinal_ex(c->ctx, plain, &m) <= 0) {
		OPENSSL_cleanse(plain, (size_t)len);
		return srtp_err_status_auth_fail;
	}

	memcpy(buf, plain, (size_t)len);
	*lenp = (unsigned)len;

	return srtp_err_status_ok;
}

int srtpx_openssl_register(void)
{
	int err = 0;

	for (size_t i = 0; i < ALGOC && !err; i++) {
		struct algo *a = &algov[i];

		a->evp = EVP_CIPHER_fetch(NULL, a->name, NULL);
		if (!a->evp || srtp_replace_cipher_type(&a->type, a->type.id))
			err = EIO;
	}
	if (!err && srtp_replace_auth_type(&srtpx_hmac_sha1, SRTP_HMAC_SHA1))
		err = EIO;
	if (err)
		srtpx_openssl_release();

	return err;
}

void srtpx_openssl_release(void)
{
	for (size_t i = 0; i < ALGOC; i++) {
		EVP_CIPHER_free(algov[i].evp);
		algov[i].evp = NULL;
	}
}
