/**
 * @file opts.c  Command line of conclave-call
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include "opts.h"
#include "passwd.h"

enum otype { O_FLAG, O_STR, O_UINT, O_INT, O_DBL, O_FUNC, O_HELP, O_VERSION };

typedef int (oparse_h)(struct opts *o, const char *arg);

struct orow {
	const char *name;
	char        letter;
	enum otype  type;
	size_t      off;
	double      min, max;         /* of numbers                          */
	oparse_h   *parseh;
	const char *arg;
	const char *help;
};

/** Next item of a comma list, copied; false at its end, or if it does not fit */
static bool next_item(const char **sp, char *buf, size_t size)
{
	const char *s = *sp;
	const size_t n = strcspn(s, ",");

	if (!n || n >= size)
		return false;

	memcpy(buf, s, n);
	buf[n] = '\0';
	*sp = s[n] ? s + n + 1 : s + n;

	return true;
}

static int get_double(const char *s, double min, double max, double *dp)
{
	char *end = NULL;
	const double d = strtod(s, &end);

	if (end == s || *end || !isfinite(d) || d < min || d > max)
		return EINVAL;

	*dp = d;
	return 0;
}

static int parse_suite(struct opts *o, const char *arg)
{
	char buf[64];

	o->suitec = 0;
	while (next_item(&arg, buf, sizeof(buf))) {
		const struct suite *s = suite_by_name(buf, strlen(buf));

		if (!s || o->suitec >= SUITE_MAX)
			return EINVAL;
		o->suitev[o->suitec++] = s->id;
	}

	return *arg || !o->suitec ? EINVAL : 0;
}

static int parse_codec(struct opts *o, const char *arg)
{
	char buf[16];

	o->codecc = 0;
	while (next_item(&arg, buf, sizeof(buf))) {
		enum codec_id id;

		for (id = 1; id <= CODEC_MAX; id++) {
			if (!strcasecmp(codec_by_id(id)->name, buf))
				break;
		}
		if (id > CODEC_MAX || o->codecc >= CODEC_MAX)
			return EINVAL;
		o->codecv[o->codecc++] = id;
	}

	return *arg || !o->codecc ? EINVAL : 0;
}

static int parse_user(struct opts *o, const char *arg)
{
	char buf[128];

	o->userc = 0;
	while (next_item(&arg, buf, sizeof(buf))) {
		char *user;

		if (o->userc >= OPTS_USER_MAX || str_dup(&user, buf))
			return EINVAL;
		o->userv[o->userc++] = user;
	}

	return *arg || !o->userc ? EINVAL : 0;
}

static int parse_freq(struct opts *o, const char *arg)
{
	char buf[32];
	const char *colon = strchr(arg, ':');
	const size_t n = colon ? (size_t)(colon - arg) : strlen(arg);

	if (n >= sizeof(buf))
		return EINVAL;
	memcpy(buf, arg, n);
	buf[n] = '\0';

	if (colon && get_double(colon + 1, -90, -3, &o->level_dbfs))
		return EINVAL;

	return get_double(buf, 50, 20000, &o->freq);
}

static int parse_freqs(struct opts_freqs *f, const char *arg, const char *word)
{
	char buf[32];

	f->c = 0;
	while (next_item(&arg, buf, sizeof(buf))) {
		if (!strcmp(buf, word)) {
			f->word = true;
			continue;
		}
		if (f->c >= OPTS_FREQ_MAX ||
		    get_double(buf, 20, 20000, &f->v[f->c]))
			return EINVAL;
		++f->c;
	}

	return *arg || (!f->c && !f->word) ? EINVAL : 0;
}

static int parse_expect(struct opts *o, const char *arg)
{
	return parse_freqs(&o->expect, arg, "others");
}

static int parse_not(struct opts *o, const char *arg)
{
	return parse_freqs(&o->absent, arg, "own");
}

