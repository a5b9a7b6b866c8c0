/**
 * @file focus/role.h  Roles of participants, and who is muted
 *
 * owner > chair > member > listener.  The configuration says what somebody is
 * who comes; what is changed later, and who is muted, is remembered by identity
 * as long as the conference lasts, so that calling again changes nothing.
 *
 * A listener, and who is muted, is never mixed in and can neither ask for the
 * floor nor hold it.
 *
 * Ownership:  what is remembered belongs to the conference
 * Threads:    libre loop
 * Refs:       RFC 4353 section 3.1, RFC 4579 section 5.12, RFC 4575 sections
 *             5.6.3 and 5.7.3
 */
#ifndef CONCLAVE_FOCUS_ROLE_H
#define CONCLAVE_FOCUS_ROLE_H

#include "focus/tree.h"

const char *role_name(enum role role);
/** 0 or EINVAL */
int  role_parse(const char *text, enum role *rolep);

/** May it do what chairs do?  Owners may, too */
bool role_chairs(enum role role);

/** For a participant that comes: what the configuration says, or what was
 *  changed since */
void role_assign(struct part *p);

/**
 * Give somebody another role; owner: hand the conference over
 *
 * @param by  Who says so, for the change feed
 *
 * @return 0, EINVAL (there has to be an owner), ENOSPC (too many changes) or
 *         ENOMEM
 */
int  role_set(struct part *p, enum role role, const char *by);
/** Mute or unmute all that the participant has in the conference; likewise */
int  role_mute(struct part *p, bool muted, const char *by);

/** The owner is gone: to the chair who has been in longest; false: there is none */
bool role_succeed(struct conference *c);

#endif
