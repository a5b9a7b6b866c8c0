/**
 * @file regbind.h  What the registrar keeps (private to it)
 *
 * An address-of-record is made with its first contact and goes with the last: a
 * function that may take one away is followed by reg_aor_check().
 *
 * Ownership:  libre objects; the table holds the addresses, they their bindings
 */
#ifndef FOCUS_REGBIND_H
#define FOCUS_REGBIND_H

#include "late.h"
#include "log.h"
#include "tlsid.h"

struct registrar {
	struct hash *ht;                /* struct aor by identity             */
	struct lates expiry;            /* of bindings                        */
	uint32_t bindc;
	struct log_limit ll;            /* of refusals                        */
	struct log_limit ll_bind;       /* a phone may come and go as it likes */
};

struct aor {
	struct le he;
	struct registrar *reg;
	char *identity;
	struct list bindl;              /* struct binding, higher q first, then
	                                   newer first                        */
};

struct binding {
	struct le le;
	struct aor *aor;
	char *uri;
	char *instance;                 /* NULL: not by RFC 5626              */
	uint32_t reg_id;
	unsigned q;
	char *path;                     /* Route of calls to it, or NULL      */
	char *callid;
	uint32_t cseq;
	char *user_agent;
	struct tlsid_flow *flow;
	struct tlsid_watch watch;       /* of flow                            */
	struct late late;               /* expiry                             */
};

/** NULL: nothing is registered */
struct aor *reg_aor_find(const struct registrar *reg, const char *identity);
/** The same, made if there is none; 0 or ENOMEM */
int  reg_aor_get(struct aor **ap, struct registrar *reg, const char *identity);
/** Take away those whose connection has gone in this turn of the loop */
void reg_aor_purge(struct aor *a);
/** An address without contacts is not worth its memory; NULL: none */
void reg_aor_check(struct aor *a);
/** reg_aor_purge() and reg_aor_check() of all */
void reg_purge(struct registrar *reg);

/** Not registered yet; NULL: no memory */
struct binding *reg_binding_alloc(void);
/** Registered from now on; a has it.  Its flow must be set. */
void reg_binding_start(struct binding *b, struct aor *a, uint32_t expires_s);
/** Not registered any more, and gone; reason is for the log */
void reg_binding_end(struct binding *b, const char *reason);
uint32_t reg_binding_left_s(const struct binding *b);

#endif
