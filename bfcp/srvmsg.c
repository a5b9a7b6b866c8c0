/**
 * @file bfcp/srvmsg.c  What a client's messages do
 *
 * The order of the checks is that of RFC 8855 section 13: version, primitive,
 * conference, whose connection it is, form, unknown mandatory attributes, and
 * only then what the message wants.
 */
#include <string.h>
#include "srv_priv.h"
#include "log.h"

/** A message and where it came from */
struct in {
	struct srvconn *c;
	struct floorpart *part;
	struct floors *fs;
	const struct bfcpm *m;
};


/* ---- sending --------------------------------------------------------------- */

static void send_mb(struct srvconn *c, const struct mbuf *mb, int err)
{
	if (!err)
		err = srvconn_send(c, mb->buf, mb->end);
	if (err)
		srvconn_end(c);
}


static void send_error(struct srvconn *c, const struct bfcpm_hdr *to,
		       int code, const struct bfcpm *m)
{
	struct mbuf *mb = mbuf_alloc(64);
	int err;

	if (!mb)
		return;

	++c->srv->stats.errors;
	log_debug("ev=floor_error conf=%u user=%u primitive=%s code=%d",
		  to->conf, to->user, bfcpm_prim_name(to->prim), code);
	err = bfcpm_encode_error(mb, to, (enum bfcpm_error)code,
				 m ? m->unknownv : NULL, m ? m->unknownc : 0);
	send_mb(c, mb, err);
	mem_deref(mb);
}


/** Answer with the header of the question (section 8.2) */
static void answer(const struct in *in,
		   int (*enc)(struct mbuf *mb, const struct bfcpm_hdr *h))
{
	struct mbuf *mb = mbuf_alloc(128);

	if (!mb)
		return;

	send_mb(in->c, mb, enc(mb, &in->m->hdr));
	mem_deref(mb);
}


/* ---- one primitive each; 0 or enum bfcpm_error ------------------------------- */

static int floor_request_recv(const struct in *in)
{
	const struct bfcpm *m = in->m;
	struct floor_ask ask;

	memset(&ask, 0, sizeof(ask));
	ask.user = in->part->user;
	if (m->beneficiary_id.set) {
		if (!floor_user_find(in->fs, m->beneficiary_id.v))
			return BFCPM_ERR_USER;
		ask.beneficiary = m->beneficiary_id.v;
	}
	memcpy(ask.floorv, m->floors.v, sizeof(ask.floorv));
	ask.floorc = m->floors.c;
	ask.prio = m->prio;
	ask.info = m->info;
	ask.tid = m->hdr.tid;

	return floor_request(in->fs, &ask, floorconf_now());
}


static int floor_release_recv(const struct in *in)
{
	return floor_release(in->fs, in->part->user, in->m->request_id.v,
			     in->m->hdr.tid, floorconf_now());
}


static int request_query_recv(const struct in *in)
{
	const struct floor_req *r =
		floor_req_find(in->fs, in->m->request_id.v);
	struct mbuf *mb;

	if (!r)
		return BFCPM_ERR_REQUEST;
	if (!floor_req_mine(in->fs, r, in->part->user))
		return BFCPM_ERR_UNAUTHORIZED;

	mb = mbuf_alloc(256);
	if (!mb)
		return BFCPM_ERR_GENERIC;
	send_mb(in->c, mb, srvout_request(mb, &in->m->hdr, in->fs, r));
	mem_deref(mb);

	return 0;
}


static int user_query_recv(const struct in *in)
{
	const bool named = in->m->beneficiary_id.set;
	const uint16_t user = named ? in->m->beneficiary_id.v
				    : in->part->user;
	struct mbuf *mb;

	if (!floor_user_find(in->fs, user))
		return BFCPM_ERR_USER;
	if (user != in->part->user &&
	    !floor_is_chair(in->fs, in->part->user))
		return BFCPM_ERR_UNAUTHORIZED;

	mb = mbuf_alloc(512);
	if (!mb)
		return BFCPM_ERR_GENERIC;
	send_mb(in->c, mb,
		srvout_user(mb, &in->m->hdr, in->fs, user, named));
	mem_deref(mb);

	return 0;
}


static int enc_empty_floor_status(struct mbuf *mb, const struct bfcpm_hdr *h)
{
	struct bfcpm m;

	memset(&m, 0, sizeof(m));
	m.hdr = *h;
	m.hdr.prim = BFCPM_FLOOR_STATUS;

	return bfcpm_encode(mb, &m);
}


