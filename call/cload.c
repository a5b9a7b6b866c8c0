/**
 * @file cload.c  N calls in one process
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "cload.h"
#include "log.h"
#include "wav.h"

enum {
	TICK_MS         = 5,      /* packet times are multiples of it        */
	CONNECTIONS_MAX = 64,
	BYE_WAIT_US     = 3000000,
	FDS_PER_CALL    = 4,
};

struct cload {
	const struct opts *o;
	struct cstack_hop hop;
	struct cstack *stackv[CONNECTIONS_MAX];
	struct call_env env;
	struct list srcl;
	struct cdump *dump;
	struct ctap *tap;
	struct cdelay *delay;

	struct call **callv;
	unsigned callc;
	unsigned started, settled, closed;
	uint64_t next_start_us;
	uint64_t end_us;          /* hang up then; 0: not all are up yet     */
	uint64_t gone_us;         /* all calls are over since then           */
	uint64_t next_mark_us;
	unsigned next_mark;
	bool stopping;

	int timerfd;
};

static struct cload *running;   /* for the signal handler of libre's loop */

static void destructor(void *arg)
{
	struct cload *l = arg;

	if (l->timerfd >= 0) {
		fd_close(l->timerfd);
		(void)close(l->timerfd);
	}
	for (unsigned i = 0; l->callv && i < l->callc; i++)
		mem_deref(l->callv[i]);
	mem_deref(l->callv);
	for (unsigned i = 0; i < l->env.stackc; i++)
		mem_deref(l->stackv[i]);
	mem_deref(l->delay);
	mem_deref(l->dump);
	mem_deref(l->tap);
}

/* ----- starting and ending ----------------------------------------------- */

static void change_handler(struct call *c, void *arg)
{
	struct cload *l = arg;

	if (call_state(c) == CALL_CLOSED) {
		++l->closed;
		if (!call_result(c)->established)
			++l->settled;
	}
	else {
		++l->settled;
	}
}

static void hangup_all(struct cload *l)
{
	l->stopping = true;
	for (unsigned i = l->callc; i > 0; i--)
		call_hangup(l->callv[i - 1]);
}

/** Which URI the i-th call dials; NULL: not known yet */
static const char *uri_of(const struct cload *l, unsigned i)
{
	const struct call_result *first = call_result(l->callv[0]);

	if (!i || !l->o->same_conf)
		return l->o->uri;

	return first->established && first->conf_uri[0] ? first->conf_uri : NULL;
}

static void start_due(struct cload *l, uint64_t now_us)
{
	while (l->started < l->callc && now_us >= l->next_start_us && !l->stopping) {
		const char *uri = uri_of(l, l->started);

		if (!uri) {
			/* without a conference there is nowhere to go */
			if (call_state(l->callv[0]) == CALL_CLOSED)
				hangup_all(l);
			return;
		}

		(void)call_start(l->callv[l->started], uri);
		++l->started;
		l->next_start_us = now_us + 1000ull * l->o->ramp_ms;
	}
}

static void end_due(struct cload *l, uint64_t now_us)
{
	if (!l->end_us && l->started == l->callc && l->settled == l->callc)
		l->end_us = now_us + 1000000ull * l->o->seconds;

	if (l->end_us && now_us >= l->end_us && !l->stopping)
		hangup_all(l);
}

/** All over, and the last BYE answered (or waited for long enough)? */
static bool finished(struct cload *l, uint64_t now_us)
{
	uint32_t busy = 0;

	if (l->closed < l->callc)
		return false;
	if (!l->gone_us)
		l->gone_us = now_us;

	for (unsigned i = 0; i < l->env.stackc; i++)
		busy += cstack_busy(l->stackv[i]);

	return !busy || now_us - l->gone_us > BYE_WAIT_US;
}

/* ----- delay ------------------------------------------------------------- */

static void marked(uint64_t now_us, void *arg)
{
	struct cload *l = arg;

	cdelay_marked(l->delay, l->next_mark, now_us - 1000ull * l->o->ptime);
}

static void mark_due(struct cload *l, uint64_t now_us)
{
	if (!l->delay || !l->end_us || now_us < l->next_mark_us)
		return;

	l->next_mark_us = now_us + 1000ull * CDELAY_EVERY_MS;
	l->next_mark = (l->next_mark + 1) % l->callc;
	if (call_state(l->callv[l->next_mark]) == CALL_UP)
		clive_mark(call_live(l->callv[l->next_mark]), CDELAY_MARK_MS, marked, l);
}

/** A crec_pcm_h; arg is the call, whose environment leads here */
static void pcm_handler(uint64_t arrival_us, const int16_t *pcm, size_t sampc,
			uint32_t rate, void *arg)
{
	const struct call *c = arg;

	if (running && running->delay)
		cdelay_heard(running->delay, call_index(c), arrival_us, pcm, sampc, rate);
}

