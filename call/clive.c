/**
 * @file clive.c  A source that is encoded while it is sent, and can be marked
 */
#include <errno.h>
#include "clive.h"
#include "cmedia.h"
#include "tone.h"

struct clive {
	double freq, level_dbfs;
	enum codec_id id;
	unsigned ptime;
	size_t sampc;
	struct codec_enc *enc;
	struct tone_gen tone, mark;
	unsigned mark_frames;         /* still to be sent                    */
	clive_mark_h *markh;          /* told at the first of them           */
	void *arg;
	uint8_t buf[1280];
};

static void destructor(void *arg)
{
	struct clive *l = arg;

	codec_enc_free(&l->enc);
}

int clive_alloc(struct clive **lp, double freq, double level_dbfs)
{
	struct clive *l = mem_zalloc(sizeof(*l), destructor);

	if (!l)
		return ENOMEM;

	l->freq = freq;
	l->level_dbfs = level_dbfs;
	*lp = l;

	return 0;
}

int clive_set_codec(struct clive *l, enum codec_id id, unsigned ptime)
{
	const struct codec_cfg cfg = { .complexity = -1 };
	const struct codec *c = codec_by_id(id);

	if (l->enc && l->id == id && l->ptime == ptime)
		return 0;

	codec_enc_free(&l->enc);
	l->id    = id;
	l->ptime = ptime;
	l->sampc = c->rate * ptime / 1000;
	tone_gen_init(&l->tone, l->freq, c->rate, l->level_dbfs);
	tone_gen_init(&l->mark, CLIVE_MARK_HZ, c->rate, l->level_dbfs);

	return codec_enc_new(&l->enc, id, &cfg);
}

void clive_mark(struct clive *l, unsigned ms, clive_mark_h *markh, void *arg)
{
	if (!l->enc)
		return;

	l->mark_frames = (ms + l->ptime - 1) / l->ptime;
	l->markh = markh;
	l->arg   = arg;
}

const uint8_t *clive_frame(uint32_t i, size_t *lenp, void *arg)
{
	struct clive *l = arg;
	struct tone_gen *g = l->mark_frames ? &l->mark : &l->tone;
	int16_t pcm[48 * 60];
	int n;
	(void)i;

	if (!l->enc)
		return NULL;

	if (l->mark_frames) {
		--l->mark_frames;
		if (l->markh)
			l->markh(cmedia_now_us(), l->arg);
		l->markh = NULL;
	}

	tone_gen_fill(g, pcm, l->sampc);
	n = codec_encode(l->enc, pcm, l->sampc, l->buf, sizeof(l->buf));
	if (n < 0)
		return NULL;

	*lenp = (size_t)n;
	return l->buf;
}
