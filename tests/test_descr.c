/**
 * @file test_descr.c  Reading session descriptions
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check_run.h"
#include "focus/descr.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"
#define CONN "c=IN IP4 192.0.2.7\r\n"
#define AUDIO "m=audio 4000 RTP/SAVP 0\r\n"

static struct descr d;


/** From a copy of exact size, so that a sanitizer sees any overread */
static int decode_mem(const char *p, size_t len, const char **reasonp)
{
	static char *copy;
	struct pl pl;

	free(copy);
	copy = malloc(len ? len : 1);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, p, len);
	pl.p = copy;
	pl.l = len;

	return descr_decode(&d, &pl, reasonp);
}


static int decode(const char *text)
{
	const char *reason = NULL;
	int err = decode_mem(text, strlen(text), &reason);

	ck_assert(!err == !reason);
	ck_assert(!reason || *reason);

	return err;
}


static void take(const char *text)
{
	ck_assert_msg(decode(text) == 0, "refused: %s", text);
}


static bool is(const struct pl *pl, const char *s)
{
	return pl->l == strlen(s) && !memcmp(pl->p, s, pl->l);
}


static bool addr_is(const struct sa *sa, const char *s, uint16_t port)
{
	struct sa want;

	ck_assert_int_eq(sa_set_str(&want, s, port), 0);

	return sa_cmp(sa, &want, SA_ALL);
}


START_TEST(usual_description_is_read)
{
	const struct descr_media *m = &d.mediav[0];

	take(HEAD CONN
	     "m=audio 4000 RTP/SAVP 96 0 8 101\r\n"
	     "a=rtpmap:96 opus/48000/2\r\n"
	     "a=fmtp:96 useinbandfec=1;usedtx=1\r\n"
	     "a=rtpmap:101 telephone-event/8000\r\n"
	     "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:key\r\n"
	     "a=crypto:2 AEAD_AES_256_GCM inline:key2\r\n"
	     "a=rtcp:4005 IN IP4 192.0.2.8\r\n"
	     "a=rtcp-mux\r\n"
	     "a=ptime:20\r\na=maxptime:60\r\n"
	     "a=extmap:3 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
	     "a=sendonly\r\n"
	     "m=video 0 RTP/AVP 31\r\n");
	ck_assert_uint_eq(d.mediac, 2);
	ck_assert(is(&d.origin, "- 1 1 IN IP4 192.0.2.1"));
	ck_assert(is(&m->type, "audio"));
	ck_assert(is(&m->proto, "RTP/SAVP"));
	ck_assert_uint_eq(m->port, 4000);
	ck_assert(addr_is(&m->addr, "192.0.2.7", 4000));
	ck_assert(addr_is(&m->rtcp, "192.0.2.8", 4005));
	ck_assert(m->rtcp_mux);
	ck_assert(!m->hold_addr);
	ck_assert_int_eq(m->dir, SDP_SENDONLY);
	ck_assert_uint_eq(m->ptime, 20);
	ck_assert_uint_eq(m->maxptime, 60);
	ck_assert_uint_eq(m->level_ext, 3);
	ck_assert(m->level_vad);

	ck_assert_uint_eq(m->fmtc, 4);
	ck_assert_int_eq(m->fmtv[0].pt, 96);
	ck_assert(is(&m->fmtv[0].name, "opus"));
	ck_assert_uint_eq(m->fmtv[0].clock, 48000);
	ck_assert_uint_eq(m->fmtv[0].channels, 2);
	ck_assert(is(&m->fmtv[0].fmtp, "useinbandfec=1;usedtx=1"));
	ck_assert_int_eq(m->fmtv[1].pt, 0);
	ck_assert(!pl_isset(&m->fmtv[1].name));
	ck_assert(is(&m->fmtv[3].name, "telephone-event"));
	ck_assert_uint_eq(m->fmtv[3].channels, 0);

	ck_assert_uint_eq(m->cryptoc, 2);
	ck_assert(is(&m->cryptov[0],
		     "1 AES_CM_128_HMAC_SHA1_80 inline:key"));
	ck_assert(is(&m->cryptov[1], "2 AEAD_AES_256_GCM inline:key2"));
	ck_assert_uint_eq(d.mediav[1].port, 0);
	ck_assert_uint_eq(d.mediav[1].cryptoc, 0);
}
END_TEST


