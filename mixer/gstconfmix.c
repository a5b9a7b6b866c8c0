/**
 * @file gstconfmix.c  confmix: common mix and mix-minus
 *
 * All slots are summed once, in 32 bit; a talker's mix-minus is that sum less
 * its own frame.  The common mix is limited once and resampled once per rate,
 * however many encoders want it.
 */
#include <errno.h>
#include <string.h>
#include "gstconf.h"
#include "limiter.h"
#include "resamp.h"

enum {
	RATES = 3,
	SOFTEN = MIX_RATE / 1000 * 2,    /* samples to silence           */
};

/* Rates below 48 kHz that some codec wants */
static const uint32_t ratev[RATES] = {MIX_RATE, 16000, 8000};

struct mixout {
	struct mixout *next;
	ConfMix *cm;
	GstPad *pad;
	uint32_t rate;
	int slot;                  /* -1: common                     */
	bool need;
	uint64_t pos;              /* of the frame expected next     */
	struct limiter lim;        /* these two only for a mix-minus */
	struct resamp rs;
};

struct slot {
	GstPad *pad;
	int16_t *pcm;              /* MIX_FRAME samples, made with the pad */
	bool have;
	bool heard;                /* was in the last mix, by the same holder */
	int16_t end;               /* where it ended there           */
};

struct _ConfMix {
	GstElement parent;
	struct slot slotv[SPK_SLOTS_MAX];
	struct mixout *outs;
	unsigned serial;           /* names of pads        */
	struct limiter lim;        /* of the common mix    */
	struct resamp rsv[RATES];
	bool rs_ready[RATES];
	uint64_t rs_pos[RATES];    /* expected next ...    */
	uint64_t pos;              /* ... by the limiter   */
	int32_t last[MIX_FRAME];   /* what was mixed last, */
	uint64_t last_end;         /* up to here           */
};

G_DEFINE_TYPE(ConfMix, conf_mix, GST_TYPE_ELEMENT)

static GstFlowReturn chain(GstPad *pad, GstObject *parent, GstBuffer *buf)
{
	struct slot *s = gst_pad_get_element_private(pad);

	(void)parent;
	s->have = MIX_FRAME * sizeof(*s->pcm) ==
		gst_buffer_extract(buf, 0, s->pcm, MIX_FRAME * sizeof(*s->pcm));
	gst_buffer_unref(buf);

	return GST_FLOW_OK;
}

static void conf_mix_finalize(GObject *obj)
{
	ConfMix *cm = CONF_MIX(obj);
	unsigned i;

	for (i = 0; i < SPK_SLOTS_MAX; i++)
		g_free(cm->slotv[i].pcm);
	for (i = 0; i < RATES; i++)
		resamp_close(&cm->rsv[i]);

	G_OBJECT_CLASS(conf_mix_parent_class)->finalize(obj);
}

static void conf_mix_class_init(ConfMixClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = conf_mix_finalize;
	gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Conference mixer",
					      "Generic/Audio", "Common mix and mix-minus", "Conclave");
}

static void conf_mix_init(ConfMix *cm)
{
	limiter_init(&cm->lim);
}

GstElement *conf_mix_new(void)
{
	return g_object_new(CONF_TYPE_MIX, NULL);
}

GstPad *conf_mix_slot_pad(ConfMix *cm, unsigned slot)
{
	struct slot *s = &cm->slotv[slot];

	if (!s->pad) {
		g_autofree char *name = g_strdup_printf("sink_%u", slot);

		s->pcm = g_new(int16_t, MIX_FRAME);
		s->pad = conf_pad_add(GST_ELEMENT(cm), name, GST_PAD_SINK);
		gst_pad_set_element_private(s->pad, s);
		gst_pad_set_chain_function(s->pad, chain);
	}

	return s->pad;
}

static int rate_index(uint32_t rate)
{
	unsigned i;

	for (i = 0; i < RATES; i++)
		if (ratev[i] == rate)
			return (int)i;

	return -1;
}

