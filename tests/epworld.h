/**
 * @file tests/epworld.h  A made-up world around the focus's real key code
 *
 * Stands in for the clock, the SIP dialogs, the negotiation and the mixer, so
 * that the tree with its classes, epochs and re-offers runs in one process and
 * in no time.  Keys travel for real: a client knows what was put in a
 * description for it, the mixer what came in an Mp message.
 *
 * Ownership:  file-scope, one world at a time: world_open(), world_close()
 */
#ifndef TESTS_EPWORLD_H
#define TESTS_EPWORLD_H

#include "focus/tree.h"

enum {
	CLIENT_MAX = 400, KNOWN_MAX = 2000, BORN_MAX = 20000, LEG_MAX = 400, EPOCH_MAX = 512,
	WORLD_KEY_MAX = 64,
};

struct wkey {
	uint8_t v[WORLD_KEY_MAX];
	size_t len;                     /* 0: none                            */
	uint8_t mki_len;                /* 0: none                            */
	uint32_t mki;
};

/** What a description of ours says: the keys to receive under */
struct wdesc {
	struct wkey v[2];
	unsigned c;
};

/** How a client answers a re-offer */
enum manner { M_PROMPT, M_SLOW, M_NEVER, M_REFUSES, M_GLARE, M_KEEPS, M_MAX };

struct dlg {
	const struct dlg_handlers *h;
	void *arg;
	struct client *cl;
	dlg_offer_h *offerh;            /* wants to offer                     */
	dlg_offer_h *sent;              /* offered, no final answer yet       */
	struct wdesc offer;             /* the keys in it                     */
	struct wdesc invite;            /* of a call of ours: those in it     */
	bool uac;                       /* it is one                          */
	bool forked;
	bool answered;                  /* the first INVITE, with a 2xx       */
	bool update;                    /* what the peer sent is no INVITE    */
	struct tmr tmr_resp;
	struct tmr tmr_retry;
	bool confirmed;
	bool peer_pending;              /* the peer's request, unanswered     */
	bool wants_ack;                 /* our offer is in a 200              */
	bool over;
};

struct client {
	struct dlg *dlg;                /* NULL: free slot                    */
	struct endpoint *ep;            /* NULL once it has left              */
	uint64_t leg;
	enum manner manner;
	bool delayed;                   /* INVITE without an offer            */
	bool gone;                      /* left or refused                    */
	uint64_t came;                  /* [world_count()]                    */
	uint64_t left_ms;
	uint32_t grace_ms;
	struct wdesc rx;                /* what it opens now                  */
	struct wkey tx, tx_was;         /* the latter if its offer comes to nothing */
	uint8_t mki_len;                /* of the MKI it offers; 0: none      */
	bool ever_mki;                  /* it has offered one                 */
	unsigned variant;               /* of the codec parameters: class     */
	bool renew_tx;                  /* another key of its own next time   */
	bool hold;
	bool reported;
	struct wkey knownv[KNOWN_MAX];  /* all keys it was ever told          */
	unsigned knownc;
};

/** What the mixer has */
struct wepoch {
	bool used;
	uint32_t class_id, no;
	struct wkey key;
};

struct wleg {
	bool used;
	uint64_t id;
	bool grouped;
	uint32_t class_id, epoch;
	struct wkey own;                /* len 0: none                        */
	struct wkey rx;
	bool both;
};

extern struct client clientv[CLIENT_MAX];
extern struct wleg wlegv[LEG_MAX];
extern unsigned wlegc;                  /* so many of them were ever used     */
extern struct wepoch wepochv[EPOCH_MAX];
extern unsigned epochs_installed;
extern unsigned offers_out, offers_out_max;
extern unsigned replaced;               /* devices by others              */
extern unsigned fallbacks;              /* of legs to their own keys      */
extern bool mixer_down;
extern unsigned mixer_refuses;          /* so many LegSets                    */

void world_open(enum keying keying, uint64_t seed);
/** Ends the conference, too */
void world_close(void);
/** There is a conference, made by somebody who is not in it; unless no mixer is */
void world_conference(void);
struct focus *world_focus(void);
struct conference *world_conf(void);    /* NULL: ended                        */
struct cfg_conf *world_cc(void);
uint32_t world_rand(uint32_t n);        /* 0..n-1, from the seed              */
uint64_t world_count(void);             /* grows with everything that happens */

/** Time passes; timers fire in order */
void world_pass(uint64_t ms);
uint64_t world_now(void);
unsigned world_timers(void);

/** The mixer dies: what it knew goes to `ghost`, who must open nothing later */
extern struct client ghost;
void world_mixer_dies(bool renewed);

/** The mixer reads one message; false if there is none */
bool world_mixer_step(void);
void world_mixer_drain(void);
unsigned world_mixer_queue(void);

bool wkey_equal(const struct wkey *a, const struct wkey *b);
/** Does it open what is sent under this key with its MKI? */
bool client_opens(const struct client *cl, const struct wkey *k);
struct wepoch *wepoch_find(uint32_t class_id, uint32_t no);
struct wleg *wleg_find(uint64_t id);
bool client_knows(const struct client *cl, const struct wkey *k);

/** INVITE, with Replaces of another leg or 0; its endpoint may end at once */
void client_join(struct client *cl, enum manner manner, bool delayed,
		 unsigned variant, uint8_t mki_len, uint64_t replaces);
/** The same with all defaults, of somebody that other code knows */
void client_join_as(struct client *cl, enum manner manner,
		    const char *identity, const char *ua);
/** re-INVITE with an offer, or without one */
void client_reinvite(struct client *cl, bool with_offer);
/** Over for the client's side: BYE, timeout */
void client_bye(struct client *cl, int err);
/** It reports about what it hears */
void client_report(struct client *cl);
/** The session timer: our side offers what is agreed once more */
void client_refresh(struct client *cl);
/** UPDATE with an offer, also before its first ACK */
void client_update(struct client *cl);
/** It takes back a re-INVITE that has no answer yet; false if there is none */
bool client_cancel(struct client *cl);

/** We call it, and it picks up soon */
void client_called(struct client *cl, enum manner manner, unsigned variant);
/** The call was forked: what was in its INVITE goes to `loser`, who must open
 *  nothing from now on.  false: that was known, or it has not picked up */
extern struct client loser;
bool client_fork(struct client *cl);

#endif