START_TEST(line_ends_may_be_bare_and_the_last_may_lack)
{
	take("v=0\ns=-\nt=0 0\nc=IN IP4 192.0.2.7\nm=audio 4000 RTP/SAVP 0");
	ck_assert(is(&d.mediav[0].fmtv[0].id, "0"));
	take("v=0\r\n\r\n\n" CONN "\r\n" AUDIO "\r\n");
	ck_assert_uint_eq(d.mediac, 1);
}
END_TEST


static const char *const brokenv[] = {
	"",
	"\r\n\r\n",
	"v=0\r\n",
	HEAD CONN,
	CONN AUDIO,
	"v=1\r\n" CONN AUDIO,
	"v=0 \r\n" CONN AUDIO,
	"s=-\r\nv=0\r\n" CONN AUDIO,
	HEAD CONN AUDIO "x\r\n",
	HEAD CONN AUDIO "=\r\n",
	HEAD CONN AUDIO "ab=c\r\n",
	HEAD CONN AUDIO " a=sendrecv\r\n",
	HEAD CONN "m=\r\n",
	HEAD CONN "m=audio\r\n",
	HEAD CONN "m=audio 4000\r\n",
	HEAD CONN "m=audio 4000 RTP/SAVP\r\n",
	HEAD CONN "m=audio 4000 RTP/SAVP \r\n",
	HEAD CONN "m= 4000 RTP/SAVP 0\r\n",
	HEAD CONN "m=audio x RTP/SAVP 0\r\n",
	HEAD CONN "m=audio -1 RTP/SAVP 0\r\n",
	HEAD CONN "m=audio +1 RTP/SAVP 0\r\n",
	HEAD CONN "m=audio 0x10 RTP/SAVP 0\r\n",
	HEAD CONN "m=audio 65536 RTP/SAVP 0\r\n",
	HEAD CONN "m=audio 4294971296 RTP/SAVP 0\r\n",
	HEAD CONN "m=audio 18446744073709555616 RTP/SAVP 0\r\n",
	HEAD CONN "m=audio /2 RTP/SAVP 0\r\n",
	/* what comes back in our answer has to be harmless */
	HEAD CONN "m=au\x01" "dio 4000 RTP/SAVP 0\r\n",
	HEAD CONN "m=audio 4000 RTP/SA\tVP 0\r\n",
	HEAD CONN "m=audio 4000 RTP/SAVP 0\x7f\r\n",
	HEAD CONN "m=audio 4000 RTP/SAVP 0\xff\r\n",
	HEAD CONN "m=audio 4000 RTP/SAVP\rm=x 0\r\n",
	HEAD CONN AUDIO "a=x:\ra=sendonly\r\n",
	/* connection */
	HEAD AUDIO,
	HEAD "c=\r\n" AUDIO,
	HEAD "c=IN IP4\r\n" AUDIO,
	HEAD "c=IN IP4 \r\n" AUDIO,
	HEAD "c=IN IP4 host.example.org\r\n" AUDIO,
	HEAD "c=IN IP4 localhost\r\n" AUDIO,
	HEAD "c=IN IP4 127.1\r\n" AUDIO,
	HEAD "c=IN IP4 1\r\n" AUDIO,
	HEAD "c=IN IP4 0x7f000001\r\n" AUDIO,
	HEAD "c=IN IP4 192.0.2.256\r\n" AUDIO,
	HEAD "c=IN IP4 2001:db8::1\r\n" AUDIO,
	HEAD "c=IN IP6 192.0.2.1\r\n" AUDIO,
	HEAD "c=IN IP6 fe80::1%lo\r\n" AUDIO,
	HEAD "c=IN IP5 192.0.2.1\r\n" AUDIO,
	HEAD "c=in IP4 192.0.2.1\r\n" AUDIO,
	HEAD "c=ATM IP4 192.0.2.1\r\n" AUDIO,
	HEAD "c=IN IP4 192.0.2.1111111111111111111111111111111111111111111"
	     "111111111111111111111111\r\n" AUDIO,
	HEAD CONN AUDIO "c=IN IP4 nowhere\r\n",
	HEAD CONN AUDIO "a=rtcp:\r\n",
	HEAD CONN AUDIO "a=rtcp:70000\r\n",
	HEAD CONN AUDIO "a=rtcp:x IN IP4 192.0.2.1\r\n",
};


START_TEST(broken_description_is_refused)
{
	ck_assert_int_eq(decode(brokenv[_i]), EBADMSG);
}
END_TEST


START_TEST(no_body_at_all)
{
	const char *reason = NULL;
	struct pl pl = { NULL, 0 };

	ck_assert_int_eq(descr_decode(&d, &pl, &reason), EBADMSG);
	ck_assert_ptr_nonnull(reason);
}
END_TEST


