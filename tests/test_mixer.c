/**
 * @file test_mixer.c  The real mixer process, from both of its borders
 */
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "mixrig.h"

static struct rig rig;

static void setup4(void)
{
	rig_start(&rig, AF_INET);
	ck_assert_int_eq(rig_conf(&rig, CONF, 6), MP__STATUS__OK);
}

static void teardown(void)
{
	rig_stop(&rig);
	ck_assert_uint_eq(secret_count(), 0);
}

static const double freqv[4] = {440, 660, 990, 1485};

/* Each of n phones hears every other one and not itself */
static void check_mix(unsigned n)
{
	unsigned i, k;

	for (i = 0; i < n; i++) {
		double lo = 0, hi = -200;

		for (k = 0; k < n; k++) {
			const double db = phone_hears(&rig.phonev[i], freqv[k]);

			if (k == i) {
				ck_assert_msg(db < -50, "phone %u hears itself at %.1f", i, db);
				continue;
			}
			ck_assert_msg(db > -30, "phone %u hears %u at %.1f", i, k, db);
			ck_assert_msg(phone_gap_ms(&rig.phonev[i], freqv[k]) <= 60, "phone %u, tone %u: gap %u ms",
				      i, k, phone_gap_ms(&rig.phonev[i], freqv[k]));
			lo = db < lo ? db : lo;
			hi = db > hi ? db : hi;
		}
		ck_assert_msg(hi - lo <= 3, "phone %u: levels differ by %.1f dB", i, hi - lo);
		ck_assert_uint_eq(rig.phonev[i].auth_failed, 0);
	}
}

static void check_unique(void);

START_TEST(three_legs_hear_each_other_and_not_themselves)
{
	unsigned i;

	for (i = 0; i < 3; i++)
		(void)phone_add(&rig, &(struct phone_opt){.freq = freqv[i]});
	(void)rig_run(&rig, 3000, NULL, NULL);
	check_mix(3);
	check_unique();
}
END_TEST

/* No (key, SSRC, SEQ) covers two different packets; streams here are too
   short for a second ROC */
static void check_unique(void)
{
	unsigned a, b, i, k, n = 0;

	for (a = 0; a < rig.phonec; a++)
		for (i = 0; i < rig.phonev[a].wirec; i++) {
			const struct wire *w = &rig.phonev[a].wirev[i];

			if (w->rtcp)
				continue;
			for (b = a; b < rig.phonec; b++)
				for (k = b == a ? i + 1 : 0; k < rig.phonev[b].wirec; k++) {
					const struct wire *v = &rig.phonev[b].wirev[k];

					if (v->rtcp || v->keyno != w->keyno || v->ssrc != w->ssrc ||
					    v->seq != w->seq)
						continue;
					++n;
					ck_assert_uint_eq(v->len, w->len);
					ck_assert_mem_eq(v->v, w->v, w->len);
				}
		}
	(void)n;
}

static Suite *suite(void)
{
	Suite *s = suite_create("mixer");
	TCase *t = tcase_create("endpoint");

	tcase_add_checked_fixture(t, setup4, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, three_legs_hear_each_other_and_not_themselves);
	suite_add_tcase(s, t);

	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);

	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
