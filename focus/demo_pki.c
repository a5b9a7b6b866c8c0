/**
 * @file demo_pki.c  Private CA and server certificate of the demo
 *
 * One EC P-256 CA for each demo folder signs one server certificate for
 * 127.0.0.1 and localhost.  Phones are given ca.pem and nothing else.  Files
 * that are good are kept, since phones have been told of them.
 *
 * Ownership:  OpenSSL objects are freed by whoever made them; their key bytes
 *             are wiped by OpenSSL
 * Refs:       RFC 5280 section 4.2, RFC 5922 section 7.1
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/stat.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include "demo.h"

enum {
	DAY = 24 * 60 * 60,
	CA_DAYS = 3650,
	SERVER_DAYS = 365,
	RENEW_DAYS = 30,        /* a certificate with less left is made anew   */
	SKEW_DAYS = 1,          /* clocks of phones are wrong                  */
	SERIAL_BITS = 127,      /* random and positive: RFC 5280 4.1.2.2       */
	FILE_NAME_MAX = 4096,
};

struct ext {
	int nid;
	const char *value;
};

static const struct ext ca_extv[] = {
	{ NID_basic_constraints,        "critical,CA:TRUE,pathlen:0" },
	{ NID_key_usage,                "critical,keyCertSign,cRLSign" },
	{ NID_subject_key_identifier,   "hash" },
	{ 0, NULL },
};

/* The IP address stands in the CN and in a DNS name, too: some phones know no
 * IP address names (mbedTLS before 3.5), others no CN. */
static const struct ext server_extv[] = {
	{ NID_basic_constraints,        "critical,CA:FALSE" },
	{ NID_key_usage,                "critical,digitalSignature" },
	{ NID_ext_key_usage,            "serverAuth,clientAuth" },
	{ NID_subject_key_identifier,   "hash" },
	{ NID_authority_key_identifier, "keyid:always" },
	{ NID_subject_alt_name,         "DNS:localhost,DNS:127.0.0.1,"
					"IP:127.0.0.1,IP:::1" },
	{ 0, NULL },
};

struct pair {
	EVP_PKEY *key;
	X509 *cert;
};


static void pair_reset(struct pair *p)
{
	EVP_PKEY_free(p->key);
	X509_free(p->cert);
	p->key = NULL;
	p->cert = NULL;
}


static int join(char *buf, size_t size, const char *dir, const char *name)
{
	int n = snprintf(buf, size, "%s/%s", dir, name);

	return n > 0 && (size_t)n < size ? 0 : ENAMETOOLONG;
}


static int failed(const char *path, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	log_error("ev=demo_failed file=%s what=%s reason=\"%s\"", path, what,
		  reason ? reason : strerror(errno));
	ERR_clear_error();

	return EIO;
}


static bool has_days_left(const X509 *cert, int days)
{
	time_t then = time(NULL) + (time_t)days * DAY;

	return X509_cmp_current_time(X509_get0_notBefore(cert)) < 0 &&
	       X509_cmp_time(X509_get0_notAfter(cert), &then) > 0;
}


/* A missing or damaged file is no error here: it is made anew */
static void pair_read(struct pair *p, const char *key_path, const char *cert_path)
{
	FILE *f;

	f = fopen(key_path, "re");
	if (f) {
		p->key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
		fclose(f);
	}
	f = fopen(cert_path, "re");
	if (f) {
		p->cert = PEM_read_X509(f, NULL, NULL, NULL);
		fclose(f);
	}
	if (!p->key || !p->cert || 1 != X509_check_private_key(p->cert, p->key))
		pair_reset(p);
	ERR_clear_error();
}


static bool ca_good(const struct pair *ca)
{
	return ca->cert && X509_check_ca(ca->cert) == 1 &&
	       has_days_left(ca->cert, RENEW_DAYS) &&
	       1 == X509_verify(ca->cert, ca->key);
}


static bool server_good(const struct pair *srv, const struct pair *ca)
{
	static const char * const hostv[] = { "localhost", "127.0.0.1" };
	static const char * const ipv[] = { "127.0.0.1", "::1" };

	if (!srv->cert || !has_days_left(srv->cert, RENEW_DAYS) ||
	    1 != X509_verify(srv->cert, ca->key))
		return false;

	for (size_t i = 0; i < 2; i++)
		if (1 != X509_check_host(srv->cert, hostv[i], 0, 0, NULL) ||
		    1 != X509_check_ip_asc(srv->cert, ipv[i], 0))
			return false;

	return true;
}


