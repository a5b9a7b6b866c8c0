/**
 * @file test_mixkeys.c  The real mixer process: keys of legs and of classes
 */
#include <check.h>
#include <stdlib.h>
#include "check_run.h"
#include "mixcase.h"

/* ---- keys ---- */

START_TEST(new_uplink_key_takes_over_without_a_gap)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	struct phone *b = phone_add(&rig, &(struct phone_opt){0});
	struct secret *old = NULL;
	struct msrtp *tx = a->tx;

	(void)rig_run(&rig, 600, NULL, NULL);
	/* the mixer knows the new key before the phone uses it */
	old = a->tx_secret;
	a->tx = NULL;
	a->tx_secret = NULL;
	phone_fresh_tx(&rig, a);
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
	msrtp_free(&a->tx);
	a->tx = tx;
	(void)rig_run(&rig, 600, NULL, NULL);
	ck_assert_uint_eq(rig_legstats(&rig, a)->auth_failed, 0);

	msrtp_free(&a->tx);
	ck_assert_int_eq(msrtp_new(&a->tx, MSRTP_TX, a->suite, a->tx_secret, NULL, 0), 0);
	(void)rig_run(&rig, 600, NULL, NULL);
	ck_assert_uint_eq(rig_legstats(&rig, a)->auth_failed, 0);
	ck_assert_uint_le(phone_gap_ms(b, freqv[0]), 40);

	/* the old key is gone some time later */
	(void)rig_run(&rig, 2000, NULL, NULL);
	msrtp_free(&a->tx);
	ck_assert_int_eq(msrtp_new(&a->tx, MSRTP_TX, a->suite, old, NULL, 0), 0);
	(void)rig_run(&rig, 200, NULL, NULL);
	ck_assert_uint_gt(rig_legstats(&rig, a)->auth_failed, 5);
	secret_free(&old);
}
END_TEST

static bool hard_limit(struct rig *r, void *arg)
{
	return r->hard_limits >= *(unsigned *)arg;
}

static bool has_wrapped(struct rig *r, void *arg)
{
	(void)arg;

	return r->roc == 1;
}

/* As after the death of a mixer: the leg is new, the peer's stream is not */
START_TEST(peer_whose_sequence_has_wrapped_is_heard_by_a_mixer_that_is_told)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	unsigned failed;

	a->seq = 65500;
	ck_assert(rig_run(&rig, 3000, has_wrapped, NULL));
	ck_assert_uint_eq(rig.roc_ssrc, a->ssrc);
	ck_assert_int_eq(phone_remove(&rig, a), MP__STATUS__OK);
	a->talking = true;
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
	(void)rig_run(&rig, 400, NULL, NULL);
	ck_assert_uint_eq(rig_legstats(&rig, a)->auth_failed, 0);
	ck_assert_uint_gt(rig_legstats(&rig, a)->rx_packets, 5);

	rig.roc = 0;
	ck_assert_int_eq(phone_remove(&rig, a), MP__STATUS__OK);
	a->talking = true;
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
	(void)rig_run(&rig, 400, NULL, NULL);
	failed = (unsigned)rig_legstats(&rig, a)->auth_failed;
	ck_assert_uint_gt(failed, 5);
}
END_TEST

/* Other words about a key, or another key beside it, do not make it a new one */
START_TEST(peer_that_goes_on_under_its_key_goes_on_in_its_context)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0], .lifetime = 300});
	uint8_t buf[20][RTPH_MTU + RTPH_TRAILER_MAX];
	struct secret *first;
	struct msrtp *tx;
	unsigned i, one = 1;
	size_t len[20];

	a->talking = false;
	for (i = 0; i < 20; i++) {
		len[i] = phone_build(a, buf[i]);
		phone_raw(a, -1, buf[i], len[i]);
	}
	(void)rig_run(&rig, 200, NULL, NULL);
	ck_assert_uint_eq(rig_legstats(&rig, a)->rx_packets, 20);
	a->lifetime = 60;
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
	for (i = 0; i < 20; i++)
		phone_raw(a, -1, buf[i], len[i]);
	(void)rig_run(&rig, 200, NULL, NULL);
	ck_assert_uint_eq(rig_legstats(&rig, a)->replayed, 20);
	ck_assert_uint_eq(rig_legstats(&rig, a)->rx_packets, 20);

	/* to another one and back: what it has used is used */
	first = a->tx_secret;
	tx = a->tx;
	a->tx_secret = NULL;
	a->tx = NULL;
	phone_fresh_tx(&rig, a);
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
	secret_free(&a->tx_secret);
	msrtp_free(&a->tx);
	a->tx_secret = first;
	a->tx = tx;
	a->lifetime = 61;
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
	for (i = 0; i < 20; i++)
		phone_raw(a, -1, buf[i], len[i]);
	(void)rig_run(&rig, 200, NULL, NULL);
	ck_assert_uint_eq(rig_legstats(&rig, a)->replayed, 40);
	a->talking = true;
	ck_assert(rig_run(&rig, 3000, hard_limit, &one));
	ck_assert_uint_eq(rig_legstats(&rig, a)->rx_packets, 61);
}
END_TEST

