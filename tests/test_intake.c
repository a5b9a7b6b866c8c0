/**
 * @file test_intake.c  The checks on every request
 *
 * Most cases take one good INVITE and change one thing in it.  The last ones
 * run a SIP stack and send bytes over a real connection.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "auth_help.h"
#include "check_run.h"
#include "focus/intake.h"
#include "focus/tlsid.h"

#define SRC "10.0.0.1:5071"

static const char *const methods[] = { "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", NULL };
static const char *const options[] = { "100rel", "timer", NULL };
static const struct intake_caps caps = { methods, options };

static const char good[] =
	"INVITE sip:x@example.org SIP/2.0\r\n"
	"Via: SIP/2.0/TLS 10.0.0.1:5071;branch=z9hG4bK1;rport\r\n"
	"Max-Forwards: 70\r\n"
	"From: \"Alice\" <sip:alice@example.org>;tag=1\r\n"
	"To: <sip:x@example.org>\r\n"
	"Call-ID: a@b\r\n"
	"CSeq: 1 INVITE\r\n"
	"Contact: <sip:alice@10.0.0.1:5071;transport=tls>\r\n"
	"Content-Type: application/sdp\r\n"
	"Content-Length: 5\r\n"
	"\r\n"
	"v=0\r\n";

/** The good one with `from` (its first occurrence) replaced by `to` */
static size_t edit(char *buf, size_t size, const char *from, const char *to)
{
	const char *p = strstr(good, from);
	const int head = (int)(p - good);

	ck_assert_ptr_nonnull(p);

	return (size_t)snprintf(buf, size, "%.*s%s%s", head, good, to, p + strlen(from));
}

static struct intake_verdict judge_mem(const char *txt, size_t len, enum sip_transp tp)
{
	struct sip_msg *msg = auth_msg_mem(txt, len, tp, SRC);
	struct intake_verdict v;

	ck_assert_msg(msg != NULL, "libre refuses: %s", txt);
	ck_assert(msg->req);
	intake_judge(&v, &caps, msg);
	mem_deref(msg);

	return v;
}

static struct intake_verdict judge(const char *from, const char *to)
{
	char txt[70000];

	return judge_mem(txt, edit(txt, sizeof(txt), from, to), SIP_TRANSP_TLS);
}

static void setup(void)
{
	libre_init();
}

static void teardown(void)
{
	libre_close();
}

START_TEST(a_good_invite_passes_and_so_does_what_is_merely_unusual)
{
	static const struct {
		const char *from, *to;
	} v[] = {
		{ "Max-Forwards: 70",  "Max-Forwards: 0" },
		{ "Max-Forwards: 70",  "MaX-fOrWaRdS  :\t0068" },
		{ "Max-Forwards: 70\r\n", "" },
		{ "CSeq: 1 INVITE",    "cseq: 0009\r\n  INVITE" },
		{ "CSeq: 1 ",          "CSeq: 2147483647 " },
		{ "Call-ID:",          "i:" },
		{ "From: \"Alice\" <sip:alice@example.org>;tag=1",
		  "f   : \"J \\\\\\\"\"       <sip:j@example.org>\r\n  ;\r\n  tag = 98" },
		{ "To: <sip:x@example.org>", "TO :\r\n sip:x@example.org ;   a    = b" },
		{ "To: <sip:x@example.org>", "To: isbn:2983792873" },
		{ "To: <", "To: caller<" },
		{ "To: <", "To: J\xc3\xb6rg M\xc3\xbcller (home) <" },
		{ "To: <sip:x@", "To: \"BEL:\\\x07 DEL:\\\x7f\" <sip:1_u.U~(t!)&i't+i$/c?,/;;*@" },
		{ "INVITE sip:x@", "INVITE sip:1_u.U~(t!)&i't+i$/c?,/;;*@" },
		{ "INVITE sip:x@example.org", "INVITE SIPS:example.org;unknown=x" },
		{ "Contact: <", "m:\"Quoted \\\"\\\"\" <" },
		{ "Contact: <sip:alice@10.0.0.1:5071;transport=tls>", "Contact: sip:a@b;x=y" },
		{ "Max-Forwards: 70", "NewFangled: ;;,,;;,;" },
		{ "Max-Forwards: 70", "Require: timer\r\nRequire: 100rel, timer" },
		{ "Max-Forwards: 70", "Content-Encoding: identity" },
		{ "Content-Length: 5", "Content-Length: 5\r\nl: 5" },
		{ "Content-Length: 5", "Content-Length: 0000000000000000000000005" },
		{ "Content-Length: 5", "X-No: 5" },
		{ "Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n",
		  "Content-Length: 0\r\n\r\n" },
	};

	ck_assert_uint_eq(judge("", "").scode, 0);
	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		const struct intake_verdict x = judge(v[i].from, v[i].to);

		ck_assert_msg(!x.scode, "%s: %u %s", v[i].to, x.scode, x.why);
	}
}
END_TEST

