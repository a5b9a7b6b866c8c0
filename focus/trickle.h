/**
 * @file trickle.h  What it costs to wait for the end of a message
 *
 * With every read libre reads all that has come of an unfinished message from
 * its beginning.  One that comes byte by byte is read as often as it has bytes,
 * 64 KiB of headers in a millisecond each time: a thousand packets a second
 * would keep the loop busy.  So what is read over and over is counted in bytes,
 * for each connection, and one that makes too much of it in a while is to be
 * closed.  Whole messages cost nothing here, however many they are, and a long
 * one in ordinary segments costs a fraction of what is allowed.
 *
 * Bytes are those on the wire, since nothing else is known when they arrive.
 */
#ifndef FOCUS_TRICKLE_H
#define FOCUS_TRICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TRICKLE_WINDOW_MS = 10000,
	TRICKLE_PENDING   = 65536,              /* libre keeps no more        */
	TRICKLE_STRANGER  = 2 * 1024 * 1024,    /* bytes read over, a window  */
	TRICKLE_KNOWN     = 8 * 1024 * 1024,
};

struct trickle {
	uint64_t since_ms;
	size_t pending;         /* of the message that has begun            */
	size_t work;            /* bytes read in this window                */
};

/** A read; false: this is too much */
bool trickle_ok(struct trickle *t, size_t len, bool known, uint64_t now_ms);

/** A message is complete */
void trickle_done(struct trickle *t);

#endif
