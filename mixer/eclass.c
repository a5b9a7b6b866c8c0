/**
 * @file eclass.c  Encoders of the common mix: one per wanted set of bits
 *
 * Payload type and key are not part of it: legs that differ only in those
 * share the encoder and differ in header and protection.
 */
#include <errno.h>
#include <stdlib.h>
#include "mixer.h"

static bool same_cfg(const struct codec_cfg *a, const struct codec_cfg *b)
{
	return a->bitrate == b->bitrate && a->complexity == b->complexity && a->fec == b->fec &&
		a->dtx == b->dtx && a->cbr == b->cbr && a->max_rate == b->max_rate;
}

static void destroy(struct eclass *ec)
{
	struct conf *c = ec->ol.conf;

	TAILQ_REMOVE(&c->eclasses, ec, le);
	--c->mx->eclassc;
	conf_mix_out_free(&ec->out);
	if (ec->enc) {
		(void)gst_element_set_state(ec->enc, GST_STATE_NULL);
		(void)gst_bin_remove(GST_BIN(c->pipeline), ec->enc);
	}
	if (ec->sinkpad)
		conf_pad_remove(ec->sinkpad);
	free(ec);
}

static int build(struct eclass *ec, const struct codec *codec)
{
	struct conf *c = ec->ol.conf;
	bool ok;
	int err;

	ec->enc = conf_enc_new();
	(void)gst_bin_add(GST_BIN(c->pipeline), ec->enc);
	(void)gst_element_sync_state_with_parent(ec->enc);
	ec->sinkpad = conf_sink_pad_new(CONF_SINK(c->sink), &ec->ol);

	err = conf_enc_open(CONF_ENC(ec->enc), ec->codec, ec->ptime, &ec->cfg);
	if (!err)
		err = conf_mix_out_new(&ec->out, CONF_MIX(c->mix), -1, codec->rate);
	if (err)
		return err;

	ok = conf_pad_link(conf_mix_out_pad(ec->out), conf_enc_pad(CONF_ENC(ec->enc), GST_PAD_SINK)) &&
		conf_pad_link(conf_enc_pad(CONF_ENC(ec->enc), GST_PAD_SRC), ec->sinkpad);

	return ok ? 0 : EIO;
}

int eclass_get(struct eclass **ecp, struct conf *c, const struct leg_cfg *cfg)
{
	struct eclass *ec;
	int err;

	TAILQ_FOREACH(ec, &c->eclasses, le) {
		if (ec->codec == cfg->codec->id && ec->ptime == cfg->ptime &&
		    same_cfg(&ec->cfg, &cfg->enc)) {
			++ec->refs;
			*ecp = ec;
			return 0;
		}
	}

	ec = calloc(1, sizeof(*ec));
	if (!ec)
		return ENOMEM;
	ec->ol = (struct outlet){.conf = c, .ec = ec};
	ec->refs = 1;
	ec->codec = cfg->codec->id;
	ec->ptime = cfg->ptime;
	ec->cfg = cfg->enc;
	TAILQ_INIT(&ec->legs);
	TAILQ_INSERT_TAIL(&c->eclasses, ec, le);
	++c->mx->eclassc;

	err = build(ec, cfg->codec);
	if (err)
		destroy(ec);
	else
		*ecp = ec;

	return err;
}

void eclass_put(struct eclass **ecp)
{
	struct eclass *ec = *ecp;

	*ecp = NULL;
	if (ec && !--ec->refs)
		destroy(ec);
}