START_TEST(nul_bytes_are_refused_wherever_they_are)
{
	static const char text[] = HEAD CONN AUDIO "a=sendonly\r\n";
	char copy[sizeof(text)];
	const char *reason = NULL;

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		memcpy(copy, text, sizeof(text));
		copy[i] = '\0';
		ck_assert_int_eq(decode_mem(copy, sizeof(text) - 1, &reason),
				 EBADMSG);
	}
}
END_TEST


/** A text with many of one thing */
static char *many(const char *head, unsigned n, const char *each,
		  const char *tail)
{
	size_t size = strlen(head) + n * strlen(each) + strlen(tail) + 1;
	char *s = malloc(size), *p = s;

	ck_assert_ptr_nonnull(s);
	p += sprintf(p, "%s", head);
	for (unsigned i = 0; i < n; i++)
		p += sprintf(p, "%s", each);
	sprintf(p, "%s", tail);

	return s;
}


static int decode_many(const char *head, unsigned n, const char *each,
		       const char *tail)
{
	char *s = many(head, n, each, tail);
	int err = decode(s);

	free(s);

	return err;
}


START_TEST(everything_has_a_bound)
{
	const unsigned used = (unsigned)strlen(HEAD CONN AUDIO "i=\r\n");

	/* lines */
	ck_assert_int_eq(decode_many(HEAD CONN AUDIO "i=",
				     DESCR_LINE_MAX - 2, "x", "\r\n"), 0);
	ck_assert_int_eq(decode_many(HEAD CONN AUDIO "i=",
				     DESCR_LINE_MAX - 1, "x", "\r\n"),
			 EOVERFLOW);
	ck_assert_int_eq(decode_many(HEAD CONN AUDIO "i=",
				     DESCR_LINE_MAX - 1, "x", ""), EOVERFLOW);

	/* body: empty lines cost nothing but bytes */
	ck_assert_int_eq(decode_many(HEAD CONN AUDIO "i=\r\n",
				     DESCR_BODY_MAX - used, "\n", ""), 0);
	ck_assert_int_eq(decode_many(HEAD CONN AUDIO "i=\r\n",
				     DESCR_BODY_MAX - used + 1, "\n", ""),
			 EOVERFLOW);

	/* media */
	ck_assert_int_eq(decode_many(HEAD CONN, DESCR_MEDIA_MAX, AUDIO, ""),
			 0);
	ck_assert_uint_eq(d.mediac, DESCR_MEDIA_MAX);
	ck_assert_int_eq(decode_many(HEAD CONN, DESCR_MEDIA_MAX + 1, AUDIO,
				     ""), EOVERFLOW);

	/* attributes of one section */
	ck_assert_int_eq(decode_many(HEAD CONN AUDIO, DESCR_ATTR_MAX,
				     "a=x\r\n", AUDIO "a=y\r\n"), 0);
	ck_assert_int_eq(decode_many(HEAD CONN AUDIO, DESCR_ATTR_MAX + 1,
				     "a=x\r\n", AUDIO), EOVERFLOW);
	ck_assert_int_eq(decode_many(HEAD CONN, DESCR_ATTR_MAX + 1, "a=x\r\n",
				     AUDIO), EOVERFLOW);
}
END_TEST


START_TEST(more_formats_or_crypto_lines_than_we_keep_are_not_looked_at)
{
	ck_assert_int_eq(decode_many(HEAD CONN "m=audio 4000 RTP/SAVP 0",
				     DESCR_FMT_MAX + 50, " 8", "\r\n"), 0);
	ck_assert_uint_eq(d.mediav[0].fmtc, DESCR_FMT_MAX);
	ck_assert_int_eq(decode_many(HEAD CONN AUDIO, DESCR_CRYPTO_MAX + 50,
				     "a=crypto:1 x y\r\n", ""), 0);
	ck_assert_uint_eq(d.mediav[0].cryptoc, DESCR_CRYPTO_MAX);
}
END_TEST


