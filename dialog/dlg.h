/**
 * @file dialog/dlg.h  What the files of this folder share
 *
 * dlgs.c  finds dialogs and hands requests to them
 * dlg.c   birth, death, headers of a dialog
 * uas.c   the peer's requests: INVITE, UPDATE, ACK, BYE and our answers
 * uac.c   our initial INVITE and its responses
 * fork.c  branches of that INVITE that did not win
 * prack.c its reliable provisional responses
 * offer.c our re-INVITE and UPDATE, and the peer's answers
 * req.c   how a request of ours is sent in a dialog; ACK and BYE
 * cred.c  our digest credentials
 * flow.c  the connection that a dialog is on
 * timer.c session timers
 */
#ifndef CONCLAVE_DIALOG_DLG_H
#define CONCLAVE_DIALOG_DLG_H

#include "re_compat.h"
#include "include/dlg.h"
#include "late.h"

/** A proxy calls no more phones than that */
enum { DLG_BRANCH_MAX = 8 };

enum dlg_state {
	DLG_EARLY,       /* initial INVITE has no final response yet          */
	DLG_CONFIRMED,   /* 2xx sent or received                              */
	DLG_TERMINATED,  /* nothing more to the user; finishing alone         */
};

/** A 2xx of ours to an INVITE that waits for its ACK, RFC 3261 13.3.1.4 */
struct dlg_reply {
	struct tmr tmr;           /* 64*T1: give up                          */
	struct tmr tmrg;          /* retransmission                          */
	struct sip_msg *msg;      /* the INVITE                              */
	void *flow;               /* its connection; or NULL                 */
	struct mbuf *mb;          /* the 2xx                                 */
	struct sip_strans *st;    /* its transaction, on a stream            */
	unsigned txc;
	bool active;
	bool wants_answer;        /* the 2xx carried our offer               */
};

struct dlgs {
	struct sip *sip;
	struct sip_lsnr *lsnr;    /* retransmitted 2xx                       */
	struct hash *ht;          /* struct dlg by Call-ID                   */
	uint32_t dlgc;
	struct lates session;     /* their session timers                    */
	struct lates offers;      /* re-INVITEs without a final response     */
	dlg_invite_h *inviteh;
	void *arg;
	struct dlg_flow_handlers flow;
};

struct dlg {
	struct le he;
	struct dlgs *ds;
	struct dlg_handlers h;
	void *arg;

	enum dlg_state state;
	bool uac;                 /* we sent the initial INVITE: we own the Call-ID */
	bool acked;               /* estabh was called                       */
	bool forked;              /* UAC: more than one branch has shown itself */
	unsigned loserc;          /* UAC: branches that were hung up         */
	unsigned holds;           /* references of dlg_hold()                */

	char *callid;
	char *ltag;
	char *rtag;               /* NULL until known                        */
	char *early_tag;          /* UAC: of the first 1xx                   */
	struct list earlyl;       /* UAC: branches with a reliable 1xx       */
	char *local;              /* our From value with tag                 */
	char *remote;             /* the peer's To value with tag            */
	char *target;             /* remote target URI                       */
	char *routes;             /* "Route: ...\r\n" lines, or NULL         */
	char *contact;
	char *hdrs;
	uint32_t lseq;
	uint32_t rseq;
	bool rseq_set;
	struct sa peer;           /* where the peer's last message came from */
	char peer_host[64];       /* its address in text; empty: none yet    */
	void *flow;               /* and on which connection; or NULL        */
	enum sip_transp tp;
	bool update;              /* the peer's Allow has it                 */

	/* the peer's request that waits for our answer */
	struct sip_strans *st;
	struct sip_msg *msg;
	void *msg_flow;           /* its connection; or NULL                 */
	bool offering;            /* its body is none, our 2xx has the offer */
	struct tmr tmr_trying;
	struct dlg_reply reply;

	/* our request that waits for the peer's answer */
	struct sip_request *req;
	struct cred *cred;        /* answers the peer's challenge            */
	dlg_auth_h *authh;
	dlg_send_h *sendh;
	void *hop;                /* arg of sendh, and of authh if set       */
	char *route;              /* first hop of the initial INVITE         */
	struct sa hop_addr;       /* where it went: credentials are for that */
	enum sip_transp hop_tp;
	void *hop_flow;           /* and on which connection; NULL: not known */
	char *once;               /* headers of the initial INVITE alone     */
	char *ctype;              /* of its body; NULL: SDP                  */
	struct mbuf *offer;       /* kept for a challenged retry; wiped      */
	uint32_t inv_seq;         /* UAC: of the INVITE that made the dialog */
	bool req_update;
	bool req_challenged;
	uint32_t ack_seq;         /* of our last INVITE                      */
	struct mbuf *ack_body;    /* answer in our ACK; wiped                */
	bool ack_due;             /* 2xx with an offer: ACK not sent yet     */
	char *reason;             /* for a BYE that cannot go out yet        */

