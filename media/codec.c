/**
 * @file codec.c  Audio codecs behind one table
 *
 * Refs: RFC 3551 section 6 (static payload types), RFC 7587 section 7
 */
#include <errno.h>
#include <strings.h>
#include <string.h>
#include "codec_ops.h"

static const struct row {
	struct codec codec;
	const struct codec_ops *ops;
} rowv[] = {
	{ { CODEC_OPUS, "opus", 48000, 48000, 2, -1 }, &codec_opus_ops },
	/* "Even though the actual sampling rate for G.722 audio is 16,000 Hz,
	   the RTP clock rate ... is 8,000 Hz", RFC 3551 section 4.5.2 */
	{ { CODEC_G722, "G722",  8000, 16000, 0,  9 }, &codec_g722_ops },
	{ { CODEC_PCMA, "PCMA",  8000,  8000, 0,  8 }, &codec_pcma_ops },
	{ { CODEC_PCMU, "PCMU",  8000,  8000, 0,  0 }, &codec_pcmu_ops },
};

enum { ROWC = sizeof(rowv) / sizeof(rowv[0]) };

static const struct row *row_by_id(enum codec_id id)
{
	for (size_t i = 0; i < ROWC; i++) {
		if (rowv[i].codec.id == id)
			return &rowv[i];
	}

	return NULL;
}

const struct codec *codec_by_id(enum codec_id id)
{
	const struct row *row = row_by_id(id);

	return row ? &row->codec : NULL;
}

/* RFC 4855 section 3: encoding names are case-insensitive */
const struct codec *codec_by_name(const char *name, size_t len, uint32_t clock)
{
	if (!name)
		return NULL;

	for (size_t i = 0; i < ROWC; i++) {
		const struct codec *c = &rowv[i].codec;

		if (strlen(c->name) == len && c->clock == clock &&
		    !strncasecmp(c->name, name, len))
			return c;
	}

	return NULL;
}

const struct codec *codec_by_pt(int pt)
{
	for (size_t i = 0; i < ROWC && pt >= 0; i++) {
		if (rowv[i].codec.pt == pt)
			return &rowv[i].codec;
	}

	return NULL;
}

int codec_enc_new(struct codec_enc **ep, enum codec_id id,
		  const struct codec_cfg *cfg)
{
	static const struct codec_cfg dflt = { .complexity = -1 };
	const struct row *row = row_by_id(id);

	if (!ep || !row)
		return EINVAL;

	return row->ops->enc_new(ep, cfg ? cfg : &dflt);
}

void codec_enc_free(struct codec_enc **ep)
{
	if (!ep || !*ep)
		return;

	(*ep)->ops->enc_free(*ep);
	*ep = NULL;
}

void codec_enc_reset(struct codec_enc *e)
{
	if (e)
		e->ops->enc_reset(e);
}

int codec_encode(struct codec_enc *e, const int16_t *pcm, size_t sampc,
		 uint8_t *buf, size_t size)
{
	if (!e || !pcm || !buf || !sampc || !size)
		return -1;

	return e->ops->encode(e, pcm, sampc, buf, size);
}

int codec_dec_new(struct codec_dec **dp, enum codec_id id)
{
	const struct row *row = row_by_id(id);

	if (!dp || !row)
		return EINVAL;

	return row->ops->dec_new(dp);
}

void codec_dec_free(struct codec_dec **dp)
{
	if (!dp || !*dp)
		return;

	(*dp)->ops->dec_free(*dp);
	*dp = NULL;
}

void codec_dec_reset(struct codec_dec *d)
{
	if (d)
		d->ops->dec_reset(d);
}

int codec_decode(struct codec_dec *d, const uint8_t *buf, size_t len,
		 int16_t *pcm, size_t sampc)
{
	if (!d || !buf || !len || !pcm || !sampc)
		return -1;

	return d->ops->decode(d, buf, len, pcm, sampc);
}

int codec_conceal(struct codec_dec *d, const uint8_t *next, size_t next_len,
		  int16_t *pcm, size_t sampc)
{
	if (!d || !pcm || !sampc || (next && !next_len))
		return -1;

	return d->ops->conceal(d, next, next_len, pcm, sampc);
}

int codec_duration(enum codec_id id, const uint8_t *buf, size_t len)
{
	const struct row *row = row_by_id(id);

	if (!row || !buf || !len)
		return -1;

	return row->ops->duration(buf, len);
}
