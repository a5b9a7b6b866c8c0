/**
 * @file test_registrar.c  REGISTER as a phone sees it, and what is found then
 *
 * The registrar is linked with connections that this file makes up (a TLS
 * connection is what tlsid.c is for, and tested there), behind a SIP stack
 * with a UDP listener; the phone is a UDP socket in the same loop.  libre's
 * clock is replaced, so that a test turns it forward.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "cfg.h"
#include "check_run.h"
#include "log.h"
#include "focus/registrar.h"
#include "focus/regreq.h"
#include "focus/tlsid.h"

#define ALICE "sip:alice@example.org"

static struct cfg cfg;
static struct sip *sip;
static struct sip_lsnr *lsnr;
static struct registrar *reg;
static const char *who;         /* as authenticated                          */
static int fd;
static char rx[16384];
static bool late;
static uint64_t skew_ms;
static unsigned serial;

/* ---- made up connections -------------------------------------------------- */

struct tlsid_flow {
	struct sa peer;
	bool open;
	struct list watchl;
};

static struct tlsid_flow *flow; /* that of the next REGISTER; NULL: none      */

static struct tlsid_flow *flow_new(uint16_t port)
{
	struct tlsid_flow *f = mem_zalloc(sizeof(*f), NULL);

	sa_set_str(&f->peer, "10.0.0.1", port);
	f->open = true;

	return f;
}

int tlsid_flow_get(struct tlsid_flow **fp, const struct sip_msg *msg)
{
	(void)msg;
	if (!flow)
		return ENOENT;
	*fp = mem_ref(flow);

	return 0;
}

bool tlsid_flow_open(const struct tlsid_flow *f)
{
	return f && f->open;
}

const struct sa *tlsid_flow_peer(const struct tlsid_flow *f)
{
	return &f->peer;
}

void tlsid_flow_watch(struct tlsid_flow *f, struct tlsid_watch *w,
		      void (*goneh)(void *arg), void *arg)
{
	w->goneh = goneh;
	w->arg = arg;
	list_append(&f->watchl, &w->le, w);
}

void tlsid_flow_unwatch(struct tlsid_watch *w)
{
	list_unlink(&w->le);
}

/** Its connection is gone; what watches it is told */
static void flow_close(struct tlsid_flow *f)
{
	struct le *le;

	f->open = false;
	while ((le = list_head(&f->watchl))) {
		struct tlsid_watch *w = le->data;

		list_unlink(le);
		w->goneh(w->arg);
	}
}

/** On another connection from now on; the test keeps no reference */
static void flow_change(uint16_t port)
{
	mem_deref(flow);
	flow = flow_new(port);
}

/* ---- loop ------------------------------------------------------------------ */

uint64_t tmr_jiffies(void)
{
	struct timeval tv;

	(void)gettimeofday(&tv, NULL);

	return (uint64_t)tv.tv_sec * 1000 + (uint64_t)tv.tv_usec / 1000 + skew_ms;
}

static bool request_handler(const struct sip_msg *msg, void *arg)
{
	(void)arg;
	registrar_recv(reg, sip, &cfg, msg, who);

	return true;
}

static void client_handler(int flags, void *arg)
{
	const ssize_t n = recv(fd, rx, sizeof(rx) - 1, 0);

	(void)flags;
	(void)arg;
	ck_assert_int_gt(n, 0);
	rx[n] = '\0';
	re_cancel();
}

static void stop_handler(void *arg)
{
	*(bool *)arg = true;
	re_cancel();
}

static void loop(void)
{
	struct tmr tmr;

	late = false;
	tmr_init(&tmr);
	tmr_start(&tmr, 10000, stop_handler, &late);
	(void)re_main(NULL);
	tmr_cancel(&tmr);
	ck_assert(!late);
}

/** Time goes by, and all timers that are due run */
static void later(uint64_t s)
{
	struct tmr tmr;
	bool done = false;

	skew_ms += s * 1000;
	tmr_init(&tmr);
	tmr_start(&tmr, 0, stop_handler, &done);
	(void)re_main(NULL);
	tmr_cancel(&tmr);
	ck_assert(done);
}

