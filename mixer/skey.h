/**
 * @file skey.h  One SRTP master key as Mp carries it
 *
 * Ownership:  holds a struct secret; skey_clear() wipes it
 */
#ifndef MIXER_SKEY_H
#define MIXER_SKEY_H

#include "mp/mp.pb-c.h"
#include "msrtp.h"
#include "secret.h"
#include "suite.h"

enum { SKEY_MKI_MAX = 128 };

struct skey {
	const struct suite *suite;    /* NULL: no key */
	struct secret *secret;
	uint64_t lifetime;            /* packets      */
	uint8_t  mki_len;
	uint8_t  mki[SKEY_MKI_MAX];
};

/** Copy out of a message; 0, EINVAL or ENOMEM.  A NULL message gives no key. */
int  skey_set(struct skey *k, const Mp__Key *msg);
void skey_clear(struct skey *k);
void skey_move(struct skey *to, struct skey *from);
bool skey_equal(const struct skey *a, const struct skey *b);
int  skey_msrtp(const struct skey *k, enum msrtp_dir dir, struct msrtp **mp);

#endif
