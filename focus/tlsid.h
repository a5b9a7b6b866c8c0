/**
 * @file tlsid.h  TLS policy, client certificates, and whose connection it is
 *
 * Policy: TLS 1.2 and 1.3; ECDHE with AES-GCM or ChaCha20-Poly1305; X25519,
 * P-256, P-384; no SHA-1 signatures, renegotiation, compression or resumption.  Client certificates are asked for only if the configuration
 * names a CA.  A client may have none (it then uses digest), but one that it
 * shows must chain to that CA, be in its validity and allow clientAuth (no
 * extended key usage at all is fine), else the handshake fails with an alert.
 * Connections that we open ourselves need a server certificate from the same
 * CA that names the host which tlsid_expect() named just before, as DNS name
 * or address, without wildcards; without a CA or a name none is acceptable.
 *
 * Identity: the one SAN URI "sip:user@host" of the certificate, never a CN.
 *
 * Which connection: libre gives no way from a message to its SSL object.  But
 * it hands received bytes to OpenSSL by BIO_write() on the connection's own
 * read BIO, decrypts them and delivers all messages in them before it returns
 * to its loop.  So a callback on that BIO (put there when the handshake
 * starts) knows the connection whose bytes are being delivered.  The TLS
 * record callback would not do: OpenSSL reports a record when its five byte
 * header came, and the rest may come after another connection's bytes, whose
 * identity would then be given to the wrong peer.  As a second line each
 * connection keeps the address of the first message it delivered; a message
 * from elsewhere gets no identity.
 *
 * Ownership:  state hangs on each SSL and goes with it.  File-scope state: the
 *             current connection, since the loop is in one read at a time.
 * Threads:    libre loop; the msg functions only while libre delivers msg, not
 *             later from a timer
 * Refs:       RFC 5922, RFC 5924, RFC 9325; libre src/tls/openssl/tls_tcp.c
 */
#ifndef FOCUS_TLSID_H
#define FOCUS_TLSID_H

#include "re_compat.h"
#include "cfg.h"

enum { TLSID_MAX = 512 };     /* longest identity, with the zero */

/**
 * Put policy, client certificate verification and connection tracking on a
 * TLS context.  Before the first connection; a reload makes a new context.
 *
 * @param tls  Context with our certificate; used for listening and connecting
 * @param cfg  tls_ca; max_calls bounds the number of connections: beyond
 *             twice that and 256, handshakes are refused (0: no bound)
 *
 * @return 0 if success, EINVAL, ENOENT if tls_ca cannot be read, ENOMEM,
 *         ENOSYS if this OpenSSL lacks a part of the policy
 */
int tlsid_init(struct tls *tls, const struct cfg *cfg);

/**
 * Who does the client certificate of this message's connection say it is?
 *
 * @param buf  Out: "sip:user@host", host in lower case
 *
 * @return 0 if success, ENOENT if there is none (no TLS, no certificate, no
 *         suitable name in it, or any doubt about the connection)
 */
int tlsid_identity(const struct sip_msg *msg, char *buf, size_t size);

struct x509_st;
/**
 * The client certificate of this message's connection
 *
 * @param certp  Out: caller owns it, X509_free()
 *
 * @return 0 if success, ENOENT if there is none (as above)
 */
int tlsid_certificate(const struct sip_msg *msg, struct x509_st **certp);

/**
 * Does the certificate of this message's connection name this domain or host?
 *
 * RFC 5922 section 7.1: URIs "sip:domain" if it has any, else DNS names; whole
 * names only, no wildcards, never a CN.
 */
bool tlsid_names(const struct sip_msg *msg, const char *name);

/**
 * One connection, to be remembered beyond a message: libre tells nobody when
 * a connection that somebody made to us is gone, but its SSL object goes with
 * it.
 */
struct tlsid_flow;

/**
 * @param fp  Out: the connection of this message, caller owns it
 *
 * @return 0 if success, ENOENT (no TLS connection, or in doubt), ENOMEM
 */
int tlsid_flow_get(struct tlsid_flow **fp, const struct sip_msg *msg);
/** Is it still there?  If not, its address may be somebody else's by now */
bool tlsid_flow_open(const struct tlsid_flow *f);
/** It is gone, and the peer had opened it: only the peer can come back */
bool tlsid_flow_lost(const struct tlsid_flow *f);
const struct sa *tlsid_flow_peer(const struct tlsid_flow *f);

/** libre has put a message together from what it reads at the moment; without
 *  that, a connection has a bound (trickle.h) to what it may make libre read */
void tlsid_complete(void);

/** Somebody has proven on this connection who it is: it is no stranger's */
void tlsid_known(const struct sip_msg *msg);
/** Wants to know when a connection is gone */
struct tlsid_watch {
	struct le le;
	/** Called once, from inside of libre and OpenSSL: start a timer, no more */
	void (*goneh)(void *arg);
	void *arg;
};

/** w must stay until it was called or unwatched */
void tlsid_flow_watch(struct tlsid_flow *f, struct tlsid_watch *w,
		      void (*goneh)(void *arg), void *arg);
void tlsid_flow_unwatch(struct tlsid_watch *w);

/**
 * Whose certificate the next connection that we open has to show
 *
 * libre opens connections inside of sending, and tells nobody; so this is said
 * right before and holds for one connection.
 *
 * @param host  Host name or address, as in the URI that led there
 */
void tlsid_expect(const char *host);

/**
 * Is there a connection that somebody opened to us from this address?  libre
 * would send on it whatever goes to that address, to a peer that proved
 * nothing about itself as a server (RFC 5923 section 9.3).
 */
bool tlsid_accepted_from(const struct sa *sa);

/**
 * Switch Nagle's algorithm off on the connection of this message, once per
 * connection.  libre leaves it on, and small answers then wait for the peer's
 * delayed ACK, about 40 ms.
 */
void tlsid_nodelay(const struct sip_msg *msg);

/**
 * The same for all listening TCP sockets of this process, from which accepted
 * ones inherit it on Linux, so that the handshake profits as well.  Their
 * queues become long enough for a crowd.  Call it after sip_transp_add().
 *
 * @return Number of sockets found
 */
unsigned tlsid_listeners_nodelay(void);

/**
 * Never read a byte of this message's connection again: the next ones that
 * arrive make libre close it
 *
 * @return 0 if success, ENOENT if it is no TLS connection (or in doubt)
 */
int tlsid_poison(const struct sip_msg *msg);

/** Was the connection of this message poisoned? */
bool tlsid_poisoned(const struct sip_msg *msg);

/** TLS connections accepted that are open now */
uint32_t tlsid_connections(void);

#endif
