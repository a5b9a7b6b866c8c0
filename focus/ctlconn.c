/**
 * @file ctlconn.c  One connection of the control socket
 *
 * Lines are handled one at a time: while a deferred request is open or the
 * peer does not read its replies, nothing more is read from it.
 */
#include "config.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "ctlconn.h"

struct ctl_conn {
	struct le le;
	struct ctlsock *cs;             /* NULL: the socket has gone           */
	int fd;
	struct mbuf *rx;                /* 0..end: received, not yet handled   */
	struct mbuf *tx;                /* pos..end: not yet sent              */
	struct ctl_req *req;            /* deferred and not yet answered       */
	bool answered;                  /* the line at hand has its reply      */
	bool stream;                    /* is sent what is published           */
	char *topic;                    /* of the stream; NULL: all            */
	bool last;                      /* no more requests: close when sent   */
	struct tmr tmr;
};

struct ctl_req {
	struct ctl_conn *conn;          /* NULL: nobody waits any more         */
};

static void conn_h(int flags, void *arg);
static void timeout_h(void *arg);

static void conn_destructor(void *arg)
{
	struct ctl_conn *conn = arg;

	tmr_cancel(&conn->tmr);
	list_unlink(&conn->le);
	if (conn->cs && conn->cs->running == conn)
		conn->cs->running = NULL;
	if (conn->req)
		conn->req->conn = NULL;
	if (conn->fd >= 0) {
		fd_close(conn->fd);
		(void)close(conn->fd);
	}
	if (conn->stream && conn->cs)
		--conn->cs->streamc;
	mem_deref(conn->topic);
	mem_deref(conn->rx);
	mem_deref(conn->tx);
}

int ctl_conn_add(struct ctlsock *cs, int fd)
{
	struct ctl_conn *conn;
	int err;

	conn = mem_zalloc(sizeof(*conn), conn_destructor);
	if (!conn)
		return ENOMEM;

	conn->fd = -1;
	tmr_init(&conn->tmr);
	conn->rx = mbuf_alloc(512);
	conn->tx = mbuf_alloc(512);
	err = conn->rx && conn->tx ? fd_listen(fd, FD_READ, conn_h, conn) : ENOMEM;
	if (err) {
		mem_deref(conn);
		return err;
	}

	conn->cs = cs;
	conn->fd = fd;
	list_append(&cs->connl, &conn->le, conn);
	tmr_start(&conn->tmr, cs->idle_ms, timeout_h, conn);

	return 0;
}

void ctl_conn_flush(struct ctlsock *cs)
{
	struct le *le;

	/* One whose handler is running lives a little longer */
	LIST_FOREACH(&cs->connl, le) {
		struct ctl_conn *conn = le->data;

		conn->cs = NULL;
		tmr_cancel(&conn->tmr);
	}
	list_flush(&cs->connl);
}

/* Queue one line; a reply that is too large becomes an error */
static void queue_line(struct ctl_conn *conn, const json_t *reply)
{
	static const char too_large[] = "{\"ok\":false,\"error\":\"reply too large\"}";
	char *line = json_dumps(reply, JSON_COMPACT);
	const char *text = line && strlen(line) < CTL_REPLY_MAX ? line : too_large;
	const size_t pos = conn->tx->pos;

	conn->tx->pos = conn->tx->end;
	if (mbuf_write_str(conn->tx, text) || mbuf_write_u8(conn->tx, '\n'))
		conn->last = true;
	conn->tx->pos = pos;
	free(line);
}

/* Reply to one request; takes over resp */
static void queue_reply(struct ctl_conn *conn, int err, json_t *resp)
{
	json_t *reply = json_object();

	(void)json_object_set_new(reply, "ok", json_boolean(!err));
	if (!err) {
		if (json_is_object(resp))
			(void)json_object_update_missing(reply, resp);
	}
	else {
		const char *reason = json_is_string(resp) ? json_string_value(resp) : strerror(err);

		(void)json_object_set_new(reply, "error", json_string(reason));
	}

	queue_line(conn, reply);
	conn->answered = true;
	json_decref(reply);
	json_decref(resp);
}

static json_t *help(const struct ctlsock *cs)
{
	json_t *v = json_array();

	for (size_t i = 0; i < cs->cmdc; i++)
		(void)json_array_append_new(v, json_pack("{s:s, s:s}", "name", cs->cmdv[i].name,
							 "help", cs->cmdv[i].help));

	return json_pack("{s:o}", "commands", v);
}

