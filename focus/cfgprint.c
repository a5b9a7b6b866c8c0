/**
 * @file cfgprint.c  Print a configuration in the syntax of its file
 *
 * What is printed can be read again and gives the same.  No secrets: the
 * users file and the certificate are named, not shown.
 */
#include "cfgtab.h"

/* Print handler that escapes; "${" would be replaced from the environment */
static int escape_h(const char *p, size_t size, void *arg)
{
	struct re_printf *pf = arg;
	int err = 0;

	for (size_t i = 0; i < size && !err; i++) {
		if (p[i] == '"' || p[i] == '\\' || p[i] == '$')
			err = pf->vph("\\", 1, pf->arg);
		if (!err)
			err = pf->vph(&p[i], 1, pf->arg);
	}

	return err;
}

static int print_value(struct re_printf *pf, const struct cfg_row *row, const void *p)
{
	struct re_printf escaped = { .vph = escape_h, .arg = pf };
	int err;

	if (!row->kind->quoted)
		return row->kind->print(pf, row, p);

	err = re_hprintf(pf, "\"");
	err |= row->kind->print(&escaped, row, p);
	err |= re_hprintf(pf, "\"");

	return err;
}

static int print_list(struct re_printf *pf, const struct cfg_row *row, const char *p, unsigned n)
{
	int err = re_hprintf(pf, "{");

	for (unsigned i = 0; i < n; i++) {
		err |= re_hprintf(pf, "%s", i ? ", " : " ");
		err |= print_value(pf, row, p + i * row->kind->size);
	}

	return err | re_hprintf(pf, "%s", n ? " }" : "}");
}

static int print_scope(struct re_printf *pf, enum cfg_scope scope, const void *base, const char *indent)
{
	int err = 0;

	for (size_t i = 0; i < cfg_rowc; i++) {
		const struct cfg_row *row = &cfg_rowv[i];
		const char *p = (const char *)base + row->off;

		if (row->scope != scope)
			continue;

		err |= re_hprintf(pf, "%s%s = ", indent, row->name);
		if (row->kind->size) {
			const void *countp = (const char *)base + row->coff;

			err |= print_list(pf, row, p, *(const unsigned *)countp);
		}
		else {
			err |= print_value(pf, row, p);
		}
		err |= re_hprintf(pf, "\n");
	}

	return err;
}

static int print_section(struct re_printf *pf, const char *name, const char *title,
			 enum cfg_scope scope, const void *base)
{
	struct re_printf escaped = { .vph = escape_h, .arg = pf };
	int err;

	err = re_hprintf(pf, "\n%s \"", name);
	err |= re_hprintf(&escaped, "%s", title);
	err |= re_hprintf(pf, "\" {\n");
	err |= print_scope(pf, scope, base, "\t");

	return err | re_hprintf(pf, "}\n");
}

int cfg_show(struct re_printf *pf, const struct cfg *cfg)
{
	struct le *le;
	int err;

	if (!cfg || !cfg->digestc)
		return 0;

	err = print_scope(pf, CFG_SCOPE_TOP, cfg, "");
	err |= print_scope(pf, CFG_SCOPE_DIGEST, &cfg->digestv[cfg->digestc - 1], "");

	for (unsigned i = 0; i + 1 < cfg->digestc; i++)
		err |= print_section(pf, "user_agent", cfg->digestv[i].user_agent,
				     CFG_SCOPE_DIGEST, &cfg->digestv[i]);

	LIST_FOREACH(&cfg->routel, le) {
		const struct cfg_route *route = le->data;

		err |= print_section(pf, "route", route->domain, CFG_SCOPE_ROUTE, route);
	}

	LIST_FOREACH(&cfg->peerl, le) {
		const struct cfg_peer *peer = le->data;

		err |= print_section(pf, "trusted_peer", peer->title, CFG_SCOPE_PEER, peer);
	}

	LIST_FOREACH(&cfg->confl, le) {
		const struct cfg_conf *conf = le->data;

		err |= print_section(pf, "conference", conf->title, CFG_SCOPE_CONF, conf);
	}

	return err;
}
