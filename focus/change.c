/**
 * @file focus/change.c  The one place where changes of the tree come out
 */
#include "focus/tree.h"
#include "log.h"

static const char *namev[] = {
	[CHANGE_CONF_CREATED] = "conf_created",
	[CHANGE_CONF_ENDED]   = "conf_ended",
	[CHANGE_JOINED]       = "join",
	[CHANGE_LEFT]         = "leave",
	[CHANGE_HELD]         = "hold",
	[CHANGE_RESUMED]      = "resume",
	[CHANGE_DIALING]      = "dial",
	[CHANGE_ALERTING]     = "ring",
	[CHANGE_DIAL_FAILED]  = "dial_failed",
	[CHANGE_LOCKED]       = "lock",
	[CHANGE_UNLOCKED]     = "unlock",
};


static void log_endpoint(const char *ev, const struct conference *c,
			 const struct endpoint *ep, const char *reason)
{
	const struct codec *codec = codec_by_id(ep->neg.codec);
	const struct suite *suite = ep->neg.sdes.suite;
	char kid[KID_STRLEN];

	log_info("ev=%s conf=%s part=%u leg=%llu identity=%s codec=%s suite=%s"
		 " kid=%s%s%s", ev, c->label, ep->part->id,
		 (unsigned long long)ep->leg, ep->part->identity,
		 codec ? codec->name : "-", suite ? suite->name : "-",
		 secret_kid(epmedia_key(ep, false), kid),
		 reason ? " reason=" : "", reason ? reason : "");
}


void change_feed(enum change ch, const struct conference *c,
		 const struct endpoint *ep, const char *reason)
{
	if (ep)
		log_endpoint(namev[ch], c, ep, reason);
	else
		log_info("ev=%s conf=%s uri=%s owner=%s keying=%s%s%s",
			 namev[ch], c->label, c->uri, c->owner,
			 cfg_keying_name(c->cc->keying),
			 reason ? " reason=" : "", reason ? reason : "");
}
