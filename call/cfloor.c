/**
 * @file cfloor.c  Floor control of one call: BFCP client, participant or chair
 */
#include <errno.h>
#include <string.h>
#include "bfcpm.h"
#include "cfloor.h"
#include "cmedia.h"
#include "floortls.h"
#include "log.h"

enum {
	EVENT_MAX = 64,
	REQ_MAX   = 256,        /* in one FloorStatus                        */
	DECIDED_MAX = 256,      /* requests that a chair has granted         */
};

/** What we were told about a request of ours */
struct event {
	uint64_t us;
	uint16_t req;
	uint8_t  status, qpos;
};

struct cfloor {
	struct cfloor_cfg cfg;
	struct floortls_ctx *ctx;
	struct floortls *tls;
	struct bfcpm_frame frame;
	struct bfcpm_req *reqv;

	/* of the peer's description */
	struct sa peer;
	struct floortls_fps fps;
	uint32_t confid;
	uint16_t userid, floor;
	bool accepted;
	unsigned connections;

	uint64_t start_us, asked_us, granted_us, release_us;
	uint16_t tid, req;
	bool asked, released, was_granted;
	struct event eventv[EVENT_MAX];
	unsigned eventc;
	uint16_t decidedv[DECIDED_MAX];
	unsigned decidedc;
	uint8_t error;
};


static void destructor(void *arg)
{
	struct cfloor *cf = arg;

	cfloor_stop(cf);
	bfcpm_frame_reset(&cf->frame);
	mem_deref(cf->reqv);
	mem_deref(cf->ctx);
}


int cfloor_alloc(struct cfloor **cfp, const struct cfloor_cfg *cfg)
{
	struct cfloor *cf = mem_zalloc(sizeof(*cf), destructor);
	int err = 0;

	if (!cf)
		return ENOMEM;

	cf->cfg = *cfg;
	bfcpm_frame_init(&cf->frame, BFCPM_MSG_MAX);
	cf->reqv = mem_zalloc(REQ_MAX * sizeof(*cf->reqv), NULL);
	if (!cf->reqv)
		err = ENOMEM;
	else
		err = floortls_ctx_alloc(&cf->ctx, NULL);
	if (err) {
		mem_deref(cf);
		return err;
	}

	*cfp = cf;

	return 0;
}


/* ---- messages ----------------------------------------------------------------- */

static void send_msg(struct cfloor *cf, struct bfcpm *m, uint8_t prim)
{
	struct mbuf *mb = mbuf_alloc(128);
	int err;

	if (!mb)
		return;

	if (!++cf->tid)
		++cf->tid;
	m->hdr.prim = prim;
	m->hdr.conf = cf->confid;
	m->hdr.tid = cf->tid;
	m->hdr.user = cf->userid;
	err = bfcpm_encode(mb, m);
	if (!err)
		err = floortls_send(cf->tls, mb->buf, mb->end);
	if (err)
		log_warn("ev=floor_send_failed call=%u err=%d", cf->cfg.idx, err);
	mem_deref(mb);
}


static void ask(struct cfloor *cf, uint64_t now_us)
{
	struct bfcpm m;

	memset(&m, 0, sizeof(m));
	m.floors.v[0] = cf->floor;
	m.floors.c = 1;
	cf->asked = true;
	cf->asked_us = now_us;
	send_msg(cf, &m, BFCPM_FLOOR_REQUEST);
}


static void release(struct cfloor *cf)
{
	struct bfcpm m;

	memset(&m, 0, sizeof(m));
	m.request_id.set = true;
	m.request_id.v = cf->req;
	cf->released = true;
	send_msg(cf, &m, BFCPM_FLOOR_RELEASE);
}


static void watch(struct cfloor *cf)
{
	struct bfcpm m;

	memset(&m, 0, sizeof(m));
	m.floors.v[0] = cf->floor;
	m.floors.c = 1;
	send_msg(cf, &m, BFCPM_FLOOR_QUERY);
}


/** ChairAction: section 11.1 */
static void grant(struct cfloor *cf, uint16_t req)
{
	struct bfcpm_req r;
	struct bfcpm m;

	for (unsigned i = 0; i < cf->decidedc; i++) {
		if (cf->decidedv[i] == req)
			return;
	}
	cf->decidedv[cf->decidedc++ % DECIDED_MAX] = req;
	cf->decidedc = MIN(cf->decidedc, (unsigned)DECIDED_MAX);

	memset(&m, 0, sizeof(m));
	memset(&r, 0, sizeof(r));
	r.id = req;
	r.floors.c = 1;
	r.floors.v[0].set = true;
	r.floors.v[0].id = cf->floor;
	r.floors.v[0].st.status = BFCPM_GRANTED;
	m.reqs.v = &r;
	m.reqs.c = 1;
	send_msg(cf, &m, BFCPM_CHAIR_ACTION);
}


