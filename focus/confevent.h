/**
 * @file focus/confevent.h  Conference event package
 *
 * Who may watch a conference, what each watcher is told, and when that ends.
 * Documents are made in confinfo.c, NOTIFYs sent by notifier.c.
 *
 * confevent.c   from the change feed to the watchers
 * subscribe.c   SUBSCRIBEs that want in
 *
 * Ownership:  struct confwatch belongs to its conference and lives while
 *             somebody watches it
 * Threads:    libre loop
 * Refs:       RFC 4575, RFC 6665, RFC 4579 section 3.4
 */
#ifndef CONCLAVE_FOCUS_CONFEVENT_H
#define CONCLAVE_FOCUS_CONFEVENT_H

#include "focus/tree.h"
#include "focus/notifier.h"

#define CONFEVENT_NAME "conference"

struct confwatch;

/** A SUBSCRIBE outside dialogs came over TLS, its sender is known */
void subscribe_recv(struct focus *f, const struct sip_msg *msg,
		    const char *identity);

/** Answer a SUBSCRIBE for a package that we do not have: 489 */
void subscribe_bad_event(struct focus *f, const struct sip_msg *msg,
			 const char *identity);

/** May this identity watch: a participant, or by the rules of "subscribe" */
bool confevent_allowed(const struct conference *c, const char *identity);

/** Subscriptions to conferences that an identity has */
uint32_t confevent_count(const struct focus *f, const char *identity);

/** Drop those of an identity whose connection is gone: they are told nothing */
void confevent_purge(const struct focus *f, const char *identity);

/** Make a subscription that every check has passed; answers msg if it can */
int  confevent_subscribe(struct conference *c, const struct sip_msg *msg,
			 const struct pl *id, const char *identity,
			 uint32_t expires_s, uint32_t expires_min_s,
			 uint32_t expires_max_s);

/** From the change feed */
void confevent_change(enum change ch, const struct conference *c,
		      const struct endpoint *ep, const char *reason);

#endif
