/**
 * @file dialog/timer.c  Session timers
 *
 * A phone that vanished without a BYE must not stay in a conference, and its
 * key must die.  Whoever is the refresher repeats the session (UPDATE without
 * a body, or re-INVITE with what was agreed) at half of the interval; the
 * other side hangs up when nothing came.
 *
 * Refs: RFC 4028
 */
#include "dialog/dlg.h"

enum {
	SE_MIN_S = 90,          /* section 5: "the absolute minimum"          */
	/*
	 * libre closes a stream on which nothing came for 900 s, and with it
	 * the way to a phone behind NAT.  So every session is refreshed, also
	 * one whose peer did not ask, and at half of this at the latest; section
	 * 4 recommends 1800.
	 */
	SE_DEFAULT_S = 1200,
	SE_MAX_S = 86400,
	AGAIN_MS = 4000,        /* a refresh that could not be sent           */
	RAISE_MIN_S = 60,       /* or a peer could have us count up to a day  */
};


/** A number and, perhaps, parameters behind it; once for every 2xx, so by hand */
static bool hdr_u32(const struct sip_msg *msg, enum sip_hdrid id,
		    uint32_t *valp, struct pl *params)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, id);
	struct pl num, rest;

	if (!hdr)
		return false;

	num = rest = hdr->val;
	while (rest.l && *rest.p >= '0' && *rest.p <= '9')
		pl_advance(&rest, 1);
	num.l -= rest.l;
	if (!num.l)
		return false;

	*valp = num.l > 9 ? SE_MAX_S : pl_u32(&num);
	if (params)
		*params = rest;

	return true;
}


uint32_t dlg_min_se(const struct sip_msg *msg)
{
	uint32_t se;

	if (!hdr_u32(msg, SIP_HDR_SESSION_EXPIRES, &se, NULL) ||
	    !sip_msg_hdr_has_value(msg, SIP_HDR_SUPPORTED, "timer"))
		return 0;

	return se < SE_MIN_S ? SE_MIN_S : 0;
}


/** Sections 7.4 and 9: what the peer takes at least goes for all that follows;
 *  @return the longest interval that it may have [s] */
static uint32_t note_min_se(struct dlg *dlg, const struct sip_msg *msg)
{
	uint32_t min = 0;

	(void)hdr_u32(msg, SIP_HDR_MIN_SE, &min, NULL);
	dlg->se_min_s = MAX(MIN(min, (uint32_t)SE_MAX_S), dlg->se_min_s);

	return MAX(dlg->se_min_s, (uint32_t)SE_DEFAULT_S);
}


/** Section 9: what the UAS makes of a request */
void dlg_timer_request(struct dlg *dlg, const struct sip_msg *msg)
{
	struct pl params = { NULL, 0 }, who;
	const uint32_t max = note_min_se(dlg, msg);
	uint32_t se = 0;

	dlg->se_peer = sip_msg_hdr_has_value(msg, SIP_HDR_SUPPORTED, "timer");
	if (!hdr_u32(msg, SIP_HDR_SESSION_EXPIRES, &se, &params)) {
		dlg->se_s = max;
		dlg->se_ours = true;
		return;
	}

	/* a peer without timers had the header put in by a proxy */
	dlg->se_s = MIN(MAX(se, (uint32_t)SE_MIN_S), max);
	dlg->se_ours = !dlg->se_peer ||
		(!msg_param_decode(&params, "refresher", &who) &&
		 !pl_strcasecmp(&who, "uas"));
}


/** Section 7.2: what the UAC makes of a 2xx */
void dlg_timer_response(struct dlg *dlg, const struct sip_msg *msg)
{
	struct pl params = { NULL, 0 }, who;
	uint32_t se = 0;

	if (!hdr_u32(msg, SIP_HDR_SESSION_EXPIRES, &se, &params)) {
		/* the peer leaves it to us: section 7.2 */
		dlg->se_s = SE_DEFAULT_S;
		dlg->se_ours = true;
		return;
	}

	dlg->se_s = MIN(MAX(se, (uint32_t)SE_MIN_S), (uint32_t)SE_MAX_S);
	dlg->se_ours = msg_param_decode(&params, "refresher", &who) ||
		!pl_strcasecmp(&who, "uac");
	dlg->se_peer = true;
}


