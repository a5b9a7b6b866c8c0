/**
 * @file stream.c  One outgoing RTP stream: SSRC, SEQ, time stamps, key
 */
#include <errno.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include "stream.h"

void keyuse_init(struct keyuse *ku, uint64_t limit)
{
	memset(ku, 0, sizeof(*ku));
	ku->limit = limit;
}

void keyuse_close(struct keyuse *ku)
{
	free(ku->ssrcv);
	memset(ku, 0, sizeof(*ku));
}

bool keyuse_has(const struct keyuse *ku, uint32_t ssrc)
{
	size_t i;

	for (i = 0; i < ku->ssrcc; i++)
		if (ku->ssrcv[i] == ssrc)
			return true;

	return false;
}

static int keyuse_add(struct keyuse *ku, uint32_t ssrc)
{
	uint32_t *v;

	if (keyuse_has(ku, ssrc))
		return EINVAL;

	/* grows by steps of 16 */
	if (!(ku->ssrcc & 15)) {
		v = realloc(ku->ssrcv, (ku->ssrcc + 16) * sizeof(*v));
		if (!v)
			return ENOMEM;
		ku->ssrcv = v;
	}
	ku->ssrcv[ku->ssrcc++] = ssrc;

	return 0;
}

static int begin(struct stream *s, uint32_t ssrc, uint32_t clock)
{
	uint16_t seq;
	uint32_t base;
	int err;

	if (1 != RAND_bytes((uint8_t *)&seq, sizeof(seq)) ||
	    1 != RAND_bytes((uint8_t *)&base, sizeof(base)))
		return EIO;

	err = keyuse_add(s->use, ssrc);
	if (err)
		return err;

	s->ssrc = ssrc;
	s->clock = clock;
	s->ts_base = base;
	/* RFC 4568 section 6.4: below 2^15, so that a receiver that misses
	   the first packets still guesses ROC 0 */
	s->seq = seq & 0x7fff;
	s->started = false;
	s->packets = s->octets = s->sr_packets = 0;

	return 0;
}

int stream_open(struct stream *s, const struct skey *key, struct keyuse *use,
		uint32_t ssrc, uint32_t clock, bool group)
{
	int err;

	memset(s, 0, sizeof(*s));
	s->use = use;
	s->group = group;
	err = begin(s, ssrc, clock);
	if (!err)
		err = skey_msrtp(key, MSRTP_TX, &s->srtp);

	return err;
}

int stream_renew(struct stream *s, uint32_t ssrc, uint32_t clock)
{
	const uint32_t old = s->ssrc;
	const int err = begin(s, ssrc, clock);

	if (!err)
		msrtp_remove_ssrc(s->srtp, old);

	return err;
}

void stream_close(struct stream *s)
{
	msrtp_free(&s->srtp);
	memset(s, 0, sizeof(*s));
}

enum stream_limit stream_limit(const struct stream *s)
{
	const struct keyuse *ku = s->use;

	if (ku->used >= ku->limit || (s->group && s->packets >= STREAM_GROUP_PACKETS))
		return STREAM_HARD;
	if (ku->used >= ku->limit - ku->limit / 4 || (s->group && s->packets >= STREAM_GROUP_SOFT))
		return STREAM_SOFT;

	return STREAM_FAR;
}

uint32_t stream_ts(const struct stream *s, uint64_t pos)
{
	return s->ts_base + (uint32_t)(pos * (s->clock / 1000) / 48);
}

int stream_packet(struct stream *s, const struct frame *f, uint8_t *buf, size_t *lenp)
{
	struct rtph h = {.pt = f->pt, .csrcc = f->csrcc, .seq = s->seq, .ssrc = s->ssrc};
	size_t len;

	if (stream_limit(s) == STREAM_HARD)
		return ENOSPC;

	h.marker = !s->started || f->pos != s->next_pos;
	h.ts = stream_ts(s, f->pos);
	memcpy(h.csrcv, f->csrcv, f->csrcc * sizeof(*h.csrcv));
	len = rtph_encode(buf, RTPH_MTU, &h);
	if (!len || len + f->len > RTPH_MTU)
		return EMSGSIZE;
	memcpy(buf + len, f->payload, f->len);
	len += f->len;

	/* From here on this SEQ is spent, whatever becomes of the packet: it is
	   never protected a second time */
	++s->seq;
	++s->packets;
	++s->use->used;
	s->octets += f->len;
	s->started = true;
	s->next_pos = f->pos + f->dur;

	if (msrtp_protect(s->srtp, buf, &len))
		return EIO;
	*lenp = len;

	return 0;
}

int stream_rtcp(struct stream *s, uint8_t *buf, size_t *lenp)
{
	return msrtp_protect_rtcp(s->srtp, buf, lenp) ? EIO : 0;
}
