/**
 * @file ident.h  Whose request is this?
 *
 * The one place that turns credentials into an identity: the client
 * certificate of the connection (tlsid.h) if it names a user; else, on a
 * connection of a configured trusted peer, its P-Asserted-Identity; else a
 * digest response (digest.h).  From and display names are claims and play no
 * part, nor does P-Preferred-Identity, nor P-Asserted-Identity from anybody
 * else.  What an identity may do is policy, not asked here.
 *
 * ACK and CANCEL cannot be challenged (RFC 3261 section 22.1); a request inside
 * a dialog may be taken without, if it came on the connection of that dialog.
 *
 * Ownership:  libre object
 * Threads:    libre loop; only while libre delivers the message
 * Refs:       RFC 3261 section 22, RFC 3325 sections 5, 8 and 9.1
 */
#ifndef FOCUS_IDENT_H
#define FOCUS_IDENT_H

#include "re_compat.h"
#include "cfg.h"

enum { IDENT_MAX = 512 };     /* longest identity, with the zero */

struct ident;

int ident_alloc(struct ident **idp);

/**
 * Find the identity of a request, or answer it: 401 with challenges, 400
 * (malformed credentials), 403 (source refused for a while, with Retry-After;
 * or nothing can be offered on this transport), 500
 *
 * @param buf  Out: "sip:user@host", host in lower case
 * @param size At least IDENT_MAX
 *
 * @return 0 if success; EAUTH if there is none and the request was answered
 *         (ACK and CANCEL: not answered, drop them); EINVAL
 */
int ident_request(struct ident *id, const struct cfg *cfg, struct sip *sip,
		  const struct sip_msg *msg, char *buf, size_t size);

/**
 * Does a trusted peer say who sent this?  Of two values one may be a tel URI;
 * the SIP URI is the identity.  An anonymous one is none.
 *
 * @return 0; ENOENT if nobody who is trusted says anything; EBADMSG if it is
 *         malformed or not for this peer to say
 */
int ident_asserted(const struct cfg *cfg, const struct sip_msg *msg, char *buf, size_t size);

/** Does a request bring credentials of its own (not: are they right)? */
bool ident_offered(const struct cfg *cfg, const struct sip_msg *msg);

/** Logins of the past that are remembered, so that none is replayed */
uint32_t ident_remembered(const struct ident *id);

#endif
