/**
 * @file bfcpm.h  BFCP messages and their framing on a stream
 *
 * A strict codec of our own.  libre's has the right numbers, but takes any
 * attribute in any message and at any depth, goes on after a fixed attribute
 * of a wrong length, lets the Length of a group wrap at 256, and has one error
 * for what RFC 8855 answers with different codes.  Here one table per message
 * and per grouped attribute says what may be in it; decoder and encoder both
 * walk it.
 *
 * The decoder fills a struct and decides nothing: versions, unknown mandatory
 * attributes and everything else that needs an answer is in the struct.
 *
 * Ownership:  decoded texts point into the buffer that was decoded; the caller
 *             gives the memory for FLOOR-REQUEST-INFORMATION (bfcpm.reqs)
 * Threads:    any; no state
 * Refs:       RFC 8855 sections 5 and 6.1
 */
#ifndef CONCLAVE_BFCPM_H
#define CONCLAVE_BFCPM_H

#include "re_compat.h"

enum {
	BFCPM_VERSION = 1,          /* over reliable transport                */
	BFCPM_HDR_LEN = 12,
	BFCPM_FLOOR_MAX = 32,       /* floors in one message or request       */
	BFCPM_UNKNOWN_MAX = 32,     /* unknown mandatory types that are kept  */
	BFCPM_TEXT_MAX = 253,       /* a Length octet counts its header, too  */
	BFCPM_MSG_MAX = BFCPM_HDR_LEN + 4 * 65535,
};

/** RFC 8855 table 1 */
enum bfcpm_prim {
	BFCPM_FLOOR_REQUEST = 1,
	BFCPM_FLOOR_RELEASE,
	BFCPM_FLOOR_REQUEST_QUERY,
	BFCPM_FLOOR_REQUEST_STATUS,
	BFCPM_USER_QUERY,
	BFCPM_USER_STATUS,
	BFCPM_FLOOR_QUERY,
	BFCPM_FLOOR_STATUS,
	BFCPM_CHAIR_ACTION,
	BFCPM_CHAIR_ACTION_ACK,
	BFCPM_HELLO,
	BFCPM_HELLO_ACK,
	BFCPM_ERROR,
	BFCPM_FLOOR_REQUEST_STATUS_ACK,
	BFCPM_FLOOR_STATUS_ACK,
	BFCPM_GOODBYE,
	BFCPM_GOODBYE_ACK,
	BFCPM_PRIM_MAX = BFCPM_GOODBYE_ACK,
};

/** RFC 8855 table 2 */
enum bfcpm_attr {
	BFCPM_BENEFICIARY_ID = 1,
	BFCPM_FLOOR_ID,
	BFCPM_FLOOR_REQUEST_ID,
	BFCPM_PRIORITY,
	BFCPM_REQUEST_STATUS,
	BFCPM_ERROR_CODE,
	BFCPM_ERROR_INFO,
	BFCPM_PARTICIPANT_INFO,
	BFCPM_STATUS_INFO,
	BFCPM_SUPPORTED_ATTRS,
	BFCPM_SUPPORTED_PRIMS,
	BFCPM_USER_DISPLAY_NAME,
	BFCPM_USER_URI,
	BFCPM_BENEFICIARY,
	BFCPM_REQUEST_INFO,
	BFCPM_REQUESTED_BY,
	BFCPM_FLOOR_REQ_STATUS,
	BFCPM_OVERALL_STATUS,
	BFCPM_ATTR_MAX = BFCPM_OVERALL_STATUS,
};

/** RFC 8855 table 4 */
enum bfcpm_status {
	BFCPM_PENDING = 1,
	BFCPM_ACCEPTED,
	BFCPM_GRANTED,
	BFCPM_DENIED,
	BFCPM_CANCELLED,
	BFCPM_RELEASED,
	BFCPM_REVOKED,
};

/** RFC 8855 table 5 */
enum bfcpm_error {
	BFCPM_ERR_CONFERENCE = 1,
	BFCPM_ERR_USER,
	BFCPM_ERR_PRIMITIVE,
	BFCPM_ERR_ATTRIBUTE,
	BFCPM_ERR_UNAUTHORIZED,
	BFCPM_ERR_FLOOR,
	BFCPM_ERR_REQUEST,
	BFCPM_ERR_LIMIT,
	BFCPM_ERR_USE_TLS,
	BFCPM_ERR_PARSE,
	BFCPM_ERR_USE_DTLS,
	BFCPM_ERR_VERSION,
	BFCPM_ERR_LENGTH,
	BFCPM_ERR_GENERIC,
};

/** RFC 8855 table 3 */
enum { BFCPM_PRIO_NORMAL = 2, BFCPM_PRIO_HIGHEST = 4 };

struct bfcpm_hdr {
	uint8_t  ver;
	uint8_t  prim;              /* not checked: may be none of the enum   */
	uint16_t words;             /* payload [4 octets]                     */
	uint32_t conf;
	uint16_t tid;
	uint16_t user;
};

struct bfcpm_u16  { bool set; uint16_t v; };
struct bfcpm_prio { bool set; uint8_t v; };    /* 0 to 4                   */
struct bfcpm_ids  { uint16_t v[BFCPM_FLOOR_MAX]; unsigned c; };

