/**
 * @file dialog/req.c  How a request of ours is sent in a dialog; ACK and BYE
 *
 * Refs: RFC 3261 sections 12.2.1.1, 13.2.2.4, 15.1.1
 */
#include <string.h>
#include "dialog/cred.h"
#include "dialog/dlg.h"


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
static int next_hop(const struct dlg *dlg, struct uri *uri)
{
	if (!dlg->peer_host[0])
		return EDESTADDRREQ;

	memset(uri, 0, sizeof(*uri));
	pl_set_str(&uri->scheme, "sip");
	pl_set_str(&uri->host, dlg->peer_host);
	uri->af = sa_af(&dlg->peer);
	uri->port = sa_port(&dlg->peer);
	pl_set_str(&uri->params, sip_transp_param(dlg->tp));

	return 0;
}


static int vsend(struct dlg *dlg, struct sip_request **reqp, bool stateful,
		 const char *met, uint32_t cseq, sip_resp_h *resph,
		 void *arg, const char *fmt, va_list *ap)
{
	/* who came in from elsewhere gets no response to the hop's challenge */
	const struct cred_use use = {
		sa_cmp(&dlg->peer, &dlg->hop_addr, SA_ALL) ? dlg->cred : NULL,
		met, dlg->target
	};
	struct uri route;
	int err;

	if (dlg_flow_lost(dlg))
		return ENOTCONN;

	err = next_hop(dlg, &route);
	if (!err && dlg->sendh)
		err = dlg->sendh(&dlg->peer, !dlg_flow_open(dlg), dlg->hop);
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


/** @param reqp  Where to keep the request; NULL: it is sent without state */
int dlg_send(struct dlg *dlg, struct sip_request **reqp, const char *met,
	     uint32_t cseq, sip_resp_h *resph, void *arg,
	     const char *fmt, ...)
{
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = vsend(dlg, reqp, reqp != NULL, met, cseq, resph, arg, fmt, &ap);
	va_end(ap);

	return err;
}


/** ACK of our last INVITE's 2xx */
void dlg_send_ack(struct dlg *dlg)
{
	struct mbuf *mb = dlg->ack_body;

	dlg->ack_due = false;
	(void)dlg_send(dlg, NULL, "ACK", dlg->ack_seq, NULL, NULL,
		       "%s"
		       "Content-Length: %zu\r\n\r\n"
		       "%b",
		       mb ? "Content-Type: application/sdp\r\n" : "",
		       mbuf_get_left(mb),
		       mb ? mbuf_buf(mb) : NULL, mbuf_get_left(mb));
}


/** A retransmitted 2xx gets an ACK each time, RFC 3261 section 13.2.2.4 */
void dlg_ack_again(struct dlg *dlg, const struct sip_msg *msg)
{
	if (msg->cseq.num == dlg->ack_seq && !dlg->ack_due)
		dlg_send_ack(dlg);
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


/** If sent, the dialog lives until the BYE is answered or timed out */
int dlg_send_bye(struct dlg *dlg, const char *reason)
{
	int err;

	/* the peer's 2xx first: RFC 3261 section 13.2.2.4 */
	if (dlg->ack_due)
		dlg_send_ack(dlg);

	dlg_request_drop(dlg);
	err = dlg_send(dlg, &dlg->req, "BYE", ++dlg->lseq, bye_resp, dlg,
		       "%s%s%s"
		       "Content-Length: 0\r\n\r\n",
		       reason ? "Reason: " : "", reason ? reason : "",
		       reason ? "\r\n" : "");
	if (!err)
		mem_ref(dlg);

	return err;
}


/* ---- any other request --------------------------------------------------- */

int dlg_request(struct dlg *dlg, const char *met, sip_resp_h *resph, void *arg,
		const char *fmt, ...)
{
	va_list ap;
	int err;

	/* before its first response nobody knows who and where the peer is */
	if (!dlg || !met || !fmt || !dlg->rtag)
		return EINVAL;

	va_start(ap, fmt);
	err = vsend(dlg, NULL, true, met, ++dlg->lseq, resph, arg, fmt, &ap);
	va_end(ap);

	return err;
}
