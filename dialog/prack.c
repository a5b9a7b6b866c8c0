/**
 * @file dialog/prack.c  Reliable provisional responses to our INVITE
 *
 * A 1xx with "Require: 100rel" is repeated by the peer until a PRACK names it,
 * and the call fails without one.  Each branch of a forked INVITE counts its
 * own, so each has a dialog here of its own, for its PRACKs alone.
 *
 * An answer in a reliable 1xx is the answer; the 2xx need not repeat it.  It is
 * kept until the 2xx says whose counts, since there is one session and not one
 * for each branch.
 *
 * The other way round there is nothing to do: we send 100 and final responses.
 *
 * Refs: RFC 3262 sections 3 to 5, RFC 6337 section 3.1
 */
#include "dialog/dlg.h"

struct early {
	struct le le;
	struct dlg *dlg;
	struct sip_msg *answer;   /* the first 1xx that had one, or NULL  */
	uint32_t rseq;            /* of the last one that was acknowledged */
};


static void destructor(void *arg)
{
	struct early *e = arg;

	list_unlink(&e->le);
	mem_deref(e->dlg);
	mem_deref(e->answer);
}


/** 0: it is not reliable */
static uint32_t rseq_of(const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_RSEQ);

	if (msg->scode <= 100 || !hdr || hdr->val.l > 10 ||
	    !sip_msg_hdr_has_value(msg, SIP_HDR_REQUIRE, "100rel"))
		return 0;

	return pl_u32(&hdr->val);
}


/** An answer, maybe among other parts; the user reads it like that of a 2xx */
static bool has_answer(const struct dlg *dlg, const struct sip_msg *msg)
{
	return dlg->offer && mbuf_get_left(msg->mb) &&
		(msg_ctype_cmp(&msg->ctyp, "application", "sdp") ||
		 !pl_strcasecmp(&msg->ctyp.type, "multipart"));
}


static struct early *find(const struct dlg *dlg, const struct pl *tag)
{
	for (struct le *le = list_head(&dlg->earlyl); le; le = le->next) {
		struct early *e = le->data;

		if (!pl_strcmp(tag, e->dlg->rtag))
			return e;
	}

	return NULL;
}


static struct early *branch_new(struct dlg *dlg, const struct sip_msg *msg)
{
	struct early *e;

	if (list_count(&dlg->earlyl) >= DLG_BRANCH_MAX)
		return NULL;

	e = mem_zalloc(sizeof(*e), destructor);
	if (!e)
		return NULL;

	if (dlg_branch_alloc(&e->dlg, dlg, msg))
		return mem_deref(e);

	list_append(&dlg->earlyl, &e->le, e);

	return e;
}


/** The branch remembers its PRACK until that is answered or given up.
 *  Numbers go up through all branches, so that the one that wins has no gap
 *  backwards: RFC 3261 section 12.2.1.1 */
static void acknowledge(struct dlg *dlg, struct early *e,
			const struct sip_msg *msg)
{
	dlg_flow_set(e->dlg, msg);
	(void)dlg_send(e->dlg, &e->dlg->req, "PRACK", ++dlg->lseq, NULL, NULL,
		       "RAck: %u %u INVITE\r\n"
		       "Content-Length: 0\r\n\r\n",
		       e->rseq, msg->cseq.num);
}


bool dlg_prack(struct dlg *dlg, const struct sip_msg *msg)
{
	const uint32_t rseq = rseq_of(msg);
	struct early *e;

	if (!rseq || !pl_isset(&msg->to.tag))
		return true;

	e = find(dlg, &msg->to.tag);
	/* section 4: repeated ones and those behind a gap are not answered;
	 * section 3: before our PRACK is there, there is no next one */
	if (e && (rseq != e->rseq + 1 || e->dlg->req))
		return false;
	if (!e)
		e = branch_new(dlg, msg);
	if (!e)
		return true;

	e->rseq = rseq;
	if (!e->answer && has_answer(dlg, msg))
		e->answer = mem_ref((void *)msg);
	acknowledge(dlg, e, msg);

	return true;
}


const struct sip_msg *dlg_prack_answer(const struct dlg *dlg,
				       const struct sip_msg *msg)
{
	const struct early *e = find(dlg, &msg->to.tag);

	return e && e->answer ? e->answer : msg;
}


void dlg_prack_flush(struct dlg *dlg)
{
	list_flush(&dlg->earlyl);
}
