/**
 * @file ctlpath.h  What conclaved and conclavectl agree on
 *
 * One JSON object per line in both directions.  A request names its command
 * in "cmd" and carries the arguments beside it; a reply is {"ok":true,...} or
 * {"ok":false,"error":"..."}.  Replies come in the order of the requests.
 */
#ifndef CONCLAVE_CTLPATH_H
#define CONCLAVE_CTLPATH_H

#define CTL_SOCKET_PATH "/run/conclave/ctl"

enum {
	CTL_REQUEST_MAX = 64 * 1024,        /* one line to the server [bytes]  */
	CTL_REPLY_MAX = 16 * 1024 * 1024,   /* one line from the server [bytes] */
};

#endif
