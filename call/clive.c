/**
 * @file clive.c  A source that is encoded while it is sent, and can be marked
 */
#include <errno.h>
#include "clive.h"
#include "cmedia.h"
#include "tone.h"

enum {
	MARK_DB = -8,             /* under the tone, so that nothing clips   */
	FADE_MS = 4,              /* a click would make the codec noisy      */
	SAMP_MAX = 48 * 60,
};

struct clive {
	double freq, level_dbfs;
	enum codec_id id;
	unsigned ptime;
	size_t sampc;
	struct codec_enc *enc;
	struct tone_gen tone, mark;
	unsigned mark_frames;         /* still to be sent                    */
	bool mark_first;
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
	tone_gen_init(&l->mark, CLIVE_MARK_HZ, c->rate, l->level_dbfs + (double)MARK_DB);

	return codec_enc_new(&l->enc, id, &cfg);
}

void clive_mark(struct clive *l, unsigned ms, clive_mark_h *markh, void *arg)
{
	if (!l->enc)
		return;

	l->mark_frames = (ms + l->ptime - 1) / l->ptime;
	l->mark_first = true;
	l->markh = markh;
	l->arg   = arg;
}

/** On top of the tone, which is not to have a gap; says when it begins */
static void add_marker(struct clive *l, int16_t *pcm)
{
	const size_t fade = l->sampc * FADE_MS / l->ptime;
	int16_t mark[SAMP_MAX];

	if (l->mark_first)
		l->markh(cmedia_now_us(), l->arg);

	tone_gen_fill(&l->mark, mark, l->sampc);
	for (size_t i = 0; i < l->sampc; i++) {
		double gain = 1;

		if (l->mark_first && i < fade)
			gain = (double)i / (double)fade;
		else if (!l->mark_frames && l->sampc - i < fade)
			gain = (double)(l->sampc - i) / (double)fade;
		pcm[i] = (int16_t)(pcm[i] + gain * mark[i]);
	}
	l->mark_first = false;
}

const uint8_t *clive_frame(uint32_t i, size_t *lenp, void *arg)
{
	struct clive *l = arg;
	int16_t pcm[SAMP_MAX];
	int n;
	(void)i;

	if (!l->enc)
		return NULL;

	tone_gen_fill(&l->tone, pcm, l->sampc);
	if (l->mark_frames) {
		--l->mark_frames;
		add_marker(l, pcm);
	}
	n = codec_encode(l->enc, pcm, l->sampc, l->buf, sizeof(l->buf));
	if (n < 0)
		return NULL;

	*lenp = (size_t)n;
	return l->buf;
}
