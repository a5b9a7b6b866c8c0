/**
 * @file call.c  Life of one call
 */
#include <errno.h>
#include <string.h>
#include "call_priv.h"
#include "log.h"

enum { REFLECT_AFTER_US = 300000, REPLACES_MAX = 512, HDRS_MAX = 512 };

static void destructor(void *arg)
{
	struct call *c = arg;

	tmr_cancel(&c->tmr_setup);
	tmr_cancel(&c->tmr_answer);
	mem_deref(c->waiting);
	mem_deref(c->dlg);
	mem_deref(c->media);
	mem_deref(c->rec);
	mem_deref(c->src);
	mem_deref(c->live);
	mem_deref(c->floor);
	cnego_reset(c);
}

static void header_copy(char *buf, size_t size, const struct sip_msg *msg, enum sip_hdrid id)
{
	const struct sip_hdr *hdr = msg ? sip_msg_hdr(msg, id) : NULL;

	if (hdr && pl_strcpy(&hdr->val, buf, size))
		str_ncpy(buf, "(too long)", size);
}

static void status_copy(struct call *c, const struct sip_msg *msg)
{
	c->res.scode = msg->scode;
	if (pl_strcpy(&msg->reason, c->res.reason, sizeof(c->res.reason)))
		str_ncpy(c->res.reason, "(too long)", sizeof(c->res.reason));
	header_copy(c->res.warning, sizeof(c->res.warning), msg, SIP_HDR_WARNING);
}

/** Over, whoever ended it; the figures stay */
static void closed(struct call *c, const char *by, const char *error)
{
	if (c->state == CALL_CLOSED)
		return;

	log_info("ev=closed call=%u by=%s status=%u reason=%s", c->idx, by, c->res.scode,
		 error ? error : c->res.end_reason);

	c->state = CALL_CLOSED;
	c->res.end_us = cmedia_now_us();
	c->res.end_by = by;
	if (error)
		str_ncpy(c->res.error, error, sizeof(c->res.error));
	tmr_cancel(&c->tmr_setup);
	tmr_cancel(&c->tmr_answer);
	ctap_event(c->env->tap, "left", c->idx);
	c->waiting = mem_deref(c->waiting);
	cmedia_stop(c->media, c->res.end_us);
	cfloor_stop(c->floor);
	c->dlg = mem_deref(c->dlg);

	c->env->changeh(c, c->env->arg);
}

/** Hang up because of what the peer did */
static void give_up(struct call *c, unsigned cause, const char *why)
{
	char reason[256];

	log_warn("ev=give_up call=%u reason=%s", c->idx, why);
	(void)re_snprintf(reason, sizeof(reason), "SIP;cause=%u;text=\"%s\"", cause, why);
	dlg_bye(c->dlg, reason);
	closed(c, "us", why);
}

static void focus_copy(struct call *c, const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_CONTACT);
	struct sip_addr addr;
	struct pl end;

	if (!hdr || sip_addr_decode(&addr, &hdr->val))
		return;

	(void)pl_strcpy(&addr.auri, c->res.conf_uri, sizeof(c->res.conf_uri));
	/* RFC 4579 section 5.1 */
	c->res.is_focus = !msg_param_exists(&addr.params, "isfocus", &end);
}

static void established(struct call *c, const struct sip_msg *msg)
{
	const uint64_t now_us = cmedia_now_us();

	c->state = CALL_UP;
	c->res.established = true;
	c->res.up_us = now_us;
	tmr_cancel(&c->tmr_setup);
	status_copy(c, msg);
	focus_copy(c, msg);
	cmedia_start(c->media, now_us);
	if (c->floor)
		cfloor_start(c->floor, now_us);

	if (c->o->hold_s && (c->o->hold_call < 0 || (unsigned)c->o->hold_call == c->idx)) {
		c->hold_us   = now_us + 1000000ull * c->o->hold_at_s;
		c->resume_us = c->hold_us + 1000000ull * c->o->hold_s;
	}
	if (c->o->bad_key == BAD_KEY_REFLECT)
		c->reflect_us = now_us + REFLECT_AFTER_US;

	ctap_dialog(c->env->tap, c->idx, c->dlg);

	log_info("ev=up call=%u suite=%s codec=%s conf=%s", c->idx,
		 c->res.suite ? c->res.suite->name : "-",
		 c->res.codec ? c->res.codec->name : "-", c->res.conf_uri);
	c->env->changeh(c, c->env->arg);
}