/* Its sender wrapped before this packet */
static void count_on(struct phone *p)
{
	const struct rtph h = {.ssrc = p->ssrc};
	uint8_t pkt[64 + RTPH_TRAILER_MAX];

	for (unsigned i = 0; i < 2; i++) {
		struct rtph next = h;
		size_t len;

		next.seq = (uint16_t)(i - 1);
		len = rtph_encode(pkt, sizeof(pkt), &next);
		ck_assert_int_eq(msrtp_protect(p->tx, pkt, &len), MSRTP_OK);
	}
}

/* RFC 3711 has the counter go on, many phones begin anew: both are heard */
START_TEST(peers_whose_sequences_have_wrapped_are_heard_under_a_new_key)
{
	struct phone *anew = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	struct phone *on = phone_add(&rig, &(struct phone_opt){.freq = freqv[1]});
	struct phone *b = phone_add(&rig, &(struct phone_opt){0});

	anew->seq = on->seq = 65500;
	ck_assert(rig_run(&rig, 3000, has_wrapped, NULL));
	(void)rig_run(&rig, 200, NULL, NULL);
	rig.roc = rig.roc_ssrc = 0;
	phone_fresh_tx(&rig, anew);
	phone_fresh_tx(&rig, on);
	count_on(on);
	ck_assert_int_eq(phone_set(&rig, anew, 0, 0, false, true), MP__STATUS__OK);
	ck_assert_int_eq(phone_set(&rig, on, 0, 0, false, true), MP__STATUS__OK);
	(void)rig_run(&rig, 600, NULL, NULL);
	ck_assert_uint_eq(rig_legstats(&rig, anew)->auth_failed, 0);
	ck_assert_uint_eq(rig_legstats(&rig, on)->auth_failed, 0);
	ck_assert_uint_le(phone_gap_ms(b, freqv[0]), 40);
	ck_assert_uint_le(phone_gap_ms(b, freqv[1]), 40);

	/* a mixer that comes after this one has to be told */
	ck_assert_uint_eq(rig.roc_ssrc, on->ssrc);
	ck_assert_uint_eq(rig.roc, 1);
}
END_TEST

START_TEST(new_downlink_key_brings_a_new_ssrc_at_once)
{
	struct phone *b = phone_add(&rig, &(struct phone_opt){0});
	uint32_t ssrc = rig.tx_ssrc;

	(void)phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	(void)rig_run(&rig, 600, NULL, NULL);
	secret_free(&b->rx_secret);
	ck_assert_int_eq(secret_draw(&b->rx_secret, suite_keysalt_len(b->suite)), 0);
	phone_add_rx(b, b->suite, b->rx_secret, ++rig.keyc);
	ck_assert_int_eq(phone_set(&rig, b, 0, 0, false, true), MP__STATUS__OK);
	ck_assert_uint_ne(rig.tx_ssrc, ssrc);
	(void)rig_run(&rig, 800, NULL, NULL);
	ck_assert_uint_eq(count_ssrcs(b), 2);
	ck_assert_uint_eq(b->auth_failed, 0);
	ck_assert_uint_le(phone_gap_ms(b, freqv[0]), 60);
	/* the old one is named in a BYE, under the new key */
	ck_assert_uint_eq(b->bye_ssrc, ssrc);
}
END_TEST

