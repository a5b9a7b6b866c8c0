/**
 * @file cmedia.c  Media of one call: sending, receiving, figures
 *
 * Refs: RFC 3550, RFC 3711, RFC 5761
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <openssl/rand.h>
#include "cmedia.h"
#include "cmedia_priv.h"

enum {
	BATCH_MAX   = 64,         /* packets per wake-up, so that timers live */
	CATCH_UP    = 10,         /* frames behind: skip instead of bursting  */
	SEQ_START   = 0x8000,     /* below: RFC 4568 section 6.4              */
};

uint64_t cmedia_now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);

	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void destructor(void *arg)
{
	struct cmedia *m = arg;

	csock_close(&m->rtp);
	csock_close(&m->rtcp);
	mem_deref(m->keys);
	mem_deref(m->cfg.dump);
	mem_deref(m->cfg.rec);
}

void cmedia_new_ssrc(struct cmedia *m)
{
	uint32_t r[3];

	if (RAND_bytes((unsigned char *)r, sizeof(r)) != 1)
		r[0] = rand_u32(), r[1] = rand_u32(), r[2] = rand_u32();

	m->ssrc = r[0];
	m->seq  = (uint16_t)(r[1] % SEQ_START);
	m->ts   = r[2];
	m->marker = true;
}

/* ----- receiving --------------------------------------------------------- */

static void count_bad(struct cmedia_stats *st, enum msrtp_err e, uint64_t *auth_fail)
{
	if (e == MSRTP_REPLAY)
		++st->replays;
	else if (e == MSRTP_AUTH)
		++*auth_fail;
	else
		++st->malformed;
}

static struct cstream *stream_slot(struct cmedia *m, uint32_t ssrc)
{
	struct cstream *oldest = NULL;

	for (unsigned i = 0; i < m->streamc; i++) {
		struct cstream *s = &m->streamv[i];

		if (s->ssrc == ssrc)
			return s;
		if (!oldest || s->last_us < oldest->last_us)
			oldest = s;
	}

	if (m->streamc < STREAM_MAX)
		oldest = &m->streamv[m->streamc++];
	else
		m->lost_before += rtcpx_rx_lost(&oldest->rx);

	memset(oldest, 0, sizeof(*oldest));
	rtcpx_rx_reset(&oldest->rx);
	oldest->ssrc = ssrc;
	++m->stats.ssrcs;

	return oldest;
}

static void count_arrival(struct cmedia *m, uint64_t arrival_us)
{
	struct cmedia_stats *st = &m->stats;

	if (!st->first_us)
		st->first_us = arrival_us;
	if (m->gap_from_us && arrival_us > m->gap_from_us &&
	    arrival_us - m->gap_from_us > st->longest_gap_us)
		st->longest_gap_us = arrival_us - m->gap_from_us;

	m->gap_from_us = m->recv ? arrival_us : 0;
	st->last_us = arrival_us;
}

static enum codec_id codec_of(const struct cmedia *m, uint8_t pt)
{
	for (unsigned i = 0; i < m->rxc; i++) {
		if (m->rxv[i].pt == pt)
			return m->rxv[i].id;
	}

	return CODEC_NONE;
}

static void recv_rtp(struct cmedia *m, uint8_t *pkt, size_t len, uint64_t arrival_us)
{
	struct cmedia_stats *st = &m->stats;
	struct cstream *s;
	struct rtph h;
	enum msrtp_err e;
	enum codec_id id;
	bool old = false;

	e = ckeys_unprotect(m->keys, false, pkt, &len, arrival_us, &old);
	if (e) {
		count_bad(st, e, &st->auth_fail);
		return;
	}
	if (rtph_decode(&h, pkt, len)) {
		++st->malformed;
		return;
	}

	++st->rx_packets;
	st->rx_bytes += h.payload_len;
	st->old_key += old;
	count_arrival(m, arrival_us);

	s = stream_slot(m, h.ssrc);
	if (s->rx.started && rtph_seq_diff(h.seq, s->rx.max_seq) < 0)
		++st->rx_late;
	s->last_us = arrival_us;

	id = codec_of(m, h.pt);
	if (id == CODEC_NONE) {
		++st->unknown_pt;
		return;
	}
	rtcpx_rx_packet(&s->rx, h.seq, h.ts,
			(uint32_t)(arrival_us * codec_by_id(id)->clock / 1000000));

	if (m->cfg.rec && m->recv) {
		const struct crec_pkt p = {
			.arrival_us = arrival_us, .ssrc = h.ssrc, .ts = h.ts, .seq = h.seq,
			.id = id, .payload = h.payload, .len = h.payload_len,
		};

		crec_packet(m->cfg.rec, &p);
	}
}

