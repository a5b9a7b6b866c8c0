/**
 * @file bfcp/floortls.c  TLS connections whose certificates are named in SDP
 */
#include <string.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include "floortls.h"
#include "strangers.h"
#include "tlspol.h"

enum {
	CERT_DAYS = 365,
	CHUNK = 16384,          /* a TLS record                               */
};

struct floortls_ctx {
	SSL_CTX *ssl;
	struct floortls_fp fp;
};

struct floortls {
	struct floortls_ctx *ctx;
	struct tcp_conn *tc;
	SSL *ssl;
	BIO *in, *out;          /* of ssl                                     */
	struct floortls_handlers h;
	void *arg;
	struct sa peer;
	struct floortls_fps cert;       /* the peer's                         */
	bool up, said_bye, waiting;
};


/* ---- context --------------------------------------------------------------- */

static void ctx_destructor(void *arg)
{
	struct floortls_ctx *ctx = arg;

	SSL_CTX_free(ctx->ssl);
}


/** In place of a chain: the fingerprint decides, and nothing else */
static int verify_handler(X509_STORE_CTX *xs, void *arg)
{
	const int idx = SSL_get_ex_data_X509_STORE_CTX_idx();
	SSL *ssl = X509_STORE_CTX_get_ex_data(xs, idx);
	struct floortls *c = ssl ? SSL_get_app_data(ssl) : NULL;
	X509 *cert = X509_STORE_CTX_get0_cert(xs);
	(void)arg;

	if (c && cert) {
		int r;

		floortls_fps_of(&c->cert, cert);
		r = c->h.verifyh(&c->cert, c->arg);
		if (r > 0) {
			X509_STORE_CTX_set_error(xs, X509_V_OK);
			return 1;
		}
		if (r < 0 && !SSL_is_server(ssl) && SSL_set_retry_verify(ssl)) {
			/* no consent: OpenSSL stops here, and asks again when
			 * the handshake is resumed */
			c->waiting = true;
			return 1;
		}
	}

	/* OpenSSL makes the alert bad_certificate of this one */
	X509_STORE_CTX_set_error(xs, X509_V_ERR_CERT_REJECTED);

	return 0;
}


static int load(SSL_CTX *ssl, const char *pem)
{
	if (SSL_CTX_use_certificate_chain_file(ssl, pem) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ssl, pem, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(ssl) != 1)
		return ENOENT;

	return 0;
}


static int fill_cert(X509 *x, EVP_PKEY *key)
{
	X509_NAME *name = X509_get_subject_name(x);
	uint8_t serial[8];
	BIGNUM *bn;
	bool ok;

	rand_bytes(serial, sizeof(serial));
	serial[0] &= 0x7f;
	bn = BN_bin2bn(serial, sizeof(serial), NULL);
	ok = bn && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)) &&
		X509_set_version(x, X509_VERSION_3) &&
		X509_gmtime_adj(X509_getm_notBefore(x), -3600) &&
		X509_gmtime_adj(X509_getm_notAfter(x), 86400L * CERT_DAYS) &&
		/* says nothing about us: RFC 8122 section 3.6 */
		X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
			(const unsigned char *)"anonymous", -1, -1, 0) &&
		X509_set_issuer_name(x, name) && X509_set_pubkey(x, key) &&
		X509_sign(x, key, EVP_sha256());
	BN_free(bn);

	return ok ? 0 : EIO;
}


static int draw(SSL_CTX *ssl)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	int err = key && x ? fill_cert(x, key) : ENOMEM;

	if (!err && (SSL_CTX_use_certificate(ssl, x) != 1 ||
		     SSL_CTX_use_PrivateKey(ssl, key) != 1))
		err = EIO;
	X509_free(x);
	EVP_PKEY_free(key);

	return err;
}


