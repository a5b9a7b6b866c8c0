/**
 * @file focus/part.c  Participants: one authenticated identity each
 */
#include "focus/tree.h"


static void destructor(void *arg)
{
	struct part *p = arg;

	list_unlink(&p->le);
	mem_deref(p->identity);
}


struct part *part_find(const struct conference *c, const char *identity)
{
	struct le *le;

	for (le = list_head(&c->partl); le; le = le->next) {
		struct part *p = le->data;

		if (!str_cmp(p->identity, identity))
			return p;
	}

	return NULL;
}


struct part *part_by_id(const struct conference *c, uint32_t id)
{
	struct le *le;

	for (le = list_head(&c->partl); le; le = le->next) {
		struct part *p = le->data;

		if (p->id == id)
			return p;
	}

	return NULL;
}


int part_new(struct part **pp, struct conference *c, const char *identity)
{
	struct part *p;
	int err;

	p = mem_zalloc(sizeof(*p), destructor);
	if (!p)
		return ENOMEM;

	p->conf = c;
	p->id = ++c->part_id;
	p->role = str_cmp(identity, c->owner) ? ROLE_MEMBER : ROLE_OWNER;
	err = str_dup(&p->identity, identity);
	if (err) {
		mem_deref(p);
		return err;
	}

	list_append(&c->partl, &p->le, p);
	*pp = p;

	return 0;
}


const char *part_public_uri(const struct part *p)
{
	return p->identity;
}


/** Nobody has proven a display name, so none is shown */
const char *part_public_name(const struct part *p)
{
	(void)p;

	return NULL;
}


const char *part_role_name(const struct part *p)
{
	return p->role == ROLE_OWNER ? "owner" : "member";
}


void part_kick(struct part *p, unsigned cause, const char *text)
{
	struct le *le;

	/* the last endpoint_end() takes the participant with it, and may take
	 * the conference */
	mem_ref(p);
	while ((le = list_head(&p->endpointl)))
		endpoint_kick(le->data, cause, text);
	mem_deref(p);
}
