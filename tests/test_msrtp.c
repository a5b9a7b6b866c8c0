/**
 * @file test_msrtp.c  SRTP sessions: known answers, replay, forgeries
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <srtp2/srtp.h>
#include "check_run.h"
#include "msrtp.h"
#include "rtp.h"
#include "srtp_ref.h"

enum { BUF = RTPH_MTU + RTPH_TRAILER_MAX, SSRC = 0x0c0ffee1 };

/* Any bytes; the vectors below bring their own */
static const uint8_t keysalt[SUITE_KEYSALT_MAX] =
	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHI";

static uint8_t mki_bytes[128];

static const uint8_t rtcp[] = {
	0x80, 200, 0, 6, 0x0c, 0x0f, 0xfe, 0xe1,
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
	0x81, 202, 0, 3, 0x0c, 0x0f, 0xfe, 0xe1, 1, 3, 'a', 'b', 'c', 0, 0, 0,
};

static void setup(void)
{
	for (size_t i = 0; i < sizeof(mki_bytes); i++)
		mki_bytes[i] = (uint8_t)(0xf0 - i);
	ck_assert_int_eq(msrtp_init(MSRTP_OPENSSL), 0);
}

static void setup_native(void)
{
	setup();
	msrtp_close();
	ck_assert_int_eq(msrtp_init(MSRTP_NATIVE), 0);
}

static void teardown(void)
{
	msrtp_close();
	ck_assert_uint_eq(secret_count(), 0);
}

static const struct suite *suite_at(int i)
{
	const struct suite *s = suite_by_id((enum suite_id)i);

	ck_assert_ptr_nonnull(s);
	return s;
}

static struct msrtp *session(enum msrtp_dir dir, const struct suite *suite,
			     const uint8_t *ks, size_t mki_len)
{
	struct secret *key = NULL;
	struct msrtp *m = NULL;

	ck_assert_int_eq(secret_copy(&key, ks, suite_keysalt_len(suite)), 0);
	ck_assert_int_eq(msrtp_new(&m, dir, suite, key, mki_bytes, mki_len), 0);
	secret_free(&key);

	return m;
}

static size_t packet(uint8_t *buf, uint16_t seq, uint32_t ssrc, size_t plen)
{
	const struct rtph h = { .pt = 111, .seq = seq, .ssrc = ssrc };
	const size_t n = rtph_encode(buf, BUF, &h);

	for (size_t i = 0; i < plen; i++)
		buf[n + i] = (uint8_t)(i * 7 + seq);

	return n + plen;
}

static size_t protected(struct msrtp *tx, uint8_t *buf, uint16_t seq,
			uint32_t ssrc, size_t plen)
{
	size_t len = packet(buf, seq, ssrc, plen);

	ck_assert_int_eq(msrtp_protect(tx, buf, &len), MSRTP_OK);

	return len;
}

static size_t unhex(uint8_t *buf, const char *hex)
{
	size_t n = 0;
	unsigned v;

	for (; *hex && sscanf(hex, "%2x", &v) == 1; hex += 2)
		buf[n++] = (uint8_t)v;

	return n;
}

/* A small generator of its own, so that a failure can be repeated */
static uint32_t rnd(void)
{
	static uint32_t x = 2463534242;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;

	return x;
}

/* --- known answers ---------------------------------------------------- */

START_TEST(reference_derives_the_keys_of_the_rfcs)
{
	static const struct {
		const char *key, *salt, *enc, *auth, *ses_salt;
	} v[] = {
		/* RFC 3711 appendix B.3 */
		{ "E1F97A0D3E018BE0D64FA32C06DE4139",
		  "0EC675AD498AFEEBB6960B3AABE6",
		  "C61E7A93744F39EE10734AFE3FF7A087",
		  "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4",
		  "30CBBC08863D8C85D49DB34A9AE1" },
		/* RFC 6188 section 7.2 */
		{ "f0f04914b513f2763a1b1fa130f10e29"
		  "98f6f6e43e4309d1e622a0e332b9f1b6",
		  "3b04803de51ee7c96423ab5b78d2",
		  "5ba1064e30ec51613cad926c5a28ef73"
		  "1ec7fb397f70a960653caf06554cd8c4",
		  "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05",
		  "fa31791685ca444a9e07c6c64e93" },
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		const char *want[] = { v[i].enc, v[i].auth, v[i].ses_salt };
		uint8_t key[32], salt[14], exp[32], got[32];
		const size_t kl = unhex(key, v[i].key);

		ck_assert_uint_eq(unhex(salt, v[i].salt), 14);
		for (uint8_t label = 0; label < 3; label++) {
			const size_t n = unhex(exp, want[label]);

			srtp_ref_kdf(key, kl, salt, 14, label, got, n);
			ck_assert_mem_eq(got, exp, n);
		}
	}
}
END_TEST

