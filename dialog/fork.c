/**
 * @file dialog/fork.c  Branches of our INVITE that did not win
 *
 * A proxy may send our INVITE to several phones.  The first 2xx makes our
 * dialog; every other one makes a dialog too, which is acknowledged and hung
 * up at once.  All phones have read the INVITE with our keys in it, so the
 * user is told (forkh, dlg_forked()).
 *
 * A tag costs whoever makes it up nothing, and us a dialog for half a minute: of
 * an INVITE's, DLG_BRANCH_MAX are hung up.
 *
 * Refs: RFC 3261 section 13.2.2.4, RFC 4568 section 7.3
 */
#include "dialog/dlg.h"


/** To tags of 1xx: the second that differs is another branch */
void dlg_fork_early(struct dlg *dlg, const struct sip_msg *msg)
{
	if (!pl_isset(&msg->to.tag) || dlg->rtag)
		return;

	if (!dlg->early_tag)
		(void)pl_strdup(&dlg->early_tag, &msg->to.tag);
	else if (pl_strcmp(&msg->to.tag, dlg->early_tag))
		dlg->forked = true;
}


void dlg_fork_confirmed(struct dlg *dlg, const struct sip_msg *msg)
{
	if (dlg->early_tag && pl_strcmp(&msg->to.tag, dlg->early_tag))
		dlg->forked = true;
}


int dlg_branch_alloc(struct dlg **dlgp, const struct dlg *dlg,
		     const struct sip_msg *msg)
{
	static const struct dlg_handlers none;
	struct dlg *branch;
	int err;

	err = dlg_alloc(&branch, dlg->ds, dlg->contact, NULL, &none, NULL);
	if (err)
		return err;

	branch->uac = true;
	branch->sendh = dlg->sendh;
	branch->hop = mem_ref(dlg->hop);
	branch->hop_addr = dlg->hop_addr;
	branch->cred = mem_ref(dlg->cred);
	branch->lseq = branch->ack_seq = msg->cseq.num;
	err  = pl_strdup(&branch->callid, &msg->callid);
	err |= pl_strdup(&branch->ltag, &msg->from.tag);
	err |= pl_strdup(&branch->rtag, &msg->to.tag);
	err |= pl_strdup(&branch->local, &msg->from.val);
	err |= pl_strdup(&branch->remote, &msg->to.val);
	if (!err)
		err = dlg_target_set(branch, msg);
	if (!err)
		err = dlg_routes_set(branch, msg);
	dlg_flow_set(branch, msg);

	if (err)
		mem_deref(branch);
	else
		*dlgp = branch;

	return err;
}


/** ACK it, then BYE.  It lives until that is answered.  One too many hears
 *  nothing, and gives up for want of an ACK. */
static void hang_up(struct dlg *dlg, const struct sip_msg *msg)
{
	struct dlg *loser;

	if (dlg->loserc >= DLG_BRANCH_MAX ||
	    dlg_branch_alloc(&loser, dlg, msg))
		return;

	++dlg->loserc;

	/* found again by retransmissions of the 2xx, and by nothing else */
	hash_append(dlg->ds->ht, hash_joaat_str(loser->callid), &loser->he,
		    loser);
	dlg_send_ack(loser);
	(void)dlg_send_bye(loser, "SIP;cause=200;text=\"Call completed elsewhere\"");
	mem_deref(loser);
}


/** A 2xx of another branch.  It has read our offer, even if it says too little to
 *  be hung up on. */
void dlg_fork_drop(struct dlg *dlg, const struct sip_msg *msg)
{
	bool news = !dlg->forked;

	hang_up(dlg, msg);
	dlg->forked = true;
	if (news && dlg->state == DLG_CONFIRMED && dlg->h.forkh)
		dlg->h.forkh(dlg, dlg->arg);
}