/** Replaces what it asked for before; the first answer has its transaction */
static int floor_query_recv(const struct in *in)
{
	const struct bfcpm_ids *ids = &in->m->floors;
	struct bfcpm_hdr h = in->m->hdr;

	for (unsigned i = 0; i < ids->c; i++) {
		if (!floor_exists(in->fs, ids->v[i]))
			return BFCPM_ERR_FLOOR;
	}

	in->part->subs = *ids;
	if (!ids->c)
		answer(in, enc_empty_floor_status);

	for (unsigned i = 0; i < ids->c; i++, h.tid = 0) {
		struct mbuf *mb = mbuf_alloc(1024);

		if (!mb)
			return BFCPM_ERR_GENERIC;
		send_mb(in->c, mb, srvout_floor(mb, &h, in->fs, ids->v[i]));
		mem_deref(mb);
	}

	return 0;
}


static int enc_chair_ack(struct mbuf *mb, const struct bfcpm_hdr *h)
{
	struct bfcpm m;

	memset(&m, 0, sizeof(m));
	m.hdr = *h;
	m.hdr.prim = BFCPM_CHAIR_ACTION_ACK;

	return bfcpm_encode(mb, &m);
}


static int chair_action_recv(const struct in *in)
{
	const struct bfcpm_req *action = &in->m->reqs.v[0];
	int err;

	err = floor_chair_check(in->fs, in->part->user, action);
	if (err)
		return err;

	answer(in, enc_chair_ack);
	floor_chair_action(in->fs, in->part->user, action, floorconf_now());

	return 0;
}


static int hello_recv(const struct in *in)
{
	answer(in, bfcpm_encode_hello_ack);

	return 0;
}


static int not_for_servers(const struct in *in)
{
	(void)in;

	return BFCPM_ERR_PRIMITIVE;
}


/** An Error or an acknowledgement is never answered */
static int ignored(const struct in *in)
{
	(void)in;

	return 0;
}


static int (*const recvv[BFCPM_PRIM_MAX + 1])(const struct in *in) = {
	[BFCPM_FLOOR_REQUEST]            = floor_request_recv,
	[BFCPM_FLOOR_RELEASE]            = floor_release_recv,
	[BFCPM_FLOOR_REQUEST_QUERY]      = request_query_recv,
	[BFCPM_FLOOR_REQUEST_STATUS]     = not_for_servers,
	[BFCPM_USER_QUERY]               = user_query_recv,
	[BFCPM_USER_STATUS]              = not_for_servers,
	[BFCPM_FLOOR_QUERY]              = floor_query_recv,
	[BFCPM_FLOOR_STATUS]             = not_for_servers,
	[BFCPM_CHAIR_ACTION]             = chair_action_recv,
	[BFCPM_CHAIR_ACTION_ACK]         = ignored,
	[BFCPM_HELLO]                    = hello_recv,
	[BFCPM_HELLO_ACK]                = ignored,
	[BFCPM_ERROR]                    = ignored,
	[BFCPM_FLOOR_REQUEST_STATUS_ACK] = ignored,
	[BFCPM_FLOOR_STATUS_ACK]         = ignored,
	[BFCPM_GOODBYE]                  = not_for_servers,
	[BFCPM_GOODBYE_ACK]              = ignored,
};


/* ---- whose message it is ----------------------------------------------------- */

static bool has_part_in(const struct srvconn *c, const struct floorconf *fc)
{
	struct le *le;

	for (le = fc ? list_head(&fc->partl) : NULL; le; le = le->next) {
		if (srvconn_owns(c, le->data))
			return true;
	}

	return false;
}


/**
 * "the floor control server MUST check that messages arriving over a given
 * authenticated TLS/DTLS connection use an authorized User ID" (section 9.1).
 * A conference that this connection has no part in does not exist for it.
 *
 * @return 0, with the participant, or enum bfcpm_error
 */
static int identify(struct srvconn *c, const struct bfcpm_hdr *h,
		    struct floorpart **partp)
{
	const struct floorconf *fc = floorconf_find(c->srv, h->conf);
	struct floorpart *fp;

	if (c->part ? c->part->fc != fc : !has_part_in(c, fc))
		return BFCPM_ERR_CONFERENCE;

	fp = floorpart_find(fc, h->user);
	if (!fp)
		return BFCPM_ERR_USER;
	if (c->part ? c->part != fp : !srvconn_owns(c, fp))
		return BFCPM_ERR_UNAUTHORIZED;

