/**
 * @file focus/refer.c  REFER to a conference: invite, remove, refer on
 */
#include <string.h>
#include "focus/ban.h"
#include "focus/confevent.h"
#include "focus/invite.h"
#include "focus/notifier.h"
#include "focus/privacy.h"
#include "focus/rate.h"
#include "focus/refer.h"
#include "focus/referto.h"
#include "focus/rights.h"
#include "focus/tree.h"
#include "log.h"

enum {
	EXPIRES_MORE_S = 120,   /* than a call of ours may ring               */
	EXPIRES_MIN_S = 10,
	REFERRED_BY_MAX = 512,
};

/** Who waits for the result */
struct referrer {
	struct notifier *n;     /* NULL: nobody                               */
	bool hangs_up;          /* when it is told of success                 */
	uint16_t scode;
	char reason[64];
};

/** A REFER, as far as it is understood */
struct wish {
	struct focus *f;
	struct conference *c;
	const struct sip_msg *msg;
	struct endpoint *ep;    /* whose dialog it came in, or NULL           */
	struct dlg *dlg;
	const char *who;
	struct referto to;
	char identity[512];     /* of the target                              */
	char referred_by[REFERRED_BY_MAX];
	bool silent;            /* no NOTIFYs wanted                          */
};


static void refuse(const struct wish *w, uint16_t scode, const char *reason,
		   const char *why)
{
	refuse_note(w->f, w->msg, scode, w->who, why);
	(void)sip_treplyf(NULL, NULL, w->f->sip, w->msg, false, scode, reason,
			  "Warning: 399 conclave \"%s\"\r\n%s"
			  "Content-Length: 0\r\n\r\n", why,
			  scode == 503 ? "Retry-After: 10\r\n" : "");
}


/* ---- the implicit subscription ---------------------------------------------- */

static struct mbuf *sipfrag(const struct referrer *r)
{
	struct mbuf *mb = mbuf_alloc(96);

	if (!mb)
		return NULL;

	(void)mbuf_printf(mb, "SIP/2.0 %u %s\r\n", r->scode, r->reason);
	mb->pos = 0;

	return mb;
}


static struct mbuf *body_handler(struct notifier *n, bool full, void *arg)
{
	(void)n;
	(void)full;

	return sipfrag(arg);
}


static void close_handler(struct notifier *n, const char *why, void *arg)
{
	struct referrer *r = arg;
	(void)n;
	(void)why;

	r->n = NULL;
}


static void referrer_destructor(void *arg)
{
	struct referrer *r = arg;

	notifier_drop(r->n);
}


static const struct notifier_handlers notifier_handlers = {
	.bodyh  = body_handler,
	.closeh = close_handler,
};


static int subscribe(struct referrer *r, const struct wish *w)
{
	const uint32_t expires_s = w->f->cfg->dial_timeout_s + EXPIRES_MORE_S;
	char contact[256], id[16];
	struct notifier_opt opt = {
		.event = "refer", .ctype = "message/sipfrag;version=2.0",
		.contact = contact, .identity = w->who,
		.expires_s = expires_s, .expires_min_s = EXPIRES_MIN_S,
		.expires_max_s = expires_s,
	};
	int err;

	err = conference_contact(contact, sizeof(contact), w->c, w->msg);
	if (err)
		return err;

	/* RFC 3515 section 2.4.6: from the second one in a dialog on */
	if (w->ep && w->ep->refers++) {
		(void)re_snprintf(id, sizeof(id), "%u", w->msg->cseq.num);
		pl_set_str(&opt.id, id);
	}

	return notifier_alloc(&r->n, w->f->notifiers, w->msg, w->dlg, &opt,
			      &notifier_handlers, r);
}


/**
 * Linphone takes every REFER in its call for a transfer of itself: told of a
 * 2xx, it ends the call, and with its owner the conference.
 */
static bool hangs_up(const struct wish *w)
{
	const struct sip_hdr *ua = sip_msg_hdr(w->msg, SIP_HDR_USER_AGENT);
	const struct cfg_digest *cd;

	cd = cfg_digest_find(w->c->cfg, ua ? &ua->val : NULL);

	return w->ep && cd && !cd->refer_results;
}


static int referrer_new(struct referrer **rp, const struct wish *w)
{
	struct referrer *r = mem_zalloc(sizeof(*r), referrer_destructor);
	int err = 0;

	if (!r)
		return ENOMEM;

	r->scode = 100;
	str_ncpy(r->reason, "Trying", sizeof(r->reason));
	r->hangs_up = hangs_up(w);
	if (!w->silent)
		err = subscribe(r, w);
	if (err)
		mem_deref(r);
	else
		*rp = r;

	return err;
}


static void result_handler(uint16_t scode, const char *reason, void *arg)
{
	struct referrer *r = arg;
	struct notifier *n = r->n;

	if (!n || (scode == r->scode && scode < 200))
		return;

	/* RFC 3515 section 2.4.5: 100 is enough for a last NOTIFY */
	if (scode >= 300 || !r->hangs_up) {
		r->scode = scode;
		str_ncpy(r->reason, reason, sizeof(r->reason));
	}
	if (scode < 200) {
		notifier_notify(n);
		return;
	}

	r->n = NULL;
	notifier_end(n, "noresource", sipfrag(r));
}


