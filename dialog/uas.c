/**
 * @file dialog/uas.c  The peer's requests in a dialog, and our answers
 *
 * Refs: RFC 3261 sections 12.2.2, 13.3, 14.2, 15.1.2; RFC 3311 section 5.2
 */
#include <string.h>
#include "dialog/dlg.h"

enum { TRYING_MS = 100 };


static bool is_invite(const struct sip_msg *msg)
{
	return !pl_strcmp(&msg->met, "INVITE");
}


/**
 * An INVITE transaction answered with 2xx lives on for 64*T1 to catch
 * retransmissions (RFC 6026 section 8.7), with a copy of the request.  On a
 * stream there are none: end it with the ACK, or a busy server carries the
 * last half minute of calls in memory.  While its timer runs, libre holds one
 * reference and we the other.
 */
static void strans_end(struct sip_strans **stp)
{
	if (mem_nrefs(*stp) > 1)
		mem_deref(*stp);
	*stp = mem_deref(*stp);
}


void dlg_reply_stop(struct dlg *dlg)
{
	struct dlg_reply *rep = &dlg->reply;

	tmr_cancel(&rep->tmr);
	tmr_cancel(&rep->tmrg);
	strans_end(&rep->st);
	rep->msg = mem_deref(rep->msg);
	rep->flow = mem_deref(rep->flow);
	rep->mb  = dlg_mbuf_wipe(rep->mb);
	rep->active = false;
}


static void reply_timeout(void *arg)
{
	struct dlg *dlg = arg;

	dlg_reply_stop(dlg);

	/* RFC 3261 section 13.3.1.4: no ACK, so the session ends with a BYE */
	(void)dlg_send_bye(dlg, dlg->reason ? dlg->reason
			   : "SIP;cause=408;text=\"No ACK\"");

	if (dlg->state == DLG_TERMINATED)
		mem_deref(dlg);      /* reference of dlg_terminate() */
	else
		dlg_close(dlg, ETIMEDOUT, NULL);
}


static void reply_retransmit(void *arg)
{
	struct dlg *dlg = arg;
	struct dlg_reply *rep = &dlg->reply;

	if (!rep->txc && !dlg->acked && dlg_live(dlg) && dlg->h.lateh)
		dlg->h.lateh(dlg, dlg->arg);

	rep->mb->pos = 0;
	if (dlg_flow_takes(dlg->ds, rep->flow, rep->msg))
		(void)sip_send(dlg->ds->sip, rep->msg->sock, rep->msg->tp,
			       &rep->msg->src, rep->mb);

	++rep->txc;
	tmr_start(&rep->tmrg, MIN((uint64_t)SIP_T1 << rep->txc,
				  (uint64_t)SIP_T2), reply_retransmit, dlg);
}


/* ---- the request that waits for our answer -------------------------------- */

static void pending_set(struct dlg *dlg, const struct sip_msg *msg)
{
	dlg->msg = mem_ref((void *)msg);
	dlg->msg_flow = dlg_flow_of(dlg->ds, msg);
}


static void pending_clear(struct dlg *dlg)
{
	dlg->msg = mem_deref(dlg->msg);
	dlg->msg_flow = mem_deref(dlg->msg_flow);
}


static void cancel_handler(void *arg)
{
	struct dlg *dlg = arg;
	struct sip_msg *msg = dlg->msg;

	if (!msg)
		return;

	dlg_hold(dlg);
	mem_ref(msg);
	dlg_refuse_pending(dlg, 487, "Request Terminated");
	if (dlg->state == DLG_EARLY)
		dlg_close(dlg, ECONNABORTED, msg);
	else if (dlg->h.cancelh)
		dlg->h.cancelh(dlg, dlg->arg);
	dlg_offer_next(dlg);
	mem_deref(msg);
	dlg_release(dlg);
}


static void trying_handler(void *arg)
{
	struct dlg *dlg = arg;

	if (dlg->msg && is_invite(dlg->msg))
		(void)sip_treply(&dlg->st, dlg->ds->sip, dlg->msg, 100,
				 "Trying");
}


/** RFC 3261 section 17.2.1: if nothing else is said within 200 ms; mostly it
 *  is, and the 100 would be a tenth of what a call costs */
static void trying_later(struct dlg *dlg)
{
	tmr_start(&dlg->tmr_trying, TRYING_MS, trying_handler, dlg);
}


