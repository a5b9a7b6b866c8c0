/**
 * @file supervisor.c  One datagram to the service manager
 *
 * So little that a library would be more; see sd_notify(3) for the protocol.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "supervisor.h"


/** A path, or '@' and a name in the abstract namespace */
static int address(struct sockaddr_un *un, socklen_t *lenp, const char *name)
{
	const size_t len = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || len < 2 ||
	    len >= sizeof(un->sun_path))
		return EINVAL;

	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, name, len);
	if (name[0] == '@')
		un->sun_path[0] = '\0';
	*lenp = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);

	return 0;
}


int supervisor_tell(const char *state)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un un;
	socklen_t len;
	int fd, err;

	if (!name)
		return 0;

	err = address(&un, &len, name);
	if (err)
		return err;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;

	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL,
		   (const struct sockaddr *)&un, len) < 0)
		err = errno;
	(void)close(fd);

	return err;
}
