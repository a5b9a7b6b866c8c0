/**
 * @file bfcp/rules.h  What may be in a BFCP message: one table for each
 *
 * Private to bfcp/.  Decoder and encoder walk the same tables.
 *
 * Refs: RFC 8855 sections 5.2 (grouped attributes) and 5.3 (messages)
 */
#ifndef BFCP_RULES_H
#define BFCP_RULES_H

#include "bfcpm.h"

/** How contents are read into, and written from, a field */
enum bfcpm_kind {
	KIND_U16,       /* struct bfcpm_u16                                   */
	KIND_IDS,       /* struct bfcpm_ids, repeated                         */
	KIND_PRIO,      /* struct bfcpm_prio                                  */
	KIND_REQSTAT,   /* struct bfcpm_reqstat                               */
	KIND_ERROR,     /* struct bfcpm_errcode                               */
	KIND_TEXT,      /* struct pl, UTF-8                                   */
	KIND_OCTETS,    /* struct pl                                          */
	KIND_STAT,      /* struct bfcpm_stat                                  */
	KIND_STATS,     /* struct bfcpm_stats, repeated                       */
	KIND_USER,      /* struct bfcpm_user                                  */
	KIND_REQS,      /* struct bfcpm_reqs, repeated                        */
};

struct bfcpm_rule {
	uint8_t type;
	enum bfcpm_kind kind;
	size_t off;     /* of the field in the struct that is filled          */
	bool must;
};

struct bfcpm_rules {
	const char *name;
	const struct bfcpm_rule *v;
	size_t c;
};

/** NULL: unknown primitive */
const struct bfcpm_rules *bfcpm_rules(uint8_t prim);
extern const struct bfcpm_rules bfcpm_rules_req;
extern const struct bfcpm_rules bfcpm_rules_stat;
extern const struct bfcpm_rules bfcpm_rules_user;

#endif
