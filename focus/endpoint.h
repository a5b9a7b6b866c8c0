/**
 * @file focus/endpoint.h  An endpoint: a dialog, and its leg at the mixer
 *
 * One struct for all that is known of a call, each part of it the matter of one
 * file: joining (epjoin.c) or being called (dialout.c), what its dialog says
 * (epdialog.c), the session and its keys (epmedia.c), re-offers (rekey.c, promote.c),
 * a mixer that died (recover.c), the floor (epfloor.c).  An offer or answer that the
 * mixer has not taken yet is "next".
 *
 * Ownership:  libre object; its participant holds it, and endpoint_leave() is the
 *             one way out
 * Threads:    libre loop
 * Refs:       RFC 4579 section 5, RFC 4575 section 5.7
 */
#ifndef CONCLAVE_FOCUS_ENDPOINT_H
#define CONCLAVE_FOCUS_ENDPOINT_H

#include "re_compat.h"
#include "dlg.h"
#include "late.h"
#include "secret.h"
#include "focus/mixproc.h"
#include "focus/negotiate.h"

struct conference;
struct part;
struct dial;
struct gclass;
struct gepoch;
struct floorpart;

/** How an identity was proven */
enum proof {
	PROOF_DIGEST, PROOF_CERTIFICATE, PROOF_CALLED,
	PROOF_ASSERTED,         /* by a trusted peer                          */
	PROOF_NONE,             /* an anonymous guest                         */
};

/** RFC 4575 section 5.7.6 */
enum left_how { LEFT_DEPARTED, LEFT_BOOTED, LEFT_FAILED, LEFT_BUSY };

/** What of a session is told to others, and was told last */
struct endpoint_told {
	enum sdp_dir dir;
	enum codec_id codec;
	const struct suite *suite;
	uint32_t class_id, epoch;   /* 0: a key of its own                    */
};

enum endpoint_state {
	EP_JOINING,             /* it calls us                                */
	EP_DIALING,             /* we call it                                 */
	EP_ALERTING,            /* and it rings                               */
	EP_CONNECTED, EP_HELD, EP_LEFT,
};

struct endpoint {
	struct le le;
	struct le he_leg;
	struct part *part;
	struct dlg *dlg;            /* NULL: not yet called                   */
	struct dial *dial;          /* dialout.c: while we call it            */
	bool dialled;               /* we called it                           */
	bool unacked;               /* it has our answer: others are told     */
	unsigned refers;            /* REFERs in its dialog                   */
	uint64_t replaces;          /* leg that goes when this one is there   */
	uint64_t leg;               /* leg id at the mixer                    */
	enum endpoint_state state;
	char *user_agent;
	uint64_t started;
	uint64_t pub_id;            /* names it to others; says nothing       */
	time_t joined;
	enum proof proof;
	enum left_how left_how;
	unsigned left_cause;        /* SIP status in our BYE                  */
	struct endpoint_told told;

	/* the session as agreed */
	struct neg neg;
	struct neg_mlines mlines;
	struct secret *tx;          /* our key to it alone; NULL: promoted.
				       With MKI it stays beside the group key  */
	time_t tx_born;             /* since when that is agreed              */
	bool tx_forkable;           /* it was in our INVITE                   */
	bool tx_over;               /* it has been used for long enough       */
	struct late late_age;       /* until then                             */
	bool forked;                /* and others have read that: nothing goes
				       out under it, and a fresh one is what
				       it is offered first                    */
	struct gclass *gc;          /* the class it is a member of            */
	struct le le_class;         /* in memberl of gc                       */
	struct gepoch *ge;          /* epoch it hears; NULL: tx, or nothing   */
	bool keyed;                 /* an epoch of some class was sent to it  */
	uint32_t known;             /* newest one of gc ever sent to it       */
	uint32_t first;             /* oldest epoch of gc that it may have    */
	enum follows follows;       /* does it take new keys?  NO: it has not */
	bool trial;                 /* gets both streams until it proves it   */
	struct tmr tmr_trial;
	bool own_due;               /* it was offered a group key that it is
				       not to use: its own comes by an offer  */
	struct sa local;            /* our RTP address, as advertised         */
	uint16_t local_rtcp;
	uint64_t sess_id;
	uint32_t sess_ver;
	uint8_t body_hash[32];

