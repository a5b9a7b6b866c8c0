/**
 * @file dlg_peer.c  A peer made of one TCP connection
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check_run.h"
#include "dlg_help.h"

struct peer peer;


static void close_handler(int err, void *arg)
{
	(void)err;
	(void)arg;
	peer.closed = true;
	peer.tc = mem_deref(peer.tc);
	loop_poke();
}


static void estab_handler(void *arg)
{
	(void)arg;
	peer.up = true;
	loop_poke();
}


/** Keep the message with a buffer of its own */
static bool take_one(void)
{
	struct sip_msg *msg;
	struct mbuf *mb;
	size_t pos = peer.rx->pos, len;

	if (!mbuf_get_left(peer.rx) || sip_msg_decode(&msg, peer.rx))
		return false;

	len = peer.rx->pos - pos + pl_u32(&msg->clen);
	mem_deref(msg);
	if (peer.rx->end - pos < len) {
		peer.rx->pos = pos;
		return false;
	}

	mb = mbuf_alloc(len);
	ck_assert_ptr_nonnull(mb);
	(void)mbuf_write_mem(mb, peer.rx->buf + pos, len);
	mb->pos = 0;
	peer.rx->pos = pos + len;
	ck_assert_uint_lt(peer.msgc, PEER_MSG_MAX);
	ck_assert_int_eq(sip_msg_decode(&peer.msgv[peer.msgc++], mb), 0);
	mem_deref(mb);

	return true;
}


static void recv_handler(struct mbuf *mb, void *arg)
{
	size_t pos = peer.rx->pos;
	(void)arg;

	peer.rx->pos = peer.rx->end;
	(void)mbuf_write_mem(peer.rx, mbuf_buf(mb), mbuf_get_left(mb));
	peer.rx->pos = pos;
	while (take_one())
		loop_poke();
}


static void conn_handler(const struct sa *from, void *arg)
{
	(void)from;
	(void)arg;

	++peer.connc;
	mem_deref(peer.tc);
	ck_assert_int_eq(tcp_accept(&peer.tc, peer.ts, estab_handler,
				    recv_handler, close_handler, NULL), 0);
	peer.up = true;
}


void peer_setup(void)
{
	struct sa sa;

	ends_setup();
	memset(&peer, 0, sizeof(peer));
	peer.tag = "peer";
	peer.rx = mbuf_alloc(4096);
	ck_assert_ptr_nonnull(peer.rx);
	sa_set_str(&sa, "127.0.0.1", 0);
	ck_assert_int_eq(tcp_listen(&peer.ts, &sa, conn_handler, NULL), 0);
	ck_assert_int_eq(tcp_sock_local_get(peer.ts, &peer.laddr), 0);
}


void peer_teardown(void)
{
	/* nobody answers any more: everything has to time out */
	end_drop(&a);
	while (dlgs_count(a.ds)) {
		clock_turn(64 * SIP_T1 + 1);
		loop_step(__FILE__, __LINE__, "timeouts");
	}

	for (unsigned i = 0; i < peer.msgc; i++)
		mem_deref(peer.msgv[i]);
	peer.msgc = 0;
	peer.tc = mem_deref(peer.tc);
	peer.ts = mem_deref(peer.ts);
	peer.rx = mem_deref(peer.rx);
	ends_teardown();
}


void peer_connect_from(const char *ip, const struct sa *to)
{
	struct sa local;

	peer.up = false;
	sa_set_str(&local, ip, 0);
	ck_assert_int_eq(tcp_conn_alloc(&peer.tc, to, estab_handler,
					recv_handler, close_handler, NULL), 0);
	ck_assert_int_eq(tcp_conn_bind(peer.tc, &local), 0);
	ck_assert_int_eq(tcp_conn_connect(peer.tc, to), 0);
	WAIT(peer.up);
}


void peer_connect(const struct sa *to)
{
	peer_connect_from("127.0.0.1", to);
}


void peer_close(void)
{
	peer.tc = mem_deref(peer.tc);
}


bool peer_quiet(void)
{
	return peer.readc == peer.msgc;
}


struct sip_msg *peer_expect(const char *start)
{
	struct sip_msg *msg;
	char line[128];

	WAIT(!peer_quiet());
	msg = peer.msgv[peer.readc++];
	if (msg->req)
		(void)re_snprintf(line, sizeof(line), "%r", &msg->met);
	else
		(void)re_snprintf(line, sizeof(line), "%u %r", msg->scode,
				  &msg->cseq.met);
	ck_assert_str_eq(line, start);

	return msg;
}


static void send_mb(struct mbuf *mb)
{
	mb->pos = 0;
	ck_assert_ptr_nonnull(peer.tc);
	ck_assert_int_eq(tcp_send(peer.tc, mb), 0);
	mem_deref(mb);
}


void peer_raw(const char *fmt, ...)
{
	struct mbuf *mb = mbuf_alloc(1024);
	va_list ap;

	va_start(ap, fmt);
	ck_assert_int_eq(mbuf_vprintf(mb, fmt, ap), 0);
	va_end(ap);
	send_mb(mb);
}


