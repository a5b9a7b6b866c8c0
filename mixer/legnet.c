/**
 * @file legnet.c  A leg's sockets and where its packets go
 *
 * The remote address changes only after a packet authenticated and passed
 * the replay check (secure latching).
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#include "mixer.h"

static void close_io(struct mixer *mx, struct loop_io *io)
{
	if (io->fd < 0)
		return;
	loop_media_del(mx->loop, io);
	(void)close(io->fd);
	io->fd = -1;
}

void legnet_close(struct leg *leg)
{
	struct mixer *mx = leg->conf->mx;

	close_io(mx, &leg->rtp_io);
	close_io(mx, &leg->rtcp_io);
	if (leg->port)
		ports_release(mx->ports, leg->port);
	leg->port = 0;
}

static int watch(struct leg *leg)
{
	struct mixer *mx = leg->conf->mx;
	int err;

	leg->rtp_io.h = legrx_rtp_readable;
	leg->rtp_io.arg = leg;
	err = loop_media_add(mx->loop, &leg->rtp_io);
	if (err || leg->rtcp_io.fd < 0)
		return err;

	leg->rtcp_io.h = legrx_rtcp_readable;
	leg->rtcp_io.arg = leg;

	return loop_media_add(mx->loop, &leg->rtcp_io);
}

static int open_new(struct leg *leg, const struct leg_cfg *cfg)
{
	struct mixer *mx = leg->conf->mx;
	const union sa *local = &mx->localv[cfg->family == AF_INET6];
	int err;

	if (local->sa.sa_family != cfg->family)
		return EAFNOSUPPORT;

	err = ports_open(mx->ports, local, &leg->rtp_io.fd,
			 cfg->rtcp_mux ? NULL : &leg->rtcp_io.fd, &leg->port);
	if (err)
		return err;
	leg->local = *local;
	sa_set_port(&leg->local, leg->port);

	return watch(leg);
}

/* A re-offer from the other address family: other sockets.  If there are none
   the call goes on as it was, with those that it has. */
static int open_other(struct leg *leg, const struct leg_cfg *cfg)
{
	struct mixer *mx = leg->conf->mx;
	const struct loop_io rtp_io = leg->rtp_io, rtcp_io = leg->rtcp_io;
	const union sa local = leg->local;
	const uint16_t port = leg->port;
	int err;

	leg->rtp_io.fd = leg->rtcp_io.fd = -1;
	leg->port = 0;
	err = open_new(leg, cfg);
	if (err) {
		legnet_close(leg);
		leg->rtp_io = rtp_io;
		leg->rtcp_io = rtcp_io;
		leg->local = local;
		leg->port = port;
		return err;
	}

	/* epoll forgets them with this */
	(void)close(rtp_io.fd);
	if (rtcp_io.fd >= 0)
		(void)close(rtcp_io.fd);
	ports_release(mx->ports, port);

	return 0;
}

int legnet_open(struct leg *leg, const struct leg_cfg *cfg)
{
	struct mixer *mx = leg->conf->mx;
	int err;

	if (leg->rtp_io.fd < 0)
		return open_new(leg, cfg);
	if (leg->local.sa.sa_family != cfg->family)
		return open_other(leg, cfg);

	if (cfg->rtcp_mux || leg->rtcp_io.fd >= 0)
		return 0;

	err = ports_open_rtcp(&leg->local, leg->port, &leg->rtcp_io.fd);
	if (err)
		return err;
	leg->rtcp_io.h = legrx_rtcp_readable;
	leg->rtcp_io.arg = leg;

	return loop_media_add(mx->loop, &leg->rtcp_io);
}

/* A packet that cannot be sent is lost, like one lost on the way: it is never
   protected again */
void legnet_send(struct leg *leg, const uint8_t *buf, size_t len)
{
	if (sendto(leg->rtp_io.fd, buf, len, MSG_DONTWAIT, &leg->rtp_to.sa, sa_len(&leg->rtp_to)) < 0)
		++leg->stats.tx_failed;
	else
		++leg->stats.tx;
}

void legnet_send_rtcp(struct leg *leg, const uint8_t *buf, size_t len)
{
	const union sa *to = leg->cfg.rtcp_mux ? &leg->rtp_to : &leg->rtcp_to;
	const int fd = leg->cfg.rtcp_mux ? leg->rtp_io.fd : leg->rtcp_io.fd;

	if (fd >= 0 && sa_usable(to))
		(void)sendto(fd, buf, len, MSG_DONTWAIT, &to->sa, sa_len(to));
}

void legnet_latch(struct leg *leg, const union sa *from)
{
	static struct log_limit limit;
	const bool first = !leg->latched;
	unsigned left_out;
	char str[SA_STRLEN];

	if (!first && sa_equal(&leg->rtp_to, from))
		return;

	leg->latched = true;
	leg->rtp_to = *from;
	leg->moved = true;
	if (log_limit_ok(&limit, &left_out))
		log_debug("ev=latch conf=%s leg=%llu remote=%s first=%d left_out=%u",
			  leg->conf->name, (unsigned long long)leg->id, sa_str(from, str),
			  first, left_out);
}

void legnet_latch_rtcp(struct leg *leg, const union sa *from)
{
	if (leg->rtcp_latched && sa_equal(&leg->rtcp_to, from))
		return;
	leg->rtcp_latched = true;
	leg->rtcp_to = *from;
}
