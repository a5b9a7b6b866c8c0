/**
 * @file test_callsdp.c  The phone's reading and judging of SDP, and its keys
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include "call/ckeys.h"
#include "call/csdp.h"
#include "call/opts.h"
#include "call/passwd.h"
#include "check_run.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define MEDIA "m=audio 5004 RTP/SAVP 96 8\r\na=rtpmap:96 opus/48000/2\r\n"
/* 30 bytes: 16 of key, 14 of salt */
#define KEY_A "inline:EBESExQVFhcYGRobHB0eH6ChoqOkpaanqKmqq6yt"
#define KEY_B "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define CRYPTO_1 "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "

static const uint8_t key_a[30] = {
	0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d,
	0x1e, 0x1f, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab,
	0xac, 0xad,
};

static struct secret *ours_v[2];
static struct csdp_key linev[2];
static const struct csdp_fmt fmtv[] = { { 96, CODEC_OPUS }, { 0, CODEC_PCMU } };
static struct csdp sdp;

static void setup(void)
{
	const struct suite *cm = suite_by_id(SUITE_AES_CM_128_HMAC_SHA1_80);
	const struct suite *gcm = suite_by_id(SUITE_AEAD_AES_256_GCM);

	memset(&sdp, 0, sizeof(sdp));
	memset(linev, 0, sizeof(linev));
	ck_assert_int_eq(secret_copy(&ours_v[0], key_a, sizeof(key_a)), 0);
	ck_assert_int_eq(secret_draw(&ours_v[1], suite_keysalt_len(gcm)), 0);
	linev[0].tag = 1;
	linev[0].suite = cm;
	linev[0].key = ours_v[0];
	linev[1].tag = 2;
	linev[1].suite = gcm;
	linev[1].key = ours_v[1];
}

static void teardown(void)
{
	csdp_reset(&sdp);
	secret_free(&ours_v[0]);
	secret_free(&ours_v[1]);
	ck_assert_uint_eq(secret_count(), 0);
}

/** Judge an answer; NULL if it was taken */
static const char *judge(const char *text, unsigned *keyp)
{
	const struct csdp_ours ours = {
		.proto = "RTP/SAVP", .fmtv = fmtv, .fmtc = 2, .keyv = linev, .keyc = 2,
	};

	csdp_reset(&sdp);
	ck_assert_int_eq(csdp_decode(&sdp, text, strlen(text)), 0);

	return csdp_check_answer(&sdp, &ours, keyp);
}

START_TEST(a_good_answer_is_taken)
{
	unsigned k = 9;

	ck_assert_ptr_null(judge(HEAD MEDIA CRYPTO_1 KEY_B "\r\na=rtcp-mux\r\na=sendonly\r\n", &k));
	ck_assert_uint_eq(k, 0);
	ck_assert_int_eq(sdp.dir, CSDP_SENDONLY);
	ck_assert(sdp.mux);
	ck_assert_uint_eq(sa_port(&sdp.rtp), 5004);
	ck_assert_uint_eq(sa_port(&sdp.rtcp), 5004);
	ck_assert_uint_eq(sdp.fmtc, 2);
	ck_assert_int_eq(sdp.fmtv[0].id, CODEC_OPUS);
	ck_assert_int_eq(sdp.fmtv[1].id, CODEC_PCMA);
}
END_TEST

/* What must not be taken, and why */
static const struct {
	const char *text;
	const char *why;
} badv[] = {
	{ HEAD MEDIA, "no crypto line in the answer" },
	{ HEAD MEDIA CRYPTO_1 KEY_A "\r\n", "the answer sends our own key back" },
	{ HEAD MEDIA CRYPTO_1 KEY_B "\r\na=crypto:2 AES_CM_128_HMAC_SHA1_80 " KEY_B "\r\n",
	  "more than one crypto line in the answer" },
	{ HEAD MEDIA "a=crypto:7 AES_CM_128_HMAC_SHA1_80 " KEY_B "\r\n",
	  "the answer's crypto tag was not offered" },
	{ HEAD MEDIA "a=crypto:2 AES_CM_128_HMAC_SHA1_80 " KEY_B "\r\n",
	  "the answer's suite is not that of its tag" },
	{ HEAD "m=audio 5004 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n" CRYPTO_1 KEY_B "\r\n",
	  "the answer changes the transport profile" },
	{ HEAD "m=audio 0 RTP/SAVP 96\r\na=rtpmap:96 opus/48000/2\r\n" CRYPTO_1 KEY_B "\r\n",
	  "the answer refuses the audio" },
	{ HEAD "m=audio 5004 RTP/SAVP 97\r\na=rtpmap:97 speex/16000\r\n" CRYPTO_1 KEY_B "\r\n",
	  "no codec of ours in the answer" },
	{ HEAD "m=video 5004 RTP/SAVP 96\r\n" CRYPTO_1 KEY_B "\r\n", "no audio in the answer" },
	{ HEAD MEDIA CRYPTO_1 KEY_B "\r\nm=video 0 RTP/SAVP 31\r\n",
	  "the answer has other media lines than the offer" },
};

