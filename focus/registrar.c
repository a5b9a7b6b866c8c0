/**
 * @file registrar.c  Where registered phones are
 */
#include <string.h>
#include "log.h"
#include "regbind.h"
#include "registrar.h"
#include "tlsid.h"

enum { HT_SIZE = 1024 };

struct reg_target {
	char *aor;
	char *uri;
	char *path;
	unsigned q;
	struct tlsid_flow *flow;
};

/* ---- state --------------------------------------------------------------- */

static void destructor(void *arg)
{
	struct registrar *reg = arg;

	hash_flush(reg->ht);
	lates_close(&reg->expiry);
	mem_deref(reg->ht);
}


static void aor_destructor(void *arg)
{
	struct aor *a = arg;

	hash_unlink(&a->he);
	list_flush(&a->bindl);
	mem_deref(a->identity);
}


static void binding_destructor(void *arg)
{
	struct binding *b = arg;

	late_cancel(&b->late);
	tlsid_flow_unwatch(&b->watch);
	list_unlink(&b->le);
	if (b->aor)
		--b->aor->reg->bindc;
	mem_deref(b->uri);
	mem_deref(b->instance);
	mem_deref(b->path);
	mem_deref(b->callid);
	mem_deref(b->user_agent);
	mem_deref(b->flow);
}


struct binding *reg_binding_alloc(void)
{
	return mem_zalloc(sizeof(struct binding), binding_destructor);
}


int registrar_alloc(struct registrar **rp)
{
	struct registrar *reg;
	int err;

	if (!rp)
		return EINVAL;

	reg = mem_zalloc(sizeof(*reg), destructor);
	if (!reg)
		return ENOMEM;

	err = hash_alloc(&reg->ht, HT_SIZE);
	if (err)
		mem_deref(reg);
	else
		*rp = reg;

	return err;
}


static bool aor_cmp(struct le *le, void *arg)
{
	const struct aor *a = le->data;

	return !str_cmp(a->identity, arg);
}


struct aor *reg_aor_find(const struct registrar *reg, const char *identity)
{
	return list_ledata(hash_lookup(reg->ht, hash_joaat_str(identity),
				       aor_cmp, (void *)(uintptr_t)identity));
}


int reg_aor_get(struct aor **ap, struct registrar *reg,
		   const char *identity)
{
	struct aor *a = reg_aor_find(reg, identity);
	int err;

	if (!a) {
		a = mem_zalloc(sizeof(*a), aor_destructor);
		if (!a)
			return ENOMEM;

		a->reg = reg;
		err = str_dup(&a->identity, identity);
		if (err) {
			mem_deref(a);
			return err;
		}
		hash_append(reg->ht, hash_joaat_str(identity), &a->he, a);
	}
	*ap = a;

	return 0;
}


/** An address without contacts is not worth its memory */
void reg_aor_check(struct aor *a)
{
	if (a && list_isempty(&a->bindl))
		mem_deref(a);
}


void reg_binding_end(struct binding *b, const char *reason)
{
	unsigned left_out;

	if (log_limit_ok(&b->aor->reg->ll_bind, &left_out))
		log_info("ev=unregister identity=%s contact=%s reason=%s"
			 " left_out=%u", b->aor->identity, b->uri, reason,
			 left_out);
	mem_deref(b);
}


/** Those whose connection has gone in this turn of the loop */
void reg_aor_purge(struct aor *a)
{
	struct le *le = a ? list_head(&a->bindl) : NULL;

	while (le) {
		struct binding *b = le->data;

		le = le->next;
		if (!tlsid_flow_open(b->flow))
			reg_binding_end(b, "connection_gone");
	}
}


static bool purge_handler(struct le *le, void *arg)
{
	struct aor *a = le->data;
	(void)arg;

	reg_aor_purge(a);
	reg_aor_check(a);

	return false;
}


void reg_purge(struct registrar *reg)
{
	(void)hash_apply(reg->ht, purge_handler, NULL);
}


static void expire_handler(void *arg)
{
	struct binding *b = arg;
	struct aor *a = b->aor;

	reg_binding_end(b, tlsid_flow_open(b->flow) ? "expired"
						: "connection_gone");
	reg_aor_check(a);
}


/** RFC 5626 section 6: a binding ends with its flow */
static void gone_handler(void *arg)
{
	struct binding *b = arg;

	late_start(&b->aor->reg->expiry, &b->late, 0, expire_handler, b);
}


