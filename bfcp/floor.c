/**
 * @file bfcp/floor.c  Floors and requests
 */
#include <string.h>
#include "floor_priv.h"


static void destructor(void *arg)
{
	struct floors *fs = arg;

	list_flush(&fs->heldl);
	list_flush(&fs->queuel);
	list_flush(&fs->pendl);
	list_flush(&fs->userl);
}


static void req_destructor(void *arg)
{
	struct floor_req *r = arg;

	list_unlink(&r->le);
	mem_deref(r->info);
	mem_deref(r->reason);
}


int floors_alloc(struct floors **fsp, const struct floor_policy *policy,
		 const struct floor_handlers *h, void *arg)
{
	struct floors *fs;

	if (!fsp || !policy || !h || !policy->holders || !policy->per_user)
		return EINVAL;

	fs = mem_zalloc(sizeof(*fs), destructor);
	if (!fs)
		return ENOMEM;

	fs->policy = *policy;
	fs->h = *h;
	fs->arg = arg;
	*fsp = fs;

	return 0;
}


int floor_add(struct floors *fs, uint16_t floor)
{
	if (!floor)
		return EINVAL;
	if (fs->floorc >= FLOOR_MAX)
		return EOVERFLOW;
	if (floor_bit(fs, floor))
		return EALREADY;

	fs->floorv[fs->floorc++] = floor;

	return 0;
}


uint32_t floor_bit(const struct floors *fs, uint16_t floor)
{
	for (unsigned i = 0; i < fs->floorc; i++) {
		if (fs->floorv[i] == floor)
			return 1u << i;
	}

	return 0;
}


bool floor_exists(const struct floors *fs, uint16_t floor)
{
	return floor_bit(fs, floor) != 0;
}


uint32_t floor_req_mask(const struct floors *fs, const struct floor_req *r)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < r->floorc; i++)
		mask |= floor_bit(fs, r->floorv[i].floor);

	return mask;
}


bool floor_req_has(const struct floor_req *req, uint16_t floor)
{
	for (unsigned i = 0; i < req->floorc; i++) {
		if (req->floorv[i].floor == floor)
			return true;
	}

	return false;
}


/* ---- requests ------------------------------------------------------------ */

struct find {
	uint16_t id;
	const struct floor_req *r;
};


static bool find_handler(const struct floor_req *r, void *arg)
{
	struct find *f = arg;

	if (r->id == f->id)
		f->r = r;

	return f->r != NULL;
}


struct floor_req *floor_req_get(const struct floors *fs, uint16_t id)
{
	struct find f = { id, NULL };

	floor_reqs(fs, find_handler, &f);

	return (struct floor_req *)(uintptr_t)f.r;
}


const struct floor_req *floor_req_find(const struct floors *fs, uint16_t id)
{
	return floor_req_get(fs, id);
}


void floor_reqs(const struct floors *fs, floor_req_h *h, void *arg)
{
	const struct list *lv[] = { &fs->heldl, &fs->queuel, &fs->pendl };
	struct le *le;

	for (size_t i = 0; i < ARRAY_SIZE(lv); i++) {
		for (le = list_head(lv[i]); le; le = le->next) {
			if (h(le->data, arg))
				return;
		}
	}
}


bool floor_req_mine(const struct floors *fs, const struct floor_req *req,
		    uint16_t user)
{
	const struct floor_user *u = floor_user_get(fs, user);

	return u && (req->requester == user || req->beneficiary == user ||
		     (u->chair & floor_req_mask(fs, req)));
}


struct count {
	uint16_t floor, user;
	unsigned n, all;
};


static bool count_handler(const struct floor_req *r, void *arg)
{
	struct count *c = arg;

	++c->all;
	if (r->beneficiary == c->user && floor_req_has(r, c->floor))
		++c->n;

	return false;
}


/** "You have Already Reached the Maximum Number of Ongoing Floor Requests" */
static bool limit_reached(const struct floors *fs, uint16_t user,
			  const struct floor_ask *ask)
{
	for (unsigned i = 0; i < ask->floorc; i++) {
		struct count c = { ask->floorv[i], user, 0, 0 };

		floor_reqs(fs, count_handler, &c);
		if (c.n >= fs->policy.per_user || c.all >= fs->policy.requests)
			return true;
	}

	return false;
}


static uint16_t new_id(struct floors *fs)
{
	do {
		++fs->req_id;
	} while (!fs->req_id || floor_req_get(fs, fs->req_id));

	return fs->req_id;
}


