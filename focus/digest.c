/**
 * @file digest.c  Digest authentication, server side
 *
 * Refs:  RFC 7616 section 3.4, RFC 8760 section 2
 */
#include <ctype.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include "authz.h"
#include "backoff.h"
#include "digest.h"
#include "nonce.h"

enum {
	HEX_MAX   = 2 * 32 + 1,     /* of SHA-256, with the zero */
	DUMMY_LEN = 16,
};

/* RFC 8760 section 2.1; RFC 7616 section 3.4: absent means MD5 */
static const struct {
	enum digest_alg alg;
	const char *name;
	size_t hex_len;
} algv[] = {
	{ DIGEST_MD5,    "MD5",     32 },
	{ DIGEST_SHA256, "SHA-256", 64 },
};

struct digest {
	struct nonces *nonces;
	struct backoff *backoff;
	EVP_MD *mdv[ARRAY_SIZE(algv)];
	char dummy[2 * DUMMY_LEN + 1];    /* the password of unknown users */
};

static void destructor(void *arg)
{
	struct digest *d = arg;

	for (size_t i = 0; i < ARRAY_SIZE(d->mdv); i++)
		EVP_MD_free(d->mdv[i]);

	mem_deref(d->nonces);
	mem_deref(d->backoff);
	OPENSSL_cleanse(d->dummy, sizeof(d->dummy));
}

static void to_hex(char *hex, const uint8_t *p, size_t len)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*hex++ = digit[p[i] >> 4];
		*hex++ = digit[p[i] & 15];
	}
	*hex = '\0';
}

static int make_dummy(struct digest *d)
{
	uint8_t rnd[DUMMY_LEN];

	if (1 != RAND_priv_bytes(rnd, sizeof(rnd)))
		return EIO;

	to_hex(d->dummy, rnd, sizeof(rnd));
	OPENSSL_cleanse(rnd, sizeof(rnd));

	return 0;
}

int digest_alloc(struct digest **dp)
{
	struct digest *d;
	int err;

	if (!dp)
		return EINVAL;

	d = mem_zalloc(sizeof(*d), destructor);
	if (!d)
		return ENOMEM;

	err = nonces_alloc(&d->nonces);
	if (!err)
		err = backoff_alloc(&d->backoff);
	if (!err)
		err = make_dummy(d);

	for (size_t i = 0; !err && i < ARRAY_SIZE(algv); i++) {
		d->mdv[i] = EVP_MD_fetch(NULL, algv[i].name, NULL);
		if (!d->mdv[i])
			err = ENOSYS;
	}

	if (err)
		mem_deref(d);
	else
		*dp = d;

	return err;
}

/** Index into algv, or ARRAY_SIZE(algv) */
static size_t alg_by_name(const struct pl *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(algv); i++) {
		if (!pl_strcasecmp(name, algv[i].name))
			break;
	}

	return i;
}

static size_t alg_by_id(enum digest_alg alg)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(algv); i++) {
		if (algv[i].alg == alg)
			break;
	}

	return i;
}

static bool is_tls(const struct sip_msg *msg)
{
	return msg->tp == SIP_TRANSP_TLS || msg->tp == SIP_TRANSP_WSS;
}

/** The algorithms to offer for this message, in order; returns their number */
static unsigned offers(enum digest_alg v[DIGEST_ALG_MAX], const struct cfg *cfg,
		       const struct sip_msg *msg)
{
	const struct sip_hdr *ua = sip_msg_hdr(msg, SIP_HDR_USER_AGENT);
	const struct cfg_digest *cd = cfg_digest_find(cfg, ua ? &ua->val : NULL);
	unsigned n = 0;

	if (!cd)
		return 0;

	for (unsigned i = 0; i < cd->algc && i < DIGEST_ALG_MAX; i++) {
		if (cd->algv[i] == DIGEST_MD5 && !is_tls(msg))
			continue;
		if (alg_by_id(cd->algv[i]) < ARRAY_SIZE(algv))
			v[n++] = cd->algv[i];
	}

	return n;
}

static bool is_offered(const struct cfg *cfg, const struct sip_msg *msg, enum digest_alg alg)
{
	enum digest_alg v[DIGEST_ALG_MAX];
	const unsigned n = offers(v, cfg, msg);

	for (unsigned i = 0; i < n; i++) {
		if (v[i] == alg)
			return true;
	}

	return false;
}

/** Lower-case hex of H(part ":" part ":" ...) */
static bool hash_parts(char hex[HEX_MAX], const EVP_MD *md, const struct pl *partv, size_t partc)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t raw[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	bool ok;

	ok = ctx && EVP_DigestInit_ex2(ctx, md, NULL);
	for (size_t i = 0; ok && i < partc; i++) {
		ok = (!i || EVP_DigestUpdate(ctx, ":", 1)) &&
		     EVP_DigestUpdate(ctx, partv[i].p ? partv[i].p : "", partv[i].l);
	}
	ok = ok && EVP_DigestFinal_ex(ctx, raw, &len) && 2 * len < HEX_MAX;
	if (ok)
		to_hex(hex, raw, len);

	OPENSSL_cleanse(raw, sizeof(raw));
	EVP_MD_CTX_free(ctx);

	return ok;
}

