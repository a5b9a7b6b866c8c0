/**
 * @file gstconfsink.c  confsink: where encoded frames leave the pipeline
 *
 * RTP header, protection and fan-out are done by the handler (legtx.c): they
 * belong to legs and keys, of which GStreamer must know nothing, since it
 * prints what it knows.
 */
#include "gstconf.h"

struct _ConfSink {
	GstElement parent;
	conf_frame_h *frameh;
	unsigned serial;
};

G_DEFINE_TYPE(ConfSink, conf_sink, GST_TYPE_ELEMENT)

static GstFlowReturn chain(GstPad *pad, GstObject *parent, GstBuffer *buf)
{
	ConfSink *cs = CONF_SINK(parent);
	GstMapInfo map;

	if (gst_buffer_map(buf, &map, GST_MAP_READ)) {
		const uint64_t pos = GST_BUFFER_OFFSET(buf);

		cs->frameh(map.data, map.size, pos, (uint32_t)(GST_BUFFER_OFFSET_END(buf) - pos),
			   gst_pad_get_element_private(pad));
		gst_buffer_unmap(buf, &map);
	}
	gst_buffer_unref(buf);

	return GST_FLOW_OK;
}

static void conf_sink_class_init(ConfSinkClass *klass)
{
	gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Conference sink",
					      "Sink/Network/RTP", "Packets to the legs", "Conclave");
}

static void conf_sink_init(ConfSink *cs)
{
	GST_OBJECT_FLAG_SET(cs, GST_ELEMENT_FLAG_SINK);
}

GstElement *conf_sink_new(conf_frame_h *frameh)
{
	ConfSink *cs = g_object_new(CONF_TYPE_SINK, NULL);

	cs->frameh = frameh;

	return GST_ELEMENT(cs);
}

GstPad *conf_sink_pad_new(ConfSink *cs, void *arg)
{
	g_autofree char *name = g_strdup_printf("sink_%u", cs->serial++);
	GstPad *pad = conf_pad_add(GST_ELEMENT(cs), name, GST_PAD_SINK);

	gst_pad_set_element_private(pad, arg);
	gst_pad_set_chain_function(pad, chain);

	return pad;
}
