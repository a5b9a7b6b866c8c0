/**
 * @file focus/ctlask.h  A question to mixers on behalf of a waiting operator
 *
 * Ownership:  ctlask_answer() ends it; mem_deref() if nothing was asked
 * Threads:    libre loop
 */
#ifndef CONCLAVE_FOCUS_CTLASK_H
#define CONCLAVE_FOCUS_CTLASK_H

#include <jansson.h>
#include "focus/tree.h"

struct ctl_req;

struct ctlask {
	struct ctl_req *req;
	struct focus *focus;
	uint64_t conf;          /* show                                       */
	json_t *resp;           /* stats: what is known so far, owned         */
	json_t *mixerv;         /* in resp                                    */
};

/** The reply to the command that is being served comes later */
int ctlask_new(struct ctlask **ap, struct focus *f);
/** @param conf  With the legs of this conference; 0: totals only */
int ctlask_mixer(struct mixproc *mp, uint64_t conf, mixproc_reply_h *replyh,
		 struct ctlask *a);
/** Reply; resp is taken over, a is gone */
void ctlask_answer(struct ctlask *a, int err, json_t *resp);

#endif