START_TEST(declared_lifetime_of_a_key_is_kept_in_both_directions)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0], .lifetime = 60});
	struct phone *b;
	unsigned one = 1, two = 2;

	/* the uplink: warned, then refused */
	ck_assert(rig_run(&rig, 3000, hard_limit, &one));
	ck_assert_uint_eq(rig.limits, 1);
	ck_assert_uint_eq(rig_legstats(&rig, a)->rx_packets, 60);

	/* the downlink: warned, then silent */
	(void)phone_add(&rig, &(struct phone_opt){.freq = freqv[1]});
	b = phone_add(&rig, &(struct phone_opt){.lifetime = 60});
	rig.limits = 0;
	ck_assert(rig_run(&rig, 3000, hard_limit, &two));
	ck_assert_uint_ge(rig.limits, 1);
	(void)rig_run(&rig, 300, NULL, NULL);
	ck_assert_uint_eq(b->rtpc, 60);
}
END_TEST

START_TEST(our_own_key_sent_back_is_refused)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){0});

	secret_free(&a->tx_secret);
	ck_assert_int_eq(secret_copy(&a->tx_secret, secret_bytes(a->rx_secret), secret_len(a->rx_secret)), 0);
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__ERR_INVALID);
}
END_TEST

START_TEST(without_a_key_nothing_is_sent)
{
	struct phone *b = phone_add(&rig, &(struct phone_opt){.no_own_key = true});

	(void)phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	(void)rig_run(&rig, 1800, NULL, NULL);
	ck_assert_uint_eq(b->wirec, 0);
}
END_TEST

/* ---- group keying ---- */

START_TEST(silent_legs_of_a_class_get_the_same_bytes)
{
	struct phone *a, *b, *c, *d;
	unsigned i, k, same = 0;

	install_epoch(1);
	a = group_phone(freqv[0], 1);
	b = group_phone(freqv[1], 1);
	c = group_phone(0, 1);
	d = group_phone(0, 1);
	(void)rig_run(&rig, 2500, NULL, NULL);

	/* talkers: mix-minus; listeners: both tones */
	ck_assert_double_gt(phone_hears(a, freqv[1]), -30);
	ck_assert_double_lt(phone_hears(a, freqv[0]), -50);
	ck_assert_double_gt(phone_hears(c, freqv[0]), -30);
	ck_assert_double_gt(phone_hears(d, freqv[1]), -30);
	for (i = 0; i < 4; i++)
		ck_assert_uint_eq(rig.phonev[i].auth_failed, 0);

	for (i = 0; i < c->wirec; i++)
		for (k = 0; k < d->wirec; k++)
			same += !c->wirev[i].rtcp && c->wirev[i].len == d->wirev[k].len &&
				!memcmp(c->wirev[i].v, d->wirev[k].v, c->wirev[i].len);
	ck_assert_uint_ge(same, d->rtpc - 2);
	ck_assert_uint_ge(check_unique(), 80);
	/* the class's SSRC is one, a talker's mix-minus has another */
	ck_assert_uint_eq(count_ssrcs(c), 1);
	ck_assert_uint_ne(c->heard_ssrc, a->heard_ssrc);
	ck_assert_uint_ne(a->heard_ssrc, b->heard_ssrc);
}
END_TEST

START_TEST(legs_change_epoch_one_by_one)
{
	struct phone *b, *c;

	install_epoch(1);
	(void)group_phone(freqv[0], 1);
	b = group_phone(0, 1);
	c = group_phone(0, 1);
	(void)rig_run(&rig, 600, NULL, NULL);
	install_epoch(2);
	phone_add_rx(b, b->suite, epochv[2], keynov[2]);
	phone_add_rx(c, c->suite, epochv[2], keynov[2]);
	ck_assert_int_eq(phone_set(&rig, b, CLASS, 2, false, false), MP__STATUS__OK);
	(void)rig_run(&rig, 400, NULL, NULL);
	/* both epochs are live: each leg hears under its own */
	ck_assert_uint_ne(b->heard_ssrc, c->heard_ssrc);
	ck_assert_uint_eq(b->wirev[b->wirec - 1].keyno, keynov[2]);
	ck_assert_uint_eq(c->wirev[c->wirec - 1].keyno, keynov[1]);
	/* the laggard falls silent with its epoch */
	ck_assert_int_eq(rig_retire(&rig, CLASS, 1), MP__STATUS__OK);
	(void)rig_run(&rig, 100, NULL, NULL);
	c->wirec = b->wirec = 0;
	(void)rig_run(&rig, 400, NULL, NULL);
	ck_assert_uint_eq(c->wirec, 0);
	ck_assert_uint_gt(b->wirec, 15);
	ck_assert_int_eq(phone_set(&rig, c, CLASS, 1, false, false), MP__STATUS__ERR_NO_KEY);
	ck_assert_int_eq(phone_set(&rig, c, CLASS, 2, false, false), MP__STATUS__OK);
	(void)rig_run(&rig, 400, NULL, NULL);
	ck_assert_uint_eq(c->heard_ssrc, b->heard_ssrc);
	(void)check_unique();
	ck_assert_uint_le(phone_gap_ms(b, freqv[0]), 60);
}
END_TEST

