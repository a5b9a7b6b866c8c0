/**
 * @file focus/ctlcmd.c  What an operator can ask of a running focus
 *
 * The commands behind conclavectl.  Figures about media come from the mixers,
 * so "show" and "stats" are answered when the mixers have replied.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "focus/ctlask.h"
#include "focus/ctlfloor.h"
#include "focus/ctlpart.h"
#include "focus/ctlreg.h"
#include "focus/ctlsock.h"
#include "focus/ctlstats.h"
#include "focus/dialout.h"
#include "focus/epmedia.h"
#include "focus/ident.h"
#include "focus/role.h"
#include "focus/tree.h"
#include "log.h"


static uint64_t age_s(uint64_t since)
{
	return (tmr_jiffies() - since) / 1000;
}


static json_t *jint(uint64_t v)
{
	return json_integer((json_int_t)v);
}


static json_t *jaddr(const struct sa *sa)
{
	char buf[64] = "-";

	if (sa_isset(sa, SA_ADDR))
		(void)re_snprintf(buf, sizeof(buf), "%J", sa);

	return json_string(buf);
}


/* ---- list ---------------------------------------------------------------- */

static json_t *conf_head(const struct conference *c)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:I, s:i, s:b}",
			 "conf", c->label, "uri", c->uri,
			 "title", c->cc->title, "owner", c->owner,
			 "participants", (int)list_count(&c->partl),
			 "keying", cfg_keying_name(c->cc->keying),
			 "age_s", (json_int_t)age_s(c->started),
			 "mixer", (int)mixproc_index(c->mix),
			 "locked", (int)c->locked);
}


static int cmd_list(json_t *args, json_t **resp, void *arg)
{
	const struct focus *f = arg;
	json_t *v = json_array();
	struct le *le;
	(void)args;

	for (le = list_head(&f->confl); le; le = le->next)
		(void)json_array_append_new(v, conf_head(le->data));

	*resp = json_pack("{s:o}", "conferences", v);

	return 0;
}


/* ---- show ---------------------------------------------------------------- */

/** As the participant sees it */
static const char *peer_direction(enum sdp_dir dir)
{
	switch (dir) {

	case SDP_SENDRECV: return "sendrecv";
	case SDP_SENDONLY: return "recvonly";
	case SDP_RECVONLY: return "sendonly";
	default:           return "inactive";
	}
}


static const char *const proofv[] = {
	[PROOF_DIGEST]      = "digest",
	[PROOF_CERTIFICATE] = "certificate",
	[PROOF_CALLED]      = "called",
	[PROOF_ASSERTED]    = "asserted",
	[PROOF_NONE]        = "none",
};


static json_t *leg_json(const struct endpoint *ep)
{
	const struct codec *codec = codec_by_id(ep->neg.codec);
	const struct suite *suite = ep->neg.sdes.suite;
	const struct gepoch *ge = epmedia_epoch(ep);
	char id[20];

	(void)re_snprintf(id, sizeof(id), "%016llx",
			  (unsigned long long)ep->pub_id);

	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:i, s:b, s:o, s:I, s:s,"
			 " s:b, s:I, s:s, s:s, s:b, s:b}",
			 "leg", (json_int_t)ep->leg,
			 "endpoint", id,
			 "state", endpoint_state_name(ep->state),
			 "codec", codec ? codec->name : "-",
			 "suite", suite ? suite->name : "-",
			 "keying", ge ? "group" : "endpoint",
			 "epoch", ge ? (int)ge->no : 0,
			 "mki", (int)(ep->neg.mki_len > 0),
			 "remote", jaddr(&ep->remote),
			 "age_s", (json_int_t)age_s(ep->started),
			 "user_agent", ep->user_agent,
			 "speaking", (int)ep->speaking,
			 "ssrc", (json_int_t)ep->ssrc,
			 "media", peer_direction(endpoint_dir(ep)),
			 "proof", proofv[ep->proof],
			 "floor", (int)ep->holds_floor,
			 "muted", (int)endpoint_muted(ep));
}


static void add_stats(json_t *leg, const Mp__Stats *st, uint64_t id)
{
	for (size_t i = 0; st && i < st->n_leg; i++) {
		const Mp__LegStats *ls = st->leg[i];

		if (ls->leg != id)
			continue;

		(void)json_object_set_new(leg, "rx_packets",
					  jint(ls->rx_packets));
		(void)json_object_set_new(leg, "rx_lost", jint(ls->rx_lost));
		(void)json_object_set_new(leg, "auth_failed",
					  jint(ls->auth_failed));
		(void)json_object_set_new(leg, "replayed",
					  jint(ls->replayed));
		(void)json_object_set_new(leg, "tx_packets",
					  jint(ls->tx_packets));
		(void)json_object_set_new(leg, "jitter_ms",
					  jint(ls->jitter_ms));
		(void)json_object_set_new(leg, "buffer_ms",
					  jint(ls->buffer_ms));
		(void)json_object_set_new(leg, "level_dbov",
					  json_integer(ls->level_dbov));
		return;
	}
}


