/**
 * @file fuzz_descr.c  Fuzz target: session descriptions
 *
 * Beside "no crash": an offer that is taken names an allowed codec and suite
 * and a key; our printed answer to it reads as one secured audio line at its
 * place and everything else switched off, and is an answer that we would take
 * ourselves.  No secret survives.
 */
#include <string.h>
#include "fuzz.h"
#include "focus/negotiate.h"

static const struct cfg_conf policy = {
	.suitev = { SUITE_AEAD_AES_256_GCM, SUITE_AEAD_AES_128_GCM,
		    SUITE_AES_256_CM_HMAC_SHA1_80,
		    SUITE_AES_CM_128_HMAC_SHA1_80 },
	.suitec = 4,
	.codecv = { CODEC_OPUS, CODEC_G722, CODEC_PCMA },
	.codecc = 3,
};

static uint32_t sess_ver;
static uint8_t body_hash[32];


static void local_init(struct neg_local *l)
{
	memset(l, 0, sizeof(*l));
	sa_set_str(&l->rtp, "192.0.2.1", 40000);
	l->rtcp_port = 40001;
	l->sess_id = 1;
	l->sess_ver = &sess_ver;
	l->body_hash = body_hash;
}


static void check_taken(const struct neg *n, const struct descr *d)
{
	FUZZ_ASSERT(n->index < d->mediac);
	FUZZ_ASSERT(n->codec == CODEC_OPUS || n->codec == CODEC_G722 ||
		    n->codec == CODEC_PCMA);
	FUZZ_ASSERT(n->pt < 64 || n->pt > 95);
	FUZZ_ASSERT(n->sdes.suite && !n->sdes.suite->weak);
	FUZZ_ASSERT(n->sdes.keyc >= 1);
	FUZZ_ASSERT(secret_len(n->sdes.keyv[0].keysalt) ==
		    suite_keysalt_len(n->sdes.suite));
	FUZZ_ASSERT(!n->peer_sends || n->peer_receives);
	FUZZ_ASSERT(n->level_ext <= 14);
	FUZZ_ASSERT(sa_port(&n->remote));
}


/** What a printed description of ours must look like to anybody */
static void check_printed(const struct descr *p, const struct neg *n,
			  const struct neg_mlines *ml)
{
	FUZZ_ASSERT(p->mediac == ml->linec);
	for (unsigned i = 0; i < p->mediac; i++) {
		const struct descr_media *m = &p->mediav[i];

		if (i != n->index) {
			FUZZ_ASSERT(!m->port && !m->cryptoc);
			continue;
		}
		FUZZ_ASSERT(m->port == 40000 && m->cryptoc == 1);
		FUZZ_ASSERT(!pl_strcmp(&m->type, "audio"));
		FUZZ_ASSERT(!pl_strcmp(&m->proto, n->avpf ? "RTP/SAVPF"
				       : "RTP/SAVP"));
		FUZZ_ASSERT(m->fmtv[0].pt == n->pt);
		FUZZ_ASSERT(m->rtcp_mux == n->rtcp_mux);
	}
}


static struct descr reread;

static void check_answer(const struct neg *n, const struct neg_mlines *ml,
			 const struct secret *key)
{
	const uint8_t mki_len = n->sdes.keyv[0].mki_len;
	const struct neg_keys keys = {
		.v = { { key, mki_len ? 1 : 0 } }, .c = 1, .mki_len = mki_len,
	};
	struct neg_offered off;
	struct neg_local l;
	struct neg back;
	struct neg_err e;
	struct mbuf *mb;
	struct pl pl;

	local_init(&l);
	FUZZ_ASSERT(!neg_print_answer(&mb, n, ml, &l, &keys));
	pl.p = (const char *)mbuf_buf(mb);
	pl.l = mbuf_get_left(mb);
	FUZZ_ASSERT(pl.l <= DESCR_BODY_MAX + 1024);

	memset(&off, 0, sizeof(off));
	off.linev[0].tag = n->sdes.tag;
	off.linev[0].suite = n->sdes.suite->id;
	off.linec = 1;
	memset(&back, 0, sizeof(back));
	if (pl.l <= DESCR_BODY_MAX) {
		FUZZ_ASSERT(!neg_answer(&back, &pl, &reread, n->index,
					&policy, &off, &e));
		check_printed(&reread, n, ml);
		FUZZ_ASSERT(back.codec == n->codec && back.pt == n->pt);
		FUZZ_ASSERT(back.dtmf_pt == n->dtmf_pt);
		FUZZ_ASSERT(back.sdes.tag == n->sdes.tag);
		FUZZ_ASSERT(secret_equal(back.sdes.keyv[0].keysalt, key));
	}
	neg_reset(&back);
	mem_deref(mb);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct descr d;
	struct pl body = { (const char *)data, size };
	struct secret *key = NULL;
	struct neg_mlines ml;
	struct neg_err e;
	struct neg n;

	memset(&n, 0, sizeof(n));
	memset(&ml, 0, sizeof(ml));
	if (neg_offer(&n, &body, &d, &policy, true, &e)) {
		FUZZ_ASSERT(e.scode >= 400 && e.text && *e.text);
		FUZZ_ASSERT(!n.sdes.keyc && !secret_count());
		return 0;
	}

	check_taken(&n, &d);
	FUZZ_ASSERT(!neg_mlines_set(&ml, &d, n.index));
	FUZZ_ASSERT(!secret_draw(&key, suite_keysalt_len(n.sdes.suite)));
	check_answer(&n, &ml, key);

	secret_free(&key);
	neg_mlines_reset(&ml);
	neg_reset(&n);
	FUZZ_ASSERT(!secret_count());

	return 0;
}
