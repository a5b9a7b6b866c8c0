/**
 * @file test_negotiate.c  Offer and answer of one secured audio line
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check_run.h"
#include "focus/negotiate.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\n" \
	"c=IN IP4 192.0.2.7\r\nt=0 0\r\n"
#define AUDIO "m=audio 4000 RTP/SAVP 0 8\r\n"

/* 30, 46, 28 and 44 bytes */
#define K30A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
#define K30B "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
#define K46 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLQ=="
#define K28 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw=="
#define K44 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis="
#define CM80 "AES_CM_128_HMAC_SHA1_80"
#define CRYPTO "a=crypto:1 " CM80 " inline:" K30A "\r\n"
#define CRYPTO_MKI "a=crypto:1 " CM80 " inline:" K30A "|7:4\r\n"

static struct cfg_conf cc;
static struct descr d;
static struct neg n;
static struct neg_err e;
static struct neg_mlines ml;
static struct neg_offered off;
static struct neg_local local;
static uint32_t sess_ver;
static uint8_t body_hash[32];
static struct secret *key;
static struct mbuf *printed;
static char *kept;


static void setup(void)
{
	static const enum suite_id suitev[] = {
		SUITE_AEAD_AES_256_GCM, SUITE_AEAD_AES_128_GCM,
		SUITE_AES_256_CM_HMAC_SHA1_80, SUITE_AES_CM_128_HMAC_SHA1_80
	};

	memset(&cc, 0, sizeof(cc));
	memcpy(cc.suitev, suitev, sizeof(suitev));
	cc.suitec = ARRAY_SIZE(suitev);
	cc.codecv[0] = CODEC_OPUS;
	cc.codecv[1] = CODEC_G722;
	cc.codecv[2] = CODEC_PCMA;
	cc.codecv[3] = CODEC_PCMU;
	cc.codecc = 4;
	sa_set_str(&local.rtp, "198.51.100.1", 30000);
	local.rtcp_port = 30001;
	local.sess_id = UINT64_C(0x7fffffffffffffff);
	local.sess_ver = &sess_ver;
	local.body_hash = body_hash;
	ck_assert_int_eq(secret_draw(&key, 30), 0);
}


static void teardown(void)
{
	neg_reset(&n);
	neg_mlines_reset(&ml);
	neg_offered_reset(&off);
	secret_free(&key);
	printed = mem_deref(printed);
	free(kept);
	kept = NULL;
	ck_assert_uint_eq(secret_count(), 0);
}


static int offer_over(bool tls, const char *text)
{
	struct pl pl;

	free(kept);
	kept = strdup(text);
	pl_set_str(&pl, kept);
	memset(&e, 0xaa, sizeof(e));
	neg_reset(&n);

	return neg_offer(&n, &pl, &d, &cc, tls, &e);
}


static void take(const char *text)
{
	int err = offer_over(true, text);

	ck_assert_msg(!err, "refused: %s", err ? e.text : "");
	ck_assert_uint_eq(e.scode, 0);
	ck_assert_ptr_null(e.text);
	ck_assert_ptr_nonnull(n.sdes.suite);
}


static void refuse(const char *text, uint16_t scode, unsigned warn)
{
	ck_assert_msg(offer_over(true, text) == EPROTO, "taken: %s", text);
	ck_assert_uint_eq(e.scode, scode);
	ck_assert_uint_eq(e.warn, warn);
	ck_assert(e.text && *e.text && !strchr(e.text, '"'));
	ck_assert_ptr_null(n.sdes.suite);
	ck_assert_uint_eq(secret_count(), 1);
}


/* ---- which line, which codec, which suite ----------------------------------- */

START_TEST(usual_offer_is_taken)
{
	take(HEAD "m=audio 4000 RTP/SAVP 96 0 101 102\r\n"
	     "a=rtpmap:96 opus/48000/2\r\n"
	     "a=rtpmap:101 telephone-event/8000\r\n"
	     "a=rtpmap:102 telephone-event/48000\r\n"
	     "a=crypto:7 AEAD_AES_256_GCM inline:" K44 "\r\n" CRYPTO);
	ck_assert_uint_eq(n.index, 0);
	ck_assert(!n.avpf);
	ck_assert_int_eq(n.codec, CODEC_OPUS);
	ck_assert_uint_eq(n.pt, 96);
	ck_assert_uint_eq(n.ptime, 20);
	/* of the codec's clock: RFC 4733 section 2.1 */
	ck_assert_uint_eq(n.dtmf_pt, 102);
	ck_assert_uint_eq(n.dtmf_clock, 48000);
	ck_assert_uint_eq(n.sdes.tag, 7);
	ck_assert_int_eq(n.sdes.suite->id, SUITE_AEAD_AES_256_GCM);
	ck_assert_uint_eq(n.sdes.keyc, 1);
	ck_assert_uint_eq(sa_port(&n.remote), 4000);
	ck_assert_uint_eq(sa_port(&n.rtcp), 4001);
	ck_assert(n.peer_sends && n.peer_receives);
	ck_assert_int_eq(n.dir, SDP_SENDRECV);
}
END_TEST


