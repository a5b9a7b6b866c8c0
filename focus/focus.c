/**
 * @file focus/focus.c  The focus: SIP stack, listeners, request intake
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "focus/confevent.h"
#include "focus/ctlsock.h"
#include "focus/epfloor.h"
#include "focus/ident.h"
#include "focus/intake.h"
#include "focus/invite.h"
#include "focus/mixevent.h"
#include "focus/privacy.h"
#include "focus/refer.h"
#include "focus/registrar.h"
#include "focus/relog.h"
#include "focus/tlsid.h"
#include "focus/tree.h"
#include "focus/uamem.h"
#include "log.h"
#include "strangers.h"

enum { HT_SIZE = 4096 };


static void destructor(void *arg)
{
	struct focus *f = arg;
	struct le *le;

	while ((le = list_head(&f->confl)))
		conference_end(le->data, 503, "Shutting down");

	f->ctl = mem_deref(f->ctl);
	list_flush(&f->referoutl);
	list_flush(&f->ratel);
	list_flush(&f->askl);
	mem_deref(f->lsnr);
	mem_deref(f->lsnr_stray);
	mem_deref(f->reg);
	mem_deref(f->notifiers);
	mem_deref(f->dlgs);
	if (f->sip)
		sip_close(f->sip, true);
	mem_deref(f->sip);
	mem_deref(f->dnsc);
	mem_deref(f->tls);
	mem_deref(f->ident);
	mem_deref(f->intake);
	for (unsigned i = 0; i < f->mixc; i++)
		mem_deref(f->mixv[i]);
	mem_deref(f->floorsrv);
	mem_deref(f->ht_conf);
	mem_deref(f->ht_confid);
	mem_deref(f->ht_leg);
	mem_deref(f->ht_watcher);
	mem_deref(f->uamem);
	mem_deref(f->cfg);
}


bool focus_is_ours(const struct focus *f, const struct uri *uri,
		   const struct sa *dst)
{
	struct sa host;

	if (pl_strcasecmp(&uri->scheme, "sip") &&
	    pl_strcasecmp(&uri->scheme, "sips"))
		return false;

	for (unsigned i = 0; i < f->cfg->domainc; i++) {
		if (!pl_strcasecmp(&uri->host, f->cfg->domainv[i]))
			return true;
	}

	/* by address: the one the request came to */
	return !sa_set(&host, &uri->host, 0) && sa_cmp(&host, dst, SA_ADDR);
}


/* what we answer to; intake refuses the rest */
static const char *const methodv[] = {
	/* first, so that the list without it is the rest: caps_set() */
	"REGISTER",
	"INVITE", "ACK", "CANCEL", "BYE", "UPDATE", "PRACK", "OPTIONS",
	"SUBSCRIBE", "REFER", NULL
};
static const char *const optionv[] = {
	"timer", "replaces", "join", "norefersub", "nosub", "tdialog",
	"recipient-list-invite", "outbound", "privacy", "100rel",
	"path", NULL
};


/** REGISTER is a method of ours while the configuration says so */
static void caps_set(struct focus *f)
{
	f->caps.methodv = f->cfg->registrar ? methodv : methodv + 1;
	f->caps.optionv = optionv;
}

/* ---- requests ------------------------------------------------------------ */

static void *flow_get(const struct sip_msg *msg)
{
	struct tlsid_flow *flow = NULL;

	return tlsid_flow_get(&flow, msg) ? NULL : flow;
}


static bool flow_open(const void *flow)
{
	return tlsid_flow_open(flow);
}


static bool flow_lost(const void *flow)
{
	return tlsid_flow_lost(flow);
}


static const struct dlg_flow_handlers flow_handlers = {
	flow_get, flow_open, flow_lost
};


/**
 * A request that claims a dialog but comes on another connection: dialog ids
 * can be sniffed or leak in logs, so its sender has to prove who it is.
 */
static bool dialog_owner(struct focus *f, const struct dlg *dlg,
			 const struct sip_msg *msg)
{
	/* one that has ended lives on without its endpoint */
	const struct endpoint *ep = dlg_arg(dlg);
	char who[IDENT_MAX];

	if (ident_request(f->ident, f->cfg, f->sip, msg, who, sizeof(who)))
		return false;

	if (ep && ep->state != EP_LEFT &&
	    !str_cmp(who, ep->part->identity))
		return true;

	refuse_note(f, msg, 403, who, "Not a party of this dialog");
	(void)sip_reply(f->sip, msg, 403, "Forbidden");

	return false;
}


/**
 * The connection of a trusted peer carries the dialogs of many.  What it says
 * about who sends this must not contradict whose dialog it is.
 */
