/**
 * @file focus/ctlpart.c  conclavectl kick, mute, unmute, role
 */
#include "focus/ban.h"
#include "focus/ctlpart.h"
#include "focus/ident.h"
#include "focus/role.h"

static const char operator[] = "operator";


const char *ctlpart_who(json_t *args, char *buf, size_t size, json_t **resp)
{
	json_t *as = json_object_get(args, "as");
	struct pl pl;

	if (!as)
		return operator;

	pl_set_str(&pl, json_is_string(as) ? json_string_value(as) : "");
	if (cfg_identity(buf, size, &pl)) {
		*resp = json_string("as: an identity, sip:user@domain");
		return NULL;
	}

	return buf;
}


/** What a SIP request would be told */
static int refused(const char *why, json_t **resp)
{
	char text[128];

	if (!why)
		return 0;

	(void)re_snprintf(text, sizeof(text), "403 %s", why);
	*resp = json_string(text);

	return EACCES;
}


int ctlpart_may(struct conference *c, json_t *args, enum right right,
		const struct part *target, json_t **resp)
{
	char buf[IDENT_MAX];
	const char *who = ctlpart_who(args, buf, sizeof(buf), resp);

	if (!who)
		return EINVAL;

	return who == operator ? 0
		: refused(rights_refuse(c, who, right, target), resp);
}


int ctlpart_as_none(json_t *args, json_t **resp)
{
	return refused(json_object_get(args, "as") ? "For the operator alone"
						   : NULL, resp);
}


struct part *ctlpart_named(const struct conference *c, json_t *args,
			   json_t **resp)
{
	json_t *id = json_object_get(args, "part");
	const json_int_t no = json_integer_value(id);
	struct part *p = NULL;

	/* a number that is too long is nobody's, not that of its low half */
	if (!json_is_integer(id))
		p = part_find(c, json_string_value(id));
	else if (no >= 0 && no <= UINT32_MAX)
		p = part_by_id(c, (uint32_t)no);

	if (!p)
		*resp = json_string("no such participant");

	return p;
}


int ctlpart_kick(struct conference *c, json_t *args, json_t **resp)
{
	struct part *p = ctlpart_named(c, args, resp);
	int err = p ? ctlpart_may(c, args, RIGHT_REMOVE, p, resp) : ENOENT;

	if (err)
		return err;

	ban_add(c, p->identity);
	part_kick(p, 200, json_object_get(args, "as")
		  ? "Removed" : "Removed by the operator");

	return 0;
}


static int changed(int err, json_t **resp)
{
	if (err)
		*resp = json_string(
			err == EINVAL ? "hand it over to another owner instead" :
			err == ENOSPC ? "too many changes in one conference"
				      : "out of memory");

	return err;
}


static int mute(struct conference *c, json_t *args, bool muted, json_t **resp)
{
	char buf[IDENT_MAX];
	struct part *p = ctlpart_named(c, args, resp);
	int err = p ? ctlpart_may(c, args, RIGHT_MUTE, p, resp) : ENOENT;

	if (err)
		return err;

	return changed(role_mute(p, muted, ctlpart_who(args, buf, sizeof(buf),
						       resp)), resp);
}


int ctlpart_mute(struct conference *c, json_t *args, json_t **resp)
{
	return mute(c, args, true, resp);
}


int ctlpart_unmute(struct conference *c, json_t *args, json_t **resp)
{
	return mute(c, args, false, resp);
}


int ctlpart_role(struct conference *c, json_t *args, json_t **resp)
{
	const char *text = json_string_value(json_object_get(args, "role"));
	char buf[IDENT_MAX];
	const char *who = ctlpart_who(args, buf, sizeof(buf), resp);
	struct part *p = ctlpart_named(c, args, resp);
	enum role role;
	int err;

	if (!who)
		return EINVAL;
	if (!p)
		return ENOENT;
	if (role_parse(text, &role)) {
		*resp = json_string("role is owner, chair, member or listener");
		return EINVAL;
	}

	err = who == operator ? 0
		: refused(rights_refuse_role(c, who, p, role), resp);

	return err ? err : changed(role_set(p, role, who), resp);
}
