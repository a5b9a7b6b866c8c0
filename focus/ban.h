/**
 * @file focus/ban.h  Who was removed does not come back at once
 *
 * Ownership:  bans belong to the conference
 * Threads:    libre loop
 */
#ifndef CONCLAVE_FOCUS_BAN_H
#define CONCLAVE_FOCUS_BAN_H

#include "re_compat.h"

struct conference;

/** Removed: keep out for rejoin_ban seconds */
void ban_add(struct conference *c, const char *identity);
void ban_lift(struct conference *c, const char *identity);
bool ban_active(struct conference *c, const char *identity);

#endif
