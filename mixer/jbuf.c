/**
 * @file jbuf.c  Adaptive jitter buffer of one speaker slot
 *
 * Three positions on the sender's media time line, in RTP clock units:
 * play_ts (played), out_ts >= play_ts (handed to the decoder; a 60 ms packet
 * runs ahead of play_ts) and end_ts (end of the newest packet).
 */
#include <string.h>
#include "jbuf.h"

enum {
	SEQ_JUMP = 100,             /* further away: another stream, not a gap  */
	BASE_WINDOW_US = 5000000,
	LEVEL_WINDOW = 100,         /* ticks between two corrections            */
	DRY_MAX_MS = 100,           /* concealment has faded out by then        */
	LEVEL_MAX_MS = 500,         /* a burst after a stall: start anew        */
	EXCESS_MS = 40,             /* so much above the target is too much     */
	EXCESS_FORCE_MS = 120,      /* do not wait for a quiet moment           */
	TS_JUMP_MS = 1000,
	HIST_ONE = 1 << 15,
	HIST_FORGET = 7,            /* 1/128 per packet: 2.5 s                  */
	HIST_COVER = HIST_ONE / 100 * 95,
	BIN_MS = 10,
	BURST_US = 1000,            /* packets so close are one arrival         */
};

static inline int32_t diff32(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

static inline int diff16(uint16_t a, uint16_t b)
{
	return (int16_t)(uint16_t)(a - b);
}

static uint32_t to_ms(const struct jbuf *jb, uint32_t units)
{
	return (uint32_t)((uint64_t)units * 1000 / jb->clock);
}

static struct pkt **slot(struct jbuf *jb, uint16_t seq)
{
	return &jb->slotv[seq % JBUF_SLOTS];
}

static struct pkt *peek(struct jbuf *jb, uint16_t seq)
{
	struct pkt *p = *slot(jb, seq);

	return p && p->seq == seq ? p : NULL;
}

static struct pkt *take(struct jbuf *jb, uint16_t seq)
{
	struct pkt *p = peek(jb, seq);

	if (p) {
		*slot(jb, seq) = NULL;
		--jb->c;
	}

	return p;
}

static void forget_jitter(struct jbuf *jb)
{
	memset(jb->histv, 0, sizeof(jb->histv));
	/* that of a network not known yet */
	jb->histv[JBUF_TARGET_START_MS / BIN_MS - 2] = HIST_ONE;
	jb->target_ms = JBUF_TARGET_START_MS;
	jb->base_until_us = 0;
	jb->ext_ts = 0;
}

void jbuf_init(struct jbuf *jb, uint32_t clock)
{
	memset(jb, 0, sizeof(*jb));
	jb->clock = clock;
	jb->tick = clock / 50;
	jb->low_ms = UINT32_MAX;
	forget_jitter(jb);
}

static void drop_all(struct jbuf *jb)
{
	unsigned i;

	for (i = 0; i < JBUF_SLOTS && jb->c; i++) {
		if (!jb->slotv[i])
			continue;
		pkt_put(jb->slotv[i]);
		jb->slotv[i] = NULL;
		--jb->c;
	}
	pkt_put(jb->late);
	jb->late = NULL;
	jb->state = JBUF_EMPTY;
	jb->dry = 0;
	jb->refill = 0;
	jb->low_ms = UINT32_MAX;
	jb->low_ticks = 0;
}

void jbuf_flush(struct jbuf *jb)
{
	drop_all(jb);
	forget_jitter(jb);
}

/* The target covers 95 of 100 packets of late: one stall of the network or of
   a machine is no reason to be slow for the next half minute */
static void learn(struct jbuf *jb, int64_t late_us)
{
	const int64_t n = late_us / 1000 / BIN_MS;
	const unsigned bin = n < 0 ? 0 : n >= JBUF_BINS ? JBUF_BINS - 1 : (unsigned)n;
	uint32_t sum = 0, target;
	unsigned i;

	for (i = 0; i < JBUF_BINS; i++) {
		jb->histv[i] -= jb->histv[i] >> HIST_FORGET;
		sum += jb->histv[i];
	}
	jb->histv[bin] += HIST_ONE - sum;

	for (i = 0, sum = 0; i < JBUF_BINS - 1; i++) {
		sum += jb->histv[i];
		if (sum >= HIST_COVER)
			break;
	}

	/* half a tick more for what the tick's own grid adds */
	target = (i + 1) * BIN_MS + 10;
	jb->target_ms = target > JBUF_TARGET_MAX_MS ? JBUF_TARGET_MAX_MS : target;
}

/* How much later than the fastest packet of the last seconds did this one
   come? */
static void measure(struct jbuf *jb, uint32_t ts, uint64_t now_us)
{
	const bool first = !jb->base_until_us;
	int64_t base, transit;

	jb->ext_ts += first ? 0 : diff32(ts, jb->last_ts);
	jb->last_ts = ts;
	transit = (int64_t)now_us - jb->ext_ts * 1000000 / jb->clock;

	if (now_us >= jb->base_until_us) {
		jb->base_v[1] = first ? transit : jb->base_v[0];
		jb->base_v[0] = transit;
		jb->base_until_us = now_us + BASE_WINDOW_US;
	}
	if (transit < jb->base_v[0])
		jb->base_v[0] = transit;

	/* of a burst after a stall only the first counts: it is one event */
	if (!first && now_us < jb->learnt_us + BURST_US)
		return;
	jb->learnt_us = now_us;
	base = jb->base_v[1] < jb->base_v[0] ? jb->base_v[1] : jb->base_v[0];
	learn(jb, transit - base);
}

static void begin(struct jbuf *jb, const struct pkt *p, uint64_t now_us)
{
	jb->state = JBUF_FILLING;
	jb->first_us = now_us;
	jb->next_seq = jb->max_seq = p->seq;
	jb->out_ts = jb->play_ts = p->ts;
	jb->end_ts = p->ts + p->dur;
	jb->dry = 0;
}

/* Is this the same stream, going on? */
static bool continues(const struct jbuf *jb, const struct pkt *p)
{
	const int ds = diff16(p->seq, jb->max_seq);
	const int32_t dt = diff32(p->ts, jb->end_ts);
	const int32_t jump = (int32_t)(jb->clock / 1000 * TS_JUMP_MS);

	return ds > -SEQ_JUMP && ds < SEQ_JUMP && dt > -jump && dt < jump;
}

static void store(struct jbuf *jb, struct pkt *p)
{
	struct pkt **pp = slot(jb, p->seq);

	if (*pp) {
		++jb->stats.dup;
		pkt_put(p);
		return;
	}
	*pp = p;
	++jb->c;
	jb->dry = 0;
	if (diff16(p->seq, jb->max_seq) > 0)
		jb->max_seq = p->seq;
	if (diff32(p->ts + p->dur, jb->end_ts) > 0)
		jb->end_ts = p->ts + p->dur;
}

/* Its time was concealed.  After a stall the packets behind it are here in
   the same moment, and the newest is in time: then it is thrown away.  If not,
   everything comes later now, see rebase(). */
static void keep_late(struct jbuf *jb, struct pkt *p)
{
	++jb->stats.late;
	if (jb->c || !jb->dry) {
		pkt_put(p);
		return;
	}
	pkt_put(jb->late);
	jb->late = p;
}

void jbuf_put(struct jbuf *jb, struct pkt *p, uint64_t now_us)
{
	++jb->stats.put;
	if (jb->state != JBUF_EMPTY &&
	    (!continues(jb, p) || jbuf_level_ms(jb) > LEVEL_MAX_MS)) {
		++jb->stats.resets;
		jbuf_flush(jb);
	}
	measure(jb, p->ts, now_us);

	if (jb->state == JBUF_EMPTY) {
		begin(jb, p, now_us);
	}
	else if (jb->state == JBUF_FILLING && diff16(p->seq, jb->next_seq) < 0) {
		/* reordered at the very start */
		jb->next_seq = p->seq;
		jb->out_ts = jb->play_ts = p->ts;
	}
	else if (diff16(p->seq, jb->next_seq) < 0 || diff32(p->ts, jb->out_ts) < 0) {
		keep_late(jb, p);
		return;
	}

	store(jb, p);
}

uint32_t jbuf_level_ms(const struct jbuf *jb)
{
	const int32_t d = diff32(jb->end_ts, jb->play_ts);

	return jb->state == JBUF_EMPTY || d <= 0 ? 0 : to_ms(jb, (uint32_t)d);
}

/* Concealment in steps of 2.5 ms: the shortest frame that Opus knows */
static uint32_t round_step(const struct jbuf *jb, uint32_t units)
{
	const uint32_t step = jb->clock / 400;

	units = (units + step / 2) / step * step;

	return units ? units : step;
}

static void add_conceal(struct jbuf *jb, struct jbuf_tick *t, uint32_t units,
			const struct pkt *next)
{
	t->v[t->c++] = (struct jbuf_item){.conceal = units, .next = next};
	jb->out_ts += units;
}

/* The next packet in order is not there.  Others are: is it lost, or was it
   never sent (DTX)?  Concealing is right for both. */
static void bridge(struct jbuf *jb, struct jbuf_tick *t)
{
	struct pkt *p = NULL;
	uint16_t seq = jb->next_seq;
	int32_t gap;

	while (!p && diff16(seq, jb->max_seq) <= 0)
		p = peek(jb, seq++);
	if (!p) {                       /* cannot be: c > 0 */
		drop_all(jb);
		return;
	}

	gap = diff32(p->ts, jb->out_ts);
	if (gap < (int32_t)(jb->clock / 800)) {
		/* lost packets carried no media of their own (DTMF, or a
		   sender whose time stamps stand still) */
		jb->next_seq = p->seq;
		jb->out_ts = p->ts;
		return;
	}

	if (gap > (int32_t)jb->tick)
		add_conceal(jb, t, jb->tick, NULL);
	else
		add_conceal(jb, t, round_step(jb, (uint32_t)gap),
			    p->seq == (uint16_t)(jb->next_seq + 1) ? p : NULL);

	if (diff32(p->ts, jb->out_ts) < (int32_t)(jb->clock / 800)) {
		jb->stats.lost += (uint16_t)(p->seq - jb->next_seq);
		jb->next_seq = p->seq;
		jb->out_ts = p->ts;
	}
}

static void next_item(struct jbuf *jb, struct jbuf_tick *t)
{
	struct pkt *p = peek(jb, jb->next_seq);

	if (!jb->c) {
		add_conceal(jb, t, jb->tick, NULL);
		jb->dry += jb->tick;
		return;
	}

	/* in order, and no hole before it on the time line */
	if (p && diff32(p->ts, jb->out_ts) < (int32_t)(jb->clock / 800)) {
		(void)take(jb, p->seq);
		jb->out_ts = p->ts + p->dur;
		++jb->next_seq;
		t->v[t->c++] = (struct jbuf_item){.pkt = p};
		return;
	}

	bridge(jb, t);
}

/*
 * Once per window: does the smallest fill level say that the buffer is too
 * long or too short?
 *
 * @return +1 play one tick more than time passes (shrink), -1 stretch, 0
 */
static int correction(struct jbuf *jb, bool quiet)
{
	const uint32_t level = jbuf_level_ms(jb);
	int c = 0;

	if (level < jb->low_ms)
		jb->low_ms = level;
	if (++jb->low_ticks < LEVEL_WINDOW)
		return 0;

	if (jb->low_ms >= jb->target_ms + EXCESS_MS &&
	    (quiet || jb->low_ms >= jb->target_ms + EXCESS_FORCE_MS))
		c = 1;
	else if (jb->low_ms + 10 < jb->target_ms && quiet)
		c = -1;
	/* not quiet now: keep the finding and ask again at the next tick, for
	   some seconds */
	else if (jb->low_ticks < 3 * LEVEL_WINDOW)
		return 0;
	else if (jb->low_ms >= jb->target_ms + EXCESS_MS)
		c = 1;

	jb->low_ticks = 0;
	jb->low_ms = UINT32_MAX;

	return c;
}

/* A burst (a stall is over) filled it beyond the target: begin later in it */
static void trim(struct jbuf *jb)
{
	while (jb->c > 1 && jbuf_level_ms(jb) >= jb->target_ms + EXCESS_MS) {
		pkt_put(take(jb, jb->next_seq));
		while (!peek(jb, ++jb->next_seq))
			;
		jb->out_ts = jb->play_ts = peek(jb, jb->next_seq)->ts;
	}
}

static bool started(struct jbuf *jb, uint64_t now_us)
{
	/* on average the wait is the target: a tick looks every 20 ms */
	if (jb->state == JBUF_FILLING &&
	    now_us + 10000 >= jb->first_us + (uint64_t)jb->target_ms * 1000) {
		trim(jb);
		jb->state = JBUF_PLAYING;
		jb->usual_ms = jbuf_level_ms(jb);
	}

	return jb->state == JBUF_PLAYING;
}

/* Only a late packet came since it ran dry: go back to that one, and fill */
static void rebase(struct jbuf *jb, uint64_t now_us)
{
	struct pkt *p = jb->late;

	jb->late = NULL;
	if (!p || jb->c || jb->state != JBUF_PLAYING) {
		pkt_put(p);
		return;
	}
	jb->refill = to_ms(jb, jb->dry) < DRY_MAX_MS ? DRY_MAX_MS / 20 - jb->dry / jb->tick : 0;
	begin(jb, p, now_us);
	store(jb, p);
}

/*
 * Ran dry: is it one stall, or is the buffer too short for this network?  Then
 * stand still while concealing, and what comes late is still in time.
 */
static bool wait_for_late(struct jbuf *jb, struct jbuf_tick *t)
{
	if (jb->c) {
		jb->usual_ms = (15 * jb->usual_ms + jbuf_level_ms(jb) + 15) / 16;
		return false;
	}
	if (jb->usual_ms >= jb->target_ms || diff32(jb->out_ts, jb->play_ts) > 0)
		return false;

	++jb->stats.stretched;
	jb->usual_ms += 20;
	jb->dry += jb->tick;
	t->v[t->c++] = (struct jbuf_item){.conceal = jb->tick};

	return true;
}

void jbuf_get(struct jbuf *jb, struct jbuf_tick *t, bool quiet, uint64_t now_us)
{
	uint32_t want;
	int corr;

	t->c = 0;
	t->shrink = false;
	t->playing = false;
	rebase(jb, now_us);
	if (!started(jb, now_us)) {
		if (jb->refill) {
			--jb->refill;
			t->playing = true;
			t->v[t->c++] = (struct jbuf_item){.conceal = jb->tick};
		}
		return;
	}
	jb->refill = 0;
	t->playing = true;
	if (wait_for_late(jb, t))
		return;

	corr = correction(jb, quiet);
	if (corr < 0) {
		/* stand still for one tick */
		++jb->stats.stretched;
		t->v[t->c++] = (struct jbuf_item){.conceal = jb->tick};
		return;
	}

	want = jb->tick;
	if (corr > 0) {
		++jb->stats.shrunk;
		t->shrink = true;
		want *= 2;
	}

	while (diff32(jb->play_ts + want, jb->out_ts) > (int32_t)(jb->clock / 800) &&
	       t->c < JBUF_ITEMS && jb->state == JBUF_PLAYING)
		next_item(jb, t);
	jb->play_ts += want;
	/* a sender whose time stamps and frames disagree must not pull the
	   two apart */
	if (diff32(jb->play_ts, jb->out_ts) > 0)
		jb->play_ts = jb->out_ts;

	if (to_ms(jb, jb->dry) >= DRY_MAX_MS)
		drop_all(jb);
}
