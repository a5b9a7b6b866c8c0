/**
 * @file nonce.c  Digest nonces and the memory of those that were used
 *
 * Text form: stamp (16 hex digits), HMAC (32 hex digits).  The stamp is the
 * time in ms, shifted by 16 bits, and always greater than the one before: it
 * is also the nonce's unique number.
 *
 * Refs:  RFC 7616 section 5.4
 */
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/core_names.h>
#include <openssl/rand.h>
#include "nonce.h"

enum {
	KEY_LEN    = 32,
	STAMP_LEN  = 16,      /* hex digits */
	MAC_LEN    = 16,      /* bytes, of the 32 of SHA-256 */
	STAMP_BITS = 16,      /* number within one ms */
	NC_WINDOW  = 64,
	HASH_SIZE  = 1024,
};

struct nonces {
	EVP_MAC_CTX *mac;       /* has the key                            */
	uint64_t last;          /* newest stamp made                      */
	uint64_t floor;         /* stamps up to this one are stale        */
	struct hash *usedh;     /* struct used by stamp                   */
	struct list usedl;      /* the same, in the order of first use    */
	uint32_t usedc;
};

struct used {
	struct le he;
	struct le le;
	uint64_t stamp;
	uint32_t top;           /* highest nc seen                        */
	uint64_t seen;          /* bit i: nc = top - i was seen           */
};

static void destructor(void *arg)
{
	struct nonces *n = arg;

	list_flush(&n->usedl);
	mem_deref(n->usedh);
	EVP_MAC_CTX_free(n->mac);
}

static void used_destructor(void *arg)
{
	struct used *u = arg;

	hash_unlink(&u->he);
	list_unlink(&u->le);
}

/** HMAC-SHA-256 with a key that nobody has seen */
static int mac_new(EVP_MAC_CTX **macp)
{
	char digest[] = "SHA256";
	const OSSL_PARAM param[] = {
		OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, sizeof(digest) - 1),
		OSSL_PARAM_END
	};
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	uint8_t key[KEY_LEN];
	int err = 0;

	*macp = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
	if (!*macp || 1 != RAND_priv_bytes(key, sizeof(key)) ||
	    !EVP_MAC_init(*macp, key, sizeof(key), param))
		err = EIO;
	OPENSSL_cleanse(key, sizeof(key));
	EVP_MAC_free(hmac);

	return err;
}

