/**
 * @file gcm.h  SRTP by hand: AES-128-GCM with OpenSSL EVP, as RFC 7714 has it
 */
#ifndef BENCH_GCM_H
#define BENCH_GCM_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>

enum {
	GCM_KEY     = 16,
	GCM_HEADER  = 12,
	GCM_PAYLOAD = 80,
	GCM_TAG     = 16,
	GCM_PACKET  = GCM_HEADER + GCM_PAYLOAD + GCM_TAG,
};

static inline EVP_CIPHER_CTX *gcm_new(const uint8_t key[GCM_KEY], int encrypt)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (!EVP_CipherInit_ex2(ctx, EVP_aes_128_gcm(), key, NULL, encrypt, NULL))
		exit(1);

	return ctx;
}

/** One packet in place; it ends the process if it does not authenticate */
static inline void gcm(EVP_CIPHER_CTX *ctx, uint8_t *pkt, int encrypt)
{
	uint8_t *pay = pkt + GCM_HEADER, *tag = pay + GCM_PAYLOAD;
	uint8_t iv[12] = "";
	int n;

	memcpy(iv + 4, pkt + 2, 8);
	if (!EVP_CipherInit_ex2(ctx, NULL, NULL, iv, encrypt, NULL) ||
	    !EVP_CipherUpdate(ctx, NULL, &n, pkt, GCM_HEADER) ||
	    !EVP_CipherUpdate(ctx, pay, &n, pay, GCM_PAYLOAD))
		exit(1);
	if (encrypt) {
		if (!EVP_CipherFinal_ex(ctx, tag, &n) ||
		    !EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG, tag))
			exit(1);
	}
	else if (!EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, GCM_TAG, tag) ||
		 !EVP_CipherFinal_ex(ctx, tag, &n)) {
		exit(1);
	}
}

#endif
