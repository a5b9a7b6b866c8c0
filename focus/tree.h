/**
 * @file focus/tree.h  The state of the focus: one tree
 *
 *   focus -> conferences -> participants -> endpoints (a dialog and its leg)
 *
 * Everything that others see (log, control socket, statistics; later roster
 * and events) is derived from this tree, and every change of it passes
 * change_feed() once.
 *
 * Ownership:  each level owns the one below; all are libre objects
 * Threads:    libre loop
 * Refs:       RFC 4353 section 3, RFC 4579
 */
#ifndef CONCLAVE_FOCUS_TREE_H
#define CONCLAVE_FOCUS_TREE_H

#include "re_compat.h"
#include "cfg.h"
#include "dlg.h"
#include "floorsrv.h"
#include "secret.h"
#include "focus/intake.h"
#include "focus/mixproc.h"
#include "focus/negotiate.h"

enum { MIXER_MAX = 64, SCODE_MAX = 700 };

struct ident;
struct ctlsock;
struct registrar;
struct pseudonyms;
struct notifiers;
struct confwatch;
struct uamem;

/** What every INVITE, UPDATE, NOTIFY, 2xx of ours says: RFC 4579 section 5.13 */
#define FOCUS_ALLOW \
	"Allow: INVITE, ACK, CANCEL, BYE, UPDATE, PRACK, OPTIONS, SUBSCRIBE," \
	" REFER\r\n" \
	"Allow-Events: conference, refer\r\n"
#define FOCUS_SUPPORTED \
	"Supported: replaces, join, norefersub, nosub, tdialog, 100rel\r\n"

enum change {
	CHANGE_CONF_CREATED, CHANGE_CONF_ENDED,
	CHANGE_JOINED, CHANGE_LEFT, CHANGE_HELD, CHANGE_RESUMED,
	CHANGE_JOIN_FAILED,         /* admitted or called, but nothing came of it */
	CHANGE_JOINING, CHANGE_DIALING, CHANGE_ALERTING,
	CHANGE_LOCKED, CHANGE_UNLOCKED,
	CHANGE_MEDIA,               /* direction, codec, suite, key           */
	CHANGE_SOURCE,              /* the SSRC it sends                      */
	CHANGE_FLOOR_TAKEN, CHANGE_FLOOR_GIVEN,   /* it holds the floor, or not */
	CHANGE_FLOOR_MUTED, CHANGE_FLOOR_HEARD,   /* by the floor             */
	CHANGE_MUTED, CHANGE_UNMUTED,             /* by somebody              */
	CHANGE_ROLE,
	CHANGE_MAX
};

/** The configuration is read again; reason is "file:line: reason" on error */
typedef int (focus_reload_h)(char *reason, size_t size, void *arg);

struct focus {
	struct cfg *cfg;
	focus_reload_h *reloadh;    /* NULL: there is no file                 */
	void *reload_arg;
	struct sip *sip;
	struct dnsc *dnsc;          /* NULL: no name server known             */
	struct tls *tls;
	struct dlgs *dlgs;
	struct sip_lsnr *lsnr;
	struct sip_lsnr *lsnr_stray;/* for responses that are nobody's        */
	struct ident *ident;
	struct intake *intake;
	struct intake_caps caps;    /* changes with cfg                       */
	struct ctlsock *ctl;
	struct registrar *reg;      /* unused while cfg->registrar is false   */
	struct floorsrv *floorsrv;  /* NULL: no conference has a floor         */
	struct list ratel;          /* rate.c: who referred how often         */
	struct list referoutl;      /* referout.c: REFERs of ours             */
	struct notifiers *notifiers;
	struct uamem *uamem;        /* what kinds of phones do with new keys  */
	struct hash *ht_conf;       /* conference by URI user part            */
	struct hash *ht_confid;     /* conference by id                       */
	struct hash *ht_leg;        /* endpoint by leg id                     */
	struct hash *ht_watcher;    /* subscriptions by identity              */
	struct list confl;
	struct mixproc *mixv[MIXER_MAX];
	uint32_t mixconfcv[MIXER_MAX]; /* conferences on each                 */
	unsigned mixc;
	uint64_t conf_id;           /* last one given away                    */
	uint64_t leg_id;
	uint32_t endpointc;         /* calls now                              */
	uint32_t confc;
	uint64_t calls_total;
	uint64_t refusedv[SCODE_MAX];
	uint64_t changev[CHANGE_MAX];
	uint64_t started;           /* [ms, libre's clock]                    */
	bool stopping;
};

