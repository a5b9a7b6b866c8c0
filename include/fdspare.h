/**
 * @file fdspare.h  A descriptor kept in reserve, to refuse connections with
 *
 * When a process has no descriptor left, accept() fails and the connection
 * stays where it is: the loop is told of it again and again and does nothing
 * else.  Strangers reach that with connections alone.  Linked into a program,
 * this takes the place of libc's accept(), gives up the reserve for a moment,
 * and closes the connection.  So it also does with one that strangers_admit()
 * (strangers.h) does not want.
 *
 * Process-wide; for programs with one thread.
 */
#ifndef CONCLAVE_FDSPARE_H
#define CONCLAVE_FDSPARE_H

/**
 * Take as many descriptors as the hard limit allows, up to max, and put one of
 * them in reserve.  Children inherit the limit.
 *
 * @return 0 if success, otherwise errno
 */
int fdspare_open(unsigned max);

/** Connections that were closed for want of a descriptor */
unsigned long fdspare_refused(void);

#endif
