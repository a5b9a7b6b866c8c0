/**
 * @file mixcase.c  What all suites about the mixer process begin with and look for
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "mixcase.h"

struct rig rig;
struct secret *epochv[4];
uint32_t keynov[4];

static void setup(int family)
{
	memset(epochv, 0, sizeof(epochv));
	rig_start(&rig, family);
	ck_assert_int_eq(rig_conf(&rig, CONF, 6), MP__STATUS__OK);
}

void mixcase_up4(void)
{
	setup(AF_INET);
}

void mixcase_up6(void)
{
	setup(AF_INET6);
}

static void teardown(void)
{
	unsigned i;

	rig_stop(&rig);
	for (i = 0; i < 4; i++)
		secret_free(&epochv[i]);
	ck_assert_uint_eq(secret_count(), 0);
}

const double freqv[4] = {440, 660, 990, 1485};

/* ---- what a phone heard ---- */

void check_mix(unsigned n)
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

static int by_index(const void *a, const void *b)
{
	const struct wire *w = *(const struct wire *const *)a, *v = *(const struct wire *const *)b;

	if (w->keyno != v->keyno)
		return w->keyno < v->keyno ? -1 : 1;
	if (w->ssrc != v->ssrc)
		return w->ssrc < v->ssrc ? -1 : 1;

	return (int)w->seq - (int)v->seq;
}

unsigned check_unique(void)
{
	struct wire **v = calloc(RIG_PHONES * RIG_WIRE, sizeof(*v));
	unsigned i, k, n = 0, shared = 0;

	ck_assert_ptr_nonnull(v);
	for (i = 0; i < rig.phonec; i++)
		for (k = 0; k < rig.phonev[i].wirec; k++)
			if (!rig.phonev[i].wirev[k].rtcp)
				v[n++] = &rig.phonev[i].wirev[k];
	ck_assert_uint_gt(n, 0);
	qsort(v, n, sizeof(*v), by_index);

	for (i = 1; i < n; i++) {
		if (by_index(&v[i - 1], &v[i]))
			continue;
		++shared;
		ck_assert_uint_eq(v[i]->len, v[i - 1]->len);
		ck_assert_mem_eq(v[i]->v, v[i - 1]->v, v[i]->len);
	}
	free(v);

	return shared;
}

unsigned count_ssrcs(const struct phone *p)
{
	uint32_t seen[32];
	unsigned i, k, n = 0;

	for (i = 0; i < p->wirec; i++) {
		for (k = 0; k < n && seen[k] != p->wirev[i].ssrc; k++)
			;
		if (k == n && !p->wirev[i].rtcp && n < 32)
			seen[n++] = p->wirev[i].ssrc;
	}

	return n;
}

/* ---- group keys ---- */

struct phone *group_phone(double freq, unsigned epoch)
{
	return phone_add(&rig, &(struct phone_opt){.freq = freq, .class_id = CLASS, .epoch = epoch,
			.no_own_key = true, .group = epochv[epoch], .keyno = keynov[epoch]});
}

void install_epoch(unsigned epoch)
{
	ck_assert_int_eq(rig_key(&rig, CLASS, epoch, SUITE_AES_CM_128_HMAC_SHA1_80, CODEC_PCMA, PT_PCMA,
				 &epochv[epoch], &keynov[epoch]), MP__STATUS__OK);
}

/* ---- cases ---- */

void mixcase_add(Suite *s, const char *name, void (*up)(void), const TTest *const testv[])
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, up, teardown);
	tcase_set_timeout(t, 120);
	for (; *testv; testv++)
		tcase_add_test(t, *testv);
	suite_add_tcase(s, t);
}