static void setup(void)
{
	struct sa laddr;

	libre_init();
	log_init("test", false, LOG_LV_ERROR);
	memset(&cfg, 0, sizeof(cfg));
	cfg.registrar = true;
	cfg.max_registrations = 100;
	cfg.max_contacts = 3;
	cfg.register_expires_s = 600;
	who = ALICE;
	flow = flow_new(1111);

	ck_assert_int_eq(registrar_alloc(&reg), 0);
	ck_assert_int_eq(sip_alloc(&sip, NULL, 16, 16, 16, NULL, NULL, NULL), 0);
	sa_set_str(&laddr, "127.0.0.1", 0);
	ck_assert_int_eq(sip_transp_add(sip, SIP_TRANSP_UDP, &laddr), 0);
	ck_assert_int_eq(sip_transp_laddr(sip, &laddr, SIP_TRANSP_UDP, NULL), 0);
	ck_assert_int_eq(sip_listen(&lsnr, sip, true, request_handler, NULL), 0);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_eq(connect(fd, &laddr.u.sa, laddr.len), 0);
	ck_assert_int_eq(fd_listen(fd, FD_READ, client_handler, NULL), 0);
}

static void teardown(void)
{
	fd_close(fd);
	close(fd);
	mem_deref(lsnr);
	sip_close(sip, true);
	mem_deref(sip);
	reg = mem_deref(reg);
	flow = mem_deref(flow);
	libre_close();
}

/* ---- the phone ------------------------------------------------------------- */

/** A REGISTER with its own lines; the status of the answer */
static int put(const char *callid, unsigned cseq, const char *to, const char *lines)
{
	char txt[8192];
	int n;

	n = snprintf(txt, sizeof(txt),
		     "REGISTER sip:example.org SIP/2.0\r\n"
		     "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK%u;rport\r\n"
		     "From: <%s>;tag=1\r\nTo: <%s>\r\nCall-ID: %s\r\n"
		     "CSeq: %u REGISTER\r\nUser-Agent: phone\r\n%s\r\n",
		     ++serial, to, to, callid, cseq, lines);
	ck_assert_int_lt(n, (int)sizeof(txt));
	ck_assert_int_eq(send(fd, txt, (size_t)n, 0), n);
	loop();

	return atoi(rx + strlen("SIP/2.0 "));
}

/** With a Call-ID that was never seen */
static int put_new(const char *lines)
{
	char callid[32];

	(void)snprintf(callid, sizeof(callid), "c%u", serial);

	return put(callid, 1, ALICE, lines);
}

static bool said(const char *text)
{
	return strstr(rx, text) != NULL;
}

static unsigned contacts(void)
{
	unsigned n = 0;

	for (const char *p = strstr(rx, "\r\nContact: "); p; p = strstr(p + 1, "\r\nContact: "))
		++n;

	return n;
}

/** The n-th way to alice is this contact, or none if NULL */
static void finds(unsigned n, const char *uri)
{
	struct reg_target *t = NULL;
	const int err = registrar_find(&t, reg, ALICE, n);

	if (!uri) {
		ck_assert_int_eq(err, ENOENT);
		return;
	}
	ck_assert_int_eq(err, 0);
	ck_assert_str_eq(reg_target_uri(t), uri);
	ck_assert(reg_target_open(t));
	mem_deref(t);
}

/* ---- RFC 3261 section 10.3 -------------------------------------------------- */

START_TEST(a_phone_is_found_on_its_connection_until_it_expires)
{
	struct reg_target *t;

	ck_assert_int_eq(put_new("Contact: <sip:alice-1@10.9.9.9:5;transport=tls>;expires=120\r\n"), 200);
	ck_assert_uint_eq(contacts(), 1);
	ck_assert(said("Contact: <sip:alice-1@10.9.9.9:5;transport=tls>;expires=120\r\n"));
	ck_assert(said("Date: "));
	ck_assert(!said("Flow-Timer"));
	ck_assert_uint_eq(registrar_count(reg), 1);

	/* the connection, not what the Contact says */
	ck_assert_int_eq(registrar_find(&t, reg, ALICE, 0), 0);
	ck_assert_uint_eq(sa_port(reg_target_peer(t)), 1111);
	mem_deref(t);
	ck_assert_int_eq(registrar_find(&t, reg, "sip:bob@example.org", 0), ENOENT);

	later(119);
	finds(0, "sip:alice-1@10.9.9.9:5;transport=tls");
	later(2);
	finds(0, NULL);
	ck_assert_uint_eq(registrar_count(reg), 0);
}
END_TEST

