/**
 * @file focus/dialout.h  Conferences call people
 *
 * Every call of ours passes the same gate: the target is no conference, it is
 * on the conference's list of whom it may call, and there is room.  Whoever
 * asks for it (REFER, URI list, operator) has to be authorised before.
 *
 * Ownership:  the endpoint that comes of it belongs to the tree
 * Threads:    libre loop
 * Refs:       RFC 4579 section 5.2; RFC 3261 sections 8.1.3.4, 13.2; RFC 3892
 */
#ifndef CONCLAVE_FOCUS_DIALOUT_H
#define CONCLAVE_FOCUS_DIALOUT_H

#include "re_compat.h"

struct conference;
struct endpoint;
struct hunt;

/**
 * What comes of a call: provisional responses, then one final one
 *
 * @param reason  Reason phrase; ours where the peer's is unfit to be passed on
 */
typedef void (dialout_h)(uint16_t scode, const char *reason, void *arg);

struct dialout {
	struct pl target;           /* SIP URI                                */
	const char *referred_by;    /* header value, or NULL                  */
	const char *replaces;       /* header value for the INVITE, or NULL   */
	struct mbuf *history;       /* recipient-list-history body, or NULL;
	                               kept by reference                      */
	bool uninvited;             /* target came from elsewhere (3xx)       */
	unsigned redirects;         /* followed so far                        */
	struct hunt *hunt;          /* it goes on for a call of this (3xx), or
	                               NULL; then h and arg are its           */
	bool anonymous;             /* the others see a pseudonym             */
	dialout_h *h;               /* or NULL                                */
	void *arg;                  /* libre object, kept until the final one */
};

/**
 * Call somebody into a conference
 *
 * @return 0 if success, and h will be called; EACCES (not on the list), ELOOP
 *         (a conference, or ourselves), EALREADY (is in or being called),
 *         EPERM (locked or banned), EBUSY (no room), EINVAL (URI), EPROTONOSUPPORT
 *         (other transport), ENOENT (a user of ours without a phone that is
 *         registered), EAFNOSUPPORT, ENOMEM and others of the mixer
 */
int dialout(struct conference *c, const struct dialout *d);

/** The status that an error of dialout() means to whoever asked */
uint16_t dialout_status(int err, const char **reasonp);

/** The part of the gate that asks policy: 0, EACCES, ELOOP or EINVAL */
int dialout_allowed(const struct conference *c, const struct pl *target);

/** Is this URI one of our conferences or what could become one? */
bool dialout_is_conference(const struct conference *c, const struct pl *uri);

/* from endpoint.c */
void dialout_progress(struct endpoint *ep, const struct sip_msg *msg);
/** The dialog ended by itself */
void dialout_closed(struct endpoint *ep, int err, const struct sip_msg *msg);
/** The final result; only the first one counts */
void dialout_done(struct endpoint *ep, uint16_t scode, const char *reason);

#endif
