/**
 * @file focus/focus.c  The focus: what it consists of, begins with and ends with
 *
 * SIP stack, listeners, mixers, tables.  What comes in goes to request.c.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "focus/epfloor.h"
#include "focus/ident.h"
#include "focus/intake.h"
#include "focus/mixevent.h"
#include "focus/notifier.h"
#include "focus/registrar.h"
#include "focus/relog.h"
#include "focus/request.h"
#include "focus/tlsid.h"
#include "focus/tree.h"
#include "focus/uamem.h"
#include "log.h"
#include "strangers.h"

enum { HT_SIZE = 4096 };


static void destructor(void *arg)
{
	struct focus *f = arg;
	struct le *le;

	while ((le = list_head(&f->confl)))
		conference_end(le->data, 503, "Shutting down");

	f->ctl = mem_deref(f->ctl);
	list_flush(&f->referoutl);
	list_flush(&f->ratel);
	list_flush(&f->askl);
	lates_close(&f->ages);
	mem_deref(f->lsnr);
	mem_deref(f->lsnr_stray);
	mem_deref(f->reg);
	mem_deref(f->notifiers);
	mem_deref(f->dlgs);
	if (f->sip)
		sip_close(f->sip, true);
	mem_deref(f->sip);
	mem_deref(f->dnsc);
	mem_deref(f->tls);
	mem_deref(f->ident);
	mem_deref(f->intake);
	for (unsigned i = 0; i < f->mixc; i++)
		mem_deref(f->mixv[i]);
	mem_deref(f->floorsrv);
	mem_deref(f->ht_conf);
	mem_deref(f->ht_confid);
	mem_deref(f->ht_leg);
	mem_deref(f->ht_watcher);
	mem_deref(f->uamem);
	mem_deref(f->cfg);
}


bool focus_is_ours(const struct focus *f, const struct uri *uri,
		   const struct sa *dst)
{
	struct sa host;

	if (pl_strcasecmp(&uri->scheme, "sip") &&
	    pl_strcasecmp(&uri->scheme, "sips"))
		return false;

	for (unsigned i = 0; i < f->cfg->domainc; i++) {
		if (!pl_strcasecmp(&uri->host, f->cfg->domainv[i]))
			return true;
	}

	/* by address: the one the request came to */
	return !sa_set(&host, &uri->host, 0) && sa_cmp(&host, dst, SA_ADDR);
}


/* ---- what dialogs ask of connections -------------------------------------- */

static void *flow_get(const struct sip_msg *msg)
{
	struct tlsid_flow *flow = NULL;

	return tlsid_flow_get(&flow, msg) ? NULL : flow;
}


static bool flow_open(const void *flow)
{
	return tlsid_flow_open(flow);
}


static bool flow_lost(const void *flow)
{
	return tlsid_flow_lost(flow);
}


static const struct dlg_flow_handlers flow_handlers = {
	flow_get, flow_open, flow_lost
};


/** All that is sent and received; of this, what has come to its end */
static void trace_handler(bool tx, enum sip_transp tp, const struct sa *src,
			  const struct sa *dst, const uint8_t *pkt, size_t len,
			  void *arg)
{
	(void)src;
	(void)dst;
	(void)pkt;
	(void)len;
	(void)arg;

	if (!tx && tp == SIP_TRANSP_TLS)
		tlsid_complete();
}


/* ---- start and stop ------------------------------------------------------ */

static int listen_one(struct focus *f, const struct cfg_listen *l)
{
	char addr[64];
	int err;

	if (l->tp == SIP_TRANSP_TLS)
		err = sip_transp_add(f->sip, l->tp, &l->addr, f->tls);
	else
		err = sip_transp_add(f->sip, l->tp, &l->addr);

	(void)re_snprintf(addr, sizeof(addr), "%J", &l->addr);
	if (err)
		log_error("ev=listen_failed transport=%s addr=%s reason=\"%s\"",
			  sip_transp_name(l->tp), addr, strerror(err));
	else
		log_info("ev=listen transport=%s addr=%s",
			 sip_transp_name(l->tp), addr);

	return err;
}


/** Names of hops; without name servers, addresses work */
static void start_dns(struct focus *f)
{
	struct sa srvv[4];
	uint32_t n = ARRAY_SIZE(srvv);

	if (dns_srv_get(NULL, 0, srvv, &n) || dnsc_alloc(&f->dnsc, NULL, srvv, n))
		log_info("ev=dns_off reason=\"no name server\"");
}


