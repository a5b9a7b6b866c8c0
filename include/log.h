/**
 * @file log.h  One event, one line
 *
 * Every line is "LEVEL ev=NAME key=value ...", greppable by
 * conf= part= leg= ev= reason=; on stderr after "TIME PROG " (UTC, ISO 8601,
 * milliseconds), in syslog as it is.  Values that come from the network are
 * escaped by the logger (control characters and non-ASCII become \xHH), so
 * one event is always exactly one line.  A blank in such a value is not
 * escaped: put it last in the line.  A line that is too long ends in "...".
 * Key material is never logged; a key is named by its kid (see secret.h).
 *
 * Ownership:  process-wide, set up once in main() before the loop starts
 * Threads:    single-threaded
 */
#ifndef CONCLAVE_LOG_H
#define CONCLAVE_LOG_H

#include <stdarg.h>
#include <stdbool.h>

enum log_level {
	LOG_LV_ERROR = 0,
	LOG_LV_WARN,
	LOG_LV_INFO,
	LOG_LV_DEBUG,
};

/**
 * Start logging
 *
 * @param prog       Program name, put before every line
 * @param to_syslog  true: syslog(3), facility daemon; false: stderr
 * @param level      Highest level that is written
 */
void log_init(const char *prog, bool to_syslog, enum log_level level);

/** Change the level at run time (SIGUSR1/SIGUSR2, conclavectl log LEVEL) */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/** Level by name ("error", "warn", "info", "debug"); 0 or EINVAL */
int log_level_parse(const char *name, enum log_level *levelp);
const char *log_level_name(enum log_level level);

/** printf-style; fmt must be a literal "ev=... conf=%s ..." */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** The same at a level that comes from a table */
void log_at(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** A budget for lines of one kind that a stranger can cause */
struct log_limit {
	long     second;   /* the second this budget is for (monotonic)   */
	unsigned used;     /* lines written in that second                */
	unsigned dropped;  /* lines left out since the last one written   */
};

/**
 * May one more line of this kind be written now?  At most 10 per second; the
 * first line after a pause should carry @p droppedp ("left_out=N").
 */
bool log_limit_ok(struct log_limit *ll, unsigned *droppedp);

/** The same at a given second of the monotonic clock */
bool log_limit_ok_at(struct log_limit *ll, long second, unsigned *droppedp);

#endif
