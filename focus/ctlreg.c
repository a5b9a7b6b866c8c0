/**
 * @file focus/ctlreg.c  What an operator sees of the registrar
 */
#include "focus/tree.h"
#include "focus/ctlreg.h"
#include "focus/registrar.h"

enum { LIST_MAX = 10000 };    /* a reply is bounded, CTL_REPLY_MAX          */


static void add_contact(const struct reg_info *info, void *arg)
{
	json_t *v = arg;
	char peer[64] = "-";

	if (json_array_size(v) >= LIST_MAX)
		return;

	(void)re_snprintf(peer, sizeof(peer), "%J", info->peer);
	(void)json_array_append_new(v,
		json_pack("{s:s, s:s, s:s, s:i, s:b, s:s}",
			  "user", info->aor, "contact", info->contact,
			  "connection", peer,
			  "expires_s", (int)info->expires_s,
			  "outbound", (int)info->outbound,
			  "user_agent", info->user_agent));
}


int ctlcmd_registrations(json_t *args, json_t **resp, void *arg)
{
	const struct focus *f = arg;
	json_t *v = json_array();
	(void)args;

	registrar_apply(f->reg, add_contact, v);
	*resp = json_pack("{s:b, s:i, s:o}", "registrar",
			  (int)f->cfg->registrar, "contacts",
			  (int)registrar_count(f->reg), "registrations", v);

	return 0;
}
