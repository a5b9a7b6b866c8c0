/**
 * @file fdspare.c  A descriptor kept in reserve, to refuse connections with
 *
 * And the door: strangers.c says which connections are too many of a source.
 */
#define _GNU_SOURCE 1
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "fdspare.h"
#include "log.h"
#include "strangers.h"

static struct {
	int fd;                 /* -1: none                             */
	unsigned long refused;
	struct log_limit ll;
} spare = { .fd = -1 };


static int reserve(void)
{
	spare.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	return spare.fd < 0 ? errno : 0;
}


int fdspare_open(unsigned max)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl))
		return errno;

	if (rl.rlim_cur < max) {
		rl.rlim_cur = rl.rlim_max < max ? rl.rlim_max : max;
		if (setrlimit(RLIMIT_NOFILE, &rl))
			return errno;
	}

	return spare.fd < 0 ? reserve() : 0;
}


unsigned long fdspare_refused(void)
{
	return spare.refused;
}


/** Out of the queue with it, and gone */
static void refuse(int listener)
{
	unsigned left_out;
	int fd;

	(void)close(spare.fd);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0) {
		(void)close(fd);
		++spare.refused;
	}
	(void)reserve();

	if (log_limit_ok(&spare.ll, &left_out))
		log_warn("ev=connection_refused reason=no_descriptors left_out=%u", left_out);
}


/* libre calls this one */
int accept(int fd, __SOCKADDR_ARG addr, socklen_t *__restrict len)
{
	const int s = accept4(fd, addr, len, 0);
	int saved_errno = errno;

	if (s < 0 && (saved_errno == EMFILE || saved_errno == ENFILE)) {
		if (spare.fd < 0)
			(void)reserve();
		if (spare.fd >= 0)
			refuse(fd);
	}
	if (s >= 0 && !strangers_admit(s)) {
		(void)close(s);
		errno = ECONNABORTED;
		return -1;
	}
	errno = saved_errno;

	return s;
}
