/**
 * @file strangers.c  Connections on which nobody has proven who they are
 */
#include "config.h"
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "clock.h"
#include "log.h"
#include "strangers.h"

enum { NET6_LEN = 8, TABLE_STEP = 256 };

/** Where a connection comes from; IPv4 as in RFC 4291 section 2.5.5.2 */
struct peer {
	uint8_t addr[16];
	in_port_t port;
	bool v6;
};

struct stranger {
	struct peer peer;
	uint64_t since_ms;      /* 0: this descriptor is none               */
};

static struct {
	unsigned max;
	struct stranger *v;     /* by descriptor                            */
	int c;
	struct log_limit ll;
} st;


/** Never 0, which is nobody's */
static uint64_t uptime_ms(void)
{
	return clock_mono_ms() + 1;
}


static bool peer_of(struct peer *p, int fd)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage ss;
	} u;
	socklen_t len = sizeof(u);

	memset(p, 0, sizeof(*p));
	if (getpeername(fd, &u.sa, &len))
		return false;

	if (u.sa.sa_family == AF_INET) {
		memcpy(p->addr, mapped, sizeof(mapped));
		memcpy(p->addr + sizeof(mapped), &u.in.sin_addr, 4);
		p->port = u.in.sin_port;
		return true;
	}
	if (u.sa.sa_family != AF_INET6)
		return false;

	memcpy(p->addr, &u.in6.sin6_addr, sizeof(p->addr));
	p->port = u.in6.sin6_port;
	p->v6 = !IN6_IS_ADDR_V4MAPPED(&u.in6.sin6_addr);

	return true;
}


static bool same_source(const struct peer *a, const struct peer *b)
{
	return a->v6 == b->v6 &&
		!memcmp(a->addr, b->addr, a->v6 ? NET6_LEN : sizeof(a->addr));
}


/** Is the descriptor what it was?  If not, it is none of ours any more */
static bool is_there(int fd)
{
	struct stranger *s = &st.v[fd];
	struct peer now;

	if (!s->since_ms)
		return false;
	if (peer_of(&now, fd) && now.port == s->peer.port &&
	    !memcmp(now.addr, s->peer.addr, sizeof(now.addr)))
		return true;

	s->since_ms = 0;

	return false;
}


/** Those of one source, or all; the oldest of them, or -1 */
static unsigned survey(const struct peer *from, int *oldestp)
{
	unsigned n = 0;

	*oldestp = -1;
	for (int fd = 0; fd < st.c; fd++) {
		if (!st.v[fd].since_ms ||
		    (from && !same_source(&st.v[fd].peer, from)) || !is_there(fd))
			continue;
		++n;
		if (*oldestp < 0 || st.v[fd].since_ms < st.v[*oldestp].since_ms)
			*oldestp = fd;
	}

	return n;
}


static bool shut(int fd, uint64_t now_ms)
{
	if (fd < 0 || now_ms < st.v[fd].since_ms + STRANGERS_PATIENCE_MS)
		return false;

	/* its owner reads the end of the stream, and closes it */
	(void)shutdown(fd, SHUT_RDWR);
	st.v[fd].since_ms = 0;

	return true;
}


static bool table_fits(int fd)
{
	const int want = (fd / TABLE_STEP + 1) * TABLE_STEP;
	struct stranger *v;

	if (fd < st.c)
		return true;

	v = realloc(st.v, (size_t)want * sizeof(*v));
	if (!v)
		return false;

	memset(v + st.c, 0, (size_t)(want - st.c) * sizeof(*v));
	st.v = v;
	st.c = want;

	return true;
}


static bool room_for(const struct peer *p, uint64_t now_ms)
{
	unsigned left_out, n;
	int oldest;

	if (!st.max)
		return true;

	n = survey(p, &oldest);
	if (n < st.max)
		return true;

	if (shut(oldest, now_ms))
		return true;

	if (log_limit_ok(&st.ll, &left_out))
		log_warn("ev=connection_refused reason=max_strangers limit=%u left_out=%u",
			 st.max, left_out);

	return false;
}


void strangers_limit(unsigned max)
{
	st.max = max;
}


bool strangers_admit_at(int fd, uint64_t now_ms)
{
	struct peer p;

	if (fd < 0)
		return false;
	if (fd < st.c)
		st.v[fd].since_ms = 0;
	if (!peer_of(&p, fd))
		return true;
	if (!room_for(&p, now_ms) || !table_fits(fd))
		return false;

	st.v[fd].peer = p;
	st.v[fd].since_ms = now_ms;

	return true;
}


bool strangers_admit(int fd)
{
	return strangers_admit_at(fd, uptime_ms());
}


void strangers_known(int fd)
{
	if (fd >= 0 && fd < st.c)
		st.v[fd].since_ms = 0;
}


bool strangers_evict_at(uint64_t now_ms)
{
	int oldest;

	(void)survey(NULL, &oldest);

	return shut(oldest, now_ms);
}


bool strangers_evict(void)
{
	return strangers_evict_at(uptime_ms());
}


unsigned strangers_count(void)
{
	int oldest;

	return survey(NULL, &oldest);
}