/*
 * The session keys are the RFC's own; the packet is made of them with AES and
 * HMAC alone, so msrtp's key derivation is compared with the RFC's.
 */
START_TEST(rfc_3711_b3_keys_are_seen_in_a_packet)
{
	struct srtp_ref r = { .suite = suite_at(SUITE_AES_CM_128_HMAC_SHA1_80) };
	uint8_t ks[30], got[BUF], exp[BUF];
	struct msrtp *tx;
	size_t n, len;

	unhex(ks, "E1F97A0D3E018BE0D64FA32C06DE4139"
	      "0EC675AD498AFEEBB6960B3AABE6");
	unhex(r.k[0].enc, "C61E7A93744F39EE10734AFE3FF7A087");
	unhex(r.k[0].auth, "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4");
	unhex(r.k[0].salt, "30CBBC08863D8C85D49DB34A9AE1");

	tx  = session(MSRTP_TX, r.suite, ks, 0);
	len = protected(tx, got, 0x1234, SSRC, 50);
	n   = packet(exp, 0x1234, SSRC, 50);
	n   = srtp_ref_rtp(&r, exp, n, RTPH_SIZE, 0, NULL, 0);
	ck_assert_uint_eq(n, len);
	ck_assert_mem_eq(got, exp, n);
	msrtp_free(&tx);
	ck_assert_ptr_null(tx);
}
END_TEST

START_TEST(rfc_6188_keys_are_seen_in_a_packet)
{
	struct srtp_ref r = { .suite = suite_at(SUITE_AES_256_CM_HMAC_SHA1_80) };
	uint8_t ks[46], got[BUF], exp[BUF];
	struct msrtp *tx;
	size_t n, len;

	unhex(ks, "f0f04914b513f2763a1b1fa130f10e29"
	      "98f6f6e43e4309d1e622a0e332b9f1b63b04803de51ee7c96423ab5b78d2");
	unhex(r.k[0].enc, "5ba1064e30ec51613cad926c5a28ef73"
	      "1ec7fb397f70a960653caf06554cd8c4");
	unhex(r.k[0].auth, "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05");
	unhex(r.k[0].salt, "fa31791685ca444a9e07c6c64e93");

	tx  = session(MSRTP_TX, r.suite, ks, 0);
	len = protected(tx, got, 7, SSRC, 160);
	n   = packet(exp, 7, SSRC, 160);
	n   = srtp_ref_rtp(&r, exp, n, RTPH_SIZE, 0, NULL, 0);
	ck_assert_uint_eq(n, len);
	ck_assert_mem_eq(got, exp, n);
	msrtp_free(&tx);
}
END_TEST

START_TEST(worked_example_of_a_gcm_packet)
{
	const struct suite *s = suite_at(SUITE_AEAD_AES_128_GCM);
	uint8_t ks[28], exp[BUF], got[BUF];
	struct msrtp *tx, *rx;
	struct rtph h = { .pt = 111, .seq = 5, .ssrc = SSRC };
	size_t len, n;

	unhex(ks, "404142434445464748494a4b4c4d4e4fc0c1c2c3c4c5c6c7c8c9cacb");
	n = unhex(exp, "806f0005000000000c0ffee156273b8e328fc0779919a7032f68"
		  "d2921e250ff3d83c0bd13543431d4ac771842425e52d");

	len = rtph_encode(got, sizeof(got), &h);
	memcpy(got + len, "hello mixer world!!!", 20);
	len += 20;

	tx = session(MSRTP_TX, s, ks, 0);
	ck_assert_int_eq(msrtp_protect(tx, got, &len), MSRTP_OK);
	ck_assert_uint_eq(len, n);
	ck_assert_mem_eq(got, exp, n);

	rx = session(MSRTP_RX, s, ks, 0);
	ck_assert_int_eq(msrtp_unprotect(rx, got, &len), MSRTP_OK);
	ck_assert_int_eq(rtph_decode(&h, got, len), 0);
	ck_assert_uint_eq(h.payload_len, 20);
	ck_assert_mem_eq(h.payload, "hello mixer world!!!", 20);
	msrtp_free(&tx);
	msrtp_free(&rx);
}
END_TEST

