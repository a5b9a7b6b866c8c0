/**
 * @file test_sdes.c  The a=crypto attribute
 *
 * Keys: K30 is the one of RFC 4568 section 4.5; the others are counting bytes.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check_run.h"
#include "sdes.h"

#define CM80 "AES_CM_128_HMAC_SHA1_80"
#define K30  "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define K30B "NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj"
#define K30C "EBESExQVFhcYGRobHB0eH6ChoqOkpaanqKmqq6yt"
#define K28  "QEFCQ0RFRkdISUpLTE1OT8DBwsPExcbHyMnKyw=="
#define K44  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis="
#define K46  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLQ=="
#define L    "1 " CM80 " inline:" K30

/* 2^1024 - 1: the largest MKI of 128 bytes */
#define MKI_1024 \
	"17976931348623159077293051907890247336179769789423065727343008115" \
	"77326758055009631327084773224075360211201138798713933576587897688" \
	"14416622492847430639474124377767893424865485276302219601246094119" \
	"45308295208500576883815068234246288147391311054082723716335051068" \
	"4586298239947245938479716304835356329624224137215"

static struct sdes sd;


static enum sdes_err decode(const char *line)
{
	return sdes_decode(&sd, line, strlen(line));
}


static void teardown(void)
{
	sdes_reset(&sd);
	ck_assert_uint_eq(0, secret_count());
}


static const struct {
	const char *line;
	enum suite_id suite;
	uint32_t tag;
	unsigned keyc;
	uint64_t lifetime;
	uint8_t mki_len;
	uint8_t mki_last;       /* lowest byte */
} goodv[] = {
	{ L, 1, 1, 1, 0, 0, 0 },
	{ L "|2^20|1:32", 1, 1, 1, 1u << 20, 32, 1 },
	{ L "|2^20|1:4", 1, 1, 1, 1u << 20, 4, 1 },
	{ L "|1066:4", 1, 1, 1, 0, 4, 1066 & 0xff },
	{ L "|2^0", 1, 1, 1, 1, 0, 0 },
	{ L "|2^31", 1, 1, 1, 1u << 31, 0, 0 },
	{ L "|2^48|1:4", 1, 1, 1, UINT64_C(1) << 48, 4, 1 },
	{ L "|281474976710656", 1, 1, 1, UINT64_C(1) << 48, 0, 0 },
	{ L "|1", 1, 1, 1, 1, 0, 0 },
	{ L "|65535:2", 1, 1, 1, 0, 2, 255 },
	{ L "|1:128", 1, 1, 1, 0, 128, 1 },
	{ L "|" MKI_1024 ":128", 1, 1, 1, 0, 128, 255 },
	{ L "|2^20|1:4;inline:" K30B "|2^20|2:4", 1, 1, 2, 1u << 20, 4, 1 },
	{ L "|1:1;inline:" K30B "|2:1;inline:" K30C "|3:1",
	  1, 1, 3, 0, 1, 1 },
	{ "0 " CM80 " inline:" K30, 1, 0, 1, 0, 0, 0 },
	{ "999999999 " CM80 " inline:" K30, 1, 999999999, 1, 0, 0, 0 },
	{ "1\t " CM80 " \tinline:" K30 " ", 1, 1, 1, 0, 0, 0 },
	{ "1 aes_cm_128_hmac_sha1_80 INLINE:" K30, 1, 1, 1, 0, 0, 0 },
	{ "2 AES_CM_128_HMAC_SHA1_32 inline:" K30, 2, 2, 1, 0, 0, 0 },
	{ "3 AES_256_CM_HMAC_SHA1_80 inline:" K46, 3, 3, 1, 0, 0, 0 },
	{ "3 AES_CM_256_HMAC_SHA1_80 inline:" K46, 3, 3, 1, 0, 0, 0 },
	{ "4 AEAD_AES_128_GCM inline:" K28 "|2^48", 4, 4, 1,
	  UINT64_C(1) << 48, 0, 0 },
	{ "5 AEAD_AES_256_GCM inline:" K44, 5, 5, 1, 0, 0, 0 },
	{ L " -new -NEW=4 -new", 1, 1, 1, 0, 0, 0 },
};