START_TEST(a_bad_answer_is_refused_for_its_reason)
{
	unsigned k = 0;

	ck_assert_pstr_eq(judge(badv[_i].text, &k), badv[_i].why);
}
END_TEST

START_TEST(an_answer_that_weakens_is_refused)
{
	unsigned k = 0;

	ck_assert_ptr_nonnull(judge(HEAD MEDIA CRYPTO_1 KEY_B " UNENCRYPTED_SRTP\r\n", &k));
	ck_assert_ptr_nonnull(judge(HEAD MEDIA CRYPTO_1 KEY_B " UNAUTHENTICATED_SRTP\r\n", &k));
	ck_assert_ptr_nonnull(judge(HEAD MEDIA CRYPTO_1 "inline:AAAA\r\n", &k));
}
END_TEST

START_TEST(an_answer_to_plain_media_is_refused_too)
{
	const struct csdp_ours ours = {
		.proto = "RTP/AVP", .fmtv = fmtv, .fmtc = 2, .keyv = NULL, .keyc = 0,
	};
	static const char text[] = HEAD "m=audio 5004 RTP/AVP 0\r\n";
	unsigned k;

	ck_assert_int_eq(csdp_decode(&sdp, text, strlen(text)), 0);
	ck_assert_pstr_eq(csdp_check_answer(&sdp, &ours, &k), "media without encryption");
}
END_TEST

START_TEST(the_first_acceptable_line_of_an_offer_is_picked)
{
	static const enum suite_id suitev[] = { SUITE_AES_CM_128_HMAC_SHA1_80 };
	static const char text[] = HEAD MEDIA
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:short\r\n"
		"a=crypto:2 AES_CM_128_HMAC_SHA1_80 " KEY_B " UNENCRYPTED_SRTP\r\n"
		"a=crypto:3 AES_CM_128_HMAC_SHA1_32 " KEY_B "\r\n"
		"a=crypto:4 AES_CM_128_HMAC_SHA1_80 " KEY_B "\r\n";
	unsigned k = 99;

	ck_assert_int_eq(csdp_decode(&sdp, text, strlen(text)), 0);
	ck_assert_ptr_null(csdp_pick(&sdp, suitev, 1, NULL, &k));
	ck_assert_uint_eq(sdp.cryptov[k].tag, 4);
}
END_TEST

START_TEST(an_offer_with_our_own_key_is_refused)
{
	static const enum suite_id suitev[] = { SUITE_AES_CM_128_HMAC_SHA1_80 };
	static const char text[] = HEAD MEDIA CRYPTO_1 KEY_A "\r\n";
	unsigned k;

	ck_assert_int_eq(csdp_decode(&sdp, text, strlen(text)), 0);
	ck_assert_pstr_eq(csdp_pick(&sdp, suitev, 1, ours_v[0], &k),
			  "the offer sends our own key back");
}
END_TEST

START_TEST(hold_by_address_zero_is_seen)
{
	static const char text[] = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n"
		"c=IN IP4 0.0.0.0\r\nt=0 0\r\n" MEDIA CRYPTO_1 KEY_B "\r\n";

	ck_assert_int_eq(csdp_decode(&sdp, text, strlen(text)), 0);
	ck_assert(sdp.zero_addr);
}
END_TEST