static void got_status(struct cfloor *cf, const struct bfcpm *m)
{
	const struct bfcpm_req *r = &m->reqs.v[0];
	const uint64_t now_us = cmedia_now_us();

	cf->req = r->id;
	if (cf->eventc < EVENT_MAX) {
		const struct event e = { now_us, r->id, r->overall.st.status,
					 r->overall.st.qpos };

		cf->eventv[cf->eventc++] = e;
	}
	log_info("ev=floor call=%u request=%u status=%s position=%u", cf->cfg.idx,
		 r->id, bfcpm_status_name(r->overall.st.status),
		 r->overall.st.qpos);

	if (r->overall.st.status == BFCPM_GRANTED) {
		cf->was_granted = true;
		cf->granted_us = now_us;
		if (cf->cfg.hold_us)
			cf->release_us = now_us + cf->cfg.hold_us;
	}
	else if (r->overall.st.status > BFCPM_GRANTED) {
		cf->release_us = 0;
	}
}


static void got_floor(struct cfloor *cf, const struct bfcpm *m)
{
	if (cf->cfg.part != CFLOOR_CHAIR)
		return;

	for (unsigned i = 0; i < m->reqs.c; i++) {
		if (m->reqs.v[i].overall.st.status == BFCPM_PENDING)
			grant(cf, m->reqs.v[i].id);
	}
}


static int message_handler(const uint8_t *msg, size_t len, bool too_long, void *arg)
{
	struct cfloor *cf = arg;
	struct bfcpm m = { .reqs = { cf->reqv, 0, REQ_MAX } };
	int err;

	err = too_long ? EMSGSIZE : bfcpm_decode(&m, msg, len);
	if (err || m.hdr.ver != BFCPM_VERSION || m.hdr.conf != cf->confid ||
	    m.hdr.user != cf->userid) {
		log_warn("ev=floor_bad_message call=%u err=%d", cf->cfg.idx, err);
		return EBADMSG;
	}

	switch (m.hdr.prim) {

	case BFCPM_FLOOR_REQUEST_STATUS:
		got_status(cf, &m);
		break;
	case BFCPM_FLOOR_STATUS:
		got_floor(cf, &m);
		break;
	case BFCPM_ERROR:
		cf->error = m.error.code;
		log_warn("ev=floor_error call=%u code=%u text=\"%s\"", cf->cfg.idx,
			 m.error.code, bfcpm_error_name(m.error.code));
		break;
	default:
		break;
	}

	return 0;
}


/* ---- connection ----------------------------------------------------------------- */

static int verify_handler(const struct floortls_fps *cert, void *arg)
{
	const struct cfloor *cf = arg;

	return floortls_fps_match(&cf->fps, cert);
}


static void estab_handler(void *arg)
{
	struct cfloor *cf = arg;
	struct bfcpm m;

	++cf->connections;
	log_info("ev=floor_connected call=%u user=%u", cf->cfg.idx, cf->userid);
	memset(&m, 0, sizeof(m));
	send_msg(cf, &m, BFCPM_HELLO);
	if (cf->cfg.part != CFLOOR_REQUEST)
		watch(cf);
}


static void recv_handler(const uint8_t *p, size_t n, void *arg)
{
	struct cfloor *cf = arg;

	if (bfcpm_frame_feed(&cf->frame, p, n, message_handler, cf))
		cfloor_stop(cf);
}


static void close_handler(int err, void *arg)
{
	struct cfloor *cf = arg;

	log_info("ev=floor_closed call=%u err=%d", cf->cfg.idx, err);
	cfloor_stop(cf);
}


static const struct floortls_handlers handlers = {
	verify_handler, estab_handler, recv_handler, close_handler,
};


void cfloor_stop(struct cfloor *cf)
{
	if (!cf)
		return;

	if (cf->tls)
		floortls_bye(cf->tls);
	cf->tls = mem_deref(cf->tls);
	bfcpm_frame_reset(&cf->frame);
}


/* ---- SDP -------------------------------------------------------------------------- */

int cfloor_sdp(const struct cfloor *cf, char *buf, size_t size)
{
	const bool existing = floortls_up(cf->tls);
	int n;

	/* RFC 4145: we connect, so no port of ours is ever used */
	n = re_snprintf(buf, size, "m=application 9 TCP/TLS/BFCP *\r\n"
			"a=setup:active\r\na=connection:%s\r\n"
			"a=fingerprint:%H\r\na=floorctrl:c-only\r\na=bfcpver:1\r\n",
			existing ? "existing" : "new", floortls_fp_print,
			floortls_ctx_fp(cf->ctx));

	return n < 0 ? EOVERFLOW : 0;
}


/** The section of the first BFCP line that was not refused */
static bool section(struct pl *sec, const char *text, size_t len)
{
	const char *p = text, *end = text + len;
	static const char mline[] = "m=application ";

	sec->p = NULL;
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *next = nl ? nl + 1 : end;

		if (end - p > 2 && p[0] == 'm' && p[1] == '=') {
			if (sec->p)
				break;
			if ((size_t)(end - p) > sizeof(mline) &&
			    !memcmp(p, mline, sizeof(mline) - 1) &&
			    p[sizeof(mline) - 1] != '0')
				sec->p = p;
		}
		p = next;
	}
	sec->l = sec->p ? (size_t)(p - sec->p) : 0;

	return sec->p != NULL;
}