START_TEST(a_refresh_extends_and_moves_to_the_new_connection)
{
	struct reg_target *t;

	ck_assert_int_eq(put("c", 1, ALICE, "Contact: <sip:a@h>\r\nExpires: 100\r\n"), 200);
	later(90);
	flow_change(2222);
	ck_assert_int_eq(put("c", 2, ALICE, "Contact: <sip:a@H>\r\nExpires: 100\r\n"), 200);
	ck_assert_uint_eq(contacts(), 1);
	later(90);
	ck_assert_int_eq(registrar_find(&t, reg, ALICE, 0), 0);
	ck_assert_uint_eq(sa_port(reg_target_peer(t)), 2222);
	mem_deref(t);
	later(11);
	finds(0, NULL);
}
END_TEST

START_TEST(lifetimes_have_a_floor_a_default_and_a_ceiling)
{
	ck_assert_int_eq(put_new("Contact: <sip:a@h>;expires=59\r\n"), 423);
	ck_assert(said("Min-Expires: 60\r\n"));
	ck_assert_int_eq(put_new("Contact: <sip:a@h>\r\nExpires: 1\r\n"), 423);
	ck_assert_uint_eq(registrar_count(reg), 0);
	ck_assert_int_eq(put_new("Contact: <sip:a@h>;expires=60\r\n"), 200);
	ck_assert(said(";expires=60\r\n"));
	ck_assert_int_eq(put_new("Contact: <sip:a@h>\r\n"), 200);
	ck_assert(said(";expires=600\r\n"));
	ck_assert_int_eq(put_new("Contact: <sip:a@h>;expires=99999999999999999999\r\n"), 200);
	ck_assert(said(";expires=600\r\n"));
	/* RFC 3261 section 20.10: malformed is 3600 */
	ck_assert_int_eq(put_new("Contact: <sip:a@h>;expires=soon\r\nExpires: 70\r\n"), 200);
	ck_assert(said(";expires=600\r\n"));
	/* the parameter wins over the header */
	ck_assert_int_eq(put_new("Contact: <sip:a@h>;expires=80\r\nExpires: 90\r\n"), 200);
	ck_assert(said(";expires=80\r\n"));
	ck_assert_uint_eq(contacts(), 1);
}
END_TEST

START_TEST(only_the_authenticated_user_registers_an_address)
{
	ck_assert_int_eq(put("c", 1, "sip:bob@example.org", "Contact: <sip:b@h>\r\n"), 403);
	ck_assert_int_eq(put("c", 1, "sip:alice@example.com", "Contact: <sip:b@h>\r\n"), 403);
	ck_assert_int_eq(put("c", 1, "sip:Alice@example.org", "Contact: <sip:b@h>\r\n"), 403);
	ck_assert_int_eq(put("c", 1, "sip:*@example.org", "Contact: <sip:b@h>\r\n"), 403);
	ck_assert_int_eq(put("c", 1, "sip:example.org", "Contact: <sip:b@h>\r\n"), 403);
	ck_assert_uint_eq(registrar_count(reg), 0);
	/* one normalisation for all comparisons */
	ck_assert_int_eq(put("c", 1, "sips:%61lice@EXAMPLE.org:5061;x=y", "Contact: <sip:b@h>\r\n"), 200);
	finds(0, "sip:b@h");
}
END_TEST

START_TEST(a_star_removes_all_and_stands_alone)
{
	ck_assert_int_eq(put_new("Contact: <sip:a@h>, <sip:b@h>\r\n"), 200);
	ck_assert_uint_eq(contacts(), 2);
	ck_assert_int_eq(put_new("Contact: *\r\n"), 400);
	ck_assert_int_eq(put_new("Contact: *\r\nExpires: 60\r\n"), 400);
	ck_assert_int_eq(put_new("Contact: *, <sip:c@h>\r\nExpires: 0\r\n"), 400);
	ck_assert_uint_eq(registrar_count(reg), 2);
	ck_assert_int_eq(put_new("Contact: *\r\nExpires: 0\r\n"), 200);
	ck_assert_uint_eq(contacts(), 0);
	ck_assert_uint_eq(registrar_count(reg), 0);
}
END_TEST

