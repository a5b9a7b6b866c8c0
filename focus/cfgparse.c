/**
 * @file cfgparse.c  The syntax of the configuration file
 *
 * libconfuse does the syntax; every value is kept as text with its line until
 * the table in cfgtab.c says what it means.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <confuse.h>
#include "cfgparse.h"

/* libconfuse's error and free callbacks carry no argument.  Set only while
 * cfg_parse_buf() runs, so reading is not re-entrant, as is its lexer. */
static struct cfg_ctx *parsing;

static void __attribute__((format(printf, 2, 0))) on_error(cfg_t *c, const char *fmt, va_list ap)
{
	char reason[256];

	/* The first one says most */
	if (!parsing || parsing->failed)
		return;

	(void)vsnprintf(reason, sizeof(reason), fmt, ap);
	(void)cfg_fail(parsing, (unsigned)c->line, "%s", reason);
}

bool cfg_printable(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	}

	return true;
}

static int value_parse(cfg_t *c, cfg_opt_t *opt, const char *text, void *result)
{
	const size_t len = strlen(text);
	struct cfg_value *v;
	const cfg_opt_t *o;

	/* libconfuse would also take "section|option" at the top level */
	for (o = c->opts; o->name && o != opt; o++)
		;
	if (!o->name) {
		cfg_error(c, "'%s' is not allowed here", opt->name);
		return -1;
	}
	if (len > CFG_TEXT_MAX || !cfg_printable(text)) {
		cfg_error(c, "%s: overlong value or control characters in it", opt->name);
		return -1;
	}

	v = malloc(sizeof(*v) + len + 1);
	if (!v)
		return -1;

	v->line = (unsigned)c->line;
	v->name = opt->name;
	memcpy(v->text, text, len + 1);
	*(struct cfg_value **)result = v;

	return 0;
}

static void value_free(void *arg)
{
	const struct cfg_value *v = arg;

	/* Freed while parsing: the same setting came again and would win silently */
	if (parsing && v && !parsing->failed)
		(void)cfg_fail(parsing, v->line, "%s: is set again further down", v->name);
	free(arg);
}

/*
 * libconfuse takes the end of the file for the end of a section, a string or
 * a comment.  A file that was cut short must not pass, so this setting is put
 * behind its last line and must have been seen at the top level.
 */
#define END_NAME "end_of_file"

static int end_parse(cfg_t *c, cfg_opt_t *opt, const char *text, void *result)
{
	if (0 != strcmp(c->name, "root")) {
		cfg_error(c, "premature end of file: section %s is not closed", c->name);
		return -1;
	}

	return value_parse(c, opt, text, result);
}

/* Fill libconfuse's option array for one kind of place */
static size_t opts_fill(cfg_opt_t *optv, size_t size, unsigned scopes)
{
	size_t n = 0;

	optv[n++] = (cfg_opt_t){
		.name = END_NAME,
		.type = CFGT_PTR,
		.flags = CFGF_NODEFAULT,
		.parsecb = end_parse,
		.freecb = value_free,
	};

	for (size_t i = 0; i < cfg_rowc && n < size; i++) {
		const struct cfg_row *row = &cfg_rowv[i];

		if (!(scopes & 1u << row->scope))
			continue;
		optv[n++] = (cfg_opt_t){
			.name = row->name,
			.type = CFGT_PTR,
			.flags = CFGF_NODEFAULT | (row->kind->size ? CFGF_LIST : 0),
			.parsecb = value_parse,
			.freecb = value_free,
		};
	}

	return n;
}

/* End of the string or the ${variable} that starts at p, which is no comment */
static char *skip_token(char *p)
{
	char *end;

	if (p[0] == '$' && p[1] == '{') {
		end = strchr(p, '}');
		return end ? end + 1 : p + 1;
	}
	if (*p != '"' && *p != '\'')
		return p + 1;

	for (end = p + 1; *end && *end != *p;) {
		if (*end == '\\' && end[1])
			end += 2;
		else if (*p == '"' && *end == '$')
			end = skip_token(end);
		else
			end++;
	}

	return *end ? end + 1 : end;
}

