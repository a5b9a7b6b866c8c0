/**
 * @file focus/request.c  Requests as they come in: whose business is each?
 *
 * What begins something goes to its own file, what is in a dialog to the dialog
 * layer.  In between is who may say it: a dialog speaks on its connection, and
 * on any other only by proving who it is.
 *
 * Refs: RFC 3261 sections 8.2 and 12.2.2
 */
#include "focus/confevent.h"
#include "focus/ident.h"
#include "focus/intake.h"
#include "focus/invite.h"
#include "focus/notifier.h"
#include "focus/privacy.h"
#include "focus/refer.h"
#include "focus/registrar.h"
#include "focus/request.h"
#include "focus/tlsid.h"
#include "focus/tree.h"


/* what we answer to; intake refuses the rest */
static const char *const methodv[] = {
	/* first, so that the list without it is the rest: request_caps() */
	"REGISTER",
	"INVITE", "ACK", "CANCEL", "BYE", "UPDATE", "PRACK", "OPTIONS",
	"SUBSCRIBE", "REFER", NULL
};
static const char *const optionv[] = {
	"timer", "replaces", "join", "norefersub", "nosub", "tdialog",
	"recipient-list-invite", "outbound", "privacy", "100rel",
	"path", NULL
};


/** REGISTER is a method of ours while the configuration says so */
void request_caps(struct focus *f)
{
	f->caps.methodv = f->cfg->registrar ? methodv : methodv + 1;
	f->caps.optionv = optionv;
}


/**
 * A request that claims a dialog but comes on another connection: dialog ids
 * can be sniffed or leak in logs, so its sender has to prove who it is.
 */
static bool dialog_owner(struct focus *f, const struct dlg *dlg,
			 const struct sip_msg *msg)
{
	/* one that has ended lives on without its endpoint */
	const struct endpoint *ep = dlg_arg(dlg);
	char who[IDENT_MAX];

	if (ident_request(f->ident, f->cfg, f->sip, msg, who, sizeof(who)))
		return false;

	if (ep && ep->state != EP_LEFT &&
	    !str_cmp(who, ep->part->identity))
		return true;

	refuse_note(f, msg, 403, who, "Not a party of this dialog");
	(void)sip_reply(f->sip, msg, 403, "Forbidden");

	return false;
}


/**
 * The connection of a trusted peer carries the dialogs of many.  What it says
 * about who sends this must not contradict whose dialog it is.
 */
static bool asserted_other(struct focus *f, const struct sip_msg *msg,
			   const char *owner)
{
	char who[IDENT_MAX];
	int err;

	err = ident_asserted(f->cfg, msg, who, sizeof(who));
	if (err == ENOENT || (!err && owner && !str_cmp(who, owner)))
		return false;

	refuse_note(f, msg, 403, err ? NULL : who,
		    "Not a party of this dialog");
	if (pl_strcmp(&msg->met, "ACK"))
		(void)sip_reply(f->sip, msg, 403, "Forbidden");

	return true;
}


void request_options(struct focus *f, const struct sip_msg *msg)
{
	/* the same for every URI: no way to look for conferences */
	(void)sip_replyf(f->sip, msg, 200, "OK",
			 FOCUS_ALLOW FOCUS_SUPPORTED
			 "Accept: application/sdp\r\n"
			 "Content-Length: 0\r\n\r\n");
}


/**
 * May this one come in without proving who it is?  Only an anonymous caller,
 * and only where the configuration says so; the rules of the conference then
 * decide about nobody in particular.
 */
static bool is_guest(const struct focus *f, const struct sip_msg *msg,
		     const struct privacy *pr)
{
	const struct conference *c = conference_find(f, &msg->uri.user);

	return pr->anonymous && c && c->cc->anonymous == ANON_ALLOW &&
		invite_may_join(c->cc, PRIVACY_GUEST) &&
		!ident_offered(f->cfg, msg);
}


/** RFC 3323 section 4.2: grant what was asked for, or refuse */
static bool privacy_ok(struct focus *f, const struct sip_msg *msg,
		       struct privacy *pr)
{
	switch (privacy_decode(pr, msg)) {

	case 0:
		return true;

	case ENOTSUP:
		invite_refuse(f, msg, NULL, 500, 399,
			      "Critical privacy that is unknown here");
		break;

	default:
		invite_refuse(f, msg, NULL, 400, 399, "Bad Privacy header");
		break;
	}

	return false;
}


static void recv_invite(struct focus *f, const struct sip_msg *msg)
{
	char who[IDENT_MAX];
	struct privacy pr;

	if (!invite_is_secure(f, msg) || !privacy_ok(f, msg, &pr))
		return;

	if (is_guest(f, msg, &pr)) {
		tlsid_known(msg);
		invite_recv(f, msg, PRIVACY_GUEST);
	}
	else if (!ident_request(f->ident, f->cfg, f->sip, msg, who,
				sizeof(who)))
		invite_recv(f, msg, who);
}


