/**
 * @file ctl.h  Parts of conclavectl
 *
 * Ownership:  json_t as in jansson: what a function returns through a pointer
 *             is the caller's, arguments are borrowed
 */
#ifndef CONCLAVE_CTL_H
#define CONCLAVE_CTL_H

#include <stdio.h>
#include <jansson.h>

enum ctl_exit {
	CTL_OK = 0,
	CTL_REFUSED = 1,        /* the server said no                         */
	CTL_USAGE = 2,
	CTL_UNREACHABLE = 3,    /* no server, or it speaks nonsense           */
};

/**
 * Ask the server one thing
 *
 * @param path   Its socket
 * @param req    Request, an object
 * @param respp  Out: the reply, an object
 *
 * @return CTL_OK or CTL_UNREACHABLE, which was explained on stderr
 */
enum ctl_exit ctl_ask(const char *path, const json_t *req, json_t **respp);

/**
 * Print changes, one line of JSON each, until the server goes
 *
 * @param req  "watch" request
 */
enum ctl_exit ctl_watch(const char *path, const json_t *req);

/** Connect; -1 if that fails, which was explained on stderr */
int ctl_dial(const char *path);

/** Send one line; -1 with errno set */
int ctl_send(int fd, const json_t *req);

enum col_kind {
	COL_TEXT,
	COL_NUM,
	COL_AGE,                /* seconds, as h:mm:ss                        */
	COL_BOOL,               /* yes or nothing                             */
};

struct col {
	const char *head;
	const char *key;
	enum col_kind kind;
};

/** Print an array of objects, one per line, columns aligned; "-" where a key is missing */
void ctl_table(FILE *f, const struct col *colv, size_t colc, const json_t *rows);

/** Print the values of one object, one per line */
void ctl_record(FILE *f, const struct col *colv, size_t colc, const json_t *obj);

/* What the replies look like to people */
void ctl_view_list(FILE *f, const json_t *resp);
void ctl_view_show(FILE *f, const json_t *resp);
void ctl_view_registrations(FILE *f, const json_t *resp);
void ctl_view_stats(FILE *f, const json_t *resp);
void ctl_view_floor(FILE *f, const json_t *resp);

#endif