START_TEST(every_suite_equals_the_reference_and_comes_back)
{
	static const size_t mkiv[] = { 0, 1, 4, 128 };
	const struct suite *s = suite_at(_i);
	struct srtp_ref r;

	srtp_ref_init(&r, s, keysalt);

	for (size_t i = 0; i < 4; i++) {
		struct msrtp *tx = session(MSRTP_TX, s, keysalt, mkiv[i]);
		struct msrtp *rx = session(MSRTP_RX, s, keysalt, mkiv[i]);
		uint8_t got[BUF], exp[BUF], clear[BUF];
		size_t len, n, c;

		for (uint16_t seq = 100; seq < 110; seq++) {
			const size_t plen = (seq - 100u) * 37u;

			c   = packet(clear, seq, SSRC, plen);
			len = protected(tx, got, seq, SSRC, plen);
			n   = packet(exp, seq, SSRC, plen);
			n   = srtp_ref_rtp(&r, exp, n, RTPH_SIZE, 0,
					   mki_bytes, mkiv[i]);
			ck_assert_uint_eq(len, n);
			ck_assert_mem_eq(got, exp, n);
			ck_assert_int_eq(msrtp_unprotect(rx, got, &len), 0);
			ck_assert_uint_eq(len, c);
			ck_assert_mem_eq(got, clear, c);
		}
		/* libsrtp numbers its SRTCP packets from 1 */
		for (uint32_t idx = 1; idx < 10; idx++) {
			memcpy(got, rtcp, sizeof(rtcp));
			memcpy(exp, rtcp, sizeof(rtcp));
			len = sizeof(rtcp);
			ck_assert_int_eq(msrtp_protect_rtcp(tx, got, &len), 0);
			n = srtp_ref_rtcp(&r, exp, sizeof(rtcp), idx, true,
					  mki_bytes, mkiv[i]);
			ck_assert_uint_eq(len, n);
			ck_assert_mem_eq(got, exp, n);
			ck_assert_int_eq(msrtp_unprotect_rtcp(rx, got, &len),
					 0);
			ck_assert_uint_eq(len, sizeof(rtcp));
			ck_assert_mem_eq(got, rtcp, sizeof(rtcp));
		}
		msrtp_free(&tx);
		msrtp_free(&rx);
	}
}
END_TEST

START_TEST(csrcs_and_extension_stay_in_clear)
{
	const struct suite *s = suite_at(_i);
	uint8_t buf[BUF] = {
		0x92, 111, 0, 9, 0, 0, 0, 0, 0x0c, 0x0f, 0xfe, 0xe1,
		1, 1, 1, 1, 2, 2, 2, 2, 0xbe, 0xde, 0, 1, 0x10, 0x85, 0, 0,
		'c', 'l', 'e', 'a', 'r',
	};
	uint8_t exp[BUF];
	struct msrtp *tx = session(MSRTP_TX, s, keysalt, 0);
	struct srtp_ref r;
	size_t len = 33, n;

	memcpy(exp, buf, sizeof(exp));
	srtp_ref_init(&r, s, keysalt);
	n = srtp_ref_rtp(&r, exp, len, 28, 0, NULL, 0);
	ck_assert_int_eq(msrtp_protect(tx, buf, &len), MSRTP_OK);
	ck_assert_uint_eq(len, n);
	ck_assert_mem_eq(buf, exp, n);
	msrtp_free(&tx);
}
END_TEST

START_TEST(roc_counts_on_over_the_wrap)
{
	const struct suite *s = suite_at(_i);
	struct msrtp *tx = session(MSRTP_TX, s, keysalt, 0);
	struct msrtp *rx = session(MSRTP_RX, s, keysalt, 0);
	uint8_t buf[BUF], exp[BUF];
	struct srtp_ref r;
	size_t len, n;

	srtp_ref_init(&r, s, keysalt);
	for (uint32_t i = 32000; i < 67000; i += 500) {
		const uint16_t seq = (uint16_t)i;

		len = protected(tx, buf, seq, SSRC, 20);
		n   = packet(exp, seq, SSRC, 20);
		n   = srtp_ref_rtp(&r, exp, n, RTPH_SIZE, i >> 16, NULL, 0);
		ck_assert_mem_eq(buf, exp, n);
		ck_assert_int_eq(msrtp_unprotect(rx, buf, &len), MSRTP_OK);
	}
	msrtp_free(&tx);
	msrtp_free(&rx);
}
END_TEST

