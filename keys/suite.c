/**
 * @file suite.c  SRTP crypto suites
 *
 * Refs: RFC 4568 section 6.2, RFC 6188 section 4, RFC 7714 sections 12 and 14
 */
#include <string.h>
#include <strings.h>
#include "suite.h"

/*
 * The SRTCP tag stays 80 bit in the _32 suite: RFC 4568 section 6.2.
 * The 256-bit CM suite is registered with the key length before the mode, but
 * many stacks print it after the pattern of the 128-bit one.
 */
static const struct suite suitev[] = {
	{ SUITE_AES_CM_128_HMAC_SHA1_80, "AES_CM_128_HMAC_SHA1_80", NULL,
	  16, 14, 10, 10, false, false },
	{ SUITE_AES_CM_128_HMAC_SHA1_32, "AES_CM_128_HMAC_SHA1_32", NULL,
	  16, 14,  4, 10, false, true  },
	{ SUITE_AES_256_CM_HMAC_SHA1_80, "AES_256_CM_HMAC_SHA1_80",
	  "AES_CM_256_HMAC_SHA1_80",
	  32, 14, 10, 10, false, false },
	{ SUITE_AEAD_AES_128_GCM, "AEAD_AES_128_GCM", NULL,
	  16, 12, 16, 16, true,  false },
	{ SUITE_AEAD_AES_256_GCM, "AEAD_AES_256_GCM", NULL,
	  32, 12, 16, 16, true,  false },
};

static const size_t suitec = sizeof(suitev) / sizeof(suitev[0]);


static bool name_is(const char *name, size_t len, const char *want)
{
	return want && strlen(want) == len && !strncasecmp(name, want, len);
}


const struct suite *suite_by_id(enum suite_id id)
{
	for (size_t i = 0; i < suitec; i++) {
		if (suitev[i].id == id)
			return &suitev[i];
	}

	return NULL;
}


const struct suite *suite_by_name(const char *name, size_t len)
{
	if (!name)
		return NULL;

	for (size_t i = 0; i < suitec; i++) {
		if (name_is(name, len, suitev[i].name) ||
		    name_is(name, len, suitev[i].alias))
			return &suitev[i];
	}

	return NULL;
}


size_t suite_keysalt_len(const struct suite *s)
{
	return s ? (size_t)s->key_len + s->salt_len : 0;
}
