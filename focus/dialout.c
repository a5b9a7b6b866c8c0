/**
 * @file focus/dialout.c  Conferences call people
 *
 * A port is opened at the mixer, then the INVITE goes out with a key of its
 * own for every suite.  A proxy may fork it, so that others read these keys:
 * nothing of a group key is in it, and dialog/fork.c tells when to change.
 */
#include <string.h>
#include <openssl/crypto.h>
#include "focus/dialout.h"
#include "focus/reach.h"
#include "focus/tree.h"
#include "log.h"

enum { REDIRECTS_MAX = 3 };

/** A call of ours that has no final response yet */
struct dial {
	struct endpoint *ep;
	struct reach *reach;
	char *target;           /* as asked for, not where reach found it     */
	struct tmr tmr;
	char *referred_by;
	char *replaces;
	struct mbuf *history;
	unsigned redirects;
	dialout_h *h;
	void *arg;
};


static void destructor(void *arg)
{
	struct dial *d = arg;

	tmr_cancel(&d->tmr);
	mem_deref(d->reach);
	mem_deref(d->target);
	mem_deref(d->referred_by);
	mem_deref(d->replaces);
	mem_deref(d->history);
	mem_deref(d->arg);
}


/* ---- what errors mean ------------------------------------------------------ */

static const struct {
	int err;
	uint16_t scode;
	const char *reason;
	const char *why;
} statusv[] = {
	{ EACCES, 403, "Forbidden", "not among those it may invite" },
	{ ELOOP,  403, "Forbidden", "a conference, or ourselves" },
	{ EPERM,  403, "Forbidden", "locked, removed, or a client's address" },
	{ EALREADY,        486, "Busy Here",           "already there" },
	{ EBUSY,           503, "Service Unavailable", "no room" },
	{ EINVAL,          400, "Bad Request",         "no SIP URI of a user" },
	{ EPROTONOSUPPORT, 488, "Not Acceptable Here", "not by TLS" },
	{ ENOENT,          480, "Temporarily Unavailable", "not registered" },
	{ ENOTCONN,        480, "Temporarily Unavailable", "connection gone" },
	{ EAFNOSUPPORT,    488, "Not Acceptable Here", "address family" },
	{ 0,               503, "Service Unavailable", "no resources" },
};


static unsigned status_index(int err)
{
	unsigned i = 0;

	while (statusv[i].err && statusv[i].err != err)
		++i;

	return i;
}


uint16_t dialout_status(int err, const char **reasonp)
{
	const unsigned i = status_index(err);

	*reasonp = statusv[i].reason;

	return statusv[i].scode;
}


void dialout_done(struct endpoint *ep, uint16_t scode, const char *reason)
{
	struct dial *d = ep->dial;

	if (!d)
		return;

	ep->dial = NULL;
	tmr_cancel(&d->tmr);
	if (d->h)
		d->h(scode, reason, d->arg);
	mem_deref(d);
}


/* ---- the gate --------------------------------------------------------------- */

bool dialout_is_conference(const struct conference *c, const struct pl *uri)
{
	const struct focus *f = c->focus;
	struct sa none;
	struct uri u;

	sa_init(&none, AF_UNSPEC);
	if (uri_decode(&u, uri) || !focus_is_ours(f, &u, &none))
		return false;

	return conference_find(f, &u.user) || cfg_conf_find(f->cfg, &u.user);
}


static bool may_invite(const struct cfg_conf *cc, const char *identity)
{
	for (unsigned i = 0; i < cc->invitec; i++) {
		if (cfg_rule_match(cc->invitev[i], identity))
			return true;
	}

	return false;
}


int dialout_allowed(const struct conference *c, const struct pl *target)
{
	char identity[512];

	if (cfg_identity(identity, sizeof(identity), target))
		return EINVAL;
	if (dialout_is_conference(c, target))
		return ELOOP;

	return may_invite(c->cc, identity) ? 0 : EACCES;
}


static bool is_busy(const struct part *p, const struct endpoint *instead)
{
	const struct le *le = p ? list_head(&p->endpointl) : NULL;

	for (; le; le = le->next) {
		if (le->data != instead)
			return true;
	}

	return false;
}


static bool room_left(const struct conference *c)
{
	const struct cfg *cfg = c->focus->cfg;

	return !c->focus->stopping && !c->ending &&
		(!cfg->max_calls || c->focus->endpointc < cfg->max_calls) &&
		(!c->cc->max_participants ||
		 c->endpointc < c->cc->max_participants);
}


