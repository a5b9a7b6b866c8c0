/**
 * @file fuzz_authz.c  libFuzzer: the value of an Authorization header
 */
#include "focus/authz.h"
#include "fuzz.h"

/** Every field lies inside the input and has no line break in it */
static void check(const struct pl *f, const struct pl *val)
{
	if (!f->p)
		return;

	FUZZ_ASSERT(f->p >= val->p && f->p + f->l <= val->p + val->l);

	for (size_t i = 0; i < f->l; i++)
		FUZZ_ASSERT(f->p[i] != '\0' && f->p[i] != '\n' && f->p[i] != '\r');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pl val = { (const char *)data, size };
	struct authz az;

	if (!size || authz_decode(&az, &val))
		return 0;

	check(&az.username, &val);
	check(&az.realm, &val);
	check(&az.nonce, &val);
	check(&az.uri, &val);
	check(&az.response, &val);
	check(&az.algorithm, &val);
	check(&az.cnonce, &val);
	check(&az.qop, &val);
	check(&az.nc, &val);
	FUZZ_ASSERT(az.username.p && az.realm.p && az.nonce.p && az.uri.p && az.response.p);
	FUZZ_ASSERT(az.response.l <= 64 && az.nc.l <= 8);

	return 0;
}