START_TEST(a_query_lists_and_changes_nothing)
{
	ck_assert_int_eq(put_new(""), 200);
	ck_assert_uint_eq(contacts(), 0);
	ck_assert_int_eq(put_new("Contact: <sip:a@h>\r\n"), 200);
	later(10);
	ck_assert_int_eq(put_new(""), 200);
	ck_assert(said("Contact: <sip:a@h>;expires=590\r\n"));
	ck_assert_int_eq(put_new("Expires: 0\r\n"), 200);
	ck_assert_uint_eq(contacts(), 1);
}
END_TEST

START_TEST(an_older_cseq_of_the_same_call_changes_nothing)
{
	ck_assert_int_eq(put("c", 5, ALICE, "Contact: <sip:a@h>\r\n"), 200);
	ck_assert_int_eq(put("c", 5, ALICE, "Contact: <sip:a@h>;expires=0\r\n"), 500);
	ck_assert_int_eq(put("c", 4, ALICE, "Contact: *\r\nExpires: 0\r\n"), 500);
	ck_assert_int_eq(put("c", 4, ALICE, "Contact: <sip:b@h>, <sip:a@h>\r\n"), 500);
	ck_assert_uint_eq(registrar_count(reg), 1);
	finds(0, "sip:a@h");
	ck_assert_int_eq(put("c", 6, ALICE, "Contact: <sip:a@h>;expires=0\r\n"), 200);
	ck_assert_uint_eq(registrar_count(reg), 0);
}
END_TEST

START_TEST(all_of_a_request_is_done_or_nothing)
{
	ck_assert_int_eq(put_new("Contact: <sip:a@h>, <sip:b@h>;expires=5\r\n"), 423);
	ck_assert_int_eq(put_new("Contact: <sip:a@h>, <sip:b@h>, <sip:c@h>, <sip:d@h>\r\n"), 403);
	ck_assert_int_eq(put_new("Contact: <sip:a@h>, <sip:a@h>\r\n"), 400);
	ck_assert_int_eq(put_new("Contact: <sip:a@h>, <http://h/>\r\n"), 400);
	ck_assert_uint_eq(registrar_count(reg), 0);
	ck_assert_int_eq(put_new("Contact: <sip:a@h>, <sip:b@h>\r\n"), 200);
	ck_assert_int_eq(put_new("Contact: <sip:a@h>;expires=0, <sip:b@h>;expires=0, <sip:c@h>,"
				 " <sip:d@h>, <sip:e@h>\r\n"), 200);
	ck_assert_uint_eq(contacts(), 3);
	ck_assert_uint_eq(registrar_count(reg), 3);
}
END_TEST

/* ---- limits ----------------------------------------------------------------- */

START_TEST(one_user_cannot_take_all_and_all_cannot_take_more)
{
	cfg.max_registrations = 4;
	ck_assert_int_eq(put_new("Contact: <sip:a@h>, <sip:b@h>, <sip:c@h>\r\n"), 200);
	ck_assert_int_eq(put_new("Contact: <sip:d@h>\r\n"), 403);
	/* a refresh needs no room */
	ck_assert_int_eq(put_new("Contact: <sip:a@h>\r\n"), 200);

	who = "sip:bob@example.org";
	ck_assert_int_eq(put("b", 1, who, "Contact: <sip:a@h>\r\n"), 200);
	ck_assert_int_eq(put("b", 2, who, "Contact: <sip:b@h>\r\n"), 503);
	ck_assert(said("Retry-After: "));
	ck_assert_uint_eq(registrar_count(reg), 4);

	/* the dead do not take the room of the living */
	flow->open = false;
	flow_change(3333);
	ck_assert_int_eq(put("b", 3, who, "Contact: <sip:b@h>\r\n"), 200);
	ck_assert_uint_eq(registrar_count(reg), 1);
}
END_TEST

