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
	SE_DEFAULT_S = 1800,    /* section 4: recommended                     */
	SE_MAX_S = 86400,
	AGAIN_MS = 4000,        /* a refresh that could not be sent           */
};


static bool hdr_u32(const struct sip_msg *msg, enum sip_hdrid id,
		    uint32_t *valp, struct pl *params)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, id);
	struct pl num, rest = { NULL, 0 };

	if (!hdr || re_regex(hdr->val.p, hdr->val.l, "[0-9]+[^]*", &num,
			     &rest))
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


/** Section 9: what the UAS makes of a request */
void dlg_timer_request(struct dlg *dlg, const struct sip_msg *msg)
{
	struct pl params = { NULL, 0 }, who;
	uint32_t se = 0;

	dlg->se_peer = sip_msg_hdr_has_value(msg, SIP_HDR_SUPPORTED, "timer");
	if (!hdr_u32(msg, SIP_HDR_SESSION_EXPIRES, &se, &params)) {
		/* nobody asked: we do not begin with it */
		dlg->se_s = 0;
		return;
	}

	dlg->se_s = MIN(MAX(se, (uint32_t)SE_MIN_S), (uint32_t)SE_MAX_S);
	if (!msg_param_decode(&params, "refresher", &who))
		dlg->se_ours = !pl_strcasecmp(&who, "uas");
	else
		dlg->se_ours = !dlg->se_peer;
}


/** Section 7.2: what the UAC makes of a 2xx */
void dlg_timer_response(struct dlg *dlg, const struct sip_msg *msg)
{
	struct pl params = { NULL, 0 }, who;
	uint32_t se = 0;

	dlg->se_s = 0;
	if (!hdr_u32(msg, SIP_HDR_SESSION_EXPIRES, &se, &params))
		return;

	dlg->se_s = MIN(MAX(se, (uint32_t)SE_MIN_S), (uint32_t)SE_MAX_S);
	dlg->se_ours = msg_param_decode(&params, "refresher", &who) ||
		!pl_strcasecmp(&who, "uac");
	dlg->se_peer = true;
}


uint32_t dlg_timer_raise(struct dlg *dlg, const struct sip_msg *msg)
{
	uint32_t min = 0;

	if (!hdr_u32(msg, SIP_HDR_MIN_SE, &min, NULL))
		return 0;
	if (min <= dlg->se_s || min > SE_MAX_S)
		return 0;

	dlg->se_s = min;

	return min;
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
	/* in a running session the roles stay: section 7.4 */
	if (dlg->state == DLG_CONFIRMED && !dlg->se_s)
		return re_hprintf(pf, "Supported: timer\r\n");

	if (dlg->state == DLG_CONFIRMED)
		return re_hprintf(pf, "Supported: timer\r\n"
				  "Session-Expires: %u;refresher=%s\r\n"
				  "Min-SE: %u\r\n", dlg->se_s,
				  dlg->se_ours ? "uac" : "uas", SE_MIN_S);

	return re_hprintf(pf, "Supported: timer\r\nSession-Expires: %u\r\n"
			  "Min-SE: %u\r\n",
			  dlg->se_s ? dlg->se_s : SE_DEFAULT_S, SE_MIN_S);
}


static void refresh_handler(void *arg)
{
	struct dlg *dlg = arg;

	if (dlg->state == DLG_CONFIRMED)
		dlg_refresh(dlg);
}


/** Later, but well before the end: the interval is 90 s at least */
void dlg_timer_again(struct dlg *dlg)
{
	tmr_start(&dlg->tmr_se, AGAIN_MS, refresh_handler, dlg);
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


/** Section 10: refresh at half time; else BYE before the very end */
void dlg_timer_start(struct dlg *dlg)
{
	uint32_t early;

	tmr_cancel(&dlg->tmr_se);
	if (!dlg->se_s || dlg->state != DLG_CONFIRMED)
		return;

	early = MIN(32u, dlg->se_s / 3);
	if (dlg->se_ours)
		tmr_start(&dlg->tmr_se, 500ULL * dlg->se_s, refresh_handler,
			  dlg);
	else
		tmr_start(&dlg->tmr_se, 1000ULL * (dlg->se_s - early),
			  expire_handler, dlg);
}