static struct pl pl_of(const char *s)
{
	const struct pl pl = { s, strlen(s) };

	return pl;
}

/** Is the response the one that this password gives?  RFC 7616 section 3.4.1 */
static bool response_is(const struct digest *d, size_t alg, const struct authz *az,
			const struct pl *method, const char *password)
{
	const EVP_MD *md = d->mdv[alg];
	char ha1[HEX_MAX] = "", ha2[HEX_MAX] = "", want[HEX_MAX] = "";
	const struct pl a1[] = { az->username, az->realm, pl_of(password) };
	const struct pl a2[] = { *method, az->uri };
	bool ok;

	ok = hash_parts(ha1, md, a1, ARRAY_SIZE(a1)) && hash_parts(ha2, md, a2, ARRAY_SIZE(a2));
	if (ok) {
		const struct pl kd[] = { pl_of(ha1), az->nonce, az->nc, az->cnonce,
					 az->qop, pl_of(ha2) };

		ok = hash_parts(want, md, kd, ARRAY_SIZE(kd));
	}

	ok = ok && az->response.l == algv[alg].hex_len &&
	     !CRYPTO_memcmp(want, az->response.p, algv[alg].hex_len);

	OPENSSL_cleanse(ha1, sizeof(ha1));
	OPENSSL_cleanse(want, sizeof(want));

	return ok;
}

static bool pl_same(const struct pl *a, const struct pl *b)
{
	return a->l == b->l && (!a->l || !memcmp(a->p, b->p, a->l));
}

/**
 * RFC 3261 section 22.4 and RFC 7616 section 3.4.6: the uri must name what the
 * Request-URI names.  Ports and parameters: some phones leave them out of one.
 */
static bool uri_matches(const struct pl *uri, const struct sip_msg *msg)
{
	struct uri u;

	if (uri_decode(&u, uri))
		return false;

	return !pl_casecmp(&u.scheme, &msg->uri.scheme) &&
	       !pl_casecmp(&u.host, &msg->uri.host) &&
	       pl_same(&u.user, &msg->uri.user);
}

static bool parse_nc(uint32_t *ncp, const struct pl *nc)
{
	if (nc->l != 8)
		return false;

	for (size_t i = 0; i < nc->l; i++) {
		if (!isxdigit((unsigned char)nc->p[i]))
			return false;
	}
	*ncp = pl_x32(nc);

	return *ncp != 0;
}

/** The first Digest header for our realm; ENOENT if there is none */
static int find_authz(struct authz *az, const struct cfg *cfg, const struct sip_msg *msg)
{
	struct le *le;

	for (le = msg->hdrl.head; le; le = le->next) {
		const struct sip_hdr *hdr = le->data;
		int err;

		/* libre's header id is a 12-bit hash: compare the name as well */
		if (hdr->id != SIP_HDR_AUTHORIZATION ||
		    pl_strcasecmp(&hdr->name, "Authorization"))
			continue;

		err = authz_decode(az, &hdr->val);
		if (err == ENOTSUP)
			continue;
		if (err)
			return err;
		if (!pl_strcmp(&az->realm, cfg->realm))
			return 0;
	}

	return ENOENT;
}

/** "sip:user@host", from the configuration's spelling, never from the header's */
static int print_identity(char *buf, size_t size, const struct cfg *cfg, const struct cfg_user *u)
{
	/* a domain can be an IPv6 address */
	const char *fmt = strchr(cfg->realm, ':') ? "sip:%s@[%s]" : "sip:%s@%s";
	char *at;
	int n;

	if (strchr(u->user, '@'))
		n = re_snprintf(buf, size, "sip:%s", u->user);
	else
		n = re_snprintf(buf, size, fmt, u->user, cfg->realm);
	if (n < 0)
		return EOVERFLOW;

	for (at = strrchr(buf, '@'); *at; at++)
		*at = (char)tolower((unsigned char)*at);

	return 0;
}

/** What can be judged without a secret; DIGEST_V_OK: go on */
static enum digest_verdict check_form(const struct authz *az, size_t *algp, uint32_t *ncp,
				      const struct cfg *cfg, const struct sip_msg *msg)
{
	static const struct pl md5 = PL("MD5");

	if (!az->qop.p || pl_strcasecmp(&az->qop, "auth"))
		return DIGEST_V_MALFORMED;
	if (!az->cnonce.l || !az->nc.p || !parse_nc(ncp, &az->nc))
		return DIGEST_V_MALFORMED;
	if (!uri_matches(&az->uri, msg))
		return DIGEST_V_MALFORMED;

	*algp = alg_by_name(az->algorithm.p ? &az->algorithm : &md5);
	if (*algp == ARRAY_SIZE(algv) || !is_offered(cfg, msg, algv[*algp].alg))
		return DIGEST_V_ABSENT;

	return DIGEST_V_OK;
}

