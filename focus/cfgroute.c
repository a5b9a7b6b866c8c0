/**
 * @file cfgroute.c  Sections route: the domain, and our password there
 */
#include <errno.h>
#include <string.h>
#include <openssl/crypto.h>
#include "cfgtab.h"

/* The title is a host in its one form, or "*" */
static int domain_check(struct cfg_ctx *ctx, struct cfg_route *route)
{
	char host[CFG_ADDR_HOST_MAX + 1];

	if (0 == strcmp(route->domain, "*"))
		return 0;
	if (cfg_addr_host(host, sizeof(host), route->domain, strlen(route->domain)))
		return cfg_fail(ctx, ctx->line, "route: '%s' is not a host name or *", route->domain);

	route->domain = mem_deref(route->domain);

	return str_dup(&route->domain, host);
}

static int password_read(struct cfg_ctx *ctx, struct cfg_route *route)
{
	const unsigned line = cfg_line_of(ctx, "auth_password_file", ctx->line);
	struct cfg_file *f = NULL;
	const char *why = NULL;
	size_t len;
	int err;

	err = cfg_file_load(&f, route->auth_password_file, CFG_TRUST_SECRET, &why);
	if (err)
		return cfg_fail(ctx, line, "auth_password_file: %s: %s",
				route->auth_password_file, why);

	len = strcspn(f->text, "\r\n");
	if (!len || len > CFG_TEXT_MAX)
		err = cfg_fail(ctx, line, "auth_password_file: empty or overlong first line");
	else
		err = re_sdprintf(&route->password, "%b", f->text, len);
	mem_deref(f);

	return err;
}

int cfg_route_check(struct cfg_ctx *ctx, struct cfg_route *route)
{
	const int set = !!route->auth_realm + !!route->auth_user + !!route->auth_password_file;
	int err;

	err = domain_check(ctx, route);
	if (err)
		return err;

	if (set && set < 3)
		return cfg_fail(ctx, ctx->line, "route: auth_realm, auth_user and auth_password_file "
				"go together");

	return set ? password_read(ctx, route) : 0;
}