START_TEST(what_is_too_long_or_no_plain_uri_is_refused)
{
	static const char *const badv[] = {
		"<sip:a@h?Replaces=x>", "<sip:a@h;method=BYE>", "<tel:+1>", "<sip:>", "<>", "",
		"<sip:a@h>;reg-id=0", "<sip:a@h>;reg-id=4294967296", "<sip:a@h>;reg-id=x",
		"<sip:a@h>;+sip.instance=x", "<sip:a@h>;+sip.instance=\"x", "<sip:a@h>;;", "<sip:a@h> x",
		"<sip:a@h>;+sip.instance=\"a\\\"b\"", "<sip:a\x80@h>", "<sip:a b@h>", "<sip:a\"@h>",
	};
	char lines[4096], uri[1024];

	for (size_t i = 0; i < ARRAY_SIZE(badv); i++) {
		(void)snprintf(lines, sizeof(lines), "Contact: %s\r\n", badv[i]);
		ck_assert_msg(put_new(lines) == 400, "%s: %.40s", badv[i], rx);
	}

	memset(uri, 'a', sizeof(uri));
	(void)snprintf(lines, sizeof(lines), "Contact: <sip:%.*s@h>\r\n", REG_URI_MAX, uri);
	ck_assert_int_eq(put_new(lines), 403);
	(void)snprintf(lines, sizeof(lines), "Contact: <sip:%.*s@h>\r\n", REG_URI_MAX - 8, uri);
	ck_assert_int_eq(put_new(lines), 200);
	(void)snprintf(lines, sizeof(lines), "Contact: *\r\nExpires: 0\r\n");
	ck_assert_int_eq(put_new(lines), 200);

	lines[0] = '\0';
	for (unsigned i = 0; i <= REG_CONTACT_MAX; i++)
		(void)snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines),
			       "Contact: <sip:a%u@h>\r\n", i);
	ck_assert_int_eq(put_new(lines), 403);
	ck_assert_uint_eq(registrar_count(reg), 0);
}
END_TEST

START_TEST(text_inside_quotes_is_no_parameter)
{
	ck_assert_int_eq(put_new("Supported: outbound\r\n"
				 "Contact: <sip:a@h>;x=\";expires=61;reg-id=7\";expires=77\r\n"), 200);
	ck_assert(said(";expires=77\r\n"));
	ck_assert(!said("reg-id"));
}
END_TEST

/* ---- connections ------------------------------------------------------------- */

START_TEST(without_a_connection_there_is_nothing_to_register)
{
	flow = mem_deref(flow);
	ck_assert_int_eq(put_new("Contact: <sip:a@h>\r\n"), 403);
	ck_assert_uint_eq(registrar_count(reg), 0);
	finds(0, NULL);
}
END_TEST

static void count_handler(const struct reg_info *info, void *arg)
{
	ck_assert_str_eq(info->aor, ALICE);
	++*(unsigned *)arg;
}

START_TEST(what_came_on_a_connection_goes_with_it)
{
	struct tlsid_flow *first = mem_ref(flow);
	struct reg_target *t;
	unsigned n = 0;

	ck_assert_int_eq(put_new("Contact: <sip:a@h>\r\n"), 200);
	flow_change(2222);
	ck_assert_int_eq(put_new("Contact: <sip:b@h>\r\n"), 200);
	/* the last one first */
	finds(0, "sip:b@h");
	finds(1, "sip:a@h");
	finds(2, NULL);

	ck_assert_int_eq(registrar_find(&t, reg, ALICE, 1), 0);
	first->open = false;
	ck_assert(!reg_target_open(t));
	registrar_apply(reg, count_handler, &n);
	ck_assert_uint_eq(n, 1);
	finds(1, NULL);
	ck_assert_uint_eq(registrar_count(reg), 1);
	ck_assert_int_eq(put_new(""), 200);
	ck_assert_uint_eq(contacts(), 1);
	mem_deref(t);
	mem_deref(first);
}
END_TEST

START_TEST(nobody_has_to_ask_for_it_to_go)
{
	struct tlsid_flow *first = mem_ref(flow);

	ck_assert_int_eq(put_new("Contact: <sip:a@h>, <sip:b@h>\r\n"), 200);
	ck_assert_uint_eq(registrar_count(reg), 2);
	/* one that is replaced is not told any more */
	ck_assert_int_eq(put_new("Contact: <sip:a@h>\r\n"), 200);
	ck_assert_uint_eq(list_count(&first->watchl), 2);
	flow_close(first);
	later(0);
	ck_assert_uint_eq(registrar_count(reg), 0);
	mem_deref(first);
}
END_TEST

