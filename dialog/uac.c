/**
 * @file dialog/uac.c  Our requests in a dialog, and the peer's answers
 *
 * Refs: RFC 3261 sections 12.2.1, 13.2, 14.1, 15.1.1; RFC 3311 section 5.1
 */
#include <string.h>
#include "dialog/cred.h"
#include "dialog/dlg.h"

enum { RETRY_AFTER_MAX_S = 10 };

static int send_offer(struct dlg *dlg, struct mbuf *sdp);


void dlg_request_drop(struct dlg *dlg)
{
	/* libre finishes the transaction alone and calls nobody */
	dlg->req = mem_deref(dlg->req);
}


/**
 * Next hop of a request in the dialog: the flow on which the peer's last
 * message came.  libre then finds that connection and reuses it; the Contact
 * of a phone behind NAT, or without a certificate, leads nowhere.
 */
static int next_hop(const struct dlg *dlg, struct uri *uri, char *buf,
		    size_t size)
{
	struct pl pl;

	if (re_snprintf(buf, size, "sip:%J%s", &dlg->peer,
			sip_transp_param(dlg->tp)) < 0)
		return ENOMEM;

	pl_set_str(&pl, buf);

	return uri_decode(uri, &pl);
}


static int vsend(struct dlg *dlg, struct sip_request **reqp, bool stateful,
		 const char *met, uint32_t cseq, sip_resp_h *resph,
		 void *arg, const char *fmt, va_list *ap)
{
	const struct cred_use use = { dlg->cred, met, dlg->target };
	struct uri route;
	char buf[128];
	int err;

	err = next_hop(dlg, &route, buf, sizeof(buf));
	if (err)
		return err;
	if (dlg->sendh)
		err = dlg->sendh(&dlg->peer, false, dlg->hop);
	if (err)
		return err;

	return sip_requestf(reqp, dlg->ds->sip, stateful, met,
			    dlg->target, &route, NULL, NULL, resph, arg,
			    "To: %s\r\n"
			    "From: %s\r\n"
			    "Call-ID: %s\r\n"
			    "CSeq: %u %s\r\n"
			    "%s%H"
			    "%v",
			    dlg->remote, dlg->local, dlg->callid, cseq, met,
			    dlg->routes ? dlg->routes : "",
			    cred_print, &use, fmt, ap);
}


static int send_req(struct dlg *dlg, struct sip_request **reqp,
		    const char *met, uint32_t cseq, sip_resp_h *resph,
		    void *arg, const char *fmt, ...)
{
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = vsend(dlg, reqp, reqp != NULL, met, cseq, resph, arg, fmt, &ap);
	va_end(ap);

	return err;
}


static void send_ack(struct dlg *dlg, uint32_t cseq)
{
	struct mbuf *mb = dlg->ack_body;

	(void)send_req(dlg, NULL, "ACK", cseq, NULL, NULL,
		       "%s"
		       "Content-Length: %zu\r\n\r\n"
		       "%b",
		       mb ? "Content-Type: application/sdp\r\n" : "",
		       mbuf_get_left(mb),
		       mb ? mbuf_buf(mb) : NULL, mbuf_get_left(mb));
}


void dlg_ack_again(struct dlg *dlg, const struct sip_msg *msg)
{
	if (msg->cseq.num == dlg->req_seq)
		send_ack(dlg, msg->cseq.num);
}


/* ---- BYE ---------------------------------------------------------------- */

static void bye_resp(int err, const struct sip_msg *msg, void *arg)
{
	struct dlg *dlg = arg;
	(void)err;

	if (msg && msg->scode < 200)
		return;

	mem_deref(dlg);   /* reference of dlg_send_bye() */
}


/** The dialog lives until the BYE is answered or timed out */
int dlg_send_bye(struct dlg *dlg, const char *reason)
{
	int err;

	dlg_request_drop(dlg);

	mem_ref(dlg);
	err = send_req(dlg, &dlg->req, "BYE", ++dlg->lseq, bye_resp, dlg,
		       "%s%s%s"
		       "Content-Length: 0\r\n\r\n",
		       reason ? "Reason: " : "", reason ? reason : "",
		       reason ? "\r\n" : "");
	if (err)
		mem_deref(dlg);

	return err;
}


