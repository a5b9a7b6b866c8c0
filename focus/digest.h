/**
 * @file digest.h  Digest authentication, server side
 *
 * RFC 7616 semantics with SHA-256 and MD5 (RFC 8760), always qop=auth, one
 * WWW-Authenticate per algorithm in the order of the configuration for the
 * client's User-Agent.  What it insists on, and why:
 *
 * - An algorithm counts only if it was offered to this User-Agent on this
 *   transport, and the nonce is bound to it: no downgrade.  MD5 is never
 *   offered or taken outside TLS, whatever the configuration says.
 * - The nonce is bound to the flow and each nonce count is taken once
 *   (nonce.h).  A correct response under a nonce that does not hold gets a
 *   new challenge with stale=true, so that a phone retries without asking.
 * - An unknown user and a wrong password take the same path, the same
 *   computation (with a dummy password) and give the same verdict.
 * - The uri parameter must mean the Request-URI: scheme, user and host are
 *   compared; port and parameters are not, since phones differ there.
 * - Sources that guess are refused unheard for a while (backoff.h).
 *
 * Ownership:  libre object; it keeps no configuration, which is given with
 *             every call, so a reload needs nothing here
 * Threads:    libre loop
 * Refs:       RFC 3261 section 22, RFC 7616, RFC 8760
 */
#ifndef FOCUS_DIGEST_H
#define FOCUS_DIGEST_H

#include "re_compat.h"
#include "cfg.h"

enum { DIGEST_IDENTITY_MAX = 512 };   /* with the zero */

enum digest_verdict {
	DIGEST_V_OK,          /* identity is known                                */
	DIGEST_V_ABSENT,      /* no usable credentials for our realm: challenge   */
	DIGEST_V_STALE,       /* correct, but the nonce no longer holds: challenge
	                         with stale=true                                  */
	DIGEST_V_WRONG,       /* unknown user or wrong password: challenge        */
	DIGEST_V_MALFORMED,   /* 400                                              */
	DIGEST_V_BLOCKED,     /* too many failures from this source: 403          */
};

struct digest;

/** @return 0 if success, ENOMEM, ENOSYS (no SHA-256 or MD5), EIO (no entropy) */
int digest_alloc(struct digest **dp);

/**
 * Whose request is it?
 *
 * @param msg       Request
 * @param now_ms    Monotonic time
 * @param identity  Out if DIGEST_V_OK: "sip:user@domain", host in lower case;
 *                  the domain is the realm unless the user's entry names one
 * @param size      Size of identity, DIGEST_IDENTITY_MAX is enough
 */
enum digest_verdict digest_check(struct digest *d, const struct cfg *cfg,
				 const struct sip_msg *msg, uint64_t now_ms,
				 char *identity, size_t size);

/**
 * Print the WWW-Authenticate headers for a 401, each ending in CRLF
 *
 * @return 0 if success, ENOENT if nothing may be offered to this User-Agent on
 *         this transport (MD5 only, and no TLS)
 */
int digest_challenge(struct digest *d, const struct cfg *cfg,
		     const struct sip_msg *msg, bool stale, uint64_t now_ms,
		     struct mbuf *mb);

/** How long this source stays refused [ms] */
uint32_t digest_wait(const struct digest *d, const struct sip_msg *msg, uint64_t now_ms);

const char *digest_verdict_name(enum digest_verdict v);

/** Used nonces that are remembered: what is held for logins of the past */
uint32_t digest_remembered(const struct digest *d);

#endif
