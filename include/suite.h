/**
 * @file suite.h  SRTP crypto suites
 *
 * Refs: RFC 4568 section 6.2, RFC 6188 section 4, RFC 7714 section 14.2
 */
#ifndef CONCLAVE_SUITE_H
#define CONCLAVE_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers are on the wire between focus and mixer (mp.proto): never reuse */
enum suite_id {
	SUITE_NONE = 0,
	SUITE_AES_CM_128_HMAC_SHA1_80 = 1,
	SUITE_AES_CM_128_HMAC_SHA1_32 = 2,
	SUITE_AES_256_CM_HMAC_SHA1_80 = 3,
	SUITE_AEAD_AES_128_GCM = 4,
	SUITE_AEAD_AES_256_GCM = 5,
	SUITE_MAX = SUITE_AEAD_AES_256_GCM,
};

struct suite {
	enum suite_id id;
	const char   *name;       /* registered name                          */
	const char   *alias;      /* other spelling in the wild, or NULL      */
	uint8_t       key_len;    /* master key [bytes]                       */
	uint8_t       salt_len;   /* master salt [bytes]                      */
	uint8_t       tag_len;    /* SRTP tag [bytes]                         */
	uint8_t       rtcp_tag_len; /* SRTCP tag [bytes]                      */
	bool          aead;
	bool          weak;       /* only when policy allows (_32)            */
};

enum { SUITE_KEYSALT_MAX = 46 };

const struct suite *suite_by_id(enum suite_id id);       /* NULL if none */
const struct suite *suite_by_name(const char *name, size_t len); /* case-insensitive, also aliases */

/** key_len + salt_len [bytes] */
size_t suite_keysalt_len(const struct suite *s);

#endif
