/**
 * @file bfcp/decode.c  BFCP messages: bytes to struct
 */
#include <string.h>
#include "rules.h"

/** An attribute as it lies in the buffer */
struct tlv {
	uint8_t type;
	bool m;
	const uint8_t *p;       /* contents                                   */
	size_t n;               /* of the contents, without padding           */
};

struct dec {
	struct bfcpm *m;
};

static int walk(struct dec *d, const uint8_t *p, size_t n,
		const struct bfcpm_rules *rules, void *target, bool top);


static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}


/** Well-formed, no overlong forms, no surrogates (RFC 3629), no NUL */
static bool utf8_ok(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n) {
		const uint8_t c = p[i++];
		uint32_t v, min;
		unsigned more;

		if (c >= 1 && c <= 0x7f)
			continue;
		else if (c >= 0xc2 && c <= 0xdf)
			more = 1, v = c & 0x1fu, min = 0x80;
		else if ((c & 0xf0) == 0xe0)
			more = 2, v = c & 0x0fu, min = 0x800;
		else if (c >= 0xf0 && c <= 0xf4)
			more = 3, v = c & 0x07u, min = 0x10000;
		else
			return false;

		if (more > n - i)
			return false;
		for (; more; more--, i++) {
			if ((p[i] & 0xc0) != 0x80)
				return false;
			v = v << 6 | (p[i] & 0x3fu);
		}
		if (v < min || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
			return false;
	}

	return true;
}


/* ---- one kind each: contents to field ------------------------------------ */

static int dec_u16(struct dec *d, const struct tlv *a, void *field)
{
	struct bfcpm_u16 *f = field;
	(void)d;

	f->set = true;
	f->v = get16(a->p);

	return 0;
}


static int dec_ids(struct dec *d, const struct tlv *a, void *field)
{
	struct bfcpm_ids *f = field;
	(void)d;

	if (f->c >= ARRAY_SIZE(f->v))
		return EOVERFLOW;

	f->v[f->c++] = get16(a->p);

	return 0;
}


static int dec_prio(struct dec *d, const struct tlv *a, void *field)
{
	struct bfcpm_prio *f = field;
	const uint8_t prio = a->p[0] >> 5;
	(void)d;

	/* "Receivers MUST treat values higher than 4 as if the value received
	 * were 4": section 5.2.4 */
	f->set = true;
	f->v = MIN(prio, (uint8_t)BFCPM_PRIO_HIGHEST);

	return 0;
}


static int dec_reqstat(struct dec *d, const struct tlv *a, void *field)
{
	struct bfcpm_reqstat *f = field;
	(void)d;

	f->status = a->p[0];
	f->qpos = a->p[1];

	return f->status ? 0 : EBADMSG;
}


static int dec_octets(struct dec *d, const struct tlv *a, void *field)
{
	struct pl *f = field;
	(void)d;

	f->p = (const char *)a->p;
	f->l = a->n;

	return 0;
}


static int dec_text(struct dec *d, const struct tlv *a, void *field)
{
	return utf8_ok(a->p, a->n) ? dec_octets(d, a, field) : EPROTO;
}


static int dec_error(struct dec *d, const struct tlv *a, void *field)
{
	struct bfcpm_errcode *f = field;
	(void)d;

	f->code = a->p[0];
	f->details.p = (const char *)a->p + 1;
	f->details.l = a->n - 1;

	return f->code ? 0 : EBADMSG;
}


static int dec_stat(struct dec *d, const struct tlv *a, void *field)
{
	struct bfcpm_stat *f = field;

	f->set = true;
	f->id = get16(a->p);

	return walk(d, a->p + 2, a->n - 2, &bfcpm_rules_stat, f, false);
}


static int dec_stats(struct dec *d, const struct tlv *a, void *field)
{
	struct bfcpm_stats *f = field;

	if (f->c >= ARRAY_SIZE(f->v))
		return EOVERFLOW;

	memset(&f->v[f->c], 0, sizeof(f->v[0]));

	return dec_stat(d, a, &f->v[f->c++]);
}


static int dec_user(struct dec *d, const struct tlv *a, void *field)
{
	struct bfcpm_user *f = field;

	f->set = true;
	f->id = get16(a->p);

	return walk(d, a->p + 2, a->n - 2, &bfcpm_rules_user, f, false);
}


/** Its status list is long and mostly unused, so it is not zeroed */
static void req_clear(struct bfcpm_req *r)
{
	memset(&r->overall, 0, sizeof(r->overall));
	r->floors.c = 0;
	memset(&r->beneficiary, 0, sizeof(r->beneficiary));
	memset(&r->requested_by, 0, sizeof(r->requested_by));
	memset(&r->prio, 0, sizeof(r->prio));
	r->info = pl_null;
}


static int dec_reqs(struct dec *d, const struct tlv *a, void *field)
{
	struct bfcpm_reqs *f = field;
	struct bfcpm_req *r;

	if (f->c >= f->max)
		return EOVERFLOW;

	r = &f->v[f->c++];
	req_clear(r);
	r->id = get16(a->p);

	return walk(d, a->p + 2, a->n - 2, &bfcpm_rules_req, r, false);
}


