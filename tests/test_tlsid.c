/**
 * @file test_tlsid.c  TLS policy, client certificates, whose connection it is
 *
 * A SIP stack with a TLS listener runs in the test; the clients run in a
 * child process, with OpenSSL on memory BIOs, so that they decide which bytes
 * go out when.
 */
#include <check.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include "auth_help.h"
#include "auth_pki.h"
#include "check_run.h"
#include "focus/tlsid.h"

static char dir[64], file_srv[96], file_ca[96];
static struct pki_id ca, srv;
static struct cfg *cfg;
static struct sip *sip;
static struct sip_lsnr *lsnr;
static struct tls *tls;
static uint16_t port;
static unsigned requests;
static bool nodelay_seen;
static struct tlsid_flow *flow;  /* of the last FLOW request */
static struct tlsid_watch watch; /* of that */
static unsigned told;

static void told_handler(void *arg)
{
	++*(unsigned *)arg;
}

/* ---- the server ---- */

static bool is_nodelay(const struct sip_msg *msg)
{
	int on = 0;
	socklen_t len = sizeof(on);

	getsockopt(tcp_conn_fd(sip_msg_tcpconn(msg)), IPPROTO_TCP, TCP_NODELAY, &on, &len);

	return on != 0;
}

static void common_name(char *buf, size_t size, const struct sip_msg *msg)
{
	X509 *cert;

	if (tlsid_certificate(msg, &cert))
		return;

	X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, buf, (int)size);
	X509_free(cert);
}

static bool request_handler(const struct sip_msg *msg, void *arg)
{
	char id[TLSID_MAX] = "none";
	struct sip_msg *m = (struct sip_msg *)msg;
	const struct sa src = msg->src;

	(void)arg;

	++requests;
	nodelay_seen = is_nodelay(msg);

	if (!pl_strcmp(&msg->met, "FORGE")) {
		/* the second line of defence: a message from elsewhere */
		ck_assert_int_eq(tlsid_identity(msg, id, sizeof(id)), 0);
		sa_set_port(&m->src, 1);
		ck_assert_int_eq(tlsid_identity(msg, id, sizeof(id)), ENOENT);
		m->src = src;
	}
	if (!pl_strcmp(&msg->met, "POISON")) {
		ck_assert_int_eq(tlsid_poison(msg), 0);
		ck_assert(tlsid_poisoned(msg));
	}

	if (!pl_strcmp(&msg->met, "FLOW")) {
		tlsid_flow_unwatch(&watch);
		mem_deref(flow);
		ck_assert_int_eq(tlsid_flow_get(&flow, msg), 0);
		tlsid_flow_watch(flow, &watch, told_handler, &told);
		ck_assert(sa_cmp(tlsid_flow_peer(flow), &msg->src, SA_ALL));
	}

	if (!pl_strcmp(&msg->met, "NAMES"))
		strcpy(id, tlsid_names(msg, "proxy.example.org") ? "yes" : "no");
	else if (!pl_strcmp(&msg->met, "CERT"))
		common_name(id, sizeof(id), msg);
	else if (!pl_strcmp(&msg->met, "OPEN"))
		strcpy(id, tlsid_flow_open(flow) ? "open" : "gone");
	else if (tlsid_identity(msg, id, sizeof(id)))
		strcpy(id, "none");
	(void)sip_replyf(sip, msg, 200, "OK", "X-Identity: %s\r\nContent-Length: 0\r\n\r\n", id);

	return true;
}

