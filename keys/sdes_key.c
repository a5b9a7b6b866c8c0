/**
 * @file sdes_key.c  Key parameters of one a=crypto attribute
 *
 * inline:KEY||SALT[|LIFETIME][|MKI:LENGTH], several of them separated by ';'.
 *
 * Refs:  RFC 4568 section 6.1 and 9.2; RFC 6188 section 4; RFC 7714 section 14
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <openssl/crypto.h>
#include "b64.h"
#include "sdes_key.h"

/*
 * RFC 4568 section 6.2 and RFC 7714 section 13: 2^48 SRTP packets for all our
 * suites.  (RFC 6188 section 4 has a default of 2^31 and no other maximum.)
 */
enum { LIFETIME_MAX_LOG2 = 48 };

enum {
	NUMBER_DIGITS = 18,      /* no 64-bit overflow; 2^48 has 15        */
	MKI_DIGITS = 309,        /* 2^1024 - 1 in decimal                  */
};


bool text_split(struct text *part, struct text *t, char sep)
{
	const char *end;

	if (!t->p)
		return false;

	end = memchr(t->p, sep, t->len);
	part->p = t->p;
	part->len = end ? (size_t)(end - t->p) : t->len;

	if (end) {
		t->len -= part->len + 1;
		t->p = end + 1;
	}
	else {
		t->len = 0;
		t->p = NULL;
	}

	return true;
}


static bool digits_only(const struct text *t)
{
	for (size_t i = 0; i < t->len; i++) {
		if (t->p[i] < '0' || t->p[i] > '9')
			return false;
	}

	return true;
}


int text_number(uint64_t *np, const struct text *t, size_t maxdigits)
{
	uint64_t n = 0;

	if (!t->len || t->len > maxdigits || !digits_only(t) ||
	    (t->p[0] == '0' && t->len > 1))
		return EBADMSG;

	for (size_t i = 0; i < t->len; i++)
		n = 10 * n + (uint64_t)(t->p[i] - '0');
	*np = n;

	return 0;
}


/*
 * "non-zero, positive decimal integer or ... a power of 2; leading zeroes
 * MUST NOT be used.  [It] MUST NOT exceed the maximum packet lifetime for the
 * crypto-suite."
 */
static enum sdes_err lifetime_decode(uint64_t *lifetimep, struct text t)
{
	const uint64_t max = UINT64_C(1) << LIFETIME_MAX_LOG2;
	uint64_t n;

	if (t.len > 2 && !memcmp(t.p, "2^", 2)) {
		t.p += 2;
		t.len -= 2;
		if (text_number(&n, &t, 2) || n > LIFETIME_MAX_LOG2)
			return SDES_LIFETIME;
		n = UINT64_C(1) << n;
	}
	else if (text_number(&n, &t, NUMBER_DIGITS)) {
		return SDES_LIFETIME;
	}

	if (!n || n > max)
		return SDES_LIFETIME;
	*lifetimep = n;

	return SDES_OK;
}


/* Decimal of any size to len bytes big-endian; EOVERFLOW if it needs more */
static int big_from_decimal(uint8_t *be, size_t len, const struct text *t)
{
	memset(be, 0, len);

	for (size_t i = 0; i < t->len; i++) {
		unsigned carry = (unsigned)(t->p[i] - '0');

		for (size_t j = len; j > 0; j--) {
			carry += 10u * be[j - 1];
			be[j - 1] = (uint8_t)carry;
			carry >>= 8;
		}
		if (carry)
			return EOVERFLOW;
	}

	return 0;
}


/* The reverse; dst holds MKI_DIGITS + 1, returns the first digit's place */
static const char *big_to_decimal(char dst[MKI_DIGITS + 1],
				  const uint8_t *be, size_t len)
{
	uint8_t left[SDES_MKI_MAX];
	char *p = dst + MKI_DIGITS;
	unsigned any;

	memcpy(left, be, len);
	*p = '\0';

	do {
		unsigned rest = 0;

		any = 0;
		for (size_t i = 0; i < len; i++) {
			rest = rest << 8 | left[i];
			left[i] = (uint8_t)(rest / 10);
			rest %= 10;
			any |= left[i];
		}
		*--p = (char)('0' + rest);
	} while (any);

	return p;
}


/*
 * "a positive decimal integer ...; leading zeroes MUST NOT be used.  If the
 * MKI length is not given or its value exceeds 128 (bytes), then the entire
 * crypto attribute MUST be considered invalid."
 */
static enum sdes_err mki_decode(struct sdes_key *key, struct text t)
{
	struct text value;
	uint64_t len;

	if (!text_split(&value, &t, ':') || !t.p ||
	    text_number(&len, &t, 3) || !len || len > SDES_MKI_MAX)
		return SDES_MKI;

	if (!value.len || value.len > MKI_DIGITS || value.p[0] == '0' ||
	    !digits_only(&value))
		return SDES_MKI;

	if (big_from_decimal(key->mki, (size_t)len, &value))
		return SDES_MKI;
	key->mki_len = (uint8_t)len;

	return SDES_OK;
}


