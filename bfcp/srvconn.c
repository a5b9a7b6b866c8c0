/**
 * @file bfcp/srvconn.c  Connections of the floor control server
 */
#include <string.h>
#include "srv_priv.h"
#include "log.h"

enum {
	HANDSHAKE_MS = 5000,
	PARTIAL_MS   = 10000,   /* a message that was begun                   */
	RETRY_MS     = 30000,   /* section 6.1: not more often                */
	HANDSHAKE_CONNS = 256,  /* strangers at a time                        */
	MSG_BURST    = 1000,
	MSG_MS       = 10,      /* each may lead to hundreds of ours          */
};

static struct log_limit limit_refused, limit_full;


static void destructor(void *arg)
{
	struct srvconn *c = arg;

	tmr_cancel(&c->tmr);
	if (c->part && c->part->conn == c)
		c->part->conn = NULL;
	if (c->tls) {
		floortls_bye(c->tls);
		--c->srv->stats.connections;
		if (!c->up)
			--c->srv->handshakec;
	}
	list_unlink(&c->le);
	mem_deref(c->tls);
	bfcpm_frame_reset(&c->frame);
}


static void end_handler(void *arg)
{
	mem_deref(arg);
}


void srvconn_end(struct srvconn *c)
{
	if (c->ending)
		return;

	c->ending = true;
	if (c->part && c->part->conn == c)
		c->part->conn = NULL;
	c->part = NULL;
	tmr_start(&c->tmr, 0, end_handler, c);
}


static void timeout_handler(void *arg)
{
	struct srvconn *c = arg;

	log_debug("ev=floor_timeout up=%d", c->up);
	srvconn_end(c);
}


int srvconn_send(struct srvconn *c, const uint8_t *p, size_t n)
{
	return c->ending ? 0 : floortls_send(c->tls, p, n);
}


bool srvconn_owns(const struct srvconn *c, const struct floorpart *fp)
{
	if (c->for_part && c->for_part != fp)
		return false;

	return floortls_fps_match(&fp->fps, floortls_peer(c->tls));
}


void srvconn_bind(struct srvconn *c, struct floorpart *fp)
{
	struct sa peer;
	char addr[64];

	floortls_peer_addr(c->tls, &peer);
	(void)re_snprintf(addr, sizeof(addr), "%J", &peer);
	log_info("ev=floor_connected conf=%s user=%u peer=%s replaces=%d",
		 fp->fc->label, fp->user, addr, fp->conn != NULL);

	if (fp->conn)
		srvconn_end(fp->conn);
	fp->subs.c = 0;
	fp->conn = c;
	c->part = fp;
}


/** The one participant with this certificate, if it is only one */
static struct floorpart *only_owner(const struct srvconn *c)
{
	struct floorpart *found = NULL;
	struct le *lc, *lp;

	for (lc = list_head(&c->srv->confl); lc; lc = lc->next) {
		const struct floorconf *fc = lc->data;

		for (lp = list_head(&fc->partl); lp; lp = lp->next) {
			if (!srvconn_owns(c, lp->data))
				continue;
			if (found)
				return NULL;
			found = lp->data;
		}
	}

	return found;
}


/* ---- handlers of the connection ---------------------------------------------- */

static int verify_handler(const struct floortls_fps *cert, void *arg)
{
	const struct srvconn *c = arg;
	unsigned left_out;
	struct sa peer;
	char addr[64];

	if (c->for_part ? floortls_fps_match(&c->for_part->fps, cert)
			: floorsrv_knows(c->srv, cert))
		return 1;

	/* the answer to our offer may be on its way still */
	if (!c->tls_server && !c->for_part)
		return -1;

	++c->srv->stats.refused;
	if (log_limit_ok(&limit_refused, &left_out)) {
		floortls_peer_addr(c->tls, &peer);
		(void)re_snprintf(addr, sizeof(addr), "%J", &peer);
		log_warn("ev=floor_refused reason=fingerprint peer=%s"
			 " left_out=%u", addr, left_out);
	}

	return 0;
}


static void estab_handler(void *arg)
{
	struct srvconn *c = arg;
	struct floorpart *fp;

	c->up = true;
	floortls_known(c->tls);
	--c->srv->handshakec;
	tmr_cancel(&c->tmr);
	fp = only_owner(c);
	if (fp)
		srvconn_bind(c, fp);
}