static bool add_extensions(X509 *cert, X509 *issuer, const struct ext *extv)
{
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);

	for (; extv->nid; extv++) {
		X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, extv->nid,
							  extv->value);
		bool ok = ext && X509_add_ext(cert, ext, -1);

		X509_EXTENSION_free(ext);
		if (!ok)
			return false;
	}

	return true;
}


static bool set_serial(X509 *cert)
{
	BIGNUM *bn = BN_new();
	bool ok = bn &&
		BN_rand(bn, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) &&
		BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert));

	BN_free(bn);
	return ok;
}


static bool set_subject(X509 *cert, const char *cn)
{
	X509_NAME *name = X509_get_subject_name(cert);

	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					  (const unsigned char *)cn, -1, -1, 0);
}


/* ca is NULL for the CA itself */
static bool pair_make(struct pair *p, const char *cn, int days,
		      const struct ext *extv, const struct pair *ca)
{
	const struct pair *by = ca ? ca : p;

	p->key = EVP_EC_gen("P-256");
	p->cert = X509_new();

	return p->key && p->cert &&
	       X509_set_version(p->cert, X509_VERSION_3) &&
	       set_serial(p->cert) &&
	       set_subject(p->cert, cn) &&
	       X509_set_issuer_name(p->cert, X509_get_subject_name(by->cert)) &&
	       X509_time_adj_ex(X509_getm_notBefore(p->cert), -SKEW_DAYS, 0, NULL) &&
	       X509_time_adj_ex(X509_getm_notAfter(p->cert), days, 0, NULL) &&
	       X509_set_pubkey(p->cert, p->key) &&
	       add_extensions(p->cert, by->cert, extv) &&
	       X509_sign(p->cert, by->key, EVP_sha256()) > 0;
}


/*
 * Either part may be NULL.  Written beside and moved into place, so that a
 * crash leaves the old file or the new one; 0600 from the first byte on.
 */
static int pem_write(const char *path, EVP_PKEY *key, X509 *cert, mode_t mode)
{
	char tmp[FILE_NAME_MAX + sizeof(".new")];
	FILE *f = NULL;
	bool ok;
	int fd;

	(void)snprintf(tmp, sizeof(tmp), "%s.new", path);
	(void)unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd >= 0)
		f = fdopen(fd, "w");
	if (!f) {
		if (fd >= 0)
			close(fd);
		return failed(tmp, "create");
	}

	ok = (!key || PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL)) &&
	     (!cert || PEM_write_X509(f, cert));
	if (fclose(f) || !ok || rename(tmp, path)) {
		(void)unlink(tmp);
		return failed(path, "write");
	}

	return 0;
}


static int ca_ready(struct pair *ca, const char *dir)
{
	char key[FILE_NAME_MAX], cert[FILE_NAME_MAX];
	int err;

	if (join(key, sizeof(key), dir, "ca.key") ||
	    join(cert, sizeof(cert), dir, "ca.pem"))
		return failed(dir, "name");

	pair_read(ca, key, cert);
	if (ca_good(ca))
		return 0;

	pair_reset(ca);
	if (!pair_make(ca, "Conclave demo CA", CA_DAYS, ca_extv, NULL))
		return failed(cert, "make");

	err = pem_write(key, ca->key, NULL, 0600);
	if (!err)
		err = pem_write(cert, NULL, ca->cert, 0644);
	if (!err)
		log_info("ev=demo_ca_made file=%s", cert);

	return err;
}


static int server_ready(const struct pair *ca, const char *dir)
{
	char path[FILE_NAME_MAX];
	struct pair srv = { NULL, NULL };
	int err = 0;

	if (join(path, sizeof(path), dir, "server.pem"))
		return failed(dir, "name");

	pair_read(&srv, path, path);
	if (!server_good(&srv, ca)) {
		pair_reset(&srv);
		if (!pair_make(&srv, "127.0.0.1", SERVER_DAYS, server_extv, ca))
			err = failed(path, "make");
		else
			err = pem_write(path, srv.key, srv.cert, 0600);
		if (!err)
			log_info("ev=demo_certificate_made file=%s", path);
	}
	pair_reset(&srv);

	return err;
}


int demo_pki(const char *dir)
{
	struct pair ca = { NULL, NULL };
	int err;

	err = ca_ready(&ca, dir);
	if (!err)
		err = server_ready(&ca, dir);
	pair_reset(&ca);

	return err;
}
