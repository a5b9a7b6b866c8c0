/**
 * @file focus/replaces.c  Replaces and Join: a dialog by its identifiers
 */
#include <string.h>
#include "focus/replaces.h"
#include "focus/tree.h"

enum { PARAMS_MAX = 8 };


static bool token_ok(const struct pl *pl)
{
	for (size_t i = 0; i < pl->l; i++) {
		if (pl->p[i] <= ' ' || pl->p[i] > '~' ||
		    strchr("\"<>,;=", pl->p[i]))
			return false;
	}

	return pl->l > 0;
}


/** RFC 2543 peers have no tag; they are named "0" and match nothing here */
static int take_param(struct replaces *rep, const struct pl *param)
{
	const char *eq = pl_strchr(param, '=');
	struct pl name = *param, val = PL_INIT, *dst = NULL;

	if (eq) {
		name.l = (size_t)(eq - param->p);
		val.p = eq + 1;
		val.l = param->l - name.l - 1;
	}

	if (!pl_strcasecmp(&name, "early-only")) {
		rep->early_only = true;
		return 0;
	}
	if (!pl_strcasecmp(&name, "to-tag"))
		dst = &rep->to_tag;
	else if (!pl_strcasecmp(&name, "from-tag"))
		dst = &rep->from_tag;
	else
		return 0;

	if (dst->p || !token_ok(&val))
		return EBADMSG;
	*dst = val;

	return 0;
}


static void trim(struct pl *pl)
{
	while (pl->l && (*pl->p == ' ' || *pl->p == '\t'))
		pl_advance(pl, 1);
	while (pl->l && (pl->p[pl->l - 1] == ' ' || pl->p[pl->l - 1] == '\t'))
		--pl->l;
}


int replaces_decode(struct replaces *rep, const struct pl *val)
{
	struct pl rest = *val;
	int err = 0;

	memset(rep, 0, sizeof(*rep));
	for (unsigned n = 0; rest.l && !err; n++) {
		const char *semi = pl_strchr(&rest, ';');
		struct pl part = rest;

		if (semi)
			part.l = (size_t)(semi - rest.p);
		pl_advance(&rest, (ssize_t)(part.l + (semi ? 1 : 0)));
		trim(&part);
		if (n > PARAMS_MAX)
			return EBADMSG;
		if (n) {
			err = take_param(rep, &part);
			continue;
		}
		if (!token_ok(&part))
			return EBADMSG;
		rep->callid = part;
	}

	if (err || !rep->callid.l || !rep->to_tag.l || !rep->from_tag.l)
		return EBADMSG;

	return 0;
}


static void refuse(struct replaces_verdict *v, uint16_t scode, const char *why)
{
	v->scode = scode;
	v->why = why;
}


static void judge_replaces(struct replaces_verdict *v, const struct focus *f,
			   const struct conference *c,
			   const struct replaces *rep, const char *identity)
{
	const struct dlg *dlg = dlgs_find_ids(f->dlgs, &rep->callid,
					      &rep->to_tag, &rep->from_tag);
	const struct endpoint *ep = dlg_arg(dlg);

	if (!dlg) {
		refuse(v, 481, "No such dialog to replace");
		return;
	}
	if (!ep || ep->state == EP_LEFT) {
		refuse(v, 603, "The dialog to replace has ended");
		return;
	}

	/* somebody else's dialog is none of theirs, in whatever state */
	if (str_cmp(identity, ep->part->identity)) {
		refuse(v, 403, "Not your dialog to replace");
		return;
	}
	if (ep->part->conf != c || !dlg_established(dlg)) {
		refuse(v, 481, "No such dialog to replace here");
		return;
	}
	if (rep->early_only) {
		refuse(v, 486, "The dialog to replace is confirmed");
		return;
	}

	v->leg = ep->leg;
}


/** RFC 3911 section 4: a conference URI admits by its own rules anyway */
static void judge_join(struct replaces_verdict *v, const struct focus *f,
		       const struct conference *c, const struct replaces *rep)
{
	const struct dlg *dlg = dlgs_find_ids(f->dlgs, &rep->callid,
					      &rep->to_tag, &rep->from_tag);
	const struct endpoint *ep = dlg_arg(dlg);

	if (ep && ep->state != EP_LEFT && ep->part->conf != c)
		refuse(v, 488, "The dialog to join is elsewhere");
	else if (!ep && !c)
		refuse(v, 481, "No such dialog to join");
}


void replaces_judge(struct replaces_verdict *v, const struct focus *f,
		    const struct conference *c, const struct sip_msg *msg,
		    const char *identity)
{
	const unsigned replacec = sip_msg_hdr_count(msg, SIP_HDR_REPLACES);
	const unsigned joinc = sip_msg_hdr_count(msg, SIP_HDR_JOIN);
	const struct sip_hdr *hdr;
	struct replaces rep;

	memset(v, 0, sizeof(*v));
	if (!replacec && !joinc)
		return;
	if (replacec + joinc > 1) {
		refuse(v, 400, "Replaces and Join exclude each other");
		return;
	}

	hdr = sip_msg_hdr(msg, replacec ? SIP_HDR_REPLACES : SIP_HDR_JOIN);
	if (!hdr || replaces_decode(&rep, &hdr->val))
		refuse(v, 400, "Malformed Replaces or Join");
	else if (replacec)
		judge_replaces(v, f, c, &rep, identity);
	else
		judge_join(v, f, c, &rep);
}
