/**
 * @file authz.h  The Authorization header of a digest response
 *
 * Parses and decides nothing.  libre's own decoder takes the last of two
 * parameters of one name, skips what it does not understand and does not know
 * "algorithm"; here a header that two readers could read in two ways is an
 * error.
 *
 * Ownership:  the result points into the header value
 * Refs:       RFC 3261 sections 20.7, 25.1; RFC 7616 section 3.4; RFC 8760
 */
#ifndef FOCUS_AUTHZ_H
#define FOCUS_AUTHZ_H

#include "re_compat.h"

/** Quoted values come without their quotes; what was absent has p == NULL */
struct authz {
	struct pl username;
	struct pl realm;
	struct pl nonce;
	struct pl uri;
	struct pl response;
	struct pl algorithm;
	struct pl cnonce;
	struct pl qop;
	struct pl nc;
};

/**
 * Decode the value of one Authorization header
 *
 * @param az  Out, zeroed first
 * @param val Header value
 *
 * @return 0 if success, ENOTSUP if the scheme is not Digest, EBADMSG if it is
 *         malformed, a parameter came twice, is too long or a mandatory one
 *         (username, realm, nonce, uri, response) is absent
 */
int authz_decode(struct authz *az, const struct pl *val);

#endif