static void listen_up(bool with_ca)
{
	struct sa laddr;

	cfg->tls_ca = with_ca ? file_ca : NULL;
	ck_assert_int_eq(tls_alloc(&tls, TLS_METHOD_SSLV23, file_srv, NULL), 0);
	ck_assert_int_eq(tlsid_init(tls, cfg), 0);

	ck_assert_int_eq(sip_alloc(&sip, NULL, 16, 16, 16, NULL, NULL, NULL), 0);
	sa_set_str(&laddr, "127.0.0.1", 0);
	ck_assert_int_eq(sip_transp_add(sip, SIP_TRANSP_TLS, &laddr, tls), 0);
	ck_assert_int_eq(sip_transp_laddr(sip, &laddr, SIP_TRANSP_TLS, NULL), 0);
	port = sa_port(&laddr);
	ck_assert_int_eq(sip_listen(&lsnr, sip, true, request_handler, NULL), 0);
}

static void setup(void)
{
	signal(SIGPIPE, SIG_IGN);
	libre_init();
	cfg = auth_cfg();
	strcpy(dir, "/tmp/tlsid.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(file_srv, sizeof(file_srv), "%s/srv.pem", dir);
	snprintf(file_ca, sizeof(file_ca), "%s/ca.pem", dir);
	ca = pki_make(NULL, "test CA", NULL, NULL, true, 10);
	srv = pki_make(&ca, "127.0.0.1", "IP:127.0.0.1", NULL, false, 10);
	pki_write(&srv, file_srv, true);
	pki_write(&ca, file_ca, false);
}

static void teardown(void)
{
	lsnr = mem_deref(lsnr);
	sip_close(sip, true);
	sip = mem_deref(sip);
	tls = mem_deref(tls);
	cfg = mem_deref(cfg);
	pki_free(&ca);
	pki_free(&srv);
	unlink(file_srv);
	unlink(file_ca);
	rmdir(dir);
	ck_assert_uint_eq(tlsid_connections(), 0);
	libre_close();
}

static void watchdog(void *arg)
{
	*(bool *)arg = true;
	re_cancel();
}

static void child_gone(int flags, void *arg)
{
	(void)flags;
	(void)arg;
	re_cancel();
}

/** Run clients in a child process while the server runs here */
static void run(void (*clients)(void))
{
	bool late = false;
	struct tmr tmr;
	int fds[2], status = 0;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		close(fds[0]);
		clients();
		_exit(0);
	}
	close(fds[1]);

	tmr_init(&tmr);
	tmr_start(&tmr, 30000, watchdog, &late);
	ck_assert_int_eq(fd_listen(fds[0], FD_READ, child_gone, NULL), 0);
	(void)re_main(NULL);
	tmr_cancel(&tmr);
	fd_close(fds[0]);
	close(fds[0]);

	if (late)
		kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(!late, "watchdog");
	ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "a client failed, see stderr");
}

/* ---- the clients ---- */

#define EXPECT(cond) do { \
	if (!(cond)) { \
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
		_exit(1); \
	} \
} while (0)

struct peer {
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;
	bool asked;             /* for a certificate */
	SSL_SESSION *session;   /* the last one we could resume */
};

static int cert_asked(SSL *ssl, void *arg)
{
	struct peer *p = arg;

	(void)ssl;
	p->asked = true;

	return 1;
}

static int ticket_seen(SSL *ssl, SSL_SESSION *sess)
{
	struct peer *p = SSL_get_app_data(ssl);

	SSL_SESSION_free(p->session);
	p->session = sess;

	return 1;
}

