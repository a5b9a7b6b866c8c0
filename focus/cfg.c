/**
 * @file cfg.c  Read the configuration of conclaved
 *
 * The syntax tree of cfgparse.c becomes a struct cfg, row by row of the table
 * in cfgtab.c.  All of it is read and checked into a fresh struct before the
 * caller gets to see it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <openssl/crypto.h>
#include "cfgparse.h"

int cfg_fail(struct cfg_ctx *ctx, unsigned line, const char *fmt, ...)
{
	va_list ap;
	int n;

	ctx->failed = true;
	/* line 0: of the file as a whole */
	n = line ? snprintf(ctx->errbuf, ctx->size, "%s:%u: ", ctx->file, line)
		 : snprintf(ctx->errbuf, ctx->size, "%s: ", ctx->file);
	if (n >= 0 && (size_t)n < ctx->size) {
		va_start(ap, fmt);
		(void)vsnprintf(ctx->errbuf + n, ctx->size - (size_t)n, fmt, ap);
		va_end(ap);
	}

	/* A reason quotes the file, and must stay one line of text in any log */
	for (char *p = ctx->errbuf; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	}

	return EINVAL;
}

unsigned cfg_line_of(const struct cfg_ctx *ctx, const char *name, unsigned other)
{
	for (size_t i = 0; i < cfg_rowc; i++) {
		if (ctx->linev[i] && 0 == strcmp(cfg_rowv[i].name, name))
			return ctx->linev[i];
	}

	return other;
}

/*
 * Line of a setting that has no value, as in "listen = {}": libconfuse does
 * not keep it, so go up from the end of the section to the last line that
 * starts with the name.
 */
static unsigned line_above(const struct cfg_ctx *ctx, unsigned end, const char *name)
{
	const size_t len = strlen(name);
	unsigned line = 1, found = 0;

	for (const char *p = ctx->text; p && line <= end; line++) {
		p += strspn(p, " \t");
		if (0 == strncmp(p, name, len) && strchr(" \t=+", p[len]))
			found = line;
		p = strchr(p, '\n');
		if (p)
			p++;
	}

	return found ? found : end;
}

static int item_set(struct cfg_ctx *ctx, const struct cfg_row *row, void *base, const char *text)
{
	char *p = (char *)base + row->off;
	unsigned *countp = (unsigned *)(void *)((char *)base + row->coff);
	char *item;
	int err;

	if (!row->kind->size)
		return row->kind->set(ctx, row, p, text);

	if (*countp >= row->max)
		return cfg_fail(ctx, ctx->line, "%s: more than %u items", row->name, row->max);

	item = p + *countp * row->kind->size;
	err = row->kind->set(ctx, row, item, text);
	if (err)
		return err;

	/* Counted first: whoever frees the struct frees this item too */
	++*countp;
	for (unsigned i = 0; i + 1 < *countp; i++) {
		if (row->kind->same(p + i * row->kind->size, item))
			return cfg_fail(ctx, ctx->line, "%s: '%s' twice", row->name, text);
	}

	return 0;
}

static int default_set(struct cfg_ctx *ctx, const struct cfg_row *row, void *base)
{
	char text[CFG_TEXT_MAX];
	char *save = NULL;
	int err = 0;

	if (!row->def)
		return 0;
	if (!row->kind->size)
		return item_set(ctx, row, base, row->def);

	str_ncpy(text, row->def, sizeof(text));
	for (char *s = strtok_r(text, ",", &save); s && !err; s = strtok_r(NULL, ",", &save))
		err = item_set(ctx, row, base, s);

	return err;
}

static int row_set(struct cfg_ctx *ctx, const struct cfg_row *row, cfg_t *sec, void *base)
{
	cfg_opt_t *opt = cfg_getopt(sec, row->name);
	const unsigned n = cfg_opt_size(opt);
	unsigned *linep = &ctx->linev[row - cfg_rowv];
	int err = 0;

	*linep = 0;
	ctx->line = (unsigned)sec->line;

	if (!(opt->flags & CFGF_MODIFIED)) {
		if (row->min && !row->def)
			return cfg_fail(ctx, ctx->line, "%s: must be set", row->name);
		return default_set(ctx, row, base);
	}

	for (unsigned i = 0; i < n && !err; i++) {
		const struct cfg_value *v = cfg_opt_getnptr(opt, i);

		ctx->line = v->line;
		if (!*linep)
			*linep = v->line;
		err = item_set(ctx, row, base, v->text);
	}
	if (!err && row->kind->size && n < row->min)
		err = cfg_fail(ctx, line_above(ctx, ctx->line, row->name),
			       "%s: the list is empty", row->name);

	return err;
}

