/**
 * @file auth_pki.c  Certificates for the tests, made on the spot
 */
#include <stdbool.h>
#include <stdio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include "auth_pki.h"

static void add_ext(X509 *cert, const X509 *issuer, int nid, const char *val)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	if (!val)
		return;

	X509V3_set_ctx(&ctx, (X509 *)issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, val);
	X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
}

struct pki_id pki_make(const struct pki_id *issuer, const char *cn, const char *san,
		       const char *eku, bool ca, int days)
{
	static long serial;
	const long day = 24 * 3600;
	struct pki_id id;
	X509_NAME *name = X509_NAME_new();

	id.key = EVP_EC_gen("P-256");
	id.cert = X509_new();
	X509_set_version(id.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(id.cert), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(id.cert), (days < 0 ? 2 * days : -1) * day);
	X509_gmtime_adj(X509_getm_notAfter(id.cert), days * day);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0);
	X509_set_subject_name(id.cert, name);
	X509_set_issuer_name(id.cert, issuer ? X509_get_subject_name(issuer->cert) : name);
	X509_set_pubkey(id.cert, id.key);

	add_ext(id.cert, issuer ? issuer->cert : id.cert, NID_basic_constraints,
		ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	add_ext(id.cert, issuer ? issuer->cert : id.cert, NID_subject_alt_name, san);
	add_ext(id.cert, issuer ? issuer->cert : id.cert, NID_ext_key_usage, eku);

	X509_sign(id.cert, issuer ? issuer->key : id.key, EVP_sha256());
	X509_NAME_free(name);

	return id;
}

void pki_free(struct pki_id *id)
{
	EVP_PKEY_free(id->key);
	X509_free(id->cert);
}

void pki_write(const struct pki_id *id, const char *file, bool with_key)
{
	FILE *f = fopen(file, "w");

	PEM_write_X509(f, id->cert);
	if (with_key)
		PEM_write_PrivateKey(f, id->key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
}
