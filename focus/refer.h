/**
 * @file focus/refer.h  REFER to a conference: invite, remove, refer on
 *
 * First the referrer is authorised, then the target; both before anything is
 * allocated that stays.  The result is told by NOTIFYs of the implicit
 * subscription, unless the referrer does not want any.
 *
 * Refs: RFC 3515 as updated by RFC 7647; RFC 4488, RFC 7614, RFC 3892;
 *       RFC 4579 sections 5.5 to 5.11
 */
#ifndef CONCLAVE_FOCUS_REFER_H
#define CONCLAVE_FOCUS_REFER_H

#include "re_compat.h"
#include "focus/dialout.h"

struct dlg;
struct focus;
struct conference;
struct endpoint;
struct reach;

/** Outside of dialogs; its sender is known */
void refer_recv(struct focus *f, const struct sip_msg *msg,
		const char *identity);
/** In the dialog of an endpoint, whose connection or identity is its own */
void refer_in_dialog(struct endpoint *ep, struct dlg *dlg,
		     const struct sip_msg *msg);

/* referout.c */
struct referout {
	const struct conference *c;
	struct pl target;
	const char *referred_by;
	dialout_h *h;           /* called once                                */
	void *arg;              /* libre object                               */
};

/** Ask somebody to call the conference; 0 if h will be called */
int referout_send(const struct referout *ro);

#endif