static int scope_set(struct cfg_ctx *ctx, enum cfg_scope scope, cfg_t *sec, void *base)
{
	int err = 0;

	for (size_t i = 0; i < cfg_rowc && !err; i++) {
		if (cfg_rowv[i].scope == scope)
			err = row_set(ctx, &cfg_rowv[i], sec, base);
	}
	ctx->line = (unsigned)sec->line;

	return err;
}

static int title_check(struct cfg_ctx *ctx, const cfg_t *sec)
{
	if (sec->title[0] && strlen(sec->title) <= CFG_TITLE_MAX && cfg_printable(sec->title))
		return 0;

	return cfg_fail(ctx, (unsigned)sec->line, "%s: title is empty, overlong or unprintable",
			sec->name);
}

/* The sections user_agent, then the general digest: the first match decides */
static int digests_set(struct cfg_ctx *ctx, cfg_t *root)
{
	struct cfg *cfg = ctx->cfg;
	const unsigned n = cfg_size(root, "user_agent");
	int err = 0;

	for (unsigned i = 0; i < n && !err; i++) {
		struct cfg_digest *digest = &cfg->digestv[cfg->digestc];
		cfg_t *sec = cfg_getnsec(root, "user_agent", i);

		if (cfg->digestc + 1 >= ARRAY_SIZE(cfg->digestv))
			return cfg_fail(ctx, (unsigned)sec->line, "user_agent: too many sections");

		cfg->digestc++;
		err = title_check(ctx, sec);
		if (!err)
			err = str_dup(&digest->user_agent, sec->title);
		if (!err)
			err = scope_set(ctx, CFG_SCOPE_DIGEST, sec, digest);
	}

	if (!err)
		err = scope_set(ctx, CFG_SCOPE_DIGEST, root, &cfg->digestv[cfg->digestc++]);

	return err;
}

/* The lists of a conference section whose items are strings of their own */
static void rules_free(const struct cfg_row *row, void *base)
{
	char **v = (char **)(void *)((char *)base + row->off);

	if (row->scope != CFG_SCOPE_CONF ||
	    (row->kind != &cfg_kind_rule && row->kind != &cfg_kind_referrer))
		return;

	for (unsigned n = *(unsigned *)(void *)((char *)base + row->coff); n; n--)
		mem_deref(v[n - 1]);
}

static void conf_destructor(void *arg)
{
	struct cfg_conf *conf = arg;

	list_unlink(&conf->le);
	for (size_t i = 0; i < cfg_rowc; i++)
		rules_free(&cfg_rowv[i], conf);
	mem_deref(conf->uri);
	mem_deref(conf->title);
}

static int conf_set(struct cfg_ctx *ctx, cfg_t *sec)
{
	struct cfg_conf *conf;
	int err;

	conf = mem_zalloc(sizeof(*conf), conf_destructor);
	if (!conf)
		return ENOMEM;

	err = title_check(ctx, sec);
	if (!err)
		err = str_dup(&conf->title, sec->title);
	if (!err)
		err = scope_set(ctx, CFG_SCOPE_CONF, sec, conf);
	if (!err)
		err = cfg_check_conf(ctx, conf);

	if (err)
		mem_deref(conf);
	else
		list_append(&ctx->cfg->confl, &conf->le, conf);

	return err;
}

static void route_destructor(void *arg)
{
	struct cfg_route *route = arg;

	list_unlink(&route->le);
	if (route->password)
		OPENSSL_cleanse(route->password, strlen(route->password));
	mem_deref(route->password);
	mem_deref(route->auth_password_file);
	mem_deref(route->auth_user);
	mem_deref(route->auth_realm);
	mem_deref(route->hop);
	mem_deref(route->domain);
}

static int route_set(struct cfg_ctx *ctx, cfg_t *sec)
{
	struct cfg_route *route;
	int err;

	route = mem_zalloc(sizeof(*route), route_destructor);
	if (!route)
		return ENOMEM;

	err = title_check(ctx, sec);
	if (!err)
		err = str_dup(&route->domain, sec->title);
	if (!err)
		err = scope_set(ctx, CFG_SCOPE_ROUTE, sec, route);
	if (!err)
		err = cfg_route_check(ctx, route);

	if (err)
		mem_deref(route);
	else
		list_append(&ctx->cfg->routel, &route->le, route);

	return err;
}

static int routes_set(struct cfg_ctx *ctx, cfg_t *root)
{
	const unsigned n = cfg_size(root, "route");
	int err = 0;

	for (unsigned i = 0; i < n && !err; i++)
		err = route_set(ctx, cfg_getnsec(root, "route", i));

	return err;
}

static void peer_destructor(void *arg)
{
	struct cfg_peer *peer = arg;

	list_unlink(&peer->le);
	for (unsigned i = 0; i < peer->certc; i++)
		mem_deref(peer->certv[i]);
	for (unsigned i = 0; i < peer->assertc; i++)
		mem_deref(peer->assertv[i]);
	mem_deref(peer->title);
}

