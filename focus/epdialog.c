/**
 * @file focus/epdialog.c  An endpoint in its dialog: offers, answers, the end
 *
 * The dialog says what the peer wants, the mixer whether it can be had; here
 * the two meet.
 *
 * Refs: RFC 3264 sections 5 to 8, RFC 3261 section 14
 */
#include <string.h>
#include <time.h>
#include "focus/dialout.h"
#include "focus/epfloor.h"
#include "focus/epmedia.h"
#include "focus/invite.h"
#include "focus/listinvite.h"
#include "focus/mixevent.h"
#include "focus/privacy.h"
#include "focus/promote.h"
#include "focus/refer.h"
#include "focus/rekey.h"
#include "focus/tree.h"
#include "log.h"


/** Our side of an exchange broke: say so, and keep or drop the session */
void endpoint_fail(struct endpoint *ep, uint16_t scode,
			 const char *reason, const char *why)
{
	epmedia_rollback(ep);
	(void)dlg_reject(ep->dlg, scode, reason,
			 "Warning: 399 conclave \"%s\"\r\n%s", why,
			 scode == 503 ? "Retry-After: 5\r\n" : "");
	/* not for an UPDATE before its first ACK */
	if (ep->state == EP_JOINING && !ep->neg.sdes.suite)
		endpoint_leave(ep, why, 0);
	/* what had to wait for this exchange, such as being muted */
	else if (ep->resend && ep->neg.sdes.suite)
		(void)epmedia_resend(ep);
}


/* ---- the mixer's replies ------------------------------------------------- */

/** Is there anything that others have not been told? */
static bool is_news(struct endpoint *ep)
{
	const struct gepoch *ge = epmedia_epoch(ep);
	const struct endpoint_told was = ep->told;

	ep->told.dir = ep->neg.dir;
	ep->told.codec = ep->neg.codec;
	ep->told.suite = ep->neg.sdes.suite;
	ep->told.class_id = ge ? ge->gc->id : 0;
	ep->told.epoch = ge ? ge->no : 0;

	return was.dir != ep->told.dir || was.codec != ep->told.codec ||
		was.suite != ep->told.suite ||
		was.class_id != ep->told.class_id ||
		was.epoch != ep->told.epoch;
}


void endpoint_moved(struct endpoint *ep)
{
	if ((ep->state == EP_CONNECTED || ep->state == EP_HELD) && is_news(ep))
		change_feed(CHANGE_MEDIA, ep->part->conf, ep, NULL);
}


static void after_answer(struct endpoint *ep)
{
	bool held = !ep->neg.peer_sends && !ep->neg.peer_receives;
	bool listening = !ep->neg.peer_sends && ep->neg.peer_receives;
	enum endpoint_state st = held || (!ep->neg.peer_sends && !listening)
		? EP_HELD : EP_CONNECTED;
	enum endpoint_state was = ep->state;
	bool news;

	if (was != EP_JOINING && ep->follows != FOLLOWS_NO && !ep->gc)
		promote_start(ep);
	if (was == EP_JOINING)
		return;

	news = is_news(ep);
	ep->state = st;
	if (was != st)
		change_feed(st == EP_HELD ? CHANGE_HELD : CHANGE_RESUMED,
			    ep->part->conf, ep, NULL);
	else if (news)
		change_feed(CHANGE_MEDIA, ep->part->conf, ep, NULL);
}


/** In, and whatever waited for that */
static void joined(struct endpoint *ep)
{
	struct conference *c = ep->part->conf;
	struct endpoint *old;

	ep->state = EP_CONNECTED;
	ep->joined = time(NULL);
	(void)is_news(ep);
	change_feed(CHANGE_JOINED, c, ep, NULL);
	dialout_done(ep, 200, "OK");
	if (ep->dialled)
		ep->started = tmr_jiffies();

	promote_start(ep);

	/* RFC 3891 section 3: the old device leaves.  It may be in other hands,
	 * so its keys open nothing more, not even for a moment. */
	old = ep->replaces ? conference_endpoint(c, ep->replaces) : NULL;
	ep->replaces = 0;
	if (old && old != ep)
		endpoint_kick(old, 200, "Replaced");
	if (c->invitees)
		listinvite_start(c, ep->part);
}


