/**
 * @file bfcp/flooruser.c  Users of the floors, and what their coming and going does
 */
#include <string.h>
#include "floor_priv.h"


static void user_destructor(void *arg)
{
	struct floor_user *u = arg;

	list_unlink(&u->le);
	mem_deref(u->name);
	mem_deref(u->uri);
}


struct floor_user *floor_user_get(const struct floors *fs, uint16_t id)
{
	struct le *le;

	for (le = list_head(&fs->userl); le; le = le->next) {
		struct floor_user *u = le->data;

		if (u->id == id)
			return u;
	}

	return NULL;
}


const struct floor_user *floor_user_find(const struct floors *fs, uint16_t id)
{
	return floor_user_get(fs, id);
}


/** Is there a chair for each of these floors? */
bool floor_has_chair(const struct floors *fs, uint32_t mask)
{
	struct le *le;

	for (le = list_head(&fs->userl); le && mask; le = le->next)
		mask &= ~((const struct floor_user *)le->data)->chair;

	return !mask;
}


int floor_user_add(struct floors *fs, uint16_t id, bool chair,
		   const char *name, const char *uri)
{
	struct floor_user *u;
	int err = 0;

	if (!id)
		return EINVAL;
	if (floor_user_get(fs, id))
		return EALREADY;

	u = mem_zalloc(sizeof(*u), user_destructor);
	if (!u)
		return ENOMEM;

	u->id = id;
	u->chair = chair ? UINT32_MAX : 0;
	u->open = UINT32_MAX;           /* the mixer's default                */
	if (name)
		err = str_dup(&u->name, name);
	if (!err && uri)
		err = str_dup(&u->uri, uri);
	if (err) {
		mem_deref(u);
		return err;
	}

	list_append(&fs->userl, &u->le, u);
	floor_settle(fs, 0);

	return 0;
}


/** The last chair has gone: what waits for a word would wait for ever */
static void chair_gone(struct floors *fs)
{
	struct le *le = list_head(&fs->pendl);

	while (le) {
		struct floor_req *r = le->data;

		le = le->next;
		if (floor_has_chair(fs, floor_req_mask(fs, r)))
			continue;
		if (fs->policy.absent_auto) {
			floor_enqueue(fs, r);
			continue;
		}
		(void)floor_reason(r, "No chair", 8);
		floor_end(fs, r, BFCPM_DENIED, 0);
	}
}


static void end_all_of(struct floors *fs, struct list *l, uint16_t user,
		       enum bfcpm_status status, const char *reason)
{
	struct le *le = list_head(l);

	while (le) {
		struct floor_req *r = le->data;

		le = le->next;
		if (r->beneficiary != user)
			continue;
		if (reason)
			(void)floor_reason(r, reason, strlen(reason));
		floor_end(fs, r, status, 0);
	}
}


/** "MUST use the Status Revoked to revoke a floor that was granted": section
 *  11.1; one that is still being switched was not */
static void bar(struct floors *fs, uint16_t user, const char *why)
{
	struct le *le = list_head(&fs->heldl);

	while (le) {
		struct floor_req *r = le->data;

		le = le->next;
		if (r->beneficiary != user)
			continue;
		(void)floor_reason(r, why, strlen(why));
		floor_end(fs, r, r->status == BFCPM_GRANTED ? BFCPM_REVOKED
							    : BFCPM_DENIED, 0);
	}
	end_all_of(fs, &fs->queuel, user, BFCPM_DENIED, why);
	end_all_of(fs, &fs->pendl, user, BFCPM_DENIED, why);
}


void floor_user_set(struct floors *fs, uint16_t id, bool chair,
		    const char *barred, uint64_t now)
{
	struct floor_user *u = floor_user_get(fs, id);
	bool lost;

	if (!u)
		return;

	lost = u->chair && !chair;
	u->chair = chair ? UINT32_MAX : 0;
	u->barred = barred != NULL;
	if (barred)
		bar(fs, id, barred);
	if (lost && fs->policy.chaired)
		chair_gone(fs);
	floor_settle(fs, now);
}


void floor_user_del(struct floors *fs, uint16_t id, uint64_t now)
{
	struct floor_user *u = floor_user_get(fs, id);
	bool chair;

	if (!u)
		return;

	chair = u->chair != 0;
	mem_deref(u);
	end_all_of(fs, &fs->heldl, id, BFCPM_REVOKED, NULL);
	end_all_of(fs, &fs->queuel, id, BFCPM_CANCELLED, NULL);
	end_all_of(fs, &fs->pendl, id, BFCPM_CANCELLED, NULL);
	if (chair && fs->policy.chaired)
		chair_gone(fs);
	floor_settle(fs, now);
}


bool floor_is_chair(const struct floors *fs, uint16_t user)
{
	const struct floor_user *u = floor_user_get(fs, user);

	return u && u->chair;
}


bool floor_holds(const struct floors *fs, uint16_t user)
{
	struct le *le;

	for (le = list_head(&fs->heldl); le; le = le->next) {
		const struct floor_req *r = le->data;

		if (r->beneficiary == user && r->status == BFCPM_GRANTED)
			return true;
	}

	return false;
}
