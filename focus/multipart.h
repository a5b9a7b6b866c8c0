/**
 * @file focus/multipart.h  MIME bodies with several parts
 *
 * A strict reader with bounds on everything.  Nested multiparts are
 * flattened: the result is the list of their leaves, in order.
 *
 * Ownership:  the result points into the body
 * Refs:       RFC 2046 section 5.1, RFC 2045 section 5.1, RFC 5621
 */
#ifndef CONCLAVE_FOCUS_MULTIPART_H
#define CONCLAVE_FOCUS_MULTIPART_H

#include "re_compat.h"

enum {
	MULTIPART_PARTS_MAX = 16,       /* leaves, and multiparts             */
	MULTIPART_DEPTH_MAX = 4,
	MULTIPART_HDRS_MAX = 16,        /* headers of one part                */
	MULTIPART_BOUNDARY_MAX = 70,    /* RFC 2046 section 5.1.1             */
};

struct multipart_part {
	struct pl type;                 /* "application"                      */
	struct pl subtype;              /* "sdp"                              */
	struct pl params;               /* of Content-Type                    */
	struct pl disposition;          /* type alone; unset: none            */
	bool optional;                  /* handling=optional                  */
	bool encoded;                   /* has a Content-Transfer-Encoding
	                                   other than 7bit, 8bit, binary      */
	struct pl body;
};

struct multipart {
	struct multipart_part partv[MULTIPART_PARTS_MAX];
	unsigned partc;
};

/**
 * Read a body
 *
 * @param m     Out
 * @param ctype Value of Content-Type
 * @param disp  Value of Content-Disposition, or unset
 * @param body  If ctype is no multipart, it is the one part
 * @param whyp  Out on error: static text
 *
 * @return 0, EBADMSG, or EOVERFLOW (one of the bounds above)
 */
int multipart_decode(struct multipart *m, const struct pl *ctype,
		     const struct pl *disp, const struct pl *body,
		     const char **whyp);

#endif