	/* session timer */
	struct late late_se;
	uint32_t se_s;            /* interval [s]; 0: none                   */
	uint32_t se_min_s;        /* the peer's Min-SE of a 422 [s], or 0    */
	uint64_t se_end;          /* when the session ends, tmr_jiffies()    */
	bool se_ours;             /* we refresh                              */
	bool se_peer;             /* the peer knows session timers           */

	/* the re-offer that waits for its turn */
	dlg_offer_h *offerh;
	dlg_offer_h *sent_offerh; /* of the offer in req                    */
	enum dlg_via via;
	struct tmr tmr_retry;
	struct late late_offer;   /* patience with a re-INVITE of ours       */
	unsigned retryc;          /* times in a row that it had to wait      */
};

/* flow.c */
void *dlg_flow_of(const struct dlgs *ds, const struct sip_msg *msg);
bool dlg_flow_takes(const struct dlgs *ds, const void *flow,
		    const struct sip_msg *msg);
void dlg_flow_set(struct dlg *dlg, const struct sip_msg *msg);
bool dlg_flow_open(const struct dlg *dlg);
void dlg_hop_set(struct dlg *dlg, enum sip_transp tp, const struct sa *dst);
void dlg_hop_seen(struct dlg *dlg, const struct sip_msg *msg);
bool dlg_from_hop(const struct dlg *dlg, const struct sip_msg *msg);

/* dlg.c */
int  dlg_alloc(struct dlg **dlgp, struct dlgs *ds, const char *contact,
	       const char *hdrs, const struct dlg_handlers *h, void *arg);
struct mbuf *dlg_mbuf_wipe(struct mbuf *mb);
int  dlg_target_set(struct dlg *dlg, const struct sip_msg *msg);
int  dlg_routes_set(struct dlg *dlg, const struct sip_msg *msg);
void dlg_allow_set(struct dlg *dlg, const struct sip_msg *msg);
void dlg_close(struct dlg *dlg, int err, const struct sip_msg *msg);
bool dlg_terminate(struct dlg *dlg, const char *reason);
void dlg_hold(struct dlg *dlg);
void dlg_release(struct dlg *dlg);
bool dlg_live(const struct dlg *dlg);

/* uas.c */
void dlg_reply_stop(struct dlg *dlg);
bool dlg_recv_request(struct dlg *dlg, const struct sip_msg *msg);
void dlg_refuse_pending(struct dlg *dlg, uint16_t scode, const char *reason);

/* offer.c */
void dlg_offer_next(struct dlg *dlg);
void dlg_offer_soon(struct dlg *dlg);

/* req.c */
int  dlg_send(struct dlg *dlg, struct sip_request **reqp, const char *met,
	      uint32_t cseq, sip_resp_h *resph, void *arg,
	      const char *fmt, ...);
void dlg_send_ack(struct dlg *dlg);
void dlg_ack_again(struct dlg *dlg, const struct sip_msg *msg);
int  dlg_send_bye(struct dlg *dlg, const char *reason);
void dlg_request_drop(struct dlg *dlg);
void dlg_refresh(struct dlg *dlg);

/* timer.c */
void dlg_timer_request(struct dlg *dlg, const struct sip_msg *msg);
void dlg_timer_response(struct dlg *dlg, const struct sip_msg *msg);
/** 422: try again with the peer's Min-SE; false if that makes no sense */
bool dlg_timer_raise(struct dlg *dlg, const struct sip_msg *msg);
int  dlg_timer_print_2xx(struct re_printf *pf, const struct dlg *dlg);
int  dlg_timer_print_req(struct re_printf *pf, const struct dlg *dlg);
void dlg_timer_start(struct dlg *dlg);
void dlg_timer_again(struct dlg *dlg);

/* fork.c */
/** The dialog that a response to our INVITE makes, beside ours: for requests
 *  to that branch, and found by nothing until it is put into the table */
int  dlg_branch_alloc(struct dlg **dlgp, const struct dlg *dlg,
		      const struct sip_msg *msg);
void dlg_fork_early(struct dlg *dlg, const struct sip_msg *msg);
void dlg_fork_confirmed(struct dlg *dlg, const struct sip_msg *msg);
void dlg_fork_drop(struct dlg *dlg, const struct sip_msg *msg);

/* prack.c */
/** A 1xx: acknowledge it if that is wanted; false if nothing is new in it */
bool dlg_prack(struct dlg *dlg, const struct sip_msg *msg);
/** Which message has the answer: the 2xx, or a reliable 1xx of its branch */
const struct sip_msg *dlg_prack_answer(const struct dlg *dlg,
				       const struct sip_msg *msg);
void dlg_prack_flush(struct dlg *dlg);

#endif
