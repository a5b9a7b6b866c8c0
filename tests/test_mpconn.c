/**
 * @file test_mpconn.c  Framed Mp messages on a socket pair
 */
#include "config.h"
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "check_run.h"
#include "mpconn.h"

enum { ID_MAX = 4096 };

static struct mpconn *mc;       /* the end under test     */
static int peer;                /* the other end, raw     */
static uint64_t idv[ID_MAX];    /* what the handler saw   */
static unsigned idc;
static uint8_t keysalt[46];
static size_t keysalt_len;
static bool free_in_handler;
static bool answer_in_handler;


static bool peer_has_any(void)
{
	struct pollfd pfd = { .fd = peer, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}


static void msg_handler(const Mp__Message *msg, void *arg)
{
	ck_assert_ptr_eq(&idc, arg);
	ck_assert_uint_lt(idc, ID_MAX);
	idv[idc++] = msg->id;

	if (msg->body_case == MP__MESSAGE__BODY_KEY_INSTALL &&
	    msg->key_install->key) {
		const Mp__Key *key = msg->key_install->key;

		ck_assert_uint_le(key->keysalt.len, sizeof(keysalt));
		keysalt_len = key->keysalt.len;
		if (keysalt_len)
			memcpy(keysalt, key->keysalt.data, keysalt_len);
	}
	if (answer_in_handler) {
		/* the peer is woken once, after the last one */
		ck_assert_int_eq(0, mpconn_send(mc, msg));
		ck_assert(!peer_has_any());
		ck_assert(!mpconn_want_write(mc));
	}
	if (free_in_handler)
		mpconn_free(&mc);
}


static void setup(void)
{
	int fd[2];

	ck_assert_int_eq(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	peer = fd[1];
	ck_assert_int_eq(0, mpconn_new(&mc, fd[0], msg_handler, &idc));
}


static void teardown(void)
{
	mpconn_free(&mc);
	if (peer >= 0)
		close(peer);
}


static void feed(const void *p, size_t len)
{
	ck_assert_int_eq((ssize_t)len, write(peer, p, len));
}


/* A ping with an id, framed; returns its length */
static size_t ping_frame(uint8_t *p, uint64_t id)
{
	Mp__Message msg = MP__MESSAGE__INIT;
	Mp__Ping ping = MP__PING__INIT;
	size_t len;

	msg.id = id;
	msg.body_case = MP__MESSAGE__BODY_PING;
	msg.ping = &ping;
	len = mp__message__pack(&msg, p + 4);
	p[0] = p[1] = p[2] = 0;
	p[3] = (uint8_t)len;

	return 4 + len;
}


static int send_name(size_t len)
{
	Mp__Message msg = MP__MESSAGE__INIT;
	Mp__ConfSet cs = MP__CONF_SET__INIT;
	char *name = malloc(len + 1);
	int err;

	memset(name, 'n', len);
	name[len] = '\0';
	msg.id = 1;
	msg.body_case = MP__MESSAGE__BODY_CONF_SET;
	msg.conf_set = &cs;
	cs.name = name;
	err = mpconn_send(mc, &msg);
	free(name);

	return err;
}


START_TEST(message_arrives_as_it_was_sent)
{
	uint8_t bytes[30];
	Mp__Message msg = MP__MESSAGE__INIT;
	Mp__KeyInstall ki = MP__KEY_INSTALL__INIT;
	Mp__Key key = MP__KEY__INIT;
	struct mpconn *a = NULL, *b = NULL;
	int fd[2];

	memset(bytes, 0x5a, sizeof(bytes));
	msg.id = UINT64_C(1) << 40;
	msg.body_case = MP__MESSAGE__BODY_KEY_INSTALL;
	msg.key_install = &ki;
	ki.key = &key;
	key.keysalt.data = bytes;
	key.keysalt.len = sizeof(bytes);

	ck_assert_int_eq(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	ck_assert_int_eq(0, mpconn_new(&a, fd[0], msg_handler, &idc));
	ck_assert_int_eq(0, mpconn_new(&b, fd[1], msg_handler, &idc));
	ck_assert_int_eq(fd[0], mpconn_fd(a));

	ck_assert_int_eq(0, mpconn_send(a, &msg));
	ck_assert(!mpconn_want_write(a));
	ck_assert_int_eq(0, mpconn_readable(b));
	ck_assert_uint_eq(1, idc);
	ck_assert_uint_eq(msg.id, idv[0]);
	ck_assert_uint_eq(sizeof(bytes), keysalt_len);
	ck_assert_mem_eq(bytes, keysalt, sizeof(bytes));
	mpconn_free(&a);
	mpconn_free(&b);
	ck_assert_ptr_null(a);
}
END_TEST


START_TEST(what_is_queued_waits_for_its_owner)
{
	Mp__Message msg = MP__MESSAGE__INIT;

	ck_assert_int_eq(0, mpconn_queue(mc, &msg));
	ck_assert_int_eq(0, mpconn_queue(mc, &msg));
	ck_assert(!peer_has_any());
	ck_assert(mpconn_want_write(mc));
	ck_assert_int_eq(0, mpconn_writable(mc));
	ck_assert(peer_has_any());
	ck_assert(!mpconn_want_write(mc));
}
END_TEST


START_TEST(frames_may_arrive_byte_by_byte)
{
	uint8_t frame[64];
	size_t len;

	for (uint64_t id = 1; id <= 3; id++) {
		len = ping_frame(frame, id);
		for (size_t i = 0; i < len; i++) {
			ck_assert_uint_eq(id - 1, idc);
			feed(frame + i, 1);
			ck_assert_int_eq(0, mpconn_readable(mc));
		}
		ck_assert_uint_eq(id, idc);
		ck_assert_uint_eq(id, idv[idc - 1]);
	}
}
END_TEST


START_TEST(many_frames_in_one_read_come_in_order)
{
	static uint8_t buf[64 * 1000];
	size_t len = 0;

	for (uint64_t id = 1; id <= 1000; id++)
		len += ping_frame(buf + len, id);
	feed(buf, len);
	ck_assert_int_eq(0, mpconn_readable(mc));
	ck_assert_uint_eq(1000, idc);
	for (unsigned i = 0; i < idc; i++)
		ck_assert_uint_eq(i + 1, idv[i]);
}
END_TEST


START_TEST(nothing_to_read_is_no_error)
{
	ck_assert_int_eq(0, mpconn_readable(mc));
	ck_assert_uint_eq(0, idc);
}
END_TEST


START_TEST(empty_frame_is_a_message_without_body)
{
	feed("\0\0\0\0", 4);
	ck_assert_int_eq(0, mpconn_readable(mc));
	ck_assert_uint_eq(1, idc);
	ck_assert_uint_eq(0, idv[0]);
}
END_TEST


START_TEST(oversized_frame_ends_the_connection_before_it_is_read)
{
	feed("\x00\x01\x00\x01", 4);    /* 64 KiB + 1 */
	ck_assert_int_eq(EBADMSG, mpconn_readable(mc));
	ck_assert_int_eq(EBADMSG, mpconn_readable(mc));
	ck_assert_int_eq(EPIPE, send_name(1));
	ck_assert_uint_eq(0, idc);
}
END_TEST


START_TEST(garbage_in_a_frame_ends_the_connection)
{
	uint8_t frame[64];
	size_t len = ping_frame(frame, 7);

	memcpy(frame + len, "\0\0\0\2\xff\xff", 6);
	feed(frame, len + 6);
	ck_assert_int_eq(EBADMSG, mpconn_readable(mc));
	ck_assert_uint_eq(1, idc);      /* the good one before it counts */
}
END_TEST


START_TEST(peer_that_closes_is_told_after_its_last_message)
{
	uint8_t frame[64];

	feed(frame, ping_frame(frame, 9));
	close(peer);
	peer = -1;
	ck_assert_int_eq(0, mpconn_readable(mc));
	ck_assert_uint_eq(1, idc);
	ck_assert_int_eq(ECONNRESET, mpconn_readable(mc));
	ck_assert_int_eq(EPIPE, send_name(1));
	ck_assert(!mpconn_want_write(mc));
}
END_TEST


START_TEST(cut_frame_at_the_end_is_dropped)
{
	uint8_t frame[64];

	feed(frame, ping_frame(frame, 9) - 1);
	close(peer);
	peer = -1;
	ck_assert_int_eq(0, mpconn_readable(mc));
	ck_assert_int_eq(ECONNRESET, mpconn_readable(mc));
	ck_assert_uint_eq(0, idc);
}
END_TEST


START_TEST(longest_message_goes_and_one_byte_more_does_not)
{
	static uint8_t buf[MP_MSG_MAX + 4];
	size_t n = 0, want = 4 + MP_MSG_MAX;

	/* id (2 bytes), then body and name with 4 bytes of tag and length */
	ck_assert_int_eq(0, send_name(MP_MSG_MAX - 10));
	while (n < want) {
		ssize_t r = read(peer, buf + n, sizeof(buf) - n);

		ck_assert_int_gt(r, 0);
		n += (size_t)r;
		ck_assert_int_eq(0, mpconn_writable(mc));
		want = 4 + ((size_t)buf[1] << 16 | (size_t)buf[2] << 8 |
			    buf[3]);
	}
	ck_assert_uint_eq(4 + MP_MSG_MAX, want);
	ck_assert_int_eq(EMSGSIZE, send_name(MP_MSG_MAX - 9));

	/* and back: the longest frame is also read */
	int on = 2 * MP_MSG_MAX;
	(void)setsockopt(peer, SOL_SOCKET, SO_SNDBUF, &on, sizeof(on));
	(void)fcntl(peer, F_SETFL, O_NONBLOCK);
	for (size_t pos = 0; pos < want;) {
		ssize_t w = write(peer, buf + pos, want - pos);

		ck_assert(w > 0 || errno == EAGAIN);
		pos += w > 0 ? (size_t)w : 0;
		ck_assert_int_eq(0, mpconn_readable(mc));
	}
	ck_assert_uint_eq(1, idc);
}
END_TEST


START_TEST(slow_peer_is_queued_for_then_refused_and_loses_nothing)
{
	static uint8_t buf[256 * 1024];
	size_t sent = 0, got = 0;
	ssize_t r;
	int err;

	while (!(err = send_name(60000)))
		++sent;
	ck_assert_int_eq(ENOBUFS, err);
	ck_assert(mpconn_want_write(mc));
	ck_assert_uint_ge(sent, MP_QUEUE_MAX / 61000);
	ck_assert_uint_le(sent, MP_QUEUE_MAX / 60000 + 10);

	/* the peer reads again: everything comes, and sending works again */
	(void)fcntl(peer, F_SETFL, O_NONBLOCK);
	do {
		ck_assert_int_eq(0, mpconn_writable(mc));
		r = read(peer, buf, sizeof(buf));
		got += r > 0 ? (size_t)r : 0;
	} while (r > 0 || mpconn_want_write(mc));
	ck_assert_uint_eq(0, got % sent);       /* whole, equal messages */
	ck_assert_int_eq(0, send_name(1));
}
END_TEST


START_TEST(queue_that_moves_while_it_is_filled_keeps_its_order)
{
	static uint8_t buf[32 * 1024];
	Mp__Message msg = MP__MESSAGE__INIT;
	Mp__Ping ping = MP__PING__INIT;
	struct mpconn *rx = NULL;
	int fd[2];

	msg.body_case = MP__MESSAGE__BODY_PING;
	msg.ping = &ping;
	ck_assert_int_eq(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	ck_assert_int_eq(0, mpconn_new(&rx, fd[0], msg_handler, &idc));

	/* a little is read while more is sent; then all goes to a reader */
	for (uint64_t id = 1; id <= ID_MAX; id++) {
		msg.id = id;
		ck_assert_int_eq(0, mpconn_send(mc, &msg));
		ck_assert_int_eq(0, send_name(3000));
		if (id % 3)
			continue;
		ssize_t n = read(peer, buf, 1500);
		ck_assert_int_gt(n, 0);
		ck_assert_int_eq(n, write(fd[1], buf, (size_t)n));
		idc = idc > ID_MAX / 2 ? 0 : idc;
		ck_assert_int_eq(0, mpconn_readable(rx));
	}

	(void)fcntl(peer, F_SETFL, O_NONBLOCK);
	for (;;) {
		ck_assert_int_eq(0, mpconn_writable(mc));
		ssize_t n = read(peer, buf, sizeof(buf));
		if (n <= 0)
			break;
		ck_assert_int_eq(n, write(fd[1], buf, (size_t)n));
		idc = idc > ID_MAX / 2 ? 0 : idc;
		ck_assert_int_eq(0, mpconn_readable(rx));
	}
	/* every second one is the 3000 byte message with id 1 */
	ck_assert_uint_ge(idc, 2);
	ck_assert_uint_eq(1, idv[idc - 1]);
	ck_assert_uint_eq(ID_MAX, idv[idc - 2]);
	ck_assert_uint_eq(ID_MAX - 1, idv[idc - 4]);
	close(fd[1]);
	mpconn_free(&rx);
}
END_TEST


START_TEST(handler_may_send)
{
	uint8_t frame[64], back[64];
	size_t len = ping_frame(frame, 77);

	answer_in_handler = true;
	feed(frame, len);
	ck_assert_int_eq(0, mpconn_readable(mc));
	ck_assert_int_eq((ssize_t)len, read(peer, back, sizeof(back)));
	ck_assert_mem_eq(frame, back, len);
}
END_TEST


START_TEST(handler_may_free_the_connection_and_gets_no_more)
{
	uint8_t frame[128];
	size_t len = ping_frame(frame, 1);

	len += ping_frame(frame + len, 2);
	free_in_handler = true;
	feed(frame, len);
	ck_assert_int_eq(0, mpconn_readable(mc));
	ck_assert_ptr_null(mc);
	ck_assert_uint_eq(1, idc);
	ck_assert_int_eq(0, read(peer, frame, sizeof(frame)));
}
END_TEST


/* A reply with statistics of legc legs that say nothing: 2 bytes each */
static size_t stats_frame(uint8_t *p, size_t legc)
{
	Mp__Message msg = MP__MESSAGE__INIT;
	Mp__Reply reply = MP__REPLY__INIT;
	Mp__Stats stats = MP__STATS__INIT;
	Mp__LegStats leg = MP__LEG_STATS__INIT;
	Mp__LegStats **v = calloc(legc, sizeof(*v));
	size_t len;

	ck_assert_ptr_nonnull(v);
	for (size_t i = 0; i < legc; i++)
		v[i] = &leg;
	msg.body_case = MP__MESSAGE__BODY_REPLY;
	msg.reply = &reply;
	reply.stats = &stats;
	stats.leg = v;
	stats.n_leg = legc;
	ck_assert_uint_le(mp__message__get_packed_size(&msg), MP_MSG_MAX);
	len = mp__message__pack(&msg, p + 4);
	p[0] = 0;
	p[1] = (uint8_t)(len >> 16);
	p[2] = (uint8_t)(len >> 8);
	p[3] = (uint8_t)len;
	free(v);

	return 4 + len;
}


START_TEST(message_that_unfolds_beyond_the_bound_is_refused)
{
	static uint8_t frame[4 + MP_MSG_MAX];

	feed(frame, stats_frame(frame, 3000));
	ck_assert_int_eq(0, mpconn_readable(mc));
	ck_assert_uint_eq(1, idc);

	feed(frame, stats_frame(frame, 32000));
	ck_assert_int_eq(EBADMSG, mpconn_readable(mc));
	ck_assert_uint_eq(1, idc);
}
END_TEST


START_TEST(truncated_and_bit_flipped_frames_do_no_harm)
{
	uint8_t frame[256], copy[256];
	Mp__Message msg = MP__MESSAGE__INIT;
	Mp__KeyInstall ki = MP__KEY_INSTALL__INIT;
	Mp__Key key = MP__KEY__INIT;
	uint8_t bytes[44] = {0};
	size_t len;

	msg.id = 300;
	msg.body_case = MP__MESSAGE__BODY_KEY_INSTALL;
	msg.key_install = &ki;
	ki.key = &key;
	key.keysalt.data = bytes;
	key.keysalt.len = sizeof(bytes);
	len = mp__message__pack(&msg, frame + 4);
	frame[0] = frame[1] = frame[2] = 0;
	frame[3] = (uint8_t)len;
	len += 4;

	for (size_t bit = 0; bit < 8 * len; bit++) {
		int err;

		memcpy(copy, frame, len);
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		feed(copy, len);
		err = mpconn_readable(mc);
		ck_assert(err == 0 || err == EBADMSG);
		teardown();
		setup();
	}

	for (size_t cut = 0; cut + 4 <= len; cut++) {
		memcpy(copy, frame, len);
		copy[3] = (uint8_t)cut;         /* consistent, but cut */
		feed(copy, 4 + cut);
		(void)mpconn_readable(mc);
		teardown();
		setup();
	}
}
END_TEST


#if !HAVE_SANITIZER
/*
 * Copies of a pattern in the heap of this process, used and freed parts.
 * Takes nothing from the heap itself: that could cover a copy.
 */
static unsigned heap_copies(const void *pattern, size_t len)
{
	static char maps[65536];
	const int fd = open("/proc/self/maps", O_RDONLY);
	size_t size = 0;
	unsigned long from, to;
	unsigned copies = 0;
	const char *p;
	ssize_t n;

	ck_assert_int_ge(fd, 0);
	while ((n = read(fd, maps + size, sizeof(maps) - 1 - size)) > 0)
		size += (size_t)n;
	close(fd);
	maps[size] = '\0';

	p = strstr(maps, "[heap]");
	ck_assert_ptr_nonnull(p);
	while (p > maps && p[-1] != '\n')
		--p;
	ck_assert_int_eq(2, sscanf(p, "%lx-%lx", &from, &to));

	p = (const char *)from;
	while ((p = memmem(p, to - (unsigned long)p, pattern, len))) {
		++copies;
		++p;
	}

	return copies;
}


START_TEST(no_copy_of_a_key_stays_in_the_heap)
{
	static uint8_t bytes[46];
	static uint8_t frame[1024];
	Mp__Message msg = MP__MESSAGE__INIT;
	Mp__KeyInstall ki = MP__KEY_INSTALL__INIT;
	Mp__Key key = MP__KEY__INIT;
	void *volatile control;         /* or the compiler drops the block */
	ssize_t n;

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(0x80 ^ 37 * i);
	msg.id = 1;
	msg.body_case = MP__MESSAGE__BODY_KEY_INSTALL;
	msg.key_install = &ki;
	ki.key = &key;
	ki.codec = 1;                   /* the key is not at the end */
	key.keysalt.data = bytes;
	key.keysalt.len = sizeof(bytes);

	/* The heap keeps what is freed, and the search finds what is there.
	 * Only the key's end: the heap writes over the first 32 bytes of
	 * a freed block. */
	ck_assert_int_eq(1, mallopt(M_TRIM_THRESHOLD, 1 << 30));
	ck_assert_int_eq(1, mallopt(M_MMAP_THRESHOLD, 1 << 25));
	control = malloc(sizeof(bytes));
	memcpy(control, bytes, sizeof(bytes));
	ck_assert_uint_eq(1, heap_copies(bytes + 30, 16));
	memset(control, 0, sizeof(bytes));
	ck_assert_uint_eq(0, heap_copies(bytes + 30, 16));

	/* sent at once */
	ck_assert_int_eq(0, mpconn_send(mc, &msg));
	ck_assert_uint_eq(0, heap_copies(bytes + 30, 16));

	/* received, and freed by the handler or not */
	n = read(peer, frame, sizeof(frame));
	ck_assert_int_gt(n, 0);
	feed(frame, (size_t)n);
	ck_assert_int_eq(0, mpconn_readable(mc));
	ck_assert_uint_eq(sizeof(bytes), keysalt_len);
	ck_assert_uint_eq(0, heap_copies(bytes + 30, 16));

	/* half received, and queued behind what the peer does not read */
	feed(frame, (size_t)n - 1);
	ck_assert_int_eq(0, mpconn_readable(mc));
	while (!mpconn_want_write(mc))
		ck_assert_int_eq(0, send_name(1000));
	for (unsigned i = 0; i < 500; i++)
		ck_assert_int_eq(0, mpconn_send(mc, &msg));
	ck_assert_uint_gt(heap_copies(bytes + 30, 16), 0);
	mpconn_free(&mc);
	ck_assert_uint_eq(0, heap_copies(bytes + 30, 16));
	free(control);
}
END_TEST
#endif


START_TEST(bad_arguments_are_refused)
{
	struct mpconn *none = NULL;
	int fd = dup(peer);

	ck_assert_int_eq(EINVAL, mpconn_new(NULL, fd, msg_handler, NULL));
	ck_assert_int_eq(EINVAL, mpconn_new(&none, -1, msg_handler, NULL));
	ck_assert_int_eq(EINVAL, mpconn_new(&none, fd, NULL, NULL));
	ck_assert_ptr_null(none);
	ck_assert_int_eq(0, close(fd));
	ck_assert_int_eq(EBADF, mpconn_new(&none, fd, msg_handler, NULL));
	mpconn_free(&none);
	mpconn_free(NULL);
	ck_assert_int_eq(-1, mpconn_fd(NULL));
	ck_assert(!mpconn_want_write(NULL));
}
END_TEST


int main(void)
{
	Suite *s = suite_create("mpconn");
	TCase *tc = tcase_create("mpconn");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, message_arrives_as_it_was_sent);
	tcase_add_test(tc, what_is_queued_waits_for_its_owner);
	tcase_add_test(tc, frames_may_arrive_byte_by_byte);
	tcase_add_test(tc, many_frames_in_one_read_come_in_order);
	tcase_add_test(tc, nothing_to_read_is_no_error);
	tcase_add_test(tc, empty_frame_is_a_message_without_body);
	tcase_add_test(tc, oversized_frame_ends_the_connection_before_it_is_read);
	tcase_add_test(tc, garbage_in_a_frame_ends_the_connection);
	tcase_add_test(tc, peer_that_closes_is_told_after_its_last_message);
	tcase_add_test(tc, cut_frame_at_the_end_is_dropped);
	tcase_add_test(tc, longest_message_goes_and_one_byte_more_does_not);
	tcase_add_test(tc, slow_peer_is_queued_for_then_refused_and_loses_nothing);
	tcase_add_test(tc, queue_that_moves_while_it_is_filled_keeps_its_order);
	tcase_add_test(tc, handler_may_send);
	tcase_add_test(tc, handler_may_free_the_connection_and_gets_no_more);
	tcase_add_test(tc, message_that_unfolds_beyond_the_bound_is_refused);
	tcase_add_test(tc, truncated_and_bit_flipped_frames_do_no_harm);
#if !HAVE_SANITIZER
	tcase_add_test(tc, no_copy_of_a_key_stays_in_the_heap);
#endif
	tcase_add_test(tc, bad_arguments_are_refused);
	suite_add_tcase(s, tc);

	return check_run(s);
}
