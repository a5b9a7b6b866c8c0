/**
 * @file confslot.c  Speaker slots: decoder and mix-minus encoder of a holder
 *
 * Elements stay in the pipeline once made; what costs memory (jitter buffer,
 * codec states, mix-minus output) is there only while the slot is held.
 */
#include <errno.h>
#include "mixer.h"

static GstElement *add(struct conf *c, GstElement *e)
{
	(void)gst_bin_add(GST_BIN(c->pipeline), e);
	(void)gst_element_sync_state_with_parent(e);

	return e;
}

static int build(struct conf *c, unsigned slot)
{
	struct cslot *cs = &c->slotv[slot];
	bool ok;

	if (cs->dec)
		return 0;

	cs->dec = add(c, conf_dec_new());
	cs->enc = add(c, conf_enc_new());
	cs->ol = (struct outlet){.conf = c, .slot = slot};
	cs->sinkpad = conf_sink_pad_new(CONF_SINK(c->sink), &cs->ol);

	ok = conf_pad_link(conf_src_pad(CONF_SRC(c->src), slot),
			   conf_dec_pad(CONF_DEC(cs->dec), GST_PAD_SINK)) &&
		conf_pad_link(conf_dec_pad(CONF_DEC(cs->dec), GST_PAD_SRC),
			      conf_mix_slot_pad(CONF_MIX(c->mix), slot)) &&
		conf_pad_link(conf_enc_pad(CONF_ENC(cs->enc), GST_PAD_SRC), cs->sinkpad);

	return ok ? 0 : EIO;
}

static int open_minus(struct conf *c, unsigned slot, const struct leg_cfg *cfg)
{
	struct cslot *cs = &c->slotv[slot];
	int err;

	err = conf_enc_open(CONF_ENC(cs->enc), cfg->codec->id, cfg->ptime, &cfg->enc);
	if (!err)
		err = conf_mix_out_new(&cs->out, CONF_MIX(c->mix), (int)slot, cfg->codec->rate);
	if (!err && !conf_pad_link(conf_mix_out_pad(cs->out),
				   conf_enc_pad(CONF_ENC(cs->enc), GST_PAD_SINK)))
		err = EIO;

	return err;
}

int conf_slot_open(struct conf *c, unsigned slot, struct leg *leg)
{
	struct cslot *cs = &c->slotv[slot];
	int err;

	err = build(c, slot);
	if (!err)
		err = conf_dec_open(CONF_DEC(cs->dec), leg->cfg.codec->id);
	if (!err && leg->cfg.send)
		err = open_minus(c, slot, &leg->cfg);
	if (err) {
		conf_slot_close(c, slot);
		return err;
	}

	conf_src_open(CONF_SRC(c->src), slot, leg->cfg.codec->clock);
	cs->leg = leg;
	cs->tail = 0;
	c->loss_due_us = 0;       /* a new encoder has heard of no losses      */
	conf_activate(c);

	return 0;
}

void conf_slot_over(struct conf *c, unsigned slot, bool talks)
{
	const struct cslot *cs = &c->slotv[slot];
	GstElement *common = cs->leg && cs->leg->ec ? cs->leg->ec->enc : NULL;

	if (!common || !cs->enc)
		return;
	if (talks)
		conf_enc_follow(CONF_ENC(cs->enc), CONF_ENC(common));
	else
		conf_enc_follow(CONF_ENC(common), CONF_ENC(cs->enc));
}

void conf_slot_close(struct conf *c, unsigned slot)
{
	struct cslot *cs = &c->slotv[slot];

	if (c->heard & 1u << slot) {
		conf_slot_over(c, slot, false);
		/* it may go in the middle of a word, and the others hear the end */
		if (c->heard == 1u << slot && c->tail < TAIL_TICKS)
			c->tail = TAIL_TICKS;
	}
	conf_mix_cut(CONF_MIX(c->mix), slot);
	cs->leg = NULL;
	c->heard &= ~(1u << slot);
	conf_src_open(CONF_SRC(c->src), slot, 0);
	conf_mix_out_free(&cs->out);
	if (cs->enc)
		conf_enc_close(CONF_ENC(cs->enc));
	if (cs->dec)
		(void)conf_dec_open(CONF_DEC(cs->dec), CODEC_NONE);
}
