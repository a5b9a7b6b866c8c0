/**
 * @file cfgparse.h  The syntax tree of a configuration file (private to cfg.c)
 *
 * Ownership:  the tree is libconfuse's, drop with cfg_free()
 */
#ifndef CONCLAVE_CFGPARSE_H
#define CONCLAVE_CFGPARSE_H

#include <confuse.h>
#include "cfgtab.h"

/* What cfg_opt_getnptr() gives for each value */
struct cfg_value {
	unsigned line;
	const char *name;       /* of the setting; lives as long as the parse */
	char text[];
};

/** Is there no control character in it? */
bool cfg_printable(const char *s);

/**
 * Parse ctx->text
 *
 * @param rootp  Out: values of the rows of CFG_SCOPE_TOP and CFG_SCOPE_DIGEST,
 *               sections "user_agent", "route", "trusted_peer" and "conference"; untouched on error
 *
 * @return 0 if success, otherwise errno, and the reason is in ctx->errbuf
 */
int cfg_parse_text(struct cfg_ctx *ctx, cfg_t **rootp);

#endif
