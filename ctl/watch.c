/**
 * @file watch.c  Follow the changes of a running server
 */
#define _GNU_SOURCE 1
#include "config.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "ctl.h"

/* One line in ASCII, so that a terminal finds no command in it */
static int print_line(const char *text, size_t len)
{
	json_error_t jerr;
	json_t *line = json_loadb(text, len, 0, &jerr);

	if (!line)
		return EBADMSG;

	(void)json_dumpf(line, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
	(void)putchar('\n');
	json_decref(line);

	/* Each at once: somebody may read it in a pipe */
	return fflush(stdout) ? errno : 0;
}

/* The reply to the request, before the first change */
static enum ctl_exit check_reply(const char *text, size_t len)
{
	json_error_t jerr;
	json_t *reply = json_loadb(text, len, 0, &jerr);
	const bool ok = json_is_true(json_object_get(reply, "ok"));
	const char *error = json_string_value(json_object_get(reply, "error"));

	if (!ok)
		fprintf(stderr, "conclavectl: watch: %s\n", error ? error : "refused");
	json_decref(reply);

	return ok ? CTL_OK : CTL_REFUSED;
}

static enum ctl_exit follow(FILE *f, const char *path)
{
	enum ctl_exit status = CTL_OK;
	bool replied = false;
	char *text = NULL;
	size_t size = 0;
	ssize_t n;
	int err = 0;

	while (status == CTL_OK && !err && (n = getline(&text, &size, f)) > 0) {
		if (replied)
			err = print_line(text, (size_t)n);
		else
			status = check_reply(text, (size_t)n);
		replied = true;
	}
	free(text);

	if (status == CTL_OK) {
		fprintf(stderr, "conclavectl: %s: %s\n", path,
			err ? strerror(err) : "the server has closed the connection");
		status = CTL_UNREACHABLE;
	}

	return status;
}

enum ctl_exit ctl_watch(const char *path, const json_t *req)
{
	static const struct timeval forever;
	const int fd = ctl_dial(path);
	enum ctl_exit status;
	FILE *f;

	if (fd < 0)
		return CTL_UNREACHABLE;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever));
	f = fdopen(fd, "r");
	if (!f || ctl_send(fd, req)) {
		fprintf(stderr, "conclavectl: %s: %s\n", path, strerror(errno));
		status = CTL_UNREACHABLE;
	}
	else {
		status = follow(f, path);
	}

	if (f)
		(void)fclose(f);
	else
		(void)close(fd);

	return status;
}
