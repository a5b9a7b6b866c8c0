/**
 * @file focus/request.h  Requests as they come in
 *
 * Threads:    libre loop
 * Refs:       RFC 3261 sections 8.2, 11.2 and 12.2.2
 */
#ifndef CONCLAVE_FOCUS_REQUEST_H
#define CONCLAVE_FOCUS_REQUEST_H

#include "re_compat.h"

struct focus;

/** Methods and extensions of f->cfg go to f->caps */
void request_caps(struct focus *f);
/** Every request that libre has no transaction for, answered; a sip_msg_h, arg is
 *  the focus */
bool request_recv(const struct sip_msg *msg, void *arg);
/** The answer to OPTIONS, the same in and out of dialogs: RFC 3261 section 11.2 */
void request_options(struct focus *f, const struct sip_msg *msg);

#endif
