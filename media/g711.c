/**
 * @file g711.c  G.711 A-law and mu-law with loss concealment
 *
 * The conversions are spandsp's inline functions.
 *
 * Refs: ITU-T G.711, RFC 3551 section 4.5.14
 */
#include <errno.h>
#include <stdlib.h>
#include <spandsp.h>
#include "codec_ops.h"
#include "conceal.h"

enum { RATE = 8000, PAYLOAD_MAX = RATE / 1000 * 120 };

struct g711_e {
	struct codec_enc base;
};

struct g711_d {
	struct codec_dec base;
	struct conceal conceal;
};

static int enc_new(struct codec_enc **ep, const struct codec_ops *ops)
{
	struct g711_e *g = calloc(1, sizeof(*g));

	if (!g)
		return ENOMEM;

	g->base.ops = ops;
	*ep = &g->base;

	return 0;
}

static int pcma_enc_new(struct codec_enc **ep, const struct codec_cfg *cfg)
{
	(void)cfg;

	return enc_new(ep, &codec_pcma_ops);
}

static int pcmu_enc_new(struct codec_enc **ep, const struct codec_cfg *cfg)
{
	(void)cfg;

	return enc_new(ep, &codec_pcmu_ops);
}

static void enc_free(struct codec_enc *e)
{
	free(e);
}

static int pcma_encode(struct codec_enc *e, const int16_t *pcm, size_t sampc,
		       uint8_t *buf, size_t size)
{
	(void)e;

	if (sampc > size || sampc > PAYLOAD_MAX)
		return -1;
	for (size_t i = 0; i < sampc; i++)
		buf[i] = linear_to_alaw(pcm[i]);

	return (int)sampc;
}

static int pcmu_encode(struct codec_enc *e, const int16_t *pcm, size_t sampc,
		       uint8_t *buf, size_t size)
{
	(void)e;

	if (sampc > size || sampc > PAYLOAD_MAX)
		return -1;
	for (size_t i = 0; i < sampc; i++)
		buf[i] = linear_to_ulaw(pcm[i]);

	return (int)sampc;
}

static int dec_new(struct codec_dec **dp, const struct codec_ops *ops)
{
	struct g711_d *g = calloc(1, sizeof(*g));

	if (!g)
		return ENOMEM;

	g->base.ops = ops;
	conceal_init(&g->conceal, RATE);
	*dp = &g->base;

	return 0;
}

static int pcma_dec_new(struct codec_dec **dp)
{
	return dec_new(dp, &codec_pcma_ops);
}

static int pcmu_dec_new(struct codec_dec **dp)
{
	return dec_new(dp, &codec_pcmu_ops);
}

static void dec_free(struct codec_dec *d)
{
	free(d);
}

static void dec_reset(struct codec_dec *d)
{
	conceal_init(&((struct g711_d *)d)->conceal, RATE);
}

static int pcma_decode(struct codec_dec *d, const uint8_t *buf, size_t len,
		       int16_t *pcm, size_t sampc)
{
	if (len > sampc || len > PAYLOAD_MAX)
		return -1;
	for (size_t i = 0; i < len; i++)
		pcm[i] = alaw_to_linear(buf[i]);

	conceal_good(&((struct g711_d *)d)->conceal, pcm, len);

	return (int)len;
}

static int pcmu_decode(struct codec_dec *d, const uint8_t *buf, size_t len,
		       int16_t *pcm, size_t sampc)
{
	if (len > sampc || len > PAYLOAD_MAX)
		return -1;
	for (size_t i = 0; i < len; i++)
		pcm[i] = ulaw_to_linear(buf[i]);

	conceal_good(&((struct g711_d *)d)->conceal, pcm, len);

	return (int)len;
}

static int conceal(struct codec_dec *d, const uint8_t *next, size_t next_len,
		   int16_t *pcm, size_t sampc)
{
	(void)next;
	(void)next_len;

	if (sampc > PAYLOAD_MAX)
		return -1;

	conceal_lost(&((struct g711_d *)d)->conceal, pcm, sampc);

	return (int)sampc;
}

static int duration(const uint8_t *buf, size_t len)
{
	(void)buf;

	return len > PAYLOAD_MAX ? -1 : (int)len;
}

const struct codec_ops codec_pcma_ops = {
	pcma_enc_new, enc_free, NULL, NULL, pcma_encode,
	pcma_dec_new, dec_free, dec_reset, pcma_decode, conceal, duration
};

const struct codec_ops codec_pcmu_ops = {
	pcmu_enc_new, enc_free, NULL, NULL, pcmu_encode,
	pcmu_dec_new, dec_free, dec_reset, pcmu_decode, conceal, duration
};
