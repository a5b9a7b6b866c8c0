/**
 * @file view.c  What list, show and stats look like to people
 */
#include "ctl.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

void ctl_view_list(FILE *f, const json_t *resp)
{
	static const struct col colv[] = {
		{ "CONF",         "conf",         COL_TEXT },
		{ "TITLE",        "title",        COL_TEXT },
		{ "OWNER",        "owner",        COL_TEXT },
		{ "PARTICIPANTS", "participants", COL_NUM  },
		{ "KEYING",       "keying",       COL_TEXT },
		{ "AGE",          "age_s",        COL_AGE  },
		{ "URI",          "uri",          COL_TEXT },
	};
	const json_t *rows = json_object_get(resp, "conferences");

	if (json_array_size(rows))
		ctl_table(f, colv, COUNT(colv), rows);
	else
		fprintf(f, "no conferences\n");
}

/* One row per leg, with what is known of its participant; caller owns it */
static json_t *leg_rows(const json_t *partv)
{
	static const char *const keyv[] = { "part", "identity", "shown_as", "role" };
	json_t *rows = json_array(), *part, *leg;
	size_t p, l;

	json_array_foreach(partv, p, part) {
		const json_t *legv = json_object_get(part, "legs");

		/* A participant without legs is still one */
		if (!json_array_size(legv))
			(void)json_array_append(rows, part);

		json_array_foreach(legv, l, leg) {
			json_t *row = json_copy(leg);

			for (size_t k = 0; k < COUNT(keyv); k++)
				(void)json_object_set(row, keyv[k], json_object_get(part, keyv[k]));
			(void)json_array_append_new(rows, row);
		}
	}

	return rows;
}

void ctl_view_show(FILE *f, const json_t *resp)
{
	static const struct col headv[] = {
		{ "conference", "conf",   COL_TEXT },
		{ "title",      "title",  COL_TEXT },
		{ "uri",        "uri",    COL_TEXT },
		{ "owner",      "owner",  COL_TEXT },
		{ "keying",     "keying", COL_TEXT },
		{ "mixer",      "mixer",  COL_NUM  },
		{ "age",        "age_s",  COL_AGE  },
	};
	static const struct col whov[] = {
		{ "PART",       "part",       COL_NUM  },
		{ "IDENTITY",   "identity",   COL_TEXT },
		{ "ROLE",       "role",       COL_TEXT },
		{ "LEG",        "leg",        COL_NUM  },
		{ "STATE",      "state",      COL_TEXT },
		{ "KEYING",     "keying",     COL_TEXT },
		{ "EPOCH",      "epoch",      COL_NUM  },
		{ "KEY-AGE",    "key_age_s",  COL_AGE  },
		{ "MKI",        "mki",        COL_BOOL },
		{ "SUITE",      "suite",      COL_TEXT },
		{ "CODEC",      "codec",      COL_TEXT },
		{ "AGE",        "age_s",      COL_AGE  },
		{ "SHOWN-AS",   "shown_as",   COL_TEXT },
		{ "USER-AGENT", "user_agent", COL_TEXT },
	};
	static const struct col mediav[] = {
		{ "LEG",        "leg",         COL_NUM  },
		{ "REMOTE",     "remote",      COL_TEXT },
		{ "RECEIVED",   "rx_packets",  COL_NUM  },
		{ "LOST",       "rx_lost",     COL_NUM  },
		{ "NOT-AUTH",   "auth_failed", COL_NUM  },
		{ "SENT",       "tx_packets",  COL_NUM  },
		{ "JITTER-MS",  "jitter_ms",   COL_NUM  },
		{ "LEVEL-DBOV", "level_dbov",  COL_NUM  },
		{ "SPEAKS",     "speaking",    COL_BOOL },
		{ "FLOOR",      "floor",       COL_BOOL },
		{ "MUTED",      "muted",       COL_BOOL },
	};
	json_t *rows = leg_rows(json_object_get(resp, "participants"));

	ctl_record(f, headv, COUNT(headv), resp);
	fprintf(f, "\n");
	ctl_table(f, whov, COUNT(whov), rows);
	fprintf(f, "\n");
	ctl_table(f, mediav, COUNT(mediav), rows);
	json_decref(rows);
}

void ctl_view_registrations(FILE *f, const json_t *resp)
{
	static const struct col colv[] = {
		{ "USER",       "user",       COL_TEXT },
		{ "EXPIRES",    "expires_s",  COL_AGE  },
		{ "CONNECTION", "connection", COL_TEXT },
		{ "OUTBOUND",   "outbound",   COL_BOOL },
		{ "CONTACT",    "contact",    COL_TEXT },
		{ "USER-AGENT", "user_agent", COL_TEXT },
	};
	const json_t *rows = json_object_get(resp, "registrations");

	if (!json_is_true(json_object_get(resp, "registrar")))
		fprintf(f, "the registrar is off\n");
	else if (json_array_size(rows))
		ctl_table(f, colv, COUNT(colv), rows);
	else
		fprintf(f, "no registrations\n");
}

