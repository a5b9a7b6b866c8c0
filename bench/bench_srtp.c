/**
 * @file bench_srtp.c  What SRTP costs per packet, beside what it must cost
 *
 * For every suite and 1, 100 and 1000 sessions: msrtp, and in the same run a
 * loop over OpenSSL EVP that does nothing but the cryptography of the same
 * packets with one context per session.  The ratio of the two is what counts;
 * microseconds depend on the machine and on what else it does.
 *
 * Counter mode may come out below 1: the loop pays for EVP's HMAC, which
 * allocates twice per packet, and media/srtp_hmac.c does not.
 *
 * Packets go round all sessions, so with many of them every packet finds its
 * context out of the first-level cache, as in a mixer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include "msrtp.h"
#include "rtp.h"

enum {
	PAYLOAD  = 80,            /* 20 ms of Opus at 32 kbit/s              */
	STRIDE   = RTPH_SIZE + PAYLOAD + RTPH_TRAILER_MAX,
	BATCH    = 1000,          /* packets between two looks at the clock  */
	BATCHC   = 20,
	REPEAT   = 7,             /* the best counts: the least disturbed    */
	SESS_MAX = 1000,
	TAG_MAX  = 20,
};

#define RATIO_TARGET 1.8          /* at 1000 sessions                        */

static const unsigned sessv[] = { 1, 100, 1000 };

enum { SESSC = sizeof(sessv) / sizeof(sessv[0]) };

/* One session of the hand-written loop */
struct hand {
	EVP_CIPHER_CTX *enc;
	EVP_CIPHER_CTX *dec;
	EVP_MAC_CTX *mac;         /* NULL with GCM                           */
	uint8_t salt[16];
};

struct sess {
	struct msrtp *tx;
	struct msrtp *rx;
	struct hand hand;
	uint16_t seq;
};

/* Best seconds per packet */
struct cost {
	double protect;
	double unprotect;
};

struct result {
	const struct suite *suite;
	unsigned sessc;
	struct cost ours;
	struct cost hand;
};

static struct sess sessions[SESS_MAX];
static uint8_t pkts[BATCH][STRIDE];
static size_t lenv[BATCH];

static void must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "bench_srtp: %s failed\n", what);
		exit(EXIT_FAILURE);
	}
}

static double now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* --- hand-written ------------------------------------------------------ */

static void hand_new(struct hand *h, const struct suite *s,
		     const EVP_CIPHER *cipher, EVP_MAC *mac)
{
	char digest[] = "SHA1";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
						 digest, 0),
		OSSL_PARAM_construct_end(),
	};
	uint8_t key[32];

	memset(key, 0x11, sizeof(key));
	memset(h, 0, sizeof(*h));
	h->enc = EVP_CIPHER_CTX_new();
	h->dec = EVP_CIPHER_CTX_new();
	must(EVP_EncryptInit_ex2(h->enc, cipher, key, NULL, NULL) &&
	     EVP_DecryptInit_ex2(h->dec, cipher, key, NULL, NULL), "EVP");

	if (!s->aead) {
		h->mac = EVP_MAC_CTX_new(mac);
		must(h->mac && EVP_MAC_init(h->mac, key, 20, params), "HMAC");
	}
}

static void hand_free(struct hand *h)
{
	EVP_CIPHER_CTX_free(h->enc);
	EVP_CIPHER_CTX_free(h->dec);
	EVP_MAC_CTX_free(h->mac);
}

static void hand_iv(const struct hand *h, uint8_t iv[16], const uint8_t *pkt)
{
	memcpy(iv, h->salt, 16);
	for (unsigned i = 0; i < 4; i++)
		iv[4 + i] ^= pkt[8 + i];
	iv[12] ^= pkt[2];
	iv[13] ^= pkt[3];
}

static void hand_tag(const struct hand *h, const uint8_t *pkt, size_t len,
		     uint8_t tag[TAG_MAX])
{
	static const uint8_t roc[4];
	size_t n;

	must(EVP_MAC_init(h->mac, NULL, 0, NULL) &&
	     EVP_MAC_update(h->mac, pkt, len) &&
	     EVP_MAC_update(h->mac, roc, sizeof(roc)) &&
	     EVP_MAC_final(h->mac, tag, &n, TAG_MAX), "HMAC");
}

