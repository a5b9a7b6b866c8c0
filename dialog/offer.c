/**
 * @file dialog/offer.c  Our re-INVITE and UPDATE, and the peer's answers
 *
 * Refs: RFC 3261 sections 12.2.1.2, 14.1; RFC 3311 section 5.1; RFC 6141
 */
#include "dialog/dlg.h"

enum {
	RETRY_AFTER_MAX_S = 10,
	RETRY_MAX = 10,         /* 491 or 500 in a row: the peer is broken    */
	PATIENCE_MS = 64 * SIP_T1 + SIP_T1,
};


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


/** Retry-After: 5 (busy);duration=3600 */
static uint32_t retry_after_ms(const struct sip_hdr *hdr)
{
	struct pl s = { hdr->val.p, 0 };

	while (s.l < hdr->val.l && s.l < 9 &&
	       s.p[s.l] >= '0' && s.p[s.l] <= '9')
		++s.l;

	return 1000 * MIN(pl_u32(&s), (uint32_t)RETRY_AFTER_MAX_S) + 10;
}


/** How long until the offer is made again; false if never */
static bool retry_delay(struct dlg *dlg, const struct sip_msg *msg,
			uint32_t *delayp)
{
	const struct sip_hdr *hdr;

	switch (msg->scode) {

	case 491:
		*delayp = glare_delay_ms(dlg);
		break;

	case 500:
		hdr = sip_msg_hdr(msg, SIP_HDR_RETRY_AFTER);
		if (!hdr)
			return false;
		*delayp = retry_after_ms(hdr);
		break;

	case 405:
	case 501:
		/* Allow promised an UPDATE that the peer does not know */
		if (!dlg->req_update || dlg->via == DLG_UPDATE)
			return false;
		dlg->update = false;
		*delayp = 0;
		break;

	case 422:
		if (!dlg_timer_raise(dlg, msg))
			return false;
		*delayp = 0;
		break;

	default:
		return false;
	}

	return ++dlg->retryc <= RETRY_MAX;
}


