/**
 * @file srtp_ref.h  SRTP written down from the RFCs, to compare with
 *
 * Shares nothing with libsrtp or media/: key derivation, IVs and packet
 * layout are spelled out on OpenSSL's one-shot calls.  Slow and for tests.
 *
 * Refs: RFC 3711 sections 3 and 4, RFC 6188, RFC 7714
 */
#ifndef CONCLAVE_SRTP_REF_H
#define CONCLAVE_SRTP_REF_H

#include "suite.h"

enum { REF_RTP = 0, REF_RTCP = 1 };

struct srtp_ref {
	const struct suite *suite;
	struct {
		uint8_t enc[32];
		uint8_t auth[20];
		uint8_t salt[14];
	} k[2];
};

/** Label 0..5 of RFC 3711 section 4.3.1, key derivation rate 0 */
void srtp_ref_kdf(const uint8_t *key, size_t key_len, const uint8_t *salt,
		  size_t salt_len, uint8_t label, uint8_t *out, size_t len);

void srtp_ref_init(struct srtp_ref *r, const struct suite *suite,
		   const uint8_t *keysalt);

/** @return new length; pkt needs room.  hdr: bytes left in clear */
size_t srtp_ref_rtp(const struct srtp_ref *r, uint8_t *pkt, size_t len,
		    size_t hdr, uint32_t roc, const uint8_t *mki,
		    size_t mki_len);
size_t srtp_ref_rtcp(const struct srtp_ref *r, uint8_t *pkt, size_t len,
		     uint32_t index, bool encrypt, const uint8_t *mki,
		     size_t mki_len);

#endif
