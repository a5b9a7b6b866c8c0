/**
 * @file timeq.c  Deadlines of one loop: a binary heap
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include "timeq.h"

uint64_t now_usec(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);

	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

void timeq_close(struct timeq *tq)
{
	free(tq->v);
	tq->v = NULL;
	tq->c = tq->size = 0;
}

static void place(struct timeq *tq, size_t i, struct deadline *d)
{
	tq->v[i] = d;
	d->pos = i + 1;
}

static void sift_up(struct timeq *tq, size_t i, struct deadline *d)
{
	while (i) {
		const size_t up = (i - 1) / 2;

		if (tq->v[up]->at_us <= d->at_us)
			break;
		place(tq, i, tq->v[up]);
		i = up;
	}
	place(tq, i, d);
}

static void sift_down(struct timeq *tq, size_t i, struct deadline *d)
{
	for (;;) {
		size_t kid = 2 * i + 1;

		if (kid >= tq->c)
			break;
		if (kid + 1 < tq->c && tq->v[kid + 1]->at_us < tq->v[kid]->at_us)
			++kid;
		if (tq->v[kid]->at_us >= d->at_us)
			break;
		place(tq, i, tq->v[kid]);
		i = kid;
	}
	place(tq, i, d);
}

int timeq_set(struct timeq *tq, struct deadline *d, uint64_t at_us, timeq_h *h, void *arg)
{
	timeq_del(tq, d);

	if (tq->c == tq->size) {
		const size_t size = tq->size ? 2 * tq->size : 64;
		struct deadline **v = realloc(tq->v, size * sizeof(*v));

		if (!v)
			return ENOMEM;
		tq->v = v;
		tq->size = size;
	}

	d->at_us = at_us;
	d->h = h;
	d->arg = arg;
	sift_up(tq, tq->c++, d);

	return 0;
}

void timeq_del(struct timeq *tq, struct deadline *d)
{
	struct deadline *last;
	size_t i;

	if (!d->pos)
		return;

	i = d->pos - 1;
	d->pos = 0;
	last = tq->v[--tq->c];
	if (last == d)
		return;

	if (i && tq->v[(i - 1) / 2]->at_us > last->at_us)
		sift_up(tq, i, last);
	else
		sift_down(tq, i, last);
}

uint64_t timeq_next(const struct timeq *tq)
{
	return tq->c ? tq->v[0]->at_us : UINT64_MAX;
}

void timeq_run(struct timeq *tq, uint64_t now_us)
{
	while (tq->c && tq->v[0]->at_us <= now_us) {
		struct deadline *d = tq->v[0];

		timeq_del(tq, d);
		d->h(d->arg);
	}
}
