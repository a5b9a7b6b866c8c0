/**
 * @file focus/rekey.h  One endpoint's way to the key that it should have
 *
 * Threads:    libre loop
 * Refs:       RFC 4568 section 7.1.4, RFC 3311, RFC 3261 section 14
 */
#ifndef CONCLAVE_FOCUS_REKEY_H
#define CONCLAVE_FOCUS_REKEY_H

#include "focus/negotiate.h"

struct endpoint;

/** See that it is offered what it should have, in its turn */
void rekey_start(struct endpoint *ep);
/** What it should have now, as an offer of ours, or in a 200 because it asked
 *  for one; NULL if that cannot be printed */
struct mbuf *rekey_offer(struct endpoint *ep, enum sdp_dir dir, bool asked);
/** The offer that was out is answered, refused or void */
void rekey_settled(struct endpoint *ep);
void rekey_failed(struct endpoint *ep, uint16_t scode);
/** It leaves */
void rekey_stop(struct endpoint *ep);
/** Others have read our INVITE.  If its key is in use, nothing more goes out
 *  under it, and a fresh one is offered before all else. */
void rekey_forked(struct endpoint *ep);

#endif