static void hand_protect(const struct suite *s, const struct hand *h,
			 uint8_t *pkt, size_t *lenp)
{
	uint8_t iv[16], tag[TAG_MAX];
	uint8_t *p = pkt + RTPH_SIZE;
	const size_t len = *lenp - RTPH_SIZE;
	int n;

	hand_iv(h, iv, pkt);
	must(EVP_EncryptInit_ex2(h->enc, NULL, NULL, iv, NULL) &&
	     (!s->aead ||
	      EVP_EncryptUpdate(h->enc, NULL, &n, pkt, RTPH_SIZE)) &&
	     EVP_EncryptUpdate(h->enc, p, &n, p, (int)len), "encrypt");

	if (s->aead) {
		must(EVP_EncryptFinal_ex(h->enc, tag, &n) &&
		     EVP_CIPHER_CTX_ctrl(h->enc, EVP_CTRL_AEAD_GET_TAG,
					 s->tag_len, p + len), "tag");
	}
	else {
		hand_tag(h, pkt, *lenp, tag);
		memcpy(p + len, tag, s->tag_len);
	}
	*lenp += s->tag_len;
}

static void hand_unprotect(const struct suite *s, const struct hand *h,
			   uint8_t *pkt, size_t *lenp)
{
	uint8_t iv[16], tag[TAG_MAX];
	uint8_t *p = pkt + RTPH_SIZE;
	size_t len;
	int n;

	*lenp -= s->tag_len;
	len = *lenp - RTPH_SIZE;

	if (!s->aead) {
		hand_tag(h, pkt, *lenp, tag);
		must(!CRYPTO_memcmp(tag, p + len, s->tag_len), "tag");
	}

	hand_iv(h, iv, pkt);
	must(EVP_DecryptInit_ex2(h->dec, NULL, NULL, iv, NULL) &&
	     (!s->aead ||
	      EVP_DecryptUpdate(h->dec, NULL, &n, pkt, RTPH_SIZE)) &&
	     EVP_DecryptUpdate(h->dec, p, &n, p, (int)len), "decrypt");
	if (s->aead) {
		must(EVP_CIPHER_CTX_ctrl(h->dec, EVP_CTRL_AEAD_SET_TAG,
					 s->tag_len, p + len) &&
		     EVP_DecryptFinal_ex(h->dec, tag, &n) > 0, "tag");
	}
}

/* --- both -------------------------------------------------------------- */

static void sessions_new(const struct suite *s, unsigned sessc)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(
		NULL, s->aead ?
		(s->key_len == 32 ? "AES-256-GCM" : "AES-128-GCM") :
		(s->key_len == 32 ? "AES-256-CTR" : "AES-128-CTR"), NULL);

	must(mac && cipher, "fetch");
	for (unsigned i = 0; i < sessc; i++) {
		struct sess *se = &sessions[i];
		struct secret *key = NULL;

		must(!secret_draw(&key, suite_keysalt_len(s)) &&
		     !msrtp_new(&se->tx, MSRTP_TX, s, key, NULL, 0) &&
		     !msrtp_new(&se->rx, MSRTP_RX, s, key, NULL, 0),
		     "session");
		secret_free(&key);
		hand_new(&se->hand, s, cipher, mac);
		se->seq = 0;
	}
	EVP_MAC_free(mac);
	EVP_CIPHER_free(cipher);
}

static void sessions_free(unsigned sessc)
{
	for (unsigned i = 0; i < sessc; i++) {
		msrtp_free(&sessions[i].tx);
		msrtp_free(&sessions[i].rx);
		hand_free(&sessions[i].hand);
	}
}

static void packets_new(unsigned sessc)
{
	for (unsigned i = 0; i < BATCH; i++) {
		const struct rtph h = { .pt = 111, .ssrc = i % sessc + 1,
					.seq = sessions[i % sessc].seq++ };

		lenv[i] = rtph_encode(pkts[i], STRIDE, &h) + PAYLOAD;
		memset(pkts[i] + RTPH_SIZE, 0x55, PAYLOAD);
	}
}

static void batch_ours(struct cost *c, unsigned sessc)
{
	double t0, t1;

	packets_new(sessc);
	t0 = now();
	for (unsigned i = 0; i < BATCH; i++)
		must(!msrtp_protect(sessions[i % sessc].tx, pkts[i], &lenv[i]),
		     "protect");
	t1 = now();
	for (unsigned i = 0; i < BATCH; i++)
		must(!msrtp_unprotect(sessions[i % sessc].rx, pkts[i],
				      &lenv[i]), "unprotect");
	c->protect   += t1 - t0;
	c->unprotect += now() - t1;
}

