/**
 * @file msrtp.c  One direction of one SRTP stream
 *
 * libsrtp does the work.  Three things are done here, in front of it:
 *
 * - Lengths.  libsrtp's own checks differ between versions, and some subtract
 *   before they compare.  One comparison here: no packet gets past it that
 *   cannot hold its header, index, tag and MKI.
 * - The MKI.  libsrtp 2.5 looks for it at the RTP tag's distance in SRTCP too,
 *   which is wrong for AES_CM_128_HMAC_SHA1_32.  There is one key per session
 *   here, so the MKI is put in behind libsrtp and taken out before it.
 * - E = 0.  UNENCRYPTED_SRTCP is never negotiated, so clear SRTCP is refused.
 *
 * Refs: RFC 3711 sections 3.1 and 3.4, RFC 7714 sections 8.2 and 9.3
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <openssl/crypto.h>
#include "msrtp.h"
#include "rtp.h"
#include "be.h"
#include "srtp_openssl.h"

enum {
	RTCP_HDR_SIZE = 8,        /* what SRTCP leaves in clear              */
	INDEX_SIZE    = 4,        /* E bit and SRTCP index                   */
	E_BIT         = 0x80,
	REPLAY_WINDOW = 1024,     /* [packets]                               */
	MKI_MAX       = 128,
	TAG_MAX       = 16,
	PROTECTED_MAX = RTPH_MTU + RTPH_TRAILER_MAX,
};

struct msrtp {
	srtp_t ctx;
	const struct suite *suite;
	enum msrtp_dir dir;
	size_t  mki_len;
	uint8_t mki[];
};

/* RTP and RTCP differ in these only */
struct kind {
	srtp_err_status_t (*protect)(srtp_t ctx, void *pkt, int *lenp);
	srtp_err_status_t (*unprotect)(srtp_t ctx, void *pkt, int *lenp);
	size_t (*hdr_len)(const uint8_t *pkt, size_t len);  /* 0 = malformed */
	size_t index_len;
};

/* Header, CSRCs and extension: what SRTP leaves in clear */
static size_t rtp_hdr_len(const uint8_t *pkt, size_t len)
{
	size_t n;

	if (len < RTPH_SIZE || pkt[0] >> 6 != 2)
		return 0;

	n = RTPH_SIZE + 4u * (pkt[0] & 0x0fu);
	if (pkt[0] & 0x10) {
		if (len < n + 4)
			return 0;
		n += 4u + 4u * be_get16(pkt + n + 2);
	}

	return n <= len ? n : 0;
}

static size_t rtcp_hdr_len(const uint8_t *pkt, size_t len)
{
	return len < RTCP_HDR_SIZE || pkt[0] >> 6 != 2 ? 0 : RTCP_HDR_SIZE;
}

static const struct kind rtp_kind = {
	srtp_protect, srtp_unprotect, rtp_hdr_len, 0
};

static const struct kind rtcp_kind = {
	srtp_protect_rtcp, srtp_unprotect_rtcp, rtcp_hdr_len, INDEX_SIZE
};

static size_t tag_len(const struct msrtp *m, const struct kind *k)
{
	return k == &rtcp_kind ? m->suite->rtcp_tag_len : m->suite->tag_len;
}

/* What follows the MKI: the tag; with GCM the MKI comes last, RFC 7714
   sections 8.1 and 9.2 */
static size_t mki_tail(const struct msrtp *m, const struct kind *k)
{
	return m->suite->aead ? 0 : tag_len(m, k);
}

static enum msrtp_err err_from(srtp_err_status_t st)
{
	static const struct {
		srtp_err_status_t st;
		enum msrtp_err err;
	} errv[] = {
		{ srtp_err_status_ok,          MSRTP_OK     },
		{ srtp_err_status_auth_fail,   MSRTP_AUTH   },
		{ srtp_err_status_replay_fail, MSRTP_REPLAY },
		{ srtp_err_status_replay_old,  MSRTP_REPLAY },
		{ srtp_err_status_pkt_idx_old, MSRTP_REPLAY },
		{ srtp_err_status_key_expired, MSRTP_LIMIT  },
	};

	for (size_t i = 0; i < sizeof(errv) / sizeof(errv[0]); i++) {
		if (errv[i].st == st)
			return errv[i].err;
	}

	return MSRTP_BAD;
}

