/**
 * @file bfcp/floorsrv.c  Floor control server: conferences and their users
 */
#include <string.h>
#include <openssl/rand.h>
#include "srv_priv.h"
#include "clock.h"
#include "log.h"

enum {
	BACKLOG = 128,
	HASH_SIZE = 1024,
	NEWS_MS = 20,           /* section 13.5.2: the rate is our policy     */
	NEWS_BYTES_PER_MS = 2000,
};


/* ---- server ------------------------------------------------------------------ */

static void srv_destructor(void *arg)
{
	struct floorsrv *srv = arg;

	for (size_t i = 0; i < ARRAY_SIZE(srv->lsnrv); i++)
		mem_deref(srv->lsnrv[i].ts);
	list_flush(&srv->connl);
	mem_deref(srv->ctx);
	mem_deref(srv->ht_conf);
}


static void conn_handler(const struct sa *peer, void *arg)
{
	struct lsnr *l = arg;
	(void)peer;

	srvconn_accept(l->srv, l->ts, l->tls_server);
}


static int start_listening(struct lsnr *l, const struct sa *laddr)
{
	int err;

	err = tcp_sock_alloc(&l->ts, laddr, conn_handler, l);
	if (!err)
		err = tcp_sock_bind(l->ts, laddr);
	if (!err)
		err = tcp_sock_listen(l->ts, BACKLOG);
	if (!err)
		err = tcp_sock_local_get(l->ts, &l->addr);

	return err;
}


/**
 * Two listeners, because the TLS role is decided by who made the offer, and an
 * incoming connection does not say which offer it is for: RFC 8856 section 8
 */
int floorsrv_alloc(struct floorsrv **srvp, const struct sa *laddr,
		   const char *pem, unsigned max)
{
	struct floorsrv *srv = mem_zalloc(sizeof(*srv), srv_destructor);
	struct sa any = *laddr;
	int err;

	if (!srv)
		return ENOMEM;

	srv->max = max;
	sa_set_port(&any, 0);
	for (size_t i = 0; i < ARRAY_SIZE(srv->lsnrv); i++) {
		srv->lsnrv[i].srv = srv;
		srv->lsnrv[i].tls_server = i == 0;
	}
	err = hash_alloc(&srv->ht_conf, HASH_SIZE);
	if (!err)
		err = floortls_ctx_alloc(&srv->ctx, pem);
	if (!err)
		err = start_listening(&srv->lsnrv[0], laddr);
	if (!err)
		err = start_listening(&srv->lsnrv[1], &any);
	if (err)
		mem_deref(srv);
	else
		*srvp = srv;

	return err;
}


void floorsrv_addr(const struct floorsrv *srv, bool tls_server, struct sa *sa)
{
	*sa = srv->lsnrv[tls_server ? 0 : 1].addr;
}


const struct floortls_fp *floorsrv_fp(const struct floorsrv *srv)
{
	return floortls_ctx_fp(srv->ctx);
}


void floorsrv_stats(const struct floorsrv *srv, struct floorsrv_stats *st)
{
	*st = srv->stats;
}


bool floorsrv_knows(const struct floorsrv *srv,
		    const struct floortls_fps *cert)
{
	struct le *lc, *lp;

	for (lc = list_head(&srv->confl); lc; lc = lc->next) {
		const struct floorconf *fc = lc->data;

		for (lp = list_head(&fc->partl); lp; lp = lp->next) {
			const struct floorpart *fp = lp->data;

			if (floortls_fps_match(&fp->fps, cert))
				return true;
		}
	}

	return false;
}


/* ---- conferences --------------------------------------------------------------- */

uint64_t floorconf_now(void)
{
	return clock_mono_ms();
}


static void conf_destructor(void *arg)
{
	struct floorconf *fc = arg;

	tmr_cancel(&fc->tmr);
	tmr_cancel(&fc->tmr_news);
	if (fc->le.list)
		--fc->srv->stats.confs;
	list_unlink(&fc->le);
	hash_unlink(&fc->he);
	mem_deref(fc->fs);
	mem_deref(fc->label);
	mem_deref(fc->srv);
}


