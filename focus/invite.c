/**
 * @file focus/invite.c  INVITEs that want into a conference
 *
 * Nothing is allocated before every check has passed: whose request, which
 * conference, allowed by policy, room for it, media that is secure.
 *
 * Refs: RFC 4579 sections 5.1 and 5.4; TR 33.829 clauses 5.1.3 and 5.2.1
 */
#include <string.h>
#include "focus/ban.h"
#include "focus/epfloor.h"
#include "focus/invite.h"
#include "focus/listinvite.h"
#include "focus/privacy.h"
#include "focus/replaces.h"
#include "focus/tree.h"
#include "log.h"

static const struct {
	uint16_t scode;
	const char *reason;
} reasonv[] = {
	{ 400, "Bad Request" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 415, "Unsupported Media Type" },
	{ 413, "Request Entity Too Large" },
	{ 420, "Bad Extension" },
	{ 433, "Anonymity Disallowed" },
	{ 481, "Call/Transaction Does Not Exist" },
	{ 486, "Busy Here" },
	{ 488, "Not Acceptable Here" },
	{ 500, "Server Internal Error" },
	{ 503, "Service Unavailable" },
	{ 603, "Decline" },
};


static const char *reason_phrase(uint16_t scode)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasonv); i++) {
		if (reasonv[i].scode == scode)
			return reasonv[i].reason;
	}

	return "Refused";
}


void refuse_note(struct focus *f, const struct sip_msg *msg, uint16_t scode,
		 const char *identity, const char *reason)
{
	static struct log_limit limit;
	unsigned dropped;
	char src[64], uri[128];

	if (scode < SCODE_MAX)
		++f->refusedv[scode];
	if (!log_limit_ok(&limit, &dropped))
		return;

	(void)re_snprintf(src, sizeof(src), "%J", &msg->src);
	if (re_snprintf(uri, sizeof(uri), "%r", &msg->ruri) < 0)
		uri[0] = '\0';
	log_info("ev=refuse status=%u src=%s uri=%s identity=%s left_out=%u"
		 " reason=\"%s\"", scode, src, uri, identity ? identity : "-",
		 dropped, reason);
}


void invite_refuse(struct focus *f, const struct sip_msg *msg,
		   const char *identity, uint16_t scode, unsigned warn,
		   const char *text)
{
	refuse_note(f, msg, scode, identity, text);
	/* Without a transaction (RFC 3261 section 8.2.7): one of an INVITE keeps
	 * the request, body and all, for 32 s if no ACK comes. */
	(void)sip_replyf(f->sip, msg, scode,
			  reason_phrase(scode),
			  "Warning: %u conclave \"%s\"\r\n%s%s"
			  "Content-Length: 0\r\n\r\n",
			  warn, text,
			  scode == 503 ? "Retry-After: 10\r\n" : "",
			  scode == 415 ? "Accept: application/sdp, multipart/mixed,"
					 " application/resource-lists+xml\r\n" :
			  scode == 420 ? "Unsupported: recipient-list-invite\r\n"
				       : "");
}


bool invite_may_join(const struct cfg_conf *cc, const char *identity)
{
	return cfg_rules_match(cc->joinv, cc->joinc, identity);
}


/** Which conference, or which section makes one; false if refused */
static bool find_target(struct focus *f, const struct sip_msg *msg,
			const char *identity, struct conference **cp,
			const struct cfg_conf **ccp)
{
	struct conference *c;
	const struct cfg_conf *cc;
	struct privacy pr;

	if (!focus_is_ours(f, &msg->uri, &msg->dst) || !msg->uri.user.l) {
		invite_refuse(f, msg, identity, 404, 399, "No such conference");
		return false;
	}

	c = conference_find(f, &msg->uri.user);
	cc = c ? c->cc : cfg_conf_find(f->cfg, &msg->uri.user);
	if (!cc) {
		invite_refuse(f, msg, identity, 404, 399, "No such conference");
		return false;
	}

	/* making one needs the right to create, joining the right to join;
	 * the first to dial a reserved URI does both */
	if ((!c && !cfg_rules_match(cc->createv, cc->createc, identity)) ||
	    ((c || !cc->factory) &&
	     !invite_may_join(cc, identity))) {
		invite_refuse(f, msg, identity, 403, 399, "Not allowed by policy");
		return false;
	}

	/* RFC 5079 section 3: whoever vouches for it, it asks not to be known */
	if (cc->anonymous == ANON_FORBID && !privacy_decode(&pr, msg) &&
	    pr.anonymous) {
		invite_refuse(f, msg, identity, 433, 399,
			      "Conference is not for anonymous callers");
		return false;
	}

	*cp = c;
	*ccp = cc;

	return true;
}


