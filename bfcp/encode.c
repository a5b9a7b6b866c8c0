/**
 * @file bfcp/encode.c  BFCP messages: struct to bytes
 */
#include <string.h>
#include "rules.h"

enum { GROUP_MAX = 255 };       /* a Length octet                             */

static int put_fields(struct mbuf *mb, const struct bfcpm_rules *rules,
		      const void *source, size_t room);


/** Type, length and contents, padded with zeros to 32 bits */
static int put_tlv(struct mbuf *mb, uint8_t type, const void *p, size_t n)
{
	static const uint8_t zero[4];
	const size_t len = n + 2;
	int err;

	if (len > 255)
		return EOVERFLOW;

	err  = mbuf_write_u8(mb, (uint8_t)(type << 1));
	err |= mbuf_write_u8(mb, (uint8_t)len);
	if (n)
		err |= mbuf_write_mem(mb, p, n);
	if (len & 3)
		err |= mbuf_write_mem(mb, zero, 4 - (len & 3));

	return err;
}


static int put_u16(struct mbuf *mb, uint8_t type, uint16_t v)
{
	const uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	return put_tlv(mb, type, b, sizeof(b));
}


/**
 * A group that does not fit into room is left out again with EOVERFLOW:
 * its Length counts the children with their padding (section 5.2) and would
 * wrap at 256.
 */
static int put_group(struct mbuf *mb, uint8_t type, uint16_t id,
		     const struct bfcpm_rules *rules, const void *source,
		     size_t room)
{
	const size_t start = mb->pos;
	size_t len;
	int err;

	room = MIN(room, (size_t)GROUP_MAX);
	err = put_u16(mb, type, id);
	if (!err)
		err = room < 4 ? EOVERFLOW
			       : put_fields(mb, rules, source, room - 4);
	len = mb->pos - start;
	if (!err && len > room)
		err = EOVERFLOW;
	if (err) {
		mb->pos = mb->end = start;
		return err;
	}

	mb->buf[start + 1] = (uint8_t)len;

	return 0;
}


/* ---- one kind each: field to attribute; an absent field is ENOENT --------- */

static int enc_u16(struct mbuf *mb, uint8_t type, const void *field,
		   size_t room)
{
	const struct bfcpm_u16 *f = field;
	(void)room;

	return f->set ? put_u16(mb, type, f->v) : ENOENT;
}


static int enc_ids(struct mbuf *mb, uint8_t type, const void *field,
		   size_t room)
{
	const struct bfcpm_ids *f = field;
	int err = f->c ? 0 : ENOENT;
	(void)room;

	for (unsigned i = 0; i < f->c && !err; i++)
		err = put_u16(mb, type, f->v[i]);

	return err;
}


static int enc_prio(struct mbuf *mb, uint8_t type, const void *field,
		    size_t room)
{
	const struct bfcpm_prio *f = field;
	(void)room;

	return f->set ? put_u16(mb, type, (uint16_t)(f->v << 13)) : ENOENT;
}


static int enc_reqstat(struct mbuf *mb, uint8_t type, const void *field,
		       size_t room)
{
	const struct bfcpm_reqstat *f = field;
	(void)room;

	return f->status
		? put_u16(mb, type, (uint16_t)(f->status << 8 | f->qpos))
		: ENOENT;
}


static int enc_octets(struct mbuf *mb, uint8_t type, const void *field,
		      size_t room)
{
	const struct pl *f = field;
	(void)room;

	return f->p ? put_tlv(mb, type, f->p, f->l) : ENOENT;
}


static int enc_error(struct mbuf *mb, uint8_t type, const void *field,
		     size_t room)
{
	const struct bfcpm_errcode *f = field;
	uint8_t b[1 + BFCPM_UNKNOWN_MAX];
	(void)room;

	if (!f->code)
		return ENOENT;
	if (f->details.l > BFCPM_UNKNOWN_MAX)
		return EOVERFLOW;

	b[0] = f->code;
	if (f->details.l)
		memcpy(b + 1, f->details.p, f->details.l);

	return put_tlv(mb, type, b, 1 + f->details.l);
}


static int enc_stat(struct mbuf *mb, uint8_t type, const void *field,
		    size_t room)
{
	const struct bfcpm_stat *f = field;

	return f->set ? put_group(mb, type, f->id, &bfcpm_rules_stat, f, room)
		      : ENOENT;
}


static int enc_stats(struct mbuf *mb, uint8_t type, const void *field,
		     size_t room)
{
	const struct bfcpm_stats *f = field;
	const size_t start = mb->pos;
	int err = f->c ? 0 : ENOENT;

	for (unsigned i = 0; i < f->c && !err; i++)
		err = put_group(mb, type, f->v[i].id, &bfcpm_rules_stat,
				&f->v[i], room - MIN(room, mb->pos - start));

	return err;
}


static int enc_user(struct mbuf *mb, uint8_t type, const void *field,
		    size_t room)
{
	const struct bfcpm_user *f = field;

	return f->set ? put_group(mb, type, f->id, &bfcpm_rules_user, f, room)
		      : ENOENT;
}


