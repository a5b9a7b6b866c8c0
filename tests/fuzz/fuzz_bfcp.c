/**
 * @file fuzz_bfcp.c  Fuzz target: BFCP framing and messages
 *
 * The first byte says in what pieces the rest arrives.  Beside "no crash": the
 * pieces do not matter, and what was decoded is encoded to something that
 * decodes to the same bytes.
 */
#include <string.h>
#include "fuzz.h"
#include "bfcpm.h"

enum { INPUT_MAX = 8192, REQ_MAX = 16, MSG_MAX = 2048 };

struct outcome {
	unsigned messages;
	uint64_t hash;
};


static void hash_add(uint64_t *hash, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		*hash ^= p[i];
		*hash *= UINT64_C(0x100000001b3);
	}
}


/* encode(decode(x)) is a fixed point: the first pass may drop what it ignores */
static void round_trip(const struct bfcpm *m)
{
	static struct bfcpm_req reqv[REQ_MAX];
	struct bfcpm back = { .reqs = { reqv, 0, REQ_MAX } };
	struct mbuf *a = mbuf_alloc(256), *b = mbuf_alloc(256);

	FUZZ_ASSERT(a && b);
	if (!bfcpm_encode(a, m)) {
		FUZZ_ASSERT(!bfcpm_decode(&back, a->buf, a->end));
		FUZZ_ASSERT(!back.unknownc);
		FUZZ_ASSERT(!bfcpm_encode(b, &back));
		FUZZ_ASSERT(a->end == b->end &&
			    !memcmp(a->buf, b->buf, a->end));
	}
	mem_deref(a);
	mem_deref(b);
}


static int message(const uint8_t *msg, size_t len, bool too_long, void *arg)
{
	static struct bfcpm_req reqv[REQ_MAX];
	struct bfcpm m = { .reqs = { reqv, 0, REQ_MAX } };
	struct outcome *o = arg;

	++o->messages;
	hash_add(&o->hash, msg, len);
	if (!too_long && !bfcpm_decode(&m, msg, len))
		round_trip(&m);

	return 0;
}


static struct outcome feed(const uint8_t *p, size_t n, size_t step)
{
	struct outcome o = { 0, UINT64_C(0xcbf29ce484222325) };
	struct bfcpm_frame f;

	bfcpm_frame_init(&f, MSG_MAX);
	for (size_t i = 0; i < n; i += step)
		FUZZ_ASSERT(!bfcpm_frame_feed(&f, p + i, MIN(step, n - i),
					      message, &o));
	bfcpm_frame_reset(&f);

	return o;
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome all, pieces;

	if (size < 2 || size > INPUT_MAX)
		return 0;

	all = feed(data + 1, size - 1, size);
	pieces = feed(data + 1, size - 1, 1 + data[0]);
	FUZZ_ASSERT(all.messages == pieces.messages &&
		    all.hash == pieces.hash);

	return 0;
}
