/**
 * @file focus/mixevent.c  What a mixer reports
 */
#include "focus/epfloor.h"
#include "focus/mixevent.h"
#include "focus/promote.h"
#include "focus/recover.h"
#include "focus/tree.h"
#include "log.h"


/** A mixer has no say about conferences of another: it parses what strangers
 *  send, and what has got hold of one must not end the calls of all */
static struct conference *own(const struct focus *f, const struct mixproc *mp,
			      uint64_t conf)
{
	struct conference *c = conference_by_id(f, conf);

	return c && c->mix == mp ? c : NULL;
}


static struct endpoint *find(const struct focus *f, const struct mixproc *mp,
			     uint64_t conf, uint64_t leg)
{
	const struct conference *c = own(f, mp, conf);

	return c ? conference_endpoint(c, leg) : NULL;
}


static void set_addr(struct sa *sa, const Mp__Address *a)
{
	if (a && a->ip.len == 16) {
		sa_set_in6(sa, a->ip.data, (uint16_t)a->port);
	}
	else if (a && a->ip.len == 4) {
		const uint8_t *p = a->ip.data;

		sa_set_in(sa, (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
			  (uint32_t)p[2] << 8 | p[3], (uint16_t)a->port);
	}
}


static void latched(struct focus *f, const struct mixproc *mp,
		    const Mp__Message *msg)
{
	const Mp__LegLatched *ll = msg->leg_latched;
	struct endpoint *ep = find(f, mp, ll->conf, ll->leg);
	char remote[64];
	bool news;

	if (!ep)
		return;

	news = !ep->has_ssrc || ep->ssrc != ll->ssrc;
	ep->has_ssrc = true;
	ep->ssrc = ll->ssrc;
	ep->latched = true;
	set_addr(&ep->remote, ll->remote);
	(void)re_snprintf(remote, sizeof(remote), "%J", &ep->remote);
	log_info("ev=latch conf=%s part=%u leg=%llu remote=%s ssrc=%08x",
		 ep->part->conf->label, ep->part->id,
		 (unsigned long long)ep->leg, remote, ll->ssrc);
	if (news && (ep->state == EP_CONNECTED || ep->state == EP_HELD))
		change_feed(CHANGE_SOURCE, ep->part->conf, ep, NULL);
}


/** A caller that has silently gone must not stay: nobody would rekey it out */
static void idle(struct focus *f, const struct mixproc *mp,
		 const Mp__Message *msg)
{
	const Mp__LegIdle *li = msg->leg_idle;
	struct endpoint *ep = find(f, mp, li->conf, li->leg);

	/* it may have been told to the mixer before the configuration changed */
	if (!ep || !f->cfg->media_timeout_s || ep->state == EP_HELD ||
	    li->idle_ms < 1000 * f->cfg->media_timeout_s)
		return;

	endpoint_end(ep, 408, "No media");
}


static void talkers(struct focus *f, const struct mixproc *mp,
		    const Mp__Message *msg)
{
	const Mp__Talkers *t = msg->talkers;
	const struct conference *c = own(f, mp, t->conf);
	struct endpoint *ep = NULL;

	while (c && (ep = conference_endpoints(c, ep))) {
		ep->speaking = false;
		for (size_t i = 0; i < t->n_leg; i++)
			ep->speaking |= t->leg[i] == ep->leg;
	}
}


static void report(struct focus *f, const struct mixproc *mp,
		   const Mp__Message *msg)
{
	const Mp__LegReport *lr = msg->leg_report;
	struct endpoint *ep = find(f, mp, lr->conf, lr->leg);

	if (!ep)
		return;

	recover_report(ep);
	if (lr->epoch && ep->ge && ep->ge->gc->id == lr->class_id)
		promote_proof(ep, lr->epoch);
}


static void roc(struct focus *f, const struct mixproc *mp,
		const Mp__Message *msg)
{
	const Mp__LegRoc *lr = msg->leg_roc;
	struct endpoint *ep = find(f, mp, lr->conf, lr->leg);

	if (!ep)
		return;

	ep->rx_ssrc = lr->ssrc;
	ep->rx_roc = lr->roc;
}


static void dtmf(struct focus *f, const struct mixproc *mp,
		 const Mp__Message *msg)
{
	const Mp__Dtmf *d = msg->dtmf;
	struct endpoint *ep = find(f, mp, d->conf, d->leg);

	if (ep)
		epfloor_dtmf(ep, d->event);
}


/** The live epoch of a class nears the end of its sequence: draw the next */
static void class_limit(struct conference *c, const Mp__KeyLimit *kl)
{
	struct le *le;

	for (le = c ? list_head(&c->classl) : NULL; le; le = le->next) {
		struct gclass *gc = le->data;

		if (gc->id == kl->class_id && gc->live &&
		    gc->live->no == kl->epoch) {
			(void)gepoch_draw(gc);
			return;
		}
	}
}


/** Hard: the key is spent, and silence is all that is left for this leg */
static void key_limit(struct focus *f, const struct mixproc *mp,
		      const Mp__Message *msg)
{
	const Mp__KeyLimit *kl = msg->key_limit;
	struct endpoint *ep = find(f, mp, kl->conf, kl->leg);

	log_info("ev=key_limit conf_id=%llu leg=%llu class=%u epoch=%u hard=%d",
		 (unsigned long long)kl->conf, (unsigned long long)kl->leg,
		 kl->class_id, kl->epoch, kl->hard);
	if (kl->class_id)
		class_limit(own(f, mp, kl->conf), kl);
	else if (ep && kl->hard)
		endpoint_end(ep, 488, "Key lifetime is over");
}


void mixevent_handler(struct mixproc *mp, const Mp__Message *msg, void *arg)
{
	struct focus *f = arg;

	switch (msg->body_case) {

	case MP__MESSAGE__BODY_LEG_LATCHED:
		latched(f, mp, msg);
		break;
	case MP__MESSAGE__BODY_LEG_IDLE:
		idle(f, mp, msg);
		break;
	case MP__MESSAGE__BODY_TALKERS:
		talkers(f, mp, msg);
		break;
	case MP__MESSAGE__BODY_LEG_REPORT:
		report(f, mp, msg);
		break;
	case MP__MESSAGE__BODY_LEG_ROC:
		roc(f, mp, msg);
		break;
	case MP__MESSAGE__BODY_DTMF:
		dtmf(f, mp, msg);
		break;
	case MP__MESSAGE__BODY_KEY_LIMIT:
		key_limit(f, mp, msg);
		break;
	default:
		/* the others tell nothing that the focus acts on */
		break;
	}
}


/** Keys and streams died with the mixer: its conferences are built anew, or end
 *  with a reason if it cannot be */
void mixevent_down(struct mixproc *mp, bool renewed, void *arg)
{
	struct focus *f = arg;
	struct le *le = list_head(&f->confl);

	while (le) {
		struct conference *c = le->data;

		le = le->next;
		if (c->mix != mp)
			continue;
		if (renewed)
			recover_conference(c);
		else
			conference_end(c, 503, recover_reason);
	}
}
