/**
 * @file focus/endpoint.c  Endpoints: birth, and the one way out
 *
 * An endpoint is one dialog and its leg.  epjoin.c makes it of an INVITE,
 * dialout.c calls one up, epdialog.c talks for it, epmedia.c has its keys.
 *
 * Refs: RFC 4579 section 5
 */
#include <string.h>
#include "focus/dialout.h"
#include "focus/epfloor.h"
#include "focus/epmedia.h"
#include "focus/keyage.h"
#include "focus/promote.h"
#include "focus/tree.h"
#include "log.h"

const char endpoint_hdrs[] = FOCUS_ALLOW FOCUS_SUPPORTED
	"Accept: application/sdp, message/sipfrag\r\n";

static const char *const statev[] = {
	[EP_JOINING]   = "joining",
	[EP_DIALING]   = "dialing",
	[EP_ALERTING]  = "ringing",
	[EP_CONNECTED] = "connected",
	[EP_HELD]      = "on-hold",
	[EP_LEFT]      = "left",
};


const char *endpoint_state_name(enum endpoint_state st)
{
	return statev[st];
}


bool endpoint_is_new(const struct endpoint *ep)
{
	return ep->state == EP_JOINING || ep->state == EP_DIALING ||
		ep->state == EP_ALERTING;
}


bool endpoint_muted(const struct endpoint *ep)
{
	return ep->muted || !part_heard(ep->part);
}


enum sdp_dir endpoint_dir(const struct endpoint *ep)
{
	return endpoint_muted(ep) ? ep->neg.dir & (enum sdp_dir)~SDP_RECVONLY
				  : ep->neg.dir;
}


static void destructor(void *arg)
{
	struct endpoint *ep = arg;

	list_unlink(&ep->le);
	hash_unlink(&ep->he_leg);
	mem_deref(ep->dial);
	tmr_cancel(&ep->tmr_trial);
	tmr_cancel(&ep->tmr_deaf);
	keyage_stop(ep);
	mem_deref(ep->dlg);
	mem_deref(ep->user_agent);
}


/**
 * Leave the tree.  The dialog is over already, or ends by dropping it; keys
 * go first, so that nothing is protected for somebody who has left.
 */
void endpoint_leave(struct endpoint *ep, const char *reason, uint32_t grace_ms)
{
	struct part *p = ep->part;
	struct conference *c = p->conf;
	bool joined = ep->state == EP_CONNECTED || ep->state == EP_HELD;
	bool owner = p->role == ROLE_OWNER;
	bool gone;

	if (ep->state == EP_LEFT)
		return;

	change_feed(joined ? CHANGE_LEFT : CHANGE_JOIN_FAILED, c, ep, reason);
	ep->state = EP_LEFT;
	dialout_done(ep, 487, "Request Terminated");
	promote_stop(ep);
	tmr_cancel(&ep->tmr_deaf);
	/* it may have changed its class, or left the group, a moment ago, also
	 * before its first ACK; or another device of his has */
	if (joined || ep->keyed)
		gclass_cut(c, grace_ms);
	epfloor_leave(ep);
	epmedia_release(ep, grace_ms);
	list_unlink(&ep->le);
	hash_unlink(&ep->he_leg);
	--c->endpointc;
	--c->focus->endpointc;
	mem_deref(ep);

	gone = list_isempty(&p->endpointl);
	if (gone) {
		list_unlink(&p->le);
		/* the owner may be there a second time, anonymously or not */
		owner = owner && !part_find(c, p->identity);
		mem_deref(p);
	}
	conference_check(c, gone && owner);
}


static void hang_up(struct endpoint *ep, unsigned cause, const char *text,
		    uint32_t grace_ms)
{
	char reason[128];

	if (ep->state == EP_LEFT)
		return;

	(void)re_snprintf(reason, sizeof(reason),
			  "SIP;cause=%u;text=\"%s\"", cause, text);
	if (cause >= 400)
		dialout_done(ep, (uint16_t)cause, text);
	ep->left_how = LEFT_BOOTED;
	ep->left_cause = cause;
	dlg_bye(ep->dlg, reason);
	endpoint_leave(ep, text, grace_ms);
}


void endpoint_end(struct endpoint *ep, unsigned cause, const char *text)
{
	hang_up(ep, cause, text, ep->part->conf->cc->leave_grace_ms);
}


void endpoint_kick(struct endpoint *ep, unsigned cause, const char *text)
{
	hang_up(ep, cause, text, 0);
}


/** In the tree, without a dialog */
int endpoint_alloc(struct endpoint **epp, struct part *p)
{
	struct conference *c = p->conf;
	struct endpoint *ep;

	ep = mem_zalloc(sizeof(*ep), destructor);
	if (!ep)
		return ENOMEM;

	ep->part = p;
	ep->leg = ++c->focus->leg_id;
	ep->started = tmr_jiffies();
	tmr_init(&ep->tmr_trial);
	tmr_init(&ep->tmr_deaf);
	ep->sess_id = rand_u64() >> 2;
	ep->pub_id = rand_u64();
	list_append(&p->endpointl, &ep->le, ep);
	hash_append(c->focus->ht_leg, (uint32_t)ep->leg, &ep->he_leg, ep);
	++c->endpointc;
	++c->focus->endpointc;
	++c->focus->calls_total;
	*epp = ep;

	return 0;
}