/* ----- handlers of the dialog layer -------------------------------------- */

/** The 2xx to an INVITE without offer brought theirs; ours goes with the ACK */
static const char *answer_in_ack(struct call *c, const struct sip_msg *msg)
{
	struct mbuf *sdp = NULL;
	const char *why;

	why = cnego_take_offer(c, msg, &sdp);
	(void)dlg_answer_ack(c->dlg, sdp);

	return why;
}

static void answer_handler(struct dlg *dlg, const struct sip_msg *msg, void *arg)
{
	struct call *c = arg;
	const char *why;
	(void)dlg;

	if (c->state == CALL_CALLING && c->o->delayed_offer) {
		why = answer_in_ack(c, msg);
	}
	else {
		why = cnego_take_answer(c, msg);
		if (c->state == CALL_UP)
			++c->res.own_offers;
		if (c->offering == OFFER_REFLECT)
			c->res.reflected_accepted = true;
	}
	c->offering = OFFER_NONE;

	if (why) {
		status_copy(c, msg);
		give_up(c, 488, why);
	}
}

static void estab_handler(struct dlg *dlg, const struct sip_msg *msg, void *arg)
{
	struct call *c = arg;
	(void)dlg;

	if (c->state == CALL_CALLING)
		established(c, msg);
}

static void offer_fail_handler(struct dlg *dlg, int err, uint16_t scode, void *arg)
{
	struct call *c = arg;
	(void)dlg;

	++c->res.own_offers_failed;
	c->res.own_offer_status = scode;
	c->offering = OFFER_NONE;
	log_info("ev=offer_failed call=%u status=%u err=%d", c->idx, scode, err);
}

static struct mbuf *offer_handler(struct dlg *dlg, void *arg)
{
	struct call *c = arg;
	(void)dlg;

	return c->state == CALL_UP ? cnego_reoffer(c) : NULL;
}

static void answer_offer(struct call *c, const struct sip_msg *msg)
{
	struct mbuf *sdp = NULL;
	const char *why = NULL;

	if (!mbuf_get_left(msg->mb))
		sdp = cnego_reoffer(c);        /* they ask for an offer of ours */
	else
		why = cnego_take_offer(c, msg, &sdp);

	if (sdp && !dlg_answer(c->dlg, 200, "OK", sdp))
		return;

	++c->res.refused;
	log_warn("ev=refuse_offer call=%u reason=%s", c->idx, why ? why : "no answer");
	(void)dlg_reject(c->dlg, 488, "Not Acceptable Here",
			 "Warning: 399 conclave-call \"%s\"\r\n", why ? why : "no answer");
}

static void answer_timeout(void *arg)
{
	struct call *c = arg;
	struct sip_msg *msg = c->waiting;

	c->waiting = NULL;
	if (msg && c->state == CALL_UP)
		answer_offer(c, msg);
	mem_deref(msg);
}

static void their_offer_handler(struct dlg *dlg, const struct sip_msg *msg, void *arg)
{
	struct call *c = arg;
	(void)dlg;

	if (!pl_strcmp(&msg->met, "UPDATE"))
		++c->res.offers_update;
	else
		++c->res.offers_invite;

	switch (c->o->answer) {
	case ANSWER_NEVER:
		++c->res.refused;
		return;
	case ANSWER_488:
		++c->res.refused;
		(void)dlg_reject(c->dlg, 488, "Not Acceptable Here", NULL);
		return;
	case ANSWER_OK:
		break;
	}

	if (!c->o->answer_delay_ms) {
		answer_offer(c, msg);
		return;
	}
	mem_deref(c->waiting);
	c->waiting = mem_ref((void *)(uintptr_t)msg);
	tmr_start(&c->tmr_answer, c->o->answer_delay_ms, answer_timeout, c);
}