int conf_mix_out_new(struct mixout **mop, ConfMix *cm, int slot, uint32_t rate)
{
	g_autofree char *name = g_strdup_printf("%s_%u", slot < 0 ? "common" : "minus", cm->serial++);
	const int ri = rate_index(rate);
	struct mixout *mo;
	int err = 0;

	if (ri < 0)
		return EINVAL;

	mo = g_new0(struct mixout, 1);
	mo->cm = cm;
	mo->slot = slot;
	mo->rate = rate;
	limiter_init(&mo->lim);
	if (slot >= 0)
		err = resamp_init(&mo->rs, MIX_RATE, rate);
	else if (!cm->rs_ready[ri])
		err = resamp_init(&cm->rsv[ri], MIX_RATE, rate);
	if (err) {
		g_free(mo);
		return err;
	}
	if (slot < 0)
		cm->rs_ready[ri] = true;
	mo->pad = conf_pad_add(GST_ELEMENT(cm), name, GST_PAD_SRC);
	mo->next = cm->outs;
	cm->outs = mo;
	*mop = mo;

	return 0;
}

void conf_mix_out_free(struct mixout **mop)
{
	struct mixout *mo = *mop, **pp;

	if (!mo)
		return;

	for (pp = &mo->cm->outs; *pp; pp = &(*pp)->next) {
		if (*pp != mo)
			continue;
		*pp = mo->next;
		break;
	}
	conf_pad_remove(mo->pad);
	resamp_close(&mo->rs);
	g_free(mo);
	*mop = NULL;
}

GstPad *conf_mix_out_pad(const struct mixout *mo)
{
	return mo->pad;
}

void conf_mix_out_need(struct mixout *mo, bool need)
{
	mo->need = need;
}

/* An output that was not needed for a while: who hears it now has heard another
   one up to here, with what is in that one's filter and limiter */
static void resume(const ConfMix *cm, struct resamp *rs, uint64_t pos)
{
	int16_t in[MIX_FRAME], out[MIX_FRAME];
	unsigned i;

	resamp_reset(rs);
	if (rs->in == rs->out || cm->last_end != pos)
		return;

	for (i = 0; i < MIX_FRAME; i++)
		in[i] = (int16_t)CLAMP(cm->last[i], INT16_MIN, INT16_MAX);
	(void)resamp_run(rs, in, MIX_FRAME, out);
}

/* The limiter of any output that was made a tick ago */
static void limiter_now(struct limiter *lim, const ConfMix *cm, uint64_t pos)
{
	const struct mixout *mo;

	limiter_init(lim);
	if (cm->pos == pos) {
		*lim = cm->lim;
		return;
	}
	for (mo = cm->outs; mo; mo = mo->next) {
		if (mo->slot < 0 || mo->pos != pos)
			continue;
		*lim = mo->lim;
		return;
	}
}

static GstBuffer *frame_buffer(struct resamp *rs, const int16_t *pcm, uint64_t pos)
{
	const size_t sampc = MIX_FRAME * (size_t)rs->out / MIX_RATE;
	GstBuffer *buf = gst_buffer_new_allocate(NULL, sampc * sizeof(*pcm), NULL);
	GstMapInfo map;

	if (gst_buffer_map(buf, &map, GST_MAP_WRITE)) {
		(void)resamp_run(rs, pcm, MIX_FRAME, (int16_t *)(void *)map.data);
		gst_buffer_unmap(buf, &map);
	}
	GST_BUFFER_OFFSET(buf) = pos;

	return buf;
}

