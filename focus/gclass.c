/**
 * @file focus/gclass.c  Delivery classes and their group keys
 *
 * Refs: RFC 3711 section 9.1; RFC 4568 section 7 (no late joiner)
 */
#include "focus/tree.h"
#include "log.h"


static void destructor(void *arg)
{
	struct gclass *gc = arg;

	list_unlink(&gc->le);
	secret_seen_del(gc->key);
	secret_free(&gc->key);
}


static int install(struct conference *c, const struct gclass *gc)
{
	Mp__Message msg = MP__MESSAGE__INIT;
	Mp__KeyInstall ki = MP__KEY_INSTALL__INIT;
	Mp__Key key = MP__KEY__INIT;

	key.suite = gc->suite;
	key.keysalt.data = (uint8_t *)(uintptr_t)secret_bytes(gc->key);
	key.keysalt.len = secret_len(gc->key);
	ki.conf = c->id;
	ki.class_id = gc->id;
	ki.epoch = gc->epoch;
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

	return mixproc_send(c->mix, &msg, NULL, NULL);
}


static void retire(struct conference *c, const struct gclass *gc)
{
	Mp__Message msg = MP__MESSAGE__INIT;
	Mp__KeyRetire kr = MP__KEY_RETIRE__INIT;

	kr.conf = c->id;
	kr.class_id = gc->id;
	kr.epoch = gc->epoch;
	msg.body_case = MP__MESSAGE__BODY_KEY_RETIRE;
	msg.key_retire = &kr;
	(void)mixproc_send(c->mix, &msg, NULL, NULL);
}


static bool same(const struct gclass *gc, const struct neg *n)
{
	return gc->codec == n->codec && gc->pt == n->pt &&
		gc->ptime == n->ptime && gc->suite == n->sdes.suite->id &&
		gc->opus_max_rate == n->opus_max_rate &&
		gc->opus_fec == n->opus_fec && gc->opus_dtx == n->opus_dtx &&
		gc->opus_cbr == n->opus_cbr;
}


/** The class a leg belongs to, made with a fresh key when it is the first */
int gclass_get(struct gclass **gcp, struct conference *c, const struct neg *n)
{
	struct gclass *gc;
	struct le *le;
	int err;

	for (le = list_head(&c->classl); le; le = le->next) {
		gc = le->data;
		if (same(gc, n)) {
			++gc->legc;
			*gcp = gc;
			return 0;
		}
	}

	gc = mem_zalloc(sizeof(*gc), destructor);
	if (!gc)
		return ENOMEM;

	gc->id = ++c->class_id;
	gc->codec = n->codec;
	gc->pt = n->pt;
	gc->ptime = n->ptime;
	gc->opus_max_rate = n->opus_max_rate;
	gc->opus_fec = n->opus_fec;
	gc->opus_dtx = n->opus_dtx;
	gc->opus_cbr = n->opus_cbr;
	gc->suite = n->sdes.suite->id;
	gc->epoch = 1;
	gc->legc = 1;

	err = secret_draw(&gc->key, suite_keysalt_len(n->sdes.suite));
	if (!err)
		err = secret_seen_add(gc->key);
	if (!err)
		err = install(c, gc);
	if (err) {
		mem_deref(gc);
		return err;
	}

	list_append(&c->classl, &gc->le, gc);
	*gcp = gc;

	return 0;
}


void gclass_put(struct conference *c, struct gclass *gc)
{
	if (!gc || --gc->legc)
		return;

	retire(c, gc);
	mem_deref(gc);
}
