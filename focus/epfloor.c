/**
 * @file focus/epfloor.c  Floors of a conference and the media they open
 *
 * Joins the floor control server (bfcp/) to the tree: an endpoint is a floor
 * user, known by the fingerprint in its dialog's SDP, and who holds the floor
 * is told to the mixer.  Endpoints without BFCP are users, too: a chair or the
 * operator gives them the floor, or a key on the phone asks for it.
 *
 * Granted is told after the mixer has answered; a closing gate is sent before
 * an opening one, and everything to a mixer arrives in order.
 *
 * Refs: RFC 8856 section 10, RFC 4575 section 5.7.3
 */
#include <string.h>
#include <openssl/x509.h>
#include "focus/epfloor.h"
#include "focus/role.h"
#include "focus/tlsid.h"
#include "log.h"

enum { REQUESTS_MAX = 1000 };   /* ongoing ones of a conference               */

/** The mixer's answer that a grant waits for */
struct gate {
	struct floorconf *fc;
	uint64_t token;
};


/* ---- the server ---------------------------------------------------------------- */

static bool wanted(const struct cfg *cfg)
{
	struct le *le;

	for (le = list_head(&cfg->confl); le; le = le->next) {
		const struct cfg_conf *cc = le->data;

		if (cc->floor != CFG_FLOOR_NONE)
			return true;
	}

	return false;
}


static int listen_addr(const struct cfg *cfg, struct sa *sa)
{
	if (cfg->bfcp_listenc) {
		*sa = cfg->bfcp_listenv[0].addr;
		return 0;
	}

	for (unsigned i = 0; i < cfg->listenc; i++) {
		if (cfg->listenv[i].tp != SIP_TRANSP_TLS)
			continue;
		*sa = cfg->listenv[i].addr;
		sa_set_port(sa, 0);
		return 0;
	}

	return EADDRNOTAVAIL;
}


int epfloor_start(struct focus *f)
{
	char addr[64] = "-";
	struct sa sa;
	int err;

	if (f->floorsrv || !wanted(f->cfg))
		return 0;

	err = listen_addr(f->cfg, &sa);
	if (!err)
		err = floorsrv_alloc(&f->floorsrv, &sa, f->cfg->tls_certificate,
				     2 * f->cfg->max_calls);
	if (err) {
		log_error("ev=listen_failed transport=BFCP reason=\"%s\"",
			  strerror(err));
		return err;
	}

	floorsrv_addr(f->floorsrv, true, &sa);
	(void)re_snprintf(addr, sizeof(addr), "%J", &sa);
	log_info("ev=listen transport=BFCP addr=%s", addr);

	return 0;
}


int epfloor_addr(const struct focus *f, struct sa *sa)
{
	if (!f->floorsrv)
		return ENOENT;

	floorsrv_addr(f->floorsrv, true, sa);

	return 0;
}


/* ---- conferences ----------------------------------------------------------------- */

/** All endpoints that are floor users, until the handler returns true */
struct endpoint *epfloor_each(const struct conference *c, epfloor_h *h,
			      void *arg)
{
	struct endpoint *ep = NULL;

	while ((ep = conference_endpoints(c, ep))) {
		if (ep->floor && h(ep, arg))
			break;
	}

	return ep;
}


static bool is_user(struct endpoint *ep, void *arg)
{
	return floorpart_user(ep->floor) == *(const uint16_t *)arg;
}


bool epfloor_is_in(const struct endpoint *ep)
{
	return ep->state == EP_CONNECTED || ep->state == EP_HELD;
}


static void gate_reply(const Mp__Reply *r, void *arg)
{
	struct gate *g = arg;

	floorconf_gated(g->fc, g->token,
			r && r->status == MP__STATUS__OK ? 0 : EPIPE);
	mem_deref(g);
}


static void gate_destructor(void *arg)
{
	struct gate *g = arg;

	mem_deref(g->fc);
}


static int send_gate(const struct endpoint *ep, bool open, uint64_t token)
{
	const struct conference *c = ep->part->conf;
	Mp__Message msg = MP__MESSAGE__INIT;
	Mp__Gate gate = MP__GATE__INIT;
	struct gate *g = NULL;
	int err;

	if (token) {
		g = mem_zalloc(sizeof(*g), gate_destructor);
		if (!g)
			return ENOMEM;
		g->fc = mem_ref(c->floor);
		g->token = token;
	}

	gate.conf = c->id;
	gate.leg = ep->leg;
	gate.open = open;
	msg.body_case = MP__MESSAGE__BODY_GATE;
	msg.gate = &gate;
	err = mixproc_send(c->mix, &msg, g ? gate_reply : NULL, g);
	if (err)
		mem_deref(g);

	return !err && token ? EINPROGRESS : err;
}


