/**
 * @file bfcp/floorq.c  Queue, promotion, media, and what is told when
 *
 * Every event changes lists and then calls floor_settle(), the only place
 * where requests are promoted, media is switched and positions are told.
 */
#include <string.h>
#include "floor_priv.h"

enum { QPOS_MAX = 255 };        /* an octet                                   */


int floor_reason(struct floor_req *r, const char *text, size_t len)
{
	const struct pl pl = { text, len };

	r->reason = mem_deref(r->reason);

	return len ? pl_strdup(&r->reason, &pl) : 0;
}


static void move(struct floor_req *r, struct list *to)
{
	list_unlink(&r->le);
	r->in = to;
	if (to)
		list_append(to, &r->le, r);
}


/* ---- queue --------------------------------------------------------------- */

/** Does a come before b? */
static bool before(const struct floors *fs, const struct floor_req *a,
		   const struct floor_req *b)
{
	if (a->prio_eff != b->prio_eff)
		return a->prio_eff > b->prio_eff;

	return fs->policy.round_robin && a->turn < b->turn;
}


void floor_enqueue(struct floors *fs, struct floor_req *r)
{
	struct le *le;
	unsigned pos = 1;

	/* it may be in there already, even as the first */
	list_unlink(&r->le);
	le = list_head(&fs->queuel);
	r->status = BFCPM_ACCEPTED;
	r->in = &fs->queuel;
	while (le && (r->want_pos ? pos < r->want_pos
				  : !before(fs, r, le->data))) {
		le = le->next;
		++pos;
	}

	if (le)
		list_insert_before(&fs->queuel, le, &r->le, r);
	else
		list_append(&fs->queuel, &r->le, r);
	fs->changed |= floor_req_mask(fs, r);
}


static bool floor_full(const struct floors *fs, uint32_t bit)
{
	struct le *le;
	unsigned n = 0;

	for (le = list_head(&fs->heldl); le; le = le->next) {
		if (floor_req_mask(fs, le->data) & bit)
			++n;
	}

	return n >= fs->policy.holders;
}


/**
 * Give free floors to the queue, in its order.  A request that needs several
 * and has to wait for one keeps those behind it from the others, too: it
 * would else never get all at once.
 */
static void promote(struct floors *fs)
{
	struct le *le = list_head(&fs->queuel);
	uint32_t taken = 0;

	for (unsigned i = 0; i < fs->floorc; i++) {
		if (floor_full(fs, 1u << i))
			taken |= 1u << i;
	}

	while (le) {
		struct floor_req *r = le->data;
		const uint32_t mask = floor_req_mask(fs, r);

		le = le->next;
		if (mask & taken) {
			taken |= mask;
			continue;
		}

		move(r, &fs->heldl);
		r->qpos = 0;
		fs->changed |= mask;
		for (unsigned i = 0; i < fs->floorc; i++) {
			if ((mask & 1u << i) && floor_full(fs, 1u << i))
				taken |= 1u << i;
		}
	}
}


static void set_positions(struct floors *fs)
{
	struct le *le;
	unsigned pos[FLOOR_MAX] = { 0 };

	for (le = list_head(&fs->queuel); le; le = le->next) {
		struct floor_req *r = le->data;
		const uint32_t mask = floor_req_mask(fs, r);
		unsigned most = 0;

		for (unsigned i = 0; i < fs->floorc; i++) {
			if (!(mask & 1u << i))
				continue;
			++pos[i];
			most = MAX(most, pos[i]);
		}
		r->qpos = (uint8_t)MIN(most, (unsigned)QPOS_MAX);
	}
}


/* ---- telling ------------------------------------------------------------- */

static void tell(struct floors *fs, struct floor_req *r, uint16_t answered)
{
	const uint16_t tid = r->tid;

	r->tid = 0;
	r->told_status = r->status;
	r->told_qpos = r->qpos;
	if (r->requester && (r->requester != answered || tid))
		fs->h.statush(r, r->requester, tid, fs->arg);
	if (r->beneficiary != r->requester && r->beneficiary != answered)
		fs->h.statush(r, r->beneficiary, 0, fs->arg);
}


void floor_end(struct floors *fs, struct floor_req *r,
	       enum bfcpm_status status, uint16_t answered)
{
	r->status = (uint8_t)status;
	r->qpos = 0;
	fs->changed |= floor_req_mask(fs, r);
	tell(fs, r, answered);
	mem_deref(r);
}


static void tell_news(struct floors *fs, const struct list *l)
{
	struct le *le;

	for (le = list_head(l); le; le = le->next) {
		struct floor_req *r = le->data;

		/* one whose media is being switched is told when it is */
		if (r->in == &fs->heldl && r->status != BFCPM_GRANTED)
			continue;
		if (r->status != r->told_status || r->qpos != r->told_qpos)
			tell(fs, r, 0);
	}
}


/* ---- media --------------------------------------------------------------- */

static void set_held(const struct floors *fs, uint32_t *anyp)
{
	struct le *le;

	*anyp = 0;
	for (le = list_head(&fs->userl); le; le = le->next)
		((struct floor_user *)le->data)->held = 0;

	for (le = list_head(&fs->heldl); le; le = le->next) {
		const struct floor_req *r = le->data;
		struct floor_user *u = floor_user_get(fs, r->beneficiary);
		const uint32_t mask = floor_req_mask(fs, r);

		*anyp |= mask;
		if (u)
			u->held |= mask;
	}
}


