/**
 * @file call.h  One call: dialog, negotiation, media
 *
 * Ownership:  libre object, owned by cload.c.  call_hangup() and the peer end
 *             it; the object and its figures live on until it is dropped.
 * Refs:       RFC 3261, RFC 3264, RFC 4568, RFC 4579
 */
#ifndef CALL_CALL_H
#define CALL_CALL_H

#include "re_compat.h"
#include "cfloor.h"
#include "clive.h"
#include "cmedia.h"
#include "crec.h"
#include "csrc.h"
#include "cstack.h"
#include "opts.h"

struct call;

enum call_state {
	CALL_IDLE = 0,
	CALL_CALLING,
	CALL_UP,
	CALL_CLOSED,
};

/** The call came up or is over */
typedef void (call_change_h)(struct call *c, void *arg);

/** What all calls share */
struct call_env {
	const struct opts *opts;
	struct cstack **stackv;
	unsigned stackc;
	const struct cstack_hop *hop;
	struct list *srcl;              /* encoded sources, shared           */
	struct cdump *dump;             /* may be NULL                       */
	struct ctap *tap;               /* may be NULL                       */
	call_change_h *changeh;
	crec_pcm_h *pcmh;               /* audio of call number i; arg below */
	void *arg;
};

/** How a call went, for the report */
struct call_result {
	bool     started;
	bool     established;
	uint16_t scode;
	char     reason[128];
	char     warning[256];
	char     error[160];            /* not established or ended, and why */
	uint64_t start_us, up_us, end_us;
	char     conf_uri[256];
	bool     is_focus;
	const struct suite *suite;
	const struct codec *codec;
	bool     mux;
	uint32_t offers_invite;         /* offers of the peer                */
	uint32_t offers_update;
	uint32_t refused;               /* of these, by us                   */
	uint32_t rekeys;                /* new receive keys after the first  */
	uint32_t own_offers;            /* answered 200                      */
	uint32_t own_offers_failed;
	uint16_t own_offer_status;      /* of the last one that failed       */
	bool     reflected_accepted;    /* it took its own key from us       */
	const char *end_by;             /* "us", "remote", "failure"         */
	char     end_reason[160];
};

/** @param record  Decode what is heard */
int  call_alloc(struct call **cp, unsigned idx, const struct call_env *env, bool record);
int  call_start(struct call *c, const char *uri);
void call_tick(struct call *c, uint64_t now_us);
void call_hangup(struct call *c);

unsigned call_index(const struct call *c);
enum call_state call_state(const struct call *c);
const struct call_result *call_result(const struct call *c);
const struct crec *call_rec(const struct call *c);
/** Figures of the media, also after the call; zeros if there were none */
void call_media_stats(const struct call *c, struct cmedia_stats *st);
/** Keys that it was given to receive under, and what they opened */
const struct ckeys_use *call_keys(const struct call *c, unsigned *countp);
/** Source that can be marked, or NULL */
struct clive *call_live(const struct call *c);
/** Its floor control, or NULL */
const struct cfloor *call_floor(const struct call *c);

#endif