/**
 * The peer cancelled its re-INVITE while the mixer was asked.  The session
 * stays as it was (RFC 3261 section 14.2), so the mixer goes back to it, and an
 * offer of ours that had to wait for its reply can go out.
 */
static void taken_back(struct endpoint *ep)
{
	int err;

	epmedia_rollback(ep);
	err = epmedia_resend(ep);
	/* without a mixer all of its calls are dealt with: mixevent_down() */
	if (err && err != ENOTCONN)
		endpoint_end(ep, 503, "Mixer lost");
	else
		rekey_start(ep);
}


/** The mixer took (or refused) what the peer's offer asks for: answer it */
static void answer_reply(const Mp__Reply *r, void *arg)
{
	struct endpoint *ep = arg;
	struct neg_keys keys;
	struct neg_local l;
	struct mbuf *sdp;
	int err;

	--ep->media_pending;
	if (!dlg_pending(ep->dlg)) {
		taken_back(ep);
		return;
	}

	/* somebody was thrown out meanwhile, and the epoch with him */
	if (r && r->status == MP__STATUS__ERR_NO_KEY && ep->next_ge &&
	    ep->next_ge->retired) {
		endpoint_admitted(ep, 0);
		return;
	}

	if (!r || r->status != MP__STATUS__OK ||
	    epmedia_local_set(ep, r)) {
		endpoint_fail(ep, 503, "Service Unavailable",
			     r ? "No media resources" : "Mixer lost");
		return;
	}

	epmedia_show_next(&keys, ep);
	epmedia_local(ep, &l);
	err = neg_print_answer(&sdp, &ep->next, &ep->next_mlines, &l, &keys);
	if (err) {
		endpoint_fail(ep, 500, "Server Internal Error", "No answer");
		return;
	}

	epmedia_commit(ep);
	/* our answer tells it */
	if (keys.v[keys.c - 1].key == ep->tx)
		ep->own_due = false;
	err = dlg_answer(ep->dlg, 200, "OK", sdp);
	if (err)
		endpoint_end(ep, 500, "Answer could not be sent");
	else
		after_answer(ep);
}


/** A port is open for a delayed offer: make the offer */
void endpoint_port_reply(const Mp__Reply *r, void *arg)
{
	struct endpoint *ep = arg;
	struct neg_local l;
	struct mbuf *sdp;

	--ep->media_pending;
	if (!r || r->status != MP__STATUS__OK ||
	    epmedia_local_set(ep, r)) {
		endpoint_fail(ep, 503, "Service Unavailable",
			     r ? "No media resources" : "Mixer lost");
		return;
	}

	epmedia_local(ep, &l);
	if (neg_offered_draw(&ep->offered, ep->part->conf->cc) ||
	    neg_print_offer(&sdp, ep->part->conf->cc, &l, &ep->offered)) {
		endpoint_fail(ep, 500, "Server Internal Error", "No offer");
		return;
	}

	dlg_offering(ep->dlg);
	(void)dlg_answer(ep->dlg, 200, "OK", sdp);
}


/** The mixer took what the peer's answer says */
static void settle_reply(const Mp__Reply *r, void *arg)
{
	struct endpoint *ep = arg;

	--ep->media_pending;

	/* the mixer died: what was agreed is, and mixevent_down() comes next */
	if (!r && !endpoint_is_new(ep)) {
		epmedia_commit(ep);
		return;
	}
	if (!r || (r->status != MP__STATUS__OK &&
		   r->status != MP__STATUS__ERR_NO_KEY)) {
		endpoint_end(ep, 503, "No media resources");
		return;
	}

	/* an epoch that was retired while the answer was on its way: the leg
	 * is silent, and the commit asks for the next one */
	if (r->status == MP__STATUS__ERR_NO_KEY)
		ep->resend = true;

	/* the one it replaces, once gone, may take everything with it */
	mem_ref(ep);

	epmedia_commit(ep);
	if (endpoint_is_new(ep))
		joined(ep);
	else
		after_answer(ep);
	mem_deref(ep);
}


/** Its keys are there: on to the mixer */
void endpoint_admitted(struct endpoint *ep, int err)
{
	(void)epmedia_renew(ep);
	if (!err)
		err = epmedia_apply(ep, answer_reply);

	if (err == EAFNOSUPPORT)
		endpoint_fail(ep, 488, "Not Acceptable Here",
			     "Address family not served");
	else if (err)
		endpoint_fail(ep, 503, "Service Unavailable", "Mixer lost");
}


