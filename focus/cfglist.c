/**
 * @file cfglist.c  Kinds of list items: read, check, print, compare
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cfgtab.h"

/* Items of both sorts; an enum without negative values is an unsigned int */
_Static_assert(sizeof(enum suite_id) == sizeof(unsigned), "enum size");
_Static_assert(sizeof(enum codec_id) == sizeof(unsigned), "enum size");
_Static_assert(sizeof(enum digest_alg) == sizeof(unsigned), "enum size");

static bool same_num(const void *a, const void *b)
{
	return *(const unsigned *)a == *(const unsigned *)b;
}

static bool same_str(const void *a, const void *b)
{
	return 0 == strcmp(*(char *const *)a, *(char *const *)b);
}

static int put_item(char **sp, const char *text)
{
	return str_dup(sp, text);
}

static int print_item(struct re_printf *pf, const struct cfg_row *row, const void *p)
{
	(void)row;
	return re_hprintf(pf, "%s", *(char *const *)p);
}

/* "127.0.0.1:5061" or "[::1]:5061"; the port must be written */
static int addr_port_parse(struct sa *sa, const char *text)
{
	char host[CFG_ADDR_HOST_MAX + 1];
	const char *colon = strrchr(text, ':');
	size_t len;
	long port;

	if (!colon)
		return EINVAL;

	len = strlen(colon + 1);
	if (len < 1 || len > 5 || strspn(colon + 1, "0123456789") != len)
		return EINVAL;
	port = atol(colon + 1);
	if (port > 65535)
		return EINVAL;

	len = (size_t)(colon - text);
	if (cfg_addr_host(host, sizeof(host), text, len))
		return EINVAL;
	/* "::1:5061" could mean two things */
	if (strchr(host, ':') && text[0] != '[')
		return EINVAL;

	return sa_set_str(sa, host, (uint16_t)port);
}

static int set_listen(struct cfg_ctx *ctx, const struct cfg_row *row, void *p, const char *text)
{
	struct cfg_listen *listen = p;
	const char *colon = strchr(text, ':');
	struct pl tp = { text, colon ? (size_t)(colon - text) : strlen(text) };

	listen->tp = sip_transp_decode(&tp);
	if (listen->tp != SIP_TRANSP_UDP && listen->tp != SIP_TRANSP_TCP &&
	    listen->tp != SIP_TRANSP_TLS)
		return cfg_fail(ctx, ctx->line, "%s: '%s' does not start with tls:, tcp: or udp:",
				row->name, text);

	if (!colon || addr_port_parse(&listen->addr, colon + 1))
		return cfg_fail(ctx, ctx->line, "%s: '%s' is not transport:address:port",
				row->name, text);

	return 0;
}

static int print_listen(struct re_printf *pf, const struct cfg_row *row, const void *p)
{
	const struct cfg_listen *listen = p;

	(void)row;

	return re_hprintf(pf, "%s:%J", listen->tp == SIP_TRANSP_TLS ? "tls" :
			  listen->tp == SIP_TRANSP_TCP ? "tcp" : "udp", &listen->addr);
}

static bool same_listen(const void *a, const void *b)
{
	const struct cfg_listen *la = a, *lb = b;

	/* Port 0 is another free port each time */
	return la->tp == lb->tp && sa_port(&la->addr) && sa_cmp(&la->addr, &lb->addr, SA_ALL);
}

static int set_domain(struct cfg_ctx *ctx, const struct cfg_row *row, void *p, const char *text)
{
	char host[CFG_ADDR_HOST_MAX + 1];

	if (cfg_addr_host(host, sizeof(host), text, strlen(text)))
		return cfg_fail(ctx, ctx->line, "%s: '%s' is not a host name", row->name, text);

	return put_item(p, host);
}

static const struct {
	enum digest_alg alg;
	const char *name;
} digest_namev[] = {
	{ DIGEST_SHA256, "SHA-256" },
	{ DIGEST_MD5,    "MD5"     },
};

static int set_digest(struct cfg_ctx *ctx, const struct cfg_row *row, void *p, const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(digest_namev); i++) {
		if (0 == str_casecmp(text, digest_namev[i].name)) {
			*(enum digest_alg *)p = digest_namev[i].alg;
			return 0;
		}
	}

	return cfg_fail(ctx, ctx->line, "%s: unknown algorithm '%s' (SHA-256 and MD5 are known)",
			row->name, text);
}

