/**
 * @file focus/negfloor.h  The BFCP line of a session description
 *
 *   m=application 5070 TCP/TLS/BFCP *
 *
 * Taken only with TLS and a certificate that is known: by its fingerprint, or
 * because the caller has shown it (epfloor_shown()).  Every other form of BFCP
 * gets port 0, as do further lines.  We are the floor control server (s-only).
 *
 * Refs: RFC 8856, RFC 4145, RFC 8122
 */
#ifndef CONCLAVE_FOCUS_NEGFLOOR_H
#define CONCLAVE_FOCUS_NEGFLOOR_H

#include "floortls.h"
#include "focus/descr.h"

enum {
	NEG_FLOOR_ID = 1,        /* the one floor: who is heard               */
	NEG_FLOOR_LABEL = 10,    /* of the audio line that it controls        */
};

/** What the peer wants */
struct neg_floor {
	bool on;
	unsigned index;          /* of the m= line                            */
	bool we_connect;         /* the peer is passive                       */
	bool existing;           /* it wants to keep the connection           */
	bool floorctrl;          /* it named roles                            */
	struct sa peer;          /* with we_connect                           */
	struct floortls_fps fps; /* none: that of the SIP connection          */
};

/** What we say */
struct neg_floor_local {
	struct sa addr;          /* where we listen; family of the session    */
	uint32_t confid;
	uint16_t userid;
	bool existing;           /* there is a connection to keep             */
	const struct floortls_fp *fp;
};

/** First line that we can serve; f is all zero if there is none */
void neg_floor_pick(struct neg_floor *f, const struct descr *d);
/** Answer, or the same offered again; f NULL: a first offer of ours */
int  neg_floor_print(struct mbuf *mb, const struct neg_floor *f,
		     const struct neg_floor_local *l);
/** The name under which a=floorid speaks of the audio line */
int  neg_floor_label(struct mbuf *mb);

#endif
