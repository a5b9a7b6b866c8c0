/**
 * @file cnego.c  Offer and answer of one call
 *
 * We keep our own key for the whole call unless the suite changes; the peer
 * may change its key in any offer or answer.
 *
 * Refs: RFC 3264, RFC 4568 sections 5 and 7
 */
#include <errno.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include "call_priv.h"
#include "log.h"

enum {
	PT_OPUS = 96,
	OWN_MKI = 1,
	OWN_MKI_LEN = 4,
};

static const char savp[] = "RTP/SAVP";
static const char avp[] = "RTP/AVP";

int cnego_init(struct call *c)
{
	for (unsigned i = 0; i < c->o->codecc; i++) {
		const struct codec *cd = codec_by_id(c->o->codecv[i]);

		c->fmtv[c->fmtc].id = cd->id;
		c->fmtv[c->fmtc++].pt = (uint8_t)(cd->pt < 0 ? PT_OPUS : cd->pt);
	}

	c->dir = CSDP_SENDRECV;
	c->sdp_id = rand_u64() >> 2;

	return 0;
}

static void drop_offer_keys(struct call *c)
{
	for (unsigned i = 0; i < SUITE_MAX; i++)
		secret_free(&c->offer_keyv[i]);
	c->offer_keyc = 0;
}

void cnego_reset(struct call *c)
{
	drop_offer_keys(c);
	secret_free(&c->own_key);
}

/** One fresh key per line: RFC 4568 section 6.1 */
static int draw_offer_keys(struct call *c)
{
	const struct opts *o = c->o;

	drop_offer_keys(c);
	for (unsigned i = 0; i < o->suitec; i++) {
		const struct suite *s = suite_by_id(o->suitev[i]);
		const struct csdp_key line = {
			.tag = i + 1, .suite = s,
			.mki = OWN_MKI, .mki_len = o->mki ? OWN_MKI_LEN : 0,
			.spoil_short  = !i && o->bad_key == BAD_KEY_SHORT,
			.spoil_base64 = !i && o->bad_key == BAD_KEY_BASE64,
			.param = i ? NULL : o->session_param,
		};
		const int err = secret_draw(&c->offer_keyv[i], suite_keysalt_len(s));

		if (err)
			return err;
		c->offer_linev[i] = line;
		c->offer_linev[i].key = c->offer_keyv[i];
		c->offer_keyc = i + 1;
	}

	return 0;
}

static struct mbuf *encode(struct call *c, const char *proto, const struct csdp_key *keyv,
			   unsigned keyc, enum csdp_dir dir, const struct csdp *offer)
{
	char floor[512];
	const bool has_floor = c->floor &&
		!cfloor_sdp(c->floor, floor, sizeof(floor));
	const struct csdp_out out = {
		.floor = has_floor ? floor : NULL,
		.rtp = cmedia_laddr(c->media), .rtcp_port = cmedia_rtcp_port(c->media),
		.mux = offer ? offer->mux : c->o->rtcp_mux,
		.zero_addr = c->holding && c->o->hold_how == HOLD_ZERO,
		.proto = proto, .id = c->sdp_id, .version = ++c->sdp_version,
		.dir = dir, .ptime = c->o->ptime,
		.fmtv = c->fmtv, .fmtc = c->fmtc, .keyv = keyv, .keyc = keyc, .offer = offer,
	};

	return csdp_encode(&out);
}

struct mbuf *cnego_first_offer(struct call *c)
{
	if (draw_offer_keys(c))
		return NULL;

	return encode(c, c->o->avp ? avp : savp, c->offer_linev,
		      c->o->avp == AVP_PLAIN ? 0 : c->offer_keyc, c->dir, NULL);
}

/** The line that names the key in use; RFC 4568 section 7.1.4: always repeated */
static struct csdp_key own_line(const struct call *c)
{
	const struct csdp_key line = {
		.tag = c->own_tag, .suite = c->own_suite, .key = c->own_key,
		.mki = OWN_MKI, .mki_len = c->o->mki ? OWN_MKI_LEN : 0,
	};

	return line;
}

struct mbuf *cnego_reoffer(struct call *c)
{
	struct csdp_key line = own_line(c);

	/* still without a session: the same offer as at the beginning */
	if (!c->own_key)
		return cnego_first_offer(c);

	if (c->offering == OFFER_REFLECT && ckeys_rx_key(cmedia_keys(c->media)))
		line.key = ckeys_rx_key(cmedia_keys(c->media));

	return encode(c, savp, &line, 1, c->dir, NULL);
}

/* ----- switching media --------------------------------------------------- */