/* ---- re-INVITE and UPDATE ------------------------------------------------ */

static void retry_handler(void *arg)
{
	dlg_offer_next(arg);
}


/** RFC 3261 section 14.1: whoever owns the Call-ID waits longer */
static uint32_t glare_delay_ms(const struct dlg *dlg)
{
	return dlg->uac ? 2100 + 10 * (rand_u32() % 191)
			: 10 * (rand_u32() % 201);
}


static uint32_t retry_after_ms(const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_RETRY_AFTER);
	uint32_t s = hdr ? pl_u32(&hdr->val) : 0;

	return 1000 * MIN(s, (uint32_t)RETRY_AFTER_MAX_S) + 10;
}


/** true if the offer will be made again */
static bool offer_again(struct dlg *dlg, const struct sip_msg *msg,
			dlg_offer_h *offerh)
{
	uint32_t delay = 0;

	switch (msg->scode) {

	case 491:
		delay = glare_delay_ms(dlg);
		break;

	case 500:
		if (!sip_msg_hdr(msg, SIP_HDR_RETRY_AFTER))
			return false;
		delay = retry_after_ms(msg);
		break;

	case 405:
	case 501:
		/* Allow promised an UPDATE that the peer does not know */
		if (!dlg->req_update || dlg->via == DLG_UPDATE)
			return false;
		dlg->allow &= ~(unsigned)ALLOW_UPDATE;
		break;

	default:
		return false;
	}

	/* a newer wish for an offer stands; it is made at sending anyway */
	if (!dlg->offerh)
		dlg->offerh = offerh;
	tmr_start(&dlg->tmr_retry, delay, retry_handler, dlg);

	return true;
}


static void reoffer_2xx(struct dlg *dlg, const struct sip_msg *msg)
{
	dlg_flow_set(dlg, msg);
	(void)dlg_target_set(dlg, msg);
	dlg_allow_set(dlg, msg);
	if (!dlg->req_update)
		send_ack(dlg, msg->cseq.num);

	if (dlg->h.answerh)
		dlg->h.answerh(dlg, msg, dlg->arg);
}


static void reoffer_resp(int err, const struct sip_msg *msg, void *arg)
{
	struct dlg *dlg = arg;
	dlg_offer_h *offerh = dlg->sent_offerh;

	if (msg && msg->scode < 200)
		return;

	mem_ref(dlg);

	if (err || msg->scode == 408 || msg->scode == 481) {
		/* RFC 3261 section 12.2.1.2: the dialog is gone */
		if (!msg || msg->scode == 408)
			(void)dlg_send_bye(dlg, NULL);
		dlg_close(dlg, err, msg);
	}
	else if (msg->scode < 300) {
		reoffer_2xx(dlg, msg);
	}
	else if (!offer_again(dlg, msg, offerh)) {
		if (dlg->h.offer_failh)
			dlg->h.offer_failh(dlg, 0, msg->scode, dlg->arg);
	}

	if (dlg->state == DLG_CONFIRMED)
		dlg_offer_next(dlg);
	mem_deref(dlg);
}


static int send_reoffer(struct dlg *dlg, struct mbuf *sdp,
			dlg_offer_h *offerh)
{
	dlg->sent_offerh = offerh;
	dlg->req_update = dlg->via != DLG_REINVITE &&
		(dlg->allow & ALLOW_UPDATE);
	dlg->req_seq = ++dlg->lseq;
	dlg->ack_body = dlg_mbuf_wipe(dlg->ack_body);

	return send_req(dlg, &dlg->req,
			dlg->req_update ? "UPDATE" : "INVITE",
			dlg->req_seq, reoffer_resp, dlg,
			"Contact: %s\r\n%s"
			"Content-Type: application/sdp\r\n"
			"Content-Length: %zu\r\n"
			"\r\n"
			"%b",
			dlg->contact, dlg->hdrs,
			mbuf_get_left(sdp), mbuf_buf(sdp),
			mbuf_get_left(sdp));
}


