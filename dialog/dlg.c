/**
 * @file dialog/dlg.c  Birth and death of a dialog
 */
#include <string.h>
#include <openssl/crypto.h>
#include "dialog/dlg.h"


/** SDP bodies hold keys: empty them before the memory goes back */
struct mbuf *dlg_mbuf_wipe(struct mbuf *mb)
{
	if (mb && mb->buf)
		OPENSSL_cleanse(mb->buf, mb->size);

	return mem_deref(mb);
}


static void destructor(void *arg)
{
	struct dlg *dlg = arg;

	/*
	 * Dropped while alive: hang up, and live on until that is done.  The
	 * count is 0 here, so a reference may be taken but none given back.
	 */
	if (dlg_terminate(dlg, NULL))
		return;

	hash_unlink(&dlg->he);
	if (dlg->ds)
		--dlg->ds->dlgc;
	tmr_cancel(&dlg->tmr_trying);
	tmr_cancel(&dlg->tmr_retry);
	late_cancel(&dlg->late_se);
	late_cancel(&dlg->late_offer);
	dlg_reply_stop(dlg);
	dlg_request_drop(dlg);
	dlg_prack_flush(dlg);
	mem_deref(dlg->st);
	mem_deref(dlg->msg);
	mem_deref(dlg->msg_flow);
	mem_deref(dlg->cred);
	dlg_mbuf_wipe(dlg->offer);
	dlg_mbuf_wipe(dlg->ack_body);
	mem_deref(dlg->callid);
	mem_deref(dlg->ltag);
	mem_deref(dlg->rtag);
	mem_deref(dlg->early_tag);
	mem_deref(dlg->once);
	mem_deref(dlg->ctype);
	mem_deref(dlg->local);
	mem_deref(dlg->remote);
	mem_deref(dlg->target);
	mem_deref(dlg->routes);
	mem_deref(dlg->route);
	mem_deref(dlg->contact);
	mem_deref(dlg->hdrs);
	mem_deref(dlg->hop);
	mem_deref(dlg->reason);
	mem_deref(dlg->flow);
	mem_deref(dlg->hop_flow);
	mem_deref(dlg->ds);
}


int dlg_alloc(struct dlg **dlgp, struct dlgs *ds, const char *contact,
	      const char *hdrs, const struct dlg_handlers *h, void *arg)
{
	struct dlg *dlg;
	int err;

	dlg = mem_zalloc(sizeof(*dlg), destructor);
	if (!dlg)
		return ENOMEM;

	/* a half-built dialog has nobody to hang up on */
	dlg->state = DLG_TERMINATED;
	dlg->ds  = mem_ref(ds);
	dlg->h   = *h;
	dlg->arg = arg;
	++ds->dlgc;
	tmr_init(&dlg->tmr_trying);
	tmr_init(&dlg->tmr_retry);
	tmr_init(&dlg->reply.tmr);
	tmr_init(&dlg->reply.tmrg);

	err = str_dup(&dlg->contact, contact);
	if (!err)
		err = str_dup(&dlg->hdrs, hdrs ? hdrs : "");

	if (err)
		mem_deref(dlg);
	else
		*dlgp = dlg;

	return err;
}


/**
 * Keep the dialog over a call of a handler.  Handlers may drop it; what comes
 * after has to ask dlg_live() before it calls the next one.
 */
void dlg_hold(struct dlg *dlg)
{
	mem_ref(dlg);
	++dlg->holds;
}


void dlg_release(struct dlg *dlg)
{
	--dlg->holds;
	mem_deref(dlg);
}


/** Not over, and the user still has its reference */
bool dlg_live(const struct dlg *dlg)
{
	return dlg->state != DLG_TERMINATED && mem_nrefs(dlg) > dlg->holds;
}


/** A folded header may hold line ends: they must not get into a start line */
static bool is_clean(const struct pl *uri)
{
	for (size_t i = 0; i < uri->l; i++) {
		if ((unsigned char)uri->p[i] <= ' ' || uri->p[i] == 0x7f)
			return false;
	}

	return uri->l > 0;
}


/** "<TARGET>", as nearly every message of a dialog has it: nothing to decode */
static bool is_target(const struct dlg *dlg, const struct pl *contact)
{
	const size_t len = str_len(dlg->target);

	return len && contact->l >= len + 2 && contact->p[0] == '<' &&
		!memcmp(contact->p + 1, dlg->target, len) &&
		contact->p[len + 1] == '>';
}


/** Target refresh: RFC 3261 section 12.2.1.2, RFC 3311 section 5.1 */
int dlg_target_set(struct dlg *dlg, const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_CONTACT);
	struct sip_addr addr;
	char *target;
	int err;

	if (hdr && is_target(dlg, &hdr->val))
		return 0;

	if (!hdr || sip_addr_decode(&addr, &hdr->val) ||
	    !is_clean(&addr.auri))
		return EBADMSG;

	err = pl_strdup(&target, &addr.auri);
	if (err)
		return err;

	mem_deref(dlg->target);
	dlg->target = target;

	return 0;
}


