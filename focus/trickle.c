/**
 * @file trickle.c  What it costs to wait for the end of a message
 */
#include "trickle.h"


bool trickle_ok(struct trickle *t, size_t len, bool known, uint64_t now_ms)
{
	if (now_ms - t->since_ms >= TRICKLE_WINDOW_MS) {
		t->since_ms = now_ms;
		t->work = 0;
	}

	t->pending = len < TRICKLE_PENDING - t->pending ? t->pending + len
							: TRICKLE_PENDING;
	t->work += t->pending;

	return t->work <= (known ? TRICKLE_KNOWN : TRICKLE_STRANGER);
}


void trickle_done(struct trickle *t)
{
	t->pending = 0;
	t->work = 0;
}
