/**
 * @file bfcp/frame.c  Cutting a stream into BFCP messages
 *
 * Refs: RFC 8855 section 6.1
 */
#include <string.h>
#include "bfcpm.h"


void bfcpm_frame_init(struct bfcpm_frame *f, size_t max)
{
	memset(f, 0, sizeof(*f));
	f->max = max;
	f->need = BFCPM_HDR_LEN;
}


void bfcpm_frame_reset(struct bfcpm_frame *f)
{
	mem_deref(f->buf);
	bfcpm_frame_init(f, f->max);
}


bool bfcpm_frame_partial(const struct bfcpm_frame *f)
{
	return f->have || f->skip;
}


/** The header is there: make room for the payload, or decide to skip it */
static int header_done(struct bfcpm_frame *f, bfcpm_frame_h *h, void *arg)
{
	struct bfcpm_hdr hdr;

	bfcpm_hdr_decode(&hdr, f->hdr);
	f->need = BFCPM_HDR_LEN + 4 * (size_t)hdr.words;
	if (f->need > f->max) {
		f->skip = f->need - BFCPM_HDR_LEN;
		f->have = 0;
		f->need = BFCPM_HDR_LEN;
		return h(f->hdr, BFCPM_HDR_LEN, true, arg);
	}

	f->buf = mem_alloc(f->need, NULL);
	if (!f->buf)
		return ENOMEM;
	memcpy(f->buf, f->hdr, BFCPM_HDR_LEN);

	return 0;
}


static int message_done(struct bfcpm_frame *f, bfcpm_frame_h *h, void *arg)
{
	uint8_t *msg = f->buf;
	const size_t len = f->need;
	int err;

	/* ready for the next one before the handler is called */
	bfcpm_frame_init(f, f->max);
	err = h(msg, len, false, arg);
	mem_deref(msg);

	return err;
}


static size_t skip(struct bfcpm_frame *f, size_t n)
{
	const size_t k = MIN(n, f->skip);

	f->skip -= k;

	return k;
}


static size_t collect(struct bfcpm_frame *f, const uint8_t *p, size_t n)
{
	const size_t k = MIN(n, f->need - f->have);

	memcpy((f->buf ? f->buf : f->hdr) + f->have, p, k);
	f->have += k;

	return k;
}


int bfcpm_frame_feed(struct bfcpm_frame *f, const uint8_t *p, size_t n,
		     bfcpm_frame_h *h, void *arg)
{
	while (n) {
		const size_t k = f->skip ? skip(f, n) : collect(f, p, n);
		int err = 0;

		p += k;
		n -= k;
		if (!f->buf && f->have == BFCPM_HDR_LEN)
			err = header_done(f, h, arg);
		if (!err && f->buf && f->have == f->need)
			err = message_done(f, h, arg);
		if (err)
			return err;
	}

	return 0;
}
