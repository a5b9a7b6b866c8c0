/**
 * @file g722.c  G.722 at 64 kbit/s with loss concealment
 *
 * One byte holds two samples at 16 kHz.
 *
 * Refs: ITU-T G.722, RFC 3551 section 4.5.2
 */
#include <errno.h>
#include <stdlib.h>
#include <spandsp.h>
#include <spandsp/private/g722.h>
#include "codec_ops.h"
#include "conceal.h"

enum {
	BITRATE     = 64000,
	RATE        = 16000,
	SAMP_MAX    = RATE / 1000 * 120,
	PAYLOAD_MAX = SAMP_MAX / 2,
};

struct g722_e {
	struct codec_enc base;
	g722_encode_state_t *enc;
};

struct g722_d {
	struct codec_dec base;
	g722_decode_state_t *dec;
	struct conceal conceal;
};

static int enc_new(struct codec_enc **ep, const struct codec_cfg *cfg)
{
	struct g722_e *g = calloc(1, sizeof(*g));

	(void)cfg;

	if (!g)
		return ENOMEM;

	g->base.ops = &codec_g722_ops;
	g->enc = g722_encode_init(NULL, BITRATE, 0);
	if (!g->enc) {
		free(g);
		return ENOMEM;
	}
	*ep = &g->base;

	return 0;
}

static void enc_free(struct codec_enc *e)
{
	struct g722_e *g = (struct g722_e *)e;

	(void)g722_encode_free(g->enc);
	free(g);
}

static void enc_copy(struct codec_enc *to, const struct codec_enc *from)
{
	*((struct g722_e *)to)->enc = *((const struct g722_e *)from)->enc;
}

static int encode(struct codec_enc *e, const int16_t *pcm, size_t sampc,
		  uint8_t *buf, size_t size)
{
	if (sampc & 1 || sampc > SAMP_MAX || sampc / 2 > size)
		return -1;

	return g722_encode(((struct g722_e *)e)->enc, buf, pcm, (int)sampc);
}

static int dec_new(struct codec_dec **dp)
{
	struct g722_d *g = calloc(1, sizeof(*g));

	if (!g)
		return ENOMEM;

	g->base.ops = &codec_g722_ops;
	g->dec = g722_decode_init(NULL, BITRATE, 0);
	if (!g->dec) {
		free(g);
		return ENOMEM;
	}
	conceal_init(&g->conceal, RATE);
	*dp = &g->base;

	return 0;
}

static void dec_free(struct codec_dec *d)
{
	struct g722_d *g = (struct g722_d *)d;

	(void)g722_decode_free(g->dec);
	free(g);
}

static void dec_reset(struct codec_dec *d)
{
	struct g722_d *g = (struct g722_d *)d;

	(void)g722_decode_init(g->dec, BITRATE, 0);
	conceal_init(&g->conceal, RATE);
}

static int decode(struct codec_dec *d, const uint8_t *buf, size_t len,
		  int16_t *pcm, size_t sampc)
{
	struct g722_d *g = (struct g722_d *)d;
	int n;

	if (len > PAYLOAD_MAX || 2 * len > sampc)
		return -1;

	n = g722_decode(g->dec, pcm, buf, (int)len);
	if (n <= 0)
		return -1;
	conceal_good(&g->conceal, pcm, (size_t)n);

	return n;
}

static int conceal(struct codec_dec *d, const uint8_t *next, size_t next_len,
		   int16_t *pcm, size_t sampc)
{
	(void)next;
	(void)next_len;

	if (sampc > SAMP_MAX)
		return -1;

	conceal_lost(&((struct g722_d *)d)->conceal, pcm, sampc);

	return (int)sampc;
}

static int duration(const uint8_t *buf, size_t len)
{
	(void)buf;

	return len > PAYLOAD_MAX ? -1 : (int)(2 * len);
}

const struct codec_ops codec_g722_ops = {
	enc_new, enc_free, NULL, enc_copy, encode,
	dec_new, dec_free, dec_reset, decode, conceal, duration
};