/** Send the waiting re-offer if nothing is pending in either direction */
void dlg_offer_next(struct dlg *dlg)
{
	dlg_offer_h *offerh = dlg->offerh;
	struct mbuf *sdp;
	int err;

	if (!offerh || dlg->state != DLG_CONFIRMED || dlg->req || dlg->msg ||
	    dlg->reply.active || tmr_isrunning(&dlg->tmr_retry))
		return;

	dlg->offerh = NULL;
	sdp = offerh(dlg, dlg->arg);
	if (!sdp)
		return;

	err = send_reoffer(dlg, sdp, offerh);
	dlg_mbuf_wipe(sdp);
	if (err && dlg->h.offer_failh)
		dlg->h.offer_failh(dlg, err, 0, dlg->arg);
}


int dlg_offer(struct dlg *dlg, enum dlg_via via, dlg_offer_h *offerh)
{
	if (!dlg || !offerh || dlg->state == DLG_TERMINATED)
		return EINVAL;

	dlg->via = via;
	dlg->offerh = offerh;
	dlg_offer_next(dlg);

	return 0;
}


/* ---- any other request --------------------------------------------------- */

int dlg_request(struct dlg *dlg, const char *met, sip_resp_h *resph, void *arg,
		const char *fmt, ...)
{
	va_list ap;
	int err;

	if (!dlg || !met || !fmt || !dlg->target)
		return EINVAL;

	va_start(ap, fmt);
	err = vsend(dlg, NULL, true, met, ++dlg->lseq, resph, arg, fmt, &ap);
	va_end(ap);

	return err;
}


/* ---- initial INVITE ------------------------------------------------------ */

/** What the 2xx tells about the other end: RFC 3261 section 12.1.2 */
static int confirm(struct dlg *dlg, const struct sip_msg *msg)
{
	int err;

	mem_deref(dlg->rtag);
	mem_deref(dlg->remote);
	dlg->rtag = NULL;
	dlg->remote = NULL;

	err  = pl_strdup(&dlg->rtag, &msg->to.tag);
	err |= pl_strdup(&dlg->remote, &msg->to.val);
	if (err)
		return ENOMEM;

	err = dlg_target_set(dlg, msg);
	if (!err)
		err = dlg_routes_set(dlg, msg);
	dlg_flow_set(dlg, msg);
	dlg_allow_set(dlg, msg);
	dlg_fork_confirmed(dlg, msg);
	dlg->state = dlg->state == DLG_TERMINATED ? DLG_TERMINATED
						  : DLG_CONFIRMED;

	return err;
}


static void invite_2xx(struct dlg *dlg, const struct sip_msg *msg)
{
	bool dropped = dlg->state == DLG_TERMINATED;

	if (confirm(dlg, msg)) {
		dlg_close(dlg, EBADMSG, NULL);
		return;
	}

	if (dropped) {
		/* CANCEL came too late: accept and hang up */
		send_ack(dlg, msg->cseq.num);
		(void)dlg_send_bye(dlg, NULL);
		return;
	}

	dlg->acked = true;
	if (dlg->offer)
		send_ack(dlg, msg->cseq.num);
	dlg->offer = dlg_mbuf_wipe(dlg->offer);

	/* after a delayed offer, dlg_answer_ack() sends the ACK */
	if (dlg->h.answerh)
		dlg->h.answerh(dlg, msg, dlg->arg);
	if (dlg->state == DLG_CONFIRMED && dlg->h.estabh)
		dlg->h.estabh(dlg, msg, dlg->arg);
	if (dlg->state == DLG_CONFIRMED)
		dlg_offer_next(dlg);
}