/** RFC 7647 section 5: 200, and the first NOTIFY at once */
static void say_yes(const struct wish *w, struct referrer *r)
{
	char contact[256];

	if (conference_contact(contact, sizeof(contact), w->c, w->msg))
		contact[0] = '\0';
	(void)sip_treplyf(NULL, NULL, w->f->sip, w->msg, false, 200, "OK",
			  "Contact: %s\r\n"
			  "%s" FOCUS_SUPPORTED
			  "Content-Length: 0\r\n\r\n", contact,
			  w->silent ? "Refer-Sub: false\r\n" : "");
	if (r->n)
		notifier_start(r->n);
}


/* ---- what is asked for --------------------------------------------------------- */

static void answer(const struct wish *w, struct referrer *r, int err)
{
	const char *reason;
	uint16_t scode;

	/* what policy forbids is no matter of trying */
	if (err == EACCES || err == ELOOP || err == EPERM || err == EINVAL) {
		scode = dialout_status(err, &reason);
		refuse(w, scode, reason, err == ELOOP
		       ? "Target is a conference" : "Target not allowed");
		return;
	}

	say_yes(w, r);
	if (err) {
		scode = dialout_status(err, &reason);
		result_handler(scode, reason, r);
	}
}


static void invite(const struct wish *w, struct referrer *r)
{
	struct dialout d = {
		.referred_by = w->referred_by, .h = result_handler, .arg = r,
		.replaces = w->to.replaces[0] ? w->to.replaces : NULL,
	};

	/* what is locked, only its owner opens */
	d.uninvited = w->c->locked && str_cmp(w->who, w->c->owner);
	pl_set_str(&d.target, w->to.uri);
	answer(w, r, dialout(w->c, &d));
}


static void refer_on(const struct wish *w, struct referrer *r)
{
	struct referout ro = {
		.c = w->c, .referred_by = w->referred_by,
		.h = result_handler, .arg = r,
	};
	struct pl pl;
	struct uri uri;

	pl_set_str(&pl, w->to.refer_to);
	if (uri_decode(&uri, &pl) || pl_isset(&uri.headers) ||
	    !focus_is_ours(w->f, &uri, &w->msg->dst) ||
	    conference_find(w->f, &uri.user) != w->c) {
		refuse(w, 403, "Forbidden", "Refers to something else");
		return;
	}

	pl_set_str(&ro.target, w->to.uri);
	answer(w, r, referout_send(&ro));
}


/**
 * Whom a BYE is about: oneself, or somebody by the name that others see.  The
 * identity behind a pseudonym finds nobody, so it cannot be guessed this way.
 */
static struct part *to_remove(const struct wish *w)
{
	return str_cmp(w->who, w->identity)
		? part_find_public(w->c, w->identity)
		: part_find(w->c, w->who);
}


/** A BYE to the conference itself: it is to end */
static bool is_conference(const struct wish *w)
{
	struct pl pl;
	struct uri uri;

	pl_set_str(&pl, w->to.uri);

	return !uri_decode(&uri, &pl) &&
		focus_is_ours(w->f, &uri, &w->msg->dst) &&
		conference_find(w->f, &uri.user) == w->c;
}


static void remove_part(const struct wish *w, struct referrer *r)
{
	struct part *p = to_remove(w);

	say_yes(w, r);
	if (is_conference(w)) {
		conference_end(w->c, 200, "Ended by its owner");
		result_handler(200, "OK", r);
		return;
	}
	if (!p) {
		result_handler(404, "Not Found", r);
		return;
	}

	if (str_cmp(w->who, p->identity))
		ban_add(w->c, p->identity);
	/* may take the conference with it, and the dialog of this REFER */
	part_kick(p, 200, "Removed");
	result_handler(200, "OK", r);
}


/* ---- who may --------------------------------------------------------------------- */

/** A BYE to oneself needs no right.  TR 33.829 clause 5.3.2.1.4: the referrer
 *  is authorised first, then comes whom it is about */
static const char *why_not(const struct wish *w)
{
	const struct part *p;

	if (w->to.kind != REFERTO_BYE)
		return rights_refuse(w->c, w->who, RIGHT_INVITE, NULL);
	if (is_conference(w))
		return rights_refuse(w->c, w->who, RIGHT_END, NULL);

	p = to_remove(w);
	if (p && !str_cmp(w->who, p->identity))
		return NULL;

	return rights_refuse(w->c, w->who, RIGHT_REMOVE, p);
}


static bool authorised(const struct wish *w)
{
	const char *why = why_not(w);

	if (why) {
		refuse(w, 403, "Forbidden", why);
		return false;
	}
	/* all but the removal of somebody who is there makes work for others */
	if ((w->to.kind != REFERTO_BYE ||
	     !(to_remove(w) || is_conference(w))) &&
	    !rate_ok(&w->f->ratel, w->who, RATE_BURST, 1)) {
		refuse(w, 503, "Service Unavailable", "Too many REFERs");
		return false;
	}

	return true;
}


