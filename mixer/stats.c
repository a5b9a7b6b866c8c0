/**
 * @file stats.c  What the mixer tells about itself
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include "heapuse.h"
#include "mixer.h"

static uint64_t cpu_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

struct leg_row {
	Mp__LegStats st;
	Mp__Address remote;
};

static void fill_leg(struct leg_row *row, struct leg *leg)
{
	Mp__LegStats *st = &row->st;
	const int32_t lost = leg->rxstat.started ? rtcpx_rx_lost(&leg->rxstat) : 0;

	mp__leg_stats__init(st);
	mp__address__init(&row->remote);
	st->leg = leg->id;
	st->rx_packets = leg->stats.rx;
	st->rx_lost = lost > 0 ? (uint64_t)lost : 0;
	st->auth_failed = leg->stats.auth_failed;
	st->replayed = leg->stats.replayed;
	st->dropped = leg->stats.dropped;
	st->tx_packets = leg->stats.tx;
	st->jitter_ms = (leg->rxstat.jitter16 >> 4) * 1000 / leg->cfg.codec->clock;
	st->rx_ssrc = leg->src_ssrc;
	st->tx_ssrc = leg->own.srtp ? leg->own.ssrc : 0;
	st->level_dbov = leg->spk.level;
	st->speaking = spk_talking(&leg->spk, now_usec() / 1000);
	st->latched = leg->latched;
	row->remote.ip.data = (uint8_t *)(uintptr_t)sa_bytes(&leg->rtp_to, &row->remote.ip.len);
	row->remote.port = sa_port(&leg->rtp_to);
	st->remote = &row->remote;
	if (leg->spk.slot >= 0) {
		const struct jbuf *jb = conf_src_jbuf(CONF_SRC(leg->conf->src),
						      (unsigned)leg->spk.slot);

		st->buffer_ms = jbuf_level_ms(jb);
	}
}

/* Rows and the table of pointers to them: two blocks, freed by stats_free() */
static int fill_legs(struct conf *c, Mp__Stats *st)
{
	const size_t n = g_hash_table_size(c->legs);
	struct leg_row *rowv;
	GHashTableIter it;
	gpointer leg;
	size_t i = 0;

	if (!n)
		return 0;
	rowv = calloc(n, sizeof(*rowv));
	st->leg = calloc(n, sizeof(*st->leg));
	if (!rowv || !st->leg) {
		free(rowv);
		return ENOMEM;
	}

	g_hash_table_iter_init(&it, c->legs);
	while (g_hash_table_iter_next(&it, NULL, &leg)) {
		fill_leg(&rowv[i], leg);
		st->leg[i] = &rowv[i].st;
		++i;
	}
	st->n_leg = n;

	return 0;
}

int stats_fill(struct mixer *mx, struct conf *c, Mp__Stats *st)
{
	st->confs = g_hash_table_size(mx->confs);
	st->legs = mx->legc;
	st->ports = mx->ports ? ports_used(mx->ports) : 0;
	st->rss_kib = procstat_rss_kib(&mx->procstat);
	st->cpu_us = cpu_us();
	st->fds = procstat_fds(&mx->procstat);
	st->secrets = (uint32_t)secret_count();
	st->timers = (uint32_t)loop_timeq(mx->loop)->c;
	st->classes = mx->eclassc;
	st->group_keys = mx->gkeyc;
	st->heap = heap_in_use();

	return c ? fill_legs(c, st) : 0;
}

void stats_free(Mp__Stats *st)
{
	if (st->n_leg)
		free(st->leg[0]);     /* the block of rows begins with its first */
	free(st->leg);
	st->leg = NULL;
	st->n_leg = 0;
}
