/**
 * @file codec.h  Audio codecs behind one table
 *
 * Opus (libopus), G.722 and G.711 (libspandsp) with packet loss concealment.
 * All PCM is 16 bit mono at the codec's own rate; resampling is the caller's.
 * Shared by the mixer's elements and by the test phone.
 *
 * Ownership:  encoders and decoders are their maker's; free sets the pointer to NULL
 * Refs:       RFC 6716, RFC 7587, RFC 3551 section 4.5
 */
#ifndef CONCLAVE_CODEC_H
#define CONCLAVE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers are on the wire between focus and mixer (mp.proto): never reuse */
enum codec_id {
	CODEC_NONE = 0,
	CODEC_OPUS = 1,
	CODEC_G722 = 2,
	CODEC_PCMA = 3,
	CODEC_PCMU = 4,
	CODEC_MAX = CODEC_PCMU,
};

struct codec {
	enum codec_id id;
	const char *name;      /* rtpmap encoding name                       */
	uint32_t clock;        /* RTP clock (G.722: 8000) [Hz]               */
	uint32_t rate;         /* PCM sample rate [Hz]                       */
	uint8_t  rtpmap_ch;    /* channels in rtpmap (Opus: 2), 0 = omit     */
	int      pt;           /* static payload type, -1 = dynamic          */
};

const struct codec *codec_by_id(enum codec_id id);
const struct codec *codec_by_name(const char *name, size_t len, uint32_t clock);
const struct codec *codec_by_pt(int pt);   /* static types only */

/** Encoder settings; zero means default */
struct codec_cfg {
	uint32_t bitrate;      /* Opus [bit/s], 0 = 32000                    */
	int      complexity;   /* Opus 0..10, < 0 = default (7)              */
	bool     fec;          /* Opus in-band FEC, see codec_enc_set_loss() */
	bool     dtx;          /* Opus DTX                                   */
	bool     cbr;          /* Opus constant bit rate                     */
	uint32_t max_rate;     /* Opus maxplaybackrate [Hz], 0 = 48000       */
};

struct codec_enc;
struct codec_dec;

/** @return 0, EINVAL for a codec or configuration that there is not, or ENOMEM;
 *  *ep is untouched then */
int  codec_enc_new(struct codec_enc **ep, enum codec_id id, const struct codec_cfg *cfg);
void codec_enc_free(struct codec_enc **ep);
/**
 * How much does the other side lose?
 *
 * Bits go into in-band FEC only once losses are reported.
 *
 * @param percent  0 (what a new encoder assumes) and up; Opus counts at most
 *                 30, the others ignore it
 */
void codec_enc_set_loss(struct codec_enc *e, unsigned percent);

/**
 * Go on where another encoder of the same codec and configuration is: a decoder
 * that heard that one hears no break
 */
void codec_enc_copy(struct codec_enc *to, const struct codec_enc *from);

/**
 * Encode one frame
 *
 * @param pcm      Samples at codec->rate
 * @param sampc    2.5..60 ms for Opus, any multiple of 8 for the others
 * @param buf      Out
 * @param size     Size of buf [bytes]
 *
 * @return bytes written (1 or 2 for an Opus DTX frame), or -1
 */
int codec_encode(struct codec_enc *e, const int16_t *pcm, size_t sampc, uint8_t *buf, size_t size);

/** As codec_enc_new() */
int  codec_dec_new(struct codec_dec **dp, enum codec_id id);
void codec_dec_free(struct codec_dec **dp);
void codec_dec_reset(struct codec_dec *d);

/**
 * Decode one payload
 *
 * @param buf    Payload; network input, any bytes are safe
 * @param pcm    Out, samples at codec->rate, mono
 * @param sampc  Room in pcm [samples], 120 ms is always enough
 *
 * @return samples written, or -1 if the payload is no frame of this codec
 */
int codec_decode(struct codec_dec *d, const uint8_t *buf, size_t len, int16_t *pcm, size_t sampc);

/**
 * Conceal lost audio
 *
 * @param next     Payload that follows the loss if it is already there and may
 *                 hold in-band FEC for the lost frame, else NULL
 * @param sampc    How much is missing [samples]
 *
 * @return samples written (== sampc), or -1
 */
int codec_conceal(struct codec_dec *d, const uint8_t *next, size_t next_len, int16_t *pcm, size_t sampc);

/** Duration of a payload in samples at codec->rate without decoding; -1 if not a frame */
int codec_duration(enum codec_id id, const uint8_t *buf, size_t len);

#endif