static int run(struct ctl_conn *conn, json_t *args, json_t **resp)
{
	struct ctlsock *cs = conn->cs;
	const char *name = json_string_value(json_object_get(args, "cmd"));
	int err;

	if (!name) {
		*resp = json_string("no \"cmd\" in the request");
		return EBADMSG;
	}

	for (size_t i = 0; i < cs->cmdc; i++) {
		if (strcmp(cs->cmdv[i].name, name))
			continue;

		cs->running = conn;
		err = cs->cmdv[i].h(args, resp, cs->arg);
		/* The handler may have dropped the whole socket */
		if (conn->cs)
			conn->cs->running = NULL;
		return err;
	}

	if (0 == strcmp(name, "help")) {
		*resp = help(cs);
		return 0;
	}

	*resp = json_string("unknown command");

	return ENOSYS;
}

static void handle_line(struct ctl_conn *conn, const char *line, size_t len)
{
	json_error_t jerr;
	json_t *args = json_loadb(line, len, JSON_REJECT_DUPLICATES, &jerr), *resp = NULL;
	int err;

	conn->answered = false;
	if (json_is_object(args)) {
		err = run(conn, args, &resp);
	}
	else {
		err = EBADMSG;
		resp = json_string("not a JSON object");
	}
	json_decref(args);

	if (conn->answered || (err == EINPROGRESS && conn->req)) {
		json_decref(resp);
		return;
	}

	/* Whoever answers at once gives up the deferred answer */
	if (conn->req) {
		conn->req->conn = NULL;
		conn->req = NULL;
	}
	queue_reply(conn, err == EINPROGRESS ? ECANCELED : err, resp);
}

static bool tx_pending(const struct ctl_conn *conn)
{
	return conn->tx->pos < conn->tx->end;
}

static bool has_line(const struct ctl_conn *conn)
{
	return memchr(conn->rx->buf, '\n', conn->rx->end) != NULL;
}

/* One by one, until one is deferred or its reply has to be sent */
static void handle_lines(struct ctl_conn *conn)
{
	struct mbuf *rx = conn->rx;
	size_t done = 0;

	while (conn->cs && !conn->req && !tx_pending(conn)) {
		const char *line = (const char *)rx->buf + done;
		const char *nl = memchr(line, '\n', rx->end - done);

		if (!nl)
			break;

		done += (size_t)(nl - line) + 1;
		if (nl > line)
			handle_line(conn, line, (size_t)(nl - line));
	}

	if (done) {
		memmove(rx->buf, rx->buf + done, rx->end - done);
		rx->end -= done;
	}
}

