/**
 * @file focus/confevent.c  From the change feed to the watchers
 *
 * A conference that somebody watches has a copy of its roster in the form in
 * which it is told (confinfo.c).  Each change of the tree changes the copy and
 * wakes the watchers' notifiers, which ask for a document when one may go out.
 *
 * Who leaves is shown as disconnected, with how and why, for two intervals,
 * so that every watcher has been told so, and is then deleted.
 *
 * Group epochs change for everybody at every join and leave; told at once,
 * that would make each of them a message of the size of the roster.  So a
 * change of the epoch alone waits for KEYS_INTERVALS.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "clock.h"
#include "focus/confevent.h"
#include "focus/confinfo.h"
#include "focus/epmedia.h"
#include "focus/rights.h"
#include "focus/role.h"
#include "log.h"

enum { LINGER_INTERVALS = 2, KEYS_INTERVALS = 5 };

struct confwatch {
	struct conference *c;
	struct confinfo *ci;
	struct list subl;        /* struct confsub                            */
	struct tmr tmr_forget;   /* who left becomes deleted                  */
	struct tmr tmr_keys;     /* epochs are told                           */
	struct tmr tmr_check;    /* who is no member any more is ended        */
};

struct confsub {
	struct le le;
	struct le he;            /* in ht_watcher, by identity                */
	struct confwatch *w;
	struct notifier *n;
	struct ci_view view;
	char *entity;
	bool keys;               /* epochs are due                            */
	bool revoked;            /* is told nothing any more                  */
};


static void watch_destructor(void *arg)
{
	struct confwatch *w = arg;

	tmr_cancel(&w->tmr_forget);
	tmr_cancel(&w->tmr_keys);
	tmr_cancel(&w->tmr_check);
	mem_deref(w->ci);
}


static void sub_destructor(void *arg)
{
	struct confsub *s = arg;

	list_unlink(&s->le);
	hash_unlink(&s->he);
	mem_deref(s->entity);
}


/** The subscription is over: forget it, and the copy with the last one */
static void sub_gone(struct confsub *s, const char *why)
{
	struct confwatch *w = s->w;

	log_info("ev=unsubscribe conf=%s identity=%s versions=%u reason=\"%s\"",
		 w->c->label, notifier_identity(s->n), s->view.version, why);
	mem_deref(s);
	if (list_isempty(&w->subl))
		w->c->watch = mem_deref(w);
}


/**
 * Does somebody take part by another endpoint than this one?  Being called is
 * not taking part, whoever asked for it.
 */
static bool takes_part(const struct part *p, const struct endpoint *but)
{
	struct le *le;

	for (le = list_head(&p->endpointl); le; le = le->next) {
		const struct endpoint *ep = le->data;

		if (ep != but &&
		    (ep->state == EP_JOINING || ep->state == EP_CONNECTED ||
		     ep->state == EP_HELD))
			return true;
	}

	return false;
}


static bool ruled_in(const struct conference *c, const char *identity)
{
	return cfg_rules_match(c->cc->subscribev, c->cc->subscribec, identity);
}


bool confevent_allowed(const struct conference *c, const char *identity)
{
	const struct part *p = part_find(c, identity);

	return (p && takes_part(p, NULL)) || ruled_in(c, identity);
}


uint32_t confevent_count(const struct focus *f, const char *identity)
{
	struct le *le = list_head(hash_list(f->ht_watcher,
					    hash_joaat_str(identity)));
	uint32_t n = 0;

	for (; le; le = le->next) {
		const struct confsub *s = le->data;

		n += !str_cmp(notifier_identity(s->n), identity);
	}

	return n;
}


void confevent_purge(const struct focus *f, const char *identity)
{
	struct le *le = list_head(hash_list(f->ht_watcher,
					    hash_joaat_str(identity)));

	while (le) {
		struct confsub *s = le->data;
		struct notifier *n = s->n;

		le = le->next;
		if (str_cmp(notifier_identity(n), identity) ||
		    !notifier_is_lost(n))
			continue;
		sub_gone(s, "connection gone");
		notifier_drop(n);
	}
}


/* ---- the copy ------------------------------------------------------------ */

