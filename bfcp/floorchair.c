/**
 * @file bfcp/floorchair.c  What chairs and the operator decide
 *
 * Refs: RFC 8855 sections 11.1 and 13.6
 */
#include <string.h>
#include "floor_priv.h"


/** The status for one floor; without one of its own, the overall one */
static struct bfcpm_reqstat wanted(const struct bfcpm_req *action, unsigned i)
{
	const struct bfcpm_stat *st = &action->floors.v[i];

	return st->st.status ? st->st : action->overall.st;
}


/**
 * "MUST use the Status Revoked to revoke a floor that was granted and MUST use
 * the Status Denied to reject floor requests in any other status"
 */
static bool status_fits(const struct floor_req *r, uint8_t status)
{
	switch (status) {

	case BFCPM_ACCEPTED:
	case BFCPM_GRANTED:
	case BFCPM_DENIED:
		return r->status != BFCPM_GRANTED;
	case BFCPM_REVOKED:
		return r->status == BFCPM_GRANTED;
	default:
		return false;
	}
}


int floor_chair_check(const struct floors *fs, uint16_t user,
		      const struct bfcpm_req *action)
{
	const struct floor_user *u = floor_user_get(fs, user);
	const struct floor_req *r = floor_req_get(fs, action->id);

	if (!u)
		return BFCPM_ERR_USER;
	if (!u->chair)
		return BFCPM_ERR_UNAUTHORIZED;
	if (!r)
		return BFCPM_ERR_REQUEST;

	for (unsigned i = 0; i < action->floors.c; i++) {
		const uint16_t floor = action->floors.v[i].id;

		if (!floor_req_has(r, floor))
			return BFCPM_ERR_FLOOR;
		if (!(u->chair & floor_bit(fs, floor)))
			return BFCPM_ERR_UNAUTHORIZED;
	}
	for (unsigned i = 0; i < action->floors.c; i++) {
		if (!status_fits(r, wanted(action, i).status))
			return BFCPM_ERR_GENERIC;
	}

	return 0;
}


static void agree(struct floor_req *r, uint16_t floor,
		  const struct bfcpm_reqstat *st)
{
	for (unsigned i = 0; i < r->floorc; i++) {
		if (r->floorv[i].floor == floor)
			r->floorv[i].agreed = true;
	}

	/* Granted: at once, or as soon as it is free.  Accepted without a
	 * position: "a queue position based on local policy" */
	if (st->status == BFCPM_GRANTED)
		r->want_pos = 1;
	else
		r->want_pos = st->qpos;
}


static bool all_agreed(const struct floor_req *r)
{
	for (unsigned i = 0; i < r->floorc; i++) {
		if (!r->floorv[i].agreed)
			return false;
	}

	return true;
}


static void keep_reason(struct floor_req *r, const struct bfcpm_req *action)
{
	const struct pl *info = &action->overall.info;

	for (unsigned i = 0; i < action->floors.c && !info->l; i++)
		info = &action->floors.v[i].info;
	(void)floor_reason(r, info->p, info->l);
}


void floor_chair_action(struct floors *fs, uint16_t user,
			const struct bfcpm_req *action, uint64_t now)
{
	struct floor_req *r = floor_req_get(fs, action->id);
	uint8_t end = 0;

	if (!r || floor_chair_check(fs, user, action))
		return;

	keep_reason(r, action);
	for (unsigned i = 0; i < action->floors.c; i++) {
		const struct bfcpm_reqstat st = wanted(action, i);

		/* one floor's chair is enough to say no to all */
		if (st.status == BFCPM_DENIED || st.status == BFCPM_REVOKED)
			end = st.status;
		else
			agree(r, action->floors.v[i].id, &st);
	}

	if (end)
		floor_end(fs, r, (enum bfcpm_status)end, 0);
	else if (r->in != &fs->heldl && all_agreed(r))
		floor_enqueue(fs, r);
	floor_settle(fs, now);
}


int floor_decide(struct floors *fs, uint16_t req, enum bfcpm_status status,
		 const char *reason, uint64_t now)
{
	const struct bfcpm_reqstat st = { (uint8_t)status, 0 };
	struct floor_req *r = floor_req_get(fs, req);

	if (!r)
		return BFCPM_ERR_REQUEST;
	if (!status_fits(r, st.status))
		return BFCPM_ERR_GENERIC;

	(void)floor_reason(r, reason, reason ? strlen(reason) : 0);
	if (status == BFCPM_DENIED || status == BFCPM_REVOKED) {
		floor_end(fs, r, status, 0);
	}
	else if (r->in != &fs->heldl) {
		for (unsigned i = 0; i < r->floorc; i++)
			agree(r, r->floorv[i].floor, &st);
		floor_enqueue(fs, r);
	}
	floor_settle(fs, now);

	return 0;
}