static enum sdes_err keysalt_decode(struct secret **sp,
				    const struct suite *suite,
				    const struct text *t)
{
	uint8_t buf[SUITE_KEYSALT_MAX];
	enum sdes_err e = SDES_OK;
	size_t n = 0;
	int err;

	if (!t->len)
		return SDES_BASE64;

	err = b64_decode(buf, sizeof(buf), &n, t->p, t->len);
	if (err == EBADMSG)
		return SDES_BASE64;

	if (err || n != suite_keysalt_len(suite))
		e = SDES_KEYLEN;
	else if (secret_copy(sp, buf, n))
		e = SDES_NOMEM;

	OPENSSL_cleanse(buf, sizeof(buf));

	return e;
}


/* KEY||SALT[|LIFETIME][|MKI:LENGTH]: only the last has a colon */
static enum sdes_err key_decode(struct sdes_key *key,
				const struct suite *suite, struct text info)
{
	struct text part;
	enum sdes_err e;

	(void)text_split(&part, &info, '|');
	e = keysalt_decode(&key->keysalt, suite, &part);
	if (e)
		return e;

	if (!text_split(&part, &info, '|'))
		return SDES_OK;

	if (!memchr(part.p, ':', part.len)) {
		e = lifetime_decode(&key->lifetime, part);
		if (e)
			return e;
		if (!text_split(&part, &info, '|'))
			return SDES_OK;
	}

	e = mki_decode(key, part);
	if (e)
		return e;

	return info.p ? SDES_SYNTAX : SDES_OK;
}


/*
 * Several keys: "all the master keys in that key parameter MUST include an
 * MKI value", "the MKI length MUST be the same for all keys", and a packet
 * must tell which one it is under (section 4.3): the values differ.  "Each
 * ... MUST be a unique cryptographically random value".
 */
static enum sdes_err keys_check(const struct sdes_key *keyv, unsigned keyc)
{
	for (unsigned i = 1; i < keyc; i++) {
		if (!keyv[0].mki_len || keyv[i].mki_len != keyv[0].mki_len)
			return SDES_MKI;

		for (unsigned j = 0; j < i; j++) {
			if (!memcmp(keyv[i].mki, keyv[j].mki, keyv[i].mki_len))
				return SDES_MKI;
			if (secret_equal(keyv[i].keysalt, keyv[j].keysalt))
				return SDES_SAMEKEY;
		}
	}

	return SDES_OK;
}


enum sdes_err sdes_keys_decode(struct sdes_key *keyv, unsigned *keycp,
			       const struct suite *suite,
			       const struct text *params)
{
	static const char method[] = "inline";
	struct text left = *params;
	struct text param;
	enum sdes_err e;

	while (text_split(&param, &left, ';')) {
		struct text name;

		if (!text_split(&name, &param, ':') || !param.p || !name.len)
			return SDES_SYNTAX;
		if (name.len != sizeof(method) - 1 ||
		    strncasecmp(name.p, method, name.len))
			return SDES_METHOD;
		if (*keycp == SDES_KEYS_MAX)
			return SDES_TOOLONG;

		/* counted first: a half-filled one is freed as well */
		e = key_decode(&keyv[(*keycp)++], suite, param);
		if (e)
			return e;
	}

	return keys_check(keyv, *keycp);
}


void out_put(struct out *o, const char *fmt, ...)
{
	va_list ap;
	int w;

	if (o->full)
		return;

	va_start(ap, fmt);
	w = vsnprintf(o->buf + o->n, o->size - o->n, fmt, ap);
	va_end(ap);

	if (w < 0 || (size_t)w >= o->size - o->n)
		o->full = true;
	else
		o->n += (size_t)w;
}


void sdes_key_print(struct out *o, const struct sdes_key *key)
{
	char b64[SDES_B64_SIZE], mki[MKI_DIGITS + 1];
	const uint64_t life = key->lifetime;

	if (!key->keysalt ||
	    b64_encode(b64, sizeof(b64), secret_bytes(key->keysalt),
		       secret_len(key->keysalt))) {
		o->full = true;
		return;
	}

	out_put(o, "inline:%s", b64);
	OPENSSL_cleanse(b64, sizeof(b64));

	/* a power of two in the spelling that every phone knows */
	if (life && !(life & (life - 1)))
		out_put(o, "|2^%d", __builtin_ctzll(life));
	else if (life)
		out_put(o, "|%" PRIu64, life);

	if (key->mki_len)
		out_put(o, "|%s:%u",
			big_to_decimal(mki, key->mki, key->mki_len),
			key->mki_len);
}


void sdes_mki_set(struct sdes_key *key, uint32_t mki, uint8_t len)
{
	memset(key->mki, 0, sizeof(key->mki));
	key->mki_len = len;
	for (unsigned i = 0; i < len && i < sizeof(mki); i++)
		key->mki[len - 1 - i] = (uint8_t)(mki >> 8 * i);
}


void sdes_keys_free(struct sdes_key *keyv, unsigned keyc)
{
	for (unsigned i = 0; i < keyc; i++)
		secret_free(&keyv[i].keysalt);
	memset(keyv, 0, keyc * sizeof(*keyv));
}