static const char *const proofv[] = {
	[PROOF_DIGEST]      = "digest",
	[PROOF_CERTIFICATE] = "certificate",
	[PROOF_CALLED]      = "called",
	[PROOF_ASSERTED]    = "asserted",
	[PROOF_NONE]        = "none",
};


static const enum ci_status statusv[] = {
	[EP_JOINING]   = CI_DIALING_IN,
	[EP_DIALING]   = CI_DIALING_OUT,
	[EP_ALERTING]  = CI_ALERTING,
	[EP_CONNECTED] = CI_CONNECTED,
	[EP_HELD]      = CI_ON_HOLD,
	[EP_LEFT]      = CI_DISCONNECTED,
};


static void copy_endpoint(struct confwatch *w, const struct endpoint *ep,
			  enum ci_change *chp)
{
	const struct suite *suite = ep->neg.sdes.suite;
	const struct gepoch *ge = epmedia_epoch(ep);
	struct ci_user u;
	struct ci_endpoint e;

	memset(&u, 0, sizeof(u));
	memset(&e, 0, sizeof(e));
	u.uri = part_public_uri(ep->part);
	u.display = part_public_name(ep->part);
	u.role = role_name(ep->part->role);
	/* asked of the name that is shown: a rule that names somebody must not
	 * tell who hides behind a pseudonym */
	u.admin = rights_shown(w->c, u.uri, ep->part->role);
	e.status = statusv[ep->state];
	/* RFC 4575 section 5.7.3: its media is not distributed */
	if (endpoint_muted(ep) && ep->state == EP_CONNECTED)
		e.status = CI_MUTED_VIA_FOCUS;
	e.floor = ep->holds_floor ? "holder" : NULL;
	e.joining = ep->dialled ? CI_DIALED_OUT : CI_DIALED_IN;
	e.joined = ep->joined;
	e.sends = (endpoint_dir(ep) & SDP_RECVONLY) != 0;
	e.receives = (endpoint_dir(ep) & SDP_SENDONLY) != 0;
	e.has_src = ep->has_ssrc;
	e.src = ep->ssrc;
	e.suite = suite ? suite->name : NULL;
	e.keying = ge ? "group" : "endpoint";
	e.epoch = ge ? ge->no : 0;
	e.key_since = epmedia_key_since(ep);
	e.proof = proofv[ep->proof];

	*chp = CI_SAME;
	if (confinfo_set(w->ci, &u, ep->pub_id, &e, chp))
		log_warn("ev=roster_failed conf=%s leg=%llu",
			 w->c->label, (unsigned long long)ep->leg);
}


static void copy_all(struct confwatch *w)
{
	const struct endpoint *ep = NULL;
	enum ci_change ch;

	while ((ep = conference_endpoints(w->c, ep))) {
		if (ep->state != EP_LEFT &&
		    (ep->state != EP_JOINING || ep->unacked))
			copy_endpoint(w, ep, &ch);
	}
}


static int watch_get(struct confwatch **wp, struct conference *c)
{
	struct ci_about about;
	struct confwatch *w = c->watch;
	int err;

	if (w) {
		*wp = w;
		return 0;
	}

	w = mem_zalloc(sizeof(*w), watch_destructor);
	if (!w)
		return ENOMEM;

	memset(&about, 0, sizeof(about));
	about.entity = c->uri;
	about.subject = c->cc->title;
	about.host = c->cfg->realm;
	about.max_users = c->cc->max_participants;
	w->c = c;
	tmr_init(&w->tmr_forget);
	tmr_init(&w->tmr_keys);
	tmr_init(&w->tmr_check);
	err = confinfo_alloc(&w->ci, &about);
	if (err) {
		mem_deref(w);
		return err;
	}

	copy_all(w);
	(void)confinfo_lock(w->ci, c->locked);
	*wp = c->watch = w;

	return 0;
}


/* ---- NOTIFY -------------------------------------------------------------- */

/** Markers that everybody has been told of are not needed any more */
static void trim(struct confwatch *w)
{
	uint64_t seen = UINT64_MAX;
	struct le *le;

	for (le = list_head(&w->subl); le; le = le->next) {
		const struct confsub *s = le->data;

		if (!s->revoked)
			seen = MIN(seen, s->view.seen);
	}

	if (seen != UINT64_MAX)
		confinfo_trim(w->ci, seen);
}