/* Read what there is; never more than one request beyond the limit */
static int receive(struct ctl_conn *conn)
{
	struct mbuf *rx = conn->rx;
	ssize_t n;

	if (rx->size < CTL_REQUEST_MAX + 1 && rx->size - rx->end < 512) {
		const int err = mbuf_resize(rx, rx->size * 2 < CTL_REQUEST_MAX + 1 ?
					    rx->size * 2 : CTL_REQUEST_MAX + 1);
		if (err)
			return err;
	}

	n = recv(conn->fd, rx->buf + rx->end, rx->size - rx->end, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : errno;
	if (n == 0)
		conn->last = true;
	rx->end += (size_t)n;

	return 0;
}

static int transmit(struct ctl_conn *conn)
{
	struct mbuf *tx = conn->tx;

	while (tx_pending(conn)) {
		const ssize_t n = send(conn->fd, tx->buf + tx->pos, tx->end - tx->pos, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : errno;
		tx->pos += (size_t)n;
		tmr_start(&conn->tmr, conn->cs->idle_ms, timeout_h, conn);
	}
	tx->pos = tx->end = 0;
	if (conn->stream)
		tmr_cancel(&conn->tmr);

	return 0;
}

/* Handle and send as far as it goes now */
static int pump(struct ctl_conn *conn)
{
	int err;

	do {
		handle_lines(conn);
		if (!conn->cs)
			return ENOTCONN;

		if (!conn->req && !has_line(conn) && conn->rx->end > CTL_REQUEST_MAX) {
			queue_reply(conn, EMSGSIZE, json_string("request too large"));
			conn->rx->end = 0;
			conn->last = true;
		}

		err = transmit(conn);
	} while (!err && !conn->req && !tx_pending(conn) && has_line(conn));

	return err;
}

/* Go on after anything has happened; the connection may be gone afterwards */
static void advance(struct ctl_conn *conn)
{
	int flags = 0, err;

	/* A handler may drop the socket, and with it this connection */
	mem_ref(conn);
	err = pump(conn);
	if (!conn->cs)
		goto out;

	/* a stream is also read, to see that the peer has gone */
	if (tx_pending(conn))
		flags = FD_WRITE | (conn->stream && !conn->last ? FD_READ : 0);
	else if (!conn->last && !conn->req)
		flags = FD_READ;

	if (flags && !err)
		err = fd_listen(conn->fd, flags, conn_h, conn);
	else
		fd_close(conn->fd);

	/* Nothing to wait for: the list's reference goes */
	if (err || (!flags && !conn->req))
		mem_deref(conn);

 out:
	mem_deref(conn);
}

static void conn_h(int flags, void *arg)
{
	struct ctl_conn *conn = arg;

	if (flags & (FD_READ | FD_EXCEPT)) {
		if (receive(conn)) {
			mem_deref(conn);
			return;
		}
		if (!conn->stream)
			tmr_start(&conn->tmr, conn->cs->idle_ms, timeout_h,
				  conn);
	}

	advance(conn);
}

static void timeout_h(void *arg)
{
	struct ctl_conn *conn = arg;

	if (!conn->req) {
		mem_deref(conn);
		return;
	}

	/* The answer is late, the connection is not to blame */
	conn->req->conn = NULL;
	conn->req = NULL;
	tmr_start(&conn->tmr, conn->cs->idle_ms, timeout_h, conn);
	queue_reply(conn, ETIMEDOUT, NULL);
	advance(conn);
}

static void answer(struct ctl_req *req, int err, json_t *resp)
{
	struct ctl_conn *conn = req->conn;

	if (!conn) {
		json_decref(resp);
		return;
	}

	req->conn = NULL;
	conn->req = NULL;
	queue_reply(conn, err, resp);
	/* Inside a handler its caller goes on */
	if (conn->cs && conn->cs->running != conn)
		advance(conn);
}

static void req_destructor(void *arg)
{
	struct ctl_req *req = arg;
	struct ctl_conn *conn = req->conn;

	/* Dropped inside its own handler: what that returns is the answer */
	if (conn && conn->cs && conn->cs->running == conn)
		conn->req = NULL;
	else
		answer(req, ECANCELED, NULL);
}

struct ctl_req *ctlsock_defer(struct ctlsock *cs)
{
	struct ctl_conn *conn = cs ? cs->running : NULL;
	struct ctl_req *req;

	if (!conn || conn->req)
		return NULL;

	req = mem_zalloc(sizeof(*req), req_destructor);
	if (!req)
		return NULL;

	req->conn = conn;
	conn->req = req;

	return req;
}

void ctlsock_reply(struct ctl_req *req, int err, json_t *resp)
{
	if (!req) {
		json_decref(resp);
		return;
	}

	answer(req, err, resp);
	mem_deref(req);
}

int ctlsock_stream(struct ctlsock *cs, const char *topic)
{
	struct ctl_conn *conn = cs ? cs->running : NULL;
	char *copy = NULL;

	if (!conn)
		return EINVAL;
	if (!conn->stream && cs->streamc >= CTLSOCK_STREAM_MAX)
		return EBUSY;
	if (topic && str_dup(&copy, topic))
		return ENOMEM;

	cs->streamc += !conn->stream;
	conn->stream = true;
	mem_deref(conn->topic);
	conn->topic = copy;

	return 0;
}

unsigned ctlsock_stream_count(const struct ctlsock *cs)
{
	return cs ? cs->streamc : 0;
}

static void append(struct mbuf *tx, const char *line, bool *failed)
{
	const size_t pos = tx->pos;

	/* what was sent already makes room */
	memmove(tx->buf, tx->buf + pos, tx->end - pos);
	tx->end -= pos;

	tx->pos = tx->end;
	*failed = mbuf_write_str(tx, line) || mbuf_write_u8(tx, '\n');
	tx->pos = 0;
}

/* Nothing is sent from here, and no connection goes: a change may come from a
   command of this or another connection */
static void publish(struct ctl_conn *conn, const char *line)
{
	struct mbuf *tx = conn->tx;
	bool failed = tx->end - tx->pos > CTLSOCK_STREAM_BUF;

	if (!failed) {
		if (!tx_pending(conn))
			tmr_start(&conn->tmr, conn->cs->idle_ms, timeout_h, conn);
		append(tx, line, &failed);
	}
	if (failed) {
		/* It does not read, so it will not become writable either */
		tx->pos = tx->end = 0;
		conn->last = true;
		tmr_start(&conn->tmr, 0, timeout_h, conn);
		return;
	}

	/* Inside a handler its caller goes on */
	if (conn->cs->running != conn)
		(void)fd_listen(conn->fd, FD_READ | FD_WRITE, conn_h, conn);
}

void ctl_conn_publish(struct ctlsock *cs, const char *topic, const char *line)
{
	struct le *le;

	LIST_FOREACH(&cs->connl, le) {
		struct ctl_conn *conn = le->data;

		if (conn->stream && !conn->last && (!conn->topic || !str_cmp(conn->topic, topic)))
			publish(conn, line);
	}
}
