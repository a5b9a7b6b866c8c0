/**
 * @file resamp.h  Mono resampling in whole frames
 *
 * GstAudioResampler (libgstaudio) with one promise more: n samples in give
 * exactly n * out / in samples out, from the first call on (the filter's
 * delay is filled with silence at the start).
 */
#ifndef MIXER_RESAMP_H
#define MIXER_RESAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <gst/audio/audio-resampler.h>

struct resamp {
	GstAudioResampler *rs;    /* NULL: rates are equal            */
	uint32_t in, out;         /* [Hz]                             */
};

/** Into the caller's struct, resamp_close() frees what is in it; 0 or ENOMEM */
int  resamp_init(struct resamp *r, uint32_t in, uint32_t out);
void resamp_close(struct resamp *r);
void resamp_reset(struct resamp *r);

/** @return samples written: inc * out / in */
size_t resamp_run(struct resamp *r, const int16_t *in, size_t inc, int16_t *out);

#endif
