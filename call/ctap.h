/**
 * @file ctap.h  Keys and ciphertext of all calls in one file, for tests
 *
 * What a call was ever told and what arrived for it, with times, so that a
 * test can try the keys of one call on the packets of another
 * (tests/secrecy.c).  The file holds keys in clear: it is created anew, for
 * its owner alone, and only if asked for twice (--tap with --insecure-tap).
 *
 * Lines, times in microseconds of CLOCK_MONOTONIC, bytes in hex:
 *   call TIME CALL            the INVITE goes out
 *   key  TIME CALL SUITE KEY  a key to receive under; KEY:N if its packets
 *                             carry an MKI of N bytes
 *   own  TIME CALL SUITE KEY  a key to send under
 *   rtp  TIME CALL PACKET     (or rtcp) as it arrived
 *   dlg  TIME CALL DIALOG     as a Replaces header names it
 *   left TIME CALL            over
 *
 * Ownership:  libre object; the file is closed with it
 */
#ifndef CALL_CTAP_H
#define CALL_CTAP_H

#include "re_compat.h"
#include "dlg.h"
#include "secret.h"
#include "suite.h"

struct ctap;

int  ctap_open(struct ctap **tp, const char *path);
void ctap_event(struct ctap *t, const char *what, unsigned call);
void ctap_dialog(struct ctap *t, unsigned call, const struct dlg *dlg);
void ctap_key(struct ctap *t, const char *what, unsigned call,
	      const struct suite *suite, const struct secret *key, uint8_t mki_len);
void ctap_packet(struct ctap *t, unsigned call, bool rtcp, const uint8_t *pkt, size_t len);

#endif
