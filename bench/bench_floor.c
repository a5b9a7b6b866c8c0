/**
 * @file bench_floor.c  Floor control with many participants
 *
 * One conference, N participants with a TLS connection each, all of them
 * subscribed to the floor, R requests a second, two at a time; everybody holds
 * it for a moment.  Server and clients share this process, so the figures are those of
 * one core that does both ends.
 *
 *   answer  FloorRequest to its first FloorRequestStatus
 *   grant   FloorRelease of the holder to Granted at the next in turn
 *
 * Also checked: grants come in the order of the requests, nothing is lost,
 * and memory does not grow.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "floorsrv.h"
#include "log.h"
#include "procstat.h"

enum { FLOOR = 1, HOLD_MS = 30, STEP_MS = 1, REQ_MAX = 64 };

struct client {
	struct floortls_ctx *ctx;
	struct floortls *tls;
	struct floorpart *part;
	struct bfcpm_frame frame;
	uint64_t asked, granted;        /* [us]; 0: not                       */
	uint16_t tid, req;
	bool up;
};

static unsigned clientc = 200, rate = 20, seconds = 10;
static struct client *clientv;
static struct floorsrv *srv;
static struct floorconf *conf;
static struct tmr tmr;
static uint64_t started, next_ask, released;
static unsigned upc, turn, asked, answered, grantedc, out_of_order;
static unsigned *orderv, orderc, order_next;
static uint64_t *answerv, *grantv;
static unsigned answerc, grantc;
static uint64_t notifications;
static long rss_begin;


static uint64_t now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);

	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}


static long rss_kib(void)
{
	struct procstat ps;
	long kib;

	procstat_open(&ps);
	kib = (long)procstat_rss_kib(&ps);
	procstat_close(&ps);

	return kib;
}


static void send_msg(struct client *c, struct bfcpm *m, uint8_t prim)
{
	struct mbuf *mb = mbuf_alloc(64);

	if (!++c->tid)
		++c->tid;
	m->hdr.prim = prim;
	m->hdr.conf = floorconf_id(conf);
	m->hdr.user = floorpart_user(c->part);
	m->hdr.tid = c->tid;
	if (bfcpm_encode(mb, m) || floortls_send(c->tls, mb->buf, mb->end)) {
		fprintf(stderr, "bench_floor: sending failed\n");
		exit(1);
	}
	mem_deref(mb);
}


static void floors(struct client *c, uint8_t prim)
{
	struct bfcpm m;

	memset(&m, 0, sizeof(m));
	m.floors.v[0] = FLOOR;
	m.floors.c = 1;
	send_msg(c, &m, prim);
}


static void got_status(struct client *c, const struct bfcpm *m)
{
	const struct bfcpm_req *r = &m->reqs.v[0];
	const uint64_t now = now_us();

	c->req = r->id;
	if (m->hdr.tid && m->hdr.tid == c->tid && !c->granted &&
	    r->overall.st.status <= BFCPM_GRANTED) {
		++answered;
		answerv[answerc++] = now - c->asked;
	}
	if (r->overall.st.status == BFCPM_GRANTED) {
		if (orderv[order_next++] != (unsigned)(c - clientv))
			++out_of_order;
		if (released)
			grantv[grantc++] = now - released;
		released = 0;
		c->granted = now;
		++grantedc;
	}
	else if (r->overall.st.status > BFCPM_GRANTED) {
		c->asked = c->granted = 0;
	}
}


static int message(const uint8_t *msg, size_t len, bool too_long, void *arg)
{
	static struct bfcpm_req reqv[REQ_MAX];
	struct bfcpm m = { .reqs = { reqv, 0, REQ_MAX } };
	struct client *c = arg;

	if (too_long || bfcpm_decode(&m, msg, len)) {
		fprintf(stderr, "bench_floor: bad message\n");
		exit(1);
	}
	if (m.hdr.prim == BFCPM_FLOOR_REQUEST_STATUS)
		got_status(c, &m);
	else if (m.hdr.prim == BFCPM_FLOOR_STATUS)
		++notifications;

	return 0;
}


static int verify_handler(const struct floortls_fps *cert, void *arg)
{
	const struct floortls_fps fps = { .v = { *floorsrv_fp(srv) }, .c = 1 };
	(void)arg;

	return floortls_fps_match(&fps, cert);
}


static void estab_handler(void *arg)
{
	struct client *c = arg;

	c->up = true;
	++upc;
	floors(c, BFCPM_FLOOR_QUERY);
}


static void recv_handler(const uint8_t *p, size_t n, void *arg)
{
	struct client *c = arg;

	(void)bfcpm_frame_feed(&c->frame, p, n, message, c);
}


static void close_handler(int err, void *arg)
{
	(void)arg;
	fprintf(stderr, "bench_floor: connection lost: %d\n", err);
	exit(1);
}


static const struct floortls_handlers handlers = {
	verify_handler, estab_handler, recv_handler, close_handler
};


static int gate(uint16_t floor, uint16_t user, bool open, uint64_t token,
		void *arg)
{
	(void)floor;
	(void)user;
	(void)open;
	(void)token;
	(void)arg;

	return 0;
}


static void change(void *arg)
{
	(void)arg;
}