START_TEST(a_source_goes_on_in_another_context_that_knows_its_roc)
{
	const struct suite *s = suite_at(_i);
	struct msrtp *tx = session(MSRTP_TX, s, keysalt, 0);
	struct msrtp *rx = session(MSRTP_RX, s, keysalt, 0);
	struct msrtp *next = session(MSRTP_RX, s, keysalt, 0);
	struct msrtp *lost = session(MSRTP_RX, s, keysalt, 0);
	uint8_t buf[BUF], copy[BUF];
	struct secret *key = NULL;
	size_t len, n;

	ck_assert_int_eq(secret_copy(&key, keysalt, suite_keysalt_len(s)), 0);
	ck_assert_uint_eq(msrtp_roc(rx, SSRC), 0);
	for (uint32_t i = 32000; i < 67000; i += 500) {
		len = protected(tx, buf, (uint16_t)i, SSRC, 20);
		ck_assert_int_eq(msrtp_unprotect(rx, buf, &len), MSRTP_OK);
	}
	ck_assert_uint_eq(msrtp_roc(rx, SSRC), 1);

	ck_assert_int_eq(msrtp_resume(next, key, SSRC, msrtp_roc(rx, SSRC)), 0);
	for (uint32_t i = 67000; i < 140000; i += 500) {
		len = n = protected(tx, buf, (uint16_t)i, SSRC, 20);
		memcpy(copy, buf, len);
		ck_assert_int_eq(msrtp_unprotect(lost, copy, &n), MSRTP_AUTH);
		ck_assert_int_eq(msrtp_unprotect(next, buf, &len), MSRTP_OK);
	}
	ck_assert_uint_eq(msrtp_roc(next, SSRC), 2);
	/* another source of the same key begins at 0 */
	len = protected(tx, buf, 1, SSRC + 1, 20);
	ck_assert_int_eq(msrtp_unprotect(next, buf, &len), MSRTP_OK);
	ck_assert_int_eq(msrtp_resume(tx, key, SSRC, 1), EINVAL);

	secret_free(&key);
	msrtp_free(&tx);
	msrtp_free(&rx);
	msrtp_free(&next);
	msrtp_free(&lost);
}
END_TEST

/* libsrtp's own MKI code is the other implementation we can get at */
START_TEST(mki_is_where_libsrtp_puts_it)
{
	const struct suite *s = suite_at(_i);
	struct msrtp *rx = session(MSRTP_RX, s, keysalt, 4);
	uint8_t key[SRTP_MAX_KEY_LEN] = { 0 }, buf[BUF];
	srtp_master_key_t mk = { key, mki_bytes, 4 }, *mkv[] = { &mk };
	srtp_policy_t p;
	srtp_t ctx;
	size_t len;
	int n;

	memcpy(key, keysalt, suite_keysalt_len(s));
	memset(&p, 0, sizeof(p));
	if (s->aead && s->key_len == 16)
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&p.rtp);
	else if (s->aead)
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&p.rtp);
	else if (s->key_len == 32)
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&p.rtp);
	else
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&p.rtp);
	p.rtcp = p.rtp;
	p.rtp.auth_tag_len = s->tag_len;
	p.ssrc.type = ssrc_any_outbound;
	p.keys = mkv;
	p.num_master_keys = 1;
	ck_assert_int_eq(srtp_create(&ctx, &p), srtp_err_status_ok);

	n = (int)packet(buf, 1, SSRC, 30);
	ck_assert_int_eq(srtp_protect_mki(ctx, buf, &n, 1, 0), 0);
	len = (size_t)n;
	ck_assert_int_eq(msrtp_unprotect(rx, buf, &len), MSRTP_OK);
	ck_assert_uint_eq(len, RTPH_SIZE + 30);

	n = sizeof(rtcp);
	memcpy(buf, rtcp, sizeof(rtcp));
	ck_assert_int_eq(srtp_protect_rtcp_mki(ctx, buf, &n, 1, 0), 0);
	len = (size_t)n;
	ck_assert_int_eq(msrtp_unprotect_rtcp(rx, buf, &len), MSRTP_OK);
	ck_assert_uint_eq(len, sizeof(rtcp));

	(void)srtp_dealloc(ctx);
	msrtp_free(&rx);
}
END_TEST

/* --- replay, order, sources ------------------------------------------- */

static enum msrtp_err receive(struct msrtp *rx, const uint8_t *pkt, size_t len)
{
	uint8_t buf[BUF];

	memcpy(buf, pkt, len);

	return msrtp_unprotect(rx, buf, &len);
}

START_TEST(replayed_packets_are_dropped_and_late_ones_are_not)
{
	const struct suite *s = suite_at(_i);
	struct msrtp *tx = session(MSRTP_TX, s, keysalt, 0);
	struct msrtp *rx = session(MSRTP_RX, s, keysalt, 0);
	static uint8_t pkt[1100][64];
	size_t len = 0;

	for (uint16_t i = 0; i < 1100; i++)
		len = protected(tx, pkt[i], i, SSRC, 10);

	ck_assert_int_eq(receive(rx, pkt[0], len), MSRTP_OK);
	ck_assert_int_eq(receive(rx, pkt[0], len), MSRTP_REPLAY);
	ck_assert_int_eq(receive(rx, pkt[1099], len), MSRTP_OK);
	ck_assert_int_eq(receive(rx, pkt[100], len), MSRTP_OK);
	ck_assert_int_eq(receive(rx, pkt[100], len), MSRTP_REPLAY);
	ck_assert_int_eq(receive(rx, pkt[1098], len), MSRTP_OK);
	/* older than the window: it cannot be known whether it came */
	ck_assert_int_eq(receive(rx, pkt[50], len), MSRTP_REPLAY);
	msrtp_free(&tx);
	msrtp_free(&rx);
}
END_TEST

