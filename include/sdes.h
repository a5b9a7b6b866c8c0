/**
 * @file sdes.h  The a=crypto attribute
 *
 * Parser and printer of one SDP security description.  The parser fills a
 * struct and decides nothing but validity; which line is acceptable is the
 * caller's policy.
 *
 * Ownership:  struct sdes owns its secrets; sdes_reset() wipes them
 * Refs:       RFC 4568 sections 4, 6 and 9; RFC 6188; RFC 7714
 */
#ifndef CONCLAVE_SDES_H
#define CONCLAVE_SDES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "suite.h"
#include "secret.h"

enum {
	SDES_KEYS_MAX = 4,      /* inline: parameters in one line               */
	SDES_MKI_MAX  = 128,    /* [bytes], RFC 4568 section 6.1                */
	SDES_LINE_MAX = 1024,   /* longest line read [bytes]                    */
	SDES_TAG_MAX  = 999999999,
};

struct sdes_key {
	struct secret *keysalt; /* master key || master salt                    */
	uint64_t lifetime;      /* [packets]; 0 = none given: suite maximum     */
	uint8_t  mki[SDES_MKI_MAX]; /* big-endian, mki_len bytes                */
	uint8_t  mki_len;       /* 0 = no MKI                                   */
};

struct sdes {
	uint32_t tag;
	const struct suite *suite;
	char     suite_name[32]; /* as the peer spelled it, for our answer      */
	struct sdes_key keyv[SDES_KEYS_MAX];
	unsigned keyc;
	bool     unencrypted_srtp;
	bool     unencrypted_srtcp;
	bool     unauthenticated_srtp;
	bool     fec_order_srtp;   /* FEC_ORDER=SRTP_FEC                        */
	bool     fec_key;          /* FEC_KEY= present                          */
	unsigned kdr;              /* 0 = none, else n of KDR=n                 */
	unsigned wsh;              /* 0 = none                                  */
};

enum sdes_err {
	SDES_OK = 0,
	SDES_SYNTAX,        /* not a crypto attribute at all                    */
	SDES_SUITE,         /* suite we do not know (F8, NULL ciphers, ...)     */
	SDES_KEYLEN,        /* decoded key||salt has the wrong length           */
	SDES_BASE64,
	SDES_LIFETIME,      /* 0, leading zero or above the suite's maximum     */
	SDES_MKI,           /* length 0 or > 128, value too long, unequal       */
	SDES_PARAM,         /* session parameter unknown (without leading '-'),
	                       given twice or with a value out of range         */
	SDES_NOMEM,
	SDES_METHOD,        /* key method other than "inline"                   */
	SDES_TOOLONG,       /* > SDES_LINE_MAX bytes or > SDES_KEYS_MAX keys    */
	SDES_SAMEKEY,       /* the same key twice in the line                   */
};

/**
 * Parse the value of one a=crypto attribute
 *
 * @param sd   Out; must be zeroed or sdes_reset() before; empty on error
 * @param val  Value after "crypto:", no line end
 * @param len  Length of val [bytes]
 */
enum sdes_err sdes_decode(struct sdes *sd, const char *val, size_t len);

/** Why a line was not taken, for the Warning header and the log (no key!) */
const char *sdes_strerror(enum sdes_err e);

/**
 * Is the line one that a secure conference may use?  RFC 4568 section 6.3 and
 * security.md: no UNENCRYPTED_*, no UNAUTHENTICATED_SRTP, no KDR, no
 * FEC_ORDER=SRTP_FEC, no FEC_KEY.
 *
 * @return NULL if acceptable, otherwise the reason, static text
 */
const char *sdes_refuse_reason(const struct sdes *sd);

/**
 * Print "TAG SUITE inline:KEY[|lifetime][|MKI:len]" (what follows "a=crypto:")
 *
 * @param buf   Out, zero-terminated; holds the key: wipe it after use
 * @param size  Size of buf [bytes]
 * @param name  Spelling of the suite, or NULL for the registered one
 *
 * @return length without the zero, or -1 if it does not fit
 */
int sdes_encode(char *buf, size_t size, uint32_t tag,
		const struct suite *suite, const char *name,
		const struct secret *keysalt, uint32_t mki, uint8_t mki_len);

/**
 * Print a whole line as sdes_decode() read it: all keys, lifetimes, MKIs and
 * session parameters (but a FEC_KEY, whose key is not kept)
 *
 * Same rules as sdes_encode(); the suite is spelled sd->suite_name, or as
 * registered if that is empty.
 */
int sdes_print(char *buf, size_t size, const struct sdes *sd);

/** A number as the MKI of a key: len bytes, big-endian; 0 bytes are none */
void sdes_mki_set(struct sdes_key *key, uint32_t mki, uint8_t len);

void sdes_reset(struct sdes *sd);

#endif
