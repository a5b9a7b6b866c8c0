/**
 * @file focus/epmedia.c  Keys of an endpoint, and its leg at the mixer
 *
 * What the signalling agrees on is first told to the mixer ("next"), and
 * becomes the session ("neg", "tx") when the mixer has taken it: media is
 * ready before our 200 says so.
 *
 * Refs: RFC 3711 section 9.1, RFC 4568 section 7.1
 */
#include <string.h>
#include <time.h>
#include "focus/epfloor.h"
#include "focus/epmedia.h"
#include "focus/keyage.h"
#include "focus/promote.h"
#include "focus/recover.h"
#include "focus/rekey.h"
#include "focus/tree.h"
#include "log.h"


static bool key_is_current(const struct endpoint *ep, const struct secret *s)
{
	const struct sdes *sd = &ep->neg.sdes;

	for (unsigned i = 0; i < sd->keyc; i++) {
		if (secret_equal(sd->keyv[i].keysalt, s))
			return true;
	}

	return false;
}


/** Forget the peer's keys of a description, but not those that live on */
static void unsee_keys(const struct sdes *sd, const struct sdes *keep)
{
	for (unsigned i = 0; i < sd->keyc; i++) {
		bool kept = false;

		for (unsigned j = 0; keep && j < keep->keyc; j++)
			kept |= secret_equal(sd->keyv[i].keysalt,
					     keep->keyv[j].keysalt);
		if (!kept)
			secret_seen_del(sd->keyv[i].keysalt);
	}
}


/**
 * The peer's keys must be nobody else's, and above all not ours: RFC 3711
 * section 9.1 (two-time pad), RFC 4568 section 7.1.2.
 */
static int see_keys(struct endpoint *ep, struct neg_err *e)
{
	const struct sdes *sd = &ep->next.sdes;

	for (unsigned i = 0; i < sd->keyc; i++) {
		const struct secret *s = sd->keyv[i].keysalt;
		int err;

		if (key_is_current(ep, s))
			continue;

		err = secret_seen_add(s);
		if (!err)
			continue;

		while (i--) {
			if (!key_is_current(ep, sd->keyv[i].keysalt))
				secret_seen_del(sd->keyv[i].keysalt);
		}
		e->scode = err == EALREADY ? 488 : 500;
		e->warn = 399;
		e->text = err == EALREADY ? "Key is already in use"
					  : "Out of memory";
		return err;
	}

	return 0;
}


/** Our key toward the peer stays while the suite stays: a refresh must not
 *  change keys (RFC 4568 section 7.1.4).  With another MKI its stream begins
 *  anew, and under one key that must not be. */
static int draw_tx(struct endpoint *ep)
{
	const struct suite *s = ep->next.sdes.suite;

	if (ep->tx && !ep->forked && !keyage_over(ep) &&
	    ep->neg.sdes.suite == s &&
	    ep->neg.mki_len == ep->next.mki_len)
		return 0;

	return secret_seen_draw(&ep->next_tx, suite_keysalt_len(s));
}


static int group_key(struct endpoint *ep)
{
	struct gclass *gc;
	int err;

	/* to fall back to, when somebody leaves */
	err = ep->next.mki_len ? draw_tx(ep) : 0;
	if (!err)
		err = gclass_get(&gc, ep->part->conf, &ep->next);
	if (err)
		return err;
	if (gc != ep->gc || !gc->live || gc->live->retired ||
	    gc->live->no < ep->first)
		return gclass_admit(gc, ep);

	/* a refresh of its own; if a rekey is due, the answer brings it */
	ep->next_ge = mem_ref(gc->live);

	return 0;
}


/**
 * On a key of its own after this exchange, or in the group where it is.  Back
 * from the group if it is to get other packets than those of its class, or if
 * it is not proven yet: what it does with a key in our answer says nothing
 * about one in our offer.  after_answer() promotes it anew.  So it does one
 * that is on its way there from a key that others have read.
 */
static int own_key(struct endpoint *ep)
{
	ep->next_own = !ep->gc || ep->trial || (ep->forked && !ep->ge) ||
		!gclass_same(ep->gc, &ep->next);
	if (ep->next_own)
		return draw_tx(ep);

	return 0;
}


static int no_key(struct endpoint *ep, struct neg_err *e, int err)
{
	if (err && err != EAGAIN) {
		e->scode = 500;
		e->warn = 399;
		e->text = "No key";
		epmedia_rollback(ep);
	}

	return err;
}