START_TEST(answer_direction_mirrors_the_offer)
{
	ck_assert_int_eq(csdp_answer_dir(CSDP_SENDRECV, CSDP_SENDRECV), CSDP_SENDRECV);
	ck_assert_int_eq(csdp_answer_dir(CSDP_SENDONLY, CSDP_SENDRECV), CSDP_RECVONLY);
	ck_assert_int_eq(csdp_answer_dir(CSDP_RECVONLY, CSDP_SENDRECV), CSDP_SENDONLY);
	ck_assert_int_eq(csdp_answer_dir(CSDP_INACTIVE, CSDP_SENDRECV), CSDP_INACTIVE);
	ck_assert_int_eq(csdp_answer_dir(CSDP_SENDRECV, CSDP_SENDONLY), CSDP_SENDONLY);
	ck_assert_int_eq(csdp_answer_dir(CSDP_SENDONLY, CSDP_SENDONLY), CSDP_INACTIVE);
}
END_TEST

static struct mbuf *encode(unsigned keyc, const struct csdp *offer)
{
	static struct sa addr;
	const struct csdp_out out = {
		.rtp = &addr, .rtcp_port = 6001, .proto = "RTP/SAVP", .id = 7, .version = 1,
		.dir = CSDP_SENDRECV, .ptime = 20, .fmtv = fmtv, .fmtc = 2,
		.keyv = linev, .keyc = keyc, .offer = offer,
	};
	struct mbuf *mb;

	ck_assert_int_eq(sa_set_str(&addr, "::1", 6000), 0);
	mb = csdp_encode(&out);
	ck_assert_ptr_nonnull(mb);

	return mb;
}

START_TEST(what_we_write_is_what_we_read)
{
	struct mbuf *mb;

	linev[1].mki = 1;
	linev[1].mki_len = 4;
	mb = encode(2, NULL);
	ck_assert_int_eq(csdp_decode(&sdp, (char *)mb->buf, mbuf_get_left(mb)), 0);
	ck_assert_uint_eq(sdp.cryptoc, 2);
	ck_assert(secret_equal(sdp.cryptov[0].keyv[0].keysalt, ours_v[0]));
	ck_assert(secret_equal(sdp.cryptov[1].keyv[0].keysalt, ours_v[1]));
	ck_assert_uint_eq(sdp.cryptov[0].keyv[0].mki_len, 0);
	ck_assert_uint_eq(sdp.cryptov[1].keyv[0].mki_len, 4);
	ck_assert_uint_eq(sa_port(&sdp.rtcp), 6001);
	ck_assert_int_eq(sa_af(&sdp.rtp), AF_INET6);
	ck_assert_uint_eq(sdp.ptime, 20);
	mem_deref(mb);
}
END_TEST

START_TEST(other_media_of_an_offer_are_refused_in_their_place)
{
	static const char text[] = HEAD "m=video 7000 RTP/SAVP 31 32\r\n" MEDIA CRYPTO_1 KEY_B
		"\r\nm=application 9 TCP/TLS/BFCP *\r\n";
	struct mbuf *mb;
	struct csdp back;

	ck_assert_int_eq(csdp_decode(&sdp, text, strlen(text)), 0);
	ck_assert_uint_eq(sdp.audio_idx, 1);
	mb = encode(1, &sdp);

	memset(&back, 0, sizeof(back));
	ck_assert_int_eq(csdp_decode(&back, (char *)mb->buf, mbuf_get_left(mb)), 0);
	ck_assert_uint_eq(back.mediac, 3);
	ck_assert_uint_eq(back.audio_idx, 1);
	ck_assert_str_eq(back.mlinev[0], "video 0 RTP/SAVP 31");
	ck_assert_str_eq(back.mlinev[2], "application 0 TCP/TLS/BFCP *");
	csdp_reset(&back);
	mem_deref(mb);
}
END_TEST

START_TEST(spoilt_lines_are_spoilt)
{
	struct mbuf *mb;

	linev[0].spoil_short = true;
	linev[1].spoil_base64 = true;
	mb = encode(2, NULL);
	ck_assert_int_eq(csdp_decode(&sdp, (char *)mb->buf, mbuf_get_left(mb)), 0);
	ck_assert_uint_eq(sdp.crypto_lines, 2);
	ck_assert_uint_eq(sdp.cryptoc, 0);
	mem_deref(mb);
}
END_TEST

