/**
 * @file gstconfenc.c  confenc: 20 ms frames in, packets of one ptime out
 *
 * Frames of all encoders of a conference lie on one grid (media position
 * modulo ptime), so a leg can change between the common mix and its own
 * mix-minus at any packet.
 */
#include <errno.h>
#include <string.h>
#include "gstconf.h"

enum {
	PTIME_MAX = 60,
	FIFO_MAX = MIX_RATE / 1000 * (PTIME_MAX + 20),
	PAYLOAD_MAX = 1276,
};

struct _ConfEnc {
	GstElement parent;
	GstPad *sink, *src;
	const struct codec *codec;
	struct codec_enc *enc;
	uint32_t dur;               /* of a packet [48 kHz samples]      */
	size_t sampc;               /* of a packet [codec's samples]     */
	uint64_t pos;               /* media position of fifo[0]         */
	size_t fill;
	int16_t fifo[FIFO_MAX];
};

G_DEFINE_TYPE(ConfEnc, conf_enc, GST_TYPE_ELEMENT)

static uint64_t fifo_end(const ConfEnc *ce)
{
	return ce->pos + ce->fill * MIX_RATE / ce->codec->rate;
}

/* After a pause: begin on the grid, what was not heard is silence */
static void restart(ConfEnc *ce, uint64_t pos)
{
	const uint64_t begin = pos - pos % ce->dur;

	ce->pos = begin;
	ce->fill = (size_t)((pos - begin) * ce->codec->rate / MIX_RATE);
	memset(ce->fifo, 0, ce->fill * sizeof(*ce->fifo));
}

static void encode(ConfEnc *ce)
{
	uint8_t buf[PAYLOAD_MAX];
	const int n = codec_encode(ce->enc, ce->fifo, ce->sampc, buf, sizeof(buf));

	if (n > 0) {
		GstBuffer *out = gst_buffer_new_memdup(buf, (gsize)n);

		GST_BUFFER_OFFSET(out) = ce->pos;
		GST_BUFFER_OFFSET_END(out) = ce->pos + ce->dur;
		(void)gst_pad_push(ce->src, out);
	}
	ce->pos += ce->dur;
	ce->fill -= ce->sampc;
	memmove(ce->fifo, ce->fifo + ce->sampc, ce->fill * sizeof(*ce->fifo));
}

static GstFlowReturn chain(GstPad *pad, GstObject *parent, GstBuffer *buf)
{
	ConfEnc *ce = CONF_ENC(parent);
	const gsize size = gst_buffer_get_size(buf);

	(void)pad;
	if (ce->enc) {
		if (fifo_end(ce) != GST_BUFFER_OFFSET(buf))
			restart(ce, GST_BUFFER_OFFSET(buf));
		if (ce->fill + size / sizeof(*ce->fifo) <= FIFO_MAX) {
			(void)gst_buffer_extract(buf, 0, ce->fifo + ce->fill, size);
			ce->fill += size / sizeof(*ce->fifo);
		}
	}
	gst_buffer_unref(buf);

	while (ce->enc && ce->fill >= ce->sampc)
		encode(ce);

	return GST_FLOW_OK;
}

void conf_enc_follow(ConfEnc *ce, const ConfEnc *ahead)
{
	if (!ce->enc || !ahead->enc || ce->codec != ahead->codec || ce->dur != ahead->dur ||
	    fifo_end(ahead) <= fifo_end(ce))
		return;

	codec_enc_copy(ce->enc, ahead->enc);
	ce->pos = ahead->pos;
	ce->fill = ahead->fill;
	memcpy(ce->fifo, ahead->fifo, ce->fill * sizeof(*ce->fifo));
}

static void conf_enc_finalize(GObject *obj)
{
	codec_enc_free(&CONF_ENC(obj)->enc);
	G_OBJECT_CLASS(conf_enc_parent_class)->finalize(obj);
}

static void conf_enc_class_init(ConfEncClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = conf_enc_finalize;
	gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Conference encoder",
					      "Codec/Encoder/Audio", "20 ms frames to RTP payloads",
					      "Conclave");
}

static void conf_enc_init(ConfEnc *ce)
{
	ce->sink = conf_pad_add(GST_ELEMENT(ce), "sink", GST_PAD_SINK);
	gst_pad_set_chain_function(ce->sink, chain);
	ce->src = conf_pad_add(GST_ELEMENT(ce), "src", GST_PAD_SRC);
}

GstElement *conf_enc_new(void)
{
	return g_object_new(CONF_TYPE_ENC, NULL);
}

GstPad *conf_enc_pad(ConfEnc *ce, GstPadDirection dir)
{
	return dir == GST_PAD_SINK ? ce->sink : ce->src;
}

void conf_enc_close(ConfEnc *ce)
{
	codec_enc_free(&ce->enc);
}

int conf_enc_open(ConfEnc *ce, enum codec_id id, unsigned ptime_ms, const struct codec_cfg *cfg)
{
	codec_enc_free(&ce->enc);
	ce->codec = codec_by_id(id);
	if (!ce->codec || !ptime_ms || ptime_ms > PTIME_MAX)
		return EINVAL;

	ce->fill = 0;
	ce->pos = 0;
	ce->dur = MIX_RATE / 1000 * ptime_ms;
	ce->sampc = ce->codec->rate / 1000 * ptime_ms;

	return codec_enc_new(&ce->enc, id, cfg);
}

void conf_enc_set_loss(ConfEnc *ce, unsigned percent)
{
	codec_enc_set_loss(ce->enc, percent);
}
