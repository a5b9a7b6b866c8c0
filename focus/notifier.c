/**
 * @file focus/notifier.c  One subscription, as the one who notifies sees it
 */
#include <errno.h>
#include <string.h>
#include "focus/notifier.h"
#include "late.h"

enum {
	HASH_SIZE = 1024,
	COLLECT_MS = 20,         /* changes of one moment share a NOTIFY      */
};

struct notifiers {
	struct sip *sip;
	struct dlgs *dlgs;
	struct hash *ht;         /* struct notifier by Call-ID                */
	struct lates expiry;
	uint32_t count;
	uint64_t sent;
};

struct notifier {
	struct le he;
	struct notifiers *ns;
	struct dlg *dlg;
	bool own_dialog;
	struct notifier_handlers h;
	void *arg;

	char *event;
	char *id;                /* NULL: none                                */
	char *ctype;
	char *contact;
	char *hdrs;
	char *identity;
	uint32_t expires_s;
	uint32_t expires_min_s;
	uint32_t expires_max_s;
	uint32_t interval_ms;

	struct late late_expire;
	struct tmr tmr_next;     /* runs: not yet, but a full one before it   */
	bool early;              /* that one has been sent                    */
	bool full;               /* the subscriber waits for a full one       */
	bool changed;
	bool out;                /* one has no answer yet                     */

	const char *reason;      /* of the last NOTIFY; NULL: not ending      */
	struct mbuf *last;
	bool last_sent;
};


static void send_next(struct notifier *n);


/* ---- all of them --------------------------------------------------------- */

static void notifiers_destructor(void *arg)
{
	struct notifiers *ns = arg;

	lates_close(&ns->expiry);
	mem_deref(ns->ht);
	mem_deref(ns->dlgs);
}


int notifiers_alloc(struct notifiers **nsp, struct sip *sip, struct dlgs *ds)
{
	struct notifiers *ns;
	int err;

	if (!nsp || !sip || !ds)
		return EINVAL;

	ns = mem_zalloc(sizeof(*ns), notifiers_destructor);
	if (!ns)
		return ENOMEM;

	ns->sip = sip;
	ns->dlgs = mem_ref(ds);
	err = hash_alloc(&ns->ht, HASH_SIZE);
	if (err)
		mem_deref(ns);
	else
		*nsp = ns;

	return err;
}


static bool event_matches(const struct notifier *n, const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_EVENT);
	struct sipevent_event ev;

	if (!hdr || sipevent_event_decode(&ev, &hdr->val) ||
	    pl_strcmp(&ev.event, n->event))
		return false;

	/* RFC 6665 section 8.2.1: byte by byte; one without matches none */
	return n->id ? !pl_strcmp(&ev.id, n->id) : !pl_isset(&ev.id);
}


static bool cmp(struct le *le, void *arg)
{
	const struct notifier *n = le->data;
	const struct sip_msg *msg = arg;

	return !n->reason &&
		!pl_strcmp(&msg->callid, dlg_callid(n->dlg)) &&
		!pl_strcmp(&msg->to.tag, dlg_local_tag(n->dlg)) &&
		!pl_strcmp(&msg->from.tag, dlg_remote_tag(n->dlg)) &&
		event_matches(n, msg);
}


struct notifier *notifiers_find(const struct notifiers *ns,
				const struct sip_msg *msg)
{
	if (!ns || !msg || !pl_isset(&msg->to.tag))
		return NULL;

	return list_ledata(hash_lookup(ns->ht, hash_joaat_pl(&msg->callid),
				       cmp, (void *)msg));
}


uint32_t notifiers_count(const struct notifiers *ns)
{
	return ns ? ns->count : 0;
}


uint64_t notifiers_sent(const struct notifiers *ns)
{
	return ns ? ns->sent : 0;
}


/* ---- end ----------------------------------------------------------------- */

static void destructor(void *arg)
{
	struct notifier *n = arg;

	late_cancel(&n->late_expire);
	tmr_cancel(&n->tmr_next);
	hash_unlink(&n->he);
	--n->ns->count;
	mem_deref(n->last);
	mem_deref(n->dlg);
	mem_deref(n->event);
	mem_deref(n->id);
	mem_deref(n->ctype);
	mem_deref(n->contact);
	mem_deref(n->hdrs);
	mem_deref(n->identity);
	mem_deref(n->ns);
}


void notifier_drop(struct notifier *n)
{
	if (!n)
		return;

	memset(&n->h, 0, sizeof(n->h));
	late_cancel(&n->late_expire);
	tmr_cancel(&n->tmr_next);
	hash_unlink(&n->he);
	mem_deref(n);            /* a NOTIFY that is out holds one more      */
}


/** It is over without our doing: tell the package, which lets go of it */
static void tell_closed(struct notifier *n, const char *why)
{
	struct notifier_handlers h = n->h;

	memset(&n->h, 0, sizeof(n->h));
	if (h.closeh)
		h.closeh(n, why, n->arg);
}


