/**
 * @file focus/ctlstats.h  Counters of focus and mixers
 */
#ifndef CONCLAVE_FOCUS_CTLSTATS_H
#define CONCLAVE_FOCUS_CTLSTATS_H

#include <jansson.h>

/** Command "stats"; arg is the focus */
int ctlcmd_stats(json_t *args, json_t **resp, void *arg);

#endif