/** Send up to max bytes of what OpenSSL has written */
static void flush_out(struct peer *p, size_t max)
{
	char buf[20000];
	int n;

	while (max && (n = BIO_read(SSL_get_wbio(p->ssl), buf,
				    (int)(max < sizeof(buf) ? max : sizeof(buf)))) > 0) {
		if (send(p->fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
			return;
		max -= (size_t)n;
	}
}

/** Wait for bytes; false if the connection is over */
static bool fill_in(struct peer *p)
{
	char buf[20000];
	ssize_t n = recv(p->fd, buf, sizeof(buf), 0);

	if (n <= 0)
		return false;

	return BIO_write(SSL_get_rbio(p->ssl), buf, (int)n) == (int)n;
}

static void peer_init(struct peer *p, const struct pki_id *id)
{
	memset(p, 0, sizeof(*p));
	p->fd = -1;
	p->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_cert_cb(p->ctx, cert_asked, p);
	SSL_CTX_set_session_cache_mode(p->ctx, SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(p->ctx, ticket_seen);
	if (id) {
		EXPECT(SSL_CTX_use_certificate(p->ctx, id->cert) == 1);
		EXPECT(SSL_CTX_use_PrivateKey(p->ctx, id->key) == 1);
	}
}

/** Connect and shake hands; false if the server refused */
static bool peer_connect(struct peer *p)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };
	int r;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->fd = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT(!connect(p->fd, (struct sockaddr *)&sin, sizeof(sin)));

	p->ssl = SSL_new(p->ctx);
	SSL_set_app_data(p->ssl, p);
	if (p->session)
		EXPECT(SSL_set_session(p->ssl, p->session));
	SSL_set_bio(p->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));

	while ((r = SSL_connect(p->ssl)) != 1) {
		flush_out(p, SIZE_MAX);
		if (SSL_get_error(p->ssl, r) != SSL_ERROR_WANT_READ || !fill_in(p))
			return false;
	}
	flush_out(p, SIZE_MAX);

	return true;
}

static void put_request(struct peer *p, const char *method)
{
	static unsigned n;
	char txt[512];
	int len;

	++n;
	len = snprintf(txt, sizeof(txt),
		       "%s sip:x@127.0.0.1 SIP/2.0\r\n"
		       "Via: SIP/2.0/TLS 127.0.0.1;branch=z9hG4bK%u;rport\r\n"
		       "From: <sip:a@b>;tag=1\r\nTo: <sip:x@127.0.0.1>\r\n"
		       "Call-ID: %u\r\nCSeq: 1 %s\r\nContent-Length: 0\r\n\r\n",
		       method, n, n, method);
	EXPECT(SSL_write(p->ssl, txt, len) == len);
}

/** The X-Identity of the next response; NULL if the connection is over */
static const char *get_identity(struct peer *p)
{
	static char id[600];
	char buf[4096];
	size_t len = 0;

	for (;;) {
		const char *h;
		int n;

		ERR_clear_error();      /* of another peer */
		n = SSL_read(p->ssl, buf + len, (int)(sizeof(buf) - 1 - len));
		if (n <= 0) {
			if (SSL_get_error(p->ssl, n) != SSL_ERROR_WANT_READ || !fill_in(p))
				return NULL;
			continue;
		}
		len += (size_t)n;
		buf[len] = '\0';
		h = strstr(buf, "X-Identity: ");
		if (strstr(buf, "\r\n\r\n") && h) {
			sscanf(h, "X-Identity: %599s", id);
			return id;
		}
	}
}

static const char *ask(struct peer *p, const char *method)
{
	put_request(p, method);
	flush_out(p, SIZE_MAX);

	return get_identity(p);
}

static void peer_close(struct peer *p)
{
	SSL_free(p->ssl);
	SSL_CTX_free(p->ctx);
	close(p->fd);
}

/** One certificate, one TLS version: the identity the server sees; NULL: refused */
static const char *identity_with(const struct pki_id *id, int version)
{
	const char *who = NULL;
	struct peer p;

	peer_init(&p, id);
	SSL_CTX_set_min_proto_version(p.ctx, version);
	SSL_CTX_set_max_proto_version(p.ctx, version);
	/* TLS 1.3: the server judges the certificate after we are done */
	if (peer_connect(&p))
		who = ask(&p, "OPTIONS");
	peer_close(&p);

	return who;
}

static bool same(const char *a, const char *b)
{
	return !a == !b && (!a || !strcmp(a, b));
}

/* ---- the tests ---- */

