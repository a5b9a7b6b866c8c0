/**
 * @file fuzz_mp.c  Fuzz target: Mp framing and unpacking
 *
 * The first byte says in what pieces the rest arrives.  Beside "no crash":
 * the same messages come out, and the same verdict, as when it arrives at
 * once, and each message packs and unpacks to itself within the bound.
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


static void msg_handler(const Mp__Message *msg, void *arg)
{
	struct outcome *oc = arg;
	const size_t len = mp__message__get_packed_size(msg);
	uint8_t *p = malloc(len + 1), *q = malloc(len + 1);
	Mp__Message *again;

	FUZZ_ASSERT(p && q);
	FUZZ_ASSERT(mp__message__pack(msg, p) == len);
	again = mp__message__unpack(NULL, len, p);
	FUZZ_ASSERT(again);
	FUZZ_ASSERT(mp__message__get_packed_size(again) == len);
	FUZZ_ASSERT(mp__message__pack(again, q) == len);
	FUZZ_ASSERT(!memcmp(p, q, len));

	++oc->messages;
	hash_add(&oc->hash, p, len);
	mp__message__free_unpacked(again, NULL);
	free(p);
	free(q);
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