START_TEST(direction_of_the_session_is_a_default)
{
	take(HEAD CONN "a=inactive\r\n" AUDIO AUDIO "a=recvonly\r\n"
	     AUDIO "a=sendrecv\r\n");
	ck_assert_int_eq(d.mediav[0].dir, SDP_INACTIVE);
	ck_assert_int_eq(d.mediav[1].dir, SDP_RECVONLY);
	ck_assert_int_eq(d.mediav[2].dir, SDP_SENDRECV);
	take(HEAD CONN AUDIO);
	ck_assert_int_eq(d.mediav[0].dir, SDP_SENDRECV);
	/* names are case-sensitive, and a value does not belong here */
	take(HEAD CONN AUDIO "a=SendOnly\r\na=sendonlyx\r\na=sendonl\r\n");
	ck_assert_int_eq(d.mediav[0].dir, SDP_SENDRECV);
}
END_TEST


START_TEST(addresses_of_session_and_line)
{
	take(HEAD CONN AUDIO AUDIO "c=IN IP4 192.0.2.9/127\r\n"
	     "m=audio 6000/2 RTP/SAVP 0\r\nc=IN IP6 2001:db8::9\r\n");
	ck_assert(addr_is(&d.mediav[0].addr, "192.0.2.7", 4000));
	ck_assert(addr_is(&d.mediav[1].addr, "192.0.2.9", 4000));
	ck_assert(addr_is(&d.mediav[2].addr, "2001:db8::9", 6000));
	ck_assert_uint_eq(d.mediav[2].port, 6000);

	/* a line that is switched off needs none */
	take(HEAD "m=audio 0 RTP/SAVP 0\r\n");
	ck_assert(!sa_isset(&d.mediav[0].addr, SA_ADDR));
}
END_TEST


START_TEST(hold_by_address_is_noticed)
{
	take(HEAD "c=IN IP4 0.0.0.0\r\n" AUDIO AUDIO CONN AUDIO
	     "c=IN IP6 ::\r\n");
	ck_assert(d.mediav[0].hold_addr);
	ck_assert(!d.mediav[1].hold_addr);
	ck_assert(d.mediav[2].hold_addr);
}
END_TEST


START_TEST(rtcp_port_and_address)
{
	take(HEAD CONN AUDIO "a=rtcp:4100\r\n"
	     AUDIO "a=rtcp:4101 IN IP6 2001:db8::3\r\n"
	     AUDIO "a=rtcp:4102 IN IP4 not.an.address\r\n"
	     AUDIO);
	ck_assert(addr_is(&d.mediav[0].rtcp, "192.0.2.7", 4100));
	ck_assert(addr_is(&d.mediav[1].rtcp, "2001:db8::3", 4101));
	ck_assert(addr_is(&d.mediav[2].rtcp, "192.0.2.7", 4102));
	ck_assert(!sa_isset(&d.mediav[3].rtcp, SA_ADDR));
	/* no address at all yet */
	take(HEAD AUDIO "a=rtcp:4100\r\n" CONN);
	ck_assert(!sa_isset(&d.mediav[0].rtcp, SA_ADDR));
}
END_TEST


#define LEVEL "urn:ietf:params:rtp-hdrext:ssrc-audio-level"

static const struct {
	const char *line;
	uint8_t id;
	bool vad;
} extv[] = {
	{ "a=extmap:1 " LEVEL "\r\n",             1, true  },
	{ "a=extmap:14 " LEVEL " vad=on\r\n",    14, true  },
	{ "a=extmap:2 " LEVEL " vad=off\r\n",     2, false },
	{ "a=extmap:2/sendrecv " LEVEL "\r\n",    2, true  },
	{ "a=extmap:2/sendonly " LEVEL "\r\n",    2, true  },
	/* a peer that does not send it */
	{ "a=extmap:2/recvonly " LEVEL "\r\n",    0, false },
	{ "a=extmap:2/inactive " LEVEL "\r\n",    0, false },
	/* 15 is reserved, more needs two-byte elements */
	{ "a=extmap:0 " LEVEL "\r\n",             0, false },
	{ "a=extmap:15 " LEVEL "\r\n",            0, false },
	{ "a=extmap:257 " LEVEL "\r\n",           0, false },
	{ "a=extmap:x " LEVEL "\r\n",             0, false },
	{ "a=extmap: " LEVEL "\r\n",              0, false },
	{ "a=extmap:1 " LEVEL "x\r\n",            0, false },
	{ "a=extmap:1\r\n",                       0, false },
	{ "a=extmap\r\n",                         0, false },
};


START_TEST(audio_level_extension)
{
	char text[512];

	snprintf(text, sizeof(text), HEAD CONN AUDIO "%s", extv[_i].line);
	take(text);
	ck_assert_uint_eq(d.mediav[0].level_ext, extv[_i].id);
	if (extv[_i].id)
		ck_assert(d.mediav[0].level_vad == extv[_i].vad);
}
END_TEST


