/**
 * @file mixrig.c  A real conclave-mixer and phones made of a socket and a key
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "mixrig.h"

enum { REPLY_MS = 5000, MIXER_FD = 3 };

uint64_t rig_now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);

	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* ---- Mp ---- */

static void take_stats(struct rig *r, const Mp__Stats *st)
{
	size_t i;

	r->st = *st;
	r->st.leg = NULL;
	r->legstc = 0;
	for (i = 0; i < st->n_leg && i < RIG_PHONES; i++)
		r->legst[r->legstc++] = *st->leg[i];
}

static void take_reply(struct rig *r, const Mp__Message *m)
{
	const Mp__Reply *rep = m->reply;

	r->replied = m->id;
	r->status = rep->status;
	r->port = rep->port;
	r->rtcp_port = rep->rtcp_port;
	r->tx_ssrc = rep->tx_ssrc;
	if (rep->stats)
		take_stats(r, rep->stats);
}

static void message_h(const Mp__Message *m, void *arg)
{
	struct rig *r = arg;
	size_t i;

	switch (m->body_case) {

	case MP__MESSAGE__BODY_REPLY:
		take_reply(r, m);
		break;

	case MP__MESSAGE__BODY_LEG_LATCHED:
		++r->latched;
		r->last_latched = m->leg_latched->leg;
		r->latch_port = m->leg_latched->remote->port;
		r->latch_ssrc = m->leg_latched->ssrc;
		break;

	case MP__MESSAGE__BODY_TALKERS:
		++r->talkers;
		r->talkerc = (unsigned)m->talkers->n_leg;
		for (i = 0; i < m->talkers->n_leg && i < 16; i++)
			r->talkerv[i] = m->talkers->leg[i];
		break;

	case MP__MESSAGE__BODY_KEY_LIMIT:
		++*(m->key_limit->hard ? &r->hard_limits : &r->limits);
		break;

	case MP__MESSAGE__BODY_LEG_ROC:
		r->roc = m->leg_roc->roc;
		r->roc_ssrc = m->leg_roc->ssrc;
		break;

	case MP__MESSAGE__BODY_LEG_REPORT:
		++r->reports;
		r->report_ssrc = m->leg_report->about_ssrc;
		r->report_leg = m->leg_report->leg;
		break;

	case MP__MESSAGE__BODY_LEG_BYE:
		++r->byes;
		break;

	case MP__MESSAGE__BODY_LEG_IDLE:
		++r->idle;
		r->idle_told_ms = m->leg_idle->idle_ms;
		break;

	case MP__MESSAGE__BODY_DTMF:
		++r->dtmf;
		r->last_dtmf = m->dtmf->event;
		break;

	default:
		ck_abort_msg("unexpected message %d", (int)m->body_case);
	}
}

static pid_t spawn(int fd)
{
	const pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid)
		return pid;

	if (fd != MIXER_FD) {
		(void)dup2(fd, MIXER_FD);
		(void)close(fd);
	}
	(void)execl(MIXER, MIXER, "--log-level", "warn", (char *)NULL);
	_exit(127);
}

