/**
 * @file focus/gepoch.c  Group keys: drawn, handed out, retired
 *
 * Every epoch is a fresh random key with (at the mixer) an SSRC of its own, a
 * sequence that starts below 2^15 and ROC 0, because SDES cannot tell a joiner
 * a ROC (RFC 4568 section 6.4).
 *
 * Ownership:  held by its class while it is the live one, and by every endpoint
 *             that hears it or was offered it; the last one drops the key, here
 *             and at the mixer
 */
#include <time.h>
#include "focus/rekey.h"
#include "focus/tree.h"
#include "log.h"

enum { RETRY_MS = 1000 };


/**
 * Counted up with the epoch, from 2: 1 is every member's own key.  A short
 * MKI comes round again long after the last packet that carried it.
 */
uint32_t gepoch_mki(const struct gepoch *ge)
{
	const uint8_t len = ge->gc->mki_len;
	const uint32_t max = len < sizeof(max) ? (1U << 8 * len) - 1
					       : UINT32_MAX;

	return GEPOCH_MKI_OWN + 1 + (ge->no - 1) % (max - GEPOCH_MKI_OWN);
}


static void retire(struct gepoch *ge)
{
	struct conference *c = ge->gc->conf;
	Mp__Message msg = MP__MESSAGE__INIT;
	Mp__KeyRetire kr = MP__KEY_RETIRE__INIT;

	tmr_cancel(&ge->tmr);
	if (ge->retired)
		return;

	ge->retired = true;
	kr.conf = c->id;
	kr.class_id = ge->gc->id;
	kr.epoch = ge->no;
	msg.body_case = MP__MESSAGE__BODY_KEY_RETIRE;
	msg.key_retire = &kr;
	(void)mixproc_send(c->mix, &msg, NULL, NULL);
	log_info("ev=key_retired conf=%s class=%u epoch=%u", c->label,
		 ge->gc->id, ge->no);

	/* a leg without MKI has no other key that our SDP could show */
	if (ge->gc->mki_len)
		secret_seen_free(&ge->key);
}


/** The mixer has them on their own keys: that is what the roster has to say */
static void tell_members(const struct gepoch *ge)
{
	struct le *le;

	for (le = list_head(&ge->gc->memberl); le; le = le->next) {
		struct endpoint *ep = le->data;

		if (ep->ge == ge && ep->tx)
			endpoint_moved(ep);
	}
}


/** Somebody may hear it still */
static void cut(struct gepoch *ge)
{
	if (ge->retired)
		return;

	retire(ge);
	if (!ge->gc->conf->ending)
		tell_members(ge);
}


void gepoch_lost(struct gepoch *ge)
{
	tmr_cancel(&ge->tmr);
	ge->retired = true;
	if (ge->gc->mki_len)
		secret_seen_free(&ge->key);
}


static void destructor(void *arg)
{
	struct gepoch *ge = arg;

	if (ge->le.list)
		retire(ge);
	mixproc_forget(ge->gc->conf->mix, ge);
	tmr_cancel(&ge->tmr);
	list_unlink(&ge->le);
	secret_seen_free(&ge->key);
	mem_deref(ge->gc);
}


/** The mixer has no room for it: nobody is sent anything under it, and those who
 *  have it already get the next.  If it died, see gclass_lost(). */
static void install_reply(const Mp__Reply *r, void *arg)
{
	struct gepoch *ge = arg;
	struct gclass *gc = ge->gc;

	if (!r || r->status == MP__STATUS__OK || ge->retired)
		return;

	gepoch_lost(ge);
	log_warn("ev=key_refused conf=%s class=%u epoch=%u", gc->conf->label,
		 gc->id, ge->no);
	if (gc->live == ge)
		gepoch_want(gc, RETRY_MS);
}


static int install(struct gepoch *ge)
{
	const struct gclass *gc = ge->gc;
	Mp__Message msg = MP__MESSAGE__INIT;
	Mp__KeyInstall ki = MP__KEY_INSTALL__INIT;
	Mp__Key key = MP__KEY__INIT;
	struct sdes_key mki;

	sdes_mki_set(&mki, gepoch_mki(ge), gc->mki_len);
	key.suite = gc->suite;
	key.mki.data = mki.mki;
	key.mki.len = mki.mki_len;
	key.keysalt.data = (uint8_t *)(uintptr_t)secret_bytes(ge->key);
	key.keysalt.len = secret_len(ge->key);
	ki.conf = gc->conf->id;
	ki.class_id = gc->id;
	ki.epoch = ge->no;
	ki.key = &key;
	ki.codec = gc->codec;
	ki.pt = gc->pt;
	ki.ptime = gc->ptime;
	ki.opus_max_rate = gc->opus_max_rate;
	ki.opus_fec = gc->opus_fec;
	ki.opus_dtx = gc->opus_dtx;
	ki.opus_cbr = gc->opus_cbr;
	msg.body_case = MP__MESSAGE__BODY_KEY_INSTALL;
	msg.key_install = &ki;

	return mixproc_send(gc->conf->mix, &msg, install_reply, ge);
}


