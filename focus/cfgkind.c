/**
 * @file cfgkind.c  Kinds of single values: read, check, print
 *
 * set() gets the text of the file and the place in the struct; on error it
 * has said why through cfg_fail() and left the place as it was.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cfgtab.h"

static int num_parse(struct cfg_ctx *ctx, const struct cfg_row *row, const char *text, uint32_t *np)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	/* strtoul() would take "-1", "+1" and leading blanks */
	if (text[0] < '0' || text[0] > '9' || *end || errno || n < row->min || n > row->max)
		return cfg_fail(ctx, ctx->line, "%s: '%s' is not a number from %u to %u",
				row->name, text, row->min, row->max);

	*np = (uint32_t)n;

	return 0;
}

static int set_u32(struct cfg_ctx *ctx, const struct cfg_row *row, void *p, const char *text)
{
	return num_parse(ctx, row, text, p);
}

static int print_u32(struct re_printf *pf, const struct cfg_row *row, const void *p)
{
	(void)row;
	return re_hprintf(pf, "%u", *(const uint32_t *)p);
}

static int set_u16(struct cfg_ctx *ctx, const struct cfg_row *row, void *p, const char *text)
{
	uint32_t n = 0;
	int err;

	err = num_parse(ctx, row, text, &n);
	if (!err)
		*(uint16_t *)p = (uint16_t)n;

	return err;
}

static int print_u16(struct re_printf *pf, const struct cfg_row *row, const void *p)
{
	(void)row;
	return re_hprintf(pf, "%u", *(const uint16_t *)p);
}

