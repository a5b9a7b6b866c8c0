/**
 * @file test_bfcpmsg.c  BFCP messages and framing, byte by byte
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "bfcpm.h"
#include "check_run.h"

enum { REQ_MAX = 4, MUTATIONS = 10000 };

#define CONF 0x2f, 0x5a, 0x00, 0x01     /* conference 794427393              */

/* ---- vectors: every primitive, every attribute ---------------------------- */

static const uint8_t floor_request[] = {
	0x20,                   /* Ver=1 R=0 F=0 Res=0                       */
	0x01,                   /* FloorRequest                              */
	0x00, 0x08,             /* payload: 8 words                          */
	CONF,
	0x01, 0x01,             /* transaction 257                           */
	0x00, 0x07,             /* user 7                                    */
	0x04, 0x04, 0x00, 0x01, /* FLOOR-ID 1                                */
	0x04, 0x04, 0x00, 0x02, /* FLOOR-ID 2                                */
	0x02, 0x04, 0x00, 0x09, /* BENEFICIARY-ID 9                          */
	0x10, 0x10,             /* PARTICIPANT-PROVIDED-INFO, 14 octets      */
	'Q', ' ', 'a', 'b', 'o', 'u', 't', ' ', 'b', 'u', 'd', 'g', 'e', 't',
	0x08, 0x04, 0x80, 0x00, /* PRIORITY 4                                */
};

static const uint8_t floor_release[] = {
	0x20, 0x02, 0x00, 0x01, CONF, 0x01, 0x02, 0x00, 0x07,
	0x06, 0x04, 0x00, 0x15, /* FLOOR-REQUEST-ID 21                       */
};

static const uint8_t floor_request_query[] = {
	0x20, 0x03, 0x00, 0x01, CONF, 0x01, 0x03, 0x00, 0x07,
	0x06, 0x04, 0x00, 0x15, /* FLOOR-REQUEST-ID 21                       */
};

static const uint8_t floor_request_status[] = {
	0x20, 0x04, 0x00, 0x15, CONF, 0x00, 0x00, 0x00, 0x07,
	0x1e, 0x54, 0x00, 0x15, /* FLOOR-REQUEST-INFORMATION 84 octets, 21   */
	0x24, 0x10, 0x00, 0x15, /*  OVERALL-REQUEST-STATUS 16 octets, 21     */
	0x0a, 0x04, 0x02, 0x03, /*   REQUEST-STATUS Accepted, position 3     */
	0x12, 0x07, 'w', 'a', 'i', 't', '!', 0x00, /* STATUS-INFO, padded    */
	0x22, 0x08, 0x00, 0x01, /*  FLOOR-REQUEST-STATUS 8 octets, floor 1   */
	0x0a, 0x04, 0x03, 0x00, /*   REQUEST-STATUS Granted                  */
	0x22, 0x04, 0x00, 0x02, /*  FLOOR-REQUEST-STATUS 4 octets, floor 2   */
	0x1c, 0x1c, 0x00, 0x09, /*  BENEFICIARY-INFORMATION 28 octets, user 9 */
	0x18, 0x05, 'B', 'o', 'b', 0x00, 0x00, 0x00, /* USER-DISPLAY-NAME    */
	0x1a, 0x0e, 's', 'i', 'p', ':', 'b', '@', 'x', '.', 'o', 'r', 'g', '/', 0x00, 0x00, /* USER-URI */
	0x20, 0x0c, 0x00, 0x07, /*  REQUESTED-BY-INFORMATION 12 octets       */
	0x18, 0x05, 'A', 'n', 'n', 0x00, 0x00, 0x00, /* USER-DISPLAY-NAME    */
	0x08, 0x04, 0x20, 0x00, /*  PRIORITY 1                               */
	0x10, 0x06, 'w', 'h', 'y', '?', 0x00, 0x00, /* PARTICIPANT-PROVIDED-INFO */
};

static const uint8_t user_query[] = {
	0x20, 0x05, 0x00, 0x01, CONF, 0x01, 0x04, 0x00, 0x07,
	0x02, 0x04, 0x00, 0x09, /* BENEFICIARY-ID 9                          */
};

static const uint8_t user_status[] = {
	0x20, 0x06, 0x00, 0x05, CONF, 0x01, 0x04, 0x00, 0x07,
	0x1c, 0x0c, 0x00, 0x09, /* BENEFICIARY-INFORMATION 12 octets, 9      */
	0x18, 0x05, 'B', 'o', 'b', 0x00, 0x00, 0x00, /* USER-DISPLAY-NAME    */
	0x1e, 0x08, 0x00, 0x16, /* FLOOR-REQUEST-INFORMATION 8 octets, 22    */
	0x22, 0x04, 0x00, 0x01, /*  FLOOR-REQUEST-STATUS 4 octets, floor 1   */
};