void rig_start(struct rig *r, int family)
{
	static uint8_t ip4[4] = {127, 0, 0, 1}, ip6[16] = {[15] = 1};
	ProtobufCBinaryData ips[2] = {{4, ip4}, {16, ip6}};
	Mp__Message m = MP__MESSAGE__INIT;
	Mp__Hello hello = MP__HELLO__INIT;
	int sv[2];

	memset(r, 0, sizeof(*r));
	r->family = family;
	ck_assert_int_eq(msrtp_init(MSRTP_OPENSSL), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	r->pid = spawn(sv[1]);
	(void)close(sv[1]);
	ck_assert_int_eq(mpconn_new(&r->mc, sv[0], message_h, r), 0);

	hello.version = MP_VERSION;
	hello.media_ip = ips;
	hello.n_media_ip = family == AF_INET6 ? 2 : 1;
	hello.port_min = 20000 + (uint32_t)(getpid() % 1000) * 40;
	hello.port_max = hello.port_min + 199;
	hello.log_level = 1;
	m.body_case = MP__MESSAGE__BODY_HELLO;
	m.hello = &hello;
	ck_assert_int_eq(rig_request(r, &m), MP__STATUS__OK);
}

static void phone_close(struct phone *p)
{
	unsigned i;

	(void)close(p->fd);
	if (p->rtcp_fd >= 0)
		(void)close(p->rtcp_fd);
	secret_free(&p->tx_secret);
	secret_free(&p->rx_secret);
	msrtp_free(&p->tx);
	for (i = 0; i < p->rxc; i++)
		msrtp_free(&p->rxv[i].srtp);
	codec_enc_free(&p->enc);
	codec_dec_free(&p->dec);
	free(p->pcm);
	free(p->wirev);
}

void rig_phones_gone(struct rig *r)
{
	unsigned i;

	for (i = 0; i < r->phonec; i++)
		phone_close(&r->phonev[i]);
	memset(r->phonev, 0, sizeof(r->phonev));
	r->phonec = 0;
}

void rig_stop(struct rig *r)
{
	int status;

	mpconn_free(&r->mc);
	ck_assert_int_eq(waitpid(r->pid, &status, 0), r->pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	rig_phones_gone(r);
	msrtp_close();
}

static bool replied(struct rig *r, void *arg)
{
	return r->replied == *(uint64_t *)arg;
}

Mp__Status rig_request(struct rig *r, Mp__Message *m)
{
	uint64_t id = ++r->id;

	m->id = id;
	ck_assert_int_eq(mpconn_send(r->mc, m), 0);
	ck_assert(rig_run(r, REPLY_MS, replied, &id));

	return r->status;
}

Mp__Status rig_conf(struct rig *r, uint64_t conf, unsigned speakers)
{
	Mp__Message m = MP__MESSAGE__INIT;
	Mp__ConfSet cs = MP__CONF_SET__INIT;

	cs.conf = conf;
	cs.max_speakers = speakers;
	cs.name = (char *)(uintptr_t)"test";
	m.body_case = MP__MESSAGE__BODY_CONF_SET;
	m.conf_set = &cs;

	return rig_request(r, &m);
}

Mp__Status rig_release(struct rig *r, uint64_t conf)
{
	Mp__Message m = MP__MESSAGE__INIT;
	Mp__ConfRelease cr = MP__CONF_RELEASE__INIT;

	cr.conf = conf;
	m.body_case = MP__MESSAGE__BODY_CONF_RELEASE;
	m.conf_release = &cr;

	return rig_request(r, &m);
}

Mp__Status rig_stats(struct rig *r, uint64_t conf)
{
	Mp__Message m = MP__MESSAGE__INIT;
	Mp__StatsGet sg = MP__STATS_GET__INIT;

	sg.conf = conf;
	m.body_case = MP__MESSAGE__BODY_STATS_GET;
	m.stats_get = &sg;

	return rig_request(r, &m);
}

Mp__LegStats *rig_legstats(struct rig *r, const struct phone *p)
{
	unsigned i;

	ck_assert_int_eq(rig_stats(r, CONF), MP__STATUS__OK);
	for (i = 0; i < r->legstc; i++)
		if (r->legst[i].leg == p->leg)
			return &r->legst[i];
	ck_abort_msg("no such leg in the statistics");
}

static void fill_key(Mp__Key *k, const struct suite *suite, const struct secret *s)
{
	mp__key__init(k);
	k->suite = suite->id;
	k->keysalt.data = (uint8_t *)(uintptr_t)secret_bytes(s);
	k->keysalt.len = secret_len(s);
}

Mp__Status rig_key(struct rig *r, uint32_t class_id, uint32_t epoch, enum suite_id suite,
		   enum codec_id codec, uint8_t pt, struct secret **sp, uint32_t *keynop)
{
	Mp__Message m = MP__MESSAGE__INIT;
	Mp__KeyInstall ki = MP__KEY_INSTALL__INIT;
	uint8_t mki;
	Mp__Key k;

	if (!*sp)
		ck_assert_int_eq(secret_draw(sp, suite_keysalt_len(suite_by_id(suite))), 0);
	fill_key(&k, suite_by_id(suite), *sp);
	ki.conf = CONF;
	ki.class_id = class_id;
	ki.epoch = epoch;
	ki.codec = codec;
	ki.pt = pt;
	ki.ptime = 20;
	ki.key = &k;
	m.body_case = MP__MESSAGE__BODY_KEY_INSTALL;
	m.key_install = &ki;
	*keynop = ++r->keyc;
	mki = (uint8_t)r->keyc;
	k.mki.data = &mki;
	k.mki.len = r->mki;

	return rig_request(r, &m);
}

Mp__Status rig_retire(struct rig *r, uint32_t class_id, uint32_t epoch)
{
	Mp__Message m = MP__MESSAGE__INIT;
	Mp__KeyRetire kr = MP__KEY_RETIRE__INIT;

	kr.conf = CONF;
	kr.class_id = class_id;
	kr.epoch = epoch;
	m.body_case = MP__MESSAGE__BODY_KEY_RETIRE;
	m.key_retire = &kr;

	return rig_request(r, &m);
}

/* ---- phones ---- */

static int udp(int family, struct sockaddr_storage *ss)
{
	const int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*ss);

	ck_assert_int_ge(fd, 0);
	memset(ss, 0, sizeof(*ss));
	ss->ss_family = (sa_family_t)family;
	if (family == AF_INET)
		((struct sockaddr_in *)ss)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		((struct sockaddr_in6 *)ss)->sin6_addr.s6_addr[15] = 1;
	ck_assert_int_eq(bind(fd, (struct sockaddr *)ss,
			      family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)ss, &len), 0);

	return fd;
}