/** Nobody alone shall be able to take what max_calls leaves to all */
static bool user_is_full(const struct focus *f, const char *identity)
{
	const uint32_t max = f->cfg->max_user_calls;
	uint32_t n = 0;

	for (struct le *ce = list_head(&f->confl); max && ce; ce = ce->next) {
		const struct conference *c = ce->data;

		for (struct le *le = list_head(&c->partl); le; le = le->next) {
			const struct part *p = le->data;

			if (!str_cmp(p->identity, identity))
				n += list_count(&p->endpointl);
		}
	}

	return max && n >= max;
}


static bool room_left(struct focus *f, const struct sip_msg *msg,
		      const char *identity, const struct conference *c)
{
	const struct cfg *cfg = f->cfg;

	if (f->stopping)
		invite_refuse(f, msg, identity, 503, 399, "Shutting down");
	else if (cfg->max_calls && f->endpointc >= cfg->max_calls)
		invite_refuse(f, msg, identity, 503, 399, "Limit max_calls");
	else if (user_is_full(f, identity))
		invite_refuse(f, msg, identity, 503, 399, "Limit max_user_calls");
	else if (!c && cfg->max_conferences &&
		 f->confc >= cfg->max_conferences)
		invite_refuse(f, msg, identity, 503, 399, "Limit max_conferences");
	else if (c && c->cc->max_participants &&
		 c->endpointc >= c->cc->max_participants)
		invite_refuse(f, msg, identity, 486, 399, "Limit max_participants");
	else
		return true;

	return false;
}


static bool interval_ok(struct focus *f, const struct sip_msg *msg)
{
	uint32_t min_se = dlg_min_se(msg);

	if (!min_se)
		return true;

	(void)sip_replyf(f->sip, msg, 422,
			  "Session Interval Too Small",
			  "Min-SE: %u\r\n"
			  "Content-Length: 0\r\n\r\n", min_se);

	return false;
}


/** Is another device about to take the place of this one?  It has not said ACK,
 *  and may never; each would be let in for the sake of the one that leaves. */
static bool has_successor(const struct conference *c, uint64_t leg)
{
	const struct endpoint *ep = NULL;

	while ((ep = conference_endpoints(c, ep))) {
		if (ep->replaces == leg)
			break;
	}

	return ep != NULL;
}


/** Who is in may change the device, which takes no more room than there was;
 *  for others there must be room, and nothing against them */
static bool may_enter(struct focus *f, const struct sip_msg *msg,
		      const char *identity, struct conference *c,
		      struct replaces_verdict *rep)
{
	replaces_judge(rep, f, c, msg, identity);
	if (rep->scode) {
		invite_refuse(f, msg, identity, rep->scode, 399, rep->why);
		return false;
	}
	if (rep->leg && !has_successor(c, rep->leg))
		return true;

	if (c && str_cmp(identity, c->owner) &&
	    (c->locked || ban_active(c, identity))) {
		invite_refuse(f, msg, identity, 403, 399, c->locked
		       ? "Conference is locked"
		       : "Removed from this conference");
		return false;
	}

	return room_left(f, msg, identity, c);
}


