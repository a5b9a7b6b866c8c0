/**
 * @file fuzz_rtcp.c  Any bytes as an RTCP compound packet
 *
 * What was decoded must encode, and decode to the same again.
 */
#include <stdlib.h>
#include <string.h>
#include "rtcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t buf[2048];
	struct rtcpx r, back;
	size_t n;

	if (rtcpx_decode(&r, data, size))
		return 0;

	check(r.rbc <= RTCPX_RB_MAX && r.byec <= RTCPX_RB_MAX);
	check(memchr(r.cname, '\0', sizeof(r.cname)) != NULL);

	n = rtcpx_encode(buf, sizeof(buf), &r);
	check(n && n % 4 == 0 && !rtcpx_decode(&back, buf, n));
	check(back.has_sr == r.has_sr && back.sender_ssrc == r.sender_ssrc &&
	      back.rbc == r.rbc && back.byec == r.byec &&
	      !memcmp(back.rbv, r.rbv, r.rbc * sizeof(r.rbv[0])) &&
	      !memcmp(back.byev, r.byev, r.byec * sizeof(r.byev[0])) &&
	      !strcmp(back.cname, r.cname));

	return 0;
}
