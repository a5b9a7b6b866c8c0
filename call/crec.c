/**
 * @file crec.c  What an ear hears: received packets placed on a time line
 *
 * Positions are samples since the first packet; slack is how much earlier
 * than its nominal time a packet came (a packet with slack -buffer_ms is the
 * last one that can still be played).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "crec.h"

enum {
	QUEUE_MAX  = 16,          /* packets waiting for a missing one       */
	PAYLOAD_MAX = 1500,
	SSRC_MAX   = 16,
	SNAP_MS    = 20,          /* an anchor this near the end continues it */
	EARLY_MS   = 1000,        /* earlier than this: the timestamp lies   */
	IDLE_US    = 60000,       /* away this long: may take over again     */
	LENGTH_MAX_S = 3600,
	FRAME_MAX  = 5760,        /* 120 ms at 48 kHz                        */
};

struct item {
	struct crec_pkt pkt;      /* payload points to buf                   */
	uint8_t buf[PAYLOAD_MAX];
};

struct source {
	uint32_t ssrc;
	uint64_t last_us;         /* last arrival                            */
};

struct crec {
	crec_pcm_h *pcmh;
	void *arg;
	uint32_t buffer_ms;
	struct crec_stats stats;

	struct source srcv[SSRC_MAX];
	unsigned srcc;
	uint32_t ssrc;            /* the one that is heard                   */
	bool     active;          /* there is one                            */

	struct item *itemv[QUEUE_MAX]; /* by sequence number                 */
	unsigned itemc;
	uint16_t next_seq;
	bool     has_next;

	struct codec_dec *dec;
	enum codec_id dec_id;

	bool     anchored;
	uint32_t anchor_ts;
	int64_t  anchor_pos;
	uint64_t t0_us;           /* first arrival                           */
	bool     started;

	int16_t *pcm;
	size_t   room, end;       /* [samples]                               */
	uint32_t rate;            /* of the recording: that of the first codec */
};

static void destructor(void *arg)
{
	struct crec *r = arg;

	for (unsigned i = 0; i < r->itemc; i++)
		free(r->itemv[i]);
	codec_dec_free(&r->dec);
	free(r->pcm);
}

int crec_alloc(struct crec **rp, uint32_t buffer_ms, crec_pcm_h *pcmh, void *arg)
{
	struct crec *r = mem_zalloc(sizeof(*r), destructor);

	if (!r)
		return ENOMEM;

	r->buffer_ms = buffer_ms;
	r->pcmh = pcmh;
	r->arg  = arg;
	*rp = r;

	return 0;
}

static int64_t ms_to_samp(const struct crec *r, int64_t ms)
{
	return ms * r->rate / 1000;
}

static int64_t us_to_pos(const struct crec *r, uint64_t us)
{
	return (int64_t)(us - r->t0_us) * r->rate / 1000000;
}

/** Room for end samples; what was never written is silence */
static int grow(struct crec *r, size_t end)
{
	size_t room = r->room ? r->room : 10u * r->rate;
	int16_t *pcm;

	if (end > (size_t)LENGTH_MAX_S * r->rate)
		return ENOSPC;
	if (end <= r->room)
		return 0;

	while (room < end)
		room *= 2;

	pcm = realloc(r->pcm, room * sizeof(*pcm));
	if (!pcm)
		return ENOMEM;

	memset(pcm + r->room, 0, (room - r->room) * sizeof(*pcm));
	r->pcm  = pcm;
	r->room = room;

	return 0;
}

/** Copy to the time line; another codec's rate is brought to ours, crudely */
static void place(struct crec *r, int64_t pos, const int16_t *pcm, size_t sampc, uint32_t rate)
{
	const size_t n = sampc * r->rate / rate;

	if (pos < 0 || grow(r, (size_t)pos + n))
		return;

	for (size_t i = 0; i < n; i++)
		r->pcm[(size_t)pos + i] = pcm[i * rate / r->rate];

	if ((size_t)pos + n > r->end)
		r->end = (size_t)pos + n;
}

/** Continue at the end if that is near, else where the arrival says */
static int64_t anchor(struct crec *r, const struct crec_pkt *pkt)
{
	const int64_t apos = us_to_pos(r, pkt->arrival_us);
	const int64_t end = (int64_t)r->end;
	int64_t pos = apos;

	if (apos < end + ms_to_samp(r, SNAP_MS))
		pos = end;

	if (r->anchored)
		++r->stats.reanchored;
	r->anchored   = true;
	r->anchor_ts  = pkt->ts;
	r->anchor_pos = pos;

	return pos;
}

static int64_t nominal_pos(const struct crec *r, const struct crec_pkt *pkt)
{
	const int32_t dts = (int32_t)(pkt->ts - r->anchor_ts);

	return r->anchor_pos + (int64_t)dts * r->rate / codec_by_id(pkt->id)->clock;
}

static int64_t position(struct crec *r, const struct crec_pkt *pkt)
{
	const int64_t apos = us_to_pos(r, pkt->arrival_us);
	int64_t pos, slack;

	if (!r->anchored)
		return anchor(r, pkt);

	pos = nominal_pos(r, pkt);
	slack = pos - apos;

	if (slack < -ms_to_samp(r, r->buffer_ms)) {
		++r->stats.late;
		return anchor(r, pkt);
	}
	if (slack > ms_to_samp(r, EARLY_MS))
		return anchor(r, pkt);

	return pos;
}

static int set_decoder(struct crec *r, enum codec_id id)
{
	int err;

	if (r->dec && r->dec_id == id)
		return 0;

	codec_dec_free(&r->dec);
	err = codec_dec_new(&r->dec, id);
	if (err)
		return err;

	r->dec_id = id;
	if (!r->rate)
		r->rate = codec_by_id(id)->rate;

	return 0;
}

