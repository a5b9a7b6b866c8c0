/**
 * @file cfgtab.h  The table of settings (private to the cfg files of focus/)
 *
 * One row per setting.  Parser, range checks, defaults, cfg_show() and the
 * test of the manual page walk the same rows, so they cannot drift apart.
 *
 * Ownership:  rows are constants; struct cfg_ctx lives on cfg_read()'s stack
 */
#ifndef CONCLAVE_CFGTAB_H
#define CONCLAVE_CFGTAB_H

#include "cfg.h"

enum {
	CFG_TEXT_MAX = 1024,            /* one value [bytes]                   */
	CFG_FILE_MAX = 1 << 20,         /* any file read at start [bytes]      */
	CFG_USERS_MAX = 10000,
	CFG_TITLE_MAX = 64,
	CFG_ROW_MAX = 96,
	CFG_ADDR_USER_MAX = 128,
	CFG_ADDR_HOST_MAX = 255,
};

/** Where a setting may stand; the base of its offset follows from that */
enum cfg_scope {
	CFG_SCOPE_TOP,                  /* top level; struct cfg               */
	CFG_SCOPE_DIGEST,               /* top level and user_agent; struct cfg_digest */
	CFG_SCOPE_PEER,                 /* section trusted_peer; struct cfg_peer */
	CFG_SCOPE_CONF,                 /* section conference; struct cfg_conf */
	CFG_SCOPE_ROUTE,                /* section route; struct cfg_route     */
};

struct cfg_ctx;
struct cfg_row;

/** How one kind of value is read, printed and compared */
struct cfg_kind {
	const char *what;               /* for messages: "a port number"       */
	size_t size;                    /* list: size of one item; scalar: 0   */
	bool quoted;                    /* printed as a quoted string          */
	int (*set)(struct cfg_ctx *ctx, const struct cfg_row *row, void *p, const char *text);
	int (*print)(struct re_printf *pf, const struct cfg_row *row, const void *p);
	bool (*same)(const void *a, const void *b);  /* lists: no item twice   */
};

struct cfg_row {
	enum cfg_scope scope;
	const char *name;
	const struct cfg_kind *kind;
	size_t off;                     /* of the value or the vector          */
	size_t coff;                    /* of the vector's counter             */
	const char *def;                /* as in the file, list items separated by commas; NULL: none */
	uint32_t min, max;              /* a number's value, a string's length, a list's items */
	const char *const *names;       /* words of an enum, NULL-terminated   */
	const char *help;
};

extern const struct cfg_row cfg_rowv[];
extern const size_t cfg_rowc;

/** What reading needs to know besides the object it fills */
struct cfg_ctx {
	struct cfg *cfg;
	const char *file;
	const char *text;               /* the whole file, zero-terminated     */
	unsigned line;                  /* of the value at hand, for messages  */
	unsigned linev[CFG_ROW_MAX];    /* where each row was last set; 0: not */
	char *errbuf;
	size_t size;
	bool failed;                    /* cfg_fail() was called               */
};

/** Put "file:line: reason" into the caller's buffer; returns EINVAL */
int cfg_fail(struct cfg_ctx *ctx, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** Line where a setting was made, or @p other if it was not */
unsigned cfg_line_of(const struct cfg_ctx *ctx, const char *name, unsigned other);

/* cfgkind.c */
extern const struct cfg_kind cfg_kind_u32, cfg_kind_u16, cfg_kind_bool, cfg_kind_enum,
	cfg_kind_path, cfg_kind_word, cfg_kind_host, cfg_kind_hostport, cfg_kind_sa, cfg_kind_uri,
	cfg_kind_log, cfg_kind_level;

/* cfglist.c */
extern const struct cfg_kind cfg_kind_listen, cfg_kind_domain, cfg_kind_addr, cfg_kind_digest, cfg_kind_media,
	cfg_kind_rule, cfg_kind_referrer, cfg_kind_suite, cfg_kind_codec;

/* cfgrule.c */
struct cfg_addr {
	char user[CFG_ADDR_USER_MAX + 1];   /* may be empty                    */
	char host[CFG_ADDR_HOST_MAX + 1];
	bool any_user;                      /* the user part was written "*"   */
};

int cfg_addr_parse(struct cfg_addr *addr, const char *s);
int cfg_addr_user(char *out, size_t size, const char *s, size_t len, const char *also);
int cfg_addr_host(char *out, size_t size, const char *s, size_t len);
/** Does it stand for those with a role, in a list of who may refer? */
bool cfg_referrer_is_word(const char *text);
int cfg_rule_check(const char *rule);

/* cfgfile.c */
enum cfg_trust {
	CFG_TRUST_PUBLIC,               /* anybody may read it                 */
	CFG_TRUST_KEY,                  /* owner and group                     */
	CFG_TRUST_SECRET,               /* owner only                          */
};

/** A file in memory, zero-terminated; libre object, wiped when freed */
struct cfg_file {
	size_t len;
	char *text;
};

int cfg_file_load(struct cfg_file **fp, const char *path, enum cfg_trust trust, const char **whyp);

/* cfgusers.c, cfgcert.c, cfgcheck.c */
int cfg_users_read(struct cfg_ctx *ctx);
int cfg_route_check(struct cfg_ctx *ctx, struct cfg_route *route);
int cfg_cert_check(struct cfg_ctx *ctx);
int cfg_ca_check(struct cfg_ctx *ctx);
int cfg_check_top(struct cfg_ctx *ctx);
int cfg_check_peer(struct cfg_ctx *ctx, const struct cfg_peer *peer);
int cfg_check_conf(struct cfg_ctx *ctx, const struct cfg_conf *conf);

#endif
