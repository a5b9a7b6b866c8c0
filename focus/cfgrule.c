/**
 * @file cfgrule.c  Who is meant: comparing identities, rules and dialled URIs
 *
 * Policy is only as good as its comparison.  Everything is brought to one
 * form once, and whatever has no such form matches nothing: scheme, port,
 * parameters and headers are dropped, the host is compared in lower case, the
 * user part byte by byte after escapes of unreserved characters were decoded
 * (RFC 3261 section 19.1.4).  Only ASCII that the grammar allows passes, so
 * neither a display name nor a look-alike letter can match.
 *
 * Refs:  RFC 3261 sections 19.1.1, 19.1.4 and 25.1
 */
#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <strings.h>
#include "cfgtab.h"

/* RFC 3261 section 25.1: mark and user-unreserved */
static const char mark[] = "-_.!~*'()";
static const char user_unreserved[] = "&=+$,;?/";

/* isalnum() without locale */
static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/**
 * Bring a user part to its one form
 *
 * @param out   Zero-terminated result; room for @p size bytes
 * @param also  Characters allowed beyond the grammar ("[]" in patterns)
 *
 * @return 0, EINVAL, or EOVERFLOW
 */
int cfg_addr_user(char *out, size_t size, const char *s, size_t len, const char *also)
{
	static const char hexv[] = "0123456789ABCDEF";
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = s[i];

		if (n + 4 > size)
			return EOVERFLOW;

		if (c == '%') {
			const int hi = i + 1 < len ? hex_value(s[i + 1]) : -1;
			const int lo = i + 2 < len ? hex_value(s[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return EINVAL;

			i += 2;
			c = (char)(hi << 4 | lo);
			if (is_alnum(c) || is_one_of(c, mark)) {
				out[n++] = c;
				continue;
			}
			out[n++] = '%';
			out[n++] = hexv[hi];
			out[n++] = hexv[lo];
			continue;
		}

		if (!is_alnum(c) && !is_one_of(c, mark) && !is_one_of(c, user_unreserved) &&
		    !is_one_of(c, also))
			return EINVAL;
		out[n++] = c;
	}

	out[n] = '\0';

	return 0;
}

/**
 * Bring a host (name, IPv4, IPv6 with or without brackets) to its one form
 *
 * @return 0, EINVAL, or EOVERFLOW
 */
int cfg_addr_host(char *out, size_t size, const char *s, size_t len)
{
	bool v6;

	if (len >= 2 && s[0] == '[' && s[len - 1] == ']') {
		s++;
		len -= 2;
		if (!memchr(s, ':', len))
			return EINVAL;
	}
	if (!len)
		return EINVAL;
	if (len >= size)
		return EOVERFLOW;

	v6 = memchr(s, ':', len) != NULL;
	for (size_t i = 0; i < len; i++) {
		const char c = s[i];

		if (!is_alnum(c) && c != '.' && c != (v6 ? ':' : '-') && (v6 || c != '_'))
			return EINVAL;
		out[i] = (c >= 'A' && c <= 'Z') ? (char)(c - 'A' + 'a') : c;
	}
	out[len] = '\0';

	if (v6) {
		struct sa sa;

		/* An IPv6 address has many spellings */
		if (sa_set_str(&sa, out, 0) || sa_af(&sa) != AF_INET6)
			return EINVAL;
		if (sa_ntop(&sa, out, (int)size))
			return EINVAL;
	}

	return 0;
}

/* What may follow a host: ":port", then parameters or headers, all ignored */
static bool tail_ok(const char *s)
{
	if (*s == ':') {
		size_t n = strspn(++s, "0123456789");

		if (n < 1 || n > 5)
			return false;
		s += n;
	}

	if (*s != '\0' && *s != ';' && *s != '?')
		return false;

	/* No quotes, brackets, blanks: this was a name-addr or worse */
	for (; *s; s++) {
		if (*s <= ' ' || *s >= 0x7f || strchr("<>\"", *s))
			return false;
	}

	return true;
}

/**
 * Parse "sip:user@host:port;params" or the same without a scheme
 *
 * @return 0, or an errno value if it has no canonical form
 */
int cfg_addr_parse(struct cfg_addr *addr, const char *s)
{
	const char *at;
	size_t host_len;
	int err;

	memset(addr, 0, sizeof(*addr));

	if (0 == strncasecmp(s, "sip:", 4))
		s += 4;
	else if (0 == strncasecmp(s, "sips:", 5))
		s += 5;

	/* "@" is never part of a user, so the first one ends it; there is no
	 * password in an identity (":" is refused by cfg_addr_user()) */
	at = strchr(s, '@');
	if (at) {
		if (at == s)
			return EINVAL;
		err = cfg_addr_user(addr->user, sizeof(addr->user), s, (size_t)(at - s), "");
		if (err)
			return err;
		addr->any_user = at == s + 1 && *s == '*';
		s = at + 1;
	}

	if (*s == '[') {
		const char *end = strchr(s, ']');

		if (!end)
			return EINVAL;
		host_len = (size_t)(end - s) + 1;
	}
	else {
		host_len = strcspn(s, ":;?");
	}

	err = cfg_addr_host(addr->host, sizeof(addr->host), s, host_len);
	if (err)
		return err;

	return tail_ok(s + host_len) ? 0 : EINVAL;
}

/** Is this a rule at all?  "*" is a user of its own or nothing */
int cfg_rule_check(const char *rule)
{
	struct cfg_addr addr;
	int err;

	if (0 == strcmp(rule, "*"))
		return 0;

	err = cfg_addr_parse(&addr, rule);
	if (err)
		return err;
	if (!addr.user[0] || (!addr.any_user && strchr(addr.user, '*')))
		return EINVAL;

	return 0;
}

bool cfg_rule_match(const char *rule, const char *identity)
{
	struct cfg_addr r, id;

	if (!rule || !identity || cfg_addr_parse(&id, identity))
		return false;

	if (0 == strcmp(rule, "*"))
		return true;

	if (cfg_addr_parse(&r, rule) || !r.user[0] || !id.user[0])
		return false;

	return 0 == strcmp(r.host, id.host) && (r.any_user || 0 == strcmp(r.user, id.user));
}

bool cfg_rules_match(char *const rulev[], unsigned rulec, const char *identity)
{
	for (unsigned i = 0; i < rulec; i++) {
		if (cfg_rule_match(rulev[i], identity))
			return true;
	}

	return false;
}

int cfg_identity(char *buf, size_t size, const struct pl *uri)
{
	char text[CFG_ADDR_USER_MAX + CFG_ADDR_HOST_MAX + 512];
	struct cfg_addr addr;
	int err;

	if (!buf || !pl_isset(uri))
		return EINVAL;
	if (uri->l >= sizeof(text))
		return EOVERFLOW;

	(void)pl_strcpy(uri, text, sizeof(text));
	if (strlen(text) != uri->l)
		return EINVAL;
	err = cfg_addr_parse(&addr, text);
	if (err)
		return err;
	if (!addr.user[0])
		return EINVAL;

	return re_snprintf(buf, size, strchr(addr.host, ':') ? "sip:%s@[%s]" : "sip:%s@%s",
			   addr.user, addr.host) < 0 ? EOVERFLOW : 0;
}

bool cfg_referrer_is_word(const char *text)
{
	static const char *const wordv[] = { "owner", "chairs", "members" };

	for (size_t i = 0; i < ARRAY_SIZE(wordv); i++) {
		if (0 == strcmp(text, wordv[i]))
			return true;
	}

	return false;
}

bool cfg_referrer_word(const struct cfg_conf *cc, const char *word)
{
	for (unsigned i = 0; cc && i < cc->referc; i++) {
		if (0 == strcmp(cc->referv[i], word))
			return true;
	}

	return false;
}

bool cfg_referrer_match(const struct cfg_conf *cc, const char *identity)
{
	for (unsigned i = 0; cc && i < cc->referc; i++) {
		if (!cfg_referrer_is_word(cc->referv[i]) && cfg_rule_match(cc->referv[i], identity))
			return true;
	}

	return false;
}

const struct cfg_route *cfg_route_find(const struct cfg *cfg, const char *host)
{
	const struct cfg_route *any = NULL;
	struct le *le;

	LIST_FOREACH(&cfg->routel, le) {
		const struct cfg_route *route = le->data;

		if (0 == strcmp(route->domain, host))
			return route;
		if (0 == strcmp(route->domain, "*"))
			any = route;
	}

	return any;
}

int cfg_user_part(char *buf, size_t size, const struct pl *user)
{
	if (!buf || !pl_isset(user))
		return EINVAL;

	return cfg_addr_user(buf, size, user->p, user->l, "");
}

const struct cfg_conf *cfg_conf_find(const struct cfg *cfg, const struct pl *user)
{
	char name[CFG_ADDR_USER_MAX + 1], pattern[CFG_TEXT_MAX];
	struct le *le;

	if (!cfg || cfg_user_part(name, sizeof(name), user))
		return NULL;

	LIST_FOREACH(&cfg->confl, le) {
		const struct cfg_conf *conf = le->data;
		const char *from = strchr(conf->uri, ':') + 1;

		/* Canonical since cfg_read(): "sip:pattern@host" */
		(void)str_ncpy(pattern, from, min(sizeof(pattern), (size_t)(strchr(from, '@') - from) + 1));
		if (0 == fnmatch(pattern, name, FNM_NOESCAPE))
			return conf;
	}

	return NULL;
}

/* The two halves of a user name; the domain defaults to the realm */
static void user_split(const struct cfg *cfg, const struct pl *in, struct pl *user, struct pl *host)
{
	const char *at = memchr(in->p, '@', in->l);

	user->p = in->p;
	if (at) {
		user->l = (size_t)(at - in->p);
		host->p = at + 1;
		host->l = in->l - user->l - 1;
	}
	else {
		user->l = in->l;
		pl_set_str(host, cfg->realm);
	}
}

const struct cfg_user *cfg_user_find(const struct cfg *cfg, const struct pl *user)
{
	struct pl u, h;
	struct le *le;

	if (!cfg || !pl_isset(user))
		return NULL;

	user_split(cfg, user, &u, &h);

	LIST_FOREACH(&cfg->userl, le) {
		const struct cfg_user *entry = le->data;
		struct pl eu, eh, name;

		pl_set_str(&name, entry->user);
		user_split(cfg, &name, &eu, &eh);
		if (0 == pl_cmp(&u, &eu) && 0 == pl_casecmp(&h, &eh))
			return entry;
	}

	return NULL;
}

const struct cfg_digest *cfg_digest_find(const struct cfg *cfg, const struct pl *user_agent)
{
	char ua[256] = "";

	if (!cfg || !cfg->digestc)
		return NULL;

	if (pl_isset(user_agent))
		(void)pl_strcpy(user_agent, ua, sizeof(ua));

	for (unsigned i = 0; i + 1 < cfg->digestc; i++) {
		if (ua[0] && 0 == fnmatch(cfg->digestv[i].user_agent, ua, FNM_NOESCAPE))
			return &cfg->digestv[i];
	}

	return &cfg->digestv[cfg->digestc - 1];
}
