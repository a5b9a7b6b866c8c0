/**
 * @file focus/relog.h  What libre would write to stderr, and strangers cause
 */
#ifndef CONCLAVE_FOCUS_RELOG_H
#define CONCLAVE_FOCUS_RELOG_H

#include <stdbool.h>

struct sip_msg;

/** From now on libre's warnings go to the log; process-wide */
void relog_open(void);
void relog_close(void);

/** Listener for responses, after all others: drops what is nobody's */
bool relog_response(const struct sip_msg *msg, void *arg);

#endif