static enum digest_verdict judge(struct digest *d, const struct cfg *cfg,
				 const struct sip_msg *msg, const struct authz *az,
				 uint64_t now_ms, const struct cfg_user **up)
{
	const struct cfg_user *u;
	struct nonce_flow flow;
	enum digest_verdict v;
	uint32_t nc = 0;
	size_t alg = 0;
	bool fresh, ok;

	v = check_form(az, &alg, &nc, cfg, msg);
	if (v != DIGEST_V_OK)
		return v;

	flow = (struct nonce_flow){ algv[alg].alg, msg->tp, &msg->src, cfg->realm };
	fresh = nonce_valid(d->nonces, &az->nonce, &flow, now_ms);

	/* Whose address is in a datagram need not have sent it, and then has
	 * never seen a nonce of ours; others must not get it blocked. */
	if (!fresh && msg->tp == SIP_TRANSP_UDP)
		return DIGEST_V_STALE;

	u = cfg_user_find(cfg, &az->username);   /* with or without the domain */
	ok = response_is(d, alg, az, &msg->met, u ? u->password : d->dummy);
	if (!u || !ok) {
		backoff_fail(d->backoff, &msg->src, now_ms);
		return DIGEST_V_WRONG;
	}

	if (!fresh || !nonce_use(d->nonces, &az->nonce, nc, now_ms))
		return DIGEST_V_STALE;

	*up = u;
	return DIGEST_V_OK;
}

static bool usable(const struct digest *d, const struct cfg *cfg, const struct sip_msg *msg)
{
	return d && cfg && cfg->realm && msg && msg->req;
}

enum digest_verdict digest_check(struct digest *d, const struct cfg *cfg,
				 const struct sip_msg *msg, uint64_t now_ms,
				 char *identity, size_t size)
{
	const struct cfg_user *u = NULL;
	enum digest_verdict v;
	struct authz az;
	int err;

	if (!usable(d, cfg, msg) || !identity)
		return DIGEST_V_ABSENT;

	err = find_authz(&az, cfg, msg);
	if (err)
		return err == ENOENT ? DIGEST_V_ABSENT : DIGEST_V_MALFORMED;

	/* Refused before anything is computed: right and wrong look alike */
	if (backoff_wait(d->backoff, &msg->src, now_ms))
		return DIGEST_V_BLOCKED;

	v = judge(d, cfg, msg, &az, now_ms, &u);
	if (v == DIGEST_V_OK && print_identity(identity, size, cfg, u))
		return DIGEST_V_WRONG;

	return v;
}

int digest_challenge(struct digest *d, const struct cfg *cfg,
		     const struct sip_msg *msg, bool stale, uint64_t now_ms,
		     struct mbuf *mb)
{
	enum digest_alg v[DIGEST_ALG_MAX];
	unsigned n;
	int err = 0;

	if (!usable(d, cfg, msg) || !mb)
		return EINVAL;

	n = offers(v, cfg, msg);
	if (!n)
		return ENOENT;

	for (unsigned i = 0; i < n && !err; i++) {
		const struct nonce_flow flow = { v[i], msg->tp, &msg->src, cfg->realm };
		char nonce[NONCE_LEN + 1];

		err = nonce_make(d->nonces, nonce, &flow, now_ms);
		if (err)
			break;

		err = mbuf_printf(mb, "WWW-Authenticate: Digest realm=\"%s\", nonce=\"%s\","
				  " algorithm=%s, qop=\"auth\"%s\r\n",
				  cfg->realm, nonce, algv[alg_by_id(v[i])].name,
				  stale ? ", stale=true" : "");
	}

	return err;
}

uint32_t digest_wait(const struct digest *d, const struct sip_msg *msg, uint64_t now_ms)
{
	return d && msg ? backoff_wait(d->backoff, &msg->src, now_ms) : 0;
}

const char *digest_verdict_name(enum digest_verdict v)
{
	static const char *const namev[] = {
		[DIGEST_V_OK]        = "ok",
		[DIGEST_V_ABSENT]    = "no_credentials",
		[DIGEST_V_STALE]     = "stale",
		[DIGEST_V_WRONG]     = "wrong",
		[DIGEST_V_MALFORMED] = "malformed",
		[DIGEST_V_BLOCKED]   = "blocked",
	};

	return (size_t)v < ARRAY_SIZE(namev) ? namev[v] : "?";
}

uint32_t digest_remembered(const struct digest *d)
{
	return nonces_used(d->nonces);
}
