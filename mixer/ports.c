/**
 * @file ports.c  UDP sockets from the media port range
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "ports.h"

enum {
	RCVBUF = 256 * 1024,    /* > 1 s of packets of one leg: a stalled
				   machine catches up without loss */
	DSCP_EF = 0xb8,         /* RFC 3246, voice */
};

struct ports {
	uint16_t min;           /* even */
	unsigned pairs, next, used;
	bool takenv[];
};

bool sa_equal(const union sa *a, const union sa *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_port == b->in.sin_port &&
			a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	if (a->sa.sa_family == AF_INET6)
		return a->in6.sin6_port == b->in6.sin6_port &&
			!memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, 16);

	return true;
}

socklen_t sa_len(const union sa *a)
{
	return a->sa.sa_family == AF_INET6 ? sizeof(a->in6) : sizeof(a->in);
}

uint16_t sa_port(const union sa *a)
{
	return ntohs(a->sa.sa_family == AF_INET6 ? a->in6.sin6_port : a->in.sin_port);
}

void sa_set_port(union sa *a, uint16_t port)
{
	if (a->sa.sa_family == AF_INET6)
		a->in6.sin6_port = htons(port);
	else
		a->in.sin_port = htons(port);
}

bool sa_from_bytes(union sa *a, const uint8_t *ip, size_t len, uint16_t port)
{
	memset(a, 0, sizeof(*a));
	if (len == 4) {
		a->in.sin_family = AF_INET;
		memcpy(&a->in.sin_addr, ip, 4);
	}
	else if (len == 16) {
		a->in6.sin6_family = AF_INET6;
		memcpy(&a->in6.sin6_addr, ip, 16);
	}
	else {
		return false;
	}
	sa_set_port(a, port);

	return true;
}

const uint8_t *sa_bytes(const union sa *a, size_t *lenp)
{
	if (a->sa.sa_family == AF_INET6) {
		*lenp = 16;
		return (const uint8_t *)&a->in6.sin6_addr;
	}
	*lenp = a->sa.sa_family == AF_INET ? 4 : 0;

	return (const uint8_t *)&a->in.sin_addr;
}

const char *sa_str(const union sa *a, char buf[SA_STRLEN])
{
	char ip[INET6_ADDRSTRLEN] = "-";
	size_t len;
	const uint8_t *b = sa_bytes(a, &len);

	if (len)
		(void)inet_ntop(a->sa.sa_family, b, ip, sizeof(ip));
	(void)snprintf(buf, SA_STRLEN, len == 16 ? "[%s]:%u" : "%s:%u", ip, sa_port(a));

	return buf;
}

bool sa_usable(const union sa *a)
{
	static const uint8_t any[16];
	size_t len;
	const uint8_t *b = sa_bytes(a, &len);

	return len && sa_port(a) && memcmp(b, any, len);
}

int ports_new(struct ports **pp, uint16_t min, uint16_t max)
{
	const unsigned first = (min + 1u) & ~1u;
	struct ports *p;
	unsigned pairs;

	if (!min || first + 1u > max)
		return EINVAL;

	pairs = (max - first + 1u) / 2;
	p = calloc(1, sizeof(*p) + pairs * sizeof(p->takenv[0]));
	if (!p)
		return ENOMEM;
	p->min = (uint16_t)first;
	p->pairs = pairs;
	*pp = p;

	return 0;
}

void ports_free(struct ports **pp)
{
	free(*pp);
	*pp = NULL;
}

static int open_at(const union sa *local, uint16_t port, int *fdp)
{
	union sa a = *local;
	const int rcvbuf = RCVBUF, tos = DSCP_EF, one = 1;
	int err, fd;

	sa_set_port(&a, port);
	fd = socket(a.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	if (a.sa.sa_family == AF_INET6) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
	}
	else {
		(void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	}

	if (bind(fd, &a.sa, sa_len(&a))) {
		err = errno;
		(void)close(fd);
		return err;
	}
	*fdp = fd;

	return 0;
}

static int open_pair(const union sa *local, uint16_t port, int *fdp, int *rtcpp)
{
	int fd = -1, err;

	err = open_at(local, port, &fd);
	if (!err && rtcpp)
		err = open_at(local, (uint16_t)(port + 1), rtcpp);
	if (!err)
		*fdp = fd;
	else if (fd >= 0)
		(void)close(fd);

	return err;
}

int ports_open(struct ports *p, const union sa *local, int *fdp, int *rtcpp, uint16_t *portp)
{
	unsigned n;

	/* goes round, so a port rests before its next leg gets it and late
	   packets of the last one find nobody */
	for (n = 0; n < p->pairs; n++) {
		const unsigned i = p->next;
		const uint16_t port = (uint16_t)(p->min + 2 * i);
		int err;

		p->next = (p->next + 1) % p->pairs;
		if (p->takenv[i])
			continue;

		err = open_pair(local, port, fdp, rtcpp);
		if (err == EADDRINUSE)
			continue;          /* some other program's */
		if (err)
			return err;

		p->takenv[i] = true;
		++p->used;
		*portp = port;
		return 0;
	}

	return EADDRINUSE;
}

int ports_open_rtcp(const union sa *local, uint16_t rtp_port, int *fdp)
{
	return open_at(local, (uint16_t)(rtp_port + 1), fdp);
}

void ports_release(struct ports *p, uint16_t port)
{
	const unsigned i = (unsigned)(port - p->min) / 2;

	if (port < p->min || i >= p->pairs || !p->takenv[i])
		return;
	p->takenv[i] = false;
	--p->used;
}

unsigned ports_used(const struct ports *p)
{
	return p->used;
}