static enum msrtp_err protect(struct msrtp *m, const struct kind *k,
			      uint8_t *pkt, size_t *lenp)
{
	enum msrtp_err err;
	int n;

	if (!m || !pkt || !lenp || m->dir != MSRTP_TX || *lenp > RTPH_MTU ||
	    !k->hdr_len(pkt, *lenp))
		return MSRTP_BAD;

	n   = (int)*lenp;
	err = err_from(k->protect(m->ctx, pkt, &n));
	if (err)
		return err;

	if (m->mki_len) {
		uint8_t *pos = pkt + (size_t)n - mki_tail(m, k);

		memmove(pos + m->mki_len, pos, mki_tail(m, k));
		memcpy(pos, m->mki, m->mki_len);
	}
	*lenp = (size_t)n + m->mki_len;

	return MSRTP_OK;
}

/* len is without the MKI */
static bool e_bit(const struct msrtp *m, const struct kind *k,
		  const uint8_t *pkt, size_t len)
{
	return pkt[len - mki_tail(m, k) - INDEX_SIZE] & E_BIT;
}

static enum msrtp_err unprotect(struct msrtp *m, const struct kind *k,
				uint8_t *pkt, size_t *lenp)
{
	enum msrtp_err err = MSRTP_BAD;
	size_t hdr, tail, len;
	uint8_t *mki;
	int n;

	if (!m || !pkt || !lenp || m->dir != MSRTP_RX ||
	    *lenp > PROTECTED_MAX)
		return MSRTP_BAD;

	hdr = k->hdr_len(pkt, *lenp);
	if (!hdr ||
	    *lenp < hdr + k->index_len + tag_len(m, k) + m->mki_len)
		return MSRTP_BAD;

	tail = mki_tail(m, k);
	len  = *lenp - m->mki_len;
	mki  = pkt + len - tail;
	if (m->mki_len && memcmp(mki, m->mki, m->mki_len))
		return MSRTP_BAD;

	memmove(mki, mki + m->mki_len, tail);

	if (!k->index_len || e_bit(m, k, pkt, len)) {
		n   = (int)len;
		err = err_from(k->unprotect(m->ctx, pkt, &n));
	}
	if (!err) {
		*lenp = (size_t)n;
		return MSRTP_OK;
	}

	/* The caller may try another key: leave the packet as it came */
	memmove(mki + m->mki_len, mki, tail);
	if (m->mki_len)
		memcpy(mki, m->mki, m->mki_len);

	return err;
}

enum msrtp_err msrtp_protect(struct msrtp *m, uint8_t *pkt, size_t *lenp)
{
	return protect(m, &rtp_kind, pkt, lenp);
}

enum msrtp_err msrtp_unprotect(struct msrtp *m, uint8_t *pkt, size_t *lenp)
{
	return unprotect(m, &rtp_kind, pkt, lenp);
}

enum msrtp_err msrtp_protect_rtcp(struct msrtp *m, uint8_t *pkt, size_t *lenp)
{
	return protect(m, &rtcp_kind, pkt, lenp);
}

enum msrtp_err msrtp_unprotect_rtcp(struct msrtp *m, uint8_t *pkt,
				    size_t *lenp)
{
	return unprotect(m, &rtcp_kind, pkt, lenp);
}

void msrtp_remove_ssrc(struct msrtp *m, uint32_t ssrc)
{
	/* Streams made from a template keep the SSRC as it is on the wire */
	if (m)
		(void)srtp_remove_stream(m->ctx, htonl(ssrc));
}

/* RFC 4568 section 6.2: the SRTCP tag is 80 bit in the _32 suite too */
static int policy_set(srtp_policy_t *p, const struct suite *suite)
{
	static const struct {
		enum suite_id id;
		void (*rtp)(srtp_crypto_policy_t *cp);
		void (*rtcp)(srtp_crypto_policy_t *cp);
	} polv[] = {
		{ SUITE_AES_CM_128_HMAC_SHA1_80,
		  srtp_crypto_policy_set_rtp_default,
		  srtp_crypto_policy_set_rtcp_default },
		{ SUITE_AES_CM_128_HMAC_SHA1_32,
		  srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32,
		  srtp_crypto_policy_set_rtcp_default },
		{ SUITE_AES_256_CM_HMAC_SHA1_80,
		  srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80,
		  srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80 },
		{ SUITE_AEAD_AES_128_GCM,
		  srtp_crypto_policy_set_aes_gcm_128_16_auth,
		  srtp_crypto_policy_set_aes_gcm_128_16_auth },
		{ SUITE_AEAD_AES_256_GCM,
		  srtp_crypto_policy_set_aes_gcm_256_16_auth,
		  srtp_crypto_policy_set_aes_gcm_256_16_auth },
	};

	for (size_t i = 0; i < sizeof(polv) / sizeof(polv[0]); i++) {
		if (polv[i].id == suite->id) {
			polv[i].rtp(&p->rtp);
			polv[i].rtcp(&p->rtcp);
			return 0;
		}
	}

	return EINVAL;
}

