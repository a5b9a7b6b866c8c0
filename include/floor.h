/**
 * @file floor.h  Floor control of one conference: who may speak
 *
 * Floors, requests, queue, chairs, automatic policies, limits.  Pure: no
 * sockets, no timers, no clock; the time comes in as an argument [ms, any
 * origin] and everything goes out through handlers.
 *
 *   new --(automatic, free)--> Granted     new --(automatic, busy)--> Accepted
 *   new --(chaired)--> Pending --chair--> Accepted --free--> Granted
 *   Pending, Accepted --chair--> Denied    --FloorRelease--> Cancelled
 *   Granted --FloorRelease--> Released     --chair, limit, leaving--> Revoked
 *
 * Between Accepted and Granted the media is switched: gateh is asked, and only
 * floor_gated() makes the request Granted and tells so.  A revocation is told
 * before gateh is called.
 *
 * Ownership:  libre object; it owns users and requests
 * Threads:    one; handlers must not call back into the same floors
 * Refs:       RFC 8855 sections 4, 10, 11 and 13
 */
#ifndef CONCLAVE_FLOOR_H
#define CONCLAVE_FLOOR_H

#include "bfcpm.h"

enum {
	FLOOR_MAX = 8,                  /* floors of one conference           */
	FLOOR_INFO_MAX = 160,           /* octets kept of what a user says    */
};

struct floors;

/** Who is heard while a floor is free, and while it is held */
enum floor_gating {
	FLOOR_GATES_HELD,       /* everybody, until somebody holds it         */
	FLOOR_GATES_ALWAYS,     /* holders alone                              */
	FLOOR_GATES_NEVER,      /* everybody                                  */
};

struct floor_policy {
	bool chaired;           /* a chair's word is needed                   */
	bool absent_auto;       /* no chair there: grant automatically; else
				 * requests are denied                        */
	bool round_robin;       /* who spoke longest ago goes first           */
	enum floor_gating gating;
	unsigned holders;       /* of one floor at a time                     */
	unsigned per_user;      /* ongoing requests of a user for a floor     */
	unsigned requests;      /* ongoing ones of all users                  */
	uint32_t hold_limit_ms; /* 0: none                                    */
	uint8_t prio_max;       /* higher wishes are clipped                  */
};

/** A request; read only for everybody else */
struct floor_req {
	struct le le;
	uint16_t id;
	uint16_t requester;     /* 0: the operator                            */
	uint16_t beneficiary;
	bool prio_set;
	uint8_t prio;           /* as asked                                   */
	uint8_t status;         /* enum bfcpm_status                          */
	uint8_t qpos;           /* with BFCPM_ACCEPTED, else 0                */
	char *info;             /* participant-provided, or NULL              */
	char *reason;           /* STATUS-INFO, or NULL                       */
	struct {
		uint16_t floor;
		bool agreed;    /* its chair did                              */
	} floorv[FLOOR_MAX];
	unsigned floorc;

	/* of floor.c */
	struct list *in;        /* list that it is in                         */
	uint8_t prio_eff;
	uint16_t tid;           /* of the FloorRequest until it is answered   */
	uint8_t told_status, told_qpos;
	uint8_t want_pos;       /* a chair's wish, 0: none                    */
	uint64_t token;         /* waits for floor_gated(); 0: not asked yet  */
	uint64_t since;         /* granted [ms]                               */
	uint64_t turn;          /* when its beneficiary held last             */
};

struct floor_user {
	struct le le;
	uint16_t id;
	char *name;             /* display name or NULL                       */
	char *uri;
	uint32_t chair;         /* mask of floors, by index                   */
	bool barred;            /* may neither ask nor hold                   */

	/* of floor.c */
	uint32_t held, open;    /* masks of floors                            */
	uint64_t turn;
};

