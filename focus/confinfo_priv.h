/**
 * @file focus/confinfo_priv.h  What the files of conference documents share
 *
 * confinfo.c   the roster with its change numbers
 * confprint.c  documents made from it
 */
#ifndef CONCLAVE_FOCUS_CONFINFO_PRIV_H
#define CONCLAVE_FOCUS_CONFINFO_PRIV_H

#include "focus/confinfo.h"

/** How much of the roster is told; the value of ci_view.detail */
enum detail { DETAIL_NONE, DETAIL_COUNT, DETAIL_USERS, DETAIL_ALL };

/** When an element came, changed and went, as numbers of changes; 0: never */
struct ci_mark {
	uint64_t born;
	uint64_t changed;
	uint64_t deleted;
};

struct user {
	struct le le;
	char *uri;
	char *display;
	const char *role;
	bool admin;
	struct list endpl;
	struct ci_mark mark;
};

struct endp {
	struct le le;
	struct user *user;
	uint64_t id;
	struct ci_endpoint v;
	struct ci_mark mark;
	uint64_t keyed;          /* last change of keying or epoch           */
	bool left;
	struct ci_end end;
	uint64_t left_ms;
};

struct confinfo {
	char *entity;
	char *subject;
	char *host;
	uint32_t max_users;
	struct list userl;
	uint64_t no;             /* of the last change                        */
	uint64_t state_changed;  /* conference-state                          */
	bool locked;
	uint64_t keyed;          /* last change of any endpoint's keys        */
	uint64_t horizon;        /* markers up to here have been dropped      */
	uint32_t userc;          /* users with an endpoint that is in         */
	uint32_t endpc;
	uint32_t markerc;
};

struct user *confinfo_user(const struct confinfo *ci, const char *uri);

#endif