static int peer_set(struct cfg_ctx *ctx, cfg_t *sec)
{
	struct cfg_peer *peer;
	int err;

	peer = mem_zalloc(sizeof(*peer), peer_destructor);
	if (!peer)
		return ENOMEM;

	err = title_check(ctx, sec);
	if (!err)
		err = str_dup(&peer->title, sec->title);
	if (!err)
		err = scope_set(ctx, CFG_SCOPE_PEER, sec, peer);
	if (!err)
		err = cfg_check_peer(ctx, peer);

	if (err)
		mem_deref(peer);
	else
		list_append(&ctx->cfg->peerl, &peer->le, peer);

	return err;
}

static int peers_set(struct cfg_ctx *ctx, cfg_t *root)
{
	const unsigned n = cfg_size(root, "trusted_peer");
	int err = 0;

	for (unsigned i = 0; i < n && !err; i++)
		err = peer_set(ctx, cfg_getnsec(root, "trusted_peer", i));

	return err;
}

static int confs_set(struct cfg_ctx *ctx, cfg_t *root)
{
	const unsigned n = cfg_size(root, "conference");
	int err = 0;

	if (!n)
		return cfg_fail(ctx, (unsigned)root->line, "no section conference: nobody could call anything");

	for (unsigned i = 0; i < n && !err; i++)
		err = conf_set(ctx, cfg_getnsec(root, "conference", i));

	return err;
}

static void destructor(void *arg)
{
	struct cfg *cfg = arg;

	list_flush(&cfg->confl);
	list_flush(&cfg->peerl);
	list_flush(&cfg->routel);
	list_flush(&cfg->userl);
	for (unsigned i = 0; i < cfg->digestc; i++)
		mem_deref(cfg->digestv[i].user_agent);
	for (unsigned i = 0; i < cfg->domainc; i++)
		mem_deref(cfg->domainv[i]);
	mem_deref(cfg->control_socket);
	mem_deref(cfg->mixer_path);
	mem_deref(cfg->advertised_sip);
	mem_deref(cfg->users);
	mem_deref(cfg->realm);
	mem_deref(cfg->tls_ca);
	mem_deref(cfg->tls_server_ca);
	mem_deref(cfg->tls_certificate);
	mem_deref(cfg->file);
}

static int convert(struct cfg_ctx *ctx, cfg_t *root)
{
	struct cfg *cfg = ctx->cfg;
	int err;

	err = scope_set(ctx, CFG_SCOPE_TOP, root, cfg);
	if (!err && !cfg->domainc) {
		err = str_dup(&cfg->domainv[0], cfg->realm);
		cfg->domainc = err ? 0 : 1;
	}
	if (!err)
		err = cfg_check_top(ctx);
	if (!err)
		err = digests_set(ctx, root);
	if (!err)
		err = routes_set(ctx, root);
	if (!err)
		err = peers_set(ctx, root);
	if (!err)
		err = confs_set(ctx, root);

	return err;
}

/* libconfuse reads a string: a zero byte would hide the rest of the file */
static int zero_check(struct cfg_ctx *ctx, const struct cfg_file *f)
{
	unsigned line = 1;
	const size_t len = strlen(f->text);

	if (len == f->len)
		return 0;

	for (size_t i = 0; i < len; i++)
		line += f->text[i] == '\n';

	return cfg_fail(ctx, line, "contains a zero byte");
}

int cfg_read(struct cfg **cfgp, const char *file, char *errbuf, size_t size)
{
	struct cfg_ctx ctx = { .file = file, .errbuf = errbuf, .size = size };
	struct cfg_file *f = NULL;
	const char *why = NULL;
	cfg_t *root = NULL;
	int err;

	if (!cfgp || !file || !errbuf || !size)
		return EINVAL;

	errbuf[0] = '\0';
	ctx.cfg = mem_zalloc(sizeof(*ctx.cfg), destructor);
	if (!ctx.cfg)
		return ENOMEM;

	err = cfg_file_load(&f, file, CFG_TRUST_PUBLIC, &why);
	if (err) {
		(void)cfg_fail(&ctx, 0, "%s", why);
		goto out;
	}

	ctx.text = f->text;
	err = str_dup(&ctx.cfg->file, file);
	if (!err)
		err = zero_check(&ctx, f);
	if (!err)
		err = cfg_parse_text(&ctx, &root);
	if (!err)
		err = convert(&ctx, root);
	if (err && !ctx.failed)
		(void)cfg_fail(&ctx, 0, "%s", strerror(err));

 out:
	if (root)
		cfg_free(root);
	mem_deref(f);
	if (err)
		mem_deref(ctx.cfg);
	else
		*cfgp = ctx.cfg;

	return err;
}
