/**
 * @file tlsid.c  TLS policy, client certificates, and whose connection it is
 *
 * Refs:  RFC 5280 section 4.2.1, RFC 5922 section 7.1, RFC 9325
 */
#include <ctype.h>
#include <string.h>
#include <time.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include "log.h"
#include "strangers.h"
#include "tlsid.h"
#include "tlspol.h"
#include "trickle.h"

enum {
	VERIFY_DEPTH = 4,
	CONN_SPARE   = 256,
	EXPECT_MAX   = 256,
	FD_SCAN_MAX  = 65536,
	BACKLOG      = 1024,    /* connections that wait for accept()       */
};

/* Outlives its connection, for those who remember it */
struct tlsid_flow {
	struct sa peer;
	struct list watchl;     /* struct tlsid_watch                       */
	bool open;
	bool accepted;
};

/* What we know of one connection; hangs on the SSL as ex_data */
struct conn {
	SSL *ssl;
	struct tlsid_flow *flow; /* made when somebody asks for it          */
	struct sa src;          /* of its first message                     */
	bool src_known;
	bool server;            /* we accepted it                           */
	bool nodelay;
	bool poisoned;
	bool known;             /* tlsid_known()                            */
	struct trickle trickle;
};

/* Process-wide: the loop reads one connection at a time */
static struct {
	int ssl_index;          /* ex_data of SSL and SSL_CTX; -1: not yet  */
	int ctx_index;
	int name_index;         /* of an SSL: name expected, when we connect */
	char expect[EXPECT_MAX];
	struct conn *current;   /* whose bytes are being delivered          */
	uint32_t connc;         /* accepted and open                        */
	struct log_limit log_verify;
	struct log_limit log_full;
	struct log_limit log_addr;
	struct log_limit log_slow;
	X509_STORE *server_ca;        /* authorities of those we call; NULL: those of the context */
} st = { .ssl_index = -1, .ctx_index = -1, .name_index = -1 };

static void flow_closed(struct tlsid_flow *f)
{
	struct le *le;

	if (!f)
		return;

	f->open = false;
	while ((le = list_head(&f->watchl))) {
		struct tlsid_watch *w = le->data;

		list_unlink(le);
		w->goneh(w->arg);
	}
}

static void conn_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	struct conn *c = ptr;

	(void)parent;
	(void)ad;
	(void)idx;
	(void)argl;
	(void)argp;

	if (!c)
		return;
	if (st.current == c)
		st.current = NULL;
	if (c->server)
		--st.connc;

	flow_closed(c->flow);
	mem_deref(c->flow);
	mem_deref(c);
}

/** An SSL is made: if it is for a connection of ours, this is whose it is */
static void name_new(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	char *name = NULL;

	(void)parent;
	(void)ptr;
	(void)argl;
	(void)argp;

	if (st.expect[0] && !str_dup(&name, st.expect) && !CRYPTO_set_ex_data(ad, idx, name))
		mem_deref(name);
	st.expect[0] = '\0';
}

static void name_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	(void)parent;
	(void)ad;
	(void)idx;
	(void)argl;
	(void)argp;

	mem_deref(ptr);
}

static int make_index(void)
{
	if (st.ssl_index < 0)
		st.ssl_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, conn_free);
	if (st.ctx_index < 0)
		st.ctx_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);

	if (st.name_index < 0)
		st.name_index = SSL_get_ex_new_index(0, NULL, name_new, NULL, name_free);

	return st.ssl_index < 0 || st.ctx_index < 0 || st.name_index < 0 ? ENOMEM : 0;
}

static uint64_t monotonic_ms(void)
{
	struct timespec ts = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);

	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/** Does it make us read the same again and again?  Then no more of it */
static void bound_work(struct conn *c, size_t len)
{
	unsigned left_out;

	if (c->poisoned || trickle_ok(&c->trickle, len, c->known, monotonic_ms()))
		return;

	c->poisoned = true;
	flow_closed(c->flow);
	if (log_limit_ok(&st.log_slow, &left_out))
		log_warn("ev=connection_refused reason=trickle known=%d left_out=%u",
			 c->known, left_out);
}