/** Value of the first line of a text that begins so; 0 or ENOENT */
static int line_value(struct pl *val, const char *p, size_t len, const char *name)
{
	const char *end = p + len;
	const size_t n = strlen(name);

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl ? nl : end;

		if ((size_t)(stop - p) > n && !memcmp(p, name, n)) {
			val->p = p + n;
			val->l = (size_t)(stop - val->p);
			if (val->l && val->p[val->l - 1] == '\r')
				--val->l;
			return 0;
		}
		p = nl ? nl + 1 : end;
	}

	return ENOENT;
}


static uint32_t number_of(const struct pl *sec, const char *name)
{
	struct pl val, n;

	if (line_value(&val, sec->p, sec->l, name) ||
	    re_regex(val.p, val.l, "[0-9]+", &n))
		return 0;

	return pl_u32(&n);
}


static int set_peer(struct cfloor *cf, const struct pl *sec, const char *text,
		    size_t len)
{
	struct pl val, port, addr;

	if (line_value(&val, sec->p, sec->l, "m=application ") ||
	    re_regex(val.p, val.l, "[0-9]+ TCP/TLS/BFCP", &port) ||
	    (line_value(&val, sec->p, sec->l, "c=IN ") &&
	     line_value(&val, text, len, "c=IN ")) ||
	    re_regex(val.p, val.l, "IP[46]1 [^ ]+", NULL, &addr))
		return EBADMSG;

	return sa_set(&cf->peer, &addr, (uint16_t)pl_u32(&port));
}


void cfloor_peer(struct cfloor *cf, const char *text, size_t len, bool answer)
{
	struct pl sec, val;
	bool existing;
	int err;

	cf->accepted = section(&sec, text, len);
	if (!cf->accepted) {
		cfloor_stop(cf);
		return;
	}

	existing = !line_value(&val, sec.p, sec.l, "a=connection:") &&
		!pl_strcmp(&val, "existing");
	if (cf->tls && existing)
		return;

	cfloor_stop(cf);
	err = set_peer(cf, &sec, text, len);
	if (!err)
		err = line_value(&val, sec.p, sec.l, "a=fingerprint:");
	if (!err)
		err = floortls_fp_decode(&cf->fps.v[0], &val);
	cf->fps.c = err ? 0 : 1;
	cf->confid = number_of(&sec, "a=confid:");
	cf->userid = (uint16_t)number_of(&sec, "a=userid:");
	cf->floor  = (uint16_t)number_of(&sec, "a=floorid:");

	/* the answerer is TLS server, although it is always we who connect */
	if (!err)
		err = floortls_connect(&cf->tls, cf->ctx, &cf->peer, !answer,
				       &handlers, cf);
	if (err)
		log_warn("ev=floor_failed call=%u err=%d", cf->cfg.idx, err);
}


/* ---- the part ------------------------------------------------------------------------ */

void cfloor_start(struct cfloor *cf, uint64_t now_us)
{
	cf->start_us = now_us;
}


void cfloor_tick(struct cfloor *cf, uint64_t now_us)
{
	if (cf->cfg.part != CFLOOR_REQUEST || !floortls_up(cf->tls))
		return;

	if (!cf->asked && now_us >= cf->start_us + cf->cfg.at_us)
		ask(cf, now_us);
	if (cf->release_us && !cf->released && now_us >= cf->release_us)
		release(cf);
}


const char *cfloor_failure(const struct cfloor *cf)
{
	if (!cf->accepted)
		return "BFCP was refused";
	if (!cf->connections)
		return "no BFCP connection";
	if (cf->cfg.part == CFLOOR_REQUEST && !cf->was_granted)
		return "the floor was not granted";

	return NULL;
}


static struct cjson *ms(const struct cfloor *cf, uint64_t us)
{
	return cjson_real(us > cf->start_us ? (double)(us - cf->start_us) / 1000 : 0);
}


struct cjson *cfloor_json(const struct cfloor *cf)
{
	struct cjson *j = cjson_object(), *a = cjson_array();

	cjson_set(j, "accepted", cjson_bool(cf->accepted));
	cjson_set(j, "connections", cjson_num(cf->connections));
	cjson_set(j, "conference", cjson_num(cf->confid));
	cjson_set(j, "user", cjson_num(cf->userid));
	if (cf->asked)
		cjson_set(j, "asked_ms", ms(cf, cf->asked_us));
	if (cf->error)
		cjson_set(j, "error", cjson_num(cf->error));
	for (unsigned i = 0; i < cf->eventc; i++) {
		const struct event *e = &cf->eventv[i];
		struct cjson *o = cjson_object();

		cjson_set(o, "ms", ms(cf, e->us));
		cjson_set(o, "request", cjson_num(e->req));
		cjson_set(o, "status", cjson_text(bfcpm_status_name(e->status)));
		cjson_set(o, "position", cjson_num(e->qpos));
		cjson_append(a, o);
	}
	cjson_set(j, "told", a);

	return j;
}