/** An epoch that somebody knows who left its class, not the conference, is
 *  sent so long at most; if he leaves, the usual grace holds [ms] */
enum { STAY_GRACE_MS = 10000 };

/** The MKI of a leg's own key; those of group keys are above */
enum { GEPOCH_MKI_OWN = 1 };

/** In order of rank: role.h */
enum role { ROLE_LISTENER, ROLE_MEMBER, ROLE_CHAIR, ROLE_OWNER };

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

struct conference {
	struct le he;
	struct le he_id;
	struct le le;
	struct focus *focus;
	struct cfg *cfg;            /* keeps cc alive over a reload           */
	const struct cfg_conf *cc;
	struct mixproc *mix;
	uint64_t id;                /* at the mixer                           */
	char *label;                /* for people: "adhoc-7"                  */
	char *user;                 /* URI user part                          */
	char *uri;                  /* "sip:user@host"                        */
	char *owner;                /* identity                               */
	char *contact;              /* of the call that made it               */
	struct pseudonyms *ps;      /* of those who asked not to be known     */
	struct list partl;
	struct urilist *invitees;   /* to be called when the creator is in    */
	struct list banl;           /* ban.c: who may not come back yet       */
	struct list standl;         /* role.c: roles and mutes that were set  */
	bool locked;                /* nobody joins but the owner             */
	struct list classl;
	struct confwatch *watch;    /* NULL: nobody watches                   */
	struct floorconf *floor;    /* NULL: none                             */
	uint32_t part_id;
	uint32_t class_id;
	unsigned endpointc;
	uint64_t started;
	bool ending;

	/* re-offers are paced */
	struct list rekeyl;         /* endpoints whose turn is still to come  */
	struct tmr tmr_rekey;       /* sends what may be sent                 */
	struct tmr tmr_round;
	unsigned rekey_outc;        /* offers without an answer, this round   */
	unsigned rekey_round;
};

struct part {
	struct le le;
	struct conference *conf;
	struct list endpointl;
	char *identity;             /* authenticated, "sip:user@domain"       */
	char *public_uri;           /* what others see: identity or pseudonym */
	char *public_name;          /* NULL: none                             */
	char *cname;                /* RTCP, random: RFC 7022                 */
	uint32_t id;
	enum role role;
	bool muted;                 /* by a chair or the operator             */
	bool anonymous;             /* others must not see identity           */
};

/** How an identity was proven */
enum proof {
	PROOF_DIGEST, PROOF_CERTIFICATE, PROOF_CALLED,
	PROOF_ASSERTED,         /* by a trusted peer                          */
	PROOF_NONE,             /* an anonymous guest                         */
};

/** RFC 4575 section 5.7.6 */
enum left_how { LEFT_DEPARTED, LEFT_BOOTED, LEFT_FAILED, LEFT_BUSY };

/** What of a session is told to others, and was told last */
struct endpoint_told {
	enum sdp_dir dir;
	enum codec_id codec;
	const struct suite *suite;
	uint32_t class_id, epoch;   /* 0: a key of its own                    */
};

enum endpoint_state {
	EP_JOINING,             /* it calls us                                */
	EP_DIALING,             /* we call it                                 */
	EP_ALERTING,            /* and it rings                               */
	EP_CONNECTED, EP_HELD, EP_LEFT,
};

struct endpoint {
	struct le le;
	struct le he_leg;
	struct part *part;
	struct dlg *dlg;            /* NULL: not yet called                   */
	struct dial *dial;          /* dialout.c: while we call it            */
	bool dialled;               /* we called it                           */
	bool unacked;               /* it has our answer: others are told     */
	unsigned refers;            /* REFERs in its dialog                   */
	uint64_t replaces;          /* leg that goes when this one is there   */
	uint64_t leg;               /* leg id at the mixer                    */
	enum endpoint_state state;
	char *user_agent;
	uint64_t started;
	uint64_t pub_id;            /* names it to others; says nothing       */
	time_t joined;
	enum proof proof;
	enum left_how left_how;
	unsigned left_cause;        /* SIP status in our BYE                  */
	struct endpoint_told told;

