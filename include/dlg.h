/**
 * @file dlg.h  INVITE dialogs, both roles
 *
 * A thin dialog layer on libre's transactions: dialog state, the
 * offer/answer state machine, reliable 2xx, re-INVITE and UPDATE in both
 * directions with glare, CANCEL and BYE.  It exists because libre's sipsess
 * has no UPDATE, no session timers, no PRACK and no extra headers, and sends
 * its requests to the Contact on a new connection; ours go on the connection
 * on which the peer's last request of this dialog came.
 *
 * Bodies of our own (SDP with keys) are wiped after sending.
 *
 * Ownership:  struct dlg is a libre object owned by the caller.  mem_deref()
 *             of a live dialog hangs up: CANCEL, BYE or 487/500, whichever
 *             fits, and the layer finishes that alone.  After closeh no
 *             further handler is called.
 * Threads:    libre loop
 * Refs:       RFC 3261 sections 12-15, RFC 3262, RFC 3264, RFC 3311, RFC 4028,
 *             RFC 6141
 */
#ifndef CONCLAVE_DLG_H
#define CONCLAVE_DLG_H

#include "re_compat.h"

struct dlgs;   /* all dialogs of one SIP stack */
struct dlg;    /* one dialog */

/** An INVITE outside any dialog came; answer it with sip_treply() or dlg_accept() */
typedef void (dlg_invite_h)(const struct sip_msg *msg, void *arg);

struct dlg_handlers {
	/**
	 * The peer sent an offer (re-INVITE, UPDATE), or asks for one (body
	 * empty).  Answer now or later with dlg_answer() or dlg_reject().
	 */
	void (*offerh)(struct dlg *dlg, const struct sip_msg *msg, void *arg);

	/** The peer took its re-INVITE back (CANCEL) before it was answered */
	void (*cancelh)(struct dlg *dlg, void *arg);

	/** The peer answered our offer: in a 2xx, in the ACK, or (told with the
	 *  2xx) in a reliable 1xx */
	void (*answerh)(struct dlg *dlg, const struct sip_msg *msg, void *arg);

	/**
	 * Our re-offer failed for good (final status, or 0 and err for
	 * timeout); the session stays as it was.  491 and 500+Retry-After are
	 * retried inside, 408 and 481 end the dialog instead.
	 */
	void (*offer_failh)(struct dlg *dlg, int err, uint16_t scode, void *arg);

	/** UAS: no ACK yet, T1 after our 2xx to the initial INVITE: the peer has
	 *  an answer, and nobody knows of it */
	void (*lateh)(struct dlg *dlg, void *arg);

	/** Confirmed: UAS got the ACK, UAC got the 2xx */
	void (*estabh)(struct dlg *dlg, const struct sip_msg *msg, void *arg);

	/**
	 * UAC: the INVITE was forked, and another branch than ours has shown
	 * itself (its 2xx is acknowledged and hung up here): whatever that
	 * INVITE said is known to others.
	 */
	void (*forkh)(struct dlg *dlg, void *arg);

	/** UAC: provisional response */
	void (*progrh)(struct dlg *dlg, const struct sip_msg *msg, void *arg);

	/**
	 * The agreed session once more, for a refresh by re-INVITE (session
	 * timer); NULL handler: only UPDATE is used
	 */
	struct mbuf *(*refreshh)(struct dlg *dlg, void *arg);

	/** Any other request in the dialog; true if it was replied to */
	bool (*reqh)(struct dlg *dlg, const struct sip_msg *msg, void *arg);

	/**
	 * Over: msg is the BYE, the cancelled INVITE or the failure response; NULL with
	 * err (timeout, connection lost, no ACK).
	 */
	void (*closeh)(struct dlg *dlg, int err, const struct sip_msg *msg, void *arg);
};

/** User name and password for a realm; 0 if there are some */
typedef int (dlg_auth_h)(char **user, char **pass, const char *realm, void *arg);

