/**
 * @file codec_ops.h  What one codec gives to codec.c (private to media/)
 *
 * An encoder or decoder of a codec begins with the struct here; codec.c has
 * checked pointers and sizes of zero before it calls.
 */
#ifndef CONCLAVE_CODEC_OPS_H
#define CONCLAVE_CODEC_OPS_H

#include "codec.h"

struct codec_ops {
	int  (*enc_new)(struct codec_enc **ep, const struct codec_cfg *cfg);
	void (*enc_free)(struct codec_enc *e);
	void (*enc_set_loss)(struct codec_enc *e, unsigned percent); /* or NULL */
	void (*enc_copy)(struct codec_enc *to, const struct codec_enc *from); /* or NULL: no state */
	int  (*encode)(struct codec_enc *e, const int16_t *pcm, size_t sampc,
		       uint8_t *buf, size_t size);

	int  (*dec_new)(struct codec_dec **dp);
	void (*dec_free)(struct codec_dec *d);
	void (*dec_reset)(struct codec_dec *d);
	int  (*decode)(struct codec_dec *d, const uint8_t *buf, size_t len,
		       int16_t *pcm, size_t sampc);
	int  (*conceal)(struct codec_dec *d, const uint8_t *next,
			size_t next_len, int16_t *pcm, size_t sampc);

	int  (*duration)(const uint8_t *buf, size_t len);
};

struct codec_enc {
	const struct codec_ops *ops;
};

struct codec_dec {
	const struct codec_ops *ops;
};

extern const struct codec_ops codec_opus_ops;
extern const struct codec_ops codec_g722_ops;
extern const struct codec_ops codec_pcma_ops;
extern const struct codec_ops codec_pcmu_ops;

#endif