/** Lengths are checked here, once, before a decoder reads its contents */
static const struct {
	size_t min, max;                /* of the contents                    */
	bool repeat;
	int (*dec)(struct dec *d, const struct tlv *a, void *field);
} kindv[] = {
	[KIND_U16]     = { 2, 2,   false, dec_u16     },
	[KIND_IDS]     = { 2, 2,   true,  dec_ids     },
	[KIND_PRIO]    = { 2, 2,   false, dec_prio    },
	[KIND_REQSTAT] = { 2, 2,   false, dec_reqstat },
	[KIND_ERROR]   = { 1, 253, false, dec_error   },
	[KIND_TEXT]    = { 0, 253, false, dec_text    },
	[KIND_OCTETS]  = { 0, 253, false, dec_octets  },
	[KIND_STAT]    = { 2, 253, false, dec_stat    },
	[KIND_STATS]   = { 2, 253, true,  dec_stats   },
	[KIND_USER]    = { 2, 253, false, dec_user    },
	[KIND_REQS]    = { 2, 253, true,  dec_reqs    },
};


/* ---- attributes ---------------------------------------------------------- */

/**
 * Cut the next attribute off.  Its padding belongs to it and is never looked
 * at (section 5.2: "MUST be ignored by the receiver").
 */
static int next_tlv(struct tlv *a, const uint8_t **pp, size_t *np)
{
	const uint8_t *p = *pp;
	size_t len, padded;

	if (*np < 2)
		return EMSGSIZE;

	a->type = p[0] >> 1;
	a->m = p[0] & 1;
	len = p[1];
	if (len < 2)
		return EBADMSG;

	padded = (len + 3) & ~(size_t)3;
	if (padded > *np)
		return EMSGSIZE;

	a->p = p + 2;
	a->n = len - 2;
	*pp += padded;
	*np -= padded;

	return 0;
}


static const struct bfcpm_rule *rule_find(const struct bfcpm_rules *rules,
					  uint8_t type)
{
	for (size_t i = 0; i < rules->c; i++) {
		if (rules->v[i].type == type)
			return &rules->v[i];
	}

	return NULL;
}


static bool is_known(uint8_t type)
{
	return type >= 1 && type <= BFCPM_ATTR_MAX;
}


/** Unknown without the M bit: "ignored, but the message is processed" */
static void note_unknown(struct bfcpm *m, const struct tlv *a)
{
	if (!a->m || m->unknownc >= ARRAY_SIZE(m->unknownv) ||
	    memchr(m->unknownv, a->type, m->unknownc))
		return;

	m->unknownv[m->unknownc++] = a->type;
}


/** 5.3.4 and 5.3.9 want one FLOOR-REQUEST-INFORMATION, 5.3.8 any number */
static bool may_repeat(const struct dec *d, const struct bfcpm_rule *r)
{
	if (r->type == BFCPM_REQUEST_INFO &&
	    (d->m->hdr.prim == BFCPM_FLOOR_REQUEST_STATUS ||
	     d->m->hdr.prim == BFCPM_CHAIR_ACTION))
		return false;

	return kindv[r->kind].repeat;
}


static int one(struct dec *d, const struct tlv *a,
	       const struct bfcpm_rules *rules, void *target, uint32_t *seen)
{
	const struct bfcpm_rule *r = rule_find(rules, a->type);

	if (!r) {
		if (is_known(a->type))
			return EPROTO;
		note_unknown(d->m, a);
		return 0;
	}

	if (a->n < kindv[r->kind].min || a->n > kindv[r->kind].max)
		return EBADMSG;
	if ((*seen & 1u << a->type) && !may_repeat(d, r))
		return EPROTO;
	*seen |= 1u << a->type;

	return kindv[r->kind].dec(d, a, (uint8_t *)target + r->off);
}


/**
 * Read attributes until n is used up.  How deep it goes is bounded by the
 * tables: unknown attributes are not opened.  The first fault of form ends it;
 * one of contents is kept until the form of the rest is known, as it decides
 * whether the stream can go on.
 */
static int walk(struct dec *d, const uint8_t *p, size_t n,
		const struct bfcpm_rules *rules, void *target, bool top)
{
	uint32_t seen = 0;
	int fault = 0;

	while (n) {
		struct tlv a;
		int err = next_tlv(&a, &p, &n);

		if (err)
			return top ? err : EBADMSG;

		err = one(d, &a, rules, target, &seen);
		if (err == EBADMSG)
			return err;
		if (!fault)
			fault = err;
	}

	for (size_t i = 0; i < rules->c && !fault; i++) {
		if (rules->v[i].must && !(seen & 1u << rules->v[i].type))
			fault = EPROTO;
	}

	return fault;
}


void bfcpm_hdr_decode(struct bfcpm_hdr *h, const uint8_t p[BFCPM_HDR_LEN])
{
	/* R, F and the reserved bits: "MUST be ignored by the receiver" */
	h->ver   = p[0] >> 5;
	h->prim  = p[1];
	h->words = get16(p + 2);
	h->conf  = (uint32_t)get16(p + 4) << 16 | get16(p + 6);
	h->tid   = get16(p + 8);
	h->user  = get16(p + 10);
}


int bfcpm_decode(struct bfcpm *m, const uint8_t *buf, size_t len)
{
	const struct bfcpm_reqs reqs = { m->reqs.v, 0, m->reqs.max };
	const struct bfcpm_rules *rules;
	struct dec d = { m };

	memset(m, 0, sizeof(*m));
	m->reqs = reqs;
	if (len < BFCPM_HDR_LEN)
		return EMSGSIZE;

	bfcpm_hdr_decode(&m->hdr, buf);
	if (len != BFCPM_HDR_LEN + 4 * (size_t)m->hdr.words)
		return EMSGSIZE;

	rules = bfcpm_rules(m->hdr.prim);
	if (!rules)
		return ENOSYS;

	return walk(&d, buf + BFCPM_HDR_LEN, len - BFCPM_HDR_LEN, rules, m,
		    true);
}
