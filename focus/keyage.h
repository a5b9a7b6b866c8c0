/**
 * @file focus/keyage.h  A key of an endpoint's own is not used for ever
 *
 * Threads:    libre loop
 */
#ifndef CONCLAVE_FOCUS_KEYAGE_H
#define CONCLAVE_FOCUS_KEYAGE_H

#include <stdbool.h>

struct endpoint;

/** Its own key, ep->tx, is a new one */
void keyage_start(struct endpoint *ep);
/** It has none any more */
void keyage_stop(struct endpoint *ep);
/** Is the next one to be drawn afresh, for an offer or an answer of ours? */
bool keyage_over(const struct endpoint *ep);

#endif
