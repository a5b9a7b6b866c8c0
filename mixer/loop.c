/**
 * @file loop.c  The mixer's event loop
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "loop.h"

enum {
	BATCH = 256,
	DRAIN_US = 4000,          /* a flood must not stop the clock           */
	DRAIN_FREE_ROUNDS = 8,    /* rounds before the time is looked at       */
	PHASE_US = PHASE_MS * 1000,
	LINGER = 200,             /* phases that run on after the last packet:
				     a wake-up per packet would cost more    */
};

struct loop {
	int ep;                   /* control: Mp, timer, and media when idle   */
	int media_ep;
	int timer;
	bool active;              /* phases run, media is polled by them       */
	bool run;
	int err;
	uint64_t t0_us;           /* phase 0                                   */
	uint64_t phase;           /* next phase to run                         */
	uint64_t linger;          /* run phases at least up to this one        */
	uint64_t now_us;
	loop_phase_h *phaseh;
	loop_drained_h *drainedh;
	void *arg;
	struct loop_io timer_io, media_io;
	struct timeq tq;
};

static void arm(struct loop *l)
{
	struct itimerspec its = {{0, 0}, {0, 0}};
	uint64_t at = timeq_next(&l->tq);

	if (l->active) {
		const uint64_t ph = l->t0_us + l->phase * PHASE_US;

		if (ph < at)
			at = ph;
	}
	if (at == UINT64_MAX)
		at = 0;                      /* disarmed */
	else if (!at)
		at = 1;

	its.it_value.tv_sec = (time_t)(at / 1000000);
	its.it_value.tv_nsec = (long)(at % 1000000 * 1000);
	(void)timerfd_settime(l->timer, TFD_TIMER_ABSTIME, &its, NULL);
}

/* Each round takes one packet from every socket that has any, so no leg can
   starve another one */
static bool drain_media(struct loop *l)
{
	struct epoll_event evv[BATCH];
	unsigned round;
	int n = 0, i;

	for (round = 0; ; round++) {
		if (round > DRAIN_FREE_ROUNDS && now_usec() > l->now_us + DRAIN_US)
			break;

		n = epoll_wait(l->media_ep, evv, BATCH, 0);
		if (n <= 0)
			break;

		for (i = 0; i < n; i++) {
			struct loop_io *io = evv[i].data.ptr;

			io->h(evv[i].events, io->arg);
		}
		l->drainedh(l->arg);
	}

	return round > 0;
}

static void set_active(struct loop *l, bool active)
{
	struct epoll_event ev = {.events = active ? 0 : EPOLLIN, .data.ptr = &l->media_io};

	if (l->active == active)
		return;

	l->active = active;
	if (active) {
		const uint64_t now = now_usec();

		/* the media clock never stood still: go on at the present */
		l->phase = (now - l->t0_us) / PHASE_US + 1;
	}
	(void)epoll_ctl(l->ep, EPOLL_CTL_MOD, l->media_ep, &ev);
}

static void run_phases(struct loop *l)
{
	const uint64_t due = (now_usec() - l->t0_us) / PHASE_US;
	bool active = true;

	/* too late to make all of it good: the listeners get a gap, and
	   timestamps stay right */
	if (due > l->phase + CATCH_UP_MAX * PHASES)
		l->phase = due - CATCH_UP_MAX * PHASES;

	while (l->phase <= due)
		active = l->phaseh(l->phase++, l->arg);

	if (!active && l->phase > l->linger)
		set_active(l, false);
}

static void timer_h(uint32_t events, void *arg)
{
	struct loop *l = arg;
	uint64_t n;

	(void)events;
	if (read(l->timer, &n, sizeof(n)) < 0 && errno != EAGAIN)
		loop_stop(l, errno);
}

/* Only while idle: a packet came */
static void media_h(uint32_t events, void *arg)
{
	struct loop *l = arg;

	(void)events;
	if (drain_media(l)) {
		set_active(l, true);
		l->linger = l->phase + LINGER;
	}
}

int loop_new(struct loop **lp, loop_phase_h *phaseh, loop_drained_h *drainedh, void *arg)
{
	struct loop *l = calloc(1, sizeof(*l));
	int err = 0;

	if (!l)
		return ENOMEM;

	l->ep = epoll_create1(EPOLL_CLOEXEC);
	l->media_ep = epoll_create1(EPOLL_CLOEXEC);
	l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	l->phaseh = phaseh;
	l->drainedh = drainedh;
	l->arg = arg;
	l->t0_us = l->now_us = now_usec();
	l->timer_io = (struct loop_io){timer_h, l, l->timer};
	l->media_io = (struct loop_io){media_h, l, l->media_ep};

	if (l->ep < 0 || l->media_ep < 0 || l->timer < 0)
		err = errno;
	if (!err)
		err = loop_watch(l, &l->timer_io, EPOLLIN);
	if (!err)
		err = loop_watch(l, &l->media_io, EPOLLIN);

	if (err)
		loop_free(&l);
	else
		*lp = l;

	return err;
}

void loop_free(struct loop **lp)
{
	struct loop *l = *lp;

	if (!l)
		return;

	if (l->timer >= 0)
		(void)close(l->timer);
	if (l->media_ep >= 0)
		(void)close(l->media_ep);
	if (l->ep >= 0)
		(void)close(l->ep);
	timeq_close(&l->tq);
	free(l);
	*lp = NULL;
}

int loop_watch(struct loop *l, struct loop_io *io, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = io};

	return epoll_ctl(l->ep, EPOLL_CTL_ADD, io->fd, &ev) ? errno : 0;
}

int loop_rewatch(struct loop *l, struct loop_io *io, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = io};

	return epoll_ctl(l->ep, EPOLL_CTL_MOD, io->fd, &ev) ? errno : 0;
}

void loop_unwatch(struct loop *l, struct loop_io *io)
{
	if (io->fd >= 0)
		(void)epoll_ctl(l->ep, EPOLL_CTL_DEL, io->fd, NULL);
}

int loop_media_add(struct loop *l, struct loop_io *io)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = io};

	return epoll_ctl(l->media_ep, EPOLL_CTL_ADD, io->fd, &ev) ? errno : 0;
}

void loop_media_del(struct loop *l, struct loop_io *io)
{
	if (io->fd >= 0)
		(void)epoll_ctl(l->media_ep, EPOLL_CTL_DEL, io->fd, NULL);
}

struct timeq *loop_timeq(struct loop *l)
{
	return &l->tq;
}

void loop_wake(struct loop *l)
{
	set_active(l, true);
}

uint64_t loop_now(const struct loop *l)
{
	return l->now_us;
}

uint64_t loop_media_pos(const struct loop *l)
{
	return (now_usec() - l->t0_us) * 48 / 1000;
}

void loop_stop(struct loop *l, int err)
{
	l->run = false;
	l->err = err;
}

int loop_run(struct loop *l)
{
	l->run = true;

	while (l->run) {
		struct epoll_event evv[4];
		int i, n;

		arm(l);
		n = epoll_wait(l->ep, evv, 4, -1);
		if (n < 0 && errno != EINTR)
			return errno;
		l->now_us = now_usec();

		for (i = 0; i < n && l->run; i++) {
			struct loop_io *io = evv[i].data.ptr;

			io->h(evv[i].events, io->arg);
		}
		if (!l->run)
			break;
		if (l->active && l->now_us >= l->t0_us + l->phase * PHASE_US) {
			if (drain_media(l))
				l->linger = l->phase + LINGER;
			run_phases(l);
		}
		timeq_run(&l->tq, l->now_us);
	}

	return l->err;
}
