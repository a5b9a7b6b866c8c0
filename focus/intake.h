/**
 * @file intake.h  Is this a request at all?
 *
 * Checks that libre leaves to the application, run once, on every request,
 * before anything else looks at it: framing (Content-Length on a stream),
 * what must be there once, what must not be there twice, method and CSeq,
 * URI scheme, extensions, encodings, sizes.  Whoever comes later may rely on
 * them.
 *
 * A request that fails is answered here, with a Warning that says why; ACK and
 * CANCEL never are.  Where the framing of a stream is in doubt, the connection
 * is poisoned: not one further byte of it is read as a request.
 *
 * Not seen here, because libre ends them itself: another SIP version than
 * "SIP/2.0", spaces in the Request-URI, a top Via without branch, a stream
 * message without Content-Length (dropped, and on a stream the connection is
 * closed).  Retransmissions and CANCELs that match a server transaction never
 * come here either.
 *
 * Ownership:  libre object; the capabilities must outlive it
 * Threads:    libre loop; only while libre delivers the message
 * Refs:       RFC 3261 sections 8.2, 16.3, 18.3, 20; RFC 4475
 */
#ifndef FOCUS_INTAKE_H
#define FOCUS_INTAKE_H

#include "re_compat.h"

enum {
	INTAKE_HDR_MAX  = 128,          /* header fields in a request          */
	INTAKE_LINE_MAX = 8192,         /* bytes of one of them, unfolded, and
	                                   of the Request-URI                  */
	INTAKE_BODY_MAX = 65536,        /* bytes                               */
	INTAKE_MAXFWD_MAX = 255,        /* RFC 3261 section 20.22              */
};

/** What the caller can do */
struct intake_caps {
	const char *const *methodv;     /* NULL-terminated; also printed as Allow */
	const char *const *optionv;     /* NULL-terminated option tags we support */
};

/** What is wrong with a request; scode 0: nothing */
struct intake_verdict {
	const char *rule;               /* name, for the log                   */
	uint16_t scode;
	const char *reason;
	const char *why;                /* for the Warning header              */
	bool silent;                    /* drop without an answer              */
	bool poison;                    /* and if it is a stream, end it       */
	char hdrs[512];                 /* further headers, each with CRLF     */
};

struct intake;

int intake_alloc(struct intake **inp, const struct intake_caps *caps);

/**
 * Check a request; first listener, first thing
 *
 * Switches Nagle's algorithm off on its connection, and cuts what follows the
 * body in a datagram (RFC 3261 section 18.3).
 *
 * @return true to go on; false if it is done with (the listener returns true)
 */
bool intake_ok(struct intake *in, struct sip *sip, const struct sip_msg *msg);

/**
 * Read nothing more from the connection of this message, be it in libre's
 * buffer, in OpenSSL's or in the socket's; libre then closes it.  What was
 * sent before still goes out.  No effect on UDP.
 */
void intake_poison(const struct sip_msg *msg);

/** The checks alone: first rule that fails, or scode 0 */
void intake_judge(struct intake_verdict *v, const struct intake_caps *caps,
		  const struct sip_msg *msg);

#endif