static const uint8_t floor_query[] = {
	0x20, 0x07, 0x00, 0x02, CONF, 0x01, 0x05, 0x00, 0x07,
	0x04, 0x04, 0x00, 0x01, /* FLOOR-ID 1                                */
	0x04, 0x04, 0x00, 0x02, /* FLOOR-ID 2                                */
};

static const uint8_t floor_status[] = {
	0x20, 0x08, 0x00, 0x09, CONF, 0x01, 0x05, 0x00, 0x07,
	0x04, 0x04, 0x00, 0x01, /* FLOOR-ID 1                                */
	0x1e, 0x10, 0x00, 0x15, /* FLOOR-REQUEST-INFORMATION 16 octets, 21   */
	0x24, 0x08, 0x00, 0x15, /*  OVERALL-REQUEST-STATUS 8 octets, 21      */
	0x0a, 0x04, 0x03, 0x00, /*   REQUEST-STATUS Granted                  */
	0x22, 0x04, 0x00, 0x01, /*  FLOOR-REQUEST-STATUS, floor 1            */
	0x1e, 0x10, 0x00, 0x16, /* FLOOR-REQUEST-INFORMATION, 22             */
	0x24, 0x08, 0x00, 0x16, /*  OVERALL-REQUEST-STATUS, 22               */
	0x0a, 0x04, 0x01, 0x00, /*   REQUEST-STATUS Pending                  */
	0x22, 0x04, 0x00, 0x01, /*  FLOOR-REQUEST-STATUS, floor 1            */
};

static const uint8_t chair_action[] = {
	0x20, 0x09, 0x00, 0x05, CONF, 0x01, 0x06, 0x00, 0x01,
	0x1e, 0x14, 0x00, 0x15, /* FLOOR-REQUEST-INFORMATION 20 octets, 21   */
	0x22, 0x10, 0x00, 0x01, /*  FLOOR-REQUEST-STATUS 16 octets, floor 1  */
	0x0a, 0x04, 0x04, 0x00, /*   REQUEST-STATUS Denied                   */
	0x12, 0x06, 'l', 'a', 't', 'e', 0x00, 0x00, /* STATUS-INFO           */
};

static const uint8_t chair_action_ack[] = {
	0x20, 0x0a, 0x00, 0x00, CONF, 0x01, 0x06, 0x00, 0x01,
};

static const uint8_t hello[] = {
	0x20, 0x0b, 0x00, 0x00, CONF, 0x00, 0x01, 0x00, 0x07,
};

static const uint8_t hello_ack[] = {
	0x20, 0x0c, 0x00, 0x09, CONF, 0x00, 0x01, 0x00, 0x07,
	0x16, 0x0f,             /* SUPPORTED-PRIMITIVES, 13 octets           */
	0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b,
	0x0c, 0x0d, 0x00,       /* and one of padding                        */
	0x14, 0x14,             /* SUPPORTED-ATTRIBUTES, 18 octets type<<1   */
	0x02, 0x04, 0x06, 0x08, 0x0a, 0x0c, 0x0e, 0x10, 0x12, 0x14, 0x16,
	0x18, 0x1a, 0x1c, 0x1e, 0x20, 0x22, 0x24,
};

static const uint8_t error[] = {
	0x20, 0x0d, 0x00, 0x05, CONF, 0x01, 0x02, 0x00, 0x09,
	0x0c, 0x05,             /* ERROR-CODE, 3 octets                      */
	0x04,                   /* Unknown Mandatory Attribute               */
	0x7e, 0xa0,             /* types 63 and 80, shifted                  */
	0x00, 0x00, 0x00,       /* padding                                   */
	0x0e, 0x0a, 'n', 'o', 't', ' ', 'm', 'i', 'n', 'e', 0x00, 0x00,
};

static const uint8_t floor_request_status_ack[] = {
	0x20, 0x0e, 0x00, 0x00, CONF, 0x00, 0x01, 0x00, 0x07,
};
static const uint8_t floor_status_ack[] = {
	0x20, 0x0f, 0x00, 0x00, CONF, 0x00, 0x01, 0x00, 0x07,
};
static const uint8_t goodbye[] = {
	0x20, 0x10, 0x00, 0x00, CONF, 0x00, 0x01, 0x00, 0x07,
};
static const uint8_t goodbye_ack[] = {
	0x20, 0x11, 0x00, 0x00, CONF, 0x00, 0x01, 0x00, 0x07,
};

