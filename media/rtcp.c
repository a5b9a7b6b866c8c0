/**
 * @file rtcp.c  RTCP compound packets: SR, RR, SDES CNAME, BYE
 *
 * The decoder walks the compound packet, hands each sub-packet with its exact
 * length to one row of a table and skips types without a row.
 *
 * Refs: RFC 3550 sections 6.4 to 6.6, appendix A.2
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "rtcp.h"
#include "be.h"

enum {
	HDR_SIZE  = 4,
	RB_SIZE   = 24,
	SR_SIZE   = 20,           /* sender information, section 6.4.1       */
	PT_SR     = 200,
	PT_RR     = 201,
	PT_SDES   = 202,
	PT_BYE    = 203,
	COUNT_MAX = 31,
	SDES_END  = 0,
	SDES_CNAME = 1,
};

/* Seconds between 1900 and 1970, RFC 5905 section 6 */
#define NTP_UNIX_OFFSET 2208988800u

/* One sub-packet behind its header: p[0..len), without padding */
struct sub {
	const uint8_t *p;
	size_t len;
	unsigned count;           /* RC or SC field                          */
	bool first;
};

static void rb_get(struct rtcpx_rb *rb, const uint8_t *p)
{
	const uint32_t lost = be_get32(p + 4) & 0xffffff;

	rb->ssrc     = be_get32(p);
	rb->fraction = p[4];
	rb->lost     = (int32_t)lost - (lost & 0x800000 ? 0x1000000 : 0);
	rb->ext_seq  = be_get32(p + 8);
	rb->jitter   = be_get32(p + 12);
	rb->lsr      = be_get32(p + 16);
	rb->dlsr     = be_get32(p + 20);
}

/* Report blocks of SR and RR; what follows them is a profile's extension */
static int rbs_get(struct rtcpx *r, const struct sub *s, size_t pos)
{
	if (s->len < pos || s->len - pos < s->count * (size_t)RB_SIZE)
		return EBADMSG;

	for (unsigned i = 0; i < s->count && r->rbc < RTCPX_RB_MAX; i++)
		rb_get(&r->rbv[r->rbc++], s->p + pos + i * (size_t)RB_SIZE);

	return 0;
}

static int sr_get(struct rtcpx *r, const struct sub *s)
{
	if (s->len < 4 + SR_SIZE)
		return EBADMSG;

	if (s->first) {
		r->has_sr      = true;
		r->sender_ssrc = be_get32(s->p);
		r->ntp         = (uint64_t)be_get32(s->p + 4) << 32 |
			be_get32(s->p + 8);
		r->rtp_ts      = be_get32(s->p + 12);
		r->packets     = be_get32(s->p + 16);
		r->octets      = be_get32(s->p + 20);
	}

	return rbs_get(r, s, 4 + SR_SIZE);
}

static int rr_get(struct rtcpx *r, const struct sub *s)
{
	if (s->len < 4)
		return EBADMSG;

	if (s->first)
		r->sender_ssrc = be_get32(s->p);

	return rbs_get(r, s, 4);
}

/*
 * Items of one chunk, section 6.5: "the list of items in each chunk MUST be
 * terminated by one or more null octets".
 *
 * @return bytes up to the next chunk (a multiple of 4), 0 if malformed
 */
static size_t chunk_get(struct rtcpx *r, const uint8_t *p, size_t len)
{
	const bool own = len >= 4 && be_get32(p) == r->sender_ssrc;
	size_t pos = 4;

	while (pos < len && p[pos] != SDES_END) {
		size_t ilen;

		if (len - pos < 2 || len - pos - 2 < p[pos + 1])
			return 0;
		ilen = p[pos + 1];

		if (p[pos] == SDES_CNAME && own && !r->cname[0]) {
			const size_t n = ilen < RTCPX_CNAME_MAX ?
				ilen : RTCPX_CNAME_MAX - 1;

			memcpy(r->cname, p + pos + 2, n);
			r->cname[n] = '\0';
		}
		pos += 2 + ilen;
	}

	if (pos >= len)
		return 0;

	return (pos + 4) & ~(size_t)3;
}

static int sdes_get(struct rtcpx *r, const struct sub *s)
{
	size_t pos = 0;

	for (unsigned i = 0; i < s->count; i++) {
		const size_t n = chunk_get(r, s->p + pos, s->len - pos);

		if (!n || n > s->len - pos)
			return EBADMSG;
		pos += n;
	}

	return 0;
}

static int bye_get(struct rtcpx *r, const struct sub *s)
{
	if (s->len < 4u * s->count)
		return EBADMSG;

	for (unsigned i = 0; i < s->count && r->byec < RTCPX_RB_MAX; i++)
		r->byev[r->byec++] = be_get32(s->p + 4u * i);

	return 0;
}

static const struct {
	uint8_t pt;
	int (*get)(struct rtcpx *r, const struct sub *s);
} subv[] = {
	{ PT_SR,   sr_get   },
	{ PT_RR,   rr_get   },
	{ PT_SDES, sdes_get },
	{ PT_BYE,  bye_get  },
};

static int sub_get(struct rtcpx *r, uint8_t pt, const struct sub *s)
{
	for (size_t i = 0; i < sizeof(subv) / sizeof(subv[0]); i++) {
		if (subv[i].pt == pt)
			return subv[i].get(r, s);
	}

	return 0;
}