START_TEST(each_rule_refuses_what_it_is_for)
{
	static const struct {
		const char *rule;
		unsigned scode;
		const char *from, *to;
	} v[] = {
		{ "cseq",         400, "1 INVITE", "1 OPTIONS" },
		{ "cseq",         400, "1 INVITE", "1 invite" },
		{ "cseq",         400, "1 INVITE", "2147483648 INVITE" },
		{ "cseq",         400, "1 INVITE", "36893488147419103232 INVITE" },
		{ "cseq",         400, "1 INVITE", "-1 INVITE" },
		{ "cseq",         400, "1 INVITE", "x 1 INVITE" },
		{ "cseq",         400, "1 INVITE", "1 INVITE x" },
		{ "mandatory",    400, "CSeq: 1 INVITE\r\n", "" },
		{ "mandatory",    400, "Call-ID: a@b\r\n", "" },
		{ "mandatory",    400, "To: <sip:x@example.org>\r\n", "" },
		{ "mandatory",    400, "From: \"Alice\" <sip:alice@example.org>;tag=1\r\n", "" },
		{ "once",         400, "CSeq: ", "CSeq: 2 INVITE\r\nCSeq: " },
		{ "once",         400, "Call-ID: ", "i: x\r\nCall-ID: " },
		{ "once",         400, "To: ", "t: <sip:y@example.org>\r\nTo: " },
		{ "once",         400, "From: ", "From: <sip:y@example.org>;tag=2\r\nFrom: " },
		{ "once",         400, "Max-Forwards", "Max-Forwards: 70\r\nMax-Forwards" },
		{ "once",         400, "Content-Type", "c: text/plain\r\nContent-Type" },
		{ "max_forwards", 400, "s: 70", "s: 256" },
		{ "max_forwards", 400, "s: 70", "s: -1" },
		{ "max_forwards", 400, "s: 70", "s: 18446744073709551617" },
		{ "max_forwards", 400, "s: 70", "s: 7 0" },
		{ "max_forwards", 400, "s: 70", "s:" },
		{ "request_uri",  416, "INVITE sip:x@example.org", "INVITE nobodyKnows:opaque" },
		{ "request_uri",  416, "INVITE sip:x@example.org", "INVITE tel:+4912345" },
		{ "request_uri",  416, "INVITE sip:x@example.org", "INVITE soap.beep://10.0.0.1:1" },
		{ "request_uri",  400, "INVITE sip:x@example.org", "INVITE <sip:x@example.org>" },
		{ "request_uri",  400, "INVITE sip:x@example.org",
		  "INVITE sip:x@example.org?Route=%3Csip:e%3E" },
		{ "require",      420, "Max-F", "Require: timer, nothing,other\r\nMax-F" },
		{ "require",      420, "Max-F", "Proxy-Require: nothing\r\nMax-F" },
		{ "require",      400, "Max-F", "Require: <x>\r\nMax-F" },
		{ "content",      415, "Max-F", "Content-Encoding: gzip\r\nMax-F" },
		{ "content",      415, "Max-F", "e: identity, gzip\r\nMax-F" },
		{ "content",      400, "Content-Type: application/sdp\r\n", "" },
		{ "from_to",      400, "To: <", "To: \"Mr. X <" },
		{ "from_to",      400, "To: <sip:x", "To: < sip:x" },
		{ "from_to",      400, "To: <", "To: Watson, Thomas <" },
		{ "from_to",      400, "To: <sip:x@example.org>", "To: sip:x@example.org?a=b" },
		{ "from_to",      400, "To: <sip:x@example.org>", "To: <sip:x@example.org> <sip:y@b>" },
		{ "from_to",      400, "\"Alice\" <", "\"Alice\" \"B\" <" },
		{ "contact",      400, "Contact: <", "Contact: <sip:b@b>, <" },
		{ "contact",      400, "Contact: <", "m: <sip:b@b>\r\nContact: <" },
		{ "contact",      400, "Contact: <sip:alice@10.0.0.1:5071;transport=tls>\r\n", "" },
		{ "contact",      400, "Contact: <sip:", "Contact: <tel:" },
		{ "contact",      400, "Contact: <sip:alice@10.0.0.1:5071;transport=tls>", "Contact: *" },
		{ "contact",      400, "Contact: <sip:alice@10.0.0.1:5071;transport=tls>",
		  "Contact: sip:a@b?Route=x" },
		{ "contact",      400, ";tag=1", "" },
		{ "header_names", 400, "Max-F", "Max F: 1\r\nMax-F" },
		{ "header_names", 400, "Max-F", "Max\x01: 1\r\nMax-F" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		const struct intake_verdict x = judge(v[i].from, v[i].to);

		ck_assert_msg(x.scode == v[i].scode && !strcmp(x.rule, v[i].rule),
			      "%s: %u %s", v[i].to, x.scode, x.scode ? x.rule : "passed");
		ck_assert(!x.poison);
		ck_assert(!x.silent);
		ck_assert_ptr_nonnull(x.reason);
		ck_assert_ptr_nonnull(x.why);
	}
}
END_TEST

START_TEST(content_length_in_doubt_is_400_and_ends_the_stream)
{
	static const char *const v[] = {
		"Content-Length: 5\r\nContent-Length: 3", "Content-Length: 3\r\nl: 5",
		"Content-Length: -5", "Content-Length: 5, 5", "Content-Length: 5x",
		"Content-Length: 0x5", "Content-Length:", "Content-Length: 4294967301",
		"Content-Length: 99", "Content-Length: 5 5",
	};

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		const struct intake_verdict x = judge("Content-Length: 5", v[i]);

		ck_assert_msg(x.scode == 400 && x.poison && !strcmp(x.rule, "content_length"),
			      "%s: %u", v[i], x.scode);
	}
}
END_TEST

