/**
 * @file focus/change.c  The one place where changes of the tree come out
 *
 * One change goes to the log, the counters, the operators that watch over the
 * control socket, and the watchers of the conference.  Nothing is announced
 * from anywhere else.
 */
#include "focus/confevent.h"
#include "focus/ctlsock.h"
#include "focus/epmedia.h"
#include "focus/role.h"
#include "focus/tree.h"
#include "clock.h"
#include "log.h"

static const struct {
	const char *name;
	enum log_level level;
} namev[CHANGE_MAX] = {
	[CHANGE_CONF_CREATED] = { "conf_created", LOG_LV_INFO  },
	[CHANGE_CONF_ENDED]   = { "conf_ended",   LOG_LV_INFO  },
	[CHANGE_JOINED]       = { "join",         LOG_LV_INFO  },
	[CHANGE_LEFT]         = { "leave",        LOG_LV_INFO  },
	[CHANGE_HELD]         = { "hold",         LOG_LV_INFO  },
	[CHANGE_RESUMED]      = { "resume",       LOG_LV_INFO  },
	[CHANGE_JOIN_FAILED]  = { "join_failed",  LOG_LV_INFO  },
	[CHANGE_JOINING]      = { "joining",      LOG_LV_INFO  },
	[CHANGE_DIALING]      = { "dial",         LOG_LV_INFO  },
	[CHANGE_ALERTING]     = { "ring",         LOG_LV_INFO  },
	[CHANGE_LOCKED]       = { "lock",         LOG_LV_INFO  },
	[CHANGE_UNLOCKED]     = { "unlock",       LOG_LV_INFO  },
	[CHANGE_MEDIA]        = { "media",        LOG_LV_DEBUG },
	[CHANGE_SOURCE]       = { "source",       LOG_LV_DEBUG },
	[CHANGE_FLOOR_TAKEN]  = { "floor_taken",  LOG_LV_INFO  },
	[CHANGE_FLOOR_GIVEN]  = { "floor_given",  LOG_LV_INFO  },
	[CHANGE_FLOOR_MUTED]  = { "floor_muted",  LOG_LV_DEBUG },
	[CHANGE_FLOOR_HEARD]  = { "floor_heard",  LOG_LV_DEBUG },
	[CHANGE_MUTED]        = { "mute",         LOG_LV_INFO  },
	[CHANGE_UNMUTED]      = { "unmute",       LOG_LV_INFO  },
	[CHANGE_ROLE]         = { "role",         LOG_LV_INFO  },
};


const char *change_name(enum change ch)
{
	return namev[ch].name;
}


static void log_endpoint(enum change ch, const struct conference *c,
			 const struct endpoint *ep, const char *reason)
{
	const struct codec *codec = codec_by_id(ep->neg.codec);
	const struct suite *suite = ep->neg.sdes.suite;
	const struct gepoch *ge = epmedia_epoch(ep);
	char kid[KID_STRLEN];

	/* a kid costs more than all the rest */
	if (namev[ch].level > log_get_level())
		return;

	log_at(namev[ch].level, "ev=%s conf=%s part=%u leg=%llu identity=%s"
	       " role=%s codec=%s suite=%s epoch=%u kid=%s%s%s", namev[ch].name,
	       c->label, ep->part->id, (unsigned long long)ep->leg,
	       ep->part->identity, role_name(ep->part->role),
	       codec ? codec->name : "-", suite ? suite->name : "-",
	       ge ? ge->no : 0, secret_kid(epmedia_key(ep), kid),
	       reason ? " reason=" : "", reason ? reason : "");
}


static void log_conference(enum change ch, const struct conference *c,
			   const char *reason)
{
	log_at(namev[ch].level, "ev=%s conf=%s uri=%s owner=%s keying=%s%s%s",
	       namev[ch].name, c->label, c->uri, c->owner,
	       cfg_keying_name(c->cc->keying),
	       reason ? " reason=" : "", reason ? reason : "");
}


/** One line of "conclavectl watch" */
static json_t *change_json(enum change ch, const struct conference *c,
			   const struct endpoint *ep, const char *reason)
{
	const struct suite *suite = ep ? ep->neg.sdes.suite : NULL;
	const struct gepoch *ge = ep ? epmedia_epoch(ep) : NULL;
	json_t *o;

	o = json_pack("{s:s, s:I, s:s, s:s}", "ev", namev[ch].name,
		      "time_ms", (json_int_t)clock_wall_ms(),
		      "conf", c->label, "uri", c->uri);
	if (ep)
		(void)json_object_update_new(o,
			json_pack("{s:i, s:s, s:s, s:I, s:s, s:b, s:s, s:s, s:i}",
				  "part", (int)ep->part->id,
				  "identity", ep->part->identity,
				  "role", role_name(ep->part->role),
				  "leg", (json_int_t)ep->leg,
				  "state", endpoint_state_name(ep->state),
				  "muted", (int)endpoint_muted(ep),
				  "suite", suite ? suite->name : "-",
				  "keying", ge ? "group" : "endpoint",
				  "epoch", ge ? (int)ge->no : 0));
	if (reason)
		(void)json_object_set_new(o, "reason", json_string(reason));

	return o;
}


void change_feed(enum change ch, const struct conference *c,
		 const struct endpoint *ep, const char *reason)
{
	struct focus *f = c->focus;

	++f->changev[ch];
	if (ep)
		log_endpoint(ch, c, ep, reason);
	else
		log_conference(ch, c, reason);
	if (ctlsock_stream_count(f->ctl))
		ctlsock_publish(f->ctl, c->label,
				change_json(ch, c, ep, reason));
	confevent_change(ch, c, ep, reason);
}
