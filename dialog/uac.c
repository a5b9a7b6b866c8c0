/**
 * @file dialog/uac.c  Our initial INVITE and its responses
 *
 * Refs: RFC 3261 sections 12.1.2, 13.2, 22.2
 */
#include "dialog/cred.h"
#include "dialog/dlg.h"

static int send_offer(struct dlg *dlg, struct mbuf *sdp);


/** What the 2xx tells about the other end: RFC 3261 section 12.1.2 */
static int confirm(struct dlg *dlg, const struct sip_msg *msg)
{
	char *rtag = NULL, *remote = NULL;
	int err;

	dlg_flow_set(dlg, msg);
	dlg_allow_set(dlg, msg);
	dlg->ack_seq = msg->cseq.num;

	err  = pl_strdup(&rtag, &msg->to.tag);
	err |= pl_strdup(&remote, &msg->to.val);
	if (err) {
		mem_deref(rtag);
		mem_deref(remote);
		return EBADMSG;
	}

	dlg_fork_confirmed(dlg, msg);
	mem_deref(dlg->rtag);
	mem_deref(dlg->remote);
	dlg->rtag = rtag;
	dlg->remote = remote;

	err = dlg_target_set(dlg, msg);
	if (!err)
		err = dlg_routes_set(dlg, msg);

	return err;
}


static void invite_2xx(struct dlg *dlg, const struct sip_msg *msg)
{
	bool delayed = !dlg->offer;
	int err;

	err = confirm(dlg, msg);
	dlg->offer = dlg_mbuf_wipe(dlg->offer);

	if (err || dlg->state == DLG_TERMINATED) {
		/* useless, or CANCEL came too late: accept and hang up */
		dlg_send_ack(dlg);
		(void)dlg_send_bye(dlg, dlg->reason);
		dlg_close(dlg, err, NULL);
		return;
	}

	dlg->state = DLG_CONFIRMED;
	dlg->acked = true;
	dlg_timer_response(dlg, msg);
	dlg_timer_start(dlg);

	/* after a delayed offer, dlg_answer_ack() sends the ACK */
	dlg->ack_due = delayed;
	if (!delayed)
		dlg_send_ack(dlg);

	if (dlg->h.answerh)
		dlg->h.answerh(dlg, dlg_prack_answer(dlg, msg), dlg->arg);
	if (!dlg_live(dlg))
		return;

	/* no answer made: the peer shall at least stop to retransmit */
	if (dlg->ack_due)
		dlg_send_ack(dlg);

	if (dlg->h.estabh)
		dlg->h.estabh(dlg, msg, dlg->arg);
	dlg_offer_next(dlg);
}


static bool answer_challenge(struct dlg *dlg, const struct sip_msg *msg)
{
	if (msg->scode != 401 && msg->scode != 407)
		return false;

	/* one try: a second challenge means that the password is wrong */
	if (!dlg->authh || dlg->req_challenged ||
	    cred_challenge(&dlg->cred, msg, dlg->authh, dlg->hop))
		return false;

	dlg->req_challenged = true;

	return 0 == send_offer(dlg, dlg->offer);
}


/** 422: the peer wants a longer session interval, RFC 4028 section 7.3 */
static bool longer_interval(struct dlg *dlg, const struct sip_msg *msg)
{
	return msg->scode == 422 && dlg_timer_raise(dlg, msg) &&
		0 == send_offer(dlg, dlg->offer);
}


static void invite_1xx(struct dlg *dlg, const struct sip_msg *msg)
{
	if (!dlg_from_hop(dlg, msg))
		return;

	dlg_flow_set(dlg, msg);
	dlg_fork_early(dlg, msg);
	if (dlg_prack(dlg, msg) && msg->scode > 100 && dlg->h.progrh)
		dlg->h.progrh(dlg, msg, dlg->arg);
}


static void invite_resp(int err, const struct sip_msg *msg, void *arg)
{
	struct dlg *dlg = arg;
	bool dropped = dlg->state == DLG_TERMINATED;

	dlg_hold(dlg);
	if (msg)
		dlg_hop_seen(dlg, msg);

	if (msg && msg->scode < 200) {
		invite_1xx(dlg, msg);
	}
	else if (msg && msg->scode < 300) {
		invite_2xx(dlg, msg);
	}
	else if (dropped || err || !(answer_challenge(dlg, msg) ||
				     longer_interval(dlg, msg))) {
		dlg_close(dlg, err, msg);
	}

	if (!msg || msg->scode >= 200)
		dlg_prack_flush(dlg);

	/* dlg_terminate() kept a dropped dialog for this final response */
	if (dropped && (!msg || msg->scode >= 200))
		mem_deref(dlg);
	dlg_release(dlg);
}