static int gate(struct conference *c, const struct dialout *d,
		const char *identity)
{
	const struct part *p = part_find_public(c, identity);

	int err;

	err = dialout_allowed(c, &d->target);
	if (err)
		return err;
	if (d->uninvited && (c->locked || ban_active(c, identity)))
		return EPERM;
	if (is_busy(p, d->instead) && !d->replaces)
		return EALREADY;

	return room_left(c) ? 0 : EBUSY;
}


/* ---- the INVITE -------------------------------------------------------------- */

/** Referred-By and Replaces go into this INVITE and no later one */
static int print_once(char **sp, const struct dial *d)
{
	return re_sdprintf(sp, "%s%s%s%s%s%s",
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
	mb = mbuf_alloc(sdp->end + history->end + 512);
	if (!mb)
		return ENOMEM;

	err  = mbuf_printf(mb, "--%s\r\nContent-Type: application/sdp\r\n\r\n",
			   boundary);
	err |= mbuf_write_mem(mb, sdp->buf, sdp->end);
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


static int print_offer(struct mbuf **mbp, char **ctypep, struct endpoint *ep)
{
	const struct cfg_conf *cc = ep->part->conf->cc;
	struct neg_local l;
	int err;

	epmedia_local(ep, &l);
	err = neg_offered_draw(&ep->offered, cc);
	if (!err)
		err = neg_print_offer(mbp, cc, &l, &ep->offered);
	if (!err && ep->dial->history) {
		err = add_history(mbp, ctypep, ep->dial->history);
		if (err) {
			OPENSSL_cleanse((*mbp)->buf, (*mbp)->size);
			*mbp = mem_deref(*mbp);
		}
	}

	return err;
}


static int send_invite(struct endpoint *ep)
{
	const struct conference *c = ep->part->conf;
	struct dial *d = ep->dial;
	char *once = NULL, *ctype = NULL;
	struct mbuf *body = NULL;
	int err;

	err = print_once(&once, d);
	if (!err)
		err = print_offer(&body, &ctype, ep);
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


static void failed(struct endpoint *ep, uint16_t scode, const char *reason,
		   const char *why)
{
	/* RFC 4575 section 5.7.6 */
	ep->left_how = !strcmp(why, "busy") ? LEFT_BUSY : LEFT_FAILED;
	ep->left_cause = scode;
	dialout_done(ep, scode, reason);
	endpoint_leave(ep, why, 0);
}


static void port_reply(const Mp__Reply *r, void *arg)
{
	struct endpoint *ep = arg;
	const char *reason;
	uint16_t scode;
	int err;

	ep->media_pending = false;
	if (!r || r->status != MP__STATUS__OK || epmedia_local_set(ep, r))
		err = ENOSPC;
	else
		err = send_invite(ep);
	if (!err)
		return;

	scode = dialout_status(err, &reason);
	failed(ep, scode, reason, "failed");
}


static void timeout_handler(void *arg)
{
	struct dial *d = arg;
	struct endpoint *ep = d->ep;

	/* CANCEL; a 2xx that crosses it is hung up by the dialog alone */
	dlg_bye(ep->dlg, NULL);
	failed(ep, 408, "Request Timeout", "no_answer");
}


/* ---- what comes back ----------------------------------------------------------- */

/** A reason phrase goes into sipfrags and logs: printable ASCII, or ours */
static const char *phrase(char *buf, size_t size, const struct sip_msg *msg)
{
	if (!msg->reason.l || pl_strcpy(&msg->reason, buf, size))
		return "Failed";

	for (const char *p = buf; *p; p++) {
		if (*p < ' ' || *p > '~')
			return "Failed";
	}

	return buf;
}


void dialout_progress(struct endpoint *ep, const struct sip_msg *msg)
{
	struct dial *d = ep->dial;
	char buf[64];

	if (!d)
		return;

	if (msg->scode == 180 && ep->state == EP_DIALING) {
		ep->state = EP_ALERTING;
		change_feed(CHANGE_ALERTING, ep->part->conf, ep, NULL);
	}
	if (d->h)
		d->h(msg->scode, phrase(buf, sizeof(buf), msg), d->arg);
}


/** The same wish with another target: policy decides again */
static int redial(struct endpoint *ep, const struct pl *target,
		  bool same, bool history)
{
	struct conference *c = ep->part->conf;
	struct dial *d = ep->dial;
	struct dialout o = {
		.target = *target, .referred_by = d->referred_by,
		.replaces = d->replaces,
		.history = history ? d->history : NULL, .uninvited = !same,
		.redirects = d->redirects + 1, .instead = ep,
		.h = d->h, .arg = d->arg,
	};
	int err;

	if (o.redirects > REDIRECTS_MAX)
		return ELOOP;

	err = dialout(c, &o);
	if (!err)
		d->h = NULL;      /* whoever waits now waits for that one */

	return err;
}


static bool follow(struct endpoint *ep, const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_CONTACT);
	struct sip_addr addr;

	if (msg->scode < 300 || msg->scode > 399 || !hdr ||
	    sip_addr_decode(&addr, &hdr->val))
		return false;

	return !redial(ep, &addr.auri, false, true);
}


/**
 * RFC 5621 section 3.1: whoever cannot read the list may be called without.
 * Who does not know multipart at all should say 415, but looks for SDP first
 * and says whatever it says when there is none; baresip: 500.
 */
static bool plainer(struct endpoint *ep, const struct sip_msg *msg)
{
	static const uint16_t scodev[] = { 400, 415, 488, 500, 606 };
	struct pl target;
	size_t i = 0;

	while (i < ARRAY_SIZE(scodev) && scodev[i] != msg->scode)
		++i;
	if (i == ARRAY_SIZE(scodev) || !ep->dial->history)
		return false;

	pl_set_str(&target, ep->dial->target);

	return !redial(ep, &target, true, false);
}


void dialout_closed(struct endpoint *ep, int err, const struct sip_msg *msg)
{
	const char *why = "failed";
	char buf[64];

	if (!msg) {
		reach_failed(ep->dial->reach);
		failed(ep, 408, "Request Timeout",
		       err == ETIMEDOUT ? "no_answer" : why);
		return;
	}

	if (msg->req) {
		failed(ep, 487, "Request Terminated", "bye");
		return;
	}

	if (follow(ep, msg) || plainer(ep, msg)) {
		endpoint_leave(ep, "redirected", 0);
		return;
	}

	if (msg->scode == 486 || msg->scode == 600 || msg->scode == 603)
		why = "busy";
	failed(ep, msg->scode, phrase(buf, sizeof(buf), msg), why);
}


/* ---- start ----------------------------------------------------------------------- */

static int dial_new(struct dial **dp, struct endpoint *ep,
		    struct reach *reach, const struct dialout *o)
{
	struct dial *d = mem_zalloc(sizeof(*d), destructor);
	int err = 0;

	if (!d)
		return ENOMEM;

	tmr_init(&d->tmr);
	d->ep = ep;
	d->reach = mem_ref(reach);
	d->history = mem_ref(o->history);
	d->redirects = o->redirects;
	d->h = o->h;
	d->arg = mem_ref(o->arg);
	err = pl_strdup(&d->target, &o->target);
	if (o->referred_by)
		err |= str_dup(&d->referred_by, o->referred_by);
	if (o->replaces)
		err |= str_dup(&d->replaces, o->replaces);

	if (err)
		mem_deref(d);
	else
		*dp = d;

	return err;
}


static int start(struct endpoint *ep, struct reach *reach,
		 const struct dialout *o)
{
	const struct cfg *cfg = ep->part->conf->cfg;
	int err;

	err = str_dup(&ep->user_agent, "");
	if (!err)
		err = dial_new(&ep->dial, ep, reach, o);
	if (err)
		return err;

	ep->dialled = true;
	ep->proof = PROOF_CALLED;
	ep->state = EP_DIALING;
	ep->dial_af = reach_af(reach);
	tmr_start(&ep->dial->tmr, 1000ULL * cfg->dial_timeout_s,
		  timeout_handler, ep->dial);

	return epmedia_apply(ep, port_reply);
}


static int add(struct conference *c, const char *identity,
	       struct reach *reach, const struct dialout *o)
{
	struct part *p = part_find_public(c, identity);
	struct endpoint *ep;
	int err = 0;

	if (!p)
		err = part_new(&p, c, identity);
	if (!err)
		err = endpoint_alloc(&ep, p);
	if (!err) {
		err = start(ep, reach, o);
		if (!err) {
			change_feed(CHANGE_DIALING, c, ep, NULL);
			return 0;
		}
		/* whoever asked is told by the error alone */
		ep->dialled = false;
		ep->dial = mem_deref(ep->dial);
		endpoint_leave(ep, "failed", 0);
	}
	else if (p && list_isempty(&p->endpointl)) {
		mem_deref(p);
	}

	return err;
}


int dialout(struct conference *c, const struct dialout *o)
{
	char identity[512];
	struct reach *reach;
	int err;

	if (!c->contact)
		return EBUSY;
	if (cfg_identity(identity, sizeof(identity), &o->target))
		return EINVAL;

	err = gate(c, o, identity);
	if (!err)
		err = reach_route(&reach, c->focus, &o->target);
	if (err) {
		log_info("ev=dial_refused conf=%s identity=%s reason=\"%s\"",
			 c->label, identity, statusv[status_index(err)].why);
		return err;
	}

	if (!o->uninvited)
		ban_lift(c, identity);
	err = add(c, identity, reach, o);
	mem_deref(reach);

	return err;
}