static const struct {
	const char *text;
	uint16_t scode;
	unsigned warn;
} refusev[] = {
	{ "no SDP", 400, 399 },
	{ HEAD, 400, 399 },
	/* what is not encrypted, or not with a key that we can read */
	{ HEAD "m=audio 4000 RTP/AVP 0\r\n" CRYPTO, 488, 302 },
	{ HEAD "m=audio 4000 RTP/AVPF 0\r\n" CRYPTO, 488, 302 },
	{ HEAD "m=audio 4000 UDP/TLS/RTP/SAVP 0\r\n" CRYPTO, 488, 302 },
	{ HEAD "m=audio 4000 RTP/SAVPX 0\r\n" CRYPTO, 488, 302 },
	{ HEAD "m=audio 4000 rtp/savp 0\r\n" CRYPTO, 488, 302 },
	{ HEAD AUDIO, 488, 399 },
	{ HEAD CRYPTO AUDIO, 488, 399 },
	{ HEAD AUDIO "a=crypto:1 " CM80 " inline:" K30A
	  " UNENCRYPTED_SRTP\r\n", 488, 399 },
	{ HEAD AUDIO "a=crypto:1 " CM80 " inline:" K30A
	  " UNENCRYPTED_SRTCP\r\n", 488, 399 },
	{ HEAD AUDIO "a=crypto:1 " CM80 " inline:" K30A
	  " UNAUTHENTICATED_SRTP\r\n", 488, 399 },
	{ HEAD AUDIO "a=crypto:1 NULL_HMAC_SHA1_80 inline:" K30A "\r\n", 488,
	  399 },
	{ HEAD AUDIO "a=crypto:1 " CM80 " inline:" K28 "\r\n", 488, 399 },
	{ HEAD AUDIO "a=crypto:1 " CM80 " inline:" K30A "|2^20|1:4;inline:"
	  K30A "|2^20|2:4\r\n", 488, 399 },
	{ HEAD AUDIO "a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:" K30A "\r\n",
	  488, 399 },
	{ HEAD AUDIO "a=crypto:\r\n", 488, 399 },
	{ HEAD AUDIO "a=crypto\r\n", 488, 399 },
	/* nothing to hear */
	{ HEAD "m=video 4000 RTP/SAVP 31\r\n" CRYPTO, 488, 304 },
	{ HEAD "m=audio 0 RTP/SAVP 0\r\n" CRYPTO, 488, 304 },
	{ HEAD "m=video 4000 RTP/SAVP 31\r\nm=text 1 RTP/SAVP 9\r\n", 488,
	  304 },
	{ HEAD "m=audio 4000 RTP/SAVP 3 18\r\n" CRYPTO, 488, 305 },
	{ HEAD "m=audio 4000 RTP/SAVP x\r\n" CRYPTO, 488, 305 },
	/* a dynamic type without a map, or with one we cannot play */
	{ HEAD "m=audio 4000 RTP/SAVP 96\r\n" CRYPTO, 488, 305 },
	{ HEAD "m=audio 4000 RTP/SAVP 0\r\na=rtpmap:0 x/8000\r\n" CRYPTO, 488,
	  305 },
	{ HEAD "m=audio 4000 RTP/SAVP 0\r\na=rtpmap:0 PCMU/16000\r\n" CRYPTO,
	  488, 305 },
	{ HEAD "m=audio 4000 RTP/SAVP 0\r\na=rtpmap:0 PCMU/8000/2\r\n" CRYPTO,
	  488, 305 },
	{ HEAD "m=audio 4000 RTP/SAVP 0\r\na=rtpmap:0 PCMU\r\n" CRYPTO, 488,
	  305 },
	/* RFC 5761 section 4: 64 to 95 look like RTCP */
	{ HEAD "m=audio 4000 RTP/SAVP 72\r\na=rtpmap:72 opus/48000/2\r\n"
	  CRYPTO, 488, 305 },
	/* where many would get it */
	{ HEAD AUDIO "c=IN IP4 224.2.1.1/127\r\n" CRYPTO, 488, 330 },
	{ HEAD AUDIO "c=IN IP4 255.255.255.255\r\n" CRYPTO, 488, 330 },
	{ HEAD AUDIO "c=IN IP6 ff02::1\r\n" CRYPTO, 488, 330 },
	{ HEAD AUDIO "c=IN IP6 ::ffff:224.0.0.1\r\n" CRYPTO, 488, 330 },
	{ HEAD AUDIO "a=rtcp:9 IN IP4 224.0.0.1\r\n" CRYPTO, 488, 330 },
	{ HEAD AUDIO "a=rtcp:9 IN IP6 ::1\r\n" CRYPTO, 488, 399 },
};


START_TEST(unacceptable_offer_is_refused_with_a_reason)
{
	refuse(refusev[_i].text, refusev[_i].scode, refusev[_i].warn);
}
END_TEST


START_TEST(key_that_did_not_come_over_tls_is_none)
{
	ck_assert_int_eq(offer_over(false, HEAD AUDIO CRYPTO), EPROTO);
	ck_assert_uint_eq(e.scode, 488);
	ck_assert_ptr_nonnull(strstr(e.text, "TLS"));
}
END_TEST


