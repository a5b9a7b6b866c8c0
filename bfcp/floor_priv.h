/**
 * @file bfcp/floor_priv.h  Inside of floor control
 */
#ifndef BFCP_FLOOR_PRIV_H
#define BFCP_FLOOR_PRIV_H

#include "floor.h"

struct floors {
	struct floor_policy policy;
	struct floor_handlers h;
	void *arg;
	uint16_t floorv[FLOOR_MAX];
	unsigned floorc;
	struct list userl;
	struct list heldl;      /* granted, or being switched                 */
	struct list queuel;     /* accepted, in the order of their turn       */
	struct list pendl;      /* wait for a chair                           */
	uint16_t req_id;        /* last one given away                        */
	uint64_t token;
	uint32_t changed;       /* mask of floors that subscribers hear of    */
};

/* flooruser.c */
struct floor_user *floor_user_get(const struct floors *fs, uint16_t id);
bool floor_has_chair(const struct floors *fs, uint32_t mask);

/* floor.c */
struct floor_req  *floor_req_get(const struct floors *fs, uint16_t id);
uint32_t floor_bit(const struct floors *fs, uint16_t floor);
uint32_t floor_req_mask(const struct floors *fs, const struct floor_req *r);

/* floorq.c: queue and transitions */
int  floor_reason(struct floor_req *r, const char *text, size_t len);
void floor_enqueue(struct floors *fs, struct floor_req *r);
/**
 * It ends: told, and gone when this returns
 *
 * @param answered  User who has heard of it in a response; 0: nobody
 */
void floor_end(struct floors *fs, struct floor_req *r,
	       enum bfcpm_status status, uint16_t answered);
/** After every event: promote, switch media, tell */
void floor_settle(struct floors *fs, uint64_t now);

#endif