/** Index of a word in a table, or -1 */
static int word_find(const char *const *wordv, size_t wordc, const char *arg)
{
	for (size_t i = 0; i < wordc; i++) {
		if (!strcmp(wordv[i], arg))
			return (int)i;
	}

	return -1;
}

static int parse_hold(struct opts *o, const char *arg)
{
	static const char *const howv[] = { "sendonly", "inactive", "zero" };
	unsigned at, len;
	char how[16] = "sendonly";
	int n = 0, k;

	if (sscanf(arg, "%5u:%5u%n", &at, &len, &n) < 2)
		return EINVAL;
	if (arg[n] == ':')
		str_ncpy(how, arg + n + 1, sizeof(how));
	else if (arg[n])
		return EINVAL;

	k = word_find(howv, ARRAY_SIZE(howv), how);
	if (k < 0 || !len)
		return EINVAL;

	o->hold_at_s = at;
	o->hold_s    = len;
	o->hold_how  = (enum opts_hold)k;

	return 0;
}

static int parse_transport(struct opts *o, const char *arg)
{
	struct pl pl;

	pl_set_str(&pl, arg);
	o->transport = sip_transp_decode(&pl);

	return o->transport == SIP_TRANSP_UDP || o->transport == SIP_TRANSP_TCP ||
		o->transport == SIP_TRANSP_TLS ? 0 : EINVAL;
}

static int parse_answer(struct opts *o, const char *arg)
{
	static const char *const wordv[] = { "ok", "never", "488" };
	const int k = word_find(wordv, ARRAY_SIZE(wordv), arg);

	o->answer = (enum opts_answer)(k < 0 ? 0 : k);

	return k < 0 ? EINVAL : 0;
}

static int parse_bad_key(struct opts *o, const char *arg)
{
	static const char *const wordv[] = { "none", "short", "base64", "reflect" };
	const int k = word_find(wordv, ARRAY_SIZE(wordv), arg);

	o->bad_key = (enum opts_bad_key)(k < 0 ? 0 : k);

	return k <= 0 ? EINVAL : 0;
}

static int parse_avp(struct opts *o, const char *arg)
{
	if (arg && strcmp(arg, "crypto"))
		return EINVAL;

	o->avp = arg ? AVP_CRYPTO : AVP_PLAIN;

	return 0;
}

static int parse_decode(struct opts *o, const char *arg)
{
	double d;

	if (get_double(arg, 0, OPTS_CALL_MAX, &d))
		return EINVAL;

	o->decode_first = (uint32_t)d;
	o->decode_first_set = true;

	return 0;
}

static int parse_ptime(struct opts *o, const char *arg)
{
	static const char *const wordv[] = { "10", "20", "30", "40", "60" };
	const int k = word_find(wordv, ARRAY_SIZE(wordv), arg);

	if (k < 0)
		return EINVAL;

	o->ptime = (uint32_t)strtoul(arg, NULL, 10);

	return 0;
}

static int parse_floor(struct opts *o, const char *arg)
{
	static const char *const wordv[] = { "none", "request", "chair", "listen" };
	const char *p = arg;

	o->floorc = 0;
	while (p) {
		const char *comma = strchr(p, ',');
		char word[16];
		const size_t n = comma ? (size_t)(comma - p) : strlen(p);
		int k;

		if (n >= sizeof(word) || o->floorc >= OPTS_USER_MAX)
			return EINVAL;
		memcpy(word, p, n);
		word[n] = '\0';
		k = word_find(wordv, ARRAY_SIZE(wordv), word);
		if (k < 0)
			return EINVAL;
		o->floorv[o->floorc++] = (enum cfloor_part)k;
		p = comma ? comma + 1 : NULL;
	}

	return 0;
}

#define OFF(field) offsetof(struct opts, field)