static void close_handler(struct dlg *dlg, int err, const struct sip_msg *msg, void *arg)
{
	struct call *c = arg;
	char text[128] = "";
	(void)dlg;

	if (msg && msg->req) {
		header_copy(c->res.end_reason, sizeof(c->res.end_reason), msg, SIP_HDR_REASON);
		closed(c, "remote", NULL);
	}
	else if (msg) {
		if (c->state == CALL_CALLING)
			status_copy(c, msg);
		else
			c->res.own_offer_status = msg->scode;
		(void)pl_strcpy(&msg->reason, text, sizeof(text));
		closed(c, "failure", text);
	}
	else {
		closed(c, "failure", str_error(err, text, sizeof(text)));
	}
}

static const struct dlg_handlers handlers = {
	.offerh      = their_offer_handler,
	.answerh     = answer_handler,
	.offer_failh = offer_fail_handler,
	.estabh      = estab_handler,
	.closeh      = close_handler,
};

/** Who calls; the dialog keeps it, and may outlive the call */
struct login {
	const char *user, *pass;        /* in the options                    */
};

static int auth_handler(char **user, char **pass, const char *realm, void *arg)
{
	const struct login *l = arg;
	int err;
	(void)realm;

	if (!l->user || !l->pass)
		return EPERM;

	err = str_dup(user, l->user);
	if (!err)
		err = str_dup(pass, l->pass);
	if (err)
		*user = mem_deref(*user);

	return err;
}

static void setup_timeout(void *arg)
{
	struct call *c = arg;

	dlg_bye(c->dlg, NULL);
	closed(c, "us", "set-up timed out");
}

/* ----- for cload.c ------------------------------------------------------- */

int call_alloc(struct call **cp, unsigned idx, const struct call_env *env, bool record)
{
	struct call *c = mem_zalloc(sizeof(*c), destructor);
	int err;

	if (!c)
		return ENOMEM;

	c->idx = idx;
	c->env = env;
	c->o   = env->opts;
	tmr_init(&c->tmr_setup);
	tmr_init(&c->tmr_answer);

	err = cnego_init(c);
	if (!err && record)
		err = crec_alloc(&c->rec, 60, env->pcmh, c);
	if (!err && opts_floor(c->o, idx) != CFLOOR_NONE) {
		const struct cfloor_cfg cfg = {
			.part = opts_floor(c->o, idx), .idx = idx,
			.at_us = 1000ull * (c->o->floor_at_ms +
					    idx * c->o->floor_step_ms),
			.hold_us = 1000ull * c->o->floor_hold_ms,
		};

		err = cfloor_alloc(&c->floor, &cfg);
	}
	if (!err && c->o->measure_delay)
		err = clive_alloc(&c->live, opts_freq(c->o, idx), c->o->level_dbfs);

	if (err)
		mem_deref(c);
	else
		*cp = c;

	return err;
}

/** From URI: as told, else the user at the called host */
static int from_uri(const struct call *c, char *buf, size_t size, const char *user)
{
	if (c->o->from)
		return re_snprintf(buf, size, "%s", c->o->from) < 0 ? ENOMEM : 0;

	return re_snprintf(buf, size, sa_af(&c->env->hop->addr) == AF_INET6 &&
			   strchr(c->env->hop->host, ':') ? "sip:%s@[%s]" : "sip:%s@%s",
			   user, c->env->hop->host) < 0 ? ENOMEM : 0;
}

static int invite(struct call *c, const char *uri, const char *from, const char *contact,
		  struct login *login)
{
	struct cstack *stack = c->env->stackv[c->idx % c->env->stackc];
	char once[REPLACES_MAX] = "", hdrs[HDRS_MAX];
	struct dlg_invite inv = {
		.uri = uri, .from = from, .route = c->env->hop->route, .contact = contact,
		.hdrs = hdrs, .once = once,
		.authh = login->pass ? auth_handler : NULL, .hop = login,
	};

	/* libre names us in its own requests only, not in a dialog's */
	if (re_snprintf(hdrs, sizeof(hdrs), "Allow: INVITE,ACK,BYE,CANCEL,OPTIONS%s\r\n"
			"User-Agent: %s\r\n", c->o->no_update ? "" : ",UPDATE",
			cstack_software(c->o)) < 0)
		return EOVERFLOW;

	if (c->o->replaces && re_snprintf(once, sizeof(once), "Require: replaces\r\n"
					  "Replaces: %s\r\n", c->o->replaces) < 0)
		return EINVAL;

