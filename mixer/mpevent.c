/**
 * @file mpevent.c  Events from the mixer to the focus: on change, never per packet
 */
#include "mixer.h"

enum {
	EVENT_BURST = 10,
	KEY_US = 50000,             /* no finger, and no phone book, is faster */
	BYE_US = 1000000,
};

/*
 * A member can make as many authenticated packets as its line carries, each
 * with another address or another key.  An event for each would fill the way
 * to the focus, and with it end the mixer, and everybody's calls.
 */
bool mpev_may(struct bucket *b, uint32_t interval_us, uint64_t now_us)
{
	return bucket_take(b, EVENT_BURST, interval_us, 1, now_us);
}

void mpev_latched(struct leg *leg)
{
	Mp__Message m = MP__MESSAGE__INIT;
	Mp__LegLatched ev = MP__LEG_LATCHED__INIT;
	Mp__Address a = MP__ADDRESS__INIT;

	a.ip.data = (uint8_t *)(uintptr_t)sa_bytes(&leg->rtp_to, &a.ip.len);
	a.port = sa_port(&leg->rtp_to);
	ev.conf = leg->conf->id;
	ev.leg = leg->id;
	ev.ssrc = leg->src_ssrc;
	ev.remote = &a;
	m.body_case = MP__MESSAGE__BODY_LEG_LATCHED;
	m.leg_latched = &ev;
	mpsrv_send(leg->conf->mx, &m);
}

void mpev_roc(struct leg *leg, uint32_t roc)
{
	Mp__Message m = MP__MESSAGE__INIT;
	Mp__LegRoc ev = MP__LEG_ROC__INIT;

	ev.conf = leg->conf->id;
	ev.leg = leg->id;
	ev.ssrc = leg->src_ssrc;
	ev.roc = roc;
	m.body_case = MP__MESSAGE__BODY_LEG_ROC;
	m.leg_roc = &ev;
	mpsrv_send(leg->conf->mx, &m);
}

void mpev_idle(struct leg *leg, uint32_t idle_ms)
{
	Mp__Message m = MP__MESSAGE__INIT;
	Mp__LegIdle ev = MP__LEG_IDLE__INIT;

	ev.conf = leg->conf->id;
	ev.leg = leg->id;
	ev.idle_ms = idle_ms;
	m.body_case = MP__MESSAGE__BODY_LEG_IDLE;
	m.leg_idle = &ev;
	mpsrv_send(leg->conf->mx, &m);
}

void mpev_talkers(struct conf *c)
{
	Mp__Message m = MP__MESSAGE__INIT;
	Mp__Talkers ev = MP__TALKERS__INIT;

	ev.conf = c->id;
	ev.leg = c->talker_legv;
	ev.n_leg = c->talkerc;
	m.body_case = MP__MESSAGE__BODY_TALKERS;
	m.talkers = &ev;
	mpsrv_send(c->mx, &m);
}

void mpev_key_limit(struct conf *c, const struct leg *leg, const struct gkey *gk, bool rx, bool hard)
{
	Mp__Message m = MP__MESSAGE__INIT;
	Mp__KeyLimit ev = MP__KEY_LIMIT__INIT;

	ev.conf = c->id;
	ev.leg = leg ? leg->id : 0;
	ev.class_id = gk ? gk->class_id : 0;
	ev.epoch = gk ? gk->epoch : 0;
	ev.rx = rx;
	ev.hard = hard;
	m.body_case = MP__MESSAGE__BODY_KEY_LIMIT;
	m.key_limit = &ev;
	mpsrv_send(c->mx, &m);
	log_info("ev=key-limit conf=%s leg=%llu class=%u epoch=%u dir=%s hard=%d", c->name,
		 (unsigned long long)ev.leg, ev.class_id, ev.epoch, rx ? "rx" : "tx", hard);
}

void mpev_report(struct leg *leg, uint32_t ssrc, uint8_t fraction)
{
	Mp__Message m = MP__MESSAGE__INIT;
	Mp__LegReport ev = MP__LEG_REPORT__INIT;

	ev.conf = leg->conf->id;
	ev.leg = leg->id;
	ev.about_ssrc = ssrc;
	ev.fraction_lost = fraction;
	if (leg->cfg.group && !(leg->own.srtp && leg->own.ssrc == ssrc)) {
		ev.class_id = leg->cfg.group->class_id;
		ev.epoch = leg->cfg.group->epoch;
	}
	m.body_case = MP__MESSAGE__BODY_LEG_REPORT;
	m.leg_report = &ev;
	mpsrv_send(leg->conf->mx, &m);
}

void mpev_bye(struct leg *leg)
{
	Mp__Message m = MP__MESSAGE__INIT;
	Mp__LegBye ev = MP__LEG_BYE__INIT;

	if (!mpev_may(&leg->byes, BYE_US, now_usec()))
		return;

	ev.conf = leg->conf->id;
	ev.leg = leg->id;
	m.body_case = MP__MESSAGE__BODY_LEG_BYE;
	m.leg_bye = &ev;
	mpsrv_send(leg->conf->mx, &m);
}

void mpev_dtmf(struct leg *leg, uint8_t event)
{
	Mp__Message m = MP__MESSAGE__INIT;
	Mp__Dtmf ev = MP__DTMF__INIT;

	if (!mpev_may(&leg->keys, KEY_US, now_usec()))
		return;

	ev.conf = leg->conf->id;
	ev.leg = leg->id;
	ev.event = event;
	m.body_case = MP__MESSAGE__BODY_DTMF;
	m.dtmf = &ev;
	mpsrv_send(leg->conf->mx, &m);
}
