/**
 * @file floortls.h  TLS connections whose certificates are named in SDP
 *
 * For BFCP: certificates may be self-signed, both sides show one, and it is
 * good if its fingerprint is the one that came through the signalling.  The
 * handshake fails with bad_certificate otherwise, before anything is read.
 * TLS role and TCP direction are independent, since in BFCP the SDP answerer
 * is the TLS server even if it opens the connection; libre's TLS couples them,
 * so OpenSSL is used directly, between two memory BIOs.
 *
 * Ownership:  libre objects.  A handler may drop the connection it is called
 *             for, except from inside floortls_send()
 * Threads:    libre loop
 * Refs:       RFC 8122, RFC 4145, RFC 8856 section 8
 */
#ifndef CONCLAVE_FLOORTLS_H
#define CONCLAVE_FLOORTLS_H

#include "re_compat.h"

enum {
	FLOORTLS_FP_MAX = 4,            /* fingerprints of one peer           */
	FLOORTLS_FP_STRLEN = 8 + 3 * 64,
};

/** A certificate's digest: SHA-256, SHA-384 or SHA-512 */
struct floortls_fp {
	uint8_t v[64];
	uint8_t len;                    /* 32, 48 or 64                       */
};

/** Those that a peer signalled; any one is enough (RFC 8122 section 5.1) */
struct floortls_fps {
	struct floortls_fp v[FLOORTLS_FP_MAX];
	unsigned c;
};

/** "sha-256 AB:CD:..."; ENOTSUP: another hash, EBADMSG */
int  floortls_fp_decode(struct floortls_fp *fp, const struct pl *val);
/** The same, printed */
int  floortls_fp_print(struct re_printf *pf, const struct floortls_fp *fp);
struct x509_st;
/** Those of a certificate: one for each hash that we take */
void floortls_fps_of(struct floortls_fps *fps, const struct x509_st *cert);
/** Do they have one in common? */
bool floortls_fps_match(const struct floortls_fps *a,
			const struct floortls_fps *b);

struct floortls_ctx;

/**
 * @param pem  File with private key and certificate chain, or NULL: a key and
 *             self-signed certificate are drawn, for this process only
 */
int floortls_ctx_alloc(struct floortls_ctx **ctxp, const char *pem);
/** SHA-256 of our own certificate */
const struct floortls_fp *floortls_ctx_fp(const struct floortls_ctx *ctx);

struct floortls;

struct floortls_handlers {
	/**
	 * Is this the certificate that was signalled?  All its digests
	 *
	 * @return 1: yes, 0: no, -1: not known yet, floortls_retry() asks
	 *         again (as TLS client only: a server has made its answer)
	 */
	int (*verifyh)(const struct floortls_fps *cert, void *arg);
	void (*estabh)(void *arg);
	void (*recvh)(const uint8_t *p, size_t n, void *arg);
	/** Over: by the peer (0), or errno; drop it */
	void (*closeh)(int err, void *arg);
};

/** Take the connection that waits at a listening socket */
int floortls_accept(struct floortls **cp, struct floortls_ctx *ctx,
		    struct tcp_sock *ts, bool tls_server,
		    const struct floortls_handlers *h, void *arg);
int floortls_connect(struct floortls **cp, struct floortls_ctx *ctx,
		     const struct sa *peer, bool tls_server,
		     const struct floortls_handlers *h, void *arg);
/** Ask verifyh again, which said -1 */
void floortls_retry(struct floortls *c);
/** 0 or errno: then the connection is of no use any more */
int floortls_send(struct floortls *c, const uint8_t *p, size_t n);
/** Say goodbye (close_notify); drop it afterwards */
void floortls_bye(struct floortls *c);
/** We accepted it, and its certificate is one we know: no stranger's */
void floortls_known(const struct floortls *c);
bool floortls_up(const struct floortls *c);
/** Digests of the certificate that the peer has shown and proved to own; none
 *  before the connection is up */
const struct floortls_fps *floortls_peer(const struct floortls *c);
void floortls_peer_addr(const struct floortls *c, struct sa *sa);

#endif
