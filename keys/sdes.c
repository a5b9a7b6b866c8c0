/**
 * @file sdes.c  The a=crypto attribute
 *
 * TAG SUITE KEY-PARAMS [SESSION-PARAMS]; the key parameters are in
 * sdes_key.c.  Words of the grammar are ABNF strings and so read in any case.
 *
 * Refs:  RFC 4568 sections 4, 6 and 9
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <openssl/crypto.h>
#include "sdes.h"
#include "sdes_key.h"

enum {
	TAG_DIGITS = 9,
	KDR_MAX = 24,
	WSH_MIN = 64,
	WSH_DIGITS = 9,         /* a hint: more than 32 bits mean nothing */
};

#define FEC_ORDER_REVERSE "SRTP_FEC"


static bool text_is(const struct text *t, const char *want)
{
	return t->len == strlen(want) && !strncasecmp(t->p, want, t->len);
}


static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}


/* Next word of the line; *t moves behind it.  False if there is none. */
static bool next_word(struct text *word, struct text *t)
{
	while (t->len && is_blank(*t->p)) {
		++t->p;
		--t->len;
	}

	word->p = t->p;
	while (t->len && !is_blank(*t->p)) {
		++t->p;
		--t->len;
	}
	word->len = (size_t)(t->p - word->p);

	return word->len > 0;
}


/*
 * Session parameters, RFC 4568 section 6.3
 */

static enum sdes_err dec_unencrypted_srtp(struct sdes *sd,
					  const struct text *val)
{
	(void)val;
	sd->unencrypted_srtp = true;
	return SDES_OK;
}


static enum sdes_err dec_unencrypted_srtcp(struct sdes *sd,
					   const struct text *val)
{
	(void)val;
	sd->unencrypted_srtcp = true;
	return SDES_OK;
}


static enum sdes_err dec_unauthenticated(struct sdes *sd,
					 const struct text *val)
{
	(void)val;
	sd->unauthenticated_srtp = true;
	return SDES_OK;
}


/* Section 6.3.1 has 1..24, the grammar also 0: RFC 3711's "derive once" */
static enum sdes_err dec_kdr(struct sdes *sd, const struct text *val)
{
	uint64_t n;

	if (text_number(&n, val, 2) || n > KDR_MAX)
		return SDES_PARAM;
	sd->kdr = (unsigned)n;

	return SDES_OK;
}


static enum sdes_err dec_wsh(struct sdes *sd, const struct text *val)
{
	uint64_t n;

	if (text_number(&n, val, WSH_DIGITS) || n < WSH_MIN)
		return SDES_PARAM;
	sd->wsh = (unsigned)n;

	return SDES_OK;
}


static enum sdes_err dec_fec_order(struct sdes *sd, const struct text *val)
{
	sd->fec_order_srtp = text_is(val, FEC_ORDER_REVERSE);

	return sd->fec_order_srtp || text_is(val, "FEC_SRTP")
		? SDES_OK : SDES_PARAM;
}


/* "the semantic rules are the same - in particular, the master key(s) MUST be
 * different from all other master key(s) in the SDP" */
static enum sdes_err dec_fec_key(struct sdes *sd, const struct text *val)
{
	struct sdes_key keyv[SDES_KEYS_MAX];
	unsigned keyc = 0;
	enum sdes_err e;

	memset(keyv, 0, sizeof(keyv));
	e = sdes_keys_decode(keyv, &keyc, sd->suite, val);

	for (unsigned i = 0; i < keyc && !e; i++) {
		for (unsigned j = 0; j < sd->keyc && !e; j++) {
			if (secret_equal(keyv[i].keysalt,
					 sd->keyv[j].keysalt))
				e = SDES_SAMEKEY;
		}
	}

	sdes_keys_free(keyv, keyc);
	sd->fec_key = true;

	return e;
}


