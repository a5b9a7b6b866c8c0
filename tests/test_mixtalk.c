/**
 * @file test_mixtalk.c  The real mixer process: who gets a place among the speakers
 */
#include <check.h>
#include <stdlib.h>
#include "check_run.h"
#include "mixcase.h"

/* ---- speakers ---- */

START_TEST(closed_gate_silences_a_leg)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	struct phone *b = phone_add(&rig, &(struct phone_opt){0});

	(void)rig_run(&rig, 500, NULL, NULL);
	ck_assert_int_eq(phone_gate(&rig, a, false), MP__STATUS__OK);
	(void)rig_run(&rig, 300, NULL, NULL);
	phone_forget_audio(b);
	(void)rig_run(&rig, 600, NULL, NULL);
	ck_assert_double_lt(phone_hears(b, freqv[0]), -60);
	ck_assert_uint_eq(rig.talkerc, 0);
	ck_assert_int_eq(phone_gate(&rig, a, true), MP__STATUS__OK);
	phone_forget_audio(b);
	(void)rig_run(&rig, 700, NULL, NULL);
	ck_assert_double_gt(phone_hears(b, freqv[0]), -30);
}
END_TEST

START_TEST(who_holds_and_sends_its_own_music_is_not_heard)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	struct phone *b = phone_add(&rig, &(struct phone_opt){0});

	(void)rig_run(&rig, 500, NULL, NULL);
	a->no_recv = true;
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
	(void)rig_run(&rig, 300, NULL, NULL);
	phone_forget_audio(b);
	(void)rig_run(&rig, 600, NULL, NULL);
	ck_assert_double_lt(phone_hears(b, freqv[0]), -60);
	a->no_recv = false;
	ck_assert_int_eq(phone_set(&rig, a, 0, 0, false, true), MP__STATUS__OK);
	phone_forget_audio(b);
	(void)rig_run(&rig, 700, NULL, NULL);
	ck_assert_double_gt(phone_hears(b, freqv[0]), -30);
}
END_TEST

START_TEST(no_more_than_k_are_mixed)
{
	struct phone *d;
	unsigned i, heard = 0;

	ck_assert_int_eq(rig_conf(&rig, CONF, 2), MP__STATUS__OK);
	for (i = 0; i < 4; i++)
		(void)phone_add(&rig, &(struct phone_opt){.freq = freqv[i]});
	d = phone_add(&rig, &(struct phone_opt){0});
	(void)rig_run(&rig, 2000, NULL, NULL);
	for (i = 0; i < 4; i++)
		heard += phone_hears(d, freqv[i]) > -35;
	ck_assert_uint_eq(heard, 2);
	ck_assert_uint_eq(rig.talkerc, 2);
	ck_assert_uint_eq(d->csrcc, 2);
}
END_TEST

START_TEST(a_level_that_is_a_lie_wins_nothing)
{
	struct phone *d;
	unsigned i;

	ck_assert_int_eq(rig_conf(&rig, CONF, 1), MP__STATUS__OK);
	/* claims to be loud, sends silence */
	struct phone *liar = phone_add(&rig, &(struct phone_opt){.freq = 1, .level_ext = 1, .level = 5});
	tone_gen_init(&liar->tone, 440, 8000, -120);
	(void)rig_run(&rig, 1000, NULL, NULL);
	ck_assert_uint_eq(rig.talkerc, 0);
	(void)phone_add(&rig, &(struct phone_opt){.freq = freqv[1]});
	d = phone_add(&rig, &(struct phone_opt){0});
	(void)rig_run(&rig, 1500, NULL, NULL);
	phone_forget_audio(d);
	for (i = 0; i < 2; i++)
		(void)rig_run(&rig, 500, NULL, NULL);
	ck_assert_double_gt(phone_hears(d, freqv[1]), -30);
	ck_assert_uint_le(phone_gap_ms(d, freqv[1]), 40);
}
END_TEST

static int peak_of(const struct phone *p)
{
	int peak = 0;
	size_t i;

	for (i = 0; i < p->pcmc; i++)
		peak = abs(p->pcm[i]) > peak ? abs(p->pcm[i]) : peak;

	return peak;
}

/* Its mix-minus is made by another encoder than what it heard before, which its
   decoder does not know */
static void begin_to_talk(enum codec_id codec)
{
	struct phone *a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	struct phone *b = phone_add(&rig, &(struct phone_opt){.codec = codec, .freq = freqv[3]});
	unsigned i;

	b->talking = false;
	for (i = 0; i < 3; i++) {
		/* louder while it talks, or softer, or louder again */
		tone_gen_init(&a->tone, freqv[0], 8000, i & 1 ? -10 : -30);
		(void)rig_run(&rig, 700, NULL, NULL);
		if (!i)
			phone_forget_audio(b);
		b->talking = true;
		b->next_us = rig_now_us();
		(void)rig_run(&rig, 300, NULL, NULL);
		tone_gen_init(&a->tone, freqv[0], 8000, i & 1 ? -30 : -10);
		(void)rig_run(&rig, 300, NULL, NULL);
		b->talking = false;
		(void)rig_run(&rig, 400, NULL, NULL);
	}
	ck_assert_double_lt(phone_hears(b, freqv[3]), -50);
	ck_assert_double_gt(phone_hears(b, freqv[0]), -20);
	/* -10 dBFS is 14654, and the tone itself jumps */
	ck_assert_int_lt(peak_of(b), 22000);
}