static bool asserted_other(struct focus *f, const struct sip_msg *msg,
			   const char *owner)
{
	char who[IDENT_MAX];
	int err;

	err = ident_asserted(f->cfg, msg, who, sizeof(who));
	if (err == ENOENT || (!err && owner && !str_cmp(who, owner)))
		return false;

	refuse_note(f, msg, 403, err ? NULL : who,
		    "Not a party of this dialog");
	if (pl_strcmp(&msg->met, "ACK"))
		(void)sip_reply(f->sip, msg, 403, "Forbidden");

	return true;
}


void focus_options(struct focus *f, const struct sip_msg *msg)
{
	/* the same for every URI: no way to look for conferences */
	(void)sip_replyf(f->sip, msg, 200, "OK",
			 FOCUS_ALLOW FOCUS_SUPPORTED
			 "Accept: application/sdp\r\n"
			 "Content-Length: 0\r\n\r\n");
}


/**
 * May this one come in without proving who it is?  Only an anonymous caller,
 * and only where the configuration says so; the rules of the conference then
 * decide about nobody in particular.
 */
static bool is_guest(const struct focus *f, const struct sip_msg *msg,
		     const struct privacy *pr)
{
	const struct conference *c = conference_find(f, &msg->uri.user);

	return pr->anonymous && c && c->cc->anonymous == ANON_ALLOW &&
		invite_may_join(c->cc, PRIVACY_GUEST) &&
		!ident_offered(f->cfg, msg);
}


/** RFC 3323 section 4.2: grant what was asked for, or refuse */
static bool privacy_ok(struct focus *f, const struct sip_msg *msg,
		       struct privacy *pr)
{
	switch (privacy_decode(pr, msg)) {

	case 0:
		return true;

	case ENOTSUP:
		invite_refuse(f, msg, NULL, 500, 399,
			      "Critical privacy that is unknown here");
		break;

	default:
		invite_refuse(f, msg, NULL, 400, 399, "Bad Privacy header");
		break;
	}

	return false;
}


static void recv_invite(struct focus *f, const struct sip_msg *msg)
{
	char who[IDENT_MAX];
	struct privacy pr;

	if (!invite_is_secure(f, msg) || !privacy_ok(f, msg, &pr))
		return;

	if (is_guest(f, msg, &pr)) {
		tlsid_known(msg);
		invite_recv(f, msg, PRIVACY_GUEST);
	}
	else if (!ident_request(f->ident, f->cfg, f->sip, msg, who,
				sizeof(who)))
		invite_recv(f, msg, who);
}


static void recv_register(struct focus *f, const struct sip_msg *msg)
{
	char who[IDENT_MAX];

	if (msg->tp != SIP_TRANSP_TLS)
		invite_refuse(f, msg, NULL, 403, 399,
			      "Registration over TLS only");
	else if (!focus_is_ours(f, &msg->uri, &msg->dst))
		invite_refuse(f, msg, NULL, 404, 399, "No such domain");
	else if (!ident_request(f->ident, f->cfg, f->sip, msg, who,
				sizeof(who)))
		registrar_recv(f->reg, f->sip, f->cfg, msg, who);
}


/**
 * Rosters (RFC 4575 section 8.1), what digest does not cover (whom a REFER is
 * about), and most of all the keys in our own requests, which go where the
 * last one of the peer came from: over anything but TLS nobody is even asked
 * who he is.
 */
static bool over_tls(struct focus *f, const struct sip_msg *msg,
		     const char *why)
{
	if (msg->tp == SIP_TRANSP_TLS)
		return true;

	refuse_note(f, msg, 403, NULL, why);
	if (pl_strcmp(&msg->met, "ACK"))
		(void)sip_replyf(f->sip, msg, 403, "Forbidden",
				 "Warning: 399 conclave \"%s\"\r\n"
				 "Content-Length: 0\r\n\r\n", why);

	return false;
}


static void recv_subscribe(struct focus *f, const struct sip_msg *msg)
{
	struct notifier *n = notifiers_find(f->notifiers, msg);
	char who[IDENT_MAX];

	if (!over_tls(f, msg, "Subscriptions need TLS"))
		return;

	/* RFC 6665 section 4.5.2; a 481 would end the call whose dialog it is,
	 * RFC 3261 section 12.2.1.2 */
	if (pl_isset(&msg->to.tag) && !n) {
		if (dlgs_find(f->dlgs, msg))
			(void)sip_reply(f->sip, msg, 403,
					 "Dialogs Are Not Shared");
		else
			(void)sip_reply(f->sip, msg, 481,
					 "Subscription Does Not Exist");
		return;
	}

	/* as in dialog_owner(): on its own connection it needs no proof */
	if (n && notifier_on_flow(n, msg)) {
		if (!asserted_other(f, msg, notifier_identity(n)))
			notifier_subscribe(n, msg);
		return;
	}

	if (ident_request(f->ident, f->cfg, f->sip, msg, who, sizeof(who)))
		return;

	if (!n) {
		subscribe_recv(f, msg, who);
	}
	else if (!str_cmp(who, notifier_identity(n))) {
		notifier_subscribe(n, msg);
	}
	else {
		refuse_note(f, msg, 403, who, "Not the subscriber");
		(void)sip_reply(f->sip, msg, 403, "Forbidden");
	}
}


