/**
 * @file focus/conference.c  Conferences: birth, rules of ending, death
 *
 * Refs: RFC 4579 sections 5.3, 5.4 and 5.12; TR 33.829 clause 5.2.1.1
 */
#include <string.h>
#include "focus/epfloor.h"
#include "focus/role.h"
#include "log.h"

enum {
	CONF_ID_LEN = 26,       /* of 32 signs: 130 bits, not to be guessed   */
	CONF_USER_MAX = 132,    /* a configuration has no longer ones         */
};


static void release_at_mixer(const struct conference *c)
{
	Mp__Message msg = MP__MESSAGE__INIT;
	Mp__ConfRelease cr = MP__CONF_RELEASE__INIT;

	cr.conf = c->id;
	msg.body_case = MP__MESSAGE__BODY_CONF_RELEASE;
	msg.conf_release = &cr;
	(void)mixproc_send(c->mix, &msg, NULL, NULL);
}


static void destructor(void *arg)
{
	struct conference *c = arg;
	struct le *le;

	hash_unlink(&c->he);
	hash_unlink(&c->he_id);
	list_unlink(&c->le);
	list_flush(&c->partl);
	while ((le = list_head(&c->classl)))
		gclass_close(le->data);
	tmr_cancel(&c->tmr_rekey);
	tmr_cancel(&c->tmr_round);
	list_flush(&c->banl);
	list_flush(&c->standl);
	if (c->mix) {
		release_at_mixer(c);
		--c->focus->confc;
		--c->focus->mixconfcv[mixproc_index(c->mix)];
	}
	mem_deref(c->label);
	mem_deref(c->user);
	mem_deref(c->uri);
	mem_deref(c->owner);
	mem_deref(c->ps);
	mem_deref(c->contact);
	mem_deref(c->invitees);
	mem_deref(c->floor);
	mem_deref(c->cfg);
}


static bool user_cmp(struct le *le, void *arg)
{
	const struct conference *c = le->data;

	return !str_cmp(arg, c->user);
}


/** However its name is spelled: RFC 3261 section 19.1.4 */
struct conference *conference_find(const struct focus *f,
				   const struct pl *user)
{
	char name[CONF_USER_MAX];

	if (cfg_user_part(name, sizeof(name), user))
		return NULL;

	return list_ledata(hash_lookup(f->ht_conf, hash_joaat_str(name),
				       user_cmp, name));
}


/** A name that was dialled, in its one form */
static int take_user(char **userp, const struct pl *user)
{
	char name[CONF_USER_MAX];
	int err;

	err = cfg_user_part(name, sizeof(name), user);

	return err ? err : str_dup(userp, name);
}


struct conference *conference_by_label(const struct focus *f,
				       const char *label)
{
	struct le *le;

	for (le = list_head(&f->confl); le; le = le->next) {
		struct conference *c = le->data;

		if (!str_cmp(c->label, label) || !str_cmp(c->uri, label))
			return c;
	}

	return NULL;
}


static bool id_cmp(struct le *le, void *arg)
{
	const struct conference *c = le->data;

	return c->id == *(const uint64_t *)arg;
}


struct conference *conference_by_id(const struct focus *f, uint64_t id)
{
	return list_ledata(hash_lookup(f->ht_confid, (uint32_t)id, id_cmp,
				       &id));
}


/** A URI user part nobody can guess: knowing it is not the right to join,
 *  but guessing it must not be a way to find conferences (RFC 4579 sec. 5.3) */
static int draw_user(char **userp)
{
	static const char abc[] = "abcdefghijklmnopqrstuvwxyz234567";
	struct secret *s;
	char buf[CONF_ID_LEN + 1];
	int err;

	err = secret_draw(&s, CONF_ID_LEN);
	if (err)
		return err;

	for (unsigned i = 0; i < CONF_ID_LEN; i++)
		buf[i] = abc[secret_bytes(s)[i] & 31];
	buf[CONF_ID_LEN] = '\0';
	secret_free(&s);

	return str_dup(userp, buf);
}


int conference_set(const struct conference *c)
{
	Mp__Message msg = MP__MESSAGE__INIT;
	Mp__ConfSet cs = MP__CONF_SET__INIT;

	cs.conf = c->id;
	cs.max_speakers = c->cc->max_speakers;
	cs.name = c->label;
	msg.body_case = MP__MESSAGE__BODY_CONF_SET;
	msg.conf_set = &cs;

	return mixproc_send(c->mix, &msg, NULL, NULL);
}


/** The mixer with the fewest conferences; they are alike in size on average */
static struct mixproc *pick_mixer(const struct focus *f)
{
	struct mixproc *best = NULL;

	for (unsigned i = 0; i < f->mixc; i++) {
		if (mixproc_up(f->mixv[i]) &&
		    (!best || f->mixconfcv[i] < f->mixconfcv[mixproc_index(best)]))
			best = f->mixv[i];
	}

	return best;
}


static int set_names(struct conference *c, const struct pl *user,
		     const struct pl *host, const char *owner)
{
	const char *fmt = pl_strchr(host, ':') ? "sip:%s@[%r]" : "sip:%s@%r";
	int err;

	err = user ? take_user(&c->user, user) : draw_user(&c->user);
	if (!err)
		err = re_sdprintf(&c->uri, fmt, c->user, host);
	if (!err)
		err = re_sdprintf(&c->label, "%s-%llu", c->cc->title, c->id);
	if (!err)
		err = str_dup(&c->owner, owner);

	return err;
}


/**
 * @param user  URI user part, or NULL: draw one (ad hoc)
 */