int rtcpx_decode(struct rtcpx *r, const uint8_t *pkt, size_t len)
{
	struct rtcpx out;
	size_t pos = 0;

	/* Appendix A.2: the first packet of a compound is SR or RR */
	if (!r || !pkt || len < 8 || (pkt[1] != PT_SR && pkt[1] != PT_RR))
		return EBADMSG;

	memset(&out, 0, sizeof(out));

	while (pos < len) {
		const uint8_t *p = pkt + pos;
		struct sub s = { .first = !pos };
		size_t size;

		if (len - pos < HDR_SIZE || p[0] >> 6 != 2)
			return EBADMSG;

		size = 4u * (be_get16(p + 2) + 1u);
		if (size > len - pos)
			return EBADMSG;

		s.p     = p + HDR_SIZE;
		s.len   = size - HDR_SIZE;
		s.count = p[0] & 0x1f;

		/* "padding ... only be required on the last packet" */
		if (p[0] & 0x20) {
			if (size != len - pos || !p[size - 1] ||
			    p[size - 1] > s.len)
				return EBADMSG;
			s.len -= p[size - 1];
		}

		if (sub_get(&out, p[1], &s))
			return EBADMSG;
		pos += size;
	}

	*r = out;

	return 0;
}

static void hdr_put(uint8_t *p, unsigned count, uint8_t pt, size_t size)
{
	p[0] = (uint8_t)(2u << 6 | count);
	p[1] = pt;
	be_put16(p + 2, (uint16_t)(size / 4 - 1));
}

static void rb_put(uint8_t *p, const struct rtcpx_rb *rb)
{
	be_put32(p, rb->ssrc);
	be_put32(p + 4, (uint32_t)rb->fraction << 24 |
		 ((uint32_t)rb->lost & 0xffffff));
	be_put32(p + 8, rb->ext_seq);
	be_put32(p + 12, rb->jitter);
	be_put32(p + 16, rb->lsr);
	be_put32(p + 20, rb->dlsr);
}

static size_t report_put(uint8_t *p, size_t size, const struct rtcpx *r)
{
	const size_t fixed = HDR_SIZE + 4u + (r->has_sr ? SR_SIZE : 0u);
	const size_t n = fixed + r->rbc * (size_t)RB_SIZE;

	if (size < n)
		return 0;

	hdr_put(p, r->rbc, r->has_sr ? PT_SR : PT_RR, n);
	be_put32(p + 4, r->sender_ssrc);
	if (r->has_sr) {
		be_put32(p + 8,  (uint32_t)(r->ntp >> 32));
		be_put32(p + 12, (uint32_t)r->ntp);
		be_put32(p + 16, r->rtp_ts);
		be_put32(p + 20, r->packets);
		be_put32(p + 24, r->octets);
	}
	for (unsigned i = 0; i < r->rbc; i++)
		rb_put(p + fixed + i * (size_t)RB_SIZE, &r->rbv[i]);

	return n;
}

static size_t cname_put(uint8_t *p, size_t size, const struct rtcpx *r)
{
	const size_t clen = strnlen(r->cname, RTCPX_CNAME_MAX - 1);
	const size_t used = HDR_SIZE + 4 + 2 + clen;
	const size_t n = (used + 4) & ~(size_t)3;   /* at least one null */

	if (size < n)
		return 0;

	memset(p, 0, n);
	hdr_put(p, 1, PT_SDES, n);
	be_put32(p + 4, r->sender_ssrc);
	p[8] = SDES_CNAME;
	p[9] = (uint8_t)clen;
	memcpy(p + 10, r->cname, clen);

	return n;
}

static size_t bye_put(uint8_t *p, size_t size, const struct rtcpx *r)
{
	const size_t n = HDR_SIZE + 4u * r->byec;

	if (size < n)
		return 0;

	hdr_put(p, r->byec, PT_BYE, n);
	for (unsigned i = 0; i < r->byec; i++)
		be_put32(p + HDR_SIZE + 4u * i, r->byev[i]);

	return n;
}

size_t rtcpx_encode(uint8_t *buf, size_t size, const struct rtcpx *r)
{
	size_t pos, n;

	if (!buf || !r || r->rbc > COUNT_MAX || r->byec > COUNT_MAX)
		return 0;

	pos = report_put(buf, size, r);
	if (!pos)
		return 0;

	n = cname_put(buf + pos, size - pos, r);
	if (!n)
		return 0;
	pos += n;

	if (r->byec) {
		n = bye_put(buf + pos, size - pos, r);
		if (!n)
			return 0;
		pos += n;
	}

	return pos;
}

uint64_t rtcpx_ntp_now(void)
{
	struct timespec ts;
	uint64_t sec, frac;

	(void)clock_gettime(CLOCK_REALTIME, &ts);

	/* Era 0 ends in 2036; the 32 bit seconds wrap as RFC 5905 has it */
	sec  = ((uint64_t)ts.tv_sec + NTP_UNIX_OFFSET) & 0xffffffff;
	frac = ((uint64_t)ts.tv_nsec << 32) / 1000000000u;

	return sec << 32 | frac;
}
