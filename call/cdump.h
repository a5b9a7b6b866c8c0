/**
 * @file cdump.h  Received datagrams as a pcap file
 *
 * What was on the wire, still encrypted, with the kernel's arrival times.  No
 * keys.  IP and UDP headers are rebuilt from the addresses (link type RAW).
 *
 * Ownership:  libre object; the file is closed with it
 */
#ifndef CALL_CDUMP_H
#define CALL_CDUMP_H

#include "re_compat.h"

struct cdump;

int  cdump_open(struct cdump **dp, const char *path);
void cdump_packet(struct cdump *d, const struct timespec *ts, const struct sa *src,
		  const struct sa *dst, const uint8_t *pkt, size_t len);

#endif
