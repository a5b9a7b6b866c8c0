/**
 * @file speaker.c  Who of a conference is decoded and mixed
 */
#include <math.h>
#include <stddef.h>
#include <string.h>
#include "speaker.h"

enum {
	FLOOR_START = -65,
	FLOOR_MAX = -50,       /* louder than this is never called noise        */
	FLOOR_MARGIN = 9,      /* so much above the noise is somebody           */
	THRESHOLD_MIN = -56,
	RUN_PAUSE_MS = 120,    /* a longer pause ends a challenger's run        */
	DOUBT_MIN_MS = 500,
	DOUBT_MAX_MS = 4000,
};

void spkset_init(struct spkset *ss, unsigned k)
{
	memset(ss, 0, sizeof(*ss));
	ss->k = k < 1 ? SPK_SLOTS_DEFAULT : k > SPK_SLOTS_MAX ? SPK_SLOTS_MAX : k;
}

void spk_init(struct spk *s)
{
	memset(s, 0, sizeof(*s));
	s->slot = -1;
	s->open = true;
	s->level = SPK_SILENT_DBOV;
	s->floor = FLOOR_START;
}

bool spk_above(const struct spk *s, int level)
{
	int thr = s->floor + FLOOR_MARGIN;

	if (thr < THRESHOLD_MIN)
		thr = THRESHOLD_MIN;

	return level > thr;
}

/* The noise floor falls at once and rises slowly, so words do not lift it */
static void track(struct spk *s, int level, uint64_t now_ms)
{
	if (level > SPK_SILENT_DBOV) {
		if (level < s->floor)
			s->floor = level < -90 ? -90 : level;
		else if (s->floor < FLOOR_MAX && !(now_ms & 15))
			++s->floor;
	}

	s->level = level > s->level ? level : (3 * s->level + level) / 4;

	if (spk_above(s, level)) {
		if (!s->run_ms || now_ms > s->heard_ms + RUN_PAUSE_MS)
			s->run_ms = now_ms;
		s->heard_ms = now_ms;
	}
	else if (now_ms > s->heard_ms + RUN_PAUSE_MS) {
		s->run_ms = 0;
	}
}

static void give(struct spkset *ss, unsigned i, struct spk *s, bool confirmed, uint64_t now_ms)
{
	ss->slotv[i] = s;
	++ss->held;
	s->slot = (int)i;
	s->since_ms = now_ms;
	s->confirmed = confirmed;
}

static bool give_free(struct spkset *ss, struct spk *s, bool confirmed, uint64_t now_ms)
{
	unsigned i;

	for (i = 0; i < ss->k; i++) {
		if (ss->slotv[i])
			continue;
		give(ss, i, s, confirmed, now_ms);
		return true;
	}

	return false;
}

static uint64_t silent_for(const struct spk *s, uint64_t now_ms)
{
	const uint64_t last = s->heard_ms > s->since_ms ? s->heard_ms : s->since_ms;

	return now_ms > last ? now_ms - last : 0;
}

/* The one that has been silent longest, if that is long enough */
static struct spk *quiet_holder(const struct spkset *ss, uint64_t now_ms)
{
	struct spk *worst = NULL;
	unsigned i;

	for (i = 0; i < ss->k; i++) {
		struct spk *s = ss->slotv[i];

		if (s && silent_for(s, now_ms) >= SPK_QUIET_MS &&
		    (!worst || silent_for(s, now_ms) > silent_for(worst, now_ms)))
			worst = s;
	}

	return worst;
}

static struct spk *weak_holder(const struct spkset *ss, const struct spk *s, uint64_t now_ms)
{
	struct spk *weak = NULL;
	unsigned i;

	if (now_ms < s->run_ms + SPK_LOUDER_MS)
		return NULL;

	for (i = 0; i < ss->k; i++) {
		struct spk *h = ss->slotv[i];

		if (h && now_ms >= h->since_ms + SPK_TENURE_MS &&
		    s->level >= h->level + SPK_LOUDER_DB &&
		    (!weak || h->level < weak->level))
			weak = h;
	}