START_TEST(preferred_phones_come_first_and_the_newer_of_equals)
{
	static const char *const badv[] = {
		"", "2", "1.1", "0.1234", ".5", "0,5", "-1", "1.0000", "0.5x", "00"
	};
	char line[64];

	ck_assert_int_eq(put_new("Contact: <sip:a@h>;q=0.5, <sip:b@h>;q=0.501,"
				 " <sip:c@h>;q=0.5\r\n"), 200);
	finds(0, "sip:b@h");
	finds(1, "sip:c@h");
	finds(2, "sip:a@h");
	finds(3, NULL);
	ck_assert_int_eq(put_new("Contact: <sip:a@h>\r\n"), 200);
	ck_assert_int_eq(put_new("Contact: <sip:b@h>;q=0\r\n"), 200);
	finds(0, "sip:a@h");
	finds(1, "sip:c@h");
	finds(2, "sip:b@h");
	for (size_t i = 0; i < ARRAY_SIZE(badv); i++) {
		(void)snprintf(line, sizeof(line), "Contact: <sip:a@h>;q=%s\r\n", badv[i]);
		ck_assert_msg(put_new(line) == 400, "q=%s", badv[i]);
	}
}
END_TEST

START_TEST(a_target_that_does_not_answer_is_forgotten)
{
	struct reg_target *t;

	ck_assert_int_eq(put_new("Contact: <sip:a@h>, <sip:b@h>\r\n"), 200);
	ck_assert_int_eq(registrar_find(&t, reg, ALICE, 0), 0);
	registrar_failed(reg, t);
	registrar_failed(reg, t);
	mem_deref(t);
	ck_assert_uint_eq(registrar_count(reg), 1);

	/* it outlives the registration, and the registrar */
	ck_assert_int_eq(registrar_find(&t, reg, ALICE, 0), 0);
	ck_assert_int_eq(put_new("Contact: *\r\nExpires: 0\r\n"), 200);
	registrar_failed(reg, t);
	reg = mem_deref(reg);
	ck_assert_str_ne(reg_target_uri(t), "");
	mem_deref(t);
	ck_assert_int_eq(registrar_alloc(&reg), 0);
}
END_TEST

/* ---- RFC 5626 ------------------------------------------------------------------ */

#define INSTANCE ";+sip.instance=\"<urn:uuid:1>\""

START_TEST(outbound_is_granted_and_a_flow_replaces_itself)
{
	ck_assert_int_eq(put_new("Supported: path, outbound\r\n"
				 "Contact: <sip:a@h:1>;reg-id=1" INSTANCE "\r\n"), 200);
	ck_assert(said("Require: outbound\r\n"));
	ck_assert(said("Flow-Timer: 120\r\n"));
	ck_assert(said(INSTANCE ";reg-id=1\r\n"));

	/* another address of the same flow; another flow of the same phone */
	flow_change(2222);
	ck_assert_int_eq(put_new("Supported: outbound\r\nContact: <sip:a@h:2>;reg-id=1" INSTANCE "\r\n"), 200);
	ck_assert_uint_eq(contacts(), 1);
	ck_assert(said("<sip:a@h:2>"));
	ck_assert_int_eq(put_new("Supported: outbound\r\nContact: <sip:a@h:2>;reg-id=2" INSTANCE "\r\n"), 200);
	ck_assert_uint_eq(contacts(), 2);

	/* it is to ring once */
	finds(0, "sip:a@h:2");
	finds(1, NULL);
}
END_TEST

