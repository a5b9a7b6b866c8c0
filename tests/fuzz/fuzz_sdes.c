/**
 * @file fuzz_sdes.c  Fuzz target: the a=crypto attribute
 *
 * Beside "no crash": a line that is refused leaves nothing behind; an
 * accepted one has keys of the suite's length and unequal MKIs of one length,
 * lifetimes within the maximum, and printing and reading it again gives the
 * same.  No secret survives.
 */
#include <string.h>
#include "fuzz.h"
#include "sdes.h"

static const struct sdes empty;


static void check_keys(const struct sdes *sd)
{
	FUZZ_ASSERT(sd->keyc >= 1 && sd->keyc <= SDES_KEYS_MAX);

	for (unsigned i = 0; i < sd->keyc; i++) {
		const struct sdes_key *k = &sd->keyv[i];

		FUZZ_ASSERT(secret_len(k->keysalt) ==
			    suite_keysalt_len(sd->suite));
		FUZZ_ASSERT(k->lifetime <= UINT64_C(1) << 48);
		FUZZ_ASSERT(k->mki_len <= SDES_MKI_MAX);
		FUZZ_ASSERT(k->mki_len == sd->keyv[0].mki_len);
		FUZZ_ASSERT(k->mki_len || sd->keyc == 1);

		for (unsigned j = 0; j < i; j++) {
			FUZZ_ASSERT(memcmp(k->mki, sd->keyv[j].mki,
					   k->mki_len));
			FUZZ_ASSERT(!secret_equal(k->keysalt,
						  sd->keyv[j].keysalt));
		}
	}
}


static void check_same(const struct sdes *a, const struct sdes *b)
{
	FUZZ_ASSERT(a->tag == b->tag && a->tag <= SDES_TAG_MAX);
	FUZZ_ASSERT(a->suite == b->suite);
	FUZZ_ASSERT(!strcmp(a->suite_name, b->suite_name));
	FUZZ_ASSERT(a->keyc == b->keyc);
	FUZZ_ASSERT(a->unencrypted_srtp == b->unencrypted_srtp);
	FUZZ_ASSERT(a->unencrypted_srtcp == b->unencrypted_srtcp);
	FUZZ_ASSERT(a->unauthenticated_srtp == b->unauthenticated_srtp);
	FUZZ_ASSERT(a->fec_order_srtp == b->fec_order_srtp);
	FUZZ_ASSERT(a->kdr == b->kdr && a->kdr <= 24);
	FUZZ_ASSERT(a->wsh == b->wsh && (!a->wsh || a->wsh >= 64));

	for (unsigned i = 0; i < a->keyc; i++) {
		const struct sdes_key *ka = &a->keyv[i], *kb = &b->keyv[i];

		FUZZ_ASSERT(secret_equal(ka->keysalt, kb->keysalt));
		FUZZ_ASSERT(ka->lifetime == kb->lifetime);
		FUZZ_ASSERT(ka->mki_len == kb->mki_len);
		FUZZ_ASSERT(!memcmp(ka->mki, kb->mki, ka->mki_len));
	}
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[2 * SDES_LINE_MAX];
	struct sdes a = empty, b = empty;
	enum sdes_err e;
	int n;

	e = sdes_decode(&a, (const char *)data, size);
	if (e) {
		FUZZ_ASSERT(!memcmp(&a, &empty, sizeof(a)));
		FUZZ_ASSERT(*sdes_strerror(e));
		FUZZ_ASSERT(!secret_count());
		return 0;
	}

	check_keys(&a);

	/* only longer by the padding of each key and "2^0" for "1" */
	n = sdes_print(text, sizeof(text), &a);
	FUZZ_ASSERT(n > 0 && (size_t)n == strlen(text));
	FUZZ_ASSERT((size_t)n <= size + 4 * SDES_KEYS_MAX);

	if (n <= SDES_LINE_MAX) {
		FUZZ_ASSERT(SDES_OK == sdes_decode(&b, text, (size_t)n));
		check_keys(&b);
		check_same(&a, &b);
	}

	sdes_reset(&a);
	sdes_reset(&b);
	FUZZ_ASSERT(!secret_count());

	return 0;
}
