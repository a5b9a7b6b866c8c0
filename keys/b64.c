/**
 * @file b64.c  Strict base64 for key material
 */
#include <errno.h>
#include <string.h>
#include <openssl/crypto.h>
#include "b64.h"


/* All ones if lo <= c <= hi, otherwise zero; c, lo and hi below 256 */
static uint32_t within(uint32_t c, uint32_t lo, uint32_t hi)
{
	const uint32_t outside = (c - lo) | (hi - c);   /* bit 31: below zero */

	return (outside >> 31) - 1;
}


/* 0..63, or 0x80 set if c is not of the alphabet */
static uint32_t value_of(char ch)
{
	const uint32_t c = (uint8_t)ch;
	const uint32_t upper = within(c, 'A', 'Z');
	const uint32_t lower = within(c, 'a', 'z');
	const uint32_t digit = within(c, '0', '9');
	const uint32_t plus  = within(c, '+', '+');
	const uint32_t slash = within(c, '/', '/');

	return (upper & (c - 'A')) | (lower & (c - 'a' + 26)) |
	       (digit & (c - '0' + 52)) | (plus & 62) | (slash & 63) |
	       (~(upper | lower | digit | plus | slash) & 0x80);
}


static char char_of(uint32_t v)
{
	return (char)((within(v, 0, 25)  & ('A' + v)) |
		      (within(v, 26, 51) & ('a' + v - 26)) |
		      (within(v, 52, 61) & ('0' + v - 52)) |
		      (within(v, 62, 62) & '+') |
		      (within(v, 63, 63) & '/'));
}


/* Drop padding: at most what fills up the last group of four */
static int unpad(const char *src, size_t *lenp)
{
	size_t len = *lenp;
	size_t pad = 0;

	while (len && src[len - 1] == '=') {
		--len;
		++pad;
	}

	if (len % 4 == 1 || pad > (4 - len % 4) % 4)
		return EBADMSG;

	*lenp = len;

	return 0;
}


int b64_decode(uint8_t *dst, size_t size, size_t *np,
	       const char *src, size_t len)
{
	uint32_t acc = 0, bad = 0;
	unsigned bits = 0;
	size_t n = 0;

	if (unpad(src, &len))
		return EBADMSG;

	for (size_t i = 0; i < len; i++) {
		const uint32_t v = value_of(src[i]);

		bad |= v & 0x80;
		acc = acc << 6 | (v & 0x3f);
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (n < size)
			dst[n] = (uint8_t)(acc >> bits);
		++n;
	}

	/* RFC 4648 section 3.5: spare bits are zero, or one key would have
	 * several spellings */
	bad |= acc & ((1u << bits) - 1);
	OPENSSL_cleanse(&acc, sizeof(acc));

	if (!bad)
		*np = n;
	if (!bad && n <= size)
		return 0;

	OPENSSL_cleanse(dst, n < size ? n : size);

	return bad ? EBADMSG : EOVERFLOW;
}


int b64_encode(char *dst, size_t size, const uint8_t *src, size_t len)
{
	char *p = dst;

	if (size < B64_LEN(len) + 1)
		return EOVERFLOW;

	for (size_t i = 0; i < len; i += 3) {
		const size_t left = len - i;
		const uint32_t v = (uint32_t)src[i] << 16 |
			(left > 1 ? (uint32_t)src[i + 1] << 8 : 0) |
			(left > 2 ? (uint32_t)src[i + 2] : 0);

		*p++ = char_of(v >> 18);
		*p++ = char_of(v >> 12 & 0x3f);
		*p++ = left > 1 ? char_of(v >> 6 & 0x3f) : '=';
		*p++ = left > 2 ? char_of(v & 0x3f) : '=';
	}
	*p = '\0';

	return 0;
}
