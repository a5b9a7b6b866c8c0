/**
 * @file focus/mixproc.c  One mixer process and the Mp connection to it
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "focus/mixproc.h"
#include "log.h"
#include "mpconn.h"

enum {
	MP_FD = 3,              /* the mixer's end of the socket pair         */
	PING_MS = 500,
	PING_LOST_MAX = 3,      /* so a hanging mixer is replaced within 2 s  */
	AGAIN_MS = 10000,       /* two deaths in so long: something kills it  */
	RESPAWN_MS = 500,       /* after the second death, doubled each time  */
	RESPAWN_MAX_MS = 16000,
};

struct mixproc {
	const struct cfg *cfg;
	struct mpconn *mc;
	struct tmr tmr_ping;
	struct tmr tmr_spawn;
	struct tmr tmr_flush;   /* sends what this turn of the loop has said  */
	struct list pendingl;   /* struct pending                             */
	mixproc_event_h *eventh;
	mixproc_down_h *downh;
	void *arg;
	uint64_t next_id;
	uint64_t died;          /* [ms, libre's clock]; 0: never              */
	uint32_t respawn_ms;    /* until the next start; 0: at once           */
	unsigned index;
	unsigned count;         /* of mixers                                  */
	unsigned restarts;
	unsigned pings;         /* without answer                             */
	int polled;             /* FD_* flags                                 */
	bool ready;
	pid_t pid;
};

struct pending {
	struct le le;
	uint64_t id;
	mixproc_reply_h *replyh;
	void *arg;
};

static int spawn(struct mixproc *mp);
static void spawn_handler(void *arg);
static void poll_update(struct mixproc *mp);


static void pending_destructor(void *arg)
{
	struct pending *p = arg;

	list_unlink(&p->le);
}


/** Close the connection and reap the process, which may hang: no mercy */
static void stop(struct mixproc *mp)
{
	tmr_cancel(&mp->tmr_ping);
	tmr_cancel(&mp->tmr_flush);
	mp->ready = false;
	mp->polled = 0;
	if (mp->mc) {
		fd_close(mpconn_fd(mp->mc));
		mpconn_free(&mp->mc);
	}
	if (mp->pid > 0) {
		(void)kill(mp->pid, SIGKILL);
		while (waitpid(mp->pid, NULL, 0) < 0 && errno == EINTR)
			;
		mp->pid = 0;
	}
}


static void destructor(void *arg)
{
	struct mixproc *mp = arg;

	tmr_cancel(&mp->tmr_spawn);
	stop(mp);
	list_flush(&mp->pendingl);
	mem_deref((void *)mp->cfg);
}


static void fail_pending(struct mixproc *mp)
{
	struct le *le;

	while ((le = list_head(&mp->pendingl))) {
		struct pending *p = le->data;
		mixproc_reply_h *replyh = p->replyh;
		void *arg = p->arg;

		mem_deref(p);
		if (replyh)
			replyh(NULL, arg);
	}
}


/** Not at once: less and less often, if it does not help */
static void spawn_later(struct mixproc *mp)
{
	mp->respawn_ms = mp->respawn_ms ? MIN(2 * mp->respawn_ms,
					      (uint32_t)RESPAWN_MAX_MS)
					: (uint32_t)RESPAWN_MS;
	tmr_start(&mp->tmr_spawn, mp->respawn_ms, spawn_handler, mp);
}


static void spawn_handler(void *arg)
{
	struct mixproc *mp = arg;

	if (spawn(mp))
		spawn_later(mp);
}


static void down(struct mixproc *mp, const char *reason)
{
	const uint64_t now = tmr_jiffies();
	const bool again = mp->died && now - mp->died < AGAIN_MS;
	bool renewed;

	log_error("ev=mixer_down mixer=%u pid=%d reason=%s", mp->index,
		  (int)mp->pid, reason);
	stop(mp);
	mp->pings = 0;
	mp->died = now;
	++mp->restarts;
	if (!again)
		mp->respawn_ms = 0;

	fail_pending(mp);
	renewed = !again && !spawn(mp);
	if (!renewed)
		spawn_later(mp);
	mp->downh(mp, renewed, mp->arg);
}


