/**
 * @file focus/invite.h  INVITEs outside dialogs, and how requests are refused
 *
 * Threads:    libre loop
 * Refs:       RFC 4579 section 5, RFC 3261 section 20.43
 */
#ifndef CONCLAVE_FOCUS_INVITE_H
#define CONCLAVE_FOCUS_INVITE_H

#include "re_compat.h"
#include "cfg.h"

struct focus;

/** Refuses what no credentials can make good: keys must not travel in clear */
bool invite_is_secure(struct focus *f, const struct sip_msg *msg);
/** An INVITE outside dialogs whose sender is known: create, join or refuse */
void invite_recv(struct focus *f, const struct sip_msg *msg,
		 const char *identity);
/** Answer, count and log; warn is a warn-code: RFC 3261 section 20.43 */
void invite_refuse(struct focus *f, const struct sip_msg *msg,
		   const char *identity, uint16_t scode, unsigned warn,
		   const char *text);
/** By the rule `join`, which knows nothing of bans and locks */
bool invite_may_join(const struct cfg_conf *cc, const char *identity);
/** Count and log a refusal */
void refuse_note(struct focus *f, const struct sip_msg *msg, uint16_t scode,
		 const char *identity, const char *reason);

#endif
