/**
 * @file mpsrv.c  Requests of the focus: one row per message
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include "mixer.h"

static int do_hello(struct mixer *mx, const Mp__Message *m, Mp__Reply *r)
{
	const Mp__Hello *h = m->hello;
	size_t i;

	(void)r;
	if (h->version != MP_VERSION)
		return EPROTONOSUPPORT;
	if (mx->hello)
		return 0;              /* said twice: no harm */
	if (!h->port_min || h->port_max > 65535 || h->port_min > h->port_max || !h->n_media_ip)
		return EINVAL;

	for (i = 0; i < h->n_media_ip; i++) {
		union sa sa;

		if (!sa_from_bytes(&sa, h->media_ip[i].data, h->media_ip[i].len, 0))
			return EINVAL;
		mx->localv[sa.sa.sa_family == AF_INET6] = sa;
	}
	if (h->log_level <= LOG_LV_DEBUG)
		log_set_level((enum log_level)h->log_level);
	mx->hello = true;

	return ports_new(&mx->ports, (uint16_t)h->port_min, (uint16_t)h->port_max);
}

static int do_conf_set(struct mixer *mx, const Mp__Message *m, Mp__Reply *r)
{
	(void)r;

	return conf_set(mx, m->conf_set);
}

static int do_conf_release(struct mixer *mx, const Mp__Message *m, Mp__Reply *r)
{
	(void)r;
	/* gone already: that is what was wanted */
	(void)g_hash_table_remove(mx->confs, &m->conf_release->conf);

	return 0;
}

static int do_leg_set(struct mixer *mx, const Mp__Message *m, Mp__Reply *r)
{
	struct conf *c = conf_find(mx, m->leg_set->conf);

	return c ? leg_set(c, m->leg_set, r) : ENOENT;
}

static int do_leg_remove(struct mixer *mx, const Mp__Message *m, Mp__Reply *r)
{
	struct conf *c = conf_find(mx, m->leg_remove->conf);

	(void)r;
	if (!c)
		return ENOENT;
	(void)g_hash_table_remove(c->legs, &m->leg_remove->leg);
	conf_keepalive_set(c);

	return 0;
}

static int do_key_install(struct mixer *mx, const Mp__Message *m, Mp__Reply *r)
{
	struct conf *c = conf_find(mx, m->key_install->conf);

	(void)r;

	return c ? gkey_install(c, m->key_install) : ENOENT;
}

static int do_key_retire(struct mixer *mx, const Mp__Message *m, Mp__Reply *r)
{
	struct conf *c = conf_find(mx, m->key_retire->conf);
	struct gkey *gk;

	(void)r;
	if (!c)
		return ENOENT;
	gk = gkey_find(c, m->key_retire->class_id, m->key_retire->epoch);
	if (gk)
		gkey_retire(gk);

	return 0;
}

static int do_gate(struct mixer *mx, const Mp__Message *m, Mp__Reply *r)
{
	struct conf *c = conf_find(mx, m->gate->conf);
	struct leg *leg = c ? leg_find(c, m->gate->leg) : NULL;

	(void)r;
	if (!leg)
		return c ? ESRCH : ENOENT;
	leg_gate(leg, m->gate->open);

	return 0;
}

static int do_stats(struct mixer *mx, const Mp__Message *m, Mp__Reply *r)
{
	struct conf *c = NULL;

	if (m->stats_get->conf) {
		c = conf_find(mx, m->stats_get->conf);
		if (!c)
			return ENOENT;
	}

	return stats_fill(mx, c, r->stats);
}

static int do_ping(struct mixer *mx, const Mp__Message *m, Mp__Reply *r)
{
	(void)mx;
	(void)m;
	(void)r;

	return 0;
}

static int do_set_log(struct mixer *mx, const Mp__Message *m, Mp__Reply *r)
{
	(void)mx;
	(void)r;
	if (m->set_log->log_level > LOG_LV_DEBUG)
		return EINVAL;
	log_set_level((enum log_level)m->set_log->log_level);

	return 0;
}

static const struct {
	Mp__Message__BodyCase body;
	int (*h)(struct mixer *mx, const Mp__Message *m, Mp__Reply *r);
} requestv[] = {
	{ MP__MESSAGE__BODY_HELLO,        do_hello        },
	{ MP__MESSAGE__BODY_CONF_SET,     do_conf_set     },
	{ MP__MESSAGE__BODY_CONF_RELEASE, do_conf_release },
	{ MP__MESSAGE__BODY_LEG_SET,      do_leg_set      },
	{ MP__MESSAGE__BODY_LEG_REMOVE,   do_leg_remove   },
	{ MP__MESSAGE__BODY_KEY_INSTALL,  do_key_install  },
	{ MP__MESSAGE__BODY_KEY_RETIRE,   do_key_retire   },
	{ MP__MESSAGE__BODY_GATE,         do_gate         },
	{ MP__MESSAGE__BODY_STATS_GET,    do_stats        },
	{ MP__MESSAGE__BODY_PING,         do_ping         },
	{ MP__MESSAGE__BODY_SET_LOG,      do_set_log      },
};

