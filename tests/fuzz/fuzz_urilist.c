/**
 * @file fuzz_urilist.c  libFuzzer: a URI list, read and told on
 */
#include "focus/urilist.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pl xml = { (const char *)data, size };
	struct urilist *l = NULL, *again = NULL;
	struct mbuf *mb = NULL;
	const char *why = NULL;

	if (!size || urilist_decode(&l, &xml, &why)) {
		FUZZ_ASSERT(!l);
		return 0;
	}
	FUZZ_ASSERT(list_count(&l->entryl) <= URILIST_MAX);

	/* what we print, we can read */
	FUZZ_ASSERT(!urilist_history(&mb, l));
	if (mb) {
		const struct pl pl = { (const char *)mb->buf, mb->end };

		FUZZ_ASSERT(!urilist_decode(&again, &pl, &why));
	}

	mem_deref(again);
	mem_deref(mb);
	mem_deref(l);

	return 0;
}
