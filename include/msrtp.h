/**
 * @file msrtp.h  One direction of one SRTP stream
 *
 * A thin owner of one libsrtp session.  libsrtp looks streams up in a linear
 * list, so there is one session per leg and direction.  AES-ICM, AES-GCM and
 * HMAC-SHA1 are ours, on OpenSSL EVP, registered with libsrtp at start:
 * Debian's libsrtp2 is built on NSS and 8 to 60 times slower with many
 * sessions.
 *
 * Ownership:  msrtp_new() / msrtp_free(); the key is copied into libsrtp and
 *             our cipher states and wiped there on free
 * Refs:       RFC 3711, RFC 6188, RFC 7714
 */
#ifndef CONCLAVE_MSRTP_H
#define CONCLAVE_MSRTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "secret.h"
#include "suite.h"

enum msrtp_backend { MSRTP_OPENSSL, MSRTP_NATIVE };

/**
 * srtp_init(), register the OpenSSL back-end, run the RFC vectors
 *
 * @param want  MSRTP_NATIVE leaves libsrtp's own ciphers (slow)
 *
 * @return 0 if success, EIO if the library or a test vector failed
 */
int  msrtp_init(enum msrtp_backend want);
void msrtp_close(void);

struct msrtp;

enum msrtp_dir { MSRTP_RX, MSRTP_TX };

/**
 * @param mp       Where to put it, caller owns it
 * @param dir      RX accepts any SSRC (wildcard inbound template); the caller
 *                 bounds how many SSRCs it lets through
 * @param suite    Suite
 * @param keysalt  suite_keysalt_len() bytes, copied
 * @param mki      MKI bytes or NULL
 * @param mki_len  0..128; if not 0 every packet carries (TX) or must carry
 *                 (RX) this MKI
 *
 * @return 0, EINVAL, ENOMEM or EIO
 */
int msrtp_new(struct msrtp **mp, enum msrtp_dir dir,
	      const struct suite *suite, const struct secret *keysalt,
	      const uint8_t *mki, size_t mki_len);
void msrtp_free(struct msrtp **mp);   /* *mp becomes NULL */

enum msrtp_err {
	MSRTP_OK = 0,
	MSRTP_AUTH,      /* did not authenticate                            */
	MSRTP_REPLAY,    /* seen before, or too old                         */
	MSRTP_LIMIT,     /* key is spent                                    */
	MSRTP_BAD,       /* not a packet, MKI unknown, no room              */
};

/**
 * Protect / unprotect in place
 *
 * @param pkt   Packet; protect needs RTPH_TRAILER_MAX bytes behind it
 * @param lenp  In/out: length [bytes]
 */
enum msrtp_err msrtp_protect(struct msrtp *m, uint8_t *pkt, size_t *lenp);
enum msrtp_err msrtp_unprotect(struct msrtp *m, uint8_t *pkt, size_t *lenp);
enum msrtp_err msrtp_protect_rtcp(struct msrtp *m, uint8_t *pkt, size_t *lenp);
enum msrtp_err msrtp_unprotect_rtcp(struct msrtp *m, uint8_t *pkt, size_t *lenp);

/** Rollover counter of a source that was heard; 0 if it was not */
uint32_t msrtp_roc(const struct msrtp *m, uint32_t ssrc);
/**
 * RX: this source was heard elsewhere and its sequence has wrapped roc times
 * since (RFC 3711 section 3.3.1); which packets were there is forgotten
 *
 * @param keysalt  The key that m was made with
 *
 * @return 0, EINVAL, ENOMEM or EIO
 */
int msrtp_resume(struct msrtp *m, const struct secret *keysalt, uint32_t ssrc,
		 uint32_t roc);

/** Forget one SSRC's context (after BYE or when replaced) */
void msrtp_remove_ssrc(struct msrtp *m, uint32_t ssrc);

#endif
