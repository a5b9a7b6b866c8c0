/**
 * @file loop.h  The mixer's event loop
 *
 * Media sockets are not waited for one by one: they sit in an epoll set of
 * their own that is drained every 5 ms, because a wake-up costs more than a
 * packet and nothing is mixed between two ticks anyway.  When no conference
 * is active the 5 ms timer stands still and the first packet wakes the loop.
 *
 * Threads:  one
 */
#ifndef MIXER_LOOP_H
#define MIXER_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include "timeq.h"

enum {
	TICK_MS = 20,                      /* one mixed frame                 */
	PHASE_MS = 5,
	PHASES = TICK_MS / PHASE_MS,       /* conferences are spread over these */
	CATCH_UP_MAX = 10,                 /* missed ticks that are made good */
};

struct loop;

/** A file descriptor that the loop watches */
struct loop_io {
	void (*h)(uint32_t events, void *arg);
	void *arg;
	int   fd;                          /* -1: not watched */
};

/**
 * One phase is due
 *
 * @param phase  Number since the loop's start; conferences of phase % PHASES tick
 * @param arg    Handler argument
 *
 * @return true if some conference is active (the timer goes on)
 */
typedef bool (loop_phase_h)(uint64_t phase, void *arg);

/** Each of the media sockets that had something was read once */
typedef void (loop_drained_h)(void *arg);

int  loop_new(struct loop **lp, loop_phase_h *phaseh, loop_drained_h *drainedh, void *arg);
void loop_free(struct loop **lp);

/** Watch a control descriptor; handled at once */
int  loop_watch(struct loop *l, struct loop_io *io, uint32_t events);
int  loop_rewatch(struct loop *l, struct loop_io *io, uint32_t events);
void loop_unwatch(struct loop *l, struct loop_io *io);

/** Media sockets: read handler is called once per waiting packet */
int  loop_media_add(struct loop *l, struct loop_io *io);
void loop_media_del(struct loop *l, struct loop_io *io);

/** Deadlines of this loop */
struct timeq *loop_timeq(struct loop *l);

/** Some conference became active: phases must run */
void loop_wake(struct loop *l);

/** Monotonic time at which this round began [us] */
uint64_t loop_now(const struct loop *l);

/** Media position now: samples at 48 kHz since the loop's start */
uint64_t loop_media_pos(const struct loop *l);

int  loop_run(struct loop *l);
void loop_stop(struct loop *l, int err);

#endif
