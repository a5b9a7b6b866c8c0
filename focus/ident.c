/**
 * @file ident.c  Whose request is this?
 *
 * Refs:  RFC 3261 sections 21.4.2, 22.1, 22.2
 */
#include <time.h>
#include "digest.h"
#include "ident.h"
#include "log.h"
#include "tlsid.h"

struct ident {
	struct digest *digest;
	struct log_limit ll;
};

static void destructor(void *arg)
{
	struct ident *id = arg;

	mem_deref(id->digest);
}

int ident_alloc(struct ident **idp)
{
	struct ident *id;
	int err;

	if (!idp)
		return EINVAL;

	id = mem_zalloc(sizeof(*id), destructor);
	if (!id)
		return ENOMEM;

	err = digest_alloc(&id->digest);
	if (err)
		mem_deref(id);
	else
		*idp = id;

	return err;
}

static uint64_t monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);

	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void log_refusal(struct ident *id, const struct sip_msg *msg, enum digest_verdict v)
{
	unsigned left_out;
	char src[80];

	/* The first request of every call has none; stale is routine as well */
	if (v == DIGEST_V_ABSENT || v == DIGEST_V_STALE)
		return;

	if (!log_limit_ok(&id->ll, &left_out) ||
	    re_snprintf(src, sizeof(src), "%J", &msg->src) < 0)
		return;

	log_info("ev=auth_refused reason=%s method=%.*s src=%s left_out=%u",
		 digest_verdict_name(v), (int)msg->met.l, msg->met.p, src, left_out);
}

static void challenge(struct ident *id, const struct cfg *cfg, struct sip *sip,
		      const struct sip_msg *msg, bool stale)
{
	struct mbuf *mb = mbuf_alloc(512);
	int err = mb ? 0 : ENOMEM;

	if (!err)
		err = digest_challenge(id->digest, cfg, msg, stale, monotonic_ms(), mb);

	if (!err)
		(void)sip_replyf(sip, msg, 401, "Unauthorized", "%bContent-Length: 0\r\n\r\n",
				 mb->buf, mb->end);
	else if (err == ENOENT)
		(void)sip_replyf(sip, msg, 403, "Forbidden",
				 "Warning: 399 conclave \"No authentication without TLS\"\r\n"
				 "Content-Length: 0\r\n\r\n");
	else
		(void)sip_reply(sip, msg, 500, "Server Internal Error");

	mem_deref(mb);
}

static void refuse(struct ident *id, const struct cfg *cfg, struct sip *sip,
		   const struct sip_msg *msg, enum digest_verdict v)
{
	uint32_t wait_s;

	/* RFC 3261 section 22.1: neither can be resubmitted, so no challenge */
	if (!pl_strcmp(&msg->met, "ACK") || !pl_strcmp(&msg->met, "CANCEL"))
		return;

	switch (v) {

	case DIGEST_V_MALFORMED:
		(void)sip_replyf(sip, msg, 400, "Bad Request",
				 "Warning: 399 conclave \"Bad Authorization\"\r\n"
				 "Content-Length: 0\r\n\r\n");
		break;

	case DIGEST_V_BLOCKED:
		wait_s = digest_wait(id->digest, msg, monotonic_ms()) / 1000 + 1;
		(void)sip_replyf(sip, msg, 403, "Forbidden",
				 "Retry-After: %u\r\n"
				 "Warning: 399 conclave \"Too many failures\"\r\n"
				 "Content-Length: 0\r\n\r\n", wait_s);
		break;

	default:
		challenge(id, cfg, sip, msg, v == DIGEST_V_STALE);
		break;
	}
}

int ident_request(struct ident *id, const struct cfg *cfg, struct sip *sip,
		  const struct sip_msg *msg, char *buf, size_t size)
{
	enum digest_verdict v;

	if (!id || !cfg || !sip || !msg || !buf || size < IDENT_MAX)
		return EINVAL;

	if (!tlsid_identity(msg, buf, size))
		return 0;

	v = digest_check(id->digest, cfg, msg, monotonic_ms(), buf, size);
	if (v == DIGEST_V_OK)
		return 0;

	log_refusal(id, msg, v);
	refuse(id, cfg, sip, msg, v);

	return EAUTH;
}
