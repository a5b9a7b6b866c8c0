/**
 * @file focus/referout.c  A conference asks somebody to call it
 *
 * Refs: RFC 4579 section 5.7, RFC 3515, RFC 4488
 */
#include <string.h>
#include "focus/reach.h"
#include "focus/refer.h"
#include "focus/tree.h"

struct out {
	struct le le;
	struct sip_request *req;
	struct reach *reach;
	dialout_h *h;
	void *arg;
};


static void destructor(void *arg)
{
	struct out *o = arg;

	list_unlink(&o->le);
	mem_deref(o->req);
	mem_deref(o->reach);
	mem_deref(o->arg);
}


static int send_handler(enum sip_transp tp, const struct sa *src,
			const struct sa *dst, struct mbuf *mb, void *arg)
{
	struct out *o = arg;
	(void)tp;
	(void)src;
	(void)mb;

	return reach_send(dst, true, o->reach);
}


static void response_handler(int err, const struct sip_msg *msg, void *arg)
{
	struct out *o = arg;

	if (msg && msg->scode < 200)
		return;

	/* RFC 7647 section 5: a 202 of old is a 200 */
	if (err)
		o->h(408, "Request Timeout", o->arg);
	else if (msg->scode < 300)
		o->h(200, "OK", o->arg);
	else
		o->h(msg->scode, "Refused", o->arg);
	mem_deref(o);
}


/** The URI in our Contact: it leads here from outside of dialogs, too */
static int contact_uri(struct pl *uri, const struct conference *c)
{
	struct pl val;
	struct sip_addr addr;

	pl_set_str(&val, c->contact);
	if (sip_addr_decode(&addr, &val))
		return EINVAL;
	*uri = addr.auri;

	return 0;
}


static int send_refer(struct out *o, const struct referout *ro)
{
	const struct conference *c = ro->c;
	const char *path = reach_path(o->reach);
	struct uri route;
	struct pl pl, conf;
	int err;

	pl_set_str(&pl, reach_hop(o->reach));
	err = uri_decode(&route, &pl);
	if (!err)
		err = contact_uri(&conf, c);
	if (err)
		return err;

	return sip_requestf(&o->req, c->focus->sip, true, "REFER",
			    reach_uri(o->reach), &route, NULL, send_handler,
			    response_handler, o,
			    "To: <%s>\r\n"
			    "From: <%s>;tag=%016llx\r\n"
			    "Call-ID: %016llx%016llx\r\n"
			    "CSeq: 1 REFER\r\n"
			    "Contact: %s\r\n"
			    "Refer-To: <%r>\r\n"
			    "%s%s%s"
			    "%s%s%s"
			    "Refer-Sub: false\r\n"
			    FOCUS_SUPPORTED
			    "Content-Length: 0\r\n\r\n",
			    reach_uri(o->reach), c->uri, rand_u64(),
			    rand_u64(), rand_u64(), c->contact, &conf,
			    ro->referred_by ? "Referred-By: " : "",
			    ro->referred_by ? ro->referred_by : "",
			    ro->referred_by ? "\r\n" : "",
			    path ? "Route: " : "", path ? path : "",
			    path ? "\r\n" : "");
}


int referout_send(const struct referout *ro)
{
	struct focus *f = ro->c->focus;
	struct out *o;
	int err;

	err = dialout_allowed(ro->c, &ro->target);
	if (err)
		return err;

	o = mem_zalloc(sizeof(*o), destructor);
	if (!o)
		return ENOMEM;

	o->h = ro->h;
	o->arg = mem_ref(ro->arg);
	err = reach_route(&o->reach, f, &ro->target, 0);
	if (!err)
		err = send_refer(o, ro);
	if (err)
		mem_deref(o);
	else
		list_append(&f->referoutl, &o->le, o);

	return err;
}
