/**
 * @file wav.c  16 bit PCM WAV files
 *
 * Reads what other programs write: chunks in any order before the data, the
 * extensible format, and the wrong data length of a file that was streamed.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "wav.h"

enum {
	RIFF_SIZE  = 12,
	CHUNK_SIZE = 8,
	FMT_SIZE   = 16,
	FMT_PCM    = 1,
	FMT_EXT    = 0xfffe,
	HEAD_SIZE  = RIFF_SIZE + CHUNK_SIZE + FMT_SIZE + CHUNK_SIZE,
};

/* An hour of 48 kHz stereo is 691 MB; nobody needs more in memory */
#define DATA_MAX 700000000u

struct fmt {
	unsigned ch;
	uint32_t rate;
	bool     ok;
};

static uint32_t le_get(const uint8_t *p, unsigned n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 8 | p[n];

	return v;
}

static void le_put(uint8_t *p, uint32_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++, v >>= 8)
		p[i] = (uint8_t)v;
}

/* Go on to the next chunk; an odd length is followed by a pad byte */
static int skip(FILE *f, uint32_t len)
{
	return fseek(f, (long)len + (len & 1), SEEK_CUR) ? errno : 0;
}

static int fmt_read(struct fmt *fmt, FILE *f, uint32_t len)
{
	uint8_t b[FMT_SIZE];
	uint32_t tag;

	if (len < FMT_SIZE || fread(b, sizeof(b), 1, f) != 1)
		return EBADMSG;

	tag       = le_get(b, 2);
	fmt->ch   = le_get(b + 2, 2);
	fmt->rate = le_get(b + 4, 4);
	fmt->ok   = (tag == FMT_PCM || tag == FMT_EXT) &&
		(fmt->ch == 1 || fmt->ch == 2) && fmt->rate &&
		le_get(b + 14, 2) == 16;

	return fmt->ok ? skip(f, len - FMT_SIZE) : ENOTSUP;
}

/* Leaves the file at the first sample; *lenp is what the header says */
static int head_read(struct fmt *fmt, FILE *f, uint32_t *lenp)
{
	uint8_t b[RIFF_SIZE];
	int err = 0;

	if (fread(b, RIFF_SIZE, 1, f) != 1 || memcmp(b, "RIFF", 4) ||
	    memcmp(b + 8, "WAVE", 4))
		return EBADMSG;

	while (!err) {
		uint32_t len;

		if (fread(b, CHUNK_SIZE, 1, f) != 1)
			return EBADMSG;
		len = le_get(b + 4, 4);

		if (!memcmp(b, "data", 4)) {
			*lenp = len;
			return fmt->ok ? 0 : EBADMSG;
		}
		err = memcmp(b, "fmt ", 4) ? skip(f, len) :
			fmt_read(fmt, f, len);
	}

	return err;
}

/* What is really there, at most what the header says; 0 and ~0 mean "I did
   not know when I began to write" */
static int data_len(FILE *f, uint32_t said, size_t *lenp)
{
	const long pos = ftell(f);
	long end;

	if (pos < 0 || fseek(f, 0, SEEK_END) || (end = ftell(f)) < 0 ||
	    fseek(f, pos, SEEK_SET))
		return errno;

	*lenp = (size_t)(end - pos);
	if (said && *lenp > said)
		*lenp = said;

	return *lenp > DATA_MAX ? EFBIG : 0;
}

static int data_read(FILE *f, const struct fmt *fmt, size_t len,
		     int16_t **pcmp, size_t *sampcp)
{
	const size_t size = 2u * fmt->ch, sampc = len / size;
	uint8_t *raw = malloc(sampc * size + 1);
	int16_t *pcm = malloc(sampc * sizeof(*pcm) + 1);
	int err = 0;

	if (!raw || !pcm)
		err = ENOMEM;
	else if (fread(raw, size, sampc, f) != sampc)
		err = EIO;

	for (size_t i = 0; i < sampc && !err; i++) {
		const uint8_t *p = raw + i * size;
		const int a = (int16_t)le_get(p, 2);
		const int b = fmt->ch == 2 ? (int16_t)le_get(p + 2, 2) : a;

		pcm[i] = (int16_t)((a + b) / 2);
	}

	free(raw);
	if (err) {
		free(pcm);
		return err;
	}
	*pcmp   = pcm;
	*sampcp = sampc;

	return 0;
}

int wav_read(const char *path, int16_t **pcmp, size_t *sampcp, uint32_t *ratep)
{
	struct fmt fmt = { 0 };
	uint32_t said = 0;
	size_t len = 0;
	FILE *f;
	int err;

	if (!path || !pcmp || !sampcp || !ratep)
		return EINVAL;

	f = fopen(path, "rb");
	if (!f)
		return errno;

	err = head_read(&fmt, f, &said);
	if (!err)
		err = data_len(f, said, &len);
	if (!err)
		err = data_read(f, &fmt, len, pcmp, sampcp);
	if (!err)
		*ratep = fmt.rate;

	(void)fclose(f);

	return err;
}

int wav_write(const char *path, const int16_t *pcm, size_t sampc,
	      uint32_t rate)
{
	uint8_t h[HEAD_SIZE], s[2];
	const size_t len = 2 * sampc;
	bool ok;
	FILE *f;

	if (!path || (!pcm && sampc) || !rate)
		return EINVAL;
	if (sampc > DATA_MAX / 2)
		return EFBIG;

	memcpy(h, "RIFF....WAVEfmt ", 16);
	le_put(h + 4, (uint32_t)len + HEAD_SIZE - CHUNK_SIZE, 4);
	le_put(h + 16, FMT_SIZE, 4);
	le_put(h + 20, FMT_PCM, 2);
	le_put(h + 22, 1, 2);             /* channels                        */
	le_put(h + 24, rate, 4);
	le_put(h + 28, 2 * rate, 4);      /* bytes per second                */
	le_put(h + 32, 2, 2);             /* bytes per sample of all channels */
	le_put(h + 34, 16, 2);            /* bits                            */
	memcpy(h + 36, "data", 4);
	le_put(h + 40, (uint32_t)len, 4);

	f = fopen(path, "wb");
	if (!f)
		return errno;

	ok = fwrite(h, sizeof(h), 1, f) == 1;
	for (size_t i = 0; i < sampc && ok; i++) {
		le_put(s, (uint16_t)pcm[i], 2);
		ok = fwrite(s, sizeof(s), 1, f) == 1;
	}

	/* The disk may be full only now */
	return fclose(f) || !ok ? EIO : 0;
}
