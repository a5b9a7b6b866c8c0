/**
 * @file creport.h  What happened, as JSON or as a table
 */
#ifndef CALL_CREPORT_H
#define CALL_CREPORT_H

#include "cload.h"
#include "opts.h"

/** Exit status of the program */
enum creport_exit {
	EXIT_GOOD = 0,
	EXIT_CHECKS = 1,
	EXIT_SETUP = 2,
	EXIT_NOT_UP = 3,
};

/** Judge all calls, write recordings, print */
enum creport_exit creport_print(const struct cload *l, const struct opts *o);

#endif
