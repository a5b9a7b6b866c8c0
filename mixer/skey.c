/**
 * @file skey.c  One SRTP master key as Mp carries it
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include "skey.h"

/* RFC 3711 section 9.2 */
static const uint64_t lifetime_max = 1ULL << 48;

int skey_set(struct skey *k, const Mp__Key *msg)
{
	const struct suite *suite;
	int err;

	memset(k, 0, sizeof(*k));
	if (!msg)
		return 0;

	suite = suite_by_id((enum suite_id)msg->suite);
	if (!suite || msg->keysalt.len != suite_keysalt_len(suite) ||
	    msg->mki.len > SKEY_MKI_MAX || msg->lifetime > lifetime_max)
		return EINVAL;

	err = secret_copy(&k->secret, msg->keysalt.data, msg->keysalt.len);
	if (err)
		return err;

	k->suite = suite;
	k->lifetime = msg->lifetime ? msg->lifetime : lifetime_max;
	k->mki_len = (uint8_t)msg->mki.len;
	if (msg->mki.len)
		memcpy(k->mki, msg->mki.data, msg->mki.len);

	return 0;
}

void skey_clear(struct skey *k)
{
	secret_free(&k->secret);
	memset(k, 0, sizeof(*k));
}

void skey_move(struct skey *to, struct skey *from)
{
	skey_clear(to);
	*to = *from;
	memset(from, 0, sizeof(*from));
}

bool skey_equal(const struct skey *a, const struct skey *b)
{
	if (!a->suite || !b->suite)
		return !a->suite && !b->suite;

	return a->suite == b->suite && a->lifetime == b->lifetime &&
		a->mki_len == b->mki_len && !memcmp(a->mki, b->mki, a->mki_len) &&
		secret_equal(a->secret, b->secret);
}

int skey_msrtp(const struct skey *k, enum msrtp_dir dir, struct msrtp **mp)
{
	return msrtp_new(mp, dir, k->suite, k->secret, k->mki_len ? k->mki : NULL, k->mki_len);
}