	/* the session as agreed */
	struct neg neg;
	struct neg_mlines mlines;
	struct secret *tx;          /* our key to it alone; NULL: promoted.
				       With MKI it stays beside the group key  */
	time_t tx_born;             /* since when that is agreed              */
	bool tx_forkable;           /* it was in our INVITE                   */
	bool forked;                /* and others have read that: nothing goes
				       out under it, and a fresh one is what
				       it is offered first                    */
	struct gclass *gc;          /* the class it is a member of            */
	struct le le_class;         /* in memberl of gc                       */
	struct gepoch *ge;          /* epoch it hears; NULL: tx, or nothing   */
	bool keyed;                 /* an epoch of some class was sent to it  */
	uint32_t known;             /* newest one of gc ever sent to it       */
	uint32_t first;             /* oldest epoch of gc that it may have    */
	enum follows follows;       /* does it take new keys?  NO: it has not */
	bool trial;                 /* gets both streams until it proves it   */
	struct tmr tmr_trial;
	bool own_due;               /* it was offered a group key that it is
				       not to use: its own comes by an offer  */
	struct sa local;            /* our RTP address, as advertised         */
	uint16_t local_rtcp;
	uint64_t sess_id;
	uint32_t sess_ver;
	uint8_t body_hash[32];

	/* our re-offer */
	struct le le_rekey;         /* in rekeyl of the conference            */
	struct gepoch *offer_ge;    /* epoch in the one that is out           */
	bool offer_own;             /* its own key is in it                   */
	unsigned offer_round;       /* counted in this round - 1; 0: nowhere  */
	unsigned rekey_fails;
	struct neg_offered offered;

	/* an offer or answer that waits for the mixer */
	struct neg next;
	struct neg_mlines next_mlines;
	struct secret *next_tx;
	bool next_own;              /* on its own key from then on            */
	struct gclass *next_gc;     /* the class it is on its way to          */
	struct le le_wait;          /* in waitl of next_gc                    */
	bool waiting;               /* no epoch yet                           */
	int dial_af;                /* address family of a leg without dialog */
	struct gepoch *next_ge;
	bool resend;                /* tell the mixer again afterwards        */
	unsigned media_pending;     /* questions that the mixer has from it   */
	bool lost;                  /* its mixer died: to be dealt with       */
	bool moved;                 /* to a new mixer, and does not know yet:
				       nothing is sent to it                  */
	uint32_t rx_ssrc, rx_roc;   /* its sequence has wrapped so often under
				       the key that it has                    */
	bool reports;               /* its RTCP named a stream of ours        */
	struct tmr tmr_deaf;        /* has another key, and does not report   */
	const char *deaf_why;       /* for the BYE, if it never does          */

	/* floor control: epfloor.c */
	struct floorpart *floor;    /* NULL: the conference has none          */
	struct neg_floor_local floor_local;
	bool holds_floor;
	bool muted;                 /* by the floor                           */
	bool latched;
	bool speaking;
	bool has_ssrc;
	uint32_t ssrc;              /* that it sends, authenticated           */
	struct sa remote;
};

/* conference.c */
struct conference *conference_find(const struct focus *f, const struct pl *user);
struct conference *conference_by_label(const struct focus *f, const char *label);
struct conference *conference_by_id(const struct focus *f, uint64_t id);
int  conference_new(struct conference **cp, struct focus *f,
		    const struct cfg_conf *cc, const struct pl *user,
		    const struct pl *host, const char *owner);
/** Tell the mixer that it is there */
int  conference_set(const struct conference *c);
/** End it for everybody; text goes into Reason headers.  cause is a SIP status. */
void conference_end(struct conference *c, unsigned cause, const char *text);
/** Locked, nobody but the owner joins uninvited */
void conference_lock(struct conference *c, bool locked, const char *who);
/** Called after an endpoint left: owner rule, last one rule */
void conference_check(struct conference *c, bool owner_left);
struct endpoint *conference_endpoint(const struct conference *c, uint64_t leg);
/** All endpoints of all participants, one after the other: that after ep, the
 *  first for NULL; NULL: there are no more.  ep must still be there. */