static const struct {
	const char *name;
	bool value;             /* NAME=value, otherwise just NAME */
	enum sdes_err (*decode)(struct sdes *sd, const struct text *val);
} paramv[] = {
	{ "KDR",                  true,  dec_kdr               },
	{ "UNENCRYPTED_SRTP",     false, dec_unencrypted_srtp  },
	{ "UNENCRYPTED_SRTCP",    false, dec_unencrypted_srtcp },
	{ "UNAUTHENTICATED_SRTP", false, dec_unauthenticated   },
	{ "FEC_ORDER",            true,  dec_fec_order         },
	{ "FEC_KEY",              true,  dec_fec_key           },
	{ "WSH",                  true,  dec_wsh               },
};


/*
 * "If an SDP crypto attribute is received with an unknown session parameter
 * that is not prefixed with a "-" character, that crypto attribute MUST be
 * considered invalid."  Which parameters came is kept in *seenp: two values
 * for one leave open what is meant.
 */
static enum sdes_err param_decode(struct sdes *sd, unsigned *seenp,
				  struct text param)
{
	struct text name;

	if (param.p[0] == '-')
		return param.len > 1 && param.p[1] != '-'
			? SDES_OK : SDES_PARAM;

	(void)text_split(&name, &param, '=');

	for (unsigned i = 0; i < sizeof(paramv) / sizeof(paramv[0]); i++) {
		if (!text_is(&name, paramv[i].name))
			continue;
		if (paramv[i].value != (param.p != NULL) ||
		    *seenp & 1u << i)
			return SDES_PARAM;
		*seenp |= 1u << i;

		return paramv[i].decode(sd, &param);
	}

	return SDES_PARAM;
}


static enum sdes_err suite_decode(struct sdes *sd, const struct text *t)
{
	for (size_t i = 0; i < t->len; i++) {
		const char c = t->p[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		      (c >= '0' && c <= '9') || c == '_'))
			return SDES_SYNTAX;
	}

	sd->suite = suite_by_name(t->p, t->len);
	if (!sd->suite || t->len >= sizeof(sd->suite_name))
		return SDES_SUITE;
	memcpy(sd->suite_name, t->p, t->len);

	return SDES_OK;
}


static enum sdes_err line_decode(struct sdes *sd, struct text line)
{
	struct text word;
	uint64_t tag;
	unsigned seen = 0;
	enum sdes_err e;

	if (!line.len || is_blank(*line.p) || !next_word(&word, &line) ||
	    text_number(&tag, &word, TAG_DIGITS))
		return SDES_SYNTAX;
	sd->tag = (uint32_t)tag;

	if (!next_word(&word, &line))
		return SDES_SYNTAX;
	e = suite_decode(sd, &word);
	if (e)
		return e;

	if (!next_word(&word, &line))
		return SDES_SYNTAX;
	e = sdes_keys_decode(sd->keyv, &sd->keyc, sd->suite, &word);

	while (!e && next_word(&word, &line))
		e = param_decode(sd, &seen, word);

	return e;
}


enum sdes_err sdes_decode(struct sdes *sd, const char *val, size_t len)
{
	const struct text line = { val, len };
	enum sdes_err e;

	if (!val)
		return SDES_SYNTAX;
	if (len > SDES_LINE_MAX)
		return SDES_TOOLONG;

	for (size_t i = 0; i < len; i++) {
		if (!is_blank(val[i]) && (val[i] < 0x21 || val[i] > 0x7e))
			return SDES_SYNTAX;
	}

	e = line_decode(sd, line);
	if (e)
		sdes_reset(sd);

	return e;
}


const char *sdes_strerror(enum sdes_err e)
{
	static const char *const textv[] = {
		[SDES_OK]       = "ok",
		[SDES_SYNTAX]   = "crypto attribute is malformed",
		[SDES_SUITE]    = "crypto suite is not supported",
		[SDES_KEYLEN]   = "key has the wrong length for the suite",
		[SDES_BASE64]   = "key is not base64",
		[SDES_LIFETIME] = "key lifetime is invalid",
		[SDES_MKI]      = "MKI is invalid",
		[SDES_PARAM]    = "session parameter is unknown or invalid",
		[SDES_NOMEM]    = "out of memory",
		[SDES_METHOD]   = "key method is not supported",
		[SDES_TOOLONG]  = "crypto attribute is too long",
		[SDES_SAMEKEY]  = "key is not unique",
	};

	return (size_t)e < sizeof(textv) / sizeof(textv[0])
		? textv[e] : "unknown error";
}