struct route_enc {
	struct mbuf *mb;
	int err;
};


static bool route_handler(const struct sip_hdr *hdr, const struct sip_msg *msg,
			  void *arg)
{
	struct route_enc *re = arg;
	(void)msg;

	re->err |= mbuf_printf(re->mb, "Route: %r\r\n", &hdr->val);

	return re->err != 0;
}


/** The route set is fixed when the dialog is made: RFC 3261 section 12.1 */
int dlg_routes_set(struct dlg *dlg, const struct sip_msg *msg)
{
	struct route_enc re;

	if (!sip_msg_hdr(msg, SIP_HDR_RECORD_ROUTE))
		return 0;

	re.err = 0;
	re.mb  = mbuf_alloc(256);
	if (!re.mb)
		return ENOMEM;

	/* UAS: in the order of the request; UAC: reverse of the response */
	(void)sip_msg_hdr_apply(msg, msg->req, SIP_HDR_RECORD_ROUTE,
				route_handler, &re);
	re.mb->pos = 0;
	if (!re.err)
		re.err = mbuf_strdup(re.mb, &dlg->routes,
				     mbuf_get_left(re.mb));
	mem_deref(re.mb);

	return re.err;
}


void dlg_allow_set(struct dlg *dlg, const struct sip_msg *msg)
{
	if (sip_msg_hdr(msg, SIP_HDR_ALLOW))
		dlg->update = sip_msg_hdr_has_value(msg, SIP_HDR_ALLOW,
						    "UPDATE");
}


/** From now on no handler is called and nothing new is begun */
static void silence(struct dlg *dlg)
{
	dlg->state = DLG_TERMINATED;
	memset(&dlg->h, 0, sizeof(dlg->h));
	dlg->offerh = NULL;
	tmr_cancel(&dlg->tmr_retry);
	late_cancel(&dlg->late_se);
	late_cancel(&dlg->late_offer);
}


/** Over, and not by our wish: tell the user, then let go of everything */
void dlg_close(struct dlg *dlg, int err, const struct sip_msg *msg)
{
	const struct dlg_handlers h = dlg->h;

	if (dlg->state == DLG_TERMINATED)
		return;

	silence(dlg);
	hash_unlink(&dlg->he);
	dlg_reply_stop(dlg);
	if (dlg->msg)
		dlg_refuse_pending(dlg, 487, "Request Terminated");

	/* the user drops its reference in closeh */
	if (h.closeh)
		h.closeh(dlg, err, msg, dlg->arg);
}


/**
 * Hang up.  What is under way (a 2xx without its ACK, an INVITE of ours
 * without an answer, the BYE) has to come to its end first: the dialog then
 * lives on by a reference of its own, without telling the user anything.
 *
 * @return true if such a reference was taken
 */
bool dlg_terminate(struct dlg *dlg, const char *reason)
{
	enum dlg_state was = dlg->state;

	if (was == DLG_TERMINATED)
		return false;

	silence(dlg);
	if (reason)
		(void)str_dup(&dlg->reason, reason);

	if (dlg->msg)
		dlg_refuse_pending(dlg, was == DLG_EARLY ? 480 : 487,
				   was == DLG_EARLY ? "Temporarily Unavailable"
						    : "Request Terminated");

	if (dlg->reply.active) {
		/* RFC 3261 section 15: no BYE before the ACK or the timeout */
		mem_ref(dlg);
		return true;
	}

	if (was == DLG_EARLY) {
		if (!dlg->uac || !dlg->req)
			return false;

		mem_ref(dlg);
		sip_request_cancel(dlg->req);
		return true;
	}

	return 0 == dlg_send_bye(dlg, dlg->reason);
}


void dlg_bye(struct dlg *dlg, const char *reason)
{
	if (dlg)
		(void)dlg_terminate(dlg, reason);
}


bool dlg_established(const struct dlg *dlg)
{
	return dlg && dlg->state == DLG_CONFIRMED;
}


bool dlg_ended(const struct dlg *dlg)
{
	return !dlg || dlg->state == DLG_TERMINATED;
}


bool dlg_forked(const struct dlg *dlg)
{
	return dlg && dlg->forked;
}


const char *dlg_callid(const struct dlg *dlg)
{
	return dlg ? dlg->callid : NULL;
}


const char *dlg_local_tag(const struct dlg *dlg)
{
	return dlg ? dlg->ltag : NULL;
}


const char *dlg_remote_tag(const struct dlg *dlg)
{
	return dlg ? dlg->rtag : NULL;
}


const struct sa *dlg_peer_addr(const struct dlg *dlg)
{
	return dlg ? &dlg->peer : NULL;
}


void *dlg_arg(const struct dlg *dlg)
{
	return dlg_ended(dlg) ? NULL : dlg->arg;
}
