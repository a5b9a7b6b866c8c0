/**
 * @file focus/referto.h  What a Refer-To header asks of a conference
 *
 * Parses and decides nothing but what the text is.  A URI in Refer-To may
 * carry headers for the request that is to come of it; all but the few that
 * the conferencing RFCs need are smuggling (Route, From, body, ...).
 *
 * Ownership:  the result is a value
 * Refs:       RFC 3515 section 2.1, RFC 3261 section 19.1.1, RFC 4579
 *             sections 5.5 to 5.11, RFC 3891 section 6.1
 */
#ifndef CONCLAVE_FOCUS_REFERTO_H
#define CONCLAVE_FOCUS_REFERTO_H

#include "re_compat.h"

enum referto_kind {
	REFERTO_INVITE,         /* call the URI                               */
	REFERTO_BYE,            /* remove it                                  */
	REFERTO_REFER,          /* send it a REFER                            */
};

enum { REFERTO_MAX = 1024 };    /* of the header, and of each part [bytes]    */

struct referto {
	enum referto_kind kind;
	char uri[REFERTO_MAX];       /* without method and headers            */
	char replaces[REFERTO_MAX];  /* decoded header value; empty: none     */
	char refer_to[REFERTO_MAX];  /* REFERTO_REFER: decoded, a URI         */
};

/**
 * Decode the value of one Refer-To header
 *
 * @param rt    Out
 * @param val   Header value
 * @param whyp  Out on error: static text
 *
 * @return 0; EBADMSG (malformed), EPERM (headers that have no business there),
 *         ENOTSUP (another method), EOVERFLOW
 */
int referto_decode(struct referto *rt, const struct pl *val,
		   const char **whyp);

#endif
