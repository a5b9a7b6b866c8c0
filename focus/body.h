/**
 * @file focus/body.h  What is in the body of a request or response
 *
 * Picks the session description and the list of people to be called, alone
 * or as parts of a multipart, in any order and depth.
 *
 * Ownership:  points into the message
 * Refs:       RFC 5621, RFC 5366 section 3
 */
#ifndef CONCLAVE_FOCUS_BODY_H
#define CONCLAVE_FOCUS_BODY_H

#include "re_compat.h"

struct body {
	struct pl sdp;          /* unset: none                                */
	struct pl list;         /* recipient-list; unset: none                */
	uint16_t scode;         /* on error: 400, 413 or 415                  */
	const char *why;
};

/** @return 0, or EBADMSG with scode and why filled */
int body_read(struct body *b, const struct sip_msg *msg);

#endif
