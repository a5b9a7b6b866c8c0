/**
 * @file focus/rights.h  What a role may do
 *
 * One table for whatever asks: a REFER, and the control socket on behalf of a
 * user.  The operator is asked nothing.
 *
 * Threads:    libre loop
 * Refs:       RFC 4579 section 5, TR 33.829 clause 5.3.2.1.4
 */
#ifndef CONCLAVE_FOCUS_RIGHTS_H
#define CONCLAVE_FOCUS_RIGHTS_H

#include "focus/tree.h"

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
