/**
 * @file opts.h  Command line of conclave-call
 *
 * One row per option (opts.c): parser, range and help are made from the same
 * table, so they cannot drift apart.
 *
 * Ownership:  strings point into argv, except the password, which is read
 *             from a file, owned here and wiped by opts_reset()
 */
#ifndef CALL_OPTS_H
#define CALL_OPTS_H

#include "re_compat.h"
#include "cfloor.h"
#include "codec.h"
#include "suite.h"

enum {
	OPTS_FREQ_MAX = 32,
	OPTS_USER_MAX = 32,
	OPTS_CALL_MAX = 4000,
	OPTS_TONES = 16,      /* different tones; they stay below 3.4 kHz   */
	OPTS_DELAY_MAX = 12,  /* more tones would come near the marker     */
};

enum opts_bad_key {
	BAD_KEY_NONE = 0,
	BAD_KEY_SHORT,        /* key||salt one byte short                   */
	BAD_KEY_BASE64,       /* a character that base64 does not have      */
	BAD_KEY_REFLECT,      /* offer the server's own key back to it      */
};

enum opts_answer {
	ANSWER_OK = 0,
	ANSWER_NEVER,
	ANSWER_488,
};

enum opts_hold {
	HOLD_SENDONLY = 0,
	HOLD_INACTIVE,
	HOLD_ZERO,            /* c=0.0.0.0, the way of RFC 2543             */
};

enum opts_avp {
	AVP_NO = 0,
	AVP_PLAIN,            /* RTP/AVP without keys                       */
	AVP_CRYPTO,           /* RTP/AVP with a=crypto: "best effort"       */
};

/** Result of a check list option: frequencies, or a word */
struct opts_freqs {
	double   v[OPTS_FREQ_MAX];
	unsigned c;
	bool     word;        /* --expect others, --not own                 */
};

struct opts {
	/* whom and how */
	const char *uri;
	const char *from;
	const char *userv[OPTS_USER_MAX];
	unsigned userc;
	const char *password_file;
	char *passv[OPTS_USER_MAX];     /* beside userv                      */
	const char *cert;
	const char *ca;
	bool insecure;
	enum sip_transp transport;
	const char *bind;
	uint32_t setup_timeout_s;
	uint32_t seconds;
	uint32_t calls;
	uint32_t ramp_ms;
	uint32_t connections;           /* 0: one per call, at most 64       */
	bool same_conf;

	/* media */
	enum suite_id suitev[SUITE_MAX];
	unsigned suitec;
	enum codec_id codecv[CODEC_MAX];
	unsigned codecc;
	uint32_t ptime;
	double freq;
	double level_dbfs;
	double freq_step;
	const char *wav;
	bool silent;
	const char *out;
	uint32_t decode_first;
	bool decode_first_set;
	bool rtcp_mux;
	uint32_t rtcp_interval_ms;
	const char *dump_rx;
	const char *tap;
	bool insecure_tap;
	bool measure_delay;

	/* signalling behaviour */
	bool delayed_offer;
	uint32_t hold_at_s;
	uint32_t hold_s;                /* 0: no hold                        */
	enum opts_hold hold_how;
	int32_t hold_call;              /* < 0: all of them                  */
	bool mki;
	uint32_t answer_delay_ms;
	enum opts_answer answer;
	bool no_rekey;
	bool hard_switch;
	bool no_update;
	const char *replaces;           /* NULL: nobody                      */
	const char *user_agent;

	/* floor control */
	enum cfloor_part floorv[OPTS_USER_MAX];
	unsigned floorc;                /* 0: none; the last goes for the rest */
	uint32_t floor_at_ms;
	uint32_t floor_step_ms;
	uint32_t floor_hold_ms;

	/* checks */
	struct opts_freqs expect;
	struct opts_freqs absent;
	double min_level;
	double max_spread;              /* < 0: not checked                  */
	int32_t max_gap_ms;             /* < 0: not checked                  */
	int32_t max_delay_ms;           /* < 0: not checked                  */
	int32_t max_auth_failures;      /* < 0: not checked                  */
	uint32_t expect_status;         /* 0: the call is to be established  */
	bool expect_end;

	/* misbehaviour, for tests of refusals */
	enum opts_avp avp;
	enum opts_bad_key bad_key;
	const char *session_param;
	const char *answer_suite;

	/* output */
	bool json;
	bool table;
	uint32_t verbose;
};

/** What opts_parse() wants the caller to do */
enum opts_todo { OPTS_RUN, OPTS_DONE, OPTS_USAGE };

/**
 * Defaults, then the command line, then what belongs together
 *
 * Prints help, version or the mistake itself.
 */
enum opts_todo opts_parse(struct opts *o, int argc, char *argv[]);

/** Wipe and free */
void opts_reset(struct opts *o);

/** User and password of the i-th call; both NULL if none were given */
void opts_login(const struct opts *o, unsigned i, const char **userp, const char **passp);

/** What the i-th call does about the floor */
enum cfloor_part opts_floor(const struct opts *o, unsigned i);

/** Tone of the i-th call [Hz] */
double opts_freq(const struct opts *o, unsigned i);

/** How many calls decode what they hear (the rest only authenticates) */
unsigned opts_decoders(const struct opts *o);

#endif
