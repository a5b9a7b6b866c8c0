/**
 * @file focus/recover.h  A conference whose mixer died goes on at a new one
 *
 * And, since it matters there most: does a phone that was given another key take
 * it?  Its RTCP reports, or that there are none, tell.
 *
 * Threads:    libre loop
 */
#ifndef CONCLAVE_FOCUS_RECOVER_H
#define CONCLAVE_FOCUS_RECOVER_H

struct conference;
struct endpoint;

/** In the Reason header of calls that end for it */
extern const char recover_reason[];
/** A new mixer took the place of the one it was on */
void recover_conference(struct conference *c);
/** It has answered the offer that says where it is now */
void recover_moved(struct endpoint *ep);
/** What it had is not used any more: if it reported before and does not now, it
 *  kept that all the same, and is hung up on */
void recover_watch(struct endpoint *ep, const char *why);
/** Its RTCP names a stream of ours, which is under a key of now */
void recover_report(struct endpoint *ep);

#endif