/** A header name that libre's hash takes for another */
static void collide(char *name, size_t size, enum sip_hdrid id)
{
	for (unsigned i = 0; ; i++) {
		snprintf(name, size, "Q%u", i);
		if ((hash_joaat_ci(name, strlen(name)) & 0xfff) == (unsigned)id)
			return;
	}
}

START_TEST(a_name_that_only_hashes_like_a_known_header_is_refused)
{
	static const struct {
		enum sip_hdrid id;
		const char *val;
		bool poison;
	} v[] = {
		{ SIP_HDR_CONTENT_LENGTH, "5",                     true  },
		{ SIP_HDR_FROM,           "<sip:eve@example.org>", false },
		{ SIP_HDR_CSEQ,           "2 INVITE",              false },
		{ SIP_HDR_CALL_ID,        "z",                     false },
		{ SIP_HDR_REQUIRE,        "z",                     false },
		{ SIP_HDR_PRIVACY,        "none",                  false },
		{ SIP_HDR_REFERRED_BY,    "<sip:bob@example.org>", false },
		{ SIP_HDR_JOIN,           "z;to-tag=1;from-tag=2", false },
		/* whoever stands before us strips this one, but not its double */
		{ SIP_HDR_P_ASSERTED_IDENTITY, "<sip:bob@example.org>", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		struct intake_verdict x;
		char name[32], line[128];

		collide(name, sizeof(name), v[i].id);
		snprintf(line, sizeof(line), "%s: %s\r\nMax-F", name, v[i].val);
		x = judge("Max-F", line);
		ck_assert_msg(x.scode == 400 && x.poison == v[i].poison, "%s", line);
	}
}
END_TEST

START_TEST(nul_is_only_taken_as_a_quoted_pair)
{
	static const char *const atv[] = { "sip:x", "TLS", "alice", "a@b", "70", "application" };
	char txt[2048];
	size_t len;
	char *p;

	for (size_t i = 0; i < ARRAY_SIZE(atv); i++) {
		struct sip_msg *msg;
		struct intake_verdict v;

		len = edit(txt, sizeof(txt), "", "");
		p = strstr(txt, atv[i]);
		p[strlen(atv[i]) - 1] = '\0';
		msg = auth_msg_mem(txt, len, SIP_TRANSP_TLS, SRC);
		if (!msg)
			continue;
		intake_judge(&v, &caps, msg);
		ck_assert_msg(v.scode != 0, "%s", atv[i]);
		mem_deref(msg);
	}

	len = edit(txt, sizeof(txt), "\"Alice\"", "\"Al\\_ce\"");
	*strchr(txt, '_') = '\0';
	ck_assert_uint_eq(judge_mem(txt, len, SIP_TRANSP_TLS).scode, 0);
}
END_TEST

START_TEST(sizes_are_bounded)
{
	char txt[80000], line[9000];
	struct intake_verdict v;
	size_t len = 0;

	memset(line, 'a', sizeof(line));
	line[8100] = '\0';
	snprintf(txt, sizeof(txt), "Z-Z: %s\r\nMax-F", line);
	ck_assert_uint_eq(judge("Max-F", txt).scode, 0);
	line[8100] = 'a';
	line[8200] = '\0';
	snprintf(txt, sizeof(txt), "Z-Z: %s\r\nMax-F", line);
	ck_assert_uint_eq(judge("Max-F", txt).scode, 513);
	snprintf(txt, sizeof(txt), "INVITE sip:%s@example.org", line);
	ck_assert_uint_eq(judge("INVITE sip:x@example.org", txt).scode, 414);

	for (unsigned i = 0; i < 128 - 9; i++)
		len += (size_t)snprintf(txt + len, sizeof(txt) - len, "Z-Z: 1\r\n");
	snprintf(txt + len, sizeof(txt) - len, "Max-F");
	ck_assert_uint_eq(judge("Max-F", txt).scode, 0);
	snprintf(txt + len, sizeof(txt) - len, "Z-Z: 1\r\nMax-F");
	ck_assert_uint_eq(judge("Max-F", txt).scode, 513);

	len = edit(txt, sizeof(txt), "Content-Length: 5", "Content-Length: 65537");
	memset(txt + len, 'b', 65537 - 5);
	v = judge_mem(txt, len + 65537 - 5, SIP_TRANSP_UDP);
	ck_assert_uint_eq(v.scode, 413);
}
END_TEST

START_TEST(methods_are_405_with_allow_or_501_and_in_dialog_ones_481)
{
	struct intake_verdict v;
	char txt[2048];

	snprintf(txt, sizeof(txt), "REGISTER sip:x SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\n"
		 "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: a\r\nCSeq: 1 REGISTER\r\n\r\n");
	v = judge_mem(txt, strlen(txt), SIP_TRANSP_TLS);
	ck_assert_uint_eq(v.scode, 405);
	ck_assert_str_eq(v.hdrs, "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\n");

	memcpy(txt, "FOOISTER", 8);
	v = judge_mem(txt, strlen(txt), SIP_TRANSP_TLS);
	ck_assert_uint_eq(v.scode, 501);

	snprintf(txt, sizeof(txt), "BYE sip:x SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\n"
		 "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: a\r\nCSeq: 1 BYE\r\n\r\n");
	v = judge_mem(txt, strlen(txt), SIP_TRANSP_TLS);
	ck_assert_uint_eq(v.scode, 481);
}
END_TEST

START_TEST(the_420_names_exactly_what_is_not_supported)
{
	const struct intake_verdict v =
		judge("Max-F", "Require: timer, one\r\nProxy-Require: two,100REL\r\nMax-F");

	ck_assert_uint_eq(v.scode, 420);
	ck_assert_str_eq(v.hdrs, "Unsupported: one, two\r\n");
}
END_TEST

START_TEST(ack_cancel_and_what_has_no_way_back_are_dropped_in_silence)
{
	static const char *const metv[] = { "ACK", "CANCEL" };
	struct sip_msg *msg;
	struct intake_verdict v;
	char txt[2048];

	for (size_t i = 0; i < ARRAY_SIZE(metv); i++) {
		snprintf(txt, sizeof(txt), "%s sip:x SIP/2.0\r\n"
			 "Via: SIP/2.0/TLS h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
			 "To: <sip:a@b>\r\nCall-ID: a\r\nCSeq: 1 %s\r\nRequire: x\r\n\r\n",
			 metv[i], metv[i]);
		v = judge_mem(txt, strlen(txt), SIP_TRANSP_TLS);
		ck_assert(v.scode && v.silent);
	}

	edit(txt, sizeof(txt), "Via: SIP/2.0/TLS 10.0.0.1:5071;branch=z9hG4bK1;rport\r\n", "");
	msg = auth_msg(txt, SIP_TRANSP_TLS, SRC);
	ck_assert_ptr_nonnull(msg);
	intake_judge(&v, &caps, msg);
	ck_assert(v.scode && v.silent && v.poison);
	mem_deref(msg);

	edit(txt, sizeof(txt), ";rport", ";maddr=10.9.9.9");
	v = judge_mem(txt, strlen(txt), SIP_TRANSP_UDP);
	ck_assert(v.scode && v.silent);
}
END_TEST

START_TEST(every_truncation_and_bit_flip_of_the_good_one_is_survived)
{
	const size_t size = sizeof(good) - 1;
	char txt[sizeof(good)];
	struct intake_verdict v;
	unsigned passed = 0;

	for (size_t i = 0; i < 8 * size; i++) {
		struct sip_msg *msg;

		memcpy(txt, good, size);
		txt[i / 8] = (char)(txt[i / 8] ^ (1 << i % 8));
		msg = auth_msg_mem(txt, size, SIP_TRANSP_TLS, SRC);
		if (!msg)
			continue;
		if (msg->req) {
			intake_judge(&v, &caps, msg);
			passed += !v.scode;
		}
		mem_deref(msg);
	}
	ck_assert_uint_gt(passed, 0);

	for (size_t len = 0; len < size; len++) {
		struct sip_msg *msg = auth_msg_mem(good, len, SIP_TRANSP_UDP, SRC);

		if (!msg)
			continue;
		intake_judge(&v, &caps, msg);
		ck_assert_msg(v.scode == 400, "%zu bytes pass", len);
		mem_deref(msg);
	}
}
END_TEST

/* ---- over a real connection ---- */

struct stack {
	struct sip *sip;
	struct sip_lsnr *lsnr;
	struct intake *in;
	int fd;
	char rx[16384];
	size_t rx_len;
	bool closed;
	bool late;
	unsigned passed;
};

static bool request_handler(const struct sip_msg *msg, void *arg)
{
	struct stack *s = arg;

	if (!intake_ok(s->in, s->sip, msg))
		return true;

	++s->passed;
	(void)sip_reply(s->sip, msg, 200, "OK");

	return true;
}

static void client_handler(int flags, void *arg)
{
	struct stack *s = arg;
	const ssize_t n = recv(s->fd, s->rx + s->rx_len, sizeof(s->rx) - 1 - s->rx_len, 0);

	(void)flags;
	if (n <= 0) {
		s->closed = true;
		re_cancel();
		return;
	}
	s->rx_len += (size_t)n;
	s->rx[s->rx_len] = '\0';
	if (strstr(s->rx, "Call-ID: last"))
		re_cancel();
}

static void watchdog(void *arg)
{
	struct stack *s = arg;

	s->late = true;
	re_cancel();
}

/** Send txt to a stack over TCP; until "last" is answered or the connection is over */
static void converse(struct stack *s, const char *txt)
{
	struct sa laddr;
	struct tmr tmr;

	memset(s, 0, sizeof(*s));
	ck_assert_int_eq(sip_alloc(&s->sip, NULL, 16, 16, 16, NULL, NULL, NULL), 0);
	sa_set_str(&laddr, "127.0.0.1", 0);
	ck_assert_int_eq(sip_transp_add(s->sip, SIP_TRANSP_TCP, &laddr), 0);
	ck_assert_int_eq(sip_transp_laddr(s->sip, &laddr, SIP_TRANSP_TCP, NULL), 0);
	ck_assert_int_eq(sip_listen(&s->lsnr, s->sip, true, request_handler, s), 0);
	ck_assert_int_eq(intake_alloc(&s->in, &caps), 0);

	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(s->fd, &laddr.u.sa, laddr.len), 0);
	ck_assert_int_eq(send(s->fd, txt, strlen(txt), MSG_NOSIGNAL), (ssize_t)strlen(txt));
	ck_assert_int_eq(fd_listen(s->fd, FD_READ, client_handler, s), 0);

	tmr_init(&tmr);
	tmr_start(&tmr, 10000, watchdog, s);
	(void)re_main(NULL);
	tmr_cancel(&tmr);

	fd_close(s->fd);
	close(s->fd);
	mem_deref(s->lsnr);
	sip_close(s->sip, true);
	mem_deref(s->sip);
	mem_deref(s->in);
	ck_assert(!s->late);
}

