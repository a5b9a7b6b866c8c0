/**
 * @file focus/reach.h  The way to somebody who is to be called
 *
 * The one place that decides where requests of ours outside dialogs go: to a
 * phone that is registered here, on its own connection; else to the hop of the
 * configured route of the target's domain, else to the host of the URI itself.
 * Always TLS, and but for the registered phone, which has proven who it is when
 * it registered, always to a certificate that names that hop.
 *
 * Ownership:  libre object
 * Refs:       RFC 3261 section 8.1.2, RFC 3263, RFC 5626 section 5.3, RFC 5922
 *             section 7
 */
#ifndef CONCLAVE_FOCUS_REACH_H
#define CONCLAVE_FOCUS_REACH_H

#include "re_compat.h"

struct focus;
struct reach;

/**
 * Find the next hop
 *
 * @param rp      Out
 * @param target  SIP URI to be called
 * @param n       Which way: a user may be registered with several phones, the
 *                preferred ones first; everybody else has way 0 alone
 *
 * @return 0, EINVAL (no SIP URI with a user), ELOOP (it leads to ourselves),
 *         EPROTONOSUPPORT (the URI demands another transport than TLS),
 *         ENOENT (a user of ours who is not registered, or has no more
 *         phones), ENOMEM
 */
int reach_route(struct reach **rp, struct focus *f, const struct pl *target,
		unsigned n);

/** "sip:host:port;transport=tls" of the hop */
const char *reach_hop(const struct reach *r);
/** Request-URI */
const char *reach_uri(const struct reach *r);
/** Value of a Route header for the first request, or NULL */
const char *reach_path(const struct reach *r);
/** How much a registered phone is preferred, 0 to 1000; 0 of other ways */
unsigned reach_q(const struct reach *r);
/** Address family of the hop if it is an address, else that of our listener */
int reach_af(const struct reach *r);

/** Our credentials for the hop, if the realm is theirs; a dlg_auth_h */
int reach_auth(char **user, char **pass, const char *realm, void *arg);
/** There was no answer at all: a registration that led there is forgotten */
void reach_failed(const struct reach *r);
/** Says whose certificate to expect; a dlg_send_h */
int reach_send(const struct sa *dst, bool fresh, void *arg);

#endif