static void recv_rtcp(struct cmedia *m, uint8_t *pkt, size_t len, uint64_t arrival_us)
{
	bool old;
	const enum msrtp_err e = ckeys_unprotect(m->keys, true, pkt, &len, arrival_us, &old);

	if (e)
		count_bad(&m->stats, e, &m->stats.rtcp_auth_fail);
	else
		crtcp_recv(m, pkt, len, arrival_us);
}

static void recv_packet(struct cmedia *m, const struct csock *s, struct csock_pkt *p)
{
	cdump_packet(m->cfg.dump, &p->stamp, &p->src, &s->laddr, p->buf, p->len);
	ctap_packet(m->cfg.tap, m->cfg.call, rtph_is_rtcp(p->buf, p->len), p->buf, p->len);
	if (m->stopped)
		return;
	if (!ckeys_rx_key(m->keys)) {
		++m->stats.early;
		return;
	}

	if (rtph_is_rtcp(p->buf, p->len))
		recv_rtcp(m, p->buf, p->len, p->arrival_us);
	else
		recv_rtp(m, p->buf, p->len, p->arrival_us);
}

static void rtp_readable(int flags, void *arg)
{
	struct cmedia *m = arg;
	struct csock_pkt p;
	(void)flags;

	for (int i = 0; i < BATCH_MAX && csock_recv(&m->rtp, &p); i++)
		recv_packet(m, &m->rtp, &p);
}

static void rtcp_readable(int flags, void *arg)
{
	struct cmedia *m = arg;
	struct csock_pkt p;
	(void)flags;

	for (int i = 0; i < BATCH_MAX && csock_recv(&m->rtcp, &p); i++)
		recv_packet(m, &m->rtcp, &p);
}

/* ----- sending ----------------------------------------------------------- */

void cmedia_send(struct cmedia *m, bool rtcp, uint8_t *pkt, size_t len)
{
	const bool other = rtcp && !m->mux;
	const struct csock *s = other ? &m->rtcp : &m->rtp;
	const struct sa *dst = other ? &m->remote_rtcp : &m->remote;

	/* never in clear, whatever went wrong before */
	if (ckeys_protect(m->keys, rtcp, pkt, &len)) {
		++m->stats.tx_errors;
		return;
	}
	if (sendto(s->fd, pkt, len, MSG_DONTWAIT, &dst->u.sa, dst->len) < 0)
		++m->stats.tx_errors;
	else if (rtcp)
		++m->stats.rtcp_tx;
	else
		++m->stats.tx_packets;
}

static void send_frame(struct cmedia *m)
{
	uint8_t pkt[RTPH_MTU + RTPH_TRAILER_MAX];
	const struct rtph h = {
		.marker = m->marker, .pt = m->tx.pt, .seq = m->seq, .ts = m->ts, .ssrc = m->ssrc,
	};
	const uint8_t *frame;
	size_t n, len = 0;

	frame = m->frameh(m->frame++, &len, m->frame_arg);
	n = rtph_encode(pkt, sizeof(pkt), &h);
	if (!frame || n + len > RTPH_MTU)
		return;

	memcpy(pkt + n, frame, len);
	cmedia_send(m, false, pkt, n + len);
	m->marker = false;
	m->tx_bytes += len;
	++m->seq;
}

static bool can_send(const struct cmedia *m)
{
	return m->send && m->frameh && ckeys_has_tx(m->keys) && sa_port(&m->remote) &&
		!sa_is_any(&m->remote);
}

