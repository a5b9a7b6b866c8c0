/**
 * @file focus/urilist.h  URI lists (application/resource-lists+xml)
 *
 * The list of people to be called that comes with an INVITE to a factory, and
 * what each of them is told about the others.
 *
 * Reading trusts nothing: no DOCTYPE, no entities but the five of XML, no
 * processing instructions, nothing fetched, UTF-8 only, bounds on size, depth,
 * attributes and entries.
 *
 * Ownership:  libre object
 * Refs:       RFC 4826 section 3, RFC 5363, RFC 5364, RFC 5366
 */
#ifndef CONCLAVE_FOCUS_URILIST_H
#define CONCLAVE_FOCUS_URILIST_H

#include "re_compat.h"

enum {
	URILIST_SIZE_MAX = 64 * 1024,   /* [bytes]                            */
	URILIST_DEPTH_MAX = 32,         /* elements inside each other         */
	URILIST_ATTRS_MAX = 64,         /* of one element                     */
	URILIST_MAX = 64,               /* different URIs                     */
};

/** RFC 5364 section 4; the higher one wins */
enum copy_control { COPY_BCC, COPY_CC, COPY_TO };

struct urientry {
	struct le le;
	char *uri;                      /* as written                         */
	char *identity;                 /* in the form of cfg_identity()      */
	enum copy_control copy;
	bool anonymize;
};

struct urilist {
	struct list entryl;
	unsigned skipped;               /* entries that are no SIP URI        */
};

/**
 * Read a list; entries with the same identity become one
 *
 * @param lp    Out
 * @param xml   The document
 * @param whyp  Out on error: static text
 *
 * @return 0, EBADMSG, EOVERFLOW (one of the bounds above), or ENOMEM
 */
int urilist_decode(struct urilist **lp, const struct pl *xml,
		   const char **whyp);

/**
 * The list as its members may see it: RFC 5364 section 4, RFC 5366 section 5.
 * Without bcc; anonymous ones are only counted.
 *
 * @param mbp  Out; NULL if nobody may be seen
 */
int urilist_history(struct mbuf **mbp, const struct urilist *l);

#endif
