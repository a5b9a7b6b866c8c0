/**
 * @file csock.c  UDP sockets with arrival times
 *
 * The kernel's time stamps are used, because a process that serves hundreds
 * of calls reads a packet later than it came.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "cmedia_priv.h"

enum {
	TRIES   = 200,
	BUFSIZE = 256 * 1024,
};

static int bind_one(struct csock *s, const struct sa *laddr, uint16_t port)
{
	const int on = 1, size = BUFSIZE;
	int err = 0;

	s->laddr = *laddr;
	sa_set_port(&s->laddr, port);
	s->fd = socket(sa_af(laddr), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return errno;

	(void)setsockopt(s->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	(void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));

	if (bind(s->fd, &s->laddr.u.sa, s->laddr.len) < 0)
		err = errno;
	s->laddr.len = sizeof(s->laddr.u);
	if (!err && getsockname(s->fd, &s->laddr.u.sa, &s->laddr.len) < 0)
		err = errno;
	if (err) {
		(void)close(s->fd);
		s->fd = -1;
	}

	return err;
}

int csock_open_pair(struct csock *rtp, struct csock *rtcp, const struct sa *laddr)
{
	int err = EADDRINUSE;

	for (int i = 0; i < TRIES; i++) {
		uint16_t port;

		err = bind_one(rtp, laddr, 0);
		if (err)
			return err;

		port = sa_port(&rtp->laddr);
		if (!(port & 1) && port < 65535) {
			err = bind_one(rtcp, laddr, (uint16_t)(port + 1));
			if (!err)
				return 0;
		}
		(void)close(rtp->fd);
		rtp->fd = -1;
	}

	return err ? err : EADDRINUSE;
}

void csock_close(struct csock *s)
{
	if (s->fd < 0)
		return;

	fd_close(s->fd);
	(void)close(s->fd);
	s->fd = -1;
}

static void stamp(struct csock_pkt *p, struct msghdr *mh)
{
	const uint64_t now_us = cmedia_now_us();
	struct timespec real;
	int64_t ago_us;

	(void)clock_gettime(CLOCK_REALTIME, &real);
	p->stamp = real;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
			memcpy(&p->stamp, CMSG_DATA(c), sizeof(p->stamp));
	}

	ago_us = (int64_t)(real.tv_sec - p->stamp.tv_sec) * 1000000 +
		(real.tv_nsec - p->stamp.tv_nsec) / 1000;

	/* more than this is a step of the wall clock, not a wait */
	p->arrival_us = ago_us < 0 || ago_us > 5000000 ? now_us : now_us - (uint64_t)ago_us;
}

bool csock_recv(struct csock *s, struct csock_pkt *p)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(struct timespec))];
	} ctl;
	struct iovec iov = { .iov_base = p->buf, .iov_len = RTPH_MTU };
	struct msghdr mh = {
		.msg_name = &p->src.u, .msg_namelen = sizeof(p->src.u),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &ctl, .msg_controllen = sizeof(ctl),
	};
	const ssize_t n = recvmsg(s->fd, &mh, MSG_DONTWAIT);

	if (n < 0)
		return false;

	p->src.len = mh.msg_namelen;
	p->len = (size_t)n;
	stamp(p, &mh);

	return true;
}