int floortls_ctx_alloc(struct floortls_ctx **ctxp, const char *pem)
{
	struct floortls_ctx *ctx = mem_zalloc(sizeof(*ctx), ctx_destructor);
	unsigned n = 0;
	int err;

	if (!ctx)
		return ENOMEM;

	ctx->ssl = SSL_CTX_new(TLS_method());
	err = ctx->ssl ? tlspol_set(ctx->ssl) : ENOMEM;
	if (!err)
		err = pem ? load(ctx->ssl, pem) : draw(ctx->ssl);
	if (!err && (!X509_digest(SSL_CTX_get0_certificate(ctx->ssl),
				  EVP_sha256(), ctx->fp.v, &n) || n != 32))
		err = EIO;
	ERR_clear_error();
	if (err) {
		mem_deref(ctx);
		return err;
	}

	ctx->fp.len = 32;
	SSL_CTX_set_verify(ctx->ssl, SSL_VERIFY_PEER |
			   SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx->ssl, verify_handler, NULL);
	SSL_CTX_set_mode(ctx->ssl, SSL_MODE_RELEASE_BUFFERS);
	*ctxp = ctx;

	return 0;
}


const struct floortls_fp *floortls_ctx_fp(const struct floortls_ctx *ctx)
{
	return &ctx->fp;
}


/* ---- connections ----------------------------------------------------------- */

static void destructor(void *arg)
{
	struct floortls *c = arg;

	SSL_free(c->ssl);       /* and both BIOs                              */
	mem_deref(c->tc);
	mem_deref(c->ctx);
}


/** What OpenSSL wrote goes out */
static int flush(struct floortls *c)
{
	struct mbuf mb;
	char *p;
	const long n = BIO_get_mem_data(c->out, &p);
	int err;

	if (n <= 0)
		return 0;

	mbuf_init(&mb);
	mb.buf = (uint8_t *)p;
	mb.size = mb.end = (size_t)n;
	err = tcp_send(c->tc, &mb);
	(void)BIO_reset(c->out);

	return err;
}


/** 0: goes on; EAGAIN: wait for the peer; other: over, an alert was sent */
static int handshake(struct floortls *c)
{
	int r, err;

	ERR_clear_error();
	r = SSL_do_handshake(c->ssl);
	err = flush(c);
	if (err)
		return err;
	if (r == 1) {
		c->up = true;
		return 0;
	}

	switch (SSL_get_error(c->ssl, r)) {

	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_RETRY_VERIFY:
		return EAGAIN;
	default:
		return EPROTO;
	}
}


/**
 * Deliver what there is.
 *
 * @return 0, or why it is over; ESHUTDOWN: the peer said goodbye; ECANCELED:
 *         a handler dropped it
 */
static int deliver(struct floortls *c)
{
	uint8_t buf[CHUNK];

	for (;;) {
		int n, e;

		ERR_clear_error();
		n = SSL_read(c->ssl, buf, sizeof(buf));
		if (n > 0) {
			c->h.recvh(buf, (size_t)n, c->arg);
			if (mem_nrefs(c) == 1)
				return ECANCELED;
			continue;
		}

		e = SSL_get_error(c->ssl, n);
		if (flush(c))
			return EPIPE;
		if (e == SSL_ERROR_WANT_READ)
			return 0;

		return e == SSL_ERROR_ZERO_RETURN ? ESHUTDOWN : EPROTO;
	}
}


static void closed(struct floortls *c, int err)
{
	c->up = false;
	c->h.closeh(err, c->arg);
}


/** Go on with what has arrived; err: it could not be stored */
static void advance(struct floortls *c, int err)
{
	/* a handler may drop it */
	mem_ref(c);
	if (!err && !c->up) {
		err = handshake(c);
		if (!err)
			c->h.estabh(c->arg);
		if (err == EAGAIN)
			goto out;
	}
	if (!err && mem_nrefs(c) > 1)
		err = deliver(c);
	if (err && err != ECANCELED && mem_nrefs(c) > 1)
		closed(c, err == ESHUTDOWN ? 0 : err);

 out:
	mem_deref(c);
}


static void recv_handler(struct mbuf *mb, void *arg)
{
	struct floortls *c = arg;
	const int n = BIO_write(c->in, mbuf_buf(mb), (int)mbuf_get_left(mb));

	/* It is our turn, and nobody reads: what a stranger sends in spite of
	 * that would be kept, however much it is */
	if (!c->waiting || n <= 0)
		advance(c, n > 0 ? 0 : ENOMEM);
	else if (BIO_ctrl_pending(c->in) > CHUNK)
		advance(c, EMSGSIZE);
}