static int gate_handler(uint16_t floor, uint16_t user, bool open,
			uint64_t token, void *arg)
{
	struct floorconf *fc = arg;

	return fc->h.gateh(floor, user, open, token, fc->arg);
}


static void status_handler(const struct floor_req *r, uint16_t to,
			   uint16_t tid, void *arg)
{
	struct floorconf *fc = arg;

	/* who moves up in a queue is no event */
	if (tid || r->status != BFCPM_ACCEPTED)
		log_info("ev=floor conf=%s request=%u beneficiary=%u status=%s"
			 " position=%u told=%u", fc->label, r->id,
			 r->beneficiary, bfcpm_status_name(r->status),
			 r->qpos, to);
	srvmsg_status(fc, r, to, tid);
}


static void news_handler(void *arg);


/**
 * All subscribers, at once and then every NEWS_MS at most: one participant
 * that asks and releases for fun must not make us write to hundreds each time,
 * and with a long queue there is much to write
 */
static void tell_news(struct floorconf *fc)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(fc->newsv); i++) {
		if (fc->newsv[i])
			bytes += srvmsg_floor(fc, fc->newsv[i]);
		fc->newsv[i] = 0;
	}
	tmr_start(&fc->tmr_news, MAX(NEWS_MS, bytes / NEWS_BYTES_PER_MS),
		  news_handler, fc);
}


static void news_handler(void *arg)
{
	struct floorconf *fc = arg;

	if (fc->newsv[0])
		tell_news(fc);
}


static void note_news(struct floorconf *fc, uint16_t floor)
{
	for (unsigned i = 0; i < ARRAY_SIZE(fc->newsv); i++) {
		if (!fc->newsv[i])
			fc->newsv[i] = floor;
		if (fc->newsv[i] == floor)
			return;
	}
}


static void change_handler(uint16_t floor, void *arg)
{
	struct floorconf *fc = arg;

	fc->h.changeh(fc->arg);
	note_news(fc, floor);
	if (!tmr_isrunning(&fc->tmr_news))
		tell_news(fc);
}


static const struct floor_handlers floor_handlers = {
	gate_handler, status_handler, change_handler,
};


static bool id_cmp(struct le *le, void *arg)
{
	const struct floorconf *fc = le->data;

	return fc->id == *(const uint32_t *)arg;
}


struct floorconf *floorconf_find(const struct floorsrv *srv, uint32_t id)
{
	return list_ledata(hash_lookup(srv->ht_conf, id, id_cmp, &id));
}


/** "It is RECOMMENDED that the conference identifier be randomly chosen" */
static int draw_id(struct floorconf *fc)
{
	do {
		if (RAND_bytes((uint8_t *)&fc->id, sizeof(fc->id)) != 1)
			return EIO;
	} while (!fc->id || floorconf_find(fc->srv, fc->id));

	return 0;
}


int floorconf_alloc(struct floorconf **fcp, struct floorsrv *srv,
		    const struct floor_policy *policy, const char *label,
		    const struct floorconf_handlers *h, void *arg)
{
	struct floorconf *fc = mem_zalloc(sizeof(*fc), conf_destructor);
	int err;

	if (!fc)
		return ENOMEM;

	fc->srv = mem_ref(srv);
	fc->h = *h;
	fc->arg = arg;
	tmr_init(&fc->tmr);
	tmr_init(&fc->tmr_news);
	err = str_dup(&fc->label, label);
	if (!err)
		err = draw_id(fc);
	if (!err)
		err = floors_alloc(&fc->fs, policy, &floor_handlers, fc);
	if (err) {
		mem_deref(fc);
		return err;
	}

	list_append(&srv->confl, &fc->le, fc);
	hash_append(srv->ht_conf, fc->id, &fc->he, fc);
	++srv->stats.confs;
	*fcp = fc;

	return 0;
}