START_TEST(formats_without_a_usable_map)
{
	const struct descr_fmt *f = d.mediav[0].fmtv;

	take(HEAD CONN "m=audio 4000 RTP/SAVP 0 8 9 x 128 007 96 97\r\n"
	     "a=rtpmap:0 PCMU\r\n"
	     "a=rtpmap:8 /8000\r\n"
	     "a=rtpmap:9 G722/8000/x\r\n"
	     "a=rtpmap:96 opus/99999999999\r\n"
	     "a=rtpmap:97 L16/44100/2\r\n"
	     "a=rtpmap:98 nobody/1\r\n"
	     "a=rtpmap:\r\na=rtpmap\r\n"
	     "a=fmtp:98 x\r\na=fmtp\r\n");
	ck_assert_uint_eq(d.mediav[0].fmtc, 8);
	for (unsigned i = 0; i < 7; i++)
		ck_assert_int_eq(f[i].pt, i == 5 ? 7 : -1);
	ck_assert_int_eq(f[7].pt, 97);
	ck_assert(is(&f[7].name, "L16"));
	ck_assert_uint_eq(f[7].channels, 2);
}
END_TEST


START_TEST(attributes_in_the_wrong_section_do_nothing)
{
	take(HEAD CONN "a=crypto:1 x y\r\na=rtcp-mux\r\na=rtpmap:0 x/1\r\n"
	     "a=extmap:1 " LEVEL "\r\na=rtcp:x\r\na=ptime:20\r\n" AUDIO);
	ck_assert_uint_eq(d.mediav[0].cryptoc, 0);
	ck_assert(!d.mediav[0].rtcp_mux);
	ck_assert_uint_eq(d.mediav[0].level_ext, 0);
	ck_assert_uint_eq(d.mediav[0].ptime, 0);
}
END_TEST


START_TEST(odd_packet_times_are_ignored)
{
	take(HEAD CONN AUDIO "a=ptime:0\r\na=ptime:-20\r\na=ptime:20.5\r\n"
	     "a=ptime:1001\r\na=maxptime:x\r\na=ptime:\r\na=ptime\r\n");
	ck_assert_uint_eq(d.mediav[0].ptime, 0);
	ck_assert_uint_eq(d.mediav[0].maxptime, 0);
}
END_TEST


static const struct {
	const char *fmtp;
	const char *name;
	int err;
	uint32_t val;
} fmtpv[] = {
	{ "a=1",                       "a",  0,      1 },
	{ "b=2;a=1",                   "a",  0,      1 },
	{ "b=2; a=1",                  "a",  0,      1 },
	{ "b=2 ;  a = 1  ; c=3",       "a",  0,      1 },
	{ "A=1",                       "a",  0,      1 },
	{ "a=4294967295",              "a",  0,      UINT32_MAX },
	{ "a=4294967296",              "a",  ENOENT, 0 },
	{ "a=-1",                      "a",  ENOENT, 0 },
	{ "a=",                        "a",  ENOENT, 0 },
	{ "a",                         "a",  ENOENT, 0 },
	{ "aa=1",                      "a",  ENOENT, 0 },
	{ "xa=1;b",                    "a",  ENOENT, 0 },
	{ ";;;=;",                     "a",  ENOENT, 0 },
	{ "",                          "a",  ENOENT, 0 },
	{ "a=1;a=2",                   "a",  0,      1 },
};


START_TEST(format_parameters)
{
	struct pl pl;
	uint32_t v = 0;

	pl_set_str(&pl, fmtpv[_i].fmtp);
	ck_assert_int_eq(descr_fmtp_u32(&pl, fmtpv[_i].name, &v),
			 fmtpv[_i].err);
	ck_assert_uint_eq(v, fmtpv[_i].val);
}
END_TEST


START_TEST(no_parameters_at_all)
{
	struct pl pl = PL_INIT;
	uint32_t v;

	ck_assert_int_eq(descr_fmtp_u32(&pl, "a", &v), ENOENT);
}
END_TEST


/* ---- any bytes ------------------------------------------------------------- */

static const char whole[] = HEAD CONN
	"m=audio 4000 RTP/SAVP 96 0 101\r\n"
	"a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1; cbr=1\r\n"
	"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA\r\n"
	"a=rtcp:4005 IN IP6 2001:db8::2\r\na=extmap:1/sendonly " LEVEL "\r\n"
	"m=video 0 RTP/AVP 31\r\nc=IN IP6 ::\r\na=inactive\r\n";