static int print_digest(struct re_printf *pf, const struct cfg_row *row, const void *p)
{
	(void)row;

	for (size_t i = 0; i < ARRAY_SIZE(digest_namev); i++) {
		if (digest_namev[i].alg == *(const enum digest_alg *)p)
			return re_hprintf(pf, "%s", digest_namev[i].name);
	}

	return EINVAL;
}

static int set_media(struct cfg_ctx *ctx, const struct cfg_row *row, void *p, const char *text)
{
	struct sa sa;

	if (sa_set_str(&sa, text, 0))
		return cfg_fail(ctx, ctx->line, "%s: '%s' is not an IP address", row->name, text);

	sa_cpy(p, &sa);

	return 0;
}

static int print_media(struct re_printf *pf, const struct cfg_row *row, const void *p)
{
	(void)row;
	return re_hprintf(pf, "%j", p);
}

static bool same_addr(const void *a, const void *b)
{
	return sa_cmp(a, b, SA_ADDR);
}

/* A leg's address is chosen by its family, so one of each is all there can be */
static bool same_family(const void *a, const void *b)
{
	return sa_af(a) == sa_af(b);
}

static int set_rule(struct cfg_ctx *ctx, const struct cfg_row *row, void *p, const char *text)
{
	if (cfg_rule_check(text))
		return cfg_fail(ctx, ctx->line, "%s: '%s' is none of sip:user@domain, *@domain, *",
				row->name, text);

	return put_item(p, text);
}

/* A rule, or a word for those who are in the conference */
static int set_referrer(struct cfg_ctx *ctx, const struct cfg_row *row, void *p, const char *text)
{
	if (!cfg_referrer_is_word(text) && cfg_rule_check(text))
		return cfg_fail(ctx, ctx->line, "%s: '%s' is none of owner, chairs, members, "
				"sip:user@domain, *@domain, *", row->name, text);

	return put_item(p, text);
}

static int set_suite(struct cfg_ctx *ctx, const struct cfg_row *row, void *p, const char *text)
{
	const struct suite *suite = suite_by_name(text, strlen(text));

	if (!suite)
		return cfg_fail(ctx, ctx->line, "%s: unknown SRTP suite '%s'", row->name, text);

	*(enum suite_id *)p = suite->id;

	return 0;
}

static int print_suite(struct re_printf *pf, const struct cfg_row *row, const void *p)
{
	(void)row;
	return re_hprintf(pf, "%s", suite_by_id(*(const enum suite_id *)p)->name);
}

static int set_codec(struct cfg_ctx *ctx, const struct cfg_row *row, void *p, const char *text)
{
	for (unsigned id = CODEC_NONE + 1; id <= CODEC_MAX; id++) {
		if (0 == str_casecmp(text, codec_by_id((enum codec_id)id)->name)) {
			*(enum codec_id *)p = (enum codec_id)id;
			return 0;
		}
	}

	return cfg_fail(ctx, ctx->line, "%s: unknown codec '%s'", row->name, text);
}

static int print_codec(struct re_printf *pf, const struct cfg_row *row, const void *p)
{
	(void)row;
	return re_hprintf(pf, "%s", codec_by_id(*(const enum codec_id *)p)->name);
}

const struct cfg_kind cfg_kind_listen = {
	"transport:address:port", sizeof(struct cfg_listen), true, set_listen, print_listen, same_listen };
const struct cfg_kind cfg_kind_domain = {
	"a host name", sizeof(char *), true, set_domain, print_item, same_str };
const struct cfg_kind cfg_kind_digest = {
	"an algorithm", sizeof(enum digest_alg), true, set_digest, print_digest, same_num };
const struct cfg_kind cfg_kind_media = {
	"an IP address", sizeof(struct sa), true, set_media, print_media, same_family };
const struct cfg_kind cfg_kind_addr = {
	"an IP address", sizeof(struct sa), true, set_media, print_media, same_addr };
const struct cfg_kind cfg_kind_rule = {
	"a rule", sizeof(char *), true, set_rule, print_item, same_str };
const struct cfg_kind cfg_kind_referrer = {
	"a rule or word", sizeof(char *), true, set_referrer, print_item, same_str };
const struct cfg_kind cfg_kind_suite = {
	"an SRTP suite", sizeof(enum suite_id), true, set_suite, print_suite, same_num };
const struct cfg_kind cfg_kind_codec = {
	"a codec", sizeof(enum codec_id), true, set_codec, print_codec, same_num };