/* Each with what it says, in the words of show() below */
static const struct {
	const uint8_t *p;
	size_t len;
	const char *text;
} vectorv[] = {
	{ floor_request, sizeof(floor_request),
	  "FloorRequest 794427393/257/7 floors=1,2 beneficiary=9 prio=4"
	  " info=\"Q about budget\"" },
	{ floor_release, sizeof(floor_release),
	  "FloorRelease 794427393/258/7 request=21" },
	{ floor_request_query, sizeof(floor_request_query),
	  "FloorRequestQuery 794427393/259/7 request=21" },
	{ floor_request_status, sizeof(floor_request_status),
	  "FloorRequestStatus 794427393/0/7 {21 overall(21 Accepted 3 \"wait!\")"
	  " floor(1 Granted 0) floor(2 - 0)"
	  " for(9 \"Bob\" \"sip:b@x.org/\") by(7 \"Ann\") prio=1 info=\"why?\"}" },
	{ user_query, sizeof(user_query),
	  "UserQuery 794427393/260/7 beneficiary=9" },
	{ user_status, sizeof(user_status),
	  "UserStatus 794427393/260/7 user(9 \"Bob\") {22 floor(1 - 0)}" },
	{ floor_query, sizeof(floor_query),
	  "FloorQuery 794427393/261/7 floors=1,2" },
	{ floor_status, sizeof(floor_status),
	  "FloorStatus 794427393/261/7 floors=1"
	  " {21 overall(21 Granted 0) floor(1 - 0)}"
	  " {22 overall(22 Pending 0) floor(1 - 0)}" },
	{ chair_action, sizeof(chair_action),
	  "ChairAction 794427393/262/1 {21 floor(1 Denied 0 \"late\")}" },
	{ chair_action_ack, sizeof(chair_action_ack),
	  "ChairActionAck 794427393/262/1" },
	{ hello, sizeof(hello), "Hello 794427393/1/7" },
	{ hello_ack, sizeof(hello_ack),
	  "HelloAck 794427393/1/7 prims=13 attrs=18" },
	{ error, sizeof(error),
	  "Error 794427393/258/9 code=4 details=2 error_info=\"not mine\"" },
	{ floor_request_status_ack, sizeof(floor_request_status_ack),
	  "FloorRequestStatusAck 794427393/1/7" },
	{ floor_status_ack, sizeof(floor_status_ack),
	  "FloorStatusAck 794427393/1/7" },
	{ goodbye, sizeof(goodbye), "Goodbye 794427393/1/7" },
	{ goodbye_ack, sizeof(goodbye_ack), "GoodbyeAck 794427393/1/7" },
};


/* ---- a message as text ---------------------------------------------------- */

static int show_text(struct re_printf *pf, const char *name,
		     const struct pl *pl)
{
	return pl->p ? re_hprintf(pf, " %s\"%r\"", name, pl) : 0;
}


static int show_stat(struct re_printf *pf, const char *name,
		     const struct bfcpm_stat *st)
{
	int err;

	if (!st->set)
		return 0;

	err  = re_hprintf(pf, " %s(%u %s %u", name, st->id,
			  bfcpm_status_name(st->st.status), st->st.qpos);
	err |= show_text(pf, "", &st->info);
	err |= re_hprintf(pf, ")");

	return err;
}


static int show_user(struct re_printf *pf, const char *name,
		     const struct bfcpm_user *u)
{
	int err;

	if (!u->set)
		return 0;

	err  = re_hprintf(pf, " %s(%u", name, u->id);
	err |= show_text(pf, "", &u->name);
	err |= show_text(pf, "", &u->uri);
	err |= re_hprintf(pf, ")");

	return err;
}


static int show_req(struct re_printf *pf, const struct bfcpm_req *r)
{
	int err;

	err  = re_hprintf(pf, " {%u", r->id);
	err |= show_stat(pf, "overall", &r->overall);
	for (unsigned i = 0; i < r->floors.c; i++)
		err |= show_stat(pf, "floor", &r->floors.v[i]);
	err |= show_user(pf, "for", &r->beneficiary);
	err |= show_user(pf, "by", &r->requested_by);
	if (r->prio.set)
		err |= re_hprintf(pf, " prio=%u", r->prio.v);
	err |= show_text(pf, "info=", &r->info);
	err |= re_hprintf(pf, "}");

	return err;
}


