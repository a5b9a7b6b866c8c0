/**
 * @file fuzz_referto.c  libFuzzer: the value of a Refer-To header
 */
#include <string.h>
#include "focus/referto.h"
#include "fuzz.h"

static void one_line(const char *s)
{
	for (; *s; s++)
		FUZZ_ASSERT(*s >= ' ' && *s <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pl val = { (const char *)data, size };
	struct referto rt;
	const char *why = NULL;

	if (!size)
		return 0;
	if (referto_decode(&rt, &val, &why)) {
		FUZZ_ASSERT(why);
		return 0;
	}

	one_line(rt.uri);
	one_line(rt.replaces);
	one_line(rt.refer_to);
	FUZZ_ASSERT(!strchr(rt.uri, '>'));

	return 0;
}