static bool answer_challenge(struct dlg *dlg, const struct sip_msg *msg)
{
	if (msg->scode != 401 && msg->scode != 407)
		return false;

	/* one try: a second challenge means that the password is wrong */
	if (!dlg->authh || dlg->req_challenged ||
	    cred_challenge(&dlg->cred, msg, dlg->authh, dlg->autharg))
		return false;

	dlg->req_challenged = true;

	return 0 == send_offer(dlg, dlg->offer);
}


static void invite_resp(int err, const struct sip_msg *msg, void *arg)
{
	struct dlg *dlg = arg;
	bool dropped = dlg->state == DLG_TERMINATED;

	mem_ref(dlg);

	if (msg && msg->scode < 200) {
		dlg_flow_set(dlg, msg);
		dlg_fork_early(dlg, msg);
		if (!dropped && msg->scode > 100 && dlg->h.progrh)
			dlg->h.progrh(dlg, msg, dlg->arg);
	}
	else if (msg && msg->scode < 300) {
		invite_2xx(dlg, msg);
	}
	else if (dropped || err || !answer_challenge(dlg, msg)) {
		dlg_close(dlg, err, msg);
	}

	/* dlg_terminate() kept a dropped dialog for this final response */
	if (dropped && (!msg || msg->scode >= 200))
		mem_deref(dlg);
	mem_deref(dlg);
}


static int connect_handler(enum sip_transp tp, const struct sa *src,
			   const struct sa *dst, struct mbuf *mb, void *arg)
{
	const struct dlg *dlg = arg;
	(void)tp;
	(void)src;
	(void)mb;

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

	dlg->req_seq = dlg->inv_seq = ++dlg->lseq;

	return sip_requestf(&dlg->req, dlg->ds->sip, true, "INVITE",
			    dlg->target, &route, NULL, connect_handler,
			    invite_resp, dlg,
			    "To: %s\r\n"
			    "From: %s\r\n"
			    "Call-ID: %s\r\n"
			    "CSeq: %u INVITE\r\n"
			    "%H"
			    "Contact: %s\r\n%s%s%s%s%s"
			    "Content-Length: %zu\r\n"
			    "\r\n"
			    "%b",
			    dlg->remote, dlg->local, dlg->callid,
			    dlg->req_seq, cred_print, &use,
			    dlg->contact, dlg->hdrs,
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
	err |= str_dup(&dlg->remote_uri, inv->uri);
	err |= str_dup(&dlg->target, inv->uri);
	if (inv->route)
		err |= str_dup(&dlg->route, inv->route);
	if (inv->once)
		err |= str_dup(&dlg->once, inv->once);
	if (inv->ctype)
		err |= str_dup(&dlg->ctype, inv->ctype);

	return err ? ENOMEM : 0;
}


static int invite(struct dlg **dlgp, struct dlgs *ds,
		  const struct dlg_invite *inv, void *autharg,
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
	dlg->autharg = autharg;
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


int dlg_invite(struct dlg **dlgp, struct dlgs *ds, const struct dlg_invite *inv,
	       const struct dlg_handlers *h, void *arg)
{
	return invite(dlgp, ds, inv, inv ? inv->hop : NULL, h, arg);
}


int dlg_connect(struct dlg **dlgp, struct dlgs *ds, const char *uri,
		const char *from, const char *route, const char *contact,
		const char *hdrs, struct mbuf *sdp, dlg_auth_h *authh,
		void *authp, const struct dlg_handlers *h, void *arg)
{
	const struct dlg_invite inv = {
		.uri = uri, .from = from, .route = route, .contact = contact,
		.hdrs = hdrs, .body = sdp, .authh = authh,
	};

	return invite(dlgp, ds, &inv, authp, h, arg);
}


int dlg_answer_ack(struct dlg *dlg, struct mbuf *sdp)
{
	if (!dlg || dlg->state != DLG_CONFIRMED || !dlg->uac) {
		dlg_mbuf_wipe(sdp);
		return EINVAL;
	}

	/* kept for retransmissions of the 2xx */
	dlg_mbuf_wipe(dlg->ack_body);
	dlg->ack_body = sdp;
	send_ack(dlg, dlg->req_seq);

	return 0;
}