void peer_request_at(const char *met, uint32_t cseq, const char *extra,
		     const char *text)
{
	/* an ACK to a failure and a CANCEL share the branch of the INVITE */
	if (strcmp(met, "CANCEL"))
		++peer.branchc;
	peer_raw("%s %s SIP/2.0\r\n"
		 "Via: SIP/2.0/TCP %J;branch=z9hG4bK-peer-%u;rport\r\n"
		 "Max-Forwards: 70\r\n"
		 "From: %s\r\n"
		 "To: %s\r\n"
		 "Call-ID: %s\r\n"
		 "CSeq: %u %s\r\n"
		 "%s"
		 "Content-Length: %zu\r\n\r\n%s",
		 met, peer.ruri, &peer.laddr, peer.branchc, peer.local,
		 peer.remote, peer.callid, cseq, met, extra ? extra : "",
		 strlen(text ? text : ""), text ? text : "");
}


void peer_request(const char *met, const char *extra, const char *text)
{
	bool same = !strcmp(met, "ACK") || !strcmp(met, "CANCEL");

	peer_request_at(met, same ? peer.cseq : ++peer.cseq, extra, text);
}


void peer_reply(const struct sip_msg *msg, uint16_t scode,
		const char *reason, const char *extra, const char *text)
{
	const struct sip_hdr *via = sip_msg_hdr(msg, SIP_HDR_VIA);

	peer_raw("SIP/2.0 %u %s\r\n"
		 "Via: %r\r\n"
		 "From: %r\r\n"
		 "To: %r%s%s\r\n"
		 "Call-ID: %r\r\n"
		 "CSeq: %u %r\r\n"
		 "%s"
		 "Content-Length: %zu\r\n\r\n%s",
		 scode, reason, &via->val, &msg->from.val, &msg->to.val,
		 pl_isset(&msg->to.tag) || scode == 100 ? "" : ";tag=",
		 pl_isset(&msg->to.tag) || scode == 100 ? "" : peer.tag,
		 &msg->callid, msg->cseq.num, &msg->cseq.met,
		 extra ? extra : "", strlen(text ? text : ""),
		 text ? text : "");
}


void peer_calls(const char *extra)
{
	struct sip_msg *msg;
	char hdrs[512];

	peer_connect(&a.laddr);
	peer.cseq = 100;
	(void)re_snprintf(peer.callid, sizeof(peer.callid), "call-%u",
			  sa_port(&peer.laddr));
	(void)re_snprintf(peer.ruri, sizeof(peer.ruri), "sip:a@%J", &a.laddr);
	strcpy(peer.local, "<sip:peer@example.org>;tag=peer");
	(void)re_snprintf(peer.remote, sizeof(peer.remote), "<%s>",
			  peer.ruri);
	(void)re_snprintf(hdrs, sizeof(hdrs), "%s%s", PEER_CONTACT,
			  extra ? extra : "");
	peer_request("INVITE", hdrs, "hello");
	WAIT(dlg_pending(a.dlg));
	ck_assert_int_eq(dlg_answer(a.dlg, 200, "OK", body("welcome")), 0);
	msg = peer_expect("200 INVITE");
	(void)re_snprintf(peer.remote, sizeof(peer.remote), "%r",
			  &msg->to.val);
	peer_request("ACK", NULL, NULL);
	WAIT(a.estabc);
}


void peer_called(const char *extra)
{
	struct sip_msg *msg;
	char hdrs[512];

	end_connect(&a, &peer.laddr, body("hello"));
	msg = peer_expect("INVITE");
	peer.cseq = 200;
	(void)re_snprintf(peer.ruri, sizeof(peer.ruri), "sip:a@%J", &a.laddr);
	(void)re_snprintf(peer.callid, sizeof(peer.callid), "%r",
			  &msg->callid);
	(void)re_snprintf(peer.local, sizeof(peer.local), "%r;tag=peer",
			  &msg->to.val);
	(void)re_snprintf(peer.remote, sizeof(peer.remote), "%r",
			  &msg->from.val);
	(void)re_snprintf(hdrs, sizeof(hdrs), "%s%s", PEER_CONTACT,
			  extra ? extra : "");
	peer_reply(msg, 200, "OK", hdrs, "welcome");
	peer_expect("ACK");
	WAIT(a.estabc);
}


struct sip_msg *peer_calls_unacked(void)
{
	struct sip_msg *msg;

	peer_connect(&a.laddr);
	peer.cseq = 1;
	strcpy(peer.callid, "unacked");
	(void)re_snprintf(peer.ruri, sizeof(peer.ruri), "sip:a@%J", &a.laddr);
	strcpy(peer.local, "<sip:peer@example.org>;tag=peer");
	strcpy(peer.remote, "<sip:a@example.org>");
	peer_request("INVITE", PEER_CONTACT, "hello");
	WAIT(dlg_pending(a.dlg));
	ck_assert_int_eq(dlg_answer(a.dlg, 200, "OK", body("welcome")), 0);
	msg = peer_expect("200 INVITE");
	(void)re_snprintf(peer.remote, sizeof(peer.remote), "%r",
			  &msg->to.val);

	return msg;
}


void peer_2xx(const char *tag)
{
	peer.tag = tag;
	peer_reply(peer.msgv[0], 200, "OK", PEER_CONTACT, "x");
}


void peer_settle(void)
{
	peer_request("INFO", NULL, NULL);
	peer_expect("405 INFO");
}


bool hdr_is(const struct sip_msg *msg, enum sip_hdrid id,
	    const char *val)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, id);

	return hdr && !pl_strcmp(&hdr->val, val);
}


int peer_run(const char *name, void (*add)(TCase *tc))
{
	Suite *s = suite_create(name);
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, peer_setup, peer_teardown);
	tcase_set_timeout(tc, 30);
	add(tc);
	suite_add_tcase(s, tc);

	return check_run(s);
}
