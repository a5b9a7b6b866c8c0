/**
 * @file focus/conference.h  A conference: the tree's root for all who are in it
 *
 * It has one mixer, participants (part.h) and, with group keys, delivery classes
 * (gclass.h).  Who was removed, and what was said about roles, it remembers by
 * identity.
 *
 * Ownership:  libre object; the focus holds it, and it holds its participants and
 *             classes
 * Threads:    libre loop
 * Refs:       RFC 4353 section 3, RFC 4579 section 4.2
 */
#ifndef CONCLAVE_FOCUS_CONFERENCE_H
#define CONCLAVE_FOCUS_CONFERENCE_H

#include "re_compat.h"
#include "cfg.h"
#include "focus/mixproc.h"

struct focus;
struct endpoint;
struct pseudonyms;
struct confwatch;
struct floorconf;
struct urilist;

struct conference {
	struct le he;
	struct le he_id;
	struct le le;
	struct focus *focus;
	struct cfg *cfg;            /* keeps cc alive over a reload           */
	const struct cfg_conf *cc;
	struct mixproc *mix;
	uint64_t id;                /* at the mixer                           */
	char *label;                /* for people: "adhoc-7"                  */
	char *user;                 /* URI user part                          */
	char *uri;                  /* "sip:user@host"                        */
	char *owner;                /* identity                               */
	char *contact;              /* of the call that made it               */
	struct pseudonyms *ps;      /* of those who asked not to be known     */
	struct list partl;
	struct urilist *invitees;   /* to be called when the creator is in    */
	struct list banl;           /* ban.c: who may not come back yet       */
	struct list standl;         /* role.c: roles and mutes that were set  */
	bool locked;                /* nobody joins but the owner             */
	struct list classl;
	struct confwatch *watch;    /* NULL: nobody watches                   */
	struct floorconf *floor;    /* NULL: none                             */
	uint32_t part_id;
	uint32_t class_id;
	unsigned endpointc;
	uint64_t started;
	bool ending;

	/* re-offers are paced */
	struct list rekeyl;         /* endpoints whose turn is still to come  */
	struct tmr tmr_rekey;       /* sends what may be sent                 */
	struct tmr tmr_round;
	unsigned rekey_outc;        /* offers without an answer, this round   */
	unsigned rekey_round;
};

struct conference *conference_find(const struct focus *f, const struct pl *user);
struct conference *conference_by_label(const struct focus *f, const char *label);
struct conference *conference_by_id(const struct focus *f, uint64_t id);
int  conference_new(struct conference **cp, struct focus *f,
		    const struct cfg_conf *cc, const struct pl *user,
		    const struct pl *host, const char *owner);
/** Tell the mixer that it is there */
int  conference_set(const struct conference *c);
/** End it for everybody; text goes into Reason headers.  cause is a SIP status. */
void conference_end(struct conference *c, unsigned cause, const char *text);
/** Locked, nobody but the owner joins uninvited */
void conference_lock(struct conference *c, bool locked, const char *who);
/** Called after an endpoint left: owner rule, last one rule */
void conference_check(struct conference *c, bool owner_left);
struct endpoint *conference_endpoint(const struct conference *c, uint64_t leg);
/** All endpoints of all participants, one after the other: that after ep, the
 *  first for NULL; NULL: there are no more.  ep must still be there. */
struct endpoint *conference_endpoints(const struct conference *c,
				      const struct endpoint *ep);

/** RFC 4579 section 4.2: the Contact is the conference URI, with isfocus */
int  conference_contact(char *buf, size_t size, const struct conference *c,
			const struct sip_msg *msg);
/** The same for calls of ours, once somebody has come this way */
int  conference_contact_set(struct conference *c, const struct sip_msg *msg);

#endif
