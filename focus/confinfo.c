/**
 * @file focus/confinfo.c  The roster with its change numbers
 */
#include <errno.h>
#include <string.h>
#include "focus/confinfo_priv.h"


static void user_destructor(void *arg)
{
	struct user *u = arg;

	list_unlink(&u->le);
	list_flush(&u->endpl);
	mem_deref(u->uri);
	mem_deref(u->display);
}


static void endp_destructor(void *arg)
{
	struct endp *e = arg;

	list_unlink(&e->le);
}


static void destructor(void *arg)
{
	struct confinfo *ci = arg;

	list_flush(&ci->userl);
	mem_deref(ci->entity);
	mem_deref(ci->subject);
	mem_deref(ci->host);
}


int confinfo_alloc(struct confinfo **cip, const struct ci_about *about)
{
	struct confinfo *ci;
	int err;

	if (!cip || !about || !about->entity)
		return EINVAL;

	ci = mem_zalloc(sizeof(*ci), destructor);
	if (!ci)
		return ENOMEM;

	ci->max_users = about->max_users;
	err  = str_dup(&ci->entity, about->entity);
	err |= str_dup(&ci->subject, about->subject ? about->subject : "");
	err |= str_dup(&ci->host, about->host ? about->host : "");
	if (err)
		mem_deref(ci);
	else
		*cip = ci;

	return err ? ENOMEM : 0;
}


/* ---- find ---------------------------------------------------------------- */

/** Not a marker: somebody who comes back is a new user */
struct user *confinfo_user(const struct confinfo *ci, const char *uri)
{
	struct le *le;

	for (le = list_head(&ci->userl); le; le = le->next) {
		struct user *u = le->data;

		if (!u->mark.deleted && !str_cmp(u->uri, uri))
			return u;
	}

	return NULL;
}


static struct endp *endp_find(const struct user *u, uint64_t id)
{
	struct le *le;

	for (le = list_head(&u->endpl); le; le = le->next) {
		struct endp *e = le->data;

		if (e->id == id)
			return e;
	}

	return NULL;
}


static struct endp *endp_find_all(const struct confinfo *ci, uint64_t id)
{
	struct endp *e = NULL;
	struct le *le;

	for (le = list_head(&ci->userl); le && !e; le = le->next)
		e = endp_find(le->data, id);

	return e;
}


/* ---- count --------------------------------------------------------------- */

/** RFC 4575 section 5.5.1: who takes part, not who is on the way */
static bool is_in(const struct endp *e)
{
	switch (e->v.status) {

	case CI_CONNECTED:
	case CI_ON_HOLD:
	case CI_MUTED_VIA_FOCUS:
	case CI_DISCONNECTING:
		return !e->left;
	default:
		return false;
	}
}


static bool user_is_in(const struct user *u)
{
	struct le *le;

	for (le = list_head(&u->endpl); le; le = le->next) {
		if (is_in(le->data))
			return true;
	}

	return false;
}


static void count_shift(struct confinfo *ci, bool before, bool after)
{
	if (before == after)
		return;

	ci->userc += after ? 1 : (uint32_t)-1;
	ci->state_changed = ci->no;
}


/* ---- change -------------------------------------------------------------- */

static int user_new(struct user **up, struct confinfo *ci,
		    const struct ci_user *cu)
{
	struct user *u;
	int err;

	u = mem_zalloc(sizeof(*u), user_destructor);
	if (!u)
		return ENOMEM;

	err = str_dup(&u->uri, cu->uri);
	if (!err && cu->display)
		err = str_dup(&u->display, cu->display);
	if (err) {
		mem_deref(u);
		return err;
	}

	u->role = cu->role;
	u->admin = cu->admin;
	u->mark.born = ci->no + 1;       /* that of its first endpoint        */
	list_append(&ci->userl, &u->le, u);
	*up = u;

	return 0;
}


static int endp_add(struct confinfo *ci, struct user *u, uint64_t id,
		    const struct ci_endpoint *v)
{
	struct endp *e = mem_zalloc(sizeof(*e), endp_destructor);
	bool before = user_is_in(u);

	if (!e)
		return ENOMEM;

	e->user = u;
	e->id = id;
	e->v = *v;
	e->mark.born = e->mark.changed = e->keyed = ++ci->no;
	list_append(&u->endpl, &e->le, e);
	++ci->endpc;
	count_shift(ci, before, user_is_in(u));

	return 0;
}


static bool same_text(const char *a, const char *b)
{
	return !str_cmp(a ? a : "", b ? b : "");
}


static bool same_but_key(const struct ci_endpoint *a,
			 const struct ci_endpoint *b)
{
	return a->status == b->status && a->joining == b->joining &&
		a->joined == b->joined && a->sends == b->sends &&
		a->receives == b->receives && a->has_src == b->has_src &&
		a->src == b->src && same_text(a->suite, b->suite) &&
		same_text(a->proof, b->proof) &&
		same_text(a->floor, b->floor);
}


