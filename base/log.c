/**
 * @file log.c  One event, one line
 *
 * A line leaves in a single write(2) of at most PIPE_BUF bytes, so lines of
 * the focus and of its mixers, which share stderr, never get mixed up.
 */
#include "config.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#include "log.h"

enum {
	TEXT_MAX = 2048,        /* one formatted event, before escaping [bytes] */
	LINE_SIZE = PIPE_BUF,   /* one whole line [bytes]                       */
	LINES_PER_SECOND = 10,  /* of one kind, see log_limit_ok()              */
};

static const char cut_mark[] = "...";

static const struct {
	const char *name;
	int prio;
} levelv[] = {
	[LOG_LV_ERROR] = { "error", LOG_ERR     },
	[LOG_LV_WARN]  = { "warn",  LOG_WARNING },
	[LOG_LV_INFO]  = { "info",  LOG_INFO    },
	[LOG_LV_DEBUG] = { "debug", LOG_DEBUG   },
};

static struct {
	char prog[32];
	bool to_syslog;
	enum log_level level;
} lg = { "conclave", false, LOG_LV_INFO };


void log_init(const char *prog, bool to_syslog, enum log_level level)
{
	(void)snprintf(lg.prog, sizeof(lg.prog), "%s", prog);
	lg.to_syslog = to_syslog;
	log_set_level(level);

	if (to_syslog)
		openlog(lg.prog, LOG_PID, LOG_DAEMON);
}


void log_set_level(enum log_level level)
{
	lg.level = level > LOG_LV_DEBUG ? LOG_LV_DEBUG : level;
}


enum log_level log_get_level(void)
{
	return lg.level;
}


int log_level_parse(const char *name, enum log_level *levelp)
{
	if (!name || !levelp)
		return EINVAL;

	for (size_t i = 0; i < sizeof(levelv) / sizeof(levelv[0]); i++) {
		if (!strcasecmp(name, levelv[i].name)) {
			*levelp = (enum log_level)i;
			return 0;
		}
	}

	return EINVAL;
}


const char *log_level_name(enum log_level level)
{
	return level <= LOG_LV_DEBUG ? levelv[level].name : "?";
}


/*
 * Copy text so that whatever a stranger put into it stays on this line and
 * cannot speak to a terminal.  @p cut: the text itself was already cut.
 *
 * Returns the length written; dst is not terminated.
 */
static size_t escape(char *dst, size_t size, const char *text, bool cut)
{
	static const char hex[] = "0123456789abcdef";
	const size_t room = size - (sizeof(cut_mark) - 1);
	size_t n = 0;

	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;
		const bool plain = c >= 0x20 && c < 0x7f;

		if (n + (plain ? 1 : 4) > room) {
			cut = true;
			break;
		}
		if (plain) {
			dst[n++] = (char)c;
		}
		else {
			dst[n++] = '\\';
			dst[n++] = 'x';
			dst[n++] = hex[c >> 4];
			dst[n++] = hex[c & 0xf];
		}
	}

	if (cut) {
		memcpy(dst + n, cut_mark, sizeof(cut_mark) - 1);
		n += sizeof(cut_mark) - 1;
	}

	return n;
}


/* "2030-01-31T12:00:00.123Z PROG LEVEL " */
static size_t head(char *line, size_t size, enum log_level level)
{
	struct timespec ts;
	struct tm tm;
	size_t n;
	int w;

	if (clock_gettime(CLOCK_REALTIME, &ts) ||
	    !gmtime_r(&ts.tv_sec, &tm))
		return 0;

	n = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &tm);
	w = snprintf(line + n, size - n, ".%03uZ %s %s ",
		     (unsigned)(ts.tv_nsec / 1000000) % 1000, lg.prog,
		     log_level_name(level));

	return w > 0 ? n + (size_t)w : n;
}


static void write_line(enum log_level level, const char *text, bool cut)
{
	char line[LINE_SIZE];
	size_t n;

	if (lg.to_syslog) {
		n = escape(line, sizeof(line) - 1, text, cut);
		line[n] = '\0';
		syslog(levelv[level].prio, "%s %s", log_level_name(level),
		       line);
		return;
	}

	n  = head(line, sizeof(line), level);
	n += escape(line + n, sizeof(line) - 1 - n, text, cut);
	line[n++] = '\n';

	/* A log that cannot be written must not stop the conference */
	while (write(STDERR_FILENO, line, n) < 0 && errno == EINTR)
		;
}


static void vlog(enum log_level level, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
static void vlog(enum log_level level, const char *fmt, va_list ap)
{
	const int saved_errno = errno;
	char text[TEXT_MAX];
	int n;

	if (level > lg.level)
		return;

	n = vsnprintf(text, sizeof(text), fmt, ap);
	if (n < 0)
		(void)snprintf(text, sizeof(text), "ev=log-format-error");

	write_line(level, text, n >= (int)sizeof(text));
	errno = saved_errno;
}


#define LOG_FUNCTION(func, level)			\
	void func(const char *fmt, ...)			\
	{						\
		va_list ap;				\
							\
		va_start(ap, fmt);			\
		vlog(level, fmt, ap);			\
		va_end(ap);				\
	}

LOG_FUNCTION(log_error, LOG_LV_ERROR)
LOG_FUNCTION(log_warn,  LOG_LV_WARN)
LOG_FUNCTION(log_info,  LOG_LV_INFO)
LOG_FUNCTION(log_debug, LOG_LV_DEBUG)


void log_at(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(level, fmt, ap);
	va_end(ap);
}


bool log_limit_ok_at(struct log_limit *ll, long second, unsigned *droppedp)
{
	if (ll->second != second) {
		ll->second = second;
		ll->used = 0;
	}

	if (ll->used >= LINES_PER_SECOND) {
		if (ll->dropped < UINT_MAX)
			++ll->dropped;
		return false;
	}

	++ll->used;
	if (droppedp)
		*droppedp = ll->dropped;
	ll->dropped = 0;

	return true;
}


bool log_limit_ok(struct log_limit *ll, unsigned *droppedp)
{
	struct timespec ts = {0};

	/* Cannot fail for this clock; zero would only share one budget */
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);

	return log_limit_ok_at(ll, (long)ts.tv_sec, droppedp);
}
