/**
 * @file dialog/cred.h  Digest credentials of a client
 *
 * Answers a 401 or 407 with SHA-256 or MD5, whichever the server names first
 * (RFC 8760 section 2.4).  libre's own client knows MD5 only and gives up when
 * a server offers anything else beside it.
 *
 * Ownership:  libre object; the password is wiped with it
 * Refs:       RFC 7616, RFC 8760, RFC 3261 section 22
 */
#ifndef CONCLAVE_DIALOG_CRED_H
#define CONCLAVE_DIALOG_CRED_H

#include "re_compat.h"
#include "include/dlg.h"

struct cred;

/**
 * Take the challenge of a response
 *
 * @return 0, ENOENT (no challenge that we can answer), EAUTH (nobody has a
 *         password for this realm), or ENOMEM
 */
int cred_challenge(struct cred **cp, const struct sip_msg *msg,
		   dlg_auth_h *authh, void *arg);

/** What one request needs */
struct cred_use {
	struct cred *cred;      /* NULL prints nothing                        */
	const char *met;
	const char *uri;
};

/** "Authorization: ...\r\n"; counts nc up.  For re_printf's %H */
int cred_print(struct re_printf *pf, const struct cred_use *use);

#endif
