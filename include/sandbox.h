/**
 * @file sandbox.h  What a process that is up has no use for any more
 *
 * For a process that reads packets of strangers and needs nothing but the
 * sockets it makes for that: after this it can start no program, connect to
 * nobody, take no connection, write no file, look into no other process and
 * change nothing about the machine.  Such calls fail with EPERM; nothing is
 * killed, so a library that tries something for convenience goes on without.
 *
 * A list of what is forbidden, not of what is allowed: what glibc, GLib or
 * OpenSSL call changes from version to version, and no release of theirs may
 * take the sound away.
 *
 * Refs:  seccomp(2)
 */
#ifndef CONCLAVE_SANDBOX_H
#define CONCLAVE_SANDBOX_H

#include <stdbool.h>

/**
 * Once, when everything is open and there is one thread; it holds for that one
 * and all that it starts, and cannot be undone.  Sockets may still be made for UDP.
 *
 * @param use_syslog  Leave the way to the system's logger open (local sockets)
 *
 * @return 0 if success, ENOSYS if this machine or build has no such thing,
 *         else errno
 */
int sandbox_enter(bool use_syslog);

#endif