static int make(struct gepoch **gep, struct gclass *gc)
{
	struct gepoch *ge;
	int err;

	ge = mem_zalloc(sizeof(*ge), destructor);
	if (!ge)
		return ENOMEM;

	tmr_init(&ge->tmr);
	ge->gc = mem_ref(gc);
	ge->no = gc->epoch_no + 1;
	ge->drawn = tmr_jiffies();
	ge->born = time(NULL);
	err = secret_seen_draw(&ge->key,
			       suite_keysalt_len(suite_by_id(gc->suite)));
	if (err)
		goto out;

	err = install(ge);
	if (err)
		goto out;

	++gc->epoch_no;
	list_append(&gc->epochl, &ge->le, ge);

 out:
	if (err)
		mem_deref(ge);
	else
		*gep = ge;

	return err;
}


static void age_handler(void *arg)
{
	struct gclass *gc = arg;

	log_debug("ev=key_aged conf=%s class=%u", gc->conf->label, gc->id);
	(void)gepoch_draw(gc);
}


/** @param keyed  Whose epoch is there, or those without one */
static struct endpoint *next_waiting(const struct gclass *gc, bool keyed)
{
	struct le *le;

	for (le = list_head(&gc->waitl); le; le = le->next) {
		struct endpoint *ep = le->data;

		if (ep->waiting && keyed == (ep->next_ge != NULL))
			return ep;
	}

	return NULL;
}


/** The epoch is for those who wait when it is drawn; who comes before they are
 *  told is not among them */
static void assign(struct gclass *gc)
{
	struct endpoint *ep;

	while ((ep = next_waiting(gc, false)))
		ep->next_ge = mem_ref(gc->live);
}


/** A call from the loop: an endpoint that fails here may take the conference
 *  with it, and the class */
static void tell_waiting(struct gclass *gc, bool keyed, int err)
{
	struct endpoint *ep;

	mem_ref(gc);
	while ((ep = next_waiting(gc, keyed))) {
		ep->waiting = false;
		endpoint_admitted(ep, err);
	}
	mem_deref(gc);
}


static void admit_handler(void *arg)
{
	tell_waiting(arg, true, 0);
}


static void draw_handler(void *arg)
{
	/* no key, no admission; those who are in need one all the same */
	if (gepoch_draw(arg))
		tell_waiting(arg, false, ENOMEM);
}


/** No key could be drawn or told to the mixer: try again while it is needed */
static void draw_failed(struct gclass *gc)
{
	log_error("ev=key_failed conf=%s class=%u", gc->conf->label, gc->id);
	tmr_cancel(&gc->tmr_draw);
	gepoch_want(gc, RETRY_MS);
}


int gepoch_draw(struct gclass *gc)
{
	struct gepoch *ge;
	char kid[KID_STRLEN];
	struct le *le;
	int err;

	err = make(&ge, gc);
	if (err) {
		draw_failed(gc);
		return err;
	}

	log_info("ev=key_drawn conf=%s class=%u epoch=%u kid=%s members=%u",
		 gc->conf->label, gc->id, ge->no, secret_kid(ge->key, kid),
		 list_count(&gc->memberl));

	mem_deref(gc->live);
	gc->live = ge;
	tmr_cancel(&gc->tmr_draw);
	if (gc->conf->cc->rekey_max_age_s)
		tmr_start(&gc->tmr_age,
			  1000ULL * gc->conf->cc->rekey_max_age_s,
			  age_handler, gc);

	for (le = list_head(&gc->memberl); le; le = le->next)
		rekey_start(le->data);
	assign(gc);
	if (next_waiting(gc, true))
		tmr_start(&gc->tmr_admit, 0, admit_handler, gc);

	return 0;
}


void gepoch_want(struct gclass *gc, uint32_t delay_ms)
{
	if (gc->closing)
		return;

	/* joins and leaves that fall together share the epoch */
	if (tmr_isrunning(&gc->tmr_draw) &&
	    tmr_get_expire(&gc->tmr_draw) <= delay_ms)
		return;

	tmr_start(&gc->tmr_draw, delay_ms, draw_handler, gc);
}


static void grace_handler(void *arg)
{
	struct gepoch *ge = arg;

	cut(ge);
}


void gepoch_expose(struct gepoch *ge, uint32_t grace_ms)
{
	if (ge->retired)
		return;

	if (!grace_ms || ge->gc->mki_len)
		cut(ge);
	else if (!tmr_isrunning(&ge->tmr) ||
		 tmr_get_expire(&ge->tmr) > grace_ms)
		tmr_start(&ge->tmr, grace_ms, grace_handler, ge);
}