static void fail(struct notifier *n, const char *why)
{
	tell_closed(n, why);
	notifier_drop(n);
}


void notifier_end(struct notifier *n, const char *reason, struct mbuf *body)
{
	if (!n || n->reason) {
		mem_deref(body);
		return;
	}

	memset(&n->h, 0, sizeof(n->h));
	n->reason = reason;
	n->last = body;
	late_cancel(&n->late_expire);
	tmr_cancel(&n->tmr_next);
	send_next(n);
}


/** Time is over, or the subscriber's wish: everything once more, then nothing */
static void finish(struct notifier *n)
{
	struct mbuf *body = n->h.bodyh ? n->h.bodyh(n, true, n->arg) : NULL;

	tell_closed(n, "timeout");
	notifier_end(n, "timeout", body);
}


static void expire_handler(void *arg)
{
	finish(arg);
}


/* ---- NOTIFY -------------------------------------------------------------- */

static void response_handler(int err, const struct sip_msg *msg, void *arg)
{
	struct notifier *n = arg;
	char why[32] = "timeout";

	if (msg && msg->scode < 200)
		return;

	n->out = false;
	if (n->reason && !n->last_sent) {
		/* the last one has waited for this answer */
		if (!err)
			send_next(n);
		else
			notifier_drop(n);
	}
	else if (n->reason == NULL && n->h.bodyh) {
		/* RFC 6665 section 4.2.2: whatever the failure is, the
		 * subscriber has missed a version and may subscribe anew */
		if (!err && msg->scode >= 300)
			(void)re_snprintf(why, sizeof(why), "status %u",
					  msg->scode);
		if (err || msg->scode >= 300)
			fail(n, why);
		else
			send_next(n);
	}

	mem_deref(n);            /* reference of send_notify()               */
}


static int print_state(struct re_printf *pf, const struct notifier *n)
{
	uint64_t left_s = (late_left(&n->late_expire) + 999) / 1000;

	if (n->reason)
		return re_hprintf(pf, "terminated;reason=%s", n->reason);

	return re_hprintf(pf, "active;expires=%u", (uint32_t)left_s);
}


static int send_notify(struct notifier *n, struct mbuf *mb)
{
	int err;

	mem_ref(n);
	n->out = true;
	err = dlg_request(n->dlg, "NOTIFY", response_handler, n,
			  "Contact: %s\r\n"
			  "Event: %s%s%s\r\n"
			  "Subscription-State: %H\r\n"
			  "%s"
			  "%s%s%s"
			  "Content-Length: %zu\r\n"
			  "\r\n"
			  "%b",
			  n->contact,
			  n->event, n->id ? ";id=" : "", n->id ? n->id : "",
			  print_state, n,
			  n->hdrs,
			  mb ? "Content-Type: " : "", mb ? n->ctype : "",
			  mb ? "\r\n" : "",
			  mbuf_get_left(mb),
			  mb ? mbuf_buf(mb) : NULL, mbuf_get_left(mb));
	if (err) {
		n->out = false;
		mem_deref(n);
	}
	else {
		++n->ns->sent;
	}

	return err;
}


static void send_last(struct notifier *n)
{
	struct mbuf *mb = n->last;

	n->last = NULL;
	n->last_sent = true;
	(void)send_notify(n, mb);
	mem_deref(mb);

	/* what is out holds its own reference */
	notifier_drop(n);
}


static void next_handler(void *arg)
{
	send_next(arg);
}


/** Send what there is to send, if it may go out now */
static void send_next(struct notifier *n)
{
	const bool early = tmr_isrunning(&n->tmr_next);
	bool full = n->full;
	struct mbuf *mb;
	int err;

	if (n->out)
		return;
	if (n->reason) {
		send_last(n);
		return;
	}
	/* RFC 6665 section 4.2.1.2: at once after a refresh.  But who refreshes
	 * again and again would get a roster for each, hundreds of times what he
	 * sends: the second one waits. */
	if (early ? !n->full || n->early : !n->full && !n->changed)
		return;

	n->early = early;
	n->full = false;
	n->changed = false;
	mb = n->h.bodyh ? n->h.bodyh(n, full, n->arg) : NULL;
	if (!mb && !full)
		return;

	tmr_start(&n->tmr_next, n->interval_ms, next_handler, n);
	err = send_notify(n, mb);
	mem_deref(mb);
	if (err)
		fail(n, "connection lost");
}


void notifier_notify(struct notifier *n)
{
	if (!n || n->reason)
		return;

	n->changed = true;
	if (!n->out && !tmr_isrunning(&n->tmr_next))
		tmr_start(&n->tmr_next, COLLECT_MS, next_handler, n);
}


/* ---- SUBSCRIBE ----------------------------------------------------------- */

