/**
 * @file strangers.h  Connections on which nobody has proven who they are
 *
 * Opening connections costs nothing, and keeping one open costs a blank line
 * every 15 minutes; so of those whose peer is unknown, one source has so many
 * and no more.  At the limit a new one takes the place of the oldest if that
 * has had time enough to say who it is, and is closed otherwise: a crowd is
 * served in its order, and somebody who only sits there loses his seat.
 *
 * A source is an IPv4 address or an IPv6 /64.  Sockets of other families are
 * none of this.  Nobody has to say when a connection ends: whether a descriptor
 * is still the connection that was admitted is asked of the kernel, when it
 * matters.
 *
 * Process-wide; for programs with one thread.
 */
#ifndef CONCLAVE_STRANGERS_H
#define CONCLAVE_STRANGERS_H

#include <stdbool.h>
#include <stdint.h>

enum { STRANGERS_PATIENCE_MS = 5000 };

/** @param max  Of one source; 0: no bound (the default) */
void strangers_limit(unsigned max);

/** A connection was accepted; false: close it */
bool strangers_admit(int fd);
/** The same at a given time > 0 of the monotonic clock [ms] */
bool strangers_admit_at(int fd, uint64_t now_ms);

/** Its peer has proven who it is */
void strangers_known(int fd);

/**
 * There is no room for one more connection, whoever it is from
 *
 * @return true if the oldest stranger, who had time enough, was shut down
 */
bool strangers_evict(void);
bool strangers_evict_at(uint64_t now_ms);

/** How many there are now */
unsigned strangers_count(void);

#endif