START_TEST(outbound_takes_an_instance_a_number_and_a_direct_connection)
{
	ck_assert_int_eq(put_new("Contact: <sip:a@h:1>;reg-id=1" INSTANCE "\r\n"), 200);
	ck_assert(!said("Require: outbound"));
	ck_assert_int_eq(put_new("Supported: outbound\r\nContact: <sip:a@h:1>;reg-id=1\r\n"), 200);
	ck_assert(!said("Require: outbound"));
	ck_assert_uint_eq(contacts(), 1);
	ck_assert_int_eq(put_new("Via: SIP/2.0/TLS far;branch=z9hG4bKx\r\nSupported: outbound\r\n"
				 "Contact: <sip:a@h:1>;reg-id=1" INSTANCE "\r\n"), 439);
	ck_assert_int_eq(put_new("Via: SIP/2.0/TLS far;branch=z9hG4bKx\r\nContact: <sip:a@h:1>\r\n"), 200);
}
END_TEST

/* ---- RFC 3327 ------------------------------------------------------------------ */

#define FAR "Via: SIP/2.0/TLS far;branch=z9hG4bKx\r\n"

static void goes_by(const char *path)
{
	struct reg_target *t;

	ck_assert_int_eq(registrar_find(&t, reg, ALICE, 0), 0);
	if (path)
		ck_assert_str_eq(reg_target_path(t), path);
	else
		ck_assert_ptr_null(reg_target_path(t));
	mem_deref(t);
}

START_TEST(the_path_of_a_registration_is_kept_and_told)
{
	ck_assert_int_eq(put_new(FAR "Supported: path\r\nPath: <sip:p1@h;lr>, <sip:p2;lr;ob>\r\n"
				 "Path: <sips:p3:5061;lr>\r\nContact: <sip:a@h>\r\n"), 200);
	ck_assert(said("\r\nPath: <sip:p1@h;lr>, <sip:p2;lr;ob>, <sips:p3:5061;lr>\r\n"));
	ck_assert(said("Supported: outbound, path\r\n"));
	goes_by("<sip:p1@h;lr>, <sip:p2;lr;ob>, <sips:p3:5061;lr>");

	/* another way, then none */
	ck_assert_int_eq(put_new(FAR "Require: path\r\nPath: <sip:p9;lr>\r\n"
				 "Contact: <sip:a@h>\r\n"), 200);
	goes_by("<sip:p9;lr>");
	ck_assert_int_eq(put_new("Contact: <sip:a@h>\r\n"), 200);
	ck_assert(!said("Path: "));
	goes_by(NULL);
}
END_TEST

START_TEST(a_path_that_cannot_be_a_route_or_was_not_asked_for_is_refused)
{
	static const char *const badv[] = {
		"<sip:p1>", "<tel:1;lr>", "sip:p1;lr", "<sip:p1;lr?Route=x>", "<sip:p1;lr>;x=1",
		"<sip:p 1;lr>", "<sip:p1;lr", "\"x\" <sip:p1;lr>", "<sip:\x01;lr>", "x"
	};
	char line[2048], uri[REG_PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(badv); i++) {
		(void)snprintf(line, sizeof(line), "Supported: path\r\nContact: <sip:a@h>\r\n"
			       "Path: %s\r\n", badv[i]);
		ck_assert_msg(put_new(line) == 400, "%s", badv[i]);
	}
	memset(uri, 'a', sizeof(uri) - 1);
	uri[sizeof(uri) - 1] = '\0';
	(void)snprintf(line, sizeof(line), "Supported: path\r\nContact: <sip:a@h>\r\n"
		       "Path: <sip:%s;lr>\r\n", uri);
	ck_assert_int_eq(put_new(line), 403);
	ck_assert_int_eq(put_new("Contact: <sip:a@h>\r\nPath: <sip:p1;lr>\r\n"), 420);
	ck_assert(said("Unsupported: path\r\n"));
	ck_assert_uint_eq(registrar_count(reg), 0);
}
END_TEST

START_TEST(outbound_works_behind_a_proxy_that_keeps_the_flow)
{
	static const char lines[] = FAR "Supported: outbound, path\r\nPath: <sip:p1;lr%s>\r\n"
		"Contact: <sip:a@h:1>;reg-id=1" INSTANCE "\r\n";
	char buf[512];

	(void)snprintf(buf, sizeof(buf), lines, "");
	ck_assert_int_eq(put_new(buf), 439);
	(void)snprintf(buf, sizeof(buf), lines, ";ob");
	ck_assert_int_eq(put_new(buf), 200);
	ck_assert(said("Require: outbound\r\n"));
	goes_by("<sip:p1;lr;ob>");
}
END_TEST