/**
 * @param sip      SIP stack; must outlive the result
 * @param inviteh  INVITEs outside dialogs; NULL: refused with 403
 */
int dlgs_alloc(struct dlgs **dsp, struct sip *sip, dlg_invite_h *inviteh, void *arg);

/**
 * Hand a request to the layer: true if it belonged to a dialog of ours, was
 * an INVITE or an ACK, BYE, UPDATE or PRACK for none (481).  Call it from the
 * stack's request listener after the intake checks.
 */
bool dlgs_request(struct dlgs *ds, const struct sip_msg *msg);

uint32_t dlgs_count(const struct dlgs *ds);

/** How to tell one connection from the next one from the same address */
struct dlg_flow_handlers {
	/** The connection of a message: a libre object that the dialog keeps,
	 *  the same one for all its messages; NULL if it has none */
	void *(*geth)(const struct sip_msg *msg);

	/** It is still there */
	bool (*openh)(const void *flow);

	/** It is gone, and we are not the ones who could open it again */
	bool (*losth)(const void *flow);
};

/** From then on no request is sent to an address whose connection is lost, and
 *  no 2xx but on the open connection of its request.  Without this, an address
 *  is all that a dialog knows. */
void dlgs_set_flow(struct dlgs *ds, const struct dlg_flow_handlers *h);

/**
 * The dialog a request with a To tag belongs to, or NULL.  A caller that wants
 * to authenticate requests which come on another connection (dlg_on_flow())
 * asks this before dlgs_request().
 */
struct dlg *dlgs_find(const struct dlgs *ds, const struct sip_msg *msg);

/** Did this come on the connection that the dialog is on? */
bool dlg_on_flow(const struct dlg *dlg, const struct sip_msg *msg);

/** Is that connection gone?  The peer may come back on another one. */
bool dlg_flow_lost(const struct dlg *dlg);

/**
 * Is the session interval that an INVITE asks for too short?
 *
 * @return 0, or the Min-SE for a 422 (RFC 4028 section 9)
 */
uint32_t dlg_min_se(const struct sip_msg *msg);

/**
 * Become the UAS of an INVITE: a server transaction and a dialog; 100
 * is sent if nothing else is said soon
 *
 * @param contact  Value of our Contact header in all messages of the dialog,
 *                 e.g. "<sip:x@host;transport=tls>;isfocus"
 * @param hdrs     Extra headers for all our INVITEs, UPDATEs and 2xx (Allow,
 *                 Supported, ...), each ending in CRLF; may be NULL
 */
int dlg_accept(struct dlg **dlgp, struct dlgs *ds, const struct sip_msg *msg,
	       const char *contact, const char *hdrs,
	       const struct dlg_handlers *h, void *arg);

/**
 * A request is about to go to this address, perhaps on a new connection: the
 * place to say whose certificate is expected there; an errno stops it
 *
 * @param fresh  No connection is known: the INVITE that makes the dialog, or the
 *               dialog's is gone.  Else it goes where the peer's last message
 *               came from.
 */
typedef int (dlg_send_h)(const struct sa *dst, bool fresh, void *arg);

/** All there is to say about an INVITE of ours, except who hears of it */
struct dlg_invite {
	const char *uri;        /* Request-URI and To                         */
	const char *from;       /* From URI                                   */
	const char *route;      /* first hop, or NULL                         */
	const char *contact;
	const char *hdrs;       /* in all our INVITEs, UPDATEs and 2xx        */
	const char *once;       /* in this INVITE only, or NULL               */
	struct mbuf *body;      /* an offer, or NULL for a delayed one; wiped
	                           and dereferenced, also on error            */
	const char *ctype;      /* of body; NULL: application/sdp             */
	dlg_auth_h *authh;
	dlg_send_h *sendh;      /* before each request of the dialog; or NULL */
	void *hop;              /* arg of both; libre object that the dialog
	                           keeps, since it may outlive the caller     */
};

/** Become a UAC: send INVITE */
int dlg_invite(struct dlg **dlgp, struct dlgs *ds, const struct dlg_invite *inv,
	       const struct dlg_handlers *h, void *arg);

