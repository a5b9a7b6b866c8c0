/**
 * @file ckeys.c  SRTP contexts of one call: one to send, several to receive
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ckeys.h"
#include "rtp.h"

enum {
	RX_MAX   = 8,
	USE_MAX  = 256,
	GRACE_US = 2000000,
};

struct rx {
	struct msrtp *m;          /* NULL: free slot                         */
	struct secret *key;
	const struct suite *suite;
	uint8_t  mki[SDES_MKI_MAX];
	uint8_t  mki_len;
	bool     live;
	uint64_t expires_us;      /* unless live                             */
	uint32_t age;             /* higher is newer                         */
	unsigned use;             /* index of its record; USE_MAX: none      */
};

struct ckeys {
	struct msrtp *tx;
	struct rx rxv[RX_MAX];
	uint32_t age;
	uint64_t grace_us;        /* for a key that was replaced             */
	struct ckeys_use *usev;   /* grows                                   */
	unsigned usec;
};

static void rx_reset(struct rx *rx)
{
	msrtp_free(&rx->m);
	secret_free(&rx->key);
	memset(rx, 0, sizeof(*rx));
}

static void destructor(void *arg)
{
	struct ckeys *k = arg;

	msrtp_free(&k->tx);
	for (size_t i = 0; i < RX_MAX; i++)
		rx_reset(&k->rxv[i]);
	free(k->usev);
}

int ckeys_alloc(struct ckeys **kp)
{
	struct ckeys *k = mem_zalloc(sizeof(*k), destructor);

	if (!k)
		return ENOMEM;

	k->grace_us = GRACE_US;
	*kp = k;
	return 0;
}

void ckeys_hard_switch(struct ckeys *k)
{
	k->grace_us = 0;
}

int ckeys_set_tx(struct ckeys *k, const struct suite *suite, const struct secret *key,
		 uint32_t mki, uint8_t mki_len)
{
	const uint8_t be[4] = { (uint8_t)(mki >> 24), (uint8_t)(mki >> 16),
				(uint8_t)(mki >> 8), (uint8_t)mki };
	struct msrtp *m = NULL;
	int err;

	if (mki_len > sizeof(be))
		return EINVAL;

	err = msrtp_new(&m, MSRTP_TX, suite, key, be + sizeof(be) - mki_len, mki_len);
	if (err)
		return err;

	msrtp_free(&k->tx);
	k->tx = m;

	return 0;
}

bool ckeys_has_tx(const struct ckeys *k)
{
	return k->tx != NULL;
}

static struct rx *rx_find(struct ckeys *k, const struct suite *suite,
			  const struct sdes_key *key)
{
	for (size_t i = 0; i < RX_MAX; i++) {
		struct rx *rx = &k->rxv[i];

		if (rx->m && rx->suite == suite && rx->mki_len == key->mki_len &&
		    !memcmp(rx->mki, key->mki, key->mki_len) &&
		    secret_equal(rx->key, key->keysalt))
			return rx;
	}

	return NULL;
}

/** A free slot, else the oldest one that is not in use any more */
static struct rx *rx_slot(struct ckeys *k)
{
	struct rx *best = NULL;

	for (size_t i = 0; i < RX_MAX; i++) {
		struct rx *rx = &k->rxv[i];

		if (!rx->m)
			return rx;
		if (!rx->live && (!best || rx->age < best->age))
			best = rx;
	}
	if (best)
		rx_reset(best);

	return best;
}

/** A record for the key; it says nothing of the key but its name */
static void use_open(struct ckeys *k, struct rx *rx)
{
	struct ckeys_use *u;

	rx->use = USE_MAX;
	if (k->usec == USE_MAX)
		return;

	u = realloc(k->usev, (k->usec + 1) * sizeof(*u));
	if (!u)
		return;
	k->usev = u;
	rx->use = k->usec++;
	u = &k->usev[rx->use];
	memset(u, 0, sizeof(*u));
	(void)secret_kid(rx->key, u->kid);
	u->mki_len = rx->mki_len;
	for (unsigned i = 0; i < rx->mki_len; i++)
		u->mki = u->mki << 8 | rx->mki[i];
}

static void use_count(struct ckeys *k, const struct rx *rx, bool rtcp, uint64_t now_us)
{
	struct ckeys_use *u = rx->use < k->usec ? &k->usev[rx->use] : NULL;

	if (!u)
		return;

	u->rtp  += !rtcp;
	u->rtcp += rtcp;
	if (rtcp)
		return;
	if (!u->first_us)
		u->first_us = now_us;
	u->last_us = now_us;
}

const struct ckeys_use *ckeys_uses(const struct ckeys *k, unsigned *countp)
{
	*countp = k->usec;

	return k->usev;
}

