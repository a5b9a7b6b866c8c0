/**
 * @file focus/ctlreg.h  What an operator sees of the registrar
 */
#ifndef CONCLAVE_FOCUS_CTLREG_H
#define CONCLAVE_FOCUS_CTLREG_H

#include <jansson.h>

/** Command "registrations"; arg is the focus */
int ctlcmd_registrations(json_t *args, json_t **resp, void *arg);

#endif