/* {"401":2,"403":1} as rows */
static json_t *refused_rows(json_t *refused)
{
	json_t *rows = json_array(), *n;
	const char *status;

	json_object_foreach(refused, status, n)
		(void)json_array_append_new(rows, json_pack("{s:s, s:O}", "status", status, "n", n));

	return rows;
}

void ctl_view_stats(FILE *f, const json_t *resp)
{
	static const struct col headv[] = {
		{ "uptime",        "uptime_s",    COL_AGE },
		{ "conferences",   "conferences", COL_NUM },
		{ "calls",         "calls",       COL_NUM },
		{ "calls total",   "calls_total", COL_NUM },
		{ "subscriptions", "subscriptions", COL_NUM },
		{ "registrations", "registrations", COL_NUM },
		{ "connections",   "connections", COL_NUM },
		{ "strangers",     "strangers",   COL_NUM },
		{ "no descriptor", "no_descriptor_total", COL_NUM },
		{ "timers",        "timers",      COL_NUM },
		{ "memory KiB",    "rss_kib",     COL_NUM },
		{ "heap bytes",    "heap",        COL_NUM },
		{ "descriptors",   "fds",         COL_NUM },
		{ "secrets alive", "secrets",     COL_NUM },
	};
	static const struct col refusedv[] = {
		{ "REFUSED", "status", COL_NUM },
		{ "TIMES",   "n",      COL_NUM },
	};
	static const struct col mixerv[] = {
		{ "MIXER",       "index",    COL_NUM },
		{ "PID",         "pid",      COL_NUM },
		{ "CONFERENCES", "confs",    COL_NUM },
		{ "LEGS",        "legs",     COL_NUM },
		{ "PORTS",       "ports",    COL_NUM },
		{ "CLASSES",     "classes",  COL_NUM },
		{ "GROUP-KEYS",  "group_keys", COL_NUM },
		{ "TIMERS",      "timers",   COL_NUM },
		{ "MEMORY-KIB",  "rss_kib",  COL_NUM },
		{ "HEAP",        "heap",     COL_NUM },
		{ "CPU-US",      "cpu_us",   COL_NUM },
		{ "DESCRIPTORS", "fds",      COL_NUM },
		{ "SECRETS",     "secrets",  COL_NUM },
		{ "RESTARTS",    "restarts", COL_NUM },
	};
	json_t *rows = refused_rows(json_object_get(resp, "refused_total"));

	ctl_record(f, headv, COUNT(headv), resp);
	if (json_array_size(rows)) {
		fprintf(f, "\n");
		ctl_table(f, refusedv, COUNT(refusedv), rows);
	}
	fprintf(f, "\n");
	ctl_table(f, mixerv, COUNT(mixerv), json_object_get(resp, "mixers"));
	json_decref(rows);
}

/* Users by number, to say whose request it is */
static const char *identity_of(const json_t *userv, json_int_t user)
{
	json_t *u;
	size_t i;

	json_array_foreach(userv, i, u) {
		if (json_integer_value(json_object_get(u, "user")) == user)
			return json_string_value(json_object_get(u, "identity"));
	}

	return NULL;
}

void ctl_view_floor(FILE *f, const json_t *resp)
{
	static const struct col reqv[] = {
		{ "REQUEST",  "request",  COL_NUM  },
		{ "STATUS",   "status",   COL_TEXT },
		{ "POSITION", "position", COL_NUM  },
		{ "PRIORITY", "priority", COL_NUM  },
		{ "USER",     "user",     COL_NUM  },
		{ "IDENTITY", "identity", COL_TEXT },
		{ "INFO",     "info",     COL_TEXT },
	};
	static const struct col userv[] = {
		{ "USER",     "user",     COL_NUM  },
		{ "PART",     "part",     COL_NUM  },
		{ "IDENTITY", "identity", COL_TEXT },
		{ "CHAIR",    "chair",    COL_BOOL },
		{ "BFCP",     "bfcp",     COL_BOOL },
		{ "HOLDS",    "holds",    COL_BOOL },
		{ "MUTED",    "muted",    COL_BOOL },
	};
	const json_t *users = json_object_get(resp, "users");
	json_t *rows = json_object_get(resp, "requests"), *r;
	size_t i;

	/* After grant, deny or revoke there is nothing to show */
	if (!users)
		return;

	json_array_foreach(rows, i, r) {
		const char *who = identity_of(users, json_integer_value(json_object_get(r, "user")));

		if (who)
			(void)json_object_set_new(r, "identity", json_string(who));
	}
	if (json_array_size(rows))
		ctl_table(f, reqv, COUNT(reqv), rows);
	else
		fprintf(f, "nobody holds the floor or waits for it\n");
	fputc('\n', f);
	ctl_table(f, userv, COUNT(userv), users);
}
