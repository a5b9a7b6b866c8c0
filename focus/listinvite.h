/**
 * @file focus/listinvite.h  An INVITE to a factory that brings a list of people
 */
#ifndef CONCLAVE_FOCUS_LISTINVITE_H
#define CONCLAVE_FOCUS_LISTINVITE_H

#include "focus/body.h"

struct cfg_conf;
struct conference;
struct focus;
struct part;
struct urilist;

/**
 * Read the list of an INVITE, if it has one
 *
 * @param lp  Out; untouched without a list
 * @param c   The conference that is joined; NULL: one is to be made
 *
 * @return 0, or an errno with status and reason filled
 */
int listinvite_read(struct urilist **lp, struct focus *f,
		    const struct conference *c,
		    const struct cfg_conf *cc, const struct body *b,
		    const char *identity, uint16_t *scodep, const char **whyp);

/**
 * The creator is in: call the people of the list (c->invitees)
 *
 * @param by  The creator; the others are told the name that they may see
 */
void listinvite_start(struct conference *c, const struct part *by);

#endif