static void batch_hand(struct cost *c, const struct suite *s, unsigned sessc)
{
	double t0, t1;

	packets_new(sessc);
	t0 = now();
	for (unsigned i = 0; i < BATCH; i++)
		hand_protect(s, &sessions[i % sessc].hand, pkts[i], &lenv[i]);
	t1 = now();
	for (unsigned i = 0; i < BATCH; i++)
		hand_unprotect(s, &sessions[i % sessc].hand, pkts[i],
			       &lenv[i]);
	c->protect   += t1 - t0;
	c->unprotect += now() - t1;
}

static void best(struct cost *c, const struct cost *sum, bool first)
{
	const double p = sum->protect / (BATCH * BATCHC);
	const double u = sum->unprotect / (BATCH * BATCHC);

	if (first || p < c->protect)
		c->protect = p;
	if (first || u < c->unprotect)
		c->unprotect = u;
}

static void measure(struct result *r)
{
	sessions_new(r->suite, r->sessc);

	/* by turns, so that both see the same machine */
	for (unsigned i = 0; i < REPEAT; i++) {
		struct cost ours = { 0 }, hand = { 0 };

		for (unsigned k = 0; k < BATCHC; k++) {
			batch_ours(&ours, r->sessc);
			batch_hand(&hand, r->suite, r->sessc);
		}
		best(&r->ours, &ours, !i);
		best(&r->hand, &hand, !i);
	}
	sessions_free(r->sessc);
}

static double ratio_p(const struct result *r)
{
	return r->ours.protect / r->hand.protect;
}

static double ratio_u(const struct result *r)
{
	return r->ours.unprotect / r->hand.unprotect;
}

static void print_table(const struct result *v, unsigned c)
{
	double worst = 0;

	printf("SRTP, %d byte payload, CPU time in us per packet\n\n", PAYLOAD);
	printf("%-26s %8s   %26s   %26s\n", "", "", "protect", "unprotect");
	printf("%-26s %8s   %8s %8s %8s   %8s %8s %8s\n", "suite",
	       "sessions", "msrtp", "by hand", "ratio",
	       "msrtp", "by hand", "ratio");
	for (unsigned i = 0; i < c; i++) {
		const struct result *r = &v[i];

		printf("%-26s %8u   %8.3f %8.3f %8.2f   %8.3f %8.3f %8.2f\n",
		       r->suite->name, r->sessc, r->ours.protect * 1e6,
		       r->hand.protect * 1e6, ratio_p(r),
		       r->ours.unprotect * 1e6, r->hand.unprotect * 1e6,
		       ratio_u(r));
		if (r->sessc == SESS_MAX && ratio_p(r) > worst)
			worst = ratio_p(r);
		if (r->sessc == SESS_MAX && ratio_u(r) > worst)
			worst = ratio_u(r);
	}
	printf("\nworst ratio at %d sessions: %.2f (target %.1f)\n", SESS_MAX,
	       worst, RATIO_TARGET);
}

static void print_json(const struct result *v, unsigned c)
{
	printf("{\"bench\":\"srtp\",\"payload\":%d,\"unit\":\"us\","
	       "\"ratio_target\":%.1f,\"rows\":[", PAYLOAD, RATIO_TARGET);
	for (unsigned i = 0; i < c; i++) {
		const struct result *r = &v[i];

		printf("%s{\"suite\":\"%s\",\"sessions\":%u,"
		       "\"protect\":%.4f,\"protect_hand\":%.4f,"
		       "\"protect_ratio\":%.3f,\"unprotect\":%.4f,"
		       "\"unprotect_hand\":%.4f,\"unprotect_ratio\":%.3f}",
		       i ? "," : "", r->suite->name, r->sessc,
		       r->ours.protect * 1e6, r->hand.protect * 1e6,
		       ratio_p(r), r->ours.unprotect * 1e6,
		       r->hand.unprotect * 1e6, ratio_u(r));
	}
	printf("]}\n");
}

int main(int argc, char *argv[])
{
	struct result resv[SUITE_MAX * SESSC];
	const bool json = argc == 2 && !strcmp(argv[1], "--json");
	unsigned c = 0;

	if (argc > 1 && !json) {
		fprintf(stderr, "usage: bench_srtp [--json]\n");
		return EXIT_FAILURE;
	}

	must(!msrtp_init(MSRTP_OPENSSL), "msrtp_init");
	for (int id = SUITE_NONE + 1; id <= SUITE_MAX; id++) {
		for (unsigned i = 0; i < SESSC; i++, c++) {
			resv[c] = (struct result){
				.suite = suite_by_id((enum suite_id)id),
				.sessc = sessv[i],
			};
			measure(&resv[c]);
		}
	}
	msrtp_close();

	if (json)
		print_json(resv, c);
	else
		print_table(resv, c);

	return EXIT_SUCCESS;
}
