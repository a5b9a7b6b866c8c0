/**
 * @file focus/dialout.c  Conferences call people
 *
 * Who may be called, on which phones, and what comes of it.  A port is opened at
 * the mixer, then the INVITE goes out (dialinvite.c).
 */
#include <string.h>
#include "focus/ban.h"
#include "focus/dialinvite.h"
#include "focus/dialout.h"
#include "focus/epmedia.h"
#include "focus/hunt.h"
#include "focus/reach.h"
#include "focus/tree.h"
#include "log.h"

enum { REDIRECTS_MAX = 3 };

/** A call of ours that has no final response yet */
struct dial {
	struct endpoint *ep;
	struct hunt *hunt;      /* it is one of several, maybe                */
	struct reach *reach;
	struct tmr tmr;
	char *referred_by;
	char *replaces;
	struct mbuf *history;
	unsigned redirects;
	bool anonymous;
};

static int add(struct conference *c, const char *identity, struct hunt *h,
	       struct reach *reach, const struct dialout *o);
static int ring(struct conference *c, const char *identity, struct hunt *h,
		const struct dialout *o, unsigned spare);


static void destructor(void *arg)
{
	struct dial *d = arg;

	tmr_cancel(&d->tmr);
	mem_deref(d->reach);
	mem_deref(d->referred_by);
	mem_deref(d->replaces);
	mem_deref(d->history);
	mem_deref(d->hunt);
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


/** It does not count for the others any more */
static struct dial *take_dial(struct endpoint *ep)
{
	struct dial *d = ep->dial;

	if (!d)
		return NULL;

	ep->dial = NULL;
	tmr_cancel(&d->tmr);
	hunt_ended(d->hunt);

	return d;
}


static struct endpoint *other_call(const struct conference *c,
				   const struct hunt *h)
{
	struct endpoint *ep = NULL;

	while ((ep = conference_endpoints(c, ep))) {
		if (ep->dial && ep->dial->hunt == h)
			break;
	}

	return ep;
}


/** One phone has the call, or its owner wants none: the others stop ringing */
static void cancel_others(struct conference *c, const struct hunt *h)
{
	struct endpoint *ep;

	while ((ep = other_call(c, h))) {
		mem_deref(take_dial(ep));
		ep->left_how = LEFT_BOOTED;
		ep->left_cause = 200;
		dlg_bye(ep->dlg, "SIP;cause=200;"
			"text=\"Call completed elsewhere\"");
		endpoint_leave(ep, "completed elsewhere", 0);
	}
}


/** The next round, if this was the last phone of one */
static void go_on(struct endpoint *ep, struct dial *d)
{
	const struct dialout o = {
		.referred_by = d->referred_by, .replaces = d->replaces,
		.history = d->history, .redirects = d->redirects,
		.anonymous = d->anonymous,
	};
	struct conference *c = ep->part->conf;

	/* this endpoint leaves now, and its place is free */
	while (hunt_is_quiet(d->hunt) && hunt_go_on(d->hunt))
		(void)ring(c, hunt_identity(d->hunt), d->hunt, &o, 1);
}


static void finish(struct endpoint *ep, uint16_t scode, const char *reason,
		   bool again)
{
	struct dial *d = take_dial(ep);

	if (!d)
		return;

	if (!again)
		hunt_stop(d->hunt);
	if (scode < 300) {
		hunt_report(d->hunt, scode, reason);
		cancel_others(ep->part->conf, d->hunt);
	}
	else {
		hunt_failed(d->hunt, scode, reason);
		/* RFC 3261 section 21.6: the person, not the phone */
		if (scode >= 600) {
			hunt_stop(d->hunt);
			cancel_others(ep->part->conf, d->hunt);
		}
		go_on(ep, d);
		if (hunt_is_quiet(d->hunt))
			hunt_report(d->hunt, 0, NULL);
	}
	mem_deref(d);
}


void dialout_done(struct endpoint *ep, uint16_t scode, const char *reason)
{
	finish(ep, scode, reason, false);
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


/** Is anybody there, but for the calls that are one with this? */
static bool is_busy(const struct part *p, const struct hunt *h)
{
	const struct le *le = p ? list_head(&p->endpointl) : NULL;

	for (; le; le = le->next) {
		const struct endpoint *ep = le->data;

		if (!h || !ep->dial || ep->dial->hunt != h)
			return true;
	}

	return false;
}


/** @param spare  Endpoints that are about to leave */
static bool room_left(const struct conference *c, unsigned spare)
{
	const struct cfg *cfg = c->focus->cfg;

	return !c->focus->stopping && !c->ending &&
		(!cfg->max_calls ||
		 c->focus->endpointc < cfg->max_calls + spare) &&
		(!c->cc->max_participants ||
		 c->endpointc < c->cc->max_participants + spare);
}


/** Whom it would be, if there already.  The identity behind a pseudonym is
 *  found by nobody who does not ask for one. */
static struct part *callee(const struct conference *c, const struct dialout *d,
			   const char *identity)
{
	return d->anonymous ? part_find_as(c, identity, true)
			    : part_find_public(c, identity);
}


static int gate(struct conference *c, const struct dialout *d,
		const char *identity)
{
	const struct part *p = callee(c, d, identity);
	int err;

	err = dialout_allowed(c, &d->target);
	if (err)
		return err;
	if (d->uninvited && (c->locked || ban_active(c, identity)))
		return EPERM;
	if (is_busy(p, d->hunt) && !d->replaces)
		return EALREADY;

	return room_left(c, 0) ? 0 : EBUSY;
}


/* ---- a call of ours ----------------------------------------------------------- */

static void failed(struct endpoint *ep, uint16_t scode, const char *reason,
		   const char *why)
{
	/* RFC 4575 section 5.7.6 */
	ep->left_how = !strcmp(why, "busy") ? LEFT_BUSY : LEFT_FAILED;
	ep->left_cause = scode;
	finish(ep, scode, reason, true);
	endpoint_leave(ep, why, 0);
}


static void port_reply(const Mp__Reply *r, void *arg)
{
	struct endpoint *ep = arg;
	const struct dial *d = ep->dial;
	const char *reason;
	uint16_t scode;
	int err;

	--ep->media_pending;
	if (!r || r->status != MP__STATUS__OK || epmedia_local_set(ep, r))
		err = ENOSPC;
	else
		err = dialinvite_send(ep, &(struct dialinvite){
			.reach = d->reach, .referred_by = d->referred_by,
			.replaces = d->replaces, .history = d->history,
		});
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
	hunt_progress(d->hunt, msg->scode, phrase(buf, sizeof(buf), msg));
}


/** The same wish with another target: policy decides again */
static bool follow(struct endpoint *ep, const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_CONTACT);
	const struct dial *d = ep->dial;
	struct dialout o = {
		.referred_by = d->referred_by, .replaces = d->replaces,
		.history = d->history, .uninvited = true,
		.redirects = d->redirects + 1, .hunt = d->hunt,
		.anonymous = d->anonymous,
	};
	struct sip_addr addr;

	if (msg->scode < 300 || msg->scode > 399 || !hdr ||
	    sip_addr_decode(&addr, &hdr->val) || o.redirects > REDIRECTS_MAX)
		return false;

	o.target = addr.auri;

	return !dialout(ep->part->conf, &o);
}


/**
 * RFC 5621 section 3.1: whoever cannot read the list may be called without.
 * Who does not know multipart at all should say 415, but looks for SDP first
 * and says whatever it says when there is none; baresip: 500.
 */
static bool plainer(struct endpoint *ep, const struct sip_msg *msg)
{
	static const uint16_t scodev[] = { 400, 415, 488, 500, 606 };
	const struct dial *d = ep->dial;
	const struct dialout o = {
		.referred_by = d->referred_by, .replaces = d->replaces,
		.redirects = d->redirects, .anonymous = d->anonymous,
	};
	size_t i = 0;

	while (i < ARRAY_SIZE(scodev) && scodev[i] != msg->scode)
		++i;

	return i < ARRAY_SIZE(scodev) && d->history &&
		!add(ep->part->conf, ep->part->identity, d->hunt, d->reach, &o);
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
		mem_deref(take_dial(ep));
		endpoint_leave(ep, "redirected", 0);
		return;
	}

	if (msg->scode == 486 || msg->scode == 600 || msg->scode == 603)
		why = "busy";
	failed(ep, msg->scode, phrase(buf, sizeof(buf), msg), why);
}


