/**
 * @file cstack.h  One SIP stack of the caller: transport, TLS, dialogs
 *
 * A stack makes one connection to the server and can carry many calls.  The
 * server's certificate is verified against the CA and the name in the URI
 * (IP address or DNS name in subjectAltName; the CN does not count).
 *
 * Ownership:  libre object
 */
#ifndef CALL_CSTACK_H
#define CALL_CSTACK_H

#include "re_compat.h"
#include "dlg.h"
#include "opts.h"

struct cstack;

/** Where the calls go, found out once before the loop starts */
struct cstack_hop {
	char host[256];         /* as in the URI, for the certificate        */
	struct sa addr;         /* its address and port                      */
	struct sa laddr;        /* our address towards it, port 0            */
	char route[128];        /* first hop as URI                          */
};

/** Resolve the URI's host; prints what is wrong */
int cstack_resolve(struct cstack_hop *hop, const struct opts *o);

/** Who we say we are */
const char *cstack_software(const struct opts *o);

int cstack_alloc(struct cstack **sp, const struct opts *o, const struct cstack_hop *hop);

struct dlgs *cstack_dlgs(const struct cstack *s);

/** "<sip:user@addr:port;transport=tls>" into buf; 0 or ENOMEM */
int cstack_contact(const struct cstack *s, char *buf, size_t size, const char *user);

/** Dialogs that are not finished yet, also those that hang up alone */
uint32_t cstack_busy(const struct cstack *s);

#endif