static const uint8_t *loop_frame(uint32_t i, size_t *lenp, void *arg)
{
	return csrc_frame(arg, i, lenp);
}

static int set_source(struct call *c, enum codec_id id)
{
	const struct opts *o = c->o;
	const struct csrc_spec spec = {
		.kind = o->wav ? CSRC_WAV : o->silent ? CSRC_SILENCE : CSRC_TONE,
		.freq = opts_freq(o, c->idx), .level_dbfs = o->level_dbfs, .wav = o->wav,
		/* hundreds of different tones are to be ready in no time */
		.complexity = o->calls > 16 ? 0 : 5,
	};
	int err;

	if (c->live) {
		err = clive_set_codec(c->live, id, o->ptime);
		cmedia_set_source(c->media, clive_frame, c->live);
		return err;
	}

	c->src = mem_deref(c->src);
	err = csrc_get(&c->src, c->env->srcl, id, o->ptime, &spec);
	if (!err)
		cmedia_set_source(c->media, loop_frame, c->src);

	return err;
}

static int set_codec(struct call *c, const struct csdp *peer, const struct csdp_fmt *rxv,
		     unsigned rxc)
{
	const struct csdp_fmt *tx = csdp_common_fmt(peer, c->fmtv, c->fmtc);
	const struct codec *cd;

	if (!tx)
		return EINVAL;

	cd = codec_by_id(tx->id);
	cmedia_set_codec(c->media, tx, rxv, rxc);
	if (cd == c->res.codec)
		return 0;

	c->res.codec = cd;

	return set_source(c, cd->id);
}

static void set_direction(struct call *c, enum csdp_dir dir, const struct csdp *peer)
{
	/* RFC 3264 section 8.4: nobody is at 0.0.0.0 */
	const bool send = (dir & CSDP_SENDONLY) && !peer->zero_addr;
	const bool recv = (dir & CSDP_RECVONLY) &&
		!(c->holding && c->o->hold_how == HOLD_ZERO);

	cmedia_set_dir(c->media, send, recv, cmedia_now_us());
	cmedia_set_remote(c->media, &peer->rtp, &peer->rtcp, peer->mux && c->res.mux);
}

static int install_rx(struct call *c, const struct sdes *sd)
{
	const bool first = !ckeys_rx_key(cmedia_keys(c->media));
	bool changed = false;
	int err;

	for (unsigned i = 0; i < sd->keyc; i++)
		ctap_key(c->env->tap, "key", c->idx, sd->suite, sd->keyv[i].keysalt,
			 sd->keyv[i].mki_len);
	if (!first && c->o->no_rekey)
		return 0;

	err = ckeys_set_rx(cmedia_keys(c->media), sd, cmedia_now_us(), &changed);
	if (!err && changed && !first)
		++c->res.rekeys;

	return err;
}

/** Send under a key from now on; it becomes ours */
static int install_tx(struct call *c, struct secret *key, const struct suite *suite)
{
	const bool first = !ckeys_has_tx(cmedia_keys(c->media));
	int err;

	err = ckeys_set_tx(cmedia_keys(c->media), suite, key, OWN_MKI,
			   c->o->mki ? OWN_MKI_LEN : 0);
	if (err)
		return err;

	ctap_key(c->env->tap, "own", c->idx, suite, key, c->o->mki ? OWN_MKI_LEN : 0);
	if (!first)
		cmedia_new_ssrc(c->media);
	c->own_suite = suite;
	c->res.suite = suite;
	if (c->own_key != key) {
		secret_free(&c->own_key);
		c->own_key = key;
	}

	return 0;
}

/* ----- their answer ------------------------------------------------------ */

static const char *accept_answer(struct call *c, const struct csdp *s, unsigned k)
{
	int err = 0;

	/* the direction is the peer's view; ours is its mirror within our wish */
	c->res.mux = s->mux && c->o->rtcp_mux;
	set_direction(c, csdp_answer_dir(s->dir, c->dir), s);

	err = set_codec(c, s, c->fmtv, c->fmtc);
	if (!err)
		err = install_rx(c, &s->cryptov[0]);
	if (!err && !c->own_key) {
		struct secret *key = c->offer_keyv[k];

		c->offer_keyv[k] = NULL;
		c->own_tag = c->offer_linev[k].tag;
		err = install_tx(c, key, c->offer_linev[k].suite);
		if (err)
			secret_free(&key);
		drop_offer_keys(c);
	}

	return err ? "out of resources" : NULL;
}