static bool has_report(struct rig *r, void *arg)
{
	return r->reports && r->report_ssrc == *(uint32_t *)arg;
}

START_TEST(trial_leg_gets_both_streams_and_its_report_is_the_proof)
{
	struct phone *b;
	uint32_t group_ssrc = 0;
	struct rtcpx rr;
	unsigned i;

	install_epoch(1);
	(void)phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	b = phone_add(&rig, &(struct phone_opt){.class_id = CLASS, .epoch = 1, .both = true,
			.group = epochv[1], .keyno = keynov[1]});
	(void)rig_run(&rig, 600, NULL, NULL);
	ck_assert_uint_eq(count_ssrcs(b), 2);
	for (i = 0; i < b->wirec; i++)
		if (b->wirev[i].keyno == keynov[1] && !b->wirev[i].rtcp)
			memcpy(&group_ssrc, b->wirev[i].v + 8, 4);
	group_ssrc = ntohl(group_ssrc);

	memset(&rr, 0, sizeof(rr));
	rr.sender_ssrc = b->ssrc;
	rr.rbc = 2;
	rr.rbv[0].ssrc = 0x12345;
	rr.rbv[1].ssrc = group_ssrc;
	phone_send_rtcp(b, &rr);
	phone_send_rtcp(b, &rr);
	ck_assert(rig_run(&rig, 1000, has_report, &group_ssrc));
	(void)rig_run(&rig, 100, NULL, NULL);
	ck_assert_uint_eq(rig.reports, 1);
	ck_assert_uint_eq(rig.report_leg, b->leg);
}
END_TEST

static unsigned under_key(const struct phone *p, uint32_t keyno)
{
	unsigned i, n = 0;

	for (i = 0; i < p->wirec; i++)
		n += !p->wirev[i].rtcp && p->wirev[i].keyno == keyno;

	return n;
}

static struct phone *mki_phone(double freq, unsigned epoch)
{
	return phone_add(&rig, &(struct phone_opt){.freq = freq, .class_id = CLASS, .epoch = epoch,
			.mki = true, .group = epochv[epoch], .keyno = keynov[epoch]});
}

START_TEST(leg_with_two_keys_falls_back_and_returns_without_a_gap)
{
	struct phone *talker, *plain, *b, *c, *pv[3];
	unsigned before[3], i;

	rig.mki = true;
	install_epoch(1);
	talker = mki_phone(freqv[0], 1);
	b = mki_phone(0, 1);
	c = mki_phone(freqv[1], 1);
	plain = phone_add(&rig, &(struct phone_opt){0});
	(void)talker;
	pv[0] = plain;
	pv[1] = b;
	pv[2] = c;
	(void)rig_run(&rig, 800, NULL, NULL);
	/* the group stream, and nothing under their own keys */
	ck_assert_uint_gt(under_key(b, keynov[1]), 20);
	ck_assert_uint_eq(under_key(b, keynov[1]), b->rtpc);
	ck_assert_uint_eq(under_key(c, keynov[1]), c->rtpc);

	for (i = 0; i < 3; i++)
		before[i] = pv[i]->rtpc;
	ck_assert_int_eq(rig_retire(&rig, CLASS, 1), MP__STATUS__OK);
	(void)rig_run(&rig, 60, NULL, NULL);
	b->wirec = c->wirec = 0;
	(void)rig_run(&rig, 400, NULL, NULL);
	ck_assert_uint_gt(under_key(b, b->rxv[0].keyno), 15);
	ck_assert_uint_eq(under_key(b, keynov[1]), 0);
	ck_assert_uint_gt(under_key(c, c->rxv[0].keyno), 15);

	install_epoch(2);
	phone_add_rx(b, b->suite, epochv[2], keynov[2]);
	phone_add_rx(c, c->suite, epochv[2], keynov[2]);
	ck_assert_int_eq(phone_set(&rig, b, CLASS, 2, false, true), MP__STATUS__OK);
	ck_assert_int_eq(phone_set(&rig, c, CLASS, 2, false, true), MP__STATUS__OK);
	(void)rig_run(&rig, 60, NULL, NULL);
	b->wirec = c->wirec = 0;
	(void)rig_run(&rig, 400, NULL, NULL);
	ck_assert_uint_gt(under_key(b, keynov[2]), 15);
	ck_assert_uint_eq(under_key(b, b->rxv[0].keyno), 0);
	ck_assert_uint_gt(under_key(c, keynov[2]), 15);

	/* not one packet less than who never changed its key */
	for (i = 1; i < 3; i++) {
		ck_assert_int_le(abs((int)(pv[i]->rtpc - before[i]) -
				     (int)(plain->rtpc - before[0])), 1);
		ck_assert_uint_eq(pv[i]->auth_failed, 0);
	}
	(void)check_unique();
}
END_TEST