static const struct orow rowv[] = {
	{ NULL, 0, 0, 0, 0, 0, NULL, NULL, "Whom to call and as whom" },
	{ "uri", 'u', O_STR, OFF(uri), 0, 0, NULL, "URI",
	  "SIP URI to call (required), e.g. sip:factory@127.0.0.1:5061" },
	{ "user", 0, O_FUNC, 0, 0, 0, parse_user, "NAME[,NAME...]",
	  "user for authentication; several are taken in turn by the calls" },
	{ "password-file", 0, O_STR, OFF(password_file), 0, 0, NULL, "FILE",
	  "lines user:password, or one bare password" },
	{ "from", 0, O_STR, OFF(from), 0, 0, NULL, "URI",
	  "From URI (default sip:USER@HOST of the called URI)" },
	{ "cert", 0, O_STR, OFF(cert), 0, 0, NULL, "PEM",
	  "TLS client certificate with its key" },
	{ "ca", 0, O_STR, OFF(ca), 0, 0, NULL, "PEM",
	  "CA that signed the server's certificate (default: the system's)" },
	{ "insecure", 0, O_FLAG, OFF(insecure), 0, 0, NULL, NULL,
	  "do not verify the server's certificate" },
	{ "transport", 0, O_FUNC, 0, 0, 0, parse_transport, "tls|tcp|udp",
	  "SIP transport (default tls; the others to see them refused)" },
	{ "bind", 0, O_STR, OFF(bind), 0, 0, NULL, "ADDR",
	  "own address for SIP and media" },
	{ "setup-timeout", 0, O_UINT, OFF(setup_timeout_s), 1, 3600, NULL, "S",
	  "give up when not answered by then (default 20)" },
	{ "seconds", 's', O_UINT, OFF(seconds), 0, 864000, NULL, "S",
	  "talk so long after the last call is up (default 10)" },

	{ NULL, 0, 0, 0, 0, 0, NULL, NULL, "Many calls" },
	{ NULL, 'n', O_UINT, OFF(calls), 1, OPTS_CALL_MAX, NULL, "N",
	  "calls in this process (default 1)" },
	{ "ramp", 0, O_UINT, OFF(ramp_ms), 0, 60000, NULL, "MS",
	  "time between two starts (default 20)" },
	{ "same-conf", 0, O_FLAG, OFF(same_conf), 0, 0, NULL, NULL,
	  "the first dials --uri, the others the conference URI it was given" },
	{ "connections", 0, O_UINT, OFF(connections), 1, OPTS_CALL_MAX, NULL, "N",
	  "SIP connections (default one per call, at most 64)" },
	{ "decode-first", 0, O_FUNC, 0, 0, 0, parse_decode, "N",
	  "calls that decode what they hear (default all up to 16, else 4)" },

	{ NULL, 0, 0, 0, 0, 0, NULL, NULL, "Media" },
	{ "suite", 0, O_FUNC, 0, 0, 0, parse_suite, "NAME[,NAME...]",
	  "a=crypto lines in this order (default: all four strong ones)" },
	{ "codec", 0, O_FUNC, 0, 0, 0, parse_codec, "NAME[,NAME...]",
	  "opus, g722, pcma, pcmu in this order (default all)" },
	{ "ptime", 0, O_FUNC, 0, 0, 0, parse_ptime, "MS",
	  "packet length: 10, 20, 30, 40 or 60 (default 20)" },
	{ "freq", 0, O_FUNC, 0, 0, 0, parse_freq, "HZ[:DBFS]",
	  "send a sine (default 440:-20)" },
	{ "freq-step", 0, O_DBL, OFF(freq_step), -1000, 1000, NULL, "HZ",
	  "call number i sends freq + (i % 16) * step (default 170)" },
	{ "wav", 0, O_STR, OFF(wav), 0, 0, NULL, "FILE", "send this, repeated" },
	{ "silent", 0, O_FLAG, OFF(silent), 0, 0, NULL, NULL, "send silence" },
	{ "out", 'o', O_STR, OFF(out), 0, 0, NULL, "FILE",
	  "record what is heard (WAV; with -n: FILE-i.wav)" },
	{ "rtcp-mux", 0, O_FLAG, OFF(rtcp_mux), 0, 0, NULL, NULL,
	  "offer RTP and RTCP on one port" },
	{ "rtcp-interval", 0, O_UINT, OFF(rtcp_interval_ms), 100, 60000, NULL, "MS",
	  "between two RTCP reports of ours (default 5000)" },
	{ "dump-rx", 0, O_STR, OFF(dump_rx), 0, 0, NULL, "FILE",
	  "write received datagrams, still encrypted, as pcap" },
	{ "tap", 0, O_STR, OFF(tap), 0, 0, NULL, "FILE",
	  "test aid: write all keys in clear, and what was received, to a new file" },
	{ "insecure-tap", 0, O_FLAG, OFF(insecure_tap), 0, 0, NULL, NULL,
	  "yes, --tap is to write keys in clear" },
	{ "measure-delay", 0, O_FLAG, OFF(measure_delay), 0, 0, NULL, NULL,
	  "with -n and --same-conf: mouth-to-ear delay between the calls" },

	{ NULL, 0, 0, 0, 0, 0, NULL, NULL, "Signalling" },
	{ "user-agent", 0, O_STR, OFF(user_agent), 0, 0, NULL, "TEXT",
	  "what to be called (default conclave-call and its version)" },
	{ "delayed-offer", 0, O_FLAG, OFF(delayed_offer), 0, 0, NULL, NULL,
	  "INVITE without SDP; the answer travels in the ACK" },
	{ "hold", 0, O_FUNC, 0, 0, 0, parse_hold, "AT:S[:HOW]",
	  "hold AT seconds after set-up for S; HOW: sendonly, inactive, zero" },
	{ "hold-call", 0, O_INT, OFF(hold_call), 0, OPTS_CALL_MAX, NULL, "I",
	  "only call number I holds (default all)" },
	{ "mki", 0, O_FLAG, OFF(mki), 0, 0, NULL, NULL, "offer an MKI" },
	{ "answer-delay", 0, O_UINT, OFF(answer_delay_ms), 0, 600000, NULL, "MS",
	  "take that long to answer a re-INVITE or UPDATE" },
	{ "answer", 0, O_FUNC, 0, 0, 0, parse_answer, "ok|never|488",
	  "how to answer a re-INVITE or UPDATE" },
	{ "no-rekey", 0, O_FLAG, OFF(no_rekey), 0, 0, NULL, NULL,
	  "answer 200 but keep the old receive key, like some phones" },
	{ "hard-switch", 0, O_FLAG, OFF(hard_switch), 0, 0, NULL, NULL,
	  "open nothing under the old key from our 200 on, like other phones" },
	{ "floor", 0, O_FUNC, 0, 0, 0, parse_floor, "PART[,PART...]",
	  "floor control (BFCP); of each call: request, chair, listen or none" },
	{ "floor-at", 0, O_UINT, OFF(floor_at_ms), 0, 3600000, NULL, "MS",
	  "request the floor so long after set-up (default 1000)" },
	{ "floor-step", 0, O_UINT, OFF(floor_step_ms), 0, 60000, NULL, "MS",
	  "call number i requests i times that later (default 0)" },
	{ "floor-hold", 0, O_UINT, OFF(floor_hold_ms), 0, 3600000, NULL, "MS",
	  "release it so long after it was granted; 0: never (default 2000)" },
	{ "no-update", 0, O_FLAG, OFF(no_update), 0, 0, NULL, NULL,
	  "do not allow UPDATE: the server has to re-INVITE" },
	{ "replaces", 0, O_STR, OFF(replaces), 0, 0, NULL, "DIALOG",
	  "take the place of this dialog (value of a Replaces header)" },

	{ NULL, 0, 0, 0, 0, 0, NULL, NULL, "Checks (exit 1 if one fails)" },
	{ "expect", 0, O_FUNC, 0, 0, 0, parse_expect, "HZ[,HZ...]|others",
	  "tones that must be heard; others: those of the other calls" },
	{ "not", 0, O_FUNC, 0, 0, 0, parse_not, "HZ[,HZ...]|own",
	  "tones that must not be heard (below -50 dBFS)" },
	{ "min-level", 0, O_DBL, OFF(min_level), -90, 0, NULL, "DBFS",
	  "from here on a tone counts as heard (default -40)" },
	{ "max-spread", 0, O_DBL, OFF(max_spread), 0, 60, NULL, "DB",
	  "between the loudest and the softest expected tone" },
	{ "max-gap", 0, O_INT, OFF(max_gap_ms), 0, 1e6, NULL, "MS",
	  "longest gap in an expected tone" },
	{ "max-delay", 0, O_INT, OFF(max_delay_ms), 0, 1e6, NULL, "MS",
	  "median of --measure-delay, each pair" },
	{ "max-auth-failures", 0, O_INT, OFF(max_auth_failures), 0, 1e9, NULL, "N",
	  "SRTP and SRTCP packets that did not authenticate" },
	{ "expect-status", 0, O_UINT, OFF(expect_status), 300, 699, NULL, "CODE",
	  "the call is to be refused with this status" },
	{ "expect-end", 0, O_FLAG, OFF(expect_end), 0, 0, NULL, NULL,
	  "the server is to end the call" },

	{ NULL, 0, 0, 0, 0, 0, NULL, NULL, "Misbehaviour (to test refusals)" },
	{ "avp", 0, O_FUNC, 0, 0, 0, parse_avp, "[=crypto]",
	  "offer RTP/AVP, with =crypto together with keys" },
	{ "bad-key", 0, O_FUNC, 0, 0, 0, parse_bad_key, "short|base64|reflect",
	  "spoil the key of the first a=crypto line; reflect: re-INVITE with the server's key" },
	{ "session-param", 0, O_STR, OFF(session_param), 0, 0, NULL, "TEXT",
	  "append to the first a=crypto line, e.g. UNENCRYPTED_SRTP" },
	{ "crypto-suite-answer", 0, O_STR, OFF(answer_suite), 0, 0, NULL, "NAME",
	  "answer with this suite whatever was offered" },

	{ NULL, 0, 0, 0, 0, 0, NULL, NULL, "Output" },
	{ "json", 0, O_FLAG, OFF(json), 0, 0, NULL, NULL,
	  "one JSON object on stdout (default unless stdout is a terminal)" },
	{ "table", 0, O_FLAG, OFF(table), 0, 0, NULL, NULL,
	  "a table for people (default on a terminal)" },
	{ "verbose", 'v', O_UINT, OFF(verbose), 0, 2, NULL, "0|1|2",
	  "log to stderr: warnings, events, everything (default 0)" },
	{ "help", 'h', O_HELP, 0, 0, 0, NULL, NULL, "this text" },
	{ "version", 'V', O_VERSION, 0, 0, 0, NULL, NULL, "version" },
};

