/**
 * @file mixer.h  Conferences, legs, classes: the mixer's state
 *
 *   mixer -- conf -- leg      one UDP port, receive keys, own stream
 *                 -- eclass   one encoder of the common mix
 *                 -- gkey     group key of a class and epoch, and its stream
 *                 -- slots    speakers: decoder, mix-minus encoder
 *
 * Ownership:  top-down; conf_free() and leg_free() release and wipe all
 * Threads:    one
 */
#ifndef MIXER_MIXER_H
#define MIXER_MIXER_H

#include <sys/queue.h>
#include "bucket.h"
#include "gstconf.h"
#include "log.h"
#include "loop.h"
#include "loss.h"
#include "mpconn.h"
#include "pktpool.h"
#include "ports.h"
#include "procstat.h"
#include "rtcp.h"
#include "rtp.h"
#include "speaker.h"
#include "stream.h"

enum {
	LEG_RXKEYS = 4,           /* receive keys at once, told apart by MKI   */
	LEG_SSRCS = 4,            /* SSRCs that one key may bring in at once ... */
	LEG_SSRCS_MAX = 64,       /* ... and in all                            */
	LEG_SSRC_MS = 10000,      /* between two of the others, but for SDP    */
	LEG_REPORTED = 4,
	CONF_NAME_MAX = 64,
	TAIL_TICKS = 5,           /* silence after the last word, so decoders
				     do not conceal into the pause             */
	PTIME_TICKS = 3,          /* of the longest ptime, 60 ms               */
	KEEPALIVE_S = 10,         /* silence now and then                      */
	KEEPALIVE_TRIAL_S = 1,    /* while a leg has both streams: the proof is
				     a report about a stream that was heard    */
	IDLE_MIN_MS = 100,        /* between two LegIdle of a leg              */
	REKEY_GRACE_MS = 2000,    /* old receive key after the new one came    */
	REKEY_WAIT_MS = 10000,    /* old receive key if the new one never comes */
};

struct conf;
struct leg;

/** Names an outgoing frame: which outlet of the pipeline did it leave by? */
struct outlet {
	struct conf *conf;
	struct eclass *ec;        /* common mix of this class, or NULL:        */
	unsigned slot;            /* mix-minus of this slot                    */
	uint32_t heard;           /* slots heard since the last packet         */
};

/** One encoder of the common mix: all who want the same bits before RTP */
struct eclass {
	TAILQ_ENTRY(eclass) le;
	struct outlet ol;
	unsigned refs;
	enum codec_id codec;
	unsigned ptime;           /* [ms] */
	struct codec_cfg cfg;
	GstElement *enc;
	GstPad *sinkpad;          /* of confsink */
	struct mixout *out;
	TAILQ_HEAD(, leg) legs;   /* that hear it in their own stream          */
	unsigned listenc;         /* those, and listeners of its group streams */
};

/** Group key of one delivery class and epoch */
struct gkey {
	TAILQ_ENTRY(gkey) le;
	struct conf *conf;
	uint32_t class_id, epoch;
	uint8_t pt;
	struct skey key;
	struct keyuse use;
	struct stream stream;     /* class stream: the common mix              */
	struct eclass *ec;
	TAILQ_HEAD(, leg) legs;   /* listeners                                 */
	struct deadline rtcp;
};

/** A speaker slot's elements; made when the slot is first used */
struct cslot {
	struct leg *leg;          /* holder, NULL: free                        */
	GstElement *dec, *enc;
	GstPad *sinkpad;
	struct mixout *out;       /* mix-minus; only while held by a leg that is sent to */
	struct outlet ol;
	unsigned tail;            /* ticks of silence owed                     */
};

