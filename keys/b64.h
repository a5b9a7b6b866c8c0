/**
 * @file b64.h  Strict base64 for key material
 *
 * Neither direction branches or indexes by a secret character, and both wipe
 * what they wrote when they fail.
 *
 * Refs:  RFC 4648 section 4 (as RFC 3548 section 3), RFC 4568 section 6.1
 */
#ifndef CONCLAVE_B64_H
#define CONCLAVE_B64_H

#include <stddef.h>
#include <stdint.h>

/** Characters that n bytes take, padding included, terminating zero not */
#define B64_LEN(n) (((n) + 2) / 3 * 4)

/**
 * Decode; padding may be missing, anything else is refused: foreign
 * characters, a lone last character, excess padding, non-zero spare bits
 *
 * @param dst   Out, wiped on error
 * @param size  Size of dst [bytes]
 * @param np    Out: bytes that the text stands for, also if they do not fit
 *
 * @return 0 if success, EBADMSG if not base64, EOVERFLOW if it does not fit
 */
int b64_decode(uint8_t *dst, size_t size, size_t *np,
	       const char *src, size_t len);

/**
 * Encode with padding and terminating zero
 *
 * @return 0 if success, EOVERFLOW if dst is too small
 */
int b64_encode(char *dst, size_t size, const uint8_t *src, size_t len);

#endif
