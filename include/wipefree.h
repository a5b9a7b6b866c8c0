/**
 * @file wipefree.h  Every freed heap block is wiped
 *
 * SIP and SDP texts with a=crypto lines, TLS records and Mp messages pass
 * through buffers of libraries that free them unwiped.  A program that links
 * libwipefree.a gets a free() and a realloc() that wipe first, for itself and
 * for every library it uses.
 *
 * Ownership:  none; linking it is using it
 * Threads:    as malloc
 */
#ifndef CONCLAVE_WIPEFREE_H
#define CONCLAVE_WIPEFREE_H

#include <stdbool.h>

/**
 * Is it built in?  False under a sanitizer, which brings its own allocator.
 * The program has to call this (and log it): the reference is what makes the
 * linker take the library.
 */
bool wipefree_active(void);

#endif