static bool is_heard(const struct floors *fs, const struct floor_user *u,
		     uint32_t any, uint32_t bit)
{
	switch (fs->policy.gating) {

	case FLOOR_GATES_NEVER:  return true;
	case FLOOR_GATES_ALWAYS: return (u->held & bit) != 0;
	default:                 return (u->held & bit) || !(any & bit);
	}
}


/** Those who are to be silent first, so that no moment has too many voices */
static void switch_users(struct floors *fs, uint32_t any, bool open)
{
	struct le *le;

	for (le = list_head(&fs->userl); le; le = le->next) {
		struct floor_user *u = le->data;

		for (unsigned i = 0; i < fs->floorc; i++) {
			const uint32_t bit = 1u << i;

			if (is_heard(fs, u, any, bit) != open ||
			    ((u->open & bit) != 0) == open)
				continue;
			u->open ^= bit;
			(void)fs->h.gateh(fs->floorv[i], u->id, open, 0,
					  fs->arg);
		}
	}
}


static void granted(struct floors *fs, struct floor_req *r, uint64_t now)
{
	struct floor_user *u = floor_user_get(fs, r->beneficiary);

	r->token = 0;
	r->since = now;
	r->status = BFCPM_GRANTED;
	for (unsigned i = 0; i < r->floorc; i++)
		r->floorv[i].agreed = true;
	if (u)
		u->turn = now + 1;
	fs->changed |= floor_req_mask(fs, r);
}


/**
 * The grant waits for the mixer's word.  The question is asked for the last
 * floor: answers come in the order of the questions.
 */
static int ask_grant(struct floors *fs, struct floor_req *r, uint64_t now)
{
	int err = 0;

	r->token = ++fs->token;
	for (unsigned i = 0; i < r->floorc; i++)
		err = fs->h.gateh(r->floorv[i].floor, r->beneficiary, true,
				  i + 1 == r->floorc ? r->token : 0, fs->arg);
	if (!err)
		granted(fs, r, now);

	return err == EINPROGRESS ? 0 : err;
}


/** @return true if a request had to go, so that others may come */
static bool ask_grants(struct floors *fs, uint64_t now)
{
	struct le *le = list_head(&fs->heldl);
	bool lost = false;

	while (le) {
		struct floor_req *r = le->data;

		le = le->next;
		if (r->status == BFCPM_GRANTED || r->token)
			continue;
		if (!ask_grant(fs, r, now))
			continue;
		(void)floor_reason(r, "No media", 8);
		floor_end(fs, r, BFCPM_DENIED, 0);
		lost = true;
	}

	return lost;
}


static void tell_changes(struct floors *fs)
{
	const uint32_t changed = fs->changed;

	fs->changed = 0;
	for (unsigned i = 0; i < fs->floorc; i++) {
		if (changed & 1u << i)
			fs->h.changeh(fs->floorv[i], fs->arg);
	}
}


void floor_settle(struct floors *fs, uint64_t now)
{
	uint32_t any;

	do {
		promote(fs);
		set_held(fs, &any);
		switch_users(fs, any, false);
		switch_users(fs, any, true);
	} while (ask_grants(fs, now));

	set_positions(fs);
	tell_news(fs, &fs->heldl);
	tell_news(fs, &fs->queuel);
	tell_news(fs, &fs->pendl);
	tell_changes(fs);
}


void floor_gated(struct floors *fs, uint64_t token, int err, uint64_t now)
{
	struct le *le;

	for (le = list_head(&fs->heldl); le; le = le->next) {
		struct floor_req *r = le->data;

		/* one that ended meanwhile is not here any more */
		if (!token || r->token != token)
			continue;
		if (err) {
			(void)floor_reason(r, "No media", 8);
			floor_end(fs, r, BFCPM_DENIED, 0);
		}
		else {
			granted(fs, r, now);
		}
		floor_settle(fs, now);
		return;
	}
}


/* ---- time ---------------------------------------------------------------- */

uint64_t floor_next(const struct floors *fs)
{
	const uint32_t limit = fs->policy.hold_limit_ms;
	uint64_t next = UINT64_MAX;
	struct le *le;

	for (le = limit ? list_head(&fs->heldl) : NULL; le; le = le->next) {
		const struct floor_req *r = le->data;

		if (r->status == BFCPM_GRANTED)
			next = MIN(next, r->since + limit);
	}

	return next;
}


void floor_tick(struct floors *fs, uint64_t now)
{
	const uint32_t limit = fs->policy.hold_limit_ms;
	struct le *le = limit ? list_head(&fs->heldl) : NULL;

	while (le) {
		struct floor_req *r = le->data;

		le = le->next;
		if (r->status != BFCPM_GRANTED || now < r->since + limit)
			continue;
		(void)floor_reason(r, "Time is over", 12);
		floor_end(fs, r, BFCPM_REVOKED, 0);
	}
	floor_settle(fs, now);
}