START_TEST(cut_and_flipped_text_never_breaks_the_parser)
{
	static const char text[] = HEAD MEDIA CRYPTO_1 KEY_B
		"\r\na=ptime:20\r\na=rtcp:5005\r\na=sendrecv\r\n";
	char *copy = malloc(sizeof(text));

	ck_assert_ptr_nonnull(copy);
	for (size_t n = 0; n < sizeof(text); n++) {
		/* its own block, so that a sanitizer sees a read behind it */
		char *cut = malloc(n ? n : 1);

		memcpy(cut, text, n);
		(void)csdp_decode(&sdp, cut, n);
		csdp_reset(&sdp);
		free(cut);
	}
	for (size_t i = 0; i < (sizeof(text) - 1) * 8; i++) {
		memcpy(copy, text, sizeof(text));
		copy[i / 8] = (char)(copy[i / 8] ^ (1 << i % 8));
		(void)csdp_decode(&sdp, copy, sizeof(text) - 1);
		csdp_reset(&sdp);
	}
	free(copy);
}
END_TEST

START_TEST(too_much_of_anything_is_no_sdp_or_left_out)
{
	char *text = malloc(CSDP_SIZE + 2);
	int n;

	n = sprintf(text, HEAD);
	for (unsigned i = 0; i < 40; i++)
		n += sprintf(text + n, "m=audio 5004 RTP/SAVP 0\r\n");
	ck_assert_int_ne(csdp_decode(&sdp, text, (size_t)n), 0);

	n = sprintf(text, HEAD "m=audio 5004 RTP/SAVP");
	for (unsigned i = 0; i < 128; i++)
		n += sprintf(text + n, " %u", i);
	n += sprintf(text + n, "\r\n");
	for (unsigned i = 0; i < 64; i++)
		n += sprintf(text + n, CRYPTO_1 KEY_B "\r\n");
	ck_assert_int_eq(csdp_decode(&sdp, text, (size_t)n), 0);
	ck_assert_uint_le(sdp.cryptoc, CSDP_CRYPTO_MAX);

	csdp_reset(&sdp);
	memset(text, 'a', CSDP_SIZE + 1);
	ck_assert_int_ne(csdp_decode(&sdp, text, CSDP_SIZE + 1), 0);
	free(text);
}
END_TEST

/* ----- keys -------------------------------------------------------------- */

static const uint8_t rtp_pkt[] = {
	0x80, 0x00, 0x00, 0x05, 0, 0, 0, 0, 0x0c, 0x0f, 0xfe, 0xe1, 'h', 'e', 'l', 'l', 'o',
};

/** A packet under a key, number n */
static size_t protect(uint8_t *buf, const struct suite *suite, const struct secret *key,
		      const uint8_t *mki, size_t mki_len, uint8_t n)
{
	struct msrtp *m = NULL;
	size_t len = sizeof(rtp_pkt);

	ck_assert_int_eq(msrtp_new(&m, MSRTP_TX, suite, key, mki, mki_len), 0);
	memcpy(buf, rtp_pkt, len);
	buf[3] = n;
	ck_assert_int_eq(msrtp_protect(m, buf, &len), MSRTP_OK);
	msrtp_free(&m);

	return len;
}

static void sdes_make(struct sdes *sd, const struct suite *suite, uint8_t fill, uint8_t mki)
{
	uint8_t raw[SUITE_KEYSALT_MAX];

	memset(raw, fill, sizeof(raw));
	sd->suite = suite;
	ck_assert_int_eq(secret_copy(&sd->keyv[sd->keyc].keysalt, raw,
				     suite_keysalt_len(suite)), 0);
	if (mki) {
		sd->keyv[sd->keyc].mki[0] = mki;
		sd->keyv[sd->keyc].mki_len = 1;
	}
	++sd->keyc;
}

static enum msrtp_err opened(struct ckeys *k, const uint8_t *pkt, size_t len, uint64_t now_us,
			     bool *oldp)
{
	uint8_t buf[256];
	enum msrtp_err e;

	memcpy(buf, pkt, len);
	*oldp = false;
	e = ckeys_unprotect(k, false, buf, &len, now_us, oldp);
	if (!e)
		ck_assert_mem_eq(buf + 12, rtp_pkt + 12, 5);

	return e;
}

