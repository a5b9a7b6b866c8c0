/**
 * @file cfgcheck.c  Checks that need more than one setting
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "cfgtab.h"

static int check_listen(struct cfg_ctx *ctx)
{
	const struct cfg *cfg = ctx->cfg;

	for (unsigned i = 0; i < cfg->listenc; i++) {
		if (cfg->listenv[i].tp == SIP_TRANSP_TLS && !cfg->tls_certificate)
			return cfg_fail(ctx, cfg_line_of(ctx, "listen", ctx->line),
					"listen: tls needs tls_certificate");
	}
	/* RFC 8856 section 5: over plain TCP nobody would know who speaks */
	if (cfg->bfcp_listenc && cfg->bfcp_listenv[0].tp != SIP_TRANSP_TLS)
		return cfg_fail(ctx, cfg_line_of(ctx, "bfcp_listen", ctx->line),
				"bfcp_listen: tls only");

	return 0;
}

static int check_media(struct cfg_ctx *ctx)
{
	const struct cfg *cfg = ctx->cfg;
	const struct sa *adv = &cfg->advertised_address;
	bool adv_used = !sa_isset(adv, SA_ADDR);

	/* RTP takes the even port, RTCP the next one (RFC 3550 section 11) */
	if (cfg->media_port_min % 2)
		return cfg_fail(ctx, cfg_line_of(ctx, "media_ports_min", ctx->line),
				"media_ports_min: %u is not even", cfg->media_port_min);
	if (cfg->media_port_max % 2 == 0)
		return cfg_fail(ctx, cfg_line_of(ctx, "media_ports_max", ctx->line),
				"media_ports_max: %u is not odd", cfg->media_port_max);
	if (cfg->media_port_min >= cfg->media_port_max)
		return cfg_fail(ctx, cfg_line_of(ctx, "media_ports_max",
						 cfg_line_of(ctx, "media_ports_min", ctx->line)),
				"media_ports_max: %u is below media_ports_min (%u)",
				cfg->media_port_max, cfg->media_port_min);

	for (unsigned i = 0; i < cfg->media_addrc; i++) {
		const struct sa *sa = &cfg->media_addrv[i];
		const bool covered = sa_isset(adv, SA_ADDR) && sa_af(sa) == sa_af(adv);

		adv_used |= covered;
		if (sa_is_any(sa) && !covered)
			return cfg_fail(ctx, cfg_line_of(ctx, "media_address", ctx->line),
					"media_address: a phone cannot send to the wildcard address; "
					"set advertised_address");
	}

	if (!adv_used)
		return cfg_fail(ctx, cfg_line_of(ctx, "advertised_address", ctx->line),
				"advertised_address: no media_address of its family");

	return 0;
}

static int check_auth(struct cfg_ctx *ctx)
{
	if (ctx->cfg->users || ctx->cfg->tls_ca)
		return 0;

	return cfg_fail(ctx, ctx->line, "nobody could authenticate: set users or tls_ca");
}

static int check_mixer(struct cfg_ctx *ctx)
{
	const char *path = ctx->cfg->mixer_path;

	if (!path || 0 == access(path, X_OK))
		return 0;

	return cfg_fail(ctx, cfg_line_of(ctx, "mixer_path", ctx->line),
			"mixer_path: %s: %s", path, strerror(errno));
}

/** After the top level was read; ctx->line is the end of the file */
int cfg_check_top(struct cfg_ctx *ctx)
{
	static int (*const checkv[])(struct cfg_ctx *) = {
		check_listen, check_media, check_auth, check_mixer,
		cfg_cert_check, cfg_ca_check, cfg_users_read,
	};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(checkv) && !err; i++)
		err = checkv[i](ctx);

	return err;
}

static bool domain_is_ours(const struct cfg *cfg, const char *host)
{
	for (unsigned i = 0; i < cfg->domainc; i++) {
		if (0 == strcmp(cfg->domainv[i], host))
			return true;
	}

	return false;
}

/** After a section trusted_peer was read */
int cfg_check_peer(struct cfg_ctx *ctx, const struct cfg_peer *peer)
{
	if (!peer->addrc && !peer->certc)
		return cfg_fail(ctx, ctx->line, "trusted_peer: set address or certificate, or both");

	/* Without an authority no certificate is looked at */
	if (peer->certc && !ctx->cfg->tls_ca)
		return cfg_fail(ctx, cfg_line_of(ctx, "certificate", ctx->line),
				"certificate: needs tls_ca");

	return 0;
}

/** After a conference section was read, before it joins cfg->confl */
int cfg_check_conf(struct cfg_ctx *ctx, const struct cfg_conf *conf)
{
	const char *at = strchr(conf->uri, '@') + 1;
	char host[CFG_ADDR_HOST_MAX + 1];
	struct le *le;

	(void)cfg_addr_host(host, sizeof(host), at, strlen(at));
	if (!domain_is_ours(ctx->cfg, host))
		return cfg_fail(ctx, cfg_line_of(ctx, "uri", ctx->line),
				"uri: %s is not one of domains", host);

	LIST_FOREACH(&ctx->cfg->confl, le) {
		const struct cfg_conf *other = le->data;

		/* The host does not count: the first section that matches decides */
		if (0 == strncmp(other->uri, conf->uri, (size_t)(at - conf->uri)))
			return cfg_fail(ctx, cfg_line_of(ctx, "uri", ctx->line),
					"uri: conference \"%s\" has the same user part",
					other->title);
	}

	return 0;
}
