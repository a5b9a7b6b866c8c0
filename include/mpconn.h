/**
 * @file mpconn.h  Transport of Mp messages
 *
 * Length-prefixed (32 bit big-endian) protobuf messages on a stream socket,
 * non-blocking, independent of any event loop: the owner polls the fd.
 * Buffers that held a message are wiped before they are freed or reused, and
 * messages are unpacked with an allocator that wipes on free, because they
 * carry keys.
 *
 * Ownership:  mpconn_new() takes the fd; mpconn_free() closes it
 * Threads:    owner's loop only
 */
#ifndef CONCLAVE_MPCONN_H
#define CONCLAVE_MPCONN_H

#include <stdbool.h>
#include <stddef.h>
#include "mp/mp.pb-c.h"

enum {
	MP_VERSION = 1,
	MP_MSG_MAX = 64 * 1024,        /* one message [bytes]                  */
	MP_QUEUE_MAX = 64 * 1024 * 1024 /* unsent bytes before the peer counts as stuck */
};

struct mpconn;

/**
 * A message came; it is freed (and wiped) after the handler returns.  The
 * handler may send, and may free the connection.
 */
typedef void (mpconn_msg_h)(const Mp__Message *msg, void *arg);

/** 0, EINVAL, ENOMEM or errno of fcntl(); on error the fd stays the caller's */
int  mpconn_new(struct mpconn **mcp, int fd, mpconn_msg_h *msgh, void *arg);
void mpconn_free(struct mpconn **mcp);
int  mpconn_fd(const struct mpconn *mc);

/**
 * Queue, for mpconn_writable() to send when all is said that there is to say
 * now: a wake-up of the peer costs more than a message
 *
 * @return 0, ENOMEM, EMSGSIZE, EPIPE, ENOBUFS (queue full)
 */
int mpconn_queue(struct mpconn *mc, const Mp__Message *msg);
/** Queue and try to send; inside the handler: queue, and send after the last */
int mpconn_send(struct mpconn *mc, const Mp__Message *msg);

/**
 * fd is readable: read, unpack, call the handler
 *
 * Reads a bounded amount, so the fd may stay readable: poll level-triggered.
 *
 * @return 0, or ECONNRESET/EBADMSG: drop the connection.  0 also if the
 *         handler has freed the connection: nothing is left to do then.
 */
int mpconn_readable(struct mpconn *mc);
/** fd is writable: send what is queued; 0 or EPIPE: drop the connection */
int mpconn_writable(struct mpconn *mc);
/** Does the owner have to poll for writability?  Inside the handler: not yet */
bool mpconn_want_write(const struct mpconn *mc);

#endif
