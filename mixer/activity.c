/**
 * @file activity.c  Is somebody talking?  Told from packets, not from decoding
 *
 *  - RFC 6464 level, if negotiated (the packet is authenticated by now; a
 *    sender that lies is found out by its decoded frames, see speaker.c)
 *  - G.711: samples, through a table of squares
 *  - G.722: the low band's scale factor, which follows from the code words
 *    by one table and one leaky sum per octet
 *  - Opus: DTX by length; SILK and hybrid frames carry a VAD flag in their
 *    first bits; CELT frames of a VBR sender grow when there is something to
 *    say.  What is left in doubt is decoded now and then, three packets in a
 *    row, by one of a few scratch decoders.
 *
 * Refs: RFC 6464, RFC 6716 sections 3.1 and 4.2.3, ITU-T G.722 section 3.3
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include "activity.h"
#include "mixer.h"

enum {
	PROBES = 4,
	PROBE_BURST = 3,          /* CELT's energy prediction forgets half per frame */
	PROBE_EVERY = 10,         /* packets between two bursts of one leg           */
	OPUS_DTX_LEN = 2,
	OPUS_FLOOR_SHIFT = 6,     /* the size floor rises by 1/64 per packet         */
	G722_NB_MAX = 18432,
	G722_NB_SILENT = 2400,    /* the codec's own dither stays below this         */
};

/** A scratch decoder and the leg it works for */
struct probe {
	struct codec_dec *dec;
	struct leg *leg;
	unsigned left;
};

/* ---- G.711 ---- */

static int square_table(uint32_t sqv[256], enum codec_id id)
{
	struct codec_dec *dec = NULL;
	uint8_t in[256];
	int16_t pcm[256];
	unsigned i;
	int err;

	err = codec_dec_new(&dec, id);
	if (err)
		return err;
	for (i = 0; i < 256; i++)
		in[i] = (uint8_t)i;
	if (codec_decode(dec, in, sizeof(in), pcm, 256) == 256)
		for (i = 0; i < 256; i++)
			sqv[i] = (uint32_t)(pcm[i] * pcm[i]) >> 4;
	codec_dec_free(&dec);

	return 0;
}

static int g711_level(const uint32_t sqv[256], const uint8_t *buf, size_t len)
{
	uint64_t sum = 0;
	double db;
	size_t i;

	for (i = 0; i < len; i++)
		sum += sqv[buf[i]];
	if (!sum)
		return SPK_SILENT_DBOV;
	db = 10 * log10((double)sum * 16 / (double)len / (32768.0 * 32768.0));

	return db < (double)SPK_SILENT_DBOV ? SPK_SILENT_DBOV : (int)lrint(db);
}

/* ---- G.722 ---- */

int activity_g722_level(uint16_t *nbp, const uint8_t *buf, size_t len)
{
	/* W_L of ITU-T G.722 by the low band's code word, cut to 4 bits */
	static const int16_t wl[16] = {
		-60, 3042, 1198, 538, 334, 172, 58, -30,
		3042, 1198, 538, 334, 172, 58, -30, -60,
	};
	int32_t nb = *nbp, peak = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		nb = nb * 127 / 128 + wl[buf[i] >> 2 & 15];
		nb = nb < 0 ? 0 : nb > G722_NB_MAX ? G722_NB_MAX : nb;
		peak = nb > peak ? nb : peak;
	}
	*nbp = (uint16_t)nb;

	/* the scale follows the prediction error: a few dB below the signal */
	return peak > G722_NB_SILENT ? (peak - G722_NB_MAX) * 6 / 2048 : SPK_SILENT_DBOV;
}

/* ---- Opus ---- */

int activity_opus_vad(const uint8_t *buf, size_t len)
{
	unsigned config, framec;
	const uint8_t *p = buf + 1;

	if (len <= OPUS_DTX_LEN)
		return 0;
	config = buf[0] >> 3;
	if (config >= 16)
		return -1;
	/* only packets of one frame: what else exists in the field is rare */
	if (buf[0] & 3)
		return -1;

	/* The first bits of a SILK frame are its VAD flags, one per 20 ms, at
	   probability 1/2 each, so they can be read without the range decoder */
	framec = config >= 12 ? 1 : (config & 3) < 2 ? 1 : (config & 3);

	return p[0] >> (8 - framec) ? 1 : 0;
}

