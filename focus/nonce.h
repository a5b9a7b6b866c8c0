/**
 * @file nonce.h  Digest nonces and the memory of those that were used
 *
 * A nonce costs no memory when it is made: it carries a stamp (time and
 * number) and an HMAC-SHA256 over stamp, algorithm, realm and flow (transport,
 * source address and port) under a key of this process.  Somebody who saw it
 * elsewhere cannot use it, and another algorithm neither.
 *
 * Memory is spent only after a correct response: which nonce counts (nc) were
 * seen, in a sliding window, since a client may have several requests under
 * way.  The memory is bounded; when it is full, the oldest entry goes and all
 * nonces up to its stamp are stale from then on, so forgetting never allows a
 * replay.
 *
 * Ownership:  struct nonces is a libre object; the destructor wipes the key
 * Threads:    libre loop
 * Refs:       RFC 7616 sections 3.3, 3.4, 5.4, 5.5
 */
#ifndef FOCUS_NONCE_H
#define FOCUS_NONCE_H

#include "re_compat.h"
#include "cfg.h"

enum {
	NONCE_LEN      = 48,          /* characters, without the zero      */
	NONCE_LIFE_MS  = 300 * 1000,  /* then it is stale                  */
	NONCE_USED_MAX = 8192,        /* remembered, about 1 MB at most    */
};

/** What a nonce is bound to */
struct nonce_flow {
	enum digest_alg alg;
	enum sip_transp tp;
	const struct sa *src;
	const char *realm;
};

struct nonces;

/** @return 0 if success, ENOMEM, or EIO if the RNG has no entropy */
int nonces_alloc(struct nonces **np);

/**
 * Make a nonce
 *
 * @param buf     Out, zero-terminated, NONCE_LEN + 1 bytes
 * @param now_ms  Monotonic time
 */
int nonce_make(struct nonces *n, char buf[NONCE_LEN + 1],
	       const struct nonce_flow *flow, uint64_t now_ms);

/** Is it ours, of this flow, and not too old?  Says nothing about its nc. */
bool nonce_valid(const struct nonces *n, const struct pl *nonce,
		 const struct nonce_flow *flow, uint64_t now_ms);

/**
 * Use a valid nonce with a nonce count; call it only after the response
 * proved to be correct, so that strangers cannot spend our memory
 *
 * @return true the first time, false if it is a replay (or too old a count)
 */
bool nonce_use(struct nonces *n, const struct pl *nonce, uint32_t nc, uint64_t now_ms);

/** How many used ones are remembered */
uint32_t nonces_used(const struct nonces *n);

#endif
