/**
 * @file focus/part.h  A participant: one identity in one conference
 *
 * It may be in with several endpoints (endpoint.h), and is gone with the last.
 * What others see of it is its public URI; what it may do goes by its identity.
 *
 * Ownership:  libre object; the conference holds it until its last endpoint leaves
 * Threads:    libre loop
 * Refs:       RFC 4353 section 3, RFC 4575 section 5.6
 */
#ifndef CONCLAVE_FOCUS_PART_H
#define CONCLAVE_FOCUS_PART_H

#include "re_compat.h"

struct conference;

/** In order of rank: role.h */
enum role { ROLE_LISTENER, ROLE_MEMBER, ROLE_CHAIR, ROLE_OWNER };

struct part {
	struct le le;
	struct conference *conf;
	struct list endpointl;
	char *identity;             /* authenticated, "sip:user@domain"       */
	char *public_uri;           /* what others see: identity or pseudonym */
	char *public_name;          /* NULL: none                             */
	char *cname;                /* RTCP, random: RFC 7022                 */
	uint32_t id;
	enum role role;
	bool muted;                 /* by a chair or the operator             */
	bool anonymous;             /* others must not see identity           */
};

/** With an endpoint that has joined; false for NULL */
bool part_is_in(const struct part *p);
/** Neither muted nor a listener: its media may be mixed */
bool part_heard(const struct part *p);
/** By identity, for authorisation and the operator; open before anonymous */
struct part *part_find(const struct conference *c, const char *identity);
/** As the others know it: what a participant names is looked up here, else
 *  a guess would tell who hides behind a pseudonym */
struct part *part_find_public(const struct conference *c, const char *uri);
struct part *part_by_id(const struct conference *c, uint32_t id);
/** Who takes part openly and anonymously is two participants */
struct part *part_find_as(const struct conference *c, const char *identity,
			  bool anonymous);
int part_new(struct part **pp, struct conference *c, const char *identity);
/**
 * A new one shall be seen under its pseudonym only.  PRIVACY_GUEST, who has
 * proven no identity, gets the pseudonym for one, too.
 */
int part_hide(struct part *p);
/** Everything that others can see names a participant by these */
const char *part_public_uri(const struct part *p);
const char *part_public_name(const struct part *p);
/** Hang up all endpoints of a participant */
void part_kick(struct part *p, unsigned cause, const char *text);

#endif
