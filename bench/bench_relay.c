/**
 * @file bench_relay.c  What a leg must cost when nothing is in a cache any more
 *
 * bench_prim.c measures each primitive alone and again and again.  Here a bare
 * relay does on the same machine what a mixer does for its legs, and nothing
 * else: every 20 ms it reads a packet from each leg's own socket, opens it with
 * that leg's key, seals another one with a key of that leg and sends it.  A child
 * plays the phones, so the receivers live.  Prints CPU of the relay per leg and
 * 20 ms as JSON.
 *
 *   bench_relay [LEGS]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "gcm.h"

enum {
	LEGS_MAX = 4000,
	BATCH    = 64,            /* sealed, then sent                        */
	WARM_UP  = 25,            /* ticks                                    */
	TICKS    = 100,
	TICK_NS  = 20000000,
};

/** One end of a leg */
struct end {
	int fd;
	struct sockaddr_in own, peer;
	EVP_CIPHER_CTX *enc, *dec;
	uint32_t seq;
};

struct side {
	struct end *endv;
	int endc;
	int ep;
	int timer;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double cpu_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec * 1e-3;
}

static void end_open(struct end *e)
{
	socklen_t len = sizeof(e->own);

	e->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	e->own.sin_family = AF_INET;
	e->own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (e->fd < 0 || bind(e->fd, (struct sockaddr *)&e->own, len) ||
	    getsockname(e->fd, (struct sockaddr *)&e->own, &len))
		die("socket");
}

/** Both ends of leg number i know each other's address and key */
static void leg_open(struct end *a, struct end *b, int i)
{
	uint8_t key[2][GCM_KEY] = {{1}, {2}};

	end_open(a);
	end_open(b);
	a->peer = b->own;
	b->peer = a->own;
	memcpy(key[0] + 4, &i, sizeof(i));
	memcpy(key[1] + 4, &i, sizeof(i));
	a->enc = gcm_new(key[0], 1);
	b->dec = gcm_new(key[0], 0);
	b->enc = gcm_new(key[1], 1);
	a->dec = gcm_new(key[1], 0);
}

static void side_open(struct side *s, int phase_ns)
{
	const struct itimerspec its = {{0, TICK_NS}, {0, TICK_NS + phase_ns}};

	s->ep = epoll_create1(0);
	s->timer = timerfd_create(CLOCK_MONOTONIC, 0);
	if (s->ep < 0 || s->timer < 0 || timerfd_settime(s->timer, 0, &its, NULL))
		die("timer");
	for (int i = 0; i < s->endc; i++) {
		struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &s->endv[i]};

		if (epoll_ctl(s->ep, EPOLL_CTL_ADD, s->endv[i].fd, &ev))
			die("epoll_ctl");
	}
}

/** A packet from each end that has one */
static void take(struct side *s)
{
	struct epoll_event evv[256];
	struct sockaddr_in from;
	uint8_t pkt[1500];
	int n;

	while ((n = epoll_wait(s->ep, evv, 256, 0)) > 0) {
		for (int i = 0; i < n; i++) {
			struct end *e = evv[i].data.ptr;
			socklen_t len = sizeof(from);

			if (recvfrom(e->fd, pkt, sizeof(pkt), 0, (struct sockaddr *)&from,
				     &len) == GCM_PACKET)
				gcm(e->dec, pkt, 0);
		}
	}
}

static void give(struct side *s)
{
	static uint8_t pktv[BATCH][GCM_PACKET];

	for (int at = 0; at < s->endc; at += BATCH) {
		const int n = s->endc - at < BATCH ? s->endc - at : BATCH;

		for (int i = 0; i < n; i++) {
			struct end *e = &s->endv[at + i];

			memset(pktv[i], 0, GCM_PACKET);
			memcpy(pktv[i] + 2, &e->seq, sizeof(e->seq));
			++e->seq;
			gcm(e->enc, pktv[i], 1);
		}
		for (int i = 0; i < n; i++) {
			const struct end *e = &s->endv[at + i];

			(void)sendto(e->fd, pktv[i], GCM_PACKET, MSG_DONTWAIT,
				     (const struct sockaddr *)&e->peer, sizeof(e->peer));
		}
	}
}

static void run(struct side *s, int ticks)
{
	uint64_t n;

	for (int i = 0; ticks < 0 || i < ticks; i++) {
		if (read(s->timer, &n, sizeof(n)) != sizeof(n))
			die("timer");
		take(s);
		give(s);
	}
}

int main(int argc, char *argv[])
{
	const int legs = argc > 1 ? atoi(argv[1]) : 300;
	const struct rlimit lim = {3 * LEGS_MAX, 3 * LEGS_MAX};
	struct side relay = {.endc = legs}, phones = {.endc = legs};
	double us;
	pid_t pid;

	if (legs < 1 || legs > LEGS_MAX)
		return 1;
	(void)setrlimit(RLIMIT_NOFILE, &lim);
	relay.endv = calloc((size_t)legs, sizeof(*relay.endv));
	phones.endv = calloc((size_t)legs, sizeof(*phones.endv));
	if (!relay.endv || !phones.endv)
		die("calloc");
	for (int i = 0; i < legs; i++)
		leg_open(&relay.endv[i], &phones.endv[i], i);

	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		side_open(&phones, 0);
		run(&phones, -1);
	}
	side_open(&relay, TICK_NS / 2);
	run(&relay, WARM_UP);
	us = cpu_us();
	run(&relay, TICKS);
	us = cpu_us() - us;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	(void)printf("{\"relay_us\": %.3f}\n", us / (double)TICKS / legs);

	return 0;
}