static int rx_add(struct ckeys *k, const struct suite *suite, const struct sdes_key *key)
{
	struct rx *rx = rx_slot(k);
	int err;

	if (!rx)
		return ENOSPC;

	err = secret_copy(&rx->key, secret_bytes(key->keysalt), secret_len(key->keysalt));
	if (!err)
		err = msrtp_new(&rx->m, MSRTP_RX, suite, key->keysalt, key->mki, key->mki_len);
	if (err) {
		rx_reset(rx);
		return err;
	}

	memcpy(rx->mki, key->mki, key->mki_len);
	rx->mki_len = key->mki_len;
	rx->suite   = suite;
	rx->live    = true;
	rx->age     = ++k->age;
	use_open(k, rx);

	return 0;
}

int ckeys_set_rx(struct ckeys *k, const struct sdes *sd, uint64_t now_us, bool *changedp)
{
	int err = 0;

	*changedp = false;

	for (size_t i = 0; i < RX_MAX; i++) {
		if (k->rxv[i].live)
			k->rxv[i].expires_us = now_us + k->grace_us;
		k->rxv[i].live = false;
	}

	for (unsigned i = 0; i < sd->keyc && !err; i++) {
		struct rx *rx = rx_find(k, sd->suite, &sd->keyv[i]);

		if (rx) {
			rx->live = true;
			continue;
		}
		*changedp = true;
		err = rx_add(k, sd->suite, &sd->keyv[i]);
	}

	return err;
}

const struct secret *ckeys_rx_key(const struct ckeys *k)
{
	const struct rx *best = NULL;

	for (size_t i = 0; i < RX_MAX; i++) {
		const struct rx *rx = &k->rxv[i];

		if (rx->live && (!best || rx->age > best->age))
			best = rx;
	}

	return best ? best->key : NULL;
}

enum msrtp_err ckeys_protect(struct ckeys *k, bool rtcp, uint8_t *pkt, size_t *lenp)
{
	if (!k->tx)
		return MSRTP_BAD;

	return rtcp ? msrtp_protect_rtcp(k->tx, pkt, lenp) : msrtp_protect(k->tx, pkt, lenp);
}

/**
 * Does the packet carry this context's MKI?  It stands before the tag, with
 * AEAD at the very end: RFC 3711 section 3.1, RFC 7714 sections 8.2 and 9.3.
 */
static bool mki_fits(const struct rx *rx, bool rtcp, const uint8_t *pkt, size_t len)
{
	const size_t tag = rx->suite->aead ? 0 :
		rtcp ? rx->suite->rtcp_tag_len : rx->suite->tag_len;

	if (!rx->mki_len)
		return true;

	return len >= tag + rx->mki_len &&
		!memcmp(pkt + len - tag - rx->mki_len, rx->mki, rx->mki_len);
}

/** Contexts that may open the packet: those in use first, newest first */
static unsigned candidates(struct ckeys *k, bool rtcp, const uint8_t *pkt, size_t len,
			   uint64_t now_us, struct rx *candv[RX_MAX])
{
	unsigned n = 0;

	for (size_t i = 0; i < RX_MAX; i++) {
		struct rx *rx = &k->rxv[i];
		unsigned at;

		if (rx->m && !rx->live && now_us > rx->expires_us)
			rx_reset(rx);
		if (!rx->m || !mki_fits(rx, rtcp, pkt, len))
			continue;

		for (at = n; at > 0; at--) {
			const struct rx *o = candv[at - 1];

			if (o->live == rx->live ? o->age > rx->age : o->live)
				break;
			candv[at] = candv[at - 1];
		}
		candv[at] = rx;
		++n;
	}

	return n;
}

enum msrtp_err ckeys_unprotect(struct ckeys *k, bool rtcp, uint8_t *pkt, size_t *lenp,
			       uint64_t now_us, bool *oldp)
{
	enum msrtp_err e = MSRTP_AUTH;
	struct rx *candv[RX_MAX];
	uint8_t copy[RTPH_MTU];
	const size_t len = *lenp;
	const unsigned n = candidates(k, rtcp, pkt, len, now_us, candv);

	if (len > sizeof(copy))
		return MSRTP_BAD;
	if (n > 1)
		memcpy(copy, pkt, len);

	for (unsigned i = 0; i < n; i++) {
		enum msrtp_err r;

		/* a failed attempt may have written into the packet */
		if (i)
			memcpy(pkt, copy, len);
		*lenp = len;
		r = rtcp ? msrtp_unprotect_rtcp(candv[i]->m, pkt, lenp) :
			msrtp_unprotect(candv[i]->m, pkt, lenp);
		if (!r) {
			*oldp = !candv[i]->live;
			use_count(k, candv[i], rtcp, now_us);
			return MSRTP_OK;
		}
		if (e == MSRTP_AUTH)
			e = r;
	}

	return e;
}
