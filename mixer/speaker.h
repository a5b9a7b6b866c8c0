/**
 * @file speaker.h  Who of a conference is decoded and mixed
 *
 * K slots.  A free slot is given at once to whoever may be talking; when all
 * are taken a challenger needs patience (attack) and either a silent holder
 * or a clearly weaker one.  A holder that is silent gives its slot back.
 * Pure decisions: no sockets, no decoding, time is passed in.
 *
 * Ownership:  struct spk is a member of its leg, which calls spk_leave()
 *             before it goes away
 */
#ifndef MIXER_SPEAKER_H
#define MIXER_SPEAKER_H

#include <stdbool.h>
#include <stdint.h>

enum {
	SPK_SLOTS_MAX = 15,         /* a packet names at most 15 CSRCs         */
	SPK_SLOTS_DEFAULT = 6,
	SPK_SILENT_DBOV = -127,
	SPK_HOLD_MS = 1500,         /* a silent holder keeps its slot so long  */
	SPK_PROBE_MS = 300,         /* ... if nothing was ever heard from it   */
	SPK_TALK_MS = 500,          /* pauses between words: still a talker    */
	SPK_ATTACK_MS = 60,         /* a challenger must last so long          */
	SPK_QUIET_MS = 300,         /* so silent a holder loses to a challenger */
	SPK_TENURE_MS = 1000,       /* nobody loses an earlier slot than that  */
	SPK_LOUDER_DB = 6,          /* ... and only to someone louder by this  */
	SPK_LOUDER_MS = 500,        /* ... for so long                         */
};

/** What a packet tells without being decoded */
enum spk_hint {
	SPK_NONE,                   /* nothing at all                          */
	SPK_SILENCE,                /* silence for sure                        */
	SPK_MAYBE,                  /* worth a look                            */
	SPK_CLAIM,                  /* the sender says how loud it is          */
	SPK_MEASURED,               /* we know how loud it is                  */
};

struct spk {
	int      slot;              /* -1: none                                */
	bool     open;              /* floor: may be chosen                    */
	bool     confirmed;         /* was heard since it got the slot         */
	int      level;             /* [dBov], fast attack, slow release       */
	int      floor;             /* background noise [dBov]                 */
	uint64_t since_ms;          /* slot held since                         */
	uint64_t heard_ms;          /* last above the threshold, 0: never      */
	uint64_t run_ms;            /* active without a pause since, 0: not    */
	uint64_t doubt_ms;          /* until then hints are not enough         */
	uint32_t doubt_len_ms;
};

struct spkset {
	struct spk *slotv[SPK_SLOTS_MAX];
	unsigned k;                 /* slots in use, <= SPK_SLOTS_MAX          */
	unsigned held;
};

void spkset_init(struct spkset *ss, unsigned k);
void spk_init(struct spk *s);

/**
 * A leg without a slot sent something
 *
 * @param level     For SPK_CLAIM and SPK_MEASURED [dBov]
 * @param evictedp  Out: who lost the slot for it, or NULL
 *
 * @return true if the leg has a slot now (s->slot)
 */
bool spk_hint(struct spkset *ss, struct spk *s, enum spk_hint hint, int level,
	      uint64_t now_ms, struct spk **evictedp);

/** Is that somebody, and not the noise around? */
bool spk_above(const struct spk *s, int level);

/** Would a measured level of this leg matter now?  (It knocks, all slots are taken or it is in doubt) */
bool spk_wants_probe(const struct spkset *ss, const struct spk *s, uint64_t now_ms);

/** Level of a slot holder's decoded frame */
void spk_level(struct spk *s, int level, uint64_t now_ms);

/** Is it heard, or was it a moment ago? */
bool spk_talking(const struct spk *s, uint64_t now_ms);

/** A holder whose time is over, its slot is already free; NULL: none (any more) */
struct spk *spk_expire(struct spkset *ss, uint64_t now_ms);

/** Give the slot back now; @return the slot or -1 */
int  spk_leave(struct spkset *ss, struct spk *s);

/** Level of PCM [dBov], -127..0 */
int  spk_pcm_level(const int16_t *pcm, unsigned c);

#endif