static struct mbuf *body_handler(struct notifier *n, bool full, void *arg)
{
	struct confsub *s = arg;
	struct mbuf *mb;
	(void)n;

	if (s->revoked ||
	    confinfo_print(s->w->ci, &s->view, full, s->keys, &mb))
		return NULL;

	s->keys = false;
	trim(s->w);

	return mb;
}


static bool refresh_handler(struct notifier *n, void *arg)
{
	const struct confsub *s = arg;

	return confevent_allowed(s->w->c, notifier_identity(n));
}


static void close_handler(struct notifier *n, const char *why, void *arg)
{
	(void)n;
	sub_gone(arg, why);
}


static void wake_all(struct confwatch *w, bool keys)
{
	struct le *le;

	for (le = list_head(&w->subl); le; le = le->next) {
		struct confsub *s = le->data;

		s->keys |= keys;
		if (!s->revoked)
			notifier_notify(s->n);
	}
}


static void keys_handler(void *arg)
{
	wake_all(arg, true);
}


static void forget_handler(void *arg)
{
	struct confwatch *w = arg;
	uint64_t now = clock_mono_ms(), next;

	next = confinfo_forget(w->ci, now, LINGER_INTERVALS *
			       w->c->cfg->event_interval_ms);
	if (next)
		tmr_start(&w->tmr_forget, next - now, forget_handler, w);
	wake_all(w, false);
}


/**
 * The conference has several names: that of its domain, and the Contact of
 * our 200 (RFC 4579 section 5.1).  Its documents call it what the watcher
 * called it, to the last parameter, or the watcher may take them for another
 * conference's.
 */
static int name_it(struct confsub *s, const struct uri *called)
{
	struct uri name = *called;

	name.password = name.headers = pl_null;

	return re_sdprintf(&s->entity, "%H", uri_encode, &name);
}


int confevent_subscribe(struct conference *c, const struct sip_msg *msg,
			const struct pl *id, const char *identity,
			uint32_t expires_s, uint32_t expires_min_s,
			uint32_t expires_max_s)
{
	static const struct notifier_handlers h = {
		body_handler, refresh_handler, close_handler
	};
	struct notifier_opt opt;
	struct confwatch *w;
	struct confsub *s;
	char contact[256];
	int err;

	err = conference_contact(contact, sizeof(contact), c, msg);
	if (!err)
		err = watch_get(&w, c);
	if (err)
		return err;

	memset(&opt, 0, sizeof(opt));
	opt.event = CONFEVENT_NAME;
	opt.id = *id;
	opt.ctype = CONFINFO_CTYPE;
	opt.contact = contact;
	opt.hdrs = FOCUS_ALLOW;
	opt.identity = identity;
	opt.expires_s = expires_s;
	opt.expires_min_s = expires_min_s;
	opt.expires_max_s = expires_max_s;
	opt.interval_ms = c->cfg->event_interval_ms;

	s = mem_zalloc(sizeof(*s), sub_destructor);
	err = s ? name_it(s, &msg->uri) : ENOMEM;
	if (!err)
		err = notifier_alloc(&s->n, c->focus->notifiers, msg, NULL,
				     &opt, &h, s);
	if (err) {
		mem_deref(s);
		if (list_isempty(&w->subl))
			c->watch = mem_deref(w);
		return err;
	}

	s->w = w;
	s->view.entity = s->entity;
	list_append(&w->subl, &s->le, s);
	hash_append(c->focus->ht_watcher, hash_joaat_str(identity), &s->he, s);
	log_info("ev=subscribe conf=%s identity=%s expires=%u", c->label,
		 identity, expires_s);
	notifier_reply(s->n, msg);
	notifier_start(s->n);

	return 0;
}


/* ---- changes ------------------------------------------------------------- */

/**
 * RFC 6665 section 4.1.3: "rejected" is a change in authorization, and tells
 * the client not to try again.  Done when the leaving is over, since it may
 * end the conference, which is another reason.
 */
static void check_handler(void *arg)
{
	struct confwatch *w = arg;
	struct le *le = list_head(&w->subl);

	mem_ref(w);
	while (le) {
		struct confsub *s = le->data;
		struct notifier *n = s->n;

		le = le->next;
		if (!s->revoked)
			continue;
		sub_gone(s, "no longer a member");
		notifier_end(n, "rejected", NULL);
	}
	mem_deref(w);
}


