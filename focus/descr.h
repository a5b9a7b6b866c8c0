/**
 * @file focus/descr.h  Session descriptions: what a peer's SDP says
 *
 * A strict reader of SDP bodies with bounds on everything.  It decides
 * nothing; negotiate.c does.  libre's own SDP module is not used because it
 * keeps attribute values, and so keys, in plain heap strings for the life of
 * the call, and bounds nothing.
 *
 * Ownership:  struct descr points into the body; both must stay together and
 *             the owner wipes the body.  It holds no key itself, so it may be
 *             on the stack
 * Refs:       RFC 8866, RFC 3264, RFC 4568, RFC 5761, RFC 8285
 */
#ifndef CONCLAVE_FOCUS_DESCR_H
#define CONCLAVE_FOCUS_DESCR_H

#include "re_compat.h"

enum {
	DESCR_BODY_MAX = 64 * 1024,    /* [bytes]                             */
	DESCR_LINE_MAX = 8 * 1024,     /* [bytes]                             */
	DESCR_ATTR_MAX = 256,          /* a= lines in one section             */
	DESCR_MEDIA_MAX = 16,          /* m= lines                            */
	DESCR_FMT_MAX = 32,            /* formats in one m= line              */
	DESCR_CRYPTO_MAX = 16,         /* a=crypto lines looked at per m=     */
	DESCR_FP_MAX = 4,              /* a=fingerprint lines, likewise       */
};

/** One format of an m= line, with its rtpmap and fmtp */
struct descr_fmt {
	struct pl id;          /* as in the m= line                           */
	int pt;                /* -1 if not a number 0..127                   */
	struct pl name;        /* from rtpmap, or unset                       */
	uint32_t clock;
	unsigned channels;     /* from rtpmap, 0 = not said                   */
	struct pl fmtp;        /* parameters, or unset                        */
};

struct descr_media {
	struct pl type;        /* "audio"                                     */
	struct pl proto;       /* "RTP/SAVP"                                  */
	uint16_t port;
	struct descr_fmt fmtv[DESCR_FMT_MAX];
	unsigned fmtc;
	struct sa addr;        /* c= of the line or the session; port is set  */
	struct sa rtcp;        /* a=rtcp, or unset                            */
	bool rtcp_mux;
	bool hold_addr;        /* c= was 0.0.0.0 or ::                        */
	enum sdp_dir dir;      /* the peer's view                             */
	unsigned ptime;        /* [ms], 0 = none                              */
	unsigned maxptime;     /* [ms], 0 = none                              */
	uint8_t level_ext;     /* RFC 6464 element id, 0 = none               */
	bool level_vad;
	struct pl cryptov[DESCR_CRYPTO_MAX];  /* values after "crypto:"       */
	unsigned cryptoc;
	/* m=application; values of attributes, unset if absent */
	struct pl setup, connection, floorctrl, bfcpver;
	struct pl fpv[DESCR_FP_MAX];
	unsigned fpc;
	bool fp_own;           /* in the section itself                       */
};

struct descr {
	struct pl origin;      /* o= value                                    */
	struct descr_media mediav[DESCR_MEDIA_MAX];  /* set up to mediac      */
	unsigned mediac;
};

/**
 * Read a body
 *
 * @param d        Out
 * @param body     Body; pointers in d go into it
 * @param reasonp  Out on error: why, static text for a Warning header
 *
 * @return 0, EBADMSG (not SDP), or EOVERFLOW (one of the bounds above)
 */
int descr_decode(struct descr *d, const struct pl *body, const char **reasonp);

/** Value of one fmtp parameter ("useinbandfec"); 0 or ENOENT */
int descr_fmtp_u32(const struct pl *fmtp, const char *name, uint32_t *valp);

#endif
