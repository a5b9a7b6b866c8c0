/**
 * @file focus/ctlfloor.h  conclavectl floor: list, grant, deny, revoke
 */
#ifndef CONCLAVE_FOCUS_CTLFLOOR_H
#define CONCLAVE_FOCUS_CTLFLOOR_H

#include <jansson.h>
#include "focus/tree.h"

/** args: "action" (unset: list) and "part"; as a command of ctlsock.h */
int ctlfloor(struct conference *c, json_t *args, json_t **resp);

#endif
