/**
 * @file focus/role.c  Who is what in a conference, and who is muted
 */
#include "focus/epfloor.h"
#include "focus/epmedia.h"
#include "focus/privacy.h"
#include "focus/role.h"

enum { STANDING_MAX = 1000 };   /* changes that a conference remembers        */

/** What was changed by somebody, and outlasts the call */
struct standing {
	struct le le;
	char *identity;
	bool has_role;
	enum role role;
	bool muted;
};

static const char *const namev[] = {
	[ROLE_LISTENER] = "listener",
	[ROLE_MEMBER]   = "member",
	[ROLE_CHAIR]    = "chair",
	[ROLE_OWNER]    = "owner",
};


const char *role_name(enum role role)
{
	return namev[role];
}


int role_parse(const char *text, enum role *rolep)
{
	for (size_t i = 0; text && i < ARRAY_SIZE(namev); i++) {
		if (!str_cmp(text, namev[i])) {
			*rolep = (enum role)i;
			return 0;
		}
	}

	return EINVAL;
}


bool role_chairs(enum role role)
{
	return role >= ROLE_CHAIR;
}


/* ---- what is remembered --------------------------------------------------- */

static void standing_destructor(void *arg)
{
	struct standing *s = arg;

	list_unlink(&s->le);
	mem_deref(s->identity);
}


static struct standing *standing_find(const struct conference *c,
				      const char *identity)
{
	struct le *le;

	for (le = list_head(&c->standl); le; le = le->next) {
		struct standing *s = le->data;

		if (!str_cmp(s->identity, identity))
			return s;
	}

	return NULL;
}


static int standing_get(struct standing **sp, struct conference *c,
			const char *identity)
{
	struct standing *s = standing_find(c, identity);

	if (!s) {
		if (list_count(&c->standl) >= STANDING_MAX)
			return ENOSPC;
		s = mem_zalloc(sizeof(*s), standing_destructor);
		if (!s || str_dup(&s->identity, identity)) {
			mem_deref(s);
			return ENOMEM;
		}
		list_append(&c->standl, &s->le, s);
	}
	*sp = s;

	return 0;
}


static enum role role_of(const struct conference *c, const char *identity)
{
	const struct cfg_conf *cc = c->cc;
	const struct standing *s = standing_find(c, identity);

	if (!str_cmp(identity, c->owner))
		return ROLE_OWNER;
	if (s && s->has_role)
		return s->role;
	/* "*" means everybody known, and a guest is not */
	if (!privacy_is_guest(identity) &&
	    cfg_rules_match(cc->chairv, cc->chairc, identity))
		return ROLE_CHAIR;

	return cfg_rules_match(cc->listenerv, cc->listenerc, identity)
		? ROLE_LISTENER : ROLE_MEMBER;
}


void role_assign(struct part *p)
{
	const struct standing *s = standing_find(p->conf, p->identity);

	p->role = role_of(p->conf, p->identity);
	p->muted = s && s->muted;
}


/* ---- changes --------------------------------------------------------------- */

/** Floor and mixer, then everybody else */
static void apply(struct endpoint *ep, enum change ch, const char *by)
{
	epfloor_standing(ep);
	if (ep->neg.sdes.suite || ep->media_pending)
		(void)epmedia_resend(ep);
	if (!endpoint_is_new(ep))
		change_feed(ch, ep->part->conf, ep, by);
}


static void apply_part(struct part *p, enum change ch, const char *by)
{
	struct le *le;

	for (le = list_head(&p->endpointl); le; le = le->next)
		apply(le->data, ch, by);
}


/** Somebody may be in twice, with a pseudonym and without */
static void refresh(struct conference *c, const char *identity,
		    const char *by)
{
	struct le *le;

	for (le = list_head(&c->partl); le; le = le->next) {
		struct part *p = le->data;
		const enum role role = p->role;
		const bool muted = p->muted;

		if (str_cmp(p->identity, identity))
			continue;
		role_assign(p);
		if (p->role != role)
			apply_part(p, CHANGE_ROLE, by);
		if (p->muted != muted)
			apply_part(p, p->muted ? CHANGE_MUTED
					       : CHANGE_UNMUTED, by);
	}
}


static int hand_over(struct conference *c, const struct part *p,
		     const char *by)
{
	struct standing *s = standing_find(c, p->identity);
	char *was = c->owner, *owner = NULL;
	int err;

	err = str_dup(&owner, p->identity);
	if (err)
		return err;

	/* who owns it was given no lesser role, and is not muted by anybody */
	mem_deref(s);
	c->owner = owner;
	refresh(c, owner, by);
	refresh(c, was, by);
	mem_deref(was);

	return 0;
}


int role_set(struct part *p, enum role role, const char *by)
{
	struct conference *c = p->conf;
	struct standing *s;
	int err;

	if (p->role == role)
		return 0;
	if (p->role == ROLE_OWNER)
		return EINVAL;
	if (role == ROLE_OWNER)
		return hand_over(c, p, by);

	err = standing_get(&s, c, p->identity);
	if (err)
		return err;

	s->has_role = true;
	s->role = role;
	refresh(c, p->identity, by);

	return 0;
}


int role_mute(struct part *p, bool muted, const char *by)
{
	struct standing *s;
	int err;

	if (p->muted == muted)
		return 0;

	err = standing_get(&s, p->conf, p->identity);
	if (err)
		return err;

	s->muted = muted;
	refresh(p->conf, p->identity, by);

	return 0;
}


/* ---- succession -------------------------------------------------------------- */

bool role_succeed(struct conference *c)
{
	struct le *le;

	for (le = list_head(&c->partl); le; le = le->next) {
		struct part *p = le->data;

		if (p->role == ROLE_CHAIR && part_is_in(p))
			return !hand_over(c, p, "owner_left");
	}

	return false;
}
