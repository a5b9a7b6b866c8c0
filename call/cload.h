/**
 * @file cload.h  N calls in one process
 *
 * Starts them one after the other, drives their media from one timer, ends
 * them together: the last one first, so that the owner of a conference, who
 * was the first, does not close it under the others.
 *
 * Ownership:  libre object; owns stacks and calls
 */
#ifndef CALL_CLOAD_H
#define CALL_CLOAD_H

#include "re_compat.h"
#include "call.h"
#include "cdelay.h"
#include "opts.h"

struct cload;

int  cload_alloc(struct cload **lp, const struct opts *o);

/** Run the libre loop until all calls are over and their dialogs finished */
int  cload_run(struct cload *l);

const struct call *cload_call(const struct cload *l, unsigned i);
const struct cdelay *cload_delay(const struct cload *l);   /* NULL: not measured */

#endif
