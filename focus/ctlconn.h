/**
 * @file ctlconn.h  One connection of the control socket (private to ctlsock)
 *
 * Ownership:  a connection belongs to its ctlsock's list and drops itself
 */
#ifndef CONCLAVE_CTLCONN_H
#define CONCLAVE_CTLCONN_H

#include <sys/types.h>
#include "ctlpath.h"
#include "ctlsock.h"

struct ctl_conn;

struct ctlsock {
	int fd;
	char *path;
	dev_t dev;                      /* the socket file that is ours        */
	ino_t ino;
	const struct ctl_cmd *cmdv;
	size_t cmdc;
	void *arg;
	struct list connl;              /* struct ctl_conn                     */
	struct ctl_conn *running;       /* whose handler is running            */
	unsigned streamc;
	uint32_t idle_ms;
	struct tmr tmr;                 /* accept again                        */
};

/** Serve an accepted socket; takes over fd if it returns 0 */
int ctl_conn_add(struct ctlsock *cs, int fd);

/** Hand a line to every stream of a topic */
void ctl_conn_publish(struct ctlsock *cs, const char *topic, const char *line);

/** The socket goes: close all of its connections */
void ctl_conn_flush(struct ctlsock *cs);

#endif
