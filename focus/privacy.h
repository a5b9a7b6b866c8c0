/**
 * @file privacy.h  What a caller wants to be kept from the others
 *
 * Two things: what the Privacy and From headers of a request ask for, and the
 * pseudonyms under which the others then see that caller.  A pseudonym hides
 * somebody from the participants; the operator's log and control socket keep
 * the authenticated identity.
 *
 * What can be asked for and what it means here:
 *   id, user   a pseudonym wherever others can see who takes part
 *   header     granted as it is: no header of a caller ever reaches another
 *   session    likewise: everybody's media ends at the mixer
 *   history    likewise: the focus passes no history on
 *   none       nothing
 *   critical   refuse rather than leave out what else was asked for
 *
 * Ownership:  struct privacy is a value; struct pseudonyms is a libre object
 * Threads:    libre loop
 * Refs:       RFC 3323 section 4.2, RFC 3325 sections 7 and 9.3, RFC 7044
 *             section 5.1, RFC 5079 section 3, RFC 4575 sections 5.6 and 8.2
 */
#ifndef FOCUS_PRIVACY_H
#define FOCUS_PRIVACY_H

#include "re_compat.h"

#define PRIVACY_HOST "anonymous.invalid"
/** Identity of somebody who has none, for rules; matched by "*" and "*@..." */
#define PRIVACY_GUEST "sip:anonymous@" PRIVACY_HOST

/** Is this the identity of somebody who has proven none, or his pseudonym? */
bool privacy_is_guest(const char *identity);

enum {
	PRIVACY_ID       = 1 << 0,
	PRIVACY_USER     = 1 << 1,
	PRIVACY_HEADER   = 1 << 2,
	PRIVACY_SESSION  = 1 << 3,
	PRIVACY_HISTORY  = 1 << 4,
	PRIVACY_NONE     = 1 << 5,
	PRIVACY_CRITICAL = 1 << 6,
};

struct privacy {
	unsigned values;        /* PRIVACY_* that the Privacy header names    */
	bool anonymous;         /* RFC 5079: it asks not to be known          */
};

/**
 * Read what a request asks for.  The absence of an identity is no wish to be
 * anonymous, and nothing here says who somebody is.
 *
 * @return 0; EBADMSG if the Privacy header is malformed; ENOTSUP if it is
 *         critical and names something that is unknown here
 */
int privacy_decode(struct privacy *pr, const struct sip_msg *msg);

/** Is this a URI of nobody: user "anonymous", or a host in anonymous.invalid? */
bool privacy_uri_anonymous(const struct uri *uri);

enum {
	PSEUDONYM_MAX = 1000,   /* identities remembered in one conference    */
	PSEUDONYM_URI_MAX = 64,
};

struct pseudonyms;

int pseudonyms_alloc(struct pseudonyms **psp);

/**
 * The number of an identity: always the same one, never another's.  Beyond
 * PSEUDONYM_MAX identities the oldest is forgotten, and would get a new number.
 *
 * @param identity  NULL: somebody without one, who is new every time
 * @param np        Out: 1, 2, ...
 */
int pseudonym_get(struct pseudonyms *ps, const char *identity, uint32_t *np);

/** "sip:anonymous7@anonymous.invalid" and "Anonymous 7"; caller owns both */
int pseudonym_print(char **urip, char **namep, uint32_t n);

#endif