static enum ci_change endp_change(struct confinfo *ci, struct endp *e,
				  const struct ci_endpoint *v)
{
	bool before = user_is_in(e->user);
	bool same = same_but_key(&e->v, v);

	if (same && e->v.epoch == v->epoch && e->v.key_since == v->key_since &&
	    same_text(e->v.keying, v->keying))
		return CI_SAME;

	e->v = *v;
	++ci->no;
	if (same) {
		e->keyed = ci->keyed = ci->no;
		return CI_KEYS_ONLY;
	}

	e->mark.changed = ci->no;
	count_shift(ci, before, user_is_in(e->user));

	return CI_CHANGED;
}


int confinfo_set(struct confinfo *ci, const struct ci_user *cu, uint64_t id,
		 const struct ci_endpoint *v, enum ci_change *chp)
{
	struct user *u = confinfo_user(ci, cu->uri), *fresh = NULL;
	enum ci_change ch = CI_CHANGED;
	struct endp *e;
	int err = 0;

	if (str_len(cu->uri) > CI_URI_MAX)
		return EOVERFLOW;

	if (!u) {
		err = user_new(&fresh, ci, cu);
		if (err)
			return err;
		u = fresh;
	}

	*chp = CI_SAME;
	if (!same_text(u->role, cu->role) || u->admin != cu->admin) {
		u->role = cu->role;
		u->admin = cu->admin;
		u->mark.changed = ++ci->no;
		*chp = CI_CHANGED;
	}

	e = endp_find(u, id);
	if (!e)
		err = endp_add(ci, u, id, v);
	else
		ch = e->left ? CI_SAME : endp_change(ci, e, v);
	if (err)
		mem_deref(fresh);
	else
		*chp = MAX(*chp, ch);

	return err;
}


void confinfo_leave(struct confinfo *ci, uint64_t id,
		    const struct ci_end *end, uint64_t now_ms)
{
	struct endp *e = endp_find_all(ci, id);
	bool before;

	if (!e || e->left)
		return;

	before = user_is_in(e->user);
	e->left = true;
	e->left_ms = now_ms;
	e->end = *end;
	e->v.status = CI_DISCONNECTED;
	e->mark.changed = ++ci->no;
	count_shift(ci, before, user_is_in(e->user));
}


bool confinfo_lock(struct confinfo *ci, bool locked)
{
	if (ci->locked == locked)
		return false;

	ci->locked = locked;
	ci->state_changed = ++ci->no;

	return true;
}


/** From here on it is a marker that says so */
static void endp_delete(struct confinfo *ci, struct endp *e)
{
	struct user *u = e->user;
	struct le *le;

	e->mark.deleted = ++ci->no;
	--ci->endpc;
	++ci->markerc;

	for (le = list_head(&u->endpl); le; le = le->next) {
		const struct endp *other = le->data;

		if (!other->mark.deleted)
			return;
	}

	u->mark.deleted = ci->no;
	++ci->markerc;
}


uint64_t confinfo_forget(struct confinfo *ci, uint64_t now_ms,
			 uint32_t linger_ms)
{
	uint64_t next = 0;
	struct le *ue, *le;

	for (ue = list_head(&ci->userl); ue; ue = ue->next) {
		const struct user *u = ue->data;

		for (le = list_head(&u->endpl); le; le = le->next) {
			struct endp *e = le->data;
			uint64_t due = e->left_ms + linger_ms;

			if (!e->left || e->mark.deleted)
				continue;
			if (due <= now_ms)
				endp_delete(ci, e);
			else if (!next || due < next)
				next = due;
		}
	}

	return next;
}


static void trim_user(struct confinfo *ci, struct user *u, uint64_t seen)
{
	struct le *le = list_head(&u->endpl);

	while (le) {
		struct endp *e = le->data;

		le = le->next;
		if (e->mark.deleted && e->mark.deleted <= seen) {
			--ci->markerc;
			mem_deref(e);
		}
	}

	if (u->mark.deleted && u->mark.deleted <= seen) {
		ci->markerc -= 1 + list_count(&u->endpl);
		mem_deref(u);
	}
}


void confinfo_trim(struct confinfo *ci, uint64_t seen)
{
	struct le *le = list_head(&ci->userl);

	/* a watcher that does not answer must not hold them for ever: it is
	 * told everything anew */
	if (ci->markerc > CI_MARKERS_MAX)
		seen = ci->no;
	if (!ci->markerc)
		return;

	ci->horizon = MAX(ci->horizon, seen);
	while (le) {
		struct user *u = le->data;

		le = le->next;
		trim_user(ci, u, seen);
	}
}