START_TEST(too_much_is_488_and_nonsense_400)
{
	static char text[DESCR_BODY_MAX + 2];

	memset(text, '\n', sizeof(text) - 1);
	refuse(text, 488, 399);
}
END_TEST


START_TEST(first_good_crypto_line_in_the_peers_order)
{
	take(HEAD AUDIO
	     "a=crypto:1 F8_128_HMAC_SHA1_80 inline:" K30A "\r\n"
	     "a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:" K30A "\r\n"
	     "a=crypto:3 " CM80 " inline:" K30A " UNENCRYPTED_SRTCP\r\n"
	     "a=crypto:4 " CM80 " inline:tooshort\r\n"
	     "a=crypto:nonsense\r\n"
	     "a=crypto:6 " CM80 " inline:" K30B "\r\n"
	     "a=crypto:7 AES_256_CM_HMAC_SHA1_80 inline:" K46 "\r\n");
	ck_assert_uint_eq(n.sdes.tag, 6);
}
END_TEST


START_TEST(policy_says_which_suites)
{
	static const char text[] = HEAD AUDIO
		"a=crypto:1 AEAD_AES_256_GCM inline:" K44 "\r\n"
		"a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:" K30A "\r\n"
		"a=crypto:3 AEAD_AES_128_GCM inline:" K28 "\r\n";

	cc.suitev[0] = SUITE_AEAD_AES_128_GCM;
	cc.suitec = 1;
	take(text);
	ck_assert_uint_eq(n.sdes.tag, 3);
	cc.suitev[0] = SUITE_AES_CM_128_HMAC_SHA1_32;
	take(text);
	ck_assert_uint_eq(n.sdes.tag, 2);
	cc.suitec = 0;
	refuse(text, 488, 399);
}
END_TEST


START_TEST(policy_says_which_codecs)
{
	cc.codecv[0] = CODEC_PCMA;
	cc.codecc = 1;
	take(HEAD AUDIO CRYPTO);
	ck_assert_int_eq(n.codec, CODEC_PCMA);
	ck_assert_uint_eq(n.pt, 8);
	refuse(HEAD "m=audio 4000 RTP/SAVP 0\r\n" CRYPTO, 488, 305);
}
END_TEST


START_TEST(doubled_tag_names_no_line)
{
	refuse(HEAD AUDIO CRYPTO
	       "a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:" K46 "\r\n", 488,
	       399);
	ck_assert_str_eq(e.text, "Duplicate crypto tag");
	/* also if the words are set apart otherwise */
	refuse(HEAD AUDIO CRYPTO "a=crypto:1\t" CM80 " inline:" K30B "\r\n",
	       488, 399);
	take(HEAD AUDIO CRYPTO "a=crypto:1 " CM80 " inline:" K30B "\r\n"
	     "a=crypto:11 AES_256_CM_HMAC_SHA1_80 inline:" K46 "\r\n");
	ck_assert_uint_eq(n.sdes.tag, 11);
	/* what is no line at all does not count */
	take(HEAD AUDIO CRYPTO "a=crypto:1nonsense\r\n");
	ck_assert_uint_eq(n.sdes.tag, 1);
}
END_TEST


START_TEST(first_good_audio_line_is_taken)
{
	take(HEAD "m=video 5000 RTP/SAVP 31\r\n" CRYPTO
	     "m=audio 0 RTP/SAVP 0\r\n" CRYPTO
	     "m=audio 4000 RTP/AVP 0\r\n"
	     "m=audio 4002 RTP/SAVPF 8\r\n" CRYPTO
	     "m=audio 4004 RTP/SAVP 0\r\n" CRYPTO);
	ck_assert_uint_eq(n.index, 3);
	ck_assert(n.avpf);
	ck_assert_uint_eq(sa_port(&n.remote), 4002);
}
END_TEST


static const struct {
	const char *lines;
	uint32_t rate;
	bool fec, dtx, cbr;
} opusv[] = {
	{ "",                                         48000, 0, 0, 0 },
	{ "a=fmtp:96 useinbandfec=1\r\n",             48000, 1, 0, 0 },
	{ "a=fmtp:96 useinbandfec=0;usedtx=1\r\n",    48000, 0, 1, 0 },
	{ "a=fmtp:96 cbr=1; maxplaybackrate=8000\r\n", 8000, 0, 0, 1 },
	{ "a=fmtp:96 maxplaybackrate=16000 ;useinbandfec=1 ;usedtx=1\r\n",
	  16000, 1, 1, 0 },
	{ "a=fmtp:96 maxplaybackrate=96000\r\n",      48000, 0, 0, 0 },
	{ "a=fmtp:96 maxplaybackrate=0\r\n",          48000, 0, 0, 0 },
	{ "a=fmtp:96 maxplaybackrate=x;usedtx=2\r\n", 48000, 0, 0, 0 },
	{ "a=fmtp:97 useinbandfec=1\r\n",             48000, 0, 0, 0 },
};


