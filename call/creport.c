/**
 * @file creport.c  What happened, as JSON or as a table
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "ccheck.h"
#include "cjson.h"
#include "creport.h"
#include "wav.h"

static struct cjson *ms(uint64_t us)
{
	return cjson_real((double)us / 1000);
}

static struct cjson *ms_between(uint64_t from_us, uint64_t to_us)
{
	return from_us && to_us > from_us ? ms(to_us - from_us) : cjson_null();
}

/* ----- one call ---------------------------------------------------------- */

static struct cjson *json_rx(const struct cmedia_stats *st, uint64_t end_us)
{
	struct cjson *j = cjson_object();

	cjson_set(j, "packets", cjson_num(st->rx_packets));
	cjson_set(j, "bytes", cjson_num(st->rx_bytes));
	cjson_set(j, "lost", cjson_int(st->rx_lost));
	cjson_set(j, "late", cjson_num(st->rx_late));
	cjson_set(j, "longest_gap_ms", ms(st->longest_gap_us));
	cjson_set(j, "last_packet_ago_ms", ms_between(st->last_us, end_us));
	cjson_set(j, "auth_failures", cjson_num(st->auth_fail));
	cjson_set(j, "replays", cjson_num(st->replays));
	cjson_set(j, "malformed", cjson_num(st->malformed));
	cjson_set(j, "early", cjson_num(st->early));
	cjson_set(j, "unknown_pt", cjson_num(st->unknown_pt));
	cjson_set(j, "old_key", cjson_num(st->old_key));
	cjson_set(j, "ssrcs", cjson_num(st->ssrcs));
	cjson_set(j, "ssrc_changes", cjson_num(st->ssrcs ? st->ssrcs - 1 : 0));

	return j;
}

static struct cjson *json_tx(const struct cmedia_stats *st)
{
	struct cjson *j = cjson_object();

	cjson_set(j, "packets", cjson_num(st->tx_packets));
	cjson_set(j, "skipped", cjson_num(st->tx_skipped));
	cjson_set(j, "errors", cjson_num(st->tx_errors));

	return j;
}

static struct cjson *json_rtcp(const struct cmedia_stats *st)
{
	struct cjson *j = cjson_object();

	cjson_set(j, "sent", cjson_num(st->rtcp_tx));
	cjson_set(j, "sr", cjson_num(st->rtcp_sr));
	cjson_set(j, "rr", cjson_num(st->rtcp_rr));
	cjson_set(j, "bye", cjson_num(st->rtcp_bye));
	cjson_set(j, "reports_on_us", cjson_num(st->rtcp_own));
	cjson_set(j, "auth_failures", cjson_num(st->rtcp_auth_fail));
	if (st->rtcp_own)
		cjson_set(j, "reported_lost", cjson_int(st->own_rb.lost));

	return j;
}

static struct cjson *json_signalling(const struct call_result *r)
{
	struct cjson *j = cjson_object();

	cjson_set(j, "reinvites", cjson_num(r->offers_invite));
	cjson_set(j, "updates", cjson_num(r->offers_update));
	cjson_set(j, "refused", cjson_num(r->refused));
	cjson_set(j, "rekeys", cjson_num(r->rekeys));
	cjson_set(j, "own_offers", cjson_num(r->own_offers));
	cjson_set(j, "own_offers_failed", cjson_num(r->own_offers_failed));
	if (r->own_offer_status)
		cjson_set(j, "own_offer_status", cjson_num(r->own_offer_status));

	return j;
}

static struct cjson *json_keys(const struct call *c, uint64_t start_us)
{
	struct cjson *a = cjson_array();
	const struct ckeys_use *u;
	unsigned n;

	u = call_keys(c, &n);
	for (unsigned i = 0; i < n; i++) {
		struct cjson *j = cjson_object();

		cjson_set(j, "kid", cjson_text(u[i].kid));
		cjson_set(j, "mki", u[i].mki_len ? cjson_num(u[i].mki) : cjson_null());
		cjson_set(j, "packets", cjson_num(u[i].rtp));
		cjson_set(j, "rtcp", cjson_num(u[i].rtcp));
		cjson_set(j, "first_ms", ms_between(start_us, u[i].first_us));
		cjson_set(j, "last_ms", ms_between(start_us, u[i].last_us));
		cjson_append(a, j);
	}

	return a;
}

static struct cjson *json_tones(const struct ccheck *k)
{
	struct cjson *a = cjson_array();

	for (unsigned i = 0; i < k->tonec; i++) {
		const struct tone_found *f = &k->tonev[i].found;
		struct cjson *j = cjson_object();

		cjson_set(j, "freq", cjson_real(f->freq));
		cjson_set(j, "level_dbfs", cjson_real(f->level_dbfs));
		cjson_set(j, "steady_dbfs", cjson_real(k->tonev[i].steady_dbfs));
		cjson_set(j, "longest_gap_ms", cjson_num(f->longest_gap_ms));
		cjson_set(j, "gaps", cjson_num(f->gaps));
		cjson_set(j, "on_pct", cjson_num(f->on_pct));
		cjson_set(j, "first_ms", cjson_num(f->first_ms));
		cjson_append(a, j);
	}

