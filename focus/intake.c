/**
 * @file intake.c  Is this a request at all?  Answering and ending
 *
 * The rules are in intake_rules.c.
 */
#include <string.h>
#include <sys/socket.h>
#include "intake.h"
#include "log.h"
#include "tlsid.h"

enum { DRAIN_MAX = 64 };        /* reads of 16 KiB */

struct intake {
	const struct intake_caps *caps;
	struct log_limit ll;
};

int intake_alloc(struct intake **inp, const struct intake_caps *caps)
{
	struct intake *in;

	if (!inp || !caps || !caps->methodv || !caps->optionv)
		return EINVAL;

	in = mem_zalloc(sizeof(*in), NULL);
	if (!in)
		return ENOMEM;

	in->caps = caps;
	*inp = in;

	return 0;
}

static void log_refusal(struct intake *in, const struct sip_msg *msg,
			const struct intake_verdict *v)
{
	unsigned left_out;
	char src[80];

	if (!log_limit_ok(&in->ll, &left_out) ||
	    re_snprintf(src, sizeof(src), "%J", &msg->src) < 0)
		return;

	log_info("ev=sip_refused reason=%s status=%u method=%.*s src=%s poisoned=%d left_out=%u",
		 v->rule, v->silent ? 0 : v->scode, (int)(msg->met.l < 32 ? msg->met.l : 32),
		 msg->met.p, src, v->poison, left_out);
}

/** RFC 3261 section 18.3: bytes beyond the body in a datagram are discarded */
static void cut_datagram(const struct sip_msg *msg)
{
	const size_t end = msg->mb->pos + pl_u32(&msg->clen);

	if (msg->tp == SIP_TRANSP_UDP && msg->clen.p && end < msg->mb->end)
		msg->mb->end = end;
}

bool intake_ok(struct intake *in, struct sip *sip, const struct sip_msg *msg)
{
	struct intake_verdict v;

	if (!in || !sip || !msg || !msg->req)
		return false;

	if (tlsid_poisoned(msg)) {
		intake_poison(msg);
		return false;
	}
	tlsid_nodelay(msg);

	intake_judge(&v, in->caps, msg);
	if (!v.scode) {
		cut_datagram(msg);
		return true;
	}

	log_refusal(in, msg, &v);
	if (!v.silent)
		(void)sip_replyf(sip, msg, v.scode, v.reason,
				 "Warning: 399 conclave \"%s\"\r\n%s"
				 "Content-Length: 0\r\n\r\n", v.why, v.hdrs);
	if (v.poison)
		intake_poison(msg);

	return false;
}

/** Throw away what the socket has received already */
static void drain(int fd)
{
	char buf[16384];

	for (unsigned i = 0; i < DRAIN_MAX; i++) {
		if (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) <= 0)
			return;
	}
}

void intake_poison(const struct sip_msg *msg)
{
	const struct tcp_conn *tc = sip_msg_tcpconn(msg);

	if (!tc)
		return;

	/* libre goes on behind the end of the body of this message; with the
	 * end set behind everything there is nothing left to go on with. */
	msg->mb->end = msg->mb->size;

	(void)tlsid_poison(msg);

	/* Both ways: the kernel then answers later data with a reset, and
	 * libre reads the end of the stream and closes the connection. */
	(void)shutdown(tcp_conn_fd(tc), SHUT_RDWR);
	drain(tcp_conn_fd(tc));
}
