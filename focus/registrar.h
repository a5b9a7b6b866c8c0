/**
 * @file registrar.h  Where registered phones are
 *
 * An embedded registrar, in memory, for users of this server only, so that
 * they can be called without any other server.  What it keeps for a contact
 * is the connection that the REGISTER came on: a phone is called on that one,
 * never on a new one to wherever its Contact points, since it sits behind NAT,
 * has no certificate, or wants us to attack somebody.  When the connection is
 * gone the contact is, too.
 *
 * A phone behind a proxy is called on the connection of that proxy, by the Path
 * that was recorded on the way.
 *
 * Who registers must be, by digest or client certificate, the one whose
 * address it is.  Nothing is kept before that is known.  REGISTER without TLS
 * is refused.
 *
 * Ownership:  libre object
 * Threads:    libre loop; registrar_recv() only while libre delivers the message
 * Refs:       RFC 3261 section 10.3, RFC 3327 section 5.3, RFC 5626 sections 4.2, 5.4 and 6
 */
#ifndef FOCUS_REGISTRAR_H
#define FOCUS_REGISTRAR_H

#include "re_compat.h"
#include "cfg.h"

enum {
	REGISTRAR_EXPIRES_MIN = 60,     /* [s]; less is 423                   */
	REGISTRAR_FLOW_TIMER  = 120,    /* [s] RFC 5626 section 6: we want
	                                   to hear a keep-alive so often      */
};

struct registrar;

int registrar_alloc(struct registrar **rp);

/**
 * A REGISTER for a domain of ours whose sender is known: it is answered here
 *
 * @param identity  Authenticated; the address-of-record must be the same
 */
void registrar_recv(struct registrar *reg, struct sip *sip, const struct cfg *cfg,
		    const struct sip_msg *msg, const char *identity);

/** One way to a registered user; libre object that outlives the registration */
struct reg_target;

/**
 * Find a registered user
 *
 * @param tp        Out, caller owns it
 * @param identity  "sip:user@host" as in cfg_identity()
 * @param n         Which of the phones of that user: by q, then the one that
 *                  registered last; 0 is the first
 *
 * @return 0 if success, ENOENT if there is none (left), ENOMEM
 */
int registrar_find(struct reg_target **tp, struct registrar *reg,
		   const char *identity, unsigned n);

/** Request-URI: the Contact as it was registered */
const char *reg_target_uri(const struct reg_target *t);
/** Value of a Route header for requests to it (RFC 3327), or NULL */
const char *reg_target_path(const struct reg_target *t);
/** How much it is preferred: RFC 3261 section 20.10, times 1000 */
unsigned reg_target_q(const struct reg_target *t);
/** The other end of its connection */
const struct sa *reg_target_peer(const struct reg_target *t);
/** Is the connection still there?  Else its address may be another's by now */
bool reg_target_open(const struct reg_target *t);

/** The target did not answer at all: forget it */
void registrar_failed(struct registrar *reg, const struct reg_target *t);

/** For the operator: all contacts, in no order */
struct reg_info {
	const char *aor;
	const char *contact;
	const char *user_agent;
	const struct sa *peer;
	uint32_t expires_s;             /* from now                           */
	bool outbound;                  /* by RFC 5626                        */
};

typedef void (registrar_h)(const struct reg_info *info, void *arg);
void registrar_apply(struct registrar *reg, registrar_h *h, void *arg);

/** Contacts now */
uint32_t registrar_count(const struct registrar *reg);

#endif
