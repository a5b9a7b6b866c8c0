/**
 * @file harden.h  Process hardening common to all our programs
 *
 * No core dumps, no ptrace by the same user, no debug switches of media
 * libraries inherited from the environment (GStreamer at debug level 4
 * prints caps; core dumps hold keys).
 */
#ifndef CONCLAVE_HARDEN_H
#define CONCLAVE_HARDEN_H

/**
 * Call first in main(), before any library is initialised
 *
 * RLIMIT_CORE=0, PR_SET_DUMPABLE=0, PR_SET_NO_NEW_PRIVS, umask 077, SIGPIPE
 * ignored, GST_DEBUG* and OPENSSL_CONF-like debug variables removed.
 *
 * @return 0 if success, otherwise errno
 */
int harden_process(void);

#endif
