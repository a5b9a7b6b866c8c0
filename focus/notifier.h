/**
 * @file focus/notifier.h  One subscription, as the one who notifies sees it
 *
 * The part that all event packages share: dialog, expiry, and when a NOTIFY
 * may go out.  One NOTIFY is outstanding at most, so that bodies never
 * overtake each other; changes meanwhile, and inside the interval, are merged
 * by the package, which makes the body at the moment it can be sent.
 *
 * NOTIFYs go on the connection that the subscriber's last request came on,
 * whatever its Contact says.
 *
 * Ownership:  the package owns a notifier until notifier_end(),
 *             notifier_drop() or closeh; then the layer finishes it alone
 * Threads:    libre loop
 * Refs:       RFC 6665 section 4.2, RFC 3515 section 2.4
 */
#ifndef CONCLAVE_FOCUS_NOTIFIER_H
#define CONCLAVE_FOCUS_NOTIFIER_H

#include "re_compat.h"
#include "dlg.h"

struct notifiers;   /* all subscriptions of one SIP stack */
struct notifier;    /* one of them */

struct notifier_handlers {
	/**
	 * Make the body of the NOTIFY that goes out now
	 *
	 * @param full  The subscriber asked for everything: first NOTIFY,
	 *              refresh, fetch
	 *
	 * @return The body, taken over; NULL: nothing to tell.  Then a NOTIFY
	 *         is sent only if the subscriber waits for one, without a body.
	 */
	struct mbuf *(*bodyh)(struct notifier *n, bool full, void *arg);

	/** May a refresh go on?  NULL: yes.  False: 403, and it is over */
	bool (*refreshh)(struct notifier *n, void *arg);

	/** Over by the subscriber, by time or by failure (text for the log) */
	void (*closeh)(struct notifier *n, const char *why, void *arg);
};

/** What a package says about its subscriptions; strings are copied */
struct notifier_opt {
	const char *event;       /* "conference"                              */
	struct pl id;            /* of the Event header; null: none           */
	const char *ctype;       /* Content-Type of bodies                    */
	const char *contact;     /* value of our Contact header               */
	const char *hdrs;        /* further headers of NOTIFYs and 2xx, or NULL */
	const char *identity;    /* of the subscriber, as authenticated       */
	uint32_t expires_s;      /* 0: one NOTIFY and no more                 */
	uint32_t expires_min_s;  /* of a refresh: less is 423                 */
	uint32_t expires_max_s;  /* likewise: more is shortened               */
	uint32_t interval_ms;    /* least time between NOTIFYs of changes     */
};

int notifiers_alloc(struct notifiers **nsp, struct sip *sip, struct dlgs *ds);

/**
 * The subscription that a SUBSCRIBE with a To tag belongs to, or NULL.  Who
 * sends it on another connection (notifier_on_flow()) has to prove to be
 * notifier_identity() before notifier_subscribe() is called.
 */
struct notifier *notifiers_find(const struct notifiers *ns,
				const struct sip_msg *msg);

/** Subscriptions that live or have a NOTIFY out */
uint32_t notifiers_count(const struct notifiers *ns);
/** NOTIFYs sent so far */
uint64_t notifiers_sent(const struct notifiers *ns);

/**
 * How long a SUBSCRIBE wants it; answers it if that cannot be: 400, or 423
 * (RFC 6665 section 4.2.1.1)
 *
 * @param sp  Out: 0, or from min_s to max_s; max_s without an Expires header
 *
 * @return 0, or an errno value: it was answered
 */
int notifier_expires(uint32_t *sp, struct sip *sip, const struct sip_msg *msg,
		     uint32_t min_s, uint32_t max_s);

/**
 * Make a subscription; nothing is sent yet
 *
 * @param msg  SUBSCRIBE or REFER that asks for it
 * @param dlg  The INVITE dialog that msg came in (a REFER's implicit
 *             subscription); NULL: msg makes a dialog of its own
 */
int notifier_alloc(struct notifier **np, struct notifiers *ns,
		   const struct sip_msg *msg, struct dlg *dlg,
		   const struct notifier_opt *opt,
		   const struct notifier_handlers *h, void *arg);

/** 200 to the SUBSCRIBE that made it; a REFER is answered by its own code */
void notifier_reply(struct notifier *n, const struct sip_msg *msg);

/** The first NOTIFY; call it after the 2xx was sent.  May call closeh. */
void notifier_start(struct notifier *n);

/** A SUBSCRIBE inside it: refresh or end.  Answers it; may call closeh */
void notifier_subscribe(struct notifier *n, const struct sip_msg *msg);

/** Something changed: bodyh is called as soon as a NOTIFY can go out */
void notifier_notify(struct notifier *n);

/**
 * End it from our side: a last NOTIFY, then it is gone.  closeh is not called.
 *
 * @param reason  RFC 6665 section 4.1.3: "rejected", "noresource", ...
 * @param body    Of the last NOTIFY, taken over; NULL: none
 */
void notifier_end(struct notifier *n, const char *reason, struct mbuf *body);

/** Let it go without a word */
void notifier_drop(struct notifier *n);

const char *notifier_identity(const struct notifier *n);
/** Is the connection of its subscriber gone, so that it can be told nothing? */
bool notifier_is_lost(const struct notifier *n);
bool notifier_on_flow(const struct notifier *n, const struct sip_msg *msg);

#endif