/** Membership is gone with the last endpoint, and with it the right to watch */
static void revoke(struct confwatch *w, const struct endpoint *ep)
{
	const struct part *p = ep->part;
	struct le *le;

	if (takes_part(p, ep) || ruled_in(w->c, p->identity))
		return;

	for (le = list_head(&w->subl); le; le = le->next) {
		struct confsub *s = le->data;

		if (str_cmp(notifier_identity(s->n), p->identity))
			continue;
		s->revoked = true;
		tmr_start(&w->tmr_check, 0, check_handler, w);
	}
}


static const enum ci_gone gonev[] = {
	[LEFT_DEPARTED] = CI_DEPARTED,
	[LEFT_BOOTED]   = CI_BOOTED,
	[LEFT_FAILED]   = CI_FAILED,
	[LEFT_BUSY]     = CI_BUSY,
};


static void left(struct confwatch *w, const struct endpoint *ep,
		 const char *reason)
{
	struct ci_end end;

	memset(&end, 0, sizeof(end));
	end.how = gonev[ep->left_how];
	end.when = time(NULL);
	/* RFC 3326 */
	if (ep->left_how != LEFT_DEPARTED &&
	    re_snprintf(end.reason, sizeof(end.reason),
			"Reason: SIP;cause=%u;text=\"%s\"", ep->left_cause,
			reason ? reason : "") < 0)
		end.reason[0] = '\0';

	confinfo_leave(w->ci, ep->pub_id, &end, clock_mono_ms());
	if (!tmr_isrunning(&w->tmr_forget))
		tmr_start(&w->tmr_forget, LINGER_INTERVALS *
			  w->c->cfg->event_interval_ms, forget_handler, w);
	wake_all(w, false);
}


static void changed(struct confwatch *w, const struct endpoint *ep)
{
	enum ci_change ch;

	copy_endpoint(w, ep, &ch);
	if (ch == CI_CHANGED)
		wake_all(w, false);
	else if (ch == CI_KEYS_ONLY && !tmr_isrunning(&w->tmr_keys))
		tmr_start(&w->tmr_keys, KEYS_INTERVALS *
			  w->c->cfg->event_interval_ms, keys_handler, w);
}


static void ended(struct confwatch *w)
{
	struct conference *c = w->c;
	struct le *le;

	while ((le = list_head(&w->subl))) {
		struct confsub *s = le->data;
		struct notifier *n = s->n;
		struct mbuf *mb = NULL;

		/* it says nothing but that the conference is no more */
		(void)confinfo_print_deleted(w->ci, &s->view, &mb);
		mem_deref(s);
		notifier_end(n, "noresource", mb);
	}
	c->watch = mem_deref(w);
}


void confevent_change(enum change ch, const struct conference *c,
		      const struct endpoint *ep, const char *reason)
{
	struct confwatch *w = c->watch;

	if (!w)
		return;

	switch (ch) {

	case CHANGE_CONF_ENDED:
		ended(w);
		break;

	case CHANGE_LOCKED:
	case CHANGE_UNLOCKED:
		if (confinfo_lock(w->ci, c->locked))
			wake_all(w, false);
		break;

	case CHANGE_LEFT:
		left(w, ep, reason);
		revoke(w, ep);
		break;

	case CHANGE_JOIN_FAILED:
		if (ep->dialled || ep->unacked)
			left(w, ep, reason);
		revoke(w, ep);
		break;

	case CHANGE_JOINING:
	case CHANGE_DIALING:
	case CHANGE_ALERTING:
	case CHANGE_JOINED:
	case CHANGE_HELD:
	case CHANGE_RESUMED:
	case CHANGE_MEDIA:
	case CHANGE_SOURCE:
	case CHANGE_FLOOR_TAKEN:
	case CHANGE_FLOOR_GIVEN:
	case CHANGE_FLOOR_MUTED:
	case CHANGE_FLOOR_HEARD:
	case CHANGE_MUTED:
	case CHANGE_UNMUTED:
	case CHANGE_ROLE:
		changed(w, ep);
		break;

	default:
		break;
	}
}
