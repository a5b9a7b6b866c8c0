/**
 * @file test_dlgprack.c  Reliable provisional responses, RFC 3262
 */
#include <string.h>
#include "dlg_help.h"

#define RELIABLE(n) PEER_CONTACT "Require: 100rel\r\nRSeq: " #n "\r\n"
#define SDP "Content-Type: application/sdp\r\n"


static struct sip_msg *call(void)
{
	end_connect(&a, &peer.laddr, body("hello"));

	return peer_expect("INVITE");
}


/** The PRACK of a 1xx from the branch that peer.tag names */
static struct sip_msg *prack(const char *rack)
{
	struct sip_msg *msg = peer_expect("PRACK");
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_RACK);

	ck_assert_ptr_nonnull(hdr);
	ck_assert_msg(!pl_strcmp(&hdr->val, rack), "RAck is %.*s, not %s",
		      (int)hdr->val.l, hdr->val.p, rack);
	ck_assert(!pl_strcmp(&msg->to.tag, peer.tag));
	peer_reply(msg, 200, "OK", NULL, NULL);

	return msg;
}


static void picked_up(const struct sip_msg *inv, const char *text)
{
	peer_reply(inv, 200, "OK", PEER_CONTACT, text);
	peer_expect("ACK");
	WAIT(a.estabc);
}


START_TEST(each_reliable_one_is_acknowledged_once)
{
	struct sip_msg *inv = call(), *msg;
	char rack[64];
	uint32_t cseq;

	peer_reply(inv, 180, "Ringing", RELIABLE(4711), NULL);
	(void)re_snprintf(rack, sizeof(rack), "4711 %u INVITE", inv->cseq.num);
	msg = prack(rack);
	cseq = msg->cseq.num;
	ck_assert_uint_eq(cseq, inv->cseq.num + 1);
	ck_assert(!pl_strcmp(&msg->ruri, "sip:peer@127.0.0.1:9;transport=tcp"));

	/* once more, and one that overtook another */
	peer_reply(inv, 180, "Ringing", RELIABLE(4711), NULL);
	peer_reply(inv, 183, "Progress", RELIABLE(4713), NULL);
	peer_reply(inv, 183, "Progress", RELIABLE(4712), NULL);
	(void)re_snprintf(rack, sizeof(rack), "4712 %u INVITE", inv->cseq.num);
	ck_assert_uint_eq(prack(rack)->cseq.num, cseq + 1);
	ck_assert_uint_eq(a.progrc, 2);

	picked_up(inv, "welcome");
	ck_assert_str_eq(a.theirs, "welcome");
	ck_assert_int_eq(end_offer(&a, DLG_REINVITE), 0);
	msg = peer_expect("INVITE");
	ck_assert_uint_eq(msg->cseq.num, cseq + 2);
}
END_TEST


START_TEST(what_is_not_reliable_gets_no_prack)
{
	static const char *const extrav[] = {
		PEER_CONTACT "RSeq: 1\r\n",
		PEER_CONTACT "Require: 100rel\r\n",
		PEER_CONTACT "Require: 100rel\r\nRSeq: 0\r\n",
		PEER_CONTACT "Require: 100rel\r\nRSeq: 12345678901\r\n",
		"Require: 100rel\r\nRSeq: 1\r\n",         /* no Contact */
	};
	struct sip_msg *inv = call();

	peer_reply(inv, 100, "Trying", RELIABLE(1), NULL);
	for (size_t i = 0; i < ARRAY_SIZE(extrav); i++)
		peer_reply(inv, 180, "Ringing", extrav[i], NULL);
	WAIT(a.progrc == ARRAY_SIZE(extrav));
	picked_up(inv, "welcome");
}
END_TEST


START_TEST(answer_in_a_reliable_one_is_the_answer)
{
	struct sip_msg *inv = call();

	peer_reply(inv, 183, "Progress", RELIABLE(1) SDP, "early");
	prack("1 1 INVITE");
	peer_reply(inv, 183, "Progress", RELIABLE(2) SDP, "second");
	prack("2 1 INVITE");
	ck_assert_uint_eq(a.answerc, 0);
	picked_up(inv, _i ? "late" : NULL);
	ck_assert_uint_eq(a.answerc, 1);
	ck_assert_str_eq(a.theirs, "early");
}
END_TEST


