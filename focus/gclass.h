/**
 * @file focus/gclass.h  Group keys: delivery classes and their epochs
 *
 * gclass.c says who shares a key, gepoch.c draws, hands out and retires it.
 *
 * Ownership:  the conference holds its classes; an epoch is held by its class while
 *             it is the live one, and by each endpoint that hears it or was offered
 *             it
 * Threads:    libre loop
 * Refs:       RFC 3711 section 9.1; TR 33.829 clauses 5.1.2 and 5.3.1
 */
#ifndef CONCLAVE_FOCUS_GCLASS_H
#define CONCLAVE_FOCUS_GCLASS_H

#include "re_compat.h"
#include "codec.h"
#include "secret.h"
#include "suite.h"

struct conference;
struct endpoint;
struct neg;

/** An epoch that somebody knows who left its class, not the conference, is
 *  sent so long at most; if he leaves, the usual grace holds [ms] */
enum { STAY_GRACE_MS = 10000 };

/** The MKI of a leg's own key; those of group keys are above */
enum { GEPOCH_MKI_OWN = 1 };

/** One generation of a class's group key */
struct gepoch {
	struct le le;
	struct gclass *gc;
	uint32_t no;
	struct secret *key;
	uint64_t drawn;             /* [ms, libre's clock]                    */
	time_t born;                /* the same, for people                   */
	struct tmr tmr;             /* leave-grace of one that a leaver knows */
	bool retired;               /* nothing is protected under it any more */
};

/**
 * Delivery class: all legs that may receive bit-identical packets, and so
 * share a group key.  RFC 3711 section 9.1 forbids two different packets under
 * one key, SSRC and index.
 */
struct gclass {
	struct le le;
	struct conference *conf;
	uint32_t id;
	enum codec_id codec;
	uint8_t pt;
	unsigned ptime;
	uint32_t opus_max_rate;
	bool opus_fec, opus_dtx, opus_cbr;
	enum suite_id suite;
	uint8_t mki_len;            /* 0: packets without MKI; else members have
				       a key of their own besides, to fall back */
	struct list epochl;         /* struct gepoch, oldest first            */
	struct gepoch *live;        /* newest one                             */
	uint32_t epoch_no;
	struct list memberl;        /* endpoints that hear it, or are to      */
	struct list waitl;          /* endpoints on their way in              */
	struct tmr tmr_draw;        /* the next epoch, inside a window        */
	struct tmr tmr_admit;       /* tells those whose epoch is there       */
	struct tmr tmr_age;
	bool closing;
};

/* gclass.c: who is in them */
/** The class of a negotiated leg; made when there is none */
int  gclass_get(struct gclass **gcp, struct conference *c, const struct neg *n);
/** Do packets of this class fit a negotiated leg? */
bool gclass_same(const struct gclass *gc, const struct neg *n);
/** An answer to our re-offer stays in its class; false if it cannot */
bool gclass_pin(const struct gclass *gc, struct neg *n);
/**
 * An endpoint wants in: an epoch that was never used before goes to next_ge.
 * It is on its way in until gclass_member() or gclass_unwait().
 *
 * @return 0, or EAGAIN: endpoint_admitted() is called within the window
 */
int  gclass_admit(struct gclass *gc, struct endpoint *ep);
void gclass_unwait(struct endpoint *ep);
/** @param first  Oldest epoch that it may have */
void gclass_member(struct gclass *gc, struct endpoint *ep, uint32_t first);
/** It goes: what it knows dies after grace_ms, and the others get new keys */
void gclass_leave(struct endpoint *ep, uint32_t grace_ms);
/** New keys for all classes, as if a leaver knew the present ones */
int  gclass_rekey(struct conference *c, unsigned *members);
/** The mixer forgot all epochs, and nothing is sent under any of them again */
void gclass_lost(struct conference *c);
/** There is a mixer again: new keys for those who need them */
void gclass_recover(struct conference *c);
/** Somebody leaves: no more than this for any epoch that is known outside */
void gclass_cut(struct conference *c, uint32_t grace_ms);
/** When may an epoch be drawn for somebody who comes? [ms from now] */
uint32_t gclass_join_delay(const struct gclass *gc);
void gclass_close(struct gclass *gc);

/* gepoch.c: drawing, distributing and retiring group keys */
/** What the packets of an epoch carry, if its class has an MKI */
uint32_t gepoch_mki(const struct gepoch *ge);
/** Draw in delay_ms at the latest */
void gepoch_want(struct gclass *gc, uint32_t delay_ms);
/** Draw now.  Nobody is called back before the next turn of the loop. */
int  gepoch_draw(struct gclass *gc);
/** Somebody outside knows it: nothing is sent under it after grace_ms, or an
 *  earlier time that was said before.  With MKI: nothing more at all, since
 *  everybody has a key to fall back to. */
void gepoch_expose(struct gepoch *ge, uint32_t grace_ms);
/** The mixer does not have it (any more): nothing will be sent under it */
void gepoch_lost(struct gepoch *ge);

#endif