static int check_keys(struct endpoint *ep, struct neg_err *e)
{
	int err = see_keys(ep, e);

	/* nothing of it was taken, so nothing may be given back */
	if (err)
		neg_reset(&ep->next);

	return err;
}


int epmedia_keys(struct endpoint *ep, struct neg_err *e)
{
	const struct cfg_conf *cc = ep->part->conf->cc;
	int err = check_keys(ep, e);

	if (err)
		return err;

	ep->asked = true;
	/* an offer of ours that was out has lost against this one */
	ep->offer_ge = mem_deref(ep->offer_ge);
	ep->offer_own = false;
	rekey_settled(ep);

	/* one that is on its own key yet is promoted by an offer of ours */
	err = cc->keying == KEYING_GROUP && (!ep->tx || ep->ge)
		? group_key(ep) : own_key(ep);

	return no_key(ep, e, err);
}


int epmedia_keys_answer(struct endpoint *ep, struct neg_err *e)
{
	int err = check_keys(ep, e);

	if (err)
		return err;

	rekey_settled(ep);
	/* that is about what we send, and its answer about what it sends */
	ep->next.mki_len = ep->neg.mki_len;
	if (ep->offer_ge) {
		if (!gclass_pin(ep->offer_ge->gc, &ep->next))
			return no_key(ep, e, EPROTO);
		ep->next_ge = ep->offer_ge;
		ep->offer_ge = NULL;
	}
	else {
		/* it chose among the keys of our offer, or was offered its own,
		 * or has left the group since it was offered another */
		ep->next_own = true;
		if (ep->offer_own) {
			ep->own_due = false;
			ep->rekey_fails = 0;
		}
	}
	ep->offer_own = false;

	return 0;
}


static void show(struct neg_keys *keys, const struct secret *key, uint32_t mki)
{
	keys->v[keys->c].key = key;
	keys->v[keys->c].mki = mki;
	++keys->c;
}


void epmedia_show(struct neg_keys *keys, const struct gepoch *ge,
		  const struct secret *own, uint8_t mki_len)
{
	memset(keys, 0, sizeof(*keys));
	keys->mki_len = mki_len;
	if (ge && ge->key)
		show(keys, ge->key, mki_len ? gepoch_mki(ge) : 0);
	if (own && (mki_len || !keys->c))
		show(keys, own, mki_len ? GEPOCH_MKI_OWN : 0);
}


void epmedia_show_next(struct neg_keys *keys, const struct endpoint *ep)
{
	const struct gepoch *ge = ep->ge;

	if (ep->next_ge)
		ge = ep->next_ge;
	else if (ep->next_tx || ep->next_own)
		ge = NULL;

	epmedia_show(keys, ge, ep->next_tx ? ep->next_tx : ep->tx,
		     ep->next.mki_len);
}


const struct gepoch *epmedia_epoch(const struct endpoint *ep)
{
	return ep->ge && ep->ge->retired && ep->tx ? NULL : ep->ge;
}


time_t epmedia_key_since(const struct endpoint *ep)
{
	const struct gepoch *ge = epmedia_epoch(ep);

	return ge ? ge->born : ep->tx && !ep->forked ? ep->tx_born : 0;
}


const struct secret *epmedia_key(const struct endpoint *ep)
{
	const struct gepoch *ge = epmedia_epoch(ep);

	return ge ? ge->key : ep->forked ? NULL : ep->tx;
}


/* ---- Mp ------------------------------------------------------------------ */

static void fill_key(Mp__Key *key, enum suite_id suite,
		     const struct secret *s)
{
	mp__key__init(key);
	key->suite = suite;
	key->keysalt.data = (uint8_t *)(uintptr_t)secret_bytes(s);
	key->keysalt.len = secret_len(s);
}


static void fill_addr(Mp__Address *a, uint8_t *buf, const struct sa *sa)
{
	mp__address__init(a);
	a->port = sa_port(sa);
	a->ip.data = buf;
	if (sa_af(sa) == AF_INET6) {
		a->ip.len = 16;
		memcpy(buf, &sa->u.in6.sin6_addr, 16);
	}
	else {
		a->ip.len = 4;
		memcpy(buf, &sa->u.in.sin_addr, 4);
	}
}


