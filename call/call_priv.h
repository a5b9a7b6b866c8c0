/**
 * @file call_priv.h  What the files of one call share
 *
 * call.c   life of a call
 * cnego.c  offer and answer
 */
#ifndef CALL_CALL_PRIV_H
#define CALL_CALL_PRIV_H

#include "call.h"
#include "cfloor.h"
#include "csdp.h"

enum call_offer { OFFER_NONE = 0, OFFER_DIR, OFFER_REFLECT };

struct call {
	unsigned idx;
	const struct call_env *env;
	const struct opts *o;
	enum call_state state;
	struct call_result res;

	struct dlg *dlg;
	struct cmedia *media;
	struct crec *rec;
	struct csrc *src;
	struct clive *live;
	struct cfloor *floor;           /* NULL: not asked for               */

	/* negotiation */
	struct csdp_fmt fmtv[CODEC_MAX];
	unsigned fmtc;
	uint64_t sdp_id;
	uint32_t sdp_version;
	struct secret *offer_keyv[SUITE_MAX];  /* until one is chosen        */
	struct csdp_key offer_linev[SUITE_MAX];
	unsigned offer_keyc;
	struct secret *own_key;         /* the one we send under             */
	const struct suite *own_suite;
	uint32_t own_tag;
	enum csdp_dir dir;              /* what we want                      */
	enum call_offer offering;       /* what our pending offer is about   */
	bool holding;

	/* their offer, answered later (--answer-delay) */
	struct sip_msg *waiting;
	struct tmr tmr_answer;

	struct tmr tmr_setup;
	uint64_t hold_us, resume_us, reflect_us;  /* 0: nothing to do        */
};

/* cnego.c */
int  cnego_init(struct call *c);
void cnego_reset(struct call *c);
/** The first offer; NULL if out of memory */
struct mbuf *cnego_first_offer(struct call *c);
/** What our pending re-offer is about decides what is in it */
struct mbuf *cnego_reoffer(struct call *c);
/** Their answer to an offer of ours; NULL or why it is no good */
const char *cnego_take_answer(struct call *c, const struct sip_msg *msg);
/**
 * Their offer: judge, switch, and make the answer
 *
 * @param sdpp  Out: the answer
 *
 * @return NULL or why it is no good
 */
const char *cnego_take_offer(struct call *c, const struct sip_msg *msg, struct mbuf **sdpp);

#endif
