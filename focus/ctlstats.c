/**
 * @file focus/ctlstats.c  Counters of focus and mixers
 *
 * What is held now, and what has been counted since the start (..._total).
 * When all calls are gone, everything that is held is back at what it was
 * before the first.
 */
#include <string.h>
#include "focus/ctlask.h"
#include "focus/ctlsock.h"
#include "focus/ctlstats.h"
#include "focus/ident.h"
#include "focus/notifier.h"
#include "focus/registrar.h"
#include "focus/tlsid.h"
#include "fdspare.h"
#include "floorsrv.h"
#include "heapuse.h"
#include "procstat.h"
#include "strangers.h"


static json_t *jint(uint64_t v)
{
	return json_integer((json_int_t)v);
}


static void put(json_t *o, const char *name, uint64_t v)
{
	(void)json_object_set_new(o, name, jint(v));
}


static json_t *refused_json(const struct focus *f)
{
	json_t *o = json_object();
	char name[8];

	for (unsigned i = 0; i < SCODE_MAX; i++) {
		if (!f->refusedv[i])
			continue;
		(void)re_snprintf(name, sizeof(name), "%u", i);
		put(o, name, f->refusedv[i]);
	}

	return o;
}


static json_t *changes_json(const struct focus *f)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < CHANGE_MAX; i++)
		put(o, change_name((enum change)i), f->changev[i]);

	return o;
}


static json_t *floor_json(const struct focus *f)
{
	struct floorsrv_stats st;
	json_t *o = json_object();

	memset(&st, 0, sizeof(st));
	if (f->floorsrv)
		floorsrv_stats(f->floorsrv, &st);

	put(o, "conferences", st.confs);
	put(o, "users", st.parts);
	put(o, "connections", st.connections);
	put(o, "messages_total", st.messages);
	put(o, "errors_total", st.errors);
	put(o, "refused_total", st.refused);

	return o;
}


static json_t *focus_json(const struct focus *f)
{
	json_t *o = json_object();
	struct procstat ps;
	struct rc_counts c;

	procstat_open(&ps);
	rc_count(&c, f->sip);
	put(o, "uptime_s", (tmr_jiffies() - f->started) / 1000);
	put(o, "conferences", f->confc);
	put(o, "calls", f->endpointc);
	put(o, "calls_total", f->calls_total);
	put(o, "dialogs", dlgs_count(f->dlgs));
	put(o, "client_transactions", c.clients);
	put(o, "server_transactions", c.servers);
	put(o, "watching", ctlsock_stream_count(f->ctl));
	put(o, "subscriptions", notifiers_count(f->notifiers));
	put(o, "notifies_total", notifiers_sent(f->notifiers));
	put(o, "registrations", registrar_count(f->reg));
	put(o, "used_nonces", ident_remembered(f->ident));
	put(o, "referring", list_count(&f->referoutl));
	put(o, "connections", tlsid_connections());
	put(o, "sip_connections", c.connections);
	put(o, "strangers", strangers_count());
	put(o, "no_descriptor_total", fdspare_refused());
	put(o, "timers", c.timers);
	put(o, "rss_kib", procstat_rss_kib(&ps));
	put(o, "heap", heap_in_use());
	put(o, "fds", procstat_fds(&ps));
	put(o, "secrets", secret_count());
	put(o, "seen_keys", secret_seen_count());
	(void)json_object_set_new(o, "refused_total", refused_json(f));
	(void)json_object_set_new(o, "changes_total", changes_json(f));
	(void)json_object_set_new(o, "floor", floor_json(f));
	procstat_close(&ps);

	return o;
}


static json_t *mixer_json(const struct mixproc *mp, const Mp__Stats *st)
{
	json_t *o = json_object();

	put(o, "index", mixproc_index(mp));
	put(o, "pid", (uint64_t)mixproc_pid(mp));
	put(o, "restarts", mixproc_restarts(mp));
	if (!st)
		return o;

	put(o, "confs", st->confs);
	put(o, "legs", st->legs);
	put(o, "ports", st->ports);
	put(o, "classes", st->classes);
	put(o, "group_keys", st->group_keys);
	put(o, "timers", st->timers);
	put(o, "rss_kib", st->rss_kib);
	put(o, "heap", st->heap);
	put(o, "cpu_us", st->cpu_us);
	put(o, "fds", st->fds);
	put(o, "secrets", st->secrets);

	return o;
}


/** Each mixer is asked after the one before has answered */
static void stats_reply(const Mp__Reply *r, void *arg)
{
	struct ctlask *a = arg;
	size_t i = json_array_size(a->mixerv);

	(void)json_array_append_new(a->mixerv,
		mixer_json(a->focus->mixv[i], r ? r->stats : NULL));

	if (++i < a->focus->mixc) {
		if (ctlask_mixer(a->focus->mixv[i], 0, stats_reply, a))
			stats_reply(NULL, a);
		return;
	}

	ctlask_answer(a, 0, json_incref(a->resp));
}


int ctlcmd_stats(json_t *args, json_t **resp, void *arg)
{
	struct focus *f = arg;
	struct ctlask *a;
	int err;
	(void)args;
	(void)resp;

	err = ctlask_new(&a, f);
	if (err)
		return err;

	a->resp = focus_json(f);
	a->mixerv = json_array();
	(void)json_object_set_new(a->resp, "mixers", a->mixerv);
	if (ctlask_mixer(f->mixv[0], 0, stats_reply, a))
		stats_reply(NULL, a);

	return EINPROGRESS;
}