struct conf {
	TAILQ_ENTRY(conf) tick_le;
	struct mixer *mx;
	uint64_t id;
	char     name[CONF_NAME_MAX];
	char     cname[24];       /* ours, random                              */
	unsigned phase;
	bool     active;          /* on the tick list                          */
	bool     timers;          /* keepalive armed                           */
	GHashTable *legs;         /* by id                                     */
	unsigned trialc;          /* legs with both streams                    */
	TAILQ_HEAD(, eclass) eclasses;
	TAILQ_HEAD(, gkey) gkeys;
	GstElement *pipeline, *src, *mix, *sink;
	struct spkset speakers;
	struct cslot slotv[SPK_SLOTS_MAX];
	uint32_t heard;           /* slots in the current tick's mix           */
	uint32_t talkers;         /* slots as last told                        */
	uint64_t talker_legv[SPK_SLOTS_MAX];
	unsigned talkerc;
	unsigned tail;            /* ticks of silence owed to all              */
	struct deadline keepalive;
	uint64_t loss_due_us;     /* encoders learn of losses                  */
};

/** What the focus wants (LegSet), checked */
struct leg_cfg {
	const struct codec *codec;
	uint8_t  pt, dtmf_pt, level_ext;
	unsigned ptime;
	struct codec_cfg enc;
	bool     rtcp_mux, send, recv, both;
	int      family;          /* AF_INET, AF_INET6                         */
	uint32_t idle_ms;         /* no packet for so long: LegIdle; 0: never  */
	union sa remote, remote_rtcp;
	struct gkey *group;       /* NULL: endpoint keying                     */
};

struct rxkey {
	struct skey key;
	struct msrtp *srtp;
	struct msrtp *kept;       /* the same key in the hands of a peer that goes
				     on counting; NULL: it is known, or no matter */
	uint64_t used;
	bool soft_told, hard_told;
};

/** One generation of the peer's keys */
struct rxset {
	struct rxkey v[LEG_RXKEYS];
	unsigned c;
	uint32_t ssrcv[LEG_SSRCS_MAX];   /* authenticated */
	unsigned ssrcc;
	uint64_t ssrc_us;         /* when the last of them came                */
	uint32_t kept_ssrc;       /* of the stream that may go on counting ... */
	uint32_t kept_roc;        /* ... from here; 0: none                    */
};

struct leg_stats {
	uint64_t rx, auth_failed, replayed, dropped, tx, tx_failed;
};

/** What a codec's packets tell without being decoded (activity.c) */
struct activity {
	uint32_t mean_len;        /* Opus: floor of packet sizes, Q4           */
	uint16_t g722_nb;         /* G.722: log scale factor of the low band   */
	uint8_t  wait;            /* packets until the next sparse probe       */
};

struct leg {
	struct conf *conf;
	uint64_t id;
	struct leg_cfg cfg;

	struct loop_io rtp_io, rtcp_io;
	uint16_t port;
	union sa local;
	union sa rtp_to, rtcp_to; /* where we send                             */
	bool     latched, rtcp_latched;
	bool     moved;              /* and the focus does not know yet      */
	uint32_t told_ssrc;          /* what it was told last                */
	uint64_t told_us;

	struct rxset rx, rx_old;
	struct deadline rx_grace;

	struct skey tx_key;
	struct keyuse tx_use;
	struct stream own;        /* under tx_key                              */
	struct stream gown;       /* this leg's own SSRC under the group key   */
	TAILQ_ENTRY(leg) own_le, group_le;
	bool     own_linked, group_linked;
	bool     mute_tx;         /* its epoch was retired and it has no other key:
				     silence until the next LegSet */
	struct eclass *ec;
	uint64_t sent_us;         /* last RTP packet                           */
	uint32_t byev[LEG_REPORTED]; /* retired SSRCs to be named in a BYE     */
	unsigned byec;

	bool     has_src;
	uint32_t src_ssrc;        /* the source that is heard                  */
	struct rtcpx_rx rxstat;
	uint64_t heard_us;        /* last authenticated packet                 */
	struct spk spk;
	struct activity act;
	bool     dtmf_seen;
	uint32_t dtmf_ts;
	struct bucket moves, wraps, keys, byes;  /* what it causes to be told  */
	struct bucket collides;   /* and what it has us move                    */
	uint32_t reportedv[LEG_REPORTED];
	unsigned reportedc;
	struct loss loss;         /* of what we send, as it reports            */

	struct deadline rtcp, idle;
	struct leg_stats stats;
};

struct probe;

enum { INBOX_MAX = 32 };