/** What our requests ask for */
static uint32_t asked(const struct dlg *dlg)
{
	uint32_t se = dlg->state == DLG_CONFIRMED ? dlg->se_s : SE_DEFAULT_S;

	return se ? MAX(se, dlg->se_min_s) : 0;
}


bool dlg_timer_raise(struct dlg *dlg, const struct sip_msg *msg)
{
	uint32_t min = 0;

	if (!asked(dlg) || !hdr_u32(msg, SIP_HDR_MIN_SE, &min, NULL) ||
	    min <= asked(dlg) || min > SE_MAX_S ||
	    (dlg->se_min_s && min < dlg->se_min_s + RAISE_MIN_S))
		return false;

	dlg->se_min_s = min;

	return true;
}


int dlg_timer_print_2xx(struct re_printf *pf, const struct dlg *dlg)
{
	if (!dlg->se_s)
		return re_hprintf(pf, "Supported: timer\r\n");

	/* section 9: Require only if the peer is to refresh */
	return re_hprintf(pf, "Supported: timer\r\n"
			  "Session-Expires: %u;refresher=%s\r\n%s",
			  dlg->se_s, dlg->se_ours ? "uas" : "uac",
			  dlg->se_ours ? "" : "Require: timer\r\n");
}


int dlg_timer_print_req(struct re_printf *pf, const struct dlg *dlg)
{
	const char *role = "";

	if (!asked(dlg))
		return re_hprintf(pf, "Supported: timer\r\n");

	/* in a running session the roles stay: section 7.4 */
	if (dlg->state == DLG_CONFIRMED)
		role = dlg->se_ours ? ";refresher=uac" : ";refresher=uas";

	/* section 7.3: a Min-SE that we were told is kept */
	return re_hprintf(pf, "Supported: timer\r\n"
			  "Session-Expires: %u%s\r\nMin-SE: %u\r\n",
			  asked(dlg), role,
			  MAX(dlg->se_min_s, (uint32_t)SE_MIN_S));
}


static void refresh_handler(void *arg)
{
	struct dlg *dlg = arg;

	if (dlg->state == DLG_CONFIRMED)
		dlg_refresh(dlg);
}


static void expire_handler(void *arg)
{
	struct dlg *dlg = arg;

	if (dlg->state != DLG_CONFIRMED)
		return;

	mem_ref(dlg);
	(void)dlg_send_bye(dlg, "SIP;cause=408;text=\"Session expired\"");
	dlg_close(dlg, ETIMEDOUT, NULL);
	mem_deref(dlg);
}


/** Section 10: BYE "slightly" before the session expires */
static uint64_t early_ms(const struct dlg *dlg)
{
	return 1000ULL * MIN(32u, dlg->se_s / 3);
}


static void start(struct dlg *dlg, uint64_t delay_ms, late_h *h)
{
	late_start(&dlg->ds->session, &dlg->late_se, delay_ms, h, dlg);
}


/** Try to refresh later, but only as long as there is a session */
void dlg_timer_again(struct dlg *dlg)
{
	uint64_t now = tmr_jiffies(), end = dlg->se_end - early_ms(dlg);

	if (!dlg->se_s)
		late_cancel(&dlg->late_se);
	else if (now + AGAIN_MS < end)
		start(dlg, AGAIN_MS, refresh_handler);
	else
		start(dlg, end > now ? end - now : 0, expire_handler);
}


/** Section 10: refresh at half time; else BYE before the very end */
void dlg_timer_start(struct dlg *dlg)
{
	late_cancel(&dlg->late_se);
	if (!dlg->se_s || dlg->state != DLG_CONFIRMED)
		return;

	/* for the sake of the stream even where the peer is to refresh, which
	 * section 7.4 lets either side do at any time */
	dlg->se_end = tmr_jiffies() + 1000ULL * dlg->se_s;
	if (dlg->se_ours || dlg->se_s > SE_DEFAULT_S)
		start(dlg, 500ULL * MIN(dlg->se_s, (uint32_t)SE_DEFAULT_S),
		      refresh_handler);
	else
		start(dlg, 1000ULL * dlg->se_s - early_ms(dlg),
		      expire_handler);
}