static int show(struct re_printf *pf, const struct bfcpm *m)
{
	int err;

	err = re_hprintf(pf, "%s %u/%u/%u", bfcpm_prim_name(m->hdr.prim),
			 m->hdr.conf, m->hdr.tid, m->hdr.user);
	for (unsigned i = 0; i < m->floors.c; i++)
		err |= re_hprintf(pf, "%s%u", i ? "," : " floors=",
				  m->floors.v[i]);
	if (m->beneficiary_id.set)
		err |= re_hprintf(pf, " beneficiary=%u", m->beneficiary_id.v);
	if (m->request_id.set)
		err |= re_hprintf(pf, " request=%u", m->request_id.v);
	if (m->prio.set)
		err |= re_hprintf(pf, " prio=%u", m->prio.v);
	err |= show_text(pf, "info=", &m->info);
	if (m->error.code)
		err |= re_hprintf(pf, " code=%u details=%zu", m->error.code,
				  m->error.details.l);
	err |= show_text(pf, "error_info=", &m->error_info);
	if (m->prims.p)
		err |= re_hprintf(pf, " prims=%zu", m->prims.l);
	if (m->attrs.p)
		err |= re_hprintf(pf, " attrs=%zu", m->attrs.l);
	err |= show_user(pf, "user", &m->beneficiary);
	for (unsigned i = 0; i < m->reqs.c; i++)
		err |= show_req(pf, &m->reqs.v[i]);

	return err;
}


static struct bfcpm_req reqv[REQ_MAX];

/* From a block of exactly this size, so that a sanitizer sees a read beyond */
static int decode(struct bfcpm *m, const uint8_t *p, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	int err;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, p, len);
	memset(m, 0, sizeof(*m));
	m->reqs.v = reqv;
	m->reqs.max = REQ_MAX;
	err = bfcpm_decode(m, copy, len);
	free(copy);

	return err;
}


START_TEST(every_message_is_read_as_its_fields_say)
{
	char text[512];
	struct bfcpm m = { .reqs = { reqv, 0, REQ_MAX } };

	ck_assert_int_eq(bfcpm_decode(&m, vectorv[_i].p, vectorv[_i].len), 0);
	ck_assert_int_ge(re_snprintf(text, sizeof(text), "%H", show, &m), 0);
	ck_assert_str_eq(text, vectorv[_i].text);
}
END_TEST


START_TEST(every_message_is_written_as_it_was_read)
{
	struct bfcpm m = { .reqs = { reqv, 0, REQ_MAX } };
	struct mbuf *mb = mbuf_alloc(16);

	ck_assert_int_eq(bfcpm_decode(&m, vectorv[_i].p, vectorv[_i].len), 0);
	ck_assert_int_eq(bfcpm_encode(mb, &m), 0);
	ck_assert_uint_eq(mb->end, vectorv[_i].len);
	ck_assert_mem_eq(mb->buf, vectorv[_i].p, mb->end);
	mem_deref(mb);
}
END_TEST


START_TEST(every_truncation_is_refused)
{
	struct bfcpm m;

	for (size_t n = 0; n < vectorv[_i].len; n++)
		ck_assert_int_eq(decode(&m, vectorv[_i].p, n), EMSGSIZE);
}
END_TEST


/* The same, but with a payload length that says what is there */
START_TEST(truncation_with_a_right_length_is_no_message_either)
{
	uint8_t buf[256];
	struct bfcpm m;

	memcpy(buf, vectorv[_i].p, vectorv[_i].len);
	for (size_t n = BFCPM_HDR_LEN; n + 4 <= vectorv[_i].len; n += 4) {
		int err;

		buf[3] = (uint8_t)((n - BFCPM_HDR_LEN) / 4);
		err = decode(&m, buf, n);
		ck_assert(!err || err == EPROTO || err == EMSGSIZE ||
			  err == EBADMSG);
	}
}
END_TEST


static int decode_hello_with(const uint8_t *attr, size_t n)
{
	uint8_t buf[300] = { 0x20, 0x01, 0x00, 0x00, CONF, 0, 1, 0, 7,
			     0x04, 0x04, 0x00, 0x01 };
	struct bfcpm m;

	memcpy(buf + 16, attr, n);
	buf[3] = (uint8_t)(1 + n / 4);

	return decode(&m, buf, 16 + n);
}


START_TEST(lengths_that_lie_are_told_apart)
{
	/* the payload ends inside the attribute */
	static const uint8_t over[]  = { 0x10, 0x08, 'a', 'b' };
	/* an attribute that does not even hold its own header */
	static const uint8_t zero[]  = { 0x10, 0x00, 0x00, 0x00 };
	static const uint8_t one_[]  = { 0x10, 0x01, 0x00, 0x00 };
	/* a number of the wrong size */
	static const uint8_t small[] = { 0x08, 0x03, 0x20, 0x00 };
	static const uint8_t large[] = { 0x08, 0x06, 0x20, 0x00, 0, 0, 0, 0 };

	ck_assert_int_eq(decode_hello_with(over, sizeof(over)), EMSGSIZE);
	ck_assert_int_eq(decode_hello_with(zero, sizeof(zero)), EBADMSG);
	ck_assert_int_eq(decode_hello_with(one_, sizeof(one_)), EBADMSG);
	ck_assert_int_eq(decode_hello_with(small, sizeof(small)), EBADMSG);
	ck_assert_int_eq(decode_hello_with(large, sizeof(large)), EBADMSG);
}
END_TEST


