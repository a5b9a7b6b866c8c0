/**
 * @file fuzz.h  What every fuzz target has
 */
#ifndef CONCLAVE_FUZZ_H
#define CONCLAVE_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/** Called by libFuzzer, or by replay.c with the files of a corpus */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** An assertion that no build leaves out */
#define FUZZ_ASSERT(cond)						\
	do {								\
		if (!(cond)) {						\
			fprintf(stderr, "%s:%d: %s\n",			\
				__FILE__, __LINE__, #cond);		\
			abort();					\
		}							\
	} while (0)

#endif
