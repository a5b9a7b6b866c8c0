/**
 * @file re_count.c  What libre holds: timers, connections, transactions
 *
 * libre counts none of them.  It can print them, though, under headings, one a
 * line that begins with two blanks (remarks begin with four); 1.1.0 and 2.0.1 do
 * so alike.  The lines are counted, nothing is kept.
 */
#include <string.h>
#include "re_compat.h"

enum { HEAD_MAX = 32 };

struct lines {
	struct rc_counts *c;
	uint32_t *count;        /* of the heading above; NULL: another one    */
	char head[HEAD_MAX];
	size_t len;
};


static void heading(struct lines *l)
{
	const struct {
		const char *text;
		uint32_t *count;
	} headv[] = {
		{ "Timers",               &l->c->timers      },
		{ "connections:",         &l->c->connections },
		{ "client transactions:", &l->c->clients     },
		{ "server transactions:", &l->c->servers     },
	};

	l->count = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(headv); i++) {
		const size_t n = strlen(headv[i].text);

		if (l->len >= n && !memcmp(l->head, headv[i].text, n))
			l->count = headv[i].count;
	}
}


static void end_of_line(struct lines *l)
{
	if (l->len && l->head[0] != ' ')
		heading(l);
	else if (l->count && l->len > 2 && l->head[2] != ' ')
		++*l->count;
	l->len = 0;
}


static int line_handler(const char *p, size_t size, void *arg)
{
	struct lines *l = arg;

	for (size_t i = 0; i < size; i++) {
		if (p[i] == '\n')
			end_of_line(l);
		else if (l->len < sizeof(l->head))
			l->head[l->len++] = p[i];
	}

	return 0;
}


void rc_count(struct rc_counts *c, const struct sip *sip)
{
	struct lines l;
	struct re_printf pf = { .vph = line_handler, .arg = &l };

	memset(&l, 0, sizeof(l));
	memset(c, 0, sizeof(*c));
	l.c = c;
	(void)tmr_status(&pf, NULL);
	(void)sip_debug(&pf, sip);
}