static int gate_handler(uint16_t floor, uint16_t user, bool open,
			uint64_t token, void *arg)
{
	struct conference *c = arg;
	struct endpoint *ep = epfloor_each(c, is_user, &user);
	(void)floor;

	if (!ep)
		return ENOENT;

	if (ep->muted == open) {
		ep->muted = !open;
		if (epfloor_is_in(ep))
			change_feed(open ? CHANGE_FLOOR_HEARD
					 : CHANGE_FLOOR_MUTED, c, ep, NULL);
	}

	return send_gate(ep, open, token);
}


static bool holder_changed(struct endpoint *ep, void *arg)
{
	struct conference *c = arg;
	const bool holds = floor_holds(floorconf_floors(c->floor),
				       floorpart_user(ep->floor));

	if (holds != ep->holds_floor) {
		ep->holds_floor = holds;
		change_feed(holds ? CHANGE_FLOOR_TAKEN : CHANGE_FLOOR_GIVEN,
			    c, ep, NULL);
	}

	return false;
}


static void change_handler(void *arg)
{
	struct conference *c = arg;

	(void)epfloor_each(c, holder_changed, c);
}


static const struct floorconf_handlers handlers = {
	gate_handler, change_handler,
};


static enum floor_gating gating(const struct cfg_conf *cc)
{
	switch (cc->floor_gates) {

	case CFG_GATES_HELD:   return FLOOR_GATES_HELD;
	case CFG_GATES_ALWAYS: return FLOOR_GATES_ALWAYS;
	case CFG_GATES_NEVER:  return FLOOR_GATES_NEVER;
	default:
		/* an open conference is an ordinary one until somebody takes
		 * the floor; a moderated one is silent until it is given */
		return cc->floor == CFG_FLOOR_CHAIRED ? FLOOR_GATES_ALWAYS
						      : FLOOR_GATES_HELD;
	}
}


int epfloor_open(struct conference *c)
{
	const struct cfg_conf *cc = c->cc;
	const struct floor_policy policy = {
		.chaired = cc->floor == CFG_FLOOR_CHAIRED,
		.absent_auto = cc->floor_no_chair == CFG_FLOOR_AUTOMATIC,
		.round_robin = cc->floor_order == CFG_FLOOR_ROUND_ROBIN,
		.gating = gating(cc),
		.holders = cc->floor_holders,
		.per_user = cc->floor_requests,
		.requests = REQUESTS_MAX,
		.hold_limit_ms = 1000 * cc->floor_hold_limit_s,
		.prio_max = BFCPM_PRIO_HIGHEST,
	};
	int err;

	if (cc->floor == CFG_FLOOR_NONE)
		return 0;
	/* without one a chaired conference would be mute for ever */
	if (!c->focus->floorsrv) {
		log_error("ev=floor_failed conf=%s reason=\"no BFCP"
			  " listener\"", c->label);
		return ENOTCONN;
	}

	err = floorconf_alloc(&c->floor, c->focus->floorsrv, &policy, c->label,
			      &handlers, c);
	if (!err)
		err = floor_add(floorconf_floors(c->floor), NEG_FLOOR_ID);

	return err;
}


/* ---- endpoints --------------------------------------------------------------------- */

/** Why somebody cannot have the floor; NULL: he can */
static const char *barred(const struct part *p)
{
	if (p->muted)
		return "Muted";

	return part_heard(p) ? NULL : "Only listens";
}


void epfloor_standing(struct endpoint *ep)
{
	const struct part *p = ep->part;
	struct floorconf *fc = p->conf->floor;

	if (!ep->floor)
		return;

	floor_user_set(floorconf_floors(fc), floorpart_user(ep->floor),
		       role_chairs(p->role), barred(p), floorconf_now());
	floorconf_touch(fc);
}


/** Where the peer reaches our listener; of the family of its media */
static int own_addr(const struct endpoint *ep, bool tls_server, struct sa *sa)
{
	const struct conference *c = ep->part->conf;
	const struct sa *adv = &c->cfg->advertised_address;
	uint16_t port;

	floorsrv_addr(c->focus->floorsrv, tls_server, sa);
	port = sa_port(sa);
	if (sa_af(sa) != sa_af(&ep->local))
		return EAFNOSUPPORT;

	if (sa_isset(adv, SA_ADDR) && sa_af(adv) == sa_af(sa))
		*sa = *adv;
	else if (sa_is_any(sa))
		*sa = ep->local;
	sa_set_port(sa, port);

	return 0;
}


/**
 * We connect only to the host that the call came from: a description is no
 * reason to open connections to any address of our network
 */
static bool may_connect(const struct endpoint *ep, const struct neg_floor *f)
{
	return !f->we_connect ||
		(sa_port(&f->peer) >= 1024 &&
		 sa_cmp(&f->peer, dlg_peer_addr(ep->dlg), SA_ADDR));
}