START_TEST(replayed_rtcp_is_dropped)
{
	const struct suite *s = suite_at(_i);
	struct msrtp *tx = session(MSRTP_TX, s, keysalt, 0);
	struct msrtp *rx = session(MSRTP_RX, s, keysalt, 0);
	uint8_t buf[BUF], copy[BUF];
	size_t len = sizeof(rtcp), n;

	memcpy(buf, rtcp, sizeof(rtcp));
	ck_assert_int_eq(msrtp_protect_rtcp(tx, buf, &len), MSRTP_OK);
	memcpy(copy, buf, n = len);
	ck_assert_int_eq(msrtp_unprotect_rtcp(rx, buf, &len), MSRTP_OK);
	ck_assert_int_eq(msrtp_unprotect_rtcp(rx, copy, &n), MSRTP_REPLAY);
	msrtp_free(&tx);
	msrtp_free(&rx);
}
END_TEST

START_TEST(a_sequence_number_is_never_sent_twice)
{
	const struct suite *s = suite_at(_i);
	struct msrtp *tx = session(MSRTP_TX, s, keysalt, 0);
	uint8_t buf[BUF], other[BUF];
	size_t len;

	(void)protected(tx, buf, 77, SSRC, 20);
	len = packet(buf, 77, SSRC, 21);
	ck_assert_int_eq(msrtp_protect(tx, buf, &len), MSRTP_REPLAY);
	ck_assert_uint_eq(packet(other, 77, SSRC, 21), len);
	ck_assert_mem_eq(buf, other, len);
	msrtp_free(&tx);
}
END_TEST

START_TEST(a_source_may_change_and_can_be_forgotten)
{
	const struct suite *s = suite_at(_i);
	struct msrtp *tx = session(MSRTP_TX, s, keysalt, 0);
	struct msrtp *rx = session(MSRTP_RX, s, keysalt, 0);
	uint8_t a[BUF], b[BUF];
	const size_t an = protected(tx, a, 5, SSRC, 20);
	const size_t bn = protected(tx, b, 5, 0x80000002, 20);

	ck_assert_int_eq(receive(rx, a, an), MSRTP_OK);
	ck_assert_int_eq(receive(rx, b, bn), MSRTP_OK);
	ck_assert_int_eq(receive(rx, a, an), MSRTP_REPLAY);

	/* Only the one that is named is forgotten */
	msrtp_remove_ssrc(rx, SSRC);
	ck_assert_int_eq(receive(rx, b, bn), MSRTP_REPLAY);
	ck_assert_int_eq(receive(rx, a, an), MSRTP_OK);
	msrtp_remove_ssrc(rx, 12345);
	msrtp_remove_ssrc(NULL, 1);
	msrtp_free(&tx);
	msrtp_free(&rx);
}
END_TEST

/* --- forgeries -------------------------------------------------------- */

START_TEST(wrong_or_missing_mki_is_refused)
{
	const struct suite *s = suite_at(_i);
	struct msrtp *tx = session(MSRTP_TX, s, keysalt, 4);
	struct msrtp *rx4, *rx3, *rx0;
	uint8_t buf[BUF];
	size_t len;

	mki_bytes[3] ^= 1;
	rx4 = session(MSRTP_RX, s, keysalt, 4);
	mki_bytes[3] ^= 1;
	rx3 = session(MSRTP_RX, s, keysalt, 3);
	rx0 = session(MSRTP_RX, s, keysalt, 0);

	len = protected(tx, buf, 1, SSRC, 40);
	ck_assert_int_eq(receive(rx4, buf, len), MSRTP_BAD);
	ck_assert_int_ne(receive(rx3, buf, len), MSRTP_OK);
	ck_assert_int_ne(receive(rx0, buf, len), MSRTP_OK);
	msrtp_free(&tx);
	msrtp_free(&rx4);
	msrtp_free(&rx3);
	msrtp_free(&rx0);
}
END_TEST

/* Each length in a block of just that size, for the sanitizers; below min
   there is no room for header, index, tag and MKI */