/** Of the key that it hears under; a clock that was set back makes no secret */
static void add_key_age(json_t *leg, const struct endpoint *ep)
{
	const time_t since = epmedia_key_since(ep), now = time(NULL);

	if (since)
		(void)json_object_set_new(leg, "key_age_s",
					  jint(now > since ? (uint64_t)(now - since) : 0));
}


static json_t *part_json(const struct part *p, const Mp__Stats *st)
{
	json_t *legv = json_array();
	struct le *le;

	for (le = list_head(&p->endpointl); le; le = le->next) {
		const struct endpoint *ep = le->data;
		json_t *leg = leg_json(ep);

		add_key_age(leg, ep);
		add_stats(leg, st, ep->leg);
		(void)json_array_append_new(legv, leg);
	}

	return json_pack("{s:i, s:s, s:s*, s:s, s:b, s:o}", "part", (int)p->id,
			 "identity", p->identity, "shown_as",
			 p->anonymous ? part_public_uri(p) : NULL,
			 "role", role_name(p->role), "muted", (int)p->muted,
			 "legs", legv);
}


static void show_reply(const Mp__Reply *r, void *arg)
{
	struct ctlask *a = arg;
	const struct conference *c = conference_by_id(a->focus, a->conf);
	json_t *resp, *partv;
	struct le *le;

	if (!c) {
		ctlask_answer(a, ENOENT, json_string("conference has ended"));
		return;
	}

	resp = conf_head(c);
	partv = json_array();
	for (le = list_head(&c->partl); le; le = le->next)
		(void)json_array_append_new(partv,
			part_json(le->data, r ? r->stats : NULL));
	(void)json_object_set_new(resp, "participants", partv);
	ctlask_answer(a, 0, resp);
}


/** The conference a command names; NULL: *resp says why */
static struct conference *named_conf(struct focus *f, json_t *args,
				     json_t **resp)
{
	const char *name = json_string_value(json_object_get(args, "conf"));
	struct conference *c = name ? conference_by_label(f, name) : NULL;

	if (!c)
		*resp = json_string(name ? "no such conference"
					 : "which conference?");

	return c;
}


static int cmd_show(json_t *args, json_t **resp, void *arg)
{
	struct focus *f = arg;
	struct conference *c = named_conf(f, args, resp);
	struct ctlask *a;
	int err;

	if (!c)
		return ENOENT;

	err = ctlask_new(&a, f);
	if (err)
		return err;

	a->conf = c->id;
	err = ctlask_mixer(c->mix, c->id, show_reply, a);
	if (err) {
		mem_deref(a);
		return err;
	}

	return EINPROGRESS;
}


/* ---- watch --------------------------------------------------------------- */

/** The change feed from now on: of one conference, which may end, or of all */
static int cmd_watch(json_t *args, json_t **resp, void *arg)
{
	struct focus *f = arg;
	const struct conference *c = NULL;
	int err;

	if (json_object_get(args, "conf")) {
		c = named_conf(f, args, resp);
		if (!c)
			return ENOENT;
	}

	err = ctlsock_stream(f->ctl, c ? c->label : NULL);
	if (err == EBUSY)
		*resp = json_string("too many are watching");

	return err;
}


/* ---- participants, end, log ------------------------------------------------------ */

static int cmd_kick(json_t *args, json_t **resp, void *arg)
{
	struct conference *c = named_conf(arg, args, resp);

	return c ? ctlpart_kick(c, args, resp) : ENOENT;
}


static int cmd_mute(json_t *args, json_t **resp, void *arg)
{
	struct conference *c = named_conf(arg, args, resp);

	return c ? ctlpart_mute(c, args, resp) : ENOENT;
}


static int cmd_unmute(json_t *args, json_t **resp, void *arg)
{
	struct conference *c = named_conf(arg, args, resp);

	return c ? ctlpart_unmute(c, args, resp) : ENOENT;
}


static int cmd_role(json_t *args, json_t **resp, void *arg)
{
	struct conference *c = named_conf(arg, args, resp);

	return c ? ctlpart_role(c, args, resp) : ENOENT;
}


static int cmd_end(json_t *args, json_t **resp, void *arg)
{
	struct conference *c = named_conf(arg, args, resp);
	int err = c ? ctlpart_may(c, args, RIGHT_END, NULL, resp) : ENOENT;

	if (err)
		return err;

	conference_end(c, 200, json_object_get(args, "as")
		       ? "Ended by its owner" : "Ended by the operator");

	return 0;
}


static int lock(json_t *args, json_t **resp, struct focus *f, bool locked)
{
	char buf[IDENT_MAX];
	struct conference *c = named_conf(f, args, resp);
	int err = c ? ctlpart_may(c, args, RIGHT_LOCK, NULL, resp) : ENOENT;

	if (err)
		return err;

	conference_lock(c, locked, ctlpart_who(args, buf, sizeof(buf), resp));

	return 0;
}