static int enc_reqs(struct mbuf *mb, uint8_t type, const void *field,
		    size_t room)
{
	const struct bfcpm_reqs *f = field;
	int err = f->c ? 0 : ENOENT;

	for (unsigned i = 0; i < f->c && !err; i++)
		err = put_group(mb, type, f->v[i].id, &bfcpm_rules_req,
				&f->v[i], room);

	return err;
}


static int (*const encv[])(struct mbuf *mb, uint8_t type, const void *field,
			   size_t room) = {
	[KIND_U16]     = enc_u16,
	[KIND_IDS]     = enc_ids,
	[KIND_PRIO]    = enc_prio,
	[KIND_REQSTAT] = enc_reqstat,
	[KIND_ERROR]   = enc_error,
	[KIND_TEXT]    = enc_octets,
	[KIND_OCTETS]  = enc_octets,
	[KIND_STAT]    = enc_stat,
	[KIND_STATS]   = enc_stats,
	[KIND_USER]    = enc_user,
	[KIND_REQS]    = enc_reqs,
};


/**
 * @param room  Octets left; what is optional and does not fit is left out
 */
static int put_fields(struct mbuf *mb, const struct bfcpm_rules *rules,
		      const void *source, size_t room)
{
	const size_t first = mb->pos;

	for (size_t i = 0; i < rules->c; i++) {
		const struct bfcpm_rule *r = &rules->v[i];
		const void *field = (const uint8_t *)source + r->off;
		const size_t start = mb->pos;
		int err;

		err = encv[r->kind](mb, r->type, field,
				    room - (start - first));
		if (err == ENOENT && !r->must)
			continue;
		if (err == ENOENT)
			return EINVAL;
		if (!err && mb->pos - first > room)
			err = EOVERFLOW;
		if (err == EOVERFLOW && !r->must) {
			mb->pos = mb->end = start;
			continue;
		}
		if (err)
			return err;
	}

	return 0;
}


static int put_hdr(struct mbuf *mb, const struct bfcpm_hdr *h)
{
	int err;

	err  = mbuf_write_u8(mb, BFCPM_VERSION << 5);
	err |= mbuf_write_u8(mb, h->prim);
	err |= mbuf_write_u16(mb, 0);
	err |= mbuf_write_u32(mb, htonl(h->conf));
	err |= mbuf_write_u16(mb, htons(h->tid));
	err |= mbuf_write_u16(mb, htons(h->user));

	return err;
}


int bfcpm_encode(struct mbuf *mb, const struct bfcpm *m)
{
	const struct bfcpm_rules *rules = bfcpm_rules(m->hdr.prim);
	const size_t start = mb->pos;
	size_t words;
	int err;

	if (!rules)
		return EINVAL;

	err = put_hdr(mb, &m->hdr);
	if (!err)
		err = put_fields(mb, rules, m, BFCPM_MSG_MAX - BFCPM_HDR_LEN);
	if (err) {
		mb->pos = mb->end = start;
		return err;
	}

	words = (mb->pos - start - BFCPM_HDR_LEN) / 4;
	mb->buf[start + 2] = (uint8_t)(words >> 8);
	mb->buf[start + 3] = (uint8_t)words;

	return 0;
}


int bfcpm_encode_error(struct mbuf *mb, const struct bfcpm_hdr *to,
		       enum bfcpm_error code, const uint8_t *unknownv,
		       unsigned unknownc)
{
	uint8_t detailv[BFCPM_UNKNOWN_MAX];
	struct bfcpm m;

	memset(&m, 0, sizeof(m));
	m.hdr = *to;
	m.hdr.prim = BFCPM_ERROR;
	m.error.code = (uint8_t)code;
	unknownc = MIN(unknownc, (unsigned)BFCPM_UNKNOWN_MAX);
	for (unsigned i = 0; i < unknownc; i++)
		detailv[i] = (uint8_t)(unknownv[i] << 1);
	m.error.details.p = (const char *)detailv;
	m.error.details.l = unknownc;

	return bfcpm_encode(mb, &m);
}


/**
 * True to what is served over TLS: the acknowledgements and Goodbye belong to
 * unreliable transports (sections 5.3.14 to 5.3.17)
 */
int bfcpm_encode_hello_ack(struct mbuf *mb, const struct bfcpm_hdr *to)
{
	uint8_t primv[BFCPM_ERROR], attrv[BFCPM_ATTR_MAX];
	struct bfcpm m;

	for (uint8_t i = 0; i < ARRAY_SIZE(primv); i++)
		primv[i] = (uint8_t)(i + 1);
	/* 7 bits of type and a reserved one: section 5.2.10 */
	for (uint8_t i = 0; i < ARRAY_SIZE(attrv); i++)
		attrv[i] = (uint8_t)((i + 1) << 1);

	memset(&m, 0, sizeof(m));
	m.hdr = *to;
	m.hdr.prim = BFCPM_HELLO_ACK;
	m.prims.p = (const char *)primv;
	m.prims.l = sizeof(primv);
	m.attrs.p = (const char *)attrv;
	m.attrs.l = sizeof(attrv);

	return bfcpm_encode(mb, &m);
}