START_TEST(child_beyond_its_group_is_refused)
{
	uint8_t buf[sizeof(chair_action)];
	struct bfcpm m;

	memcpy(buf, chair_action, sizeof(buf));
	buf[17] = 0x14;         /* FLOOR-REQUEST-STATUS leaves its parent     */
	ck_assert_int_eq(decode(&m, buf, sizeof(buf)), EBADMSG);
	memcpy(buf, chair_action, sizeof(buf));
	buf[21] = 0x10;         /* REQUEST-STATUS of 16 octets                */
	ck_assert_int_eq(decode(&m, buf, sizeof(buf)), EBADMSG);
	memcpy(buf, chair_action, sizeof(buf));
	buf[13] = 0x13;         /* the group ends inside a child              */
	ck_assert_int_eq(decode(&m, buf, sizeof(buf)), EBADMSG);
}
END_TEST


START_TEST(attribute_that_is_missing_doubled_or_misplaced_is_refused)
{
	static const uint8_t no_floor[] = {
		0x20, 0x01, 0x00, 0x00, CONF, 0, 1, 0, 7 };
	static const uint8_t twice[] = {
		0x10, 0x03, 'a', 0, 0x10, 0x03, 'b', 0 };
	static const uint8_t misplaced[] = { 0x06, 0x04, 0x00, 0x01 };
	static const uint8_t two_requests[] = {
		0x20, 0x09, 0x00, 0x04, CONF, 0, 1, 0, 7,
		0x1e, 0x08, 0, 1, 0x22, 0x04, 0, 1,
		0x1e, 0x08, 0, 2, 0x22, 0x04, 0, 1 };
	struct bfcpm m;

	ck_assert_int_eq(decode(&m, no_floor, sizeof(no_floor)), EPROTO);
	ck_assert_int_eq(decode_hello_with(twice, sizeof(twice)), EPROTO);
	ck_assert_int_eq(decode_hello_with(misplaced, sizeof(misplaced)),
			 EPROTO);
	ck_assert_int_eq(decode(&m, two_requests, sizeof(two_requests)),
			 EPROTO);
}
END_TEST


START_TEST(unknown_attributes_are_listed_only_if_mandatory)
{
	static const uint8_t msg[] = {
		0x20, 0x0b, 0x00, 0x04, CONF, 0, 1, 0, 7,
		0x7e, 0x04, 0xab, 0xcd, /* type 63, M=0                      */
		0x7f, 0x04, 0xab, 0xcd, /* type 63, M=1                      */
		0xa1, 0x02, 0x00, 0x00, /* type 80, M=1                      */
		0xa1, 0x02, 0x00, 0x00, /* again                             */
	};
	struct bfcpm m;

	ck_assert_int_eq(decode(&m, msg, sizeof(msg)), 0);
	ck_assert_uint_eq(m.unknownc, 2);
	ck_assert_uint_eq(m.unknownv[0], 63);
	ck_assert_uint_eq(m.unknownv[1], 80);
}
END_TEST


START_TEST(what_is_to_be_ignored_is_ignored)
{
	uint8_t buf[sizeof(floor_request)];
	struct bfcpm m;

	memcpy(buf, floor_request, sizeof(buf));
	buf[0] |= 0x1f;         /* R, F and reserved bits                    */
	buf[13 - 1] |= 1;       /* M of a known attribute                    */
	buf[sizeof(buf) - 1] = 0xff;     /* reserved bits of PRIORITY        */
	buf[sizeof(buf) - 2] |= 0x1f;
	ck_assert_int_eq(decode(&m, buf, sizeof(buf)), 0);
	ck_assert_uint_eq(m.hdr.ver, 1);
	ck_assert_uint_eq(m.prio.v, 4);
	ck_assert_uint_eq(m.unknownc, 0);

	buf[sizeof(buf) - 2] = 0xff;     /* priority 7 is the highest, too   */
	ck_assert_int_eq(decode(&m, buf, sizeof(buf)), 0);
	ck_assert_uint_eq(m.prio.v, 4);

	memcpy(buf, error, sizeof(error));
	buf[17] = buf[18] = buf[19] = 0xee;
	ck_assert_int_eq(decode(&m, buf, sizeof(error)), 0);
}
END_TEST