static void recv_reply(struct mixproc *mp, const Mp__Message *msg)
{
	struct le *le;

	for (le = list_head(&mp->pendingl); le; le = le->next) {
		struct pending *p = le->data;
		mixproc_reply_h *replyh = p->replyh;
		void *arg = p->arg;

		if (p->id != msg->id)
			continue;

		mem_deref(p);
		if (msg->reply->status != MP__STATUS__OK)
			log_debug("ev=mp_refused mixer=%u reason=%s",
				  mp->index, msg->reply->reason);
		if (replyh)
			replyh(msg->reply, arg);
		return;
	}
}


static void msg_handler(const Mp__Message *msg, void *arg)
{
	struct mixproc *mp = arg;

	if (msg->body_case == MP__MESSAGE__BODY_REPLY)
		recv_reply(mp, msg);
	else
		mp->eventh(mp, msg, mp->arg);
}


static void fd_handler(int flags, void *arg)
{
	struct mixproc *mp = arg;
	int err = 0;

	mem_ref(mp);
	if (flags & FD_WRITE)
		err = mpconn_writable(mp->mc);
	if (!err && (flags & (FD_READ | FD_EXCEPT)) && mp->mc)
		err = mpconn_readable(mp->mc);

	if (err && mp->mc)
		down(mp, strerror(err));
	else if (mp->mc)
		poll_update(mp);
	mem_deref(mp);
}


static void poll_update(struct mixproc *mp)
{
	int flags = FD_READ | (mpconn_want_write(mp->mc) ? FD_WRITE : 0);

	if (flags == mp->polled)
		return;

	mp->polled = flags;
	(void)fd_listen(mpconn_fd(mp->mc), flags, fd_handler, mp);
}


static void flush_handler(void *arg)
{
	struct mixproc *mp = arg;
	const int err = mpconn_writable(mp->mc);

	if (err)
		down(mp, strerror(err));
	else
		poll_update(mp);
}


static void pong_handler(const Mp__Reply *r, void *arg)
{
	struct mixproc *mp = arg;

	if (r)
		mp->pings = 0;
}


static void ping_handler(void *arg)
{
	struct mixproc *mp = arg;
	Mp__Message msg = MP__MESSAGE__INIT;
	Mp__Ping ping = MP__PING__INIT;

	if (mp->pings >= PING_LOST_MAX) {
		down(mp, "hangs");
		return;
	}

	++mp->pings;
	msg.body_case = MP__MESSAGE__BODY_PING;
	msg.ping = &ping;
	tmr_start(&mp->tmr_ping, PING_MS, ping_handler, mp);
	(void)mixproc_send(mp, &msg, pong_handler, mp);
}


/** The configured path, else beside this program, else where it is installed */
static int find_program(const struct cfg *cfg, char *path, size_t size)
{
	static const char name[] = "conclave-mixer";
	char self[PATH_MAX];
	char *slash;
	ssize_t n;

	if (cfg->mixer_path)
		return re_snprintf(path, size, "%s", cfg->mixer_path) < 0
			? ENAMETOOLONG : 0;

	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		if (slash && re_snprintf(path, size, "%b/%s", self,
					 (size_t)(slash - self), name) > 0 &&
		    !access(path, X_OK))
			return 0;
	}

	if (re_snprintf(path, size, "%s/%s", LIBEXECDIR, name) < 0)
		return ENAMETOOLONG;

	return access(path, X_OK) ? errno : 0;
}


static void child(const char *path, int fd, bool to_syslog)
{
	char *argv[] = { (char *)"conclave-mixer", (char *)"--log-level",
			 (char *)(uintptr_t)log_level_name(log_get_level()),
			 to_syslog ? (char *)"--syslog" : NULL, NULL };
	char *envp[] = { NULL };
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);

	/* nothing of the focus goes along: no keys, no sockets */
	if (fd != MP_FD && dup2(fd, MP_FD) < 0)
		_exit(126);
	if (close_range(MP_FD + 1, ~0U, 0) < 0)
		_exit(126);

	execve(path, argv, envp);
	_exit(127);
}


static void hello_handler(const Mp__Reply *r, void *arg)
{
	struct mixproc *mp = arg;

	if (r && r->status == MP__STATUS__OK)
		mp->ready = true;
	else if (r)
		log_error("ev=mixer_refused mixer=%u reason=\"%s\"",
			  mp->index, r->reason);
}


