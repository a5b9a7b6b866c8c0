/**
 * @file rtp.c  RTP packets: header on the wire and in memory
 *
 * Everything here reads bytes of strangers: lengths are checked before a
 * field is read, nothing is copied, pointers go into the caller's packet.
 *
 * Refs: RFC 3550 section 5.1, RFC 5761 section 4, RFC 8285 section 4.2
 */
#include <errno.h>
#include <string.h>
#include "rtp.h"
#include "be.h"

enum {
	EXT_HDR_SIZE = 4,         /* profile and length of the extension     */
	EXT_ONE_BYTE = 0xbede,    /* RFC 8285 section 4.2                    */
	EXT_ID_STOP  = 15,
	RTCP_PT_MIN  = 192,
	RTCP_PT_MAX  = 223,
};

/*
 * RFC 3550 section 5.1: "The last octet of the padding contains a count of
 * how many padding octets should be ignored, including itself."
 */
static int padding_strip(struct rtph *h)
{
	uint8_t padc;

	if (!h->payload_len)
		return EBADMSG;

	padc = h->payload[h->payload_len - 1];
	if (!padc || padc > h->payload_len)
		return EBADMSG;

	h->payload_len -= padc;

	return 0;
}

int rtph_decode(struct rtph *h, const uint8_t *pkt, size_t len)
{
	struct rtph r;
	size_t pos = RTPH_SIZE;

	if (!h || !pkt || len < RTPH_SIZE || pkt[0] >> 6 != 2)
		return EBADMSG;

	memset(&r, 0, sizeof(r));
	r.has_ext = pkt[0] & 0x10;
	r.csrcc   = pkt[0] & 0x0f;
	r.marker  = pkt[1] & 0x80;
	r.pt      = pkt[1] & 0x7f;
	r.seq     = be_get16(pkt + 2);
	r.ts      = be_get32(pkt + 4);
	r.ssrc    = be_get32(pkt + 8);

	if (len - pos < 4u * r.csrcc)
		return EBADMSG;
	for (unsigned i = 0; i < r.csrcc; i++, pos += 4)
		r.csrcv[i] = be_get32(pkt + pos);

	if (r.has_ext) {
		if (len - pos < EXT_HDR_SIZE)
			return EBADMSG;
		r.ext_profile = be_get16(pkt + pos);
		r.ext_len     = 4u * be_get16(pkt + pos + 2);
		pos += EXT_HDR_SIZE;

		if (len - pos < r.ext_len)
			return EBADMSG;
		r.ext = pkt + pos;
		pos  += r.ext_len;
	}

	r.payload     = pkt + pos;
	r.payload_len = len - pos;

	if (pkt[0] & 0x20 && padding_strip(&r))
		return EBADMSG;

	*h = r;

	return 0;
}

size_t rtph_encode(uint8_t *buf, size_t size, const struct rtph *h)
{
	size_t pos = RTPH_SIZE;

	if (!buf || !h || h->csrcc > RTPH_CSRC_MAX ||
	    size < RTPH_SIZE + 4u * h->csrcc)
		return 0;

	buf[0] = (uint8_t)(2u << 6 | h->csrcc);
	buf[1] = (uint8_t)((h->marker ? 0x80u : 0u) | (h->pt & 0x7fu));
	be_put16(buf + 2, h->seq);
	be_put32(buf + 4, h->ts);
	be_put32(buf + 8, h->ssrc);

	for (unsigned i = 0; i < h->csrcc; i++, pos += 4)
		be_put32(buf + pos, h->csrcv[i]);

	return pos;
}

bool rtph_is_rtcp(const uint8_t *pkt, size_t len)
{
	return pkt && len >= 2 && pkt[0] >> 6 == 2 &&
		pkt[1] >= RTCP_PT_MIN && pkt[1] <= RTCP_PT_MAX;
}

const uint8_t *rtph_ext_find(const struct rtph *h, uint8_t id, size_t *lenp)
{
	size_t pos = 0;

	if (!h || !h->ext || !lenp || h->ext_profile != EXT_ONE_BYTE)
		return NULL;

	while (pos < h->ext_len) {
		const uint8_t el  = h->ext[pos++];
		const uint8_t eid = el >> 4;
		const size_t  len = (el & 0x0fu) + 1u;

		if (!el)
			continue;       /* padding between elements */

		/* ID 15 and "an ID value equal to 0 [with] a len field
		   greater than 0": processing "MUST terminate" */
		if (!eid || eid == EXT_ID_STOP || len > h->ext_len - pos)
			return NULL;

		if (eid == id) {
			*lenp = len;
			return h->ext + pos;
		}
		pos += len;
	}

	return NULL;
}
