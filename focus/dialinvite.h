/**
 * @file focus/dialinvite.h  The INVITE of a call of ours
 */
#ifndef CONCLAVE_FOCUS_DIALINVITE_H
#define CONCLAVE_FOCUS_DIALINVITE_H

#include "focus/reach.h"
#include "re_compat.h"

struct endpoint;

/** What it says besides the offer */
struct dialinvite {
	struct reach *reach;            /* where to                           */
	const char *referred_by;        /* header values, or NULL             */
	const char *replaces;
	const struct mbuf *history;     /* recipient-list-history, or NULL    */
};

/** Its leg is at the mixer: draw keys, send it; the endpoint has a dialog then.
 *  d is only read; the dialog takes a reference of its reach.
 *  @return 0, or an errno and there is no dialog */
int dialinvite_send(struct endpoint *ep, const struct dialinvite *d);

#endif