static int send_hello(struct mixproc *mp)
{
	const struct cfg *cfg = mp->cfg;
	Mp__Message msg = MP__MESSAGE__INIT;
	Mp__Hello hello = MP__HELLO__INIT;
	ProtobufCBinaryData ipv[2];
	uint8_t buf[2][16];
	unsigned share;

	for (unsigned i = 0; i < cfg->media_addrc; i++) {
		const struct sa *sa = &cfg->media_addrv[i];

		ipv[i].data = buf[i];
		if (sa_af(sa) == AF_INET6) {
			ipv[i].len = 16;
			memcpy(buf[i], &sa->u.in6.sin6_addr, 16);
		}
		else {
			ipv[i].len = 4;
			memcpy(buf[i], &sa->u.in.sin_addr, 4);
		}
	}

	/* mixers share nothing, so each has its own part of the ports */
	share = (cfg->media_port_max - cfg->media_port_min + 1u) /
		mp->count & ~1u;
	hello.version = MP_VERSION;
	hello.n_media_ip = cfg->media_addrc;
	hello.media_ip = ipv;
	hello.port_min = cfg->media_port_min + share * mp->index;
	hello.port_max = hello.port_min + share - 1;
	hello.log_level = log_get_level();
	msg.body_case = MP__MESSAGE__BODY_HELLO;
	msg.hello = &hello;

	return mixproc_send(mp, &msg, hello_handler, mp);
}


static int spawn(struct mixproc *mp)
{
	char path[PATH_MAX];
	int sv[2], err;

	err = find_program(mp->cfg, path, sizeof(path));
	if (err) {
		log_error("ev=mixer_missing reason=\"%s\"", strerror(err));
		return err;
	}

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv))
		return errno;

	mp->pid = fork();
	if (mp->pid == 0)
		child(path, sv[1], mp->cfg->log_syslog);
	err = mp->pid < 0 ? errno : 0;
	(void)close(sv[1]);
	if (err) {
		(void)close(sv[0]);
		return err;
	}

	err = mpconn_new(&mp->mc, sv[0], msg_handler, mp);
	if (err) {
		(void)close(sv[0]);
		stop(mp);
		return err;
	}

	poll_update(mp);
	err = send_hello(mp);
	if (err) {
		stop(mp);
		return err;
	}

	tmr_start(&mp->tmr_ping, PING_MS, ping_handler, mp);
	log_info("ev=mixer_up mixer=%u pid=%d", mp->index, (int)mp->pid);

	return 0;
}


int mixproc_start(struct mixproc **mpp, const struct cfg *cfg, unsigned index,
		  unsigned count, mixproc_event_h *eventh, mixproc_down_h *downh, void *arg)
{
	struct mixproc *mp;
	int err;

	mp = mem_zalloc(sizeof(*mp), destructor);
	if (!mp)
		return ENOMEM;

	mp->cfg = mem_ref((void *)cfg);
	mp->index = index;
	mp->count = count;
	mp->eventh = eventh;
	mp->downh = downh;
	mp->arg = arg;
	tmr_init(&mp->tmr_ping);
	tmr_init(&mp->tmr_spawn);
	tmr_init(&mp->tmr_flush);

	err = spawn(mp);
	if (err)
		mem_deref(mp);
	else
		*mpp = mp;

	return err;
}


int mixproc_send(struct mixproc *mp, Mp__Message *msg,
		 mixproc_reply_h *replyh, void *arg)
{
	struct pending *p;
	int err;

	if (!mp->mc)
		return ENOTCONN;

	p = mem_zalloc(sizeof(*p), pending_destructor);
	if (!p)
		return ENOMEM;

	p->id = msg->id = ++mp->next_id;
	p->replyh = replyh;
	p->arg = arg;

	err = mpconn_queue(mp->mc, msg);
	if (err) {
		mem_deref(p);
		return err;
	}

	list_append(&mp->pendingl, &p->le, p);
	if (!tmr_isrunning(&mp->tmr_flush))
		tmr_start(&mp->tmr_flush, 0, flush_handler, mp);

	return 0;
}


void mixproc_forget(struct mixproc *mp, void *arg)
{
	struct le *le = mp ? list_head(&mp->pendingl) : NULL;

	for (; le; le = le->next) {
		struct pending *p = le->data;

		if (p->arg == arg)
			p->replyh = NULL;
	}
}


unsigned mixproc_index(const struct mixproc *mp)
{
	return mp->index;
}


int mixproc_pid(const struct mixproc *mp)
{
	return (int)mp->pid;
}


unsigned mixproc_restarts(const struct mixproc *mp)
{
	return mp->restarts;
}


bool mixproc_up(const struct mixproc *mp)
{
	return mp->mc != NULL;
}


bool mixproc_ready(const struct mixproc *mp)
{
	return mp->ready;
}