#undef OFF

static void print_help(void)
{
	(void)puts("Usage: conclave-call --uri URI [OPTION...]\n"
		   "Call a SIP conference over TLS and SRTP, send a tone, say what is heard.");

	for (size_t i = 0; i < ARRAY_SIZE(rowv); i++) {
		const struct orow *r = &rowv[i];
		char left[80];

		if (!r->name && !r->letter) {
			(void)printf("\n%s:\n", r->help);
			continue;
		}
		(void)snprintf(left, sizeof(left), "%s%c%s %s%s%s",
			       r->letter ? "-" : "", r->letter ? r->letter : ' ',
			       r->letter && r->name ? "," : "",
			       r->name ? "--" : "", r->name ? r->name : "",
			       "");
		(void)printf("  %s%s%s\n        %s\n", left,
			     r->arg && r->arg[0] != '[' ? " " : "",
			     r->arg ? r->arg : "", r->help);
	}

	(void)puts("\nExit status: 0 all good, 1 a check failed, 2 usage or set-up error,\n"
		   "3 a call was not established.");
}

static int set_number(struct opts *o, const struct orow *r, const char *arg)
{
	char *field = (char *)o + r->off;
	double d;

	if (get_double(arg, r->min, r->max, &d))
		return EINVAL;

	if (r->type == O_DBL)
		*(double *)(void *)field = d;
	else if (d != floor(d))
		return EINVAL;
	else if (r->type == O_INT)
		*(int32_t *)(void *)field = (int32_t)d;
	else
		*(uint32_t *)(void *)field = (uint32_t)d;

	return 0;
}

