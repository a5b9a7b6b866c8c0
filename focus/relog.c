/**
 * @file focus/relog.c  What libre would write to stderr, and strangers cause
 *
 * Our log has one line an event, escaped, and no more of a kind than a disk
 * can bear.  libre's own messages get into it by the same rules, and what it
 * prints about messages that nobody wants does not come to that.
 */
#include "focus/tree.h"
#include "focus/relog.h"
#include "log.h"


static void print_handler(int level, const char *p, size_t len, void *arg)
{
	static struct log_limit limit;
	unsigned left_out;
	(void)arg;

	while (len && (p[len - 1] == '\n' || p[len - 1] == '\r'))
		--len;
	if (!len || level > DBG_NOTICE || !log_limit_ok(&limit, &left_out))
		return;

	log_info("ev=libre left_out=%u text=\"%.*s\"", left_out, (int)len, p);
}


void relog_open(void)
{
	dbg_handler_set(print_handler, NULL);
}


void relog_close(void)
{
	dbg_handler_set(NULL, NULL);
}


bool relog_response(const struct sip_msg *msg, void *arg)
{
	static struct log_limit limit;
	unsigned left_out;
	char src[80];
	(void)arg;

	if (log_limit_ok(&limit, &left_out) &&
	    re_snprintf(src, sizeof(src), "%J", &msg->src) > 0)
		log_info("ev=stray_response status=%u src=%s left_out=%u",
			 msg->scode, src, left_out);

	return true;
}
