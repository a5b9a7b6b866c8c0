/**
 * @file bfcp/rules.c  What may be in a BFCP message: one table for each
 */
#include <stddef.h>
#include "rules.h"

#define MSG(field)  offsetof(struct bfcpm, field)
#define REQ(field)  offsetof(struct bfcpm_req, field)
#define STAT(field) offsetof(struct bfcpm_stat, field)
#define USER(field) offsetof(struct bfcpm_user, field)
#define TABLE(name, v) { name, v, ARRAY_SIZE(v) }

/* section 5.3.1 */
static const struct bfcpm_rule floor_request[] = {
	{ BFCPM_FLOOR_ID,         KIND_IDS,  MSG(floors),         true  },
	{ BFCPM_BENEFICIARY_ID,   KIND_U16,  MSG(beneficiary_id), false },
	{ BFCPM_PARTICIPANT_INFO, KIND_TEXT, MSG(info),           false },
	{ BFCPM_PRIORITY,         KIND_PRIO, MSG(prio),           false },
};

/* sections 5.3.2 and 5.3.3 */
static const struct bfcpm_rule request_id[] = {
	{ BFCPM_FLOOR_REQUEST_ID, KIND_U16,  MSG(request_id),     true  },
};

/* sections 5.3.4 and 5.3.9 */
static const struct bfcpm_rule one_request[] = {
	{ BFCPM_REQUEST_INFO,     KIND_REQS, MSG(reqs),           true  },
};

/* section 5.3.5 */
static const struct bfcpm_rule user_query[] = {
	{ BFCPM_BENEFICIARY_ID,   KIND_U16,  MSG(beneficiary_id), false },
};

/* section 5.3.6 */
static const struct bfcpm_rule user_status[] = {
	{ BFCPM_BENEFICIARY,      KIND_USER, MSG(beneficiary),    false },
	{ BFCPM_REQUEST_INFO,     KIND_REQS, MSG(reqs),           false },
};

/* section 5.3.7 */
static const struct bfcpm_rule floor_query[] = {
	{ BFCPM_FLOOR_ID,         KIND_IDS,  MSG(floors),         false },
};

/* section 5.3.8 */
static const struct bfcpm_rule floor_status[] = {
	{ BFCPM_FLOOR_ID,         KIND_IDS,  MSG(floors),         false },
	{ BFCPM_REQUEST_INFO,     KIND_REQS, MSG(reqs),           false },
};

/* section 5.3.12 */
static const struct bfcpm_rule hello_ack[] = {
	{ BFCPM_SUPPORTED_PRIMS,  KIND_OCTETS, MSG(prims),        true  },
	{ BFCPM_SUPPORTED_ATTRS,  KIND_OCTETS, MSG(attrs),        true  },
};

/* section 5.3.13 */
static const struct bfcpm_rule error[] = {
	{ BFCPM_ERROR_CODE,       KIND_ERROR, MSG(error),         true  },
	{ BFCPM_ERROR_INFO,       KIND_TEXT,  MSG(error_info),    false },
};

