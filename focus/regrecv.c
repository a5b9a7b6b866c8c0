/**
 * @file regrecv.c  A REGISTER, from the check to the answer
 *
 * Refs:  RFC 3261 section 10.3, RFC 3327 section 5.3, RFC 5626 section 6
 */
#include <string.h>
#include <time.h>
#include "log.h"
#include "regbind.h"
#include "registrar.h"
#include "regreq.h"
#include "tlsid.h"

enum { USER_AGENT_MAX = 128 };

/** A REGISTER on its way through here */
struct job {
	struct registrar *reg;
	struct sip *sip;
	const struct cfg *cfg;
	const struct sip_msg *msg;
	const char *identity;
	struct reg_req req;
	struct aor *aor;                /* NULL: nothing registered           */
	struct binding *oldv[REG_CONTACT_MAX];  /* what a contact replaces    */
	struct binding *newv[REG_CONTACT_MAX];
	bool outbound;                  /* RFC 5626 was applied               */
};


/* ---- matching ------------------------------------------------------------ */

/** RFC 3261 section 19.1.4, but for the order of parameters */
static bool same_uri(const struct reg_contact *c, const char *uri)
{
	const struct uri *l = &c->parsed;
	struct uri r;
	struct pl pl;

	pl_set_str(&pl, uri);
	if (uri_decode(&r, &pl))
		return false;

	return !pl_casecmp(&l->scheme, &r.scheme) &&
		!pl_cmp(&l->user, &r.user) &&
		!pl_casecmp(&l->host, &r.host) && l->port == r.port &&
		!pl_casecmp(&l->params, &r.params);
}


/** RFC 5626 section 6: an instance with a reg-id is one flow of one phone */
static bool is_outbound(const struct reg_req *r, const struct reg_contact *c)
{
	return r->outbound && c->reg_id && pl_isset(&c->instance);
}


static struct binding *binding_find(const struct aor *a,
				    const struct reg_req *r,
				    const struct reg_contact *c)
{
	struct le *le;

	for (le = a ? list_head(&a->bindl) : NULL; le; le = le->next) {
		struct binding *b = le->data;

		if (is_outbound(r, c)
		    ? b->reg_id == c->reg_id && b->instance &&
		      !pl_strcmp(&c->instance, b->instance)
		    : same_uri(c, b->uri))
			return b;
	}

	return NULL;
}


/* ---- answers ------------------------------------------------------------- */

static int refuse(const struct job *j, uint16_t scode, const char *reason,
		  const char *hdrs, const char *why)
{
	unsigned left_out;
	char src[80];

	if (log_limit_ok(&j->reg->ll, &left_out) &&
	    re_snprintf(src, sizeof(src), "%J", &j->msg->src) > 0)
		log_info("ev=register_refused status=%u src=%s identity=%s"
			 " left_out=%u reason=\"%s\"", scode, src, j->identity,
			 left_out, why);

	(void)sip_replyf(j->sip, j->msg, scode, reason,
			 "Warning: 399 conclave \"%s\"\r\n%s"
			 "Content-Length: 0\r\n\r\n", why, hdrs);

	return EINVAL;
}


static int contacts_print(struct re_printf *pf, const struct aor *a)
{
	struct le *le;
	int err = 0;

	for (le = a ? list_head(&a->bindl) : NULL; le; le = le->next) {
		const struct binding *b = le->data;

		err |= re_hprintf(pf, "Contact: <%s>;expires=%u", b->uri,
				  reg_binding_left_s(b));
		if (b->instance)
			err |= re_hprintf(pf, ";+sip.instance=%s;reg-id=%u",
					  b->instance, b->reg_id);
		err |= re_hprintf(pf, "\r\n");
	}

	return err;
}


/** RFC 3261 section 10.3 step 8: phones may set their clocks by it */
static void date_print(char *buf, size_t size)
{
	static const char *const dayv[] = {
		"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"
	};
	static const char *const monv[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
	};
	const time_t now = time(NULL);
	struct tm tm;

	buf[0] = '\0';
	if (gmtime_r(&now, &tm))
		(void)re_snprintf(buf, size, "%s, %02d %s %04d"
				  " %02d:%02d:%02d GMT", dayv[tm.tm_wday],
				  tm.tm_mday, monv[tm.tm_mon],
				  tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
				  tm.tm_sec);
}