static int identity_set(struct dlg *dlg, const struct sip_msg *msg)
{
	int err;

	/* RFC 3261 section 8.1.1.3: without tag there is no dialog */
	if (!pl_isset(&msg->from.tag))
		return EBADMSG;

	err  = pl_strdup(&dlg->callid, &msg->callid);
	err |= re_sdprintf(&dlg->ltag, "%016llx", msg->tag);
	err |= pl_strdup(&dlg->rtag, &msg->from.tag);
	err |= re_sdprintf(&dlg->local, "%r;tag=%016llx", &msg->to.val,
			   msg->tag);
	err |= pl_strdup(&dlg->remote, &msg->from.val);

	return err ? ENOMEM : 0;
}


int dlg_usage(struct dlg **dlgp, struct dlgs *ds, const struct sip_msg *msg,
	      const char *contact)
{
	static const struct dlg_handlers none;
	struct dlg *dlg;
	int err;

	if (!dlgp || !ds || !msg || !contact)
		return EINVAL;

	/* it stays in the state of one that has no session to hang up, and
	 * out of the table that finds sessions */
	err = dlg_alloc(&dlg, ds, contact, NULL, &none, NULL);
	if (err)
		return err;

	err = identity_set(dlg, msg);
	if (!err)
		err = dlg_target_set(dlg, msg);
	if (!err)
		err = dlg_routes_set(dlg, msg);
	dlg_flow_set(dlg, msg);
	dlg->rseq = msg->cseq.num;
	dlg->rseq_set = true;

	if (err)
		mem_deref(dlg);
	else
		*dlgp = dlg;

	return err;
}


bool dlg_usage_refresh(struct dlg *dlg, const struct sip_msg *msg)
{
	if (!dlg || !msg || msg->cseq.num <= dlg->rseq)
		return false;

	dlg->rseq = msg->cseq.num;
	dlg_flow_set(dlg, msg);
	(void)dlg_target_set(dlg, msg);

	return true;
}


int dlg_accept(struct dlg **dlgp, struct dlgs *ds, const struct sip_msg *msg,
	       const char *contact, const char *hdrs,
	       const struct dlg_handlers *h, void *arg)
{
	struct dlg *dlg;
	int err;

	if (!dlgp || !ds || !msg || !contact || !h)
		return EINVAL;

	err = dlg_alloc(&dlg, ds, contact, hdrs, h, arg);
	if (err)
		return err;

	err = identity_set(dlg, msg);
	if (!err)
		err = dlg_target_set(dlg, msg);
	if (!err)
		err = dlg_routes_set(dlg, msg);
	if (err)
		goto out;

	dlg_flow_set(dlg, msg);
	dlg_allow_set(dlg, msg);
	dlg->rseq = msg->cseq.num;
	dlg->rseq_set = true;

	err = sip_strans_alloc(&dlg->st, ds->sip, msg, cancel_handler, dlg);
	if (err)
		goto out;

	pending_set(dlg, msg);
	trying_later(dlg);
	hash_append(ds->ht, hash_joaat_str(dlg->callid), &dlg->he, dlg);
	dlg->state = DLG_EARLY;

 out:
	if (err)
		mem_deref(dlg);
	else
		*dlgp = dlg;

	return err;
}


static int send_2xx(struct dlg *dlg, uint16_t scode, const char *reason,
		    struct mbuf *sdp, struct mbuf **mbp)
{
	if (!dlg_flow_takes(dlg->ds, dlg->msg_flow, dlg->msg)) {
		dlg->st = mem_deref(dlg->st);
		return ENOTCONN;
	}

	return sip_treplyf(&dlg->st, mbp, dlg->ds->sip, dlg->msg, true,
			   scode, reason,
			   "Contact: %s\r\n%s%H%s"
			   "Content-Length: %zu\r\n"
			   "\r\n"
			   "%b",
			   dlg->contact, dlg->hdrs, dlg_timer_print_2xx, dlg,
			   sdp ? "Content-Type: application/sdp\r\n" : "",
			   mbuf_get_left(sdp),
			   sdp ? mbuf_buf(sdp) : NULL, mbuf_get_left(sdp));
}


static void await_ack(struct dlg *dlg, struct mbuf *mb, bool offered)
{
	struct dlg_reply *rep = &dlg->reply;

	dlg_reply_stop(dlg);
	rep->active = true;
	rep->wants_answer = offered;
	rep->txc = 0;
	rep->mb  = mem_ref(mb);
	rep->msg = mem_ref(dlg->msg);
	rep->flow = mem_ref(dlg->msg_flow);
	tmr_start(&rep->tmr, 64 * SIP_T1, reply_timeout, dlg);
	tmr_start(&rep->tmrg, SIP_T1, reply_retransmit, dlg);
}


void dlg_offering(struct dlg *dlg)
{
	if (dlg && dlg->msg)
		dlg->offering = true;
}