void cmedia_start(struct cmedia *m, uint64_t now_us)
{
	m->running = true;
	m->next_us = now_us;
	m->marker  = true;
	crtcp_start(m, now_us);
}

void cmedia_tick(struct cmedia *m, uint64_t now_us)
{
	const uint64_t step = m->cfg.ptime * 1000u;
	const struct codec *c = codec_by_id(m->tx.id);

	if (!m->running || m->stopped || !c)
		return;

	if (now_us > m->next_us + CATCH_UP * step) {
		const uint64_t n = (now_us - m->next_us) / step;

		m->stats.tx_skipped += n;
		m->next_us += n * step;
		m->ts += (uint32_t)(n * c->clock * m->cfg.ptime / 1000);
		m->marker = true;
	}

	while (now_us >= m->next_us) {
		if (can_send(m))
			send_frame(m);
		else
			m->marker = true;
		m->ts += c->clock * m->cfg.ptime / 1000;
		m->next_us += step;
	}

	crtcp_tick(m, now_us);
}

void cmedia_stop(struct cmedia *m, uint64_t now_us)
{
	if (!m || m->stopped)
		return;

	if (m->running && ckeys_has_tx(m->keys))
		crtcp_report(m, now_us, true);
	if (m->cfg.rec && m->recv)
		crec_close(m->cfg.rec, now_us);
	m->stopped = true;
}

/* ----- set-up ------------------------------------------------------------ */

int cmedia_alloc(struct cmedia **mp, const struct cmedia_cfg *cfg)
{
	struct cmedia *m = mem_zalloc(sizeof(*m), destructor);
	int err;

	if (!m)
		return ENOMEM;

	m->cfg = *cfg;
	m->cfg.dump = mem_ref(cfg->dump);
	m->cfg.rec  = mem_ref(cfg->rec);
	m->rtp.fd = m->rtcp.fd = -1;
	m->send = m->recv = true;
	cmedia_new_ssrc(m);

	err = ckeys_alloc(&m->keys);
	if (!err)
		err = csock_open_pair(&m->rtp, &m->rtcp, cfg->laddr);
	if (!err)
		err = fd_listen(m->rtp.fd, FD_READ, rtp_readable, m);
	if (!err)
		err = fd_listen(m->rtcp.fd, FD_READ, rtcp_readable, m);

	if (err)
		mem_deref(m);
	else
		*mp = m;

	return err;
}

const struct sa *cmedia_laddr(const struct cmedia *m)
{
	return &m->rtp.laddr;
}

uint16_t cmedia_rtcp_port(const struct cmedia *m)
{
	return sa_port(&m->rtcp.laddr);
}

struct ckeys *cmedia_keys(struct cmedia *m)
{
	return m->keys;
}

void cmedia_set_remote(struct cmedia *m, const struct sa *rtp, const struct sa *rtcp, bool mux)
{
	m->remote = *rtp;
	m->remote_rtcp = *rtcp;
	m->mux = mux;
}

void cmedia_set_codec(struct cmedia *m, const struct csdp_fmt *tx,
		      const struct csdp_fmt *rxv, unsigned rxc)
{
	m->tx  = *tx;
	m->rxc = rxc < CSDP_FMT_MAX ? rxc : CSDP_FMT_MAX;
	memcpy(m->rxv, rxv, m->rxc * sizeof(*rxv));
}

void cmedia_set_source(struct cmedia *m, cmedia_frame_h *frameh, void *arg)
{
	m->frameh = frameh;
	m->frame_arg = arg;
}

void cmedia_set_dir(struct cmedia *m, bool send, bool recv, uint64_t now_us)
{
	if (m->recv && !recv && m->cfg.rec)
		crec_close(m->cfg.rec, now_us);

	m->send = send;
	m->recv = recv;
	/* what is not sent to us on hold is no gap */
	m->gap_from_us = 0;
}

void cmedia_stats(const struct cmedia *m, struct cmedia_stats *st)
{
	*st = m->stats;
	st->rx_lost = m->lost_before;
	for (unsigned i = 0; i < m->streamc; i++)
		st->rx_lost += rtcpx_rx_lost(&m->streamv[i].rx);
}