static void answer_ok(const struct job *j)
{
	char date[40], flow[80] = "";

	date_print(date, sizeof(date));
	if (j->outbound)
		(void)re_snprintf(flow, sizeof(flow), "Require: outbound\r\n"
				  "Flow-Timer: %u\r\n",
				  REGISTRAR_FLOW_TIMER);
	(void)sip_replyf(j->sip, j->msg, 200, "OK",
			 "%H%s%s%s%sSupported: outbound, path\r\nDate: %s\r\n"
			 "Content-Length: 0\r\n\r\n",
			 contacts_print, j->aor, flow,
			 j->req.path[0] ? "Path: " : "", j->req.path,
			 j->req.path[0] ? "\r\n" : "", date);
}


/* ---- a REGISTER, step by step -------------------------------------------- */

static int read_request(struct job *j)
{
	const char *why;
	int err;

	err = regreq_decode(&j->req, j->msg, j->cfg->register_expires_s,
			    &why);
	/* RFC 3327 section 5.3: a phone that does not know of it did not ask
	 * that its calls go that way */
	if (!err && j->req.path[0] && !j->req.path_known)
		return refuse(j, 420, "Bad Extension", "Unsupported: path\r\n",
			      "Path without Supported: path");
	if (!err)
		return 0;

	return err == E2BIG ? refuse(j, 403, "Forbidden", "", why)
			    : refuse(j, 400, "Bad Request", "", why);
}


/** RFC 3261 section 10.3 steps 4 and 5 */
static int check_owner(const struct job *j)
{
	char aor[512];

	if (!cfg_identity(aor, sizeof(aor), &j->msg->to.auri) &&
	    !strcmp(aor, j->identity))
		return 0;

	return refuse(j, 403, "Forbidden", "",
		      "Address is not the authenticated one");
}


/** Step 7: too brief, or older than what is known? */
static int check_contact(struct job *j, struct reg_contact *c,
			 const struct binding *old)
{
	char hdrs[40];

	c->expires_s = MIN(c->expires_s, j->cfg->register_expires_s);
	if (c->expires_s && c->expires_s < REGISTRAR_EXPIRES_MIN) {
		(void)re_snprintf(hdrs, sizeof(hdrs), "Min-Expires: %u\r\n",
				  REGISTRAR_EXPIRES_MIN);
		return refuse(j, 423, "Interval Too Brief", hdrs,
			      "Registration is too brief");
	}
	if (old && !pl_strcmp(&j->msg->callid, old->callid) &&
	    j->msg->cseq.num <= old->cseq)
		return refuse(j, 500, "Server Internal Error", "",
			      "CSeq is not higher than before");

	/* RFC 5626 section 6: a proxy before us has to keep the flow, and to
	 * say so in a Path */
	if (is_outbound(&j->req, c) && j->req.behind_proxy &&
	    !j->req.path_ob)
		return refuse(j, 439, "First Hop Lacks Outbound Support", "",
			      "No proxy on the way keeps the flow");

	return 0;
}


static bool earlier_matches(const struct job *j, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (j->oldv[i] && j->oldv[i] == j->oldv[n])
			return true;
		if (!pl_cmp(&j->req.contactv[i].uri, &j->req.contactv[n].uri))
			return true;
	}

	return false;
}


/** How many contacts more (or fewer) there would be */
static int check_room(const struct job *j)
{
	const uint32_t have = j->aor ? list_count(&j->aor->bindl) : 0;
	uint32_t fresh = 0, gone = 0;

	for (unsigned i = 0; i < j->req.contactc; i++) {
		const bool wanted = j->req.contactv[i].expires_s > 0;

		fresh += wanted && !j->oldv[i];
		gone += !wanted && j->oldv[i];
	}

	if (fresh && have + fresh - gone > j->cfg->max_contacts)
		return refuse(j, 403, "Forbidden", "", "Limit max_contacts");
	if (fresh && j->reg->bindc + fresh - gone > j->cfg->max_registrations)
		return refuse(j, 503, "Service Unavailable",
			      "Retry-After: 60\r\n",
			      "Limit max_registrations");

	return 0;
}


static int check_contacts(struct job *j)
{
	for (unsigned i = 0; i < j->req.contactc; i++) {
		struct reg_contact *c = &j->req.contactv[i];

		j->oldv[i] = binding_find(j->aor, &j->req, c);
		if (earlier_matches(j, i))
			return refuse(j, 400, "Bad Request", "",
				      "A contact comes twice");
		if (check_contact(j, c, j->oldv[i]))
			return EINVAL;
	}

	return check_room(j);
}