static void truncate_all(struct msrtp *rx, const uint8_t *pkt, size_t len,
			 size_t min,
			 enum msrtp_err (*fn)(struct msrtp *m, uint8_t *pkt,
					      size_t *lenp))
{
	for (size_t n = 0; n < len; n++) {
		uint8_t *p = malloc(n + !n);
		enum msrtp_err err;
		size_t m = n;

		ck_assert_ptr_nonnull(p);
		memcpy(p, pkt, n);
		err = fn(rx, p, &m);
		ck_assert_int_ne(err, MSRTP_OK);
		ck_assert(n >= min || err == MSRTP_BAD);
		ck_assert_uint_eq(m, n);
		ck_assert_mem_eq(p, pkt, n);
		free(p);
	}
}

START_TEST(truncated_packets_are_refused_and_left_alone)
{
	const struct suite *s = suite_at(_i);

	for (size_t mki_len = 0; mki_len < 5; mki_len += 4) {
		struct msrtp *tx = session(MSRTP_TX, s, keysalt, mki_len);
		struct msrtp *rx = session(MSRTP_RX, s, keysalt, mki_len);
		uint8_t buf[BUF];
		size_t len = protected(tx, buf, 1, SSRC, 40);

		truncate_all(rx, buf, len, RTPH_SIZE + s->tag_len + mki_len,
			     msrtp_unprotect);
		ck_assert_int_eq(msrtp_unprotect(rx, buf, &len), MSRTP_OK);

		len = sizeof(rtcp);
		memcpy(buf, rtcp, len);
		ck_assert_int_eq(msrtp_protect_rtcp(tx, buf, &len), MSRTP_OK);
		truncate_all(rx, buf, len, 8 + 4 + s->rtcp_tag_len + mki_len,
			     msrtp_unprotect_rtcp);
		ck_assert_int_eq(msrtp_unprotect_rtcp(rx, buf, &len),
				 MSRTP_OK);
		msrtp_free(&tx);
		msrtp_free(&rx);
	}
}
END_TEST

/* @return false if nothing was changed */
static bool mutate(uint8_t *p, size_t *lenp)
{
	const size_t len = *lenp;
	const size_t at = rnd() % len;
	const uint8_t with = (uint8_t)(rnd() % 255 + 1);

	switch (rnd() % 5) {
	case 0:                         /* a bit                             */
		p[at] ^= (uint8_t)(1u << rnd() % 8);
		break;
	case 1:                         /* a byte                            */
		p[at] ^= with;
		break;
	case 2:                         /* cut                               */
		*lenp = at;
		break;
	case 3:                         /* longer                            */
		for (size_t i = 0; i < 1 + rnd() % 40; i++)
			p[(*lenp)++] = (uint8_t)rnd();
		break;
	default:                        /* two bytes change places           */
		if (p[at] == p[0])
			return false;
		p[0] ^= p[at];
		p[at] ^= p[0];
		p[0] ^= p[at];
		break;
	}

	return true;
}

static void forge(struct msrtp *rx, const uint8_t *pkt, size_t len,
		  enum msrtp_err (*fn)(struct msrtp *m, uint8_t *pkt,
				       size_t *lenp))
{
	uint8_t buf[BUF], copy[BUF];

	for (unsigned i = 0; i < 10000; i++) {
		size_t n = len, m;

		memcpy(buf, pkt, len);
		if (!mutate(buf, &n))
			continue;
		memcpy(copy, buf, n);
		m = n;
		ck_assert_int_ne(fn(rx, buf, &m), MSRTP_OK);
		ck_assert_uint_eq(m, n);
		ck_assert_mem_eq(buf, copy, n);
	}
}

START_TEST(ten_thousand_mutated_packets_never_authenticate)
{
	const struct suite *s = suite_at(_i);

	for (size_t mki_len = 0; mki_len < 3; mki_len += 2) {
		struct msrtp *tx = session(MSRTP_TX, s, keysalt, mki_len);
		struct msrtp *rx = session(MSRTP_RX, s, keysalt, mki_len);
		uint8_t buf[BUF];
		size_t len;

		len = protected(tx, buf, 1, SSRC, 40);
		forge(rx, buf, len, msrtp_unprotect);
		/* nothing of that may have moved the receiver */
		ck_assert_int_eq(msrtp_unprotect(rx, buf, &len), MSRTP_OK);

		len = protected(tx, buf, 2, SSRC, 40);
		forge(rx, buf, len, msrtp_unprotect);
		ck_assert_int_eq(msrtp_unprotect(rx, buf, &len), MSRTP_OK);

		len = sizeof(rtcp);
		memcpy(buf, rtcp, len);
		ck_assert_int_eq(msrtp_protect_rtcp(tx, buf, &len), MSRTP_OK);
		forge(rx, buf, len, msrtp_unprotect_rtcp);
		ck_assert_int_eq(msrtp_unprotect_rtcp(rx, buf, &len),
				 MSRTP_OK);
		msrtp_free(&tx);
		msrtp_free(&rx);
	}
}
END_TEST

