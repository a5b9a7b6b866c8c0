/**
 * @file codectab.c  Names, clocks and rates of the codecs
 *
 * Apart from codec.c so that the focus, which only talks about codecs, needs
 * no codec library.
 *
 * Refs: RFC 3551 section 6 (static payload types), RFC 7587 section 7
 */
#include <string.h>
#include <strings.h>
#include "codec.h"

static const struct codec codecv[] = {
	{ CODEC_OPUS, "opus", 48000, 48000, 2, -1 },
	/* "Even though the actual sampling rate for G.722 audio is 16,000 Hz,
	   the RTP clock rate ... is 8,000 Hz", RFC 3551 section 4.5.2 */
	{ CODEC_G722, "G722",  8000, 16000, 0,  9 },
	{ CODEC_PCMA, "PCMA",  8000,  8000, 0,  8 },
	{ CODEC_PCMU, "PCMU",  8000,  8000, 0,  0 },
};

enum { CODECC = sizeof(codecv) / sizeof(codecv[0]) };

const struct codec *codec_by_id(enum codec_id id)
{
	for (size_t i = 0; i < CODECC; i++) {
		if (codecv[i].id == id)
			return &codecv[i];
	}

	return NULL;
}

/* RFC 4855 section 3: encoding names are case-insensitive */
const struct codec *codec_by_name(const char *name, size_t len, uint32_t clock)
{
	if (!name)
		return NULL;

	for (size_t i = 0; i < CODECC; i++) {
		const struct codec *c = &codecv[i];

		if (strlen(c->name) == len && c->clock == clock &&
		    !strncasecmp(c->name, name, len))
			return c;
	}

	return NULL;
}

const struct codec *codec_by_pt(int pt)
{
	for (size_t i = 0; i < CODECC && pt >= 0; i++) {
		if (codecv[i].pt == pt)
			return &codecv[i];
	}

	return NULL;
}