/* How an errno of ours reads on the wire */
static const struct {
	int err;
	Mp__Status status;
	const char *reason;
} statusv[] = {
	{ 0,               MP__STATUS__OK,            ""                                },
	{ ENOENT,          MP__STATUS__ERR_NO_CONF,   "no such conference"              },
	{ ESRCH,           MP__STATUS__ERR_NO_LEG,    "no such leg"                     },
	{ EADDRINUSE,      MP__STATUS__ERR_NO_PORT,   "media port range exhausted"      },
	{ EMFILE,          MP__STATUS__ERR_NO_PORT,   "out of descriptors"              },
	{ ENOMEM,          MP__STATUS__ERR_NO_MEMORY, "out of memory"                   },
	{ ENOKEY,          MP__STATUS__ERR_NO_KEY,    "class and epoch not installed"   },
	{ EPROTONOSUPPORT, MP__STATUS__ERR_VERSION,   "protocol version not supported"  },
	{ ENOSYS,          MP__STATUS__ERR_UNKNOWN,   "message not understood"          },
	{ EPROTO,          MP__STATUS__ERR_INVALID,   "hello expected first"            },
	{ EAFNOSUPPORT,    MP__STATUS__ERR_INVALID,   "no local address of this family" },
	{ EINVAL,          MP__STATUS__ERR_INVALID,   "invalid"                         },
};

static void set_status(Mp__Reply *r, int err)
{
	size_t i;

	r->status = MP__STATUS__ERR_INVALID;
	r->reason = (char *)(uintptr_t)"failed";
	for (i = 0; i < sizeof(statusv) / sizeof(statusv[0]); i++) {
		if (statusv[i].err != err)
			continue;
		r->status = statusv[i].status;
		r->reason = (char *)(uintptr_t)statusv[i].reason;
		return;
	}
}

static int dispatch(struct mixer *mx, const Mp__Message *m, Mp__Reply *r)
{
	size_t i;

	if (!mx->hello && m->body_case != MP__MESSAGE__BODY_HELLO &&
	    m->body_case != MP__MESSAGE__BODY_PING)
		return EPROTO;

	for (i = 0; i < sizeof(requestv) / sizeof(requestv[0]); i++)
		if (requestv[i].body == m->body_case)
			return requestv[i].h(mx, m, r);

	return ENOSYS;
}

static void message_h(const Mp__Message *m, void *arg)
{
	struct mixer *mx = arg;
	Mp__Message out = MP__MESSAGE__INIT;
	Mp__Reply r = MP__REPLY__INIT;
	Mp__Stats st = MP__STATS__INIT;
	const bool stats = m->body_case == MP__MESSAGE__BODY_STATS_GET;
	int err;

	if (stats)
		r.stats = &st;
	err = dispatch(mx, m, &r);
	set_status(&r, err);
	if (err) {
		r.stats = NULL;
		log_info("ev=request-refused body=%d reason=%s", (int)m->body_case, r.reason);
	}

	out.id = m->id;
	out.body_case = MP__MESSAGE__BODY_REPLY;
	out.reply = &r;
	mpsrv_send(mx, &out);
	if (stats)
		stats_free(&st);
}

static void poll_writable(struct mixer *mx)
{
	const bool want = mpconn_want_write(mx->mc);

	if (want == mx->mp_writing)
		return;
	mx->mp_writing = want;
	(void)loop_rewatch(mx->loop, &mx->mp_io, want ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void mpsrv_send(struct mixer *mx, const Mp__Message *msg)
{
	int err;

	if (!mx->mc)
		return;
	err = mpconn_send(mx->mc, msg);
	if (err) {
		if (err != EPIPE)
			log_error("ev=mp-send-failed reason=\"%s\"", strerror(err));
		loop_stop(mx->loop, err == EPIPE ? 0 : err);
		return;
	}
	poll_writable(mx);
}

static void mp_io_h(uint32_t events, void *arg)
{
	struct mixer *mx = arg;
	int err = 0;

	if (events & EPOLLOUT)
		err = mpconn_writable(mx->mc);
	if (!err && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		err = mpconn_readable(mx->mc);

	/* the focus went away: nobody could release anything any more */
	if (err) {
		loop_stop(mx->loop, err == ECONNRESET || err == EPIPE ? 0 : err);
		return;
	}
	poll_writable(mx);
}

int mpsrv_open(struct mixer *mx, int fd)
{
	int err;

	err = mpconn_new(&mx->mc, fd, message_h, mx);
	if (err)
		return err;

	mx->mp_io = (struct loop_io){mp_io_h, mx, fd};

	return loop_watch(mx->loop, &mx->mp_io, EPOLLIN);
}

void mpsrv_close(struct mixer *mx)
{
	if (!mx->mc)
		return;
	loop_unwatch(mx->loop, &mx->mp_io);
	mpconn_free(&mx->mc);
}