START_TEST(another_key_can_be_tried_on_the_same_packet)
{
	const struct suite *s = suite_at(_i);
	uint8_t other[SUITE_KEYSALT_MAX], buf[BUF], clear[BUF];
	struct msrtp *tx, *rx, *wrong;
	size_t len, n;

	memcpy(other, keysalt, sizeof(other));
	other[3] ^= 1;
	tx    = session(MSRTP_TX, s, keysalt, 0);
	rx    = session(MSRTP_RX, s, keysalt, 0);
	wrong = session(MSRTP_RX, s, other, 0);

	len = protected(tx, buf, 1, SSRC, 500);
	ck_assert_int_eq(msrtp_unprotect(wrong, buf, &len), MSRTP_AUTH);
	ck_assert_int_eq(msrtp_unprotect(rx, buf, &len), MSRTP_OK);
	n = packet(clear, 1, SSRC, 500);
	ck_assert_uint_eq(len, n);
	ck_assert_mem_eq(buf, clear, n);
	msrtp_free(&tx);
	msrtp_free(&rx);
	msrtp_free(&wrong);
}
END_TEST

/* A valid tag over clear SRTCP: nobody negotiates UNENCRYPTED_SRTCP with us */
START_TEST(clear_rtcp_is_refused_though_it_authenticates)
{
	const struct suite *s = suite_at(_i);
	struct msrtp *rx = session(MSRTP_RX, s, keysalt, 0);
	uint8_t buf[BUF];
	struct srtp_ref r;
	size_t len;

	srtp_ref_init(&r, s, keysalt);
	memcpy(buf, rtcp, sizeof(rtcp));
	len = srtp_ref_rtcp(&r, buf, sizeof(rtcp), 9, false, NULL, 0);
	ck_assert_int_eq(msrtp_unprotect_rtcp(rx, buf, &len), MSRTP_BAD);

	/* the same with E = 1 shows that it was the E bit */
	memcpy(buf, rtcp, sizeof(rtcp));
	len = srtp_ref_rtcp(&r, buf, sizeof(rtcp), 9, true, NULL, 0);
	ck_assert_int_eq(msrtp_unprotect_rtcp(rx, buf, &len), MSRTP_OK);
	msrtp_free(&rx);
}
END_TEST

START_TEST(shortest_packets_are_taken)
{
	const struct suite *s = suite_at(_i);
	struct msrtp *tx = session(MSRTP_TX, s, keysalt, 0);
	struct msrtp *rx = session(MSRTP_RX, s, keysalt, 0);
	uint8_t buf[BUF];
	size_t len;

	len = protected(tx, buf, 1, SSRC, 0);
	ck_assert_int_eq(msrtp_unprotect(rx, buf, &len), MSRTP_OK);
	ck_assert_uint_eq(len, RTPH_SIZE);

	memcpy(buf, "\x80\xc9\0\1\x0c\x0f\xfe\xe1", 8);
	len = 8;
	ck_assert_int_eq(msrtp_protect_rtcp(tx, buf, &len), MSRTP_OK);
	ck_assert_int_eq(msrtp_unprotect_rtcp(rx, buf, &len), MSRTP_OK);
	ck_assert_uint_eq(len, 8);
	msrtp_free(&tx);
	msrtp_free(&rx);
}
END_TEST

START_TEST(largest_packets_are_taken_and_larger_ones_refused)
{
	const struct suite *s = suite_at(_i);
	struct msrtp *tx = session(MSRTP_TX, s, keysalt, 128);
	struct msrtp *rx = session(MSRTP_RX, s, keysalt, 128);
	static uint8_t buf[2 * BUF];
	size_t len;

	len = packet(buf, 1, SSRC, RTPH_MTU - RTPH_SIZE);
	ck_assert_int_eq(msrtp_protect(tx, buf, &len), MSRTP_OK);
	ck_assert_uint_le(len, BUF);
	ck_assert_int_eq(msrtp_unprotect(rx, buf, &len), MSRTP_OK);
	ck_assert_uint_eq(len, RTPH_MTU);

	len = RTPH_MTU + 1;
	ck_assert_int_eq(msrtp_protect(tx, buf, &len), MSRTP_BAD);
	len = sizeof(buf);
	ck_assert_int_eq(msrtp_unprotect(rx, buf, &len), MSRTP_BAD);
	msrtp_free(&tx);
	msrtp_free(&rx);
}
END_TEST

