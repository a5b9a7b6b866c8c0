/**
 * @file cfloor.h  Floor control of one call: BFCP client, participant or chair
 *
 * Offers m=application TCP/TLS/BFCP beside the audio, with a self-signed
 * certificate of its own, and plays one part:
 *
 *   request  asks for the floor, waits for the grant, holds it, releases it
 *   chair    watches the floor and grants every request that waits for a word
 *   listen   watches the floor
 *
 * Ownership:  libre object of the call
 * Refs:       RFC 8855 sections 10 to 12, RFC 8856
 */
#ifndef CALL_CFLOOR_H
#define CALL_CFLOOR_H

#include "re_compat.h"
#include "cjson.h"

struct cfloor;

enum cfloor_part { CFLOOR_NONE = 0, CFLOOR_REQUEST, CFLOOR_CHAIR, CFLOOR_LISTEN };

struct cfloor_cfg {
	enum cfloor_part part;
	uint64_t at_us;                 /* request so long after set-up      */
	uint64_t hold_us;               /* release so long after the grant; 0: never */
	unsigned idx;                   /* of the call, for the log          */
};

int cfloor_alloc(struct cfloor **cfp, const struct cfloor_cfg *cfg);

/** Our m= section, for offers and answers; 0 or EOVERFLOW */
int cfloor_sdp(const struct cfloor *cf, char *buf, size_t size);

/**
 * What the peer's description says
 *
 * @param answer  Is it the answer to an offer of ours?
 */
void cfloor_peer(struct cfloor *cf, const char *text, size_t len, bool answer);

void cfloor_start(struct cfloor *cf, uint64_t now_us);
void cfloor_tick(struct cfloor *cf, uint64_t now_us);
/** The call is over */
void cfloor_stop(struct cfloor *cf);

/** NULL, or what did not happen although it should have */
const char *cfloor_failure(const struct cfloor *cf);
struct cjson *cfloor_json(const struct cfloor *cf);

#endif
