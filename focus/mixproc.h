/**
 * @file focus/mixproc.h  One mixer process and the Mp connection to it
 *
 * Starts conclave-mixer, correlates requests and replies, notices when it
 * dies or hangs (a ping without answer) and starts it again: at once, or if it
 * died a moment ago, later and later.  What was on it is lost then: the owner
 * hears of that once per death, and whether there is a new process to build on.
 *
 * Ownership:  libre object; mem_deref() stops the process
 * Threads:    libre loop
 */
#ifndef CONCLAVE_FOCUS_MIXPROC_H
#define CONCLAVE_FOCUS_MIXPROC_H

#include "re_compat.h"
#include "cfg.h"
#include "mp/mp.pb-c.h"

struct mixproc;

/** Reply to a request; r is NULL if the mixer died first */
typedef void (mixproc_reply_h)(const Mp__Reply *r, void *arg);
typedef void (mixproc_event_h)(struct mixproc *mp, const Mp__Message *msg,
			       void *arg);
/**
 * The process is gone; everything that was on it is lost.  Called after the
 * replies that will never come (with NULL).
 *
 * @param renewed  A new one took its place and can be sent to
 */
typedef void (mixproc_down_h)(struct mixproc *mp, bool renewed, void *arg);

/** @param count  How many mixers there are; they share the media ports */
int mixproc_start(struct mixproc **mpp, const struct cfg *cfg, unsigned index,
		  unsigned count, mixproc_event_h *eventh, mixproc_down_h *downh, void *arg);

/**
 * Send a request; its id is set here
 *
 * @param replyh  May be NULL; called once unless mixproc_forget() comes first
 */
int mixproc_send(struct mixproc *mp, Mp__Message *msg,
		 mixproc_reply_h *replyh, void *arg);

/** arg goes away: its replies are dropped */
void mixproc_forget(struct mixproc *mp, void *arg);

unsigned mixproc_index(const struct mixproc *mp);
int      mixproc_pid(const struct mixproc *mp);
unsigned mixproc_restarts(const struct mixproc *mp);
/** Process and connection exist; messages are queued even before it is ready */
bool     mixproc_up(const struct mixproc *mp);
/** It answered the Hello */
bool     mixproc_ready(const struct mixproc *mp);

#endif
