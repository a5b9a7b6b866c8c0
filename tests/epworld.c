/**
 * @file tests/epworld.c  A made-up world around the focus's real key code
 */
#include <check.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include "epworld.h"
#include "focus/body.h"
#include "focus/dialout.h"
#include "focus/epfloor.h"
#include "focus/epmedia.h"
#include "focus/invite.h"
#include "focus/listinvite.h"
#include "focus/mixevent.h"
#include "focus/request.h"
#include "focus/refer.h"
#include "focus/uamem.h"

struct client clientv[CLIENT_MAX];
struct client ghost, loser;
struct wleg wlegv[LEG_MAX];
unsigned wlegc;
struct wepoch wepochv[EPOCH_MAX];
unsigned epochs_installed;
unsigned offers_out, offers_out_max;
unsigned replaced;
unsigned fallbacks;
bool mixer_down;
unsigned mixer_refuses;

static struct focus *focus;
static struct cfg_conf conf_cfg;
static struct client *current;          /* whose description is looked at     */
static uint64_t now_ms = 1000000, seed, counter;
static struct list timerl;

/** A message on its way to the mixer */
struct post {
	struct le le;
	uint8_t *buf;
	size_t len;
	mixproc_reply_h *replyh;
	void *arg;
};
static struct list postl;

/** Every group key there ever was, and when packets could first be under it */
static struct { struct wkey key; uint64_t count; } bornv[BORN_MAX];


