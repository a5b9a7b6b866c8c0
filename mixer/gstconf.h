/**
 * @file gstconf.h  The elements of a conference's pipeline
 *
 *   confsrc --slot 0--> confdec --> confmix --common, per rate class--> confenc --> confsink
 *           --slot 1--> confdec -->         --minus 0----------------> confenc -->
 *           ...                             ...
 *
 * The conference pushes, nobody pulls: one tick is one chain of function
 * calls through the pads, in the loop's thread.  There are no queues, tasks
 * and clocks, so no element needs a lock.  Audio is 48 kHz mono S16 inside,
 * in frames of 20 ms; GST_BUFFER_OFFSET is the media position of a frame's
 * first sample (48 kHz samples since the loop's start).
 *
 * Ownership:  elements belong to the pipeline; what an element is told to
 *             point at (packet pool, handler arguments) outlives it
 * Threads:    one
 */
#ifndef MIXER_GSTCONF_H
#define MIXER_GSTCONF_H

#include <stdbool.h>
#include <stdint.h>
#include <gst/gst.h>
#include "codec.h"
#include "jbuf.h"
#include "speaker.h"

enum {
	MIX_RATE = 48000,
	MIX_FRAME = MIX_RATE / 50,       /* samples of one tick */
};

/* A stretch to conceal: duration is how much, contents (if any) are the
   payload that follows it */
#define CONF_BUFFER_CONCEAL GST_BUFFER_FLAG_GAP
/* On a list's first buffer: there is a tick too much in this list */
#define CONF_BUFFER_SHRINK  GST_BUFFER_FLAG_DISCONT

/** Add an active pad; src pads also begin their stream (stream-start, segment) on conf_pad_begin() */
GstPad *conf_pad_add(GstElement *e, const char *name, GstPadDirection dir);
/** Link, and send what must precede the first buffer */
bool conf_pad_link(GstPad *src, GstPad *sink);
/** Unlink and remove from its element */
void conf_pad_remove(GstPad *pad);
/** Events stop at every element: each src pad begins its own stream */
gboolean conf_pad_swallow(GstPad *pad, GstObject *parent, GstEvent *ev);

/* ---- confsrc: jitter buffers ---- */
#define CONF_TYPE_SRC (conf_src_get_type())
G_DECLARE_FINAL_TYPE(ConfSrc, conf_src, CONF, SRC, GstElement)
GstElement *conf_src_new(void);
GstPad *conf_src_pad(ConfSrc *cs, unsigned slot);
/** A new holder, or none (clock 0) */
void conf_src_open(ConfSrc *cs, unsigned slot, uint32_t clock);
struct jbuf *conf_src_jbuf(ConfSrc *cs, unsigned slot);  /* NULL: not open */
/** Push the next tick of one slot */
void conf_src_push(ConfSrc *cs, unsigned slot, bool quiet, uint64_t now_us);

/* ---- confdec: any codec to 48 kHz ---- */
#define CONF_TYPE_DEC (conf_dec_get_type())
G_DECLARE_FINAL_TYPE(ConfDec, conf_dec, CONF, DEC, GstElement)
GstElement *conf_dec_new(void);
GstPad *conf_dec_pad(ConfDec *cd, GstPadDirection dir);
/** Codec of the new holder, or none; 0 or errno */
int conf_dec_open(ConfDec *cd, enum codec_id codec);
/** Level of the last frame [dBov]; SPK_SILENT_DBOV if there was none */
int conf_dec_level(const ConfDec *cd);

/* ---- confmix ---- */
#define CONF_TYPE_MIX (conf_mix_get_type())
G_DECLARE_FINAL_TYPE(ConfMix, conf_mix, CONF, MIX, GstElement)
struct mixout;
GstElement *conf_mix_new(void);
GstPad *conf_mix_slot_pad(ConfMix *cm, unsigned slot);
/** @param slot  Whose mix-minus, or -1 for the common mix */
int  conf_mix_out_new(struct mixout **mop, ConfMix *cm, int slot, uint32_t rate);
void conf_mix_out_free(struct mixout **mop);
GstPad *conf_mix_out_pad(const struct mixout *mo);
/** Is this output needed at this tick? */
void conf_mix_out_need(struct mixout *mo, bool need);
/** Slots that delivered a frame for this tick */
uint32_t conf_mix_have(const ConfMix *cm);
/** Forget those frames unmixed */
void conf_mix_drop(ConfMix *cm);
/** The slot's holder goes, and what follows has nothing to do with it */
void conf_mix_cut(ConfMix *cm, unsigned slot);
/**
 * Mix what the slots delivered and push every needed output
 *
 * @param pos   Media position of this tick
 * @param mask  Slots that are heard
 */
void conf_mix_run(ConfMix *cm, uint64_t pos, uint32_t mask);

/* ---- confenc: one encoder ---- */
#define CONF_TYPE_ENC (conf_enc_get_type())
G_DECLARE_FINAL_TYPE(ConfEnc, conf_enc, CONF, ENC, GstElement)
GstElement *conf_enc_new(void);
GstPad *conf_enc_pad(ConfEnc *ce, GstPadDirection dir);
void conf_enc_close(ConfEnc *ce);
int  conf_enc_open(ConfEnc *ce, enum codec_id codec, unsigned ptime_ms, const struct codec_cfg *cfg);
/**
 * A listener's next packet is of this encoder, those before were of the other:
 * go on from there, if that one is further along.  A decoder that knows the one
 * and gets the other makes a burst of noise of it (full scale with G.722).
 */
void conf_enc_follow(ConfEnc *ce, const ConfEnc *ahead);
/** Of an open one; a new one assumes none */
void conf_enc_set_loss(ConfEnc *ce, unsigned percent);

/* ---- confsink: packets to the legs ---- */
#define CONF_TYPE_SINK (conf_sink_get_type())
G_DECLARE_FINAL_TYPE(ConfSink, conf_sink, CONF, SINK, GstElement)
/**
 * One encoded frame
 *
 * @param arg  Of the pad it came in on
 * @param pos  Media position
 * @param dur  Duration [48 kHz samples]
 */
typedef void (conf_frame_h)(const uint8_t *buf, size_t len, uint64_t pos, uint32_t dur, void *arg);
GstElement *conf_sink_new(conf_frame_h *frameh);
GstPad *conf_sink_pad_new(ConfSink *cs, void *arg);

#endif