START_TEST(opus_parameters)
{
	char text[512];

	snprintf(text, sizeof(text), HEAD "m=audio 4000 RTP/SAVP 96\r\n"
		 "a=rtpmap:96 OPUS/48000%s\r\n%s" CRYPTO,
		 _i % 2 ? "" : "/2", opusv[_i].lines);
	take(text);
	ck_assert_int_eq(n.codec, CODEC_OPUS);
	ck_assert_uint_eq(n.opus_max_rate, opusv[_i].rate);
	ck_assert(n.opus_fec == opusv[_i].fec);
	ck_assert(n.opus_dtx == opusv[_i].dtx);
	ck_assert(n.opus_cbr == opusv[_i].cbr);
}
END_TEST


START_TEST(dtmf_of_8000_hz_is_taken_if_there_is_none_of_the_codecs_clock)
{
	take(HEAD "m=audio 4000 RTP/SAVP 96 101\r\n"
	     "a=rtpmap:96 opus/48000/2\r\n"
	     "a=rtpmap:101 telephone-event/8000\r\n" CRYPTO);
	ck_assert_uint_eq(n.dtmf_pt, 101);
	ck_assert_uint_eq(n.dtmf_clock, 8000);

	/* in any order the better one */
	take(HEAD "m=audio 4000 RTP/SAVP 96 101 102 103\r\n"
	     "a=rtpmap:96 opus/48000/2\r\n"
	     "a=rtpmap:101 telephone-event/8000\r\n"
	     "a=rtpmap:102 telephone-event/48000\r\n"
	     "a=rtpmap:103 telephone-event/8000\r\n" CRYPTO);
	ck_assert_uint_eq(n.dtmf_pt, 102);
	ck_assert_uint_eq(n.dtmf_clock, 48000);
}
END_TEST


START_TEST(dtmf_of_another_clock_or_number_is_not_taken)
{
	take(HEAD "m=audio 4000 RTP/SAVP 0 101\r\n"
	     "a=rtpmap:101 telephone-event/48000\r\n" CRYPTO);
	ck_assert_uint_eq(n.dtmf_pt, 0);
	take(HEAD "m=audio 4000 RTP/SAVP 0 77\r\n"
	     "a=rtpmap:77 telephone-event/8000\r\n" CRYPTO);
	ck_assert_uint_eq(n.dtmf_pt, 0);
	take(HEAD "m=audio 4000 RTP/SAVP 96 096\r\n"
	     "a=rtpmap:96 PCMU/8000\r\n"
	     "a=rtpmap:096 telephone-event/8000\r\n" CRYPTO);
	ck_assert_uint_eq(n.pt, 96);
	ck_assert_uint_eq(n.dtmf_pt, 0);
}
END_TEST


/* ---- hold --------------------------------------------------------------------- */

static const struct {
	const char *lines;
	bool sends, receives;
	enum sdp_dir dir;           /* ours, in the answer */
} holdv[] = {
	{ "a=sendrecv\r\n",  true,  true,  SDP_SENDRECV },
	{ "",                true,  true,  SDP_SENDRECV },
	/* music on hold does not get into the conference */
	{ "a=sendonly\r\n",  false, false, SDP_RECVONLY },
	{ "a=recvonly\r\n",  false, true,  SDP_SENDONLY },
	{ "a=inactive\r\n",  false, false, SDP_INACTIVE },
	{ "c=IN IP4 0.0.0.0\r\n", false, false, SDP_RECVONLY },
	{ "c=IN IP6 ::\r\na=inactive\r\n", false, false, SDP_INACTIVE },
	{ "c=IN IP4 0.0.0.0\r\na=recvonly\r\n", false, false, SDP_INACTIVE },
};


static const struct neg_keys *one_key(const struct secret *s)
{
	static struct neg_keys keys;

	memset(&keys, 0, sizeof(keys));
	keys.v[0].key = s;
	keys.c = 1;

	return &keys;
}


static const char *print_answer(void)
{
	static char text[8192];

	printed = mem_deref(printed);
	neg_mlines_reset(&ml);
	ck_assert_int_eq(neg_mlines_set(&ml, &d, n.index), 0);
	ck_assert_int_eq(neg_print_answer(&printed, &n, &ml, &local, one_key(key)), 0);
	ck_assert_uint_lt(mbuf_get_left(printed), sizeof(text));
	memcpy(text, mbuf_buf(printed), mbuf_get_left(printed));
	text[mbuf_get_left(printed)] = '\0';

	return text;
}


START_TEST(hold_in_every_form)
{
	char text[512], want[32];

	snprintf(text, sizeof(text), HEAD AUDIO "%s" CRYPTO, holdv[_i].lines);
	take(text);
	ck_assert(n.peer_sends == holdv[_i].sends);
	ck_assert(n.peer_receives == holdv[_i].receives);
	ck_assert_int_eq(n.dir, holdv[_i].dir);
	snprintf(want, sizeof(want), "a=%s\r\n", sdp_dir_name(n.dir));
	ck_assert_ptr_nonnull(strstr(print_answer(), want));
}
END_TEST


/* ---- our answers ---------------------------------------------------------------- */