static int cmd_lock(json_t *args, json_t **resp, void *arg)
{
	return lock(args, resp, arg, true);
}


static int cmd_unlock(json_t *args, json_t **resp, void *arg)
{
	return lock(args, resp, arg, false);
}


/** Legs on keys of their own are not in it: nobody else knows those */
static int cmd_rekey(json_t *args, json_t **resp, void *arg)
{
	struct conference *c = named_conf(arg, args, resp);
	unsigned members = 0;

	if (!c)
		return ENOENT;
	if (ctlpart_as_none(args, resp))
		return EACCES;

	if (gclass_rekey(c, &members)) {
		*resp = json_string("no key");
		return EIO;
	}
	log_info("ev=rekey conf=%s by=operator members=%u", c->label, members);
	*resp = json_pack("{s:i}", "members", (int)members);

	return 0;
}


/** The call goes on by itself; "show" tells how far it is, the log what came */
static int cmd_invite(json_t *args, json_t **resp, void *arg)
{
	struct focus *f = arg;
	struct conference *c = named_conf(f, args, resp);
	const char *uri = json_string_value(json_object_get(args, "uri"));
	struct dialout d = { .h = NULL };
	const char *reason;
	int err;

	if (!c)
		return ENOENT;
	if (!uri) {
		*resp = json_string("which URI?");
		return EINVAL;
	}
	err = ctlpart_may(c, args, RIGHT_INVITE, NULL, resp);
	if (err)
		return err;

	pl_set_str(&d.target, uri);
	err = dialout(c, &d);
	if (err) {
		(void)dialout_status(err, &reason);
		*resp = json_string(err == EACCES
				    ? "not among those whom it may invite"
				    : reason);
	}

	return err;
}


static int cmd_floor(json_t *args, json_t **resp, void *arg)
{
	struct conference *c = named_conf(arg, args, resp);

	return c ? ctlfloor(c, args, resp) : ENOENT;
}


static int cmd_log(json_t *args, json_t **resp, void *arg)
{
	struct focus *f = arg;
	const char *name = json_string_value(json_object_get(args, "level"));
	Mp__Message msg = MP__MESSAGE__INIT;
	Mp__SetLog sl = MP__SET_LOG__INIT;
	enum log_level level;

	if (ctlpart_as_none(args, resp))
		return EACCES;
	if (!name || log_level_parse(name, &level)) {
		*resp = json_string("level is error, warn, info or debug");
		return EINVAL;
	}

	log_set_level(level);
	sl.log_level = level;
	msg.body_case = MP__MESSAGE__BODY_SET_LOG;
	msg.set_log = &sl;
	for (unsigned i = 0; i < f->mixc; i++)
		(void)mixproc_send(f->mixv[i], &msg, NULL, NULL);

	return 0;
}


static int cmd_reload(json_t *args, json_t **resp, void *arg)
{
	struct focus *f = arg;
	char reason[512];
	int err;

	if (ctlpart_as_none(args, resp))
		return EACCES;
	if (!f->reloadh)
		return ENOSYS;

	err = f->reloadh(reason, sizeof(reason), f->reload_arg);
	if (err)
		*resp = json_string(reason);

	return err;
}


static const struct ctl_cmd cmdv[] = {
	{ "list",  cmd_list,  "all conferences"                           },
	{ "show",  cmd_show,  "one conference: conf"                      },
	{ "watch", cmd_watch, "changes as they happen: conf (optional)"   },
	{ "floor", cmd_floor, "floor of a conference: conf, action, part" },
	{ "kick",  cmd_kick,  "remove a participant: conf, part"          },
	{ "mute",  cmd_mute,  "mix somebody in no more: conf, part"       },
	{ "unmute", cmd_unmute, "mix somebody in again: conf, part"       },
	{ "role",  cmd_role,  "give somebody a role: conf, part, role"    },
	{ "end",   cmd_end,   "end a conference: conf"                    },
	{ "invite", cmd_invite, "call somebody: conf, uri"                },
	{ "lock",  cmd_lock,  "let nobody join: conf"                     },
	{ "unlock", cmd_unlock, "let people join again: conf"             },
	{ "rekey", cmd_rekey, "new group keys now: conf"                  },
	{ "registrations", ctlcmd_registrations, "who is registered"      },
	{ "stats", ctlcmd_stats, "counters of focus and mixers"              },
	{ "log",   cmd_log,   "log level: level"                          },
	{ "reload", cmd_reload, "read the configuration again"            },
};


int ctlcmd_open(struct focus *f)
{
	int err;

	err = ctlsock_alloc(&f->ctl, f->cfg->control_socket, cmdv,
			    ARRAY_SIZE(cmdv), f);
	if (err)
		log_error("ev=control_failed path=%s reason=\"%s\"",
			  f->cfg->control_socket, strerror(err));

	return err;
}