START_TEST(old_key_opens_packets_for_two_seconds_more)
{
	const struct suite *suite = suite_by_id((enum suite_id)_i);
	struct sdes a = { 0 }, b = { 0 };
	uint8_t pkt[256];
	struct ckeys *k = NULL;
	bool changed, old;
	size_t n;

	ck_assert_int_eq(msrtp_init(MSRTP_OPENSSL), 0);
	sdes_make(&a, suite, 1, 0);
	sdes_make(&b, suite, 2, 0);
	ck_assert_int_eq(ckeys_alloc(&k), 0);
	ck_assert_int_eq(ckeys_set_rx(k, &a, 1000, &changed), 0);
	ck_assert(changed);
	ck_assert_int_eq(ckeys_set_rx(k, &a, 2000, &changed), 0);
	ck_assert(!changed);
	ck_assert_int_eq(ckeys_set_rx(k, &b, 10000, &changed), 0);
	ck_assert(changed);
	ck_assert(secret_equal(ckeys_rx_key(k), b.keyv[0].keysalt));

	n = protect(pkt, suite, a.keyv[0].keysalt, NULL, 0, 5);
	ck_assert_int_eq(opened(k, pkt, n, 1000000, &old), MSRTP_OK);
	ck_assert(old);
	ck_assert_int_eq(opened(k, pkt, n, 1000000, &old), MSRTP_REPLAY);
	n = protect(pkt, suite, b.keyv[0].keysalt, NULL, 0, 5);
	ck_assert_int_eq(opened(k, pkt, n, 1000000, &old), MSRTP_OK);
	ck_assert(!old);
	n = protect(pkt, suite, a.keyv[0].keysalt, NULL, 0, 6);
	ck_assert_int_eq(opened(k, pkt, n, 2500000, &old), MSRTP_AUTH);

	mem_deref(k);
	sdes_reset(&a);
	sdes_reset(&b);
	msrtp_close();
}
END_TEST

START_TEST(the_mki_chooses_the_key)
{
	const struct suite *suite = suite_by_id((enum suite_id)_i);
	const uint8_t mkiv[3] = { 7, 8, 9 };
	const struct ckeys_use *u;
	unsigned usec;
	struct sdes sd = { 0 };
	uint8_t pkt[256];
	struct ckeys *k = NULL;
	bool changed, old;
	size_t n;

	ck_assert_int_eq(msrtp_init(MSRTP_OPENSSL), 0);
	sdes_make(&sd, suite, 1, 7);
	sdes_make(&sd, suite, 2, 8);
	ck_assert_int_eq(ckeys_alloc(&k), 0);
	ck_assert_int_eq(ckeys_set_rx(k, &sd, 0, &changed), 0);

	for (unsigned i = 0; i < 2; i++) {
		n = protect(pkt, suite, sd.keyv[i].keysalt, &mkiv[i], 1, 5);
		ck_assert_int_eq(opened(k, pkt, n, 0, &old), MSRTP_OK);
	}
	/* the right key under the other's name, and under nobody's */
	n = protect(pkt, suite, sd.keyv[0].keysalt, &mkiv[1], 1, 6);
	ck_assert_int_eq(opened(k, pkt, n, 0, &old), MSRTP_AUTH);
	n = protect(pkt, suite, sd.keyv[0].keysalt, &mkiv[2], 1, 6);
	ck_assert_int_ne(opened(k, pkt, n, 0, &old), MSRTP_OK);

	/* and it is known which key was good for what */
	u = ckeys_uses(k, &usec);
	ck_assert_uint_eq(usec, 2);
	for (unsigned i = 0; i < 2; i++) {
		char kid[KID_STRLEN];

		ck_assert_str_eq(u[i].kid, secret_kid(sd.keyv[i].keysalt, kid));
		ck_assert_uint_eq(u[i].mki, mkiv[i]);
		ck_assert_uint_eq(u[i].rtp, 1);
	}

	mem_deref(k);
	sdes_reset(&sd);
	msrtp_close();
}
END_TEST

