/**
 * @file cstack.c  One SIP stack of the caller: transport, TLS, dialogs
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include "cstack.h"
#include "log.h"

struct cstack {
	struct sip *sip;
	struct sip_lsnr *lsnr;
	struct tls *tls;
	struct dlgs *dlgs;
	struct sa laddr;             /* with the port we listen on           */
	enum sip_transp tp;
};

static void destructor(void *arg)
{
	struct cstack *s = arg;

	mem_deref(s->dlgs);
	mem_deref(s->lsnr);
	sip_close(s->sip, true);
	mem_deref(s->sip);
	mem_deref(s->tls);
}

/* ----- first hop --------------------------------------------------------- */

/** Our address on the way to dst: what connect() of a datagram socket picks */
static int own_addr(struct sa *laddr, const struct sa *dst)
{
	const int fd = socket(sa_af(dst), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = 0;

	if (fd < 0)
		return errno;

	laddr->len = sizeof(laddr->u);
	if (connect(fd, &dst->u.sa, dst->len) < 0 ||
	    getsockname(fd, &laddr->u.sa, &laddr->len) < 0)
		err = errno;
	(void)close(fd);
	sa_set_port(laddr, 0);

	return err;
}

static int lookup(struct sa *addr, const char *host, int af)
{
	const struct addrinfo hint = { .ai_family = af, .ai_socktype = SOCK_STREAM };
	struct addrinfo *res = NULL;
	int err;

	if (getaddrinfo(host, NULL, &hint, &res) || !res)
		return ENOENT;

	err = sa_set_sa(addr, res->ai_addr);
	freeaddrinfo(res);

	return err;
}

static int resolve(struct cstack_hop *hop, const struct opts *o)
{
	struct uri uri;
	struct pl pl;
	uint16_t port;
	int err;

	pl_set_str(&pl, o->uri);
	err = uri_decode(&uri, &pl);
	if (!err && pl_strcasecmp(&uri.scheme, "sip") && pl_strcasecmp(&uri.scheme, "sips"))
		err = EINVAL;
	if (!err)
		err = pl_strcpy(&uri.host, hop->host, sizeof(hop->host));
	if (err)
		return err;

	memset(&hop->laddr, 0, sizeof(hop->laddr));
	if (o->bind && sa_set_str(&hop->laddr, o->bind, 0))
		return EADDRNOTAVAIL;

	err = lookup(&hop->addr, hop->host, o->bind ? sa_af(&hop->laddr) : AF_UNSPEC);
	if (err)
		return err;

	port = uri.port ? uri.port : sip_transp_port(o->transport, 0);
	sa_set_port(&hop->addr, port);

	return o->bind ? 0 : own_addr(&hop->laddr, &hop->addr);
}

int cstack_resolve(struct cstack_hop *hop, const struct opts *o)
{
	const int err = resolve(hop, o);

	if (err) {
		(void)fprintf(stderr, "conclave-call: %s: no way there: %s\n", o->uri,
			      strerror(err));
		return err;
	}

	if (re_snprintf(hop->route, sizeof(hop->route), "sip:%J%s", &hop->addr,
			sip_transp_param(o->transport)) < 0)
		return ENOMEM;

	return 0;
}

/* ----- TLS --------------------------------------------------------------- */

static int accept_any(X509_STORE_CTX *ctx, void *arg)
{
	(void)ctx;
	(void)arg;

	return 1;
}

/** The name we dialled must stand in the certificate */
static int expect_name(SSL_CTX *ctx, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
	struct sa sa;
	int ok;

	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
					X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (!sa_set_str(&sa, host, 0))
		ok = X509_VERIFY_PARAM_set1_ip_asc(param, host);
	else
		ok = X509_VERIFY_PARAM_set1_host(param, host, 0);

	return ok == 1 ? 0 : EINVAL;
}

/** Says why; libre only knows that the handshake failed */
static int verify_handler(int ok, X509_STORE_CTX *ctx)
{
	if (!ok)
		log_error("ev=tls reason=%s",
			  X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));

	return ok;
}

static int verify_server(struct tls *tls, const struct opts *o, const char *host)
{
	SSL_CTX *ctx = tls_openssl_context(tls);
	int err = 0;

	if (o->insecure) {
		/* at this depth, because libre may set a verify mode per connection */
		SSL_CTX_set_cert_verify_callback(ctx, accept_any, NULL);
		return 0;
	}

	if (o->ca)
		err = tls_add_ca(tls, o->ca);
	else if (SSL_CTX_set_default_verify_paths(ctx) != 1)
		err = EIO;
	if (err) {
		(void)fprintf(stderr, "conclave-call: %s: cannot read the CA\n",
			      o->ca ? o->ca : "system");
		return err;
	}

	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, verify_handler);

	return expect_name(ctx, host);
}

static int tls_setup(struct cstack *s, const struct opts *o, const char *host)
{
	int err;

	err = tls_alloc(&s->tls, TLS_METHOD_SSLV23, o->cert, NULL);
	if (err) {
		(void)fprintf(stderr, "conclave-call: %s: cannot set up TLS: %s\n",
			      o->cert ? o->cert : "-", strerror(err));
		return err;
	}
	if (SSL_CTX_set_min_proto_version(tls_openssl_context(s->tls), TLS1_2_VERSION) != 1)
		return EIO;

	return verify_server(s->tls, o, host);
}

/* ----- SIP --------------------------------------------------------------- */

static bool request_handler(const struct sip_msg *msg, void *arg)
{
	struct cstack *s = arg;

	if (dlgs_request(s->dlgs, msg))
		return true;

	if (!pl_strcmp(&msg->met, "OPTIONS"))
		(void)sip_reply(s->sip, msg, 200, "OK");
	else
		(void)sip_reply(s->sip, msg, 405, "Method Not Allowed");

	return true;
}

static int listen_addr(struct cstack *s, const struct cstack_hop *hop)
{
	int err;

	err = sip_transp_add(s->sip, s->tp, &hop->laddr, s->tls);
	if (!err)
		err = sip_transp_laddr(s->sip, &s->laddr, s->tp, &hop->addr);

	return err;
}

const char *cstack_software(const struct opts *o)
{
	return o->user_agent ? o->user_agent : "conclave-call " VERSION;
}

int cstack_alloc(struct cstack **sp, const struct opts *o, const struct cstack_hop *hop)
{
	struct cstack *s = mem_zalloc(sizeof(*s), destructor);
	int err = 0;

	if (!s)
		return ENOMEM;

	s->tp = o->transport;
	if (s->tp == SIP_TRANSP_TLS)
		err = tls_setup(s, o, hop->host);
	if (!err)
		err = sip_alloc(&s->sip, NULL, 64, 64, 8,
				cstack_software(o), NULL, NULL);
	if (!err)
		err = dlgs_alloc(&s->dlgs, s->sip, NULL, NULL);
	if (!err)
		err = sip_listen(&s->lsnr, s->sip, true, request_handler, s);
	if (!err)
		err = listen_addr(s, hop);

	if (err)
		mem_deref(s);
	else
		*sp = s;

	return err;
}

struct dlgs *cstack_dlgs(const struct cstack *s)
{
	return s->dlgs;
}

int cstack_contact(const struct cstack *s, char *buf, size_t size, const char *user)
{
	return re_snprintf(buf, size, "<sip:%s@%J%s>", user, &s->laddr,
			   sip_transp_param(s->tp)) < 0 ? ENOMEM : 0;
}

uint32_t cstack_busy(const struct cstack *s)
{
	return dlgs_count(s->dlgs);
}
