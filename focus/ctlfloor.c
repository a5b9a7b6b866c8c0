/**
 * @file focus/ctlfloor.c  conclavectl floor: list, grant, deny, revoke
 */
#include "focus/epfloor.h"
#include "focus/ctlfloor.h"
#include "focus/ctlpart.h"
#include "log.h"


static bool add_request(const struct floor_req *r, void *arg)
{
	json_t *v = arg;

	(void)json_array_append_new(v, json_pack(
		"{s:i, s:i, s:s, s:i, s:i, s:s?}",
		"request", (int)r->id, "user", (int)r->beneficiary,
		"status", bfcpm_status_name(r->status),
		"position", (int)r->qpos,
		"priority", (int)r->prio, "info", r->info));

	return false;
}


static bool add_user(struct endpoint *ep, void *arg)
{
	json_t *v = arg;
	const uint16_t user = floorpart_user(ep->floor);
	const struct floors *fs = floorconf_floors(ep->part->conf->floor);

	(void)json_array_append_new(v, json_pack(
		"{s:i, s:i, s:s, s:b, s:b, s:b, s:b}",
		"user", (int)user, "part", (int)ep->part->id,
		"identity", ep->part->identity,
		"chair", floor_is_chair(fs, user), "holds", ep->holds_floor,
		"muted", (int)endpoint_muted(ep), "bfcp", floorpart_connected(ep->floor)));

	return false;
}


static int list(struct conference *c, json_t **resp)
{
	json_t *reqv = json_array(), *userv = json_array();

	floor_reqs(floorconf_floors(c->floor), add_request, reqv);
	(void)epfloor_each(c, add_user, userv);
	*resp = json_pack("{s:i, s:s, s:I, s:o, s:o}", "floor", NEG_FLOOR_ID,
			  "policy", cfg_floor_name(c->cc->floor),
			  "confid", (json_int_t)floorconf_id(c->floor),
			  "requests", reqv, "users", userv);

	return 0;
}


/** That of its endpoints that asked, or else one that is in the conference */
static struct endpoint *endpoint_of(const struct part *p)
{
	struct endpoint *best = NULL;
	struct le *le;

	for (le = list_head(&p->endpointl); le; le = le->next) {
		struct endpoint *ep = le->data;

		if (!ep->floor || !epfloor_is_in(ep))
			continue;
		if (!best || epfloor_request_of(ep))
			best = ep;
	}

	return best;
}


static const struct {
	const char *name;
	enum bfcpm_status status;
	const char *reason;
} actionv[] = {
	{ "grant",  BFCPM_GRANTED, NULL                       },
	{ "deny",   BFCPM_DENIED,  "Denied by the operator"   },
	{ "revoke", BFCPM_REVOKED, "Revoked by the operator"  },
};


static int act(struct conference *c, const struct endpoint *ep, size_t i,
	       json_t **resp)
{
	const struct floor_req *r = epfloor_request_of(ep);
	int code;

	if (r && r->status == BFCPM_GRANTED &&
	    actionv[i].status == BFCPM_GRANTED)
		return 0;

	if (r)
		code = floor_decide(floorconf_floors(c->floor), r->id,
				    actionv[i].status, actionv[i].reason,
				    floorconf_now());
	else if (actionv[i].status == BFCPM_GRANTED)
		code = epfloor_request(ep, 0);
	else
		code = BFCPM_ERR_REQUEST;
	floorconf_touch(c->floor);
	if (!code)
		return 0;

	*resp = json_string(bfcpm_error_name((uint8_t)code));

	return ENOENT;
}


int ctlfloor(struct conference *c, json_t *args, json_t **resp)
{
	const char *action = json_string_value(json_object_get(args, "action"));
	const struct endpoint *ep;
	const struct part *p;
	int err;

	if (!c->floor) {
		*resp = json_string("this conference has no floor");
		return ENOENT;
	}
	if (!action || !str_cmp(action, "list"))
		return list(c, resp);

	p = ctlpart_named(c, args, resp);
	if (!p)
		return ENOENT;
	ep = endpoint_of(p);
	if (!ep) {
		*resp = json_string("is not in yet");
		return ENOENT;
	}
	err = ctlpart_may(c, args, RIGHT_FLOOR, NULL, resp);
	if (err)
		return err;

	for (size_t i = 0; i < ARRAY_SIZE(actionv); i++) {
		if (!str_cmp(action, actionv[i].name))
			return act(c, ep, i, resp);
	}

	*resp = json_string("action is list, grant, deny or revoke");

	return EINVAL;
}
