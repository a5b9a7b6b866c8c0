/**
 * @file focus/role.h  Roles of participants, and what a role may do
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

/** What can be asked of a conference */
enum right {
	RIGHT_INVITE, RIGHT_REMOVE, RIGHT_MUTE, RIGHT_LOCK, RIGHT_FLOOR,
	RIGHT_ROLE, RIGHT_END, RIGHT_MAX
};

/**
 * May an identity do this?
 *
 * @param who     Who asks: a participant, the owner even when it is not in, or
 *                somebody whom a rule of "refer" names
 * @param target  Participant whom it is about, or NULL
 *
 * @return NULL if so, else why not (static text)
 */
const char *rights_refuse(struct conference *c, const char *who,
			  enum right right, const struct part *target);
/** The same for giving somebody a role */
const char *rights_refuse_role(struct conference *c, const char *who,
			       const struct part *target, enum role role);
/** May somebody of this role, shown to others by this name, have people called
 *  and removed?  Says nothing that the name and the role do not. */
bool rights_shown(const struct conference *c, const char *name, enum role role);

#endif