/** libre is about to decrypt and deliver bytes of this connection */
static long bio_handler(BIO *bio, int oper, const char *argp, size_t len, int argi,
			long argl, int ret, size_t *processed)
{
	struct conn *c = (void *)BIO_get_callback_arg(bio);

	(void)argp;
	(void)argi;
	(void)argl;
	(void)processed;

	if (oper != BIO_CB_WRITE)
		return ret;

	bound_work(c, len);

	/* BIO_write() then fails, and libre closes the connection */
	if (c->poisoned)
		return -1;

	st.current = c;

	return ret;
}

static int verify_handler(int ok, X509_STORE_CTX *xs)
{
	const int err = X509_STORE_CTX_get_error(xs);
	unsigned left_out;

	if (!ok && log_limit_ok(&st.log_verify, &left_out)) {
		log_info("ev=tls_refused reason=\"%s\" depth=%d left_out=%u",
			 X509_verify_cert_error_string(err),
			 X509_STORE_CTX_get_error_depth(xs), left_out);
	}

	return ok;
}

static int deny_handler(int ok, X509_STORE_CTX *xs)
{
	(void)ok;
	(void)xs;

	return 0;
}

/** RFC 5922 section 7: the certificate has to name the host we wanted */
static bool expect_name(SSL *ssl)
{
	const char *name = SSL_get_ex_data(ssl, st.name_index);
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (!name)
		return false;

	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_WILDCARDS |
					X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (X509_VERIFY_PARAM_set1_ip_asc(param, name))
		return true;

	ERR_clear_error();

	return X509_VERIFY_PARAM_set1_host(param, name, 0) && SSL_set_tlsext_host_name(ssl, name);
}

/** Whom we call has authorities of its own: a server's is no client's */
static void ask_server(SSL *ssl)
{
	bool ok = expect_name(ssl);

	if (ok && st.server_ca)
		ok = SSL_set1_verify_cert_store(ssl, st.server_ca) == 1;

	SSL_set_verify(ssl, SSL_VERIFY_PEER, ok ? verify_handler : deny_handler);
}

static void conn_start(SSL *ssl)
{
	struct conn *c;

	if (SSL_get_ex_data(ssl, st.ssl_index))
		return;

	c = mem_zalloc(sizeof(*c), NULL);
	if (!c || !SSL_set_ex_data(ssl, st.ssl_index, c)) {
		/* Untracked it must not live: its messages would be taken for
		 * those of another.  hello_handler() ends it if we are server. */
		SSL_set_verify(ssl, SSL_VERIFY_PEER, deny_handler);
		st.current = NULL;
		mem_deref(c);
		return;
	}

	c->ssl = ssl;
	c->server = SSL_is_server(ssl);
	if (c->server)
		++st.connc;
	else
		ask_server(ssl);

	BIO_set_callback_arg(SSL_get_rbio(ssl), (char *)c);
	BIO_set_callback_ex(SSL_get_rbio(ssl), bio_handler);

	/* Its first bytes were written before the callback was there */
	st.current = c;
}

static void info_handler(const SSL *ssl, int where, int ret)
{
	(void)ret;

	if (where & SSL_CB_HANDSHAKE_START)
		conn_start((SSL *)ssl);
}

/** Refuse new connections beyond the bound, before any expensive work */
static int hello_handler(SSL *ssl, int *alert, void *arg)
{
	const uintptr_t max = (uintptr_t)SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), st.ctx_index);
	unsigned left_out;

	(void)arg;

	*alert = SSL_AD_INTERNAL_ERROR;
	if (!SSL_get_ex_data(ssl, st.ssl_index))
		return SSL_CLIENT_HELLO_ERROR;

	if (!max || st.connc <= max || strangers_evict())
		return SSL_CLIENT_HELLO_SUCCESS;

	if (log_limit_ok(&st.log_full, &left_out))
		log_warn("ev=tls_refused reason=max_connections limit=%zu left_out=%u",
			 (size_t)max, left_out);

	return SSL_CLIENT_HELLO_ERROR;
}

