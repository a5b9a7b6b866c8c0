/**
 * @file wav.h  16 bit PCM WAV files
 *
 * Both return 0 or an errno value: EBADMSG is no such file, ENOTSUP one of another
 * kind, EFBIG one that is too long.  sampc counts samples, rate is in Hz.
 */
#ifndef CONCLAVE_WAV_H
#define CONCLAVE_WAV_H

#include <stddef.h>
#include <stdint.h>

/** Read a mono or stereo 16 bit file (stereo is averaged); caller frees *pcmp with free() */
int wav_read(const char *path, int16_t **pcmp, size_t *sampcp, uint32_t *ratep);
int wav_write(const char *path, const int16_t *pcm, size_t sampc, uint32_t rate);

#endif
