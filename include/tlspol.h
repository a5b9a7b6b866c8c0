/**
 * @file tlspol.h  What every TLS context of ours allows
 *
 * TLS 1.2 and 1.3; ECDHE with AES-GCM or ChaCha20-Poly1305; X25519, P-256,
 * P-384; no SHA-1 signatures, renegotiation, compression, resumption or early
 * data.  Whose certificate is good is said elsewhere: tlsid.h for SIP,
 * floortls.h for floor control.
 *
 * Refs:  RFC 9325
 */
#ifndef CONCLAVE_TLSPOL_H
#define CONCLAVE_TLSPOL_H

#include <openssl/ssl.h>

/** 0, or ENOSYS if this OpenSSL lacks a part of it */
int tlspol_set(SSL_CTX *ctx);

#endif