START_TEST(who_begins_to_talk_or_stops_hears_no_burst_with_g722)
{
	begin_to_talk(CODEC_G722);
}
END_TEST

START_TEST(who_begins_to_talk_or_stops_hears_no_burst_with_opus)
{
	begin_to_talk(CODEC_OPUS);
}
END_TEST

static void lie(enum codec_id codec)
{
	struct phone *t, *d, *liar;

	ck_assert_int_eq(rig_conf(&rig, CONF, 1), MP__STATUS__OK);
	t = phone_add(&rig, &(struct phone_opt){.freq = freqv[1]});
	tone_gen_init(&t->tone, freqv[1], 8000, -20);
	d = phone_add(&rig, &(struct phone_opt){0});
	(void)rig_run(&rig, 1500, NULL, NULL);
	phone_forget_audio(d);
	liar = phone_add(&rig, &(struct phone_opt){.codec = codec, .freq = 1, .level_ext = 1, .level = 0});
	tone_gen_init(&liar->tone, 440, liar->codec->rate, -120);
	(void)rig_run(&rig, 4000, NULL, NULL);
	ck_assert_double_gt(phone_hears(d, freqv[1]), -30);
	ck_assert_uint_le(phone_gap_ms(d, freqv[1]), 40);
}

START_TEST(a_level_that_is_a_lie_takes_nobodys_place)
{
	lie(CODEC_PCMA);
}
END_TEST

START_TEST(a_level_that_is_a_lie_takes_nobodys_place_with_opus)
{
	lie(CODEC_OPUS);
}
END_TEST

/* Authenticated, and nothing in it makes sense: jumps of SEQ and time, frames of
   any codec, extensions, CSRCs and padding that lie */
static void nonsense(struct phone *p)
{
	uint8_t buf[RTPH_MTU + RTPH_TRAILER_MAX];
	const uint8_t ptv[] = {13, 101, 0, 9, 72, 127};
	struct rtph h = {.pt = (uint8_t)(rand() % 2 ? p->pt : ptv[rand() % 6]), .marker = rand() & 1, .ts = p->ts};
	size_t len, end;

	p->seq = (uint16_t)(p->seq + (rand() % 8 ? 1 : rand() % 300));
	p->ts += rand() % 6 ? 160u : (uint32_t)rand();
	h.seq = p->seq;
	h.ssrc = p->ssrc + (rand() % 50 ? 0 : 1u);
	h.csrcc = rand() % 4 ? 0 : (uint8_t)((unsigned)rand() % 16);
	len = rtph_encode(buf, RTPH_MTU, &h);
	end = len + (unsigned)rand() % (rand() % 4 ? 80u : RTPH_MTU - (unsigned)len);
	while (len < end)
		buf[len++] = (uint8_t)rand();
	if (!(rand() % 5) && len > 20u + 4u * h.csrcc) {
		uint8_t *ext = buf + RTPH_SIZE + 4u * h.csrcc;

		buf[0] |= 0x10;
		ext[0] = 0xbe;
		ext[1] = 0xde;
		ext[2] = 0;
		ext[3] = (uint8_t)(rand() % 2);
	}
	if (!(rand() % 8))
		buf[0] |= 0x20;
	if (msrtp_protect(p->tx, buf, &len) == MSRTP_OK)
		phone_raw(p, -1, buf, len);
}

START_TEST(authenticated_nonsense_costs_others_nothing)
{
	static const enum codec_id codecv[] = {CODEC_OPUS, CODEC_G722, CODEC_PCMA, CODEC_PCMU};
	struct phone *v[4], *a, *b;
	unsigned i, k;

	ck_assert_int_eq(rig_conf(&rig, CONF, 15), MP__STATUS__OK);
	a = phone_add(&rig, &(struct phone_opt){.freq = freqv[0]});
	b = phone_add(&rig, &(struct phone_opt){0});
	for (i = 0; i < 4; i++)
		v[i] = phone_add(&rig, &(struct phone_opt){.codec = codecv[i], .level_ext = 1});
	srand(1);
	for (k = 0; k < 150; k++) {
		for (i = 0; i < 12; i++)
			nonsense(v[i % 4]);
		(void)rig_run(&rig, 10, NULL, NULL);
	}
	for (i = 0; i < 4; i++)
		ck_assert_uint_gt(rig_legstats(&rig, v[i])->rx_packets, 200);
	phone_forget_audio(b);
	(void)rig_run(&rig, 1500, NULL, NULL);
	ck_assert_uint_le(phone_gap_ms(b, freqv[0]), 40);
	ck_assert_uint_eq(rig_legstats(&rig, a)->auth_failed, 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("mixtalk");

	mixcase_add(s, "speakers", mixcase_up4, (const TTest *const[]){
			closed_gate_silences_a_leg,
			who_holds_and_sends_its_own_music_is_not_heard,
			no_more_than_k_are_mixed,
			who_begins_to_talk_or_stops_hears_no_burst_with_g722,
			who_begins_to_talk_or_stops_hears_no_burst_with_opus,
			a_level_that_is_a_lie_wins_nothing,
			a_level_that_is_a_lie_takes_nobodys_place,
			authenticated_nonsense_costs_others_nothing,
			a_level_that_is_a_lie_takes_nobodys_place_with_opus,
			NULL });

	return s;
}

int main(void)
{
	return check_run(suite());
}