static int message_handler(const uint8_t *msg, size_t len, bool too_long,
			   void *arg)
{
	struct srvconn *c = arg;

	if (bucket_take(&c->messages, MSG_BURST, MSG_MS, 1, floorconf_now())) {
		srvmsg_recv(c, msg, len, too_long);
	}
	else {
		log_warn("ev=floor_flood user=%u",
			 c->part ? c->part->user : 0);
		srvconn_end(c);
	}

	return c->ending ? ECONNABORTED : 0;
}


static void recv_handler(const uint8_t *p, size_t n, void *arg)
{
	struct srvconn *c = arg;
	int err;

	if (c->ending)
		return;

	err = bfcpm_frame_feed(&c->frame, p, n, message_handler, c);
	if (c->ending)
		return;
	if (err)
		srvconn_end(c);
	else if (!bfcpm_frame_partial(&c->frame))
		tmr_cancel(&c->tmr);
	else if (!tmr_isrunning(&c->tmr))
		tmr_start(&c->tmr, PARTIAL_MS, timeout_handler, c);
}


static void retry_handler(void *arg)
{
	struct floorpart *fp = arg;

	if (!fp->conn && sa_isset(&fp->peer, SA_ALL))
		(void)srvconn_open(fp);
}


static void close_handler(int err, void *arg)
{
	struct srvconn *c = arg;
	struct floorpart *fp = c->for_part;

	if (c->part)
		log_info("ev=floor_closed conf=%s user=%u err=%d",
			 c->part->fc->label, c->part->user, err);
	/* who opened it brings it back (RFC 8856 section 7) */
	if (fp && sa_isset(&fp->peer, SA_ALL))
		tmr_start(&fp->tmr, RETRY_MS, retry_handler, fp);
	srvconn_end(c);
}


static const struct floortls_handlers handlers = {
	verify_handler, estab_handler, recv_handler, close_handler,
};


static int conn_new(struct srvconn **cp, struct floorsrv *srv)
{
	struct srvconn *c = mem_zalloc(sizeof(*c), destructor);

	if (!c)
		return ENOMEM;

	c->srv = srv;
	tmr_init(&c->tmr);
	bfcpm_frame_init(&c->frame, FLOORSRV_MSG_MAX);
	*cp = c;

	return 0;
}


static void started(struct srvconn *c)
{
	struct floorsrv *srv = c->srv;

	++srv->stats.connections;
	++srv->handshakec;
	list_append(&srv->connl, &c->le, c);
	tmr_start(&c->tmr, HANDSHAKE_MS, timeout_handler, c);
}


/** Too many who have not shown a certificate: the oldest one goes */
static void make_room(struct floorsrv *srv)
{
	struct le *le = list_head(&srv->connl);

	while (le && srv->handshakec >= HANDSHAKE_CONNS) {
		struct srvconn *c = le->data;

		le = le->next;
		if (!c->up)
			mem_deref(c);
	}
}


void srvconn_accept(struct floorsrv *srv, struct tcp_sock *ts, bool tls_server)
{
	struct srvconn *c;
	unsigned left_out;

	if (srv->stats.connections >= srv->max) {
		if (log_limit_ok(&limit_full, &left_out))
			log_warn("ev=floor_refused reason=max_connections"
				 " left_out=%u", left_out);
		tcp_reject(ts);
		return;
	}

	make_room(srv);
	if (conn_new(&c, srv)) {
		tcp_reject(ts);
		return;
	}
	if (floortls_accept(&c->tls, srv->ctx, ts, tls_server, &handlers, c)) {
		tcp_reject(ts);
		mem_deref(c);
		return;
	}
	c->tls_server = tls_server;
	started(c);
}


int srvconn_open(struct floorpart *fp)
{
	struct srvconn *c;
	int err;

	err = conn_new(&c, fp->fc->srv);
	if (err)
		return err;

	c->for_part = fp;
	err = floortls_connect(&c->tls, fp->fc->srv->ctx, &fp->peer,
			       fp->tls_server, &handlers, c);
	if (err)
		mem_deref(c);
	else
		started(c);

	return err;
}