/** Packets that have come and are not looked at yet: legrx.c */
struct inbox {
	struct inpkt {
		struct leg *leg;
		bool rtcp;        /* from the socket that is for RTCP alone    */
		size_t len;
		union sa from;
		uint8_t buf[RTPH_MTU + RTPH_TRAILER_MAX];
	} v[INBOX_MAX];
	unsigned c;
};

enum { OUTBOX_MAX = 64, OUTBOX_SIZE = 16 * 1024 };

/** Packets that are protected and on their way: legtx.c */
struct outbox {
	struct {
		struct leg *leg;
		size_t pos, len;
	} v[OUTBOX_MAX];
	unsigned c;
	size_t used;
	uint8_t buf[OUTBOX_SIZE + STREAM_BUF];
};

struct mixer {
	struct loop *loop;
	struct mpconn *mc;
	struct loop_io mp_io;
	bool     mp_writing;
	bool     hello;
	union sa localv[2];       /* IPv4, IPv6; AF_UNSPEC: none               */
	struct ports *ports;
	GHashTable *confs;        /* by id                                     */
	TAILQ_HEAD(, conf) tickv[PHASES];
	unsigned active;          /* conferences on those lists                */
	unsigned next_phase;
	unsigned legc, eclassc, gkeyc;    /* all there are                 */
	struct pktpool pool;
	struct probe *probes;
	uint32_t g711sq[2][256];  /* squared amplitude >> 4 of each A-law/mu-law byte */
	uint64_t rnd;             /* state for RTCP intervals, nothing secret  */
	struct procstat procstat;
	struct log_limit auth_log;
	struct inbox inbox;
	uint8_t  rxcopy[RTPH_MTU + RTPH_TRAILER_MAX];
	uint8_t  txbuf[STREAM_BUF];
	struct outbox outbox;
};

/* ---- conf.c: conferences ---- */
int  conf_set(struct mixer *mx, const Mp__ConfSet *msg);
struct conf *conf_find(struct mixer *mx, uint64_t id);
void conf_free(struct conf *c);
/** There is something to mix or to send */
void conf_activate(struct conf *c);
/** Give everyone some silence (a leg came, a stream began) */
void conf_owe_silence(struct conf *c, unsigned ticks);
/** A fresh SSRC: none of ours, none of a participant's, none ever used under this key */
int  conf_ssrc_draw(struct conf *c, const struct keyuse *ku, uint32_t *ssrcp);
/** A participant uses this SSRC: move any stream of ours off it, if it has not made
    us do so again and again */
void conf_ssrc_collide(struct leg *by, uint32_t ssrc);
void conf_keepalive_set(struct conf *c);

/* ---- confslot.c, conftick.c, confloss.c: slots and the tick ---- */
int  conf_slot_open(struct conf *c, unsigned slot, struct leg *leg);
void conf_slot_close(struct conf *c, unsigned slot);
/** The holder's packets come from its mix-minus from now on, or from the common mix */
void conf_slot_over(struct conf *c, unsigned slot, bool talks);
/** One tick; @return true if there will be more to do */
bool conf_tick(struct conf *c, uint64_t pos);
/** Tell the encoders what their listeners lose, if it is time */
void conf_loss_feed(struct conf *c, uint64_t now_us);
/** The holder's stream to us begins anew, or its class changed */
void conf_talkers_check(struct conf *c, uint64_t now_ms);

/* ---- eclass.c, gkey.c: classes and group keys ---- */
int  eclass_get(struct eclass **ecp, struct conf *c, const struct leg_cfg *cfg);
void eclass_put(struct eclass **ecp);
int  gkey_install(struct conf *c, const Mp__KeyInstall *msg);
struct gkey *gkey_find(struct conf *c, uint32_t class_id, uint32_t epoch);
/** Nothing more under it; legs with a key of their own go on under that */
void gkey_retire(struct gkey *gk);
void gkey_free(struct gkey *gk);
void gkey_limit(struct gkey *gk, enum stream_limit lim);

/* ---- leg.c, legkey.c, legnet.c ---- */
int  leg_set(struct conf *c, const Mp__LegSet *msg, Mp__Reply *reply);
struct leg *leg_find(struct conf *c, uint64_t id);
void leg_free(struct leg *leg);
void leg_gate(struct leg *leg, bool open);
/** Leave the speaker slot, if any */
void leg_unslot(struct leg *leg);