/** One LegSet and all it points to */
struct legset {
	Mp__LegSet ls;
	Mp__Address remote, rtcp;
	uint8_t remote_ip[16], rtcp_ip[16];
	Mp__Key tx;
	struct sdes_key tx_mki;
	Mp__Key rxv[SDES_KEYS_MAX];
	Mp__Key *rxpv[SDES_KEYS_MAX];
	Mp__TxGroup group;
};


static void fill_rx(struct legset *l, const struct sdes *sd)
{
	for (unsigned i = 0; i < sd->keyc; i++) {
		const struct sdes_key *k = &sd->keyv[i];

		fill_key(&l->rxv[i], sd->suite->id, k->keysalt);
		l->rxv[i].mki.data = (uint8_t *)(uintptr_t)k->mki;
		l->rxv[i].mki.len = k->mki_len;
		l->rxv[i].lifetime = k->lifetime;
		l->rxpv[i] = &l->rxv[i];
	}
	l->ls.rx = l->rxpv;
	l->ls.n_rx = sd->keyc;
}


/** Its own key; NULL: none, or others have read it, and the mixer is not to have
 *  it then */
static const struct secret *own_tx(const struct endpoint *ep, bool next)
{
	const bool fresh = next && ep->next_tx;

	/* the first one agreed is that of the INVITE */
	if (ep->forked && (!fresh || endpoint_is_new(ep)))
		return NULL;

	return fresh ? ep->next_tx : ep->tx;
}


/**
 * What it hears: the group stream, its own, or during a trial both.  With MKI
 * it can open both at any time, and its own is what the mixer falls back to.
 *
 * @param next  As after the exchange that is under way
 */
static void fill_tx(struct legset *l, const struct endpoint *ep,
		    const struct neg *n, bool next)
{
	const struct gepoch *ge = next && ep->next_ge ? ep->next_ge : ep->ge;
	const struct secret *own = own_tx(ep, next);

	if (ge && !ge->retired && !(next && ep->next_own)) {
		mp__tx_group__init(&l->group);
		l->group.class_id = ge->gc->id;
		l->group.epoch = ge->no;
		l->ls.group = &l->group;
	}
	if (own && (!ge || ep->trial || n->mki_len || (next && ep->next_own))) {
		sdes_mki_set(&l->tx_mki, GEPOCH_MKI_OWN, n->mki_len);
		fill_key(&l->tx, n->sdes.suite->id, own);
		l->tx.mki.data = l->tx_mki.mki;
		l->tx.mki.len = n->mki_len;
		l->ls.tx = &l->tx;
	}
	l->ls.tx_both = l->ls.group && l->ls.tx && ep->trial;
}


static void fill_media(struct legset *l, const struct endpoint *ep,
		       bool next)
{
	const struct neg *n = next ? &ep->next : &ep->neg;

	l->ls.codec = n->codec;
	l->ls.pt = n->pt;
	l->ls.ptime = n->ptime;
	l->ls.opus_max_rate = n->opus_max_rate;
	l->ls.opus_fec = n->opus_fec;
	l->ls.opus_dtx = n->opus_dtx;
	l->ls.opus_cbr = n->opus_cbr;
	l->ls.dtmf_pt = n->dtmf_pt;
	l->ls.level_ext = n->level_ext;
	l->ls.rtcp_mux = n->rtcp_mux;
	l->ls.send = n->peer_receives && (next || !ep->moved);
	l->ls.recv = n->peer_sends && part_heard(ep->part);
	l->ls.idle_ms = 1000 * ep->part->conf->focus->cfg->media_timeout_s;
	fill_addr(&l->remote, l->remote_ip, &n->remote);
	fill_addr(&l->rtcp, l->rtcp_ip, &n->rtcp);
	l->ls.remote = &l->remote;
	l->ls.remote_rtcp = &l->rtcp;
	fill_rx(l, &n->sdes);
	fill_tx(l, ep, n, next);
}


/** A port and nothing else, for an offer of ours: what comes of it is open */
static void fill_port_only(struct legset *l, const struct cfg_conf *cc)
{
	const struct codec *codec = codec_by_id(cc->codecv[0]);

	l->ls.codec = codec->id;
	l->ls.pt = codec->pt >= 0 ? (uint32_t)codec->pt : NEG_PT_OPUS;
}


static bool family_served(const struct cfg *cfg, int af)
{
	for (unsigned i = 0; i < cfg->media_addrc; i++) {
		if (sa_af(&cfg->media_addrv[i]) == af)
			return true;
	}

	return false;
}


