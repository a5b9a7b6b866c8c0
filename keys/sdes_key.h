/**
 * @file sdes_key.h  Key parameters of one a=crypto attribute
 *
 * Private to keys/.  Text comes as a struct text: a part of the caller's line.
 *
 * Refs:  RFC 4568 section 6.1 and 9.2 (srtp-key-info)
 */
#ifndef CONCLAVE_SDES_KEY_H
#define CONCLAVE_SDES_KEY_H

#include "sdes.h"

/** A piece of the line */
struct text {
	const char *p;
	size_t len;
};

/** Longest base64 text of a key, with the terminating zero [bytes] */
enum { SDES_B64_SIZE = (SUITE_KEYSALT_MAX + 2) / 3 * 4 + 1 };

/** Up to the next @p sep or the end; *t moves behind it.  False at the end. */
bool text_split(struct text *part, struct text *t, char sep);

/**
 * A decimal number of 1..maxdigits digits without leading zeros ("0" is one)
 *
 * @return 0 or EBADMSG
 */
int text_number(uint64_t *np, const struct text *t, size_t maxdigits);

/**
 * Read "inline:...[;inline:...]"
 *
 * @param keyv  Out, SDES_KEYS_MAX zeroed entries; the caller frees those that
 *              are filled, also on error
 */
enum sdes_err sdes_keys_decode(struct sdes_key *keyv, unsigned *keycp,
			       const struct suite *suite,
			       const struct text *params);

/** Text on its way into a buffer; full: something did not fit */
struct out {
	char *buf;
	size_t size;
	size_t n;
	bool full;
};

void out_put(struct out *o, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** Print "inline:KEY[|lifetime][|MKI:len]" */
void sdes_key_print(struct out *o, const struct sdes_key *key);

void sdes_keys_free(struct sdes_key *keyv, unsigned keyc);

#endif
