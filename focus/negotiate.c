/**
 * @file focus/negotiate.c  What we take from a peer's offer or answer
 */
#include <string.h>
#include "focus/negotiate.h"
#include "log.h"

enum { PTIME_MS = 20 };

/* warn-codes of RFC 3261 section 20.43 */
enum { WARN_TRANSPORT = 302, WARN_MEDIA = 304, WARN_FORMAT = 305,
       WARN_MULTICAST = 330, WARN_OTHER = 399 };


static bool suite_allowed(const struct cfg_conf *cc, enum suite_id id)
{
	for (unsigned i = 0; i < cc->suitec; i++) {
		if (cc->suitev[i] == id)
			return true;
	}

	return false;
}


static bool codec_allowed(const struct cfg_conf *cc, enum codec_id id)
{
	for (unsigned i = 0; i < cc->codecc; i++) {
		if (cc->codecv[i] == id)
			return true;
	}

	return false;
}


static int refuse(struct neg_err *e, unsigned warn, const char *text)
{
	/* the first reason is about the line the peer likes best */
	if (!e->text) {
		e->scode = 488;
		e->warn = warn;
		e->text = text;
	}

	return EPROTO;
}


static struct pl crypto_tag(const struct pl *val)
{
	struct pl tag = { val->p, 0 };

	while (tag.l < val->l && val->p[tag.l] != ' ' &&
	       val->p[tag.l] != '\t')
		++tag.l;

	return tag;
}


/** A tag names one line (RFC 4568 section 4.1): doubled, it names none */
static bool tag_unique(const struct descr_media *m, unsigned i)
{
	const struct pl tag = crypto_tag(&m->cryptov[i]);

	for (unsigned j = 0; j < m->cryptoc; j++) {
		const struct pl other = crypto_tag(&m->cryptov[j]);

		if (j != i && !pl_cmp(&tag, &other))
			return false;
	}

	return true;
}


/**
 * First acceptable crypto line, in the peer's order (RFC 4568 section 5.1.1).
 * A line that is wrong, unknown or weak is skipped, as section 6 demands.
 */
static int pick_crypto(struct neg *n, const struct descr_media *m,
		       const struct cfg_conf *cc, struct neg_err *e)
{
	const char *why;

	if (!m->cryptoc)
		return refuse(e, WARN_OTHER, "No a=crypto in the offer");

	for (unsigned i = 0; i < m->cryptoc; i++) {
		struct sdes *sd = &n->sdes;
		enum sdes_err se;

		se = sdes_decode(sd, m->cryptov[i].p, m->cryptov[i].l);
		if (se) {
			(void)refuse(e, WARN_OTHER, sdes_strerror(se));
			continue;
		}

		why = sdes_refuse_reason(sd);
		if (!why && !tag_unique(m, i))
			why = "Duplicate crypto tag";
		if (!why && !suite_allowed(cc, sd->suite->id))
			why = "Crypto suite not allowed by policy";
		if (!why)
			return 0;

		(void)refuse(e, WARN_OTHER, why);
		sdes_reset(sd);
	}

	return EPROTO;
}


static void opus_params(struct neg *n, const struct descr_fmt *f)
{
	uint32_t v;

	n->opus_max_rate = 48000;
	if (!descr_fmtp_u32(&f->fmtp, "maxplaybackrate", &v) && v >= 8000)
		n->opus_max_rate = MIN(v, 48000u);
	n->opus_fec = !descr_fmtp_u32(&f->fmtp, "useinbandfec", &v) && v == 1;
	n->opus_dtx = !descr_fmtp_u32(&f->fmtp, "usedtx", &v) && v == 1;
	n->opus_cbr = !descr_fmtp_u32(&f->fmtp, "cbr", &v) && v == 1;
}


static const struct codec *fmt_codec(const struct descr_fmt *f)
{
	const struct codec *c;

	if (f->pt < 0)
		return NULL;

	c = f->name.l ? codec_by_name(f->name.p, f->name.l, f->clock)
		      : codec_by_pt(f->pt);

	/* stereo G.711 is another payload; Opus says in each packet what it
	 * is, and some phones leave its "/2" out */
	return c && (c->rtpmap_ch || f->channels <= 1) ? c : NULL;
}


/**
 * telephone-event, with the clock of the audio codec if there is one: RFC 4733
 * section 2.1.  Many phones and PBXs have only that of 8000 Hz, also with Opus;
 * we go by the key, not by how long it was held.
 */
