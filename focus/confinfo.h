/**
 * @file focus/confinfo.h  Conference documents (application/conference-info+xml)
 *
 * The roster as it is told to watchers, kept as a list of users and endpoints
 * in which every element knows the number of its last change.  A watcher's
 * view is the number up to which it has been told, so what one is still
 * missing is found by comparing, whatever was merged or left out before; a
 * deleted element stays as a marker until every view is past it.
 *
 * Nothing here knows SIP or the tree: confevent.c copies values in.
 *
 * Bounds: the number of elements is that of the conference; of a large one
 * less is told (users without endpoints, then numbers alone), so that a
 * document stays below what a connection takes at once.
 *
 * Ownership:  libre object, drop with mem_deref(); values are copied
 * Threads:    libre loop; time is passed in
 * Refs:       RFC 4575 sections 4, 5 and 6
 */
#ifndef CONCLAVE_FOCUS_CONFINFO_H
#define CONCLAVE_FOCUS_CONFINFO_H

#include <time.h>
#include "re_compat.h"

#define CONFINFO_CTYPE "application/conference-info+xml"
#define CONFINFO_NS "urn:ietf:params:xml:ns:conference-info"
/** Our element in an endpoint, see docs/roster.md */
#define CONFINFO_NS_PROTECTION \
	"urn:uuid:2f6f2b6c-5c0e-4f0a-9b63-5b4c8d3c7a11"

enum {
	CI_ENDPOINTS_MAX = 400,  /* more: users without their endpoints       */
	CI_USERS_MAX     = 2000, /* more: numbers alone                       */
	CI_URI_MAX       = 512,  /* of a user [bytes]                         */
	CI_MARKERS_MAX   = 4096, /* deleted ones; older views get all anew    */
};

/** RFC 4575 section 5.7.3 */
enum ci_status {
	CI_PENDING, CI_DIALING_OUT, CI_DIALING_IN, CI_ALERTING, CI_ON_HOLD,
	CI_CONNECTED, CI_MUTED_VIA_FOCUS, CI_DISCONNECTING, CI_DISCONNECTED,
};

/** RFC 4575 section 5.7.4 */
enum ci_joining { CI_DIALED_IN, CI_DIALED_OUT };

/** RFC 4575 section 5.7.6 */
enum ci_gone { CI_DEPARTED, CI_BOOTED, CI_FAILED, CI_BUSY };

struct confinfo;

/** What does not change */
struct ci_about {
	const char *entity;      /* conference URI                            */
	const char *subject;
	const char *host;        /* for people: who runs it                   */
	uint32_t max_users;
};

struct ci_user {
	const char *uri;         /* key; what others may see                  */
	const char *display;     /* NULL: none                                */
	const char *role;        /* static text                               */
	bool admin;              /* adds and removes others                   */
};

/** Static texts only, so that two can be compared */
struct ci_endpoint {
	enum ci_status status;
	enum ci_joining joining;
	time_t joined;
	bool sends, receives;    /* as the participant sees it                */
	bool has_src;
	uint32_t src;            /* SSRC it sends                             */
	const char *suite;
	const char *keying;      /* "endpoint", "group"; a change of it, the
	                            epoch and the next alone is told less often */
	uint32_t epoch;          /* of a group key                            */
	time_t key_since;        /* of the key it hears under; 0: none        */
	const char *proof;       /* how it authenticated: "digest", ...       */
	const char *floor;       /* "holder"; NULL: not                       */
};

struct ci_end {
	enum ci_gone how;
	time_t when;
	char reason[160];        /* RFC 3326 form; empty: none                */
};

/** What one watcher has been told; zero it: nothing */
struct ci_view {
	const char *entity;      /* what the watcher calls the conference;
	                            NULL: as ci_about does                    */
	uint64_t seen;           /* number of the last change told            */
	uint64_t seen_keys;      /* the same for keying and epoch alone       */
	uint32_t version;        /* of the last document                      */
	int detail;
};

int  confinfo_alloc(struct confinfo **cip, const struct ci_about *about);

/** What a change was */
enum ci_change { CI_SAME, CI_KEYS_ONLY, CI_CHANGED };

/**
 * An endpoint is new or has changed
 *
 * @param id  Unique for ever within the conference; its entity is made of the
 *            user's URI and this
 *
 * @return 0 or errno; *chp says what there is to tell
 */
int  confinfo_set(struct confinfo *ci, const struct ci_user *u, uint64_t id,
		  const struct ci_endpoint *e, enum ci_change *chp);

/** An endpoint left: shown as disconnected until confinfo_forget() */
void confinfo_leave(struct confinfo *ci, uint64_t id,
		    const struct ci_end *end, uint64_t now_ms);

/**
 * Those that left before become deleted
 *
 * @return When the next one is due, 0: none
 */
uint64_t confinfo_forget(struct confinfo *ci, uint64_t now_ms,
			 uint32_t linger_ms);

/** Nobody new may come; true if that is news */
bool confinfo_lock(struct confinfo *ci, bool locked);

/** Every view has been told up to here: drop the markers before */
void confinfo_trim(struct confinfo *ci, uint64_t seen);

/**
 * Print what a view has not been told yet, and move the view
 *
 * @param full  All of it
 * @param keys  Epochs too
 *
 * @return 0, ENOENT if there is nothing to tell, ENOMEM
 */
int  confinfo_print(struct confinfo *ci, struct ci_view *view, bool full,
		    bool keys, struct mbuf **mbp);

/** The conference is over */
int  confinfo_print_deleted(const struct confinfo *ci, struct ci_view *view,
			    struct mbuf **mbp);

#endif