static int send_legset(struct endpoint *ep, struct legset *l, int af,
		       mixproc_reply_h *replyh)
{
	struct conference *c = ep->part->conf;
	Mp__Message msg = MP__MESSAGE__INIT;

	if (!family_served(c->cfg, af))
		return EAFNOSUPPORT;

	l->ls.conf = c->id;
	l->ls.leg = ep->leg;
	l->ls.cname = ep->part->cname;
	l->ls.family = af == AF_INET6 ? 6 : 4;
	msg.body_case = MP__MESSAGE__BODY_LEG_SET;
	msg.leg_set = &l->ls;

	return mixproc_send(c->mix, &msg, replyh, ep);
}


int epmedia_apply(struct endpoint *ep, mixproc_reply_h *replyh)
{
	struct legset l;
	int af, err;

	memset(&l, 0, sizeof(l));
	mp__leg_set__init(&l.ls);
	if (ep->next.sdes.suite) {
		af = sa_af(&ep->next.remote);
		fill_media(&l, ep, true);
	}
	else {
		af = ep->dlg ? sa_af(dlg_peer_addr(ep->dlg)) : ep->dial_af;
		fill_port_only(&l, ep->part->conf->cc);
	}

	err = send_legset(ep, &l, af, replyh);
	if (!err)
		++ep->media_pending;

	return err;
}


int epmedia_resend(struct endpoint *ep)
{
	struct legset l;

	/* what is under way would be undone; epmedia_commit() does it then */
	if (ep->media_pending) {
		ep->resend = true;
		return 0;
	}

	memset(&l, 0, sizeof(l));
	mp__leg_set__init(&l.ls);
	fill_media(&l, ep, false);

	return send_legset(ep, &l, sa_af(&ep->neg.remote), NULL);
}


/** In the place of a key that was in use */
static int fresh_own(struct endpoint *ep)
{
	struct secret *key;
	int err;

	err = secret_seen_draw(&key, suite_keysalt_len(ep->neg.sdes.suite));
	if (err)
		return err;

	epmedia_drop_own(ep);
	ep->tx = key;
	ep->own_due = true;
	keyage_start(ep);

	return 0;
}


int epmedia_move(struct endpoint *ep, mixproc_reply_h *replyh)
{
	struct legset l;
	int err = ep->tx ? fresh_own(ep) : 0;

	if (err)
		return err;

	/* an offer that is out has the key of before */
	ep->offer_own = false;
	ep->resend = false;
	ep->moved = true;

	memset(&l, 0, sizeof(l));
	mp__leg_set__init(&l.ls);
	fill_media(&l, ep, false);
	l.ls.rx_ssrc = ep->rx_ssrc;
	l.ls.rx_roc = ep->rx_roc;
	err = send_legset(ep, &l, sa_af(&ep->neg.remote), replyh);
	if (!err)
		++ep->media_pending;

	return err;
}


bool epmedia_renew(struct endpoint *ep)
{
	struct gclass *gc = ep->next_ge ? ep->next_ge->gc : NULL;

	if (!gc || !ep->next_ge->retired || !gc->live || gc->live->retired ||
	    gc->live == ep->next_ge)
		return false;

	mem_ref(gc->live);
	mem_deref(ep->next_ge);
	ep->next_ge = gc->live;

	return true;
}


/* ---- the exchange is over ------------------------------------------------ */

void epmedia_drop_own(struct endpoint *ep)
{
	secret_seen_free(&ep->tx);
	ep->tx_forkable = ep->forked = false;
	keyage_stop(ep);
}


static void commit_own(struct endpoint *ep)
{
	const bool first = endpoint_is_new(ep), forked = first && ep->forked;

	if (ep->forked && !first)
		recover_watch(ep, "Others have read its key");
	else if (ep->tx_over)
		recover_watch(ep, "Its key was too old");
	epmedia_drop_own(ep);
	ep->tx = ep->next_tx;
	ep->tx_born = time(NULL);
	ep->tx_forkable = first && ep->dialled;
	ep->forked = forked;
	ep->next_tx = NULL;
	keyage_start(ep);
}


void epmedia_told(struct endpoint *ep, const struct gepoch *ge)
{
	ep->keyed = true;
	ep->known = MAX(ep->known, ge->no);
}