static void pick_dtmf(struct neg *n, const struct descr_media *m,
		      uint32_t clock)
{
	for (unsigned i = 0; i < m->fmtc && n->dtmf_clock != clock; i++) {
		const struct descr_fmt *f = &m->fmtv[i];

		/* "96" and "096" are one number, and may not be two formats */
		if (f->pt < 96 || f->pt == n->pt ||
		    (f->clock != clock && (n->dtmf_pt || f->clock != 8000)) ||
		    pl_strcasecmp(&f->name, "telephone-event"))
			continue;
		n->dtmf_pt = (uint8_t)f->pt;
		n->dtmf_clock = f->clock;
	}
}


static int pick_codec(struct neg *n, const struct descr_media *m,
		      const struct cfg_conf *cc, struct neg_err *e)
{
	for (unsigned i = 0; i < m->fmtc; i++) {
		const struct descr_fmt *f = &m->fmtv[i];
		const struct codec *c = fmt_codec(f);

		/* with rtcp-mux 64..95 cannot be told from RTCP: RFC 5761 */
		if (!c || !codec_allowed(cc, c->id) ||
		    (f->pt >= 64 && f->pt <= 95))
			continue;

		n->codec = c->id;
		n->pt = (uint8_t)f->pt;
		n->ptime = PTIME_MS;
		if (c->id == CODEC_OPUS)
			opus_params(n, f);
		pick_dtmf(n, m, c->clock);
		return 0;
	}

	return refuse(e, WARN_FORMAT, "No common codec");
}


static void set_transport(struct neg *n, const struct descr_media *m)
{
	bool in  = m->dir & SDP_SENDONLY;     /* the peer sends     */
	bool out = m->dir & SDP_RECVONLY;     /* the peer receives  */

	n->remote = m->addr;
	n->rtcp_mux = m->rtcp_mux;
	n->rtcp = m->rtcp;
	if (!sa_isset(&n->rtcp, SA_ADDR)) {
		n->rtcp = m->addr;
		sa_set_port(&n->rtcp, (uint16_t)(m->port + 1));
	}

	/* RFC 3264 section 8.4: an address of 0.0.0.0 is hold, too */
	if (m->hold_addr)
		out = false;

	/*
	 * A peer that holds us may send its own music: it must not get into
	 * the conference, so only a peer that listens is heard.
	 */
	n->peer_receives = out;
	n->peer_sends = in && out;
	n->dir = (in ? SDP_RECVONLY : SDP_INACTIVE) |
		 (out ? SDP_SENDONLY : SDP_INACTIVE);
	n->level_ext = m->level_ext;
	n->level_vad = m->level_vad;
}


/** Media for a group of hosts would be an amplifier, aimed by the peer */
static bool is_unicast(const struct sa *sa)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *ip6 = sa->u.in6.sin6_addr.s6_addr;

	if (sa_af(sa) != AF_INET6)
		return sa_in(sa) < 0xe0000000;

	/* a mapped address is one of IPv4, and our sockets may be of both */
	return memcmp(ip6, mapped, sizeof(mapped)) ? ip6[0] != 0xff
						   : ip6[12] < 0xe0;
}


static int pick_line(struct neg *n, const struct descr_media *m,
		     const struct cfg_conf *cc, struct neg_err *e)
{
	if (pl_strcmp(&m->type, "audio"))
		return refuse(e, WARN_MEDIA, "Only audio is offered here");
	if (!m->port)
		return refuse(e, WARN_MEDIA, "Audio line is disabled");

	if (!pl_strcmp(&m->proto, "RTP/SAVP"))
		n->avpf = false;
	else if (!pl_strcmp(&m->proto, "RTP/SAVPF"))
		n->avpf = true;
	else
		return refuse(e, WARN_TRANSPORT,
			      "Only RTP/SAVP with SDES is accepted");

	if (sa_isset(&m->rtcp, SA_ADDR) && sa_af(&m->rtcp) != sa_af(&m->addr))
		return refuse(e, WARN_OTHER, "RTCP of another address family");
	if (!is_unicast(&m->addr) ||
	    (sa_isset(&m->rtcp, SA_ADDR) && !is_unicast(&m->rtcp)))
		return refuse(e, WARN_MULTICAST, "Multicast not available");

	if (pick_codec(n, m, cc, e) || pick_crypto(n, m, cc, e))
		return EPROTO;

	set_transport(n, m);

	/* what was wrong with lines that were passed over */
	memset(e, 0, sizeof(*e));

	return 0;
}