/* sections 5.3.10, 5.3.11, 5.3.14 to 5.3.17 have a header only */
static const struct bfcpm_rules primv[BFCPM_PRIM_MAX + 1] = {
	[BFCPM_FLOOR_REQUEST]        = TABLE("FloorRequest", floor_request),
	[BFCPM_FLOOR_RELEASE]        = TABLE("FloorRelease", request_id),
	[BFCPM_FLOOR_REQUEST_QUERY]  = TABLE("FloorRequestQuery", request_id),
	[BFCPM_FLOOR_REQUEST_STATUS] = TABLE("FloorRequestStatus", one_request),
	[BFCPM_USER_QUERY]           = TABLE("UserQuery", user_query),
	[BFCPM_USER_STATUS]          = TABLE("UserStatus", user_status),
	[BFCPM_FLOOR_QUERY]          = TABLE("FloorQuery", floor_query),
	[BFCPM_FLOOR_STATUS]         = TABLE("FloorStatus", floor_status),
	[BFCPM_CHAIR_ACTION]         = TABLE("ChairAction", one_request),
	[BFCPM_CHAIR_ACTION_ACK]     = { "ChairActionAck", NULL, 0 },
	[BFCPM_HELLO]                = { "Hello", NULL, 0 },
	[BFCPM_HELLO_ACK]            = TABLE("HelloAck", hello_ack),
	[BFCPM_ERROR]                = TABLE("Error", error),
	[BFCPM_FLOOR_REQUEST_STATUS_ACK] = { "FloorRequestStatusAck", NULL, 0 },
	[BFCPM_FLOOR_STATUS_ACK]     = { "FloorStatusAck", NULL, 0 },
	[BFCPM_GOODBYE]              = { "Goodbye", NULL, 0 },
	[BFCPM_GOODBYE_ACK]          = { "GoodbyeAck", NULL, 0 },
};

/* section 5.2.15; in the order in which they are kept when there is no room */
static const struct bfcpm_rule req[] = {
	{ BFCPM_OVERALL_STATUS,   KIND_STAT,  REQ(overall),      false },
	{ BFCPM_FLOOR_REQ_STATUS, KIND_STATS, REQ(floors),       true  },
	{ BFCPM_BENEFICIARY,      KIND_USER,  REQ(beneficiary),  false },
	{ BFCPM_REQUESTED_BY,     KIND_USER,  REQ(requested_by), false },
	{ BFCPM_PRIORITY,         KIND_PRIO,  REQ(prio),         false },
	{ BFCPM_PARTICIPANT_INFO, KIND_TEXT,  REQ(info),         false },
};

/* sections 5.2.17 and 5.2.18 */
static const struct bfcpm_rule stat[] = {
	{ BFCPM_REQUEST_STATUS,   KIND_REQSTAT, STAT(st),        false },
	{ BFCPM_STATUS_INFO,      KIND_TEXT,    STAT(info),      false },
};

/* sections 5.2.14 and 5.2.16 */
static const struct bfcpm_rule user[] = {
	{ BFCPM_USER_DISPLAY_NAME, KIND_TEXT, USER(name),        false },
	{ BFCPM_USER_URI,          KIND_TEXT, USER(uri),         false },
};

const struct bfcpm_rules bfcpm_rules_req  = TABLE("FLOOR-REQUEST-INFORMATION", req);
const struct bfcpm_rules bfcpm_rules_stat = TABLE("REQUEST-STATUS", stat);
const struct bfcpm_rules bfcpm_rules_user = TABLE("USER-INFORMATION", user);


const struct bfcpm_rules *bfcpm_rules(uint8_t prim)
{
	return prim >= 1 && prim <= BFCPM_PRIM_MAX ? &primv[prim] : NULL;
}


const char *bfcpm_prim_name(uint8_t prim)
{
	const struct bfcpm_rules *r = bfcpm_rules(prim);

	return r ? r->name : "unknown";
}


const char *bfcpm_status_name(uint8_t status)
{
	static const char *const namev[] = {
		"-", "Pending", "Accepted", "Granted", "Denied", "Cancelled",
		"Released", "Revoked",
	};

	return status < ARRAY_SIZE(namev) ? namev[status] : "unknown";
}


const char *bfcpm_error_name(uint8_t code)
{
	static const char *const namev[] = {
		"-", "Conference Does Not Exist", "User Does Not Exist",
		"Unknown Primitive", "Unknown Mandatory Attribute",
		"Unauthorized Operation", "Invalid Floor ID",
		"Floor Request ID Does Not Exist",
		"Maximum Number of Ongoing Floor Requests Reached",
		"Use TLS", "Unable to Parse Message", "Use DTLS",
		"Unsupported Version", "Incorrect Message Length",
		"Generic Error",
	};

	return code < ARRAY_SIZE(namev) ? namev[code] : "unknown";
}