static void recv_register(struct focus *f, const struct sip_msg *msg)
{
	char who[IDENT_MAX];

	if (msg->tp != SIP_TRANSP_TLS)
		invite_refuse(f, msg, NULL, 403, 399,
			      "Registration over TLS only");
	else if (!focus_is_ours(f, &msg->uri, &msg->dst))
		invite_refuse(f, msg, NULL, 404, 399, "No such domain");
	else if (!ident_request(f->ident, f->cfg, f->sip, msg, who,
				sizeof(who)))
		registrar_recv(f->reg, f->sip, f->cfg, msg, who);
}


/**
 * Rosters (RFC 4575 section 8.1), what digest does not cover (whom a REFER is
 * about), and most of all the keys in our own requests, which go where the
 * last one of the peer came from: over anything but TLS nobody is even asked
 * who he is.
 */
static bool over_tls(struct focus *f, const struct sip_msg *msg,
		     const char *why)
{
	if (msg->tp == SIP_TRANSP_TLS)
		return true;

	refuse_note(f, msg, 403, NULL, why);
	if (pl_strcmp(&msg->met, "ACK"))
		(void)sip_replyf(f->sip, msg, 403, "Forbidden",
				 "Warning: 399 conclave \"%s\"\r\n"
				 "Content-Length: 0\r\n\r\n", why);

	return false;
}


static void recv_subscribe(struct focus *f, const struct sip_msg *msg)
{
	struct notifier *n = notifiers_find(f->notifiers, msg);
	char who[IDENT_MAX];

	if (!over_tls(f, msg, "Subscriptions need TLS"))
		return;

	/* RFC 6665 section 4.5.2; a 481 would end the call whose dialog it is,
	 * RFC 3261 section 12.2.1.2 */
	if (pl_isset(&msg->to.tag) && !n) {
		if (dlgs_find(f->dlgs, msg))
			(void)sip_reply(f->sip, msg, 403,
					 "Dialogs Are Not Shared");
		else
			(void)sip_reply(f->sip, msg, 481,
					 "Subscription Does Not Exist");
		return;
	}

	/* as in dialog_owner(): on its own connection it needs no proof */
	if (n && notifier_on_flow(n, msg)) {
		if (!asserted_other(f, msg, notifier_identity(n)))
			notifier_subscribe(n, msg);
		return;
	}

	if (ident_request(f->ident, f->cfg, f->sip, msg, who, sizeof(who)))
		return;

	if (!n) {
		subscribe_recv(f, msg, who);
	}
	else if (!str_cmp(who, notifier_identity(n))) {
		notifier_subscribe(n, msg);
	}
	else {
		refuse_note(f, msg, 403, who, "Not the subscriber");
		(void)sip_reply(f->sip, msg, 403, "Forbidden");
	}
}


static void recv_refer(struct focus *f, const struct sip_msg *msg)
{
	char who[IDENT_MAX];

	if (over_tls(f, msg, "REFER needs TLS") &&
	    !ident_request(f->ident, f->cfg, f->sip, msg, who, sizeof(who)))
		refer_recv(f, msg, who);
}


/** Requests that may begin something */
static bool recv_outside(struct focus *f, const struct sip_msg *msg)
{
	static const struct {
		const char *met;
		void (*recv)(struct focus *f, const struct sip_msg *msg);
	} outsidev[] = {
		{ "INVITE",   recv_invite   },
		{ "OPTIONS",  request_options },
		{ "REGISTER", recv_register },
		{ "REFER",    recv_refer    },
	};

	for (size_t i = 0; i < ARRAY_SIZE(outsidev); i++) {
		if (!pl_strcmp(&msg->met, outsidev[i].met)) {
			outsidev[i].recv(f, msg);
			return true;
		}
	}

	return false;
}


bool request_recv(const struct sip_msg *msg, void *arg)
{
	struct focus *f = arg;
	const struct dlg *dlg;

	if (!intake_ok(f->intake, f->sip, msg))
		return true;

	if (!pl_strcmp(&msg->met, "SUBSCRIBE")) {
		recv_subscribe(f, msg);
		return true;
	}

	/* that of a transaction has been taken by libre: RFC 3261 section 9.2 */
	if (!pl_strcmp(&msg->met, "CANCEL")) {
		(void)sip_reply(f->sip, msg, 481, "Transaction Does Not Exist");
		return true;
	}

	dlg = dlgs_find(f->dlgs, msg);
	if (dlg && !over_tls(f, msg, "The dialog is on TLS"))
		return true;

	if (dlg && dlg_on_flow(dlg, msg)) {
		const struct endpoint *ep = dlg_arg(dlg);

		if (asserted_other(f, msg, ep && ep->state != EP_LEFT
				   ? ep->part->identity : NULL))
			return true;
	}
	else if (dlg) {
		if (!pl_strcmp(&msg->met, "ACK") ||
		    !dialog_owner(f, dlg, msg))
			return true;
	}

	if (!dlg && !pl_isset(&msg->to.tag) && recv_outside(f, msg))
		return true;

	if (dlgs_request(f->dlgs, msg))
		return true;

	/* REGISTER in a call; or, RFC 3261 section 12.2.2, in none of ours */
	if (dlg)
		(void)sip_replyf(f->sip, msg, 405, "Method Not Allowed",
				 FOCUS_ALLOW "Content-Length: 0\r\n\r\n");
	else
		(void)sip_reply(f->sip, msg, 481, "Call Does Not Exist");

	return true;
}
