/**
 * @file dlg_help.h  What the tests of dialog/ share
 *
 * A loop that is run until something is true, a clock that can be turned
 * forward, SIP stacks with the dialog layer ("ends") whose messages are
 * remembered, and a peer made of nothing but a TCP connection, which says
 * whatever a test wants.
 */
#ifndef CONCLAVE_TESTS_DLG_HELP_H
#define CONCLAVE_TESTS_DLG_HELP_H

#include <check.h>
#include "dlg.h"

/** Of RFC 3261 section 17.1.1 [ms] */
enum { T1 = 500, T2 = 4000, TIMER_H = 64 * T1 };

/* ---- loop and clock ------------------------------------------------------ */

/** Run the loop until the expression is true; events wake it, nothing sleeps */
#define WAIT(expr)							\
	do {								\
		while (!(expr))						\
			loop_step(__FILE__, __LINE__, #expr);		\
	} while (0)

void loop_setup(void);          /* checked fixture */
void loop_teardown(void);
void loop_step(const char *file, int line, const char *what);
void loop_poke(void);           /* something happened: look again */
void clock_turn(uint64_t ms);   /* libre's clock is this much later now */

/* ---- an end: one stack, the dialog layer, one call ------------------------ */

enum { SEEN_MAX = 512 };

struct seen {
	bool tx;
	struct sa peer;
	char *text;
};

struct end {
	const char *name;
	struct sip *sip;
	struct sip_lsnr *lsnr;
	struct dlgs *ds;
	struct sa laddr;
	struct dlg *dlg;
	struct dlg_handlers h;          /* defaults, a test may change them */
	dlg_auth_h *authh;
	const char *hdrs;               /* of all our INVITEs and 2xx       */

	/* how often each handler was called, and with what */
	unsigned invitec, offerc, answerc, estabc, progrc, closec, failc;
	unsigned madec, reqc;
	int err;                        /* of closeh or offer_failh         */
	uint16_t scode;
	char theirs[64];                /* the last body that came          */
	bool keep;                      /* closeh does not drop the dialog  */

	/* every message */
	struct seen seenv[SEEN_MAX];
	unsigned seenc;
};

extern struct end a, b;

void ends_setup(void);          /* checked fixture: both ends */
void ends_teardown(void);       /* checks that no dialog is left */

struct mbuf *body(const char *fmt, ...);
void body_get(char *buf, size_t size, const struct sip_msg *msg);
void end_connect(struct end *e, const struct sa *to, struct mbuf *sdp);
void end_drop(struct end *e);
int  end_offer(struct end *e, enum dlg_via via);

/** "a1", "a2", ...: the name of the end and how many offers it made */
struct mbuf *end_make_offer(struct dlg *dlg, void *arg);

/** An offerh that leaves the answer to the test */
void end_offer_later(struct dlg *dlg, const struct sip_msg *msg, void *arg);

/** Messages whose first line starts so */
unsigned seen_count(const struct end *e, bool tx, const char *start);
const char *seen_text(const struct end *e, bool tx, const char *start,
		      unsigned n);

/** Call between a and b, with the default handlers */
void call_up(void);

/* ---- the peer: a TCP connection ------------------------------------------- */

enum { PEER_MSG_MAX = 64 };

struct peer {
	struct tcp_sock *ts;
	struct tcp_conn *tc;
	struct mbuf *rx;
	struct sip_msg *msgv[PEER_MSG_MAX];
	unsigned msgc, readc;
	unsigned connc;                 /* connections taken             */
	bool up, closed;
	struct sa laddr;

	/* its side of the dialog */
	char local[128], remote[128], ruri[128], callid[64];
	const char *tag;                /* in replies to a first INVITE */
	uint32_t cseq;
	unsigned branchc;
};

extern struct peer peer;

#define PEER_CONTACT "Contact: <sip:peer@127.0.0.1:9;transport=tcp>\r\n"

void peer_setup(void);          /* checked fixture: ends, and it listens */
void peer_teardown(void);
void peer_connect(const struct sa *to);
void peer_connect_from(const char *ip, const struct sa *to);
void peer_close(void);

/** The next message, which must start so */
struct sip_msg *peer_expect(const char *start);
bool peer_quiet(void);          /* nothing unread */

/** NULL extra: just a Content-Length; else headers, each ending in CRLF */
void peer_request(const char *met, const char *extra, const char *text);
void peer_request_at(const char *met, uint32_t cseq, const char *extra,
		     const char *text);
void peer_reply(const struct sip_msg *msg, uint16_t scode,
		const char *reason, const char *extra, const char *text);
void peer_raw(const char *fmt, ...);

/** The peer calls a: INVITE, 100, 200, ACK */
void peer_calls(const char *extra);
/** The same up to the 200, which is not acknowledged; the 200 */
struct sip_msg *peer_calls_unacked(void);
/** a calls the peer: INVITE, 200, ACK */
void peer_called(const char *extra);
/** A 2xx to the INVITE of peer_called(), from a branch of this name */
void peer_2xx(const char *tag);
/** All that the peer sent before has been read */
void peer_settle(void);

bool hdr_is(const struct sip_msg *msg, enum sip_hdrid id, const char *val);

/** A suite of tests that begin with peer_setup(); for main() */
int peer_run(const char *name, void (*add)(TCase *tc));

#endif
