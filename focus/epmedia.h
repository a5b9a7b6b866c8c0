/**
 * @file focus/epmedia.h  Keys of an endpoint, and its leg at the mixer
 *
 * Ownership:  keys belong to the endpoint; what is returned is good until its
 *             session changes
 * Threads:    libre loop
 * Refs:       RFC 3711 section 9.1, RFC 4568 section 7.1
 */
#ifndef CONCLAVE_FOCUS_EPMEDIA_H
#define CONCLAVE_FOCUS_EPMEDIA_H

#include "focus/endpoint.h"

/** Keys for ep->next, an offer of the peer; 0, EAGAIN (see gclass_admit()),
 *  or another errno with e filled */
int  epmedia_keys(struct endpoint *ep, struct neg_err *e);
/** Tell the mixer what ep->next says (or, without it, only to open a port) */
int  epmedia_apply(struct endpoint *ep, mixproc_reply_h *replyh);
/** Tell the mixer again what was agreed, with other streams */
int  epmedia_resend(struct endpoint *ep);
/** Its mixer is a new one: a fresh key of its own, if it had one, and a port
 *  there; nothing is sent until it knows of both */
int  epmedia_move(struct endpoint *ep, mixproc_reply_h *replyh);
/** The mixer took it: next becomes current */
void epmedia_commit(struct endpoint *ep);
/** The epoch in next was retired on the way: take the live one, if there is */
bool epmedia_renew(struct endpoint *ep);
/** Keys for an answer to an offer of ours */
int  epmedia_keys_answer(struct endpoint *ep, struct neg_err *e);
/** It knows this epoch of its class from now on, and for ever */
void epmedia_told(struct endpoint *ep, const struct gepoch *ge);
/** Its own key is not sent under any more: wipe it */
void epmedia_drop_own(struct endpoint *ep);
/** It did not come to be: forget next */
void epmedia_rollback(struct endpoint *ep);
/** Leave the mixer, retire all keys */
void epmedia_release(struct endpoint *ep, uint32_t grace_ms);
/** The keys that our answer to its offer shows */
void epmedia_show_next(struct neg_keys *keys, const struct endpoint *ep);
/** Those that our SDP shows with this epoch (or none) and the key of its own */
void epmedia_show(struct neg_keys *keys, const struct gepoch *ge,
		  const struct secret *own, uint8_t mki_len);
/** The epoch that it hears; NULL: its own key, or nothing yet */
const struct gepoch *epmedia_epoch(const struct endpoint *ep);
/** How old is the key that it hears under? 0: it has none yet */
time_t epmedia_key_since(const struct endpoint *ep);
/** The key that it hears; NULL: none */
const struct secret *epmedia_key(const struct endpoint *ep);
void epmedia_local(struct endpoint *ep, struct neg_local *l);
int  epmedia_local_set(struct endpoint *ep, const Mp__Reply *r);

#endif