static int connect_handler(enum sip_transp tp, const struct sa *src,
			   const struct sa *dst, struct mbuf *mb, void *arg)
{
	struct dlg *dlg = arg;
	(void)src;
	(void)mb;

	dlg_hop_set(dlg, tp, dst);

	return dlg->sendh ? dlg->sendh(dst, true, dlg->hop) : 0;
}


static int send_offer(struct dlg *dlg, struct mbuf *sdp)
{
	const char *ctype = dlg->ctype ? dlg->ctype : "application/sdp";
	const struct cred_use use = { dlg->cred, "INVITE", dlg->target };
	struct uri route;
	struct pl pl;
	int err;

	pl_set_str(&pl, dlg->route ? dlg->route : dlg->target);
	err = uri_decode(&route, &pl);
	if (err)
		return err;

	dlg->inv_seq = ++dlg->lseq;

	return sip_requestf(&dlg->req, dlg->ds->sip, true, "INVITE",
			    dlg->target, &route, NULL, connect_handler,
			    invite_resp, dlg,
			    "To: %s\r\n"
			    "From: %s\r\n"
			    "Call-ID: %s\r\n"
			    "CSeq: %u INVITE\r\n"
			    "%H"
			    "Contact: %s\r\n%s%H%s%s%s%s"
			    "Content-Length: %zu\r\n"
			    "\r\n"
			    "%b",
			    dlg->remote, dlg->local, dlg->callid,
			    dlg->lseq, cred_print, &use,
			    dlg->contact, dlg->hdrs, dlg_timer_print_req, dlg,
			    dlg->once ? dlg->once : "",
			    sdp ? "Content-Type: " : "", sdp ? ctype : "",
			    sdp ? "\r\n" : "",
			    mbuf_get_left(sdp),
			    sdp ? mbuf_buf(sdp) : NULL, mbuf_get_left(sdp));
}


static int names_set(struct dlg *dlg, const struct dlg_invite *inv)
{
	int err;

	err  = re_sdprintf(&dlg->callid, "%016llx%016llx", rand_u64(),
			   rand_u64());
	err |= re_sdprintf(&dlg->ltag, "%016llx", rand_u64());
	err |= re_sdprintf(&dlg->local, "<%s>;tag=%s", inv->from, dlg->ltag);
	err |= re_sdprintf(&dlg->remote, "<%s>", inv->uri);
	err |= str_dup(&dlg->target, inv->uri);
	if (inv->route)
		err |= str_dup(&dlg->route, inv->route);
	if (inv->once)
		err |= str_dup(&dlg->once, inv->once);
	if (inv->ctype)
		err |= str_dup(&dlg->ctype, inv->ctype);

	return err ? ENOMEM : 0;
}


int dlg_invite(struct dlg **dlgp, struct dlgs *ds, const struct dlg_invite *inv,
	       const struct dlg_handlers *h, void *arg)
{
	struct dlg *dlg = NULL;
	struct mbuf *body = inv ? inv->body : NULL;
	int err = EINVAL;

	if (!dlgp || !ds || !inv || !inv->uri || !inv->from || !inv->contact ||
	    !h)
		goto out;

	err = dlg_alloc(&dlg, ds, inv->contact, inv->hdrs, h, arg);
	if (err)
		goto out;

	dlg->uac = true;
	dlg->offer = body;
	body = NULL;
	err = names_set(dlg, inv);
	dlg->authh = inv->authh;
	dlg->sendh = inv->sendh;
	dlg->hop = mem_ref(inv->hop);
	if (!err)
		err = send_offer(dlg, dlg->offer);
	if (err)
		goto out;

	hash_append(ds->ht, hash_joaat_str(dlg->callid), &dlg->he, dlg);
	dlg->state = DLG_EARLY;

 out:
	dlg_mbuf_wipe(body);
	if (err)
		mem_deref(dlg);
	else
		*dlgp = dlg;

	return err;
}


int dlg_answer_ack(struct dlg *dlg, struct mbuf *sdp)
{
	if (!dlg || dlg->state != DLG_CONFIRMED || !dlg->ack_due) {
		dlg_mbuf_wipe(sdp);
		return EINVAL;
	}

	/* kept for retransmissions of the 2xx */
	dlg_mbuf_wipe(dlg->ack_body);
	dlg->ack_body = sdp;
	dlg_send_ack(dlg);

	return 0;
}