static int start_client(struct client *c, const struct sa *sa)
{
	struct floortls_fps fps = { .c = 1 };
	int err;

	bfcpm_frame_init(&c->frame, BFCPM_MSG_MAX);
	err = floorpart_alloc(&c->part, conf, false, NULL, "sip:u@example.org");
	if (!err)
		err = floortls_ctx_alloc(&c->ctx, NULL);
	if (err)
		return err;

	fps.v[0] = *floortls_ctx_fp(c->ctx);
	floorpart_certs(c->part, &fps);

	return floortls_connect(&c->tls, c->ctx, sa, false, &handlers, c);
}


static void release_due(uint64_t now)
{
	for (unsigned i = 0; i < clientc; i++) {
		struct client *c = &clientv[i];
		struct bfcpm m;

		if (!c->granted || now < c->granted + 1000 * HOLD_MS)
			continue;
		memset(&m, 0, sizeof(m));
		m.request_id.set = true;
		m.request_id.v = c->req;
		c->granted = UINT64_MAX / 2;
		/* only if somebody waits is there a grant to wait for */
		released = order_next < orderc ? now : 0;
		send_msg(c, &m, BFCPM_FLOOR_RELEASE);
	}
}


static void ask_due(uint64_t now)
{
	struct client *c;

	if (now < next_ask || asked >= rate * seconds)
		return;

	do {
		turn = (turn + 7919) % clientc;
		c = &clientv[turn];
	} while (c->asked);
	/* two at a time: the second one has to wait */
	if (asked & 1)
		next_ask += 2 * 1000000 / rate;
	c->asked = now;
	c->granted = 0;
	orderv[orderc++] = turn;
	if (++asked == rate * seconds / 4)
		rss_begin = rss_kib();
	floors(c, BFCPM_FLOOR_REQUEST);
}


static void tick(void *arg)
{
	const uint64_t now = now_us();

	tmr_start(&tmr, STEP_MS, tick, arg);
	if (!started && upc == clientc)
		started = next_ask = now;
	if (!started)
		return;

	ask_due(now);
	release_due(now);
	if (grantedc == rate * seconds && !released)
		re_cancel();
	else if (now > started + 1000000ull * (seconds + 10))
		re_cancel();
}


static int cmp(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}


static void print(const char *what, uint64_t *v, unsigned n)
{
	if (!n)
		return;
	qsort(v, n, sizeof(*v), cmp);
	printf("%-8s %6u  p50 %6.2f ms  p99 %6.2f ms  max %6.2f ms\n", what, n,
	       (double)v[n / 2] / 1000, (double)v[n - 1 - n / 100] / 1000,
	       (double)v[n - 1] / 1000);
}


static int report(void)
{
	const unsigned want = rate * seconds;
	const long grown = rss_kib() - rss_begin;
	const double cpu = (double)clock() / CLOCKS_PER_SEC;

	printf("participants %u, %u requests/s for %u s, %llu notifications\n",
	       clientc, rate, seconds, (unsigned long long)notifications);
	print("answer", answerv, answerc);
	print("grant", grantv, grantc);
	printf("granted %u of %u, out of order %u, memory grew %ld KiB in the last three quarters, cpu %.2f s\n",
	       grantedc, want, out_of_order, grown, cpu);

	return grantedc == want && answered == want && !out_of_order ? 0 : 1;
}


static int run(void)
{
	static const struct floor_policy policy = {
		.gating = FLOOR_GATES_NEVER, .holders = 1, .per_user = 1,
		.requests = 1000, .prio_max = 4,
	};
	static const struct floorconf_handlers h = { gate, change };
	struct sa sa;
	int err;

	sa_set_str(&sa, "127.0.0.1", 0);
	err = floorsrv_alloc(&srv, &sa, NULL, 2 * clientc);
	if (!err)
		err = floorconf_alloc(&conf, srv, &policy, "bench", &h, NULL);
	if (!err)
		err = floor_add(floorconf_floors(conf), FLOOR);
	floorsrv_addr(srv, true, &sa);
	for (unsigned i = 0; i < clientc && !err; i++)
		err = start_client(&clientv[i], &sa);
	if (err)
		return err;

	tmr_start(&tmr, STEP_MS, tick, NULL);

	return re_main(NULL);
}


int main(int argc, char *argv[])
{
	int err;

	if (argc > 1)
		seconds = (unsigned)strtoul(argv[1], NULL, 10);
	if (argc > 2)
		clientc = (unsigned)strtoul(argv[2], NULL, 10);
	if (argc > 3)
		rate = (unsigned)strtoul(argv[3], NULL, 10);
	if (!seconds || !rate || clientc < 2 || rate > 1000 || seconds > 3600) {
		fprintf(stderr, "usage: bench_floor [SECONDS [PARTICIPANTS"
			" [REQUESTS-PER-SECOND]]]\n");
		return 2;
	}

	log_init("bench_floor", false, LOG_LV_ERROR);
	err = libre_init();
	(void)fd_setsize(4 * (int)clientc + 100);
	clientv = calloc(clientc, sizeof(*clientv));
	orderv  = calloc(rate * seconds + 1, sizeof(*orderv));
	answerv = calloc(rate * seconds + 1, sizeof(*answerv));
	grantv  = calloc(rate * seconds + 1, sizeof(*grantv));
	if (err || !clientv || !orderv || !answerv || !grantv)
		return 1;

	err = run();
	if (!err)
		err = report();

	return err ? 1 : 0;
}