struct endpoint *conference_endpoints(const struct conference *c,
				      const struct endpoint *ep);

/** RFC 4579 section 4.2: the Contact is the conference URI, with isfocus */
int  conference_contact(char *buf, size_t size, const struct conference *c,
			const struct sip_msg *msg);
/** The same for calls of ours, once somebody has come this way */
int  conference_contact_set(struct conference *c, const struct sip_msg *msg);

/* part.c */
/** With an endpoint that has joined; false for NULL */
bool part_is_in(const struct part *p);
/** Neither muted nor a listener: its media may be mixed */
bool part_heard(const struct part *p);
/** By identity, for authorisation and the operator; open before anonymous */
struct part *part_find(const struct conference *c, const char *identity);
/** As the others know it: what a participant names is looked up here, else
 *  a guess would tell who hides behind a pseudonym */
struct part *part_find_public(const struct conference *c, const char *uri);
struct part *part_by_id(const struct conference *c, uint32_t id);
/** Who takes part openly and anonymously is two participants */
struct part *part_find_as(const struct conference *c, const char *identity,
			  bool anonymous);
int part_new(struct part **pp, struct conference *c, const char *identity);
/**
 * A new one shall be seen under its pseudonym only.  PRIVACY_GUEST, who has
 * proven no identity, gets the pseudonym for one, too.
 */
int part_hide(struct part *p);
/** Everything that others can see names a participant by these */
const char *part_public_uri(const struct part *p);
const char *part_public_name(const struct part *p);
/** Hang up all endpoints of a participant */
void part_kick(struct part *p, unsigned cause, const char *text);

/* endpoint.c */
/**
 * An admitted INVITE becomes an endpoint of a conference
 *
 * @param n   What neg_offer() took, moved; NULL for a delayed offer
 * @param ml  Its m= lines, moved
 * @param replaces  Leg of this identity that goes when the new one has joined,
 *                  or 0
 *
 * @return 0 if the endpoint now deals with the INVITE; otherwise errno and
 *         nothing was replied
 */
int endpoint_join(struct conference *c, const char *identity,
		  const struct sip_msg *msg, struct neg *n,
		  struct neg_mlines *ml, uint64_t replaces);
/** Hang up with a Reason header and leave; the endpoint is gone afterwards */
void endpoint_end(struct endpoint *ep, unsigned cause, const char *text);
/** The same with nothing more sent under keys it knows, not even for a moment */
void endpoint_kick(struct endpoint *ep, unsigned cause, const char *text);
/** gclass_admit() has an epoch for it (or err) */
void endpoint_admitted(struct endpoint *ep, int err);
const char *endpoint_state_name(enum endpoint_state st);
/** What it hears has changed without signalling: tell the others */
void endpoint_moved(struct endpoint *ep);
/** Neither joined nor gone */
bool endpoint_is_new(const struct endpoint *ep);
/** In, but not mixed: because of the floor, its role, or somebody muted it */
bool endpoint_muted(const struct endpoint *ep);
/** Our direction as it is, while its SDP says what it may be */
enum sdp_dir endpoint_dir(const struct endpoint *ep);

/* endpoint.c for dialout.c */
extern const struct dlg_handlers endpoint_handlers;   /* epdialog.c */
/** Our side of an exchange broke: say so, and keep or drop the session */
void endpoint_fail(struct endpoint *ep, uint16_t scode, const char *reason,
		   const char *why);
/** What the peer offers cannot be: refuse, the session stays as it was */
void endpoint_reject(struct endpoint *ep, const struct sip_msg *msg,
		     const struct neg_err *e);
/** A port is open for an offer of ours: make the offer */
void endpoint_port_reply(const Mp__Reply *r, void *arg);
extern const char endpoint_hdrs[];
int  endpoint_alloc(struct endpoint **epp, struct part *p);
/** Leave the tree; what is left of the dialog ends alone */
void endpoint_leave(struct endpoint *ep, const char *reason, uint32_t grace_ms);

