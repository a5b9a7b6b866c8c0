/**
 * @file ckeys.h  SRTP contexts of one call: one to send, several to receive
 *
 * The peer may change its key in any offer.  The new context counts at once,
 * the old one is kept for two seconds for packets that are still under way.
 * A line with several keys names each by its MKI; the MKI in the packet
 * chooses, there is no trial between the keys of one line (RFC 4568 6.1).
 *
 * Ownership:  libre object; owns contexts and copies of the keys, wiped
 */
#ifndef CALL_CKEYS_H
#define CALL_CKEYS_H

#include "re_compat.h"
#include "msrtp.h"
#include "sdes.h"

struct ckeys;

int ckeys_alloc(struct ckeys **kp);

/** From now on without the two seconds */
void ckeys_hard_switch(struct ckeys *k);

/** The key we send under from now on; replaces the one before */
int ckeys_set_tx(struct ckeys *k, const struct suite *suite, const struct secret *key,
		 uint32_t mki, uint8_t mki_len);
bool ckeys_has_tx(const struct ckeys *k);

/**
 * The keys the peer sends under from now on.  A key that was there already
 * keeps its context with ROC and replay window (RFC 4568 section 7.1.4).
 *
 * @param changedp  Out: is any of them new?
 */
int ckeys_set_rx(struct ckeys *k, const struct sdes *sd, uint64_t now_us, bool *changedp);

/** The peer's current key (the newest of several), or NULL; owned by k */
const struct secret *ckeys_rx_key(const struct ckeys *k);

/** What a key of the peer was good for */
struct ckeys_use {
	char     kid[KID_STRLEN];
	uint32_t mki;             /* its last four bytes                     */
	uint8_t  mki_len;         /* 0: none                                 */
	uint64_t rtp, rtcp;       /* packets that it opened                  */
	uint64_t first_us, last_us; /* the RTP among them; 0: none           */
};

/** Of every key the peer ever named, in order; of many, the first ones */
const struct ckeys_use *ckeys_uses(const struct ckeys *k, unsigned *countp);

enum msrtp_err ckeys_protect(struct ckeys *k, bool rtcp, uint8_t *pkt, size_t *lenp);

/**
 * @param oldp  Out: it came under a key that has been replaced
 */
enum msrtp_err ckeys_unprotect(struct ckeys *k, bool rtcp, uint8_t *pkt, size_t *lenp,
			       uint64_t now_us, bool *oldp);

#endif
