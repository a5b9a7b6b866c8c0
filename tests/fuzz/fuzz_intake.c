/**
 * @file fuzz_intake.c  libFuzzer: a request from libre's decoder on
 *
 * Decode, judge, and if it passes ask whose it is.  What passes must have the
 * properties that the rest of the focus relies on, and nobody gets in.
 */
#include <string.h>
#include "focus/digest.h"
#include "focus/intake.h"
#include "fuzz.h"
#include "tests/auth_help.h"

static const char *const methods[] = { "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REFER", NULL };
static const char *const options[] = { "100rel", "timer", NULL };
static const struct intake_caps caps = { methods, options };

static void check_passed(const struct sip_msg *msg)
{
	FUZZ_ASSERT(!pl_cmp(&msg->cseq.met, &msg->met));
	FUZZ_ASSERT(pl_isset(&msg->callid) && msg->via.sentby.p);
	FUZZ_ASSERT(pl_isset(&msg->from.auri) && pl_isset(&msg->to.auri));
	FUZZ_ASSERT(!msg->clen.p || pl_u32(&msg->clen) <= mbuf_get_left(msg->mb));

	if (!pl_strcmp(&msg->met, "INVITE"))
		FUZZ_ASSERT(sip_msg_hdr_count(msg, SIP_HDR_CONTACT) == 1);
}

static void check_strings(const struct intake_verdict *v)
{
	const size_t len = strnlen(v->hdrs, sizeof(v->hdrs));

	/* What we print into a response is whole header lines, or nothing */
	FUZZ_ASSERT(len < sizeof(v->hdrs));
	if (len)
		FUZZ_ASSERT(strchr(v->hdrs, '\n') == v->hdrs + len - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct digest *dig;
	static struct cfg *cfg;
	static uint64_t now;
	char who[DIGEST_IDENTITY_MAX];
	struct intake_verdict v;
	struct sip_msg *msg;

	if (!dig) {
		FUZZ_ASSERT(!digest_alloc(&dig));
		cfg = auth_cfg();
		log_init("fuzz", false, LOG_LV_ERROR);
	}

	msg = auth_msg_mem((const char *)data, size, SIP_TRANSP_TLS, "10.0.0.1:5071");
	if (!msg)
		return 0;

	if (msg->req) {
		intake_judge(&v, &caps, msg);
		check_strings(&v);
		if (!v.scode)
			check_passed(msg);
		/* always much later, so that no back-off hides what follows */
		now += 1000000;
		FUZZ_ASSERT(digest_check(dig, cfg, msg, now, who, sizeof(who)) != DIGEST_V_OK);
	}
	mem_deref(msg);

	return 0;
}
