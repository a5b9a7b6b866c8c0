/**
 * @file focus/replaces.h  Replaces and Join: a dialog by its identifiers
 *
 * Knowing the identifiers of a dialog proves nothing: they can be sniffed, or
 * leak in logs.  Only who has the same authenticated identity may replace a
 * device; a Join gives nothing that policy does not.
 *
 * Refs: RFC 3891 sections 3 and 6.1, RFC 3911 section 4
 */
#ifndef CONCLAVE_FOCUS_REPLACES_H
#define CONCLAVE_FOCUS_REPLACES_H

#include "re_compat.h"

struct focus;
struct conference;

/** Value of a Replaces or Join header */
struct replaces {
	struct pl callid;
	struct pl to_tag;       /* our tag                                    */
	struct pl from_tag;     /* the peer's                                 */
	bool early_only;
};

/** @return 0 or EBADMSG */
int replaces_decode(struct replaces *rep, const struct pl *val);

/** What is to become of an INVITE with these headers */
struct replaces_verdict {
	uint16_t scode;         /* 0: go on                                   */
	const char *why;
	uint64_t leg;           /* of the endpoint that is replaced; 0: none  */
};

/**
 * Look at the Replaces and Join headers of an INVITE
 *
 * @param c         The conference that the Request-URI names, or NULL
 * @param identity  Of the sender, as authenticated
 */
void replaces_judge(struct replaces_verdict *v, const struct focus *f,
		    const struct conference *c, const struct sip_msg *msg,
		    const char *identity);

#endif
