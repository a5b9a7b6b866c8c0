/**
 * @file keys/tlspol.c  What every TLS context of ours allows
 */
#include <errno.h>
#include "tlspol.h"

/* RFC 9325 section 4.2: forward secrecy and AEAD only */
#define CIPHERS12  "ECDHE+AESGCM:ECDHE+CHACHA20"
#define CIPHERS13  "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"
#define GROUPS     "X25519:P-256:P-384"
#define SIGALGS    "ed25519:ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:" \
	"RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:" \
	"rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:" \
	"RSA+SHA256:RSA+SHA384:RSA+SHA512"

/**
 * One TLS 1.3 "ticket" is sent although no session is ever resumed: with
 * SSL_OP_NO_TICKET it is a mere name for a session in a cache that we do not
 * have.  It is sent for the ACK that travels with it: a client with Nagle's
 * algorithm (all on libre) holds its first request back until its Finished is
 * acknowledged, which else takes the 40 ms of a delayed ACK.
 */
int tlspol_set(SSL_CTX *ctx)
{
	const uint64_t opts = SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
		SSL_OP_CIPHER_SERVER_PREFERENCE;

	SSL_CTX_set_options(ctx, opts);
	SSL_CTX_clear_options(ctx, SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION |
			      SSL_OP_LEGACY_SERVER_CONNECT);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);

	if (SSL_CTX_get_security_level(ctx) < 2)
		SSL_CTX_set_security_level(ctx, 2);

	if (!SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) ||
	    !SSL_CTX_set_max_proto_version(ctx, 0) ||
	    !SSL_CTX_set_num_tickets(ctx, 1) ||
	    !SSL_CTX_set_cipher_list(ctx, CIPHERS12) ||
	    !SSL_CTX_set_ciphersuites(ctx, CIPHERS13) ||
	    !SSL_CTX_set1_groups_list(ctx, GROUPS) ||
	    !SSL_CTX_set1_sigalgs_list(ctx, SIGALGS))
		return ENOSYS;

	return 0;
}