static void recv_refer(struct focus *f, const struct sip_msg *msg)
{
	char who[IDENT_MAX];

	if (over_tls(f, msg, "REFER needs TLS") &&
	    !ident_request(f->ident, f->cfg, f->sip, msg, who, sizeof(who)))
		refer_recv(f, msg, who);
}


/** Requests that may begin something */
static bool recv_outside(struct focus *f, const struct sip_msg *msg)
{
	static const struct {
		const char *met;
		void (*recv)(struct focus *f, const struct sip_msg *msg);
	} outsidev[] = {
		{ "INVITE",   recv_invite   },
		{ "OPTIONS",  focus_options },
		{ "REGISTER", recv_register },
		{ "REFER",    recv_refer    },
	};

	for (size_t i = 0; i < ARRAY_SIZE(outsidev); i++) {
		if (!pl_strcmp(&msg->met, outsidev[i].met)) {
			outsidev[i].recv(f, msg);
			return true;
		}
	}

	return false;
}


static bool request_handler(const struct sip_msg *msg, void *arg)
{
	struct focus *f = arg;
	const struct dlg *dlg;

	if (!intake_ok(f->intake, f->sip, msg))
		return true;

	if (!pl_strcmp(&msg->met, "SUBSCRIBE")) {
		recv_subscribe(f, msg);
		return true;
	}

	/* that of a transaction has been taken by libre: RFC 3261 section 9.2 */
	if (!pl_strcmp(&msg->met, "CANCEL")) {
		(void)sip_reply(f->sip, msg, 481, "Transaction Does Not Exist");
		return true;
	}

	dlg = dlgs_find(f->dlgs, msg);
	if (dlg && !over_tls(f, msg, "The dialog is on TLS"))
		return true;

	if (dlg && dlg_on_flow(dlg, msg)) {
		const struct endpoint *ep = dlg_arg(dlg);

		if (asserted_other(f, msg, ep && ep->state != EP_LEFT
				   ? ep->part->identity : NULL))
			return true;
	}
	else if (dlg) {
		if (!pl_strcmp(&msg->met, "ACK") ||
		    !dialog_owner(f, dlg, msg))
			return true;
	}

	if (!dlg && !pl_isset(&msg->to.tag) && recv_outside(f, msg))
		return true;

	if (dlgs_request(f->dlgs, msg))
		return true;

	/* REGISTER in a call; or, RFC 3261 section 12.2.2, in none of ours */
	if (dlg)
		(void)sip_replyf(f->sip, msg, 405, "Method Not Allowed",
				 FOCUS_ALLOW "Content-Length: 0\r\n\r\n");
	else
		(void)sip_reply(f->sip, msg, 481, "Call Does Not Exist");

	return true;
}


/** All that is sent and received; of this, what has come to its end */
static void trace_handler(bool tx, enum sip_transp tp, const struct sa *src,
			  const struct sa *dst, const uint8_t *pkt, size_t len,
			  void *arg)
{
	(void)src;
	(void)dst;
	(void)pkt;
	(void)len;
	(void)arg;

	if (!tx && tp == SIP_TRANSP_TLS)
		tlsid_complete();
}


/* ---- start and stop ------------------------------------------------------ */

static int listen_one(struct focus *f, const struct cfg_listen *l)
{
	char addr[64];
	int err;

	if (l->tp == SIP_TRANSP_TLS)
		err = sip_transp_add(f->sip, l->tp, &l->addr, f->tls);
	else
		err = sip_transp_add(f->sip, l->tp, &l->addr);

	(void)re_snprintf(addr, sizeof(addr), "%J", &l->addr);
	if (err)
		log_error("ev=listen_failed transport=%s addr=%s reason=\"%s\"",
			  sip_transp_name(l->tp), addr, strerror(err));
	else
		log_info("ev=listen transport=%s addr=%s",
			 sip_transp_name(l->tp), addr);

	return err;
}


/** Names of hops; without name servers, addresses work */
static void start_dns(struct focus *f)
{
	struct sa srvv[4];
	uint32_t n = ARRAY_SIZE(srvv);

	if (dns_srv_get(NULL, 0, srvv, &n) || dnsc_alloc(&f->dnsc, NULL, srvv, n))
		log_info("ev=dns_off reason=\"no name server\"");
}


