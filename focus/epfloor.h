/**
 * @file focus/epfloor.h  Endpoints as users of the floor: BFCP and DTMF
 *
 * Threads:    libre loop
 * Refs:       RFC 8856 (BFCP in SDP), RFC 4733 (DTMF events)
 */
#ifndef CONCLAVE_FOCUS_EPFLOOR_H
#define CONCLAVE_FOCUS_EPFLOOR_H

#include "floorsrv.h"
#include "focus/tree.h"

/** Listen, if any conference of the configuration has a floor */
int  epfloor_start(struct focus *f);
/** The conference is new */
int  epfloor_open(struct conference *c);
/** What our SDP says of BFCP; NULL: nothing.  Its leg is at the mixer */
const struct neg_floor_local *epfloor_local(struct endpoint *ep);
/** A BFCP line without fingerprint is bound to the certificate that was shown
 *  on the connection of msg; without one it is refused */
void epfloor_shown(struct neg_floor *f, const struct sip_msg *msg);
/** What the peer's SDP said is agreed now */
void epfloor_commit(struct endpoint *ep);
void epfloor_leave(struct endpoint *ep);
/** A new mixer hears all: tell it if this one is muted */
void epfloor_recover(const struct endpoint *ep);
/** Its participant's role has changed, or it was muted or unmuted */
void epfloor_standing(struct endpoint *ep);
/** A key was pressed: RFC 4733 event */
void epfloor_dtmf(struct endpoint *ep, unsigned event);
/** Where clients connect to */
int  epfloor_addr(const struct focus *f, struct sa *sa);

/* for ctlfloor.c */
typedef bool (epfloor_h)(struct endpoint *ep, void *arg);

/** All endpoints that are floor users, until the handler returns true */
struct endpoint *epfloor_each(const struct conference *c, epfloor_h *h,
			      void *arg);
/** Joined, and not gone */
bool epfloor_is_in(const struct endpoint *ep);
/** Its ongoing request, or NULL */
const struct floor_req *epfloor_request_of(const struct endpoint *ep);
/**
 * Ask for it
 *
 * @param by  User who does, 0: the operator
 *
 * @return 0 or enum bfcpm_error
 */
int epfloor_request(const struct endpoint *ep, uint16_t by);

#endif