/** What was printed, read as an answer to an offer of exactly that line */
static void read_own_answer(const char *text, struct neg *back)
{
	static struct descr d2;
	struct neg_offered one;
	struct neg_err e2;
	struct pl pl;

	memset(&one, 0, sizeof(one));
	one.linev[0].tag = n.sdes.tag;
	one.linev[0].suite = n.sdes.suite->id;
	one.linec = 1;
	pl_set_str(&pl, text);
	memset(back, 0, sizeof(*back));
	ck_assert_int_eq(neg_answer(back, &pl, &d2, n.index, &cc, &one, &e2),
			 0);
	ck_assert_uint_eq(d2.mediac, d.mediac);
	ck_assert(secret_equal(back->sdes.keyv[0].keysalt, key));
	ck_assert_uint_eq(sa_port(&back->remote), 30000);
	ck_assert_int_eq(back->codec, n.codec);
	ck_assert_uint_eq(back->pt, n.pt);
	ck_assert_uint_eq(back->dtmf_pt, n.dtmf_pt);
	ck_assert(back->rtcp_mux == n.rtcp_mux);
}


START_TEST(answer_has_every_line_in_order_and_one_in_use)
{
	struct neg back;
	const char *text;

	take(HEAD "m=video 5000 RTP/AVP 31 34\r\nb=AS:300\r\n"
	     "m=audio 4000 RTP/SAVPF 96 100\r\na=rtpmap:96 opus/48000/2\r\n"
	     "a=rtpmap:100 telephone-event/48000\r\n"
	     "a=extmap:5/sendonly urn:ietf:params:rtp-hdrext:"
	     "ssrc-audio-level vad=off\r\na=rtcp-mux\r\n" CRYPTO
	     "m=application 9 TCP/BFCP *\r\n"
	     "m=audio 6000 RTP/SAVP 0\r\n" CRYPTO);
	text = print_answer();
	ck_assert_ptr_nonnull(strstr(text,
		"m=video 0 RTP/AVP 31\r\n"
		"m=audio 30000 RTP/SAVPF 96 100\r\n"
		"a=crypto:1 " CM80 " inline:"));
	ck_assert_ptr_nonnull(strstr(text,
		"m=application 0 TCP/BFCP *\r\n"
		"m=audio 0 RTP/SAVP 0\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "\r\na=rtpmap:96 opus/48000/2\r\n"
		"a=fmtp:96 useinbandfec=1\r\n"
		"a=rtpmap:100 telephone-event/48000\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "\r\na=extmap:5/recvonly urn:ietf:"
		"params:rtp-hdrext:ssrc-audio-level vad=off\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "\r\na=rtcp-mux\r\n"));
	ck_assert_ptr_null(strstr(text, "a=rtcp:"));
	ck_assert(!strncmp(text, "v=0\r\no=- 9223372036854775807 1 IN IP4 "
			   "198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\n"
			   "t=0 0\r\nm=", 40));
	read_own_answer(text, &back);
	ck_assert(back.avpf);
	neg_reset(&back);
}
END_TEST


START_TEST(answer_over_ipv6_with_its_own_rtcp_port)
{
	struct neg back;
	const char *text;

	sa_set_str(&local.rtp, "2001:db8::1", 30000);
	take(HEAD AUDIO "c=IN IP6 2001:db8::7\r\n"
	     "a=crypto:3 AEAD_AES_128_GCM inline:" K28 "\r\n");
	secret_free(&key);
	ck_assert_int_eq(secret_draw(&key, 28), 0);
	text = print_answer();
	ck_assert_ptr_nonnull(strstr(text, " IN IP6 2001:db8::1\r\ns=-\r\n"
				     "c=IN IP6 2001:db8::1\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "\r\na=rtcp:30001\r\n"));
	read_own_answer(text, &back);
	neg_reset(&back);
}
END_TEST


START_TEST(answer_spells_the_suite_as_the_offer_did)
{
	take(HEAD AUDIO "a=crypto:1 aes_cm_128_hmac_sha1_80 inline:" K30A
	     "\r\n");
	ck_assert_ptr_nonnull(strstr(print_answer(),
		"\r\na=crypto:1 aes_cm_128_hmac_sha1_80 inline:"));
}
END_TEST


/* RFC 4568 section 6.1: several keys in one line, an MKI of one length each */
START_TEST(two_keys_are_in_one_line_each_with_its_mki)
{
	struct neg_keys keys = *one_key(key);
	struct secret *own = NULL;
	char text[4096];
	struct neg back;

	take(HEAD AUDIO CRYPTO);
	ck_assert_int_eq(neg_mlines_set(&ml, &d, n.index), 0);
	ck_assert_int_eq(secret_draw(&own, 30), 0);
	keys.v[0].mki = 0x1234;
	keys.v[1].key = own;
	keys.v[1].mki = 1;
	keys.c = 2;
	keys.mki_len = 3;
	ck_assert_int_eq(neg_print_answer(&printed, &n, &ml, &local, &keys), 0);
	ck_assert_uint_lt(mbuf_get_left(printed), sizeof(text));
	memcpy(text, mbuf_buf(printed), mbuf_get_left(printed));
	text[mbuf_get_left(printed)] = '\0';
	read_own_answer(text, &back);
	ck_assert_uint_eq(back.sdes.keyc, 2);
	ck_assert(secret_equal(back.sdes.keyv[1].keysalt, own));
	ck_assert_uint_eq(back.sdes.keyv[0].mki_len, 3);
	ck_assert_mem_eq(back.sdes.keyv[0].mki, "\x00\x12\x34", 3);
	ck_assert_mem_eq(back.sdes.keyv[1].mki, "\x00\x00\x01", 3);
	neg_reset(&back);

	/* one of them is missing, or both are */
	printed = mem_deref(printed);
	keys.v[1].key = NULL;
	ck_assert_int_ne(neg_print_answer(&printed, &n, &ml, &local, &keys), 0);
	keys.c = 0;
	ck_assert_int_ne(neg_print_answer(&printed, &n, &ml, &local, &keys), 0);
	ck_assert_ptr_null(printed);
	secret_free(&own);
}
END_TEST


START_TEST(only_who_offers_an_mki_is_sent_any_and_only_with_group_keys)
{
	static const struct {
		const char *offer;
		enum keying keying;
		uint8_t len;
	} v[] = {
		{ HEAD AUDIO CRYPTO, KEYING_GROUP, 0 },
		{ HEAD AUDIO CRYPTO, KEYING_AUTO, 0 },
		{ HEAD AUDIO CRYPTO_MKI, KEYING_GROUP, 4 },
		{ HEAD AUDIO CRYPTO_MKI, KEYING_AUTO, 4 },
		{ HEAD AUDIO CRYPTO_MKI, KEYING_ENDPOINT, 0 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(v); i++) {
		cc.keying = v[i].keying;
		take(v[i].offer);
		ck_assert_uint_eq(n.mki_len, v[i].len);
	}
}
END_TEST


START_TEST(key_of_the_wrong_length_is_not_printed)
{
	take(HEAD AUDIO CRYPTO);
	ck_assert_int_eq(neg_mlines_set(&ml, &d, n.index), 0);
	secret_free(&key);
	ck_assert_int_ne(neg_print_answer(&printed, &n, &ml, &local,
					  one_key(NULL)), 0);
	ck_assert_int_eq(secret_draw(&key, 46), 0);
	ck_assert_int_ne(neg_print_answer(&printed, &n, &ml, &local, one_key(key)), 0);
	ck_assert_ptr_null(printed);
}
END_TEST


static uint32_t version_of(const char *text)
{
	unsigned long long id;
	unsigned ver;

	ck_assert_int_eq(sscanf(text, "v=0\r\no=- %llu %u ", &id, &ver), 2);
	ck_assert_uint_eq(id, local.sess_id);

	return ver;
}


START_TEST(version_counts_up_exactly_when_something_changes)
{
	uint32_t v;

	take(HEAD AUDIO CRYPTO);
	v = version_of(print_answer());
	ck_assert_uint_eq(version_of(print_answer()), v);

	n.dir = SDP_INACTIVE;
	ck_assert_uint_eq(version_of(print_answer()), v + 1);
	ck_assert_uint_eq(version_of(print_answer()), v + 1);

	secret_free(&key);
	ck_assert_int_eq(secret_draw(&key, 30), 0);
	ck_assert_uint_eq(version_of(print_answer()), v + 2);

	sa_set_port(&local.rtp, 30002);
	ck_assert_uint_eq(version_of(print_answer()), v + 3);

	/* the address is in c=, not in the m= lines */
	sa_set_str(&local.rtp, "198.51.100.2", 30002);
	ck_assert_uint_eq(version_of(print_answer()), v + 4);
	ck_assert_uint_eq(version_of(print_answer()), v + 4);
}
END_TEST


START_TEST(agreed_session_is_offered_again)
{
	struct pl pl;
	struct neg back;
	static struct descr d2;

	take(HEAD "m=video 1 RTP/AVP 31\r\n" AUDIO "a=sendonly\r\n" CRYPTO);
	(void)print_answer();
	printed = mem_deref(printed);
	ck_assert_int_eq(neg_print_reoffer(&printed, &n, &ml, &local,
					   one_key(key), SDP_SENDRECV), 0);
	pl.p = (const char *)mbuf_buf(printed);
	pl.l = mbuf_get_left(printed);
	memset(&back, 0, sizeof(back));
	ck_assert_int_eq(neg_offer(&back, &pl, &d2, &cc, true, &e), 0);
	ck_assert_uint_eq(back.index, 1);
	ck_assert_uint_eq(d2.mediac, 2);
	ck_assert_int_eq(back.dir, SDP_SENDRECV);
	ck_assert_uint_eq(back.pt, n.pt);
	ck_assert_uint_eq(back.sdes.tag, n.sdes.tag);
	neg_reset(&back);
}
END_TEST


START_TEST(long_refused_lines_fit)
{
	static char text[32 * 1024];
	struct neg back;
	char *p = text;

	p += sprintf(p, HEAD AUDIO CRYPTO);
	for (int i = 0; i < 3; i++)
		p += sprintf(p, "m=x 1 RTP/AVP %07000d\r\n", i);
	take(text);
	ck_assert_int_eq(neg_mlines_set(&ml, &d, n.index), 0);
	ck_assert_int_eq(neg_print_answer(&printed, &n, &ml, &local, one_key(key)), 0);
	p = calloc(1, mbuf_get_left(printed) + 1);
	memcpy(p, mbuf_buf(printed), mbuf_get_left(printed));
	read_own_answer(p, &back);
	neg_reset(&back);
	free(p);
}
END_TEST


/* ---- our offers and their answers ------------------------------------------------ */

static const char *print_offer(void)
{
	static char text[8192];

	printed = mem_deref(printed);
	ck_assert_int_eq(neg_print_offer(&printed, &cc, &local, &off), 0);
	memcpy(text, mbuf_buf(printed), mbuf_get_left(printed));
	text[mbuf_get_left(printed)] = '\0';

	return text;
}


START_TEST(offer_has_all_suites_with_a_key_for_each)
{
	const struct descr_media *m = &d.mediav[0];
	struct sdes sdv[SUITE_MAX];

	memset(sdv, 0, sizeof(sdv));
	ck_assert_int_eq(neg_offered_draw(&off, &cc), 0);
	ck_assert_uint_eq(off.linec, 4);
	take(print_offer());
	ck_assert_uint_eq(d.mediac, 1);
	ck_assert_uint_eq(m->cryptoc, 4);
	ck_assert(m->rtcp_mux);
	ck_assert_uint_eq(sa_port(&m->rtcp), 30001);

	for (unsigned i = 0; i < m->cryptoc; i++) {
		ck_assert_int_eq(sdes_decode(&sdv[i], m->cryptov[i].p,
					     m->cryptov[i].l), SDES_OK);
		ck_assert_int_eq(sdv[i].suite->id, cc.suitev[i]);
		ck_assert_uint_eq(sdv[i].tag, off.linev[i].tag);
		ck_assert(secret_equal(sdv[i].keyv[0].keysalt,
				       off.linev[i].key));
		ck_assert_uint_eq(sdv[i].keyv[0].mki_len, 0);
		for (unsigned j = 0; j < i; j++) {
			ck_assert_uint_ne(sdv[i].tag, sdv[j].tag);
			/* not even the beginning may be the same */
			ck_assert(memcmp(secret_bytes(off.linev[i].key),
					 secret_bytes(off.linev[j].key), 16));
		}
	}
	for (unsigned i = 0; i < m->cryptoc; i++)
		sdes_reset(&sdv[i]);
}
END_TEST


START_TEST(offer_has_all_codecs_and_dtmf_of_their_clocks)
{
	const char *text;

	ck_assert_int_eq(neg_offered_draw(&off, &cc), 0);
	text = print_offer();
	ck_assert_ptr_nonnull(strstr(text,
		"\r\nm=audio 30000 RTP/SAVP 96 9 8 0 101 102\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "\r\na=rtpmap:9 G722/8000\r\n"));
	ck_assert_ptr_nonnull(strstr(text,
		"\r\na=rtpmap:101 telephone-event/48000\r\n"));
	ck_assert_ptr_nonnull(strstr(text,
		"\r\na=rtpmap:102 telephone-event/8000\r\n"));

	cc.codecv[0] = CODEC_PCMU;
	cc.codecc = 1;
	text = print_offer();
	ck_assert_ptr_nonnull(strstr(text, " RTP/SAVP 0 102\r\n"));
	ck_assert_ptr_null(strstr(text, "48000"));
}
END_TEST


START_TEST(every_draw_is_fresh)
{
	struct neg_offered again;

	memset(&again, 0, sizeof(again));
	ck_assert_int_eq(neg_offered_draw(&off, &cc), 0);
	ck_assert_int_eq(neg_offered_draw(&again, &cc), 0);
	for (unsigned i = 0; i < off.linec; i++)
		ck_assert(!secret_equal(off.linev[i].key, again.linev[i].key));
	neg_offered_reset(&again);
	ck_assert_uint_eq(again.linec, 0);
	/* drawing again wipes what was there */
	ck_assert_int_eq(neg_offered_draw(&off, &cc), 0);
	ck_assert_uint_eq(secret_count(), 1 + cc.suitec);
}
END_TEST


static int answer(const char *text, unsigned index)
{
	struct pl pl;

	free(kept);
	kept = strdup(text);
	pl_set_str(&pl, kept);
	memset(&e, 0xaa, sizeof(e));

	return neg_answer(&n, &pl, &d, index, &cc, &off, &e);
}


static const struct {
	const char *text;
	unsigned index;
	int err;
} answerv[] = {
	{ HEAD AUDIO "a=crypto:4 " CM80 " inline:" K30A "\r\n", 0, 0 },
	{ HEAD AUDIO "a=crypto:1 AEAD_AES_256_GCM inline:" K44 "\r\n", 0, 0 },
	{ HEAD "m=video 0 RTP/AVP 31\r\n" AUDIO
	  "a=crypto:4 " CM80 " inline:" K30A "\r\n", 1, 0 },
	/* a suite that was offered under another tag, or not at all */
	{ HEAD AUDIO "a=crypto:1 " CM80 " inline:" K30A "\r\n", 0, EPROTO },
	{ HEAD AUDIO "a=crypto:5 " CM80 " inline:" K30A "\r\n", 0, EPROTO },
	{ HEAD AUDIO "a=crypto:4 AES_CM_128_HMAC_SHA1_32 inline:" K30A "\r\n",
	  0, EPROTO },
	{ HEAD AUDIO "a=crypto:4 AES_256_CM_HMAC_SHA1_80 inline:" K46 "\r\n",
	  0, EPROTO },
	/* one line, RFC 4568 section 5.1.2 */
	{ HEAD AUDIO "a=crypto:4 " CM80 " inline:" K30A "\r\n"
	  "a=crypto:1 AEAD_AES_256_GCM inline:" K44 "\r\n", 0, EPROTO },
	{ HEAD AUDIO, 0, EPROTO },
	{ HEAD AUDIO "a=crypto:4 " CM80 " inline:" K30A
	  " UNENCRYPTED_SRTP\r\n", 0, EPROTO },
	{ HEAD "m=audio 4000 RTP/AVP 0\r\n", 0, EPROTO },
	{ HEAD "m=audio 0 RTP/SAVP 0\r\n", 0, EPROTO },
	{ HEAD "m=video 4000 RTP/SAVP 31\r\n", 0, EPROTO },
	{ HEAD AUDIO "a=crypto:4 " CM80 " inline:" K30A "\r\n", 1, EPROTO },
	{ HEAD AUDIO "a=crypto:4 " CM80 " inline:" K30A "\r\n", UINT32_MAX,
	  EPROTO },
	{ "", 0, EPROTO },
};


START_TEST(answer_takes_a_line_that_was_offered_or_is_refused)
{
	ck_assert_int_eq(neg_offered_draw(&off, &cc), 0);
	ck_assert_int_eq(answer(answerv[_i].text, answerv[_i].index),
			 answerv[_i].err);
	if (answerv[_i].err) {
		ck_assert_uint_ge(e.scode, 400);
		ck_assert(e.text && *e.text);
		ck_assert_ptr_null(n.sdes.suite);
		ck_assert_uint_eq(secret_count(), 1 + cc.suitec);
	}
	else {
		ck_assert_ptr_null(e.text);
		ck_assert_uint_eq(n.index, answerv[_i].index);
	}
}
END_TEST


START_TEST(second_answer_replaces_the_first)
{
	ck_assert_int_eq(neg_offered_draw(&off, &cc), 0);
	ck_assert_int_eq(answer(answerv[0].text, 0), 0);
	ck_assert_int_eq(answer(answerv[1].text, 0), 0);
	ck_assert_int_eq(n.sdes.suite->id, SUITE_AEAD_AES_256_GCM);
	ck_assert_uint_eq(secret_count(), 2 + cc.suitec);
}
END_TEST


static void add_tests(TCase *tc)
{
	tcase_add_test(tc, usual_offer_is_taken);
	tcase_add_loop_test(tc, unacceptable_offer_is_refused_with_a_reason,
			    0, (int)ARRAY_SIZE(refusev));
	tcase_add_test(tc, key_that_did_not_come_over_tls_is_none);
	tcase_add_test(tc, too_much_is_488_and_nonsense_400);
	tcase_add_test(tc, first_good_crypto_line_in_the_peers_order);
	tcase_add_test(tc, policy_says_which_suites);
	tcase_add_test(tc, policy_says_which_codecs);
	tcase_add_test(tc, doubled_tag_names_no_line);
	tcase_add_test(tc, first_good_audio_line_is_taken);
	tcase_add_loop_test(tc, opus_parameters, 0,
			    (int)ARRAY_SIZE(opusv));
	tcase_add_test(tc, dtmf_of_8000_hz_is_taken_if_there_is_none_of_the_codecs_clock);
	tcase_add_test(tc, dtmf_of_another_clock_or_number_is_not_taken);
	tcase_add_loop_test(tc, hold_in_every_form, 0,
			    (int)ARRAY_SIZE(holdv));
	tcase_add_test(tc, answer_has_every_line_in_order_and_one_in_use);
	tcase_add_test(tc, answer_over_ipv6_with_its_own_rtcp_port);
	tcase_add_test(tc, answer_spells_the_suite_as_the_offer_did);
	tcase_add_test(tc, two_keys_are_in_one_line_each_with_its_mki);
	tcase_add_test(tc, only_who_offers_an_mki_is_sent_any_and_only_with_group_keys);
	tcase_add_test(tc, key_of_the_wrong_length_is_not_printed);
	tcase_add_test(tc, version_counts_up_exactly_when_something_changes);
	tcase_add_test(tc, agreed_session_is_offered_again);
	tcase_add_test(tc, long_refused_lines_fit);
	tcase_add_test(tc, offer_has_all_suites_with_a_key_for_each);
	tcase_add_test(tc, offer_has_all_codecs_and_dtmf_of_their_clocks);
	tcase_add_test(tc, every_draw_is_fresh);
	tcase_add_loop_test(tc,
		answer_takes_a_line_that_was_offered_or_is_refused, 0,
		(int)ARRAY_SIZE(answerv));
	tcase_add_test(tc, second_answer_replaces_the_first);
}


int main(void)
{
	Suite *s = suite_create("negotiate");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	add_tests(tc);
	suite_add_tcase(s, tc);

	return check_run(s);
}