/**
 * Optional, but if shown it must hold: OpenSSL's own verification (chain,
 * validity, purpose "SSL client") with no callback that could forgive.
 */
static int ask_clients(SSL_CTX *ctx, const char *ca)
{
	static const unsigned char sid[] = "conclave";
	STACK_OF(X509_NAME) *names;

	names = SSL_load_client_CA_file(ca);
	if (!names || !SSL_CTX_load_verify_file(ctx, ca)) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return ENOENT;
	}

	SSL_CTX_set_client_CA_list(ctx, names);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, verify_handler);
	SSL_CTX_set_verify_depth(ctx, VERIFY_DEPTH);

	return SSL_CTX_set_session_id_context(ctx, sid, sizeof(sid) - 1) ? 0 : EINVAL;
}

static int load_server_ca(const char *ca)
{
	X509_STORE_free(st.server_ca);
	st.server_ca = NULL;
	if (!ca)
		return 0;

	st.server_ca = X509_STORE_new();
	if (!st.server_ca)
		return ENOMEM;

	return X509_STORE_load_file(st.server_ca, ca) ? 0 : ENOENT;
}

int tlsid_init(struct tls *tls, const struct cfg *cfg)
{
	SSL_CTX *ctx;
	uintptr_t max;
	int err;

	if (!tls || !cfg)
		return EINVAL;

	ctx = tls_openssl_context(tls);
	err = ctx ? make_index() : EINVAL;
	if (!err)
		err = tlspol_set(ctx);
	if (!err) {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
		if (cfg->tls_ca)
			err = ask_clients(ctx, cfg->tls_ca);
		if (!err)
			err = load_server_ca(cfg->tls_server_ca);
	}
	ERR_clear_error();
	if (err)
		return err;

	max = cfg->max_calls ? 2 * (uintptr_t)cfg->max_calls + CONN_SPARE : 0;
	if (!SSL_CTX_set_ex_data(ctx, st.ctx_index, (void *)max))
		return ENOMEM;

	SSL_CTX_set_info_callback(ctx, info_handler);
	SSL_CTX_set_client_hello_cb(ctx, hello_handler, NULL);

	return 0;
}

/** The connection that this message came on; NULL if there is any doubt */
static struct conn *conn_of(const struct sip_msg *msg)
{
	struct conn *c = st.current;
	unsigned left_out;

	if (!c || !msg || msg->tp != SIP_TRANSP_TLS)
		return NULL;

	if (!c->src_known) {
		c->src = msg->src;
		c->src_known = true;
	}

	if (!sa_cmp(&c->src, &msg->src, SA_ALL)) {
		if (log_limit_ok(&st.log_addr, &left_out))
			log_error("ev=tls_doubt reason=other_connection left_out=%u", left_out);
		return NULL;
	}

	return c;
}

/** One character of a SIP URI's user or host part */
static bool uri_char(char ch, bool host)
{
	if (!ch)
		return false;

	return isalnum((unsigned char)ch) || strchr(host ? "-.[]:" : "-_.!~*'()&=+$,", ch);
}

/**
 * "sip:user@host" and nothing else, the host copied in lower case.  Escapes,
 * ports, parameters or a NUL could make two readers see two names.
 */
static int take_uri(char *buf, size_t size, const char *p, size_t len)
{
	const char *at = memchr(p, '@', len);
	size_t host;

	if (len < sizeof("sip:u@h") - 1 || len >= size || strncasecmp(p, "sip:", 4))
		return ENOENT;
	if (!at || at == p + 4 || at == p + len - 1)
		return ENOENT;

	host = (size_t)(at - p) + 1;
	if (memchr(p + host, ':', len - host) && p[host] != '[')
		return ENOENT;

	memcpy(buf, "sip:", 4);
	for (size_t i = 4; i < len; i++) {
		if (i != host - 1 && !uri_char(p[i], i >= host))
			return ENOENT;
		buf[i] = i < host ? p[i] : (char)tolower((unsigned char)p[i]);
	}
	buf[len] = '\0';

	return 0;
}