static void push_common(ConfMix *cm, const int32_t *sum, uint64_t pos, const struct limiter *now)
{
	GstBuffer *bufv[RATES] = {NULL};
	int16_t pcm[MIX_FRAME];
	struct mixout *mo;
	bool limited = false;
	unsigned i;

	for (mo = cm->outs; mo; mo = mo->next) {
		const int ri = rate_index(mo->rate);

		if (!mo->need || mo->slot >= 0 || ri < 0)
			continue;
		if (!limited) {
			if (cm->pos != pos)
				cm->lim = *now;
			limiter_run(&cm->lim, sum, pcm, MIX_FRAME);
			limited = true;
			cm->pos = pos + MIX_FRAME;
		}
		if (!bufv[ri]) {
			if (pos != cm->rs_pos[ri])
				resume(cm, &cm->rsv[ri], pos);
			cm->rs_pos[ri] = pos + MIX_FRAME;
			bufv[ri] = frame_buffer(&cm->rsv[ri], pcm, pos);
		}
		(void)gst_pad_push(mo->pad, gst_buffer_ref(bufv[ri]));
	}

	for (i = 0; i < RATES; i++)
		gst_clear_buffer(&bufv[i]);
}

static void push_minus(struct mixout *mo, const int32_t *sum, uint64_t pos, uint32_t mask,
		       const struct limiter *now)
{
	const struct slot *s = &mo->cm->slotv[mo->slot];
	int32_t acc[MIX_FRAME];
	int16_t pcm[MIX_FRAME];
	unsigned i;

	memcpy(acc, sum, sizeof(acc));
	if (s->have && mask & 1u << mo->slot)
		for (i = 0; i < MIX_FRAME; i++)
			acc[i] -= s->pcm[i];

	if (pos != mo->pos) {
		mo->lim = *now;
		resume(mo->cm, &mo->rs, pos);
	}
	limiter_run(&mo->lim, acc, pcm, MIX_FRAME);
	mo->pos = pos + MIX_FRAME;
	(void)gst_pad_push(mo->pad, frame_buffer(&mo->rs, pcm, pos));
}

uint32_t conf_mix_have(const ConfMix *cm)
{
	uint32_t mask = 0;
	unsigned k;

	for (k = 0; k < SPK_SLOTS_MAX; k++)
		if (cm->slotv[k].have)
			mask |= 1u << k;

	return mask;
}

void conf_mix_drop(ConfMix *cm)
{
	unsigned k;

	for (k = 0; k < SPK_SLOTS_MAX; k++)
		cm->slotv[k].have = false;
}

void conf_mix_cut(ConfMix *cm, unsigned slot)
{
	cm->slotv[slot].heard = false;
}

/* Who goes in the middle of a sound makes no click.  (How one begins is its own
   business: softened, too, a tone's onset has Opus take it for a voice.) */
static void add(struct slot *s, int32_t *sum, bool in, bool gone)
{
	unsigned i;

	if (gone)
		for (i = 0; i < SOFTEN; i++)
			sum[i] += s->end * (SOFTEN - (int32_t)i) / SOFTEN;
	if (in)
		for (i = 0; i < MIX_FRAME; i++)
			sum[i] += s->pcm[i];

	s->heard = in;
	s->end = in ? s->pcm[MIX_FRAME - 1] : 0;
}

void conf_mix_run(ConfMix *cm, uint64_t pos, uint32_t mask)
{
	int32_t sum[MIX_FRAME] = {0};
	struct limiter now;
	struct mixout *mo;
	unsigned k;

	for (k = 0; k < SPK_SLOTS_MAX; k++) {
		struct slot *s = &cm->slotv[k];
		const bool in = s->have && mask & 1u << k, goes_on = cm->last_end == pos;

		if (!goes_on)
			s->heard = false;
		add(s, sum, in, goes_on && s->end && !(in && s->heard));
	}

	limiter_now(&now, cm, pos);
	push_common(cm, sum, pos, &now);
	for (mo = cm->outs; mo; mo = mo->next)
		if (mo->need && mo->slot >= 0)
			push_minus(mo, sum, pos, mask, &now);

	memcpy(cm->last, sum, sizeof(sum));
	cm->last_end = pos + MIX_FRAME;
	conf_mix_drop(cm);
}