/** A new session, or one more stream in *ctxp */
static int stream_add(srtp_t *ctxp, srtp_ssrc_t ssrc, const struct suite *suite,
		      const struct secret *keysalt)
{
	uint8_t key[SRTP_MAX_KEY_LEN] = { 0 };
	srtp_policy_t policy;
	srtp_err_status_t st;

	memset(&policy, 0, sizeof(policy));
	if (policy_set(&policy, suite))
		return EINVAL;

	policy.ssrc        = ssrc;
	policy.window_size = REPLAY_WINDOW;
	policy.key         = key;

	memcpy(key, secret_bytes(keysalt), secret_len(keysalt));
	st = *ctxp ? srtp_add_stream(*ctxp, &policy) : srtp_create(ctxp, &policy);
	OPENSSL_cleanse(key, sizeof(key));

	return !st ? 0 : st == srtp_err_status_alloc_fail ? ENOMEM : EIO;
}

int msrtp_new(struct msrtp **mp, enum msrtp_dir dir,
	      const struct suite *suite, const struct secret *keysalt,
	      const uint8_t *mki, size_t mki_len)
{
	const srtp_ssrc_t any = {
		.type = dir == MSRTP_RX ? ssrc_any_inbound : ssrc_any_outbound,
	};
	struct msrtp *m;
	int err;

	if (!mp || !suite || !keysalt || mki_len > MKI_MAX ||
	    (mki_len && !mki) || suite->tag_len > TAG_MAX ||
	    secret_len(keysalt) != suite_keysalt_len(suite) ||
	    secret_len(keysalt) > SRTP_MAX_KEY_LEN)
		return EINVAL;

	m = calloc(1, sizeof(*m) + mki_len);
	if (!m)
		return ENOMEM;

	m->suite   = suite;
	m->dir     = dir;
	m->mki_len = mki_len;
	if (mki_len)
		memcpy(m->mki, mki, mki_len);

	err = stream_add(&m->ctx, any, suite, keysalt);
	if (err)
		free(m);
	else
		*mp = m;

	return err;
}

uint32_t msrtp_roc(const struct msrtp *m, uint32_t ssrc)
{
	uint32_t roc;

	return m && !srtp_get_stream_roc(m->ctx, ssrc, &roc) ? roc : 0;
}

int msrtp_resume(struct msrtp *m, const struct secret *keysalt, uint32_t ssrc,
		 uint32_t roc)
{
	const srtp_ssrc_t one = { .type = ssrc_specific, .value = ssrc };
	int err;

	if (!m || m->dir != MSRTP_RX || !keysalt ||
	    secret_len(keysalt) != suite_keysalt_len(m->suite))
		return EINVAL;

	err = stream_add(&m->ctx, one, m->suite, keysalt);
	if (err)
		return err;

	return srtp_set_stream_roc(m->ctx, ssrc, roc) ? EIO : 0;
}

void msrtp_free(struct msrtp **mp)
{
	if (!mp || !*mp)
		return;

	(void)srtp_dealloc((*mp)->ctx);
	free(*mp);
	*mp = NULL;
}

/* Every event also comes as an error return; libsrtp's own handler prints */
static void event_h(srtp_event_data_t *data)
{
	(void)data;
}

int msrtp_init(enum msrtp_backend want)
{
	if (srtp_init())
		return EIO;

	(void)srtp_install_event_handler(event_h);

	if (want == MSRTP_OPENSSL && srtpx_openssl_register()) {
		(void)srtp_shutdown();
		return EIO;
	}

	return 0;
}

void msrtp_close(void)
{
	(void)srtp_shutdown();
	srtpx_openssl_release();
}