static void inside(const struct pl *pl, const char *p, size_t len)
{
	ck_assert(!pl->l || (pl->p >= p && pl->p + pl->l <= p + len));
}


/** Whatever was read lies in the body and within the bounds */
static void check_bounds(const char *p, size_t len)
{
	ck_assert_uint_le(d.mediac, DESCR_MEDIA_MAX);
	inside(&d.origin, p, len);
	for (unsigned i = 0; i < d.mediac; i++) {
		const struct descr_media *m = &d.mediav[i];
		uint32_t v;

		ck_assert_uint_le(m->fmtc, DESCR_FMT_MAX);
		ck_assert_uint_ge(m->fmtc, 1);
		ck_assert_uint_le(m->cryptoc, DESCR_CRYPTO_MAX);
		ck_assert_uint_le(m->level_ext, 14);
		inside(&m->type, p, len);
		inside(&m->proto, p, len);
		for (unsigned j = 0; j < m->fmtc; j++) {
			inside(&m->fmtv[j].id, p, len);
			inside(&m->fmtv[j].name, p, len);
			inside(&m->fmtv[j].fmtp, p, len);
			(void)descr_fmtp_u32(&m->fmtv[j].fmtp, "cbr", &v);
		}
		for (unsigned j = 0; j < m->cryptoc; j++)
			inside(&m->cryptov[j], p, len);
	}
}


static unsigned try_it(char *buf, size_t len)
{
	const char *reason = NULL;
	struct pl pl = { buf, len };
	int err = descr_decode(&d, &pl, &reason);

	ck_assert(!err == !reason);
	if (!err)
		check_bounds(buf, len);

	return !err;
}


START_TEST(every_truncation_is_taken_or_refused)
{
	for (size_t len = 0; len < sizeof(whole); len++) {
		char *copy = malloc(len ? len : 1);

		memcpy(copy, whole, len);
		(void)try_it(copy, len);
		free(copy);
	}
}
END_TEST


START_TEST(mutations_are_taken_or_refused)
{
	enum { LEN = sizeof(whole) - 1 };
	unsigned ok = 0, bad = 0;

	srand(3264);
	for (int round = 0; round < 60000; round++) {
		char *copy = malloc(LEN);
		int n = 1 + rand() % 4;

		memcpy(copy, whole, LEN);
		while (n--) {
			size_t i = (size_t)rand() % LEN;

			if (rand() % 2)
				copy[i] = (char)(copy[i] ^ (1 << rand() % 8));
			else
				copy[i] = "\r\n =:/;\t09mac"[rand() % 13];
		}
		if (try_it(copy, LEN))
			++ok;
		else
			++bad;
		free(copy);
	}
	/* the test is worth something only if both happen */
	ck_assert_uint_gt(ok, 1000);
	ck_assert_uint_gt(bad, 1000);
}
END_TEST


int main(void)
{
	Suite *s = suite_create("descr");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, usual_description_is_read);
	tcase_add_test(tc, line_ends_may_be_bare_and_the_last_may_lack);
	tcase_add_loop_test(tc, broken_description_is_refused, 0,
			    (int)ARRAY_SIZE(brokenv));
	tcase_add_test(tc, no_body_at_all);
	tcase_add_test(tc, nul_bytes_are_refused_wherever_they_are);
	tcase_add_test(tc, everything_has_a_bound);
	tcase_add_test(tc,
		more_formats_or_crypto_lines_than_we_keep_are_not_looked_at);
	tcase_add_test(tc, direction_of_the_session_is_a_default);
	tcase_add_test(tc, addresses_of_session_and_line);
	tcase_add_test(tc, hold_by_address_is_noticed);
	tcase_add_test(tc, rtcp_port_and_address);
	tcase_add_loop_test(tc, audio_level_extension, 0,
			    (int)ARRAY_SIZE(extv));
	tcase_add_test(tc, formats_without_a_usable_map);
	tcase_add_test(tc, attributes_in_the_wrong_section_do_nothing);
	tcase_add_test(tc, odd_packet_times_are_ignored);
	tcase_add_loop_test(tc, format_parameters, 0,
			    (int)ARRAY_SIZE(fmtpv));
	tcase_add_test(tc, no_parameters_at_all);
	tcase_add_test(tc, every_truncation_is_taken_or_refused);
	tcase_add_test(tc, mutations_are_taken_or_refused);
	suite_add_tcase(s, tc);

	return check_run(s);
}