static void to_port(struct phone *p, struct sockaddr_storage *ss, int family, uint32_t port)
{
	memset(ss, 0, sizeof(*ss));
	ss->ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)ss;

		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		in->sin_port = htons((uint16_t)port);
		p->salen = sizeof(*in);
	}
	else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

		in6->sin6_addr.s6_addr[15] = 1;
		in6->sin6_port = htons((uint16_t)port);
		p->salen = sizeof(*in6);
	}
}

static void fill_addr(Mp__Address *a, int fd, uint8_t ip[16])
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	mp__address__init(a);
	(void)getsockname(fd, (struct sockaddr *)&ss, &len);
	if (ss.ss_family == AF_INET) {
		memcpy(ip, &((struct sockaddr_in *)&ss)->sin_addr, 4);
		a->ip.len = 4;
		a->port = ntohs(((struct sockaddr_in *)&ss)->sin_port);
	}
	else {
		memcpy(ip, &((struct sockaddr_in6 *)&ss)->sin6_addr, 16);
		a->ip.len = 16;
		a->port = ntohs(((struct sockaddr_in6 *)&ss)->sin6_port);
	}
	a->ip.data = ip;
}

void phone_add_rx(struct phone *p, const struct suite *suite, const struct secret *s, uint32_t keyno)
{
	ck_assert_uint_lt(p->rxc, RIG_RXKEYS);
	const uint8_t mki = (uint8_t)keyno;

	ck_assert_int_eq(msrtp_new(&p->rxv[p->rxc].srtp, MSRTP_RX, suite, s, &mki, p->mki), 0);
	p->rxv[p->rxc++].keyno = keyno;
}

void phone_fresh_tx(struct rig *r, struct phone *p)
{
	(void)r;
	msrtp_free(&p->tx);
	secret_free(&p->tx_secret);
	ck_assert_int_eq(secret_draw(&p->tx_secret, suite_keysalt_len(p->suite)), 0);
	ck_assert_int_eq(msrtp_new(&p->tx, MSRTP_TX, p->suite, p->tx_secret, NULL, 0), 0);
}

Mp__Status phone_remove(struct rig *r, struct phone *p)
{
	Mp__Message m = MP__MESSAGE__INIT;
	Mp__LegRemove lr = MP__LEG_REMOVE__INIT;

	lr.conf = CONF;
	lr.leg = p->leg;
	m.body_case = MP__MESSAGE__BODY_LEG_REMOVE;
	m.leg_remove = &lr;
	p->talking = false;

	return rig_request(r, &m);
}

Mp__Status phone_gate(struct rig *r, struct phone *p, bool open)
{
	Mp__Message m = MP__MESSAGE__INIT;
	Mp__Gate g = MP__GATE__INIT;

	g.conf = CONF;
	g.leg = p->leg;
	g.open = open;
	m.body_case = MP__MESSAGE__BODY_GATE;
	m.gate = &g;

	return rig_request(r, &m);
}

