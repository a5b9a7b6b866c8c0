/**
 * @file resamp.c  Mono resampling in whole frames
 */
#include <errno.h>
#include <string.h>
#include "resamp.h"

/* Enough for telephony next to 48 kHz; higher costs time at every talker */
enum { QUALITY = 3 };

int resamp_init(struct resamp *r, uint32_t in, uint32_t out)
{
	const GstAudioResamplerMethod method = GST_AUDIO_RESAMPLER_METHOD_KAISER;
	GstStructure *opt;

	memset(r, 0, sizeof(*r));
	r->in = in;
	r->out = out;
	if (in == out)
		return 0;

	opt = gst_structure_new_empty("options");
	gst_audio_resampler_options_set_quality(method, QUALITY, (gint)in, (gint)out, opt);
	r->rs = gst_audio_resampler_new(method, GST_AUDIO_RESAMPLER_FLAG_NONE,
					GST_AUDIO_FORMAT_S16, 1, (gint)in, (gint)out, opt);
	gst_structure_free(opt);

	return r->rs ? 0 : ENOMEM;
}

void resamp_close(struct resamp *r)
{
	if (r->rs)
		gst_audio_resampler_free(r->rs);
	memset(r, 0, sizeof(*r));
}

void resamp_reset(struct resamp *r)
{
	if (r->rs)
		gst_audio_resampler_reset(r->rs);
}

size_t resamp_run(struct resamp *r, const int16_t *in, size_t inc, int16_t *out)
{
	const size_t want = inc * r->out / r->in;
	gpointer iv[1] = {(gpointer)(uintptr_t)in}, ov[1];
	size_t n;

	if (!r->rs) {
		memcpy(out, in, inc * sizeof(*in));
		return inc;
	}

	n = gst_audio_resampler_get_out_frames(r->rs, inc);
	if (n > want)
		n = want;
	memset(out, 0, (want - n) * sizeof(*out));
	ov[0] = out + (want - n);
	gst_audio_resampler_resample(r->rs, iv, inc, ov, n);

	return want;
}
