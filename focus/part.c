/**
 * @file focus/part.c  Participants: one authenticated identity each
 */
#include "focus/privacy.h"
#include "focus/role.h"


static void destructor(void *arg)
{
	struct part *p = arg;

	list_unlink(&p->le);
	mem_deref(p->identity);
	mem_deref(p->public_uri);
	mem_deref(p->public_name);
	mem_deref(p->cname);
}


struct part *part_find_as(const struct conference *c, const char *identity,
			  bool anonymous)
{
	struct le *le;

	for (le = list_head(&c->partl); le; le = le->next) {
		struct part *p = le->data;

		if (p->anonymous == anonymous &&
		    !str_cmp(p->identity, identity))
			return p;
	}

	return NULL;
}


struct part *part_find(const struct conference *c, const char *identity)
{
	struct part *p = part_find_as(c, identity, false);

	return p ? p : part_find_as(c, identity, true);
}


struct part *part_find_public(const struct conference *c, const char *uri)
{
	struct le *le;

	for (le = list_head(&c->partl); le; le = le->next) {
		struct part *p = le->data;

		if (!str_cmp(p->public_uri, uri))
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


/** RFC 7022 section 4.2: 96 random bits say nothing about anybody */
static int draw_cname(char **cnamep)
{
	return re_sdprintf(cnamep, "%016llx%08x", rand_u64(), rand_u32());
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
	err = str_dup(&p->identity, identity);
	if (!err)
		role_assign(p);
	if (!err)
		err = str_dup(&p->public_uri, identity);
	if (!err)
		err = draw_cname(&p->cname);
	if (err) {
		mem_deref(p);
		return err;
	}

	list_append(&c->partl, &p->le, p);
	*pp = p;

	return 0;
}


int part_hide(struct part *p)
{
	struct conference *c = p->conf;
	const bool guest = !str_cmp(p->identity, PRIVACY_GUEST);
	char *uri = NULL, *name = NULL;
	uint32_t no = 0;
	int err = 0;

	if (!c->ps)
		err = pseudonyms_alloc(&c->ps);
	if (!err)
		err = pseudonym_get(c->ps, guest ? NULL : p->identity, &no);
	if (!err)
		err = pseudonym_print(&uri, &name, no);
	if (err)
		return err;

	if (guest) {
		mem_deref(p->identity);
		p->identity = mem_ref(uri);
		/* it made the conference; the next guest is somebody else */
		if (p->role == ROLE_OWNER) {
			mem_deref(c->owner);
			c->owner = mem_ref(uri);
		}
	}
	mem_deref(p->public_uri);
	p->public_uri = uri;
	p->public_name = name;
	p->anonymous = true;

	return 0;
}


const char *part_public_uri(const struct part *p)
{
	return p->public_uri;
}


const char *part_public_name(const struct part *p)
{
	return p->public_name;
}


bool part_is_in(const struct part *p)
{
	struct le *le;

	for (le = p ? list_head(&p->endpointl) : NULL; le; le = le->next) {
		if (!endpoint_is_new(le->data))
			return true;
	}

	return false;
}


bool part_heard(const struct part *p)
{
	return !p->muted && p->role != ROLE_LISTENER;
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
