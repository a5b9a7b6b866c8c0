/**
 * @file auth_help.h  What the tests of the gate share
 *
 * A configuration filled by hand, messages from text, and a digest client.
 */
#ifndef TESTS_AUTH_HELP_H
#define TESTS_AUTH_HELP_H

#include "re_compat.h"
#include "cfg.h"

/** One user alice/wonderland, realm example.org, SHA-256 then MD5 for all */
struct cfg *auth_cfg(void);

/** Decode len bytes as one message from src ("10.0.0.1:5071"); NULL: libre refuses it */
struct sip_msg *auth_msg_mem(const char *txt, size_t len, enum sip_transp tp, const char *src);
struct sip_msg *auth_msg(const char *txt, enum sip_transp tp, const char *src);

/** What a digest client knows */
struct auth_client {
	const char *alg;        /* "MD5" or "SHA-256"; also sent, unless no_alg */
	bool no_alg;
	const char *user;
	const char *pass;
	const char *realm;
	const char *nonce;
	const char *method;
	const char *uri;        /* digest uri                     */
	const char *ruri;       /* Request-URI; NULL: the same    */
	const char *ua;         /* NULL: no User-Agent            */
	const char *extra;      /* more Authorization parameters  */
	unsigned nc;
};

/** The whole request with its Authorization header */
void auth_request(char *buf, size_t size, const struct auth_client *c);

/** The nonce of the n-th WWW-Authenticate in mb */
void auth_nonce(char *buf, size_t size, struct mbuf *mb, unsigned n);

#endif
