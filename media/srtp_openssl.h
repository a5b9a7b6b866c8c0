/**
 * @file srtp_openssl.h  libsrtp's ciphers on OpenSSL (private to media/)
 */
#ifndef CONCLAVE_SRTP_OPENSSL_H
#define CONCLAVE_SRTP_OPENSSL_H

#include <srtp2/srtp.h>
#include <srtp2/cipher.h>
#include <srtp2/auth.h>

/**
 * Put AES-ICM, AES-GCM and HMAC-SHA1 on OpenSSL in the place of libsrtp's own;
 * libsrtp tests each against our vectors and against its own
 *
 * Call after srtp_init() and before any session exists.
 *
 * @return 0 if success, EIO if OpenSSL lacks an algorithm or a vector failed
 */
int  srtpx_openssl_register(void);

/** Drop what srtpx_openssl_register() fetched; no session may be left */
void srtpx_openssl_release(void);

/** HMAC-SHA1 (srtp_hmac.c) */
extern const srtp_auth_type_t srtpx_hmac_sha1;

/* Known answers from the RFCs (srtp_vectors.c), first of a chain each */
extern const srtp_cipher_test_case_t srtpx_vec_icm_128;
extern const srtp_cipher_test_case_t srtpx_vec_icm_256;
extern const srtp_cipher_test_case_t srtpx_vec_gcm_128;
extern const srtp_cipher_test_case_t srtpx_vec_gcm_256;
extern const srtp_auth_test_case_t   srtpx_vec_hmac_sha1;

#endif