static int start_sip(struct focus *f)
{
	const struct cfg *cfg = f->cfg;
	int err;

	start_dns(f);
	err = sip_alloc(&f->sip, f->dnsc, HT_SIZE, HT_SIZE, HT_SIZE, NULL, NULL,
			f);
	if (err)
		return err;
	sip_set_trace_handler(f->sip, trace_handler);

	err = tls_alloc(&f->tls, TLS_METHOD_SSLV23, cfg->tls_certificate,
			NULL);
	if (!err)
		err = tlsid_init(f->tls, cfg);
	if (err) {
		log_error("ev=tls_failed file=%s reason=\"%s\"",
			  cfg->tls_certificate, strerror(err));
		return err;
	}

	for (unsigned i = 0; i < cfg->listenc && !err; i++)
		err = listen_one(f, &cfg->listenv[i]);
	if (err)
		return err;

	(void)tlsid_listeners_nodelay();
	err = sip_listen(&f->lsnr, f->sip, true, request_recv, f);
	if (!err)
		err = dlgs_alloc(&f->dlgs, f->sip, NULL, NULL);
	if (!err)
		dlgs_set_flow(f->dlgs, &flow_handlers);
	if (!err)
		err = notifiers_alloc(&f->notifiers, f->sip, f->dlgs);
	if (!err)
		err = sip_listen(&f->lsnr_stray, f->sip, false, relog_response, f);

	return err;
}


static int start_mixers(struct focus *f)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned count = f->cfg->mixers;
	int err = 0;

	if (!count)
		count = cores > 0 ? (unsigned)cores : 1;
	count = MIN(count, (unsigned)MIXER_MAX);

	while (f->mixc < count && !err) {
		err = mixproc_start(&f->mixv[f->mixc], f->cfg, f->mixc, count,
				    mixevent_handler, mixevent_down, f);
		if (!err)
			++f->mixc;
	}

	return err;
}


int focus_start(struct focus **fp, struct cfg *cfg)
{
	struct focus *f;
	int err;

	f = mem_zalloc(sizeof(*f), destructor);
	if (!f)
		return ENOMEM;

	f->cfg = mem_ref(cfg);
	f->started = tmr_jiffies();
	request_caps(f);
	err = hash_alloc(&f->ht_conf, HT_SIZE);
	if (!err)
		err = hash_alloc(&f->ht_confid, HT_SIZE);
	if (!err)
		err = hash_alloc(&f->ht_leg, HT_SIZE);
	if (!err)
		err = hash_alloc(&f->ht_watcher, HT_SIZE);
	if (!err)
		err = uamem_alloc(&f->uamem);
	if (!err)
		err = ident_alloc(&f->ident);
	if (!err)
		err = registrar_alloc(&f->reg);
	if (!err)
		err = intake_alloc(&f->intake, &f->caps);
	if (!err)
		err = start_mixers(f);
	if (!err)
		err = start_sip(f);
	if (!err)
		err = epfloor_start(f);
	if (!err && cfg->control_socket)
		err = ctlcmd_open(f);
	strangers_limit(cfg->max_strangers);

	if (err)
		mem_deref(f);
	else
		*fp = f;

	return err;
}


void focus_stop(struct focus *f)
{
	struct le *le;

	f->stopping = true;
	while ((le = list_head(&f->confl)))
		conference_end(le->data, 503, "Shutting down");
}


bool focus_idle(const struct focus *f)
{
	return dlgs_count(f->dlgs) == 0;
}


int focus_listen_addr(const struct focus *f, struct sa *sa)
{
	struct sa any;
	int err;

	sa_init(&any, AF_INET);
	err = sip_transp_laddr(f->sip, sa, SIP_TRANSP_TLS, &any);
	if (err) {
		sa_init(&any, AF_INET6);
		err = sip_transp_laddr(f->sip, sa, SIP_TRANSP_TLS, &any);
	}

	return err;
}


bool focus_ready(const struct focus *f)
{
	for (unsigned i = 0; i < f->mixc; i++) {
		if (!mixproc_ready(f->mixv[i]))
			return false;
	}

	return true;
}


void focus_reload(struct focus *f, struct cfg *cfg)
{
	/* running conferences keep the rules they were made under */
	mem_deref(f->cfg);
	f->cfg = mem_ref(cfg);
	request_caps(f);
	strangers_limit(cfg->max_strangers);

	/* floors may have come to be wanted */
	(void)epfloor_start(f);
}


void focus_on_reload(struct focus *f, focus_reload_h *h, void *arg)
{
	f->reloadh = h;
	f->reload_arg = arg;
}