	return a;
}

static struct cjson *json_audio(const struct crec *rec, const struct ccheck *k)
{
	const struct crec_stats *st = crec_stats(rec);
	struct cjson *j = cjson_object();

	cjson_set(j, "ms", cjson_num(k->audio_ms));
	cjson_set(j, "placed", cjson_num(st->placed));
	cjson_set(j, "late", cjson_num(st->late));
	cjson_set(j, "reanchored", cjson_num(st->reanchored));
	cjson_set(j, "other_ssrc", cjson_num(st->other));
	cjson_set(j, "undecodable", cjson_num(st->undecodable));
	cjson_set(j, "tones", json_tones(k));

	return j;
}

static struct cjson *json_delays(const struct cdelay *d, const struct opts *o, unsigned to)
{
	struct cjson *a = cjson_array();

	for (unsigned from = 0; from < o->calls; from++) {
		struct cdelay_result r;
		struct cjson *j;

		cdelay_result(d, from, to, &r);
		if (from == to)
			continue;
		j = cjson_object();
		cjson_set(j, "from", cjson_num(from));
		cjson_set(j, "heard", cjson_num(r.count));
		cjson_set(j, "sent", cjson_num(r.sent));
		if (r.count) {
			cjson_set(j, "delay_ms", cjson_real(r.median_ms));
			cjson_set(j, "min_ms", cjson_real(r.min_ms));
			cjson_set(j, "max_ms", cjson_real(r.max_ms));
		}
		cjson_append(a, j);
	}

	return a;
}

static struct cjson *json_failures(const struct ccheck *k)
{
	struct cjson *a = cjson_array();

	for (unsigned i = 0; i < k->failc; i++)
		cjson_append(a, cjson_text(k->failv[i]));

	return a;
}

static void json_setup(struct cjson *j, const struct call *c, const struct opts *o,
		       const struct cmedia_stats *st)
{
	const struct call_result *r = call_result(c);
	const char *user, *pass;

	opts_login(o, call_index(c), &user, &pass);
	cjson_set(j, "call", cjson_num(call_index(c)));
	if (user)
		cjson_set(j, "user", cjson_text(user));
	if (!o->silent && !o->wav)
		cjson_set(j, "freq", cjson_real(opts_freq(o, call_index(c))));
	cjson_set(j, "established", cjson_bool(r->established));
	cjson_set(j, "status", cjson_num(r->scode));
	cjson_set(j, "reason", cjson_text(r->reason));
	if (r->warning[0])
		cjson_set(j, "warning", cjson_text(r->warning));
	if (r->error[0])
		cjson_set(j, "error", cjson_text(r->error));
	cjson_set(j, "setup_ms", ms_between(r->start_us, r->up_us));
	cjson_set(j, "first_media_ms", ms_between(r->start_us, st->first_us));
	cjson_set(j, "conference", cjson_text(r->conf_uri));
	cjson_set(j, "is_focus", cjson_bool(r->is_focus));
	cjson_set(j, "suite", cjson_text(r->suite ? r->suite->name : NULL));
	cjson_set(j, "codec", cjson_text(r->codec ? r->codec->name : NULL));
	cjson_set(j, "rtcp_mux", cjson_bool(r->mux));
}

static struct cjson *json_end(const struct call_result *r)
{
	struct cjson *j = cjson_object();

	cjson_set(j, "by", cjson_text(r->end_by ? r->end_by : "nobody"));
	cjson_set(j, "reason", cjson_text(r->end_reason));
	cjson_set(j, "talk_ms", ms_between(r->up_us, r->end_us));

	return j;
}

static struct cjson *json_call(const struct cload *l, const struct opts *o, const struct call *c,
			 const struct ccheck *k)
{
	const struct call_result *r = call_result(c);
	struct cmedia_stats st;
	struct cjson *j = cjson_object();

	call_media_stats(c, &st);
	json_setup(j, c, o, &st);
	if (r->established) {
		cjson_set(j, "rx", json_rx(&st, r->end_us));
		cjson_set(j, "tx", json_tx(&st));
		cjson_set(j, "rtcp", json_rtcp(&st));
		cjson_set(j, "signalling", json_signalling(r));
		cjson_set(j, "keys", json_keys(c, r->start_us));
		if (call_rec(c))
			cjson_set(j, "audio", json_audio(call_rec(c), k));
		if (cload_delay(l))
			cjson_set(j, "delays", json_delays(cload_delay(l), o, call_index(c)));
	}
	if (call_floor(c))
		cjson_set(j, "floor", cfloor_json(call_floor(c)));
	cjson_set(j, "end", json_end(r));
	cjson_set(j, "failures", json_failures(k));

	return j;
}

/* ----- recordings -------------------------------------------------------- */