START_TEST(valid_line_is_read)
{
	ck_assert_int_eq(SDES_OK, decode(goodv[_i].line));
	ck_assert_int_eq(goodv[_i].suite, sd.suite->id);
	ck_assert_uint_eq(goodv[_i].tag, sd.tag);
	ck_assert_uint_eq(goodv[_i].keyc, sd.keyc);
	ck_assert_uint_eq(goodv[_i].lifetime, sd.keyv[0].lifetime);
	ck_assert_uint_eq(goodv[_i].mki_len, sd.keyv[0].mki_len);
	if (sd.keyv[0].mki_len)
		ck_assert_uint_eq(goodv[_i].mki_last,
				  sd.keyv[0].mki[sd.keyv[0].mki_len - 1]);
	for (unsigned i = 0; i < sd.keyc; i++)
		ck_assert_uint_eq(suite_keysalt_len(sd.suite),
				  secret_len(sd.keyv[i].keysalt));
	ck_assert_ptr_null(sdes_refuse_reason(&sd));
	ck_assert_uint_eq(sd.keyc, secret_count());
}
END_TEST


static const struct {
	enum sdes_err want;
	const char *line;
} badv[] = {
	/* shape of the line and tag: sections 4.1 and 9.1 */
	{ SDES_SYNTAX, "" },
	{ SDES_SYNTAX, " " },
	{ SDES_SYNTAX, "1" },
	{ SDES_SYNTAX, "1 " },
	{ SDES_SYNTAX, "1 " CM80 },
	{ SDES_SYNTAX, "1 " CM80 " " },
	{ SDES_SYNTAX, " " L },
	{ SDES_SYNTAX, "01 " CM80 " inline:" K30 },
	{ SDES_SYNTAX, "00 " CM80 " inline:" K30 },
	{ SDES_SYNTAX, "1000000000 " CM80 " inline:" K30 },
	{ SDES_SYNTAX, "-1 " CM80 " inline:" K30 },
	{ SDES_SYNTAX, "+1 " CM80 " inline:" K30 },
	{ SDES_SYNTAX, "1x " CM80 " inline:" K30 },
	{ SDES_SYNTAX, CM80 " inline:" K30 },
	{ SDES_SYNTAX, L "\r" },
	{ SDES_SYNTAX, L "\n" },
	{ SDES_SYNTAX, L " \x01" },
	{ SDES_SYNTAX, L " -\xc3\xa4" },
	{ SDES_SYNTAX, L " -\x7f" },
	/* suite */
	{ SDES_SYNTAX, "1 AES-CM-128 inline:" K30 },
	{ SDES_SUITE, "1 F8_128_HMAC_SHA1_80 inline:" K30 },
	{ SDES_SUITE, "1 NULL_HMAC_SHA1_80 inline:" K30 },
	{ SDES_SUITE, "1 AES_192_CM_HMAC_SHA1_80 inline:" K30 },
	{ SDES_SUITE, "1 AES_CM_128_HMAC_SHA1_8 inline:" K30 },
	{ SDES_SUITE, "1 AES_CM_128_HMAC_SHA1_800 inline:" K30 },
	/* key method */
	{ SDES_METHOD, "1 " CM80 " url:" K30 },
	{ SDES_METHOD, "1 " CM80 " inlin:" K30 },
	{ SDES_METHOD, L "|1:1;url:x" },
	{ SDES_SYNTAX, "1 " CM80 " inline" },
	{ SDES_SYNTAX, "1 " CM80 " " K30 },
	{ SDES_SYNTAX, "1 " CM80 " :" K30 },
	{ SDES_SYNTAX, L "|1:1;" },
	{ SDES_SYNTAX, "1 " CM80 " ;inline:" K30 },
	/* base64 and length: section 6.1 */
	{ SDES_BASE64, "1 " CM80 " inline:" },
	{ SDES_BASE64, "1 " CM80 " inline:|2^31" },
	{ SDES_BASE64, "1 " CM80 " inline:=" },
	{ SDES_BASE64, "1 " CM80 " inline:====" },
	{ SDES_BASE64, "1 " CM80 " inline:!" K30 },
	{ SDES_BASE64, "1 " CM80 " inline:" K30 "-" },
	{ SDES_BASE64, "1 " CM80 " inline:" K30 "=" },
	{ SDES_BASE64, "1 " CM80 " inline:" K30 "A" },
	{ SDES_BASE64, "1 " CM80 " inline:AA=A" K30 },
	{ SDES_BASE64, "4 AEAD_AES_128_GCM inline:" K28 "=" },
	{ SDES_BASE64, "4 AEAD_AES_128_GCM inline:"
	  "QEFCQ0RFRkdISUpLTE1OT8DBwsPExcbHyMnKyx==" },
	{ SDES_BASE64, "5 AEAD_AES_256_GCM inline:"
	  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKit=" },
	{ SDES_KEYLEN, "1 " CM80 " inline:AAAA" },
	{ SDES_KEYLEN, "1 " CM80 " inline:" K28 },
	{ SDES_KEYLEN, "1 " CM80 " inline:" K30 "AAAA" },
	{ SDES_KEYLEN, "1 " CM80 " inline:" K46 },
	{ SDES_KEYLEN, "1 " CM80 " inline:" K30 K30 K30 },
	{ SDES_KEYLEN, "3 AES_256_CM_HMAC_SHA1_80 inline:" K44 },
	{ SDES_KEYLEN, "4 AEAD_AES_128_GCM inline:" K30 },
	{ SDES_KEYLEN, "5 AEAD_AES_256_GCM inline:" K46 },
	/* lifetime */
	{ SDES_LIFETIME, L "|" },
	{ SDES_LIFETIME, L "||1:4" },
	{ SDES_LIFETIME, L "|0" },
	{ SDES_LIFETIME, L "|01" },
	{ SDES_LIFETIME, L "|2^" },
	{ SDES_LIFETIME, L "|2^031" },
	{ SDES_LIFETIME, L "|2^01" },
	{ SDES_LIFETIME, L "|2^49" },
	{ SDES_LIFETIME, L "|2^64" },
	{ SDES_LIFETIME, L "|2^999999999" },
	{ SDES_LIFETIME, L "|281474976710657" },
	{ SDES_LIFETIME, L "|18446744073709551617" },
	{ SDES_LIFETIME, L "|3^4" },
	{ SDES_LIFETIME, L "|-1" },
	{ SDES_LIFETIME, L "|2^2^2" },
	{ SDES_LIFETIME, "4 AEAD_AES_128_GCM inline:" K28 "|2^49" },
	/* MKI */
	{ SDES_MKI, L "|1:" },
	{ SDES_MKI, L "|:4" },
	{ SDES_MKI, L "|0:4" },
	{ SDES_MKI, L "|01:4" },
	{ SDES_MKI, L "|1:0" },
	{ SDES_MKI, L "|1:04" },
	{ SDES_MKI, L "|1:129" },
	{ SDES_MKI, L "|1:256" },
	{ SDES_MKI, L "|1:4:4" },
	{ SDES_MKI, L "|256:1" },
	{ SDES_MKI, L "|65536:2" },
	{ SDES_MKI, L "|a:4" },
	{ SDES_MKI, L "|" MKI_1024 "0:128" },
	{ SDES_MKI, L "|" MKI_1024 ":127" },
	{ SDES_MKI, L "|2^20|2^20" },
	{ SDES_SYNTAX, L "|1:4|2^20" },
	{ SDES_SYNTAX, L "|2^20|1:4|" },
	/* several keys */
	{ SDES_MKI, L ";inline:" K30B },
	{ SDES_MKI, L "|1:4;inline:" K30B },
	{ SDES_MKI, L ";inline:" K30B "|1:4" },
	{ SDES_MKI, L "|1:4;inline:" K30B "|2:2" },
	{ SDES_MKI, L "|1:4;inline:" K30B "|1:4" },
	{ SDES_MKI, L "|1:4;inline:" K30B "|2:4;inline:" K30C "|1:4" },
	{ SDES_SAMEKEY, L "|1:4;inline:" K30 "|2:4" },
	{ SDES_TOOLONG, L "|1:1;inline:" K30 "|2:1;inline:" K30 "|3:1;inline:"
	  K30 "|4:1;inline:" K30 "|5:1" },
	{ SDES_SYNTAX, L "|1:4; inline:" K30B "|2:4" },
	/* session parameters: section 6.3 */
	{ SDES_PARAM, L " NEW" },
	{ SDES_PARAM, L " NEW=1" },
	{ SDES_PARAM, L " -" },
	{ SDES_PARAM, L " --new" },
	{ SDES_PARAM, L " KDR" },
	{ SDES_PARAM, L " KDR=" },
	{ SDES_PARAM, L " KDR=25" },
	{ SDES_PARAM, L " KDR=01" },
	{ SDES_PARAM, L " KDR=1x" },
	{ SDES_PARAM, L " KDR=1 KDR=1" },
	{ SDES_PARAM, L " kdr=0 KDR=0" },
	{ SDES_PARAM, L " WSH=63" },
	{ SDES_PARAM, L " WSH=064" },
	{ SDES_PARAM, L " WSH=" },
	{ SDES_PARAM, L " WSH" },
	{ SDES_PARAM, L " WSH=99999999999999999999" },
	{ SDES_PARAM, L " WSH=64 WSH=128" },
	{ SDES_PARAM, L " UNENCRYPTED_SRTP=1" },
	{ SDES_PARAM, L " UNENCRYPTED_SRTP UNENCRYPTED_SRTP" },
	{ SDES_PARAM, L " UNENCRYPTED" },
	{ SDES_PARAM, L " FEC_ORDER" },
	{ SDES_PARAM, L " FEC_ORDER=" },
	{ SDES_PARAM, L " FEC_ORDER=SRTP" },
	{ SDES_METHOD, L " FEC_KEY=url:" K30B },
	{ SDES_SYNTAX, L " FEC_KEY=" },
	{ SDES_PARAM, L " FEC_KEY" },
	{ SDES_KEYLEN, L " FEC_KEY=inline:" K28 },
	{ SDES_SAMEKEY, L " FEC_KEY=inline:" K30 },
	{ SDES_LIFETIME, L " FEC_KEY=inline:" K30B "|2^49" },
};


START_TEST(invalid_line_is_named_and_leaves_nothing)
{
	static const struct sdes empty;

	ck_assert_int_eq(badv[_i].want, decode(badv[_i].line));
	ck_assert_mem_eq(&empty, &sd, sizeof(sd));
	ck_assert_uint_eq(0, secret_count());
	ck_assert_ptr_nonnull(sdes_refuse_reason(&sd));
}
END_TEST


START_TEST(key_bytes_are_those_of_the_base64)
{
	uint8_t want[44];

	/* ours: media key 10..1f, salt a0..ad */
	for (unsigned i = 0; i < 16; i++)
		want[i] = (uint8_t)(0x10 + i);
	for (unsigned i = 0; i < 14; i++)
		want[16 + i] = (uint8_t)(0xa0 + i);
	ck_assert_int_eq(SDES_OK, decode("4 " CM80 " inline:" K30C "|2^31"));
	ck_assert_mem_eq(want, secret_bytes(sd.keyv[0].keysalt), 30);
	sdes_reset(&sd);

	for (unsigned i = 0; i < 44; i++)
		want[i] = (uint8_t)i;
	ck_assert_int_eq(SDES_OK, decode("1 AEAD_AES_256_GCM inline:" K44));
	ck_assert_mem_eq(want, secret_bytes(sd.keyv[0].keysalt), 44);
}
END_TEST


START_TEST(every_base64_character_has_its_value)
{
	static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
		"qrstuvwxyz0123456789+/";
	char line[128];

	for (unsigned i = 0; i < 64; i++) {
		uint8_t want[3];
		const uint32_t v = i << 18 | i << 12 | i << 6 | i;

		want[0] = (uint8_t)(v >> 16);
		want[1] = (uint8_t)(v >> 8);
		want[2] = (uint8_t)v;
		(void)snprintf(line, sizeof(line), "1 " CM80 " inline:%s",
			       K30);
		memset(line + strlen(line) - 4, all[i], 4);
		ck_assert_int_eq(SDES_OK, decode(line));
		ck_assert_mem_eq(want, secret_bytes(sd.keyv[0].keysalt) + 27,
				 3);
		sdes_reset(&sd);
	}

	for (unsigned c = 0x21; c < 0x7f; c++) {
		(void)snprintf(line, sizeof(line), "1 " CM80 " inline:%s",
			       K30);
		line[strlen(line) - 5] = (char)c;
		ck_assert_int_eq(strchr(all, (char)c) != NULL,
				 decode(line) == SDES_OK);
		sdes_reset(&sd);
	}
}
END_TEST


START_TEST(missing_padding_is_the_same_key)
{
	static const struct {
		const char *suite, *key;
	} v[] = {
		{ "AEAD_AES_128_GCM", K28 },
		{ "AEAD_AES_256_GCM", K44 },
		{ "AES_256_CM_HMAC_SHA1_80", K46 },
	};
	char line[256];

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct secret *full = NULL;
		int n = snprintf(line, sizeof(line), "1 %s inline:%s",
				 v[i].suite, v[i].key);

		ck_assert_int_eq(SDES_OK, decode(line));
		ck_assert_int_eq(0, secret_copy(&full,
				secret_bytes(sd.keyv[0].keysalt),
				secret_len(sd.keyv[0].keysalt)));
		while (line[n - 1] == '=') {
			line[--n] = '\0';
			sdes_reset(&sd);
			ck_assert_int_eq(SDES_OK, decode(line));
			ck_assert(secret_equal(full, sd.keyv[0].keysalt));
		}
		secret_free(&full);
		sdes_reset(&sd);
	}
}
END_TEST