START_TEST(a_hard_switch_leaves_no_old_key)
{
	const struct suite *suite = suite_by_id(SUITE_AEAD_AES_256_GCM);
	struct sdes a = { 0 }, b = { 0 };
	uint8_t pkt[256];
	struct ckeys *k = NULL;
	bool changed, old;
	size_t n;

	ck_assert_int_eq(msrtp_init(MSRTP_OPENSSL), 0);
	sdes_make(&a, suite, 1, 0);
	sdes_make(&b, suite, 2, 0);
	ck_assert_int_eq(ckeys_alloc(&k), 0);
	ckeys_hard_switch(k);
	ck_assert_int_eq(ckeys_set_rx(k, &a, 1000, &changed), 0);
	ck_assert_int_eq(ckeys_set_rx(k, &b, 2000, &changed), 0);
	n = protect(pkt, suite, a.keyv[0].keysalt, NULL, 0, 5);
	ck_assert_int_eq(opened(k, pkt, n, 2001, &old), MSRTP_AUTH);
	n = protect(pkt, suite, b.keyv[0].keysalt, NULL, 0, 5);
	ck_assert_int_eq(opened(k, pkt, n, 2001, &old), MSRTP_OK);

	mem_deref(k);
	sdes_reset(&a);
	sdes_reset(&b);
	msrtp_close();
}
END_TEST

START_TEST(nothing_leaves_without_a_key)
{
	uint8_t pkt[256];
	size_t n = sizeof(rtp_pkt);
	struct ckeys *k = NULL;

	memcpy(pkt, rtp_pkt, n);
	ck_assert_int_eq(ckeys_alloc(&k), 0);
	ck_assert_int_ne(ckeys_protect(k, false, pkt, &n), MSRTP_OK);
	mem_deref(k);
}
END_TEST

/* ----- password file ----------------------------------------------------- */

static int read_from(const char *text, const char *user, char **passp)
{
	char name[] = "/tmp/test_callsdp_XXXXXX";
	const int fd = mkstemp(name);
	int err;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
	(void)close(fd);
	err = passwd_read(passp, name, user);
	(void)unlink(name);

	return err;
}

START_TEST(password_is_the_users_line_or_the_only_one)
{
	char *p = NULL;

	ck_assert_int_eq(read_from("# demo\nal:x\nalice:se:cret\r\nbob:b\n", "alice", &p), 0);
	ck_assert_str_eq(p, "se:cret");
	p = mem_deref(p);
	ck_assert_int_eq(read_from("open sesame\n", "alice", &p), 0);
	ck_assert_str_eq(p, "open sesame");
	p = mem_deref(p);
	ck_assert_int_eq(read_from("bob:b\n", "alice", &p), ENOENT);
	ck_assert_int_eq(read_from("", "alice", &p), ENOENT);
	ck_assert_int_eq(read_from("a\nb\n", "alice", &p), ENOENT);
	ck_assert_int_ne(passwd_read(&p, "/nonexistent/x", "alice"), 0);
}
END_TEST

/* ----- options ------------------------------------------------------------ */

/** As roff has it: "--rtcp-interval" is \fB\-\-rtcp\-interval\fR */
static bool is_in(const char *man, const char *name, size_t len)
{
	char want[128] = "\\fB";

	ck_assert_uint_lt(len, 40);
	for (size_t i = 0; i < len; i++) {
		const char c[3] = { name[i] == '-' ? '\\' : name[i],
				    name[i] == '-' ? '-' : '\0', '\0' };

		strcat(want, c);
	}
	strcat(want, "\\fR");

	return strstr(man, want);
}

START_TEST(every_option_that_help_names_is_in_the_manual)
{
	static char man[64 * 1024], line[256];
	char call[] = "call", help[] = "--help", *argv[] = { call, help, NULL };
	FILE *f = fopen(MANUAL, "re"), *out = tmpfile();
	unsigned n = 0;
	struct opts o;

	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(out);
	man[fread(man, 1, sizeof(man) - 1, f)] = '\0';
	(void)fclose(f);

	(void)fflush(stdout);
	ck_assert_int_eq(dup2(fileno(out), STDOUT_FILENO), STDOUT_FILENO);
	ck_assert_int_eq(opts_parse(&o, 2, argv), OPTS_DONE);
	(void)fflush(stdout);
	rewind(out);
	while (fgets(line, sizeof(line), out)) {
		const char *name = strstr(line, "--");
		size_t len;

		/* what it does stands below, further to the right */
		if (!name || name - line > 5)
			continue;
		len = strcspn(name, " [\n");
		ck_assert_msg(is_in(man, name, len), "%.*s", (int)len, name);
		++n;
	}
	(void)fclose(out);
	ck_assert_uint_gt(n, 40);
}
END_TEST

