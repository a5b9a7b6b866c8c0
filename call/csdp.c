/**
 * @file csdp.c  SDP of one call: parse the peer's, judge it, write ours
 */
#include <errno.h>
#include <string.h>
#include <openssl/crypto.h>
#include "csdp.h"

static const char *const dir_namev[] = {
	[CSDP_INACTIVE] = "inactive", [CSDP_SENDONLY] = "sendonly",
	[CSDP_RECVONLY] = "recvonly", [CSDP_SENDRECV] = "sendrecv",
};

const char *csdp_dir_name(enum csdp_dir dir)
{
	return dir_namev[dir];
}

/* ----- parser ------------------------------------------------------------ */

struct parser {
	struct csdp *s;
	bool in_media;               /* behind some m= line                  */
	bool in_audio;               /* behind the one that counts           */
	struct sa addr;              /* session-level c=                     */
	enum csdp_dir dir;           /* session-level direction              */
	uint16_t port;
	uint16_t rtcp_port;
	uint8_t ptv[CSDP_FMT_MAX];   /* payload types in order of preference */
	unsigned ptc;
	struct csdp_fmt mapv[CSDP_FMT_MAX]; /* rtpmaps of codecs we know     */
	unsigned mapc;
	uint8_t unknownv[CSDP_FMT_MAX];     /* rtpmaps of others             */
	unsigned unknownc;
};

/** Cut the next word (up to a space) off a line */
static struct pl word(struct pl *line)
{
	struct pl w = *line;
	const char *sp = memchr(line->p, ' ', line->l);

	if (sp) {
		w.l = (size_t)(sp - line->p);
		pl_advance(line, (ssize_t)w.l + 1);
	}
	else {
		pl_advance(line, (ssize_t)line->l);
	}

	return w;
}