START_TEST(wrong_use_is_refused)
{
	const struct suite *s = suite_at(_i);
	struct msrtp *tx = session(MSRTP_TX, s, keysalt, 0);
	struct msrtp *rx = session(MSRTP_RX, s, keysalt, 0), *m = NULL;
	struct secret *key = NULL;
	uint8_t buf[BUF];
	size_t len = packet(buf, 1, SSRC, 60);

	ck_assert_int_eq(msrtp_protect(rx, buf, &len), MSRTP_BAD);
	ck_assert_int_eq(msrtp_unprotect(tx, buf, &len), MSRTP_BAD);
	ck_assert_int_eq(msrtp_protect(NULL, buf, &len), MSRTP_BAD);

	ck_assert_int_eq(secret_copy(&key, keysalt,
				     suite_keysalt_len(s) - 1), 0);
	ck_assert_int_eq(msrtp_new(&m, MSRTP_TX, s, key, NULL, 0), EINVAL);
	secret_free(&key);
	ck_assert_int_eq(secret_copy(&key, keysalt, suite_keysalt_len(s)), 0);
	ck_assert_int_eq(msrtp_new(&m, MSRTP_TX, s, key, mki_bytes, 129),
			 EINVAL);
	ck_assert_int_eq(msrtp_new(&m, MSRTP_TX, s, key, NULL, 4), EINVAL);
	ck_assert_int_eq(msrtp_new(&m, MSRTP_TX, s, NULL, NULL, 0), EINVAL);
	ck_assert_int_eq(msrtp_new(&m, MSRTP_TX, NULL, key, NULL, 0), EINVAL);
	ck_assert_ptr_null(m);
	secret_free(&key);
	msrtp_free(&m);
	msrtp_free(&tx);
	msrtp_free(&rx);
}
END_TEST

static void add_for_all_suites(TCase *tc, const TTest *t)
{
	tcase_add_loop_test(tc, t, SUITE_NONE + 1, SUITE_MAX + 1);
}

static TCase *answers(const char *name, SFun start)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, start, teardown);
	tcase_add_test(tc, reference_derives_the_keys_of_the_rfcs);
	tcase_add_test(tc, rfc_3711_b3_keys_are_seen_in_a_packet);
	tcase_add_test(tc, rfc_6188_keys_are_seen_in_a_packet);
	tcase_add_test(tc, worked_example_of_a_gcm_packet);
	add_for_all_suites(tc, every_suite_equals_the_reference_and_comes_back);
	add_for_all_suites(tc, csrcs_and_extension_stay_in_clear);
	add_for_all_suites(tc, roc_counts_on_over_the_wrap);
	add_for_all_suites(tc, a_source_goes_on_in_another_context_that_knows_its_roc);

	return tc;
}

static TCase *order(void)
{
	TCase *tc = tcase_create("order");

	tcase_add_checked_fixture(tc, setup, teardown);
	add_for_all_suites(tc,
			   replayed_packets_are_dropped_and_late_ones_are_not);
	add_for_all_suites(tc, replayed_rtcp_is_dropped);
	add_for_all_suites(tc, a_sequence_number_is_never_sent_twice);
	add_for_all_suites(tc, a_source_may_change_and_can_be_forgotten);

	return tc;
}

static TCase *forgeries(void)
{
	TCase *tc = tcase_create("forgeries");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	/* libsrtp 2.5 cannot do MKI in SRTCP of the _32 suite */
	tcase_add_loop_test(tc, mki_is_where_libsrtp_puts_it,
			    SUITE_AES_256_CM_HMAC_SHA1_80, SUITE_MAX + 1);
	add_for_all_suites(tc, wrong_or_missing_mki_is_refused);
	add_for_all_suites(tc, truncated_packets_are_refused_and_left_alone);
	add_for_all_suites(tc, ten_thousand_mutated_packets_never_authenticate);
	add_for_all_suites(tc, another_key_can_be_tried_on_the_same_packet);
	add_for_all_suites(tc, clear_rtcp_is_refused_though_it_authenticates);
	add_for_all_suites(tc, shortest_packets_are_taken);
	add_for_all_suites(tc,
			   largest_packets_are_taken_and_larger_ones_refused);
	add_for_all_suites(tc, wrong_use_is_refused);

	return tc;
}

int main(void)
{
	Suite *s = suite_create("msrtp");

	suite_add_tcase(s, answers("openssl", setup));
	suite_add_tcase(s, answers("native", setup_native));
	suite_add_tcase(s, order());
	suite_add_tcase(s, forgeries());

	return check_run(s);
}