static int set_option(struct opts *o, const struct orow *r, const char *arg)
{
	char *field = (char *)o + r->off;

	switch (r->type) {
	case O_FLAG: *(bool *)(void *)field = true;       return 0;
	case O_STR:  *(const char **)(void *)field = arg; return 0;
	case O_FUNC: return r->parseh(o, arg);
	default:     return set_number(o, r, arg);
	}
}

static void set_defaults(struct opts *o)
{
	static const enum suite_id suitev[] = {
		SUITE_AEAD_AES_256_GCM, SUITE_AEAD_AES_128_GCM,
		SUITE_AES_256_CM_HMAC_SHA1_80, SUITE_AES_CM_128_HMAC_SHA1_80,
	};
	static const enum codec_id codecv[] = {
		CODEC_OPUS, CODEC_G722, CODEC_PCMA, CODEC_PCMU,
	};

	memset(o, 0, sizeof(*o));
	memcpy(o->suitev, suitev, sizeof(suitev));
	o->suitec = ARRAY_SIZE(suitev);
	memcpy(o->codecv, codecv, sizeof(codecv));
	o->codecc = ARRAY_SIZE(codecv);
	o->transport       = SIP_TRANSP_TLS;
	o->setup_timeout_s = 20;
	o->seconds         = 10;
	o->calls           = 1;
	o->ramp_ms         = 20;
	o->ptime           = 20;
	o->freq            = 440;
	o->level_dbfs      = -20;
	o->freq_step       = 170;
	o->rtcp_interval_ms = 5000;
	o->hold_call       = -1;
	o->floor_at_ms     = 1000;
	o->floor_hold_ms   = 2000;
	o->min_level       = -40;
	o->max_spread      = -1;
	o->max_gap_ms      = -1;
	o->max_delay_ms    = -1;
	o->max_auth_failures = -1;
}