/*
 * Turn comments into blanks, keeping the lines: libconfuse 3.3 counts two
 * lines too many for each comment, and every message would be wrong.
 */
static void comments_blank(char *p)
{
	while (*p) {
		char *end;

		if (*p == '#' || (p[0] == '/' && p[1] == '/')) {
			end = p + strcspn(p, "\n");
		}
		else if (p[0] == '/' && p[1] == '*') {
			end = strstr(p + 2, "*/");
			end = end ? end + 2 : p + strlen(p);
		}
		else {
			p = skip_token(p);
			continue;
		}

		for (; p < end; p++) {
			if (*p != '\n')
				*p = ' ';
		}
	}
}

/* Parse with the end mark behind the last line */
static int parse_marked(cfg_t *root, const char *text)
{
	const size_t len = strlen(text);
	char *marked = NULL;
	int err;

	err = re_sdprintf(&marked, "%s%s" END_NAME " = 1", text,
			  len && text[len - 1] != '\n' ? "\n" : "");
	if (err)
		return err;

	comments_blank(marked);
	err = cfg_parse_buf(root, marked) ? EINVAL : 0;
	mem_deref(marked);

	return err;
}

int cfg_parse_text(struct cfg_ctx *ctx, cfg_t **rootp)
{
	const int flags = CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES;
	cfg_opt_t topv[CFG_ROW_MAX + 5] = {{0}}, agentv[CFG_ROW_MAX] = {{0}}, confv[CFG_ROW_MAX] = {{0}};
	cfg_opt_t routev[CFG_ROW_MAX] = {{0}}, peerv[CFG_ROW_MAX] = {{0}};
	const cfg_opt_t agent = { .name = "user_agent", .type = CFGT_SEC, .flags = flags, .subopts = agentv };
	const cfg_opt_t conf = { .name = "conference", .type = CFGT_SEC, .flags = flags, .subopts = confv };
	const cfg_opt_t route = { .name = "route", .type = CFGT_SEC, .flags = flags, .subopts = routev };
	const cfg_opt_t peer = { .name = "trusted_peer", .type = CFGT_SEC, .flags = flags, .subopts = peerv };
	cfg_t *root;
	size_t n;
	int err;

	n = opts_fill(topv, CFG_ROW_MAX, 1u << CFG_SCOPE_TOP | 1u << CFG_SCOPE_DIGEST);
	topv[n++] = agent;
	topv[n++] = route;
	topv[n++] = peer;
	topv[n] = conf;
	(void)opts_fill(routev, CFG_ROW_MAX - 1, 1u << CFG_SCOPE_ROUTE);
	(void)opts_fill(agentv, CFG_ROW_MAX - 1, 1u << CFG_SCOPE_DIGEST);
	(void)opts_fill(peerv, CFG_ROW_MAX - 1, 1u << CFG_SCOPE_PEER);
	(void)opts_fill(confv, CFG_ROW_MAX - 1, 1u << CFG_SCOPE_CONF);

	root = cfg_init(topv, CFGF_NONE);
	if (!root)
		return ENOMEM;
	(void)cfg_set_error_function(root, on_error);

	parsing = ctx;
	err = parse_marked(root, ctx->text);
	parsing = NULL;

	if (!err && !ctx->failed && !cfg_size(root, END_NAME))
		(void)cfg_fail(ctx, (unsigned)root->line, "premature end of file: open string or comment");
	if (err && !ctx->failed)
		(void)cfg_fail(ctx, (unsigned)root->line, "out of memory");
	if (ctx->failed)
		err = EINVAL;

	if (err)
		cfg_free(root);
	else
		*rootp = root;

	return err;
}
