/**
 * @file tlscert.c  Whom a certificate names
 *
 * Refs:  RFC 5280 section 4.2.1.6, RFC 5922 section 7.1
 */
#include <ctype.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include "re_compat.h"
#include "tlscert.h"
#include "tlsid.h"

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

int tlscert_identity(X509 *cert, char *buf, size_t size)
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

bool tlscert_names(X509 *cert, const char *name)
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
