/**
 * @file fuzz_mp.c  Fuzz target: Mp framing and unpacking
 *
 * The first byte says in what pieces the rest arrives.  Beside "no crash":
 * the same messages come out, and the same verdict, as when it arrives at
 * once, and each message packs and unpacks to itself.  (Not if it has fields
 * that we do not know: protobuf-c 1.4 takes field number 0 in an overlong
 * spelling, and then packs what it would not unpack.)
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "fuzz.h"
#include "mpconn.h"

enum { INPUT_MAX = 2 * MP_MSG_MAX };

/* What came out of one connection */
struct outcome {
	unsigned messages;
	uint64_t hash;          /* FNV-1a over all of them, packed again */
	int err;
};


static void hash_add(uint64_t *hash, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		*hash ^= p[i];
		*hash *= UINT64_C(0x100000001b3);
	}
}


static bool all_known(const ProtobufCMessage *msg);


/* A field of message type: does any of its messages have unknown fields? */
static bool field_known(const uint8_t *base,
			const ProtobufCFieldDescriptor *fd)
{
	const uint8_t *at = base + fd->offset;
	const ProtobufCMessage *one, *const *v;
	uint32_t which;
	size_t n;

	if (fd->label == PROTOBUF_C_LABEL_REPEATED) {
		memcpy(&n, base + fd->quantifier_offset, sizeof(n));
		memcpy(&v, at, sizeof(v));
		while (n) {
			if (!all_known(v[--n]))
				return false;
		}
		return true;
	}

	if (fd->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		memcpy(&which, base + fd->quantifier_offset, sizeof(which));
		if (which != fd->id)
			return true;
	}
	memcpy(&one, at, sizeof(one));

	return !one || all_known(one);
}


static bool all_known(const ProtobufCMessage *msg)
{
	const ProtobufCMessageDescriptor *md = msg->descriptor;

	if (msg->n_unknown_fields)
		return false;

	for (unsigned i = 0; i < md->n_fields; i++) {
		if (md->fields[i].type == PROTOBUF_C_TYPE_MESSAGE &&
		    !field_known((const uint8_t *)msg, &md->fields[i]))
			return false;
	}

	return true;
}


static void check_round_trip(const uint8_t *p, size_t len)
{
	Mp__Message *again = mp__message__unpack(NULL, len, p);
	uint8_t *q = malloc(len + 1);

	FUZZ_ASSERT(again && q);
	FUZZ_ASSERT(mp__message__get_packed_size(again) == len);
	FUZZ_ASSERT(mp__message__pack(again, q) == len);
	FUZZ_ASSERT(!memcmp(p, q, len));
	mp__message__free_unpacked(again, NULL);
	free(q);
}


static void msg_handler(const Mp__Message *msg, void *arg)
{
	struct outcome *oc = arg;
	const size_t len = mp__message__get_packed_size(msg);
	uint8_t *p = malloc(len + 1);

	FUZZ_ASSERT(p);
	FUZZ_ASSERT(mp__message__pack(msg, p) == len);
	if (all_known(&msg->base))
		check_round_trip(p, len);

	++oc->messages;
	hash_add(&oc->hash, p, len);
	free(p);
}


static struct outcome run(const uint8_t *data, size_t size, size_t piece)
{
	struct outcome oc = { 0, UINT64_C(0xcbf29ce484222325), 0 };
	struct mpconn *mc = NULL;
	int fd[2];

	FUZZ_ASSERT(!socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	FUZZ_ASSERT(!mpconn_new(&mc, fd[0], msg_handler, &oc));

	for (size_t pos = 0; pos < size && !oc.err;) {
		const size_t left = size - pos;
		const ssize_t n = send(fd[1], data + pos,
				       left < piece ? left : piece,
				       MSG_DONTWAIT);

		FUZZ_ASSERT(n > 0);
		pos += (size_t)n;
		oc.err = mpconn_readable(mc);
		FUZZ_ASSERT(!oc.err || oc.err == EBADMSG);
	}

	close(fd[1]);
	FUZZ_ASSERT(mpconn_readable(mc) == (oc.err ? oc.err : ECONNRESET));
	mpconn_free(&mc);

	return oc;
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome a, b;
	size_t piece;

	if (!size || size > INPUT_MAX)
		return 0;

	/* 1..255, or large pieces that cross the read buffer's end */
	piece = data[0] ? data[0] : 60000;
	++data;
	--size;

	/* single bytes of a long input would only be slow */
	if (size / piece > 4096)
		piece = size / 4096;

	a = run(data, size, piece);
	b = run(data, size, 32 * 1024);
	FUZZ_ASSERT(a.messages == b.messages);
	FUZZ_ASSERT(a.hash == b.hash);
	FUZZ_ASSERT(a.err == b.err);

	return 0;
}
