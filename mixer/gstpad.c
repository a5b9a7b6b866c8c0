/**
 * @file gstpad.c  Pads of our elements
 */
#include "gstconf.h"

gboolean conf_pad_swallow(GstPad *pad, GstObject *parent, GstEvent *ev)
{
	(void)pad;
	(void)parent;
	gst_event_unref(ev);

	return TRUE;
}

GstPad *conf_pad_add(GstElement *e, const char *name, GstPadDirection dir)
{
	GstPad *pad = gst_pad_new(name, dir);

	gst_pad_set_event_function(pad, conf_pad_swallow);
	/* elements get pads while they play */
	(void)gst_pad_set_active(pad, TRUE);
	(void)gst_element_add_pad(e, pad);

	return pad;
}

bool conf_pad_link(GstPad *src, GstPad *sink)
{
	GstSegment seg;

	if (gst_pad_link_full(src, sink, GST_PAD_LINK_CHECK_NOTHING) != GST_PAD_LINK_OK)
		return false;

	/* GStreamer wants both before the first buffer */
	gst_segment_init(&seg, GST_FORMAT_TIME);
	(void)gst_pad_push_event(src, gst_event_new_stream_start("conclave"));
	(void)gst_pad_push_event(src, gst_event_new_segment(&seg));

	return true;
}

void conf_pad_remove(GstPad *pad)
{
	g_autoptr(GstPad) peer = gst_pad_get_peer(pad);
	GstElement *e = GST_ELEMENT(GST_OBJECT_PARENT(pad));

	if (peer) {
		if (GST_PAD_IS_SRC(pad))
			(void)gst_pad_unlink(pad, peer);
		else
			(void)gst_pad_unlink(peer, pad);
	}
	(void)gst_pad_set_active(pad, FALSE);
	(void)gst_element_remove_pad(e, pad);
}