const char *sdes_refuse_reason(const struct sdes *sd)
{
	if (!sd || !sd->suite || !sd->keyc)
		return "no crypto attribute";
	if (sd->unencrypted_srtp)
		return "UNENCRYPTED_SRTP is not allowed";
	if (sd->unencrypted_srtcp)
		return "UNENCRYPTED_SRTCP is not allowed";
	if (sd->unauthenticated_srtp)
		return "UNAUTHENTICATED_SRTP is not allowed";
	/* declarative: it cannot be negotiated away, and we derive once */
	if (sd->kdr)
		return "KDR is not supported";
	if (sd->fec_order_srtp)
		return "FEC_ORDER=SRTP_FEC is not supported";
	if (sd->fec_key)
		return "FEC_KEY is not supported";

	return NULL;
}


static void print_params(struct out *o, const struct sdes *sd)
{
	if (sd->kdr)
		out_put(o, " KDR=%u", sd->kdr);
	if (sd->unencrypted_srtp)
		out_put(o, " UNENCRYPTED_SRTP");
	if (sd->unencrypted_srtcp)
		out_put(o, " UNENCRYPTED_SRTCP");
	if (sd->unauthenticated_srtp)
		out_put(o, " UNAUTHENTICATED_SRTP");
	if (sd->fec_order_srtp)
		out_put(o, " FEC_ORDER=" FEC_ORDER_REVERSE);
	if (sd->wsh)
		out_put(o, " WSH=%u", sd->wsh);
}


int sdes_print(char *buf, size_t size, const struct sdes *sd)
{
	struct out o = { buf, size, 0, false };

	if (!buf || !size || !sd || !sd->suite || !sd->keyc ||
	    sd->tag > SDES_TAG_MAX)
		return -1;

	out_put(&o, "%u %s ", sd->tag, *sd->suite_name ? sd->suite_name
						       : sd->suite->name);
	for (unsigned i = 0; i < sd->keyc; i++) {
		if (i)
			out_put(&o, ";");
		sdes_key_print(&o, &sd->keyv[i]);
	}
	print_params(&o, sd);

	if (!o.full)
		return (int)o.n;

	OPENSSL_cleanse(buf, size);

	return -1;
}


int sdes_encode(char *buf, size_t size, uint32_t tag,
		const struct suite *suite, const char *name,
		const struct secret *keysalt, uint32_t mki, uint8_t mki_len)
{
	struct sdes sd;
	int n = -1;

	if (!suite || secret_len(keysalt) != suite_keysalt_len(suite) ||
	    mki_len > SDES_MKI_MAX || (mki_len && !mki) ||
	    (mki_len < sizeof(mki) && mki >> 8 * mki_len))
		return -1;

	memset(&sd, 0, sizeof(sd));
	sd.tag = tag;
	sd.suite = suite;
	if (name && (size_t)snprintf(sd.suite_name, sizeof(sd.suite_name),
				     "%s", name) >= sizeof(sd.suite_name))
		return -1;

	sdes_mki_set(&sd.keyv[0], mki, mki_len);
	if (!secret_copy(&sd.keyv[0].keysalt, secret_bytes(keysalt),
			 secret_len(keysalt))) {
		sd.keyc = 1;
		n = sdes_print(buf, size, &sd);
	}
	sdes_reset(&sd);

	return n;
}


void sdes_reset(struct sdes *sd)
{
	if (!sd)
		return;

	sdes_keys_free(sd->keyv, SDES_KEYS_MAX);
	memset(sd, 0, sizeof(*sd));
}
