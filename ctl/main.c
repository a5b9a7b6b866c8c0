/**
 * @file ctl/main.c  conclavectl: look at a running server and act on it
 */
#include "config.h"
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "ctlpath.h"
#include "ctl.h"

/** One word an operator can say */
struct verb {
	const char *name;
	const char *keyv[3];                        /* names of its arguments */
	int required;                               /* how many must be there */
	void (*view)(FILE *f, const json_t *resp);  /* NULL: nothing to show  */
	const char *usage;
	const char *help;
};

static const struct verb verbv[] = {
	{ "list",  { NULL },           0, ctl_view_list,  "list",           "all conferences" },
	{ "show",  { "conf" },         1, ctl_view_show,  "show CONF",      "one conference with its participants" },
	{ "watch", { "conf" },         0, NULL,           "watch [CONF]",   "changes as they happen, as JSON" },
	{ "kick",  { "conf", "part" }, 2, NULL,           "kick CONF PART", "remove a participant (number or identity)" },
	{ "mute",  { "conf", "part" }, 2, NULL,           "mute CONF PART", "let a participant be heard no more" },
	{ "unmute", { "conf", "part" }, 2, NULL,          "unmute CONF PART", "let it be heard again" },
	{ "role",  { "conf", "part", "role" }, 3, NULL,   "role CONF PART ROLE", "make it owner, chair, member or listener" },
	{ "end",   { "conf" },         1, NULL,           "end CONF",       "end a conference" },
	{ "floor", { "conf", "action", "part" }, 1, ctl_view_floor, "floor CONF [ACTION [PART]]", "its floor: list, grant, deny or revoke" },
	{ "invite", { "conf", "uri" }, 2, NULL,           "invite CONF URI", "call somebody into a conference" },
	{ "lock",  { "conf" },         1, NULL,           "lock CONF",      "let nobody but its owner join" },
	{ "unlock", { "conf" },        1, NULL,           "unlock CONF",    "let people join again" },
	{ "rekey", { "conf" },         1, NULL,           "rekey CONF",     "draw new group keys now" },
	{ "registrations", { NULL },   0, ctl_view_registrations, "registrations", "phones that are registered" },
	{ "stats", { NULL },           0, ctl_view_stats, "stats",          "counters of the server and its mixers" },
	{ "reload", { NULL },          0, NULL,           "reload",         "read the configuration again" },
	{ "log",   { "level" },        1, NULL,           "log LEVEL",      "set the log level: error, warn, info, debug" },
};

enum { VERBS = sizeof(verbv) / sizeof(verbv[0]), ARGS_MAX = 3 };

static void print_usage(FILE *f)
{
	fprintf(f, "usage: conclavectl [-s PATH] [-j] [-a WHO] COMMAND [ARGUMENT...]\n\n");
	for (size_t i = 0; i < VERBS; i++)
		fprintf(f, "  %-27s %s\n", verbv[i].usage, verbv[i].help);
	fprintf(f, "  %-27s %s\n\n", "help", "this text");
	fprintf(f, "  -s, --socket PATH  control socket (default: $CONCLAVE_SOCKET, then %s)\n"
		   "  -j, --json         print the reply as JSON\n"
		   "  -a, --as WHO       with the rights of this participant\n"
		   "  -V, --version      version\n", CTL_SOCKET_PATH);
}

static int usage_error(const char *what, const char *word)
{
	fprintf(stderr, "conclavectl: %s%s%s\n\n", what, word ? ": " : "", word ? word : "");
	print_usage(stderr);

	return CTL_USAGE;
}

/* A participant is named by its number or by its identity */
static json_t *arg_json(const char *key, const char *text)
{
	const size_t digits = strspn(text, "0123456789");

	if (0 == strcmp(key, "part") && digits && digits < 10 && !text[digits])
		return json_integer(atol(text));

	return json_string(text);
}

/* The request for a verb; NULL: wrong arguments */
static json_t *request(const struct verb *verb, int argc, char *const argv[])
{
	json_t *req = json_pack("{s:s}", "cmd", verb->name);
	int i;

	for (i = 0; i < ARGS_MAX && verb->keyv[i] && i < argc; i++) {
		/* Fails for what is not UTF-8 */
		if (json_object_set_new(req, verb->keyv[i], arg_json(verb->keyv[i], argv[i])))
			break;
	}

	if (i != argc || i < verb->required) {
		json_decref(req);
		return NULL;
	}

	return req;
}

static enum ctl_exit print_reply(const struct verb *verb, const json_t *resp, bool raw)
{
	const bool ok = json_is_true(json_object_get(resp, "ok"));
	const char *error = json_string_value(json_object_get(resp, "error"));

	if (raw) {
		/* ASCII: a terminal finds no command in it */
		(void)json_dumpf(resp, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
		(void)putchar('\n');
	}
	else if (ok && verb->view) {
		verb->view(stdout, resp);
	}

	if (!ok)
		fprintf(stderr, "conclavectl: %s: %s\n", verb->name, error ? error : "refused");
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "conclavectl: stdout: %s\n", strerror(errno));
		return CTL_UNREACHABLE;
	}

	return ok ? CTL_OK : CTL_REFUSED;
}

static int run(const char *path, const char *as, bool raw, int argc, char *const argv[])
{
	const struct verb *verb = NULL;
	json_t *req, *resp = NULL;
	enum ctl_exit status;

	for (size_t i = 0; i < VERBS && !verb; i++) {
		if (0 == strcmp(argv[0], verbv[i].name))
			verb = &verbv[i];
	}
	if (!verb)
		return usage_error("unknown command", argv[0]);

	req = request(verb, argc - 1, argv + 1);
	if (!req)
		return usage_error("wrong arguments, expected", verb->usage);

	/* fails for what is not UTF-8, and must not be left out then */
	if (as && json_object_set_new(req, "as", json_string(as))) {
		json_decref(req);
		return usage_error("not an identity", as);
	}
	if (0 == strcmp(verb->name, "watch"))
		status = ctl_watch(path, req);
	else
		status = ctl_ask(path, req, &resp);
	if (status == CTL_OK && resp)
		status = print_reply(verb, resp, raw);
	json_decref(req);
	json_decref(resp);

	return (int)status;
}

int main(int argc, char *argv[])
{
	static const struct option longv[] = {
		{ "socket",  required_argument, NULL, 's' },
		{ "json",    no_argument,       NULL, 'j' },
		{ "as",      required_argument, NULL, 'a' },
		{ "help",    no_argument,       NULL, 'h' },
		{ "version", no_argument,       NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const char *path = getenv("CONCLAVE_SOCKET"), *as = NULL;
	bool raw = false;
	int c;

	if (!path || !path[0])
		path = CTL_SOCKET_PATH;

	while ((c = getopt_long(argc, argv, "s:ja:hV", longv, NULL)) != -1) {
		switch (c) {
		case 's': path = optarg; break;
		case 'j': raw = true; break;
		case 'a': as = optarg; break;
		case 'h': print_usage(stdout); return CTL_OK;
		case 'V': printf("conclavectl %s\n", PACKAGE_VERSION); return CTL_OK;
		default:  print_usage(stderr); return CTL_USAGE;
		}
	}

	if (optind == argc)
		return usage_error("no command", NULL);
	if (0 == strcmp(argv[optind], "help")) {
		print_usage(stdout);
		return CTL_OK;
	}

	return run(path, as, raw, argc - optind, argv + optind);
}