/** Seconds in an Expires header; false if it is none */
static bool seconds(uint32_t *sp, const struct pl *pl)
{
	for (size_t i = 0; i < pl->l; i++) {
		if (pl->p[i] < '0' || pl->p[i] > '9')
			return false;
	}

	/* RFC 3261 section 20.19: up to 2^32 - 1; a longer time is shortened
	 * anyway */
	*sp = (uint32_t)MIN(pl_u64(pl), (uint64_t)UINT32_MAX);

	return pl->l > 0 && pl->l <= 10;
}


int notifier_expires(uint32_t *sp, struct sip *sip, const struct sip_msg *msg,
		     uint32_t min_s, uint32_t max_s)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_EXPIRES);
	uint32_t s = max_s;

	if (hdr && !seconds(&s, &hdr->val)) {
		(void)sip_treplyf(NULL, NULL, sip, msg, false, 400,
				  "Bad Request", "Warning: 399 conclave"
				  " \"Bad Expires\"\r\n"
				  "Content-Length: 0\r\n\r\n");
		return EBADMSG;
	}

	/* 0 asks for one NOTIFY and no more: never too brief */
	if (s && s < min_s) {
		(void)sip_treplyf(NULL, NULL, sip, msg, false, 423,
				  "Interval Too Brief",
				  "Min-Expires: %u\r\n"
				  "Content-Length: 0\r\n\r\n", min_s);
		return ERANGE;
	}

	*sp = MIN(s, max_s);

	return 0;
}


static int names_set(struct notifier *n, const struct notifier_opt *opt)
{
	int err;

	err  = str_dup(&n->event, opt->event);
	err |= str_dup(&n->ctype, opt->ctype);
	err |= str_dup(&n->contact, opt->contact);
	err |= str_dup(&n->hdrs, opt->hdrs ? opt->hdrs : "");
	err |= str_dup(&n->identity, opt->identity);
	if (pl_isset(&opt->id))
		err |= pl_strdup(&n->id, &opt->id);

	return err ? ENOMEM : 0;
}


int notifier_alloc(struct notifier **np, struct notifiers *ns,
		   const struct sip_msg *msg, struct dlg *dlg,
		   const struct notifier_opt *opt,
		   const struct notifier_handlers *h, void *arg)
{
	struct notifier *n;
	int err;

	if (!np || !ns || !msg || !opt || !h)
		return EINVAL;

	n = mem_zalloc(sizeof(*n), destructor);
	if (!n)
		return ENOMEM;

	n->ns = mem_ref(ns);
	++ns->count;
	n->h = *h;
	n->arg = arg;
	n->expires_s = opt->expires_s;
	n->expires_min_s = opt->expires_min_s;
	n->expires_max_s = opt->expires_max_s;
	n->interval_ms = opt->interval_ms;
	tmr_init(&n->tmr_next);
	err = names_set(n, opt);
	if (err)
		goto out;

	n->own_dialog = !dlg;
	if (dlg)
		n->dlg = mem_ref(dlg);
	else
		err = dlg_usage(&n->dlg, ns->dlgs, msg, opt->contact);

 out:
	if (err) {
		mem_deref(n);
		return err;
	}

	hash_append(ns->ht, hash_joaat_str(dlg_callid(n->dlg)), &n->he, n);
	*np = n;

	return 0;
}


void notifier_reply(struct notifier *n, const struct sip_msg *msg)
{
	(void)sip_treplyf(NULL, NULL, n->ns->sip, msg, true, 200, "OK",
			  "Contact: %s\r\n"
			  "Expires: %u\r\n"
			  "%s"
			  "Content-Length: 0\r\n\r\n",
			  n->contact, n->expires_s, n->hdrs);
}


void notifier_start(struct notifier *n)
{
	n->full = true;
	if (!n->expires_s) {
		finish(n);
		return;
	}

	late_start(&n->ns->expiry, &n->late_expire,
		   (uint64_t)n->expires_s * 1000, expire_handler, n);
	send_next(n);
}


void notifier_subscribe(struct notifier *n, const struct sip_msg *msg)
{
	struct sip *sip = n->ns->sip;
	uint32_t expires_s;

	/* a shared dialog counts its requests itself */
	if (n->own_dialog && !dlg_usage_refresh(n->dlg, msg)) {
		(void)sip_treply(NULL, sip, msg, 500, "Server Internal Error");
		return;
	}

	if (notifier_expires(&expires_s, sip, msg, n->expires_min_s,
			     n->expires_max_s))
		return;

	if (expires_s && n->h.refreshh && !n->h.refreshh(n, n->arg)) {
		(void)sip_treply(NULL, sip, msg, 403, "Forbidden");
		tell_closed(n, "no longer allowed");
		notifier_end(n, "rejected", NULL);
		return;
	}

	n->expires_s = expires_s;
	notifier_reply(n, msg);
	notifier_start(n);
}


const char *notifier_identity(const struct notifier *n)
{
	return n ? n->identity : NULL;
}


bool notifier_on_flow(const struct notifier *n, const struct sip_msg *msg)
{
	return n && dlg_on_flow(n->dlg, msg);
}


bool notifier_is_lost(const struct notifier *n)
{
	return n && dlg_flow_lost(n->dlg);
}