static int start_sip(struct focus *f)
{
	const struct cfg *cfg = f->cfg;
	int err;

	start_dns(f);
	err = sip_alloc(&f->sip, f->dnsc, HT_SIZE, HT_SIZE, HT_SIZE, NULL, NULL,
			f);
	if (err)
		return err;
	sip_set_trace_handler(f->sip, trace_handler);

	err = tls_alloc(&f->tls, TLS_METHOD_SSLV23, cfg->tls_certificate,
			NULL);
	if (!err)
		err = tlsid_init(f->tls, cfg);
	if (err) {
		log_error("ev=tls_failed file=%s reason=\"%s\"",
			  cfg->tls_certificate, strerror(err));
		return err;
	}

	for (unsigned i = 0; i < cfg->listenc && !err; i++)
		err = listen_one(f, &cfg->listenv[i]);
	if (err)
		return err;

	(void)tlsid_listeners_nodelay();
	err = sip_listen(&f->lsnr, f->sip, true, request_handler, f);
	if (!err)
		err = dlgs_alloc(&f->dlgs, f->sip, NULL, NULL);
	if (!err)
		dlgs_set_flow(f->dlgs, &flow_handlers);
	if (!err)
		err = notifiers_alloc(&f->notifiers, f->sip, f->dlgs);
	if (!err)
		err = sip_listen(&f->lsnr_stray, f->sip, false, relog_response, f);

	return err;
}


static int start_mixers(struct focus *f)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned count = f->cfg->mixers;
	int err = 0;

	if (!count)
		count = cores > 0 ? (unsigned)cores : 1;
	count = MIN(count, (unsigned)MIXER_MAX);

	while (f->mixc < count && !err) {
		err = mixproc_start(&f->mixv[f->mixc], f->cfg, f->mixc, count,
				    mixevent_handler, mixevent_down, f);
		if (!err)
			++f->mixc;
	}

	return err;
}


int focus_start(struct focus **fp, struct cfg *cfg)
{
	struct focus *f;
	int err;

	f = mem_zalloc(sizeof(*f), destructor);
	if (!f)
		return ENOMEM;

	f->cfg = mem_ref(cfg);
	f->started = tmr_jiffies();
	caps_set(f);
	err = hash_alloc(&f->ht_conf, HT_SIZE);
	if (!err)
		err = hash_alloc(&f->ht_confid, HT_SIZE);
	if (!err)
		err = hash_alloc(&f->ht_leg, HT_SIZE);
	if (!err)
		err = hash_alloc(&f->ht_watcher, HT_SIZE);
	if (!err)
		err = uamem_alloc(&f->uamem);
	if (!err)
		err = ident_alloc(&f->ident);
	if (!err)
		err = registrar_alloc(&f->reg);
	if (!err)
		err = intake_alloc(&f->intake, &f->caps);
	if (!err)
		err = start_mixers(f);
	if (!err)
		err = start_sip(f);
	if (!err)
		err = epfloor_start(f);
	if (!err && cfg->control_socket)
		err = ctlcmd_open(f);
	strangers_limit(cfg->max_strangers);

	if (err)
		mem_deref(f);
	else
		*fp = f;

	return err;
}


void focus_stop(struct focus *f)
{
	struct le *le;

	f->stopping = true;
	while ((le = list_head(&f->confl)))
		conference_end(le->data, 503, "Shutting down");
}


bool focus_idle(const struct focus *f)
{
	return dlgs_count(f->dlgs) == 0;
}


int focus_listen_addr(const struct focus *f, struct sa *sa)
{
	struct sa any;
	int err;

	sa_init(&any, AF_INET);
	err = sip_transp_laddr(f->sip, sa, SIP_TRANSP_TLS, &any);
	if (err) {
		sa_init(&any, AF_INET6);
		err = sip_transp_laddr(f->sip, sa, SIP_TRANSP_TLS, &any);
	}

	return err;
}


bool focus_ready(const struct focus *f)
{
	for (unsigned i = 0; i < f->mixc; i++) {
		if (!mixproc_ready(f->mixv[i]))
			return false;
	}

	return true;
}


void focus_reload(struct focus *f, struct cfg *cfg)
{
	/* running conferences keep the rules they were made under */
	mem_deref(f->cfg);
	f->cfg = mem_ref(cfg);
	caps_set(f);
	strangers_limit(cfg->max_strangers);

	/* floors may have come to be wanted */
	(void)epfloor_start(f);
}


void focus_on_reload(struct focus *f, focus_reload_h *h, void *arg)
{
	f->reloadh = h;
	f->reload_arg = arg;
}
