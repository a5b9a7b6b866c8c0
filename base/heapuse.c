/**
 * @file heapuse.c  How much of the heap is in use
 */
#include "config.h"
#include <malloc.h>
#include "heapuse.h"

uint64_t heap_in_use(void)
{
#if HAVE_SANITIZER
	return 0;
#else
	const struct mallinfo2 mi = mallinfo2();

	return (uint64_t)mi.uordblks + mi.hblkhd;
#endif
}
