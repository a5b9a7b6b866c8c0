/**
 * @file mpconn.c  Transport of Mp messages
 *
 * A message is 32 bit of length, big-endian, and that many bytes of protobuf.
 * Input goes into one buffer that takes the longest message; output into one
 * that grows with what the peer does not take.  Both are wiped behind every
 * message that has gone through.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include "mpconn.h"

enum {
	LEN_SIZE = 4,
	IN_SIZE = LEN_SIZE + MP_MSG_MAX,
	OUT_SIZE_MIN = 4096,
	OUT_SIZE_IDLE = 64 * 1024, /* an empty larger buffer is given back   */
	READS_PER_CALL = 16,       /* then the owner's loop has its turn     */
	/*
	 * What one message may take when unpacked: an empty submessage is 2
	 * bytes on the wire and more than a hundred in memory.  The largest
	 * honest message, 64 KiB of packed one-byte numbers, takes 0.5 MiB.
	 */
	UNPACK_MAX = 2 * 1024 * 1024,
};

struct out_buf {
	uint8_t *p;
	size_t size;
	size_t pos;             /* first unsent byte */
	size_t end;
};

struct mpconn {
	int fd;
	mpconn_msg_h *msgh;
	void *arg;
	struct out_buf out;
	uint8_t *in;
	size_t inlen;
	int broken;             /* errno that ended it, 0: alive */
	bool reading;           /* inside mpconn_readable()      */
	bool freed;             /* by the handler, meanwhile     */
};


/*
 * Allocator for unpacked messages: counts what one message takes, and wipes.
 * Each block carries its size in front of it.
 */

union block {
	size_t size;
	max_align_t align;
};


static void *wipe_alloc(void *arg, size_t size)
{
	size_t *left = arg;
	union block *b;

	if (size > *left || size + sizeof(*b) > *left)
		return NULL;

	b = malloc(sizeof(*b) + size);
	if (!b)
		return NULL;

	*left -= size + sizeof(*b);
	b->size = size;

	return b + 1;
}


static void wipe_free(void *arg, void *p)
{
	size_t *left = arg;
	union block *b = p;

	if (!b)
		return;

	--b;
	*left += b->size + sizeof(*b);
	OPENSSL_cleanse(b, sizeof(*b) + b->size);
	free(b);
}


static void buf_wipe_free(uint8_t *p, size_t size)
{
	if (p)
		OPENSSL_cleanse(p, size);
	free(p);
}


int mpconn_new(struct mpconn **mcp, int fd, mpconn_msg_h *msgh, void *arg)
{
	struct mpconn *mc;
	int flags;

	if (!mcp || fd < 0 || !msgh)
		return EINVAL;

	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK))
		return errno;

	mc = calloc(1, sizeof(*mc));
	if (!mc)
		return ENOMEM;

	mc->in = malloc(IN_SIZE);
	if (!mc->in) {
		free(mc);
		return ENOMEM;
	}

	mc->fd = fd;
	mc->msgh = msgh;
	mc->arg = arg;
	*mcp = mc;

	return 0;
}


static void destroy(struct mpconn *mc)
{
	buf_wipe_free(mc->in, mc->inlen);
	buf_wipe_free(mc->out.p, mc->out.end);
	free(mc);
}


void mpconn_free(struct mpconn **mcp)
{
	struct mpconn *mc;

	if (!mcp || !*mcp)
		return;

	mc = *mcp;
	*mcp = NULL;
	(void)close(mc->fd);
	mc->fd = -1;
	mc->broken = EPIPE;

	/* called by the message handler: mpconn_readable() is still using it */
	if (mc->reading)
		mc->freed = true;
	else
		destroy(mc);
}


int mpconn_fd(const struct mpconn *mc)
{
	return mc ? mc->fd : -1;
}


/* Room for n more bytes; realloc() would leave a copy of keys behind */
static int out_reserve(struct out_buf *ob, size_t n)
{
	const size_t used = ob->end - ob->pos;
	size_t size = ob->size ? ob->size : OUT_SIZE_MIN;
	uint8_t *p;

	if (ob->size - ob->end >= n)
		return 0;

	/* twice the need: what is copied now is not copied again soon */
	while (size < 2 * (used + n))
		size *= 2;

	p = malloc(size);
	if (!p)
		return ENOMEM;

	if (used)
		memcpy(p, ob->p + ob->pos, used);
	buf_wipe_free(ob->p, ob->end);
	ob->p = p;
	ob->size = size;
	ob->pos = 0;
	ob->end = used;

	return 0;
}


/* n bytes are gone: wipe them, and start again at the front when empty */
static void out_sent(struct out_buf *ob, size_t n)
{
	OPENSSL_cleanse(ob->p + ob->pos, n);
	ob->pos += n;

	if (ob->pos < ob->end)
		return;

	ob->pos = ob->end = 0;
	if (ob->size > OUT_SIZE_IDLE) {
		free(ob->p);
		memset(ob, 0, sizeof(*ob));
	}
}


