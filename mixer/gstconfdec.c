/**
 * @file gstconfdec.c  confdec: any codec of codec.h to 48 kHz, 20 ms frames
 *
 * One element class for all codecs: stock elements conceal nothing for
 * G.711 and G.722, and would have to be found by scanning plugins.
 *
 * A list of buffers is one tick's worth (see confsrc); it may be empty while
 * a packet longer than a tick plays from the FIFO.  No list, no frame.
 */
#include <string.h>
#include "gstconf.h"
#include "resamp.h"

enum {
	PACKET_MS_MAX = 120,
	DEC_MAX = MIX_RATE / 1000 * PACKET_MS_MAX,
	FIFO_MAX = 3 * DEC_MAX,
};

struct _ConfDec {
	GstElement parent;
	GstPad *sink, *src;
	const struct codec *codec;     /* NULL: closed         */
	struct codec_dec *dec;
	struct resamp rs;
	int16_t *fifo;                 /* only while open      */
	size_t fill;
	int level;
};

G_DEFINE_TYPE(ConfDec, conf_dec, GST_TYPE_ELEMENT)

static void append(ConfDec *cd, const int16_t *pcm, size_t sampc)
{
	const size_t room = FIFO_MAX - cd->fill;
	const size_t outc = sampc * MIX_RATE / cd->codec->rate;

	if (!sampc || outc > room)
		return;

	cd->fill += resamp_run(&cd->rs, pcm, sampc, cd->fifo + cd->fill);
}

static void decode(ConfDec *cd, GstBuffer *buf)
{
	int16_t pcm[DEC_MAX];
	GstMapInfo map;
	int n;

	if (!gst_buffer_map(buf, &map, GST_MAP_READ))
		return;

	if (GST_BUFFER_FLAG_IS_SET(buf, CONF_BUFFER_CONCEAL)) {
		const size_t c = (size_t)GST_BUFFER_DURATION(buf) * cd->codec->rate / MIX_RATE;

		n = codec_conceal(cd->dec, map.size ? map.data : NULL, map.size,
				  pcm, c < DEC_MAX ? c : DEC_MAX);
	}
	else {
		n = codec_decode(cd->dec, map.data, map.size, pcm, DEC_MAX);
	}
	gst_buffer_unmap(buf, &map);

	if (n > 0)
		append(cd, pcm, (size_t)n);
}

/* Two ticks become one, without a click: fade from the first to the second */
static void shrink(ConfDec *cd)
{
	size_t i;

	if (cd->fill < 2 * MIX_FRAME)
		return;

	for (i = 0; i < MIX_FRAME; i++) {
		const int32_t b = (int32_t)i, a = MIX_FRAME - b;

		cd->fifo[i] = (int16_t)((cd->fifo[i] * a + cd->fifo[MIX_FRAME + i] * b) / MIX_FRAME);
	}
	cd->fill -= MIX_FRAME;
	memmove(cd->fifo + MIX_FRAME, cd->fifo + 2 * MIX_FRAME,
		(cd->fill - MIX_FRAME) * sizeof(*cd->fifo));
}

static GstFlowReturn push_frame(ConfDec *cd)
{
	GstBuffer *buf;

	/* what a broken sender leaves short is silence */
	if (cd->fill < MIX_FRAME) {
		memset(cd->fifo + cd->fill, 0, (MIX_FRAME - cd->fill) * sizeof(*cd->fifo));
		cd->fill = MIX_FRAME;
	}

	cd->level = spk_pcm_level(cd->fifo, MIX_FRAME);
	buf = gst_buffer_new_memdup(cd->fifo, MIX_FRAME * sizeof(*cd->fifo));
	cd->fill -= MIX_FRAME;
	memmove(cd->fifo, cd->fifo + MIX_FRAME, cd->fill * sizeof(*cd->fifo));

	return gst_pad_push(cd->src, buf);
}

static GstFlowReturn chain_list(GstPad *pad, GstObject *parent, GstBufferList *list)
{
	ConfDec *cd = CONF_DEC(parent);
	const guint n = gst_buffer_list_length(list);
	bool shrinking = false;
	guint i;

	(void)pad;
	for (i = 0; i < n && cd->codec; i++) {
		GstBuffer *buf = gst_buffer_list_get(list, i);

		if (GST_BUFFER_FLAG_IS_SET(buf, CONF_BUFFER_SHRINK))
			shrinking = true;
		decode(cd, buf);
	}
	gst_buffer_list_unref(list);
	if (!cd->codec)
		return GST_FLOW_OK;
	if (shrinking)
		shrink(cd);

	return push_frame(cd);
}

static void conf_dec_finalize(GObject *obj)
{
	(void)conf_dec_open(CONF_DEC(obj), CODEC_NONE);
	G_OBJECT_CLASS(conf_dec_parent_class)->finalize(obj);
}

static void conf_dec_class_init(ConfDecClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = conf_dec_finalize;
	gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Conference decoder",
					      "Codec/Decoder/Audio", "Opus, G.722, G.711 to 48 kHz mono",
					      "Conclave");
}

static void conf_dec_init(ConfDec *cd)
{
	cd->sink = conf_pad_add(GST_ELEMENT(cd), "sink", GST_PAD_SINK);
	gst_pad_set_chain_list_function(cd->sink, chain_list);
	cd->src = conf_pad_add(GST_ELEMENT(cd), "src", GST_PAD_SRC);
}

GstElement *conf_dec_new(void)
{
	return g_object_new(CONF_TYPE_DEC, NULL);
}

GstPad *conf_dec_pad(ConfDec *cd, GstPadDirection dir)
{
	return dir == GST_PAD_SINK ? cd->sink : cd->src;
}

int conf_dec_open(ConfDec *cd, enum codec_id id)
{
	int err;

	codec_dec_free(&cd->dec);
	resamp_close(&cd->rs);
	g_clear_pointer(&cd->fifo, g_free);
	cd->fill = 0;
	cd->level = SPK_SILENT_DBOV;
	cd->codec = NULL;
	if (id == CODEC_NONE)
		return 0;

	err = codec_dec_new(&cd->dec, id);
	if (err)
		return err;
	err = resamp_init(&cd->rs, codec_by_id(id)->rate, MIX_RATE);
	if (err)
		return err;
	cd->fifo = g_new(int16_t, FIFO_MAX);
	cd->codec = codec_by_id(id);

	return 0;
}

int conf_dec_level(const ConfDec *cd)
{
	return cd->level;
}