int dlg_answer(struct dlg *dlg, uint16_t scode, const char *reason,
	       struct mbuf *sdp)
{
	struct sip_strans *st;
	struct mbuf *mb = NULL;
	bool invite;
	int err;

	if (!dlg || !dlg->msg || dlg->state == DLG_TERMINATED) {
		dlg_mbuf_wipe(sdp);
		return EINVAL;
	}

	/* a request that is refused changes nothing about the session timer */
	dlg_timer_request(dlg, dlg->msg);
	invite = is_invite(dlg->msg);
	st = mem_ref(dlg->st);
	err = send_2xx(dlg, scode, reason, sdp, &mb);
	dlg->st = NULL;   /* a final reply gave the transaction back */
	if (!err && invite)
		await_ack(dlg, mb, sdp && (dlg->offering ||
				  !mbuf_get_left(dlg->msg->mb)));
	dlg->offering = false;
	if (!err && invite && dlg->msg->tp != SIP_TRANSP_UDP)
		dlg->reply.st = mem_ref(st);
	mem_deref(st);

	if (!err && dlg->state == DLG_EARLY)
		dlg->state = DLG_CONFIRMED;
	dlg_timer_start(dlg);

	/* kept for retransmissions, by us (INVITE) or by libre (UDP) */
	if (!invite && dlg->msg->tp != SIP_TRANSP_UDP)
		dlg_mbuf_wipe(mb);
	else
		mem_deref(mb);

	pending_clear(dlg);
	dlg_mbuf_wipe(sdp);
	if (!err)
		dlg_offer_soon(dlg);

	return err;
}


void dlg_refuse_pending(struct dlg *dlg, uint16_t scode, const char *reason)
{
	(void)sip_treply(&dlg->st, dlg->ds->sip, dlg->msg, scode, reason);
	dlg->st  = NULL;
	pending_clear(dlg);
}


bool dlg_pending(const struct dlg *dlg)
{
	return dlg && dlg->msg;
}


int dlg_reject(struct dlg *dlg, uint16_t scode, const char *reason,
	       const char *fmt, ...)
{
	va_list ap;
	int err;

	if (!dlg || !dlg->msg)
		return EINVAL;

	va_start(ap, fmt);
	err = sip_treplyf(&dlg->st, NULL, dlg->ds->sip, dlg->msg, false,
			  scode, reason,
			  "%v"
			  "Content-Length: 0\r\n\r\n", fmt ? fmt : "", &ap);
	va_end(ap);

	dlg->st  = NULL;
	pending_clear(dlg);
	if (dlg->state == DLG_EARLY) {
		dlg->state = DLG_TERMINATED;
		hash_unlink(&dlg->he);
		memset(&dlg->h, 0, sizeof(dlg->h));
	}
	else {
		dlg_offer_soon(dlg);
	}

	return err;
}


static void recv_ack(struct dlg *dlg, const struct sip_msg *msg)
{
	bool answer, first;

	if (!dlg->reply.active || dlg->reply.msg->cseq.num != msg->cseq.num)
		return;

	answer = dlg->reply.wants_answer;
	first  = !dlg->acked;
	dlg->acked = true;
	dlg_reply_stop(dlg);

	if (dlg->state == DLG_TERMINATED) {
		/* dlg_terminate() waited for this ACK */
		(void)dlg_send_bye(dlg, dlg->reason);
		mem_deref(dlg);
		return;
	}

	if (answer && dlg->h.answerh)
		dlg->h.answerh(dlg, msg, dlg->arg);
	if (first && dlg_live(dlg) && dlg->h.estabh)
		dlg->h.estabh(dlg, msg, dlg->arg);

	dlg_offer_next(dlg);
}


static void recv_bye(struct dlg *dlg, const struct sip_msg *msg)
{
	if (dlg->msg)
		dlg_refuse_pending(dlg, 487, "Request Terminated");

	/* what follows from the leaving comes first: new keys are drawn before
	 * the leaver can know that we know */
	if (dlg->state != DLG_TERMINATED) {
		dlg_close(dlg, 0, msg);
		(void)sip_treply(NULL, dlg->ds->sip, msg, 200, "OK");
		return;
	}

	/* our BYE and the peer's crossed; ours is answered alone */
	(void)sip_treply(NULL, dlg->ds->sip, msg, 200, "OK");
	if (dlg->reply.active) {
		dlg_reply_stop(dlg);
		mem_deref(dlg);
	}
}


