/**
 * @file tlscert.h  Whom a certificate names
 *
 * Only the subjectAltName counts, never a CN.  Whether the certificate is to be
 * believed at all was decided before (tlsid.c).
 *
 * Refs:       RFC 5280 section 4.2.1.6, RFC 5922 section 7.1
 */
#ifndef FOCUS_TLSCERT_H
#define FOCUS_TLSCERT_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/x509.h>

/**
 * The one SAN URI that names a user; two different ones are no identity
 *
 * @param buf  Out: "sip:user@host", host in lower case; untouched on error
 *
 * @return 0, or ENOENT
 */
int tlscert_identity(X509 *cert, char *buf, size_t size);

/** Does it name this domain or host?  As tlsid_names() */
bool tlscert_names(X509 *cert, const char *name);

#endif
