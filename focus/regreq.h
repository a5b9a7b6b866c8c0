/**
 * @file regreq.h  What a REGISTER asks for (private to the registrar)
 *
 * Parses and decides nothing but what is malformed.  Parameters are read by a
 * walker of our own: libre's searches the text, so that a name inside a quoted
 * string would be taken for a parameter.
 *
 * Ownership:  the result points into the message
 * Refs:       RFC 3261 sections 10.2, 10.3, 20.10, 25.1; RFC 3327; RFC 5626
 *             section 4.2
 */
#ifndef FOCUS_REGREQ_H
#define FOCUS_REGREQ_H

#include "re_compat.h"

enum {
	REG_CONTACT_MAX  = 16,          /* in one request                     */
	REG_URI_MAX      = 512,         /* bytes                              */
	REG_INSTANCE_MAX = 128,         /* bytes                              */
	REG_CALLID_MAX   = 256,         /* bytes                              */
	REG_PATH_MAX     = 1024,        /* bytes, of all proxies together     */
};

struct reg_contact {
	struct pl uri;
	struct uri parsed;
	struct pl instance;             /* quoted, as it came; or not set     */
	uint32_t reg_id;                /* 0: none                            */
	uint32_t expires_s;             /* as wished                          */
	unsigned q;                     /* 0 to 1000; 1000 if it says nothing  */
};

struct reg_req {
	struct reg_contact contactv[REG_CONTACT_MAX];
	unsigned contactc;
	bool all;                       /* "Contact: *": remove all           */
	bool outbound;                  /* Supported: outbound                */
	bool behind_proxy;              /* more than one Via                  */
	bool path_known;                /* Supported: path                    */
	bool path_ob;                   /* its proxy keeps the flow           */
	char path[REG_PATH_MAX];        /* "<sip:..;lr>, <..>", or empty      */
};

/**
 * Read a REGISTER
 *
 * @param r          Out
 * @param default_s  Lifetime of a contact that says nothing
 * @param whyp       Out: what is wrong with it
 *
 * @return 0, EBADMSG, or E2BIG (too many or too long)
 */
int regreq_decode(struct reg_req *r, const struct sip_msg *msg,
		  uint32_t default_s, const char **whyp);

#endif
