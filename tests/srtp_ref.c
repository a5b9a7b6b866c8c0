/**
 * @file srtp_ref.c  SRTP written down from the RFCs, to compare with
 */
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include "srtp_ref.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 3; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

static void ctr(const uint8_t *key, size_t key_len, const uint8_t *iv,
		uint8_t *buf, size_t len)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	must(EVP_EncryptInit_ex(ctx, key_len == 32 ? EVP_aes_256_ctr() :
				EVP_aes_128_ctr(), NULL, key, iv));
	must(EVP_EncryptUpdate(ctx, buf, &n, buf, (int)len));
	EVP_CIPHER_CTX_free(ctx);
}

void srtp_ref_kdf(const uint8_t *key, size_t key_len, const uint8_t *salt,
		  size_t salt_len, uint8_t label, uint8_t *out, size_t len)
{
	uint8_t x[16] = { 0 };

	memcpy(x, salt, salt_len);
	x[7] ^= label;
	memset(out, 0, len);
	ctr(key, key_len, x, out, len);
}

void srtp_ref_init(struct srtp_ref *r, const struct suite *suite,
		   const uint8_t *keysalt)
{
	const size_t kl = suite->key_len, sl = suite->salt_len;

	memset(r, 0, sizeof(*r));
	r->suite = suite;
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t base = (uint8_t)(3 * i);

		srtp_ref_kdf(keysalt, kl, keysalt + kl, sl, base,
			     r->k[i].enc, kl);
		srtp_ref_kdf(keysalt, kl, keysalt + kl, sl,
			     (uint8_t)(base + 1), r->k[i].auth, 20);
		srtp_ref_kdf(keysalt, kl, keysalt + kl, sl,
			     (uint8_t)(base + 2), r->k[i].salt, sl);
	}
}

/* RFC 3711 section 4.1.1; lo is the index * 2^16, in two words */
static void cm_iv(uint8_t iv[16], const uint8_t *salt, const uint8_t *ssrc,
		  uint32_t hi, uint32_t lo)
{
	uint8_t idx[8];

	memset(iv, 0, 16);
	memcpy(iv, salt, 14);
	put32(idx, hi);
	put32(idx + 4, lo);
	for (int i = 0; i < 4; i++)
		iv[4 + i] ^= ssrc[i];
	for (int i = 0; i < 8; i++)
		iv[8 + i] ^= idx[i];
}

static void hmac(const uint8_t *key, const uint8_t *buf, size_t len,
		 uint8_t md[20])
{
	unsigned n = 20;

	must(HMAC(EVP_sha1(), key, 20, buf, len, md, &n) != NULL);
}

/* Encrypts in place and puts 16 bytes of tag behind */
static void gcm(const uint8_t *key, size_t key_len, const uint8_t *iv,
		const uint8_t *aad, size_t aad_len, uint8_t *buf, size_t len)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	must(EVP_EncryptInit_ex(ctx, key_len == 32 ? EVP_aes_256_gcm() :
				EVP_aes_128_gcm(), NULL, key, iv));
	must(EVP_EncryptUpdate(ctx, NULL, &n, aad, (int)aad_len));
	must(EVP_EncryptUpdate(ctx, buf, &n, buf, (int)len));
	must(EVP_EncryptFinal_ex(ctx, buf + len, &n));
	must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, buf + len));
	EVP_CIPHER_CTX_free(ctx);
}

static size_t append(uint8_t *pkt, size_t len, const uint8_t *p, size_t n)
{
	if (n)
		memcpy(pkt + len, p, n);

	return len + n;
}

/* RFC 7714 section 8.1: 00 00 || SSRC || four bytes || two bytes, XOR salt */
static void gcm_iv(uint8_t iv[12], const uint8_t *salt, const uint8_t *ssrc,
		   const uint8_t *six)
{
	memset(iv, 0, 12);
	memcpy(iv + 2, ssrc, 4);
	memcpy(iv + 6, six, 6);
	for (int i = 0; i < 12; i++)
		iv[i] ^= salt[i];
}

size_t srtp_ref_rtp(const struct srtp_ref *r, uint8_t *pkt, size_t len,
		    size_t hdr, uint32_t roc, const uint8_t *mki,
		    size_t mki_len)
{
	const uint32_t seq = (uint32_t)pkt[2] << 8 | pkt[3];
	uint8_t iv[16], md[20], six[6];

	put32(six, roc);
	memcpy(six + 4, pkt + 2, 2);

	if (r->suite->aead) {
		gcm_iv(iv, r->k[0].salt, pkt + 8, six);
		gcm(r->k[0].enc, r->suite->key_len, iv, pkt, hdr, pkt + hdr,
		    len - hdr);
		return append(pkt, len + 16, mki, mki_len);
	}

	cm_iv(iv, r->k[0].salt, pkt + 8, roc, seq << 16);
	ctr(r->k[0].enc, r->suite->key_len, iv, pkt + hdr, len - hdr);
	put32(pkt + len, roc);
	hmac(r->k[0].auth, pkt, len + 4, md);
	len = append(pkt, len, mki, mki_len);

	return append(pkt, len, md, r->suite->tag_len);
}

size_t srtp_ref_rtcp(const struct srtp_ref *r, uint8_t *pkt, size_t len,
		     uint32_t index, bool encrypt, const uint8_t *mki,
		     size_t mki_len)
{
	uint8_t iv[16], md[20], word[4], six[6] = { 0 }, aad[1600];

	put32(word, index | (encrypt ? 0x80000000u : 0));
	put32(six + 2, index);

	if (r->suite->aead) {
		const size_t clear = encrypt ? 8 : len;

		memcpy(aad, pkt, clear);
		memcpy(aad + clear, word, 4);
		gcm_iv(iv, r->k[1].salt, pkt + 4, six);
		gcm(r->k[1].enc, r->suite->key_len, iv, aad, clear + 4,
		    pkt + clear, len - clear);
		len = append(pkt, len + 16, word, 4);
		return append(pkt, len, mki, mki_len);
	}

	cm_iv(iv, r->k[1].salt, pkt + 4, index >> 16, index << 16);
	if (encrypt)
		ctr(r->k[1].enc, r->suite->key_len, iv, pkt + 8, len - 8);
	len = append(pkt, len, word, 4);
	hmac(r->k[1].auth, pkt, len, md);
	len = append(pkt, len, mki, mki_len);

	return append(pkt, len, md, 10);
}