static int decode(struct descr *d, const struct pl *body, struct neg_err *e)
{
	const char *reason = "Malformed SDP";
	int err;

	memset(e, 0, sizeof(*e));
	err = descr_decode(d, body, &reason);
	if (!err)
		return 0;

	e->scode = err == EOVERFLOW ? 488 : 400;
	e->warn  = WARN_OTHER;
	e->text  = reason;

	return EPROTO;
}


int neg_offer(struct neg *n, const struct pl *body, struct descr *d,
	      const struct cfg_conf *cc, bool tls, struct neg_err *e)
{
	if (decode(d, body, e))
		return EPROTO;

	/* a key that came in clear is no key: RFC 4568 section 8.3 */
	if (!tls)
		return refuse(e, WARN_OTHER,
			      "Secure conference: signalling must be TLS");

	for (unsigned i = 0; i < d->mediac; i++) {
		if (pl_strcmp(&d->mediav[i].type, "audio") && d->mediac > 1)
			continue;

		neg_reset(n);
		if (!pick_line(n, &d->mediav[i], cc, e)) {
			n->index = i;
			/* only one who knows MKI is sent any, and only where
			 * it is good for something */
			if (cc->keying != KEYING_ENDPOINT)
				n->mki_len = n->sdes.keyv[0].mki_len;
			if (cc->floor != CFG_FLOOR_NONE)
				neg_floor_pick(&n->floor, d);
			return 0;
		}
	}

	neg_reset(n);

	return refuse(e, WARN_MEDIA, "No audio line");
}


/** An answer takes one of our lines: same tag and same suite, RFC 4568 5.1.3 */
static int check_answer(const struct neg *n, const struct neg_offered *off,
			struct neg_err *e)
{
	for (unsigned i = 0; i < off->linec; i++) {
		if (off->linev[i].tag == n->sdes.tag &&
		    off->linev[i].suite == n->sdes.suite->id)
			return 0;
	}

	return refuse(e, WARN_OTHER,
		      "Answer takes a crypto line that was not offered");
}


int neg_answer(struct neg *n, const struct pl *body, struct descr *d,
	       unsigned index, const struct cfg_conf *cc,
	       const struct neg_offered *off, struct neg_err *e)
{
	int err;

	if (decode(d, body, e))
		return EPROTO;

	neg_reset(n);
	if (index >= d->mediac)
		err = refuse(e, WARN_MEDIA, "Answer lacks the audio line");
	else if (d->mediav[index].cryptoc > 1)
		err = refuse(e, WARN_OTHER, "Answer has several crypto lines");
	else
		err = pick_line(n, &d->mediav[index], cc, e);
	n->index = index;
	if (!err)
		err = check_answer(n, off, e);
	/* ours is the only one that can be in use: others have port 0 */
	if (!err && cc->floor != CFG_FLOOR_NONE)
		neg_floor_pick(&n->floor, d);
	if (err)
		neg_reset(n);

	return err;
}


int neg_offered_draw(struct neg_offered *off, const struct cfg_conf *cc)
{
	int err = 0;

	neg_offered_reset(off);
	for (unsigned i = 0; i < cc->suitec && !err; i++) {
		const struct suite *s = suite_by_id(cc->suitev[i]);

		err = secret_seen_draw(&off->linev[i].key,
				       suite_keysalt_len(s));
		off->linev[i].suite = s->id;
		off->linev[i].tag = i + 1;
		off->linec = i + 1;
	}

	if (err)
		neg_offered_reset(off);

	return err;
}


void neg_offered_reset(struct neg_offered *off)
{
	for (unsigned i = 0; i < off->linec; i++)
		secret_seen_free(&off->linev[i].key);
	memset(off, 0, sizeof(*off));
}


void neg_reset(struct neg *n)
{
	sdes_reset(&n->sdes);
	memset(n, 0, sizeof(*n));
}


int neg_mlines_set(struct neg_mlines *ml, const struct descr *d,
		   unsigned index)
{
	int err = 0;

	neg_mlines_reset(ml);
	for (unsigned i = 0; i < d->mediac && !err; i++) {
		const struct descr_media *m = &d->mediav[i];

		if (i != index)
			err = re_sdprintf(&ml->linev[i], "m=%r 0 %r %r\r\n",
					  &m->type, &m->proto, &m->fmtv[0].id);
		ml->linec = i + 1;
	}

	return err;
}


void neg_mlines_reset(struct neg_mlines *ml)
{
	for (unsigned i = 0; i < ml->linec; i++)
		mem_deref(ml->linev[i]);
	memset(ml, 0, sizeof(*ml));
}
