/**
 * @file focus/listinvite.c  An INVITE to a factory that brings a list of people
 *
 * The list is read, and its sender's right to have others called is checked,
 * before anything is made.  The calls go out when the creator is in; what came
 * of them is told by the conference package, not by the 200.
 *
 * Refs: RFC 5366, RFC 5363 section 5.2
 */
#include "focus/dialout.h"
#include "focus/listinvite.h"
#include "focus/rate.h"
#include "focus/tree.h"
#include "focus/urilist.h"
#include "log.h"


int listinvite_read(struct urilist **lp, struct focus *f,
		    const struct conference *c,
		    const struct cfg_conf *cc, const struct body *b,
		    const char *identity, uint16_t *scodep, const char **whyp)
{
	struct urilist *l;
	int err;

	if (!b->list.p)
		return 0;

	/* only what makes a conference takes a list: RFC 5366 section 5.1 */
	if (c || !cc->factory) {
		*scodep = 420;
		*whyp = "A list is for a factory";
		return EPROTO;
	}

	/* the creator will be its owner */
	if (!cfg_referrer_word(cc, "owner") &&
	    !cfg_referrer_word(cc, "members") &&
	    !cfg_referrer_match(cc, identity)) {
		*scodep = 403;
		*whyp = "May not have others called";
		return EACCES;
	}

	err = urilist_decode(&l, &b->list, whyp);
	if (err) {
		*scodep = err == EOVERFLOW ? 413 : err == ENOMEM ? 500 : 400;
		if (err == ENOMEM)
			*whyp = "Out of memory";
		return err;
	}

	if (!rate_ok(&f->ratel, identity, RATE_BURST,
		     list_count(&l->entryl))) {
		*scodep = 503;
		*whyp = "Too many calls for one user";
		mem_deref(l);
		return EBUSY;
	}
	*lp = l;

	return 0;
}


void listinvite_start(struct conference *c, const struct part *by)
{
	struct urilist *l = c->invitees;
	struct mbuf *history = NULL;
	unsigned called = 0;
	struct le *le;
	char name[512];

	c->invitees = NULL;
	if (!l)
		return;

	(void)re_snprintf(name, sizeof(name), "<%s>", part_public_uri(by));
	(void)urilist_history(&history, l);
	for (le = list_head(&l->entryl); le; le = le->next) {
		const struct urientry *e = le->data;
		struct dialout d = {
			.history = history, .referred_by = name,
			.anonymous = e->anonymize,
		};

		/* the creator may be on its own list */
		if (!str_cmp(e->identity, c->owner))
			continue;
		pl_set_str(&d.target, e->uri);
		called += !dialout(c, &d);
	}

	log_info("ev=list conf=%s entries=%u called=%u skipped=%u", c->label,
		 list_count(&l->entryl), called, l->skipped);
	mem_deref(history);
	mem_deref(l);
}
