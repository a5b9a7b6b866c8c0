/**
 * @file auth_pki.h  Certificates for the tests, made on the spot
 */
#ifndef TESTS_AUTH_PKI_H
#define TESTS_AUTH_PKI_H

#include <openssl/x509.h>

struct pki_id {
	EVP_PKEY *key;
	X509 *cert;
};

/**
 * Make a key and a certificate
 *
 * @param issuer  NULL: self-signed
 * @param cn      Common name
 * @param san     "URI:sip:alice@example.org", or NULL
 * @param eku     "clientAuth", or NULL
 * @param ca      May it sign others?
 * @param days    Validity from yesterday on; negative: already over
 */
struct pki_id pki_make(const struct pki_id *issuer, const char *cn, const char *san,
		       const char *eku, bool ca, int days);
void pki_free(struct pki_id *id);

/** PEM with certificate and, if wanted, key */
void pki_write(const struct pki_id *id, const char *file, bool with_key);

#endif