int conference_new(struct conference **cp, struct focus *f,
		   const struct cfg_conf *cc, const struct pl *user,
		   const struct pl *host, const char *owner)
{
	struct mixproc *mix = pick_mixer(f);
	struct conference *c;
	int err;

	if (!mix)
		return ENOTCONN;

	c = mem_zalloc(sizeof(*c), destructor);
	if (!c)
		return ENOMEM;

	c->focus = f;
	c->cfg = mem_ref(f->cfg);
	c->cc = cc;
	c->id = ++f->conf_id;
	c->started = tmr_jiffies();
	err = set_names(c, user, host, owner);
	if (err)
		goto out;

	c->mix = mix;
	++f->confc;
	++f->mixconfcv[mixproc_index(mix)];
	err = conference_set(c);
	if (!err)
		err = epfloor_open(c);
	if (err)
		goto out;

	hash_append(f->ht_conf, hash_joaat_str(c->user), &c->he, c);
	hash_append(f->ht_confid, (uint32_t)c->id, &c->he_id, c);
	list_append(&f->confl, &c->le, c);
	change_feed(CHANGE_CONF_CREATED, c, NULL, NULL);

 out:
	if (err)
		mem_deref(c);
	else
		*cp = c;

	return err;
}


static bool hdr_is_sips(const struct sip_hdr *hdr)
{
	struct sip_addr addr;

	return hdr && !sip_addr_decode(&addr, &hdr->val) &&
		!pl_strcasecmp(&addr.uri.scheme, "sips");
}


/** RFC 3261 section 12.1.1: whoever asked for TLS all the way gets a Contact
 *  that says so */
static bool is_sips(const struct sip_msg *msg)
{
	const struct sip_hdr *rr = sip_msg_hdr(msg, SIP_HDR_RECORD_ROUTE);

	return msg->tp == SIP_TRANSP_TLS &&
		(!pl_strcasecmp(&msg->uri.scheme, "sips") ||
		 hdr_is_sips(rr ? rr : sip_msg_hdr(msg, SIP_HDR_CONTACT)));
}


/*
 * conf-id is for Linphone: only if the Contact of a 200 has it does it take the
 * call for a conference of its own, invites the others and subscribes.  Nobody
 * else minds: a parameter that one of two URIs has alone does not count when
 * they are compared (RFC 3261 section 19.1.4).
 */
static int print_contact(char *buf, size_t size, const struct conference *c,
			 const struct sip_msg *msg, bool sips)
{
	const char *scheme = sips ? "sips" : "sip";
	/* RFC 5630 section 3.1.4: deprecated where sips says the same */
	const char *tp = sips ? "" : sip_transp_param(msg->tp);
	const char *adv = c->cfg->advertised_sip;
	const uint32_t id = hash_joaat_str(c->user);
	int n;

	if (adv)
		n = re_snprintf(buf, size, "<%s:%s@%s%s;conf-id=%08x>;isfocus",
				scheme, c->user, adv, tp, id);
	else
		n = re_snprintf(buf, size, "<%s:%s@%J%s;conf-id=%08x>;isfocus",
				scheme, c->user, &msg->dst, tp, id);

	return n < 0 ? EOVERFLOW : 0;
}


int conference_contact(char *buf, size_t size, const struct conference *c,
		       const struct sip_msg *msg)
{
	return print_contact(buf, size, c, msg, is_sips(msg));
}


int conference_contact_set(struct conference *c, const struct sip_msg *msg)
{
	char buf[256];
	int err;

	if (c->contact)
		return 0;

	err = print_contact(buf, sizeof(buf), c, msg, false);

	return err ? err : str_dup(&c->contact, buf);
}


void conference_end(struct conference *c, unsigned cause, const char *text)
{
	struct le *le;

	if (c->ending)
		return;

	/* from here on nobody can join, and conference_check() keeps out */
	c->ending = true;
	hash_unlink(&c->he);

	while ((le = list_head(&c->partl)))
		part_kick(le->data, cause, text);

	change_feed(CHANGE_CONF_ENDED, c, NULL, text);
	mem_deref(c);
}


void conference_lock(struct conference *c, bool locked, const char *who)
{
	if (c->locked == locked)
		return;

	c->locked = locked;
	change_feed(locked ? CHANGE_LOCKED : CHANGE_UNLOCKED, c, NULL, who);
}


/**
 * Somebody left: RFC 4579 section 5.12 lets policy say whether the owner's
 * leaving ends the conference; without participants it ends anyway.
 */
void conference_check(struct conference *c, bool owner_left)
{
	if (c->ending)
		return;

	if (list_isempty(&c->partl))
		conference_end(c, 200, "empty");
	else if (owner_left && c->cc->owner_leaves != OWNER_STAYS &&
		 !(c->cc->owner_leaves == OWNER_HANDS_OVER && role_succeed(c)))
		conference_end(c, 200, "owner_left");
}


static bool leg_cmp(struct le *le, void *arg)
{
	const struct endpoint *ep = le->data;

	return ep->leg == *(const uint64_t *)arg;
}


struct endpoint *conference_endpoint(const struct conference *c, uint64_t leg)
{
	struct endpoint *ep = list_ledata(hash_lookup(
		c->focus->ht_leg, (uint32_t)leg, leg_cmp, &leg));

	return ep && ep->part->conf == c ? ep : NULL;
}


struct endpoint *conference_endpoints(const struct conference *c,
				      const struct endpoint *ep)
{
	const struct le *pe = ep ? ep->part->le.next : list_head(&c->partl);
	const struct le *le = ep ? ep->le.next : NULL;

	/* one whose first call is still being made may have no endpoint yet */
	for (; !le && pe; pe = pe->next) {
		const struct part *p = pe->data;

		le = list_head(&p->endpointl);
	}

	return le ? le->data : NULL;
}