void floortls_retry(struct floortls *c)
{
	if (!c->waiting)
		return;

	c->waiting = false;
	advance(c, 0);
}


static void close_handler(int err, void *arg)
{
	closed(arg, err);
}


/** Small messages: without this they wait for the peer's delayed ACK */
static void nodelay(const struct floortls *c)
{
	const int on = 1;

	(void)setsockopt(tcp_conn_fd(c->tc), IPPROTO_TCP, TCP_NODELAY, &on,
			 sizeof(on));
}


static void estab_handler(void *arg)
{
	struct floortls *c = arg;
	int err;

	nodelay(c);
	(void)tcp_conn_peer_get(c->tc, &c->peer);
	/* the client speaks first, whoever connected */
	err = SSL_is_server(c->ssl) ? 0 : handshake(c);
	if (err && err != EAGAIN)
		closed(c, err);
}


static int alloc(struct floortls **cp, struct floortls_ctx *ctx,
		 bool tls_server, const struct floortls_handlers *h, void *arg)
{
	struct floortls *c = mem_zalloc(sizeof(*c), destructor);

	if (!c)
		return ENOMEM;

	c->ctx = mem_ref(ctx);
	c->h = *h;
	c->arg = arg;
	c->ssl = SSL_new(ctx->ssl);
	c->in  = BIO_new(BIO_s_mem());
	c->out = BIO_new(BIO_s_mem());
	if (!c->ssl || !c->in || !c->out) {
		BIO_free(c->in);
		BIO_free(c->out);
		mem_deref(c);
		return ENOMEM;
	}

	SSL_set_bio(c->ssl, c->in, c->out);
	SSL_set_app_data(c->ssl, c);
	if (tls_server)
		SSL_set_accept_state(c->ssl);
	else
		SSL_set_connect_state(c->ssl);
	*cp = c;

	return 0;
}


int floortls_accept(struct floortls **cp, struct floortls_ctx *ctx,
		    struct tcp_sock *ts, bool tls_server,
		    const struct floortls_handlers *h, void *arg)
{
	struct floortls *c;
	int err;

	err = alloc(&c, ctx, tls_server, h, arg);
	if (err)
		return err;

	err = tcp_accept(&c->tc, ts, estab_handler, recv_handler,
			 close_handler, c);
	if (err)
		mem_deref(c);
	else
		*cp = c;

	return err;
}


int floortls_connect(struct floortls **cp, struct floortls_ctx *ctx,
		     const struct sa *peer, bool tls_server,
		     const struct floortls_handlers *h, void *arg)
{
	struct floortls *c;
	int err;

	err = alloc(&c, ctx, tls_server, h, arg);
	if (err)
		return err;

	c->peer = *peer;
	err = tcp_connect(&c->tc, peer, estab_handler, recv_handler,
			  close_handler, c);
	if (err)
		mem_deref(c);
	else
		*cp = c;

	return err;
}


int floortls_send(struct floortls *c, const uint8_t *p, size_t n)
{
	if (!c->up)
		return ENOTCONN;

	ERR_clear_error();
	if (SSL_write(c->ssl, p, (int)n) != (int)n)
		return EPROTO;

	return flush(c);
}


void floortls_bye(struct floortls *c)
{
	if (!c->up || c->said_bye)
		return;

	c->said_bye = true;
	ERR_clear_error();
	(void)SSL_shutdown(c->ssl);
	(void)flush(c);
}


void floortls_known(const struct floortls *c)
{
	strangers_known(tcp_conn_fd(c->tc));
}


bool floortls_up(const struct floortls *c)
{
	return c && c->up;
}


const struct floortls_fps *floortls_peer(const struct floortls *c)
{
	static const struct floortls_fps none;

	return c && c->up ? &c->cert : &none;
}


void floortls_peer_addr(const struct floortls *c, struct sa *sa)
{
	*sa = c->peer;
}
