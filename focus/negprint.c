/**
 * @file focus/negprint.c  Our offers and answers, printed
 */
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include "focus/negotiate.h"

/* dynamic payload types of our own offers */
enum { PT_DTMF_48K = 101, PT_DTMF_8K = 102 };

/* room for v= and o=, which are known when the rest is there */
enum { HEAD_MAX = 128 };

static struct mbuf *mbuf_wipe(struct mbuf *mb)
{
	if (mb && mb->buf)
		OPENSSL_cleanse(mb->buf, mb->size);

	return mem_deref(mb);
}


/** "a=crypto:1 SUITE inline:KEY|2:4;inline:KEY|1:4" */
static int print_crypto(struct mbuf *mb, uint32_t tag, enum suite_id id,
			const char *name, const struct neg_keys *keys)
{
	char buf[SDES_LINE_MAX];
	struct sdes sd;
	int err = keys->c ? 0 : EINVAL;

	memset(&sd, 0, sizeof(sd));
	sd.tag = tag;
	sd.suite = suite_by_id(id);
	(void)re_snprintf(sd.suite_name, sizeof(sd.suite_name), "%s",
			  name ? name : "");
	for (unsigned i = 0; i < keys->c && !err; i++) {
		const struct secret *s = keys->v[i].key;

		sdes_mki_set(&sd.keyv[i], keys->v[i].mki, keys->mki_len);
		if (!s || secret_len(s) != suite_keysalt_len(sd.suite))
			err = EINVAL;
		else
			err = secret_copy(&sd.keyv[i].keysalt, secret_bytes(s),
					  secret_len(s));
		sd.keyc = i + 1;
	}

	if (!err && sdes_print(buf, sizeof(buf), &sd) < 0)
		err = EINVAL;
	sdes_reset(&sd);
	if (!err)
		err = mbuf_printf(mb, "a=crypto:%s\r\n", buf);
	OPENSSL_cleanse(buf, sizeof(buf));

	return err;
}


static int print_codec(struct mbuf *mb, const struct codec *c, unsigned pt)
{
	int err;

	err = mbuf_printf(mb, "a=rtpmap:%u %s/%u", pt, c->name, c->clock);
	if (c->rtpmap_ch)
		err |= mbuf_printf(mb, "/%u", c->rtpmap_ch);
	err |= mbuf_write_str(mb, "\r\n");
	if (c->id == CODEC_OPUS)
		err |= mbuf_printf(mb, "a=fmtp:%u useinbandfec=1\r\n", pt);

	return err;
}


static int print_dtmf(struct mbuf *mb, unsigned pt, uint32_t clock)
{
	return mbuf_printf(mb, "a=rtpmap:%u telephone-event/%u\r\n"
			   "a=fmtp:%u 0-15\r\n", pt, clock, pt);
}


static int print_rtcp(struct mbuf *mb, const struct neg_local *l, bool mux)
{
	if (mux)
		return mbuf_write_str(mb, "a=rtcp-mux\r\n");

	return mbuf_printf(mb, "a=rtcp:%u\r\n", l->rtcp_port);
}


/** Room for a body: keys must not stay behind in a buffer that was too small */
static struct mbuf *body_alloc(const struct neg_mlines *ml)
{
	size_t size = HEAD_MAX + 2048;
	struct mbuf *mb;

	for (unsigned i = 0; ml && i < ml->linec; i++)
		size += str_len(ml->linev[i]);

	mb = mbuf_alloc(size);
	if (mb)
		mb->pos = mb->end = HEAD_MAX;

	return mb;
}


/** The lines after o=, but for the media */
static int print_time(struct mbuf *mb, const struct neg_local *l)
{
	return mbuf_printf(mb, "s=-\r\nc=IN IP%d %j\r\nt=0 0\r\n",
			   sa_af(&l->rtp) == AF_INET6 ? 6 : 4, &l->rtp);
}


/**
 * Put v= and o= before the rest.  The version in o= counts up when, and only
 * when, the rest of the body is not what it was: RFC 3264 section 8.
 */
static int finish(struct mbuf *mb, const struct neg_local *l)
{
	char head[HEAD_MAX];
	uint8_t hash[32];
	int len;

	mb->pos = HEAD_MAX;
	if (!EVP_Digest(mbuf_buf(mb), mbuf_get_left(mb), hash, NULL,
			EVP_sha256(), NULL))
		return EIO;

	if (memcmp(hash, l->body_hash, sizeof(hash))) {
		memcpy(l->body_hash, hash, sizeof(hash));
		++*l->sess_ver;
	}

	len = re_snprintf(head, sizeof(head),
			  "v=0\r\no=- %llu %u IN IP%d %j\r\n",
			  l->sess_id, *l->sess_ver,
			  sa_af(&l->rtp) == AF_INET6 ? 6 : 4, &l->rtp);
	if (len < 0)
		return EOVERFLOW;

	mb->pos -= (size_t)len;
	memcpy(mbuf_buf(mb), head, (size_t)len);

	return 0;
}


static int print_agreed(struct mbuf *mb, const struct neg *n,
			const struct neg_local *l, const struct neg_keys *keys,
			enum sdp_dir dir)
{
	const struct codec *c = codec_by_id(n->codec);
	int err;