int mpconn_writable(struct mpconn *mc)
{
	if (!mc)
		return EINVAL;
	if (mc->broken)
		return EPIPE;

	while (mc->out.pos < mc->out.end) {
		const ssize_t n = send(mc->fd, mc->out.p + mc->out.pos,
				       mc->out.end - mc->out.pos,
				       MSG_NOSIGNAL);

		if (n >= 0) {
			out_sent(&mc->out, (size_t)n);
		}
		else if (errno == EAGAIN || errno == EWOULDBLOCK ||
			 errno == ENOBUFS) {
			return 0;
		}
		else if (errno != EINTR) {
			mc->broken = EPIPE;
			return EPIPE;
		}
	}

	return 0;
}


bool mpconn_want_write(const struct mpconn *mc)
{
	return mc && !mc->broken && !mc->reading && mc->out.pos < mc->out.end;
}


int mpconn_queue(struct mpconn *mc, const Mp__Message *msg)
{
	struct out_buf *ob;
	size_t len;
	uint8_t *p;
	int err;

	if (!mc || !msg)
		return EINVAL;
	if (mc->broken)
		return EPIPE;

	len = mp__message__get_packed_size(msg);
	if (len > MP_MSG_MAX)
		return EMSGSIZE;

	ob = &mc->out;
	if (ob->end - ob->pos + LEN_SIZE + len > MP_QUEUE_MAX)
		return ENOBUFS;

	err = out_reserve(ob, LEN_SIZE + len);
	if (err)
		return err;

	p = ob->p + ob->end;
	p[0] = (uint8_t)(len >> 24);
	p[1] = (uint8_t)(len >> 16);
	p[2] = (uint8_t)(len >> 8);
	p[3] = (uint8_t)len;
	(void)mp__message__pack(msg, p + LEN_SIZE);
	ob->end += LEN_SIZE + len;

	return 0;
}


int mpconn_send(struct mpconn *mc, const Mp__Message *msg)
{
	const int err = mpconn_queue(mc, msg);

	return err || mc->reading ? err : mpconn_writable(mc);
}


static int deliver(struct mpconn *mc, const uint8_t *p, size_t len)
{
	size_t left = UNPACK_MAX;
	ProtobufCAllocator wiping = { wipe_alloc, wipe_free, &left };
	Mp__Message *msg;

	msg = mp__message__unpack(&wiping, len, p);
	if (!msg)
		return EBADMSG;

	mc->msgh(msg, mc->arg);
	mp__message__free_unpacked(msg, &wiping);

	return 0;
}


/* Hand out every whole message in the buffer, then close up */
static int dispatch(struct mpconn *mc)
{
	size_t pos = 0;
	int err = 0;

	while (!err && !mc->freed && mc->inlen - pos >= LEN_SIZE) {
		const uint8_t *p = mc->in + pos;
		const size_t len = (size_t)p[0] << 24 | (size_t)p[1] << 16 |
				   (size_t)p[2] << 8  | (size_t)p[3];

		if (len > MP_MSG_MAX) {
			err = EBADMSG;
			break;
		}
		if (mc->inlen - pos < LEN_SIZE + len)
			break;

		err = deliver(mc, p + LEN_SIZE, len);
		pos += LEN_SIZE + len;
	}

	if (pos) {
		memmove(mc->in, mc->in + pos, mc->inlen - pos);
		OPENSSL_cleanse(mc->in + mc->inlen - pos, pos);
		mc->inlen -= pos;
	}

	return err;
}


static int read_all(struct mpconn *mc)
{
	for (unsigned i = 0; i < READS_PER_CALL && !mc->freed; i++) {
		const size_t room = IN_SIZE - mc->inlen;
		const ssize_t n = recv(mc->fd, mc->in + mc->inlen, room, 0);
		int err;

		if (!n)
			return ECONNRESET;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK
				? 0 : ECONNRESET;

		mc->inlen += (size_t)n;
		err = dispatch(mc);
		if (err)
			return err;

		/* a short read emptied the socket: spare one call */
		if ((size_t)n < room)
			return 0;
	}

	return 0;
}


int mpconn_readable(struct mpconn *mc)
{
	int err;

	if (!mc || mc->reading)
		return EINVAL;
	if (mc->broken)
		return mc->broken == EBADMSG ? EBADMSG : ECONNRESET;

	mc->reading = true;
	err = read_all(mc);
	mc->reading = false;

	if (mc->freed) {
		destroy(mc);
		return 0;
	}
	if (err)
		mc->broken = err;
	else if (mpconn_writable(mc))
		err = ECONNRESET;

	return err;
}
