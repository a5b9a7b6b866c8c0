/**
 * @file legrx.c  Packets from a leg
 *
 * Authenticate and decrypt first, then believe: nothing of a leg changes for
 * a packet that did not authenticate, except a counter.
 *
 * Refs: RFC 3711 section 3.3, RFC 3550 section 8.2, RFC 4733 section 2.5
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include "mixer.h"

enum {
	PT_CN = 13,              /* RFC 3389 */
	TELL_US = 1000000,       /* between events of a changing SSRC */
};

static uint32_t ssrc_of(const uint8_t *pkt, bool rtcp)
{
	const uint8_t *p = pkt + (rtcp ? 4 : 8);

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool ssrc_admit(const struct rxset *rs, uint32_t ssrc)
{
	unsigned i;

	for (i = 0; i < rs->ssrcc; i++)
		if (rs->ssrcv[i] == ssrc)
			return true;

	/* Each one costs state in libsrtp, and what was heard of it must be
	   known for as long as the key is.  But a phone that begins a stream
	   anew when it resumes, or a PBX with music on hold, uses up any few. */
	return rs->ssrcc < LEG_SSRCS ||
		(rs->ssrcc < LEG_SSRCS_MAX && now_usec() >= rs->ssrc_us + LEG_SSRC_MS * 1000ULL);
}

/* Which of two rollover counters is the peer's?  See legkey.c */
static enum msrtp_err try_counts(struct leg *leg, struct rxset *rs, struct rxkey *k,
				 uint8_t *pkt, size_t *lenp)
{
	const bool open = rs->kept_roc && ssrc_of(pkt, false) == rs->kept_ssrc;
	enum msrtp_err e = msrtp_unprotect(k->srtp, pkt, lenp);
	bool kept = false;

	if (!open)
		return e;

	if (e == MSRTP_AUTH && k->kept) {
		memcpy(pkt, leg->conf->mx->rxcopy, *lenp);
		e = msrtp_unprotect(k->kept, pkt, lenp);
		kept = !e;
	}
	if (!e)
		legkey_rx_counts(leg, rs, k, kept);

	return e;
}

static enum msrtp_err try_key(struct leg *leg, struct rxset *rs, struct rxkey *k, uint8_t *pkt,
			      size_t *lenp, bool rtcp)
{
	enum msrtp_err e;

	if (rtcp)
		return msrtp_unprotect_rtcp(k->srtp, pkt, lenp);

	/* RFC 4568 section 6.1: a lifetime that the peer declared is kept */
	if (k->used >= k->key.lifetime) {
		if (!k->hard_told)
			mpev_key_limit(leg->conf, leg, NULL, true, true);
		k->hard_told = true;
		return MSRTP_LIMIT;
	}

	e = try_counts(leg, rs, k, pkt, lenp);
	if (!e && ++k->used >= k->key.lifetime - k->key.lifetime / 4 && !k->soft_told) {
		k->soft_told = true;
		mpev_key_limit(leg->conf, leg, NULL, true, false);
	}

	return e;
}

static enum msrtp_err try_set(struct leg *leg, struct rxset *rs, uint8_t *pkt, size_t *lenp, bool rtcp)
{
	const uint32_t ssrc = ssrc_of(pkt, rtcp);
	enum msrtp_err e = MSRTP_AUTH;
	unsigned i;

	if (!ssrc_admit(rs, ssrc))
		return MSRTP_BAD;

	/* several keys only with MKI, which libsrtp compares before it
	   touches the packet: no trial decryption */
	for (i = 0; i < rs->c; i++) {
		e = try_key(leg, rs, &rs->v[i], pkt, lenp, rtcp);
		if (e != MSRTP_BAD)
			break;
	}
	/* RFC 3550 section 8.2: it is ours to move away */
	if (!e && rxset_ssrc_add(rs, ssrc)) {
		rs->ssrc_us = now_usec();
		conf_ssrc_collide(leg, ssrc);
	}

	return e;
}

static enum msrtp_err unprotect(struct leg *leg, uint8_t *pkt, size_t *lenp, bool rtcp)
{
	struct mixer *mx = leg->conf->mx;
	const size_t len = *lenp;
	enum msrtp_err e;

	if (!leg->rx.c)
		return MSRTP_AUTH;
	if (!leg->rx_old.c && !leg->rx.kept_roc)
		return try_set(leg, &leg->rx, pkt, lenp, rtcp);

	/* a failed attempt may leave the packet in shreds */
	memcpy(mx->rxcopy, pkt, len);
	e = try_set(leg, &leg->rx, pkt, lenp, rtcp);
	if (!leg->rx_old.c)
		return e;
	if (!e) {
		legkey_rx_confirmed(leg);
		return e;
	}
	if (e == MSRTP_REPLAY)
		return e;

	memcpy(pkt, mx->rxcopy, len);
	*lenp = len;

	return try_set(leg, &leg->rx_old, pkt, lenp, rtcp);
}

static void count_bad(struct leg *leg, enum msrtp_err e, const union sa *from)
{
	struct mixer *mx = leg->conf->mx;
	char str[SA_STRLEN];
	unsigned left_out;

	switch (e) {

	case MSRTP_REPLAY:
		++leg->stats.replayed;
		return;

	case MSRTP_AUTH:
		++leg->stats.auth_failed;
		break;

	default:
		++leg->stats.dropped;
		return;
	}

	if (log_limit_ok(&mx->auth_log, &left_out))
		log_info("ev=auth-failed conf=%s leg=%llu from=%s left_out=%u", leg->conf->name,
			 (unsigned long long)leg->id, sa_str(from, str), left_out);
}

/* RFC 4733: the key was let go; the packet is sent three times */
static void dtmf(struct leg *leg, const struct rtph *h)
{
	if (h->payload_len < 4 || h->payload[0] > 15 || !(h->payload[1] & 0x80))
		return;
	if (leg->dtmf_seen && leg->dtmf_ts == h->ts)
		return;
	leg->dtmf_seen = true;
	leg->dtmf_ts = h->ts;
	mpev_dtmf(leg, h->payload[0]);
}

static uint32_t arrival(const struct leg *leg, uint64_t now_us)
{
	return (uint32_t)(now_us * (leg->cfg.codec->clock / 1000) / 1000);
}

/* Another source: what was buffered and concealed belongs to the old one */
static void source_changed(struct leg *leg, uint32_t ssrc)
{
	struct conf *c = leg->conf;

	leg->has_src = true;
	leg->src_ssrc = ssrc;
	leg->dtmf_seen = false;
	rtcpx_rx_reset(&leg->rxstat);
	if (leg->spk.slot >= 0) {
		jbuf_flush(conf_src_jbuf(CONF_SRC(c->src), (unsigned)leg->spk.slot));
		(void)conf_dec_open(CONF_DEC(c->slotv[leg->spk.slot].dec), leg->cfg.codec->id);
	}
}

/* May it be chosen?  A free slot is taken with this very packet, so nothing
   of the first word is lost */
static void knock(struct leg *leg, const struct rtph *h, uint64_t now_ms)
{
	struct conf *c = leg->conf;
	struct spk *evicted;
	enum spk_hint hint;
	int level = SPK_SILENT_DBOV;

	hint = activity_look(leg, h, &level);
	if (leg->spk.slot >= 0 || !spk_hint(&c->speakers, &leg->spk, hint, level, now_ms, &evicted))
		return;

	if (evicted)
		conf_slot_close(c, (unsigned)leg->spk.slot);
	if (conf_slot_open(c, (unsigned)leg->spk.slot, leg))
		(void)spk_leave(&c->speakers, &leg->spk);
}

static void audio(struct leg *leg, const struct rtph *h, uint64_t now_us)
{
	const struct codec *codec = leg->cfg.codec;
	const int sampc = codec_duration(codec->id, h->payload, h->payload_len);
	struct pkt *p;

	if (sampc <= 0 || h->payload_len > PKT_PAYLOAD_MAX) {
		++leg->stats.dropped;
		return;
	}

	knock(leg, h, now_us / 1000);
	if (leg->spk.slot < 0)
		return;

	p = pkt_get(&leg->conf->mx->pool);
	if (!p)
		return;
	p->seq = h->seq;
	p->ts = h->ts;
	p->dur = (uint32_t)((uint64_t)sampc * codec->clock / codec->rate);
	p->len = (uint16_t)h->payload_len;
	memcpy(p->payload, h->payload, h->payload_len);
	jbuf_put(conf_src_jbuf(CONF_SRC(leg->conf->src), (unsigned)leg->spk.slot), p, now_us);
}

/* Address and SSRC in one event; a sender that jumps from one to another and
   back must not make an event of every packet.  What is not told now is told
   with a later packet. */
static void tell(struct leg *leg, uint64_t now_us)
{
	if (!leg->moved &&
	    (leg->told_ssrc == leg->src_ssrc || now_us - leg->told_us < TELL_US))
		return;
	if (!mpev_may(&leg->moves, TELL_US, now_us))
		return;

	leg->moved = false;
	leg->told_ssrc = leg->src_ssrc;
	leg->told_us = now_us;
	mpev_latched(leg);
}

/* A member may jump about in its sequence, so this is bounded, too */
static void wrapped(struct leg *leg, uint64_t now_us)
{
	uint32_t roc = 0;
	unsigned i;

	for (i = 0; i < leg->rx.c && !roc; i++)
		roc = msrtp_roc(leg->rx.v[i].srtp, leg->src_ssrc);
	if (roc && mpev_may(&leg->wraps, TELL_US, now_us))
		mpev_roc(leg, roc);
}

static void rtp_input(struct leg *leg, uint8_t *pkt, size_t len, const union sa *from)
{
	const uint64_t now_us = now_usec();
	enum msrtp_err e;
	struct rtph h;

	if (len < RTPH_SIZE || pkt[0] >> 6 != 2) {
		++leg->stats.dropped;
		return;
	}
	e = unprotect(leg, pkt, &len, false);
	if (e) {
		count_bad(leg, e, from);
		return;
	}

	leg->heard_us = now_us;
	++leg->stats.rx;
	if (rtph_decode(&h, pkt, len)) {
		++leg->stats.dropped;
		return;
	}

	if (!leg->has_src || leg->src_ssrc != h.ssrc)
		source_changed(leg, h.ssrc);
	/* only forward: a packet that was overtaken tells where the peer was */
	if (!leg->rxstat.started || rtph_seq_diff(h.seq, leg->rxstat.max_seq) > 0)
		legnet_latch(leg, from);
	tell(leg, now_us);
	if (leg->rxstat.started && h.seq < leg->rxstat.max_seq &&
	    rtph_seq_diff(h.seq, leg->rxstat.max_seq) > 0)
		wrapped(leg, now_us);
	rtcpx_rx_packet(&leg->rxstat, h.seq, h.ts, arrival(leg, now_us));

	if (leg->cfg.dtmf_pt && h.pt == leg->cfg.dtmf_pt)
		dtmf(leg, &h);
	else if (h.pt == leg->cfg.pt && leg->cfg.recv)
		audio(leg, &h, now_us);
	else if (h.pt != leg->cfg.pt && h.pt != PT_CN)
		++leg->stats.dropped;
}

static void rtcp_input(struct leg *leg, uint8_t *pkt, size_t len, const union sa *from, bool mux)
{
	enum msrtp_err e;

	if (len < 8 || pkt[0] >> 6 != 2) {
		++leg->stats.dropped;
		return;
	}
	e = unprotect(leg, pkt, &len, true);
	if (e) {
		count_bad(leg, e, from);
		return;
	}

	leg->heard_us = now_usec();
	if (!mux)
		legnet_latch_rtcp(leg, from);
	legrtcp_input(leg, pkt, len);
}

/* Nothing of a leg has changed since its packets came, and none has gone */
void legrx_drained(void *arg)
{
	struct inbox *in = &((struct mixer *)arg)->inbox;
	unsigned i;

	for (i = 0; i < in->c; i++) {
		struct inpkt *p = &in->v[i];
		const bool mux = !p->rtcp && p->leg->cfg.rtcp_mux && rtph_is_rtcp(p->buf, p->len);

		if (p->rtcp || mux)
			rtcp_input(p->leg, p->buf, p->len, &p->from, mux);
		else
			rtp_input(p->leg, p->buf, p->len, &p->from);
	}
	in->c = 0;
}

/* The kernel's way in is long: first take many out, then look at them, so that
   neither drives the other out of the processor's caches */
static void receive(struct leg *leg, int fd, bool rtcp)
{
	struct inbox *in = &leg->conf->mx->inbox;
	struct inpkt *p = &in->v[in->c];
	socklen_t len = sizeof(p->from);
	ssize_t n;

	/* what does not fit is cut, and then does not authenticate */
	n = recvfrom(fd, p->buf, RTPH_MTU, MSG_DONTWAIT, &p->from.sa, &len);
	if (n < 0)
		return;               /* ICMP errors are cleared by the call */

	p->leg = leg;
	p->rtcp = rtcp;
	p->len = (size_t)n;
	if (++in->c == INBOX_MAX)
		legrx_drained(leg->conf->mx);
}

void legrx_rtp_readable(uint32_t events, void *arg)
{
	struct leg *leg = arg;

	(void)events;
	receive(leg, leg->rtp_io.fd, false);
}

void legrx_rtcp_readable(uint32_t events, void *arg)
{
	struct leg *leg = arg;

	(void)events;
	receive(leg, leg->rtcp_io.fd, true);
}
