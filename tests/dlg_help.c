/**
 * @file dlg_help.c  Loop, clock and ends for the tests of dialog/
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include "dlg_help.h"

enum { WATCHDOG_MS = 8000 };

struct end a = { .name = "a" }, b = { .name = "b" };

static uint64_t skew_ms;
static struct tmr poke, watchdog;
static bool bored;


/* ---- loop and clock ------------------------------------------------------ */

/**
 * libre's clock, replaced: the shared library calls this one, too, so a test
 * turns it forward instead of waiting for 64*T1.
 */
uint64_t tmr_jiffies(void)
{
	struct timeval tv;

	(void)gettimeofday(&tv, NULL);

	return (uint64_t)tv.tv_sec * 1000 + (uint64_t)tv.tv_usec / 1000 +
		skew_ms;
}


void clock_turn(uint64_t ms)
{
	skew_ms += ms;
	loop_poke();
}


static void poke_handler(void *arg)
{
	(void)arg;
	re_cancel();
}


void loop_poke(void)
{
	tmr_start(&poke, 0, poke_handler, NULL);
}


static void watchdog_handler(void *arg)
{
	(void)arg;
	bored = true;
	re_cancel();
}


static void show(const struct end *e)
{
	for (unsigned i = 0; i < e->seenc; i++)
		fprintf(stderr, "%s %s %.*s\n", e->name,
			e->seenv[i].tx ? "->" : "<-",
			(int)strcspn(e->seenv[i].text, "\r"),
			e->seenv[i].text);
}


void loop_step(const char *file, int line, const char *what)
{
	bored = false;
	tmr_start(&watchdog, WATCHDOG_MS, watchdog_handler, NULL);
	ck_assert_int_eq(re_main(NULL), 0);
	tmr_cancel(&watchdog);
	if (bored) {
		show(&a);
		show(&b);
		ck_abort_msg("%s:%d: waited in vain for %s", file, line,
			     what);
	}
}


void loop_setup(void)
{
	struct tmr t;

	ck_assert_int_eq(libre_init(), 0);

	/* is libre's clock ours? */
	tmr_init(&t);
	tmr_start(&t, 100000, poke_handler, NULL);
	skew_ms += 100000;
	ck_assert_uint_eq(tmr_get_expire(&t), 0);
	tmr_cancel(&t);
}


void loop_teardown(void)
{
	tmr_cancel(&poke);
	tmr_cancel(&watchdog);
	libre_close();
}


/* ---- what was said -------------------------------------------------------- */

static void trace_handler(bool tx, enum sip_transp tp, const struct sa *src,
			  const struct sa *dst, const uint8_t *pkt,
			  size_t len, void *arg)
{
	struct end *e = arg;
	struct seen *s = &e->seenv[e->seenc];
	(void)tp;

	ck_assert_uint_lt(e->seenc, SEEN_MAX);
	s->tx = tx;
	s->peer = tx ? *dst : *src;
	s->text = malloc(len + 1);
	ck_assert_ptr_nonnull(s->text);
	memcpy(s->text, pkt, len);
	s->text[len] = '\0';
	++e->seenc;
	loop_poke();
}


unsigned seen_count(const struct end *e, bool tx, const char *start)
{
	unsigned n = 0;

	for (unsigned i = 0; i < e->seenc; i++) {
		if (e->seenv[i].tx == tx &&
		    !strncmp(e->seenv[i].text, start, strlen(start)))
			++n;
	}

	return n;
}


const char *seen_text(const struct end *e, bool tx, const char *start,
		      unsigned n)
{
	for (unsigned i = 0; i < e->seenc; i++) {
		if (e->seenv[i].tx == tx &&
		    !strncmp(e->seenv[i].text, start, strlen(start)) && !n--)
			return e->seenv[i].text;
	}

	ck_abort_msg("%s: no message %s", e->name, start);
}


/* ---- bodies --------------------------------------------------------------- */

struct mbuf *body(const char *fmt, ...)
{
	struct mbuf *mb = mbuf_alloc(64);
	va_list ap;

	ck_assert_ptr_nonnull(mb);
	va_start(ap, fmt);
	ck_assert_int_eq(mbuf_vprintf(mb, fmt, ap), 0);
	va_end(ap);
	mb->pos = 0;

	return mb;
}


void body_get(char *buf, size_t size, const struct sip_msg *msg)
{
	ck_assert(re_snprintf(buf, size, "%b", mbuf_buf(msg->mb),
			      mbuf_get_left(msg->mb)) >= 0);
}


struct mbuf *end_make_offer(struct dlg *dlg, void *arg)
{
	struct end *e = arg;
	(void)dlg;

	loop_poke();

	return body("%s%u", e->name, ++e->madec);
}


/* ---- default handlers ----------------------------------------------------- */

static void offer_handler(struct dlg *dlg, const struct sip_msg *msg,
			  void *arg)
{
	struct end *e = arg;

	++e->offerc;
	body_get(e->theirs, sizeof(e->theirs), msg);
	ck_assert_int_eq(dlg_answer(dlg, 200, "OK",
				    body("%s to %s", e->name, e->theirs)), 0);
	loop_poke();
}


static void answer_handler(struct dlg *dlg, const struct sip_msg *msg,
			   void *arg)
{
	struct end *e = arg;
	(void)dlg;

	++e->answerc;
	body_get(e->theirs, sizeof(e->theirs), msg);
	loop_poke();
}