/** Decimal number in [0, max]; anything else is false */
static bool number(const struct pl *pl, uint32_t max, uint32_t *np)
{
	uint64_t n = 0;

	if (!pl->l || pl->l > 10)
		return false;

	for (size_t i = 0; i < pl->l; i++) {
		if (pl->p[i] < '0' || pl->p[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(pl->p[i] - '0');
	}
	if (n > max)
		return false;

	*np = (uint32_t)n;
	return true;
}

/** c=IN IP4 192.0.2.1 */
static int connection(struct parser *p, struct pl val)
{
	struct sa sa;
	struct pl net = word(&val), type = word(&val), addr = word(&val);

	if (pl_strcmp(&net, "IN") || (pl_strcmp(&type, "IP4") && pl_strcmp(&type, "IP6")) ||
	    sa_set(&sa, &addr, 0))
		return EBADMSG;

	if (!p->in_media)
		p->addr = sa;
	else if (p->in_audio)
		p->s->rtp = sa;

	return 0;
}

static void media_formats(struct parser *p, struct pl val)
{
	while (val.l && p->ptc < CSDP_FMT_MAX) {
		const struct pl w = word(&val);
		uint32_t pt;

		if (number(&w, 127, &pt))
			p->ptv[p->ptc++] = (uint8_t)pt;
	}
}

/** m=audio 5004 RTP/SAVP 0 8 */
static int media(struct parser *p, struct pl val)
{
	struct csdp *s = p->s;
	struct pl kind = word(&val), port = word(&val), proto = word(&val), fmt = val;
	uint32_t n;

	if (!number(&port, 65535, &n) || !proto.l)
		return EBADMSG;
	if (s->mediac >= CSDP_MEDIA_MAX)
		return EBADMSG;

	fmt = word(&fmt);
	if (re_snprintf(s->mlinev[s->mediac], sizeof(s->mlinev[0]), "%r 0 %r %r",
			&kind, &proto, &fmt) < 0)
		return EBADMSG;

	if (n && !s->floor_idx && s->mediac && !pl_strcmp(&proto, "TCP/TLS/BFCP"))
		s->floor_idx = s->mediac;
	p->in_media = true;
	p->in_audio = !s->audio && !pl_strcmp(&kind, "audio");
	if (p->in_audio) {
		if (proto.l >= sizeof(s->proto))
			return EBADMSG;
		(void)pl_strcpy(&proto, s->proto, sizeof(s->proto));
		s->audio = true;
		s->audio_idx = s->mediac;
		s->rtp = p->addr;
		s->dir = p->dir;
		p->port = (uint16_t)n;
		media_formats(p, val);
	}
	++s->mediac;

	return 0;
}

/** a=rtpmap:96 opus/48000/2 */
static void rtpmap(struct parser *p, struct pl val)
{
	const struct codec *c;
	struct pl ptw = word(&val), enc = word(&val), name = enc, clock = PL_INIT;
	const char *slash = memchr(enc.p, '/', enc.l);
	uint32_t pt, hz;

	if (!slash || !number(&ptw, 127, &pt))
		return;

	name.l  = (size_t)(slash - enc.p);
	clock.p = slash + 1;
	clock.l = enc.l - name.l - 1;
	slash = memchr(clock.p, '/', clock.l);
	if (slash)
		clock.l = (size_t)(slash - clock.p);
	if (!number(&clock, 1000000, &hz))
		return;

	c = codec_by_name(name.p, name.l, hz);
	if (c && p->mapc < CSDP_FMT_MAX) {
		p->mapv[p->mapc].pt = (uint8_t)pt;
		p->mapv[p->mapc++].id = c->id;
	}
	else if (!c && p->unknownc < CSDP_FMT_MAX) {
		p->unknownv[p->unknownc++] = (uint8_t)pt;
	}
}

static void crypto(struct parser *p, struct pl val)
{
	struct csdp *s = p->s;
	enum sdes_err e;

	++s->crypto_lines;
	if (s->cryptoc >= CSDP_CRYPTO_MAX)
		return;

	e = sdes_decode(&s->cryptov[s->cryptoc], val.p, val.l);
	if (!e)
		++s->cryptoc;
	else if (!s->crypto_why)
		s->crypto_why = sdes_strerror(e);
}

static void ptime(struct parser *p, struct pl val)
{
	uint32_t n;

	if (number(&val, 200, &n))
		p->s->ptime = n;
}

/** a=rtcp:PORT, RFC 3605; an address of its own is not looked at */
static void rtcp(struct parser *p, struct pl val)
{
	const struct pl w = word(&val);
	uint32_t n;

	if (number(&w, 65535, &n))
		p->rtcp_port = (uint16_t)n;
}

static int attribute(struct parser *p, struct pl val)
{
	static const struct {
		const char *name;
		void (*h)(struct parser *p, struct pl val);
	} rowv[] = {
		{ "rtpmap:", rtpmap },
		{ "crypto:", crypto },
		{ "ptime:",  ptime  },
		{ "rtcp:",   rtcp   },
	};

	for (size_t i = 0; i < ARRAY_SIZE(dir_namev); i++) {
		if (pl_strcmp(&val, dir_namev[i]))
			continue;
		if (!p->in_media)
			p->dir = (enum csdp_dir)i;
		else if (p->in_audio)
			p->s->dir = (enum csdp_dir)i;
	}

	if (!p->in_audio)
		return 0;

	if (!pl_strcmp(&val, "rtcp-mux"))
		p->s->mux = true;

	for (size_t i = 0; i < ARRAY_SIZE(rowv); i++) {
		const size_t n = strlen(rowv[i].name);

		if (val.l > n && !memcmp(val.p, rowv[i].name, n)) {
			pl_advance(&val, (ssize_t)n);
			rowv[i].h(p, val);
			break;
		}
	}

	return 0;
}

/** Payload types in the order of the m= line, with the codecs they stand for */
static void resolve_formats(struct parser *p)
{
	struct csdp *s = p->s;

	for (unsigned i = 0; i < p->ptc; i++) {
		const struct codec *c = codec_by_pt(p->ptv[i]);
		enum codec_id id = c ? c->id : CODEC_NONE;

		/* RFC 3551 section 6: an rtpmap goes before the static table */
		for (unsigned k = 0; k < p->mapc; k++) {
			if (p->mapv[k].pt == p->ptv[i])
				id = p->mapv[k].id;
		}
		for (unsigned k = 0; k < p->unknownc; k++) {
			if (p->unknownv[k] == p->ptv[i])
				id = CODEC_NONE;
		}
		if (id == CODEC_NONE)
			continue;
		s->fmtv[s->fmtc].pt = p->ptv[i];
		s->fmtv[s->fmtc++].id = id;
	}
}

static void resolve_address(struct parser *p)
{
	struct csdp *s = p->s;

	s->zero_addr = sa_is_any(&s->rtp);
	sa_set_port(&s->rtp, p->port);

	s->rtcp = s->rtp;
	if (!s->mux)
		sa_set_port(&s->rtcp, p->rtcp_port ? p->rtcp_port : (uint16_t)(p->port + 1));
}

static int line(struct parser *p, const char *s, size_t len)
{
	struct pl val = { .p = s + 2, .l = len - 2 };

	switch (s[0]) {
	case 'c': return connection(p, val);
	case 'm': return media(p, val);
	case 'a': return attribute(p, val);
	default:  return 0;
	}
}

int csdp_decode(struct csdp *s, const char *text, size_t len)
{
	struct parser p = { .s = s, .dir = CSDP_SENDRECV };
	int err = 0;

	sa_init(&p.addr, AF_UNSPEC);
	if (!len || len > CSDP_SIZE || memchr(text, '\0', len))
		return EBADMSG;

	while (len && !err) {
		const char *nl = memchr(text, '\n', len);
		const size_t whole = nl ? (size_t)(nl - text) + 1 : len;
		size_t n = nl ? whole - 1 : whole;

		if (n && text[n - 1] == '\r')
			--n;
		if (n >= 2 && text[1] == '=')
			err = line(&p, text, n);
		else if (n)
			err = EBADMSG;
		text += whole;
		len  -= whole;
	}
	if (!err && s->audio && sa_af(&s->rtp) == AF_UNSPEC)
		err = EBADMSG;
	if (err) {
		csdp_reset(s);
		return err;
	}

	if (s->audio) {
		resolve_formats(&p);
		resolve_address(&p);
	}

	return 0;
}

void csdp_reset(struct csdp *s)
{
	for (unsigned i = 0; i < ARRAY_SIZE(s->cryptov); i++)
		sdes_reset(&s->cryptov[i]);

	memset(s, 0, sizeof(*s));
}

/* ----- judgement --------------------------------------------------------- */

static bool is_savp(const char *proto)
{
	return !strcmp(proto, "RTP/SAVP") || !strcmp(proto, "RTP/SAVPF");
}

static bool repeats(const struct sdes *sd, const struct secret *key)
{
	for (unsigned i = 0; i < sd->keyc; i++) {
		if (secret_equal(sd->keyv[i].keysalt, key))
			return true;
	}

	return false;
}

static const char *check_crypto(const struct csdp *s, const struct csdp_ours *ours,
				unsigned *keyp)
{
	const struct sdes *sd = &s->cryptov[0];
	unsigned k;

	if (s->crypto_lines != 1)
		return s->crypto_lines ? "more than one crypto line in the answer" :
			"no crypto line in the answer";
	if (!s->cryptoc)
		return s->crypto_why;

	for (k = 0; k < ours->keyc; k++) {
		if (ours->keyv[k].tag == sd->tag)
			break;
	}
	if (k == ours->keyc)
		return "the answer's crypto tag was not offered";
	if (ours->keyv[k].suite != sd->suite)
		return "the answer's suite is not that of its tag";
	if (sdes_refuse_reason(sd))
		return sdes_refuse_reason(sd);

	for (unsigned i = 0; i < ours->keyc; i++) {
		if (repeats(sd, ours->keyv[i].key))
			return "the answer sends our own key back";
	}

	*keyp = k;
	return NULL;
}

const char *csdp_check_answer(const struct csdp *s, const struct csdp_ours *ours,
			      unsigned *keyp)
{
	if (!s->audio)
		return "no audio in the answer";
	if (s->mediac != (ours->floor ? 2u : 1u))
		return "the answer has other media lines than the offer";
	if (!sa_port(&s->rtp))
		return "the answer refuses the audio";
	if (strcmp(s->proto, ours->proto))
		return "the answer changes the transport profile";
	if (!is_savp(s->proto))
		return "media without encryption";
	if (!csdp_common_fmt(s, ours->fmtv, ours->fmtc))
		return "no codec of ours in the answer";

	return check_crypto(s, ours, keyp);
}

const char *csdp_pick(const struct csdp *s, const enum suite_id *suitev, unsigned suitec,
		      const struct secret *own_key, unsigned *cryptop)
{
	if (!s->audio || !sa_port(&s->rtp))
		return "no audio in the offer";
	if (!is_savp(s->proto))
		return "media without encryption";

	for (unsigned i = 0; i < s->cryptoc; i++) {
		bool allowed = false;

		for (unsigned k = 0; k < suitec; k++)
			allowed |= suitev[k] == s->cryptov[i].suite->id;

		if (!allowed || sdes_refuse_reason(&s->cryptov[i]))
			continue;
		if (own_key && repeats(&s->cryptov[i], own_key))
			return "the offer sends our own key back";

		*cryptop = i;
		return NULL;
	}

	return s->crypto_why ? s->crypto_why : "no acceptable crypto line in the offer";
}

const struct csdp_fmt *csdp_common_fmt(const struct csdp *s, const struct csdp_fmt *fmtv,
				       unsigned fmtc)
{
	for (unsigned i = 0; i < s->fmtc; i++) {
		for (unsigned k = 0; k < fmtc; k++) {
			if (s->fmtv[i].id == fmtv[k].id)
				return &s->fmtv[i];
		}
	}

	return NULL;
}

enum csdp_dir csdp_answer_dir(enum csdp_dir offered, enum csdp_dir want)
{
	/* RFC 3264 section 6.1: what they send we may receive, and the reverse */
	const unsigned mirror = ((unsigned)offered & CSDP_SENDONLY ? CSDP_RECVONLY : 0u) |
		((unsigned)offered & CSDP_RECVONLY ? CSDP_SENDONLY : 0u);

	return (enum csdp_dir)(mirror & (unsigned)want);
}

/* ----- writer ------------------------------------------------------------ */

/** key||salt with its last byte cut off, as base64: wrong length on purpose */
static int encode_short(char *buf, size_t size, const struct csdp_key *k)
{
	const size_t len = secret_len(k->key) - 1;
	char b64[128];
	size_t n = sizeof(b64) - 1;
	int err, r;

	err = base64_encode(secret_bytes(k->key), len, b64, &n);
	if (err)
		return -1;
	b64[n] = '\0';
	r = re_snprintf(buf, size, "%u %s inline:%s", k->tag, k->suite->name, b64);
	OPENSSL_cleanse(b64, sizeof(b64));

	return r;
}

static int encode_crypto(struct mbuf *mb, const struct csdp_key *k)
{
	char buf[SDES_LINE_MAX];
	char *b64;
	int n, err;

	n = k->spoil_short ? encode_short(buf, sizeof(buf), k) :
		sdes_encode(buf, sizeof(buf), k->tag, k->suite, k->suite_name,
			    k->key, k->mki_len ? k->mki : 0, k->mki_len);
	if (n < 0)
		return EINVAL;

	b64 = strstr(buf, "inline:");
	if (k->spoil_base64 && b64)
		b64[7] = '!';

	err = mbuf_printf(mb, "a=crypto:%s%s%s\r\n", buf, k->param ? " " : "",
			  k->param ? k->param : "");
	OPENSSL_cleanse(buf, sizeof(buf));

	return err;
}

static int encode_formats(struct mbuf *mb, const struct csdp_out *o)
{
	int err = 0;

	for (unsigned i = 0; i < o->fmtc; i++)
		err |= mbuf_printf(mb, " %u", o->fmtv[i].pt);
	err |= mbuf_printf(mb, "\r\n");

	for (unsigned i = 0; i < o->fmtc; i++) {
		const struct codec *c = codec_by_id(o->fmtv[i].id);

		err |= mbuf_printf(mb, "a=rtpmap:%u %s/%u", o->fmtv[i].pt, c->name, c->clock);
		if (c->rtpmap_ch)
			err |= mbuf_printf(mb, "/%u", c->rtpmap_ch);
		err |= mbuf_printf(mb, "\r\n");
	}

	return err;
}

static int encode_audio(struct mbuf *mb, const struct csdp_out *o)
{
	int err;

	err = mbuf_printf(mb, "m=audio %u %s", sa_port(o->rtp), o->proto);
	err |= encode_formats(mb, o);
	err |= mbuf_printf(mb, "a=ptime:%u\r\n", o->ptime);

	for (unsigned i = 0; i < o->keyc; i++)
		err |= encode_crypto(mb, &o->keyv[i]);

	if (o->mux)
		err |= mbuf_printf(mb, "a=rtcp-mux\r\n");
	else if (o->rtcp_port)
		err |= mbuf_printf(mb, "a=rtcp:%u\r\n", o->rtcp_port);
	err |= mbuf_printf(mb, "a=%s\r\n", csdp_dir_name(o->dir));

	return err;
}

struct mbuf *csdp_encode(const struct csdp_out *o)
{
	/* all at once: a buffer that grows leaves its old bytes on the heap */
	struct mbuf *mb = mbuf_alloc(CSDP_SIZE);
	const unsigned mediac = o->offer ? o->offer->mediac : 1;
	const unsigned audio_idx = o->offer ? o->offer->audio_idx : 0;
	const char *ip = sa_af(o->rtp) == AF_INET6 ? "IP6" : "IP4";
	const char *zero = sa_af(o->rtp) == AF_INET6 ? "::" : "0.0.0.0";
	char addr[64] = "";
	int err;

	if (!mb)
		return NULL;

	(void)sa_ntop(o->rtp, addr, sizeof(addr));
	err = mbuf_printf(mb, "v=0\r\no=- %llu %u IN %s %s\r\ns=conclave-call\r\n"
			  "c=IN %s %s\r\nt=0 0\r\n",
			  (unsigned long long)o->id, o->version, ip, addr,
			  ip, o->zero_addr ? zero : addr);

	for (unsigned i = 0; i < mediac; i++) {
		if (i == audio_idx)
			err |= encode_audio(mb, o);
		else if (o->floor && o->offer->floor_idx == i)
			err |= mbuf_write_str(mb, o->floor);
		else
			err |= mbuf_printf(mb, "m=%s\r\n", o->offer->mlinev[i]);
	}

	if (o->floor && !o->offer)
		err |= mbuf_write_str(mb, o->floor);

	mbuf_set_pos(mb, 0);
	if (err || mb->size != CSDP_SIZE) {
		OPENSSL_cleanse(mb->buf, mb->size);
		mb = mem_deref(mb);
	}

	return mb;
}
