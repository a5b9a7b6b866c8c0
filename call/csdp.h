/**
 * @file csdp.h  SDP of one call: parse the peer's, judge it, write ours
 *
 * One audio stream with SDES keys.  The parser fills a struct and decides
 * nothing; csdp_check_answer() and csdp_pick() decide.  What we write holds
 * keys: the buffer is made large enough at once, so that growing it leaves no
 * copy behind, and the dialog layer wipes it.
 *
 * Ownership:  struct csdp owns the secrets in its crypto lines; csdp_reset()
 * Refs:       RFC 4566, RFC 3264, RFC 4568 sections 5 and 7
 */
#ifndef CALL_CSDP_H
#define CALL_CSDP_H

#include "re_compat.h"
#include "codec.h"
#include "sdes.h"

enum {
	CSDP_FMT_MAX    = 16,
	CSDP_CRYPTO_MAX = 8,
	CSDP_MEDIA_MAX  = 8,
	CSDP_SIZE       = 8192,    /* our own text, and the longest we read  */
};

enum csdp_dir {                    /* seen from the one who wrote it         */
	CSDP_INACTIVE = 0,
	CSDP_SENDONLY = 1,
	CSDP_RECVONLY = 2,
	CSDP_SENDRECV = 3,
};

struct csdp_fmt {
	uint8_t pt;
	enum codec_id id;
};

/** What the peer's description says about its (first) audio line */
struct csdp {
	bool          audio;       /* there is an audio line                 */
	unsigned      audio_idx;   /* which m= line it is                    */
	unsigned      mediac;
	char          mlinev[CSDP_MEDIA_MAX][64]; /* "audio 0 PROTO FMT", to refuse the others */
	unsigned      floor_idx;   /* first BFCP line in use; 0: none        */
	char          proto[24];
	struct sa     rtp;         /* port 0: refused                        */
	struct sa     rtcp;
	bool          mux;
	bool          zero_addr;   /* c=0.0.0.0: hold as in RFC 2543         */
	enum csdp_dir dir;
	unsigned      ptime;
	struct csdp_fmt fmtv[CSDP_FMT_MAX];  /* those we know                */
	unsigned      fmtc;
	struct sdes   cryptov[CSDP_CRYPTO_MAX];
	unsigned      cryptoc;
	unsigned      crypto_lines;          /* also those that were no good */
	const char   *crypto_why;            /* why the first bad one is bad */
};

/** 0 or EBADMSG; never reads beyond len; s must be zeroed or reset before */
int  csdp_decode(struct csdp *s, const char *text, size_t len);
void csdp_reset(struct csdp *s);

/** One a=crypto line of ours */
struct csdp_key {
	uint32_t tag;
	const struct suite *suite;
	const char *suite_name;    /* spelling; NULL: the registered one     */
	const struct secret *key;
	uint32_t mki;
	uint8_t  mki_len;
	bool     spoil_short;      /* one byte too few (tests of refusals)   */
	bool     spoil_base64;
	const char *param;         /* session parameters to append           */
};

struct csdp_out {
	const struct sa *rtp;      /* our address and port                   */
	uint16_t rtcp_port;        /* 0: not said                            */
	bool mux;
	bool zero_addr;
	const char *proto;
	uint64_t id;
	uint32_t version;
	enum csdp_dir dir;
	unsigned ptime;
	const struct csdp_fmt *fmtv;
	unsigned fmtc;
	const struct csdp_key *keyv;
	unsigned keyc;
	const struct csdp *offer;  /* answering this one; NULL: an offer     */
	const char *floor;         /* our BFCP section, NULL: none           */
};

/** @return our description, caller owns it and wipes it; NULL if out of memory */
struct mbuf *csdp_encode(const struct csdp_out *o);

/** Our side of the negotiation, to judge an answer by */
struct csdp_ours {
	const char *proto;
	const struct csdp_fmt *fmtv;
	unsigned fmtc;
	const struct csdp_key *keyv;
	unsigned keyc;
	bool floor;                /* a BFCP line behind the audio           */
};

/**
 * Is this an answer that a careful phone takes?  RFC 4568 section 5.1.3: one
 * crypto line, the tag and suite of one of ours, no session parameter that
 * weakens; section 7.1.2: not a key of ours.
 *
 * @param keyp  Out: which of our keys it answers (index into keyv)
 *
 * @return NULL if good, otherwise the reason, static text
 */
const char *csdp_check_answer(const struct csdp *s, const struct csdp_ours *ours,
			      unsigned *keyp);

/**
 * Choose from an offer: the first line that is valid, acceptable and allowed
 *
 * @param keys  Our keys in use: an offer that repeats one is refused
 *
 * @return NULL if good, otherwise the reason, static text
 */
const char *csdp_pick(const struct csdp *s, const enum suite_id *suitev, unsigned suitec,
		      const struct secret *own_key, unsigned *cryptop);

/** First format of the peer that is also in ours; NULL if there is none */
const struct csdp_fmt *csdp_common_fmt(const struct csdp *s, const struct csdp_fmt *fmtv,
				       unsigned fmtc);

/** Our answer to a direction, given what we would like */
enum csdp_dir csdp_answer_dir(enum csdp_dir offered, enum csdp_dir want);

const char *csdp_dir_name(enum csdp_dir dir);

#endif
