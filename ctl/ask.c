/**
 * @file ask.c  One request and its reply over the control socket
 */
#include "config.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "ctlpath.h"
#include "ctl.h"

/* Longer than the server waits for a mixer */
enum { PATIENCE_S = 40 };

static int open_socket(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const struct timeval tv = { .tv_sec = PATIENCE_S };
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sun.sun_path, path, strlen(path));

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0) {
		const int e = errno;

		(void)close(fd);
		errno = e;
		return -1;
	}

	return fd;
}

int ctl_dial(const char *path)
{
	const int fd = open_socket(path);

	if (fd < 0)
		fprintf(stderr, "conclavectl: %s: %s%s\n", path, strerror(errno),
			errno == ENOENT || errno == ECONNREFUSED ? " (is conclaved running?)" : "");

	return fd;
}

int ctl_send(int fd, const json_t *req)
{
	char *text = json_dumps(req, JSON_COMPACT);
	const size_t len = text ? strlen(text) : 0;
	size_t done = 0;

	if (!text) {
		errno = ENOMEM;
		return -1;
	}

	/* The terminator's place is where the line feed goes */
	text[len] = '\n';
	while (done < len + 1) {
		const ssize_t n = send(fd, text + done, len + 1 - done, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		done += (size_t)n;
	}
	free(text);

	return done == len + 1 ? 0 : -1;
}

/* Read up to the first line feed; NULL with errno set */
static char *recv_line(int fd, size_t *lenp)
{
	size_t size = 65536, len = 0;
	char *buf = malloc(size);

	while (buf) {
		const ssize_t n = recv(fd, buf + len, size - len, 0);
		char *nl, *bigger;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n ? errno : EPIPE;
			break;
		}

		nl = memchr(buf + len, '\n', (size_t)n);
		len += (size_t)n;
		if (nl) {
			*lenp = (size_t)(nl - buf);
			return buf;
		}
		if (len < size)
			continue;

		if (size > CTL_REPLY_MAX) {
			errno = EMSGSIZE;
			break;
		}
		size *= 2;
		bigger = realloc(buf, size);
		if (!bigger)
			break;
		buf = bigger;
	}

	free(buf);

	return NULL;
}

enum ctl_exit ctl_ask(const char *path, const json_t *req, json_t **respp)
{
	const int fd = ctl_dial(path);
	json_t *resp = NULL;
	json_error_t jerr;
	char *line = NULL;
	size_t len = 0;

	if (fd < 0)
		return CTL_UNREACHABLE;

	if (ctl_send(fd, req) == 0)
		line = recv_line(fd, &len);
	if (line)
		resp = json_loadb(line, len, 0, &jerr);
	else
		fprintf(stderr, "conclavectl: %s: %s\n", path, strerror(errno));

	if (line && !json_is_boolean(json_object_get(resp, "ok"))) {
		fprintf(stderr, "conclavectl: %s: this is not the reply of a conclaved\n", path);
		json_decref(resp);
		resp = NULL;
	}
	free(line);
	(void)close(fd);

	*respp = resp;

	return resp ? CTL_OK : CTL_UNREACHABLE;
}