#define OPTIONS(extra, callid, clen, body) \
	"OPTIONS sip:x@127.0.0.1 SIP/2.0\r\n" \
	"Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK" callid ";rport\r\n" \
	"From: <sip:a@b>;tag=1\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: " callid "\r\n" \
	"CSeq: 1 OPTIONS\r\n" extra "Content-Length: " clen "\r\n\r\n" body

START_TEST(a_refusal_says_why_and_the_connection_goes_on)
{
	static struct stack s;

	converse(&s, OPTIONS("Require: magic\r\n", "first", "0", "") OPTIONS("", "last", "0", ""));
	ck_assert_uint_eq(s.passed, 1);
	ck_assert(!s.closed);
	ck_assert_ptr_nonnull(strstr(s.rx, "SIP/2.0 420 Bad Extension\r\n"));
	ck_assert_ptr_nonnull(strstr(s.rx, "Warning: 399 conclave \"Required extension"));
	ck_assert_ptr_nonnull(strstr(s.rx, "Unsupported: magic\r\n"));
	ck_assert_ptr_nonnull(strstr(s.rx, "SIP/2.0 200 OK\r\n"));
}
END_TEST

START_TEST(what_follows_a_bad_content_length_is_never_read_as_a_request)
{
	static struct stack s;

	converse(&s, OPTIONS("", "first", "0", "")
		 OPTIONS("Content-Length: 400\r\n", "second", "0", "")
		 OPTIONS("", "last", "0", ""));
	ck_assert(s.closed);
	ck_assert_uint_eq(s.passed, 1);
	ck_assert_ptr_nonnull(strstr(s.rx, "SIP/2.0 400 Bad Request\r\n"));
	ck_assert_ptr_nonnull(strstr(s.rx, "Content-Length values differ"));
	ck_assert_ptr_null(strstr(s.rx, "Call-ID: last"));
}
END_TEST