START_TEST(text_that_is_not_utf8_is_refused)
{
	static const char *const badv[] = {
		"\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
		"\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xc3", "\xe2\x82",
	};
	uint8_t attr[12] = { 0x10 };

	for (size_t i = 0; i < ARRAY_SIZE(badv); i++) {
		const size_t n = strlen(badv[i]);

		memset(attr + 1, 0, sizeof(attr) - 1);
		attr[1] = (uint8_t)(2 + n);
		memcpy(attr + 2, badv[i], n);
		ck_assert_int_eq(decode_hello_with(attr, (n + 5) & ~3u),
				 EPROTO);
	}
	/* NUL ends no text */
	attr[1] = 3;
	attr[2] = 0;
	ck_assert_int_eq(decode_hello_with(attr, 4), EPROTO);
	memcpy(attr, "\x10\x0b" "\xc3\xa4" "\xe2\x82\xac" "\xf0\x9f\x8e\xa4",
	       11);
	ck_assert_int_eq(decode_hello_with(attr, 12), 0);
}
END_TEST


START_TEST(more_than_there_is_room_for_is_said)
{
	uint8_t buf[BFCPM_HDR_LEN + 4 * (BFCPM_FLOOR_MAX + 1)] = {
		0x20, 0x07, 0x00, BFCPM_FLOOR_MAX + 1, CONF, 0, 1, 0, 7 };
	struct bfcpm m;

	for (size_t i = BFCPM_HDR_LEN; i < sizeof(buf); i += 4)
		memcpy(buf + i, "\x04\x04\x00\x01", 4);
	ck_assert_int_eq(decode(&m, buf, sizeof(buf)), EOVERFLOW);
	--buf[3];
	ck_assert_int_eq(decode(&m, buf, sizeof(buf) - 4), 0);
	ck_assert_uint_eq(m.floors.c, BFCPM_FLOOR_MAX);
}
END_TEST


START_TEST(unknown_primitives_keep_their_header)
{
	uint8_t buf[sizeof(hello)];
	struct bfcpm m;

	memcpy(buf, hello, sizeof(buf));
	for (unsigned prim = 0; prim < 256; prim++) {
		buf[1] = (uint8_t)prim;
		if (prim >= 1 && prim <= BFCPM_PRIM_MAX)
			continue;
		ck_assert_int_eq(decode(&m, buf, sizeof(buf)), ENOSYS);
		ck_assert_uint_eq(m.hdr.user, 7);
		ck_assert_uint_eq(m.hdr.conf, 794427393);
	}
}
END_TEST


/* RFC 8855 section 5.2: a Length octet, children and their padding included */
START_TEST(group_that_is_too_long_loses_texts_and_never_wraps)
{
	static char text[250];
	struct bfcpm m, back;
	struct bfcpm_req r;
	struct mbuf *mb = mbuf_alloc(64);

	memset(text, 'x', sizeof(text));
	memset(&m, 0, sizeof(m));
	memset(&r, 0, sizeof(r));
	m.hdr.prim = BFCPM_FLOOR_REQUEST_STATUS;
	m.reqs.v = &r;
	m.reqs.c = 1;
	r.id = 21;
	r.overall.set = true;
	r.overall.id = 21;
	r.overall.st.status = BFCPM_GRANTED;
	r.floors.c = 3;
	for (uint16_t i = 0; i < 3; i++)
		r.floors.v[i].id = i;
	r.beneficiary.set = true;
	r.beneficiary.id = 9;
	r.beneficiary.uri.p = text;
	r.info.p = text;

	for (size_t n = 1; n < sizeof(text); n++) {
		r.beneficiary.uri.l = n;
		r.info.l = sizeof(text) - n;
		mb->pos = mb->end = 0;
		ck_assert_int_eq(bfcpm_encode(mb, &m), 0);
		ck_assert_uint_eq(mb->end, 12 + mb->buf[13]);
		ck_assert_int_eq(decode(&back, mb->buf, mb->end), 0);
		ck_assert_uint_eq(reqv[0].overall.st.status, BFCPM_GRANTED);
		ck_assert_uint_eq(reqv[0].floors.c, 3);
		ck_assert_uint_eq(reqv[0].beneficiary.id, 9);
	}

	/* what has to be there and does not fit: an error, nothing written */
	r.floors.c = BFCPM_FLOOR_MAX;
	for (uint16_t i = 0; i < BFCPM_FLOOR_MAX; i++) {
		r.floors.v[i].set = true;
		r.floors.v[i].st.status = BFCPM_GRANTED;
	}
	mb->pos = mb->end = 0;
	ck_assert_int_eq(bfcpm_encode(mb, &m), EOVERFLOW);
	ck_assert_uint_eq(mb->end, 0);
	mem_deref(mb);
}
END_TEST


