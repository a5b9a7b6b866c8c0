/**
 * @file focus/epfloor.h  Floor users of a conference, for epfloor.c and ctlfloor.c
 */
#ifndef CONCLAVE_FOCUS_EPFLOOR_H
#define CONCLAVE_FOCUS_EPFLOOR_H

#include "focus/tree.h"

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
