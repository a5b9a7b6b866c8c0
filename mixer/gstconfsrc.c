/**
 * @file gstconfsrc.c  confsrc: a jitter buffer per speaker slot
 */
#include "gstconf.h"

struct slot {
	GstPad *pad;          /* made when the slot is first used */
	struct jbuf *jb;      /* NULL: nobody holds it            */
};

struct _ConfSrc {
	GstElement parent;
	struct slot slotv[SPK_SLOTS_MAX];
};

G_DEFINE_TYPE(ConfSrc, conf_src, GST_TYPE_ELEMENT)

static void conf_src_finalize(GObject *obj)
{
	ConfSrc *cs = CONF_SRC(obj);
	unsigned i;

	for (i = 0; i < SPK_SLOTS_MAX; i++)
		conf_src_open(cs, i, 0);

	G_OBJECT_CLASS(conf_src_parent_class)->finalize(obj);
}

static void conf_src_class_init(ConfSrcClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = conf_src_finalize;
	gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Conference source",
					      "Source/Network/RTP", "Jitter buffers of the speaker slots",
					      "Conclave");
}

static void conf_src_init(ConfSrc *cs)
{
	GST_OBJECT_FLAG_SET(cs, GST_ELEMENT_FLAG_SOURCE);
}

GstElement *conf_src_new(void)
{
	return g_object_new(CONF_TYPE_SRC, NULL);
}

GstPad *conf_src_pad(ConfSrc *cs, unsigned slot)
{
	struct slot *s = &cs->slotv[slot];

	if (!s->pad) {
		g_autofree char *name = g_strdup_printf("src_%u", slot);

		s->pad = conf_pad_add(GST_ELEMENT(cs), name, GST_PAD_SRC);
	}

	return s->pad;
}

void conf_src_open(ConfSrc *cs, unsigned slot, uint32_t clock)
{
	struct slot *s = &cs->slotv[slot];

	if (s->jb)
		jbuf_flush(s->jb);
	if (!clock) {
		g_clear_pointer(&s->jb, g_free);
		return;
	}
	if (!s->jb)
		s->jb = g_new(struct jbuf, 1);
	jbuf_init(s->jb, clock);
}

struct jbuf *conf_src_jbuf(ConfSrc *cs, unsigned slot)
{
	return cs->slotv[slot].jb;
}

static void give_back(gpointer p)
{
	pkt_put(p);
}

static GstBuffer *wrap(const struct jbuf *jb, const struct jbuf_item *it)
{
	GstBuffer *buf;

	if (it->pkt)
		return gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY, it->pkt->payload,
						   PKT_PAYLOAD_MAX, 0, it->pkt->len,
						   it->pkt, give_back);

	/* the packet that follows the gap stays in the jitter buffer, which
	   does not change before this push has returned */
	buf = it->next ? gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY,
						     (gpointer)(uintptr_t)it->next->payload,
						     PKT_PAYLOAD_MAX, 0, it->next->len, NULL, NULL)
		: gst_buffer_new();
	GST_BUFFER_FLAG_SET(buf, CONF_BUFFER_CONCEAL);
	GST_BUFFER_DURATION(buf) = gst_util_uint64_scale_int(it->conceal, MIX_RATE, (gint)jb->clock);

	return buf;
}

/* An item's FEC source may be handed out as a packet later in the same tick:
   then the packet must live as long as the list, which it does, because both
   buffers die together after the push */
void conf_src_push(ConfSrc *cs, unsigned slot, bool quiet, uint64_t now_us)
{
	struct slot *s = &cs->slotv[slot];
	struct jbuf_tick t;
	GstBufferList *list;
	unsigned i;

	if (!s->jb)
		return;

	jbuf_get(s->jb, &t, quiet, now_us);
	if (!t.playing)
		return;

	list = gst_buffer_list_new_sized(t.c + 1);
	for (i = 0; i < t.c; i++) {
		GstBuffer *buf = wrap(s->jb, &t.v[i]);

		if (!i && t.shrink)
			GST_BUFFER_FLAG_SET(buf, CONF_BUFFER_SHRINK);
		gst_buffer_list_add(list, buf);
	}
	(void)gst_pad_push_list(s->pad, list);
}
