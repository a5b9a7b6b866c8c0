/**
 * @file ctlsock.c  Control socket: the listening side
 */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "ctlconn.h"

enum { RETRY_MS = 1000, BACKLOG = 8 };

static void accept_h(int flags, void *arg);

static int path_addr(struct sockaddr_un *sun, const char *path)
{
	if (strlen(path) >= sizeof(sun->sun_path))
		return ENAMETOOLONG;

	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path, path, strlen(path));

	return 0;
}

/* Does somebody answer at this address? */
static bool is_served(const struct sockaddr_un *sun)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool served;

	if (fd < 0)
		return true;

	/* EAGAIN: alive, with a full backlog */
	served = 0 == connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) || errno == EAGAIN;
	(void)close(fd);

	return served;
}

/* Remove what an earlier server left behind, and nothing else */
static int stale_remove(const struct sockaddr_un *sun)
{
	struct stat st;

	if (lstat(sun->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : errno;
	if (!S_ISSOCK(st.st_mode))
		return EEXIST;
	if (is_served(sun))
		return EADDRINUSE;

	return unlink(sun->sun_path) < 0 ? errno : 0;
}

static int open_socket(struct ctlsock *cs, const struct sockaddr_un *sun)
{
	struct stat st;
	mode_t mask;
	int err;

	cs->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (cs->fd < 0)
		return errno;

	/* The mode must be right from the first moment, not after a chmod() */
	mask = umask(0177);
	err = bind(cs->fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 ? errno : 0;
	(void)umask(mask);
	if (err)
		return err;

	if (lstat(sun->sun_path, &st) < 0)
		return errno;
	cs->dev = st.st_dev;
	cs->ino = st.st_ino;

	if (listen(cs->fd, BACKLOG) < 0)
		return errno;

	return fd_listen(cs->fd, FD_READ, accept_h, cs);
}

static void resume_h(void *arg)
{
	struct ctlsock *cs = arg;

	(void)fd_listen(cs->fd, FD_READ, accept_h, cs);
}

/* Only root and our own user, whatever the file's mode became meanwhile */
static bool peer_ok(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return false;

	return cred.uid == 0 || cred.uid == geteuid();
}

static void turn_away(int fd, const char *reason)
{
	char line[128];
	const int n = re_snprintf(line, sizeof(line), "{\"ok\":false,\"error\":\"%s\"}\n", reason);

	if (n > 0)
		(void)!send(fd, line, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)close(fd);
}

static void accept_h(int flags, void *arg)
{
	struct ctlsock *cs = arg;
	const int fd = accept4(cs->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)flags;

	if (fd < 0) {
		/* Without descriptors the loop would spin on this socket */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			fd_close(cs->fd);
			tmr_start(&cs->tmr, RETRY_MS, resume_h, cs);
		}
		return;
	}

	if (!peer_ok(fd))
		turn_away(fd, "not your server");
	else if (list_count(&cs->connl) >= CTLSOCK_CONN_MAX)
		turn_away(fd, "too many connections");
	else if (ctl_conn_add(cs, fd))
		turn_away(fd, "out of memory");
}

static void destructor(void *arg)
{
	struct ctlsock *cs = arg;
	struct stat st;

	tmr_cancel(&cs->tmr);
	ctl_conn_flush(cs);
	if (cs->fd >= 0) {
		fd_close(cs->fd);
		(void)close(cs->fd);
	}
	/* Another server may have taken the place since */
	if (cs->ino && lstat(cs->path, &st) == 0 && st.st_dev == cs->dev && st.st_ino == cs->ino)
		(void)unlink(cs->path);
	mem_deref(cs->path);
}

int ctlsock_alloc(struct ctlsock **csp, const char *path, const struct ctl_cmd *cmdv, size_t cmdc,
		  void *arg)
{
	struct sockaddr_un sun;
	struct ctlsock *cs;
	int err;

	if (!csp || !path || !cmdv)
		return EINVAL;

	err = path_addr(&sun, path);
	if (err)
		return err;

	cs = mem_zalloc(sizeof(*cs), destructor);
	if (!cs)
		return ENOMEM;

	cs->fd = -1;
	cs->cmdv = cmdv;
	cs->cmdc = cmdc;
	cs->arg = arg;
	cs->idle_ms = CTLSOCK_IDLE_MS;
	tmr_init(&cs->tmr);

	err = str_dup(&cs->path, path);
	if (!err)
		err = stale_remove(&sun);
	if (!err)
		err = open_socket(cs, &sun);

	if (err)
		mem_deref(cs);
	else
		*csp = cs;

	return err;
}

void ctlsock_set_idle(struct ctlsock *cs, uint32_t idle_ms)
{
	if (cs)
		cs->idle_ms = idle_ms;
}

unsigned ctlsock_conn_count(const struct ctlsock *cs)
{
	return cs ? list_count(&cs->connl) : 0;
}

void ctlsock_publish(struct ctlsock *cs, const char *topic, json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT);

	json_decref(line);
	if (cs && text)
		ctl_conn_publish(cs, topic, text);
	free(text);
}
