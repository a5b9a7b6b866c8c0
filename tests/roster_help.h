/**
 * @file roster_help.h  A watcher's copy of a conference, as RFC 4575 wants it
 */
#ifndef CONCLAVE_TESTS_ROSTER_HELP_H
#define CONCLAVE_TESTS_ROSTER_HELP_H

#include <libxml/tree.h>

struct replica {
	xmlDocPtr doc;
	unsigned long version;
};

/**
 * Merge a document: RFC 4575 section 4.6
 *
 * @return NULL, or what the document does wrong (a gap in the versions, a
 *         state that its parent forbids, a change of what is not there)
 */
const char *replica_merge(struct replica *r, xmlDocPtr doc);
void replica_clear(struct replica *r);

/** All of it in one order, without states and versions; free() */
char *roster_dump(xmlDocPtr doc);

#endif
