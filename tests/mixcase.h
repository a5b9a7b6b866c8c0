/**
 * @file mixcase.h  What all suites about the mixer process begin with and look for
 *
 * A test has a fresh rig with one conference, and adds phones to it.  Keys of the
 * rig's group epochs are here, since the rig leaves them to the test.
 */
#ifndef TESTS_MIXCASE_H
#define TESTS_MIXCASE_H

#include <check.h>
#include "mixrig.h"

enum { CLASS = 3, PT_PCMA = 8 };

extern struct rig rig;
extern struct secret *epochv[4];    /* by epoch: its key; freed afterwards */
extern uint32_t keynov[4];          /* and the rig's number of that        */
extern const double freqv[4];       /* tones that are told apart [Hz]      */

void mixcase_up4(void);
void mixcase_up6(void);
/** A case of tests, given up to a NULL, that begin with one of those */
void mixcase_add(Suite *s, const char *name, void (*up)(void), const TTest *const testv[]);

/** Each of n phones hears every other one and not itself */
void check_mix(unsigned n);
/** No (key, SSRC, SEQ) covers two different packets; streams here are too short
 *  for a second ROC.  @return packets seen by more than one phone */
unsigned check_unique(void);
/** Of RTP that a phone was sent, 32 at most */
unsigned count_ssrcs(const struct phone *p);

/** Have the mixer install the key of an epoch of CLASS */
void install_epoch(unsigned epoch);
/** A phone that hears that epoch and has no key of its own; 0 Hz: silent */
struct phone *group_phone(double freq, unsigned epoch);

#endif