/** FILE, or with several calls FILE-i.wav */
static int out_name(char *buf, size_t size, const struct opts *o, unsigned i)
{
	const char *dot = strrchr(o->out, '.');
	const size_t n = dot && !strchr(dot, '/') ? (size_t)(dot - o->out) : strlen(o->out);

	if (o->calls == 1)
		return re_snprintf(buf, size, "%s", o->out) < 0 ? ENAMETOOLONG : 0;

	return re_snprintf(buf, size, "%b-%u%s", o->out, n, i, o->out + n) < 0 ?
		ENAMETOOLONG : 0;
}

static void write_recording(const struct opts *o, const struct call *c)
{
	const int16_t *pcm;
	char name[1024];
	uint32_t rate;
	size_t n;
	int err;

	if (!o->out || !call_rec(c))
		return;

	pcm = crec_pcm(call_rec(c), &n, &rate);
	if (!pcm)
		return;

	err = out_name(name, sizeof(name), o, call_index(c));
	if (!err)
		err = wav_write(name, pcm, n, rate);
	if (err)
		(void)fprintf(stderr, "conclave-call: %s: %s\n", o->out, strerror(err));
}

/* ----- table ------------------------------------------------------------- */

static void table_tones(const struct ccheck *k, const struct opts *o)
{
	for (unsigned i = 0; i < k->tonec; i++) {
		const struct tone_found *f = &k->tonev[i].found;

		if (f->level_dbfs >= o->min_level)
			(void)printf("      hears %4.0f Hz at %5.1f dBFS, longest gap %u ms\n",
				     f->freq, f->level_dbfs, f->longest_gap_ms);
	}
}

static void table_call(const struct call *c, const struct opts *o, const struct ccheck *k)
{
	const struct call_result *r = call_result(c);
	const char *user, *pass;
	struct cmedia_stats st;

	opts_login(o, call_index(c), &user, &pass);
	call_media_stats(c, &st);
	(void)printf("%3u %-10s %u %s%s%s", call_index(c), user ? user : "-", r->scode, r->reason,
		     r->error[0] ? ": " : "", r->error);
	if (r->established) {
		(void)printf("  %.0f ms  %s %s  rx %llu lost %lld auth-fail %llu  gap %.0f ms  %s",
			     (double)(r->up_us - r->start_us) / 1000,
			     r->codec ? r->codec->name : "-", r->suite ? r->suite->name : "-",
			     (unsigned long long)st.rx_packets, (long long)st.rx_lost,
			     (unsigned long long)st.auth_fail,
			     (double)st.longest_gap_us / 1000, r->conf_uri);
	}
	(void)printf("%s%s\n", r->warning[0] ? "  " : "", r->warning);

	table_tones(k, o);
	for (unsigned i = 0; i < k->failc; i++)
		(void)printf("      FAILED: %s\n", k->failv[i]);
}

/* ----- all --------------------------------------------------------------- */

static double cpu_s(void)
{
	struct rusage ru;

	if (getrusage(RUSAGE_SELF, &ru))
		return 0;

	return (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
		(double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

/** The slowest pair; < 0 if nothing was measured */
static double worst_delay(const struct cdelay *d, const struct opts *o)
{
	double worst = -1;

	for (unsigned i = 0; d && i < o->calls * o->calls; i++) {
		struct cdelay_result r;

		cdelay_result(d, i / o->calls, i % o->calls, &r);
		if (r.count && r.median_ms > worst)
			worst = r.median_ms;
	}

	return worst;
}

static void json_total(struct cjson *root, struct cjson *calls, unsigned established, enum creport_exit x,
		       const struct opts *o, const struct cload *l)
{
	cjson_set(root, "ok", cjson_bool(x == EXIT_GOOD));
	cjson_set(root, "exit", cjson_num((uint64_t)x));
	cjson_set(root, "uri", cjson_text(o->uri));
	cjson_set(root, "established", cjson_num(established));
	cjson_set(root, "cpu_ms", cjson_num((uint64_t)(cpu_s() * 1000)));
	if (worst_delay(cload_delay(l), o) >= 0)
		cjson_set(root, "delay_ms", cjson_real(worst_delay(cload_delay(l), o)));
	cjson_set(root, "calls", calls);
}

enum creport_exit creport_print(const struct cload *l, const struct opts *o)
{
	const bool table = o->table || (!o->json && isatty(STDOUT_FILENO));
	enum creport_exit x = EXIT_GOOD;
	struct cjson *root = cjson_object(), *calls = cjson_array();
	const struct call *c;
	unsigned established = 0;

	for (unsigned i = 0; (c = cload_call(l, i)); i++) {
		struct ccheck k;

		write_recording(o, c);
		ccheck_call(&k, o, c, cload_delay(l));
		established += call_result(c)->established;
		if (k.not_established)
			x = EXIT_NOT_UP;
		else if (k.failc && x == EXIT_GOOD)
			x = EXIT_CHECKS;
		if (table)
			table_call(c, o, &k);
		cjson_append(calls, json_call(l, o, c, &k));
	}

	json_total(root, calls, established, x, o, l);
	if (cjson_print(!table || o->json ? stdout : NULL, root) || fflush(stdout))
		return EXIT_SETUP;

	return x;
}
