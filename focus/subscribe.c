/**
 * @file focus/subscribe.c  SUBSCRIBEs that want to watch a conference
 *
 * Nothing is allocated before every check has passed: event package, body,
 * format, which conference, allowed by policy, how long, room for it.
 *
 * Refs: RFC 6665 section 4.2.1, RFC 4575 section 3, RFC 4579 section 5.14
 */
#include <errno.h>
#include "focus/confevent.h"
#include "focus/confinfo.h"
#include "focus/invite.h"
#include "focus/rate.h"

enum { EXPIRES_MIN_S = 60, EXPIRES_MAX_S = 3600 };   /* RFC 4575 section 3.3 */


static void refuse(struct focus *f, const struct sip_msg *msg,
		   const char *identity, uint16_t scode, const char *reason,
		   const char *hdrs, const char *text)
{
	refuse_note(f, msg, scode, identity, text);
	(void)sip_treplyf(NULL, NULL, f->sip, msg, false, scode, reason,
			  "Warning: 399 conclave \"%s\"\r\n%s"
			  "Content-Length: 0\r\n\r\n", text, hdrs);
}


void subscribe_bad_event(struct focus *f, const struct sip_msg *msg,
			 const char *identity)
{
	refuse(f, msg, identity, 489, "Bad Event",
	       "Allow-Events: " CONFEVENT_NAME "\r\n", "No such event package");
}


static bool accepts(const struct sip_hdr *hdr, const struct sip_msg *msg,
		    void *arg)
{
	static const char *const rangev[] = {
		CONFINFO_CTYPE, "application/*", "*/*"
	};
	struct pl type;
	(void)msg;
	(void)arg;

	if (re_regex(hdr->val.p, hdr->val.l, "[^; \t\r\n]+", &type))
		return false;

	for (size_t i = 0; i < ARRAY_SIZE(rangev); i++) {
		if (!pl_strcasecmp(&type, rangev[i]))
			return true;
	}

	return false;
}


/** Package and formats; false if refused */
static bool check_format(struct focus *f, const struct sip_msg *msg,
			 const char *identity, struct pl *id)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_EVENT);
	struct sipevent_event ev;

	/* RFC 3515 section 2.4.4: only a REFER makes these */
	if (hdr && !sipevent_event_decode(&ev, &hdr->val) &&
	    !pl_strcmp(&ev.event, "refer")) {
		refuse(f, msg, identity, 403, "Forbidden", "",
		       "No such REFER");
		return false;
	}

	if (!hdr || sipevent_event_decode(&ev, &hdr->val) ||
	    pl_strcmp(&ev.event, CONFEVENT_NAME)) {
		subscribe_bad_event(f, msg, identity);
		return false;
	}

	/* RFC 4575 section 3.2: there are no filters */
	if (mbuf_get_left(msg->mb)) {
		refuse(f, msg, identity, 415, "Unsupported Media Type",
		       "Accept:\r\n", "A body is not understood");
		return false;
	}

	if (sip_msg_hdr(msg, SIP_HDR_ACCEPT) &&
	    !sip_msg_hdr_apply(msg, true, SIP_HDR_ACCEPT, accepts, NULL)) {
		refuse(f, msg, identity, 406, "Not Acceptable",
		       "Accept: " CONFINFO_CTYPE "\r\n", "Format not accepted");
		return false;
	}

	*id = ev.id;

	return true;
}


/** RFC 4579 section 3.2: a factory has no state to watch */
static struct conference *find_target(struct focus *f,
				      const struct sip_msg *msg,
				      const char *identity)
{
	struct conference *c = NULL;

	if (focus_is_ours(f, &msg->uri, &msg->dst) && msg->uri.user.l)
		c = conference_find(f, &msg->uri.user);
	if (!c) {
		refuse(f, msg, identity, 404, "Not Found", "",
		       "No such conference");
		return NULL;
	}

	if (!confevent_allowed(c, identity)) {
		refuse(f, msg, identity, 403, "Forbidden", "",
		       "Not allowed by policy");
		return NULL;
	}

	return c;
}


/** A phone that lost its connection and begins anew leaves the old one behind,
 *  until the next NOTIFY fails; it may have come back, so that is early enough */
static bool is_full(const struct focus *f, const char *identity)
{
	const uint32_t max = f->cfg->max_subscriptions;

	if (confevent_count(f, identity) >= max)
		confevent_purge(f, identity);

	return confevent_count(f, identity) >= max;
}


static bool room_left(struct focus *f, const struct sip_msg *msg,
		      const char *identity)
{
	const char *why = NULL;

	if (f->stopping)
		why = "Shutting down";
	else if (is_full(f, identity))
		why = "Limit max_subscriptions";
	/* each gets a whole roster, also with "Expires: 0" */
	else if (!rate_ok(&f->askl, identity,
			  MAX(RATE_BURST, f->cfg->max_subscriptions), 1))
		why = "Too many in a row";

	if (why)
		refuse(f, msg, identity, 503, "Service Unavailable",
		       "Retry-After: 10\r\n", why);

	return !why;
}


void subscribe_recv(struct focus *f, const struct sip_msg *msg,
		    const char *identity)
{
	struct conference *c;
	uint32_t expires_s;
	struct pl id;
	int err;

	if (!check_format(f, msg, identity, &id))
		return;

	c = find_target(f, msg, identity);
	if (!c || notifier_expires(&expires_s, f->sip, msg, EXPIRES_MIN_S,
				   EXPIRES_MAX_S) ||
	    !room_left(f, msg, identity))
		return;

	err = confevent_subscribe(c, msg, &id, identity, expires_s,
				  EXPIRES_MIN_S, EXPIRES_MAX_S);
	if (err == EBADMSG || err == ENOENT)
		refuse(f, msg, identity, 400, "Bad Request", "",
		       "Bad Contact");
	else if (err)
		refuse(f, msg, identity, 503, "Service Unavailable",
		       "Retry-After: 10\r\n", "No resources");
}
