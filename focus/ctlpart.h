/**
 * @file focus/ctlpart.h  conclavectl kick, mute, unmute, role
 *
 * As a command of ctlsock.h each; args name the participant as "part" (number
 * or identity).  With "as" a participant asks, not the operator: a front-end
 * acts for its users, and has no more rights than their roles give.
 */
#ifndef CONCLAVE_FOCUS_CTLPART_H
#define CONCLAVE_FOCUS_CTLPART_H

#include <jansson.h>
#include "focus/rights.h"

/** Who asks: "operator", or the identity in "as" (into buf); NULL: *resp says
 *  why it is none */
const char *ctlpart_who(json_t *args, char *buf, size_t size, json_t **resp);
/** May he?  0, or EACCES (and EINVAL) with *resp */
int ctlpart_may(struct conference *c, json_t *args, enum right right,
		const struct part *target, json_t **resp);
/** What no role may: 0 for the operator, else EACCES with *resp */
int ctlpart_as_none(json_t *args, json_t **resp);
/** The participant in "part"; NULL: *resp says that there is none */
struct part *ctlpart_named(const struct conference *c, json_t *args,
			   json_t **resp);

int ctlpart_kick(struct conference *c, json_t *args, json_t **resp);
int ctlpart_mute(struct conference *c, json_t *args, json_t **resp);
int ctlpart_unmute(struct conference *c, json_t *args, json_t **resp);
int ctlpart_role(struct conference *c, json_t *args, json_t **resp);

#endif