const char *cnego_take_answer(struct call *c, const struct sip_msg *msg)
{
	struct csdp_key line = own_line(c);
	const struct csdp_ours ours = {
		.proto = c->o->avp ? avp : savp, .fmtv = c->fmtv, .fmtc = c->fmtc,
		.keyv = c->own_key ? &line : c->offer_linev,
		.keyc = c->own_key ? 1 : c->offer_keyc,
		.floor = c->floor != NULL,
	};
	struct csdp s;
	const char *why;
	unsigned k = 0;

	memset(&s, 0, sizeof(s));
	if (csdp_decode(&s, (const char *)mbuf_buf(msg->mb), mbuf_get_left(msg->mb)))
		return "the answer is not SDP";

	why = csdp_check_answer(&s, &ours, &k);
	if (!why)
		why = accept_answer(c, &s, k);
	if (!why && c->floor)
		cfloor_peer(c->floor, (const char *)mbuf_buf(msg->mb),
			    mbuf_get_left(msg->mb), true);
	csdp_reset(&s);

	return why;
}

/* ----- their offer ------------------------------------------------------- */

/**
 * Our key for the answer: the one in use if it fits the suite
 *
 * @param keyp  In/out: set if a new key has to be drawn, owned by the caller
 */
static int answer_key(struct call *c, const struct suite *suite, struct secret **keyp)
{
	if (c->own_key && c->own_suite == suite)
		return 0;

	return secret_draw(keyp, suite_keysalt_len(suite));
}

static const char *make_answer(struct call *c, const struct csdp *s, const struct sdes *sd,
			       struct mbuf **sdpp)
{
	const struct suite *suite = sd->suite;
	struct secret *fresh = NULL;
	struct csdp_key line;
	int err;

	if (c->o->answer_suite)
		suite = suite_by_name(c->o->answer_suite, strlen(c->o->answer_suite));

	err = answer_key(c, suite, &fresh);
	if (err)
		return "no key";

	c->own_tag = sd->tag;
	if (fresh) {
		err = install_tx(c, fresh, suite);
		if (err) {
			secret_free(&fresh);
			return "no SRTP context";
		}
	}

	line = own_line(c);
	line.suite_name = suite == sd->suite ? sd->suite_name : NULL;
	if (c->o->bad_key == BAD_KEY_REFLECT)
		line.key = sd->keyv[0].keysalt;

	*sdpp = encode(c, s->proto, &line, 1, csdp_answer_dir(s->dir, c->dir), s);

	return *sdpp ? NULL : "out of memory";
}

/** In an answer the payload types are the offerer's: RFC 3264 section 6.1 */
static void adopt_formats(struct call *c, const struct csdp *s)
{
	struct csdp_fmt fmtv[CODEC_MAX];
	unsigned fmtc = 0;

	for (unsigned i = 0; i < s->fmtc && fmtc < CODEC_MAX; i++) {
		bool known = false;

		for (unsigned k = 0; k < c->fmtc; k++)
			known |= c->fmtv[k].id == s->fmtv[i].id;
		if (known)
			fmtv[fmtc++] = s->fmtv[i];
	}

	memcpy(c->fmtv, fmtv, sizeof(fmtv));
	c->fmtc = fmtc;
}

static const char *accept_offer(struct call *c, const struct csdp *s, unsigned k,
				struct mbuf **sdpp)
{
	const char *why;
	int err;

	c->res.mux = s->mux;
	set_direction(c, csdp_answer_dir(s->dir, c->dir), s);
	adopt_formats(c, s);
	err = set_codec(c, s, c->fmtv, c->fmtc);
	if (err)
		return "out of resources";

	why = make_answer(c, s, &s->cryptov[k], sdpp);
	if (!why && install_rx(c, &s->cryptov[k])) {
		OPENSSL_cleanse((*sdpp)->buf, (*sdpp)->size);
		*sdpp = mem_deref(*sdpp);
		why = "no SRTP context";
	}

	return why;
}

const char *cnego_take_offer(struct call *c, const struct sip_msg *msg, struct mbuf **sdpp)
{
	struct csdp s;
	const char *why;
	unsigned k = 0;

	memset(&s, 0, sizeof(s));
	if (csdp_decode(&s, (const char *)mbuf_buf(msg->mb), mbuf_get_left(msg->mb)))
		return "the offer is not SDP";

	why = csdp_pick(&s, c->o->suitev, c->o->suitec, c->own_key, &k);
	if (!why && !csdp_common_fmt(&s, c->fmtv, c->fmtc))
		why = "no codec of ours in the offer";
	if (!why)
		why = accept_offer(c, &s, k, sdpp);
	if (!why && c->floor)
		cfloor_peer(c->floor, (const char *)mbuf_buf(msg->mb),
			    mbuf_get_left(msg->mb), false);
	csdp_reset(&s);

	return why;
}