START_TEST(mki_is_big_endian)
{
	ck_assert_int_eq(SDES_OK, decode(L "|305419896:6"));
	ck_assert_mem_eq("\x00\x00\x12\x34\x56\x78", sd.keyv[0].mki, 6);
	sdes_reset(&sd);

	ck_assert_int_eq(SDES_OK, decode(L "|" MKI_1024 ":128"));
	for (unsigned i = 0; i < 128; i++)
		ck_assert_uint_eq(0xff, sd.keyv[0].mki[i]);
}
END_TEST


START_TEST(session_parameters_are_read_in_any_case)
{
	ck_assert_int_eq(SDES_OK, decode(L " kdr=24 unencrypted_SRTP"
		" Unencrypted_srtcp UNAUTHENTICATED_srtp fec_order=srtp_fec"
		" Wsh=64 fec_key=INLINE:" K30B));
	ck_assert_uint_eq(24, sd.kdr);
	ck_assert(sd.unencrypted_srtp);
	ck_assert(sd.unencrypted_srtcp);
	ck_assert(sd.unauthenticated_srtp);
	ck_assert(sd.fec_order_srtp);
	ck_assert(sd.fec_key);
	ck_assert_uint_eq(64, sd.wsh);
	ck_assert_uint_eq(1, secret_count());
}
END_TEST


