/**
 * @file focus/uamem.h  What phones of a kind did with new keys
 *
 * By User-Agent, so that the next of its kind needs no trial.  A User-Agent is
 * what a client says it is, and one that lies would spoil others' calls: a false
 * "keeps its key" has them kept out of the group, a false "follows" has them
 * given a key that they do not take, and so makes them deaf.  So each identity
 * is believed for itself at once, and for others only when UAMEM_WITNESSES
 * different ones, each authenticated, have shown the same and none the
 * contrary since.  Three: nobody with one account alone can decide for others,
 * nor with a second one, and two reports lost by chance are no proof; while
 * what it costs is a trial for each of the first three, in which they hear
 * everything.
 *
 * What was shown UAMEM_AGE_MS ago is found out anew, since phones are updated.
 * The table has UAMEM_MAX entries; the one that was of use the longest ago goes.
 *
 * Ownership:  libre object
 * Threads:    focus only
 */
#ifndef CONCLAVE_FOCUS_UAMEM_H
#define CONCLAVE_FOCUS_UAMEM_H

#include <stdint.h>
#include "cfg.h"

enum {
	UAMEM_MAX = 256, UAMEM_WITNESSES = 3,
	UAMEM_AGE_MS = 24 * 3600 * 1000,
};

struct uamem;

/** @return 0 or ENOMEM */
int uamem_alloc(struct uamem **ump);

/**
 * An identity has shown what its phone does
 *
 * @param ua        Its User-Agent; an empty one is not remembered
 * @param identity  Authenticated
 * @param follows   FOLLOWS_YES or FOLLOWS_NO
 * @param now       [ms]
 */
void uamem_show(struct uamem *um, const char *ua, const char *identity,
		enum follows follows, uint64_t now);

/** What is to be expected of it; FOLLOWS_ASK: find out */
enum follows uamem_expect(struct uamem *um, const char *ua,
			  const char *identity, uint64_t now);

#endif