/* ---- reading it -------------------------------------------------------------------- */

static bool read_target(struct wish *w)
{
	const struct sip_hdr *hdr = sip_msg_hdr(w->msg, SIP_HDR_REFER_TO);
	const char *why = "Bad target in Refer-To";
	struct pl uri;
	int err;

	if (!hdr || sip_msg_hdr_count(w->msg, SIP_HDR_REFER_TO) != 1) {
		refuse(w, 400, "Bad Request", "Not exactly one Refer-To");
		return false;
	}

	err = referto_decode(&w->to, &hdr->val, &why);
	if (err == EPERM) {
		refuse(w, 403, "Forbidden", why);
		return false;
	}
	if (!err) {
		pl_set_str(&uri, w->to.uri);
		err = cfg_identity(w->identity, sizeof(w->identity), &uri);
	}
	if (err)
		refuse(w, 400, "Bad Request", why);

	return !err;
}


/** Who takes part under a pseudonym, or asks for one now, is that one here */
static const char *public_name(const struct wish *w)
{
	const struct part *p = part_find(w->c, w->who);
	struct privacy pr;

	if (p)
		return part_public_uri(p);

	return privacy_decode(&pr, w->msg) || pr.anonymous ? PRIVACY_GUEST
							   : w->who;
}


/**
 * Referred-By is a claim: it is passed on (RFC 3892 section 2.2) if it says
 * what we know, else we say it ourselves.
 */
static void read_referred_by(struct wish *w)
{
	const struct sip_hdr *hdr = sip_msg_hdr(w->msg, SIP_HDR_REFERRED_BY);
	char identity[512];
	const char *name = public_name(w);
	struct sip_addr addr;

	(void)re_snprintf(w->referred_by, sizeof(w->referred_by), "<%s>",
			  name);
	if (!hdr || hdr->val.l >= sizeof(w->referred_by) ||
	    sip_msg_hdr_count(w->msg, SIP_HDR_REFERRED_BY) != 1 ||
	    sip_addr_decode(&addr, &hdr->val) ||
	    cfg_identity(identity, sizeof(identity), &addr.auri) ||
	    str_cmp(identity, name))
		return;

	for (size_t i = 0; i < hdr->val.l; i++) {
		if (hdr->val.p[i] < ' ' || hdr->val.p[i] > '~')
			return;
	}

	(void)pl_strcpy(&hdr->val, w->referred_by, sizeof(w->referred_by));
}


/** RFC 4488 section 4, RFC 7614 section 4 */
static bool wants_silence(const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_REFER_SUB);

	return (hdr && !pl_strcasecmp(&hdr->val, "false")) ||
		sip_msg_hdr_has_value(msg, SIP_HDR_REQUIRE, "nosub");
}


static void handle(struct wish *w)
{
	static void (*const dov[])(const struct wish *, struct referrer *) = {
		[REFERTO_INVITE] = invite,
		[REFERTO_BYE]    = remove_part,
		[REFERTO_REFER]  = refer_on,
	};
	struct referrer *r;
	int err;

	if (!read_target(w) || !authorised(w))
		return;

	read_referred_by(w);
	w->silent = wants_silence(w->msg);
	err = referrer_new(&r, w);
	if (err) {
		if (err == EBADMSG || err == ENOENT)
			refuse(w, 400, "Bad Request", "Bad Contact");
		else
			refuse(w, 503, "Service Unavailable", "No resources");
		return;
	}

	log_info("ev=refer conf=%s identity=%s target=%s what=%s",
		 w->c->label, w->who, w->identity,
		 w->to.kind == REFERTO_BYE ? "bye" :
		 w->to.kind == REFERTO_REFER ? "refer" : "invite");
	mem_ref(w->c);
	dov[w->to.kind](w, r);
	mem_deref(w->c);
	mem_deref(r);
}


/** RFC 4579 section 3.2: a factory cannot be referred, a conference can */
void refer_recv(struct focus *f, const struct sip_msg *msg,
		const char *identity)
{
	struct wish w;

	memset(&w, 0, sizeof(w));
	w.f = f;
	w.msg = msg;
	w.who = identity;
	if (focus_is_ours(f, &msg->uri, &msg->dst) && msg->uri.user.l)
		w.c = conference_find(f, &msg->uri.user);
	if (!w.c) {
		const struct cfg_conf *cc = cfg_conf_find(f->cfg,
							  &msg->uri.user);

		if (cc && cc->factory)
			refuse(&w, 403, "Forbidden", "A factory refers nobody");
		else
			refuse(&w, 404, "Not Found", "No such conference");
		return;
	}

	handle(&w);
}


void refer_in_dialog(struct endpoint *ep, struct dlg *dlg,
		     const struct sip_msg *msg)
{
	struct part *p = ep->part;
	struct wish w;

	memset(&w, 0, sizeof(w));
	w.f = p->conf->focus;
	w.c = p->conf;
	w.msg = msg;
	w.ep = ep;
	w.dlg = dlg;
	/* the participant, and its name, may go by what it asks for */
	mem_ref(p);
	w.who = p->identity;
	handle(&w);
	mem_deref(p);
}