/* A VBR sender's packets grow with what there is to say */
static bool grew(struct activity *a, size_t len)
{
	const uint32_t q4 = (uint32_t)len << 4;
	bool big;

	if (!a->mean_len)
		a->mean_len = q4;
	big = q4 > a->mean_len + a->mean_len / 2 + (8 << 4);
	if (q4 < a->mean_len)
		a->mean_len = q4;
	else
		a->mean_len += (a->mean_len >> OPUS_FLOOR_SHIFT) + 1;

	return big;
}

static struct probe *probe_of(struct mixer *mx, struct leg *leg)
{
	unsigned i;

	for (i = 0; i < PROBES; i++)
		if (mx->probes[i].leg == leg)
			return &mx->probes[i];

	return NULL;
}

/* Decode this packet for its level alone; @return false: not now, or not yet */
static bool probe(struct leg *leg, const struct rtph *h, bool eager, int *levelp)
{
	struct mixer *mx = leg->conf->mx;
	struct probe *p = probe_of(mx, leg);
	int16_t pcm[5760];
	int n;

	if (!p) {
		if (!eager && ++leg->act.wait < PROBE_EVERY)
			return false;
		p = probe_of(mx, NULL);
		if (!p)
			return false;
		leg->act.wait = 0;
		p->leg = leg;
		p->left = PROBE_BURST;
		codec_dec_reset(p->dec);
	}

	n = codec_decode(p->dec, h->payload, h->payload_len, pcm, 5760);
	if (n <= 0 || --p->left == 0)
		p->leg = NULL;
	if (n <= 0 || p->left)
		return false;
	*levelp = spk_pcm_level(pcm, (unsigned)n);

	return true;
}

static enum spk_hint look_opus(struct leg *leg, const struct rtph *h, int *levelp)
{
	const int vad = activity_opus_vad(h->payload, h->payload_len);
	const bool first = !leg->act.mean_len, big = grew(&leg->act, h->payload_len);

	if (!vad)
		return SPK_SILENCE;

	if (spk_wants_probe(&leg->conf->speakers, &leg->spk, now_usec() / 1000))
		return probe(leg, h, big || vad > 0, levelp) ? SPK_MEASURED : SPK_NONE;
	if (vad > 0 || big || first)
		return SPK_MAYBE;

	/* CELT of constant size says nothing: listen now and then */
	return probe(leg, h, false, levelp) ? SPK_MEASURED : SPK_NONE;
}

/* A sender's word is enough to be listened to, but not to have another one's
   place: then, and after a lie, we look ourselves */
static bool claim(struct leg *leg, const struct rtph *h, int *levelp)
{
	const uint8_t *ext;
	size_t len;

	if (!leg->cfg.level_ext)
		return false;
	ext = rtph_ext_find(h, leg->cfg.level_ext, &len);
	if (!ext || len < 1)
		return false;
	*levelp = -(ext[0] & 0x7f);

	return !spk_above(&leg->spk, *levelp) ||
		!spk_wants_probe(&leg->conf->speakers, &leg->spk, now_usec() / 1000);
}

enum spk_hint activity_look(struct leg *leg, const struct rtph *h, int *levelp)
{
	const struct mixer *mx = leg->conf->mx;

	if (claim(leg, h, levelp))
		return SPK_CLAIM;

	switch (leg->cfg.codec->id) {

	case CODEC_PCMA:
	case CODEC_PCMU:
		*levelp = g711_level(mx->g711sq[leg->cfg.codec->id == CODEC_PCMU],
				     h->payload, h->payload_len);
		return SPK_MEASURED;

	case CODEC_G722:
		*levelp = activity_g722_level(&leg->act.g722_nb, h->payload, h->payload_len);
		return SPK_CLAIM;

	case CODEC_OPUS:
		return look_opus(leg, h, levelp);

	default:
		return SPK_NONE;
	}
}

int activity_init(struct mixer *mx)
{
	unsigned i;
	int err;

	err = square_table(mx->g711sq[0], CODEC_PCMA);
	if (!err)
		err = square_table(mx->g711sq[1], CODEC_PCMU);
	if (err)
		return err;

	mx->probes = calloc(PROBES, sizeof(*mx->probes));
	if (!mx->probes)
		return ENOMEM;
	for (i = 0; i < PROBES && !err; i++)
		err = codec_dec_new(&mx->probes[i].dec, CODEC_OPUS);

	return err;
}

void activity_close(struct mixer *mx)
{
	unsigned i;

	for (i = 0; mx->probes && i < PROBES; i++)
		codec_dec_free(&mx->probes[i].dec);
	free(mx->probes);
	mx->probes = NULL;
}

void activity_forget(struct leg *leg)
{
	struct probe *p = probe_of(leg->conf->mx, leg);

	if (p)
		p->leg = NULL;
}