START_TEST(text_of_more_than_253_octets_is_refused_by_the_encoder)
{
	static char text[254];
	struct bfcpm m;
	struct mbuf *mb = mbuf_alloc(64);

	memset(text, 'x', sizeof(text));
	memset(&m, 0, sizeof(m));
	m.hdr.prim = BFCPM_FLOOR_REQUEST;
	m.floors.c = 1;
	m.info.p = text;
	m.info.l = BFCPM_TEXT_MAX;
	ck_assert_int_eq(bfcpm_encode(mb, &m), 0);
	ck_assert_uint_eq(mb->end, 12 + 4 + 256);
	m.info.l = BFCPM_TEXT_MAX + 1;
	mb->pos = mb->end = 0;
	ck_assert_int_eq(bfcpm_encode(mb, &m), 0);
	ck_assert_uint_eq(mb->end, 12 + 4);     /* optional: left out         */
	m.floors.c = 0;
	ck_assert_int_eq(bfcpm_encode(mb, &m), EINVAL);
	mem_deref(mb);
}
END_TEST


START_TEST(answers_are_made_from_the_header_of_the_question)
{
	struct bfcpm_hdr h;
	struct mbuf *mb = mbuf_alloc(64);
	static const uint8_t unknownv[] = { 63, 80 };
	static const uint8_t unauthorized[] = {
		0x20, 0x0d, 0x00, 0x01, CONF, 0x01, 0x02, 0x00, 0x09,
		0x0c, 0x03, 0x05, 0x00 };

	bfcpm_hdr_decode(&h, hello);
	ck_assert_int_eq(bfcpm_encode_hello_ack(mb, &h), 0);
	ck_assert_uint_eq(mb->end, sizeof(hello_ack));
	ck_assert_mem_eq(mb->buf, hello_ack, sizeof(hello_ack));

	bfcpm_hdr_decode(&h, error);
	mb->pos = mb->end = 0;
	ck_assert_int_eq(bfcpm_encode_error(mb, &h, BFCPM_ERR_UNAUTHORIZED,
					    NULL, 0), 0);
	ck_assert_uint_eq(mb->end, sizeof(unauthorized));
	ck_assert_mem_eq(mb->buf, unauthorized, sizeof(unauthorized));

	mb->pos = mb->end = 0;
	ck_assert_int_eq(bfcpm_encode_error(mb, &h, BFCPM_ERR_ATTRIBUTE,
					    unknownv, 2), 0);
	ck_assert_mem_eq(mb->buf + 12, error + 12, 8);
	mem_deref(mb);
}
END_TEST


static uint32_t next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;

	return *x;
}


START_TEST(mutations_are_decoded_or_refused)
{
	uint32_t x = 2463534242u;
	unsigned okc = 0;
	struct mbuf *mb = mbuf_alloc(512);

	for (unsigned i = 0; i < MUTATIONS; i++) {
		const size_t k = next_random(&x) % ARRAY_SIZE(vectorv);
		uint8_t buf[256];
		struct bfcpm m = { .reqs = { reqv, 0, REQ_MAX } };

		memcpy(buf, vectorv[k].p, vectorv[k].len);
		for (unsigned n = next_random(&x) % 4; n; n--)
			buf[next_random(&x) % vectorv[k].len] ^=
				(uint8_t)(1u << next_random(&x) % 8);
		if (bfcpm_decode(&m, buf, vectorv[k].len))
			continue;
		++okc;
		mb->pos = mb->end = 0;
		ck_assert_int_eq(bfcpm_encode(mb, &m), 0);
	}
	ck_assert_uint_gt(okc, MUTATIONS / 10);
	ck_assert_uint_lt(okc, MUTATIONS);
	mem_deref(mb);
}
END_TEST


/* ---- framing -------------------------------------------------------------- */

struct got {
	struct mbuf *mb;
	unsigned c, too_long;
	unsigned stop_after;
};

static int got_message(const uint8_t *msg, size_t len, bool too_long,
		       void *arg)
{
	struct got *g = arg;

	(void)mbuf_write_mem(g->mb, msg, len);
	++g->c;
	if (too_long)
		++g->too_long;

	return g->c == g->stop_after ? ECONNRESET : 0;
}