START_TEST(bytes_behind_the_body_of_a_datagram_are_cut)
{
	struct intake *in = NULL;
	struct sip_msg *msg;
	struct sip *sip = NULL;
	char txt[2048];

	ck_assert_int_eq(sip_alloc(&sip, NULL, 16, 16, 16, NULL, NULL, NULL), 0);
	ck_assert_int_eq(intake_alloc(&in, &caps), 0);
	snprintf(txt, sizeof(txt), "%s%s", good, "a=crypto:1 smuggled\r\n");
	msg = auth_msg(txt, SIP_TRANSP_UDP, SRC);
	ck_assert(intake_ok(in, sip, msg));
	ck_assert_uint_eq(mbuf_get_left(msg->mb), 5);
	mem_deref(msg);
	mem_deref(in);
	sip_close(sip, true);
	mem_deref(sip);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("intake");
	TCase *tc = tcase_create("intake");

	signal(SIGPIPE, SIG_IGN);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_good_invite_passes_and_so_does_what_is_merely_unusual);
	tcase_add_test(tc, each_rule_refuses_what_it_is_for);
	tcase_add_test(tc, content_length_in_doubt_is_400_and_ends_the_stream);
	tcase_add_test(tc, a_name_that_only_hashes_like_a_known_header_is_refused);
	tcase_add_test(tc, nul_is_only_taken_as_a_quoted_pair);
	tcase_add_test(tc, sizes_are_bounded);
	tcase_add_test(tc, methods_are_405_with_allow_or_501_and_in_dialog_ones_481);
	tcase_add_test(tc, the_420_names_exactly_what_is_not_supported);
	tcase_add_test(tc, ack_cancel_and_what_has_no_way_back_are_dropped_in_silence);
	tcase_add_test(tc, every_truncation_and_bit_flip_of_the_good_one_is_survived);
	tcase_add_test(tc, a_refusal_says_why_and_the_connection_goes_on);
	tcase_add_test(tc, what_follows_a_bad_content_length_is_never_read_as_a_request);
	tcase_add_test(tc, bytes_behind_the_body_of_a_datagram_are_cut);
	suite_add_tcase(s, tc);

	return check_run(s);
}
