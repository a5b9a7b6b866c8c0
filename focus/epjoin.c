/**
 * @file focus/epjoin.c  An admitted INVITE becomes an endpoint
 *
 * Refs: RFC 4579 section 5.1
 */
#include <string.h>
#include "focus/epmedia.h"
#include "focus/ident.h"
#include "focus/privacy.h"
#include "focus/tlsid.h"
#include "focus/tree.h"
#include "log.h"

enum { USER_AGENT_MAX = 128 };


/** Printable ASCII only: it ends up in logs, JSON and on terminals */
static int user_agent_set(struct endpoint *ep, const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_USER_AGENT);
	struct pl val = { "", 0 };
	int err;

	if (hdr)
		val = hdr->val;
	val.l = MIN(val.l, (size_t)USER_AGENT_MAX);
	err = pl_strdup(&ep->user_agent, &val);
	for (char *p = ep->user_agent; !err && *p; p++) {
		if (*p < ' ' || *p > '~')
			*p = '?';
	}

	return err;
}


/** What ident_request() went by, in its order */
static enum proof proof_of(const struct focus *f, const struct part *p,
			   const struct sip_msg *msg)
{
	char who[IDENT_MAX];

	if (!str_cmp(p->identity, p->public_uri) && p->anonymous)
		return PROOF_NONE;
	if (!tlsid_identity(msg, who, sizeof(who)))
		return PROOF_CERTIFICATE;
	if (!ident_asserted(f->cfg, msg, who, sizeof(who)))
		return PROOF_ASSERTED;

	return PROOF_DIGEST;
}


static int endpoint_new(struct endpoint **epp, struct part *p,
			const struct sip_msg *msg)
{
	struct conference *c = p->conf;
	struct endpoint *ep;
	char contact[256];
	int err;

	err = endpoint_alloc(&ep, p);
	if (err)
		return err;

	ep->proof = proof_of(c->focus, p, msg);
	err = user_agent_set(ep, msg);
	if (!err)
		err = conference_contact(contact, sizeof(contact), c, msg);
	if (!err)
		err = conference_contact_set(c, msg);
	if (!err)
		err = dlg_accept(&ep->dlg, c->focus->dlgs, msg, contact,
				 endpoint_hdrs, &endpoint_handlers, ep);
	if (err) {
		--c->endpointc;
		--c->focus->endpointc;
		--c->focus->calls_total;
		mem_deref(ep);
		return err;
	}

	*epp = ep;

	return 0;
}


/** The participant that this call belongs to, one of its own if need be */
static int part_of_call(struct part **pp, struct part **freshp,
			struct conference *c, const char *identity,
			const struct sip_msg *msg)
{
	const bool guest = !str_cmp(identity, PRIVACY_GUEST);
	struct part *p = NULL, *fresh = NULL;
	struct privacy pr;
	int err;

	/* what it cannot grant was refused before */
	(void)privacy_decode(&pr, msg);
	if (!guest)
		p = part_find_as(c, identity, pr.anonymous);
	if (!p) {
		err = part_new(&fresh, c, identity);
		if (err)
			return err;
		if (guest || pr.anonymous)
			err = part_hide(fresh);
		if (err) {
			mem_deref(fresh);
			return err;
		}
		p = fresh;
	}
	*pp = p;
	*freshp = fresh;

	return 0;
}


int endpoint_join(struct conference *c, const char *identity,
		  const struct sip_msg *msg, struct neg *n,
		  struct neg_mlines *ml, uint64_t replaces)
{
	struct part *p, *fresh;
	struct endpoint *ep;
	struct neg_err e;
	int err;

	err = part_of_call(&p, &fresh, c, identity, msg);
	if (err)
		return err;

	err = endpoint_new(&ep, p, msg);
	if (err) {
		mem_deref(fresh);
		return err;
	}
	ep->replaces = replaces;

	if (!n) {
		if (epmedia_apply(ep, endpoint_port_reply))
			endpoint_fail(ep, 503, "Service Unavailable",
				     "No media resources");
		return 0;
	}

	ep->next = *n;
	memset(n, 0, sizeof(*n));
	ep->next_mlines = *ml;
	memset(ml, 0, sizeof(*ml));

	memset(&e, 0, sizeof(e));
	err = epmedia_keys(ep, &e);
	if (err && err != EAGAIN) {
		endpoint_reject(ep, msg, &e);
		endpoint_leave(ep, e.text, 0);
	}
	else if (!err) {
		endpoint_admitted(ep, 0);
	}

	return 0;
}