Mp__Status phone_set(struct rig *r, struct phone *p, uint32_t class_id, uint32_t epoch, bool both, bool own)
{
	Mp__Message m = MP__MESSAGE__INIT;
	Mp__LegSet ls = MP__LEG_SET__INIT;
	Mp__Key rx, tx, *rxp = &rx;
	Mp__Address a, a2;
	Mp__TxGroup g = MP__TX_GROUP__INIT;
	uint8_t ip[16], ip2[16], mki;
	Mp__Status st;

	fill_key(&rx, p->suite, p->tx_secret);
	fill_key(&tx, p->suite, p->rx_secret);
	rx.lifetime = tx.lifetime = p->lifetime;
	fill_addr(&a, p->fd, ip);
	ls.conf = CONF;
	ls.leg = p->leg;
	ls.codec = p->codec->id;
	ls.pt = p->pt;
	ls.ptime = p->ptime;
	ls.opus_fec = p->fec;
	ls.dtmf_pt = 101;
	ls.level_ext = (uint32_t)p->level_ext;
	ls.rtcp_mux = p->mux;
	ls.send = true;
	ls.recv = !p->no_recv;
	ls.idle_ms = p->idle_ms;
	ls.remote = &a;
	if (!p->mux) {
		fill_addr(&a2, p->rtcp_fd, ip2);
		ls.remote_rtcp = &a2;
	}
	ls.rx = &rxp;
	ls.n_rx = 1;
	if (own)
		ls.tx = &tx;
	mki = (uint8_t)p->rxv[0].keyno;
	tx.mki.data = &mki;
	tx.mki.len = p->mki;
	if (class_id) {
		g.class_id = class_id;
		g.epoch = epoch;
		ls.group = &g;
	}
	ls.tx_both = both;
	ls.family = r->family == AF_INET6 ? 6 : 4;
	ls.rx_ssrc = r->roc_ssrc;
	ls.rx_roc = r->roc;
	m.body_case = MP__MESSAGE__BODY_LEG_SET;
	m.leg_set = &ls;

	st = rig_request(r, &m);
	if (st == MP__STATUS__OK) {
		to_port(p, &p->mixer, r->family, r->port);
		to_port(p, &p->mixer_rtcp, r->family, r->rtcp_port);
	}

	return st;
}

static uint8_t pt_of(const struct codec *c)
{
	return c->pt >= 0 ? (uint8_t)c->pt : 96;
}

struct phone *phone_add(struct rig *r, const struct phone_opt *o)
{
	struct phone *p = &r->phonev[r->phonec];
	const struct codec_cfg cfg = {.complexity = 0};
	struct sockaddr_storage ss;
	uint32_t rnd[3];

	ck_assert_uint_lt(r->phonec, RIG_PHONES);
	p->leg = 100 + r->phonec++;
	p->codec = codec_by_id(o->codec ? o->codec : CODEC_PCMA);
	p->suite = suite_by_id(o->suite ? o->suite : SUITE_AES_CM_128_HMAC_SHA1_80);
	p->pt = pt_of(p->codec);
	p->ptime = o->ptime ? o->ptime : 20;
	p->mux = !o->no_mux;
	p->fec = o->fec;
	p->mki = o->mki;
	p->talking = o->freq > 0;
	p->rtcp_fd = -1;
	p->fd = udp(r->family, &ss);
	if (o->no_mux)
		p->rtcp_fd = udp(r->family, &ss);
	tone_gen_init(&p->tone, o->freq, p->codec->rate, -20);
	phone_fresh_tx(r, p);
	ck_assert_int_eq(secret_draw(&p->rx_secret, suite_keysalt_len(p->suite)), 0);
	phone_add_rx(p, p->suite, p->rx_secret, ++r->keyc);
	if (o->group)
		phone_add_rx(p, p->suite, o->group, o->keyno);
	p->level_ext = o->level_ext;
	p->level = o->level;
	p->lifetime = o->lifetime;
	ck_assert_int_eq(codec_enc_new(&p->enc, p->codec->id, &cfg), 0);
	ck_assert_int_eq(codec_dec_new(&p->dec, p->codec->id), 0);
	p->pcm = calloc(RIG_PCM, sizeof(*p->pcm));
	p->wirev = calloc(RIG_WIRE, sizeof(*p->wirev));
	ck_assert(p->pcm && p->wirev);

	/* the stream's start: any numbers, SEQ below 2^15 */
	memcpy(rnd, secret_bytes(p->rx_secret), sizeof(rnd));
	p->ssrc = rnd[0];
	p->ts = rnd[1];
	p->seq = rnd[2] & 0x7fff;
	ck_assert_int_eq(phone_set(r, p, o->class_id, o->epoch, o->both, !o->no_own_key), MP__STATUS__OK);

