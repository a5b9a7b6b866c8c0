/**
 * @file focus/rights.c  What a role may do
 */
#include "focus/ban.h"
#include "focus/invite.h"
#include "focus/privacy.h"
#include "focus/rights.h"
#include "focus/role.h"

enum {
	OWNER  = 1 << ROLE_OWNER,
	CHAIRS = 1 << ROLE_OWNER | 1 << ROLE_CHAIR,
};

/* One row a verb, whether it comes by REFER or by the control socket.  A chair who
 * asks by BFCP is one by role: epfloor.c */
static const struct {
	unsigned roles;
	bool refer;             /* those whom "refer" names                   */
	const char *why;
} rightv[RIGHT_MAX] = {
	[RIGHT_INVITE] = { 0,      true,  "Role may not invite"        },
	[RIGHT_REMOVE] = { 0,      true,  "Role may not remove others" },
	[RIGHT_MUTE]   = { CHAIRS, false, "Role may not mute"          },
	[RIGHT_LOCK]   = { CHAIRS, false, "Role may not lock"          },
	[RIGHT_FLOOR]  = { CHAIRS, false, "Role may not give the floor" },
	[RIGHT_ROLE]   = { CHAIRS, false, "Role may not give roles"    },
	[RIGHT_END]    = { OWNER,  false, "Role may not end it"        },
};

/* Words of "refer" */
static const struct {
	const char *word;
	enum role least;
} wordv[] = {
	{ "owner",   ROLE_OWNER  },
	{ "chairs",  ROLE_CHAIR  },
	{ "members", ROLE_MEMBER },
};


/** False: it has none, as it is not in */
static bool role_here(const struct conference *c, const char *who,
		      enum role *rolep)
{
	const struct part *p = part_find(c, who);

	*rolep = ROLE_OWNER;
	if (!str_cmp(who, c->owner))
		return true;
	if (!part_is_in(p))
		return false;
	*rolep = p->role;

	return true;
}


/** Who may not join must not get in by referring, and who was removed has no
 *  say either: TR 33.829 clause 5.3.2.1.4 */
static bool rule_names(struct conference *c, const char *who)
{
	return cfg_referrer_match(c->cc, who) && !privacy_is_guest(who) &&
		(part_is_in(part_find(c, who)) ||
		 (invite_may_join(c->cc, who) && !ban_active(c, who)));
}


static bool word_names(const struct conference *c, enum role role)
{
	for (size_t i = 0; i < ARRAY_SIZE(wordv); i++) {
		if (role >= wordv[i].least &&
		    cfg_referrer_word(c->cc, wordv[i].word))
			return true;
	}

	return false;
}


const char *rights_refuse(struct conference *c, const char *who,
			  enum right right, const struct part *target)
{
	const bool ruled = rightv[right].refer && rule_names(c, who);
	enum role role;
	const bool here = role_here(c, who, &role);
	bool ok = ruled;

	if (here && (rightv[right].roles & 1u << role))
		ok = true;
	/* of members those who have proven who they are: else any stranger could
	 * have us call people */
	if (here && rightv[right].refer && word_names(c, role) &&
	    (role > ROLE_MEMBER || !privacy_is_guest(who)))
		ok = true;
	if (!ok)
		return rightv[right].why;

	/* who is named by a rule ranks with the chairs at least */
	if (!here || (ruled && !role_chairs(role)))
		role = ROLE_CHAIR;
	if (target && target->role > role)
		return "Not of somebody who ranks higher";

	return NULL;
}


bool rights_shown(const struct conference *c, const char *name, enum role role)
{
	return word_names(c, role) || cfg_referrer_match(c->cc, name);
}


const char *rights_refuse_role(struct conference *c, const char *who,
			       const struct part *target, enum role role)
{
	const char *why = rights_refuse(c, who, RIGHT_ROLE, target);

	if (why)
		return why;
	if (str_cmp(who, c->owner) &&
	    (role_chairs(role) || role_chairs(target->role)))
		return "Only the owner makes and unmakes chairs";

	return NULL;
}
