/**
 * @file opus.c  Opus, mono at 48 kHz, on plain libopus
 *
 * The decoder has one channel: libopus mixes a stereo stream down itself.
 * Its concealment ends in a noise floor that never ends; ours is faded out.
 *
 * Refs: RFC 6716, RFC 7587
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <opus.h>
#include "codec_ops.h"
#include "conceal.h"

enum {
	RATE           = 48000,
	BITRATE_DFLT   = 32000,
	/* from 7 on libopus analyses tonality: tones and voices mixed stay 10 dB
	   cleaner for 40 % more time */
	COMPLEXITY_DFLT = 7,
	LOSS_MAX_PERC  = 30,
	STEP           = RATE / 400,      /* 2.5 ms                          */
	HOLD           = RATE / 1000 * 40,  /* what libopus makes up, then   */
	FADE           = RATE / 1000 * 60,  /* down to silence               */
	JOIN           = STEP,            /* back: in the shortest frame     */
	FRAME_MAX      = RATE / 1000 * 120,
	PAYLOAD_MAX    = 0xffff,
};

struct opus_e {
	struct codec_enc base;
	OpusEncoder *enc;
};

struct opus_d {
	struct codec_dec base;
	OpusDecoder *dec;
	size_t lost;          /* samples made up since the last good one     */
};

/* RFC 7587 section 6.1, maxplaybackrate: nothing above it is worth bits */
static opus_int32 bandwidth(uint32_t max_rate)
{
	static const struct {
		uint32_t rate;
		opus_int32 bw;
	} bwv[] = {
		{  8000, OPUS_BANDWIDTH_NARROWBAND    },
		{ 12000, OPUS_BANDWIDTH_MEDIUMBAND    },
		{ 16000, OPUS_BANDWIDTH_WIDEBAND      },
		{ 24000, OPUS_BANDWIDTH_SUPERWIDEBAND },
	};

	for (size_t i = 0; i < sizeof(bwv) / sizeof(bwv[0]); i++) {
		if (max_rate && max_rate <= bwv[i].rate)
			return bwv[i].bw;
	}

	return OPUS_BANDWIDTH_FULLBAND;
}

static int configure(OpusEncoder *enc, const struct codec_cfg *cfg)
{
	const opus_int32 rate = cfg->bitrate ?
		(opus_int32)cfg->bitrate : BITRATE_DFLT;
	const opus_int32 cplx = cfg->complexity < 0 ?
		COMPLEXITY_DFLT : cfg->complexity;

	if (cfg->bitrate > 510000 ||
	    opus_encoder_ctl(enc, OPUS_SET_BITRATE(rate)) ||
	    opus_encoder_ctl(enc, OPUS_SET_COMPLEXITY(cplx)) ||
	    opus_encoder_ctl(enc, OPUS_SET_VBR(!cfg->cbr)) ||
	    opus_encoder_ctl(enc, OPUS_SET_DTX(cfg->dtx)) ||
	    opus_encoder_ctl(enc, OPUS_SET_INBAND_FEC(cfg->fec)) ||
	    opus_encoder_ctl(enc, OPUS_SET_MAX_BANDWIDTH(
				     bandwidth(cfg->max_rate))))
		return EINVAL;

	return 0;
}

static int enc_new(struct codec_enc **ep, const struct codec_cfg *cfg)
{
	struct opus_e *o = calloc(1, sizeof(*o));
	int err, oerr;

	if (!o)
		return ENOMEM;

	o->base.ops = &codec_opus_ops;
	o->enc = opus_encoder_create(RATE, 1, OPUS_APPLICATION_AUDIO, &oerr);
	err = o->enc ? configure(o->enc, cfg) : ENOMEM;
	if (err)
		codec_opus_ops.enc_free(&o->base);
	else
		*ep = &o->base;

	return err;
}

static void enc_free(struct codec_enc *e)
{
	struct opus_e *o = (struct opus_e *)e;

	if (o->enc)
		opus_encoder_destroy(o->enc);
	free(o);
}

/*
 * In-band FEC lives in SILK, so beyond some 5 % libopus leaves CELT for it,
 * which codes one voice well and a mix of several badly: not without need.
 */
static void enc_set_loss(struct codec_enc *e, unsigned percent)
{
	const opus_int32 v = percent < LOSS_MAX_PERC ?
		(opus_int32)percent : LOSS_MAX_PERC;

	(void)opus_encoder_ctl(((struct opus_e *)e)->enc,
			       OPUS_SET_PACKET_LOSS_PERC(v));
}