/** Is a request of the peer still without our answer? RFC 3261 section 14.2 */
static bool offer_pending(struct dlg *dlg, const struct sip_msg *msg)
{
	if (!dlg->msg)
		return false;

	(void)sip_replyf(dlg->ds->sip, msg, 500,
			  "Server Internal Error",
			  "Retry-After: %u\r\n"
			  "Content-Length: 0\r\n\r\n",
			  rand_u32() % 11);

	return true;
}


/**
 * Does the last 2xx keep this from being taken up?  An UPDATE may come before
 * the ACK (RFC 3311 section 5.2), unless that is to bring an answer.  A
 * re-INVITE may not, though RFC 5407 section 3.1.4 allows both: its 2xx would
 * take the place of the one that waits, and whoever asks again and again would
 * never be hung up on for want of an ACK.  If it was only lost, our 2xx, which
 * is repeated, brings the next one, and the re-INVITE then has its turn.
 */
static bool ack_missing(const struct dlg *dlg, const struct sip_msg *msg)
{
	return dlg->reply.active &&
		(dlg->reply.wants_answer || is_invite(msg));
}


/** Is an offer, ours or the peer's, still without its answer? */
static bool glare(struct dlg *dlg, const struct sip_msg *msg)
{
	if (offer_pending(dlg, msg))
		return true;

	/* RFC 3261 section 14.2, RFC 3311 section 5.2 */
	if (!dlg->req && dlg->state == DLG_CONFIRMED &&
	    !ack_missing(dlg, msg))
		return false;

	(void)sip_reply(dlg->ds->sip, msg, 491, "Request Pending");

	return true;
}


static void recv_offer(struct dlg *dlg, const struct sip_msg *msg)
{
	/* such an UPDATE only refreshes: RFC 3311 section 5.2 */
	bool refresh = !is_invite(msg) && !mbuf_get_left(msg->mb);

	if (refresh ? offer_pending(dlg, msg) : glare(dlg, msg))
		return;

	if (dlg_min_se(msg)) {
		(void)sip_replyf(dlg->ds->sip, msg, 422,
				  "Session Interval Too Small",
				  "Min-SE: %u\r\nContent-Length: 0\r\n\r\n",
				  dlg_min_se(msg));
		return;
	}

	(void)dlg_target_set(dlg, msg);
	dlg_allow_set(dlg, msg);

	if (sip_strans_alloc(&dlg->st, dlg->ds->sip, msg, cancel_handler,
			     dlg)) {
		(void)sip_reply(dlg->ds->sip, msg, 500,
				"Server Internal Error");
		return;
	}

	pending_set(dlg, msg);

	if (refresh) {
		(void)dlg_answer(dlg, 200, "OK", NULL);
		return;
	}

	trying_later(dlg);
	if (dlg->h.offerh)
		dlg->h.offerh(dlg, msg, dlg->arg);
	else
		(void)dlg_reject(dlg, 488, "Not Acceptable Here", NULL);
}


static bool recv_other(struct dlg *dlg, const struct sip_msg *msg)
{
	if (dlg->h.reqh && dlg->h.reqh(dlg, msg, dlg->arg))
		return true;

	if (!pl_strcmp(&msg->met, "INFO")) {
		(void)sip_reply(dlg->ds->sip, msg, 405,
				 "Method Not Allowed");
		return true;
	}

	/* RFC 3262 section 3: there was no reliable 1xx of ours */
	if (!pl_strcmp(&msg->met, "PRACK")) {
		(void)sip_reply(dlg->ds->sip, msg, 481,
				"No Such Provisional Response");
		return true;
	}

	return false;
}


bool dlg_recv_request(struct dlg *dlg, const struct sip_msg *msg)
{
	bool handled = true;

	dlg_hold(dlg);

	if (!pl_strcmp(&msg->met, "ACK")) {
		recv_ack(dlg, msg);
		goto out;
	}

	/* RFC 3261 section 12.2.2: out of order is a 500 */
	if (dlg->rseq_set && msg->cseq.num <= dlg->rseq) {
		(void)sip_reply(dlg->ds->sip, msg, 500,
				 "Server Internal Error");
		goto out;
	}
	dlg->rseq = msg->cseq.num;
	dlg->rseq_set = true;
	dlg_flow_set(dlg, msg);

	if (!pl_strcmp(&msg->met, "BYE"))
		recv_bye(dlg, msg);
	else if (dlg->state == DLG_TERMINATED)
		(void)sip_reply(dlg->ds->sip, msg, 481,
				 "Call Does Not Exist");
	else if (is_invite(msg) || !pl_strcmp(&msg->met, "UPDATE"))
		recv_offer(dlg, msg);
	else
		handled = recv_other(dlg, msg);

 out:
	dlg_release(dlg);

	return handled;
}
