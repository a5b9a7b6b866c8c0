/**
 * @file cfgcert.c  Check the certificate files before anything listens
 *
 * libre loads them again when the TLS context is made; here it is found out
 * with a reason that names file and line.
 *
 * Refs:  RFC 5280 section 4.1.2.5 (validity)
 */
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/err.h>
#include "cfgtab.h"

/* No prompt on the operator's terminal: a key with a passphrase is refused */
static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;

	return -1;
}

static X509 *cert_first(const struct cfg_file *f)
{
	BIO *bio = BIO_new_mem_buf(f->text, (int)f->len);
	X509 *x = bio ? PEM_read_bio_X509(bio, NULL, no_passphrase, NULL) : NULL;

	BIO_free(bio);

	return x;
}

static EVP_PKEY *key_first(const struct cfg_file *f)
{
	BIO *bio = BIO_new_mem_buf(f->text, (int)f->len);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

	BIO_free(bio);

	return key;
}

/* The server still starts, so that calls work after a clock was set right */
static void validity_warn(const struct cfg_ctx *ctx, unsigned line, const char *path, const X509 *x)
{
	if (X509_cmp_current_time(X509_get0_notAfter(x)) < 0)
		log_warn("ev=cfg_certificate file=%s line=%u path=%s reason=expired",
			 ctx->file, line, path);
	else if (X509_cmp_current_time(X509_get0_notBefore(x)) > 0)
		log_warn("ev=cfg_certificate file=%s line=%u path=%s reason=not_yet_valid",
			 ctx->file, line, path);
}

/** Check cfg->tls_certificate, if it is set */
int cfg_cert_check(struct cfg_ctx *ctx)
{
	const char *path = ctx->cfg->tls_certificate, *why = NULL;
	const unsigned line = cfg_line_of(ctx, "tls_certificate", 0);
	struct cfg_file *f = NULL;
	EVP_PKEY *key = NULL;
	X509 *x = NULL;
	int err;

	if (!path)
		return 0;

	err = cfg_file_load(&f, path, CFG_TRUST_KEY, &why);
	if (err)
		goto out;

	x = cert_first(f);
	key = key_first(f);
	if (!x)
		why = "no certificate in it";
	else if (!key)
		why = "no private key in it (or one with a passphrase)";
	else if (1 != X509_check_private_key(x, key))
		why = "private key and certificate do not belong together";
	err = why ? EINVAL : 0;
	if (!err)
		validity_warn(ctx, line, path, x);

 out:
	if (err)
		(void)cfg_fail(ctx, line, "tls_certificate: %s: %s", path, why);
	ERR_clear_error();
	EVP_PKEY_free(key);
	X509_free(x);
	mem_deref(f);

	return err;
}

/** Check one file of authorities, if it is set */
static int ca_check(struct cfg_ctx *ctx, const char *name, const char *path)
{
	const char *why = NULL;
	const unsigned line = cfg_line_of(ctx, name, 0);
	struct cfg_file *f = NULL;
	X509 *x = NULL;
	int err;

	if (!path)
		return 0;

	err = cfg_file_load(&f, path, CFG_TRUST_PUBLIC, &why);
	if (!err) {
		x = cert_first(f);
		if (!x) {
			why = "no certificate in it";
			err = EINVAL;
		}
	}

	if (err)
		(void)cfg_fail(ctx, line, "%s: %s: %s", name, path, why);
	else
		validity_warn(ctx, line, path, x);
	ERR_clear_error();
	X509_free(x);
	mem_deref(f);

	return err;
}

int cfg_ca_check(struct cfg_ctx *ctx)
{
	int err = ca_check(ctx, "tls_ca", ctx->cfg->tls_ca);

	return err ? err
		   : ca_check(ctx, "tls_server_ca", ctx->cfg->tls_server_ca);
}
