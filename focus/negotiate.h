/**
 * @file focus/negotiate.h  Offer and answer of one secured audio line
 *
 * Chooses m= line, codec and crypto line from a peer's description, and
 * prints ours.  Never accepts anything but SRTP with a key that came over
 * TLS, and never prints anything but that.
 *
 * Ownership:  struct neg owns the peer's keys (neg_reset() wipes them)
 * Refs:       RFC 3264, RFC 4568 sections 5 to 7, RFC 7587
 */
#ifndef CONCLAVE_FOCUS_NEGOTIATE_H
#define CONCLAVE_FOCUS_NEGOTIATE_H

#include "re_compat.h"
#include "cfg.h"
#include "sdes.h"
#include "focus/descr.h"
#include "focus/negfloor.h"

/** Dynamic payload type of Opus in our own offers */
enum { NEG_PT_OPUS = 96 };

/** Why an offer or answer was refused: a status and a Warning header */
struct neg_err {
	uint16_t scode;
	unsigned warn;           /* RFC 3261 section 20.43 warn-code          */
	const char *text;
};

/** What the peer wants for its one audio line */
struct neg {
	unsigned index;          /* of the m= line                            */
	bool avpf;               /* RTP/SAVPF                                 */
	enum codec_id codec;
	uint8_t pt;
	unsigned ptime;          /* what we send [ms]                         */
	uint32_t opus_max_rate;
	bool opus_fec, opus_dtx, opus_cbr;
	uint8_t dtmf_pt;         /* 0 = none                                  */
	uint32_t dtmf_clock;
	uint8_t level_ext;
	bool level_vad;
	struct sa remote, rtcp;
	bool rtcp_mux;
	bool peer_sends;         /* and is not on hold                        */
	bool peer_receives;
	enum sdp_dir dir;        /* our direction in an answer                */
	struct sdes sdes;        /* the crypto line taken                     */
	uint8_t mki_len;         /* of the MKI in what we send; 0: none       */
	struct neg_floor floor;  /* the BFCP line beside it                   */
};

/**
 * Our keys toward one peer, as a crypto line of ours names them.  Several
 * need an MKI each, of one length: RFC 4568 section 6.1.
 */
struct neg_keys {
	struct {
		const struct secret *key;
		uint32_t mki;
	} v[2];
	unsigned c;
	uint8_t mki_len;         /* 0: none, and one key                      */
};

/** What we offered; the answer must fit it */
struct neg_offered {
	struct {
		uint32_t tag;
		enum suite_id suite;
		struct secret *key;  /* NULL: the key in use goes on          */
	} linev[SUITE_MAX];
	unsigned linec;
};

/** m= lines that are refused, so that every later description has them */
struct neg_mlines {
	char *linev[DESCR_MEDIA_MAX];   /* NULL: the audio line in use        */
	unsigned linec;
};

/** Our side of the media, for printing */
struct neg_local {
	struct sa rtp;           /* as advertised                             */
	uint16_t rtcp_port;
	uint64_t sess_id;
	uint32_t *sess_ver;      /* counted up when the body changes          */
	uint8_t *body_hash;      /* 32 bytes, of the last body printed        */
	const struct neg_floor_local *floor;  /* NULL: BFCP is refused        */
};

/**
 * Look at an offer
 *
 * @param n     Out, zeroed; empty on error
 * @param body  The SDP body
 * @param d     Scratch for the description; needed again for the answer
 * @param cc    Policy: codecs and suites
 * @param tls   Did it come over TLS?
 * @param e     Out on error
 *
 * @return 0, or EPROTO with e filled
 */
int neg_offer(struct neg *n, const struct pl *body, struct descr *d,
	      const struct cfg_conf *cc, bool tls, struct neg_err *e);

/**
 * Look at an answer to our offer; crypto lines that were not offered are
 * refused.  index is the m= line that was offered.
 */
int neg_answer(struct neg *n, const struct pl *body, struct descr *d,
	       unsigned index, const struct cfg_conf *cc,
	       const struct neg_offered *off, struct neg_err *e);

/** Our answer to what neg_offer() took; every other m= line gets port 0.  The
 *  text is what mbuf_buf() and mbuf_get_left() say, not the whole buffer */
int neg_print_answer(struct mbuf **mbp, const struct neg *n,
		     const struct neg_mlines *ml, const struct neg_local *l,
		     const struct neg_keys *keys);

/** Our offer for a new call: all codecs and suites of the policy */
int neg_print_offer(struct mbuf **mbp, const struct cfg_conf *cc,
		    const struct neg_local *l, const struct neg_offered *off);

/**
 * The agreed session offered again: for a re-INVITE without a body
 * (sendrecv: the phone takes us back by its answer) or with a new key (dir as
 * agreed, so that a hold stays a hold)
 */
int neg_print_reoffer(struct mbuf **mbp, const struct neg *n,
		      const struct neg_mlines *ml, const struct neg_local *l,
		      const struct neg_keys *keys, enum sdp_dir dir);

/** Remember the m= lines of a description; 0 or ENOMEM */
int  neg_mlines_set(struct neg_mlines *ml, const struct descr *d,
		    unsigned index);
void neg_mlines_reset(struct neg_mlines *ml);

/** Draw a key for every allowed suite.  From now on nobody can have it for his
 *  own: whoever reads the offer could, before it is answered. */
int  neg_offered_draw(struct neg_offered *off, const struct cfg_conf *cc);
void neg_offered_reset(struct neg_offered *off);
void neg_reset(struct neg *n);

#endif