	if (!c->o->delayed_offer) {
		inv.body = cnego_first_offer(c);
		if (!inv.body)
			return ENOMEM;
	}

	return dlg_invite(&c->dlg, cstack_dlgs(stack), &inv, &handlers, c);
}

static int connect_to(struct call *c, const char *uri)
{
	struct cstack *stack = c->env->stackv[c->idx % c->env->stackc];
	struct login *login = mem_zalloc(sizeof(*login), NULL);
	char contact[256], from[300];
	const char *user;
	int err;

	if (!login)
		return ENOMEM;

	opts_login(c->o, c->idx, &login->user, &login->pass);
	user = login->user ? login->user : "anonymous";

	err = cstack_contact(stack, contact, sizeof(contact), user);
	if (!err)
		err = from_uri(c, from, sizeof(from), user);
	if (!err)
		err = invite(c, uri, from, contact, login);
	mem_deref(login);

	return err;
}

int call_start(struct call *c, const char *uri)
{
	const struct cmedia_cfg cfg = {
		.laddr = &c->env->hop->laddr, .ptime = c->o->ptime,
		.rtcp_interval_ms = c->o->rtcp_interval_ms, .dump = c->env->dump, .rec = c->rec,
		.tap = c->env->tap, .call = c->idx,
	};
	char text[128];
	int err;

	c->res.started  = true;
	c->res.start_us = cmedia_now_us();
	c->state = CALL_CALLING;
	ctap_event(c->env->tap, "call", c->idx);

	err = cmedia_alloc(&c->media, &cfg);
	if (!err && c->o->hard_switch)
		ckeys_hard_switch(cmedia_keys(c->media));
	if (!err)
		err = connect_to(c, uri);
	if (err)
		closed(c, "failure", str_error(err, text, sizeof(text)));
	else
		tmr_start(&c->tmr_setup, 1000ull * c->o->setup_timeout_s, setup_timeout, c);

	return err;
}

static void hold(struct call *c, bool on)
{
	static const enum csdp_dir howv[] = {
		[HOLD_SENDONLY] = CSDP_SENDONLY, [HOLD_INACTIVE] = CSDP_INACTIVE,
		[HOLD_ZERO] = CSDP_SENDRECV,
	};

	c->holding  = on;
	c->dir      = on ? howv[c->o->hold_how] : CSDP_SENDRECV;
	c->offering = OFFER_DIR;
	(void)dlg_offer(c->dlg, DLG_REINVITE, offer_handler);
}

static bool due(uint64_t *at_us, uint64_t now_us)
{
	if (!*at_us || now_us < *at_us)
		return false;

	*at_us = 0;
	return true;
}

void call_tick(struct call *c, uint64_t now_us)
{
	if (c->state != CALL_UP)
		return;

	if (due(&c->hold_us, now_us))
		hold(c, true);
	if (due(&c->resume_us, now_us))
		hold(c, false);
	if (due(&c->reflect_us, now_us)) {
		c->offering = OFFER_REFLECT;
		(void)dlg_offer(c->dlg, DLG_REINVITE, offer_handler);
	}

	if (c->floor)
		cfloor_tick(c->floor, now_us);

	cmedia_tick(c->media, now_us);
}

void call_hangup(struct call *c)
{
	if (c->state == CALL_CLOSED)
		return;

	dlg_bye(c->dlg, NULL);
	closed(c, "us", c->state == CALL_UP ? NULL : "hung up before it was established");
}

unsigned call_index(const struct call *c)
{
	return c->idx;
}

enum call_state call_state(const struct call *c)
{
	return c->state;
}

const struct call_result *call_result(const struct call *c)
{
	return &c->res;
}

const struct crec *call_rec(const struct call *c)
{
	return c->rec;
}

void call_media_stats(const struct call *c, struct cmedia_stats *st)
{
	memset(st, 0, sizeof(*st));
	if (c->media)
		cmedia_stats(c->media, st);
}

const struct ckeys_use *call_keys(const struct call *c, unsigned *countp)
{
	*countp = 0;

	return c->media ? ckeys_uses(cmedia_keys(c->media), countp) : NULL;
}

const struct cfloor *call_floor(const struct call *c)
{
	return c->floor;
}

struct clive *call_live(const struct call *c)
{
	return c->live;
}