/** REQUEST-STATUS */
struct bfcpm_reqstat {
	uint8_t status;             /* 0: absent                              */
	uint8_t qpos;
};

/** OVERALL-REQUEST-STATUS or FLOOR-REQUEST-STATUS */
struct bfcpm_stat {
	bool set;
	uint16_t id;                /* of the request, or of the floor        */
	struct bfcpm_reqstat st;
	struct pl info;
};

struct bfcpm_stats { struct bfcpm_stat v[BFCPM_FLOOR_MAX]; unsigned c; };

/** BENEFICIARY-INFORMATION or REQUESTED-BY-INFORMATION */
struct bfcpm_user {
	bool set;
	uint16_t id;
	struct pl name, uri;
};

/** FLOOR-REQUEST-INFORMATION */
struct bfcpm_req {
	uint16_t id;
	struct bfcpm_stat overall;
	struct bfcpm_stats floors;
	struct bfcpm_user beneficiary, requested_by;
	struct bfcpm_prio prio;
	struct pl info;
};

struct bfcpm_reqs {
	struct bfcpm_req *v;        /* the caller's, max of them              */
	unsigned c, max;
};

struct bfcpm_errcode {
	uint8_t code;               /* 0: absent                              */
	struct pl details;          /* octets                                 */
};

/** A message: the fields that its primitive may have */
struct bfcpm {
	struct bfcpm_hdr hdr;
	struct bfcpm_ids floors;
	struct bfcpm_u16 beneficiary_id;
	struct bfcpm_u16 request_id;
	struct bfcpm_prio prio;
	struct pl info;             /* PARTICIPANT-PROVIDED-INFO              */
	struct bfcpm_errcode error;
	struct pl error_info;
	struct pl prims, attrs;     /* octets of HelloAck                     */
	struct bfcpm_user beneficiary;
	struct bfcpm_reqs reqs;
	/* decoder only: unknown types with the M bit, not shifted */
	uint8_t unknownv[BFCPM_UNKNOWN_MAX];
	unsigned unknownc;
};

/** First 12 octets; never fails */
void bfcpm_hdr_decode(struct bfcpm_hdr *h, const uint8_t p[BFCPM_HDR_LEN]);

/**
 * Decode one whole message, as the framing cuts it
 *
 * @param m    Out; reqs.v and reqs.max are the caller's.  The header is right
 *             after every error, too
 * @param buf  Header and payload, len octets
 *
 * @return 0 if success
 *         ENOSYS     unknown primitive
 *         EMSGSIZE   attributes do not fill the payload length exactly
 *         EBADMSG    an attribute cannot be read
 *         EPROTO     readable, but one is missing, twice there or misplaced
 *         EOVERFLOW  more floors or requests than there is room for
 */
int bfcpm_decode(struct bfcpm *m, const uint8_t *buf, size_t len);

/**
 * Append a message; hdr.words is set here
 *
 * A FLOOR-REQUEST-INFORMATION of more than 255 octets loses its optional
 * texts, last ones first: a length never wraps.
 *
 * @return 0, ENOMEM, EINVAL (unknown primitive, mandatory field missing), or
 *         EOVERFLOW with mb as before
 */
int bfcpm_encode(struct mbuf *mb, const struct bfcpm *m);

/** Append an Error; unknownv only with BFCPM_ERR_ATTRIBUTE */
int bfcpm_encode_error(struct mbuf *mb, const struct bfcpm_hdr *to,
		       enum bfcpm_error code, const uint8_t *unknownv,
		       unsigned unknownc);

/** Append the HelloAck with what this codec knows */
int bfcpm_encode_hello_ack(struct mbuf *mb, const struct bfcpm_hdr *to);

const char *bfcpm_prim_name(uint8_t prim);
const char *bfcpm_status_name(uint8_t status);
const char *bfcpm_error_name(uint8_t code);

/* ---- framing (frame.c) --------------------------------------------------- */

/** Cuts a stream into messages */
struct bfcpm_frame {
	uint8_t hdr[BFCPM_HDR_LEN];
	uint8_t *buf;               /* NULL: header not complete              */
	size_t have, need;
	size_t skip;                /* of a message that is too long          */
	size_t max;                 /* longest message taken [octets]         */
};

/**
 * @param len  Length of the message; BFCPM_HDR_LEN with too_long: its payload
 *             is thrown away
 *
 * @return 0 to go on; else feeding stops with this value
 */
typedef int (bfcpm_frame_h)(const uint8_t *msg, size_t len, bool too_long,
			    void *arg);

void bfcpm_frame_init(struct bfcpm_frame *f, size_t max);
void bfcpm_frame_reset(struct bfcpm_frame *f);
/** Is a message begun and not complete? */
bool bfcpm_frame_partial(const struct bfcpm_frame *f);
/** 0, ENOMEM, or what the handler returned */
int  bfcpm_frame_feed(struct bfcpm_frame *f, const uint8_t *p, size_t n,
		      bfcpm_frame_h *h, void *arg);

#endif