/** The dialog that a Replaces or Join header names, also one that has ended */
struct dlg *dlgs_find_ids(const struct dlgs *ds, const struct pl *callid,
			  const struct pl *local_tag, const struct pl *remote_tag);

/**
 * 2xx with a body to the pending INVITE, re-INVITE or UPDATE of the peer
 *
 * @param sdp  Answer; or our offer if the peer's request had none (then its
 *             answer comes with the ACK); wiped and dereferenced by the layer
 */
int dlg_answer(struct dlg *dlg, uint16_t scode, const char *reason, struct mbuf *sdp);

/**
 * The pending INVITE has a body, but no offer in it (a list of URIs, say):
 * what dlg_answer() sends is our offer
 */
void dlg_offering(struct dlg *dlg);

/**
 * Refuse the pending request; of the initial INVITE this ends the dialog
 * (no closeh is called)
 *
 * @param fmt  Extra headers, each ending in CRLF, or NULL
 */
int dlg_reject(struct dlg *dlg, uint16_t scode, const char *reason, const char *fmt, ...);

enum dlg_via { DLG_AUTO, DLG_REINVITE, DLG_UPDATE };

/** Makes the newest offer at the moment it can be sent; NULL: nothing to offer any more */
typedef struct mbuf *(dlg_offer_h)(struct dlg *dlg, void *arg);

/**
 * Ask for a re-offer as soon as the dialog allows it.  One is pending at
 * most: asking again before it is sent replaces nothing and is free, since
 * the offer is only made when it can go out.
 *
 * @param via  AUTO: UPDATE if the peer allows it, else re-INVITE
 */
int dlg_offer(struct dlg *dlg, enum dlg_via via, dlg_offer_h *offerh);

/**
 * UAC after a delayed offer: the peer's offer came with the 2xx (answerh);
 * our answer goes with the ACK.  Must be called before answerh returns.
 */
int dlg_answer_ack(struct dlg *dlg, struct mbuf *sdp);

/**
 * Does the peer wait for dlg_answer() or dlg_reject()?  It may have taken its
 * request back (CANCEL) while the answer was being made.
 */
bool dlg_pending(const struct dlg *dlg);

/** Hang up with a Reason header ("SIP;cause=503;text=\"...\"", or NULL); no closeh */
void dlg_bye(struct dlg *dlg, const char *reason);

/** Any other request in the dialog (REFER, NOTIFY, INFO) */
int dlg_request(struct dlg *dlg, const char *met, sip_resp_h *resph, void *arg, const char *fmt, ...);

/**
 * A dialog without a session, made by a SUBSCRIBE or REFER outside of dialogs
 * (RFC 6665 section 4.4.1): for dlg_request() alone.  Its To tag is the one
 * that libre puts into the replies to msg.  dlgs_find() does not find it, and
 * dropping it sends nothing.
 *
 * @return 0, EBADMSG without a usable Contact, ENOENT without any, ENOMEM
 */
int dlg_usage(struct dlg **dlgp, struct dlgs *ds, const struct sip_msg *msg,
	      const char *contact);

/**
 * A later request of the peer's in it: target and flow are refreshed
 *
 * @return false if it is out of order (RFC 3261 section 12.2.2: reply 500)
 */
bool dlg_usage_refresh(struct dlg *dlg, const struct sip_msg *msg);

/** NULL of one that has ended: it may have outlived what arg points to */
void *dlg_arg(const struct dlg *dlg);
bool dlg_established(const struct dlg *dlg);
bool dlg_ended(const struct dlg *dlg);
bool dlg_forked(const struct dlg *dlg);  /* UAC: branches beside ours were seen */
const char *dlg_callid(const struct dlg *dlg);
const char *dlg_local_tag(const struct dlg *dlg);
const char *dlg_remote_tag(const struct dlg *dlg);
const struct sa *dlg_peer_addr(const struct dlg *dlg); /* where its last request came from */

#endif