START_TEST(answer_in_an_unreliable_one_is_none)
{
	struct sip_msg *inv = call();

	peer_reply(inv, 183, "Progress", PEER_CONTACT SDP, "early");
	picked_up(inv, "late");
	ck_assert_str_eq(a.theirs, "late");
}
END_TEST


START_TEST(branches_are_counted_apart_and_the_winners_answer_counts)
{
	struct sip_msg *inv = call(), *one, *two;

	peer.tag = "one";
	peer_reply(inv, 183, "Progress", RELIABLE(7) SDP, "first");
	one = prack("7 1 INVITE");
	peer.tag = "two";
	peer_reply(inv, 183, "Progress", RELIABLE(7) SDP, "second");
	two = prack("7 1 INVITE");
	ck_assert_uint_gt(two->cseq.num, one->cseq.num);
	peer.tag = "one";
	peer_reply(inv, 180, "Ringing", RELIABLE(8), NULL);
	ck_assert_uint_gt(prack("8 1 INVITE")->cseq.num, two->cseq.num);

	peer.tag = "two";
	picked_up(inv, NULL);
	ck_assert_str_eq(a.theirs, "second");
	ck_assert(dlg_forked(a.dlg));
	ck_assert_uint_eq(dlgs_count(a.ds), 1);
}
END_TEST


START_TEST(a_flood_of_branches_is_bounded)
{
	struct sip_msg *inv = call();
	char tag[16];

	for (unsigned i = 0; i < 40; i++) {
		(void)re_snprintf(tag, sizeof(tag), "t%u", i);
		peer.tag = tag;
		peer_reply(inv, 180, "Ringing", RELIABLE(1), NULL);
		if (i < 8)
			prack("1 1 INVITE");
	}
	WAIT(a.progrc == 40);
	ck_assert(peer_quiet());
	ck_assert_uint_le(dlgs_count(a.ds), 1 + 8);
	peer_reply(inv, 486, "Busy", NULL, NULL);
	peer_expect("ACK");
	WAIT(a.closec && !dlgs_count(a.ds));
}
END_TEST


/** Section 3: a peer that counts on before our PRACK came is wrong, or in haste */
START_TEST(one_prack_at_a_time_is_enough)
{
	struct sip_msg *inv = call(), *msg;
	char extra[128];

	peer_reply(inv, 180, "Ringing", RELIABLE(1), NULL);
	msg = peer_expect("PRACK");
	for (unsigned i = 2; i < 40; i++) {
		(void)re_snprintf(extra, sizeof(extra), PEER_CONTACT
				  "Require: 100rel\r\nRSeq: %u\r\n", i);
		peer_reply(inv, 183, "Progress", extra, NULL);
	}
	peer_reply(inv, 180, "Ringing", PEER_CONTACT, NULL);
	WAIT(a.progrc == 2);

	/* who repeats it, as it must, is heard then */
	peer_reply(msg, 200, "OK", NULL, NULL);
	peer_reply(inv, 183, "Progress", RELIABLE(2), NULL);
	prack("2 1 INVITE");
	picked_up(inv, "welcome");
}
END_TEST


/** Whoever knows what the INVITE says, but is not where it went */
START_TEST(a_1xx_from_elsewhere_counts_for_nothing)
{
	struct sip_msg *inv = call();

	peer_close();
	peer_connect(&a.laddr);
	peer_reply(inv, 180, "Ringing", RELIABLE(1), NULL);
	strcpy(peer.ruri, "sip:a");
	strcpy(peer.callid, "other");
	strcpy(peer.local, "<sip:peer@example.org>;tag=x");
	strcpy(peer.remote, "<sip:a@example.org>");
	peer_request("OPTIONS", NULL, NULL);
	peer_expect("501 OPTIONS");
	ck_assert_uint_eq(a.progrc, 0);
	ck_assert_uint_eq(dlgs_count(a.ds), 1);
}
END_TEST


