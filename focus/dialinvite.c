/**
 * @file focus/dialinvite.c  The INVITE of a call of ours
 *
 * It has a key of its own for every suite.  A proxy may fork it, so that others
 * read these keys: nothing of a group key is in it, and dialog/fork.c tells when
 * to change (rekey_forked()).
 *
 * Refs: RFC 4579 section 5.2, RFC 3892 section 2.2, RFC 3327 section 5.4
 */
#include <openssl/crypto.h>
#include "focus/dialinvite.h"
#include "focus/epmedia.h"
#include "focus/rekey.h"
#include "focus/tree.h"


/** Route, Referred-By and Replaces go into this INVITE and no later one */
static int print_once(char **sp, const struct dialinvite *d)
{
	const char *path = reach_path(d->reach);

	return re_sdprintf(sp, "%s%s%s%s%s%s%s%s%s",
			   path ? "Route: " : "", path ? path : "",
			   path ? "\r\n" : "",
			   d->referred_by ? "Referred-By: " : "",
			   d->referred_by ? d->referred_by : "",
			   d->referred_by ? "\r\n" : "",
			   d->replaces ? "Require: replaces\r\nReplaces: " : "",
			   d->replaces ? d->replaces : "",
			   d->replaces ? "\r\n" : "");
}


/** RFC 5366 section 5: the offer, and who else was called */
static int add_history(struct mbuf **mbp, char **ctypep,
		       const struct mbuf *history)
{
	struct mbuf *sdp = *mbp, *mb;
	char boundary[24];
	int err;

	(void)re_snprintf(boundary, sizeof(boundary), "%016llx", rand_u64());
	mb = mbuf_alloc(mbuf_get_left(sdp) + history->end + 512);
	if (!mb)
		return ENOMEM;

	err  = mbuf_printf(mb, "--%s\r\nContent-Type: application/sdp\r\n\r\n",
			   boundary);
	err |= mbuf_write_mem(mb, mbuf_buf(sdp), mbuf_get_left(sdp));
	err |= mbuf_printf(mb, "\r\n--%s\r\n"
			   "Content-Type: application/resource-lists+xml\r\n"
			   "Content-Disposition: recipient-list-history;"
			   " handling=optional\r\n\r\n", boundary);
	err |= mbuf_write_mem(mb, history->buf, history->end);
	err |= mbuf_printf(mb, "\r\n--%s--\r\n", boundary);
	if (!err)
		err = re_sdprintf(ctypep, "multipart/mixed;boundary=\"%s\"",
				  boundary);
	mb->pos = 0;
	if (err) {
		OPENSSL_cleanse(mb->buf, mb->size);
		mem_deref(mb);
		return err;
	}

	OPENSSL_cleanse(sdp->buf, sdp->size);
	mem_deref(sdp);
	*mbp = mb;

	return 0;
}


static int print_offer(struct mbuf **mbp, char **ctypep, struct endpoint *ep,
		       const struct mbuf *history)
{
	const struct cfg_conf *cc = ep->part->conf->cc;
	struct neg_local l;
	int err;

	epmedia_local(ep, &l);
	err = neg_offered_draw(&ep->offered, cc);
	if (!err)
		err = neg_print_offer(mbp, cc, &l, &ep->offered);
	if (!err && history) {
		err = add_history(mbp, ctypep, history);
		if (err) {
			OPENSSL_cleanse((*mbp)->buf, (*mbp)->size);
			*mbp = mem_deref(*mbp);
		}
	}

	return err;
}


int dialinvite_send(struct endpoint *ep, const struct dialinvite *d)
{
	const struct conference *c = ep->part->conf;
	char *once = NULL, *ctype = NULL;
	struct mbuf *body = NULL;
	int err;

	err = print_once(&once, d);
	if (!err)
		err = print_offer(&body, &ctype, ep, d->history);
	if (!err) {
		const struct dlg_invite inv = {
			.uri = reach_uri(d->reach), .from = c->uri,
			.route = reach_hop(d->reach), .contact = c->contact,
			.hdrs = endpoint_hdrs, .once = once, .body = body,
			.ctype = ctype, .authh = reach_auth,
			.sendh = reach_send, .hop = d->reach,
		};

		err = dlg_invite(&ep->dlg, c->focus->dlgs, &inv,
				 &endpoint_handlers, ep);
	}
	mem_deref(once);
	mem_deref(ctype);

	return err;
}