static int user_agent_get(char **sp, const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_USER_AGENT);
	struct pl val = { "", 0 };
	int err;

	if (hdr)
		val = hdr->val;
	val.l = MIN(val.l, (size_t)USER_AGENT_MAX);
	err = pl_strdup(sp, &val);
	for (char *p = *sp; !err && *p; p++) {
		if (*p < ' ' || *p > '~')
			*p = '?';
	}

	return err;
}


static int binding_make(struct binding **bp, const struct job *j,
			const struct reg_contact *c)
{
	struct binding *b;
	int err;

	b = reg_binding_alloc();
	if (!b)
		return ENOMEM;

	b->cseq = j->msg->cseq.num;
	b->q = c->q;
	err = pl_strdup(&b->uri, &c->uri);
	if (!err)
		err = pl_strdup(&b->callid, &j->msg->callid);
	if (!err)
		err = user_agent_get(&b->user_agent, j->msg);
	if (!err && j->req.path[0])
		err = str_dup(&b->path, j->req.path);
	if (!err && is_outbound(&j->req, c)) {
		b->reg_id = c->reg_id;
		err = pl_strdup(&b->instance, &c->instance);
	}
	if (!err)
		err = tlsid_flow_get(&b->flow, j->msg);

	if (err)
		mem_deref(b);
	else
		*bp = b;

	return err;
}


/** All that needs memory, before anything is changed: RFC 3261 section 10.3
 *  wants all of a REGISTER done, or nothing */
static int make_all(struct job *j)
{
	bool wanted = false;
	int err = 0;

	for (unsigned i = 0; i < j->req.contactc && !err; i++) {
		if (!j->req.contactv[i].expires_s)
			continue;
		wanted = true;
		err = binding_make(&j->newv[i], j, &j->req.contactv[i]);
	}
	if (!err && wanted)
		err = reg_aor_get(&j->aor, j->reg, j->identity);
	if (!err)
		return 0;

	for (unsigned i = 0; i < j->req.contactc; i++)
		mem_deref(j->newv[i]);

	return err == ENOENT
		? refuse(j, 403, "Forbidden", "", "No TLS connection")
		: refuse(j, 500, "Server Internal Error", "", "Out of memory");
}


static void commit(struct job *j)
{
	unsigned left_out;

	for (unsigned i = 0; i < j->req.contactc; i++) {
		const struct reg_contact *c = &j->req.contactv[i];
		struct binding *b = j->newv[i];

		if (!b) {
			if (j->oldv[i])
				reg_binding_end(j->oldv[i], "request");
			continue;
		}
		if (!j->oldv[i] && log_limit_ok(&j->reg->ll_bind, &left_out))
			log_info("ev=register identity=%s contact=%s"
				 " expires=%u left_out=%u", j->identity,
				 b->uri, c->expires_s, left_out);

		mem_deref(j->oldv[i]);
		reg_binding_start(b, j->aor, c->expires_s);
		j->outbound |= b->instance != NULL;
	}
}


/** "Contact: *", RFC 3261 section 10.3 step 6 */
static int remove_all(struct job *j)
{
	struct le *le;

	for (le = j->aor ? list_head(&j->aor->bindl) : NULL; le;
	     le = le->next) {
		const struct binding *b = le->data;

		if (!pl_strcmp(&j->msg->callid, b->callid) &&
		    j->msg->cseq.num <= b->cseq)
			return refuse(j, 500, "Server Internal Error", "",
				      "CSeq is not higher than before");
	}

	while (j->aor && (le = list_head(&j->aor->bindl)))
		reg_binding_end(le->data, "request");

	return 0;
}


void registrar_recv(struct registrar *reg, struct sip *sip,
		    const struct cfg *cfg, const struct sip_msg *msg,
		    const char *identity)
{
	struct job j;

	if (!reg || !sip || !cfg || !msg || !identity)
		return;

	memset(&j, 0, sizeof(j));
	j.reg = reg;
	j.sip = sip;
	j.cfg = cfg;
	j.msg = msg;
	j.identity = identity;

	if (check_owner(&j) || read_request(&j))
		return;

	if (reg->bindc >= cfg->max_registrations)
		reg_purge(reg);

	j.aor = reg_aor_find(reg, identity);
	reg_aor_purge(j.aor);
	if (j.req.all) {
		if (remove_all(&j))
			return;
	}
	else {
		if (check_contacts(&j) || make_all(&j)) {
			reg_aor_check(reg_aor_find(reg, identity));
			return;
		}
		commit(&j);
	}

	answer_ok(&j);
	reg_aor_check(j.aor);
}