/** What belongs together; NULL if all is well */
static const char *check(const struct opts *o)
{
	if (!o->uri)
		return "--uri is required";
	if (!!o->userc != !!o->password_file && !o->cert)
		return "--user and --password-file belong together";
	if (o->insecure && o->ca)
		return "--ca and --insecure contradict each other";
	if (o->measure_delay && (o->calls < 2 || o->calls > OPTS_DELAY_MAX))
		return "--measure-delay needs -n 2..12";
	if (o->wav && o->silent)
		return "--wav and --silent contradict each other";
	if (o->delayed_offer && (o->avp || o->bad_key == BAD_KEY_SHORT ||
				 o->bad_key == BAD_KEY_BASE64))
		return "--avp and --bad-key spoil an offer; --delayed-offer makes none";
	if (o->tap && !o->insecure_tap)
		return "--tap writes keys in clear: say --insecure-tap if that is meant";
	if (o->replaces && (o->calls > 1 || strpbrk(o->replaces, "\r\n")))
		return "--replaces is one header of one call";
	if (o->answer_suite && !suite_by_name(o->answer_suite, strlen(o->answer_suite)))
		return "--crypto-suite-answer: unknown suite";

	return NULL;
}

static int read_passwords(struct opts *o)
{
	for (unsigned i = 0; i < o->userc && o->password_file; i++) {
		const int err = passwd_read(&o->passv[i], o->password_file, o->userv[i]);

		if (err) {
			(void)fprintf(stderr, "conclave-call: %s: no password for %s: %s\n",
				      o->password_file, o->userv[i], strerror(err));
			return err;
		}
	}

	return 0;
}