/** The stream that was left is named in a BYE, and its own is there at once,
 *  even if nobody talks */
START_TEST(fall_back_in_silence_is_heard_of_at_once)
{
	struct phone *b;

	rig.mki = true;
	install_epoch(1);
	b = mki_phone(0, 1);
	(void)rig_run(&rig, 600, NULL, NULL);
	b->wirec = b->rtpc = 0;
	ck_assert_int_eq(rig_retire(&rig, CLASS, 1), MP__STATUS__OK);
	(void)rig_run(&rig, 1000, NULL, NULL);
	ck_assert_uint_ge(b->rtpc, 1);
	ck_assert_uint_eq(under_key(b, b->rxv[0].keyno), b->rtpc);
	ck_assert_uint_eq(b->byes, 1);
}
END_TEST

START_TEST(silent_trial_leg_hears_from_both_streams_every_second)
{
	struct phone *b;

	install_epoch(1);
	b = phone_add(&rig, &(struct phone_opt){.class_id = CLASS, .epoch = 1, .both = true,
			.group = epochv[1], .keyno = keynov[1]});
	(void)rig_run(&rig, 500, NULL, NULL);
	b->wirec = b->rtpc = 0;
	(void)rig_run(&rig, 2500, NULL, NULL);
	ck_assert_uint_ge(b->rtpc, 4);
	ck_assert_uint_le(b->rtpc, 8);
	ck_assert_uint_eq(count_ssrcs(b), 2);
}
END_TEST

START_TEST(key_install_is_idempotent_and_never_changes_a_key)
{
	struct secret *other = NULL;
	uint32_t keyno;

	install_epoch(1);
	install_epoch(1);
	ck_assert_int_eq(rig_key(&rig, CLASS, 1, SUITE_AES_CM_128_HMAC_SHA1_80, CODEC_PCMA, PT_PCMA,
				 &other, &keyno), MP__STATUS__ERR_INVALID);
	secret_free(&other);
	ck_assert_int_eq(rig_retire(&rig, CLASS, 1), MP__STATUS__OK);
	ck_assert_int_eq(rig_retire(&rig, CLASS, 1), MP__STATUS__OK);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("mixkeys");

	mixcase_add(s, "keys", mixcase_up4, (const TTest *const[]){
			new_uplink_key_takes_over_without_a_gap,
			peer_whose_sequence_has_wrapped_is_heard_by_a_mixer_that_is_told,
			peer_that_goes_on_under_its_key_goes_on_in_its_context,
			peers_whose_sequences_have_wrapped_are_heard_under_a_new_key,
			new_downlink_key_brings_a_new_ssrc_at_once,
			declared_lifetime_of_a_key_is_kept_in_both_directions,
			our_own_key_sent_back_is_refused,
			without_a_key_nothing_is_sent,
			NULL });
	mixcase_add(s, "group keying", mixcase_up4, (const TTest *const[]){
			silent_legs_of_a_class_get_the_same_bytes,
			legs_change_epoch_one_by_one,
			trial_leg_gets_both_streams_and_its_report_is_the_proof,
			silent_trial_leg_hears_from_both_streams_every_second,
			leg_with_two_keys_falls_back_and_returns_without_a_gap,
			fall_back_in_silence_is_heard_of_at_once,
			key_install_is_idempotent_and_never_changes_a_key,
			NULL });

	return s;
}

int main(void)
{
	return check_run(suite());
}