static struct floor_req *req_new(struct floors *fs,
				 const struct floor_ask *ask)
{
	const uint16_t who = ask->beneficiary ? ask->beneficiary : ask->user;
	struct floor_req *r = mem_zalloc(sizeof(*r), req_destructor);
	struct pl info = ask->info;

	if (!r)
		return NULL;

	info.l = MIN(info.l, (size_t)FLOOR_INFO_MAX);
	/* not through the middle of a UTF-8 sequence */
	while (info.l < ask->info.l && info.l &&
	       (info.p[info.l] & 0xc0) == 0x80)
		--info.l;
	if (info.l && pl_strdup(&r->info, &info))
		return mem_deref(r);

	r->requester = ask->user;
	r->beneficiary = who;
	r->tid = ask->tid;
	r->prio_set = ask->prio.set;
	r->prio = ask->prio.set ? ask->prio.v : BFCPM_PRIO_NORMAL;
	r->prio_eff = MIN(r->prio, fs->policy.prio_max);
	r->turn = floor_user_get(fs, who)->turn;
	for (unsigned i = 0; i < ask->floorc && r->floorc < FLOOR_MAX; i++) {
		if (!floor_req_has(r, ask->floorv[i]))
			r->floorv[r->floorc++].floor = ask->floorv[i];
	}
	r->id = new_id(fs);

	return r;
}


/** Automatic, or the chair's own: it goes straight into the queue */
static bool needs_no_word(const struct floors *fs, const struct floor_req *r)
{
	const uint32_t mask = floor_req_mask(fs, r);
	const struct floor_user *u = floor_user_get(fs, r->requester);

	if (!fs->policy.chaired || !r->requester)
		return true;
	if (u && !(mask & ~u->chair))
		return true;

	return fs->policy.absent_auto && !floor_has_chair(fs, mask);
}


static int request_check(const struct floors *fs, const struct floor_ask *ask)
{
	const uint16_t who = ask->beneficiary ? ask->beneficiary : ask->user;
	uint32_t mask = 0;

	if (!floor_user_get(fs, who) ||
	    (ask->user && !floor_user_get(fs, ask->user)))
		return BFCPM_ERR_USER;
	if (!ask->floorc)
		return BFCPM_ERR_PARSE;

	for (unsigned i = 0; i < ask->floorc; i++) {
		const uint32_t bit = floor_bit(fs, ask->floorv[i]);

		if (!bit)
			return BFCPM_ERR_FLOOR;
		mask |= bit;
	}

	/* whoever asks for it */
	if (floor_user_get(fs, who)->barred)
		return BFCPM_ERR_UNAUTHORIZED;

	/* for somebody else: a chair of all these floors */
	if (ask->user && who != ask->user &&
	    (mask & ~floor_user_get(fs, ask->user)->chair))
		return BFCPM_ERR_UNAUTHORIZED;

	return limit_reached(fs, who, ask) ? BFCPM_ERR_LIMIT : 0;
}


int floor_request(struct floors *fs, const struct floor_ask *ask, uint64_t now)
{
	struct floor_req *r;
	int err;

	err = request_check(fs, ask);
	if (err)
		return err;

	r = req_new(fs, ask);
	if (!r)
		return BFCPM_ERR_GENERIC;

	if (needs_no_word(fs, r)) {
		/* a chair, or the operator, goes before the others */
		if (fs->policy.chaired && floor_is_chair(fs, r->requester))
			r->prio_eff = BFCPM_PRIO_HIGHEST + 1;
		if (!r->requester)
			r->prio_eff = BFCPM_PRIO_HIGHEST + 1;
		floor_enqueue(fs, r);
	}
	else if (floor_has_chair(fs, floor_req_mask(fs, r))) {
		r->status = BFCPM_PENDING;
		r->in = &fs->pendl;
		list_append(&fs->pendl, &r->le, r);
		fs->changed |= floor_req_mask(fs, r);
	}
	else {
		(void)floor_reason(r, "No chair", 8);
		floor_end(fs, r, BFCPM_DENIED, 0);
	}
	floor_settle(fs, now);

	return 0;
}


int floor_release(struct floors *fs, uint16_t user, uint16_t req,
		  uint16_t tid, uint64_t now)
{
	struct floor_req *r = floor_req_get(fs, req);
	enum bfcpm_status st;

	if (!floor_user_get(fs, user))
		return BFCPM_ERR_USER;
	if (!r)
		return BFCPM_ERR_REQUEST;
	if (!floor_req_mine(fs, r, user))
		return BFCPM_ERR_UNAUTHORIZED;

	/* section 10.2.1: it may have crossed with the grant, which is why
	 * both are one message; what was never told was never granted */
	st = r->status == BFCPM_GRANTED ? BFCPM_RELEASED : BFCPM_CANCELLED;
	mem_ref(r);
	r->status = (uint8_t)st;
	r->qpos = 0;
	fs->h.statush(r, user, tid, fs->arg);
	floor_end(fs, r, st, user);
	mem_deref(r);
	floor_settle(fs, now);

	return 0;
}