/* epmedia.c: keys and the leg at the mixer */
/** Keys for ep->next, an offer of the peer; 0, EAGAIN (see gclass_admit()),
 *  or another errno with e filled */
int  epmedia_keys(struct endpoint *ep, struct neg_err *e);
/** Tell the mixer what ep->next says (or, without it, only to open a port) */
int  epmedia_apply(struct endpoint *ep, mixproc_reply_h *replyh);
/** Tell the mixer again what was agreed, with other streams */
int  epmedia_resend(struct endpoint *ep);
/** Its mixer is a new one: a fresh key of its own, if it had one, and a port
 *  there; nothing is sent until it knows of both */
int  epmedia_move(struct endpoint *ep, mixproc_reply_h *replyh);
/** The mixer took it: next becomes current */
void epmedia_commit(struct endpoint *ep);
/** The epoch in next was retired on the way: take the live one, if there is */
bool epmedia_renew(struct endpoint *ep);
/** Keys for an answer to an offer of ours */
int  epmedia_keys_answer(struct endpoint *ep, struct neg_err *e);
/** It knows this epoch of its class from now on, and for ever */
void epmedia_told(struct endpoint *ep, const struct gepoch *ge);
/** Its own key is not sent under any more: wipe it */
void epmedia_drop_own(struct endpoint *ep);
/** It did not come to be: forget next */
void epmedia_rollback(struct endpoint *ep);
/** Leave the mixer, retire all keys */
void epmedia_release(struct endpoint *ep, uint32_t grace_ms);
/** The keys that our answer to its offer shows */
void epmedia_show_next(struct neg_keys *keys, const struct endpoint *ep);
/** Those that our SDP shows with this epoch (or none) and the key of its own */
void epmedia_show(struct neg_keys *keys, const struct gepoch *ge,
		  const struct secret *own, uint8_t mki_len);
/** The epoch that it hears; NULL: its own key, or nothing yet */
const struct gepoch *epmedia_epoch(const struct endpoint *ep);
/** How old is the key that it hears under? 0: it has none yet */
time_t epmedia_key_since(const struct endpoint *ep);
/** The key that it hears; NULL: none */
const struct secret *epmedia_key(const struct endpoint *ep);
void epmedia_local(struct endpoint *ep, struct neg_local *l);
int  epmedia_local_set(struct endpoint *ep, const Mp__Reply *r);

/* epfloor.c: floor control */
/** Listen, if any conference of the configuration has a floor */
int  epfloor_start(struct focus *f);
/** The conference is new */
int  epfloor_open(struct conference *c);
/** What our SDP says of BFCP; NULL: nothing.  Its leg is at the mixer */
const struct neg_floor_local *epfloor_local(struct endpoint *ep);
/** A BFCP line without fingerprint is bound to the certificate that was shown
 *  on the connection of msg; without one it is refused */
void epfloor_shown(struct neg_floor *f, const struct sip_msg *msg);
/** What the peer's SDP said is agreed now */
void epfloor_commit(struct endpoint *ep);
void epfloor_leave(struct endpoint *ep);
/** A new mixer hears all: tell it if this one is muted */
void epfloor_recover(const struct endpoint *ep);
/** Its participant's role has changed, or it was muted or unmuted */
void epfloor_standing(struct endpoint *ep);
/** A key was pressed: RFC 4733 event */
void epfloor_dtmf(struct endpoint *ep, unsigned event);
/** Where clients connect to */
int  epfloor_addr(const struct focus *f, struct sa *sa);

/* gclass.c: delivery classes and who is in them */
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

/* promote.c: from an endpoint's own key to the group key, if it can */
/** Joined: ask it, or believe the configuration or earlier calls */
void promote_start(struct endpoint *ep);
/** It hears an epoch now: a trial gets its time limit */
void promote_switched(struct endpoint *ep);
/** Its RTCP names a stream that only the group key of this epoch opens */
void promote_proof(struct endpoint *ep, uint32_t epoch);
/** It has shown whether it goes on with the keys that it is offered: see uamem.h */
void promote_remember(const struct endpoint *ep, enum follows follows);
/** It keeps the key that it began with: this one did, or the admin says so */
bool promote_never(const struct endpoint *ep);
/** It keeps its own key for good; true if that was possible */
bool promote_give_up(struct endpoint *ep, const char *reason);
void promote_stop(struct endpoint *ep);