	if (!c->part)
		srvconn_bind(c, fp);
	*partp = fp;

	return 0;
}


/** What the decoder found, as a client is told; over: the stream is lost */
static int form_error(int err, bool *overp)
{
	*overp = err == EMSGSIZE || err == EBADMSG;
	switch (err) {

	case 0:         return 0;
	case EMSGSIZE:  return BFCPM_ERR_LENGTH;
	case EOVERFLOW: return BFCPM_ERR_GENERIC;
	default:        return BFCPM_ERR_PARSE;
	}
}


static int handle(struct srvconn *c, const struct bfcpm *m, int err,
		  bool *overp)
{
	struct in in = { c, NULL, NULL, m };
	int code;

	if (m->hdr.ver != BFCPM_VERSION)
		return BFCPM_ERR_VERSION;
	if (m->hdr.prim < 1 || m->hdr.prim > BFCPM_PRIM_MAX ||
	    recvv[m->hdr.prim] == not_for_servers)
		return BFCPM_ERR_PRIMITIVE;
	code = identify(c, &m->hdr, &in.part);
	if (!code)
		code = form_error(err, overp);
	if (!code && m->unknownc)
		code = BFCPM_ERR_ATTRIBUTE;
	/* section 8.1: "different from 0"; ours with 0 are no responses */
	if (!code && !m->hdr.tid && recvv[m->hdr.prim] != ignored)
		code = BFCPM_ERR_GENERIC;
	if (code)
		return code;

	in.fs = in.part->fc->fs;
	code = recvv[m->hdr.prim](&in);
	floorconf_touch(in.part->fc);

	return code;
}


/** An error about an acknowledgement or an Error would go round for ever */
static bool is_answered(uint8_t prim)
{
	return prim < 1 || prim > BFCPM_PRIM_MAX || recvv[prim] != ignored;
}


void srvmsg_recv(struct srvconn *c, const uint8_t *msg, size_t len,
		 bool too_long)
{
	struct bfcpm_req req;
	struct bfcpm m = { .reqs = { &req, 0, 1 } };
	bool over = false;
	int err, code;

	++c->srv->stats.messages;
	err = bfcpm_decode(&m, msg, len);
	code = handle(c, &m, too_long ? EMSGSIZE : err, &over);
	if (code && is_answered(m.hdr.prim))
		send_error(c, &m.hdr, code,
			   code == BFCPM_ERR_ATTRIBUTE ? &m : NULL);

	/* "MUST close the TCP connection" (section 6.1); one that is only too
	 * long was skipped, and the next one can be read */
	if (over && !too_long)
		srvconn_end(c);
}


/* ---- notifications ------------------------------------------------------------ */

void srvmsg_status(struct floorconf *fc, const struct floor_req *r,
		   uint16_t to, uint16_t tid)
{
	const struct bfcpm_hdr h = { .conf = fc->id, .tid = tid, .user = to };
	const struct floorpart *fp = floorpart_find(fc, to);
	struct mbuf *mb;

	if (!fp || !fp->conn)
		return;

	mb = mbuf_alloc(256);
	if (!mb)
		return;
	send_mb(fp->conn, mb, srvout_request(mb, &h, fc->fs, r));
	mem_deref(mb);
}


static bool wants(const struct floorpart *fp, uint16_t floor)
{
	for (unsigned i = 0; i < fp->subs.c; i++) {
		if (fp->subs.v[i] == floor)
			return true;
	}

	return false;
}


/** Encoded once; only the User ID in its header is each one's own */
size_t srvmsg_floor(struct floorconf *fc, uint16_t floor)
{
	struct bfcpm_hdr h = { .conf = fc->id };
	struct mbuf *mb = NULL;
	size_t bytes = 0;
	struct le *le;
	int err = 0;

	for (le = list_head(&fc->partl); le && !err; le = le->next) {
		const struct floorpart *fp = le->data;

		if (!fp->conn || !wants(fp, floor))
			continue;
		if (!mb) {
			mb = mbuf_alloc(1024);
			err = mb ? srvout_floor(mb, &h, fc->fs, floor)
				 : ENOMEM;
			if (err)
				break;
		}
		mb->buf[10] = (uint8_t)(fp->user >> 8);
		mb->buf[11] = (uint8_t)fp->user;
		bytes += mb->end;
		send_mb(fp->conn, mb, 0);
	}
	mem_deref(mb);

	return bytes;
}
