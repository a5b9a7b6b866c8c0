/**
 * @file focus/change.h  What can happen to the tree, and who is told
 *
 * Ownership:  nothing is kept; what is passed in has to live during the call
 * Threads:    libre loop
 */
#ifndef CONCLAVE_FOCUS_CHANGE_H
#define CONCLAVE_FOCUS_CHANGE_H

struct conference;
struct endpoint;

enum change {
	CHANGE_CONF_CREATED, CHANGE_CONF_ENDED,
	CHANGE_JOINED, CHANGE_LEFT, CHANGE_HELD, CHANGE_RESUMED,
	CHANGE_JOIN_FAILED,         /* admitted or called, but nothing came of it */
	CHANGE_JOINING, CHANGE_DIALING, CHANGE_ALERTING,
	CHANGE_LOCKED, CHANGE_UNLOCKED,
	CHANGE_MEDIA,               /* direction, codec, suite, key           */
	CHANGE_SOURCE,              /* the SSRC it sends                      */
	CHANGE_FLOOR_TAKEN, CHANGE_FLOOR_GIVEN,   /* it holds the floor, or not */
	CHANGE_FLOOR_MUTED, CHANGE_FLOOR_HEARD,   /* by the floor             */
	CHANGE_MUTED, CHANGE_UNMUTED,             /* by somebody              */
	CHANGE_ROLE,
	CHANGE_MAX
};

/** The one place where changes of the tree come out */
void change_feed(enum change ch, const struct conference *c,
		 const struct endpoint *ep, const char *reason);
const char *change_name(enum change ch);

#endif