/* Command lines, and what becomes of them */
static const struct {
	const char *line;
	enum opts_todo todo;
} linesv[] = {
	{ "call --uri sip:x@h", OPTS_RUN },
	{ "call", OPTS_USAGE },
	{ "call --uri sip:x@h extra", OPTS_USAGE },
	{ "call --uri sip:x@h --suite NULL_CIPHER", OPTS_USAGE },
	{ "call --uri sip:x@h --suite AEAD_AES_128_GCM,", OPTS_RUN },
	{ "call --uri sip:x@h --codec pcma,pcma,pcma,pcma,pcma", OPTS_USAGE },
	{ "call --uri sip:x@h --codec opus,gsm", OPTS_USAGE },
	{ "call --uri sip:x@h --freq 440:-9 -n 3 --hold 1:2:inactive", OPTS_RUN },
	{ "call --uri sip:x@h --freq 440:3", OPTS_USAGE },
	{ "call --uri sip:x@h --freq nan", OPTS_USAGE },
	{ "call --uri sip:x@h --hold 1", OPTS_USAGE },
	{ "call --uri sip:x@h --hold 1:2x", OPTS_USAGE },
	{ "call --uri sip:x@h -n 0", OPTS_USAGE },
	{ "call --uri sip:x@h -n 1.5", OPTS_USAGE },
	{ "call --uri sip:x@h --ptime 25", OPTS_USAGE },
	{ "call --uri sip:x@h --user alice", OPTS_USAGE },
	{ "call --uri sip:x@h --user alice --password-file /nonexistent", OPTS_USAGE },
	{ "call --uri sip:x@h --measure-delay", OPTS_USAGE },
	{ "call --uri sip:x@h --expect others --not own,700", OPTS_RUN },
	{ "call --uri sip:x@h --avp=yes", OPTS_USAGE },
	{ "call --uri sip:x@h --ca a --insecure", OPTS_USAGE },
	{ "call --version", OPTS_DONE },
};

START_TEST(a_command_line_is_taken_or_refused)
{
	char buf[200], *argv[16];
	struct opts o;
	int argc = 0;

	str_ncpy(buf, linesv[_i].line, sizeof(buf));
	for (char *save = NULL, *w = strtok_r(buf, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	argv[argc] = NULL;

	ck_assert_msg(opts_parse(&o, argc, argv) == linesv[_i].todo, "%s", linesv[_i].line);
	opts_reset(&o);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("callsdp");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_good_answer_is_taken);
	tcase_add_loop_test(tc, a_bad_answer_is_refused_for_its_reason, 0, ARRAY_SIZE(badv));
	tcase_add_test(tc, an_answer_that_weakens_is_refused);
	tcase_add_test(tc, an_answer_to_plain_media_is_refused_too);
	tcase_add_test(tc, the_first_acceptable_line_of_an_offer_is_picked);
	tcase_add_test(tc, an_offer_with_our_own_key_is_refused);
	tcase_add_test(tc, hold_by_address_zero_is_seen);
	tcase_add_test(tc, answer_direction_mirrors_the_offer);
	tcase_add_test(tc, what_we_write_is_what_we_read);
	tcase_add_test(tc, other_media_of_an_offer_are_refused_in_their_place);
	tcase_add_test(tc, spoilt_lines_are_spoilt);
	tcase_add_test(tc, cut_and_flipped_text_never_breaks_the_parser);
	tcase_add_test(tc, too_much_of_anything_is_no_sdp_or_left_out);
	tcase_add_loop_test(tc, old_key_opens_packets_for_two_seconds_more, 1, SUITE_MAX + 1);
	tcase_add_loop_test(tc, the_mki_chooses_the_key, 1, SUITE_MAX + 1);
	tcase_add_test(tc, a_hard_switch_leaves_no_old_key);
	tcase_add_test(tc, nothing_leaves_without_a_key);
	tcase_add_test(tc, password_is_the_users_line_or_the_only_one);
	tcase_add_test(tc, every_option_that_help_names_is_in_the_manual);
	tcase_add_loop_test(tc, a_command_line_is_taken_or_refused, 0, ARRAY_SIZE(linesv));
	suite_add_tcase(s, tc);

	return check_run(s);
}
