/**
 * @file heapuse.h  How much of the heap is in use
 *
 * The resident size of a process says what it once needed; this says what it
 * has not given back.
 */
#ifndef CONCLAVE_HEAPUSE_H
#define CONCLAVE_HEAPUSE_H

#include <stdint.h>

/** Blocks that were allocated and not freed [bytes]; 0 under a sanitizer,
 *  which has a heap of its own */
uint64_t heap_in_use(void);

#endif