uint32_t world_rand(uint32_t n)
{
	/* SplitMix64: small, and the same everywhere */
	uint64_t z = (seed += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;

	return (uint32_t)((z ^ (z >> 31)) % n);
}

uint64_t world_count(void)
{
	return ++counter;
}

/* ---- the clock: libre's timers, by our own time ---------------------------- */

uint64_t tmr_jiffies(void)
{
	return now_ms;
}

void tmr_init(struct tmr *tmr)
{
	memset(tmr, 0, sizeof(*tmr));
}

void tmr_start(struct tmr *tmr, uint64_t delay, tmr_h *th, void *arg)
{
	struct le *le;

	list_unlink(&tmr->le);
	tmr->th = th;
	tmr->arg = arg;
	if (!th)
		return;

	tmr->jfs = now_ms + delay;
	for (le = list_tail(&timerl); le; le = le->prev) {
		const struct tmr *t = le->data;

		if (t->jfs <= tmr->jfs)
			break;
	}
	if (le)
		list_insert_after(&timerl, le, &tmr->le, tmr);
	else
		list_prepend(&timerl, &tmr->le, tmr);
}

void tmr_cancel(struct tmr *tmr)
{
	tmr_start(tmr, 0, NULL, NULL);
}

uint64_t tmr_get_expire(const struct tmr *tmr)
{
	return tmr->th && tmr->jfs > now_ms ? tmr->jfs - now_ms : 0;
}

void world_pass(uint64_t ms)
{
	const uint64_t end = now_ms + ms;
	struct tmr *t;

	while ((t = list_ledata(list_head(&timerl))) && t->jfs <= end) {
		tmr_h *th = t->th;

		now_ms = MAX(now_ms, t->jfs);
		++counter;
		t->th = NULL;
		list_unlink(&t->le);
		th(t->arg);
		/* the loop goes round: the mixer gets its turn */
		if (world_rand(3))
			world_mixer_drain();
	}
	now_ms = end;
}

uint64_t world_now(void)
{
	return now_ms;
}

unsigned world_timers(void)
{
	return list_count(&timerl);
}

/* ---- keys -------------------------------------------------------------------- */

static void wkey_set(struct wkey *k, const void *p, size_t len)
{
	ck_assert_uint_le(len, sizeof(k->v));
	k->len = len;
	if (len)
		memcpy(k->v, p, len);
}

bool wkey_equal(const struct wkey *a, const struct wkey *b)
{
	return a->len && a->len == b->len && !memcmp(a->v, b->v, a->len);
}

bool client_opens(const struct client *cl, const struct wkey *k)
{
	for (unsigned i = 0; i < cl->rx.c; i++) {
		const struct wkey *rx = &cl->rx.v[i];

		if (wkey_equal(rx, k) && rx->mki_len == k->mki_len &&
		    rx->mki == k->mki)
			return true;
	}

	return false;
}

static void wkey_read(struct wkey *k, const Mp__Key *key)
{
	wkey_set(k, key->keysalt.data, key->keysalt.len);
	k->mki_len = (uint8_t)key->mki.len;
	k->mki = 0;
	for (size_t i = 0; i < key->mki.len; i++)
		k->mki = k->mki << 8 | key->mki.data[i];
	ck_assert(!k->mki_len || k->mki);
}

bool client_knows(const struct client *cl, const struct wkey *k)
{
	for (unsigned i = 0; i < cl->knownc; i++)
		if (wkey_equal(&cl->knownv[i], k))
			return true;

	return false;
}

/** It was told a key: it has it for ever */
static void learn_key(struct client *cl, const struct wkey *k)
{
	if (client_knows(cl, k))
		return;

	ck_assert_uint_lt(cl->knownc, KNOWN_MAX);
	cl->knownv[cl->knownc++] = *k;

	/* backward secrecy: never a group key that was in use before it came */
	for (unsigned i = 0; i < epochs_installed; i++)
		if (wkey_equal(&bornv[i].key, k) && bornv[i].count <= cl->came)
			ck_abort_msg("leg %d got a key from before it came",
				     (int)cl->leg);
}

static void learn(struct client *cl, const struct wdesc *d)
{
	ck_assert_uint_ge(d->c, 1);
	for (unsigned i = 0; i < d->c; i++) {
		/* nobody is sent an MKI unasked; several keys have different ones */
		ck_assert(!d->v[i].mki_len || cl->ever_mki);
		ck_assert(d->v[i].mki_len || d->c == 1);
		ck_assert(!i || d->v[i].mki != d->v[0].mki);
		learn_key(cl, &d->v[i]);
	}
}

/* ---- the mixer --------------------------------------------------------------- */

struct wepoch *wepoch_find(uint32_t class_id, uint32_t no)
{
	for (size_t i = 0; i < EPOCH_MAX; i++)
		if (wepochv[i].used && wepochv[i].class_id == class_id &&
		    wepochv[i].no == no)
			return &wepochv[i];

	return NULL;
}

struct wleg *wleg_find(uint64_t id)
{
	for (size_t i = 0; i < wlegc; i++)
		if (wlegv[i].used && wlegv[i].id == id)
			return &wlegv[i];

	return NULL;
}

static Mp__Status mixer_install(const Mp__KeyInstall *ki)
{
	static unsigned at;
	struct wepoch *e;

	do {
		e = &wepochv[at++ % EPOCH_MAX];
	} while (e->used);

	wkey_read(&e->key, ki->key);
	e->used = true;
	e->class_id = ki->class_id;
	e->no = ki->epoch;

	return MP__STATUS__OK;
}

/** To its own key, if it has one */
static void mixer_fall_back(struct wleg *l)
{
	fallbacks += l->own.len && !l->both;
	l->grouped = l->both = false;
}

static Mp__Status mixer_retire(const Mp__KeyRetire *kr)
{
	struct wepoch *e = wepoch_find(kr->class_id, kr->epoch);

	/* one that it did not take */
	if (!e)
		return MP__STATUS__OK;

	e->used = false;
	for (size_t i = 0; i < wlegc; i++)
		if (wlegv[i].used && wlegv[i].grouped &&
		    wlegv[i].class_id == kr->class_id &&
		    wlegv[i].epoch == kr->epoch)
			mixer_fall_back(&wlegv[i]);

	return MP__STATUS__OK;
}

static Mp__Status mixer_legset(const Mp__LegSet *ls)
{
	struct wleg *l = wleg_find(ls->leg);

	if (ls->group && !wepoch_find(ls->group->class_id, ls->group->epoch))
		return MP__STATUS__ERR_NO_KEY;

	for (unsigned i = 0; !l && i < LEG_MAX; i++) {
		if (wlegv[i].used)
			continue;
		l = &wlegv[i];
		wlegc = MAX(wlegc, i + 1);
	}
	ck_assert_ptr_nonnull(l);
	memset(l, 0, sizeof(*l));
	l->used = true;
	l->id = ls->leg;
	l->both = ls->tx_both;
	if (ls->group) {
		l->grouped = true;
		l->class_id = ls->group->class_id;
		l->epoch = ls->group->epoch;
	}
	if (ls->tx)
		wkey_read(&l->own, ls->tx);
	if (ls->n_rx)
		wkey_read(&l->rx, ls->rx[0]);

	/* our two directions never share a key */
	ck_assert(!wkey_equal(&l->own, &l->rx));

	return MP__STATUS__OK;
}

static Mp__Status mixer_do(const Mp__Message *msg)
{
	struct wleg *l;

	switch (msg->body_case) {

	case MP__MESSAGE__BODY_KEY_INSTALL:
		return mixer_install(msg->key_install);
	case MP__MESSAGE__BODY_KEY_RETIRE:
		return mixer_retire(msg->key_retire);
	case MP__MESSAGE__BODY_LEG_SET:
		return mixer_legset(msg->leg_set);
	case MP__MESSAGE__BODY_LEG_REMOVE:
		l = wleg_find(msg->leg_remove->leg);
		if (l)
			l->used = false;
		return MP__STATUS__OK;
	default:
		return MP__STATUS__OK;
	}
}

static void post_free(struct post *p)
{
	list_unlink(&p->le);
	OPENSSL_clear_free(p->buf, p->len);
	free(p);
}

bool world_mixer_step(void)
{
	struct post *p = list_ledata(list_head(&postl));
	uint8_t ip[4] = { 127, 0, 0, 1 };
	Mp__Reply r = MP__REPLY__INIT;
	Mp__Message *msg;
	mixproc_reply_h *replyh;
	void *arg;

	if (!p)
		return false;

	++counter;
	msg = mp__message__unpack(NULL, p->len, p->buf);
	ck_assert_ptr_nonnull(msg);
	if (mixer_refuses && p->replyh) {
		--mixer_refuses;
		r.status = MP__STATUS__ERR_NO_MEMORY;
	}
	else {
		r.status = mixer_do(msg);
	}
	mp__message__free_unpacked(msg, NULL);
	r.port = 10000;
	r.rtcp_port = 10001;
	r.ip.data = ip;
	r.ip.len = sizeof(ip);
	replyh = p->replyh;
	arg = p->arg;
	post_free(p);
	if (replyh)
		replyh(&r, arg);

	return true;
}

/** Requests that are never answered, as mixproc.c has it */
static void posts_fail(void)
{
	struct post *p;

	while ((p = list_ledata(list_head(&postl)))) {
		mixproc_reply_h *replyh = p->replyh;
		void *arg = p->arg;

		post_free(p);
		if (replyh)
			replyh(NULL, arg);
	}
}

void world_mixer_dies(bool renewed)
{
	ghost.gone = true;
	for (unsigned i = 0; i < EPOCH_MAX; i++)
		if (wepochv[i].used)
			learn_key(&ghost, &wepochv[i].key);
	for (unsigned i = 0; i < wlegc; i++)
		if (wlegv[i].used && wlegv[i].own.len)
			learn_key(&ghost, &wlegv[i].own);
	memset(wlegv, 0, sizeof(wlegv));
	memset(wepochv, 0, sizeof(wepochv));

	mixer_down = true;
	posts_fail();
	mixer_down = !renewed;
	mixevent_down(focus->mixv[0], renewed, focus);
	mixer_down = false;
}

void world_mixer_drain(void)
{
	while (world_mixer_step())
		;
}

unsigned world_mixer_queue(void)
{
	return list_count(&postl);
}

static void born(const ProtobufCBinaryData *keysalt)
{
	struct wkey k;

	wkey_set(&k, keysalt->data, keysalt->len);
	for (unsigned i = 0; i < epochs_installed; i++)
		if (wkey_equal(&bornv[i].key, &k))
			ck_abort_msg("an epoch's key was there before");
	ck_assert_uint_lt(epochs_installed, BORN_MAX);
	bornv[epochs_installed].key = k;
	bornv[epochs_installed++].count = ++counter;
}

int mixproc_send(struct mixproc *mp, Mp__Message *msg, mixproc_reply_h *replyh,
		 void *arg)
{
	struct post *p;
	(void)mp;

	if (mixer_down)
		return ENOTCONN;

	/* from here on packets may be protected under it */
	if (msg->body_case == MP__MESSAGE__BODY_KEY_INSTALL)
		born(&msg->key_install->key->keysalt);

	p = calloc(1, sizeof(*p));
	ck_assert_ptr_nonnull(p);
	msg->id = 1;
	p->len = mp__message__get_packed_size(msg);
	p->buf = malloc(p->len);
	ck_assert_ptr_nonnull(p->buf);
	(void)mp__message__pack(msg, p->buf);
	p->replyh = replyh;
	p->arg = arg;
	list_append(&postl, &p->le, p);

	return 0;
}

void mixproc_forget(struct mixproc *mp, void *arg)
{
	(void)mp;
	for (struct le *le = list_head(&postl); le; le = le->next) {
		struct post *p = le->data;

		if (p->arg == arg)
			p->replyh = NULL;
	}
}

unsigned mixproc_index(const struct mixproc *mp)
{
	(void)mp;
	return 0;
}

bool mixproc_up(const struct mixproc *mp)
{
	(void)mp;
	return !mixer_down;
}

/* ---- negotiation: a description is its keys ------------------------------------ */

static struct mbuf *print(const struct neg_keys *keys)
{
	struct wdesc d;
	struct mbuf *mb = mbuf_alloc(sizeof(d));

	ck_assert_ptr_nonnull(mb);
	memset(&d, 0, sizeof(d));
	for (d.c = 0; d.c < keys->c; d.c++) {
		const struct secret *key = keys->v[d.c].key;

		ck_assert_ptr_nonnull(key);
		wkey_set(&d.v[d.c], secret_bytes(key), secret_len(key));
		d.v[d.c].mki_len = keys->mki_len;
		d.v[d.c].mki = keys->v[d.c].mki;
	}
	(void)mbuf_write_mem(mb, (const uint8_t *)&d, sizeof(d));
	mb->pos = 0;

	return mb;
}

static void read_keys(struct wdesc *d, struct mbuf *mb)
{
	ck_assert_int_eq(0, mbuf_read_mem(mb, (uint8_t *)d, sizeof(*d)));
	mem_deref(mb);
}

static int fill(struct neg *n)
{
	struct client *cl = current;
	const struct suite *s = suite_by_id(conf_cfg.suitev[0]);

	memset(n, 0, sizeof(*n));
	n->codec = conf_cfg.codecv[0];
	n->pt = 96;
	n->ptime = cl->variant & 1 ? 40 : 20;
	n->opus_fec = cl->variant & 2;
	sa_set_str(&n->remote, "127.0.0.1", 20000);
	n->rtcp = n->remote;
	n->peer_sends = n->peer_receives = !cl->hold;
	n->dir = cl->hold ? SDP_INACTIVE : SDP_SENDRECV;
	n->sdes.tag = 1;
	n->sdes.suite = s;
	n->sdes.keyc = 1;
	if (!cl->tx.len || cl->renew_tx) {
		cl->tx.len = suite_keysalt_len(s);
		ck_assert_int_eq(1, RAND_bytes(cl->tx.v, (int)cl->tx.len));
		cl->renew_tx = false;
	}

	return secret_copy(&n->sdes.keyv[0].keysalt, cl->tx.v, cl->tx.len);
}

static int fill_offer(struct neg *n)
{
	int err = fill(n);

	if (conf_cfg.keying == KEYING_ENDPOINT)
		return err;

	n->mki_len = current->mki_len;
	current->ever_mki |= n->mki_len > 0;

	return err;
}

int neg_offer(struct neg *n, const struct pl *body, struct descr *d,
	      const struct cfg_conf *cc, bool tls, struct neg_err *e)
{
	(void)body;
	(void)d;
	(void)cc;
	(void)tls;
	(void)e;
	return fill_offer(n);
}

int neg_answer(struct neg *n, const struct pl *body, struct descr *d,
	       unsigned index, const struct cfg_conf *cc,
	       const struct neg_offered *off, struct neg_err *e)
{
	(void)body;
	(void)d;
	(void)index;
	(void)cc;
	(void)e;
	ck_assert_uint_eq(1, off->linec);
	return fill(n);
}

int neg_print_answer(struct mbuf **mbp, const struct neg *n,
		     const struct neg_mlines *ml, const struct neg_local *l,
		     const struct neg_keys *keys)
{
	(void)n;
	(void)ml;
	(void)l;
	*mbp = print(keys);
	return 0;
}

int neg_print_offer(struct mbuf **mbp, const struct cfg_conf *cc,
		    const struct neg_local *l, const struct neg_offered *off)
{
	(void)cc;
	const struct neg_keys keys = {
		.v = { { off->linev[0].key, 0 } }, .c = 1,
	};
	(void)l;
	*mbp = print(&keys);
	return 0;
}

int neg_print_reoffer(struct mbuf **mbp, const struct neg *n,
		      const struct neg_mlines *ml, const struct neg_local *l,
		      const struct neg_keys *keys, enum sdp_dir dir)
{
	(void)n;
	(void)ml;
	(void)l;
	(void)dir;
	*mbp = print(keys);
	return 0;
}

int neg_mlines_set(struct neg_mlines *ml, const struct descr *d, unsigned index)
{
	(void)ml;
	(void)d;
	(void)index;
	return 0;
}

void neg_mlines_reset(struct neg_mlines *ml)
{
	memset(ml, 0, sizeof(*ml));
}

int neg_offered_draw(struct neg_offered *off, const struct cfg_conf *cc)
{
	off->linec = 1;
	off->linev[0].tag = 1;
	off->linev[0].suite = cc->suitev[0];

	return secret_seen_draw(&off->linev[0].key,
				suite_keysalt_len(suite_by_id(cc->suitev[0])));
}

void neg_offered_reset(struct neg_offered *off)
{
	for (unsigned i = 0; i < off->linec; i++)
		secret_seen_free(&off->linev[i].key);
	memset(off, 0, sizeof(*off));
}

void neg_reset(struct neg *n)
{
	sdes_reset(&n->sdes);
	memset(n, 0, sizeof(*n));
}

void refuse_note(struct focus *f, const struct sip_msg *msg, uint16_t scode,
		 const char *identity, const char *reason)
{
	(void)f;
	(void)msg;
	(void)scode;
	(void)identity;
	(void)reason;
}

/* ---- what belongs to other tests ------------------------------------------------- */

void change_feed(enum change ch, const struct conference *c,
		 const struct endpoint *ep, const char *reason)
{
	(void)ch;
	(void)c;
	(void)ep;
	(void)reason;
}

int body_read(struct body *b, const struct sip_msg *msg)
{
	memset(b, 0, sizeof(*b));
	b->sdp.p = (const char *)mbuf_buf(msg->mb);
	b->sdp.l = mbuf_get_left(msg->mb);
	return 0;
}

void dialout_progress(struct endpoint *ep, const struct sip_msg *msg)
{
	(void)ep;
	(void)msg;
}

void dialout_closed(struct endpoint *ep, int err, const struct sip_msg *msg)
{
	(void)ep;
	(void)err;
	(void)msg;
}

void dialout_done(struct endpoint *ep, uint16_t scode, const char *reason)
{
	(void)ep;
	(void)scode;
	(void)reason;
}

void refer_in_dialog(struct endpoint *ep, struct dlg *dlg,
		     const struct sip_msg *msg)
{
	(void)ep;
	(void)dlg;
	(void)msg;
}

int epfloor_open(struct conference *c)
{
	(void)c;
	return 0;
}

void epfloor_shown(struct neg_floor *f, const struct sip_msg *msg)
{
	(void)f;
	(void)msg;
}


void epfloor_commit(struct endpoint *ep)
{
	(void)ep;
}

void epfloor_dtmf(struct endpoint *ep, unsigned event)
{
	(void)ep;
	(void)event;
}

void epfloor_leave(struct endpoint *ep)
{
	(void)ep;
}

void epfloor_recover(const struct endpoint *ep)
{
	(void)ep;
}

const struct neg_floor_local *epfloor_local(struct endpoint *ep)
{
	(void)ep;
	return NULL;
}

void request_options(struct focus *f, const struct sip_msg *msg)
{
	(void)f;
	(void)msg;
}

void listinvite_start(struct conference *c, const struct part *by)
{
	(void)c;
	(void)by;
}

/* ---- dialogs -------------------------------------------------------------------- */

static struct sip_msg *message(bool body)
{
	struct sip_msg *msg = mem_zalloc(sizeof(*msg), NULL);

	ck_assert_ptr_nonnull(msg);
	msg->mb = mbuf_alloc(8);
	ck_assert_ptr_nonnull(msg->mb);
	if (body)
		(void)mbuf_write_str(msg->mb, "v=0");
	msg->mb->pos = 0;
	msg->tp = SIP_TRANSP_TLS;
	sa_set_str(&msg->dst, "127.0.0.1", 5061);

	return msg;
}

static void message_free(struct sip_msg *msg)
{
	mem_deref(msg->mb);
	mem_deref(msg);
}

static void offer_next(struct dlg *dlg);

static void over(struct dlg *dlg)
{
	struct client *cl = dlg->cl;

	if (dlg->over)
		return;

	if (dlg->sent)
		--offers_out;
	dlg->over = true;
	dlg->sent = dlg->offerh = NULL;
	tmr_cancel(&dlg->tmr_resp);
	tmr_cancel(&dlg->tmr_retry);
	cl->gone = true;
	cl->left_ms = now_ms;
	cl->ep = NULL;
}

static void dlg_destructor(void *arg)
{
	struct dlg *dlg = arg;

	over(dlg);
	dlg->cl->dlg = NULL;
}

static struct dlg *dlg_new(struct client *cl, const struct dlg_handlers *h,
			   void *arg)
{
	struct dlg *dlg = mem_zalloc(sizeof(*dlg), dlg_destructor);

	ck_assert_ptr_nonnull(dlg);
	dlg->h = h;
	dlg->arg = arg;
	dlg->cl = cl;
	tmr_init(&dlg->tmr_resp);
	tmr_init(&dlg->tmr_retry);
	cl->dlg = dlg;
	cl->ep = arg;

	return dlg;
}

int dlg_accept(struct dlg **dlgp, struct dlgs *ds, const struct sip_msg *msg,
	       const char *contact, const char *hdrs,
	       const struct dlg_handlers *h, void *arg)
{
	struct dlg *dlg = dlg_new(current, h, arg);
	(void)ds;
	(void)msg;
	(void)contact;
	(void)hdrs;

	dlg->peer_pending = true;
	*dlgp = dlg;

	return 0;
}

/** ACK: with an answer if our 200 had the offer */
static void ack_handler(void *arg)
{
	struct dlg *dlg = arg;
	struct sip_msg *msg = message(true);

	mem_ref(dlg);
	current = dlg->cl;
	if (dlg->wants_ack) {
		dlg->wants_ack = false;
		dlg->h->answerh(dlg, msg, dlg->arg);
	}
	if (!dlg->over && !dlg->confirmed) {
		dlg->confirmed = true;
		dlg->h->estabh(dlg, msg, dlg->arg);
	}
	if (!dlg->over)
		offer_next(dlg);
	message_free(msg);
	mem_deref(dlg);
}

int dlg_answer(struct dlg *dlg, uint16_t scode, const char *reason,
	       struct mbuf *sdp)
{
	struct client *cl = dlg->cl;
	(void)scode;
	(void)reason;

	ck_assert(dlg->peer_pending);
	dlg->peer_pending = false;
	read_keys(&cl->rx, sdp);
	learn(cl, &cl->rx);
	dlg->answered = true;
	/* no ACK for an UPDATE; that for the INVITE may be on its way still */
	if (dlg->update)
		return 0;
	dlg->wants_ack = cl->delayed;
	tmr_start(&dlg->tmr_resp, 1 + world_rand(60), ack_handler, dlg);

	return 0;
}

/** The session stays as it was, for the peer, too */
static void taken_back(struct dlg *dlg)
{
	dlg->cl->tx = dlg->cl->tx_was;
	offer_next(dlg);
}

int dlg_reject(struct dlg *dlg, uint16_t scode, const char *reason,
	       const char *fmt, ...)
{
	(void)scode;
	(void)reason;
	(void)fmt;
	ck_assert(dlg->peer_pending);
	dlg->peer_pending = false;
	if (!dlg->answered)
		over(dlg);
	else
		taken_back(dlg);

	return 0;
}

bool dlg_pending(const struct dlg *dlg)
{
	return dlg->peer_pending && !dlg->over;
}

void dlg_bye(struct dlg *dlg, const char *reason)
{
	/* the old device may be in other hands: no grace */
	if (reason && strstr(reason, "Replaced")) {
		dlg->cl->grace_ms = 0;
		++replaced;
	}
	over(dlg);
}

bool dlg_forked(const struct dlg *dlg)
{
	return dlg->forked;
}

void dlg_offering(struct dlg *dlg)
{
	(void)dlg;
}

const struct sa *dlg_peer_addr(const struct dlg *dlg)
{
	static struct sa sa;
	(void)dlg;

	sa_set_str(&sa, "127.0.0.1", 20000);

	return &sa;
}

static void retry_handler(void *arg)
{
	offer_next(arg);
}

/** Refused now, and asked again later, as the dialog layer does with a 491 */
static void glare(struct dlg *dlg)
{
	if (!dlg->offerh)
		dlg->offerh = dlg->sent;
	dlg->sent = NULL;
	--offers_out;
	tmr_start(&dlg->tmr_retry, world_rand(2000), retry_handler, dlg);
}

static void answered(struct dlg *dlg)
{
	struct client *cl = dlg->cl;
	struct sip_msg *msg = message(true);

	dlg->sent = NULL;
	--offers_out;
	if (cl->manner != M_KEEPS)
		cl->rx = dlg->offer;
	current = cl;
	dlg->h->answerh(dlg, msg, dlg->arg);
	message_free(msg);
}

static void resp_handler(void *arg)
{
	struct dlg *dlg = arg;
	struct client *cl = dlg->cl;
	const struct wdesc refused = dlg->offer;

	mem_ref(dlg);
	if (cl->manner == M_GLARE && world_rand(2)) {
		glare(dlg);
	}
	else if (cl->manner == M_NEVER) {
		over(dlg);
		dlg->h->closeh(dlg, ETIMEDOUT, NULL, dlg->arg);
	}
	else if (cl->manner == M_REFUSES && world_rand(3)) {
		dlg->sent = NULL;
		--offers_out;
		learn(cl, &refused);
		dlg->h->offer_failh(dlg, 0, 488, dlg->arg);
	}
	else {
		answered(dlg);
	}
	if (!dlg->over)
		offer_next(dlg);
	mem_deref(dlg);
}

static void offer_next(struct dlg *dlg)
{
	static const uint32_t delayv[M_MAX] = {
		[M_PROMPT] = 30, [M_SLOW] = 1500, [M_NEVER] = 0,
		[M_REFUSES] = 30, [M_GLARE] = 30, [M_KEEPS] = 30,
	};
	const enum manner m = dlg->cl->manner;
	dlg_offer_h *offerh = dlg->offerh;
	struct mbuf *sdp;

	if (!offerh || dlg->over || !dlg->confirmed || dlg->sent ||
	    dlg->peer_pending || dlg->wants_ack ||
	    tmr_isrunning(&dlg->tmr_retry) || tmr_isrunning(&dlg->tmr_resp))
		return;

	dlg->offerh = NULL;
	sdp = offerh(dlg, dlg->arg);
	if (!sdp)
		return;

	read_keys(&dlg->offer, sdp);
	/* it is on the wire: it knows it, whatever it says to it */
	learn(dlg->cl, &dlg->offer);
	dlg->sent = offerh;
	++offers_out;
	offers_out_max = MAX(offers_out_max, offers_out);
	tmr_start(&dlg->tmr_resp, m == M_NEVER ? 32000 :
		  1 + world_rand(delayv[m]), resp_handler, dlg);
}

int dlg_offer(struct dlg *dlg, enum dlg_via via, dlg_offer_h *offerh)
{
	(void)via;
	if (dlg->over)
		return EINVAL;

	dlg->offerh = offerh;
	offer_next(dlg);

	return 0;
}

/* ---- what clients do ----------------------------------------------------------- */

static const char *const uav[M_MAX] = {
	"prompt", "slow", "never", "refuses", "glare", "keeps"
};

static void client_init(struct client *cl, enum manner manner,
			unsigned variant, uint8_t mki_len)
{
	memset(cl, 0, sizeof(*cl));
	cl->grace_ms = conf_cfg.leave_grace_ms;
	cl->manner = manner;
	cl->variant = variant;
	cl->mki_len = mki_len;
	cl->came = ++counter;
	cl->leg = focus->leg_id + 1;
	current = cl;
}

static void set_user_agent(struct client *cl, const char *ua)
{
	cl->ep->user_agent = mem_deref(cl->ep->user_agent);
	ck_assert_int_eq(0, str_dup(&cl->ep->user_agent, ua));
}

/** One of a few that behave like this */
static void user_agent(struct client *cl)
{
	char ua[64];

	if (!cl->ep)
		return;

	(void)re_snprintf(ua, sizeof(ua), "%s/%u", uav[cl->manner],
			  world_rand(30));
	set_user_agent(cl, ua);
}

static void join(struct client *cl, enum manner manner, bool delayed,
		 unsigned variant, uint8_t mki_len, uint64_t replaces,
		 const char *identity)
{
	struct sip_msg *msg = message(!delayed);
	struct neg_mlines ml;
	struct neg n;

	client_init(cl, manner, variant, mki_len);
	memset(&ml, 0, sizeof(ml));
	cl->delayed = delayed;
	if (!delayed)
		ck_assert_int_eq(0, fill_offer(&n));
	ck_assert_int_eq(0, endpoint_join(world_conf(), identity, msg,
					  delayed ? NULL : &n, &ml,
					  replaces));
	message_free(msg);
}

void client_join(struct client *cl, enum manner manner, bool delayed,
		 unsigned variant, uint8_t mki_len, uint64_t replaces)
{
	char id[64];

	(void)re_snprintf(id, sizeof(id), "sip:u%u@test", world_rand(12));
	join(cl, manner, delayed, variant, mki_len, replaces, id);
	user_agent(cl);
}

void client_join_as(struct client *cl, enum manner manner,
		    const char *identity, const char *ua)
{
	join(cl, manner, false, 0, 0, 0, identity);
	ck_assert_ptr_nonnull(cl->ep);
	set_user_agent(cl, ua);
}

/** Its 2xx */
static void picked_up(void *arg)
{
	struct dlg *dlg = arg;
	struct sip_msg *msg = message(true);

	mem_ref(dlg);
	current = dlg->cl;
	dlg->cl->rx = dlg->invite;
	dlg->answered = dlg->confirmed = true;
	dlg->h->answerh(dlg, msg, dlg->arg);
	if (!dlg->over)
		dlg->h->estabh(dlg, msg, dlg->arg);
	if (!dlg->over)
		offer_next(dlg);
	message_free(msg);
	mem_deref(dlg);
}

/** As dialout.c and dialinvite.c have it */
static void called_port(const Mp__Reply *r, void *arg)
{
	struct endpoint *ep = arg;
	struct client *cl = current;
	struct neg_local l;
	struct mbuf *sdp;

	--ep->media_pending;
	if (r->status || epmedia_local_set(ep, r)) {
		cl->gone = true;
		cl->left_ms = now_ms;
		endpoint_leave(ep, "failed", 0);
		return;
	}

	epmedia_local(ep, &l);
	ck_assert_int_eq(0, neg_offered_draw(&ep->offered, &conf_cfg));
	ck_assert_int_eq(0, neg_print_offer(&sdp, &conf_cfg, &l, &ep->offered));
	ep->dlg = dlg_new(cl, &endpoint_handlers, ep);
	ep->dlg->uac = true;
	read_keys(&ep->dlg->invite, sdp);
	learn(cl, &ep->dlg->invite);
	tmr_start(&ep->dlg->tmr_resp, 1 + world_rand(60), picked_up, ep->dlg);
}

void client_called(struct client *cl, enum manner manner, unsigned variant)
{
	struct endpoint *ep;
	struct part *p;
	char id[64];

	client_init(cl, manner, variant, 0);
	(void)re_snprintf(id, sizeof(id), "sip:u%u@test", world_rand(12));
	p = part_find(world_conf(), id);
	if (!p)
		ck_assert_int_eq(0, part_new(&p, world_conf(), id));
	ck_assert_int_eq(0, endpoint_alloc(&ep, p));
	ep->dialled = true;
	ep->proof = PROOF_CALLED;
	ep->state = EP_DIALING;
	ep->dial_af = AF_INET;
	/* what else is on its way may end it */
	world_mixer_drain();
	current = cl;
	ck_assert_int_eq(0, epmedia_apply(ep, called_port));
	world_mixer_drain();
	user_agent(cl);
}

bool client_fork(struct client *cl)
{
	struct dlg *dlg = cl->dlg;

	if (!dlg->uac || dlg->over || dlg->forked)
		return false;

	loser.gone = dlg->forked = true;
	for (unsigned i = 0; i < dlg->invite.c; i++)
		learn_key(&loser, &dlg->invite.v[i]);
	mem_ref(dlg);
	if (dlg->confirmed)
		dlg->h->forkh(dlg, dlg->arg);
	mem_deref(dlg);

	return true;
}

static void peer_offers(struct client *cl, bool with_offer, bool update)
{
	struct dlg *dlg = cl->dlg;
	struct sip_msg *msg;

	/* glare and its kind are the dialog layer's, and refused there */
	if (dlg->over || dlg->sent || dlg->peer_pending || dlg->wants_ack ||
	    (update ? !dlg->answered
		    : !dlg->confirmed || tmr_isrunning(&dlg->tmr_resp)))
		return;

	msg = message(with_offer);
	mem_ref(dlg);
	dlg->peer_pending = true;
	dlg->update = update;
	cl->delayed = !with_offer;
	cl->tx_was = cl->tx;
	current = cl;
	dlg->h->offerh(dlg, msg, dlg->arg);
	mem_deref(dlg);
	message_free(msg);
}

void client_reinvite(struct client *cl, bool with_offer)
{
	peer_offers(cl, with_offer, false);
}

static struct mbuf *refresh_offer(struct dlg *dlg, void *arg)
{
	return dlg->h->refreshh(dlg, arg);
}

void client_refresh(struct client *cl)
{
	struct dlg *dlg = cl->dlg;

	/* an offer refreshes, too */
	if (!dlg->over && !dlg->sent && !dlg->offerh && !dlg->peer_pending)
		(void)dlg_offer(dlg, DLG_REINVITE, refresh_offer);
}

void client_update(struct client *cl)
{
	peer_offers(cl, true, true);
}

bool client_cancel(struct client *cl)
{
	struct dlg *dlg = cl->dlg;

	if (dlg->over || !dlg->answered || !dlg->peer_pending || dlg->update)
		return false;

	mem_ref(dlg);
	dlg->peer_pending = false;
	current = cl;
	if (dlg->h->cancelh)
		dlg->h->cancelh(dlg, dlg->arg);
	if (!dlg->over)
		taken_back(dlg);
	mem_deref(dlg);

	return true;
}

void client_bye(struct client *cl, int err)
{
	struct dlg *dlg = cl->dlg;
	struct sip_msg *msg = message(false);

	mem_ref(dlg);
	msg->req = true;
	over(dlg);
	dlg->h->closeh(dlg, err, err ? NULL : msg, dlg->arg);
	message_free(msg);
	mem_deref(dlg);
}

void client_report(struct client *cl)
{
	const struct wleg *l = wleg_find(cl->leg);
	const struct wepoch *e = l && l->grouped
		? wepoch_find(l->class_id, l->epoch) : NULL;
	Mp__Message msg = MP__MESSAGE__INIT;
	Mp__LegReport lr = MP__LEG_REPORT__INIT;

	if (!l || !world_conf())
		return;

	lr.conf = world_conf()->id;
	lr.leg = cl->leg;
	if (e && client_opens(cl, &e->key)) {
		lr.class_id = e->class_id;
		lr.epoch = e->no;
	}
	else if ((e && !l->both) || !client_opens(cl, &l->own)) {
		return;
	}
	cl->reported = true;
	msg.body_case = MP__MESSAGE__BODY_LEG_REPORT;
	msg.leg_report = &lr;
	mixevent_handler(focus->mixv[0], &msg, focus);
}

/* ---- the world ------------------------------------------------------------------- */

struct focus *world_focus(void)
{
	return focus;
}

struct cfg_conf *world_cc(void)
{
	return &conf_cfg;
}

struct conference *world_conf(void)
{
	return list_ledata(list_head(&focus->confl));
}

void world_open(enum keying keying, uint64_t s)
{
	static int mixer;       /* only its address is used */

	seed = s;
	memset(clientv, 0, sizeof(clientv));
	memset(&ghost, 0, sizeof(ghost));
	memset(&loser, 0, sizeof(loser));
	memset(bornv, 0, sizeof(bornv));
	wlegc = 0;
	replaced = fallbacks = epochs_installed = offers_out = offers_out_max = mixer_refuses = 0;
	mixer_down = false;
	memset(wlegv, 0, sizeof(wlegv));
	memset(wepochv, 0, sizeof(wepochv));
	memset(&conf_cfg, 0, sizeof(conf_cfg));
	conf_cfg.title = (char *)(uintptr_t)"walk";
	conf_cfg.owner_leaves = OWNER_STAYS;
	conf_cfg.keying = keying;
	conf_cfg.suitev[0] = SUITE_AES_CM_128_HMAC_SHA1_80;
	conf_cfg.suitec = 1;
	conf_cfg.codecv[0] = CODEC_OPUS;
	conf_cfg.codecc = 1;
	conf_cfg.rekey_window_ms = 200;
	conf_cfg.join_rekey_interval_ms = 200;
	conf_cfg.leave_grace_ms = 2000;
	conf_cfg.rekey_max_age_s = 600;
	conf_cfg.own_key_max_age_s = 86400;
	conf_cfg.trial_overlap_ms = 8000;

	focus = mem_zalloc(sizeof(*focus), NULL);
	ck_assert_ptr_nonnull(focus);
	focus->cfg = mem_zalloc(sizeof(*focus->cfg), NULL);
	ck_assert_ptr_nonnull(focus->cfg);
	focus->cfg->media_addrc = 1;
	sa_set_str(&focus->cfg->media_addrv[0], "127.0.0.1", 0);
	focus->mixv[0] = (struct mixproc *)(void *)&mixer;
	focus->mixc = 1;
	ck_assert_int_eq(0, hash_alloc(&focus->ht_conf, 16));
	ck_assert_int_eq(0, hash_alloc(&focus->ht_confid, 16));
	ck_assert_int_eq(0, hash_alloc(&focus->ht_leg, 16));
	ck_assert_int_eq(0, uamem_alloc(&focus->uamem));
}

void world_conference(void)
{
	struct conference *c;
	struct pl host;

	pl_set_str(&host, "test");
	if (!world_conf() && !mixer_down)
		ck_assert_int_eq(0, conference_new(&c, focus, &conf_cfg, NULL, &host,
						   "sip:nobody@test"));
}

void world_close(void)
{
	if (world_conf())
		conference_end(world_conf(), 200, "end");
	world_mixer_drain();
	mem_deref(focus->uamem);
	mem_deref(focus->ht_conf);
	mem_deref(focus->ht_confid);
	mem_deref(focus->ht_leg);
	mem_deref(focus->cfg);
	focus = mem_deref(focus);
}
