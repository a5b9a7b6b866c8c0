/**
 * @file privacy.c  What a caller wants to be kept from the others
 */
#include <string.h>
#include "privacy.h"

struct pseudonyms {
	struct list l;          /* struct pseudonym, oldest first             */
	uint32_t last;          /* number given away                          */
};

struct pseudonym {
	struct le le;
	char *identity;
	uint32_t no;
};

/* RFC 3323 section 4.2, RFC 3325 section 9.3, RFC 7044 section 5.1 */
static const struct {
	const char *name;
	unsigned value;
} valuev[] = {
	{ "id",       PRIVACY_ID       },
	{ "user",     PRIVACY_USER     },
	{ "header",   PRIVACY_HEADER   },
	{ "session",  PRIVACY_SESSION  },
	{ "history",  PRIVACY_HISTORY  },
	{ "none",     PRIVACY_NONE     },
	{ "critical", PRIVACY_CRITICAL },
};


/* ---- what a request asks for --------------------------------------------- */

static bool is_token(const struct pl *pl)
{
	for (size_t i = 0; i < pl->l; i++) {
		const char c = pl->p[i];

		if (c <= ' ' || c >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", c))
			return false;
	}

	return pl->l > 0;
}


static unsigned value_of(const struct pl *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(valuev); i++) {
		if (!pl_strcasecmp(word, valuev[i].name))
			return valuev[i].value;
	}

	return 0;
}


static struct pl trim(struct pl pl)
{
	while (pl.l && strchr(" \t\r\n", pl.p[0]))
		pl_advance(&pl, 1);
	while (pl.l && strchr(" \t\r\n", pl.p[pl.l - 1]))
		--pl.l;

	return pl;
}


struct reading {
	struct privacy *pr;
	bool malformed;
	bool unknown;
};


/** priv-value *(";" priv-value); a comma does as well, since some send it */
static bool hdr_handler(const struct sip_hdr *hdr, const struct sip_msg *msg,
			void *arg)
{
	struct reading *r = arg;
	struct pl rest = hdr->val;
	(void)msg;

	for (;;) {
		struct pl word = { rest.p, 0 };
		unsigned value;

		while (word.l < rest.l && rest.p[word.l] != ';' &&
		       rest.p[word.l] != ',')
			++word.l;
		pl_advance(&rest, (ssize_t)word.l);

		word = trim(word);
		value = value_of(&word);
		r->malformed |= !is_token(&word);
		r->unknown |= !value;
		r->pr->values |= value;
		if (!rest.l)
			break;
		pl_advance(&rest, 1);
	}

	return false;
}


/** The same name at the end of a host, behind a dot, or alone */
static bool in_domain(const struct pl *host, const char *domain)
{
	const size_t len = strlen(domain);
	struct pl tail;

	if (host->l < len)
		return false;

	tail.p = host->p + host->l - len;
	tail.l = len;

	return !pl_strcasecmp(&tail, domain) &&
		(host->l == len || tail.p[-1] == '.');
}


bool privacy_uri_anonymous(const struct uri *uri)
{
	return in_domain(&uri->host, PRIVACY_HOST) ||
		!pl_strcasecmp(&uri->user, "anonymous");
}


bool privacy_is_guest(const char *identity)
{
	struct pl pl;
	struct uri uri;

	pl_set_str(&pl, identity);

	return identity && !uri_decode(&uri, &pl) &&
		in_domain(&uri.host, PRIVACY_HOST);
}


static bool name_anonymous(const struct pl *dname)
{
	struct pl name = trim(*dname);

	if (name.l >= 2 && name.p[0] == '"' && name.p[name.l - 1] == '"') {
		name.p++;
		name.l -= 2;
		name = trim(name);
	}

	return !pl_strcasecmp(&name, "anonymous");
}


int privacy_decode(struct privacy *pr, const struct sip_msg *msg)
{
	struct reading r = { pr, false, false };

	if (!pr || !msg)
		return EINVAL;

	memset(pr, 0, sizeof(*pr));
	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_PRIVACY, hdr_handler, &r);
	if (r.malformed)
		return EBADMSG;

	/* RFC 3323 section 4.2: "none" and something else contradict each
	 * other; who has asked for privacy anywhere gets it */
	pr->anonymous = (pr->values & (PRIVACY_ID | PRIVACY_USER)) ||
		privacy_uri_anonymous(&msg->from.uri) ||
		(pl_isset(&msg->from.dname) &&
		 name_anonymous(&msg->from.dname));

	return r.unknown && (pr->values & PRIVACY_CRITICAL) ? ENOTSUP : 0;
}


/* ---- pseudonyms ---------------------------------------------------------- */

static void destructor(void *arg)
{
	struct pseudonyms *ps = arg;

	list_flush(&ps->l);
}


static void pseudonym_destructor(void *arg)
{
	struct pseudonym *p = arg;

	list_unlink(&p->le);
	mem_deref(p->identity);
}


int pseudonyms_alloc(struct pseudonyms **psp)
{
	struct pseudonyms *ps = mem_zalloc(sizeof(*ps), destructor);

	if (!ps)
		return ENOMEM;

	*psp = ps;

	return 0;
}


static int remember(struct pseudonyms *ps, const char *identity)
{
	struct pseudonym *p;
	int err;

	p = mem_zalloc(sizeof(*p), pseudonym_destructor);
	if (!p)
		return ENOMEM;

	err = str_dup(&p->identity, identity);
	if (err) {
		mem_deref(p);
		return err;
	}

	p->no = ps->last + 1;
	list_append(&ps->l, &p->le, p);
	if (list_count(&ps->l) > PSEUDONYM_MAX)
		mem_deref(list_ledata(list_head(&ps->l)));

	return 0;
}


int pseudonym_get(struct pseudonyms *ps, const char *identity, uint32_t *np)
{
	struct le *le;
	int err = 0;

	if (!ps || !np)
		return EINVAL;

	for (le = list_head(&ps->l); identity && le; le = le->next) {
		const struct pseudonym *p = le->data;

		if (!str_cmp(p->identity, identity)) {
			*np = p->no;
			return 0;
		}
	}

	if (identity)
		err = remember(ps, identity);
	if (!err)
		*np = ++ps->last;

	return err;
}


int pseudonym_print(char **urip, char **namep, uint32_t n)
{
	char *uri = NULL, *name = NULL;
	int err;

	err = re_sdprintf(&uri, "sip:anonymous%u@" PRIVACY_HOST, n);
	if (!err)
		err = re_sdprintf(&name, "Anonymous %u", n);

	if (err) {
		mem_deref(uri);
		return err;
	}

	*urip = uri;
	*namep = name;

	return 0;
}
