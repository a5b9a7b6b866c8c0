/**
 * @file ident.c  Whose request is this?
 *
 * Refs:  RFC 3261 sections 21.4.2, 22.1, 22.2; RFC 3325 section 9.1
 */
#include <string.h>
#include "clock.h"
#include "digest.h"
#include "ident.h"
#include "log.h"
#include "privacy.h"
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
		err = digest_challenge(id->digest, cfg, msg, stale, clock_mono_ms(), mb);

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
		wait_s = digest_wait(id->digest, msg, clock_mono_ms()) / 1000 + 1;
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

/* ---- trusted peers ------------------------------------------------------- */

static bool from_peer(const struct cfg_peer *peer, const struct sip_msg *msg)
{
	bool ok = !peer->addrc;

	for (unsigned i = 0; i < peer->addrc && !ok; i++)
		ok = sa_cmp(&peer->addrv[i], &msg->src, SA_ADDR);
	if (!ok || !peer->certc)
		return ok;

	for (unsigned i = 0; i < peer->certc; i++) {
		if (tlsid_names(msg, peer->certv[i]))
			return true;
	}

	return false;
}

/* Over TLS only: a source address in a datagram proves nothing */
static const struct cfg_peer *peer_find(const struct cfg *cfg, const struct sip_msg *msg)
{
	struct le *le;

	if (msg->tp != SIP_TRANSP_TLS)
		return NULL;

	LIST_FOREACH(&cfg->peerl, le) {
		if (from_peer(le->data, msg))
			return le->data;
	}

	return NULL;
}

struct asserted {
	struct pl uri;          /* the SIP one                              */
	unsigned sipc, telc, otherc;
};

/**
 * The URI of a name-addr or addr-spec.  The display name may be the caller's
 * own words, and libre would take what looks like a URI inside of its quotes.
 */
static int take_uri(struct pl *uri, struct pl val)
{
	const struct pl all = val;
	bool quoted = false;

	for (; val.l && (quoted || *val.p != '<'); pl_advance(&val, 1)) {
		if (*val.p == '"')
			quoted = !quoted;
		else if (quoted && *val.p == '\\' && val.l > 1)
			pl_advance(&val, 1);
		else if (!quoted && *val.p == ':')
			break;
	}
	if (!val.l)
		return EBADMSG;

	*uri = all;

	return *val.p == '<' ? re_regex(val.p, val.l, "<[^>]+>", uri) : 0;
}

static bool starts_with(const struct pl *pl, const char *scheme)
{
	const size_t len = strlen(scheme);

	return pl->l > len && !strncasecmp(pl->p, scheme, len);
}

static bool asserted_handler(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	struct asserted *a = arg;
	struct pl uri = pl_null;

	(void)msg;

	if (take_uri(&uri, hdr->val)) {
		++a->otherc;
	}
	else if (starts_with(&uri, "tel:")) {
		++a->telc;
	}
	else if (starts_with(&uri, "sip:") || starts_with(&uri, "sips:")) {
		a->uri = uri;
		++a->sipc;
	}
	else {
		++a->otherc;
	}

	return false;
}

static bool may_assert(const struct cfg_peer *peer, const char *identity)
{
	for (unsigned i = 0; i < peer->assertc; i++) {
		if (cfg_rule_match(peer->assertv[i], identity))
			return true;
	}

	return false;
}

int ident_asserted(const struct cfg *cfg, const struct sip_msg *msg, char *buf, size_t size)
{
	const struct cfg_peer *peer;
	struct asserted a;
	struct uri uri;

	if (!cfg || !msg || !buf)
		return EINVAL;

	peer = peer_find(cfg, msg);
	if (!peer)
		return ENOENT;

	memset(&a, 0, sizeof(a));
	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_P_ASSERTED_IDENTITY, asserted_handler, &a);
	if (!a.sipc && !a.telc && !a.otherc)
		return ENOENT;
	if (a.sipc > 1 || a.telc > 1 || a.otherc)
		return EBADMSG;
	if (!a.sipc)
		return ENOENT;
	if (uri_decode(&uri, &a.uri) || cfg_identity(buf, size, &a.uri))
		return EBADMSG;
	if (privacy_uri_anonymous(&uri))
		return ENOENT;

	return may_assert(peer, buf) ? 0 : EBADMSG;
}

bool ident_offered(const struct cfg *cfg, const struct sip_msg *msg)
{
	char buf[IDENT_MAX];

	return sip_msg_hdr(msg, SIP_HDR_AUTHORIZATION) || !tlsid_identity(msg, buf, sizeof(buf)) ||
		ident_asserted(cfg, msg, buf, sizeof(buf)) != ENOENT;
}

/* A trusted peer that says what it may not: somebody has made a mistake, and
 * the caller cannot mend it with a password */
static int refuse_asserted(struct ident *id, struct sip *sip, const struct sip_msg *msg)
{
	unsigned left_out;
	char src[80];

	if (log_limit_ok(&id->ll, &left_out) && re_snprintf(src, sizeof(src), "%J", &msg->src) > 0)
		log_info("ev=auth_refused reason=asserted method=%.*s src=%s left_out=%u",
			 (int)msg->met.l, msg->met.p, src, left_out);
	if (pl_strcmp(&msg->met, "ACK") && pl_strcmp(&msg->met, "CANCEL"))
		(void)sip_replyf(sip, msg, 403, "Forbidden",
				 "Warning: 399 conclave \"Bad P-Asserted-Identity\"\r\n"
				 "Content-Length: 0\r\n\r\n");

	return EAUTH;
}

static int identify(struct ident *id, const struct cfg *cfg, struct sip *sip,
		    const struct sip_msg *msg, char *buf, size_t size)
{
	enum digest_verdict v;
	int err;

	if (!tlsid_identity(msg, buf, size))
		return 0;

	err = ident_asserted(cfg, msg, buf, size);
	if (!err)
		return 0;
	if (err == EBADMSG)
		return refuse_asserted(id, sip, msg);

	v = digest_check(id->digest, cfg, msg, clock_mono_ms(), buf, size);
	if (v == DIGEST_V_OK)
		return 0;

	log_refusal(id, msg, v);
	refuse(id, cfg, sip, msg, v);

	return EAUTH;
}

uint32_t ident_remembered(const struct ident *id)
{
	return digest_remembered(id->digest);
}

int ident_request(struct ident *id, const struct cfg *cfg, struct sip *sip,
		  const struct sip_msg *msg, char *buf, size_t size)
{
	int err;

	if (!id || !cfg || !sip || !msg || !buf || size < IDENT_MAX)
		return EINVAL;

	err = identify(id, cfg, sip, msg, buf, size);
	if (!err)
		tlsid_known(msg);

	return err;
}
