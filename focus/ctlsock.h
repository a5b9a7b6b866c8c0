/**
 * @file ctlsock.h  Control socket: JSON lines on a Unix stream socket
 *
 * Serves conclavectl on libre's loop.  The socket is born with mode 0600 and
 * the kernel says who connects: only root and our own user are served.
 * Requests are bounded in size, connections in number and in time.
 *
 * Ownership:  libre object, drop with mem_deref(); closes all connections and
 *             removes the socket
 * Threads:    libre loop only
 * Refs:       include/ctlpath.h (the lines), unix(7), SO_PEERCRED
 */
#ifndef CONCLAVE_CTLSOCK_H
#define CONCLAVE_CTLSOCK_H

#include "re_compat.h"
#include <jansson.h>

enum {
	CTLSOCK_CONN_MAX = 16,
	CTLSOCK_STREAM_MAX = 8,         /* of them; the others stay for commands */
	CTLSOCK_STREAM_BUF = 1 << 20,   /* not read by then: closed [bytes]    */
	CTLSOCK_IDLE_MS = 30000,
};

struct ctlsock;
struct ctl_req;

/** One command of the focus */
struct ctl_cmd {
	const char *name;

	/**
	 * @param args  The request, an object; borrowed
	 * @param resp  Out: object with the fields of the reply, or on error a
	 *              string with the reason; the socket takes it over.  May
	 *              stay NULL: no fields, or the errno's own words.
	 * @param arg   As given to ctlsock_alloc()
	 *
	 * @return 0, an errno value, or EINPROGRESS after ctlsock_defer()
	 */
	int (*h)(json_t *args, json_t **resp, void *arg);
	const char *help;
};

/**
 * Open the control socket
 *
 * A socket file that nobody serves any more is replaced; one that is served
 * gives EADDRINUSE, anything else in its place EEXIST.
 *
 * @param csp   Where to put it, caller owns it; untouched on error
 * @param path  Where the socket shall be
 * @param cmdv  Commands, must stay; "help" is answered from this table
 */
int ctlsock_alloc(struct ctlsock **csp, const char *path, const struct ctl_cmd *cmdv, size_t cmdc,
		  void *arg);

/** How long a connection may be silent, and a deferred reply may take [ms] */
void ctlsock_set_idle(struct ctlsock *cs, uint32_t idle_ms);

/**
 * Answer later; called by a handler, which then returns EINPROGRESS
 *
 * @return The request, caller owns it and gives it back with ctlsock_reply();
 *         NULL outside of a handler or without memory.  It stays valid when
 *         its connection or the socket has gone.
 */
struct ctl_req *ctlsock_defer(struct ctlsock *cs);

/**
 * Answer a deferred request and drop it
 *
 * @param req   Gone after this; dropping it with mem_deref() instead answers
 *              ECANCELED
 * @param err   0 or why it failed
 * @param resp  As in ctl_cmd, taken over
 */
void ctlsock_reply(struct ctl_req *req, int err, json_t *resp);

/**
 * Make the connection of the running handler a stream: after its reply it is
 * sent what ctlsock_publish() is given, one line each.  It has no idle limit
 * any more; one that does not read is closed.
 *
 * @param topic  Only lines of this topic; NULL: all
 *
 * @return 0, EINVAL outside of a handler, EBUSY at CTLSOCK_STREAM_MAX, ENOMEM
 */
int ctlsock_stream(struct ctlsock *cs, const char *topic);

unsigned ctlsock_stream_count(const struct ctlsock *cs);

/** Send a line to the streams of a topic; takes over line */
void ctlsock_publish(struct ctlsock *cs, const char *topic, json_t *line);

unsigned ctlsock_conn_count(const struct ctlsock *cs);

#endif
