/**
 * @file dialog/dlgs.c  All dialogs of one SIP stack
 */
#include "dialog/dlg.h"

enum { HASH_SIZE = 1024 };


static void destructor(void *arg)
{
	struct dlgs *ds = arg;

	lates_close(&ds->session);
	lates_close(&ds->offers);
	mem_deref(ds->lsnr);
	mem_deref(ds->ht);
}


static bool cmp_request(struct le *le, void *arg)
{
	const struct dlg *dlg = le->data;
	const struct sip_msg *msg = arg;

	/* The peer's view: its From tag is our remote tag */
	return !pl_strcmp(&msg->callid, dlg->callid) &&
		!pl_strcmp(&msg->to.tag, dlg->ltag) &&
		dlg->rtag && !pl_strcmp(&msg->from.tag, dlg->rtag);
}


struct ids {
	const struct pl *callid, *ltag, *rtag;
};


static bool cmp_ids(struct le *le, void *arg)
{
	const struct dlg *dlg = le->data;
	const struct ids *ids = arg;

	return !pl_strcmp(ids->callid, dlg->callid) &&
		!pl_strcmp(ids->ltag, dlg->ltag) &&
		dlg->rtag && !pl_strcmp(ids->rtag, dlg->rtag);
}


/** A dialog of ours that this 2xx comes from another branch of; a branch itself
 *  has none (inv_seq 0) */
static bool cmp_branch(struct le *le, void *arg)
{
	const struct dlg *dlg = le->data;
	const struct sip_msg *msg = arg;

	return dlg->inv_seq && msg->cseq.num == dlg->inv_seq && dlg->rtag &&
		!pl_strcmp(&msg->callid, dlg->callid) &&
		!pl_strcmp(&msg->from.tag, dlg->ltag) &&
		dlg_from_hop(dlg, msg);
}


/** Our INVITE without its 2xx that this request takes for a dialog already */
static bool cmp_early(struct le *le, void *arg)
{
	const struct dlg *dlg = le->data;
	const struct sip_msg *msg = arg;

	return dlg->uac && !dlg->rtag &&
		!pl_strcmp(&msg->callid, dlg->callid) &&
		!pl_strcmp(&msg->to.tag, dlg->ltag);
}


static bool cmp_response(struct le *le, void *arg)
{
	const struct dlg *dlg = le->data;
	const struct sip_msg *msg = arg;

	return !pl_strcmp(&msg->callid, dlg->callid) &&
		!pl_strcmp(&msg->from.tag, dlg->ltag) &&
		dlg->rtag && !pl_strcmp(&msg->to.tag, dlg->rtag);
}


/** A 2xx that no transaction wants: our ACK was lost, RFC 3261 13.2.2.4 */
static bool response_handler(const struct sip_msg *msg, void *arg)
{
	struct dlgs *ds = arg;
	struct dlg *dlg;

	if (msg->scode < 200 || msg->scode >= 300 ||
	    pl_strcmp(&msg->cseq.met, "INVITE"))
		return false;

	dlg = list_ledata(hash_lookup(ds->ht, hash_joaat_pl(&msg->callid),
				      cmp_response, (void *)msg));
	if (dlg) {
		dlg_ack_again(dlg, msg);
		return true;
	}

	/* RFC 3261 section 13.2.2.4: every 2xx is another dialog */
	dlg = list_ledata(hash_lookup(ds->ht, hash_joaat_pl(&msg->callid),
				      cmp_branch, (void *)msg));
	if (!dlg)
		return false;

	dlg_fork_drop(dlg, msg);

	return true;
}


int dlgs_alloc(struct dlgs **dsp, struct sip *sip, dlg_invite_h *inviteh,
	       void *arg)
{
	struct dlgs *ds;
	int err;

	if (!dsp || !sip)
		return EINVAL;

	ds = mem_zalloc(sizeof(*ds), destructor);
	if (!ds)
		return ENOMEM;

	ds->sip = sip;
	ds->inviteh = inviteh;
	ds->arg = arg;

	err = hash_alloc(&ds->ht, HASH_SIZE);
	if (!err)
		err = sip_listen(&ds->lsnr, sip, false, response_handler, ds);

	if (err)
		mem_deref(ds);
	else
		*dsp = ds;

	return err;
}


struct dlg *dlgs_find(const struct dlgs *ds, const struct sip_msg *msg)
{
	if (!ds || !msg || !pl_isset(&msg->to.tag))
		return NULL;

	return list_ledata(hash_lookup(ds->ht, hash_joaat_pl(&msg->callid),
				       cmp_request, (void *)msg));
}


struct dlg *dlgs_find_ids(const struct dlgs *ds, const struct pl *callid,
			  const struct pl *local_tag,
			  const struct pl *remote_tag)
{
	struct ids ids = { callid, local_tag, remote_tag };

	if (!ds || !pl_isset(callid))
		return NULL;

	return list_ledata(hash_lookup(ds->ht, hash_joaat_pl(callid), cmp_ids,
				       &ids));
}


static bool is_session_method(const struct pl *met)
{
	static const char *metv[] = { "INVITE", "BYE", "UPDATE", "PRACK",
				      "INFO" };

	for (size_t i = 0; i < ARRAY_SIZE(metv); i++) {
		if (!pl_strcmp(met, metv[i]))
			return true;
	}

	return false;
}


bool dlgs_request(struct dlgs *ds, const struct sip_msg *msg)
{
	struct dlg *dlg;

	if (!ds || !msg)
		return false;

	dlg = dlgs_find(ds, msg);
	if (dlg)
		return dlg_recv_request(dlg, msg);

	if (!pl_strcmp(&msg->met, "ACK"))
		return true;

	if (!pl_isset(&msg->to.tag) && !pl_strcmp(&msg->met, "INVITE")) {
		if (ds->inviteh)
			ds->inviteh(msg, ds->arg);
		else
			(void)sip_reply(ds->sip, msg, 403, "Forbidden");
		return true;
	}

	if (!is_session_method(&msg->met))
		return false;

	/* a new offer before there is a session; the peer asks again later */
	if (!pl_strcmp(&msg->met, "UPDATE") &&
	    hash_lookup(ds->ht, hash_joaat_pl(&msg->callid), cmp_early,
			(void *)msg)) {
		(void)sip_reply(ds->sip, msg, 491, "Request Pending");
		return true;
	}

	/* without a transaction: anybody can ask, and need not send the ACK */
	(void)sip_reply(ds->sip, msg, 481, "Call Does Not Exist");

	return true;
}


uint32_t dlgs_count(const struct dlgs *ds)
{
	return ds ? ds->dlgc : 0;
}