/** The one SAN URI that names a user; two different ones are no identity */
static int cert_identity(X509 *cert, char *buf, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	char one[TLSID_MAX], id[TLSID_MAX] = "";
	bool differ = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *gn = sk_GENERAL_NAME_value(names, i);
		const ASN1_IA5STRING *uri = gn->d.uniformResourceIdentifier;

		if (gn->type != GEN_URI ||
		    take_uri(one, sizeof(one), (const char *)ASN1_STRING_get0_data(uri),
			     (size_t)ASN1_STRING_length(uri)))
			continue;

		if (id[0] && strcmp(id, one))
			differ = true;
		memcpy(id, one, sizeof(id));
	}

	GENERAL_NAMES_free(names);
	ERR_clear_error();

	if (!id[0] || differ || strlen(id) >= size)
		return ENOENT;

	memcpy(buf, id, strlen(id) + 1);

	return 0;
}

/** Without verification (no tls_ca) the result is "ok" for anything */
static bool is_verified(const struct conn *c)
{
	return !c->poisoned && (SSL_get_verify_mode(c->ssl) & SSL_VERIFY_PEER) &&
		SSL_get_verify_result(c->ssl) == X509_V_OK && SSL_is_init_finished(c->ssl);
}

int tlsid_certificate(const struct sip_msg *msg, struct x509_st **certp)
{
	const struct conn *c = conn_of(msg);
	X509 *cert;

	if (!c || !certp || !c->server || !is_verified(c))
		return ENOENT;

	cert = SSL_get1_peer_certificate(c->ssl);
	if (!cert)
		return ENOENT;

	*certp = cert;

	return 0;
}

int tlsid_identity(const struct sip_msg *msg, char *buf, size_t size)
{
	X509 *cert;
	int err;

	if (!buf || tlsid_certificate(msg, &cert))
		return ENOENT;

	err = cert_identity(cert, buf, size);
	X509_free(cert);

	return err;
}

static bool same_name(const unsigned char *p, size_t len, const char *name)
{
	return len == strlen(name) && !strncasecmp((const char *)p, name, len);
}

/** "sip:domain" without a user; whatever comes behind makes it another name */
static bool same_domain(const unsigned char *p, size_t len, const char *name)
{
	return len > 4 && !strncasecmp((const char *)p, "sip:", 4) &&
		same_name(p + 4, len - 4, name);
}

static bool cert_names(X509 *cert, const char *name)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	bool dns = false, uri = false, any_uri = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *gn = sk_GENERAL_NAME_value(names, i);
		const unsigned char *p;
		size_t len;

		if (gn->type != GEN_URI && gn->type != GEN_DNS)
			continue;

		p = ASN1_STRING_get0_data(gn->d.ia5);
		len = (size_t)ASN1_STRING_length(gn->d.ia5);
		if (gn->type == GEN_DNS) {
			dns |= same_name(p, len, name);
		}
		else if (len > 4 && !strncasecmp((const char *)p, "sip:", 4)) {
			any_uri = true;
			uri |= same_domain(p, len, name);
		}
	}

	GENERAL_NAMES_free(names);
	ERR_clear_error();

	return any_uri ? uri : dns;
}

bool tlsid_names(const struct sip_msg *msg, const char *name)
{
	const struct conn *c = conn_of(msg);
	X509 *cert;
	bool found;

	if (!name || !c || !is_verified(c))
		return false;

	cert = SSL_get1_peer_certificate(c->ssl);
	found = cert && cert_names(cert, name);
	X509_free(cert);

	return found;
}

int tlsid_flow_get(struct tlsid_flow **fp, const struct sip_msg *msg)
{
	struct conn *c = conn_of(msg);

	if (!fp || !c || c->poisoned)
		return ENOENT;

	if (!c->flow) {
		c->flow = mem_zalloc(sizeof(*c->flow), NULL);
		if (!c->flow)
			return ENOMEM;
		c->flow->peer = c->src;
		c->flow->open = true;
		c->flow->accepted = c->server;
	}

	*fp = mem_ref(c->flow);

	return 0;
}

bool tlsid_flow_open(const struct tlsid_flow *f)
{
	return f && f->open;
}

bool tlsid_flow_lost(const struct tlsid_flow *f)
{
	return f && f->accepted && !f->open;
}