START_TEST(any_segmentation_gives_the_same_messages)
{
	struct mbuf *all = mbuf_alloc(1024);

	for (size_t i = 0; i < ARRAY_SIZE(vectorv); i++)
		(void)mbuf_write_mem(all, vectorv[i].p, vectorv[i].len);

	for (size_t step = 1; step <= all->end; step++) {
		struct got g = { .mb = mbuf_alloc(1024) };
		struct bfcpm_frame f;

		bfcpm_frame_init(&f, 1024);
		for (size_t i = 0; i < all->end; i += step)
			ck_assert_int_eq(bfcpm_frame_feed(&f, all->buf + i,
				MIN(step, all->end - i), got_message, &g), 0);
		ck_assert_uint_eq(g.c, ARRAY_SIZE(vectorv));
		ck_assert_uint_eq(g.mb->end, all->end);
		ck_assert_mem_eq(g.mb->buf, all->buf, all->end);
		ck_assert(!bfcpm_frame_partial(&f));
		bfcpm_frame_reset(&f);
		mem_deref(g.mb);
	}
	mem_deref(all);
}
END_TEST


START_TEST(message_beyond_the_bound_is_skipped_and_the_next_one_read)
{
	uint8_t buf[4096] = { 0x20, 0x0b, 0x01, 0x00, CONF, 0, 1, 0, 7 };
	struct got g = { .mb = mbuf_alloc(64) };
	struct bfcpm_frame f;

	bfcpm_frame_init(&f, 1024);
	memcpy(buf + 12 + 4 * 256, hello, sizeof(hello));
	for (size_t i = 0; i < 12 + 4 * 256 + sizeof(hello); i++)
		ck_assert_int_eq(bfcpm_frame_feed(&f, buf + i, 1, got_message,
						  &g), 0);
	ck_assert_uint_eq(g.c, 2);
	ck_assert_uint_eq(g.too_long, 1);
	ck_assert_mem_eq(g.mb->buf + 12, hello, sizeof(hello));
	ck_assert(!bfcpm_frame_partial(&f));
	bfcpm_frame_reset(&f);
	mem_deref(g.mb);
}
END_TEST


START_TEST(handler_can_stop_the_feeding)
{
	uint8_t buf[2 * sizeof(hello)];
	struct got g = { .mb = mbuf_alloc(64), .stop_after = 1 };
	struct bfcpm_frame f;

	memcpy(buf, hello, sizeof(hello));
	memcpy(buf + sizeof(hello), hello, sizeof(hello));
	bfcpm_frame_init(&f, 1024);
	ck_assert_int_eq(bfcpm_frame_feed(&f, buf, sizeof(buf), got_message,
					  &g), ECONNRESET);
	ck_assert_uint_eq(g.c, 1);
	bfcpm_frame_reset(&f);
	mem_deref(g.mb);
}
END_TEST


int main(void)
{
	Suite *s = suite_create("bfcpmsg");
	TCase *tc = tcase_create("messages");
	TCase *fr = tcase_create("framing");
	const int n = (int)ARRAY_SIZE(vectorv);

	tcase_add_loop_test(tc, every_message_is_read_as_its_fields_say, 0, n);
	tcase_add_loop_test(tc, every_message_is_written_as_it_was_read, 0, n);
	tcase_add_loop_test(tc, every_truncation_is_refused, 0, n);
	tcase_add_loop_test(tc, truncation_with_a_right_length_is_no_message_either, 0, n);
	tcase_add_test(tc, lengths_that_lie_are_told_apart);
	tcase_add_test(tc, child_beyond_its_group_is_refused);
	tcase_add_test(tc, attribute_that_is_missing_doubled_or_misplaced_is_refused);
	tcase_add_test(tc, unknown_attributes_are_listed_only_if_mandatory);
	tcase_add_test(tc, what_is_to_be_ignored_is_ignored);
	tcase_add_test(tc, text_that_is_not_utf8_is_refused);
	tcase_add_test(tc, more_than_there_is_room_for_is_said);
	tcase_add_test(tc, unknown_primitives_keep_their_header);
	tcase_add_test(tc, group_that_is_too_long_loses_texts_and_never_wraps);
	tcase_add_test(tc, text_of_more_than_253_octets_is_refused_by_the_encoder);
	tcase_add_test(tc, answers_are_made_from_the_header_of_the_question);
	tcase_add_test(tc, mutations_are_decoded_or_refused);
	suite_add_tcase(s, tc);
	tcase_add_test(fr, any_segmentation_gives_the_same_messages);
	tcase_add_test(fr, message_beyond_the_bound_is_skipped_and_the_next_one_read);
	tcase_add_test(fr, handler_can_stop_the_feeding);
	suite_add_tcase(s, fr);

	return check_run(s);
}
