/**
 * @file csrc.c  What a call sends: encoded frames, made once
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "csrc.h"
#include "tone.h"
#include "wav.h"

enum {
	FRAME_BYTES_MAX = 1280,
	LOOP_MAX_S = 600,
	/* a multiple of every packet length; whole hertz fit into it */
	TONE_LOOP_MS = 3000,
};

struct frame {
	uint32_t off;
	uint16_t len;
};

struct csrc {
	struct le le;
	enum codec_id id;
	unsigned ptime;
	struct csrc_spec spec;
	struct frame *framev;
	uint32_t framec;
	uint8_t *buf;
	size_t len, size;
};

static void destructor(void *arg)
{
	struct csrc *s = arg;

	list_unlink(&s->le);
	free(s->framev);
	free(s->buf);
}

static bool same(const struct csrc *s, enum codec_id id, unsigned ptime,
		 const struct csrc_spec *spec)
{
	if (s->id != id || s->ptime != ptime || s->spec.kind != spec->kind)
		return false;

	/* one WAV file per process; silence is silence */
	return spec->kind != CSRC_TONE ||
		((int)s->spec.freq == (int)spec->freq &&
		 (int)(s->spec.level_dbfs * 10) == (int)(spec->level_dbfs * 10));
}

static int append(struct csrc *s, const uint8_t *frame, size_t len)
{
	if (s->len + len > s->size) {
		const size_t size = s->size ? 2 * s->size : 64 * 1024;
		uint8_t *buf = realloc(s->buf, size);

		if (!buf)
			return ENOMEM;
		s->buf  = buf;
		s->size = size;
	}
	memcpy(s->buf + s->len, frame, len);
	s->framev[s->framec].off = (uint32_t)s->len;
	s->framev[s->framec++].len = (uint16_t)len;
	s->len += len;

	return 0;
}

/** Encode all of pcm; its beginning goes in once before, to warm the encoder up */
static int encode(struct csrc *s, const int16_t *pcm, size_t sampc)
{
	const struct codec_cfg cfg = { .complexity = s->spec.complexity };
	const size_t n = codec_by_id(s->id)->rate * s->ptime / 1000;
	const size_t framec = sampc / n;
	uint8_t buf[FRAME_BYTES_MAX];
	struct codec_enc *enc = NULL;
	int err;

	if (!framec)
		return EINVAL;

	s->framev = calloc(framec, sizeof(*s->framev));
	if (!s->framev)
		return ENOMEM;

	err = codec_enc_new(&enc, s->id, &cfg);

	for (size_t i = 0; !err && i < 5; i++) {
		const size_t k = (framec * 5 + i - 5) % framec;

		if (codec_encode(enc, pcm + k * n, n, buf, sizeof(buf)) < 0)
			err = EPROTO;
	}
	for (size_t i = 0; !err && i < framec; i++) {
		const int r = codec_encode(enc, pcm + i * n, n, buf, sizeof(buf));

		err = r < 0 ? EPROTO : append(s, buf, (size_t)r);
	}
	codec_enc_free(&enc);

	return err;
}

/** Linear interpolation is good enough for a test signal */
static int16_t *resample(const int16_t *pcm, size_t *sampcp, uint32_t from, uint32_t to)
{
	const size_t n = (size_t)((uint64_t)*sampcp * to / from);
	int16_t *out = malloc((n + 1) * sizeof(*out));

	for (size_t i = 0; out && i < n; i++) {
		const double x = (double)i * from / to;
		const size_t k = (size_t)x;
		const int16_t b = pcm[k + 1 < *sampcp ? k + 1 : k];

		out[i] = (int16_t)(pcm[k] + (x - (double)k) * (b - pcm[k]));
	}
	*sampcp = n;

	return out;
}

static int encode_wav(struct csrc *s)
{
	const uint32_t rate = codec_by_id(s->id)->rate;
	int16_t *pcm = NULL, *fit = NULL;
	uint32_t from;
	size_t n;
	int err;

	err = wav_read(s->spec.wav, &pcm, &n, &from);
	if (err)
		return err;

	if (!n || !from)
		err = EINVAL;
	else if (n > (size_t)from * LOOP_MAX_S)
		n = (size_t)from * LOOP_MAX_S;

	if (!err) {
		fit = resample(pcm, &n, from, rate);
		err = fit ? encode(s, fit, n) : ENOMEM;
	}
	free(fit);
	free(pcm);

	return err;
}

static int encode_tone(struct csrc *s)
{
	const uint32_t rate = codec_by_id(s->id)->rate;
	const unsigned ms = s->spec.kind == CSRC_TONE ? TONE_LOOP_MS : 10 * s->ptime;
	const size_t n = (size_t)rate * ms / 1000;
	int16_t *pcm = calloc(n, sizeof(*pcm));
	int err;

	if (!pcm)
		return ENOMEM;

	if (s->spec.kind == CSRC_TONE) {
		struct tone_gen g;

		tone_gen_init(&g, s->spec.freq, rate, s->spec.level_dbfs);
		tone_gen_fill(&g, pcm, n);
	}
	err = encode(s, pcm, n);
	free(pcm);

	return err;
}

int csrc_get(struct csrc **sp, struct list *cachel, enum codec_id id, unsigned ptime,
	     const struct csrc_spec *spec)
{
	struct csrc *s;
	int err;

	for (struct le *le = list_head(cachel); le; le = le->next) {
		if (same(le->data, id, ptime, spec)) {
			*sp = mem_ref(le->data);
			return 0;
		}
	}

	s = mem_zalloc(sizeof(*s), destructor);
	if (!s)
		return ENOMEM;

	s->id    = id;
	s->ptime = ptime;
	s->spec  = *spec;
	err = spec->kind == CSRC_WAV ? encode_wav(s) : encode_tone(s);
	if (err) {
		mem_deref(s);
		return err;
	}

	if (cachel)
		list_append(cachel, &s->le, s);
	*sp = s;

	return 0;
}

const uint8_t *csrc_frame(const struct csrc *s, uint32_t i, size_t *lenp)
{
	const struct frame *f = &s->framev[i % s->framec];

	*lenp = f->len;

	return s->buf + f->off;
}