static void estab_handler(struct dlg *dlg, const struct sip_msg *msg,
			  void *arg)
{
	struct end *e = arg;
	(void)dlg;
	(void)msg;

	++e->estabc;
	loop_poke();
}


static void progr_handler(struct dlg *dlg, const struct sip_msg *msg,
			  void *arg)
{
	struct end *e = arg;
	(void)dlg;

	++e->progrc;
	e->scode = msg->scode;
	loop_poke();
}


static void fail_handler(struct dlg *dlg, int err, uint16_t scode, void *arg)
{
	struct end *e = arg;
	(void)dlg;

	++e->failc;
	e->err = err;
	e->scode = scode;
	loop_poke();
}


static void close_handler(struct dlg *dlg, int err, const struct sip_msg *msg,
			  void *arg)
{
	struct end *e = arg;

	ck_assert_ptr_eq(dlg, e->dlg);
	++e->closec;
	e->err = err;
	e->scode = msg ? msg->scode : 0;
	if (!e->keep)
		e->dlg = mem_deref(e->dlg);
	loop_poke();
}


static void contact(char *buf, size_t size, const struct end *e)
{
	/* a port where nobody listens: what goes to the Contact is lost */
	(void)re_snprintf(buf, size, "<sip:%s@127.0.0.1:9;transport=tcp>",
			  e->name);
}


static void invite_handler(const struct sip_msg *msg, void *arg)
{
	struct end *e = arg;
	char buf[128];

	++e->invitec;
	contact(buf, sizeof(buf), e);
	body_get(e->theirs, sizeof(e->theirs), msg);
	ck_assert_int_eq(dlg_accept(&e->dlg, e->ds, msg, buf, e->hdrs, &e->h,
				    e), 0);
	loop_poke();
}


static bool request_handler(const struct sip_msg *msg, void *arg)
{
	struct end *e = arg;

	return dlgs_request(e->ds, msg);
}


/* ---- ends ----------------------------------------------------------------- */

static void end_start(struct end *e)
{
	const char *name = e->name;

	memset(e, 0, sizeof(*e));
	e->name = name;
	e->hdrs = "Allow: INVITE, ACK, CANCEL, BYE, UPDATE\r\n";
	e->h.offerh = offer_handler;
	e->h.answerh = answer_handler;
	e->h.estabh = estab_handler;
	e->h.progrh = progr_handler;
	e->h.offer_failh = fail_handler;
	e->h.closeh = close_handler;

	sa_set_str(&e->laddr, "127.0.0.1", 0);
	ck_assert_int_eq(sip_alloc(&e->sip, NULL, 32, 32, 32, NULL, NULL, e),
			 0);
	ck_assert_int_eq(sip_transp_add(e->sip, SIP_TRANSP_TCP, &e->laddr), 0);
	ck_assert_int_eq(sip_transp_laddr(e->sip, &e->laddr, SIP_TRANSP_TCP,
					  NULL), 0);
	sip_set_trace_handler(e->sip, trace_handler);
	ck_assert_int_eq(dlgs_alloc(&e->ds, e->sip, invite_handler, e), 0);
	ck_assert_int_eq(sip_listen(&e->lsnr, e->sip, true, request_handler,
				    e), 0);
}


static void end_stop(struct end *e)
{
	e->lsnr = mem_deref(e->lsnr);
	e->ds = mem_deref(e->ds);
	sip_close(e->sip, true);
	e->sip = mem_deref(e->sip);
	for (unsigned i = 0; i < e->seenc; i++)
		free(e->seenv[i].text);
	e->seenc = 0;
}


void ends_setup(void)
{
	loop_setup();
	end_start(&a);
	end_start(&b);
}


void ends_teardown(void)
{
	end_drop(&a);
	end_drop(&b);
	WAIT(!dlgs_count(a.ds) && !dlgs_count(b.ds));
	end_stop(&a);
	end_stop(&b);
	loop_teardown();
}


void end_connect(struct end *e, const struct sa *to, struct mbuf *sdp)
{
	char uri[128], buf[128];
	const struct dlg_invite inv = {
		.uri = uri, .from = "sip:a@example.org", .contact = buf,
		.hdrs = e->hdrs, .body = sdp, .authh = e->authh,
	};

	(void)re_snprintf(uri, sizeof(uri), "sip:x@%J;transport=tcp", to);
	contact(buf, sizeof(buf), e);
	ck_assert_int_eq(dlg_invite(&e->dlg, e->ds, &inv, &e->h, e), 0);
}


void end_drop(struct end *e)
{
	e->dlg = mem_deref(e->dlg);
}


int end_offer(struct end *e, enum dlg_via via)
{
	return dlg_offer(e->dlg, via, end_make_offer);
}


void call_up(void)
{
	end_connect(&a, &b.laddr, body("hello"));
	WAIT(b.dlg);
	ck_assert_int_eq(dlg_answer(b.dlg, 200, "OK", body("welcome")), 0);
	WAIT(a.estabc && b.estabc);
	ck_assert_str_eq(a.theirs, "welcome");
	ck_assert_str_eq(b.theirs, "hello");
	ck_assert(dlg_established(a.dlg) && dlg_established(b.dlg));
}


void end_offer_later(struct dlg *dlg, const struct sip_msg *msg, void *arg)
{
	struct end *e = arg;
	(void)dlg;

	++e->offerc;
	body_get(e->theirs, sizeof(e->theirs), msg);
	loop_poke();
}