/* ---- the dialog's handlers ----------------------------------------------- */

void endpoint_reject(struct endpoint *ep, const struct sip_msg *msg,
		   const struct neg_err *e)
{
	refuse_note(ep->part->conf->focus, msg, e->scode, ep->part->identity,
		    e->text);
	(void)dlg_reject(ep->dlg, e->scode,
			 e->scode == 488 ? "Not Acceptable Here" :
			 e->scode == 400 ? "Bad Request" :
			 "Server Internal Error",
			 "Warning: %u conclave \"%s\"\r\n", e->warn, e->text);
}


/** A re-INVITE without a body: the agreed session, offered again; sendrecv,
 *  since a phone that had us on hold takes us back that way */
static void reoffer(struct endpoint *ep)
{
	struct mbuf *sdp = rekey_offer(ep, SDP_SENDRECV, true);

	if (sdp)
		(void)dlg_answer(ep->dlg, 200, "OK", sdp);
	else
		(void)dlg_reject(ep->dlg, 500, "Server Internal Error", NULL);
}


/** Session timer: nothing new is said, unless a rekey is due anyway */
static struct mbuf *refresh_handler(struct dlg *dlg, void *arg)
{
	struct endpoint *ep = arg;
	(void)dlg;

	if (ep->media_pending || !ep->neg.sdes.suite)
		return NULL;

	return rekey_offer(ep, ep->neg.dir, false);
}


/** A list is for a factory: RFC 5366 section 5.1 */
static bool read_body(struct dlg *dlg, const struct sip_msg *msg,
		      struct body *b)
{
	if (body_read(b, msg)) {
		/* RFC 3261 section 8.2.3 */
		(void)dlg_reject(dlg, b->scode, "Bad Body",
				 "Warning: 399 conclave \"%s\"\r\n%s", b->why,
				 b->scode == 415 ? "Accept: application/sdp,"
				 " multipart/mixed\r\n" : "");
		return false;
	}

	if (b->list.p || sip_msg_hdr_has_value(msg, SIP_HDR_REQUIRE,
					       "recipient-list-invite")) {
		(void)dlg_reject(dlg, 420, "Bad Extension",
				 "Unsupported: recipient-list-invite\r\n");
		return false;
	}

	return true;
}


static void offer_handler(struct dlg *dlg, const struct sip_msg *msg,
			  void *arg)
{
	struct endpoint *ep = arg;
	struct descr d;
	struct neg_err e;
	struct body b;
	int err;

	if (ep->media_pending || ep->next_gc || !ep->neg.sdes.suite) {
		(void)dlg_reject(dlg, 491, "Request Pending", NULL);
		return;
	}

	if (!read_body(dlg, msg, &b))
		return;
	if (!b.sdp.l) {
		reoffer(ep);
		return;
	}

	err = neg_offer(&ep->next, &b.sdp, &d, ep->part->conf->cc,
			msg->tp == SIP_TRANSP_TLS, &e);
	epfloor_shown(&ep->next.floor, msg);
	if (!err && neg_mlines_set(&ep->next_mlines, &d, ep->next.index)) {
		/* its keys were not taken yet, so they must not be given back */
		neg_reset(&ep->next);
		e = (struct neg_err){ 500, 399, "Out of memory" };
		err = ENOMEM;
	}
	if (!err)
		err = epmedia_keys(ep, &e);
	if (err == EAGAIN)
		return;
	if (err) {
		/* RFC 3261 section 14.2: the session stays as it was */
		epmedia_rollback(ep);
		endpoint_reject(ep, msg, &e);
		return;
	}

	endpoint_admitted(ep, 0);
}


/** Waiting for an epoch, it does not want one any more.  If the mixer has been
 *  asked already, its reply comes first: taken_back() */
static void cancel_handler(struct dlg *dlg, void *arg)
{
	struct endpoint *ep = arg;
	(void)dlg;

	if (ep->waiting)
		epmedia_rollback(ep);
}