/* rekey.c: one endpoint's way to the live epoch */
/** See that it is offered what it should have, in its turn */
void rekey_start(struct endpoint *ep);
/** What it should have now, as an offer of ours, or in a 200 because it asked
 *  for one; NULL if that cannot be printed */
struct mbuf *rekey_offer(struct endpoint *ep, enum sdp_dir dir, bool asked);
/** The offer that was out is answered, refused or void */
void rekey_settled(struct endpoint *ep);
void rekey_failed(struct endpoint *ep, uint16_t scode);
/** It leaves */
void rekey_stop(struct endpoint *ep);
/** Others have read our INVITE.  If its key is in use, nothing more goes out
 *  under it, and a fresh one is offered before all else. */
void rekey_forked(struct endpoint *ep);

/* rate.c */
/** May this identity have so many others bothered? */
bool rate_ok(struct list *ratel, const char *identity, unsigned cost);

/* ban.c */
/** Removed: keep out for rejoin_ban seconds */
void ban_add(struct conference *c, const char *identity);
void ban_lift(struct conference *c, const char *identity);
bool ban_active(struct conference *c, const char *identity);

/* change.c */
/** The one place where changes of the tree come out */
void change_feed(enum change ch, const struct conference *c,
		 const struct endpoint *ep, const char *reason);
const char *change_name(enum change ch);

/* invite.c */
/** Refuses what no credentials can make good: keys must not travel in clear */
bool invite_is_secure(struct focus *f, const struct sip_msg *msg);
/** An INVITE outside dialogs whose sender is known: create, join or refuse */
void invite_recv(struct focus *f, const struct sip_msg *msg,
		 const char *identity);
/** Answer, count and log; warn is a warn-code: RFC 3261 section 20.43 */
void invite_refuse(struct focus *f, const struct sip_msg *msg,
		   const char *identity, uint16_t scode, unsigned warn,
		   const char *text);
bool invite_may_join(const struct cfg_conf *cc, const char *identity);
/** Count and log a refusal */
void refuse_note(struct focus *f, const struct sip_msg *msg, uint16_t scode,
		 const char *identity, const char *reason);

/* mixevent.c */
void mixevent_handler(struct mixproc *mp, const Mp__Message *msg, void *arg);
void mixevent_down(struct mixproc *mp, bool renewed, void *arg);

/* recover.c */
extern const char recover_reason[];
/** A new mixer took the place of the one it was on */
void recover_conference(struct conference *c);
/** It has answered the offer that says where it is now */
void recover_moved(struct endpoint *ep);
/** What it had is not used any more: if it reported before and does not now, it
 *  kept that all the same, and is hung up on */
void recover_watch(struct endpoint *ep, const char *why);
/** Its RTCP names a stream of ours, which is under a key of now */
void recover_report(struct endpoint *ep);

/* focus.c */
int  focus_start(struct focus **fp, struct cfg *cfg);
/** Every mixer has answered: calls can be placed */
bool focus_ready(const struct focus *f);
/** A new configuration for what comes; listeners and mixers stay as they are */
void focus_reload(struct focus *f, struct cfg *cfg);
/** What an operator's wish for that calls */
void focus_on_reload(struct focus *f, focus_reload_h *h, void *arg);
/** Hang up everything; call until focus_idle() or patience ends */
void focus_stop(struct focus *f);
bool focus_idle(const struct focus *f);
/** The answer to OPTIONS, the same in and out of dialogs: RFC 3261 section 11.2 */
void focus_options(struct focus *f, const struct sip_msg *msg);
/** The host parts that mean us */
bool focus_is_ours(const struct focus *f, const struct uri *uri, const struct sa *dst);
/** Actual address of the first TLS listener */
int  focus_listen_addr(const struct focus *f, struct sa *sa);

/* ctlcmd.c */
int ctlcmd_open(struct focus *f);

#endif
