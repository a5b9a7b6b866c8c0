/**
 * @file focus/body.c  What is in the body of a request or response
 */
#include <string.h>
#include "focus/body.h"
#include "focus/multipart.h"


static int fail(struct body *b, uint16_t scode, const char *why)
{
	b->scode = scode;
	b->why = why;

	return EBADMSG;
}


static bool is(const struct multipart_part *part, const char *type,
	       const char *subtype)
{
	return !pl_strcasecmp(&part->type, type) &&
		!pl_strcasecmp(&part->subtype, subtype);
}


/** RFC 3261 section 20.11: a session is what SDP is for */
static bool is_session(const struct multipart_part *part)
{
	return is(part, "application", "sdp") &&
		(!part->disposition.l ||
		 !pl_strcasecmp(&part->disposition, "session"));
}


static bool is_list(const struct multipart_part *part)
{
	return is(part, "application", "resource-lists+xml") &&
		!pl_strcasecmp(&part->disposition, "recipient-list");
}


static int take(struct body *b, const struct multipart_part *part)
{
	struct pl *dst = NULL;

	if (!part->encoded && is_session(part))
		dst = &b->sdp;
	else if (!part->encoded && is_list(part))
		dst = &b->list;

	/* RFC 5621 section 3.1: what is required must be understood */
	if (!dst)
		return part->optional ? 0
			: fail(b, 415, "A required part is not understood");
	if (dst->p)
		return fail(b, 400, "Two parts of one kind");

	*dst = part->body;
	if (!dst->l)
		return fail(b, 400, "Empty part");

	return 0;
}


int body_read(struct body *b, const struct sip_msg *msg)
{
	const struct sip_hdr *ctype = sip_msg_hdr(msg, SIP_HDR_CONTENT_TYPE);
	const struct sip_hdr *disp;
	struct multipart m;
	struct pl text = { (const char *)mbuf_buf(msg->mb),
			   mbuf_get_left(msg->mb) };
	int err;

	memset(b, 0, sizeof(*b));
	if (!text.l)
		return 0;
	if (!ctype)
		return fail(b, 400, "Body without Content-Type");

	disp = sip_msg_hdr(msg, SIP_HDR_CONTENT_DISPOSITION);
	err = multipart_decode(&m, &ctype->val, disp ? &disp->val : NULL,
			       &text, &b->why);
	if (err)
		return fail(b, err == EOVERFLOW ? 413 : 400, b->why);

	for (unsigned i = 0; i < m.partc && !err; i++)
		err = take(b, &m.partv[i]);

	return err;
}