START_TEST(secure_conference_refuses_what_weakens_it)
{
	static const char *const refusedv[] = {
		" UNENCRYPTED_SRTP", " UNENCRYPTED_SRTCP",
		" UNAUTHENTICATED_SRTP", " KDR=1", " FEC_ORDER=SRTP_FEC",
		(" FEC_KEY=inline:" K30B), " WSH=64 unencrypted_srtp -x",
	};
	static const char *const takenv[] = {
		"", " KDR=0", " FEC_ORDER=FEC_SRTP", " WSH=1024", " -FOO",
		" -UNENCRYPTED_SRTP",
	};
	char line[256];

	for (size_t i = 0; i < sizeof(refusedv) / sizeof(refusedv[0]); i++) {
		(void)snprintf(line, sizeof(line), L "%s", refusedv[i]);
		ck_assert_int_eq(SDES_OK, decode(line));
		ck_assert_ptr_nonnull(sdes_refuse_reason(&sd));
		sdes_reset(&sd);
	}
	for (size_t i = 0; i < sizeof(takenv) / sizeof(takenv[0]); i++) {
		(void)snprintf(line, sizeof(line), L "%s", takenv[i]);
		ck_assert_int_eq(SDES_OK, decode(line));
		ck_assert_ptr_null(sdes_refuse_reason(&sd));
		sdes_reset(&sd);
	}
}
END_TEST