static int set_bool(struct cfg_ctx *ctx, const struct cfg_row *row, void *p, const char *text)
{
	static const struct {
		const char *word;
		bool value;
	} wordv[] = {
		{ "true", true }, { "yes", true }, { "on", true },
		{ "false", false }, { "no", false }, { "off", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(wordv); i++) {
		if (0 == strcmp(text, wordv[i].word)) {
			*(bool *)p = wordv[i].value;
			return 0;
		}
	}

	return cfg_fail(ctx, ctx->line, "%s: '%s' is neither true nor false", row->name, text);
}

static int print_bool(struct re_printf *pf, const struct cfg_row *row, const void *p)
{
	(void)row;
	return re_hprintf(pf, "%s", *(const bool *)p ? "true" : "false");
}

/* An enum without negative values is an unsigned int in both compilers */
_Static_assert(sizeof(enum keying) == sizeof(unsigned), "enum size");
_Static_assert(sizeof(enum owner_leaves) == sizeof(unsigned), "enum size");

static int set_enum(struct cfg_ctx *ctx, const struct cfg_row *row, void *p, const char *text)
{
	char all[128] = "";

	for (unsigned i = 0; row->names[i]; i++) {
		const size_t n = strlen(all);

		if (0 == strcmp(text, row->names[i])) {
			*(unsigned *)p = i;
			return 0;
		}
		(void)snprintf(all + n, sizeof(all) - n, "%s%s", n ? ", " : "", row->names[i]);
	}

	return cfg_fail(ctx, ctx->line, "%s: '%s' is none of %s", row->name, text, all);
}

static int print_enum(struct re_printf *pf, const struct cfg_row *row, const void *p)
{
	return re_hprintf(pf, "%s", row->names[*(const unsigned *)p]);
}

/* Put a string into the struct; empty means unset */
static int put_str(struct cfg_ctx *ctx, const struct cfg_row *row, char **sp, const char *text)
{
	char *s = NULL;
	const size_t len = strlen(text);

	if (len < row->min)
		return cfg_fail(ctx, ctx->line, "%s: must not be empty", row->name);
	if (len > row->max)
		return cfg_fail(ctx, ctx->line, "%s: longer than %u characters", row->name, row->max);

	if (len && str_dup(&s, text))
		return ENOMEM;

	mem_deref(*sp);
	*sp = s;

	return 0;
}

static int print_str(struct re_printf *pf, const struct cfg_row *row, const void *p)
{
	const char *s = *(char *const *)p;

	(void)row;

	return s ? re_hprintf(pf, "%s", s) : 0;
}

/* A relative path is meant from where the configuration file is */
static int set_path(struct cfg_ctx *ctx, const struct cfg_row *row, void *p, const char *text)
{
	const char *slash = strrchr(ctx->file, '/');
	char *path = NULL;
	int err;

	if (!text[0] || text[0] == '/' || !slash)
		return put_str(ctx, row, p, text);

	err = re_sdprintf(&path, "%b/%s", ctx->file, (size_t)(slash - ctx->file), text);
	if (!err)
		err = put_str(ctx, row, p, path);
	mem_deref(path);

	return err;
}

/* What stands unescaped in a quoted-string of a header */
static int set_word(struct cfg_ctx *ctx, const struct cfg_row *row, void *p, const char *text)
{
	if (strpbrk(text, "\"\\"))
		return cfg_fail(ctx, ctx->line, "%s: quote or backslash in '%s'", row->name, text);

	return put_str(ctx, row, p, text);
}

static int set_host(struct cfg_ctx *ctx, const struct cfg_row *row, void *p, const char *text)
{
	char host[CFG_ADDR_HOST_MAX + 1];

	if (cfg_addr_host(host, sizeof(host), text, strlen(text)))
		return cfg_fail(ctx, ctx->line, "%s: '%s' is not a host name", row->name, text);

	return put_str(ctx, row, p, host);
}

static int set_hostport(struct cfg_ctx *ctx, const struct cfg_row *row, void *p, const char *text)
{
	char host[CFG_ADDR_HOST_MAX + 1];
	const char *colon = strrchr(text, ':');
	size_t len = strlen(text);

	if (!text[0])
		return put_str(ctx, row, p, text);

	/* The last colon of "[::1]" is not before a port */
	if (colon && !strchr(colon, ']')) {
		const char *port = colon + 1;

		if (strspn(port, "0123456789") != strlen(port) || strlen(port) > 5 ||
		    atol(port) < 1 || atol(port) > 65535)
			return cfg_fail(ctx, ctx->line, "%s: bad port in '%s'", row->name, text);
		len = (size_t)(colon - text);
	}

	if (cfg_addr_host(host, sizeof(host), text, len) ||
	    (strchr(host, ':') && text[0] != '['))
		return cfg_fail(ctx, ctx->line, "%s: '%s' is not host[:port]", row->name, text);

	return put_str(ctx, row, p, text);
}

static int set_sa(struct cfg_ctx *ctx, const struct cfg_row *row, void *p, const char *text)
{
	struct sa sa;

	if (!text[0])
		return 0;
	if (sa_set_str(&sa, text, 0) || sa_is_any(&sa))
		return cfg_fail(ctx, ctx->line, "%s: '%s' is not an IP address", row->name, text);

	sa_cpy(p, &sa);

	return 0;
}

static int print_sa(struct re_printf *pf, const struct cfg_row *row, const void *p)
{
	(void)row;
	return sa_isset(p, SA_ADDR) ? re_hprintf(pf, "%j", p) : 0;
}

/* "sip:pattern@host", nothing else; stored in canonical form for cfg_conf_find() */
static int set_uri(struct cfg_ctx *ctx, const struct cfg_row *row, void *p, const char *text)
{
	char user[CFG_ADDR_USER_MAX + 1], host[CFG_ADDR_HOST_MAX + 1];
	const char *from = strchr(text, ':'), *at = strchr(text, '@');
	char *uri = NULL;
	int err;

	if ((strncmp(text, "sip:", 4) && strncmp(text, "sips:", 5)) || !at || at == from + 1)
		return cfg_fail(ctx, ctx->line, "%s: '%s' is not sip:user@host", row->name, text);

	from++;
	if (cfg_addr_user(user, sizeof(user), from, (size_t)(at - from), "[]"))
		return cfg_fail(ctx, ctx->line, "%s: bad user part in '%s'", row->name, text);
	if (cfg_addr_host(host, sizeof(host), at + 1, strlen(at + 1)))
		return cfg_fail(ctx, ctx->line, "%s: bad host in '%s' (no port, no parameters)",
				row->name, text);

	err = re_sdprintf(&uri, strchr(host, ':') ? "sip:%s@[%s]" : "sip:%s@%s", user, host);
	if (!err)
		err = put_str(ctx, row, p, uri);
	mem_deref(uri);

	return err;
}

static int set_log(struct cfg_ctx *ctx, const struct cfg_row *row, void *p, const char *text)
{
	if (strcmp(text, "stderr") && strcmp(text, "syslog"))
		return cfg_fail(ctx, ctx->line, "%s: '%s' is none of stderr, syslog", row->name, text);

	*(bool *)p = 0 == strcmp(text, "syslog");

	return 0;
}

static int print_log(struct re_printf *pf, const struct cfg_row *row, const void *p)
{
	(void)row;
	return re_hprintf(pf, "%s", *(const bool *)p ? "syslog" : "stderr");
}

static int set_level(struct cfg_ctx *ctx, const struct cfg_row *row, void *p, const char *text)
{
	if (log_level_parse(text, p))
		return cfg_fail(ctx, ctx->line, "%s: '%s' is none of error, warn, info, debug",
				row->name, text);

	return 0;
}

static int print_level(struct re_printf *pf, const struct cfg_row *row, const void *p)
{
	(void)row;
	return re_hprintf(pf, "%s", log_level_name(*(const enum log_level *)p));
}

const struct cfg_kind cfg_kind_u32 = { "a number", 0, false, set_u32, print_u32, NULL };
const struct cfg_kind cfg_kind_u16 = { "a number", 0, false, set_u16, print_u16, NULL };
const struct cfg_kind cfg_kind_bool = { "true or false", 0, false, set_bool, print_bool, NULL };
const struct cfg_kind cfg_kind_enum = { "a word", 0, true, set_enum, print_enum, NULL };
const struct cfg_kind cfg_kind_path = { "a path", 0, true, set_path, print_str, NULL };
const struct cfg_kind cfg_kind_word = { "a name", 0, true, set_word, print_str, NULL };
const struct cfg_kind cfg_kind_host = { "a host name", 0, true, set_host, print_str, NULL };
const struct cfg_kind cfg_kind_hostport = { "host[:port]", 0, true, set_hostport, print_str, NULL };
const struct cfg_kind cfg_kind_sa = { "an IP address", 0, true, set_sa, print_sa, NULL };
const struct cfg_kind cfg_kind_uri = { "a SIP URI", 0, true, set_uri, print_str, NULL };
const struct cfg_kind cfg_kind_log = { "a word", 0, true, set_log, print_log, NULL };
const struct cfg_kind cfg_kind_level = { "a word", 0, true, set_level, print_level, NULL };