/** The answer to our offer: to a delayed one in the ACK, or to a re-offer */
static void answer_handler(struct dlg *dlg, const struct sip_msg *msg,
			   void *arg)
{
	struct endpoint *ep = arg;
	struct neg_offered *off = &ep->offered;
	struct descr d;
	struct neg_err e;
	struct body b;
	int err;

	/* what cannot be read has no answer in it, and neg_answer() says so */
	(void)body_read(&b, msg);
	err = neg_answer(&ep->next, &b.sdp, &d, ep->neg.index,
			 ep->part->conf->cc, off, &e);
	epfloor_shown(&ep->next.floor, msg);
	if (!err && neg_mlines_set(&ep->next_mlines, &d, ep->next.index)) {
		neg_reset(&ep->next);
		e = (struct neg_err){ 500, 399, "Out of memory" };
		err = ENOMEM;
	}
	if (err) {
		refuse_note(ep->part->conf->focus, msg, 488,
			    ep->part->identity, e.text);
		endpoint_end(ep, 488, e.text);
		return;
	}

	if (endpoint_is_new(ep) && dlg_forked(dlg))
		ep->forked = true;

	/* the key of the line that was taken is ours from now on */
	for (unsigned i = 0; i < off->linec; i++) {
		if (off->linev[i].tag == ep->next.sdes.tag) {
			ep->next_tx = off->linev[i].key;
			off->linev[i].key = NULL;
		}
	}
	neg_offered_reset(off);
	err = epmedia_keys_answer(ep, &e);
	if (!err)
		err = epmedia_apply(ep, settle_reply);
	if (err)
		endpoint_end(ep, 488, "Answer not acceptable");
}


static void estab_handler(struct dlg *dlg, const struct sip_msg *msg,
			  void *arg)
{
	struct endpoint *ep = arg;
	(void)dlg;
	(void)msg;

	/* after a delayed offer, settle_reply() says so */
	if (ep->state != EP_JOINING || !ep->neg.sdes.suite)
		return;

	mem_ref(ep);
	joined(ep);
	if (ep->state != EP_LEFT)
		after_answer(ep);
	mem_deref(ep);
}


/** Whoever can hear is in the roster, also without ever sending an ACK */
static void late_handler(struct dlg *dlg, void *arg)
{
	struct endpoint *ep = arg;
	(void)dlg;

	if (ep->state != EP_JOINING)
		return;

	ep->unacked = true;
	change_feed(CHANGE_JOINING, ep->part->conf, ep, NULL);
}


static void close_handler(struct dlg *dlg, int err, const struct sip_msg *msg,
			  void *arg)
{
	struct endpoint *ep = arg;
	const char *reason = "bye";
	(void)dlg;

	if (ep->dial) {
		dialout_closed(ep, err, msg);
		return;
	}

	if (err == ECONNABORTED)
		reason = "cancel";
	else if (err)
		reason = "timeout";
	else if (msg && !msg->req)
		reason = "refused";
	ep->left_how = err || (msg && !msg->req) ? LEFT_FAILED : LEFT_DEPARTED;
	ep->left_cause = err ? 408 : msg && !msg->req ? msg->scode : 0;

	endpoint_leave(ep, reason, ep->part->conf->cc->leave_grace_ms);
}


static void progress_handler(struct dlg *dlg, const struct sip_msg *msg,
			     void *arg)
{
	(void)dlg;
	dialout_progress(arg, msg);
}


static void fork_handler(struct dlg *dlg, void *arg)
{
	(void)dlg;
	rekey_forked(arg);
}


static void offer_fail_handler(struct dlg *dlg, int err, uint16_t scode,
			       void *arg)
{
	(void)dlg;
	(void)err;
	rekey_failed(arg, scode);
}


static bool request_handler(struct dlg *dlg, const struct sip_msg *msg,
			    void *arg)
{
	struct endpoint *ep = arg;

	/* with OPTIONS many phones look whether the call is still there */
	if (!pl_strcmp(&msg->met, "OPTIONS"))
		focus_options(ep->part->conf->focus, msg);
	else if (!pl_strcmp(&msg->met, "REFER"))
		refer_in_dialog(ep, dlg, msg);
	else
		return false;

	return true;
}


const struct dlg_handlers endpoint_handlers = {
	.reqh    = request_handler,
	.progrh  = progress_handler,
	.forkh   = fork_handler,
	.offer_failh = offer_fail_handler,
	.refreshh = refresh_handler,
	.offerh  = offer_handler,
	.cancelh = cancel_handler,
	.answerh = answer_handler,
	.lateh   = late_handler,
	.estabh  = estab_handler,
	.closeh  = close_handler,
};