START_TEST(line_of_the_longest_length_is_read_and_one_more_is_not)
{
	char line[SDES_LINE_MAX + 2];

	memset(line, 'x', sizeof(line));
	memcpy(line, L " -", strlen(L " -"));
	ck_assert_int_eq(SDES_OK, sdes_decode(&sd, line, SDES_LINE_MAX));
	sdes_reset(&sd);
	ck_assert_int_eq(SDES_TOOLONG,
			 sdes_decode(&sd, line, SDES_LINE_MAX + 1));
	ck_assert_int_eq(SDES_SYNTAX, sdes_decode(&sd, NULL, 0));
}
END_TEST


START_TEST(printed_line_is_the_one_that_was_read)
{
	static const char *const linev[] = {
		L,
		L "|2^20|1:32",
		L "|12345",
		L "|" MKI_1024 ":128",
		L "|2^48|1:4;inline:" K30B "|7|2:4;inline:" K30C "|3:4",
		"0 AES_CM_256_HMAC_SHA1_80 inline:" K46,
		"999999999 aead_aes_128_gcm inline:" K28 "|4294967296:5",
		L " KDR=3 UNENCRYPTED_SRTP UNENCRYPTED_SRTCP"
		  " UNAUTHENTICATED_SRTP FEC_ORDER=SRTP_FEC WSH=64",
	};
	char buf[SDES_LINE_MAX + 1];

	for (size_t i = 0; i < sizeof(linev) / sizeof(linev[0]); i++) {
		ck_assert_int_eq(SDES_OK, decode(linev[i]));
		ck_assert_int_eq((int)strlen(linev[i]),
				 sdes_print(buf, sizeof(buf), &sd));
		ck_assert_str_eq(linev[i], buf);
		sdes_reset(&sd);
	}
}
END_TEST