	return p;
}

/* Header extension of one element (RFC 8285), for the level (RFC 6464) */
static size_t put_level(const struct phone *p, uint8_t *buf, size_t len)
{
	const uint8_t ext[8] = {0xbe, 0xde, 0, 1, (uint8_t)(p->level_ext << 4),
				(uint8_t)(0x80 | p->level), 0, 0};

	buf[0] |= 0x10;
	memcpy(buf + len, ext, sizeof(ext));

	return len + sizeof(ext);
}

size_t phone_build(struct phone *p, uint8_t *buf)
{
	int16_t pcm[48 * 60];
	const size_t sampc = p->codec->rate / 1000 * p->ptime;
	struct rtph h = {.pt = p->pt, .seq = p->seq++, .ts = p->ts, .ssrc = p->ssrc};
	size_t len = rtph_encode(buf, RTPH_MTU, &h);
	int n;

	tone_gen_fill(&p->tone, pcm, sampc);
	if (p->level_ext)
		len = put_level(p, buf, len);
	n = codec_encode(p->enc, pcm, sampc, buf + len, RTPH_MTU - len);
	ck_assert_int_gt(n, 0);
	len += (size_t)n;
	p->ts += p->codec->clock / 1000 * p->ptime;
	ck_assert_int_eq(msrtp_protect(p->tx, buf, &len), MSRTP_OK);

	return len;
}

void phone_raw(struct phone *p, int fd, const uint8_t *buf, size_t len)
{
	(void)sendto(fd < 0 ? p->fd : fd, buf, len, 0, (struct sockaddr *)&p->mixer, p->salen);
}

void phone_send_frame(struct phone *p, int fd)
{
	uint8_t buf[RTPH_MTU + RTPH_TRAILER_MAX];
	const size_t len = phone_build(p, buf);

	phone_raw(p, fd, buf, len);
}

void phone_send_rtcp(struct phone *p, const struct rtcpx *x)
{
	uint8_t buf[RTPH_MTU + RTPH_TRAILER_MAX];
	size_t len = rtcpx_encode(buf, RTPH_MTU, x);

	ck_assert_uint_gt(len, 0);
	ck_assert_int_eq(msrtp_protect_rtcp(p->tx, buf, &len), MSRTP_OK);
	(void)sendto(p->mux ? p->fd : p->rtcp_fd, buf, len, 0,
		     (struct sockaddr *)&p->mixer_rtcp, p->salen);
}

void phone_forget_audio(struct phone *p)
{
	memset(p->pcm, 0, RIG_PCM * sizeof(*p->pcm));
	p->pcmc = 0;
	p->heard_ssrc = 0;
}

static bool is_loud(const int16_t *pcm, int n)
{
	int i, c = 0;

	for (i = 0; i < n; i++)
		c += abs(pcm[i]) > 1000;

	return c > n / 4;
}

/* Audio lies where its time stamp says, so holes are heard as such */
static void hear(struct phone *p, const struct rtph *h)
{
	size_t at;
	int n;

	if (h->ssrc != p->heard_ssrc) {
		++p->ssrc_changes;
		p->heard_ssrc = h->ssrc;
		p->base_ts = h->ts;
		p->base_at = p->pcmc;
	}
	at = p->base_at + (size_t)((uint64_t)(h->ts - p->base_ts) * p->codec->rate / p->codec->clock);
	if (at + 5760 > RIG_PCM)
		return;
	n = codec_decode(p->dec, h->payload, h->payload_len, p->pcm + at, RIG_PCM - at);
	ck_assert_int_gt(n, 0);
	if (!p->loud_us && is_loud(p->pcm + at, n))
		p->loud_us = rig_now_us();
	if (at + (size_t)n > p->pcmc)
		p->pcmc = at + (size_t)n;
}

static void take_rtcp(struct phone *p, const uint8_t *pkt, size_t len)
{
	++p->rtcpc;
	ck_assert_int_eq(rtcpx_decode(&p->last_rtcp, pkt, len), 0);
	if (p->last_rtcp.byec) {
		++p->byes;
		p->bye_ssrc = p->last_rtcp.byev[0];
	}
}

