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
};

static const double PEAK_DECAY_MS_PER_S = 4;

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

void jbuf_init(struct jbuf *jb, uint32_t clock)
{
	memset(jb, 0, sizeof(*jb));
	jb->clock = clock;
	jb->tick = clock / 50;
	jb->target_ms = JBUF_TARGET_START_MS;
	jb->low_ms = UINT32_MAX;
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
	jb->state = JBUF_EMPTY;
	jb->dry = 0;
	jb->refill = 0;
	jb->low_ms = UINT32_MAX;
	jb->low_ticks = 0;
}

void jbuf_flush(struct jbuf *jb)
{
	drop_all(jb);
	jb->base_until_us = 0;
	jb->ext_ts = 0;
	jb->peak_ms = 0;
	jb->target_ms = JBUF_TARGET_START_MS;
}

/*
 * How much later than the fastest packet of the last seconds did this one
 * come?  The peak of that, slowly forgotten, is what the buffer must cover.
 */
static void measure(struct jbuf *jb, uint32_t ts, uint64_t now_us)
{
	const bool first = !jb->base_until_us;
	uint32_t target;
	int64_t base, transit;
	double late_ms;

	jb->ext_ts += first ? 0 : diff32(ts, jb->last_ts);
	jb->last_ts = ts;
	transit = (int64_t)now_us - jb->ext_ts * 1000000 / jb->clock;

	if (now_us >= jb->base_until_us) {
		jb->base_v[1] = first ? transit : jb->base_v[0];
		jb->base_v[0] = transit;
		jb->base_until_us = now_us + BASE_WINDOW_US;
		if (first)
			jb->peak_us = now_us;
	}
	if (transit < jb->base_v[0])
		jb->base_v[0] = transit;

	base = jb->base_v[1] < jb->base_v[0] ? jb->base_v[1] : jb->base_v[0];
	late_ms = transit > base ? (double)(transit - base) / 1000 : 0;

	jb->peak_ms -= PEAK_DECAY_MS_PER_S * (double)(now_us - jb->peak_us) / 1e6;
	jb->peak_us = now_us;
	if (late_ms > jb->peak_ms)
		jb->peak_ms = late_ms > JBUF_TARGET_MAX_MS ? JBUF_TARGET_MAX_MS : late_ms;
	if (jb->peak_ms < 0)
		jb->peak_ms = 0;

	/* half a tick for what the tick's own grid adds */
	target = (uint32_t)jb->peak_ms + 10;
	if (target < JBUF_TARGET_MIN_MS)
		target = JBUF_TARGET_MIN_MS;
	if (target > JBUF_TARGET_MAX_MS)
		target = JBUF_TARGET_MAX_MS;
	/* grow at once, shrink only where a calm network has been seen */
	if (target > jb->target_ms || jb->stats.put > 50)
		jb->target_ms = target;
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

void jbuf_put(struct jbuf *jb, struct pkt *p, uint64_t now_us)
{
	struct pkt **pp;

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
		++jb->stats.late;
		if (jb->c || !jb->dry) {
			pkt_put(p);
			return;
		}
		/* ran dry and everything comes later now: wait for more */
		jb->refill = DRY_MAX_MS / 20 - jb->dry / jb->tick;
		begin(jb, p, now_us);
	}

	pp = slot(jb, p->seq);
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
	/* not quiet now: keep the finding and ask again at the next tick,
	   until the picture has changed for good */
	else if (jb->low_ticks < 3 * LEVEL_WINDOW)
		return 0;

	jb->low_ticks = 0;
	jb->low_ms = UINT32_MAX;

	return c;
}

static bool started(struct jbuf *jb, uint64_t now_us)
{
	/* on average the wait is the target: a tick looks every 20 ms */
	if (jb->state == JBUF_FILLING &&
	    now_us + 10000 >= jb->first_us + (uint64_t)jb->target_ms * 1000)
		jb->state = JBUF_PLAYING;

	return jb->state == JBUF_PLAYING;
}

void jbuf_get(struct jbuf *jb, struct jbuf_tick *t, bool quiet, uint64_t now_us)
{
	uint32_t want;
	int corr;

	t->c = 0;
	t->shrink = false;
	t->playing = false;
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