START_TEST(encoded_line_has_the_offered_tag_and_spelling)
{
	const struct suite *s = suite_by_id(SUITE_AES_256_CM_HMAC_SHA1_80);
	uint8_t bytes[46];
	struct secret *key = NULL;
	char buf[200];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	ck_assert_int_eq(0, secret_copy(&key, bytes, sizeof(bytes)));

	ck_assert_int_gt(sdes_encode(buf, sizeof(buf), 7, s, NULL, key, 0, 0),
			 0);
	ck_assert_str_eq("7 AES_256_CM_HMAC_SHA1_80 inline:" K46, buf);

	ck_assert_int_gt(sdes_encode(buf, sizeof(buf), 0, s,
			"AES_CM_256_HMAC_SHA1_80", key, 0x12345678, 4), 0);
	ck_assert_str_eq("0 AES_CM_256_HMAC_SHA1_80 inline:" K46
			 "|305419896:4", buf);
	ck_assert_uint_eq(1, secret_count());
	secret_free(&key);
}
END_TEST


START_TEST(encoder_refuses_what_the_decoder_would)
{
	const struct suite *s = suite_by_id(SUITE_AEAD_AES_128_GCM);
	struct secret *key = NULL, *wrong = NULL;
	char buf[100], name[64];
	int len;

	memset(name, 'A', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(0, secret_draw(&key, 28));
	ck_assert_int_eq(0, secret_draw(&wrong, 30));

	len = sdes_encode(buf, sizeof(buf), 1, s, NULL, key, 255, 1);
	ck_assert_int_gt(len, 0);
	/* exact fit, then one byte less: nothing of the key stays behind */
	ck_assert_int_eq(len, sdes_encode(buf, (size_t)len + 1, 1, s, NULL,
					  key, 255, 1));
	ck_assert_int_eq(-1, sdes_encode(buf, (size_t)len, 1, s, NULL, key,
					 255, 1));
	for (int i = 0; i < len; i++)
		ck_assert_int_eq(0, buf[i]);

	ck_assert_int_eq(-1, sdes_encode(buf, sizeof(buf), 1, s, NULL, wrong,
					 0, 0));
	ck_assert_int_eq(-1, sdes_encode(buf, sizeof(buf), 1, s, NULL, NULL,
					 0, 0));
	ck_assert_int_eq(-1, sdes_encode(buf, sizeof(buf), 1, NULL, NULL, key,
					 0, 0));
	ck_assert_int_eq(-1, sdes_encode(buf, sizeof(buf), 1, s, name, key,
					 0, 0));
	ck_assert_int_eq(-1, sdes_encode(buf, sizeof(buf), 1, s, NULL, key,
					 256, 1));
	ck_assert_int_eq(-1, sdes_encode(buf, sizeof(buf), 1, s, NULL, key,
					 0, 1));
	ck_assert_int_eq(-1, sdes_encode(buf, sizeof(buf), 1, s, NULL, key,
					 1, 129));
	ck_assert_int_eq(-1, sdes_encode(buf, sizeof(buf), 1000000000, s,
					 NULL, key, 0, 0));
	secret_free(&key);
	secret_free(&wrong);
}
END_TEST


/* Whatever is accepted has keys of the suite's length and survives printing */
static void check_any(const char *line, size_t len)
{
	char *copy = malloc(len ? len : 1);     /* exact: ASan sees overreads */
	char buf[4 * SDES_LINE_MAX];

	memcpy(copy, line, len);
	if (SDES_OK == sdes_decode(&sd, copy, len)) {
		for (unsigned i = 0; i < sd.keyc; i++)
			ck_assert_uint_eq(suite_keysalt_len(sd.suite),
					  secret_len(sd.keyv[i].keysalt));
		ck_assert_int_gt(sdes_print(buf, sizeof(buf), &sd), 0);
	}
	sdes_reset(&sd);
	free(copy);
}


START_TEST(truncated_and_bit_flipped_lines_do_no_harm)
{
	static const char line[] = L "|2^20|1:4;inline:" K30B "|2^31|2:4"
		" KDR=3 WSH=64 FEC_ORDER=SRTP_FEC FEC_KEY=inline:" K30C
		" UNENCRYPTED_SRTP -opt";
	char copy[sizeof(line)];

	for (size_t len = 0; len < sizeof(line); len++)
		check_any(line, len);

	memcpy(copy, line, sizeof(line));
	for (size_t bit = 0; bit < 8 * (sizeof(line) - 1); bit++) {
		copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
		check_any(copy, sizeof(line) - 1);
		copy[bit / 8] = line[bit / 8];
	}
	ck_assert_uint_eq(0, secret_count());
}
END_TEST


START_TEST(every_error_has_a_text)
{
	for (int e = SDES_OK; e <= SDES_SAMEKEY; e++)
		ck_assert_uint_gt(strlen(sdes_strerror((enum sdes_err)e)), 0);
	ck_assert_str_eq("unknown error", sdes_strerror((enum sdes_err)999));
}
END_TEST


int main(void)
{
	Suite *s = suite_create("sdes");
	TCase *tc = tcase_create("sdes");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_loop_test(tc, valid_line_is_read, 0,
			    sizeof(goodv) / sizeof(goodv[0]));
	tcase_add_loop_test(tc, invalid_line_is_named_and_leaves_nothing, 0,
			    sizeof(badv) / sizeof(badv[0]));
	tcase_add_test(tc, key_bytes_are_those_of_the_base64);
	tcase_add_test(tc, every_base64_character_has_its_value);
	tcase_add_test(tc, missing_padding_is_the_same_key);
	tcase_add_test(tc, mki_is_big_endian);
	tcase_add_test(tc, session_parameters_are_read_in_any_case);
	tcase_add_test(tc, secure_conference_refuses_what_weakens_it);
	tcase_add_test(tc, line_of_the_longest_length_is_read_and_one_more_is_not);
	tcase_add_test(tc, printed_line_is_the_one_that_was_read);
	tcase_add_test(tc, encoded_line_has_the_offered_tag_and_spelling);
	tcase_add_test(tc, encoder_refuses_what_the_decoder_would);
	tcase_add_test(tc, truncated_and_bit_flipped_lines_do_no_harm);
	tcase_add_test(tc, every_error_has_a_text);
	suite_add_tcase(s, tc);

	return check_run(s);
}
