/**
 * @file re_compat.h  The one place that includes libre
 *
 * Debian 12 has libre 1.1.0, Debian 13 has 2.0.1.  Their headers need some
 * macros set that libre's own build system sets, and carry no version, so
 * differences are probed for by configure (HAVE_...) and bridged here.
 */
#ifndef CONCLAVE_RE_COMPAT_H
#define CONCLAVE_RE_COMPAT_H

#include "config.h"

#ifndef HAVE_INET6
#define HAVE_INET6 1
#endif
#ifndef HAVE_INTTYPES_H
#define HAVE_INTTYPES_H 1
#endif
#ifndef HAVE_STDBOOL_H
#define HAVE_STDBOOL_H 1
#endif
#define USE_TLS 1
#define USE_OPENSSL 1

/* libre's JSON types have names that jansson uses for other numbers */
#define JSON_STRING RE_JSON_STRING
#define JSON_NULL   RE_JSON_NULL
#include <re.h>
#define DEBUG_MODULE "conclave"
#define DEBUG_LEVEL 4
#include <re_dbg.h>
#undef JSON_STRING
#undef JSON_NULL

#if !HAVE_SIP_TRANSP_DECODE
#define sip_transp_decode rc_transp_decode
/** Transport of a Via or of a transport= parameter; absent in libre 1.1.0 */
enum sip_transp rc_transp_decode(const struct pl *pl);
#endif

/** What libre holds now: re_count.c */
struct rc_counts {
	uint32_t timers;        /* of this thread's loop                      */
	uint32_t connections;   /* TCP and TLS of the SIP stack               */
	uint32_t clients;       /* SIP client transactions                    */
	uint32_t servers;       /* SIP server transactions                    */
};
void rc_count(struct rc_counts *c, const struct sip *sip);

#endif
