/**
 * @file bfcp/srvout.c  What the server says: requests, floors and users
 *
 * Refs: RFC 8855 sections 13.1.1, 13.3 and 13.5.1
 */
#include <string.h>
#include "srv_priv.h"

enum {
	LIST_MAX = 250,         /* requests in one FloorStatus or UserStatus  */
};

struct lister {
	const struct floors *fs;
	uint16_t floor;         /* 0: any                                     */
	uint16_t user;          /* 0: any                                     */
	struct bfcpm_reqs *reqs;
};


static void set_user(struct bfcpm_user *out, const struct floors *fs,
		     uint16_t id)
{
	const struct floor_user *u = floor_user_find(fs, id);

	out->set = true;
	out->id = id;
	if (u && u->name)
		pl_set_str(&out->name, u->name);
	if (u && u->uri)
		pl_set_str(&out->uri, u->uri);
}


/** On its way to Granted it is next in turn, and has no position any more */
static void set_stat(struct bfcpm_stat *out, uint16_t id,
		     const struct floor_req *r)
{
	memset(out, 0, sizeof(*out));
	out->set = true;
	out->id = id;
	out->st.status = r->status;
	out->st.qpos = r->qpos;
}


static void set_req(struct bfcpm_req *out, const struct floors *fs,
		    const struct floor_req *r)
{
	memset(&out->beneficiary, 0, sizeof(out->beneficiary));
	memset(&out->requested_by, 0, sizeof(out->requested_by));
	out->id = r->id;
	set_stat(&out->overall, r->id, r);
	if (r->reason)
		pl_set_str(&out->overall.info, r->reason);
	out->floors.c = r->floorc;
	for (unsigned i = 0; i < r->floorc; i++)
		set_stat(&out->floors.v[i], r->floorv[i].floor, r);

	set_user(&out->beneficiary, fs, r->beneficiary);
	if (r->requester && r->requester != r->beneficiary)
		set_user(&out->requested_by, fs, r->requester);
	out->prio.set = r->prio_set;
	out->prio.v = r->prio;
	out->info = pl_null;
	if (r->info)
		pl_set_str(&out->info, r->info);
}


int srvout_request(struct mbuf *mb, const struct bfcpm_hdr *h,
		   const struct floors *fs, const struct floor_req *r)
{
	struct bfcpm_req req;
	struct bfcpm m;

	memset(&m, 0, sizeof(m));
	m.hdr = *h;
	m.hdr.prim = BFCPM_FLOOR_REQUEST_STATUS;
	m.reqs.v = &req;
	m.reqs.c = 1;
	set_req(&req, fs, r);

	return bfcpm_encode(mb, &m);
}


static bool list_handler(const struct floor_req *r, void *arg)
{
	struct lister *l = arg;

	if (l->floor && !floor_req_has(r, l->floor))
		return false;
	if (l->user && r->requester != l->user && r->beneficiary != l->user)
		return false;

	set_req(&l->reqs->v[l->reqs->c++], l->fs, r);

	return l->reqs->c >= l->reqs->max;
}


/** Holders come first, so what is cut off in a crowd is the end of the queue */
static int put_list(struct mbuf *mb, struct bfcpm *m, const struct floors *fs,
		    uint16_t floor, uint16_t user)
{
	struct lister l = { fs, floor, user, &m->reqs };
	int err;

	m->reqs.v = mem_alloc(LIST_MAX * sizeof(*m->reqs.v), NULL);
	if (!m->reqs.v)
		return ENOMEM;

	m->reqs.max = LIST_MAX;
	floor_reqs(fs, list_handler, &l);
	err = bfcpm_encode(mb, m);
	mem_deref(m->reqs.v);

	return err;
}


int srvout_floor(struct mbuf *mb, const struct bfcpm_hdr *h,
		 const struct floors *fs, uint16_t floor)
{
	struct bfcpm m;

	memset(&m, 0, sizeof(m));
	m.hdr = *h;
	m.hdr.prim = BFCPM_FLOOR_STATUS;
	m.floors.v[0] = floor;
	m.floors.c = 1;

	return put_list(mb, &m, fs, floor, 0);
}


int srvout_user(struct mbuf *mb, const struct bfcpm_hdr *h,
		const struct floors *fs, uint16_t user, bool named)
{
	struct bfcpm m;

	memset(&m, 0, sizeof(m));
	m.hdr = *h;
	m.hdr.prim = BFCPM_USER_STATUS;
	if (named)
		set_user(&m.beneficiary, fs, user);

	return put_list(mb, &m, fs, 0, user);
}