/** RFC 3261 section 16.6: what is preferred is tried first */
static void binding_insert(struct aor *a, struct binding *b)
{
	struct le *le = list_head(&a->bindl);

	while (le && ((struct binding *)le->data)->q > b->q)
		le = le->next;

	if (le)
		list_insert_before(&a->bindl, le, &b->le, b);
	else
		list_append(&a->bindl, &b->le, b);
}


void reg_binding_start(struct binding *b, struct aor *a, uint32_t expires_s)
{
	b->aor = a;
	++a->reg->bindc;
	binding_insert(a, b);
	late_start(&a->reg->expiry, &b->late, (uint64_t)expires_s * 1000,
		   expire_handler, b);
	tlsid_flow_watch(b->flow, &b->watch, gone_handler, b);
}


uint32_t reg_binding_left_s(const struct binding *b)
{
	return (uint32_t)((late_left(&b->late) + 999) / 1000);
}


/* ---- lookup -------------------------------------------------------------- */

static void target_destructor(void *arg)
{
	struct reg_target *t = arg;

	mem_deref(t->aor);
	mem_deref(t->uri);
	mem_deref(t->path);
	mem_deref(t->flow);
}


/**
 * RFC 5626 section 5.3: of the flows of one phone only one is used, or it would
 * ring twice
 */
static bool is_second_flow(const struct binding *b)
{
	const struct le *le = b->le.prev;

	for (; b->instance && le; le = le->prev) {
		const struct binding *other = le->data;

		if (other->instance && !strcmp(other->instance, b->instance))
			return true;
	}

	return false;
}


/** The n-th phone, or NULL */
static const struct binding *nth(const struct aor *a, unsigned n)
{
	const struct le *le = a ? list_head(&a->bindl) : NULL;

	for (; le; le = le->next) {
		const struct binding *b = le->data;

		if (!is_second_flow(b) && !n--)
			return b;
	}

	return NULL;
}


int registrar_find(struct reg_target **tp, struct registrar *reg,
		   const char *identity, unsigned n)
{
	const struct binding *b;
	struct reg_target *t;
	struct aor *a;
	int err;

	if (!tp || !reg || !identity)
		return EINVAL;

	a = reg_aor_find(reg, identity);
	reg_aor_purge(a);
	b = nth(a, n);
	if (!b) {
		reg_aor_check(a);
		return ENOENT;
	}

	t = mem_zalloc(sizeof(*t), target_destructor);
	if (!t)
		return ENOMEM;

	t->flow = mem_ref(b->flow);
	t->q = b->q;
	err = str_dup(&t->aor, a->identity);
	if (!err)
		err = str_dup(&t->uri, b->uri);
	if (!err && b->path)
		err = str_dup(&t->path, b->path);

	if (err)
		mem_deref(t);
	else
		*tp = t;

	return err;
}


const char *reg_target_uri(const struct reg_target *t)
{
	return t->uri;
}


const char *reg_target_path(const struct reg_target *t)
{
	return t->path;
}


unsigned reg_target_q(const struct reg_target *t)
{
	return t->q;
}


const struct sa *reg_target_peer(const struct reg_target *t)
{
	return tlsid_flow_peer(t->flow);
}


bool reg_target_open(const struct reg_target *t)
{
	return t && tlsid_flow_open(t->flow);
}


void registrar_failed(struct registrar *reg, const struct reg_target *t)
{
	struct aor *a = reg && t ? reg_aor_find(reg, t->aor) : NULL;
	struct le *le = a ? list_head(&a->bindl) : NULL;

	while (le) {
		struct binding *b = le->data;

		le = le->next;
		if (b->flow == t->flow && !strcmp(b->uri, t->uri))
			reg_binding_end(b, "no_answer");
	}
	reg_aor_check(a);
}


struct walk {
	registrar_h *h;
	void *arg;
};


static bool info_handler(struct le *le, void *arg)
{
	const struct aor *a = le->data;
	const struct walk *w = arg;

	for (le = list_head(&a->bindl); le; le = le->next) {
		const struct binding *b = le->data;
		const struct reg_info info = {
			.aor = a->identity, .contact = b->uri,
			.user_agent = b->user_agent,
			.peer = tlsid_flow_peer(b->flow),
			.expires_s = reg_binding_left_s(b), .outbound = b->instance != NULL,
		};

		if (tlsid_flow_open(b->flow))
			w->h(&info, w->arg);
	}

	return false;
}


void registrar_apply(struct registrar *reg, registrar_h *h, void *arg)
{
	struct walk w = { h, arg };

	if (reg && h)
		(void)hash_apply(reg->ht, info_handler, &w);
}


uint32_t registrar_count(const struct registrar *reg)
{
	return reg ? reg->bindc : 0;
}