static void certs_clients(void)
{
	static const int versionv[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct pki_id other = pki_make(NULL, "other CA", NULL, NULL, true, 10);
	struct pki_id sub = pki_make(&ca, "sub CA", NULL, NULL, true, 10);
#define A "URI:sip:alice@Example.org"
	const struct {
		struct pki_id id;
		const char *who;
	} v[] = {
		{ pki_make(&ca, "x", A, "clientAuth", false, 10), "sip:alice@example.org" },
		{ pki_make(&ca, "x", A, NULL, false, 10), "sip:alice@example.org" },
		{ pki_make(&ca, "x", "DNS:h," A ",URI:http://x/", NULL, false, 10),
		  "sip:alice@example.org" },
		{ pki_make(&ca, "x", A "," A, NULL, false, 10), "sip:alice@example.org" },
		{ pki_make(&ca, "x", A ",URI:sip:bob@example.org", NULL, false, 10), "none" },
		{ pki_make(&ca, "sip:alice@example.org", NULL, NULL, false, 10), "none" },
		{ pki_make(&ca, "x", "URI:sip:example.org", NULL, false, 10), "none" },
		{ pki_make(&ca, "x", "URI:sip:alice@example.org;a=b", NULL, false, 10), "none" },
		{ pki_make(&ca, "x", "URI:sip:alice@example.org:5061", NULL, false, 10), "none" },
		{ pki_make(&ca, "x", "URI:sip:alice%40evil@example.org", NULL, false, 10), "none" },
		{ pki_make(&ca, "x", "URI:tel:1", NULL, false, 10), "none" },
		{ pki_make(&ca, "x", A, "serverAuth", false, 10), NULL },
		{ pki_make(&ca, "x", A, NULL, false, -1), NULL },
		{ pki_make(&other, "x", A, NULL, false, 10), NULL },
		{ pki_make(NULL, "x", A, NULL, false, 10), NULL },
		/* the intermediate is not sent along */
		{ pki_make(&sub, "x", A, NULL, false, 10), NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(versionv); k++) {
			const char *who = identity_with(&v[i].id, versionv[k]);

			if (!same(who, v[i].who)) {
				fprintf(stderr, "certificate %zu: %s\n", i, who ? who : "refused");
				_exit(1);
			}
		}
	}

	EXPECT(same(identity_with(NULL, TLS1_2_VERSION), "none"));
	EXPECT(same(identity_with(NULL, TLS1_3_VERSION), "none"));
}

START_TEST(a_certificate_gives_its_san_uri_or_fails_the_handshake)
{
	listen_up(true);
	run(certs_clients);
}
END_TEST

static const char *ask_with(const struct pki_id *id, const char *method)
{
	const char *yes = NULL;
	struct peer p;

	peer_init(&p, id);
	if (peer_connect(&p))
		yes = ask(&p, method);
	peer_close(&p);

	return yes;
}

static void names_clients(void)
{
	const struct {
		const char *san;
		const char *yes;
	} v[] = {
		{ "DNS:proxy.example.org", "yes" },
		{ "DNS:other,DNS:Proxy.Example.Org", "yes" },
		{ "URI:sip:proxy.example.org", "yes" },
		{ "URI:SIP:Proxy.example.org,DNS:other", "yes" },
		/* RFC 5922 section 7.1: with a SIP URI, DNS names do not count */
		{ "URI:sip:other.org,DNS:proxy.example.org", "no" },
		{ "URI:sip:alice@proxy.example.org,DNS:proxy.example.org", "no" },
		{ "DNS:*.example.org", "no" },
		{ "DNS:example.org", "no" },
		{ "DNS:a.proxy.example.org", "no" },
		{ "DNS:proxy.example.org.evil", "no" },
		{ "URI:sips:proxy.example.org", "no" },
		{ "URI:sip:proxy.example.org:5061", "no" },
		{ NULL, "no" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		struct pki_id id = pki_make(&ca, "proxy.example.org", v[i].san, NULL, false, 10);
		const char *yes = ask_with(&id, "NAMES");

		if (!same(yes, v[i].yes)) {
			fprintf(stderr, "names %zu: %s\n", i, yes ? yes : "refused");
			_exit(1);
		}
	}

	EXPECT(same(ask_with(NULL, "NAMES"), "no"));
}

START_TEST(a_certificate_names_whole_domains)
{
	listen_up(true);
	run(names_clients);
}
END_TEST

static void shown_clients(void)
{
	struct pki_id id = pki_make(&ca, "phone7", "DNS:phone7", NULL, false, 10);

	EXPECT(same(ask_with(&id, "CERT"), "phone7"));
	EXPECT(same(ask_with(NULL, "CERT"), "none"));
}

START_TEST(a_certificate_that_was_shown_can_be_had)
{
	listen_up(true);
	run(shown_clients);
}
END_TEST

static void flow_clients(void)
{
	struct peer a, b;

	peer_init(&a, NULL);
	EXPECT(peer_connect(&a));
	EXPECT(ask(&a, "FLOW"));
	peer_init(&b, NULL);
	EXPECT(peer_connect(&b));
	EXPECT(same(ask(&b, "OPEN"), "open"));
	EXPECT(same(ask(&a, "OPEN"), "open"));
	peer_close(&a);
	peer_close(&b);

	/* the server reads the end of those before it is done with this one */
	peer_init(&b, NULL);
	EXPECT(peer_connect(&b));
	EXPECT(same(ask(&b, "OPEN"), "gone"));
	peer_close(&b);
}

START_TEST(a_flow_is_open_as_long_as_its_connection)
{
	listen_up(false);
	run(flow_clients);
	ck_assert(flow && !tlsid_flow_open(flow));
	ck_assert_uint_eq(told, 1);
	flow = mem_deref(flow);
}
END_TEST

static void no_ca_clients(void)
{
	struct pki_id self = pki_make(NULL, "x", A, NULL, false, 10);
	struct peer p;

	peer_init(&p, &self);
	EXPECT(peer_connect(&p));
	EXPECT(same(ask(&p, "OPTIONS"), "none"));
	EXPECT(!p.asked);
	peer_close(&p);
}

START_TEST(without_a_ca_no_certificate_is_asked_for_and_none_counts)
{
	listen_up(false);
	run(no_ca_clients);
}
END_TEST

static bool connects(int version, const char *ciphers, const char *groups)
{
	struct peer p;
	bool ok;

	peer_init(&p, NULL);
	SSL_CTX_set_security_level(p.ctx, 0);
	SSL_CTX_set_min_proto_version(p.ctx, version);
	SSL_CTX_set_max_proto_version(p.ctx, version);
	if (ciphers)
		EXPECT(SSL_CTX_set_cipher_list(p.ctx, ciphers));
	if (groups)
		EXPECT(SSL_CTX_set1_groups_list(p.ctx, groups));
	ok = peer_connect(&p) && ask(&p, "OPTIONS");
	peer_close(&p);

	return ok;
}

/** Come back with all that the first connection gave: it has to be a new session */
static void resume(int version)
{
	struct peer p;

	peer_init(&p, NULL);
	SSL_CTX_set_min_proto_version(p.ctx, version);
	SSL_CTX_set_max_proto_version(p.ctx, version);
	EXPECT(peer_connect(&p) && ask(&p, "OPTIONS"));
	if (!p.session)
		p.session = SSL_get1_session(p.ssl);
	SSL_shutdown(p.ssl);
	SSL_free(p.ssl);
	close(p.fd);

	EXPECT(peer_connect(&p) && ask(&p, "OPTIONS"));
	EXPECT(!SSL_session_reused(p.ssl));
	SSL_SESSION_free(p.session);
	peer_close(&p);
}

static void policy_clients(void)
{
	struct peer p;

	EXPECT(!connects(TLS1_VERSION, "ALL:@SECLEVEL=0", NULL));
	EXPECT(!connects(TLS1_1_VERSION, "ALL:@SECLEVEL=0", NULL));
	EXPECT(connects(TLS1_2_VERSION, NULL, NULL));
	EXPECT(connects(TLS1_3_VERSION, NULL, NULL));
	EXPECT(connects(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", NULL));
	EXPECT(connects(TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305", NULL));
	EXPECT(!connects(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA", NULL));
	EXPECT(!connects(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256", NULL));
	EXPECT(!connects(TLS1_2_VERSION, "ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0", NULL));
	EXPECT(connects(TLS1_3_VERSION, NULL, "P-384"));
	EXPECT(!connects(TLS1_3_VERSION, NULL, "P-521"));

	resume(TLS1_2_VERSION);
	resume(TLS1_3_VERSION);

	peer_init(&p, NULL);
	SSL_CTX_set_max_proto_version(p.ctx, TLS1_2_VERSION);
	EXPECT(peer_connect(&p) && ask(&p, "OPTIONS"));
	EXPECT(!SSL_get_current_compression(p.ssl));
	EXPECT(SSL_renegotiate(p.ssl));
	(void)SSL_do_handshake(p.ssl);
	flush_out(&p, SIZE_MAX);
	(void)get_identity(&p);
	EXPECT(!SSL_is_init_finished(p.ssl));
	peer_close(&p);
}

START_TEST(old_versions_weak_suites_resumption_and_renegotiation_are_refused)
{
	listen_up(false);
	run(policy_clients);
}
END_TEST

static void interleave(int version)
{
	struct pki_id id = pki_make(&ca, "x", A, NULL, false, 10);
	struct peer alice, other, third;

	peer_init(&alice, &id);
	peer_init(&other, NULL);
	peer_init(&third, NULL);
	SSL_CTX_set_max_proto_version(alice.ctx, version);
	SSL_CTX_set_max_proto_version(other.ctx, version);
	EXPECT(peer_connect(&alice) && peer_connect(&other) && peer_connect(&third));

	/* a record's header and a little more; the third one's answers say
	 * that the server has read it */
	put_request(&other, "OPTIONS");
	flush_out(&other, 9);
	EXPECT(same(ask(&third, "OPTIONS"), "none") && same(ask(&third, "OPTIONS"), "none"));

	/* now alice, who has never sent a message */
	put_request(&alice, "OPTIONS");
	flush_out(&alice, 9);
	EXPECT(same(ask(&third, "OPTIONS"), "none") && same(ask(&third, "OPTIONS"), "none"));

	flush_out(&other, SIZE_MAX);
	EXPECT(same(get_identity(&other), "none"));
	flush_out(&alice, SIZE_MAX);
	EXPECT(same(get_identity(&alice), "sip:alice@example.org"));
	EXPECT(same(ask(&other, "OPTIONS"), "none"));

	/* two requests in one record, and one request in two */
	put_request(&alice, "OPTIONS");
	put_request(&alice, "OPTIONS");
	flush_out(&alice, SIZE_MAX);
	EXPECT(same(get_identity(&alice), "sip:alice@example.org"));

	peer_close(&alice);
	EXPECT(same(ask(&other, "OPTIONS"), "none"));
	peer_close(&other);
	peer_close(&third);
}

static void interleave_clients(void)
{
	interleave(TLS1_2_VERSION);
	interleave(TLS1_3_VERSION);
}

START_TEST(interleaved_records_never_give_one_the_identity_of_another)
{
	listen_up(true);
	run(interleave_clients);
}
END_TEST

static void forge_clients(void)
{
	struct pki_id id = pki_make(&ca, "x", A, NULL, false, 10);
	struct peer p;

	peer_init(&p, &id);
	EXPECT(peer_connect(&p));
	EXPECT(same(ask(&p, "FORGE"), "sip:alice@example.org"));
	peer_close(&p);
}

START_TEST(a_message_from_another_address_gets_no_identity)
{
	listen_up(true);
	run(forge_clients);
	ck_assert_uint_eq(requests, 1);
}
END_TEST

static void poison_clients(void)
{
	struct peer p;

	peer_init(&p, NULL);
	EXPECT(peer_connect(&p));
	EXPECT(same(ask(&p, "POISON"), "none"));
	EXPECT(!ask(&p, "OPTIONS"));
	peer_close(&p);
}

START_TEST(a_poisoned_connection_is_closed_and_not_read_again)
{
	listen_up(true);
	run(poison_clients);
	ck_assert_uint_eq(requests, 1);
}
END_TEST

static void one_client(void)
{
	struct peer p;

	peer_init(&p, NULL);
	EXPECT(peer_connect(&p) && ask(&p, "OPTIONS"));
	peer_close(&p);
}

START_TEST(accepted_sockets_inherit_nodelay_from_the_listener)
{
	listen_up(false);
	run(one_client);
	ck_assert(!nodelay_seen);
	ck_assert_uint_eq(tlsid_listeners_nodelay(), 1);
	run(one_client);
	ck_assert(nodelay_seen);
}
END_TEST

static void many_clients(void)
{
	enum { MAX = 2 * 1 + 256 };
	static struct peer p[MAX + 1];

	for (size_t i = 0; i < MAX; i++) {
		peer_init(&p[i], NULL);
		EXPECT(peer_connect(&p[i]));
	}
	EXPECT(same(ask(&p[MAX - 1], "OPTIONS"), "none"));

	peer_init(&p[MAX], NULL);
	EXPECT(!peer_connect(&p[MAX]));
	EXPECT(same(ask(&p[0], "OPTIONS"), "none"));

	/* a place becomes free: wait until the server has seen it */
	peer_close(&p[1]);
	EXPECT(same(ask(&p[0], "OPTIONS"), "none") && same(ask(&p[0], "OPTIONS"), "none"));
	peer_init(&p[1], NULL);
	EXPECT(peer_connect(&p[1]));
}

START_TEST(connections_beyond_the_bound_are_refused_and_the_others_live)
{
	cfg->max_calls = 1;
	listen_up(false);
	run(many_clients);
}
END_TEST

START_TEST(a_ca_file_that_cannot_be_read_is_an_error)
{
	static char missing[] = "/nonexistent/ca.pem";

	ck_assert_int_eq(tls_alloc(&tls, TLS_METHOD_SSLV23, file_srv, NULL), 0);
	cfg->tls_ca = missing;
	ck_assert_int_eq(tlsid_init(tls, cfg), ENOENT);
	cfg->tls_ca = NULL;
	ck_assert_int_eq(tlsid_init(tls, cfg), 0);
	ck_assert_int_eq(tlsid_init(NULL, cfg), EINVAL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tlsid");
	TCase *tc = tcase_create("tlsid");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_certificate_names_whole_domains);
	tcase_add_test(tc, a_certificate_that_was_shown_can_be_had);
	tcase_add_test(tc, a_flow_is_open_as_long_as_its_connection);
	tcase_add_test(tc, a_certificate_gives_its_san_uri_or_fails_the_handshake);
	tcase_add_test(tc, without_a_ca_no_certificate_is_asked_for_and_none_counts);
	tcase_add_test(tc, old_versions_weak_suites_resumption_and_renegotiation_are_refused);
	tcase_add_test(tc, interleaved_records_never_give_one_the_identity_of_another);
	tcase_add_test(tc, a_message_from_another_address_gets_no_identity);
	tcase_add_test(tc, a_poisoned_connection_is_closed_and_not_read_again);
	tcase_add_test(tc, accepted_sockets_inherit_nodelay_from_the_listener);
	tcase_add_test(tc, connections_beyond_the_bound_are_refused_and_the_others_live);
	tcase_add_test(tc, a_ca_file_that_cannot_be_read_is_an_error);
	suite_add_tcase(s, tc);

	return check_run(s);
}
