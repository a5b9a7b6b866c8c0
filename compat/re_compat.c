/**
 * @file re_compat.c  What one of the supported libre versions lacks
 */
#include "re_compat.h"

#if !HAVE_SIP_TRANSP_DECODE
enum sip_transp rc_transp_decode(const struct pl *pl)
{
	static const struct {
		const char *name;
		enum sip_transp tp;
	} tpv[] = {
		{ "udp", SIP_TRANSP_UDP },
		{ "tcp", SIP_TRANSP_TCP },
		{ "tls", SIP_TRANSP_TLS },
		{ "ws",  SIP_TRANSP_WS  },
		{ "wss", SIP_TRANSP_WSS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(tpv); i++) {
		if (!pl_strcasecmp(pl, tpv[i].name))
			return tpv[i].tp;
	}

	return SIP_TRANSP_NONE;
}
#else
/* ISO C forbids an empty translation unit */
typedef int re_compat_unused;
#endif