/* ----- loop -------------------------------------------------------------- */

static void tick_handler(int flags, void *arg)
{
	struct cload *l = arg;
	const uint64_t now_us = cmedia_now_us();
	uint64_t n;
	(void)flags;

	if (read(l->timerfd, &n, sizeof(n)) != sizeof(n))
		return;

	start_due(l, now_us);
	for (unsigned i = 0; i < l->started; i++)
		call_tick(l->callv[i], now_us);
	mark_due(l, now_us);
	end_due(l, now_us);
	if (finished(l, now_us))
		re_cancel();
}

static void signal_handler(int sig)
{
	(void)sig;

	if (running && !running->stopping)
		hangup_all(running);
	else
		re_cancel();
}

static int start_timer(struct cload *l)
{
	const struct itimerspec its = {
		.it_interval = { .tv_nsec = TICK_MS * 1000000 },
		.it_value    = { .tv_nsec = TICK_MS * 1000000 },
	};

	l->timerfd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (l->timerfd < 0 || timerfd_settime(l->timerfd, 0, &its, NULL))
		return errno;

	return fd_listen(l->timerfd, FD_READ, tick_handler, l);
}

/* ----- set-up ------------------------------------------------------------ */

static int raise_limits(unsigned calls)
{
	const rlim_t want = 64 + CONNECTIONS_MAX * 4 + (rlim_t)calls * FDS_PER_CALL;
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim))
		return errno;
	if (lim.rlim_cur < want) {
		lim.rlim_cur = want < lim.rlim_max ? want : lim.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &lim))
			return errno;
	}

	return fd_setsize((int)lim.rlim_cur < 16384 ? (int)lim.rlim_cur : 16384);
}

static int make_stacks(struct cload *l)
{
	unsigned n = l->o->connections ? l->o->connections : l->o->calls;
	int err = 0;

	if (n > l->o->calls)
		n = l->o->calls;
	if (n > CONNECTIONS_MAX)
		n = CONNECTIONS_MAX;

	while (!err && l->env.stackc < n) {
		err = cstack_alloc(&l->stackv[l->env.stackc], l->o, &l->hop);
		if (!err)
			++l->env.stackc;
	}

	return err;
}

static int make_calls(struct cload *l)
{
	int err = 0;

	l->callv = mem_zalloc(l->o->calls * sizeof(*l->callv), NULL);
	if (!l->callv)
		return ENOMEM;

	for (unsigned i = 0; !err && i < l->o->calls; i++) {
		err = call_alloc(&l->callv[i], i, &l->env, i < opts_decoders(l->o));
		if (!err)
			++l->callc;
	}

	return err;
}

/** Better now than at every call: is the WAV file one? */
static int check_wav(const char *path)
{
	int16_t *pcm = NULL;
	uint32_t rate;
	size_t n;
	int err;

	err = wav_read(path, &pcm, &n, &rate);
	if (err)
		(void)fprintf(stderr, "conclave-call: %s: %s\n", path, strerror(err));
	free(pcm);

	return err;
}

int cload_alloc(struct cload **lp, const struct opts *o)
{
	struct cload *l = mem_zalloc(sizeof(*l), destructor);
	int err;

	if (!l)
		return ENOMEM;

	l->o = o;
	l->timerfd = -1;
	l->env.opts    = o;
	l->env.stackv  = l->stackv;
	l->env.hop     = &l->hop;
	l->env.srcl    = &l->srcl;
	l->env.changeh = change_handler;
	l->env.pcmh    = o->measure_delay ? pcm_handler : NULL;
	l->env.arg     = l;

	err = raise_limits(o->calls);
	if (!err && o->wav)
		err = check_wav(o->wav);
	if (!err)
		err = cstack_resolve(&l->hop, o);
	if (!err && o->dump_rx)
		err = cdump_open(&l->dump, o->dump_rx);
	l->env.dump = l->dump;
	if (!err && o->tap)
		err = ctap_open(&l->tap, o->tap);
	l->env.tap = l->tap;
	if (!err && o->measure_delay)
		err = cdelay_alloc(&l->delay);
	if (!err)
		err = make_stacks(l);
	if (!err)
		err = make_calls(l);

	if (err)
		mem_deref(l);
	else
		*lp = l;

	return err;
}

int cload_run(struct cload *l)
{
	int err;

	running = l;
	err = start_timer(l);
	if (!err)
		err = re_main(signal_handler);
	running = NULL;

	return err;
}

const struct call *cload_call(const struct cload *l, unsigned i)
{
	return i < l->callc ? l->callv[i] : NULL;
}

const struct cdelay *cload_delay(const struct cload *l)
{
	return l->delay;
}
