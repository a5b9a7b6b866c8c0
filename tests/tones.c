/**
 * @file tones.c  Say which tones are in a recording
 *
 *   tones FILE.wav FREQ...
 *
 * Prints one JSON object; the end-to-end tests judge it.  Levels are those of
 * tone.h: a full-scale sine reads -3.
 */
#include <stdio.h>
#include <stdlib.h>
#include "tone.h"
#include "wav.h"


static void print_tone(const struct tone_found *tf, const char *sep)
{
	printf("%s{\"freq\": %g, \"level_dbfs\": %.1f, \"longest_gap_ms\": %u, "
	       "\"gaps\": %u, \"on_pct\": %u, \"first_ms\": %u}", sep, tf->freq,
	       tf->level_dbfs, tf->longest_gap_ms, tf->gaps, tf->on_pct,
	       tf->first_ms);
}


int main(int argc, char *argv[])
{
	int16_t *pcm = NULL;
	uint32_t rate = 0;
	size_t sampc = 0;

	if (argc < 3) {
		fprintf(stderr, "usage: tones FILE.wav FREQ...\n");
		return 2;
	}
	if (wav_read(argv[1], &pcm, &sampc, &rate) || !rate) {
		fprintf(stderr, "tones: cannot read %s\n", argv[1]);
		return 2;
	}

	printf("{\"rate\": %u, \"duration_ms\": %zu, \"tones\": [", rate,
	       sampc * 1000 / rate);
	for (int i = 2; i < argc; i++) {
		struct tone_found tf;

		tone_find(&tf, pcm, sampc, rate, strtod(argv[i], NULL));
		print_tone(&tf, i == 2 ? "" : ", ");
	}
	printf("]}\n");
	free(pcm);

	return 0;
}
