/**
 * @file codec.c  Audio codecs behind one table
 */
#include <errno.h>
#include "codec_ops.h"

static const struct codec_ops *const opsv[] = {
	[CODEC_OPUS] = &codec_opus_ops,
	[CODEC_G722] = &codec_g722_ops,
	[CODEC_PCMA] = &codec_pcma_ops,
	[CODEC_PCMU] = &codec_pcmu_ops,
};

static const struct codec_ops *ops_by_id(enum codec_id id)
{
	return (unsigned)id <= CODEC_MAX ? opsv[id] : NULL;
}

int codec_enc_new(struct codec_enc **ep, enum codec_id id,
		  const struct codec_cfg *cfg)
{
	static const struct codec_cfg dflt = { .complexity = -1 };
	const struct codec_ops *ops = ops_by_id(id);

	if (!ep || !ops)
		return EINVAL;

	return ops->enc_new(ep, cfg ? cfg : &dflt);
}

void codec_enc_free(struct codec_enc **ep)
{
	if (!ep || !*ep)
		return;

	(*ep)->ops->enc_free(*ep);
	*ep = NULL;
}

void codec_enc_set_loss(struct codec_enc *e, unsigned percent)
{
	if (e && e->ops->enc_set_loss)
		e->ops->enc_set_loss(e, percent);
}

void codec_enc_copy(struct codec_enc *to, const struct codec_enc *from)
{
	if (to && from && to->ops == from->ops && to->ops->enc_copy)
		to->ops->enc_copy(to, from);
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
	const struct codec_ops *ops = ops_by_id(id);

	if (!dp || !ops)
		return EINVAL;

	return ops->dec_new(dp);
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
	const struct codec_ops *ops = ops_by_id(id);

	if (!ops || !buf || !len)
		return -1;

	return ops->duration(buf, len);
}