struct floor_handlers {
	/**
	 * Let a user be heard on a floor, or not
	 *
	 * @param token  0, or: floor_gated() with it when that is so
	 *
	 * @return 0 if it is so already; EINPROGRESS; other: it cannot be
	 */
	int (*gateh)(uint16_t floor, uint16_t user, bool open, uint64_t token,
		     void *arg);
	/** Tell a user about a request; tid 0: not a response */
	void (*statush)(const struct floor_req *req, uint16_t to, uint16_t tid,
			void *arg);
	/** Holders or queue of a floor have changed */
	void (*changeh)(uint16_t floor, void *arg);
};

/** What a FloorRequest says */
struct floor_ask {
	uint16_t user;          /* 0: the operator, who may do anything       */
	uint16_t beneficiary;   /* 0: the user                                */
	uint16_t floorv[BFCPM_FLOOR_MAX];
	unsigned floorc;
	struct bfcpm_prio prio;
	struct pl info;
	uint16_t tid;
};

int  floors_alloc(struct floors **fsp, const struct floor_policy *policy,
		  const struct floor_handlers *h, void *arg);
int  floor_add(struct floors *fs, uint16_t floor);
bool floor_exists(const struct floors *fs, uint16_t floor);

/** @param chair  Of all floors */
int  floor_user_add(struct floors *fs, uint16_t id, bool chair,
		    const char *name, const char *uri);
/**
 * What a user may has changed
 *
 * @param barred  Why it can have no floor: what it holds is revoked, what it
 *                waits for is denied, and it cannot ask; NULL: it can
 */
void floor_user_set(struct floors *fs, uint16_t id, bool chair,
		    const char *barred, uint64_t now);
/** Gone: what it holds is revoked, what it waits for is cancelled */
void floor_user_del(struct floors *fs, uint16_t id, uint64_t now);
const struct floor_user *floor_user_find(const struct floors *fs,
					 uint16_t id);

/**
 * A FloorRequest; its first FloorRequestStatus goes out through statush, at
 * once or when the media is switched
 *
 * @return 0 or enum bfcpm_error
 */
int  floor_request(struct floors *fs, const struct floor_ask *ask,
		   uint64_t now);
/** A FloorRelease, by requester, beneficiary or chair: 0 or enum bfcpm_error */
int  floor_release(struct floors *fs, uint16_t user, uint16_t req,
		   uint16_t tid, uint64_t now);
/** May this ChairAction be?  0 (then acknowledge it first) or enum bfcpm_error */
int  floor_chair_check(const struct floors *fs, uint16_t user,
		       const struct bfcpm_req *action);
/** Do it; floor_chair_check() was 0 */
void floor_chair_action(struct floors *fs, uint16_t user,
			const struct bfcpm_req *action, uint64_t now);
/**
 * The operator decides: BFCPM_GRANTED, BFCPM_DENIED or BFCPM_REVOKED
 *
 * @return 0 or enum bfcpm_error
 */
int  floor_decide(struct floors *fs, uint16_t req, enum bfcpm_status status,
		  const char *reason, uint64_t now);

/** The media is switched as gateh asked with this token (or cannot be: err) */
void floor_gated(struct floors *fs, uint64_t token, int err, uint64_t now);

/** When floor_tick() has something to do [ms], UINT64_MAX: never */
uint64_t floor_next(const struct floors *fs);
void floor_tick(struct floors *fs, uint64_t now);

const struct floor_req *floor_req_find(const struct floors *fs, uint16_t id);
/** May this user see (and release) it?  Requester, beneficiary and chairs */
bool floor_req_mine(const struct floors *fs, const struct floor_req *req,
		    uint16_t user);
bool floor_is_chair(const struct floors *fs, uint16_t user);
bool floor_holds(const struct floors *fs, uint16_t user);
bool floor_req_has(const struct floor_req *req, uint16_t floor);
/** All ongoing requests: holders, then the queue, then those that wait for a
 *  chair; ends when the handler returns true */
typedef bool (floor_req_h)(const struct floor_req *req, void *arg);
void floor_reqs(const struct floors *fs, floor_req_h *h, void *arg);

#endif
