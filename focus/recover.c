/**
 * @file focus/recover.c  A conference whose mixer died goes on at a new one
 *
 * Ports, streams and group keys died with the mixer; the dialogs did not.  A
 * dead mixer is a leaver who knew everything: nothing is sent again under any key
 * that it had.  Each leg is opened at the new mixer, where it is silent, and is
 * offered its new port and key (rekey.c, in its turn); its answer lets it hear.
 *
 * A phone may keep the key that it sends under.  Its rollover counter is on no
 * wire, so mixers tell it when it changes, and a new one is told; which packets
 * since then were heard already, a new one cannot know.
 *
 * A call that was still being set up ends, and so does one whose phone keeps its
 * first key, for it would be deaf: because it did so before, because the
 * configuration says it of its User-Agent, or because its RTCP reports, which came
 * before, do not come any more.  What others of that User-Agent did ends nothing:
 * anybody can bear any name.
 */
#include "focus/epfloor.h"
#include "focus/epmedia.h"
#include "focus/mixevent.h"
#include "focus/promote.h"
#include "focus/recover.h"
#include "focus/rekey.h"
#include "focus/tree.h"
#include "log.h"

/* several report intervals (RFC 3550 section 6.2), and three of the packets that
 * a silent conference sends */
enum { DEAF_MS = 30000 };

const char recover_reason[] = "Media server restarted";


static struct endpoint *next_lost(const struct conference *c)
{
	struct endpoint *ep = NULL;

	while ((ep = conference_endpoints(c, ep))) {
		if (ep->lost)
			break;
	}

	return ep;
}


static void mark_lost(struct conference *c)
{
	struct endpoint *ep = NULL;

	while ((ep = conference_endpoints(c, ep)))
		ep->lost = true;
}


/** Its place is there: on to the offer */
static void move_reply(const Mp__Reply *r, void *arg)
{
	struct endpoint *ep = arg;

	--ep->media_pending;
	/* this one died, too: mixevent_down() comes next */
	if (!r)
		return;

	if (r->status != MP__STATUS__OK || epmedia_local_set(ep, r)) {
		endpoint_end(ep, 503, "No media resources");
		return;
	}

	if (ep->resend) {
		ep->resend = false;
		(void)epmedia_resend(ep);
	}
	rekey_start(ep);
}


static void move(struct endpoint *ep)
{
	const struct conference *c = ep->part->conf;

	ep->lost = ep->latched = ep->speaking = false;
	/* the proof that was waited for concerned the mixer before */
	ep->reports |= tmr_isrunning(&ep->tmr_deaf);
	tmr_cancel(&ep->tmr_deaf);
	if (endpoint_is_new(ep) || promote_never(ep)) {
		endpoint_end(ep, 503, recover_reason);
		return;
	}

	/* not yet proven in the group: it starts anew, from a key of its own */
	if (ep->gc && (ep->trial || !ep->ge) &&
	    c->cc->keying != KEYING_GROUP) {
		promote_stop(ep);
		gclass_leave(ep, c->cc->leave_grace_ms);
	}
	if (epmedia_move(ep, move_reply))
		endpoint_end(ep, 503, recover_reason);
	else
		epfloor_recover(ep);
}


static void deaf_handler(void *arg)
{
	struct endpoint *ep = arg;

	/* on hold there is nothing that it could report about */
	if (!ep->neg.peer_receives) {
		tmr_start(&ep->tmr_deaf, DEAF_MS, deaf_handler, ep);
		return;
	}

	promote_remember(ep, FOLLOWS_NO);
	endpoint_end(ep, 503, ep->deaf_why);
}


void recover_watch(struct endpoint *ep, const char *why)
{
	ep->deaf_why = why;
	if (ep->reports)
		tmr_start(&ep->tmr_deaf, DEAF_MS, deaf_handler, ep);
	ep->reports = false;
}


void recover_moved(struct endpoint *ep)
{
	if (!ep->moved)
		return;

	ep->moved = false;
	recover_watch(ep, recover_reason);
}


void recover_report(struct endpoint *ep)
{
	/* what it names is under the key that it has just been offered */
	if (tmr_isrunning(&ep->tmr_deaf) && !ep->asked)
		promote_remember(ep, FOLLOWS_YES);
	ep->reports = true;
	tmr_cancel(&ep->tmr_deaf);
}


void recover_conference(struct conference *c)
{
	struct endpoint *ep;

	if (c->ending)
		return;

	log_warn("ev=recover conf=%s legs=%u", c->label, c->endpointc);
	mem_ref(c);
	gclass_lost(c);
	mark_lost(c);
	if (conference_set(c)) {
		conference_end(c, 503, recover_reason);
		goto out;
	}

	/* one that ends may take others with it, or all */
	while ((ep = next_lost(c)))
		move(ep);
	if (!c->ending)
		gclass_recover(c);

 out:
	mem_deref(c);
}