uint32_t floorconf_id(const struct floorconf *fc)
{
	return fc->id;
}


struct floors *floorconf_floors(const struct floorconf *fc)
{
	return fc->fs;
}


void floorconf_gated(struct floorconf *fc, uint64_t token, int err)
{
	floor_gated(fc->fs, token, err, floorconf_now());
	floorconf_touch(fc);
}


static void tick_handler(void *arg)
{
	struct floorconf *fc = arg;

	floor_tick(fc->fs, floorconf_now());
	floorconf_touch(fc);
}


void floorconf_touch(struct floorconf *fc)
{
	const uint64_t now = floorconf_now();
	const uint64_t next = floor_next(fc->fs);

	if (next == UINT64_MAX)
		tmr_cancel(&fc->tmr);
	else
		tmr_start(&fc->tmr, next > now ? next - now : 0, tick_handler,
			  fc);
}


/* ---- users ----------------------------------------------------------------------- */

static void part_destructor(void *arg)
{
	struct floorpart *fp = arg;
	struct le *le;

	tmr_cancel(&fp->tmr);
	if (fp->le.list) {
		list_unlink(&fp->le);
		--fp->fc->srv->stats.parts;
		floor_user_del(fp->fc->fs, fp->user, floorconf_now());
		floorconf_touch(fp->fc);
	}

	/* section 6.1: "a graceful close"; and nobody else's certificate */
	le = list_head(&fp->fc->srv->connl);
	while (le) {
		struct srvconn *c = le->data;

		le = le->next;
		if (c->for_part == fp) {
			c->for_part = NULL;
			srvconn_end(c);
		}
		else if (c->part == fp ||
			 (c->up && !c->part &&
			  !floorsrv_knows(c->srv, floortls_peer(c->tls)))) {
			srvconn_end(c);
		}
	}
	mem_deref(fp->fc);
}


struct floorpart *floorpart_find(const struct floorconf *fc, uint16_t user)
{
	struct le *le;

	for (le = list_head(&fc->partl); le; le = le->next) {
		struct floorpart *fp = le->data;

		if (fp->user == user)
			return fp;
	}

	return NULL;
}


int floorpart_alloc(struct floorpart **fpp, struct floorconf *fc, bool chair,
		    const char *name, const char *uri)
{
	struct floorpart *fp = mem_zalloc(sizeof(*fp), part_destructor);
	int err;

	if (!fp)
		return ENOMEM;

	fp->fc = mem_ref(fc);
	tmr_init(&fp->tmr);
	do {
		fp->user = ++fc->user_id;
	} while (!fp->user || floorpart_find(fc, fp->user));

	/* known before floor_user_add(), whose handlers may look it up */
	list_append(&fc->partl, &fp->le, fp);
	++fc->srv->stats.parts;
	*fpp = fp;
	err = floor_user_add(fc->fs, fp->user, chair, name, uri);
	if (err)
		*fpp = mem_deref(fp);

	return err;
}


uint16_t floorpart_user(const struct floorpart *fp)
{
	return fp->user;
}


void floorpart_certs(struct floorpart *fp, const struct floortls_fps *fps)
{
	struct le *le = list_head(&fp->fc->srv->connl);

	fp->fps = *fps;
	if (fp->conn && !srvconn_owns(fp->conn, fp))
		srvconn_end(fp->conn);

	/* one that was faster than the SDP that names it */
	while (le) {
		struct srvconn *c = le->data;

		le = le->next;
		floortls_retry(c->tls);
	}
}


void floorpart_connect(struct floorpart *fp, const struct sa *peer,
		       bool tls_server)
{
	if (fp->conn && sa_cmp(&fp->peer, peer, SA_ALL))
		return;

	fp->peer = *peer;
	fp->tls_server = tls_server;
	if (!tmr_isrunning(&fp->tmr))
		(void)srvconn_open(fp);
}


bool floorpart_connected(const struct floorpart *fp)
{
	return fp->conn != NULL;
}