	return weak;
}

static bool challenge(struct spkset *ss, struct spk *s, uint64_t now_ms, struct spk **evictedp)
{
	struct spk *h;
	int i;

	if (!s->run_ms || now_ms < s->run_ms + SPK_ATTACK_MS)
		return false;

	h = quiet_holder(ss, now_ms);
	if (!h)
		h = weak_holder(ss, s, now_ms);
	if (!h)
		return false;

	i = spk_leave(ss, h);
	give(ss, (unsigned)i, s, true, now_ms);
	*evictedp = h;

	return true;
}

bool spk_hint(struct spkset *ss, struct spk *s, enum spk_hint hint, int level,
	      uint64_t now_ms, struct spk **evictedp)
{
	const bool full = ss->held >= ss->k;

	*evictedp = NULL;
	if (!s->open)
		return false;

	switch (hint) {

	case SPK_NONE:
		return false;

	case SPK_SILENCE:
		track(s, SPK_SILENT_DBOV, now_ms);
		return false;

	case SPK_MAYBE:
		return !full && now_ms >= s->doubt_ms && give_free(ss, s, false, now_ms);

	case SPK_CLAIM:
	case SPK_MEASURED:
		if (hint == SPK_CLAIM && now_ms < s->doubt_ms)
			return false;
		track(s, level, now_ms);
		if (!spk_above(s, level))
			return false;
		return full ? challenge(ss, s, now_ms, evictedp)
			: give_free(ss, s, false, now_ms);
	}

	return false;
}

bool spk_wants_probe(const struct spkset *ss, const struct spk *s, uint64_t now_ms)
{
	return s->open && s->slot < 0 && (ss->held >= ss->k || now_ms < s->doubt_ms);
}

void spk_level(struct spk *s, int level, uint64_t now_ms)
{
	track(s, level, now_ms);
	if (!spk_above(s, level))
		return;

	s->confirmed = true;
	s->doubt_len_ms = 0;
	s->doubt_ms = 0;
}

bool spk_talking(const struct spk *s, uint64_t now_ms)
{
	return s->slot >= 0 && s->confirmed && s->heard_ms &&
		now_ms < s->heard_ms + SPK_TALK_MS;
}

struct spk *spk_expire(struct spkset *ss, uint64_t now_ms)
{
	unsigned i;

	for (i = 0; i < SPK_SLOTS_MAX; i++) {
		struct spk *s = ss->slotv[i];

		if (!s || (i < ss->k &&
			   silent_for(s, now_ms) < (s->confirmed ? SPK_HOLD_MS : SPK_PROBE_MS)))
			continue;

		/* It looked like speech and was none (or the level in its
		   header is a lie): believe hints less and less */
		if (!s->confirmed) {
			s->doubt_len_ms = s->doubt_len_ms ? 2 * s->doubt_len_ms : DOUBT_MIN_MS;
			if (s->doubt_len_ms > DOUBT_MAX_MS)
				s->doubt_len_ms = DOUBT_MAX_MS;
			s->doubt_ms = now_ms + s->doubt_len_ms;
		}
		(void)spk_leave(ss, s);
		return s;
	}

	return NULL;
}

int spk_leave(struct spkset *ss, struct spk *s)
{
	const int i = s->slot;

	if (i >= 0) {
		ss->slotv[i] = NULL;
		--ss->held;
	}
	s->slot = -1;
	s->run_ms = 0;

	return i;
}

int spk_pcm_level(const int16_t *pcm, unsigned c)
{
	int64_t sum = 0;
	double db;
	unsigned i;

	for (i = 0; i < c; i++)
		sum += (int32_t)pcm[i] * pcm[i];
	if (!sum || !c)
		return SPK_SILENT_DBOV;

	db = 10 * log10((double)sum / c / (32768.0 * 32768.0));

	return db < (double)SPK_SILENT_DBOV ? SPK_SILENT_DBOV : db > 0 ? 0 : (int)lrint(db);
}