/** Take the offer if there is one; false if refused */
static bool read_offer(struct focus *f, const struct sip_msg *msg,
		       const char *identity, const struct cfg_conf *cc,
		       const struct pl *sdp, struct neg *n,
		       struct neg_mlines *ml)
{
	struct descr d;
	struct neg_err e;
	int err;

	memset(n, 0, sizeof(*n));
	memset(ml, 0, sizeof(*ml));
	memset(&e, 0, sizeof(e));
	if (!sdp->l)
		return true;

	err = neg_offer(n, sdp, &d, cc, msg->tp == SIP_TRANSP_TLS, &e);
	epfloor_shown(&n->floor, msg);
	if (!err && neg_mlines_set(ml, &d, n->index)) {
		e.scode = 500;
		e.text = "Out of memory";
		err = ENOMEM;
	}
	if (err) {
		neg_reset(n);
		neg_mlines_reset(ml);
		invite_refuse(f, msg, identity, e.scode, e.warn, e.text);
		return false;
	}

	return true;
}


/** Whoever offers, a key would be in the SDP: RFC 4568 section 8.3 */
bool invite_is_secure(struct focus *f, const struct sip_msg *msg)
{
	if (msg->tp == SIP_TRANSP_TLS)
		return true;

	invite_refuse(f, msg, NULL, 488, 399,
	       "Secure conference: signalling must be TLS");

	return false;
}


/** What the body asks for besides media; false if refused */
static bool read_body(struct focus *f, const struct sip_msg *msg,
		      const char *identity, const struct conference *c,
		      const struct cfg_conf *cc, struct body *b,
		      struct urilist **lp)
{
	if (body_read(b, msg)) {
		invite_refuse(f, msg, identity, b->scode, 399, b->why);
		return false;
	}
	if (c && !b->list.p && sip_msg_hdr_has_value(msg, SIP_HDR_REQUIRE,
						     "recipient-list-invite")) {
		invite_refuse(f, msg, identity, 420, 399, "A list is for a factory");
		return false;
	}
	if (listinvite_read(lp, f, c, cc, b, identity, &b->scode, &b->why)) {
		invite_refuse(f, msg, identity, b->scode, 399, b->why);
		return false;
	}

	return true;
}


/** All checks are passed */
static int enter(struct focus *f, const struct sip_msg *msg,
		 const char *identity, struct conference *c,
		 const struct cfg_conf *cc, struct neg *n,
		 struct neg_mlines *ml, uint64_t replaces, struct urilist *l)
{
	bool made = !c;
	int err = 0;

	if (made)
		err = conference_new(&c, f, cc,
				     cc->factory ? NULL : &msg->uri.user,
				     &msg->uri.host, identity);
	if (err)
		return err;

	if (l)
		c->invitees = mem_ref(l);
	err = endpoint_join(c, identity, msg, n, ml, replaces);
	if (err && made)
		conference_end(c, 500, "error");

	return err;
}


void invite_recv(struct focus *f, const struct sip_msg *msg,
		 const char *identity)
{
	struct conference *c = NULL;
	const struct cfg_conf *cc = NULL;
	struct replaces_verdict rep;
	struct urilist *l = NULL;
	struct body b;
	struct neg n;
	struct neg_mlines ml;
	int err;

	if (!interval_ok(f, msg) ||
	    !find_target(f, msg, identity, &c, &cc) ||
	    !may_enter(f, msg, identity, c, &rep) ||
	    !read_body(f, msg, identity, c, cc, &b, &l))
		return;

	if (!read_offer(f, msg, identity, cc, &b.sdp, &n, &ml)) {
		mem_deref(l);
		return;
	}

	err = enter(f, msg, identity, c, cc, b.sdp.l ? &n : NULL, &ml,
		    rep.leg, l);
	if (err)
		invite_refuse(f, msg, identity, err == EBADMSG ? 400 : 503, 399,
		       err == EBADMSG ? "Bad Contact" : "No resources");

	mem_deref(l);
	neg_reset(&n);
	neg_mlines_reset(&ml);
}
