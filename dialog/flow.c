/**
 * @file dialog/flow.c  The connection that a dialog is on
 *
 * An address is not a peer.  When a connection is gone, the next one from the
 * same address and port may be somebody else's: of another user of that host,
 * or behind the same NAT.  libre finds connections by address; so before
 * anything that may hold keys goes there, the connection itself is asked for.
 *
 * Refs: RFC 5626 section 5.3, RFC 3261 section 18.2.2
 */
#include "dialog/dlg.h"


void dlgs_set_flow(struct dlgs *ds, const struct dlg_flow_handlers *h)
{
	if (ds && h)
		ds->flow = *h;
}


/** To be asked while msg is being received; the caller owns it */
void *dlg_flow_of(const struct dlgs *ds, const struct sip_msg *msg)
{
	return ds->flow.geth ? ds->flow.geth(msg) : NULL;
}


static bool is_open(const struct dlgs *ds, const void *flow,
		    enum sip_transp tp)
{
	if (!ds->flow.openh)
		return true;

	return flow ? ds->flow.openh(flow) : tp != SIP_TRANSP_TLS;
}


/**
 * Can a reply to this request, which came on this flow, go there?  The dialog
 * may be on another one by now; libre would send to the address all the same.
 */
bool dlg_flow_takes(const struct dlgs *ds, const void *flow,
		    const struct sip_msg *msg)
{
	return is_open(ds, flow, msg->tp);
}


/** Our requests go where the peer's last message came from */
void dlg_flow_set(struct dlg *dlg, const struct sip_msg *msg)
{
	void *flow;

	/* keys have been spoken of: never again over anything less */
	if (dlg->tp == SIP_TRANSP_TLS && msg->tp != SIP_TRANSP_TLS)
		return;

	flow = dlg_flow_of(dlg->ds, msg);
	mem_deref(dlg->flow);
	dlg->flow = flow;
	if (!dlg->peer_host[0] || !sa_cmp(&dlg->peer, &msg->src, SA_ADDR))
		(void)re_snprintf(dlg->peer_host, sizeof(dlg->peer_host), "%j",
				  &msg->src);
	dlg->peer = msg->src;
	dlg->tp   = msg->tp;
}


/** Requests go on a connection that is known; else sendh decides about one */
bool dlg_flow_open(const struct dlg *dlg)
{
	return is_open(dlg->ds, dlg->flow, dlg->tp);
}


/** Nobody can be reached there any more, or perhaps somebody else */
bool dlg_flow_lost(const struct dlg *dlg)
{
	return !dlg_flow_open(dlg) &&
		(!dlg->sendh || !dlg->flow || dlg->ds->flow.losth(dlg->flow));
}


static bool is_on(const struct dlgs *ds, const void *flow,
		  const struct sip_msg *msg)
{
	void *other = dlg_flow_of(ds, msg);
	bool same = other == flow;

	mem_deref(other);

	return same;
}


bool dlg_on_flow(const struct dlg *dlg, const struct sip_msg *msg)
{
	return dlg && msg && sa_cmp(&dlg->peer, &msg->src, SA_ALL) &&
		dlg->tp == msg->tp && is_on(dlg->ds, dlg->flow, msg) &&
		!dlg_flow_lost(dlg);
}


/* ---- where our initial INVITE went ---------------------------------------- */

void dlg_hop_set(struct dlg *dlg, enum sip_transp tp, const struct sa *dst)
{
	dlg->hop_flow = mem_deref(dlg->hop_flow);
	dlg->hop_addr = *dst;
	dlg->hop_tp = tp;
}


/** libre opens connections and tells nobody: a response is the first to show
 *  which one it was */
void dlg_hop_seen(struct dlg *dlg, const struct sip_msg *msg)
{
	if (!dlg->hop_flow && dlg_from_hop(dlg, msg))
		dlg->hop_flow = dlg_flow_of(dlg->ds, msg);
}


/**
 * Whoever speaks of a branch of our INVITE has read that; but its headers are
 * read by many, and tags are no secret.  On a stream all branches speak through
 * the connection that the INVITE went on.
 */
bool dlg_from_hop(const struct dlg *dlg, const struct sip_msg *msg)
{
	if (dlg->hop_tp != msg->tp)
		return false;
	if (msg->tp == SIP_TRANSP_UDP)
		return true;

	return sa_cmp(&dlg->hop_addr, &msg->src, SA_ALL) &&
		(!dlg->hop_flow || is_on(dlg->ds, dlg->hop_flow, msg));
}