START_TEST(a_new_offer_before_the_2xx_is_put_off)
{
	struct sip_msg *inv = call();

	peer_reply(inv, 183, "Progress", RELIABLE(1) SDP, "early");
	prack("1 1 INVITE");
	peer.cseq = 200;
	(void)re_snprintf(peer.ruri, sizeof(peer.ruri), "sip:a@%J", &a.laddr);
	(void)re_snprintf(peer.callid, sizeof(peer.callid), "%r",
			  &inv->callid);
	(void)re_snprintf(peer.local, sizeof(peer.local), "%r;tag=peer",
			  &inv->to.val);
	(void)re_snprintf(peer.remote, sizeof(peer.remote), "%r",
			  &inv->from.val);
	peer_request("UPDATE", PEER_CONTACT, "x");
	peer_expect("491 UPDATE");
	peer_request("BYE", PEER_CONTACT, NULL);
	peer_expect("481 BYE");
	picked_up(inv, NULL);
	ck_assert_str_eq(a.theirs, "early");
	peer_request("UPDATE", PEER_CONTACT, "x");
	peer_expect("200 UPDATE");
}
END_TEST


static void drop_progr(struct dlg *dlg, const struct sip_msg *msg, void *arg)
{
	(void)msg;
	ck_assert_ptr_eq(dlg, a.dlg);
	end_drop(arg);
}


START_TEST(drop_in_progrh)
{
	struct sip_msg *inv, *can;

	a.h.progrh = drop_progr;
	inv = call();
	peer_reply(inv, 180, "Ringing", _i ? RELIABLE(1) : NULL, NULL);
	if (_i)
		prack("1 1 INVITE");
	can = peer_expect("CANCEL");
	peer_reply(can, 200, "OK", NULL, NULL);
	peer_reply(inv, 487, "Terminated", NULL, NULL);
	peer_expect("ACK");
	WAIT(!dlgs_count(a.ds));
}
END_TEST


START_TEST(drop_while_a_reliable_one_rings)
{
	struct sip_msg *inv = call(), *can;

	peer_reply(inv, 180, "Ringing", RELIABLE(1), NULL);
	prack("1 1 INVITE");
	end_drop(&a);
	can = peer_expect("CANCEL");
	peer_reply(can, 200, "OK", NULL, NULL);
	peer_reply(inv, 487, "Terminated", NULL, NULL);
	peer_expect("ACK");
	WAIT(!dlgs_count(a.ds));
}
END_TEST


START_TEST(whoever_wants_ours_reliably_hears_nothing_before_the_answer)
{
	peer_connect(&a.laddr);
	peer.cseq = 1;
	strcpy(peer.callid, "reliable");
	(void)re_snprintf(peer.ruri, sizeof(peer.ruri), "sip:a@%J", &a.laddr);
	strcpy(peer.local, "<sip:peer@example.org>;tag=peer");
	strcpy(peer.remote, "<sip:a@example.org>");
	peer_request("INVITE", PEER_CONTACT "Require: 100rel\r\n", "hello");
	peer_expect("100 INVITE");
	ck_assert_int_eq(dlg_answer(a.dlg, 200, "OK", body("welcome")), 0);
	(void)re_snprintf(peer.remote, sizeof(peer.remote), "%r",
			  &peer_expect("200 INVITE")->to.val);
	peer_request("ACK", NULL, NULL);
	WAIT(a.estabc);
	peer_request("PRACK", "RAck: 1 1 INVITE\r\n", NULL);
	peer_expect("481 PRACK");
	ck_assert(dlg_established(a.dlg));
}
END_TEST


static void tests(TCase *tc)
{
	tcase_add_test(tc, each_reliable_one_is_acknowledged_once);
	tcase_add_test(tc, what_is_not_reliable_gets_no_prack);
	tcase_add_loop_test(tc, answer_in_a_reliable_one_is_the_answer, 0, 2);
	tcase_add_test(tc, answer_in_an_unreliable_one_is_none);
	tcase_add_test(tc,
		       branches_are_counted_apart_and_the_winners_answer_counts);
	tcase_add_test(tc, a_flood_of_branches_is_bounded);
	tcase_add_test(tc, one_prack_at_a_time_is_enough);
	tcase_add_test(tc, a_1xx_from_elsewhere_counts_for_nothing);
	tcase_add_test(tc, a_new_offer_before_the_2xx_is_put_off);
	tcase_add_loop_test(tc, drop_in_progrh, 0, 2);
	tcase_add_test(tc, drop_while_a_reliable_one_rings);
	tcase_add_test(tc,
		       whoever_wants_ours_reliably_hears_nothing_before_the_answer);
}


int main(void)
{
	return peer_run("dialog: reliable provisional responses", tests);
}