/* ---- noise ------------------------------------------------------------------------ */

static void decode(const char *txt, size_t len)
{
	struct mbuf *mb = mbuf_alloc(len + 1);
	struct sip_msg *msg = NULL;
	const char *why;
	struct reg_req r;

	(void)mbuf_write_mem(mb, (const uint8_t *)txt, len);
	mb->pos = 0;
	if (!sip_msg_decode(&msg, mb) && !regreq_decode(&r, msg, 60, &why)) {
		ck_assert_uint_le(r.contactc, REG_CONTACT_MAX);
		for (const char *p = r.path; *p; p++)
			ck_assert(*p >= ' ' && *p < 0x7f);
		for (unsigned i = 0; i < r.contactc; i++) {
			const struct reg_contact *c = &r.contactv[i];

			ck_assert_uint_le(c->uri.l, REG_URI_MAX);
			ck_assert_uint_le(c->instance.l, REG_INSTANCE_MAX);
			for (size_t k = 0; k < c->uri.l; k++)
				ck_assert(c->uri.p[k] > ' ' && c->uri.p[k] < 0x7f);
			for (size_t k = 0; k < c->instance.l; k++)
				ck_assert_uint_ge((uint8_t)c->instance.p[k], ' ');
		}
	}
	mem_deref(msg);
	mem_deref(mb);
}

START_TEST(flipped_and_cut_requests_yield_nothing_that_could_not_be_printed)
{
	static const char good[] =
		"REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\n"
		"From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\n"
		"Supported: outbound, path\r\nPath: <sip:p;lr>\r\nContact: \"A\" <sip:a@h;transport=tls>"
		";reg-id=1;expires=100" INSTANCE ", <sip:b@h>\r\nExpires: 70\r\n\r\n";
	char txt[sizeof(good)];

	for (size_t i = 0; i < sizeof(good); i++) {
		decode(good, i);
		for (unsigned k = 0; k < 8; k++) {
			memcpy(txt, good, sizeof(good));
			txt[i] = (char)(txt[i] ^ (1 << k));
			decode(txt, sizeof(good) - 1);
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("registrar");
	TCase *tc = tcase_create("registrar");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_phone_is_found_on_its_connection_until_it_expires);
	tcase_add_test(tc, a_refresh_extends_and_moves_to_the_new_connection);
	tcase_add_test(tc, lifetimes_have_a_floor_a_default_and_a_ceiling);
	tcase_add_test(tc, only_the_authenticated_user_registers_an_address);
	tcase_add_test(tc, a_star_removes_all_and_stands_alone);
	tcase_add_test(tc, a_query_lists_and_changes_nothing);
	tcase_add_test(tc, an_older_cseq_of_the_same_call_changes_nothing);
	tcase_add_test(tc, all_of_a_request_is_done_or_nothing);
	tcase_add_test(tc, one_user_cannot_take_all_and_all_cannot_take_more);
	tcase_add_test(tc, what_is_too_long_or_no_plain_uri_is_refused);
	tcase_add_test(tc, text_inside_quotes_is_no_parameter);
	tcase_add_test(tc, without_a_connection_there_is_nothing_to_register);
	tcase_add_test(tc, what_came_on_a_connection_goes_with_it);
	tcase_add_test(tc, nobody_has_to_ask_for_it_to_go);
	tcase_add_test(tc, preferred_phones_come_first_and_the_newer_of_equals);
	tcase_add_test(tc, a_target_that_does_not_answer_is_forgotten);
	tcase_add_test(tc, outbound_is_granted_and_a_flow_replaces_itself);
	tcase_add_test(tc, the_path_of_a_registration_is_kept_and_told);
	tcase_add_test(tc, a_path_that_cannot_be_a_route_or_was_not_asked_for_is_refused);
	tcase_add_test(tc, outbound_works_behind_a_proxy_that_keeps_the_flow);
	tcase_add_test(tc, outbound_takes_an_instance_a_number_and_a_direct_connection);
	tcase_add_test(tc, flipped_and_cut_requests_yield_nothing_that_could_not_be_printed);
	suite_add_tcase(s, tc);

	return check_run(s);
}