static void commit_epoch(struct endpoint *ep)
{
	struct gepoch *ge = ep->next_ge, *old;

	ep->next_ge = NULL;
	if (ge->gc != ep->gc) {
		gclass_leave(ep, STAY_GRACE_MS);
		gclass_member(ge->gc, ep, ge->no);
	}
	epmedia_told(ep, ge);
	old = ep->ge;
	ep->ge = ge;
	mem_deref(old);
	ep->rekey_fails = 0;
	ep->own_due = false;
	promote_switched(ep);
}


void epmedia_commit(struct endpoint *ep)
{
	/* under another key it begins at 0 */
	if (!ep->next.sdes.keyc ||
	    !key_is_current(ep, ep->next.sdes.keyv[0].keysalt))
		ep->rx_roc = 0;
	unsee_keys(&ep->neg.sdes, &ep->next.sdes);
	neg_reset(&ep->neg);
	ep->neg = ep->next;
	memset(&ep->next, 0, sizeof(ep->next));

	neg_mlines_reset(&ep->mlines);
	ep->mlines = ep->next_mlines;
	memset(&ep->next_mlines, 0, sizeof(ep->next_mlines));

	if (ep->next_tx)
		commit_own(ep);
	if (ep->next_own && ep->gc) {
		promote_stop(ep);
		gclass_leave(ep, STAY_GRACE_MS);
	}
	ep->next_own = false;
	recover_moved(ep);
	epfloor_commit(ep);
	if (ep->next_ge)
		commit_epoch(ep);
	gclass_unwait(ep);

	if (ep->resend) {
		ep->resend = false;
		(void)epmedia_resend(ep);
	}

	/* the next epoch may have been drawn while the mixer was asked */
	rekey_start(ep);
}


void epmedia_rollback(struct endpoint *ep)
{
	unsee_keys(&ep->next.sdes, &ep->neg.sdes);
	neg_reset(&ep->next);
	neg_mlines_reset(&ep->next_mlines);
	secret_seen_free(&ep->next_tx);
	ep->next_own = false;
	ep->next_ge = mem_deref(ep->next_ge);
	gclass_unwait(ep);
}


void epmedia_release(struct endpoint *ep, uint32_t grace_ms)
{
	struct conference *c = ep->part->conf;
	Mp__Message msg = MP__MESSAGE__INIT;
	Mp__LegRemove lr = MP__LEG_REMOVE__INIT;

	mixproc_forget(c->mix, ep);
	lr.conf = c->id;
	lr.leg = ep->leg;
	msg.body_case = MP__MESSAGE__BODY_LEG_REMOVE;
	msg.leg_remove = &lr;
	(void)mixproc_send(c->mix, &msg, NULL, NULL);

	rekey_stop(ep);
	gclass_leave(ep, grace_ms);
	epmedia_rollback(ep);
	unsee_keys(&ep->neg.sdes, NULL);
	neg_reset(&ep->neg);
	neg_mlines_reset(&ep->mlines);
	epmedia_drop_own(ep);
	neg_offered_reset(&ep->offered);
}


/* ---- our address --------------------------------------------------------- */

int epmedia_local_set(struct endpoint *ep, const Mp__Reply *r)
{
	const struct cfg *cfg = ep->part->conf->cfg;
	const struct sa *adv = &cfg->advertised_address;

	if (r->ip.len == 4) {
		uint32_t ip;

		memcpy(&ip, r->ip.data, 4);
		sa_set_in(&ep->local, ntohl(ip), (uint16_t)r->port);
	}
	else if (r->ip.len == 16) {
		sa_set_in6(&ep->local, r->ip.data, (uint16_t)r->port);
	}
	else {
		return EPROTO;
	}

	/* behind NAT the world sees another address, of one family */
	if (sa_isset(adv, SA_ADDR) && sa_af(adv) == sa_af(&ep->local)) {
		ep->local = *adv;
		sa_set_port(&ep->local, (uint16_t)r->port);
	}
	ep->local_rtcp = (uint16_t)r->rtcp_port;

	return 0;
}


void epmedia_local(struct endpoint *ep, struct neg_local *l)
{
	l->rtp = ep->local;
	l->rtcp_port = ep->local_rtcp;
	l->sess_id = ep->sess_id;
	l->sess_ver = &ep->sess_ver;
	l->body_hash = ep->body_hash;
	l->floor = epfloor_local(ep);
}