/**
 * RFC 8855 section 9.1 wants certificates or their fingerprints to come by an
 * integrity-protected channel; in this one the caller has proved to own it.
 * Behind another hop it would be the hop's.
 */
void epfloor_shown(struct neg_floor *f, const struct sip_msg *msg)
{
	X509 *cert = NULL;

	if (!f->on || f->fps.c)
		return;

	if (sip_msg_hdr_count(msg, SIP_HDR_VIA) == 1 &&
	    !sip_msg_hdr(msg, SIP_HDR_RECORD_ROUTE) &&
	    !tlsid_certificate(msg, &cert))
		floortls_fps_of(&f->fps, cert);
	X509_free(cert);
	if (!f->fps.c)
		memset(f, 0, sizeof(*f));
}


const struct neg_floor_local *epfloor_local(struct endpoint *ep)
{
	struct conference *c = ep->part->conf;
	struct neg_floor_local *l = &ep->floor_local;
	struct neg_floor *f = &ep->next.floor;
	const bool answer = ep->next.sdes.suite != NULL;
	int err = 0;

	if (!c->floor)
		return NULL;

	if (!ep->floor) {
		if (floorpart_alloc(&ep->floor, c->floor,
				    role_chairs(ep->part->role),
				    part_public_name(ep->part),
				    part_public_uri(ep->part)))
			return NULL;
		epfloor_standing(ep);
	}

	l->confid = floorconf_id(c->floor);
	l->userid = floorpart_user(ep->floor);
	l->fp = floorsrv_fp(c->focus->floorsrv);
	if (answer) {
		l->existing = f->existing && floorpart_connected(ep->floor);
		if (!l->existing)
			err = own_addr(ep, true, &l->addr);
	}
	else if (!ep->neg.floor.on) {
		l->existing = false;
		err = own_addr(ep, false, &l->addr);
	}
	else {
		/* RFC 8856 section 10.4: a rekey or refresh keeps what there
		 * is, or what the last exchange said there would be */
		l->existing = true;
	}

	if (!err && !(answer && f->on && !may_connect(ep, f)))
		return l;

	memset(f, 0, sizeof(*f));

	return NULL;
}


void epfloor_commit(struct endpoint *ep)
{
	const struct neg_floor *f = &ep->neg.floor;

	if (!ep->floor)
		return;

	floorpart_certs(ep->floor, &f->fps);
	if (f->on && f->we_connect && !ep->floor_local.existing)
		floorpart_connect(ep->floor, &f->peer, true);
}


void epfloor_leave(struct endpoint *ep)
{
	struct floorpart *fp = ep->floor;

	ep->floor = NULL;
	ep->holds_floor = false;
	mem_deref(fp);
}


void epfloor_recover(const struct endpoint *ep)
{
	if (ep->floor && ep->muted)
		(void)send_gate(ep, false, 0);
}


/* ---- without BFCP: keys --------------------------------------------------------------- */

struct find {
	uint16_t user;
	const struct floor_req *r;
};


static bool is_of(const struct floor_req *r, void *arg)
{
	struct find *f = arg;

	if (r->beneficiary == f->user)
		f->r = r;

	return f->r != NULL;
}


const struct floor_req *epfloor_request_of(const struct endpoint *ep)
{
	struct find f = { floorpart_user(ep->floor), NULL };

	floor_reqs(floorconf_floors(ep->part->conf->floor), is_of, &f);

	return f.r;
}


int epfloor_request(const struct endpoint *ep, uint16_t by)
{
	struct floorconf *fc = ep->part->conf->floor;
	struct floor_ask ask;
	int err;

	memset(&ask, 0, sizeof(ask));
	ask.user = by;
	ask.beneficiary = floorpart_user(ep->floor);
	ask.floorv[0] = NEG_FLOOR_ID;
	ask.floorc = 1;
	err = floor_request(floorconf_floors(fc), &ask, floorconf_now());
	floorconf_touch(fc);

	return err;
}


void epfloor_dtmf(struct endpoint *ep, unsigned event)
{
	const struct cfg_conf *cc = ep->part->conf->cc;
	const struct floor_req *r;
	struct floorconf *fc = ep->part->conf->floor;
	uint16_t user;

	if (!ep->floor || cc->floor_dtmf == CFG_DTMF_OFF ||
	    event + 1 != cc->floor_dtmf)
		return;

	user = floorpart_user(ep->floor);
	r = epfloor_request_of(ep);
	if (!r) {
		(void)epfloor_request(ep, user);
		return;
	}

	(void)floor_release(floorconf_floors(fc), user, r->id, 0,
			    floorconf_now());
	floorconf_touch(fc);
}
