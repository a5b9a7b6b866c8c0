/**
 * @file fuzz_rtp.c  Any bytes as an RTP packet
 *
 * What is decoded must lie inside the packet, and a header that is written
 * back must read as the same header.
 */
#include <stdlib.h>
#include <string.h>
#include "rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static bool inside(const uint8_t *p, size_t len, const uint8_t *pkt, size_t size)
{
	return p >= pkt && len <= size && (size_t)(p - pkt) <= size - len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t buf[RTPH_SIZE + 4 * RTPH_CSRC_MAX];
	struct rtph h, back;
	size_t n, len;

	(void)rtph_is_rtcp(data, size);
	if (rtph_decode(&h, data, size))
		return 0;

	check(inside(h.payload, h.payload_len, data, size));
	check(!h.ext || inside(h.ext, h.ext_len, data, size));
	for (unsigned id = 0; id < 16; id++) {
		const uint8_t *p = rtph_ext_find(&h, (uint8_t)id, &len);

		check(!p || inside(p, len, h.ext, h.ext_len));
	}

	n = rtph_encode(buf, sizeof(buf), &h);
	check(n && !rtph_decode(&back, buf, n));
	check(back.seq == h.seq && back.ts == h.ts && back.ssrc == h.ssrc &&
	      back.pt == h.pt && back.marker == h.marker &&
	      back.csrcc == h.csrcc &&
	      !memcmp(back.csrcv, h.csrcv, sizeof(h.csrcv)));

	return 0;
}