/* ---- start ----------------------------------------------------------------------- */

static int dial_new(struct dial **dp, struct endpoint *ep, struct hunt *h,
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
	d->anonymous = o->anonymous;
	d->hunt = mem_ref(h);
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


static int start(struct endpoint *ep, struct hunt *h, struct reach *reach,
		 const struct dialout *o)
{
	const struct cfg *cfg = ep->part->conf->cfg;
	int err;

	err = str_dup(&ep->user_agent, "");
	if (!err)
		err = dial_new(&ep->dial, ep, h, reach, o);
	if (err)
		return err;

	ep->dialled = true;
	ep->proof = PROOF_CALLED;
	ep->state = EP_DIALING;
	ep->dial_af = reach_af(reach);
	tmr_start(&ep->dial->tmr,
		  1000ULL * cfg->dial_timeout_s / hunt_rounds(h),
		  timeout_handler, ep->dial);

	return epmedia_apply(ep, port_reply);
}


static int part_get(struct part **pp, struct conference *c,
		    const struct dialout *o, const char *identity)
{
	struct part *p = callee(c, o, identity);
	int err = 0;

	if (!p) {
		err = part_new(&p, c, identity);
		if (!err && o->anonymous) {
			err = part_hide(p);
			if (err)
				mem_deref(p);
		}
	}
	if (!err)
		*pp = p;

	return err;
}


static int add(struct conference *c, const char *identity, struct hunt *h,
	       struct reach *reach, const struct dialout *o)
{
	struct endpoint *ep;
	struct part *p;
	int err;

	err = part_get(&p, c, o, identity);
	if (err)
		return err;

	err = endpoint_alloc(&ep, p);
	if (err) {
		if (list_isempty(&p->endpointl))
			mem_deref(p);
		return err;
	}

	err = start(ep, h, reach, o);
	if (!err) {
		hunt_begun(h);
		change_feed(CHANGE_DIALING, c, ep, NULL);
		return 0;
	}

	/* whoever asked is told by the error alone */
	ep->dialled = false;
	ep->dial = mem_deref(ep->dial);
	endpoint_leave(ep, "failed", 0);

	return err;
}


/** All phones of one round; 0 if there is at least one that can be called */
static int ring(struct conference *c, const char *identity, struct hunt *h,
		const struct dialout *o, unsigned spare)
{
	struct reach *reach;
	unsigned calls = 0;
	int err = 0, e;

	while ((reach = hunt_next(h))) {
		e = room_left(c, spare) ? add(c, identity, h, reach, o)
					: EBUSY;
		calls += !e;
		err = err ? err : e;
		mem_deref(reach);
	}

	return calls ? 0 : err;
}


/** The ways to whom is called, alone or beside those of a call before */
static int hunt_get(struct hunt **hp, struct conference *c,
		    const struct dialout *o, const char *identity)
{
	if (!o->hunt)
		return hunt_alloc(hp, c->focus, &o->target, identity, o->h,
				  o->arg);

	*hp = mem_ref(o->hunt);

	return hunt_add(o->hunt, c->focus, &o->target);
}


int dialout(struct conference *c, const struct dialout *o)
{
	char identity[512];
	struct hunt *h = NULL;
	int err;

	if (!c->contact)
		return EBUSY;
	if (cfg_identity(identity, sizeof(identity), &o->target))
		return EINVAL;

	err = gate(c, o, identity);
	if (!err)
		err = hunt_get(&h, c, o, identity);
	if (err) {
		log_info("ev=dial_refused conf=%s identity=%s reason=\"%s\"",
			 c->label, identity, statusv[status_index(err)].why);
		mem_deref(h);
		return err;
	}

	if (!o->uninvited)
		ban_lift(c, identity);
	err = ring(c, identity, h, o, 0);
	mem_deref(h);

	return err;
}