/** LegSet in parts, see leg.c */
struct leg_want {
	struct leg_cfg cfg;
	struct rxset rx;
	bool   rx_same;           /* nothing new                       */
	struct skey tx;
};
int  leg_cfg_parse(struct leg_cfg *cfg, struct conf *c, const Mp__LegSet *msg);

int  legkey_want(struct leg_want *w, struct leg *leg, const Mp__LegSet *msg);
void legkey_want_close(struct leg_want *w);
void legkey_rx_apply(struct leg *leg, struct leg_want *w);
int  legkey_tx_apply(struct leg *leg, struct leg_want *w, bool new_clock);
/** A packet authenticated under the newest key */
void legkey_rx_confirmed(struct leg *leg);
/** A packet of the peer's stream has shown from where it counts: under key k as
    it is in use, or (kept) as the other reading has it */
void legkey_rx_counts(struct leg *leg, struct rxset *rs, struct rxkey *k, bool kept);
void rxset_close(struct rxset *rs);
/** It has authenticated, and costs state; @return false if that is known */
bool rxset_ssrc_add(struct rxset *rs, uint32_t ssrc);
/** The leg's own stream under its group key, opened at first use */
struct stream *legkey_gown(struct leg *leg);
void legkey_link(struct leg *leg);
void legkey_unlink(struct leg *leg);
/** Name this SSRC of ours in a BYE soon */
void legkey_bye(struct leg *leg, uint32_t ssrc);

int  legnet_open(struct leg *leg, const struct leg_cfg *cfg);
void legnet_close(struct leg *leg);
void legnet_send(struct leg *leg, const uint8_t *buf, size_t len);
void legnet_send_rtcp(struct leg *leg, const uint8_t *buf, size_t len);
/** An authenticated packet came from there */
void legnet_latch(struct leg *leg, const union sa *from);
void legnet_latch_rtcp(struct leg *leg, const union sa *from);

/* ---- legrx.c, legtx.c, legrtcp.c, activity.c ---- */
void legrx_rtp_readable(uint32_t events, void *arg);
void legrx_rtcp_readable(uint32_t events, void *arg);
/** A loop_drained_h: look at what has come; arg is the mixer */
void legrx_drained(void *arg);
void legtx_frame(const uint8_t *buf, size_t len, uint64_t pos, uint32_t dur, void *arg);
void legrtcp_start(struct leg *leg);
void legrtcp_soon(struct leg *leg);
void legrtcp_input(struct leg *leg, const uint8_t *pkt, size_t len);
void legrtcp_bye(struct leg *leg);
void gkey_rtcp_start(struct gkey *gk);
void gkey_rtcp_bye(struct gkey *gk, uint32_t old_ssrc);
enum spk_hint activity_look(struct leg *leg, const struct rtph *h, int *levelp);
int  activity_init(struct mixer *mx);
void activity_close(struct mixer *mx);
void activity_forget(struct leg *leg);

/* ---- mpsrv.c, mpevent.c: Mp ---- */
int  mpsrv_open(struct mixer *mx, int fd);
void mpsrv_close(struct mixer *mx);
void mpsrv_send(struct mixer *mx, const Mp__Message *msg);
void mpev_latched(struct leg *leg);
void mpev_roc(struct leg *leg, uint32_t roc);
void mpev_idle(struct leg *leg, uint32_t idle_ms);
void mpev_talkers(struct conf *c);
void mpev_key_limit(struct conf *c, const struct leg *leg, const struct gkey *gk, bool rx, bool hard);
void mpev_report(struct leg *leg, uint32_t ssrc, uint8_t fraction);
void mpev_bye(struct leg *leg);
void mpev_dtmf(struct leg *leg, uint8_t event);
/* May what a leg causes be told now?  Once an interval, and EVENT_BURST ahead */
bool mpev_may(struct bucket *b, uint32_t interval_us, uint64_t now_us);

/* ---- stats.c ---- */
int  stats_fill(struct mixer *mx, struct conf *c, Mp__Stats *st);
void stats_free(Mp__Stats *st);

#endif