	err  = mbuf_printf(mb, "m=audio %u RTP/SAVP%s %u",
			   sa_port(&l->rtp), n->avpf ? "F" : "", n->pt);
	if (n->dtmf_pt)
		err |= mbuf_printf(mb, " %u", n->dtmf_pt);
	err |= mbuf_write_str(mb, "\r\n");
	err |= print_crypto(mb, n->sdes.tag, n->sdes.suite->id,
			    n->sdes.suite_name, keys);
	err |= print_codec(mb, c, n->pt);
	if (n->dtmf_pt)
		err |= print_dtmf(mb, n->dtmf_pt, n->dtmf_clock);
	if (n->level_ext)
		err |= mbuf_printf(mb, "a=extmap:%u/recvonly "
				   "urn:ietf:params:rtp-hdrext:"
				   "ssrc-audio-level%s\r\n", n->level_ext,
				   n->level_vad ? "" : " vad=off");
	err |= mbuf_printf(mb, "a=ptime:%u\r\na=%s\r\n", n->ptime,
			   sdp_dir_name(dir));
	if (n->floor.on && l->floor)
		err |= neg_floor_label(mb);
	err |= print_rtcp(mb, l, n->rtcp_mux);

	return err;
}


/** RFC 3264 section 6: the same lines in the same order, forever */
static int print_session(struct mbuf **mbp, const struct neg *n,
			 const struct neg_mlines *ml,
			 const struct neg_local *l, const struct neg_keys *keys,
			 enum sdp_dir dir)
{
	struct mbuf *mb = body_alloc(ml);
	int err;

	if (!mb)
		return ENOMEM;

	err = print_time(mb, l);
	for (unsigned i = 0; i < ml->linec; i++) {
		if (i == n->index)
			err |= print_agreed(mb, n, l, keys, dir);
		else if (n->floor.on && i == n->floor.index && l->floor)
			err |= neg_floor_print(mb, &n->floor, l->floor);
		else
			err |= mbuf_write_str(mb, ml->linev[i]);
	}

	if (!err)
		err = finish(mb, l);
	if (err)
		mbuf_wipe(mb);
	else
		*mbp = mb;

	return err;
}


int neg_print_answer(struct mbuf **mbp, const struct neg *n,
		     const struct neg_mlines *ml, const struct neg_local *l,
		     const struct neg_keys *keys)
{
	return print_session(mbp, n, ml, l, keys, n->dir);
}


int neg_print_reoffer(struct mbuf **mbp, const struct neg *n,
		      const struct neg_mlines *ml, const struct neg_local *l,
		      const struct neg_keys *keys, enum sdp_dir dir)
{
	return print_session(mbp, n, ml, l, keys, dir);
}


static unsigned offer_pt(const struct codec *c)
{
	return c->pt >= 0 ? (unsigned)c->pt : NEG_PT_OPUS;
}


/** "m=audio PORT RTP/SAVP 96 9 8 101 102" and the rtpmaps that go with it */
static int print_codecs(struct mbuf *mb, const struct cfg_conf *cc,
			bool dtmf48, bool dtmf8)
{
	int err = 0;

	for (unsigned i = 0; i < cc->codecc; i++) {
		const struct codec *c = codec_by_id(cc->codecv[i]);

		err |= print_codec(mb, c, offer_pt(c));
	}
	if (dtmf48)
		err |= print_dtmf(mb, PT_DTMF_48K, 48000);
	if (dtmf8)
		err |= print_dtmf(mb, PT_DTMF_8K, 8000);

	return err;
}


int neg_print_offer(struct mbuf **mbp, const struct cfg_conf *cc,
		    const struct neg_local *l, const struct neg_offered *off)
{
	struct mbuf *mb = body_alloc(NULL);
	bool dtmf48 = false, dtmf8 = false;
	int err;

	if (!mb)
		return ENOMEM;

	err  = print_time(mb, l);
	err |= mbuf_printf(mb, "m=audio %u RTP/SAVP", sa_port(&l->rtp));
	for (unsigned i = 0; i < cc->codecc; i++) {
		const struct codec *c = codec_by_id(cc->codecv[i]);

		err |= mbuf_printf(mb, " %u", offer_pt(c));
		dtmf48 |= c->clock == 48000;
		dtmf8  |= c->clock == 8000;
	}
	if (dtmf48)
		err |= mbuf_printf(mb, " %u", PT_DTMF_48K);
	if (dtmf8)
		err |= mbuf_printf(mb, " %u", PT_DTMF_8K);
	err |= mbuf_write_str(mb, "\r\n");

	for (unsigned i = 0; i < off->linec; i++) {
		const struct neg_keys keys = {
			.v = { { off->linev[i].key, 0 } }, .c = 1,
		};

		err |= print_crypto(mb, off->linev[i].tag,
				    off->linev[i].suite, NULL, &keys);
	}
	err |= print_codecs(mb, cc, dtmf48, dtmf8);
	err |= mbuf_write_str(mb, "a=ptime:20\r\na=sendrecv\r\n");
	err |= print_rtcp(mb, l, true);
	err |= print_rtcp(mb, l, false);
	if (l->floor) {
		err |= neg_floor_label(mb);
		err |= neg_floor_print(mb, NULL, l->floor);
	}

	if (!err)
		err = finish(mb, l);
	if (err)
		mbuf_wipe(mb);
	else
		*mbp = mb;

	return err;
}
