/**
 * @file mixrig.h  A real conclave-mixer and phones made of a socket and a key
 *
 * The rig is the focus's side of Mp; its phones send tones under SRTP in real
 * time and keep what comes back: every packet as it was on the wire, and the
 * audio in it.  A watchdog ends a rig that waits too long.
 */
#ifndef TESTS_MIXRIG_H
#define TESTS_MIXRIG_H

#include "config.h"
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "codec.h"
#include "mpconn.h"
#include "msrtp.h"
#include "rtcp.h"
#include "rtp.h"
#include "secret.h"
#include "suite.h"
#include "tone.h"

enum {
	RIG_PHONES = 12,
	RIG_RXKEYS = 4,
	RIG_PCM = 48000 * 20,
	RIG_WIRE = 4000,
	CONF = 7,
#ifdef HAVE_SANITIZER
	SANITIZED = 1,        /* memory figures mean nothing then */
#else
	SANITIZED = 0,
#endif
};

/** One packet as it came, and the key that opened it */
struct wire {
	uint16_t len;
	uint16_t seq;
	uint32_t ssrc;
	uint32_t keyno;
	bool     rtcp;
	uint8_t  v[1600];
};

struct rxkey {
	struct msrtp *srtp;
	uint32_t keyno;       /* the rig's number of this key */
};

struct phone {
	uint64_t leg;
	int fd, rtcp_fd;
	struct sockaddr_storage mixer, mixer_rtcp;
	socklen_t salen;
	const struct codec *codec;
	const struct suite *suite;
	uint8_t  pt;
	unsigned ptime;
	bool     mux, talking, fec, mki;
	bool     no_recv;           /* of phone_set(): it is not to send   */
	uint32_t idle_ms;           /* of phone_set()                      */
	uint64_t lifetime;
	int      level_ext, level;  /* id 0: none; what to claim [-dBov] */
	struct secret *tx_secret, *rx_secret;
	struct msrtp *tx;
	struct rxkey rxv[RIG_RXKEYS];
	unsigned rxc;
	struct codec_enc *enc;
	struct codec_dec *dec;
	struct tone_gen tone;
	uint32_t ssrc, ts;
	uint16_t seq;
	uint64_t next_us;

	int16_t *pcm;               /* what it heard, at codec->rate       */
	size_t   pcmc;
	uint32_t heard_ssrc;        /* of the last packet                  */
	uint32_t base_ts;           /* RTP time stamp of pcm[base_at]      */
	size_t   base_at;
	uint64_t loud_us;           /* when the first loud frame came      */
	unsigned rtpc, rtcpc, auth_failed, ssrc_changes, markers;
	uint8_t  toc;               /* first payload byte of the last packet */
	unsigned csrcc;             /* of the last packet                  */
	uint32_t csrcv[RTPH_CSRC_MAX];
	struct rtcpx last_rtcp;
	unsigned byes;
	uint32_t bye_ssrc;
	struct wire *wirev;
	unsigned wirec;
};

struct rig {
	pid_t pid;
	struct mpconn *mc;
	uint64_t id, replied;
	Mp__Status status;
	uint32_t port, rtcp_port, tx_ssrc;
	Mp__Stats st;               /* of the last reply; legs: see legst  */
	Mp__LegStats legst[RIG_PHONES];
	unsigned legstc;
	uint32_t keyc;
	bool mki;                   /* group keys have one: their number   */
	int family;
	struct phone phonev[RIG_PHONES];
	unsigned phonec;
	/* events */
	unsigned latched, talkers, idle, limits, hard_limits, reports, byes, dtmf;
	uint64_t last_latched, talkerv[16];
	uint32_t latch_ssrc;
	unsigned talkerc, latch_port;
	uint32_t report_ssrc, last_dtmf, idle_told_ms;
	uint64_t report_leg;
	uint32_t roc, roc_ssrc;     /* goes into each LegSet, too          */
};

uint64_t rig_now_us(void);
void rig_start(struct rig *r, int family);
/** Close the Mp socket, wait for the mixer's end, expect exit code 0 */
void rig_stop(struct rig *r);
/** Forget all phones (their legs are gone) */
void rig_phones_gone(struct rig *r);

/** Send a request, wait for its reply; @return its status */
Mp__Status rig_request(struct rig *r, Mp__Message *m);
Mp__Status rig_conf(struct rig *r, uint64_t conf, unsigned speakers);
Mp__Status rig_release(struct rig *r, uint64_t conf);
Mp__Status rig_stats(struct rig *r, uint64_t conf);
Mp__LegStats *rig_legstats(struct rig *r, const struct phone *p);

struct phone_opt {
	enum codec_id codec;
	enum suite_id suite;
	double freq;                /* 0: silent, sends nothing            */
	unsigned ptime;
	bool no_mux, no_own_key;
	uint32_t class_id, epoch;   /* group keying                        */
	const struct secret *group; /* that epoch's key, and its number    */
	uint32_t keyno;
	int level_ext, level;
	uint64_t lifetime;          /* of both keys [packets]              */
	bool both, fec;
	bool mki;                   /* of one byte: the number of the key  */
};

struct phone *phone_add(struct rig *r, const struct phone_opt *o);
/** LegSet of a phone as it is now */
Mp__Status phone_set(struct rig *r, struct phone *p, uint32_t class_id, uint32_t epoch, bool both, bool own);
Mp__Status phone_remove(struct rig *r, struct phone *p);
Mp__Status phone_gate(struct rig *r, struct phone *p, bool open);
void phone_fresh_tx(struct rig *r, struct phone *p);     /* phone's own key: new one */
void phone_add_rx(struct phone *p, const struct suite *suite, const struct secret *s, uint32_t keyno);
/** One frame now, from this socket (-1: the phone's) */
void phone_send_frame(struct phone *p, int fd);
void phone_send_rtcp(struct phone *p, const struct rtcpx *x);
size_t phone_build(struct phone *p, uint8_t *buf);
void phone_forget_audio(struct phone *p);
void phone_raw(struct phone *p, int fd, const uint8_t *buf, size_t len);

/** Install a fresh group key; the caller frees *sp */
Mp__Status rig_key(struct rig *r, uint32_t class_id, uint32_t epoch, enum suite_id suite,
		   enum codec_id codec, uint8_t pt, struct secret **sp, uint32_t *keynop);
Mp__Status rig_retire(struct rig *r, uint32_t class_id, uint32_t epoch);

/** Let time pass: ms, or until cond is true; @return cond */
typedef bool (rig_cond)(struct rig *r, void *arg);
bool rig_run(struct rig *r, unsigned ms, rig_cond *cond, void *arg);

/** Level of a frequency in what the phone heard since from_ms */
double phone_hears(const struct phone *p, double freq);
unsigned phone_gap_ms(const struct phone *p, double freq);

#endif
