/**
 * @file focus/tree.h  The state of the focus: one tree
 *
 *   focus -> conferences -> participants -> endpoints (a dialog and its leg)
 *              |                               |
 *              +-> delivery classes -> epochs -+ (who hears which key)
 *
 * The focus is described here, the others each in a header of its own, which this
 * one brings along: conference.h, part.h, endpoint.h, gclass.h.  What only works on
 * them is in the header of its file.
 *
 * Everything that others see (log, control socket, statistics, roster and events)
 * is derived from this tree, and every change of it passes change_feed() once
 * (change.h).
 *
 * Ownership:  each level owns the one below; all are libre objects
 * Threads:    libre loop
 * Refs:       RFC 4353 section 3, RFC 4579
 */
#ifndef CONCLAVE_FOCUS_TREE_H
#define CONCLAVE_FOCUS_TREE_H

#include "re_compat.h"
#include "cfg.h"
#include "dlg.h"
#include "focus/change.h"
#include "focus/conference.h"
#include "focus/endpoint.h"
#include "focus/gclass.h"
#include "focus/intake.h"
#include "focus/mixproc.h"
#include "focus/part.h"

struct ident;
struct ctlsock;
struct registrar;
struct notifiers;
struct uamem;
struct floorsrv;

enum { MIXER_MAX = 64, SCODE_MAX = 700 };

/** What every INVITE, UPDATE, NOTIFY, 2xx of ours says: RFC 4579 section 5.13 */
#define FOCUS_ALLOW \
	"Allow: INVITE, ACK, CANCEL, BYE, UPDATE, PRACK, OPTIONS, SUBSCRIBE," \
	" REFER\r\n" \
	"Allow-Events: conference, refer\r\n"
#define FOCUS_SUPPORTED \
	"Supported: replaces, join, norefersub, nosub, tdialog, 100rel\r\n"

/** The configuration is read again; reason is "file:line: reason" on error */
typedef int (focus_reload_h)(char *reason, size_t size, void *arg);

struct focus {
	struct cfg *cfg;
	focus_reload_h *reloadh;    /* NULL: there is no file                 */
	void *reload_arg;
	struct sip *sip;
	struct dnsc *dnsc;          /* NULL: no name server known             */
	struct tls *tls;
	struct dlgs *dlgs;
	struct sip_lsnr *lsnr;
	struct sip_lsnr *lsnr_stray;/* for responses that are nobody's        */
	struct ident *ident;
	struct intake *intake;
	struct intake_caps caps;    /* changes with cfg                       */
	struct ctlsock *ctl;
	struct registrar *reg;      /* unused while cfg->registrar is false   */
	struct floorsrv *floorsrv;  /* NULL: no conference has a floor         */
	struct list ratel;          /* rate.c: who referred how often         */
	struct lates ages;          /* keyage.c: own keys of all endpoints    */
	struct list askl;           /* rate.c: who subscribed how often       */
	struct list referoutl;      /* referout.c: REFERs of ours             */
	struct notifiers *notifiers;
	struct uamem *uamem;        /* what kinds of phones do with new keys  */
	struct hash *ht_conf;       /* conference by URI user part            */
	struct hash *ht_confid;     /* conference by id                       */
	struct hash *ht_leg;        /* endpoint by leg id                     */
	struct hash *ht_watcher;    /* subscriptions by identity              */
	struct list confl;
	struct mixproc *mixv[MIXER_MAX];
	uint32_t mixconfcv[MIXER_MAX]; /* conferences on each                 */
	unsigned mixc;
	uint64_t conf_id;           /* last one given away                    */
	uint64_t leg_id;
	uint32_t endpointc;         /* calls now                              */
	uint32_t confc;
	uint64_t calls_total;
	uint64_t refusedv[SCODE_MAX];
	uint64_t changev[CHANGE_MAX];
	uint64_t started;           /* [ms, libre's clock]                    */
	bool stopping;
};

int  focus_start(struct focus **fp, struct cfg *cfg);
/** Every mixer has answered: calls can be placed */
bool focus_ready(const struct focus *f);
/** A new configuration for what comes; listeners and mixers stay as they are */
void focus_reload(struct focus *f, struct cfg *cfg);
/** What an operator's wish for that calls */
void focus_on_reload(struct focus *f, focus_reload_h *h, void *arg);
/** Hang up everything; call until focus_idle() or patience ends */
void focus_stop(struct focus *f);
bool focus_idle(const struct focus *f);
/** The host parts that mean us */
bool focus_is_ours(const struct focus *f, const struct uri *uri, const struct sa *dst);
/** Actual address of the first TLS listener */
int  focus_listen_addr(const struct focus *f, struct sa *sa);

/* ctlcmd.c */
int ctlcmd_open(struct focus *f);

#endif
