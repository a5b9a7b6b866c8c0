/**
 * @file cmedia_priv.h  What the media files of this folder share
 *
 * cmedia.c  packets in and out
 * crtcp.c   reports
 * csock.c   sockets with arrival times
 */
#ifndef CALL_CMEDIA_PRIV_H
#define CALL_CMEDIA_PRIV_H

#include <time.h>
#include "cmedia.h"
#include "rtp.h"

enum { STREAM_MAX = 16 };

struct csock {
	int fd;
	struct sa laddr;
};

struct csock_pkt {
	struct sa src;
	struct timespec stamp;       /* wall clock, from the kernel          */
	uint64_t arrival_us;         /* the same moment, monotonic           */
	size_t len;
	uint8_t buf[RTPH_MTU + RTPH_TRAILER_MAX];
};

/** RTP on an even port, RTCP on the next (RFC 3550 section 11) */
int  csock_open_pair(struct csock *rtp, struct csock *rtcp, const struct sa *laddr);
void csock_close(struct csock *s);
/** false: nothing there */
bool csock_recv(struct csock *s, struct csock_pkt *p);

struct cstream {
	uint32_t ssrc;
	uint64_t last_us;
	struct rtcpx_rx rx;
};

struct cmedia {
	struct cmedia_cfg cfg;
	struct csock rtp, rtcp;
	struct ckeys *keys;
	struct cmedia_stats stats;
	bool running, stopped;
	bool send, recv;

	struct sa remote, remote_rtcp;
	bool mux;

	struct csdp_fmt tx;
	struct csdp_fmt rxv[CSDP_FMT_MAX];
	unsigned rxc;
	cmedia_frame_h *frameh;
	void *frame_arg;

	uint32_t ssrc;
	uint16_t seq;
	uint32_t ts;
	bool     marker;
	uint32_t frame;
	uint64_t tx_bytes;
	uint64_t next_us;            /* when the next frame is due           */

	struct cstream streamv[STREAM_MAX];
	unsigned streamc;
	int64_t  lost_before;        /* of streams that left the table       */
	uint64_t gap_from_us;        /* last arrival, 0: no gap runs         */

	uint64_t rtcp_next_us;
};

/** Protect and send; pkt has RTPH_TRAILER_MAX bytes of room behind len */
void cmedia_send(struct cmedia *m, bool rtcp, uint8_t *pkt, size_t len);

void crtcp_start(struct cmedia *m, uint64_t now_us);
void crtcp_tick(struct cmedia *m, uint64_t now_us);
void crtcp_report(struct cmedia *m, uint64_t now_us, bool bye);
void crtcp_recv(struct cmedia *m, const uint8_t *pkt, size_t len, uint64_t arrival_us);

#endif