enum { LONG_BASE = 1000 };

/** Table for getopt, made from ours; @return number of long options */
static size_t make_getopt(struct option *lov, char *so)
{
	size_t loc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rowv); i++) {
		const struct orow *r = &rowv[i];
		const int has = !r->arg ? no_argument :
			r->arg[0] == '[' ? optional_argument : required_argument;

		if (r->letter) {
			*so++ = r->letter;
			if (has == required_argument)
				*so++ = ':';
		}
		if (!r->name)
			continue;
		lov[loc].name    = r->name;
		lov[loc].has_arg = has;
		lov[loc].flag    = NULL;
		lov[loc].val     = LONG_BASE + (int)i;
		++loc;
	}
	memset(&lov[loc], 0, sizeof(lov[loc]));
	*so = '\0';

	return loc;
}

static const struct orow *row_find(int c)
{
	if (c >= LONG_BASE)
		return &rowv[c - LONG_BASE];

	for (size_t i = 0; i < ARRAY_SIZE(rowv); i++) {
		if (rowv[i].letter && rowv[i].letter == c)
			return &rowv[i];
	}

	return NULL;
}

enum opts_todo opts_parse(struct opts *o, int argc, char *argv[])
{
	struct option lov[ARRAY_SIZE(rowv) + 1];
	char so[2 * ARRAY_SIZE(rowv) + 1];
	const char *wrong;
	int c;

	set_defaults(o);
	(void)make_getopt(lov, so);

	while ((c = getopt_long(argc, argv, so, lov, NULL)) != -1) {
		const struct orow *r = row_find(c);

		if (!r)
			return OPTS_USAGE;
		if (r->type == O_HELP) {
			print_help();
			return OPTS_DONE;
		}
		if (r->type == O_VERSION) {
			(void)puts("conclave-call " VERSION);
			return OPTS_DONE;
		}
		if (set_option(o, r, optarg)) {
			(void)fprintf(stderr, "conclave-call: %s%s: bad value \"%s\" (see --help)\n",
				      r->name ? "--" : "-", r->name ? r->name : "n",
				      optarg ? optarg : "");
			return OPTS_USAGE;
		}
	}

	wrong = optind < argc ? "unexpected argument" : check(o);
	if (wrong) {
		(void)fprintf(stderr, "conclave-call: %s (see --help)\n", wrong);
		return OPTS_USAGE;
	}

	return read_passwords(o) ? OPTS_USAGE : OPTS_RUN;
}

void opts_reset(struct opts *o)
{
	for (unsigned i = 0; i < o->userc; i++) {
		if (o->passv[i])
			OPENSSL_cleanse(o->passv[i], strlen(o->passv[i]));
		o->passv[i] = mem_deref(o->passv[i]);
		mem_deref((void *)(uintptr_t)o->userv[i]);
	}
	o->userc = 0;
}

void opts_login(const struct opts *o, unsigned i, const char **userp, const char **passp)
{
	*userp = o->userc ? o->userv[i % o->userc] : NULL;
	*passp = o->userc ? o->passv[i % o->userc] : NULL;
}

double opts_freq(const struct opts *o, unsigned i)
{
	/* whole hertz, so that one second of it can be repeated seamlessly */
	return round(o->freq + i % OPTS_TONES * o->freq_step);
}

unsigned opts_decoders(const struct opts *o)
{
	if (o->decode_first_set)
		return o->decode_first;

	return o->calls <= 16 ? o->calls : 4;
}

enum cfloor_part opts_floor(const struct opts *o, unsigned i)
{
	if (!o->floorc)
		return CFLOOR_NONE;

	return o->floorv[MIN(i, o->floorc - 1)];
}
