/**
 * @file bench_tls.c  What an exchange of SIP costs at least: TLS writes and reads
 *
 * One connection over loopback in this process, messages of the sizes that the
 * focus has in each exchange.  Counts the CPU of our side alone, system calls
 * included, and prints microseconds per exchange as JSON.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 10000, MSG_MAX = 6 };

/** Lengths of messages in their order; those that come to us are negative */
static const struct {
	const char *name;
	int lenv[MSG_MAX + 1];
} exchangev[] = {
	/* INVITE, 200, ACK */
	{ "rekey",    { 1050, -860, 375 } },
	/* UPDATE, 200 */
	{ "update",   { 1050, -860 } },
	/* INVITE, 401, ACK; the same INVITE with credentials, 200, ACK */
	{ "setup",    { -650, 410, -330, -945, 920, -350 } },
	/* BYE, 200 */
	{ "teardown", { -350, 270 } },
	/* NOTIFY of ten changes, 200 */
	{ "notify",   { 5300, -350 } },
};

static void die(const char *what)
{
	(void)fprintf(stderr, "bench_tls: %s\n", what);
	exit(1);
}

static double cpu_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static SSL_CTX *server_ctx(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();

	if (!ctx || !key || !x)
		die("out of memory");
	(void)ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(x), 0);
	(void)X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	if (1 != X509_set_pubkey(x, key) || !X509_sign(x, key, EVP_sha256()) ||
	    1 != SSL_CTX_use_certificate(ctx, x) || 1 != SSL_CTX_use_PrivateKey(ctx, key))
		die("certificate");
	X509_free(x);
	EVP_PKEY_free(key);

	return ctx;
}

/** Both ends of a TCP connection with ourselves */
static void loopback(int sv[2])
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	const int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sv[1] = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || sv[1] < 0 || bind(fd, (struct sockaddr *)&sin, sizeof(sin)) ||
	    listen(fd, 1) || getsockname(fd, (struct sockaddr *)&sin, &len) ||
	    connect(sv[1], (struct sockaddr *)&sin, len))
		die("loopback");
	sv[0] = accept(fd, NULL, NULL);
	if (sv[0] < 0)
		die("loopback");
	(void)close(fd);
	for (int i = 0; i < 2; i++)
		(void)setsockopt(sv[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void handshake(SSL *s, SSL *c)
{
	const struct timeval tv = { 0, 1000 };

	/* in turns, each waits a moment for what the other said */
	(void)setsockopt(SSL_get_fd(s), SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	(void)setsockopt(SSL_get_fd(c), SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	for (int i = 0; i < 100; i++) {
		const int a = SSL_connect(c), b = SSL_accept(s);

		if (a == 1 && b == 1)
			return;
	}
	die("handshake");
}

static void move(SSL *from, SSL *to, int len, double *from_us, double *to_us)
{
	static char buf[8192];
	const double t = cpu_us();
	double u;

	if (SSL_write(from, buf, len) != len)
		die("write");
	u = cpu_us();
	if (SSL_read(to, buf, sizeof(buf)) != len)
		die("read");
	*from_us += u - t;
	*to_us += cpu_us() - u;
}

/** CPU of one exchange at our end, s [us] */
static double exchange(SSL *s, SSL *c, const int *lenv)
{
	double us = 0, peer_us = 0;

	for (int i = 0; i < ROUNDS; i++) {
		for (const int *len = lenv; *len; len++) {
			if (*len > 0)
				move(s, c, *len, &us, &peer_us);
			else
				move(c, s, -*len, &peer_us, &us);
		}
	}

	return us / (double)ROUNDS;
}

int main(void)
{
	SSL_CTX *sctx = server_ctx(), *cctx = SSL_CTX_new(TLS_client_method());
	SSL *s = SSL_new(sctx), *c = cctx ? SSL_new(cctx) : NULL;
	const size_t n = sizeof(exchangev) / sizeof(exchangev[0]);
	int sv[2];

	if (!s || !c)
		die("out of memory");
	loopback(sv);
	(void)SSL_set_fd(s, sv[0]);
	(void)SSL_set_fd(c, sv[1]);
	handshake(s, c);

	for (size_t i = 0; i < n; i++)
		(void)printf("%s\"%s\": %.2f", i ? ", " : "{", exchangev[i].name,
			     exchange(s, c, exchangev[i].lenv));
	(void)puts("}");

	SSL_free(s);
	SSL_free(c);
	SSL_CTX_free(sctx);
	SSL_CTX_free(cctx);

	return 0;
}
