/**
 * @file supervisor.h  Telling the service manager where we are
 *
 * A service manager that wants to know passes the address of a datagram socket
 * in the environment; a program that nobody supervises finds none, and nothing
 * is sent.
 *
 * Refs:       sd_notify(3), the protocol without the library
 */
#ifndef CONCLAVE_SUPERVISOR_H
#define CONCLAVE_SUPERVISOR_H

/**
 * Send one state
 *
 * @param state  Such as "READY=1" or "STOPPING=1"
 *
 * @return 0 if sent or if nobody asked, EINVAL for an address that is none,
 *         else what socket(2) or sendto(2) said
 */
int supervisor_tell(const char *state);

#endif