/* "position independent and can be freely copied": opus.h of its own state */
static void enc_copy(struct codec_enc *to, const struct codec_enc *from)
{
	memcpy(((struct opus_e *)to)->enc, ((const struct opus_e *)from)->enc,
	       (size_t)opus_encoder_get_size(1));
}

static int encode(struct codec_enc *e, const int16_t *pcm, size_t sampc,
		  uint8_t *buf, size_t size)
{
	opus_int32 n;

	if (sampc > FRAME_MAX || size > PAYLOAD_MAX)
		return -1;

	n = opus_encode(((struct opus_e *)e)->enc, pcm, (int)sampc,
			buf, (opus_int32)size);

	return n > 0 ? n : -1;
}

static int dec_new(struct codec_dec **dp)
{
	struct opus_d *o = calloc(1, sizeof(*o));
	int oerr;

	if (!o)
		return ENOMEM;

	o->base.ops = &codec_opus_ops;
	o->dec = opus_decoder_create(RATE, 1, &oerr);
	if (!o->dec) {
		free(o);
		return ENOMEM;
	}
	*dp = &o->base;

	return 0;
}

static void dec_free(struct codec_dec *d)
{
	struct opus_d *o = (struct opus_d *)d;

	opus_decoder_destroy(o->dec);
	free(o);
}

static void dec_reset(struct codec_dec *d)
{
	struct opus_d *o = (struct opus_d *)d;

	(void)opus_decoder_ctl(o->dec, OPUS_RESET_STATE);
	o->lost = 0;
}

/* libopus knows nothing of our fading: lead to the sound that is back */
static void join(struct opus_d *o, int16_t *pcm, size_t sampc)
{
	for (size_t i = 0; o->lost && i < JOIN && i < sampc; i++) {
		const int w = (int)(i + 1), n = JOIN;
		const int faded = conceal_fade(pcm[i], o->lost + i, HOLD, FADE);

		pcm[i] = (int16_t)((pcm[i] * w + faded * (n - w)) / n);
	}
	o->lost = 0;
}

static void fade(struct opus_d *o, int16_t *pcm, size_t sampc)
{
	for (size_t i = 0; i < sampc; i++)
		pcm[i] = (int16_t)conceal_fade(pcm[i], o->lost + i, HOLD, FADE);

	/* silence is the end: no need to count on */
	if (o->lost < HOLD + FADE)
		o->lost += sampc;
}

static int decode(struct codec_dec *d, const uint8_t *buf, size_t len,
		  int16_t *pcm, size_t sampc)
{
	struct opus_d *o = (struct opus_d *)d;
	int n;

	if (len > PAYLOAD_MAX)
		return -1;
	if (sampc > FRAME_MAX)
		sampc = FRAME_MAX;

	n = opus_decode(o->dec, buf, (opus_int32)len, pcm, (int)sampc, 0);
	if (n <= 0)
		return -1;
	join(o, pcm, (size_t)n);

	return n;
}

/*
 * With decode_fec libopus conceals what lies before the redundant frame, and
 * everything if the next payload carries none (RFC 6716 section 2.1.7).
 * What FEC brings back is faded like the rest: it is the last frame of a
 * loss, and the next one joins it.
 */
static int conceal(struct codec_dec *d, const uint8_t *next, size_t next_len,
		   int16_t *pcm, size_t sampc)
{
	struct opus_d *o = (struct opus_d *)d;
	int n = -1;

	if (sampc > FRAME_MAX || sampc % STEP)
		return -1;

	if (next && next_len <= PAYLOAD_MAX)
		n = opus_decode(o->dec, next, (opus_int32)next_len, pcm,
				(int)sampc, 1);
	if (n < 0)
		n = opus_decode(o->dec, NULL, 0, pcm, (int)sampc, 0);
	if (n != (int)sampc)
		return -1;
	fade(o, pcm, sampc);

	return n;
}

static int duration(const uint8_t *buf, size_t len)
{
	int n;

	if (len > PAYLOAD_MAX)
		return -1;

	n = opus_packet_get_nb_samples(buf, (opus_int32)len, RATE);

	return n > 0 ? n : -1;
}

const struct codec_ops codec_opus_ops = {
	enc_new, enc_free, enc_set_loss, enc_copy, encode,
	dec_new, dec_free, dec_reset, decode, conceal, duration
};