	/* our re-offer */
	struct le le_rekey;         /* in rekeyl of the conference            */
	struct gepoch *offer_ge;    /* epoch in the one that is out           */
	bool offer_own;             /* its own key is in it                   */
	unsigned offer_round;       /* counted in this round - 1; 0: nowhere  */
	unsigned rekey_fails;
	struct neg_offered offered;

	/* an offer or answer that waits for the mixer */
	struct neg next;
	struct neg_mlines next_mlines;
	struct secret *next_tx;
	bool next_own;              /* on its own key from then on            */
	struct gclass *next_gc;     /* the class it is on its way to          */
	struct le le_wait;          /* in waitl of next_gc                    */
	bool waiting;               /* no epoch yet                           */
	int dial_af;                /* address family of a leg without dialog */
	struct gepoch *next_ge;
	bool resend;                /* tell the mixer again afterwards        */
	unsigned media_pending;     /* questions that the mixer has from it   */

	/* a mixer that died: recover.c */
	bool lost;                  /* its mixer died: to be dealt with       */
	bool moved;                 /* to a new mixer, and does not know yet:
				       nothing is sent to it                  */
	uint32_t rx_ssrc, rx_roc;   /* its sequence has wrapped so often under
				       the key that it has                    */
	bool reports;               /* its RTCP named a stream of ours        */
	struct tmr tmr_deaf;        /* has another key, and does not report   */
	const char *deaf_why;       /* for the BYE, if it never does          */
	bool asked;                 /* it has that key because it asked       */

	/* floor control: epfloor.c */
	struct floorpart *floor;    /* NULL: the conference has none          */
	struct neg_floor_local floor_local;
	bool holds_floor;
	bool muted;                 /* by the floor                           */

	/* what the mixer tells of its media: mixevent.c */
	bool latched;
	bool speaking;
	bool has_ssrc;
	uint32_t ssrc;              /* that it sends, authenticated           */
	struct sa remote;
};

/* epjoin.c */
/**
 * An admitted INVITE becomes an endpoint of a conference
 *
 * @param n   What neg_offer() took, moved; NULL for a delayed offer
 * @param ml  Its m= lines, moved
 * @param replaces  Leg of this identity that goes when the new one has joined,
 *                  or 0
 *
 * @return 0 if the endpoint now deals with the INVITE; otherwise errno and
 *         nothing was replied
 */
int endpoint_join(struct conference *c, const char *identity,
		  const struct sip_msg *msg, struct neg *n,
		  struct neg_mlines *ml, uint64_t replaces);

/* endpoint.c: birth, and the one way out */
/** Hang up with a Reason header and leave; the endpoint is gone afterwards */
void endpoint_end(struct endpoint *ep, unsigned cause, const char *text);
/** The same with nothing more sent under keys it knows, not even for a moment */
void endpoint_kick(struct endpoint *ep, unsigned cause, const char *text);
const char *endpoint_state_name(enum endpoint_state st);
/** Neither joined nor gone */
bool endpoint_is_new(const struct endpoint *ep);
/** In, but not mixed: because of the floor, its role, or somebody muted it */
bool endpoint_muted(const struct endpoint *ep);
/** Our direction as it is, while its SDP says what it may be */
enum sdp_dir endpoint_dir(const struct endpoint *ep);
extern const char endpoint_hdrs[];
int  endpoint_alloc(struct endpoint **epp, struct part *p);
/** Leave the tree; what is left of the dialog ends alone */
void endpoint_leave(struct endpoint *ep, const char *reason, uint32_t grace_ms);

/* epdialog.c: what its dialog says, and what the mixer does about it */
/** gclass_admit() has an epoch for it (or err) */
void endpoint_admitted(struct endpoint *ep, int err);
/** What it hears has changed without signalling: tell the others */
void endpoint_moved(struct endpoint *ep);
extern const struct dlg_handlers endpoint_handlers;
/** Our side of an exchange broke: say so, and keep or drop the session */
void endpoint_fail(struct endpoint *ep, uint16_t scode, const char *reason,
		   const char *why);
/** What the peer offers cannot be: refuse, the session stays as it was */
void endpoint_reject(struct endpoint *ep, const struct sip_msg *msg,
		     const struct neg_err *e);
/** A port is open for an offer of ours: make the offer */
void endpoint_port_reply(const Mp__Reply *r, void *arg);

#endif