/** true if the offer will be made again */
static bool offer_again(struct dlg *dlg, const struct sip_msg *msg,
			dlg_offer_h *offerh)
{
	uint32_t delay = 0;

	if (!retry_delay(dlg, msg, &delay)) {
		dlg->retryc = 0;
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
	dlg->retryc = 0;
	dlg_flow_set(dlg, msg);
	(void)dlg_target_set(dlg, msg);
	dlg_allow_set(dlg, msg);
	dlg_timer_response(dlg, msg);
	dlg_timer_start(dlg);
	if (!dlg->req_update)
		dlg_send_ack(dlg);

	if (dlg->h.answerh)
		dlg->h.answerh(dlg, msg, dlg->arg);
}


/**
 * RFC 3261 section 12.2.1.2: the dialog is gone, or its path is.  A peer that
 * is there all the same is told why.
 */
static bool is_lost(struct dlg *dlg, int err, const struct sip_msg *msg)
{
	if (!err && msg->scode != 408 && msg->scode != 481)
		return false;

	if (err || msg->scode == 408)
		(void)dlg_send_bye(dlg, "SIP;cause=408;text=\"No answer to our offer\"");
	dlg_close(dlg, err, msg);

	return true;
}


static void reoffer_failed(struct dlg *dlg, int err, const struct sip_msg *msg)
{
	dlg_offer_h *offerh = dlg->sent_offerh;

	if (is_lost(dlg, err, msg))
		return;

	if (!offer_again(dlg, msg, offerh) && dlg->h.offer_failh)
		dlg->h.offer_failh(dlg, 0, msg->scode, dlg->arg);
}


static void reoffer_resp(int err, const struct sip_msg *msg, void *arg)
{
	struct dlg *dlg = arg;
	bool ok = msg && msg->scode < 300;

	if (msg && msg->scode < 200)
		return;

	dlg_hold(dlg);
	late_cancel(&dlg->late_offer);

	if (dlg->state == DLG_TERMINATED) {
		/* the peer's BYE was faster; its 2xx wants an ACK all the same */
		if (ok && !dlg->req_update)
			dlg_send_ack(dlg);
	}
	else if (ok) {
		reoffer_2xx(dlg, msg);
	}
	else {
		reoffer_failed(dlg, err, msg);
	}

	dlg_offer_next(dlg);
	dlg_release(dlg);
}


/**
 * A 100 stops the clock of an INVITE (RFC 3261 section 17.1.1.2), since a human
 * may have to pick up.  Nobody has to for ours: who says no more than that would
 * keep the dialog from all further offers, for ever.
 */
static void patience_handler(void *arg)
{
	struct dlg *dlg = arg;

	dlg_hold(dlg);
	(void)is_lost(dlg, ETIMEDOUT, NULL);
	dlg_release(dlg);
}


static int send_reoffer(struct dlg *dlg, struct mbuf *sdp,
			dlg_offer_h *offerh)
{
	uint32_t cseq = ++dlg->lseq;

	dlg->sent_offerh = offerh;
	dlg->req_update = dlg->via != DLG_REINVITE && dlg->update;
	if (!dlg->req_update) {
		dlg->ack_seq = cseq;
		dlg->ack_body = dlg_mbuf_wipe(dlg->ack_body);
		late_start(&dlg->ds->offers, &dlg->late_offer, PATIENCE_MS,
			   patience_handler, dlg);
	}

	return dlg_send(dlg, &dlg->req,
			dlg->req_update ? "UPDATE" : "INVITE",
			cseq, reoffer_resp, dlg,
			"Contact: %s\r\n%s%H"
			"Content-Type: application/sdp\r\n"
			"Content-Length: %zu\r\n"
			"\r\n"
			"%b",
			dlg->contact, dlg->hdrs, dlg_timer_print_req, dlg,
			mbuf_get_left(sdp), mbuf_buf(sdp),
			mbuf_get_left(sdp));
}


static void offer_make(struct dlg *dlg)
{
	dlg_offer_h *offerh = dlg->offerh;
	struct mbuf *sdp;
	int err;

	dlg->offerh = NULL;
	sdp = offerh(dlg, dlg->arg);
	if (!sdp || !dlg_live(dlg)) {
		dlg_mbuf_wipe(sdp);
		return;
	}

	err = send_reoffer(dlg, sdp, offerh);
	dlg_mbuf_wipe(sdp);
	if (!err)
		return;

	late_cancel(&dlg->late_offer);
	if (dlg->h.offer_failh)
		dlg->h.offer_failh(dlg, err, 0, dlg->arg);
}


/** Send the waiting re-offer if nothing is pending in either direction */
void dlg_offer_next(struct dlg *dlg)
{
	if (!dlg->offerh || dlg->state != DLG_CONFIRMED || !dlg_live(dlg) ||
	    dlg->req || dlg->msg || dlg->reply.active || dlg->ack_due ||
	    tmr_isrunning(&dlg->tmr_retry))
		return;

	dlg_hold(dlg);
	offer_make(dlg);
	dlg_release(dlg);
}


/** The same from a function of the user's: not before that has returned */
void dlg_offer_soon(struct dlg *dlg)
{
	if (dlg->offerh && !tmr_isrunning(&dlg->tmr_retry))
		tmr_start(&dlg->tmr_retry, 0, retry_handler, dlg);
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


/* ---- session refresh ------------------------------------------------------ */

static void refresh_resp(int err, const struct sip_msg *msg, void *arg)
{
	struct dlg *dlg = arg;

	if (msg && msg->scode < 200)
		return;

	dlg_hold(dlg);

	if (dlg->state == DLG_TERMINATED) {
		/* nothing to refresh any more */
	}
	else if (msg && msg->scode < 300) {
		dlg_flow_set(dlg, msg);
		dlg_allow_set(dlg, msg);
		dlg_timer_response(dlg, msg);
		dlg_timer_start(dlg);
	}
	else if (!is_lost(dlg, err, msg)) {
		/* 405, 501: no UPDATE after all; 491, 500: somebody was faster */
		if (msg->scode == 405 || msg->scode == 501)
			dlg->update = false;
		if (msg->scode == 422)
			(void)dlg_timer_raise(dlg, msg);
		dlg_timer_again(dlg);
	}

	dlg_offer_next(dlg);
	dlg_release(dlg);
}


static struct mbuf *refresh_offer(struct dlg *dlg, void *arg)
{
	return dlg->h.refreshh ? dlg->h.refreshh(dlg, arg) : NULL;
}


/** RFC 4028 section 7.4: UPDATE without a body, or the session once more */
void dlg_refresh(struct dlg *dlg)
{
	if (dlg->req || dlg->msg || dlg->reply.active || dlg->offerh ||
	    dlg->ack_due) {
		/* an offer refreshes, too; look again when it is over */
		dlg_timer_again(dlg);
		return;
	}

	if (!dlg->update) {
		dlg_timer_again(dlg);
		(void)dlg_offer(dlg, DLG_REINVITE, refresh_offer);
		return;
	}

	if (dlg_send(dlg, &dlg->req, "UPDATE", ++dlg->lseq, refresh_resp, dlg,
		     "Contact: %s\r\n%s%H"
		     "Content-Length: 0\r\n\r\n",
		     dlg->contact, dlg->hdrs, dlg_timer_print_req, dlg))
		dlg_timer_again(dlg);
}