int nonces_alloc(struct nonces **np)
{
	struct nonces *n;
	int err;

	if (!np)
		return EINVAL;

	n = mem_zalloc(sizeof(*n), destructor);
	if (!n)
		return ENOMEM;

	err = hash_alloc(&n->usedh, HASH_SIZE);
	if (!err)
		err = mac_new(&n->mac);

	if (err)
		mem_deref(n);
	else
		*np = n;

	return err;
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

/** Text form of the nonce with this stamp on this flow */
static int encode(const struct nonces *n, char buf[NONCE_LEN + 1], uint64_t stamp,
		  const struct nonce_flow *flow)
{
	uint8_t md[EVP_MAX_MD_SIZE], st[8];
	size_t md_len;
	char txt[512];
	int len;

	/* realm last: it is the only part of free length and content */
	len = re_snprintf(txt, sizeof(txt), "%016llx|%d|%d|%J|%s",
			  (unsigned long long)stamp, flow->alg, flow->tp,
			  flow->src, flow->realm);
	if (len < 0)
		return EOVERFLOW;

	/* the same key again: to look HMAC and SHA-256 up takes longer than both */
	if (!EVP_MAC_init(n->mac, NULL, 0, NULL) ||
	    !EVP_MAC_update(n->mac, (uint8_t *)txt, (size_t)len) ||
	    !EVP_MAC_final(n->mac, md, &md_len, sizeof(md)))
		return EIO;

	for (size_t i = 0; i < sizeof(st); i++)
		st[i] = (uint8_t)(stamp >> (56 - 8 * i));

	to_hex(buf, st, sizeof(st));
	to_hex(buf + STAMP_LEN, md, MAC_LEN);

	return 0;
}

int nonce_make(struct nonces *n, char buf[NONCE_LEN + 1],
	       const struct nonce_flow *flow, uint64_t now_ms)
{
	uint64_t stamp;
	int err;

	if (!n || !buf || !flow || !flow->src || !flow->realm)
		return EINVAL;

	stamp = now_ms << STAMP_BITS;
	if (stamp <= n->last)
		stamp = n->last + 1;

	err = encode(n, buf, stamp, flow);
	if (!err)
		n->last = stamp;

	return err;
}

/** @return the stamp, 0 if the text is none of ours */
static uint64_t stamp_of(const struct pl *nonce)
{
	const struct pl pl = { nonce->p, STAMP_LEN };

	if (nonce->l != NONCE_LEN)
		return 0;

	return pl_x64(&pl);
}

bool nonce_valid(const struct nonces *n, const struct pl *nonce,
		 const struct nonce_flow *flow, uint64_t now_ms)
{
	char buf[NONCE_LEN + 1];
	uint64_t stamp;

	if (!n || !nonce || !flow || !flow->src || !flow->realm)
		return false;

	stamp = stamp_of(nonce);
	if (!stamp || stamp <= n->floor || stamp > n->last)
		return false;

	if (encode(n, buf, stamp, flow) || CRYPTO_memcmp(buf, nonce->p, NONCE_LEN))
		return false;

	return now_ms <= (stamp >> STAMP_BITS) + NONCE_LIFE_MS;
}

static uint32_t stamp_hash(uint64_t stamp)
{
	return (uint32_t)(stamp ^ stamp >> STAMP_BITS);
}

static bool cmp_handler(struct le *le, void *arg)
{
	const struct used *u = le->data;
	const uint64_t *stamp = arg;

	return u->stamp == *stamp;
}

/** Make room: what has expired may be forgotten, what has not raises the floor */
static void make_room(struct nonces *n, uint64_t now_ms)
{
	struct used *u;

	while ((u = list_ledata(n->usedl.head))) {
		const bool expired = now_ms > (u->stamp >> STAMP_BITS) + NONCE_LIFE_MS;

		if (!expired && n->usedc < NONCE_USED_MAX)
			return;
		if (!expired && u->stamp > n->floor)
			n->floor = u->stamp;

		mem_deref(u);
		--n->usedc;
	}
}

static bool use_first(struct nonces *n, uint64_t stamp, uint32_t nc, uint64_t now_ms)
{
	struct used *u;

	make_room(n, now_ms);

	u = mem_zalloc(sizeof(*u), used_destructor);
	if (!u)
		return false;

	u->stamp = stamp;
	u->top   = nc;
	u->seen  = 1;
	hash_append(n->usedh, stamp_hash(stamp), &u->he, u);
	list_append(&n->usedl, &u->le, u);
	++n->usedc;

	return true;
}

static bool use_again(struct used *u, uint32_t nc)
{
	uint64_t bit;

	if (nc > u->top) {
		const uint32_t shift = nc - u->top;

		u->seen = shift < NC_WINDOW ? u->seen << shift : 0;
		u->seen |= 1;
		u->top = nc;
		return true;
	}

	if (u->top - nc >= NC_WINDOW)
		return false;

	bit = 1ULL << (u->top - nc);
	if (u->seen & bit)
		return false;

	u->seen |= bit;
	return true;
}

bool nonce_use(struct nonces *n, const struct pl *nonce, uint32_t nc, uint64_t now_ms)
{
	struct used *u;
	uint64_t stamp;

	if (!n || !nonce || !nc)
		return false;

	stamp = stamp_of(nonce);
	if (!stamp || stamp <= n->floor)
		return false;

	u = list_ledata(hash_lookup(n->usedh, stamp_hash(stamp), cmp_handler, &stamp));

	return u ? use_again(u, nc) : use_first(n, stamp, nc, now_ms);
}

uint32_t nonces_used(const struct nonces *n)
{
	return n->usedc;
}
