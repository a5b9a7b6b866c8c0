/**
 * @file activity.h  Private to activity.c and its test
 */
#ifndef MIXER_ACTIVITY_H
#define MIXER_ACTIVITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Opus: 0 silent, 1 voice, -1 the packet does not say (CELT) */
int activity_opus_vad(const uint8_t *buf, size_t len);

/**
 * G.722: follow the low band's quantiser scale from the code words alone
 *
 * @param nbp  State, 0..18432 (9 octaves, 2048 each)
 *
 * @return level, roughly [dBov]
 */
int activity_g722_level(uint16_t *nbp, const uint8_t *buf, size_t len);

#endif
