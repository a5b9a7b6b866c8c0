/**
 * @file test_dlgflow.c  What is sent on which connection, when there is one user
 *                      after the other at an address
 *
 * Connections are made up: see call_flows().
 */
#include "dlg_help.h"


static struct mbuf *flow;       /* stands for the connection there is now */

static void *flow_get(const struct sip_msg *msg)
{
	(void)msg;
	return mem_ref(flow);
}


static void flow_new(void)
{
	flow = mbuf_alloc(1);
	ck_assert_ptr_nonnull(flow);
}


static const struct mbuf *shut; /* and that is closed                 */

static bool flow_open(const void *f)
{
	return f != shut;
}


/** From now on a connection is what flow is, whatever TCP says */
static void call_flows(void)
{
	static const struct dlg_flow_handlers fh = {
		.geth = flow_get, .openh = flow_open
	};

	shut = NULL;
	flow_new();
	dlgs_set_flow(a.ds, &fh);
}


/** The port, and so the address, is somebody else's now */
START_TEST(a_2xx_of_the_next_connection_from_there_is_no_branch)
{
	struct mbuf *first;

	call_flows();
	first = flow;
	peer_called(NULL);
	flow_new();
	peer_2xx("stranger");
	peer_settle();
	ck_assert(!dlg_forked(a.dlg));
	mem_deref(flow);
	flow = first;
	peer_2xx("branch");
	peer_expect("ACK");
	peer_expect("BYE");
	flow = mem_deref(flow);
}
END_TEST


START_TEST(a_2xx_is_repeated_on_its_connection_or_not_at_all)
{
	struct mbuf *first;
	uint32_t cseq;

	call_flows();
	first = flow;
	peer_calls_unacked();
	cseq = peer.cseq;
	clock_turn(T1);
	peer_expect("200 INVITE");
	flow_new();
	peer_settle();
	clock_turn(2 * T1);
	peer_expect("200 INVITE");
	shut = first;
	clock_turn(T2);
	peer_settle();
	peer_request_at("ACK", cseq, NULL, NULL);
	WAIT(a.estabc);
	mem_deref(first);
	flow = mem_deref(flow);
}
END_TEST


START_TEST(an_answer_goes_on_the_connection_of_its_offer_or_nowhere)
{
	const char *met = _i ? "UPDATE" : "INVITE";
	struct mbuf *first;

	call_flows();
	first = flow;
	a.h.offerh = end_offer_later;
	peer_calls(NULL);
	peer_request(met, PEER_CONTACT, "offer");
	WAIT(dlg_pending(a.dlg));
	flow_new();
	peer_settle();
	shut = first;
	ck_assert_int_eq(dlg_answer(a.dlg, 200, "OK", body("x")), ENOTCONN);
	ck_assert(!dlg_pending(a.dlg));
	peer_settle();

	/* that one is open */
	peer_request(met, PEER_CONTACT, "offer");
	WAIT(dlg_pending(a.dlg));
	ck_assert_int_eq(dlg_answer(a.dlg, 200, "OK", body("x")), 0);
	peer_expect(_i ? "200 UPDATE" : "200 INVITE");
	mem_deref(first);
	flow = mem_deref(flow);
}
END_TEST


/** Nobody says whose certificate a new one would have to show */
START_TEST(nothing_is_offered_to_the_address_of_a_closed_connection)
{
	call_flows();
	peer_calls(NULL);
	shut = flow;
	ck_assert_int_eq(end_offer(&a, DLG_REINVITE), 0);
	WAIT(a.failc);
	ck_assert_int_eq(a.err, ENOTCONN);
	peer_settle();
	flow = mem_deref(flow);
}
END_TEST


static void tests(TCase *tc)
{
	tcase_add_test(tc,
		       a_2xx_of_the_next_connection_from_there_is_no_branch);
	tcase_add_test(tc, a_2xx_is_repeated_on_its_connection_or_not_at_all);
	tcase_add_loop_test(tc,
			    an_answer_goes_on_the_connection_of_its_offer_or_nowhere,
			    0, 2);
	tcase_add_test(tc,
		       nothing_is_offered_to_the_address_of_a_closed_connection);
}


int main(void)
{
	return peer_run("dialog: connections", tests);
}
