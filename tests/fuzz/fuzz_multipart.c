/**
 * @file fuzz_multipart.c  libFuzzer: Content-Type, line end, body
 */
#include <string.h>
#include "focus/multipart.h"
#include "fuzz.h"

static bool inside(const struct pl *pl, const uint8_t *data, size_t size)
{
	return (const uint8_t *)pl->p >= data &&
		(const uint8_t *)pl->p + pl->l <= data + size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *nl, *why = NULL;
	struct multipart m;
	struct pl ctype, body;
	int err;

	nl = size ? memchr(text, '\n', size) : NULL;
	if (!nl)
		return 0;

	ctype.p = text;
	ctype.l = (size_t)(nl - text);
	body.p = nl + 1;
	body.l = size - ctype.l - 1;
	err = multipart_decode(&m, &ctype, NULL, &body, &why);
	FUZZ_ASSERT(!err || why);
	FUZZ_ASSERT(m.partc <= MULTIPART_PARTS_MAX);

	for (unsigned i = 0; !err && i < m.partc; i++)
		FUZZ_ASSERT(inside(&m.partv[i].body, data, size));

	return 0;
}