static void decode(struct crec *r, const struct crec_pkt *pkt)
{
	const struct codec *c = codec_by_id(pkt->id);
	int16_t pcm[FRAME_MAX];
	int n;

	if (set_decoder(r, pkt->id))
		return;

	n = codec_decode(r->dec, pkt->payload, pkt->len, pcm, ARRAY_SIZE(pcm));
	if (n < 0) {
		++r->stats.undecodable;
		return;
	}

	++r->stats.placed;
	place(r, position(r, pkt), pcm, (size_t)n, c->rate);
	if (r->pcmh)
		r->pcmh(pkt->arrival_us, pcm, (size_t)n, c->rate, r->arg);
}

static void drop_head(struct crec *r)
{
	free(r->itemv[0]);
	--r->itemc;
	memmove(&r->itemv[0], &r->itemv[1], r->itemc * sizeof(r->itemv[0]));
}

/** Must the head be played by then, missing predecessor or not? */
static bool head_due(const struct crec *r, uint64_t now_us)
{
	const struct crec_pkt *pkt = &r->itemv[0]->pkt;
	int64_t pos;

	if (!r->has_next || pkt->seq == r->next_seq || r->itemc == QUEUE_MAX)
		return true;
	if (!r->anchored || !r->rate)
		return true;

	pos = nominal_pos(r, pkt) + ms_to_samp(r, r->buffer_ms);

	return us_to_pos(r, now_us) >= pos;
}

static void drain(struct crec *r, uint64_t now_us, bool all)
{
	while (r->itemc && (all || head_due(r, now_us))) {
		const struct crec_pkt *pkt = &r->itemv[0]->pkt;

		decode(r, pkt);
		r->next_seq = (uint16_t)(pkt->seq + 1);
		r->has_next = true;
		drop_head(r);
	}
}

static void enqueue(struct crec *r, const struct crec_pkt *pkt)
{
	struct item *it;
	unsigned i;

	/* its place has been passed already */
	if (r->has_next && (int16_t)(uint16_t)(pkt->seq - r->next_seq) < 0) {
		++r->stats.late;
		return;
	}

	it = malloc(sizeof(*it));
	if (!it)
		return;
	it->pkt = *pkt;
	it->pkt.payload = it->buf;
	memcpy(it->buf, pkt->payload, pkt->len);

	for (i = r->itemc; i > 0; i--) {
		if ((int16_t)(uint16_t)(pkt->seq - r->itemv[i - 1]->pkt.seq) >= 0)
			break;
		r->itemv[i] = r->itemv[i - 1];
	}
	r->itemv[i] = it;
	++r->itemc;
}

/** Note the arrival; @return how long the source was away, UINT64_MAX if new */
static uint64_t source_seen(struct crec *r, const struct crec_pkt *pkt)
{
	struct source *oldest = NULL;
	uint64_t away;

	for (unsigned i = 0; i < r->srcc; i++) {
		struct source *s = &r->srcv[i];

		if (s->ssrc == pkt->ssrc) {
			away = pkt->arrival_us - s->last_us;
			s->last_us = pkt->arrival_us;
			return away;
		}
		if (!oldest || s->last_us < oldest->last_us)
			oldest = s;
	}

	if (r->srcc < SSRC_MAX)
		oldest = &r->srcv[r->srcc++];
	oldest->ssrc = pkt->ssrc;
	oldest->last_us = pkt->arrival_us;

	return UINT64_MAX;
}

static uint64_t last_arrival(const struct crec *r, uint32_t ssrc)
{
	for (unsigned i = 0; i < r->srcc; i++) {
		if (r->srcv[i].ssrc == ssrc)
			return r->srcv[i].last_us;
	}

	return 0;
}

/** Is this packet's source the one to hear?  Switches if need be. */
static bool choose(struct crec *r, const struct crec_pkt *pkt)
{
	const uint64_t away = source_seen(r, pkt);

	if (r->active && r->ssrc == pkt->ssrc)
		return true;

	if (r->active && away < IDLE_US &&
	    pkt->arrival_us - last_arrival(r, r->ssrc) < IDLE_US) {
		++r->stats.other;
		return false;
	}

	drain(r, pkt->arrival_us, true);
	if (r->dec)
		codec_dec_reset(r->dec);
	r->ssrc = pkt->ssrc;
	r->active   = true;
	r->has_next = false;
	r->anchored = false;

	return true;
}

void crec_packet(struct crec *r, const struct crec_pkt *pkt)
{
	if (!r || pkt->len > PAYLOAD_MAX || !codec_by_id(pkt->id))
		return;

	if (!r->started) {
		r->started = true;
		r->t0_us = pkt->arrival_us;
	}
	if (!choose(r, pkt))
		return;

	enqueue(r, pkt);
	drain(r, pkt->arrival_us, false);
}

void crec_close(struct crec *r, uint64_t now_us)
{
	size_t end;

	if (!r || !r->started)
		return;

	drain(r, now_us, true);
	if (!r->rate)
		return;

	end = (size_t)us_to_pos(r, now_us);
	if (!grow(r, end))
		r->end = end;
}

const int16_t *crec_pcm(const struct crec *r, size_t *sampcp, uint32_t *ratep)
{
	if (!r || !r->end)
		return NULL;

	*sampcp = r->end;
	*ratep  = r->rate;

	return r->pcm;
}

const struct crec_stats *crec_stats(const struct crec *r)
{
	return &r->stats;
}