static void note_wire(struct phone *p, const uint8_t *pkt, size_t len, uint32_t keyno, bool rtcp)
{
	struct wire *w;

	if (p->wirec == RIG_WIRE)
		return;
	w = &p->wirev[p->wirec++];
	w->len = (uint16_t)len;
	w->seq = (uint16_t)(pkt[2] << 8 | pkt[3]);
	memcpy(&w->ssrc, pkt + (rtcp ? 4 : 8), 4);
	w->keyno = keyno;
	w->rtcp = rtcp;
	memcpy(w->v, pkt, len);
}

static void receive(struct phone *p, int fd)
{
	uint8_t raw[1600], buf[1600];
	struct rtph h;
	unsigned i;
	ssize_t n;

	while ((n = recv(fd, raw, sizeof(raw), 0)) > 0) {
		const bool rtcp = rtph_is_rtcp(raw, (size_t)n);
		enum msrtp_err e = MSRTP_AUTH;
		size_t len;

		for (i = 0; i < p->rxc && e; i++) {
			len = (size_t)n;
			memcpy(buf, raw, len);
			e = rtcp ? msrtp_unprotect_rtcp(p->rxv[i].srtp, buf, &len)
				: msrtp_unprotect(p->rxv[i].srtp, buf, &len);
		}
		if (e) {
			++p->auth_failed;
			note_wire(p, raw, (size_t)n, 0, rtcp);
			continue;
		}
		note_wire(p, raw, (size_t)n, p->rxv[i - 1].keyno, rtcp);
		if (rtcp) {
			take_rtcp(p, buf, len);
			continue;
		}
		ck_assert_int_eq(rtph_decode(&h, buf, len), 0);
		ck_assert_uint_eq(h.pt, p->pt);
		++p->rtpc;
		p->markers += h.marker;
		p->toc = h.payload_len ? h.payload[0] : 0;
		p->csrcc = h.csrcc;
		memcpy(p->csrcv, h.csrcv, sizeof(h.csrcv));
		hear(p, &h);
	}
}

static void send_due(struct rig *r, uint64_t now)
{
	unsigned i;

	for (i = 0; i < r->phonec; i++) {
		struct phone *p = &r->phonev[i];

		if (!p->talking)
			continue;
		if (!p->next_us)
			p->next_us = now + i * 3000;     /* not all at once */
		while (p->next_us <= now) {
			phone_send_frame(p, -1);
			p->next_us += p->ptime * 1000;
		}
	}
}

bool rig_run(struct rig *r, unsigned ms, rig_cond *cond, void *arg)
{
	const uint64_t end = rig_now_us() + (uint64_t)ms * 1000;

	for (;;) {
		struct pollfd pv[1 + 2 * RIG_PHONES];
		const uint64_t now = rig_now_us();
		nfds_t n = 0;
		unsigned i;

		if (cond && cond(r, arg))
			return true;
		if (now >= end)
			return !cond;

		send_due(r, now);
		pv[n++] = (struct pollfd){mpconn_fd(r->mc), POLLIN, 0};
		for (i = 0; i < r->phonec; i++) {
			pv[n++] = (struct pollfd){r->phonev[i].fd, POLLIN, 0};
			if (r->phonev[i].rtcp_fd >= 0)
				pv[n++] = (struct pollfd){r->phonev[i].rtcp_fd, POLLIN, 0};
		}
		(void)poll(pv, n, 1);
		if (pv[0].revents)
			ck_assert_int_eq(mpconn_readable(r->mc), 0);
		for (i = 0; i < r->phonec; i++) {
			receive(&r->phonev[i], r->phonev[i].fd);
			if (r->phonev[i].rtcp_fd >= 0)
				receive(&r->phonev[i], r->phonev[i].rtcp_fd);
		}
	}
}

static void find(const struct phone *p, double freq, struct tone_found *tf)
{
	/* the first 200 ms: jitter buffers fill, encoders warm up */
	const size_t skip = p->codec->rate / 5;

	memset(tf, 0, sizeof(*tf));
	tf->level_dbfs = -120;
	if (p->pcmc > skip)
		tone_find(tf, p->pcm + skip, p->pcmc - skip, p->codec->rate, freq);
}

double phone_hears(const struct phone *p, double freq)
{
	struct tone_found tf;

	find(p, freq, &tf);

	return tf.level_dbfs;
}

unsigned phone_gap_ms(const struct phone *p, double freq)
{
	struct tone_found tf;

	find(p, freq, &tf);

	return tf.longest_gap_ms;
}
