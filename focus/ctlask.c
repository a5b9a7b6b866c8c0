/**
 * @file focus/ctlask.c  A question to mixers on behalf of a waiting operator
 */
#include "focus/ctlask.h"
#include "focus/ctlsock.h"


static void destructor(void *arg)
{
	struct ctlask *a = arg;

	mem_deref(a->req);
	json_decref(a->resp);
}


int ctlask_new(struct ctlask **ap, struct focus *f)
{
	struct ctlask *a = mem_zalloc(sizeof(*a), destructor);

	if (!a)
		return ENOMEM;

	a->focus = f;
	a->req = ctlsock_defer(f->ctl);
	if (!a->req) {
		mem_deref(a);
		return ENOMEM;
	}
	*ap = a;

	return 0;
}


int ctlask_mixer(struct mixproc *mp, uint64_t conf, mixproc_reply_h *replyh,
		 struct ctlask *a)
{
	Mp__Message msg = MP__MESSAGE__INIT;
	Mp__StatsGet sg = MP__STATS_GET__INIT;

	sg.conf = conf;
	msg.body_case = MP__MESSAGE__BODY_STATS_GET;
	msg.stats_get = &sg;

	return mixproc_send(mp, &msg, replyh, a);
}


void ctlask_answer(struct ctlask *a, int err, json_t *resp)
{
	struct ctl_req *req = a->req;

	a->req = NULL;
	ctlsock_reply(req, err, resp);
	mem_deref(a);
}