const struct sa *tlsid_flow_peer(const struct tlsid_flow *f)
{
	return &f->peer;
}

void tlsid_flow_watch(struct tlsid_flow *f, struct tlsid_watch *w,
		      void (*goneh)(void *arg), void *arg)
{
	w->goneh = goneh;
	w->arg = arg;
	list_append(&f->watchl, &w->le, w);
}

void tlsid_flow_unwatch(struct tlsid_watch *w)
{
	list_unlink(&w->le);
}

static bool fd_nodelay(int fd)
{
	const int on = 1;

	return !setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void tlsid_complete(void)
{
	if (st.current)
		trickle_done(&st.current->trickle);
}

void tlsid_known(const struct sip_msg *msg)
{
	const struct tcp_conn *tc = sip_msg_tcpconn(msg);
	struct conn *c = conn_of(msg);

	if (c)
		c->known = true;
	if (tc)
		strangers_known(tcp_conn_fd(tc));
}

void tlsid_nodelay(const struct sip_msg *msg)
{
	const struct tcp_conn *tc = sip_msg_tcpconn(msg);
	struct conn *c = conn_of(msg);

	if (!tc || (c && c->nodelay))
		return;

	(void)fd_nodelay(tcp_conn_fd(tc));
	if (c)
		c->nodelay = true;
}

void tlsid_expect(const char *host)
{
	str_ncpy(st.expect, host ? host : "", sizeof(st.expect));
}

static bool is_tcp_listener(int fd)
{
	int listening = 0, proto = 0;
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) || !listening)
		return false;

	len = sizeof(int);

	return !getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &proto, &len) && proto == IPPROTO_TCP;
}

unsigned tlsid_listeners_nodelay(void)
{
	struct rlimit rl = { FD_SCAN_MAX, FD_SCAN_MAX };
	unsigned n = 0;

	(void)getrlimit(RLIMIT_NOFILE, &rl);

	for (int fd = 0; fd < FD_SCAN_MAX && (rlim_t)fd < rl.rlim_cur; fd++) {
		/* libre listens with room for 5: of a crowd the others lose
		 * their SYN and come back a second later */
		if (is_tcp_listener(fd) && fd_nodelay(fd) && !listen(fd, BACKLOG))
			++n;
	}

	return n;
}

static bool listens_on(const struct sa *local)
{
	struct rlimit rl = { FD_SCAN_MAX, FD_SCAN_MAX };
	struct sa sa;

	(void)getrlimit(RLIMIT_NOFILE, &rl);

	for (int fd = 0; fd < FD_SCAN_MAX && (rlim_t)fd < rl.rlim_cur; fd++) {
		sa.len = sizeof(sa.u);
		if (is_tcp_listener(fd) && !getsockname(fd, &sa.u.sa, &sa.len) &&
		    sa_port(&sa) == sa_port(local))
			return true;
	}

	return false;
}

/* Only sockets know: libre tells of a connection when its first message came */
bool tlsid_accepted_from(const struct sa *sa)
{
	struct rlimit rl = { FD_SCAN_MAX, FD_SCAN_MAX };
	struct sa peer, local;

	(void)getrlimit(RLIMIT_NOFILE, &rl);

	for (int fd = 0; fd < FD_SCAN_MAX && (rlim_t)fd < rl.rlim_cur; fd++) {
		peer.len = local.len = sizeof(peer.u);
		if (getpeername(fd, &peer.u.sa, &peer.len) || !sa_cmp(&peer, sa, SA_ALL))
			continue;
		if (!getsockname(fd, &local.u.sa, &local.len) && listens_on(&local))
			return true;
	}

	return false;
}

int tlsid_poison(const struct sip_msg *msg)
{
	struct conn *c = conn_of(msg);

	if (!c)
		return ENOENT;

	c->poisoned = true;
	flow_closed(c->flow);

	return 0;
}

bool tlsid_poisoned(const struct sip_msg *msg)
{
	const struct conn *c = conn_of(msg);

	return c && c->poisoned;
}

uint32_t tlsid_connections(void)
{
	return st.connc;
}
